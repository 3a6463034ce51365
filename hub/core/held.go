package core

import (
	"errors"
	"fmt"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// held is what a cell's positions and active orders add up to. It is a function of them, so it is in no image.
type held struct {
	active, inDoubt                   int
	workingValue, openingValue, gross amount
	lots                              lots
	tilt                              tilt
}

// lots are the quantities of positions.
type lots struct {
	long, short             sideLots
	workingBuy, workingSell hub.Decimal
	openingBuy, openingSell hub.Decimal
}

type sideLots struct{ today, yesterday hub.Decimal }

func (s sideLots) all(sum *hub.Sum) hub.Decimal { return sum.Add(s.today, s.yesterday) }

func (l *lots) side(d hub.Direction) sideLots {
	if d == hub.Long {
		return l.long
	}
	return l.short
}

// cellsOf are the cells that what a book holds in a contract adds to: of a trader the trader's own parts, of the fund the fund's parts, the account and the group. The sums of all that a trader or
// the fund has are in its book.
func (c *Core) cellsOf(b *book, k key) []*cell {
	contract := c.contracts[k]
	if contract == nil {
		return nil
	}
	l := c.lane(b, c.placeOf(contract))
	if b != c.fund {
		return []*cell{l.of(policy.ScopeTrader, policy.InContract), l.of(policy.ScopeTrader, policy.InProduct)}
	}
	all := []*cell{l.of(policy.ScopeFund, policy.InContract), l.of(policy.ScopeFund, policy.InProduct)}
	all = append(all, l.cells[policy.ScopeAccount-policy.ScopeTrader][:]...)
	return append(all, l.cells[policy.ScopeGroup-policy.ScopeTrader][:]...)
}

// addUp computes what every cell holds of positions and orders alone.
func (c *Core) addUp(sum *hub.Sum) {
	for _, x := range c.cells {
		x.held = held{}
	}
	for _, b := range c.books() {
		b.tilt = tilt{}
		for _, p := range b.Positions {
			k := c.contracts[p.Key]
			if k == nil {
				continue
			}
			now := p.weight(sum, k)
			b.tilt.move(hub.Decimal{}, now.net)
			for _, x := range p.in {
				h := &x.held
				h.active += p.Active
				gross, _ := moneyOf(now.gross)
				h.gross = h.gross.plus(gross)
				h.tilt.move(hub.Decimal{}, now.net)
				h.lots.shift(sum, weight{}, now)
				h.lots.workingBuy = sum.Add(h.lots.workingBuy, p.WorkingBuy)
				h.lots.workingSell = sum.Add(h.lots.workingSell, p.WorkingSell)
				h.lots.openingBuy = sum.Add(h.lots.openingBuy, p.OpeningBuy)
				h.lots.openingSell = sum.Add(h.lots.openingSell, p.OpeningSell)
			}
		}
	}
	for _, o := range c.orderList {
		if o.Status.Final() || o.Ask != 0 {
			continue
		}
		k := c.contracts[key{o.Gateway, o.Instrument}]
		hold := holdOf(sum, o, k)
		for _, b := range []*book{c.byTrader[o.Trader], c.fund} {
			b.tilt.hold(o.Direction, hold, +1)
			for _, x := range b.position(k.key).in {
				x.held.value(hold, +1)
				x.held.tilt.hold(o.Direction, hold, +1)
				if o.InDoubt {
					x.held.inDoubt++
				}
			}
		}
	}
}

func (h *held) value(of hold, sign int) {
	add := amount.plus
	if sign < 0 {
		add = amount.minus
	}
	value, _ := moneyOf(of.value)
	h.workingValue = add(h.workingValue, value)
	if of.opens {
		h.openingValue = add(h.openingValue, value)
	}
}

// hold adds (or takes away) what an active order counts for.
func (h *held) hold(sum *hub.Sum, d hub.Direction, of hold, sign int) {
	h.value(of, sign)
	h.tilt.hold(d, of, sign)
	add := sum.Add
	if sign < 0 {
		add = sum.Sub
	}
	working, opening := &h.lots.workingBuy, &h.lots.openingBuy
	if d == hub.Short {
		working, opening = &h.lots.workingSell, &h.lots.openingSell
	}
	*working = add(*working, of.qty)
	if of.opens {
		*opening = add(*opening, of.qty)
	}
}

// weight is what a position adds to the sums.
type weight struct {
	gross, net  hub.Decimal
	long, short sideLots
}

func (p *position) weight(sum *hub.Sum, c *contract) weight {
	return weight{p.gross(sum, c), p.net(sum, c), sideLots{p.Long.Today, p.Long.Yesterday}, sideLots{p.Short.Today, p.Short.Yesterday}}
}

// shift adds to the sums what changed of one position. Most of it did not.
func (l *lots) shift(sum *hub.Sum, was, is weight) {
	move := func(to *hub.Decimal, was, is hub.Decimal) {
		if was != is {
			*to = sum.Add(*to, sum.Sub(is, was))
		}
	}
	move(&l.long.today, was.long.today, is.long.today)
	move(&l.long.yesterday, was.long.yesterday, is.long.yesterday)
	move(&l.short.today, was.short.today, is.short.today)
	move(&l.short.yesterday, was.short.yesterday, is.short.yesterday)
}

// checkHeld adds up what every cell holds, and returns what differs from what it kept as running sums.
func (c *Core) checkHeld(sum *hub.Sum) error {
	kept := make([]held, len(c.cells))
	for i, x := range c.cells {
		kept[i] = x.held
	}
	books := c.books()
	tilts := make([]tilt, len(books))
	for i, b := range books {
		tilts[i] = b.tilt
	}
	c.addUp(sum)
	errs := []error{checkTilts(books, tilts)}
	for i, x := range c.cells {
		want := x.held
		x.held = kept[i]
		if !same(kept[i], want) {
			errs = append(errs, fmt.Errorf("%+v holds %+v and should hold %+v", x.ID, kept[i], want))
		}
	}
	return errors.Join(errs...)
}

// same compares numbers by value: 1.0 is 1.
func same(a, b held) bool {
	x, y := a.numbers(), b.numbers()
	for i := range x {
		if !x[i].Equal(y[i]) {
			return false
		}
	}
	return a.active == b.active && a.inDoubt == b.inDoubt && a.workingValue == b.workingValue && a.openingValue == b.openingValue && a.gross == b.gross && a.tilt == b.tilt
}

func (h *held) numbers() [8]hub.Decimal {
	l := &h.lots
	return [...]hub.Decimal{
		l.long.today, l.long.yesterday, l.short.today, l.short.yesterday, l.workingBuy, l.workingSell, l.openingBuy, l.openingSell,
	}
}

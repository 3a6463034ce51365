package core

import "tradehub/hub"

// Running sums of money are exact, however large they become. A Decimal has 19 digits: with the eight decimals of money that is room up to 99,999,999,999.99999999. What is added to a
// larger sum would be rounded, and when it is taken away again a residue would stay, of an order that has ended. So every running sum is kept twice: exactly, and as the Decimal that rules
// and people read, which is the exact one rounded half to even.
//
// What such a sum adds up, the value of one order or the cost of one position, is one number computed once, and rounded then if it is so large. Quantities are sums of at most 19 digits as
// they are: nothing that is ordered has a thousand million units.

// totals are the exact sums behind a book's. They are functions of its orders and positions, so they are in no image.
type totals struct{ working, opening, held, unrealised, margin, gross amount }

// earned are the exact sums behind a book's of what its fills brought.
type earned struct {
	Realised   amount `cbor:"1,keyasint,omitzero"`
	Commission amount `cbor:"2,keyasint,omitzero"`
	Cash       amount `cbor:"3,keyasint,omitzero"`
}

// costs are the exact sums behind a side of the fund's position, which is the sum of its traders'.
type costs struct{ cost, margin, drift amount }

// roomy: a Decimal has room for three such amounts added up, with all their decimals.
func (a amount) roomy() bool { return a.Whole < 30_000_000_000 && a.Whole > -30_000_000_000 }

// number is the sum as a Decimal, rounded half to even at 19 digits.
func (a amount) number() hub.Decimal {
	var sum hub.Sum
	return a.decimal(&sum) // a Whole is always less than a Decimal can be
}

// moneyOf is a Decimal of money, which may be negative, as an amount; false when it is too large to be added up.
func moneyOf(d hub.Decimal) (amount, bool) {
	whole, part, ok := d.Int64(moneyScale)
	if part < 0 {
		whole, part = whole-1, part+partsOfOne
	}
	return amount{whole, part}, ok && whole < moneyMost && whole > -moneyMost
}

// moneyMost is beyond any sum of money.
const moneyMost = 4_000_000_000_000_000_000

// move adds now and takes was away, of a sum that is shown as a Decimal and kept exactly. Money beyond all bounds is an error of sum.
func move(sum *hub.Sum, shown *hub.Decimal, exact *amount, was, now hub.Decimal) {
	if was == now {
		return
	}
	a, sane := moneyOf(was)
	b, saneToo := moneyOf(now)
	next := exact.minus(a).plus(b)
	if !sane || !saneToo || next.Whole >= moneyMost || next.Whole <= -moneyMost {
		sum.Add(numberMax, numberMax) // it overflows
		return
	}
	if exact.roomy() && a.roomy() && b.roomy() { // the quick way to the same number
		*shown = sum.Add(sum.Sub(*shown, was), now)
	} else {
		*shown = next.number()
	}
	*exact = next
}

var numberMax = hub.MustDecimal("9999999999999999999")

// set gives a Decimal that is in an image the exact sum that it shows, if it shows another.
func (a amount) set(shown *hub.Decimal) {
	if d := a.number(); !shown.Equal(d) {
		*shown = d
	}
}

// totalled adds up anew what the books' running sums are exactly, as far as they are functions of orders and positions. The sums of an image that are too large for a Decimal are rounded
// there, and are made right.
func (c *Core) totalled(sum *hub.Sum) {
	for _, b := range c.holders() {
		b.totals = totals{}
		for _, p := range b.Positions {
			k := c.contracts[p.Key]
			if k == nil {
				continue
			}
			b.totals.weigh(sum, p, k)
		}
	}
	for _, o := range c.orderList {
		if o.Status.Final() || o.Ask != 0 {
			continue
		}
		h := holdOf(sum, o, c.contracts[key{o.Gateway, o.Instrument}])
		for _, b := range []*book{c.byTrader[o.Trader], c.fund} {
			b.totals.hold(h)
		}
	}
	for _, b := range c.holders() {
		b.totals.working.set(&b.WorkingValue)
		b.totals.opening.set(&b.OpeningValue)
		b.totals.held.set(&b.HeldByOrders)
		b.totals.unrealised.set(&b.Unrealised)
		b.totals.margin.set(&b.Margin)
		b.totals.gross.set(&b.Gross)
		if b.Earned == (earned{}) {
			b.Earned.Realised, _ = moneyOf(b.Realised)
			b.Earned.Commission, _ = moneyOf(b.Commission)
			b.Earned.Cash, _ = moneyOf(b.CashMoved)
		}
	}
	c.totalledFund()
}

// totalledFund does it for the fund's positions.
func (c *Core) totalledFund() {
	for _, f := range c.fund.Positions {
		if k := c.contracts[f.Key]; k == nil || k.NetPosition {
			continue
		}
		f.exact = new([2]costs)
		for _, b := range c.holders()[1:] {
			if p := b.byKey[f.Key]; p != nil {
				f.exact[0].add(&p.Long)
				f.exact[1].add(&p.Short)
			}
		}
		f.exact[0].set(&f.Long)
		f.exact[1].set(&f.Short)
	}
}

func (t *totals) weigh(sum *hub.Sum, p *position, k *contract) {
	for _, x := range []struct {
		to *amount
		d  hub.Decimal
	}{{&t.unrealised, p.Unrealised}, {&t.margin, sum.Add(p.Long.Margin, p.Short.Margin)}, {&t.gross, p.gross(sum, k)}} {
		a, _ := moneyOf(x.d)
		*x.to = x.to.plus(a)
	}
}

func (t *totals) hold(h hold) {
	value, _ := moneyOf(h.value)
	margin, _ := moneyOf(h.margin)
	t.working, t.held = t.working.plus(value), t.held.plus(margin)
	if h.opens {
		t.opening = t.opening.plus(value)
	}
}

func (c *costs) add(s *side) {
	for _, x := range []struct {
		to *amount
		d  hub.Decimal
	}{{&c.cost, s.Cost}, {&c.margin, s.Margin}, {&c.drift, s.Drift}} {
		a, _ := moneyOf(x.d)
		*x.to = x.to.plus(a)
	}
}

func (c *costs) set(s *side) {
	c.cost.set(&s.Cost)
	c.margin.set(&s.Margin)
	c.drift.set(&s.Drift)
}

// image is what an image has: nothing, when Decimals say it exactly.
func (e earned) image() earned {
	if e.Realised.roomy() && e.Commission.roomy() && e.Cash.roomy() {
		return earned{}
	}
	return e
}

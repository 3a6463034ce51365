package core

import (
	"tradehub/hub"
)

// book is the account of one trader, or of the fund: money, positions, working orders, counters.
type book struct {
	Trader  hub.TraderName `cbor:"1,keyasint,omitempty"` // "" for the fund
	Capital hub.Decimal    `cbor:"2,keyasint"`
	// Halted and HaltWhy are of images of before there were restraints.
	Halted  bool   `cbor:"3,keyasint,omitempty"`
	HaltWhy string `cbor:"4,keyasint,omitempty"`

	Realised   hub.Decimal `cbor:"5,keyasint,omitzero"`
	Commission hub.Decimal `cbor:"6,keyasint,omitzero"`
	lang       hub.Lang    // of its trader; the set-up says so
	CashMoved  hub.Decimal `cbor:"7,keyasint,omitzero"` // cash now - Capital
	DayStart   hub.Decimal `cbor:"8,keyasint,omitzero"` // Realised + Unrealised - Commission when the trading day began

	// Sums over active orders.
	Active       int         `cbor:"9,keyasint,omitempty"`
	InDoubt      int         `cbor:"10,keyasint,omitempty"`
	WorkingValue hub.Decimal `cbor:"11,keyasint,omitzero"`
	OpeningValue hub.Decimal `cbor:"12,keyasint,omitzero"`
	HeldByOrders hub.Decimal `cbor:"13,keyasint,omitzero"`

	// Sums over positions.
	Unrealised hub.Decimal `cbor:"14,keyasint,omitzero"`
	Margin     hub.Decimal `cbor:"15,keyasint,omitzero"`
	Gross      hub.Decimal `cbor:"16,keyasint,omitzero"` // at the marks, or at cost where there is no mark

	// Of images from before there were cells.
	OldOrders  oldSeries `cbor:"17,keyasint,omitzero"`
	OldCancels oldSeries `cbor:"18,keyasint,omitzero"`
	OldMsgs    oldSeries `cbor:"19,keyasint,omitzero"`
	OldRejects oldSeries `cbor:"20,keyasint,omitzero"`
	OldTrades  oldSeries `cbor:"21,keyasint,omitzero"`

	Repeats repeats `cbor:"22,keyasint"`

	Positions []*position `cbor:"23,keyasint,omitempty"` // in the order in which they were first touched

	// Configured: the trader is in the configuration now. A trader who left keeps the book.
	Configured bool `cbor:"24,keyasint,omitempty"`
	// Finished counts the final orders that are still remembered.
	Finished int `cbor:"25,keyasint,omitempty"`

	// Peak and PeakDay are the highest profit since the beginning, which is 0 then, and since the trading day began. Profit, not equity: so that capital that is given or taken is
	// neither a peak nor a drawdown.
	Peak    hub.Decimal `cbor:"50,keyasint,omitzero"`
	PeakDay hub.Decimal `cbor:"51,keyasint,omitzero"`
	// RealisedStart and CommissionStart are Realised and Commission when the trading day began.
	RealisedStart   hub.Decimal `cbor:"52,keyasint,omitzero"`
	CommissionStart hub.Decimal `cbor:"53,keyasint,omitzero"`
	// Losses is how many orders that closed something have ended with a loss, one after another.
	Losses int `cbor:"54,keyasint,omitempty"`
	// Moved is the capital that transfers have brought, on top of what the configuration says: Capital has it.
	Moved hub.Decimal `cbor:"55,keyasint,omitzero"`
	// Orders that were prevented from meeting the fund's own, and trades of the fund with itself.

	// Flow is that of the trader, in an image.
	Flow flowImage `cbor:"70,keyasint,omitzero"`

	// Earned are Realised, Commission and CashMoved, exactly; in an image it is there when one of them is too large to be said exactly by a Decimal.
	Earned earned `cbor:"110,keyasint,omitzero"`

	// Cautions are the warnings that the trader has had and that are not given again for now; sorted.
	Cautions []caution `cbor:"90,keyasint,omitempty"`

	totals totals
	tilt   tilt
	byKey  map[key]*position
	state  hub.State // the most restrictive of its restraints
	// stirred: something happened that its watches look at, in the entry that is applied.
	stirred bool
	flow    flow
	keeps   keeps // windows of the trader's cells
	core    *Core // nil in a book that is made to compare with
}

func newBook(trader hub.TraderName) *book { return &book{Trader: trader, byKey: map[key]*position{}} }

func (b *book) position(k key) *position {
	p := b.byKey[k]
	if p == nil {
		p = &position{Key: k}
		if b.core != nil {
			p.in = b.core.cellsOf(b, k)
		}
		b.byKey[k] = p
		b.Positions = append(b.Positions, p)
	}
	return p
}

// peek is position without making one.
func (b *book) peek(k key) position {
	if p := b.byKey[k]; p != nil {
		return *p
	}
	return position{Key: k}
}

// rebuild makes of a book in an image a book; false when it is not one.
func (b *book) rebuild() bool {
	b.byKey = make(map[key]*position, len(b.Positions))
	for _, p := range b.Positions {
		b.byKey[p.Key] = p
	}
	return b.Repeats.rebuild()
}

// change runs f on a position and keeps the book's sums over positions right.
func (b *book) change(sum *hub.Sum, c *contract, p *position, f func()) {
	was := b.weigh(sum, c, p, -1)
	f()
	is := b.weigh(sum, c, p, +1)
	gross, ok := moneyOf(is.gross)
	old, okBefore := moneyOf(was.gross)
	if !ok || !okBefore {
		sum.Add(numberMax, numberMax) // it overflows
		return
	}
	for _, x := range p.in {
		x.held.gross = x.held.gross.minus(old).plus(gross)
		x.held.tilt.move(was.net, is.net)
		x.held.lots.shift(sum, was, is)
	}
}

func (b *book) weigh(sum *hub.Sum, c *contract, p *position, sign int) weight {
	w := p.weight(sum, c)
	of := func(d hub.Decimal) (was, now hub.Decimal) {
		if sign < 0 {
			return d, hub.Decimal{}
		}
		return hub.Decimal{}, d
	}
	was, now := of(p.Unrealised)
	move(sum, &b.Unrealised, &b.totals.unrealised, was, now)
	was, now = of(sum.Add(p.Long.Margin, p.Short.Margin))
	move(sum, &b.Margin, &b.totals.margin, was, now)
	was, now = of(w.gross)
	move(sum, &b.Gross, &b.totals.gross, was, now)
	b.tilt.move(of(w.net))
	return w
}

func (p *position) gross(sum *hub.Sum, c *contract) hub.Decimal {
	if p.Mark.IsZero() {
		return sum.Add(p.Long.Cost, p.Short.Cost)
	}
	return money(sum, p.Mark.Abs(), sum.Add(p.Long.qty(sum), p.Short.qty(sum)), c.unit)
}

// fill books a fill.
func (b *book) fill(sum *hub.Sum, c *contract, t hub.Trade) fillResult {
	p := b.position(c.key)
	var r fillResult
	b.change(sum, c, p, func() { r = p.fill(sum, c, t) })
	b.earn(sum, r)
	return r
}

func (b *book) earn(sum *hub.Sum, r fillResult) {
	move(sum, &b.Realised, &b.Earned.Realised, hub.Decimal{}, r.realised)
	move(sum, &b.Commission, &b.Earned.Commission, hub.Decimal{}, r.commission)
	move(sum, &b.CashMoved, &b.Earned.Cash, r.commission, r.cash)
}

// follow books in the fund what a fill did to a trader's position: the fund is the sum of its traders. Only where a contract nets does the fund net for itself.
func (b *book) follow(sum *hub.Sum, c *contract, t hub.Trade, before, after position, did fillResult) {
	if c.NetPosition {
		p := b.position(c.key)
		var r fillResult
		b.change(sum, c, p, func() { r = p.fill(sum, c, t) })
		r.commission = did.commission
		b.earn(sum, r)
		return
	}
	p := b.position(c.key)
	b.change(sum, c, p, func() {
		p.shift(sum, &before, &after)
		p.revalue(sum, c.unit)
	})
	b.earn(sum, did)
}

// shift adds to the fund's position what changed of a trader's between before and after.
func (p *position) shift(sum *hub.Sum, before, after *position) {
	if p.exact == nil {
		p.exact = new([2]costs)
	}
	p.Long.shift(sum, &p.exact[0], &before.Long, &after.Long)
	p.Short.shift(sum, &p.exact[1], &before.Short, &after.Short)
}

func (s *side) shift(sum *hub.Sum, exact *costs, before, after *side) {
	s.Today = sum.Add(s.Today, sum.Sub(after.Today, before.Today))
	s.Yesterday = sum.Add(s.Yesterday, sum.Sub(after.Yesterday, before.Yesterday))
	move(sum, &s.Cost, &exact.cost, before.Cost, after.Cost)
	move(sum, &s.Margin, &exact.margin, before.Margin, after.Margin)
	move(sum, &s.Drift, &exact.drift, before.Drift, after.Drift)
}

func (b *book) mark(sum *hub.Sum, c *contract, price hub.Decimal) bool {
	p := b.byKey[c.key]
	if p == nil || p.Mark.Equal(price) {
		return false
	}
	b.change(sum, c, p, func() {
		p.Mark = price
		p.revalue(sum, c.unit)
	})
	return !p.empty(sum)
}

// profit is Realised + Unrealised - Commission, since the beginning.
func (b *book) profit(sum *hub.Sum) hub.Decimal {
	return sum.Sub(sum.Add(b.Realised, b.Unrealised), b.Commission)
}

func (b *book) equity(sum *hub.Sum) hub.Decimal { return sum.Add(b.Capital, b.profit(sum)) }

func (b *book) held(sum *hub.Sum) hub.Decimal { return sum.Add(b.Margin, b.HeldByOrders) }

func (b *book) account() hub.Account {
	var sum hub.Sum
	a := hub.Account{
		Trader: b.Trader, Capital: b.Capital, Balance: b.equity(&sum), Frozen: b.held(&sum),
		Realised: b.Realised, Unrealised: b.Unrealised, Commission: b.Commission,
	}
	a.Available = sum.Sub(a.Balance, a.Frozen)
	a.Cash = sum.Add(a.Capital, b.CashMoved)
	return a
}

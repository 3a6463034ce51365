package core

import (
	"tradehub/hub"
)

// key is a contract at a gateway.
type key struct {
	Gateway    hub.GatewayName `cbor:"1,keyasint"`
	Instrument hub.Instrument  `cbor:"2,keyasint"`
}

// side is one direction of a position. Of Today and Yesterday, the Frozen parts are in working orders that close: an exchange that tells today from yesterday
// freezes them apart; for the others everything is in FrozenYesterday.
type side struct {
	Today           hub.Decimal `cbor:"1,keyasint,omitzero"`
	Yesterday       hub.Decimal `cbor:"2,keyasint,omitzero"`
	Cost            hub.Decimal `cbor:"3,keyasint,omitzero"` // money paid for, or received for, what is held
	FrozenToday     hub.Decimal `cbor:"4,keyasint,omitzero"`
	FrozenYesterday hub.Decimal `cbor:"5,keyasint,omitzero"`
	Margin          hub.Decimal `cbor:"6,keyasint,omitzero"` // money held for what is held
	// Drift is by how much Cost moved with the rates of what is paid in full: profit, or loss, of the currency that was bought.
	Drift hub.Decimal `cbor:"45,keyasint,omitzero"`
}

func (s *side) qty(sum *hub.Sum) hub.Decimal { return sum.Add(s.Today, s.Yesterday) }

func (s *side) frozen(sum *hub.Sum) hub.Decimal { return sum.Add(s.FrozenToday, s.FrozenYesterday) }

// position is what one book holds of one contract, and what its working orders may add and take away.
type position struct {
	Key         key         `cbor:"1,keyasint"`
	Long        side        `cbor:"2,keyasint"`
	Short       side        `cbor:"3,keyasint"`
	WorkingBuy  hub.Decimal `cbor:"4,keyasint,omitzero"`
	WorkingSell hub.Decimal `cbor:"5,keyasint,omitzero"`
	// Of these, what opens.
	OpeningBuy  hub.Decimal `cbor:"6,keyasint,omitzero"`
	OpeningSell hub.Decimal `cbor:"7,keyasint,omitzero"`
	Mark        hub.Decimal `cbor:"8,keyasint,omitzero"`
	Unrealised  hub.Decimal `cbor:"9,keyasint,omitzero"`
	Active      int         `cbor:"10,keyasint,omitempty"` // orders that may still trade
	Seen        hub.Time    `cbor:"60,keyasint,omitempty"` // when the hub had the tick of Mark; of the fund's positions

	in    []*cell   // the cells that it adds to
	exact *[2]costs // of long and of short, where it is the fund's and follows its traders'
}

func (p *position) side(d hub.Direction) *side {
	if d == hub.Long {
		return &p.Long
	}
	return &p.Short
}

// moneyScale is to how many decimals money is rounded, half to even: exact sums up to 99,999,999,999.
const moneyScale = 8

// money is price * qty * unit, where unit is the contract's size in the fund's currency.
func money(sum *hub.Sum, price, qty, unit hub.Decimal) hub.Decimal {
	return sum.Mul3(price, qty, unit).Round(moneyScale).Trim(0)
}

// share is the part of whole that belongs to part of total; all of it when part is total.
func share(sum *hub.Sum, whole, part, total hub.Decimal) hub.Decimal {
	if part.Equal(total) {
		return whole
	}
	if product, err := whole.Mul(part); err == nil {
		return sum.Quo(product.Trim(0), total).Round(moneyScale).Trim(0)
	}
	return sum.Mul(whole, sum.Quo(part, total)).Round(moneyScale).Trim(0) // the product has no room, the share has
}

// revalue computes the unrealised profit and loss at the mark.
func (p *position) revalue(sum *hub.Sum, unit hub.Decimal) {
	drift := sum.Add(p.Long.Drift, p.Short.Drift)
	if p.Mark.IsZero() {
		p.Unrealised = drift
		return
	}
	long := sum.Sub(money(sum, p.Mark, p.Long.qty(sum), unit), p.Long.Cost)
	short := sum.Sub(p.Short.Cost, money(sum, p.Mark, p.Short.qty(sum), unit))
	p.Unrealised = sum.Add(sum.Add(long, short), drift)
}

// fillResult is what a fill did to a book.
type fillResult struct {
	realised   hub.Decimal
	commission hub.Decimal
	cash       hub.Decimal // change of cash before commission
	over       hub.Decimal // quantity of a close that found nothing to close
	closed     hub.Decimal // quantity that was closed
	opened     hub.Decimal // quantity that opened
}

// fill books one fill. It never leaves a negative quantity: what a close could not find is answered as over.
func (p *position) fill(sum *hub.Sum, c *contract, t hub.Trade) fillResult {
	var r fillResult
	switch {
	case c.NetPosition:
		p.fillNet(sum, c, t, &r)
	case t.Offset.Closes():
		p.fillClose(sum, c, t, &r)
	default:
		p.open(sum, c, t.Direction, t.Price, t.Qty, &r)
	}
	p.revalue(sum, c.unit)
	return r
}

func (p *position) fillNet(sum *hub.Sum, c *contract, t hub.Trade, r *fillResult) {
	against := p.side(opposite(t.Direction))
	closing := t.Qty.Min(against.qty(sum))
	if closing.IsPos() {
		p.close(sum, c, against, t, closing, closing, r)
	}
	if rest := sum.Sub(t.Qty, closing); rest.IsPos() {
		p.open(sum, c, t.Direction, t.Price, rest, r)
	}
}

func (p *position) fillClose(sum *hub.Sum, c *contract, t hub.Trade, r *fillResult) {
	s := p.side(opposite(t.Direction))
	first, second := s.Yesterday, s.Today
	if t.Offset == hub.CloseToday {
		first, second = second, first
	}
	if c.SplitsToday {
		second = hub.Decimal{}
	}
	fromFirst := t.Qty.Min(first)
	fromSecond := sum.Sub(t.Qty, fromFirst).Min(second)
	closing := sum.Add(fromFirst, fromSecond)
	r.over = sum.Sub(t.Qty, closing)
	if !closing.IsPos() {
		return
	}
	today := fromSecond
	if t.Offset == hub.CloseToday {
		today = fromFirst
	}
	p.close(sum, c, s, t, closing, today, r)
}

// close takes qty from s, of it today from what was opened today. For a contract that nets the caller gives today = qty and it is bounded here.
func (p *position) close(sum *hub.Sum, c *contract, s *side, t hub.Trade, qty, today hub.Decimal, r *fillResult) {
	held := s.qty(sum)
	cost := share(sum, s.Cost, qty, held)
	margin := share(sum, s.Margin, qty, held)
	drift := share(sum, s.Drift, qty, held)
	value := money(sum, t.Price, qty, c.unit)
	switch {
	case c.SellNextDay: // what may be sold is yesterday's
		today = sum.Sub(qty, qty.Min(s.Yesterday))
	case c.NetPosition:
		today = qty.Min(s.Today)
	}
	r.closed = sum.Add(r.closed, qty)
	old := sum.Sub(qty, today)
	s.Today = sum.Sub(s.Today, today)
	s.Yesterday = sum.Sub(s.Yesterday, old)
	s.Cost = sum.Sub(s.Cost, cost)
	s.Margin = sum.Sub(s.Margin, margin)
	s.Drift = sum.Sub(s.Drift, drift)
	gain := sum.Sub(value, cost)
	if t.Direction == hub.Long { // a buy closes a short
		gain = gain.Neg()
	}
	r.realised = sum.Add(r.realised, sum.Add(gain, drift))
	fees := sum.Add(
		charge(sum, c, c.Fees.CloseByValue, c.Fees.ClosePerUnit, t.Price, old),
		charge(sum, c, c.Fees.CloseTodayByValue, c.Fees.CloseTodayPerUnit, t.Price, today))
	r.commission = sum.Add(r.commission, fees)
	if c.paidInFull() {
		r.cash = sum.Add(r.cash, signed(t.Direction, value))
	} else {
		r.cash = sum.Add(r.cash, gain)
	}
}

func (p *position) open(sum *hub.Sum, c *contract, d hub.Direction, price, qty hub.Decimal, r *fillResult) {
	s := p.side(d)
	value := money(sum, price, qty, c.unit)
	s.Today = sum.Add(s.Today, qty)
	r.opened = sum.Add(r.opened, qty)
	s.Cost = sum.Add(s.Cost, value)
	s.Margin = sum.Add(s.Margin, c.margin(sum, d, value))
	r.commission = sum.Add(r.commission, charge(sum, c, c.Fees.OpenByValue, c.Fees.OpenPerUnit, price, qty))
	if c.paidInFull() {
		r.cash = sum.Add(r.cash, signed(d, value))
	}
}

func charge(sum *hub.Sum, c *contract, byValue, perUnit, price, qty hub.Decimal) hub.Decimal {
	if qty.IsZero() {
		return hub.Decimal{}
	}
	part := sum.Mul(money(sum, price, qty, c.unit), byValue)
	fixed := sum.Mul3(perUnit, qty, c.Rate)
	return sum.Add(part, fixed).Round(moneyScale).Trim(0)
}

// signed is the change of cash when value is bought (out) or sold (in).
func signed(d hub.Direction, value hub.Decimal) hub.Decimal {
	if d == hub.Long {
		return value.Neg()
	}
	return value
}

func opposite(d hub.Direction) hub.Direction {
	if d == hub.Long {
		return hub.Short
	}
	return hub.Long
}

// roll makes today's position yesterday's.
func (p *position) roll(sum *hub.Sum) {
	for _, s := range []*side{&p.Long, &p.Short} {
		s.Yesterday, s.Today = sum.Add(s.Yesterday, s.Today), hub.Decimal{}
		s.FrozenYesterday, s.FrozenToday = sum.Add(s.FrozenYesterday, s.FrozenToday), hub.Decimal{}
	}
}

// free is how much of a position an order of this direction and offset could close, and what that part is called. closes is false when such an order need not find anything:
// it opens, or the venue nets and lends.
func (p *position) free(sum *hub.Sum, k *contract, d hub.Direction, offset hub.Offset) (have hub.Decimal, what string, closes bool) {
	switch {
	case k.NetPosition && k.paidInFull() && d == hub.Short && k.SellNextDay:
		return sum.Sub(p.Long.Yesterday, p.WorkingSell), "position of yesterday", true
	case k.NetPosition && k.paidInFull() && d == hub.Short:
		return sum.Sub(p.Long.qty(sum), p.WorkingSell), "position", true
	case k.NetPosition || !offset.Closes():
		return hub.Decimal{}, "", false
	}
	s := p.side(opposite(d))
	switch {
	case !k.SplitsToday:
		return sum.Sub(s.qty(sum), s.frozen(sum)), "position", true
	case offset == hub.CloseToday:
		return sum.Sub(s.Today, s.FrozenToday), "position of today", true
	}
	return sum.Sub(s.Yesterday, s.FrozenYesterday), "position of yesterday", true
}

// activate counts an order that may still trade (n 1), or no more (n -1).
func (p *position) activate(n int) {
	p.Active += n
	for _, x := range p.in {
		x.held.active += n
	}
}

func (p *position) empty(sum *hub.Sum) bool {
	return p.Active == 0 && p.Long.empty(sum) && p.Short.empty(sum)
}

// empty: nothing is held. Of the fund, what traders hold and what is owed may come to nothing, and have been had at different prices: then there is cost and margin yet.
func (s *side) empty(sum *hub.Sum) bool {
	return s.qty(sum).IsZero() && s.Cost.IsZero() && s.Margin.IsZero() && s.Drift.IsZero()
}

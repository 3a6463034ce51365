package core

import (
	"fmt"
	"slices"

	"tradehub/hub"
)

// What the venue's account holds is what its traders' books hold and what is unassigned. A statement of the venue's says where that is not so: the difference is booked to unassigned, with
// an alert, and belongs to nobody until the operator says whose it is.

// breaksMax is how many breaks are remembered; the oldest is forgotten.
const breaksMax = 200

// holding is what the venue's account has of one contract: what its last statement said, and the fills since.
type holding struct {
	Key   key         `cbor:"1,keyasint"`
	Long  hub.Decimal `cbor:"2,keyasint,omitzero"` // of a contract that nets: long less short
	Short hub.Decimal `cbor:"3,keyasint,omitzero"`
	// Known: a statement of this contract has been taken.
	Known bool `cbor:"4,keyasint,omitempty"`
	// Seen: a statement that is not exact said SeenLong and SeenShort, and there was no news of the contract since.
	Seen      bool        `cbor:"5,keyasint,omitempty"`
	SeenLong  hub.Decimal `cbor:"6,keyasint,omitzero"`
	SeenShort hub.Decimal `cbor:"7,keyasint,omitzero"`
}

// brk is a break that was found.
type brk struct {
	Time      hub.Time      `cbor:"1,keyasint"`
	Key       key           `cbor:"2,keyasint"`
	Direction hub.Direction `cbor:"3,keyasint"`
	Hub       hub.Decimal   `cbor:"4,keyasint,omitzero"`
	Venue     hub.Decimal   `cbor:"5,keyasint,omitzero"`
	Text      string        `cbor:"6,keyasint"`
	Day       hub.Day       `cbor:"60,keyasint,omitempty"` // of the fund
}

func (c *Core) holding(k key) *holding {
	h := c.holdings[k]
	if h == nil {
		h = &holding{Key: k}
		c.holdings[k] = h
		c.holdingList = append(c.holdingList, h)
	}
	return h
}

// touch: there is news of a contract, so a statement that is not exact must be said again.
func (c *Core) touch(k key) {
	if h := c.holdings[k]; h != nil {
		h.Seen = false
	}
}

// filled moves what the venue is known to hold by a fill.
func (c *Core) filled(sum *hub.Sum, k *contract, t hub.Trade) {
	h := c.holdings[k.key]
	if h == nil || !h.Known {
		return
	}
	switch {
	case k.NetPosition && t.Direction == hub.Long, !k.NetPosition && t.Direction == hub.Long && !t.Offset.Closes():
		h.Long = sum.Add(h.Long, t.Qty)
	case k.NetPosition, t.Direction == hub.Short && t.Offset.Closes():
		h.Long = sum.Sub(h.Long, t.Qty)
	case t.Direction == hub.Short:
		h.Short = sum.Add(h.Short, t.Qty)
	default:
		h.Short = sum.Sub(h.Short, t.Qty)
	}
}

// stated is what a statement says of one contract.
type stated struct {
	today, yesterday, price [2]hub.Decimal // of long and of short; of a contract that nets all is in the first
}

func (s *stated) total(sum *hub.Sum, i int) hub.Decimal { return sum.Add(s.today[i], s.yesterday[i]) }

// statement compares the books with what the venue says.
func (c *Core) statement(in hub.VenueStatement) {
	g := c.gateway(in.Gateway)
	if g == nil || !g.Up {
		return // it is old news
	}
	said, why := c.read(in)
	if why != "" {
		c.alert("gateway %s: its statement of the account makes no sense: %s; it is not compared", in.Gateway, why)
		return
	}
	open := c.openAt(in)
	var sum hub.Sum
	for _, k := range c.contractList {
		if k.Gateway != in.Gateway {
			continue
		}
		s := said[k.Instrument]
		if s == nil {
			s = &stated{}
		}
		if _, mayHaveNews := open[k.key]; !mayHaveNews {
			c.compare(&sum, in, k, s)
		}
	}
	c.strangers(g, in)
	g.Money, g.Stated = in.Money, c.now
	c.unassignedMoney()
	c.fund.crest(&sum)
	c.must(&sum, "comparing with a statement")
}

// read sorts a statement by contract, and says what makes no sense.
func (c *Core) read(in hub.VenueStatement) (map[hub.Instrument]*stated, string) {
	said := make(map[hub.Instrument]*stated, len(in.Positions))
	for _, m := range in.Money {
		if m.Balance.CmpAbs(fortune) >= 0 || m.Balance.MinScale() > moneyScale {
			return nil, fmt.Sprintf("a balance of %s %s", m.Balance, m.Currency)
		}
	}
	for _, p := range in.Positions {
		k := c.contracts[key{in.Gateway, p.Instrument}]
		if k == nil {
			continue
		}
		at := 0
		switch {
		case outOfRange(p.Today) || outOfRange(p.Yesterday) || outOfRange(p.Price):
			return nil, fmt.Sprintf("%s and %s of %s at %s", p.Today, p.Yesterday, p.Instrument, p.Price)
		case k.NetPosition && p.Direction != hub.Net, !k.NetPosition && p.Direction != hub.Long && p.Direction != hub.Short:
			return nil, fmt.Sprintf("a position in %s of the direction %q", p.Instrument, p.Direction)
		case !k.NetPosition && (p.Today.IsNeg() || p.Yesterday.IsNeg()):
			return nil, fmt.Sprintf("a negative position in %s", p.Instrument)
		case p.Direction == hub.Short:
			at = 1
		}
		s := said[p.Instrument]
		if s == nil {
			s = &stated{}
			said[p.Instrument] = s
		}
		if !s.today[at].IsZero() || !s.yesterday[at].IsZero() {
			return nil, fmt.Sprintf("a position in %s is there twice", p.Instrument)
		}
		s.today[at], s.yesterday[at], s.price[at] = p.Today.Trim(0), p.Yesterday.Trim(0), p.Price.Trim(0)
	}
	return said, ""
}

// openAt are the contracts of which the venue may know something that the hub does not: for an exact statement those of orders in doubt, or about which the venue is being asked; for another
// those of all active orders.
func (c *Core) openAt(in hub.VenueStatement) map[key]struct{} {
	open := map[key]struct{}{}
	for _, o := range c.orderList {
		if o.Gateway == in.Gateway && (o.InDoubt || o.Asked || !in.Exact && !o.Status.Final() && o.Ask == 0) {
			open[key{o.Gateway, o.Instrument}] = struct{}{}
		}
	}
	return open
}

// compare holds the books against what the venue says of one contract.
func (c *Core) compare(sum *hub.Sum, in hub.VenueStatement, k *contract, s *stated) {
	fund := c.fund.peek(k.key)
	have := [2]hub.Decimal{fund.Long.qty(sum), fund.Short.qty(sum)}
	if k.NetPosition {
		have = [2]hub.Decimal{sum.Sub(have[0], have[1])}
	}
	want := [2]hub.Decimal{s.total(sum, 0), s.total(sum, 1)}
	same := have[0].Equal(want[0]) && have[1].Equal(want[1])
	if same && have[0].IsZero() && have[1].IsZero() && c.holdings[k.key] == nil {
		return // nobody ever had any of it
	}
	h := c.holding(k.key)
	again := h.Seen && h.SeenLong.Equal(want[0]) && h.SeenShort.Equal(want[1])
	if !same && !in.Exact && !again {
		h.Seen, h.SeenLong, h.SeenShort = true, want[0], want[1]
		return
	}
	if !same && k.Why != "" {
		c.broken(k, hub.Net, have[0], want[0], fmt.Sprintf("%s cannot be valued (%s), so nothing is booked", k.Instrument, k.Why))
		return
	}
	splits := in.Day != "" && in.Day == c.dayOf(k.Exchange) && (k.SplitsToday || k.SellNextDay)
	for i, d := range []hub.Direction{hub.Long, hub.Short} {
		if k.NetPosition && d == hub.Short {
			continue
		}
		today, yesterday := hub.Decimal{}, sum.Sub(want[i], have[i])
		if side := fund.side(d); splits && (!k.NetPosition || fund.Short.qty(sum).IsZero()) {
			today = sum.Sub(s.today[i], side.Today)
			yesterday = sum.Sub(yesterday, today)
		}
		if today.Sign()*yesterday.Sign() < 0 { // some of it is of another day: a trader's, so it cannot be booked to nobody
			c.broken(k, d, fund.side(d).Today, s.today[i], "of today's alone; nothing is booked, and an order that closes today's may be rejected")
			today, yesterday = hub.Decimal{}, sum.Add(today, yesterday)
		}
		if today.IsZero() && yesterday.IsZero() {
			continue
		}
		if !c.assignNobody(sum, k, d, today, yesterday, s.price[i], have[i], want[i]) {
			return
		}
	}
	h.Known, h.Seen, h.Long, h.Short = true, false, want[0], want[1]
}

// assignNobody books a difference to unassigned, at the last mark, so that it is no gain or loss of today; before there is one, at the venue's average price, or at what the books had paid.
func (c *Core) assignNobody(sum *hub.Sum, k *contract, d hub.Direction, today, yesterday, price, have, want hub.Decimal) bool {
	if mark := c.lastMark(k.key); !mark.IsZero() {
		price = mark
	}
	shown := d
	if k.NetPosition {
		shown = hub.Net
	}
	if price.IsZero() {
		price = c.paid(sum, k)
	}
	if price.IsZero() {
		c.broken(k, shown, have, want, "the venue names no price and there is no mark, so nothing is booked")
		return false
	}
	if !bookable(k, today, price) || !bookable(k, yesterday, price) {
		c.broken(k, shown, have, want, fmt.Sprintf("the value at %s is out of range, so nothing is booked", price))
		return false
	}
	c.adjust(sum, k, d, today, yesterday, price)
	u := c.unassigned.position(k.key)
	now := u.side(d).qty(sum)
	if k.NetPosition {
		now = sum.Sub(now, u.Short.qty(sum))
	}
	c.broken(k, shown, have, want, fmt.Sprintf("%s are unassigned now", now))
	return true
}

// paid is the average price of what the fund holds of a contract; 0 when it holds nothing.
func (c *Core) paid(sum *hub.Sum, k *contract) hub.Decimal {
	p := c.fund.peek(k.key)
	for _, s := range []*side{&p.Long, &p.Short} {
		if held := s.qty(sum); held.IsPos() {
			return sum.Quo(s.Cost, sum.Mul(held, k.unit)).Round(moneyScale).Trim(0)
		}
	}
	return hub.Decimal{}
}

// bookable: the value of a quantity at a price is within what the hub works with.
func bookable(k *contract, qty, price hub.Decimal) bool {
	var sum hub.Sum
	value := money(&sum, price.Abs(), qty.Abs(), k.unit)
	return sum.Err() == nil && value.Less(fortune)
}

// adjust changes what is unassigned, and the fund with it. Either may be negative: then the venue has less than the traders' books.
func (c *Core) adjust(sum *hub.Sum, k *contract, d hub.Direction, today, yesterday, price hub.Decimal) {
	u := c.unassigned.position(k.key)
	before := *u
	var r fillResult
	c.unassigned.change(sum, k, u, func() {
		u.Mark = c.lastMark(k.key)
		if k.NetPosition {
			r = u.adjustNet(sum, k, today, yesterday, price)
			return
		}
		r = u.side(d).adjust(sum, k, d, today, yesterday, price)
		u.revalue(sum, k.unit)
	})
	c.unassigned.earn(sum, r)
	f := c.fund.position(k.key)
	if !k.NetPosition {
		c.fund.change(sum, k, f, func() {
			f.shift(sum, &before, u)
			f.revalue(sum, k.unit)
		})
		c.fund.earn(sum, r)
		return
	}
	c.fund.change(sum, k, f, func() { r = f.adjustNet(sum, k, today, yesterday, price) })
	c.fund.earn(sum, r)
}

// overClosed books a close that the trader's book has nothing for: the venue closed something all the same, of nobody's.
func (c *Core) overClosed(sum *hub.Sum, k *contract, t hub.Trade, over hub.Decimal) {
	today, yesterday := hub.Decimal{}, over.Neg()
	if k.SplitsToday && t.Offset == hub.CloseToday {
		today, yesterday = yesterday, today
	}
	c.adjust(sum, k, opposite(t.Direction), today, yesterday, t.Price)
}

// adjustNet adds a signed quantity to a net position, at a price and without a fee.
func (p *position) adjustNet(sum *hub.Sum, k *contract, today, yesterday, price hub.Decimal) fillResult {
	var r fillResult
	old := p.Long.Yesterday
	t := hub.Trade{Direction: hub.Long, Price: price, Qty: sum.Add(today, yesterday)}
	if t.Qty.IsNeg() {
		t.Direction, t.Qty = hub.Short, t.Qty.Neg()
	}
	if t.Qty.IsPos() {
		p.fillNet(sum, k, t, &r)
	}
	if held := p.Long.qty(sum); k.SellNextDay && held.IsPos() {
		p.Long.Yesterday = sum.Add(old, yesterday).Max(hub.Decimal{}).Min(held)
		p.Long.Today = sum.Sub(held, p.Long.Yesterday)
	}
	p.revalue(sum, k.unit)
	r.commission = hub.Decimal{}
	return r
}

// adjust adds a signed quantity to a side that may be negative, at a price.
func (s *side) adjust(sum *hub.Sum, k *contract, d hub.Direction, today, yesterday, price hub.Decimal) fillResult {
	var r fillResult
	held, qty := s.qty(sum), sum.Add(today, yesterday)
	s.Today, s.Yesterday = sum.Add(s.Today, today), sum.Add(s.Yesterday, yesterday)
	by := d
	if qty.IsNeg() {
		by = opposite(d)
	}
	rest := qty.Abs()
	if closing := rest.Min(held.Abs()); held.Sign()*qty.Sign() < 0 {
		cost, margin, value := share(sum, s.Cost, closing, held.Abs()), share(sum, s.Margin, closing, held.Abs()), money(sum, price, closing, k.unit)
		s.Cost, s.Margin = sum.Sub(s.Cost, cost), sum.Sub(s.Margin, margin)
		above := sum.Sub(value, cost)
		if held.IsNeg() {
			above = sum.Add(value, cost).Neg()
		}
		r.realised = sum.Add(r.realised, s.undrift(sum, closing, held.Abs()))
		r.earn(sum, k, d, by, above, value)
		rest = sum.Sub(rest, closing)
	}
	if rest.IsZero() {
		return r
	}
	value := money(sum, price, rest, k.unit)
	margin := k.margin(sum, d, value)
	if k.paidInFull() {
		r.cash = sum.Add(r.cash, signed(by, value))
	}
	if qty.IsNeg() {
		value, margin = value.Neg(), margin.Neg()
	}
	s.Cost, s.Margin = sum.Add(s.Cost, value), sum.Add(s.Margin, margin)
	return r
}

func (c *Core) broken(k *contract, d hub.Direction, have, want hub.Decimal, text string) {
	for _, last := range slices.Backward(c.breaks) {
		if last.Key == k.key && last.Direction == d {
			if last.Hub.Equal(have) && last.Venue.Equal(want) {
				return // said, and as it was
			}
			break
		}
	}
	text = fmt.Sprintf("break: gateway %s has %s %s of %s, the hub %s; %s", k.Gateway, want, d, k.Instrument, have, text)
	if len(c.breaks) == breaksMax {
		c.breaks = append(c.breaks[:0], c.breaks[1:]...)
	}
	c.breaks = append(c.breaks, brk{Time: c.now, Key: k.key, Direction: d, Hub: have, Venue: want, Text: text, Day: c.day})
	c.alert("%s", text)
}

// strangers are what the venue's account holds that the gateway does not list.
func (c *Core) strangers(g *gateway, in hub.VenueStatement) {
	var now []hub.Instrument
	for _, p := range in.Positions {
		if c.contracts[key{in.Gateway, p.Instrument}] == nil && (!p.Today.IsZero() || !p.Yesterday.IsZero()) {
			now = append(now, p.Instrument)
		}
	}
	for _, i := range now {
		known := false
		for _, old := range g.Strange {
			known = known || old == i
		}
		if !known {
			c.alert("break: gateway %s has a position in %s, which it does not list; it is in no book", in.Gateway, i)
		}
	}
	g.Strange = now
}

// unassignedMoney gives unassigned what the venues' accounts are worth beyond the traders' equity: that nobody's is. It is not the fund's capital. Without a rate of every currency it is not known.
func (c *Core) unassignedMoney() {
	var sum hub.Sum
	var worth hub.Decimal
	c.unassigned.Capital = hub.Decimal{}
	if !slices.ContainsFunc(c.gateways, func(g *gateway) bool { return len(g.Money) > 0 }) {
		return
	}
	for _, g := range c.gateways {
		for _, m := range g.Money {
			rate := hub.Int(1)
			if m.Currency != c.setup.Currency {
				var ok bool
				if rate, ok = c.rate(m.Currency); !ok {
					return
				}
			}
			worth = sum.Add(worth, sum.Mul(m.Balance, rate).Round(moneyScale).Trim(0))
		}
	}
	for _, b := range c.traders {
		if b.Configured {
			worth = sum.Sub(worth, b.equity(&sum))
		}
	}
	if worth = sum.Sub(worth, c.unassigned.profit(&sum)); sum.Err() == nil {
		c.unassigned.Capital = worth
	}
}

// Break is a difference between the books and a venue's account.
type Break struct {
	Time       hub.Time
	Gateway    hub.GatewayName
	Instrument hub.Instrument
	Direction  hub.Direction
	Hub        hub.Decimal // what the books had
	Venue      hub.Decimal // what the venue had
	Text       string
}

// Breaks are those that were found, oldest first; the newest breaksMax of them.
func (c *Core) Breaks() []Break {
	out := make([]Break, len(c.breaks))
	for i, b := range c.breaks {
		out[i] = Break{Time: b.Time, Gateway: b.Key.Gateway, Instrument: b.Key.Instrument, Direction: b.Direction, Hub: b.Hub, Venue: b.Venue, Text: b.Text}
	}
	return out
}

// Stated is when each gateway last made a statement of the account; 0: never.
func (c *Core) Stated(g hub.GatewayName) hub.Time {
	if g := c.gateway(g); g != nil {
		return g.Stated
	}
	return 0
}

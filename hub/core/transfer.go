package core

import (
	"fmt"

	"tradehub/hub"
)

// holder is the book of a trader, or that of what is unassigned; nil for any other name.
func (c *Core) holder(name hub.TraderName) *book {
	if name == hub.Unassigned {
		return c.unassigned
	}
	return c.byTrader[name]
}

// holders are all books that hold something: the fund's first.
func (c *Core) holders() []*book { return append(c.books(), c.unassigned) }

// refusals collects why something is not done: all of it at once.
type refusals []string

func (r *refusals) add(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

// transferPosition moves a position between two books. The fund's position stays what it was: what one gives the other takes, today's as today's and yesterday's as yesterday's.
func (c *Core) transferPosition(in hub.TransferPosition) {
	var sum hub.Sum
	m, why := c.plan(&sum, in)
	if len(why) > 0 {
		c.emit(TransferAnswered{Refusals: why})
		return
	}
	c.must(&sum, "transferring a position")
	c.put(&sum, m.contract, m.from, m.given, m.gave)
	c.put(&sum, m.contract, m.to, m.taken, m.took)
	for _, b := range []*book{m.from, m.to, c.fund} {
		b.crest(&sum)
	}
	c.must(&sum, "transferring a position")
	text := hub.Say("%s %s of %s at %s are moved", in.Qty, in.Direction, in.Instrument, m.price)
	c.transferred(text, key{m.contract.Gateway, in.Instrument}, m.from, m.to)
	c.emit(TransferAnswered{Price: m.price, Gateway: m.contract.Gateway})
}

// transferred tells each side of a transfer its own. Who the other is, and why, is between the operator and the journal.
func (c *Core) transferred(text hub.Words, k key, from, to *book) {
	for _, b := range []*book{from, to} {
		if b == nil || b == c.unassigned {
			continue
		}
		side := hub.Say("%s to you by the operator", text)
		if b == from {
			side = hub.Say("%s from you by the operator", text)
		}
		c.tell(b.Trader, Info, "", side)
		c.emit(BookChanged{Trader: b.Trader, Gateway: k.Gateway, Instrument: k.Instrument})
		c.emit(Moved{Trader: b.Trader, Gateway: k.Gateway, Instrument: k.Instrument})
	}
}

// movement is a transfer that was worked out and not done yet: the positions as they will be, and what it earns each side.
type movement struct {
	contract     *contract
	from, to     *book
	given, taken position
	gave, took   fillResult
	price        hub.Decimal
}

// plan works a transfer out on copies, and finds all that speaks against it.
func (c *Core) plan(sum *hub.Sum, in hub.TransferPosition) (movement, refusals) {
	var why refusals
	m := movement{from: c.holder(in.From), to: c.holder(in.To)}
	if m.from == nil {
		why.add("there is no trader %q to give", in.From)
	}
	switch {
	case m.to == nil:
		why.add("there is no trader %q to take", in.To)
	case m.to == m.from:
		why.add("%s cannot give to itself", in.From)
	case m.to != c.unassigned && !m.to.Configured:
		why.add("trader %s is not configured, and so takes nothing", in.To)
	}
	if in.Direction != hub.Long && in.Direction != hub.Short {
		why.add("the direction is LONG or SHORT, not %q", in.Direction)
	}
	if !in.Qty.IsPos() || outOfRange(in.Qty) {
		why.add("quantity %s is out of range", in.Qty)
	}
	if in.Price.IsNeg() || outOfRange(in.Price) {
		why.add("price %s is out of range", in.Price)
	}
	if in.AtCost && !in.Price.IsZero() {
		why.add("it is moved at cost or at a price, not at both")
	}
	if len(why) > 0 {
		return m, why
	}
	if m.contract = c.contractOf(m.from, in); m.contract == nil {
		why.add("no gateway trades %s", in.Instrument)
		return m, why
	}
	k := m.contract
	if k.Why != "" {
		why.add("%s cannot be valued: %s", k.Instrument, k.Why)
		return m, why
	}
	if _, rest, err := in.Qty.QuoRem(k.MinQty); err != nil || !rest.IsZero() {
		why.add("quantity %s is not a multiple of %s", in.Qty, k.MinQty)
	}
	m.given, m.taken = m.from.peek(k.key), m.to.peek(k.key)
	today, yesterday, free := m.given.spare(sum, k, in.Direction, in.Qty)
	if free.Less(in.Qty) {
		why.add("%s has %s %s of %s that are not in working orders, and is to give %s", in.From, free.Max(hub.Decimal{}), in.Direction, in.Instrument, in.Qty)
	}
	if len(why) > 0 {
		return m, why
	}
	if k.NetPosition {
		c.unturned(sum, in, &m, &why)
	}
	c.workOut(sum, in, &m, today, yesterday)
	if value := money(sum, m.price, in.Qty, k.unit); sum.Err() != nil || fortune.Cmp(value) <= 0 {
		why.add("%s of %s at %s are worth more than can be counted", in.Qty, in.Instrument, m.price)
		return m, why
	}
	c.affordable(sum, &m, &why)
	return m, why
}

// unturned: where the venue nets, what the receiver holds the other way is closed by a transfer. What works to close it would then open.
func (c *Core) unturned(sum *hub.Sum, in hub.TransferPosition, m *movement, why *refusals) {
	held := m.taken.side(opposite(in.Direction)).qty(sum)
	working := m.taken.WorkingBuy
	if in.Direction == hub.Short {
		working = m.taken.WorkingSell
	}
	if !held.IsPos() || !working.IsPos() {
		return
	}
	if left := sum.Sub(held, in.Qty); left.Less(working) {
		why.add("%s has orders for %s working that close what the transfer would close; cancel them first", in.To, working)
	}
}

// contractOf finds the contract at the gateway that was named, else where the giver holds it, else anywhere.
func (c *Core) contractOf(giver *book, in hub.TransferPosition) *contract {
	var sum hub.Sum
	var any *contract
	for _, k := range c.contractList {
		if k.Instrument != in.Instrument || in.Gateway != "" && k.Gateway != in.Gateway {
			continue
		}
		if p := giver.peek(k.key); p.side(in.Direction).qty(&sum).IsPos() {
			return k
		}
		if any == nil {
			any = k
		}
	}
	return any
}

// spare says how much of a side is in no working order that would take it away, and how a quantity divides into today's and yesterday's: yesterday's first.
func (p *position) spare(sum *hub.Sum, k *contract, d hub.Direction, qty hub.Decimal) (today, yesterday, free hub.Decimal) {
	s := p.side(d)
	t, y := s.Today, s.Yesterday
	held := sum.Add(t, y)
	working := p.WorkingSell
	if d == hub.Short {
		working = p.WorkingBuy
	}
	switch {
	case k.NetPosition && k.SellNextDay:
		y = sum.Sub(y, working)
		free = sum.Add(t, y)
	case k.NetPosition:
		free = sum.Sub(held, working)
	case k.SplitsToday:
		t, y = sum.Sub(t, s.FrozenToday), sum.Sub(y, s.FrozenYesterday)
		free = sum.Add(t, y)
	default:
		free = sum.Sub(held, s.frozen(sum))
	}
	yesterday = qty.Min(y.Max(hub.Decimal{}))
	return sum.Sub(qty, yesterday), yesterday, free
}

// workOut moves the position between the copies.
func (c *Core) workOut(sum *hub.Sum, in hub.TransferPosition, m *movement, today, yesterday hub.Decimal) {
	k, d := m.contract, in.Direction
	s := m.given.side(d)
	held := s.qty(sum)
	cost := share(sum, s.Cost, in.Qty, held)
	m.price = in.Price.Trim(0)
	if m.price.IsZero() && !in.AtCost {
		m.price = c.lastMark(k.key)
	}
	value := cost
	if m.price.IsZero() {
		m.price = sum.Quo(cost, sum.Mul(in.Qty, k.unit)).Round(moneyScale).Trim(0)
	} else {
		value = money(sum, m.price, in.Qty, k.unit)
	}
	margin := share(sum, s.Margin, in.Qty, held)
	s.Cost, s.Margin = sum.Sub(s.Cost, cost), sum.Sub(s.Margin, margin)
	s.Today, s.Yesterday = sum.Sub(s.Today, today), sum.Sub(s.Yesterday, yesterday)
	m.gave.realised = sum.Add(m.gave.realised, s.undrift(sum, in.Qty, held))
	m.gave.earn(sum, k, d, opposite(d), sum.Sub(value, cost), value)
	m.taken.receive(sum, k, d, lot{today, yesterday, value, margin}, &m.took)
	if m.taken.Mark.IsZero() {
		m.taken.Mark = m.given.Mark
	}
	m.given.revalue(sum, k.unit)
	m.taken.revalue(sum, k.unit)
}

// lastMark is the last price of a contract that the books are valued at; 0 before the first.
func (c *Core) lastMark(k key) hub.Decimal {
	if p := c.fund.byKey[k]; p != nil {
		return p.Mark
	}
	return hub.Decimal{}
}

// earn notes what taking away from a side in direction d has gained, where above is the value over what it had cost, and what moved cash: the value, for what is paid in full. by is the
// direction of what was done.
func (r *fillResult) earn(sum *hub.Sum, k *contract, d, by hub.Direction, above, value hub.Decimal) {
	if d == hub.Short {
		above = above.Neg()
	}
	r.realised = sum.Add(r.realised, above)
	if k.paidInFull() {
		r.cash = sum.Add(r.cash, signed(by, value))
	} else {
		r.cash = sum.Add(r.cash, above)
	}
}

// undrift takes away the part of the drift that belongs to a quantity of what is held: it is realised.
func (s *side) undrift(sum *hub.Sum, qty, held hub.Decimal) hub.Decimal {
	drift := share(sum, s.Drift, qty, held)
	s.Drift = sum.Sub(s.Drift, drift)
	return drift
}

// lot is a part of a position on its way: how much, of when, worth what, and holding what.
type lot struct{ today, yesterday, value, margin hub.Decimal }

// take splits off a part of a lot: yesterday's first.
func (l *lot) take(sum *hub.Sum, qty hub.Decimal) lot {
	all := sum.Add(l.today, l.yesterday)
	part := lot{yesterday: qty.Min(l.yesterday), value: share(sum, l.value, qty, all), margin: share(sum, l.margin, qty, all)}
	part.today = sum.Sub(qty, part.yesterday)
	l.today, l.yesterday = sum.Sub(l.today, part.today), sum.Sub(l.yesterday, part.yesterday)
	l.value, l.margin = sum.Sub(l.value, part.value), sum.Sub(l.margin, part.margin)
	return part
}

// receive adds a lot to a side. Where the venue nets, what is held the other way is closed by it first; what is unassigned may owe some of it, and that is given back first.
func (p *position) receive(sum *hub.Sum, k *contract, d hub.Direction, l lot, r *fillResult) {
	qty := sum.Add(l.today, l.yesterday)
	if against := p.side(opposite(d)); k.NetPosition && against.qty(sum).IsPos() {
		closing := qty.Min(against.qty(sum))
		part := l.take(sum, closing)
		held := against.qty(sum)
		cost, margin := share(sum, against.Cost, closing, held), share(sum, against.Margin, closing, held)
		today := closing.Min(against.Today)
		against.Today, against.Yesterday = sum.Sub(against.Today, today), sum.Sub(against.Yesterday, sum.Sub(closing, today))
		against.Cost, against.Margin = sum.Sub(against.Cost, cost), sum.Sub(against.Margin, margin)
		r.realised = sum.Add(r.realised, against.undrift(sum, closing, held))
		r.earn(sum, k, opposite(d), d, sum.Sub(part.value, cost), part.value)
		qty = sum.Sub(qty, closing)
	}
	s := p.side(d)
	if owed := s.qty(sum).Neg(); owed.IsPos() && qty.IsPos() {
		closing := qty.Min(owed)
		part := l.take(sum, closing)
		cost, margin := share(sum, s.Cost, closing, owed), share(sum, s.Margin, closing, owed)
		s.Today, s.Yesterday = sum.Add(s.Today, part.today), sum.Add(s.Yesterday, part.yesterday)
		s.Cost, s.Margin = sum.Sub(s.Cost, cost), sum.Sub(s.Margin, margin)
		r.realised = sum.Add(r.realised, s.undrift(sum, closing, owed))
		r.earn(sum, k, d, d, sum.Add(cost, part.value).Neg(), part.value) // cost is negative: what it was owed at
		qty = sum.Sub(qty, closing)
	}
	if !qty.IsPos() {
		return
	}
	s.Today, s.Yesterday = sum.Add(s.Today, l.today), sum.Add(s.Yesterday, l.yesterday)
	s.Cost, s.Margin = sum.Add(s.Cost, l.value), sum.Add(s.Margin, l.margin)
	if k.paidInFull() {
		r.cash = sum.Add(r.cash, signed(d, l.value))
	}
}

// affordable: neither side may be left with less than nothing available, unless it had less before. What is unassigned has no money.
func (c *Core) affordable(sum *hub.Sum, m *movement, why *refusals) {
	for _, x := range []struct {
		b   *book
		now position
		r   fillResult
	}{{m.from, m.given, m.gave}, {m.to, m.taken, m.took}} {
		if x.b == c.unassigned {
			continue
		}
		was := x.b.peek(m.contract.key)
		before := x.b.available(sum)
		change := sum.Add(x.r.realised, sum.Sub(x.now.Unrealised, was.Unrealised))
		held := sum.Sub(sum.Add(x.now.Long.Margin, x.now.Short.Margin), sum.Add(was.Long.Margin, was.Short.Margin))
		after := sum.Sub(sum.Add(before, change), held)
		if after.IsNeg() && after.Less(before) {
			why.add("%s has %s available and would have %s", x.b.Trader, before, after)
		}
	}
}

// put replaces a book's position in a contract by one that was worked out, and the fund's with it.
func (c *Core) put(sum *hub.Sum, k *contract, b *book, now position, r fillResult) {
	p := b.position(k.key)
	before := *p
	now.in = p.in
	b.change(sum, k, p, func() { *p = now })
	b.earn(sum, r)
	if k.NetPosition {
		return // the fund nets for itself, and its net position is what it was
	}
	f := c.fund.position(k.key)
	c.fund.change(sum, k, f, func() {
		f.shift(sum, &before, &now)
		f.revalue(sum, k.unit)
	})
	c.fund.earn(sum, r)
}

// transferCapital moves capital between two traders, or in from outside, or out.
func (c *Core) transferCapital(in hub.TransferCapital) {
	var why refusals
	var sum hub.Sum
	var from, to *book
	find := func(name hub.TraderName, doing string) *book {
		b := c.byTrader[name]
		switch {
		case name == "":
		case name == hub.Unassigned:
			why.add("what is unassigned has no capital: leave %s out to bring money in or take it out", name)
		case b == nil:
			why.add("there is no trader %q to %s", name, doing)
		}
		return b
	}
	from, to = find(in.From, "give"), find(in.To, "take")
	if in.From == in.To {
		why.add("capital moves from one to another: name who gives, who takes, or both, and not the same twice")
	}
	if to != nil && !to.Configured {
		why.add("trader %s is not configured, and so takes nothing", in.To)
	}
	if !in.Amount.IsPos() || fortune.Cmp(in.Amount) <= 0 || in.Amount.MinScale() > moneyScale {
		why.add("amount %s is out of range", in.Amount)
	}
	if from != nil && from.available(&sum).Less(in.Amount) {
		why.add("%s has %s available, and is to give %s", in.From, from.available(&sum), in.Amount)
	}
	if len(why) == 0 && (from != nil && !from.countsExactly(in.Amount.Neg()) || to != nil && !to.countsExactly(in.Amount)) {
		why.add("capital of this size cannot be counted with as many decimals as %s has", in.Amount)
	}
	if len(why) > 0 {
		c.emit(TransferAnswered{Refusals: why})
		return
	}
	c.addCapital(&sum, from, in.Amount.Neg())
	c.addCapital(&sum, to, in.Amount)
	c.must(&sum, "transferring capital")
	c.transferred(hub.Say("capital of %s is moved", in.Amount), key{}, from, to)
	c.emit(TransferAnswered{})
}

func (c *Core) addCapital(sum *hub.Sum, b *book, amount hub.Decimal) {
	if b == nil {
		return
	}
	b.Moved = sum.Add(b.Moved, amount)
	b.Capital = sum.Add(b.Capital, amount)
	c.fund.Capital = c.capital()
}

// capital is the fund's: that of the traders who are configured.
func (c *Core) capital() hub.Decimal {
	var all amount
	for _, b := range c.traders {
		if b.Configured {
			a, _ := moneyOf(b.Capital)
			all = all.plus(a)
		}
	}
	return all.number()
}

// countsExactly: a Decimal can say what the capital will be, to the last decimal.
func (b *book) countsExactly(amount hub.Decimal) bool {
	var sum hub.Sum
	more, ok := moneyOf(amount)
	for _, d := range []hub.Decimal{b.Moved, b.Capital} {
		have, _ := moneyOf(d)
		then, _ := moneyOf(sum.Add(d, amount))
		ok = ok && then == have.plus(more)
	}
	return ok && sum.Err() == nil
}

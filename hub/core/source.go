package core

import (
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// source answers what rules read about one order that is being decided.
type source struct {
	core     *Core
	order    *order
	contract *contract
	trader   *book
	lane     *lane // where the order counts
	market   hub.MarketView
	value    policy.Value // of the order, once it is valued
	valued   bool
	last     policy.Value // what was answered last, when nobody notes it
	amended  *amended     // of an order that is to be amended; else nil
}

// Value answers one variable: where the answer is noted if an order is being decided, and else in s.last.
func (s *source) Value(ref *policy.Ref) *policy.Value {
	v := s.core.heard(ref)
	if v == nil {
		v = &s.last
	}
	s.of(ref, v)
	return v
}

// of answers one variable. The switches below each name the variables of one scope; TestEveryVariableIsAnswered sees that none is missing.
func (s *source) of(ref *policy.Ref, v *policy.Value) {
	switch {
	case policy.OfBooks(ref.Var):
		*v = s.ofFigures(ref)
	case ref.Var == policy.PublishedValue || ref.Var == policy.PublishedAge:
		*v = s.ofPublished(ref)
	case policy.OfDesk(ref.Var):
		*v = s.ofDesk(ref)
	case ref.Scope == policy.ScopeOrder:
		*v = s.ofOrder(ref.Var)
	case ref.Scope == policy.ScopeContract:
		*v = s.ofContract(ref)
	case ref.Scope == policy.ScopeMarket:
		*v = s.ofMarket(ref.Var)
	case ref.Scope == policy.ScopeOwn:
		*v = s.ofOwn(ref.Var)
	case ref.Scope == policy.ScopeGateway:
		*v = s.ofChannel(ref.Var)
	case ref.Scope == policy.ScopeSession:
		*v = s.ofSession(ref.Var)
	default: // of an owner
		*v = s.ofOwner(ref)
	}
}

func (s *source) ofOrder(v policy.Var) policy.Value {
	o := s.order
	//exhaustive:ignore
	switch v {
	case policy.OrderTrader:
		return policy.Text(string(o.Trader))
	case policy.OrderSymbol:
		return policy.Text(o.Symbol)
	case policy.OrderExchange:
		return policy.Text(o.Exchange)
	case policy.OrderGateway:
		return policy.Text(string(o.Gateway))
	case policy.OrderDirection:
		return policy.Text(o.Direction.String())
	case policy.OrderOffset:
		return policy.Text(o.Offset.String())
	case policy.OrderType:
		return policy.Text(o.Type.String())
	case policy.OrderPrice:
		if o.Type != hub.Market {
			return policy.Number(o.Price)
		}
		return price(o.Worst, "a market order has no price, and the market has none yet")
	case policy.OrderQuantity:
		return policy.Number(o.Qty)
	case policy.OrderValue:
		return s.orderValue()
	case policy.OrderReduces:
		return policy.Truth(s.reduces(s.trader))
	case policy.OrderGroup:
		return policy.Text(s.lane.of(policy.ScopeGroup, policy.All).ID.Owner)
	case policy.OrderReference:
		return policy.Text(o.Reference)
	}
	return policy.Missing("it is not known to this hub")
}

// orderValue is computed once: several variables are made of it.
func (s *source) orderValue() policy.Value {
	if !s.valued {
		s.value, s.valued = s.valueOrder(), true
	}
	return s.value
}

func (s *source) valueOrder() policy.Value {
	if s.order.Worst.IsZero() {
		return policy.Missing("no market in " + s.contract.Instrument.String() + " yet")
	}
	return number(func(sum *hub.Sum) hub.Decimal { return money(sum, s.order.Worst, s.order.Qty, s.contract.unit) })
}

// number computes a number; what cannot be computed is missing. It is so short that the compiler puts it, and what it calls, in its caller's place: a Sum then costs no memory,
// which TestRehearsal sees to.
func number(f func(sum *hub.Sum) hub.Decimal) policy.Value {
	var sum hub.Sum
	d := f(&sum)
	if sum.Err() != nil {
		return uncountable
	}
	return policy.Number(d)
}

var uncountable = policy.Missing(hub.ErrOverflow.Error())

// price is a number that is missing when it is 0.
func price(d hub.Decimal, why string) policy.Value {
	if d.IsZero() {
		return policy.Missing(why)
	}
	return policy.Number(d)
}

// reduces: the order makes the position of a book smaller and cannot turn it over.
func (s *source) reduces(b *book) bool {
	if !s.contract.NetPosition {
		return s.order.Offset.Closes()
	}
	var sum hub.Sum
	p := b.peek(s.contract.key)
	against, working := p.Long.qty(&sum), p.WorkingSell
	if s.order.Direction == hub.Long {
		against, working = p.Short.qty(&sum), p.WorkingBuy
	}
	return sum.Add(working, s.left()).Cmp(against) <= 0 && sum.Err() == nil
}

func (s *source) ofContract(ref *policy.Ref) policy.Value {
	k, v := s.contract, ref.Var
	//exhaustive:ignore
	switch v {
	case policy.ContractSymbol:
		return policy.Text(k.Symbol)
	case policy.ContractExchange:
		return policy.Text(k.Exchange)
	case policy.ContractProduct:
		return policy.Text(k.Product)
	case policy.ContractKind:
		return policy.Text(k.Kind.String())
	case policy.ContractTick:
		return price(k.Tick, "the gateway names no tick")
	case policy.ContractSize:
		return policy.Number(k.Size)
	case policy.ContractMinQuantity:
		return policy.Number(k.MinQty)
	case policy.ContractMaxQuantity:
		return price(k.MaxQty, "the venue names none")
	case policy.ContractRate, policy.ContractRateAge:
		return s.ofRate(v, "")
	case policy.ContractCurrency:
		return policy.Text(k.currency(s.core))
	case policy.ContractMarginRate:
		rate := k.MarginLong
		if s.order.Direction == hub.Short {
			rate = k.MarginShort
		}
		return price(rate, "the contract has no margin")
	case policy.ContractDaysToExpiry, policy.ContractMonthsToDelivery:
		return s.expiry(v)
	}
	return policy.Missing("it is not known to this hub")
}

func (s *source) ofMarket(v policy.Var) policy.Value {
	m := s.market
	if m.Seen == 0 {
		return policy.Missing("no tick of " + s.contract.Instrument.String() + " yet")
	}
	const none = "the venue does not say it"
	//exhaustive:ignore
	switch v {
	case policy.MarketLast:
		return price(m.Last, none)
	case policy.MarketBid:
		return price(m.Bid, "nobody bids")
	case policy.MarketAsk:
		return price(m.Ask, "nobody asks")
	case policy.MarketMid, policy.MarketSpread:
		if m.Bid.IsZero() || m.Ask.IsZero() {
			return policy.Missing("one side of the market is empty")
		}
		if v == policy.MarketSpread {
			return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(m.Ask, m.Bid) })
		}
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Quo(sum.Add(m.Ask, m.Bid), hub.Int(2)) })
	case policy.MarketPreviousClose:
		return price(m.PreClose, none)
	case policy.MarketLimitUp:
		return price(m.LimitUp, none)
	case policy.MarketLimitDown:
		return price(m.LimitDown, none)
	case policy.MarketVolume:
		return policy.Number(m.Volume)
	case policy.MarketOpenInterest:
		return policy.Number(m.OpenInt)
	case policy.MarketAge:
		age := max(0, s.core.now.Sub(m.Seen))
		return number(func(sum *hub.Sum) hub.Decimal {
			return sum.Quo(hub.Int(int64(age/time.Microsecond)), hub.Int(1_000_000))
		})
	}
	return policy.Missing("it is not known to this hub")
}

// ofOwner answers for a trader, the fund, an account or a group.
func (s *source) ofOwner(ref *policy.Ref) policy.Value {
	if ref.Name != "" {
		return s.ofRate(ref.Var, ref.Name)
	}
	x := s.lane.of(ref.Scope, ref.Narrow)
	if t, counts := tallyOf(ref.Var); counts {
		return s.core.inWindow(x, t, ref.Window)
	}
	b := s.book(ref.Scope)
	//exhaustive:ignore
	switch ref.Var {
	case policy.LargeCancels:
		n, ok := x.Day.atLeast(ref.Least)
		if !ok {
			return policy.Missing("cancels were of too many different quantities today")
		}
		return policy.Count(n)
	case policy.RejectsInARow:
		return policy.Count(x.Streak)
	case policy.ActiveOrders, policy.InDoubt, policy.WorkingValue, policy.GrossValue, policy.GrossAfter:
		if ref.Narrow == policy.All && b != nil {
			return s.ofBookHeld(ref, b)
		}
		return s.ofHeld(ref, &x.held)
	}
	if ref.Narrow != policy.All {
		return s.ofPosition(&x.held.lots, ref.Var)
	}
	if b == nil {
		return policy.Missing("it is not known to this hub")
	}
	return s.ofBook(b, ref)
}

// book is that of a trader or the fund; nil of an account or a group, which have none.
func (s *source) book(scope policy.Scope) *book {
	//exhaustive:ignore
	switch scope {
	case policy.ScopeTrader:
		return s.trader
	case policy.ScopeFund:
		return s.core.fund
	}
	return nil
}

// ofBookHeld answers what ofHeld does of all that a trader or the fund holds and works.
func (s *source) ofBookHeld(ref *policy.Ref, b *book) policy.Value {
	//exhaustive:ignore
	switch ref.Var {
	case policy.ActiveOrders:
		return policy.Count(b.Active)
	case policy.InDoubt:
		return policy.Count(b.InDoubt)
	case policy.WorkingValue:
		return policy.Number(b.WorkingValue)
	}
	return s.gross(ref, b.Gross, b.OpeningValue)
}

func (s *source) ofHeld(ref *policy.Ref, h *held) policy.Value {
	//exhaustive:ignore
	switch ref.Var {
	case policy.ActiveOrders:
		return policy.Count(h.active)
	case policy.InDoubt:
		return policy.Count(h.inDoubt)
	case policy.WorkingValue:
		return h.workingValue.value()
	}
	return s.gross(ref, h.gross.number(), h.openingValue.number())
}

// gross is the gross value of what is held and what opens, and, as GrossAfter, of the order too.
func (s *source) gross(ref *policy.Ref, held, opening hub.Decimal) policy.Value {
	if ref.Var != policy.GrossAfter {
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(held, opening) })
	}
	b := s.book(ref.Scope)
	if b == nil {
		b = s.core.fund // an account is the fund's at one gateway
	}
	if s.order.Offset.Closes() || s.reduces(b) {
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(held, opening) })
	}
	value := s.leftValue()
	if value.Kind == policy.KindMissing {
		return value
	}
	return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(sum.Add(held, opening), value.Number) })
}

// ofBook answers for a trader or the fund what only those have.
func (s *source) ofBook(b *book, ref *policy.Ref) policy.Value {
	//exhaustive:ignore
	switch ref.Var {
	case policy.Duplicates:
		return counted(b.Repeats.count(s.core.now, ref.Window, likenessOf(s.order)))
	case policy.Capital, policy.Equity, policy.Available, policy.MarginHeld, policy.Realised, policy.Unrealised, policy.Commission, policy.DayPnL:
		return s.ofMoney(b, ref.Var)
	case policy.MarginRatio, policy.OldestMarkAge, policy.GatewayDown, policy.BreaksToday:
		return s.ofWatch(b, ref.Var)
	}
	return policy.Missing("it is not known to this hub")
}

func counted(n int, ok bool) policy.Value {
	if !ok {
		return policy.Missing("there are more in the window than the hub remembers")
	}
	return policy.Count(n)
}

// ofPosition answers of what is held and worked in a contract or a product, at all gateways of the owner together: a limit must not be had twice by naming another gateway.
func (s *source) ofPosition(p *lots, v policy.Var) policy.Value {
	//exhaustive:ignore
	switch v {
	case policy.PositionLong:
		return number(func(sum *hub.Sum) hub.Decimal { return p.long.all(sum) })
	case policy.PositionShort:
		return number(func(sum *hub.Sum) hub.Decimal { return p.short.all(sum) })
	case policy.PositionNet:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(p.long.all(sum), p.short.all(sum)) })
	case policy.PositionLongToday:
		return policy.Number(p.long.today)
	case policy.PositionShortToday:
		return policy.Number(p.short.today)
	case policy.PositionLongYesterday:
		return policy.Number(p.long.yesterday)
	case policy.PositionShortYesterday:
		return policy.Number(p.short.yesterday)
	case policy.WorkingBuy:
		return policy.Number(p.workingBuy)
	case policy.WorkingSell:
		return policy.Number(p.workingSell)
	case policy.WorkingOpenLong:
		return policy.Number(p.openingBuy)
	case policy.WorkingOpenShort:
		return policy.Number(p.openingSell)
	case policy.WorkingCloseLong:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(p.workingSell, p.openingSell) })
	case policy.WorkingCloseShort:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(p.workingBuy, p.openingBuy) })
	case policy.LongAfter:
		return number(func(sum *hub.Sum) hub.Decimal { return s.after(sum, p, hub.Long) })
	case policy.ShortAfter:
		return number(func(sum *hub.Sum) hub.Decimal { return s.after(sum, p, hub.Short) })
	case policy.NetAfter:
		return number(func(sum *hub.Sum) hub.Decimal { return s.netAfter(sum, p) })
	}
	return policy.Missing("it is not known to this hub")
}

// position is what a book holds and works in the order's instrument, at all gateways together: a limit must not be had twice by naming another gateway.
func (s *source) position(b *book) (position, error) {
	p := b.peek(s.contract.key)
	if len(s.core.gateways) < 2 {
		return p, nil
	}
	var sum hub.Sum
	for _, q := range b.Positions {
		if q.Key.Instrument != s.contract.Instrument || q.Key == s.contract.key {
			continue
		}
		for _, x := range []struct {
			to   *hub.Decimal
			more hub.Decimal
		}{
			{&p.Long.Today, q.Long.Today},
			{&p.Long.Yesterday, q.Long.Yesterday},
			{&p.Short.Today, q.Short.Today},
			{&p.Short.Yesterday, q.Short.Yesterday},
			{&p.WorkingBuy, q.WorkingBuy},
			{&p.WorkingSell, q.WorkingSell},
			{&p.OpeningBuy, q.OpeningBuy},
			{&p.OpeningSell, q.OpeningSell},
			{&p.Long.Cost, q.Long.Cost},
			{&p.Short.Cost, q.Short.Cost},
			{&p.Unrealised, q.Unrealised},
		} {
			*x.to = sum.Add(*x.to, x.more)
		}
	}
	return p, sum.Err()
}

// after is the largest position in a direction that the working orders and this one can make.
func (s *source) after(sum *hub.Sum, p *lots, d hub.Direction) hub.Decimal {
	opening := p.openingBuy
	if d == hub.Short {
		opening = p.openingSell
	}
	if s.order.Direction == d && !s.order.Offset.Closes() {
		opening = sum.Add(opening, s.left())
	}
	held := p.side(d).all(sum)
	if s.contract.NetPosition { // what is held the other way is used up first
		held = sum.Sub(held, p.side(opposite(d)).all(sum))
		return sum.Add(held, opening).Max(hub.Decimal{})
	}
	return sum.Add(held, opening)
}

// netAfter is the largest |net| that this order's side can make: all working orders of its direction and itself filled, none of the other direction.
func (s *source) netAfter(sum *hub.Sum, p *lots) hub.Decimal {
	net := sum.Sub(p.long.all(sum), p.short.all(sum))
	if s.order.Direction == hub.Long {
		return sum.Add(net, sum.Add(p.workingBuy, s.left())).Abs()
	}
	return sum.Sub(net, sum.Add(p.workingSell, s.left())).Abs()
}

func (s *source) ofMoney(b *book, v policy.Var) policy.Value {
	//exhaustive:ignore
	switch v {
	case policy.Capital:
		return policy.Number(b.Capital)
	case policy.Equity:
		return number(func(sum *hub.Sum) hub.Decimal { return b.equity(sum) })
	case policy.Available:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(b.equity(sum), b.held(sum)) })
	case policy.MarginHeld:
		return number(func(sum *hub.Sum) hub.Decimal { return b.held(sum) })
	case policy.Realised:
		return policy.Number(b.Realised)
	case policy.Unrealised:
		return policy.Number(b.Unrealised)
	case policy.Commission:
		return policy.Number(b.Commission)
	case policy.DayPnL:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(b.profit(sum), b.DayStart) })
	}
	return policy.Missing("it is not known to this hub")
}

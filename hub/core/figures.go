package core

import (
	"tradehub/hub"
	"tradehub/hub/policy"
)

// The figures of this file are of money that comes and goes: peaks, drawdowns, losses in a row, and what an order would leave.

// crest raises the peaks to the present profit. It is called after every fill, and once after the marks of one entry.
func (b *book) crest(sum *hub.Sum) {
	profit := b.profit(sum)
	if b.Peak.Less(profit) {
		b.Peak = profit
	}
	if b.PeakDay.Less(profit) {
		b.PeakDay = profit
	}
}

// beginDay notes where the money stands when a trading day begins.
func (b *book) beginDay(sum *hub.Sum) {
	b.DayStart = b.profit(sum)
	b.PeakDay = b.DayStart
	b.RealisedStart, b.CommissionStart = b.Realised, b.Commission
}

// earn adds what a fill realised to its order.
func (o *order) earn(sum *hub.Sum, r fillResult) {
	o.Closed = o.Closed || r.closed.IsPos()
	o.Gain = sum.Add(o.Gain, sum.Sub(r.realised, r.commission))
}

// ended counts an order that has just ended, if it closed something: a loss is one more in a row, a gain ends the row, and nothing either way leaves it.
func (b *book) ended(o *order) {
	switch {
	case !o.Closed:
	case o.Gain.IsNeg():
		b.Losses++
	case o.Gain.IsPos():
		b.Losses = 0
	}
}

// Figures are a trader's, or the fund's, money in more words than an Account has.
type Figures struct {
	Equity          hub.Decimal
	EquityStart     hub.Decimal // when the trading day began, with the capital of now
	DayPnL          hub.Decimal
	DayRealised     hub.Decimal // before commission
	DayCommission   hub.Decimal
	Peak            hub.Decimal // highest equity since the beginning
	PeakDay         hub.Decimal // since the trading day began
	Drawdown        hub.Decimal // Peak - Equity
	DrawdownDay     hub.Decimal // PeakDay - Equity
	Losses          int         // orders that closed something and ended with a loss, one after another
	Moved           hub.Decimal // of the capital, what transfers have brought
	MarginPositions hub.Decimal // of what is frozen, what positions hold
}

// Figures returns a trader's figures ("" for the fund's).
func (c *Core) Figures(trader hub.TraderName) (Figures, bool) {
	b := c.bookOf(trader)
	if b == nil {
		return Figures{}, false
	}
	return b.figures(), true
}

func (b *book) figures() Figures {
	var sum hub.Sum
	return Figures{
		Equity: b.equity(&sum), EquityStart: sum.Add(b.Capital, b.DayStart), DayPnL: sum.Sub(b.profit(&sum), b.DayStart),
		DayRealised: sum.Sub(b.Realised, b.RealisedStart), DayCommission: sum.Sub(b.Commission, b.CommissionStart),
		Peak: sum.Add(b.Capital, b.Peak), PeakDay: sum.Add(b.Capital, b.PeakDay), Drawdown: b.below(&sum, b.Peak), DrawdownDay: b.below(&sum, b.PeakDay),
		Losses: b.Losses, Moved: b.Moved, MarginPositions: b.Margin,
	}
}

// ofFigures answers the variables of policy's file books.go.
func (s *source) ofFigures(ref *policy.Ref) policy.Value {
	//exhaustive:ignore
	switch ref.Scope {
	case policy.ScopeOrder:
		return s.ofOrderMoney(ref.Var)
	case policy.ScopeTrader:
		return s.ofBookFigures(s.trader, ref.Var)
	case policy.ScopeFund:
		return s.ofBookFigures(s.core.fund, ref.Var)
	}
	return policy.Missing("it is not known to this hub")
}

func (s *source) ofOrderMoney(v policy.Var) policy.Value {
	if v == policy.OrderMargin && s.order.Offset.Closes() {
		return policy.Number(hub.Decimal{})
	}
	if value := s.orderValue(); value.Kind == policy.KindMissing {
		return value
	}
	//exhaustive:ignore
	switch v {
	case policy.OrderMargin:
		return number(func(sum *hub.Sum) hub.Decimal { return s.margin(sum) })
	case policy.OrderFee:
		return number(func(sum *hub.Sum) hub.Decimal { return s.fee(sum) })
	}
	return policy.Missing("it is not known to this hub")
}

// margin is what the order would hold, as holdOf holds it.
func (s *source) margin(sum *hub.Sum) hub.Decimal {
	o, k := s.order, s.contract
	if o.Offset.Closes() || k.NetPosition && k.paidInFull() && o.Direction == hub.Short {
		return hub.Decimal{}
	}
	if s.amended != nil {
		return s.amended.hold.margin
	}
	return k.margin(sum, o.Direction, money(sum, o.Worst, o.Qty, k.unit))
}

// fee is the most that the order can cost at the price at which it is valued: whether a fill closes today's or yesterday's is known when it comes.
func (s *source) fee(sum *hub.Sum) hub.Decimal {
	o, k, f := s.order, s.contract, s.contract.Fees
	worst, qty := s.worst(), s.left()
	opening := charge(sum, k, f.OpenByValue, f.OpenPerUnit, worst, qty)
	if !k.NetPosition && !o.Offset.Closes() {
		return opening
	}
	closing := charge(sum, k, f.CloseByValue, f.ClosePerUnit, worst, qty).Max(charge(sum, k, f.CloseTodayByValue, f.CloseTodayPerUnit, worst, qty))
	switch {
	case !k.NetPosition, k.paidInFull() && o.Direction == hub.Short:
		return closing
	case k.paidInFull():
		return opening
	}
	return opening.Max(closing)
}

func (s *source) ofBookFigures(b *book, v policy.Var) policy.Value {
	//exhaustive:ignore
	switch v {
	case policy.LongCost, policy.ShortCost, policy.LongPrice, policy.ShortPrice, policy.PositionPnL:
		return s.ofCost(b, v)
	case policy.Closable:
		return number(func(sum *hub.Sum) hub.Decimal {
			p := b.peek(s.contract.key)
			have, _, _ := p.free(sum, s.contract, s.order.Direction, s.order.Offset)
			return have
		})
	case policy.Sellable:
		return number(func(sum *hub.Sum) hub.Decimal { return s.sellable(sum, b) })
	case policy.MarginPositions:
		return policy.Number(b.Margin)
	case policy.MarginAfter:
		if m := s.ofOrderMoney(policy.OrderMargin); m.Kind == policy.KindMissing {
			return m
		}
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(b.held(sum), s.margin(sum)) })
	case policy.AvailableAfter:
		if value := s.orderValue(); value.Kind == policy.KindMissing {
			return value
		}
		return number(func(sum *hub.Sum) hub.Decimal {
			return sum.Sub(b.available(sum), sum.Add(s.margin(sum), s.fee(sum)))
		})
	case policy.Cash:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(b.Capital, b.CashMoved) })
	case policy.ConsecutiveLosses:
		return policy.Count(b.Losses)
	}
	return b.ofPeaks(v)
}

// sellable is how much of what a book holds long can be sold now.
func (s *source) sellable(sum *hub.Sum, b *book) hub.Decimal {
	p, k := b.peek(s.contract.key), s.contract
	if k.NetPosition {
		held := p.Long.qty(sum)
		if k.SellNextDay {
			held = p.Long.Yesterday
		}
		return sum.Sub(held, p.WorkingSell).Max(hub.Decimal{})
	}
	return sum.Sub(p.Long.qty(sum), p.Long.frozen(sum))
}

func (b *book) available(sum *hub.Sum) hub.Decimal { return sum.Sub(b.equity(sum), b.held(sum)) }

func (s *source) ofCost(b *book, v policy.Var) policy.Value {
	p, err := s.position(b)
	if err != nil {
		return policy.Missing(err.Error())
	}
	average := func(d hub.Direction) policy.Value {
		side := p.side(d)
		var sum hub.Sum
		held := side.qty(&sum)
		if !held.IsPos() {
			return policy.Missing("nothing is held " + d.String())
		}
		return number(func(sum *hub.Sum) hub.Decimal {
			return sum.Quo(side.Cost, sum.Mul(held, s.contract.unit)).Round(moneyScale).Trim(0)
		})
	}
	//exhaustive:ignore
	switch v {
	case policy.LongCost:
		return policy.Number(p.Long.Cost)
	case policy.ShortCost:
		return policy.Number(p.Short.Cost)
	case policy.LongPrice:
		return average(hub.Long)
	case policy.ShortPrice:
		return average(hub.Short)
	case policy.PositionPnL:
		return policy.Number(p.Unrealised)
	}
	return policy.Missing("it is not known to this hub")
}

func (b *book) ofPeaks(v policy.Var) policy.Value {
	//exhaustive:ignore
	switch v {
	case policy.EquityStart:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(b.Capital, b.DayStart) })
	case policy.Peak:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(b.Capital, b.Peak) })
	case policy.PeakDay:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(b.Capital, b.PeakDay) })
	case policy.Drawdown:
		return number(func(sum *hub.Sum) hub.Decimal { return b.below(sum, b.Peak) })
	case policy.DrawdownDay:
		return number(func(sum *hub.Sum) hub.Decimal { return b.below(sum, b.PeakDay) })
	case policy.DrawdownPart:
		var sum hub.Sum
		if peak := sum.Add(b.Capital, b.Peak); !peak.IsPos() {
			return policy.Missing("the peak is not over 0")
		}
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Quo(b.below(sum, b.Peak), sum.Add(b.Capital, b.Peak)) })
	case policy.RealisedDay:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(b.Realised, b.RealisedStart) })
	case policy.CommissionDay:
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Sub(b.Commission, b.CommissionStart) })
	}
	return policy.Missing("it is not known to this hub")
}

// below is how far the profit is below a peak; never negative.
func (b *book) below(sum *hub.Sum, peak hub.Decimal) hub.Decimal {
	return sum.Sub(peak, b.profit(sum)).Max(hub.Decimal{})
}

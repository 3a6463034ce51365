package core

import (
	"errors"
	"fmt"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// ofDesk answers the variables of policy's file desk.go.
func (s *source) ofDesk(ref *policy.Ref) policy.Value {
	//exhaustive:ignore
	switch ref.Var {
	case policy.OrderBasePrice:
		return s.basePrice()
	case policy.NetValue, policy.NetValueAfter:
		return s.ofTilt(ref)
	case policy.StateName:
		return s.ofState(ref.Scope)
	}
	return s.ofGateway(ref.Var)
}

// basePrice is what price cages are measured from.
func (s *source) basePrice() policy.Value {
	m := &s.market
	if m.Seen == 0 {
		return policy.Missing("no tick of " + s.contract.Instrument.String() + " yet")
	}
	first, second := m.Ask, m.Bid
	if s.order.Direction == hub.Short {
		first, second = second, first
	}
	for _, p := range [...]hub.Decimal{first, second, m.Last, m.PreClose} {
		if !p.IsZero() {
			return policy.Number(p)
		}
	}
	return policy.Missing("the venue says none of ask, bid, last and previous close")
}

func (s *source) ofState(scope policy.Scope) policy.Value {
	if scope != policy.ScopeGateway {
		return policy.Text(s.book(scope).state.String())
	}
	g := s.core.gateway(s.contract.Gateway)
	if g == nil {
		return policy.Missing("the gateway is not configured")
	}
	return policy.Text(g.state.String())
}

func (s *source) ofGateway(v policy.Var) policy.Value {
	c := s.core
	g := c.gateway(s.contract.Gateway)
	if g == nil {
		return policy.Missing("the gateway is not configured")
	}
	//exhaustive:ignore
	switch v {
	case policy.GatewayUp:
		return policy.Truth(g.Up)
	case policy.GatewayStatementAge:
		if g.Stated == 0 {
			return policy.Missing("no statement of gateway " + string(g.Name) + " yet")
		}
		return number(func(sum *hub.Sum) hub.Decimal {
			return sum.Quo(hub.Int(int64(max(0, c.now.Sub(g.Stated))/time.Microsecond)), hub.Int(1_000_000))
		})
	case policy.GatewayUnassigned:
		p := c.unassigned.peek(s.contract.key)
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Add(p.Long.qty(sum).Abs(), p.Short.qty(sum).Abs()) })
	}
	return policy.Missing("it is not known to this hub")
}

// tilt is which way what is held and worked leans, in money: a function of positions and orders, in no image. It is never further from 0 than the gross values, which are bounded.
type tilt struct {
	net         amount // of positions: long less short
	buys, sells amount // of active orders
}

// hold adds (or, with sign -1, takes away) what an active order counts for.
func (t *tilt) hold(d hub.Direction, of hold, sign int) {
	side := &t.buys
	if d == hub.Short {
		side = &t.sells
	}
	value, _ := moneyOf(of.value)
	if sign < 0 {
		*side = side.minus(value)
		return
	}
	*side = side.plus(value)
}

// move takes a position's net value in that was another.
func (t *tilt) move(was, is hub.Decimal) {
	if was == is {
		return
	}
	old, _ := moneyOf(was)
	now, _ := moneyOf(is)
	t.net = t.net.minus(old).plus(now)
}

// net is what a position is worth at the mark, or at cost where there is none; below 0 when more is short than long.
func (p *position) net(sum *hub.Sum, c *contract) hub.Decimal {
	if p.Mark.IsZero() {
		return sum.Sub(p.Long.Cost, p.Short.Cost)
	}
	return money(sum, p.Mark.Abs(), sum.Sub(p.Long.qty(sum), p.Short.qty(sum)), c.unit)
}

// ofTilt answers how far an owner leans, now or with this order.
func (s *source) ofTilt(ref *policy.Ref) policy.Value {
	t := &s.lane.of(ref.Scope, ref.Narrow).held.tilt
	if b := s.book(ref.Scope); b != nil && ref.Narrow == policy.All {
		t = &b.tilt
	}
	if ref.Var == policy.NetValue {
		return t.net.value()
	}
	value := s.leftValue()
	if value.Kind == policy.KindMissing {
		return value
	}
	after := t.net.plus(t.buys)
	if s.order.Direction == hub.Short {
		after = t.net.minus(t.sells)
	}
	return number(func(sum *hub.Sum) hub.Decimal {
		if s.order.Direction == hub.Short {
			return sum.Sub(after.decimal(sum), value.Number).Abs()
		}
		return sum.Add(after.decimal(sum), value.Number).Abs()
	})
}

// checkTilts compares what books kept with what they were found to be.
func checkTilts(books []*book, kept []tilt) error {
	var errs []error
	for i, b := range books {
		if want := b.tilt; kept[i] != want {
			errs = append(errs, fmt.Errorf("book %q leans %+v and should lean %+v", b.Trader, kept[i], want))
		}
		b.tilt = kept[i]
	}
	return errors.Join(errs...)
}

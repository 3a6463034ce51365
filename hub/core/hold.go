package core

import "tradehub/hub"

// hold is what an order that may still trade counts for. It is a function of the order and of its contract alone, so that what is given back is what was taken.
type hold struct {
	qty     hub.Decimal // what may still trade
	opens   bool
	value   hub.Decimal // money
	margin  hub.Decimal // money held for it, 0 for closes
	freezes freeze
}

type freeze uint8

const (
	freezesNothing freeze = iota
	freezesToday
	freezesYesterday
)

// holdOf computes the hold of an order at its present remainder.
func holdOf(sum *hub.Sum, o *order, c *contract) hold {
	if o.Status.Final() || o.Ask != 0 {
		return hold{}
	}
	if o.Ending {
		return holdAt(sum, o, c, o.EndsAt, o.Worst.Max(o.AmendWorst))
	}
	h := holdAt(sum, o, c, o.Qty, o.Worst)
	if o.Amending() {
		h = h.larger(holdAt(sum, o, c, o.Amendment.Qty, o.AmendWorst))
	}
	return h
}

// larger is what an order holds that is, or is to be, one or the other.
func (h hold) larger(other hold) hold {
	h.qty, h.value, h.margin = h.qty.Max(other.qty), h.value.Max(other.value), h.margin.Max(other.margin)
	return h
}

// holdAt is the hold of an order for a quantity in all, valued at a price.
func holdAt(sum *hub.Sum, o *order, c *contract, qty, worst hub.Decimal) hold {
	left := sum.Sub(qty, o.Filled)
	if left.IsNeg() {
		left = hub.Decimal{}
	}
	h := hold{qty: left, opens: !o.Offset.Closes(), value: money(sum, worst, left, c.unit)}
	if h.opens {
		h.margin = c.margin(sum, o.Direction, h.value)
		if c.NetPosition && c.paidInFull() && o.Direction == hub.Short {
			h.margin = hub.Decimal{} // what is sold is held already: closable says so
		}
		return h
	}
	h.freezes = freezesYesterday
	if c.SplitsToday && o.Offset == hub.CloseToday && !o.Aged {
		h.freezes = freezesToday
	}
	return h
}

// apply adds (or, with sign -1, takes away) a hold.
func (b *book) apply(sum *hub.Sum, p *position, d hub.Direction, h hold, sign int) {
	add, was, now := sum.Add, hold{}, h
	if sign < 0 {
		add, was, now = sum.Sub, h, hold{}
	}
	if d == hub.Long {
		p.WorkingBuy = add(p.WorkingBuy, h.qty)
	} else {
		p.WorkingSell = add(p.WorkingSell, h.qty)
	}
	if h.opens {
		if d == hub.Long {
			p.OpeningBuy = add(p.OpeningBuy, h.qty)
		} else {
			p.OpeningSell = add(p.OpeningSell, h.qty)
		}
		move(sum, &b.OpeningValue, &b.totals.opening, was.value, now.value)
	}
	s := p.side(opposite(d))
	switch h.freezes {
	case freezesToday:
		s.FrozenToday = add(s.FrozenToday, h.qty)
	case freezesYesterday:
		s.FrozenYesterday = add(s.FrozenYesterday, h.qty)
	case freezesNothing:
	}
	b.tilt.hold(d, h, sign)
	move(sum, &b.WorkingValue, &b.totals.working, was.value, now.value)
	move(sum, &b.HeldByOrders, &b.totals.held, was.margin, now.margin)
	if h != (hold{}) {
		for _, x := range p.in {
			x.held.hold(sum, d, h, sign)
		}
	}
}

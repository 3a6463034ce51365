package hubtest

import (
	"math/big"

	"tradehub/hub"
)

// leans answers which way a book leans in money: what is long less what is short, and how far it could be with this order.
func (q *asked) leans(book *account, part, what string) (n *big.Rat, is bool) {
	if what != "net_value" && what != "net_value_after" {
		return nil, false
	}
	net := zero()
	for _, h := range book.holdings {
		if !q.concerns(part, hub.Order{OrderRequest: hub.OrderRequest{Instrument: h.instrument}}) {
			continue
		}
		if h.mark == nil {
			net = add(net, sub(h.long.cost, h.short.cost))
			continue
		}
		net = add(net, book.value(h.instrument, h.mark, sub(h.long.quantity(), h.short.quantity())))
	}
	if what == "net_value" {
		return net, true
	}
	value := q.leftValue()
	if value == nil {
		return nil, true
	}
	for _, o := range book.working() {
		if q.concerns(part, o.Order) && o.Direction == q.order.Direction {
			value = add(value, book.workingValue(o))
		}
	}
	if q.order.Direction == hub.Short {
		value = new(big.Rat).Neg(value)
	}
	return new(big.Rat).Abs(add(net, value)), true
}

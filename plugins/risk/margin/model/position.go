package model

import (
	"cmp"
	"slices"

	"tradehub/hub"
)

type side uint8

const (
	long side = iota
	short
	sides
)

func sideOf(d hub.Direction) side {
	if d == hub.Short {
		return short
	}
	return long
}

func (s side) opposite() side { return sides - 1 - s }

// position is what a trader holds of one contract, what the trader's orders may add, and what both bind.
type position struct {
	trader   *account
	contract *contract
	held     [sides]holding
	// orders that open, by the side that they open. For a contract that nets: every buy, and every sell.
	orders [sides][]*order
	// traded is the last price that was traded at; for a position of which no mark is known.
	traded hub.Decimal

	weight weight
}

type holding struct {
	qty  hub.Decimal
	cost hub.Decimal // money paid or received
}

// order is what may still trade: an order, or a candidate that was passed.
type order struct {
	position *position
	side     side
	opens    bool
	qty      hub.Decimal
	filled   hub.Decimal // as the hub says
	seen     hub.Decimal // of it, what trades have told; trades alone move what is held
	final    bool
	price    hub.Decimal // 0: none of its own

	// What it was last counted as, for weigh: most changes touch one order of many.
	counted struct {
		qty, price hub.Decimal
		generation uint64 // of the contract
		cost       cost
		why        string
	}
}

func (o *order) cost(qty, price hub.Decimal) (cost, string) {
	c := o.position.contract
	if m := &o.counted; m.qty != qty || m.price != price || m.generation != c.generation {
		m.qty, m.price, m.generation = qty, price, c.generation
		m.cost, m.why = c.costOf(o.side, qty, price)
	}
	return o.counted.cost, o.counted.why
}

// left is what the order counts for: what may still trade, and what was filled by a trade that has not been told yet.
func (o *order) left(sum *hub.Sum) hub.Decimal {
	end := o.qty.Max(o.filled)
	if o.final {
		end = o.filled
	}
	return sum.Sub(end, o.seen).Max(hub.Decimal{}).Trim(0)
}

// weight is what a position adds to the account of its trader, and to the fund's.
type weight struct {
	margin     [sides]hub.Decimal // set off within the group
	beside     hub.Decimal        // margin that is not set off
	paid       hub.Decimal
	unrealised hub.Decimal
	// why the position cannot be valued; then the numbers above are 0.
	why string
}

// price is what the position is valued at; 0 when nothing is known.
func (p *position) price() hub.Decimal {
	if !p.contract.mark.IsZero() {
		return p.contract.mark
	}
	return p.traded
}

// weigh computes the weight.
func (p *position) weigh() weight {
	var w weight
	var sum hub.Sum
	add := func(s side, c cost, why string) {
		switch {
		case why != "":
			w.why = cmp.Or(w.why, why)
		case c.full:
			w.paid = sum.Add(w.paid, c.amount)
		case p.contract.isOption() || p.contract.scope == BothSides || p.contract.scope == "":
			w.beside = sum.Add(w.beside, c.amount)
		default:
			w.margin[s] = sum.Add(w.margin[s], c.amount)
		}
	}
	price := p.price()
	for s := range sides {
		c, why := p.contract.costOf(s, p.held[s].qty, price)
		add(s, c, why)
		if p.contract.NetPosition {
			c, why := p.contract.costOf(s, p.netting(&sum, s), p.dearest(s).Max(price))
			add(s, c, why)
			continue
		}
		for _, o := range p.orders[s] {
			c, why := o.cost(o.left(&sum), o.price.Max(price))
			add(s, c, why)
		}
	}
	if price.IsPos() && p.contract.known && p.contract.why == "" {
		gain := sum.Sub(p.money(&sum, price, p.held[long].qty), p.held[long].cost)
		loss := sum.Sub(p.money(&sum, price, p.held[short].qty), p.held[short].cost)
		w.unrealised = sum.Sub(gain, loss).Floor(amountScale)
	}
	if sum.Err() != nil || tooMuch(w.unrealised) || tooMuch(w.paid) || tooMuch(w.beside) || tooMuch(w.margin[long]) || tooMuch(w.margin[short]) {
		w.why = cmp.Or(w.why, "a number is out of range")
	}
	if w.why != "" {
		return weight{why: w.why}
	}
	return w
}

// netting is what the orders of one side may add to it in a contract that nets: the first of them use up the other side.
func (p *position) netting(sum *hub.Sum, s side) hub.Decimal {
	var total hub.Decimal
	for _, o := range p.orders[s] {
		total = sum.Add(total, o.left(sum))
	}
	return sum.Sub(total, p.held[s.opposite()].qty).Max(hub.Decimal{})
}

// dearest is the highest price among the orders of a side: which of them will be filled first is not known.
func (p *position) dearest(s side) hub.Decimal {
	var price hub.Decimal
	for _, o := range p.orders[s] {
		price = price.Max(o.price)
	}
	return price
}

// moneyScale is the scale in which the hub's core keeps costs; here too, so that both say the same equity.
const moneyScale = 8

func (p *position) money(sum *hub.Sum, price, qty hub.Decimal) hub.Decimal {
	return sum.Mul3(price, qty, p.contract.unit).Round(moneyScale).Trim(0)
}

// fill books a trade as the hub's core does: a close takes its share of the cost and never goes below nothing.
func (p *position) fill(sum *hub.Sum, t hub.Trade) {
	s := sideOf(t.Direction)
	p.traded = t.Price
	open := t.Qty
	switch {
	case p.contract.NetPosition:
		closing := t.Qty.Min(p.held[s.opposite()].qty)
		p.take(sum, s.opposite(), closing)
		open = sum.Sub(t.Qty, closing)
	case t.Offset.Closes():
		p.take(sum, s.opposite(), t.Qty.Min(p.held[s.opposite()].qty))
		return
	}
	h := &p.held[s]
	h.qty, h.cost = sum.Add(h.qty, open).Trim(0), sum.Add(h.cost, p.money(sum, t.Price, open))
}

func (p *position) take(sum *hub.Sum, s side, qty hub.Decimal) {
	h := &p.held[s]
	if !qty.IsPos() {
		return
	}
	if qty.Equal(h.qty) {
		*h = holding{}
		return
	}
	cost := sum.Quo(sum.Mul(h.cost, qty), h.qty).Round(moneyScale).Trim(0)
	h.qty, h.cost = sum.Sub(h.qty, qty).Trim(0), sum.Sub(h.cost, cost)
}

func (p *position) drop(o *order) {
	p.orders[o.side] = slices.DeleteFunc(p.orders[o.side], func(x *order) bool { return x == o })
}

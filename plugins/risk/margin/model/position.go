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
	// tallies are what those orders bind together, unless the contract nets.
	tallies [sides]tally
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
	limit    hub.Decimal // as the hub says; another one: it was amended
	listed   bool        // it is one of its position's orders

	// What its tally has of it.
	tallied cost
	blind   bool

	// What it was last counted as: most changes touch one order of many.
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
		t := p.tally(s, price)
		add(s, cost{amount: t.margin}, p.whyBlind(s))
		add(s, cost{amount: t.full, full: true}, "")
		if t.overflow {
			w.why = cmp.Or(w.why, outOfRange)
		}
	}
	if price.IsPos() && p.contract.known && p.contract.why == "" {
		gain := sum.Sub(p.money(&sum, price, p.held[long].qty), p.held[long].cost)
		loss := sum.Sub(p.money(&sum, price, p.held[short].qty), p.held[short].cost)
		w.unrealised = sum.Sub(gain, loss).Floor(amountScale)
	}
	if sum.Err() != nil || tooMuch(w.unrealised) || tooMuch(w.paid) || tooMuch(w.beside) || tooMuch(w.margin[long]) || tooMuch(w.margin[short]) {
		w.why = cmp.Or(w.why, outOfRange)
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

const outOfRange = "a number is out of range"

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

// rescale counts what was paid at another rate, where it is not the money itself that was bought. A position of before any rate was known is taken as bought at its last price.
func (p *position) rescale(before hub.Decimal) {
	for s := range p.held {
		h := &p.held[s]
		var sum hub.Sum
		switch {
		case !before.IsPos():
			h.cost = p.money(&sum, p.traded, h.qty)
		case !p.contract.MarginLong.IsZero():
			h.cost = sum.Quo(sum.Mul(h.cost, p.contract.unit), before).Round(moneyScale).Trim(0)
		}
	}
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

// tally is what the orders of one side bind at a price of the position, kept so that a change of one order costs the same however many there are.
type tally struct {
	counted    bool // the rest is worth something
	price      hub.Decimal
	generation uint64 // of the contract

	margin, full hub.Decimal
	blind        int // orders whose cost cannot be said
	overflow     bool
}

// tally returns the tally of a side. Another price or another contract makes it anew.
func (p *position) tally(s side, price hub.Decimal) *tally {
	t := &p.tallies[s]
	if t.counted && !t.overflow && t.price == price && t.generation == p.contract.generation {
		return t
	}
	*t = tally{counted: true, price: price, generation: p.contract.generation}
	for _, o := range p.orders[s] {
		t.add(o)
	}
	return t
}

func (t *tally) add(o *order) {
	var sum hub.Sum
	c, why := o.cost(o.left(&sum), o.price.Max(t.price))
	if o.tallied, o.blind = c, why != ""; o.blind {
		o.tallied = cost{}
		t.blind++
	}
	t.change(&sum, o.tallied, sum.Add)
}

func (t *tally) remove(o *order) {
	var sum hub.Sum
	if o.blind {
		t.blind--
	}
	t.change(&sum, o.tallied, sum.Sub)
}

// change is exact as long as the sums are in range; when they are not, the tally is made anew.
func (t *tally) change(sum *hub.Sum, c cost, by func(a, b hub.Decimal) hub.Decimal) {
	if c.full {
		t.full = by(t.full, c.amount)
	} else {
		t.margin = by(t.margin, c.amount)
	}
	t.overflow = t.overflow || sum.Err() != nil || tooMuch(t.full) || tooMuch(t.margin)
}

// whyBlind is why the first order of a side that cannot be valued cannot.
func (p *position) whyBlind(s side) string {
	if p.tallies[s].blind == 0 {
		return ""
	}
	for _, o := range p.orders[s] {
		if o.blind {
			return o.counted.why
		}
	}
	return ""
}

// enter makes an order one of the position's.
func (p *position) enter(o *order) {
	o.listed = true
	p.orders[o.side] = append(p.orders[o.side], o)
	if t := &p.tallies[o.side]; t.counted {
		t.add(o)
	}
}

// recount is for after a change of the order.
func (p *position) recount(o *order) {
	if t := &p.tallies[o.side]; t.counted && o.listed {
		t.remove(o)
		t.add(o)
	}
}

// drop takes an order off the position, if it is on it.
func (p *position) drop(o *order) {
	if !o.listed {
		return
	}
	o.listed = false
	if t := &p.tallies[o.side]; t.counted {
		t.remove(o)
	}
	p.orders[o.side] = slices.DeleteFunc(p.orders[o.side], func(x *order) bool { return x == o })
}

package market

import "fmt"

// ID names an order in a Book. Ids of working orders are distinct; who gives them sees to that. IDs from flowIDs up belong to the Flow.
type ID uint64

// flowIDs is the first id of the Flow's orders.
const flowIDs ID = 1 << 63

// OfFlow reports whether an order with this id is the Flow's.
func (id ID) OfFlow() bool { return id >= flowIDs }

// Side is buy or sell.
type Side uint8

// Sides.
const (
	Buy Side = iota
	Sell
)

// Opposite returns the other side.
func (s Side) Opposite() Side { return 1 - s }

// Type is how an order is to be executed.
type Type uint8

// Types. Limit rests with what it could not trade. Market takes what there is, and its rest is cancelled. FAK does so up to its price. FOK trades all of
// its quantity at once up to its price, or nothing. Stop waits until a trade at its price or beyond, then it is a Market order.
const (
	Limit Type = iota
	Market
	FAK
	FOK
	Stop
)

// Order is what a Book takes. Price is not read for a Market order; it is the trigger of a Stop.
type Order struct {
	ID    ID
	Side  Side
	Type  Type
	Price int64
	Qty   int64
}

// EventKind is what happened to an order.
type EventKind uint8

// Kinds of Event.
const (
	// Rested: ID is in the book with Qty left.
	Rested EventKind = iota + 1
	// Filled: ID, which came, traded Qty with Maker, which rested, at the Maker's Price.
	Filled
	// Cancelled: ID is out of the book; Qty was left of it.
	Cancelled
	// Waiting: ID is a stop that waits for its trigger.
	Waiting
	// Triggered: ID was a stop and is a market order now.
	Triggered
)

// Event is one thing that happened, in the order in which it happened.
type Event struct {
	Kind  EventKind
	ID    ID
	Maker ID
	Price int64
	Qty   int64
}

// Level is one price and all that rests at it.
type Level struct {
	Price int64
	Qty   int64
}

// node is an order in the book, in the queue of its level.
type node struct {
	id         ID
	seq        uint64
	left       int64
	side       Side
	stop       bool
	level      *level
	prev, next *node
}

// level is a queue of the orders at one price, the oldest first.
type level struct {
	price      int64
	qty        int64
	head, tail *node
}

// queue is the levels of one side, the best last, so that what changes most often is cheapest to change. ascending tells which end is best:
// bids ascend (the highest is best), asks descend. Few levels are far from the best, so a slice beats a tree until it has tens of thousands of levels.
type queue struct {
	levels    []*level
	ascending bool
}

func (q *queue) best() *level {
	if len(q.levels) == 0 {
		return nil
	}
	return q.levels[len(q.levels)-1]
}

// find returns the index of the level of a price, or where it belongs.
func (q *queue) find(price int64) (int, bool) {
	low, high := 0, len(q.levels)
	for low < high {
		mid := int(uint(low+high) >> 1)
		at := q.levels[mid].price
		switch {
		case at == price:
			return mid, true
		case (at < price) == q.ascending:
			low = mid + 1
		default:
			high = mid
		}
	}
	return low, false
}

// Book is the order book of one contract. The zero Book is not ready: call NewBook. It is not safe for use by several goroutines.
type Book struct {
	bids, asks queue // orders
	buys, sell queue // waiting stops: the lowest trigger of buys and the highest of sells are best
	orders     map[ID]*node
	last       int64
	seq        uint64

	freeNodes  *node
	freeLevels []*level
}

// NewBook returns an empty book whose last price is last; stops are triggered by trades and by nothing else, but a stop that comes is compared with last.
func NewBook(last int64) *Book {
	return &Book{
		bids: queue{ascending: true}, asks: queue{}, buys: queue{}, sell: queue{ascending: true},
		orders: map[ID]*node{}, last: last,
	}
}

// Last is the price of the last trade.
func (b *Book) Last() int64 { return b.last }

// Len is how many orders rest and how many stops wait.
func (b *Book) Len() int { return len(b.orders) }

// Best returns the best level of a side; ok is false when the side is empty.
func (b *Book) Best(side Side) (Level, bool) {
	if l := b.queue(side).best(); l != nil {
		return Level{l.price, l.qty}, true
	}
	return Level{}, false
}

// Depth fills levels with the best of a side, best first, and returns how many there are.
func (b *Book) Depth(side Side, levels []Level) int {
	q := b.queue(side).levels
	n := min(len(levels), len(q))
	for i := range n {
		l := q[len(q)-1-i]
		levels[i] = Level{l.price, l.qty}
	}
	return n
}

// Left returns what is left of a working order; 0 when there is none of this id.
func (b *Book) Left(id ID) int64 {
	if n := b.orders[id]; n != nil {
		return n.left
	}
	return 0
}

// At returns what rests at a price.
func (b *Book) At(side Side, price int64) int64 {
	q := b.queue(side)
	if i, ok := q.find(price); ok {
		return q.levels[i].qty
	}
	return 0
}

func (b *Book) queue(side Side) *queue {
	if side == Buy {
		return &b.bids
	}
	return &b.asks
}

func (b *Book) stops(side Side) *queue {
	if side == Buy {
		return &b.buys
	}
	return &b.sell
}

// Submit takes an order, appends what happened to events and returns them. The first event of a Stop is Waiting or Triggered; an order that neither rests
// nor waits at the end is Filled or Cancelled. An id that is working, or a quantity or price that is not positive, is a caller's bug and panics.
func (b *Book) Submit(o Order, events []Event) []Event {
	if o.Qty <= 0 || (o.Price <= 0 && o.Type != Market) {
		panic(fmt.Sprintf("market: order %d of %d at %d", o.ID, o.Qty, o.Price))
	}
	if _, twice := b.orders[o.ID]; twice {
		panic(fmt.Sprintf("market: order %d is working already", o.ID))
	}
	if o.Type == Stop {
		if !triggered(o.Side, o.Price, b.last) {
			b.insert(b.stops(o.Side), o, true)
			return append(events, Event{Kind: Waiting, ID: o.ID, Price: o.Price, Qty: o.Qty})
		}
		events = append(events, Event{Kind: Triggered, ID: o.ID, Price: o.Price, Qty: o.Qty})
		o.Type = Market
	}
	return b.trigger(b.match(o, events))
}

// Cancel takes an order out of the book; ok is false when it is not working.
func (b *Book) Cancel(id ID, events []Event) (_ []Event, ok bool) {
	n := b.orders[id]
	if n == nil {
		return events, false
	}
	events = append(events, Event{Kind: Cancelled, ID: id, Qty: n.left})
	b.remove(n)
	return events, true
}

// Amend makes a resting order one of qty left at price. A smaller quantity at its own price keeps its place in the queue; anything else puts it behind all others at its price, after it has traded with
// the other side as far as the price goes. An order that does not rest, or a quantity or price that is not positive, is a caller's bug and panics.
func (b *Book) Amend(id ID, price, qty int64, events []Event) []Event {
	n := b.orders[id]
	if n == nil || n.stop || qty <= 0 || price <= 0 {
		panic(fmt.Sprintf("market: order %d is amended to %d at %d", id, qty, price))
	}
	if price == n.level.price && qty <= n.left {
		n.level.qty -= n.left - qty
		n.left = qty
		return events
	}
	o := Order{ID: id, Side: n.side, Type: Limit, Price: price, Qty: qty}
	b.remove(n)
	return b.trigger(b.match(o, events))
}

// triggered reports whether a trade at last sets off a stop.
func triggered(side Side, price, last int64) bool {
	if last <= 0 {
		return false
	}
	if side == Buy {
		return last >= price
	}
	return last <= price
}

// trigger turns stops that the last price has reached into market orders, the oldest of the two sides' next ones first, until none is left.
func (b *Book) trigger(events []Event) []Event {
	for {
		n := b.nextStop()
		if n == nil {
			return events
		}
		o := Order{ID: n.id, Side: n.side, Type: Market, Qty: n.left}
		events = append(events, Event{Kind: Triggered, ID: n.id, Price: n.level.price, Qty: n.left})
		b.remove(n)
		events = b.match(o, events)
	}
}

func (b *Book) nextStop() *node {
	var next *node
	for _, side := range [...]Side{Buy, Sell} {
		l := b.stops(side).best()
		if l != nil && triggered(side, l.price, b.last) && (next == nil || l.head.seq < next.seq) {
			next = l.head
		}
	}
	return next
}

// match trades an order with the other side as far as it goes, and puts its rest where its type says.
func (b *Book) match(o Order, events []Event) []Event {
	other := b.queue(o.Side.Opposite())
	if o.Type == FOK && !b.enough(other, o) {
		return append(events, Event{Kind: Cancelled, ID: o.ID, Qty: o.Qty})
	}
	left := o.Qty
	for left > 0 {
		l := other.best()
		if l == nil || !reaches(o, l.price) {
			break
		}
		for left > 0 && l.head != nil {
			maker := l.head
			qty := min(left, maker.left)
			left -= qty
			maker.left -= qty
			l.qty -= qty
			b.last = l.price
			events = append(events, Event{Kind: Filled, ID: o.ID, Maker: maker.id, Price: l.price, Qty: qty})
			if maker.left == 0 {
				b.unlink(maker)
			}
		}
		if l.head == nil {
			b.dropBest(other)
		}
	}
	if left == 0 {
		return events
	}
	if o.Type != Limit {
		return append(events, Event{Kind: Cancelled, ID: o.ID, Qty: left})
	}
	o.Qty = left
	b.insert(b.queue(o.Side), o, false)
	return append(events, Event{Kind: Rested, ID: o.ID, Price: o.Price, Qty: left})
}

// reaches reports whether an order may trade at a price.
func reaches(o Order, price int64) bool {
	if o.Type == Market {
		return true
	}
	if o.Side == Buy {
		return price <= o.Price
	}
	return price >= o.Price
}

// enough reports whether the whole of an order could trade now.
func (b *Book) enough(other *queue, o Order) bool {
	left := o.Qty
	for i := len(other.levels) - 1; i >= 0 && reaches(o, other.levels[i].price); i-- {
		if left -= other.levels[i].qty; left <= 0 {
			return true
		}
	}
	return false
}

func (b *Book) insert(q *queue, o Order, stop bool) {
	i, there := q.find(o.Price)
	if !there {
		q.levels = append(q.levels, nil)
		copy(q.levels[i+1:], q.levels[i:])
		q.levels[i] = b.newLevel(o.Price)
	}
	l := q.levels[i]
	n := b.newNode()
	b.seq++
	*n = node{id: o.ID, seq: b.seq, left: o.Qty, side: o.Side, stop: stop, level: l, prev: l.tail}
	if l.tail == nil {
		l.head = n
	} else {
		l.tail.next = n
	}
	l.tail = n
	l.qty += o.Qty
	b.orders[o.ID] = n
}

// remove takes a node out, and its level when it was the last one there.
func (b *Book) remove(n *node) {
	l, q := n.level, b.queue(n.side)
	if n.stop {
		q = b.stops(n.side)
	}
	l.qty -= n.left
	b.unlink(n)
	if l.head != nil {
		return
	}
	if l == q.best() {
		b.dropBest(q)
		return
	}
	i, _ := q.find(l.price)
	copy(q.levels[i:], q.levels[i+1:])
	q.levels[len(q.levels)-1] = nil
	q.levels = q.levels[:len(q.levels)-1]
	b.freeLevels = append(b.freeLevels, l)
}

// unlink takes a node out of the queue of its level and forgets it; the level's quantity is the caller's.
func (b *Book) unlink(n *node) {
	if n.prev == nil {
		n.level.head = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		n.level.tail = n.prev
	} else {
		n.next.prev = n.prev
	}
	delete(b.orders, n.id)
	*n = node{next: b.freeNodes}
	b.freeNodes = n
}

func (b *Book) dropBest(q *queue) {
	last := len(q.levels) - 1
	b.freeLevels = append(b.freeLevels, q.levels[last])
	q.levels[last] = nil
	q.levels = q.levels[:last]
}

func (b *Book) newLevel(price int64) *level {
	if last := len(b.freeLevels) - 1; last >= 0 {
		l := b.freeLevels[last]
		b.freeLevels[last] = nil
		b.freeLevels = b.freeLevels[:last]
		*l = level{price: price}
		return l
	}
	return &level{price: price}
}

// newNode takes a node from those that are free; they are made in blocks, which the collector walks faster than single ones.
func (b *Book) newNode() *node {
	if b.freeNodes == nil {
		block := make([]node, 64)
		for i := range block[1:] {
			block[i].next = &block[i+1]
		}
		b.freeNodes = &block[0]
	}
	n := b.freeNodes
	b.freeNodes = n.next
	return n
}

package hubtest

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
)

// cancelsItself: what does not trade at once of such an order is cancelled.
func cancelsItself(o hub.Order) bool { return o.Type == hub.FAK || o.Type == hub.FOK }

// orders is what an owner counts as orders: the fund, and the accounts and groups that are parts of it, count what left.
func orders(owner hub.TraderName) []eventKind {
	if owner == "" {
		return []eventKind{orderSent, amendSent}
	}
	return []eventKind{orderAsked, amendAsked}
}

// concerns reports whether an order is in the part that a name is narrowed to: "contract", "product", or "" for everything.
func (q *asked) concerns(part string, o hub.Order) bool {
	switch part {
	case "contract":
		return o.Instrument == q.order.Instrument
	case "product":
		c, here := q.ledger.contracts[o.Instrument], q.ledger.contracts[q.order.Instrument]
		return c.Product == here.Product && c.Exchange == here.Exchange
	}
	return true
}

// inside are the events of an owner, in a part, that are inside a window: after its beginning, which is not inside; or of the trading day, which is the contract's where the name is
// narrowed.
func (q *asked) inside(owner hub.TraderName, part string, window time.Duration, which func(event) bool) []event {
	l := q.ledger
	var out []event
	for _, e := range l.events {
		inside := e.time > l.now.Add(-window)
		switch {
		case window == today && part == "":
			inside = e.rolls == l.rolls(l.setUp.Calendar)
		case window == today:
			inside = e.contractRolls == l.rolls(l.calendarOf(q.order.Exchange))
		}
		if inside && (owner == "" || e.order.Trader == owner) && q.concerns(part, e.order) && which(e) {
			out = append(out, e)
		}
	}
	return out
}

// counted answers the variables that count and add up, and can be narrowed; counts is false for every other.
func (q *asked) counted(owner hub.TraderName, what string, window time.Duration) (n *big.Rat, counts bool) {
	part := ""
	if narrow, rest, ok := strings.Cut(what, "."); ok && (narrow == "contract" || narrow == "product") {
		part, what = narrow, rest
	}
	if which := counters(owner)[what]; which != nil {
		return big.NewRat(int64(len(q.inside(owner, part, window, which))), 1), true
	}
	if of := amounts[what]; of != nil {
		sum := zero()
		for _, e := range q.inside(owner, part, window, func(e event) bool { return e.kind == orderTraded }) {
			sum = add(sum, of(e))
		}
		return sum, true
	}
	return q.now(owner, part, what)
}

// counters say which events a name counts.
func counters(owner hub.TraderName) map[string]func(event) bool {
	kinds := func(kinds ...eventKind) func(event) bool {
		return func(e event) bool { return slices.Contains(kinds, e.kind) }
	}
	return map[string]func(event) bool{
		"orders":          kinds(orders(owner)...),
		"cancels":         func(e event) bool { return (e.kind == cancelAsked || e.kind == amendSent) && !cancelsItself(e.order) },
		"messages":        kinds(append(orders(owner), cancelAsked)...),
		"rejects":         kinds(orderRefused, orderRejected, amendRefused),
		"refused":         kinds(orderRefused, amendRefused),
		"venue_rejects":   kinds(orderRejected),
		"trades":          kinds(orderTraded),
		"fast_cancels":    func(e event) bool { return e.fast && !cancelsItself(e.order) },
		"fak_fok_cancels": kinds(remainderCancelled),
		"crosses":         kinds(crossPrevented),
	}
}

// amounts are what names add up of fills.
var amounts = map[string]func(event) *big.Rat{
	"traded_quantity": func(e event) *big.Rat { return e.quantity },
	"traded_value":    func(e event) *big.Rat { return e.value },
	"opened":          func(e event) *big.Rat { return e.opened },
}

// now answers what is so now.
func (q *asked) now(owner hub.TraderName, part, what string) (n *big.Rat, counts bool) {
	book := q.books[owner]
	active, inDoubt := int64(0), int64(0)
	working, opening := zero(), zero()
	for _, o := range book.working() {
		if !q.concerns(part, o.Order) {
			continue
		}
		active++
		if o.InDoubt {
			inDoubt++
		}
		value := book.workingValue(o)
		working = add(working, value)
		if !o.Offset.Closes() {
			opening = add(opening, value)
		}
	}
	if n, is := q.leans(book, part, what); is {
		return n, true
	}
	switch what {
	case "active_orders":
		return big.NewRat(active, 1), true
	case "in_doubt":
		return big.NewRat(inDoubt, 1), true
	case "working_value":
		return working, true
	case "gross_value", "gross_after":
		gross := add(opening, book.gross(func(i hub.Instrument) bool {
			return q.concerns(part, hub.Order{OrderRequest: hub.OrderRequest{Instrument: i}})
		}))
		if what == "gross_value" || q.order.Offset.Closes() || q.reduces(owner) {
			return gross, true
		}
		value := q.leftValue()
		if value == nil {
			return nil, true
		}
		return add(gross, value), true
	}
	return nil, false
}

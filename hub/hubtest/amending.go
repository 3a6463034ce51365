package hubtest

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Amendments in this world: what is asked for, what the venue makes of it, and what the ledger thinks of it.

// amends asks for another price or quantity of an order that works, sensible or not.
func (w *World) amends(m Move) error {
	orders := slices.DeleteFunc(w.core.Orders("", true), func(o hub.Order) bool {
		return m.B%8 != 0 && (o.Type != hub.Limit || o.Status < hub.Accepted || o.CancelAsked || o.InDoubt || o.Amending())
	})
	if len(orders) == 0 {
		return nil
	}
	o := orders[pick(len(orders), m.A)]
	in := hub.AmendOrder{Trader: o.Trader, OrderID: o.ID, Asked: w.now, Market: w.market(m.C), Verdicts: []hub.Verdict{{Manager: "margin", Pass: true}}}
	if m.B>>4%3 != 0 {
		in.Price = hub.Int(3450 + int64(m.B>>8%100))
	}
	if m.B>>4%3 != 1 {
		var sum hub.Sum
		in.Qty = sum.Mul(hub.Int(1+int64(m.B>>16%8)), o.Qty.Min(hub.Int(1)))
	}
	switch m.C % 40 {
	case 0:
		in.Verdicts = nil
	case 1:
		in.Verdicts[0].Pass = false
	case 2:
		in.Trader = traders[pick(len(traders), m.A>>8)] // perhaps somebody else
	case 3:
		in.Trader = "" // the operator
	}
	w.propose(in, nil)
	for m.C>>8%4 != 0 && len(w.inFlight) > 0 { // before the order ends
		w.commit()
	}
	for m.C>>8%4 == 3 && len(w.todo) > 0 {
		if err := w.dispatch(); err != nil {
			return err
		}
	}
	for m.C>>8%4 == 3 && len(w.toVenue) > 0 {
		if err := w.venueTakes(m.C>>12%8 == 0); err != nil {
			return err
		}
	}
	for m.C>>8%4 == 3 && m.C>>10%2 == 0 && len(w.fromVenue) > 0 {
		w.deliver(0)
	}
	return nil
}

// amended is what is carried out of an amendment that was decided.
func (w *World) amended(o hub.Order) error {
	if o.Amendment.Number != w.changed[o.ID]+1 {
		return fmt.Errorf("sent twice: amendment %d of order %s after %d", o.Amendment.Number, o.ID, w.changed[o.ID])
	}
	w.changed[o.ID]++
	w.say("amend %s to %s at %s", o.ID, o.Amendment.Qty, o.Amendment.Price)
	if w.gone {
		w.propose(unamended(o, "it is not running"), nil)
		return nil
	}
	w.toVenue = append(w.toVenue, toVenue{amend: &o})
	return nil
}

func unamended(o hub.Order, why string) hub.VenueReport {
	return hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportAmendNotSent, Amendment: o.Amendment.Number, Reason: why}
}

// doubts has the venue asked about amendments that it has not answered, also while an older question is under way: its answer says nothing of what was asked for after it.
func (w *World) doubts() { w.propose(hub.DoubtAmendments{Since: w.now.Add(-30 * time.Second)}, nil) }

// flying is the largest quantity that amendments on their way to the venue may give an order.
func (w *World) flying(id hub.OrderID) hub.Decimal {
	var most hub.Decimal
	for _, m := range w.toVenue {
		if m.amend != nil && m.amend.ID == id {
			most = most.Max(m.amend.Amendment.Qty)
		}
	}
	return most
}

// amend is an amendment that arrived at the venue.
func (v *venue) amend(o hub.Order, refuse bool) hub.VenueReport {
	a := v.orders[o.ID]
	in := hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportAmendRejected, Amendment: o.Amendment.Number, Reason: "no"}
	var sum hub.Sum
	if a == nil || a.done != hub.NoStatus || refuse || o.Amendment.Qty.Cmp(sum.Sub(a.Qty, a.left)) <= 0 {
		return in
	}
	a.left = sum.Sub(o.Amendment.Qty, sum.Sub(a.Qty, a.left))
	a.Price, a.Qty = o.Amendment.Price, o.Amendment.Qty
	in.Kind, in.Reason, in.Price, in.Qty = hub.ReportAmended, "", a.Price, a.Qty
	return in
}

// isFor is what an order is for at the venue, in an answer.
func (a *atVenue) isFor(v hub.VenueOrder) hub.VenueOrder {
	if a.Type == hub.Limit {
		v.Price, v.Qty = a.Price, a.Qty
	}
	return v
}

// replaced is the order that a decision is about as it is, when that is to become another.
type replaced struct {
	*recorded
	value *big.Rat // of what may still trade of it
}

// amendment compares what the hub decided about an amendment with what the ledger says.
func (l *ledger) amendment(in hub.AmendOrder, e core.AmendAnswered) error {
	r := l.byID[in.OrderID]
	if e.Err != "" {
		if r != nil && !r.Status.Final() && (in.Trader == "" || in.Trader == r.Trader) {
			return fmt.Errorf("said to be %q, and it works", e.Err)
		}
		l.seen["amend of nothing"]++
		return nil
	}
	q := asked{ledger: l, order: r.Order, market: in.Market}
	if in.Price.IsPos() {
		q.order.Price = in.Price
	}
	if in.Qty.IsPos() {
		q.order.Qty = in.Qty
	}
	q.order.Amendment = hub.Amendment{}
	var want []string
	if l.unamendable(r, q.order, in) {
		want = []string{"amend "}
	} else {
		q.replaced = &replaced{recorded: r}
		all := l.orders
		l.orders = slices.DeleteFunc(slices.Clone(all), func(o *recorded) bool { return o == r }) // it does not count beside itself
		q.books = l.books()
		q.replaced.value = q.books[""].workingValue(r)
		want = q.refusals(in.Verdicts)
		defer func() { l.orders = all }()
	}
	got := allSaid(e.Refusals)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the hub refused for %q, the ledger for %q\n%+v as %+v", got, want, e, q.order)
	}
	if q.replaced != nil {
		if err := q.values(e.Refusals); err != nil {
			return err
		}
	}
	l.note(amendAsked, q.order)
	if len(got) > 0 {
		l.note(amendRefused, q.order)
		for _, refusal := range e.Refusals {
			l.seen["amend "+refusal.Code]++
			if refusal.Code == "internal-cross" {
				l.note(crossPrevented, q.order)
			}
		}
		return nil
	}
	l.seen["amend sent"]++
	l.note(amendSent, q.order)
	r.amendWorst = q.worst
	return nil
}

// unamendable: whatever the rules say, the order cannot become this one.
func (l *ledger) unamendable(r *recorded, as hub.Order, in hub.AmendOrder) bool {
	cut := slices.ContainsFunc(l.cuts, func(x cut) bool { return in.Asked <= x.at && x.part.Covers(r.Trader, r.Gateway, r.Instrument) })
	return cut || r.Status.Final() || !r.sent || strings.HasPrefix(r.Reference, "flatten ") || r.CancelAsked || r.endsAt != nil || r.Amending() || r.InDoubt || r.Status == hub.Submitted ||
		r.Type != hub.Limit || as.Price.Equal(r.Price) && as.Qty.Equal(r.Qty) || as.Qty.Cmp(r.Filled) <= 0
}

// nowAmended follows what became of an amendment, when its order is shown anew.
func (r *recorded) nowAmended(o hub.Order) (done bool) {
	if !r.Amending() || o.Amending() {
		return false
	}
	if done = o.Price.Equal(r.Amendment.Price) && o.Qty.Equal(r.Amendment.Qty); done {
		r.worst = r.amendWorst
	}
	r.amendWorst = nil
	return done
}

// most is the quantity that an order may come to.
func (r *recorded) most() *big.Rat {
	if r.endsAt != nil {
		return r.endsAt
	}
	return exact(r.Largest())
}

// reach is the price to which an order can trade.
func (r *recorded) reach() hub.Decimal {
	switch {
	case !r.Amending():
		return r.Price
	case r.Direction == hub.Long:
		return r.Price.Max(r.Amendment.Price)
	}
	return r.Price.Min(r.Amendment.Price)
}

// left is what may still trade of the order that is decided.
func (q *asked) left() *big.Rat {
	if q.replaced == nil {
		return exact(q.order.Qty)
	}
	left := q.replaced.left()
	if would := sub(exact(q.order.Qty), exact(q.order.Filled)); would.Cmp(left) > 0 {
		return would
	}
	return left
}

// leftValue is what that is worth: the more of as it is and as it would be.
func (q *asked) leftValue() *big.Rat {
	if q.replaced == nil || q.worst == nil {
		return q.ofOrder("value")
	}
	would := q.books[""].value(q.order.Instrument, q.worst, sub(exact(q.order.Qty), exact(q.order.Filled)))
	if would.Cmp(q.replaced.value) > 0 {
		return would
	}
	return q.replaced.value
}

// dearest is the price at which the fee is reckoned.
func (q *asked) dearest() *big.Rat {
	if q.replaced != nil && q.replaced.worst != nil && q.replaced.worst.Cmp(q.worst) > 0 {
		return q.replaced.worst
	}
	return q.worst
}

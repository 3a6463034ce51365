package venue

import (
	"fmt"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/account"
	"tradehub/plugins/gateways/sim/market"
	"tradehub/plugins/gateways/sim/record"
)

// Amend changes the price and quantity of a working limit order in place. As at exchanges that can, a smaller quantity at the same price keeps the order's place in the queue; anything else puts it behind
// all that rest at its price, and a price that reaches the other side trades at once.
func (v *Venue) Amend(now hub.Time, o hub.Order) {
	v.turn(now)
	known, a := v.orders[o.ID], o.Amendment
	reason := ""
	switch {
	case known == nil && v.known(o.ID):
		reason = "the order is not working any more"
	case known == nil:
		reason = "no such order at this market"
	case !known.working:
		reason = "the order is " + statusWord(known.status()) + " already"
	default:
		reason = v.checkAmend(known, a)
	}
	if reason != "" {
		v.report(hub.VenueReport{OrderID: o.ID, Kind: hub.ReportAmendRejected, Amendment: a.Number, Reason: reason})
		return
	}
	price, _ := known.c.l.Ticks(a.Price)
	steps, _ := known.c.l.Steps(a.Qty)
	if price == known.price && steps == known.qty { // it is so already
		v.amended(known, a.Number)
		return
	}
	l := record.Line{Kind: record.Amended, At: v.now, ID: known.id, Price: a.Price, Qty: a.Qty}
	if price != known.price || steps > known.qty {
		l.Number = v.number + 1 // behind all that are there
	}
	v.emit(l)
	v.amended(known, a.Number)
	v.handle(known.c, known.c.book.Amend(market.ID(known.number), known.price, known.left, v.events[:0]))
	v.endDeed()
}

func (v *Venue) amended(o *order, number uint64) {
	v.tell(o, hub.VenueReport{Kind: hub.ReportAmended, Amendment: number, Price: o.c.l.Price(o.price), Qty: o.c.l.Qty(o.qty)})
}

// checkAmend returns why a working order cannot become another, or "".
func (v *Venue) checkAmend(o *order, a hub.Amendment) string {
	if o.kind != hub.Limit {
		return fmt.Sprintf("orders of type %s are not amended", o.kind)
	}
	if reason := o.c.checkQty(a.Qty); reason != "" {
		return reason
	}
	if reason := o.c.checkPrice(hub.Order{OrderRequest: hub.OrderRequest{Type: hub.Limit, Price: a.Price}}); reason != "" {
		return reason
	}
	steps, _ := o.c.l.Steps(a.Qty)
	filled := o.qty - o.left
	if steps <= filled {
		return fmt.Sprintf("%s of the order are filled already", o.c.l.Qty(filled))
	}
	// What the order itself keeps frozen is there for it.
	was := o.hold.Order
	v.account.Release(&o.hold, o.left)
	reason := v.account.Check(account.Order{Contract: o.c.l, Direction: o.direction, Offset: o.offset, Steps: steps - filled, Worst: a.Price})
	was.Steps = o.left
	o.hold = v.account.Take(was)
	return reason
}

// applyAmended makes an order what a line says.
func (v *Venue) applyAmended(o *order, l *record.Line) error {
	price, wholeTicks := o.c.l.Ticks(l.Price)
	steps, wholeSteps := o.c.l.Steps(l.Qty)
	filled := o.qty - o.left
	if !wholeTicks || !wholeSteps || steps <= filled {
		return fmt.Errorf("order %s, of which %s are filled, is amended to %s at %s", l.ID, o.c.l.Qty(filled), l.Qty, l.Price)
	}
	v.account.Release(&o.hold, o.left)
	o.price, o.qty, o.left = price, steps, steps-filled
	o.hold = v.account.Take(account.Order{Contract: o.c.l, Direction: o.direction, Offset: o.offset, Steps: o.left, Worst: l.Price})
	if l.Number > 0 {
		v.number, o.rank = l.Number, l.Number
	}
	return nil
}

package core

import (
	"fmt"
	"strconv"

	"tradehub/hub"
)

// report applies what a venue says about one order. Reports come late, twice and in any order: each is applied once, and none moves an order backwards.
func (c *Core) report(in hub.VenueReport) {
	o := c.known(in.Gateway, in.OrderID, "a report")
	if o == nil {
		if in.Kind == hub.ReportFill && c.orders[in.OrderID] == nil && c.forgotten(in.OrderID) {
			c.alert("gateway %s: fill %s of order %s (%s at %s), which ended too long ago to know whether it is booked", in.Gateway, in.TradeID, in.OrderID, in.Qty, in.Price)
		}
		return
	}
	switch in.Kind {
	case hub.ReportAccepted:
		c.advance(o, hub.Accepted, in.VenueID)
	case hub.ReportResting:
		c.advance(o, hub.Resting, in.VenueID)
	case hub.ReportFill:
		c.fill(o, in)
	case hub.ReportCancelled:
		c.cancelled(o, in)
	case hub.ReportRejected:
		c.finish(o, hub.Rejected, in)
	case hub.ReportCancelRejected:
		c.cancelRejected(o, in)
	case hub.ReportNotSent:
		c.notSent(o, in)
	case hub.ReportCancelNotSent:
		c.cancelNotSent(o, in)
	case hub.ReportAmended:
		c.amended(o, in)
	case hub.ReportAmendRejected:
		c.amendRejected(o, in)
	case hub.ReportAmendNotSent:
		c.amendNotSent(o, in)
	case hub.NoReport:
		c.alert("gateway %s: a report of no kind about order %s", in.Gateway, o.ID)
	default:
		c.alert("gateway %s: a report of unknown kind %d about order %s", in.Gateway, in.Kind, o.ID)
	}
}

// known finds an order that a gateway speaks of. One that the hub has forgotten is done, and its news is old.
func (c *Core) known(g hub.GatewayName, id hub.OrderID, what string) *order {
	o := c.orders[id]
	switch {
	case o == nil && c.forgotten(id):
		return nil
	case o == nil:
		c.alert("gateway %s: %s about order %s, which the hub does not know", g, what, id)
		return nil
	case o.Gateway != g:
		c.alert("gateway %s: %s about order %s, which belongs to gateway %s", g, what, id, o.Gateway)
		return nil
	case o.Revision == "":
		c.alert("gateway %s: %s about order %s, which was never sent", g, what, id)
		return nil
	}
	return o
}

// forgotten reports whether an id was given by this journal to an order that is no longer remembered.
func (c *Core) forgotten(id hub.OrderID) bool {
	n, ok := c.number(id)
	return ok && n >= 1 && n <= c.orderCount
}

func (c *Core) advance(o *order, to hub.Status, venueID string) {
	if o.Status.Final() && o.Absent {
		o.Absent = false
		c.alert("gateway %s: order %s is alive at the venue, and was said never to have reached it; it is cancelled there", o.Gateway, o.ID)
		c.cancelAtVenue(o, "")
		return
	}
	if o.Status.Final() || o.Ending {
		return
	}
	news := o.Status < to && o.Filled.IsZero() || o.InDoubt || o.VenueID == "" && venueID != ""
	if !news {
		return
	}
	c.streak(o, false)
	c.change(o, func() {
		c.clearDoubt(o)
		if venueID != "" {
			o.VenueID = venueID
		}
		o.Status = max(o.Status, to)
		if o.Filled.IsPos() {
			o.Status = hub.PartFilled
		}
	})
}

// clearDoubt: the venue has spoken of the order.
func (c *Core) clearDoubt(o *order) {
	if o.InDoubt && !o.AmendDoubt {
		c.setDoubt(o, false)
		o.Reason = ""
	}
}

// fill books a fill, whatever the order's status: what was traded was traded.
func (c *Core) fill(o *order, in hub.VenueReport) {
	if in.TradeID == "" || o.hasFill(in.TradeID) {
		if in.TradeID == "" {
			c.alert("gateway %s: a fill of order %s without a trade id", o.Gateway, o.ID)
		}
		return
	}
	if c.nonsense(o, in) {
		c.alert("gateway %s: fill %s of order %s makes no sense: %s at %s; it is not booked, the order is in doubt", o.Gateway, in.TradeID, o.ID, in.Qty, in.Price)
		if !o.Status.Final() {
			c.setDoubt(o, true)
			o.Reason = "the venue reported a fill that makes no sense"
			c.changed(o)
		}
		return
	}
	if o.Status == hub.Cancelled || o.Status == hub.Rejected {
		c.alert("gateway %s: fill %s of order %s, which is %s; it is booked", o.Gateway, in.TradeID, o.ID, o.Status)
	}
	c.tradeCount++
	before, with := c.named(o, in.TradeID)
	t := hub.Trade{
		ID: in.TradeID, OrderID: o.ID, Trader: o.Trader, Instrument: o.Instrument, Gateway: o.Gateway, Direction: o.Direction, Offset: o.Offset,
		Price: in.Price.Trim(0), Qty: in.Qty.Trim(0), Time: in.VenueTime, Day: c.dayOfFill(o, in.VenueTime),
	}
	named := fill{Count: c.tradeCount}
	if before > 0 { // a trader's programs know a fill by its id, and would take the second for the first one
		named.Venue, t.ID = in.TradeID, in.TradeID+"-"+strconv.Itoa(before+1)
	}
	if t.Time == 0 {
		t.Time = c.now
	}
	if o.Aged && t.Offset == hub.CloseToday {
		t.Offset = hub.CloseYesterday
	}
	c.change(o, func() {
		if !o.Ending {
			c.clearDoubt(o)
		}
		c.book(o, &t)
		named.Trade = t
		o.Fills = append(o.Fills, named)
	})
	c.emit(Traded{Trade: t})
	c.emit(BookChanged{Trader: o.Trader, Gateway: o.Gateway, Instrument: o.Instrument})
	if with != nil {
		c.selfTraded(o, with, in.TradeID)
	}
}

// nonsense: a fill that no market can have made. A fill of more than was ordered is booked, for the venue is right about what it did; one of ten times as much is a broken gateway.
func (c *Core) nonsense(o *order, in hub.VenueReport) bool {
	if !in.Qty.IsPos() || outOfRange(in.Qty) || in.Price.IsZero() || outOfRange(in.Price) {
		return true
	}
	var sum hub.Sum
	k := c.contracts[key{o.Gateway, o.Instrument}]
	value := money(&sum, in.Price, in.Qty, k.unit)
	return sum.Mul(o.Largest(), hub.Int(10)).Less(in.Qty) || fortune.Cmp(value.Abs()) <= 0 || sum.Err() != nil
}

func (c *Core) book(o *order, t *hub.Trade) {
	var sum hub.Sum
	k := c.contracts[key{o.Gateway, o.Instrument}]
	o.Filled = sum.Add(o.Filled, t.Qty).Trim(0)
	if o.proves(o.Filled) {
		c.confirm(o)
	}
	if o.Largest().Less(o.Filled) {
		c.alert("gateway %s: order %s for %s is filled with %s; all of it is booked", o.Gateway, o.ID, o.Qty, o.Filled)
	}
	switch {
	case o.Largest().Cmp(o.Filled) <= 0:
		o.Status = hub.Filled
	case o.Ending && o.EndsAt.Cmp(o.Filled) <= 0:
		o.Status, o.Reason = hub.Cancelled, ""
	case !o.Status.Final():
		o.Status = hub.PartFilled
	}
	b := c.byTrader[o.Trader]
	before := b.peek(k.key)
	r := b.fill(&sum, k, *t)
	late := t.Day != c.dayOf(t.Exchange)
	if late {
		b.backdate(&sum, k, before)
	}
	fund := c.fund.peek(k.key)
	c.fund.follow(&sum, k, *t, before, b.peek(k.key), r)
	o.earn(&sum, r)
	if late && k.NetPosition { // else it has followed
		c.fund.backdate(&sum, k, fund)
	}
	t.Commission = r.commission
	if !r.over.IsZero() {
		c.alert("gateway %s: order %s closed %s more of %s than %s holds; what it closed is taken from what is unassigned", o.Gateway, o.ID, r.over, o.Instrument, o.Trader)
		c.overClosed(&sum, k, *t, r.over)
	}
	c.filled(&sum, k, *t)
	for _, x := range []*book{b, c.fund} {
		x.crest(&sum)
	}
	c.happened(b, k, traded, amounts{amountOf(t.Qty), amountOf(money(&sum, t.Price.Abs(), t.Qty, k.unit)), amountOf(r.opened)})
	c.streak(o, false)
	c.must(&sum, "booking a fill of "+string(o.ID))
}

// cancelled ends an order, unless the venue says that it filled more of it than it has reported: then the order stays, and holds what is missing, until the fills come.
func (c *Core) cancelled(o *order, in hub.VenueReport) {
	if o.Ending && in.Qty.Cmp(o.EndsAt) <= 0 {
		return // it has said so before
	}
	if o.Status.Final() || in.Qty.Cmp(o.Filled) <= 0 || o.Largest().Less(in.Qty) {
		c.finish(o, hub.Cancelled, in)
		return
	}
	c.change(o, func() {
		if o.proves(in.Qty.Trim(0)) {
			c.confirm(o)
		}
		o.Ending, o.EndsAt = true, in.Qty.Trim(0)
		o.Reason = fmt.Sprintf("cancelled with %s filled, of which %s are reported", in.Qty, o.Filled)
		c.setDoubt(o, true)
	})
}

func (c *Core) finish(o *order, as hub.Status, in hub.VenueReport) {
	if o.Status.Final() {
		if o.Status == hub.Cancelled && as == hub.Rejected || o.Status == hub.Rejected && as == hub.Cancelled {
			c.alert("gateway %s: order %s is %s and is now said to be %s", o.Gateway, o.ID, o.Status, as)
		}
		return
	}
	if as == hub.Rejected && o.Filled.IsPos() {
		c.alert("gateway %s: order %s is rejected after it was filled with %s; what was filled stays", o.Gateway, o.ID, o.Filled)
		as = hub.Cancelled
	}
	c.change(o, func() {
		o.Status = as
		if in.VenueID != "" {
			o.VenueID = in.VenueID
		}
		if o.InDoubt {
			o.Reason = ""
		}
		if in.Reason != "" {
			o.Reason = in.Reason
		}
	})
	if as == hub.Rejected {
		c.tell(o.Trader, Warning, o.ID, hub.Say("order %s is rejected by %s: %s", o.ID, o.Gateway, hub.Fixed(in.Reason)))
	}
}

func (c *Core) cancelRejected(o *order, in hub.VenueReport) {
	if o.Status.Final() {
		return
	}
	o.CancelAsked = false
	c.tell(o.Trader, Warning, o.ID, hub.Say("order %s is not cancelled: %s", o.ID, hub.Fixed(in.Reason)))
}

// cancelNotSent: the gateway did not get the cancel. It is asked again, when the gateway comes back or has had time (OwedCancels).
func (c *Core) cancelNotSent(o *order, in hub.VenueReport) {
	if !o.Status.Final() {
		c.tell(o.Trader, Warning, o.ID, hub.Say("order %s is not cancelled yet: %s", o.ID, hub.Fixed(in.Reason)))
	}
}

// notSent ends an order that never left the hub.
func (c *Core) notSent(o *order, in hub.VenueReport) {
	if o.Status != hub.Submitted || len(o.Fills) > 0 {
		if !o.Status.Final() {
			c.alert("gateway %s: order %s is said not to be sent, and is %s", o.Gateway, o.ID, o.Status)
		}
		return
	}
	in.Reason = "not sent: " + in.Reason
	o.Absent = true
	c.finish(o, hub.Rejected, in)
}

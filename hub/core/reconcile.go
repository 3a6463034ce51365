package core

import (
	"fmt"
	"strconv"
	"strings"

	"tradehub/hub"
)

// reconcile settles orders by what the venue answered when it was asked about them. An order is never sent again: it is there, or it never arrived.
func (c *Core) reconcile(in hub.Reconcile) {
	answered := make(map[hub.OrderID]bool, len(in.Orders))
	for _, v := range in.Orders {
		answered[v.OrderID] = true
		if o := c.known(in.Gateway, v.OrderID, "an answer"); o != nil {
			c.settle(o, v, in.AskedAt)
		}
	}
	for _, id := range in.Asked {
		o := c.orders[id]
		if o != nil && o.Gateway == in.Gateway {
			o.Asked = false
		}
		if o == nil || answered[id] || o.Status.Final() || o.Gateway != in.Gateway {
			continue
		}
		if !in.Complete {
			c.alert("gateway %s cannot say what became of order %s; it stays in doubt", in.Gateway, id)
			continue
		}
		c.lost(o)
	}
}

// settle applies the venue's view of one order: its fills first, then where it stands. What an answer says of an order that works may be older than an amendment: then it does not say for
// what the order works now, and does not end a doubt; whoever is in doubt is asked about again.
func (c *Core) settle(o *order, v hub.VenueOrder, askedAt uint64) {
	old := askedAt < o.SizedAt
	for _, f := range v.Fills {
		c.fill(o, hub.VenueReport{
			Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportFill, VenueID: v.VenueID, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty, VenueTime: f.Time,
		})
	}
	active := v.Status == hub.Submitted || v.Status == hub.Accepted || v.Status == hub.Resting || v.Status == hub.PartFilled
	if active && o.Status.Final() {
		c.alert("gateway %s: order %s is alive at the venue (%s), and was thought to be %s; it is cancelled there", o.Gateway, o.ID, v.Status, o.Status)
		c.cancelAtVenue(o, "")
		return
	}
	if !active || !old {
		c.stands(o, v)
	}
	if o.CancelAsked && !o.Status.Final() {
		c.cancelAtVenue(o, "")
	}
}

// stands takes in where an order stands at the venue, and for what.
func (c *Core) stands(o *order, v hub.VenueOrder) {
	c.settleAmendment(o, v)
	end := hub.VenueReport{VenueID: v.VenueID, Reason: v.Reason}
	switch v.Status {
	case hub.Cancelled, hub.Rejected:
		c.finish(o, v.Status, end)
	case hub.Filled:
		if !o.Status.Final() {
			c.alert("gateway %s: order %s is filled at the venue, and its fills come to %s of %s; it stays in doubt", o.Gateway, o.ID, o.Filled, o.Qty)
			c.setDoubt(o, true)
			o.Reason = "the venue did not report all fills"
			c.changed(o)
		}
	case hub.Accepted, hub.Submitted:
		c.advance(o, hub.Accepted, v.VenueID)
	case hub.Resting, hub.PartFilled:
		c.advance(o, hub.Resting, v.VenueID)
	case hub.NoStatus:
		c.alert("gateway %s: order %s has no status at the venue; it stays in doubt", o.Gateway, o.ID)
	default:
		c.alert("gateway %s: order %s has the unknown status %d at the venue; it stays in doubt", o.Gateway, o.ID, v.Status)
	}
}

// lost ends an order that the venue does not know and never will.
func (c *Core) lost(o *order) {
	if o.Status != hub.Submitted {
		c.alert("gateway %s does not know order %s, which it had as %s", o.Gateway, o.ID, o.Status)
		c.finish(o, hub.Cancelled, hub.VenueReport{Reason: "the venue does not know it any more"})
		return
	}
	o.Absent = true
	c.finish(o, hub.Rejected, hub.VenueReport{Reason: fmt.Sprintf("it never reached %s; it was not sent again", o.Gateway)})
}

// number returns how many orders this journal had counted with the order of an id. Every life of a hub gives ids a first part of its own; the count goes on.
func (c *Core) number(id hub.OrderID) (uint64, bool) {
	head, rest, ok := strings.Cut(string(id), "-")
	if !ok || head == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(rest, 10, 64)
	return n, err == nil
}

package venue

import (
	"fmt"
	"strconv"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/account"
	"tradehub/plugins/gateways/sim/market"
)

// order is an order that the venue has seen, and not forgotten.
type order struct {
	id        hub.OrderID
	number    uint64 // the venue's own; 0: it was rejected
	rank      uint64 // of two orders at a price, the lower is first in the queue
	trader    hub.TraderName
	c         *contract
	direction hub.Direction
	offset    hub.Offset
	kind      hub.OrderType
	price     int64
	qty, left int64
	hold      account.Hold
	fills     []hub.VenueFill
	reason    string
	working   bool
	triggered bool
	told      bool // that it was accepted
}

func (o *order) venueID() string {
	if o.number == 0 {
		return ""
	}
	return strconv.FormatUint(o.number, 10)
}

// order is what the book is given.
func (o *order) order() market.Order {
	m := market.Order{ID: market.ID(o.number), Side: market.Buy, Type: types[o.kind], Price: o.price, Qty: o.left}
	if o.direction == hub.Short {
		m.Side = market.Sell
	}
	if o.triggered {
		m.Type = market.Market
	}
	return m
}

// types are the orders that the market knows.
var types = map[hub.OrderType]market.Type{
	hub.Limit: market.Limit, hub.Market: market.Market, hub.FAK: market.FAK, hub.FOK: market.FOK, hub.Stop: market.Stop,
}

func (o *order) status() hub.Status {
	switch {
	case o.number == 0:
		return hub.Rejected
	case o.left == 0:
		return hub.Filled
	case !o.working:
		return hub.Cancelled
	case o.left < o.qty:
		return hub.PartFilled
	case o.kind == hub.Limit:
		return hub.Resting
	default:
		return hub.Accepted
	}
}

func (o *order) stands() hub.VenueOrder {
	v := hub.VenueOrder{
		OrderID: o.id, VenueID: o.venueID(), Status: o.status(), Reason: o.reason,
		Fills: append([]hub.VenueFill(nil), o.fills...),
	}
	if o.kind == hub.Limit && o.c != nil {
		v.Price, v.Qty = o.c.l.Price(o.price), o.c.l.Qty(o.qty)
	}
	return v
}

// unfilledReason says why what the book did not take is gone.
func (o *order) unfilledReason() string {
	switch o.kind {
	case hub.FOK:
		return "FOK: not all of it could be filled at once"
	case hub.FAK:
		return "FAK: the rest could not be filled at once"
	case hub.Market, hub.Stop:
		return "nobody is left to trade with at any price"
	case hub.NoOrderType, hub.Limit, hub.RFQ, hub.ETF:
	}
	return ""
}

// check returns why an order is refused, or "".
func (v *Venue) check(o hub.Order) string {
	c := v.byName[o.Instrument]
	switch {
	case o.ID == "":
		return "the order has no id"
	case c == nil:
		return fmt.Sprintf("%s is not traded here", o.Instrument)
	case o.Direction != hub.Long && o.Direction != hub.Short:
		return fmt.Sprintf("an order is LONG or SHORT, not %q", o.Direction)
	case len(v.working) >= WorkingMax:
		return fmt.Sprintf("%d orders are working already, and more are not taken", WorkingMax)
	}
	if _, known := types[o.Type]; !known {
		return fmt.Sprintf("orders of type %s are not taken", o.Type)
	}
	if !c.l.NetPosition && o.Offset != hub.Open && !o.Offset.Closes() {
		return fmt.Sprintf("an order in %s must say whether it opens or closes", o.Instrument)
	}
	if reason := c.checkQty(o.Qty); reason != "" {
		return reason
	}
	if reason := c.checkPrice(o); reason != "" {
		return reason
	}
	steps, _ := c.l.Steps(o.Qty)
	return v.account.Check(account.Order{
		Contract: c.l, Direction: o.Direction, Offset: o.Offset, Steps: steps, Worst: c.worst(o),
	})
}

// worst is the price that the money of an order is reckoned at: its own, or the daily limit when it may trade at any price.
func (c *contract) worst(o hub.Order) hub.Decimal {
	if o.Type == hub.Market || o.Type == hub.Stop {
		return c.l.Price(c.band.High)
	}
	return o.Price
}

func (c *contract) checkQty(qty hub.Decimal) string {
	if !qty.IsPos() {
		return fmt.Sprintf("the quantity must be positive, not %s", qty)
	}
	if c.l.MaxQty.IsPos() && qty.Cmp(c.l.MaxQty) > 0 {
		return fmt.Sprintf("the quantity %s is above the largest of one order, %s", qty, c.l.MaxQty)
	}
	if _, whole := c.l.Steps(qty); !whole {
		return fmt.Sprintf("the quantity %s is not a multiple of %s", qty, c.l.MinQty)
	}
	return ""
}

func (c *contract) checkPrice(o hub.Order) string {
	if o.Type == hub.Market {
		return ""
	}
	if !o.Price.IsPos() {
		return fmt.Sprintf("a %s order needs a price", o.Type)
	}
	ticks, whole := c.l.Ticks(o.Price)
	switch {
	case !whole:
		return fmt.Sprintf("the price %s is not a multiple of the tick, %s", o.Price, c.l.Tick)
	case ticks > c.band.High:
		return fmt.Sprintf("the price %s is above the daily limit %s", o.Price, c.l.Price(c.band.High))
	case ticks < c.band.Low:
		return fmt.Sprintf("the price %s is below the daily limit %s", o.Price, c.l.Price(c.band.Low))
	}
	return ""
}

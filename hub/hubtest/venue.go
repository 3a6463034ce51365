package hubtest

import (
	"fmt"

	"tradehub/hub"
)

// venue is the market behind the gateway: it takes orders once, trades them as the story says, and forgets nothing, whatever dies around it.
type venue struct {
	orders map[hub.OrderID]*atVenue
	list   []*atVenue
	trades int
	byHand map[handKey]hub.Decimal // what somebody did with the venue's own terminal
}

type atVenue struct {
	hub.Order
	left  hub.Decimal
	fills []hub.VenueFill
	done  hub.Status // NoStatus while open
}

func newVenue() *venue {
	return &venue{orders: map[hub.OrderID]*atVenue{}, byHand: map[handKey]hub.Decimal{}}
}

// take is an order that arrived.
func (v *venue) take(o hub.Order, refuse bool) (hub.VenueReport, error) {
	if v.orders[o.ID] != nil {
		return hub.VenueReport{}, fmt.Errorf("sent twice: order %s", o.ID)
	}
	a := &atVenue{Order: o, left: o.Qty}
	v.orders[o.ID] = a
	v.list = append(v.list, a)
	if refuse {
		a.done, a.left = hub.Rejected, hub.Decimal{}
		return hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportRejected, Reason: "the venue says no"}, nil
	}
	return hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportResting, VenueID: "v" + string(o.ID)}, nil
}

func (v *venue) open() []*atVenue {
	var out []*atVenue
	for _, a := range v.list {
		if a.done == hub.NoStatus {
			out = append(out, a)
		}
	}
	return out
}

func (v *venue) trade(a *atVenue, part bool, now hub.Time) hub.VenueReport {
	qty := a.left
	if one := hub.Int(1); part && one.Less(qty) {
		qty = one
	}
	price := a.Price
	if a.Type == hub.Market {
		price = hub.Int(3500)
	}
	var sum hub.Sum
	a.left = sum.Sub(a.left, qty)
	if a.left.IsZero() {
		a.done = hub.Filled
	}
	v.trades++
	f := hub.VenueFill{TradeID: fmt.Sprintf("t%d", v.trades), Price: price, Qty: qty, Time: now}
	a.fills = append(a.fills, f)
	return hub.VenueReport{Gateway: a.Gateway, OrderID: a.ID, Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty, VenueTime: f.Time}
}

func (v *venue) cancel(id hub.OrderID, g hub.GatewayName) hub.VenueReport {
	a := v.orders[id]
	if a == nil || a.done != hub.NoStatus {
		return hub.VenueReport{Gateway: g, OrderID: id, Kind: hub.ReportCancelRejected, Reason: "it is done"}
	}
	a.done = hub.Cancelled
	var sum hub.Sum
	return hub.VenueReport{Gateway: g, OrderID: id, Kind: hub.ReportCancelled, Qty: sum.Sub(a.Qty, a.left)}
}

// answer says how orders stand.
func (v *venue) answer(g hub.GatewayName, ids []hub.OrderID, askedAt uint64) hub.Reconcile {
	in := hub.Reconcile{Gateway: g, Complete: true, Asked: ids, AskedAt: askedAt}
	for _, id := range ids {
		a := v.orders[id]
		if a == nil {
			continue
		}
		status := a.done
		if status == hub.NoStatus {
			status = hub.Resting
		}
		in.Orders = append(in.Orders, a.isFor(hub.VenueOrder{OrderID: id, VenueID: "v" + string(id), Status: status, Fills: append([]hub.VenueFill(nil), a.fills...)}))
	}
	return in
}

// standing is what a trader has of a contract at the venue: what was traded, and the most that it can become when everything that is open, or on its way, is filled.
type standing struct{ long, short, longMost, shortMost hub.Decimal }

func (v *venue) position(trader hub.TraderName, c hub.Contract, onTheWay []hub.Order, flying func(hub.OrderID) hub.Decimal) (p standing) {
	var sum hub.Sum
	count := func(o hub.Order, filled, left hub.Decimal) {
		switch {
		case o.Direction == hub.Long && !o.Offset.Closes():
			p.long, p.longMost = sum.Add(p.long, filled), sum.Add(p.longMost, sum.Add(filled, left))
		case o.Direction == hub.Short && !o.Offset.Closes() && !c.NetPosition:
			p.short, p.shortMost = sum.Add(p.short, filled), sum.Add(p.shortMost, sum.Add(filled, left))
		case o.Direction == hub.Short:
			p.long, p.longMost = sum.Sub(p.long, filled), sum.Sub(p.longMost, filled)
		default:
			p.short, p.shortMost = sum.Sub(p.short, filled), sum.Sub(p.shortMost, filled)
		}
	}
	for _, a := range v.list {
		if a.Trader != trader || a.Instrument != c.Instrument {
			continue
		}
		filled := hub.Decimal{}
		for _, f := range a.fills {
			filled = sum.Add(filled, f.Qty)
		}
		left := a.left
		if flying != nil {
			left = left.Max(sum.Sub(flying(a.ID), filled))
		}
		if a.done != hub.NoStatus {
			left = hub.Decimal{}
		}
		count(a.Order, filled, left)
	}
	for _, o := range onTheWay {
		if o.Trader == trader && o.Instrument == c.Instrument && v.orders[o.ID] == nil {
			count(o, hub.Decimal{}, o.Qty)
		}
	}
	return p
}

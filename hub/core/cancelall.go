package core

import (
	"slices"
	"time"

	"tradehub/hub"
)

// cut is a CancelAll, remembered for the orders that the hub had been asked for before it and that come to be decided after it: the entry goes past all that wait for the journal,
// and past those that the risk managers still judge.
type cut struct {
	Part   hub.Part `cbor:"1,keyasint"`
	Before hub.Time `cbor:"2,keyasint"`
	Why    string   `cbor:"3,keyasint"`
}

// Of many different parts the newest cutsMax are remembered, and all of the last minute: what was asked for waits for a first tick, for the risk managers and for the journal,
// none of which takes that long while the clock goes on.
const (
	cutsMax = 64
	cutKept = time.Minute
)

// cancelAll asks for a cancel of every active order of a part.
func (c *Core) cancelAll(in hub.CancelAll) {
	c.emit(CancelledAll{Orders: c.cancelPart(in.Part, reasoned(hub.Say("cancelled by %s", in.By), in.Reason).String())})
}

// reasoned adds why, where somebody said so.
func reasoned(w hub.Words, why string) hub.Words {
	if why == "" {
		return w
	}
	return hub.Say("%s: %s", w, why)
}

// cancelPart asks for the cancels and returns of how many orders. The clock of the entry, and not the core's, tells what was asked for before it.
func (c *Core) cancelPart(part hub.Part, why string) int {
	c.emit(Withhold{Part: part, Why: why})
	n := 0
	for _, o := range c.orderList {
		if o.Status.Final() || !part.Covers(o.Trader, o.Gateway, o.Instrument) {
			continue
		}
		n++
		c.askCancel(o, why)
	}
	fresh := cut{part, c.stamp, why}
	c.cuts = slices.DeleteFunc(c.cuts, func(old cut) bool {
		if old.Part == part {
			fresh.Before = max(fresh.Before, old.Before) // a clock that was set back takes nothing back
		}
		return old.Part == part
	})
	if len(c.cuts) >= cutsMax && c.now.Sub(c.cuts[0].Before) > cutKept {
		c.cuts = slices.Delete(c.cuts, 0, 1)
	}
	c.cuts = append(c.cuts, fresh)
	return n
}

// askCancel asks an order's gateway to cancel it, now or when it is back. why is of a cancel that the owner did not ask for.
func (c *Core) askCancel(o *order, why string) {
	c.askedToCancel(o)
	o.CancelAsked, o.Updated = true, c.now
	if why != "" {
		o.Reason = why
	}
	if o.Ask != 0 {
		c.waitNoMore(o)
		return // it is not sent yet, and will not be
	}
	if g := c.gateway(o.Gateway); g == nil || !g.Up {
		c.tell(o.Trader, Warning, o.ID, hub.Say("gateway %s is down; order %s will be cancelled when it is back", o.Gateway, o.ID))
		return
	}
	if why != "" {
		c.cancelAtVenue(o, "") // the owner did not ask, and does not pay
		return
	}
	c.cancelAtVenue(o, o.Trader)
}

// cutOff finds out whether everything was cancelled after an order was asked for.
func (c *Core) cutOff(o *order, asked hub.Time) (why string, is bool) {
	if len(c.cuts) == 0 {
		return "", false
	}
	if asked == 0 {
		asked = c.stamp
	}
	for _, x := range c.cuts {
		if asked <= x.Before && x.Part.Covers(o.Trader, o.Gateway, o.Instrument) {
			return x.Why, true
		}
	}
	return "", false
}

// withdrawn ends an order that was cancelled before it was decided.
func (c *Core) withdrawn(o *order, why string) {
	b := c.byTrader[o.Trader]
	o.Status, o.Updated, o.Day = hub.Cancelled, c.now, c.dayOf(o.Exchange)
	o.Reason = "cancelled before it was sent"
	if why != "" {
		o.Reason = why + ", before it was sent"
	}
	b.Finished++
	c.emit(Decided{Order: o.Order})
	c.emit(OrderChanged{Order: o.Order})
	c.trim(b)
}

package core

import (
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// With internal_cross: cancel_resting an order that could trade with working orders of the fund, and that nothing else speaks against, waits: those are cancelled, and when every one of them
// has ended, however it ended, the order is decided again, by all rules, with a fresh market and fresh verdicts. Only that decision can make a permit.
//
// An order that waits is one that was taken and is not decided: it counts nowhere, the venue does not know it, its owner can cancel it, a restart rejects it. It never stands in
// the way of others, for it cannot trade; so two orders that wait cannot wait for each other, and whichever is decided first is met by the other one as a working order.
//
// It waits for so long and so often: what is not free in time is refused (ExpireWaits), and so is what meets another order again and again.

const (
	// waitingMax is how many orders may wait at once, waitsMax for how many others one may, and triesMax how often.
	waitingMax = 64
	waitsMax   = 32
	triesMax   = 3
)

// waitAsk is the first Ask of orders that wait: their JudgeOrder is asked for by the core, and its Ask is none that the runner has given.
const waitAsk = 1 << 63

// mayWait reports whether an order that was refused for these reasons may wait instead.
func (c *Core) mayWait(o *order, refusals []hub.Refusal) bool {
	return len(refusals) == 1 && refusals[0].Code == codeCross && c.rules.InternalCross() == policy.CrossCancelResting &&
		o.Tries < triesMax && len(c.waiting) < waitingMax && len(c.met(o)) <= waitsMax
}

// await lets an order wait for the end of those that it would meet, and has them cancelled.
func (c *Core) await(o *order) {
	known := o.Status == hub.Submitted
	o.Status, o.Updated = hub.Submitted, c.now
	o.Tries++
	if o.WaitSince == 0 {
		o.WaitSince = c.now
	}
	met := slices.Clone(c.met(o))
	slices.Reverse(met) // the first to meet first
	o.Waits = o.Waits[:0]
	for _, other := range met {
		o.Waits = append(o.Waits, other.ID)
	}
	o.Ask = waitAsk | o.number
	c.undecided[o.Ask] = o
	c.waits(o)
	c.crossed(o, true)
	if !known {
		c.emit(Taken{Order: o.Order})
		c.emit(OrderChanged{Order: o.Order})
	}
	c.tell(o.Trader, Info, o.ID, hub.Say("order %s would meet the fund's own %s; that is cancelled first", o.ID, inWords(met[0], false)))
	for _, other := range met {
		c.clearWay(other, o.Trader)
	}
}

// clearWay asks for the cancel of a working order that another order of the fund would meet. Its owner hears why, and not whose that is.
func (c *Core) clearWay(o *order, asked hub.TraderName) {
	if o.CancelAsked {
		return // it is on its way
	}
	c.askedToCancel(o)
	o.CancelAsked, o.Updated, o.Reason = true, c.now, "internal cross"
	c.tell(o.Trader, Warning, o.ID, hub.Say("order %s is being cancelled: another order of the fund would meet it", o.ID))
	if g := c.gateway(o.Gateway); g != nil && g.Up { // else it is asked for when it is back
		c.cancelAtVenue(o, asked)
	}
}

// waits takes an order into the list of those that wait, which is in the order of their numbers.
func (c *Core) waits(o *order) {
	at, _ := slices.BinarySearchFunc(c.waiting, o, compareNumbers)
	c.waiting = slices.Insert(c.waiting, at, o)
}

// waitsNot takes an order out of it.
func (c *Core) waitsNot(o *order) {
	if at, found := slices.BinarySearchFunc(c.waiting, o, compareNumbers); found {
		c.waiting = slices.Delete(c.waiting, at, at+1)
	}
}

// wayIsFree: an order has ended; what waited for nothing else is decided again.
func (c *Core) wayIsFree(ended *order) {
	for _, o := range c.waiting {
		if at := slices.Index(o.Waits, ended.ID); at >= 0 {
			if o.Waits = slices.Delete(o.Waits, at, at+1); len(o.Waits) == 0 {
				c.emit(JudgeAgain{Order: o.Order, Ask: o.Ask})
			}
		}
	}
}

// waitNoMore: the owner, or the operator, wants an order cancelled that waits. It ends when it is decided, which need not wait now.
func (c *Core) waitNoMore(o *order) {
	if len(o.Waits) > 0 {
		o.Waits = nil
		c.emit(JudgeAgain{Order: o.Order, Ask: o.Ask})
	}
}

// expireWaits refuses what has waited for too long.
func (c *Core) expireWaits(in hub.ExpireWaits) {
	for _, o := range slices.Clone(c.waiting) {
		if o.WaitSince > in.Since {
			continue
		}
		c.settled(o)
		if o.CancelAsked {
			c.withdrawn(o, o.Reason)
			continue
		}
		b, k := c.byTrader[o.Trader], c.contracts[key{o.Gateway, o.Instrument}]
		b.Repeats.add(c.now, likenessOf(o))
		c.happened(b, k, orderRefused, amounts{})
		refusals := []hub.Refusal{hub.Refuse(codeCross, "the fund's own order that this %s would meet was not cancelled in time", inWords(o, true))}
		c.spendRefused(o, refusals)
		c.refuse(o, b, refusals)
	}
}

// WaitsSince returns since when the longest waiting order has waited for another's cancel; false when none does.
func (c *Core) WaitsSince() (hub.Time, bool) {
	since, any := hub.Time(0), false
	for _, o := range c.waiting {
		if !any || o.WaitSince < since {
			since, any = o.WaitSince, true
		}
	}
	return since, any
}

// checkWaits: what waits, waits for orders that work, and is known to.
func (c *Core) checkWaits() error {
	n := 0
	for _, o := range c.orderList {
		waits := o.Ask >= waitAsk
		if waits {
			n++
		}
		if waits != slices.Contains(c.waiting, o) || waits && (c.undecided[o.Ask] != o || o.Status != hub.Submitted || o.WaitSince == 0) || !waits && len(o.Waits) > 0 {
			return fmt.Errorf("order %s: waits %t, for %v since %d", o.ID, waits, o.Waits, o.WaitSince)
		}
		for _, id := range o.Waits {
			if other := c.orders[id]; other == nil || other.Status.Final() || other.Ask != 0 {
				return fmt.Errorf("order %s waits for %s, which does not work", o.ID, id)
			}
		}
	}
	if n != len(c.waiting) || !slices.IsSortedFunc(c.waiting, compareNumbers) {
		return fmt.Errorf("%d orders wait, and %d are in the list", n, len(c.waiting))
	}
	return nil
}

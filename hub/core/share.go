package core

import (
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// A venue's channel takes so many messages in a window and no more. Its budget is shared: a part is kept for cancels, the rest is the traders', by weight.
//
// Two things hold, at every moment and for every alignment of the window (share_test.go proves them on random histories):
//
//  1. No order makes the messages of a window more than the limit.
//  2. A trader who stays within the own share is not refused for the budget. Of a trader who sent nothing for idleWindows windows all but a part of the share (floor) is lent; the whole is
//     there again one window after the trader's next message, which is when the last loan has expired.
//
// Nothing can be lent to the last message and be there at once: what is lent counts for a whole window. Hence the two levels. Let used be a trader's messages within the window, and
// level what is kept for the trader: the share, or, while the trader is idle and until one window after waking, the floor. The sum over all traders of max(used, level) is never more
// than the budget: what is within a level does not change the sum, everything else is let through only when the sum stays within the budget, where those who woke before count with their
// whole share. When a trader's level rises, a window after waking, every message still in the window was let through under the higher one.
//
// Cancels are never refused. They count to the share of whoever asked as far as the sum allows it, then to the reserve; only when more cancels than the reserve is worth go beyond all
// shares does the channel get more than its limit, or, at the same time, an order have to wait that is within its share.

const (
	// idleWindows is for how many windows a trader must be silent to be idle.
	idleWindows = 10
	// floorPart is which part of the share an idle trader keeps: one of so many, rounded up.
	floorPart = 4
	// reservePart is which part of the limit is kept for cancels: one of so many. Cancels use the shares first; the reserve is for those who have used theirs up, and want out.
	reservePart = 5
)

const codeBudget = "channel-budget"

// budget is one limit of a gateway's channel, and who has used how much of it.
type budget struct {
	Limit  hub.MessageLimit `cbor:"1,keyasint"`
	Shares []portion        `cbor:"2,keyasint,omitempty"` // in the order of the configuration
	// Reserve are the cancels that found no room in the shares.
	Reserve recent `cbor:"3,keyasint"`
}

// portion is one trader's part of a budget.
type portion struct {
	Trader hub.TraderName `cbor:"1,keyasint"`
	Weight int            `cbor:"2,keyasint"`
	// Used are the messages that were sent. Refused are the orders that were refused for anything but the budget: they count against the own share, and nobody else's.
	Used    recent   `cbor:"3,keyasint"`
	Refused recent   `cbor:"4,keyasint"`
	Last    hub.Time `cbor:"5,keyasint,omitempty"` // of the newest message; 0: none
	Woke    hub.Time `cbor:"6,keyasint,omitempty"` // when the trader sent something after a silence

	own, floor int
}

// recent are the times of what happened within a window, the oldest first. It keeps what one window holds.
type recent struct {
	Times []hub.Time `cbor:"1,keyasint,omitempty"`

	start int // Times[:start] is over
}

func (r *recent) add(now hub.Time) { r.Times = append(r.Times, now) }

// count forgets what is over, and counts what is left: an event at time t is inside until t + window.
func (r *recent) count(now hub.Time, window time.Duration) int {
	for r.start < len(r.Times) && r.Times[r.start] <= now.Add(-window) {
		r.start++
	}
	if r.start == len(r.Times) {
		r.Times, r.start = r.Times[:0], 0
	} else if r.start > 64 && r.start > len(r.Times)/2 {
		n := copy(r.Times, r.Times[r.start:])
		r.Times, r.start = r.Times[:n], 0
	}
	return len(r.Times) - r.start
}

func (r *recent) image(now hub.Time, window time.Duration) recent {
	r.count(now, window)
	return recent{Times: slices.Clone(r.Times[r.start:])}
}

// reserve is how much of the limit is kept for cancels.
func (b *budget) reserve() int {
	if b.Limit.Messages < 2 {
		return 0
	}
	return max(1, b.Limit.Messages/reservePart)
}

// room is what the traders share.
func (b *budget) room() int { return b.Limit.Messages - b.reserve() }

// divide computes everybody's share. What is left over by rounding is nobody's, and lent.
func (b *budget) divide() {
	total := 0
	for i := range b.Shares {
		total += b.Shares[i].Weight
	}
	for i := range b.Shares {
		s := &b.Shares[i]
		s.own = b.room() * s.Weight / total
		s.floor = (s.own + floorPart - 1) / floorPart
	}
}

func (b *budget) share(trader hub.TraderName) *portion {
	for i := range b.Shares {
		if b.Shares[i].Trader == trader {
			return &b.Shares[i]
		}
	}
	return nil
}

func (b *budget) idle(s *portion, now hub.Time) bool {
	return s.Last == 0 || s.Last <= now.Add(-idleWindows*b.Limit.Window)
}

// waking: the trader sent something after a silence, less than a window ago.
func (b *budget) waking(s *portion, now hub.Time) bool { return now < s.Woke.Add(b.Limit.Window) }

// level is what is kept for a trader.
func (b *budget) level(s *portion, now hub.Time) int {
	if b.idle(s, now) || b.waking(s, now) {
		return s.floor
	}
	return s.own
}

// heard notes that a trader sends something.
func (b *budget) heard(s *portion, now hub.Time) {
	if b.idle(s, now) {
		s.Woke = now
	}
	s.Last = now
}

// fits reports whether one more message of a trader, who has used so much, keeps what is the others'. Of others who are not awake for a whole window yet, the share counts whole for
// those who woke no later, when the message is within the trader's own share; and for all of them when it is not.
func (b *budget) fits(s *portion, used int, now hub.Time) bool {
	level := b.level(s, now)
	if used < level {
		return true
	}
	beyond := used >= s.own
	sum := max(used+1, level)
	if beyond {
		sum = max(used+1, s.own)
	}
	for i := range b.Shares {
		other := &b.Shares[i]
		if other == s {
			continue
		}
		kept := other.own
		if b.idle(other, now) || !beyond && other.Woke > s.Woke {
			kept = other.floor
		}
		sum += max(other.Used.count(now, b.Limit.Window), kept)
	}
	return sum <= b.room()
}

// total is how many messages are in the window.
func (b *budget) total(now hub.Time) int {
	n := b.Reserve.count(now, b.Limit.Window)
	for i := range b.Shares {
		n += b.Shares[i].Used.count(now, b.Limit.Window)
	}
	return n
}

// used is how much of the own share a trader has used up.
func (b *budget) used(s *portion, now hub.Time) int {
	return s.Used.count(now, b.Limit.Window) + s.Refused.count(now, b.Limit.Window)
}

// takes reports whether the channel takes an order of a trader now.
func (b *budget) takes(s *portion, now hub.Time) bool {
	return b.total(now) < b.Limit.Messages && b.fits(s, b.used(s, now), now)
}

// outOfBudget refuses an order that the channel has no room for.
func (c *Core) outOfBudget(o *order) (hub.Refusal, bool) {
	g := c.gateway(o.Gateway)
	if g == nil {
		return hub.Refusal{}, false
	}
	for i := range g.Budgets {
		b := &g.Budgets[i]
		s := b.share(o.Trader)
		if s == nil {
			continue // not configured: refused for that
		}
		b.heard(s, c.now)
		if !b.takes(s, c.now) {
			return b.refusal(g.Name, s, c.now), true
		}
	}
	return hub.Refusal{}, false
}

func (b *budget) refusal(gateway hub.GatewayName, s *portion, now hub.Time) hub.Refusal {
	used, why := b.used(s, now), hub.Say("what others do not use is lent already")
	switch {
	case b.total(now) >= b.Limit.Messages:
		why = hub.Say("cancels have used the rest")
	case used < s.own:
		why = hub.Say("what was lent while %s sent nothing is back within %s", s.Trader, b.Limit.Window)
	}
	return hub.Refuse(codeBudget, "the channel %s takes %d messages in %s, %d of them kept for cancels; %s has used %d of the %d that are %s's own, and %s",
		gateway, b.Limit.Messages, b.Limit.Window, b.reserve(), s.Trader, used, s.own, s.Trader, why)
}

// spend counts an order that is sent.
func (c *Core) spend(o *order) {
	g := c.gateway(o.Gateway)
	for i := range g.Budgets {
		if s := g.Budgets[i].share(o.Trader); s != nil {
			s.Used.add(c.now)
		}
	}
}

// spendRefused counts an order that is not: unless it was for the budget alone, else a trader who asks a little too often would get nothing at all.
func (c *Core) spendRefused(o *order, refusals []hub.Refusal) {
	g := c.gateway(o.Gateway)
	if g == nil || !slices.ContainsFunc(refusals, func(r hub.Refusal) bool { return r.Code != codeBudget }) {
		return
	}
	for i := range g.Budgets {
		b := &g.Budgets[i]
		if s := b.share(o.Trader); s != nil {
			b.heard(s, c.now)
			if s.Refused.count(c.now, b.Limit.Window) < b.Limit.Messages { // more change nothing
				s.Refused.add(c.now)
			}
		}
	}
}

// cancelAtVenue sends a cancel, and counts it: to the share of the trader who asked, and to the reserve when there is no room in it, or nobody asked but the operator or the hub.
func (c *Core) cancelAtVenue(o *order, asked hub.TraderName) {
	c.emit(CancelAtVenue{Order: o.Order})
	g := c.gateway(o.Gateway)
	if g == nil {
		return
	}
	for i := range g.Budgets {
		b := &g.Budgets[i]
		s := b.share(asked)
		if s == nil {
			b.Reserve.add(c.now)
			continue
		}
		b.heard(s, c.now)
		if b.fits(s, s.Used.count(c.now, b.Limit.Window), c.now) {
			s.Used.add(c.now)
			continue
		}
		b.Reserve.add(c.now)
	}
}

// budgetsOf makes the budgets of a gateway: of what it declares, and what the configuration says, the lower one for each window. Those that stay as they were keep what was used. One that
// changes begins as if everybody woke now, so that its promises hold a window later; that no order goes over the limit holds at once.
func (c *Core) budgetsOf(g *gateway) {
	limits := slices.Clone(g.Declared)
	for _, l := range c.setup.Limits {
		if l.Gateway == g.Name {
			limits = append(limits, l.Limit)
		}
	}
	limits = slices.DeleteFunc(limits, func(l hub.MessageLimit) bool { return !l.Valid() })
	slices.SortStableFunc(limits, func(a, b hub.MessageLimit) int {
		if a.Window != b.Window {
			return int(a.Window - b.Window)
		}
		return a.Messages - b.Messages
	})
	limits = slices.CompactFunc(limits, func(a, b hub.MessageLimit) bool { return a.Window == b.Window })
	old := g.Budgets
	g.Budgets = make([]budget, 0, len(limits))
	for _, l := range limits {
		b := budget{Limit: l}
		for _, t := range c.setup.Traders {
			b.Shares = append(b.Shares, portion{Trader: t.Name, Weight: max(1, t.Share)})
		}
		if i := slices.IndexFunc(old, func(o budget) bool { return o.Limit.Window == l.Window }); i >= 0 {
			b.inherit(&old[i], c.now)
		} else { // whoever sent it, it was sent
			b.Reserve.Times = c.sentThrough(g.Name, l.Window)
		}
		b.divide()
		g.Budgets = append(g.Budgets, b)
	}
}

// sentThrough are the times of what went through a gateway within a window.
func (c *Core) sentThrough(name hub.GatewayName, window time.Duration) []hub.Time {
	var times []hub.Time
	for _, b := range c.traders {
		for _, e := range b.flow.events[b.flow.start:] {
			if _, shared := e.what.counts(); e.at > c.now.Add(-window) && shared.has(tallyMessages) && c.places[e.place].Key.Gateway == name {
				times = append(times, e.at)
			}
		}
	}
	slices.Sort(times)
	return times
}

// inherit takes over what was used of the budget before.
func (b *budget) inherit(old *budget, now hub.Time) {
	same := b.Limit == old.Limit && slices.EqualFunc(b.Shares, old.Shares, func(x, y portion) bool { return x.Trader == y.Trader && x.Weight == y.Weight })
	b.Reserve = old.Reserve
	for i := range old.Shares {
		was := &old.Shares[i]
		s := b.share(was.Trader)
		if s == nil { // gone; what was sent was sent
			b.Reserve.Times = slices.Concat(b.Reserve.image(now, b.Limit.Window).Times, was.Used.image(now, b.Limit.Window).Times)
			slices.Sort(b.Reserve.Times)
			b.Reserve.start = 0
			continue
		}
		s.Used, s.Refused, s.Last, s.Woke = was.Used, was.Refused, was.Last, was.Woke
		if !same && s.Last != 0 {
			s.Woke = now
		}
	}
}

// declare takes in what a gateway says that its channel takes.
func (c *Core) declare(g *gateway, limits []hub.MessageLimit) {
	if slices.Equal(g.Declared, limits) {
		return
	}
	for _, l := range limits {
		if !l.Valid() {
			c.alert("gateway %s declares a message limit of %s, which makes no sense; it is not kept", g.Name, l)
		}
	}
	g.Declared = slices.Clone(limits)
	c.budgetsOf(g)
	for i := range g.Budgets {
		b := &g.Budgets[i]
		c.tell("", Info, "", hub.Say("gateway %s takes %d messages in %s; %d are kept for cancels, the traders share the rest", g.Name, b.Limit.Messages, b.Limit.Window, b.reserve()))
	}
}

func (g *gateway) image(now hub.Time) gateway {
	im := *g
	im.Declared = slices.Clone(g.Declared)
	im.Budgets = make([]budget, len(g.Budgets))
	for i := range g.Budgets {
		b := &g.Budgets[i]
		to := budget{Limit: b.Limit, Reserve: b.Reserve.image(now, b.Limit.Window), Shares: slices.Clone(b.Shares)}
		for j := range to.Shares {
			to.Shares[j].Used = b.Shares[j].Used.image(now, b.Limit.Window)
			to.Shares[j].Refused = b.Shares[j].Refused.image(now, b.Limit.Window)
		}
		im.Budgets[i] = to
	}
	return im
}

// ShareStanding is how a trader stands with one limit of a gateway's channel.
type ShareStanding struct {
	Trader hub.TraderName
	// Own is the trader's share; Kept of it is there at once, the rest may be lent, and is back a window after the trader sent something.
	Own, Kept int
	// Used counts against the share: messages of the trader within the window, and orders that were refused.
	Used int
}

// BudgetStanding is how one limit of a gateway's channel stands.
type BudgetStanding struct {
	Limit hub.MessageLimit
	// Reserve of the limit is kept for cancels. Used is what is in the window.
	Reserve, Used int
	Shares        []ShareStanding
}

// Budgets returns how the message limits of a gateway stand at a time; none when it has none.
func (c *Core) Budgets(name hub.GatewayName, now hub.Time) []BudgetStanding {
	g := c.gateway(name)
	if g == nil {
		return nil
	}
	im := g.image(c.now) // a question changes nothing
	now = max(now, c.now)
	out := make([]BudgetStanding, 0, len(im.Budgets))
	for i := range im.Budgets {
		b := &im.Budgets[i]
		b.divide()
		standing := BudgetStanding{Limit: b.Limit, Reserve: b.reserve(), Used: b.total(now)}
		for j := range b.Shares {
			s := &b.Shares[j]
			standing.Shares = append(standing.Shares, ShareStanding{Trader: s.Trader, Own: s.own, Kept: b.level(s, now), Used: b.used(s, now)})
		}
		out = append(out, standing)
	}
	return out
}

// ofChannel answers rules about the channel that the order would take: its narrowest window.
func (s *source) ofChannel(v policy.Var) policy.Value {
	g := s.core.gateway(s.contract.Gateway)
	if g == nil {
		return policy.Missing("the gateway is not configured")
	}
	if len(g.Budgets) == 0 {
		return policy.Missing("gateway " + string(g.Name) + " has no message limit")
	}
	b := &g.Budgets[0]
	own := b.share(s.order.Trader)
	//exhaustive:ignore
	switch {
	case v == policy.ChannelLimit:
		return policy.Count(b.Limit.Messages)
	case own == nil:
		return policy.Missing("the trader is not configured")
	case v == policy.ChannelShare:
		return policy.Count(own.own)
	case v == policy.ChannelShareLeft:
		return policy.Count(max(0, own.own-b.used(own, s.core.now)))
	}
	return policy.Missing("it is not known to this hub")
}

// checkBudgets sees that what is kept for everybody is within the budget.
func (c *Core) checkBudgets() error {
	for _, g := range c.gateways {
		im := g.image(c.now)
		for i := range im.Budgets {
			b := &im.Budgets[i]
			b.divide()
			own := 0
			for j := range b.Shares {
				own += b.Shares[j].own
				if n := g.Budgets[i].Shares[j].own; n != b.Shares[j].own {
					return fmt.Errorf("gateway %s: the share of %s is %d and should be %d", g.Name, b.Shares[j].Trader, n, b.Shares[j].own)
				}
			}
			if own > b.room() {
				return fmt.Errorf("gateway %s: shares of %d in a budget of %d", g.Name, own, b.room())
			}
		}
	}
	return nil
}

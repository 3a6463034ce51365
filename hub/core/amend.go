package core

import (
	"errors"
	"fmt"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/policy"
)

// A working order can be amended where its venue can: its price, its quantity in all, or both. Between the decision and the venue's answer it may be either at the venue, so it counts as the
// larger of the two, and meets others at the further price. docs/decisions/0020-amendments.md has the whole of it.

const (
	codeAmend       = "amend"             // the order is not one that can be amended, or not now
	codeAmendUnable = "amend-unsupported" // its gateway cannot
)

// amended is what an order that is to be amended counts for in what could come of it: what may still trade of it as it is, or as it would be, whichever is more.
type amended struct {
	left  hub.Decimal
	worst hub.Decimal // price of its value
	hold  hold
}

// amend decides about an amendment.
func (c *Core) amend(in hub.AmendOrder) {
	o := c.orders[in.OrderID]
	if o == nil || in.Trader != "" && o.Trader != in.Trader {
		c.emit(AmendAnswered{Err: fmt.Sprintf("order %s is not known", in.OrderID)})
		return
	}
	t := *o // as it would be
	if !in.Price.IsZero() {
		t.Price = in.Price
	}
	if !in.Qty.IsZero() {
		t.Qty = in.Qty
	}
	t.OrderRequest, t.Tries = tidy(t.OrderRequest), 0
	b, k := c.byTrader[o.Trader], c.contracts[key{o.Gateway, o.Instrument}]
	if own := c.unamendable(o, &t, k, in); len(own) > 0 {
		c.refuseAmend(&t, b, k, own)
		return
	}
	permit, refusals := c.decideAmend(o, &t, b, k, in)
	if len(refusals) > 0 {
		c.refuseAmend(&t, b, k, refusals)
		return
	}
	c.happened(b, k, amendSent, amounts{})
	c.spend(o)
	for _, x := range []*book{b, c.fund} {
		x.Repeats.add(c.now, likenessOf(&t))
	}
	c.emit(AmendAnswered{Order: permit.Order(), Revision: permit.Revision(), Considered: c.considered, Shadows: c.inShadow(), Warnings: c.told.warnings})
	c.emit(Amend{Permit: permit})
	c.warn(o)
	c.change(o, func() {
		c.rework(o, func() {
			o.Amendment = permit.Order().Amendment
			o.Amends, o.AmendSince, o.AmendWorst = o.Amendment.Number, c.now, t.Worst
			o.SizedAt = c.seq
		})
	})
}

// unamendable finds why an order cannot become t, whatever the rules say.
func (c *Core) unamendable(o, t *order, k *contract, in hub.AmendOrder) []hub.Refusal {
	no := func(format string, args ...any) []hub.Refusal {
		return []hub.Refusal{hub.Refuse(codeAmend, format, args...)}
	}
	switch {
	case o.Status.Final():
		return no("order %s is done: %s", o.ID, o.Status)
	case o.Ask != 0:
		return no("order %s is not decided yet", o.ID)
	case o.Flatten != 0:
		return no("order %s is the hub's own, which closes a position", o.ID)
	case o.CancelAsked || o.Ending:
		return no("order %s is being cancelled", o.ID)
	case o.Amending():
		return no("an amendment of order %s, to %s at %s, is under way; the venue has not answered yet", o.ID, o.Amendment.Qty, o.Amendment.Price)
	case o.InDoubt:
		return no("order %s is in doubt: %s", o.ID, hub.Fixed(o.Reason))
	case o.Status == hub.Submitted:
		return no("the venue has not confirmed order %s yet", o.ID)
	case o.Type != hub.Limit:
		return no("only limit orders are amended, and order %s is of type %s; cancel it and send it anew", o.ID, o.Type)
	case in.FromQty.IsPos() && (!in.FromPrice.Equal(o.Price) || !in.FromQty.Equal(o.Qty)):
		return no("order %s is for %s at %s now, and was for %s at %s when it was looked at", o.ID, o.Qty, o.Price, in.FromQty, in.FromPrice)
	case t.Price.Equal(o.Price) && t.Qty.Equal(o.Qty):
		return no("order %s is for %s at %s already", o.ID, o.Qty, o.Price)
	case t.Qty.Cmp(o.Filled) <= 0 && t.Qty.IsPos():
		return no("%s of order %s are filled already, so it cannot be for %s; cancel it instead", o.Filled, o.ID, t.Qty)
	}
	if why, is := c.cutOff(o, in.Asked); is {
		return no("%s, after the amendment was asked for", why)
	}
	if g := c.gateway(o.Gateway); g == nil || g.Up && !g.Amends {
		return []hub.Refusal{hub.Refuse(codeAmendUnable, "gateway %s cannot amend orders; cancel order %s and send it anew", o.Gateway, o.ID)}
	}
	if k.Delisted {
		return no("gateway %s does not trade %s any more; order %s can only be cancelled", o.Gateway, o.Instrument, o.ID)
	}
	return badRequest(t, k)
}

// decideAmend asks everybody about an order as it would be. While they are asked, the order as it is counts nowhere: else it would count twice.
func (c *Core) decideAmend(o, t *order, b *book, k *contract, in hub.AmendOrder) (gate.Permit, []hub.Refusal) {
	var sum hub.Sum
	was := holdOf(&sum, o, k)
	c.must(&sum, "holding "+string(o.ID))
	c.takeOut(o, b, k, was)
	defer c.putBack(o, b, k, was)

	rest := *t // what may still trade of it
	rest.Qty = sum.Sub(o.Largest().Max(t.Qty), o.Filled)
	own := c.against(&rest, b, k, in.Market)
	t.Worst = rest.Worst
	counts := &amended{left: rest.Qty, worst: o.Worst.Max(t.Worst), hold: was.larger(holdOf(&sum, t, k))}
	if sum.Err() != nil {
		own = append(own, hub.Refuse("not-computable", "the value of %s at %s is out of range", t.Qty, t.Price))
		counts.hold = was
	}
	candidate := o.Order
	candidate.Amendment = hub.Amendment{Number: o.Amends + 1, Price: t.Price, Qty: t.Qty}
	c.consider(t, b, k)
	defer c.considerNoMore()
	s := &source{core: c, order: t, contract: k, trader: b, lane: c.lane(b, c.placeOf(k)), market: in.Market, amended: counts}
	return c.ask(s, gate.Case{Order: candidate, Refusals: own, Rules: c.rules, Managers: c.setup.Managers, Verdicts: in.Verdicts, Source: s, Lang: b.lang})
}

// takeOut makes an active order count nowhere, for as long as another is decided in its place.
func (c *Core) takeOut(o *order, b *book, k *contract, h hold) {
	c.worksNot(o)
	c.count(o, b, k, h, -1)
}

func (c *Core) putBack(o *order, b *book, k *contract, h hold) {
	c.count(o, b, k, h, +1)
	c.works(o)
}

func (c *Core) count(o *order, b *book, k *contract, h hold, sign int) {
	var sum hub.Sum
	for _, x := range []*book{b, c.fund} {
		p := x.position(k.key)
		x.Active += sign
		p.activate(sign)
		x.apply(&sum, p, o.Direction, h, sign)
	}
	c.must(&sum, "counting "+string(o.ID))
}

// refuseAmend tells that an order stays as it is, and counts that its owner asked.
func (c *Core) refuseAmend(t *order, b *book, k *contract, refusals []hub.Refusal) {
	c.happened(b, k, amendRefused, amounts{})
	b.Repeats.add(c.now, likenessOf(t))
	c.spendRefused(t, refusals)
	o := c.orders[t.ID]
	c.emit(AmendAnswered{Order: o.Order, Refusals: refusals, Revision: c.revision(), Considered: c.considered, Shadows: c.inShadow()})
	c.tell(o.Trader, Warning, o.ID, hub.Say("order %s is not amended to %s at %s: %s (rev %s)", o.ID, t.Qty, t.Price, saidBy(refusals), c.revision()))
	for _, r := range refusals {
		if r.Code == codeCross {
			c.crossed(t, false)
		}
	}
}

// rework changes what decides where an active order stands among the fund's own.
func (c *Core) rework(o *order, f func()) {
	c.worksNot(o)
	f()
	c.works(o)
}

// reach is the price to which an order can trade: the further one while it is being amended.
func (o *order) reach() hub.Decimal {
	switch {
	case !o.Amending():
		return o.Price
	case o.Direction == hub.Long:
		return o.Price.Max(o.Amendment.Price)
	}
	return o.Price.Min(o.Amendment.Price)
}

// unamend ends the amendment that is under way, whatever came of it.
func (o *order) unamend() {
	o.Amendment = hub.Amendment{}
	o.AmendWorst, o.AmendSince, o.AmendDoubt = hub.Decimal{}, 0, false
}

// confirm makes an active order what its amendment says: the venue has said so, or proved it.
func (c *Core) confirm(o *order) {
	c.rework(o, func() {
		o.Price, o.Qty, o.Worst, o.Confirmed = o.Amendment.Price, o.Amendment.Qty, o.AmendWorst, o.Amendment.Number
		o.SizedAt = c.seq
		o.unamend()
	})
}

// proves: so much can only be filled of an order if its amendment was done.
func (o *order) proves(filled hub.Decimal) bool {
	return o.Amending() && o.Qty.Less(filled) && filled.Cmp(o.Amendment.Qty) <= 0
}

// ifDone ends an order of which nothing is left, now that its quantity is known.
func (c *Core) ifDone(o *order) {
	if o.Filled.IsPos() && o.Largest().Cmp(o.Filled) <= 0 {
		if o.Qty.Less(o.Filled) {
			c.alert("gateway %s: order %s for %s is filled with %s", o.Gateway, o.ID, o.Qty, o.Filled)
		}
		o.Status = hub.Filled
	}
}

// amended takes in what the venue says that an order is for now.
func (c *Core) amended(o *order, in hub.VenueReport) {
	price, qty := in.Price.Trim(0), in.Qty.Trim(0)
	if in.Amendment != 0 && in.Amendment <= o.Confirmed {
		return // it has said so before
	}
	asked := o.Amending() && (in.Amendment == o.Amendment.Number || in.Amendment == 0 && price.Equal(o.Amendment.Price) && qty.Equal(o.Amendment.Qty))
	if asked && qty.IsZero() && price.IsZero() {
		price, qty = o.Amendment.Price, o.Amendment.Qty
	}
	switch {
	case o.Status.Final():
		c.amendedLate(o, in.Amendment, qty)
		return
	case c.absurd(o, price, qty):
		c.alert("gateway %s: order %s is said to be amended to %s at %s, which makes no sense; the order is in doubt", o.Gateway, o.ID, qty, price)
		c.setDoubt(o, true)
		o.SizedAt = c.seq // what was asked before says nothing of it
		o.Reason = "the venue reported an amendment that makes no sense"
		c.changed(o)
		return
	case !asked && price.Equal(o.Price) && qty.Equal(o.Qty):
		return
	case !asked:
		c.alert("gateway %s: order %s is for %s at %s now, and was for %s at %s; the hub has no such amendment under way, and counts what the venue says", o.Gateway, o.ID, qty, price, o.Qty, o.Price)
	case !price.Equal(o.Amendment.Price) || !qty.Equal(o.Amendment.Qty):
		c.alert("gateway %s: order %s was to be amended to %s at %s, and is for %s at %s", o.Gateway, o.ID, o.Amendment.Qty, o.Amendment.Price, qty, price)
	}
	c.change(o, func() {
		if asked {
			c.confirm(o)
		}
		if !price.Equal(o.Price) || !qty.Equal(o.Qty) {
			c.rework(o, func() { o.Price, o.Qty, o.Worst, o.SizedAt = price, qty, o.Worst.Max(price), c.seq })
		}
		if !o.Ending {
			c.clearDoubt(o)
		}
		if in.VenueID != "" {
			o.VenueID = in.VenueID
		}
		c.ifDone(o)
	})
}

// absurd: no order can be for this.
func (c *Core) absurd(o *order, price, qty hub.Decimal) bool {
	var sum hub.Sum
	value := money(&sum, price, qty, c.contracts[key{o.Gateway, o.Instrument}].unit)
	return !price.IsPos() || !qty.IsPos() || outOfRange(price) || outOfRange(qty) || sum.Err() != nil || fortune.Cmp(value) <= 0
}

// amendedLate is a confirmation of an order that has ended. One that overtook nothing is old news; one that says that a filled order has more to trade is not.
func (c *Core) amendedLate(o *order, number uint64, qty hub.Decimal) {
	switch {
	case o.Status == hub.Filled && o.Filled.Less(qty):
		c.alert("gateway %s: order %s is said to be for %s now, and was thought to be FILLED with %s; it is cancelled there", o.Gateway, o.ID, qty, o.Filled)
		c.cancelAtVenue(o, "")
	case number == 0 || number > o.Amends:
		c.alert("gateway %s: order %s is said to be amended, and is %s", o.Gateway, o.ID, o.Status)
	}
}

// amendRejected: the order stays as it is.
func (c *Core) amendRejected(o *order, in hub.VenueReport) {
	if in.Amendment == 0 || in.Amendment > o.Amends {
		c.alert("gateway %s: amendment %d of order %s is rejected, and there was none of that number", o.Gateway, in.Amendment, o.ID)
		return
	}
	if in.Amendment == o.Amendment.Number {
		c.notAmended(o, in.Reason)
	}
}

// amendNotSent: the amendment never left the hub.
func (c *Core) amendNotSent(o *order, in hub.VenueReport) {
	if in.Amendment == o.Amendment.Number && o.Amending() {
		c.notAmended(o, "it was not sent: "+in.Reason)
	}
}

// notAmended ends an amendment that was not done. What was in doubt for another reason stays so.
func (c *Core) notAmended(o *order, why string) {
	was := o.Amendment
	c.change(o, func() {
		c.rework(o, o.unamend)
		c.ifDone(o)
	})
	c.tell(o.Trader, Warning, o.ID, hub.Say("order %s is not amended to %s at %s: %s", o.ID, was.Qty, was.Price, hub.Fixed(why)))
}

// endedAmending tells that an order has ended, and its amendment with it. The order is no longer among those that work.
func (c *Core) endedAmending(o *order) {
	if !o.Amending() {
		return
	}
	c.tell(o.Trader, Info, o.ID, hub.Say("order %s is %s; its amendment to %s at %s came to nothing", o.ID, o.Status, o.Amendment.Qty, o.Amendment.Price))
	o.unamend()
}

// settleAmendment settles by how an order stands at the venue what was in doubt about its amendment. One that was asked for after the question may not be in the answer.
func (c *Core) settleAmendment(o *order, v hub.VenueOrder) {
	if o.Status.Final() || o.Amending() && !o.AmendDoubt {
		return
	}
	as := func(a hub.Amendment) bool { return v.Price.Equal(a.Price) && v.Qty.Equal(a.Qty) }
	stated := v.Price.IsPos() && v.Qty.IsPos()
	switch {
	case !stated && o.Amending() && v.Status == hub.Filled && o.Filled.Equal(o.Amendment.Qty):
		c.amended(o, hub.VenueReport{Amendment: o.Amendment.Number})
	case !stated && o.Amending() && v.Status == hub.Filled:
		c.notAmended(o, "it was filled before")
	case !stated:
	case !o.Amending():
		c.amended(o, hub.VenueReport{Price: v.Price, Qty: v.Qty})
	case as(o.Amendment):
		c.amended(o, hub.VenueReport{Amendment: o.Amendment.Number, Price: v.Price, Qty: v.Qty})
	case as(hub.Amendment{Price: o.Price, Qty: o.Qty}):
		c.notAmended(o, "the venue did not do it, or it never arrived")
	default:
		c.notAmended(o, "the venue has it otherwise")
		c.amended(o, hub.VenueReport{Price: v.Price, Qty: v.Qty})
	}
}

// doubtAmendments puts in doubt what has not been answered for long, and asks.
func (c *Core) doubtAmendments(in hub.DoubtAmendments) {
	for _, g := range c.gateways {
		var ask []hub.OrderID
		for _, o := range c.orderList {
			if o.Gateway != g.Name || !o.overdue(in.Since) || !g.Up {
				continue
			}
			ask = append(ask, o.ID)
			c.setDoubt(o, true)
			o.AmendDoubt, o.Asked = true, true
			o.Reason = "the venue has not answered its amendment"
			c.changed(o)
			c.tell(o.Trader, Warning, o.ID, hub.Say("order %s: gateway %s has not answered its amendment to %s at %s; the venue is asked", o.ID, g.Name, o.Amendment.Qty, o.Amendment.Price))
		}
		if len(ask) > 0 {
			c.emit(AskVenue{Gateway: g.Name, Orders: ask, AskedAt: c.seq})
		}
	}
}

func (o *order) overdue(since hub.Time) bool {
	return o.Amending() && !o.AmendDoubt && o.AmendSince <= since
}

// AmendsSince returns since when the oldest amendment has been under way that is not in doubt; false when none is.
func (c *Core) AmendsSince() (hub.Time, bool) {
	since, any := hub.Time(0), false
	for _, o := range c.orderList {
		if o.Amending() && !o.AmendDoubt && (!any || o.AmendSince < since) {
			since, any = o.AmendSince, true
		}
	}
	return since, any
}

// checkAmendments: what is being amended works, and what is said of amendments fits together.
func (c *Core) checkAmendments() error {
	var errs []error
	for _, o := range c.orderList {
		switch {
		case o.Amending() && (o.Status.Final() || o.Ask != 0 || o.Revision == "" || o.Amendment.Number != o.Amends || !o.AmendWorst.IsPos() || !o.Amendment.Qty.IsPos()),
			o.Confirmed > o.Amends, o.Amending() && o.Confirmed >= o.Amendment.Number,
			o.AmendDoubt && (!o.Amending() || !o.InDoubt), !o.Amending() && (!o.AmendWorst.IsZero() || o.AmendSince != 0):
			errs = append(errs, fmt.Errorf("order %s %s: amendment %+v of %d, %d confirmed, in doubt %t and %t", o.ID, o.Status, o.Amendment, o.Amends, o.Confirmed, o.InDoubt, o.AmendDoubt))
		}
	}
	return errors.Join(errs...)
}

// left is what may trade yet of the order that is decided: all of a new one.
func (s *source) left() hub.Decimal {
	if s.amended != nil {
		return s.amended.left
	}
	return s.order.Qty
}

// leftValue is its value.
func (s *source) leftValue() policy.Value {
	if s.amended == nil || s.order.Worst.IsZero() {
		return s.orderValue()
	}
	return policy.Number(s.amended.hold.value)
}

// worst is the price at which it is valued.
func (s *source) worst() hub.Decimal {
	if s.amended != nil {
		return s.amended.worst
	}
	return s.order.Worst
}

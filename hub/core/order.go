package core

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tradehub/hub"
	"tradehub/hub/gate"
)

// order is a hub.Order with what the core remembers of it.
type order struct {
	hub.Order `cbor:"1,keyasint"`
	// Worst is the price at which the order is valued.
	Worst hub.Decimal `cbor:"2,keyasint,omitzero"`
	// Aged: a trading day began after it was sent, so what it closes is yesterday's now.
	Aged  bool   `cbor:"3,keyasint,omitempty"`
	Fills []fill `cbor:"4,keyasint,omitempty"`
	// Day on which it was decided, and, once it is done, on which it ended.
	Day hub.Day `cbor:"5,keyasint,omitempty"`
	// Revision of the policy that decided.
	Revision string `cbor:"6,keyasint,omitempty"`
	// Ask is of an order that is taken and not decided; 0 once it is.
	Ask uint64 `cbor:"9,keyasint,omitempty"`
	// Ending: the venue cancelled it with EndsAt filled, and some of the fills have not been reported yet. It holds what is missing.
	Ending bool        `cbor:"7,keyasint,omitempty"`
	EndsAt hub.Decimal `cbor:"8,keyasint,omitzero"`
	// Flatten is the number of the flattening whose closing order it is; 0 of a trader's own order.
	Flatten uint64 `cbor:"60,keyasint,omitempty"`
	// Closed: some of its fills closed something. Gain is what all its fills realised, after their commission.
	Closed bool        `cbor:"50,keyasint,omitempty"`
	Gain   hub.Decimal `cbor:"51,keyasint,omitzero"`
	// Absent: the hub was told that it never reached the venue.
	Absent bool `cbor:"53,keyasint,omitempty"`
	// Asked: the venue is being asked about it, so it may have news.
	Asked bool `cbor:"52,keyasint,omitempty"`

	// Tries is how often it met orders of the fund and waited for their cancellation; Waits are those that it waits for now, WaitSince is when that began.
	Tries     int           `cbor:"80,keyasint,omitempty"`
	WaitSince hub.Time      `cbor:"81,keyasint,omitempty"`
	Waits     []hub.OrderID `cbor:"82,keyasint,omitempty"`

	// Amends is how many amendments were sent, Confirmed the highest number of one that the venue did.
	Amends    uint64 `cbor:"115,keyasint,omitempty"`
	Confirmed uint64 `cbor:"116,keyasint,omitempty"`
	// AmendWorst is the price at which the order is valued as its amendment has it, AmendSince is when that was sent. AmendDoubt: what became of it is not known; the order is in doubt, then.
	AmendWorst hub.Decimal `cbor:"117,keyasint,omitzero"`
	AmendSince hub.Time    `cbor:"118,keyasint,omitempty"`
	AmendDoubt bool        `cbor:"119,keyasint,omitempty"`
	// SizedAt is the entry by which its price or quantity was last changed, or was to be: an answer to a question from before it may be about the order as it was.
	SizedAt uint64 `cbor:"120,keyasint,omitempty"`

	number uint64 // of all orders, the order's id has it
}

// resized: its price or quantity may not be what it was sent with.
func (o *order) resized() bool { return o.Amends > 0 || o.SizedAt > 0 }

type fill struct {
	hub.Trade `cbor:"1,keyasint"`
	Count     uint64 `cbor:"2,keyasint"` // of all fills, in the order in which they were booked
	// Venue is the venue's name of the trade where the hub gave it another: when another order had a fill of that name. Else the trade's ID is the venue's.
	Venue string `cbor:"80,keyasint,omitempty"`
}

func (o *order) hasFill(id string) bool {
	return slices.ContainsFunc(o.Fills, func(f fill) bool { return f.name() == id })
}

func (c *Core) submit(in hub.SubmitOrder) {
	o := c.newOrder(in.Trader, in.Gateway, in.Request)
	if o == nil {
		return
	}
	if why, is := c.cutOff(o, in.Asked); is {
		c.withdrawn(o, why)
		return
	}
	c.conclude(o, in.Gateway, in.Market, in.Verdicts)
}

// newOrder gives a request an id. It is nil, and the refusal is emitted, when nobody of that name has a book: the edges never let such a name in.
func (c *Core) newOrder(trader hub.TraderName, gateway hub.GatewayName, req hub.OrderRequest) *order {
	if c.byTrader[trader] == nil {
		c.emit(Decided{Refusals: []hub.Refusal{hub.Refuse("no-trader", "trader %s is not configured", trader)}})
		return nil
	}
	c.orderCount++
	o := &order{
		Order: hub.Order{
			ID: hub.OrderID(c.head + strconv.FormatUint(c.orderCount, 10)), Trader: trader, OrderRequest: tidy(req), Gateway: gateway, Time: c.now, Updated: c.now,
		},
		Day: c.dayOf(req.Exchange), number: c.orderCount,
	}
	c.orders[o.ID] = o
	c.orderList = append(c.orderList, o)
	return o
}

// take gives an order its id and leaves the decision for later. It holds nothing yet.
func (c *Core) take(in hub.TakeOrder) {
	o := c.newOrder(in.Trader, in.Gateway, in.Request)
	if o == nil {
		return
	}
	o.Status, o.Ask = hub.Submitted, in.Ask
	if k := c.findContract(in.Gateway, o.Instrument); k != nil {
		o.Gateway = k.Gateway
	}
	if why, is := c.cutOff(o, in.Asked); is {
		o.CancelAsked, o.Reason = true, why
	}
	c.undecided[in.Ask] = o
	c.emit(Taken{Order: o.Order})
	c.emit(OrderChanged{Order: o.Order})
}

// judge decides about an order that was taken. There is none when the hub was restarted between the two.
func (c *Core) judge(in hub.JudgeOrder) {
	o := c.undecided[in.Ask]
	if o == nil || len(o.Waits) > 0 {
		return
	}
	c.settled(o)
	if o.CancelAsked {
		c.withdrawn(o, o.Reason)
		return
	}
	if in.Late {
		b := c.byTrader[o.Trader]
		c.happened(b, c.contracts[key{o.Gateway, o.Instrument}], orderRefused, amounts{})
		c.refuse(o, b, []hub.Refusal{hub.Refuse("late", "the hub could not save its decision in time; the order was not sent")})
		return
	}
	c.conclude(o, o.Gateway, in.Market, in.Verdicts)
}

func (c *Core) settled(o *order) {
	delete(c.undecided, o.Ask)
	if o.Ask >= waitAsk {
		c.waitsNot(o)
		o.Waits = nil
	}
	o.Ask = 0
}

// dropUndecided rejects what a hub that ended had taken and not decided.
func (c *Core) dropUndecided() {
	if len(c.undecided) == 0 {
		return
	}
	for _, o := range slices.Clone(c.orderList) {
		if o.Ask != 0 {
			c.settled(o)
			c.happened(c.byTrader[o.Trader], c.contracts[key{o.Gateway, o.Instrument}], orderDropped, amounts{})
			c.refuse(o, c.byTrader[o.Trader], []hub.Refusal{hub.Refuse("restarted", "the hub was restarted before it had decided; the order was not sent")})
		}
	}
}

// conclude decides about an order, and sends or refuses it.
func (c *Core) conclude(o *order, named hub.GatewayName, market hub.MarketView, verdicts []hub.Verdict) {
	b := c.byTrader[o.Trader]
	known := o.Status == hub.Submitted // its owner has seen it so
	c.considered = Considered{}
	c.told.reset()
	permit, refusals := c.decide(o, b, named, market, verdicts)
	if c.mayWait(o, c.notLifted(o, refusals)) {
		c.await(o)
		return
	}
	b.Repeats.add(c.now, likenessOf(o))
	k := c.contracts[key{o.Gateway, o.Instrument}]
	if len(refusals) > 0 {
		c.happened(b, k, orderRefused, amounts{})
		c.spendRefused(o, refusals)
		c.refuse(o, b, refusals)
		return
	}
	c.sent(o, b, k, permit)
	used, lifted := c.useOverride(o, permit)
	c.emit(Decided{Order: o.Order, Revision: o.Revision, Override: used, Lifted: lifted, Considered: c.considered, Shadows: c.inShadow(), Warnings: c.told.warnings})
	c.emit(Send{Permit: permit})
	c.warn(o)
	c.overrideUsed(o, used, lifted)
	if known {
		c.bookChanged(o)
		return
	}
	c.changed(o)
}

// sent counts and holds an order that has its permit.
func (c *Core) sent(o *order, b *book, k *contract, permit gate.Permit) {
	c.happened(b, k, orderSent, amounts{})
	c.spend(o)
	c.fund.Repeats.add(c.now, likenessOf(o)) // what never left is its trader's own affair: it must not use up what the others may send
	o.Status, o.Updated = hub.Submitted, c.now
	o.Revision = permit.Revision()
	for _, x := range []*book{b, c.fund} {
		x.Active++
		x.position(k.key).activate(+1)
	}
	c.hold(o, hold{}, k)
	c.works(o)
}

// tidy makes equal numbers equal bit by bit: 3500.0 and 3500 are one price.
func tidy(r hub.OrderRequest) hub.OrderRequest {
	r.Price, r.Qty = r.Price.Trim(0), r.Qty.Trim(0)
	return r
}

func likenessOf(o *order) likeness {
	return likeness{key{o.Gateway, o.Instrument}, o.Direction, o.Offset, o.Type, o.Qty, o.Price}
}

func (c *Core) refuse(o *order, b *book, refusals []hub.Refusal) {
	o.Status, o.Updated, o.Day = hub.Rejected, c.now, c.dayOf(o.Exchange)
	b.Finished++
	for i := range refusals {
		refusals[i] = refusals[i].For(b.lang)
	}
	o.Reason = sentence(refusals)
	c.emit(Decided{Order: o.Order, Refusals: refusals, Revision: c.revision(), Considered: c.considered, Shadows: c.inShadow()})
	c.emit(OrderChanged{Order: o.Order})
	c.emit(Notice{Trader: o.Trader, Level: Warning, Text: o.Reason, Local: sentenceIn(b.lang, refusals), Refusals: refusals, OrderID: o.ID})
	if slices.ContainsFunc(refusals, func(r hub.Refusal) bool { return r.Code == codeCross }) {
		c.crossed(o, false)
	}
	c.trim(b)
}

// sentence is what a person reads: every refusal with its place.
func sentence(refusals []hub.Refusal) string { return saidBy(refusals).String() }

func (c *Core) revision() string {
	if c.rules == nil {
		return ""
	}
	return c.rules.Revision()
}

// decide finds everything that speaks against an order: what the hub itself asks of every order, then the gate. Gateway and offset of the order are filled in.
func (c *Core) decide(o *order, b *book, named hub.GatewayName, market hub.MarketView, verdicts []hub.Verdict) (gate.Permit, []hub.Refusal) {
	k := c.findContract(named, o.Instrument)
	if k == nil {
		if named != "" {
			return gate.Permit{}, []hub.Refusal{hub.Refuse("contract", "gateway %s does not trade %s", named, o.Instrument)}
		}
		return gate.Permit{}, []hub.Refusal{hub.Refuse("contract", "no gateway trades %s", o.Instrument)}
	}
	if k.Next != nil && c.idle(k.key) {
		c.become(k, c.newContract(*k.Next))
	}
	o.Gateway = k.Gateway
	if k.NetPosition {
		o.Offset = hub.NoOffset
	}
	if own := badRequest(o, k); len(own) > 0 {
		return gate.Permit{}, own // rules cannot be asked about numbers that make no sense
	}
	own := c.against(o, b, k, market)
	candidate := o.Order
	candidate.Status = hub.Submitted
	c.consider(o, b, k)
	defer c.considerNoMore()
	s := &source{core: c, order: o, contract: k, trader: b, lane: c.lane(b, c.placeOf(k)), market: market}
	return c.ask(s, gate.Case{
		Order: candidate, Refusals: own, Rules: c.rules, Managers: c.setup.Managers, Verdicts: verdicts, Source: s, Overrides: c.openOverrides(), Now: c.now, Lang: b.lang,
	})
}

// against is what the hub itself has against an order of which the numbers make sense. It is valued here.
func (c *Core) against(o *order, b *book, k *contract, market hub.MarketView) (own []hub.Refusal) {
	if r, bad := c.notBegun(market.Session); bad {
		own = append(own, r)
	}
	if r, bad := valued(o, k, market); bad {
		own = append(own, r)
	}
	if r, bad := c.unrated(o, b, k); bad {
		own = append(own, r)
	}
	if !b.Configured {
		own = append(own, hub.Refuse("no-trader", "trader %s is not configured", b.Trader))
	}
	own = c.flattens(c.forbidden(own, o, b, k), o)
	if g := c.gateway(k.Gateway); g == nil {
		own = append(own, hub.Refuse("gateway-down", "gateway %s is not configured", k.Gateway))
	} else if !g.Up {
		own = append(own, hub.Refuse("gateway-down", "gateway %s is down: %s", g.Name, hub.Fixed(g.Reason)))
	}
	if r, bad := closable(o, b, k); bad {
		own = append(own, r)
	}
	if r, bad := c.crossing(o); bad {
		own = append(own, r)
	}
	if r, bad := c.outOfBudget(o); bad {
		own = append(own, r)
	}
	return own
}

// badRequest finds what makes an order impossible whatever the rules say.
func badRequest(o *order, k *contract) []hub.Refusal {
	var out []hub.Refusal
	add := func(code, format string, args ...any) {
		out = append(out, hub.Refuse(code, format, args...))
	}
	if k.Why != "" {
		add("contract", "%s cannot be valued: %s", k.Instrument, k.Why)
	}
	if o.Direction != hub.Long && o.Direction != hub.Short {
		add("direction", "an order is LONG or SHORT, not %q", o.Direction)
	}
	switch o.Type {
	case hub.Limit, hub.FAK, hub.FOK:
		if !o.Price.IsPos() {
			add("price", "a %s order needs a price over 0, not %s", o.Type, o.Price)
		}
	case hub.Stop:
		if !k.StopSupported {
			add("type", "%s has no stop orders at %s", k.Instrument, k.Gateway)
		}
		if !o.Price.IsPos() {
			add("price", "a STOP order needs a price over 0, not %s", o.Price)
		}
	case hub.Market:
	case hub.NoOrderType, hub.RFQ, hub.ETF:
		add("type", "order type %s is not supported", o.Type)
	default:
		add("type", "order type %s is not known", o.Type)
	}
	if outOfRange(o.Price) {
		add("price", "price %s is out of range", o.Price)
	}
	switch {
	case !o.Qty.IsPos() || outOfRange(o.Qty):
		add("quantity", "quantity %s is out of range", o.Qty)
	case k.Why == "":
		if _, rest, err := o.Qty.QuoRem(k.MinQty); err != nil || !rest.IsZero() {
			add("quantity", "quantity %s is not a multiple of %s", o.Qty, k.MinQty)
		}
		if k.MaxQty.IsPos() && k.MaxQty.Less(o.Qty) {
			add("quantity", "quantity %s is over the venue's largest, %s", o.Qty, k.MaxQty)
		}
	}
	if !k.NetPosition && o.Offset == hub.NoOffset {
		add("offset", "an order for %s must say whether it opens or closes", k.Instrument)
	}
	return out
}

// valued finds the price at which the order is valued, and refuses what cannot be: a hold of nothing would let anything follow. What only closes may go without a market.
func valued(o *order, k *contract, m hub.MarketView) (hub.Refusal, bool) {
	o.Worst = hub.ValuePrice(o.OrderRequest, m)
	if o.Worst.IsZero() && (o.Offset.Closes() || k.NetPosition && k.paidInFull() && o.Direction == hub.Short) {
		o.Worst = o.Price
	}
	if o.Worst.IsZero() && !o.Offset.Closes() {
		return hub.Refuse("not-computable", "the order has no value: no market in %s yet", k.Instrument), true
	}
	var sum hub.Sum
	value := money(&sum, o.Worst, o.Qty, k.unit)
	if sum.Err() != nil || fortune.Cmp(value) <= 0 {
		return hub.Refuse("not-computable", "the value of %s at %s is out of range", o.Qty, o.Worst), true
	}
	return hub.Refusal{}, false
}

// fortune is beyond any money that the hub works with in one order or fill. A million of them still add up.
var fortune = hub.MustDecimal("1000000000000")

// closable: a trader can close only what is the trader's own and not being closed already.
func closable(o *order, b *book, k *contract) (hub.Refusal, bool) {
	var sum hub.Sum
	p := b.peek(k.key)
	have, what, closes := p.free(&sum, k, o.Direction, o.Offset)
	if !closes || o.Qty.Cmp(have) <= 0 {
		return hub.Refusal{}, false
	}
	said := []hub.Words{hub.Say("%s of %s are to be closed, and only %s of the %s %s of %s are free", o.Qty, k.Instrument, have, opposite(o.Direction), hub.Fixed(what), b.Trader)}
	if k.SellNextDay {
		said = append(said, hub.Say("what was bought today can be sold from the next trading day on"))
	}
	return hub.Refuse("offset", "%s", said), true
}

// hold replaces the hold that an order has by the one that it should have now.
func (c *Core) hold(o *order, old hold, k *contract) {
	var sum hub.Sum
	now := holdOf(&sum, o, k)
	for _, b := range []*book{c.byTrader[o.Trader], c.fund} {
		p := b.position(k.key)
		b.apply(&sum, p, o.Direction, old, -1)
		b.apply(&sum, p, o.Direction, now, +1)
	}
	c.touch(k.key)
	c.stir(c.byTrader[o.Trader])
	c.must(&sum, "holding "+string(o.ID))
}

// change alters an order and keeps its hold, the counts of its books and its owner right.
func (c *Core) change(o *order, f func()) {
	var sum hub.Sum
	k := c.contracts[key{o.Gateway, o.Instrument}]
	wasFinal := o.Status.Final()
	old := holdOf(&sum, o, k)
	c.must(&sum, "holding "+string(o.ID))
	f()
	o.Updated = c.now
	if o.Status.Final() && !wasFinal {
		o.Day = c.dayOf(o.Exchange)
		c.setDoubt(o, false)
	}
	c.hold(o, old, k)
	if o.Status.Final() && !wasFinal && len(c.flattenings) > 0 {
		c.emit(FlattenWanted{})
	}
	if o.Status.Final() && !wasFinal {
		b := c.byTrader[o.Trader]
		c.worksNot(o)
		c.endedAmending(o)
		c.wayIsFree(o)
		for _, x := range []*book{b, c.fund} {
			x.Active--
			x.position(k.key).activate(-1)
		}
		b.Finished++
		c.fund.ended(o)
		b.ended(o)
		switch {
		case o.Status == hub.Rejected:
			c.happened(b, k, venueRejected, amounts{})
			c.streak(o, true)
		case o.Status == hub.Cancelled && (o.Type == hub.FAK || o.Type == hub.FOK):
			c.happened(b, k, remainderCancelled, amounts{})
		}
	}
	c.changed(o)
	if o.Status.Final() {
		c.trim(c.byTrader[o.Trader])
	}
}

// trim forgets the oldest final orders of a trader who has too many of them.
func (c *Core) trim(b *book) {
	if b.Finished < 2*finishedMax {
		return
	}
	surplus := b.Finished - finishedMax
	for _, sent := range []bool{false, true} { // of what was sent there may be news: a flood of refused orders must not push it out
		c.forget(func(o *order) bool {
			if o.Trader != b.Trader || surplus == 0 || sent != (o.Revision != "") {
				return false
			}
			surplus--
			return true
		})
	}
}

func (c *Core) setDoubt(o *order, doubt bool) {
	if o.InDoubt == doubt {
		return
	}
	o.InDoubt = doubt
	step := 1
	if !doubt {
		step = -1
	}
	c.stir(c.byTrader[o.Trader])
	k := key{o.Gateway, o.Instrument}
	for _, b := range []*book{c.byTrader[o.Trader], c.fund} {
		b.InDoubt += step
		for _, x := range b.position(k).in {
			x.held.inDoubt += step
		}
	}
}

// changed tells the owner of an order, and of the positions that it freezes.
func (c *Core) changed(o *order) {
	c.emit(OrderChanged{Order: o.Order})
	c.bookChanged(o)
}

func (c *Core) bookChanged(o *order) {
	e := BookChanged{Trader: o.Trader}
	if o.Offset.Closes() {
		e.Gateway, e.Instrument = o.Gateway, o.Instrument
	}
	c.emit(e)
}

// repeatCancel is how soon a venue is asked again, by its owner, to cancel an order.
const repeatCancel = time.Second

func (c *Core) cancel(in hub.CancelOrder) {
	o := c.orders[in.OrderID]
	if o == nil || in.Trader != "" && o.Trader != in.Trader {
		c.emit(CancelAnswered{Err: fmt.Sprintf("order %s is not known", in.OrderID)})
		return
	}
	if o.Status.Final() {
		c.askedToCancel(o)
		c.emit(CancelAnswered{Err: fmt.Sprintf("order %s is done: %s", o.ID, o.Status)})
		return
	}
	if in.Trader != "" && o.CancelAsked && o.Ask == 0 && c.now.Sub(o.Updated) < repeatCancel {
		c.askedToCancel(o) // the venue has been asked: a program that asks in a loop must not use up the channel
		c.emit(CancelAnswered{})
		return
	}
	why := ""
	if in.Trader == "" {
		why = "cancelled by " + in.By
	}
	c.emit(CancelAnswered{})
	c.askCancel(o, why)
}

// byCount sorts fills as they were booked.
func byCount(a, b fill) int { return cmp.Compare(a.Count, b.Count) }

package core

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/policy"
)

const (
	// flattenTries is how often closing orders are sent for a position, each time with a price that is further away.
	flattenTries = 5
	// flattenPatience is how long closing orders may work before they are cancelled and sent anew, and a cancel may go unanswered before it is asked for again.
	flattenPatience = 5 * time.Second
	// flattenOrders bounds how many closing orders of one position work at a time.
	flattenOrders  = 50
	codeFlattening = "flattening"
)

// flattenSlip is how far through the book a closing order may trade at the first try, when the configuration does not say it.
var flattenSlip = hub.MustDecimal("0.02")

// cageSlip is the furthest of shares, at any try: their exchanges reject what is further from the best price.
var cageSlip = hub.MustDecimal("0.02")

// flattening closes every position of a part: it cancels what works, waits for the ends, sends closing orders of its own, and begins again with what is left. It is a part of the state,
// and so goes on after a restart.
type flattening struct {
	ID    uint64   `cbor:"1,keyasint"`
	Part  hub.Part `cbor:"2,keyasint"`
	By    string   `cbor:"3,keyasint"` // "olivia", "watch traders/alpha.yaml:31 day-loss"
	Why   string   `cbor:"4,keyasint,omitempty"`
	Since hub.Time `cbor:"5,keyasint"`
	Legs  []leg    `cbor:"6,keyasint,omitempty"` // in the order in which they were first worked on
}

// leg is what a flattening does about one position.
type leg struct {
	Trader hub.TraderName `cbor:"1,keyasint"`
	Key    key            `cbor:"2,keyasint"`
	Tries  int            `cbor:"3,keyasint,omitempty"`
	Sent   hub.Time       `cbor:"4,keyasint,omitempty"` // the last try
	Held   hub.Decimal    `cbor:"7,keyasint,omitzero"`  // before it
	// Waits is what it waits for, in words; GivenUp: it is why nothing more is done.
	Waits   string `cbor:"5,keyasint,omitempty"`
	GivenUp bool   `cbor:"6,keyasint,omitempty"`
}

func (f *flattening) leg(t hub.TraderName, k key) *leg {
	i := slices.IndexFunc(f.Legs, func(l leg) bool { return l.Trader == t && l.Key == k })
	if i < 0 {
		i = len(f.Legs)
		f.Legs = append(f.Legs, leg{Trader: t, Key: k})
	}
	return &f.Legs[i]
}

func (f *flattening) name() hub.Words { return hub.Say("flatten %s by %s", f.Part.Words(), f.By) }

func reasonedRefusal(f *flattening) hub.Refusal {
	return hub.Refuse(codeFlattening, "%s", reasoned(hub.Say("%s goes on since %s UTC", f.name(), f.Since.UTC().Format(time.TimeOnly)), f.Why))
}

// subjectOf is whose state a part as a whole has; false of a part that is less than a trader, a gateway or the fund.
func subjectOf(p hub.Part) (hub.Scope, string, bool) {
	switch {
	case p.Instrument != hub.Instrument{} || p.Trader != "" && p.Gateway != "":
		return 0, "", false
	case p.Trader != "":
		return hub.ScopeTrader, string(p.Trader), true
	case p.Gateway != "":
		return hub.ScopeGateway, string(p.Gateway), true
	}
	return hub.ScopeFund, "", true
}

// flatten begins to close what a person wants closed.
func (c *Core) flatten(in hub.Flatten) {
	if x := c.haltOf(in.Part); x != nil {
		c.emit(FlattenAnswered{Err: x.sentence(c.now).String() + ": nothing but cancels leaves the hub, closing orders neither; cancel-only lets them through"})
		return
	}
	if scope, name, whole := subjectOf(in.Part); whole {
		c.restrain(restraint{Scope: scope, Name: name, State: hub.CancelOnly, By: in.By, Reason: reasoned(hub.Say("flatten"), in.Reason).String(), Since: c.now})
	}
	c.emit(c.beginFlatten(in.Part, in.By, in.Reason))
}

// haltOf is why nothing of a part may be closed; nil when it may. What is halted of one trader among many stops that trader's positions alone.
func (c *Core) haltOf(p hub.Part) *restraint {
	for _, x := range []*restraint{c.strictest(hub.ScopeFund, ""), c.strictest(hub.ScopeTrader, string(p.Trader)), c.strictest(hub.ScopeGateway, string(p.Gateway))} {
		if x != nil && x.State == hub.Halted {
			return x
		}
	}
	return nil
}

func (c *Core) beginFlatten(part hub.Part, by, why string) FlattenAnswered {
	// The tries of an earlier one of the same part are forgotten: somebody wants it tried again.
	c.flattenings = slices.DeleteFunc(c.flattenings, func(old *flattening) bool { return old.Part == part })
	c.flattenCount++
	f := &flattening{ID: c.flattenCount, Part: part, By: by, Why: why, Since: c.now}
	c.flattenings = append(c.flattenings, f)
	answer := FlattenAnswered{Orders: c.cancelPart(part, reasoned(hub.Say("cancelled to %s", f.name()), why).String())}
	c.eachHeld(f, func(*book, *position) { answer.Positions++ })
	c.emit(FlattenWanted{})
	return answer
}

// eachHeld calls do with every position of a flattening that is not flat, in a fixed order.
func (c *Core) eachHeld(f *flattening, do func(*book, *position)) {
	var sum hub.Sum
	for _, b := range c.traders {
		for _, p := range b.Positions {
			if f.Part.Covers(b.Trader, p.Key.Gateway, p.Key.Instrument) && (!p.Long.qty(&sum).IsZero() || !p.Short.qty(&sum).IsZero()) {
				do(b, p)
			}
		}
	}
}

// legKey is whose working orders a leg looks at.
type legKey struct {
	trader hub.TraderName
	key    key
}

// flattenStep does what can be done at the prices that are given.
func (c *Core) flattenStep(in hub.FlattenStep) {
	if len(c.flattenings) == 0 {
		return
	}
	working := map[legKey][]*order{}
	for _, o := range c.orderList {
		if !o.Status.Final() && o.Ask == 0 {
			k := legKey{o.Trader, key{o.Gateway, o.Instrument}}
			working[k] = append(working[k], o)
		}
	}
	for _, f := range slices.Clone(c.flattenings) {
		left := 0
		c.eachHeld(f, func(b *book, p *position) {
			l := f.leg(b.Trader, p.Key)
			if l.GivenUp {
				return
			}
			i := slices.IndexFunc(in.Markets, func(m hub.FlattenMarket) bool { return m.Gateway == p.Key.Gateway && m.Instrument == p.Key.Instrument })
			var market hub.MarketView
			if i >= 0 {
				market = in.Markets[i].Market
			}
			l.Waits = c.work(f, l, b, p, market, working[legKey{b.Trader, p.Key}])
			if !l.GivenUp {
				left++
			}
		})
		for _, o := range c.orderList { // of positions that are flat: they could open
			if o.Ask != 0 && !o.CancelAsked {
				continue // it was asked for later, and will be refused
			}
			if o.Flatten == 0 && !o.Status.Final() && f.Part.Covers(o.Trader, o.Gateway, o.Instrument) {
				left++
				c.cancelAgain(o, f)
			}
		}
		if left == 0 {
			c.endFlatten(f, hub.Words{})
		}
	}
}

// cancelAgain asks for the cancel of an order that stands in a flattening's way, unless that has been done a moment ago.
func (c *Core) cancelAgain(o *order, f *flattening) {
	if !o.CancelAsked || c.now.Sub(o.Updated) >= flattenPatience {
		if g := c.gateway(o.Gateway); o.CancelAsked && (g == nil || !g.Up || o.Ask != 0) {
			return // it is asked when the gateway is back, or is not sent
		}
		c.askCancel(o, hub.Say("cancelled to %s", f.name()).String())
	}
}

// work goes one step with one position, and says what it waits for.
func (c *Core) work(f *flattening, l *leg, b *book, p *position, market hub.MarketView, working []*order) (waits string) {
	k := c.contracts[p.Key]
	g := c.gateway(p.Key.Gateway)
	giveUp := func(format string, args ...any) string {
		l.GivenUp = true
		return fmt.Sprintf(format, args...)
	}
	var sum hub.Sum
	own := 0
	for _, o := range working {
		if o.Flatten != 0 {
			own++
			if c.now.Sub(l.Sent) < flattenPatience {
				continue
			}
		}
		c.cancelAgain(o, f)
	}
	held := sum.Add(p.Long.qty(&sum), p.Short.qty(&sum))
	if held.Less(l.Held) {
		l.Tries = 0 // it goes on
	}
	switch {
	case own > 0:
		return fmt.Sprintf("%d closing orders work", own)
	case len(working) > 0:
		return fmt.Sprintf("%d orders are being cancelled", len(working))
	case l.Tries > 0 && c.now.Sub(l.Sent) < flattenPatience:
		return "the last try brought nothing; the next one comes soon"
	case l.Tries >= flattenTries:
		return giveUp("not closed after %d tries", l.Tries)
	case c.haltOf(hub.Part{Trader: b.Trader, Gateway: p.Key.Gateway}) != nil:
		return giveUp("%s", c.haltOf(hub.Part{Trader: b.Trader, Gateway: p.Key.Gateway}).sentence(c.now))
	case k == nil || k.Why != "" || g == nil:
		return giveUp("its gateway does not trade it")
	case !g.Up:
		return "gateway " + string(g.Name) + " is down: " + g.Reason
	case k.Delisted:
		return giveUp("its gateway does not trade it any more")
	case market.Seen == 0:
		return "there is no market yet"
	}
	if bad, is := c.notBegun(market.Session); is { // what is today's and what is yesterday's is about to change
		return bad.Text
	}
	requests := c.closings(&sum, k, p, market, l.Tries)
	if len(requests) == 0 {
		return giveUp("nothing of it can be closed now: what is left is too small, or was bought today where that can be sold tomorrow")
	}
	sent, why := 0, ""
	for _, r := range requests {
		var ok bool
		if why, ok = c.liquidate(f, b, k, r, market); !ok {
			break
		}
		sent++
	}
	if sent > 0 {
		l.Tries++
		l.Sent, l.Held = c.now, held
		return fmt.Sprintf("%d closing orders work", sent)
	}
	return why
}

// closings are the orders that close a position, as its exchange wants them: today's and yesterday's apart, none larger than its largest order, none with a part of a lot.
func (c *Core) closings(sum *hub.Sum, k *contract, p *position, market hub.MarketView, tries int) []hub.OrderRequest {
	var out []hub.OrderRequest
	for _, held := range []hub.Direction{hub.Long, hub.Short} {
		direction := opposite(held)
		price := c.flattenPrice(sum, k, direction, market, tries)
		offsets := []hub.Offset{hub.Close}
		switch {
		case k.NetPosition:
			offsets = []hub.Offset{hub.NoOffset}
		case k.SplitsToday:
			offsets = []hub.Offset{hub.CloseYesterday, hub.CloseToday}
		}
		for _, offset := range offsets {
			left := p.side(held).qty(sum)
			if free, _, closes := p.free(sum, k, direction, offset); closes {
				left = free.Min(left)
			}
			for len(out) < flattenOrders && left.IsPos() && price.IsPos() {
				qty := left
				if k.MaxQty.IsPos() {
					qty = qty.Min(k.MaxQty)
				}
				_, rest, err := qty.QuoRem(k.MinQty)
				if qty = sum.Sub(qty, rest); err != nil || !qty.IsPos() {
					break
				}
				left = sum.Sub(left, qty)
				out = append(out, hub.OrderRequest{Instrument: k.Instrument, Direction: direction, Offset: offset, Type: hub.Limit, Price: price, Qty: qty})
			}
		}
	}
	if sum.Err() != nil {
		return nil
	}
	return out
}

// flattenPrice is a limit that trades at once if anything does: through the other side of the book by the slip, more with every try, and never outside the limits of the day; at the last
// try the limit of the day itself, where there is one and no cage forbids it. A market order would do the same where it is taken, and trade at any price where there is nobody: no
// gateway says where it is taken, and a limit is taken everywhere.
func (c *Core) flattenPrice(sum *hub.Sum, k *contract, d hub.Direction, m hub.MarketView, tries int) hub.Decimal {
	slip := c.setup.FlattenSlip
	if !slip.IsPos() {
		slip = flattenSlip
	}
	slip = sum.Mul(slip, hub.Int(int64(tries+1)))
	caged := k.Kind == hub.Equity || k.Kind == hub.ETFund
	if caged {
		slip = slip.Min(cageSlip)
	}
	last := tries+1 >= flattenTries && !caged
	first := func(prices ...hub.Decimal) hub.Decimal {
		for _, p := range prices {
			if p.IsPos() {
				return p
			}
		}
		return hub.Decimal{}
	}
	if d == hub.Short {
		if last && m.LimitDown.IsPos() {
			return m.LimitDown
		}
		touch := first(m.Bid, m.Last, m.Ask)
		price := onTick(sum, sum.Sub(touch, sum.Mul(touch, slip)), k.Tick, true)
		return price.Max(m.LimitDown).Max(k.Tick)
	}
	if last && m.LimitUp.IsPos() {
		return m.LimitUp
	}
	touch := first(m.Ask, m.Last, m.Bid)
	price := onTick(sum, sum.Add(touch, sum.Mul(touch, slip)), k.Tick, false)
	if m.LimitUp.IsPos() {
		price = price.Min(m.LimitUp)
	}
	return price
}

// onTick moves a price to a multiple of the tick, towards the market: a sell's up, a buy's down.
func onTick(sum *hub.Sum, price, tick hub.Decimal, up bool) hub.Decimal {
	if !tick.IsPos() {
		return price.Round(moneyScale).Trim(0)
	}
	_, rest, err := price.QuoRem(tick)
	if err != nil || rest.IsZero() {
		return price.Trim(0)
	}
	price = sum.Sub(price, rest)
	if up {
		price = sum.Add(price, tick)
	}
	return price.Trim(0)
}

// liquidate sends one closing order; false when it has to wait, and why. Everything that the hub asks of every order it asks of this one but what keeps traders from trading: states,
// the rules and the risk managers' verdicts. The gate itself sees that it only closes.
func (c *Core) liquidate(f *flattening, b *book, k *contract, r hub.OrderRequest, market hub.MarketView) (string, bool) {
	var sum hub.Sum
	r.Reference = "flatten by " + f.By
	o := &order{Order: hub.Order{Trader: b.Trader, OrderRequest: tidy(r), Gateway: k.Gateway, Time: c.now, Updated: c.now, Status: hub.Submitted}, Day: c.dayOf(r.Exchange), Flatten: f.ID}
	own := badRequest(o, k)
	if bad, is := valued(o, k, market); is {
		own = append(own, bad)
	}
	if bad, is := closable(o, b, k); is {
		own = append(own, bad)
	}
	if met := c.met(o); len(met) > 0 && (c.rules == nil || c.rules.InternalCross() != policy.CrossAllow) {
		for _, x := range slices.Clone(met) {
			if x.Flatten == 0 { // another closing order goes first
				c.cancelAgain(x, f)
			}
		}
		return fmt.Sprintf("%d orders of the fund itself stand in the way", len(met)), false
	}
	if bad, is := c.outOfBudget(o); is {
		return bad.Text, false
	}
	p := b.peek(k.key)
	held := p.side(opposite(o.Direction))
	o.number = c.orderCount + 1
	o.ID = hub.OrderID(c.head + strconv.FormatUint(o.number, 10))
	c.consider(o, b, k)
	permit, noted, refusals := gate.Liquidate(gate.Liquidation{
		Order: o.Order, Held: held.qty(&sum), Working: p.workingAgainst(o.Direction), Nets: k.NetPosition, Refusals: own, Rules: c.rules,
		Source: &source{core: c, order: o, contract: k, trader: b, lane: c.lane(b, c.placeOf(k)), market: market},
	})
	c.considerNoMore()
	if len(refusals) > 0 {
		return sentence(refusals), false
	}
	c.orderCount++
	c.orders[o.ID] = o
	c.orderList = append(c.orderList, o)
	b.Repeats.add(c.now, likenessOf(o))
	c.sent(o, b, k, permit)
	c.considered.Noted = noted
	c.emit(Liquidating{Order: o.Order, Revision: o.Revision, Considered: c.considered})
	c.emit(Send{Permit: permit})
	c.changed(o)
	said := []hub.Words{hub.Say("order %s closes %s %s of %s: %s", o.ID, o.Qty, k.Instrument, b.Trader, reasoned(f.name(), f.Why))}
	if len(noted) > 0 {
		said = append(said, hub.Say("sent in spite of %s", saidBy(noted)))
	}
	c.tell(b.Trader, Warning, o.ID, hub.Say("%s", said))
	return "", true
}

// workingAgainst is what works already in a direction.
func (p *position) workingAgainst(d hub.Direction) hub.Decimal {
	if d == hub.Long {
		return p.WorkingBuy
	}
	return p.WorkingSell
}

// endFlatten says what came of it: to each trader of the trader's own, and to the operator of all. why is who stopped it; empty when there is nothing more that can be done.
func (c *Core) endFlatten(f *flattening, why hub.Words) {
	c.flattenings = slices.DeleteFunc(c.flattenings, func(x *flattening) bool { return x == f })
	end := hub.Say("%s has come to an end", f.name())
	if !why.Empty() {
		end = hub.Say("%s is stopped: %s", f.name(), why)
		for _, o := range c.orderList {
			if o.Flatten == f.ID && !o.Status.Final() {
				c.askCancel(o, hub.Say("cancelled: %s", end).String())
			}
		}
	}
	said := func(rest []hub.Words) hub.Words {
		if len(rest) == 0 && why.Empty() {
			return hub.Say("%s: everything is closed", f.name())
		}
		return hub.Say("%s", append([]hub.Words{end}, rest...))
	}
	for _, b := range c.traders {
		rest := c.remains(f, b.Trader)
		if len(rest) > 0 || slices.ContainsFunc(f.Legs, func(l leg) bool { return l.Trader == b.Trader }) {
			c.tell(b.Trader, Warning, "", said(rest))
		}
	}
	c.alert("%s", said(c.remains(f, "")))
}

// remains is what is still held, of a trader or ("") of all, in words.
func (c *Core) remains(f *flattening, of hub.TraderName) []hub.Words {
	var out []hub.Words
	var sum hub.Sum
	c.eachHeld(f, func(b *book, p *position) {
		if of != "" && of != b.Trader {
			return
		}
		waits := ""
		if i := slices.IndexFunc(f.Legs, func(l leg) bool { return l.Trader == b.Trader && l.Key == p.Key }); i >= 0 && f.Legs[i].Waits != "" {
			waits = f.Legs[i].Waits
		}
		for _, d := range []hub.Direction{hub.Long, hub.Short} {
			if q := p.side(d).qty(&sum); q.IsPos() {
				rest := hub.Say("%s %s %s of %s remain", q, p.Key.Instrument, d, b.Trader)
				if waits != "" {
					rest = hub.Say("%s: %s", rest, hub.Fixed(waits))
				}
				out = append(out, rest)
			}
		}
	})
	return out
}

// stopFlatten ends the flattenings that a person's word about a subject ends: resuming it, or halting it.
func (c *Core) stopFlatten(scope hub.Scope, name string, why hub.Words) {
	for _, f := range slices.Clone(c.flattenings) {
		if scope == hub.ScopeFund || scope == hub.ScopeTrader && string(f.Part.Trader) == name || scope == hub.ScopeGateway && string(f.Part.Gateway) == name {
			c.endFlatten(f, why)
		}
	}
}

// flattens refuses orders of traders in what is being flattened: they would race with the closing orders.
func (c *Core) flattens(refusals []hub.Refusal, o *order) []hub.Refusal {
	for _, f := range c.flattenings {
		if f.Part.Covers(o.Trader, o.Gateway, o.Instrument) {
			return append(refusals, reasonedRefusal(f))
		}
	}
	return refusals
}

func (c *Core) imageOfFlattenings() []flattening {
	var all []flattening
	for _, f := range c.flattenings {
		copied := *f
		copied.Legs = slices.Clone(f.Legs)
		all = append(all, copied)
	}
	return all
}

// FlattenStanding is how far a flattening is.
type FlattenStanding struct {
	Part  hub.Part
	By    string
	Why   string
	Since hub.Time
	Rest  []string // what is still held, and what is waited for
}

// Flattenings returns those that go on.
func (c *Core) Flattenings() []FlattenStanding {
	var out []FlattenStanding
	for _, f := range c.flattenings {
		out = append(out, FlattenStanding{Part: f.Part, By: f.By, Why: f.Why, Since: f.Since, Rest: inEnglish(c.remains(f, ""))})
	}
	return out
}

// FlattenMarkets are the contracts whose market the next FlattenStep should have; going says that there is something to flatten.
func (c *Core) FlattenMarkets() (markets []hub.FlattenMarket, going bool) {
	for _, f := range c.flattenings {
		c.eachHeld(f, func(_ *book, p *position) {
			if m := (hub.FlattenMarket{Gateway: p.Key.Gateway, Instrument: p.Key.Instrument}); !slices.ContainsFunc(markets, func(x hub.FlattenMarket) bool {
				return x.Gateway == m.Gateway && x.Instrument == m.Instrument
			}) {
				markets = append(markets, m)
			}
		})
	}
	return markets, len(c.flattenings) > 0
}

package core

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// finishedMax is how many final orders of one trader are remembered, with their fills, for queries. Up to twice as many are kept for a while.
const finishedMax = 5_000

// Core is the state. Make one with New.
type Core struct {
	seq uint64
	now hub.Time
	day hub.Day // the fund's: that of its main calendar
	// dayBefore is the trading day before: its orders are remembered, for the venue may still have news of them.
	dayBefore hub.Day
	calendars []calendarDay // in the order in which they were heard of
	head      string        // first part of every order id of this journal

	orderCount uint64
	tradeCount uint64

	setup hub.SetUp
	files []hub.PolicyFile
	rates []rate // sorted by currency
	// published numbers by what they are, and sorted.
	published     map[publishedKey]*published
	publishedList []*published
	language      int    // of the files
	rulesIn       string // the fund's currency when they were compiled
	rules         *policy.Rules
	gateways      []*gateway
	contracts     map[key]*contract
	contractList  []*contract
	fund          *book
	traders       []*book
	byTrader      map[hub.TraderName]*book
	orders        map[hub.OrderID]*order
	orderList     []*order          // in the order of their decisions
	undecided     map[uint64]*order // by Ask
	unassigned    *book             // what the venues' accounts hold and no trader's order explains
	holdings      map[key]*holding
	holdingList   []*holding
	breaks        []brk
	restraints    []restraint // in the order in which they were set
	owns          map[pool]*own
	waiting       []*order                 // for the cancellation of others that they would meet, by number
	tradeNames    map[tradeName]tradeSides // fills of remembered orders, by what their gateway calls them
	cuts          []cut
	watches       []*watching
	stirred       []*book // whose watches are to be looked at
	flattenings   []*flattening
	flattenCount  uint64
	stamp         hub.Time // of the entry that is applied: what the clock said, and not later than now

	places  []place // 0 is none
	byPlace map[place]int32
	cells   []*cell // in no order that means anything
	byCell  map[cellID]*cell
	lanes   map[laneKey]*lane
	keeps   [policy.ScopeGroup + 1]keeps // windows of cells, by scope; a trader's are in the book
	filling bool                         // windows are being filled from the flows
	flowMax int                          // most happenings of one trader that are remembered
	// forgotShared is when the newest happening was, of any trader, that counts for the fund and was forgotten for want of room.
	forgotShared hub.Time

	overrides     []hub.Override // by number: those that are open, and the last that ended
	overrideCount uint64
	overrideDue   hub.Time // when the next open one expires; 0: none is open

	effects []Effect

	// told is what the decision that is made says besides yes or no.
	told told
	// instead is the revision of the policy folder in whose place an earlier one was put in force.
	instead string
	// considered is what the decision that is made goes by, readings what the rules were told in this Step, from readFrom on for this decision. They are no part of the state.
	considered Considered
	readings   []policy.Reading
	readFrom   int
	reading    bool
}

type gateway struct {
	Name   hub.GatewayName `cbor:"1,keyasint"`
	Up     bool            `cbor:"2,keyasint,omitempty"`
	Reason string          `cbor:"3,keyasint,omitempty"`
	Since  hub.Time        `cbor:"4,keyasint,omitempty"`

	// Money, and when: of the newest statement. Strange is what it holds that the gateway does not list.
	Money   []hub.VenueMoney `cbor:"50,keyasint,omitempty"`
	Stated  hub.Time         `cbor:"51,keyasint,omitempty"`
	Strange []hub.Instrument `cbor:"52,keyasint,omitempty"`
	// Declared is what the gateway says that its channel takes; Budgets are that and the configuration's, shared.
	Declared []hub.MessageLimit `cbor:"80,keyasint,omitempty"`
	Budgets  []budget           `cbor:"81,keyasint,omitempty"`
	// Amends: it can amend orders.
	Amends bool `cbor:"115,keyasint,omitempty"`

	state hub.State // the most restrictive of its restraints
}

// New returns the core of a hub on its first day: it knows nobody, and refuses everything.
func New() *Core {
	c := &Core{
		contracts:  map[key]*contract{},
		fund:       newBook(""),
		byTrader:   map[hub.TraderName]*book{},
		orders:     map[hub.OrderID]*order{},
		unassigned: newBook(hub.Unassigned), holdings: map[key]*holding{},
		undecided: map[uint64]*order{}, owns: map[pool]*own{}, tradeNames: map[tradeName]tradeSides{},
		places:    make([]place, 1),
		published: map[publishedKey]*published{},
		byPlace:   map[place]int32{},
		byCell:    map[cellID]*cell{},
		lanes:     map[laneKey]*lane{},
		flowMax:   flowMax,
	}
	c.fund.core = c
	return c
}

// Step applies one entry and returns what the edges must do, in order. The slice is the core's own and is valid until the next Step. Entries come with Seq counting
// from 1 without gaps; another Seq panics, for a journal that skips is broken.
func (c *Core) Step(e hub.Entry) []Effect {
	if e.Seq != c.seq+1 {
		panic(fmt.Sprintf("core: entry %d after entry %d", e.Seq, c.seq))
	}
	c.seq = e.Seq
	c.now = max(c.now, e.Time) // a clock that was set back stands still
	c.stamp = e.Time
	clear(c.effects)
	c.effects = c.effects[:0]
	c.considered, c.readings = Considered{}, c.readings[:0]
	c.told.reset()
	c.expireOverrides()
	switch in := e.Input.(type) {
	case hub.SetUp:
		c.setUp(in)
	case hub.LoadPolicies:
		c.loadPolicies(in)
	case hub.SubmitOrder:
		c.submit(in)
	case hub.TakeOrder:
		c.take(in)
	case hub.JudgeOrder:
		c.judge(in)
	case hub.ExpireWaits:
		c.expireWaits(in)
	case hub.CancelOrder:
		c.cancel(in)
	case hub.AmendOrder:
		c.amend(in)
	case hub.DoubtAmendments:
		c.doubtAmendments(in)
	case hub.VenueReport:
		c.report(in)
	case hub.Reconcile:
		c.reconcile(in)
	case hub.GatewayState:
		c.gatewayState(in)
	case hub.Contracts:
		c.setContracts(in)
	case hub.Marks:
		c.mark(in)
	case hub.Halt:
		c.setState(oldHalt(in))
	case hub.SetState:
		c.setState(in)
	case hub.CancelAll:
		c.cancelAll(in)
	case hub.PoliciesRefused: // for the record
	case hub.Clock: // it moved the clock
	case hub.Flatten:
		c.flatten(in)
	case hub.FlattenStep:
		c.flattenStep(in)
	case hub.RollDay:
		c.rollDay(in)
	case hub.SetRates:
		c.setRates(in)
	case hub.PublishNumbers:
		c.publish(in)
	case hub.TransferPosition:
		c.transferPosition(in)
	case hub.TransferCapital:
		c.transferCapital(in)
	case hub.VenueStatement:
		c.statement(in)
	case hub.AskOverride:
		c.askOverride(in)
	case hub.ApproveOverride:
		c.approveOverride(in)
	case hub.WithdrawOverride:
		c.withdrawOverride(in)
	default:
		panic(fmt.Sprintf("core: no such input: %T", e.Input))
	}
	c.watch(e.Input)
	return c.effects
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

func (c *Core) alert(format string, args ...any) { c.emit(Alert{Text: fmt.Sprintf(format, args...)}) }

func (c *Core) gateway(name hub.GatewayName) *gateway {
	for _, g := range c.gateways {
		if g.Name == name {
			return g
		}
	}
	return nil
}

func (c *Core) setUp(in hub.SetUp) {
	// A new first part for each life of the hub: a journal that was restored from a back-up must not give an id a second time.
	c.head = strconv.FormatInt(int64(c.now)/1_000_000_000, 36) + "-"
	regroup := !slices.EqualFunc(c.setup.Groups, in.Groups, hub.Group.Equal)
	before := c.setup
	c.setup = in
	for _, b := range c.traders {
		b.Configured = false
	}
	var sum hub.Sum
	for _, t := range in.Traders {
		if t.Name == hub.Unassigned {
			c.alert("a trader cannot be named %s: it stands for what is nobody's", t.Name)
			continue
		}
		b := c.byTrader[t.Name]
		if b == nil {
			b = newBook(t.Name)
			b.core = c
			c.byTrader[t.Name] = b
			c.traders = append(c.traders, b)
		}
		b.lang = t.Language
		b.Configured, b.Capital = true, sum.Add(t.Capital, b.Moved)
	}
	c.fund.Capital = c.capital()
	gateways := make([]*gateway, 0, len(in.Gateways))
	for _, name := range in.Gateways {
		g := c.gateway(name)
		if g == nil {
			g = &gateway{Name: name}
		}
		g.Up, g.Reason, g.Since = false, "it is starting", c.now
		c.budgetsOf(g)
		gateways = append(gateways, g)
	}
	c.gateways = gateways
	c.weighStates()
	c.fileRates(before, in)
	for _, k := range c.contractList {
		if c.idle(k.key) {
			c.refresh(k)
		}
	}
	c.keepWindows()
	c.keepWatches(c.imageOfWatches())
	if regroup {
		c.regroup()
	}
	c.dropUndecided()
	c.cuts = nil // what an earlier life was asked for and did not write down is gone
	c.doubt("", "the hub was restarted")
}

// doubt puts the active orders of a gateway ("" for all) in doubt.
func (c *Core) doubt(gateway hub.GatewayName, why string) {
	for _, o := range c.orderList {
		if o.Status.Final() || o.Ask != 0 || gateway != "" && o.Gateway != gateway {
			continue
		}
		o.AmendDoubt = o.Amending()
		if o.InDoubt {
			continue
		}
		c.setDoubt(o, true)
		o.Reason = why
		c.changed(o)
	}
}

func (c *Core) loadPolicies(in hub.LoadPolicies) {
	rules, errs := policy.Compile(in.Files, policy.InCurrency(c.setup.Currency), policy.OfLanguage(in.Language))
	if len(errs) > 0 {
		answer := PoliciesAnswered{Currency: c.setup.Currency}
		if c.rules != nil {
			answer.Revision = c.rules.Revision()
		}
		for _, e := range errs {
			answer.Errors = append(answer.Errors, fmt.Sprint(e))
		}
		c.emit(answer)
		return
	}
	c.files, c.language, c.rulesIn, c.rules, c.instead = in.Files, in.Language, c.setup.Currency, rules, in.Instead
	c.keepWindows()
	c.keepWatches(c.imageOfWatches())
	c.keepCautions()
	c.emit(PoliciesAnswered{Revision: rules.Revision(), Currency: c.rulesIn})
	c.voidOverrides()
}

func (c *Core) gatewayState(in hub.GatewayState) {
	g := c.gateway(in.Gateway)
	if g == nil {
		c.alert("news of gateway %s, which is not configured", in.Gateway)
		return
	}
	if in.Up {
		c.declare(g, in.Limits)
		g.Amends = in.Amends
	}
	if g.Up == in.Up && g.Reason == in.Reason {
		return
	}
	if g.Up != in.Up {
		g.Since = c.now
	}
	g.Up, g.Reason = in.Up, in.Reason
	if !in.Up {
		c.doubt(g.Name, "gateway "+string(g.Name)+" is down: "+in.Reason)
		c.tell("", Problem, "", hub.Say("gateway %s is down: %s; new orders for it are refused", g.Name, hub.Fixed(in.Reason)))
		return
	}
	c.tell("", Info, "", hub.Say("gateway %s is up", g.Name))
	var ask []hub.OrderID
	for _, o := range c.orderList {
		if o.Gateway != g.Name {
			continue
		}
		if o.Asked = c.mayHaveNews(o); o.Asked {
			ask = append(ask, o.ID)
		}
	}
	if len(ask) > 0 {
		c.emit(AskVenue{Gateway: g.Name, Orders: ask, AskedAt: c.seq})
	}
}

// mayHaveNews: the venue may know something of an order that the hub does not. A filled order is complete; one that was cancelled may have traded before that, and the report
// of it been lost with the connection.
func (c *Core) mayHaveNews(o *order) bool {
	return o.Ask == 0 && !o.Status.Final() || o.Status != hub.Filled && o.Revision != ""
}

func (c *Core) mark(in hub.Marks) {
	var sum hub.Sum
	touched := make([]bool, len(c.traders))
	for _, m := range in.Marks {
		for _, k := range c.contractList {
			if k.Instrument != m.Instrument || m.Gateway != "" && k.Gateway != m.Gateway || k.Why != "" || outOfRange(m.Price) {
				continue
			}
			if !c.bearable(k, m.Price) {
				c.alert("gateway %s: %s at %s makes no sense: what is held of it would be worth more than can be counted; its last price stays", k.Gateway, k.Instrument, m.Price)
				continue
			}
			c.fund.mark(&sum, k, m.Price)
			c.fund.seen(k.key, cmp.Or(m.Seen, c.now))
			if c.unassigned.mark(&sum, k, m.Price) {
				c.stir(c.fund)
			}
			for i, b := range c.traders {
				if b.mark(&sum, k, m.Price) {
					touched[i] = true
					c.emit(BookChanged{Trader: b.Trader, Gateway: k.Gateway, Instrument: k.Instrument})
				}
			}
		}
	}
	c.fund.crest(&sum) // once for all marks of the entry: they are of one instant
	for i, b := range c.traders {
		if touched[i] {
			b.crest(&sum)
			c.stir(b)
			c.emit(BookChanged{Trader: b.Trader})
		}
	}
	c.must(&sum, "valuing positions")
}

// bearable: nobody's position is worth an absurd amount at a price.
func (c *Core) bearable(k *contract, price hub.Decimal) bool {
	for _, b := range c.holders() {
		p := b.byKey[k.key]
		if p == nil {
			continue
		}
		var sum hub.Sum
		for _, s := range []*side{&p.Long, &p.Short} {
			if wealth.Cmp(money(&sum, price, s.qty(&sum), k.unit).Abs()) <= 0 {
				return false
			}
		}
		if sum.Err() != nil {
			return false
		}
	}
	return true
}

// must turns arithmetic that cannot fail into a panic if it does: every number was bounded when it came in.
func (c *Core) must(sum *hub.Sum, doing string) {
	if err := sum.Err(); err != nil {
		panic(fmt.Sprintf("core: entry %d: %s: %v", c.seq, doing, err))
	}
}

// forget drops final orders.
func (c *Core) forget(drop func(*order) bool) {
	c.orderList = slices.DeleteFunc(c.orderList, func(o *order) bool {
		if !o.Status.Final() || !drop(o) {
			return false
		}
		c.unname(o)
		delete(c.orders, o.ID)
		c.byTrader[o.Trader].Finished--
		return true
	})
}

// Doubts returns, for each gateway that is up, its orders in doubt: those about which the venue can be asked again.
func (c *Core) Doubts() []AskVenue {
	var out []AskVenue
	for _, g := range c.gateways {
		if !g.Up {
			continue
		}
		var ids []hub.OrderID
		for _, o := range c.orderList {
			if o.InDoubt && o.Gateway == g.Name {
				ids = append(ids, o.ID)
			}
		}
		if len(ids) > 0 {
			out = append(out, AskVenue{Gateway: g.Name, Orders: ids, AskedAt: c.seq})
		}
	}
	return out
}

// OwedCancels returns the orders whose owners asked for a cancel a while ago, at gateways that are up, and that are still alive: a busy gateway may have lost the question.
func (c *Core) OwedCancels(since hub.Time) []hub.Order {
	var out []hub.Order
	for _, o := range c.orderList {
		if g := c.gateway(o.Gateway); o.CancelAsked && !o.Status.Final() && o.Ask == 0 && o.Updated < since && g != nil && g.Up {
			out = append(out, o.Order)
		}
	}
	return out
}

// absurd is beyond any price, quantity or rate that the hub works with: what is larger would overflow money.
var absurd = hub.MustDecimal("1000000000")

func outOfRange(d hub.Decimal) bool { return d.CmpAbs(absurd) >= 0 || d.MinScale() > moneyScale }

package policytest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// player is the hub of one test: the core, and in place of the edges around it, a venue and a clock that do what the test says.
type player struct {
	world   *world
	files   []hub.PolicyFile
	rules   *policy.Rules
	core    *core.Core
	cal     *calendar.Set
	now     hub.Time
	days    map[string]hub.Day
	markets map[hub.Instrument]*market
	named   map[string][]hub.OrderID
	seen    map[hub.OrderID]bool
	fills   int
	// managers have a say in the state that is asked about, and let everything pass here.
	managers []string
	entries  int
	watched  map[string]int
	// rejects: the venue rejects the order that is being sent.
	rejects bool
	// began is when the test did.
	began hub.Time
	// read is what the rules were told of an amendment.
	read policy.Playback
	// effects of the step that is being played.
	effects []core.Effect
}

// market is what the test has said of a contract's market, and whether it ticks on.
type market struct {
	view     hub.MarketView
	said     map[string]bool
	quiet    bool
	tick     hub.Decimal
	contract hub.Contract
}

// capitalOf is the capital of a trader of whom the test does not say it.
var capitalOf = hub.Int(10_000_000)

func newPlayer(w *world, cal *calendar.Set) *player {
	p := &player{
		world: w, core: core.New(), cal: cal, days: map[string]hub.Day{}, markets: map[hub.Instrument]*market{}, named: map[string][]hub.OrderID{}, seen: map[hub.OrderID]bool{},
		watched: map[string]int{},
	}
	for _, i := range w.used {
		p.markets[i] = newMarket(w.contracts[i])
	}
	for _, q := range w.markets {
		p.markets[q.instrument].set(q.fields)
	}
	return p
}

func newMarket(k contract) *market {
	m := &market{said: map[string]bool{}, tick: k.Tick, contract: k.Contract}
	if k.last.IsPos() {
		m.set(map[string]hub.Decimal{"last": k.last})
		clear(m.said)
	}
	return m
}

// tenth is how far a day's limits are from the close before, where nothing else is said.
var tenth = hub.MustDecimal("0.1")

// set takes prices in. What follows from the last price does, until the test has said it itself.
func (m *market) set(fields map[string]hub.Decimal) {
	for _, f := range []struct {
		key string
		to  *hub.Decimal
	}{
		{"last", &m.view.Last},
		{"bid", &m.view.Bid},
		{"ask", &m.view.Ask},
		{"limit_up", &m.view.LimitUp},
		{"limit_down", &m.view.LimitDown},
		{"previous_close", &m.view.PreClose},
		{"volume", &m.view.Volume},
		{"open_interest", &m.view.OpenInt},
	} {
		if d, ok := fields[f.key]; ok {
			*f.to, m.said[f.key] = d, true
		}
	}
	var sum hub.Sum
	if !m.said["previous_close"] && (m.view.PreClose.IsZero() || m.said["last"] && !m.said["first"]) {
		m.view.PreClose = m.view.Last
	}
	m.said["first"] = m.said["first"] || m.said["last"]
	beside := hub.Decimal{} // nothing beside a price that is not there
	if m.view.Last.IsPos() {
		beside = m.tick
	}
	if !m.said["bid"] {
		m.view.Bid = sum.Sub(m.view.Last, beside)
	}
	if !m.said["ask"] {
		m.view.Ask = sum.Add(m.view.Last, beside)
	}
	width := sum.Mul(m.view.PreClose, tenth)
	if !m.said["limit_up"] {
		m.view.LimitUp = m.onTick(&sum, sum.Add(m.view.PreClose, width))
	}
	if !m.said["limit_down"] {
		m.view.LimitDown = sum.Sub(sum.Add(m.view.PreClose, m.view.PreClose), m.onTick(&sum, sum.Add(m.view.PreClose, width)))
	}
}

// onTick is a price, or the next below it that is a multiple of the tick.
func (m *market) onTick(sum *hub.Sum, price hub.Decimal) hub.Decimal {
	if !m.tick.IsPos() {
		return price
	}
	_, rest, err := price.QuoRem(m.tick)
	if err != nil {
		return price
	}
	return sum.Sub(price, rest).Trim(0)
}

// step applies one input and does what the edges would do about its effects.
func (p *player) step(in hub.Input) {
	queue := []hub.Input{in}
	for n := 0; len(queue) > 0; n++ {
		next := queue[0]
		queue = queue[1:]
		p.entries++
		for _, e := range p.core.Step(hub.Entry{Seq: p.core.Seq() + 1, Time: p.now, Input: next}) {
			p.effects = append(p.effects, e)
			queue = append(queue, p.answers(e)...)
		}
		if n > reactionsMax {
			return // a flattening that nobody fills goes on for ever
		}
	}
}

// reactionsMax bounds what follows from one input.
const reactionsMax = 100_000

// answers are what the edges and the venue say to an effect.
func (p *player) answers(e core.Effect) []hub.Input {
	switch e := any(e).(type) { // of all effects, those that somebody answers
	case core.Send:
		o := e.Permit.Order()
		if p.rejects {
			return []hub.Input{hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportRejected, Reason: "the test says so", VenueTime: p.now}}
		}
		kind := hub.ReportResting
		if o.Type == hub.Stop {
			kind = hub.ReportAccepted
		}
		if p.world.silent || o.Type == hub.Market || o.Type == hub.FAK || o.Type == hub.FOK {
			return nil
		}
		return []hub.Input{hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: kind, VenueTime: p.now}}
	case core.CancelAtVenue:
		if p.world.silent {
			return nil
		}
		return []hub.Input{p.cancelled(e.Order)}
	case core.Amend:
		o := e.Permit.Order()
		if p.world.silent {
			return nil
		}
		return []hub.Input{hub.VenueReport{
			Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportAmended, Amendment: o.Amendment.Number, Price: o.Amendment.Price, Qty: o.Amendment.Qty, VenueTime: p.now,
		}}
	case core.AmendAnswered:
		p.read = policy.Playback{}
		for _, r := range e.Considered.Readings { // they are the core's until its next step
			p.read[r.Ref.String()] = r.Value
		}
	case core.JudgeAgain:
		if e.Order.CancelAsked {
			return []hub.Input{hub.JudgeOrder{Ask: e.Ask}}
		}
		return []hub.Input{hub.JudgeOrder{Ask: e.Ask, Market: p.view(e.Order.Instrument)}}
	case core.FlattenWanted:
		markets, going := p.core.FlattenMarkets()
		if !going {
			return nil
		}
		for i := range markets {
			markets[i].Market = p.view(markets[i].Instrument)
		}
		return []hub.Input{hub.FlattenStep{Markets: markets}}
	case core.AskVenue:
		if p.world.silent {
			return nil // its orders stay in doubt until a step says what became of them
		}
		return []hub.Input{p.reconciled(e)}
	}
	return nil
}

func (p *player) cancelled(o hub.Order) hub.Input {
	return hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportCancelled, Qty: o.Filled, VenueTime: p.now}
}

// reconciled: the venue knows of every order what the hub knows of it.
func (p *player) reconciled(ask core.AskVenue) hub.Input {
	in := hub.Reconcile{Gateway: ask.Gateway, Asked: ask.Orders, Complete: true, AskedAt: ask.AskedAt}
	trades := p.core.Trades("")
	for _, id := range ask.Orders {
		o, ok := p.core.Order("", id)
		if !ok {
			continue
		}
		v := hub.VenueOrder{OrderID: id, Status: o.Status}
		if v.Status == hub.Submitted {
			v.Status = hub.Resting
		}
		for _, t := range trades {
			if t.OrderID == id {
				v.Fills = append(v.Fills, hub.VenueFill{TradeID: t.ID, Price: t.Price, Qty: t.Qty, Time: t.Time})
			}
		}
		in.Orders = append(in.Orders, v)
	}
	return in
}

// view is the market of a contract at the moment, with what its calendar says.
func (p *player) view(i hub.Instrument) hub.MarketView {
	m := p.markets[i]
	if m == nil {
		return hub.MarketView{}
	}
	v := m.view
	if !m.quiet && (v.Last.IsPos() || v.Bid.IsPos() || v.Ask.IsPos()) {
		v.Seen = p.now
	}
	t := p.now.UTC()
	c, main := p.cal.Of(i.Exchange), p.cal.Main()
	is := c.At(t, m.contract.Product, m.contract.Symbol)
	v.Session = hub.Session{
		Calendar: c.Name(), Day: is.Day, FundDay: main.Day(t), Phase: is.Phase, Name: is.Name, Opened: hub.TimeOf(is.Opened), Closes: hub.TimeOf(is.Closes), Expires: c.Expiry(m.contract),
	}
	v.Session.Delivers, _ = calendar.Delivery(m.contract, t.In(c.Zone()))
	return v
}

// open brings the hub up to the beginning of the test.
func (p *player) open(files []hub.PolicyFile) error {
	main := p.cal.Main()
	start := p.world.start.from(time.Time{}, main)
	before := main.Begins(start).Add(-2 * time.Hour) // so that what is held is of the day before, and no window reaches back to it
	p.now = hub.TimeOf(before)
	p.step(p.setUp())
	p.roll()
	contracts := make([]hub.Contract, len(p.world.used))
	for _, g := range p.world.gateways {
		for i, u := range p.world.used {
			contracts[i] = p.world.contracts[u].Contract
			contracts[i].Gateway = g.name
			contracts[i].Currency = cmp.Or(contracts[i].Currency, p.world.currency)
		}
		p.step(hub.Contracts{Gateway: g.name, Contracts: slices.Clone(contracts)})
		p.step(g.up())
	}
	if len(p.world.positions) > 0 {
		if err := p.seed(); err != nil {
			return err
		}
	}
	if err := p.moveTo(start); err != nil {
		return err
	}
	p.began = p.now
	if err := p.load(files); err != nil || len(p.world.published) == 0 {
		return err
	}
	return p.publish(p.world.published)
}

// publish says numbers that rules ask for by name.
func (p *player) publish(numbers []hub.PublishedNumber) error {
	at := len(p.effects)
	p.step(hub.PublishNumbers{Numbers: numbers, By: "test"})
	for _, e := range p.effects[at:] {
		if a, ok := e.(core.NumbersAnswered); ok && len(a.Errors) > 0 {
			return errors.New(strings.Join(a.Errors, "; "))
		}
	}
	return nil
}

func (p *player) setUp() hub.SetUp {
	in := hub.SetUp{
		Fund: "test", Currency: p.world.currency, Traders: p.world.traders, Rates: p.world.rates, Calendar: p.cal.Main().Name(), Calendars: p.cal.Exchanges(), Groups: p.world.groups,
	}
	for _, g := range p.world.gateways {
		in.Gateways = append(in.Gateways, g.name)
	}
	return in
}

// load puts policies in force.
func (p *player) load(files []hub.PolicyFile) error {
	rules, errs := policy.Compile(files, policy.InCurrency(p.world.currency))
	if len(errs) > 0 {
		return errs[0]
	}
	p.files, p.rules = files, rules
	p.step(hub.LoadPolicies{Files: files, By: "test", Language: policy.Language})
	p.effects = nil
	return nil
}

// seed makes the positions that the test begins with, of orders that no rule is asked about.
func (p *player) seed() error {
	var files []hub.PolicyFile
	for _, t := range p.world.traders {
		files = append(files, anything(t.Name))
	}
	if err := p.load(append(files, anything(""))); err != nil {
		return err
	}
	for _, h := range p.world.positions {
		k := p.world.contracts[h.instrument]
		price := cmp.Or(h.price, p.markets[h.instrument].view.Last)
		for _, q := range piecesOf(h.quantity, k.MaxQty) {
			o := &order{trader: h.trader, instrument: h.instrument, direction: h.direction, quantity: q, price: price, kind: hub.Limit}
			if !k.NetPosition {
				o.offset = hub.Open
			}
			id, refusals := p.submit(o)
			if len(refusals) > 0 {
				return fmt.Errorf("%s cannot hold %s of %s: %s", h.trader, h.quantity, h.instrument, refusals[0].Text)
			}
			p.fill(id, hub.Decimal{}, hub.Decimal{})
		}
	}
	var marks []hub.Mark
	for i, m := range p.markets {
		if m.view.Last.IsPos() {
			marks = append(marks, hub.Mark{Instrument: i, Price: m.view.Last})
		}
	}
	slices.SortFunc(marks, func(a, b hub.Mark) int { return cmp.Compare(a.Instrument.String(), b.Instrument.String()) })
	p.step(hub.Marks{Marks: marks})
	return nil
}

// piecesMost is of how many orders a position is made that a test begins with.
const piecesMost = 1000

// piecesOf are the orders that make a position: none larger than the venue's largest, 0 when it names none. What would take too many is one order, which is refused for its size.
func piecesOf(quantity, most hub.Decimal) []hub.Decimal {
	if !most.IsPos() {
		return []hub.Decimal{quantity}
	}
	var sum hub.Sum
	var all []hub.Decimal
	for rest := quantity; rest.IsPos(); {
		piece := rest.Min(most)
		if rest = sum.Sub(rest, piece); sum.Err() != nil || len(all) == piecesMost {
			return []hub.Decimal{quantity}
		}
		all = append(all, piece)
	}
	return all
}

// moveTo lets time pass. Trading days begin when the calendars say so.
func (p *player) moveTo(t time.Time) error {
	to := hub.TimeOf(t)
	if to < p.now {
		return fmt.Errorf("time does not run backwards: it is %s", p.clock())
	}
	if to == p.now {
		return nil
	}
	if p.began != 0 && to.Sub(p.began) > lastsMax {
		return fmt.Errorf("a test lasts at most %d days; it is %s", lastsMax/(24*time.Hour), p.clock())
	}
	for {
		next := hub.TimeOf(p.cal.NextRoll(p.now.UTC()))
		if next > to {
			break
		}
		p.now = next
		p.tick()
		p.roll()
	}
	p.now = to
	p.tick()
	if since, waits := p.core.WaitsSince(); waits && p.now.Sub(since) >= waitMax {
		p.step(hub.ExpireWaits{Since: p.now.Add(-waitMax)})
	}
	if p.core.Timed() {
		p.step(hub.Clock{})
	}
	return nil
}

// lastsMax is how long a test may last, by its own clock: every trading day on the way begins.
const lastsMax = 2000 * 24 * time.Hour

// waitMax is how long the hub lets an order wait for the cancellation of others.
const waitMax = 10 * time.Second

// tick values what is held at the prices of markets that go on.
func (p *player) tick() {
	var marks []hub.Mark
	for _, held := range p.core.Held() {
		if m := p.markets[held.Instrument]; m != nil && !m.quiet && m.view.Last.IsPos() {
			marks = append(marks, hub.Mark{Instrument: held.Instrument, Price: m.view.Last, Seen: p.now})
		}
	}
	if len(marks) > 0 {
		p.step(hub.Marks{Marks: marks})
	}
}

// roll begins the trading days that are due.
func (p *player) roll() {
	var due []hub.RollDay
	for _, c := range p.cal.All() {
		if day := c.Day(p.now.UTC()); day > p.days[c.Name()] {
			due = append(due, hub.RollDay{Day: day, Calendar: c.Name(), Began: hub.TimeOf(c.Begins(p.now.UTC()))})
			p.days[c.Name()] = day
		}
	}
	slices.SortStableFunc(due, func(a, b hub.RollDay) int { return cmp.Compare(a.Began, b.Began) })
	for _, in := range due {
		p.step(in)
	}
}

// clock is the time of now where the main calendar is.
func (p *player) clock() string {
	return p.now.UTC().In(p.cal.Main().Zone()).Format("2006-01-02 15:04:05.999")
}

// complete is an order with everything that was left out.
func (p *player) complete(o *order) order {
	c := *o
	c.trader = cmp.Or(c.trader, p.world.trader)
	if c.trader == "" && len(p.world.traders) > 0 {
		c.trader = p.world.traders[0].Name
	}
	if c.price.IsZero() && c.kind != hub.Market {
		c.price = p.markets[c.instrument].view.Last
	}
	return c
}

// input is an order as the hub gets it.
func (p *player) input(o order) hub.SubmitOrder {
	var verdicts []hub.Verdict
	for _, m := range p.managers {
		verdicts = append(verdicts, hub.Verdict{Manager: m, Pass: true})
	}
	return hub.SubmitOrder{
		Asked:    p.now + 1, // a step comes after the one before it, also where no time is between: a cancel of all orders is not of those that follow
		Verdicts: verdicts,
		Trader:   o.trader, Gateway: o.gateway, Market: p.view(o.instrument),
		Request: hub.OrderRequest{
			Instrument: o.instrument, Direction: o.direction, Offset: o.offset, Type: o.kind, Price: o.price, Qty: o.quantity, Reference: o.reference,
		},
	}
}

// submit sends an order, and answers its id and what refuses it. An order that waits for others has neither.
func (p *player) submit(o *order) (hub.OrderID, []hub.Refusal) {
	at := len(p.effects)
	p.rejects = o.reject
	p.step(p.input(p.complete(o)))
	p.rejects = false
	var id hub.OrderID
	var refusals []hub.Refusal
	for _, e := range p.effects[at:] {
		var about hub.Order
		if crossed, ok := e.(core.Crossed); ok {
			about = crossed.Order
		}
		if decided, ok := e.(core.Decided); ok {
			about = decided.Order
			if id == "" || about.ID == id {
				refusals = decided.Refusals
			}
		}
		if id == "" && about.ID != "" && !p.seen[about.ID] {
			id = about.ID
			p.seen[id] = true
		}
	}
	return id, refusals
}

// fill is the venue's; nothing of a quantity or price means all that is left, at the order's price.
func (p *player) fill(id hub.OrderID, quantity, price hub.Decimal) {
	p.fills++
	p.fillAs(fmt.Sprintf("t%d", p.fills), id, quantity, price)
}

// fillAs fills an order by a trade of a name: both sides of a trade of the fund with itself have one.
func (p *player) fillAs(trade string, id hub.OrderID, quantity, price hub.Decimal) {
	o, _ := p.core.Order("", id)
	var sum hub.Sum
	if quantity.IsZero() {
		quantity = sum.Sub(o.Qty, o.Filled)
	}
	if price.IsZero() {
		if price = o.Price; price.IsZero() {
			price = p.markets[o.Instrument].view.Last
		}
	}
	p.step(hub.VenueReport{
		Gateway: o.Gateway, OrderID: id, Kind: hub.ReportFill, TradeID: trade, Price: price, Qty: quantity, VenueTime: p.now,
	})
}

// restart saves the state, makes a new core of it, and starts it as the hub does.
func (p *player) restart() error {
	b, err := codec.EncodeImage(p.core.Image())
	if err != nil {
		return err
	}
	im, err := codec.DecodeImage(b)
	if err != nil {
		return err
	}
	if p.core, err = core.Restore(im); err != nil {
		return err
	}
	p.step(p.setUp())
	for _, g := range p.world.gateways {
		p.step(g.up())
	}
	return nil
}

// fired are the watches that have fired since it was asked last.
func (p *player) fired() []core.WatchStanding {
	var all []core.WatchStanding
	for _, w := range p.core.Watches() {
		key := w.Place + " " + w.Name
		if w.Times > p.watched[key] {
			all = append(all, w)
		}
		p.watched[key] = w.Times
	}
	return all
}

// orders are those of a name: last, all that may still trade, or those of the step that has the name.
func (p *player) orders(name string) []hub.OrderID {
	if name != "all" {
		return p.named[name]
	}
	var ids []hub.OrderID
	for _, o := range p.core.Orders("", true) {
		ids = append(ids, o.ID)
	}
	return ids
}

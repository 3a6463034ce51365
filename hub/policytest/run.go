package policytest

import (
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// Result is how one test ended.
type Result struct {
	File string
	Line int
	Name string
	// Entries is how many entries of a journal it took.
	Entries int
	// Failure is nil of a test that passed.
	Failure *Failure
}

// Failure is the first thing in a test that was not as expected.
type Failure struct {
	// Place is file:line of the step.
	Place string
	// Step is what happened, in words, and when.
	Step, At string
	// Expected and Happened are what was expected, and what happened.
	Expected, Happened string
	// Details say how it came to that: rules with the values that they read.
	Details []string
}

// String is the failure in lines.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n  at        %s\n  expected  %s\n  happened  %s", f.Place, f.Step, f.At, f.Expected, f.Happened)
	for _, d := range f.Details {
		b.WriteString("\n            " + d)
	}
	return b.String()
}

// Options say how tests are run.
type Options struct {
	// Only are the tests that are run; nil: all.
	Only func(*Test) bool
	// Coverage, when there is one, counts which rules passed and which failed.
	Coverage *Coverage
	// Folder is where the policy folder is, for Coverage.
	Folder string
}

// Run plays the tests of a file. folder are the policy files of the folder, named as seen from it. Tests of which errors are, or all when the policies are wrong, were not run.
func Run(f *File, folder []hub.PolicyFile, o Options) ([]Result, []policy.Error) {
	files := folder
	if !f.All {
		var errs []policy.Error
		if files, errs = named(f.Name, f.Policies, folder); len(errs) > 0 {
			return nil, errs
		}
	}
	calendars, wrong := calendar.Read(nil)
	if len(wrong) > 0 {
		return nil, []policy.Error{{File: wrong[0].File, Line: wrong[0].Line, Col: wrong[0].Col, Text: wrong[0].Text}}
	}
	compiled := map[string]*policy.Rules{} // by currency
	var results []Result
	var wrongNames []policy.Error
	for _, t := range f.Tests {
		if o.Only != nil && !o.Only(t) {
			continue
		}
		rules := compiled[t.world.currency]
		if rules == nil {
			var errs []policy.Error
			if rules, errs = policy.Compile(files, policy.InCurrency(t.world.currency)); len(errs) > 0 {
				return nil, errs
			}
			compiled[t.world.currency] = rules
		}
		if errs := strangers(t, rules); len(errs) > 0 {
			wrongNames = append(wrongNames, errs...)
			continue
		}
		results = append(results, run(t, &stage{test: t, file: f, folder: folder, coverage: o.Coverage, at: o.Folder}, files, rules, calendars))
	}
	return results, wrongNames
}

// run plays one test.
func run(t *Test, s *stage, files []hub.PolicyFile, rules *policy.Rules, calendars calendar.Library) Result {
	result := Result{File: t.File, Line: t.Line, Name: t.Name}
	if result.Failure = s.open(t.world, files, rules, calendars); result.Failure == nil {
		result.Failure = s.play(t.steps, nil)
	}
	result.Entries = s.entries
	return result
}

// open brings a hub up to where a test begins.
func (s *stage) open(begin world, files []hub.PolicyFile, rules *policy.Rules, calendars calendar.Library) *Failure {
	w := begin.clone()
	if len(w.traders) == 0 {
		for _, name := range rules.Traders() {
			w.traders = append(w.traders, hub.TraderSetUp{Name: name, Capital: capitalOf})
		}
	}
	if len(w.traders) == 0 {
		w.traders = []hub.TraderSetUp{{Name: "alpha", Capital: capitalOf}}
	}
	if !s.file.All {
		files = complete(files, rules, w.traders)
	}
	s.player = newPlayer(&w, calendarSet(calendars, w.calendar))
	s.coverage.expect(rules, s.at, s.test.File)
	if err := s.player.open(files); err != nil {
		return &Failure{Place: fmt.Sprintf("%s:%d", s.test.File, s.test.Line), Step: "the beginning", At: s.clock(), Expected: "a hub that trades", Happened: err.Error()}
	}
	s.fired()
	return nil
}

// calendarSet is the calendars of a hub with a main one, the others where they are known to be.
func calendarSet(all calendar.Library, main string) *calendar.Set {
	of := map[string]*calendar.Calendar{}
	for _, x := range calendar.Exchanges() {
		of[x.Exchange] = all[x.Calendar]
	}
	return calendar.NewSet(all[main], of)
}

// stage plays the steps of a test.
type stage struct {
	*player
	test     *Test
	file     *File
	folder   []hub.PolicyFile
	coverage *Coverage
	at       string // where the folder is
	// count and total are the time of the step that is played, and how many there are.
	count, total int
}

// play plays steps. What those of a block do not name is named by the block, whose outcome is over.
func (s *stage) play(steps []*step, over *outcome) *Failure {
	for _, x := range steps {
		s.effects = s.effects[:0]
		if x.at != nil {
			if err := s.moveTo(x.at.from(s.now.UTC(), s.cal.Main())); err != nil {
				return s.failure(x, "a later time", err.Error())
			}
		}
		got := &outcome{}
		for n := range x.times {
			if n > 0 && x.every > 0 {
				if err := s.moveTo(s.now.Add(x.every).UTC()); err != nil {
					return s.failure(x, "a later time", err.Error())
				}
			}
			s.count, s.total = n+1, x.times
			if f := s.once(x, got, n+1 == x.times); f != nil {
				return f
			}
		}
		if f := s.after(x, got, over); f != nil {
			return f
		}
	}
	return nil
}

// outcome is what came of all times of a step.
type outcome struct {
	shadow, warn []said
	fired        []core.WatchStanding
}

// said is what a rule said of an order that it did not refuse.
type said struct{ rule, text, line string }

// once plays a step one time.
func (s *stage) once(x *step, got *outcome, last bool) *Failure {
	switch v := x.value.(type) {
	case *order:
		return s.order(x, v, got, last)
	case []*step:
		return s.play(v, got)
	case *fill:
		return s.fillStep(x, v)
	case *amendment:
		return s.amend(x, v, got)
	case *override:
		return s.override(x, v)
	case *rejection:
		return s.each(x, []string{v.order}, func(o hub.Order) hub.Input {
			return hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportRejected, Reason: v.reason, VenueTime: s.now}
		})
	case names:
		return s.each(x, v.all, func(o hub.Order) hub.Input {
			switch x.what {
			case "cancel":
				return hub.CancelOrder{Trader: o.Trader, OrderID: o.ID}
			case "cancelled":
				return s.cancelled(o)
			}
			return hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportResting, VenueTime: s.now}
		})
	case []quote:
		s.quotes(v)
	case []standing:
		for _, to := range v {
			s.step(hub.SetState{Scope: s.scope(to.name), Name: strings.TrimPrefix(to.name, "fund"), State: to.state, By: "test"})
		}
	case []upDown:
		for _, g := range v {
			in := hub.GatewayState{Gateway: g.gateway, Reason: "the test says so"}
			for _, has := range s.world.gateways {
				if has.name == g.gateway && g.up {
					in = has.up()
				}
			}
			s.step(in)
		}
	case []hub.Rate:
		s.step(hub.SetRates{Rates: v, By: "test", Jump: true})
	case []hub.PublishedNumber:
		if err := s.publish(v); err != nil {
			return s.failure(x, "the numbers are published", err.Error())
		}
	case statement:
		s.step(s.stated(v))
	case []amount:
		return s.capital(x, v)
	case *transfer:
		s.step(hub.TransferPosition{Instrument: v.instrument, Direction: v.direction, Qty: v.quantity, From: v.from, To: v.to, Price: v.price, By: "test"})
		return s.answered(x)
	case string:
		part := hub.Part{}
		switch s.scope(v) {
		case hub.ScopeTrader:
			part.Trader = hub.TraderName(v)
		case hub.ScopeGateway:
			part.Gateway = hub.GatewayName(v)
		case hub.ScopeFund:
		}
		if x.what == "flatten" {
			s.step(hub.Flatten{Part: part, By: "test"})
			return nil
		}
		s.step(hub.CancelAll{Part: part, By: "test"})
	case []Policy:
		return s.reload(x, v)
	case nil:
		if x.what == "restart" {
			if err := s.restart(); err != nil {
				return s.failure(x, "a hub that starts again", err.Error())
			}
		}
	}
	return nil
}

// scope is what a name is of: fund, a gateway, or else a trader.
func (s *stage) scope(name string) hub.Scope {
	switch {
	case name == "fund":
		return hub.ScopeFund
	case s.world.isGateway(name):
		return hub.ScopeGateway
	}
	return hub.ScopeTrader
}

func (s *stage) order(x *step, o *order, got *outcome, last bool) *Failure {
	a := s.ask(s.complete(o))
	if last {
		if f := s.look(x, a); f != nil {
			return f
		}
	}
	s.explain(a)
	at := len(s.effects)
	id, refusals := s.submit(o)
	s.named["last"] = []hub.OrderID{id}
	if x.name != "" {
		s.named[x.name] = append(s.named[x.name], id)
	}
	decision := s.decision(at, id)
	if decision == nil {
		if x.waits {
			return nil
		}
		return s.failure(x, s.expected(x), "the order waits: the orders of the fund that it would meet are being cancelled")
	}
	if decision.Order.Status == hub.Cancelled {
		return s.failure(x, s.expected(x), "the order is withdrawn: "+decision.Order.Reason)
	}
	if f := s.decided(x, a, refusals); f != nil {
		return f
	}
	if decision.Considered.Asked {
		if f := s.faithful(x, a, slices.Concat(decision.Refusals, decision.Lifted)); f != nil {
			return f
		}
		s.coverage.count(a.findings, s.at, s.test.File)
	}
	got.add(decision.Shadows, decision.Warnings)
	if o.fill && len(refusals) == 0 {
		s.player.fill(id, hub.Decimal{}, hub.Decimal{})
	}
	return nil
}

// decision is what was decided about an order since an effect; nil when it waits.
func (s *stage) decision(at int, id hub.OrderID) *core.Decided {
	var found *core.Decided
	for _, e := range s.effects[at:] {
		if d, ok := e.(core.Decided); ok && (d.Order.ID == id || id == "") {
			found = &d
		}
	}
	return found
}

// faithful fails when the rules, asked before the step, said something else than they decided: then the test bench is wrong, and nothing that it says of rules is worth anything.
func (s *stage) faithful(x *step, a *asked, refusals []hub.Refusal) *Failure {
	var said, did []string
	for _, f := range a.findings {
		if f.Refuses() {
			said = append(said, f.Place+" "+f.Name)
		}
	}
	for _, r := range refusals {
		if r.Place != "" || r.Code == policy.CodeNoPolicy {
			did = append(did, r.Place+" "+r.Rule)
		}
	}
	if a.source == nil || same(said, did) {
		return nil
	}
	return s.failure(x, "rules that say the same twice; this is a mistake of the hub, please report it", fmt.Sprintf("explained %q, decided %q", said, did))
}

// fires takes in the watches that have fired.
func (s *stage) fires(got *outcome) {
	for _, w := range s.fired() {
		got.fired = append(got.fired, w)
		if c := s.coverage.seen(s.at, w.Place, w.Name, s.test.File); c != nil {
			c.Fired++
		}
	}
}

// pass gives what a step says nothing of to the block that it stands in.
func (o *outcome) pass(x *step, over *outcome) {
	if x.shadow.all == nil {
		over.shadow, o.shadow = append(over.shadow, o.shadow...), nil
	}
	if x.warn.all == nil {
		over.warn, o.warn = append(over.warn, o.warn...), nil
	}
	if x.fired.all == nil {
		over.fired, o.fired = append(over.fired, o.fired...), nil
	}
}

// add takes in what shadow rules would have refused, and what is warned of.
func (o *outcome) add(shadows []hub.Refusal, warnings []hub.Warning) {
	for _, r := range shadows {
		o.shadow = append(o.shadow, said{r.Rule, r.Text, fmt.Sprintf("%s %s: %s%s", r.Place, r.Rule, r.Text, valued(r.Values))})
	}
	for _, w := range warnings {
		o.warn = append(o.warn, said{w.Rule, w.Text, fmt.Sprintf("%s %s: %s%s", w.Place, w.Rule, w.Text, valued(w.Values))})
	}
}

func namesIn(all []said) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// decided compares what refused an order with what was to refuse it.
func (s *stage) decided(x *step, a *asked, refusals []hub.Refusal) *Failure {
	var rules, blind []string
	for _, r := range refusals {
		switch {
		case r.Code == policy.CodeNotComputable && r.Rule != "":
			blind = append(blind, r.Rule)
		case r.Rule != "":
			rules = append(rules, r.Rule)
		default:
			rules = append(rules, r.Code)
		}
	}
	if same(rules, x.refused.all) && same(blind, x.notComputable.all) {
		if len(refusals) == 0 {
			return nil
		}
		var texts []string
		for _, r := range refusals {
			texts = append(texts, r.Text)
		}
		return s.saying(x, texts)
	}
	f := s.failure(x, s.expected(x), happened(rules, blind))
	f.Details = s.details(a, refusals, slices.Concat(x.refused.all, x.notComputable.all))
	return f
}

// saying fails when none of several sentences has the words that a step wants.
func (s *stage) saying(x *step, texts []string) *Failure {
	if x.says == "" || slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, x.says) }) {
		return nil
	}
	return s.failure(x, fmt.Sprintf("a sentence that says %q", x.says), strings.Join(texts, "; "))
}

// expected is what a step wants of its order, in words.
func (s *stage) expected(x *step) string { return happened(x.refused.all, x.notComputable.all) }

func happened(rules, blind []string) string {
	if len(rules)+len(blind) == 0 {
		return "the order passes"
	}
	var parts []string
	if len(rules) > 0 {
		parts = append(parts, "refused by "+strings.Join(rules, ", "))
	}
	if len(blind) > 0 {
		parts = append(parts, "not computable: "+strings.Join(blind, ", "))
	}
	return strings.Join(parts, "; ")
}

// same reports whether two lists have the same names, in whatever order.
func same(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// each does something to every order of some names that may still trade.
func (s *stage) each(x *step, names []string, input func(hub.Order) hub.Input) *Failure {
	for _, name := range names {
		for _, id := range s.orders(name) {
			o, ok := s.core.Order("", id)
			switch {
			case !ok:
				return s.failure(x, "an order called "+name, "the hub has no such order any more")
			case o.Status == hub.Rejected && x.what != "cancel":
				return s.failure(x, "an order that the venue has", fmt.Sprintf("order %s was rejected: %s", name, o.Reason))
			}
			s.step(input(o))
		}
		if len(s.orders(name)) == 0 && name == "last" {
			return s.failure(x, "an order", "no order was sent before")
		}
	}
	return nil
}

func (s *stage) fillStep(x *step, v *fill) *Failure {
	ids := s.orders(v.order)
	if len(ids) == 0 {
		return s.failure(x, "an order to fill", "there is none called "+v.order)
	}
	for _, id := range ids {
		o, ok := s.core.Order("", id)
		if !ok || o.Status.Final() {
			return s.failure(x, "an order that may still trade", strings.TrimSpace(fmt.Sprintf("order %s is %s %s", v.order, o.Status, o.Reason)))
		}
		s.player.fill(id, v.quantity, v.price)
	}
	for _, id := range s.orders(v.with) {
		s.fillAs(fmt.Sprintf("t%d", s.fills), id, v.quantity, v.price)
	}
	return nil
}

// quotes are new prices.
func (s *stage) quotes(all []quote) {
	var marks []hub.Mark
	for _, q := range all {
		m := s.markets[q.instrument]
		m.set(q.fields)
		m.quiet = q.quiet
		seen := s.now.Add(-q.age)
		m.view.Seen = seen
		if m.view.Last.IsPos() {
			marks = append(marks, hub.Mark{Instrument: q.instrument, Price: m.view.Last, Seen: seen})
		}
	}
	if len(marks) > 0 {
		s.step(hub.Marks{Marks: marks})
	}
}

func (s *stage) capital(x *step, all []amount) *Failure {
	for _, a := range all {
		in := hub.TransferCapital{To: hub.TraderName(a.name), Amount: a.amount, By: "test"}
		if a.amount.IsNeg() {
			in.To, in.From, in.Amount = "", in.To, a.amount.Neg()
		}
		s.step(in)
		if f := s.answered(x); f != nil {
			return f
		}
	}
	return nil
}

// answered fails when the hub would not do a transfer.
func (s *stage) answered(x *step) *Failure {
	for _, e := range s.effects {
		if a, ok := e.(core.TransferAnswered); ok && len(a.Refusals) > 0 {
			return s.failure(x, "the transfer is done", strings.Join(a.Refusals, "; "))
		}
	}
	return nil
}

func (s *stage) reload(x *step, list []Policy) *Failure {
	files, errs := named(s.file.Name, list, s.folder)
	var rules *policy.Rules
	if len(errs) == 0 {
		if rules, errs = policy.Compile(files, policy.InCurrency(s.world.currency)); len(errs) == 0 {
			if err := s.load(complete(files, rules, s.world.traders)); err != nil {
				return s.failure(x, "policies that load", err.Error())
			}
			return nil
		}
	}
	f := s.failure(x, "policies that load", errs[0].String())
	for _, e := range errs[1:] {
		f.Details = append(f.Details, e.String())
	}
	return f
}

// after compares what a step expects of all its times together.
func (s *stage) after(x *step, got, over *outcome) *Failure {
	s.fires(got)
	if over != nil { // what the step does not speak of, the block that it is in may
		got.pass(x, over)
	}
	for _, k := range []struct {
		what, none string
		want       []string
		got        []said
	}{{"refused in shadow by", "no shadow rule would have refused it", x.shadow.all, got.shadow}, {"warned of", "no warning", x.warn.all, got.warn}} {
		if names := namesIn(k.got); !same(names, k.want) {
			f := s.failure(x, listed(k.what, k.none, k.want), listed(k.what, k.none, names))
			for _, g := range k.got {
				f.Details = append(f.Details, g.line)
			}
			slices.Sort(f.Details)
			f.Details = slices.Compact(f.Details)
			return f
		}
	}
	if len(x.refused.all)+len(x.notComputable.all) == 0 { // else the refusal says it
		var texts []string
		for _, g := range slices.Concat(got.shadow, got.warn) {
			texts = append(texts, g.text)
		}
		if f := s.saying(x, texts); f != nil {
			return f
		}
	}
	var fired []string
	for _, w := range got.fired {
		fired = append(fired, w.Name)
	}
	if !same(fired, x.fired.all) {
		f := s.failure(x, listed("fired:", "no watch fires", x.fired.all), listed("fired:", "no watch fires", fired))
		for _, w := range s.core.Watches() {
			f.Details = append(f.Details, strings.TrimSpace(fmt.Sprintf("%s %s:%s %s", w.Place, w.Name, valued(w.Values), w.Blind)))
		}
		return f
	}
	if x.what != "order" && x.what != "amend" && len(x.values)+len(x.holds) > 0 {
		if f := s.look(x, s.ask(s.any())); f != nil {
			return f
		}
	}
	return s.stand(x)
}

// listed is names behind a phrase, or another phrase when there are none.
func listed(what, none string, names []string) string {
	if len(names) == 0 {
		return none
	}
	return what + " " + strings.Join(names, ", ")
}

// any is an order that nobody sends, about which variables are asked: a trader's smallest, at the last price.
func (s *stage) any() order {
	o := order{instrument: s.world.contract, direction: hub.Long, kind: hub.Limit}
	if o.instrument == (hub.Instrument{}) && len(s.world.used) > 0 {
		o.instrument = s.world.used[0]
	}
	k, ok := s.world.contracts[o.instrument]
	if !ok {
		return o
	}
	o.quantity = k.MinQty
	if !k.NetPosition {
		o.offset = hub.Open
	}
	return s.complete(&o)
}

// stand compares states.
func (s *stage) stand(x *step) *Failure {
	for _, want := range x.states {
		got := hub.Active
		switch s.scope(want.name) {
		case hub.ScopeGateway:
			for _, g := range s.core.Gateways() {
				if string(g.Name) == want.name {
					got = g.State
				}
			}
		case hub.ScopeFund, hub.ScopeTrader:
			for _, t := range s.core.Standings() {
				if string(t.Trader) == strings.TrimPrefix(want.name, "fund") {
					got = t.State
				}
			}
		}
		if got != want.state {
			f := s.failure(x, fmt.Sprintf("%s is %s", want.name, want.state), fmt.Sprintf("%s is %s", want.name, got))
			f.Place = placed(s.test.File, want.at)
			return f
		}
	}
	return nil
}

func (s *stage) failure(x *step, expected, happened string) *Failure {
	f := &Failure{Place: placed(s.test.File, x.node), Step: s.words(x), At: s.clock(), Expected: expected, Happened: happened}
	if s.total > 1 {
		f.At += fmt.Sprintf(", time %d of %d", s.count, s.total)
	}
	return f
}

// words say what a step does.
func (s *stage) words(x *step) string {
	switch v := x.value.(type) {
	case *order:
		return s.complete(v).String()
	case *amendment:
		return "amend " + v.order
	case *override:
		return "override for " + s.complete(v.order).String()
	case names:
		return x.what + " " + strings.Join(v.all, ", ")
	case *fill:
		return "fill " + v.order
	case *rejection:
		return "reject " + v.order
	case string:
		return x.what + " " + v
	}
	if x.what == "" {
		return "look"
	}
	return x.what
}

// String is the order in words: alpha buys 5 rb2701.SHFE at 3500 (LIMIT OPEN).
func (o order) String() string {
	verb := "buys"
	if o.direction == hub.Short {
		verb = "sells"
	}
	text := fmt.Sprintf("%s %s %s %s", o.trader, verb, o.quantity, o.instrument)
	if o.kind != hub.Market {
		text += " at " + o.price.String()
	}
	text += " (" + o.kind.String()
	if o.offset != hub.NoOffset {
		text += " " + o.offset.String()
	}
	return text + ")"
}

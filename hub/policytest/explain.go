package policytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// Question is an order that nobody sends, and when it would be sent.
type Question struct {
	// Order is as a test writes it: {buy: 5, contract: rb2701, price: 3500}. JSON will do.
	Order string
	// World is what the hub begins with, in the keys of a test; Market are prices, as a test writes them. Both may be "".
	World, Market string
	// Test is the one at whose end, or, with Steps over 0, after so many of whose steps, it is asked; nil: nothing has happened.
	Test  *Test
	Steps int
	// Core, when there is one, is a state to ask in its place: it is changed.
	Core *core.Core
	// Lang is the language of the rules' sentences.
	Lang hub.Lang
}

// Explanation is what becomes of an order, and why.
type Explanation struct {
	// Order is the order in words, At when it is asked.
	Order, At string
	// Refusals are all that refuse it: the hub's own reasons, and rules. Waits: it is not refused, and waits until others of the fund that it would meet are cancelled.
	Refusals []hub.Refusal
	Waits    bool
	Warnings []hub.Warning
	// Findings are what every rule says; none, with Why, when rules could not be asked.
	Findings []policy.Finding
	Why      string
	Revision string
	// Managers are risk managers that were not asked: no process of theirs runs here.
	Managers []string
}

// Passed reports whether the order would be sent.
func (e *Explanation) Passed() bool { return len(e.Refusals) == 0 && !e.Waits }

// Explain asks what would become of an order under the policies of a folder, or, of a test, under those that its file is about. Errors are about what was written; err is what came in the
// way.
func Explain(f *File, folder []hub.PolicyFile, q Question) (*Explanation, []policy.Error, error) {
	r := &reader{names: map[string]bool{}}
	begin := plainWorld()
	if q.Test != nil {
		begin = q.Test.world.clone()
	}
	if q.Core != nil {
		begin = worldOf(q.Core)
	}
	r.world = &begin
	if root := r.part("--world", q.World); root != nil {
		r.readWorld(r.fields(root, "", keysOfWorld), "")
	}
	var asked *order
	if root := r.part("--order", q.Order); root != nil {
		asked = r.order(root, "")
	}
	if asked != nil && asked.instrument != (hub.Instrument{}) {
		begin.contract = asked.instrument
	}
	var prices []quote
	if root := r.part("--market", q.Market); root != nil {
		prices = r.markets(root, "")
	}
	if len(r.errs) > 0 {
		slices.SortFunc(r.errs, compareErrors)
		return nil, r.errs, nil
	}
	if q.Core != nil {
		x, err := explainIn(q, begin, *asked, prices)
		return x, nil, err
	}
	return explainTest(f, folder, q, begin, *asked, prices)
}

// part reads what was written on the command line.
func (r *reader) part(name, text string) *yaml.Node {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	r.file, r.text = name, text
	root, errs := policy.Tree(hub.PolicyFile{Name: name, Text: text})
	r.errs = append(r.errs, errs...)
	return root
}

func explainTest(f *File, folder []hub.PolicyFile, q Question, begin world, o order, prices []quote) (*Explanation, []policy.Error, error) {
	t := &Test{world: begin}
	files := folder
	if q.Test == nil {
		f = &File{All: true}
	} else {
		t.File, t.Line, t.steps = q.Test.File, q.Test.Line, q.Test.steps
		if q.Steps > len(t.steps) {
			return nil, nil, fmt.Errorf("test %q has %d steps", q.Test.Name, len(t.steps))
		}
		if q.Steps > 0 {
			t.steps = t.steps[:q.Steps]
		}
	}
	if !f.All {
		var errs []policy.Error
		if files, errs = named(f.Name, f.Policies, folder); len(errs) > 0 {
			return nil, errs, nil
		}
	}
	rules, errs := policy.Compile(files, policy.InCurrency(begin.currency))
	if len(errs) > 0 {
		return nil, errs, nil
	}
	calendars, wrong := calendar.Read(nil)
	if len(wrong) > 0 {
		return nil, nil, wrong[0]
	}
	s := &stage{test: t, file: f, folder: folder}
	failure := s.open(begin, files, rules, calendars)
	if failure == nil {
		failure = s.play(t.steps, nil)
	}
	if failure != nil {
		return nil, nil, fmt.Errorf("the test fails before the order is asked about: %s", failure)
	}
	s.quotes(prices)
	return s.explained(o, q.Lang), nil, nil
}

// explained asks about an order, and then sends it, which nobody will see.
func (s *stage) explained(o order, lang hub.Lang) *Explanation {
	whole := s.complete(&o)
	a := s.ask(whole)
	x := &Explanation{Order: whole.String(), At: s.clock(), Why: a.why, Revision: s.rules.Revision(), Managers: s.managers}
	if a.source != nil {
		x.Findings = s.rules.Explain(whole.trader, a.source, lang)
	}
	s.effects = s.effects[:0]
	id, _ := s.submit(&o)
	x.decided(s.decision(0, id))
	return x
}

func (e *Explanation) decided(d *core.Decided) {
	if d == nil {
		e.Waits = true
		return
	}
	e.Refusals, e.Warnings = d.Refusals, d.Warnings
}

// worldOf is as much of a test's beginning as a state has.
func worldOf(c *core.Core) world {
	w := plainWorld()
	im := c.Image()
	w.traders, w.currency, w.gateways = im.SetUp.Traders, im.SetUp.Currency, nil
	for _, g := range im.SetUp.Gateways {
		w.gateways = append(w.gateways, gateway{name: g})
	}
	for _, k := range c.Contracts() {
		if _, has := w.contracts[k.Instrument]; has {
			continue
		}
		w.contracts[k.Instrument] = contract{Contract: k}
		w.used = append(w.used, k.Instrument)
	}
	for _, m := range c.Held() {
		if k, ok := w.contracts[m.Instrument]; ok {
			k.last = m.Price
			w.contracts[m.Instrument] = k
		}
	}
	return w
}

// explainIn asks a state as it is. What its calendars say of the moment is what the shipped ones say.
func explainIn(q Question, begin world, o order, prices []quote) (*Explanation, error) {
	calendars, wrong := calendar.Read(nil)
	if len(wrong) > 0 {
		return nil, wrong[0]
	}
	im := q.Core.Image()
	rules, errs := policy.Compile(im.Files, policy.InCurrency(im.SetUp.Currency), policy.OfLanguage(im.Language))
	if len(errs) > 0 {
		return nil, errs[0]
	}
	main := im.SetUp.Calendar
	if calendars[main] == nil {
		main = begin.calendar
	}
	p := newPlayer(&begin, calendarSet(calendars, main))
	p.core, p.rules, p.now, p.managers = q.Core, rules, im.Now, im.SetUp.Managers
	for _, x := range q.Core.Orders("", false) {
		p.seen[x.ID] = true
	}
	s := &stage{player: p, test: &Test{}, file: &File{}}
	s.quotes(prices)
	x := s.explained(o, q.Lang)
	x.At = im.Now.UTC().Format(time.DateTime) + " UTC"
	return x, nil
}

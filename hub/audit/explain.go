package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Explanation is all that the record has of one order.
type Explanation struct {
	Order string `json:"order"`
	// Decisions are what was decided of it: of the order, once for each time that it waited for others to be cancelled, and of its amendments. The first comes first.
	Decisions []Explained `json:"decisions"`
	// Life is every row about the order, in order.
	Life []Event `json:"life"`
}

// Explained is one decision, rule by rule.
type Explained struct {
	// What is "order", or "amendment".
	What  string    `json:"what"`
	Row   uint64    `json:"row"`
	Hash  string    `json:"hash"`
	Entry uint64    `json:"entry"`
	Time  time.Time `json:"time"`
	// Order is as it was asked for, or, of an amendment, as it would become.
	Order    *Order    `json:"order,omitempty"`
	Decision *Decision `json:"decision"`
	// Policy is the load by which the revision was in force; nil when the record does not have it.
	Policy *Policy `json:"policy,omitempty"`
	// Hub is what the hub itself asked, Rules what the rules of then say of the values of then.
	Hub   []Check `json:"hub"`
	Rules []Rule  `json:"rules"`
	// Notes say what cannot be shown, or does not agree with what was recorded.
	Notes []string `json:"notes,omitempty"`
}

// Policy is where rules came from.
type Policy struct {
	Revision string    `json:"revision"`
	Loaded   time.Time `json:"loaded"`
	By       string    `json:"by"`
	Row      uint64    `json:"row"`
}

// Check is one thing that the hub itself asks of every order.
type Check struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"` // "passed", "failed" or "not asked"
	Text    string `json:"text,omitempty"`
}

// Rule is what one rule says.
type Rule struct {
	Owner    string   `json:"owner"` // the trader, or "fund"
	Name     string   `json:"name,omitempty"`
	Place    string   `json:"place,omitempty"`
	Mode     string   `json:"mode"`
	Outcome  string   `json:"outcome"`
	Controls []int    `json:"controls,omitempty"`
	Text     string   `json:"text,omitempty"`
	Values   []string `json:"values,omitempty"`
	When     string   `json:"when,omitempty"`
	Require  string   `json:"require,omitempty"`
	Parts    []Part   `json:"parts,omitempty"`
	// Refuses: it is why the order was refused, unless an override lifted it.
	Refuses bool `json:"refuses,omitempty"`
	Lifted  bool `json:"lifted,omitempty"`
	fund    bool
}

// Part is one condition of a rule that has several.
type Part struct {
	Text    string `json:"text"`
	Outcome string `json:"outcome"`
}

// Event is one row of an order's life.
type Event struct {
	Row   uint64    `json:"row"`
	Entry uint64    `json:"entry"`
	Time  time.Time `json:"time"`
	Kind  string    `json:"kind"`
	Body  Body      `json:"body"`
}

// UnknownOrderError says that nothing of an order is in the record.
type UnknownOrderError struct{ Order hub.OrderID }

// Error names it.
func (e *UnknownOrderError) Error() string {
	return fmt.Sprintf("there is no order %s in the record", e.Order)
}

// Explain tells what was decided of an order, and by what. The sentences of rules are in lang, as far as their authors wrote them in it.
func (r *Reader) Explain(ctx context.Context, id hub.OrderID, lang hub.Lang) (*Explanation, error) {
	rows, err := r.Rows(ctx, Filter{Order: id})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || id == "" {
		return nil, &UnknownOrderError{id}
	}
	x := &Explanation{Order: string(id), Decisions: []Explained{}}
	for i := range rows {
		row := &rows[i]
		body, err := DecodeBody(row.Body)
		if err != nil {
			return nil, fmt.Errorf("%w: row %d: %w", ErrDamaged, row.N, err)
		}
		x.Life = append(x.Life, Event{row.N, row.Seq, row.Time.UTC(), row.Kind, body})
		what, order, decision := "order", body.Order, body.Decision
		if a := body.Amendment; a != nil {
			what, order, decision = "amendment", a.Order, a.Decision
		}
		if decision == nil {
			continue
		}
		e := Explained{
			What: what, Row: row.N, Hash: row.Hash.String(), Entry: row.Seq, Time: row.Time.UTC(), Order: order, Decision: decision, Hub: checks(what, decision), Rules: []Rule{},
		}
		if err := r.rules(ctx, &e, row, lang); err != nil {
			return nil, err
		}
		x.Decisions = append(x.Decisions, e)
	}
	return x, nil
}

// rules asks the rules of then.
func (r *Reader) rules(ctx context.Context, e *Explained, row *Row, lang hub.Lang) error {
	note := func(format string, args ...any) { e.Notes = append(e.Notes, fmt.Sprintf(format, args...)) }
	d := e.Decision
	switch {
	case d.Outcome == "withdrawn":
		note("the order was cancelled before anything was asked about it")
		return nil
	case d.Outcome == "waits":
		note("the order waited for others of the fund to be cancelled; the rules were asked again after that")
		return nil
	case !d.Asked && d.Revision == "":
		note("no policy was loaded")
		return nil
	case !d.Asked:
		note("the rules were not asked about it")
		return nil
	}
	load, err := r.inForce(ctx, d.Revision, row)
	if err != nil {
		return err
	}
	if load == nil {
		note("the text of revision %s is not in the record: it was loaded before the record began", d.Revision)
		return nil
	}
	e.Policy = &Policy{Revision: load.Revision, Loaded: load.Row.Time.UTC(), By: load.By, Row: load.Row.N}
	files, err := r.Files(ctx, load.Load)
	if err != nil {
		return err
	}
	rules, errs := policy.Compile(files, policy.InCurrency(load.Currency), policy.OfLanguage(load.Language))
	if len(errs) > 0 {
		note("this version of the hub cannot read the policy of then: %s", errs[0])
		return nil
	}
	var said []hub.Refusal
	for _, f := range rules.Explain(row.Trader, d.Playback(), lang) {
		x := ruleOf(f, row.Trader)
		if f.Refuses() {
			said = append(said, f.Refusal())
			x.Lifted = slices.ContainsFunc(d.Lifted, x.is)
		}
		e.Rules = append(e.Rules, x)
	}
	if !agree(said, d) {
		note("the rules do not say now what they said then: this version of the hub reads them otherwise, or the record was changed; what was recorded holds")
	}
	return nil
}

// inForce is the newest load before a row by which a revision was in force; nil when there is none.
func (r *Reader) inForce(ctx context.Context, revision string, row *Row) (*Loaded, error) {
	all, err := r.loads(ctx, Filter{Kinds: []string{kindLoad}})
	if err != nil {
		return nil, err
	}
	for _, l := range slices.Backward(all) {
		if l.Row.N < row.N && l.Revision == revision && len(l.Errors) == 0 {
			return &l, nil
		}
	}
	return nil, nil
}

func ruleOf(f policy.Finding, trader hub.TraderName) Rule {
	x := Rule{
		Owner: "fund", Name: f.Name, Place: f.Place, Mode: f.Mode.String(), Outcome: f.Outcome.String(), Controls: f.Controls, Text: f.Text, Values: f.Values, When: f.When, Require: f.Require,
		Refuses: f.Refuses(), fund: f.Fund,
	}
	if !f.Fund && f.Owner != "" {
		x.Owner = string(trader)
	}
	for _, p := range f.Parts {
		x.Parts = append(x.Parts, Part{p.Text, p.Outcome.String()})
	}
	return x
}

func (x *Rule) is(r Refusal) bool { return r.Rule == x.Name && r.Place == x.Place && r.Fund == x.fund }

// ofRules reports whether a refusal is one of the rules' own.
func (r *Refusal) ofRules() bool {
	switch r.Code {
	case policy.CodeRule, policy.CodeNoPolicy:
		return true
	}
	return r.Code == policy.CodeNotComputable && r.Rule != ""
}

// agree reports whether the rules say what was recorded of them: those that refused, those that an override lifted, and those that were noted against an order that closes.
func agree(now []hub.Refusal, d *Decision) bool {
	var then []Refusal
	for _, r := range slices.Concat(d.Refusals, d.Lifted, d.Noted) {
		if r.ofRules() {
			then = append(then, r)
		}
	}
	if len(then) != len(now) {
		return false
	}
	for _, r := range now {
		if !slices.ContainsFunc(then, func(x Refusal) bool {
			return x.Rule == r.Rule && x.Place == r.Place && x.Fund == r.Fund && x.Code == r.Code && slices.Equal(x.Values, r.Values)
		}) {
			return false
		}
	}
	return true
}

// asked is what the hub asks of every order, and the codes of the refusals that say no to it.
type asked struct {
	name  string
	codes []string
}

// ofRequest are asked first: when one of them fails, nothing else can be asked.
var ofRequest = []asked{
	{"a gateway trades the contract, and it can be valued", []string{"contract"}},
	{"the order makes sense: direction, type, price, quantity, offset", []string{"direction", "type", "price", "quantity", "offset"}},
}

// ofHub are asked of an order that makes sense, together with the rules.
var ofHub = []asked{
	{"the trading day has begun in the books", []string{"calendar"}},
	{"the order has a value", []string{policy.CodeNotComputable}},
	{"its currency has a rate", []string{"rate"}},
	{"the trader is configured", []string{"no-trader"}},
	{"the states of trader, fund and gateway allow it", []string{"halted", "cancel-only", "reduce-only"}},
	{"the trader's positions are not being flattened", []string{"flattening"}},
	{"the gateway is up", []string{"gateway-down"}},
	{"what it closes is there and free", []string{"offset"}},
	{"it would not meet an order of the fund itself", []string{"internal-cross"}},
	{"the gateway's channel has room for it", []string{"channel-budget"}},
}

// ofAmendment is asked of an amendment besides.
var ofAmendment = asked{"the order can be amended, now and by its gateway", []string{"amend", "amend-unsupported"}}

// checks are what the hub itself asked of a decision.
func checks(what string, d *Decision) []Check {
	all := []Check{}
	if d.Outcome == "withdrawn" || d.Outcome == "waits" {
		return all
	}
	left := slices.DeleteFunc(slices.Clone(d.Refusals), func(r Refusal) bool { return r.ofRules() || r.Code == "risk-manager" })
	one := func(a asked, was bool) {
		c := Check{Name: a.name, Outcome: "passed"}
		if !was {
			c.Outcome = "not asked"
		}
		if i := slices.IndexFunc(left, func(r Refusal) bool { return slices.Contains(a.codes, r.Code) }); i >= 0 && was {
			c.Outcome, c.Text = "failed", left[i].Text
			left = slices.Delete(left, i, i+1)
			for j := 0; j < len(left); j++ { // such as two states that say no
				if slices.Contains(a.codes, left[j].Code) {
					c.Text += "; " + left[j].Text
					left = slices.Delete(left, j, j+1)
					j--
				}
			}
		}
		if c.Outcome == "passed" && slices.Contains(a.codes, "halted") && d.States != nil {
			c.Text = fmt.Sprintf("trader %s, fund %s, gateway %s", d.States.Trader, d.States.Fund, d.States.Gateway)
		}
		all = append(all, c)
	}
	// An order that makes no sense is not asked about further; neither is one that was refused before it came to it.
	further := d.Asked || d.States != nil
	early := slices.ContainsFunc(left, func(r Refusal) bool { return slices.Contains(ofRequest[0].codes, r.Code) })
	sense := slices.ContainsFunc(left, func(r Refusal) bool { return slices.Contains(ofRequest[1].codes, r.Code) })
	if what == "amendment" {
		one(ofAmendment, true)
	}
	one(ofRequest[0], further || early || sense)
	if further {
		all = append(all, Check{Name: ofRequest[1].name, Outcome: "passed"})
	} else {
		one(ofRequest[1], sense)
	}
	for _, a := range ofHub {
		one(a, further)
	}
	for _, r := range left { // late, restarted, and whatever is new
		all = append(all, Check{Name: r.Code, Outcome: "failed", Text: r.Text})
	}
	return all
}

// IsUnknown reports whether an error says that the record does not have what was asked for.
func IsUnknown(err error) bool {
	_, order := errors.AsType[*UnknownOrderError](err)
	_, revision := errors.AsType[*UnknownRevisionError](err)
	return order || revision
}

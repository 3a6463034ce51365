package policytest

import (
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// asked is an order about which the rules, and the test, are asked before it is decided.
type asked struct {
	order    order
	source   policy.Source
	why      string // it cannot be asked about
	findings []policy.Finding
}

// ask prepares an order for questions.
func (s *stage) ask(o order) *asked {
	a := &asked{order: o}
	if o.instrument == (hub.Instrument{}) {
		a.why = "of which contract? Write contract: rb2701 above the steps"
		return a
	}
	in := s.input(o)
	r := s.core.Ask()
	if err := r.Put(&in, s.now); err != nil {
		a.why = err.Error()
		return a
	}
	a.source = r.Source()
	return a
}

// explain asks every rule. The findings are for this moment: the core goes on.
func (s *stage) explain(a *asked) {
	if a.source != nil {
		a.findings = s.rules.Explain(a.order.trader, a.source, hub.English)
	}
}

// details are the rules that refused an order, those that were to refuse it, and what both read.
func (s *stage) details(a *asked, refusals []hub.Refusal, wanted []string) []string {
	var lines []string
	told := map[string]bool{}
	for _, r := range refusals {
		line := r.Code + ": " + r.Text
		if r.Place != "" {
			line = fmt.Sprintf("%s %s: %s", r.Place, r.Rule, r.Text)
			told[r.Rule] = true
		}
		lines = append(lines, line+valued(r.Values))
	}
	for _, f := range a.findings {
		if told[f.Name] || !slices.Contains(wanted, f.Name) {
			continue
		}
		told[f.Name] = true
		lines = append(lines, finding(f))
	}
	return lines
}

// finding is a rule, what it says, and what it read, in a line.
func finding(f policy.Finding) string {
	what := f.Outcome.String()
	if f.Mode == policy.Shadow {
		what += " (in shadow)"
	}
	if f.Text != "" {
		what += ": " + f.Text
	} else if f.Outcome == policy.NotApplicable {
		what += ": " + f.When
	}
	return fmt.Sprintf("%s %s: %s%s", f.Place, f.Name, what, valued(f.Values))
}

// valued is what was read, in brackets.
func valued(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return " [" + strings.Join(values, " ") + "]"
}

// spy remembers the last value that was read.
type spy struct {
	policy.Source
	value policy.Value
}

// Value implements policy.Source.
func (s *spy) Value(ref *policy.Ref) *policy.Value {
	s.value = *s.Source.Value(ref)
	return &s.value
}

// look compares variables and conditions.
func (s *stage) look(x *step, a *asked) *Failure {
	if len(x.values)+len(x.holds) == 0 {
		return nil
	}
	if a.source == nil {
		return s.failure(x, "values", a.why)
	}
	for _, w := range x.values {
		read := &spy{Source: a.source}
		w.rules.Decide(a.order.trader, read)
		if w.equals(read.value) {
			continue
		}
		f := s.failure(x, w.name+" is "+w.value, w.name+" is "+shown(read.value))
		f.Place = placed(s.test.File, w.at)
		return f
	}
	for _, c := range x.holds {
		for _, r := range c.rules.Decide(a.order.trader, a.source) {
			if r.Rule == "" {
				continue // the condition is a rule of a fund without traders
			}
			happened := "it is false"
			if r.Code == policy.CodeNotComputable {
				happened = r.Text
			}
			f := s.failure(x, c.text, happened)
			f.Place, f.Details = placed(s.test.File, c.at), r.Values
			return f
		}
	}
	return nil
}

func (w *wanted) equals(v policy.Value) bool {
	if w.value == missing {
		return v.Kind == policy.KindMissing
	}
	switch v.Kind {
	case policy.KindNumber:
		d, err := hub.ParseDecimal(strings.ReplaceAll(w.value, "_", ""))
		return err == nil && d.Equal(v.Number)
	case policy.KindText:
		return v.Text == w.value
	case policy.KindTruth:
		return fmt.Sprint(v.Truth) == w.value
	case policy.KindMissing:
	}
	return false
}

// shown is a value as a person reads it.
func shown(v policy.Value) string {
	switch v.Kind {
	case policy.KindNumber:
		return v.Number.String()
	case policy.KindText:
		return v.Text
	case policy.KindTruth:
		return fmt.Sprint(v.Truth)
	case policy.KindMissing:
	}
	return "missing: " + v.Text
}

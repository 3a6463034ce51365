package policytest

import (
	"fmt"
	"strings"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// asked is an order about which the rules, and the test, can ask.
type asked struct {
	order  order
	source policy.Source
	why    string // it cannot be asked about
}

// ask prepares an order for questions, before it is decided.
func (s *stage) ask(o order) *asked {
	a := &asked{order: o}
	s.asked = a
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

// took is told what the hub decided of the order.
func (a *asked) took(s *stage, refusals []hub.Refusal, got *outcome) {}

// details are the rules that refused, and those that were to refuse, with what they read.
func (s *stage) details(refusals []hub.Refusal, wanted []string) []string {
	var lines []string
	for _, r := range refusals {
		line := r.Text
		if r.Rule != "" && r.Place != "" {
			line = fmt.Sprintf("%s %s: %s", r.Place, r.Rule, r.Text)
		}
		if len(r.Values) > 0 {
			line += " [" + strings.Join(r.Values, " ") + "]"
		}
		lines = append(lines, line)
	}
	return lines
}

// spy remembers the last value that was read.
type spy struct {
	policy.Source
	value policy.Value
}

// Value implements policy.Source.
func (s *spy) Value(ref *policy.Ref) policy.Value {
	s.value = s.Source.Value(ref)
	return s.value
}

// look compares variables and conditions.
func (s *stage) look(x *step, a *asked) *Failure {
	if a == nil || len(x.values)+len(x.holds) == 0 {
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

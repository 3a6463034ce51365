package policytest

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/core"
)

func (r *reader) amendment(n *yaml.Node, where string) *amendment {
	found := r.fields(n, where, keysOfAmend)
	a := &amendment{order: "last"}
	if e, ok := found["order"]; ok {
		a.order, _ = r.word(e.value, where+".order", "the name of an order, or last")
		r.isOrder(e.value, where+".order", a.order)
	}
	if e, ok := found["price"]; ok {
		a.price, _ = r.positive(e.value, where+".price")
	}
	if e, ok := found["quantity"]; ok {
		a.quantity, _ = r.positive(e.value, where+".quantity")
	}
	if found != nil && a.price.IsZero() && a.quantity.IsZero() {
		r.fail(n, where, "write price: or quantity:, or both")
	}
	return a
}

// overrideOpen is how long an override is open of which a test does not say it.
const overrideOpen = 10 * time.Minute

func (r *reader) override(n *yaml.Node, where string) *override {
	found := r.fields(n, where, keysOfOverride)
	v := &override{open: overrideOpen}
	if e, ok := found["order"]; ok {
		if v.order = r.order(e.value, where+".order"); v.order != nil {
			v.worst = v.order.price
		}
	} else if found != nil {
		r.fail(n, where, "order is missing; write the order that it is for: {order: {buy: 101}}")
	}
	if e, ok := found["rules"]; ok {
		v.rules = r.list(e.value, where+".rules", "the name of a rule").all
	} else if found != nil {
		r.fail(n, where, "rules is missing; write the rules that it lifts")
	}
	if e, ok := found["for"]; ok {
		v.open = r.span(e.value, where+".for")
	}
	return v
}

// amend changes every order of a name. What is expected of the step is expected of each of the amendments.
func (s *stage) amend(x *step, v *amendment, got *outcome) *Failure {
	ids := s.orders(v.order)
	if len(ids) == 0 {
		return s.failure(x, "an order to amend", "there is none called "+v.order)
	}
	for _, id := range ids {
		o, _ := s.core.Order("", id)
		s.read = nil
		at := len(s.effects)
		s.step(hub.AmendOrder{Trader: o.Trader, OrderID: id, Price: v.price, Qty: v.quantity, Market: s.view(o.Instrument), Asked: s.now + 1})
		var answer *core.AmendAnswered
		for _, e := range s.effects[at:] {
			if a, ok := e.(core.AmendAnswered); ok {
				answer = &a
			}
		}
		if answer == nil || answer.Err != "" {
			return s.failure(x, "an order that can be amended", fmt.Sprintf("order %s is %s", v.order, o.Status))
		}
		a := &asked{order: order{trader: o.Trader}}
		if answer.Considered.Asked {
			a.source = s.read
			s.explain(a)
		}
		if len(x.values)+len(x.holds) > 0 && a.source != nil {
			if f := s.look(x, a); f != nil {
				return f
			}
		}
		if f := s.decided(x, a, answer.Refusals); f != nil {
			return f
		}
		if answer.Considered.Asked {
			if f := s.faithful(x, a, answer.Refusals); f != nil {
				return f
			}
			s.coverage.count(a.findings, s.at, s.test.File)
		}
		got.add(answer.Shadows, answer.Warnings)
	}
	return nil
}

// override lets one order past rules, as two persons do.
func (s *stage) override(x *step, v *override) *Failure {
	o := s.complete(v.order)
	answered := func(in hub.Input) (hub.Override, *Failure) {
		at := len(s.effects)
		s.step(in)
		for _, e := range s.effects[at:] {
			if a, ok := e.(core.OverrideAnswered); ok && len(a.Refusals) > 0 {
				return a.Override, s.failure(x, "an override by two persons", strings.Join(a.Refusals, "; "))
			} else if ok {
				return a.Override, nil
			}
		}
		return hub.Override{}, s.failure(x, "an override by two persons", "the hub says nothing")
	}
	about := hub.OverrideOrder{Trader: o.trader, Gateway: o.gateway, Instrument: o.instrument, Direction: o.direction, Offset: o.offset, Qty: o.quantity, Price: v.worst}
	given, f := answered(hub.AskOverride{Order: about, Rules: v.rules, Reason: "the test says so", For: v.open, By: hub.Person{Name: "who asks", UID: 1}})
	if f != nil {
		return f
	}
	_, f = answered(hub.ApproveOverride{Number: given.Number, By: hub.Person{Name: "who approves", UID: 2}})
	return f
}

package gate_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/policy"
)

// TestOverridesAtTheGate: the gate itself sees that an override is of two persons, open, for this order and for every rule that refuses; what the caller says of it is not enough.
func TestOverridesAtTheGate(t *testing.T) {
	rules, errs := policy.Compile([]hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: small, require: order.quantity > 1000}\n"},
		{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - {name: small, require: order.quantity > 2000}\n"},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d := hub.MustDecimal
	rb := hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}
	good := func() gate.Case {
		v := hub.Override{
			Number: 7, State: hub.OverrideApproved, Revision: rules.Revision(), Expires: 100, AskedBy: hub.Person{Name: "anna", UID: 1}, ApprovedBy: hub.Person{Name: "bob", UID: 2},
			Order: hub.OverrideOrder{Trader: "alpha", Gateway: "SIM", Instrument: rb, Direction: hub.Long, Offset: hub.Open, Qty: d("5")},
			Rules: []hub.OverrideRule{{Name: "small", Place: "fund.yaml:3", Fund: true}, {Name: "small", Place: "traders/alpha.yaml:4"}},
		}
		return gate.Case{
			Order: hub.Order{Trader: "alpha", Gateway: "SIM", OrderRequest: hub.OrderRequest{Instrument: rb, Direction: hub.Long, Offset: hub.Open, Type: hub.Market, Qty: d("5.0")}},
			Rules: rules, Source: quantity{}, Overrides: []hub.Override{{}, v}, Now: 99,
		}
	}
	for _, c := range []struct {
		name   string
		change func(c *gate.Case, v *hub.Override)
		passes bool
	}{
		{name: "as it should be", change: func(*gate.Case, *hub.Override) {}, passes: true},
		{name: "any offset", change: func(_ *gate.Case, v *hub.Override) { v.Order.Offset = hub.NoOffset }, passes: true},
		{name: "one person", change: func(_ *gate.Case, v *hub.Override) { v.ApprovedBy.Name = "anna" }},
		{name: "one account", change: func(_ *gate.Case, v *hub.Override) { v.ApprovedBy.UID = 1 }},
		{name: "nobody approved", change: func(_ *gate.Case, v *hub.Override) { v.ApprovedBy = hub.Person{} }},
		{name: "nobody asked", change: func(_ *gate.Case, v *hub.Override) { v.AskedBy.Name = "" }},
		{name: "asked for", change: func(_ *gate.Case, v *hub.Override) { v.State = hub.OverrideAsked }},
		{name: "used", change: func(_ *gate.Case, v *hub.Override) { v.State = hub.OverrideUsed }},
		{name: "over", change: func(c *gate.Case, _ *hub.Override) { c.Now = 100 }},
		{name: "another policy", change: func(_ *gate.Case, v *hub.Override) { v.Revision = "e5" }},
		{name: "another trader", change: func(_ *gate.Case, v *hub.Override) { v.Order.Trader = "beta" }},
		{name: "another gateway", change: func(_ *gate.Case, v *hub.Override) { v.Order.Gateway = "CTP" }},
		{name: "another contract", change: func(_ *gate.Case, v *hub.Override) { v.Order.Instrument.Symbol = "rb2705" }},
		{name: "another side", change: func(_ *gate.Case, v *hub.Override) { v.Order.Direction = hub.Short }},
		{name: "another offset", change: func(_ *gate.Case, v *hub.Override) { v.Order.Offset = hub.CloseToday }},
		{name: "more", change: func(c *gate.Case, _ *hub.Override) { c.Order.Qty = d("5.1") }},
		{name: "less", change: func(c *gate.Case, _ *hub.Override) { c.Order.Qty = d("4.9") }},
		{name: "a market order where a price is named", change: func(_ *gate.Case, v *hub.Override) { v.Order.Price = d("3500") }},
		{name: "not the fund's rule", change: func(_ *gate.Case, v *hub.Override) { v.Rules = v.Rules[1:] }},
		{name: "the rule at another place", change: func(_ *gate.Case, v *hub.Override) { v.Rules[0].Place = "fund.yaml:4" }},
		{name: "the core refuses", change: func(c *gate.Case, _ *hub.Override) { c.Refusals = []hub.Refusal{{Code: "halted"}} }},
		{name: "a risk manager refuses", change: func(c *gate.Case, _ *hub.Override) {
			c.Managers, c.Verdicts = []string{"margin"}, []hub.Verdict{{Manager: "margin", Reason: "no"}}
		}},
		{name: "a rule cannot be computed", change: func(c *gate.Case, _ *hub.Override) { c.Source = nothing{} }},
	} {
		in := good()
		c.change(&in, &in.Overrides[1])
		permit, refusals := gate.Decide(in)
		number, lifted := permit.Override()
		if permit.Valid() != c.passes || c.passes != (len(refusals) == 0) || c.passes != (number == 7 && len(lifted) == 2) {
			t.Errorf("%s: permit %t by override %d, lifted %v, refused %v", c.name, permit.Valid(), number, lifted, refusals)
		}
	}
	in := good()
	in.Overrides[1].Order.Price, in.Order.Type, in.Order.Price = d("3500"), hub.FAK, d("3500")
	if permit, _ := gate.Decide(in); !permit.Valid() {
		t.Error("at the named price it is refused")
	}
	if in.Order.Price = d("3500.1"); true {
		if permit, _ := gate.Decide(in); permit.Valid() {
			t.Error("it buys at a worse price than was named")
		}
	}
}

// quantity knows the quantity of an order, which is too small for the rules.
type quantity struct{}

func (x quantity) Value(ref *policy.Ref) *policy.Value {
	v := x.value(ref)
	return &v
}

func (quantity) value(*policy.Ref) policy.Value { return policy.Number(hub.Int(5)) }

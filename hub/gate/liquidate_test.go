package gate_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/policy"
)

type nothing struct{}

func (x nothing) Value(ref *policy.Ref) *policy.Value {
	v := x.value(ref)
	return &v
}

func (nothing) value(*policy.Ref) policy.Value { return policy.Missing("nothing is known") }

// TestLiquidateOnlyCloses: whatever the caller says, the gate lets an order past the rules only if it makes a position smaller.
func TestLiquidateOnlyCloses(t *testing.T) {
	rules, errs := policy.Compile([]hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: never, require: order.quantity > 1000}\n"}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d := hub.MustDecimal
	for _, c := range []struct {
		name                string
		offset              hub.Offset
		qty, held, working  string
		nets, refused, bare bool
		noted               int
	}{
		{name: "all of it", offset: hub.Close, qty: "5", held: "5", working: "0", noted: 2},
		{name: "no rules at all", offset: hub.CloseToday, qty: "5", held: "5", working: "0", bare: true},
		{name: "what is left", offset: hub.CloseYesterday, qty: "2", held: "5", working: "3", noted: 2},
		{name: "more than is held", offset: hub.Close, qty: "6", held: "5", working: "0", refused: true},
		{name: "more than is free", offset: hub.Close, qty: "3", held: "5", working: "3", refused: true},
		{name: "opens", offset: hub.Open, qty: "5", held: "5", working: "0", refused: true},
		{name: "no offset", offset: hub.NoOffset, qty: "5", held: "5", working: "0", refused: true},
		{name: "nets", offset: hub.NoOffset, qty: "5", held: "5", working: "0", nets: true, noted: 2},
		{name: "nets and opens", offset: hub.Open, qty: "5", held: "5", working: "0", nets: true, refused: true},
		{name: "nets and flips", offset: hub.NoOffset, qty: "6", held: "5", working: "0", nets: true, refused: true},
		{name: "nothing", offset: hub.Close, qty: "0", held: "5", working: "0", refused: true},
		{name: "less than nothing", offset: hub.Close, qty: "-1", held: "5", working: "0", refused: true},
		{name: "too large to add up", offset: hub.Close, qty: "9999999999999999999", held: "5", working: "9999999999999999999", refused: true},
	} {
		l := gate.Liquidation{
			Order: hub.Order{Trader: "alpha", OrderRequest: hub.OrderRequest{Offset: c.offset, Qty: d(c.qty)}}, Held: d(c.held), Working: d(c.working), Nets: c.nets, Rules: rules, Source: nothing{},
		}
		if c.bare {
			l.Rules = nil
		}
		permit, noted, refusals := gate.Liquidate(l)
		if permit.Valid() == c.refused || (len(refusals) > 0) != c.refused || len(noted) != c.noted {
			t.Errorf("%s: permit %t, noted %v, refused %v", c.name, permit.Valid(), noted, refusals)
		}
		l.Refusals = []hub.Refusal{{Code: "gateway-down"}}
		if permit, _, refusals := gate.Liquidate(l); permit.Valid() || len(refusals) == 0 {
			t.Errorf("%s: the core refuses, and the permit is valid: %t", c.name, permit.Valid())
		}
	}
}

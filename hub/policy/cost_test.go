package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// counted counts what a source is asked.
type counted struct {
	policy.Source
	asked *int
}

// Value implements policy.Source.
func (c counted) Value(ref *policy.Ref) *policy.Value {
	*c.asked++
	return c.Source.Value(ref)
}

// TestCostIsABound: no order asks for more variables than the cost of the files says, and no file is over the bound.
func TestCostIsABound(t *testing.T) {
	most := 0
	rapid.Check(t, func(t *rapid.T) {
		g := grammar{quarters: rapid.Bool().Draw(t, "quarters")}
		rules, errs := policy.Compile([]hub.PolicyFile{alphaPasses, fundRule(g.truth(t, rapid.IntRange(0, 3).Draw(t, "depth")))}, noUnits)
		if len(errs) > 0 {
			t.Fatal(lines(errs))
		}
		reads, steps := 0, 0
		for _, c := range rules.Costs() {
			reads, steps = reads+c.Reads, steps+c.Steps
			if c.Reads > c.Steps || c.Steps > policy.MaxSteps || c.Rules != 1 {
				t.Fatalf("%+v", c)
			}
		}
		small := rapid.IntRange(-6, 6)
		asked := 0
		source := counted{table{
			{Scope: policy.ScopeOrder, Var: policy.OrderTrader}:        policy.Text("alpha"),
			{Scope: policy.ScopeOrder, Var: policy.OrderPrice}:         policy.Count(small.Draw(t, "price")),
			{Scope: policy.ScopeOrder, Var: policy.OrderQuantity}:      policy.Count(small.Draw(t, "quantity")),
			{Scope: policy.ScopeMarket, Var: policy.MarketLast}:        policy.Count(small.Draw(t, "last")),
			{Scope: policy.ScopeOrder, Var: policy.OrderReduces}:       policy.Truth(rapid.Bool().Draw(t, "reduces")),
			{Scope: policy.ScopeOrder, Var: policy.OrderSymbol}:        policy.Text("rb"),
			{Scope: policy.ScopeContract, Var: policy.ContractProduct}: policy.Text("hc"),
		}, &asked}
		if len(rules.Decide("alpha", source)) > 0 {
			return // a refusal asks once more, for its sentence
		}
		most = max(most, asked)
		if asked > reads {
			t.Fatalf("%d variables are asked for, and the cost says %d", asked, reads)
		}
	})
	if most < 5 {
		t.Errorf("at most %d variables were asked for: this tries nothing", most)
	}
}

// TestCosts counts one file by hand.
func TestCosts(t *testing.T) {
	rules, errs := policy.Compile([]hub.PolicyFile{
		{Name: "b.yaml", Text: "policy: trader\ntrader: zeta\nrules:\n  - {name: r, require: trader.orders(\"10s\") < 20 and trader.orders(\"today\") < 5}\n"},
		{Name: "a.yaml", Text: "policy: fund\nrules:\n" +
			"  - {name: a, when: order.type == LIMIT, require: order.price % contract.tick == 0}\n" +
			"  - {name: b, require: 'contract.product in [\"rb\", \"hc\", \"i\"] or order.quantity <= 5 lots', because: '{order.value}'}\n"},
	})
	if len(errs) > 0 {
		t.Fatal(lines(errs))
	}
	want := []policy.Cost{
		// a: (4 + 1 + 1) + (4 + 4 + 8) + 1 + 1; b: or 1, in 1 + 2 + 4, <= 1, quantity 4, in lots 4, 5 1
		{File: "a.yaml", Rules: 2, Steps: 42, Reads: 6},
		{File: "b.yaml", Trader: "zeta", Rules: 1, Steps: 21, Reads: 2, Windows: 1},
	}
	if got := rules.Costs(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("costs\n%+v\nwant\n%+v", got, want)
	}
}

// TestTooMuch: what could not be compiled while orders wait is not looked at.
func TestTooMuch(t *testing.T) {
	many := make([]hub.PolicyFile, policy.MaxFiles+1)
	for i := range many {
		many[i] = hub.PolicyFile{Name: fmt.Sprintf("f%04d.yaml", i), Text: "x"}
	}
	_, errs := policy.Compile(many)
	if got, want := lines(errs), "f1000.yaml:1:1: more than 1000 policy files\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	large := make([]hub.PolicyFile, 33)
	for i := range large {
		large[i] = hub.PolicyFile{Name: fmt.Sprintf("f%02d.yaml", i), Text: strings.Repeat("#", policy.MaxTotalBytes/32)}
	}
	_, errs = policy.Compile(large)
	if got, want := lines(errs), "f32.yaml:1:1: with this file all are more than 8388608 bytes\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLongTextsRefuse: a trader makes order.reference as long as the trader likes, and rules look into no more than a part of it.
func TestLongTextsRefuse(t *testing.T) {
	reference := policy.Ref{Scope: policy.ScopeOrder, Var: policy.OrderReference}
	for length, want := range map[int]string{policy.MaxText: "passes", policy.MaxText + 1: policy.CodeNotComputable} {
		source := table{reference: policy.Text(strings.Repeat("x", length))}
		if got := outcome(t, `not (order.reference contains "y")`, source); got != want {
			t.Errorf("%d bytes: %s, want %s", length, got, want)
		}
	}
}

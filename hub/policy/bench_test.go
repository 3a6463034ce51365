package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// books answers as the core does: a value from a struct, a counter from a short list of windows.
type books struct {
	values   [7][1000]policy.Value
	counters []counter
	last     policy.Value
}

type counter struct {
	ref   policy.Ref
	count int
}

// Value implements policy.Source.
func (b *books) Value(ref *policy.Ref) *policy.Value {
	if ref.Window == 0 {
		return &b.values[ref.Scope][ref.Var]
	}
	b.last = policy.Missing("not counted")
	for i := range b.counters {
		if b.counters[i].ref == *ref {
			b.last = policy.Count(b.counters[i].count)
		}
	}
	return &b.last
}

const tenRules = `policy: trader
trader: alpha
limits: {order_value: 1_000_000, collar: 0.02, active: 50, position: 200, messages: 20, gross: 10_000_000, loss: -50_000, lots: 100}
rules:
  - {name: products, require: 'contract.product in ["rb", "hc", "i", "au", "cu"]'}
  - {name: size, require: order.quantity <= limits.lots}
  - {name: value, require: order.value <= limits.order_value, because: "order value {order.value} over {limits.order_value}"}
  - {name: tick, require: order.price % contract.tick == 0}
  - {name: collar, when: order.type == LIMIT, require: abs(order.price - market.last) <= limits.collar * market.last}
  - {name: active, require: trader.active_orders < limits.active}
  - {name: flow, require: 'trader.messages("1s") < limits.messages and trader.messages("1m") < 300'}
  - {name: duplicates, require: trader.duplicates("1s") < 5}
  - {name: position, require: "max(trader.position.long_after, trader.position.short_after) <= limits.position"}
  - {name: day-loss, require: order.reduces or trader.pnl.day > limits.loss}
`

const passingFund = `policy: fund
rules:
  - {name: gross, require: fund.gross_after <= 20_000_000}
`

func benchRules(tb testing.TB) (*policy.Rules, *books) {
	tb.Helper()
	rules, errs := policy.Compile([]hub.PolicyFile{{Name: "traders/alpha.yaml", Text: tenRules}, {Name: "fund.yaml", Text: passingFund}})
	if len(errs) > 0 {
		tb.Fatal(lines(errs))
	}
	source := &books{}
	set := func(scope policy.Scope, v policy.Var, value string) {
		source.values[scope][v] = policy.Number(hub.MustDecimal(value))
	}
	source.values[policy.ScopeContract][policy.ContractProduct] = policy.Text("rb")
	source.values[policy.ScopeOrder][policy.OrderType] = policy.Text("LIMIT")
	source.values[policy.ScopeOrder][policy.OrderReduces] = policy.Truth(false)
	set(policy.ScopeOrder, policy.OrderQuantity, "5")
	set(policy.ScopeOrder, policy.OrderPrice, "3512.5")
	set(policy.ScopeOrder, policy.OrderValue, "175625")
	set(policy.ScopeContract, policy.ContractTick, "0.5")
	set(policy.ScopeMarket, policy.MarketLast, "3500.5")
	set(policy.ScopeTrader, policy.ActiveOrders, "12")
	set(policy.ScopeTrader, policy.LongAfter, "60")
	set(policy.ScopeTrader, policy.ShortAfter, "12")
	set(policy.ScopeTrader, policy.DayPnL, "-1234.56")
	set(policy.ScopeFund, policy.GrossAfter, "4567890.12")
	for _, c := range []struct {
		v      policy.Var
		window time.Duration
	}{{policy.Messages, time.Second}, {policy.Messages, time.Minute}, {policy.Duplicates, time.Second}} {
		source.counters = append(source.counters, counter{policy.Ref{Scope: policy.ScopeTrader, Var: c.v, Window: c.window}, 3})
	}
	return rules, source
}

// TestPassingAllocatesNothing: what every order pays for is free of garbage.
func TestPassingAllocatesNothing(t *testing.T) {
	rules, source := benchRules(t)
	if refusals := rules.Decide("alpha", source); len(refusals) > 0 {
		t.Fatal(told(refusals))
	}
	if n := testing.AllocsPerRun(100, func() { rules.Decide("alpha", source) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// BenchmarkDecide is ten rules of a trader and one of the fund, all of which hold.
func BenchmarkDecide(b *testing.B) {
	rules, source := benchRules(b)
	b.ReportAllocs()
	for b.Loop() {
		if refusals := rules.Decide("alpha", source); len(refusals) > 0 {
			b.Fatal(told(refusals))
		}
	}
}

// BenchmarkDecideRefused is the same with one rule that does not hold, and its sentence.
func BenchmarkDecideRefused(b *testing.B) {
	rules, source := benchRules(b)
	source.values[policy.ScopeOrder][policy.OrderValue] = policy.Number(hub.MustDecimal("1000000.01"))
	b.ReportAllocs()
	for b.Loop() {
		if refusals := rules.Decide("alpha", source); len(refusals) != 1 {
			b.Fatal(told(refusals))
		}
	}
}

// BenchmarkCompile is twenty traders with ten rules each.
func BenchmarkCompile(b *testing.B) {
	files := []hub.PolicyFile{{Name: "fund.yaml", Text: passingFund}}
	for i := range 20 {
		files = append(files, hub.PolicyFile{
			Name: fmt.Sprintf("traders/t%d.yaml", i), Text: strings.ReplaceAll(tenRules, "trader: alpha", fmt.Sprintf("trader: t%d", i)),
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := policy.Compile(files); len(errs) > 0 {
			b.Fatal(lines(errs))
		}
	}
}

// BenchmarkDearest is a file at the bound of steps, each of its rules as long as it may be; an order asks two such files at most.
func BenchmarkDearest(b *testing.B) {
	var text strings.Builder
	text.WriteString("policy: trader\ntrader: alpha\nrules:\n")
	for i := range 5 {
		fmt.Fprintf(&text, "  - {name: r%d, require: order.value%s >= %d}\n", i, strings.Repeat(" + order.price", 390), i)
	}
	rules, errs := policy.Compile([]hub.PolicyFile{{Name: "traders/alpha.yaml", Text: text.String()}, {Name: "fund.yaml", Text: passingFund}}, policy.OfLanguage(0))
	if len(errs) > 0 {
		b.Fatal(lines(errs))
	}
	_, source := benchRules(b)
	steps := rules.Costs()[1].Steps
	for b.Loop() {
		if refusals := rules.Decide("alpha", source); len(refusals) > 0 {
			b.Fatal(told(refusals))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(steps), "ns/step")
	b.ReportMetric(float64(steps), "steps")
}

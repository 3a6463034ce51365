package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// warningFiles are policies of which the limit, the order of the rules and the modes are drawn.
func warningFiles(t *rapid.T) []hub.PolicyFile {
	rules := []string{
		"  - {name: gross, require: order.reduces or fund.gross_after <= limits.gross, warn: 50%}\n",
		"  - {name: contract, require: trader.contract.orders(\"today\") < limits.orders, warn: 50%}\n",
		"  - {name: product, require: trader.product.orders(\"1m\") < limits.orders, warn: trader.product.orders(\"1m\") < 3}\n",
		"  - {name: lots, require: order.quantity < 5}\n",
		"  - {name: size, require: order.quantity <= limits.lots, warn: 60%}\n",
		"  - {name: blind, require: order.value > 0, warn: market.previous_close > 0}\n",
	}
	rules = rapid.Permutation(rules).Draw(t, "rules")[:rapid.IntRange(1, len(rules)).Draw(t, "how many")]
	files := policies()
	files[0].Text = fmt.Sprintf("policy: fund\nlimits: {gross: %d, orders: %d, lots: 5}\nrules:\n  - {name: any, require: order.quantity < 100}\n",
		rapid.SampledFrom([]int{100_000, 300_000}).Draw(t, "gross"), rapid.SampledFrom([]int{4, 10}).Draw(t, "orders"))
	for _, r := range rules {
		if rapid.IntRange(0, 3).Draw(t, "shadow") == 0 {
			r = r[:len(r)-2] + ", mode: shadow}\n"
		}
		files[0].Text += r
	}
	return files
}

// TestWarningsAreGivenOnce sends orders for two contracts and reloads and restarts at any time. A warning is given when a rule that warns is near for an order that passes, and not again for the same
// trader, rule and contract or product before the rule's warn holds for an order that passes; what rules in shadow say is all told, and refuses nothing. What is near is asked of the rules again, with
// what the decision read.
func TestWarningsAreGivenOnce(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.open()
		later := rb // of the same product
		later.Symbol = "rb2705"
		w.step(hub.Contracts{Gateway: "SIM", Contracts: append(slices.Clone(contracts), later)})
		var rules *policy.Rules
		given := map[string]bool{}
		load := func(t *rapid.T) {
			files := warningFiles(t)
			var errs []policy.Error
			if rules, errs = policy.Compile(files, policy.InCurrency("CNY")); len(errs) > 0 {
				t.Fatal(errs)
			}
			w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
			warn := map[string]bool{}
			for _, r := range rules.All() {
				warn[r.Name] = r.Warn != "" && r.Mode == policy.Enforce
			}
			for key := range given {
				var trader, rule, about string
				if _, err := fmt.Sscan(key, &trader, &rule, &about); err != nil {
					t.Fatal(err)
				}
				if !warn[rule] {
					delete(given, key)
				}
			}
		}
		load(t)
		var last hub.OrderID
		day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		t.Repeat(map[string]func(*rapid.T){
			"reload": load,
			"restart": func(t *rapid.T) {
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
			},
			"day": func(t *rapid.T) {
				day = day.AddDate(0, 0, 1)
				w.now += 24 * 3600 * 1e9
				w.step(hub.RollDay{Day: hub.Day(day.Format("20060102"))})
			},
			"cancelled": func(*rapid.T) {
				if o, ok := w.core.Order("", last); ok && !o.Status.Final() {
					w.step(hub.VenueReport{Gateway: "SIM", OrderID: last, Kind: hub.ReportCancelled})
				}
			},
			"order": func(t *rapid.T) {
				trader := rapid.SampledFrom([]hub.TraderName{"alpha", "beta"}).Draw(t, "trader")
				k := rapid.SampledFrom([]hub.Contract{rb, later, gold}).Draw(t, "contract")
				w.now += 5e9
				market := hub.MarketView{Last: d("3500"), Seen: w.now}
				if rapid.Bool().Draw(t, "previous close") {
					market.PreClose = d("3500")
				}
				effects := slices.Clone(w.step(hub.SubmitOrder{
					Trader: trader, Market: market,
					Request: hub.OrderRequest{
						Instrument: k.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: hub.Int(int64(rapid.IntRange(1, 6).Draw(t, "lots"))),
					},
				}))
				decided := effects[0].(core.Decided)
				last = decided.Order.ID
				recorded := policy.Playback{}
				for _, r := range decided.Considered.Readings {
					recorded[r.Ref.String()] = r.Value
				}
				var want, shadows []string
				for _, f := range rules.Explain(trader, recorded, hub.English) {
					key := fmt.Sprintf("%s %s %s", trader, f.Name, map[string]string{"contract": k.Symbol, "product": k.Product, "blind": k.Symbol}[f.Name]+"-")
					switch {
					case f.Mode == policy.Shadow && f.Code != "":
						shadows = append(shadows, f.Name+f.Text)
					case f.Mode == policy.Shadow || len(decided.Refusals) > 0:
					case f.Outcome == policy.Warned && !given[key]:
						given[key] = true
						want = append(want, f.Name)
						seen["given"]++
					case f.Outcome == policy.Warned:
						seen["near again"]++
					case f.Outcome == policy.Passed && given[key]:
						delete(given, key)
						seen["armed again"]++
					}
					if f.Refuses() != slices.ContainsFunc(decided.Refusals, func(r hub.Refusal) bool { return r.Rule == f.Name && r.Text == f.Text }) {
						t.Fatalf("%s %s: %s; refused: %v", f.Name, f.Outcome, f.Text, decided.Refusals)
					}
				}
				var got, told, alerts []string
				for _, x := range decided.Warnings {
					got = append(got, x.Rule)
				}
				for _, e := range effects {
					if e, ok := e.(core.Notice); ok && e.Trader == trader && len(e.Refusals) == 0 {
						told = append(told, e.Text)
					}
					if e, ok := e.(core.Alert); ok {
						alerts = append(alerts, e.Text)
					}
				}
				if !slices.Equal(got, want) || len(told) != len(want) || len(alerts) != len(want) {
					t.Fatalf("warned of %v, told %v, alerts %v; want %v", got, told, alerts, want)
				}
				var shadowed []string
				for _, x := range decided.Shadows {
					shadowed = append(shadowed, x.Rule+x.Text)
				}
				if !slices.Equal(shadowed, shadows) {
					t.Fatalf("in shadow %v, want %v", shadowed, shadows)
				}
				seen["shadows"] += len(shadows)
			},
			"": func(t *rapid.T) {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
	for _, what := range []string{"given", "near again", "armed again", "shadows"} {
		if seen[what] == 0 {
			t.Errorf("never: %s", what)
		}
	}
	t.Log(seen)
}

// TestWarningsAreBounded: of more contracts than are remembered, the oldest warning is forgotten.
func TestWarningsAreBounded(t *testing.T) {
	w := newWorld()
	w.open()
	files := policies()
	files[0].Text = "policy: fund\nrules:\n  - {name: a, require: order.quantity < 100, warn: 'trader.contract.orders(\"today\") < 0'}\n"
	files[1].Text = "policy: trader\ntrader: alpha\nrules:\n  - {name: any, require: order.quantity < 100}\n"
	w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
	many := make([]hub.Contract, 1001)
	for i := range many {
		many[i] = rb
		many[i].Symbol = fmt.Sprintf("rb%04d", i)
	}
	w.step(hub.Contracts{Gateway: "SIM", Contracts: many})
	warned := func(i int) bool {
		w.now += 1e9
		return len(w.step(hub.SubmitOrder{
			Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: w.now},
			Request: hub.OrderRequest{Instrument: many[i].Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1")},
		})[0].(core.Decided).Warnings) > 0
	}
	for i := range 1000 {
		if !warned(i) {
			t.Fatalf("no warning about contract %d", i)
		}
	}
	if warned(0) {
		t.Error("warned twice")
	}
	if !warned(1000) || warned(1) || !warned(0) {
		t.Error("not the oldest warning is forgotten")
	}
	if err := w.core.Check(); err != nil {
		t.Error(err)
	}
}

// TestWarningsAreOfWhatTheRuleReads: of a contract, of a product, or of all that a trader does.
func TestWarningsAreOfWhatTheRuleReads(t *testing.T) {
	w := newWorld()
	w.open()
	later := rb // of the same product
	later.Symbol = "rb2705"
	w.step(hub.Contracts{Gateway: "SIM", Contracts: []hub.Contract{rb, later, gold}})
	files := policies()
	files[0].Text = `policy: fund
limits: {n: 1_000}
rules:
  - {name: any, require: order.quantity < 100}
  - {name: all, require: 'trader.orders("today") < limits.n', warn: 0.1%}
  - {name: contract, require: 'trader.contract.orders("today") < limits.n', warn: 0.1%}
  - {name: product, require: 'trader.product.orders("today") < limits.n', warn: 0.1%}
`
	if a := w.step(hub.LoadPolicies{Files: files, Language: policy.Language})[0].(core.PoliciesAnswered); len(a.Errors) > 0 {
		t.Fatal(a.Errors)
	}
	for i, c := range []struct {
		k    hub.Contract
		want string
	}{
		{rb, "[]"},
		{rb, "[all contract product]"},
		{later, "[]"}, // its first of this contract, and not the first of the product
		{later, "[contract]"},
		{gold, "[]"},
		{gold, "[contract product]"},
		{later, "[]"},
	} {
		w.now += 1e9
		decided := w.step(hub.SubmitOrder{
			Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: w.now},
			Request: hub.OrderRequest{Instrument: c.k.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1")},
		})[0].(core.Decided)
		names := []string{}
		for _, x := range decided.Warnings {
			names = append(names, x.Rule)
		}
		if got := fmt.Sprint(names); got != c.want || len(decided.Refusals) > 0 {
			t.Errorf("order %d: warned of %s, want %s; %v", i, got, c.want, decided.Refusals)
		}
	}
}

package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// TestDecisionsCanBePlayedBack: with what a decision says that it read, the same rules say the same of the order, when everything has changed since.
func TestDecisionsCanBePlayedBack(t *testing.T) {
	w := newWorld()
	w.open()
	files := []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: gross, require: fund.gross_after <= 200_000}\n"},
		{Name: "traders/alpha.yaml", Text: `policy: trader
trader: alpha
limits: {order_value: 100_000}
rules:
  - {name: value, require: order.value <= limits.order_value, because: "{order.value} is over {limits.order_value}"}
  - {name: collar, when: order.type == LIMIT, require: abs(order.price - market.last) <= 0.02 * market.last}
  - {name: burst, require: 'trader.orders("1m") < 3'}
  - {name: volume, require: market.previous_close > 0}
`},
	}
	rules, errs := policy.Compile(files, policy.InCurrency("CNY"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
	for i, c := range []struct {
		price, qty string
		last       string
		want       string // rules that refuse
	}{
		{"3500", "2", "3500", "volume"},
		{"3500", "20", "3500", "value volume gross"},
		{"3600", "1", "3500", "collar volume"},
		{"3500", "1", "3500", "burst volume"},
		{"3500", "1", "", "collar burst volume"},
	} {
		in := hub.SubmitOrder{
			Trader: "alpha", Market: hub.MarketView{Seen: w.now},
			Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d(c.price), Qty: d(c.qty)},
		}
		if c.last != "" {
			in.Market.Last = d(c.last)
		}
		effects := w.step(in)
		decided := effects[0].(core.Decided)
		recorded := policy.Playback{}
		for _, r := range decided.Considered.Readings {
			if old, again := recorded[r.Ref.String()]; again && old != r.Value {
				t.Errorf("order %d: %s is %v and %v in one decision", i, r.Ref, old, r.Value)
			}
			recorded[r.Ref.String()] = r.Value
		}
		w.step(hub.Marks{Marks: []hub.Mark{{Instrument: rb.Instrument, Price: d("3900")}}})
		again := rules.Decide("alpha", recorded)
		if diff := fmt.Sprint(again); diff != fmt.Sprint(decided.Refusals) {
			t.Errorf("order %d: decided %v, played back %v", i, decided.Refusals, again)
		}
		names := []string{}
		for _, r := range again {
			names = append(names, r.Rule)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("order %d: refused by %s, want %s", i, got, c.want)
		}
		if x := decided.Considered; !x.Asked || x.Trader != hub.Active || !x.Worst.Equal(d(c.price)) {
			t.Errorf("order %d: considered %+v", i, x)
		}
	}
	w.step(hub.SetState{State: hub.ReduceOnly, By: "eve"})
	refused := w.step(hub.SubmitOrder{
		Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: w.now},
		Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1")},
	})[0].(core.Decided)
	if x := refused.Considered; x.Fund != hub.ReduceOnly || x.Trader != hub.Active || !x.Asked {
		t.Errorf("considered %+v", x)
	}
	nonsense := w.step(hub.SubmitOrder{
		Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: w.now},
		Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("-1")},
	})[0].(core.Decided)
	if x := nonsense.Considered; x.Asked || len(x.Readings) > 0 || !slices.ContainsFunc(nonsense.Refusals, func(r hub.Refusal) bool { return r.Code == "quantity" }) {
		t.Errorf("rules were asked about nonsense: %+v", x)
	}
}

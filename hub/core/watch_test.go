package core_test

import (
	"fmt"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// TestEveryWatchableVariableIsAnswered: what the catalogue lets a watch read has a value where there is no order; the rest does not compile.
func TestEveryWatchableVariableIsAnswered(t *testing.T) {
	n := 0
	for _, v := range policy.Vars() {
		name := strings.ReplaceAll(v.Example(), "USD", "USDT")
		w := newWorld()
		w.open()
		w.step(hub.SubmitOrder{Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: w.now}, Request: hub.OrderRequest{
			Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1"),
		}})
		w.step(hub.VenueReport{Gateway: "SIM", OrderID: w.core.Orders("alpha", true)[0].ID, Kind: hub.ReportFill, TradeID: "t", Price: d("3500"), Qty: d("1")})
		w.step(hub.Marks{Marks: []hub.Mark{{Instrument: rb.Instrument, Price: d("3500")}}})
		w.step(everyAdv)
		files := policies()
		files[1].Text += fmt.Sprintf("watch:\n  - {name: probe, when: '%s == %s', then: alert}\n", name, name)
		w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
		answer := w.effects[0].(core.PoliciesAnswered)
		if !policy.Watchable(v) {
			if len(answer.Errors) == 0 {
				t.Errorf("%s: a watch may read it, and should not", name)
			}
			continue
		}
		n++
		if len(answer.Errors) > 0 {
			t.Errorf("%s: %s", name, answer.Errors)
			continue
		}
		if x := w.core.Watches()[0]; !x.Fired || x.Times != 1 || x.Blind != "" {
			t.Errorf("%s: %+v", name, x)
		}
	}
	if n < 50 {
		t.Errorf("a watch may read %d variables", n)
	}
}

// TestNewTraderTradesNothing: a trader who is in the configuration and has no policy trades nothing; nor does one whose policy has no rules, for such a file does not load.
func TestNewTraderTradesNothing(t *testing.T) {
	w := newWorld()
	w.open()
	in := setUp()
	in.Traders = append(in.Traders, hub.TraderSetUp{Name: "gamma", Capital: d("1000000")})
	w.step(in)
	w.step(hub.GatewayState{Gateway: "SIM", Up: true})
	ask := func() string {
		decided := w.step(hub.SubmitOrder{Trader: "gamma", Market: hub.MarketView{Last: d("3500"), Seen: w.now}, Request: hub.OrderRequest{
			Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1"),
		}})[0].(core.Decided)
		return decided.Order.Reason
	}
	const none = "trader gamma has no policy: every order is refused until there is a file that says policy: trader and trader: gamma"
	if got := ask(); got != none {
		t.Errorf("without a policy: got %q", got)
	}
	for _, text := range []string{"", "limits: {position: 20}\n", "limits: {loss: -5}\nwatch:\n  - {name: loss, when: trader.pnl.day <= limits.loss, then: halt}\n", "rules: []\n"} {
		files := append(policies(), hub.PolicyFile{Name: "traders/gamma.yaml", Text: "policy: trader\ntrader: gamma\n" + text})
		answer := w.step(hub.LoadPolicies{Files: files, Language: policy.Language})[0].(core.PoliciesAnswered)
		if len(answer.Errors) != 1 || !strings.Contains(answer.Errors[0], "no rules: every order would pass; write at least one") {
			t.Errorf("%q: got %q", text, answer.Errors)
		}
		if got := ask(); got != none {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/plugins"
)

var dec = hub.MustDecimal

func start(t *testing.T, settings map[string]any) (*manager, string, error) {
	t.Helper()
	var log bytes.Buffer
	m := &manager{}
	err := m.Start(plugins.Env{Name: "margin", Settings: plugins.MustSettings(settings), Log: hclog.New(&hclog.LoggerOptions{Output: &log})}, hub.RiskBook{
		Currency: "CNY",
		Traders:  []hub.Account{{Trader: "alpha", Capital: dec("100000")}},
		Contracts: []hub.Contract{{
			Instrument: hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"}, Gateway: "SIM", Product: "rb", Kind: hub.Futures, Size: dec("10"), MinQty: dec("1"),
			MarginLong: dec("0.13"), MarginShort: dec("0.13"),
		}},
	})
	return m, log.String(), err
}

func buy(qty string) hub.Candidate {
	return hub.Candidate{Ask: 1, Trader: "alpha", Gateway: "SIM", Request: hub.OrderRequest{
		Instrument: hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"}, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: dec("3500"), Qty: dec(qty),
	}}
}

func TestJudge(t *testing.T) {
	m, _, err := start(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	// 4,550 a lot: 15 lots are 68,250 of 70,000 that the fund may use, 16 are 72,800.
	if v := m.Judge(buy("16")); v.Pass || v.Manager != "margin" || v.Reason != "fund margin after 72,800 of 100,000 equity * 70 % (rb)" {
		t.Errorf("16 lots: %+v", v)
	}
	if v := m.Judge(buy("15")); !v.Pass || v.Reason != "" {
		t.Errorf("15 lots: %+v", v)
	}
	o := hub.Order{ID: "r", Trader: "alpha", OrderRequest: buy("15").Request, Gateway: "SIM", Status: hub.Rejected}
	m.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: 1, Order: o}})
	got := map[string]string{}
	for _, n := range m.Numbers() {
		got[string(n.Trader)+"/"+n.Name] = n.Value.String()
	}
	for name, want := range map[string]string{"alpha/margin.used": "0", "/margin.available": "100000", "alpha/margin.ratio": "0", "/margin.paid": "0"} {
		if got[name] != want {
			t.Errorf("%s is %q after the refusal, want %s", name, got[name], want)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	m, log, err := start(t, map[string]any{
		"trader_max": "0.5", "fund_max": "1", "rates": map[string]any{"rb": map[string]any{"long": "0.2"}, "rc": map[string]any{"short": "0.2"}},
		"larger_side": map[string]any{"SHFE": "none", "GFEX": "product"}, "currencies": map[string]any{"USDT": "7.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := m.Judge(buy("8")); v.Reason != "margin after 56,000 of 100,000 equity * 50 % (rb)" {
		t.Errorf("8 lots at 20 %%: %+v", v)
	}
	if !strings.Contains(log, "a rate is for nothing that a gateway lists now: rate=rc") || strings.Contains(log, "rate=rb") {
		t.Errorf("log: %s", log)
	}
}

// TestBadSettings: everything that is wrong is said at once, and the manager does not start.
func TestBadSettings(t *testing.T) {
	_, _, err := start(t, map[string]any{
		"trader_max": "1.2", "fund_max": "0", "trader_mx": "1",
		"rates":       map[string]any{"rb": map[string]any{"long": "-0.1", "shrt": "0.1"}, "i": map[string]any{}, "hc": map[string]any{"short": "x"}},
		"larger_side": map[string]any{"SHFE": "all"}, "currencies": map[string]any{"USDT": "0"},
	})
	if err == nil {
		t.Fatal("started")
	}
	want := `currencies.USDT: must be more than 0
fund_max: 0 is not more than 0 and at most 1
larger_side.SHFE: "all" is not product, contract or none
rates.hc.short: "x" is not a decimal number of at most 19 digits
rates.i: names no rate; write {long: 0.13, short: 0.13}
rates.rb.long: -0.1 is not more than 0 and at most 1
rates.rb.shrt: unknown setting (did you mean short?)
trader_max: 1.2 is not more than 0 and at most 1
trader_mx: unknown setting (did you mean trader_max?)`
	if err.Error() != want {
		t.Errorf("got:\n%s\nwant:\n%s", err, want)
	}
}

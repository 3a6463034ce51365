package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// TestEveryVariableIsAnswered puts every variable of the catalogue into a rule and asks the core: one that it does not answer would refuse every order, and say so only then.
func TestEveryVariableIsAnswered(t *testing.T) {
	for _, v := range policy.Vars() {
		name := strings.ReplaceAll(v.Example(), "USD", "USDT")
		w := newWorld()
		w.open()
		for n, direction := range []hub.Direction{hub.Long, hub.Short} { // what is held has a price
			w.step(hub.SubmitOrder{Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: w.now}, Request: hub.OrderRequest{
				Instrument: rb.Instrument, Direction: direction, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1"),
			}})
			w.step(hub.VenueReport{Gateway: "SIM", OrderID: w.core.Orders("alpha", true)[0].ID, Kind: hub.ReportFill, TradeID: fmt.Sprint(n), Price: d("3500"), Qty: d("1")})
		}
		w.step(hub.GatewayState{Gateway: "SIM", Up: true, Limits: []hub.MessageLimit{{Messages: 100, Window: time.Second}}})
		w.step(hub.Marks{Marks: []hub.Mark{{Instrument: rb.Instrument, Price: d("3500")}}})
		w.step(hub.VenueStatement{Gateway: "SIM", Exact: true, Positions: []hub.VenuePosition{
			{Instrument: rb.Instrument, Direction: hub.Long, Today: d("1")}, {Instrument: rb.Instrument, Direction: hub.Short, Today: d("1")},
		}})
		w.step(everyAdv)
		market := hub.MarketView{
			Last: d("3500"), Bid: d("3499"), Ask: d("3501"), LimitUp: d("3800"), LimitDown: d("3200"), PreClose: d("3480"), Volume: d("1000"), OpenInt: d("2000"), Seen: w.now,
			Session: hub.Session{
				Calendar: "cn-futures", Day: "20261123", FundDay: "20261123", Phase: hub.Continuous, Name: "morning", Opened: w.now - 1, Closes: w.now.Add(time.Hour), Expires: "20270115",
				Delivers: "202701",
			},
		}
		for _, side := range []hub.Direction{hub.Long, hub.Short} { // so that the fund has orders of its own
			price := map[hub.Direction]string{hub.Long: "3400", hub.Short: "3600"}[side]
			w.step(hub.SubmitOrder{Trader: "beta", Market: market, Request: hub.OrderRequest{
				Instrument: rb.Instrument, Direction: side, Offset: hub.Open, Type: hub.Limit, Price: d(price), Qty: d("1"),
			}})
		}
		files := policies()
		files[0].Text += fmt.Sprintf("  - {name: probe, require: '%s == %s'}\n", name, name)
		w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
		if answer := w.effects[0].(core.PoliciesAnswered); len(answer.Errors) > 0 {
			t.Errorf("%s: %s", name, answer.Errors)
			continue
		}
		w.step(hub.SubmitOrder{Trader: "alpha", Market: market, Request: hub.OrderRequest{
			Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1"), Reference: "x",
		}})
		for _, r := range w.effects[0].(core.Decided).Refusals {
			t.Errorf("%s: %s", name, r.Text)
		}
		if !strings.Contains(v.Name, ".") {
			t.Errorf("%s: a name says whose it is", v.Name)
		}
	}
}

package core_test

import (
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// TestPartsOfWhatIsHeld: positions, working orders and their values of a contract and of a product, of each owner. rb2701 and rb2705 are one product at two gateways, which are one
// control group at SHFE; at DCE each is its own.
func TestPartsOfWhatIsHeld(t *testing.T) {
	w := newWorld()
	in := setUp()
	in.Gateways = []hub.GatewayName{"SIM", "CTP"}
	in.Groups = []hub.Group{{Name: "steel", Gateways: in.Gateways, Exchanges: []string{"SHFE"}}}
	w.step(in)
	w.step(hub.RollDay{Day: "20261123"})
	w.step(hub.LoadPolicies{Files: policies(), Language: policy.Language})
	rb5 := rb
	rb5.Instrument.Symbol = "rb2705"
	for _, g := range in.Gateways {
		w.step(hub.Contracts{Gateway: g, Contracts: []hub.Contract{rb, rb5, soy}})
		w.step(hub.GatewayState{Gateway: g, Up: true})
	}
	order := func(trader hub.TraderName, g hub.GatewayName, k hub.Contract, what, qty, fills string) {
		t.Helper()
		req := hub.OrderRequest{Instrument: k.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3000"), Qty: d(qty)}
		switch what {
		case "sell":
			req.Direction = hub.Short
			req.Price = d("4000")
		case "close":
			req.Direction, req.Offset, req.Price = hub.Short, hub.CloseToday, d("4000")
		}
		decided := w.step(hub.SubmitOrder{Trader: trader, Gateway: g, Request: req, Market: hub.MarketView{Last: d("3000"), Seen: w.now}})[0].(core.Decided)
		if len(decided.Refusals) > 0 {
			t.Fatal(decided.Refusals)
		}
		if fills != "" {
			w.step(hub.VenueReport{Gateway: g, OrderID: decided.Order.ID, Kind: hub.ReportFill, TradeID: "t" + string(decided.Order.ID), Price: d("3000"), Qty: d(fills)})
		}
	}
	order("alpha", "SIM", rb, "buy", "5", "3")   // 3 long, 2 working
	order("alpha", "CTP", rb, "buy", "4", "4")   // 4 long
	order("alpha", "CTP", rb5, "sell", "6", "1") // 1 short, 5 working
	order("beta", "SIM", rb, "buy", "7", "7")
	order("beta", "SIM", soy, "buy", "2", "2")
	order("alpha", "SIM", rb, "close", "1", "")
	positions := strings.Fields("position.long position.short position.net position.working_buy position.working_open_long position.working_close_long position.long_after position.short_after")
	others := strings.Fields("active_orders working_value gross_value gross_after")
	// Of the probe, which would buy 1 rb2701 at 3000 through SIM.
	const want = `
trader.contract   7 0 7 2 2 1 10 0   2 100000 270000 300000
trader.product    7 1 6 2 2 1 10 6   3 300000 500000 530000
trader            3 300000 500000 530000
fund.contract     14 0 14 2 2 1 17 0   2 100000 480000 510000
fund.product      14 1 13 2 2 1 17 6   3 300000 710000 740000
fund              3 300000 770000 800000
account.contract  10 0 10 2 2 1 13 0   2 100000 360000 390000
account.product   10 0 10 2 2 1 13 0   2 100000 360000 390000
account           2 100000 420000 450000
group.contract    14 0 14 2 2 1 17 0   2 100000 480000 510000
group.product     14 1 13 2 2 1 17 6   3 300000 710000 740000
group             3 300000 710000 740000
`
	var asked []string
	for line := range strings.Lines(strings.TrimSpace(want)) {
		part := strings.Fields(line)[0]
		if short, isContract := strings.CutSuffix(part, ".contract"); isContract { // as refusals name them
			for _, name := range positions {
				asked = append(asked, short+"."+name)
			}
		} else if strings.Contains(part, ".") {
			for _, name := range positions {
				asked = append(asked, part+"."+name)
			}
		}
		for _, name := range others {
			asked = append(asked, part+"."+name)
		}
	}
	files := policies()
	files[0] = probing(asked)
	if answer := w.step(hub.LoadPolicies{Files: files, Language: policy.Language})[0].(core.PoliciesAnswered); len(answer.Errors) > 0 {
		t.Fatal(answer.Errors)
	}
	numbers := slices.DeleteFunc(strings.Fields(want), func(s string) bool { return strings.ContainsAny(s, "acdfgt") })
	for _, when := range []string{"at once", "restored"} {
		got := map[string]string{}
		for _, r := range w.step(hub.SubmitOrder{Trader: "alpha", Gateway: "SIM", Market: hub.MarketView{Last: d("3000"), Seen: w.now}, Request: hub.OrderRequest{
			Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3000"), Qty: d("1"), Reference: "probe",
		}})[0].(core.Decided).Refusals {
			for _, v := range r.Values {
				name, value, _ := strings.Cut(v, "=")
				got[name] = value
			}
		}
		for i, name := range asked {
			if got[name] != numbers[i] {
				t.Errorf("%s, %s: got %q, want %s", name, when, got[name], numbers[i])
			}
		}
		if err := w.restart(); err != nil {
			t.Fatal(err)
		}
	}
}

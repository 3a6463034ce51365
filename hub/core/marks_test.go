package core_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
)

// TestMarksKnowTheirGateway: a contract that two gateways trade is valued at each by that one's prices; a mark that names none, as journals of before say it, is of every one.
func TestMarksKnowTheirGateway(t *testing.T) {
	w := newWorld()
	in := setUp()
	in.Gateways = append(in.Gateways, "OTHER")
	w.step(in)
	w.step(hub.RollDay{Day: "20261123"})
	w.step(hub.LoadPolicies{Files: policies()})
	there := rb
	there.Gateway = "OTHER"
	for _, k := range []hub.Contract{rb, there} {
		w.step(hub.Contracts{Gateway: k.Gateway, Contracts: []hub.Contract{k}})
		w.step(hub.GatewayState{Gateway: k.Gateway, Up: true})
		var id hub.OrderID
		for _, e := range w.step(hub.SubmitOrder{Trader: "alpha", Gateway: k.Gateway, Market: hub.MarketView{Last: d("3500"), Seen: w.now}, Request: hub.OrderRequest{
			Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1"),
		}}) {
			if send, ok := e.(core.Send); ok {
				o := send.Permit.Order()
				id = o.ID
			}
		}
		w.step(hub.VenueReport{Gateway: k.Gateway, OrderID: id, Kind: hub.ReportFill, TradeID: "t-" + string(k.Gateway), Price: d("3500"), Qty: d("1")})
	}
	for _, x := range []struct {
		at    hub.GatewayName
		price string
		want  string // of one lot of 10 t at each
	}{{"", "3510", "200"}, {"OTHER", "3520", "300"}, {"SIM", "3400", "-800"}, {"NOWHERE", "1", "-800"}, {"", "3500", "0"}} {
		w.step(hub.Marks{Marks: []hub.Mark{{Instrument: rb.Instrument, Price: d(x.price), Gateway: x.at}}})
		if a, _ := w.core.Account("alpha"); !a.Unrealised.Equal(d(x.want)) {
			t.Errorf("after %s at %q: unrealised %s, want %s", x.price, x.at, a.Unrealised, x.want)
		}
		if err := w.core.Check(); err != nil {
			t.Error(err)
		}
	}
	held := w.core.Held()
	if len(held) != 2 || held[0].Gateway != "SIM" || held[1].Gateway != "OTHER" {
		t.Errorf("held is %+v, want one at each gateway", held)
	}
	if w.digest() != w.replay() {
		t.Error("a replay differs")
	}
}

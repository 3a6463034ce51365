package core_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
)

// BenchmarkStepSubmitFill is an order that is decided, sent and filled: two entries.
func BenchmarkStepSubmitFill(b *testing.B) {
	w := newWorld()
	w.open()
	in := hub.SubmitOrder{
		Trader: "alpha", Request: hub.OrderRequest{Instrument: coin.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("60000"), Qty: d("0.0001")},
		Market: hub.MarketView{Last: d("60000"), Seen: w.now},
	}
	seq := w.core.Seq()
	b.ReportAllocs()
	for b.Loop() {
		w.now += 1e9
		seq++
		id := w.core.Step(hub.Entry{Seq: seq, Time: w.now, Input: in})[0].(core.Decided).Order.ID
		seq++
		w.core.Step(hub.Entry{Seq: seq, Time: w.now, Input: hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t", Price: d("60000"), Qty: d("0.0001")}})
	}
}

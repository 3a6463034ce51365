package core_test

import (
	"testing"
	"time"

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

// BenchmarkStepBesideOwnOrders is an order that is decided, sent and filled while the fund has a thousand others working in the contract, half of them on its own side, through a channel with a
// limit.
func BenchmarkStepBesideOwnOrders(b *testing.B) {
	w, names := channelWorld([]int{1, 1, 1, 1}, hub.MessageLimit{Messages: hub.MessagesMax, Window: time.Second})
	order := func(trader hub.TraderName, direction hub.Direction, price int64) {
		w.step(hub.SubmitOrder{
			Trader: trader, Market: hub.MarketView{Last: d("60000"), Seen: w.now},
			Request: hub.OrderRequest{Instrument: swap.Instrument, Direction: direction, Type: hub.Limit, Price: hub.Int(price), Qty: d("1")},
		})
	}
	for i := range int64(500) {
		order(names[0], hub.Long, 59_000-i)
		order(names[1], hub.Short, 61_000+i)
	}
	if n := len(w.core.Orders("", true)); n != 1000 {
		b.Fatalf("%d orders work", n)
	}
	in := hub.SubmitOrder{
		Trader: names[2], Market: hub.MarketView{Last: d("60000"), Seen: w.now},
		Request: hub.OrderRequest{Instrument: swap.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("58800"), Qty: d("1")},
	}
	seq := w.core.Seq()
	b.ReportAllocs()
	for b.Loop() {
		w.now += 1e9
		seq++
		id := w.core.Step(hub.Entry{Seq: seq, Time: w.now, Input: in})[0].(core.Decided).Order.ID
		seq++
		w.core.Step(hub.Entry{Seq: seq, Time: w.now, Input: hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: string(id), Price: d("58800"), Qty: d("1")}})
	}
}

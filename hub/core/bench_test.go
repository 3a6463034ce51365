package core_test

import (
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
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

// BenchmarkMarksWatched is a new price of what is held, looked at by five watches of the trader and two of the fund: one entry.
func BenchmarkMarksWatched(b *testing.B) {
	for _, watches := range []bool{false, true} {
		name := map[bool]string{false: "none", true: "seven"}[watches]
		b.Run(name, func(b *testing.B) {
			w := newWorld()
			w.open()
			files := policies()
			if watches {
				files[0].Text += "watch:\n  - {name: a, when: fund.pnl.day <= -100_000_000, then: alert}\n  - {name: b, when: fund.drawdown_part > 0.9, then: alert}\n"
				files[1].Text += `watch:
  - {name: a, when: trader.pnl.day <= -100_000_000, then: alert}
  - {name: b, when: trader.drawdown_part > 0.9, then: alert}
  - {name: c, when: trader.margin_ratio > 0.9, then: alert}
  - {name: d, when: trader.consecutive_losses > 90 or trader.rejects_in_a_row > 90, then: alert}
  - {name: e, when: trader.rejects("1m") > 90, then: alert}
`
			}
			w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
			id := w.step(hub.SubmitOrder{
				Trader: "alpha", Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("5")},
				Market: hub.MarketView{Last: d("3500"), Seen: w.now},
			})[0].(core.Decided).Order.ID
			w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t", Price: d("3500"), Qty: d("5")})
			seq, n := w.core.Seq(), int64(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				n++
				w.core.Step(hub.Entry{Seq: seq, Time: w.now, Input: hub.Marks{Marks: []hub.Mark{{Instrument: rb.Instrument, Price: hub.Int(3500 + n%2)}}}})
			}
		})
	}
}

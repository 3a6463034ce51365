package core_test

import (
	"runtime"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// TestMemoryIsFlat: what the core remembers fills within the hour that windows reach back, and does not grow from then on.
func TestMemoryIsFlat(t *testing.T) {
	w := newWorld()
	w.open()
	w.step(hub.LoadPolicies{Files: []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\ninternal_cross: allow\nrules: [{name: r, require: fund.messages(\"1h\") >= 0 and fund.duplicates(\"1h\") >= 0}]"},
		{Name: "alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules: [{name: r, require: trader.contract.orders(\"1h\") >= 0 and trader.traded_value(\"1h\") >= 0}]"},
	}})
	perHour := 36_000
	if raced {
		perHour = 12_000
	}
	seq := w.core.Seq()
	step := func(in hub.Input) []core.Effect {
		seq++
		return w.core.Step(hub.Entry{Seq: seq, Time: w.now, Input: in})
	}
	hour := func() {
		for i := range perHour {
			w.now = w.now.Add(time.Hour / time.Duration(perHour))
			in := hub.SubmitOrder{
				Trader: "alpha", Market: hub.MarketView{Last: d("60000"), Seen: w.now},
				Request: hub.OrderRequest{Instrument: coin.Instrument, Direction: hub.Long, Type: hub.Limit, Price: hub.Int(60_000 - int64(i%50)), Qty: d("0.0001")},
			}
			if i%4 == 1 {
				in.Request.Direction = hub.Short
			}
			decided := step(in)[0].(core.Decided)
			if len(decided.Refusals) > 0 {
				t.Fatalf("order %d: %v", i, decided.Refusals)
			}
			id := decided.Order.ID
			if i%4 < 2 {
				step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: string(id), Price: in.Request.Price, Qty: in.Request.Qty})
				continue
			}
			step(hub.CancelOrder{Trader: "alpha", OrderID: id})
			step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelled})
		}
	}
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	var after []float64
	for range 4 {
		hour()
		after = append(after, heap())
	}
	t.Logf("MB in use after each of four hours: %.1f", after)
	if after[3] > 1.1*after[1] {
		t.Errorf("MB in use after each of four hours: %.1f; from the second on it should stay", after)
	}
	runtime.KeepAlive(w)
}

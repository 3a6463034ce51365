package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
)

// TestFlattenOnlyCloses: whatever is held and works, and however the venue answers, a flattening never makes a position larger nor turns it over, and sends no order that is larger than
// the venue's largest; and when the venue fills, everything is closed in the end.
func TestFlattenOnlyCloses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		small := slices.Clone(contracts)
		for i := range small {
			sum := hub.Sum{}
			small[i].MaxQty = sum.Mul(small[i].MinQty, hub.Int(4))
		}
		w.step(hub.Contracts{Gateway: "SIM", Contracts: small})
		traders := []hub.TraderName{"alpha", "beta"}
		fill := func(id hub.OrderID, qty hub.Decimal) {
			sum := hub.Sum{}
			v.left[id] = sum.Sub(v.left[id], qty)
			v.next++
			w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: fmt.Sprintf("t%d", v.next), Price: d("100"), Qty: qty})
		}
		ask := func(t *rapid.T) {
			k := rapid.SampledFrom(small).Draw(t, "contract")
			sum := hub.Sum{}
			w.now += 2e9
			v.take(t, w.step(hub.SubmitOrder{Trader: rapid.SampledFrom(traders).Draw(t, "trader"), Market: hub.MarketView{Last: d("100"), Seen: w.now}, Request: hub.OrderRequest{
				Instrument: k.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
				Offset: rapid.SampledFrom([]hub.Offset{hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday}).Draw(t, "offset"),
				Type:   hub.Limit, Price: d("100"), Qty: sum.Mul(k.MinQty, hub.Int(int64(rapid.IntRange(1, 4).Draw(t, "units")))),
			}}))
		}
		for range rapid.IntRange(1, 40).Draw(t, "orders before") {
			ask(t)
			if id := last(v); id != "" && v.left[id].IsPos() && rapid.IntRange(0, 3).Draw(t, "fill") > 0 {
				fill(id, v.left[id])
			}
			if rapid.IntRange(0, 14).Draw(t, "roll") == 0 {
				w.step(hub.RollDay{Day: "20261124"})
			}
		}
		part := rapid.SampledFrom([]hub.Part{{}, {Trader: "alpha"}, {Gateway: "SIM"}, {Instrument: rb.Instrument}, {Trader: "beta", Instrument: swap.Instrument}}).Draw(t, "part")
		v.take(t, w.step(hub.Flatten{Part: part, By: "x"}))
		type held struct{ long, short hub.Decimal }
		see := func() map[string]held {
			all := map[string]held{}
			for _, trader := range traders {
				for _, k := range small {
					if part.Covers(trader, "SIM", k.Instrument) {
						long, short := heldOf(w, trader, k.Instrument)
						all[string(trader)+" "+k.Symbol] = held{long, short}
					}
				}
			}
			return all
		}
		closing := func(effects []core.Effect) {
			for _, e := range effects {
				if send, ok := e.(core.Send); ok {
					o := send.Permit.Order()
					k, _ := w.core.Contract(o.Instrument)
					if !strings.HasPrefix(o.Reference, "flatten by x") || k.MaxQty.Less(o.Qty) || !part.Covers(o.Trader, o.Gateway, o.Instrument) {
						t.Fatalf("sent: %+v", o)
					}
				}
			}
			v.take(t, effects)
		}
		// What worked may still fill before its cancel arrives: only from its end on the promise holds.
		for _, o := range w.core.Orders("", true) {
			if part.Covers(o.Trader, o.Gateway, o.Instrument) {
				v.left[o.ID] = hub.Decimal{}
				w.step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportCancelled})
			}
		}
		step := func() {
			w.now += hub.Time(rapid.SampledFrom([]int64{1, 6}).Draw(t, "seconds")) * 1e9
			markets, _ := w.core.FlattenMarkets()
			for i := range markets {
				markets[i].Market = hub.MarketView{Last: d("100"), Bid: d("99"), Ask: d("101"), Seen: w.now}
			}
			closing(w.step(hub.FlattenStep{Markets: markets}))
		}
		before := see()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			step()
			if len(v.open) > 0 {
				if id := rapid.SampledFrom(v.open).Draw(t, "order"); v.left[id].IsPos() {
					switch rapid.IntRange(0, 3).Draw(t, "what") {
					case 0:
						v.left[id] = hub.Decimal{}
						w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelled})
					case 1:
						if k, _ := w.core.Contract(v.sent[id].Instrument); k.MinQty.Less(v.left[id]) {
							fill(id, k.MinQty)
						}
					default:
						fill(id, v.left[id])
					}
				}
			}
			if part.Instrument == (hub.Instrument{}) || len(w.core.Flattenings()) > 0 { // of a contract alone no state stays
				ask(t)
			}
			after := see()
			for what, b := range before {
				if a := after[what]; b.long.Less(a.long) || b.short.Less(a.short) {
					t.Fatalf("%s was %s long, %s short, and is %s long, %s short", what, b.long, b.short, a.long, a.short)
				}
			}
			before = after
			if err := w.core.Check(); err != nil {
				t.Fatal(err)
			}
		}
		// From here on the venue fills everything that closes, and cancels what stands in the way.
		w.step(hub.RollDay{Day: "20261125"}) // what was bought today can be sold now
		w.step(hub.Flatten{Part: part, By: "x"})
		for range 60 {
			w.now += 6e9
			step()
			for _, o := range w.core.Orders("", true) {
				switch {
				case strings.HasPrefix(o.Reference, "flatten by x") && v.left[o.ID].IsPos():
					fill(o.ID, v.left[o.ID])
				case o.CancelAsked:
					v.left[o.ID] = hub.Decimal{}
					w.step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportCancelled})
				}
			}
		}
		for what, a := range see() {
			if !a.long.IsZero() || !a.short.IsZero() {
				t.Fatalf("%s is still %s long, %s short: %+v", what, a.long, a.short, w.core.Flattenings())
			}
		}
		if left := w.core.Flattenings(); len(left) > 0 {
			t.Fatalf("it goes on: %+v", left)
		}
	})
}

func last(v *venue) hub.OrderID {
	if len(v.open) == 0 {
		return ""
	}
	return v.open[len(v.open)-1]
}

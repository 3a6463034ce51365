package core_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// TestOrdersOfTheFundDoNotMeet trades two traders against each other at five prices. No two orders that were let through can trade with each other; nobody's refusal or notice names the other; what waits
// is answered once, and nothing waits for ever.
func TestOrdersOfTheFundDoNotMeet(t *testing.T) {
	seen := map[string]int{}
	checkUntil(t, func() bool { return seen["refused"] > 0 && seen["waits"] > 0 }, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		mode := rapid.SampledFrom([]string{"refuse", "cancel_resting"}).Draw(t, "internal cross")
		w.step(hub.LoadPolicies{Files: withFundKey("internal_cross: " + mode), Language: policy.Language})
		ended := map[hub.OrderID]int{}
		step := func(in hub.Input) {
			effects := slices.Clone(w.step(in))
			v.take(t, effects)
			waits := map[hub.OrderID]bool{}
			for _, e := range effects {
				if e, ok := e.(core.Decided); ok {
					ended[e.Order.ID]++
					if len(e.Refusals) == 1 && e.Refusals[0].Code == "internal-cross" {
						seen["refused"]++
					}
					if len(e.Refusals) == 0 && e.Order.Status != hub.Cancelled && waits[e.Order.ID] {
						t.Fatalf("order %s waits and is sent", e.Order.ID)
					}
				}
				if e, ok := e.(core.Crossed); ok && e.Waits {
					waits[e.Order.ID] = true
					seen["waits"]++
					for _, with := range e.With {
						if o, _ := w.core.Order("", with.ID); !o.CancelAsked {
							t.Fatalf("order %s waits for %s, and nobody asks for its cancel", e.Order.ID, o.ID)
						}
					}
				}
				if e, ok := e.(core.Notice); ok {
					for _, o := range w.core.Orders("", false) {
						if o.Trader != e.Trader && (contains(e.Text, string(o.ID)) || contains(e.Text, string(o.Trader))) {
							t.Fatalf("%s is told of order %s of %s: %s", e.Trader, o.ID, o.Trader, e.Text)
						}
					}
				}
			}
			if a, b := crossing(w.core.Orders("", true), v.sent); a != "" {
				t.Fatalf("order %s and order %s of one fund can trade with each other", a, b)
			}
			if err := w.core.Check(); err != nil {
				t.Fatal(err)
			}
		}
		active := func() (hub.Order, bool) {
			all := w.core.Orders("", true)
			if len(all) == 0 {
				return hub.Order{}, false
			}
			return rapid.SampledFrom(all).Draw(t, "order"), true
		}
		judge := func(i int) {
			ask := v.again[i]
			v.again = slices.Delete(v.again, i, i+1)
			step(hub.JudgeOrder{Ask: ask, Market: hub.MarketView{Last: d("3500"), Seen: w.now}})
		}
		end := func(o hub.Order) {
			filled, _ := v.sent[o.ID].Qty.Sub(v.left[o.ID])
			v.left[o.ID] = hub.Decimal{}
			step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportCancelled, Qty: filled})
		}
		for range rapid.IntRange(10, 120).Draw(t, "steps") {
			w.now += hub.Time(rapid.IntRange(0, 2).Draw(t, "s")) * 1e9
			switch rapid.IntRange(0, 13).Draw(t, "what") {
			default:
				step(hub.SubmitOrder{
					Trader: rapid.SampledFrom([]hub.TraderName{"alpha", "beta"}).Draw(t, "trader"), Market: hub.MarketView{Last: d("3500"), Seen: w.now},
					Request: hub.OrderRequest{
						Instrument: rb.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"), Offset: hub.Open, Qty: d("1"),
						Type:  rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.Limit, hub.Limit, hub.Limit, hub.Market, hub.FAK, hub.Stop}).Draw(t, "type"),
						Price: hub.Int(int64(rapid.IntRange(3498, 3502).Draw(t, "price"))),
					},
				})
			case 0, 1, 2:
				if o, ok := active(); ok && v.left[o.ID].IsPos() {
					end(o)
				}
			case 3:
				if o, ok := active(); ok && v.left[o.ID].IsPos() {
					v.next++
					f := hub.VenueFill{TradeID: fmt.Sprintf("t%d", v.next), Price: d("3500"), Qty: v.left[o.ID]}
					v.fills[o.ID], v.left[o.ID] = append(v.fills[o.ID], f), hub.Decimal{}
					step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty})
				}
			case 4, 5:
				if len(v.again) > 0 {
					judge(rapid.IntRange(0, len(v.again)-1).Draw(t, "which"))
				}
			case 6:
				if o, ok := active(); ok {
					step(hub.CancelOrder{Trader: o.Trader, OrderID: o.ID})
				}
			case 7:
				step(hub.ExpireWaits{Since: w.now - 10e9})
			case 8:
				before := w.digest()
				if err := w.restart(); err != nil || w.digest() != before {
					t.Fatal("a restored core has another digest", err)
				}
				if rapid.Bool().Draw(t, "really") {
					v.again = nil
					step(setUp())
					step(hub.Contracts{Gateway: "SIM", Contracts: contracts})
					step(hub.GatewayState{Gateway: "SIM", Up: true})
					v.answer(t, w)
				}
			}
		}
		for _, o := range w.core.Orders("", true) { // the venue ends everything, and then nothing waits
			if now, _ := w.core.Order("", o.ID); v.left[o.ID].IsPos() && !now.Status.Final() {
				end(o)
			}
		}
		for n := 0; len(v.again) > 0; n++ {
			if n > 1000 {
				t.Fatal("orders wait for each other for ever")
			}
			judge(0)
			for _, o := range w.core.Orders("", true) {
				if now, _ := w.core.Order("", o.ID); v.left[o.ID].IsPos() && !now.Status.Final() {
					end(o)
				}
			}
		}
		if left := w.core.Orders("", true); len(left) > 0 {
			t.Fatalf("%d orders are left: %+v", len(left), left[0])
		}
		for id, n := range ended {
			if n != 1 {
				t.Fatalf("order %s is decided %d times", id, n)
			}
		}
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
	if seen["refused"] == 0 || seen["waits"] == 0 {
		t.Errorf("these histories show nothing: %v", seen)
	}
}

func contains(text, word string) bool {
	for at := 0; at+len(word) <= len(text); at++ {
		if text[at:at+len(word)] == word && (at+len(word) == len(text) || text[at+len(word)] < '0' || text[at+len(word)] > '9') {
			return true
		}
	}
	return false
}

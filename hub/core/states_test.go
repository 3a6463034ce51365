package core_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/codec"
	"tradehub/hub/core"
)

// heldOf is what a trader holds of a contract.
func heldOf(w *world, trader hub.TraderName, i hub.Instrument) (long, short hub.Decimal) {
	for _, p := range w.core.Positions(trader, i) {
		switch {
		case p.Direction == hub.Long || p.Direction == hub.Net && !p.Qty.IsNeg():
			long = p.Qty
		case p.Direction == hub.Short:
			short = p.Qty
		default:
			short = p.Qty.Neg()
		}
	}
	return long, short
}

// TestReduceOnlyReduces: from a random state, whatever is asked for and however it fills, no position in REDUCE_ONLY becomes larger or changes its sign, but for what opening
// orders of before still do.
func TestReduceOnlyReduces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		traders := []hub.TraderName{"alpha", "beta"}
		ask := func(t *rapid.T) {
			k := rapid.SampledFrom([]hub.Contract{swap, swap, rb, soy, share}).Draw(t, "contract")
			sum := hub.Sum{}
			req := hub.OrderRequest{
				Instrument: k.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
				Offset: rapid.SampledFrom([]hub.Offset{hub.NoOffset, hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday}).Draw(t, "offset"),
				Type:   rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.Market, hub.FAK, hub.FOK, hub.Stop}).Draw(t, "type"),
				Price:  d("100"), Qty: sum.Mul(k.MinQty, hub.Int(int64(rapid.SampledFrom([]int{5, 3, 7, 1, 12}).Draw(t, "units")))),
			}
			w.now += 2e9
			v.take(t, w.step(hub.SubmitOrder{Trader: rapid.SampledFrom(traders).Draw(t, "trader"), Request: req, Market: hub.MarketView{Last: d("100"), Seen: w.now}}))
		}
		fill := func(t *rapid.T, all bool) {
			if len(v.open) == 0 {
				return
			}
			id := rapid.SampledFrom(v.open).Draw(t, "order")
			left := v.left[id]
			if !left.IsPos() {
				return
			}
			qty := left
			if k, _ := w.core.Contract(v.sent[id].Instrument); !all && k.MinQty.Less(left) && rapid.Bool().Draw(t, "part") {
				qty = k.MinQty
			}
			sum := hub.Sum{}
			v.left[id] = sum.Sub(left, qty)
			v.next++
			w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: fmt.Sprintf("t%d", v.next), Price: d("100"), Qty: qty})
		}
		end := func(id hub.OrderID) {
			v.left[id] = hub.Decimal{}
			w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelled})
		}
		for range rapid.IntRange(1, 25).Draw(t, "orders before") {
			ask(t)
			fill(t, true)
			if rapid.IntRange(0, 19).Draw(t, "roll") == 0 {
				w.step(hub.RollDay{Day: "20261124"})
			}
		}
		// What opens is cancelled with the change, as one would; what closes goes on working.
		for _, o := range w.core.Orders("", true) {
			if k, _ := w.core.Contract(o.Instrument); k.NetPosition || !o.Offset.Closes() {
				end(o.ID)
			}
		}
		switch rapid.IntRange(0, 2).Draw(t, "scope") {
		case 0:
			w.step(hub.SetState{State: hub.ReduceOnly, By: "x"})
		case 1:
			w.step(hub.SetState{Scope: hub.ScopeGateway, Name: "SIM", State: hub.ReduceOnly, By: "x"})
		default:
			for _, trader := range traders {
				w.step(hub.SetState{Scope: hub.ScopeTrader, Name: string(trader), State: hub.ReduceOnly, By: "x"})
			}
		}
		type now struct{ long, short hub.Decimal }
		see := func() map[string]now {
			all := map[string]now{}
			for _, trader := range traders {
				for _, k := range contracts {
					long, short := heldOf(w, trader, k.Instrument)
					all[string(trader)+" "+k.Symbol] = now{long, short}
				}
			}
			return all
		}
		before := see()
		for range rapid.IntRange(20, 80).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				ask(t)
			case 2, 3:
				fill(t, rapid.Bool().Draw(t, "all"))
			default:
				if len(v.open) > 0 {
					if id := rapid.SampledFrom(v.open).Draw(t, "order"); v.left[id].IsPos() {
						end(id)
					}
				}
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
	})
}

// TestOldHaltsStay: an image of before there were states has a trader and the fund halted, and so they are.
func TestOldHaltsStay(t *testing.T) {
	w := newWorld()
	w.open()
	im := w.core.Image()
	im.Fund.Halted, im.Fund.HaltWhy = true, "by olivia"
	im.Traders[0].Halted, im.Traders[0].HaltWhy = true, "by omar: lunch: long"
	b, err := codec.EncodeImage(im)
	if err != nil {
		t.Fatal(err)
	}
	if im, err = codec.DecodeImage(b); err != nil {
		t.Fatal(err)
	}
	if w.core, err = core.Restore(im); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range w.core.Standings() {
		got = append(got, strings.TrimSpace(string(s.Trader)+" "+s.State.String()+" "+s.Why))
	}
	if want := "HALTED HALTED by olivia|alpha HALTED HALTED by omar: lunch: long|beta ACTIVE"; strings.Join(got, "|") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, "|"), want)
	}
	w.step(hub.SetState{By: "olivia"})
	if s := w.core.Standings(); s[0].State != hub.Active || s[1].State != hub.Halted {
		t.Errorf("the fund is resumed: got %+v", s)
	}
}

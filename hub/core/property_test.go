package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// venue is the other side of a random history: what was sent to it, and what it did.
type venue struct {
	sent  map[hub.OrderID]hub.Order
	left  map[hub.OrderID]hub.Decimal // what may still trade
	fills map[hub.OrderID][]hub.VenueFill
	open  []hub.OrderID
	next  int
	again []uint64 // orders that waited, and are to be judged
	// is what orders are for now; under are amendments on their way.
	is    map[hub.OrderID]hub.OrderRequest
	under []hub.Order
}

func newVenue() *venue {
	return &venue{sent: map[hub.OrderID]hub.Order{}, left: map[hub.OrderID]hub.Decimal{}, fills: map[hub.OrderID][]hub.VenueFill{}, is: map[hub.OrderID]hub.OrderRequest{}}
}

func (v *venue) take(t *rapid.T, effects []core.Effect) {
	for _, e := range effects {
		if again, ok := e.(core.JudgeAgain); ok {
			v.again = append(v.again, again.Ask)
		}
		if amend, ok := e.(core.Amend); ok {
			v.under = append(v.under, amend.Permit.Order())
		}
		send, ok := e.(core.Send)
		if !ok {
			continue
		}
		o := send.Permit.Order()
		v.is[o.ID] = o.OrderRequest
		if !send.Permit.Valid() {
			t.Fatalf("order %s is sent without a decision", o.ID)
		}
		if _, twice := v.sent[o.ID]; twice {
			t.Fatalf("order %s is sent twice", o.ID)
		}
		v.sent[o.ID], v.left[o.ID] = o, o.Qty
		v.open = append(v.open, o.ID)
	}
}

// watched are the files with watches that fire now and then, and do everything that watches do.
func watched(files []hub.PolicyFile) []hub.PolicyFile {
	files[0].Text += `  - {name: crowd, require: fund.contract.active_orders < 100, warn: fund.contract.active_orders < 3}
  - {name: small, require: order.quantity < 5, mode: shadow}
watch:
  - {name: drawdown, when: fund.drawdown_day > 20_000, then: [alert, cancel_all], clear: fund.drawdown_day < 5_000}
  - {name: doubts, when: fund.in_doubt > 3 or fund.gateway_down > 10, then: alert}
`
	files[1].Text += `watch:
  - {name: loss, when: trader.pnl.day <= -2_000, then: [reduce_only, alert], again: once per day}
  - {name: rejects, when: trader.rejects_in_a_row >= 3 or trader.rejects("10s") > 8, then: cancel_only}
  - {name: stale, when: trader.oldest_mark_age > 60, then: alert}
`
	files[2].Text += "watch:\n  - {name: losses, when: trader.consecutive_losses >= 2, then: [halt, cancel_all]}\n"
	return files
}

// TestHistories draws histories of orders, reports that come late, twice and in any order, cancels, prices, halts, days, restarts and reconciliations, and holds the core to its
// promises after every entry.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		cross := rapid.SampledFrom([]string{"allow", "refuse", "cancel_resting"}).Draw(t, "internal cross")
		w.step(hub.LoadPolicies{Files: watched(withFundKey("internal_cross: " + cross)), Language: policy.Language})
		answered := map[hub.OrderID]int{}
		day := 23
		var asks uint64
		var taken []uint64
		var old []hub.VenueReport
		traders := rapid.SampledFrom([]hub.TraderName{"alpha", "beta"})
		lots := rapid.IntRange(1, 12)
		decimal := func(lo, hi int, name string) hub.Decimal { return hub.Int(int64(rapid.IntRange(lo, hi).Draw(t, name))) }
		pick := func() (hub.OrderID, bool) {
			if len(v.open) == 0 {
				return "", false
			}
			return rapid.SampledFrom(v.open).Draw(t, "order"), true
		}
		send := func(in hub.VenueReport) {
			old = append(old, in)
			v.take(t, w.step(in))
		}
		actions := map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				k := rapid.SampledFrom(contracts).Draw(t, "contract")
				req := hub.OrderRequest{
					Instrument: k.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
					Offset: rapid.SampledFrom([]hub.Offset{hub.NoOffset, hub.Open, hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday}).Draw(t, "offset"),
					Type:   rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.Limit, hub.Market, hub.FAK, hub.Stop}).Draw(t, "type"),
					Price:  decimal(3400, 3600, "price"), Qty: hub.Int(int64(lots.Draw(t, "lots"))),
				}
				if req.Qty, _ = req.Qty.Mul(k.MinQty); k.MinQty.Less(hub.Int(1)) {
					req.Qty, _ = req.Qty.Mul(d("37"))
				}
				effects := w.step(hub.SubmitOrder{Trader: traders.Draw(t, "trader"), Request: req, Market: hub.MarketView{Last: d("3500.5"), Seen: w.now}})
				for _, e := range effects {
					if taken, ok := e.(core.Taken); ok { // it waits for others to be cancelled
						answered[taken.Order.ID]++
					}
					if decided, ok := e.(core.Decided); ok {
						answered[decided.Order.ID]++
					}
				}
				v.take(t, effects)
			},
			"judge again": func(t *rapid.T) {
				if len(v.again) == 0 {
					return
				}
				i := rapid.IntRange(0, len(v.again)-1).Draw(t, "which")
				ask := v.again[i]
				v.again = slices.Delete(v.again, i, i+1)
				v.take(t, w.step(hub.JudgeOrder{Ask: ask, Market: hub.MarketView{Last: d("3500"), Seen: w.now}}))
			},
			"expire": func(t *rapid.T) { v.take(t, w.step(hub.ExpireWaits{Since: w.now - 10e9})) },
			"take": func(t *rapid.T) {
				asks++
				effects := w.step(hub.TakeOrder{Trader: traders.Draw(t, "trader"), Ask: asks, Request: hub.OrderRequest{
					Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("1"),
				}})
				i := slices.IndexFunc(effects, func(e core.Effect) bool { _, is := e.(core.Taken); return is }) // an override may end with the same entry, before
				answered[effects[i].(core.Taken).Order.ID]++
				taken = append(taken, asks)
			},
			"judge": func(t *rapid.T) {
				if len(taken) == 0 {
					return
				}
				i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
				v.take(t, w.step(hub.JudgeOrder{Ask: taken[i], Market: hub.MarketView{Last: d("3500"), Seen: w.now}}))
				taken = slices.Delete(taken, i, i+1)
			},
			"resting": func(t *rapid.T) {
				if id, ok := pick(); ok {
					send(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting, VenueID: "v" + string(id)})
				}
			},
			"fill": func(t *rapid.T) {
				id, ok := pick()
				if !ok || !v.left[id].IsPos() {
					return
				}
				qty := v.left[id]
				if rapid.Bool().Draw(t, "part") {
					if half, _ := qty.Quo(d("2")); half.MinScale() <= 4 {
						qty = half
					}
				}
				v.left[id], _ = v.left[id].Sub(qty)
				v.next++
				f := hub.VenueFill{TradeID: fmt.Sprintf("t%d", v.next), Price: decimal(3400, 3600, "price"), Qty: qty}
				v.fills[id] = append(v.fills[id], f)
				in := hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty}
				if rapid.IntRange(0, 9).Draw(t, "lose") == 0 {
					return // the report is lost; reconciliation will tell
				}
				send(in)
			},
			"rate": func(t *rapid.T) {
				in := hub.SetRates{By: "test", Jump: rapid.Bool().Draw(t, "jump")}
				for _, currency := range rapid.SampledFrom([][]string{{"USDT"}, {"USDT", "USD"}, {"CNY"}, {"USDT", "USDT"}}).Draw(t, "currencies") {
					rate, _ := decimal(1, 2_000_000, "rate").Quo(hub.Int(100_000))
					in.Rates = append(in.Rates, hub.Rate{Currency: currency, Rate: rate})
				}
				w.step(in)
			},
			"again": func(t *rapid.T) {
				if len(old) > 0 {
					v.take(t, w.step(rapid.SampledFrom(old).Draw(t, "report")))
				}
			},
			"cancel": func(t *rapid.T) {
				if id, ok := pick(); ok {
					v.take(t, w.step(hub.CancelOrder{Trader: traders.Draw(t, "trader"), OrderID: id}))
				}
			},
			"amend": func(t *rapid.T) {
				if in, ok := v.drawAmend(t, w); ok {
					v.take(t, w.step(in))
				}
			},
			"amended": func(t *rapid.T) {
				if in, ok := v.amend(t); ok {
					send(in)
				}
			},
			"doubt amendments": func(t *rapid.T) {
				v.take(t, w.step(hub.DoubtAmendments{Since: w.now - hub.Time(rapid.IntRange(0, 30).Draw(t, "seconds"))*1e9}))
				if rapid.Bool().Draw(t, "answered") {
					v.answer(t, w)
				}
			},
			"cancelled": func(t *rapid.T) {
				if id, ok := pick(); ok {
					filled, _ := v.is[id].Qty.Sub(v.left[id])
					v.left[id] = hub.Decimal{}
					send(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelled, Qty: filled})
				}
			},
			"rejected": func(t *rapid.T) {
				if id, ok := pick(); ok && len(v.fills[id]) == 0 {
					v.left[id] = hub.Decimal{}
					send(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportRejected, Reason: "no"})
				}
			},
			"flatten": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "seldom") == 0 {
					v.take(t, w.step(hub.Flatten{Part: hub.Part{Trader: traders.Draw(t, "trader"), Instrument: rapid.SampledFrom(contracts).Draw(t, "contract").Instrument}, By: "x"}))
				}
			},
			"flatten step": func(t *rapid.T) {
				markets, _ := w.core.FlattenMarkets()
				for i := range markets {
					markets[i].Market = hub.MarketView{Last: d("3500"), Seen: w.now}
				}
				v.take(t, w.step(hub.FlattenStep{Markets: markets}))
			},
			"clock": func(*rapid.T) { v.take(t, w.step(hub.Clock{})) },
			"cancel all": func(t *rapid.T) {
				v.take(t, w.step(hub.CancelAll{Part: hub.Part{Trader: traders.Draw(t, "trader")}, By: "x"}))
			},
			"mark": func(t *rapid.T) {
				w.step(hub.Marks{Marks: []hub.Mark{{Instrument: rapid.SampledFrom(contracts).Draw(t, "contract").Instrument, Price: decimal(3000, 4000, "price")}}})
			},
			"halt": func(t *rapid.T) {
				w.step(hub.SetState{Scope: hub.ScopeTrader, Name: string(traders.Draw(t, "trader")), State: hub.State(rapid.IntRange(0, 3).Draw(t, "state")), By: "x"})
			},
			"override": func(t *rapid.T) {
				w.step(hub.AskOverride{
					Order: hub.OverrideOrder{
						Trader: traders.Draw(t, "trader"), Instrument: rb.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
						Qty: hub.Int(int64(rapid.IntRange(1, 30).Draw(t, "size"))),
					},
					Rules: []string{"position", "burst"}, Reason: "x", For: time.Minute, By: people["anna"],
				})
				if all := w.core.Overrides(); len(all) > 0 {
					w.step(hub.ApproveOverride{Number: all[len(all)-1].Number, By: people["bob"]})
				}
			},
			"roll": func(t *rapid.T) {
				day++
				w.step(hub.RollDay{
					Day: hub.Day(fmt.Sprintf("2026%04d", 1100+day)), Calendar: rapid.SampledFrom([]string{"", "cn-futures", "cn-stock", "crypto"}).Draw(t, "calendar"), Began: w.now,
				})
			},
			"contracts": func(t *rapid.T) {
				w.step(hub.Contracts{Gateway: "SIM", Contracts: contracts[rapid.IntRange(0, 2).Draw(t, "from"):]})
			},
			"gateway": func(t *rapid.T) {
				w.step(hub.GatewayState{Gateway: "SIM", Reason: "gone"})
				w.step(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true})
				v.answer(t, w)
			},
			"restart": func(t *rapid.T) {
				before := w.digest()
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				if after := w.digest(); after != before {
					t.Fatal("a restored core has another digest")
				}
				w.step(setUp())
				w.step(hub.Contracts{Gateway: "SIM", Contracts: contracts})
				w.step(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true})
				v.answer(t, w)
			},
			"wait": func(t *rapid.T) { w.now += hub.Time(rapid.IntRange(-1, 20).Draw(t, "seconds")) * 1e9 },
			"": func(t *rapid.T) {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
				v.within(t, w)
				if cross != "allow" {
					if a, b := crossing(w.core.Orders("", true), v.sent); a != "" {
						t.Fatalf("order %s and order %s of one fund can trade with each other", a, b)
					}
				}
				for id, n := range answered {
					if n != 1 {
						t.Fatalf("order %s is answered %d times", id, n)
					}
				}
			},
		}
		t.Repeat(actions)
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
		v.settle(t, w)
	})
}

// crossing finds two orders that may trade with each other, among those that were sent: every pair, by the words of the guide.
func crossing(active []hub.Order, sent map[hub.OrderID]hub.Order) (a, b hub.OrderID) {
	for _, buy := range active {
		for _, sell := range active {
			_, both := sent[buy.ID]
			if _, ok := sent[sell.ID]; !ok || !both || buy.Direction != hub.Long || sell.Direction != hub.Short || buy.Instrument != sell.Instrument {
				continue
			}
			free := func(o hub.Order) bool { return o.Type == hub.Market || o.Type == hub.Stop }
			bid, ask := buy.Price, sell.Price
			if buy.Amending() {
				bid = bid.Max(buy.Amendment.Price)
			}
			if sell.Amending() {
				ask = ask.Min(sell.Amendment.Price)
			}
			if free(buy) || free(sell) || !bid.Less(ask) {
				return buy.ID, sell.ID
			}
		}
	}
	return "", ""
}

// answer is what the venue says of everything that is open at the hub, when it is asked now.
func (v *venue) answer(t *rapid.T, w *world) { v.take(t, w.step(v.says(t, w))) }

func (v *venue) says(t *rapid.T, w *world) hub.Reconcile {
	in := hub.Reconcile{Gateway: "SIM", Complete: true, AskedAt: w.core.Seq()}
	for _, o := range w.core.RiskBook().Orders {
		in.Asked = append(in.Asked, o.ID)
		if _, ok := v.sent[o.ID]; !ok {
			t.Fatalf("order %s is active and was never sent", o.ID)
		}
		status := hub.Resting
		if v.left[o.ID].IsZero() {
			status = hub.Filled
			var filled hub.Sum
			total := hub.Decimal{}
			for _, f := range v.fills[o.ID] {
				total = filled.Add(total, f.Qty)
			}
			if total.Less(v.is[o.ID].Qty) {
				status = hub.Cancelled
			}
		}
		at := hub.VenueOrder{OrderID: o.ID, Status: status, Fills: slices.Clone(v.fills[o.ID])}
		if !slices.ContainsFunc(v.under, func(u hub.Order) bool { return u.ID == o.ID }) { // else it may yet be another
			at.Price, at.Qty = v.is[o.ID].Price, v.is[o.ID].Qty
		}
		in.Orders = append(in.Orders, at)
	}
	return in
}

// settle reconciles a last time: then every fill of the venue is in the books of the hub, once.
func (v *venue) settle(t *rapid.T, w *world) {
	v.under = nil // lost
	v.take(t, w.step(hub.DoubtAmendments{Since: w.now + 1e9}))
	v.answer(t, w)
	for _, o := range w.core.Orders("", true) {
		if is, sent := v.is[o.ID]; sent && (!o.Price.Equal(is.Price) || !o.Qty.Equal(is.Qty) || o.Amending()) {
			t.Fatalf("order %s is for %s at %s at the venue, and in the books for %s at %s, to be %+v", o.ID, is.Qty, is.Price, o.Qty, o.Price, o.Amendment)
		}
	}
	for _, o := range w.core.Orders("", false) {
		var sum hub.Sum
		filled := hub.Decimal{}
		for _, f := range v.fills[o.ID] {
			filled = sum.Add(filled, f.Qty)
		}
		if !o.Filled.Equal(filled) {
			t.Fatalf("%s order %s is filled with %s at the venue, and with %s in the books", o.Status, o.ID, filled, o.Filled)
		}
	}
}

// TestLimitsHold: whatever is drawn, no trader's position with all working orders filled goes over the limit of its rule.
func TestLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		sizes := rapid.SliceOfN(rapid.IntRange(1, 25), 1, 60).Draw(t, "quantities")
		for i, qty := range sizes {
			direction := hub.Long
			if qty%2 == 0 {
				direction = hub.Short
			}
			w.now += hub.Time(10e9)
			v.take(t, w.step(hub.SubmitOrder{
				Trader: "alpha", Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: direction, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: hub.Int(int64(qty))},
				Market: hub.MarketView{Last: d("3500"), Seen: w.now},
			}))
			long, short := hub.Decimal{}, hub.Decimal{}
			var sum hub.Sum
			for _, o := range v.sent {
				if o.Direction == hub.Long {
					long = sum.Add(long, o.Qty)
				} else {
					short = sum.Add(short, o.Qty)
				}
			}
			if limit := d("20"); limit.Less(long) || limit.Less(short) {
				t.Fatalf("after order %d: %s long and %s short sent, the limit is 20", i, long, short)
			}
		}
	})
}

// TestWindowEdges: with limit 20 per 10 s, no 10 s of any history holds a 21st order that passed, at every alignment, whatever the clock does: it may stand still, repeat a time and
// run backwards. And one passes as soon as it may: when fewer than 20, refused ones counted, are less than 10 s old.
func TestWindowEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.open()
		var asked, passed []hub.Time
		for _, gap := range rapid.SliceOfN(rapid.SampledFrom([]int{-2000, -1, 0, 0, 1, 250, 500, 501, 1500}), 30, 120).Draw(t, "gaps in ms") {
			w.now += hub.Time(gap) * 1e6
			effects := w.step(hub.SubmitOrder{
				Trader: "alpha", Request: hub.OrderRequest{Instrument: coin.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("1"), Qty: d("0.0001")},
				Market: hub.MarketView{Last: d("1"), Seen: w.now},
			})
			now := w.core.Now() // it never runs backwards
			inside := 0
			for _, at := range asked {
				if at > now-10e9 {
					inside++
				}
			}
			asked = append(asked, now) // refused orders count, too
			if passes := len(effects[0].(core.Decided).Refusals) == 0; passes != (inside < 20) {
				t.Fatalf("with %d in the last 10 s: got %t", inside, passes)
			} else if passes {
				passed = append(passed, now)
			}
		}
		for i := range passed {
			if i >= 20 && passed[i]-passed[i-20] < 10e9 {
				t.Fatalf("21 orders passed within %d ns", passed[i]-passed[i-20])
			}
		}
	})
}

// TestLimitsHoldAtAllGatewaysTogether: a limit cannot be had twice by naming another gateway, and an order that names none goes to one that is up.
func TestLimitsHoldAtAllGatewaysTogether(t *testing.T) {
	w := newWorld()
	in := setUp()
	in.Gateways = []hub.GatewayName{"SIM", "CTP"}
	w.step(in)
	w.step(hub.RollDay{Day: "20261123"})
	w.step(hub.LoadPolicies{Files: policies(), Language: policy.Language})
	for _, g := range in.Gateways {
		w.step(hub.Contracts{Gateway: g, Contracts: []hub.Contract{rb}})
	}
	w.step(hub.GatewayState{Gateway: "CTP", Up: true})
	ask := func(g hub.GatewayName, qty string) core.Decided {
		return w.step(hub.SubmitOrder{
			Trader: "alpha", Gateway: g, Market: hub.MarketView{Last: d("3500"), Seen: w.now},
			Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d(qty)},
		})[0].(core.Decided)
	}
	if got := ask("", "15"); got.Order.Gateway != "CTP" || len(got.Refusals) != 0 {
		t.Errorf("with SIM down: got %+v", got)
	}
	w.step(hub.GatewayState{Gateway: "SIM", Up: true})
	if got := ask("SIM", "6"); len(got.Refusals) != 1 || got.Refusals[0].Text != "21 long, 0 short, over 20" {
		t.Errorf("15 at CTP and 6 at SIM: got %+v", got.Refusals)
	}
	if got := ask("SIM", "5"); len(got.Refusals) != 0 {
		t.Errorf("15 at CTP and 5 at SIM: got %+v", got.Refusals)
	}
	if err := w.core.Check(); err != nil {
		t.Error(err)
	}
}

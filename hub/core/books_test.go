package core_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
)

// account is what a venue's account holds, reckoned from its fills alone, and from what somebody did there by hand.
type account struct {
	of   map[hub.Instrument]*[2]hub.Decimal // long and short; of a contract that nets all is in the first
	told map[string]bool
	hand map[hub.Instrument]*[2]hub.Decimal
}

func newAccount() *account {
	return &account{of: map[hub.Instrument]*[2]hub.Decimal{}, told: map[string]bool{}, hand: map[hub.Instrument]*[2]hub.Decimal{}}
}

func at(m map[hub.Instrument]*[2]hub.Decimal, i hub.Instrument) *[2]hub.Decimal {
	if m[i] == nil {
		m[i] = &[2]hub.Decimal{}
	}
	return m[i]
}

// fill adds a fill that the venue has reported, once.
func (a *account) fill(k hub.Contract, o hub.Order, f hub.VenueFill) {
	if a.told[f.TradeID] {
		return
	}
	a.told[f.TradeID] = true
	side, sign := 0, 1
	switch {
	case k.NetPosition:
		if o.Direction == hub.Short {
			sign = -1
		}
	case o.Offset.Closes():
		sign = -1
		if o.Direction == hub.Long {
			side = 1
		}
	case o.Direction == hub.Short:
		side = 1
	}
	var sum hub.Sum
	held := at(a.of, k.Instrument)
	held[side] = sum.Add(held[side], sum.Mul(f.Qty, hub.Int(int64(sign))))
}

func (a *account) statement() hub.VenueStatement {
	in := hub.VenueStatement{Gateway: "SIM", Exact: true}
	for _, k := range contracts {
		held := at(a.of, k.Instrument)
		for i, d := range []hub.Direction{hub.Long, hub.Short} {
			if k.NetPosition {
				d = hub.Net
			}
			if !held[i].IsZero() {
				in.Positions = append(in.Positions, hub.VenuePosition{Instrument: k.Instrument, Direction: d, Yesterday: held[i], Price: hub.Int(3500)})
			}
		}
	}
	return in
}

func contractOf(i hub.Instrument) hub.Contract {
	return contracts[slices.IndexFunc(contracts, func(k hub.Contract) bool { return k.Instrument == i })]
}

// unassigned is what the books say is nobody's.
func unassigned(c *core.Core) map[hub.Instrument][2]hub.Decimal {
	out := map[hub.Instrument][2]hub.Decimal{}
	for _, p := range c.Positions(hub.Unassigned, hub.Instrument{}) {
		both := out[p.Instrument]
		both[map[hub.Direction]int{hub.Short: 1}[p.Direction]] = p.Qty
		out[p.Instrument] = both
	}
	maps.DeleteFunc(out, func(_ hub.Instrument, q [2]hub.Decimal) bool { return q[0].IsZero() && q[1].IsZero() })
	return out
}

// profits are the fund's, and those of its traders and of what is unassigned together.
func profits(c *core.Core) (fund, all hub.Decimal) {
	var sum hub.Sum
	of := func(name hub.TraderName) hub.Decimal {
		a, _ := c.Account(name)
		return sum.Sub(sum.Add(a.Realised, a.Unrealised), a.Commission)
	}
	for _, name := range []hub.TraderName{"alpha", "beta", hub.Unassigned} {
		all = sum.Add(all, of(name))
	}
	return of(""), all
}

func mapped[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

// TestSumIsTheVenues: whatever is traded, transferred, moved by hand at the venue, restarted and rolled, what the traders hold and what is unassigned is what the venue's account holds; a
// statement finds what was done by hand and nothing else; and a transfer at the mark changes nobody's equity, and none at any price the fund's.
func TestSumIsTheVenues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v, a := newWorld(), newVenue(), newAccount()
		w.open()
		names := []hub.TraderName{"alpha", "beta", hub.Unassigned}
		day, rated := 23, false
		assigned := map[hub.Instrument]*[2]hub.Decimal{} // of what was done by hand, what the operator gave to traders
		pick := func() hub.OrderID {
			if len(v.open) == 0 {
				return ""
			}
			return rapid.SampledFrom(v.open).Draw(t, "order")
		}
		submit := func(trader hub.TraderName, k hub.Contract, direction hub.Direction, offset hub.Offset, lots int) {
			qty, _ := k.MinQty.Mul(hub.Int(int64(lots)))
			v.take(t, w.step(hub.SubmitOrder{Trader: trader, Market: hub.MarketView{Last: d("3500"), Seen: w.now}, Request: hub.OrderRequest{
				Instrument: k.Instrument, Direction: direction, Offset: offset, Type: hub.Limit, Price: d("3500"), Qty: qty,
			}}))
		}
		fill := func(id hub.OrderID, qty hub.Decimal, lost bool) {
			o := v.sent[id]
			if k := contractOf(o.Instrument); !k.NetPosition && o.Offset.Closes() {
				if held := at(a.of, k.Instrument)[map[hub.Direction]int{hub.Long: 1}[o.Direction]]; held.Less(qty) {
					return // no venue closes what is not there
				}
			}
			v.left[id], _ = v.left[id].Sub(qty)
			v.next++
			f := hub.VenueFill{TradeID: fmt.Sprintf("t%d", v.next), Price: hub.Int(int64(rapid.IntRange(3400, 3600).Draw(t, "price"))), Qty: qty}
			v.fills[id] = append(v.fills[id], f)
			if lost {
				return
			}
			a.fill(contractOf(o.Instrument), o, f)
			v.take(t, w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty}))
		}
		reconnect := func() {
			var ask []hub.OrderID
			for _, e := range w.step(hub.GatewayState{Gateway: "SIM", Up: true}) {
				if e, ok := e.(core.AskVenue); ok {
					ask = slices.Clone(e.Orders)
				}
			}
			if rapid.Bool().Draw(t, "statement before the answer") { // the venue knows of fills that the hub does not yet
				early := newAccount()
				for id, fills := range v.fills {
					for _, f := range fills {
						early.fill(contractOf(v.sent[id].Instrument), v.sent[id], f)
					}
				}
				for i, q := range a.hand {
					var sum hub.Sum
					for n := range q {
						at(early.of, i)[n] = sum.Add(at(early.of, i)[n], q[n])
					}
				}
				w.step(early.statement())
			}
			in := hub.Reconcile{Gateway: "SIM", Complete: true, Asked: ask}
			for _, id := range ask {
				o := v.sent[id]
				for _, f := range v.fills[id] {
					a.fill(contractOf(o.Instrument), o, f)
				}
				status := hub.Resting
				if v.left[id].IsZero() {
					status = hub.Cancelled // or filled: the fills say it
				}
				in.Orders = append(in.Orders, hub.VenueOrder{OrderID: id, Status: status, Fills: slices.Clone(v.fills[id])})
			}
			v.take(t, w.step(in))
		}
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				submit(rapid.SampledFrom(names[:2]).Draw(t, "trader"), rapid.SampledFrom(contracts).Draw(t, "contract"),
					rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
					rapid.SampledFrom([]hub.Offset{hub.Open, hub.Open, hub.Close, hub.CloseToday}).Draw(t, "offset"), rapid.IntRange(1, 6).Draw(t, "lots"))
			},
			"fill": func(t *rapid.T) {
				if id := pick(); id != "" && v.left[id].IsPos() {
					qty := v.left[id]
					if step := contractOf(v.sent[id].Instrument).MinQty; step.Less(qty) && rapid.Bool().Draw(t, "part") {
						qty = step
					}
					fill(id, qty, false)
				}
			},
			"fill, and the connection is lost": func(t *rapid.T) {
				if id := pick(); id != "" && v.left[id].IsPos() {
					fill(id, v.left[id], true)
				}
				w.step(hub.GatewayState{Gateway: "SIM", Reason: "gone"})
				reconnect()
			},
			"cancelled": func(*rapid.T) {
				if id := pick(); id != "" {
					filled, _ := v.sent[id].Qty.Sub(v.left[id])
					v.left[id] = hub.Decimal{}
					v.take(t, w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelled, Qty: filled}))
				}
			},
			"by hand": func(t *rapid.T) {
				k := rapid.SampledFrom(contracts).Draw(t, "contract")
				i := rapid.IntRange(0, 1).Draw(t, "side")
				if k.NetPosition {
					i = 0
				}
				var sum hub.Sum
				lots := int64(rapid.IntRange(-4, 6).Draw(t, "lots"))
				qty := sum.Mul(k.MinQty, hub.Int(lots))
				held := at(a.of, k.Instrument)
				if !k.NetPosition && sum.Add(held[i], qty).IsNeg() {
					return // no venue holds less than nothing
				}
				held[i] = sum.Add(held[i], qty)
				by := at(a.hand, k.Instrument)
				by[i] = sum.Add(by[i], qty)
			},
			"transfer": func(t *rapid.T) {
				from, to := rapid.SampledFrom(names).Draw(t, "from"), rapid.SampledFrom(names).Draw(t, "to")
				k := rapid.SampledFrom(contracts).Draw(t, "contract")
				var sum hub.Sum
				in := hub.TransferPosition{
					Instrument: k.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"), From: from, To: to,
					Qty: sum.Mul(k.MinQty, hub.Int(int64(rapid.IntRange(1, 6).Draw(t, "lots")))),
				}
				how := rapid.IntRange(0, 2).Draw(t, "price")
				switch how {
				case 1:
					in.Price = hub.Int(int64(rapid.IntRange(3400, 3600).Draw(t, "price")))
				case 2:
					in.AtCost = true
				}
				marked := false
				for _, m := range w.core.Held() {
					if marked = m.Instrument == k.Instrument && !m.Price.IsZero(); marked {
						w.step(hub.Marks{Marks: []hub.Mark{m}}) // what was bought since the last mark is not valued yet
						break
					}
				}
				var before, after [3]hub.Account
				for i, name := range []hub.TraderName{"", "alpha", "beta"} {
					before[i], _ = w.core.Account(name)
				}
				answer := w.step(in)
				refused := len(answer[len(answer)-1].(core.TransferAnswered).Refusals) > 0
				for i, name := range []hub.TraderName{"", "alpha", "beta"} {
					after[i], _ = w.core.Account(name)
				}
				if marked && !after[0].Balance.Equal(before[0].Balance) {
					t.Fatalf("%+v moves the fund's equity from %s to %s", in, before[0].Balance, after[0].Balance)
				}
				if owed := from == hub.Unassigned || to == hub.Unassigned; !owed && !after[0].Frozen.Equal(before[0].Frozen) {
					t.Fatalf("%+v moves what the fund's positions hold from %s to %s", in, before[0].Frozen, after[0].Frozen)
				}
				for i := range before {
					if (refused || how == 0 && marked) && !after[i].Balance.Equal(before[i].Balance) {
						t.Fatalf("%+v (refused: %t) moves %q from %s to %s", in, refused, before[i].Trader, before[i].Balance, after[i].Balance)
					}
				}
				if refused {
					return
				}
				side, sign := 0, hub.Int(1)
				if in.Direction == hub.Short {
					if side, sign = 1, hub.Int(1); k.NetPosition {
						side, sign = 0, hub.Int(-1)
					}
				}
				got := at(assigned, k.Instrument)
				if from == hub.Unassigned {
					got[side] = sum.Add(got[side], sum.Mul(in.Qty, sign))
				}
				if to == hub.Unassigned {
					got[side] = sum.Sub(got[side], sum.Mul(in.Qty, sign))
				}
			},
			"statement": func(t *rapid.T) {
				w.step(a.statement())
				w.step(hub.Marks{Marks: mapped(contracts, func(k hub.Contract) hub.Mark { return hub.Mark{Instrument: k.Instrument, Price: d("3456")} })})
				// Where the venue nets, what the fund has realised stays at the rate of then, and what its traders have not moves with the rate.
				fund, all := profits(w.core)
				if !rated && !fund.Equal(all) {
					t.Fatalf("the fund's profit is %s, and that of all who hold something %s", fund, all)
				}
				got := unassigned(w.core)
				for _, k := range contracts {
					var sum hub.Sum
					hand, given := at(a.hand, k.Instrument), at(assigned, k.Instrument)
					for i := range hand {
						if want := sum.Sub(hand[i], given[i]); !got[k.Instrument][i].Equal(want) {
							t.Fatalf("%s of %s are unassigned, and %s were moved by hand and not assigned; breaks %+v", got[k.Instrument][i], k.Instrument, want, w.core.Breaks())
						}
					}
				}
			},
			"capital": func(t *rapid.T) {
				before, _ := w.core.Account("")
				answer := w.step(hub.TransferCapital{
					From: rapid.SampledFrom(names[:2]).Draw(t, "from"), To: rapid.SampledFrom(names[:2]).Draw(t, "to"), Amount: hub.Int(int64(rapid.IntRange(0, 400_000).Draw(t, "amount"))),
				})
				if after, _ := w.core.Account(""); !after.Balance.Equal(before.Balance) || !after.Capital.Equal(before.Capital) {
					t.Fatalf("the fund had %s and has %s: %+v", before.Balance, after.Balance, answer)
				}
			},
			"mark": func(t *rapid.T) {
				w.step(hub.Marks{Marks: []hub.Mark{{Instrument: rapid.SampledFrom(contracts).Draw(t, "contract").Instrument, Price: hub.Int(int64(rapid.IntRange(3400, 3600).Draw(t, "price")))}}})
			},
			"rate": func(t *rapid.T) {
				rated = true
				w.step(hub.SetRates{Rates: []hub.Rate{{Currency: "USDT", Rate: hub.Int(int64(rapid.IntRange(5, 9).Draw(t, "rate")))}}, By: "x"})
			},
			"roll": func(*rapid.T) {
				day++
				w.step(hub.RollDay{Day: hub.Day(fmt.Sprintf("202611%02d", day))})
			},
			"restart": func(*rapid.T) {
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				w.step(setUp())
				w.step(hub.Contracts{Gateway: "SIM", Contracts: contracts})
				reconnect()
			},
			"": func(t *rapid.T) {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
			},
		})
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
}

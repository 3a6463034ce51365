package core_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// A contract of which one lot is worth nearly as much as one order may be, one whose value has all eight decimals, and one that is paid in full.
var (
	mountain = hub.Contract{
		Instrument: hub.Instrument{Symbol: "MOUNTAIN", Exchange: "LOCAL"}, Gateway: "SIM", Product: "M", Kind: hub.Futures, Currency: "CNY", Size: d("10000000"), Tick: d("0.00000001"),
		MinQty: d("1"), MarginLong: d("0.3"), MarginShort: d("0.3"), Fees: hub.Fees{OpenByValue: d("0.00003"), CloseByValue: d("0.00007"), CloseTodayByValue: d("0.00007")},
	}
	dust = hub.Contract{
		Instrument: hub.Instrument{Symbol: "DUST", Exchange: "LOCAL"}, Gateway: "SIM", Product: "M", Kind: hub.Futures, Currency: "CNY", Size: d("1"), Tick: d("0.00000001"),
		MinQty: d("1"), MarginLong: d("1"), MarginShort: d("1"),
	}
	hill = hub.Contract{
		Instrument: hub.Instrument{Symbol: "HILL", Exchange: "LOCAL"}, Gateway: "SIM", Product: "H", Kind: hub.Spot, Currency: "CNY", Size: d("1000000"), Tick: d("0.00000001"),
		MinQty: d("1"), NetPosition: true,
	}
)

// rounded is a fraction as a Decimal can say it: half to even at 19 digits.
func rounded(t *rapid.T, r *big.Rat) hub.Decimal {
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	room := min(8, 19-len(new(big.Int).Abs(whole).String()))
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(room)), nil)
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(scale))
	quotient, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	if order := rest.Abs(rest).Lsh(rest, 1).Cmp(scaled.Denom()); order > 0 || order == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(int64(r.Sign())))
	}
	out, err := hub.ParseDecimal(new(big.Rat).SetFrac(quotient, scale).FloatString(room))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNoResidue draws orders that are worth hundreds of milliards beside orders that are worth a hundred-millionth, lets them fill, end and be closed, with restarts in between, and
// adds up what they hold with fractions: so that nothing is left of an order that has ended, however much else was added up meanwhile.
func TestNoResidue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		w.step(hub.Contracts{Gateway: "SIM", Contracts: []hub.Contract{mountain, dust, hill}})
		w.step(hub.LoadPolicies{Language: policy.Language, Files: append(withFundKey("internal_cross: allow")[:1], hub.PolicyFile{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - {name: any, require: order.quantity > 0}\n"},
			hub.PolicyFile{Name: "traders/beta.yaml", Text: "policy: trader\ntrader: beta\nrules:\n  - {name: any, require: order.quantity > 0}\n"})})
		holds := map[hub.OrderID]*big.Rat{} // margin of one unit of each order that may still trade
		commission := map[hub.TraderName]*big.Rat{"alpha": new(big.Rat), "beta": new(big.Rat), "": new(big.Rat)}
		note := func(effects []core.Effect) {
			v.take(t, effects)
			for _, e := range effects {
				if traded, ok := e.(core.Traded); ok {
					for _, owner := range []hub.TraderName{traded.Trade.Trader, ""} {
						commission[owner].Add(commission[owner], rat(traded.Trade.Commission))
					}
				}
			}
		}
		price := func(k hub.Contract) hub.Decimal {
			if k == mountain {
				return hub.MustDecimal(rapid.SampledFrom([]string{"9999.99999999", "31234.56789012", "0.00000011", "50000"}).Draw(t, "price"))
			}
			return hub.MustDecimal(rapid.SampledFrom([]string{"0.12345678", "0.00000001", "99999.99999999", "7"}).Draw(t, "price"))
		}
		submit := func(trader hub.TraderName, k hub.Contract, dir hub.Direction, offset hub.Offset, qty, at hub.Decimal) {
			before := len(v.open)
			note(w.step(hub.SubmitOrder{Trader: trader, Market: hub.MarketView{Last: hub.MustDecimal("0.00000001"), Seen: w.now}, Request: hub.OrderRequest{
				Instrument: k.Instrument, Direction: dir, Offset: offset, Type: hub.Limit, Price: at, Qty: qty,
			}}))
			if len(v.open) == before {
				return
			}
			margin := new(big.Rat)
			var sum hub.Sum
			if value := sum.Mul3(at, qty, k.Size).Round(8); offset == hub.Open && k.NetPosition && dir == hub.Long {
				margin = rat(value)
			} else if offset == hub.Open && !k.NetPosition {
				margin = rat(sum.Mul(value, k.MarginLong).Round(8))
			}
			holds[v.open[before]] = margin
		}
		end := func(i int, kind hub.ReportKind) {
			id := v.open[i]
			v.open = append(v.open[:i:i], v.open[i+1:]...)
			delete(holds, id)
			note(w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: kind}))
		}
		fill := func(i int) {
			id := v.open[i]
			o := v.sent[id]
			v.open = append(v.open[:i:i], v.open[i+1:]...)
			delete(holds, id)
			v.next++
			note(w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: string(id), Price: o.Price, Qty: o.Qty}))
		}
		check := func() {
			if err := w.core.Check(); err != nil {
				t.Fatal(err)
			}
			for owner, paid := range commission {
				a, _ := w.core.Account(owner)
				if want := rounded(t, paid); !a.Commission.Equal(want) {
					t.Fatalf("%q paid %s of commission, should be %s", owner, a.Commission, want)
				}
				f, _ := w.core.Figures(owner)
				held := new(big.Rat)
				for id, margin := range holds {
					if owner == "" || v.sent[id].Trader == owner {
						held.Add(held, margin)
					}
				}
				if f.MarginPositions.IsZero() {
					if want := rounded(t, held); !a.Frozen.Equal(want) {
						t.Fatalf("%q has %s frozen, and its orders hold %s", owner, a.Frozen, want)
					}
				}
			}
		}
		trader := rapid.SampledFrom([]hub.TraderName{"alpha", "beta"})
		some := rapid.SampledFrom([]hub.Contract{mountain, dust, hill, dust})
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				k := some.Draw(t, "contract")
				dir := rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction")
				submit(trader.Draw(t, "trader"), k, dir, hub.Open, hub.Int(int64(rapid.IntRange(1, 3).Draw(t, "quantity"))), price(k))
			},
			"close": func(t *rapid.T) {
				who, k := trader.Draw(t, "trader"), some.Draw(t, "contract")
				for _, p := range w.core.Positions(who, k.Instrument) {
					if p.Qty.IsPos() && p.Direction != hub.Net {
						dir := hub.Short
						if p.Direction == hub.Short {
							dir = hub.Long
						}
						submit(who, k, dir, hub.Close, hub.Int(1), price(k))
					}
				}
			},
			"fill": func(t *rapid.T) {
				if len(v.open) > 0 {
					fill(rapid.IntRange(0, len(v.open)-1).Draw(t, "order"))
				}
			},
			"end": func(t *rapid.T) {
				if len(v.open) > 0 {
					end(rapid.IntRange(0, len(v.open)-1).Draw(t, "order"), rapid.SampledFrom([]hub.ReportKind{hub.ReportCancelled, hub.ReportRejected}).Draw(t, "how"))
				}
			},
			"mark": func(t *rapid.T) {
				k := some.Draw(t, "contract")
				w.step(hub.Marks{Marks: []hub.Mark{{Instrument: k.Instrument, Price: price(k)}}})
			},
			"move": func(t *rapid.T) {
				k := some.Draw(t, "contract")
				w.step(hub.TransferPosition{Instrument: k.Instrument, Direction: hub.Long, From: "alpha", To: "beta", Qty: hub.Int(1), Price: price(k), By: "olivia"})
			},
			"restart": func(t *rapid.T) {
				before := w.digest()
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				if w.digest() != before {
					t.Fatal("a restart changed the books")
				}
			},
			"": func(*rapid.T) { check() },
		})
		for len(v.open) > 0 {
			end(0, hub.ReportCancelled)
		}
		check()
		if w.digest() != w.replay() {
			t.Fatal("a replay differs")
		}
	})
}

// TestCapitalIsCountedExactly: capital that a Decimal cannot say to the last decimal is not moved.
func TestCapitalIsCountedExactly(t *testing.T) {
	w := newWorld()
	w.open()
	for _, x := range []struct {
		amount string
		taken  bool
	}{{"900000000000", true}, {"0.01", true}, {"0.00000001", false}, {"0.0000001", true}} {
		var answer core.TransferAnswered
		for _, e := range w.step(hub.TransferCapital{To: "alpha", Amount: d(x.amount), By: "olivia"}) {
			if a, ok := e.(core.TransferAnswered); ok {
				answer = a
			}
		}
		if taken := len(answer.Refusals) == 0; taken != x.taken {
			t.Errorf("%s: taken %v (%q), want %v", x.amount, taken, answer.Refusals, x.taken)
		}
	}
}

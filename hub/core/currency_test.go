package core_test

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
)

// paid is what one contract of one trader cost, counted apart from the core: in fractions, never rounded.
type paid struct {
	qty  *big.Rat // signed
	cost *big.Rat // in the contract's currency, with the sign of qty
	fund *big.Rat // in the fund's, each fill at the rate of its moment
}

func rat(s fmt.Stringer) *big.Rat {
	r, ok := new(big.Rat).SetString(s.String())
	if !ok {
		panic(s.String())
	}
	return r
}

// TestRevaluation draws fills, marks and rates, and computes the profit of what is held once more from nothing but the fills: of a contract on margin, what it gained in its own
// currency, at the rate of now; of a coin, what it is worth now, less what was paid for it at the rates of then.
func TestRevaluation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.open()
		rate := rat(d("7"))
		held := map[string]*paid{}
		marks := map[string]*big.Rat{}
		trade := 0
		check := func() {
			if err := w.core.Check(); err != nil {
				t.Fatal(err)
			}
			for _, trader := range []hub.TraderName{"alpha", "beta"} {
				want := new(big.Rat)
				for _, k := range []hub.Contract{coin, ether, gold} {
					p, mark := held[string(trader)+k.Symbol], marks[k.Symbol]
					if p == nil {
						continue
					}
					value := new(big.Rat).Mul(new(big.Rat).Mul(p.qty, mark), rat(k.Size))
					if k == coin {
						want.Add(want, value.Mul(value, rate).Sub(value, p.fund))
					} else {
						want.Add(want, value.Sub(value, p.cost).Mul(value, rate))
					}
				}
				a, _ := w.core.Account(trader)
				off := new(big.Rat).Sub(rat(a.Unrealised), want)
				if off.Abs(off).Cmp(big.NewRat(1, 1_000_000)) > 0 {
					t.Fatalf("%s: unrealised %s, should be %s", trader, a.Unrealised, want.FloatString(8))
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"fill": func(t *rapid.T) {
				trader := rapid.SampledFrom([]hub.TraderName{"alpha", "beta"}).Draw(t, "trader")
				k := rapid.SampledFrom([]hub.Contract{coin, ether, gold}).Draw(t, "contract")
				price := hub.Int(int64(rapid.IntRange(900, 1100).Draw(t, "price")))
				qty := hub.Int(int64(rapid.IntRange(1, 5).Draw(t, "quantity")))
				if k == coin {
					qty = d("0.0137")
				}
				p := held[string(trader)+k.Symbol]
				if p == nil {
					p = &paid{new(big.Rat), new(big.Rat), new(big.Rat)}
				}
				in := hub.SubmitOrder{Trader: trader, Market: hub.MarketView{Last: price, Seen: w.now}, Request: hub.OrderRequest{
					Instrument: k.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: price, Qty: qty,
				}}
				if k == ether && p.qty.Sign() <= 0 && rapid.Bool().Draw(t, "short") {
					in.Request.Direction = hub.Short // only ever larger: what a close realises is for the stories
				} else if k == ether && p.qty.Sign() < 0 {
					return
				}
				w.now += 1_000_000_000
				decided := w.step(in)[0].(core.Decided)
				if len(decided.Refusals) > 0 {
					return // over a limit of the policy
				}
				trade++
				held[string(trader)+k.Symbol] = p
				w.step(hub.VenueReport{Gateway: "SIM", OrderID: decided.Order.ID, Kind: hub.ReportFill, TradeID: fmt.Sprint(trade), Price: price, Qty: qty})
				cost := new(big.Rat).Mul(new(big.Rat).Mul(rat(price), rat(qty)), rat(k.Size))
				signed := rat(qty)
				if in.Request.Direction == hub.Short {
					cost.Neg(cost)
					signed.Neg(signed)
				}
				p.qty.Add(p.qty, signed)
				p.cost.Add(p.cost, cost)
				p.fund.Add(p.fund, cost.Mul(cost, rate))
				w.step(hub.Marks{Marks: []hub.Mark{{Instrument: k.Instrument, Price: price}}})
				marks[k.Symbol] = rat(price)
			},
			"work": func(t *rapid.T) { // an order that rests holds something while the rate moves
				w.step(hub.SubmitOrder{Trader: "alpha", Market: hub.MarketView{Last: d("1000"), Seen: w.now}, Request: hub.OrderRequest{
					Instrument: rapid.SampledFrom([]hub.Contract{coin, ether, gold}).Draw(t, "contract").Instrument,
					Direction:  hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("500"), Qty: d("1"),
				}})
				for _, o := range w.core.Orders("alpha", true) {
					if rapid.Bool().Draw(t, "end") {
						w.step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportCancelled})
					}
				}
			},
			"rate": func(t *rapid.T) {
				now, _ := hub.Int(int64(rapid.IntRange(10_000, 990_000).Draw(t, "rate"))).Quo(hub.Int(70_000))
				now = now.Round(6)
				w.step(hub.SetRates{Rates: []hub.Rate{{Currency: "USDT", Rate: now}}, By: "test", Jump: true})
				if got := w.core.Rates(); !got[0].Rate.Rate.Equal(now) {
					t.Fatalf("the rate is %s, not %s", got[0].Rate.Rate, now)
				}
				rate = rat(now)
			},
			"restart": func(t *rapid.T) {
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
			},
			"": func(*rapid.T) { check() },
		})
		// Nothing is left of a hold when nothing works any more, at whatever rates it was taken and given back.
		for _, o := range w.core.Orders("", true) {
			w.step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportCancelled})
		}
		check()
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
}

// TestOldImagesHaveRates: an image of before rates could change has them in its SetUp alone.
func TestOldImagesHaveRates(t *testing.T) {
	w := newWorld()
	w.open()
	im := w.core.Image()
	im.Rates, im.RatesKept = nil, false
	old, err := core.Restore(im)
	if err != nil {
		t.Fatal(err)
	}
	if r := old.Rates(); len(r) != 1 || r[0].Currency != "USDT" || !r[0].Rate.Rate.Equal(d("7")) || r[0].By != "hub.yaml" {
		t.Errorf("rates %+v", r)
	}
	if err := old.Check(); err != nil {
		t.Error(err)
	}
}

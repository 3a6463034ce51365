package market_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradehub/plugins/gateways/sim/market"
)

func TestFlowKeepsATwoSidedBook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := market.FlowSettings{
			Seed:   rapid.Uint64().Draw(t, "seed"),
			Spread: rapid.Int64Range(1, 5).Draw(t, "spread"),
			Gap:    rapid.Int64Range(1, 50).Draw(t, "gap"),
			Qty:    rapid.Int64Range(2, 500).Draw(t, "qty"),
		}
		band := market.Band{Low: 90_000, High: 110_000}
		flow, book := market.NewFlow(set), market.NewBook(100_000)
		ref := int64(100_000)
		var events []market.Event
		most := 0
		for range 300 {
			ref += rapid.Int64Range(-30, 30).Draw(t, "move")
			events = flow.Step(book, ref, band, events[:0])
			for _, side := range []market.Side{market.Buy, market.Sell} {
				var levels [5]market.Level
				if n := book.Depth(side, levels[:]); n < 5 {
					t.Fatalf("side %d has %d levels", side, n)
				}
				if off := levels[0].Price - ref; off > set.Spread || off < -set.Spread {
					t.Fatalf("best of side %d is %d, want about %d", side, levels[0].Price, ref)
				}
			}
			most = max(most, book.Len())
		}
		if most > 400 {
			t.Fatalf("%d orders of strangers at once", most)
		}
	})
}

func TestFlowIsItsSeed(t *testing.T) {
	run := func(seed uint64) (all []market.Event) {
		flow, book := market.NewFlow(market.FlowSettings{Seed: seed, Qty: 100}), market.NewBook(1000)
		for i := range int64(50) {
			all = flow.Step(book, 1000+i%7, market.Band{Low: 900, High: 1100}, all)
		}
		return all
	}
	if diff := cmp.Diff(run(1), run(1)); diff != "" {
		t.Errorf("one seed, two stories:\n%s", diff)
	}
	if cmp.Equal(run(1), run(2)) {
		t.Error("two seeds, one story")
	}
}

func TestFlowLeavesThePriceBandAlone(t *testing.T) {
	flow, book := market.NewFlow(market.FlowSettings{Seed: 3, Qty: 100}), market.NewBook(1000)
	band := market.Band{Low: 990, High: 1010}
	for range 100 {
		flow.Step(book, 2000, band, nil) // far above the limit: locked at it
	}
	if best, _ := book.Best(market.Buy); best.Price != band.High {
		t.Errorf("best bid: got %d, want the limit %d", best.Price, band.High)
	}
	if ask, ok := book.Best(market.Sell); ok && ask.Price > band.High {
		t.Errorf("an ask at %d, above the limit", ask.Price)
	}
}

// A trader who bids above what strangers think right is served, bit by bit; one who bids far below waits.
func TestFlowTradesWithTraders(t *testing.T) {
	flow, book := market.NewFlow(market.FlowSettings{Seed: 5, Qty: 20}), market.NewBook(1000)
	band := market.Band{Low: 900, High: 1100}
	flow.Step(book, 1000, band, nil)
	events := book.Submit(market.Order{ID: 1, Side: market.Buy, Price: 1003, Qty: 1000}, nil)
	if book.Left(1) == 0 || len(events) < 2 {
		t.Fatalf("want a part of 1000 filled at once, got %v", events)
	}
	book.Submit(market.Order{ID: 2, Side: market.Buy, Price: 950, Qty: 10}, nil)
	steps := 0
	for ; book.Left(1) > 0 && steps < 1000; steps++ {
		flow.Step(book, 1000, band, nil)
		var levels [5]market.Level
		if n := book.Depth(market.Sell, levels[:]); n < 5 {
			t.Fatalf("the big order leaves %d levels of asks", n)
		}
	}
	if book.Left(1) > 0 {
		t.Errorf("%d left after %d steps", book.Left(1), steps)
	}
	if book.Left(2) != 10 {
		t.Errorf("the far order has %d left, want 10", book.Left(2))
	}
}

func TestPath(t *testing.T) {
	const day = 24 * 3600 * 1e9
	anchor := int64(1_795_000_000 * 1e9)
	path := market.NewPath(9, 3500, 0.0128, anchor)
	if got := path.At(anchor); got != 3500 {
		t.Errorf("at the anchor: got %v, want 3500", got)
	}
	if a, b := path.At(anchor+5*day), market.NewPath(9, 3500, 0.0128, anchor).At(anchor+5*day); a != b {
		t.Errorf("one seed, two prices: %v and %v", a, b)
	}
	if a, b := path.At(anchor+5*day), market.NewPath(10, 3500, 0.0128, anchor).At(anchor+5*day); a == b {
		t.Errorf("two seeds, one price: %v", a)
	}
	var sum float64
	const days = 4000
	for i := range int64(days) {
		from, to := path.At(anchor+i*day), path.At(anchor+(i+1)*day)
		if from < 1000 || from > 12_000 {
			t.Fatalf("day %d: the path went to %v", i, from)
		}
		sum += math.Pow(math.Log(to/from), 2)
	}
	if got := math.Sqrt(sum / days); got < 0.5*0.0128 || got > 2*0.0128 {
		t.Errorf("volatility of a day: got %.4f, want about 0.0128", got)
	}
	// A second is a small thing, and before 1970 is a time like any other.
	if a, b := path.At(-int64(1e9)/2), path.At(int64(1e9)/2); math.Abs(math.Log(a/b)) > 0.001 {
		t.Errorf("a jump around 1970: %v and %v", a, b)
	}
	if got := market.NewPath(1, 42, 0, anchor).At(anchor + day); got != 42 {
		t.Errorf("without volatility: got %v, want 42", got)
	}
}

package market_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradehub/plugins/gateways/sim/market"
)

// slow is a book that is too simple to be wrong: one list of orders in the order of their arrival, searched from end to end each time.
type slow struct {
	orders []market.Order // Type is Limit, or Stop
	last   int64
}

func (s *slow) best(side market.Side) int {
	found := -1
	for i, o := range s.orders {
		if o.Type != market.Limit || o.Side != side {
			continue
		}
		if found < 0 || side == market.Buy && o.Price > s.orders[found].Price || side == market.Sell && o.Price < s.orders[found].Price {
			found = i
		}
	}
	return found
}

func accepts(o market.Order, price int64) bool {
	return o.Type == market.Market || o.Side == market.Buy && price <= o.Price || o.Side == market.Sell && price >= o.Price
}

func (s *slow) touched(o market.Order) bool {
	return s.last > 0 && (o.Side == market.Buy && s.last >= o.Price || o.Side == market.Sell && s.last <= o.Price)
}

func (s *slow) submit(o market.Order) []market.Event {
	var events []market.Event
	if o.Type == market.Stop {
		if !s.touched(o) {
			s.orders = append(s.orders, o)
			return []market.Event{{Kind: market.Waiting, ID: o.ID, Price: o.Price, Qty: o.Qty}}
		}
		events = append(events, market.Event{Kind: market.Triggered, ID: o.ID, Price: o.Price, Qty: o.Qty})
		o.Type = market.Market
	}
	events = append(events, s.match(o)...)
	for {
		i := s.nextStop()
		if i < 0 {
			return events
		}
		stop := s.orders[i]
		s.orders = slices.Delete(s.orders, i, i+1)
		events = append(events, market.Event{Kind: market.Triggered, ID: stop.ID, Price: stop.Price, Qty: stop.Qty})
		stop.Type = market.Market
		events = append(events, s.match(stop)...)
	}
}

// nextStop: of the buy with the lowest trigger and the sell with the highest, each the oldest of its price, the older.
func (s *slow) nextStop() int {
	first := func(side market.Side) int {
		found := -1
		for i, o := range s.orders {
			if o.Type == market.Stop && o.Side == side && s.touched(o) &&
				(found < 0 || side == market.Buy && o.Price < s.orders[found].Price || side == market.Sell && o.Price > s.orders[found].Price) {
				found = i
			}
		}
		return found
	}
	buy, sell := first(market.Buy), first(market.Sell)
	if buy < 0 || sell >= 0 && sell < buy {
		return sell
	}
	return buy
}

func (s *slow) match(o market.Order) []market.Event {
	var events []market.Event
	if o.Type == market.FOK {
		var there int64
		for _, m := range s.orders {
			if m.Type == market.Limit && m.Side != o.Side && accepts(o, m.Price) {
				there += m.Qty
			}
		}
		if there < o.Qty {
			return []market.Event{{Kind: market.Cancelled, ID: o.ID, Qty: o.Qty}}
		}
	}
	for o.Qty > 0 {
		i := s.best(o.Side.Opposite())
		if i < 0 || !accepts(o, s.orders[i].Price) {
			break
		}
		m := &s.orders[i]
		qty := min(o.Qty, m.Qty)
		o.Qty -= qty
		m.Qty -= qty
		s.last = m.Price
		events = append(events, market.Event{Kind: market.Filled, ID: o.ID, Maker: m.ID, Price: m.Price, Qty: qty})
		if m.Qty == 0 {
			s.orders = slices.Delete(s.orders, i, i+1)
		}
	}
	if o.Qty == 0 {
		return events
	}
	if o.Type != market.Limit {
		return append(events, market.Event{Kind: market.Cancelled, ID: o.ID, Qty: o.Qty})
	}
	s.orders = append(s.orders, o)
	return append(events, market.Event{Kind: market.Rested, ID: o.ID, Price: o.Price, Qty: o.Qty})
}

func (s *slow) cancel(id market.ID) ([]market.Event, bool) {
	for i, o := range s.orders {
		if o.ID == id {
			s.orders = slices.Delete(s.orders, i, i+1)
			return []market.Event{{Kind: market.Cancelled, ID: id, Qty: o.Qty}}, true
		}
	}
	return nil, false
}

// amend: less at the same price is as if the rest had been asked for at first; anything else is as if the order were cancelled and came anew.
func (s *slow) amend(id market.ID, price, qty int64) []market.Event {
	i := slices.IndexFunc(s.orders, func(o market.Order) bool { return o.ID == id })
	o := s.orders[i]
	if o.Price == price && qty <= o.Qty {
		s.orders[i].Qty = qty
		return nil
	}
	s.orders = slices.Delete(s.orders, i, i+1)
	o.Price, o.Qty = price, qty
	return s.submit(o)
}

func (s *slow) depth(side market.Side) []market.Level {
	var levels []market.Level
	byPrice := map[int64]int64{}
	for _, o := range s.orders {
		if o.Type == market.Limit && o.Side == side {
			byPrice[o.Price] += o.Qty
		}
	}
	for price, qty := range byPrice {
		levels = append(levels, market.Level{Price: price, Qty: qty})
	}
	slices.SortFunc(levels, func(a, b market.Level) int {
		if side == market.Buy {
			return int(b.Price - a.Price)
		}
		return int(a.Price - b.Price)
	})
	return levels
}

func drawOrder(t *rapid.T, id market.ID) market.Order {
	types := []market.Type{market.Limit, market.Limit, market.Limit, market.Market, market.FAK, market.FOK, market.Stop}
	return market.Order{
		ID:    id,
		Side:  rapid.SampledFrom([]market.Side{market.Buy, market.Sell}).Draw(t, "side"),
		Type:  rapid.SampledFrom(types).Draw(t, "type"),
		Price: rapid.Int64Range(95, 105).Draw(t, "price"),
		Qty:   rapid.Int64Range(1, 9).Draw(t, "qty"),
	}
}

// TestBookIsTheSlowBook says everything about priority, partial fills, FAK, FOK, stops and cascades at once: the same events as a book that is plainly right.
func TestBookIsTheSlowBook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book, want := market.NewBook(100), &slow{last: 100}
		next := market.ID(1)
		for range rapid.IntRange(1, 80).Draw(t, "n") {
			var got, expect []market.Event
			what := rapid.IntRange(0, 4).Draw(t, "what")
			resting := slices.DeleteFunc(slices.Clone(want.orders), func(o market.Order) bool { return o.Type != market.Limit })
			switch {
			case what == 1 && len(resting) > 0:
				o := rapid.SampledFrom(resting).Draw(t, "amended")
				price, qty := o.Price, rapid.Int64Range(1, 9).Draw(t, "qty")
				if rapid.Bool().Draw(t, "at another price") {
					price = rapid.Int64Range(95, 105).Draw(t, "price")
				}
				got, expect = book.Amend(o.ID, price, qty, nil), want.amend(o.ID, price, qty)
			case what == 0:
				id := market.ID(rapid.Uint64Range(1, uint64(next)).Draw(t, "id"))
				var ok, wantOK bool
				got, ok = book.Cancel(id, nil)
				expect, wantOK = want.cancel(id)
				if ok != wantOK {
					t.Fatalf("cancel of %d: got %v, want %v", id, ok, wantOK)
				}
			default:
				o := drawOrder(t, next)
				next++
				got, expect = book.Submit(o, nil), want.submit(o)
			}
			if diff := cmp.Diff(expect, got); diff != "" {
				t.Fatalf("events (-want +got):\n%s", diff)
			}
			sameBook(t, book, want)
		}
	})
}

func sameBook(t *rapid.T, book *market.Book, want *slow) {
	if book.Last() != want.last || book.Len() != len(want.orders) {
		t.Fatalf("got last %d and %d orders, want %d and %d", book.Last(), book.Len(), want.last, len(want.orders))
	}
	for _, side := range []market.Side{market.Buy, market.Sell} {
		got := make([]market.Level, 20)
		got = got[:book.Depth(side, got)]
		if diff := cmp.Diff(want.depth(side), got, cmpEmpty); diff != "" {
			t.Fatalf("side %d (-want +got):\n%s", side, diff)
		}
		for _, l := range got {
			if at := book.At(side, l.Price); at != l.Qty {
				t.Fatalf("at %d: got %d, want %d", l.Price, at, l.Qty)
			}
		}
	}
	for _, o := range want.orders {
		if left := book.Left(o.ID); left != o.Qty {
			t.Fatalf("left of %d: got %d, want %d", o.ID, left, o.Qty)
		}
	}
}

var cmpEmpty = cmp.Transformer("empty", func(levels []market.Level) map[int]market.Level {
	m := map[int]market.Level{}
	for i, l := range levels {
		m[i] = l
	}
	return m
})

// TestBookKeepsItsWord checks the laws themselves, without the slow book, which could share a mistake.
func TestBookKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book := market.NewBook(100)
		asked, traded, cancelled := map[market.ID]market.Order{}, map[market.ID]int64{}, map[market.ID]int64{}
		for id := market.ID(1); id <= market.ID(rapid.IntRange(1, 60).Draw(t, "n")); id++ {
			o := drawOrder(t, id)
			asked[id] = o
			for _, e := range book.Submit(o, nil) {
				switch e.Kind {
				case market.Filled:
					traded[e.ID] += e.Qty
					traded[e.Maker] += e.Qty
					if taker := asked[e.ID]; taker.Type != market.Stop && !accepts(taker, e.Price) {
						t.Fatalf("%+v traded at %d", taker, e.Price)
					}
					if maker := asked[e.Maker]; maker.Type != market.Limit || maker.Price != e.Price {
						t.Fatalf("%+v was the maker of a trade at %d", maker, e.Price)
					}
				case market.Cancelled:
					cancelled[e.ID] += e.Qty
				case market.Rested, market.Waiting, market.Triggered:
				}
			}
			if o.Type == market.FOK && traded[id] != 0 && traded[id] != o.Qty {
				t.Fatalf("a FOK of %d traded %d", o.Qty, traded[id])
			}
			if (o.Type == market.FAK || o.Type == market.FOK || o.Type == market.Market) && book.Left(id) != 0 {
				t.Fatalf("%+v rests", o)
			}
			bid, haveBid := book.Best(market.Buy)
			ask, haveAsk := book.Best(market.Sell)
			if haveBid && haveAsk && bid.Price >= ask.Price {
				t.Fatalf("crossed: bid %d, ask %d", bid.Price, ask.Price)
			}
		}
		for id, o := range asked {
			if sum := traded[id] + cancelled[id] + book.Left(id); sum != o.Qty {
				t.Fatalf("order %d of %d: traded %d, cancelled %d, working %d", id, o.Qty, traded[id], cancelled[id], book.Left(id))
			}
		}
	})
}

func TestBookPanicsOnCallersBugs(t *testing.T) {
	book := market.NewBook(100)
	book.Submit(market.Order{ID: 1, Side: market.Buy, Price: 99, Qty: 1}, nil)
	for _, o := range []market.Order{
		{ID: 1, Side: market.Buy, Price: 98, Qty: 1},
		{ID: 2, Side: market.Buy, Price: 98, Qty: 0},
		{ID: 3, Side: market.Buy, Price: 0, Qty: 1},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for %+v", o)
				}
			}()
			book.Submit(o, nil)
		}()
	}
}

// Operations of a busy book: new orders near the price and cancels of old ones, one for one; one order in eight is priced to trade.
func BenchmarkBook(b *testing.B) {
	for _, working := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("working=%d", working), func(b *testing.B) {
			book := market.NewBook(10_000)
			ids := make([]market.ID, working)
			var events []market.Event
			next := market.ID(1)
			random := uint64(7)
			b.ReportAllocs()
			for b.Loop() {
				random = random*6364136223846793005 + 1442695040888963407
				slot := int(random>>33) % working
				if ids[slot] != 0 {
					events, _ = book.Cancel(ids[slot], events[:0])
					ids[slot] = 0
					continue
				}
				o := market.Order{ID: next, Side: market.Side(random >> 40 & 1), Qty: 1 + int64(random>>41&7)}
				next++
				away := int64(random >> 45 & 63)
				if random>>52&7 == 0 {
					away = -2
				}
				o.Price = 10_000 - away
				if o.Side == market.Sell {
					o.Price = 10_001 + away
				}
				events = book.Submit(o, events[:0])
				ids[slot] = o.ID
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
		})
	}
}

package market

import (
	"math/rand/v2"
	"slices"
)

// FlowSettings say what the strangers of one contract do.
type FlowSettings struct {
	// Seed decides everything that is random.
	Seed uint64
	// Spread is how many ticks apart the best bid and the best ask are; at least 1.
	Spread int64
	// Gap is how many ticks apart the levels are; at least 1.
	Gap int64
	// Qty is how much usually rests at a level, in steps; at least 2.
	Qty int64
}

// flowLevels is how many levels the Flow keeps on each side: more than a trader is shown.
const flowLevels = 8

// Flow is everybody else: it keeps a market of two sides around the price that it is given, and trades now and then. Its orders are orders like the
// traders', in the same queues.
type Flow struct {
	set     FlowSettings
	random  *rand.Rand
	next    ID
	working []quote
}

type quote struct {
	id    ID
	side  Side
	price int64
}

// NewFlow returns a Flow without orders.
func NewFlow(set FlowSettings) *Flow {
	set.Spread, set.Gap, set.Qty = max(set.Spread, 1), max(set.Gap, 1), max(set.Qty, 2)
	return &Flow{set: set, random: rand.New(rand.NewPCG(set.Seed, Hash(set.Seed))), next: flowIDs}
}

// Band is the lowest and the highest price of the day.
type Band struct{ Low, High int64 }

// Holds reports whether a price is in the band.
func (b Band) Holds(price int64) bool { return b.Low <= price && price <= b.High }

// Step lets the strangers act once on what they think right now, the price ref, within the band. It appends what happened to events.
func (f *Flow) Step(b *Book, ref int64, band Band, events []Event) []Event {
	ref = max(band.Low, min(ref, band.High))
	bid := ref - f.set.Spread/2
	ask := bid + f.set.Spread
	events = f.withdraw(b, bid, ask, events)
	events = f.take(b, bid, ask, events)
	events = f.trade(b, events)
	return f.quote(b, bid, ask, band, events)
}

// withdraw cancels what is priced wrong by now, and one in twenty of the others.
func (f *Flow) withdraw(b *Book, bid, ask int64, events []Event) []Event {
	far := 2 * flowLevels * f.set.Gap
	f.working = slices.DeleteFunc(f.working, func(q quote) bool {
		if b.Left(q.id) == 0 {
			return true
		}
		wrong := q.side == Buy && (q.price > bid || q.price < bid-far) ||
			q.side == Sell && (q.price < ask || q.price > ask+far)
		if wrong || f.random.IntN(20) == 0 {
			events, _ = b.Cancel(q.id, events)
			return true
		}
		return false
	})
	return events
}

// take trades with those who offer more than the strangers think right.
func (f *Flow) take(b *Book, bid, ask int64, events []Event) []Event {
	if best, ok := b.Best(Buy); ok && best.Price >= ask {
		events = b.Submit(f.order(Sell, FAK, ask, f.some(f.set.Qty)), events)
	}
	if best, ok := b.Best(Sell); ok && best.Price <= bid {
		events = b.Submit(f.order(Buy, FAK, bid, f.some(f.set.Qty)), events)
	}
	return events
}

// trade takes a little from the best level of one side, three times out of five.
func (f *Flow) trade(b *Book, events []Event) []Event {
	dice := f.random.IntN(10)
	if dice >= 6 {
		return events
	}
	side := Side(dice & 1)
	best, ok := b.Best(side.Opposite())
	if !ok {
		return events
	}
	return b.Submit(f.order(side, FAK, best.Price, f.some(max(f.set.Qty/8, 1))), events)
}

// quote fills up the levels around the price, without ever taking from those who are already there.
func (f *Flow) quote(b *Book, bid, ask int64, band Band, events []Event) []Event {
	if best, ok := b.Best(Sell); ok {
		bid = min(bid, best.Price-1)
	}
	for i := range int64(flowLevels) {
		price := bid - i*f.set.Gap
		if i > 0 {
			price -= price % f.set.Gap
		}
		events = f.fill(b, Buy, price, band, events)
	}
	if best, ok := b.Best(Buy); ok {
		ask = max(ask, best.Price+1)
	}
	for i := range int64(flowLevels) {
		price := ask + i*f.set.Gap
		if i > 0 {
			price -= price % f.set.Gap
		}
		events = f.fill(b, Sell, price, band, events)
	}
	return events
}

func (f *Flow) fill(b *Book, side Side, price int64, band Band, events []Event) []Event {
	if price < max(band.Low, 1) || price > band.High || b.At(side, price) >= f.set.Qty/2 {
		return events
	}
	o := f.order(side, Limit, price, f.set.Qty/2+f.some(f.set.Qty))
	f.working = append(f.working, quote{o.ID, side, price})
	return b.Submit(o, events)
}

func (f *Flow) order(side Side, t Type, price, qty int64) Order {
	o := Order{ID: f.next, Side: side, Type: t, Price: price, Qty: qty}
	f.next++
	return o
}

// some returns 1 to n.
func (f *Flow) some(n int64) int64 { return 1 + f.random.Int64N(n) }

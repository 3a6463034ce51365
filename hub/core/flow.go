package core

import (
	"cmp"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// tally is one of the things that are counted or added up, over windows and over the day. Its number is written into snapshots: a new count comes last of the counts.
type tally uint8

const (
	tallyOrders tally = iota
	tallyCancels
	tallyMessages
	tallyRejects
	tallyRefused
	tallyVenueRejects
	tallyTrades
	tallyFastCancels
	tallyInstantCancels
	tallyCrosses
	tallySelfTrades
	tallyAmends
	countTallies // those above are counts, those below sums

	tallyQuantity = iota - 1
	tallyValue
	tallyOpened
	allTallies
)

// tallyOf is what a variable counts; false when it counts nothing.
func tallyOf(v policy.Var) (tally, bool) {
	//exhaustive:ignore
	switch v {
	case policy.Orders:
		return tallyOrders, true
	case policy.Cancels:
		return tallyCancels, true
	case policy.Messages:
		return tallyMessages, true
	case policy.Rejects:
		return tallyRejects, true
	case policy.Refused:
		return tallyRefused, true
	case policy.VenueRejects:
		return tallyVenueRejects, true
	case policy.Trades:
		return tallyTrades, true
	case policy.FastCancels:
		return tallyFastCancels, true
	case policy.InstantCancels:
		return tallyInstantCancels, true
	case policy.Crosses:
		return tallyCrosses, true
	case policy.SelfTrades:
		return tallySelfTrades, true
	case policy.Amends:
		return tallyAmends, true
	case policy.TradedQuantity:
		return tallyQuantity, true
	case policy.TradedValue:
		return tallyValue, true
	case policy.Opened:
		return tallyOpened, true
	}
	return 0, false
}

// tallies is a set of them.
type tallies uint16

func set(of ...tally) tallies {
	var s tallies
	for _, t := range of {
		s |= 1 << t
	}
	return s
}

func (s tallies) has(t tally) bool { return s&(1<<t) != 0 }

// happening is what happened, as far as counters care. Its number is written into snapshots and never used again.
type happening uint8

const (
	orderSent happening = iota + 1
	orderRefused
	orderDropped    // taken, and lost by a restart before it was decided
	cancelAsked     // of an order that was there for more than a second, or is done
	cancelAskedFast // within fastCancel of its order
	cancelInstant   // asked of an order that cancels itself (FAK, FOK)
	venueRejected
	traded
	remainderCancelled // of an order that cancels itself
	crossPrevented
	selfTraded
	selfTradedToo // the other trader's side of it
	amendSent
	amendRefused

	// Counters of an image from before there were happenings: of one thing each, of a trader alone or of the fund alone.
	oldOwn    happening = 0x40
	oldShared happening = 0x80
)

// fastCancel is how soon behind its order a cancel is a fast one.
const fastCancel = time.Second

// counts is what a happening counts as: for its trader, and for the fund, the account and the group. What never left is its trader's own affair: it must not use up what others
// may send.
func (h happening) counts() (own, shared tallies) {
	//exhaustive:ignore
	switch h {
	case orderSent:
		own = set(tallyOrders, tallyMessages)
		return own, own
	case orderRefused:
		return set(tallyOrders, tallyMessages, tallyRefused, tallyRejects), set(tallyRefused, tallyRejects)
	case orderDropped:
		own = set(tallyRefused, tallyRejects)
	case cancelAsked:
		own = set(tallyCancels, tallyMessages)
	case cancelAskedFast:
		own = set(tallyCancels, tallyMessages, tallyFastCancels)
	case cancelInstant:
		own = set(tallyMessages)
	case venueRejected:
		own = set(tallyRejects, tallyVenueRejects)
	case traded:
		own = set(tallyTrades, tallyQuantity, tallyValue, tallyOpened)
	case remainderCancelled:
		own = set(tallyInstantCancels)
	case amendSent: // it replaces an order by another
		own = set(tallyAmends, tallyOrders, tallyCancels, tallyMessages)
	case amendRefused:
		return set(tallyAmends, tallyOrders, tallyMessages, tallyRefused, tallyRejects), set(tallyRefused, tallyRejects)
	case crossPrevented:
		own = set(tallyCrosses)
	case selfTraded:
		own = set(tallySelfTrades)
	case selfTradedToo:
		return set(tallySelfTrades), 0
	default:
		if h >= oldShared {
			return 0, set(tally(h - oldShared))
		}
		return set(tally(h - oldOwn)), 0
	}
	return own, own
}

// flowMax bounds the memory of what one trader did. What is older than the newest flowMax happenings is forgotten, and a window that reaches back that far cannot be computed: so
// its rule refuses.
const flowMax = 1 << 20

// flow is what one trader did within the last policy.WindowMax, oldest first: the one record that every window is counted from. A window that a policy names for the first time is
// counted from it, so that it is right at once.
type flow struct {
	events []event // from index start
	start  int
	trades []amounts // of the events that are trades, from index tradeStart
	// tradeStart belongs to the oldest kept trade.
	tradeStart int
	// forgot is when the newest event was that was forgotten for want of room, forgotShared the same of what counts for the fund.
	forgot, forgotShared hub.Time
}

// event is one happening.
type event struct {
	at    hub.Time
	place int32 // index into Core.places; 0: not known where
	what  happening
}

// amounts are of a trade.
type amounts struct{ quantity, value, opened amount }

func (a amounts) of(t tally) amount {
	//exhaustive:ignore
	switch t {
	case tallyQuantity:
		return a.quantity
	case tallyValue:
		return a.value
	case tallyOpened:
		return a.opened
	}
	return amount{}
}

func (f *flow) add(e event, a amounts, most int) {
	f.forget(e.at)
	if len(f.events)-f.start >= most {
		old := f.events[f.start]
		f.forgot = old.at
		if _, shared := old.what.counts(); shared != 0 {
			f.forgotShared = old.at
		}
		f.drop()
	}
	f.events = append(f.events, e)
	if e.what == traded {
		f.trades = append(f.trades, a)
	}
}

// forget drops what no window can reach any more.
func (f *flow) forget(now hub.Time) {
	for f.start < len(f.events) && f.events[f.start].at <= now.Add(-policy.WindowMax) {
		f.drop()
	}
}

func (f *flow) drop() {
	if f.events[f.start].what == traded {
		f.tradeStart++
	}
	f.start++
	if f.start > 64 && f.start > len(f.events)/2 {
		f.events = f.events[:copy(f.events, f.events[f.start:])]
		f.trades = f.trades[:copy(f.trades, f.trades[f.tradeStart:])]
		f.start, f.tradeStart = 0, 0
	}
}

// flowImage is a flow in a snapshot, a column a field: that is a third of the bytes.
type flowImage struct {
	Times        []int64     `cbor:"1,keyasint,omitempty"` // each since the one before
	What         []happening `cbor:"2,keyasint,omitempty"`
	Places       []int32     `cbor:"3,keyasint,omitempty"`
	Amounts      []int64     `cbor:"4,keyasint,omitempty"` // six for each trade
	Forgot       hub.Time    `cbor:"5,keyasint,omitempty"`
	ForgotShared hub.Time    `cbor:"6,keyasint,omitempty"`
}

func (f *flow) image() flowImage {
	kept := f.events[f.start:]
	im := flowImage{Forgot: f.forgot, ForgotShared: f.forgotShared}
	if len(kept) == 0 {
		return im
	}
	im.Times, im.What, im.Places = make([]int64, len(kept)), make([]happening, len(kept)), make([]int32, len(kept))
	last := hub.Time(0)
	for i, e := range kept {
		im.Times[i], im.What[i], im.Places[i] = int64(e.at-last), e.what, e.place
		last = e.at
	}
	for _, a := range f.trades[f.tradeStart:] {
		im.Amounts = append(im.Amounts, a.quantity.Whole, a.quantity.Part, a.value.Whole, a.value.Part, a.opened.Whole, a.opened.Part)
	}
	return im
}

// restore makes a flow of its image; false when the image is not one.
func (im *flowImage) restore(places int) (flow, bool) {
	n := len(im.Times)
	f := flow{forgot: im.Forgot, forgotShared: im.ForgotShared}
	if len(im.What) != n || len(im.Places) != n || len(im.Amounts)%6 != 0 {
		return f, false
	}
	f.events = make([]event, n)
	last := hub.Time(0)
	trades := 0
	for i := range f.events {
		last += hub.Time(im.Times[i])
		f.events[i] = event{last, im.Places[i], im.What[i]}
		if p := im.Places[i]; p < 0 || int(p) >= places {
			return f, false
		}
		if im.What[i] == traded {
			trades++
		}
	}
	for a := im.Amounts; len(a) > 0; a = a[6:] {
		f.trades = append(f.trades, amounts{amount{a[0], a[1]}, amount{a[2], a[3]}, amount{a[4], a[5]}})
	}
	return f, trades == len(f.trades)
}

// window is one tally of one cell over the windows that the rules in force name. It is made of the flows and never written into an image.
//
// An event at time t is inside a window w at time now when t > now-w: of events exactly w apart, only one is inside. The core's time never runs backwards, so times ascend; of
// equal ones all are counted.
type window struct {
	of     tally
	keep   time.Duration // the longest of heads
	times  []hub.Time    // from index start
	before []amount      // of a sum: what all earlier events added up to
	total  amount
	start  int
	heads  []head // by window, ascending
	fresh  bool   // it waits to be filled from the flows
}

type head struct {
	window time.Duration
	at     int // index into times of the oldest event inside
}

func (h head) compare(d time.Duration) int { return cmp.Compare(h.window, d) }

func (w *window) add(now hub.Time, a amount) {
	w.start = ahead(w.times, w.start, now.Add(-w.keep))
	if w.start > 64 && w.start > len(w.times)/2 {
		w.compact()
	}
	w.times = append(w.times, now)
	if w.of > countTallies-1 {
		w.before = append(w.before, w.total)
		w.total = w.total.plus(a)
	}
}

func (w *window) compact() {
	w.times = w.times[:copy(w.times, w.times[w.start:])]
	if w.before != nil {
		w.before = w.before[:copy(w.before, w.before[w.start:])]
	}
	for i := range w.heads {
		w.heads[i].at = max(0, w.heads[i].at-w.start)
	}
	w.start = 0
}

// first is the index of the oldest event inside a window that ends now; false when the window is not kept.
func (w *window) first(now hub.Time, d time.Duration) (int, bool) {
	i, kept := slices.BinarySearchFunc(w.heads, d, head.compare)
	if !kept {
		return 0, false
	}
	h := &w.heads[i]
	h.at = ahead(w.times, max(h.at, w.start), now.Add(-d))
	return h.at, true
}

// ahead is the index, from i on, of the first time after from. Steps that double make it as quick for a hundred thousand events as for ten: a head that has not been asked for long
// does not walk.
func ahead(times []hub.Time, i int, from hub.Time) int {
	step := 1
	for i+step <= len(times) && times[i+step-1] <= from {
		i += step
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if i+step <= len(times) && times[i+step-1] <= from {
			i += step
		}
	}
	return i
}

func (w *window) empty(now hub.Time) bool {
	return len(w.times) == w.start || w.times[len(w.times)-1] <= now.Add(-w.keep)
}

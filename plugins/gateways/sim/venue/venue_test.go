package venue_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/record"
	"tradehub/plugins/gateways/sim/venue"
)

// life follows every order from outside: by what was reported.
type life struct {
	order  hub.Order
	told   []hub.ReportKind
	filled hub.Decimal
	over   bool
}

type trial struct {
	t      *rapid.T
	w      *world
	lives  map[hub.OrderID]*life
	ids    []hub.OrderID
	sides  map[string]*hub.Order // of a trade: whose came first
	trades map[string]bool       // both of its sides are there
	// A snapshot, and how many lines came before it.
	snapshot venue.Snapshot
	at       int
}

func (r *trial) draw() hub.Order {
	t := r.t
	contracts := []string{"rb2701.SHFE", "600519.SSE", "BTCUSDT.GLOBAL", "m2705-C-2900.DCE", "IF2612.CFFEX"}
	i, _ := hub.ParseInstrument(rapid.SampledFrom(contracts).Draw(t, "contract"))
	c := r.w.set.List.Find(i)
	o := hub.Order{ID: hub.OrderID(fmt.Sprintf("o-%d", len(r.ids))), Trader: "alpha"}
	o.Instrument = i
	o.Direction = rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "side")
	o.Offset = rapid.SampledFrom([]hub.Offset{hub.Open, hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday}).Draw(t, "offset")
	o.Type = rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.Limit, hub.Market, hub.FAK, hub.FOK, hub.Stop}).Draw(t, "type")
	o.Qty = c.Qty(rapid.Int64Range(1, 60).Draw(t, "steps"))
	// About the price of now, which the venue's tick tells.
	r.w.v.Subscribe(r.w.now, []hub.Instrument{i})
	_, _, ticks := r.take()
	last, _ := c.Ticks(ticks[len(ticks)-1].Last)
	o.Price = c.Price(max(1, last+rapid.Int64Range(-12, 12).Draw(t, "ticks")*max(1, last/2000)))
	if rapid.IntRange(0, 2).Draw(t, "meets") == 0 {
		r.meet(&o)
	}
	return o
}

// meet turns an order against one of the account's that works, so that the account's trades with itself are not left to chance.
func (r *trial) meet(o *hub.Order) {
	for _, id := range r.ids {
		if f := r.lives[id]; !f.over && f.order.Type == hub.Limit {
			o.Instrument, o.Direction, o.Offset, o.Type = f.order.Instrument, hub.Long+hub.Short-f.order.Direction, hub.Open, hub.Limit
			o.Price, o.Qty = f.order.Price, f.order.Qty
			return
		}
	}
}

// take checks everything that the venue says.
func (r *trial) take() (lines []record.Line, reports []hub.VenueReport, ticks []hub.Tick) {
	t := r.t
	lines, reports, ticks = r.w.took()
	for i, l := range lines {
		if last := i == len(lines)-1; last && l.More {
			t.Fatalf("a deed without its end: %+v", l)
		}
		if l.Kind == record.Filled {
			order := r.lives[l.ID].order
			if other := r.sides[l.Trade]; other != nil && (r.trades[l.Trade] || other.Direction == order.Direction || other.Instrument != order.Instrument) {
				t.Fatalf("trade %s of %s and of %s", l.Trade, other.ID, l.ID)
			} else if other != nil {
				met++
				r.trades[l.Trade] = true
			}
			r.sides[l.Trade] = &order
		}
	}
	fills := 0
	for _, rep := range reports {
		f := r.lives[rep.OrderID]
		if f == nil {
			t.Fatalf("a report of nobody's order: %+v", rep)
		}
		if f.over && rep.Kind != hub.ReportCancelRejected {
			t.Fatalf("%s was over: %+v", rep.OrderID, rep)
		}
		f.told = append(f.told, rep.Kind)
		switch rep.Kind {
		case hub.ReportFill:
			fills++
			if r.sides[rep.TradeID] == nil {
				t.Fatalf("a fill that is not in the book: %+v", rep)
			}
			var sum hub.Sum
			f.filled = sum.Add(f.filled, rep.Qty)
			if c := f.filled.Cmp(f.order.Qty); c > 0 {
				t.Fatalf("%s: %s of %s filled", rep.OrderID, f.filled, f.order.Qty)
			} else if c == 0 {
				f.over = true
			}
			if f.order.Type == hub.Limit && (f.order.Direction == hub.Long && rep.Price.Cmp(f.order.Price) > 0 ||
				f.order.Direction == hub.Short && rep.Price.Cmp(f.order.Price) < 0) {
				t.Fatalf("%+v was filled at %s", f.order, rep.Price)
			}
		case hub.ReportCancelled, hub.ReportRejected:
			f.over = true
		case hub.NoReport, hub.ReportAccepted, hub.ReportResting, hub.ReportCancelRejected, hub.ReportNotSent, hub.ReportCancelNotSent, hub.ReportAmended, hub.ReportAmendRejected, hub.ReportAmendNotSent:
		}
		first := f.told[0]
		if first != hub.ReportAccepted && first != hub.ReportResting && first != hub.ReportRejected {
			t.Fatalf("%s was answered by %d first", rep.OrderID, first)
		}
	}
	written := 0
	for _, l := range lines {
		if l.Kind == record.Filled {
			written++
		}
	}
	if fills != written {
		t.Fatalf("%d fills told, %d written", fills, written)
	}
	return lines, reports, ticks
}

func (r *trial) ask() {
	known, forgotten := r.w.v.Ask(r.ids)
	if len(forgotten) > 0 {
		r.t.Fatalf("forgotten: %v", forgotten)
	}
	for _, o := range known {
		f := r.lives[o.OrderID]
		var sum hub.Sum
		filled := hub.Int(0)
		for _, fill := range o.Fills {
			filled = sum.Add(filled, fill.Qty)
		}
		if o.Status.Final() != f.over || !filled.Equal(f.filled) {
			r.t.Fatalf("%s: told %v, filled %s; asked: %+v", o.OrderID, f.told, f.filled, o)
		}
	}
}

// restart makes the next process's venue, of the whole book or of a snapshot and what came after it; both must be the venue that was.
func (r *trial) restart() {
	before := r.w.v.Digest()
	whole, err := r.w.restarted()
	if err != nil {
		r.t.Fatal(err)
	}
	short := venue.New(r.w.set)
	text, err := json.Marshal(r.snapshot)
	if err != nil {
		r.t.Fatal(err)
	}
	var snapshot venue.Snapshot
	if err := json.Unmarshal(text, &snapshot); err != nil {
		r.t.Fatal(err)
	}
	if err := short.Restore(snapshot); err != nil {
		r.t.Fatal(err)
	}
	for _, l := range r.w.lines[r.at:] {
		if err := short.Apply(l); err != nil {
			r.t.Fatal(err)
		}
	}
	for name, v := range map[string]*venue.Venue{"book": whole, "snapshot": short} {
		if got := withoutTime(r.t, v.Digest()); got != withoutTime(r.t, before) {
			r.t.Fatalf("%s:\n got %s\nwant %s", name, got, before)
		}
	}
	r.w.v = whole
	r.w.v.Open(r.w.now)
	r.take()
}

// withoutTime takes out how far the clock was, which is written with the next line only.
func withoutTime(t *rapid.T, digest string) string {
	var fields map[string]any
	if err := json.Unmarshal([]byte(digest), &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "at")
	text, _ := json.Marshal(fields)
	return string(text)
}

// TestVenueKeepsItsBook trades at random among strangers, over days and restarts. Reports, book of record, answers and the next process must agree at every step.
func TestVenueKeepsItsBook(t *testing.T) {
	met = 0
	rapid.Check(t, func(t *rapid.T) {
		set := settings(rapid.Bool().Draw(t, "background"), rapid.Uint64().Draw(t, "seed"))
		r := &trial{
			t: t, w: newWorld(set, when("2026-11-20T17:00:00+08:00")), lives: map[hub.OrderID]*life{}, sides: map[string]*hub.Order{}, trades: map[string]bool{},
		}
		r.take()
		r.snapshot, r.at = r.w.v.Snapshot(), len(r.w.lines)
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			switch rapid.IntRange(0, 11).Draw(t, "what") {
			case 0:
				r.restart()
			case 1:
				r.snapshot, r.at = r.w.v.Snapshot(), len(r.w.lines)
			case 2:
				r.w.now = r.w.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
				r.w.v.Advance(r.w.now)
				r.take()
			case 3, 4:
				r.w.now = r.w.now.Add(time.Second)
				r.w.v.Advance(r.w.now)
				r.take()
			case 5, 6:
				if len(r.ids) > 0 {
					id := rapid.SampledFrom(r.ids).Draw(t, "id")
					was := r.lives[id].over
					r.w.v.Cancel(r.w.now, hub.Order{ID: id})
					_, reports, _ := r.take()
					want := hub.ReportCancelled
					if was {
						want = hub.ReportCancelRejected
					}
					if len(reports) != 1 || reports[0].Kind != want {
						t.Fatalf("cancel of %s: %+v", id, reports)
					}
				}
			default:
				o := r.draw()
				r.ids = append(r.ids, o.ID)
				r.lives[o.ID] = &life{order: o}
				r.w.v.Submit(r.w.now, o)
				r.take()
				if f := r.lives[o.ID]; len(f.told) == 0 {
					t.Fatalf("%+v was not answered", o)
				} else if o.Type != hub.Limit && o.Type != hub.Stop && !f.over {
					t.Fatalf("%+v still works", o)
				}
			}
			r.ask()
		}
	})
	if met == 0 {
		t.Error("no two orders of the account traded with each other")
	}
	t.Logf("%d trades of the account with itself", met)
}

// met counts trades of the account with itself.
var met int

func TestVenueIsItsSeed(t *testing.T) {
	story := func(seed uint64) (all []record.Line) {
		w := newWorld(settings(true, seed), when("2026-11-19T10:00:00+08:00"))
		for i := range 40 {
			_ = w.submit(fmt.Sprintf("a%d alpha rb2701.SHFE LONG OPEN MARKET %d", i, 1+i*7))
			w.now = w.now.Add(700 * time.Millisecond)
			w.v.Advance(w.now)
			w.took()
		}
		return w.lines
	}
	decimals := cmp.Comparer(func(a, b hub.Decimal) bool { return a.Equal(b) })
	if diff := cmp.Diff(story(3), story(3), decimals); diff != "" {
		t.Errorf("one seed, two stories:\n%s", diff)
	}
	if cmp.Equal(story(3), story(4), decimals) {
		t.Error("two seeds, one story")
	}
}

// Tens of lots are there at once, and five levels of each side are shown, in every contract of the list.
func TestBackgroundServesEveryContract(t *testing.T) {
	w := newWorld(settings(true, 7), when("2026-11-22T16:00:00+08:00")) // a Sunday
	for _, c := range w.v.Contracts() {
		w.took()
		w.v.Subscribe(w.now, []hub.Instrument{c.Instrument})
		_, _, ticks := w.took()
		tick := ticks[0]
		for i := range hub.Depth {
			if !tick.Bids[i].Qty.IsPos() || !tick.Asks[i].Qty.IsPos() {
				t.Errorf("%s: level %d: %v and %v", c.Instrument, i+1, tick.Bids[i], tick.Asks[i])
			}
		}
		if tick.Bids[0].Price.Cmp(tick.Asks[0].Price) >= 0 || tick.LimitDown.Cmp(tick.Last) > 0 || tick.LimitUp.Cmp(tick.Last) < 0 ||
			tick.Gateway != "SIM" || tick.Name == "" || tick.Time != w.now {
			t.Errorf("tick: %+v", tick)
		}
		qty := c.MinQty
		if c.Kind == hub.Futures {
			qty = hub.Int(20)
		}
		w.v.Submit(w.now, hub.Order{ID: hub.OrderID("m-" + c.Symbol), OrderRequest: hub.OrderRequest{
			Instrument: c.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Market, Qty: qty,
		}})
		_, reports, _ := w.took()
		var sum hub.Sum
		filled := hub.Int(0)
		for _, r := range reports {
			filled = sum.Add(filled, r.Qty)
		}
		if c.Product != "IF" && !filled.Equal(qty) { // 20 IF are more money than the account has
			t.Errorf("%s: %s of %s filled: %+v", c.Instrument, filled, qty, reports)
		}
	}
}

// A stop that the strangers' trades reach goes off.
func TestStopAmongStrangers(t *testing.T) {
	w := newWorld(settings(true, 7), when("2026-11-19T10:00:00+08:00"))
	i := hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}
	w.v.Subscribe(w.now, []hub.Instrument{i})
	_, _, ticks := w.took()
	var sum hub.Sum
	below, above := sum.Sub(ticks[0].Last, hub.Int(2)), sum.Add(ticks[0].Last, hub.Int(2))
	_ = w.submit(fmt.Sprintf("s1 alpha rb2701.SHFE SHORT OPEN STOP 3 @ %s", below))
	_ = w.submit(fmt.Sprintf("s2 alpha rb2701.SHFE LONG OPEN STOP 3 @ %s", above))
	filled := hub.Int(0)
	for range 2000 {
		w.now = w.now.Add(time.Second)
		w.v.Advance(w.now)
		_, reports, _ := w.took()
		for _, r := range reports {
			filled = sum.Add(filled, r.Qty)
		}
		if filled.Equal(hub.Int(3)) {
			return // the other one may wait for long
		}
	}
	t.Errorf("in half an hour neither went off: %s filled", filled)
}

func TestBars(t *testing.T) {
	w := newWorld(settings(true, 7), when("2026-11-19T10:00:30+08:00"))
	rb := hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}
	bars := func(interval hub.Interval, start, end string) []hub.Bar {
		t.Helper()
		req := hub.HistoryRequest{Instrument: rb, Interval: interval, Start: when(start)}
		if end != "" {
			req.End = when(end)
		}
		got, err := w.v.History().Bars(t.Context(), req, w.now, w.v.Tape(rb))
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range got {
			if b.Time < req.Start || req.End != 0 && b.Time > req.End || b.Time > w.now || i > 0 && b.Time <= got[i-1].Time {
				t.Errorf("bar at %s in %s to %s", b.Time.UTC(), start, end)
			}
			if b.Low.Cmp(b.Open) > 0 || b.Low.Cmp(b.Close) > 0 || b.High.Cmp(b.Open) < 0 || b.High.Cmp(b.Close) < 0 || !b.Volume.IsPos() ||
				!b.Turnover.IsPos() || b.Interval != interval || b.Gateway != "SIM" || b.Instrument != rb {
				t.Errorf("bar: %+v", b)
			}
		}
		return got
	}
	count := func(interval hub.Interval, start, end string, want int) {
		t.Helper()
		if got := bars(interval, start, end); len(got) != want {
			t.Errorf("%s %s to %s: got %d bars, want %d", interval, start, end, len(got), want)
		}
	}
	// Start and end are both in.
	count(hub.Minute, "2026-11-18T09:00:00+08:00", "2026-11-18T09:05:00+08:00", 6)
	count(hub.Minute, "2026-11-18T09:00:01+08:00", "2026-11-18T09:04:59+08:00", 4)
	count(hub.Minute, "2026-11-18T00:00:00+08:00", "2026-11-18T23:59:00+08:00", 345)
	count(hub.Minute, "2026-11-18T10:15:00+08:00", "2026-11-18T10:29:00+08:00", 0) // the break
	count(hub.Minute, "2026-11-14T00:00:00+08:00", "2026-11-15T23:59:00+08:00", 0) // a weekend
	count(hub.Hour, "2026-11-18T09:00:00+08:00", "2026-11-18T14:00:00+08:00", 5)
	count(hub.Daily, "2026-11-09T00:00:00+08:00", "2026-11-18T00:00:00+08:00", 8)
	count(hub.Weekly, "2026-11-09T00:00:00+08:00", "", 0)
	count(hub.Minute, "2026-11-20T09:00:00+08:00", "", 0)                          // the future
	count(hub.Minute, "2026-11-18T10:00:00+08:00", "2026-11-18T09:00:00+08:00", 0) // upside down
	if all := bars(hub.Minute, "2020-01-01T00:00:00+08:00", ""); len(all) < 20*345 {
		t.Errorf("all minutes: %d", len(all))
	}
	// An hour is its minutes, and a day, which begins on the evening before, is its hours.
	sameSum := func(whole []hub.Bar, parts []hub.Bar) {
		t.Helper()
		if len(whole) != 1 || len(parts) == 0 {
			t.Fatalf("%d and %d bars", len(whole), len(parts))
		}
		var sum hub.Sum
		high, low, volume := parts[0].High, parts[0].Low, hub.Int(0)
		for _, p := range parts {
			high, low, volume = high.Max(p.High), low.Min(p.Low), sum.Add(volume, p.Volume)
		}
		b := whole[0]
		if !b.High.Equal(high) || !b.Low.Equal(low) || !b.Volume.Equal(volume) || !b.Open.Equal(parts[0].Open) || !b.Close.Equal(parts[len(parts)-1].Close) {
			t.Errorf("%+v is not the sum of its %d parts: high %s low %s volume %s", b, len(parts), high, low, volume)
		}
	}
	sameSum(bars(hub.Hour, "2026-11-18T14:00:00+08:00", "2026-11-18T14:00:00+08:00"), bars(hub.Minute, "2026-11-18T14:00:00+08:00", "2026-11-18T14:59:00+08:00"))
	sameSum(bars(hub.Daily, "2026-11-16T00:00:00+08:00", "2026-11-16T00:00:00+08:00"), bars(hub.Hour, "2026-11-13T18:00:00+08:00", "2026-11-16T17:00:00+08:00"))
	// What was traded since the process began is in the bars, and the market of now goes on where the past ends.
	past := bars(hub.Minute, "2026-11-19T09:50:00+08:00", "2026-11-19T09:59:00+08:00")
	w.v.Subscribe(w.now, []hub.Instrument{rb})
	_, _, ticks := w.took()
	var sum hub.Sum
	if gap := sum.Sub(ticks[0].Last, past[len(past)-1].Close).Abs(); gap.Cmp(hub.Int(10)) > 0 {
		t.Errorf("last is %s, and a minute ago it was %s", ticks[0].Last, past[len(past)-1].Close)
	}
	_ = w.submit("a1 alpha rb2701.SHFE LONG OPEN LIMIT 500 @ 3180")
	_, reports, _ := w.took()
	now := bars(hub.Minute, "2026-11-19T10:00:00+08:00", "")
	if len(reports) < 2 || len(now) != 1 || now[0].High.Cmp(reports[len(reports)-1].Price) < 0 && reports[len(reports)-1].Kind == hub.ReportFill {
		t.Errorf("the minute of now: %+v; fills: %+v", now, reports)
	}
	if got, err := w.v.History().Bars(t.Context(), hub.HistoryRequest{Instrument: hub.Instrument{Symbol: "X", Exchange: "Y"}, Interval: hub.Minute}, w.now, nil); len(got) != 0 || err != nil {
		t.Errorf("bars of nothing: %v, %v", got, err)
	}
}

func TestCalendar(t *testing.T) {
	set := settings(false, 1)
	for _, c := range []struct {
		at, begins, day string
	}{
		{"2026-11-19T17:59:59+08:00", "2026-11-18T18:00:00+08:00", "20261119"},
		{"2026-11-19T18:00:00+08:00", "2026-11-19T18:00:00+08:00", "20261120"},
		{"2026-11-20T18:00:00+08:00", "2026-11-20T18:00:00+08:00", "20261123"}, // Friday night is Monday's
		{"2026-11-21T20:00:00+08:00", "2026-11-20T18:00:00+08:00", "20261123"},
		{"2026-11-22T20:00:00+08:00", "2026-11-20T18:00:00+08:00", "20261123"},
		{"2026-11-23T03:00:00+08:00", "2026-11-20T18:00:00+08:00", "20261123"},
		{"2026-12-31T19:00:00+08:00", "2026-12-31T18:00:00+08:00", "20270101"},
	} {
		if got := set.Calendar.Begins(when(c.at)); got != when(c.begins) {
			t.Errorf("%s: the day began at %s", c.at, got.UTC())
		}
		if got := set.Calendar.Day(when(c.at)); string(got) != c.day {
			t.Errorf("%s: day %s, want %s", c.at, got, c.day)
		}
	}
	for text, want := range map[string]string{
		"6pm":               `"6pm" is no time of day such as "18:00 Asia/Shanghai"`,
		"18:00 Asia/Nobody": `"Asia/Nobody" is no time zone such as Asia/Shanghai`,
		"18:00 ":            `"" is no time zone such as Asia/Shanghai`,
	} {
		if _, err := venue.ParseRoll(text, time.UTC); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A list of contracts that has changed since is an error that says what is missing, not a guess.
func TestBookThatDoesNotFit(t *testing.T) {
	w := newWorld(settings(false, 1), when("2026-11-19T10:00:00+08:00"))
	_ = w.submit("a1 alpha rb2701.SHFE LONG OPEN LIMIT 5 @ 3140")
	_ = w.submit("b1 beta rb2701.SHFE SHORT OPEN LIMIT 3 @ 3140")
	w.took()
	w.set.List.Contracts = w.set.List.Contracts[1:] // rb2701 is the first
	want := "order a1 is of rb2701.SHFE, which is not in the list of contracts any more"
	if _, err := w.restarted(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	want = "rb2701.SHFE is held and is not in the list of contracts any more"
	if err := venue.New(w.set).Restore(w.v.Snapshot()); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, c := range []struct {
		line record.Line
		want string
	}{
		{record.Line{Kind: record.Received, ID: "x"}, `the book of record begins with a line "order"`},
		{record.Line{Kind: record.Opened, At: 1, Version: 9}, "the book of record is of version 9, and this program writes version 1"},
	} {
		if err := venue.New(w.set).Apply(c.line); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	for _, c := range []struct {
		line record.Line
		want string
	}{
		{record.Line{Kind: record.Rejected, ID: "x"}, "order x is rejected and was never received"},
		{record.Line{Kind: record.Filled, ID: "x"}, `order x has a line "fill" and does not work`},
		{record.Line{Kind: record.Filled, ID: "a1", Qty: hub.Int(9)}, "a fill of 9 of order a1, of which 2 were left"},
	} {
		if err := w.v.Apply(c.line); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// Orders that are over are forgotten one day, but not their ids, on this day and the next.
func TestOldOrdersAreForgotten(t *testing.T) {
	w := newWorld(settings(false, 1), when("2026-11-19T10:00:00+08:00"))
	const n = 45_000
	for i := range n {
		w.v.Submit(w.now, hub.Order{ID: hub.OrderID(fmt.Sprint("x", i))})
		w.v.Out.Reset()
	}
	known, forgotten := w.v.Ask([]hub.OrderID{"x0", "x44999"})
	if len(known) != 1 || len(forgotten) != 1 || forgotten[0] != "x0" || !w.v.Seen("x0") {
		t.Errorf("known %v, forgotten %v", known, forgotten)
	}
	again := func(want int) {
		t.Helper()
		w.v.Out.Reset()
		w.v.Submit(w.now, hub.Order{ID: "x0"})
		if got := len(w.v.Out.Repeats); got != want {
			t.Errorf("%d repeats, want %d: %+v", got, want, w.v.Out)
		}
	}
	again(1)
	w.v.Cancel(w.now, hub.Order{ID: "x0"})
	if r := w.v.Out.Reports; len(r) != 1 || r[0].Reason != "the order is not working any more" {
		t.Errorf("cancel: %+v", r)
	}
	w.now = when("2026-11-20T10:00:00+08:00")
	w.v.Advance(w.now)
	again(1)
}

func BenchmarkSubmitAndCancel(b *testing.B) {
	w := newWorld(settings(true, 1), when("2026-11-19T10:00:00+08:00"))
	o := hub.Order{Trader: "alpha", OrderRequest: hub.OrderRequest{
		Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit,
		Price: hub.Int(3000), Qty: hub.Int(1),
	}}
	var line []byte
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		o.ID = hub.OrderID(fmt.Sprint("o", n))
		w.v.Submit(w.now, o)
		w.v.Cancel(w.now, o)
		for i := range w.v.Out.Lines {
			line = w.v.Out.Lines[i].Append(line[:0])
		}
		w.v.Out.Reset()
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

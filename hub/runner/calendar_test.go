package runner_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/core"
	"tradehub/hub/runner"
)

// shanghai is a moment as clocks in Shanghai show it.
func shanghai(text string) time.Time {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, zone)
	if err != nil {
		panic(err)
	}
	return t
}

// record keeps the entries of a hub.
type record struct {
	mu      sync.Mutex
	entries []hub.Entry
	refused map[int][]hub.Refusal // of an entry
}

func (r *record) observe(e hub.Entry, effects []core.Effect) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, e)
	for _, effect := range effects {
		if d, ok := effect.(core.Decided); ok && len(d.Refusals) > 0 {
			if r.refused == nil {
				r.refused = map[int][]hub.Refusal{}
			}
			r.refused[len(r.entries)-1] = d.Refusals
		}
	}
}

// rolls are the days that were begun, as "calendar day".
func (r *record) rolls() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.entries {
		if in, ok := e.Input.(hub.RollDay); ok {
			out = append(out, in.Calendar+" "+string(in.Day)+" at "+in.Began.UTC().Format("02 15:04"))
		}
	}
	return strings.Join(out, ", ")
}

// late is a hub whose timers do not fire in the time of a test: all that begins a day is what is proposed.
func late(r *record) func(*runner.Options) {
	return func(o *runner.Options) {
		o.MarkEvery = time.Hour
		o.Observe = r.observe
	}
}

const oneADay = `  - {name: one-a-day, require: 'trader.orders("today") < 1'}
`

// TestOrderAtTheRollIsOfTheNextDay: 18:00:00 is the first moment of the next trading day, and what comes then is decided by its counters, though no timer has fired.
func TestOrderAtTheRollIsOfTheNextDay(t *testing.T) {
	var seen record
	h := open(t, t.TempDir(), late(&seen))
	h.up()
	h.tick("3500")
	if _, errs, err := h.LoadPolicies(t.Context(), files(oneADay), "test"); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	roll := shanghai("2026-11-23 18:00:00")
	for _, step := range []struct {
		at     time.Time
		status hub.Status
		day    hub.Day
	}{
		{roll.Add(-time.Hour), hub.Submitted, "20261123"},
		{roll.Add(-1), hub.Rejected, "20261123"},
		{roll, hub.Submitted, "20261124"},
		{roll, hub.Rejected, "20261124"},
		{roll.Add(24*time.Hour - 1), hub.Rejected, "20261124"},
		{roll.Add(24 * time.Hour), hub.Submitted, "20261125"},
	} {
		h.clock.Store(step.at.UnixNano())
		h.tick("3500")
		id, err := h.submit(buy)
		if err != nil {
			t.Fatal(err)
		}
		o, _ := h.Order("", id)
		if o.Status != step.status || h.Day() != step.day {
			t.Errorf("at %s: order %s on day %s, want %s on %s", step.at, o.Status, h.Day(), step.status, step.day)
		}
	}
	const want = "cn-futures 20261123 at 20 10:00, cn-stock 20261123 at 20 10:00, us-stock 20261123 at 21 01:00, crypto 20261123 at 23 00:00, " +
		"cn-futures 20261124 at 23 10:00, cn-stock 20261124 at 23 10:00, crypto 20261124 at 24 00:00, us-stock 20261124 at 24 01:00, " +
		"cn-futures 20261125 at 24 10:00, cn-stock 20261125 at 24 10:00"
	if got := seen.rolls(); got != want {
		t.Errorf("days began:\n%s\nwant:\n%s", got, want)
	}
}

// TestFloodOverRolls: four clients' orders while days go by, five minutes with each look at the clock. Whatever is stamped at or after the roll of a calendar stands behind its day in the
// journal, with a risk manager's delay or without, and each day is there once.
func TestFloodOverRolls(t *testing.T) {
	for _, managed := range []bool{false, true} {
		t.Run(fmt.Sprintf("managed=%v", managed), func(t *testing.T) {
			var seen record
			var ticking atomic.Bool
			var h *house
			h = open(t, t.TempDir(), func(o *runner.Options) {
				late(&seen)(o)
				if managed {
					o.SetUp.Managers = []string{"margin"}
				}
				fixed := o.Clock
				o.Clock = func() time.Time {
					if ticking.Load() {
						return time.Unix(0, h.clock.Add(int64(5*time.Minute)))
					}
					return fixed()
				}
			})
			h.verdicts = func(hub.Candidate) []hub.Verdict { return []hub.Verdict{{Manager: "margin", Pass: true}} }
			h.up()
			h.tick("3500")
			defer h.drain()()
			ticking.Store(true)
			const each = 500
			var clients, answers sync.WaitGroup
			for range 4 {
				answers.Add(each)
				clients.Go(func() {
					for range each {
						h.Submit("alpha", "", buy, func(hub.OrderID, hub.GatewayName, error) { answers.Done() })
					}
				})
			}
			clients.Wait()
			answers.Wait()
			if err := h.Runner.Close(); err != nil {
				t.Fatal(err)
			}
			seen.mu.Lock()
			defer seen.mu.Unlock()
			days, rolls, orders := map[string]hub.Day{}, 0, 0
			for n, e := range seen.entries {
				if in, ok := e.Input.(hub.RollDay); ok {
					if in.Day <= days[in.Calendar] {
						t.Fatalf("entry %d: day %s of %s begins after %s", e.Seq, in.Day, in.Calendar, days[in.Calendar])
					}
					days[in.Calendar] = in.Day
					rolls++
					continue
				}
				var session hub.Session
				if in, ok := e.Input.(hub.SubmitOrder); ok {
					session = in.Market.Session
				} else if in, ok := e.Input.(hub.JudgeOrder); ok {
					session = in.Market.Session
				} else {
					continue
				}
				orders++
				for _, c := range h.opts.Calendars.All() {
					if day := c.Day(e.Time.UTC()); day > days[c.Name()] {
						t.Fatalf("entry %d of %s stands before day %s of calendar %s", e.Seq, e.Time.UTC(), day, c.Name())
					}
				}
				main := h.opts.Calendars.Main()
				if day := main.Day(e.Time.UTC()); session.Calendar != main.Name() || session.Day != day || session.FundDay != day {
					t.Fatalf("entry %d of %s has the session %+v", e.Seq, e.Time.UTC(), session)
				}
				for _, r := range seen.refused[n] {
					if r.Code == "calendar" {
						t.Fatalf("entry %d: %s", e.Seq, r.Text)
					}
				}
			}
			if rolls < 20 || orders < 100 {
				t.Errorf("%d rolls and %d orders", rolls, orders)
			}
		})
	}
}

// drain throws away what happens, until it is told to stop: nobody who tells of it may wait.
func (h *house) drain() (stop func()) {
	done := make(chan struct{})
	var drains sync.WaitGroup
	for _, news := range []chan string{h.plugins.news, h.screen.news} {
		drains.Go(func() {
			for {
				select {
				case <-news:
				case <-done:
					return
				}
			}
		})
	}
	return func() {
		close(done)
		drains.Wait()
	}
}

// TestTimerBeginsTheDay when nothing else happens: no order, and no mark for an hour.
func TestTimerBeginsTheDay(t *testing.T) {
	var seen record
	roll := shanghai("2026-11-23 18:00:00")
	var clock atomic.Int64
	clock.Store(roll.Add(-100 * time.Millisecond).UnixNano())
	h := open(t, t.TempDir(), func(o *runner.Options) {
		late(&seen)(o)
		o.Clock = func() time.Time { return time.Unix(0, clock.Load()) }
	})
	if got := h.Day(); got != "20261123" {
		t.Fatalf("before the roll: got %s", got)
	}
	clock.Store(roll.UnixNano())
	for deadline := time.Now().Add(10 * time.Second); h.Day() != "20261124"; {
		if time.Now().After(deadline) {
			t.Fatalf("got %s", h.Day())
		}
	}
}

// TestDownOverTheRoll: a hub that comes up days later begins the day that it is, in one step and once; counters begin at 0, and what was bought is yesterday's.
func TestDownOverTheRoll(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, func(o *runner.Options) { o.MarkEvery = time.Hour })
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t1", Price: d("3500"), Qty: d("1")})
	h.screen.wait(t, "trade t1")
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	// From Monday morning to Friday night: the trading day is the Monday after. Then down again, and up in the same day.
	for _, at := range []string{"2026-11-27 21:30:00", "2026-11-29 12:00:00"} {
		var seen record
		again := open(t, dir, func(o *runner.Options) {
			late(&seen)(o)
			o.Clock = func() time.Time { return shanghai(at) }
		})
		if got := again.Day(); got != "20261130" {
			t.Fatalf("at %s: got day %s", at, got)
		}
		s := again.Standings()[1]
		if s.Trader != "alpha" || s.Orders != 0 || s.Trades != 0 {
			t.Errorf("at %s: %+v", at, s)
		}
		positions := again.Positions("alpha")
		if len(positions) == 0 || positions[0].Today.IsPos() || !positions[0].Yesterday.Equal(d("1")) {
			t.Errorf("at %s: %+v", at, positions)
		}
		if err := again.Runner.Close(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(seen.rolls(), "cn-futures 20261130 at 27 10:00"); n != 1 { // of all lives: the journal is replayed
			t.Errorf("at %s the day began %d times: %s", at, n, seen.rolls())
		}
		if strings.Contains(seen.rolls(), "cn-futures 20261124") {
			t.Errorf("at %s a day began that the hub did not live: %s", at, seen.rolls())
		}
	}
}

// TestSessionIsInTheEntry: with the order goes what its calendar said of the moment, whatever it is when the journal is replayed.
func TestSessionIsInTheEntry(t *testing.T) {
	var seen record
	h := open(t, t.TempDir(), late(&seen))
	option := rb
	option.Instrument, option.Product, option.Kind = hub.Instrument{Symbol: "au2702C800", Exchange: "SHFE"}, "au_o", hub.Option
	option.OptionExpiry, option.Zone = hub.TimeOf(shanghai("2027-01-25 00:00:00")), "Asia/Shanghai"
	h.GatewayUp("SIM", []hub.Contract{rb, option})
	for _, row := range []struct {
		at   string
		of   hub.Contract
		want hub.Session
	}{
		{"2026-11-27 20:56:00", rb, hub.Session{
			Calendar: "cn-futures", Day: "20261130", FundDay: "20261130", Phase: hub.Auction, Name: "night", Opened: hub.TimeOf(shanghai("2026-11-27 20:55:00")),
			Closes: hub.TimeOf(shanghai("2026-11-27 21:00:00")), Delivers: "202701",
		}},
		{"2026-11-27 21:00:00", rb, hub.Session{
			Calendar: "cn-futures", Day: "20261130", FundDay: "20261130", Phase: hub.Continuous, Name: "night", Opened: hub.TimeOf(shanghai("2026-11-27 21:00:00")),
			Closes: hub.TimeOf(shanghai("2026-11-27 23:00:00")), Delivers: "202701",
		}},
		{"2026-11-28 02:00:00", rb, hub.Session{
			Calendar: "cn-futures", Day: "20261130", FundDay: "20261130", Phase: hub.Closed, Closes: hub.TimeOf(shanghai("2026-11-30 09:00:00")), Delivers: "202701",
		}},
		{"2026-11-28 02:00:00", option, hub.Session{
			Calendar: "cn-futures", Day: "20261130", FundDay: "20261130", Phase: hub.Continuous, Name: "night", Opened: hub.TimeOf(shanghai("2026-11-27 21:00:00")),
			Closes: hub.TimeOf(shanghai("2026-11-28 02:30:00")), Expires: "20270125", Delivers: "202702",
		}},
	} {
		h.clock.Store(shanghai(row.at).UnixNano())
		h.OnTick(hub.Tick{Instrument: row.of.Instrument, Gateway: "SIM", Last: d("3500")})
		req := buy
		req.Instrument, req.Qty = row.of.Instrument, d("11") // more than the rules allow
		if _, err := h.submit(req); err != nil {
			t.Fatal(err)
		}
		seen.mu.Lock()
		in, ok := seen.entries[len(seen.entries)-1].Input.(hub.SubmitOrder)
		seen.mu.Unlock()
		if !ok || in.Market.Session != row.want {
			t.Errorf("at %s, %s:\ngot  %+v\nwant %+v", row.at, row.of.Instrument, in.Market.Session, row.want)
		}
	}
	// What a gateway says anew of a contract that nobody holds or works is heard.
	option.OptionExpiry = hub.TimeOf(shanghai("2027-01-26 00:00:00"))
	h.GatewayUp("SIM", []hub.Contract{rb, option})
	if _, err := h.submit(hub.OrderRequest{Instrument: option.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("11")}); err != nil {
		t.Fatal(err)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if in := seen.entries[len(seen.entries)-1].Input.(hub.SubmitOrder); in.Market.Session.Expires != "20270126" {
		t.Errorf("got %+v", in.Market.Session)
	}
}

// TestEachExchangeRollsByItsCalendar, and the fund by the main one.
func TestEachExchangeRollsByItsCalendar(t *testing.T) {
	var seen record
	all, errs := calendar.Read(nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	h := open(t, t.TempDir(), func(o *runner.Options) {
		late(&seen)(o)
		o.Calendars = calendar.NewSet(all["us-stock"], map[string]*calendar.Calendar{"SHFE": all["cn-futures"]})
	})
	h.up()
	h.tick("3500")
	for _, step := range []struct {
		at          string
		fund, rebar hub.Day
	}{
		{"2026-11-23 17:59:59", "20261123", "20261123"},
		{"2026-11-23 18:00:00", "20261123", "20261124"},
		{"2026-11-24 08:59:59", "20261123", "20261124"},
		{"2026-11-24 09:00:00", "20261124", "20261124"}, // 20:00 in New York
	} {
		h.clock.Store(shanghai(step.at).UnixNano())
		if _, err := h.submit(buy); err != nil {
			t.Fatal(err)
		}
		if h.Day() != step.fund || h.CalendarDay("cn-futures") != step.rebar {
			t.Errorf("at %s: the fund's day is %s, rebar's %s", step.at, h.Day(), h.CalendarDay("cn-futures"))
		}
	}
	if got, want := seen.rolls(), "cn-futures 20261123 at 20 10:00, us-stock 20261123 at 21 01:00, cn-futures 20261124 at 23 10:00, us-stock 20261124 at 24 01:00"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestAmendmentJudgedOverTheRoll: an amendment that was asked for before a trading day began, and is decided in it, is decided by what the calendar says of the new day.
func TestAmendmentJudgedOverTheRoll(t *testing.T) {
	var seen record
	h := open(t, t.TempDir(), func(o *runner.Options) {
		late(&seen)(o)
		o.SetUp.Managers = []string{"margin"}
	})
	roll := shanghai("2026-11-23 18:00:00")
	h.clock.Store(roll.Add(-1).UnixNano())
	pass := []hub.Verdict{{Manager: "margin", Pass: true}}
	h.plugins.verdicts = func(hub.Candidate) []hub.Verdict { return pass }
	id := h.working()
	h.plugins.verdicts = func(hub.Candidate) []hub.Verdict {
		h.clock.Store(roll.UnixNano())
		return pass
	}
	if got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Qty: d("3")}); err != nil || len(got.Refusals) > 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	in, ok := seen.entries[len(seen.entries)-1].Input.(hub.AmendOrder)
	if s := in.Market.Session; !ok || s.Day != "20261124" || s.FundDay != "20261124" {
		t.Errorf("decided by %+v", s)
	}
}

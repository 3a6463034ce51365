package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
)

// ago is a moment some seconds before now; 0 for "".
func ago(now hub.Time, seconds string) hub.Time {
	if seconds == "" {
		return 0
	}
	d, err := time.ParseDuration(seconds)
	if err != nil {
		panic(err)
	}
	return now.Add(-d)
}

// session reads "calendar=cn-futures today=20261124 fund=20261124 phase=CONTINUOUS name=night opened=30s closes=1h expires=20270115 delivers=202701". opened is ago, closes is ahead.
func (w *world) session(t *testing.T, cmd *datadriven.TestData) hub.Session {
	var s hub.Session
	for _, a := range cmd.CmdArgs {
		if len(a.Vals) != 1 {
			continue
		}
		v := a.Vals[0]
		switch a.Key {
		case "calendar":
			s.Calendar = v
		case "today":
			s.Day = hub.Day(v)
		case "fund":
			s.FundDay = hub.Day(v)
		case "phase":
			p, err := hub.ParsePhase(v)
			if err != nil {
				t.Fatal(err)
			}
			s.Phase = p
		case "name":
			s.Name = v
		case "opened":
			s.Opened = ago(w.now, v)
		case "closes":
			s.Closes = ago(w.now, "-"+v)
		case "expires":
			s.Expires = hub.Day(v)
		case "delivers":
			s.Delivers = v
		}
	}
	return s
}

// orders lists the orders and trades of the day.
func (w *world) orders() string {
	var b strings.Builder
	for _, o := range w.core.Orders("", false) {
		fmt.Fprintf(&b, "order %s %s %s\n", short(o.ID), o.Instrument, o.Status)
	}
	for _, t := range w.core.Trades("") {
		fmt.Fprintf(&b, "trade %s %s of %s\n", t.ID, t.Instrument, t.Day)
	}
	for _, s := range w.core.Standings() {
		fmt.Fprintf(&b, "%q: %d orders, %d trades today\n", s.Trader, s.Orders, s.Trades)
	}
	return b.String()
}

// TestDaysOfCalendars draws purchases and trading days of three calendars, restarts among them, and holds the books against a count that knows nothing of how they are kept: what was
// bought since its own calendar's last day is today's, and orders are counted since the fund's.
func TestDaysOfCalendars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.open()
		calendars := map[string]hub.Contract{"cn-futures": rb, "cn-stock": share, "crypto": coin}
		names := []string{"cn-futures", "cn-stock", "crypto"}
		day := map[string]int{"cn-futures": 23, "cn-stock": 23, "crypto": 23}
		bought := map[string][2]int{} // today, yesterday
		orders, trades := 0, 0
		for _, name := range names {
			w.step(hub.RollDay{Calendar: name, Day: "20261123"})
		}
		for range rapid.IntRange(1, 30).Draw(t, "moves") {
			w.now += hub.Time(rapid.IntRange(0, 30).Draw(t, "seconds")) * 1e9
			name := rapid.SampledFrom(names).Draw(t, "calendar")
			switch rapid.IntRange(0, 3).Draw(t, "move") {
			case 0, 1:
				k := calendars[name]
				req := hub.OrderRequest{Instrument: k.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("10"), Qty: k.MinQty}
				if !k.NetPosition {
					req.Offset = hub.Open
				}
				out := w.step(hub.SubmitOrder{Trader: "beta", Request: req, Market: hub.MarketView{Last: d("10"), Seen: w.now}})
				o := out[0].(core.Decided)
				orders++
				if len(o.Refusals) > 0 {
					break // over the limit of the rule
				}
				w.step(hub.VenueReport{Gateway: "SIM", OrderID: o.Order.ID, Kind: hub.ReportFill, TradeID: fmt.Sprint(o.Order.ID), Price: d("10"), Qty: k.MinQty})
				trades++
				b := bought[name]
				bought[name] = [2]int{b[0] + 1, b[1]}
			case 2:
				to := day[name] + rapid.IntRange(-1, 2).Draw(t, "days") // what is not after the present day does nothing
				w.step(hub.RollDay{Calendar: name, Day: hub.Day(fmt.Sprintf("202611%02d", min(to, 30)))})
				if min(to, 30) > day[name] {
					day[name] = min(to, 30)
					b := bought[name]
					bought[name] = [2]int{0, b[0] + b[1]}
					if name == "cn-futures" {
						orders, trades = 0, 0
					}
				}
			default:
				before := w.digest()
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				if w.digest() != before {
					t.Fatal("a restored core has another digest")
				}
			}
			for _, name := range names {
				k := calendars[name]
				var today, yesterday hub.Decimal
				for _, p := range w.core.Positions("beta", k.Instrument) {
					if p.Direction != hub.Short {
						today, yesterday = p.Today, p.Yesterday
					}
				}
				var sum hub.Sum
				want := [2]hub.Decimal{sum.Mul(k.MinQty, hub.Int(int64(bought[name][0]))), sum.Mul(k.MinQty, hub.Int(int64(bought[name][1])))}
				if !today.Equal(want[0]) || !yesterday.Equal(want[1]) {
					t.Fatalf("%s: %s today and %s yesterday, want %s and %s", k.Instrument, today, yesterday, want[0], want[1])
				}
				if got, want := w.core.CalendarDay(name), hub.Day(fmt.Sprintf("202611%02d", day[name])); got != want {
					t.Fatalf("%s: day %s, want %s", name, got, want)
				}
			}
			if s := w.core.Standings()[2]; s.Trader != "beta" || s.Orders != orders || s.Trades != trades {
				t.Fatalf("%s: %d orders and %d trades today, want %d and %d", s.Trader, s.Orders, s.Trades, orders, trades)
			}
			if err := w.core.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
}

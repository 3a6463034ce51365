package venue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/listing"
	"tradehub/plugins/gateways/sim/record"
	"tradehub/plugins/gateways/sim/venue"
)

// world is a venue with the book of record that it has written so far.
type world struct {
	set    venue.Settings
	v      *venue.Venue
	now    hub.Time
	lines  []record.Line
	amends uint64
}

func when(text string) hub.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return hub.TimeOf(at)
}

func settings(background bool, seed uint64) venue.Settings {
	list, err := listing.Read("contracts.yaml", listing.Default)
	if err != nil {
		panic(err)
	}
	calendar, err := venue.ParseRoll("18:00", list.Zone)
	if err != nil {
		panic(err)
	}
	return venue.Settings{
		Gateway: "SIM", List: list, Calendar: calendar, Seed: seed, Background: background, Every: 500 * time.Millisecond,
		Capital: map[string]hub.Decimal{"CNY": hub.Int(10_000_000), "USDT": hub.Int(1_000_000)},
	}
}

func newWorld(set venue.Settings, at hub.Time) *world {
	w := &world{set: set, v: venue.New(set), now: at}
	w.v.Open(at)
	return w
}

// took empties the venue's Out as the gateway does: lines first.
func (w *world) took() (lines []record.Line, reports []hub.VenueReport, ticks []hub.Tick) {
	out := &w.v.Out
	lines = append(lines, out.Lines...)
	reports = append(reports, out.Reports...)
	ticks = append(ticks, out.Ticks...)
	w.lines = append(w.lines, lines...)
	out.Reset()
	return lines, reports, ticks
}

// restarted is the venue that the next process makes of the book.
func (w *world) restarted() (*venue.Venue, error) {
	v := venue.New(w.set)
	for _, l := range w.lines {
		if err := v.Apply(l); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// submit reads "a1 alpha rb2701.SHFE LONG OPEN LIMIT 5 @ 3140".
func (w *world) submit(line string) error {
	f := strings.Fields(line)
	if len(f) < 7 {
		return fmt.Errorf("%q is no order", line)
	}
	o := hub.Order{ID: hub.OrderID(f[0]), Trader: hub.TraderName(f[1])}
	if f[0] == "-" {
		o.ID = ""
	}
	o.Instrument, _ = hub.ParseInstrument(f[2])
	o.Direction, _ = hub.ParseDirection(f[3])
	var err error
	if o.Offset, err = hub.ParseOffset(f[4]); err != nil {
		return err
	}
	if o.Type, err = hub.ParseOrderType(f[5]); err != nil {
		return err
	}
	if o.Qty, err = hub.ParseDecimal(f[6]); err != nil {
		return err
	}
	if len(f) == 9 {
		if o.Price, err = hub.ParseDecimal(f[8]); err != nil {
			return err
		}
	}
	w.v.Submit(w.now, o)
	return nil
}

func show(r hub.VenueReport) string {
	kinds := map[hub.ReportKind]string{
		hub.ReportAccepted: "accepted", hub.ReportResting: "resting", hub.ReportFill: "fill", hub.ReportCancelled: "cancelled",
		hub.ReportRejected: "rejected", hub.ReportCancelRejected: "cancel rejected",
		hub.ReportAmended: "amended", hub.ReportAmendRejected: "amend rejected",
	}
	s := fmt.Sprintf("%s %s", r.OrderID, kinds[r.Kind])
	if r.Amendment > 0 {
		s += fmt.Sprintf(" (%d)", r.Amendment)
	}
	if r.Kind == hub.ReportFill || r.Kind == hub.ReportAmended {
		s += fmt.Sprintf(" %s @ %s", r.Qty, r.Price)
	}
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	return s
}

func (w *world) told(b *strings.Builder) {
	_, reports, ticks := w.took()
	for _, r := range reports {
		fmt.Fprintln(b, show(r))
	}
	for _, t := range ticks {
		fmt.Fprintf(b, "%s last %s limits %s to %s volume %s bid %s x %s ask %s x %s\n", t.Instrument, t.Last, t.LimitDown, t.LimitUp, t.Volume,
			t.Bids[0].Price, t.Bids[0].Qty, t.Asks[0].Price, t.Asks[0].Qty)
	}
}

// do runs one line of a story.
func (w *world) do(b *strings.Builder, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "submit":
		if err := w.submit(rest); err != nil {
			return err
		}
	case "cancel":
		w.v.Cancel(w.now, hub.Order{ID: hub.OrderID(rest)})
	case "amend": // "a1 5 @ 3140", once more and with the next number
		f := strings.Fields(rest)
		if len(f) != 4 {
			return fmt.Errorf("%q is no amendment", rest)
		}
		w.amends++
		w.v.Amend(w.now, hub.Order{ID: hub.OrderID(f[0]), Amendment: hub.Amendment{Number: w.amends, Qty: hub.MustDecimal(f[1]), Price: hub.MustDecimal(f[3])}})
	case "at":
		w.now = when(rest)
		w.v.Advance(w.now)
		fmt.Fprintf(b, "trading day %s\n", w.v.Day())
	case "later": // while no process runs
		w.now = when(rest)
	case "tick":
		i, _ := hub.ParseInstrument(rest)
		for _, u := range w.v.Subscribe(w.now, []hub.Instrument{i}) {
			fmt.Fprintf(b, "unknown: %s\n", u)
		}
	case "ask":
		known, forgotten := w.v.Ask([]hub.OrderID{hub.OrderID(rest)})
		for _, o := range known {
			fmt.Fprintf(b, "%s %s %q, %d fills", o.OrderID, o.Status, o.Reason, len(o.Fills))
			if w.amends > 0 {
				fmt.Fprintf(b, ", for %s @ %s", o.Qty, o.Price)
			}
			fmt.Fprintln(b)
		}
		for _, id := range forgotten {
			fmt.Fprintf(b, "%s is not known\n", id)
		}
	case "held":
		for _, h := range w.v.Positions() {
			fmt.Fprintf(b, "%s long %s+%s short %s+%s\n", h.Contract.Instrument, h.Contract.Qty(h.Long.Yesterday), h.Contract.Qty(h.Long.Today),
				h.Contract.Qty(h.Short.Yesterday), h.Contract.Qty(h.Short.Today))
		}
	case "money":
		m := w.v.Balances()[rest]
		fmt.Fprintf(b, "cash %s margin %s frozen %s unrealised %s commission %s\n", m.Cash, m.Margin, m.Frozen, m.Unrealised, m.Commission)
	case "restart":
		w.told(b)
		before := w.v.Digest()
		v, err := w.restarted()
		if err != nil {
			return err
		}
		if v.Digest() != before {
			return fmt.Errorf("another state:\n%s\n%s", before, v.Digest())
		}
		w.v = v
		v.Open(w.now)
	default:
		return fmt.Errorf("what is %q?", verb)
	}
	w.told(b)
	return nil
}

// TestStories runs testdata/story: lines of what happens, and what the venue says to it. The background is off, so that nobody else trades.
// go test -rewrite writes down what is said now; read the difference before you believe it.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/story", func(t *testing.T, path string) {
		w := newWorld(settings(false, 1), when("2026-11-19T10:00:00+08:00"))
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			if d.Cmd == "record" { // what the book of record says
				for _, l := range w.lines {
					b.Write(l.Append(nil))
				}
				return b.String()
			}
			for line := range strings.Lines(d.Input) {
				if err := w.do(&b, strings.TrimSpace(line)); err != nil {
					t.Fatalf("%s: %s: %v", d.Pos, line, err)
				}
			}
			return b.String()
		})
	})
}

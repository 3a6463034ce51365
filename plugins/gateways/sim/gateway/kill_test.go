package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/gateways/sim/gateway"
	"tradehub/plugins/gateways/sim/record"
)

// stdout is the sink of the child: every report is a line, written at once.
type stdout struct{ *hubSide }

func (stdout) Report(r hub.VenueReport) {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	if _, err := os.Stdout.Write(append(text, '\n')); err != nil {
		os.Exit(3) // the parent is gone
	}
}

// child trades as fast as it can until it is killed.
func child(dir string) {
	g := gateway.New()
	env := plugins.Env{
		Name: "SIM", Dir: dir, Log: hclog.NewNullLogger(),
		Settings: plugins.MustSettings(map[string]any{"seed": 7, "ticks_per_second": 50}),
	}
	if err := g.Start(context.Background(), env, stdout{newHubSide()}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	life := os.Getenv("SIM_TEST_LIFE")
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", life, i)
		d := hub.Long
		if i%2 == 1 {
			d = hub.Short
		}
		o := order(id, d, 1+int64(i%7), 3100+int64(i%40))
		g.Submit(o)
		if i%3 == 0 {
			g.Cancel(o)
		}
	}
}

// TestKilledProcessForgetsNothing kills the market with SIGKILL at a random report, many times on one directory. What was reported must be known to the next
// process, exactly; and its book of record, its answers and the reports must be one story.
func TestKilledProcessForgetsNothing(t *testing.T) {
	lives := 12
	if testing.Short() {
		lives = 3
	}
	dir := t.TempDir()
	seen := map[hub.OrderID][]hub.VenueReport{}
	for life := range lives {
		reports := killAfter(t, dir, life, 1+rand.IntN(4000))
		for _, r := range reports {
			seen[r.OrderID] = append(seen[r.OrderID], r)
		}
		g, _ := start(t, dir, map[string]any{"seed": 7})
		compare(t, g, seen)
		end(t, g)
	}
	trades := map[side]bool{} // a trade has two sides at most
	sides := map[string]int{}
	for id, reports := range seen {
		for _, r := range reports {
			if r.TradeID != "" {
				if sides[r.TradeID]++; sides[r.TradeID] > 2 || trades[side{r.TradeID, id}] {
					t.Errorf("trade %s is of %s, too", r.TradeID, id)
				}
				trades[side{r.TradeID, id}] = true
			}
		}
	}
	if len(trades) == 0 {
		t.Error("nothing was traded in all these lives")
	}
	book(t, dir, trades)
}

// side is what an order has of a trade.
type side struct {
	trade string
	order hub.OrderID
}

// killAfter runs a child until it has made n reports, kills it, and returns all that it made.
func killAfter(t *testing.T, dir string, life, n int) (reports []hub.VenueReport) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "SIM_TEST_CHILD="+dir, fmt.Sprintf("SIM_TEST_LIFE=life%d", life))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var r hub.VenueReport
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			if len(reports) < n {
				t.Fatalf("%v: %s", err, lines.Text())
			}
			break // cut in the middle of a line
		}
		if reports = append(reports, r); len(reports) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(reports) < n {
		t.Fatalf("the child died by itself after %d reports", len(reports))
	}
	return reports
}

// compare asks for every order that was ever reported.
func compare(t *testing.T, g *gateway.Gateway, seen map[hub.OrderID][]hub.VenueReport) {
	t.Helper()
	ids := make([]hub.OrderID, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	known, complete, err := g.Ask(t.Context(), ids)
	if err != nil || !complete || len(known) != len(ids) {
		t.Fatalf("%d of %d orders are known, %v, %v", len(known), len(ids), complete, err)
	}
	for _, o := range known {
		fills := map[string]hub.VenueFill{}
		for _, f := range o.Fills {
			fills[f.TradeID] = f
		}
		for _, r := range seen[o.OrderID] {
			switch r.Kind {
			case hub.ReportFill:
				if f := fills[r.TradeID]; !f.Qty.Equal(r.Qty) || !f.Price.Equal(r.Price) {
					t.Fatalf("%s: fill %+v was reported, and now there are %+v", o.OrderID, r, o.Fills)
				}
			case hub.ReportRejected:
				if o.Status != hub.Rejected {
					t.Fatalf("%s was rejected and is %s now", o.OrderID, o.Status)
				}
			case hub.ReportCancelled:
				if o.Status != hub.Cancelled {
					t.Fatalf("%s was cancelled and is %s now", o.OrderID, o.Status)
				}
			case hub.NoReport, hub.ReportAccepted, hub.ReportResting, hub.ReportCancelRejected, hub.ReportNotSent, hub.ReportCancelNotSent, hub.ReportAmended, hub.ReportAmendRejected, hub.ReportAmendNotSent:
			}
		}
	}
}

// book checks the book of record: every order once, no more filled than ordered, and every fill that was reported.
func book(t *testing.T, dir string, trades map[side]bool) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "book.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	left := map[hub.OrderID]hub.Decimal{}
	var sum hub.Sum
	end, err := record.Read(file, 0, info.Size(), func(_ int64, l record.Line) error {
		switch l.Kind {
		case record.Received:
			if _, twice := left[l.ID]; twice {
				t.Errorf("%s was received twice", l.ID)
			}
			left[l.ID] = l.Qty
		case record.Filled:
			if left[l.ID] = sum.Sub(left[l.ID], l.Qty); left[l.ID].IsNeg() {
				t.Errorf("%s was filled beyond its quantity", l.ID)
			}
			delete(trades, side{l.Trade, l.ID})
		case record.Opened, record.Deposited, record.Rejected, record.Duplicate, record.Triggered, record.Cancelled, record.Amended, record.DayBegan, record.ClockAt:
		}
		return nil
	})
	if err != nil || end != info.Size() {
		t.Errorf("the book ends at %d of %d: %v", end, info.Size(), err)
	}
	if len(trades) > 0 {
		t.Errorf("reported and not in the book: %v", trades)
	}
}

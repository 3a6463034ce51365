package gateway

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/gateways/sim/record"
	"tradehub/plugins/gateways/sim/venue"
)

// fullDisk is a disk that is full while the test says so.
type fullDisk struct {
	*os.File
	full *atomic.Bool
}

func (d fullDisk) Write(b []byte) (int, error) {
	if d.full.Load() {
		n, _ := d.File.Write(b[:len(b)/2])
		return n, errors.New("no space left on device")
	}
	return d.File.Write(b)
}

type notes struct {
	plugins.Sink
	mu    sync.Mutex
	lines []string
}

func (n *notes) note(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notes) took() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := strings.Join(n.lines, "\n")
	n.lines = nil
	return text
}

func (n *notes) Up()                      { n.note("up") }
func (n *notes) Down(why string)          { n.note("down: " + why) }
func (n *notes) Contracts([]hub.Contract) {}
func (n *notes) Tick(hub.Tick)            {}
func (n *notes) Report(r hub.VenueReport) {
	names := map[hub.ReportKind]string{
		hub.ReportResting: "rests", hub.ReportRejected: "rejected", hub.ReportCancelRejected: "cancel rejected", hub.ReportCancelled: "cancelled",
	}
	n.note(strings.TrimSuffix(string(r.OrderID)+" "+names[r.Kind]+": "+r.Reason, ": "))
}

// What cannot be written has not happened: nobody is told of it, the market is down until the disk has room, and is then as the book says.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		g, sink := New(), &notes{}
		g.open = func(dir string, v *venue.Venue, sync bool) (*store, error) {
			s, err := open(dir, v, sync)
			if err == nil {
				s.writer = record.NewWriter(fullDisk{s.file, &full}, s.writer.Size(), sync)
			}
			return s, err
		}
		env := plugins.Env{
			Name: "SIM", Dir: t.TempDir(), Log: hclog.NewNullLogger(), Settings: plugins.MustSettings(map[string]any{"background": false}),
		}
		if err := g.Start(t.Context(), env, sink); err != nil {
			t.Fatal(err)
		}
		submit := func(id string) {
			g.Submit(hub.Order{ID: hub.OrderID(id), OrderRequest: hub.OrderRequest{
				Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit,
				Qty: hub.Int(1), Price: hub.Int(3100),
			}})
			synctest.Wait()
		}
		says := func(want string) {
			t.Helper()
			if got := sink.took(); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		}
		const down = "the market is down: write the book of record: no space left on device"
		submit("a1")
		says("up\na1 rests")
		full.Store(true)
		submit("a2")
		says("down: " + down)
		submit("a3")
		g.Cancel(hub.Order{ID: "a1"})
		synctest.Wait()
		says("a3 rejected: " + down + "\na1 cancel rejected: " + down)
		if _, _, err := g.Ask(t.Context(), []hub.OrderID{"a1"}); err == nil || !strings.Contains(err.Error(), down) {
			t.Errorf("ask: %v", err)
		}
		if _, err := g.History(t.Context(), hub.HistoryRequest{}); err == nil {
			t.Error("history of a market that is down")
		}
		time.Sleep(5 * time.Second) // it tries, and the disk is still full
		synctest.Wait()
		says("")
		full.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		says("up")
		known, complete, err := g.Ask(t.Context(), []hub.OrderID{"a1", "a2", "a3"})
		if err != nil || !complete || len(known) != 1 || known[0].OrderID != "a1" || known[0].Status != hub.Resting {
			t.Errorf("%+v, %v, %v", known, complete, err)
		}
		submit("a4")
		says("a4 rests")
		full.Store(true)
		if err := g.Close(); err == nil {
			t.Error("Close says nothing of what it could not write")
		}
	})
}

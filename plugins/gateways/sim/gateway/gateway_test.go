package gateway_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/gateways/sim/gateway"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SIM_TEST_CHILD"); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// hubSide is the sink: it keeps what it is told, and holds the market up while it is stopped.
type hubSide struct {
	mu        sync.Mutex
	changed   sync.Cond
	stopped   bool
	states    []string
	contracts int
	ticks     []hub.Tick
	reports   []hub.VenueReport
}

func newHubSide() *hubSide {
	s := &hubSide{}
	s.changed.L = &s.mu
	return s
}

func (s *hubSide) keep(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stopped {
		s.changed.Wait()
	}
	f()
	s.changed.Broadcast()
}

func (s *hubSide) Up()             { s.keep(func() { s.states = append(s.states, "up") }) }
func (s *hubSide) Down(why string) { s.keep(func() { s.states = append(s.states, "down: "+why) }) }
func (s *hubSide) Tick(t hub.Tick) { s.keep(func() { s.ticks = append(s.ticks, t) }) }
func (s *hubSide) stop(stop bool) {
	s.mu.Lock()
	s.stopped = stop
	s.mu.Unlock()
	s.changed.Broadcast()
}
func (s *hubSide) count() (n int)  { s.mu.Lock(); defer s.mu.Unlock(); return len(s.reports) }
func (s *hubSide) state() []string { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.states) }

func (s *hubSide) ticked() []hub.Tick { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.ticks) }

func (s *hubSide) told() []hub.VenueReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reports)
}

func (s *hubSide) Contracts(c []hub.Contract) {
	s.keep(func() {
		s.states = append(s.states, "contracts")
		s.contracts = len(c)
	})
}

func (s *hubSide) Report(r hub.VenueReport) { s.keep(func() { s.reports = append(s.reports, r) }) }

// wait waits until n reports are there.
func (s *hubSide) wait(t *testing.T, n int) []hub.VenueReport {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { s.mu.Lock(); defer s.mu.Unlock(); s.changed.Broadcast() })
	defer late.Stop()
	begin := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.reports) < n {
		if time.Since(begin) >= 20*time.Second {
			t.Fatalf("%d reports after 20 s, want %d: %+v", len(s.reports), n, s.reports)
		}
		s.changed.Wait()
	}
	return slices.Clone(s.reports)
}

func environment(dir string, set map[string]any) plugins.Env {
	return plugins.Env{Name: "SIM", Dir: dir, Settings: plugins.MustSettings(set), Log: hclog.NewNullLogger()}
}

// quiet are the settings of a market without strangers.
func quiet(more map[string]any) map[string]any {
	set := map[string]any{"background": false}
	maps.Copy(set, more)
	return set
}

func start(t *testing.T, dir string, set map[string]any) (*gateway.Gateway, *hubSide) {
	t.Helper()
	g, s := gateway.New(), newHubSide()
	if err := g.Start(t.Context(), environment(dir, set), s); err != nil {
		t.Fatal(err)
	}
	return g, s
}

func end(t *testing.T, g *gateway.Gateway) {
	t.Helper()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

var rb = hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}

func order(id string, d hub.Direction, qty, price int64) hub.Order {
	o := hub.Order{ID: hub.OrderID(id), Trader: "alpha", OrderRequest: hub.OrderRequest{
		Instrument: rb, Direction: d, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(qty), Price: hub.Int(price),
	}}
	if price == 0 {
		o.Type = hub.Market
	}
	return o
}

func TestBadSettingsAreAllNamed(t *testing.T) {
	err := gateway.New().Start(t.Context(), environment(t.TempDir(), map[string]any{
		"seeed": 7, "seed": "x", "speed": 0, "latency": "-1s", "ticks_per_second": 1000, "background": "perhaps", "fsync": "no",
		"start": "yesterday", "contracts": "/nowhere/contracts.yaml", "capital": map[string]any{"CNY": "much", "USDT": -1},
	}), newHubSide())
	want := `background: "perhaps" is not true or false
capital.CNY: "much" is not a decimal number of at most 19 digits
capital.USDT: must not be negative
contracts: open /nowhere/contracts.yaml: no such file or directory
fsync: "no" is not true or false
latency: must be from 0s to 1m0s
seed: "x" is not a whole number
seeed: unknown setting (did you mean seed?)
speed: must be from 0.001 to 100000
start: "yesterday" is no time such as 2026-11-20T21:00:00+08:00
ticks_per_second: must be from 0.001 to 100`
	if err == nil || err.Error() != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, fmt.Sprint(err)))
	}
	err = gateway.New().Start(t.Context(), environment(t.TempDir(), map[string]any{"day_roll": "tonight"}), newHubSide())
	if want := `day_roll: "tonight" is no time of day such as "18:00 Asia/Shanghai"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte("zone: UTC\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = gateway.New().Start(t.Context(), environment(t.TempDir(), map[string]any{"contracts": path}), newHubSide())
	if want := path + ":1: there are no contracts"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMarketOpensAndAnswers(t *testing.T) {
	g, s := start(t, t.TempDir(), map[string]any{"seed": 7})
	defer end(t, g)
	g.Subscribe([]hub.Instrument{rb, {Symbol: "nothing", Exchange: "SHFE"}})
	g.Submit(order("a1", hub.Long, 20, 0))
	told := s.wait(t, 2)
	if diff := cmp.Diff([]string{"contracts", "up"}, s.state()); diff != "" || s.contracts == 0 {
		t.Error(diff)
	}
	if told[0].Kind != hub.ReportAccepted || told[1].Kind != hub.ReportFill || told[1].VenueID == "" || strings.Contains(told[1].TradeID, ".") {
		t.Errorf("%+v", told)
	}
	// The answer comes after what was sent before, and the unknown one was never here.
	g.Submit(order("a2", hub.Long, 1, 3000))
	known, complete, err := g.Ask(t.Context(), []hub.OrderID{"a1", "a2", "a3"})
	if err != nil || !complete || len(known) != 2 || known[0].Status != hub.Filled || known[1].Status != hub.Resting {
		t.Errorf("%+v, %v, %v", known, complete, err)
	}
	bars, err := g.History(t.Context(), hub.HistoryRequest{Instrument: rb, Interval: hub.Daily})
	if err != nil || len(bars) < 200 {
		t.Errorf("%d bars, %v", len(bars), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := g.Ask(ctx, nil); err == nil {
		t.Error("an answer in spite of a cancelled context")
	}
}

// Time is false in these tests: nothing waits, and a second is a second to the nanosecond.
func TestTicksComeAtTheirRate(t *testing.T) {
	for _, c := range []struct {
		set  map[string]any
		want int // ticks in ten seconds
	}{
		{map[string]any{}, 20},
		{map[string]any{"ticks_per_second": 4}, 40},
		{map[string]any{"speed": 60}, 1200},
		{map[string]any{"speed": "0.5"}, 10},
		{map[string]any{"background": false}, 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, s := start(t, t.TempDir(), c.set)
			defer end(t, g)
			g.Subscribe([]hub.Instrument{rb})
			time.Sleep(10 * time.Second)
			synctest.Wait()
			ticks := s.ticked()
			if n := len(ticks) - 1; n < c.want-1 || n > c.want+1 { // the first came at once
				t.Errorf("%v: %d ticks in ten seconds, want %d", c.set, n, c.want)
			}
			for i, tick := range ticks[1:] {
				if tick.Instrument != rb || tick.Time < ticks[i].Time {
					t.Fatalf("%v after %v", tick, ticks[i])
				}
			}
		})
	}
}

func TestLatencyIsOnTheWayIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := start(t, t.TempDir(), quiet(map[string]any{"latency": "30ms"}))
		defer end(t, g)
		g.Submit(order("a1", hub.Long, 1, 3100))
		time.Sleep(10 * time.Millisecond)
		g.Submit(order("a2", hub.Short, 1, 3100))
		time.Sleep(20*time.Millisecond - time.Nanosecond)
		synctest.Wait()
		if n := s.count(); n != 0 {
			t.Errorf("%d reports before anything arrived", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if told := s.told(); len(told) != 1 || told[0].Kind != hub.ReportResting {
			t.Errorf("after 30 ms: %+v", told)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if told := s.told(); len(told) != 4 {
			t.Errorf("after 40 ms: %+v", told)
		}
	})
}

func TestClockRunsAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		set := quiet(map[string]any{"speed": 3600, "start": "2026-11-20T14:00:00+08:00"})
		g, s := start(t, dir, set)
		g.Submit(order("a1", hub.Long, 1, 3100))
		time.Sleep(5 * time.Second) // 19:00: the day has rolled
		synctest.Wait()
		told := s.told()
		if len(told) != 2 || told[1].Kind != hub.ReportCancelled || told[1].Reason != "end of trading day 20261120" {
			t.Fatalf("%+v", told)
		}
		if at := told[1].VenueTime.UTC().Sub(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)); at < 0 || at > 10*time.Minute {
			t.Errorf("the day rolled %v late", at)
		}
		end(t, g)
		// The clock goes on where it was, not at the start of the settings.
		g, s = start(t, dir, set)
		defer end(t, g)
		g.Submit(order("a2", hub.Long, 1, 3100))
		synctest.Wait()
		if told := s.told(); len(told) != 1 || told[0].VenueTime < hub.TimeOf(time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", told)
		}
	})
}

// A hub that does not listen holds the market up; nothing is lost, and the hub's calls wait when the queue is full.
func TestSlowHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, s := start(t, t.TempDir(), quiet(nil))
		defer end(t, g)
		synctest.Wait()
		s.stop(true)
		const n = 6000 // more than the queue and a batch take
		var sent int
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range n {
				g.Submit(order(fmt.Sprint("a", i), hub.Long, 1, 3000))
				sent++
			}
		}()
		synctest.Wait()
		if sent == n || sent < 4096 {
			t.Errorf("%d orders were taken by a market that nobody listens to", sent)
		}
		s.stop(false)
		<-done
		synctest.Wait()
		told := s.told()
		if len(told) != n {
			t.Fatalf("%d reports of %d orders", len(told), n)
		}
		for i, r := range told {
			if r.OrderID != hub.OrderID(fmt.Sprint("a", i)) {
				t.Fatalf("report %d is of order %s", i, r.OrderID)
			}
		}
	})
}

func TestTwoProcessesCannotShareADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		g, _ := start(t, dir, quiet(nil))
		err := gateway.New().Start(t.Context(), environment(dir, quiet(nil)), newHubSide())
		if want := "another simulated market works in " + dir; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		// The one before may be about to end.
		next := make(chan error)
		g2 := gateway.New()
		go func() { next <- g2.Start(t.Context(), environment(dir, quiet(nil)), newHubSide()) }()
		time.Sleep(time.Second)
		end(t, g)
		if err := <-next; err != nil {
			t.Fatal(err)
		}
		end(t, g2)
	})
}

func TestStateOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	g, s := start(t, dir, quiet(nil))
	g.Submit(order("a1", hub.Long, 5, 3100))
	g.Submit(order("b1", hub.Short, 2, 3100))
	before := s.wait(t, 4)
	end(t, g)
	g.Submit(order("late", hub.Long, 5, 3100)) // after Close nothing is taken, and nothing waits
	if _, _, err := g.Ask(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "the gateway is closed") {
		t.Errorf("got %v", err)
	}
	end(t, g)
	for _, without := range []string{"", "state.json"} {
		if without != "" {
			if err := os.Remove(filepath.Join(dir, without)); err != nil {
				t.Fatal(err)
			}
		}
		g, s = start(t, dir, quiet(nil))
		known, complete, err := g.Ask(t.Context(), []hub.OrderID{"a1", "b1", "late"})
		if err != nil || !complete || len(known) != 2 {
			t.Fatalf("%+v, %v, %v", known, complete, err)
		}
		if known[0].OrderID != "a1" {
			slices.Reverse(known)
		}
		if known[0].Status != hub.PartFilled || known[1].Status != hub.Filled || known[0].Fills[0].TradeID != before[1].TradeID {
			t.Errorf("%+v, told before: %+v", known, before)
		}
		g.Cancel(order("b1", hub.Short, 2, 3100)) // it is over
		if told := s.wait(t, 1); told[0].Kind != hub.ReportCancelRejected {
			t.Errorf("%+v", told)
		}
		end(t, g)
	}
	g, s = start(t, dir, quiet(nil))
	defer end(t, g)
	g.Submit(order("b2", hub.Short, 3, 3100))
	told := s.wait(t, 3)
	if told[0].OrderID != "a1" || told[0].Kind != hub.ReportFill || !told[0].Qty.Equal(hub.Int(3)) || told[0].TradeID == before[1].TradeID {
		t.Errorf("%+v", told)
	}
}

// What a person may do to the files is said in words.
func TestFilesThatDoNotFit(t *testing.T) {
	dir := t.TempDir()
	g, s := start(t, dir, quiet(nil))
	g.Submit(order("a1", hub.Long, 5, 3100))
	s.wait(t, 1)
	end(t, g)
	book, state := filepath.Join(dir, "book.jsonl"), filepath.Join(dir, "state.json")
	text, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}
	fails := func(want string) {
		t.Helper()
		err := gateway.New().Start(t.Context(), environment(dir, quiet(nil)), newHubSide())
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	put := func(path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(book, text[:10])
	fails(fmt.Sprintf("%s has 10 bytes, and %s was made when it had %d: put the book of record back, or delete both to begin with an empty market",
		book, state, len(text)))
	put(book, text)
	put(state, []byte("{"))
	fails(state + ": unexpected end of JSON input; delete it, and the whole book of record is read instead")
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	put(book, append([]byte("hello\n"), text...))
	fails(book + ": byte 0: not a line of the book of record: invalid character 'h' looking for beginning of value")
	put(book, append(slices.Clone(text), `{"t":"order","at":"2026-11-`...)) // killed while it wrote
	g, _ = start(t, dir, quiet(nil))
	if known, _, err := g.Ask(t.Context(), []hub.OrderID{"a1"}); err != nil || len(known) != 1 {
		t.Errorf("%v, %v", known, err)
	}
	end(t, g)
	if after, _ := os.ReadFile(book); !strings.HasPrefix(string(after), string(text)+`{"t":"clock"`) {
		t.Errorf("the torn line is still there: %s", after[len(text):])
	}
}

// An order that was over long ago is not in memory any more, but its truth is told: from the book of record.
func TestOldOrdersAreReadFromTheBook(t *testing.T) {
	dir := t.TempDir()
	g, s := start(t, dir, quiet(nil))
	g.Submit(order("a1", hub.Long, 5, 3100))
	g.Submit(order("b1", hub.Short, 3, 3100))
	g.Cancel(order("a1", hub.Long, 5, 3100))
	first := s.wait(t, 5)
	const many = 45_000
	for i := range many {
		g.Submit(order(fmt.Sprint("x", i), hub.Long, 0, 3100)) // refused
	}
	s.wait(t, len(first)+many)
	check := func() {
		t.Helper()
		known, complete, err := g.Ask(t.Context(), []hub.OrderID{"a1", "b1", "x0", "nobody"})
		if err != nil || !complete || len(known) != 3 {
			t.Fatalf("%+v, %v, %v", known, complete, err)
		}
		if a := known[0]; a.Status != hub.Cancelled || len(a.Fills) != 1 || a.Fills[0].TradeID != first[1].TradeID || !a.Fills[0].Qty.Equal(hub.Int(3)) {
			t.Errorf("%+v", a)
		}
		if b := known[1]; b.Status != hub.Filled || b.VenueID != first[2].VenueID || b.VenueID == "" {
			t.Errorf("%+v", b)
		}
		if x := known[2]; x.Status != hub.Rejected || x.Reason != "the quantity must be positive, not 0" {
			t.Errorf("%+v", x)
		}
	}
	check()
	n := s.count()
	g.Submit(order("b1", hub.Short, 3, 3100)) // sent again: not executed again
	again := s.wait(t, n+2)[n:]
	if again[0].Kind != hub.ReportAccepted || again[1].TradeID != first[3].TradeID {
		t.Errorf("%+v", again)
	}
	end(t, g)
	g, s = start(t, dir, quiet(nil))
	check()
	g.Submit(order("b1", hub.Short, 3, 3100))
	if again := s.wait(t, 2); again[1].TradeID != first[3].TradeID {
		t.Errorf("after a restart: %+v", again)
	}
	end(t, g)
}

// From the hub's call to its report, the book of record written in between.
func BenchmarkOrders(b *testing.B) {
	g, s := gateway.New(), &counter{all: make(chan struct{}, 1)}
	if err := g.Start(b.Context(), environment(b.TempDir(), map[string]any{"seed": 7}), s); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		id := hub.OrderID(fmt.Sprint("o", n))
		n++
		g.Submit(order(string(id), hub.Long, 1, 2990))
		g.Cancel(hub.Order{ID: id})
	}
	for s.n.Load() < int64(2*n) {
		<-s.all
	}
	b.ReportMetric(2*float64(n)/b.Elapsed().Seconds(), "ops/s")
	if err := g.Close(); err != nil {
		b.Fatal(err)
	}
}

// counter is a sink that counts.
type counter struct {
	plugins.Sink
	n   atomic.Int64
	all chan struct{}
}

func (c *counter) Up()                      {}
func (c *counter) Contracts([]hub.Contract) {}
func (c *counter) Tick(hub.Tick)            {}
func (c *counter) Report(hub.VenueReport) {
	c.n.Add(1)
	select {
	case c.all <- struct{}{}:
	default:
	}
}

// accountant is a sink that takes statements.
type accountant struct {
	*hubSide

	statements []hub.VenueStatement
	reports    []int // how many there were when each statement came
}

func (a *accountant) Statement(s hub.VenueStatement) {
	a.keep(func() { a.statements, a.reports = append(a.statements, s), append(a.reports, len(a.hubSide.reports)) })
}

// stated is how many statements came.
func (a *accountant) stated() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.statements)
}

// reported is how many reports came before a statement.
func (a *accountant) reported(statement int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reports[statement]
}

// TestAccountIsStated: when the market opens, soon after a fill, and now and then; always with what was reported, and with nothing that was not.
func TestAccountIsStated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &accountant{hubSide: newHubSide()}
		g := gateway.New()
		if err := g.Start(t.Context(), environment(t.TempDir(), quiet(map[string]any{"capital": map[string]any{"CNY": 1_000_000}, "start": "2026-11-20T09:00:00+08:00"})), a); err != nil {
			t.Fatal(err)
		}
		defer end(t, g)
		synctest.Wait()
		g.Submit(order("a1", hub.Long, 3, 3100))
		g.Submit(order("a2", hub.Short, 2, 3100)) // they meet
		synctest.Wait()
		if n := a.stated(); n != 1 {
			t.Fatalf("%d statements at once, want 1", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		time.Sleep(54 * time.Second)
		synctest.Wait()
		if n := a.stated(); n != 2 {
			t.Fatalf("%d statements after a minute in which the account changed once, want 2", n)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if n := a.stated(); n != 3 || a.reported(1) != a.count() {
			t.Fatalf("%d statements, want 3; %d of %d reports", n, a.reported(1), a.count())
		}
		a.mu.Lock()
		first, second := a.statements[0], a.statements[1]
		a.mu.Unlock()
		if len(first.Positions) != 0 || first.Money[0].Balance != hub.Int(1_000_000) || !first.Exact {
			t.Errorf("%+v", first)
		}
		want := []hub.VenuePosition{
			{Instrument: rb, Direction: hub.Long, Today: hub.Int(2), Price: hub.Int(3100)},
			{Instrument: rb, Direction: hub.Short, Today: hub.Int(2), Price: hub.Int(3100)},
		}
		if !slices.Equal(second.Positions, want) || second.Day != "20261120" {
			t.Errorf("%+v on %s", second.Positions, second.Day)
		}
		if m := second.Money[0]; m.Currency != "CNY" || !m.Balance.Less(hub.Int(1_000_000)) || m.Margin.IsZero() || !m.Available.Less(m.Balance) {
			t.Errorf("%+v", m)
		}
	})
}

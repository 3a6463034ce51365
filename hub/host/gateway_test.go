package host_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/host"
)

func TestGateway(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	w.awaitLine(t, "SIM up with 1", 1)
	want := contract("rb2610")
	want.Gateway = "SIM"
	if diff := cmp.Diff([]hub.Contract{want}, w.lists[0], cmp.Comparer(func(a, b hub.Decimal) bool { return a == b })); diff != "" {
		t.Errorf("contracts (-want +got):\n%s", diff)
	}

	w.Send(permit(order(1, "GBK \xb7\xb5")))
	w.awaitLine(t, "SIM report 2 of 1: GBK \uFFFD", 1)
	if got, want := w.reported()[0], (hub.VenueReport{
		Gateway: "SIM", OrderID: "1", Kind: hub.ReportResting, VenueID: "v1", Reason: "GBK \uFFFD", Price: hub.MustDecimal("3512.5"), Qty: hub.Int(3), VenueTime: 1,
	}); got != want {
		t.Errorf("report: got %+v, want %+v", got, want)
	}

	w.Subscribe("SIM", []hub.Instrument{{Symbol: "rb2610", Exchange: "SHFE"}})
	w.awaitLine(t, "SIM tick of rb2610", 1)
	if got := w.ticks[0]; got.Last != hub.MustDecimal("3512.5") || got.Bids[0].Qty != hub.Int(7) || got.Asks[4].Price != hub.Int(3517) || got.Asks[0] != (hub.Level{}) {
		t.Errorf("tick: got %+v", got)
	}

	// The first answer is an error, so the venue is asked again; the fills are reported before the answer is given.
	w.Send(permit(order(2, "")))
	w.AskVenue("SIM", []hub.OrderID{"1", "2", "3"}, 77)
	w.awaitLine(t, "SIM answers 2 of 3, complete true", 1)
	story := w.told()
	if got, want := tail(story, 3), []string{"SIM report 3 of 1: ", "SIM report 3 of 2: ", "SIM answers 2 of 3, complete true"}; !slices.Equal(got, want) {
		t.Errorf("story: got %q, want %q", got, want)
	}
	w.mu.Lock()
	if got := w.answers[0].AskedAt; got != 77 {
		t.Errorf("the answer is to the question of %d", got)
	}
	w.mu.Unlock()

	w.Cancel(order(1, ""))
	w.awaitLine(t, "SIM report 4 of 1", 1)

	status := w.Status()[0]
	if status.State != host.Up || status.PID == 0 || status.Restarts != 0 || status.LastError != "" || status.Version == "" {
		t.Errorf("status: got %+v", status)
	}
}

// TestStatement shows that a statement comes whole, after the gateway is up, in however many parts it went.
func TestStatement(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", map[string]any{"positions": 1201}), nil)
	w.awaitLine(t, "SIM states 1201 positions", 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if up, stated := slices.Index(w.story, "SIM up with 1"), slices.Index(w.story, "SIM states 1201 positions"); up < 0 || stated < up {
		t.Errorf("story: %q", w.story)
	}
	got := w.statements[0]
	last := hub.VenuePosition{Instrument: contract("rb2610").Instrument, Direction: hub.Long, Today: hub.Int(1200), Price: hub.MustDecimal("3512.5")}
	if got.Gateway != "SIM" || got.Day != "20261123" || !got.Exact || got.Positions[1200] != last || got.Money[0].Balance != hub.MustDecimal("0.1") {
		t.Errorf("got %+v of %s, %s, exact %t, %+v", got.Positions[1200], got.Gateway, got.Day, got.Exact, got.Money)
	}
}

func TestGatewayManyContracts(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", map[string]any{"contracts": 25_000}), nil)
	w.awaitLine(t, "SIM up with 25000", 1)
	if got := w.lists[0][24_999].Symbol; got != "c24998" {
		t.Errorf("last contract: got %s", got)
	}
}

func TestHistory(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	w.awaitLine(t, "SIM up", 1)
	request := hub.HistoryRequest{Instrument: hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"}, Start: 1, End: 1 + hub.Time(2499*time.Minute), Interval: hub.Minute}
	bars, err := w.History(t.Context(), "SIM", request)
	if err != nil || len(bars) != 2500 {
		t.Fatalf("got %d bars and %v, want 2500", len(bars), err)
	}
	if got := bars[2499]; got.Close != hub.Int(2499) || got.Gateway != "SIM" || got.Symbol != "rb2610" || got.Interval != hub.Minute {
		t.Errorf("last bar: got %+v", got)
	}
	request.Start, request.End = 5, 1
	if bars, err := w.History(t.Context(), "SIM", request); err != nil || len(bars) != 0 {
		t.Errorf("no time at all: got %d bars and %v", len(bars), err)
	}
	request.Symbol = "none"
	if _, err := w.History(t.Context(), "SIM", request); err == nil || err.Error() != "history of none.SHFE from gateway SIM: no such contract" {
		t.Errorf("unknown contract: got %v", err)
	}
	if _, err := w.History(t.Context(), "CTP", request); err == nil || err.Error() != "there is no gateway CTP" {
		t.Errorf("unknown gateway: got %v", err)
	}

	// Requests that take forever do not delay others, are bounded, and end with their context.
	request.Symbol = "never"
	ctx, cancel := context.WithCancel(t.Context())
	ends := make(chan error)
	for range host.HistoriesMax {
		go func() { _, err := w.History(ctx, "SIM", request); ends <- err }()
	}
	w.Send(permit(order(1, "")))
	w.awaitLine(t, "SIM report 2 of 1", 1)
	for {
		_, err := w.History(cancelled(t), "SIM", request)
		if err != nil && strings.Contains(err.Error(), "48 requests are waiting already") {
			break
		}
	}
	cancel()
	for range host.HistoriesMax {
		if err := <-ends; err == nil || !strings.Contains(err.Error(), "context canceled") {
			t.Errorf("cancelled: got %v", err)
		}
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestSendNeedsADecision(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	defer func() {
		if got := recover(); got != "host: an order without a decision" {
			t.Errorf("panic: got %v", got)
		}
	}()
	w.Send(gate.Permit{})
}

// TestGatewayDoesNotStart shows every way in which a program is not a gateway, and what the operator is told.
func TestGatewayDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	place := func(name string, dirMode, mode os.FileMode) string {
		t.Helper()
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(at, "plugin")
		if err := os.WriteFile(path, []byte("no program"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at, dirMode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name, path, program, want string
		settings                  map[string]any
		start                     time.Duration
	}{
		{name: "missing", path: filepath.Join(dir, "nowhere"), want: "there is no program " + dir + `/nowhere; "make build" builds the plugins`},
		{name: "folder", path: dir, want: dir + " is not a program"},
		{name: "not executable", path: place("a", 0o755, 0o644), want: "is not executable: chmod +x " + dir + "/a/plugin"},
		{name: "writable", path: place("b", 0o755, 0o757), want: "is writable by everybody: chmod o-w " + dir + "/b/plugin"},
		{name: "writable folder", path: place("c", 0o777, 0o755), want: "who could put another program in the place of " + dir + "/c/plugin: chmod o-w " + dir + "/c"},
		{name: "no program at all", path: place("d", 0o755, 0o755), want: "it cannot be started: "},
		{name: "prints", program: "gateway-noisy", want: `it printed "hello from a print" on stdout before its handshake; a plugin's stdout is for the handshake, its log is Env.Log`},
		{name: "version", program: "gateway-wrong-version", want: "it speaks version 99 of the plugin protocol, and this hub speaks version 1: build both from the same source"},
		{name: "exits", program: "gateway-exits", want: "it ended before its handshake: exit status 4: cannot open the licence file"},
		{name: "mute", program: "gateway-mute", want: "no handshake within 200ms", start: 200 * time.Millisecond},
		{name: "kind", program: "risk-book", want: "it is no gateway, but a plugin of another kind"},
		{name: "refuses", program: "gateway-echo", settings: map[string]any{"refuse": "the account is closed"}, want: "the account is closed"},
		{name: "setting", program: "gateway-echo", settings: map[string]any{"contrats": 7}, want: "contrats: unknown setting (did you mean contracts?)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := program(t, "SIM", test.program, test.settings)
			if test.path != "" {
				config.Path, config.Args = test.path, nil
			}
			times := calm()
			times.Start = test.start
			w := start(t, times, []host.PluginConfig{config}, nil)
			if got := w.awaitLine(t, "SIM down: ", 1); !strings.Contains(got, test.want) {
				t.Errorf("reason: got %q, want %q in it", got, test.want)
			}
			w.Send(permit(order(1, "")))
			w.awaitLine(t, "SIM report 7 of 1: gateway SIM is down: ", 1)
			w.Cancel(order(2, ""))
			w.awaitLine(t, "SIM report 8 of 2: gateway SIM is down: ", 1)
			if _, err := w.History(t.Context(), "SIM", hub.HistoryRequest{}); err == nil || !strings.Contains(err.Error(), "it is down: ") {
				t.Errorf("history: got %v", err)
			}
			if err := w.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if w.has("SIM up") {
				t.Error("the gateway was up")
			}
		})
	}
}

// TestGatewayDies shows that a process that dies is replaced, that the hub is told why, and that nothing is sent twice.
func TestGatewayDies(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(w *world)
		want []string
		log  string
		run  func(t *host.Times) // what runs out
	}{
		{"exit", func(w *world) { w.Send(permit(order(1, "exit"))) }, []string{"its process died: exit status 7"}, "", nil},
		{
			"panic", func(w *world) { w.Send(permit(order(1, "panic"))) },
			[]string{"its process died: exit status 2: panic: the author made a mistake"},
			"[ERROR] SIM: goroutine ", nil,
		},
		{"hang", func(w *world) { w.Send(permit(order(1, "hang"))) }, []string{"its Submit has not returned for "}, "", func(t *host.Times) { t.GatewayBusy = 500 * time.Millisecond }},
		{"kill", func(w *world) { _ = syscall.Kill(w.Status()[0].PID, syscall.SIGKILL) }, []string{"its process died: signal: killed"}, "", nil},
		{"freeze", func(w *world) { _ = syscall.Kill(w.Status()[0].PID, syscall.SIGSTOP) }, []string{"no sign of life for "}, "", func(t *host.Times) { t.PongWithin = time.Second }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			times := calm()
			if test.run != nil {
				test.run(&times)
			}
			w := start(t, times, sim(t, "gateway-echo", nil), nil)
			w.awaitLine(t, "SIM up", 1)
			w.Subscribe("SIM", []hub.Instrument{{Symbol: "rb2610", Exchange: "SHFE"}})
			w.awaitLine(t, "SIM tick", 1)
			first := w.Status()[0].PID
			test.end(w)
			got := w.awaitLine(t, "SIM down: ", 1)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("reason: got %q, want %q in it", got, want)
				}
			}
			w.awaitLine(t, "SIM up", 2)
			w.awaitLine(t, "SIM tick", 2) // what was subscribed to still is
			status := w.Status()[0]
			if status.PID == first || status.Restarts == 0 || !strings.HasSuffix(got, status.LastError) {
				t.Errorf("status: got %+v after %q", status, got)
			}
			if alive(first) {
				t.Errorf("process %d is still there", first)
			}
			w.AskVenue("SIM", []hub.OrderID{"1"}, 0)
			w.awaitLine(t, "SIM answers 0 of 1, complete true", 1)
			if w.has("SIM report 7 of 1") {
				t.Error("an order that was sent came back as not sent")
			}
			if !strings.Contains(w.log.String(), test.log) {
				t.Errorf("log: got\n%s\nwant %q in it", w.log, test.log)
			}
		})
	}
}

// TestGatewayQueue shows what happens to orders that a gateway does not take: those for which there is no room come back at once, those that were never sent
// when the process dies, and those that were sent are left for the venue to tell.
func TestGatewayQueue(t *testing.T) {
	const window = 1024
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(0, "hang")))
	n := window + host.GatewayQueueMax + 500
	for i := 1; i < n; i++ {
		w.Send(permit(order(i, "")))
	}
	reason := fmt.Sprintf("gateway SIM is too slow: %d orders wait for it", host.GatewayQueueMax)
	w.await(t, "orders that found no room", func() bool { return len(w.reports) >= 500 })
	for _, report := range w.reported()[:500] {
		if report.Kind != hub.ReportNotSent || report.Reason != reason {
			t.Fatalf("got %+v, want %q", report, reason)
		}
	}
	// The queue may have been read while it was filled, so a few more or less had room.
	w.await(t, "the window to be full", func() bool { s := w.statusWithout(w.Host); return s.Underway == window })
	_ = syscall.Kill(w.Status()[0].PID, syscall.SIGKILL)
	w.await(t, "orders that were never sent", func() bool { return len(w.reports) == n-window })
	w.awaitLine(t, "SIM up", 2)
	seen := map[hub.OrderID]bool{}
	for _, report := range w.reported() {
		if report.Kind != hub.ReportNotSent || seen[report.OrderID] {
			t.Fatalf("got %+v, seen before: %t", report, seen[report.OrderID])
		}
		seen[report.OrderID] = true
	}
	if seen["0"] || seen["1023"] {
		t.Error("an order that was sent came back as not sent")
	}
	w.AskVenue("SIM", []hub.OrderID{"0", "5000"}, 0)
	w.awaitLine(t, "SIM answers 0 of 2, complete true", 1)
}

// TestWithhold takes back what waits for a slow gateway, and nothing else: not what its process has, not what others sent, not cancels.
func TestWithhold(t *testing.T) {
	const window = 1024
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(0, "hang")))
	for i := 1; i < window; i++ {
		w.Send(permit(order(i, "")))
	}
	w.await(t, "the window to be full", func() bool { s := w.statusWithout(w.Host); return s.Underway == window })
	for i := window; i < window+40; i++ {
		o := order(i, "")
		switch i % 4 {
		case 1:
			o.Trader = "beta"
		case 2:
			o.Offset = hub.Close
		case 3:
			o.Symbol = "hc2610"
		}
		w.Send(permit(o))
	}
	w.Cancel(order(window, ""))
	waiting := func() int { return w.Status()[0].Queue }
	for _, step := range []struct {
		part    hub.Part
		opening bool
		left    int
	}{
		{hub.Part{Trader: "gamma"}, false, 41},
		{hub.Part{Gateway: "CTP"}, false, 41},
		{hub.Part{Trader: "alpha", Instrument: hub.Instrument{Symbol: "hc2610", Exchange: "SHFE"}}, false, 31},
		{hub.Part{Trader: "alpha"}, true, 21},
		{hub.Part{Gateway: "SIM"}, true, 11},
		{hub.Part{}, false, 1},
	} {
		w.Withhold(step.part, step.opening, "stopped")
		if got := waiting(); got != step.left {
			t.Errorf("%v, opening %t: %d wait, want %d", step.part, step.opening, got, step.left)
		}
	}
	w.await(t, "40 orders to come back", func() bool { return len(w.reports) == 40 })
	for _, r := range w.reported() {
		if r.Kind != hub.ReportNotSent || r.Reason != "stopped" {
			t.Fatalf("got %+v", r)
		}
	}
}

// statusWithout asks the host while the recorder is locked, and has the recorder looked at again soon.
func (r *recorder) statusWithout(h *host.Host) host.PluginStatus {
	r.mu.Unlock()
	defer r.mu.Lock()
	time.AfterFunc(5*time.Millisecond, r.changed.Broadcast)
	return h.Status()[0]
}

func TestVenueDown(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(1, "venue down")))
	w.awaitLine(t, "SIM down: the venue closed the connection", 1)
	if got := w.Status()[0]; got.State != host.Disconnected || got.Reason != "the venue closed the connection" {
		t.Errorf("status: got %+v", got)
	}
	w.Send(permit(order(2, "")))
	w.awaitLine(t, "SIM report 7 of 2: gateway SIM is down: the venue closed the connection", 1)
	w.AskVenue("SIM", []hub.OrderID{"1"}, 0) // forgotten
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if w.has("SIM answers") {
		t.Error("a venue that is down answered")
	}
}

func TestUnknownGateway(t *testing.T) {
	w := start(t, calm(), nil, nil)
	stray := order(1, "")
	stray.Gateway = "CTP"
	w.Send(permit(stray))
	w.awaitLine(t, "CTP report 7 of 1: there is no gateway CTP", 1)
	w.Cancel(stray)
	w.awaitLine(t, "CTP report 8 of 1: there is no gateway CTP", 1)
	w.Subscribe("CTP", nil)
	w.AskVenue("CTP", []hub.OrderID{"1"}, 0)
}

// TestGatewayGarbled shows that a gateway that sends what cannot be is not believed.
func TestGatewayGarbled(t *testing.T) {
	for garbage, want := range map[string]string{
		"price":     `it sent garbage: report of order 1: price: "NaN" is not a decimal number`,
		"kind":      "it sent garbage: report of order 1: kind: there is no 7",
		"enum":      "it sent garbage: contract x.Y: kind: there is no 258",
		"levels":    "bids: 6 levels, at most 5",
		"up":        "it sent garbage: it said that it is up before it named any contracts",
		"empty":     "it sent garbage: an event without content",
		"position":  `it sent garbage: statement: position in x.Y: today: "two" is not a decimal number`,
		"money":     `it sent garbage: statement: balance: "much" is not a decimal number`,
		"positions": "it sent garbage: a statement of more than 1000000 positions",
		"taken":     "it sent garbage: it says that 5 commands are done, after 0, of 0",
		"large":     "it sent a message that is too large: ",
		"silent":    "no sign of life for ",
	} {
		t.Run(garbage, func(t *testing.T) {
			t.Parallel()
			times := calm()
			if garbage == "silent" {
				times.PongWithin = 200 * time.Millisecond
			}
			w := start(t, times, sim(t, "gateway-garbled", map[string]any{"garbage": garbage}), nil)
			if got := w.awaitLine(t, "SIM down: ", 1); !strings.Contains(got, want) {
				t.Errorf("reason: got %q, want %q in it", got, want)
			}
		})
	}
}

// TestGatewayLog shows that a plugin's log lines come into the hub's with its name and level, and that nothing that it writes anywhere can do harm.
func TestGatewayLog(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-chatty", nil), nil)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(1, "")))
	w.awaitLine(t, "SIM report 2 of 1", 1)
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	log := w.log.String()
	for _, want := range []string{
		"[INFO]  SIM: from the plugin's log: key=value",
		`[WARN]  SIM: the plugin wrote to its stdout, not to its log: line="a print after the handshake"`,
		`[WARN]  SIM: the plugin wrote to its stderr, not to its log: line="a line on stderr"`,
		`[INFO]  SIM: {"@message": 5, "@level": ["x"]}`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log: got\n%s\nwant %s in it", clipped(log), want)
		}
	}
	if strings.Contains(log, "too low a level") {
		t.Error("log: a line of a level that is not kept")
	}
	if len(log) > 300<<10 {
		t.Errorf("log: %d bytes", len(log))
	}
}

func clipped(log string) string {
	var b bytes.Buffer
	for line := range strings.Lines(log) {
		b.WriteString(line[:min(len(line), 200)])
	}
	return b.String()
}

// TestBackPressure shows that a hub that does not take reports makes the gateway wait, and does not take it for dead meanwhile.
func TestBackPressure(t *testing.T) {
	times := calm()
	times.PongWithin = 1500 * time.Millisecond
	hold := make(chan struct{})
	w := start(t, times, sim(t, "gateway-echo", nil), nil, func(r *recorder) { r.hold = hold })
	w.awaitLine(t, "SIM up", 1)
	const n = 8000 // more than the host keeps for the hub
	for i := range n {
		w.Send(permit(order(i, "")))
	}
	deadline := time.Now().Add(times.PongWithin + times.PongWithin/3)
	w.await(t, "pings to go unanswered for a while", func() bool { _ = w.statusWithout(w.Host); return time.Now().After(deadline) })
	close(hold)
	w.await(t, "all reports", func() bool { return len(w.reports) == n })
	for i, report := range w.reported() {
		if report.OrderID != hub.OrderID(fmt.Sprint(i)) || report.Kind != hub.ReportResting {
			t.Fatalf("report %d: got %d of %s", i, report.Kind, report.OrderID)
		}
	}
	if w.has("SIM down") {
		t.Error("the gateway was taken for dead")
	}
}

// TestGatewayDeclaresWhatItsChannelTakes: though it was up before it had started.
func TestGatewayDeclaresWhatItsChannelTakes(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", map[string]any{"messages": 50}), nil)
	w.awaitLine(t, "SIM takes [50/1s 600/1m0s]", 1)
}

// TestGatewayDeclaresNonsense, and is told so: what no venue means would be no limit at all.
func TestGatewayDeclaresNonsense(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", map[string]any{"messages": -1}), nil)
	w.awaitLine(t, "SIM down: it sent garbage: a message limit of 0/1s: it must be from 1 to 1000000 messages in 10ms to 1h0m0s", 1)
}

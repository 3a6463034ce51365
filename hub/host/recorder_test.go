package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/host"
	"tradehub/hub/policy"
	"tradehub/plugins"
)

// recorder is the hub of a test: it writes down what it is told, in order.
type recorder struct {
	mu         sync.Mutex
	changed    sync.Cond
	story      []string
	reports    []hub.VenueReport
	lists      [][]hub.Contract
	ticks      []hub.Tick
	answers    []hub.Reconcile
	statements []hub.VenueStatement
	numbers    []hub.Number
	needs      []func(hub.RiskBook)

	book *hub.RiskBook // given at once when a manager needs one; nil: the test gives it
	hold chan struct{} // when there, Report waits until it is closed
}

func newRecorder() *recorder {
	r := &recorder{book: &hub.RiskBook{Currency: "CNY", Contracts: []hub.Contract{contract("rb2610")}, Day: "20261123"}}
	r.changed.L = &r.mu
	return r
}

func (r *recorder) note(change func(), format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if change != nil {
		change()
	}
	r.story = append(r.story, fmt.Sprintf(format, args...))
	r.changed.Broadcast()
}

func (r *recorder) GatewayUp(g hub.GatewayName, contracts []hub.Contract) {
	r.note(func() { r.lists = append(r.lists, contracts) }, "%s up with %d", g, len(contracts))
}

func (r *recorder) Declared(g hub.GatewayName, limits []hub.MessageLimit, amends bool) {
	if len(limits) > 0 {
		r.note(nil, "%s takes %v", g, limits)
	}
	if amends {
		r.note(nil, "%s amends", g)
	}
}

func (r *recorder) GatewayDown(g hub.GatewayName, reason string) {
	r.note(nil, "%s down: %s", g, reason)
}

func (r *recorder) Contracts(g hub.GatewayName, contracts []hub.Contract) {
	r.note(nil, "%s lists %d", g, len(contracts))
}

func (r *recorder) Report(v hub.VenueReport) {
	if r.hold != nil {
		<-r.hold
	}
	r.note(func() { r.reports = append(r.reports, v) }, "%s report %d of %s: %s", v.Gateway, v.Kind, v.OrderID, v.Reason)
}

func (r *recorder) Reconciled(a hub.Reconcile) {
	r.note(func() { r.answers = append(r.answers, a) }, "%s answers %d of %d, complete %t", a.Gateway, len(a.Orders), len(a.Asked), a.Complete)
}

func (r *recorder) Statement(s hub.VenueStatement) {
	r.note(func() { r.statements = append(r.statements, s) }, "%s states %d positions", s.Gateway, len(s.Positions))
}

func (r *recorder) Tick(t hub.Tick) {
	r.note(func() { r.ticks = append(r.ticks, t) }, "%s tick of %s", t.Gateway, t.Symbol)
}

func (r *recorder) ManagerUp(name string)           { r.note(nil, "%s up", name) }
func (r *recorder) ManagerDown(name, reason string) { r.note(nil, "%s down: %s", name, reason) }

func (r *recorder) ManagerNeedsBook(name string, deliver func(hub.RiskBook)) {
	r.note(func() { r.needs = append(r.needs, deliver) }, "%s needs its book", name)
	if r.book != nil {
		deliver(*r.book)
	}
}

func (r *recorder) Numbers(name string, numbers []hub.Number) {
	r.note(func() { r.numbers = numbers }, "%s numbers", name)
}

// patience is far longer than anything here takes; it only ends a test that would never end.
const patience = 60 * time.Second

// await waits until the condition, which is asked under the lock after every event, holds.
func (r *recorder) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	expired := false
	timer := time.AfterFunc(patience, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		expired = true
		r.changed.Broadcast()
	})
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !holds() {
		if expired {
			t.Fatalf("waited for %s in vain; the story so far:\n%s", what, strings.Join(tail(r.story, 30), "\n"))
		}
		r.changed.Wait()
	}
}

func tail(s []string, n int) []string { return s[max(0, len(s)-n):] }

// awaitLine waits for a line of the story that begins like this, n times, and returns the last of them.
func (r *recorder) awaitLine(t *testing.T, begins string, n int) (line string) {
	t.Helper()
	r.await(t, fmt.Sprintf("%q, %d times", begins, n), func() bool {
		seen := 0
		for _, l := range r.story {
			if strings.HasPrefix(l, begins) {
				if seen++; seen == n {
					line = l
					return true
				}
			}
		}
		return false
	})
	return line
}

func (r *recorder) reported() []hub.VenueReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.reports)
}

func (r *recorder) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.story)
}

func (r *recorder) has(begins string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.story, func(l string) bool { return strings.HasPrefix(l, begins) })
}

// logBook is a log that a test reads.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// calm is a host's patience for tests in which nothing is to run out, however busy the machine is.
func calm() host.Times {
	return host.Times{
		Start: patience, PingEvery: 20 * time.Millisecond, PongWithin: patience, GatewayBusy: patience, ManagerBusy: patience, Stop: patience,
		BackOffMin: 10 * time.Millisecond, BackOffMax: 50 * time.Millisecond, AskRetry: 20 * time.Millisecond, AskLost: patience,
	}
}

// world is a host with its recorder and its log.
type world struct {
	*host.Host
	*recorder
	log *logBook
}

// program is the configuration of one of the test's programs.
func program(t testing.TB, name, program string, settings map[string]any) host.PluginConfig {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return host.PluginConfig{
		Name: name, Path: path, Args: []string{program}, Dir: filepath.Join(t.TempDir(), name), Settings: plugins.MustSettings(settings), Deadline: patience,
	}
}

// start starts a host that is stopped at the end of the test.
func start(t testing.TB, times host.Times, gateways, managers []host.PluginConfig, with ...func(*recorder)) *world {
	t.Helper()
	w := &world{recorder: newRecorder(), log: &logBook{}}
	for _, f := range with {
		f(w.recorder)
	}
	w.Host = host.New(host.Options{
		Gateways: gateways, Managers: managers, Events: w.recorder, Times: times,
		Log: hclog.New(&hclog.LoggerOptions{Output: w.log, Level: hclog.Info, DisableTime: true}),
	})
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(t.Context()) }) // a test that wants to know stops by itself
	return w
}

func sim(t testing.TB, programName string, settings map[string]any) []host.PluginConfig {
	return []host.PluginConfig{program(t, "SIM", programName, settings)}
}

func margin(t testing.TB, programName string, settings map[string]any) []host.PluginConfig {
	return []host.PluginConfig{program(t, "margin", programName, settings)}
}

// nothing is a market in which nothing is known.
type nothing struct{}

func (x nothing) Value(ref *policy.Ref) *policy.Value {
	v := x.value(ref)
	return &v
}

func (nothing) value(*policy.Ref) policy.Value { return policy.Truth(true) }

// permits makes permits the only way there is: by a decision.
var permits = sync.OnceValue(func() *policy.Rules {
	files := []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: all, require: order.reduces, because: no}\n"},
		{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - {name: all, require: order.reduces, because: no}\n"},
		{Name: "traders/beta.yaml", Text: "policy: trader\ntrader: beta\nrules:\n  - {name: all, require: order.reduces, because: no}\n"},
	}
	rules, errs := policy.Compile(files)
	if len(errs) > 0 {
		panic(fmt.Sprint(errs))
	}
	return rules
})

func permit(order hub.Order) gate.Permit {
	p, refusals := gate.Decide(gate.Case{Order: order, Rules: permits(), Source: nothing{}}) //nolint:forbidigo // a test needs permits, and there is no other way to one
	if len(refusals) > 0 {
		panic(fmt.Sprint(refusals))
	}
	return p
}

func order(id int, reference string) hub.Order {
	return hub.Order{
		ID: hub.OrderID(fmt.Sprint(id)), Trader: "alpha", Gateway: "SIM", Status: hub.Submitted, Time: hub.Time(id),
		OrderRequest: hub.OrderRequest{
			Instrument: hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"}, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit,
			Price: hub.MustDecimal("3512.5"), Qty: hub.Int(3), Reference: reference,
		},
	}
}

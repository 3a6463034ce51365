package runner_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/gate"
	"tradehub/hub/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	d  = hub.MustDecimal
	rb = hub.Contract{
		Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Gateway: "SIM", Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: d("10"), Tick: d("1"),
		MinQty: d("1"), SplitsToday: true, MarginLong: d("0.1"), MarginShort: d("0.1"),
	}
	buy = hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("2")}
)

// plugins is a venue and a risk manager that do what a test tells them.
type plugins struct {
	mu         sync.Mutex
	sent       []hub.Order
	cancelled  []hub.OrderID
	asked      [][]hub.OrderID
	askedAt    uint64
	subscribed []hub.Instrument
	seen       []hub.RiskEvent
	news       chan string // a line for everything that happens

	verdicts func(hub.Candidate) []hub.Verdict
	later    chan func([]hub.Verdict)
}

func newPlugins() *plugins { return &plugins{news: make(chan string, 1000)} }

func (p *plugins) note(format string, args ...any) { p.news <- fmt.Sprintf(format, args...) }

func (p *plugins) Send(permit gate.Permit) {
	p.mu.Lock()
	p.sent = append(p.sent, permit.Order())
	p.mu.Unlock()
	p.note("send %s", permit.Order().ID)
}

func (p *plugins) Amend(permit gate.Permit) {
	o := permit.Order()
	p.note("amend %s %d to %s at %s", o.ID, o.Amendment.Number, o.Amendment.Qty, o.Amendment.Price)
}

func (p *plugins) Cancel(o hub.Order) {
	p.mu.Lock()
	p.cancelled = append(p.cancelled, o.ID)
	p.mu.Unlock()
	p.note("cancel %s", o.ID)
}

func (p *plugins) Withhold(part hub.Part, opening bool, why string) {
	p.note("withhold %s %t %s", part, opening, why)
}

func (p *plugins) AskVenue(_ hub.GatewayName, ids []hub.OrderID, askedAt uint64) {
	p.mu.Lock()
	p.asked, p.askedAt = append(p.asked, ids), askedAt
	p.mu.Unlock()
	p.note("ask %v", ids)
}

// lastAsked is what the answer to the last question has to say.
func (p *plugins) lastAsked() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.askedAt
}

func (p *plugins) Subscribe(_ hub.GatewayName, is []hub.Instrument) {
	p.mu.Lock()
	p.subscribed = append(p.subscribed, is...)
	p.mu.Unlock()
	p.note("subscribe %v", is)
}

func (p *plugins) History(context.Context, hub.GatewayName, hub.HistoryRequest) ([]hub.Bar, error) {
	return []hub.Bar{{Instrument: rb.Instrument}}, nil
}

func (p *plugins) Judge(c hub.Candidate, done func([]hub.Verdict)) {
	if p.later != nil {
		p.later <- done
		return
	}
	if p.verdicts == nil {
		done(nil)
		return
	}
	done(p.verdicts(c))
}

func (p *plugins) Observe(e hub.RiskEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, e)
}

// wait waits for a line that begins so.
func (p *plugins) wait(t *testing.T, prefix string) string {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case line := <-p.news:
			if strings.HasPrefix(line, prefix) {
				return line
			}
		case <-deadline:
			t.Fatalf("nothing like %q happened", prefix)
		}
	}
}

// screen is what the traders see.
type screen struct {
	mu     sync.Mutex
	orders map[hub.OrderID]hub.Order
	news   chan string
}

func newScreen() *screen {
	return &screen{orders: map[hub.OrderID]hub.Order{}, news: make(chan string, 1000)}
}

func (s *screen) note(format string, args ...any) { s.news <- fmt.Sprintf(format, args...) }

func (s *screen) Order(o hub.Order) {
	s.mu.Lock()
	s.orders[o.ID] = o
	s.mu.Unlock()
	doubt := ""
	if o.InDoubt {
		doubt = " in doubt"
	}
	s.note("order %s %s%s", o.ID, o.Status, doubt)
}
func (s *screen) Trade(t hub.Trade) { s.note("trade %s", t.ID) }
func (s *screen) Positions(trader hub.TraderName, ps []hub.Position) {
	for _, p := range ps {
		s.note("position %s %s %s", trader, p.Direction, p.Qty)
	}
}
func (s *screen) Account(a hub.Account)      { s.note("account %s %s", a.Trader, a.Balance) }
func (s *screen) Contracts(c []hub.Contract) { s.note("contracts %d", len(c)) }
func (s *screen) Tick(t hub.Tick)            { s.note("tick %s", t.Last) }
func (s *screen) Log(l runner.LogLine)       { s.note("log %s: %s", l.Trader, l.Text) }

func (s *screen) wait(t *testing.T, part string) string {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case line := <-s.news:
			if strings.Contains(line, part) {
				return line
			}
		case <-deadline:
			t.Fatalf("no trader saw %q", part)
		}
	}
}

// house is a hub in a test: a real journal on disk, plugins and screens that obey.
type house struct {
	t *testing.T
	*runner.Runner
	*plugins
	screen *screen
	opts   runner.Options
	free   atomic.Int64
	clock  atomic.Int64
}

const policyText = `policy: trader
trader: alpha
rules:
  - {name: quantity, require: order.quantity <= 10}
  - {name: collar, require: abs(order.price - market.last) <= 100}
`

// calendars are those that a hub has unless it is told otherwise.
func calendars() *calendar.Set {
	all, errs := calendar.Read(nil)
	if len(errs) > 0 {
		panic(errs[0])
	}
	of := map[string]*calendar.Calendar{}
	for _, x := range calendar.Exchanges() {
		of[x.Exchange] = all[x.Calendar]
	}
	return calendar.NewSet(all["cn-futures"], of)
}

func files(more ...string) []hub.PolicyFile {
	return []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: value, require: order.value <= 1_000_000}\n" + strings.Join(more, "")},
		{Name: "traders/alpha.yaml", Text: policyText},
	}
}

func open(t *testing.T, dir string, change func(*runner.Options)) *house {
	t.Helper()
	h := &house{t: t, plugins: newPlugins(), screen: newScreen()}
	h.free.Store(1 << 40)
	h.clock.Store(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC).UnixNano())
	h.opts = runner.Options{
		Dir: dir, Calendars: calendars(), MarkEvery: 5 * time.Millisecond, FirstTick: 20 * time.Millisecond,
		SetUp: hub.SetUp{Fund: "f", Currency: "CNY", Gateways: []hub.GatewayName{"SIM"}, Traders: []hub.TraderSetUp{{Name: "alpha", Capital: d("1000000")}}},
		Clock: func() time.Time { return time.Unix(0, h.clock.Load()) },
		Free:  func(string) (int64, error) { return h.free.Load(), nil },
	}
	if change != nil {
		change(&h.opts)
	}
	r, err := runner.Open(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	h.Runner = r
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := r.Start(ctx, h.plugins, h.screen, files()); err != nil {
		r.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return h
}

func (h *house) up() {
	h.GatewayUp("SIM", []hub.Contract{rb})
	h.screen.wait(h.t, "gateway SIM is up")
}

func (h *house) tick(last string) {
	h.OnTick(hub.Tick{Instrument: rb.Instrument, Gateway: "SIM", Last: d(last)})
}

func (h *house) submit(req hub.OrderRequest) (hub.OrderID, error) {
	h.t.Helper()
	type answer struct {
		id  hub.OrderID
		err error
	}
	answers := make(chan answer, 2)
	h.Submit("alpha", "", req, func(id hub.OrderID, _ hub.GatewayName, err error) { answers <- answer{id, err} })
	select {
	case a := <-answers:
		return a.id, a.err
	case <-time.After(10 * time.Second):
		h.t.Fatal("no answer")
		return "", nil
	}
}

// A hub says that it is ready, and opens the traders' addresses, when GatewayUp has returned: a VeighNa asks for contracts once.
func TestGatewayIsUpWhenItIsSaidToBe(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.GatewayUp("SIM", []hub.Contract{rb})
	if g, k := h.Gateways(), h.Contracts(); !g[0].Up || len(k) != 1 {
		t.Errorf("%+v and %d contracts, want it up with 1", g, len(k))
	}
}

// A gateway may say that it is up before its Start has returned, and only then what its channel takes.
func TestGatewayDeclaresWhatItsChannelTakes(t *testing.T) {
	for _, upFirst := range []bool{true, false} {
		h := open(t, t.TempDir(), nil)
		limits := []hub.MessageLimit{{Messages: 50, Window: time.Second}}
		if upFirst {
			h.up()
			h.Declared("SIM", limits, false)
			h.screen.wait(t, "gateway SIM takes 50 messages in 1s; 10 are kept for cancels, the traders share the rest")
		} else {
			h.Declared("SIM", limits, false)
			h.GatewayUp("SIM", []hub.Contract{rb})
		}
		if got := h.Budgets("SIM"); len(got) != 1 || got[0].Limit != limits[0] || len(got[0].Shares) != 1 || got[0].Shares[0].Own != 40 {
			t.Errorf("up first %t: %+v", upFirst, got)
		}
	}
}

func TestOrderThereAndBack(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t1", Price: d("3499"), Qty: d("2")})
	h.screen.wait(t, "order "+string(id)+" FILLED")
	h.screen.wait(t, "trade t1")
	h.screen.wait(t, "position alpha LONG 2")
	h.tick("3510") // a mark of its own
	h.screen.wait(t, "account alpha 1000220")
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

// Two gateways that trade one contract have markets of their own, and what is held at each is worth what it is worth there.
func TestPositionsAreValuedWhereTheyAre(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Gateways = []hub.GatewayName{"SIM", "OTHER"} })
	h.up()
	there := rb
	there.Gateway = "OTHER"
	h.GatewayUp("OTHER", []hub.Contract{there})
	h.screen.wait(t, "gateway OTHER is up")
	for i, at := range []hub.GatewayName{"SIM", "OTHER"} {
		h.OnTick(hub.Tick{Instrument: rb.Instrument, Gateway: at, Last: d("3500")})
		ids := make(chan hub.OrderID, 1)
		h.Submit("alpha", at, buy, func(id hub.OrderID, _ hub.GatewayName, _ error) { ids <- id })
		id := <-ids
		h.plugins.wait(t, "send "+string(id))
		h.Report(hub.VenueReport{Gateway: at, OrderID: id, Kind: hub.ReportFill, TradeID: "t" + strconv.Itoa(i), Price: d("3500"), Qty: d("2")})
		h.screen.wait(t, "order "+string(id)+" FILLED")
	}
	h.OnTick(hub.Tick{Instrument: rb.Instrument, Gateway: "OTHER", Last: d("3510")}) // 2 lots of 10 t
	h.screen.wait(t, "account alpha 1000200")
	h.OnTick(hub.Tick{Instrument: rb.Instrument, Gateway: "SIM", Last: d("3450")})
	h.screen.wait(t, "account alpha 999200")
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

func TestRefusedOrderGetsAnIDAndIsTold(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	req := buy
	req.Qty = d("11")
	id, err := h.submit(req)
	if err != nil || id == "" {
		t.Fatalf("got id %q, error %v", id, err)
	}
	line := h.screen.wait(t, "log alpha: ")
	if !strings.Contains(line, "traders/alpha.yaml:4 quantity") || !strings.Contains(line, "rev "+h.Revision()) {
		t.Errorf("the trader was told %q", line)
	}
	if len(h.sent) != 0 {
		t.Errorf("sent %v", h.sent)
	}
}

func TestFirstOrderWaitsForTheFirstTick(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.FirstTick = time.Minute })
	h.up()
	got := make(chan hub.OrderID, 1)
	h.Submit("alpha", "", buy, func(id hub.OrderID, _ hub.GatewayName, _ error) { got <- id })
	h.plugins.wait(t, "subscribe [rb2701.SHFE]")
	h.tick("3500")
	id := <-got
	h.plugins.wait(t, "send "+string(id))
}

func TestNoTickIsNo(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	if _, err := h.submit(buy); err != nil {
		t.Fatal(err)
	}
	h.screen.wait(t, "market.last is missing: no tick of rb2701.SHFE yet")
}

func TestRiskManagerSaysNo(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	h.up()
	h.tick("3500")
	for _, c := range []struct {
		verdicts []hub.Verdict
		want     string
	}{
		{nil, "risk manager margin did not answer"},
		{[]hub.Verdict{{Manager: "margin", Reason: "too much"}}, "risk manager margin: too much"},
		{[]hub.Verdict{{Manager: "other", Pass: true}}, "risk manager margin did not answer"},
	} {
		h.verdicts = func(hub.Candidate) []hub.Verdict { return c.verdicts }
		if _, err := h.submit(buy); err != nil {
			t.Fatal(err)
		}
		h.screen.wait(t, c.want)
	}
	h.verdicts = func(hub.Candidate) []hub.Verdict { return []hub.Verdict{{Manager: "margin", Pass: true}} }
	id, _ := h.submit(buy)
	h.plugins.wait(t, "send "+string(id))
	h.plugins.mu.Lock()
	defer h.plugins.mu.Unlock()
	decided := 0
	for _, e := range h.seen {
		if e.Decided != nil {
			decided++
		}
	}
	if decided != 4 {
		t.Errorf("the manager was told of %d decisions of 4", decided)
	}
}

func TestRestartPutsInDoubtAndAsks(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	h.up()
	h.tick("3500")
	first, _ := h.submit(buy)
	second, _ := h.submit(buy)
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: first, Kind: hub.ReportResting})
	h.screen.wait(t, "order "+string(first)+" RESTING")
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}

	h = open(t, dir, nil)
	if len(h.sent) != 0 {
		t.Fatalf("replay sent %v", h.sent)
	}
	for _, id := range []hub.OrderID{first, second} {
		if o, ok := h.Order("alpha", id); !ok || !o.InDoubt {
			t.Errorf("order %s: got %+v", id, o)
		}
	}
	h.up()
	h.plugins.wait(t, fmt.Sprintf("ask [%s %s]", first, second))
	h.Reconciled(hub.Reconcile{Gateway: "SIM", Asked: []hub.OrderID{first, second}, Complete: true, Orders: []hub.VenueOrder{{OrderID: first, Status: hub.Resting}}})
	h.screen.wait(t, "order "+string(first)+" RESTING")
	h.screen.wait(t, "order "+string(second)+" REJECTED")
	if len(h.sent) != 0 {
		t.Errorf("sent again: %v", h.sent)
	}
}

func TestDiskNearlyFullStopsOrdersAndSaysSo(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	id, _ := h.submit(buy)
	h.free.Store(1 << 20)
	h.screen.wait(t, "log : the hub's disk is nearly full: no new orders; cancels still pass")
	if _, err := h.submit(buy); err == nil || !strings.Contains(err.Error(), "disk is nearly full") {
		t.Errorf("got %v", err)
	}
	done := make(chan error, 1)
	h.Runner.Cancel("alpha", id, "", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Errorf("cancel: %v", err)
	}
	h.plugins.wait(t, "cancel "+string(id))
	h.free.Store(1 << 40)
	h.screen.wait(t, "new orders are taken again")
	if _, err := h.submit(buy); err != nil {
		t.Error(err)
	}
}

func TestPoliciesAllOrNone(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	before := h.Revision()
	revision, errs, err := h.LoadPolicies(t.Context(), files("  - {name: broken, require: order.valu <= 1}\n"), "olivia")
	if err != nil {
		t.Fatal(err)
	}
	if len(errs) != 1 || !strings.Contains(errs[0], "fund.yaml:4:") || !strings.Contains(errs[0], "order.value") || revision != before || h.Revision() != before {
		t.Errorf("got revision %s (was %s), errors %q", revision, before, errs)
	}
	revision, errs, err = h.LoadPolicies(t.Context(), files("  - {name: tight, require: order.quantity <= 1}\n"), "olivia")
	if err != nil || len(errs) != 0 || revision == before || h.Revision() != revision {
		t.Errorf("got revision %s (was %s), errors %q, %v", revision, before, errs, err)
	}
}

func TestStartNeedsAPolicy(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	want := h.Revision()
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	bad := files("  - {name: broken, require: order.valu <= 1}\n")

	again, err := runner.Open(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := again.Start(t.Context(), newPlugins(), newScreen(), bad)
	if err != nil || len(warnings) != 1 || again.Revision() != want {
		t.Errorf("with an earlier revision: got %v, %q, revision %s, want %s", err, warnings, again.Revision(), want)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}

	unread, err := runner.Open(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	if warnings, err := unread.Start(t.Context(), newPlugins(), newScreen(), nil); err != nil || len(warnings) != 0 || unread.Revision() != want {
		t.Errorf("with none that can be read: got %v, %q, revision %s, want %s", err, warnings, unread.Revision(), want)
	}
	if err := unread.Close(); err != nil {
		t.Fatal(err)
	}

	opts := h.opts
	opts.Dir = t.TempDir()
	fresh, err := runner.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if _, err := fresh.Start(t.Context(), newPlugins(), newScreen(), nil); !errors.Is(err, runner.ErrNoPolicy) {
		t.Errorf("with none that can be read, and none before: got %v", err)
	}
	if _, err := fresh.Start(t.Context(), newPlugins(), newScreen(), bad); err == nil || !strings.Contains(err.Error(), "fund.yaml:4:") {
		t.Errorf("without: got %v", err)
	}
}

func TestDayRollsByTheCalendar(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	if got := h.Day(); got != "20261123" {
		t.Fatalf("got %s", got)
	}
	h.clock.Store(time.Date(2026, 11, 27, 10, 30, 0, 0, time.UTC).UnixNano()) // Friday 18:30 in Shanghai
	deadline := time.Now().Add(10 * time.Second)
	for h.Day() != "20261130" {
		if time.Now().After(deadline) {
			t.Fatalf("got %s", h.Day())
		}
	}
}

func TestHaltStaysUntilLifted(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	if err := h.SetState(t.Context(), hub.SetState{Scope: hub.ScopeTrader, Name: "alpha", State: hub.Halted, By: "olivia", Reason: "lunch"}); err != nil {
		t.Fatal(err)
	}
	if err := h.SetState(t.Context(), hub.SetState{Scope: hub.ScopeTrader, Name: "nobody", State: hub.Halted}); err == nil || err.Error() != "trader nobody does not exist" {
		t.Errorf("got %v", err)
	}
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir, nil)
	h.up()
	h.tick("3500")
	if _, err := h.submit(buy); err != nil {
		t.Fatal(err)
	}
	h.screen.wait(t, " by olivia: lunch")
	if err := h.SetState(t.Context(), hub.SetState{Scope: hub.ScopeTrader, Name: "alpha", By: "olivia"}); err != nil {
		t.Fatal(err)
	}
	id, _ := h.submit(buy)
	h.plugins.wait(t, "send "+string(id))
}

func TestSecondHubIsRefused(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	if _, err := runner.Open(h.opts); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestStoppingHubTakesNothing(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	h.Drain()
	if _, err := h.submit(buy); err == nil || err.Error() != "the hub is stopping" {
		t.Errorf("got %v", err)
	}
}

// TestSnapshotAndReplayAgree: a hub that began with a snapshot is in the state of one that replayed everything.
func TestSnapshotAndReplayAgree(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, func(o *runner.Options) { o.SnapshotEntries = 20 })
	h.up()
	h.tick("3500")
	for i := range 60 {
		id, err := h.submit(buy)
		if err != nil {
			t.Fatal(err)
		}
		h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: fmt.Sprint("t", i), Price: d("3500"), Qty: d("2")})
		h.screen.wait(t, "order "+string(id)+" FILLED")
	}
	want, err := h.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := runner.Open(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	deadline := time.Now().Add(10 * time.Second)
	for {
		got, err := again.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if got == want {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got digest %s, want %s", got, want)
		}
	}
}

func TestClosedHubTakesNothing(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := h.submit(buy)
	if err == nil || err.Error() != "the hub is stopping" {
		t.Errorf("got %v", err)
	}
}

// slow is a risk manager whose answers a test gives by hand.
func (h *house) slow() (answer func(pass bool)) {
	asked := make(chan func([]hub.Verdict), 100)
	h.later = asked
	return func(pass bool) {
		h.t.Helper()
		select {
		case done := <-asked:
			done([]hub.Verdict{{Manager: "margin", Pass: pass, Reason: "because"}})
		case <-time.After(10 * time.Second):
			h.t.Fatal("nobody was asked")
		}
	}
}

func TestIDComesWhileTheRiskManagerThinks(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	answer := h.slow()
	h.up()
	h.tick("3500")
	first, err := h.submit(buy)
	if err != nil || first == "" {
		t.Fatalf("got %q, %v", first, err)
	}
	second, _ := h.submit(buy)
	third, _ := h.submit(buy)
	h.screen.wait(t, "order "+string(third)+" SUBMITTED")
	if len(h.sent) != 0 {
		t.Fatalf("sent before the decision: %v", h.sent)
	}
	answer(true)
	h.plugins.wait(t, "send "+string(first))
	answer(false)
	h.screen.wait(t, "order "+string(second)+" REJECTED")
	done := make(chan error, 1)
	h.Runner.Cancel("alpha", third, "", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	answer(true)
	h.screen.wait(t, "order "+string(third)+" CANCELLED")
	if len(h.sent) != 1 {
		t.Errorf("sent %v", h.sent)
	}
}

func TestUndecidedAtARestartIsRejected(t *testing.T) {
	dir := t.TempDir()
	managed := func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} }
	h := open(t, dir, managed)
	h.slow()
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir, managed)
	if o, ok := h.Order("alpha", id); !ok || o.Status != hub.Rejected || !strings.Contains(o.Reason, "restarted before it had decided") {
		t.Errorf("got %+v, %v", o, ok)
	}
}

// TestBurstIsJudgedFirst: beyond a few at once, orders are judged before they are put on disk, and are answered all the same.
func TestBurstIsJudgedFirst(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	answer := h.slow()
	h.up()
	h.tick("3500")
	const orders = 30
	ids := make(chan hub.OrderID, orders)
	for range orders {
		h.Submit("alpha", "", buy, func(id hub.OrderID, _ hub.GatewayName, _ error) { ids <- id })
	}
	for range orders {
		answer(true)
	}
	seen := map[hub.OrderID]bool{}
	for range orders {
		seen[<-ids] = true
		h.plugins.wait(t, "send ")
	}
	if len(seen) != orders {
		t.Errorf("%d ids for %d orders", len(seen), orders)
	}
}

func TestVenueIsAskedAgainAboutDoubts(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	id, _ := h.submit(buy)
	h.plugins.wait(t, "send "+string(id))
	h.GatewayDown("SIM", "gone")
	h.GatewayUp("SIM", []hub.Contract{rb})
	h.plugins.wait(t, "ask ["+string(id))
	h.Reconciled(hub.Reconcile{Gateway: "SIM", Asked: []hub.OrderID{id}}) // it cannot say
	h.clock.Add(int64(31 * time.Second))
	h.plugins.wait(t, "ask ["+string(id))
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
	h.screen.wait(t, "order "+string(id)+" RESTING")
	h.Runner.Cancel("alpha", id, "", func(error) {})
	h.plugins.wait(t, "cancel "+string(id))
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelNotSent, Reason: "the queue is full"})
	h.screen.wait(t, "is not cancelled yet: the queue is full")
	h.clock.Add(int64(62 * time.Second))
	h.plugins.wait(t, "cancel "+string(id))
}

func TestClockBehindTheJournalIsRefused(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	h.clock.Add(-int64(time.Hour))
	again, err := runner.Open(h.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	_, err = again.Start(t.Context(), newPlugins(), newScreen(), files())
	if err == nil || !strings.Contains(err.Error(), "the journal's last entry is of 2026-11-23T02:00:00Z, and the system's clock says 2026-11-23T01:00:00Z: set the clock") {
		t.Errorf("got %v", err)
	}
}

// TestDecisionThatCannotBeSavedIsNo: the order was taken, and what was to decide about it does not get into the journal. It is refused, whatever was said of it: by the time that there
// is room, the market is another one, and the trader may have cancelled.
func TestDecisionThatCannotBeSavedIsNo(t *testing.T) {
	h, id, verdict := undecided(t)
	verdict([]hub.Verdict{{Manager: "margin", Pass: true, Reason: strings.Repeat("x", 17<<20)}}) // larger than any entry may be
	h.screen.wait(t, "order "+string(id)+" REJECTED")
	h.screen.wait(t, "the hub could not save its decision in time; the order was not sent")
	if len(h.sent) != 0 {
		t.Errorf("sent %v", h.sent)
	}
}

// undecided opens a hub with an order that is taken and waits for its verdicts.
func undecided(t *testing.T) (*house, hub.OrderID, func([]hub.Verdict)) {
	t.Helper()
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	asked := make(chan func([]hub.Verdict), 1)
	h.later = asked
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	return h, id, <-asked
}

// TestCancelWithoutRecordHolds: the journal took no cancel of an order that was not decided yet, and its owner was told that it is cancelled. It does not leave when there is room again.
func TestCancelWithoutRecordHolds(t *testing.T) {
	tooLarge := strings.Repeat("x", 17<<20) // for any entry
	for name, cancel := range map[string]func(*house, hub.OrderID) error{
		"one": func(h *house, id hub.OrderID) error {
			done := make(chan error, 1)
			h.Runner.Cancel("alpha", id, tooLarge, func(err error) { done <- err })
			return <-done
		},
		"all": func(h *house, _ hub.OrderID) error {
			n, err := h.CancelAll(t.Context(), hub.CancelAll{By: tooLarge})
			if n == 1 && err != nil && strings.Contains(err.Error(), "the venues are asked, but it is not recorded") {
				return nil
			}
			return fmt.Errorf("%d orders, %w", n, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, id, verdict := undecided(t)
			if err := cancel(h, id); err != nil {
				t.Fatal(err)
			}
			verdict([]hub.Verdict{{Manager: "margin", Pass: true}})
			h.screen.wait(t, "order "+string(id)+" REJECTED")
			h.screen.wait(t, "not sent: it was cancelled while the journal took nothing")
			if len(h.sent) != 0 {
				t.Errorf("sent %v", h.sent)
			}
		})
	}
}

// meet opens a hub whose fund cancels its own orders before others meet them, with a sell that rests.
func meet(t *testing.T) (h *house, resting hub.OrderID) {
	t.Helper()
	h = open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	h.verdicts = func(hub.Candidate) []hub.Verdict { return []hub.Verdict{{Manager: "margin", Pass: true}} }
	rules := files()
	rules[0].Text = "internal_cross: cancel_resting\n" + rules[0].Text
	if _, errs, err := h.LoadPolicies(t.Context(), rules, "test"); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	h.up()
	h.tick("3500")
	sell := buy
	sell.Direction, sell.Price = hub.Short, d("3500")
	resting, err := h.submit(sell)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(resting))
	return h, resting
}

// An order that would meet the fund's own has an id at once, waits for the cancel, and is judged anew.
func TestOrderWaitsForTheFundsOwnToBeCancelled(t *testing.T) {
	h, resting := meet(t)
	req := buy
	req.Price = d("3500")
	id, err := h.submit(req)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "cancel "+string(resting))
	h.tick("3501")
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: resting, Kind: hub.ReportCancelled})
	h.plugins.wait(t, "send "+string(id))
	h.plugins.mu.Lock()
	defer h.plugins.mu.Unlock()
	asks := map[uint64]hub.Status{}
	for _, e := range h.seen {
		if e.Decided != nil {
			asks[e.Decided.Ask] = e.Decided.Order.Status
		}
		if e.Order != nil && e.Order.ID == id {
			t.Errorf("a manager is told of an order that is not decided: %+v", e.Order)
		}
	}
	if want := map[uint64]hub.Status{1: hub.Submitted, 2: hub.Rejected, 3: hub.Submitted}; !maps.Equal(asks, want) {
		t.Errorf("the managers were told %v, want %v: the sell, the buy that came to nothing, and the buy", asks, want)
	}
}

func TestOrderDoesNotWaitForEver(t *testing.T) {
	h, resting := meet(t)
	req := buy
	req.Price = d("3500")
	id, err := h.submit(req)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "cancel "+string(resting))
	h.clock.Add(int64(runner.DefaultCrossWait))
	h.screen.wait(t, "order "+string(id)+" REJECTED")
	h.screen.wait(t, "was not cancelled in time")
}

func TestOrderThatWaitsIsCancelledByItsOwner(t *testing.T) {
	h, resting := meet(t)
	req := buy
	req.Price = d("3500")
	id, err := h.submit(req)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "cancel "+string(resting))
	done := make(chan error, 1)
	h.Runner.Cancel("alpha", id, "", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.screen.wait(t, "order "+string(id)+" CANCELLED")
}

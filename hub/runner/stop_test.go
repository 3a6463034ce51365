package runner_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/gate"
	"tradehub/hub/runner"
)

// crowd is a venue that counts, and notices what is sent after the word that should have stopped it.
type crowd struct {
	*plugins
	sent, late atomic.Int64
	stopped    atomic.Bool
}

func (c *crowd) Send(gate.Permit) {
	c.sent.Add(1)
	if c.stopped.Load() {
		c.late.Add(1)
	}
}

func (c *crowd) Cancel(hub.Order)                {}
func (c *crowd) Withhold(hub.Part, bool, string) {}
func (c *crowd) Amend(gate.Permit)               {}

// deaf is traders who do not listen.
type deaf struct{}

func (deaf) Order(hub.Order)                          {}
func (deaf) Trade(hub.Trade)                          {}
func (deaf) Positions(hub.TraderName, []hub.Position) {}
func (deaf) Account(hub.Account)                      {}
func (deaf) Contracts([]hub.Contract)                 {}
func (deaf) Tick(hub.Tick)                            {}
func (deaf) Log(runner.LogLine)                       {}

// jam opens a hub in which thousands of orders wait for the journal, and nothing is applied until let is called. Of the orders the journal's raft has at most two batches.
func jam(t *testing.T, orders int) (r *runner.Runner, c *crowd, answered *sync.WaitGroup, let func()) {
	t.Helper()
	c = &crowd{plugins: newPlugins()}
	c.later = make(chan func([]hub.Verdict), orders)
	held, in := make(chan struct{}), make(chan struct{})
	var jammed sync.Once
	opts := runner.Options{
		Dir: t.TempDir(), Calendars: calendars(),
		SetUp: hub.SetUp{
			Fund: "f", Currency: "CNY", Gateways: []hub.GatewayName{"SIM"}, Managers: []string{"margin"},
			Traders: []hub.TraderSetUp{{Name: "alpha", Capital: d("1000000000")}, {Name: "beta", Capital: d("1")}},
		},
		Free: func(string) (int64, error) { return 1 << 40, nil },
		Observe: func(e hub.Entry, effects []core.Effect) {
			if in, ok := e.Input.(hub.SetState); ok {
				c.stopped.Store(in.State == hub.Halted)
			}
			if _, ok := e.Input.(hub.CancelAll); ok {
				c.stopped.Store(true)
			}
			if _, first := e.Input.(hub.Marks); first {
				jammed.Do(func() { close(in); <-held })
			}
		},
	}
	r, err := runner.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	free := []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: quantity, require: order.quantity <= 10}\n"},
		{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - {name: quantity, require: order.quantity <= 10}\n"},
	}
	if _, err := r.Start(context.Background(), c, deaf{}, free); err != nil {
		t.Fatal(err)
	}
	r.GatewayUp("SIM", []hub.Contract{rb})
	r.OnTick(hub.Tick{Instrument: rb.Instrument, Gateway: "SIM", Last: d("3500")})
	answered = new(sync.WaitGroup)
	for range orders {
		answered.Add(1)
		r.Submit("alpha", "", buy, func(hub.OrderID, hub.GatewayName, error) { answered.Done() })
	}
	r.Jam(hub.Marks{})
	<-in
	for range orders {
		(<-c.later)([]hub.Verdict{{Manager: "margin", Pass: true}})
	}
	return r, c, answered, func() { close(held) }
}

const (
	crowdSize = 8000
	raftHas   = 2 * 1024 // two batches of raft's
)

// TestHaltGoesBeforeWhatWaits: an order flood fills the journal's queue; a halt asked for then takes effect before it, and nothing is sent after it.
func TestHaltGoesBeforeWhatWaits(t *testing.T) {
	r, c, answered, let := jam(t, crowdSize)
	done := make(chan error, 1)
	proposed := r.Proposed(func() { go func() { done <- r.SetState(t.Context(), hub.SetState{State: hub.Halted, By: "olivia"}) }() })
	<-proposed
	let()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	answered.Wait()
	refused := 0
	for _, o := range r.Orders("alpha", false) {
		if strings.Contains(o.Reason, "the fund is HALTED since") {
			refused++
		}
	}
	t.Logf("of %d orders that waited %d were decided before the halt", crowdSize, c.sent.Load())
	if c.late.Load() != 0 {
		t.Errorf("%d orders were sent after the halt", c.late.Load())
	}
	if sent := int(c.sent.Load()); sent > raftHas || sent+refused != crowdSize {
		t.Errorf("%d sent and %d refused of %d; raft has %d at most", sent, refused, crowdSize, raftHas)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}

// TestCancelAllCoversWhatWaits: orders that were asked for before a cancel-all and come to be decided after it are not sent, those that wait for the risk managers among them, and those
// of another trader's are.
func TestCancelAllCoversWhatWaits(t *testing.T) {
	r, c, answered, let := jam(t, crowdSize)
	asked := make(chan func([]hub.Verdict), 1)
	c.later = asked
	answered.Add(1)
	type answer struct {
		n   int
		err error
	}
	done := make(chan answer, 1)
	proposed := r.Proposed(func() {
		go func() {
			n, err := r.CancelAll(t.Context(), hub.CancelAll{Part: hub.Part{Trader: "alpha"}, By: "olivia"})
			done <- answer{n, err}
		}()
	})
	<-proposed
	let()
	a := <-done
	if a.err != nil {
		t.Fatal(a.err)
	}
	answered.Done()
	answered.Wait()
	cancelled := 0
	for _, o := range r.Orders("alpha", false) {
		if o.Status == hub.Cancelled && o.Reason == "cancelled by olivia, before it was sent" {
			cancelled++
		}
	}
	if c.late.Load() != 0 || int(c.sent.Load())+cancelled != crowdSize || cancelled < crowdSize-raftHas {
		t.Errorf("%d sent, %d of them after the cancel-all, %d cancelled, of %d", c.sent.Load(), c.late.Load(), cancelled, crowdSize)
	}
	if sent := int(c.sent.Load()); a.n < sent {
		t.Errorf("%d orders to cancel, and %d were sent", a.n, sent)
	}
	// What is asked for from now on is sent.
	fresh := make(chan hub.OrderID, 1)
	r.Submit("alpha", "", buy, func(id hub.OrderID, _ hub.GatewayName, _ error) { fresh <- id })
	(<-asked)([]hub.Verdict{{Manager: "margin", Pass: true}})
	id := <-fresh
	if o, _ := r.Order("alpha", id); o.Status == hub.Cancelled {
		t.Errorf("an order after the cancel-all is %s: %s", o.Status, o.Reason)
	}
}

// TestCancelAllWithoutAJournal: the venues are asked all the same, and it is said that it is not recorded.
func TestCancelAllWithoutAJournal(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	if err := h.Runner.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := h.CancelAll(t.Context(), hub.CancelAll{By: "olivia"})
	if n != 1 || err == nil || !strings.Contains(err.Error(), "the venues are asked, but it is not recorded: ") {
		t.Errorf("got %d and %v", n, err)
	}
	h.plugins.wait(t, fmt.Sprintf("cancel %s", id))
}

// TestFlatten: what is held is closed by orders of the hub's own, at the market that the hub sees; the trader is told, and is CANCEL_ONLY from then on.
func TestFlatten(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t1", Price: d("3500"), Qty: d("2")})
	h.screen.wait(t, "position alpha LONG 2")
	a, err := h.Flatten(t.Context(), hub.Flatten{Part: hub.Part{Trader: "alpha"}, By: "olivia", Reason: "fire"})
	if err != nil || a.Positions != 1 || a.Orders != 0 {
		t.Fatalf("got %+v and %v", a, err)
	}
	h.plugins.wait(t, "withhold alpha false")
	closing := hub.OrderID(strings.TrimPrefix(h.plugins.wait(t, "send "), "send "))
	o, ok := h.Order("alpha", closing)
	if !ok || o.Direction != hub.Short || o.Offset != hub.CloseToday || !o.Qty.Equal(d("2")) || !o.Price.Equal(d("3430")) || o.Reference != "flatten by olivia" {
		t.Errorf("got %+v", o)
	}
	if f := h.Flattenings(); len(f) != 1 || len(f[0].Rest) != 1 {
		t.Errorf("it goes on: got %+v", f)
	}
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: closing, Kind: hub.ReportFill, TradeID: "t2", Price: d("3499"), Qty: d("2")})
	h.screen.wait(t, "log alpha: flatten alpha by olivia: everything is closed")
	if f := h.Flattenings(); len(f) != 0 {
		t.Errorf("it is done: got %+v", f)
	}
	h.clock.Add(1) // the next order is asked for after it
	if _, err := h.submit(buy); err != nil {
		t.Fatal(err)
	}
	h.screen.wait(t, "alpha is CANCEL_ONLY since")
	if err := h.SetState(t.Context(), hub.SetState{State: hub.Halted, By: "olivia", Reason: "wait"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Flatten(t.Context(), hub.Flatten{By: "olivia"}); err == nil || !strings.Contains(err.Error(), "by olivia: wait: nothing but cancels leaves the hub, closing orders neither; cancel-only lets them through") {
		t.Errorf("of what is halted: got %v", err)
	}
}

// TestWatchOverOldPrices: where a watch reads what time alone changes, time is told to the core, and a price that did not change is seen again.
func TestWatchOverOldPrices(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	h.tick("3500")
	stale := files()
	stale[1].Text += "watch:\n  - {name: stale, when: trader.oldest_mark_age > 10, then: cancel_only}\n"
	if _, errs, err := h.LoadPolicies(t.Context(), stale, "test"); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t1", Price: d("3500"), Qty: d("2")})
	h.screen.wait(t, "position alpha LONG 2")
	for range 3 { // the same price, seen again and again
		h.clock.Add(int64(6e9))
		h.tick("3500")
		for values := ""; values != "trader.oldest_mark_age=0"; {
			values = h.Watches()[0].Values[0]
		}
	}
	h.clock.Add(int64(11e9))
	h.screen.wait(t, "alpha is CANCEL_ONLY by watch traders/alpha.yaml:7 stale")
	if w := h.Watches()[0]; !w.Fired || w.Times != 1 {
		t.Errorf("got %+v", w)
	}
}

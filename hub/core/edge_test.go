package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// edge is a core with two rich traders and a rule that lets everything through, to see what absurd numbers and odd moments do.
type edge struct {
	t      *testing.T
	core   *core.Core
	seq    uint64
	now    hub.Time
	alerts []string
}

var (
	// shib is counted in thousands of millions.
	shib = hub.Contract{Instrument: hub.Instrument{Symbol: "SHIBIDR", Exchange: "LOCAL"}, Size: d("1"), Tick: d("0.0001"), MinQty: d("1"), NetPosition: true, Kind: hub.Spot}
	perp = hub.Contract{Instrument: hub.Instrument{Symbol: "BTCP", Exchange: "LOCAL"}, Size: d("1"), Tick: d("1"), MinQty: d("1"), MarginLong: d("0.1"), MarginShort: d("0.1"), NetPosition: true, Kind: hub.Futures}
)

func newEdge(t *testing.T, k hub.Contract) *edge {
	e := &edge{t: t, core: core.New(), now: 1_700_000_000_000_000_000}
	e.step(hub.SetUp{Fund: "f", Currency: "IDR", Traders: []hub.TraderSetUp{{Name: "alpha", Capital: d("10000000000")}, {Name: "beta", Capital: d("10000000000")}}, Gateways: []hub.GatewayName{"SIM"}})
	e.step(hub.RollDay{Day: "20260102"})
	files := []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: q, require: order.quantity <= 1000000000}\n"}}
	for _, trader := range []string{"alpha", "beta"} {
		files = append(files, hub.PolicyFile{Name: "traders/" + trader + ".yaml", Text: "policy: trader\ntrader: " + trader + "\nrules:\n  - {name: q, require: order.quantity <= 1000000000}\n"})
	}
	e.step(hub.LoadPolicies{Language: policy.Language, Files: files})
	e.step(hub.GatewayState{Gateway: "SIM", Up: true})
	e.step(hub.Contracts{Gateway: "SIM", Contracts: []hub.Contract{k}})
	return e
}

func (e *edge) step(in hub.Input) []core.Effect {
	e.seq++
	e.now += hub.Time(time.Millisecond)
	effects := e.core.Step(hub.Entry{Seq: e.seq, Time: e.now, Input: in})
	for _, effect := range effects {
		if alert, ok := effect.(core.Alert); ok {
			e.alerts = append(e.alerts, alert.Text)
		}
	}
	return effects
}

func (e *edge) order(trader hub.TraderName, i hub.Instrument, direction hub.Direction, price, qty string) hub.OrderID {
	e.t.Helper()
	for _, effect := range e.step(hub.SubmitOrder{
		Trader: trader, Request: hub.OrderRequest{Instrument: i, Direction: direction, Offset: hub.Open, Type: hub.Limit, Price: d(price), Qty: d(qty)},
		Market: hub.MarketView{Last: d(price), Seen: e.now},
	}) {
		if decided, ok := effect.(core.Decided); ok {
			if len(decided.Refusals) > 0 {
				e.t.Fatalf("refused: %v", decided.Refusals)
			}
			return decided.Order.ID
		}
	}
	e.t.Fatal("no decision")
	return ""
}

func (e *edge) fill(id hub.OrderID, price, qty string) {
	e.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: fmt.Sprint("t", e.seq), Price: d(price), Qty: d(qty)})
}

// rich buys shib, many times over what one order may be.
func rich(t *testing.T, price string) *edge {
	e := newEdge(t, shib)
	for range 12 {
		e.fill(e.order("alpha", shib.Instrument, hub.Long, price, "990000000"), price, "990000000")
	}
	return e
}

// A panic in Step would come back at every replay: no number that may come in may make one.

func TestShareOfALargePosition(t *testing.T) {
	e := rich(t, "0.5")
	e.fill(e.order("alpha", shib.Instrument, hub.Short, "0.5", "970000000"), "0.5", "970000000")
	e.step(hub.TransferPosition{From: "alpha", To: "beta", Instrument: shib.Instrument, Direction: hub.Long, Qty: d("970000001"), AtCost: true, By: "o"})
	if a, _ := e.core.Account("alpha"); !a.Realised.IsZero() {
		t.Errorf("realised %s, want 0: it was sold and moved at cost", a.Realised)
	}
	if p := e.core.Positions("beta", shib.Instrument); len(p) != 1 || !p[0].Price.Equal(d("0.5")) {
		t.Errorf("got %+v", p)
	}
	if err := e.core.Check(); err != nil {
		t.Error(err)
	}
}

func TestAbsurdMark(t *testing.T) {
	e := rich(t, "0.0001")
	before, _ := e.core.Account("alpha")
	e.step(hub.Marks{Marks: []hub.Mark{{Instrument: shib.Instrument, Price: d("999999999")}}})
	if after, _ := e.core.Account("alpha"); after != before {
		t.Errorf("got %+v, want %+v", after, before)
	}
	if len(e.alerts) != 1 || !strings.Contains(e.alerts[0], "999999999 makes no sense") {
		t.Errorf("alerts %q", e.alerts)
	}
}

func TestAbsurdTransfer(t *testing.T) {
	e := rich(t, "0.0001")
	for range 12 {
		for _, effect := range e.step(hub.TransferPosition{From: "alpha", To: hub.Unassigned, Instrument: shib.Instrument, Direction: hub.Long, Qty: d("990000000"), Price: d("999999999"), By: "o"}) {
			if answer, ok := effect.(core.TransferAnswered); ok && (len(answer.Refusals) != 1 || !strings.Contains(answer.Refusals[0], "worth more than can be counted")) {
				t.Fatalf("got %q", answer.Refusals)
			}
		}
	}
}

func TestAbsurdFee(t *testing.T) {
	k := shib
	k.Fees.OpenPerUnit = d("10000000")
	e := newEdge(t, k)
	effects := e.step(hub.SubmitOrder{Trader: "alpha", Request: hub.OrderRequest{Instrument: k.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("1"), Qty: d("1")}})
	if decided := effects[0].(core.Decided); len(decided.Refusals) != 1 || !strings.Contains(decided.Refusals[0].Text, "make no sense") {
		t.Errorf("got %v", decided.Refusals)
	}
}

// What was said never to have reached the venue, and works there all the same, is cancelled there.
func TestAbsentOrderIsAlive(t *testing.T) {
	for name, gone := range map[string]func(*edge, hub.OrderID){
		"not sent": func(e *edge, id hub.OrderID) {
			e.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportNotSent, Reason: "timeout"})
		},
		"lost": func(e *edge, id hub.OrderID) {
			e.step(hub.Reconcile{Gateway: "SIM", Asked: []hub.OrderID{id}, Complete: true})
		},
	} {
		e := newEdge(t, perp)
		id := e.order("alpha", perp.Instrument, hub.Long, "100", "5")
		gone(e, id)
		cancels := 0
		for _, kind := range []hub.ReportKind{hub.ReportAccepted, hub.ReportResting} {
			for _, effect := range e.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: kind, VenueID: "77"}) {
				if c, ok := effect.(core.CancelAtVenue); ok && c.Order.ID == id {
					cancels++
				}
			}
		}
		if cancels != 1 || len(e.alerts) != 1 || !strings.Contains(e.alerts[0], "is alive at the venue") {
			t.Errorf("%s: %d cancels, alerts %q", name, cancels, e.alerts)
		}
	}
}

// A flood of refused orders does not push out an order of which the venue may still have news.
func TestFloodKeepsWhatWasSent(t *testing.T) {
	e := newEdge(t, perp)
	id := e.order("alpha", perp.Instrument, hub.Long, "100", "10")
	e.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelled})
	for range 10_001 {
		e.step(hub.SubmitOrder{Trader: "alpha", Request: hub.OrderRequest{Instrument: hub.Instrument{Symbol: "nope", Exchange: "X"}, Direction: hub.Long, Type: hub.Limit, Price: d("1"), Qty: d("1")}})
	}
	e.fill(id, "100", "10")
	if p := e.core.Positions("alpha", perp.Instrument); len(p) != 1 || !p[0].Qty.Equal(d("10")) {
		t.Errorf("got %+v, want the late fill of 10", p)
	}
}

// A transfer does not close what a working order is there to close: that would open then, REDUCE_ONLY or not.
func TestTransferAgainstAWorkingClose(t *testing.T) {
	e := newEdge(t, perp)
	e.fill(e.order("beta", perp.Instrument, hub.Short, "100", "5"), "100", "5")
	e.fill(e.order("alpha", perp.Instrument, hub.Long, "100", "5"), "100", "5")
	e.step(hub.SetState{Scope: hub.ScopeTrader, Name: "beta", State: hub.ReduceOnly, By: "o"})
	e.order("beta", perp.Instrument, hub.Long, "90", "5")
	effects := e.step(hub.TransferPosition{From: "alpha", To: "beta", Instrument: perp.Instrument, Direction: hub.Long, Qty: d("5"), AtCost: true, By: "o"})
	if answer := effects[0].(core.TransferAnswered); len(answer.Refusals) != 1 || !strings.Contains(answer.Refusals[0], "beta has orders for 5 working that close what the transfer would close") {
		t.Errorf("got %q", answer.Refusals)
	}
}

// A program that cancels in a loop does not use up the channel.
func TestCancelsInALoop(t *testing.T) {
	e := newEdge(t, perp)
	id := e.order("alpha", perp.Instrument, hub.Long, "100", "5")
	asked := func() (n int) {
		for _, effect := range e.step(hub.CancelOrder{Trader: "alpha", OrderID: id}) {
			if _, ok := effect.(core.CancelAtVenue); ok {
				n++
			}
		}
		return n
	}
	n := 0
	for range 100 {
		n += asked()
	}
	if n != 1 {
		t.Errorf("the venue was asked %d times in a tenth of a second, want 1", n)
	}
	e.now += hub.Time(time.Second)
	if asked() != 1 {
		t.Error("and is not asked again a second later")
	}
}

// The two sides of a transfer do not learn of each other.
func TestTransferTellsEachItsOwn(t *testing.T) {
	e := newEdge(t, perp)
	e.fill(e.order("alpha", perp.Instrument, hub.Long, "100", "5"), "100", "5")
	for _, effect := range e.step(hub.TransferPosition{From: "alpha", To: "beta", Instrument: perp.Instrument, Direction: hub.Long, Qty: d("5"), By: "o", Reason: "alpha leaves"}) {
		n, ok := effect.(core.Notice)
		if ok && (strings.Contains(n.Text, "alpha") || strings.Contains(n.Text, "beta")) {
			t.Errorf("to %s: %s", n.Trader, n.Text)
		}
	}
}

// A decision that the journal did not take when it was due is no, whether there are risk managers or not.
func TestLateDecisionIsNo(t *testing.T) {
	e := newEdge(t, perp)
	order := hub.OrderRequest{Instrument: perp.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("100"), Qty: d("5")}
	e.step(hub.TakeOrder{Trader: "alpha", Request: order, Ask: 1})
	effects := e.step(hub.JudgeOrder{Ask: 1, Market: hub.MarketView{Last: d("100"), Seen: e.now}, Late: true})
	if decided := effects[0].(core.Decided); len(decided.Refusals) != 1 || decided.Refusals[0].Code != "late" {
		t.Errorf("got %+v", effects)
	}
	if a, _ := e.core.Account("alpha"); !a.Frozen.IsZero() {
		t.Errorf("frozen %s", a.Frozen)
	}
}

// A flattening does not close by the rules of a day that is over: its step may come before the entry of the new one.
func TestFlattenWaitsForTheDay(t *testing.T) {
	k := perp
	k.Instrument.Exchange, k.NetPosition, k.SplitsToday = "SHFE", false, true
	e := newEdge(t, k)
	e.fill(e.order("alpha", k.Instrument, hub.Long, "100", "5"), "100", "5")
	e.step(hub.Flatten{Part: hub.Part{Trader: "alpha"}, By: "o"})
	closing := func() (offsets []hub.Offset) {
		market := hub.MarketView{Last: d("100"), Bid: d("100"), Ask: d("101"), Seen: e.now, Session: hub.Session{Day: "20260103", FundDay: "20260103"}}
		for _, effect := range e.step(hub.FlattenStep{Markets: []hub.FlattenMarket{{Gateway: "SIM", Instrument: k.Instrument, Market: market}}}) {
			if send, ok := effect.(core.Send); ok {
				offsets = append(offsets, send.Permit.Order().Offset)
			}
		}
		return offsets
	}
	if got := closing(); len(got) != 0 {
		t.Errorf("before the day began: sent %v", got)
	}
	e.step(hub.RollDay{Day: "20260103"})
	if got := closing(); len(got) != 1 || got[0] == hub.CloseToday {
		t.Errorf("after it began: sent %v, want what closes yesterday's", got)
	}
}

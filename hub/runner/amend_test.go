package runner_test

import (
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/runner"
)

// working brings an order of alpha's to its venue's book, at a gateway that amends.
func (h *house) working() hub.OrderID {
	h.t.Helper()
	h.Declared("SIM", nil, true)
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		h.t.Fatal(err)
	}
	h.plugins.wait(h.t, "send "+string(id))
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
	h.screen.wait(h.t, "order "+string(id)+" RESTING")
	return id
}

// TestAmendThereAndBack: an amendment is judged, decided, sent and confirmed; its trader's screen has the new price and quantity, and the risk managers have had the larger order all the time.
func TestAmendThereAndBack(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	var candidates []hub.Candidate
	h.plugins.verdicts = func(c hub.Candidate) []hub.Verdict {
		candidates = append(candidates, c)
		return []hub.Verdict{{Manager: "margin", Pass: c.Request.Qty.Less(hub.Int(9)), Reason: "too much"}}
	}
	id := h.working()
	got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Price: d("3490"), Qty: d("5")})
	if err != nil || len(got.Refusals) > 0 || got.Order.Amendment.Qty != d("5") || got.Revision != h.Revision() {
		t.Fatalf("got %+v, %v", got, err)
	}
	h.plugins.wait(t, "amend "+string(id)+" 1 to 5 at 3490")
	if c := candidates[1]; c.Amends != id || c.Request.Qty != d("5") || c.Request.Price != d("3490") {
		t.Errorf("judged %+v", c)
	}
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportAmended, Amendment: 1, Price: d("3490"), Qty: d("5")})
	for range 2 { // sent, and amended
		h.screen.wait(t, "order "+string(id)+" RESTING")
	}
	h.screen.mu.Lock()
	if o := h.screen.orders[id]; o.Price != d("3490") || o.Qty != d("5") {
		t.Errorf("the trader sees %+v", o)
	}
	h.screen.mu.Unlock()
	h.plugins.mu.Lock()
	var seen []string
	forgotten := false
	for _, e := range h.plugins.seen {
		if e.Order != nil {
			seen = append(seen, e.Order.Qty.String()+" at "+e.Order.Price.String())
		}
		forgotten = forgotten || e.Decided != nil && e.Decided.Ask == candidates[1].Ask && e.Decided.Order.Status == hub.Rejected
	}
	h.plugins.mu.Unlock()
	if got := strings.Join(seen, ", "); got != "2 at 3500, 5 at 3500, 5 at 3490" {
		t.Errorf("the risk managers saw %s", got)
	}
	if !forgotten {
		t.Error("the candidate counts for ever")
	}
	if got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Qty: d("9")}); err != nil || len(got.Refusals) != 1 || got.Refusals[0].Text != "risk manager margin: too much" {
		t.Errorf("got %+v, %v", got, err)
	}
	h.screen.wait(t, "is not amended to 9 at 3490: risk manager margin: too much")
	if _, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: "x-1", Qty: d("9")}); err == nil || err.Error() != "order x-1 is not known" {
		t.Errorf("got %v", err)
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

// TestAmendIsAskedAbout: a venue that does not answer is asked how the order stands, and its answer settles it.
func TestAmendIsAskedAbout(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	id := h.working()
	if _, err := h.Runner.Amend(t.Context(), "", runner.Amendment{OrderID: id, Price: d("3490"), By: "olivia"}); err != nil {
		t.Fatal(err)
	}
	h.clock.Add(int64(31 * time.Second))
	h.screen.wait(t, "order "+string(id)+" RESTING in doubt")
	h.plugins.wait(t, "ask ["+string(id)+"]")
	h.Reconciled(hub.Reconcile{Gateway: "SIM", Complete: true, Asked: []hub.OrderID{id}, AskedAt: h.plugins.lastAsked(), Orders: []hub.VenueOrder{{OrderID: id, Status: hub.Resting, Price: d("3500"), Qty: d("2")}}})
	h.screen.wait(t, "is not amended to 2 at 3490: the venue did not do it, or it never arrived")
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

// TestAmendAtTheDoor: while the hub takes no orders it takes no amendments.
func TestAmendAtTheDoor(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	id := h.working()
	h.Drain()
	if _, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Qty: d("1")}); err == nil || err.Error() != "the hub is stopping" {
		t.Errorf("got %v", err)
	}
}

// TestAmendmentsFromTwoCalls: the risk managers are asked about the order that an amendment makes of the one they know. When another amendment is confirmed while they think, theirs is the verdict on a
// smaller order than it would become: it counts for nothing.
func TestAmendmentsFromTwoCalls(t *testing.T) {
	h := open(t, t.TempDir(), func(o *runner.Options) { o.SetUp.Managers = []string{"margin"} })
	pass := []hub.Verdict{{Manager: "margin", Pass: true}}
	h.plugins.verdicts = func(hub.Candidate) []hub.Verdict { return pass }
	id := h.working()
	if got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Qty: d("10")}); err != nil || len(got.Refusals) > 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	h.screen.wait(t, "order "+string(id)+" RESTING")
	h.plugins.verdicts = func(c hub.Candidate) []hub.Verdict {
		if c.Request.Qty != d("2") || c.Request.Price != d("3490") {
			t.Errorf("judged %+v", c.Request)
		}
		h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportAmended, Amendment: 1, Price: d("3500"), Qty: d("10")})
		h.screen.wait(t, "order "+string(id)+" RESTING")
		return pass
	}
	got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Price: d("3490")})
	if err != nil || len(got.Refusals) != 1 || got.Refusals[0].Text != "order "+string(id)+" is for 10 at 3500 now, and was for 2 at 3500 when it was looked at" {
		t.Errorf("got %+v, %v", got, err)
	}
	h.plugins.verdicts = func(c hub.Candidate) []hub.Verdict {
		if c.Request.Qty != d("10") {
			t.Errorf("judged %+v", c.Request)
		}
		return pass
	}
	if got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: id, Price: d("3490")}); err != nil || len(got.Refusals) > 0 || got.Order.Amendment != (hub.Amendment{Number: 2, Price: d("3490"), Qty: d("10")}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

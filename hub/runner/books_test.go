package runner_test

import (
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/runner"
)

// A transfer is answered with what it did or all that speaks against it; both traders see it, and the risk managers, who follow fills, are told what both hold and have.
func TestTransferIsSeenByAll(t *testing.T) {
	dir := t.TempDir()
	two := func(o *runner.Options) {
		o.SetUp.Traders = append(slices.Clone(o.SetUp.Traders), hub.TraderSetUp{Name: "beta", Capital: d("500000")})
	}
	h := open(t, dir, two)
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t1", Price: d("3499"), Qty: d("2")})
	h.screen.wait(t, "position alpha LONG 2")
	h.plugins.mu.Lock()
	h.plugins.seen = nil
	h.plugins.mu.Unlock()

	in := hub.TransferPosition{Instrument: rb.Instrument, Direction: hub.Long, Qty: d("3"), From: "alpha", To: "beta", Price: d("3510"), By: "olivia", Reason: "handover"}
	answer, err := h.Transfer(t.Context(), in)
	if want := "alpha has 2 LONG of rb2701.SHFE that are not in working orders, and is to give 3"; err != nil || !slices.Equal(answer.Refusals, []string{want}) {
		t.Errorf("got %+v, %v; want %q", answer, err, want)
	}
	in.Qty = d("1")
	answer, err = h.Transfer(t.Context(), in)
	if err != nil || len(answer.Refusals) > 0 || answer.Gateway != "SIM" || !answer.Price.Equal(d("3510")) {
		t.Fatalf("got %+v, %v", answer, err)
	}
	for _, want := range []string{
		"log alpha: 1 LONG of rb2701.SHFE at 3510 are moved from you by the operator", "log beta: 1 LONG of rb2701.SHFE at 3510 are moved to you by the operator", "position alpha LONG 1", "position beta LONG 1",
	} {
		h.screen.wait(t, want)
	}
	h.plugins.mu.Lock()
	defer h.plugins.mu.Unlock()
	told := map[hub.TraderName]string{}
	for _, e := range h.plugins.seen {
		for _, p := range e.Positions {
			told[p.Trader] += p.Direction.String() + " " + p.Qty.String() + " "
		}
		if e.Account != nil && !strings.HasSuffix(told[e.Account.Trader], "money") { // marks may tell it again
			told[e.Account.Trader] += "money"
		}
	}
	if want := "LONG 1 SHORT 0 money"; told["alpha"] != want || told["beta"] != want {
		t.Errorf("the risk managers were told %q, want %q of both", told, want)
	}
}

// Capital that is moved is on top of what the configuration says, in the next life too; and a statement is taken and compared.
func TestMovedCapitalStays(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	if answer, err := h.Transfer(t.Context(), hub.TransferCapital{To: "alpha", Amount: d("1000.5"), By: "olivia", Reason: "deposit"}); err != nil || len(answer.Refusals) > 0 {
		t.Fatalf("got %+v, %v", answer, err)
	}
	h.screen.wait(t, "account alpha 1001000.5")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir, func(o *runner.Options) { o.SetUp.Traders = []hub.TraderSetUp{{Name: "alpha", Capital: d("2000000")}} })
	if a, _ := h.Account("alpha"); !a.Capital.Equal(d("2001000.5")) {
		t.Errorf("capital %s, want 2,000,000 of the configuration and 1,000.5 that were moved", a.Capital)
	}
	h.up()
	h.Statement(hub.VenueStatement{Gateway: "SIM", Exact: true, Positions: []hub.VenuePosition{{Instrument: rb.Instrument, Direction: hub.Short, Today: d("4"), Price: d("3500")}}})
	if _, err := h.Transfer(t.Context(), hub.TransferPosition{Instrument: rb.Instrument, Direction: hub.Short, Qty: d("4"), From: hub.Unassigned, To: "alpha"}); err != nil {
		t.Fatal(err)
	}
	if b := h.Breaks(); len(b) != 1 || !b[0].Venue.Equal(d("4")) || h.Stated("SIM") == 0 {
		t.Errorf("breaks %+v, stated %d", b, h.Stated("SIM"))
	}
	if p := h.Positions("alpha"); len(p) != 2 || !p[1].Qty.Equal(d("4")) {
		t.Errorf("positions %+v", p)
	}
}

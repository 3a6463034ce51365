package host_test

import (
	"fmt"
	"testing"

	"tradehub/hub"
	"tradehub/hub/gate"
)

// amender is a gateway whose venue amends what its reference lets it.
type amender struct{ echo }

func (a *amender) Amend(order hub.Order) {
	r := hub.VenueReport{OrderID: order.ID, Kind: hub.ReportAmended, Amendment: order.Amendment.Number, Price: order.Amendment.Price, Qty: order.Amendment.Qty}
	switch order.Reference {
	case "exit":
		a.Submit(order)
	case "no":
		r.Kind, r.Reason, r.Price, r.Qty = hub.ReportAmendRejected, "no", hub.Decimal{}, hub.Decimal{}
	}
	a.sink.Report(r)
}

func amended(id int, reference string) hub.Order {
	o := order(id, reference)
	o.Amendment = hub.Amendment{Number: uint64(id), Price: hub.MustDecimal("3490.5"), Qty: hub.Int(7)} //nolint:gosec // a small number
	return o
}

// TestAmend goes there and back, in order with what else is said of the order.
func TestAmend(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-amends", nil), nil)
	w.awaitLine(t, "SIM amends", 1)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(1, "")))
	w.Amend(permit(amended(1, "")))
	w.Amend(permit(amended(2, "no")))
	w.await(t, "three reports", func() bool { return len(w.reports) == 3 })
	got := w.reported()
	want := hub.VenueReport{Gateway: "SIM", OrderID: "1", Kind: hub.ReportAmended, Amendment: 1, Price: hub.MustDecimal("3490.5"), Qty: hub.Int(7)}
	if got[0].Kind != hub.ReportResting || got[1] != want {
		t.Errorf("got %+v", got)
	}
	if got[2].Kind != hub.ReportAmendRejected || got[2].Amendment != 2 || got[2].Reason != "no" {
		t.Errorf("got %+v", got[2])
	}
}

// TestAmendIsNotSent: what no process got comes back, with its number: to a gateway that does not amend, to one that is down, and to one that died with its queue.
func TestAmendIsNotSent(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-echo", nil), nil)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(1, ""))) // an answer shows that what it declares is known
	w.awaitLine(t, "SIM report 2 of 1: ", 1)
	w.Amend(permit(amended(1, "")))
	w.awaitLine(t, "SIM report 11 of 1: gateway SIM cannot amend orders", 1)
	w.Send(permit(order(2, "venue down")))
	w.awaitLine(t, "SIM down: the venue closed the connection", 1)
	w.Amend(permit(amended(2, "")))
	w.awaitLine(t, "SIM report 11 of 2: gateway SIM is down: the venue closed the connection", 1)
	stray := amended(3, "")
	stray.Gateway = "CTP"
	w.Amend(permit(stray))
	w.awaitLine(t, "CTP report 11 of 3: there is no gateway CTP", 1)
	for _, r := range w.reported() {
		if r.Kind == hub.ReportAmendNotSent && fmt.Sprint(r.Amendment) != string(r.OrderID) {
			t.Errorf("got %+v", r)
		}
	}
}

// TestAmendIsWithheld: a halt takes back amendments that wait, as it takes back orders.
func TestAmendIsWithheld(t *testing.T) {
	const window = 1024
	w := start(t, calm(), sim(t, "gateway-amends", nil), nil)
	w.awaitLine(t, "SIM amends", 1)
	w.awaitLine(t, "SIM up", 1)
	w.Send(permit(order(0, "hang")))
	for i := 1; i < window; i++ {
		w.Send(permit(order(i, "")))
	}
	w.await(t, "the window to be full", func() bool { s := w.statusWithout(w.Host); return s.Underway == window })
	closes := amended(7, "")
	closes.Offset = hub.Close
	w.Amend(permit(amended(5, "")))
	w.Amend(permit(closes))
	w.Withhold(hub.Part{Trader: "alpha"}, true, "only to reduce")
	w.awaitLine(t, "SIM report 11 of 5: only to reduce", 1)
	if got := w.Status()[0].Queue; got != 1 {
		t.Errorf("%d wait", got)
	}
	w.Withhold(hub.Part{}, false, "halted")
	w.awaitLine(t, "SIM report 11 of 7: halted", 1)
}

// TestPermitsAreForOneThing: a permit to send does not amend, one to amend does not send, and none does neither.
func TestPermitsAreForOneThing(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-amends", nil), nil)
	for name, do := range map[string]func(){
		"send an amendment":           func() { w.Send(permit(amended(1, ""))) },
		"amend with a permit to send": func() { w.Amend(permit(order(1, ""))) },
		"amend with none":             func() { w.Amend(gate.Permit{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: nothing stops it", name)
				}
			}()
			do()
		}()
	}
}

package rpc_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

func TestOrder(t *testing.T) {
	h := run(t, nil)
	alpha, events := h.dial(t, "alpha", nil)
	got := call(t, alpha, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	if got != "SIM.alpha_1" {
		t.Errorf("got %v, want SIM.alpha_1", got)
	}
	for _, kind := range []string{"eOrder.", "eOrder.SIM.alpha_1"} {
		if o := next(t, events, kind).Data.(hub.Order); o.ID != "alpha_1" {
			t.Errorf("got %s, want alpha_1", o.ID)
		}
	}
}

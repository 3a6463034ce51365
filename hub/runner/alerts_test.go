package runner_test

import (
	"testing"
	"time"
)

// TestAlerts: whoever waits for the next is told, all wait on one thing, and the oldest give way.
func TestAlerts(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	_, first := h.Alerts(0)
	for range 1000 {
		if _, next := h.Alerts(0); next != first {
			t.Fatal("everybody who waits is remembered")
		}
	}
	h.Raise("one")
	select {
	case <-first:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was told")
	}
	all, next := h.Alerts(0)
	if len(all) != 1 || all[0].Text != "one" || all[0].Seq != 1 || next != nil {
		t.Errorf("%+v", all)
	}
	for range 1000 {
		h.Raise("more")
	}
	if all, _ := h.Alerts(0); len(all) != 1000 || all[0].Seq != 2 || all[999].Seq != 1001 {
		t.Errorf("%d alerts, the first %+v", len(all), all[0])
	}
	if all, next := h.Alerts(1001); len(all) != 0 || next == nil {
		t.Errorf("%+v", all)
	}
}

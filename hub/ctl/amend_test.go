package ctl_test

import (
	"errors"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// TestAmend goes there and back, and is not taken for a mistake.
func TestAmend(t *testing.T) {
	o := &operator{}
	dir := t.TempDir()
	serve(t, dir, o)
	c := ctl.NewClient(dir)
	got, err := c.Amend(t.Context(), ctl.NewAmendment{Order: "o1", Price: hub.MustDecimal("3490.5")})
	if err != nil || got.ID != "o1" || got.Amendment == nil || !got.Amendment.Price.Equal(hub.MustDecimal("3490.5")) {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(o.did) != 1 || !strings.HasPrefix(o.did[0], "amend o1 to 0 at 3490.5 by ") {
		t.Errorf("it did %q", o.did)
	}
	for _, a := range []ctl.NewAmendment{{}, {Order: "o1"}, {Price: hub.MustDecimal("1")}} {
		var p *ctl.ProblemError
		if _, err := c.Amend(t.Context(), a); !errors.As(err, &p) || p.Text != "it is not said what is to be amended" {
			t.Errorf("%+v: got %v", a, err)
		}
	}
	o.fail = &ctl.ProblemError{Text: "order o1 stays as it is: no"}
	if _, err := c.Amend(t.Context(), ctl.NewAmendment{Order: "o1", Quantity: hub.Int(1)}); err == nil || err.Error() != "order o1 stays as it is: no" {
		t.Errorf("got %v", err)
	}
}

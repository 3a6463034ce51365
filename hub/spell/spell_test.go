package spell_test

import (
	"strings"
	"testing"

	"tradehub/hub/spell"
)

func TestSlips(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"limit", "limit", 0},
		{"limt", "limit", 1},
		{"limmit", "limit", 1},
		{"lomit", "limit", 1},
		{"ilmit", "limit", 1}, // swapped
		{"market", "limit", 5},
		{strings.Repeat("a", 129), "a", 129},
	} {
		if got := spell.Slips(row.a, row.b); got != row.want {
			t.Errorf("%q, %q: %d, want %d", row.a, row.b, got, row.want)
		}
		if got := spell.Slips(row.b, row.a); got != row.want {
			t.Errorf("%q, %q: %d, want %d", row.b, row.a, got, row.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"trader", "fund", "gateway", "policies", "Limit"}
	for written, want := range map[string]string{
		"traders": "trader", "tarder": "trader", "fnd": "fund", "gatway": "gateway", "LIMIT": "Limit", "calendar": "", "x": "", "fu": "", "policy": "", "policie": "policies",
	} {
		if got := spell.Nearest(written, known); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
	if got := spell.MeantOrKnown("fnd", known); got != "; did you mean fund?" {
		t.Error(got)
	}
	if got := spell.MeantOrKnown("calendar", []string{"a", "b"}); got != "; known here: a, b" {
		t.Error(got)
	}
}

package journal_test

import (
	"errors"
	"slices"
	"testing"

	"tradehub/hub/journal"
)

// TestFirstGoesBeforeTheQueue: what is proposed first overtakes all but the two batches that raft has, and is taken when nothing else is.
func TestFirstGoesBeforeTheQueue(t *testing.T) {
	f, l := &files{}, newLedger()
	o := options(t.TempDir(), l).With(journal.Faults{Files: f.wrap})
	const n, batch = 8000, 1024
	o.InFlightMax = n
	j := mustLead(t, o)
	open := gate(f)
	for _, name := range names(n) {
		mustPropose(t, j, name)
	}
	if _, err := j.Propose([]byte("one-more")); !errors.Is(err, journal.ErrBusy) {
		t.Fatalf("beyond the bound: %v, want busy", err)
	}
	for _, word := range []string{"stop", "and stay"} {
		if _, err := j.ProposeFirst([]byte(word)); err != nil {
			t.Fatal(err)
		}
	}
	open()
	l.awaitCount(t, n+2)
	got := l.got()
	at := slices.Index(got, "stop")
	if at < 0 || at > 2*batch || got[at+1] != "and stay" {
		t.Fatalf("%q is applied as number %d of %d, and then %q", "stop", at, len(got), got[at+1])
	}
	diff(t, "the others", slices.Delete(got, at, at+2), names(n))
}

// TestFirstIsBounded: what goes first has a bound of its own.
func TestFirstIsBounded(t *testing.T) {
	f, l := &files{}, newLedger()
	o := options(t.TempDir(), l).With(journal.Faults{Files: f.wrap})
	o.InFlightMax = 4
	j := mustLead(t, o)
	open := gate(f)
	taken := 0
	for ; taken < 10_000; taken++ {
		if _, err := j.ProposeFirst([]byte("stop")); err != nil {
			if !errors.Is(err, journal.ErrBusy) {
				t.Fatal(err)
			}
			break
		}
	}
	if want := 4 + 256; taken != want {
		t.Errorf("%d are taken, want %d", taken, want)
	}
	open()
	l.awaitCount(t, taken)
}

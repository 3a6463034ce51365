package runner

import (
	"time"

	"tradehub/hub"
)

// Jam proposes an input for a test that wants to be in the middle of applying it.
func (r *Runner) Jam(in hub.Input) { r.must(in) }

// Proposed runs f, and closes what it returns when one more proposal is pending.
func (r *Runner) Proposed(f func()) <-chan struct{} {
	count := func() int {
		r.pendingMu.Lock()
		defer r.pendingMu.Unlock()
		return len(r.pending)
	}
	before, done := count(), make(chan struct{})
	f()
	go func() {
		for count() == before {
			time.Sleep(time.Millisecond)
		}
		close(done)
	}()
	return done
}

package runner_test

import (
	"context"
	"testing"
)

// TestNobodyIsWrittenTo: whoever has stopped waiting for an answer is not given one. The race detector sees it otherwise.
func TestNobodyIsWrittenTo(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if revision, _, err := h.LoadPolicies(ctx, files(), "somebody in a hurry"); err == nil && revision == "" {
			t.Error("neither a revision nor an error")
		}
	}
}

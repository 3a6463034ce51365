package policy_test

import (
	"testing"

	"pgregory.net/rapid"
)

// checkUntil draws until enough was seen, some times over: how many draws that takes is chance, and what must be seen is not.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for range 20 {
		if rapid.Check(t, property); t.Failed() || enough() {
			return
		}
	}
}

package core_test

import (
	"flag"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// TestMain makes drawn histories long enough that orders work across days, restarts and reconciliations. The core has no goroutine, so the race detector has nothing to find here:
// where it watches, fewer are drawn.
func TestMain(m *testing.M) {
	flag.Parse()
	byDefault("rapid.steps", "150")
	if raced {
		byDefault("rapid.checks", "20")
	}
	os.Exit(m.Run())
}

// byDefault sets a flag that nobody has set.
func byDefault(name, value string) {
	f := flag.Lookup(name)
	if f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(value); err != nil {
		panic(err)
	}
}

// checkUntil draws until enough was seen, some times over: how many draws that takes is chance, and what must be seen is not.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for range 20 {
		if rapid.Check(t, property); t.Failed() || enough() {
			return
		}
	}
}

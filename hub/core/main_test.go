package core_test

import (
	"flag"
	"os"
	"testing"
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

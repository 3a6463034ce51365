package core_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain makes drawn histories long enough that orders work across days, restarts and reconciliations.
func TestMain(m *testing.M) {
	flag.Parse()
	steps := flag.Lookup("rapid.steps")
	if steps.Value.String() == steps.DefValue {
		if err := steps.Value.Set("150"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

package host_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the test binary a plugin, or the hub that a test kills, when its first argument is the name of one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if run, there := programs[os.Args[1]]; there {
			run()
			os.Exit(0)
		}
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long one awaited thing may take. It is generous, and never asserted: a test that waits so long has failed.
const patience = 30 * time.Second

// binDir has the hub, and its plugins in the folder plugins.
var binDir string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	binDir = os.Getenv("HUB_BIN_DIR")
	if binDir == "" && !testing.Short() {
		dir, err := os.MkdirTemp("", "hub-bin-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		binDir = dir
	}
	return m.Run()
}

// build is what make build does.
func build(dir string) error {
	plugins := filepath.Join(dir, "plugins")
	for _, b := range []struct {
		into     string
		packages []string
	}{
		{dir, []string{"tradehub/cmd/hub"}},
		{plugins, []string{"tradehub/plugins/gateways/sim", "tradehub/plugins/risk/margin"}},
	} {
		if err := os.MkdirAll(b.into, 0o700); err != nil {
			return err
		}
		args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", b.into + string(filepath.Separator)}, b.packages...)
		out, err := exec.CommandContext(context.Background(), "go", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build %v: %w\n%s", b.packages, err, out)
		}
	}
	// The hub refuses plugins that others may write, whatever the umask is.
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o700)
	})
}

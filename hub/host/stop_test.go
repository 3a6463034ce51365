package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub/host"
	"tradehub/plugins"
)

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

// awaitGone waits for the end of a process that is not ours to wait for.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
		time.Sleep(time.Millisecond) // there is nothing to wait for but /proc
	}
}

func pidFile(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestStop(t *testing.T) {
	gateways := sim(t, "gateway-echo", nil)
	w := start(t, calm(), gateways, margin(t, "risk-book", nil))
	w.awaitLine(t, "SIM up", 1)
	w.awaitLine(t, "margin up", 1)
	pids := []int{w.Status()[0].PID, w.Status()[1].PID}
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
	if text, err := os.ReadFile(filepath.Join(gateways[0].Dir, "closed")); string(text) != "in good order" {
		t.Errorf("Close was not called: %v", err)
	}
	if log := w.log.String(); strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
		t.Errorf("log: %s", log)
	}
	if got := w.Status()[0]; got.State != host.Stopped || got.PID != 0 {
		t.Errorf("status: got %+v", got)
	}
	if w.has("SIM down") || w.has("margin down") {
		t.Errorf("a stop is no failure: %q", w.told())
	}
	if err := w.Stop(t.Context()); err == nil || err.Error() != "host: stopped twice" {
		t.Errorf("second stop: got %v", err)
	}
}

// TestStopByForce shows that a plugin that does not close is killed, with its children, after a time or when the hub cannot wait.
func TestStopByForce(t *testing.T) {
	for _, test := range []struct {
		name  string
		stop  time.Duration
		hurry bool
		want  error
	}{
		{"patience ends", 200 * time.Millisecond, false, nil},
		{"hurry", patience, true, context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			times := calm()
			times.Stop = test.stop
			gateways := sim(t, "gateway-echo", map[string]any{"stubborn": true, "child": true})
			w := start(t, times, gateways, nil)
			w.awaitLine(t, "SIM up", 1)
			pid, grandchild := w.Status()[0].PID, pidFile(t, filepath.Join(gateways[0].Dir, "child"))
			ctx := t.Context()
			if test.hurry {
				ctx = cancelled(t)
			}
			if err := w.Stop(ctx); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if alive(pid) {
				t.Errorf("process %d is still there", pid)
			}
			awaitGone(t, grandchild)
		})
	}
}

func TestStopWhileStarting(t *testing.T) {
	w := start(t, calm(), sim(t, "gateway-mute", nil), nil)
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestChildrenDieWithPlugin shows that what a plugin started is gone when the plugin died.
func TestChildrenDieWithPlugin(t *testing.T) {
	gateways := sim(t, "gateway-echo", map[string]any{"child": true})
	w := start(t, calm(), gateways, nil)
	w.awaitLine(t, "SIM up", 1)
	grandchild := pidFile(t, filepath.Join(gateways[0].Dir, "child"))
	_ = syscall.Kill(w.Status()[0].PID, syscall.SIGKILL)
	w.awaitLine(t, "SIM down: its process died: signal: killed", 1)
	awaitGone(t, grandchild)
	w.awaitLine(t, "SIM up", 2)
}

// runHub is a hub of its own that has plugins and waits to be killed. It prints the numbers of their processes.
func runHub() {
	t := &testing.T{}
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	dir := os.Args[2]
	config := func(name, program string) host.PluginConfig {
		settings := plugins.MustSettings(map[string]any{"garbage": "silent"})
		return host.PluginConfig{Name: name, Path: self, Args: []string{program}, Dir: filepath.Join(dir, name), Settings: settings}
	}
	r := newRecorder()
	h := host.New(host.Options{
		Gateways: []host.PluginConfig{config("SIM", "gateway-garbled")}, Managers: []host.PluginConfig{config("margin", "risk-garbled")},
		Events: r, Log: hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Error}),
	})
	if err := h.Start(context.Background()); err != nil {
		panic(err)
	}
	r.awaitLine(t, "SIM up", 1)
	r.awaitLine(t, "margin up", 1)
	for _, status := range h.Status() {
		fmt.Println(status.PID)
	}
	select {}
}

// TestNoOrphans shows that no plugin outlives a hub that is killed without a chance to do anything about it, even a plugin that would not
// end by itself when its stream breaks.
func TestNoOrphans(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGABRT} {
		t.Run(signal.String(), func(t *testing.T) {
			parent := exec.CommandContext(t.Context(), self, "hub", t.TempDir())
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			var pids []int
			lines := bufio.NewScanner(out)
			for len(pids) < 2 && lines.Scan() {
				pid, err := strconv.Atoi(lines.Text())
				if err != nil {
					t.Fatal(err)
				}
				if !alive(pid) {
					t.Fatalf("process %d is not there", pid)
				}
				pids = append(pids, pid)
			}
			if len(pids) != 2 {
				t.Fatalf("the hub did not start: %v", lines.Err())
			}
			if err := parent.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait()
			for _, pid := range pids {
				awaitGone(t, pid)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	err := host.Check(host.PluginConfig{Name: "SIM", Path: filepath.Join(dir, "a")}, program(t, "CTP", "", nil), host.PluginConfig{Name: "margin", Path: filepath.Join(dir, "b")})
	want := fmt.Sprintf("SIM: there is no program %s/a; \"make build\" builds the plugins\nmargin: there is no program %s/b; \"make build\" builds the plugins", dir, dir)
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNewRefusesNames(t *testing.T) {
	for want, options := range map[string]host.Options{
		`host: gateway name "SIM" is empty or not unique`:         {Gateways: []host.PluginConfig{{Name: "SIM"}, {Name: "SIM"}}},
		`host: gateway name "" is empty or not unique`:            {Gateways: []host.PluginConfig{{}}},
		`host: risk manager name "margin" is empty or not unique`: {Managers: []host.PluginConfig{{Name: "margin"}, {Name: "margin"}}},
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("got %v, want %s", got, want)
				}
			}()
			host.New(options)
		}()
	}
}

var _ host.Events = (*recorder)(nil)

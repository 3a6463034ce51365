package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tradehub/hub/ctl"
)

// stopMax is what the hub promises: SIGTERM ends it within so long.
const stopMax = 5 * time.Second

// house is one data directory and the hub that runs on it, in one life after another.
type house struct {
	t    testing.TB
	root string // of this test: the log, and data unless it lies elsewhere
	data string
	args []string // of the verb
	base int      // of demo: alpha's request address
	ctl  *ctl.Client
	log  *os.File

	// Of the running life.
	cmd    *exec.Cmd
	stdout *lines
	stderr *lines
	exited chan struct{}
}

// folder makes a directory with a short name, since a unix socket's path is short. It stays when the test fails.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hub-") //nolint:usetesting // t.TempDir is long, and gone when a test has failed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// lastPort is below the ports that the system gives to those who ask for any.
var lastPort atomic.Int32

func init() { lastPort.Store(12000 + rand.Int32N(800)*10) }

// ports finds as many free ports in a row as four traders need.
func ports(t testing.TB) int {
	t.Helper()
	const n = 8
search:
	for range 1000 {
		base := int(lastPort.Add(int32(n))) - n
		if base+n > 32000 {
			lastPort.Store(12000)
			continue
		}
		for port := base; port < base+n; port++ {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				continue search
			}
			_ = l.Close()
		}
		return base
	}
	t.Fatal("there are no free ports")
	return 0
}

// newHouse makes a house that is not running.
func newHouse(t testing.TB) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	root := folder(t)
	h := &house{t: t, root: root, data: filepath.Join(root, "data")}
	h.ctl = ctl.NewClient(h.data)
	var err error
	if h.log, err = os.Create(filepath.Join(root, "hub.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if h.running() {
			_ = h.cmd.Process.Kill()
			<-h.exited
		}
		_ = h.log.Close()
		if t.Failed() {
			h.showLog()
		}
	})
	return h
}

// demo starts hub demo and waits until it is ready.
func demo(t testing.TB) *house {
	t.Helper()
	h := newHouse(t)
	h.base = ports(t)
	h.args = []string{"demo", "--base-port", strconv.Itoa(h.base), "--data", h.data}
	h.start()
	t.Cleanup(h.stop)
	return h
}

// serve starts hub serve with a configuration and waits until it is ready. In the text DATA stands for the data directory, ROOT for the folder that it is in, and PORT,
// PORT+1 ... for free ports.
func serve(t testing.TB, text string, policies map[string]string) *house {
	t.Helper()
	h := newHouse(t)
	h.configure(text, policies)
	h.start()
	t.Cleanup(h.stop)
	return h
}

func (h *house) configure(text string, policies map[string]string) {
	h.t.Helper()
	h.base = ports(h.t)
	for i := 7; i > 0; i-- {
		text = replaced(text, fmt.Sprintf("PORT+%d", i), strconv.Itoa(h.base+i))
	}
	text = replaced(text, "PORT", strconv.Itoa(h.base), "DATA", h.data, "ROOT", h.root)
	config := filepath.Join(h.root, "hub.yaml")
	h.write("hub.yaml", text)
	for name, content := range policies {
		h.write(filepath.Join("policies", name), content)
	}
	h.args = []string{"serve", "--config", config}
}

func replaced(text string, oldNew ...string) string {
	return strings.NewReplacer(oldNew...).Replace(text)
}

func (h *house) write(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// request and publish are the addresses of a trader, counted from 0.
func (h *house) request(trader int) string {
	return "tcp://127.0.0.1:" + strconv.Itoa(h.base+2*trader)
}

func (h *house) publish(trader int) string {
	return "tcp://127.0.0.1:" + strconv.Itoa(h.base+2*trader+1)
}

// launch starts a life and does not wait for anything.
func (h *house) launch() {
	h.t.Helper()
	if h.running() {
		h.t.Fatal("the hub runs already")
	}
	fmt.Fprintf(h.log, "\n$ hub %s\n", strings.Join(h.args, " "))
	// It is ended by signals, which is what is tested; the clean-up ends what is left.
	h.cmd = exec.CommandContext(context.WithoutCancel(h.t.Context()), filepath.Join(binDir, "hub"), h.args...)
	h.cmd.Dir = h.root
	h.stdout, h.stderr = newLines(h.log), newLines(h.log)
	h.cmd.Stdout, h.cmd.Stderr = h.stdout, h.stderr
	// The plugins hold no pipe of the hub's, but one that did should not keep Wait from its end.
	h.cmd.WaitDelay = time.Second
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.exited = make(chan struct{})
	go func(cmd *exec.Cmd, stdout, stderr *lines, exited chan struct{}) {
		_ = cmd.Wait() // the exit code is in the process state
		stdout.end()
		stderr.end()
		close(exited)
	}(h.cmd, h.stdout, h.stderr, h.exited)
}

// start starts a life and waits for READY.
func (h *house) start() {
	h.t.Helper()
	h.launch()
	h.awaitReady()
}

func (h *house) awaitReady() {
	h.t.Helper()
	ctx, cancel := h.patience()
	defer cancel()
	if err := h.stdout.await(ctx, 0, func(line string) bool { return strings.HasPrefix(line, "READY") }); err != nil {
		h.t.Fatalf("the hub is not ready: %v", err)
	}
}

func (h *house) running() bool {
	if h.exited == nil {
		return false
	}
	select {
	case <-h.exited:
		return false
	default:
		return true
	}
}

// kill is kill -9: the hub and, by no help of its own, its plugins are gone.
func (h *house) kill() {
	h.t.Helper()
	if err := h.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		h.t.Fatal(err)
	}
	<-h.exited
	h.noChildren()
}

// stop is SIGTERM: exit 0 within the time that is promised, and no child is left.
func (h *house) stop() {
	h.t.Helper()
	if !h.running() {
		return
	}
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	select {
	case <-h.exited:
	case <-time.After(stopMax):
		_ = h.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		select {
		case <-h.exited:
		case <-time.After(patience):
		}
		h.t.Errorf("the hub did not end within %s of SIGTERM", stopMax)
		return
	}
	if code := h.cmd.ProcessState.ExitCode(); code != 0 {
		h.t.Errorf("after SIGTERM the hub ended with %s, want exit 0", h.cmd.ProcessState)
	}
	h.noChildren()
}

// noChildren waits until no process is left that works in the data directory, which is what plugins do.
func (h *house) noChildren() {
	h.t.Helper()
	until(h.t, "no plugin outlives its hub", func() error {
		if left := processesIn(h.data); len(left) > 0 {
			return fmt.Errorf("processes %v", left)
		}
		return nil
	})
}

// processesIn lists the processes whose working directory is below dir. One that is dead and not reaped has none.
func processesIn(dir string) []int {
	all, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var in []int
	for _, link := range all {
		cwd, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(cwd, dir+"/") {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		in = append(in, pid)
	}
	return in
}

// showLog shows the end of the hub's log; all of it is in the folder that is kept.
func (h *house) showLog() {
	text, err := os.ReadFile(h.log.Name())
	if err != nil {
		h.t.Log(err)
		return
	}
	const most = 16 << 10
	if len(text) > most {
		text = append([]byte("...\n"), text[len(text)-most:]...)
	}
	h.t.Logf("log of the hub, %s:\n%s", h.log.Name(), text)
}

// logged waits for a line on the hub's stderr after a mark.
func (h *house) logged(mark int, texts ...string) {
	h.t.Helper()
	ctx, cancel := h.patience()
	defer cancel()
	if err := h.stderr.await(ctx, mark, has(texts...)); err != nil {
		h.t.Fatalf("the log has no line with %q: %v", texts, err)
	}
}

// result is what a command came to.
type result struct {
	stdout, stderr string
	code           int
}

// command runs the hub's program with any arguments.
func command(t testing.TB, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, "hub"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("hub %s: %v", strings.Join(args, " "), err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// operate runs hub ctl on this house.
func (h *house) operate(args ...string) result {
	h.t.Helper()
	return command(h.t, append(append([]string{"ctl"}, args...), "--data", h.data)...)
}

// operated is operate for what must succeed.
func (h *house) operated(args ...string) string {
	h.t.Helper()
	r := h.operate(args...)
	if r.code != 0 {
		h.t.Fatalf("hub ctl %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// asked is what hub ctl --json prints.
func asked[T any](h *house, args ...string) T {
	h.t.Helper()
	text := h.operated(append(args, "--json")...)
	var answer T
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&answer); err != nil {
		h.t.Fatalf("hub ctl %v --json: %v\n%s", args, err, text)
	}
	return answer
}

// patience ends what waits too long. It outlives the test's own context, since cleaning up waits too.
func (h *house) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(h.t.Context()), patience)
}

// status asks the hub in this process, for what is asked often.
func (h *house) status() (ctl.Status, error) {
	ctx, cancel := h.patience()
	defer cancel()
	return h.ctl.Status(ctx)
}

func (h *house) plugin(name string) ctl.Plugin {
	h.t.Helper()
	s, err := h.status()
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(s.Plugins, func(p ctl.Plugin) bool { return p.Name == name })
	if i < 0 {
		h.t.Fatalf("there is no plugin %s in %v", name, s.Plugins)
	}
	return s.Plugins[i]
}

// awaitPlugin waits until a plugin is as it should be.
func (h *house) awaitPlugin(name string, is func(ctl.Plugin) bool) {
	h.t.Helper()
	until(h.t, "plugin "+name, func() error {
		if p := h.plugin(name); !is(p) {
			return fmt.Errorf("it is %s, process %d, restarts %d: %s", p.State, p.PID, p.Restarts, p.Reason)
		}
		return nil
	})
}

// killPlugin is kill -9 of a plugin's process. back waits until there is another one, which is up.
func (h *house) killPlugin(name string) (back func()) {
	h.t.Helper()
	p := h.plugin(name)
	if p.PID == 0 {
		h.t.Fatalf("plugin %s has no process", name)
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		h.t.Fatalf("kill -9 %s: %v", name, err)
	}
	return func() {
		h.t.Helper()
		h.awaitPlugin(name, func(now ctl.Plugin) bool { return now.State == "up" && now.PID != 0 && now.PID != p.PID })
	}
}

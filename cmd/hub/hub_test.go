package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var rewrite = flag.Bool("rewrite", false, "write what is printed into the scripts; read the difference before it is committed")

// patience is how long a test waits for what must come; it says nothing about how long that takes.
const patience = time.Minute

// TestMain lets this test's own binary be hub in the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hub": main})
}

// pluginsDir builds the real plugins, once, for the scripts that run a hub: beside the hub, where it looks for them.
var pluginsDir = sync.OnceValues(func() (string, error) {
	program, err := exec.LookPath("hub")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(program), "plugins")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", dir+"/", "tradehub/plugins/gateways/sim", "tradehub/plugins/risk/margin")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return dir, nil
})

func TestScript(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	samples, err := filepath.Abs("../../policies")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *rewrite, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("SAMPLES", samples)
			e.Setenv("TZ", "UTC")
			e.Setenv("GORACE", "atexit_sleep_ms=0") // or every command of a script takes a second to end
			e.Values[runningKey{}] = &running{}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("there is no condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": codeCmd, "until": untilCmd, "plugins": pluginsCmd, "ports": portsCmd, "up": upCmd, "signal": signalCmd, "ended": endedCmd, "subst": substCmd,
		},
	})
}

// codeCmd runs a program and wants an exit code: code 2 hub nonsense.
func codeCmd(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: code N PROGRAM ARGS...")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\nstderr: %s", got, want, ts.ReadFile("stderr"))
	}
}

// untilCmd runs a program again and again until its output matches: until REGEXP PROGRAM ARGS...
func untilCmd(ts *testscript.TestScript, neg bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	for end := time.Now().Add(patience); ; {
		err := ts.Exec(args[1], args[2:]...)
		if found := err == nil && want.MatchString(ts.ReadFile("stdout")); found != neg {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("never: %s\n%s%s", args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
		}
		time.Sleep(20 * time.Millisecond) // between two questions; what is waited for has no other sign
	}
}

// pluginsCmd builds the plugins beside the hub, and sets $PLUGINS to their folder.
func pluginsCmd(ts *testscript.TestScript, _ bool, _ []string) {
	dir, err := pluginsDir()
	ts.Check(err)
	ts.Setenv("PLUGINS", dir)
}

// portsTaken counts the fours that scripts have taken; they run side by side.
var portsTaken atomic.Int32

// portsCmd sets $PORT0 to $PORT3 to four ports in a row that are free.
func portsCmd(ts *testscript.TestScript, _ bool, _ []string) {
	for {
		base := 20000 + os.Getpid()%750*16 + int(portsTaken.Add(1))*4
		if base > 32764 { // above are the ports that connections take
			ts.Fatalf("no free ports")
		}
		if free(base, base+1, base+2, base+3) {
			for i := range 4 {
				ts.Setenv("PORT"+strconv.Itoa(i), strconv.Itoa(base+i))
			}
			return
		}
	}
}

func free(ports ...int) bool {
	for _, port := range ports {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// substCmd replaces text in a file: subst FILE OLD NEW...
func substCmd(ts *testscript.TestScript, _ bool, args []string) {
	content := ts.ReadFile(args[0])
	for i := 1; i+1 < len(args); i += 2 {
		if !strings.Contains(content, args[i]) {
			ts.Fatalf("%s has no %q", args[0], args[i])
		}
		content = strings.ReplaceAll(content, args[i], args[i+1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(content), 0o600))
}

// running is a hub that a script has started.
type running struct {
	cmd    *exec.Cmd
	stdout io.ReadCloser
	log    *os.File
	ended  chan error
}

type runningKey struct{}

func hubOf(ts *testscript.TestScript) *running { return ts.Value(runningKey{}).(*running) }

func drain(lines <-chan string) {
	for range lines { // what is printed after READY is nobody's
	}
}

// upCmd starts a hub and waits for its READY line: up demo --data d. What it prints until then is in the file up.stdout, the log in up.log.
func upCmd(ts *testscript.TestScript, neg bool, args []string) {
	program, err := exec.LookPath(filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], "hub"))
	ts.Check(err)
	r := hubOf(ts)
	*r = running{cmd: exec.CommandContext(context.Background(), program, args...), ended: make(chan error, 1)}
	r.cmd.Dir = ts.MkAbs(".")
	r.log, err = os.Create(ts.MkAbs("up.log"))
	ts.Check(err)
	r.cmd.Stderr = r.log
	r.stdout, err = r.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	lines, ended := make(chan string), r.ended
	go func() {
		scanner := bufio.NewScanner(r.stdout)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
		close(lines)
		ended <- r.cmd.Wait()
		close(ended)
	}()
	process := r.cmd.Process
	ts.Defer(func() {
		_ = process.Kill()
		go drain(lines)
		if err := <-ended; err != nil {
			ts.Logf("the hub ended: %v", err)
		}
		_ = r.log.Close()
	})
	var said strings.Builder
	timer := time.NewTimer(patience)
	defer timer.Stop()
	ready := false
	for !ready {
		select {
		case line, more := <-lines:
			if !more {
				ts.Check(os.WriteFile(ts.MkAbs("up.stdout"), []byte(said.String()), 0o600))
				if !neg {
					ts.Fatalf("the hub ended before it was ready:\n%s", ts.ReadFile("up.log"))
				}
				return
			}
			said.WriteString(line + "\n")
			ready = strings.HasPrefix(line, "READY")
		case <-timer.C:
			ts.Fatalf("no READY; log:\n%s", ts.ReadFile("up.log"))
		}
	}
	go drain(lines)
	ts.Check(os.WriteFile(ts.MkAbs("up.stdout"), []byte(said.String()), 0o600))
	if neg {
		ts.Fatalf("the hub is ready")
	}
}

// signalCmd sends the hub a signal: signal TERM.
func signalCmd(ts *testscript.TestScript, _ bool, args []string) {
	s := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}[args[0]]
	ts.Check(hubOf(ts).cmd.Process.Signal(s))
}

// endedCmd waits for the hub's end and wants an exit code: ended 0.
func endedCmd(ts *testscript.TestScript, _ bool, args []string) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-hubOf(ts).ended:
		ts.Logf("the hub ended: %v", err)
	case <-timer.C:
		ts.Fatalf("the hub does not end; log:\n%s", ts.ReadFile("up.log"))
	}
	if got := strconv.Itoa(hubOf(ts).cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s; log:\n%s", got, args[0], ts.ReadFile("up.log"))
	}
}

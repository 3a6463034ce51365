package host

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin/runner"

	"tradehub/plugins"
)

// child is a plugin's process. go-plugin drives it through runner.Runner and sees nothing of it but the line of the handshake: what a plugin
// writes to stdout and stderr is read here, since go-plugin stops reading stdout at a long line and panics at a strange one on stderr.
type child struct {
	cmd    *exec.Cmd
	forker *forker
	log    hclog.Logger

	handshake       *io.PipeReader // what go-plugin reads
	handshakeWriter *io.PipeWriter
	exited          chan struct{} // closed when the process is reaped

	mu        sync.Mutex
	pid       int
	reaped    bool
	doomed    bool   // killed, maybe before it was started
	exit      string // how it ended
	exitAt    time.Time
	problem   string // what was wrong with its handshake
	lastWords string // the first line of a panic, or the last line on stderr
	lastAt    time.Time
	panicking bool
}

var _ runner.Runner = (*child)(nil)

func newChild(f *forker, cmd *exec.Cmd, log hclog.Logger) *child {
	c := &child{cmd: cmd, forker: f, log: log, exited: make(chan struct{})}
	c.handshake, c.handshakeWriter = io.Pipe()
	return c
}

// Start starts the process and the goroutines that read from it and wait for its end.
func (c *child) Start(context.Context) error {
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return err
	}
	tame(c.cmd)
	if err := c.forker.do(c.cmd.Start); err != nil {
		_ = c.handshakeWriter.Close()
		return err
	}
	c.mu.Lock()
	c.pid = c.cmd.Process.Pid
	if c.doomed {
		killGroup(c.pid)
	}
	c.mu.Unlock()
	var readers sync.WaitGroup
	readers.Go(func() { c.readStdout(stdout) })
	readers.Go(func() { c.readStderr(stderr) })
	go c.reap(&readers)
	return nil
}

// reap waits for the end of the process and takes all of its own children with it.
func (c *child) reap(readers *sync.WaitGroup) {
	read := make(chan struct{})
	go func() { readers.Wait(); close(read) }()
	if waitExit(c.cmd.Process.Pid) {
		killGroup(c.cmd.Process.Pid) // before the process is reaped: until then nobody else can have its number
		select {
		case <-read:
		case <-time.After(time.Second): // a grandchild that left the group holds the pipes open; Wait closes our ends
		}
	} else {
		<-read
	}
	c.mu.Lock()
	c.reaped = true
	c.mu.Unlock()
	err := c.cmd.Wait()
	<-read
	c.mu.Lock()
	c.exit, c.exitAt = c.cmd.ProcessState.String(), time.Now()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.exit = err.Error()
	}
	c.mu.Unlock()
	_ = c.handshakeWriter.Close()
	close(c.exited)
}

// Wait waits for the end of the process.
func (c *child) Wait(context.Context) error {
	<-c.exited
	return nil
}

// Kill kills the process and its children.
func (c *child) Kill(context.Context) error {
	c.kill()
	return nil
}

func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doomed = true
	if c.pid != 0 && !c.reaped {
		killGroup(c.pid)
	}
}

// exits reports whether the process has ended, or does so within a time.
func (c *child) exits(within time.Duration) bool {
	select {
	case <-c.exited:
		return true
	case <-time.After(within):
		return false
	}
}

// Stdout is the line of the handshake.
func (c *child) Stdout() io.ReadCloser { return c.handshake }

// Stderr is empty: see child.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is the program's path.
func (c *child) Name() string { return c.cmd.Path }

// ID is the process's number; go-plugin wants one that is not empty.
func (c *child) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strconv.Itoa(c.pid)
}

// Diagnose has nothing to add: the host says what was wrong.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin are for plugins that see other paths than the hub; these do not.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("address of kind %q", network)
	}
	return network, address, nil
}

// HostToPlugin is as PluginToHost.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// lineMax is how much of a line is read; the rest of it is dropped.
const lineMax = 64 << 10

// lines reads lines until the end of the stream.
func lines(r io.Reader, take func(line []byte)) {
	reader := bufio.NewReaderSize(r, lineMax)
	dropping := false
	for {
		line, err := reader.ReadSlice('\n')
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 && !dropping {
			take(line)
		}
		dropping = errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !dropping {
			return
		}
	}
}

// readStdout passes the handshake on when it is one, and the log gets the rest.
func (c *child) readStdout(r io.Reader) {
	first := true
	lines(r, func(line []byte) {
		if !first {
			c.log.Warn("the plugin wrote to its stdout, which is for the handshake", "line", string(line))
			return
		}
		first = false
		if problem := checkHandshake(string(line)); problem != "" {
			c.mu.Lock()
			c.problem = problem
			c.mu.Unlock()
		}
		_, _ = c.handshakeWriter.Write(append(line, '\n')) // go-plugin reads until it is done; the pipe is closed when the process ends
	})
}

// checkHandshake says what is wrong with a plugin's first line, which is to be "1|version|unix|address|grpc|certificate".
func checkHandshake(line string) string {
	parts := strings.Split(line, "|")
	if len(parts) < 5 {
		return fmt.Sprintf("it printed %q on stdout before its handshake; a plugin's stdout is for the handshake, its log is Env.Log", clip(line, 80))
	}
	if parts[1] != strconv.Itoa(plugins.ProtocolVersion) {
		return fmt.Sprintf("it speaks version %s of the plugin protocol, and this hub speaks version %d: build both from the same source", clip(parts[1], 20), plugins.ProtocolVersion)
	}
	if parts[4] != "grpc" {
		return fmt.Sprintf("it speaks %q, and this hub speaks grpc only", clip(parts[4], 20))
	}
	return ""
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}

// lastWordsAge is how long before the end a line may have been written to have to do with it.
const lastWordsAge = 5 * time.Second

// ending says how the process ended, with its last words.
func (c *child) ending() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lastWords == "" || c.exitAt.Sub(c.lastAt) > lastWordsAge {
		return c.exit
	}
	return c.exit + ": " + c.lastWords
}

func (c *child) handshakeProblem() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.problem
}

func (c *child) pidNow() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

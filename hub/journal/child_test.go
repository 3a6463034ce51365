package journal_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tradehub/hub/journal"
)

var (
	kills    = flag.Int("kills", 20, "how often TestKill kills a process")
	killSeed = flag.Uint64("kill-seed", 0, "where TestKill starts its random numbers; 0: anywhere")
)

// childOptions make segments change and snapshots happen often.
func childOptions(dir string, m journal.Machine) journal.Options {
	return journal.Options{
		Dir: dir, Machine: m, MinFreeBytes: -1,
		SegmentBytes: 64 << 10, SnapshotEntries: 500, SnapshotInterval: 10e6, TrailingEntries: 100,
	}
}

// numbers is a machine whose nth entry is the number n. Others it refuses.
type numbers struct {
	mu    sync.Mutex
	count int
	acks  io.Writer // is told what this process proposed and is applied
	more  chan struct{}
}

func (n *numbers) Apply(batch []journal.Entry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var acks []byte
	for _, e := range batch {
		got, err := strconv.Atoi(strings.TrimRight(string(e.Data), "."))
		if err != nil || got != n.count {
			panic(fmt.Sprintf("entry %d is %q, want %d", e.Index, e.Data, n.count))
		}
		n.count++
		if e.Proposal != 0 {
			acks = fmt.Appendf(acks, "ack %d\n", got)
		}
	}
	if n.acks != nil {
		_, _ = n.acks.Write(acks)
	}
	select {
	case n.more <- struct{}{}:
	default:
	}
}

func (n *numbers) Snapshot() (io.WriterTo, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.NewReader(strconv.Itoa(n.count)), nil
}

func (n *numbers) Restore(_ uint64, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	n.count, err = strconv.Atoi(string(b))
	return err
}

func (n *numbers) applied() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

// proposeUntil proposes numbers, a few hundred bytes each, until stop or error.
func proposeUntil(j *journal.Journal, n *numbers, stop func(next int) bool) error {
	next := n.applied()
	for !stop(next) {
		_, err := j.Propose(fmt.Appendf(nil, "%d%s", next, strings.Repeat(".", 100+next%200)))
		switch {
		case errors.Is(err, journal.ErrBusy):
			select {
			case <-n.more:
			case <-j.Changes(): // it may have failed
			}
		case err != nil:
			return err
		default:
			next++
		}
	}
	return nil
}

func die(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func openInChild(segmentBytes int) (*journal.Journal, *numbers) {
	go func() { // do not outlive the test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	n := &numbers{acks: os.Stdout, more: make(chan struct{}, 1)}
	o := childOptions(os.Getenv("JOURNAL_TEST_DIR"), n)
	o.InFlightMax, o.SegmentBytes = 50, segmentBytes
	j, err := journal.Open(o)
	if err != nil {
		die(err)
	}
	if err := j.WaitLeading(context.Background()); err != nil {
		die(err)
	}
	return j, n
}

// childProposes proposes until it is killed.
func childProposes() {
	j, n := openInChild(64 << 10)
	die(proposeUntil(j, n, func(int) bool { return false }))
}

func startChild(t *testing.T, mode, dir string, env ...string) (*exec.Cmd, *bufio.Scanner, *strings.Builder) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(append(os.Environ(), childVar+"="+mode, "JOURNAL_TEST_DIR="+dir), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out), &stderr
}

func lastAck(t *testing.T, line string) (int, bool) {
	t.Helper()
	s, ok := strings.CutPrefix(line, "ack ")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("child says %q", line)
	}
	return n, true
}

func TestKill(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -kill-seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	acked := -1
	for round := range *kills {
		cmd, out, stderr := startChild(t, "propose", dir)
		after := 1 + random.IntN(2000)
		for i := 0; out.Scan(); i++ {
			if n, ok := lastAck(t, out.Text()); ok {
				acked = n
			}
			if i == 0 {
				_, err := journal.Open(childOptions(dir, &numbers{}))
				want := fmt.Sprintf("data directory %s is in use by hub process %d", dir, cmd.Process.Pid)
				if !errors.Is(err, journal.ErrInUse) || !strings.Contains(err.Error(), want) {
					t.Fatalf("got  %v\nwant %s", err, want)
				}
			}
			if i == after {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := cmd.Wait()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: %v\n%s", round, err, stderr)
		}
		n := &numbers{}
		j := mustLead(t, childOptions(dir, n))
		if n.count <= acked {
			t.Fatalf("round %d: %d entries, and %d was acknowledged", round, n.count, acked)
		}
		if random.IntN(2) == 0 {
			mustClose(t, j)
		} else if err := j.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	if acked < 1000 {
		t.Fatalf("only %d entries in all", acked)
	}
}

// childMeetsFileLimit proposes, and from some point on the system lets it write
// only a little more into the segment.
func childMeetsFileLimit() {
	signal.Ignore(syscall.SIGXFSZ)
	j, n := openInChild(1 << 20)
	const before = 600
	if err := proposeUntil(j, n, func(next int) bool { return next == before }); err != nil {
		die(err)
	}
	for n.applied() < before {
		<-n.more
	}
	limit, err := strconv.ParseUint(os.Getenv("JOURNAL_TEST_LIMIT"), 10, 64)
	if err != nil {
		die(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		die(err)
	}
	err = proposeUntil(j, n, func(int) bool { return false })
	if err := j.Close(); err != nil {
		die(err)
	}
	fmt.Printf("failed: %v (ErrFailed %t, EFBIG %t)\n", err, errors.Is(err, journal.ErrFailed), errors.Is(err, syscall.EFBIG))
}

// A real write that the system cuts short.
func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	cmd, out, stderr := startChild(t, "file-limit", dir, "JOURNAL_TEST_LIMIT=700001")
	acked, failed := -1, ""
	for out.Scan() {
		if n, ok := lastAck(t, out.Text()); ok {
			acked = n
		} else {
			failed = out.Text()
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if !strings.Contains(failed, "failed: journal: failed: write entries ") || !strings.HasSuffix(failed, "(ErrFailed true, EFBIG true)") {
		t.Fatalf("child says %q", failed)
	}
	n := &numbers{more: make(chan struct{}, 1)}
	j := mustLead(t, childOptions(dir, n))
	found := n.applied()
	if acked < 500 || found <= acked {
		t.Fatalf("%d entries, and %d was acknowledged", found, acked)
	}
	if err := proposeUntil(j, n, func(next int) bool { return next == found+100 }); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	if got := n.applied(); got != found+100 {
		t.Fatalf("%d entries, want %d", got, found+100)
	}
}

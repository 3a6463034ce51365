package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub/journal"
)

func TestEntriesComeBackInOrderAndAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	want := names(3000)

	first := newLedger()
	j := mustLead(t, options(dir, first))
	for i, name := range want {
		if p := mustPropose(t, j, name); p != journal.Proposal(i+1) {
			t.Fatalf("proposal %d, want %d", p, i+1)
		}
	}
	first.awaitCount(t, len(want))
	diff(t, "applied", first.got(), want)
	var before uint64
	for i, e := range first.entries {
		if e.Proposal != journal.Proposal(i+1) || e.Replayed || e.Index <= before {
			t.Fatalf("entry %d = %+v after index %d", i, e, before)
		}
		before = e.Index
	}
	mustClose(t, j)
	if _, err := j.Propose([]byte("x")); !errors.Is(err, journal.ErrClosed) {
		t.Fatalf("propose after close: %v", err)
	}

	second := newLedger()
	j = mustLead(t, options(dir, second))
	diff(t, "replayed", second.got(), want) // all of it, as soon as it leads
	for i, e := range second.entries {
		if e.Index != first.entries[i].Index || e.Proposal != 0 || !e.Replayed || e.Index > j.ReplayedTo() {
			t.Fatalf("replayed entry %d = %+v, was %+v", i, e, first.entries[i])
		}
	}
	p := mustPropose(t, j, "after")
	second.awaitCount(t, len(want)+1)
	if e := second.last(); e.Proposal != p || e.Replayed || string(e.Data) != "after" || e.Index <= j.ReplayedTo() {
		t.Fatalf("live entry = %+v, proposal %d, replayed to %d", e, p, j.ReplayedTo())
	}
}

func TestCloseWaitsForWhatIsInFlight(t *testing.T) {
	l := newLedger()
	j := mustLead(t, options(t.TempDir(), l))
	want := names(200)
	for _, name := range want {
		mustPropose(t, j, name)
	}
	mustClose(t, j)
	diff(t, "applied before close", l.got(), want)
	if len(l.lost) > 0 {
		t.Fatalf("lost %v", l.lost)
	}
}

// stuck is a machine that does not come back from Apply until it is let.
type stuck struct {
	*ledger
	in, out chan struct{}
}

func (s *stuck) Apply([]journal.Entry) {
	close(s.in)
	<-s.out
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	m := &stuck{newLedger(), make(chan struct{}), make(chan struct{})}
	o := options(t.TempDir(), m.ledger).With(journal.Faults{Close: time.Millisecond})
	o.Machine = m
	j := mustLead(t, o)
	mustPropose(t, j, "x")
	<-m.in
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "the machine or another server did not answer for 1ms") {
		t.Fatal(err)
	}
	if _, err := journal.Open(o); !errors.Is(err, journal.ErrInUse) {
		t.Fatalf("open beside a machine that still runs: %v", err)
	}
	close(m.out)
	for { // it lets go when the machine does
		again, err := journal.Open(options(o.Dir, newLedger()))
		if err == nil {
			mustClose(t, again)
			return
		}
		if !errors.Is(err, journal.ErrInUse) {
			t.Fatal(err)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// gate holds up every sync until it is opened.
func gate(f *files) (open func()) {
	held := make(chan struct{})
	f.set(func() { f.sync = func() error { <-held; return nil } })
	return func() { f.set(func() { f.sync = nil }); close(held) }
}

func TestManyProposalsShareASync(t *testing.T) {
	f, l := &files{}, newLedger()
	j := mustLead(t, options(t.TempDir(), l).With(journal.Faults{Files: f.wrap}))
	open := gate(f)
	before := f.count()
	const n = 900
	for _, name := range names(n) {
		mustPropose(t, j, name)
	}
	open()
	l.awaitCount(t, n)
	if syncs := f.count() - before; syncs > n/10 {
		t.Fatalf("%d syncs for %d proposals", syncs, n)
	}
}

func TestBusyWhenTooMuchIsInFlight(t *testing.T) {
	for name, bound := range map[string]func(*journal.Options){
		"entries": func(o *journal.Options) { o.InFlightMax = 4 },
		"bytes":   func(o *journal.Options) { o.InFlightBytes, o.EntryBytesMax = 4*len("entry-0000"), 20 },
	} {
		t.Run(name, func(t *testing.T) {
			f, l := &files{}, newLedger()
			o := options(t.TempDir(), l).With(journal.Faults{Files: f.wrap})
			bound(&o)
			j := mustLead(t, o)
			open := gate(f)
			for _, name := range names(4) {
				mustPropose(t, j, name)
			}
			if _, err := j.Propose([]byte("one-more")); !errors.Is(err, journal.ErrBusy) {
				t.Fatalf("fifth: %v, want busy", err)
			}
			open()
			l.awaitCount(t, 4)
			mustPropose(t, j, "one-more")
			l.awaitCount(t, 5)
		})
	}
}

func TestSecondHubIsRefused(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, options(dir, newLedger()))
	_, err := journal.Open(options(dir, newLedger()))
	want := fmt.Sprintf("journal: data directory %s is in use by hub process %d", dir, os.Getpid())
	if !errors.Is(err, journal.ErrInUse) || err.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
	mustClose(t, j)
	mustClose(t, mustOpen(t, options(dir, newLedger())))
}

func TestDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	mustClose(t, mustOpen(t, options(dir, newLedger())))
	for _, d := range []string{dir, filepath.Join(dir, "wal"), filepath.Join(dir, "snapshots")} {
		info, err := os.Stat(d)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v; want mode 0700", d, info.Mode(), err)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Open(options(dir, newLedger()))
	want := fmt.Sprintf("journal: data directory %s can be written by others (mode 0777); mend it with: chmod 700 %s", dir, dir)
	if err == nil || err.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
}

func TestOptionsAreRefused(t *testing.T) {
	peers := []journal.Peer{{ID: "a", Address: "127.0.0.1:1"}, {ID: "b", Address: "10.0.0.2:1"}, {ID: "b", Address: "nowhere"}}
	for want, o := range map[string]journal.Options{
		"no directory given": {Machine: newLedger()},
		"no machine given":   {Dir: "x"},
		"segments of 100 bytes are too small: at least 65536":                       {SegmentBytes: 100},
		"entries of 99999999 bytes are not possible: at most 33554432":              {EntryBytesMax: 99999999},
		"the bounds on what is in flight leave no room for one entry":               {InFlightBytes: 10},
		`peer "b" is listed twice`:                                                  {Cluster: &journal.Cluster{Peers: peers}},
		`peer "b": address "nowhere" is not host:port`:                              {Cluster: &journal.Cluster{Peers: peers}},
		`peer "b": address 10.0.0.2:1 is not on the loopback interface`:             {Cluster: &journal.Cluster{Peers: peers}},
		`this server, "c", is not among its peers`:                                  {NodeID: "c", Cluster: &journal.Cluster{Peers: peers}},
		"a heartbeat time-out of 1ns is too short: at least 20ms":                   {Cluster: &journal.Cluster{HeartbeatTimeout: 1}},
		"the TLS settings do not require and verify the other server's certificate": {Cluster: &journal.Cluster{TLS: insecureTLS()}},
	} {
		_, err := journal.Open(o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	o := options(t.TempDir(), newLedger())
	o.EntryBytesMax = 10
	j := mustLead(t, o)
	_, err := j.Propose(make([]byte, 11))
	if !errors.Is(err, journal.ErrTooLarge) || !strings.Contains(err.Error(), "11 bytes, and at most 10 are allowed") {
		t.Fatal(err)
	}
	mustPropose(t, j, "0123456789")
}

func TestDirectoryOfAnotherServer(t *testing.T) {
	dir := t.TempDir()
	l := newLedger()
	mustClose(t, mustLead(t, options(dir, l)))
	o := options(dir, l)
	o.NodeID = "other"
	_, err := journal.Open(o)
	want := fmt.Sprintf(`journal: data directory %s belongs to server hub, and this is server "other"`, dir)
	if err == nil || err.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
}

func TestTooLittleSpaceRefusesUntilThereIsRoom(t *testing.T) {
	var free atomic.Uint64
	free.Store(1 << 30)
	l := newLedger()
	o := options(t.TempDir(), l).With(journal.Faults{FreeBytes: func(string) (uint64, error) { return free.Load(), nil }})
	o.MinFreeBytes = 100 << 20
	j := mustLead(t, o)
	mustPropose(t, j, "before")

	free.Store(99 << 20)
	j.CheckSpace()
	_, err := j.Propose([]byte("x"))
	want := fmt.Sprintf("journal: the disk is nearly full: 99 MiB are free where %s is, and 100 MiB have to be", o.Dir)
	if !errors.Is(err, journal.ErrNoSpace) || err.Error() != want {
		t.Fatalf("got  %v\nwant %s", err, want)
	}
	if s := awaitState(t, j, journal.Full); !errors.Is(s.Err, journal.ErrNoSpace) {
		t.Fatal(s.Err)
	}
	if !j.Leader() {
		t.Fatal("lost the lead for lack of space")
	}

	free.Store(100 << 20)
	j.CheckSpace()
	mustPropose(t, j, "after")
	l.awaitCount(t, 2)
	diff(t, "applied", l.got(), []string{"before", "after"})
}

func TestSpaceIsLookedAtBeforeTheFirstProposal(t *testing.T) {
	o := options(t.TempDir(), newLedger()).With(journal.Faults{FreeBytes: func(string) (uint64, error) { return 0, nil }})
	o.MinFreeBytes = 1
	j := mustLead(t, o)
	if _, err := j.Propose([]byte("x")); !errors.Is(err, journal.ErrNoSpace) {
		t.Fatal(err)
	}
}

func TestDiskFaultStopsTheJournalAndLosesNothing(t *testing.T) {
	for name, fault := range map[string]struct {
		inject func(f *files)
		cause  error
	}{
		"write": {func(f *files) {
			f.written = func([]byte, int64) (int, error) { return 0, syscall.ENOSPC }
		}, syscall.ENOSPC},
		"short write": {func(f *files) {
			f.written = func(b []byte, _ int64) (int, error) { return len(b) / 2, syscall.ENOSPC }
		}, syscall.ENOSPC},
		"sync": {func(f *files) {
			f.sync = func() error { return syscall.EIO }
		}, syscall.EIO},
		"next segment": {func(f *files) {
			f.create = func() error { return syscall.ENOSPC }
		}, syscall.ENOSPC},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f, l := &files{}, newLedger()
			o := options(dir, l).With(journal.Faults{Files: f.wrap})
			o.SegmentBytes = 64 << 10
			j := mustLead(t, o)
			for _, name := range names(50) {
				mustPropose(t, j, name)
			}
			l.awaitCount(t, 50)

			f.set(func() { fault.inject(f) })
			proposed := 50
			for {
				_, err := j.Propose([]byte(fmt.Sprintf("entry-%04d", proposed) + strings.Repeat(".", 200)))
				if errors.Is(err, journal.ErrBusy) {
					continue
				}
				if err != nil {
					if !errors.Is(err, journal.ErrFailed) || !errors.Is(err, fault.cause) {
						t.Fatalf("propose: %v, want ErrFailed for %v", err, fault.cause)
					}
					break
				}
				proposed++
			}
			if s := awaitState(t, j, journal.Failed); !errors.Is(s.Err, fault.cause) {
				t.Fatal(s.Err)
			}
			// Every proposal was applied or is reported lost, never both.
			l.await(t, "the fate of every proposal", func() bool { return len(l.entries)+len(l.lost) == proposed })
			applied := l.got()
			if n := len(applied); len(l.lost) > 0 && l.lost[0] != journal.Proposal(n+1) {
				t.Fatalf("%d applied, and first lost is %d", n, l.lost[0])
			}
			if len(l.lost) > 0 && !errors.Is(l.lostWhy, fault.cause) {
				t.Fatal(l.lostWhy)
			}
			mustClose(t, j)

			again := newLedger()
			o.Machine, o.Lost = again, again.giveUp
			j = mustLead(t, o.With(journal.Faults{}))
			got := again.got()
			if len(got) < len(applied) || len(got) > proposed {
				t.Fatalf("%d entries after the restart; %d had been applied and %d proposed", len(got), len(applied), proposed)
			}
			diff(t, "applied before the fault", got[:len(applied)], applied)
			mustPropose(t, j, "after")
			again.awaitCount(t, len(got)+1)
		})
	}
}

func TestFailedVoteFailsTheJournalAndNotTheProcess(t *testing.T) {
	l := newLedger()
	v := &votes{}
	j := mustOpen(t, options(t.TempDir(), l).With(journal.Faults{Stable: v.wrap}))
	s := awaitState(t, j, journal.Failed)
	if !errors.Is(s.Err, journal.ErrFailed) || !errors.Is(s.Err, syscall.ENOSPC) {
		t.Fatal(s.Err)
	}
	if _, err := j.Propose([]byte("x")); !errors.Is(err, journal.ErrFailed) {
		t.Fatal(err)
	}
	mustClose(t, j)
}

func TestSnapshotsShortenTheReplayAndTheLog(t *testing.T) {
	dir := t.TempDir()
	l := newLedger()
	o := options(dir, l)
	o.SnapshotEntries, o.TrailingEntries, o.SegmentBytes = 1<<40, 10, 64<<10
	j := mustLead(t, o)
	want := names(500)
	for i, name := range want[:400] {
		mustPropose(t, j, name+strings.Repeat(" ", 1000))
		if i%20 == 19 { // a batch goes into one segment whole
			l.awaitCount(t, i+1)
		}
	}
	files := func() int {
		m, _ := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
		return len(m)
	}
	before := files()
	if err := j.Snapshot(); err != nil {
		t.Fatal(err)
	}
	if after := files(); after >= before {
		t.Fatalf("%d segments, and %d before the snapshot", after, before)
	}
	for _, name := range want[400:] {
		mustPropose(t, j, name)
	}
	l.awaitCount(t, 500)
	index := l.entries[399].Index
	all := l.got()
	mustClose(t, j)

	again := newLedger()
	o.Machine = again
	j = mustLead(t, o)
	if again.restored != index {
		t.Fatalf("restored a snapshot of entry %d, want %d", again.restored, index)
	}
	diff(t, "restored and replayed", again.got(), all)
	mustPropose(t, j, "after")
	again.awaitCount(t, 501)
}

func TestSnapshotsAreTakenByThemselves(t *testing.T) {
	dir := t.TempDir()
	l := newLedger()
	o := options(dir, l)
	o.SnapshotEntries, o.SnapshotInterval = 100, 5e6
	j := mustLead(t, o)
	n := 0
	for {
		if m, _ := filepath.Glob(filepath.Join(dir, "snapshots", "*-*-*", "state.bin")); len(m) >= 2 {
			break
		}
		n++
		mustPropose(t, j, "x")
		l.awaitCount(t, n)
		if n > 100_000 {
			t.Fatal("no snapshot")
		}
	}
	mustClose(t, j)
	again := newLedger()
	o.Machine = again
	mustLead(t, o)
	if again.restored == 0 || len(again.got()) != n {
		t.Fatalf("restored at %d, %d entries of %d", again.restored, len(again.got()), n)
	}
}

func TestDamagedSnapshot(t *testing.T) {
	build := func(t *testing.T, trailing uint64) ([]string, journal.Options) {
		dir := t.TempDir()
		l := newLedger()
		o := options(dir, l)
		o.SnapshotEntries, o.TrailingEntries = 1<<40, trailing
		j := mustLead(t, o)
		for round := range 2 {
			for _, name := range names(50) {
				mustPropose(t, j, name)
			}
			l.awaitCount(t, 50*(round+1))
			if err := j.Snapshot(); err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, j)
		m, err := filepath.Glob(filepath.Join(dir, "snapshots", "*-*-*", "state.bin"))
		if err != nil || len(m) != 2 {
			t.Fatal(m, err)
		}
		newest := m[0]
		if a, b := mtime(t, m[0]), mtime(t, m[1]); b > a {
			newest = m[1]
		}
		b, err := os.ReadFile(newest)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(newest, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return l.got(), o
	}
	t.Run("made up for from the one before", func(t *testing.T) {
		want, o := build(t, 1000)
		again := newLedger()
		o.Machine = again
		mustLead(t, o)
		diff(t, "recovered", again.got(), want)
	})
	t.Run("refused when entries are missing", func(t *testing.T) {
		_, o := build(t, 1)
		o.Machine = newLedger()
		_, err := journal.Open(o)
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "are in no snapshot and in no segment; restore the data directory from a back-up") {
			t.Fatal(err)
		}
	})
}

func mtime(t *testing.T, path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime().UnixNano()
}

func TestMachineThatRefusesItsSnapshot(t *testing.T) {
	l := newLedger()
	o := options(t.TempDir(), l)
	j := mustLead(t, o)
	mustPropose(t, j, "x")
	l.awaitCount(t, 1)
	if err := j.Snapshot(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	again := newLedger()
	again.refuse = errors.New("state of version 9")
	o.Machine = again
	_, err := journal.Open(o)
	if !errors.Is(err, again.refuse) || !strings.Contains(err.Error(), "journal: snapshot of entry") {
		t.Fatal(err)
	}
	// Nothing was harmed.
	again.refuse = nil
	mustLead(t, o)
	diff(t, "restored", again.got(), []string{"x"})
}

func TestLogIsQuiet(t *testing.T) {
	var b bytes.Buffer
	l := newLedger()
	o := options(t.TempDir(), l)
	o.Logger = hclog.New(&hclog.LoggerOptions{Output: &b, Level: hclog.Info, DisableTime: true})
	j := mustLead(t, o)
	mustPropose(t, j, "x")
	l.awaitCount(t, 1)
	if err := j.Snapshot(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, j)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "[INFO]  journal leads: ") {
		t.Fatalf("logged:\n%s", b.String())
	}
}

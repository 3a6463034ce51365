package journal_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft-wal/types"
	"go.uber.org/goleak"

	"tradehub/hub/journal"
)

// childVar, when set, makes the test binary one of the processes that tests
// start and kill.
const childVar = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "":
		goleak.VerifyTestMain(m)
	case "propose":
		childProposes()
	case "file-limit":
		childMeetsFileLimit()
	}
}

const patience = 20 * time.Second // for what should take milliseconds

// ledger is a machine that remembers what it was given.
type ledger struct {
	mu       sync.Mutex
	entries  []journal.Entry
	restored uint64 // the index that Restore was called with
	lost     []journal.Proposal
	lostWhy  error
	changed  chan struct{}

	refuse error // what Restore returns
}

func newLedger() *ledger { return &ledger{changed: make(chan struct{})} }

func (l *ledger) touch() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *ledger) Apply(batch []journal.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, batch...)
	l.touch()
}

func (l *ledger) Snapshot() (io.WriterTo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(l.entries)
	return &b, err
}

func (l *ledger) Restore(index uint64, r io.Reader) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	l.restored, l.entries = index, nil
	defer l.touch()
	return gob.NewDecoder(r).Decode(&l.entries)
}

func (l *ledger) giveUp(lost []journal.Proposal, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost, l.lostWhy = append(l.lost, lost...), why
	l.touch()
}

// await waits until what holds, which is asked after every change.
func (l *ledger) await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		ok, changed, n := holds(), l.changed, len(l.entries)
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited %s for %s; %d entries applied", patience, what, n)
		}
	}
}

func (l *ledger) awaitCount(t testing.TB, n int) {
	t.Helper()
	l.await(t, fmt.Sprintf("%d entries", n), func() bool { return len(l.entries) >= n })
}

// got returns what was applied.
func (l *ledger) got() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var data []string
	for _, e := range l.entries {
		data = append(data, string(e.Data))
	}
	return data
}

func (l *ledger) last() journal.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[len(l.entries)-1]
}

func options(dir string, l *ledger) journal.Options {
	return journal.Options{Dir: dir, Machine: l, Lost: l.giveUp, MinFreeBytes: -1}
}

func mustOpen(t testing.TB, o journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// mustLead opens a journal and waits until it takes proposals.
func mustLead(t testing.TB, o journal.Options) *journal.Journal {
	t.Helper()
	j := mustOpen(t, o)
	awaitLead(t, j)
	return j
}

func awaitLead(t testing.TB, j *journal.Journal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := j.WaitLeading(ctx); err != nil {
		t.Fatal(err)
	}
}

func awaitState(t testing.TB, j *journal.Journal, want journal.State) journal.Status {
	t.Helper()
	deadline := time.After(patience)
	for {
		if s := j.Status(); s.State == want {
			return s
		}
		select {
		case <-j.Changes():
		case <-deadline:
			t.Fatalf("state %v, want %v", j.Status().State, want)
		}
	}
}

func mustPropose(t testing.TB, j *journal.Journal, data string) journal.Proposal {
	t.Helper()
	p, err := j.Propose([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustClose(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func names(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("entry-%04d", i))
	}
	return all
}

func diff(t testing.TB, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: [%d] = %q, want %q", what, i, got[i], want[i])
		}
	}
	t.Fatalf("%s: %d entries, want %d", what, len(got), len(want))
}

// copyDir copies a data directory, into memory where that is possible: what is
// tried on hundreds of copies does not depend on how long a sync takes.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	parent, err := os.MkdirTemp("/dev/shm", "journal-test-") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		parent = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	to := filepath.Join(parent, "data")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// tail is the segment that is written at present.
func tail(t testing.TB, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
	if err != nil || len(files) == 0 {
		t.Fatal("no segments in ", dir, err)
	}
	slices.Sort(files)
	return files[len(files)-1]
}

// files is a disk that can be told to fail.
type files struct {
	types.VFS
	mu      sync.Mutex
	syncs   int
	written func(b []byte, off int64) (n int, err error) // nil: write
	sync    func() error                                 // nil: sync
	create  func() error                                 // nil: create
	synced  func()                                       // after a sync
}

func (f *files) wrap(v types.VFS) types.VFS { f.VFS = v; return f }

func (f *files) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *files) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.syncs
}

func (f *files) Create(dir, name string, size uint64) (types.WritableFile, error) {
	f.mu.Lock()
	create := f.create
	f.mu.Unlock()
	if create != nil {
		if err := create(); err != nil {
			return nil, err
		}
	}
	w, err := f.VFS.Create(dir, name, size)
	return file{w, f}, err
}

func (f *files) OpenWriter(dir, name string) (types.WritableFile, error) {
	w, err := f.VFS.OpenWriter(dir, name)
	if err != nil {
		return nil, err
	}
	return file{w, f}, nil
}

type file struct {
	types.WritableFile
	fs *files
}

func (f file) WriteAt(b []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	written := f.fs.written
	f.fs.mu.Unlock()
	if written != nil {
		n, err := written(b, off)
		m, werr := f.WritableFile.WriteAt(b[:n], off)
		return m, errors.Join(err, werr)
	}
	return f.WritableFile.WriteAt(b, off)
}

func (f file) Sync() error {
	f.fs.mu.Lock()
	f.fs.syncs++
	sync, synced := f.fs.sync, f.fs.synced
	f.fs.mu.Unlock()
	if sync != nil {
		if err := sync(); err != nil {
			return err
		}
	}
	err := f.WritableFile.Sync()
	if synced != nil {
		synced()
	}
	return err
}

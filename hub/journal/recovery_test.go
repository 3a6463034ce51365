package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/metadb"

	"tradehub/hub/journal"
)

// small is a journal that was stopped without warning, and how far its tail
// reached after each of its entries, which were written one by one.
type small struct {
	dir     string
	entries []string
	ends    []int // ends[i] is the size of the tail with i entries
}

func makeSmall(t *testing.T, n int) small {
	t.Helper()
	s := small{dir: t.TempDir(), entries: names(n)}
	l := newLedger()
	o := options(s.dir, l)
	o.SegmentBytes = 64 << 10
	j := mustLead(t, o)
	mustPropose(t, j, s.entries[0]) // raft's own first entry is on disk with it
	l.awaitCount(t, 1)
	s.ends = []int{0, used(t, s.dir)}
	for i, e := range s.entries[1:] {
		mustPropose(t, j, e)
		l.awaitCount(t, i+2)
		s.ends = append(s.ends, used(t, s.dir))
	}
	if err := j.Kill(); err != nil {
		t.Fatal(err)
	}
	return s
}

// used is the length of the tail, less the zeros that were allocated. The last
// frame ends on a multiple of eight.
func used(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(tail(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return (len(bytes.TrimRight(b, "\x00")) + 7) &^ 7
}

// whole is how many entries are whole in the first n bytes.
func (s small) whole(n int) int {
	k := 0
	for k < len(s.entries) && s.ends[k+1] <= n {
		k++
	}
	return k
}

// with copies the journal, changes the bytes of its tail, and opens the store.
func (s small) with(t *testing.T, change func([]byte) []byte) ([]string, error) {
	t.Helper()
	dir := copyDir(t, s.dir)
	defer func() { _ = os.RemoveAll(dir) }()
	path := tail(t, dir)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := journal.Stored(dir, []byte("added"))
	if err != nil {
		return nil, err
	}
	again, err := journal.Stored(dir, nil)
	if err != nil {
		return nil, fmt.Errorf("open again: %w", err)
	}
	var got []string
	for _, d := range data {
		got = append(got, string(d))
	}
	if len(data) != len(again) || got[len(got)-1] != "added" {
		t.Fatalf("%q, and after another start %q", data, again)
	}
	return got[:len(got)-1], nil
}

func TestTailCutAtEveryByte(t *testing.T) {
	s := makeSmall(t, 6)
	end := s.ends[len(s.ends)-1]
	for cut := range end + 9 {
		for how, change := range map[string]func([]byte) []byte{
			"cut off": func(b []byte) []byte { return b[:cut] },
			"zeroed":  func(b []byte) []byte { clear(b[cut:]); return b },
		} {
			got, err := s.with(t, change)
			if err != nil {
				t.Fatalf("%s at %d: %v", how, cut, err)
			}
			// Zeros that belong to the entry are as good as not cut off.
			n := s.whole(cut)
			if len(got) == n+1 && how == "zeroed" && s.whole(cut+8) == n+1 {
				n++
			}
			diff(t, fmt.Sprintf("%s at %d", how, cut), got, s.entries[:n])
		}
	}
}

func TestHoleInTheLastWrite(t *testing.T) {
	s := makeSmall(t, 4)
	from, to := s.ends[3], s.ends[4]
	for at := from; at < to; at++ {
		got, err := s.with(t, func(b []byte) []byte { b[at] ^= 0x55; return b })
		if err != nil {
			t.Fatalf("byte %d: %v", at, err)
		}
		diff(t, fmt.Sprintf("byte %d", at), got, s.entries[:3])
	}
}

func TestDamageBeforeTheLastWriteIsRefused(t *testing.T) {
	s := makeSmall(t, 5)
	for at := range s.ends[3] {
		if _, err := s.with(t, func(b []byte) []byte { b[at] ^= 0x55; return b }); !errors.Is(err, journal.ErrDamaged) {
			t.Fatalf("byte %d: %v, want damaged", at, err)
		}
	}
}

func TestWholeJournalAfterACut(t *testing.T) {
	s := makeSmall(t, 5)
	for k := 1; k <= 5; k++ {
		dir := copyDir(t, s.dir)
		if err := os.Truncate(tail(t, dir), int64(s.ends[k]-1)); err != nil {
			t.Fatal(err)
		}
		l := newLedger()
		j := mustLead(t, options(dir, l))
		diff(t, "replayed", l.got(), s.entries[:k-1])
		mustPropose(t, j, "after")
		l.awaitCount(t, k)
		mustClose(t, j)
	}
}

func TestNothingLeftOfAUsedJournalIsRefused(t *testing.T) {
	s := makeSmall(t, 3)
	if err := os.Truncate(tail(t, s.dir), 0); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Open(options(s.dir, newLedger()))
	if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "it holds no entry, and has held some; restore the data directory from a back-up") {
		t.Fatal(err)
	}
}

func TestCutAfterACleanEndIsRefused(t *testing.T) {
	dir := t.TempDir()
	l := newLedger()
	j := mustLead(t, options(dir, l))
	mustPropose(t, j, "one")
	l.awaitCount(t, 1)
	mustClose(t, j)
	if err := os.Truncate(tail(t, dir), int64(used(t, dir)-9)); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Open(options(dir, newLedger()))
	if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "is damaged, although the hub had ended cleanly") {
		t.Fatal(err)
	}
	// A person who deletes the lock has not ended the hub cleanly.
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, options(dir, newLedger()))
}

func TestMissingFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	l := newLedger()
	o := options(dir, l)
	o.SegmentBytes = 64 << 10
	j := mustLead(t, o)
	for i := range 10 {
		mustPropose(t, j, strings.Repeat("x", 20_000))
		l.awaitCount(t, i+1)
	}
	mustClose(t, j)
	segments, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
	if err != nil || len(segments) < 3 {
		t.Fatal(segments, err)
	}
	for what, damage := range map[string]struct {
		do   func(dir string) error
		want string
	}{
		"no list of segments": {
			func(dir string) error { return os.Remove(filepath.Join(dir, "wal", metadb.FileName)) },
			"wal-meta.db: it lists none of the segments that are beside it",
		},
		"no first segment": {
			func(dir string) error { return os.Remove(filepath.Join(dir, "wal", filepath.Base(segments[0]))) },
			"no such file or directory",
		},
		"first segment cut": {
			func(dir string) error {
				return os.Truncate(filepath.Join(dir, "wal", filepath.Base(segments[0])), 30_000)
			},
			"are whole",
		},
		"first segment of another journal": {
			func(dir string) error {
				path := filepath.Join(dir, "wal", filepath.Base(segments[0]))
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				b[8]++
				return os.WriteFile(path, b, 0o600)
			},
			"it says that it is segment 0 from entry 2, and should be 0 from 1",
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := copyDir(t, dir)
			if err := damage.do(dir); err != nil {
				t.Fatal(err)
			}
			before, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = journal.Open(options(dir, newLedger()))
			if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), damage.want) || !strings.Contains(err.Error(), "restore the data directory from a back-up") {
				t.Fatal(err)
			}
			after, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "segments after the refusal", after, before)
		})
	}
}

// A crash at any sync, the ones that fill a segment included: the next segment
// is made after the sync, so the full one is still the tail on disk.
func TestCrashAfterEverySync(t *testing.T) {
	type crash struct {
		dir     string
		applied int
	}
	dir, f, l := t.TempDir(), &files{}, newLedger()
	var crashes []crash
	o := options(dir, l).With(journal.Faults{Files: f.wrap})
	o.SegmentBytes = 64 << 10
	j := mustLead(t, o)
	f.set(func() { f.synced = func() { crashes = append(crashes, crash{copyDir(t, dir), len(l.got())}) } })
	const n = 24
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("%04d", i)+strings.Repeat("x", 12_000))
		mustPropose(t, j, want[i])
		l.awaitCount(t, i+1)
	}
	if err := j.Kill(); err != nil {
		t.Fatal(err)
	}
	full := 0
	for i, c := range crashes {
		segments, err := filepath.Glob(filepath.Join(c.dir, "wal", "*.wal"))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(segments[len(segments)-1]); err == nil && info.Size() > int64(o.SegmentBytes) {
			full++
		}
		again := newLedger()
		o := options(c.dir, again)
		o.SegmentBytes = 64 << 10
		j := mustLead(t, o)
		got := again.got()
		if len(got) < c.applied {
			t.Fatalf("crash %d: %d entries, and %d were applied", i, len(got), c.applied)
		}
		diff(t, fmt.Sprintf("crash %d", i), got, want[:len(got)])
		for k := range 3 { // writing goes on
			mustPropose(t, j, "after")
			again.awaitCount(t, len(got)+k+1)
		}
		mustClose(t, j)
	}
	if full == 0 {
		t.Fatal("no crash was between the last write to a segment and the start of the next")
	}
}

// The last write to a segment ends with an index of it, and can be torn too.
func TestTornWriteThatFillsASegment(t *testing.T) {
	dir, f, l := t.TempDir(), &files{}, newLedger()
	o := options(dir, l).With(journal.Faults{Files: f.wrap})
	o.SegmentBytes = 64 << 10
	j := mustLead(t, o)
	filled, before := "", 0
	f.set(func() {
		f.synced = func() {
			info, err := os.Stat(tail(t, dir))
			if filled == "" && err == nil && info.Size() > int64(o.SegmentBytes) {
				filled = copyDir(t, dir)
			}
		}
	})
	for i := 0; filled == ""; i++ {
		before = i
		mustPropose(t, j, fmt.Sprintf("%04d", i)+strings.Repeat("x", 5_000))
		l.awaitCount(t, i+1)
	}
	if err := j.Kill(); err != nil {
		t.Fatal(err)
	}
	end := used(t, filled)
	for _, lost := range []int{1, 8, 9, 12, 16, 40, 60, 100, 3000} {
		torn := copyDir(t, filled)
		if err := os.Truncate(tail(t, torn), int64(end-lost)); err != nil {
			t.Fatal(err)
		}
		again := newLedger()
		o := options(torn, again)
		o.SegmentBytes = 64 << 10
		j := mustLead(t, o)
		diff(t, fmt.Sprintf("%d bytes lost", lost), again.got(), l.got()[:before])
		mustPropose(t, j, "after")
		again.awaitCount(t, before+1)
		mustClose(t, j)
	}
}

// The process ended after it had begun a journal and before it had an entry.
func TestFirstStartThatWasCutShort(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("power")
	f := &files{written: func([]byte, int64) (int, error) { return 0, broken }}
	if _, err := journal.Open(options(dir, newLedger()).With(journal.Faults{Files: f.wrap})); err == nil || !strings.Contains(err.Error(), "power") {
		t.Fatal(err)
	}
	l := newLedger()
	j := mustLead(t, options(dir, l))
	mustPropose(t, j, "x")
	l.awaitCount(t, 1)
}

var _ raft.StableStore = (*votes)(nil)

package audit_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tradehub/hub/audit"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/hubtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	if dir := os.Getenv(auditorDir); dir != "" {
		auditor(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// seeds is how many stories the two long searches take: the crashes, and the explanations. make record has more.
var seeds = flag.Uint64("seeds", 1, "how many stories TestCrashLosesNothing and TestExplainAgreesWithEveryDecision take")

// stories are those that were told. Telling one takes longer than to record it, for it is told with a second set of books kept beside.
var stories = map[uint64][][]byte{}

// story is a journal with all that happens at a hub, of a seed. Nobody changes it.
func story(t testing.TB, seed uint64) [][]byte {
	t.Helper()
	if stories[seed] == nil {
		journal, err := hubtest.Journal(hubtest.Draw(seed, 1200))
		if err != nil {
			t.Fatal(err)
		}
		stories[seed] = journal
	}
	return stories[seed]
}

func open(t testing.TB, dir string, change func(*audit.Options)) *audit.Recorder {
	t.Helper()
	o := audit.Options{Dir: dir, Retry: time.Millisecond}
	if change != nil {
		change(&o)
	}
	r, err := audit.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// player is a core that is fed from a journal, as the runner does it.
type player struct {
	core    *core.Core
	journal [][]byte
	record  *audit.Recorder
}

// restored is a player whose core begins with the state after the first n entries.
func restored(t testing.TB, journal [][]byte, n int, record *audit.Recorder) *player {
	t.Helper()
	before := &player{core: core.New(), journal: journal}
	before.to(t, n)
	im := before.core.Image()
	if record != nil {
		record.Restored(&im)
	}
	c, err := core.Restore(im)
	if err != nil {
		t.Fatal(err)
	}
	return &player{c, journal, record}
}

// to applies entries up to and with number n.
func (p *player) to(t testing.TB, n int) {
	t.Helper()
	for p.core.Seq() < uint64(n) {
		data := p.journal[p.core.Seq()]
		e, err := codec.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		e.Seq = p.core.Seq() + 1
		effects := p.core.Step(e)
		if p.record != nil {
			p.record.Take(e, data, effects)
		}
	}
}

// whole is the record of a journal that was recorded without any trouble.
func whole(t testing.TB, journal [][]byte) []audit.Row {
	t.Helper()
	dir := t.TempDir()
	r := open(t, dir, nil)
	p := &player{core.New(), journal, r}
	p.to(t, len(journal))
	finish(t, r, len(journal))
	return rows(t, dir)
}

func finish(t testing.TB, r *audit.Recorder, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.Sync(ctx, uint64(n)); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func reader(t testing.TB, dir string) *audit.Reader {
	t.Helper()
	r, err := audit.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func rows(t testing.TB, dir string) []audit.Row {
	t.Helper()
	all, err := reader(t, dir).Rows(t.Context(), audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// verified sees that the chain of a record holds.
func verified(t testing.TB, dir string) audit.Verified {
	t.Helper()
	v, err := reader(t, dir).Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Errors) > 0 {
		t.Errorf("the record does not verify: %s", strings.Join(v.Errors, "\n"))
	}
	return v
}

// same sees that two records are the same row by row.
func same(t testing.TB, got, want []audit.Row) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("row %d\n got %+v\nwant %+v", i+1, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
}

// copied is a record as a crash leaves it: its files as they are at this moment.
func copied(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{audit.FileName, audit.FileName + "-wal"} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func kinds(all []audit.Row) []string {
	var out []string
	for _, r := range all {
		if !slices.Contains(out, r.Kind) {
			out = append(out, r.Kind)
		}
	}
	slices.Sort(out)
	return out
}

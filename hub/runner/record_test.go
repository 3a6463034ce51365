package runner_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/core"
	"tradehub/hub/journal"
	"tradehub/hub/policy"
	"tradehub/hub/runner"
)

// slowRecord is a record that is as far as a test lets it be.
type slowRecord struct {
	mu       sync.Mutex
	changed  *sync.Cond
	taken    []uint64
	restored uint64
	caughtUp uint64
	synced   uint64 // as far as Sync lets through
	asked    uint64 // by Sync, the last
	odd      error
	trouble  string
	changes  chan string
}

func newSlowRecord() *slowRecord {
	s := &slowRecord{changes: make(chan string, 8)}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *slowRecord) Restored(im *core.Image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restored = im.Seq
}

func (s *slowRecord) Take(e hub.Entry, data []byte, _ []core.Effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(data) == 0 {
		panic("no bytes")
	}
	s.taken = append(s.taken, e.Seq)
}

func (s *slowRecord) CaughtUp(seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caughtUp = seq
	return s.odd
}

func (s *slowRecord) Sync(ctx context.Context, seq uint64) error {
	defer context.AfterFunc(ctx, func() { s.let(0) })()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = seq
	s.changed.Broadcast()
	for s.synced < seq {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.changed.Wait()
	}
	return nil
}

func (s *slowRecord) let(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = max(s.synced, seq)
	s.changed.Broadcast()
}

func (s *slowRecord) awaitAsked() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.asked == 0 {
		s.changed.Wait()
	}
	return s.asked
}

func (s *slowRecord) Trouble() string        { return s.trouble }
func (s *slowRecord) Changes() <-chan string { return s.changes }

func snapshots(t *testing.T, dir string) []string {
	t.Helper()
	whole, err := filepath.Glob(filepath.Join(dir, "snapshots", "*", "state.bin"))
	if err != nil {
		t.Fatal(err)
	}
	done := whole[:0]
	for _, name := range whole {
		if !strings.HasSuffix(filepath.Dir(name), ".tmp") {
			done = append(done, name)
		}
	}
	return done
}

// TestNoSnapshotBeforeTheRecord: a snapshot, behind which the journal forgets, is not finished before the record has what it covers; and the hub that then starts from it tells the record so.
func TestNoSnapshotBeforeTheRecord(t *testing.T) {
	dir, record := t.TempDir(), newSlowRecord()
	h := open(t, dir, func(o *runner.Options) { o.Record, o.SnapshotEntries = record, 20 })
	h.up()
	h.tick("3500")
	for range 30 {
		if _, err := h.submit(buy); err != nil {
			t.Fatal(err)
		}
	}
	asked := record.awaitAsked()
	if found := snapshots(t, dir); len(found) > 0 {
		t.Errorf("%v before the record has entry %d", found, asked)
	}
	record.let(1 << 60)
	for deadline := time.Now().Add(20 * time.Second); len(snapshots(t, dir)) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no snapshot although the record has everything")
		}
		if _, err := h.submit(buy); err != nil { // and time passes
			t.Fatal(err)
		}
	}
	last := h.Seq()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	again := newSlowRecord()
	again.let(1 << 60)
	open(t, dir, func(o *runner.Options) { o.Record = again })
	again.mu.Lock()
	defer again.mu.Unlock()
	if again.restored == 0 || len(again.taken) == 0 || again.taken[0] != again.restored+1 || again.caughtUp < last {
		t.Errorf("restored at %d, given entries from %v, caught up at %d of %d", again.restored, again.taken[:min(1, len(again.taken))], again.caughtUp, last)
	}
}

// TestCloseDoesNotWaitForTheRecord: a snapshot that waits for a record that hangs does not keep the hub from ending.
func TestCloseDoesNotWaitForTheRecord(t *testing.T) {
	record := newSlowRecord()
	h := open(t, t.TempDir(), func(o *runner.Options) { o.Record, o.SnapshotEntries = record, 20 })
	h.up()
	h.tick("3500")
	for range 30 {
		if _, err := h.submit(buy); err != nil {
			t.Fatal(err)
		}
	}
	record.awaitAsked()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// TestNoOrdersWithoutTheRecord: while the record cannot be written there are no new orders; cancels, and what venues report, go on.
func TestNoOrdersWithoutTheRecord(t *testing.T) {
	record := newSlowRecord()
	h := open(t, t.TempDir(), func(o *runner.Options) { o.Record = record })
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	record.changes <- "the permanent record cannot be written"
	h.screen.wait(t, "the permanent record cannot be written: no new orders; cancels still pass")
	if _, err := h.submit(buy); err == nil || err.Error() != "the permanent record cannot be written: no new orders" {
		t.Errorf("got %v", err)
	}
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t1", Price: d("3499"), Qty: d("1")})
	h.screen.wait(t, "trade t1")
	done := make(chan error, 1)
	h.Runner.Cancel("alpha", id, "", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Errorf("cancel: %v", err)
	}
	h.plugins.wait(t, "cancel "+string(id))
	record.changes <- ""
	h.screen.wait(t, "new orders are taken again")
	if _, err := h.submit(buy); err != nil {
		t.Error(err)
	}
}

// TestRecordThatCannotBeUsed: a hub whose record is damaged, or another journal's, starts, for there may be orders at the venue. They can be cancelled; new ones are refused, and an alert says why.
func TestRecordThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	h.up()
	h.tick("3500")
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir, func(o *runner.Options) {
		o.OpenRecord = func() runner.Record { return audit.Unusable(errors.New("the record is another journal's")) }
	})
	h.up()
	h.tick("3500")
	if _, err := h.submit(buy); err == nil || err.Error() != "the permanent record cannot be used: no new orders" {
		t.Errorf("a new order: %v", err)
	}
	done := make(chan error, 1)
	h.Runner.Cancel("alpha", id, "", func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Errorf("cancel: %v", err)
	}
	h.plugins.wait(t, "cancel "+string(id))
	alerts, _ := h.Alerts(0)
	if len(alerts) == 0 || alerts[0].Text != "no new orders until the hub is started again, cancels pass: the record is another journal's" {
		t.Errorf("alerts %+v", alerts)
	}
}

// TestRecordBehindTheLock: the record of a hub that runs is not opened by a second one that is started on its directory by mistake.
func TestRecordBehindTheLock(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	second := h.opts
	second.OpenRecord = func() runner.Record {
		t.Error("the record was opened")
		return nil
	}
	if r, err := runner.Open(second); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("got %v, %v", r, err)
	}
}

// TestRollbackHolds: what was rolled back stays so over a restart as long as the folder says the same; what the folder says new, or a person asks for, is loaded.
func TestRollbackHolds(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, nil)
	old, oldRevision := h.Files(), h.Revision()
	folder := files("  - {name: wrong, require: order.quantity > 1000}\n")
	if _, errs, err := h.LoadPolicies(t.Context(), folder, "ben"); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	if h.RolledBack(folder) {
		t.Error("rolled back before anybody did it")
	}
	revision, errs, err := h.Rollback(t.Context(), old, policy.Language, folder, "anna")
	if err != nil || len(errs) > 0 || revision != oldRevision {
		t.Fatal(revision, errs, err)
	}
	if !h.RolledBack(folder) || h.RolledBack(old) || h.RolledBack(files("  - {name: other, require: order.quantity > 0}\n")) {
		t.Error("what the folder said is what was rolled back, and nothing else is")
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	start := func(folder []hub.PolicyFile) *runner.Runner {
		t.Helper()
		r, err := runner.Open(h.opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Start(t.Context(), newPlugins(), newScreen(), folder); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := start(folder)
	if r.Revision() != oldRevision {
		t.Errorf("the restart undid the rollback: %s", r.Revision())
	}
	if _, _, err := r.LoadPolicies(t.Context(), folder, "ben"); err != nil || r.Revision() == oldRevision || r.RolledBack(folder) {
		t.Errorf("somebody asked for the folder, and it is not in force: %v", err)
	}
	if _, _, err := r.Rollback(t.Context(), old, policy.Language, folder, "anna"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	changed := files("  - {name: better, require: order.quantity > 0}\n")
	r = start(changed)
	if r.Revision() != policy.RevisionOf(changed) || r.RolledBack(folder) {
		t.Errorf("the folder changed, and is not in force: %s", r.Revision())
	}
	if _, _, err := r.Rollback(t.Context(), changed, policy.Language, changed, "anna"); err != nil || r.RolledBack(changed) {
		t.Errorf("a rollback to what the folder says holds nothing back: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWrongPoliciesAreRecorded: with their text and what was wrong with them.
func TestWrongPoliciesAreRecorded(t *testing.T) {
	dir := t.TempDir()
	record, err := audit.Open(audit.Options{Dir: filepath.Join(dir, "record")})
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, filepath.Join(dir, "journal"), func(o *runner.Options) { o.Record = record })
	before := h.Revision()
	wrong := []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: a, require: order.valu > 0}\n"}}
	revision, errs, err := h.LoadPolicies(t.Context(), wrong, "ben")
	if err != nil || len(errs) != 1 || revision != before {
		t.Fatal(revision, errs, err)
	}
	if err := errors.Join(h.Close(), record.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := audit.Read(filepath.Join(dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	loads, err := r.Loads(t.Context())
	if err != nil || len(loads) != 2 {
		t.Fatalf("%+v, %v", loads, err)
	}
	if l := loads[1]; l.By != "ben" || len(l.Errors) != 1 || l.Errors[0] != errs[0] {
		t.Errorf("recorded %+v", l)
	}
	if got, err := r.Files(t.Context(), loads[1].Load); err != nil || len(got) != 1 || got[0] != wrong[0] {
		t.Errorf("text %v, %v", got, err)
	}
}

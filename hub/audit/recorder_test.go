package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/codec"
	"tradehub/hub/core"
)

// TestEverythingIsRecorded: every order that the core knows at the end has its decision and its last state in the record, and every fill is there once.
func TestEverythingIsRecorded(t *testing.T) {
	journal := story(t, 7)
	p := &player{core: core.New(), journal: journal}
	orders := map[hub.OrderID]hub.Order{} // as the core had them last: it forgets those of other days
	for i := range journal {
		p.to(t, i+1)
		for _, o := range p.core.Orders("", false) {
			orders[o.ID] = o
		}
	}
	all := whole(t, journal)
	last, decided, filled := map[hub.OrderID]audit.Change{}, map[hub.OrderID]string{}, map[hub.OrderID]hub.Decimal{}
	for _, row := range all {
		body, err := audit.DecodeBody(row.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body.Change != nil {
			last[row.Order] = *body.Change
		}
		if body.Decision != nil {
			decided[row.Order] = body.Decision.Outcome
		}
		for _, f := range body.Fills {
			var sum hub.Sum
			filled[row.Order] = sum.Add(filled[row.Order], f.Quantity)
		}
	}
	if len(orders) < 50 {
		t.Fatalf("%d orders are too few to tell", len(orders))
	}
	refused := 0
	for _, o := range orders {
		if got := last[o.ID]; got.Status != o.Status.String() || !got.Filled.Equal(o.Filled) || !got.Quantity.Equal(o.Qty) || !got.Price.Equal(o.Price) || got.InDoubt != o.InDoubt || got.VenueID != o.VenueID {
			t.Errorf("order %s is %+v in the record, and is %+v", o.ID, got, o)
		}
		if !filled[o.ID].Equal(o.Filled) {
			t.Errorf("order %s: fills of %s in the record, want %s", o.ID, filled[o.ID], o.Filled)
		}
		switch got := decided[o.ID]; {
		case o.Status == hub.Rejected && got != "refused" && got != "sent", o.Filled.IsPos() && got != "sent":
			t.Errorf("order %s, %s: decided %q", o.ID, o.Status, got)
		case got == "refused":
			refused++
		}
	}
	if refused == 0 {
		t.Error("no order was refused: the story tells too little")
	}
	got := strings.Join(kinds(all), " ")
	for _, want := range []string{"cancel", "decision", "fill", "gateway-state", "load-policies", "order", "report", "roll-day", "set-state", "set-up"} {
		if !strings.Contains(" "+got+" ", " "+want+" ") {
			t.Errorf("no row of kind %s among %s", want, got)
		}
	}
}

// TestCrashLosesNothing: the process ends at any moment, with as much of the record written as there happens to be, and the journal is replayed, from its beginning or from a snapshot that
// the record had reached: the record is the same to the byte as one that was never disturbed.
func TestCrashLosesNothing(t *testing.T) {
	for seed := range *seeds {
		journal := story(t, seed+1)
		want := whole(t, journal)
		dir := t.TempDir()
		for crash := range 6 {
			until := len(journal) * (crash + 1) / 7
			r := open(t, dir, nil)
			p := &player{core.New(), journal, r}
			if snapshot := len(journal) * crash / 7; crash%2 == 1 {
				p = restored(t, journal, snapshot, r)
			}
			p.to(t, until)
			if crash%2 == 0 { // the snapshot of the next round is taken here, and waits for the record
				if err := r.Sync(t.Context(), uint64(until)); err != nil {
					t.Fatal(err)
				}
			}
			dir = copied(t, dir) // before what is queued is written, or after: both happen
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		r := open(t, dir, nil)
		p := &player{core.New(), journal, r}
		p.to(t, len(journal))
		if err := r.CaughtUp(uint64(len(journal))); err != nil {
			t.Fatal(err)
		}
		finish(t, r, len(journal))
		same(t, rows(t, dir), want)
		verified(t, dir)
	}
}

const childDir = "AUDIT_TEST_CHILD_DIR"

// child records a journal, says how far it is, and waits to be killed.
func child(dir string) {
	journal, err := os.ReadFile(dir + "/journal")
	if err != nil {
		panic(err)
	}
	r, err := audit.Open(audit.Options{Dir: dir + "/record"})
	if err != nil {
		panic(err)
	}
	c := core.New()
	for line := range strings.SplitSeq(string(journal), "\n") {
		var data []byte
		if _, err := fmt.Sscanf(line, "%x", &data); err != nil {
			panic(err)
		}
		e, err := codec.Decode(data)
		if err != nil {
			panic(err)
		}
		e.Seq = c.Seq() + 1
		r.Take(e, data, c.Step(e))
		fmt.Println(e.Seq)
	}
	select {}
}

// TestKill is TestCrashLosesNothing with a process and kill -9.
func TestKill(t *testing.T) {
	journal := story(t, 1)
	var lines []string
	for _, b := range journal {
		lines = append(lines, fmt.Sprintf("%x", b))
	}
	for _, until := range []int{1, len(journal) / 3, len(journal)} {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/journal", []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < until; {
			if _, err := fmt.Fscan(out, &n); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		r := open(t, dir+"/record", nil)
		n, _ := r.Head()
		p := &player{core.New(), journal, r}
		p.to(t, len(journal))
		finish(t, r, len(journal))
		same(t, rows(t, dir+"/record"), whole(t, journal))
		t.Logf("killed after entry %d of %d: the record had %d rows", until, len(journal), n)
	}
}

// TestFullDisk: while nothing can be written, there is trouble, and nothing is given up; when there is room again, the record goes on as if nothing had been.
func TestFullDisk(t *testing.T) {
	journal := story(t, 5)
	dir := t.TempDir()
	r := open(t, dir, nil)
	p := &player{core.New(), journal, r}
	p.to(t, 50)
	if err := errors.Join(r.Sync(t.Context(), 50), r.CaughtUp(50)); err != nil {
		t.Fatal(err)
	}
	r.FillDisk(true)
	p.to(t, 150)
	if why := <-r.Changes(); why != "the permanent record cannot be written" {
		t.Fatalf("trouble %q", why)
	}
	if r.Trouble() != "the permanent record cannot be written" {
		t.Errorf("trouble %q", r.Trouble())
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.Sync(soon, 150); err == nil || !strings.Contains(err.Error(), "the permanent record cannot be written: database or disk is full") {
		t.Errorf("the journal would forget what the record has not got: %v", err)
	}
	p.to(t, 200)
	r.FillDisk(false)
	if why := <-r.Changes(); why != "" {
		t.Errorf("trouble %q", why)
	}
	p.to(t, len(journal))
	finish(t, r, len(journal))
	same(t, rows(t, dir), whole(t, journal))
}

// TestFullDiskAtTheStart: a replay does not wait for a disk for good; the hub starts, takes no orders, and the next start makes up for it.
func TestFullDiskAtTheStart(t *testing.T) {
	journal := story(t, 5)
	dir := t.TempDir()
	r := open(t, dir, func(o *audit.Options) { o.QueueEntries = 20; o.Retry = time.Hour })
	r.FillDisk(true)
	p := &player{core.New(), journal, r}
	p.to(t, len(journal))
	if err := r.CaughtUp(uint64(len(journal))); err != nil {
		t.Fatal(err)
	}
	if got := r.Trouble(); got != "the permanent record was left behind; the hub must be started again" {
		t.Errorf("trouble %q", got)
	}
	if err := r.Sync(t.Context(), uint64(len(journal))); !errors.Is(err, audit.ErrBehind) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, nil)
	p = &player{core.New(), journal, again}
	p.to(t, len(journal))
	finish(t, again, len(journal))
	same(t, rows(t, dir), whole(t, journal))
}

// TestTooMuch: what does not fit into the queue leaves the record behind. Long before that, there is trouble, so that no orders come.
func TestTooMuch(t *testing.T) {
	journal := story(t, 6)
	dir := t.TempDir()
	r := open(t, dir, func(o *audit.Options) { o.QueueEntries = 100 })
	if err := r.CaughtUp(0); err != nil {
		t.Fatal(err)
	}
	resume := r.Stall() // the disk hangs
	p := &player{core.New(), journal, r}
	p.to(t, 40)
	if got := r.Trouble(); got != "" {
		t.Errorf("trouble %q", got)
	}
	p.to(t, 90)
	if got := r.Trouble(); got != "the permanent record does not keep up" {
		t.Errorf("trouble %q", got)
	}
	p.to(t, len(journal))
	if got := r.Trouble(); got != "the permanent record was left behind; the hub must be started again" {
		t.Errorf("trouble %q", got)
	}
	resume()
	if err := r.Written(t.Context(), uint64(len(journal))); !errors.Is(err, audit.ErrBehind) {
		t.Errorf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, nil)
	p = &player{core.New(), journal, again}
	p.to(t, len(journal))
	finish(t, again, len(journal))
	same(t, rows(t, dir), whole(t, journal))
}

// TestKeepsUpAgain: trouble ends when the queue is short again, and not before.
func TestKeepsUpAgain(t *testing.T) {
	journal := story(t, 6)
	r := open(t, t.TempDir(), func(o *audit.Options) { o.QueueEntries = 100 })
	if err := r.CaughtUp(0); err != nil {
		t.Fatal(err)
	}
	resume := r.Stall()
	p := &player{core.New(), journal, r}
	p.to(t, 90)
	if why := <-r.Changes(); why != "the permanent record does not keep up" {
		t.Errorf("trouble %q", why)
	}
	resume()
	if why := <-r.Changes(); why != "" {
		t.Errorf("trouble %q", why)
	}
	finish(t, r, 90)
}

// TestAnotherJournal: a record is not gone on with under a journal that is not its own.
func TestAnotherJournal(t *testing.T) {
	journal, other := story(t, 1), story(t, 2)
	dir := t.TempDir()
	r := open(t, dir, nil)
	p := &player{core.New(), journal, r}
	p.to(t, 100)
	finish(t, r, 100)
	before := rows(t, dir)
	for _, c := range []struct {
		name    string
		journal [][]byte
		to      int
		want    string
	}{
		{"shorter", journal, 99, "the record has entry 100, and the journal ends with entry 99"},
		{"empty", journal, 0, "the record has entry 100, and the journal ends with entry 0"},
		{"another", other, 150, "entry 100 of the journal is not the one that the record has"},
	} {
		r := open(t, dir, nil)
		p := &player{core.New(), c.journal, r}
		p.to(t, c.to)
		err := r.CaughtUp(uint64(c.to))
		if why := r.Trouble(); why != "the permanent record cannot be used" {
			t.Errorf("%s: trouble %q", c.name, why)
		}
		if r.Sync(t.Context(), uint64(c.to)) == nil {
			t.Errorf("%s: the journal may forget what this record has not got", c.name)
		}
		p.record.Take(hub.Entry{Seq: 101, Input: hub.Clock{}}, []byte("x"), nil) // life goes on
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "move the record away") {
			t.Errorf("%s: got %v", c.name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		same(t, rows(t, dir), before)
	}
}

// TestUnusable: in the place of a record that cannot be opened nothing is taken, there is trouble for good, and the journal may forget nothing.
func TestUnusable(t *testing.T) {
	journal, why := story(t, 1), errors.New("why")
	r := audit.Unusable(why)
	p := restored(t, journal, 50, r)
	p.to(t, 100)
	if err := r.CaughtUp(100); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if now := r.Trouble(); now != "the permanent record cannot be used" || <-r.Changes() != now {
		t.Errorf("trouble %q", now)
	}
	for _, seq := range []uint64{0, 100} {
		if err := r.Sync(t.Context(), seq); !errors.Is(err, why) {
			t.Errorf("sync to %d: %v", seq, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestGap: what the journal forgot before there was a record, or while it was gone, is said in the record, with the policy that was in force.
func TestGap(t *testing.T) {
	journal := story(t, 1)
	dir := t.TempDir()
	r := open(t, dir, nil)
	p := restored(t, journal, 120, r)
	p.to(t, 200)
	finish(t, r, 200)
	v := verified(t, dir)
	if len(v.Gaps) != 1 || v.Gaps[0].From != 1 || v.Gaps[0].To != 120 || !strings.Contains(v.Gaps[0].Why, "kept none before") {
		t.Errorf("gaps %+v", v.Gaps)
	}
	loads, err := reader(t, dir).Loads(t.Context())
	if err != nil || len(loads) == 0 || loads[0].By != "the journal's snapshot" || loads[0].InForce != loads[0].Revision {
		t.Fatalf("loads %+v, %v", loads, err)
	}
	if _, files, err := reader(t, dir).Policy(t.Context(), loads[0].Revision); err != nil || len(files) == 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
	r = open(t, dir, nil) // the same again: no second gap
	p = restored(t, journal, 150, r)
	p.to(t, 250)
	finish(t, r, 250)
	if v := verified(t, dir); len(v.Gaps) != 1 {
		t.Errorf("gaps %+v", v.Gaps)
	}
	r = open(t, dir, nil) // the record is from a back-up
	p = restored(t, journal, 300, r)
	p.to(t, 310)
	finish(t, r, 310)
	if v := verified(t, dir); len(v.Gaps) != 2 || v.Gaps[1].From != 251 || v.Gaps[1].To != 300 || !strings.Contains(v.Gaps[1].Why, "back-up") {
		t.Errorf("gaps %+v", v.Gaps)
	}
}

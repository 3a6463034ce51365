package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tradehub/hub/audit"
	"tradehub/hub/core"
)

const auditorDir = "AUDIT_TEST_AUDITOR_DIR"

// auditor is another process that opens a record as the sqlite3 shell does, for reading and writing: it says how many rows there are, up to which entry, and whether somebody else has
// SQLite's shared lock on the file.
func auditor(dir string) {
	path := filepath.Join(dir, audit.FileName)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	shared := unix.Flock_t{Type: unix.F_WRLCK, Start: 1<<30 + 2, Len: 510} // SHARED_FIRST and SHARED_SIZE of SQLite
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &shared); err != nil {
		panic(err)
	}
	if err := f.Close(); err != nil {
		panic(err)
	}
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		panic(err)
	}
	var rows, seq int
	if err := db.QueryRowContext(context.Background(), "SELECT (SELECT count(*) FROM record), seq FROM head").Scan(&rows, &seq); err != nil {
		panic(err)
	}
	if err := db.Close(); err != nil {
		panic(err)
	}
	fmt.Println(rows, seq, shared.Type != unix.F_UNLCK)
}

// audited is what another process finds in a record.
func audited(t *testing.T, dir string) (rows, seq int, locked bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), auditorDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(out), &rows, &seq, &locked); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return rows, seq, locked
}

// TestAuditorBesideTheHub: a sync leaves SQLite its lock on the file. Without it a program with an SQLite before 3.51 that reads the record and ends takes itself for the last one, and deletes
// the log beside the file; what the hub writes then, it writes where nobody finds it.
func TestAuditorBesideTheHub(t *testing.T) {
	journal := story(t, 1)
	dir := t.TempDir()
	r := open(t, dir, nil)
	p := &player{core.New(), journal, r}
	for _, n := range []int{50, 100, 150} {
		p.to(t, n)
		if err := r.Sync(t.Context(), uint64(n)); err != nil {
			t.Fatal(err)
		}
		if _, seq, locked := audited(t, dir); seq != n || !locked {
			t.Errorf("another process finds entries up to %d, want %d; the file is locked: %t", seq, n, locked)
		}
	}
	p.to(t, 200)
	finish(t, r, 200)
	if rows, seq, locked := audited(t, dir); seq != 200 || locked || rows != len(rowsTo(whole(t, journal), 200)) {
		t.Errorf("another process finds %d rows, up to entry %d; the file is locked: %t", rows, seq, locked)
	}
}

func rowsTo(all []audit.Row, seq uint64) []audit.Row {
	for i, r := range all {
		if r.Seq > seq {
			return all[:i]
		}
	}
	return all
}

// TestDisplaced: somebody moves or deletes files of the record under the running hub. Then the journal must keep what is written, there are no new orders, and the next start makes up for it.
func TestDisplaced(t *testing.T) {
	journal := story(t, 1)
	for _, c := range []struct {
		name string
		do   func(dir string) error
		want string
	}{
		{"the log deleted", func(dir string) error { return os.Remove(filepath.Join(dir, audit.FileName+"-wal")) }, audit.FileName + "-wal: it was moved, replaced or deleted"},
		{"another log", func(dir string) error {
			name := filepath.Join(dir, audit.FileName+"-wal")
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(name+"2", b, 0o600); err != nil {
				return err
			}
			return os.Rename(name+"2", name)
		}, audit.FileName + "-wal: it was moved, replaced or deleted"},
		{"moved away", func(dir string) error { return os.Rename(dir, dir+"-old") }, audit.FileName + ": it was moved, replaced or deleted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "record")
			r := open(t, dir, nil)
			p := &player{core.New(), journal, r}
			p.to(t, 100)
			if err := r.Sync(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
			if err := c.do(dir); err != nil {
				t.Fatal(err)
			}
			if err := r.Sync(t.Context(), 100); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the journal would forget what nobody finds: %v", err)
			}
			if err := r.CaughtUp(100); err != nil {
				t.Fatal(err)
			}
			p.to(t, 150)
			select {
			case why := <-r.Changes():
				if why != "the permanent record cannot be written" {
					t.Errorf("trouble %q", why)
				}
			case <-time.After(time.Minute):
				t.Error("no trouble")
			}
			soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := r.Sync(soon, 150); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the journal would forget what nobody finds: %v", err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			r = open(t, dir, nil)
			p = &player{core.New(), journal, r}
			p.to(t, 200)
			finish(t, r, 200)
			same(t, rows(t, dir), rowsTo(whole(t, journal), 200))
		})
	}
}

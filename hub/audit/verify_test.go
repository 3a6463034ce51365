package audit_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"tradehub/hub/audit"
	"tradehub/hub/core"
)

// TestTamperingShows: whatever is changed in the file, other than all of it from some row on, verify finds; and that, it finds with a row that was noted.
func TestTamperingShows(t *testing.T) {
	journal := story(t, 4)
	for _, c := range []struct{ name, sql, want string }{
		{"a body", `UPDATE record SET body = replace(body, 'refused', 'sent') WHERE n = (SELECT n FROM record WHERE body LIKE '%refused%' LIMIT 1)`, "was changed, or what was before it"},
		{"a time", "UPDATE record SET time = time + 1 WHERE n = 20", "row 20, a "},
		{"a trader", "UPDATE record SET trader = 'eve' WHERE n = 20", "row 20, a "},
		{"an order", "UPDATE record SET order_id = 'x' WHERE n = 20", "row 20, a "},
		{"a kind", "UPDATE record SET kind = 'order-' WHERE n = 20", "row 20, a "},
		{"a hash", "UPDATE record SET hash = zeroblob(32) WHERE n = 20", "row 20, a "},
		{"text moved between columns", "UPDATE record SET trader = trader || order_id, order_id = '' WHERE n = (SELECT n FROM record WHERE order_id <> '' LIMIT 1)", "was changed"},
		{"a row gone", "DELETE FROM record WHERE n = 20", "rows 20 to 20 are missing"},
		{"a row gone, and the rest moved up", "DELETE FROM record WHERE n = 20; UPDATE record SET n = -n WHERE n > 20; UPDATE record SET n = -n - 1 WHERE n < 0", "row 20, a "},
		{"two rows exchanged", "UPDATE record SET n = -1 WHERE n = 20; UPDATE record SET n = 20 WHERE n = 21; UPDATE record SET n = 21 WHERE n = -1", "row 20, a "},
		{"a row put in", "INSERT INTO record SELECT (SELECT max(n) + 1 FROM record), seq, time, kind, trader, order_id, body, hash FROM record WHERE n = 20", "is of entry"},
		{"the end cut off", "DELETE FROM record WHERE n > 20", "rows were taken off its end"},
		{"the end cut off, head and all", "DELETE FROM record WHERE n > 20; UPDATE head SET n = 20", "rows were taken off its end"},
		{"a policy's text", "UPDATE texts SET text = replace(text, 'rules', 'roles') WHERE sha256 = (SELECT min(sha256) FROM texts)", "was changed: its hash is not "},
		{"a policy's text gone", "DELETE FROM texts WHERE sha256 = (SELECT min(sha256) FROM texts)", " is missing"},
		{"no JSON", "UPDATE record SET body = 'x' WHERE n = 20", "row 20 cannot be read"},
	} {
		dir := t.TempDir()
		r := open(t, dir, nil)
		p := &player{core.New(), journal, r}
		p.to(t, 200)
		finish(t, r, 200)
		tamper(t, dir, c.sql)
		v, err := reader(t, dir).Verify(t.Context(), nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if all := strings.Join(v.Errors, "\n"); !strings.Contains(all, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, all, c.want)
		}
	}
}

// TestAnchor: a record that was made anew from some row on, with all its hashes, is whole in itself; a row that was noted elsewhere shows it.
func TestAnchor(t *testing.T) {
	journal, other := story(t, 4), story(t, 5)
	dir, forged := t.TempDir(), t.TempDir()
	r := open(t, dir, nil)
	p := &player{core.New(), journal, r}
	p.to(t, 200)
	finish(t, r, 200)
	v := verified(t, dir)
	head, ok := audit.ParseHash(v.Head)
	if !ok {
		t.Fatalf("head %q", v.Head)
	}
	noted := &audit.Anchor{N: v.Rows, Hash: head}
	r = open(t, forged, nil)
	p = &player{core.New(), other, r}
	p.to(t, len(other))
	finish(t, r, len(other))
	verified(t, forged)
	for _, c := range []struct{ dir, anchor, want string }{
		{dir, "holds", ""},
		{forged, "differs", "made anew"},
	} {
		got, err := reader(t, c.dir).Verify(t.Context(), noted)
		if err != nil || got.Anchor != c.anchor || !strings.Contains(strings.Join(got.Errors, "\n"), c.want) {
			t.Errorf("got %+v, %v, want %s", got, err, c.anchor)
		}
	}
	got, err := reader(t, dir).Verify(t.Context(), &audit.Anchor{N: v.Rows + 1})
	if err != nil || got.Anchor != "missing" || len(got.Errors) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func tamper(t *testing.T, dir, script string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, audit.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

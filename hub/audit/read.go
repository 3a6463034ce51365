package audit

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tradehub/hub"
)

// Reader reads a record, while a hub writes it or when none does.
type Reader struct {
	path string
	db   *sql.DB
}

// ErrNone says that there is no record.
var ErrNone = errors.New("there is no record")

// Read opens the record in dir for reading.
func Read(dir string) (*Reader, error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w at %s", ErrNone, path)
		}
		return nil, err
	}
	options := "mode=ro&_query_only=1&_busy_timeout=5000"
	if !writable(dir) {
		options += "&immutable=1" // a copy on a medium that cannot be written: nobody else writes it either
	}
	db, err := open(path, options)
	if err != nil {
		return nil, plain(path, err)
	}
	version, err := versionOf(db)
	if err == nil && version != schemaVersion {
		err = fmt.Errorf("it is of version %d, and this hub reads version %d", version, schemaVersion)
	}
	if err != nil {
		_ = db.Close() // err says why already
		return nil, plain(path, err)
	}
	return &Reader{path, db}, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.db.Close() }

// Filter says which rows are wanted. The zero Filter wants all.
type Filter struct {
	Order  hub.OrderID
	Trader hub.TraderName
	Kinds  []string
	// From and To are the first and the last moment; 0: no bound.
	From, To hub.Time
	// Last: only so many, the newest; 0: all.
	Last int
}

func (f Filter) query(columns string) (text string, args []any) {
	var where []string
	add := func(condition string, with ...any) {
		where, args = append(where, condition), append(args, with...)
	}
	if f.Order != "" {
		add("order_id = ? AND order_id <> ''", string(f.Order))
	}
	if f.Trader != "" {
		add("trader = ?", string(f.Trader))
	}
	if len(f.Kinds) > 0 {
		marks := make([]string, len(f.Kinds))
		for i, kind := range f.Kinds {
			marks[i] = "?"
			args = append(args, kind)
		}
		where = append(where, "kind IN ("+strings.Join(marks, ", ")+")")
	}
	if f.From != 0 {
		add("time >= ?", int64(f.From))
	}
	if f.To != 0 {
		add("time <= ?", int64(f.To))
	}
	text = "SELECT " + columns + " FROM record"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	if f.Last > 0 {
		return "SELECT * FROM (" + text + " ORDER BY n DESC LIMIT ?) ORDER BY n", append(args, f.Last)
	}
	return text + " ORDER BY n", args
}

const columns = "n, seq, time, kind, trader, order_id, body, hash"

// Each gives the rows that are wanted to do, in order, until it returns an error.
func (r *Reader) Each(ctx context.Context, f Filter, do func(Row) error) error {
	text, args := f.query(columns)
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return plain(r.path, err)
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return plain(r.path, err)
		}
		if err := do(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return plain(r.path, err)
	}
	return nil
}

func scan(rows *sql.Rows) (row Row, err error) {
	var n, seq, at int64
	var trader, order string
	var hash []byte
	if err := rows.Scan(&n, &seq, &at, &row.Kind, &trader, &order, &row.Body, &hash); err != nil {
		return row, err
	}
	row.N, row.Seq, row.Time, row.Trader, row.Order = uint64(n), uint64(seq), hub.Time(at), hub.TraderName(trader), hub.OrderID(order)
	copy(row.Hash[:], hash)
	return row, nil
}

// Rows returns the rows that are wanted.
func (r *Reader) Rows(ctx context.Context, f Filter) (all []Row, err error) {
	err = r.Each(ctx, f, func(row Row) error {
		all = append(all, row)
		return nil
	})
	return all, err
}

// Loaded is one load of policies, and when it was.
type Loaded struct {
	Row Row
	Load
}

// Loads returns all loads of policies, refused ones too, in order.
func (r *Reader) Loads(ctx context.Context) (all []Loaded, err error) {
	return r.loads(ctx, Filter{Kinds: []string{kindLoad, kindRefused}})
}

func (r *Reader) loads(ctx context.Context, f Filter) (all []Loaded, err error) {
	err = r.Each(ctx, f, func(row Row) error {
		body, err := DecodeBody(row.Body)
		if err != nil || body.Load == nil {
			return fmt.Errorf("row %d of the record is no load of policies: %w", row.N, errors.Join(ErrDamaged, err))
		}
		all = append(all, Loaded{row, *body.Load})
		return nil
	})
	return all, err
}

// UnknownRevisionError says that no load of a revision is in the record, or of several that begin alike.
type UnknownRevisionError struct {
	Revision string
	Several  []string
}

// Error says which there are, if several.
func (e *UnknownRevisionError) Error() string {
	if len(e.Several) > 0 {
		return fmt.Sprintf("several revisions begin with %s: %s", e.Revision, strings.Join(e.Several, ", "))
	}
	return fmt.Sprintf("no policy of revision %q was ever loaded here", e.Revision)
}

// Policy returns the newest load of a revision, which may be shortened to what is unambiguous, and its files with their texts. One that was taken is preferred to one that was refused.
func (r *Reader) Policy(ctx context.Context, revision string) (Loaded, []hub.PolicyFile, error) {
	all, err := r.Loads(ctx)
	if err != nil {
		return Loaded{}, nil, err
	}
	var found Loaded
	var names []string
	seen := map[string]bool{}
	for _, l := range all {
		if revision == "" || !strings.HasPrefix(l.Revision, revision) {
			continue
		}
		if l.Revision == revision { // whole: no other is meant
			clear(seen)
			names = nil
		}
		if !seen[l.Revision] {
			seen[l.Revision] = true
			names = append(names, l.Revision)
		}
		if found.Revision != l.Revision || len(l.Errors) == 0 || len(found.Errors) > 0 {
			found = l
		}
		if l.Revision == revision {
			break
		}
	}
	switch {
	case len(names) == 0:
		return Loaded{}, nil, &UnknownRevisionError{Revision: revision}
	case len(names) > 1:
		return Loaded{}, nil, &UnknownRevisionError{Revision: revision, Several: names}
	}
	for _, l := range all { // the newest of the revision that was meant
		if l.Revision == names[0] && (len(l.Errors) == 0 || len(found.Errors) > 0) {
			found = l
		}
	}
	files, err := r.Files(ctx, found.Load)
	return found, files, err
}

// Files returns the texts of a load.
func (r *Reader) Files(ctx context.Context, l Load) ([]hub.PolicyFile, error) {
	files := make([]hub.PolicyFile, 0, len(l.Files))
	for _, f := range l.Files {
		text, err := r.text(ctx, f)
		if err != nil {
			return nil, err
		}
		files = append(files, hub.PolicyFile{Name: f.Name, Text: text})
	}
	return files, nil
}

func (r *Reader) text(ctx context.Context, f File) (text string, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT text FROM texts WHERE sha256 = ?", f.SHA256).Scan(&text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", fmt.Errorf("%w: the text of %s, %s, is missing", ErrDamaged, f.Name, f.SHA256)
	case err != nil:
		return "", plain(r.path, err)
	case hashOf(hub.PolicyFile{Text: text}) != f.SHA256:
		return "", fmt.Errorf("%w: the text of %s is not the one that was loaded: its hash is not %s", ErrDamaged, f.Name, f.SHA256)
	}
	return text, nil
}

// Verified is what Verify found.
type Verified struct {
	Rows uint64 `json:"rows"`
	// Head is the hash of the last row, in hex.
	Head string `json:"head"`
	// Entries is the last journal entry that is in the record.
	Entries uint64 `json:"entries"`
	Texts   int    `json:"texts"`
	// Gaps are stretches of the journal that the record says it does not have.
	Gaps []Gap `json:"gaps"`
	// Errors are what is wrong, the first thousand; none: the chain holds.
	Errors []string `json:"errors"`
	// Anchor says whether the row that the caller named has the hash that the caller noted; "" when none was named.
	Anchor string `json:"anchor,omitempty"`
}

// Anchor is the number and hash of a row that somebody noted outside of the record.
type Anchor struct {
	N    uint64
	Hash Hash
}

const verifyErrorsMax = 1000

// Verify reads the whole record: that rows follow each other without gaps, that each hash is that of its row and the one before, that the head is the last row, and that every policy
// text is the one that was loaded.
func (r *Reader) Verify(ctx context.Context, anchor *Anchor) (Verified, error) {
	v := Verified{Gaps: []Gap{}, Errors: []string{}}
	// Of one moment, whatever is written meanwhile.
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return v, plain(r.path, err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	c := chain{v: &v, before: genesis, anchor: anchor, wanted: map[string]string{}}
	rows, err := tx.QueryContext(ctx, "SELECT "+columns+" FROM record ORDER BY n")
	if err != nil {
		return v, plain(r.path, err)
	}
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return v, errors.Join(plain(r.path, err), rows.Close())
		}
		c.add(&row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return v, plain(r.path, err)
	}
	if err := c.texts(ctx, tx); err != nil {
		return v, plain(r.path, err)
	}
	return v, plain0(r.path, c.end(ctx, tx))
}

func plain0(path string, err error) error {
	if err == nil {
		return nil
	}
	return plain(path, err)
}

// chain is the check of the rows so far.
type chain struct {
	v      *Verified
	before Hash
	n, seq uint64
	anchor *Anchor
	wanted map[string]string // texts that rows name: the file of each
}

func (c *chain) wrong(format string, args ...any) {
	if len(c.v.Errors) < verifyErrorsMax {
		c.v.Errors = append(c.v.Errors, fmt.Sprintf(format, args...))
	}
}

func (c *chain) add(row *Row) {
	if row.N != c.n+1 {
		c.wrong("rows %d to %d are missing", c.n+1, row.N-1)
	}
	if row.Seq < c.seq {
		c.wrong("row %d is of entry %d, and the row before it of entry %d", row.N, row.Seq, c.seq)
	}
	if got := row.link(c.before); got != row.Hash {
		c.wrong("row %d, a %s of %s, was changed, or what was before it: its hash is %s and would have to be %s", row.N, row.Kind, row.Time.UTC().Format("2006-01-02 15:04:05"), row.Hash, got)
	}
	if c.anchor != nil && c.anchor.N == row.N {
		c.v.Anchor = "holds"
		if c.anchor.Hash != row.Hash {
			c.v.Anchor = "differs"
			c.wrong("row %d has another hash than the one that was noted: it, or something before it, was made anew", row.N)
		}
	}
	// The next row is held against the hash that this one has: of a row that was changed, only it itself is reported.
	c.n, c.seq, c.before = row.N, row.Seq, row.Hash
	body, err := DecodeBody(row.Body)
	if err != nil {
		c.wrong("row %d cannot be read: %s", row.N, err)
		return
	}
	if body.Gap != nil {
		c.v.Gaps = append(c.v.Gaps, *body.Gap)
	}
	if body.Load != nil {
		for _, f := range body.Load.Files {
			c.wanted[f.SHA256] = f.Name
		}
	}
}

func (c *chain) texts(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT sha256, text FROM texts ORDER BY sha256")
	if err != nil {
		return err
	}
	for rows.Next() {
		var sum, text string
		if err := rows.Scan(&sum, &text); err != nil {
			return errors.Join(err, rows.Close())
		}
		c.v.Texts++
		if hashOf(hub.PolicyFile{Text: text}) != sum {
			c.wrong("the text of policy file %s was changed: its hash is not %s", c.wanted[sum], sum)
		}
		delete(c.wanted, sum)
	}
	for sum, name := range c.wanted {
		c.wrong("the text of policy file %s, %s, is missing", name, sum)
	}
	return errors.Join(rows.Err(), rows.Close())
}

func (c *chain) end(ctx context.Context, tx *sql.Tx) error {
	var n, seq int64
	var hash []byte
	if err := tx.QueryRowContext(ctx, "SELECT n, hash, seq FROM head").Scan(&n, &hash, &seq); err != nil {
		return err
	}
	if uint64(n) != c.n || !bytes.Equal(hash, c.before.bytes()) {
		c.wrong("the last row is %d, and the record says that it has %d: rows were taken off its end, or put there", c.n, n)
	}
	if c.anchor != nil && c.v.Anchor == "" {
		c.v.Anchor = "missing"
		c.wrong("row %d, which was noted, is not there: the record ends with row %d", c.anchor.N, c.n)
	}
	c.v.Rows, c.v.Head, c.v.Entries = c.n, c.before.String(), uint64(seq)
	return nil
}

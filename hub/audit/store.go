package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"

	"tradehub/hub"
)

// FileName is the record's name in its directory. Beside it SQLite keeps what is not folded into it yet: FileName-wal.
const FileName = "record.db"

const walSuffix = "-wal"

// schemaVersion is of the tables below. A file with another one was made by another version of the hub.
const schemaVersion = 1

const schema = `
CREATE TABLE record (
	n        INTEGER PRIMARY KEY,
	seq      INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	trader   TEXT NOT NULL,
	order_id TEXT NOT NULL,
	body     TEXT NOT NULL,
	hash     BLOB NOT NULL
) STRICT;
CREATE INDEX record_order ON record (order_id, n) WHERE order_id <> '';
CREATE INDEX record_other ON record (kind, n) WHERE order_id = '';
CREATE TABLE texts (
	sha256 TEXT PRIMARY KEY,
	text   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE head (
	id    INTEGER PRIMARY KEY CHECK (id = 1),
	n     INTEGER NOT NULL,
	hash  BLOB NOT NULL,
	seq   INTEGER NOT NULL,
	entry BLOB NOT NULL
) STRICT;
`

// head is how far the record goes.
type head struct {
	n    uint64
	hash Hash // of row n
	// seq is the last entry that was taken in, with rows or without, and entry is the hash of its bytes; zero when it is not known.
	seq   uint64
	entry Hash
}

// store is the file, open for writing.
type store struct {
	path string
	// file is a descriptor of the file beside SQLite's own, for sync. It is opened before SQLite opens the file and closed after: a process that closes any descriptor of a file gives up all
	// locks that it has on it (fcntl(2)), SQLite's too, and without them the next program that opens the record takes itself for the only one.
	file *os.File
	// main and wal are the files that SQLite writes: the file, and what it has not folded into it yet.
	main, wal os.FileInfo
	db        *sql.DB
	head      head
	texts     map[string]bool // that are in the file
}

// ErrDamaged says that a record cannot be read as one.
var ErrDamaged = errors.New("the record is damaged")

// errDisplaced says that what is written goes into files that nobody will find.
var errDisplaced = errors.New("it was moved, replaced or deleted under the running hub, which must be started again")

func openStore(dir string) (_ *store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, FileName)
	s := &store{path: path, texts: map[string]bool{}}
	defer func() {
		if err != nil {
			_ = s.close() // err says why already
		}
	}()
	// The file is made before SQLite does, which would let everybody read it.
	if s.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	// A commit costs no sync: what a power cut takes comes again from the journal.
	db, err := open(path, "_journal_mode=WAL&_synchronous=NORMAL&_txlock=immediate&_busy_timeout=5000&_foreign_keys=off")
	if err != nil {
		return nil, err
	}
	s.db = db
	version, err := versionOf(db)
	if err != nil {
		return nil, plain(path, err)
	}
	if version == 0 {
		if err := s.create(); err != nil {
			return nil, plain(path, err)
		}
	} else if version != schemaVersion {
		return nil, fmt.Errorf("%s is of version %d, and this hub writes version %d", path, version, schemaVersion)
	}
	if s.head, err = readHead(db); err != nil {
		return nil, plain(path, err)
	}
	if err := s.readTexts(); err != nil {
		return nil, plain(path, err)
	}
	// From here on both files are there as long as the connection is.
	if s.main, err = s.file.Stat(); err != nil {
		return nil, err
	}
	if s.wal, err = os.Stat(path + walSuffix); err != nil {
		return nil, err
	}
	return s, s.inPlace()
}

// always is the context of what is not given up half-way: what the writer writes.
func always() context.Context { return context.Background() }

// open opens the file on one connection.
func open(path, options string) (*sql.DB, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Path: whole, RawQuery: options}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func versionOf(db *sql.DB) (version int, err error) {
	return version, db.QueryRowContext(always(), "PRAGMA user_version").Scan(&version)
}

// plain adds the file's name, and says in our words that it is no record.
func plain(path string, err error) error {
	if e, ok := errors.AsType[sqlite3.Error](err); ok && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB) {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	return fmt.Errorf("record %s: %w", path, err)
}

func (s *store) create() error {
	return s.tx(func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(always(), schema); err != nil {
			return err
		}
		if _, err := tx.ExecContext(always(), "INSERT INTO head VALUES (1, 0, ?, 0, ?)", genesis[:], Hash{}.bytes()); err != nil {
			return err
		}
		_, err := tx.ExecContext(always(), fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
		return err
	})
}

func (h Hash) bytes() []byte { return h[:] }

func readHead(db *sql.DB) (h head, err error) {
	var hash, entry []byte
	if err := db.QueryRowContext(always(), "SELECT n, hash, seq, entry FROM head").Scan(&h.n, &hash, &h.seq, &entry); err != nil {
		return h, err
	}
	if len(hash) != len(h.hash) || len(entry) != len(h.entry) {
		return h, fmt.Errorf("%w: its head makes no sense", ErrDamaged)
	}
	h.hash, h.entry = Hash(hash), Hash(entry)
	return h, nil
}

func (s *store) readTexts() error {
	rows, err := s.db.QueryContext(always(), "SELECT sha256 FROM texts")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var sum string
		if err := rows.Scan(&sum); err != nil {
			return err
		}
		s.texts[sum] = true
	}
	return rows.Err()
}

func (s *store) tx(do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(always(), nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// append writes rows, with the texts that they name, and how far the record goes with them: all or none. N and Hash of the rows are filled in.
func (s *store) append(rows []Row, texts []hub.PolicyFile, seq uint64, entry Hash) error {
	if err := s.inPlace(); err != nil {
		return err
	}
	now := s.head
	now.seq, now.entry = seq, entry
	var written []string
	err := s.tx(func(tx *sql.Tx) error {
		for _, f := range texts {
			sum := hashOf(f)
			if s.texts[sum] {
				continue
			}
			if _, err := tx.ExecContext(always(), "INSERT OR IGNORE INTO texts VALUES (?, ?)", sum, f.Text); err != nil {
				return err
			}
			written = append(written, sum)
		}
		if len(rows) > 0 {
			insert, err := tx.PrepareContext(always(), "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
			if err != nil {
				return err
			}
			defer func() { _ = insert.Close() }() // with the transaction at the latest
			for i := range rows {
				r := &rows[i]
				r.N = now.n + 1
				r.Hash = r.link(now.hash)
				now.n, now.hash = r.N, r.Hash
				if _, err := insert.ExecContext(always(), int64(r.N), int64(r.Seq), int64(r.Time), r.Kind, string(r.Trader), string(r.Order), r.Body, r.Hash.bytes()); err != nil {
					return err
				}
			}
		}
		_, err := tx.ExecContext(always(), "UPDATE head SET n = ?, hash = ?, seq = ?, entry = ?", int64(now.n), now.hash.bytes(), int64(now.seq), now.entry.bytes())
		return err
	})
	if err != nil {
		return err
	}
	s.head = now
	for _, sum := range written {
		s.texts[sum] = true
	}
	return nil
}

// inPlace sees that the files which SQLite writes are still those that are found under their names.
func (s *store) inPlace() error {
	for _, f := range []struct {
		name string
		is   os.FileInfo
	}{{s.path, s.main}, {s.path + walSuffix, s.wal}} {
		now, err := os.Stat(f.name)
		if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(now, f.is) {
			return fmt.Errorf("%s: %w", f.name, errDisplaced)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sync sees that what was written survives a power cut, and is found again: the file, what SQLite has not folded into it yet, and the directory that has them.
func (s *store) sync() error {
	if err := s.inPlace(); err != nil {
		return err
	}
	for _, name := range []string{s.path + walSuffix, filepath.Dir(s.path)} { // nobody has locks on these
		if err := syncFile(name); err != nil {
			return err
		}
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	return s.inPlace() // the one that was synced was SQLite's
}

func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s *store) close() (err error) {
	if s.db != nil {
		err = s.db.Close()
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return err
}

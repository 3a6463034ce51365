package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/record"
	"tradehub/plugins/gateways/sim/venue"
)

// Files in the plugin's directory.
const (
	bookName     = "book.jsonl"
	snapshotName = "state.json"
	lockName     = "lock"
)

// snapshotEvery is how many lines may be written before another snapshot is: so many are read at a start.
const snapshotEvery = 100_000

// store is the venue's files: the book of record, and a snapshot that spares reading all of it.
type store struct {
	dir    string
	file   *os.File
	writer *record.Writer
	// Where in the book the trading day begins, and the one before it.
	dayFrom, beforeFrom int64
	unsaved             int // lines since the last snapshot
}

// saved is the snapshot file.
type saved struct {
	Offset     int64          `json:"offset"`
	DayFrom    int64          `json:"day_from"`
	BeforeFrom int64          `json:"before_from"`
	Venue      venue.Snapshot `json:"venue"`
}

// open opens the files and brings a new venue to where they say.
func open(dir string, v *venue.Venue, sync bool) (*store, error) {
	file, err := record.Open(filepath.Join(dir, bookName))
	if err != nil {
		return nil, err
	}
	s := &store{dir: dir, file: file}
	if err := s.load(v, sync); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

func (s *store) load(v *venue.Venue, sync bool) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	from, err := s.restore(v, info.Size())
	if err != nil {
		return err
	}
	end, err := record.Read(s.file, from, info.Size(), func(at int64, l record.Line) error {
		if l.Kind == record.DayBegan {
			s.beforeFrom, s.dayFrom = s.dayFrom, at
		}
		s.unsaved++
		return v.Apply(l)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(s.dir, bookName), err)
	}
	if end < info.Size() { // what a process that was killed did not finish, and told nobody
		if err := s.file.Truncate(end); err != nil {
			return err
		}
	}
	s.writer = record.NewWriter(s.file, end, sync)
	return nil
}

// restore brings the venue to the snapshot, if there is one, and returns from where the book must be read.
func (s *store) restore(v *venue.Venue, size int64) (from int64, err error) {
	path := filepath.Join(s.dir, snapshotName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var state saved
	if err := json.Unmarshal(text, &state); err != nil {
		return 0, fmt.Errorf("%s: %w; delete it, and the whole book of record is read instead", path, err)
	}
	if state.Venue.Version != venue.SnapshotVersion {
		return 0, nil
	}
	if state.Offset > size {
		return 0, fmt.Errorf("%s has %d bytes, and %s was made when it had %d: put the book of record back, or delete both to begin with an empty market",
			filepath.Join(s.dir, bookName), size, path, state.Offset)
	}
	if err := v.Restore(state.Venue); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	s.dayFrom, s.beforeFrom = state.DayFrom, state.BeforeFrom
	remember := func(today bool) func(id, text []byte) error {
		return func(id, _ []byte) error {
			v.Remember(string(id), today)
			return nil
		}
	}
	err = errors.Join(
		record.ReadOrders(s.file, s.beforeFrom, s.dayFrom, remember(false)),
		record.ReadOrders(s.file, s.dayFrom, state.Offset, remember(true)))
	return state.Offset, err
}

// write adds lines to the book.
func (s *store) write(lines []record.Line) error {
	before := s.writer.Size()
	if err := s.writer.Write(lines); err != nil {
		return err
	}
	s.unsaved += len(lines)
	for i := range lines {
		if lines[i].Kind == record.DayBegan {
			s.beforeFrom, s.dayFrom = s.dayFrom, before
			s.unsaved = snapshotEvery // so that a start need not read yesterday again
		}
	}
	return nil
}

// save writes a snapshot of the venue, which must be as the book says.
func (s *store) save(v *venue.Venue) error {
	text, err := json.Marshal(saved{s.writer.Size(), s.dayFrom, s.beforeFrom, v.Snapshot()})
	if err != nil {
		return err
	}
	s.unsaved = 0
	path := filepath.Join(s.dir, snapshotName)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (s *store) close() error { return s.file.Close() }

// place says where in the book an answer about old orders is to be found.
type place struct {
	path string
	size int64
	// all: every order that the book has is known by its id, so that one that is not known is not in the book.
	all bool
}

func (s *store) place() place {
	return place{filepath.Join(s.dir, bookName), s.writer.Size(), s.beforeFrom == 0}
}

// find reads from the book how orders stand that are over, and forgotten. It has a file of its own and may be called from any goroutine.
func (p place) find(ctx context.Context, ids []hub.OrderID) ([]hub.VenueOrder, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	file, err := os.Open(p.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	asked := make(map[string]*past, len(ids))
	for _, id := range ids {
		asked[string(id)] = nil
	}
	lines := 0
	err = record.ReadOrders(file, 0, p.size, func(id, text []byte) error {
		if lines++; lines%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		o, wanted := asked[string(id)]
		if !wanted {
			return nil
		}
		l, err := record.Parse(text)
		if err != nil {
			return err
		}
		if o == nil {
			o = &past{}
			asked[string(id)] = o
		}
		o.add(l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []hub.VenueOrder
	for _, id := range ids {
		if o := asked[string(id)]; o != nil {
			found = append(found, o.VenueOrder)
		}
	}
	return found, nil
}

// past is an order as its lines tell it.
type past struct {
	hub.VenueOrder
	qty, left hub.Decimal
}

func (o *past) add(l record.Line) {
	switch l.Kind {
	case record.Received:
		o.OrderID, o.qty, o.left, o.Status = l.ID, l.Qty, l.Qty, hub.Accepted
		if l.Type == hub.Limit {
			o.Status = hub.Resting
		}
		if l.Number > 0 {
			o.VenueID = fmt.Sprint(l.Number)
		}
	case record.Rejected:
		o.Status, o.Reason = hub.Rejected, l.Reason
	case record.Amended:
		var sum hub.Sum
		o.left = sum.Add(o.left, sum.Sub(l.Qty, o.qty))
		o.qty = l.Qty
	case record.Cancelled:
		o.Status, o.Reason = hub.Cancelled, l.Reason
	case record.Filled:
		var sum hub.Sum
		o.left = sum.Sub(o.left, l.Qty)
		o.Fills = append(o.Fills, hub.VenueFill{TradeID: l.Trade, Price: l.Price, Qty: l.Qty, Time: l.At})
		if o.Status = hub.PartFilled; o.left.IsZero() {
			o.Status = hub.Filled
		}
	case record.Opened, record.Deposited, record.Duplicate, record.Triggered, record.DayBegan, record.ClockAt:
	}
}

// lockWait is how long a start waits for the process before it, which may be about to die, to let go of the directory.
const lockWait = 5 * time.Second

// lock keeps every other process from the directory, until the file is closed or this process is gone.
func lock(ctx context.Context, dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	deadline := time.NewTimer(lockWait)
	defer deadline.Stop()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		case <-deadline.C:
			return nil, errors.Join(fmt.Errorf("another simulated market works in %s", dir), file.Close())
		}
	}
}

package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
)

// ErrDamaged says that what is in the data directory is not what a hub left
// there, even if it was cut off in the middle of a write.
var ErrDamaged = errors.New("damaged")

const (
	lockFile     = "lock"
	walDir       = "wal"
	snapshotsDir = "snapshots"

	segmentSuffix  = ".wal"
	snapshotSuffix = ".tmp" // of a snapshot that is being written
)

// store is everything that is on disk.
type store struct {
	dir       string
	meta      *metadb.BoltMetaDB
	wal       *wal.WAL
	entries   raft.LogStore
	stable    raft.StableStore
	snapshots *raft.FileSnapshotStore

	// live is set once raft's goroutines use the stores: until then, whoever
	// opens the journal gets the error.
	live atomic.Bool
	fail func(error)
}

// openStore opens what is in o.Dir, having made sure that all of it is whole.
func openStore(o Options, clean bool, fail func(error)) (*store, error) {
	s := &store{dir: o.Dir, meta: &metadb.BoltMetaDB{}}
	s.fail = func(err error) {
		if s.live.Load() {
			fail(err)
		}
	}
	if err := s.openWAL(o, clean); err != nil {
		_ = s.meta.Close()
		return nil, err
	}
	if err := s.openSnapshots(o); err != nil {
		_ = s.close()
		return nil, err
	}
	return s, nil
}

func (s *store) openWAL(o Options, clean bool) error {
	dir := filepath.Join(s.dir, walDir)
	if err := s.verify(dir, clean, o.Logger); err != nil {
		return err
	}
	var files types.VFS = fs.New()
	if o.fileSystem != nil {
		files = o.fileSystem(files)
	}
	w, err := wal.Open(dir,
		wal.WithMetaStore(s.meta),
		wal.WithSegmentFiler(segment.NewFiler(dir, watchedFiles{files, s.fail})),
		wal.WithSegmentSize(o.SegmentBytes),
		wal.WithLogger(o.Logger.Named("wal")),
	)
	if err != nil {
		return fmt.Errorf("open the entries in %s: %w", dir, err)
	}
	s.wal = w
	// The cache answers followers that lag a little. It is outermost because
	// it does not pass on the errors that it gets, only their text.
	s.entries, err = raft.NewLogCache(cacheEntries, watchedEntries{w, s})
	if err != nil {
		return err
	}
	var stable raft.StableStore = w
	if o.stableStore != nil {
		stable = o.stableStore(stable)
	}
	s.stable = watchedStable{stable, s}
	return nil
}

// verify reads every segment, mends the end of the last one, and completes the
// change to a next one that a crash interrupted.
func (s *store) verify(dir string, clean bool, log hclog.Logger) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil {
		return err
	}
	state, err := s.meta.Load(dir)
	if err != nil {
		return fmt.Errorf("open the entries in %s: %w", dir, err)
	}
	if len(state.Segments) == 0 && len(files) > 0 {
		// raft-wal would take the files for left-overs and delete them.
		return damage(filepath.Join(dir, metadb.FileName), errors.New("it lists none of the segments that are beside it"))
	}
	for i, info := range state.Segments {
		path := filepath.Join(dir, segment.FileName(info))
		if !info.SealTime.IsZero() {
			if err := checkSealed(path, info); err != nil {
				return damage(path, err)
			}
			continue
		}
		if i < len(state.Segments)-1 {
			return damage(path, errors.New("another segment follows it, and it is not full"))
		}
		scan, err := mendTail(path, info, clean)
		if _, ok := errors.AsType[*os.PathError](err); ok {
			return fmt.Errorf("open the entries: %w", err)
		}
		if err != nil {
			return damage(path, err)
		}
		if scan.torn {
			log.Info("removed an unfinished write from the journal's end", "file", path, "last_entry", info.BaseIndex+scan.entries-1, "bytes", scan.tornEnd-scan.end)
		}
		if scan.indexStart != 0 {
			return s.rotate(state, scan)
		}
	}
	return nil
}

// rotate records that the last segment is full, and which one is next.
func (s *store) rotate(state types.PersistentState, scan segmentScan) error {
	now := time.Now()
	full := &state.Segments[len(state.Segments)-1]
	full.SealTime = now
	full.MaxIndex = full.BaseIndex + scan.entries - 1
	full.IndexStart = scan.indexStart
	state.Segments = append(state.Segments, types.SegmentInfo{
		ID:         state.NextSegmentID,
		BaseIndex:  full.MaxIndex + 1,
		MinIndex:   full.MaxIndex + 1,
		Codec:      full.Codec,
		CreateTime: now,
		SizeLimit:  full.SizeLimit,
	})
	state.NextSegmentID++
	return s.meta.CommitState(state)
}

func damage(path string, why error) error {
	return fmt.Errorf("the journal is %w: %s: %w; restore the data directory from a back-up, or from another server", ErrDamaged, path, why)
}

func (s *store) openSnapshots(o Options) error {
	dir := filepath.Join(s.dir, snapshotsDir)
	unfinished, err := filepath.Glob(filepath.Join(dir, "*"+snapshotSuffix))
	if err != nil {
		return err
	}
	for _, path := range unfinished {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	s.snapshots, err = raft.NewFileSnapshotStoreWithLogger(s.dir, snapshotsKept, raftLogger{o.Logger})
	return err
}

func (s *store) close() error {
	var err error
	if s.wal != nil {
		err = s.wal.Close()
	}
	return errors.Join(err, s.meta.Close())
}

// contents is what a store holds for raft to start from.
type contents struct {
	snapshot    uint64 // the entry after which the newest whole snapshot was taken
	first, last uint64
	servers     raft.Configuration
	used        bool // a server has voted here: entries may have been acknowledged
}

// inspect finds what raft will find, and refuses what raft would stumble over.
func (s *store) inspect() (c contents, err error) {
	metas, err := s.snapshots.List()
	if err != nil {
		return c, err
	}
	for _, m := range metas {
		_, r, err := s.snapshots.Open(m.ID) // checks the checksum
		if err != nil {
			continue // it has been logged
		}
		_ = r.Close()
		c.snapshot, c.servers = m.Index, m.Configuration
		break
	}
	if len(metas) > 0 && c.snapshot == 0 {
		return c, damage(filepath.Join(s.dir, snapshotsDir), errors.New("none of the snapshots can be read"))
	}
	if c.first, err = s.wal.FirstIndex(); err != nil {
		return c, err
	}
	if c.last, err = s.wal.LastIndex(); err != nil {
		return c, err
	}
	vote, err := s.wal.GetUint64([]byte("LastVoteTerm"))
	if err != nil {
		return c, err
	}
	c.used = vote > 0
	if c.last > 0 && c.first > c.snapshot+1 {
		return c, damage(filepath.Join(s.dir, walDir), fmt.Errorf("entries %d to %d are in no snapshot and in no segment", c.snapshot+1, c.first-1))
	}
	for i := c.snapshot + 1; i <= c.last; i++ {
		var l raft.Log
		if err := s.wal.GetLog(i, &l); err != nil {
			return c, damage(filepath.Join(s.dir, walDir), fmt.Errorf("entry %d: %w", i, err))
		}
		if l.Index != i {
			return c, damage(filepath.Join(s.dir, walDir), fmt.Errorf("entry %d is in the place of entry %d", l.Index, i))
		}
		if l.Type == raft.LogConfiguration {
			c.servers = raft.DecodeConfiguration(l.Data)
		}
	}
	return c, nil
}

// watchedFiles notices a segment file that cannot be made. raft-wal makes the
// next one in the background, logs an error, and answers the write after next
// with "segment is sealed".
type watchedFiles struct {
	types.VFS
	fail func(error)
}

func (w watchedFiles) Create(dir, name string, size uint64) (types.WritableFile, error) {
	f, err := w.VFS.Create(dir, name, size)
	if err != nil {
		w.fail(fmt.Errorf("make the next segment: %w", err))
	}
	return f, err
}

// watchedEntries ends the journal with the first error of the disk.
type watchedEntries struct {
	*wal.WAL
	store *store
}

var (
	_ raft.LogStore          = watchedEntries{}
	_ raft.MonotonicLogStore = watchedEntries{}
)

func (w watchedEntries) StoreLog(l *raft.Log) error { return w.StoreLogs([]*raft.Log{l}) }

func (w watchedEntries) StoreLogs(ls []*raft.Log) error {
	err := w.WAL.StoreLogs(ls)
	if err != nil {
		err = fmt.Errorf("write entries %d to %d: %w", ls[0].Index, ls[len(ls)-1].Index, err)
		w.store.fail(err)
	}
	return err
}

func (w watchedEntries) DeleteRange(first, last uint64) error {
	err := w.WAL.DeleteRange(first, last)
	if err != nil {
		err = fmt.Errorf("delete entries %d to %d: %w", first, last, err)
		w.store.fail(err)
	}
	return err
}

func (w watchedEntries) GetLog(index uint64, l *raft.Log) error {
	err := w.WAL.GetLog(index, l)
	if err != nil && !errors.Is(err, raft.ErrLogNotFound) {
		w.store.stop(fmt.Errorf("read entry %d: %w", index, err))
	}
	return err
}

// watchedStable is the same for raft's own few values: its term and vote.
type watchedStable struct {
	raft.StableStore
	store *store
}

func (w watchedStable) Set(key, value []byte) error {
	err := w.StableStore.Set(key, value)
	if err != nil {
		w.store.stop(fmt.Errorf("write %s: %w", key, err))
	}
	return err
}

func (w watchedStable) SetUint64(key []byte, value uint64) error {
	err := w.StableStore.SetUint64(key, value)
	if err != nil {
		w.store.stop(fmt.Errorf("write %s: %w", key, err))
	}
	return err
}

// stop ends the journal where raft, given the error, would panic and take the
// whole process with it: it ends the goroutine of raft's that asked. The
// journal then shuts raft down. Before raft runs, it does nothing.
func (s *store) stop(err error) {
	if !s.live.Load() {
		return
	}
	s.fail(err)
	runtime.Goexit()
}

// lastVisible is the last index up to index that raft shows to its machine.
// raft keeps quiet about the entries that it makes for itself.
func (s *store) lastVisible(index uint64) uint64 {
	for ; index > 0; index-- {
		var l raft.Log
		if err := s.wal.GetLog(index, &l); err != nil {
			return 0 // in the snapshot, or unreadable: do not wait for it
		}
		if l.Type == raft.LogCommand || l.Type == raft.LogConfiguration {
			return index
		}
	}
	return 0
}

// newGeneration makes a directory whose first use was cut short as good as
// new: it has a term, no vote and no entry. Whoever never voted for itself has
// acknowledged nothing.
func (s *store) newGeneration() error { return s.stable.SetUint64([]byte("CurrentTerm"), 0) }

func isOwn(servers raft.Configuration, id string) bool {
	for _, s := range servers.Servers {
		if string(s.ID) == id {
			return true
		}
	}
	return false
}

func serverNames(servers raft.Configuration) string {
	var names []string
	for _, s := range servers.Servers {
		names = append(names, string(s.ID))
	}
	return strings.Join(names, ", ")
}

package journal

import (
	"errors"
	"time"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"
)

// Faults puts faults between the journal and its disk.
type Faults struct {
	Files     func(types.VFS) types.VFS
	Stable    func(raft.StableStore) raft.StableStore
	FreeBytes func(dir string) (uint64, error)
	Close     time.Duration // how long Close waits
}

// With returns o with f.
func (o Options) With(f Faults) Options {
	o.fileSystem, o.stableStore, o.freeBytes, o.closeTimeout = f.Files, f.Stable, f.FreeBytes, f.Close
	return o
}

// CheckSpace is what otherwise happens once a second.
func (j *Journal) CheckSpace() { j.checkSpace() }

// Kill stops the journal as the end of its process would: it waits for nothing
// that is in flight, and leaves the mark of a process that did not end cleanly.
func (j *Journal) Kill() error {
	j.closeOne.Do(func() {
		j.mu.Lock()
		j.cause = errors.New("killed")
		j.mu.Unlock()
		j.closeErr = j.shut()
	})
	return j.closeErr
}

// Stored opens what is on disk in dir, without raft, and returns the data of its
// commands. With add, it appends a command and reads again.
func Stored(dir string, add []byte) (data [][]byte, err error) {
	o, err := Options{Dir: dir, Machine: nobody{}, SegmentBytes: segmentBytesMin}.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.release(false)) }()
	s, err := openStore(o, l.clean, func(error) {})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	c, err := s.inspect()
	if err != nil {
		return nil, err
	}
	if add != nil {
		if err := s.entries.StoreLog(&raft.Log{Index: c.last + 1, Term: 99, Data: add}); err != nil {
			return nil, err
		}
		c.last++
	}
	for i := c.snapshot + 1; i <= c.last; i++ {
		var l raft.Log
		if err := s.entries.GetLog(i, &l); err != nil {
			return nil, err
		}
		if l.Type == raft.LogCommand {
			data = append(data, l.Data)
		}
	}
	return data, nil
}

type nobody struct{ Machine }

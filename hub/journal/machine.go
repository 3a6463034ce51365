package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// Machine is the deterministic state machine that a journal drives. All its
// methods are called from one goroutine at a time: Restore, at most once,
// before Open returns; then Apply and Snapshot from the journal's own
// goroutine. They must not call Close.
type Machine interface {
	// Apply is given committed entries, in order: each entry once in the life
	// of the process, those that were already on disk at Open included. The
	// slice is the journal's and is used again; the Data of an entry may be
	// kept, and must not be changed.
	//
	// What an entry asks for in the world is to be done for an entry with a
	// Proposal number ONLY: the others were decided by another process, which
	// may have done it, or may not.
	Apply(batch []Entry)
	// Snapshot returns the state after the last Apply. Apply waits for it, so
	// it must be quick; the result is written while Apply goes on, so it must
	// not change any more. A *bytes.Buffer or *bytes.Reader with the encoded
	// state will do when the state is small.
	Snapshot() (io.WriterTo, error)
	// Restore replaces the state by one that Snapshot wrote when index was the
	// last entry. With several servers it may also be called later, in place
	// of Apply, when this server was away for too long.
	Restore(index uint64, encoded io.Reader) error
}

// Entry is a committed entry.
type Entry struct {
	// Index is the place of the entry in the journal. It grows from entry to
	// entry, with gaps: raft uses some places itself.
	Index uint64
	// Data is what was given to Propose.
	Data []byte
	// Proposal is what Propose returned for it, if it was proposed to this
	// Journal since it was opened; otherwise zero.
	Proposal Proposal
	// Replayed says that the entry was on this server's disk at Open.
	Replayed bool
}

// Proposal numbers the entries that a Journal accepted since it was opened,
// from 1. It is not written into snapshots and means nothing to the next
// process.
type Proposal uint64

// fsm is the side of the Machine that raft sees.
type fsm struct {
	machine  Machine
	boot     uint64 // tells this journal's proposals from those of others and of the past
	replayed uint64 // the last index that was on disk at Open
	settled  func(batch []Entry)

	entries   []Entry // reused from batch to batch
	responses []any   // nothing but nils: results go through the machine

	applied atomic.Uint64
	mu      sync.Mutex
	waiting []waiter // guarded by mu

	restoreErr error // why the machine refused a snapshot; read after NewRaft failed
	fail       func(error)
}

type waiter struct {
	index uint64
	done  chan struct{}
}

var (
	_ raft.FSM         = (*fsm)(nil)
	_ raft.BatchingFSM = (*fsm)(nil)
)

// Apply is for raft's interface; raft calls ApplyBatch.
func (f *fsm) Apply(l *raft.Log) any {
	f.ApplyBatch([]*raft.Log{l})
	return nil
}

// ApplyBatch hands commands to the machine.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	f.entries = f.entries[:0]
	for _, l := range logs {
		if l.Type != raft.LogCommand {
			continue
		}
		f.entries = append(f.entries, Entry{
			Index:    l.Index,
			Data:     l.Data,
			Proposal: f.ours(l.Extensions),
			Replayed: l.Index <= f.replayed,
		})
	}
	if len(f.entries) > 0 {
		// Settled first, so that a proposer that was refused as busy and waits
		// for the machine to be given something finds room then.
		f.settled(f.entries)
		f.machine.Apply(f.entries)
		clear(f.entries)
	}
	f.reached(logs[len(logs)-1].Index)
	for len(f.responses) < len(logs) {
		f.responses = append(f.responses, nil)
	}
	return f.responses[:len(logs)]
}

// reached notes that everything up to index is applied.
func (f *fsm) reached(index uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applied.Store(index)
	rest := f.waiting[:0]
	for _, w := range f.waiting {
		if w.index <= index {
			close(w.done)
			continue
		}
		rest = append(rest, w)
	}
	f.waiting = rest
}

// await returns a channel that is closed when everything up to index, which
// must be the index of something that raft shows us, is applied.
func (f *fsm) await(index uint64) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	done := make(chan struct{})
	if f.applied.Load() >= index {
		close(done)
		return done
	}
	f.waiting = append(f.waiting, waiter{index, done})
	return done
}

// markBytes is the length of what goes with every entry to find its proposer
// again: the boot number and the number of the proposal.
const markBytes = 16

func appendMark(b []byte, boot uint64, p Proposal) []byte {
	b = binary.LittleEndian.AppendUint64(b, boot)
	return binary.LittleEndian.AppendUint64(b, uint64(p))
}

func (f *fsm) ours(mark []byte) Proposal {
	if len(mark) != markBytes || binary.LittleEndian.Uint64(mark) != f.boot {
		return 0
	}
	return Proposal(binary.LittleEndian.Uint64(mark[8:]))
}

// A snapshot is this header, the index of the last entry, and what the machine
// wrote. raft's file store adds and checks a checksum of all of it.
var snapshotMagic = [8]byte{'h', 'u', 'b', 's', 'n', 'a', 'p', 1}

type snapshot struct {
	index uint64
	state io.WriterTo
}

// Snapshot has the machine take hold of its state.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	state, err := f.machine.Snapshot()
	if err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	return &snapshot{index: f.applied.Load(), state: state}, nil
}

// Persist writes the state while the machine goes on.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	head := binary.LittleEndian.AppendUint64(snapshotMagic[:], s.index)
	if _, err := sink.Write(head); err != nil {
		return err
	}
	_, err := s.state.WriteTo(sink)
	return err // raft closes or cancels the sink
}

// Release is for raft's interface.
func (s *snapshot) Release() {}

// Restore gives the machine a state that is on disk or that a leader sent.
func (f *fsm) Restore(rc io.ReadCloser) error {
	err := f.restore(rc)
	if err == nil {
		return nil
	}
	// The machine may be half restored. raft would try an older snapshot, or
	// carry on; both would apply entries to a state that is not theirs.
	if f.restoreErr == nil {
		f.restoreErr = err
	}
	f.fail(f.restoreErr)
	return f.restoreErr
}

func (f *fsm) restore(r io.Reader) error {
	if f.restoreErr != nil {
		return f.restoreErr
	}
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fmt.Errorf("snapshot: read its head: %w", err)
	}
	if [8]byte(head[:8]) != snapshotMagic {
		return errors.New("snapshot: written by something else, or by another version of the hub")
	}
	index := binary.LittleEndian.Uint64(head[8:])
	if err := f.machine.Restore(index, r); err != nil {
		return fmt.Errorf("snapshot of entry %d: machine: %w", index, err)
	}
	f.reached(index)
	return nil
}

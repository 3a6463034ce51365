package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// What Propose can answer. Each says that the entry is not in the journal and
// will not be.
var (
	// ErrBusy says that as much is in flight as Options allow. There is room
	// again at the next Machine.Apply of an entry that was proposed here.
	ErrBusy = errors.New("journal: busy: too many entries wait for the disk")
	// ErrNotLeader says that another server leads, or none does yet.
	ErrNotLeader = errors.New("journal: this server does not lead")
	// ErrNoSpace says that the disk is nearly full. It passes when there is
	// room again.
	ErrNoSpace = errors.New("journal: the disk is nearly full")
	// ErrFailed says that the disk failed. It never passes: the process has to
	// be started again.
	ErrFailed = errors.New("journal: failed")
	// ErrClosed says that Close was called.
	ErrClosed = errors.New("journal: closed")
	// ErrTooLarge says that the entry is larger than Options.EntryBytesMax.
	ErrTooLarge = errors.New("journal: entry too large")
)

// ErrLostLead is what Options.Lost is told when another server took over.
var ErrLostLead = errors.New("journal: this server lost the lead")

// State is what a journal can do at the moment.
type State int

// The states of a journal.
const (
	Following State = iota // it applies entries, and cannot propose any; also while it starts
	Leading                // it takes proposals, and has applied everything that was there before
	Full                   // it leads, and takes no proposals, for lack of space
	Failed                 // it does nothing more; see Status.Err
	Closed                 // Close was called
)

// String implements fmt.Stringer.
func (s State) String() string {
	switch s {
	case Following:
		return "following"
	case Leading:
		return "leading"
	case Full:
		return "full"
	case Failed:
		return "failed"
	case Closed:
		return "closed"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// Status is a state and its reason.
type Status struct {
	State State
	Err   error // what Propose answers; nil when Leading
}

// Journal is one server's part in the keeping of the entries. Its methods can
// be called from any goroutine.
type Journal struct {
	opts  Options
	log   hclog.Logger
	lock  *lock
	store *store
	fsm   *fsm
	raft  *raft.Raft
	boot  uint64

	transport transport

	notify   chan bool // raft's word on who leads; raft waits until it is taken
	changes  chan Status
	queued   chan struct{} // says that queue or first is not empty
	room     chan struct{} // says that raft has fewer entries than before
	failed   chan struct{} // closed with the first error of the disk
	closing  chan struct{} // closed when raft is to stop
	stopped  chan struct{} // closed when raft has stopped and watch has ended
	helpers  sync.WaitGroup
	closeOne sync.Once
	closeErr error

	term atomic.Uint64 // counts this server's leads; proposals of an old one are dropped

	mu       sync.Mutex // guards what follows
	leads    bool       // and has applied what was there before
	scarce   error      // why there is too little space, or nil
	cause    error      // what failed
	closed   bool
	refusal  error // what Propose answers, following from the four above
	changed  chan struct{}
	next     Proposal
	inFlight map[Proposal]int // its size
	bytes    int
	inHand   int           // of inFlight, with raft
	idle     chan struct{} // if not nil, closed when nothing is in flight
	queue    []queued
	first    []queued // goes before the queue
	marks    []byte   // room for marks, to be cut up

	urgent atomic.Bool // first is not empty
}

type queued struct {
	data []byte
	mark []byte
	term uint64
}

// Open opens the journal in o.Dir, or starts a new one there. It returns when
// all that is on disk has been found whole and the machine has its last
// snapshot; the entries after it are applied from then on. The caller then
// waits for the lead (WaitLeading), which a server on its own has within about
// 100 ms and the time that applying takes, and calls Close at the end.
//
// Open fails with ErrInUse when another process has the directory, and with
// ErrDamaged when what is in it is not what a hub left there. It never throws
// away an entry that was acknowledged.
func Open(o Options) (_ *Journal, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j, err := open(o)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return j, nil
}

func open(o Options) (_ *Journal, err error) {
	if err := makeDir(o.Dir); err != nil {
		return nil, err
	}
	j := &Journal{
		opts:     o,
		log:      o.Logger,
		notify:   make(chan bool),
		changes:  make(chan Status, 1),
		queued:   make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		failed:   make(chan struct{}),
		closing:  make(chan struct{}),
		stopped:  make(chan struct{}),
		changed:  make(chan struct{}),
		inFlight: make(map[Proposal]int),
		refusal:  ErrNotLeader,
	}
	if j.boot, err = bootNumber(); err != nil {
		return nil, err
	}
	if j.lock, err = takeLock(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			// What was clean before still is: nothing has been acknowledged.
			err = errors.Join(err, j.lock.release(j.lock.clean))
		}
	}()
	if o.Locked != nil {
		o.Locked()
	}
	if j.store, err = openStore(o, j.lock.clean, j.fail); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.store.close())
		}
	}()
	if err := j.startRaft(); err != nil {
		return nil, err
	}
	j.helpers.Go(j.pump)
	if o.MinFreeBytes >= 0 {
		j.checkSpace()
		j.helpers.Go(j.watchSpace)
	}
	if o.Cluster != nil {
		j.helpers.Go(j.takeInPeers)
	}
	go j.watch()
	return j, nil
}

func (j *Journal) startRaft() (err error) {
	o := j.opts
	has, err := j.store.inspect()
	if err != nil {
		return err
	}
	join := o.Cluster != nil && o.Cluster.Join
	if has.last == 0 && has.snapshot == 0 && has.used && !join {
		return damage(o.Dir, errors.New("it holds no entry, and has held some"))
	}
	if len(has.servers.Servers) > 0 && !isOwn(has.servers, o.NodeID) && !join {
		return fmt.Errorf("data directory %s belongs to server %s, and this is server %q", o.Dir, serverNames(has.servers), o.NodeID)
	}
	config := o.raftConfig(j.notify)
	if j.transport, err = newTransport(o); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.transport.Close())
		}
	}()
	if has.last == 0 && has.snapshot == 0 && !join {
		if err := j.found(config); err != nil {
			return err
		}
	}
	j.fsm = &fsm{machine: o.Machine, boot: j.boot, replayed: has.last, settled: j.settle, fail: j.store.fail}
	j.raft, err = newRaft(config, j.fsm, j.store, j.transport)
	if j.fsm.restoreErr != nil {
		return errors.Join(j.fsm.restoreErr, stopRaft(j.raft))
	}
	return err
}

// found starts a journal of which this server is the only one.
func (j *Journal) found(config *raft.Config) error {
	if err := j.store.newGeneration(); err != nil {
		return err
	}
	alone := raft.Configuration{Servers: []raft.Server{{ID: config.LocalID, Address: j.transport.LocalAddr()}}}
	return raft.BootstrapCluster(config, j.store.entries, j.store.stable, j.store.snapshots, j.transport, alone)
}

// newRaft starts raft's goroutines. raft panics on what it cannot read; that
// has been read before, so a panic here is a disk that fails just now.
func newRaft(config *raft.Config, f *fsm, s *store, transport raft.Transport) (r *raft.Raft, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("start raft: %v", p)
		}
	}()
	r, err = raft.NewRaft(config, f, s.entries, s.stable, s.snapshots, transport)
	s.live.Store(err == nil) // not before: an error up to here is Open's to return
	return r, err
}

func stopRaft(r *raft.Raft) error {
	if r == nil {
		return nil
	}
	return r.Shutdown().Error()
}

func bootNumber() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

// Propose asks for entry to be put into the journal. It never waits. The
// number it returns comes back with the entry in Machine.Apply, once the entry
// is on disk and agreed on, or is given to Options.Lost. Entries proposed one
// after the other are applied in that order, but for those of ProposeFirst.
//
// The journal keeps entry: the caller must not change it any more.
//
// Errors: ErrBusy, ErrNotLeader, ErrNoSpace, ErrFailed, ErrClosed, ErrTooLarge.
func (j *Journal) Propose(entry []byte) (Proposal, error) {
	return j.propose(entry, false)
}

// firstMax is how many proposals of ProposeFirst may be in flight beyond what
// Options allow.
const firstMax = 256

// ProposeFirst is Propose for what must not wait behind the others, such as the
// word that stops them: the entry goes before all that wait for raft, behind at
// most two batches, and is taken when the rest is refused as ErrBusy, up to 256
// at a time. It is applied before entries that were proposed earlier, so what
// it means must not depend on them.
func (j *Journal) ProposeFirst(entry []byte) (Proposal, error) {
	return j.propose(entry, true)
}

func (j *Journal) propose(entry []byte, first bool) (Proposal, error) {
	if len(entry) > j.opts.EntryBytesMax {
		return 0, fmt.Errorf("%w: %d bytes, and at most %d are allowed", ErrTooLarge, len(entry), j.opts.EntryBytesMax)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refusal != nil {
		return 0, j.refusal
	}
	countMax, bytesMax := j.opts.InFlightMax, j.opts.InFlightBytes
	if first {
		countMax, bytesMax = countMax+firstMax, bytesMax+firstMax*len(entry)
	}
	if len(j.inFlight) >= countMax || j.bytes+len(entry) > bytesMax {
		return 0, ErrBusy
	}
	j.next++
	j.inFlight[j.next] = len(entry)
	j.bytes += len(entry)
	if q := (queued{entry, j.mark(j.next), j.term.Load()}); first {
		j.first = append(j.first, q)
		j.urgent.Store(true)
	} else {
		j.queue = append(j.queue, q)
	}
	select {
	case j.queued <- struct{}{}:
	default:
	}
	return j.next, nil
}

// mark makes what goes with the entry of p. It cuts many from one allocation.
func (j *Journal) mark(p Proposal) []byte {
	if cap(j.marks)-len(j.marks) < markBytes {
		j.marks = make([]byte, 0, batchMax*markBytes)
	}
	n := len(j.marks)
	j.marks = appendMark(j.marks, j.boot, p)
	return j.marks[n:len(j.marks):len(j.marks)]
}

// handMax is how many entries raft has at a time: a batch that it writes, and
// one that it collects or that is applied. Whatever raft has goes before what
// is proposed first, and raft would take all there is: it commits ahead of
// what the machine applies.
const handMax = 2 * batchMax

// pump hands the queue to raft.
func (j *Journal) pump() {
	var batch []queued
	for {
		j.mu.Lock()
		batch, j.queue = j.queue, batch[:0]
		j.mu.Unlock()
		j.handFirst()
		if len(batch) == 0 {
			select {
			case <-j.queued:
			case <-j.stopped:
				return
			}
			continue
		}
		for _, q := range batch {
			for !j.hand(q, handMax) {
				select {
				case <-j.room:
				case <-j.queued:
				case <-j.stopped:
					return
				}
				j.handFirst()
			}
			if j.urgent.Load() {
				j.handFirst()
			}
		}
		clear(batch)
	}
}

// hand gives an entry to raft, unless raft has as many as it may have: then it
// is false.
func (j *Journal) hand(q queued, handMax int) bool {
	j.mu.Lock()
	if q.term != j.term.Load() {
		j.mu.Unlock()
		return true // it has been reported lost
	}
	if j.inHand >= handMax {
		j.mu.Unlock()
		return false
	}
	j.inHand++
	j.mu.Unlock()
	// The future is not looked at: success shows in Apply, and failure in the
	// loss of the lead, which raft reports after it.
	j.raft.ApplyLog(raft.Log{Data: q.data, Extensions: q.mark}, 0)
	return true
}

// handFirst gives raft what goes before the queue.
func (j *Journal) handFirst() {
	j.mu.Lock()
	first := j.first
	j.first = nil
	j.urgent.Store(false)
	j.mu.Unlock()
	for _, q := range first {
		j.hand(q, math.MaxInt)
	}
}

// settle takes what is about to be applied out of what is in flight.
func (j *Journal) settle(batch []Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range batch {
		if size, ok := j.inFlight[e.Proposal]; ok {
			delete(j.inFlight, e.Proposal)
			j.bytes -= size
			j.inHand--
		}
	}
	select {
	case j.room <- struct{}{}:
	default:
	}
	j.signalIdle()
}

func (j *Journal) signalIdle() {
	if j.idle != nil && len(j.inFlight) == 0 {
		close(j.idle)
		j.idle = nil
	}
}

// Leader says whether this server takes proposals, but for a lack of space.
func (j *Journal) Leader() bool {
	s := j.Status().State
	return s == Leading || s == Full
}

// Status returns the present state.
func (j *Journal) Status() Status {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.status()
}

func (j *Journal) status() Status {
	s := Status{Err: j.refusal}
	switch {
	case j.closed:
		s.State = Closed
	case j.cause != nil:
		s.State = Failed
	case !j.leads:
		s.State = Following
	case j.scarce != nil:
		s.State = Full
	default:
		s.State = Leading
	}
	return s
}

// Changes returns a channel that holds the last change of the state that was
// not taken from it yet. It is never closed, and is for one receiver.
func (j *Journal) Changes() <-chan Status { return j.changes }

// WaitLeading waits until the journal takes proposals: then everything that
// was in it before has been applied. It returns the reason when that will not
// happen any more.
func (j *Journal) WaitLeading(ctx context.Context) error {
	for {
		j.mu.Lock()
		s, changed := j.status(), j.changed
		j.mu.Unlock()
		switch s.State {
		case Leading, Full:
			return nil
		case Failed, Closed:
			return s.Err
		case Following:
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ReplayedTo is the last index that was on this server's disk at Open.
func (j *Journal) ReplayedTo() uint64 { return j.fsm.replayed }

// AppliedTo is the last index that the machine has been given.
func (j *Journal) AppliedTo() uint64 { return j.fsm.applied.Load() }

// Snapshot has the machine's state written now, and waits until it is on disk.
// There is no need to call it: the journal takes snapshots as Options say.
func (j *Journal) Snapshot() error {
	err := j.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// set changes what the state follows from, and tells those who wait for it.
func (j *Journal) set(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := j.status()
	change()
	switch {
	case j.closed:
		j.refusal = ErrClosed
	case j.cause != nil:
		j.refusal = fmt.Errorf("%w: %w", ErrFailed, j.cause)
	case !j.leads:
		j.refusal = ErrNotLeader
	case j.scarce != nil:
		j.refusal = j.scarce
	default:
		j.refusal = nil
	}
	now := j.status()
	if now.State == before.State {
		return
	}
	close(j.changed)
	j.changed = make(chan struct{})
	select {
	case <-j.changes: // nobody took it, and it is no longer true
	default:
	}
	j.changes <- now // mu is held, so there is room
}

// fail is called by whoever gets the first error of the disk, and later ones.
func (j *Journal) fail(err error) {
	first := false
	j.set(func() {
		if j.cause == nil {
			j.cause, first = err, true
		}
	})
	if !first {
		return
	}
	j.log.Error("the journal failed: no more orders are taken until the hub is started again on a disk that works", "error", err)
	close(j.failed)
}

const (
	drainTimeout = time.Second     // for what is in flight, at Close
	closeTimeout = 5 * time.Second // for raft and the disk, at Close
)

// Close waits a moment for what is in flight, stops, and lets go of the
// directory. It returns within seconds, with an error when the disk or the
// machine does not let go; the directory is then released when it does, or when
// the process ends. Machine.Apply and Options.Lost may be called until Close
// returns, so whoever calls Close must not be what they wait for.
func (j *Journal) Close() error {
	j.closeOne.Do(func() { j.closeErr = j.close() })
	return j.closeErr
}

func (j *Journal) close() error {
	j.drain()
	return j.shut()
}

// drain refuses new proposals and waits for the old ones.
func (j *Journal) drain() {
	var idle chan struct{}
	j.set(func() {
		if j.leads && j.cause == nil && len(j.inFlight) > 0 {
			idle = make(chan struct{})
			j.idle = idle
		}
		j.closed = true
	})
	if idle == nil {
		return
	}
	timeout := time.NewTimer(drainTimeout)
	defer timeout.Stop()
	select {
	case <-idle:
	case <-j.failed:
	case <-timeout.C:
	}
}

// shut stops raft and then lets go of the directory, be it later than its
// caller waits.
func (j *Journal) shut() error {
	close(j.closing)
	released := make(chan error, 1)
	go func() {
		<-j.stopped
		j.helpers.Wait()
		released <- j.release()
	}()
	timeout := time.NewTimer(j.opts.closeTimeout)
	defer timeout.Stop()
	select {
	case err := <-released:
		return err
	case <-timeout.C:
		return fmt.Errorf("journal: close: the disk, the machine or another server did not answer for %s", j.opts.closeTimeout)
	}
}

func (j *Journal) release() error {
	j.mu.Lock()
	clean := j.cause == nil
	j.mu.Unlock()
	err := j.store.close()
	if err := errors.Join(err, j.lock.release(clean && err == nil)); err != nil {
		return fmt.Errorf("journal: close: %w", err)
	}
	return nil
}

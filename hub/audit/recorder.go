package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Defaults of Options.
const (
	DefaultQueueEntries = 1 << 18
	DefaultQueueBytes   = 256 << 20 // a hundred thousand decisions: some seconds of a burst
	DefaultRetry        = time.Second
)

const (
	// batchMax is how many entries are written at once at most.
	batchMax = 1024
	// closeMax is how long Close goes on writing. What is left comes from the journal at the next start.
	closeMax = time.Second
)

// Options say how to keep a record. Dir must be set; the zero value of everything else means its default.
type Options struct {
	Dir string
	Log hclog.Logger
	// QueueEntries and QueueBytes bound what was applied and is not written yet. At half of either, new orders must wait (Trouble); beyond it, the record is left behind until the next
	// start, when the journal fills it.
	QueueEntries, QueueBytes int
	// Retry is how long after a write that failed the next one is tried.
	Retry time.Duration
}

// ErrBehind says that the record was left behind and gets no more entries in this process's life.
var ErrBehind = errors.New("the permanent record was left behind: it is filled from the journal at the next start")

// Recorder takes applied entries into the record. Make one with Open. Take and Restored are called by whoever applies entries, in their order; the rest from anywhere.
type Recorder struct {
	opts  Options
	log   hclog.Logger
	store *store

	wake    chan struct{} // says that the queue is not empty, or closing
	changes chan string   // the last Trouble that nobody took
	done    chan struct{} // closed when the writer has ended

	mu      sync.Mutex // guards what follows; store is the writer's
	head    head       // what is written
	moved   *sync.Cond // of mu: written, failure or closing changed
	queue   []taken
	from    int // of queue, the first that is not written
	bytes   int
	seen    uint64 // the last entry that was given
	last    uint64 // of those, the last that is queued or written
	checked bool   // the entry with which the record ended was compared
	odd     error  // why this is not the journal that the record is of
	live    bool   // Take must not wait
	behind  bool   // something did not fit, and nothing that follows can be written
	failure error  // of the last write
	closing bool
	trouble string
}

// Open opens the record in o.Dir, or begins one there.
func Open(o Options) (*Recorder, error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	if o.QueueEntries == 0 {
		o.QueueEntries = DefaultQueueEntries
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = DefaultQueueBytes
	}
	if o.Retry == 0 {
		o.Retry = DefaultRetry
	}
	s, err := openStore(o.Dir)
	if err != nil {
		return nil, err
	}
	r := &Recorder{
		opts: o, log: o.Log, store: s, wake: make(chan struct{}, 1), changes: make(chan string, 1), done: make(chan struct{}), head: s.head, last: s.head.seq,
		checked: s.head.entry == Hash{},
	}
	r.moved = sync.NewCond(&r.mu)
	go r.write()
	return r, nil
}

// Unusable takes the place of a record that cannot be opened: it takes nothing in, its Trouble keeps new orders out, and because of it the journal forgets nothing.
func Unusable(why error) *Recorder {
	r := &Recorder{changes: make(chan string, 1), live: true, odd: why}
	r.moved = sync.NewCond(&r.mu)
	r.say()
	return r
}

// Restored says that the core begins with a snapshot. If the record ends before it, what is between is not in the journal any more and will never be in the record: that is recorded, with
// the policy that was in force.
func (r *Recorder) Restored(im *core.Image) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = im.Seq
	if r.last >= im.Seq || r.odd != nil {
		return
	}
	why := "the record begins here: the hub kept none before"
	if r.last > 0 {
		why = "the record ended before the journal's snapshot: it was taken from a back-up, or its end was lost"
	}
	gap := &Gap{From: r.last + 1, To: im.Seq, Why: why}
	r.log.Warn("entries are missing in the permanent record, and will be", "from", gap.From, "to", gap.To, "why", why)
	t := taken{seq: im.Seq, time: im.Now, gap: gap}
	if len(im.Files) > 0 {
		t.files = im.Files
		t.load = loadOf(hub.LoadPolicies{Files: im.Files, By: "the journal's snapshot", Language: im.Language, Instead: im.Instead}, &core.PoliciesAnswered{Currency: im.RulesIn})
		t.load.InForce = t.load.Revision
	}
	r.checked = true // the entry that it would be compared with is gone
	r.put(t)
}

// Take takes an entry that was applied, its bytes in the journal, and what came of it. Entries that the record has already are passed over. After CaughtUp it never waits.
func (r *Recorder) Take(e hub.Entry, data []byte, effects []core.Effect) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = e.Seq
	switch {
	case e.Seq == r.last && !r.checked:
		r.checked = true
		if got := Hash(sha256.Sum256(data)); got != r.head.entry {
			r.odd = fmt.Errorf("entry %d of the journal is not the one that the record has", e.Seq)
		}
		return
	case e.Seq <= r.last || r.behind || r.odd != nil:
		return
	}
	t := taken{seq: e.Seq, time: e.Time, input: e.Input, data: data, effects: keep(effects)}
	for !r.live && !r.closing && r.failure == nil && r.full(t.size()) {
		r.moved.Wait()
	}
	r.put(t)
}

// waiting is how many entries are queued. mu is held.
func (r *Recorder) waiting() int { return len(r.queue) - r.from }

func (r *Recorder) full(more int) bool {
	return r.waiting() >= r.opts.QueueEntries || r.bytes+more > r.opts.QueueBytes && r.waiting() > 0
}

// put queues an entry, or leaves the record behind. mu is held.
func (r *Recorder) put(t taken) {
	if r.full(t.size()) {
		r.behind = true
		r.log.Error("the permanent record was left behind; nothing is lost: the journal keeps what is missing, and fills it at the next start", "entries", r.waiting(), "written_to", r.head.seq)
		r.say()
		return
	}
	r.queue = append(r.queue, t)
	r.bytes += t.size()
	r.last = t.seq
	r.say()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// CaughtUp says that all that was in the journal has been given, up to entry seq. An error says that the record is not of this journal, or cannot be used: nothing is added to it, and Trouble
// stays.
func (r *Recorder) CaughtUp(seq uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live = true
	const hint = "the journal was replaced, or restored from an older back-up: move the record away (it can be read where it is), and a new one begins"
	if r.store == nil {
		return r.odd
	}
	if r.odd == nil && r.last > seq {
		r.odd = fmt.Errorf("the record has entry %d, and the journal ends with entry %d", r.last, seq)
	}
	if r.odd == nil {
		return nil
	}
	r.odd = fmt.Errorf("the record in %s is not of this journal: %w; %s", r.opts.Dir, r.odd, hint)
	r.say()
	return r.odd
}

// Head is the last row that is written, and its hash.
func (r *Recorder) Head() (n uint64, hash Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head.n, r.head.hash
}

// Written waits until the record has entry seq.
func (r *Recorder) Written(ctx context.Context, seq uint64) error {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.moved.Broadcast()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.odd != nil || r.head.seq < seq {
		switch {
		case r.odd != nil:
			return r.odd
		case r.behind:
			return ErrBehind
		case r.closing:
			return errors.New("the permanent record is closed")
		case ctx.Err() != nil:
			if r.failure != nil {
				return fmt.Errorf("the permanent record cannot be written: %w", r.failure)
			}
			return fmt.Errorf("the permanent record has got to entry %d of %d: %w", r.head.seq, seq, context.Cause(ctx))
		}
		r.moved.Wait()
	}
	return nil
}

// Sync waits until the record has entry seq and would have it after a power cut. Only then may the journal forget it.
func (r *Recorder) Sync(ctx context.Context, seq uint64) error {
	if err := r.Written(ctx, seq); err != nil {
		return err
	}
	if err := r.store.sync(); err != nil {
		return fmt.Errorf("sync the permanent record: %w", err)
	}
	return nil
}

// Trouble says why no new orders should be taken, "" when they should.
func (r *Recorder) Trouble() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

// Changes returns a channel that holds the last change of Trouble that was not taken from it. It is for one receiver, and never closed.
func (r *Recorder) Changes() <-chan string { return r.changes }

// say works out Trouble. mu is held.
func (r *Recorder) say() {
	now := ""
	switch half := r.waiting() > r.opts.QueueEntries/2 || r.bytes > r.opts.QueueBytes/2; {
	case r.odd != nil:
		now = "the permanent record cannot be used"
	case r.behind:
		now = "the permanent record was left behind; the hub must be started again"
	case r.failure != nil:
		now = "the permanent record cannot be written"
	case half || r.trouble == tooFar && (r.waiting() > r.opts.QueueEntries/4 || r.bytes > r.opts.QueueBytes/4): // and not back and forth
		now = tooFar
	}
	if now == r.trouble {
		return
	}
	r.trouble = now
	select {
	case <-r.changes: // nobody took it, and it is no longer true
	default:
	}
	r.changes <- now // mu is held, so there is room
}

const tooFar = "the permanent record does not keep up"

// write is the goroutine that writes.
func (r *Recorder) write() {
	defer close(r.done)
	var batch []taken
	for {
		r.mu.Lock()
		n := min(r.waiting(), batchMax)
		batch = append(batch[:0], r.queue[r.from:r.from+n]...)
		closing := r.closing
		r.mu.Unlock()
		if closing {
			return
		}
		if n == 0 {
			<-r.wake
			continue
		}
		err := r.writeBatch(batch)
		r.wrote(batch, err)
		if err == nil {
			continue
		}
		timer := time.NewTimer(r.opts.Retry)
		for waiting := true; waiting; {
			select {
			case <-timer.C:
				waiting = false
			case <-r.wake:
				r.mu.Lock()
				waiting = !r.closing
				r.mu.Unlock()
			}
		}
		timer.Stop()
	}
}

func (r *Recorder) writeBatch(batch []taken) error {
	var rows []Row
	var texts []hub.PolicyFile
	for i := range batch {
		more, files := rowsOf(&batch[i])
		rows, texts = append(rows, more...), append(texts, files...)
	}
	last := &batch[len(batch)-1]
	entry := Hash{}
	if last.data != nil {
		entry = sha256.Sum256(last.data)
	}
	return r.store.append(rows, texts, last.seq, entry)
}

func (r *Recorder) wrote(batch []taken, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.failure == nil {
		r.log.Error("the permanent record cannot be written: no new orders until it can; what is missing is kept in memory and in the journal", "error", err, "tried_again_every", r.opts.Retry)
	}
	if err == nil && r.failure != nil {
		r.log.Info("the permanent record is written again")
	}
	r.failure = err
	if err == nil {
		for i := range batch {
			r.bytes -= batch[i].size()
		}
		clear(r.queue[r.from : r.from+len(batch)])
		if r.from += len(batch); 2*r.from >= len(r.queue) { // else what is written would be moved again and again
			left := copy(r.queue, r.queue[r.from:])
			clear(r.queue[left:])
			r.queue, r.from = r.queue[:left], 0
		}
		r.head = r.store.head // whose writer this is
	}
	r.say()
	r.moved.Broadcast()
}

// Close writes what is left, for a second at most, and closes the file. Take may still be called, and does nothing.
func (r *Recorder) Close() error {
	if r.store == nil {
		return nil
	}
	r.mu.Lock()
	deadline := time.AfterFunc(closeMax, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.behind = true
		r.moved.Broadcast()
	})
	for r.waiting() > 0 && !r.behind && r.failure == nil {
		r.moved.Wait()
	}
	deadline.Stop()
	left := r.waiting()
	r.closing, r.behind = true, true
	r.moved.Broadcast()
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
	if left > 0 {
		r.log.Warn("the permanent record is closed before it has everything: the journal fills it at the next start", "entries", left)
	}
	<-r.done
	n, hash := r.Head()
	r.log.Info("permanent record", "rows", n, "head", hash)
	return r.store.close()
}

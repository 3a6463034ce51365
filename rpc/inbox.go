package rpc

import (
	"sync"
	"time"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// inbox is what other goroutines leave for the owner of a line. Putting never blocks. Every queue is bounded, each in its own way: answers by
// the requests that are in flight, events are counted as lost, ticks give way to newer ones of the same contract.
type inbox struct {
	kick chan struct{} // one token: there is something

	mu          sync.Mutex // guards all below
	answers     []*ask
	events      []event
	ticks       []*tick
	lines       []veighna.Publication      // of logs; bounded as events are
	account     func() veighna.Publication // the newest of the trader's accounts that is not sent yet
	ended       []func()                   // of slow queries, for the owner to run; bounded by the pools
	eventsMax   int
	ticksMax    int
	eventsLost  uint64
	ticksMerged uint64
	closed      bool
}

// event is a private event that is not encoded yet.
type event struct{ encode func() veighna.Publication }

// tick is a tick on its way to several lines, which share the encoded bytes.
type tick struct {
	hub.Tick
	zone func() *time.Location // asks the Desk, so not the goroutine that publishes
	now  hub.Time

	once        sync.Once // guards publication
	publication veighna.Publication
	framed      [veighna.From45 + 1]struct {
		once     sync.Once // guards messages
		messages []veighna.Message
	}
}

// messages returns the tick as it goes out in that framing.
func (t *tick) messages(f veighna.Framing) []veighna.Message {
	t.once.Do(func() { t.publication = veighna.TickEvent(&t.Tick, t.zone()) })
	framed := &t.framed[f]
	framed.once.Do(func() { framed.messages = f.Publish(t.publication, t.now) })
	return framed.messages
}

// batch is what the owner took from an inbox. Events and ticks are worked off piece by piece, so that answers need not wait for all of them:
// eventsDone and ticksDone are how far it is.
type batch struct {
	answers     []*ask
	events      []event
	eventsDone  int
	ticks       []*tick
	ticksDone   int
	lines       []veighna.Publication
	account     func() veighna.Publication
	ended       []func()
	eventsLost  uint64
	ticksMerged uint64
}

func newInbox(limits *Limits) *inbox {
	return &inbox{kick: make(chan struct{}, 1), eventsMax: limits.EventsWaiting, ticksMax: limits.TicksWaiting}
}

func (b *inbox) wake() {
	select {
	case b.kick <- struct{}{}:
	default: // it knows already
	}
}

// putAnswer answers an ask, unless it is answered. When the line is closed it is too late.
func (b *inbox) putAnswer(a *ask, reply []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || a.answered.Load() {
		return
	}
	a.answered.Store(true)
	a.reply = reply
	b.answers = append(b.answers, a)
	b.wake()
}

func (b *inbox) putEvent(encode func() veighna.Publication) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
	case len(b.events) >= b.eventsMax:
		b.eventsLost++
	default:
		b.events = append(b.events, event{encode})
		b.wake()
	}
}

// putAccount keeps the newest account: it says all that those before it did.
func (b *inbox) putAccount(encode func() veighna.Publication) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.account = encode
	b.wake()
}

func (b *inbox) putLine(p veighna.Publication) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed && len(b.lines) < b.eventsMax {
		b.lines = append(b.lines, p)
		b.wake()
	}
}

func (b *inbox) putEnded(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.ended = append(b.ended, f)
		b.wake()
	}
}

func (b *inbox) putTick(t *tick) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	if len(b.ticks) >= b.ticksMax {
		merged := newest(b.ticks)
		b.ticksMerged += uint64(len(b.ticks) - len(merged))
		b.ticks = merged
	}
	if len(b.ticks) >= b.ticksMax { // as many contracts as there is room
		b.ticksMerged++
		b.ticks = append(b.ticks[:0], b.ticks[1:]...)
	}
	b.ticks = append(b.ticks, t)
	b.wake()
}

// take fetches what is there: events and ticks only when those that were taken before are worked off. The owner gives back the slices of its
// last batch.
func (b *inbox) take(last *batch) {
	clear(last.answers)
	clear(last.lines)
	clear(last.ended)
	b.mu.Lock()
	defer b.mu.Unlock()
	last.answers, b.answers = b.answers, last.answers[:0]
	last.lines, b.lines = b.lines, last.lines[:0]
	last.ended, b.ended = b.ended, last.ended[:0]
	last.account, b.account = b.account, nil
	last.eventsLost, b.eventsLost = b.eventsLost, 0
	last.ticksMerged, b.ticksMerged = b.ticksMerged, 0
	if last.eventsDone == len(last.events) {
		clear(last.events)
		last.events, b.events = b.events, last.events[:0]
		last.eventsDone = 0
	}
	if last.ticksDone == len(last.ticks) {
		clear(last.ticks)
		last.ticks, b.ticks = b.ticks, last.ticks[:0]
		last.ticksDone = 0
	}
}

// nextEvents returns at most n events and counts them as done; nextTicks does so for ticks.
func (b *batch) nextEvents(n int) []event {
	next := b.events[b.eventsDone:min(len(b.events), b.eventsDone+n)]
	b.eventsDone += len(next)
	return next
}

func (b *batch) nextTicks(n int) []*tick {
	next := b.ticks[b.ticksDone:min(len(b.ticks), b.ticksDone+n)]
	b.ticksDone += len(next)
	return next
}

// close makes the inbox refuse what comes later; what is in it can still be taken.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

// newest keeps the last tick of each contract, in order.
func newest(ticks []*tick) []*tick {
	last := make(map[hub.Instrument]int, len(ticks))
	for i, t := range ticks {
		last[t.Instrument] = i
	}
	kept := make([]*tick, 0, len(ticks))
	for i, t := range ticks {
		if last[t.Instrument] == i {
			kept = append(kept, t)
		}
	}
	return kept
}

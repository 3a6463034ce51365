package plugins

import (
	"sync"

	"tradehub/hub"
	"tradehub/plugins/pluginpb"
)

// Sizes of what waits to be sent to the hub.
const (
	outboxMax = 4096 // events; who brings more waits
	bulkMax   = 4    // parts of histories; who brings more waits
	batchMax  = 256  // weight of the events of one message
	listWeigh = 64   // weight of an event with a list, which may be some hundred kilobytes
)

// outbox is what waits to be sent to the hub. put waits when it is full, so that nothing is lost; a tick replaces the one of its contract that still waits. Every method may
// be called from any goroutine, and take by the one that sends.
type outbox[E any] struct {
	mu     sync.Mutex
	work   sync.Cond // something to send, or closed
	room   sync.Cond // room for another event, or closed
	first  []E       // goes before all else: pongs
	events []E
	bulk   []E

	ticks      map[hub.Instrument]*hub.Tick
	tickOrder  []hub.Instrument
	tickWrap   func(*pluginpb.Tick) E
	weigh      func(E) int
	taken      uint64 // commands done with
	told       uint64 // of them, the hub knows
	tellAt     uint64 // tell when so many are not known
	ended      bool   // nothing more is accepted
	ticksSpare []hub.Tick
}

// newOutbox makes an outbox for a window of commands. weigh says how much of a batch an event fills: 1, or more when it carries a list.
func newOutbox[E any](window uint32, weigh func(E) int) *outbox[E] {
	o := &outbox[E]{ticks: map[hub.Instrument]*hub.Tick{}, tellAt: max(1, uint64(window)/4), weigh: weigh}
	o.work.L, o.room.L = &o.mu, &o.mu
	return o
}

// put adds events, next to each other, and waits for room before. After end it does nothing.
func (o *outbox[E]) put(events ...E) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.events) >= outboxMax && !o.ended {
		o.room.Wait()
	}
	if o.ended {
		return
	}
	o.events = append(o.events, events...)
	o.work.Signal()
}

// putBulk adds a part of a history and waits for room before.
func (o *outbox[E]) putBulk(event E) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.bulk) >= bulkMax && !o.ended {
		o.room.Wait()
	}
	if o.ended {
		return
	}
	o.bulk = append(o.bulk, event)
	o.work.Signal()
}

// putFirst adds an event that goes before all others. There is one per command of the hub's that wants it, so it needs no bound.
func (o *outbox[E]) putFirst(event E) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return
	}
	o.first = append(o.first, event)
	o.work.Signal()
}

// putTick keeps the newest tick of a contract. It never waits.
func (o *outbox[E]) putTick(tick hub.Tick) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return
	}
	if waiting, there := o.ticks[tick.Instrument]; there {
		*waiting = tick
		return
	}
	o.ticks[tick.Instrument] = &tick
	o.tickOrder = append(o.tickOrder, tick.Instrument)
	o.work.Signal()
}

// done counts a command that is done with.
func (o *outbox[E]) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken++
	if o.taken-o.told >= o.tellAt {
		o.work.Signal()
	}
}

// end lets what waits be sent, and take nothing more. Who waits for room goes on.
func (o *outbox[E]) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.work.Broadcast()
	o.room.Broadcast()
}

// drop is end without sending what waits: the hub is gone.
func (o *outbox[E]) drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.first, o.events, o.bulk, o.tickOrder = nil, nil, nil, nil
	o.work.Broadcast()
	o.room.Broadcast()
}

// take waits for something to send and returns it with the count of commands done with; false when there will be nothing more.
func (o *outbox[E]) take() (batch []E, taken uint64, ok bool) {
	o.mu.Lock()
	for !o.ready() && !o.ended {
		o.work.Wait()
	}
	if !o.ready() {
		o.mu.Unlock()
		return nil, 0, false
	}
	batch = append(batch, o.first...)
	o.first = nil
	n, weight := 0, 0
	for n < len(o.events) && weight < batchMax {
		weight += o.weigh(o.events[n])
		n++
	}
	batch = append(batch, o.events[:n]...)
	o.events = remaining(o.events, n)
	if len(o.bulk) > 0 {
		batch = append(batch, o.bulk[0])
		o.bulk = remaining(o.bulk, 1)
	}
	ticks := o.takeTicks()
	o.told, taken = o.taken, o.taken
	o.room.Broadcast()
	o.mu.Unlock()

	for i := range ticks { // converted without the lock
		batch = append(batch, o.tickWrap(pluginpb.TickOf(ticks[i])))
	}
	return batch, taken, true
}

func (o *outbox[E]) ready() bool {
	return len(o.first)+len(o.events)+len(o.bulk)+len(o.tickOrder) > 0 || o.taken-o.told >= o.tellAt
}

func (o *outbox[E]) takeTicks() []hub.Tick {
	n := min(len(o.tickOrder), batchMax)
	o.ticksSpare = o.ticksSpare[:0]
	for _, instrument := range o.tickOrder[:n] {
		o.ticksSpare = append(o.ticksSpare, *o.ticks[instrument])
		delete(o.ticks, instrument)
	}
	o.tickOrder = remaining(o.tickOrder, n)
	return o.ticksSpare
}

// remaining takes n elements from the front, and keeps the room of the slice when none is left.
func remaining[E any](queue []E, n int) []E {
	clear(queue[:n])
	if n == len(queue) {
		return queue[:0]
	}
	return queue[n:]
}

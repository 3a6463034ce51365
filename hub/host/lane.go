package host

import (
	"fmt"
	"sync"
)

// batchMax is the weight of the commands of one message.
const batchMax = 256

// lane is what waits to be sent to a plugin, in order. It has a bound, and sends no more than a window ahead of what the plugin is done with.
type lane[C any] struct {
	mu     sync.Mutex
	work   sync.Cond
	first  []C // not counted, goes before all else
	queue  []C
	max    int
	window uint64
	sent   uint64 // counted commands taken from the queue
	taken  uint64 // of them, the plugin is done with
	weigh  func(C) int
	ending bool // nothing more is accepted; what waits is still sent
	closed bool // nothing more is sent
}

func newLane[C any](queueMax int, window uint64, weigh func(C) int) *lane[C] {
	l := &lane[C]{max: queueMax, window: window, weigh: weigh}
	l.work.L = &l.mu
	return l
}

// put adds a command; false when there is no room, or none is accepted.
func (l *lane[C]) put(command C) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= l.max || l.ending {
		return false
	}
	l.queue = append(l.queue, command)
	l.work.Signal()
	return true
}

// putFirst adds commands that are not counted and go before all that wait.
func (l *lane[C]) putFirst(commands ...C) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first = append(l.first, commands...)
	l.work.Signal()
}

// remove takes out of the queue what fits, and returns it.
func (l *lane[C]) remove(fits func(C) bool) []C {
	l.mu.Lock()
	defer l.mu.Unlock()
	var removed []C
	kept := l.queue[:0]
	for _, c := range l.queue {
		if fits(c) {
			removed = append(removed, c)
			continue
		}
		kept = append(kept, c)
	}
	clear(l.queue[len(kept):])
	l.queue = kept
	return removed
}

// end adds a last command and accepts none after it.
func (l *lane[C]) end(last C) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return
	}
	l.ending = true
	l.queue = append(l.queue, last)
	l.work.Signal()
}

// take waits for commands that may be sent, and appends them to batch; false when nothing more is to be sent.
func (l *lane[C]) take(batch []C) ([]C, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && len(l.first) == 0 && (len(l.queue) == 0 || l.sent-l.taken >= l.window) {
		l.work.Wait()
	}
	if l.closed {
		return batch, false
	}
	weight, n := 0, 0
	for n < len(l.first) && weight < batchMax {
		weight += l.weigh(l.first[n])
		n++
	}
	batch = append(batch, l.first[:n]...)
	l.first = remaining(l.first, n)
	if len(l.first) > 0 {
		return batch, true
	}
	n = 0
	for n < len(l.queue) && weight < batchMax && l.sent-l.taken < l.window {
		weight += l.weigh(l.queue[n])
		l.sent++
		n++
	}
	batch = append(batch, l.queue[:n]...)
	l.queue = remaining(l.queue, n)
	return batch, true
}

// acknowledge notes how many counted commands the plugin is done with.
func (l *lane[C]) acknowledge(taken uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if taken > l.sent || taken < l.taken {
		return fmt.Errorf("it says that %d commands are done, after %d, of %d", taken, l.taken, l.sent)
	}
	if taken != l.taken {
		l.taken = taken
		l.work.Signal()
	}
	return nil
}

// close ends the sending and returns what was never taken.
func (l *lane[C]) close() []C {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending, l.closed = true, true
	unsent := l.queue
	l.queue, l.first = nil, nil
	l.work.Broadcast()
	return unsent
}

// lengths returns how many commands wait, and how many are with the plugin.
func (l *lane[C]) lengths() (waiting, underway int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue), int(l.sent - l.taken)
}

// remaining takes n elements from the front, and keeps the room of the slice when none is left.
func remaining[C any](queue []C, n int) []C {
	clear(queue[:n])
	if n == len(queue) {
		return queue[:0]
	}
	return queue[n:]
}

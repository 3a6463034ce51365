package host

import "sync"

// inboxMax is how many events of a plugin may wait for the hub; then the plugin waits.
const inboxMax = 4096

// inbox is what waits to be told to the hub about one plugin, in order.
type inbox struct {
	mu     sync.Mutex
	work   sync.Cond
	room   sync.Cond
	queue  []func(Events)
	closed bool
}

func newInbox() *inbox {
	i := &inbox{}
	i.work.L, i.room.L = &i.mu, &i.mu
	return i
}

// push adds what a plugin said, and waits while the inbox is full.
func (i *inbox) push(event func(Events)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.queue) >= inboxMax && !i.closed {
		i.room.Wait()
	}
	i.add(event)
}

// own adds what the host itself says, and never waits, since the caller may be who empties the inbox. It needs no bound of its own: there is one such event for each thing
// that the hub has asked for, and a few for each process that dies.
func (i *inbox) own(event func(Events)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.add(event)
}

func (i *inbox) add(event func(Events)) {
	if i.closed {
		return
	}
	i.queue = append(i.queue, event)
	i.work.Signal()
}

// close lets run tell what waits, and then end.
func (i *inbox) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	i.work.Broadcast()
	i.room.Broadcast()
}

// run tells the hub until close.
func (i *inbox) run(events Events) {
	var batch []func(Events)
	for {
		i.mu.Lock()
		for len(i.queue) == 0 && !i.closed {
			i.work.Wait()
		}
		if len(i.queue) == 0 {
			i.mu.Unlock()
			return
		}
		batch, i.queue = i.queue, batch[:0]
		i.room.Broadcast()
		i.mu.Unlock()
		for n, event := range batch {
			event(events)
			batch[n] = nil
		}
	}
}

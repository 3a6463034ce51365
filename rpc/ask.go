package rpc

import (
	"sync/atomic"
	"time"

	"tradehub/rpc/veighna"
)

// ask is a request that is to be answered exactly once: by whoever is first, the Desk, the watchdog or the end of the line.
type ask struct {
	client *client
	inbox  *inbox
	// envelope are the frames that a DEALER put before the empty one. They come back before the answer, which then need not wait for its turn.
	envelope [][]byte
	name     string
	since    time.Time

	answered atomic.Bool // set under the inbox's mutex
	// reply is set once, under the inbox's mutex. The owner of the line may read it when ready is set, which only the owner does.
	reply []byte
	ready bool
}

// answer gives the answer, unless there is one.
func (a *ask) answer(reply []byte) {
	if !a.answered.Load() {
		a.inbox.putAnswer(a, reply)
	}
}

func (a *ask) fail(text string) { a.answer(veighna.AppendReplyError(nil, text)) }

// client is one connection to the request address. The owner of the line has it.
type client struct {
	id   []byte // the routing id: where replies go, never who asks
	addr string
	fd   int
	// queue are the requests whose answers are not sent, in the order in which they came.
	queue []*ask
	// loose are those with an envelope, not answered; unsent those that are, and found no room.
	loose  map[*ask]struct{}
	unsent []*ask
	// held is how much the answers take that are not sent.
	held int
	// histories is how many slow queries it has, running and waiting.
	histories int
	// full: libzmq has no room for it, since it does not read.
	full bool
	gone bool
	// retryUntil: a rescue was sent, and what it asks now may have crossed it.
	retryUntil time.Time
}

// pool bounds how many of one kind of slow call run and wait.
type pool struct {
	running, max int
	waiting      []func()
	waitingMax   int
}

// start runs f, which starts a goroutine, now or later; false: the pool is full. When the goroutine has ended the owner calls done.
func (p *pool) start(f func()) bool {
	switch {
	case p.running < p.max:
		p.running++
		f()
	case len(p.waiting) < p.waitingMax:
		p.waiting = append(p.waiting, f)
	default:
		return false
	}
	return true
}

// done gives the place of one that ended to the next.
func (p *pool) done() {
	if len(p.waiting) == 0 {
		p.running--
		return
	}
	next := p.waiting[0]
	p.waiting[0] = nil
	p.waiting = p.waiting[1:]
	next()
}

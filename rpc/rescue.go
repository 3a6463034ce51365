package rpc

import (
	"errors"
	"fmt"
	"time"

	zmq "github.com/pebbe/zmq4"

	"tradehub/rpc/veighna"
)

// rescue frees stock clients that wait for an answer which died with the hub that was to give it.
//
// Such a client has a REQ socket that can send nothing until it receives something; after 30 s its program is lost until it is started again.
// But libzmq reconnects it, and then it takes any answer: so a REQ that connects soon after the start of the hub and says nothing is sent
// [False, text]. Its script gets a RemoteException and works on. If it was not waiting, libzmq throws the answer away before its next request.
//
// A ROUTER can send to a peer that has not spoken only by its routing id. libzmq makes these by counting handshakes from a random number, which
// a probe over inproc has shown before anybody could connect. That the peer is a REQ, without an id of its own, and has said nothing, is
// seen by the bytes it sent. A DEALER must get no such answer: it would take it for that of its next request.
type rescue struct {
	base     uint32 // the routing id of the first connection
	until    time.Time
	off      bool // the count does not hold: somebody named itself
	quiets   []quietPeer
	ordinals map[int]int          // by descriptor: which connection it is, counted from 0
	sent     map[uint32]time.Time // routing ids that were sent a rescue
}

// quietPeer is a connection that has not spoken yet.
type quietPeer struct {
	fd, ordinal int
	due         time.Time
}

const (
	// rescueFor: a client that was waiting when the hub died is lost after 30 s, and reconnects every 100 ms.
	rescueFor = 40 * time.Second
	// rescueAfter: who is silent for so long after it connected is waiting, or idle.
	rescueAfter = 300 * time.Millisecond
	// silentREQ is what a REQ without an id has sent when it has asked nothing: greeting, READY with its type and an empty identity.
	silentREQ = 64 + 2 + len("\x05READY") + len("\x0bSocket-Type") + 4 + len("REQ") + len("\x08Identity") + 4
)

var errRescue = errors.New("the hub was started anew while a request was under way, and cannot tell what became of it; look at your orders, then ask again")

// newRescue counts from where the router's counter stands. Call it BEFORE the router is bound to anything.
func newRescue(ctx *zmq.Context, router *zmq.Socket, now time.Time) (*rescue, error) {
	const addr = "inproc://probe"
	if err := router.Bind(addr); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	probe, err := ctx.NewSocket(zmq.DEALER)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	defer func() { _ = probe.Close() }() // it has been heard
	var set setter
	set.do("linger", probe.SetLinger(0))
	set.do("connect", probe.Connect(addr))
	set.do("send", send(probe, nil))
	if set.err != nil {
		return nil, set.err
	}
	frames, err := router.RecvMessageBytes(0)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	n, ok := counter(frames[0])
	if !ok {
		return nil, fmt.Errorf("probe: a routing id of %x", frames[0])
	}
	if err := router.Unbind(addr); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	return &rescue{base: n + 1, until: now.Add(rescueFor), ordinals: make(map[int]int), sent: make(map[uint32]time.Time)}, nil
}

// rose notes a connection that is up.
func (r *rescue) rose(fd, ordinal int, now time.Time) {
	if r.off || now.After(r.until) {
		return
	}
	r.ordinals[fd] = ordinal
	r.quiets = append(r.quiets, quietPeer{fd, ordinal, now.Add(rescueAfter)})
}

// met is told of the routing id of a client that has spoken, and answers until when its requests may have crossed a rescue.
func (r *rescue) met(id []byte, fd int) time.Time {
	n, ok := counter(id)
	ordinal, known := r.ordinals[fd]
	delete(r.ordinals, fd)
	if !ok || known && n != r.base+uint32(ordinal) {
		r.off = true
	}
	if at, ok := r.sent[n]; ok {
		delete(r.sent, n)
		return at.Add(rescueWindow)
	}
	return time.Time{}
}

func (r *rescue) nextDue() (time.Time, bool) {
	if len(r.quiets) == 0 {
		return time.Time{}, false
	}
	return r.quiets[0].due, true
}

// rescueDue sends what is due.
func (l *line) rescueDue() bool {
	r := l.rescue
	did := false
	for len(r.quiets) > 0 && !l.now.Before(r.quiets[0].due) {
		q := r.quiets[0]
		r.quiets = r.quiets[1:]
		p := l.asking.byFd[q.fd]
		if r.off || p == nil || l.byFd[q.fd] != nil || r.ordinals[q.fd] != q.ordinal {
			continue
		}
		delete(r.ordinals, q.fd)
		if n, ok := p.received(); !ok || n != int64(silentREQ) {
			continue
		}
		id := r.base + uint32(q.ordinal)
		did = true
		if err := send(l.requests, routingID(id), nil, veighna.AppendReplyError(nil, traceback("request", errRescue))); err != nil {
			continue // it has just gone
		}
		r.sent[id] = l.now
		l.log.Debug("a client that may wait for an answer of an earlier hub was freed", "peer", p.addr)
	}
	if l.now.After(r.until) && len(r.quiets) == 0 {
		l.rescue = nil
	}
	return did
}

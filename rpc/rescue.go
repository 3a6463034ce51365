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
// a probe over inproc has shown before anybody could connect. That a peer is a REQ, without an id of its own, and has said nothing, is
// seen by the bytes it sent. A DEALER must get no such answer: it would take it for that of its next request. Where both connect at the same
// moment, so that it cannot be told which id is whose, nobody is sent anything.
type rescue struct {
	base  uint32 // the routing id of the first connection
	until time.Time
	after time.Duration // Limits.RescueAfter
	off   bool          // the count does not hold: somebody named itself
	// dues are when each connection, by its ordinal, has been silent for long enough; done how many of them were looked at.
	dues []time.Time
	done int
	// ordinals are those of descriptors, where they can be told.
	ordinals map[int]int
	met      map[uint32]struct{}  // routing ids that have spoken
	sent     map[uint32]time.Time // routing ids that were sent a rescue
}

const (
	// rescueFor: who waited when the hub died tries to connect every 100 ms. Who comes later was not waiting, or waits in vain by now.
	rescueFor = 10 * time.Second
	// silentREQ is what a REQ without an id has sent when it has asked nothing: greeting, READY with its type and an empty identity.
	silentREQ = greetingBytes + len("\x08Identity") + 4
)

var errRescue = errors.New("the hub was started anew while a request was under way, and cannot tell what became of it; look at your orders, then ask again")

// newRescue counts from where the router's counter stands. Call it BEFORE the router is bound to anything.
func newRescue(ctx *zmq.Context, router *zmq.Socket, now time.Time, after time.Duration) (*rescue, error) {
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
	return &rescue{
		base: n + 1, until: now.Add(rescueFor), after: after,
		ordinals: make(map[int]int), met: make(map[uint32]struct{}), sent: make(map[uint32]time.Time),
	}, nil
}

// follow notes connections that are up.
func (r *rescue) follow(p *peers, now time.Time) {
	if now.After(r.until) {
		return
	}
	if p.risen > len(r.dues) {
		if p.justUp != nil {
			r.ordinals[p.justUp.fd] = len(r.dues)
		}
		r.dues = append(r.dues, now.Add(r.after))
	}
}

// meet is told of the routing id of a client that has spoken, and answers until when its requests may have crossed a rescue.
func (r *rescue) meet(id []byte, fd int) time.Time {
	n, ok := counter(id)
	ordinal, known := r.ordinals[fd]
	delete(r.ordinals, fd)
	if !ok || known && n != r.base+uint32(ordinal) {
		r.off = true
		return time.Time{}
	}
	r.met[n] = struct{}{}
	at, ok := r.sent[n]
	if !ok {
		return time.Time{}
	}
	delete(r.sent, n)
	return at.Add(rescueWindow)
}

func (r *rescue) nextDue() (time.Time, bool) {
	if r.done == len(r.dues) {
		return time.Time{}, false
	}
	return r.dues[r.done], true
}

// rescueDue sends what is due.
func (l *line) rescueDue() bool {
	r := l.rescue
	did := false
	for ; r.done < len(r.dues) && !l.now.Before(r.dues[r.done]); r.done++ {
		id := r.base + uint32(r.done)
		if _, spoken := r.met[id]; spoken || r.off || !l.mayRescue(r.done) {
			continue
		}
		did = true
		if err := send(l.requests, routingID(id), nil, veighna.AppendReplyError(nil, traceback("request", errRescue))); err != nil {
			continue // it is gone
		}
		r.sent[id] = l.now
		l.log.Debug("a client that may wait for an answer of an earlier hub was freed")
	}
	if l.now.After(r.until) && r.done == len(r.dues) && len(r.sent) == 0 {
		l.rescue = nil
	}
	return did
}

// mayRescue reports whether the connection of that ordinal is a REQ for sure, as far as those are concerned that have not spoken.
func (l *line) mayRescue(ordinal int) bool {
	others := false
	for fd, p := range l.asking.byFd {
		if l.byFd[fd] != nil {
			continue
		}
		n, ok := p.received()
		known, told := l.rescue.ordinals[fd]
		switch {
		case told && known == ordinal:
			return ok && n == silentREQ
		case told, ok && n < greetingBytes, ok && n == silentREQ:
			// another, one that has no id yet, or a REQ
		default:
			others = true
		}
	}
	return !others
}

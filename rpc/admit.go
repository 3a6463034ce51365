package rpc

import (
	"fmt"
	"net/netip"

	"github.com/hashicorp/go-hclog"
	zmq "github.com/pebbe/zmq4"
)

// admit answers libzmq's questions whether a connection may be taken (ZAP, RFC 27).
func (l *line) admit() bool {
	did := false
	for {
		ask, err := receive(l.zap)
		if err != nil {
			return did
		}
		did = true
		// version, request id, domain, address, identity, mechanism
		if len(ask) < 6 {
			ask = append(ask, make([][]byte, 6-len(ask))...)
		}
		status, text := "200", "OK"
		addr := string(ask[3])
		switch {
		case !l.allowed(addr):
			status, text = "400", "no access"
			l.quiet.say(hclog.Warn, l.now, "connection refused: its address is not in the allow list of "+string(l.trader.Name),
				"address", addr, "to", string(ask[2]),
				"hint", fmt.Sprintf("to let it in, add %s to traders.%s.veighna.allow", prefixOf(addr), l.trader.Name))
		case len(l.asking.byFd)+len(l.hearing.byFd) > l.limits.Connections:
			status, text = "400", "too many connections"
			l.quiet.say(hclog.Warn, l.now, "connection refused: "+string(l.trader.Name)+" has too many", "address", addr, "most", l.limits.Connections,
				"hint", "look for a program that connects again and again without closing")
		}
		if err := send(l.zap, []byte("1.0"), ask[1], []byte(status), []byte(text), nil, nil); err != nil {
			l.quiet.warn(l.now, "a connection could not be let in", "error", err)
		}
	}
}

// allowed reports whether a peer may connect; the address of a unix socket is empty, and its file's mode has said yes.
func (l *line) allowed(address string) bool {
	if len(l.trader.Allow) == 0 || address == "" {
		return true
	}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, prefix := range l.trader.Allow {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func prefixOf(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	addr = addr.Unmap().WithZone("")
	return netip.PrefixFrom(addr, addr.BitLen()).String()
}

// watchAsking follows the connections of the request address.
func (l *line) watchAsking() bool {
	did := false
	for {
		end, ok := l.asking.next(l.now)
		if !ok {
			return did
		}
		did = true
		if l.rescue != nil {
			l.rescue.follow(l.asking, l.now)
		}
		if end == nil {
			continue
		}
		if c := l.byFd[end.fd]; c != nil {
			l.lose(c)
		}
		if l.rescue != nil {
			delete(l.rescue.ordinals, end.fd)
		}
		l.explain(end, "request", "SUB")
	}
}

// watchHearing follows the connections of the publish address.
func (l *line) watchHearing() bool {
	did := false
	for {
		end, ok := l.hearing.next(l.now)
		if !ok {
			return did
		}
		did = true
		if end != nil {
			l.delivery.left(end)
			l.explain(end, "publish", "REQ")
		}
	}
}

// explain logs why a connection came to nothing, and what to change. stray is the type of socket that connects here when a trader's two addresses
// are swapped.
func (l *line) explain(end *ending, where, stray string) {
	addr, name := end.addr, l.trader.Name
	if !l.allowed(end.ip()) {
		return // admit has said why
	}
	switch {
	case end.failure != nil && (!end.left() || end.received < greetingOnly):
		l.explainFailure(end, where)
	case end.up || !end.known:
		switch {
		case !end.seen:
			l.quiet.info(l.now, fmt.Sprintf("a connection to the %s address of %s was over at once", where, name),
				"hint", "its program left, or it sent a message that is too large or none at all")
		case end.byUs:
			// What ends a connection from the hub's side after it was up is one of these; libzmq does not say which.
			l.quiet.info(l.now, "connection to the "+where+" address ended by the hub: it did not answer pings, or sent a message that is too large or none at all",
				"peer", addr, "ping_timeout", l.limits.PingTimeout)
		}
	case !end.seen:
		// It was over before it could be looked at, which happens to what sends all it has at once. Who tries again is seen sooner or later.
		l.quiet.warn(l.now, fmt.Sprintf("what connected to the %s address of %s is no ZeroMQ program, or a socket of the wrong type", where, name),
			"hint", "if it is a trader's: are its two addresses swapped?")
	case end.left() || end.unread == 0 && (end.received < 0 || end.received >= greetingBytes):
		// Greeting and READY were read to the last byte, and libzmq ended it without naming a fault: that is what it does with a socket type
		// which cannot talk to this one. Or the peer ended it, who thinks the same and was faster.
		l.quiet.warn(l.now, fmt.Sprintf("a %s socket connected to the %s address of %s: its two addresses are swapped", stray, where, name), "peer", addr,
			"hint", fmt.Sprintf("in its connect dialog 主动请求地址 is %s and 推送订阅地址 is %s; if they are so, it wants to authenticate (CURVE, PLAIN), "+
				"which must be switched off in it", l.boundRequest, l.boundPublish))
	default:
		l.quiet.warn(l.now, fmt.Sprintf("what connected to the %s address of %s is no ZeroMQ program of this century", where, name),
			"peer", addr, "bytes", end.received, "hint", "a browser, a port scan, or ZeroMQ older than 4.0; only VeighNa 3.0 and later can connect")
	}
}

func (l *line) explainFailure(end *ending, where string) {
	name := l.trader.Name
	switch {
	case end.failure.event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		// admit has said it
	case end.failure.event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL && end.failure.detail == mechanismMismatch:
		l.quiet.warn(l.now, fmt.Sprintf("a program connected to the %s address of %s with CURVE or PLAIN, which is not spoken there", where, name),
			"peer", end.addr, "hint", "switch authentication off in it; VeighNa since 3.0 has none")
	case end.failure.event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
		l.quiet.warn(l.now, fmt.Sprintf("a program connected to the %s address of %s and broke ZeroMQ's protocol", where, name),
			"peer", end.addr, "code", fmt.Sprintf("%#x", end.failure.detail))
	case end.left():
		l.quiet.info(l.now, fmt.Sprintf("a connection to the %s address of %s was closed before it said what it is", where, name),
			"peer", end.addr, "hint", "a port scan or a health check")
	default:
		l.quiet.warn(l.now, fmt.Sprintf("a connection to the %s address of %s did not say what it is", where, name),
			"peer", end.addr, "within", l.limits.HandshakeWithin, "hint", "it is no ZeroMQ program, or the network between loses packets")
	}
}

// mechanismMismatch is ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH.
const mechanismMismatch = 0x11000002

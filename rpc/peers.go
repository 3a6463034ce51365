package rpc

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
	"golang.org/x/sys/unix"
)

// peers are the connections of one socket, as libzmq's monitor tells of them. Only the owner of the socket touches them.
type peers struct {
	monitor *zmq.Socket
	local   string // where the socket is bound
	byFd    map[int]*peer
	// libzmq does not say whose handshake succeeded. undecided counts connections that are neither up nor gone, proven those of them that have
	// a success which cannot be told apart.
	undecided, proven int
	// failure is the event before this one, if it told of a failed handshake: the same thread writes the disconnection right after it.
	failure *failure
	// risen counts handshakes that succeeded. justUp is the connection of the last one, when that can be told; nil after any other event.
	risen  int
	justUp *peer
}

// peer is one connection.
type peer struct {
	fd int
	// dup is a descriptor of the same socket that libzmq does not close: what is known of a connection must be asked when it is over. -1: none.
	dup   int
	addr  string // "10.0.8.21:51023"; "" on a unix socket
	since time.Time
	up    bool
}

// failure is why a handshake failed.
type failure struct {
	event  zmq.Event
	detail int
}

// ending is how a connection ended.
type ending struct {
	*peer
	// failure is set when libzmq told of one.
	failure *failure
	// known is false when it cannot be told whether the handshake had succeeded.
	known bool
	// seen: the rest could be asked. received is how many bytes the peer sent, -1 when that cannot be told (a unix socket); unread is how
	// many of them libzmq did not look at.
	seen     bool
	received int
	unread   int
	// byUs: the hub's side ended it.
	byUs bool
}

// left reports whether the peer went away in the middle of the handshake.
func (e *ending) left() bool {
	return e.failure != nil && e.failure.event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL &&
		(e.failure.detail == int(syscall.EPIPE) || e.failure.detail == int(syscall.ECONNRESET))
}

const (
	// greetingOnly is what a ZMTP 3 peer sends first.
	greetingOnly = 64
	// greetingBytes is the least that it sends before its socket type can be refused: greeting and a READY command.
	greetingBytes = greetingOnly + 2 + len("\x05READY") + len("\x0bSocket-Type") + 4 + len("SUB")
)

func watchPeers(ctx *zmq.Context, sock *zmq.Socket, name string) (*peers, error) {
	addr := "inproc://monitor." + name
	if err := sock.Monitor(addr, zmq.EVENT_ALL); err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	mon, err := ctx.NewSocket(zmq.PAIR)
	if err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	var set setter
	set.do("linger", mon.SetLinger(0))
	// libzmq's I/O thread waits when a monitor is full; better let the queue grow, whose reader does nothing that could block.
	set.do("receive HWM", mon.SetRcvhwm(0))
	set.do("connect", mon.Connect(addr))
	if set.err != nil {
		_ = mon.Close() // set.err is what to tell
		return nil, set.err
	}
	return &peers{monitor: mon, byFd: make(map[int]*peer)}, nil
}

// next reads one event without waiting; it returns an ending when a connection ended, and false when there is no event.
func (p *peers) next(now time.Time) (*ending, bool) {
	event, _, value, err := p.monitor.RecvEvent(zmq.DONTWAIT)
	if err != nil {
		return nil, false
	}
	before := p.failure
	p.failure, p.justUp = nil, nil
	switch event { //nolint:exhaustive // of the others the owner knows
	case zmq.EVENT_ACCEPTED:
		p.accepted(value, now)
	case zmq.EVENT_HANDSHAKE_SUCCEEDED:
		p.succeeded()
	case zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		p.failure = &failure{event: event, detail: value}
	case zmq.EVENT_DISCONNECTED:
		return p.disconnected(value, before), true
	}
	return nil, true
}

func (p *peers) accepted(fd int, now time.Time) {
	p.forget(fd)
	one := &peer{fd: fd, dup: -1, since: now}
	// The connection may be over already and the number be another file's by now, which is given back at once.
	if dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
		one.dup = dup
		local, peer, err := names(dup)
		if one.addr = peer; err != nil || !sameEnd(local, p.local) {
			one.addr = ""
			one.closeDup()
		}
	}
	p.byFd[fd] = one
	p.undecided++
}

// succeeded notes that one of the undecided connections is up.
func (p *peers) succeeded() {
	p.risen++
	p.proven++
	if p.proven < p.undecided {
		return
	}
	for _, one := range p.byFd {
		if !one.up && p.undecided == 1 {
			p.justUp = one
		}
		one.up = true
	}
	p.proven, p.undecided = 0, 0
}

// prove notes that this connection is up: a message came in by it.
func (p *peers) prove(fd int) *peer {
	one := p.byFd[fd]
	if one == nil {
		return nil
	}
	if !one.up {
		one.up = true
		p.undecided--
		p.proven = max(0, p.proven-1)
	}
	return one
}

func (p *peers) disconnected(fd int, why *failure) *ending {
	one := p.byFd[fd]
	if one == nil {
		return nil
	}
	end := &ending{peer: one, failure: why, known: true, received: -1}
	if !one.up {
		p.undecided--
		if end.known = why != nil || p.proven == 0; !end.known {
			p.proven = min(p.proven, p.undecided)
		}
	}
	if one.dup >= 0 {
		end.seen = true
		end.unread, _ = unix.IoctlGetInt(one.dup, unix.TIOCINQ)
		if info, err := unix.GetsockoptTCPInfo(one.dup, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			end.received = int(info.Bytes_received)
			end.byUs = info.State == tcpEstablished
		}
	}
	one.closeDup()
	delete(p.byFd, fd)
	return end
}

// tcpEstablished is the state of a connection whose peer has not closed it: only libzmq has, and our copy holds it open.
const tcpEstablished = 1

func (p *peers) forget(fd int) {
	if one := p.byFd[fd]; one != nil {
		if !one.up {
			p.undecided--
			p.proven = min(p.proven, p.undecided)
		}
		one.closeDup()
		delete(p.byFd, fd)
	}
}

// close gives back all descriptors.
func (p *peers) close() error {
	for _, one := range p.byFd {
		one.closeDup()
	}
	return p.monitor.Close()
}

func (p *peer) closeDup() {
	if p.dup >= 0 {
		_ = unix.Close(p.dup) // a copy: nothing is written through it
		p.dup = -1
	}
}

// received is how many bytes the peer sent; false when that cannot be told, as on a unix socket.
func (p *peer) received() (int, bool) {
	if p.dup < 0 {
		return 0, false
	}
	info, err := unix.GetsockoptTCPInfo(p.dup, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return int(info.Bytes_received), true
}

// backlogBytes is how much of what was sent the peer's machine has not taken yet.
func (p *peer) backlogBytes() int {
	if p.dup < 0 {
		return 0
	}
	n, err := unix.IoctlGetInt(p.dup, unix.TIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}

// ip is addr without the port.
func (p *peer) ip() string { return hostOf(p.addr) }

// names returns both ends of a connection, as "10.0.8.21:51023", or the path of a unix socket.
func names(fd int) (local, peer string, err error) {
	ours, err := unix.Getsockname(fd)
	if err != nil {
		return "", "", err
	}
	theirs, err := unix.Getpeername(fd)
	if err != nil {
		return "", "", err
	}
	return nameOf(ours), nameOf(theirs), nil
}

func nameOf(sa unix.Sockaddr) string {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return addrPort(sa.Addr[:], sa.Port)
	case *unix.SockaddrInet6:
		return addrPort(sa.Addr[:], sa.Port)
	case *unix.SockaddrUnix:
		return sa.Name
	default:
		return ""
	}
}

// sameEnd reports whether a connection with that local end belongs to the bound endpoint: the same path, or the same port.
func sameEnd(local, endpoint string) bool {
	if path, ok := strings.CutPrefix(endpoint, "ipc://"); ok {
		return local == path
	}
	return portOf(local) == portOf(endpoint)
}

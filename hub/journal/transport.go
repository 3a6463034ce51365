package journal

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// transport is how raft reaches the other servers.
type transport interface {
	raft.Transport
	raft.WithClose
	raft.WithPreVote
}

const (
	peerTimeout = 10 * time.Second
	peerPool    = 3 // connections kept to each server
)

// newTransport makes one that reaches nobody for a server on its own: no
// address is listened on.
func newTransport(o Options) (transport, error) {
	if o.Cluster == nil {
		_, t := raft.NewInmemTransport(raft.ServerAddress(o.NodeID))
		return t, nil
	}
	l := o.Cluster.Listener
	if l == nil {
		var err error
		if l, err = new(net.ListenConfig).Listen(context.Background(), "tcp", o.Cluster.address(o.NodeID)); err != nil {
			return nil, fmt.Errorf("listen for the other servers: %w", err)
		}
	}
	if o.Cluster.TLS != nil {
		l = tls.NewListener(l, o.Cluster.TLS)
	}
	s := &stream{listener: l, self: peerAddr(o.Cluster.address(o.NodeID)), tls: o.Cluster.TLS, open: map[*conn]bool{}}
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:  s,
		MaxPool: peerPool,
		Timeout: peerTimeout,
		Logger:  raftLogger{o.Logger},
	}), nil
}

// stream makes the connections between servers, and knows those that are open:
// raft's transport, when it is closed, leaves what others opened to them, and
// waits for answers until a time-out.
type stream struct {
	listener net.Listener
	self     peerAddr
	tls      *tls.Config

	mu     sync.Mutex
	open   map[*conn]bool // guarded by mu
	closed bool
}

var _ raft.StreamLayer = (*stream)(nil)

type conn struct {
	net.Conn
	stream *stream
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.stream.mu.Lock()
	delete(c.stream.open, c)
	c.stream.mu.Unlock()
	return c.Conn.Close()
}

// keep makes c one of the open connections.
func (s *stream) keep(c net.Conn) (net.Conn, error) {
	kept := &conn{c, s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	s.open[kept] = true
	return kept, nil
}

// Addr is the address that the others know this server by, which need not be
// the one that it listens on.
func (s *stream) Addr() net.Addr { return s.self }

// Accept implements net.Listener.
func (s *stream) Accept() (net.Conn, error) {
	c, err := s.listener.Accept()
	if err != nil {
		return nil, err
	}
	return s.keep(c)
}

// Dial implements raft.StreamLayer.
func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var d interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if s.tls != nil {
		d = &tls.Dialer{Config: s.tls}
	}
	c, err := d.DialContext(ctx, "tcp", string(address))
	if err != nil {
		return nil, err
	}
	return s.keep(c)
}

// Close closes the listener and every connection.
func (s *stream) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		_ = c.Conn.Close()
	}
	clear(s.open)
	return err
}

type peerAddr string

func (peerAddr) Network() string  { return "tcp" }
func (a peerAddr) String() string { return string(a) }

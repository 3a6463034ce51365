package journal

import (
	"crypto/tls"
	"fmt"
	"net"
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
		if l, err = net.Listen("tcp", o.Cluster.address(o.NodeID)); err != nil {
			return nil, fmt.Errorf("listen for the other servers: %w", err)
		}
	}
	s := &stream{Listener: l, self: peerAddr(o.Cluster.address(o.NodeID)), tls: o.Cluster.TLS}
	if s.tls != nil {
		s.Listener = tls.NewListener(l, s.tls)
	}
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:  s,
		MaxPool: peerPool,
		Timeout: peerTimeout,
		Logger:  raftLogger{o.Logger},
	}), nil
}

// stream makes the connections between servers.
type stream struct {
	net.Listener
	self peerAddr
	tls  *tls.Config
}

var _ raft.StreamLayer = (*stream)(nil)

// Addr is the address that the others know this server by, which need not be
// the one that it listens on.
func (s *stream) Addr() net.Addr { return s.self }

// Dial implements raft.StreamLayer.
func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	if s.tls == nil {
		return d.Dial("tcp", string(address))
	}
	return tls.DialWithDialer(d, "tcp", string(address), s.tls)
}

type peerAddr string

func (peerAddr) Network() string  { return "tcp" }
func (a peerAddr) String() string { return string(a) }

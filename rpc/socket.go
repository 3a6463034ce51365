package rpc

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
	"golang.org/x/sys/unix"
)

// Options of all sockets that traders connect to.
const (
	// A program that is told to connect dozens of strategies at once must not see its connections refused.
	backlog = 256
	// TCP's own keepalive is for peers that were answered but whose ZMTP heartbeat is not yet due, and for what is no ZMTP at all.
	keepaliveIdle     = 60
	keepaliveInterval = 15
	keepaliveCount    = 4
)

// setter collects the first error of many socket options.
type setter struct{ err error }

func (s *setter) do(name string, err error) {
	if s.err == nil && err != nil {
		s.err = fmt.Errorf("set %s: %w", name, err)
	}
}

// newSocket opens a socket of a line. Whatever is left to send when it is closed is thrown away unless the owner says otherwise.
func newSocket(ctx *zmq.Context, t zmq.Type, limits *Limits, domain string) (*zmq.Socket, error) {
	sock, err := ctx.NewSocket(t)
	if err != nil {
		return nil, fmt.Errorf("open a %s socket: %w", t, err)
	}
	var set setter
	set.do("linger", sock.SetLinger(0))
	set.do("handshake interval", sock.SetHandshakeIvl(limits.HandshakeWithin))
	set.do("heartbeat interval", sock.SetHeartbeatIvl(limits.PingEvery))
	set.do("heartbeat timeout", sock.SetHeartbeatTimeout(limits.PingTimeout))
	set.do("backlog", sock.SetBacklog(backlog))
	set.do("keepalive", sock.SetTcpKeepalive(1))
	set.do("keepalive idle", sock.SetTcpKeepaliveIdle(keepaliveIdle))
	set.do("keepalive interval", sock.SetTcpKeepaliveIntvl(keepaliveInterval))
	set.do("keepalive count", sock.SetTcpKeepaliveCnt(keepaliveCount))
	// A domain switches ZAP on. Even where everybody may connect, that keeps out the protocols before ZMTP 3, in which any bytes are a
	// subscription to everything.
	set.do("ZAP domain", sock.SetZapDomain(domain))
	if set.err != nil {
		return nil, errors.Join(set.err, sock.Close())
	}
	return sock, nil
}

// bind binds a socket, and says in words why it cannot. It returns the address as bound (a port of * is a number there).
func bind(sock *zmq.Socket, endpoint string) (string, error) {
	if path, ok := strings.CutPrefix(endpoint, "ipc://"); ok && !strings.HasPrefix(path, "@") {
		fd, err := listenUnix(path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", endpoint, err)
		}
		if err := sock.SetUseFd(fd); err != nil {
			return "", errors.Join(fmt.Errorf("%s: %w", endpoint, err), unix.Close(fd))
		}
	}
	if strings.HasPrefix(endpoint, "tcp://[") {
		if err := sock.SetIpv6(true); err != nil {
			return "", fmt.Errorf("%s: %w", endpoint, err)
		}
	}
	if err := sock.Bind(endpoint); err != nil {
		return "", fmt.Errorf("%s: %w", endpoint, inWords(err))
	}
	bound, err := sock.GetLastEndpoint()
	if err != nil {
		return "", fmt.Errorf("%s: %w", endpoint, err)
	}
	return bound, nil
}

// inWords adds what to do about an error of bind.
func inWords(err error) error {
	switch zmq.AsErrno(err) { //nolint:exhaustive // the others speak for themselves
	case zmq.EADDRINUSE:
		return fmt.Errorf("%w; another program listens there", err)
	case zmq.EADDRNOTAVAIL, zmq.Errno(syscall.ENODEV):
		return fmt.Errorf("%w; this machine has no such address", err)
	case zmq.Errno(syscall.EACCES):
		return fmt.Errorf("%w; ports below 1024 are root's: take another", err)
	case zmq.Errno(syscall.EINVAL), zmq.EPROTONOSUPPORT, zmq.ENOCOMPATPROTO:
		return fmt.Errorf("%w; write tcp://ADDRESS:PORT or ipc://PATH", err)
	default:
		return err
	}
}

// listenUnix makes the listening socket for ipc://path itself. libzmq would unlink whatever is at path, be it a file or the socket of a program
// that serves there, and would leave the new one open to everybody until somebody changes its mode.
func listenUnix(path string) (fd int, err error) {
	if err := clearSocket(path); err != nil {
		return 0, err
	}
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unix.Close(fd))
		}
	}()
	if err := unix.Fchmod(fd, 0o600); err != nil { // the file gets the mode that the socket has
		return 0, fmt.Errorf("chmod: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		switch {
		case errors.Is(err, unix.ENOENT):
			return 0, fmt.Errorf("%w; its folder does not exist", err)
		case errors.Is(err, unix.EINVAL):
			return 0, fmt.Errorf("%w; a path of a socket has at most 107 bytes", err)
		default:
			return 0, err
		}
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return 0, errors.Join(err, os.Remove(path))
	}
	return fd, nil
}

// clearSocket removes the socket that a dead program left behind; anything else at path is an error.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return errors.New("there is a file that is no socket; move it away, or take another path")
	}
	conn, err := net.DialTimeout("unix", path, time.Second) //nolint:noctx // a local socket answers or refuses at once
	if err == nil {
		return errors.Join(errors.New("address already in use; another program listens there"), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("whether a program listens there cannot be told: %w", err)
	}
	return os.Remove(path)
}

// unlinkSocket removes the file of an ipc endpoint that was bound here.
func unlinkSocket(endpoint string) {
	if path, ok := strings.CutPrefix(endpoint, "ipc://"); ok && !strings.HasPrefix(path, "@") {
		_ = os.Remove(path) // when it stays, the next start replaces it
	}
}

// again reports whether err is "not now": nothing to receive, or no room to send.
func again(err error) bool { return zmq.AsErrno(err) == zmq.Errno(syscall.EAGAIN) }

// unreachable reports whether err is a reply to a client that is gone.
func unreachable(err error) bool { return zmq.AsErrno(err) == zmq.EHOSTUNREACH }

// receive reads one message without waiting. Its first frame may carry properties of the connection.
func receive(sock *zmq.Socket) ([][]byte, error) {
	first, err := sock.RecvBytes(zmq.DONTWAIT)
	if err != nil {
		return nil, err
	}
	return receiveRest(sock, first)
}

func receiveRest(sock *zmq.Socket, first []byte) ([][]byte, error) {
	frames := append(make([][]byte, 0, 4), first)
	for {
		more, err := sock.GetRcvmore()
		if err != nil || !more {
			return frames, err
		}
		frame, err := sock.RecvBytes(zmq.DONTWAIT)
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame)
	}
}

// send writes one message without waiting: all of it, or, with an error, nothing.
func send(sock *zmq.Socket, frames ...[]byte) error {
	for i, frame := range frames {
		flags := zmq.DONTWAIT
		if i < len(frames)-1 {
			flags |= zmq.SNDMORE
		}
		if _, err := sock.SendBytes(frame, flags); err != nil {
			return err
		}
	}
	return nil
}

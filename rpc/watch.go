package rpc

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	zmq "github.com/pebbe/zmq4"
	"golang.org/x/sys/unix"
)

// watch tells a goroutine that one of its sockets may have something for it, without a thread that blocks in libzmq: the sockets' own
// descriptors (ZMQ_FD) sit in an epoll set, and the epoll descriptor sits in Go's network poller. The owner can so wait in one select for
// sockets, channels and timers.
//
// ZMQ_FD says only "look again", and any call on a socket may swallow that. So for every socket that the owner has touched since, it must have
// seen EAGAIN from a receive, with no other call on it after, BEFORE it calls rearm and waits.
type watch struct {
	ready  chan uint32 // one token: look at the sockets that have a bit in it, the first given to newWatch having the lowest
	armed  chan struct{}
	stop   chan struct{}
	file   *os.File
	exited sync.WaitGroup
}

func newWatch(sockets ...*zmq.Socket) (w *watch, err error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unix.Close(epfd))
		}
	}()
	for i, s := range sockets {
		fd, err := s.GetFd()
		if err != nil {
			return nil, fmt.Errorf("descriptor of a socket: %w", err)
		}
		if err := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}); err != nil {
			return nil, fmt.Errorf("epoll_ctl: %w", err)
		}
	}
	if err := unix.SetNonblock(epfd, true); err != nil { // without it os.NewFile would not use the network poller
		return nil, fmt.Errorf("fcntl: %w", err)
	}
	w = &watch{
		ready: make(chan uint32, 1), armed: make(chan struct{}, 1), stop: make(chan struct{}),
		file: os.NewFile(uintptr(epfd), "zmq"),
	}
	conn, err := w.file.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("network poller: %w", err)
	}
	w.exited.Go(func() { w.run(conn) })
	return w, nil
}

func (w *watch) run(conn syscall.RawConn) {
	var events [8]unix.EpollEvent
	for {
		var which uint32
		err := conn.Read(func(fd uintptr) bool {
			n, err := unix.EpollWait(int(fd), events[:], 0)
			for _, e := range events[:max(n, 0)] {
				which |= 1 << e.Fd
			}
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if err != nil {
			return // closed
		}
		w.ready <- which // never blocks: the owner rearms only after it took the last token
		select {
		case <-w.armed:
		case <-w.stop:
			return
		}
	}
}

// rearm asks for the next token. Only after a token was taken.
func (w *watch) rearm() { w.armed <- struct{}{} }

// close waits until nobody looks at the descriptors any more. Call it BEFORE the sockets are closed.
func (w *watch) close() {
	close(w.stop)
	_ = w.file.Close() // ends a conn.Read; there is nothing to flush
	w.exited.Wait()
}

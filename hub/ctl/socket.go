package ctl

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// SocketName is the socket's name in the data directory.
const SocketName = "ctl.sock"

// pathMax is how long the path of a unix socket may be, without its closing zero. Linux has 107.
const pathMax = len(unix.RawSockaddrUnix{}.Path) - 1

// Listen makes the socket in the data directory. The caller holds the directory's lock: a socket that is there already is a dead hub's, and is removed.
func Listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	short, done, err := shorten(path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		done()
		return nil, fmt.Errorf("control socket %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false) // by its own path, in Close
	// The directory is 0700, so nobody else came in between.
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		done()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &listener{l, path, done}, nil
}

type listener struct {
	net.Listener
	path string
	done func()
}

// Close removes the socket.
func (l *listener) Close() error {
	err := l.Listener.Close()
	if e := os.Remove(l.path); e != nil && !errors.Is(e, fs.ErrNotExist) && err == nil {
		err = e
	}
	l.done()
	return err
}

// Addr is the socket's own path, however it was bound.
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// shorten answers a path of the same socket that fits into a socket address: through the open directory when it does not fit itself. done is to be
// called when the path is no longer used.
func shorten(path string) (short string, done func(), err error) {
	if len(path) <= pathMax {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	short = filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), filepath.Base(path))
	if _, err := os.Stat(filepath.Dir(short)); err != nil {
		_ = dir.Close()
		return "", nil, fmt.Errorf("the path %s has %d bytes and a socket's may have %d; choose a shorter data directory", path, len(path), pathMax)
	}
	return short, func() { _ = dir.Close() }, nil
}

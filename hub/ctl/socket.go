package ctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

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
	// The directory is 0700, so nobody else comes in before the socket has its mode.
	return listen("control socket", path, func() error { return os.Chmod(path, 0o600) })
}

// ListenDesk binds the socket of the people of a group. Its folder is there already, and nobody but its owner may write it: who could, could put a socket of theirs in its place.
func ListenDesk(path string, group int) (net.Listener, error) {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("desk's socket: %w", err)
	case info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("desk's socket: others than its owner may write the folder %s: chmod go-w %s", dir, dir)
	}
	if old, err := os.Lstat(path); err == nil {
		if old.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("desk's socket: %s is there and no socket: move it away", path)
		}
		if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "unix", path); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("desk's socket: another hub answers at %s: give each a socket of its own", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("desk's socket: %w", err)
		}
	}
	return listen("desk's socket", path, func() error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		// In a folder with the setgid bit it has the group already; else the hub must be in the group to give it away.
		if s, ok := info.Sys().(*syscall.Stat_t); !ok || int(s.Gid) != group {
			if err := os.Chown(path, -1, group); err != nil {
				return fmt.Errorf("%w: let the folder give it its group: chgrp %d %s && chmod g+s %s", err, group, dir, dir)
			}
		}
		return os.Chmod(path, 0o660) //nolint:gosec // for the group, of whom the list of people says who is served
	})
}

// listen binds a socket and lets in whom guard says. It is not served before.
func listen(what, path string, guard func() error) (net.Listener, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		done()
		return nil, fmt.Errorf("%s %s: %w", what, path, err)
	}
	l.SetUnlinkOnClose(false) // by its own path, in Close
	if err := guard(); err != nil {
		_ = l.Close()
		_ = os.Remove(path)
		done()
		return nil, fmt.Errorf("%s: %w", what, err)
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

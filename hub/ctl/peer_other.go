//go:build !linux

package ctl

import "net"

// peerOf is not told by every system; the socket's mode lets in its owner alone.
func peerOf(net.Conn) (uid uint64, known bool) { return 0, false }

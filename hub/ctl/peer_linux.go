package ctl

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerOf is the number of the account at the other end, as the kernel says; false when it does not.
func peerOf(c net.Conn) (uid uint64, known bool) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); e != nil || err != nil {
		return 0, false
	}
	return uint64(cred.Uid), true
}

package ctl

import (
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// peerName is the user at the other end, as the kernel says.
func peerName(c net.Conn) string {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return "unknown user"
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return "unknown user"
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); e != nil || err != nil {
		return "unknown user"
	}
	id := strconv.FormatUint(uint64(cred.Uid), 10)
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return "uid " + id
}

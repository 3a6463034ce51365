package ctl

import (
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"tradehub/hub"
)

// peerOf is the account at the other end, as the kernel says; false when it does not.
func peerOf(c net.Conn) (hub.Person, bool) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return hub.Person{}, false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return hub.Person{}, false
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); e != nil || err != nil {
		return hub.Person{}, false
	}
	id := strconv.FormatUint(uint64(cred.Uid), 10)
	name := "uid " + id
	if found, err := user.LookupId(id); err == nil {
		name = found.Username
	}
	return hub.Person{Name: name, User: name, UID: uint64(cred.Uid)}, true
}

package config

import (
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

type prefix = netip.Prefix

// endpoint is an address to bind: one of tcp and ipc. The zero endpoint is what could not be read.
type endpoint struct {
	place
	text string
	addr netip.AddrPort // of tcp; 0.0.0.0 is every address of the machine
}

func (e endpoint) tcp() bool      { return e.addr.IsValid() }
func (e endpoint) loopback() bool { return e.addr.Addr().IsLoopback() }

// clashes reports whether both cannot be bound at once.
func (e endpoint) clashes(o endpoint) bool {
	if !e.tcp() || !o.tcp() {
		return !e.tcp() && !o.tcp() && e.ipcPath() == o.ipcPath()
	}
	return e.addr.Port() == o.addr.Port() &&
		(e.addr.Addr() == o.addr.Addr() || e.addr.Addr().IsUnspecified() || o.addr.Addr().IsUnspecified())
}

func (e endpoint) ipcPath() string { return filepath.Clean(strings.TrimPrefix(e.text, "ipc://")) }

func (r *reader) endpoint(p place) endpoint {
	s, ok := r.text(p)
	if !ok {
		return endpoint{}
	}
	if path, ipc := strings.CutPrefix(s, "ipc://"); ipc {
		return r.ipc(p, s, path)
	}
	rest, tcp := strings.CutPrefix(s, "tcp://")
	if !tcp {
		r.fail(p, "%q is no address; write tcp://127.0.0.1:2014 or ipc:///run/hub/alpha-req", clip(s))
		return endpoint{}
	}
	colon := strings.LastIndexByte(rest, ':')
	if colon < 0 {
		r.fail(p, "%q has no port; write tcp://127.0.0.1:2014", clip(s))
		return endpoint{}
	}
	host, port := rest[:colon], rest[colon+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		r.fail(p, "%q is no port; write a number from 1 to 65535", clip(port))
		return endpoint{}
	}
	if host == "*" {
		host = "0.0.0.0"
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.Is4() {
		r.fail(p, "%q is no IPv4 address of this machine; write 127.0.0.1, or 0.0.0.0 for every one", clip(host))
		return endpoint{}
	}
	if addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		r.fail(p, "%s is not the address of one machine; write 127.0.0.1, or 0.0.0.0 for every one", host)
		return endpoint{}
	}
	at := netip.AddrPortFrom(addr, uint16(n))
	return endpoint{place: p, text: "tcp://" + at.String(), addr: at}
}

func (r *reader) ipc(p place, s, path string) endpoint {
	switch {
	case !filepath.IsAbs(path):
		r.fail(p, "%q is no absolute path; write ipc:///run/hub/alpha-req", clip(path))
	case len(path) > ipcPathMax:
		r.fail(p, "the path has %d bytes; a socket's has at most %d: choose a shorter one", len(path), ipcPathMax)
	case strings.HasSuffix(path, "/"):
		r.fail(p, "%q is a folder; write the socket's own path, such as ipc:///run/hub/alpha-req", clip(path))
	default:
		return endpoint{place: p, text: s}
	}
	return endpoint{}
}

// prefixes reads the list of who may connect.
func (r *reader) prefixes(p place) []prefix {
	var all []prefix
	isList := r.list(p, func(item place) {
		s, ok := r.text(item)
		if !ok {
			return
		}
		if addr, err := netip.ParseAddr(s); err == nil && addr.Is4() {
			all = append(all, netip.PrefixFrom(addr, 32))
			return
		}
		network, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !network.Addr().Is4():
			r.fail(item, "%q is no IPv4 address or network; write 10.0.8.21 or 10.0.8.0/24", clip(s))
		case network != network.Masked():
			r.fail(item, "%s names a network by an address inside it; write %s for the network or %s for the address", s, network.Masked(), network.Addr())
		default:
			all = append(all, network)
		}
	})
	if isList && len(p.node.Content) == 0 {
		r.fail(p, "the list is empty, so nobody could connect; write [10.0.8.21/32] or remove the key")
	}
	return all
}

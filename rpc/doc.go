// Package rpc is the traders' side of the hub: the ZeroMQ sockets to which VeighNa's RpcGateway connects.
//
// Every trader has a pair of addresses of their own, a line: requests are asked on one, events go out on the other. Who asks is the line that the
// request came in by, never a field of the message and never a routing id. What is private to a trader goes out on that trader's line
// only; a topic is a filter and not access control.
//
// One goroutine owns the sockets of a line, and nobody else touches them: libzmq ends the process when two threads use one socket. It
// never waits for a socket or for the Desk, so that a slow query, a slow subscriber or junk on one line is not felt on another, and no
// client of a line waits for another client. Each line has a libzmq context, and with it an I/O thread, of its own.
//
// The package decides nothing about orders: it turns requests into calls of a Desk and what comes back into replies and events. The bytes are
// package veighna's. docs/wire.md tells what a client sees, what is bounded and what the log lines mean.
package rpc

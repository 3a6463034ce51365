// Package ctl is how the operator speaks to a running hub: HTTP and JSON over a unix socket in the hub's data directory.
//
//	GET  /v1/status /v1/accounts /v1/plugins /v1/watches
//	GET  /v1/orders?trader=&active= /v1/trades?trader= /v1/positions?trader=     (trader "" is the fund)
//	GET  /v1/overrides
//	POST /v1/overrides/ask /v1/overrides/approve /v1/overrides/withdraw
//	POST /v1/halt /v1/cancel-only /v1/reduce-only /v1/resume /v1/cancel-all /v1/flatten /v1/policy/reload /v1/rpc/start /v1/rpc/stop /v1/log
//
// Who may connect is a matter of the file: the socket has mode 0600 in a directory with mode 0700. A second socket, of a group, is for the people whom the configuration names, each
// with roles. Who did something is the user of the connection, which the kernel tells, and never a field of a message.
//
// The package carries questions and answers; it decides nothing. A Server asks an Operator, which command hub makes of the running parts; a Client asks a Server.
package ctl

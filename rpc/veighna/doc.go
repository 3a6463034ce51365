// Package veighna speaks VeighNa's RpcService protocol: bytes to values and back, nothing else. It opens no socket, starts no goroutine and
// asks no clock.
//
// Requests. DecodeRequest reads what a trader sent, and Request.Bind makes one of the seventeen calls of it, with the names, defaults and error
// sentences that a script author knows from Python. What cannot be bound is a *CallError, whose text goes into AppendReplyError.
//
// Replies. A reply is AppendReplyStart, one value (AppendTick, AppendList, AppendNone, AppendString ...), AppendReplyEnd.
//
// Events. A Publication is a value and the event types under which it goes out: most go out twice, under a plain type for the client's order
// management and under one with a suffix for strategies, in this order. Framing.Publish makes ZeroMQ messages of it.
//
// Framings. VeighNa up to 4.4 reads an event as one frame, from 4.5 on as two, and nothing that a client sends tells which it reads. A trader
// whose version is stated gets its own framing; any other gets each event twice, in forms that the other version takes for a heartbeat or
// skips. See Framing.
//
// Numbers. VeighNa's are floats, the hub's are decimals; they are converted here and nowhere else: a float becomes the shortest decimal that
// reads back as the same float, a decimal the nearest float. A request with NaN, infinity or digits that a decimal cannot hold is an error;
// in market data such a number is "none", 0.
//
// Enumerations are written by member name, which stock VeighNa of every Python version and language reads, and are read by name, by Chinese
// value and by English value.
//
// Old clients die of an enumeration member that they lack. An exchange that no VeighNa names is written as LOCAL; KnownExchange tells before.
package veighna

package rpc

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// Options is what a Server needs.
type Options struct {
	// Desk answers the traders.
	Desk Desk
	// Traders are those that have a line. Names are unique.
	Traders []Trader
	// Gateway is the one that a trader's account is shown under: VeighNa knows no account without a gateway.
	Gateway hub.GatewayName
	// Log is the operator's log; nil logs nothing.
	Log hclog.Logger
	// Alert, when not nil, gets what an operator should hear of at once. It must not block.
	Alert func(text string)
	// Language is that of the service's own lines (RPC服务启动成功). A trader's lines are in the trader's.
	Language veighna.Language
	// Limits are the bounds; a field that is zero has its default.
	Limits Limits
	// NoRescue switches off that clients which wait for an answer that died with an earlier hub are freed after a start; see docs/wire.md.
	NoRescue bool
}

// Trader is one trader's line.
type Trader struct {
	Name hub.TraderName
	// Request and Publish are the endpoints to bind, tcp://ADDRESS:PORT or ipc://PATH.
	Request, Publish string
	// Allow are the networks from which tcp connections are taken; empty takes all.
	Allow []netip.Prefix
	// Version is the trader's version of VeighNa, as veighna.ParseVersion reads it; "" when it is not known.
	Version string
	// Language is that of lines in the trader's log window.
	Language veighna.Language
}

// Limits bound what a line may cost. They are per line, so that no trader can use up what another needs.
type Limits struct {
	// RequestBytes is the largest request that is read. One up to twice as large is answered with an error; a larger one ends the connection.
	// Default 64 KiB: an order takes less than one, and what waits in libzmq for each connection is bounded by it.
	RequestBytes int
	// Connections is how many connections the two addresses may have together. Default 128.
	Connections int
	// InFlight is how many requests of one client may be unanswered. One more is answered with a BusyError and not carried out, but for
	// cancels; four times as many, and what follows is not even answered. Default 4096.
	InFlight int
	// HeldBytes is how much one client's answers may take that wait for an earlier answer, or for a client that does not read. Default 32 MiB.
	HeldBytes int
	// ReplyWithin is when a request is answered with a TimeoutError. A stock client is lost when nothing comes for 30 s. Default 25 s.
	ReplyWithin time.Duration
	// Histories is how many queries of history run at once, HistoriesWaiting how many more wait for that. HistoriesPerClient is how many of
	// both one client may have. Defaults 8, 256, 16.
	Histories, HistoriesWaiting, HistoriesPerClient int
	// Lists is how many get_all_* run at once, ListsWaiting how many more wait for that. Defaults 2, 1024.
	Lists, ListsWaiting int
	// EventsWaiting is how many private events may wait to be sent. Default 65536.
	EventsWaiting int
	// TicksWaiting is how many ticks may wait to be sent; when full, only the newest of each contract are kept. Default 4096.
	TicksWaiting int
	// SubscriberMessages is how many messages may wait inside libzmq for one subscriber that does not read. Default 40000.
	SubscriberMessages int
	// ReplyMessages is how many replies may wait inside libzmq for one client that does not read. Default 1000.
	ReplyMessages int
	// BehindBytes and BehindFor say when a subscriber is called slow: so many bytes lie in the kernel for so long. Ticks then go out at most
	// once per contract and ConflateEvery. Defaults 64 KiB, 1 s, 250 ms.
	BehindBytes              int
	BehindFor, ConflateEvery time.Duration
	// AccountEvery is how often a trader is told of the account at most: every order changes it several times. Default 100 ms.
	AccountEvery time.Duration
	// Heartbeat is how often VeighNa's heartbeat goes out. Default 10 s.
	Heartbeat time.Duration
	// HintEvery is how often the hint of a wrongly stated version is repeated. Default 1 minute.
	HintEvery time.Duration
	// QueryWithin is how long a new subscriber has to ask for its orders, as a program does that was just started. One that does not, after
	// a subscriber from its machine was cut off, is told what may have passed it by. Default 5 s.
	QueryWithin time.Duration
	// RescueAfter is how long a REQ must have said nothing after it connected to be sent a rescue. It is no round number, because test scripts
	// like to wait for round times before they ask their first question. Default 4.3 s.
	RescueAfter time.Duration
	// HandshakeWithin is how long a connection may take to say what it is. Default 10 s.
	HandshakeWithin time.Duration
	// PingEvery and PingTimeout are the ZMTP heartbeat by which half-open connections, and subscribers that have not read for so long, are
	// ended. Defaults 15 s, 60 s.
	PingEvery, PingTimeout time.Duration
	// Flush is how long Stop may take to get the last answers out. Default 250 ms.
	Flush time.Duration
	// LogPerMinute is how many lines of one kind a line may write to the log in a minute. Default 3.
	LogPerMinute int
}

func (l Limits) withDefaults() Limits {
	or := func(p *int, def int) { *p = cmp.Or(*p, def) }
	orFor := func(p *time.Duration, def time.Duration) { *p = cmp.Or(*p, def) }
	or(&l.RequestBytes, 64<<10)
	or(&l.Connections, 128)
	or(&l.InFlight, 4096)
	or(&l.HeldBytes, 32<<20)
	orFor(&l.ReplyWithin, 25*time.Second)
	or(&l.Histories, 8)
	or(&l.HistoriesWaiting, 256)
	or(&l.HistoriesPerClient, 16)
	or(&l.Lists, 2)
	or(&l.ListsWaiting, 1024)
	or(&l.EventsWaiting, 64<<10)
	or(&l.TicksWaiting, 4096)
	or(&l.SubscriberMessages, 40_000)
	or(&l.ReplyMessages, 1000)
	or(&l.BehindBytes, 64<<10)
	orFor(&l.BehindFor, time.Second)
	orFor(&l.ConflateEvery, 250*time.Millisecond)
	orFor(&l.AccountEvery, 100*time.Millisecond)
	orFor(&l.Heartbeat, 10*time.Second)
	orFor(&l.HintEvery, time.Minute)
	orFor(&l.QueryWithin, 5*time.Second)
	orFor(&l.RescueAfter, 4300*time.Millisecond)
	orFor(&l.HandshakeWithin, 10*time.Second)
	orFor(&l.PingEvery, 15*time.Second)
	orFor(&l.PingTimeout, time.Minute)
	orFor(&l.Flush, 250*time.Millisecond)
	or(&l.LogPerMinute, 3)
	return l
}

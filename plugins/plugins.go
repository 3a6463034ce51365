// Package plugins is all that the author of a gateway or of a risk manager imports, with package hub for the nouns.
//
// A plugin is a program of its own. Its main function calls ServeGateway or ServeRiskManager and nothing else; the hub starts it, speaks to it over one
// ordered stream, and stops it. Its stdout belongs to the handshake: it logs through the logger that it is given.
package plugins

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
)

// Gateway is an exchange channel. The hub calls Start once, then the other methods, Submit, Cancel and Ask one after another in the order in which it decided, and Close last.
// Submit, Cancel and Subscribe must return quickly: what the venue answers goes to the Sink, whenever it comes.
type Gateway interface {
	// Start connects to the venue and returns. The connection's later fortunes go to sink.Up and sink.Down. An error means that the settings cannot work.
	Start(ctx context.Context, env Env, sink Sink) error
	// Submit sends an order to the venue, once. Every order is answered by at least one report.
	Submit(order hub.Order)
	// Cancel asks the venue to cancel. ReportCancelled says in Qty how much was filled, if the venue tells. An order that the venue does not know, or that is done, is answered by ReportCancelRejected.
	Cancel(order hub.Order)
	// Subscribe asks for ticks of these contracts too, for as long as the process lives, also when the venue was disconnected meanwhile. Unknown ones are
	// ignored with a log line.
	Subscribe(instruments []hub.Instrument)
	// History returns bars, oldest first; none is an empty list, not an error. Called from goroutines of its own, so it may take long.
	History(ctx context.Context, req hub.HistoryRequest) ([]hub.Bar, error)
	// Ask returns how these orders stand at the venue, with all their fills. With complete, an order that is asked for and not answered has not reached the
	// venue and never will; without it, it stays in doubt. Only orders that were asked for are answered, each once. It has ten seconds; ctx ends then.
	Ask(ctx context.Context, orders []hub.OrderID) (known []hub.VenueOrder, complete bool, err error)
	// Close disconnects and frees everything. Nothing is sent to the Sink after it returns.
	Close() error
}

// MessageLimiter is a Gateway whose venue takes only so many messages in a time, and punishes, or cuts off, who sends more. The hub keeps within it, and shares it among the traders.
type MessageLimiter interface {
	// MessageLimits returns the limits of the channel; all of them hold. It is asked once, after Start.
	MessageLimits() []hub.MessageLimit
}

// Amender is a Gateway whose venue can change the price and the quantity of a working order in place, so that there are never two orders, and never none. A gateway that would have to cancel and send
// anew is no Amender: the hub refuses amendments there, and the trader cancels and sends anew.
type Amender interface {
	// Amend asks the venue to change an order that it has confirmed to order.Amendment.Price and order.Amendment.Qty, which is the quantity in all, what is filled included. It is called like Submit and
	// Cancel, in their order, once for each amendment, and with the next one of an order only when the hub knows what became of the one before. It is answered by one report with the Amendment's Number:
	// ReportAmended, with the Price and Qty that the order has now, or ReportAmendRejected, also when the order is not known or done. What became of an amendment that was lost with the connection, Ask
	// says: VenueOrder's Price and Qty are what the order is for, and are left 0 while an amendment that was sent may yet be done.
	Amend(order hub.Order)
}

// Sink takes what a venue says. Its methods may be called from any goroutine; they wait when the hub is slow, so that nothing is lost, except Tick: the newest tick of a
// contract replaces one that still waits.
type Sink interface {
	// Up says that the venue is connected and orders may be sent; Contracts come before the first Up.
	Up()
	// Down says that it is not, and why, in words for traders.
	Down(reason string)
	// Contracts is the whole list of what can be traded.
	Contracts(contracts []hub.Contract)
	// Tick is the market of one contract.
	Tick(tick hub.Tick)
	// Report is news of an order. Gateway need not be filled in.
	Report(report hub.VenueReport)
}

// StatementSink is a Sink that takes statements of the account. The hub's is one: a gateway whose venue can be asked finds it by assertion,
//
//	if s, ok := sink.(plugins.StatementSink); ok { s.Statement(...) }
//
// and makes a statement after every Up, and then on every change, at most every few seconds, or on a timer. Whatever the account holds and the hub's traders did not trade becomes
// visible by it.
type StatementSink interface {
	// Statement is all that the account holds. Gateway need not be filled in. It may be Exact only if it was made of the same stream as the reports: with every fill that was reported before it
	// and none that was not.
	Statement(statement hub.VenueStatement)
}

// Env is what the hub gives to a plugin.
type Env struct {
	// Name is the name that the configuration gives to this plugin, such as "SIM".
	Name string
	// Dir is a directory for the plugin's own state; it exists, and outlives both processes.
	Dir string
	// Settings are the plugin's own lines of the configuration.
	Settings Settings
	// Log goes to the hub's log, with the plugin's name.
	Log hclog.Logger
}

// RiskManager judges orders by what an expression cannot say. It may only refuse: an order needs the pass of every manager and of every rule.
// All methods are called one after another from one goroutine, in the order in which the hub's core did things.
type RiskManager interface {
	// Start begins with the book as it is. It is called again in a new process after a crash.
	Start(env Env, book hub.RiskBook) error
	// Judge answers at once (the hub has a deadline of milliseconds, after which the answer is no) and, when it says yes, counts the candidate as if it
	// were sent until Observe says what became of it.
	Judge(candidate hub.Candidate) hub.Verdict
	// Observe takes what happened. A Decided may be of a candidate that this process was never asked about: it was judged before the process began, or
	// somebody else answered no first.
	Observe(event hub.RiskEvent)
	// Numbers are the figures that the manager publishes now; asked for now and then, and after every change of note.
	Numbers() []hub.Number
	// Close frees everything.
	Close() error
}

package ctl

import (
	"time"

	"tradehub/hub"
)

// Status is the hub in one page.
type Status struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Data    string    `json:"data"`
	Fund    string    `json:"fund"`
	// Currency is what all money is in.
	Currency string `json:"currency"`
	Day      string `json:"day"`
	// Entries counts the journal's; Journal is "leading" when it is well.
	Entries uint64 `json:"entries"`
	Journal string `json:"journal"`
	// Refusing says why new orders are refused at the door; "" when they are taken.
	Refusing string `json:"refusing,omitempty"`
	// Ready: every address is bound and every plugin has been up.
	Ready    bool              `json:"ready"`
	Revision string            `json:"revision"`
	RPC      []Line            `json:"rpc"`
	Plugins  []Plugin          `json:"plugins"`
	Traders  []Standing        `json:"traders"` // the fund first, with name ""
	Gateways []GatewayStanding `json:"gateways"`
	// Flattening is what is being closed by the hub itself.
	Flattening []FlattenStanding `json:"flattening,omitempty"`
}

// Line is one trader's pair of addresses.
type Line struct {
	Trader  string `json:"trader"`
	Request string `json:"request"`
	Publish string `json:"publish"`
	Running bool   `json:"running"`
	// Clients are connected to the request address, Subscribers to the publish address.
	Clients     int `json:"clients"`
	Subscribers int `json:"subscribers"`
}

// Plugin is one gateway or risk manager.
type Plugin struct {
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason,omitempty"`
	Path    string    `json:"path"`
	PID     int       `json:"pid,omitempty"`
	Version string    `json:"version,omitempty"`
	// LastError is why its last process ended; Restarts counts the processes after the first.
	LastError string   `json:"last_error,omitempty"`
	Restarts  int      `json:"restarts"`
	Queue     int      `json:"queue"`
	Numbers   []Number `json:"numbers,omitempty"`
}

// Number is a figure that a risk manager publishes.
type Number struct {
	Name   string      `json:"name"`
	Trader string      `json:"trader"` // "" for the fund
	Value  hub.Decimal `json:"value"`
}

// Standing is how a trader, or the fund, stands.
type Standing struct {
	Trader string `json:"trader"` // "" for the fund
	// Configured is false of a trader who left the configuration and keeps a book.
	Configured bool `json:"configured"`
	// State is its own: "ACTIVE", "REDUCE_ONLY", "CANCEL_ONLY" or "HALTED"; those of the fund and of gateways hold as well. Why has who, when and why. Halted says that State is HALTED.
	State  string `json:"state"`
	Halted bool   `json:"halted"`
	Why    string `json:"why,omitempty"`
	// Restraints are what State comes from: the most restrictive holds.
	Restraints []Restraint `json:"restraints,omitempty"`
	Active     int         `json:"active"`
	InDoubt    int         `json:"in_doubt"`
	// Orders, Trades and Rejects are of this trading day.
	Orders  int     `json:"orders"`
	Trades  int     `json:"trades"`
	Rejects int     `json:"rejects"`
	Account Account `json:"account"`
}

// Account is money.
type Account struct {
	Trader     string      `json:"trader"` // "" for the fund
	Capital    hub.Decimal `json:"capital"`
	Balance    hub.Decimal `json:"balance"`
	Frozen     hub.Decimal `json:"frozen"`
	Available  hub.Decimal `json:"available"`
	Realised   hub.Decimal `json:"realised"`
	Unrealised hub.Decimal `json:"unrealised"`
	Commission hub.Decimal `json:"commission"`

	// What follows is in the list of accounts alone. Moved is the part of Capital that transfers have brought.
	Cash            hub.Decimal `json:"cash"`
	Moved           hub.Decimal `json:"moved"`
	MarginPositions hub.Decimal `json:"margin_positions"`
	EquityStart     hub.Decimal `json:"equity_start"`
	DayPnL          hub.Decimal `json:"pnl_day"`
	Peak            hub.Decimal `json:"peak"`
	Drawdown        hub.Decimal `json:"drawdown"`
	DrawdownDay     hub.Decimal `json:"drawdown_day"`
	Losses          int         `json:"consecutive_losses"`
}

// Order is an order and its life so far.
type Order struct {
	ID        string      `json:"id"`
	Trader    string      `json:"trader"`
	Gateway   string      `json:"gateway"`
	Contract  string      `json:"contract"`
	Direction string      `json:"direction"`
	Offset    string      `json:"offset"`
	Type      string      `json:"type"`
	Price     hub.Decimal `json:"price"`
	Quantity  hub.Decimal `json:"quantity"`
	Filled    hub.Decimal `json:"filled"`
	Status    string      `json:"status"`
	Active    bool        `json:"active"`
	InDoubt   bool        `json:"in_doubt"`
	VenueID   string      `json:"venue_id,omitempty"`
	Reason    string      `json:"reason,omitempty"`
	Reference string      `json:"reference,omitempty"`
	// Override is the number of the override by which it passed rules; 0: by none.
	Override uint64 `json:"override,omitempty"`
	// Amendment is one that is on its way: until the venue has answered, the order may be as it is or as that says.
	Amendment *Amendment `json:"amendment,omitempty"`
	Time      time.Time  `json:"time"`
	Updated   time.Time  `json:"updated"`
}

// Trade is one fill.
type Trade struct {
	ID         string      `json:"id"`
	OrderID    string      `json:"order_id"`
	Trader     string      `json:"trader"`
	Gateway    string      `json:"gateway"`
	Contract   string      `json:"contract"`
	Direction  string      `json:"direction"`
	Offset     string      `json:"offset"`
	Price      hub.Decimal `json:"price"`
	Quantity   hub.Decimal `json:"quantity"`
	Commission hub.Decimal `json:"commission"`
	Day        string      `json:"day"`
	Time       time.Time   `json:"time"`
}

// Position is what is held of one contract in one direction.
type Position struct {
	Trader    string      `json:"trader"` // "" for the fund
	Gateway   string      `json:"gateway"`
	Contract  string      `json:"contract"`
	Direction string      `json:"direction"`
	Quantity  hub.Decimal `json:"quantity"`
	Today     hub.Decimal `json:"today"`
	Yesterday hub.Decimal `json:"yesterday"`
	Frozen    hub.Decimal `json:"frozen"`
	Price     hub.Decimal `json:"price"`
	PnL       hub.Decimal `json:"pnl"`
}

// Cancelled answers a cancel-all.
type Cancelled struct {
	Orders int `json:"orders"` // for which a cancel is on its way, or owed by a gateway that is down
}

// Reloaded answers a policy reload: with Errors the old revision stays in force.
type Reloaded struct {
	Revision string   `json:"revision"`
	Files    int      `json:"files"`
	Errors   []string `json:"errors,omitempty"`
	// Warnings are about what is in force and yet may not do what its author thinks: who cannot trade, and rules that say nothing.
	Warnings []string `json:"warnings,omitempty"`
}

// Level is a log level: trace, debug, info, warn or error.
type Level struct {
	Level string `json:"level"`
}

// Done answers what has no other answer.
type Done struct {
	Done string `json:"done"`
}

// ProblemError is why the hub did not do what it was asked. Hint, if there is one, is what to do.
type ProblemError struct {
	Text string `json:"error"`
	Hint string `json:"hint,omitempty"`
}

// Error returns the text without the hint.
func (p *ProblemError) Error() string { return p.Text }

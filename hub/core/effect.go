package core

import (
	"tradehub/hub"
	"tradehub/hub/gate"
)

// Effect is something that the edges must do because of an entry. It is a closed set: the types of this file.
//
//sumtype:decl
type Effect interface{ effect() }

// Decided answers a SubmitOrder or a JudgeOrder: with no refusals the order is on its way, unless its Status is Cancelled: then its owner was quicker.
type Decided struct {
	Order    hub.Order
	Refusals []hub.Refusal
	Revision string // policy revision that decided
	// Override is the one by which the order passed, as it is after that, and Lifted is what the rules that it names said; nil and none when it passed by itself, or not.
	Override *hub.Override
	Lifted   []hub.Refusal
	// Shadows are what rules in shadow would have refused for; Warnings are the new ones, which were not given for the same before.
	Shadows  []hub.Refusal
	Warnings []hub.Warning
	// Considered is what it was decided by.
	Considered Considered
}

// Taken answers a TakeOrder: the order is on disk and has an id. Its Decided follows.
type Taken struct {
	Order hub.Order
}

// Send sends an order to its gateway.
type Send struct {
	Permit gate.Permit
}

// CancelAtVenue asks the order's gateway to cancel it.
type CancelAtVenue struct {
	Order hub.Order
}

// AskVenue asks a gateway how these orders stand.
type AskVenue struct {
	Gateway hub.GatewayName
	Orders  []hub.OrderID
	AskedAt uint64 // goes into the answer
}

// CancelAnswered answers a CancelOrder: Err is "" when the cancel is on its way or kept for later.
type CancelAnswered struct {
	Err string
}

// AmendAnswered answers an AmendOrder: with no refusals the amendment is on its way, and Order has it. Err is set when there is no such order.
type AmendAnswered struct {
	Order    hub.Order
	Refusals []hub.Refusal
	Revision string // policy revision that decided
	// Shadows and Warnings are as in Decided.
	Shadows  []hub.Refusal
	Warnings []hub.Warning
	// Considered is what the decision went by.
	Considered Considered
	Err        string
}

// Amend has an order amended by its gateway, as its Amendment says.
type Amend struct {
	Permit gate.Permit
}

// OrderChanged is a new or changed order, for its owner.
type OrderChanged struct {
	Order hub.Order
}

// Traded is a fill, for its owner.
type Traded struct {
	Trade hub.Trade
}

// BookChanged says that a trader's account changed, and, when Instrument is not empty, the positions in it.
type BookChanged struct {
	Trader     hub.TraderName
	Gateway    hub.GatewayName
	Instrument hub.Instrument
}

// Crossed is for the operator and the record: an order could have traded with working orders of the same fund, whichever trader's, and was refused, or waits for their end.
// Its trader is told less: a Refusal that does not say whose they are.
type Crossed struct {
	Order hub.Order
	With  []hub.Order // the first that it would have met comes first
	Waits bool
}

// JudgeAgain asks for a JudgeOrder with this Ask: an order that waited is to be decided, with the market and the verdicts of now. When its owner has thought better of it
// (CancelAsked), without.
type JudgeAgain struct {
	Order hub.Order
	Ask   uint64
}

// Level is how serious a Notice is.
type Level uint8

// Levels.
const (
	Info Level = iota
	Warning
	Problem
)

// Notice is a line for a trader's log window ("" for every trader), and for the operator's log.
type Notice struct {
	Trader hub.TraderName
	Level  Level
	Text   string
	// Local is Text in Chinese, when somebody whom it concerns reads that; "" when nobody does.
	Local    string
	Refusals []hub.Refusal // when the line is about a refused order
	OrderID  hub.OrderID
}

// Alert is something that a person must look at: books and venue do not agree, or a report makes no sense.
type Alert struct {
	Text string
}

// PoliciesAnswered answers a LoadPolicies: with Errors the old revision stays.
type PoliciesAnswered struct {
	Revision string
	Errors   []string
	// Currency is the fund's, by which the files were read.
	Currency string
}

// RatesAnswered answers a SetRates: with Errors no rate that they name changed. Rates are all that hold now.
type RatesAnswered struct {
	Rates  []RateStanding
	Errors []string
}

// NumbersAnswered answers a PublishNumbers: with Errors nothing that it says was taken.
type NumbersAnswered struct {
	Errors []string
}

// DayRolled says that a trading day has begun.
type DayRolled struct {
	Day      hub.Day
	Calendar string // "" for every calendar
	Fund     bool   // the day of the fund began: that of counters and of the day's profit and loss
}

// CancelledAll answers a CancelAll.
type CancelledAll struct {
	// Orders is for how many orders a cancel is on its way, or kept until their gateway is back. Those that were not decided yet are among them if they were written down.
	Orders int
}

// FlattenAnswered answers a Flatten: how many orders are being cancelled, and how many positions are to be closed; or why not.
type FlattenAnswered struct {
	Orders    int
	Positions int
	Err       string
}

// FlattenWanted asks for a FlattenStep: there is something to flatten, and it may go a step.
type FlattenWanted struct{}

// Withhold takes orders back that were decided and are still in the hub: those of the part that wait to be handed to their gateway's process. Each comes back as a ReportNotSent.
type Withhold struct {
	Part hub.Part
	// Opening: only those that may open something.
	Opening bool
	Why     string
}

// TransferAnswered answers a TransferPosition or a TransferCapital: with Refusals nothing was moved.
type TransferAnswered struct {
	Refusals []string
	Price    hub.Decimal // at which a position was moved
	Gateway  hub.GatewayName
}

// Moved says that a trader's book was changed by a transfer: what follows fills alone must look again. Instrument is empty when only money moved.
type Moved struct {
	Trader     hub.TraderName
	Gateway    hub.GatewayName
	Instrument hub.Instrument
}

func (TransferAnswered) effect() {}
func (Moved) effect()            {}
func (Decided) effect()          {}
func (AmendAnswered) effect()    {}
func (Amend) effect()            {}
func (CancelledAll) effect()     {}
func (Withhold) effect()         {}
func (FlattenAnswered) effect()  {}
func (FlattenWanted) effect()    {}
func (Send) effect()             {}
func (CancelAtVenue) effect()    {}
func (AskVenue) effect()         {}
func (CancelAnswered) effect()   {}
func (OrderChanged) effect()     {}
func (Traded) effect()           {}
func (BookChanged) effect()      {}
func (Notice) effect()           {}
func (Alert) effect()            {}
func (PoliciesAnswered) effect() {}
func (DayRolled) effect()        {}
func (RatesAnswered) effect()    {}
func (NumbersAnswered) effect()  {}
func (Taken) effect()            {}
func (Crossed) effect()          {}
func (JudgeAgain) effect()       {}

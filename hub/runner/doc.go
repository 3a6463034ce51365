// Package runner drives the core: it stamps what happens with time and market, has it judged by the risk managers, proposes it to the journal, and, when it is committed, steps
// the core and carries out the effects.
//
// Everything that changes the state goes one way: propose, commit, step, dispatch. The journal's goroutine steps; Runner.mu guards the core for those who ask questions
// meanwhile. Effects are carried out only for entries that this process proposed since it opened the journal: of all others it is not known whether they were carried out
// already, so their orders are in doubt until the venue has been asked.
//
// The interfaces in this file are what the runner calls. Command hub wires them: package host has the plugins, package rpc the traders.
package runner

import (
	"context"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/gate"
)

// Plugins is what the runner needs of the gateways and risk managers. No method waits, except History. None of them may call the Runner back on the same goroutine, except
// Judge, which calls done at once when no risk manager is configured.
type Plugins interface {
	// Send sends an order that the gate let through. What cannot be sent comes back as a ReportNotSent.
	Send(permit gate.Permit)
	// Amend has an order amended that the gate let through. What cannot be sent comes back as a ReportAmendNotSent.
	Amend(permit gate.Permit)
	Cancel(order hub.Order)
	// Withhold takes back what Send was given and no gateway's process has got yet: of the part, and with opening only what may open. Each comes back as a ReportNotSent, an
	// amendment as a ReportAmendNotSent.
	Withhold(part hub.Part, opening bool, why string)
	// AskVenue asks how orders stand; the answer comes back with askedAt.
	AskVenue(gateway hub.GatewayName, orders []hub.OrderID, askedAt uint64)
	Subscribe(gateway hub.GatewayName, instruments []hub.Instrument)
	History(ctx context.Context, gateway hub.GatewayName, req hub.HistoryRequest) ([]hub.Bar, error)
	// Judge asks every risk manager about a candidate; done is called exactly once, within the managers' deadline.
	Judge(candidate hub.Candidate, done func([]hub.Verdict))
	// Observe tells every risk manager what happened.
	Observe(event hub.RiskEvent)
}

// Publisher is what the runner needs of the traders' sockets. No method waits, and none calls the Runner back. What is private goes to its trader alone.
type Publisher interface {
	Order(order hub.Order)
	Trade(trade hub.Trade)
	Positions(trader hub.TraderName, positions []hub.Position)
	Account(account hub.Account)
	Contracts(contracts []hub.Contract)
	// Tick goes to those who subscribed to it.
	Tick(tick hub.Tick)
	// Log is a line in a trader's log window; Trader "" is every trader.
	Log(line LogLine)
}

// LogLine is something that a trader is told.
type LogLine struct {
	Trader hub.TraderName
	Level  core.Level
	Text   string // in English
	// Local is Text in Chinese, for those who read that.
	Local string
}

func lineOf(trader hub.TraderName, level core.Level, said hub.Words) LogLine {
	return LogLine{Trader: trader, Level: level, Text: said.String(), Local: said.In(hub.Chinese)}
}

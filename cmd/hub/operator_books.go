package main

import (
	"context"
	"fmt"
	"strings"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/ctl"
)

// Breaks answers where the books and the venues' accounts differ.
func (o operator) Breaks() ctl.Breaks {
	out := ctl.Breaks{Statements: []ctl.Statement{}, Unassigned: []ctl.Position{}}
	for _, g := range o.h.runner.Gateways() {
		out.Statements = append(out.Statements, ctl.Statement{Gateway: string(g.Name), Time: o.clock(o.h.runner.Stated(g.Name).UTC())})
	}
	for _, p := range o.h.runner.Positions(hub.Unassigned) {
		if !p.Qty.IsZero() {
			out.Unassigned = append(out.Unassigned, ctlPosition(p))
		}
	}
	out.Breaks = mapped(o.h.runner.Breaks(), func(b core.Break) ctl.Break {
		return ctl.Break{
			Time: o.clock(b.Time.UTC()), Gateway: string(b.Gateway), Contract: b.Instrument.String(), Direction: b.Direction.String(), Hub: b.Hub, Venue: b.Venue, Text: b.Text,
		}
	})
	return out
}

// TransferPosition moves a position between two books.
func (o operator) TransferPosition(ctx context.Context, t ctl.PositionTransfer, by string) (ctl.Transferred, error) {
	i, ok := hub.ParseInstrument(t.Contract)
	if !ok {
		return ctl.Transferred{}, &ctl.ProblemError{Text: fmt.Sprintf("%q is no contract", t.Contract), Hint: "write it with its exchange: rb2610.SHFE"}
	}
	direction, err := hub.ParseDirection(t.Direction)
	if err != nil {
		return ctl.Transferred{}, &ctl.ProblemError{Text: err.Error(), Hint: "LONG or SHORT: what the giver holds"}
	}
	return o.transfer(ctx, hub.TransferPosition{
		Gateway: hub.GatewayName(t.Gateway), Instrument: i, Direction: direction, Qty: t.Quantity, From: hub.TraderName(t.From), To: hub.TraderName(t.To),
		Price: t.Price, AtCost: t.AtCost, By: by, Reason: t.Reason,
	}, fmt.Sprintf("%s %s of %s moved from %s to %s", t.Quantity, direction, i, t.From, t.To))
}

// TransferCapital moves capital between two books, or in, or out.
func (o operator) TransferCapital(ctx context.Context, t ctl.CapitalTransfer, by string) (ctl.Transferred, error) {
	from, to := "outside", "outside"
	if t.From != "" {
		from = t.From
	}
	if t.To != "" {
		to = t.To
	}
	return o.transfer(ctx, hub.TransferCapital{From: hub.TraderName(t.From), To: hub.TraderName(t.To), Amount: t.Amount, By: by, Reason: t.Reason},
		fmt.Sprintf("%s moved from %s to %s", t.Amount, from, to))
}

func (o operator) transfer(ctx context.Context, in hub.Input, done string) (ctl.Transferred, error) {
	answer, err := o.h.runner.Transfer(ctx, in)
	if err != nil {
		return ctl.Transferred{}, err
	}
	o.h.log.Warn("transfer", "asked", fmt.Sprintf("%+v", in), "refused", strings.Join(answer.Refusals, "; "))
	if len(answer.Refusals) > 0 {
		return ctl.Transferred{}, &ctl.ProblemError{Text: "nothing was moved: " + strings.Join(answer.Refusals, "; ")}
	}
	if !answer.Price.IsZero() {
		done += " at " + answer.Price.String()
	}
	return ctl.Transferred{Done: done, Price: answer.Price, Gateway: string(answer.Gateway)}, nil
}

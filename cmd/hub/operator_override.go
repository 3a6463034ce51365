package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// Overrides are those that are open, and the last that ended.
func (o operator) Overrides() []ctl.Override { return mapped(o.h.runner.Overrides(), o.override) }

// AskOverride asks to let one order past rules.
func (o operator) AskOverride(ctx context.Context, q ctl.OverrideQuestion, by hub.Person) (ctl.Override, error) {
	if err := o.known(q.Trader); err != nil || q.Trader == "" {
		return ctl.Override{}, orProblem(err, "it is not said whose order it is")
	}
	i, ok := hub.ParseInstrument(q.Contract)
	if !ok {
		return ctl.Override{}, &ctl.ProblemError{Text: fmt.Sprintf("%q is no contract", q.Contract), Hint: "write its symbol and its exchange, as in rb2610.SHFE"}
	}
	direction, err := hub.ParseDirection(q.Direction)
	if err != nil {
		return ctl.Override{}, &ctl.ProblemError{Text: err.Error(), Hint: "LONG or SHORT"}
	}
	offset := hub.NoOffset
	if q.Offset != "" {
		if offset, err = hub.ParseOffset(q.Offset); err != nil {
			return ctl.Override{}, &ctl.ProblemError{Text: err.Error(), Hint: "OPEN, CLOSE, CLOSE_TODAY or CLOSE_YESTERDAY"}
		}
	}
	open := time.Duration(min(q.Seconds, 1e6) * float64(time.Second)) // more than the core takes is more than it takes
	return o.decideOverride(ctx, hub.AskOverride{
		Order: hub.OverrideOrder{
			Trader: hub.TraderName(q.Trader), Gateway: hub.GatewayName(q.Gateway), Instrument: i, Direction: direction, Offset: offset, Qty: q.Quantity, Price: q.Price,
		},
		Rules: q.Rules, Reason: q.Reason, For: open, By: by,
	})
}

func orProblem(err error, text string) error {
	if err != nil {
		return err
	}
	return &ctl.ProblemError{Text: text}
}

// ApproveOverride approves what another person asked for.
func (o operator) ApproveOverride(ctx context.Context, number uint64, by hub.Person) (ctl.Override, error) {
	return o.decideOverride(ctx, hub.ApproveOverride{Number: number, By: by})
}

// WithdrawOverride ends an override that nobody has used.
func (o operator) WithdrawOverride(ctx context.Context, number uint64, reason string, by hub.Person) (ctl.Override, error) {
	return o.decideOverride(ctx, hub.WithdrawOverride{Number: number, Reason: reason, By: by})
}

func (o operator) decideOverride(ctx context.Context, in hub.Input) (ctl.Override, error) {
	answer, err := o.h.runner.Override(ctx, in)
	if err != nil {
		return ctl.Override{}, err
	}
	if len(answer.Refusals) > 0 {
		o.h.log.Warn("override refused", "asked", fmt.Sprintf("%+v", in), "why", strings.Join(answer.Refusals, "; "))
		return ctl.Override{}, &ctl.ProblemError{Text: strings.Join(answer.Refusals, "; ")}
	}
	return o.override(answer.Override), nil
}

func (o operator) override(v hub.Override) ctl.Override {
	at := func(t hub.Time) time.Time {
		if t == 0 {
			return time.Time{}
		}
		return o.clock(t.UTC())
	}
	x := ctl.Override{
		Number: v.Number, State: v.State.String(), Trader: string(v.Order.Trader), Gateway: string(v.Order.Gateway), Contract: v.Order.Instrument.String(), Direction: v.Order.Direction.String(),
		Quantity: v.Order.Qty, Price: v.Order.Price, Rules: mapped(v.Rules, hub.OverrideRule.String), Places: mapped(v.Rules, func(r hub.OverrideRule) string { return r.Place }),
		Revision: v.Revision, Reason: v.Reason, Asked: at(v.Asked), Expires: at(v.Expires), AskedBy: v.AskedBy.String(), Approved: at(v.Approved), ApprovedBy: v.ApprovedBy.String(),
		Ended: at(v.Ended), EndedBy: v.EndedBy.String(), Why: v.Why, Order: string(v.UsedBy),
	}
	if v.Order.Offset != hub.NoOffset {
		x.Offset = v.Order.Offset.String()
	}
	return x
}

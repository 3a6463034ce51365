package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/ctl"
)

// SetState answers with what holds then of everybody who is not free to trade.
func (o operator) SetState(ctx context.Context, state string, w ctl.Whom, by string) (string, error) {
	if err := o.knownWhom(w); err != nil {
		return "", err
	}
	s, err := hub.ParseState(state)
	if err != nil {
		return "", err
	}
	in := hub.SetState{State: s, By: by, Reason: w.Reason}
	switch {
	case w.Trader != "":
		in.Scope, in.Name = hub.ScopeTrader, w.Trader
	case w.Gateway != "":
		in.Scope, in.Name = hub.ScopeGateway, w.Gateway
	}
	o.h.log.Warn("state", "state", s, "of", in.Scope, "name", in.Name, "by", by, "reason", w.Reason)
	if err := o.h.runner.SetState(ctx, in); err != nil {
		return "", err
	}
	return o.standings(in), nil
}

// standings is what holds, in lines: first of whom it was asked for, then of whoever else is not free.
func (o operator) standings(asked hub.SetState) string {
	var first string
	var rest []string
	add := func(scope hub.Scope, name, subject string, state hub.State, why string) {
		line := subject + " is " + why
		if state == hub.Active {
			line = subject + " is ACTIVE"
		}
		switch {
		case scope == asked.Scope && name == asked.Name:
			first = line
		case state != hub.Active:
			rest = append(rest, line)
		}
	}
	for _, s := range o.h.runner.Standings() {
		if s.Trader == "" {
			add(hub.ScopeFund, "", "the fund", s.State, s.Why)
			continue
		}
		add(hub.ScopeTrader, string(s.Trader), string(s.Trader), s.State, s.Why)
	}
	for _, g := range o.h.runner.Gateways() {
		add(hub.ScopeGateway, string(g.Name), "gateway "+string(g.Name), g.State, g.Why)
	}
	return strings.Join(append([]string{first}, rest...), "\n")
}

// knownWhom is nil when everything that is named is there.
func (o operator) knownWhom(w ctl.Whom) error {
	if err := o.known(w.Trader); err != nil {
		return err
	}
	gateways := o.h.runner.Gateways()
	if w.Gateway != "" && !slices.ContainsFunc(gateways, func(g core.GatewayStanding) bool { return string(g.Name) == w.Gateway }) {
		names := mapped(gateways, func(g core.GatewayStanding) string { return string(g.Name) })
		return &ctl.ProblemError{Text: fmt.Sprintf("there is no gateway %q", w.Gateway), Hint: suggest(w.Gateway, names, "there are "+strings.Join(names, ", "))}
	}
	if i, ok := hub.ParseInstrument(w.Contract); w.Contract != "" && !ok {
		return &ctl.ProblemError{Text: fmt.Sprintf("%q is no contract", w.Contract), Hint: "write its symbol and its exchange, as in rb2610.SHFE"}
	} else if w.Contract != "" {
		if _, there := o.h.runner.Contract(i); !there && !o.held(i) {
			return &ctl.ProblemError{Text: "no gateway trades " + w.Contract + ", and nobody holds it"}
		}
	}
	return nil
}

func (o operator) held(i hub.Instrument) bool {
	return slices.ContainsFunc(o.h.runner.Positions(""), func(p hub.Position) bool { return p.Instrument == i })
}

func (o operator) CancelAll(ctx context.Context, w ctl.Whom, by string) (ctl.Cancelled, error) {
	if err := o.knownWhom(w); err != nil {
		return ctl.Cancelled{}, err
	}
	in := hub.CancelAll{Part: partOf(w), By: by, Reason: w.Reason}
	o.h.log.Warn("cancel all", "of", in.Part, "by", by, "reason", w.Reason)
	n, err := o.h.runner.CancelAll(ctx, in)
	return ctl.Cancelled{Orders: n}, err
}

// partOf is what is meant, once knownWhom has seen it.
func partOf(w ctl.Whom) hub.Part {
	i, _ := hub.ParseInstrument(w.Contract)
	return hub.Part{Trader: hub.TraderName(w.Trader), Gateway: hub.GatewayName(w.Gateway), Instrument: i}
}

// Watches are those of every trader, and the fund's.
func (o operator) Watches() []ctl.Watch {
	return mapped(o.h.runner.Watches(), func(w core.WatchStanding) ctl.Watch {
		x := ctl.Watch{
			Trader: string(w.Trader), Name: w.Name, Place: w.Place, Then: w.Then, Fired: w.Fired, Times: w.Times, Daily: w.Daily, Blind: w.Blind, Values: w.Values,
		}
		if w.Since != 0 {
			since := o.clock(w.Since.UTC())
			x.Since = &since
		}
		return x
	})
}

func (o operator) Flatten(ctx context.Context, w ctl.Whom, by string) (ctl.Flattening, error) {
	if err := o.knownWhom(w); err != nil {
		return ctl.Flattening{}, err
	}
	in := hub.Flatten{Part: partOf(w), By: by, Reason: w.Reason}
	o.h.log.Warn("flatten", "what", in.Part, "by", by, "reason", w.Reason)
	a, err := o.h.runner.Flatten(ctx, in)
	return ctl.Flattening{Orders: a.Orders, Positions: a.Positions}, err
}

func (o operator) flattenings() []ctl.FlattenStanding {
	return mapped(o.h.runner.Flattenings(), func(f core.FlattenStanding) ctl.FlattenStanding {
		return ctl.FlattenStanding{Part: f.Part.String(), By: f.By, Why: f.Why, Since: o.clock(f.Since.UTC()), Rest: f.Rest}
	})
}

func restraints(all []core.Restraint) []ctl.Restraint {
	return mapped(all, func(r core.Restraint) ctl.Restraint {
		x := ctl.Restraint{State: r.State.String(), By: r.By, Watch: r.Watch, Reason: r.Reason}
		if r.Since != 0 {
			since := r.Since.UTC()
			x.Since = &since
		}
		return x
	})
}

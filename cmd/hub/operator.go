package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/core"
	"tradehub/hub/ctl"
	"tradehub/hub/host"
	"tradehub/rpc"
)

// operator answers the control socket.
type operator struct{ h *house }

var _ ctl.Operator = operator{}

// Status is the hub in one page.
func (o operator) Status() ctl.Status {
	h := o.h
	s := ctl.Status{
		Version: versionText(), PID: os.Getpid(), Started: o.clock(h.started), Data: h.config.Data, Fund: h.config.Fund.Name, Currency: h.config.Fund.Currency,
		Day: string(h.runner.Day()), Entries: h.runner.Seq(), Journal: h.runner.Journal(), Refusing: h.runner.NotTaking(), Revision: h.runner.Revision(),
		Ready: len(h.up.missing()) == 0, Plugins: o.Plugins(),
	}
	if whole, err := filepath.Abs(s.Data); err == nil {
		s.Data = whole // who asks may be elsewhere
	}
	lines := h.rpc.Status()
	for _, t := range h.config.Traders {
		line := ctl.Line{Trader: string(t.Name), Request: t.VeighNa.Request, Publish: t.VeighNa.Publish}
		if i := slices.IndexFunc(lines, func(s rpc.Status) bool { return s.Trader == t.Name }); i >= 0 {
			line.Running, line.Clients, line.Subscribers = lines[i].Open, lines[i].Clients, lines[i].Subscribers
		}
		s.RPC = append(s.RPC, line)
	}
	s.Traders = mapped(h.runner.Standings(), func(s core.Standing) ctl.Standing {
		return ctl.Standing{
			Trader: string(s.Trader), Configured: s.Configured, State: s.State.String(), Halted: s.State == hub.Halted, Why: s.Why, Restraints: restraints(s.Restraints), Active: s.Active, InDoubt: s.InDoubt,
			Orders: s.Orders, Trades: s.Trades, Rejects: s.Rejects, Account: account(s.Account),
		}
	})
	s.Flattening = o.flattenings()
	s.Gateways = mapped(h.runner.Gateways(), func(g core.GatewayStanding) ctl.GatewayStanding {
		return ctl.GatewayStanding{Name: string(g.Name), Up: g.Up, Reason: g.Reason, State: g.State.String(), Why: g.Why, Restraints: restraints(g.Restraints), Channel: mapped(h.runner.Budgets(g.Name), channel)}
	})
	return s
}

// clock is a moment as clocks show it in the zone of the main calendar: no answer depends on the zone of a machine.
func (o operator) clock(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(o.h.runner.Calendars().Main().Zone())
}

// Plugins are how the host sees them, with what the managers publish.
func (o operator) Plugins() []ctl.Plugin {
	return mapped(o.h.host.Status(), func(p host.PluginStatus) ctl.Plugin {
		return ctl.Plugin{
			Kind: string(p.Kind), Name: p.Name, State: string(p.State), Since: o.clock(p.Since), Reason: p.Reason, Path: p.Path, PID: p.PID, Version: p.Version,
			LastError: p.LastError, Restarts: p.Restarts, Queue: p.Queue,
			Numbers: mapped(o.h.numbers.get(p.Name), func(n hub.Number) ctl.Number {
				return ctl.Number{Name: n.Name, Trader: string(n.Trader), Value: n.Value}
			}),
		}
	})
}

// Accounts are the fund's, and every trader's who has a book.
func (o operator) Accounts() []ctl.Account {
	return mapped(o.h.runner.Standings(), func(s core.Standing) ctl.Account {
		a := account(s.Account)
		if f, ok := o.h.runner.Figures(s.Trader); ok {
			a.Cash, a.Moved, a.MarginPositions, a.EquityStart, a.DayPnL = s.Account.Cash, f.Moved, f.MarginPositions, f.EquityStart, f.DayPnL
			a.Peak, a.Drawdown, a.DrawdownDay, a.Losses = f.Peak, f.Drawdown, f.DrawdownDay, f.Losses
		}
		return a
	})
}

func account(a hub.Account) ctl.Account {
	return ctl.Account{
		Trader: string(a.Trader), Capital: a.Capital, Balance: a.Balance, Frozen: a.Frozen, Available: a.Available,
		Realised: a.Realised, Unrealised: a.Unrealised, Commission: a.Commission,
	}
}

// known is nil for "" and for a trader who has a book.
func (o operator) known(trader string) error {
	if trader == "" {
		return nil
	}
	if _, ok := o.h.runner.Account(hub.TraderName(trader)); ok && trader != string(hub.Unassigned) {
		return nil
	}
	names := mapped(o.h.config.Traders, func(t config.Trader) string { return string(t.Name) })
	return &ctl.ProblemError{Text: fmt.Sprintf("there is no trader %q", trader), Hint: suggest(trader, names, "there are "+strings.Join(names, ", "))}
}

func (o operator) Orders(trader string, activeOnly bool) ([]ctl.Order, error) {
	if err := o.known(trader); err != nil {
		return nil, err
	}
	return mapped(o.h.runner.Orders(hub.TraderName(trader), activeOnly), o.order), nil
}

func (o operator) order(h hub.Order) ctl.Order {
	out := ctl.Order{
		ID: string(h.ID), Trader: string(h.Trader), Gateway: string(h.Gateway), Contract: h.Instrument.String(), Direction: h.Direction.String(),
		Offset: h.Offset.String(), Type: h.Type.String(), Price: h.Price, Quantity: h.Qty, Filled: h.Filled, Status: h.Status.String(), Active: h.Active(),
		InDoubt: h.InDoubt, VenueID: h.VenueID, Reason: h.Reason, Reference: h.Reference, Override: h.Override, Time: o.clock(h.Time.UTC()), Updated: o.clock(h.Updated.UTC()),
	}
	if h.Amending() {
		out.Amendment = &ctl.Amendment{Number: h.Amendment.Number, Price: h.Amendment.Price, Quantity: h.Amendment.Qty}
	}
	return out
}

func (o operator) Trades(trader string) ([]ctl.Trade, error) {
	if err := o.known(trader); err != nil {
		return nil, err
	}
	return mapped(o.h.runner.Trades(hub.TraderName(trader)), func(t hub.Trade) ctl.Trade {
		return ctl.Trade{
			ID: t.ID, OrderID: string(t.OrderID), Trader: string(t.Trader), Gateway: string(t.Gateway), Contract: t.Instrument.String(), Direction: t.Direction.String(),
			Offset: t.Offset.String(), Price: t.Price, Quantity: t.Qty, Commission: t.Commission, Day: string(t.Day), Time: o.clock(t.Time.UTC()),
		}
	}), nil
}

func (o operator) Positions(trader string) ([]ctl.Position, error) {
	if trader != string(hub.Unassigned) {
		if err := o.known(trader); err != nil {
			return nil, err
		}
	}
	return mapped(o.h.runner.Positions(hub.TraderName(trader)), ctlPosition), nil
}

func ctlPosition(p hub.Position) ctl.Position {
	return ctl.Position{
		Trader: string(p.Trader), Gateway: string(p.Gateway), Contract: p.Instrument.String(), Direction: p.Direction.String(), Quantity: p.Qty, Today: p.Today,
		Yesterday: p.Yesterday, Frozen: p.Frozen, Price: p.Price, PnL: p.PnL,
	}
}

// StartRPC opens the traders' addresses. That they are open already is said, and is no error.
func (o operator) StartRPC(by string) (string, error) {
	said, err := o.h.rpc.Start()
	o.h.log.Info("rpc start", "by", by, "said", said)
	if err != nil && !errors.Is(err, rpc.ErrRunning) {
		return said, errors.New(said) // which has err
	}
	return said, nil
}

// StopRPC closes them. That they are closed already is said, and is no error.
func (o operator) StopRPC(by string) (string, error) {
	said, err := o.h.rpc.Stop()
	o.h.log.Warn("rpc stop", "by", by, "said", said)
	if err != nil && !errors.Is(err, rpc.ErrNotRunning) {
		return said, fmt.Errorf("%s: %w", said, err)
	}
	return said, nil
}

func (o operator) SetLogLevel(level, by string) error {
	l := hclog.LevelFromString(level)
	if l == hclog.NoLevel {
		return &ctl.ProblemError{Text: fmt.Sprintf("there is no log level %q", level), Hint: "there are trace, debug, info, warn, error"}
	}
	o.h.log.SetLevel(l)
	o.h.log.Info("log level", "level", l, "by", by)
	return nil
}

func channel(b core.BudgetStanding) ctl.MessageLimit {
	return ctl.MessageLimit{
		Messages: b.Limit.Messages, Window: b.Limit.Window.String(), Reserve: b.Reserve, Used: b.Used,
		Shares: mapped(b.Shares, func(s core.ShareStanding) ctl.MessageShare {
			return ctl.MessageShare{Trader: string(s.Trader), Own: s.Own, Kept: s.Kept, Used: s.Used}
		}),
	}
}

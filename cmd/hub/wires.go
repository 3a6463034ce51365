package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/core"
	"tradehub/hub/host"
	"tradehub/hub/runner"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }

// The parts declare what they call, each in its own words; the types of this file translate and do nothing else.
var (
	_ host.Events      = events{}
	_ runner.Publisher = publisher{}
	_ rpc.Desk         = desk{}
	_ runner.Plugins   = (*host.Host)(nil)
)

// events takes what the plugins say to the runner. Package host has logged it.
type events struct{ h *house }

func (e events) GatewayUp(g hub.GatewayName, contracts []hub.Contract) {
	e.h.runner.GatewayUp(g, contracts)
	e.h.restoreSubscriptions()
	e.h.up.done(string(g))
}

func (e events) Declared(g hub.GatewayName, limits []hub.MessageLimit, amends bool) {
	e.h.runner.Declared(g, limits, amends)
}

func (e events) GatewayDown(g hub.GatewayName, reason string) {
	e.h.runner.GatewayDown(g, reason)
}

func (e events) Contracts(g hub.GatewayName, contracts []hub.Contract) {
	e.h.runner.Contracted(g, contracts)
}
func (e events) Report(r hub.VenueReport)       { e.h.runner.Report(r) }
func (e events) Reconciled(a hub.Reconcile)     { e.h.runner.Reconciled(a) }
func (e events) Statement(s hub.VenueStatement) { e.h.runner.Statement(s) }
func (e events) Tick(t hub.Tick)                { e.h.runner.OnTick(t) }

// Numbers are for hub ctl plugins, and for rules that ask for them.
func (e events) Numbers(m string, all []hub.Number) {
	e.h.numbers.set(m, all)
	e.h.runner.ManagerNumbers(m, all)
}

func (e events) ManagerUp(m string) { e.h.up.done(m) }

// ManagerDown tells the traders, too: from now on everything that they send is refused.
func (e events) ManagerDown(m, _ string) {
	e.h.numbers.set(m, nil)
	e.h.runner.ManagerNumbers(m, nil)
	publisher(e).say("", core.Problem, hub.Say("risk manager %s is down; new orders are refused", m))
}

func (e events) ManagerNeedsBook(m string, deliver func(hub.RiskBook)) {
	e.h.runner.ManagerNeedsBook(m, deliver)
}

// publisher takes what the runner says to the traders' sockets.
type publisher struct{ h *house }

func (p publisher) Order(o hub.Order)     { p.h.rpc.PublishOrder(o) }
func (p publisher) Trade(t hub.Trade)     { p.h.rpc.PublishTrade(t) }
func (p publisher) Account(a hub.Account) { p.h.rpc.PublishAccount(a) }
func (p publisher) Tick(t hub.Tick)       { p.h.rpc.PublishTick(t) }

func (p publisher) Positions(_ hub.TraderName, positions []hub.Position) {
	for _, one := range positions {
		p.h.rpc.PublishPosition(one)
	}
}

func (p publisher) Contracts(contracts []hub.Contract) {
	for _, c := range contracts {
		p.h.rpc.PublishContract(c)
	}
}

// Log puts a line into the windows of those whom it concerns.
func (p publisher) Log(l runner.LogLine) {
	level := veighna.LevelInfo
	switch l.Level {
	case core.Info:
	case core.Warning:
		level = veighna.LevelWarning
	case core.Problem:
		level = veighna.LevelError
	}
	for _, t := range p.h.config.Traders {
		if l.Trader != "" && l.Trader != t.Name {
			continue
		}
		text := l.Text
		if t.Language == config.Chinese && l.Local != "" {
			text = l.Local
		}
		p.h.rpc.PublishLog(t.Name, p.h.config.Gateways[0].Name, level, text)
	}
}

func (p publisher) say(t hub.TraderName, level core.Level, said hub.Words) {
	p.Log(runner.LogLine{Trader: t, Level: level, Text: said.String(), Local: said.In(hub.Chinese)})
}

// saidOf is an error as the words that it has, or else as it is.
func saidOf(err error) hub.Words {
	if said := (*hub.SaidError)(nil); errors.As(err, &said) {
		return said.Words
	}
	return hub.SayAs(err.Error(), "")
}

// forTrader is an error in the trader's language.
func (d desk) forTrader(t hub.TraderName, err error) error {
	said := (*hub.SaidError)(nil)
	i := slices.IndexFunc(d.h.config.Traders, func(x config.Trader) bool { return x.Name == t })
	if i < 0 || !errors.As(err, &said) {
		return err
	}
	return errors.New(said.Words.In(hub.Lang(d.h.config.Traders[i].Language)))
}

// desk takes what traders ask to the runner.
type desk struct{ h *house }

func (d desk) Submit(t hub.TraderName, g hub.GatewayName, req hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error)) {
	d.h.runner.Submit(t, g, req, func(id hub.OrderID, at hub.GatewayName, err error) { done(at, id, d.forTrader(t, err)) })
}

// Cancel is silent about what cannot be cancelled, as stock VeighNa is: the order's own event says how it stands.
func (d desk) Cancel(t hub.TraderName, _ hub.GatewayName, req hub.CancelRequest, done func(error)) {
	d.h.runner.Cancel(t, req.OrderID, string(t), func(err error) {
		if err != nil {
			d.h.log.Debug("cancel", "trader", t, "order", req.OrderID, "answer", err)
		}
		done(nil)
	})
}

// Subscribe is no error for a contract that nobody trades, as with stock VeighNa; here the trader's log window says so.
func (d desk) Subscribe(t hub.TraderName, g hub.GatewayName, i hub.Instrument) error {
	if err := d.h.runner.Subscribe(g, i); err != nil {
		publisher(d).say(t, core.Warning, hub.Say("no ticks: %s", saidOf(err)))
		return nil
	}
	d.h.subscriptions.add(t, i)
	return nil
}

func (d desk) History(ctx context.Context, _ hub.TraderName, g hub.GatewayName, req hub.HistoryRequest) ([]hub.Bar, error) {
	return d.h.runner.History(ctx, g, req)
}

func (d desk) Contracts(hub.TraderName) []hub.Contract { return d.h.runner.Contracts() }

func (d desk) Contract(_ hub.TraderName, i hub.Instrument) (hub.Contract, bool) {
	return d.h.runner.Contract(i)
}

// Ticks are those of the contracts that the trader subscribed to: what another one watches is that trader's own affair.
func (d desk) Ticks(t hub.TraderName) []hub.Tick {
	var out []hub.Tick
	for _, i := range d.h.rpc.Subscriptions(t) {
		if tick, ok := d.h.runner.Tick(i); ok {
			out = append(out, tick)
		}
	}
	return out
}

func (d desk) Tick(t hub.TraderName, i hub.Instrument) (hub.Tick, bool) {
	if !slices.Contains(d.h.rpc.Subscriptions(t), i) {
		return hub.Tick{}, false
	}
	return d.h.runner.Tick(i)
}

func (d desk) Orders(t hub.TraderName) []hub.Order { return d.h.runner.Orders(t, false) }

func (d desk) Order(t hub.TraderName, id hub.OrderID) (hub.Order, bool) {
	return d.h.runner.Order(t, id)
}

func (d desk) Trades(t hub.TraderName) []hub.Trade { return d.h.runner.Trades(t) }

func (d desk) Positions(t hub.TraderName) []hub.Position { return d.h.runner.Positions(t) }

func (d desk) Account(t hub.TraderName) (hub.Account, bool) { return d.h.runner.Account(t) }

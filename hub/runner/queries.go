package runner

import (
	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/codec"
	"tradehub/hub/core"
)

// look asks the core something.
func look[T any](r *Runner, f func(*core.Core) T) T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return f(r.core)
}

// Orders returns a trader's orders ("" for all traders').
func (r *Runner) Orders(trader hub.TraderName, activeOnly bool) []hub.Order {
	return look(r, func(c *core.Core) []hub.Order { return c.Orders(trader, activeOnly) })
}

// Order returns one order of a trader ("" for any trader).
func (r *Runner) Order(trader hub.TraderName, id hub.OrderID) (o hub.Order, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Order(trader, id)
}

// Trades returns a trader's fills ("" for all traders').
func (r *Runner) Trades(trader hub.TraderName) []hub.Trade {
	return look(r, func(c *core.Core) []hub.Trade { return c.Trades(trader) })
}

// Positions returns what a trader ("" for the fund) holds.
func (r *Runner) Positions(trader hub.TraderName) []hub.Position {
	return look(r, func(c *core.Core) []hub.Position { return c.Positions(trader, hub.Instrument{}) })
}

// Account returns a trader's account ("" for the fund's).
func (r *Runner) Account(trader hub.TraderName) (a hub.Account, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Account(trader)
}

// Contracts returns what can be traded.
func (r *Runner) Contracts() []hub.Contract {
	return look(r, (*core.Core).Contracts)
}

// Standings returns how the fund and every trader stand.
func (r *Runner) Standings() []core.Standing { return look(r, (*core.Core).Standings) }

// Flattenings returns what is being flattened.
func (r *Runner) Flattenings() []core.FlattenStanding { return look(r, (*core.Core).Flattenings) }

// Watches returns how every watch stands.
func (r *Runner) Watches() []core.WatchStanding { return look(r, (*core.Core).Watches) }

// Gateways returns how every gateway stands.
func (r *Runner) Gateways() []core.GatewayStanding { return look(r, (*core.Core).Gateways) }

// Budgets returns how the message limits of a gateway stand now.
func (r *Runner) Budgets(gateway hub.GatewayName) []core.BudgetStanding {
	now := hub.TimeOf(r.opts.Clock())
	return look(r, func(c *core.Core) []core.BudgetStanding { return c.Budgets(gateway, now) })
}

// Files returns the policy files in force.
func (r *Runner) Files() []hub.PolicyFile { return look(r, (*core.Core).Files) }

// Revision returns the policy revision in force.
func (r *Runner) Revision() string { return look(r, (*core.Core).Revision) }

// Day returns the trading day.
func (r *Runner) Day() hub.Day { return look(r, (*core.Core).Day) }

// CalendarDay returns the trading day of a calendar as the books have it; "" before the first.
func (r *Runner) CalendarDay(name string) hub.Day {
	return look(r, func(c *core.Core) hub.Day { return c.CalendarDay(name) })
}

// Calendars returns the calendars of the hub.
func (r *Runner) Calendars() *calendar.Set { return r.opts.Calendars }

// Seq returns how many entries the core has stepped through.
func (r *Runner) Seq() uint64 { return look(r, (*core.Core).Seq) }

// Ticks returns the last tick of every contract that has one.
func (r *Runner) Ticks() []hub.Tick { return r.market.all() }

// Tick returns the last tick of a contract, at the gateway that would take an order in it.
func (r *Runner) Tick(i hub.Instrument) (hub.Tick, bool) {
	at := look(r, func(c *core.Core) hub.GatewayName { return c.GatewayOf("", i) })
	return r.market.tick(at, i)
}

// Check recomputes every running sum of the books and returns what differs: nil is right.
func (r *Runner) Check() error { return look(r, (*core.Core).Check) }

// Digest names the state: two hubs with the same digest are in the same state.
func (r *Runner) Digest() (string, error) {
	return codec.Digest(look(r, (*core.Core).Image))
}

// NotTaking says why new orders are refused at the door; "" when they are not.
func (r *Runner) NotTaking() string {
	if why := r.noOrders.Load(); why != nil {
		return *why
	}
	return ""
}

// Journal says how the journal is: "leading" is well.
func (r *Runner) Journal() string {
	s := r.journal.Status()
	if s.Err != nil {
		return s.State.String() + ": " + s.Err.Error()
	}
	return s.State.String()
}

// Contract returns what a contract is, at the first gateway that trades it.
func (r *Runner) Contract(i hub.Instrument) (c hub.Contract, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Contract(i)
}

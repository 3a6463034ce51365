package core

import (
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// The methods of this file answer questions. What they return is the caller's own.

// Seq is the number of the last entry.
func (c *Core) Seq() uint64 { return c.seq }

// Now is the core's time: that of its newest entry.
func (c *Core) Now() hub.Time { return c.now }

// Day is the fund's trading day, that of its main calendar; "" before the first.
func (c *Core) Day() hub.Day { return c.day }

// Revision is the policy revision in force; "" when nothing is loaded.
func (c *Core) Revision() string { return c.revision() }

// Files are the policy files in force.
func (c *Core) Files() []hub.PolicyFile { return slices.Clone(c.files) }

// Order returns an order of a trader ("" for any trader).
func (c *Core) Order(trader hub.TraderName, id hub.OrderID) (hub.Order, bool) {
	o := c.orders[id]
	if o == nil || trader != "" && o.Trader != trader {
		return hub.Order{}, false
	}
	return o.Order, true
}

// Orders returns a trader's orders ("" for all traders') of the trading day, and those of before that are active, in the order of their decisions.
func (c *Core) Orders(trader hub.TraderName, activeOnly bool) []hub.Order {
	var out []hub.Order
	for _, o := range c.orderList {
		if (trader == "" || o.Trader == trader) && (!o.Status.Final() || !activeOnly && o.Day == c.dayOf(o.Exchange)) {
			out = append(out, o.Order)
		}
	}
	return out
}

// Trades returns the fills of the trading day (of each contract's calendar), of a trader's orders ("" for all traders'), as they were booked.
func (c *Core) Trades(trader hub.TraderName) []hub.Trade {
	var fills []fill
	for _, o := range c.orderList {
		if trader == "" || o.Trader == trader {
			fills = append(fills, o.Fills...)
		}
	}
	fills = slices.DeleteFunc(fills, func(f fill) bool { return f.Day != c.dayOf(f.Exchange) })
	slices.SortFunc(fills, byCount)
	out := make([]hub.Trade, len(fills))
	for i, f := range fills {
		out[i] = f.Trade
	}
	return out
}

// Positions returns what a trader ("" for the fund) holds, or held today; of an instrument alone when one is given.
func (c *Core) Positions(trader hub.TraderName, only hub.Instrument) []hub.Position {
	b := c.bookOf(trader)
	if b == nil {
		return nil
	}
	var out []hub.Position
	for _, p := range b.Positions {
		if only != (hub.Instrument{}) && p.Key.Instrument != only {
			continue
		}
		out = append(out, c.positions(b, p)...)
	}
	return out
}

func (c *Core) positions(b *book, p *position) []hub.Position {
	k := c.contracts[p.Key]
	if k == nil {
		return nil
	}
	var sum hub.Sum
	long, short := p.Long.qty(&sum), p.Short.qty(&sum)
	of := func(d hub.Direction, s *side, qty hub.Decimal) hub.Position {
		out := hub.Position{
			Trader: b.Trader, Instrument: p.Key.Instrument, Gateway: p.Key.Gateway, Direction: d, Qty: qty, Today: s.Today, Yesterday: s.Yesterday,
			Frozen: s.frozen(&sum),
		}
		if !qty.IsZero() {
			out.PnL, out.Drift = s.Drift, s.Drift
			out.Price = sum.Quo(s.Cost, sum.Mul(qty, k.unit)).Round(moneyScale).Trim(0)
			if p.Mark.IsPos() {
				gain := sum.Sub(money(&sum, p.Mark, qty, k.unit), s.Cost)
				if d == hub.Short {
					gain = gain.Neg()
				}
				out.PnL = sum.Add(out.PnL, gain)
			}
		}
		return out
	}
	if !k.NetPosition {
		return []hub.Position{of(hub.Long, &p.Long, long), of(hub.Short, &p.Short, short)}
	}
	if short.IsZero() {
		net := of(hub.Long, &p.Long, long)
		net.Direction, net.Frozen = hub.Net, p.WorkingSell.Min(long)
		return []hub.Position{net}
	}
	net := of(hub.Short, &p.Short, short)
	net.Direction, net.Frozen = hub.Net, p.WorkingBuy.Min(short)
	net.Qty, net.Today, net.Yesterday = net.Qty.Neg(), net.Today.Neg(), net.Yesterday.Neg()
	return []hub.Position{net}
}

// Account returns a trader's account ("" for the fund's).
func (c *Core) Account(trader hub.TraderName) (hub.Account, bool) {
	b := c.bookOf(trader)
	if b == nil {
		return hub.Account{}, false
	}
	return b.account(), true
}

func (c *Core) bookOf(trader hub.TraderName) *book {
	if trader == "" {
		return c.fund
	}
	return c.holder(trader)
}

// Contracts returns what can be traded, gateway by gateway as the gateways listed them.
func (c *Core) Contracts() []hub.Contract {
	out := make([]hub.Contract, 0, len(c.contractList))
	for _, k := range c.contractList {
		if !k.Delisted && c.gateway(k.Gateway) != nil {
			out = append(out, k.Contract)
		}
	}
	return out
}

// GatewayOf returns the gateway that would take a trader's order in an instrument; "" when none.
func (c *Core) GatewayOf(named hub.GatewayName, i hub.Instrument) hub.GatewayName {
	if k := c.findContract(named, i); k != nil {
		return k.Gateway
	}
	return ""
}

// Standing is a trader's (or, with Trader "", the fund's) state in few words.
type Standing struct {
	Trader     hub.TraderName
	Configured bool
	State      hub.State // its own; the fund's and the gateway's hold as well
	Why        string    // every restraint: by whom, since when, why
	Restraints []Restraint
	Active     int
	InDoubt    int
	Orders     int // today
	Trades     int // today
	Rejects    int // today
	Account    hub.Account
}

// Standings returns the fund's standing and then every trader's.
func (c *Core) Standings() []Standing {
	out := make([]Standing, 0, len(c.traders)+1)
	for _, b := range append([]*book{c.fund}, c.traders...) {
		day := c.today(policy.ScopeTrader, string(b.Trader))
		if b == c.fund {
			day = c.today(policy.ScopeFund, "")
		}
		out = append(out, Standing{
			Trader: b.Trader, Configured: b.Configured || b == c.fund, State: b.state, Why: c.whyState(scopeOf(b)), Restraints: c.restraintsOf(scopeOf(b)), Active: b.Active, InDoubt: b.InDoubt,
			Orders: day.Counts[tallyOrders], Trades: day.Counts[tallyTrades], Rejects: day.Counts[tallyRejects], Account: b.account(),
		})
	}
	return out
}

// GatewayStanding is how a gateway stands.
type GatewayStanding struct {
	Name   hub.GatewayName
	Up     bool
	Reason string
	Since  hub.Time
	State  hub.State
	Why    string // of State
	// Restraints are what State comes from.
	Restraints []Restraint
}

// Gateways returns how every gateway stands.
func (c *Core) Gateways() []GatewayStanding {
	out := make([]GatewayStanding, len(c.gateways))
	for i, g := range c.gateways {
		out[i] = GatewayStanding{Name: g.Name, Up: g.Up, Reason: g.Reason, Since: g.Since, State: g.state, Why: c.whyState(hub.ScopeGateway, string(g.Name)), Restraints: c.restraintsOf(hub.ScopeGateway, string(g.Name))}
	}
	return out
}

// RiskBook is what a risk manager begins with.
func (c *Core) RiskBook() hub.RiskBook {
	r := hub.RiskBook{Currency: c.setup.Currency, Rates: c.hubRates(), Contracts: c.Contracts(), Day: c.day}
	for _, o := range c.orderList {
		if !o.Status.Final() && o.Ask == 0 {
			r.Orders = append(r.Orders, o.Reserved())
		}
	}
	for _, b := range c.traders {
		r.Traders = append(r.Traders, b.account())
		r.Positions = append(r.Positions, c.Positions(b.Trader, hub.Instrument{})...)
	}
	for _, p := range c.fund.Positions {
		if p.Mark.IsPos() {
			r.Marks = append(r.Marks, hub.Mark{Instrument: p.Key.Instrument, Price: p.Mark, Gateway: p.Key.Gateway})
		}
	}
	return r
}

// Held returns every contract that a trader holds or works, at each gateway, with its last mark there.
func (c *Core) Held() []hub.Mark {
	var out []hub.Mark
	for _, p := range c.fund.Positions {
		if !c.idle(p.Key) {
			out = append(out, hub.Mark{Instrument: p.Key.Instrument, Price: p.Mark, Seen: p.Seen, Gateway: p.Key.Gateway})
		}
	}
	return out
}

// Contract returns a contract at the first gateway of the configuration that trades it.
func (c *Core) Contract(i hub.Instrument) (hub.Contract, bool) {
	k := c.findContract("", i)
	if k == nil {
		return hub.Contract{}, false
	}
	return k.Contract, true
}

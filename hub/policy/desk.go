package policy

import "tradehub/hub"

// Variables that controls of exchanges and regulators need and that nothing else would.
const (
	OrderBasePrice      Var = iota + 1000 // price that the order's price is measured from (ScopeOrder)
	NetValue                              // money: long less short, of an owner
	NetValueAfter                         // money, without its sign
	StateName                             // text: ACTIVE (ScopeTrader, ScopeFund, ScopeGateway)
	GatewayUp                             // truth (ScopeGateway)
	GatewayStatementAge                   // seconds since the venue last stated its account (ScopeGateway)
	GatewayUnassigned                     // quantity of the order's contract that is the venue's and no trader's (ScopeGateway)
)

// OfDesk reports whether a variable is one of this file's.
func OfDesk(v Var) bool { return v >= OrderBasePrice && v <= GatewayUnassigned }

var states = &enumeration{name: "state", members: names(hub.Active, hub.ReduceOnly, hub.CancelOnly, hub.Halted)}

// basePriceVars are of the order.
func basePriceVars() []VarInfo {
	return []VarInfo{{
		Name: "order.base_price", Scope: ScopeOrder, Var: OrderBasePrice, Kind: KindNumber, Unit: "price",
		Meaning: "the price that exchanges measure price cages from: for a buy the best ask, without one the best bid, without both the last price, and before the first trade of the day the close of the " +
			"day before; for a sell the best bid, else the best ask, and so on",
		Missing: "no tick yet, or the venue says none of these prices",
	}}
}

// exposureVars are of every owner; names without the owner's and the part's.
func exposureVars() []VarInfo {
	return []VarInfo{
		{
			Name: "net_value", Var: NetValue, Kind: KindNumber, Unit: "money",
			Meaning: "value of all long positions less that of all short ones, at the last marks, or at cost before the first; below 0 when short. Without active orders",
		},
		{
			Name: "net_value_after", Var: NetValueAfter, Kind: KindNumber, Unit: "money",
			Meaning: "the largest net value, without its sign, that can come of it: with all active orders of this order's direction, and this order, filled, and none of the other direction",
			Missing: "order.value is missing",
		},
	}
}

// stateVars are of those that have a state.
func stateVars() []VarInfo {
	of := func(scope Scope, name string) VarInfo {
		return VarInfo{
			Name: name + ".state", Scope: scope, Var: StateName, Kind: KindText, Members: states.members,
			Meaning: "what persons and watches allow to this one; of trader, fund and gateway the most restrictive holds. The hub itself refuses what a state does not allow: this is for rules that want more",
		}
	}
	return []VarInfo{of(ScopeTrader, "trader"), of(ScopeFund, "fund")}
}

// standingVars are about how the order's gateway stands.
func standingVars() []VarInfo {
	return []VarInfo{
		{Name: "gateway.state", Scope: ScopeGateway, Var: StateName, Kind: KindText, Members: states.members, Meaning: "what is allowed through the gateway, by persons and watches"},
		{Name: "gateway.up", Scope: ScopeGateway, Var: GatewayUp, Kind: KindTruth, Meaning: "the gateway is connected to its venue; the hub itself refuses orders through one that is not"},
		{
			Name: "gateway.statement_age", Scope: ScopeGateway, Var: GatewayStatementAge, Kind: KindNumber, Unit: "seconds",
			Meaning: "since the books were last compared with a statement of the venue's account", Missing: "there was none yet",
		},
		{
			Name: "gateway.unassigned", Scope: ScopeGateway, Var: GatewayUnassigned, Kind: KindNumber, Unit: "quantity",
			Meaning: "how much of the order's contract the venue's account has more, or less, than the traders' books, long and short added up without their signs; 0 when they agree",
		},
	}
}

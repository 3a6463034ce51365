package policy

// Variables of the money that an order would bind and cost (ScopeOrder), and of what a trader, or the fund, holds and has won and lost (ScopeTrader, ScopeFund).
const (
	OrderMargin Var = iota + 600 // money that the order will hold
	OrderFee                     // money: the most that it can cost

	LongCost    // money paid for what is held long in this contract
	ShortCost   // money received for what is held short
	LongPrice   // average price; missing when nothing is held
	ShortPrice  // the same for short
	PositionPnL // unrealised, of this contract
	Closable    // quantity that an order of this direction and offset could close
	Sellable    // quantity of long that can be sold now

	Cash
	EquityStart // of the trading day
	Peak        // highest equity since the beginning
	PeakDay     // since the trading day began
	Drawdown    // Peak - Equity
	DrawdownDay
	DrawdownPart // Drawdown / Peak; missing when Peak is not over 0
	RealisedDay  // realised since the trading day began
	CommissionDay
	ConsecutiveLosses
	MarginPositions // of MarginHeld, what positions hold
	MarginAfter     // MarginHeld + OrderMargin
	AvailableAfter  // Available - OrderMargin - OrderFee
)

// OfBooks reports whether a variable is one of this file's.
func OfBooks(v Var) bool { return v >= OrderMargin && v <= AvailableAfter }

func orderMoneyVars() []VarInfo {
	number := func(name string, v Var, meaning, missing string) VarInfo {
		return VarInfo{Name: "order." + name, Scope: ScopeOrder, Var: v, Kind: KindNumber, Unit: "money", Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		number("margin", OrderMargin, "the money that the order holds until it is done: its margin, or its whole value when it is paid in full; 0 for one that closes", "order.value is missing and the order opens"),
		number("fee", OrderFee, "the most that the venue can charge for the order, at the price of order.value: of closing today's and yesterday's position, the dearer", "order.value is missing"),
	}
}

// bookVars are names without "trader." and "fund.".
func bookVars() []VarInfo {
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: name, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	inContract := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: name, Also: "contract." + name, Narrow: InContract, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		inContract("position.long_cost", LongCost, "money", "what was paid for what is held long in this contract", ""),
		inContract("position.short_cost", ShortCost, "money", "what was received for what is held short in this contract", ""),
		inContract("position.long_price", LongPrice, "price", "the average price of what is held long", "nothing is held long"),
		inContract("position.short_price", ShortPrice, "price", "the average price of what is held short", "nothing is held short"),
		inContract("position.pnl", PositionPnL, "money", "unrealised profit and loss in this contract at the last mark; 0 before the first", ""),
		inContract("closable", Closable, "quantity", "how much an order of this direction and offset could close at its gateway: what is held, by the exchange's rules of today and yesterday, and is not in "+
			"active orders that close; 0 for an order that opens", ""),
		inContract("sellable", Sellable, "quantity", "how much of what is held long at the order's gateway could be sold now: not what is in active orders that sell it, and not what was bought today where that "+
			"can be sold on the next day only (A shares)", ""),

		number("cash", Cash, "money", "capital + realised profit and loss - commission - cost of what is paid in full (shares, coins)", ""),
		number("equity_start", EquityStart, "money", "equity when the trading day began, with the capital of now: equity - equity_start is pnl.day", ""),
		number("peak", Peak, "money", "the highest equity since the beginning, looked at after every fill and every mark; capital that is given or taken moves it as it moves equity", ""),
		number("peak_day", PeakDay, "money", "the same since the trading day began", ""),
		number("drawdown", Drawdown, "money", "peak - equity; not negative", ""),
		number("drawdown_day", DrawdownDay, "money", "peak_day - equity; not negative", ""),
		number("drawdown_part", DrawdownPart, "part", "drawdown / peak: 0.1 is 10 %", "the peak is not over 0"),
		number("pnl.day_realised", RealisedDay, "money", "profit and loss of what was closed since the trading day began, before commission", ""),
		number("commission_day", CommissionDay, "money", "commission since the trading day began", ""),
		number("consecutive_losses", ConsecutiveLosses, "count", "orders that ended with a loss, one after another: of the orders that closed something, in the order in which they ended, how many since the last "+
			"one with a gain. Gain and loss are what all fills of the order realised, after their commission; 0 leaves the count as it is. Days do not end it; of the fund: over the orders of all traders", ""),
		number("margin_positions", MarginPositions, "money", "of margin_held, what positions hold", ""),
		number("margin_after", MarginAfter, "money", "margin_held + order.margin", "order.margin is missing"),
		number("available_after", AvailableAfter, "money", "available - order.margin - order.fee", "order.value is missing"),
	}
}

package hub

// Candidate is an order that is to be judged: it has no id yet, and may never get one.
type Candidate struct {
	// Ask is unique in the life of one hub process; the verdict and the decision carry it.
	Ask     uint64
	Trader  TraderName
	Request OrderRequest
	Gateway GatewayName
	Market  MarketView
	// Amends is the working order that is to become this one; "" of a new order. Then Request.Qty is what may still trade: the larger of the order as it is and as it would be. The order itself is in the book.
	Amends OrderID
}

// RiskBook is all that a risk manager needs to begin, or to begin again: sent first, whenever its process starts.
type RiskBook struct {
	Currency  string
	Rates     []Rate // of other currencies in Currency
	Contracts []Contract
	Traders   []Account  // Capital, Realised and Commission, in which equity begins
	Positions []Position // of traders, not of the fund
	Orders    []Order    // active ones
	Marks     []Mark
	Day       Day
}

// RiskEvent is what a risk manager is told, in the order in which the core did it. Exactly one field is set.
type RiskEvent struct {
	// Decided ends the life of a Candidate: sent as Order, or refused (Order.Status is Rejected).
	Decided *RiskDecision
	// Order is an order that changed after its decision.
	Order *Order
	// Trade is a fill.
	Trade *Trade
	// Account is a trader's money after a fill.
	Account *Account
	// Positions of a trader, as they are now: the operator moved them. What they hold of a contract that is not among them is what it was.
	Positions []Position
	// Marks are new prices.
	Marks []Mark
	// Contracts are new or changed contracts.
	Contracts []Contract
	// Day is a new trading day.
	Day Day
	// Rates are all rates, of which some changed.
	Rates []Rate
}

// RiskDecision says what became of a Candidate.
type RiskDecision struct {
	Ask   uint64
	Order Order
}

// Number is a figure that a risk manager publishes, such as margin.used of trader alpha.
type Number struct {
	Name   string     // "margin.used"
	Trader TraderName // "" for the fund
	Value  Decimal
}

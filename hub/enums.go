package hub

import "fmt"

// The enumerations below are small integers. Their numbers are written to the journal: a member keeps its number for good, new ones go last.
// String returns the name that rules, logs and the journal's readers use.

// Direction is the side of an order or a position.
type Direction uint8

// Directions. Net is for positions of venues that net, never for an order.
const (
	NoDirection Direction = iota
	Long                  // buy
	Short                 // sell
	Net
)

// Offset says whether an order opens or closes a position.
type Offset uint8

// Offsets. NoOffset is an order to a venue that nets: spot, shares, coins.
const (
	NoOffset Offset = iota
	Open
	Close
	CloseToday
	CloseYesterday
)

// Closes reports whether the offset reduces a position.
func (o Offset) Closes() bool { return o == Close || o == CloseToday || o == CloseYesterday }

// OrderType is how an order is to be executed.
type OrderType uint8

// Order types. RFQ and ETF exist because VeighNa names them.
const (
	NoOrderType OrderType = iota
	Limit
	Market
	Stop
	FAK
	FOK
	RFQ
	ETF
)

// Status is where an order stands in its life.
type Status uint8

// Statuses. Submitted: decided and journaled, the venue has said nothing. Accepted: the venue has it, but it is not in the book (a waiting stop).
// Resting: in the venue's book. The last three are final.
const (
	NoStatus Status = iota
	Submitted
	Accepted
	Resting
	PartFilled
	Filled
	Cancelled
	Rejected
)

// Final reports whether an order in this status can no longer change.
func (s Status) Final() bool { return s == Filled || s == Cancelled || s == Rejected }

// Kind is what a contract is: a future, a share, an option.
type Kind uint8

// Kinds, as VeighNa's Product has them.
const (
	NoKind Kind = iota
	Equity
	Futures
	Option
	Index
	Forex
	Spot
	ETFund
	Bond
	Warrant
	Spread
	Fund
	CFD
	Swap
)

// OptionType is call or put.
type OptionType uint8

// Option types.
const (
	NoOptionType OptionType = iota
	Call
	Put
)

// Interval is the length of a bar.
type Interval uint8

// Intervals.
const (
	NoInterval Interval = iota
	Minute
	Hour
	Daily
	Weekly
	TickInterval
)

var (
	directionNames = []string{"", "LONG", "SHORT", "NET"}
	offsetNames    = []string{"NONE", "OPEN", "CLOSE", "CLOSE_TODAY", "CLOSE_YESTERDAY"}
	typeNames      = []string{"", "LIMIT", "MARKET", "STOP", "FAK", "FOK", "RFQ", "ETF"}
	statusNames    = []string{"", "SUBMITTED", "ACCEPTED", "RESTING", "PART_FILLED", "FILLED", "CANCELLED", "REJECTED"}
	kindNames      = []string{
		"", "EQUITY", "FUTURES", "OPTION", "INDEX", "FOREX", "SPOT", "ETF", "BOND", "WARRANT", "SPREAD", "FUND", "CFD", "SWAP",
	}
	optionNames   = []string{"", "CALL", "PUT"}
	intervalNames = []string{"", "1m", "1h", "d", "w", "tick"}
)

func name[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", v)
}

func parse[T ~uint8](what string, names []string, s string) (T, error) {
	for i, n := range names {
		if n == s {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no %s", s, what)
}

func (d Direction) String() string  { return name(directionNames, d) }
func (o Offset) String() string     { return name(offsetNames, o) }
func (t OrderType) String() string  { return name(typeNames, t) }
func (s Status) String() string     { return name(statusNames, s) }
func (k Kind) String() string       { return name(kindNames, k) }
func (o OptionType) String() string { return name(optionNames, o) }
func (i Interval) String() string   { return name(intervalNames, i) }

// ParseDirection reads the name that String writes.
func ParseDirection(s string) (Direction, error) {
	return parse[Direction]("direction", directionNames, s)
}

// ParseOffset reads the name that String writes.
func ParseOffset(s string) (Offset, error) { return parse[Offset]("offset", offsetNames, s) }

// ParseOrderType reads the name that String writes.
func ParseOrderType(s string) (OrderType, error) {
	return parse[OrderType]("order type", typeNames, s)
}

// ParseStatus reads the name that String writes.
func ParseStatus(s string) (Status, error) { return parse[Status]("status", statusNames, s) }

// ParseKind reads the name that String writes.
func ParseKind(s string) (Kind, error) { return parse[Kind]("kind of contract", kindNames, s) }

// ParseOptionType reads the name that String writes.
func ParseOptionType(s string) (OptionType, error) {
	return parse[OptionType]("option type", optionNames, s)
}

// ParseInterval reads the name that String writes.
func ParseInterval(s string) (Interval, error) {
	return parse[Interval]("interval", intervalNames, s)
}

package hub

// Phase is what a venue does with orders at a moment.
type Phase uint8

// Phases. NoPhase: nobody knows. Auction: orders are collected and matched at once. Continuous: they trade as they come. Extended: before or after the regular session of
// a venue that trades then, too.
const (
	NoPhase Phase = iota
	Closed
	Auction
	Continuous
	Extended
)

// Takes reports whether a venue takes orders in the phase.
func (p Phase) Takes() bool { return p == Auction || p == Continuous || p == Extended }

var phases = []string{"NONE", "CLOSED", "AUCTION", "CONTINUOUS", "EXTENDED"}

// String returns the name, such as CONTINUOUS.
func (p Phase) String() string { return name(phases, p) }

// ParsePhase is the inverse of String.
func ParsePhase(s string) (Phase, error) { return parse[Phase]("phase", phases, s) }

// Session is what the trading calendar of a contract says of the moment at which an order was taken. It comes to the core from outside, like the market: zones and holidays are files that
// change, and a replay must not depend on them.
type Session struct {
	// Calendar is the one of the contract's exchange; "" when nobody asked one.
	Calendar string `cbor:"1,keyasint,omitempty"`
	// Day is its trading day, FundDay that of the fund's main calendar, by which counters and the day's profit and loss roll.
	Day     Day `cbor:"2,keyasint,omitempty"`
	FundDay Day `cbor:"3,keyasint,omitempty"`
	// Phase is NoPhase when the calendar has no hours for the contract's product. Name is that of the session, such as "night"; "" between sessions.
	Phase Phase  `cbor:"4,keyasint,omitempty"`
	Name  string `cbor:"5,keyasint,omitempty"`
	// Opened and Closes are when the phase began and when it ends; 0 where it never does.
	Opened Time `cbor:"6,keyasint,omitempty"`
	Closes Time `cbor:"7,keyasint,omitempty"`
	// Expires is the last day of the contract, a date like a Day; "" when the gateway does not say it. Delivers is the month of its delivery, such as "202701"; "" when it has none.
	Expires  Day    `cbor:"8,keyasint,omitempty"`
	Delivers string `cbor:"9,keyasint,omitempty"`
}

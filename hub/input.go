package hub

import (
	"slices"
	"time"
)

// Entry is one line of the journal: the only thing that moves the core.
type Entry struct {
	// Seq counts entries from 1, without gaps.
	Seq uint64
	// Time is when the hub took the input. The core lets it never run backwards.
	Time Time
	// Input is what happened.
	Input Input
}

// Input is everything that may change the state of the hub. It is a closed set: the types of this file.
//
//sumtype:decl
type Input interface{ input() }

// SetUp tells the core who trades and with what, as the configuration says. It is the first entry of every life of a hub, and changes nothing
// when nothing changed. Every order that the venue has not confirmed is in doubt from here on.
type SetUp struct {
	Fund     string        `cbor:"1,keyasint"`
	Currency string        `cbor:"2,keyasint"`
	Traders  []TraderSetUp `cbor:"3,keyasint"`
	// Gateways and Managers that the configuration names, in its order: of two gateways that trade a contract the first takes its orders, unless the
	// trader names one. Every order needs a passing verdict of every manager.
	Gateways []GatewayName `cbor:"4,keyasint"`
	Managers []string      `cbor:"5,keyasint,omitempty"`
	// Rates turn money of other currencies into the fund's. Without one, nothing in that currency can be valued, and so nothing traded.
	Rates []Rate `cbor:"6,keyasint,omitempty"`
	// RatesMaxAge is how old a rate may be; 0: it never is too old.
	RatesMaxAge time.Duration `cbor:"45,keyasint,omitempty"`
	// FlattenSlip is how far through the book the hub's closing orders may trade, as a part of the price; 0: the core's default.
	FlattenSlip Decimal `cbor:"60,keyasint,omitzero"`
	// Calendar is the main one: counters of the day, and the day's profit and loss, roll with it, and so do the contracts of every exchange that is not in Calendars.
	Calendar  string             `cbor:"40,keyasint,omitempty"`
	Calendars []ExchangeCalendar `cbor:"41,keyasint,omitempty"`
	// Groups are the control groups; an account that is in none is its own, with its gateway's name.
	Groups []Group `cbor:"70,keyasint,omitempty"`
	// Limits are what the configuration lets a gateway's channel take, where that is less than the gateway declares.
	Limits []GatewayLimit `cbor:"80,keyasint,omitempty"`
}

// ExchangeCalendar says by which calendar an exchange's trading days are counted.
type ExchangeCalendar struct {
	Exchange string `cbor:"1,keyasint"`
	Calendar string `cbor:"2,keyasint"`
}

// Group is a control group: accounts that an exchange counts together, because one person controls them.
type Group struct {
	Name     string        `cbor:"1,keyasint"`
	Gateways []GatewayName `cbor:"2,keyasint"`
	// Exchanges at which the accounts are counted together; none means all.
	Exchanges []string `cbor:"3,keyasint,omitempty"`
}

// Equal reports whether two groups are the same, word for word.
func (g Group) Equal(other Group) bool {
	return g.Name == other.Name && slices.Equal(g.Gateways, other.Gateways) && slices.Equal(g.Exchanges, other.Exchanges)
}

// Rate is how much of the fund's currency one unit of another is worth.
type Rate struct {
	Currency string  `cbor:"1,keyasint"`
	Rate     Decimal `cbor:"2,keyasint"`
}

// TraderSetUp is one trader of the configuration.
type TraderSetUp struct {
	Name    TraderName `cbor:"1,keyasint"`
	Capital Decimal    `cbor:"2,keyasint"`
	// Share is the trader's weight when a channel's messages are shared; 0 is 1.
	Share int `cbor:"80,keyasint,omitempty"`
	// Language is what the trader reads; "" is English.
	Language Lang `cbor:"95,keyasint,omitempty"`
}

// LoadPolicies replaces the whole policy: all files, or, when any of them is wrong, none.
type LoadPolicies struct {
	Files []PolicyFile `cbor:"1,keyasint"`
	By    string       `cbor:"2,keyasint,omitempty"`
	// Language is the version of the rules' language that the files are written in; 0 is that of journals from before numbers had units.
	Language int `cbor:"45,keyasint,omitempty"`
	// Instead is of a rollback: the revision of the policy folder's text when an earlier one was put in force in its place. As long as the folder says the same, it is not loaded again
	// unless a person asks for it.
	Instead string `cbor:"100,keyasint,omitempty"`
}

// SubmitOrder is an order of a trader, with what the hub knew when it took it.
type SubmitOrder struct {
	Trader  TraderName   `cbor:"1,keyasint"`
	Request OrderRequest `cbor:"2,keyasint"`
	// Gateway is the one that the trader named; "" when none: then the contract decides.
	Gateway  GatewayName `cbor:"3,keyasint,omitempty"`
	Market   MarketView  `cbor:"4,keyasint"`
	Verdicts []Verdict   `cbor:"5,keyasint,omitempty"`
	// Asked is when the hub was asked, before the first tick and the verdicts were waited for; 0: with the entry.
	Asked Time `cbor:"60,keyasint,omitempty"`
}

// TakeOrder is an order that is put on disk while the risk managers still judge it, so that the trader need not wait for them to learn its id. Nothing is decided and nothing sent:
// a JudgeOrder with the same Ask follows. One that is still undecided when the hub starts again is rejected.
type TakeOrder struct {
	Trader  TraderName   `cbor:"1,keyasint"`
	Request OrderRequest `cbor:"2,keyasint"`
	Gateway GatewayName  `cbor:"3,keyasint,omitempty"`
	// Ask is unique in the life of one hub process.
	Ask uint64 `cbor:"4,keyasint"`
	// Asked is as in SubmitOrder.
	Asked Time `cbor:"60,keyasint,omitempty"`
}

// JudgeOrder is what the risk managers said of an order that was taken, and the market that is to decide about it.
type JudgeOrder struct {
	Ask      uint64     `cbor:"1,keyasint"`
	Market   MarketView `cbor:"2,keyasint"`
	Verdicts []Verdict  `cbor:"3,keyasint,omitempty"`
	// Late: the journal did not take this when it was due. The order is refused: market and verdicts are old, and its owner may have cancelled unrecorded meanwhile.
	Late bool `cbor:"60,keyasint,omitempty"`
}

// ExpireWaits refuses the orders that have waited since Since, or longer, for the cancellation of others of the fund that they would meet.
type ExpireWaits struct {
	Since Time `cbor:"1,keyasint"`
}

// CancelOrder is a trader's, or the operator's (Trader ""), wish to cancel. It is never refused for a rule.
type CancelOrder struct {
	Trader  TraderName `cbor:"1,keyasint,omitempty"`
	OrderID OrderID    `cbor:"2,keyasint"`
	By      string     `cbor:"3,keyasint,omitempty"`
}

// ReportKind is what a venue reports about an order.
type ReportKind uint8

// Kinds of report.
const (
	NoReport ReportKind = iota
	ReportAccepted
	ReportResting
	ReportFill
	ReportCancelled
	ReportRejected
	// ReportCancelRejected: the venue did not cancel; the order stands as it stood.
	ReportCancelRejected
	// ReportNotSent: the gateway's process never got the order; nothing has left the hub. Only package host says this.
	ReportNotSent
	// ReportCancelNotSent: the gateway's process never got the cancel. Only package host says this.
	ReportCancelNotSent
	// ReportAmended: the venue changed the order; Price and Qty are what it is for now, Qty in all.
	ReportAmended
	// ReportAmendRejected: the venue did not amend; the order stands as it stood.
	ReportAmendRejected
	// ReportAmendNotSent: the gateway's process never got the amendment. Only package host says this.
	ReportAmendNotSent
)

// VenueReport is what a venue says about one order. Reports may come late, twice, and in any order.
type VenueReport struct {
	Gateway GatewayName `cbor:"1,keyasint"`
	OrderID OrderID     `cbor:"2,keyasint"`
	Kind    ReportKind  `cbor:"3,keyasint"`
	VenueID string      `cbor:"4,keyasint,omitempty"`
	Reason  string      `cbor:"5,keyasint,omitempty"`
	// TradeID, Price and Qty are of a fill, and Qty is of this fill alone. Of a ReportCancelled, Qty is all that was filled of the order, if the venue says it: so that
	// a cancel that overtakes a fill gives back no more than it should.
	TradeID   string  `cbor:"6,keyasint,omitempty"`
	Price     Decimal `cbor:"7,keyasint,omitzero"`
	Qty       Decimal `cbor:"8,keyasint,omitzero"`
	VenueTime Time    `cbor:"9,keyasint,omitempty"`
	// Amendment is the number of the amendment that was done or not, as the order had it; 0 of one that the hub did not ask for.
	Amendment uint64 `cbor:"115,keyasint,omitempty"`
}

// VenueOrder is how an order stands at the venue, with all its fills, as the venue answers when asked.
type VenueOrder struct {
	OrderID OrderID     `cbor:"1,keyasint"`
	VenueID string      `cbor:"2,keyasint,omitempty"`
	Status  Status      `cbor:"3,keyasint"`
	Reason  string      `cbor:"4,keyasint,omitempty"`
	Fills   []VenueFill `cbor:"5,keyasint,omitempty"`
	// Price and Qty are what the order is for at the venue now, Qty in all; 0 while an amendment that was sent may yet be done, and of gateways that do not amend.
	Price Decimal `cbor:"115,keyasint,omitzero"`
	Qty   Decimal `cbor:"116,keyasint,omitzero"`
}

// VenueFill is one fill, as the venue answers when asked.
type VenueFill struct {
	TradeID string  `cbor:"1,keyasint"`
	Price   Decimal `cbor:"2,keyasint"`
	Qty     Decimal `cbor:"3,keyasint"`
	Time    Time    `cbor:"4,keyasint,omitempty"`
}

// Reconcile is a venue's answer to "what do you know?". It settles what is in doubt.
type Reconcile struct {
	Gateway GatewayName  `cbor:"1,keyasint"`
	Orders  []VenueOrder `cbor:"2,keyasint"`
	// Complete: an order of Asked that is not in Orders has never reached the venue and never will.
	Complete bool `cbor:"3,keyasint,omitempty"`
	// Asked are the orders that the venue was asked about.
	Asked []OrderID `cbor:"4,keyasint,omitempty"`
	// AskedAt is the Seq of the last entry that had been applied when the venue was asked; 0: nobody knows. What an order was amended to after it may not be in the answer.
	AskedAt uint64 `cbor:"115,keyasint,omitempty"`
}

// GatewayState says that a gateway is connected to its venue, or is not, and why.
type GatewayState struct {
	Gateway GatewayName `cbor:"1,keyasint"`
	Up      bool        `cbor:"2,keyasint,omitempty"`
	Reason  string      `cbor:"3,keyasint,omitempty"`
	// Limits are what the gateway declares that its channel takes; only with Up. None: it declares nothing.
	Limits []MessageLimit `cbor:"80,keyasint,omitempty"`
	// Amends: the gateway can amend orders; only with Up.
	Amends bool `cbor:"115,keyasint,omitempty"`
}

// Contracts is the list of contracts that a gateway trades; it replaces the list it gave before.
type Contracts struct {
	Gateway   GatewayName `cbor:"1,keyasint"`
	Contracts []Contract  `cbor:"2,keyasint"`
}

// Mark is the last price of a contract.
type Mark struct {
	Instrument `cbor:"1,keyasint"`
	Price      Decimal `cbor:"2,keyasint"`
	// Seen is when the hub received the tick; 0: with the entry.
	Seen Time `cbor:"60,keyasint,omitempty"`
	// Gateway whose market it is: positions elsewhere in the same contract have marks of their own. "" is every gateway's, as in journals of before marks knew it.
	Gateway GatewayName `cbor:"110,keyasint,omitempty"`
}

// Marks values what is held at the last prices.
type Marks struct {
	Marks []Mark `cbor:"1,keyasint"`
}

// Halt is how journals of before SetState say that a trader, or the fund (Trader ""), is HALTED or ACTIVE. It is still read, and not written any more.
type Halt struct {
	Trader TraderName `cbor:"1,keyasint,omitempty"`
	On     bool       `cbor:"2,keyasint,omitempty"`
	By     string     `cbor:"3,keyasint,omitempty"`
	Reason string     `cbor:"4,keyasint,omitempty"`
}

// RollDay begins a trading day of one calendar: of its contracts, today's positions become yesterday's, and what orders that live on close is yesterday's. With the main calendar's day the
// counters of the day begin at 0, and so does the day's profit and loss. A day that is not after the calendar's present one changes nothing. A hub that was down over several
// days begins the last of them in one step.
type RollDay struct {
	Day Day `cbor:"1,keyasint"`
	// Calendar whose day begins; "" means every calendar's, as in journals of before there were several.
	Calendar string `cbor:"40,keyasint,omitempty"`
	// Began is when the day began by the calendar. A fill that a venue reports later and says to be from before is of the day before; 0: not known.
	Began Time `cbor:"41,keyasint,omitempty"`
}

// SetRates is a person's word on what currencies are worth in the fund's: all of them, or, when any makes no sense, none. It stays until another is said; what hub.yaml says is a word
// too, of the moment when it was first read there.
type SetRates struct {
	Rates []Rate `cbor:"1,keyasint"`
	By    string `cbor:"2,keyasint,omitempty"`
	// Jump: a rate may move by more than twice.
	Jump bool `cbor:"3,keyasint,omitempty"`
}

func (SetUp) input()        {}
func (LoadPolicies) input() {}
func (SubmitOrder) input()  {}
func (CancelOrder) input()  {}
func (VenueReport) input()  {}
func (Reconcile) input()    {}
func (GatewayState) input() {}
func (Contracts) input()    {}
func (Marks) input()        {}
func (Halt) input()         {}
func (RollDay) input()      {}
func (TakeOrder) input()    {}
func (JudgeOrder) input()   {}
func (SetRates) input()     {}
func (ExpireWaits) input()  {}

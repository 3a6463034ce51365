package hub

// Unassigned is whose name stands for what the venue's account has and no trader's order explains. No trader can have it.
const Unassigned TraderName = "unassigned"

// TransferPosition moves a position from one trader's book to another's: the operator's act. Nothing goes to the venue, and what the venue's account holds stays as it is.
type TransferPosition struct {
	// Gateway where it is held; "": the first at which the giver holds it.
	Gateway    GatewayName `cbor:"1,keyasint,omitempty"`
	Instrument `cbor:"2,keyasint"`
	// Direction of what is moved: Long or Short, of contracts that net, too.
	Direction Direction `cbor:"3,keyasint"`
	Qty       Decimal   `cbor:"4,keyasint"`
	// From and To name traders, or Unassigned.
	From TraderName `cbor:"5,keyasint"`
	To   TraderName `cbor:"6,keyasint"`
	// Price at which the giver sells it to the receiver; 0: the last mark, at which nobody's equity changes, or the giver's cost when there is none yet.
	Price Decimal `cbor:"7,keyasint,omitzero"`
	// AtCost: at what the giver paid for it. What it has gained or lost goes with it.
	AtCost bool   `cbor:"8,keyasint,omitempty"`
	By     string `cbor:"9,keyasint,omitempty"`
	Reason string `cbor:"10,keyasint,omitempty"`
}

// TransferCapital moves capital from one trader to another; From "" brings it in from outside, To "" takes it out. It comes on top of what the configuration says, for good.
type TransferCapital struct {
	From   TraderName `cbor:"1,keyasint,omitempty"`
	To     TraderName `cbor:"2,keyasint,omitempty"`
	Amount Decimal    `cbor:"3,keyasint"`
	By     string     `cbor:"4,keyasint,omitempty"`
	Reason string     `cbor:"5,keyasint,omitempty"`
}

// VenueStatement is what a venue says that the account holds: all of it.
type VenueStatement struct {
	Gateway GatewayName `cbor:"1,keyasint"`
	// Day is the venue's trading day; "" when it does not say. Only of the hub's own day can today's and yesterday's position be compared.
	Day Day `cbor:"2,keyasint,omitempty"`
	// Exact: it has every fill that the gateway reported before it, and no other. Without it, a contract is compared when nothing of it works, and only when two statements in a row say
	// the same with no news of the contract between them.
	Exact     bool            `cbor:"3,keyasint,omitempty"`
	Positions []VenuePosition `cbor:"4,keyasint,omitempty"`
	Money     []VenueMoney    `cbor:"5,keyasint,omitempty"`
}

// VenuePosition is what the venue's account holds of one contract in one direction.
type VenuePosition struct {
	Instrument `cbor:"1,keyasint"`
	Direction  Direction `cbor:"2,keyasint"` // Net for contracts that net, and then Today and Yesterday may be negative
	Today      Decimal   `cbor:"3,keyasint,omitzero"`
	Yesterday  Decimal   `cbor:"4,keyasint,omitzero"`
	Price      Decimal   `cbor:"5,keyasint,omitzero"` // average
}

// VenueMoney is the account's money in one currency, as the venue values it.
type VenueMoney struct {
	Currency  string  `cbor:"1,keyasint"`
	Balance   Decimal `cbor:"2,keyasint,omitzero"` // what the account is worth
	Margin    Decimal `cbor:"3,keyasint,omitzero"`
	Available Decimal `cbor:"4,keyasint,omitzero"`
}

func (TransferPosition) input() {}
func (TransferCapital) input()  {}
func (VenueStatement) input()   {}

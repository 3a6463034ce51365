package hub

// OrderID names an order for good: given by the core, never used again, without a dot.
type OrderID string

// OrderRequest is what a trader asks for.
type OrderRequest struct {
	Instrument `cbor:"1,keyasint"`
	Direction  Direction `cbor:"2,keyasint"`
	Offset     Offset    `cbor:"3,keyasint,omitempty"`
	Type       OrderType `cbor:"4,keyasint"`
	Price      Decimal   `cbor:"5,keyasint,omitzero"` // 0 for a market order
	Qty        Decimal   `cbor:"6,keyasint"`
	Reference  string    `cbor:"7,keyasint,omitempty"` // the trader's own words, shown back
}

// Order is an OrderRequest that the hub has given an id, and its life so far.
type Order struct {
	ID           OrderID    `cbor:"1,keyasint"`
	Trader       TraderName `cbor:"2,keyasint"`
	OrderRequest `cbor:"3,keyasint"`
	Gateway      GatewayName `cbor:"4,keyasint"`
	Status       Status      `cbor:"5,keyasint"`
	// Filled is how much has been traded; Qty - Filled is what may still trade.
	Filled Decimal `cbor:"6,keyasint,omitzero"`
	// Time is when the hub decided; Updated is the last change.
	Time    Time `cbor:"7,keyasint"`
	Updated Time `cbor:"8,keyasint"`
	// VenueID is the venue's own id, "" until it says one.
	VenueID string `cbor:"9,keyasint,omitempty"`
	// InDoubt: whether the venue has the order, or what became of it, is not known now. It keeps its hold.
	InDoubt bool `cbor:"10,keyasint,omitempty"`
	// CancelAsked: the owner wants it cancelled; asked again whenever the venue comes back.
	CancelAsked bool `cbor:"11,keyasint,omitempty"`
	// Reason says why the order is Rejected, Cancelled by another than its owner, or in doubt.
	Reason string `cbor:"12,keyasint,omitempty"`
	// Override is the number of the override by which the order passed the rules; 0: by none.
	Override uint64 `cbor:"95,keyasint,omitempty"`
	// Amendment is the one that is under way; until the venue has answered, the order may be as it is or as that says.
	Amendment Amendment `cbor:"115,keyasint,omitzero"`
}

// Active reports whether the order may still trade.
func (o Order) Active() bool { return !o.Status.Final() }

// CancelRequest asks to cancel an order.
type CancelRequest struct {
	Instrument
	OrderID OrderID
}

// Trade is one fill of an order.
type Trade struct {
	// ID is unique within the gateway and has no dot.
	ID         string     `cbor:"1,keyasint"`
	OrderID    OrderID    `cbor:"2,keyasint"`
	Trader     TraderName `cbor:"3,keyasint"`
	Instrument `cbor:"4,keyasint"`
	Gateway    GatewayName `cbor:"5,keyasint"`
	Direction  Direction   `cbor:"6,keyasint"`
	Offset     Offset      `cbor:"7,keyasint,omitempty"`
	Price      Decimal     `cbor:"8,keyasint"`
	Qty        Decimal     `cbor:"9,keyasint"`
	Time       Time        `cbor:"10,keyasint"`
	Commission Decimal     `cbor:"11,keyasint,omitzero"`
	Day        Day         `cbor:"12,keyasint,omitempty"`
}

// Position is what a trader, or the fund, holds of one contract in one direction.
type Position struct {
	Trader TraderName // "" for the fund
	Instrument
	Gateway   GatewayName
	Direction Direction // Net for contracts that net
	Qty       Decimal   // negative only for Net
	Today     Decimal   // of Qty, opened this trading day
	Yesterday Decimal   // of Qty, from before
	Frozen    Decimal   // of Qty, in working orders that close
	Price     Decimal   // average price paid
	PnL       Decimal   // unrealised, at the last mark
	Drift     Decimal   // of PnL, what came of rates that moved: of what is paid in full, whose currency was bought
}

// Account is the money of a trader, or of the fund, in the fund's currency.
type Account struct {
	Trader     TraderName // "" for the fund
	Capital    Decimal    // given by the configuration
	Balance    Decimal    // Capital + Realised + Unrealised - Commission
	Frozen     Decimal    // margin and value held by positions and working orders
	Available  Decimal    // Balance - Frozen
	Realised   Decimal    // profit and loss of what was closed
	Unrealised Decimal    // of what is open, at the last mark
	Commission Decimal
	Cash       Decimal // Capital + Realised - Commission - cost of what is paid in full
}

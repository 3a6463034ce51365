package hub

import "strings"

// TraderName names a trader of the fund, as the configuration does. It is also the accountid that the trader sees.
type TraderName string

// GatewayName names a configured gateway, such as "SIM". It has no dot.
type GatewayName string

// Instrument is what is traded, and where: symbol "rb2610", exchange "SHFE".
type Instrument struct {
	Symbol   string `cbor:"1,keyasint"`
	Exchange string `cbor:"2,keyasint"`
}

// String returns "rb2610.SHFE", VeighNa's vt_symbol.
func (i Instrument) String() string { return i.Symbol + "." + i.Exchange }

// ParseInstrument splits "rb2610.SHFE" at its last dot, since a symbol may have dots of its own.
func ParseInstrument(s string) (Instrument, bool) {
	at := strings.LastIndexByte(s, '.')
	if at <= 0 || at == len(s)-1 {
		return Instrument{}, false
	}
	return Instrument{Symbol: s[:at], Exchange: s[at+1:]}, true
}

// Fees is what a venue charges for a fill: a part of the value, plus an amount per unit. Money in the contract's currency.
type Fees struct {
	OpenByValue       Decimal `cbor:"1,keyasint,omitzero"`
	OpenPerUnit       Decimal `cbor:"2,keyasint,omitzero"`
	CloseByValue      Decimal `cbor:"3,keyasint,omitzero"`
	ClosePerUnit      Decimal `cbor:"4,keyasint,omitzero"`
	CloseTodayByValue Decimal `cbor:"5,keyasint,omitzero"`
	CloseTodayPerUnit Decimal `cbor:"6,keyasint,omitzero"`
}

// Contract is what a gateway says of an instrument that it can trade.
type Contract struct {
	Instrument `cbor:"1,keyasint"`
	Gateway    GatewayName `cbor:"2,keyasint"`
	Name       string      `cbor:"3,keyasint,omitempty"`
	// Product is the product code, "rb" for rb2610; for a share or a coin pair it is the symbol.
	Product  string `cbor:"4,keyasint,omitempty"`
	Kind     Kind   `cbor:"5,keyasint,omitempty"`
	Currency string `cbor:"6,keyasint,omitempty"`
	// Size is how much of the underlying one unit is: 10 t for a lot of rb, 1 for a share or a coin.
	Size Decimal `cbor:"7,keyasint,omitzero"`
	// Tick is the smallest price step.
	Tick Decimal `cbor:"8,keyasint,omitzero"`
	// MinQty is the smallest quantity, and the step of quantities. MaxQty is the largest of one order; 0: the venue names none.
	MinQty Decimal `cbor:"9,keyasint,omitzero"`
	MaxQty Decimal `cbor:"10,keyasint,omitzero"`
	// StopSupported: the venue holds stop orders itself. NetPosition: one signed position, no offsets. History: bars can be asked for.
	StopSupported bool `cbor:"11,keyasint,omitempty"`
	NetPosition   bool `cbor:"12,keyasint,omitempty"`
	History       bool `cbor:"13,keyasint,omitempty"`
	// SplitsToday: the exchange tells today's position from yesterday's, so that a plain Close means yesterday's (SHFE, INE).
	SplitsToday bool `cbor:"14,keyasint,omitempty"`
	// MarginLong and MarginShort are parts of the value; 0 means paid in full (shares, coins).
	MarginLong  Decimal `cbor:"15,keyasint,omitzero"`
	MarginShort Decimal `cbor:"16,keyasint,omitzero"`
	Fees        Fees    `cbor:"17,keyasint"`

	OptionType       OptionType `cbor:"18,keyasint,omitempty"`
	OptionStrike     Decimal    `cbor:"19,keyasint,omitzero"`
	OptionUnderlying string     `cbor:"20,keyasint,omitempty"`
	OptionPortfolio  string     `cbor:"21,keyasint,omitempty"`
	OptionIndex      string     `cbor:"22,keyasint,omitempty"`
	OptionListed     Time       `cbor:"23,keyasint,omitempty"`
	OptionExpiry     Time       `cbor:"24,keyasint,omitempty"`
	// Zone is the IANA time zone of the venue, in which its times are shown: "Asia/Shanghai".
	Zone string `cbor:"25,keyasint,omitempty"`
	// SellNextDay: what is bought can be sold from the next trading day on, not before (A shares: T+1). Only for what is paid in full and nets.
	SellNextDay bool `cbor:"50,keyasint,omitempty"`
}

// Level is one price level of a book.
type Level struct{ Price, Qty Decimal }

// Depth is how many levels of each side a Tick carries.
const Depth = 5

// Tick is a snapshot of the market in one contract. Missing numbers are 0; a price of 0 is "none".
type Tick struct {
	Instrument
	Gateway      GatewayName
	Name         string
	Time         Time
	LocalTime    Time
	Volume       Decimal
	Turnover     Decimal
	OpenInterest Decimal
	Last         Decimal
	LastQty      Decimal
	LimitUp      Decimal
	LimitDown    Decimal
	Open         Decimal
	High         Decimal
	Low          Decimal
	PreClose     Decimal
	Bids         [Depth]Level // best first
	Asks         [Depth]Level // best first
}

// Bar is the market in one contract over one interval. Time is when the interval begins.
type Bar struct {
	Instrument
	Gateway      GatewayName
	Time         Time
	Interval     Interval
	Volume       Decimal
	Turnover     Decimal
	OpenInterest Decimal
	Open         Decimal
	High         Decimal
	Low          Decimal
	Close        Decimal
}

// HistoryRequest asks for bars with Start <= Time <= End; End 0 means until now.
type HistoryRequest struct {
	Instrument
	Start, End Time
	Interval   Interval
}

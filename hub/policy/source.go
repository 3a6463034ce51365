package policy

import (
	"time"

	"tradehub/hub"
)

// Scope says whose number a variable is.
type Scope uint8

// Scopes. Variables of an owner, ScopeTrader to ScopeGroup, exist once for each of them: trader.orders("10s"), fund.orders("10s").
const (
	ScopeOrder Scope = iota
	ScopeContract
	ScopeMarket
	ScopeTrader
	ScopeFund
	// ScopeAccount is the venue's account that the order goes to: everybody who trades at that gateway.
	ScopeAccount
	// ScopeGroup is the control group of that account: accounts that an exchange counts together.
	ScopeGroup
	// ScopeSession is the moment at which the order was taken, by the calendar of its contract.
	ScopeSession
)

// Narrowing says of which part of what its owner does a variable is.
type Narrowing uint8

// Narrowings.
const (
	// All is everything: trader.orders("10s").
	All Narrowing = iota
	// InContract is what is done in the order's contract, at all of the owner's gateways: trader.contract.orders("10s").
	InContract
	// InProduct is what is done in all contracts of the order's product: trader.product.orders("10s").
	InProduct
)

// Var is a variable that a rule may read. The catalogue (Vars) gives each its name, type, unit, meaning, and when it is missing.
type Var uint16

// Today as a Ref's Window means since the trading day began.
const Today time.Duration = -1

// Ref is a variable as one rule reads it: of whom, of which part, and over which window.
type Ref struct {
	Scope  Scope
	Narrow Narrowing // of an owner's variable; else All
	Var    Var
	Window time.Duration // 0 for variables without a window; Today
	// Least is the quantity from which LargeCancels counts.
	Least hub.Decimal
	Name  string // of a currency, for variables that are of one; else ""
}

// Source answers what a rule reads, for one order. It is called many times in one decision and must be cheap. What it does not know it answers with Missing.
type Source interface {
	// The Ref is the rule's own: it is not written to, and not kept. The Value is the source's own: it is read at once, before the source is asked again. (A Value is seven words; to hand
	// it on from one to the next cost a third of a decision.)
	Value(ref *Ref) *Value
}

// Variables of an order (ScopeOrder).
const (
	OrderTrader    Var = iota + 1 // text
	OrderSymbol                   // text: rb2610
	OrderExchange                 // text
	OrderGateway                  // text
	OrderDirection                // text: LONG, SHORT
	OrderOffset                   // text: NONE, OPEN, CLOSE, CLOSE_TODAY, CLOSE_YESTERDAY
	OrderType                     // text: LIMIT, MARKET, ...
	OrderPrice                    // price. Of a market order: the one that makes its value largest (limit_up, else the higher of touch and last); missing when there is none; never 0
	OrderQuantity                 // quantity
	OrderValue                    // money: price * quantity * size
	OrderReduces                  // truth: the order closes (offset), or, in a contract that nets, is opposite to and not larger than the position
	OrderReference                // text
)

// Variables of the order's contract (ScopeContract).
const (
	ContractSymbol Var = iota + 100
	ContractExchange
	ContractProduct // text: rb
	ContractKind    // text: FUTURES
	ContractTick
	ContractSize
	ContractMinQuantity
	ContractMaxQuantity // missing when the venue names none
	ContractMarginRate  // of the order's direction; missing when 0
)

// Variables of the contract's market (ScopeMarket). Missing when the venue has not said them.
const (
	MarketLast Var = iota + 200
	MarketBid
	MarketAsk
	MarketMid
	MarketSpread
	MarketPreviousClose
	MarketLimitUp
	MarketLimitDown
	MarketVolume
	MarketOpenInterest
	MarketAge // seconds since the last tick
)

// Variables of an owner (ScopeTrader to ScopeGroup).
const (
	// Counters over a window. The order that is being decided is not counted.
	Orders     Var = iota + 300 // orders decided, refused ones included
	Cancels                     // cancels asked for
	Messages                    // orders and cancels
	Rejects                     // orders refused by the hub or rejected by the venue
	Trades                      // fills
	Duplicates                  // earlier orders with the same contract, direction, offset, type, quantity and price

	// Now.
	ActiveOrders // orders that may still trade
	_            // was ActiveOrders of this contract
	WorkingValue // money: value of what may still trade
	InDoubt      // orders in doubt

	// Position in this contract, or product, in quantity. Long and Short are not negative; Net = Long - Short.
	PositionLong
	PositionShort
	PositionNet
	PositionLongToday
	PositionShortToday
	PositionLongYesterday
	PositionShortYesterday
	WorkingBuy        // quantity of working buys in this contract
	WorkingSell       // of working sells
	WorkingCloseLong  // of working sells that close long
	WorkingCloseShort // of working buys that close short
	LongAfter         // worst case: long + every working buy that opens + this order if it does
	ShortAfter
	NetAfter // worst case of |net| with all working orders of this order's direction, and this order, filled, and none of the other direction

	// Money.
	GrossValue // of all positions at the last marks, + WorkingValue of what opens
	GrossAfter // GrossValue + this order's value if it opens
	Capital
	Equity     // Capital + Realised + Unrealised - Commission
	Available  // Equity - held
	MarginHeld // held by positions and working orders
	Realised
	Unrealised
	Commission
	DayPnL // since the trading day began
)

// Variables of currencies (ScopeContract; ScopeFund, with a name).
const (
	ContractCurrency Var = iota + 450 // text: CNY
	ContractRate                      // of the contract's currency in the fund's
	ContractRateAge                   // seconds since somebody said it
	FundRate                          // of a currency that the rule names (Ref.Name)
	FundRateAge
)

// More variables of an owner, and the owner's name.
const (
	OrderGroup       Var = iota + 500 // text: the control group of the account that the order goes to (ScopeOrder)
	Refused                           // orders refused by the hub
	VenueRejects                      // orders rejected by the venue
	FastCancels                       // of cancels, those within a second of their order
	InstantCancels                    // FAK and FOK orders of which the venue cancelled what it could not fill
	LargeCancels                      // of cancels, those of Ref.Least or more
	TradedQuantity                    // sum of fills
	TradedValue                       // money: sum of price * quantity * size of fills
	Opened                            // sum of fills that opened
	RejectsInARow                     // by the venue, now
	WorkingOpenLong                   // quantity of active buys that open
	WorkingOpenShort                  // of active sells that open
)

// Amendments.
const (
	Amends Var = iota + 1100 // amendments of orders decided, refused ones included
)

// Kind is the type of a Value.
type Kind uint8

// Kinds of value.
const (
	KindMissing Kind = iota
	KindNumber
	KindText
	KindTruth
)

// Value is a number, a text, a truth, or missing with the reason.
type Value struct {
	Kind   Kind
	Truth  bool // beside Kind, for a value is copied at every step of an expression
	Number hub.Decimal
	Text   string // also the reason why the value is missing
}

// Number makes a number.
func Number(d hub.Decimal) Value { return Value{Kind: KindNumber, Number: d} }

// Count makes a number of a count.
func Count(n int) Value { return Number(hub.Int(int64(n))) }

// Text makes a text.
func Text(s string) Value { return Value{Kind: KindText, Text: s} }

// Truth makes a truth.
func Truth(b bool) Value { return Value{Kind: KindTruth, Truth: b} }

// Missing says that a value is not there, and why, in words that fit behind "order.value is missing: ".
func Missing(why string) Value { return Value{Kind: KindMissing, Text: why} }

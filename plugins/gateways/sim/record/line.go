// Package record is the venue's book of record: one file to which a line of JSON is added for everything that the venue took in or did, before anybody
// is told of it. It is what the venue begins from again, and what others compare with their own books. Lines are never changed and never taken out.
package record

import (
	"encoding/json"
	"fmt"
	"time"

	"tradehub/hub"
)

// Kind is what a line says.
type Kind string

// Kinds of line.
const (
	// Opened is the first line of a book.
	Opened Kind = "open"
	// Deposited is money of the account; the lines follow the first one.
	Deposited Kind = "deposit"
	// Received is an order, as it came; Number is there when the venue took it.
	Received Kind = "order"
	// Rejected follows Received at once when the venue did not take it.
	Rejected Kind = "reject"
	// Duplicate is an order whose id was there before. Nothing was done.
	Duplicate Kind = "duplicate"
	// Triggered is a stop that has become a market order.
	Triggered Kind = "trigger"
	// Filled is one fill of one order.
	Filled Kind = "fill"
	// Amended is an order that is for Qty, in all, at Price from now on; Number is there when it lost its place in the queue.
	Amended Kind = "amend"
	// Cancelled is the end of an order that was not filled whole; Qty is what was left.
	Cancelled Kind = "cancel"
	// DayBegan is the roll to a trading day.
	DayBegan Kind = "day"
	// ClockAt only says how far the clock was.
	ClockAt Kind = "clock"
)

// Line is one line. Which fields are there depends on its Kind; docs/sim.md has the list.
type Line struct {
	Kind Kind
	At   hub.Time
	// More: the next line belongs to the same deed. A deed whose last line is missing, since the process was killed, did not happen.
	More      bool
	ID        hub.OrderID
	Number    uint64 // the venue's own
	Trader    hub.TraderName
	Symbol    string
	Exchange  string
	Direction hub.Direction
	Offset    hub.Offset
	Type      hub.OrderType
	Price     hub.Decimal
	Qty       hub.Decimal
	// Worst is the price that the money of an order was reckoned at, when that is not its own price.
	Worst    hub.Decimal
	Currency string // of a Deposited, whose amount is Qty
	Trade    string
	Fee      hub.Decimal
	Reason   string
	Day      hub.Day
	// Version is of the format; in the first line.
	Version int
}

// Version is the format that this package writes.
const Version = 1

// Append appends the line and a line feed to b.
func (l *Line) Append(b []byte) []byte {
	b = append(b, `{"t":"`...)
	b = append(b, l.Kind...)
	b = append(b, `","at":"`...)
	b = l.At.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	if l.More {
		b = append(b, `,"more":true`...)
	}
	b = appendText(b, "id", string(l.ID))
	if l.Number > 0 {
		b = fmt.Appendf(b, `,"n":%d`, l.Number)
	}
	b = appendText(b, "trader", string(l.Trader))
	b = appendText(b, "symbol", l.Symbol)
	b = appendText(b, "exchange", l.Exchange)
	if l.Direction != hub.NoDirection {
		b = appendText(b, "direction", l.Direction.String())
	}
	if l.Kind == Received {
		b = appendText(b, "offset", l.Offset.String())
	}
	if l.Type != hub.NoOrderType {
		b = appendText(b, "type", l.Type.String())
	}
	b = appendText(b, "trade", l.Trade)
	b = appendNumber(b, "price", l.Price)
	b = appendNumber(b, "qty", l.Qty)
	b = appendNumber(b, "worst", l.Worst)
	b = appendText(b, "currency", l.Currency)
	b = appendNumber(b, "fee", l.Fee)
	b = appendText(b, "reason", l.Reason)
	b = appendText(b, "day", string(l.Day))
	if l.Version > 0 {
		b = fmt.Appendf(b, `,"version":%d`, l.Version)
	}
	return append(b, '}', '\n')
}

func appendText(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // a string can always be marshalled
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

func appendNumber(b []byte, name string, d hub.Decimal) []byte {
	if d.IsZero() {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, `":"`...)
	b, _ = d.AppendText(b) // it never fails
	return append(b, '"')
}

// written is a line as it is in the file.
type written struct {
	Kind      Kind           `json:"t"`
	At        time.Time      `json:"at"`
	More      bool           `json:"more"`
	ID        hub.OrderID    `json:"id"`
	Number    uint64         `json:"n"`
	Trader    hub.TraderName `json:"trader"`
	Symbol    string         `json:"symbol"`
	Exchange  string         `json:"exchange"`
	Direction string         `json:"direction"`
	Offset    string         `json:"offset"`
	Type      string         `json:"type"`
	Price     hub.Decimal    `json:"price"`
	Qty       hub.Decimal    `json:"qty"`
	Worst     hub.Decimal    `json:"worst"`
	Currency  string         `json:"currency"`
	Trade     string         `json:"trade"`
	Fee       hub.Decimal    `json:"fee"`
	Reason    string         `json:"reason"`
	Day       hub.Day        `json:"day"`
	Version   int            `json:"version"`
}

// Parse reads what Append wrote.
func Parse(text []byte) (Line, error) {
	var w written
	if err := json.Unmarshal(text, &w); err != nil {
		return Line{}, fmt.Errorf("not a line of the book of record: %w", err)
	}
	l := Line{
		Kind: w.Kind, At: hub.TimeOf(w.At), More: w.More, ID: w.ID, Number: w.Number, Trader: w.Trader, Symbol: w.Symbol, Exchange: w.Exchange,
		Price: w.Price, Qty: w.Qty, Worst: w.Worst, Currency: w.Currency, Trade: w.Trade, Fee: w.Fee, Reason: w.Reason, Day: w.Day, Version: w.Version,
	}
	switch l.Kind {
	case Opened, Deposited, Received, Rejected, Duplicate, Triggered, Filled, Amended, Cancelled, DayBegan, ClockAt:
	default:
		return Line{}, fmt.Errorf("the book of record has no line of kind %q", l.Kind)
	}
	// What an order says is written as it came, so it may be nonsense, which reads as none.
	l.Direction, _ = hub.ParseDirection(w.Direction)
	l.Offset, _ = hub.ParseOffset(w.Offset)
	l.Type, _ = hub.ParseOrderType(w.Type)
	return l, nil
}

// Instrument returns what the line is about.
func (l *Line) Instrument() hub.Instrument {
	return hub.Instrument{Symbol: l.Symbol, Exchange: l.Exchange}
}

package hub

import "time"

// MarketView is what the hub knew of a contract's market when it decided. Zero prices are "none".
type MarketView struct {
	Last      Decimal `cbor:"1,keyasint,omitzero"`
	Bid       Decimal `cbor:"2,keyasint,omitzero"`
	Ask       Decimal `cbor:"3,keyasint,omitzero"`
	LimitUp   Decimal `cbor:"4,keyasint,omitzero"`
	LimitDown Decimal `cbor:"5,keyasint,omitzero"`
	PreClose  Decimal `cbor:"6,keyasint,omitzero"`
	Volume    Decimal `cbor:"7,keyasint,omitzero"`
	OpenInt   Decimal `cbor:"8,keyasint,omitzero"`
	// Seen is when the hub received the tick; 0: no tick yet.
	Seen Time `cbor:"9,keyasint,omitempty"`
	// Session is what the contract's trading calendar says.
	Session Session `cbor:"40,keyasint,omitzero"`
}

// ValuePrice is the price at which an order is valued: of those at which it can trade, as far as is known, the one that makes its value largest. A buy with a limit trades at that at most;
// a sell with a limit trades at whatever is bid above it; a market or stop order at anything up to the daily limit. 0: not known, so the order has no value and cannot pass.
func ValuePrice(r OrderRequest, m MarketView) Decimal {
	touch := m.Last.Max(m.Bid).Max(m.Ask)
	switch {
	case r.Type == Market || r.Type == Stop:
		if m.LimitUp.IsPos() {
			return m.LimitUp.Max(r.Price).Trim(0)
		}
		if touch.IsZero() {
			return Decimal{}
		}
		return touch.Max(r.Price).Trim(0)
	case r.Direction == Short:
		if touch.IsZero() {
			return Decimal{}
		}
		return touch.Max(r.Price).Trim(0)
	}
	return r.Price.Trim(0)
}

// Verdict is what a risk manager answered about one order. No answer, a late one, or one that makes no sense, is a Verdict with Pass false.
type Verdict struct {
	Manager string        `cbor:"1,keyasint"`
	Pass    bool          `cbor:"2,keyasint,omitempty"`
	Reason  string        `cbor:"3,keyasint,omitempty"`
	Took    time.Duration `cbor:"4,keyasint,omitempty"`
}

// Refusal is one reason for which an order was not sent.
type Refusal struct {
	// Code is for programs: "rule", "not-computable", "no-policy", "halted", "cancel-only", "reduce-only", "gateway-down", "risk-manager", "contract", "quantity", "offset", "late", "busy",
	// "internal-cross", "channel-budget".
	Code string `cbor:"1,keyasint"`
	// Rule is the name of the rule that failed, "" when no rule did.
	Rule string `cbor:"2,keyasint,omitempty"`
	// Place is file:line of the rule.
	Place string `cbor:"3,keyasint,omitempty"`
	// Text is the sentence for people: the rule's because, or the hub's own.
	Text string `cbor:"4,keyasint"`
	// Values are the variables that the rule read, as "name=value", sorted.
	Values []string `cbor:"5,keyasint,omitempty"`
	// Fund: the rule is in force by the fund's file, not by the trader's.
	Fund bool `cbor:"95,keyasint,omitempty"`
	// Local is Text in the language of the trader, where that is not English.
	Local string `cbor:"96,keyasint,omitempty"`
	// Words are Text before it was written; empty of what an author or a risk manager wrote.
	Words Words `cbor:"-" json:"-"`
}

// PolicyFile is one policy file, whole: its name as the operator sees it, and its text.
type PolicyFile struct {
	Name string `cbor:"1,keyasint"`
	Text string `cbor:"2,keyasint"`
}

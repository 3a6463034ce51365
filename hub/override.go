package hub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// An override lets one order past rules that would refuse it. It names the order, to its size, and the rules; one person asks for it and another approves it; it ends at a time that is
// said before; and one order uses it up, whatever becomes of that order. It lifts nothing but what those rules say: what cannot be computed, what the hub itself asks of every order, and
// what risk managers say still refuse.

// Person is somebody at the fund's desk: as the configuration calls them, and by which account of the system the hub knew them when they asked.
type Person struct {
	Name string `cbor:"1,keyasint"`
	User string `cbor:"2,keyasint,omitempty"`
	UID  uint64 `cbor:"3,keyasint"`
}

// Same reports whether two may be one person: by name, or by account.
func (p Person) Same(other Person) bool { return p.Name == other.Name || p.UID == other.UID }

// String is the name, and the account where that has another one.
func (p Person) String() string {
	if p.User == "" || p.User == p.Name {
		return p.Name
	}
	return p.Name + " (" + p.User + ")"
}

// OverrideOrder is the one order that an override is for.
type OverrideOrder struct {
	Trader     TraderName  `cbor:"1,keyasint"`
	Gateway    GatewayName `cbor:"2,keyasint,omitempty"` // "" in a question: where an order goes that names none
	Instrument Instrument  `cbor:"3,keyasint"`
	Direction  Direction   `cbor:"4,keyasint"`
	Offset     Offset      `cbor:"5,keyasint,omitempty"` // NoOffset: any
	// Qty is the size, neither more nor less.
	Qty Decimal `cbor:"6,keyasint"`
	// Price is the worst at which the order may be; 0: any, and a market order too.
	Price Decimal `cbor:"7,keyasint,omitzero"`
}

// Covers reports whether an order is the one that is meant.
func (w OverrideOrder) Covers(o Order) bool {
	if o.Trader != w.Trader || o.Gateway != w.Gateway || o.Instrument != w.Instrument || o.Direction != w.Direction || !o.Qty.Equal(w.Qty) {
		return false
	}
	if w.Offset != NoOffset && o.Offset != w.Offset {
		return false
	}
	if w.Price.IsZero() {
		return true
	}
	if o.Type != Limit && o.Type != FAK && o.Type != FOK {
		return false // it has no price at which it stops
	}
	if w.Direction == Long {
		return o.Price.Cmp(w.Price) <= 0
	}
	return w.Price.Cmp(o.Price) <= 0
}

// String is the order in words: "alpha's LONG OPEN 100 rb2610.SHFE at 3600 or better".
func (w OverrideOrder) String() string { return w.Words().String() }

// Words are the order for people of any language.
func (w OverrideOrder) Words() Words {
	side := Say("%s", w.Direction)
	if w.Offset != NoOffset {
		side = Say("%s %s", w.Direction, w.Offset)
	}
	what := Say("%s's %s %s %s", w.Trader, side, w.Qty, w.Instrument)
	if w.Price.IsZero() {
		return what
	}
	return Say("%s at %s or better", what, w.Price)
}

// OverrideRule is one rule that an override lifts.
type OverrideRule struct {
	Name  string `cbor:"1,keyasint"`
	Place string `cbor:"2,keyasint"` // file:line
	// Fund: the rule is in force by the fund's file, else by the trader's.
	Fund bool `cbor:"3,keyasint,omitempty"`
}

// String is the rule as a person writes it: "fund:order-value".
func (r OverrideRule) String() string {
	if r.Fund {
		return "fund:" + r.Name
	}
	return "trader:" + r.Name
}

// OverrideState is how far an override has come.
type OverrideState uint8

// States of an override. Their numbers are written to the journal.
const (
	NoOverride        OverrideState = iota
	OverrideAsked                   // by one person
	OverrideApproved                // by another: an order may use it
	OverrideUsed                    // by an order
	OverrideExpired                 // nobody used it in time
	OverrideWithdrawn               // by a person
	OverrideVoid                    // the policy is not the one that it was asked against
)

var overrideStateNames = []string{"NONE", "ASKED", "APPROVED", "USED", "EXPIRED", "WITHDRAWN", "VOID"}

func (s OverrideState) String() string { return name(overrideStateNames, s) }

// Open reports whether it may still come to be used.
func (s OverrideState) Open() bool { return s == OverrideAsked || s == OverrideApproved }

// OverrideMax is how long an override may be open at most.
const OverrideMax = 24 * time.Hour

// Override is one override and its life so far.
type Override struct {
	Number uint64         `cbor:"1,keyasint"` // counts from 1
	State  OverrideState  `cbor:"2,keyasint"`
	Order  OverrideOrder  `cbor:"3,keyasint"`
	Rules  []OverrideRule `cbor:"4,keyasint"`
	// Revision is that of the policy that it was asked against: with any other it is void, for its rules might be others.
	Revision string `cbor:"5,keyasint"`
	Reason   string `cbor:"6,keyasint"`
	Asked    Time   `cbor:"7,keyasint"`
	Expires  Time   `cbor:"8,keyasint"` // from this instant on nobody can use it
	AskedBy  Person `cbor:"9,keyasint"`
	// Approved and ApprovedBy are of the second person.
	Approved   Time   `cbor:"10,keyasint,omitempty"`
	ApprovedBy Person `cbor:"11,keyasint,omitzero"`
	// Ended is when it was used, expired, was withdrawn or void; EndedBy is who withdrew it, and Why says more.
	Ended   Time    `cbor:"12,keyasint,omitempty"`
	EndedBy Person  `cbor:"13,keyasint,omitzero"`
	Why     string  `cbor:"14,keyasint,omitempty"`
	UsedBy  OrderID `cbor:"15,keyasint,omitempty"`
}

// TwoPersons reports whether one person asked and another approved.
func (v *Override) TwoPersons() bool {
	return v.AskedBy.Name != "" && v.ApprovedBy.Name != "" && !v.AskedBy.Same(v.ApprovedBy)
}

// Lets reports whether an order may use the override now.
func (v *Override) Lets(o Order, now Time) bool {
	return v.State == OverrideApproved && v.TwoPersons() && now < v.Expires && v.Order.Covers(o)
}

// Lifts reports whether a refusal is one that the override takes away: that of a rule which it names, and which could be computed.
func (v *Override) Lifts(r Refusal) bool {
	return r.Code == "rule" && slices.Contains(v.Rules, OverrideRule{Name: r.Rule, Place: r.Place, Fund: r.Fund})
}

// RuleNames are the rules in words: "fund:order-value, trader:collar".
func (v *Override) RuleNames() string {
	names := make([]string, len(v.Rules))
	for i, r := range v.Rules {
		names[i] = r.String()
	}
	return strings.Join(names, ", ")
}

// String says which it is and whose: "override 3 of anna and bob".
func (v *Override) String() string {
	if v.ApprovedBy.Name == "" {
		return fmt.Sprintf("override %d of %s", v.Number, v.AskedBy)
	}
	return fmt.Sprintf("override %d of %s and %s", v.Number, v.AskedBy, v.ApprovedBy)
}

// AskOverride is a person's wish to let one order past rules. Nothing passes before another person approves.
type AskOverride struct {
	Order OverrideOrder `cbor:"1,keyasint"`
	// Rules are names, as people write them: "order-value", or, where the trader's and the fund's files both have one of that name, "fund:order-value" and "trader:order-value".
	Rules  []string `cbor:"2,keyasint"`
	Reason string   `cbor:"3,keyasint"`
	// For is how long it is open, from this entry on.
	For time.Duration `cbor:"4,keyasint"`
	By  Person        `cbor:"5,keyasint"`
}

// ApproveOverride is the second person's word.
type ApproveOverride struct {
	Number uint64 `cbor:"1,keyasint"`
	By     Person `cbor:"2,keyasint"`
}

// WithdrawOverride ends an override that nobody has used. It needs one person.
type WithdrawOverride struct {
	Number uint64 `cbor:"1,keyasint"`
	By     Person `cbor:"2,keyasint"`
	Reason string `cbor:"3,keyasint,omitempty"`
}

func (AskOverride) input()      {}
func (ApproveOverride) input()  {}
func (WithdrawOverride) input() {}

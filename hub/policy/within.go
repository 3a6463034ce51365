package policy

import (
	"fmt"

	"tradehub/hub"
)

// A trader's part of a number of the fund. What follows finds a trader's limit that is not below the fund's: where the fund's rule lets an order pass, the trader's does.

// part is how a trader's number stands to the fund's of the same name.
type part uint8

const (
	// notPart: the one says nothing of the other. So are net values, profits, and money that is available.
	notPart part = iota
	// mostlyPart: the fund's is the larger one but where positions of traders offset each other: in a contract that nets the fund holds long less short, and the venue may have less than the
	// traders' books, which is taken off the fund's.
	mostlyPart
	// alwaysPart: the fund's is the sum over the traders, and none of them is negative.
	alwaysPart
)

func partOf(v Var) part {
	//exhaustive:ignore
	switch v {
	case ActiveOrders, InDoubt, WorkingValue, WorkingBuy, WorkingSell, WorkingOpenLong, WorkingOpenShort, WorkingCloseLong, WorkingCloseShort:
		return alwaysPart
	case PositionLong, PositionShort, PositionLongToday, PositionShortToday, PositionLongYesterday, PositionShortYesterday, LongAfter, ShortAfter,
		GrossValue, GrossAfter, MarginHeld, MarginPositions, MarginAfter:
		return mostlyPart
	}
	return notPart
}

// raiser puts the fund's numbers in the place of a trader's where a larger one can only refuse more. What it leaves as it is may stand anywhere.
type raiser struct {
	parts  int
	offset bool // one of them is mostlyPart
}

// truth raises a condition that must hold, or, with want false, must not.
func (r *raiser) truth(n *node, want bool) *node {
	made := *n
	//exhaustive:ignore
	switch n.op {
	case opNot:
		made.a = r.truth(n.a, !want)
	case opAnd, opOr:
		made.a, made.b = r.truth(n.a, want), r.truth(n.b, want)
	case opIf:
		made.b, made.c = r.truth(n.b, want), r.truth(n.c, want)
	case opLess, opLessEqual:
		made.a, made.b = r.number(n.a, want), r.number(n.b, !want)
	case opGreater, opGreaterEqual:
		made.a, made.b = r.number(n.a, !want), r.number(n.b, want)
	default:
		return n
	}
	return &made
}

// number raises a number that may become larger: not what is taken from it, or is a factor of what may be negative.
func (r *raiser) number(n *node, larger bool) *node {
	made := *n
	//exhaustive:ignore
	switch n.op {
	case opVar:
		p := partOf(n.ref.Var)
		if !larger || p == notPart || n.ref.Scope != ScopeTrader || n.ref.Name != "" {
			return n
		}
		r.parts++
		r.offset = r.offset || p == mostlyPart
		made.ref.Scope = ScopeFund
	case opNeg:
		made.a = r.number(n.a, !larger)
	case opAdd, opMin, opMax:
		made.a, made.b = r.number(n.a, larger), r.number(n.b, larger)
	case opSub:
		made.a, made.b = r.number(n.a, larger), r.number(n.b, !larger)
	case opTraded, opFloor, opCeil:
		made.a = r.number(n.a, larger)
	case opIf:
		made.b, made.c = r.number(n.b, larger), r.number(n.c, larger)
	case opMul:
		switch {
		case n.a.op == opNumber && !n.a.number.IsNeg():
			made.b = r.number(n.b, larger)
		case n.b.op == opNumber && !n.b.number.IsNeg():
			made.a = r.number(n.a, larger)
		default:
			return n
		}
	case opQuo:
		if n.b.op != opNumber || !n.b.number.IsPos() {
			return n
		}
		made.a = r.number(n.a, larger)
	default:
		return n
	}
	return &made
}

// notBelow finds a rule of the fund that always refuses before r does, since r sets a bound to a trader's part of what the fund's sets a lower one, or the same, to.
func (l *linter) notBelow(r *rule, fund *sheet, trader hub.TraderName) bool {
	var up raiser
	raised := *r
	raised.when, raised.require = nil, up.truth(passing(r), true)
	if up.parts == 0 {
		return false
	}
	for i := range fund.rules {
		f := &fund.rules[i]
		if f == r || !covers(f, &raised, trader) {
			continue
		}
		but := ""
		if up.offset {
			but = ", unless positions of traders offset each other"
		}
		l.at(r, "require", "never refuses first: what a trader has the fund has, and the fund's rule %s (%s) refuses already%s%s", f.name, f.place, but, againstFunds(r, f))
		return true
	}
	return false
}

// againstFunds says which limit is not below which, where each rule has one.
func againstFunds(r, f *rule) string {
	own, funds := limitsIn(r), limitsIn(f)
	if len(own) != 1 || len(funds) != 1 {
		return ""
	}
	a, b := own[0], funds[0]
	return fmt.Sprintf(": limits.%s, %s, is not below the fund's limits.%s, %s", a.limit, grouped(a.number), b.limit, grouped(b.number))
}

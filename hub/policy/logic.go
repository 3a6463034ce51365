package policy

import (
	"maps"
	"slices"
	"strings"

	"tradehub/hub"
)

// What follows is for the tools, not for decisions: whether a condition can be true at all, and whether one follows from another. A condition is written as alternatives, each a list of
// facts that hold together; what cannot be seen through (a % b == 0) is a fact by its text. "Cannot be shown" is always a possible answer, and then nothing is said to the user.

// alternativesMost bounds the work for one question; what needs more cannot be shown.
const alternativesMost = 512

// claim is a condition that is said to hold, or not to.
type claim struct {
	n    *node
	hold bool
}

func holds(n *node) claim      { return claim{n, true} }
func fails(n *node) claim      { return claim{n, false} }
func whether(b bool) *node     { return &node{op: opTruth, kind: KindTruth, truth: b} }
func or(a, b *node) *node      { return &node{op: opOr, kind: KindTruth, a: a, b: b} }
func negated(a *node) *node    { return &node{op: opNot, kind: KindTruth, a: a} }
func passing(r *rule) *node    { return passingIf(r.when, r.require) }
func alwaysTrue(n *node) bool  { return impossible(fails(n)) }
func alwaysFalse(n *node) bool { return impossible(holds(n)) }

// passingIf is the condition on which a rule with these conditions lets an order pass.
func passingIf(when, require *node) *node {
	if when == nil {
		return require
	}
	return or(negated(when), require)
}

// impossible reports whether it can be shown that no order makes all claims true. Values that are missing are left out of it: who says so must say that.
func impossible(claims ...claim) bool {
	worlds := []world{{}}
	for _, c := range claims {
		alternatives, ok := alternativesOf(c)
		if !ok {
			return false
		}
		var next []world
		for _, w := range worlds {
			for _, facts := range alternatives {
				if grown, possible := w.with(facts); possible {
					if next = append(next, grown); len(next) > alternativesMost {
						return false
					}
				}
			}
		}
		worlds = next
	}
	return len(worlds) == 0
}

// fact is a part of a condition that is taken as it is.
type fact struct {
	key string
	// of a number: how it compares with the bound.
	op    op // opLess, ..., opNotEqual; 0 of another fact
	bound hub.Decimal
	least *hub.Decimal // what the number never is below; nil when nothing is known
	ratio bool         // the number is a quotient whose divisor may be 0
	// of a text: one of texts, or, with not, none of them. members are all that it can be; nil: any text.
	texts   []string
	not     bool
	members []string
	// of a truth.
	truth bool
}

// alternativesOf writes a claim as alternatives; false when there are too many.
func alternativesOf(c claim) ([][]fact, bool) {
	n := c.n
	//exhaustive:ignore
	switch n.op {
	case opTruth:
		if n.truth == c.hold {
			return [][]fact{{}}, true
		}
		return nil, true
	case opNot:
		return alternativesOf(claim{n.a, !c.hold})
	case opAnd, opOr:
		return joined(c.hold == (n.op == opAnd), claim{n.a, c.hold}, claim{n.b, c.hold})
	case opSameTruth, opOtherTruth:
		return eitherOf(claim{n.a, true}, claim{n.b, (n.op == opSameTruth) == c.hold}, claim{n.a, false}, claim{n.b, (n.op == opSameTruth) != c.hold})
	case opIf:
		return eitherOf(claim{n.a, true}, claim{n.b, c.hold}, claim{n.a, false}, claim{n.c, c.hold})
	case opLess, opLessEqual, opGreater, opGreaterEqual, opEqual, opNotEqual:
		return compared(n, c.hold)
	case opInNumbers:
		return oneOfNumbers(n, c.hold)
	case opSameText, opOtherText, opInTexts:
		return [][]fact{{textFact(n, c.hold)}}, true
	}
	return [][]fact{{{key: resolved(n, nil).String(), truth: c.hold}}}, true
}

// eitherOf is (a and b) or (c and d).
func eitherOf(a, b, c, d claim) ([][]fact, bool) {
	first, ok := joined(true, a, b)
	if !ok {
		return nil, false
	}
	second, ok := joined(true, c, d)
	return append(first, second...), ok && len(first)+len(second) <= alternativesMost
}

// joined is a and b, or a or b.
func joined(and bool, a, b claim) ([][]fact, bool) {
	left, ok := alternativesOf(a)
	if !ok {
		return nil, false
	}
	right, ok := alternativesOf(b)
	if !ok {
		return nil, false
	}
	if !and {
		return append(left, right...), len(left)+len(right) <= alternativesMost
	}
	if len(left)*len(right) > alternativesMost {
		return nil, false
	}
	var all [][]fact
	for _, l := range left {
		for _, r := range right {
			all = append(all, slices.Concat(l, r))
		}
	}
	return all, true
}

// textFact is a comparison of texts.
func textFact(n *node, hold bool) fact {
	texts, of := n.texts, n.a
	if n.op != opInTexts {
		if of.op == opText {
			of, texts = n.b, []string{n.a.text}
		} else {
			texts = []string{n.b.text}
		}
		if n.a.op != opText && n.b.op != opText {
			same := *n
			same.op = opSameText
			return fact{key: resolved(&same, nil).String(), truth: hold == (n.op == opSameText)}
		}
	}
	f := fact{key: resolved(of, nil).String(), texts: texts, not: hold == (n.op == opOtherText)}
	if of.op == opVar {
		if info := catalogueByRef[Ref{Scope: of.ref.Scope, Narrow: of.ref.Narrow, Var: of.ref.Var}]; info != nil {
			f.members = info.Members
		}
	}
	return f
}

// oneOfNumbers is x in [1, 2].
func oneOfNumbers(n *node, hold bool) ([][]fact, bool) {
	var all [][]fact
	var together []fact
	for _, d := range n.numbers {
		one, ok := compared(&node{op: opEqual, kind: KindTruth, a: n.a, b: &node{op: opNumber, kind: KindNumber, number: d}}, hold)
		if !ok || len(all) > alternativesMost {
			return nil, false
		}
		if hold {
			all = append(all, one...)
		} else if len(one) == 1 {
			together = append(together, one[0]...)
		}
	}
	if !hold {
		return [][]fact{together}, true
	}
	return all, true
}

// opposite is the comparison that holds when o does not, and mirrored the one with its sides exchanged.
var (
	opposite = map[op]op{opLess: opGreaterEqual, opLessEqual: opGreater, opGreater: opLessEqual, opGreaterEqual: opLess, opEqual: opNotEqual, opNotEqual: opEqual}
	mirrored = map[op]op{opLess: opGreater, opLessEqual: opGreaterEqual, opGreater: opLess, opGreaterEqual: opLessEqual, opEqual: opEqual, opNotEqual: opNotEqual}
)

// compared is a comparison of numbers. max(a, b) <= c is a <= c and b <= c.
func compared(n *node, hold bool) ([][]fact, bool) {
	o := n.op
	if !hold {
		o = opposite[o]
	}
	for _, side := range []struct {
		of, other *node
		o         op
	}{{n.a, n.b, o}, {n.b, n.a, mirrored[o]}} {
		if side.of.op != opMin && side.of.op != opMax || side.o == opEqual || side.o == opNotEqual {
			continue
		}
		below := side.o == opLess || side.o == opLessEqual
		one := &node{op: side.o, kind: KindTruth, a: side.of.a, b: side.other}
		two := &node{op: side.o, kind: KindTruth, a: side.of.b, b: side.other}
		return joined(below == (side.of.op == opMax), holds(one), holds(two))
	}
	f, truth, known := linearFact(resolved(n.a, nil), resolved(n.b, nil), o)
	switch {
	case known && truth:
		return [][]fact{{}}, true
	case known:
		return nil, true
	}
	return [][]fact{{f}}, true
}

// linear is a sum of terms, each a text with a factor, and a constant.
type linear struct {
	terms    map[string]hub.Decimal
	nodes    map[string]*node
	constant hub.Decimal
}

// add adds n, times a factor. What is no sum, and no product with a constant, is a term by its text.
func (l *linear) add(n *node, factor hub.Decimal, sum *hub.Sum) {
	//exhaustive:ignore
	switch {
	case n.op == opNumber:
		l.constant = sum.Add(l.constant, sum.Mul(n.number, factor))
		return
	case n.op == opTraded:
		l.add(n.a, factor, sum)
		return
	case n.op == opNeg:
		l.add(n.a, factor.Neg(), sum)
		return
	case n.op == opAdd || n.op == opSub:
		l.add(n.a, factor, sum)
		if n.op == opSub {
			factor = factor.Neg()
		}
		l.add(n.b, factor, sum)
		return
	case n.op == opMul && n.a.op == opNumber:
		l.add(n.b, sum.Mul(factor, n.a.number), sum)
		return
	case n.op == opMul && n.b.op == opNumber:
		l.add(n.a, sum.Mul(factor, n.b.number), sum)
		return
	}
	key := n.String()
	l.terms[key], l.nodes[key] = sum.Add(l.terms[key], factor), n
}

// linearFact is a o b, written as one number that is compared with a constant. known: it is true, or false, whatever the numbers are.
func linearFact(a, b *node, o op) (f fact, truth, known bool) {
	var sum hub.Sum
	l := linear{map[string]hub.Decimal{}, map[string]*node{}, hub.Decimal{}}
	l.add(a, hub.Int(1), &sum)
	l.add(b, hub.Int(-1), &sum)
	maps.DeleteFunc(l.terms, func(_ string, d hub.Decimal) bool { return d.IsZero() })
	keys := slices.Sorted(maps.Keys(l.terms))
	opaque := fact{key: (&node{op: o, kind: KindTruth, a: a, b: b}).String(), truth: true}
	switch {
	case sum.Err() != nil:
		return opaque, false, false
	case len(keys) == 0:
		return fact{}, compares(l.constant, o), true
	case len(keys) == 2 && l.constant.IsZero():
		if f, ok := l.ratio(keys, o); ok {
			return f, false, false
		}
	}
	// The first term gets the factor 1, if that is exact; else its own sign only.
	first := l.terms[keys[0]]
	if first.IsNeg() {
		o = mirrored[o]
	}
	exact := true
	scaled := func(d hub.Decimal) hub.Decimal {
		q := sum.Quo(d, first)
		exact = exact && sum.Mul(q, first).Equal(d)
		return q
	}
	var parts []string
	for _, key := range keys {
		factor := scaled(l.terms[key])
		if factor.Equal(hub.Int(1)) {
			parts = append(parts, key)
			continue
		}
		parts = append(parts, factor.Trim(0).String()+" * "+key)
	}
	f = fact{key: strings.Join(parts, " + "), op: o, bound: scaled(l.constant).Neg()}
	if sum.Err() != nil || !exact {
		return opaque, false, false
	}
	if n := l.nodes[keys[0]]; len(keys) == 1 && notNegative(n) && n.ref.Var != MarketSpread { // bids over asks are seen
		f.least = &hub.Decimal{}
	}
	return f, false, false
}

// ratio writes a <= 0.1 * b as a / b <= 0.1, where that says the same for every 0.1: when b is never negative, or when a is not and the factor is above 0.
func (l *linear) ratio(keys []string, o op) (fact, bool) {
	one := hub.Int(1)
	over, under := keys[0], keys[1]
	if !l.terms[over].Abs().Equal(one) {
		over, under = under, over
	}
	if !l.terms[over].Abs().Equal(one) || o == opEqual || o == opNotEqual {
		return fact{}, false
	}
	bound := l.terms[under]
	if l.terms[over].IsNeg() {
		o = mirrored[o]
	} else {
		bound = bound.Neg()
	}
	monotone := notNegative(l.nodes[under]) || notNegative(l.nodes[over]) && bound.IsPos()
	return fact{key: over + " / " + under, op: o, bound: bound, ratio: true}, monotone
}

// compares reports whether d o 0.
func compares(d hub.Decimal, o op) bool {
	c := d.Sign()
	//exhaustive:ignore
	switch o {
	case opLess:
		return c < 0
	case opLessEqual:
		return c <= 0
	case opGreater:
		return c > 0
	case opGreaterEqual:
		return c >= 0
	case opEqual:
		return c == 0
	}
	return c != 0
}

// world is what is known of numbers, texts and truths when some facts hold.
type world map[string]knowledge

// knowledge is what is known of one of them.
type knowledge struct {
	low, high         *hub.Decimal
	lowOpen, highOpen bool // the bound itself is not reached
	never             []hub.Decimal
	allowed           []string // nil: every text but those in forbidden
	forbidden         []string
	truth             *bool
	ratio             bool
}

// with is the world in which the facts hold, too; false when there is none.
func (w world) with(facts []fact) (world, bool) {
	grown := maps.Clone(w)
	for _, f := range facts {
		k := grown[f.key]
		if !k.learn(f) {
			return nil, false
		}
		grown[f.key] = k
	}
	return grown, true
}

// learn adds a fact; false when it cannot be.
func (k *knowledge) learn(f fact) bool {
	switch {
	case f.texts != nil:
		return k.learnText(f)
	case f.op == 0:
		if k.truth != nil && *k.truth != f.truth {
			return false
		}
		k.truth = &f.truth
		return true
	}
	k.ratio = f.ratio
	if f.least != nil && (k.low == nil || k.low.Less(*f.least)) {
		k.low, k.lowOpen = f.least, false
	}
	bound := f.bound
	//exhaustive:ignore
	switch f.op {
	case opLess, opLessEqual:
		k.below(bound, f.op == opLess)
	case opGreater, opGreaterEqual:
		k.above(bound, f.op == opGreater)
	case opEqual:
		k.below(bound, false)
		k.above(bound, false)
	case opNotEqual:
		k.never = append(slices.Clone(k.never), bound)
	}
	return k.possible()
}

func (k *knowledge) below(d hub.Decimal, open bool) {
	if k.high == nil || d.Less(*k.high) || d.Equal(*k.high) && open {
		k.high, k.highOpen = &d, open
	}
}

func (k *knowledge) above(d hub.Decimal, open bool) {
	if k.low == nil || k.low.Less(d) || d.Equal(*k.low) && open {
		k.low, k.lowOpen = &d, open
	}
}

// possible reports whether there is a number that all facts allow.
func (k *knowledge) possible() bool {
	if k.low == nil || k.high == nil {
		return true
	}
	switch c := k.low.Cmp(*k.high); {
	case c > 0:
		return k.ratio && !k.lowOpen && !k.highOpen // both sides may be 0
	case c == 0:
		return !k.lowOpen && !k.highOpen && !slices.ContainsFunc(k.never, k.low.Equal)
	}
	return true
}

func (k *knowledge) learnText(f fact) bool {
	if k.allowed == nil && f.members != nil {
		k.allowed = f.members
	}
	switch {
	case f.not:
		k.forbidden = slices.Concat(k.forbidden, f.texts)
	case k.allowed == nil:
		k.allowed = f.texts
	default:
		k.allowed = slices.DeleteFunc(slices.Clone(k.allowed), func(s string) bool { return !slices.Contains(f.texts, s) })
	}
	return k.allowed == nil || slices.ContainsFunc(k.allowed, func(s string) bool { return !slices.Contains(k.forbidden, s) })
}

// resolved is n with numbers in the place of limits: those of instead, where it has them, else the limits' own.
func resolved(n *node, instead map[string]hub.Decimal) *node {
	if n == nil {
		return nil
	}
	if n.op == opNumber {
		d := n.number
		if other, ok := instead[n.limit]; ok && n.limit != "" {
			d = other
		}
		if n.of != nil && n.limits && len(instead) > 0 {
			m := machine{}
			if computed, ok := m.number(resolved(n.of, instead)); ok {
				d = computed
			}
		}
		return &node{op: opNumber, kind: KindNumber, number: d.Trim(0)}
	}
	made := *n
	made.a, made.b, made.c = resolved(n.a, instead), resolved(n.b, instead), resolved(n.c, instead)
	if n.op == opVar && n.a != nil && made.a.op == opNumber {
		made.ref.Least = made.a.number
	}
	return &made
}

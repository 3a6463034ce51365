package policy

import (
	"regexp"
	"slices"
	"strings"

	"tradehub/hub"
)

var percentForm = regexp.MustCompile(`^([0-9_.]+) ?%$`)

// hundred is what per cent are of.
var hundred = hub.Int(100)

// warn reads of what somebody is to be warned: N%, or a condition.
func (c *sheetCompiler) warn(r *rule, e entry, where string) {
	s, ok := c.scalar(e, where, "a part of the limits such as 90%, or a condition")
	if !ok {
		return
	}
	text := strings.TrimSpace(s.value())
	r.warnText = oneLine(text)
	m := percentForm.FindStringSubmatch(text)
	if m == nil {
		if _, bad := readNumber(text); bad == "" {
			c.fail(s.at(0), where, "write %s%%, or a condition that is true as long as nobody need be warned", text)
			return
		}
		r.warn = c.condition(s, where)
		r.warnReads = readsOf(r.warn)
		return
	}
	percent, bad := readNumber(m[1])
	switch {
	case bad != "":
		c.fail(s.at(0), where, "%s", bad)
		return
	case !percent.IsPos() || percent.Cmp(hundred) >= 0:
		c.fail(s.at(0), where, "%s is no part of a limit; write more than 0%% and less than 100%%", text)
		return
	case r.require == nil:
		return // why has been said
	}
	part, err := percent.Quo(hundred)
	if err != nil {
		return // it is between 0 and 1
	}
	t := tightening{part: part.Trim(0), sure: true}
	warn := t.condition(r.require)
	switch {
	case t.wrong != "":
		c.fail(s.at(0), where, "%s of the limits: %s; write a condition that is true as long as nobody need be warned", text, t.wrong)
	case warn == r.require:
		c.fail(s.at(0), where, "%s of the limits: require reads none; write a condition that is true as long as nobody need be warned", text)
	default:
		r.warn, r.percent, r.tighter, r.warnReads = warn, text, t.sure, readsOf(warn)
	}
}

// tightening makes a condition of another one, with a part of its limits.
type tightening struct {
	part  hub.Decimal
	wrong string
	// sure: as long as what is made holds, so does what it was made of, whatever the numbers of an order.
	sure bool
}

// condition is n with a part of its limits; n itself when it has none.
func (t *tightening) condition(n *node) *node {
	if !n.limits {
		return n
	}
	//exhaustive:ignore
	switch n.op {
	case opAnd, opOr:
		made := *n
		made.a, made.b = t.condition(n.a), t.condition(n.b)
		if made.a == n.a && made.b == n.b {
			return n
		}
		return &made
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		return t.comparison(n)
	}
	t.fail(n, "is no comparison with <, <=, > or >=")
	return n
}

func (t *tightening) fail(n *node, what string) {
	if t.wrong == "" {
		t.wrong = shorten(n.String(), 2*textShown) + " " + what
	}
}

func (t *tightening) comparison(n *node) *node {
	made := *n
	made.a, made.b = t.number(n.a), t.number(n.b)
	if t.wrong != "" {
		return n
	}
	if made.a == n.a && made.b == n.b {
		return n
	}
	left, right := t.lean(n.a), t.lean(n.b)
	if n.op == opGreater || n.op == opGreaterEqual {
		left, right = left.turned(), right.turned()
	}
	// The smaller side must not become smaller, nor the larger side larger, and one of them must move.
	if left != up && left != still || right != down && right != still || left == still && right == still {
		t.fail(n, "does not surely become tighter with a part of its limits")
		return n
	}
	t.sure = t.sure && (!n.a.limits || !n.a.reads) && (!n.b.limits || !n.b.reads)
	return &made
}

// number is n with a part of its limits; n itself when it has none. What is looked for below a counter's quantity is no bound, and stays.
func (t *tightening) number(n *node) *node {
	switch {
	case !n.limits || n.op == opVar:
		return n
	case n.op == opNumber && n.limit != "":
		return t.folded(n, &node{op: opMul, kind: KindNumber, a: &node{op: opNumber, kind: KindNumber, number: t.part}, b: n, limits: true})
	case n.op == opNumber && n.of != nil:
		return t.folded(n, t.number(n.of))
	case n.op == opIf:
		t.fail(n, "is one number or another")
		return n
	}
	made := *n
	for _, operand := range []**node{&made.a, &made.b} {
		if *operand != nil {
			*operand = t.number(*operand)
		}
	}
	return &made
}

// folded is a constant that is computed of others.
func (t *tightening) folded(was, of *node) *node {
	m := machine{}
	d, ok := m.number(of)
	if !ok {
		t.fail(was, "cannot be computed with a part of its limits: "+m.sentence().String())
		return was
	}
	return &node{op: opNumber, kind: KindNumber, number: d, limits: true, of: of}
}

// leaning says how a number moves when its limits become a part of what they are.
type leaning uint8

const (
	still leaning = iota
	down
	up
	either
)

func (l leaning) turned() leaning {
	switch l {
	case down:
		return up
	case up:
		return down
	case still, either:
	}
	return l
}

func (l leaning) with(m leaning) leaning {
	switch {
	case l == m || m == still:
		return l
	case l == still:
		return m
	}
	return either
}

func (t *tightening) lean(n *node) leaning {
	if !n.limits {
		return still
	}
	//exhaustive:ignore
	switch n.op {
	case opVar:
		return still
	case opNumber:
		switch c := t.number(n).number.Cmp(n.number); {
		case c < 0:
			return down
		case c > 0:
			return up
		}
		return still
	case opTraded, opFloor, opCeil:
		return t.lean(n.a)
	case opNeg:
		return t.lean(n.a).turned()
	case opAdd, opMin, opMax:
		return t.lean(n.a).with(t.lean(n.b))
	case opSub:
		return t.lean(n.a).with(t.lean(n.b).turned())
	case opMul:
		switch {
		case !n.b.limits && notNegative(n.b):
			return t.lean(n.a)
		case !n.a.limits && notNegative(n.a):
			return t.lean(n.b)
		}
	case opQuo:
		switch {
		case !n.b.limits && notNegative(n.b):
			return t.lean(n.a)
		case !n.a.limits && notNegative(n.a):
			return t.lean(n.b).turned()
		}
	}
	return either
}

// notNegative reports whether a number is surely 0 or more.
func notNegative(n *node) bool {
	//exhaustive:ignore
	switch n.op {
	case opNumber:
		return !n.number.IsNeg()
	case opVar:
		return neverNegative(n.ref)
	case opAbs:
		return true
	case opTraded, opFloor, opCeil:
		return notNegative(n.a)
	case opAdd, opMul, opQuo, opMin, opRem:
		return notNegative(n.a) && notNegative(n.b)
	case opMax:
		return notNegative(n.a) || notNegative(n.b)
	case opIf:
		return notNegative(n.b) && notNegative(n.c)
	}
	return false
}

func neverNegative(ref Ref) bool {
	//exhaustive:ignore
	switch ref.Var {
	case PositionNet:
		return false
	case OrderValue, Capital, WorkingValue, GrossValue, GrossAfter, TradedValue, MarginHeld, MarginPositions:
		return true
	}
	info := catalogueByRef[Ref{Scope: ref.Scope, Narrow: ref.Narrow, Var: ref.Var}]
	return info != nil && slices.Contains([]string{"price", "quantity", "count", "seconds", "underlying / quantity", "fund money / contract money"}, info.Unit)
}

// narrowOf is what a warning is about: the order's contract when one of what it reads is, else its product, else everything.
func narrowOf(reads []*node) Narrowing {
	narrow := All
	for _, n := range reads {
		switch {
		case n.op != opVar:
		case n.ref.Narrow == InContract || n.ref.Scope == ScopeMarket || n.ref.Scope == ScopeOwn:
			return InContract
		case n.ref.Narrow == InProduct:
			narrow = InProduct
		}
	}
	return narrow
}

// nearTo finds the first comparison that does not hold with a part of its limits. tight was made of whole.
func nearTo(whole, tight *node, source Source) (nearness, *node) {
	if whole == tight {
		return nearness{}, nil
	}
	m := machine{source: source}
	if holds, ok := m.truth(tight); holds || !ok {
		return nearness{}, nil
	}
	if whole.op == opAnd || whole.op == opOr {
		if near, at := nearTo(whole.a, tight.a, source); at != nil {
			return near, at
		}
		return nearTo(whole.b, tight.b, source)
	}
	value, limit := whole.a, whole.b
	if !value.reads || limit.reads && value.limits && !limit.limits {
		value, limit = limit, value
	}
	near := nearness{value: value.String(), limit: limit.String(), valueNow: shown(value, source), limitNow: shown(limit, source)}
	if limit.op == opNumber && !limit.limits {
		near.limit = near.limitNow // it is written out
	}
	a, okA := m.number(value)
	b, okB := m.number(limit)
	if okA && okB && a.Sign() == b.Sign() && b.Sign() != 0 {
		var sum hub.Sum
		if part := sum.Mul(sum.Quo(a, b), hundred); sum.Err() == nil {
			near.part = grouped(part.Round(1))
		}
	}
	return near, whole
}

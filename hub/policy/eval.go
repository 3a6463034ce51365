package policy

import (
	"slices"
	"strings"

	"tradehub/hub"
)

// op is what a node does. It is an alias because each switch of the evaluator is about a part of the operations only.
type op = uint8

// Operations. The comment says what a node of it gives.
const (
	opNumber op = iota // number: a literal or a limit
	opText             // text: a literal
	opTruth            // truth: a literal
	opVar              // what the variable is

	opAdd // number
	opSub
	opMul
	opQuo
	opRem
	opNeg
	opAbs
	opFloor
	opCeil
	opMin
	opMax
	opTraded // number: its operand, of a contract that is counted in lots (shares, coins), which is the text

	opAnd // truth
	opOr
	opNot
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opEqual // of two numbers
	opNotEqual
	opSameText // of two texts
	opOtherText
	opSameTruth // of two truths
	opOtherTruth
	opInNumbers
	opInTexts
	opContains
	opStartsWith
	opEndsWith

	opIf // what its branches are
)

// node is one step of a checked expression. Its operands have the kinds that its operation wants: the checker saw to that, so the evaluator does not ask.
type node struct {
	op      op
	kind    Kind
	a, b, c *node // operands, from the left; of opIf: condition, then, else
	ref     Ref   // opVar
	number  hub.Decimal
	text    string
	truth   bool
	limit   string        // opNumber: the limit's name; "" for a literal
	of      *node         // opNumber: what the number was computed of when the rule was compiled
	numbers []hub.Decimal // opInNumbers, sorted
	texts   []string      // opInTexts, sorted
	reads   bool          // it, or an operand, reads a variable
	limits  bool          // it, or an operand, reads a limit
}

// fate is why an expression could not be computed.
type fate uint8

const (
	fateNone fate = iota
	fateMissing
	fateWrongKind
	fateZeroDivisor
	fateTooLarge
	fateNotTraded
	fateTooLong
)

// MaxText is the longest text that a rule looks at, in bytes: a trader makes order.reference as long as the trader likes.
const MaxText = 1024

// machine evaluates an expression for one order, up to the first thing that cannot be computed, which it keeps. It is made on the stack and allocates nothing.
type machine struct {
	source Source
	fate   fate
	at     *node
	why    string // of fateMissing: the source's own words
}

func (m *machine) fail(f fate, at *node, why string) {
	m.fate, m.at, m.why = f, at, why
}

// number computes a node that is a number; false when it cannot be computed.
func (m *machine) number(n *node) (hub.Decimal, bool) {
	switch n.op {
	case opNumber:
		return n.number, true
	case opVar:
		if n.a != nil && n.a.reads {
			return m.sized(n)
		}
		v := m.source.Value(&n.ref)
		if v.Kind != KindNumber {
			m.missing(n, v)
			return hub.Decimal{}, false
		}
		return v.Number, true
	case opIf:
		branch, ok := m.branch(n)
		if !ok {
			return hub.Decimal{}, false
		}
		return m.number(branch)
	}
	a, ok := m.number(n.a)
	if !ok {
		return hub.Decimal{}, false
	}
	switch n.op {
	case opTraded:
		return a, m.traded(n)
	case opNeg:
		return a.Neg(), true
	case opAbs:
		return a.Abs(), true
	case opFloor:
		return a.Floor(0), true
	case opCeil:
		return a.Ceil(0), true
	}
	b, ok := m.number(n.b)
	if !ok {
		return hub.Decimal{}, false
	}
	return m.arithmetic(n, a, b)
}

// sized computes a variable that counts from a quantity on which the order decides. It is the one thing that allocates: the rule is asked by many at once, and its Ref is theirs.
func (m *machine) sized(n *node) (hub.Decimal, bool) {
	least, ok := m.number(n.a)
	if !ok {
		return hub.Decimal{}, false
	}
	ref := n.ref
	ref.Least = least
	v := m.source.Value(&ref)
	if v.Kind != KindNumber {
		m.missing(n, v)
		return hub.Decimal{}, false
	}
	return v.Number, true
}

// traded reports whether the order's contract is counted in the unit that a limit is written in.
func (m *machine) traded(n *node) bool {
	v := m.source.Value(&contractKind)
	switch {
	case v.Kind != KindText:
		m.missing(&node{op: opVar, kind: KindText, ref: contractKind}, v)
		return false
	case !countedIn(v.Text, n.text):
		m.fail(fateNotTraded, n, v.Text)
		return false
	}
	return true
}

var contractKind = Ref{Scope: ScopeContract, Var: ContractKind}

// arithmetic computes an operation of two numbers. A result is rounded half to even to the digits that a Decimal has; one that has more than 19 before the point is a failure.
func (m *machine) arithmetic(n *node, a, b hub.Decimal) (hub.Decimal, bool) {
	var d hub.Decimal
	var err error
	switch n.op {
	case opMin:
		return a.Min(b), true
	case opMax:
		return a.Max(b), true
	case opAdd:
		d, err = a.Add(b)
	case opSub:
		d, err = a.Sub(b)
	case opMul:
		d, err = a.Mul(b)
	case opQuo, opRem:
		if b.IsZero() {
			m.fail(fateZeroDivisor, n, "")
			return hub.Decimal{}, false
		}
		if n.op == opQuo {
			d, err = a.Quo(b)
		} else {
			_, d, err = a.QuoRem(b)
		}
	default:
		panic("policy: not arithmetic")
	}
	if err != nil {
		m.fail(fateTooLarge, n, "")
		return hub.Decimal{}, false
	}
	return d, true
}

// truth computes a node that is a truth; false when it cannot be computed. Operands are computed from the left, and of and, or and ?: only as far as needed.
func (m *machine) truth(n *node) (value, ok bool) {
	switch n.op {
	case opTruth:
		return n.truth, true
	case opVar:
		v := m.source.Value(&n.ref)
		if v.Kind != KindTruth {
			m.missing(n, v)
			return false, false
		}
		return v.Truth, true
	case opAnd, opOr:
		a, ok := m.truth(n.a)
		if !ok || a == (n.op == opOr) {
			return a, ok
		}
		return m.truth(n.b)
	case opNot:
		a, ok := m.truth(n.a)
		return !a, ok
	case opIf:
		branch, ok := m.branch(n)
		if !ok {
			return false, false
		}
		return m.truth(branch)
	case opSameTruth, opOtherTruth:
		a, ok := m.truth(n.a)
		if !ok {
			return false, false
		}
		b, ok := m.truth(n.b)
		return (a == b) == (n.op == opSameTruth), ok
	case opSameText, opOtherText, opContains, opStartsWith, opEndsWith, opInTexts:
		return m.texts(n)
	}
	return m.compare(n)
}

// compare computes a comparison of numbers.
func (m *machine) compare(n *node) (value, ok bool) {
	a, ok := m.number(n.a)
	if !ok {
		return false, false
	}
	if n.op == opInNumbers {
		_, found := slices.BinarySearchFunc(n.numbers, a, hub.Decimal.Cmp)
		return found, true
	}
	b, ok := m.number(n.b)
	if !ok {
		return false, false
	}
	c := a.Cmp(b)
	switch n.op {
	case opLess:
		return c < 0, true
	case opLessEqual:
		return c <= 0, true
	case opGreater:
		return c > 0, true
	case opGreaterEqual:
		return c >= 0, true
	case opEqual:
		return c == 0, true
	case opNotEqual:
		return c != 0, true
	}
	panic("policy: not a comparison")
}

// texts computes a truth about texts.
func (m *machine) texts(n *node) (value, ok bool) {
	a, ok := m.text(n.a)
	if !ok {
		return false, false
	}
	if n.op == opInTexts {
		_, found := slices.BinarySearch(n.texts, a)
		return found, true
	}
	b, ok := m.text(n.b)
	if !ok {
		return false, false
	}
	switch n.op {
	case opSameText:
		return a == b, true
	case opOtherText:
		return a != b, true
	case opContains:
		return strings.Contains(a, b), true
	case opStartsWith:
		return strings.HasPrefix(a, b), true
	case opEndsWith:
		return strings.HasSuffix(a, b), true
	}
	panic("policy: not about texts")
}

// text computes a node that is a text; false when it cannot be computed.
func (m *machine) text(n *node) (string, bool) {
	switch n.op {
	case opText:
		return n.text, true
	case opVar:
		v := m.source.Value(&n.ref)
		if v.Kind != KindText {
			m.missing(n, v)
			return "", false
		}
		if len(v.Text) > MaxText {
			m.fail(fateTooLong, n, "")
			return "", false
		}
		return v.Text, true
	case opIf:
		branch, ok := m.branch(n)
		if !ok {
			return "", false
		}
		return m.text(branch)
	}
	panic("policy: not a text")
}

// branch is the one that an opIf takes.
func (m *machine) branch(n *node) (*node, bool) {
	condition, ok := m.truth(n.a)
	if condition {
		return n.b, ok
	}
	return n.c, ok
}

func (m *machine) missing(n *node, v *Value) {
	if v.Kind == KindMissing {
		m.fail(fateMissing, n, v.Text)
		return
	}
	m.fail(fateWrongKind, n, "")
}

// sentence says in words what could not be computed, and why.
func (m *machine) sentence() hub.Words {
	switch m.fate {
	case fateNone:
		return hub.Words{}
	case fateMissing:
		if m.why == "" {
			return hub.Say("%s is missing", m.at)
		}
		return hub.Say("%s is missing: %s", m.at, hub.Fixed(clean(m.why)))
	case fateWrongKind:
		return hub.Say("%s is not %s", m.at, hub.Fixed(m.at.kind.phrase()))
	case fateZeroDivisor:
		return hub.Say("cannot divide by %s: it is 0", m.at.b)
	case fateNotTraded:
		return hub.Say("%s is compared with %s, and a contract of the kind %s is not counted in %s", m.at, m.at.text, clean(m.why), m.at.text)
	case fateTooLong:
		return hub.Say("%s is longer than %d bytes", m.at, MaxText)
	case fateTooLarge:
		return hub.Say("%s is too large: more than 19 digits before the point", m.at)
	}
	panic("policy: unknown fate")
}

// phrase is a kind in words.
func (k Kind) phrase() string {
	switch k {
	case KindMissing:
		return "missing"
	case KindNumber:
		return "a number"
	case KindText:
		return "a text"
	case KindTruth:
		return "a truth"
	}
	return "unknown"
}

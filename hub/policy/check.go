package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"tradehub/hub"
)

// operand is a checked part of an expression.
type operand struct {
	*node
	at      int          // its first character
	enum    *enumeration // of a variable whose texts are a closed set
	literal bool         // a text in quotes
	word    string       // an enumeration's member, written without quotes
	unit    unit         // of a number
}

// String is the operand as it was written.
func (o operand) String() string {
	if o.word != "" {
		return o.word
	}
	return o.node.String()
}

// constant reports whether its value is the same for every order, whatever the limits.
func (o operand) constant() bool { return !o.reads && !o.limits }

// checker makes nodes of a syntax tree, or says what is wrong with it. It goes on after a fault, so that one look finds all of them.
type checker struct {
	*parsed
	scale
	limits map[string]limit
	names  []string // of limits, sorted
	watch  watching
	faults []fault
	// visits counts nodes. The parser's tree is a graph: of a < b < c it makes a < b and b < c with one b, and nesting those doubles the work at each level.
	visits int
}

// limit is a number with a name.
type limit struct {
	number  hub.Decimal
	unit    unit
	written string // its unit
	at      place
}

func (l limit) told(name, file string) Limit {
	return Limit{Name: name, Number: l.number, Unit: l.written, Place: fmt.Sprintf("%s:%d", file, l.at.line)}
}

func (c *checker) fault(at int, format string, args ...any) {
	c.faults = append(c.faults, fault{at, fmt.Sprintf(format, args...)})
}

// check checks n and everything below it; false when there is a fault, which then has been said.
func (c *checker) check(n ast.Node) (operand, bool) {
	c.visits++
	if c.visits > MaxNodes {
		if c.visits == MaxNodes+1 {
			c.fault(0, "is too long: more than %d names, numbers, texts and operators", MaxNodes)
		}
		return operand{}, false
	}
	at := n.Location().From
	switch n := n.(type) {
	case *ast.BoolNode:
		return operand{node: &node{op: opTruth, kind: KindTruth, truth: n.Value}, at: at}, true
	case *ast.StringNode:
		return operand{node: &node{op: opText, kind: KindText, text: n.Value}, at: at, literal: true}, true
	case *ast.IntegerNode:
		return c.literal(c.numbers[at], at)
	case *ast.IdentifierNode:
		return c.identifier(n.Value, at)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.function(n.Name, n.Arguments, at)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.ArrayNode:
		c.fault(at, `a list can only stand behind in, as in contract.product in ["rb", "hc"]`)
	case *ast.NilNode:
		c.fault(at, "nil is not for rules: a value that is missing refuses the order")
	default:
		c.fault(at, "is not for rules")
	}
	return operand{}, false
}

// literal is a number that is written out.
func (c *checker) literal(written literal, at int) (operand, bool) {
	if written.unit != "" && !c.units {
		c.fault(at, "units are not for this version of the language")
		return operand{}, false
	}
	n := &node{op: opNumber, kind: KindNumber, number: written.number, text: written.unit}
	return operand{node: n, at: at, unit: c.readUnit(written.unit)}, true
}

var scopes = []string{"order", "contract", "market", "own", "gateway", "trader", "fund", "account", "group", "limits"}

// identifier is a single word: a member of an enumeration, or a mistake.
func (c *checker) identifier(name string, at int) (operand, bool) {
	var constants []string
	for _, e := range enumerations {
		if member, ok := e.member(name); ok {
			return operand{node: &node{op: opText, kind: KindText, text: member}, at: at, word: name}, true
		}
		constants = append(constants, e.members...)
		for _, a := range e.aliases {
			constants = append(constants, a.name)
		}
	}
	capital := strings.ToUpper(name)
	switch {
	case slices.Contains(scopes, name):
		c.fault(at, "%s is not a value; write one of its members%s", name, example(name, c.names))
	case slices.ContainsFunc(functions, func(f function) bool { return f.name == name }):
		c.fault(at, "%s is a function; write %s(...)", name, name)
	case slices.Contains(constants, capital):
		c.fault(at, "unknown name %s; did you mean %s?", name, capital)
	default:
		what, candidates := "name", scopes
		if name == capital {
			what, candidates = "constant", constants
		}
		hint := didYouMean(name, candidates)
		if hint == "" {
			hint = fmt.Sprintf("; a text is written in quotes: %q", name)
		}
		c.fault(at, "unknown %s %s%s", what, name, hint)
	}
	return operand{}, false
}

// example is the first member of a scope, as a hint.
func example(scope string, limits []string) string {
	if scope == "limits" {
		if len(limits) == 0 {
			return "; this file has no limits"
		}
		return ", such as limits." + limits[0]
	}
	i := slices.IndexFunc(catalogue, func(info VarInfo) bool {
		return strings.HasPrefix(info.Name, scope+".") && !info.Windowed && !info.Sized
	})
	return ", such as " + catalogue[i].Name
}

// path is a dotted name and its first character; false when what stands before a dot is not a name.
func path(n ast.Node) (name string, at int, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, n.Location().From, true
	case *ast.MemberNode:
		property, isName := n.Property.(*ast.StringNode)
		owner, at, ok := path(n.Node)
		if !ok || !isName || n.Optional {
			return "", at, false
		}
		return owner + "." + property.Value, at, true
	}
	return "", n.Location().From, false
}

// member is a dotted name: a variable without a window, or a limit.
func (c *checker) member(n *ast.MemberNode) (operand, bool) {
	name, at, ok := path(n)
	if !ok {
		c.fault(n.Location().From, "only a name has members, as in order.price")
		return operand{}, false
	}
	if limit, isLimit := strings.CutPrefix(name, "limits."); isLimit {
		if d, known := c.limits[limit]; known {
			return operand{node: &node{op: opNumber, kind: KindNumber, number: d.number, limit: limit, limits: true}, at: at, unit: d.unit}, true
		}
	}
	info, known := catalogueByName[name]
	switch {
	case !known:
		c.unknown(name, at)
		return operand{}, false
	case info.Sized:
		c.fault(at, `%s counts from a quantity on; write %s("today", 300)`, name, name)
		return operand{}, false
	case info.Published:
		c.fault(at, "%s is of a name under which a number was published; write %s", name, info.Example())
		return operand{}, false
	case info.Named:
		c.fault(at, "%s is of a currency; write %s", name, info.Example())
		return operand{}, false
	case info.Windowed:
		c.fault(at, `%s counts over a window; write %s("10s"), from "1s" to %q, or %s("today")`, name, name, windowText(WindowMax), name)
		return operand{}, false
	}
	if !c.watchable(info, at) {
		return operand{}, false
	}
	return variable(info, 0, at), true
}

func variable(info *VarInfo, window time.Duration, at int) operand {
	n := &node{op: opVar, kind: info.Kind, ref: Ref{Scope: info.Scope, Narrow: info.Narrow, Var: info.Var, Window: window}, reads: true}
	return operand{node: n, at: at, enum: enumerationOf(info), unit: unitNamed(info.Unit)}
}

func (c *checker) unknown(name string, at int) {
	i := slices.IndexFunc(catalogue, func(info VarInfo) bool { return strings.HasPrefix(info.Name, name+".") })
	switch like := variableLike(name, c.names); {
	case i >= 0:
		c.fault(at, "%s is not a value; write one of its members, such as %s", name, catalogue[i].Name)
	case like != "":
		c.fault(at, "unknown name %s; did you mean %s?", name, like)
	case strings.HasPrefix(name, "limits."):
		c.fault(at, "unknown name %s; this file's limits have no %s", name, strings.TrimPrefix(name, "limits."))
	default:
		c.fault(at, "unknown name %s", name)
	}
}

// call is a name with brackets behind it: a variable with its window, or a function.
func (c *checker) call(n *ast.CallNode) (operand, bool) {
	name, at, ok := path(n.Callee)
	if !ok {
		c.fault(n.Location().From, "only a name can be called, as in abs(order.price)")
		return operand{}, false
	}
	if !strings.Contains(name, ".") {
		return c.function(name, n.Arguments, at)
	}
	info, known := catalogueByName[name]
	switch {
	case strings.HasPrefix(name, "limits."):
		c.fault(at, "%s takes no window; write %s", name, name)
		return operand{}, false
	case !known:
		c.unknown(name, at)
		return operand{}, false
	case !c.watchable(info, at):
		return operand{}, false
	case info.Sized:
		return c.sized(info, n, at)
	case info.Published:
		return c.published(info, n.Arguments, at)
	case info.Named:
		return c.named(info, n.Arguments, at)
	case !info.Windowed:
		c.fault(at, "%s takes no window; write %s", name, name)
		return operand{}, false
	case len(n.Arguments) != 1:
		c.fault(at, `%s wants one window; write %s("10s") or %s("today")`, name, name, name)
		return operand{}, false
	}
	literal, isText := n.Arguments[0].(*ast.StringNode)
	if !isText {
		c.fault(n.Arguments[0].Location().From, `a window is written as a text, such as "10s", "5m" or "today"`)
		return operand{}, false
	}
	window, what := readWindow(literal.Value)
	if what != "" {
		c.fault(literal.Location().From, "%s", what)
		return operand{}, false
	}
	return variable(info, window, at), true
}

// sized is a variable that counts over the trading day from a quantity on, which may be computed.
func (c *checker) sized(info *VarInfo, n *ast.CallNode, at int) (operand, bool) {
	if len(n.Arguments) != 2 {
		c.fault(at, `%s wants "today" and a quantity; write %s("today", 300)`, info.Name, info.Name)
		return operand{}, false
	}
	if literal, isText := n.Arguments[0].(*ast.StringNode); !isText || literal.Value != "today" {
		c.fault(n.Arguments[0].Location().From, `%s counts over the trading day; write %s("today", 300)`, info.Name, info.Name)
		return operand{}, false
	}
	least, ok := c.check(n.Arguments[1])
	if !ok || !c.want(least, KindNumber, info.Name) {
		return operand{}, false
	}
	switch u := least.unit; {
	case !c.units || u.loose != known:
	case !u.is("quantity"):
		c.fault(least.at, "%s wants a quantity behind the window; %s is %s", info.Name, least, c.phrase(u))
		return operand{}, false
	case u.traded != "":
		least = asTraded(least, u.traded)
	}
	o := variable(info, Today, at)
	o.a, o.limits = least.node, least.limits
	if !least.reads {
		m := machine{}
		o.ref.Least, _ = m.number(least.node)
	}
	return o, true
}

// readWindow reads a window, or says what is wrong with it.
func readWindow(s string) (time.Duration, string) {
	if s == "today" {
		return Today, ""
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Sprintf(`%q is no window; write a time from "1s" to %q, such as "10s" or "5m", or "today"`, s, windowText(WindowMax))
	case d < time.Second:
		return 0, fmt.Sprintf(`the window %q is too short; the shortest is "1s"`, s)
	case d > WindowMax:
		return 0, fmt.Sprintf(`the window %q is too long; the longest is %q, or write "today"`, s, windowText(WindowMax))
	}
	return d, ""
}

// function is one that rules may call.
type function struct {
	name string
	op   op
	many bool // of two or more numbers; else of one
	// meaning is a phrase for the reference.
	meaning string
}

var functions = []function{
	{"abs", opAbs, false, "x without its sign"},
	{"ceil", opCeil, false, "the smallest whole number that is not less than x"},
	{"floor", opFloor, false, "the largest whole number that is not greater than x"},
	{"max", opMax, true, "the largest of its arguments"},
	{"min", opMin, true, "the smallest of its arguments"},
}

func (c *checker) function(name string, arguments []ast.Node, at int) (operand, bool) {
	i := slices.IndexFunc(functions, func(f function) bool { return f.name == name })
	if i < 0 {
		all := make([]string, len(functions))
		for i, f := range functions {
			all[i] = f.name
		}
		hint := didYouMean(name, all)
		if hint == "" {
			hint = "; there are " + strings.Join(all, ", ")
		}
		c.fault(at, "unknown function %s%s", name, hint)
		return operand{}, false
	}
	f := functions[i]
	if f.many != (len(arguments) > 1) || len(arguments) == 0 {
		want := "one number"
		if f.many {
			want = "two or more numbers"
		}
		c.fault(at, "%s wants %s", name, want)
		return operand{}, false
	}
	checked := make([]operand, len(arguments))
	good := true
	for i, argument := range arguments {
		o, ok := c.check(argument)
		good = good && ok && c.want(o, KindNumber, name)
		checked[i] = o
	}
	if !good {
		return operand{}, false
	}
	result := checked[0]
	if !f.many {
		return c.number(at, node{op: f.op, kind: KindNumber, a: result.node}, result.unit)
	}
	for _, o := range checked[1:] {
		u, ok := c.sameUnit(&result, &o, name)
		if !ok {
			return operand{}, false
		}
		result, _ = c.number(at, node{op: f.op, kind: KindNumber, a: result.node, b: o.node}, u)
	}
	return result, true
}

// number finishes a node that is a number, as made does, with its unit.
func (c *checker) number(at int, n node, u unit) (operand, bool) {
	o, ok := c.made(at, n)
	o.unit = u
	return o, ok
}

// want reports whether an operand is of the kind that who wants, and says so when it is not.
func (c *checker) want(o operand, kind Kind, who string) bool {
	if o.kind == kind {
		return true
	}
	hint := ""
	if who == "not" {
		hint = "; write not (...) around a comparison"
	}
	c.fault(o.at, "%s wants %s; %s is %s%s", who, kind.phrase(), o, o.kind.phrase(), hint)
	return false
}

// made finishes a node that begins at a character. What does not depend on the order is computed once here: it must be computable.
func (c *checker) made(at int, n node) (operand, bool) {
	for _, operand := range []*node{n.a, n.b, n.c} {
		if operand != nil {
			n.reads = n.reads || operand.reads
			n.limits = n.limits || operand.limits
		}
	}
	o := operand{node: &n, at: at}
	if n.kind != KindNumber {
		return o, true
	}
	m := machine{}
	if (n.op == opQuo || n.op == opRem) && !n.b.reads {
		if d, ok := m.number(n.b); ok && d.IsZero() {
			c.fault(at, "cannot divide by %s: it is 0", n.b)
			return operand{}, false
		}
	}
	if n.reads {
		return o, true
	}
	d, ok := m.number(&n)
	if !ok {
		c.fault(at, "%s", m.sentence())
		return operand{}, false
	}
	return operand{node: &node{op: opNumber, kind: KindNumber, number: d, limits: n.limits, of: &n}, at: at}, true
}

func (c *checker) unary(n *ast.UnaryNode) (operand, bool) {
	o, ok := c.check(n.Node)
	if !ok {
		return operand{}, false
	}
	at := min(o.at, n.Location().From) // of x not in y, the parser places not behind x
	switch n.Operator {
	case "not", "!":
		if !c.want(o, KindTruth, "not") || !c.varies(o) {
			return operand{}, false
		}
		return c.made(at, node{op: opNot, kind: KindTruth, a: o.node})
	case "-", "+":
		if !c.want(o, KindNumber, n.Operator) {
			return operand{}, false
		}
		switch {
		case n.Operator == "+":
			return o, true
		case o.op == opNumber && o.limit == "" && o.of == nil:
			return operand{node: &node{op: opNumber, kind: KindNumber, number: o.number.Neg(), text: o.text}, at: at, unit: o.unit}, true
		}
		return c.number(at, node{op: opNeg, kind: KindNumber, a: o.node}, o.unit)
	}
	c.fault(at, "%s is no operator of rules", n.Operator)
	return operand{}, false
}

// varies refuses a condition that is the same for every order: it is a mistake, or a rule that somebody has switched off.
func (c *checker) varies(o operand) bool {
	if !o.constant() {
		return true
	}
	m := machine{}
	value, _ := m.truth(o.node)
	c.fault(o.at, "%s is always %t: it reads nothing of the order", o, value)
	return false
}

var arithmetic = map[string]op{"+": opAdd, "-": opSub, "*": opMul, "/": opQuo, "%": opRem}

var comparisons = map[string]op{"<": opLess, "<=": opLessEqual, ">": opGreater, ">=": opGreaterEqual}

var textual = map[string]op{"contains": opContains, "startsWith": opStartsWith, "endsWith": opEndsWith}

func (c *checker) binary(n *ast.BinaryNode) (operand, bool) {
	if n.Operator == "in" {
		return c.in(n)
	}
	left, leftOK := c.check(n.Left)
	right, rightOK := c.check(n.Right)
	if !leftOK || !rightOK {
		return operand{}, false
	}
	var kind Kind // of the operands
	made := node{kind: KindTruth, a: left.node, b: right.node}
	switch n.Operator {
	case "==", "!=":
		return c.equality(n.Operator, left, right)
	case "and", "&&", "or", "||":
		made.op = opAnd
		if n.Operator == "or" || n.Operator == "||" {
			made.op = opOr
		}
		name := spellingOf(made.op).symbol
		if !c.wantBoth(left, right, KindTruth, name) || !c.varies(left) || !c.varies(right) {
			return operand{}, false
		}
		return c.made(left.at, made)
	case "+", "-", "*", "/", "%":
		made.op, made.kind, kind = arithmetic[n.Operator], KindNumber, KindNumber
	case "<", "<=", ">", ">=":
		made.op, kind = comparisons[n.Operator], KindNumber
	case "contains", "startsWith", "endsWith":
		made.op, kind = textual[n.Operator], KindText
		if !c.free(left, n.Operator) || !c.free(right, n.Operator) {
			return operand{}, false
		}
	default:
		c.fault(n.Location().From, "%s is no operator of rules", n.Operator)
		return operand{}, false
	}
	if !c.wantBoth(left, right, kind, n.Operator) {
		return operand{}, false
	}
	if kind == KindText {
		return c.made(left.at, made)
	}
	return c.numbersMade(n.Operator, left, right, made)
}

// numbersMade finishes an operation of two numbers, whose units must go together.
func (c *checker) numbersMade(operator string, left, right operand, made node) (operand, bool) {
	var u unit
	ok := true
	switch {
	case made.op != opMul && made.op != opQuo:
		u, ok = c.sameUnit(&left, &right, operator)
	case !c.units:
		u = unit{loose: loose}
	default:
		ok = c.sameTraded(&left, &right, operator)
		sign := 1
		if made.op == opQuo {
			sign = -1
		}
		u = times(left.unit, right.unit, sign)
	}
	if !ok {
		return operand{}, false
	}
	made.a, made.b = left.node, right.node
	return c.number(left.at, made, u)
}

func (c *checker) wantBoth(left, right operand, kind Kind, who string) bool {
	leftOK, rightOK := c.want(left, kind, who), c.want(right, kind, who)
	return leftOK && rightOK
}

// free refuses a text of a closed set where any text may stand.
func (c *checker) free(o operand, who string) bool {
	switch {
	case o.word != "":
		c.fault(o.at, "%s can only be compared, as in order.type == LIMIT", o)
		return false
	case o.enum != nil:
		c.fault(o.at, "%s is one of %s; write == or in instead of %s", o, strings.Join(o.enum.members, ", "), who)
		return false
	}
	return true
}

func (c *checker) equality(operator string, left, right operand) (operand, bool) {
	if left.kind != right.kind {
		c.fault(left.at, "%s compares two of a kind; %s is %s, %s is %s", operator, left, left.kind.phrase(), right, right.kind.phrase())
		return operand{}, false
	}
	same, other := opEqual, opNotEqual
	switch left.kind {
	case KindMissing:
	case KindNumber:
		if _, ok := c.sameUnit(&left, &right, operator); !ok {
			return operand{}, false
		}
	case KindTruth:
		same, other = opSameTruth, opOtherTruth
	case KindText:
		same, other = opSameText, opOtherText
		if !c.comparable(&left, &right) {
			return operand{}, false
		}
	}
	made := node{op: same, kind: KindTruth, a: left.node, b: right.node}
	if operator == "!=" {
		made.op = other
	}
	return c.made(left.at, made)
}

// comparable checks that two texts can be equal at all: a variable of a closed set is compared with a member of that set.
func (c *checker) comparable(left, right *operand) bool {
	switch {
	case left.enum != nil && right.enum != nil:
		if left.enum != right.enum {
			c.fault(right.at, "%s is %s, %s is %s: they are never the same", left, an(left.enum.name), right, an(right.enum.name))
			return false
		}
		return true
	case left.enum != nil:
		return c.memberOf(left, right)
	case right.enum != nil:
		return c.memberOf(right, left)
	}
	for _, o := range []*operand{left, right} {
		if o.word != "" {
			c.fault(o.at, "%s is a constant of another kind; a text is written in quotes: %q", o, o.word)
			return false
		}
	}
	return true
}

// memberOf checks that o is a member of the closed set that variable has its texts of, and writes an alias as the member that it means.
func (c *checker) memberOf(variable, o *operand) bool {
	if o.word == "" && !o.literal {
		c.fault(o.at, "%s is one of %s; %s can be any text", variable, strings.Join(variable.enum.members, ", "), o)
		return false
	}
	written := o.word
	if o.literal {
		written = o.text
	}
	member, ok := variable.enum.member(written)
	if !ok {
		hint := didYouMean(written, variable.enum.members)
		if hint == "" {
			hint = "; it is one of " + strings.Join(variable.enum.members, ", ")
		}
		c.fault(o.at, "%s is no %s%s", o, variable.enum.name, hint)
		return false
	}
	o.node = &node{op: opText, kind: KindText, text: member}
	return true
}

func an(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// in is a comparison with every element of a list that is written out.
func (c *checker) in(n *ast.BinaryNode) (operand, bool) {
	left, good := c.check(n.Left)
	list, isList := n.Right.(*ast.ArrayNode)
	switch {
	case !isList:
		c.fault(n.Location().From, `in wants a list, as in contract.product in ["rb", "hc"]`)
		return operand{}, false
	case len(list.Nodes) == 0:
		c.fault(list.Location().From, "an empty list: nothing is in it")
		return operand{}, false
	case good && left.kind == KindTruth:
		c.fault(left.at, "in wants a number or a text before it; %s is a truth", left)
		return operand{}, false
	case good && left.word != "":
		c.fault(left.at, "%s can only be compared, as in order.type == LIMIT", left)
		return operand{}, false
	}
	made := node{op: opInTexts, kind: KindTruth}
	if good && left.kind == KindNumber {
		made.op = opInNumbers
	}
	for _, element := range list.Nodes {
		o, ok := c.check(element)
		switch {
		case !ok || !good:
			good = false
		case o.reads:
			c.fault(o.at, "a list holds numbers and texts; %s is different for every order", o)
			good = false
		case !c.want(o, left.kind, "in"):
			good = false
		case left.kind == KindNumber:
			if _, ok := c.sameUnit(&left, &o, "in"); !ok {
				good = false
				break
			}
			m := machine{}
			d, _ := m.number(o.node)
			made.numbers = append(made.numbers, d)
			made.limits = made.limits || o.limits
		default:
			if !c.comparable(&left, &o) {
				good = false
				break
			}
			made.texts = append(made.texts, o.text)
		}
	}
	if !good {
		return operand{}, false
	}
	made.a = left.node
	slices.Sort(made.texts)
	slices.SortFunc(made.numbers, hub.Decimal.Cmp)
	return c.made(left.at, made)
}

// conditional is condition ? then : else.
func (c *checker) conditional(n *ast.ConditionalNode) (operand, bool) {
	condition, ok := c.check(n.Cond)
	then, thenOK := c.check(n.Exp1)
	otherwise, otherwiseOK := c.check(n.Exp2)
	if !ok || !thenOK || !otherwiseOK {
		return operand{}, false
	}
	if !c.want(condition, KindTruth, "?") || !c.varies(condition) {
		return operand{}, false
	}
	if then.kind != otherwise.kind {
		c.fault(otherwise.at, "both sides of : must be of a kind; %s is %s, %s is %s", then, then.kind.phrase(), otherwise, otherwise.kind.phrase())
		return operand{}, false
	}
	if then.kind == KindText && (!c.free(then, "? :") || !c.free(otherwise, "? :")) {
		return operand{}, false
	}
	var u unit
	if then.kind == KindNumber {
		if u, ok = c.sameUnit(&then, &otherwise, ":"); !ok {
			return operand{}, false
		}
	}
	return c.number(condition.at, node{op: opIf, kind: then.kind, a: condition.node, b: then.node, c: otherwise.node}, u)
}

package policy

import (
	"strconv"
	"strings"

	"tradehub/hub"
)

// spelling is how an operation is written, and how strongly it holds its operands together, as expr's parser has it.
type spelling struct {
	symbol  string
	binding int
}

const bindsMost = 1000

func spellingOf(o op) spelling {
	switch o {
	case opIf:
		return spelling{"?", 1}
	case opOr:
		return spelling{"or", 10}
	case opAnd:
		return spelling{"and", 15}
	case opLess:
		return spelling{"<", 20}
	case opLessEqual:
		return spelling{"<=", 20}
	case opGreater:
		return spelling{">", 20}
	case opGreaterEqual:
		return spelling{">=", 20}
	case opEqual, opSameText, opSameTruth:
		return spelling{"==", 20}
	case opNotEqual, opOtherText, opOtherTruth:
		return spelling{"!=", 20}
	case opInNumbers, opInTexts:
		return spelling{"in", 20}
	case opContains:
		return spelling{"contains", 20}
	case opStartsWith:
		return spelling{"startsWith", 20}
	case opEndsWith:
		return spelling{"endsWith", 20}
	case opAdd:
		return spelling{"+", 30}
	case opSub:
		return spelling{"-", 30}
	case opNot:
		return spelling{"not ", 50}
	case opMul:
		return spelling{"*", 60}
	case opQuo:
		return spelling{"/", 60}
	case opRem:
		return spelling{"%", 60}
	case opNeg:
		return spelling{"-", 90}
	case opAbs:
		return spelling{"abs", bindsMost}
	case opFloor:
		return spelling{"floor", bindsMost}
	case opCeil:
		return spelling{"ceil", bindsMost}
	case opMin:
		return spelling{"min", bindsMost}
	case opMax:
		return spelling{"max", bindsMost}
	}
	return spelling{"", bindsMost}
}

// String writes the expression as a rule would.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b, 0)
	return b.String()
}

// write writes n, in brackets when what stands around it holds more strongly.
func (n *node) write(b *strings.Builder, around int) {
	if n.of != nil {
		n.of.write(b, around)
		return
	}
	if n.op == opTraded {
		n.a.write(b, around)
		return
	}
	symbol, own := spellingOf(n.op).symbol, spellingOf(n.op).binding
	if own < around {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch n.op {
	case opNumber:
		if n.limit != "" {
			b.WriteString("limits." + n.limit)
			return
		}
		b.WriteString(n.number.String())
		if n.text != "" {
			b.WriteString(" " + n.text)
		}
	case opText:
		b.WriteString(strconv.Quote(n.text))
	case opTruth:
		b.WriteString(strconv.FormatBool(n.truth))
	case opVar:
		if n.a != nil {
			name, _, _ := strings.Cut(n.ref.String(), "(")
			b.WriteString(name + `("today", `)
			n.a.write(b, 0)
			b.WriteByte(')')
			return
		}
		b.WriteString(n.ref.String())
	case opNeg, opNot:
		b.WriteString(symbol)
		n.a.write(b, own)
	case opAbs, opFloor, opCeil:
		b.WriteString(symbol + "(")
		n.a.write(b, 0)
		b.WriteByte(')')
	case opMin, opMax:
		b.WriteString(symbol + "(")
		n.a.write(b, 0)
		b.WriteString(", ")
		n.b.write(b, 0)
		b.WriteByte(')')
	case opIf:
		n.a.write(b, own+1)
		b.WriteString(" ? ")
		n.b.write(b, own+1)
		b.WriteString(" : ")
		n.c.write(b, own+1)
	case opInNumbers:
		n.a.write(b, own+1)
		b.WriteString(" in [" + joinNumbers(n.numbers) + "]")
	case opInTexts:
		n.a.write(b, own+1)
		b.WriteString(" in [" + joinTexts(n.texts) + "]")
	default:
		n.a.write(b, own)
		b.WriteString(" " + symbol + " ")
		n.b.write(b, own+1)
	}
}

func joinNumbers(numbers []hub.Decimal) string {
	all := make([]string, len(numbers))
	for i, d := range numbers {
		all[i] = d.String()
	}
	return strings.Join(all, ", ")
}

func joinTexts(texts []string) string {
	all := make([]string, len(texts))
	for i, s := range texts {
		all[i] = strconv.Quote(s)
	}
	return strings.Join(all, ", ")
}

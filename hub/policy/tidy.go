package policy

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Tidy writes a condition as rules write it: one space around operators, none inside of brackets, and, or and not as words. It breaks lines where source does. What does not read as
// a condition comes back as it is, and false.
func Tidy(source string) (string, bool) {
	p, faults := parse(source)
	if len(faults) > 0 {
		return source, false
	}
	tokens, err := lexer.Lex(file.NewSource(source))
	if err != nil {
		return source, false
	}
	var b strings.Builder
	var before lexer.Token // the last one written
	unary, end := false, 0
	for _, t := range tokens {
		switch {
		case t.Kind == lexer.EOF:
			return b.String(), true
		case t.From < end:
			continue // of a unit, which was written with its number
		case before.To == 0:
		case slices.Contains(p.runes[end:t.From], '\n'):
			b.WriteByte('\n')
		case spaced(before, t, unary):
			b.WriteByte(' ')
		}
		unary = t.Is(lexer.Operator) && (before.To == 0 || operandWanted(before))
		end = t.To
		text := string(p.runes[t.From:t.To])
		switch number, ok := p.numbers[t.From]; {
		case ok && number.unit != "":
			text, end = text+" "+number.unit, number.to
		case t.Is(lexer.Operator):
			text = operatorWord(t.Value)
		}
		b.WriteString(text)
		before = t
	}
	return b.String(), true
}

// operatorWord is how rules write an operator that has two spellings.
func operatorWord(operator string) string {
	switch operator {
	case "&&":
		return "and"
	case "||":
		return "or"
	case "!":
		return "not"
	}
	return operator
}

// operandWanted reports whether a sign behind t belongs to what follows it.
func operandWanted(t lexer.Token) bool {
	return t.Kind == lexer.Operator && t.Value != "." || t.Is(lexer.Bracket, "(") || t.Is(lexer.Bracket, "[")
}

// spaced reports whether a space stands between two tokens. unary: a is the sign of what follows.
func spaced(a, b lexer.Token, unary bool) bool {
	switch {
	case a.Is(lexer.Operator, ".") || b.Is(lexer.Operator, ".") || b.Is(lexer.Operator, ","):
		return false
	case a.Is(lexer.Bracket, "(") || a.Is(lexer.Bracket, "[") || b.Is(lexer.Bracket, ")") || b.Is(lexer.Bracket, "]"):
		return false
	case b.Is(lexer.Bracket, "(") && a.Kind == lexer.Identifier:
		return false
	case unary && (a.Value == "-" || a.Value == "+"):
		return false
	}
	return true
}

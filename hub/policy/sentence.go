package policy

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tradehub/hub"
)

// template is a rule's because: text, with expressions between. Their values are put in when an order is refused.
type template []segment

// segment is a piece of text, or, when node is not nil, an expression.
type segment struct {
	text string
	node *node
}

// fill writes the sentence for one order. A value that cannot be computed is a question mark: the sentence explains a refusal that stands without it.
func (t template) fill(source Source) string {
	var b strings.Builder
	for _, s := range t {
		if s.node == nil {
			b.WriteString(s.text)
			continue
		}
		b.WriteString(shown(s.node, source))
	}
	return b.String()
}

// shown is the value of an expression for people: numbers in groups of three digits, texts without quotes.
func shown(n *node, source Source) string {
	m := machine{source: source}
	switch n.kind {
	case KindNumber:
		if d, ok := m.number(n); ok {
			return grouped(d)
		}
	case KindText:
		if s, ok := m.text(n); ok {
			return shorten(clean(s), textShown)
		}
	case KindTruth:
		if v, ok := m.truth(n); ok {
			return strconv.FormatBool(v)
		}
	case KindMissing:
	}
	return "?"
}

// exact is the value of a variable or limit for programs: every digit, no groups, and a text in quotes unless it is one plain word.
func exact(n *node, source Source) string {
	m := machine{source: source}
	switch n.kind {
	case KindNumber:
		if d, ok := m.number(n); ok {
			return d.Trim(0).String()
		}
	case KindText:
		if s, ok := m.text(n); ok {
			return word(s)
		}
	case KindTruth:
		if v, ok := m.truth(n); ok {
			return strconv.FormatBool(v)
		}
	case KindMissing:
	}
	return "missing"
}

// decimalsShown is how many decimals a sentence has at most; a coin's quantity has eight.
const decimalsShown = 8

// grouped writes 1260000.5 as 1,260,000.5.
func grouped(d hub.Decimal) string {
	d = d.Round(decimalsShown).Trim(0)
	whole, fraction, _ := strings.Cut(d.Abs().String(), ".")
	var b strings.Builder
	if d.IsNeg() {
		b.WriteByte('-')
	}
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// textShown is how many characters of a text a refusal shows: order.reference is as long as a trader makes it.
const textShown = 64

// clean makes a text that came from outside fit for a sentence on one line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
}

// word writes a text as it is when it is one plain word, else in quotes.
func word(s string) string {
	plain := s != ""
	for _, r := range s {
		plain = plain && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '.')
	}
	if plain {
		return shorten(s, textShown)
	}
	return strconv.Quote(shorten(s, textShown))
}

package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"

	"tradehub/hub"
)

// Bounds of one expression. They are checked before the parser sees it, but for the nodes, which the parser itself counts.
const (
	// MaxExpression is the most characters of one expression.
	MaxExpression = 8192
	// MaxNodes is the most names, numbers, texts and operators of one expression.
	MaxNodes = 2000
	// MaxNesting is how deep brackets may be nested in one expression.
	MaxNesting = 50
)

// fault is what is wrong at one character of an expression.
type fault struct {
	at   int // index of a character, from 0
	what string
}

// parsed is an expression as expr's parser sees it, with the numbers as they were written: the parser never reads a number (it would make a float of 0.1), it is shown a 1
// of the same length in its place.
type parsed struct {
	runes   []rune
	root    ast.Node
	numbers map[int]literal // by the index of the first character
}

// literal is a number as it is written, with its unit: 1_000_000 CNY.
type literal struct {
	number hub.Decimal
	unit   string // "" without one
	to     int    // index behind its last character
}

// parse reads an expression. With faults there is no tree.
func parse(source string) (*parsed, []fault) {
	runes := []rune(source)
	switch {
	case strings.TrimSpace(source) == "":
		return nil, []fault{{0, "is empty; write a condition such as order.quantity <= 10"}}
	case len(runes) > MaxExpression:
		return nil, []fault{{0, fmt.Sprintf("is %d characters long; at most %d", len(runes), MaxExpression)}}
	}
	tokens, err := lexer.Lex(file.NewSource(source))
	if err != nil {
		return nil, []fault{lexFault(err, runes)}
	}
	p := &parsed{runes: runes, numbers: map[int]literal{}}
	if faults := p.scan(tokens); len(faults) > 0 {
		return nil, faults
	}
	if f := p.parse(p.mask()); f != nil {
		return nil, []fault{*f}
	}
	return p, nil
}

// scan goes over the tokens once: it reads the numbers and refuses what the language has and rules have not.
func (p *parsed) scan(tokens []lexer.Token) []fault {
	var faults []fault
	add := func(at int, format string, args ...any) {
		faults = append(faults, fault{at, fmt.Sprintf(format, args...)})
	}
	end, depth := 0, 0
	var before lexer.Token
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.Kind == lexer.EOF {
			break
		}
		if at, ok := p.comment(end, t.From); ok {
			add(at, "a comment in a rule; write it as a YAML comment, on a line of its own above the rule")
		}
		end = t.To
		switch t.Kind {
		case lexer.Number:
			d, what := readNumber(string(p.runes[t.From:t.To]))
			if what != "" {
				add(t.From, "%s", what)
			}
			written, last := unitBehind(tokens[i+1:])
			if what := unitFault(written); what != "" {
				add(tokens[i+1].From, "%s", what)
			}
			if last > 0 {
				i += last
				if at, ok := p.commentWithin(tokens[i-last : i+1]); ok {
					add(at, "a comment in a rule; write it as a YAML comment, on a line of its own above the rule")
				}
				end = tokens[i].To
			}
			p.numbers[t.From] = literal{number: d, unit: written, to: end}
		case lexer.Identifier:
			if lower := strings.ToLower(t.Value); lower != t.Value && slices.Contains(words, lower) {
				add(t.From, "%s is written %s", t.Value, lower)
			}
		case lexer.Bytes:
			add(t.From, `b"" is not for rules; write the text without b`)
		case lexer.Operator:
			if what := operatorFault(t.Value); what != "" {
				add(t.From, "%s", what)
			}
		case lexer.Bracket:
			switch t.Value {
			case "(", "[":
				depth++
				if depth == MaxNesting+1 {
					add(t.From, "brackets are nested more than %d deep", MaxNesting)
				}
				if t.Value == "[" && opensIndex(before) {
					add(t.From, `[ ] makes a list, as in contract.product in ["rb", "hc"]; a member is written with a dot`)
				}
			case ")", "]":
				depth--
			default:
				add(t.From, "%s has no meaning in a rule; lists are written with [ ]", t.Value)
			}
		case lexer.String, lexer.EOF:
		}
		before = t
	}
	if at, ok := p.comment(end, len(p.runes)); ok {
		add(at, "a comment in a rule; write it as a YAML comment, on a line of its own above the rule")
	}
	return faults
}

// comment finds a comment, which the lexer passes over, between two tokens. A // in a folded rule would hide the lines below it.
func (p *parsed) comment(from, to int) (int, bool) {
	for at := from; at < to && at < len(p.runes); at++ {
		if !unicode.IsSpace(p.runes[at]) {
			return at, true
		}
	}
	return 0, false
}

// commentWithin finds a comment between tokens that are read as one.
func (p *parsed) commentWithin(tokens []lexer.Token) (int, bool) {
	for i := 1; i < len(tokens); i++ {
		if at, ok := p.comment(tokens[i-1].To, tokens[i].From); ok {
			return at, true
		}
	}
	return 0, false
}

// unitBehind is the unit that stands behind a number, and how many tokens it takes: CNY, lots, CNY/lot. A word that begins a name is none.
func unitBehind(tokens []lexer.Token) (written string, n int) {
	at := func(i int) lexer.Token {
		if i < len(tokens) {
			return tokens[i]
		}
		return lexer.Token{Kind: lexer.EOF}
	}
	if at(0).Kind != lexer.Identifier || beginsName(at(1)) || slices.Contains(scopes, at(0).Value) || slices.Contains(words, strings.ToLower(at(0).Value)) {
		return "", 0
	}
	if at(1).Is(lexer.Operator, "/") && at(2).Kind == lexer.Identifier && slices.Contains(unitWords, at(2).Value) && !beginsName(at(3)) {
		return at(0).Value + "/" + at(2).Value, 3
	}
	return at(0).Value, 1
}

func beginsName(next lexer.Token) bool {
	return next.Is(lexer.Operator, ".") || next.Is(lexer.Bracket, "(")
}

func opensIndex(before lexer.Token) bool {
	switch before.Kind {
	case lexer.Identifier, lexer.Number, lexer.String, lexer.Bytes:
		return true
	case lexer.Bracket:
		return before.Value == ")" || before.Value == "]"
	case lexer.Operator, lexer.EOF:
	}
	return false
}

// words are expr's operators that are words, and its two truths.
var words = []string{"and", "or", "not", "in", "contains", "startswith", "endswith", "true", "false"}

// operatorFault says what is wrong with an operator; "" for those that rules have.
func operatorFault(op string) string {
	switch op {
	case "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "&&", "||", "!", "in", "contains", "startsWith", "endsWith", ".", ",", "?", ":":
		return ""
	case "=":
		return "write == to compare"
	case "&":
		return "write and"
	case "|":
		return "write or"
	case "^", "**":
		return "there are no powers in rules; write a * a"
	case "..":
		return "there are no ranges in rules; write low <= x and x <= high"
	case "??", "?.":
		return "there are no defaults in rules: a value that is missing refuses the order"
	case "matches":
		return "there are no patterns in rules; use startsWith, endsWith, contains or in"
	case "let", "if", "else", ";":
		return op + " is not for rules: a rule is one condition; write more rules, or a ? b : c"
	case "#":
		return "# begins a comment only in YAML, after a space, and not inside of quotes or of a block"
	}
	return op + " is no operator of rules"
}

// mask replaces every number, and its unit, with a 1 of the same length, so that every place stays what it is.
func (p *parsed) mask() string {
	masked := slices.Clone(p.runes)
	for at := range masked {
		n, ok := p.numbers[at]
		if !ok {
			continue
		}
		masked[at] = '1'
		for i := at + 1; i < n.to; i++ {
			masked[i] = '_'
		}
	}
	return string(masked)
}

// parse runs expr's parser. It has been made to panic by malformed input before; a panic is answered as a fault of the expression.
func (p *parsed) parse(masked string) (f *fault) {
	defer func() {
		if recover() != nil {
			f = &fault{0, "does not read as a condition"}
		}
	}()
	tree, err := parser.ParseWithConfig(masked, &conf.Config{MaxNodes: MaxNodes})
	if err != nil {
		return p.parseFault(err)
	}
	p.root = tree.Node
	return nil
}

func (p *parsed) parseFault(err error) *fault {
	var e *file.Error
	if !errors.As(err, &e) {
		return &fault{0, "does not read as a condition"}
	}
	if strings.Contains(e.Message, "maximum allowed nodes") {
		return &fault{0, fmt.Sprintf("is too long: more than %d names, numbers, texts and operators", MaxNodes)}
	}
	token, unexpected := strings.CutPrefix(e.Message, "unexpected token ")
	switch {
	case unexpected && token == string(lexer.EOF):
		return &fault{utf8.RuneCountInString(strings.TrimRightFunc(string(p.runes), unicode.IsSpace)), "ends too early"}
	case unexpected:
		at := min(max(e.From, 0), len(p.runes))
		return &fault{at, "unexpected " + string(p.runes[at:min(max(e.To, at), len(p.runes))]) + hintAt(p.runes, at)}
	}
	return &fault{min(e.From, len(p.runes)), e.Message}
}

// hintAt guesses why a word was not expected where it stands.
func hintAt(runes []rune, at int) string {
	if at < len(runes) && unicode.IsLetter(runes[at]) {
		return "; write and, or, or an operator before it"
	}
	return ""
}

func lexFault(err error, runes []rune) fault {
	var e *file.Error
	if !errors.As(err, &e) {
		return fault{0, "does not read as a condition"}
	}
	at := min(max(e.From, 0), len(runes))
	switch {
	case strings.HasPrefix(e.Message, "unrecognized character") && at < len(runes):
		return fault{at, strangerFault(runes[at])}
	case e.Message == "literal not terminated":
		return fault{at, "a text is not closed: its second quote is missing"}
	case strings.HasPrefix(e.Message, "bad number syntax"):
		return fault{at, "a letter in a number; a text is written in quotes"}
	case e.Message == "unclosed comment":
		return fault{at, "a comment in a rule; write it as a YAML comment, on a line of its own above the rule"}
	}
	return fault{at, e.Message}
}

// strangers are characters that word processors and Chinese input methods write where a rule wants another.
var strangers = []struct{ have, want string }{
	{"“”„＂", `"`},
	{"‘’＇", "'"},
	{"（", "("},
	{"）", ")"},
	{"【［", "["},
	{"】］", "]"},
	{"，、", ","},
	{"：", ":"},
	{"。．", "."},
	{"＜", "<"},
	{"＞", ">"},
	{"＝", "=="},
	{"≤", "<="},
	{"≥", ">="},
	{"≠", "!="},
	{"×", "*"},
	{"÷", "/"},
	{"−–—－", "-"},
	{"％", "%"},
	{"＋", "+"},
	{"？", "?"},
	{"！", "not"},
}

func strangerFault(r rune) string {
	for _, s := range strangers {
		if strings.ContainsRune(s.have, r) {
			return fmt.Sprintf("%c is not for rules; write %s", r, s.want)
		}
	}
	return fmt.Sprintf("%c is not for rules", r)
}

// readNumber reads a number exactly as written, or says what is wrong with it.
func readNumber(s string) (hub.Decimal, string) {
	lower := strings.ToLower(s)
	switch {
	case s == "" || strings.IndexByte(".0123456789", s[0]) < 0 || strings.TrimLeft(s, ".") == "" || strings.HasPrefix(lower, ".i") || strings.HasPrefix(lower, ".n"):
		return hub.Decimal{}, fmt.Sprintf("%q is not a number such as 1000000, 1_000_000 or 0.02", shorten(s, textShown))
	case len(s) > 64:
		return hub.Decimal{}, "a number of more than 19 digits"
	case strings.HasPrefix(lower, "0x") || strings.HasPrefix(lower, "0o") || strings.HasPrefix(lower, "0b"):
		return hub.Decimal{}, s + ": write the number in decimal"
	case strings.Contains(lower, "e"):
		return hub.Decimal{}, s + ": write the number out, without e"
	case strings.HasPrefix(s, "."):
		return hub.Decimal{}, s + ": write 0" + s
	case strings.HasSuffix(s, "."):
		return hub.Decimal{}, s + ": write " + strings.TrimSuffix(s, ".")
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if !groupedDigits(whole) || (fraction != "" && !groupedDigits(fraction)) {
		return hub.Decimal{}, fmt.Sprintf("%q is not a number such as 1000000, 1_000_000 or 0.02", s)
	}
	whole, fraction = strings.ReplaceAll(whole, "_", ""), strings.ReplaceAll(fraction, "_", "")
	if len(whole) > 1 && whole[0] == '0' {
		return hub.Decimal{}, s + ": write the number without a 0 before it"
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	if len(digits) > 19 || len(fraction) > 19 {
		return hub.Decimal{}, s + " has more than 19 digits"
	}
	plain := whole
	if fraction != "" {
		plain += "." + fraction
	}
	d, err := hub.ParseDecimal(plain)
	if err != nil {
		return hub.Decimal{}, err.Error()
	}
	return d, ""
}

// groupedDigits reports whether s is digits, with single underscores between them at most.
func groupedDigits(s string) bool {
	for group := range strings.SplitSeq(s, "_") {
		if group == "" || strings.Trim(group, "0123456789") != "" {
			return false
		}
	}
	return true
}

// firstInvalid is the index of the first byte that is not UTF-8; -1 when there is none.
func firstInvalid(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}

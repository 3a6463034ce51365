package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// text is a policy file's text by line and column, both from 1, a column being a character and not a byte.
type text struct {
	runes []rune
	lines []int // where each line begins in runes
}

func newText(s string) *text {
	t := &text{runes: []rune(s), lines: []int{0}}
	for i, r := range t.runes {
		if r == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// offset is where line and column are in runes; -1 outside of the text.
func (t *text) offset(line, col int) int {
	if line < 1 || line > len(t.lines) {
		return -1
	}
	at := t.lines[line-1] + col - 1
	if at < 0 || at > len(t.runes) {
		return -1
	}
	return at
}

// place is the line and column of an offset.
func (t *text) place(offset int) place {
	line, found := slices.BinarySearch(t.lines, offset)
	if found {
		line++
	}
	return place{line: line, col: offset - t.lines[line-1] + 1}
}

// within moves a place that is outside of the text, where YAML sees the end of a document that does not end its last line, to the text's end.
func (t *text) within(p place) place {
	line := min(max(p.line, 1), len(t.lines))
	end := len(t.runes)
	if line < len(t.lines) {
		end = t.lines[line] - 1
	}
	last := end - t.lines[line-1] + 1
	if p.line > line {
		return place{line: line, col: last}
	}
	return place{line: line, col: min(max(p.col, 1), last)}
}

// place is a line and a column, both from 1.
type place struct{ line, col int }

func placeOf(n *yaml.Node) place { return place{line: n.Line, col: n.Column} }

// scalar is a YAML scalar whose characters can be found again in the file: what is wrong at the tenth character of an expression is shown where that character stands,
// whether the scalar is plain, quoted, folded or a block.
type scalar struct {
	node    *yaml.Node
	text    *text
	offsets []int // of the value's characters, and of its end, in the text; made when first asked for
}

// value is the scalar as YAML reads it.
func (s *scalar) value() string { return s.node.Value }

// at is the place of the character number index (from 0) of the value; of the whole scalar when that character cannot be found.
func (s *scalar) at(index int) place {
	if s.offsets == nil {
		s.offsets = s.find()
	}
	if index >= len(s.offsets) {
		return placeOf(s.node)
	}
	return s.text.place(s.offsets[index])
}

// find goes over the value and the text together.
func (s *scalar) find() []int {
	offsets := make([]int, 0, len(s.node.Value)+1)
	start := s.text.offset(s.node.Line, s.node.Column)
	if start < 0 {
		return offsets
	}
	walk := walker{runes: s.text.runes, pos: start, style: s.node.Style}
	walk.open()
	for _, r := range s.node.Value {
		if !walk.reach(r) {
			return offsets
		}
		offsets = append(offsets, walk.pos)
		walk.over(r)
	}
	return append(offsets, walk.pos)
}

// walker goes over the text of a scalar in step with its value. YAML changes nothing but white space between the two, and, in quotes, escapes.
type walker struct {
	runes []rune
	pos   int
	style yaml.Style
}

// open steps over what stands before the first character: a quote, or the header of a block.
func (w *walker) open() {
	switch {
	case w.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		w.pos++
	case w.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		for w.pos < len(w.runes) && w.runes[w.pos] != '\n' {
			w.pos++
		}
	}
}

func blank(r rune) bool { return r == ' ' || r == '\n' || r == '\r' }

// reach goes on to the character r of the value, over white space that YAML has dropped.
func (w *walker) reach(r rune) bool {
	if blank(r) {
		return true
	}
	for w.pos < len(w.runes) && blank(w.runes[w.pos]) {
		w.pos++
	}
	for w.continued() {
		w.pos++
		for w.pos < len(w.runes) && blank(w.runes[w.pos]) {
			w.pos++
		}
	}
	return w.pos < len(w.runes) && (w.runes[w.pos] == r || w.escaped())
}

// continued reports whether a backslash at the end of a line follows, which joins two lines of a double-quoted scalar.
func (w *walker) continued() bool {
	return w.escaped() && w.pos+1 < len(w.runes) && blank(w.runes[w.pos+1]) && w.runes[w.pos+1] != ' '
}

func (w *walker) escaped() bool {
	return w.style&yaml.DoubleQuotedStyle != 0 && w.pos < len(w.runes) && w.runes[w.pos] == '\\'
}

// over steps over the character r of the value, which reach has found.
func (w *walker) over(r rune) {
	switch {
	case blank(r):
		// A space or a line's end: all white space up to the next character is passed when that character is reached. An escaped one is passed here.
		if w.escaped() && !w.continued() {
			w.escape()
		} else if w.pos < len(w.runes) && w.runes[w.pos] == ' ' {
			w.pos++
		}
	case w.escaped():
		w.escape()
	case r == '\'' && w.style&yaml.SingleQuotedStyle != 0:
		w.pos += 2
	default:
		w.pos++
	}
}

// escape steps over one escape of a double-quoted scalar.
func (w *walker) escape() {
	w.pos++
	if w.pos >= len(w.runes) {
		return
	}
	switch w.runes[w.pos] {
	case 'x':
		w.pos += 3
	case 'u':
		w.pos += 5
	case 'U':
		w.pos += 9
	default:
		w.pos++
	}
}

// oneLine is a text with its line breaks and runs of spaces made single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// shorten cuts a text after max characters.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "…"
}

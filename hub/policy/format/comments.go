package format

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// comment is one comment of the file.
type comment struct {
	line, col int // from 1
	text      string
	own       bool // it has the line for itself
}

// source is a file's lines, and which parts of them are inside of scalars, where # is no comment.
type source struct {
	lines [][]rune // lines[0] is line 1
	// inside are columns of each line (from 0, from and behind the last) that belong to a quoted or block scalar.
	inside map[int][]span
	// header is where the | or > of a block ends, by its line: YAML reads a # right behind it as a comment.
	header map[int]int
}

type span struct{ from, to int }

const wholeLine = 1 << 30

func newSource(text string, root *yaml.Node) *source {
	s := &source{inside: map[int][]span{}, header: map[int]int{}}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		s.lines = append(s.lines, []rune(line))
	}
	s.mark(root)
	return s
}

// line is line n; an empty one outside of the file.
func (s *source) line(n int) []rune {
	if n < 1 || n > len(s.lines) {
		return nil
	}
	return s.lines[n-1]
}

func (s *source) blank(n int) bool { return strings.TrimSpace(string(s.line(n))) == "" }

// mark finds the quoted and block scalars below n.
func (s *source) mark(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode:
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		end, runes := n.Column-1, s.line(n.Line)
		for end < len(runes) && strings.ContainsRune("|>+-0123456789", runes[end]) {
			end++
		}
		s.header[n.Line] = end
		first, last := s.block(n)
		for line := first; line <= last; line++ {
			s.inside[line] = append(s.inside[line], span{0, wholeLine})
		}
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		s.markQuoted(n)
	}
	for _, child := range n.Content {
		s.mark(child)
	}
}

// block are the first and the last line of a block scalar's text; the last is before the first when it has none.
func (s *source) block(n *yaml.Node) (first, last int) {
	first, last = n.Line+1, n.Line
	indent := -1
	for line := first; line <= len(s.lines); line++ {
		if s.blank(line) {
			continue
		}
		at := indentOf(s.line(line))
		if indent < 0 {
			indent = at
			if n.Value == "" {
				return first, last
			}
		}
		if at < indent {
			break
		}
		last = line
	}
	return first, last
}

func indentOf(line []rune) int {
	for i, r := range line {
		if r != ' ' {
			return i
		}
	}
	return len(line)
}

// markQuoted marks a quoted scalar, which may go over lines.
func (s *source) markQuoted(n *yaml.Node) {
	line, at := n.Line, n.Column-1
	quote := s.line(line)[at]
	from := at
	for at++; line <= len(s.lines); line, at, from = line+1, 0, 0 {
		for runes := s.line(line); at < len(runes); at++ {
			switch {
			case quote == '"' && runes[at] == '\\':
				at++
			case quote == '\'' && runes[at] == quote && at+1 < len(runes) && runes[at+1] == quote:
				at++
			case runes[at] == quote:
				s.inside[line] = append(s.inside[line], span{from, at + 1})
				return
			}
		}
		s.inside[line] = append(s.inside[line], span{from, wholeLine})
	}
}

// comments are those of the file, from its beginning.
func (s *source) comments() []comment {
	var all []comment
	for i, runes := range s.lines {
		for at, r := range runes {
			if r != '#' || at > 0 && runes[at-1] != ' ' && s.header[i+1] != at || s.within(i+1, at) {
				continue
			}
			before := strings.TrimSpace(string(runes[:at]))
			all = append(all, comment{line: i + 1, col: at + 1, text: strings.TrimRight(string(runes[at:]), " \r"), own: before == "" || before == "---"})
			break
		}
	}
	return all
}

func (s *source) within(line, at int) bool {
	for _, span := range s.inside[line] {
		if span.from <= at && at < span.to {
			return true
		}
	}
	return false
}

// anchor is what comments belong to: an entry of a mapping or an item of a list.
type anchor struct {
	line, col int
	item      bool    // of a list
	parent    *anchor // the entry or item that it is in; nil at the top
	// first of its mapping or list.
	first bool
	// head are the lines above it, "" being a blank one; tail is behind it, foot below it and all that is in it.
	head []string
	tail string
	foot []string
}

// anchors are those below a node, in the order of the file, and by key or item node.
type anchors struct {
	all []*anchor
	of  map[*yaml.Node]*anchor
}

func (a *anchors) add(n *yaml.Node, in anchor) *anchor {
	a.all = append(a.all, &in)
	a.of[n] = &in
	return &in
}

// collect makes the anchors of a mapping or list and of what is in it.
func (a *anchors) collect(s *source, n *yaml.Node, parent *anchor) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			a.collect(s, value, a.add(key, anchor{line: key.Line, col: key.Column, parent: parent, first: i == 0}))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			at := anchor{line: item.Line, col: item.Column, item: true, parent: parent, first: i == 0}
			if n.Style&yaml.FlowStyle == 0 {
				at.col = n.Column // where the dashes are
				for at.line > n.Line && !dashed(s.line(at.line), at.col) {
					at.line-- // the dash stands alone
				}
			}
			a.collect(s, item, a.add(item, at))
		}
	case yaml.ScalarNode, yaml.AliasNode, yaml.DocumentNode:
	}
}

func dashed(line []rune, col int) bool { return col <= len(line) && line[col-1] == '-' }

// attach gives every comment, and the blank lines, to an anchor.
func (a *anchors) attach(s *source) {
	for _, c := range s.comments() {
		if !c.own {
			a.tail(c)
			continue
		}
		next, before := a.around(c.line)
		if below := c.below(next, before); below != nil {
			below.foot = append(below.foot, s.spaced(c.line)...)
			below.foot = append(below.foot, c.text)
			continue
		}
		next.head = append(next.head, s.spaced(c.line)...)
		next.head = append(next.head, c.text)
	}
	last := 0
	for _, at := range a.all {
		if at.line > last {
			at.head = append(at.head, s.spaced(at.line)...)
		}
		last = at.line
	}
}

// spaced is a blank line when there is one before line n.
func (s *source) spaced(n int) []string {
	if n > 1 && s.blank(n-1) {
		return []string{""}
	}
	return nil
}

// around are the first anchor behind a line and the last one before it.
func (a *anchors) around(line int) (next, before *anchor) {
	for _, at := range a.all {
		if at.line > line {
			return at, before
		}
		before = at
	}
	return nil, before
}

// below is the anchor that the comment stands below: it is indented as that one is, and what follows is further to the left. nil: it stands above what follows.
func (c comment) below(next, before *anchor) *anchor {
	left := 0
	if next != nil {
		left = next.col
	}
	var found *anchor
	for at := before; at != nil; at = at.parent {
		// Of two that begin at one column the outer one, for whoever wrote the comment there meant more than the inner one.
		if at.col <= c.col && at.col > left && (found == nil || at.col == found.col) {
			found = at
		}
	}
	if found == nil && next == nil {
		for found = before; found.parent != nil; found = found.parent {
		}
	}
	return found
}

// tail gives a comment that stands behind something to what that is.
func (a *anchors) tail(c comment) {
	var on *anchor
	for _, at := range a.all {
		switch {
		case at.line > c.line || at.line == c.line && at.col > c.col:
		case on == nil || at.line > on.line || on.item && !at.item:
			on = at
		}
	}
	switch {
	case on == nil:
		a.all[0].head = append(a.all[0].head, c.text)
	case on.tail != "":
		on.head = append(on.head, c.text)
	default:
		on.tail = c.text
	}
}

// width is how many columns of a terminal or an editor a text takes: Chinese characters take two.
func width(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60) {
			n++
		}
	}
	return n
}

package format

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub/policy"
)

// indentStep is by how much what is inside stands further to the right.
const indentStep = 2

// lineMost is how long a line gets of what the printer puts on one line by itself.
const lineMost = 120

// row is one line of the result.
type row struct {
	text    string
	comment string // behind it
	limit   bool   // it is a limit: comments behind limits are lined up
}

// printer writes a tree.
type printer struct {
	*source
	anchors anchors
	rows    []row
}

// print writes a file.
func print(s *source, root *yaml.Node) string {
	p := &printer{source: s, anchors: anchors{of: map[*yaml.Node]*anchor{}}}
	p.anchors.collect(s, root, nil)
	p.anchors.attach(s)
	// What stands above the first key is about the file, whichever key becomes the first.
	head := p.anchors.all[0]
	p.comments(head.head, 0)
	head.head = nil
	p.mapping(root, whole(), 0, "")
	return p.String()
}

// String lines up the comments behind limits that stand together, and makes the blank lines single ones.
func (p *printer) String() string {
	var b strings.Builder
	blank := true // at the beginning there is none
	for i, r := range p.rows {
		if r.text == "" && r.comment == "" {
			if !blank && slices.ContainsFunc(p.rows[i:], func(r row) bool { return r != row{} }) {
				b.WriteByte('\n')
			}
			blank = true
			continue
		}
		blank = false
		b.WriteString(r.text)
		if r.comment != "" {
			b.WriteString(strings.Repeat(" ", p.widest(i)-width(r.text)+2) + r.comment)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// widest is the width of the widest limit around line i, with nothing else between them; of line i itself when it is no limit.
func (p *printer) widest(i int) int {
	most := width(p.rows[i].text)
	for _, step := range []int{-1, 1} {
		for at := i; at >= 0 && at < len(p.rows) && p.rows[at].limit; at += step {
			most = max(most, width(p.rows[at].text))
		}
	}
	return most
}

func (p *printer) write(indent int, text, comment string) {
	p.rows = append(p.rows, row{text: strings.Repeat(" ", indent) + text, comment: comment})
}

// comments writes lines of comments, and blank ones.
func (p *printer) comments(lines []string, indent int) {
	for _, line := range lines {
		if line == "" {
			p.rows = append(p.rows, row{})
			continue
		}
		p.write(indent, line, "")
	}
}

// entry is a key with its value, and what the table says of the key.
type entry struct {
	key, value *yaml.Node
	known      policy.FileKey
	order      int
}

// entriesOf are the entries of what a key holds in the order of the table; unknown ones come last, in their own order, and limits are in theirs.
func entriesOf(n *yaml.Node, in policy.FileKey) []entry {
	var all []entry
	keys := keysBelow(in)
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry{key: n.Content[i], value: n.Content[i+1], order: len(keys)}
		if at := slices.IndexFunc(keys, func(k policy.FileKey) bool { return k.Name == e.key.Value }); at >= 0 {
			e.known, e.order = keys[at], at
		} else if in.Holds == policy.HoldsLimits {
			e.known = policy.FileKey{Name: e.key.Value, Holds: holdsLimit}
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b entry) int { return a.order - b.order })
	return all
}

// mapping writes a mapping's entries. dash stands before the first of them when the mapping is an item of a list; its head has been written.
func (p *printer) mapping(n *yaml.Node, in policy.FileKey, indent int, dash string) {
	for i, e := range entriesOf(n, in) {
		at := p.anchors.of[e.key]
		p.comments(p.headOf(at, i == 0), indent)
		p.entry(e, at, indent, dash)
		dash = strings.Repeat(" ", len(dash))
		p.comments(at.foot, indent)
	}
}

// headOf are the lines above an entry. What comes first begins without a blank line.
func (p *printer) headOf(at *anchor, first bool) []string {
	head := at.head
	for first && len(head) > 0 && head[0] == "" {
		head = head[1:]
	}
	return head
}

// entry writes one key with its value.
func (p *printer) entry(e entry, at *anchor, indent int, dash string) {
	start := indent
	if dash != "" {
		start -= len(dash)
	}
	key := dash + inline(e.key, e.key.Value, false) + ":"
	switch {
	case e.value.Kind == yaml.MappingNode && len(e.value.Content) == 0:
		p.write(start, key+" {}", at.tail)
	case e.value.Kind == yaml.MappingNode:
		p.write(start, key, at.tail)
		p.mapping(e.value, e.known, indent+indentStep, "")
	case e.value.Kind == yaml.SequenceNode:
		if single := e.value.Content; e.known.Holds == policy.HoldsWords && len(single) == 1 && single[0].Kind == yaml.ScalarNode && p.bare(single[0]) {
			p.write(start, key+" "+inline(single[0], single[0].Value, false), at.tail)
			return
		}
		if list, ok := p.flow(e.value); ok && start+width(key+" "+list) <= lineMost {
			p.write(start, key+" "+list, at.tail)
			return
		}
		p.write(start, key, at.tail)
		p.list(e.value, e.known, indent+indentStep)
	default:
		first, more := p.scalar(e.value, holdsOf(e.known), start+len(key)+1)
		p.write(start, strings.TrimRight(key+" "+first, " "), at.tail)
		p.rows[len(p.rows)-1].limit = holdsOf(e.known) == holdsLimit
		for _, line := range more {
			p.write(indent+indentStep, line, "")
		}
	}
}

// keysBelow is the table of what a key holds.
func keysBelow(k policy.FileKey) []policy.FileKey {
	if k.Holds == policy.HoldsSentences {
		return policy.Languages()
	}
	return k.Keys
}

// whole is a file as if it were what a key holds.
func whole() policy.FileKey {
	return policy.FileKey{Name: "policy", Holds: policy.HoldsMapping, Keys: policy.Keys()}
}

// list writes a list one item to a line.
func (p *printer) list(n *yaml.Node, in policy.FileKey, indent int) {
	for i, item := range n.Content {
		at := p.anchors.of[item]
		head := p.headOf(at, i == 0)
		switch {
		case item.Kind == yaml.MappingNode && len(item.Content) > 0:
			entries := entriesOf(item, in)
			if at.tail != "" {
				head = append(head, at.tail) // behind the dash
			}
			for _, e := range []entry{{key: item.Content[0]}, entries[0]} {
				// What stands above the first key stands above the dash, whichever key becomes the first.
				inner := p.anchors.of[e.key]
				head = append(head, slices.DeleteFunc(inner.head, func(line string) bool { return line == "" })...)
				inner.head = nil
			}
			p.comments(head, indent)
			p.mapping(item, in, indent+indentStep, "- ")
		case item.Kind == yaml.ScalarNode:
			p.comments(head, indent)
			first, more := p.scalar(item, policy.HoldsWord, indent+2)
			p.write(indent, strings.TrimRight("- "+first, " "), at.tail)
			for _, line := range more {
				p.write(indent+indentStep, line, "")
			}
		default: // an empty mapping: a list in a list has been refused
			p.comments(head, indent)
			p.write(indent, "- {}", at.tail)
		}
		p.comments(at.foot, indent)
	}
}

// bare reports whether no comment is about a node.
func (p *printer) bare(n *yaml.Node) bool {
	at := p.anchors.of[n]
	return at == nil || at.tail == "" && len(at.foot) == 0 && !slices.ContainsFunc(at.head, func(line string) bool { return line != "" })
}

// flow writes a list of single values on one line; false when it is not that, or has comments.
func (p *printer) flow(n *yaml.Node) (string, bool) {
	items := make([]string, len(n.Content))
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode || !p.bare(item) {
			return "", false
		}
		items[i] = inline(item, item.Value, true)
	}
	return "[" + strings.Join(items, ", ") + "]", n.Kind == yaml.SequenceNode
}

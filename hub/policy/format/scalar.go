package format

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub/policy"
)

// holdsLimit is what a limit holds. The table has no limits: their names are the author's.
const holdsLimit = policy.HoldsMappings + 1

// holdsOf is what a single value is, for what may be done to it.
func holdsOf(k policy.FileKey) policy.Holds {
	if k.Holds == policy.HoldsSentences {
		return policy.HoldsText
	}
	return k.Holds
}

const blockStyles = yaml.LiteralStyle | yaml.FoldedStyle

// scalar writes a single value: what stands behind the key, and the lines below it. at is the column where it begins.
func (p *printer) scalar(n *yaml.Node, holds policy.Holds, at int) (first string, more []string) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == "" {
		return "", nil
	}
	//exhaustive:ignore
	switch holds {
	case policy.HoldsCondition:
		tidy, ok := policy.Tidy(strings.Join(p.linesOf(n, false), "\n"))
		if !ok {
			return p.folded(n, p.linesOf(n, true), at) // 90%, or a mistake
		}
		return p.folded(n, strings.Split(tidy, "\n"), at)
	case policy.HoldsText:
		return p.folded(n, p.linesOf(n, true), at)
	case holdsLimit:
		switch {
		case n.Style == 0:
			return groupedNumber(n.Value), nil
		case n.Style&blockStyles == 0:
			return doubleQuoted(n.Value), nil // a mistake, which would be none without the quotes
		}
	}
	if n.Style&blockStyles != 0 {
		return p.asWritten(n)
	}
	return inline(n, n.Value, false), nil
}

// linesOf are the lines of a sentence or a condition, as its author broke it; of one that is not below a | or > those that it is broken into.
// spaces: those at the beginning of lines are a part of what it says.
func (p *printer) linesOf(n *yaml.Node, spaces bool) []string {
	if n.Style&blockStyles == 0 {
		return []string{n.Value}
	}
	first, last := p.block(n)
	var lines []string
	for line := first; line <= last; line++ {
		if text := strings.TrimSpace(string(p.line(line))); text != "" {
			lines = append(lines, text)
		}
	}
	if spaces && said(strings.Join(lines, "\n")) != said(n.Value) {
		return []string{said(n.Value)} // blank lines, or spaces
	}
	return lines
}

// said is a sentence as it is shown: a line's end is a space.
func said(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\n", " "), " ") }

// folded writes one line behind the key, and several below a >.
func (p *printer) folded(n *yaml.Node, lines []string, at int) (string, []string) {
	if len(lines) == 1 && n.Line != p.lastLine(n) && at+width(lines[0]) > lineMost && !strings.Contains(lines[0], "\n") {
		lines = wrap(lines[0], lineMost-at/2)
	}
	if len(lines) < 2 {
		return inline(n, strings.Join(lines, ""), false), nil
	}
	if reads("k: >\n  "+strings.Join(lines, "\n  ")+"\n", strings.Join(lines, " ")+"\n", "") {
		return ">", lines
	}
	return inline(n, strings.Join(lines, " "), false), nil
}

// lastLine is where a value that is not below | or > ends: the line itself, unless what follows in it is not the whole value.
func (p *printer) lastLine(n *yaml.Node) int {
	if n.Style&blockStyles != 0 {
		_, last := p.block(n)
		return last
	}
	rest := string(p.line(n.Line)[n.Column-1:])
	if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(rest, `\"`, `"`), "''", "'"), n.Value) {
		return n.Line
	}
	return n.Line + 1
}

// wrap breaks a long line at spaces between words.
func wrap(s string, most int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		if line != "" && word != "" && !strings.HasSuffix(line, " ") && width(line)+1+width(word) > most {
			lines, line = append(lines, line), word
			continue
		}
		if line != "" || len(lines) > 0 && word == "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// asWritten keeps a block of which nothing is known.
func (p *printer) asWritten(n *yaml.Node) (string, []string) {
	return inline(n, n.Value, false), nil
}

// inline writes a value on one line: plain where YAML reads it so, else in the quotes that need no escapes.
func inline(n *yaml.Node, value string, flow bool) string {
	before, after, tag := "k: ", "\n", n.Tag
	if flow {
		before, after = "k: [", "]\n"
	}
	if n.Kind != yaml.ScalarNode {
		return value
	}
	if n.Style != 0 || value == "" {
		tag = "!!str" // what was quoted is a text, and stays one
	}
	if plain := value; plain != "" && reads(before+plain+after, value, tag) {
		return plain
	}
	if single := "'" + strings.ReplaceAll(value, "'", "''") + "'"; strings.ContainsAny(value, `"\`) && reads(before+single+after, value, "!!str") {
		return single
	}
	return doubleQuoted(value)
}

// reads reports whether YAML makes value of a text with one key, of the tag, where one is given.
func reads(text, value, tag string) bool {
	var document yaml.Node
	if yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) != 1 || len(document.Content[0].Content) != 2 {
		return false
	}
	n := document.Content[0].Content[1]
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	commented := n.LineComment != "" || n.FootComment != "" || n.HeadComment != ""
	return n.Kind == yaml.ScalarNode && n.Value == value && (tag == "" || n.Tag == tag) && n.Style&yaml.TaggedStyle == 0 && n.Anchor == "" && !commented
}

// doubleQuoted writes a value in double quotes.
func doubleQuoted(value string) string {
	escapes := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	return `"` + escapes.Replace(value) + `"`
}

// groupedNumber writes the digits of a limit in groups of three, and one space before its unit. What is no number comes back as it is.
func groupedNumber(value string) string {
	number, unit, _ := strings.Cut(value, " ")
	sign := ""
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		sign, number = "-", rest
	}
	whole, fraction, point := strings.Cut(number, ".")
	digits := strings.ReplaceAll(whole, "_", "")
	if !grouped(whole) || point && !grouped(fraction) || len(digits) > 19 {
		return value
	}
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	if point {
		b.WriteString("." + fraction)
	}
	if unit = strings.Join(strings.Fields(unit), " "); unit != "" {
		over, under, divided := strings.Cut(unit, "/")
		if divided {
			unit = strings.TrimSpace(over) + "/" + strings.TrimSpace(under)
		}
		b.WriteString(" " + unit)
	}
	return sign + b.String()
}

// grouped reports whether s is digits, with single underscores between them at most.
func grouped(s string) bool {
	for group := range strings.SplitSeq(s, "_") {
		if group == "" || strings.Trim(group, "0123456789") != "" {
			return false
		}
	}
	return true
}

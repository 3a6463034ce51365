package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/spell"
)

// place is a value in the file and the way to it.
type place struct {
	node *yaml.Node
	path string
}

// reader reads values out of the tree and keeps what is wrong. Its methods answer false when they have kept an error.
type reader struct {
	file   string
	errors []Error
	// noted is where it notes what it would read, when that is all that it is asked for; see Describe.
	noted *[]Shape
}

func (r *reader) fail(p place, format string, args ...any) bool {
	r.errors = append(r.errors, Error{File: r.file, Line: p.node.Line, Col: p.node.Column, Path: p.path, Text: fmt.Sprintf(format, args...)})
	return false
}

// field is a key that a mapping may have. Without one that is wanted the error is "key is missing; write " and wanted.
type field struct {
	key    string
	wanted string
	read   func(place)
}

// object reads a mapping whose keys are known.
func (r *reader) object(p place, fields ...field) {
	if r.notesKeys(p, fields) {
		return
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	seen := map[string]bool{}
	if !r.each(p, func(name string, key, value place) {
		seen[name] = true
		i := slices.Index(known, name)
		if i < 0 {
			r.fail(key, "no such key%s", spell.MeantOrKnown(name, known))
			seen[spell.Nearest(name, known)] = true // a misspelt key is not missing as well
			return
		}
		fields[i].read(value)
	}) {
		return
	}
	for _, f := range fields {
		if f.wanted != "" && !seen[f.key] {
			r.fail(p, "%s is missing; write %s", f.key, f.wanted)
		}
	}
}

// named reads a mapping from names to what each gets.
func (r *reader) named(p place, what string, get func(name string, key, value place)) {
	r.each(p, func(name string, key, value place) {
		if !nameForm.MatchString(name) || len(name) > nameMax {
			r.fail(key, "%q is no name for a %s; write letters, digits, - and _, at most %d, a letter or digit first", clip(name), what, nameMax)
			return
		}
		get(name, key, value)
	})
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// each visits the keys of a mapping and their values, in their order, without repeated ones.
func (r *reader) each(p place, visit func(name string, key, value place)) bool {
	if r.notesNames(p, visit) {
		return false
	}
	if p.node.Tag == "!!null" {
		return r.fail(p, "there is no value; write one or remove the key")
	}
	if p.node.Kind != yaml.MappingNode {
		return r.fail(p, "%s is no mapping; write key: value, one to a line, or {key: value}", describe(p.node))
	}
	first := map[string]int{}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.fail(place{key, p.path}, "a key is a word, not %s", describe(key))
			continue
		}
		path := strings.TrimPrefix(p.path+"."+plain(key.Value), ".")
		at := place{key, path}
		if line, again := first[key.Value]; again {
			r.fail(at, "written twice, first in line %d; remove one", line)
			continue
		}
		first[key.Value] = key.Line
		visit(key.Value, at, place{p.node.Content[i+1], path})
	}
	return true
}

// list visits the items of a list.
func (r *reader) list(p place, visit func(place)) bool {
	if r.notesList(p, visit) {
		return false
	}
	if p.node.Kind != yaml.SequenceNode {
		return r.fail(p, "%s is no list; write [a, b]", describe(p.node))
	}
	for i, item := range p.node.Content {
		visit(place{item, fmt.Sprintf("%s[%d]", p.path, i)})
	}
	return true
}

// text reads a scalar as it is written.
func (r *reader) text(p place) (string, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeText}) {
		return "", false
	}
	switch {
	case p.node.Kind != yaml.ScalarNode:
		return "", r.fail(p, "%s is no single value", describe(p.node))
	case p.node.Tag == "!!null" || p.node.Value == "":
		return "", r.fail(p, "there is no value; write one or remove the key")
	case strings.ContainsFunc(p.node.Value, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "", r.fail(p, "%q has a control character", clip(p.node.Value))
	}
	return p.node.Value, true
}

func (r *reader) oneOf(p place, what string, known ...string) (string, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeWord, Words: known}) {
		return "", false
	}
	s, ok := r.text(p)
	if ok && !slices.Contains(known, s) {
		return "", r.fail(p, "%q is no %s%s", clip(s), what, spell.MeantOrKnown(s, known))
	}
	return s, ok
}

var decimalForm = regexp.MustCompile(`^[-+]?(0|[1-9][0-9_]*|)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$`)

// decimal reads a number, which may have underscores between digits: 2_000_000.
func (r *reader) decimal(p place) (hub.Decimal, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeNumber}) {
		return hub.Decimal{}, false
	}
	s, ok := r.text(p)
	if !ok {
		return hub.Decimal{}, false
	}
	d, err := parseNumber(s)
	if err != nil {
		return hub.Decimal{}, r.fail(p, "%q is no decimal number of at most 19 digits; write 2_000_000 or 0.5", clip(s))
	}
	return d, true
}

func parseNumber(s string) (hub.Decimal, error) {
	if !decimalForm.MatchString(s) || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || strings.Contains(s, "_.") {
		return hub.Decimal{}, fmt.Errorf("%q is no decimal number", s)
	}
	return hub.ParseDecimal(strings.ReplaceAll(s, "_", ""))
}

// count reads a whole number from low to high.
func (r *reader) count(p place, low, high uint64) (uint64, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeWhole, Low: low, High: high}) {
		return 0, false
	}
	s, ok := r.text(p)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(s, "_", ""), 10, 64)
	if err != nil || n < low || n > high {
		return 0, r.fail(p, "%q is no whole number from %d to %d", clip(s), low, high)
	}
	return n, true
}

// duration reads what is above 0 and at most high.
func (r *reader) duration(p place, high time.Duration) (time.Duration, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeDuration}) {
		return 0, false
	}
	s, ok := r.text(p)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, r.fail(p, "%q is no duration; write a number and its unit, such as 5ms or 2s", clip(s))
	case d <= 0 || d > high:
		return 0, r.fail(p, "%s is out of range; write more than 0 and at most %s", s, high)
	}
	return d, true
}

var (
	sizeForm  = regexp.MustCompile(`^([0-9]{1,7})(B|kB|MB|GB|KiB|MiB|GiB)$`)
	sizeUnits = map[string]int64{"B": 1, "kB": 1000, "MB": 1000_000, "GB": 1000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
)

// size reads a number of bytes.
func (r *reader) size(p place, high int64) (int64, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeSize}) {
		return 0, false
	}
	s, ok := r.text(p)
	if !ok {
		return 0, false
	}
	m := sizeForm.FindStringSubmatch(s)
	if m == nil {
		return 0, r.fail(p, "%q is no size; write a number and its unit, such as 256MiB or 2GB", clip(s))
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // seven digits always fit
	unit := sizeUnits[m[2]]
	if n > math.MaxInt64/unit || n*unit > high {
		return 0, r.fail(p, "%s is too much; write at most %dGiB", s, high>>30)
	}
	return n * unit, true
}

// clockTime reads HH:MM as the time since midnight.
func (r *reader) clockTime(p place) (time.Duration, bool) {
	if r.notes(p, yaml.ScalarNode, Shape{Kind: ShapeTime}) {
		return 0, false
	}
	s, ok := r.text(p)
	if !ok {
		return 0, false
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, r.fail(p, "%q is no time of day; write 18:00", clip(s))
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, true
}

// describe says what is there, for people.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return fmt.Sprintf("%q", clip(n.Value))
}

// clip keeps a message readable whatever was written.
func clip(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}

// plain is a key as a part of a path.
func plain(key string) string {
	if key == "" || strings.ContainsFunc(key, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return strconv.Quote(clip(key))
	}
	return clip(key)
}

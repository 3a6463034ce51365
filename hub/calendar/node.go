package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub/spell"
)

// place is a value in a file and the way to it.
type place struct {
	node *yaml.Node
	path string
}

func (p place) null() bool { return p.node.Kind == yaml.ScalarNode && p.node.Tag == "!!null" }

// reader reads values out of one file and keeps what is wrong. Its methods answer false when they have kept an error.
type reader struct {
	file   string
	errors []Error
}

func (r *reader) fail(p place, format string, args ...any) bool {
	r.errors = append(r.errors, Error{File: r.file, Line: p.node.Line, Col: p.node.Column, Path: p.path, Text: fmt.Sprintf(format, args...)})
	return false
}

func (r *reader) failAt(line int, format string, args ...any) {
	r.errors = append(r.errors, Error{File: r.file, Line: max(1, line), Col: 1, Text: fmt.Sprintf(format, args...)})
}

var yamlError = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?(?s:(.*))$`)

// root is the file's one document; false when there is none to read.
func (r *reader) root(text string) (place, bool) {
	if len(text) > textMax {
		r.failAt(1, "the file has %d bytes; %d is the most", len(text), textMax)
		return place{}, false
	}
	broken := func(err error) {
		line, what := 1, err.Error()
		if m := yamlError.FindStringSubmatch(what); m != nil {
			line, _ = strconv.Atoi(m[1])
			what = m[2]
		}
		r.failAt(min(line, strings.Count(text, "\n")+1), "not YAML: %s", clip(what))
	}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	var doc, second yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.failAt(1, "the file is empty; write at least calendar and zone, or calendar and extends")
		return place{}, false
	case err != nil:
		broken(err)
		return place{}, false
	}
	if err := decoder.Decode(&second); err != nil && !errors.Is(err, io.EOF) {
		broken(err)
		return place{}, false
	} else if err == nil {
		r.failAt(second.Line, "a second document begins here; write a file for each calendar")
		return place{}, false
	}
	root := place{doc.Content[0], ""}
	if root.null() {
		r.failAt(1, "the file is empty; write at least calendar and zone, or calendar and extends")
		return place{}, false
	}
	return root, r.plain(root.node)
}

// plain refuses aliases and tags, which hide what a line means.
func (r *reader) plain(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		return r.fail(place{n, ""}, "*%s is an alias; write the value itself", clip(n.Value))
	case n.Style&yaml.TaggedStyle != 0:
		return r.fail(place{n, ""}, "%s is a tag; write the value alone", clip(n.Tag))
	}
	ok := true
	for _, child := range n.Content {
		ok = r.plain(child) && ok
	}
	return ok
}

// field is a key that a mapping may have.
type field struct {
	key  string
	read func(place)
}

// object reads a mapping whose keys are known, and answers which of them are there.
func (r *reader) object(p place, fields ...field) map[string]bool {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	seen := map[string]bool{}
	r.each(p, func(name string, key, value place) {
		if i := slices.Index(known, name); i >= 0 {
			seen[name] = true
			fields[i].read(value)
			return
		}
		r.fail(key, "no such key%s", spell.MeantOrKnown(name, known))
		seen[spell.Nearest(name, known)] = true // a misspelt key is not missing as well
	})
	return seen
}

// each visits the keys of a mapping and their values, in their order, without repeated ones.
func (r *reader) each(p place, visit func(name string, key, value place)) {
	if p.node.Kind != yaml.MappingNode {
		r.fail(p, "%s is no mapping; write key: value, one to a line", describe(p.node))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key := p.node.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.fail(place{key, p.path}, "a key is a word, not %s", describe(key))
			continue
		}
		at := place{key, strings.TrimPrefix(p.path+"."+clip(key.Value), ".")}
		if line, again := first[key.Value]; again {
			r.fail(at, "written twice, first in line %d; remove one", line)
			continue
		}
		first[key.Value] = key.Line
		visit(key.Value, at, place{p.node.Content[i+1], at.path})
	}
}

// list visits the items of a list.
func (r *reader) list(p place, visit func(place)) {
	if p.node.Kind != yaml.SequenceNode {
		r.fail(p, "%s is no list; write [a, b]", describe(p.node))
		return
	}
	for i, item := range p.node.Content {
		visit(place{item, fmt.Sprintf("%s[%d]", p.path, i)})
	}
}

// text reads a scalar as it is written.
func (r *reader) text(p place) (string, bool) {
	switch {
	case p.null() || p.node.Kind == yaml.ScalarNode && p.node.Value == "":
		return "", r.fail(p, "there is no value; write one or remove the key")
	case p.node.Kind != yaml.ScalarNode:
		return "", r.fail(p, "%s is no single value", describe(p.node))
	}
	return p.node.Value, true
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func (r *reader) name(p place, what string) string {
	s, ok := r.text(p)
	if ok && (!nameForm.MatchString(s) || len(s) > nameMax) {
		r.fail(p, "%q is no name for a %s; write letters, digits, - and _, at most %d", clip(s), what, nameMax)
		return ""
	}
	return s
}

func (r *reader) oneOf(p place, what string, known ...string) (string, bool) {
	s, ok := r.text(p)
	if ok && !slices.Contains(known, s) {
		return "", r.fail(p, "%q is no %s%s", clip(s), what, spell.MeantOrKnown(s, known))
	}
	return s, ok
}

var clockForm = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)

// clock reads HH:MM, up to 24:00, as the time since midnight.
func clock(s string) (time.Duration, bool) {
	m := clockForm.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	h, _ := strconv.Atoi(m[1])
	n, _ := strconv.Atoi(m[2])
	d := time.Duration(h)*time.Hour + time.Duration(n)*time.Minute
	return d, d <= dayLong
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
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '·'
		}
		return c
	}, s)
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}

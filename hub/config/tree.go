package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parse makes the tree: one document, a mapping, without anchors, aliases and tags, which only hide what a line means.
func parse(file string, text []byte) (*yaml.Node, []Error) {
	one := func(line int, format string, args ...any) (*yaml.Node, []Error) {
		return nil, []Error{{File: file, Line: line, Col: 1, Text: fmt.Sprintf(format, args...)}}
	}
	if len(text) > textMax {
		return one(1, "the file has %d bytes; %d is the most", len(text), textMax)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return one(1, "the file is empty; write at least data, fund, traders, gateways")
	case err != nil:
		line, what := syntax(err, text)
		return one(line, "%s", what)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		line := max(1, second.Line)
		if err != nil {
			line, _ = syntax(err, text)
		}
		return one(line, "a second document begins here; write everything into one, without ---")
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return one(1, "the file is empty; write at least data, fund, traders, gateways")
	}
	if hidden := hiding(file, root); len(hidden) > 0 {
		return nil, hidden
	}
	return root, nil
}

// hiding finds aliases and tags. Without aliases the tree is no larger than the text.
func hiding(file string, n *yaml.Node) []Error {
	at := Error{File: file, Line: n.Line, Col: n.Column}
	switch {
	case n.Kind == yaml.AliasNode:
		at.Text = fmt.Sprintf("*%s is an alias; write the value itself", n.Value)
		return []Error{at}
	case n.Style&yaml.TaggedStyle != 0:
		at.Text = fmt.Sprintf("%s is a tag; write the value alone", n.Tag)
		return []Error{at}
	}
	var found []Error
	for _, child := range n.Content {
		found = append(found, hiding(file, child)...)
	}
	return found
}

var yamlError = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?(?s:(.*))$`)

// syntax turns the library's error into a line and words.
func syntax(err error, text []byte) (int, string) {
	line, what := 1, err.Error()
	if m := yamlError.FindStringSubmatch(what); m != nil {
		what = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = max(1, n)
		}
		if strings.HasPrefix(what, "did not find expected") {
			line++ // the library's parser counts lines from 0, its scanner from 1
		}
	}
	lines := strings.Split(string(text), "\n")
	// The library counts the line that it was in or the one that it wanted; a tab is on either.
	for i := max(0, line-2); i < min(len(lines), line+1); i++ {
		if strings.HasPrefix(strings.TrimLeft(lines[i], " "), "\t") {
			return i + 1, "a tab indents this line; indent with spaces"
		}
	}
	return min(line, len(lines)), "not YAML: " + what
}

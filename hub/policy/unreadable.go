package policy

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^line (\d+): (.*)`)

// unreadable says in which line a file stops being YAML, and what to do about it.
func (c *sheetCompiler) unreadable(source string, err error) {
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(problem); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits; of too many, the largest int
		problem = m[2]
	}
	line = min(max(line, 1), len(c.text.lines))
	if better := lastReadable(source) + 1; better > 1 && better <= len(c.text.lines) {
		line = better
	}
	col := 1
	for at := c.text.offset(line, 1); at < len(c.text.runes) && c.text.runes[at] == ' '; at++ {
		col++
	}
	c.fail(place{line, col}, "", "%s", yamlProblem(problem))
}

// linesTried bounds how far lastReadable goes back.
const linesTried = 40

// lastReadable is how many of the first lines can be read as YAML when the rest is cut off. The library names the line where the block that holds the mistake began, which may be
// far above; the line behind the last readable ones is where people look. 0: not found.
func lastReadable(source string) int {
	lines := strings.SplitAfter(source, "\n")
	counted := &lineReader{lines: lines}
	_, _ = decode(yaml.NewDecoder(counted)) // the error is known; this is to see how far the library read
	for n := min(counted.next, len(lines)-1); n > 0 && n > counted.next-linesTried; n-- {
		_, err := decode(yaml.NewDecoder(strings.NewReader(strings.Join(lines[:n], ""))))
		if err == nil || errors.Is(err, io.EOF) {
			return n
		}
	}
	return 0
}

// lineReader gives a line at each Read, so that next says how many lines have been asked for.
type lineReader struct {
	lines []string
	next  int
	rest  string
}

// Read implements io.Reader.
func (r *lineReader) Read(p []byte) (int, error) {
	for r.rest == "" {
		if r.next >= len(r.lines) {
			return 0, io.EOF
		}
		r.rest = r.lines[r.next]
		r.next++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// yamlProblem is a YAML library's problem in words for people who write policies.
func yamlProblem(problem string) string {
	for _, known := range []struct{ has, say string }{
		{"mapping values are not allowed", `a value with ": " in it must be in quotes, or stand below a |`},
		{"did not find expected key", "the line does not fit those above: look at its indentation, and put a value that begins with a quote in quotes as a whole"},
		{"did not find expected '-' indicator", "the line does not fit those above: look at its indentation, and at the - before it"},
		{"could not find expected ':'", `a line without ": "; a key is written name: value`},
		{"cannot start any token", "a value that begins with @, ` or % must be in quotes"},
		{"found unexpected end of stream", "a quote is not closed"},
		{"found unexpected document indicator", "a quote is not closed"},
		{"did not find expected ',' or ']'", "a [ is not closed; a value that begins with [ must be in quotes"},
		{"did not find expected ',' or '}'", "a { is not closed; a value that begins with { must be in quotes"},
		{"unknown anchor", "an alias (*); write the value itself"},
		{"did not find expected alphabetic or numeric character", "a value that begins with * or & must be in quotes"},
		{"block sequence entries are not allowed", "a - where none can stand"},
	} {
		if strings.Contains(problem, known.has) {
			return known.say
		}
	}
	return "not YAML: " + problem
}

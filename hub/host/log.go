package host

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// readStderr puts a plugin's log into the hub's: hclog's JSON lines at their level, others as they are, a stack as errors.
func (c *child) readStderr(r io.Reader) {
	lines(r, func(line []byte) {
		if level, message, pairs, ok := parseLine(line); ok {
			c.log.Log(level, message, pairs...)
			if level >= hclog.Error {
				c.last(message, false)
			}
			return
		}
		text := string(line)
		begins := strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")
		level := hclog.Info
		if c.last(text, begins) {
			level = hclog.Error
		}
		c.log.Log(level, text)
	})
}

// last keeps a line as the last words, unless a panic has begun: then its first line stays. It reports whether one has.
func (c *child) last(text string, panics bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.panicking {
		return true
	}
	c.panicking = panics
	c.lastWords, c.lastAt = clip(oneLine(text), 300), time.Now()
	return panics
}

// parseLine reads a line that hclog wrote as JSON.
func parseLine(line []byte) (level hclog.Level, message string, pairs []any, ok bool) {
	if !bytes.HasPrefix(line, []byte("{")) {
		return 0, "", nil, false
	}
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil {
		return 0, "", nil, false
	}
	message, isText := fields["@message"].(string)
	name, _ := fields["@level"].(string)
	level = hclog.LevelFromString(name)
	if !isText || level == hclog.NoLevel {
		return 0, "", nil, false
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !strings.HasPrefix(key, "@") {
			pairs = append(pairs, key, fields[key])
		}
	}
	return level, message, pairs, true
}

// lineWriter puts what is written to it into the log, line by line: what a plugin prints after its handshake comes this way.
type lineWriter struct {
	log  hclog.Logger
	from string
	rest []byte
}

// Write is called by one goroutine of go-plugin's.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		at := bytes.IndexByte(w.rest, '\n')
		if at < 0 {
			if len(w.rest) > lineMax {
				w.rest = w.rest[:0]
			}
			return len(p), nil
		}
		if line := bytes.TrimSpace(w.rest[:at]); len(line) > 0 {
			w.log.Warn("the plugin wrote to its "+w.from+", not to its log", "line", string(line))
		}
		w.rest = w.rest[at+1:]
	}
}

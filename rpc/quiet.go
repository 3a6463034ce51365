package rpc

import (
	"time"

	"github.com/hashicorp/go-hclog"
)

// quiet is a log that cannot be flooded: a stock client with swapped addresses tries ten times a second, for ever. Causes are constants of this
// package, so there are few. Only the owner of a line uses it.
type quiet struct {
	log       hclog.Logger
	perMinute int
	causes    map[string]*cause
}

// cause is one kind of line.
type cause struct {
	since   time.Time
	written int
	skipped int
}

func newQuiet(log hclog.Logger, perMinute int) *quiet {
	return &quiet{log: log, perMinute: perMinute, causes: make(map[string]*cause)}
}

// say writes a line, or counts it. It reports whether it wrote.
func (q *quiet) say(level hclog.Level, now time.Time, text string, args ...any) bool {
	c := q.causes[text]
	if c == nil {
		c = &cause{since: now}
		q.causes[text] = c
	}
	if now.Sub(c.since) >= time.Minute {
		c.since, c.written = now, 0
	}
	if c.written >= q.perMinute {
		c.skipped++
		return false
	}
	c.written++
	if c.skipped > 0 {
		args = append(args, "times_not_logged", c.skipped)
		c.skipped = 0
	}
	q.log.Log(level, text, args...)
	return true
}

func (q *quiet) info(now time.Time, text string, args ...any) { q.say(hclog.Info, now, text, args...) }

func (q *quiet) warn(now time.Time, text string, args ...any) { q.say(hclog.Warn, now, text, args...) }

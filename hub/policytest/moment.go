package policytest

import (
	"strings"
	"time"

	"tradehub/hub/calendar"
)

// moment is a time as a test writes it.
type moment struct {
	// after is of +10s.
	after    time.Duration
	relative bool
	// nextDay: not before the next trading day begins.
	nextDay bool
	// date and clock, where they are said.
	date  string
	clock string
}

var clocks = []string{"15:04:05.999999999", "15:04"}

// readMoment reads +10s, 10:30, 10:30:00.5, 2026-11-24 09:00, next day, next day 09:00.
func readMoment(s string) (m moment, ok bool) {
	if span, is := strings.CutPrefix(s, "+"); is {
		d, err := time.ParseDuration(span)
		return moment{relative: true, after: d}, err == nil && d >= 0
	}
	if rest, is := strings.CutPrefix(s, "next day"); is {
		m.nextDay, s = true, strings.TrimSpace(rest)
		if s == "" {
			return m, true
		}
	} else if len(s) >= len(time.DateOnly) && s[4] == '-' {
		m.date, s = s[:len(time.DateOnly)], strings.TrimSpace(strings.TrimPrefix(s[len(time.DateOnly):], "T"))
		if day, err := time.Parse(time.DateOnly, m.date); err != nil || day.Year() < 1990 || day.Year() > 2199 {
			return m, false
		}
	}
	for _, layout := range clocks {
		if at, err := time.Parse(layout, s); err == nil {
			m.clock = at.Format("15:04:05.999999999")
			return m, true
		}
	}
	return m, false
}

// whole reports whether the moment needs no other to be known.
func (m moment) whole() bool { return m.date != "" && m.clock != "" }

// from is the moment, seen from now.
func (m moment) from(now time.Time, c *calendar.Calendar) time.Time {
	if m.relative {
		return now.Add(m.after)
	}
	now = now.In(c.Zone())
	at := now
	if m.nextDay {
		at = c.NextRoll(now).In(c.Zone())
		if m.clock == "" {
			return at
		}
	}
	date := at.Format(time.DateOnly)
	if m.date != "" {
		date = m.date
	}
	when, err := time.ParseInLocation(time.DateOnly+" 15:04:05.999999999", date+" "+m.clock, c.Zone())
	if err != nil {
		return at // both were read when the file was
	}
	if m.date == "" && when.Before(at) {
		when = when.AddDate(0, 0, 1)
	}
	for n := 0; m.nextDay && !trades(c, when) && n < holidaysMax; n++ {
		when = when.AddDate(0, 0, 1)
	}
	return when
}

// holidaysMax is the most days in a row on which nothing is traded.
const holidaysMax = 30

// trades reports whether the date of a moment is a trading day, and no weekend and no holiday.
func trades(c *calendar.Calendar, when time.Time) bool {
	noon := time.Date(when.Year(), when.Month(), when.Day(), 12, 0, 0, 0, when.Location())
	return string(c.Day(noon)) == noon.Format("20060102")
}

package calendar

import (
	"fmt"
	"time"

	"tradehub/hub"
)

// date is a day of the common calendar: days since 1970-01-01.
type date int

const dayLong = 24 * time.Hour

// dateOf is the date that a clock in the zone of t shows.
func dateOf(t time.Time) date { return newDate(t.Year(), t.Month(), t.Day()) }

func newDate(year int, month time.Month, day int) date {
	return date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / int64(dayLong/time.Second))
}

func (d date) utc() time.Time { return time.Unix(int64(d)*int64(dayLong/time.Second), 0).UTC() }

func (d date) year() int { return d.utc().Year() }

func (d date) weekday() time.Weekday { return d.utc().Weekday() }

func (d date) String() string { return d.utc().Format(time.DateOnly) }

// day is the date as the name of a trading day.
func (d date) day() hub.Day {
	y, m, n := d.utc().Date()
	return hub.Day(fmt.Sprintf("%04d%02d%02d", y, m, n))
}

// parseDate reads 2026-11-22, and knows that there is no 2026-02-29.
func parseDate(s string) (date, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return 0, false
	}
	return dateOf(t), true
}

// instant is when a clock in a zone shows a time of a date; from 24:00 on it is of the date after. Of two such moments, when clocks are put back, it is the first; when clocks are put
// forward over it, the moment at which they are. So later times are never earlier moments.
func instant(zone *time.Location, d date, clock time.Duration) time.Time {
	wall := d.utc().Add(clock)
	before, after := offset(zone, wall.Add(-dayLong)), offset(zone, wall.Add(dayLong))
	first, second := wall.Add(-before), wall.Add(-after)
	if before == after {
		return first.In(zone)
	}
	if second.Before(first) { // clocks are put forward
		if offset(zone, first) == before {
			return first.In(zone)
		}
		if offset(zone, second) == after {
			return second.In(zone)
		}
		gap, _ := first.In(zone).ZoneBounds()
		return gap
	}
	if offset(zone, first) == before {
		return first.In(zone)
	}
	return second.In(zone)
}

func offset(zone *time.Location, t time.Time) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

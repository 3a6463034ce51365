package pickle

import (
	"fmt"
	"sync"
	"time"
)

const (
	deltaMax   = 86_399_999_999_999 // of any argument of timedelta: enough for all that is normalised
	zoneKeyMax = 64
)

// Zone is a tzinfo: the rules of an IANA zone, or a fixed offset.
type Zone struct {
	// Key is the IANA name; "" for an offset without one.
	Key string
	// Fixed: Offset, in seconds east of UTC, is what counts. Otherwise the rules of Key do.
	Fixed  bool
	Offset int
	// Name is what a fixed zone calls itself, "" when it has no name.
	Name string
}

func (z *Zone) valid() bool { return z.Offset > -86400 && z.Offset < 86400 }

// Location returns the zone for package time. The error says which zone is not known.
func (z *Zone) Location() (*time.Location, error) {
	if !z.Fixed {
		return location(z.Key)
	}
	name := z.Name
	if name == "" && z.Offset == 0 {
		name = "UTC"
	}
	return time.FixedZone(name, z.Offset), nil
}

// locations remembers zones that were found: the time zone database bounds it, and reading one from disk for each value would be slow.
var locations sync.Map // string -> *time.Location

func location(key string) (*time.Location, error) {
	if loc, ok := locations.Load(key); ok {
		return loc.(*time.Location), nil
	}
	if key == "" || key == "Local" { // package time means the machine by these
		return nil, fmt.Errorf("time zone %q is not known", key)
	}
	loc, err := time.LoadLocation(key)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not known", key)
	}
	locations.Store(key, loc)
	return loc, nil
}

// DateTime is a datetime.datetime: a wall clock, and the zone it hangs in. Without a Zone it is naive.
type DateTime struct {
	Year, Month, Day, Hour, Minute, Second, Micro int
	// Fold: the second of two equal wall clock times, when clocks go back.
	Fold bool
	Zone *Zone
}

func (d DateTime) valid() bool {
	return Date{d.Year, d.Month, d.Day}.valid() && Clock{Hour: d.Hour, Minute: d.Minute, Second: d.Second, Micro: d.Micro}.valid()
}

// Time returns the instant; naive says in which zone a naive DateTime is meant.
func (d DateTime) Time(naive *time.Location) (time.Time, error) {
	loc := naive
	if d.Zone != nil {
		var err error
		if loc, err = d.Zone.Location(); err != nil {
			return time.Time{}, err
		}
	}
	return wall(time.Date(d.Year, time.Month(d.Month), d.Day, d.Hour, d.Minute, d.Second, d.Micro*1000, time.UTC), d.Fold, loc), nil
}

// wall returns the instant at which clocks in loc show what clocks in UTC show at t, as PEP 495 has it: of two such instants fold tells the
// second; where clocks jump over t the offset before the jump counts, or with fold the one after.
func wall(t time.Time, fold bool, loc *time.Location) time.Time {
	before, after := offsetAt(t.Add(-24*time.Hour), loc), offsetAt(t.Add(24*time.Hour), loc)
	first := t.Add(-time.Duration(before) * time.Second)
	second := t.Add(-time.Duration(after) * time.Second)
	okFirst, okSecond := offsetAt(first, loc) == before, offsetAt(second, loc) == after
	if okFirst == okSecond {
		if fold {
			return second.In(loc)
		}
		return first.In(loc)
	}
	if okSecond {
		return second.In(loc)
	}
	return first.In(loc)
}

func offsetAt(t time.Time, loc *time.Location) int {
	_, offset := t.In(loc).Zone()
	return offset
}

// DateTimeOf returns t as the wall clock of its location shows it, to the microsecond, without a zone.
func DateTimeOf(t time.Time) DateTime {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return DateTime{
		Year: year, Month: int(month), Day: day, Hour: hour, Minute: minute, Second: second, Micro: t.Nanosecond() / 1000,
		Fold: folded(t),
	}
}

// folded reports whether t is the second instant at which the clock shows what it shows.
func folded(t time.Time) bool {
	start, _ := t.ZoneBounds()
	if start.IsZero() {
		return false
	}
	_, now := t.Zone()
	_, before := start.Add(-time.Nanosecond).Zone()
	return before > now && t.Sub(start) < time.Duration(before-now)*time.Second
}

// dateTimeAt is the DateTime at so many microseconds after 1970, as a clock in zone shows it; without a zone, in UTC.
func dateTimeAt(us int64, zone *Zone) (any, bool) {
	loc := time.UTC
	if zone != nil {
		var err error
		if loc, err = zone.Location(); err != nil {
			return nil, false
		}
	}
	d := DateTimeOf(time.UnixMicro(us).In(loc))
	d.Zone = zone
	return d, d.valid()
}

// Date is a datetime.date.
type Date struct{ Year, Month, Day int }

func (d Date) valid() bool {
	if d.Year < 1 || d.Year > 9999 || d.Month < 1 || d.Month > 12 || d.Day < 1 {
		return false
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC).Day() == d.Day
}

// Clock is a datetime.time.
type Clock struct {
	Hour, Minute, Second, Micro int
	Fold                        bool
	Zone                        *Zone
}

func (c Clock) valid() bool {
	return c.Hour < 24 && c.Minute < 60 && c.Second < 60 && c.Micro < 1e6
}

// Delta is a datetime.timedelta, normalised as Python does: only Days may be negative.
type Delta struct{ Days, Seconds, Micros int64 }

func newDelta(days, seconds, micros int64) Delta {
	seconds += floorDiv(micros, 1e6)
	micros -= floorDiv(micros, 1e6) * 1e6
	days += floorDiv(seconds, 86400)
	seconds -= floorDiv(seconds, 86400) * 86400
	return Delta{Days: days, Seconds: seconds, Micros: micros}
}

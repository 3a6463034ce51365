package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
)

// Calendar is the trading days of a venue and the hours of what is traded there. It does not change. Read makes calendars, and Plain one without hours.
type Calendar struct {
	name, source string
	zone         *time.Location
	// roll is when a trading day ends and the next begins, on the day's own date; 0: at midnight, when the date ends.
	roll    time.Duration
	weekend [7]bool
	// holidays are dates without trading, and what they are; early are dates on which everything ends at a time.
	holidays map[date]string
	early    map[date]time.Duration
	// years are those whose holidays the calendar knows. noHolidays: there are none, ever.
	years      map[int]bool
	noHolidays bool
	// always: it trades around the clock, and groups are empty.
	always bool
	groups []*group
}

// group is products that trade at the same hours.
type group struct {
	name     string
	products []string // in small letters; none: all that no other group has
	hours    []span
}

// span is a phase on the trading day's own date or, when it begins at or after the roll, on the evening of the trading day before.
type span struct {
	session  string
	phase    hub.Phase
	from, to time.Duration // since the midnight before from
	// first: it takes place only when it is the first of the trading day, since there was no evening.
	first bool
}

// Plain is a calendar of a zone and a time to roll. It knows no hours and no holidays.
func Plain(name string, zone *time.Location, roll time.Duration, weekdays bool) *Calendar {
	c := &Calendar{name: name, zone: zone, roll: roll, noHolidays: !weekdays}
	c.weekend[time.Saturday], c.weekend[time.Sunday] = weekdays, weekdays
	return c
}

// Name is what the configuration calls the calendar.
func (c *Calendar) Name() string { return c.name }

// Source says where its holidays and hours are from.
func (c *Calendar) Source() string { return c.source }

// Zone is where its clocks are.
func (c *Calendar) Zone() *time.Location { return c.zone }

// Day is the trading day of a moment.
func (c *Calendar) Day(t time.Time) hub.Day { return c.dateOf(t).day() }

// Begins is when the trading day of a moment began: the latest roll that is not after it.
func (c *Calendar) Begins(t time.Time) time.Time { return c.ends(c.before(c.dateOf(t))) }

// NextRoll is when the trading day of a moment ends: the first roll after it.
func (c *Calendar) NextRoll(t time.Time) time.Time { return c.ends(c.dateOf(t)) }

// dateOf is the trading day of a moment.
func (c *Calendar) dateOf(t time.Time) date {
	d := dateOf(t.In(c.zone))
	for !c.trades(d) || !t.Before(c.ends(d)) { // a clock that is put back over midnight shows yesterday's date again
		d++
	}
	return d
}

// ends is when a date ends for trading.
func (c *Calendar) ends(d date) time.Time {
	if c.roll == 0 {
		return instant(c.zone, d+1, 0)
	}
	return instant(c.zone, d, c.roll)
}

// trades: the date is a trading day.
func (c *Calendar) trades(d date) bool {
	if c.weekend[d.weekday()] {
		return false
	}
	_, holiday := c.holidays[d]
	return !holiday
}

// before is the trading day before a date.
func (c *Calendar) before(d date) date {
	for d--; !c.trades(d); d-- {
	}
	return d
}

// after is the trading day after a date.
func (c *Calendar) after(d date) date {
	for d++; !c.trades(d); d++ {
	}
	return d
}

// Holiday says what holiday the date is on which a moment falls; "" when it is none.
func (c *Calendar) Holiday(t time.Time) string { return c.holidays[dateOf(t.In(c.zone))] }

// Session is what a venue does at a moment.
type Session struct {
	Day hub.Day
	// Phase is NoPhase when the calendar has no hours for the product. Name is "" when it is closed.
	Phase hub.Phase
	Name  string
	// Opened is when the phase began, and Closes when it ends; a phase that is Closed ends when the next session begins. Both are zero where there is no end, and Opened is zero
	// when it is closed.
	Opened, Closes time.Time
	// Until is how long all of this holds: to the end of the phase, or of the trading day if that is first.
	Until time.Time
}

// At says what a venue does at a moment, for a product. symbol helps where the product is not known: its letters are taken for it.
func (c *Calendar) At(t time.Time, product, symbol string) Session {
	d := c.dateOf(t)
	s := Session{Day: d.day(), Until: c.ends(d)}
	if c.always {
		s.Phase, s.Name = hub.Continuous, "always"
		return s
	}
	g := c.group(product, symbol)
	if g == nil {
		return s
	}
	s.Phase = hub.Closed
	for _, p := range c.phases(d, g) {
		if t.Before(p.to) && !t.Before(p.from) {
			s.Phase, s.Name, s.Opened, s.Closes = p.phase, p.session, p.from, p.to
			break
		}
	}
	if s.Phase == hub.Closed {
		s.Closes, _ = c.nextOpen(t, g)
	}
	if s.Closes.Before(s.Until) {
		s.Until = s.Closes
	}
	return s
}

// NextOpen is when the next phase that takes orders begins after a moment; false when the calendar has no hours for the product, or never closes.
func (c *Calendar) NextOpen(t time.Time, product, symbol string) (time.Time, bool) {
	g := c.group(product, symbol)
	if c.always || g == nil {
		return time.Time{}, false
	}
	return c.nextOpen(t, g)
}

func (c *Calendar) nextOpen(t time.Time, g *group) (time.Time, bool) {
	d := c.dateOf(t)
	for range 100 { // a day on which a group does not trade is one that closed early
		for _, p := range c.phases(d, g) {
			if p.from.After(t) && p.phase.Takes() {
				return p.from, true
			}
		}
		d = c.after(d)
	}
	return time.Time{}, false
}

// interval is a span on a trading day.
type interval struct {
	span
	from, to time.Time
}

// phases are the hours of a trading day, in their order. There is no evening session before a holiday: of what ends then, the next trading day has only its own date.
func (c *Calendar) phases(d date, g *group) []interval {
	eve := c.before(d)
	evening := true
	for between := eve + 1; between < d; between++ {
		if _, holiday := c.holidays[between]; holiday {
			evening = false
		}
	}
	early, short := c.early[d]
	all := make([]interval, 0, len(g.hours))
	for _, s := range g.hours {
		on := d
		switch {
		case c.evening(s) && !evening, s.first && evening && c.evening(g.hours[0]):
			continue
		case c.evening(s):
			on = eve
		case short && s.from >= early:
			continue
		case short:
			s.to = min(s.to, early)
		}
		all = append(all, interval{s, instant(c.zone, on, s.from), instant(c.zone, on, s.to)})
	}
	return all
}

// evening: the span is on the evening before the trading day.
func (c *Calendar) evening(s span) bool { return c.roll > 0 && s.from >= c.roll }

// group finds the hours of a product: by its code, without what marks an option of it, or else by the letters with which the symbol begins.
func (c *Calendar) group(product, symbol string) *group {
	var rest *group
	code := strings.ToLower(product)
	for _, name := range [...]string{code, strings.TrimSuffix(code, "_o"), strings.TrimSuffix(code, "-o"), letters(symbol)} {
		for _, g := range c.groups {
			if len(g.products) == 0 {
				rest = g
			}
			if name != "" && slices.Contains(g.products, name) {
				return g
			}
		}
	}
	return rest
}

// letters is what a symbol begins with, in small letters: "rb" of rb2701.
func letters(symbol string) string {
	n := 0
	for n < len(symbol) && (symbol[n] >= 'a' && symbol[n] <= 'z' || symbol[n] >= 'A' && symbol[n] <= 'Z') {
		n++
	}
	return strings.ToLower(symbol[:n])
}

// Groups are the calendar's groups of products, as they trade at the same hours. One that never closes has none.
func (c *Calendar) Groups() []Group {
	out := make([]Group, len(c.groups))
	for i, g := range c.groups {
		out[i] = Group{Name: g.name, Products: slices.Clone(g.products)}
	}
	return out
}

// Group is products that trade at the same hours; without products it is all that no other group has.
type Group struct {
	Name     string
	Products []string
}

// Known is the last date of which it is known whether it is a holiday, when all are known from the date of a moment on; false when that date's own year is not known. A calendar
// that has no holidays knows all of them: then the date is "".
func (c *Calendar) Known(t time.Time) (until string, ok bool) {
	if c.noHolidays {
		return "", true
	}
	year := t.In(c.zone).Year()
	if !c.years[year] {
		return "", false
	}
	for c.years[year+1] {
		year++
	}
	return fmt.Sprintf("%04d-12-31", year), true
}

// warnAhead is how long before the end of the known holidays somebody should look for the next year's.
const warnAhead = 30 * dayLong

// Warning says in words that holidays are not known, now or soon; "" when they are.
func (c *Calendar) Warning(t time.Time) string {
	year := t.In(c.zone).Year()
	if _, ok := c.Known(t); !ok {
		return fmt.Sprintf("calendar %s has no holidays for %d: only weekends are taken out, and on a holiday its trading day is wrong", c.name, year)
	}
	if _, ok := c.Known(t.Add(warnAhead)); !ok {
		until, _ := c.Known(t)
		return fmt.Sprintf("calendar %s has no holidays after %s: from then on only weekends are taken out; write them into a file of calendars", c.name, until)
	}
	return ""
}

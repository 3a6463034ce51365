package calendar

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on what the machine has

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/spell"
)

// Limits of what a file may say. Beyond them is a slip of the pen, not a wish.
const (
	textMax  = 1 << 20
	nameMax  = 32
	rangeMax = 31 // days of one holiday
)

// File is a calendar's file: its name as the operator sees it, and its text.
type File struct{ Name, Text string }

//go:embed shipped/*.yaml
var shipped embed.FS

// Shipped are the files of the calendars that come with the hub.
func Shipped() []File {
	names, err := fs.Glob(shipped, "shipped/*.yaml")
	if err != nil { // the pattern is right
		panic(err)
	}
	files := make([]File, len(names))
	for i, name := range names {
		text, err := shipped.ReadFile(name)
		if err != nil { // it is in the program
			panic(err)
		}
		files[i] = File{strings.TrimPrefix(name, "shipped/"), string(text)}
	}
	return files
}

// Library is calendars by their names.
type Library map[string]*Calendar

// Names are the library's, sorted.
func (l Library) Names() []string { return slices.Sorted(maps.Keys(l)) }

// Read makes calendars of the shipped files and of the user's. A user's calendar that extends another has what the other has, and what it says itself instead: a year of holidays, a
// group of products, the zone and so on, each as a whole; it may extend the shipped one of its own name. With any error there is no library, and the errors are all there are.
func Read(users []File) (Library, []Error) {
	all, errs := read(Shipped(), Library{})
	if len(errs) > 0 {
		return nil, errs
	}
	return read(users, all)
}

// read makes calendars of files; what they extend is among them or in base.
func read(files []File, base Library) (Library, []Error) {
	var errs []Error
	drafts := map[string]*draft{}
	var order []*draft
	for _, f := range files {
		d := &draft{r: reader{file: f.Name}}
		d.parse(f.Text)
		if other := drafts[d.name]; other != nil && d.name != "" {
			d.r.fail(d.at, "calendar %s is in %s, line %d, too; write one file for it", d.name, other.r.file, other.at.node.Line)
		} else if d.name != "" {
			drafts[d.name] = d
		}
		order = append(order, d)
	}
	made := maps.Clone(base)
	for _, d := range order {
		d.build(drafts, base, made)
	}
	for _, d := range order {
		errs = append(errs, d.r.errors...)
	}
	if len(errs) > 0 {
		sortErrors(errs)
		return nil, errs
	}
	return made, nil
}

// draft is one file as values; what it does not say is nil, or false in has.
type draft struct {
	r        reader
	root, at place // the file, and its calendar: key's value
	name     string
	extends  place
	base     string
	source   string
	zone     *time.Location
	roll     time.Duration
	rollAt   place
	weekend  [7]bool
	always   bool
	groups   []*group
	places   []place // of the groups' hours
	years    map[int]map[date]string
	noHols   bool
	early    map[date]time.Duration
	has      map[string]bool
	building bool
	done     bool
}

func (d *draft) parse(text string) {
	r := &d.r
	root, ok := r.root(text)
	if !ok {
		return
	}
	d.root = root
	d.has = r.object(root,
		field{"calendar", func(p place) {
			d.at = p
			d.name = r.name(p, "calendar")
		}},
		field{"extends", func(p place) { d.extends = p; d.base = r.name(p, "calendar") }},
		field{"title", func(p place) { r.text(p) }},
		field{"source", func(p place) { d.source, _ = r.text(p) }},
		field{"zone", d.readZone},
		field{"roll", d.readRoll},
		field{"weekend", d.readWeekend},
		field{"sessions", d.readSessions},
		field{"holidays", d.readHolidays},
		field{"early_closes", d.readEarly},
	)
	if !d.has["calendar"] && root.node.Kind == yaml.MappingNode {
		r.fail(root, "calendar is missing; write its name, such as calendar: my-venue")
	}
}

func (d *draft) readZone(p place) {
	s, ok := d.r.text(p)
	if !ok {
		return
	}
	zone, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		d.r.fail(p, "%q is no time zone; write one such as Asia/Shanghai or UTC", clip(s))
		return
	}
	d.zone = zone
}

func (d *draft) readRoll(p place) {
	d.rollAt = p
	s, ok := d.r.text(p)
	if !ok {
		return
	}
	t, ok := clock(s)
	if !ok || t == dayLong {
		d.r.fail(p, "%q is no time of day; write \"18:00\"", clip(s))
	}
	d.roll = t
}

var weekdays = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

func (d *draft) readWeekend(p place) {
	open := 7
	d.r.list(p, func(item place) {
		if s, ok := d.r.oneOf(item, "day of the week", weekdays...); ok {
			d.weekend[slices.Index(weekdays, s)] = true
			open--
		}
	})
	if open <= 0 {
		d.r.fail(p, "no day of the week is left to trade on")
	}
}

func (d *draft) readSessions(p place) {
	r := &d.r
	if p.node.Kind == yaml.ScalarNode {
		if _, ok := r.oneOf(p, "kind of session", "always"); ok {
			d.always = true
		}
		return
	}
	taken := map[string]string{}
	rest := ""
	r.each(p, func(name string, key, value place) {
		g := &group{name: name}
		if !nameForm.MatchString(name) || len(name) > nameMax {
			r.fail(key, "%q is no name for a group of products; write letters, digits, - and _, at most %d", clip(name), nameMax)
		}
		hours := place{value.node, value.path}
		seen := r.object(value,
			field{"products", func(p place) {
				r.list(p, func(item place) {
					s, ok := r.text(item)
					if !ok {
						return
					}
					code := strings.ToLower(s)
					if other, twice := taken[code]; twice {
						r.fail(item, "product %s is in group %s already; a product has one group", clip(s), other)
						return
					}
					taken[code] = name
					g.products = append(g.products, code)
				})
				if p.node.Kind == yaml.SequenceNode && len(p.node.Content) == 0 {
					r.fail(p, "the list is empty; write the products, or remove the key: then the group is of all the rest")
				}
			}},
			field{"hours", func(p place) { hours = p; g.hours = d.readHours(p) }},
		)
		if !seen["hours"] {
			r.fail(value, `hours is missing; write hours: [{session: day, phase: CONTINUOUS, time: "09:00-15:00"}]`)
		}
		if !seen["products"] {
			if rest != "" {
				r.fail(key, "group %s has no products either; only one group can be of all the rest", rest)
			}
			rest = name
		}
		d.groups, d.places = append(d.groups, g), append(d.places, hours)
	})
}

var phaseNames = []string{hub.Auction.String(), hub.Continuous.String(), hub.Extended.String()}

func (d *draft) readHours(p place) []span {
	r := &d.r
	var out []span
	r.list(p, func(item place) {
		var s span
		seen := r.object(item,
			field{"session", func(p place) { s.session = r.name(p, "session") }},
			field{"phase", func(p place) {
				if name, ok := r.oneOf(p, "phase", phaseNames...); ok {
					s.phase, _ = hub.ParsePhase(name)
				}
			}},
			field{"time", func(p place) { s.from, s.to = d.readSpan(p) }},
			field{"first", func(p place) {
				v, ok := r.oneOf(p, "truth", "true", "false")
				s.first = ok && v == "true"
			}},
		)
		for _, key := range []string{"session", "phase", "time"} {
			if !seen[key] && item.node.Kind == yaml.MappingNode {
				r.fail(item, `%s is missing; write {session: morning, phase: CONTINUOUS, time: "09:00-10:15"}`, key)
			}
		}
		out = append(out, s)
	})
	if p.node.Kind == yaml.SequenceNode && len(p.node.Content) == 0 {
		r.fail(p, "the list is empty; write at least one phase")
	}
	return out
}

// readSpan reads "21:00-02:30"; what ends before it begins ends on the next date.
func (d *draft) readSpan(p place) (from, to time.Duration) {
	s, ok := d.r.text(p)
	if !ok {
		return 0, 0
	}
	a, b, _ := strings.Cut(s, "-")
	from, ok1 := clock(a)
	to, ok2 := clock(b)
	switch {
	case !ok1 || !ok2 || from == dayLong:
		d.r.fail(p, `%q is no time from and to; write "09:00-10:15"`, clip(s))
		return 0, 0
	case from == to:
		d.r.fail(p, "%s is no time at all; for a venue that never closes write sessions: always", clip(s))
		return 0, 0
	case to < from:
		to += dayLong
	}
	return from, to
}

func (d *draft) readHolidays(p place) {
	r := &d.r
	if p.node.Kind == yaml.ScalarNode {
		if _, ok := r.oneOf(p, "list of holidays", "none"); ok {
			d.noHols = true
		}
		return
	}
	d.years = map[int]map[date]string{}
	r.each(p, func(name string, key, value place) {
		year, err := strconv.Atoi(name)
		if err != nil || year < 1970 || year > 9998 {
			r.fail(key, "%q is no year; write 2027: and below it its holidays", clip(name))
			return
		}
		of := map[date]string{}
		d.years[year] = of
		r.each(value, func(name string, key, value place) {
			from, to, ok := r.dates(key, name)
			what, named := r.text(value)
			if !ok || !named {
				return
			}
			for at := from; at <= to; at++ {
				if at.year() != year {
					r.fail(key, "%s is not in %d; write the days of each year below that year", at, year)
					return
				}
				if other, twice := of[at]; twice {
					r.fail(key, "%s is a holiday already: %s", at, clip(other))
					return
				}
				of[at] = what
			}
		})
	})
}

// dates reads 2026-10-01 or 2026-10-01..2026-10-07.
func (r *reader) dates(key place, s string) (from, to date, ok bool) {
	a, b, isRange := strings.Cut(s, "..")
	if !isRange {
		b = a
	}
	from, ok1 := parseDate(a)
	to, ok2 := parseDate(b)
	switch {
	case !ok1 || !ok2:
		return 0, 0, r.fail(key, "%q is no date; write 2026-10-01, or 2026-10-01..2026-10-07 for all the days between", clip(s))
	case to < from:
		return 0, 0, r.fail(key, "%s is before %s", to, from)
	case to-from >= rangeMax:
		return 0, 0, r.fail(key, "%d days are too many for one holiday; at most %d", to-from+1, rangeMax)
	}
	return from, to, true
}

func (d *draft) readEarly(p place) {
	r := &d.r
	d.early = map[date]time.Duration{}
	r.each(p, func(name string, key, value place) {
		at, ok := parseDate(name)
		if !ok {
			r.fail(key, "%q is no date; write 2026-11-27: \"13:00\"", clip(name))
			return
		}
		s, ok := r.text(value)
		if !ok {
			return
		}
		t, ok := clock(s)
		if !ok {
			r.fail(value, "%q is no time of day; write \"13:00\"", clip(s))
			return
		}
		d.early[at] = t
	})
}

// build makes the calendar of a draft and puts it into made, after the one that it extends.
func (d *draft) build(drafts map[string]*draft, base, made Library) {
	if d.done || d.name == "" || len(d.r.errors) > 0 {
		d.done = true
		return
	}
	d.building = true
	defer func() { d.building, d.done = false, true }()
	var from *Calendar
	if d.has["extends"] {
		switch other := drafts[d.base]; {
		case d.base == d.name:
			from = base[d.base]
		case other != nil && other.building:
			d.r.fail(d.extends, "calendar %s extends %s, which extends it", d.name, d.base)
			return
		case other != nil:
			other.build(drafts, base, made)
			if len(other.r.errors) > 0 {
				return // it is said there
			}
			from = made[d.base]
		default:
			from = base[d.base]
		}
		if from == nil {
			known := slices.Sorted(maps.Keys(base))
			d.r.fail(d.extends, "there is no calendar %s%s", d.base, spell.MeantOrKnown(d.base, known))
			return
		}
	}
	if c := d.calendar(from); len(d.r.errors) == 0 {
		made[d.name] = c
	}
}

// calendar is what a draft says, and, where it says nothing, what it extends.
func (d *draft) calendar(from *Calendar) *Calendar {
	r := &d.r
	c := &Calendar{}
	if from != nil {
		*c = *from
		c.groups = slices.Clone(from.groups)
	} else {
		for _, x := range []struct{ key, write string }{
			{"zone", "zone: Asia/Shanghai"},
			{"sessions", "sessions: always, or groups of products with their hours"},
			{"holidays", "holidays: none, or years and their holidays"},
		} {
			if !d.has[x.key] {
				r.fail(d.root, "%s is missing; write %s; or extends: and the calendar that this one adds to", x.key, x.write)
			}
		}
	}
	c.name = d.name
	if d.source != "" {
		c.source = d.source
	}
	if d.has["zone"] {
		c.zone = d.zone
	}
	if d.has["roll"] {
		c.roll = d.roll
	}
	if d.has["weekend"] {
		c.weekend = d.weekend
	}
	d.mergeHolidays(c, from)
	if d.has["sessions"] {
		d.mergeSessions(c)
	}
	if len(r.errors) == 0 {
		d.checkHours(c)
	}
	return c
}

func (d *draft) mergeHolidays(c, from *Calendar) {
	c.holidays, c.years, c.early = map[date]string{}, map[int]bool{}, map[date]time.Duration{}
	if from != nil && !d.noHols {
		maps.Copy(c.years, from.years)
		for at, what := range from.holidays {
			if _, again := d.years[at.year()]; !again {
				c.holidays[at] = what
			}
		}
		for at, t := range from.early {
			if _, again := d.years[at.year()]; !again {
				c.early[at] = t
			}
		}
	}
	for year, of := range d.years {
		c.years[year] = true
		maps.Copy(c.holidays, of)
	}
	maps.Copy(c.early, d.early)
	if d.has["holidays"] {
		c.noHolidays = d.noHols
	}
}

func (d *draft) mergeSessions(c *Calendar) {
	if d.always {
		c.always, c.groups = true, nil
		return
	}
	c.always = false
	for i, g := range d.groups {
		moved := map[string]bool{}
		for _, p := range g.products {
			moved[p] = true
		}
		for n, other := range c.groups {
			if other.name == g.name || !slices.ContainsFunc(other.products, func(p string) bool { return moved[p] }) {
				continue
			}
			copied := *other // it is the extended calendar's, too
			copied.products = slices.DeleteFunc(slices.Clone(other.products), func(p string) bool { return moved[p] })
			if len(copied.products) == 0 {
				d.r.fail(d.places[i], "group %s takes every product of group %s; write that group anew", g.name, other.name)
			}
			c.groups[n] = &copied
		}
		if n := slices.IndexFunc(c.groups, func(other *group) bool { return other.name == g.name }); n >= 0 {
			c.groups[n] = g
		} else {
			c.groups = append(c.groups, g)
		}
	}
}

// checkHours sees that the phases of a trading day follow each other: evening first, and none across the roll.
func (d *draft) checkHours(c *Calendar) {
	for i, g := range c.groups {
		at := place{d.root.node, "sessions." + g.name}
		if n := slices.Index(d.groups, g); n >= 0 {
			at = d.places[n]
		}
		end := -dayLong
		for n, s := range g.hours {
			p := at
			if len(at.node.Content) == len(g.hours) && at.node.Kind == yaml.SequenceNode {
				p = place{at.node.Content[n], fmt.Sprintf("%s[%d]", at.path, n)}
			}
			from, to, last := s.from, s.to, dayLong
			if c.roll > 0 {
				last = c.roll
			}
			evening := c.evening(s)
			if evening {
				from, to, last = from-dayLong, to-dayLong, c.roll
			}
			switch {
			case to > last:
				d.r.fail(p, "it goes on over the roll at %s, when the next trading day begins; write a part for each day", hhmm(c.roll))
			case from < end:
				d.r.fail(p, "it begins before the phase in front of it has ended; write them in the order of the trading day: what begins at or after the roll at %s is of the evening before",
					hhmm(c.roll))
			case s.first && evening:
				d.r.fail(p, "first is for what takes place only when there was no evening session")
			}
			end = to
		}
		if i > 0 && len(g.products) == 0 && slices.ContainsFunc(c.groups[:i], func(o *group) bool { return len(o.products) == 0 }) {
			d.r.fail(at, "there is another group of all the rest")
		}
	}
}

func hhmm(t time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(t.Hours()), int(t.Minutes())%60)
}

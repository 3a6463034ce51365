package config

import (
	"regexp"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/spell"
)

// calendar reads the name of one, or a zone and a time.
func (r *reader) calendar(p place, to *Calendar) {
	*to = Calendar{}
	if p.node.Kind != yaml.MappingNode {
		r.calendarName(p, &to.Name)
		return
	}
	r.object(p,
		field{"zone", "zone: Asia/Shanghai", func(p place) {
			s, ok := r.text(p)
			if !ok {
				return
			}
			if _, err := time.LoadLocation(s); err != nil || s == "Local" {
				r.fail(p, "%q is no time zone; write one such as Asia/Shanghai or UTC", clip(s))
			}
			to.Zone = s
		}},
		field{"roll", `roll: "18:00"`, func(p place) {
			if t, ok := r.clockTime(p); ok {
				to.Roll = t
			}
		}},
		field{"weekdays", "", func(p place) {
			if s, ok := r.oneOf(p, "truth", "true", "false"); ok {
				to.Weekdays = s == "true"
			}
		}},
	)
}

func (r *reader) calendarName(p place, to *string) {
	if s, ok := r.text(p); ok && (!nameForm.MatchString(s) || len(s) > nameMax) {
		r.fail(p, `%q is no name of a calendar; write one such as cn-futures, or {zone: Asia/Shanghai, roll: "18:00"}`, clip(s))
	} else {
		*to = s
	}
}

var exchangeForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,15}$`)

// calendars reads which exchange has which calendar.
func (r *reader) calendars(p place, to *[]hub.ExchangeCalendar) {
	r.each(p, func(exchange string, key, value place) {
		if !exchangeForm.MatchString(exchange) {
			r.fail(key, "%q is no exchange; write it as its contracts do, such as SHFE", clip(exchange))
			return
		}
		x := hub.ExchangeCalendar{Exchange: exchange}
		r.calendarName(value, &x.Calendar)
		*to = append(*to, x)
	})
}

// CheckCalendars finds the names of calendars in a file that Parse has read without an error, and reports those that are not known. What is known is in other files: who has read them
// says it.
func CheckCalendars(file string, text []byte, known []string) []Error {
	root, errs := parse(file, text)
	if len(errs) > 0 {
		return errs
	}
	r := &reader{file: file}
	check := func(p place, known []string) {
		if p.node.Kind == yaml.ScalarNode && !slices.Contains(known, p.node.Value) {
			r.fail(p, "there is no calendar %s%s", clip(p.node.Value), spell.MeantOrKnown(p.node.Value, known))
		}
	}
	r.each(place{root, ""}, func(name string, _, value place) {
		switch name {
		case "calendar":
			check(value, known)
		case "calendars":
			r.each(value, func(_ string, _, value place) { check(value, slices.Concat(known, []string{MainCalendar})) })
		}
	})
	sortErrors(r.errors)
	return r.errors
}

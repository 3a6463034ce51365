package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/ctl"
)

func calendarVerbs() []verb {
	return []verb{
		ctlVerb("calendar", "trading days and sessions now, and when they change", `Of each calendar: the time in its zone, the trading day, when the next one begins, until when holidays are known; and of each group of
products the session, when it ends and when the next begins.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Calendar, error) { return c.Calendars(ctx) }, func(all []ctl.Calendar) { writeCalendars(e, all) })
				}
			}),
	}
}

// Calendars are how the hub's stand now.
func (o operator) Calendars() []ctl.Calendar {
	set, now := o.h.runner.Calendars(), time.Now()
	return mapped(set.All(), func(c *calendar.Calendar) ctl.Calendar {
		return calendarNow(c, c == set.Main(), set.Exchanges(), o.h.runner.CalendarDay(c.Name()), now)
	})
}

// calendarNow is how a calendar stands at a moment.
func calendarNow(c *calendar.Calendar, isMain bool, exchanges []hub.ExchangeCalendar, books hub.Day, now time.Time) ctl.Calendar {
	in := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.In(c.Zone())
	}
	out := ctl.Calendar{
		Name: c.Name(), Main: isMain, Exchanges: []string{}, Zone: c.Zone().String(), Now: in(now), Day: string(c.Day(now)), Books: string(books), Began: in(c.Begins(now)),
		NextRoll: in(c.NextRoll(now)), Holiday: c.Holiday(now), Warning: c.Warning(now), Source: c.Source(), Hours: []ctl.Hours{},
	}
	out.KnownUntil, out.Known = c.Known(now)
	for _, x := range exchanges {
		if x.Calendar == c.Name() {
			out.Exchanges = append(out.Exchanges, x.Exchange)
		}
	}
	groups := c.Groups()
	if always := c.At(now, "", ""); len(groups) == 0 && always.Phase.Takes() {
		groups = []calendar.Group{{Name: "all"}}
	}
	for _, g := range groups {
		product := ""
		if len(g.Products) > 0 {
			product = g.Products[0]
		}
		s := c.At(now, product, "")
		next, _ := c.NextOpen(now, product, "")
		out.Hours = append(out.Hours, ctl.Hours{
			Group: g.Name, Products: g.Products, Session: s.Name, Phase: s.Phase.String(), Opened: in(s.Opened), Closes: in(s.Closes), NextOpen: in(next),
		})
	}
	return out
}

func writeCalendars(e env, all []ctl.Calendar) {
	const (
		minute = "Mon 2006-01-02 15:04 MST"
		second = "Mon 2006-01-02 15:04:05 MST"
	)
	at := func(t time.Time, zone, form string) string {
		if t.IsZero() {
			return "never"
		}
		if z, err := time.LoadLocation(zone); err == nil { // for its name: over the wire goes the offset only
			t = t.In(z)
		}
		return t.Format(form)
	}
	rows := [][]cell{headed("CALENDAR NOW DAY NEXT-ROLL HOLIDAYS EXCHANGES")}
	for _, c := range all {
		name, known := c.Name, "known until "+c.KnownUntil
		if c.Main {
			name += " (main)"
		}
		switch {
		case !c.Known:
			known = "not known"
		case c.KnownUntil == "":
			known = "none"
		}
		day := c.Day
		if c.Holiday != "" {
			day += " (" + c.Holiday + ")"
		}
		exchanges := strings.Join(c.Exchanges, " ")
		if c.Main {
			exchanges = strings.TrimSpace(exchanges + " and all others")
		}
		rows = append(rows, []cell{text(name), text(at(c.Now, c.Zone, second)), text(day), text(at(c.NextRoll, c.Zone, minute)), text(known), text(exchanges)})
	}
	writeTable(e, rows)
	fmt.Fprintln(e.stdout)
	rows = [][]cell{headed("CALENDAR PRODUCTS SESSION PHASE UNTIL NEXT-OPEN")}
	for _, c := range all {
		for _, h := range c.Hours {
			rows = append(rows, []cell{
				text(c.Name), text(h.Group), text(h.Session), text(h.Phase), text(at(h.Closes, c.Zone, minute)), text(at(h.NextOpen, c.Zone, minute)),
			})
		}
	}
	writeTable(e, rows)
	for _, c := range all {
		if c.Warning != "" {
			fmt.Fprintf(e.stdout, "\nwarning: %s\n", c.Warning)
		}
		if c.Books != c.Day {
			fmt.Fprintf(e.stdout, "\nwarning: the books have trading day %q of calendar %s, which is %s now\n", c.Books, c.Name, c.Day)
		}
	}
}

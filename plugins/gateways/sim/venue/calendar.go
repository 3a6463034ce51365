package venue

import (
	"fmt"
	"strings"
	"time"

	"tradehub/hub"
)

// Calendar says to which trading day an instant belongs. A day begins at its roll, on the evening of the weekday before: Friday's roll begins Monday.
type Calendar struct {
	Zone *time.Location
	Roll time.Duration // after midnight
}

// ParseRoll reads when days roll, such as "18:00" or "18:00 Asia/Shanghai"; without a zone it is zone.
func ParseRoll(text string, zone *time.Location) (Calendar, error) {
	clock, name, named := strings.Cut(text, " ")
	at, err := time.Parse("15:04", clock)
	if err != nil {
		return Calendar{}, fmt.Errorf(`%q is no time of day such as "18:00 Asia/Shanghai"`, text)
	}
	if named {
		if zone, err = time.LoadLocation(strings.TrimSpace(name)); err != nil || strings.TrimSpace(name) == "" {
			return Calendar{}, fmt.Errorf("%q is no time zone such as Asia/Shanghai", name)
		}
	}
	return Calendar{zone, time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute}, nil
}

// Begins returns when the trading day that holds t began.
func (c Calendar) Begins(t hub.Time) hub.Time {
	local := t.UTC().In(c.Zone)
	begins := c.rollOn(local)
	if begins.After(local) {
		begins = c.rollOn(local.AddDate(0, 0, -1))
	}
	for begins.Weekday() == time.Saturday || begins.Weekday() == time.Sunday {
		begins = c.rollOn(begins.AddDate(0, 0, -1))
	}
	return hub.TimeOf(begins)
}

// Ends returns when the trading day that holds t ends, and the next begins.
func (c Calendar) Ends(t hub.Time) hub.Time {
	ends := c.rollOn(c.Begins(t).UTC().In(c.Zone).AddDate(0, 0, 1))
	for ends.Weekday() == time.Saturday || ends.Weekday() == time.Sunday {
		ends = c.rollOn(ends.AddDate(0, 0, 1))
	}
	return hub.TimeOf(ends)
}

// Day returns the trading day that holds t: the date on which it ends.
func (c Calendar) Day(t hub.Time) hub.Day {
	return hub.Day(c.Ends(t).UTC().In(c.Zone).Format("20060102"))
}

func (c Calendar) rollOn(day time.Time) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, int(c.Roll.Minutes()), 0, 0, c.Zone)
}

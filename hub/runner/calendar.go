package runner

import (
	"fmt"
	"time"

	"tradehub/hub"
)

// Calendar says to which trading day a moment belongs: the day's date in Zone, or, from Roll on, the next one, and never a Saturday or Sunday unless Weekends trade.
type Calendar struct {
	Zone     *time.Location
	Roll     time.Duration // since midnight
	Weekends bool
}

// CNFutures is the calendar of the Chinese futures exchanges: the night session belongs to the next trading day. Holidays are not in it.
func CNFutures() Calendar {
	return Calendar{Zone: time.FixedZone("Asia/Shanghai", 8*60*60), Roll: 18 * time.Hour}
}

// Day returns the trading day of t.
func (c Calendar) Day(t time.Time) hub.Day {
	local := t.In(c.Zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, c.Zone)
	day := midnight
	if local.Sub(midnight) >= c.Roll {
		day = day.AddDate(0, 0, 1)
	}
	for !c.Weekends && (day.Weekday() == time.Saturday || day.Weekday() == time.Sunday) {
		day = day.AddDate(0, 0, 1)
	}
	return hub.Day(fmt.Sprintf("%04d%02d%02d", day.Year(), day.Month(), day.Day()))
}

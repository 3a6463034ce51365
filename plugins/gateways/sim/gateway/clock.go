package gateway

import (
	"time"

	"tradehub/hub"
)

// clock is the venue's time: that of the machine, or one that runs faster or slower from a beginning on.
type clock struct {
	base  hub.Time  // the venue's time
	since time.Time // when the machine's clock showed this
	speed float64
}

func (c clock) at(t time.Time) hub.Time {
	passed := t.Sub(c.since)
	if c.speed == 1 {
		return c.base.Add(passed)
	}
	return c.base.Add(time.Duration(float64(passed) * c.speed))
}

// until returns how long the machine's clock has to go from t until the venue's shows when.
func (c clock) until(when hub.Time, t time.Time) time.Duration {
	return time.Duration(float64(when.Sub(c.at(t))) / c.speed)
}

package hub

import "time"

// Time is an instant: nanoseconds since 1970-01-01 UTC. 0 means that no time was given.
type Time int64

// TimeOf returns t as a Time; the zero time.Time becomes 0.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixNano())
}

// UTC returns t as a time.Time in UTC; 0 becomes the zero time.Time.
func (t Time) UTC() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

// Add returns t + d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns t - u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Day is a trading day such as "20261122". It is not a date of the wall clock: a night session belongs to the next Day.
type Day string

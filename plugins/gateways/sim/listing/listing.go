// Package listing reads the list of contracts that a simulated market trades, and knows the steps in which each is traded: prices and quantities are whole
// numbers inside the market and decimals outside, and this is where the one becomes the other, exactly or not at all.
package listing

import (
	_ "embed" // the default list
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/govalues/decimal"

	"tradehub/hub"
)

// Default is the list that is used when the settings name none.
//
//go:embed contracts.yaml
var Default []byte

// List is a whole list of contracts.
type List struct {
	// Zone is where the market is: its days and sessions are of this zone.
	Zone *time.Location
	// AsOf is the instant at which every contract costs its Base.
	AsOf      time.Time
	Contracts []*Contract
}

// Contract is one contract: what the hub is told of it, and how its market behaves.
type Contract struct {
	hub.Contract
	Market Market
	// Sessions are when it traded in the past; none: around the clock.
	Sessions []Session
	// AroundTheClock: it trades on weekends too, and orders stay from day to day until they are cancelled.
	AroundTheClock bool
	// PricedBy is the contract that an option's price follows; nil for what has a price of its own.
	PricedBy *Contract

	tick, step unit
}

// Market is how the market of a contract behaves.
type Market struct {
	Base       hub.Decimal // the price at AsOf; 0 for an option with an underlying
	Volatility float64     // of a year: 0.2 for 20 %; an option's implied one
	Limit      hub.Decimal // the daily price limits are this part above and below the last close
	Spread     int64       // ticks between the best bid and the best ask
	Gap        int64       // ticks between levels
	LevelQty   hub.Decimal // what usually rests at a level
	OpenInt    hub.Decimal
}

// Session is a part of the day in which a contract trades, in minutes after midnight; To is not in it, and is before From when it is past midnight.
type Session struct{ From, To int }

// Holds reports whether a minute of the day is in the session.
func (s Session) Holds(minute int) bool {
	if s.From < s.To {
		return s.From <= minute && minute < s.To
	}
	return minute >= s.From || minute < s.To
}

// unit is a positive decimal as coefficient / 10^scale.
type unit struct {
	coef  uint64
	scale int
}

func unitOf(d hub.Decimal) unit {
	d = d.Trim(0)
	return unit{d.Coef(), d.Scale()}
}

// count returns how many units d is; ok is false when that is not a whole number, or is too large.
func (u unit) count(d hub.Decimal) (n int64, ok bool) {
	if d.Scale() > u.scale {
		d = d.Trim(u.scale)
		if d.Scale() > u.scale {
			return 0, false
		}
	}
	coef := d.Coef()
	for range u.scale - d.Scale() {
		if coef > math.MaxInt64/10 {
			return 0, false
		}
		coef *= 10
	}
	if coef%u.coef != 0 || coef/u.coef > math.MaxInt64/2 {
		return 0, false
	}
	n = int64(coef / u.coef)
	if d.IsNeg() {
		n = -n
	}
	return n, true
}

// value returns n units. Counts come from orders that were accepted, so they fit.
func (u unit) value(n int64) hub.Decimal {
	high, low := bits.Mul64(uint64(max(n, -n)), u.coef)
	if high != 0 || low > math.MaxInt64 {
		panic(fmt.Sprintf("listing: %d units of %d/10^%d do not fit", n, u.coef, u.scale))
	}
	coef := int64(low)
	if n < 0 {
		coef = -coef
	}
	return decimal.MustNew(coef, u.scale).Trim(0)
}

// Ticks returns a price in ticks; ok is false when it is not a whole number of them.
func (c *Contract) Ticks(price hub.Decimal) (n int64, ok bool) { return c.tick.count(price) }

// Price returns the price of so many ticks.
func (c *Contract) Price(ticks int64) hub.Decimal { return c.tick.value(ticks) }

// Steps returns a quantity in steps; ok is false when it is not a whole number of them.
func (c *Contract) Steps(qty hub.Decimal) (n int64, ok bool) { return c.step.count(qty) }

// Qty returns the quantity of so many steps.
func (c *Contract) Qty(steps int64) hub.Decimal { return c.step.value(steps) }

// NearestTicks returns the price in ticks that is nearest to a price which is not exact, such as a Path's; at least 1.
func (c *Contract) NearestTicks(price float64) int64 {
	tick := float64(c.tick.coef) / math.Pow10(c.tick.scale)
	return max(1, int64(math.Round(price/tick)))
}

// TradesAt reports whether the contract traded, in the past, in the minute that begins at t, which is in the zone of the list.
func (c *Contract) TradesAt(t time.Time) bool {
	if c.AroundTheClock {
		return true
	}
	if day := t.Weekday(); day == time.Saturday || day == time.Sunday {
		return false
	}
	if len(c.Sessions) == 0 {
		return true
	}
	minute := t.Hour()*60 + t.Minute()
	for _, s := range c.Sessions {
		if s.Holds(minute) {
			return true
		}
	}
	return false
}

// PaidInFull reports whether a purchase costs its whole value at once and moves cash, as shares, coins and options do.
func (c *Contract) PaidInFull() bool { return c.MarginLong.IsZero() }

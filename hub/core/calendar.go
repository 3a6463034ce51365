package core

import (
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// calendarDay is the trading day of one calendar. The core has no clock and knows no zone: it is told when a day begins.
type calendarDay struct {
	Name string  `cbor:"1,keyasint"`
	Day  hub.Day `cbor:"2,keyasint"`
	// Before is the day before, as the hub lived it.
	Before hub.Day `cbor:"3,keyasint,omitempty"`
	// Began is when Day began; 0: not known.
	Began hub.Time `cbor:"4,keyasint,omitempty"`
}

// calendarOf names the calendar of an exchange.
func (c *Core) calendarOf(exchange string) string {
	for i := range c.setup.Calendars {
		if c.setup.Calendars[i].Exchange == exchange {
			return c.setup.Calendars[i].Calendar
		}
	}
	return c.setup.Calendar
}

// dayIn is the trading day of a calendar. One that has not begun a day yet has the fund's.
func (c *Core) dayIn(calendar string) calendarDay {
	for i := range c.calendars {
		if c.calendars[i].Name == calendar {
			return c.calendars[i]
		}
	}
	return calendarDay{Name: calendar, Day: c.day, Before: c.dayBefore}
}

// dayOf is the trading day at an exchange.
func (c *Core) dayOf(exchange string) hub.Day { return c.dayIn(c.calendarOf(exchange)).Day }

// CalendarDay is the trading day of a calendar ("" for the fund's); "" before the first.
func (c *Core) CalendarDay(calendar string) hub.Day {
	if calendar == "" {
		return c.day
	}
	for i := range c.calendars {
		if c.calendars[i].Name == calendar {
			return c.calendars[i].Day
		}
	}
	return ""
}

// rollDay begins a trading day. A calendar that is heard of for the first time has lived the fund's days until now.
func (c *Core) rollDay(in hub.RollDay) {
	if in.Day == "" {
		return
	}
	all := in.Calendar == ""
	was := calendarDay{Day: c.day, Before: c.dayBefore}
	if !all {
		was = c.dayIn(in.Calendar)
	}
	if in.Day <= was.Day {
		if !all && c.CalendarDay(in.Calendar) == "" {
			c.calendars = append(c.calendars, calendarDay{Name: in.Calendar, Day: in.Day, Began: in.Began})
		}
		return
	}
	now := calendarDay{Name: in.Calendar, Day: in.Day, Before: was.Day, Began: in.Began}
	known := false
	for i := range c.calendars {
		if at := &c.calendars[i]; at.Name == in.Calendar || all && at.Day < in.Day {
			*at = calendarDay{Name: at.Name, Day: in.Day, Before: at.Day, Began: in.Began}
			known = true
		}
	}
	if !known && !all {
		c.calendars = append(c.calendars, now)
	}
	fund := (all || in.Calendar == c.setup.Calendar) && in.Day > c.day
	if fund {
		c.dayBefore, c.day = c.day, in.Day
	}
	c.begin(now, fund)
}

// begin makes today's yesterday's for the contracts of a calendar (Name "" for all), and, when the fund's day begins, for every counter.
func (c *Core) begin(day calendarDay, fund bool) {
	var sum hub.Sum
	of := func(exchange string) bool { return day.Name == "" || c.calendarOf(exchange) == day.Name }
	for _, o := range c.orderList {
		if !o.Status.Final() && o.Ask == 0 && of(o.Exchange) {
			o.Aged = true
		}
	}
	c.unassigned.rollPositions(&sum, of)
	if fund {
		c.unassigned.beginDay(&sum)
	}
	for _, b := range append([]*book{c.fund}, c.traders...) {
		b.rollPositions(&sum, of)
		if fund {
			b.beginDay(&sum)
		}
		if b == c.fund {
			continue
		}
		changed := fund
		for _, p := range b.Positions {
			if of(p.Key.Instrument.Exchange) {
				c.emit(BookChanged{Trader: b.Trader, Gateway: p.Key.Gateway, Instrument: p.Key.Instrument})
				changed = true
			}
		}
		if changed {
			c.emit(BookChanged{Trader: b.Trader})
		}
	}
	c.must(&sum, "rolling the day")
	c.rollCells(func(id cellID) bool {
		if id.Narrow == policy.InContract || id.Narrow == policy.InProduct {
			return of(id.Exchange)
		}
		return fund
	})
	c.forget(func(o *order) bool { return of(o.Exchange) && o.Day < day.Before })
	c.emit(DayRolled{Day: day.Day, Calendar: day.Name, Fund: fund})
}

// rollPositions makes today's positions yesterday's, and drops those in which nothing is left.
func (b *book) rollPositions(sum *hub.Sum, of func(exchange string) bool) {
	kept := b.Positions[:0]
	for _, p := range b.Positions {
		if of(p.Key.Instrument.Exchange) {
			p.roll(sum)
			if p.empty(sum) {
				delete(b.byKey, p.Key)
				continue
			}
		}
		kept = append(kept, p)
	}
	clear(b.Positions[len(kept):])
	b.Positions = kept
}

// dayOfFill is the trading day of a fill: the one before, when the order was sent then and the venue says that it traded before the present one began. So a fill that was
// reported late, or while the hub was down, is of the day on which it was made.
func (c *Core) dayOfFill(o *order, at hub.Time) hub.Day {
	d := c.dayIn(c.calendarOf(o.Exchange))
	if o.Aged && at != 0 && at < d.Began && d.Before != "" {
		return d.Before
	}
	return d.Day
}

// backdate makes yesterday's what a fill of the day before has opened since before.
func (b *book) backdate(sum *hub.Sum, k *contract, before position) {
	p := b.position(k.key)
	b.change(sum, k, p, func() { p.backdate(sum, before) })
}

func (p *position) backdate(sum *hub.Sum, before position) {
	for _, s := range []struct{ now, before *side }{{&p.Long, &before.Long}, {&p.Short, &before.Short}} {
		if opened := sum.Sub(s.now.Today, s.before.Today); opened.IsPos() {
			s.now.Today = sum.Sub(s.now.Today, opened)
			s.now.Yesterday = sum.Add(s.now.Yesterday, opened)
		}
	}
}

// notBegun refuses an order that was taken on a trading day which has not begun here: its counters, and what is sellable, would be those of the day before. The runner sees to it
// that the day comes first; this is what holds if it does not.
func (c *Core) notBegun(s hub.Session) (hub.Refusal, bool) {
	for _, x := range []struct {
		calendar string
		day, is  hub.Day
	}{
		{s.Calendar, s.Day, c.dayIn(s.Calendar).Day},
		{c.setup.Calendar, s.FundDay, c.day},
	} {
		if x.day > x.is {
			return hub.Refuse("calendar", "trading day %s of calendar %s has not begun in the books, which have %s", x.day, x.calendar, x.is), true
		}
	}
	return hub.Refusal{}, false
}

// ofSession answers what rules read of the contract's session. Seconds are counted at the decision, and a phase that ended while the order was judged is over.
func (s *source) ofSession(v policy.Var) policy.Value {
	in := &s.market.Session
	if v == policy.SessionTradingDay {
		return policy.Text(string(s.core.dayOf(s.contract.Exchange)))
	}
	if in.Calendar == "" {
		return policy.Missing("no calendar was asked about " + s.contract.Instrument.String())
	}
	if in.Phase == hub.NoPhase {
		return policy.Missing("calendar " + in.Calendar + " has no hours for " + s.contract.Instrument.String())
	}
	phase, over := in.Phase, in.Closes != 0 && in.Closes <= s.core.now
	if over {
		phase = hub.Closed
	}
	//exhaustive:ignore
	switch v {
	case policy.SessionOpen:
		return policy.Truth(phase.Takes())
	case policy.SessionName:
		if !phase.Takes() {
			return policy.Text("")
		}
		return policy.Text(in.Name)
	case policy.SessionPhase:
		return policy.Text(phase.String())
	case policy.SessionSinceOpen:
		if !phase.Takes() {
			return policy.Missing("the session is closed")
		}
		if in.Opened == 0 {
			return policy.Missing("calendar " + in.Calendar + " never closes")
		}
		return seconds(s.core.now.Sub(in.Opened))
	case policy.SessionToClose:
		if !phase.Takes() {
			return policy.Missing("the session is closed")
		}
		if in.Closes == 0 {
			return policy.Missing("calendar " + in.Calendar + " never closes")
		}
		return seconds(in.Closes.Sub(s.core.now))
	}
	return policy.Missing("it is not known to this hub")
}

func seconds(d time.Duration) policy.Value {
	d = max(0, d)
	return number(func(sum *hub.Sum) hub.Decimal {
		return sum.Quo(hub.Int(int64(d/time.Microsecond)), hub.Int(1_000_000))
	})
}

// expiry answers how far the end of the contract is from the trading day.
func (s *source) expiry(v policy.Var) policy.Value {
	day, ok := dateOf(s.core.dayOf(s.contract.Exchange))
	if !ok {
		return policy.Missing("no trading day has begun")
	}
	in := &s.market.Session
	if v == policy.ContractDaysToExpiry {
		end, ok := dateOf(in.Expires)
		if !ok {
			return policy.Missing("the gateway does not say when " + s.contract.Instrument.String() + " expires")
		}
		return policy.Count(int(end.Sub(day) / (24 * time.Hour)))
	}
	month, ok := dateOf(hub.Day(in.Delivers + "01"))
	if !ok {
		return policy.Missing(s.contract.Instrument.String() + " names no month of delivery")
	}
	return policy.Count((month.Year()-day.Year())*12 + int(month.Month()) - int(day.Month()))
}

// dateOf reads a Day as a date. UTC, in which every day has 24 hours.
func dateOf(d hub.Day) (time.Time, bool) {
	if len(d) != 8 {
		return time.Time{}, false
	}
	n := 0
	for _, digit := range []byte(d) {
		if digit < '0' || digit > '9' {
			return time.Time{}, false
		}
		n = n*10 + int(digit-'0')
	}
	return time.Date(n/10_000, time.Month(n/100%100), n%100, 0, 0, 0, 0, time.UTC), true
}

// ContractAt returns a contract at a gateway.
func (c *Core) ContractAt(gateway hub.GatewayName, i hub.Instrument) (hub.Contract, bool) {
	k := c.contracts[key{gateway, i}]
	if k == nil {
		return hub.Contract{}, false
	}
	return k.Contract, true
}

package runner

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/codec"
	"tradehub/hub/core"
)

// rolls keeps a promise: an entry that is stamped at or after the time at which a trading day begins stands behind that day's entry in the journal, however late a timer is. Whoever
// stamps an entry asks rollBefore with the same time, which proposes the day first; and the journal keeps the order of proposals.
type rolls struct {
	// next is from when on a day is due that has not been proposed; math.MaxInt64 until Start.
	next atomic.Int64
	mu   sync.Mutex
	days map[string]hub.Day // last proposed, by calendar
}

// openRolls begins the trading days that have come since the hub was last up, each calendar's in one step, the one that began first first.
func (r *Runner) openRolls(begin func(hub.RollDay) error) error {
	r.rolls.mu.Lock()
	defer r.rolls.mu.Unlock()
	now := hub.TimeOf(r.opts.Clock())
	for _, c := range r.opts.Calendars.All() {
		r.rolls.days[c.Name()] = look(r, func(k *core.Core) hub.Day { return k.CalendarDay(c.Name()) })
		if why := c.Warning(now.UTC()); why != "" {
			r.log.Warn(why)
		}
	}
	if err := r.beginDue(now, begin); err != nil {
		return err
	}
	r.rolls.next.Store(int64(hub.TimeOf(r.opts.Calendars.NextRoll(now.UTC()))))
	return nil
}

// beginDue begins every day that is due and has not been proposed. rolls.mu is held.
func (r *Runner) beginDue(now hub.Time, begin func(hub.RollDay) error) error {
	var due []hub.RollDay
	for _, c := range r.opts.Calendars.All() {
		if day := c.Day(now.UTC()); day > r.rolls.days[c.Name()] {
			due = append(due, hub.RollDay{Day: day, Calendar: c.Name(), Began: hub.TimeOf(c.Begins(now.UTC()))})
		}
	}
	slices.SortStableFunc(due, func(a, b hub.RollDay) int { return cmp.Compare(a.Began, b.Began) })
	for _, in := range due {
		if err := begin(in); err != nil {
			return fmt.Errorf("trading day %s of calendar %s: %w", in.Day, in.Calendar, err)
		}
		r.rolls.days[in.Calendar] = in.Day
	}
	return nil
}

// rollBefore proposes the days that have begun by now. With an error nothing may be proposed that is stamped now.
func (r *Runner) rollBefore(now hub.Time) error {
	if int64(now) < r.rolls.next.Load() {
		return nil
	}
	r.rolls.mu.Lock()
	defer r.rolls.mu.Unlock()
	if int64(now) < r.rolls.next.Load() { // somebody was quicker, and the day is proposed
		return nil
	}
	if err := r.beginDue(now, func(in hub.RollDay) error { return r.proposeRoll(now, in) }); err != nil {
		return err
	}
	for _, c := range r.opts.Calendars.All() {
		if why := c.Warning(now.UTC()); why != "" {
			r.log.Warn(why)
		}
	}
	r.rolls.next.Store(int64(hub.TimeOf(r.opts.Calendars.NextRoll(now.UTC()))))
	return nil
}

func (r *Runner) proposeRoll(now hub.Time, in hub.RollDay) error {
	p := proposal{entry: hub.Entry{Time: now, Input: in}, lost: func(error) { r.rolls.lost() }}
	b, err := codec.Encode(p.entry)
	if err != nil {
		return err
	}
	r.pendingMu.Lock()
	defer r.pendingMu.Unlock()
	n, err := r.journal.Propose(b)
	if err != nil {
		return err
	}
	r.pending[n] = p
	return nil
}

// lost: a day was proposed and may never be in the journal. It is proposed again, before anything else; should it be there twice, the second changes nothing.
func (s *rolls) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.days)
	s.next.Store(math.MinInt64)
}

// keepRolls begins a trading day when nobody trades at that moment.
func (r *Runner) keepRolls() {
	for {
		wait := time.Duration(r.rolls.next.Load() - int64(hub.TimeOf(r.opts.Clock())))
		if wait <= 0 {
			wait = 100 * time.Millisecond // the journal takes nothing now
		}
		timer := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-r.closing:
			timer.Stop()
			return
		case <-timer.C:
			r.rollIfDue()
		}
	}
}

func (r *Runner) rollIfDue() {
	if err := r.rollBefore(hub.TimeOf(r.opts.Clock())); err != nil && !r.isClosing() {
		r.log.Error("a trading day cannot begin yet; no order is taken before it does", "error", err)
	}
}

// sessions remembers what the calendar said of each contract, as long as it holds.
type sessions struct {
	mu sync.RWMutex
	of map[place]spell
}

// spell is how long a session's facts hold.
type spell struct {
	session     hub.Session
	from, until hub.Time
}

func (s *sessions) get(at place, now hub.Time) (hub.Session, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.of[at]
	return v.session, ok && v.from <= now && now < v.until
}

func (s *sessions) put(at place, v spell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[at] = v
}

// forget is for when contracts change. The runner's mu is held.
func (s *sessions) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.of)
}

// session is what the calendar of a contract says of a moment.
func (r *Runner) session(at place, now hub.Time) hub.Session {
	if s, ok := r.sessions.get(at, now); ok {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock() // until it is remembered, so that what is forgotten when contracts change does not come back
	k, ok := r.core.ContractAt(at.gateway, at.instrument)
	if !ok {
		return hub.Session{}
	}
	t := now.UTC()
	c, main := r.opts.Calendars.Of(at.instrument.Exchange), r.opts.Calendars.Main()
	is := c.At(t, k.Product, k.Symbol)
	s := hub.Session{
		Calendar: c.Name(), Day: is.Day, FundDay: main.Day(t), Phase: is.Phase, Name: is.Name, Opened: hub.TimeOf(is.Opened), Closes: hub.TimeOf(is.Closes), Expires: c.Expiry(k),
	}
	s.Delivers, _ = calendar.Delivery(k, t.In(c.Zone()))
	until := is.Until
	if roll := main.NextRoll(t); roll.Before(until) {
		until = roll
	}
	r.sessions.put(at, spell{s, now, hub.TimeOf(until)})
	return s
}

// ofMoment puts what the calendar says of the moment into the input that decides about an order, or about its amendment.
func (r *Runner) ofMoment(in hub.Input, at place, now hub.Time) hub.Input {
	if order, ok := in.(hub.SubmitOrder); ok {
		order.Market.Session = r.session(at, now)
		return order
	}
	if order, ok := in.(hub.JudgeOrder); ok {
		order.Market.Session = r.session(at, now)
		return order
	}
	if order, ok := in.(hub.AmendOrder); ok {
		order.Market.Session = r.session(at, now)
		return order
	}
	return in
}

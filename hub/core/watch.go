package core

import (
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// watching is a watch of the rules in force, with the book that it looks at and what is remembered of it.
type watching struct {
	*policy.Watch
	was  watched
	book *book
	from source // what it reads; kept, for it is asked often
}

// watched is what is remembered of a watch. Its file and its name are what it is known by: a reload that moves it to another line changes nothing.
type watched struct {
	Trader hub.TraderName `cbor:"1,keyasint,omitempty"`
	File   string         `cbor:"2,keyasint"`
	Name   string         `cbor:"3,keyasint"`
	// Fired: it did what it does, and does nothing until it has been clear. Since is when, Day the trading day, Times how often.
	Fired bool     `cbor:"4,keyasint,omitempty"`
	Since hub.Time `cbor:"5,keyasint,omitempty"`
	Day   hub.Day  `cbor:"6,keyasint,omitempty"`
	Times int      `cbor:"7,keyasint,omitempty"`
	// Blind: it could not be computed, and that was said. Why is why.
	Blind string `cbor:"8,keyasint,omitempty"`
}

func (w *watched) known() bool { return w.Times > 0 || w.Blind != "" }

func (w *watched) is(x *policy.Watch) bool {
	return w.Trader == x.Trader && w.File == x.File && w.Name == x.Name
}

// source is what the watch reads now.
func (w *watching) source(c *Core) *source {
	w.from.core, w.from.trader, w.from.lane = c, w.book, c.lane(w.book, 0)
	return &w.from
}

// id is what people know it by.
func (w *watching) id() string { return w.Place + " " + w.Name }

func (w *watching) scope() (hub.Scope, string) { return scopeOf(w.book) }

// keepWatches takes the watches of the rules in force. What is remembered of one that stays is kept.
func (c *Core) keepWatches(had []watched) {
	c.watches = nil
	if c.rules == nil {
		return
	}
	for _, x := range c.rules.Watches() {
		b := c.bookOf(x.Trader)
		if b == nil {
			continue // until the trader is configured
		}
		w := &watching{Watch: x, was: watched{Trader: x.Trader, File: x.File, Name: x.Name}, book: b}
		if i := slices.IndexFunc(had, func(old watched) bool { return old.is(x) }); i >= 0 {
			w.was = had[i]
		}
		c.watches = append(c.watches, w)
	}
}

// imageOfWatches is what is remembered of watches that ever did something.
func (c *Core) imageOfWatches() []watched {
	var all []watched
	for _, w := range c.watches {
		if w.was.known() {
			all = append(all, w.was)
		}
	}
	return all
}

// stir has the watches of a book, and the fund's, looked at when the entry is applied.
func (c *Core) stir(b *book) {
	for _, x := range [...]*book{b, c.fund} {
		if !x.stirred {
			x.stirred = true
			c.stirred = append(c.stirred, x)
		}
	}
}

// stirsAll: what an input changes concerns everybody.
func stirsAll(in hub.Input) bool {
	switch in.(type) {
	case hub.SubmitOrder, hub.TakeOrder, hub.JudgeOrder, hub.CancelOrder, hub.CancelAll, hub.ExpireWaits, hub.VenueReport, hub.Reconcile, hub.Marks, hub.Contracts, hub.Halt, hub.SetState,
		hub.Flatten, hub.FlattenStep, hub.AskOverride, hub.ApproveOverride, hub.WithdrawOverride, hub.PoliciesRefused: // what they change is somebody's
		return false
	case hub.AmendOrder, hub.DoubtAmendments, hub.SetUp, hub.LoadPolicies, hub.GatewayState, hub.RollDay, hub.Clock, hub.SetRates, hub.PublishNumbers, hub.TransferPosition, hub.TransferCapital, hub.VenueStatement:
	}
	return true
}

// watch looks at every number that may have changed with an entry, once, after all of the entry is applied. What watches do moves no watch in the same entry.
func (c *Core) watch(in hub.Input) {
	all := stirsAll(in)
	for _, w := range c.watches {
		if all || w.book.stirred {
			c.lookAt(w)
		}
	}
	for _, b := range c.stirred {
		b.stirred = false
	}
	c.stirred = c.stirred[:0]
}

// lookAt fires a watch when what it looks for has become so, or arms it again.
func (c *Core) lookAt(w *watching) {
	s := w.source(c)
	if w.was.Fired && w.Daily {
		if w.was.Day == c.day {
			return
		}
		w.was.Fired = false
	}
	if w.was.Fired {
		if clear, err := w.IsClear(s); err == nil && clear {
			w.was.Fired = false
			if w.Trader == "" {
				return
			}
			c.tell(w.Trader, Info, "", hub.Say("watch %s is clear again", w.id()))
		}
		return
	}
	is, err := w.Is(s)
	if err != nil {
		if w.was.Blind == "" {
			c.alert("watch %s cannot be computed, and does nothing until it can: %s", w.id(), err)
		}
		w.was.Blind = err.Error()
		return
	}
	w.was.Blind = ""
	if is {
		w.was.Fired, w.was.Since, w.was.Day = true, c.now, c.day
		w.was.Times++
		c.fire(w, w.Sentence(s))
	}
}

// fire does what a watch does: first what stops, then what cancels, and it tells whom it concerns in any case.
func (c *Core) fire(w *watching, text string) {
	if w.Trader != "" { // of the fund's numbers, traders learn those that stop them
		c.tell(w.Trader, Warning, "", hub.Say("watch %s: %s", w.id(), text))
	}
	said := text // on orders, which their owners read
	if w.Trader == "" {
		said = ""
	}
	scope, name := w.scope()
	part := hub.Part{Trader: w.Trader}
	for _, action := range w.Then {
		switch action {
		case policy.ReduceOnly:
			c.restrain(restraint{Scope: scope, Name: name, State: hub.ReduceOnly, Watch: w.id(), Reason: text, Since: c.now})
		case policy.CancelOnly:
			c.restrain(restraint{Scope: scope, Name: name, State: hub.CancelOnly, Watch: w.id(), Reason: text, Since: c.now})
		case policy.Halt:
			c.restrain(restraint{Scope: scope, Name: name, State: hub.Halted, Watch: w.id(), Reason: text, Since: c.now})
		case policy.CancelAll:
			c.cancelPart(part, reasoned(hub.Say("cancelled by watch %s", w.id()), said).String())
		case policy.Flatten:
			c.restrain(restraint{Scope: scope, Name: name, State: hub.CancelOnly, Watch: w.id(), Reason: reasoned(hub.Say("flatten"), text).String(), Since: c.now})
			if x := c.haltOf(part); x != nil {
				c.alert("watch %s does not flatten %s: %s", w.id(), part, x.sentence(c.now))
				continue
			}
			if slices.ContainsFunc(c.flattenings, func(f *flattening) bool { return f.Part == part }) {
				continue // its closing orders may be what the watch saw: begun anew each time, it would send and cancel without a pause
			}
			c.beginFlatten(part, "watch "+w.id(), text)
		case policy.Alert:
			c.alert("watch %s of %s: %s", w.id(), subject(scope, name), text)
		}
	}
}

// ofWatch answers the variables of policy's file watch.go.
func (s *source) ofWatch(b *book, v policy.Var) policy.Value {
	//exhaustive:ignore
	switch v {
	case policy.MarginRatio:
		var sum hub.Sum
		held, equity := b.held(&sum), b.equity(&sum)
		if !equity.IsPos() {
			if held.IsPos() {
				return policy.Number(policy.RatioOfNothing)
			}
			return policy.Number(hub.Decimal{})
		}
		return number(func(sum *hub.Sum) hub.Decimal { return sum.Quo(held, equity) })
	case policy.OldestMarkAge:
		return s.core.oldestMark(b)
	case policy.GatewayDown:
		return s.core.longestDown(b)
	case policy.BreaksToday:
		n := 0
		for i := range s.core.breaks {
			if s.core.breaks[i].Day == s.core.day {
				n++
			}
		}
		return policy.Count(n)
	}
	return policy.Missing("it is not known to this hub")
}

// seen notes when the hub had the last tick of a contract.
func (b *book) seen(k key, at hub.Time) {
	if p := b.byKey[k]; p != nil {
		p.Seen = max(p.Seen, at)
	}
}

func (c *Core) oldestMark(b *book) policy.Value {
	var sum hub.Sum
	var age time.Duration
	for _, p := range b.Positions {
		if p.Long.qty(&sum).IsZero() && p.Short.qty(&sum).IsZero() {
			continue
		}
		of := c.fund.byKey[p.Key]
		if of == nil || of.Seen == 0 {
			return policy.Missing("the hub never had a tick of " + p.Key.Instrument.String())
		}
		age = max(age, c.now.Sub(of.Seen))
	}
	return seconds(age)
}

// longestDown looks at the gateways that matter to a book: all of them to the fund.
func (c *Core) longestDown(b *book) policy.Value {
	var sum hub.Sum
	var down time.Duration
	for _, g := range c.gateways {
		if g.Up || b != c.fund && !slices.ContainsFunc(b.Positions, func(p *position) bool { return p.Key.Gateway == g.Name && !p.empty(&sum) }) {
			continue
		}
		down = max(down, c.now.Sub(g.Since))
	}
	return seconds(down)
}

// WatchStanding is how a watch stands.
type WatchStanding struct {
	Trader hub.TraderName // "" for the fund
	Name   string
	Place  string
	Then   []string
	// Fired: it does nothing until it has been clear, or (Daily) the next day. Times counts since it was first loaded.
	Fired  bool
	Since  hub.Time // when it fired last
	Times  int
	Daily  bool
	Blind  string   // why it cannot be computed
	Values []string // what it reads, as name=value
}

// Watches returns how every watch stands, with the numbers of now.
func (c *Core) Watches() []WatchStanding {
	out := make([]WatchStanding, 0, len(c.watches))
	for _, w := range c.watches {
		s := source{core: c, trader: w.book, lane: c.lane(w.book, 0)}
		x := WatchStanding{Trader: w.Trader, Name: w.Name, Place: w.Place, Fired: w.was.Fired, Since: w.was.Since, Times: w.was.Times, Daily: w.Daily, Blind: w.was.Blind, Values: w.Values(&s)}
		if w.Daily && w.was.Day != c.day {
			x.Fired = false
		}
		for _, a := range w.Then {
			x.Then = append(x.Then, fmt.Sprint(a))
		}
		out = append(out, x)
	}
	return out
}

// Timed reports whether a watch in force may fire because time passes.
func (c *Core) Timed() bool {
	return slices.ContainsFunc(c.watches, func(w *watching) bool { return w.Timed() })
}

package core

import (
	"cmp"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// kept is a window that a rule in force names.
type kept struct {
	of     tally
	window time.Duration
}

// keeps are the kept windows of one owner, by narrowing; sorted, without repeats.
type keeps [policy.InProduct + 1][]kept

func keepsOf(refs []policy.Ref, scope policy.Scope) keeps {
	var all keeps
	for _, r := range refs {
		if t, counts := tallyOf(r.Var); counts && r.Scope == scope {
			all[r.Narrow] = append(all[r.Narrow], kept{t, r.Window})
		}
	}
	for n := range all {
		slices.SortFunc(all[n], func(a, b kept) int { return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.window, b.window)) })
		all[n] = slices.Compact(all[n])
	}
	return all
}

// keepWindows finds which windows the rules in force name, and makes every cell keep those and no others. What a rule names for the first time is counted from the flows: it is right
// at once. What was kept before stays as it is.
func (c *Core) keepWindows() {
	c.keeps = [policy.ScopeGroup + 1]keeps{}
	for _, b := range c.traders {
		b.keeps = keeps{}
	}
	if c.rules != nil {
		all := c.rules.Windows()
		for scope := policy.ScopeFund; scope <= policy.ScopeGroup; scope++ {
			c.keeps[scope] = keepsOf(all, scope)
		}
		for _, b := range c.traders {
			b.keeps = keepsOf(c.rules.WindowsOf(b.Trader), policy.ScopeTrader)
		}
	}
	for _, x := range c.cells {
		x.windows = c.windowsFor(x.ID, x.windows)
	}
	c.fillWindows()
}

// windowsFor are the windows that a cell has to keep: of those that it has, what is still wanted; else empty ones, which are fresh while there is a past to fill them from.
func (c *Core) windowsFor(id cellID, has []window) []window {
	if id.Narrow == inExchange {
		return nil
	}
	wanted := c.keeps[id.Scope][id.Narrow]
	if id.Scope == policy.ScopeTrader {
		if b := c.byTrader[hub.TraderName(id.Owner)]; b != nil {
			wanted = b.keeps[id.Narrow]
		}
	}
	var all []window
	for i := 0; i < len(wanted); {
		j := i
		for j < len(wanted) && wanted[j].of == wanted[i].of {
			j++
		}
		all = append(all, windowFor(wanted[i:j], has))
		i = j
	}
	return all
}

func windowFor(wanted []kept, has []window) window {
	w := window{of: wanted[0].of, fresh: true}
	longest := wanted[len(wanted)-1].window
	if i := slices.IndexFunc(has, func(old window) bool { return old.of == w.of && old.keep >= longest }); i >= 0 {
		w = has[i]
	}
	old := w.heads
	w.keep, w.heads = longest, make([]head, len(wanted))
	for i, k := range wanted {
		w.heads[i] = head{k.window, w.start}
		if j := slices.IndexFunc(old, func(h head) bool { return h.window == k.window }); j >= 0 {
			w.heads[i] = old[j]
		}
	}
	return w
}

// refill counts the windows of some cells anew.
func (c *Core) refill(of func(*cell) bool) {
	for _, x := range c.cells {
		if of(x) {
			x.windows = c.windowsFor(x.ID, nil)
		}
	}
	c.fillWindows()
}

// fillWindows counts the fresh windows from the flows. It looks at every event of the last hour once: a quarter of a second for ten million.
func (c *Core) fillWindows() {
	c.filling = true
	for _, b := range c.books() { // cells that nothing has asked for since
		last := int32(-1)
		for _, e := range b.flow.events[b.flow.start:] {
			if e.place != last {
				c.lane(b, e.place)
				last = e.place
			}
		}
	}
	fresh := false
	for _, x := range c.cells {
		fresh = fresh || slices.ContainsFunc(x.windows, func(w window) bool { return w.fresh })
	}
	if fresh {
		c.replay()
	}
	for _, x := range c.cells {
		x.filled()
	}
	c.filling = false
}

func (c *cell) filled() {
	for i := range c.windows {
		c.windows[i].fresh = false
	}
}

// replay adds every event of the flows to the fresh windows, in the order of time.
func (c *Core) replay() {
	type cursor struct {
		book      *book
		at, trade int
	}
	var all []*cursor
	for _, b := range c.books() {
		if len(b.flow.events) > b.flow.start {
			all = append(all, &cursor{b, b.flow.start, b.flow.tradeStart})
		}
	}
	for len(all) > 0 {
		next := 0
		for i, k := range all {
			if k.book.flow.events[k.at].at < all[next].book.flow.events[all[next].at].at {
				next = i
			}
		}
		k := all[next]
		e := k.book.flow.events[k.at]
		var a amounts
		if e.what == traded {
			a = k.book.flow.trades[k.trade]
			k.trade++
		}
		c.lane(k.book, e.place).replay(e, a)
		if k.at++; k.at == len(k.book.flow.events) {
			all = slices.Delete(all, next, next+1)
		}
	}
}

func (l *lane) replay(e event, a amounts) {
	own, shared := e.what.counts()
	for scope := range l.cells {
		set := shared
		if scope == 0 {
			set = own
		}
		for _, x := range l.cells[scope] {
			if x == nil {
				continue
			}
			for i := range x.windows {
				if w := &x.windows[i]; w.fresh && set.has(w.of) {
					w.add(e.at, a.of(w.of))
				}
			}
		}
	}
}

// inWindow is how much of a tally is inside a window of a cell; a policy.Value that is missing when more happened in it than is remembered.
func (c *Core) inWindow(x *cell, of tally, d time.Duration) policy.Value {
	if d == policy.Today {
		if of < countTallies {
			return policy.Count(x.Day.Counts[of])
		}
		return x.Day.Sums[of-countTallies].value()
	}
	forgot := c.forgotShared
	if x.ID.Scope == policy.ScopeTrader {
		forgot = c.byTrader[hub.TraderName(x.ID.Owner)].flow.forgot
	}
	if forgot != 0 && c.now.Add(-d) < forgot {
		return policy.Missing("there are more in the window than the hub remembers")
	}
	w := x.window(of)
	if w == nil {
		return policy.Missing("it is not counted")
	}
	first, known := w.first(c.now, d)
	switch {
	case !known:
		return policy.Missing("it is not counted")
	case of < countTallies:
		return policy.Count(len(w.times) - first)
	case first == len(w.times):
		return policy.Number(hub.Decimal{})
	}
	return w.total.minus(w.before[first]).value()
}

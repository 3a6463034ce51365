package core

import (
	"cmp"
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// inExchange is a narrowing that no rule names: what an account does at one exchange. A control group is made of such parts.
const inExchange = policy.InProduct + 1

// cellID says whose and what a cell counts.
type cellID struct {
	Scope    policy.Scope     `cbor:"1,keyasint"`
	Owner    string           `cbor:"2,keyasint,omitempty"` // trader, gateway or group; "" for the fund
	Narrow   policy.Narrowing `cbor:"3,keyasint,omitempty"`
	Exchange string           `cbor:"4,keyasint,omitempty"` // of InContract, InProduct and inExchange
	Symbol   string           `cbor:"5,keyasint,omitempty"` // of InContract the symbol, of InProduct the product
}

func compareIDs(a, b cellID) int {
	return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Narrow, b.Narrow), cmp.Compare(a.Exchange, b.Exchange),
		cmp.Compare(a.Symbol, b.Symbol))
}

// cell counts one part of what one owner does: trader alpha in rb2701, everybody at gateway CTP.
type cell struct {
	ID  cellID  `cbor:"1,keyasint"`
	Day dayFlow `cbor:"2,keyasint"`
	// Streak counts orders that the venue rejected, one after the other.
	Streak int `cbor:"3,keyasint,omitempty"`

	held    held     // computed of positions and orders
	windows []window // computed of the flows
}

// dayFlow is what a cell counted since the trading day began.
type dayFlow struct {
	Counts [countTallies]int `cbor:"1,keyasint"`
	// Sums are quantity, value, opened.
	Sums [allTallies - countTallies]amount `cbor:"2,keyasint"`
	// Sizes are the quantities of orders whose cancel was asked for, ascending.
	Sizes []size `cbor:"3,keyasint,omitempty"`
	// Unsized: there were more than sizesMax different quantities.
	Unsized bool `cbor:"4,keyasint,omitempty"`
}

// sizesMax bounds how many different quantities of cancels one cell remembers of a day. With more, large_cancels is missing there until the next.
const sizesMax = 1024

// size is how many cancels of a day were of Qty or more.
type size struct {
	Qty     hub.Decimal `cbor:"1,keyasint"`
	AtLeast int         `cbor:"2,keyasint"`
}

func (d *dayFlow) zero() bool { return d.Counts == [countTallies]int{} && len(d.Sizes) == 0 }

func (d *dayFlow) add(set tallies, a amounts) {
	for t := range countTallies {
		if set.has(t) {
			d.Counts[t]++
		}
	}
	for i := range d.Sums {
		if t := countTallies + tally(i); set.has(t) {
			d.Sums[i] = d.Sums[i].plus(a.of(t))
		}
	}
}

// sized counts a cancel of a quantity.
func (d *dayFlow) sized(qty hub.Decimal) {
	i, known := slices.BinarySearchFunc(d.Sizes, qty, func(s size, q hub.Decimal) int { return s.Qty.Cmp(q) })
	switch {
	case known:
	case len(d.Sizes) == sizesMax:
		d.Unsized = true
		return
	default:
		s := size{Qty: qty}
		if i < len(d.Sizes) {
			s.AtLeast = d.Sizes[i].AtLeast
		}
		d.Sizes = slices.Insert(d.Sizes, i, s)
	}
	for j := range d.Sizes[:i+1] {
		d.Sizes[j].AtLeast++
	}
}

// atLeast is how many cancels were of a quantity or more; false when that is not known.
func (d *dayFlow) atLeast(qty hub.Decimal) (int, bool) {
	i, _ := slices.BinarySearchFunc(d.Sizes, qty, func(s size, q hub.Decimal) int { return s.Qty.Cmp(q) })
	if i == len(d.Sizes) {
		return 0, !d.Unsized
	}
	return d.Sizes[i].AtLeast, !d.Unsized
}

// plus adds what another cell counted.
func (d *dayFlow) plus(more *dayFlow) {
	for t := range d.Counts {
		d.Counts[t] += more.Counts[t]
	}
	for i := range d.Sums {
		d.Sums[i] = d.Sums[i].plus(more.Sums[i])
	}
	for i, s := range more.Sizes {
		n := s.AtLeast
		if i+1 < len(more.Sizes) {
			n -= more.Sizes[i+1].AtLeast
		}
		for range n {
			d.sized(s.Qty)
		}
	}
	d.Unsized = d.Unsized || more.Unsized
}

func (c *cell) add(now hub.Time, set tallies, a amounts) {
	c.Day.add(set, a)
	for i := range c.windows {
		if w := &c.windows[i]; set.has(w.of) {
			w.add(now, a.of(w.of))
		}
	}
}

// window is the cell's window of a tally; nil when no rule in force names one.
func (c *cell) window(of tally) *window {
	for i := range c.windows {
		if c.windows[i].of == of {
			return &c.windows[i]
		}
	}
	return nil
}

// place is where something happened: a contract at a gateway, with its product then.
type place struct {
	Key     key    `cbor:"1,keyasint"`
	Product string `cbor:"2,keyasint"`
}

func (p place) cells(scope policy.Scope, owner string) [3]cellID {
	in := p.Key.Instrument
	return [3]cellID{
		{Scope: scope, Owner: owner},
		{scope, owner, policy.InContract, in.Exchange, in.Symbol},
		{scope, owner, policy.InProduct, in.Exchange, p.Product},
	}
}

// lane is every cell that an order of one trader in one contract counts in, found once for an order and not once for a variable.
type lane struct {
	cells [policy.ScopeGroup - policy.ScopeTrader + 1][3]*cell // by scope, from ScopeTrader, and narrowing; nil: there is none
	part  *cell                                                // of the account, inExchange
}

func (l *lane) of(scope policy.Scope, narrow policy.Narrowing) *cell {
	return l.cells[scope-policy.ScopeTrader][narrow]
}

// laneKey is a trader's book, or the fund's, and an index into Core.places.
type laneKey struct {
	book  *book
	place int32
}

// placeOf is where a contract is traded; 0 for none.
func (c *Core) placeOf(k *contract) int32 {
	if k == nil {
		return 0
	}
	if k.place == 0 {
		p := place{k.key, cmp.Or(k.Product, k.Symbol)}
		i, known := c.byPlace[p]
		if !known {
			i = int32(len(c.places)) //nolint:gosec // two thousand million contracts
			c.places = append(c.places, p)
			c.byPlace[p] = i
		}
		k.place = i
	}
	return k.place
}

// lane is that of a book and a place. Of the fund's book it has no trader's cells.
func (c *Core) lane(b *book, at int32) *lane {
	k := laneKey{b, at}
	if l := c.lanes[k]; l != nil {
		return l
	}
	l := &lane{}
	p := c.places[at]
	find := func(scope policy.Scope, owner string) {
		for n, id := range p.cells(scope, owner) {
			if n == 0 || at != 0 {
				l.cells[scope-policy.ScopeTrader][n] = c.cell(id)
			}
		}
	}
	if b != c.fund {
		find(policy.ScopeTrader, string(b.Trader))
	}
	find(policy.ScopeFund, "")
	if at != 0 {
		g := p.Key.Gateway
		find(policy.ScopeAccount, string(g))
		find(policy.ScopeGroup, c.groupOf(g, p.Key.Instrument.Exchange))
		l.part = c.cell(cellID{Scope: policy.ScopeAccount, Owner: string(g), Narrow: inExchange, Exchange: p.Key.Instrument.Exchange})
	}
	c.lanes[k] = l
	return l
}

// groupOf is the control group of a gateway's account at an exchange. An account that the configuration puts into none is its own group, with the gateway's name.
func (c *Core) groupOf(g hub.GatewayName, exchange string) string {
	for _, group := range c.setup.Groups {
		if slices.Contains(group.Gateways, g) && (len(group.Exchanges) == 0 || slices.Contains(group.Exchanges, exchange)) {
			return group.Name
		}
	}
	return string(g)
}

func (c *Core) cell(id cellID) *cell {
	x := c.byCell[id]
	if x == nil {
		x = &cell{ID: id}
		x.windows = c.windowsFor(id, nil)
		if !c.filling {
			x.filled() // it has no past
		}
		c.byCell[id] = x
		c.cells = append(c.cells, x)
	}
	return x
}

// today is what an owner did since the trading day began.
func (c *Core) today(scope policy.Scope, owner string) dayFlow {
	if x := c.byCell[cellID{Scope: scope, Owner: owner}]; x != nil {
		return x.Day
	}
	return dayFlow{}
}

// happened counts.
func (c *Core) happened(b *book, k *contract, what happening, a amounts) {
	c.stir(b)
	at := c.placeOf(k)
	b.flow.add(event{c.now, at, what}, a, c.flowMax)
	c.forgotShared = max(c.forgotShared, b.flow.forgotShared)
	own, shared := what.counts()
	l := c.lane(b, at)
	for scope := range l.cells {
		set := shared
		if scope == 0 {
			set = own
		}
		if set == 0 {
			continue
		}
		for _, x := range l.cells[scope] {
			if x != nil {
				x.add(c.now, set, a)
			}
		}
	}
	if l.part != nil && shared != 0 {
		l.part.Day.add(shared, a)
	}
}

// each calls f with every cell of a trader's lane.
func (l *lane) each(f func(*cell)) {
	for scope := range l.cells {
		for _, x := range l.cells[scope] {
			if x != nil {
				f(x)
			}
		}
	}
	if l.part != nil {
		f(l.part)
	}
}

// askedToCancel counts a cancel that somebody asked for, before the order knows of it.
func (c *Core) askedToCancel(o *order) {
	b, k := c.byTrader[o.Trader], c.contracts[key{o.Gateway, o.Instrument}]
	what := cancelAsked
	alive := !o.Status.Final() && o.Ask == 0
	switch {
	case o.Type == hub.FAK || o.Type == hub.FOK:
		what = cancelInstant
	case alive && !o.CancelAsked && c.now.Sub(o.Time) <= fastCancel:
		what = cancelAskedFast
	}
	c.happened(b, k, what, amounts{})
	if what != cancelInstant && alive && !o.CancelAsked {
		var sum hub.Sum
		left := sum.Sub(o.Qty, o.Filled)
		c.lane(b, c.placeOf(k)).each(func(x *cell) { x.Day.sized(left) })
	}
}

// streak counts a rejection of the venue, or (reject false) ends the streak: the venue took the order.
func (c *Core) streak(o *order, reject bool) {
	c.lane(c.byTrader[o.Trader], c.placeOf(c.contracts[key{o.Gateway, o.Instrument}])).each(func(x *cell) {
		if reject {
			x.Streak++
		} else {
			x.Streak = 0
		}
	})
}

// forgive ends the streaks of rejections of a trader or an account, or of everybody when it is the fund that a person has looked at.
func (c *Core) forgive(scope hub.Scope, name string) {
	of := map[hub.Scope]policy.Scope{hub.ScopeTrader: policy.ScopeTrader, hub.ScopeGateway: policy.ScopeAccount}[scope]
	for _, x := range c.cells {
		if scope == hub.ScopeFund || x.ID.Scope == of && x.ID.Owner == name {
			x.Streak = 0
		}
	}
}

// rollCells begins the trading day of those cells that rolls names, and lets go of those in which nothing is left. Positions have been rolled.
func (c *Core) rollCells(rolls func(cellID) bool) {
	for _, x := range c.cells {
		if rolls(x.ID) {
			x.Day, x.Streak = dayFlow{}, 0
		}
	}
	c.dropCells(func(x *cell) bool { return x.bare(c.now) })
	c.rejoin()
}

// bare: there is nothing to know of the cell but what positions and orders say.
func (c *cell) bare(now hub.Time) bool {
	return c.Day.zero() && c.Streak == 0 && !slices.ContainsFunc(c.windows, func(w window) bool { return !w.empty(now) })
}

func (c *Core) dropCells(drop func(*cell) bool) {
	c.cells = slices.DeleteFunc(c.cells, func(x *cell) bool {
		if !drop(x) {
			return false
		}
		delete(c.byCell, x.ID)
		return true
	})
}

// rejoin finds anew which cells every order and position counts in, and adds up what they hold.
func (c *Core) rejoin() {
	clear(c.lanes)
	for _, b := range c.books() {
		for _, p := range b.Positions {
			p.in = c.cellsOf(b, p.Key)
		}
	}
	var sum hub.Sum
	c.addUp(&sum)
	c.must(&sum, "adding up what is held")
}

func (c *Core) books() []*book { return append([]*book{c.fund}, c.traders...) }

// regroup makes the control groups anew, of their accounts, when the configuration forms other ones. Of a streak it knows the longest of an account.
func (c *Core) regroup() {
	isGroup := func(x *cell) bool { return x.ID.Scope == policy.ScopeGroup }
	c.dropCells(isGroup)
	for _, x := range slices.Clone(c.cells) {
		if x.ID.Scope != policy.ScopeAccount || x.ID.Narrow == policy.All {
			continue
		}
		id := x.ID
		id.Scope, id.Owner = policy.ScopeGroup, c.groupOf(hub.GatewayName(x.ID.Owner), x.ID.Exchange)
		if id.Narrow == inExchange {
			id.Narrow, id.Exchange = policy.All, ""
		}
		g := c.cell(id)
		g.Day.plus(&x.Day)
		g.Streak = max(g.Streak, x.Streak)
	}
	c.rejoin()
	c.refill(isGroup)
}

package hubtest

import (
	"math/big"
	"slices"
	"time"

	"tradehub/hub"
)

// ledger is the record of a story as a patient clerk would keep it: what happened, in order, and no sums. Every number is counted anew, from the first line on, each time that
// somebody asks. It knows entries and effects, which are what an audit would have, and nothing of the core's books.
type ledger struct {
	now         hub.Time
	days        map[string][]hub.RollDay // that have begun, by calendar
	setUp       hub.SetUp
	contracts   map[hub.Instrument]hub.Contract
	up          map[hub.GatewayName]bool
	restraints  map[subject]map[string]hub.State // by who set them: a watch's name, or "" for a person
	watches     []*standingWatch                 // of the policies in force
	flattenings []*flattening
	stamp       hub.Time // of the entry
	cuts        []cut
	asking      map[hub.OrderID]bool // orders about which the venue is being asked
	policies    []sheet
	rates       map[string]word // the newest word on each currency
	exceptions  []*exception    // all overrides that were asked for, by number
	turned      []*exception    // in this entry
	answer      *exception      // to a person, of this entry: without a number it is no; nil: nobody asked

	events []event
	lines  []line
	orders []*recorded
	byID   map[hub.OrderID]*recorded
	seen   map[string]int // what was decided, by code: for the test that stories tell everything
}

// subject is what has a state.
type subject struct {
	scope hub.Scope
	name  string
}

// recorded is an order as the hub last showed it.
type recorded struct {
	hub.Order
	sent       bool
	waited     bool        // for others of the fund to be cancelled
	worst      *big.Rat    // at which it is valued
	rolls      int         // trading days of its contract that had begun when it was decided
	closes     *flattening // whose it is, if the hub sent it to close something
	endedIn    int         // trading days of its contract that had begun when it ended
	endsAt     *big.Rat    // the venue cancelled it with so much filled, of which not all is reported
	amendWorst *big.Rat    // at which it is valued as its amendment has it
	passedBy   *exception  // nil: by itself, or not
	lifted     []string    // by that
}

// eventKind is something that rules count.
type eventKind uint8

const (
	orderAsked    eventKind = iota // decided
	orderSent                      // decided, and nothing spoke against it
	cancelAsked                    //
	orderRefused                   // by the hub
	orderRejected                  // by the venue
	orderTraded
	remainderCancelled // a FAK or FOK order ended
	crossPrevented
	amendAsked   // decided
	amendSent    // decided, and nothing spoke against it
	amendRefused // by the hub
)

// event is something that rules count.
type event struct {
	kind  eventKind
	time  hub.Time
	order hub.Order
	// rolls and contractRolls are how many trading days had begun, of the fund and of the contract.
	rolls, contractRolls int
	// Of a fill.
	quantity, value, opened *big.Rat
	// Of a cancel: it is the first of an order that works; and no later than a second after it.
	first, fast bool
}

// line is something that moves positions: a fill, a trading day, new prices, or that somebody began to work in a contract.
type line struct {
	fill  *hub.Trade
	late  bool   // the fill was made before the contract's present day began
	roll  string // the calendar of the day that began
	marks []hub.Mark
	works *hub.Order // as it stands now
	moved *moved
	money *hub.TransferCapital
	found *found
	rates map[string]*big.Rat // what currencies are worth from here on
}

// moved is a position that the operator moved from one trader to another.
type moved struct {
	hub.TransferPosition
	price, today, yesterday *big.Rat
	mark                    *big.Rat // that the giver had; nil: none
	atCost                  bool     // nobody has said what it is worth
}

func newLedger() *ledger {
	return &ledger{contracts: map[hub.Instrument]hub.Contract{}, up: map[hub.GatewayName]bool{}, restraints: map[subject]map[string]hub.State{}, byID: map[hub.OrderID]*recorded{}, days: map[string][]hub.RollDay{}, seen: map[string]int{}, rates: map[string]word{}, asking: map[hub.OrderID]bool{}}
}

func (l *ledger) note(kind eventKind, o hub.Order) *event {
	l.events = append(l.events, event{kind: kind, time: l.now, order: o, rolls: l.rolls(l.setUp.Calendar), contractRolls: l.rolls(l.calendarOf(o.Exchange))})
	return &l.events[len(l.events)-1]
}

// traded notes a fill.
func (l *ledger) traded(t hub.Trade) {
	late := l.late(t)
	books := l.books()
	did := books[t.Trader].fill(t, late)
	if did.drift.Sign() != 0 {
		l.seen["gain of a currency"]++
	}
	l.lines = append(l.lines, line{fill: &t, late: late})
	e := l.note(orderTraded, l.byID[t.OrderID].Order)
	e.quantity, e.opened = exact(t.Qty), did.opened
	e.value = books[t.Trader].value(t.Instrument, exact(t.Price), e.quantity)
}

// cancel notes that somebody asked for a cancel.
func (l *ledger) cancel(o *recorded) {
	e := l.note(cancelAsked, o.Order)
	e.first = o.sent && !o.Status.Final() && !o.CancelAsked
	e.fast = e.first && l.now.Sub(o.Time) <= time.Second
	o.CancelAsked = o.CancelAsked || !o.Status.Final()
}

// rolls is how many days of a calendar have begun.
func (l *ledger) rolls(calendar string) int { return len(l.days[calendar]) }

// calendarOf is the calendar of an exchange.
func (l *ledger) calendarOf(exchange string) string {
	for _, x := range l.setUp.Calendars {
		if x.Exchange == exchange {
			return x.Calendar
		}
	}
	return l.setUp.Calendar
}

// exact is a decimal as a fraction.
func exact(d hub.Decimal) *big.Rat { return rat(d.String()) }

func add(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func mul(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
func zero() *big.Rat             { return new(big.Rat) }

func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// cents rounds money as the hub says that it does: half to even, at the eighth decimal.
func cents(r *big.Rat) *big.Rat { return halfEven(r, 8) }

func halfEven(r *big.Rat, decimals int) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	scaled := mul(r, new(big.Rat).SetInt(scale))
	quotient, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	twice := new(big.Int).Mul(new(big.Int).Abs(rest), big.NewInt(2))
	if order := twice.Cmp(scaled.Denom()); order > 0 || order == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(int64(r.Sign())))
	}
	return new(big.Rat).SetFrac(quotient, scale)
}

// holding is one side of a position.
type holding struct {
	today, yesterday, cost, margin *big.Rat
	drift                          *big.Rat // by how much cost moved with the rate of what is paid in full
}

func newHolding() *holding { return &holding{zero(), zero(), zero(), zero(), zero()} }

func (h *holding) empty() bool {
	return h.quantity().Sign() == 0 && h.cost.Sign() == 0 && h.margin.Sign() == 0 && h.drift.Sign() == 0
}

func (h *holding) quantity() *big.Rat { return add(h.today, h.yesterday) }

// held is a position of one book.
type held struct {
	instrument  hub.Instrument
	long, short *holding
	mark        *big.Rat // nil: none since somebody began to work here
}

func (h *held) side(d hub.Direction) *holding {
	if d == hub.Long {
		return h.long
	}
	return h.short
}

// account is a book, counted from the first line of the ledger.
type account struct {
	ledger     *ledger
	owner      hub.TraderName      // "" for the fund
	rates      map[string]*big.Rat // as of the line; all books have one
	holdings   []*held
	realised   *big.Rat
	commission *big.Rat
	cash       *big.Rat // that came and went, before commission
	dayStart   *big.Rat // profit when the trading day began
	realisedAt *big.Rat // realised then
	peak       *big.Rat // of profit
	peakDay    *big.Rat
	losses     int64    // orders in a row that closed something and lost
	given      *big.Rat // capital that was given, on top of the configuration's
}

// books counts every book, the fund's under "".
func (l *ledger) books() map[hub.TraderName]*account {
	all, rates := map[hub.TraderName]*account{}, map[string]*big.Rat{}
	var owners []hub.TraderName
	for _, t := range l.setUp.Traders {
		owners = append(owners, t.Name)
	}
	for _, owner := range append(owners, hub.Unassigned, "") {
		all[owner] = &account{
			ledger: l, owner: owner, rates: rates, realised: zero(), commission: zero(), cash: zero(), dayStart: zero(), realisedAt: zero(), peak: zero(), peakDay: zero(), given: zero(),
		}
	}
	active := map[hub.OrderID]hub.Order{} // works of it, as of the line
	results := map[hub.OrderID]*result{}
	for _, line := range l.lines {
		switch {
		case line.works != nil:
			all[line.works.Trader].at(line.works.Instrument)
			all[""].at(line.works.Instrument)
			if line.works.Status.Final() && !active[line.works.ID].Status.Final() {
				all[line.works.Trader].ended(results[line.works.ID])
				all[""].ended(results[line.works.ID])
			}
			active[line.works.ID] = *line.works
		case line.fill != nil:
			did := all[line.fill.Trader].fill(*line.fill, line.late)
			all[""].follow(*line.fill, line.late, did)
			all[line.fill.Trader].crest()
			all[""].crest()
			r := results[line.fill.OrderID]
			if r == nil {
				r = &result{gain: zero()}
				results[line.fill.OrderID] = r
			}
			r.gain = add(r.gain, sub(did.gain, did.fees))
			r.closed = r.closed || did.closed.Sign() > 0
		case line.moved != nil:
			from, to := all[line.moved.From], all[line.moved.To]
			lot := from.give(*line.moved)
			to.take(*line.moved, lot)
			if !l.contracts[line.moved.Instrument].NetPosition { // else the fund holds what it held, and as it held it
				all[""].revalue(*line.moved, lot)
			}
			for _, a := range []*account{from, to, all[""]} {
				a.crest()
			}
		case line.money != nil:
			for owner, sign := range map[hub.TraderName]int64{line.money.From: -1, line.money.To: 1} {
				if owner != "" {
					change := mul(big.NewRat(sign, 1), exact(line.money.Amount))
					all[owner].given, all[""].given = add(all[owner].given, change), add(all[""].given, change)
				}
			}
		case line.marks != nil:
			for _, a := range all {
				for _, m := range line.marks {
					if j := a.find(m.Instrument); j >= 0 {
						a.holdings[j].mark = exact(m.Price)
					}
				}
				a.crest()
			}
		case line.found != nil:
			find(all, *line.found)
		case line.rates != nil:
			rescale(all, line.rates)
		case line.roll != "":
			for _, a := range all {
				a.roll(line.roll, active)
			}
		}
	}
	return all
}

// result is what the fills of an order brought.
type result struct {
	gain   *big.Rat // after commission
	closed bool     // some of it closed something
}

// crest raises the peaks.
func (a *account) crest() {
	for _, peak := range []**big.Rat{&a.peak, &a.peakDay} {
		if profit := a.profit(); profit.Cmp(*peak) > 0 {
			*peak = profit
		}
	}
}

// ended counts losses in a row.
func (a *account) ended(r *result) {
	switch {
	case r == nil || !r.closed || r.gain.Sign() == 0:
	case r.gain.Sign() < 0:
		a.losses++
	default:
		a.losses = 0
	}
}

func (a *account) mine(trader hub.TraderName) bool { return a.owner == "" || a.owner == trader }

func (a *account) find(i hub.Instrument) int {
	return slices.IndexFunc(a.holdings, func(h *held) bool { return h.instrument == i })
}

func (a *account) at(i hub.Instrument) *held {
	if j := a.find(i); j >= 0 {
		return a.holdings[j]
	}
	h := &held{instrument: i, long: newHolding(), short: newHolding()}
	a.holdings = append(a.holdings, h)
	return h
}

// look is at without making one.
func (a *account) look(i hub.Instrument) *held {
	if j := a.find(i); j >= 0 {
		return a.holdings[j]
	}
	return &held{instrument: i, long: newHolding(), short: newHolding()}
}

func (a *account) value(i hub.Instrument, price, quantity *big.Rat) *big.Rat {
	c := a.ledger.contracts[i]
	return cents(mul(mul(price, quantity), mul(exact(c.Size), a.rate(c))))
}

func marginOf(c hub.Contract, d hub.Direction, value *big.Rat) *big.Rat {
	part := c.MarginLong
	if d == hub.Short {
		part = c.MarginShort
	}
	if part.IsZero() {
		return value
	}
	return cents(mul(value, exact(part)))
}

// done is what a fill did to a book.
type done struct {
	opened, closed, closedToday *big.Rat
	cost, margin                *big.Rat // of what was closed
	openedCost, openedMargin    *big.Rat
	drift                       *big.Rat // of what was closed; it is in the gain
	gain, fees                  *big.Rat
	closedOf                    hub.Direction
}

// fill books a fill.
func (a *account) fill(t hub.Trade, late bool) done {
	c := a.ledger.contracts[t.Instrument]
	h := a.at(t.Instrument)
	price, quantity := exact(t.Price), exact(t.Qty)
	d := done{
		opened: zero(), closed: zero(), closedToday: zero(), cost: zero(), margin: zero(), openedCost: zero(), openedMargin: zero(), drift: zero(), gain: zero(), fees: zero(),
		closedOf: hub.Short,
	}
	if t.Direction == hub.Short {
		d.closedOf = hub.Long
	}
	against := h.side(d.closedOf)
	switch {
	case c.NetPosition:
		d.closed = least(quantity, against.quantity())
		d.closedToday = least(d.closed, against.today)
		d.opened = sub(quantity, d.closed)
	case t.Offset.Closes():
		d.closed, d.closedToday = closes(c, t, against)
	default:
		d.opened = quantity
	}
	if d.closed.Sign() > 0 {
		d.cost, d.margin = part(against.cost, d.closed, against.quantity()), part(against.margin, d.closed, against.quantity())
		d.gain = sub(a.value(t.Instrument, price, d.closed), d.cost)
		if t.Direction == hub.Long {
			d.gain = d.gain.Neg(d.gain)
		}
		d.drift = part(against.drift, d.closed, against.quantity())
		d.gain = add(d.gain, d.drift)
		d.fees = add(a.fee(c, c.Fees.CloseByValue, c.Fees.ClosePerUnit, price, sub(d.closed, d.closedToday)),
			a.fee(c, c.Fees.CloseTodayByValue, c.Fees.CloseTodayPerUnit, price, d.closedToday))
	}
	if d.opened.Sign() > 0 {
		d.openedCost = a.value(t.Instrument, price, d.opened)
		d.openedMargin = marginOf(c, t.Direction, d.openedCost)
		d.fees = add(d.fees, a.fee(c, c.Fees.OpenByValue, c.Fees.OpenPerUnit, price, d.opened))
	}
	a.apply(t, late, d)
	return d
}

func (a *account) apply(t hub.Trade, late bool, d done) {
	h := a.at(t.Instrument)
	s := h.side(d.closedOf)
	s.today, s.yesterday = sub(s.today, d.closedToday), sub(s.yesterday, sub(d.closed, d.closedToday))
	s.cost, s.margin, s.drift = sub(s.cost, d.cost), sub(s.margin, d.margin), sub(s.drift, d.drift)
	s = h.side(t.Direction)
	if late { // of the day before
		s.yesterday = add(s.yesterday, d.opened)
	} else {
		s.today = add(s.today, d.opened)
	}
	s.cost, s.margin = add(s.cost, d.openedCost), add(s.margin, d.openedMargin)
	a.realised, a.commission = add(a.realised, d.gain), add(a.commission, d.fees)
	moved := d.gain
	if a.ledger.contracts[t.Instrument].MarginLong.IsZero() { // paid in full
		if moved = a.value(t.Instrument, exact(t.Price), exact(t.Qty)); t.Direction == hub.Long {
			moved = new(big.Rat).Neg(moved)
		}
	}
	a.cash = add(a.cash, moved)
}

// follow books in the fund what a fill did to its trader. Where a contract nets, the fund nets for itself, and pays what its trader paid.
func (a *account) follow(t hub.Trade, late bool, did done) {
	if !a.ledger.contracts[t.Instrument].NetPosition {
		a.apply(t, late, did)
		return
	}
	before := a.commission
	a.fill(t, late)
	a.commission = add(before, did.fees)
}

// lot is a part of a position that changes hands: what it had cost, what it is worth, what it holds, and what its giver gains.
type lot struct{ cost, value, margin, gain *big.Rat }

// give takes a lot out of a book.
func (a *account) give(m moved) lot {
	s := a.at(m.Instrument).side(m.Direction)
	quantity := exact(m.Qty)
	l := lot{cost: part(s.cost, quantity, s.quantity()), margin: part(s.margin, quantity, s.quantity()), value: a.value(m.Instrument, m.price, quantity)}
	if m.atCost {
		l.value = l.cost
	}
	l.gain = sub(l.value, l.cost)
	if m.Direction == hub.Short {
		l.gain = sub(l.cost, l.value)
	}
	drift := part(s.drift, quantity, s.quantity())
	l.gain, s.drift = add(l.gain, drift), sub(s.drift, drift)
	s.today, s.yesterday, s.cost, s.margin = sub(s.today, m.today), sub(s.yesterday, m.yesterday), sub(s.cost, l.cost), sub(s.margin, l.margin)
	a.realised = add(a.realised, l.gain)
	if a.ledger.contracts[m.Instrument].MarginLong.IsZero() {
		a.cash = add(a.cash, l.value)
	} else {
		a.cash = add(a.cash, l.gain)
	}
	return l
}

// take adds a lot to a book.
func (a *account) take(m moved, l lot) {
	h := a.at(m.Instrument)
	s := h.side(m.Direction)
	s.today, s.yesterday, s.cost, s.margin = add(s.today, m.today), add(s.yesterday, m.yesterday), add(s.cost, l.value), add(s.margin, l.margin)
	if a.ledger.contracts[m.Instrument].MarginLong.IsZero() {
		a.cash = sub(a.cash, l.value)
	}
	if h.mark == nil { // it comes with the mark that its giver had
		h.mark = m.mark
	}
}

// revalue books in the fund what its traders did between them: it holds what it held, at another cost.
func (a *account) revalue(m moved, l lot) {
	s := a.at(m.Instrument).side(m.Direction)
	s.cost = add(s.cost, sub(l.value, l.cost))
	a.realised, a.cash = add(a.realised, l.gain), add(a.cash, l.gain)
}

// closes is how much a fill closes of a side, and how much of that was opened today.
func closes(c hub.Contract, t hub.Trade, s *holding) (closing, fromToday *big.Rat) {
	quantity := exact(t.Qty)
	if t.Offset == hub.CloseToday {
		fromToday = least(quantity, s.today)
		if c.SplitsToday {
			return fromToday, fromToday
		}
		return add(fromToday, least(sub(quantity, fromToday), s.yesterday)), fromToday
	}
	fromYesterday := least(quantity, s.yesterday)
	if c.SplitsToday {
		return fromYesterday, zero()
	}
	fromToday = least(sub(quantity, fromYesterday), s.today)
	return add(fromYesterday, fromToday), fromToday
}

// part is the share of a whole that belongs to part of total.
func part(whole, of, total *big.Rat) *big.Rat {
	if of.Cmp(total) == 0 {
		return whole
	}
	return cents(new(big.Rat).Quo(mul(whole, of), total))
}

func (a *account) fee(c hub.Contract, byValue, perUnit hub.Decimal, price, quantity *big.Rat) *big.Rat {
	return cents(add(mul(a.value(c.Instrument, price, quantity), exact(byValue)), mul(mul(exact(perUnit), quantity), a.rate(c))))
}

// roll begins a day of a calendar: of its contracts, today's is yesterday's now; and with the fund's, the day's profit and loss begins.
func (a *account) roll(calendar string, active map[hub.OrderID]hub.Order) {
	kept := a.holdings[:0:0]
	for _, h := range a.holdings {
		if a.ledger.calendarOf(h.instrument.Exchange) != calendar {
			kept = append(kept, h)
			continue
		}
		for _, s := range []*holding{h.long, h.short} {
			s.yesterday, s.today = add(s.yesterday, s.today), zero()
		}
		works := false
		for _, o := range active {
			works = works || o.Instrument == h.instrument && a.mine(o.Trader) && !o.Status.Final()
		}
		if works || !h.long.empty() || !h.short.empty() {
			kept = append(kept, h)
		}
	}
	a.holdings = kept
	if calendar != a.ledger.setUp.Calendar {
		return
	}
	a.dayStart = a.profit()
	a.peakDay, a.realisedAt = a.dayStart, a.realised
}

func (a *account) unrealised() *big.Rat {
	sum := zero()
	for _, h := range a.holdings {
		sum = add(sum, add(h.long.drift, h.short.drift))
		if h.mark != nil {
			sum = add(sum, sub(a.value(h.instrument, h.mark, h.long.quantity()), h.long.cost))
			sum = add(sum, sub(h.short.cost, a.value(h.instrument, h.mark, h.short.quantity())))
		}
	}
	return sum
}

func (a *account) profit() *big.Rat { return sub(add(a.realised, a.unrealised()), a.commission) }

func (a *account) capital() *big.Rat {
	sum := a.given
	for _, t := range a.ledger.setUp.Traders {
		if a.mine(t.Name) {
			sum = add(sum, exact(t.Capital))
		}
	}
	return sum
}

// workingValue is the value of what may still trade of an order.
func (a *account) workingValue(o *recorded) *big.Rat {
	if o.worst == nil {
		return zero()
	}
	value := a.value(o.Instrument, o.worst, o.left())
	if o.amendWorst == nil || !o.Amending() {
		return value
	}
	other := a.value(o.Instrument, o.amendWorst, o.left())
	if o.endsAt == nil { // one or the other
		value, other = a.value(o.Instrument, o.worst, o.rest(exact(o.Qty))), a.value(o.Instrument, o.amendWorst, o.rest(exact(o.Amendment.Qty)))
	}
	if other.Cmp(value) > 0 {
		return other
	}
	return value
}

// gross is the value of positions at the marks, or at cost where there is none.
func (a *account) gross(of func(hub.Instrument) bool) *big.Rat {
	sum := zero()
	for _, h := range a.holdings {
		if !of(h.instrument) {
			continue
		}
		if h.mark == nil {
			sum = add(sum, add(h.long.cost, h.short.cost))
			continue
		}
		sum = add(sum, a.value(h.instrument, h.mark, add(h.long.quantity(), h.short.quantity())))
	}
	return sum
}

func (a *account) positionMargin() *big.Rat {
	sum := zero()
	for _, h := range a.holdings {
		sum = add(sum, add(h.long.margin, h.short.margin))
	}
	return sum
}

// working are the book's orders that may still trade.
func (a *account) working() []*recorded {
	var out []*recorded
	for _, o := range a.ledger.orders {
		if a.mine(o.Trader) && o.sent && !o.Status.Final() {
			out = append(out, o)
		}
	}
	return out
}

// left is what may still trade of an order.
func (o *recorded) left() *big.Rat {
	return o.rest(o.most())
}

// rest is what of a whole is not filled.
func (o *recorded) rest(whole *big.Rat) *big.Rat {
	if left := sub(whole, exact(o.Filled)); left.Sign() > 0 {
		return left
	}
	return zero()
}

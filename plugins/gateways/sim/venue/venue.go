package venue

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/account"
	"tradehub/plugins/gateways/sim/listing"
	"tradehub/plugins/gateways/sim/market"
	"tradehub/plugins/gateways/sim/record"
)

// Bounds.
const (
	// WorkingMax is how many orders may work at once; more are refused.
	WorkingMax = 500_000
	// doneMax is how many orders that are over are remembered; older ones are in the book of record.
	doneMax = 20_000
	// tapeMax is how many minutes of trading are kept of each contract.
	tapeMax = 2 * 24 * 60
	// stepsMax is how often strangers may act in one Advance, for one contract; when the clock jumped, the rest is left out.
	stepsMax = 50
)

// Settings of a Venue.
type Settings struct {
	Gateway  hub.GatewayName
	List     *listing.List
	Calendar Calendar
	Seed     uint64
	// Background: strangers trade too. Without them every contract stands still at its base until traders move it.
	Background bool
	// Every is the time between two ticks of one contract.
	Every time.Duration
	// Capital is the account's money at its first start, by currency.
	Capital map[string]hub.Decimal
}

// Out is what the venue did since it was last emptied. The Lines must be written before anybody is told of the rest.
type Out struct {
	Lines   []record.Line
	Reports []hub.VenueReport
	Ticks   []hub.Tick
	// Repeats are orders whose ids were there before, and which are over and forgotten: how they stand is in the book of record.
	Repeats []hub.OrderID
}

// Reset empties it, keeping its memory.
func (o *Out) Reset() {
	o.Lines, o.Reports, o.Ticks, o.Repeats = o.Lines[:0], o.Reports[:0], o.Ticks[:0], o.Repeats[:0]
}

// Venue is the exchange. Its methods are not safe for use by several goroutines.
type Venue struct {
	// Out collects what happens.
	Out Out

	set       Settings
	account   *account.Account
	contracts []*contract
	byName    map[hub.Instrument]*contract
	history   *History

	orders  map[hub.OrderID]*order // working, and doneMax that are over
	working map[market.ID]*order   // by number
	done    []hub.OrderID          // the oldest first
	seen    [2]map[uint64]struct{} // ids of orders of today and of the day before, hashed
	events  []market.Event

	birth   hub.Time
	number  uint64 // of the last order taken
	trades  uint64
	day     hub.Day
	dayEnds hub.Time
	now     hub.Time
}

// New returns a venue that has never been open. Restore and Apply bring it to where it was; Open must come next.
func New(set Settings) *Venue {
	v := &Venue{
		set: set, account: account.New(), byName: map[hub.Instrument]*contract{},
		orders: map[hub.OrderID]*order{}, working: map[market.ID]*order{},
		seen: [2]map[uint64]struct{}{{}, {}},
		history: &History{
			calendar: set.Calendar, zone: set.List.Zone, gateway: set.Gateway, pricers: map[hub.Instrument]*pricer{},
		},
	}
	for _, l := range set.List.Contracts {
		c := newContract(l, set)
		v.contracts = append(v.contracts, c)
		v.byName[l.Instrument] = c
		v.history.pricers[l.Instrument] = c.pricer
	}
	return v
}

// Contracts returns the list that the hub is told.
func (v *Venue) Contracts() []hub.Contract {
	contracts := make([]hub.Contract, len(v.contracts))
	for i, c := range v.contracts {
		contracts[i] = c.l.Contract
		contracts[i].Gateway = v.set.Gateway
	}
	return contracts
}

// History answers for the past, from any goroutine.
func (v *Venue) History() *History { return v.history }

// Tape returns the minutes of a contract in which trades were made since this process began, oldest first.
func (v *Venue) Tape(i hub.Instrument) []Print {
	if c := v.byName[i]; c != nil {
		return slices.Clone(c.tape)
	}
	return nil
}

// Now is the time of the last call.
func (v *Venue) Now() hub.Time { return v.now }

// Day is the trading day.
func (v *Venue) Day() hub.Day { return v.day }

// Trades counts the fills: with it, what the account holds changes.
func (v *Venue) Trades() uint64 { return v.trades }

// Statement is what the account holds, as the venue states it. It is exact when everything in Out has been told.
func (v *Venue) Statement() hub.VenueStatement {
	s := hub.VenueStatement{Gateway: v.set.Gateway, Day: v.day, Exact: true}
	var sum hub.Sum
	paid := map[string]hub.Decimal{} // what is held of what is paid in full, at cost
	for _, held := range v.account.Positions() {
		c := held.Contract
		of := func(d hub.Direction, h account.Holding) {
			if h.Qty() == 0 {
				return
			}
			price := sum.Quo(h.Cost, sum.Mul(c.Qty(h.Qty()), c.Size)).Round(8).Trim(0)
			s.Positions = append(s.Positions, hub.VenuePosition{Instrument: c.Instrument, Direction: d, Today: c.Qty(h.Today), Yesterday: c.Qty(h.Yesterday), Price: price})
		}
		if c.NetPosition {
			of(hub.Net, held.Long)
		} else {
			of(hub.Long, held.Long)
			of(hub.Short, held.Short)
		}
		if c.PaidInFull() {
			paid[c.Currency] = sum.Add(paid[c.Currency], sum.Sub(held.Long.Cost, held.Short.Cost))
		}
	}
	balances := v.account.Balances()
	for _, currency := range slices.Sorted(maps.Keys(balances)) {
		m := balances[currency]
		free, err := m.Available()
		if err != nil {
			continue // out of range: nothing that could be stated
		}
		s.Money = append(s.Money, hub.VenueMoney{
			Currency: currency, Balance: sum.Add(sum.Add(m.Cash, m.Unrealised), paid[currency]).Trim(0), Margin: m.Margin.Trim(0), Available: free.Trim(0),
		})
	}
	return s
}

// Positions returns what the account holds.
func (v *Venue) Positions() []account.Held { return v.account.Positions() }

// Balances returns the account's money.
func (v *Venue) Balances() map[string]account.Money { return v.account.Balances() }

// Open begins trading, at a time that is not before the last one: books are made, with the orders that were working in them, in their old order.
func (v *Venue) Open(now hub.Time) {
	now = max(now, v.now)
	if v.birth == 0 {
		v.emit(record.Line{Kind: record.Opened, At: now, Version: record.Version, Day: v.set.Calendar.Day(now)})
		for _, currency := range slices.Sorted(maps.Keys(v.set.Capital)) {
			v.emit(record.Line{Kind: record.Deposited, At: now, Currency: currency, Qty: v.set.Capital[currency]})
		}
		v.endDeed()
	}
	v.now = now
	v.dayEnds = v.set.Calendar.Ends(now)
	for _, c := range v.contracts {
		c.open(v.set.Calendar, v.history, now)
	}
	// The day is rolled before the books are filled: orders that did not live to see it must not trade in it.
	if day := v.set.Calendar.Day(now); day != v.day {
		v.roll(day)
	}
	for _, o := range v.workingOrders() {
		o.told = true // long ago, or when it is asked for
		v.handle(o.c, o.c.book.Submit(o.order(), v.events[:0]))
	}
	for _, c := range v.contracts {
		if v.set.Background {
			v.handle(c, c.flow.Step(c.book, c.pricer.at(now), c.band, v.events[:0]))
		}
		v.account.Mark(c.l, c.l.Price(c.book.Last()))
	}
	v.endDeed()
}

// workingOrders returns what works, in the order of the queues.
func (v *Venue) workingOrders() []*order {
	return slices.SortedFunc(maps.Values(v.working), func(a, b *order) int { return cmp.Compare(a.rank, b.rank) })
}

// turn moves the clock, which never runs backwards, and rolls the day when it is over.
func (v *Venue) turn(now hub.Time) {
	v.now = max(v.now, now)
	if v.now >= v.dayEnds {
		v.dayEnds = v.set.Calendar.Ends(v.now)
		v.roll(v.set.Calendar.Day(v.now))
		v.endDeed()
	}
}

// roll ends the trading day as exchanges do: orders for the day are cancelled, today's positions become yesterday's, prices get new limits.
func (v *Venue) roll(day hub.Day) {
	for _, o := range v.workingOrders() {
		if !o.c.l.AroundTheClock {
			v.withdraw(o, "end of trading day "+string(v.day))
		}
	}
	v.emit(record.Line{Kind: record.DayBegan, At: v.now, Day: day})
	for _, c := range v.contracts {
		c.begin(v.set.Calendar.Begins(v.now))
	}
	for _, o := range v.workingOrders() {
		if !o.c.band.Holds(o.price) && o.kind != hub.Market {
			v.withdraw(o, "outside of the price limits of trading day "+string(day))
		}
	}
}

// withdraw cancels a working order on the venue's own account. At Open it is not in a book yet.
func (v *Venue) withdraw(o *order, reason string) {
	o.c.book.Cancel(market.ID(o.number), nil)
	v.cancelled(o, reason)
}

// Next is when the next contract is due.
func (v *Venue) Next() hub.Time {
	next := v.dayEnds
	for _, c := range v.contracts {
		next = min(next, c.next)
	}
	return next
}

// Advance moves the clock to now: strangers act, and those who subscribed get ticks.
func (v *Venue) Advance(now hub.Time) {
	v.turn(now)
	for _, c := range v.contracts {
		stepped := false
		for n := 0; c.next <= v.now; n++ {
			at := c.next
			c.next = c.next.Add(v.set.Every)
			if n == stepsMax {
				behind := v.now.Sub(c.next) / v.set.Every
				c.next = c.next.Add((behind + 1) * v.set.Every)
				continue
			}
			stepped = true
			if v.set.Background {
				v.handle(c, c.flow.Step(c.book, c.pricer.at(at), c.band, v.events[:0]))
			}
			v.account.Mark(c.l, c.l.Price(c.book.Last()))
			if c.subscribed {
				v.Out.Ticks = append(v.Out.Ticks, c.tick(v.set.Gateway, v.now))
			}
		}
		if stepped {
			v.endDeed()
		}
	}
}

// Subscribe asks for ticks of contracts, the first of each at once, and returns those that are not in the list.
func (v *Venue) Subscribe(now hub.Time, instruments []hub.Instrument) (unknown []hub.Instrument) {
	v.turn(now)
	for _, i := range instruments {
		c := v.byName[i]
		if c == nil {
			unknown = append(unknown, i)
			continue
		}
		c.subscribed = true
		v.Out.Ticks = append(v.Out.Ticks, c.tick(v.set.Gateway, v.now))
	}
	return unknown
}

// Submit takes an order, or refuses it. An order whose id was there before is not executed again: it is told how it stands.
func (v *Venue) Submit(now hub.Time, o hub.Order) {
	v.turn(now)
	if v.known(o.ID) {
		v.repeat(o)
		return
	}
	l := record.Line{
		Kind: record.Received, At: v.now, ID: o.ID, Trader: o.Trader, Symbol: o.Symbol, Exchange: o.Exchange,
		Direction: o.Direction, Offset: o.Offset, Type: o.Type, Price: o.Price, Qty: o.Qty,
	}
	if reason := v.check(o); reason != "" {
		v.emit(l)
		v.emit(record.Line{Kind: record.Rejected, At: v.now, ID: o.ID, Reason: reason})
		v.endDeed()
		v.report(hub.VenueReport{OrderID: o.ID, Kind: hub.ReportRejected, Reason: reason})
		return
	}
	l.Number = v.number + 1
	if c := v.byName[o.Instrument]; o.Type == hub.Market || o.Type == hub.Stop {
		l.Worst = c.worst(o)
	}
	v.emit(l)
	taken := v.orders[o.ID]
	v.handle(taken.c, taken.c.book.Submit(taken.order(), v.events[:0]))
	v.endDeed()
}

func (v *Venue) known(id hub.OrderID) bool {
	h := hashID(string(id))
	_, today := v.seen[0][h]
	_, before := v.seen[1][h]
	return today || before
}

// Remember says that an order of this id was there, on this trading day or on the one before.
func (v *Venue) Remember(id string, today bool) {
	day := 1
	if today {
		day = 0
	}
	v.seen[day][hashID(id)] = struct{}{}
}

// hashID is FNV-1a. Ids come from one hub that counts them, so nobody chooses them to collide.
func hashID(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

func (v *Venue) repeat(o hub.Order) {
	v.emit(record.Line{Kind: record.Duplicate, At: v.now, ID: o.ID})
	v.endDeed()
	known := v.orders[o.ID]
	if known == nil {
		v.Out.Repeats = append(v.Out.Repeats, o.ID)
		return
	}
	v.Restate(known.stands())
}

// Restate reports again how an order stands.
func (v *Venue) Restate(o hub.VenueOrder) {
	report := func(r hub.VenueReport) {
		r.OrderID, r.VenueID = o.OrderID, o.VenueID
		v.report(r)
	}
	if o.Status == hub.Rejected {
		report(hub.VenueReport{Kind: hub.ReportRejected, Reason: o.Reason})
		return
	}
	kind := hub.ReportAccepted
	if o.Status == hub.Resting {
		kind = hub.ReportResting
	}
	report(hub.VenueReport{Kind: kind})
	for _, f := range o.Fills {
		report(hub.VenueReport{Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty, VenueTime: f.Time})
	}
	if o.Status == hub.Cancelled {
		var sum hub.Sum
		filled := hub.Decimal{}
		for _, f := range o.Fills {
			filled = sum.Add(filled, f.Qty)
		}
		report(hub.VenueReport{Kind: hub.ReportCancelled, Reason: o.Reason, Qty: filled})
	}
}

// Cancel takes an order out of the market.
func (v *Venue) Cancel(now hub.Time, o hub.Order) {
	v.turn(now)
	known := v.orders[o.ID]
	switch {
	case known == nil && v.known(o.ID):
		v.refuseCancel(o.ID, "the order is not working any more")
	case known == nil:
		v.refuseCancel(o.ID, "no such order at this market")
	case !known.working:
		v.refuseCancel(o.ID, "the order is "+statusWord(known.status())+" already")
	default:
		v.withdraw(known, "")
		v.endDeed()
	}
}

func (v *Venue) refuseCancel(id hub.OrderID, reason string) {
	v.report(hub.VenueReport{OrderID: id, Kind: hub.ReportCancelRejected, Reason: reason})
}

func statusWord(s hub.Status) string {
	switch s {
	case hub.Filled:
		return "filled"
	case hub.Cancelled:
		return "cancelled"
	case hub.Rejected:
		return "rejected"
	case hub.NoStatus, hub.Submitted, hub.Accepted, hub.Resting, hub.PartFilled:
	}
	return s.String()
}

// Ask returns how orders stand. Those in forgotten may be in the book of record, and are not in memory; the rest has never been here.
func (v *Venue) Ask(ids []hub.OrderID) (known []hub.VenueOrder, forgotten []hub.OrderID) {
	for _, id := range ids {
		if o := v.orders[id]; o != nil {
			known = append(known, o.stands())
		} else {
			forgotten = append(forgotten, id)
		}
	}
	return known, forgotten
}

// Seen reports whether an order of this id was there today or on the day before.
func (v *Venue) Seen(id hub.OrderID) bool { return v.known(id) }

// handle makes lines and reports of what happened in a book, as far as it happened to traders.
func (v *Venue) handle(c *contract, events []market.Event) {
	traded := false
	for _, e := range events {
		trade := v.tradeID(v.trades + 1) // of both its sides, as exchanges name it
		if e.Kind == market.Filled {
			traded = true
			c.print(v.now, e.Price, e.Qty)
			if !e.Maker.OfFlow() {
				v.filled(v.working[e.Maker], e, trade)
			}
		}
		if !e.ID.OfFlow() {
			v.happened(v.working[e.ID], e, trade)
		}
	}
	if traded {
		v.account.Mark(c.l, c.l.Price(c.book.Last()))
	}
	v.events = events[:0]
}

func (v *Venue) happened(o *order, e market.Event, trade string) {
	switch e.Kind {
	case market.Rested:
		if !o.told {
			v.tell(o, hub.VenueReport{Kind: hub.ReportResting})
		}
	case market.Waiting:
		v.accepted(o)
	case market.Triggered:
		v.accepted(o)
		v.emit(record.Line{Kind: record.Triggered, At: v.now, ID: o.id})
	case market.Filled:
		v.filled(o, e, trade)
	case market.Cancelled:
		v.accepted(o)
		v.cancelled(o, o.unfilledReason())
	}
}

func (v *Venue) accepted(o *order) {
	if !o.told {
		v.tell(o, hub.VenueReport{Kind: hub.ReportAccepted})
	}
}

func (v *Venue) filled(o *order, e market.Event, trade string) {
	v.accepted(o)
	l := record.Line{
		Kind: record.Filled, At: v.now, ID: o.id, Trade: trade, Price: o.c.l.Price(e.Price), Qty: o.c.l.Qty(e.Qty),
	}
	l.Fee = v.account.Commission(&o.hold, l.Price, e.Qty)
	v.emit(l)
	v.tell(o, hub.VenueReport{Kind: hub.ReportFill, TradeID: l.Trade, Price: l.Price, Qty: l.Qty, VenueTime: v.now})
}

func (v *Venue) cancelled(o *order, reason string) {
	filled := o.qty - o.left
	v.emit(record.Line{Kind: record.Cancelled, At: v.now, ID: o.id, Qty: o.c.l.Qty(o.left), Reason: reason})
	v.tell(o, hub.VenueReport{Kind: hub.ReportCancelled, Reason: reason, Qty: o.c.l.Qty(filled)})
}

func (v *Venue) tell(o *order, r hub.VenueReport) {
	o.told = true
	r.OrderID, r.VenueID = o.id, o.venueID()
	v.report(r)
}

func (v *Venue) report(r hub.VenueReport) {
	r.Gateway = v.set.Gateway
	if r.VenueTime == 0 {
		r.VenueTime = v.now
	}
	v.Out.Reports = append(v.Out.Reports, r)
}

// tradeID returns an id that no other trade has, of this market or of one that began in another second.
func (v *Venue) tradeID(n uint64) string {
	return strconv.FormatInt(int64(v.birth)/int64(time.Second), 36) + "-" + strconv.FormatUint(n, 10)
}

// emit applies a line and collects it.
func (v *Venue) emit(l record.Line) {
	l.More = true // until the deed ends
	if err := v.apply(&l); err != nil {
		panic(fmt.Sprintf("venue: %v", err))
	}
	v.Out.Lines = append(v.Out.Lines, l)
}

// endDeed says that what was collected since the last one happened together: all of it, or none, is there at the next start.
func (v *Venue) endDeed() {
	if n := len(v.Out.Lines); n > 0 {
		v.Out.Lines[n-1].More = false
	}
}

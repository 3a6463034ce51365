package hubtest

import (
	"errors"
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/hub/codec"
)

// pick chooses one of n by a drawn number.
func pick(n int, drawn uint32) int { return int(drawn % uint32(n)) }

// move lets one move happen. A move for which there is nothing to do does nothing.
func (w *World) move(m Move) error {
	switch m.What {
	case Submit:
		w.submit(m)
	case Judge:
		if len(w.asked) > 0 {
			w.judge(pick(len(w.asked), m.A), m.B+3)
		}
	case Commit:
		for n := m.A%4 + 1; n > 0 && len(w.inFlight) > 0; n-- {
			w.commit()
		}
	case Dispatch:
		for n := m.A%6 + 1; n > 0 && len(w.todo) > 0; n-- {
			if err := w.dispatch(); err != nil {
				return err
			}
		}
	case Cancel:
		w.cancel(m)
	case VenueTakes:
		for n := m.A%3 + 1; n > 0 && len(w.toVenue) > 0; n-- {
			if err := w.venueTakes(m.B%16 == 0); err != nil {
				return err
			}
		}
	case VenueTrades:
		w.venueTrades(m)
	case Deliver:
		if len(w.fromVenue) > 0 {
			w.deliver(pick(len(w.fromVenue), m.A))
		}
	case Repeat:
		if len(w.old) > 0 {
			if in := w.old[pick(len(w.old), m.A)]; !isAnswer(in) { // an answer is to one question
				w.propose(in, nil)
			}
		}
	case Lose:
		if len(w.fromVenue) > 0 {
			if i := pick(len(w.fromVenue), m.A); !isAnswer(w.fromVenue[i]) {
				w.fromVenue = append(w.fromVenue[:i:i], w.fromVenue[i+1:]...)
			}
		}
	case Wait:
		if w.gone {
			w.gatewayUp()
		}
		w.now += hub.Time(int64(m.A%12_000)-500) * 1_000_000
		w.flattenStep(m.C)
		if m.B%4 == 0 {
			w.propose(hub.ExpireWaits{Since: w.now - 10e9}, nil)
			w.doubts()
		}
		if m.B%2 == 0 { // to the very edge of a window, where what is inside changes
			w.now += hub.Time(windows[m.B>>8%3]) - hub.Time(int64(m.A%12_000)-500)*1_000_000
		}
	case Mark:
		w.propose(hub.Marks{Marks: []hub.Mark{{Instrument: contracts[pick(len(contracts), m.B)].Instrument, Price: hub.Int(3400 + int64(m.A%200))}}}, nil)
	case GatewayDies:
		w.gatewayProcessDies(m.A)
		w.propose(hub.GatewayState{Gateway: "SIM", Reason: "its process died"}, nil)
		if w.gone = m.B%2 == 0; !w.gone {
			w.gatewayUp()
		}
	case Crash:
		return w.crash(m.A, m.B)
	case Snapshot:
		return w.takeSnapshot()
	case Reload:
		if m.B%3 != 0 {
			w.revision = m.A
		}
		w.load(m.A, m.B%3 == 0)
	case Halt:
		in := hub.SetState{Scope: hub.ScopeTrader, Name: string(traders[pick(len(traders), m.A)]), By: "operator"}
		switch m.A >> 8 % 8 {
		case 0:
			in.Scope, in.Name = hub.ScopeFund, ""
		case 1:
			in.Scope, in.Name = hub.ScopeGateway, "SIM"
		}
		if m.B%3 == 0 {
			in.State = hub.State(1 + m.B>>8%3)
		}
		w.propose(in, nil)
	case CancelAll:
		if slices.ContainsFunc(w.inFlight, func(p proposal) bool { _, is := p.input.(hub.SetUp); return is }) {
			return nil // nobody can ask for it before the hub has begun
		}
		in := hub.CancelAll{By: "operator"}
		if m.A%2 == 0 {
			in.Part.Trader = traders[pick(len(traders), m.B)]
		}
		w.inFlight = slices.Insert(w.inFlight, 0, proposal{in, nil})
	case Roll:
		calendar := calendars[pick(len(calendars), m.A)]
		if w.days[calendar]%2 == 1 { // what happened a day ago is known by now
			w.settleAll()
			w.propose(hub.GatewayState{Gateway: "SIM", Reason: "the day ends"}, nil)
			w.gatewayUp()
			w.settleAll()
		}
		w.days[calendar]++
		w.began[calendar] = w.now
		if m.B%4 == 0 { // the hub was a little late
			w.began[calendar] -= 2_000_000_000
		}
		w.propose(w.dayBegins(calendar), nil)
	case Transfer:
		w.transfer(m)
	case Flatten:
		w.flatten(m)
	case ByHand:
		w.byHand(m)
	case State:
		w.states(m.A)
	case Rates:
		w.rates(m)
	case Amends:
		return w.amends(m)
	case Plead:
		return w.pleads(m)
	case Approve:
		w.approves(m)
	case Withdraw:
		w.withdraws(m)
	case Use:
		w.uses(m)
	case kinds:
	}
	return nil
}

// transfer moves something from one trader to another, or nothing: to give more than one has is refused.
func (w *World) transfer(m Move) {
	from, to := traders[pick(len(traders), m.A)], traders[pick(len(traders), m.A>>8)]
	if m.B%4 == 0 {
		w.propose(hub.TransferCapital{From: from, To: to, Amount: hub.Int(int64(1 + m.C%100_000)), By: "operator"}, nil)
		return
	}
	c := contracts[pick(len(contracts), m.B)]
	in := hub.TransferPosition{Instrument: c.Instrument, Direction: hub.Direction(1 + m.C%2), From: from, To: to, By: "operator"}
	for _, p := range w.core.Positions(from, c.Instrument) { // what there is, if there is anything
		if p.Qty.IsPos() {
			in.Direction, in.Qty = p.Direction, p.Qty.Min(c.MinQty)
			if m.C>>8%2 == 0 {
				in.Qty = p.Qty
			}
		}
	}
	if in.Direction == hub.Net {
		in.Direction = hub.Long
	}
	if in.Qty.IsZero() {
		in.Qty = c.MinQty
	}
	if m.C>>12%3 == 0 {
		in.Price = hub.Int(3450 + int64(m.C>>16%100))
	}
	w.propose(in, nil)
}

func (w *World) submit(m Move) {
	c := contracts[[]int{0, 0, 0, 1, 2, 3, 4, 5}[m.A>>16%8]]
	var sum hub.Sum
	q := &question{
		trader: traders[pick(len(traders), m.A)], day: w.core.CalendarDay(calendarOf(c.Exchange)), asked: w.now,
		request: hub.OrderRequest{
			Instrument: c.Instrument, Direction: hub.Direction(1 + m.B%2), Type: hub.Limit, Price: hub.Int(3450 + int64(m.C%100)), Qty: sum.Mul(hub.Int(1+int64(m.B>>8%6)), c.MinQty),
			Offset: []hub.Offset{hub.Open, hub.Open, hub.Close, hub.CloseToday}[m.C>>8%4],
		},
	}
	w.sensible(q, m)
	switch m.C >> 16 % 8 {
	case 0:
		q.request.Type, q.request.Price = hub.Market, hub.Decimal{}
	case 1:
		q.request.Type = hub.FAK
	}
	w.questions = append(w.questions, q)
	if m.A>>8%2 == 0 { // it goes to disk while the risk manager thinks
		w.asks++
		q.ask = w.asks
		w.propose(hub.TakeOrder{Trader: q.trader, Request: q.request, Ask: q.ask, Asked: q.asked}, q)
	}
	w.asked = append(w.asked, q)
}

// sensible lets most orders close only what their trader has.
func (w *World) sensible(q *question, m Move) {
	if m.A>>20%8 == 0 {
		return
	}
	q.request.Offset = hub.Open
	var sum hub.Sum
	for _, p := range w.core.Positions(q.trader, q.request.Instrument) {
		free := sum.Sub(p.Qty, p.Frozen)
		if !free.IsPos() || m.A>>24%4 == 0 {
			continue
		}
		q.request.Direction = hub.Long
		if p.Direction != hub.Short {
			q.request.Direction = hub.Short
		}
		q.request.Offset = hub.Close
		if p.Today.IsPos() {
			q.request.Offset = hub.CloseToday
		}
		q.request.Qty = q.request.Qty.Min(free)
	}
}

func (w *World) cancel(m Move) {
	orders := w.core.Orders("", true)
	if len(orders) == 0 {
		return
	}
	o := orders[pick(len(orders), m.A)]
	trader := o.Trader
	if m.B%8 == 0 {
		trader = traders[pick(len(traders), m.C)] // perhaps somebody else's
	}
	w.propose(hub.CancelOrder{Trader: trader, OrderID: o.ID}, nil)
}

func (w *World) venueTrades(m Move) {
	open := w.venue.open()
	if len(open) == 0 {
		return
	}
	a := open[pick(len(open), m.A)]
	switch m.B % 10 {
	case 0: // the venue cancels on its own account
		w.fromVenue = append(w.fromVenue, w.venue.cancel(a.ID, a.Gateway))
	default:
		w.fromVenue = append(w.fromVenue, w.venue.trade(a, m.C%2 == 0, w.now))
	}
}

func (w *World) takeSnapshot() error {
	b, err := codec.EncodeImage(w.core.Image())
	if err != nil {
		return err
	}
	w.snapshot, w.snapAt = b, int(w.core.Seq())
	return nil
}

// standing is what a trader has at the venue, with what the operator has moved since; and all that the trader was given, or let have.
func (w *World) standing(t hub.TraderName, c hub.Contract, onTheWay []hub.Order) (p, got standing) {
	p = w.venue.position(t, c, onTheWay, w.flying)
	var sum hub.Sum
	for _, line := range w.ledger.lines {
		if line.moved == nil || line.moved.Instrument != c.Instrument {
			continue
		}
		have, most, given := &p.long, &p.longMost, &got.long
		if line.moved.Direction == hub.Short {
			have, most, given = &p.short, &p.shortMost, &got.short
		}
		if line.moved.From == t {
			*have, *most = sum.Sub(*have, line.moved.Qty), sum.Sub(*most, line.moved.Qty)
		}
		if line.moved.To == t {
			*have, *most, *given = sum.Add(*have, line.moved.Qty), sum.Add(*most, line.moved.Qty), sum.Add(*given, line.moved.Qty)
		}
	}
	for _, o := range w.ledger.orders { // what two persons let past the limit, it let past
		if o.passedBy == nil || o.Trader != t || o.Instrument != c.Instrument || o.Offset.Closes() || !slices.Contains(o.lifted, "rule trader:position") {
			continue
		}
		if o.Direction == hub.Long {
			got.long = sum.Add(got.long, o.passedBy.order.Qty)
		} else {
			got.short = sum.Add(got.short, o.passedBy.order.Qty)
		}
	}
	return p, got
}

// check holds the hub to its promises.
func (w *World) check() error {
	if w.disagree != nil {
		return w.disagree
	}
	if w.wrong != nil {
		return w.wrong
	}
	if err := w.core.Check(); err != nil {
		return fmt.Errorf("books: %w", err)
	}
	var onTheWay []hub.Order
	for _, m := range w.toVenue {
		if m.send != nil {
			onTheWay = append(onTheWay, *m.send)
		}
	}
	var sum hub.Sum
	most := hub.Int(positionMax)
	for _, t := range traders {
		for _, c := range contracts {
			p, got := w.standing(t, c, onTheWay)
			if sum.Add(most, got.long).Less(p.longMost) || sum.Add(most, got.short).Less(p.shortMost) { // what a trader was given, no rule has let through
				return fmt.Errorf("limit overshot: %s may have %s long and %s short of %s at the venue; the limit is %d", t, p.longMost, p.shortMost, c.Instrument, positionMax)
			}
			if p.long.IsNeg() || p.short.IsNeg() {
				return fmt.Errorf("closed what is not there: %s has %s long and %s short of %s at the venue", t, p.long, p.short, c.Instrument)
			}
		}
	}
	for _, q := range w.questions {
		if q.answers > 0 {
			if o, ok := w.core.Order(q.trader, q.id); ok && w.changed[q.id] == 0 && !o.Qty.Equal(q.request.Qty) || !ok && q.day == w.core.CalendarDay(calendarOf(q.request.Exchange)) {
				return fmt.Errorf("an id that a client was given is not known: %s of %s", q.id, q.trader)
			}
		}
	}
	return nil
}

// end lets everybody speak, brings the gateway down and up once more, so that what was lost is told, and compares.
func (w *World) end() error {
	w.settleAll()
	w.gatewayProcessDies(0)
	w.propose(hub.GatewayState{Gateway: "SIM", Reason: "the end"}, nil)
	w.gatewayUp()
	w.settleAll()
	if err := w.closeAll(); err != nil {
		return err
	}
	w.states(0)
	w.settleAll()
	if err := w.agrees(); err != nil {
		return err
	}
	for _, q := range w.questions {
		if q.life == 0 && (q.answers != 1 || q.decided != 1) {
			return fmt.Errorf("not answered once: an order of %s has %d answers", q.trader, q.answers)
		}
	}
	if err := w.check(); err != nil {
		return fmt.Errorf("%w (at the end)", err)
	}
	if err := w.audit(); err != nil {
		return fmt.Errorf("%w (at the end)", err)
	}
	if err := w.compare(); err != nil {
		return err
	}
	w.snapshot = nil
	again, err := w.replay()
	if err != nil {
		return err
	}
	return same(w.core, again)
}

// compare holds the hub's orders, fills and positions against the venue's.
func (w *World) compare() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("books and venue differ: "+format, args...))
	}
	for _, a := range w.venue.list {
		o, ok := w.core.Order(a.Trader, a.ID)
		if !ok {
			continue // forgotten when a day began after its end; its fills are in the positions
		}
		var sum hub.Sum
		filled := hub.Decimal{}
		for _, f := range a.fills {
			filled = sum.Add(filled, f.Qty)
		}
		if !o.Filled.Equal(filled) {
			bad("order %s: the venue filled %s, the hub booked %s", a.ID, filled, o.Filled)
		}
		if a.done == hub.NoStatus && (!o.Qty.Equal(a.Qty) || a.Type == hub.Limit && !o.Price.Equal(a.Price) || o.Amending()) {
			bad("order %s: it is for %s at %s at the venue, and for %s at %s (%+v) in the hub", a.ID, a.Qty, a.Price, o.Qty, o.Price, o.Amendment)
		}
		if a.done == hub.NoStatus && o.Status.Final() || a.done != hub.NoStatus && o.Status != a.done || o.InDoubt {
			bad("order %s: the venue has it as %s, the hub as %s, in doubt %v", a.ID, a.done, o.Status, o.InDoubt)
		}
	}
	for _, o := range w.core.Orders("", true) {
		if w.venue.orders[o.ID] == nil {
			bad("order %s is active and the venue does not know it", o.ID)
		}
	}
	for _, t := range traders {
		for _, c := range contracts {
			at, _ := w.standing(t, c, nil)
			for _, p := range w.core.Positions(t, c.Instrument) {
				want := at.long
				if p.Direction == hub.Short {
					want = at.short
				}
				if !p.Qty.Equal(want) {
					bad("%s has %s %s of %s, at the venue %s", t, p.Direction, p.Qty, c.Instrument, want)
				}
			}
		}
	}
	return errors.Join(errs...)
}

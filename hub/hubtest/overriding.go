package hubtest

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Overrides in this world: who asks for them and who approves, orders that use them and orders that only look alike, and what the ledger makes of it: from the record of entries alone it
// knows which override is open, which order it is for, which refusals it lifts, and that it is used once.

// people of this world. Of the first three each is one person; the next two are one of them by another name or from another account, and the last is nobody.
var people = []hub.Person{
	{Name: "anna", UID: 1001}, {Name: "bob", User: "robert", UID: 1002}, {Name: "carol", UID: 1003}, {Name: "ann", UID: 1001}, {Name: "bob", UID: 1004}, {},
}

// person is mostly somebody who may.
func person(drawn uint32) hub.Person {
	if drawn%8 == 0 {
		return people[pick(len(people), drawn>>3)]
	}
	return people[pick(3, drawn>>3)]
}

// pleads has a person ask for an override of an order that rules have refused, or of one that the position's limit is going to refuse; and mostly another person approve it, and the
// trader ask for the order, before anything else can happen.
func (w *World) pleads(m Move) error {
	in := hub.AskOverride{By: person(m.A), Reason: "it is drawn", For: 10 * time.Minute}
	request := hub.OrderRequest{Type: hub.Limit}
	refused := slices.DeleteFunc(slices.Clone(w.refused), func(d core.Decided) bool { return d.Revision != w.core.Revision() })
	if len(refused) > 0 && m.B%4 != 0 {
		d := refused[len(refused)-1-pick(min(3, len(refused)), m.B>>2)]
		request = d.Order.OrderRequest
		in.Order.Trader = d.Order.Trader
		for _, r := range d.Refusals {
			in.Rules = append(in.Rules, strings.TrimPrefix(said(r), "rule "))
		}
	} else {
		c := contracts[pick(len(contracts), m.B>>4)]
		request.Instrument, request.Direction, request.Offset, request.Price = c.Instrument, hub.Long, hub.Open, hub.Int(3450+int64(m.B>>8%100))
		request.Qty = hub.Int(positionMax + 1 + int64(m.B>>16%4))
		if c.NetPosition {
			request.Offset = hub.NoOffset
		}
		in.Order.Trader, in.Rules = traders[pick(len(traders), m.B>>20)], []string{"trader:position"}
	}
	in.Order.Instrument, in.Order.Direction, in.Order.Offset, in.Order.Qty = request.Instrument, request.Direction, request.Offset, request.Qty
	if m.C%2 == 0 {
		in.Order.Price = request.Price
	}
	w.spoil(&in, m.C>>4)
	w.propose(in, nil)
	if m.A>>16%4 == 0 {
		return nil // the others come later, if they come
	}
	for len(w.inFlight) > 0 {
		w.commit()
	}
	all := w.core.Overrides()
	if len(all) == 0 || !all[len(all)-1].State.Open() {
		return nil
	}
	w.propose(hub.ApproveOverride{Number: all[len(all)-1].Number, By: person(m.A >> 8)}, nil)
	if m.A>>18%4 != 0 {
		w.asksFor(in.Order.Trader, request)
	}
	for m.A>>20%4 == 0 && len(w.inFlight) > 0 {
		w.commit()
	}
	return nil
}

// spoil makes some questions for an override another one, or one that must not be.
func (w *World) spoil(in *hub.AskOverride, how uint32) {
	c := contracts[slices.IndexFunc(contracts, func(c hub.Contract) bool { return c.Instrument == in.Order.Instrument })]
	switch how % 24 {
	case 0:
		in.Order.Offset = hub.NoOffset
	case 1:
		in.Order.Offset = hub.Open // where there are none, or another one
	case 2:
		in.Order.Qty = in.Order.Qty.Min(c.MinQty)
	case 3:
		in.Order.Qty = hub.MustDecimal("0.1")
	case 4:
		in.Order.Price = hub.Int(3400 + int64(how>>8%200))
	case 5:
		in.Order.Gateway = "SIM"
	case 6:
		in.Order.Gateway = "CTP"
	case 7:
		in.Order.Trader = "delta"
	case 8:
		in.Rules = in.Rules[1:]
	case 9:
		in.Rules = append(in.Rules, "fund:quantity")
	case 10:
		in.Rules = append(in.Rules, in.Rules[0])
	case 11:
		_, in.Rules[0], _ = strings.Cut(in.Rules[0], ":") // of two rules, perhaps
	case 12:
		in.Rules = append(in.Rules, "drawn-0", "trader:drawn-0")
	case 13:
		in.Rules[0] = "somebody:" + in.Rules[0]
	case 14:
		in.For = []time.Duration{0, -time.Second, hub.OverrideMax + 1}[how>>8%3]
	case 15:
		in.For = hub.OverrideMax
	case 16, 17, 18:
		in.For = []time.Duration{1, time.Second, 5 * time.Second}[how>>8%3]
	case 19:
		in.Reason = []string{"", strings.Repeat("x", 1000), strings.Repeat("x", 1001)}[how>>8%3]
	case 20:
		in.Order.Direction = hub.Direction(how >> 8 % 4)
	}
}

// approves has somebody approve an override: mostly the one that was asked for last, and mostly somebody who may.
func (w *World) approves(m Move) {
	in := hub.ApproveOverride{By: person(m.A)}
	if all := w.core.Overrides(); len(all) > 0 {
		in.Number = all[len(all)-1].Number - uint64(m.B%3/2)
		if m.B>>8%4 == 0 {
			in.Number = all[pick(len(all), m.C)].Number
		}
	}
	w.propose(in, nil)
}

// withdraws has somebody end an override, or time end it: in the moment before it is over, or in that moment.
func (w *World) withdraws(m Move) {
	all := slices.DeleteFunc(w.core.Overrides(), func(v hub.Override) bool { return m.B%8 != 0 && !v.State.Open() })
	if len(all) == 0 {
		return
	}
	v := all[pick(len(all), m.A)]
	if m.B>>8%2 == 0 && v.Expires > w.now {
		w.now = v.Expires - hub.Time(m.B>>9%2)
		w.propose(hub.Clock{}, nil)
		return
	}
	w.propose(hub.WithdrawOverride{Number: v.Number, By: person(m.C), Reason: strings.Repeat("y", int(m.C>>8%4*334))}, nil)
}

// uses has a trader ask for an order that an override is for, or for one that is a little different.
func (w *World) uses(m Move) {
	all := slices.DeleteFunc(w.core.Overrides(), func(v hub.Override) bool { return m.B%8 != 0 && v.State != hub.OverrideApproved })
	if len(all) == 0 {
		return
	}
	v := all[pick(len(all), m.A)]
	r := hub.OrderRequest{Instrument: v.Order.Instrument, Direction: v.Order.Direction, Offset: v.Order.Offset, Type: hub.Limit, Price: v.Order.Price, Qty: v.Order.Qty}
	if r.Offset == hub.NoOffset {
		r.Offset = hub.Open
	}
	if r.Price.IsZero() {
		r.Price = hub.Int(3450 + int64(m.C%100))
	}
	c := contracts[slices.IndexFunc(contracts, func(c hub.Contract) bool { return c.Instrument == r.Instrument })]
	trader := v.Order.Trader
	var sum hub.Sum
	switch m.B >> 8 % 20 {
	case 0:
		r.Qty = sum.Add(r.Qty, c.MinQty)
	case 1:
		if less := sum.Sub(r.Qty, c.MinQty); less.IsPos() {
			r.Qty = less
		}
	case 2:
		r.Price = sum.Add(r.Price, c.Tick)
	case 3:
		r.Price = sum.Sub(r.Price, c.Tick)
	case 4:
		r.Type, r.Price = hub.Market, hub.Decimal{}
	case 5:
		r.Type = hub.FAK
	case 6:
		trader = traders[pick(len(traders), m.C>>8)]
	case 7:
		r.Offset = hub.CloseToday
	case 8:
		r.Direction = hub.Long + hub.Short - r.Direction
	case 9:
		r.Instrument = contracts[pick(len(contracts), m.C>>8)].Instrument
	}
	w.asksFor(trader, r)
	if m.C>>16%4 == 0 { // twice
		w.asksFor(trader, r)
	}
}

// asksFor has a trader ask for an order, and risk managers answer at once.
func (w *World) asksFor(trader hub.TraderName, r hub.OrderRequest) {
	i := slices.IndexFunc(contracts, func(c hub.Contract) bool { return c.Instrument == r.Instrument })
	if i < 0 || !slices.Contains(traders, trader) {
		return
	}
	q := &question{trader: trader, request: r, day: w.core.CalendarDay(calendarOf(r.Exchange)), asked: w.now}
	w.questions = append(w.questions, q)
	w.asked = append(w.asked, q)
	w.judge(len(w.asked)-1, manyYes)
}

// remember keeps what rules alone have refused: somebody may ask for an override.
func (w *World) remember(d core.Decided) {
	if len(d.Refusals) == 0 || slices.ContainsFunc(d.Refusals, func(r hub.Refusal) bool { return r.Code != "rule" }) {
		return
	}
	w.refused = append(w.refused, d)
	if len(w.refused) > 20 {
		w.refused = w.refused[1:]
	}
}

// exception is an override as the ledger knows it.
type exception struct {
	number  uint64
	state   hub.OverrideState
	order   hub.OverrideOrder
	rules   []string
	expires hub.Time
	by      [2]hub.Person // who asked, who approved
	usedBy  hub.OrderID
}

// said is a refusal in one line, with whose the rule is: what the ledger's own refusals look like.
func said(r hub.Refusal) string {
	if r.Rule == "" || r.Code != "rule" && r.Code != "not-computable" {
		return r.Code + " " + r.Rule
	}
	if r.Fund {
		return r.Code + " fund:" + r.Rule
	}
	return r.Code + " trader:" + r.Rule
}

func allSaid(refusals []hub.Refusal) []string {
	var out []string
	for _, r := range refusals {
		out = append(out, said(r))
	}
	slices.Sort(out)
	return out
}

// named is a rule as a refusal and an override name it.
func (p sheet) named(r rule) string {
	if p.owner == "" {
		return "fund:" + r.name
	}
	return "trader:" + r.name
}

// rulesFor are the rules that decide about a trader's orders.
func (l *ledger) rulesFor(trader hub.TraderName) []string {
	var names []string
	for _, p := range l.policies {
		for _, r := range p.rules {
			if p.owner == "" || p.owner == trader {
				names = append(names, p.named(r))
			}
		}
	}
	return names
}

// named finds the rules that a person means; nil when one of the names is of none, of two, or said twice.
func (l *ledger) named(trader hub.TraderName, names []string) []string {
	var found []string
	all := l.rulesFor(trader)
	for _, name := range names {
		fits := slices.DeleteFunc(slices.Clone(all), func(r string) bool { return r != name && r != "fund:"+name && r != "trader:"+name })
		if len(fits) != 1 || slices.Contains(found, fits[0]) {
			return nil
		}
		found = append(found, fits[0])
	}
	return found
}

// turns writes down that an override became something. The hub must say so too.
func (l *ledger) turns(x *exception, state hub.OverrideState) {
	x.state = state
	l.turned = append(l.turned, x)
	l.seen["override "+state.String()]++
}

// pleaded takes a question for an override; the answer is no when anything about it is wrong.
func (l *ledger) pleaded(in hub.AskOverride) {
	l.answer = &exception{}
	c, known := l.contracts[in.Order.Instrument]
	rules := l.named(in.Order.Trader, in.Rules)
	open := 0
	for _, x := range l.exceptions {
		if x.state.Open() {
			open++
		}
	}
	switch {
	case in.By.Name == "", in.Reason == "", len(in.Reason) > 1000, in.For <= 0, in.For > 24*time.Hour, open >= 64, len(rules) == 0,
		!slices.ContainsFunc(l.setUp.Traders, func(t hub.TraderSetUp) bool { return t.Name == in.Order.Trader }),
		!known, in.Order.Gateway != "" && in.Order.Gateway != "SIM", c.NetPosition && in.Order.Offset != hub.NoOffset,
		in.Order.Direction != hub.Long && in.Order.Direction != hub.Short, !in.Order.Qty.IsPos(), in.Order.Price.IsNeg(),
		!quotient(in.Order.Qty, c.MinQty):
		l.seen["override not asked"]++
		return
	}
	x := &exception{number: uint64(len(l.exceptions)) + 1, order: in.Order, rules: rules, expires: l.now + hub.Time(in.For), by: [2]hub.Person{in.By}}
	x.order.Gateway = "SIM"
	l.exceptions = append(l.exceptions, x)
	l.answer = x
	l.turns(x, hub.OverrideAsked)
}

// quotient reports whether one quantity is a multiple of another.
func quotient(qty, of hub.Decimal) bool {
	return !of.IsZero() && new(big.Rat).Quo(exact(qty), exact(of)).IsInt()
}

// approved takes the second person's word.
func (l *ledger) approved(in hub.ApproveOverride) {
	x := l.exceptionOf(in.Number)
	l.answer = &exception{}
	switch {
	case x == nil || x.state != hub.OverrideAsked || in.By.Name == "":
		l.seen["override not approved"]++
	case in.By.Name == x.by[0].Name || in.By.UID == x.by[0].UID:
		l.seen["override by one person"]++
	default:
		x.by[1], l.answer = in.By, x
		l.turns(x, hub.OverrideApproved)
	}
}

// withdrew ends an override.
func (l *ledger) withdrew(in hub.WithdrawOverride) {
	x := l.exceptionOf(in.Number)
	l.answer = &exception{}
	if x == nil || !x.state.Open() || in.By.Name == "" || len(in.Reason) > 1000 {
		l.seen["override not withdrawn"]++
		return
	}
	l.answer = x
	l.turns(x, hub.OverrideWithdrawn)
}

func (l *ledger) exceptionOf(number uint64) *exception {
	if number == 0 || number > uint64(len(l.exceptions)) {
		return nil
	}
	return l.exceptions[number-1]
}

// expired ends those whose time is over: before anything else happens in an entry.
func (l *ledger) expired() {
	l.turned, l.answer = nil, nil
	for _, x := range l.exceptions {
		if x.state.Open() && l.now >= x.expires {
			l.turns(x, hub.OverrideExpired)
		}
	}
}

// void ends all: the policies are others.
func (l *ledger) void() {
	for _, x := range l.exceptions {
		if x.state.Open() {
			l.turns(x, hub.OverrideVoid)
		}
	}
}

// covers: the order is the one that was meant, to its size, and no worse.
func (x *exception) covers(o hub.Order) bool {
	switch {
	case x.order.Trader != o.Trader, x.order.Instrument != o.Instrument, x.order.Direction != o.Direction, o.Gateway != "SIM", exact(x.order.Qty).Cmp(exact(o.Qty)) != 0,
		x.order.Offset != hub.NoOffset && x.order.Offset != o.Offset:
		return false
	case x.order.Price.IsZero():
		return true
	case o.Type == hub.Market:
		return false
	}
	better := exact(x.order.Price).Cmp(exact(o.Price))
	return better == 0 || better > 0 == (o.Direction == hub.Long)
}

// rest is what an override leaves of what is against an order.
func (x *exception) rest(against []string) []string {
	return slices.DeleteFunc(slices.Clone(against), func(why string) bool {
		rule, of := strings.CutPrefix(why, "rule ")
		return of && slices.Contains(x.rules, rule)
	})
}

// letsPast finds the override by which an order passes that something is against; nil when there is none.
func (l *ledger) letsPast(o hub.Order, against []string) *exception {
	if len(against) == 0 {
		for _, x := range l.exceptions {
			if x.state == hub.OverrideApproved && x.covers(o) {
				l.seen["override not needed"]++
			}
		}
		return nil
	}
	for _, x := range l.exceptions {
		if x.state != hub.OverrideApproved {
			continue
		}
		switch {
		case !x.covers(o):
			if x.order.Trader == o.Trader && x.order.Instrument == o.Instrument && len(x.rest(against)) == 0 {
				l.seen["override of another order"]++
			}
		case len(x.rest(against)) > 0:
			l.seen["override of too little"]++
		default:
			return x
		}
	}
	return nil
}

// unlifted is what keeps an order from being sent when its override counts: when that is only that it would meet another one of the fund, it may wait.
func (l *ledger) unlifted(o hub.Order, against []string) []string {
	for _, x := range l.exceptions {
		if x.state == hub.OverrideApproved && x.covers(o) && len(against) > 1 && slices.Equal(x.rest(against), []string{"internal-cross "}) {
			l.seen["override waited"]++
			return x.rest(against)
		}
	}
	return against
}

// uses notes that an order passed by an override, and what that lifted.
func (l *ledger) uses(x *exception, o *recorded, lifted []string) {
	x.usedBy = o.ID
	o.passedBy, o.lifted = x, lifted
	l.turns(x, hub.OverrideUsed)
}

// byOverride holds what the hub says of how an order passed against the ledger's.
func (l *ledger) byOverride(d core.Decided) error {
	var number uint64
	var lifted []string
	if o := l.byID[d.Order.ID]; o != nil && o.passedBy != nil {
		number, lifted = o.passedBy.number, o.lifted
	}
	var says uint64
	if d.Override != nil {
		says = d.Override.Number
	}
	if says != number || d.Order.Override != number || !slices.Equal(allSaid(d.Lifted), lifted) {
		return fmt.Errorf("the hub says by override %d, its order by %d, which lifted %q, and the ledger by %d, which lifted %q", says, d.Order.Override, allSaid(d.Lifted), number, lifted)
	}
	return nil
}

// overridden compares what became of overrides in an entry, and what persons were answered.
func (l *ledger) overridden(effects []core.Effect) error {
	var got, want []string
	answers := 0
	for _, effect := range effects {
		switch e := effect.(type) { //nolint:gochecksumtype // the rest does not count here
		case core.OverrideChanged:
			got = append(got, fmt.Sprintf("%d %s", e.Override.Number, e.Override.State))
			if err := l.alike(e.Override); err != nil {
				return err
			}
		case core.OverrideAnswered:
			answers++
			if l.answer == nil || e.Override.Number != l.answer.number || (len(e.Refusals) > 0) != (l.answer.number == 0) {
				return fmt.Errorf("the hub answers %+v, the ledger %+v", e, l.answer)
			}
		case core.Send:
			number, lifted := e.Permit.Override()
			var want uint64
			o := l.byID[e.Permit.Order().ID]
			if o != nil && o.passedBy != nil {
				want = o.passedBy.number
			}
			if number != want || number != 0 && !slices.Equal(allSaid(lifted), o.lifted) {
				return fmt.Errorf("order %s is sent by override %d (%q), and the ledger says by %d", e.Permit.Order().ID, number, allSaid(lifted), want)
			}
		}
	}
	if (answers == 1) != (l.answer != nil) || answers > 1 {
		return fmt.Errorf("a person was answered %d times", answers)
	}
	for _, x := range l.turned {
		want = append(want, fmt.Sprintf("%d %s", x.number, x.state))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the hub says %q, the ledger %q", got, want)
	}
	return nil
}

// alike compares an override with the ledger's.
func (l *ledger) alike(v hub.Override) error {
	x := l.exceptionOf(v.Number)
	if x == nil {
		return fmt.Errorf("there is no override %d", v.Number)
	}
	rules := make([]string, len(v.Rules))
	for i, r := range v.Rules {
		rules[i] = r.String()
	}
	o := x.order
	if v.State != x.state || v.UsedBy != x.usedBy || v.Expires != x.expires || v.AskedBy != x.by[0] || v.ApprovedBy != x.by[1] || !slices.Equal(rules, x.rules) ||
		v.Order.Trader != o.Trader || v.Order.Instrument != o.Instrument || v.Order.Gateway != o.Gateway || v.Order.Direction != o.Direction || v.Order.Offset != o.Offset ||
		!v.Order.Qty.Equal(o.Qty) || !v.Order.Price.Equal(o.Price) {
		return fmt.Errorf("the hub has %+v, the ledger %+v", v, *x)
	}
	return nil
}

// auditOverrides holds every override of the hub against the ledger's. The last two hundred that ended are remembered, and a story has fewer.
func (w *World) auditOverrides() error {
	all := w.core.Overrides()
	if len(all) != len(w.ledger.exceptions) {
		return fmt.Errorf("overrides otherwise: the hub has %d, the ledger %d", len(all), len(w.ledger.exceptions))
	}
	var errs []error
	for _, v := range all {
		if err := w.ledger.alike(v); err != nil {
			errs = append(errs, fmt.Errorf("overrides otherwise: %w", err))
		}
	}
	return errors.Join(errs...)
}

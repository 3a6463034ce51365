package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/ctl"
	"tradehub/plugins/gateways/sim/record"
)

// venueBook is the simulator's book of record, read as it grows.
type venueBook struct {
	path   string
	offset int64
	orders map[hub.OrderID]*venueOrder
	fills  map[side]record.Line
	flaws  []string
	also   func(record.Line) // sees every line, too; may be nil
}

// venueOrder is what the book says of one order.
type venueOrder struct {
	record.Line // as it was received
	status      hub.Status
	filled      hub.Decimal
}

func newVenueBook(h *house) *venueBook {
	return &venueBook{
		path:   filepath.Join(h.data, "plugins", gatewayName, "book.jsonl"),
		orders: map[hub.OrderID]*venueOrder{}, fills: map[side]record.Line{},
	}
}

// read reads what was added since the last time.
func (b *venueBook) read() error {
	file, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	b.offset, err = record.Read(file, b.offset, info.Size(), func(_ int64, l record.Line) error {
		b.take(l)
		return nil
	})
	return err
}

func (b *venueBook) take(l record.Line) {
	if b.also != nil {
		b.also(l)
	}
	o, known := b.orders[l.ID]
	if !known {
		o = &venueOrder{} // of a line that is wrong, or about no order
	}
	switch l.Kind {
	case record.Opened, record.Deposited, record.DayBegan, record.ClockAt:
		return
	case record.Received:
		if known {
			b.flaws = append(b.flaws, fmt.Sprintf("order %s was received twice", l.ID))
			return
		}
		b.orders[l.ID] = &venueOrder{Line: l, status: hub.Resting}
		return
	case record.Duplicate:
		b.flaws = append(b.flaws, fmt.Sprintf("order %s was sent twice", l.ID))
	case record.Triggered:
	case record.Amended:
		o.Price, o.Qty = l.Price, l.Qty
	case record.Rejected:
		o.status = hub.Rejected
	case record.Cancelled:
		o.status = hub.Cancelled
	case record.Filled:
		side := sideOf(l.Trade, l.ID)
		if _, twice := b.fills[side]; twice {
			b.flaws = append(b.flaws, fmt.Sprintf("trade id %s is there twice", l.Trade))
		}
		b.fills[side] = l
		o.filled = plus(o.filled, l.Qty)
		o.status = hub.PartFilled
		if o.filled.Equal(o.Qty) {
			o.status = hub.Filled
		}
	}
	if !known {
		b.flaws = append(b.flaws, fmt.Sprintf("%s of order %s, which was never received", l.Kind, l.ID))
	}
}

// side is what one order has of a trade.
type side struct {
	trade string
	order hub.OrderID
}

// sideOf names the side of an order. Where two orders of the fund met, the market has one name for the trade, and the hub gives the second fill one of its own behind it.
func sideOf(trade string, order hub.OrderID) side {
	if parts := strings.SplitN(trade, "-", 3); len(parts) == 3 {
		trade = parts[0] + "-" + parts[1]
	}
	return side{trade, order}
}

func plus(a, b hub.Decimal) hub.Decimal {
	var sum hub.Sum
	c := sum.Add(a, b)
	if sum.Err() != nil {
		panic(sum.Err())
	}
	return c
}

// hubBook is what hub ctl says.
type hubBook struct {
	status    ctl.Status
	orders    map[hub.OrderID]ctl.Order
	trades    map[string]ctl.Trade
	positions map[holding]ctl.Position
}

// holding is whose position of what: trader "" is the fund, direction NET that of a contract that nets.
type holding struct{ trader, contract, direction string }

func readHub(h *house, traders ...hub.TraderName) (hubBook, error) {
	ctx, cancel := h.patience()
	defer cancel()
	b := hubBook{orders: map[hub.OrderID]ctl.Order{}, trades: map[string]ctl.Trade{}, positions: map[holding]ctl.Position{}}
	orders, err := h.ctl.Orders(ctx, "", false)
	if err != nil {
		return b, err
	}
	for _, o := range orders {
		if _, twice := b.orders[hub.OrderID(o.ID)]; twice {
			return b, fmt.Errorf("the hub lists order %s twice", o.ID)
		}
		b.orders[hub.OrderID(o.ID)] = o
	}
	trades, err := h.ctl.Trades(ctx, "")
	if err != nil {
		return b, err
	}
	for _, f := range trades {
		if _, twice := b.trades[f.ID]; twice {
			return b, fmt.Errorf("the hub lists trade %s twice", f.ID)
		}
		b.trades[f.ID] = f
	}
	for _, trader := range append([]hub.TraderName{""}, traders...) {
		positions, err := h.ctl.Positions(ctx, string(trader))
		if err != nil {
			return b, err
		}
		for _, p := range positions {
			b.positions[holding{p.Trader, p.Contract, p.Direction}] = p
		}
	}
	b.status, err = h.ctl.Status(ctx)
	return b, err
}

// compare says where the hub's books differ from the venue's, and from themselves.
func compare(b hubBook, v *venueBook) error {
	var wrong faults
	wrong = append(wrong, v.flaws...)
	for id, o := range b.orders {
		wrong.order(o, v.orders[id])
	}
	for id, o := range v.orders {
		if _, known := b.orders[id]; !known {
			wrong.add("order %s of %s is at the venue and the hub does not know it", id, o.Trader)
		}
	}
	known := map[side]bool{}
	for id, f := range b.trades {
		side := sideOf(id, hub.OrderID(f.OrderID))
		known[side] = true
		l, there := v.fills[side]
		if !there || l.ID != hub.OrderID(f.OrderID) || !l.Price.Equal(f.Price) || !l.Qty.Equal(f.Quantity) || string(v.orders[l.ID].Trader) != f.Trader {
			wrong.add("trade %s of order %s, %s at %s, is in the venue's book %v", id, f.OrderID, f.Quantity, f.Price, l)
		}
	}
	for side, l := range v.fills {
		if !known[side] {
			wrong.add("trade %s of order %s happened and the hub does not know it", l.Trade, l.ID)
		}
	}
	wrong.positions(b, v)
	wrong.standings(b)
	return wrong.err()
}

// faults are all that is wrong.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.Sort(f)
	const most = 20
	if len(f) > most {
		f = append(f[:most:most], fmt.Sprintf("and %d more", len(f)-most))
	}
	return errors.New(strings.Join(f, "\n"))
}

// order holds one order against the venue's.
func (f *faults) order(o ctl.Order, v *venueOrder) {
	if o.InDoubt {
		f.add("order %s is in doubt: %s", o.ID, o.Reason)
	}
	if v == nil {
		// An order can be cancelled while the risk managers still judge it.
		unsent := o.Status == hub.Cancelled.String() && o.Reason == "cancelled before it was sent"
		if o.Status != hub.Rejected.String() && !unsent || !o.Filled.IsZero() {
			f.add("order %s is %s and never was at the venue", o.ID, o.Status)
		}
		return
	}
	if o.Trader != string(v.Trader) || o.Contract != v.Instrument().String() || o.Direction != v.Direction.String() || o.Offset != v.Offset.String() ||
		o.Type != v.Line.Type.String() || !o.Price.Equal(v.Price) || !o.Quantity.Equal(v.Qty) {
		f.add("order %s is %+v and the venue received %+v", o.ID, o, v.Line)
	}
	if !o.Filled.Equal(v.filled) {
		f.add("order %s is filled with %s, at the venue with %s", o.ID, o.Filled, v.filled)
	}
	same := o.Status == v.status.String()
	if v.status == hub.Resting { // nothing has happened to it since it was taken
		same = o.Status == hub.Resting.String() || o.Status == hub.Accepted.String()
	}
	if !same {
		f.add("order %s is %s (%s), at the venue %s", o.ID, o.Status, o.Reason, v.status)
	}
}

// positions holds the hub's positions against the sum of the venue's fills, for every trader and for the fund, and what is frozen against the orders that close.
func (f *faults) positions(b hubBook, v *venueBook) {
	held, frozen := map[holding]hub.Decimal{}, map[holding]hub.Decimal{}
	for _, l := range v.fills {
		o := v.orders[l.ID]
		h, qty := holding{contract: o.Instrument().String(), direction: o.Direction.String()}, l.Qty
		switch {
		case o.Offset == hub.NoOffset:
			h.direction = hub.Net.String()
			if o.Direction == hub.Short {
				qty = qty.Neg()
			}
		case o.Offset.Closes():
			h.direction, qty = opposite(o.Direction).String(), qty.Neg()
		}
		for _, trader := range []string{"", string(o.Trader)} {
			h.trader = trader
			held[h] = plus(held[h], qty)
		}
	}
	for _, o := range b.orders {
		offset, err := hub.ParseOffset(o.Offset)
		direction, err2 := hub.ParseDirection(o.Direction)
		if err := errors.Join(err, err2); err != nil && o.Active {
			f.add("order %s: %v", o.ID, err)
		}
		if !o.Active || !offset.Closes() {
			continue
		}
		for _, trader := range []string{"", o.Trader} {
			h := holding{trader, o.Contract, opposite(direction).String()}
			frozen[h] = plus(frozen[h], plus(o.Quantity, o.Filled.Neg()))
		}
	}
	for h, p := range b.positions {
		if !p.Quantity.Equal(held[h]) {
			f.add("position %v is %s, the fills come to %s", h, p.Quantity, held[h])
		}
		if !plus(p.Today, p.Yesterday).Equal(p.Quantity) {
			f.add("position %v is %s, of which %s are today's and %s yesterday's", h, p.Quantity, p.Today, p.Yesterday)
		}
		if h.direction != hub.Net.String() && !p.Frozen.Equal(frozen[h]) {
			f.add("of position %v %s are frozen, the orders that close come to %s", h, p.Frozen, frozen[h])
		}
	}
	for h, qty := range held {
		if _, there := b.positions[h]; !there && !qty.IsZero() {
			f.add("position %v is not there, the fills come to %s", h, qty)
		}
	}
}

// standings holds the counts and the money of every trader and of the fund against orders and trades.
func (f *faults) standings(b hubBook) {
	active, commission := map[string]int{}, map[string]hub.Decimal{}
	for _, o := range b.orders {
		if o.Active {
			active[o.Trader]++
			active[""]++
		}
	}
	for _, t := range b.trades {
		for _, trader := range []string{"", t.Trader} {
			commission[trader] = plus(commission[trader], t.Commission)
		}
	}
	for _, s := range b.status.Traders {
		if s.Active != active[s.Trader] || s.InDoubt != 0 {
			f.add("%q has %d active orders and %d in doubt, listed are %d and 0", s.Trader, s.Active, s.InDoubt, active[s.Trader])
		}
		a := s.Account
		if !a.Commission.Equal(commission[s.Trader]) {
			f.add("%q paid a commission of %s, the trades come to %s", s.Trader, a.Commission, commission[s.Trader])
		}
		if want := plus(plus(a.Capital, a.Realised), plus(a.Unrealised, a.Commission.Neg())); !a.Balance.Equal(want) {
			f.add("%q has a balance of %s, its parts come to %s", s.Trader, a.Balance, want)
		}
		if a.Frozen.IsNeg() || !plus(a.Available, a.Frozen).Equal(a.Balance) {
			f.add("%q has %s, of which %s are frozen and %s available", s.Trader, a.Balance, a.Frozen, a.Available)
		}
	}
}

func opposite(d hub.Direction) hub.Direction {
	if d == hub.Long {
		return hub.Short
	}
	return hub.Long
}

// check says what the hub keeps of a trader's orders against what the trader was told.
func (tr *trader) check(b hubBook) error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	wrong := slices.Clone(faults(tr.flaws))
	for id, reference := range tr.given {
		o, known := b.orders[id]
		r := tr.asked[reference]
		switch {
		case !known:
			wrong.add("order %s (%s) was given to %s and the hub does not know it", id, reference, tr.name)
		case o.Trader != string(tr.name) || o.Reference != reference || o.Contract != r.Instrument.String() || o.Direction != r.Direction.String() ||
			o.Type != r.Type.String() || !o.Price.Equal(r.Price) || !o.Quantity.Equal(r.Qty):
			wrong.add("order %s was given to %s for %+v, and is %+v", id, tr.name, r, o)
		}
	}
	references := map[string]string{}
	for id, o := range b.orders {
		if o.Trader != string(tr.name) {
			continue
		}
		if other, twice := references[o.Reference]; twice {
			wrong.add("%s asked for %s once, and orders %s and %s came of it", tr.name, o.Reference, other, id)
		}
		references[o.Reference] = string(id)
		told, known := tr.view[id]
		switch {
		case !known:
			wrong.add("%s was told nothing of order %s", tr.name, id)
		case !sameStatus(told.Status, o.Status) || !told.Filled.Equal(o.Filled):
			wrong.add("order %s is %s with %s filled, and %s was told %s with %s", id, o.Status, o.Filled, tr.name, told.Status, told.Filled)
		}
	}
	for id := range tr.view {
		if o, known := b.orders[id]; !known || o.Trader != string(tr.name) {
			wrong.add("%s was told of order %s, which the hub has as %+v", tr.name, id, o)
		}
	}
	for id, f := range b.trades {
		if told, known := tr.fills[id]; f.Trader == string(tr.name) && (!known || !told.Qty.Equal(f.Quantity) || !told.Price.Equal(f.Price)) {
			wrong.add("%s was told of trade %s that it is %+v, and it is %+v", tr.name, id, told, f)
		}
	}
	for id := range tr.fills {
		if f, known := b.trades[id]; !known || f.Trader != string(tr.name) {
			wrong.add("%s was told of trade %s, which the hub has as %+v", tr.name, id, f)
		}
	}
	return wrong.err()
}

// sameStatus: VeighNa has no word for an order that is at the venue and not in its book.
func sameStatus(told hub.Status, now string) bool {
	return told.String() == now || told == hub.Resting && now == hub.Accepted.String()
}

func names(traders []string) []hub.TraderName {
	all := make([]hub.TraderName, len(traders))
	for i, t := range traders {
		all[i] = hub.TraderName(t)
	}
	return all
}

package venue

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/account"
	"tradehub/plugins/gateways/sim/market"
	"tradehub/plugins/gateways/sim/record"
)

// apply changes the state as a line says. It is the only thing that does: lines that are made now and lines that are read at a start go through it, and
// what is computed for a line, such as the fee of a fill, is in it when it comes here.
func (v *Venue) apply(l *record.Line) error {
	v.now = max(v.now, l.At)
	switch l.Kind {
	case record.Opened:
		if l.Version != record.Version {
			return fmt.Errorf("the book of record is of version %d, and this program writes version %d", l.Version, record.Version)
		}
		v.birth, v.day = l.At, l.Day
	case record.Deposited:
		v.account.Deposit(l.Currency, l.Qty)
	case record.Received:
		return v.applyReceived(l)
	case record.Rejected:
		o := v.orders[l.ID]
		if o == nil {
			return fmt.Errorf("order %s is rejected and was never received", l.ID)
		}
		o.reason = l.Reason
		v.finish(o)
	case record.Triggered, record.Filled, record.Cancelled, record.Amended:
		o := v.orders[l.ID]
		if o == nil || !o.working {
			return fmt.Errorf("order %s has a line %q and does not work", l.ID, l.Kind)
		}
		return v.applyWorking(o, l)
	case record.DayBegan:
		v.day = l.Day
		v.account.Roll()
		v.seen[1], v.seen[0] = v.seen[0], map[uint64]struct{}{}
	case record.Duplicate, record.ClockAt:
	}
	return nil
}

func (v *Venue) applyReceived(l *record.Line) error {
	v.Remember(string(l.ID), true)
	o := &order{id: l.ID, number: l.Number, rank: l.Number, trader: l.Trader, direction: l.Direction, offset: l.Offset, kind: l.Type}
	v.orders[l.ID] = o
	if l.Number == 0 {
		return nil
	}
	v.number = l.Number
	if o.c = v.byName[l.Instrument()]; o.c == nil {
		return fmt.Errorf("order %s is of %s, which is not in the list of contracts any more", l.ID, l.Instrument())
	}
	price, wholeTicks := o.c.l.Ticks(l.Price)
	if o.kind == hub.Market {
		price, wholeTicks = 0, true // whatever it says
	}
	steps, wholeSteps := o.c.l.Steps(l.Qty)
	if !wholeTicks || !wholeSteps || steps <= 0 {
		return fmt.Errorf("order %s of %s at %s does not fit the tick and the smallest quantity that %s has now", l.ID, l.Qty, l.Price, l.Instrument())
	}
	o.price, o.qty, o.left, o.working = price, steps, steps, true
	v.working[market.ID(o.number)] = o
	worst := l.Worst
	if worst.IsZero() {
		worst = l.Price
	}
	o.hold = v.account.Take(account.Order{Contract: o.c.l, Direction: o.direction, Offset: o.offset, Steps: steps, Worst: worst})
	return nil
}

func (v *Venue) applyWorking(o *order, l *record.Line) error {
	if l.Kind == record.Triggered {
		o.triggered = true
		return nil
	}
	if l.Kind == record.Amended {
		return v.applyAmended(o, l)
	}
	if l.Kind == record.Cancelled {
		o.reason = l.Reason
		v.account.Release(&o.hold, o.left)
		v.finish(o)
		return nil
	}
	steps, whole := o.c.l.Steps(l.Qty)
	if !whole || steps <= 0 || steps > o.left {
		return fmt.Errorf("a fill of %s of order %s, of which %s were left", l.Qty, l.ID, o.c.l.Qty(o.left))
	}
	v.trades++
	o.left -= steps
	o.fills = append(o.fills, hub.VenueFill{TradeID: l.Trade, Price: l.Price, Qty: l.Qty, Time: l.At})
	v.account.Fill(&o.hold, l.Price, steps, l.Fee)
	if o.left == 0 {
		v.finish(o)
	}
	return nil
}

// finish lets go of an order that is over; the youngest are remembered.
func (v *Venue) finish(o *order) {
	o.working = false
	if o.number > 0 {
		delete(v.working, market.ID(o.number))
	}
	o.hold = account.Hold{}
	v.done = append(v.done, o.id)
	if len(v.done) >= 2*doneMax {
		for _, id := range v.done[:doneMax] {
			delete(v.orders, id)
		}
		v.done = append(v.done[:0], v.done[doneMax:]...)
	}
}

// Apply repeats a line of the book of record. An error says that the line does not fit what came before, or the list of contracts.
func (v *Venue) Apply(l record.Line) error {
	if v.birth == 0 && l.Kind != record.Opened {
		return fmt.Errorf("the book of record begins with a line %q", l.Kind)
	}
	return v.apply(&l)
}

// Snapshot is the state at an offset of the book of record, so that a start need not read it all.
type Snapshot struct {
	Version int      `json:"version"`
	Birth   hub.Time `json:"birth"`
	At      hub.Time `json:"at"`
	Day     hub.Day  `json:"day"`
	Number  uint64   `json:"number"`
	Trades  uint64   `json:"trades"`

	Money     []moneyState    `json:"money"`
	Positions []positionState `json:"positions"`
	Orders    []orderState    `json:"orders"`
}

type moneyState struct {
	Currency   string      `json:"currency"`
	Cash       hub.Decimal `json:"cash"`
	Commission hub.Decimal `json:"commission"`
}

type positionState struct {
	Symbol   string           `json:"symbol"`
	Exchange string           `json:"exchange"`
	Position account.Position `json:"position"`
}

type orderState struct {
	ID        hub.OrderID     `json:"id"`
	Number    uint64          `json:"number"`
	Rank      uint64          `json:"rank,omitempty"` // when it is not the number
	Trader    hub.TraderName  `json:"trader"`
	Symbol    string          `json:"symbol"`
	Exchange  string          `json:"exchange"`
	Direction string          `json:"direction"`
	Offset    string          `json:"offset"`
	Type      string          `json:"type"`
	Price     int64           `json:"price"` // in ticks
	Qty       int64           `json:"qty"`   // in steps
	Left      int64           `json:"left"`
	Worst     hub.Decimal     `json:"worst"`
	Fills     []hub.VenueFill `json:"fills,omitempty"`
}

// SnapshotVersion is the format of a Snapshot. One of another version is not read: the whole book of record is.
const SnapshotVersion = 1

// Snapshot returns the state. What is over is not in it; that is in the book of record.
func (v *Venue) Snapshot() Snapshot {
	s := Snapshot{Version: SnapshotVersion, Birth: v.birth, At: v.now, Day: v.day, Number: v.number, Trades: v.trades}
	for currency, m := range v.account.Balances() {
		s.Money = append(s.Money, moneyState{currency, m.Cash, m.Commission})
	}
	slices.SortFunc(s.Money, func(a, b moneyState) int { return cmp.Compare(a.Currency, b.Currency) })
	for _, held := range v.account.Positions() {
		s.Positions = append(s.Positions, positionState{held.Contract.Symbol, held.Contract.Exchange, held.Position})
	}
	for _, o := range v.workingOrders() {
		rank := o.rank
		if rank == o.number {
			rank = 0
		}
		s.Orders = append(s.Orders, orderState{
			Rank: rank,
			ID:   o.id, Number: o.number, Trader: o.trader, Symbol: o.c.l.Symbol, Exchange: o.c.l.Exchange,
			Direction: o.direction.String(), Offset: o.offset.String(), Type: o.kind.String(),
			Price: o.price, Qty: o.qty, Left: o.left, Worst: o.hold.Worst, Fills: o.fills,
		})
	}
	return s
}

// Restore brings a new venue to a snapshot. Money of the settings gives way to the snapshot's.
func (v *Venue) Restore(s Snapshot) error {
	v.birth, v.now, v.day, v.number, v.trades = s.Birth, s.At, s.Day, s.Number, s.Trades
	for _, m := range s.Money {
		v.account.PutMoney(m.Currency, m.Cash, m.Commission)
	}
	for _, p := range s.Positions {
		c := v.byName[hub.Instrument{Symbol: p.Symbol, Exchange: p.Exchange}]
		if c == nil {
			return fmt.Errorf("%s.%s is held and is not in the list of contracts any more", p.Symbol, p.Exchange)
		}
		v.account.Put(c.l, p.Position)
	}
	for _, o := range s.Orders {
		if err := v.restoreOrder(o); err != nil {
			return err
		}
	}
	return nil
}

func (v *Venue) restoreOrder(s orderState) error {
	c := v.byName[hub.Instrument{Symbol: s.Symbol, Exchange: s.Exchange}]
	if c == nil {
		return fmt.Errorf("order %s works in %s.%s, which is not in the list of contracts any more", s.ID, s.Symbol, s.Exchange)
	}
	direction, err1 := hub.ParseDirection(s.Direction)
	offset, err2 := hub.ParseOffset(s.Offset)
	kind, err3 := hub.ParseOrderType(s.Type)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("order %s: %w", s.ID, err)
	}
	o := &order{
		id: s.ID, number: s.Number, rank: cmp.Or(s.Rank, s.Number), trader: s.Trader, c: c, direction: direction, offset: offset, kind: kind,
		price: s.Price, qty: s.Qty, left: s.Left, fills: s.Fills, working: true,
	}
	o.hold = v.account.Take(account.Order{Contract: c.l, Direction: direction, Offset: offset, Steps: s.Left, Worst: s.Worst})
	v.orders[o.id] = o
	v.working[market.ID(o.number)] = o
	return nil
}

// Digest is a text that is the same for the same state.
func (v *Venue) Digest() string {
	text, err := json.Marshal(v.Snapshot())
	if err != nil {
		panic("venue: " + err.Error()) // it is made of texts and numbers
	}
	return string(text)
}

// Package account is the fund's account at the simulated venue: what it holds, long and short, of today and of yesterday, what working orders keep
// frozen, and its money, one balance per currency. It says whether an order may be taken, in the venue's words; whose order it is, is none of its business.
package account

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/listing"
)

// Account is the whole account. It is not safe for use by several goroutines.
type Account struct {
	money     map[string]*Money
	positions map[*listing.Contract]*Position
}

// Money is one currency of the account.
type Money struct {
	Cash       hub.Decimal // capital + realised - commission - what was paid in full
	Margin     hub.Decimal // held for positions
	Frozen     hub.Decimal // held for working orders
	Unrealised hub.Decimal // of positions with margin, at the last mark
	Commission hub.Decimal // all that was ever charged
}

// Available is what may back new orders.
func (m Money) Available() (hub.Decimal, error) {
	var sum hub.Sum
	free := sum.Sub(sum.Sub(sum.Add(m.Cash, m.Unrealised), m.Margin), m.Frozen)
	return free, sum.Err()
}

// Holding is one direction of a position, in steps. A contract that nets has its holding in Long.
type Holding struct {
	Today, Yesterday int64
	// In working orders that close. Any is of those that may take either.
	FrozenToday, FrozenYesterday, FrozenAny int64
	Cost                                    hub.Decimal // money paid or received for it
	Margin                                  hub.Decimal
}

// Qty is all that is held.
func (h *Holding) Qty() int64 { return h.Today + h.Yesterday }

func (h *Holding) free() int64 {
	return h.Qty() - h.FrozenToday - h.FrozenYesterday - h.FrozenAny
}

// Position is what is held of one contract.
type Position struct {
	Long, Short Holding
	unrealised  hub.Decimal
}

func (p *Position) holding(d hub.Direction) *Holding {
	if d == hub.Long {
		return &p.Long
	}
	return &p.Short
}

// Empty reports whether nothing is held.
func (p *Position) Empty() bool { return p.Long.Qty() == 0 && p.Short.Qty() == 0 }

// New returns an account without money.
func New() *Account {
	return &Account{money: map[string]*Money{}, positions: map[*listing.Contract]*Position{}}
}

// Deposit adds to the cash of a currency.
func (a *Account) Deposit(currency string, amount hub.Decimal) {
	var sum hub.Sum
	m := a.currency(currency)
	m.Cash = sum.Add(m.Cash, amount)
	must(&sum)
}

// Order is what an account needs to know of an order.
type Order struct {
	Contract  *listing.Contract
	Direction hub.Direction
	Offset    hub.Offset
	Steps     int64
	// Worst is the price that its money is reckoned at: its limit, or the daily limit when it has none.
	Worst hub.Decimal
}

// bucket is where the quantity of a working order that closes is frozen.
type bucket uint8

const (
	opens bucket = iota
	fromToday
	fromYesterday
	fromAny
)

// bucket says what an order closes. An exchange that tells today from yesterday takes a plain Close for yesterday's; the others take every close from
// whatever there is. A contract that nets has no offsets: a sale takes what is held, or, when what is bought is sold on the next day, what was held before today.
func (o Order) bucket() bucket {
	c := o.Contract
	switch {
	case c.NetPosition && o.Direction == hub.Long, !c.NetPosition && !o.Offset.Closes():
		return opens
	case c.SellNextDay:
		return fromYesterday
	case !c.SplitsToday:
		return fromAny
	case o.Offset == hub.CloseToday:
		return fromToday
	default:
		return fromYesterday
	}
}

// closing is the direction of what the order closes.
func (o Order) closing() hub.Direction {
	if o.Contract.NetPosition || o.Direction == hub.Short {
		return hub.Long
	}
	return hub.Short
}

// Hold is what the account keeps frozen for a working order.
type Hold struct {
	Order
	bucket  bucket
	perStep hub.Decimal // money
}

// Check returns why an order cannot be taken, or "".
func (a *Account) Check(o Order) string {
	if b := o.bucket(); b != opens {
		return a.checkClose(o, b)
	}
	var sum hub.Sum
	need := sum.Mul(perStep(&sum, o), hub.Int(o.Steps))
	m := a.money[o.Contract.Currency]
	if m == nil {
		return fmt.Sprintf("the account has no %s", o.Contract.Currency)
	}
	free, err := m.Available()
	if sum.Err() != nil || err != nil {
		return "the value of the order is out of range"
	}
	if need.Cmp(free) > 0 {
		return fmt.Sprintf("not enough money: the order needs %s %s and %s are available",
			need.Round(2).Trim(0), o.Contract.Currency, free.Round(2).Trim(0))
	}
	return ""
}

func (a *Account) checkClose(o Order, b bucket) string {
	h := &a.position(o.Contract).Long
	if o.closing() == hub.Short {
		h = &a.position(o.Contract).Short
	}
	var free int64
	var what string
	switch b {
	case fromToday:
		free, what = h.Today-h.FrozenToday, " of today"
	case fromYesterday:
		free, what = h.Yesterday-h.FrozenYesterday, " of yesterday"
	case fromAny, opens:
		free = h.free()
	}
	if o.Steps <= free {
		return ""
	}
	side := "long"
	if o.closing() == hub.Short {
		side = "short"
	}
	return fmt.Sprintf("cannot close %s: %s %s%s of %s are held and not in other orders",
		o.Contract.Qty(o.Steps), o.Contract.Qty(free), side, what, o.Contract.Instrument)
}

// perStep is the money that one step of an opening order may need.
func perStep(sum *hub.Sum, o Order) hub.Decimal {
	c := o.Contract
	value := money(sum, c, o.Worst, 1)
	fee := charge(sum, c, c.Fees.OpenByValue, c.Fees.OpenPerUnit, o.Worst, 1)
	if c.PaidInFull() && o.Direction == hub.Long {
		return sum.Add(value, fee)
	}
	return sum.Add(margin(sum, c, o.Direction, value), fee)
}

// Take freezes what a working order may need. It does not check.
func (a *Account) Take(o Order) Hold {
	h := Hold{Order: o, bucket: o.bucket()}
	if h.bucket == opens {
		var sum hub.Sum
		h.perStep = perStep(&sum, o)
		a.freeze(&sum, &h, o.Steps)
		must(&sum)
		return h
	}
	a.freezeSteps(&h, o.Steps)
	return h
}

// Release gives back what is frozen for so many steps of an order.
func (a *Account) Release(h *Hold, steps int64) {
	if h.bucket != opens {
		a.freezeSteps(h, -steps)
		return
	}
	var sum hub.Sum
	a.freeze(&sum, h, -steps)
	must(&sum)
}

func (a *Account) freeze(sum *hub.Sum, h *Hold, steps int64) {
	m := a.currency(h.Contract.Currency)
	m.Frozen = sum.Add(m.Frozen, sum.Mul(h.perStep, hub.Int(steps)))
}

func (a *Account) freezeSteps(h *Hold, steps int64) {
	held := a.position(h.Contract).holding(h.closing())
	switch h.bucket {
	case fromToday:
		held.FrozenToday += steps
	case fromYesterday:
		held.FrozenYesterday += steps
	case fromAny:
		held.FrozenAny += steps
	case opens:
	}
}

// Commission is what a fill of an order, which is about to be booked, costs.
func (a *Account) Commission(h *Hold, price hub.Decimal, steps int64) hub.Decimal {
	var sum hub.Sum
	c := h.Contract
	fee := charge(&sum, c, c.Fees.OpenByValue, c.Fees.OpenPerUnit, price, steps)
	if h.bucket != opens {
		today := h.fromToday(a.position(c).holding(h.closing()), steps)
		fee = sum.Add(
			charge(&sum, c, c.Fees.CloseByValue, c.Fees.ClosePerUnit, price, steps-today),
			charge(&sum, c, c.Fees.CloseTodayByValue, c.Fees.CloseTodayPerUnit, price, today))
	}
	must(&sum)
	return fee
}

// Fill books a fill of an order: what was frozen for it becomes a position, or a position goes. What a fill may need was checked when the order was
// taken, so it never fails; numbers out of range are a bug.
func (a *Account) Fill(h *Hold, price hub.Decimal, steps int64, commission hub.Decimal) {
	a.Release(h, steps)
	var sum hub.Sum
	if h.bucket == opens {
		a.open(&sum, h, price, steps)
	} else {
		a.close(&sum, h, price, steps)
	}
	m := a.currency(h.Contract.Currency)
	m.Cash = sum.Sub(m.Cash, commission)
	m.Commission = sum.Add(m.Commission, commission)
	must(&sum)
}

func (a *Account) open(sum *hub.Sum, h *Hold, price hub.Decimal, steps int64) {
	c := h.Contract
	m, held := a.currency(c.Currency), a.position(c).holding(h.Direction)
	value := money(sum, c, price, steps)
	held.Today += steps
	held.Cost = sum.Add(held.Cost, value)
	if c.PaidInFull() {
		m.Cash = sum.Sub(m.Cash, signed(h.Direction, value))
	}
	if !c.PaidInFull() || h.Direction == hub.Short {
		part := margin(sum, c, h.Direction, value)
		held.Margin = sum.Add(held.Margin, part)
		m.Margin = sum.Add(m.Margin, part)
	}
}

func (a *Account) close(sum *hub.Sum, h *Hold, price hub.Decimal, steps int64) {
	c := h.Contract
	m, held := a.currency(c.Currency), a.position(c).holding(h.closing())
	today := h.fromToday(held, steps)
	cost := share(sum, held.Cost, steps, held.Qty())
	part := share(sum, held.Margin, steps, held.Qty())
	held.Today -= today
	held.Yesterday -= steps - today
	held.Cost = sum.Sub(held.Cost, cost)
	held.Margin = sum.Sub(held.Margin, part)
	m.Margin = sum.Sub(m.Margin, part)
	value := money(sum, c, price, steps)
	if c.PaidInFull() {
		m.Cash = sum.Sub(m.Cash, signed(h.Direction, value))
	} else {
		m.Cash = sum.Add(m.Cash, signed(h.closing(), sum.Sub(value, cost)))
	}
}

// fromToday is how much of a fill that closes is taken from what was opened today: yesterday's goes first, unless the order says today's.
func (h *Hold) fromToday(held *Holding, steps int64) int64 {
	switch {
	case h.bucket == fromToday:
		return steps
	case h.bucket == fromYesterday:
		return 0
	case h.Offset == hub.CloseToday:
		return min(steps, held.Today)
	default:
		return max(0, steps-held.Yesterday)
	}
}

// Mark values what is held of a contract at a price.
func (a *Account) Mark(c *listing.Contract, price hub.Decimal) {
	p := a.positions[c]
	if p == nil || c.PaidInFull() {
		return
	}
	var sum hub.Sum
	long := sum.Sub(money(&sum, c, price, p.Long.Qty()), p.Long.Cost)
	short := sum.Sub(p.Short.Cost, money(&sum, c, price, p.Short.Qty()))
	now := sum.Add(long, short)
	m := a.currency(c.Currency)
	m.Unrealised = sum.Add(m.Unrealised, sum.Sub(now, p.unrealised))
	p.unrealised = now
	must(&sum)
}

// Roll begins a trading day: today's positions become yesterday's, and what working orders keep frozen with them.
func (a *Account) Roll() {
	for _, p := range a.positions {
		for _, h := range []*Holding{&p.Long, &p.Short} {
			h.Yesterday, h.Today = h.Yesterday+h.Today, 0
			h.FrozenYesterday, h.FrozenToday = h.FrozenYesterday+h.FrozenToday, 0
		}
	}
}

// Held is a contract and what is held of it.
type Held struct {
	Contract *listing.Contract
	Position
}

// Positions returns what is held, sorted by contract.
func (a *Account) Positions() []Held {
	var held []Held
	for c, p := range a.positions {
		if !p.Empty() {
			held = append(held, Held{c, *p})
		}
	}
	slices.SortFunc(held, func(x, y Held) int { return cmp.Compare(x.Contract.String(), y.Contract.String()) })
	return held
}

// Balances returns a copy of the money, by currency.
func (a *Account) Balances() map[string]Money {
	balances := make(map[string]Money, len(a.money))
	for currency, m := range maps.All(a.money) {
		balances[currency] = *m
	}
	return balances
}

// Put sets what is held of a contract, and its margin, as a snapshot says; what is frozen comes with the working orders.
func (a *Account) Put(c *listing.Contract, p Position) {
	for _, h := range []*Holding{&p.Long, &p.Short} {
		h.FrozenToday, h.FrozenYesterday, h.FrozenAny = 0, 0, 0
	}
	p.unrealised = hub.Decimal{}
	a.positions[c] = &p
	var sum hub.Sum
	m := a.currency(c.Currency)
	m.Margin = sum.Add(m.Margin, sum.Add(p.Long.Margin, p.Short.Margin))
	must(&sum)
}

// PutMoney sets the cash of a currency and what was charged in it, as a snapshot says.
func (a *Account) PutMoney(currency string, cash, commission hub.Decimal) {
	m := a.currency(currency)
	m.Cash, m.Commission = cash, commission
}

func (a *Account) currency(name string) *Money {
	m := a.money[name]
	if m == nil {
		m = &Money{}
		a.money[name] = m
	}
	return m
}

func (a *Account) position(c *listing.Contract) *Position {
	p := a.positions[c]
	if p == nil {
		p = &Position{}
		a.positions[c] = p
	}
	return p
}

// scale is to how many decimals money is rounded, half to even.
const scale = 8

func money(sum *hub.Sum, c *listing.Contract, price hub.Decimal, steps int64) hub.Decimal {
	return sum.Mul3(price, c.Qty(steps), c.Size).Round(scale).Trim(0)
}

func margin(sum *hub.Sum, c *listing.Contract, d hub.Direction, value hub.Decimal) hub.Decimal {
	part := c.MarginLong
	if d == hub.Short {
		part = c.MarginShort
	}
	return sum.Mul(value, part).Round(scale).Trim(0)
}

func charge(sum *hub.Sum, c *listing.Contract, byValue, perUnit, price hub.Decimal, steps int64) hub.Decimal {
	if steps == 0 {
		return hub.Decimal{}
	}
	part := sum.Mul(money(sum, c, price, steps), byValue)
	return sum.Add(part, sum.Mul(perUnit, c.Qty(steps))).Round(scale).Trim(0)
}

// share is the part of whole that belongs to part of total; all of it when part is total, so that nothing is left over.
func share(sum *hub.Sum, whole hub.Decimal, part, total int64) hub.Decimal {
	if part == total {
		return whole
	}
	return sum.Quo(sum.Mul(whole, hub.Int(part)), hub.Int(total)).Round(scale).Trim(0)
}

// signed is the value of what is bought, and minus the value of what is sold.
func signed(d hub.Direction, value hub.Decimal) hub.Decimal {
	if d == hub.Long {
		return value
	}
	return value.Neg()
}

func must(sum *hub.Sum) {
	if err := sum.Err(); err != nil {
		panic("account: " + err.Error())
	}
}

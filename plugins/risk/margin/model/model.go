package model

import (
	"cmp"
	"fmt"
	"slices"

	"tradehub/hub"
)

// undecidedMax is how many candidates may wait for their decision. More than that means that decisions do not arrive: everything is refused.
const undecidedMax = 10_000

// Model is the book as the margin manager sees it. Make one with New. It is not safe for use by several goroutines.
type Model struct {
	settings  Settings
	currency  string
	contracts map[key]*contract
	all       []*contract // in the order in which they were first named
	traders   []*account
	byTrader  map[hub.TraderName]*account
	fund      *account
	rates     []hub.Rate // as the hub says
	positions map[ownKey]*position
	orders    map[hub.OrderID]*order
	asked     map[uint64]*order
}

type ownKey struct {
	trader hub.TraderName
	key    key
}

// New makes the model of a book as it is.
func New(s Settings, book hub.RiskBook) *Model {
	m := &Model{
		settings: s, currency: book.Currency, rates: book.Rates,
		contracts: map[key]*contract{}, byTrader: map[hub.TraderName]*account{}, fund: newAccount(""),
		positions: map[ownKey]*position{}, orders: map[hub.OrderID]*order{}, asked: map[uint64]*order{},
	}
	m.list(book.Contracts)
	m.mark(book.Marks)
	for _, a := range book.Traders {
		m.account(a)
	}
	for _, p := range book.Positions {
		m.hold(p)
	}
	for _, o := range book.Orders {
		m.order(o)
	}
	return m
}

// Judge answers "" when the candidate may pass, and then counts it until it is decided; else why it may not, and nothing is kept.
func (m *Model) Judge(c hub.Candidate) string {
	a := m.byTrader[c.Trader]
	k := m.contracts[key{c.Gateway, c.Request.Instrument}]
	switch {
	case a == nil:
		return fmt.Sprintf("trader %s is not in the book", c.Trader)
	case k == nil || !k.known:
		return fmt.Sprintf("gateway %s does not list %s", c.Gateway, c.Request.Instrument)
	case !c.Request.Qty.IsPos():
		return fmt.Sprintf("quantity %s is not above 0", c.Request.Qty)
	case c.Request.Direction != hub.Long && c.Request.Direction != hub.Short:
		return fmt.Sprintf("direction %s is neither LONG nor SHORT", c.Request.Direction)
	case m.asked[c.Ask] != nil:
		return fmt.Sprintf("candidate %d was judged before", c.Ask)
	case len(m.asked) >= undecidedMax:
		return fmt.Sprintf("%d candidates wait for their decision", len(m.asked))
	}
	o := m.newOrder(c.Trader, k, c.Request, hub.ValuePrice(c.Request, c.Market))
	defer m.without(m.orders[c.Amends])()
	if why := m.try(a, o); why != "" {
		return why
	}
	m.asked[c.Ask] = o
	return ""
}

// without makes an order that is to be amended count for nothing, until the function that it returns is called: while its successor is tried, it must not count beside it. Afterwards both count until the
// decision: no other candidate may rely on either.
func (m *Model) without(o *order) func() {
	if o == nil || !o.listed {
		return func() {}
	}
	o.position.drop(o)
	m.reweigh(o.position)
	return func() {
		o.position.enter(o)
		m.reweigh(o.position)
	}
}

// try adds an order, and takes it away again when it binds something and the trader or the fund would be over a limit.
func (m *Model) try(a *account, o *order) string {
	p := o.position
	if !o.opens {
		return ""
	}
	var sum hub.Sum
	p.enter(o)
	if p.contract.NetPosition && p.netting(&sum, o.side).IsZero() && sum.Err() == nil {
		return "" // it only takes away from what is held
	}
	before := p.weight
	now := p.weigh()
	why := now.why
	if why == "" {
		m.replace(p, now)
		name := p.contract.name()
		why = cmp.Or(a.over(m.settings.TraderMax, name), m.fund.over(m.settings.FundMax, name))
	}
	if why != "" {
		p.drop(o)
		m.replace(p, before)
	}
	return why
}

func (c *contract) name() string {
	if c.Product != "" {
		return c.Product
	}
	return c.Symbol
}

// newOrder makes an order of the position that it belongs to; it is not in the position yet.
func (m *Model) newOrder(trader hub.TraderName, k *contract, r hub.OrderRequest, price hub.Decimal) *order {
	o := &order{position: m.position(trader, k), side: sideOf(r.Direction), qty: r.Qty, price: price.Trim(0), limit: r.Price}
	o.opens = k.NetPosition || !r.Offset.Closes()
	return o
}

// Observe takes what happened.
func (m *Model) Observe(e hub.RiskEvent) {
	switch {
	case e.Decided != nil:
		m.decided(*e.Decided)
	case e.Order != nil:
		m.order(*e.Order)
	case e.Trade != nil:
		m.trade(*e.Trade)
	case e.Account != nil:
		m.account(*e.Account)
	case len(e.Positions) > 0:
		m.moved(e.Positions)
	case len(e.Marks) > 0:
		m.mark(e.Marks)
	case len(e.Contracts) > 0:
		m.list(e.Contracts)
	case len(e.Rates) > 0:
		m.rerate(e.Rates)
	}
}

// decided ends a candidate: it becomes the order that it was sent as, priced as it was judged, or nothing.
func (m *Model) decided(d hub.RiskDecision) {
	candidate := m.asked[d.Ask]
	delete(m.asked, d.Ask)
	known := m.orders[d.Order.ID] != nil
	if candidate != nil && !known && !d.Order.Status.Final() {
		m.orders[d.Order.ID] = candidate
	} else if candidate != nil {
		candidate.position.drop(candidate)
		m.reweigh(candidate.position)
	}
	m.order(d.Order)
}

// order takes an order as it stands now.
func (m *Model) order(h hub.Order) {
	o := m.orders[h.ID]
	if o == nil {
		if h.Status.Final() {
			return
		}
		o = m.newOrder(h.Trader, m.contract(key{h.Gateway, h.Instrument}), h.OrderRequest, h.Price)
		o.seen = h.Filled // its trades so far are in the book that this model was made of
		m.orders[h.ID] = o
		if o.opens {
			o.position.enter(o)
		}
	}
	o.qty, o.filled, o.final = h.Qty, h.Filled, h.Status.Final()
	if !h.Price.Equal(o.limit) { // amended; a sale may trade at more than it asks
		o.limit = h.Price
		if o.price = o.price.Max(h.Price); o.side == long {
			o.price = h.Price
		}
		o.price = o.price.Trim(0)
	}
	m.settle(h.ID, o)
}

// settle forgets an order that counts for nothing any more, and weighs its position.
func (m *Model) settle(id hub.OrderID, o *order) {
	var sum hub.Sum
	if o.final && o.left(&sum).IsZero() {
		delete(m.orders, id)
		o.position.drop(o)
	}
	o.position.recount(o)
	m.reweigh(o.position)
}

func (m *Model) trade(t hub.Trade) {
	p := m.position(t.Trader, m.contract(key{t.Gateway, t.Instrument}))
	var sum hub.Sum
	p.fill(&sum, t)
	if o := m.orders[t.OrderID]; o != nil {
		o.seen = sum.Add(o.seen, t.Qty)
		m.settle(t.OrderID, o)
	}
	m.reweigh(p)
}

// account takes a trader's money.
func (m *Model) account(h hub.Account) {
	if h.Trader == "" {
		return // the fund's is the sum of its traders'
	}
	a := m.trader(h.Trader)
	var sum hub.Sum
	a.base = sum.Sub(sum.Add(h.Capital, h.Realised), h.Commission)
	m.fund.base = hub.Decimal{}
	for _, t := range m.traders {
		m.fund.base = sum.Add(m.fund.base, t.base)
	}
	if sum.Err() != nil { // core keeps money far below; with nothing to set against, everything that binds is refused
		a.base, m.fund.base = hub.Decimal{}, hub.Decimal{}
	}
}

func (m *Model) mark(marks []hub.Mark) {
	for _, mark := range marks {
		for _, c := range m.all {
			if c.Instrument != mark.Instrument || mark.Gateway != "" && c.Gateway != mark.Gateway || c.mark.Equal(mark.Price) {
				continue
			}
			c.mark = mark.Price.Trim(0)
			m.revalue(c)
			m.revalueOptions(c)
		}
	}
}

func (m *Model) revalue(c *contract) {
	for _, p := range c.positions {
		m.reweigh(p)
	}
}

// list takes new and changed contracts. What they already bind is taken off the accounts with the old contract and put back with the new.
func (m *Model) list(contracts []hub.Contract) {
	for _, h := range contracts {
		c := m.contract(key{h.Gateway, h.Instrument})
		for _, p := range c.positions {
			m.replace(p, weight{})
		}
		m.set(c, h)
		if c.isOption() {
			u := m.contract(key{h.Gateway, underlyingOf(h)})
			if c.underlying = u; !slices.Contains(u.dependents, c) {
				u.dependents = append(u.dependents, c)
			}
		}
		m.revalue(c)
		m.revalueOptions(c)
	}
}

// rerate takes new rates. As the hub's core does: what was paid for a contract on margin is what it was in its own currency; for what is paid in full it is the money that it cost.
func (m *Model) rerate(rates []hub.Rate) {
	m.rates = rates
	for _, c := range m.all {
		if !c.known {
			continue
		}
		var sum hub.Sum
		rate, _ := m.rateOf(c.Currency)
		if unit := sum.Mul(c.Size, rate); sum.Err() == nil && unit.Equal(c.unit) {
			continue
		}
		before := c.unit
		for _, p := range c.positions {
			m.replace(p, weight{})
		}
		m.set(c, c.Contract)
		for _, p := range c.positions {
			p.rescale(before)
		}
		m.revalue(c)
		m.revalueOptions(c)
	}
}

// revalueOptions values what is on a contract that changed.
func (m *Model) revalueOptions(c *contract) {
	for _, option := range c.dependents {
		option.generation++
		m.revalue(option)
	}
}

// hold takes a position of the book.
func (m *Model) hold(h hub.Position) {
	p := m.position(h.Trader, m.contract(key{h.Gateway, h.Instrument}))
	s := sideOf(h.Direction)
	if h.Qty.IsNeg() {
		s = short
	}
	if h.Qty.IsZero() {
		return
	}
	var sum hub.Sum
	drift := h.Drift
	if s == short {
		drift = drift.Neg()
	}
	p.held[s] = holding{h.Qty.Abs(), sum.Sub(p.money(&sum, h.Price, h.Qty.Abs()), drift)}
	p.traded = h.Price
	m.reweigh(p)
}

// moved takes positions as they are after the operator moved something.
func (m *Model) moved(positions []hub.Position) {
	for _, h := range positions {
		p := m.position(h.Trader, m.contract(key{h.Gateway, h.Instrument}))
		if h.Direction == hub.Net {
			p.held = [sides]holding{}
		} else {
			p.held[sideOf(h.Direction)] = holding{}
		}
		m.hold(h)
		m.reweigh(p)
	}
}

func (m *Model) reweigh(p *position) { m.replace(p, p.weigh()) }

// replace swaps the weight of a position in the trader's account and the fund's.
func (m *Model) replace(p *position, now weight) {
	if now == p.weight {
		return
	}
	p.trader.swap(p, now)
	m.fund.swap(p, now)
	p.weight = now
}

func (m *Model) contract(k key) *contract {
	c := m.contracts[k]
	if c == nil {
		c = &contract{Contract: hub.Contract{Instrument: k.instrument, Gateway: k.gateway}}
		m.contracts[k] = c
		m.all = append(m.all, c)
	}
	return c
}

func (m *Model) trader(name hub.TraderName) *account {
	a := m.byTrader[name]
	if a == nil {
		a = newAccount(name)
		m.byTrader[name] = a
		at, _ := slices.BinarySearchFunc(m.traders, name, func(t *account, n hub.TraderName) int { return cmp.Compare(t.name, n) })
		m.traders = slices.Insert(m.traders, at, a)
	}
	return a
}

func (m *Model) position(trader hub.TraderName, c *contract) *position {
	k := ownKey{trader, key{c.Gateway, c.Instrument}}
	p := m.positions[k]
	if p == nil {
		p = &position{trader: m.trader(trader), contract: c}
		m.positions[k] = p
		c.positions = append(c.positions, p)
	}
	return p
}

// Numbers returns margin.used, margin.paid, margin.available and margin.ratio of every trader, and of the fund with Trader "". Of an account in which something cannot be
// valued there are none, and of one without equity there is no ratio: no number is better than a wrong one.
func (m *Model) Numbers() []hub.Number {
	var out []hub.Number
	for _, a := range append([]*account{m.fund}, m.traders...) {
		var sum hub.Sum
		equity := a.equity(&sum)
		available := sum.Sub(sum.Sub(equity, a.margin), a.paid)
		if len(a.blind) > 0 || sum.Err() != nil {
			continue
		}
		number := func(name string, value hub.Decimal) {
			out = append(out, hub.Number{Name: name, Trader: a.name, Value: value.Trim(0)})
		}
		number("margin.used", a.margin)
		number("margin.paid", a.paid)
		number("margin.available", available)
		if equity.IsPos() {
			if ratio := sum.Quo(a.margin, equity); sum.Err() == nil {
				number("margin.ratio", ratio.Ceil(6))
			}
		}
	}
	return out
}

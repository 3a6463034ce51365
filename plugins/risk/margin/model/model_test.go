package model_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/plugins/risk/margin/model"
)

// The world is what the hub's core would know, and nothing else: what each trader holds, which orders live, what the candidates ask. From it, and from the package comment
// alone, the test computes every number again from scratch, in fractions, after every event.
type world struct {
	contracts map[string]hub.Contract
	names     []string
	marks     map[string]hub.Decimal
	capital   map[hub.TraderName]hub.Decimal
	realised  map[hub.TraderName]hub.Decimal
	held      map[holder]*held
	orders    []*living
	asks      []*living
	nextAsk   uint64
	nextOrder int
	priceMax  int
}

type holder struct {
	trader   hub.TraderName
	contract string
}

type held struct{ long, short, longCost, shortCost, traded hub.Decimal }

// living is an order, or a candidate when ask is not 0.
type living struct {
	hub.Order
	ask   uint64
	worst hub.Decimal
}

const gateway = "SIM"

var dec = hub.MustDecimal

func contracts() map[string]hub.Contract {
	all := map[string]hub.Contract{}
	add := func(symbol, exchange, product string, kind hub.Kind, size, long, short string, more ...func(*hub.Contract)) {
		c := hub.Contract{
			Instrument: hub.Instrument{Symbol: symbol, Exchange: exchange}, Gateway: gateway, Product: product, Kind: kind, Currency: "CNY", Size: dec(size),
			MinQty: dec("1"), Tick: dec("1"), MarginLong: dec(long), MarginShort: dec(short),
		}
		for _, m := range more {
			m(&c)
		}
		all[c.Instrument.String()] = c
	}
	net := func(c *hub.Contract) { c.NetPosition = true }
	add("rb2610", "SHFE", "rb", hub.Futures, "10", "0.13", "0.15")
	add("rb2701", "SHFE", "rb", hub.Futures, "10", "0.13", "0.13")
	add("m2609", "DCE", "m", hub.Futures, "10", "0.1", "0.1")
	add("m2701", "DCE", "m", hub.Futures, "10", "0.1", "0.1")
	add("lc2609", "GFEX", "lc", hub.Futures, "1", "0.12", "0.12")
	add("odd2609", "SHFE", "odd", hub.Futures, "10", "0", "0")
	add("rb2610C3500", "SHFE", "rb_o", hub.Option, "10", "0", "2.2", func(c *hub.Contract) {
		c.OptionUnderlying, c.OptionStrike = "rb2610", dec("3500")
	})
	add("xx2610C5", "SHFE", "xx_o", hub.Option, "10", "0", "2.2", func(c *hub.Contract) { c.OptionUnderlying, c.OptionStrike = "xx2610", dec("5") })
	add("600519", "SSE", "600519", hub.Equity, "1", "0", "0", net)
	add("510300", "SSE", "510300", hub.ETFund, "1", "0", "0")
	add("BTCUSDT", "BINANCE", "BTCUSDT", hub.Spot, "1", "0", "0", net, func(c *hub.Contract) { c.Currency = "USDT" })
	add("BTCPERP", "BINANCE", "BTCPERP", hub.Swap, "0.001", "0.1", "0.1", net, func(c *hub.Contract) { c.Currency = "USDT" })
	add("ES2612", "CME", "ES", hub.Futures, "50", "0.1", "0.1", func(c *hub.Contract) { c.Currency = "USD" })
	return all
}

func settings() model.Settings {
	s := model.Settings{
		TraderMax: dec("0.8"), FundMax: dec("0.7"), LargerSide: model.LargerSideDefault(),
		Rates:      map[string]model.Rates{"rb": {Long: dec("0.14")}, "rb2701.SHFE": {Long: dec("0.2"), Short: dec("0.16")}},
		Currencies: map[string]hub.Decimal{"USDT": dec("7.1")},
	}
	s.LargerSide["DCE"] = model.ByContract
	return s
}

// newWorld has a few of the contracts, so that orders meet each other.
func newWorld(t *rapid.T) *world {
	w := &world{
		contracts: contracts(), marks: map[string]hub.Decimal{}, held: map[holder]*held{}, realised: map[hub.TraderName]hub.Decimal{},
		capital: map[hub.TraderName]hub.Decimal{"alpha": dec("400000"), "beta": dec("150000"), "poor": dec("900")},
	}
	w.names = rapid.SampledFrom([][]string{
		{"rb2610.SHFE", "rb2701.SHFE"},
		{"rb2610.SHFE", "rb2610C3500.SHFE", "xx2610C5.SHFE"},
		{"m2609.DCE", "m2701.DCE", "lc2609.GFEX"},
		{"BTCPERP.BINANCE"},
		{"600519.SSE", "510300.SSE", "BTCUSDT.BINANCE"},
		{"BTCPERP.BINANCE", "rb2610.SHFE"},
		slices.Sorted(maps.Keys(w.contracts)),
	}).Draw(t, "contracts")
	return w
}

func (w *world) traders() []hub.TraderName { return slices.Sorted(maps.Keys(w.capital)) }

func (w *world) of(t hub.TraderName, contract string) *held {
	k := holder{t, contract}
	if w.held[k] == nil {
		w.held[k] = &held{}
	}
	return w.held[k]
}

func (w *world) account(t hub.TraderName) hub.Account {
	return hub.Account{Trader: t, Capital: w.capital[t], Realised: w.realised[t]}
}

// book is what a risk manager that starts now is given.
func (w *world) book() hub.RiskBook {
	b := hub.RiskBook{Currency: "CNY"}
	for _, name := range w.names {
		b.Contracts = append(b.Contracts, w.contracts[name])
		if m, there := w.marks[name]; there {
			b.Marks = append(b.Marks, hub.Mark{Instrument: w.contracts[name].Instrument, Price: m})
		}
	}
	for _, t := range w.traders() {
		b.Traders = append(b.Traders, w.account(t))
		for _, name := range w.names {
			c, h := w.contracts[name], w.of(t, name)
			of := func(d hub.Direction, qty, cost hub.Decimal) {
				var sum hub.Sum
				p := hub.Position{Trader: t, Instrument: c.Instrument, Gateway: gateway, Direction: d, Qty: qty}
				if !qty.IsZero() {
					p.Price = sum.Quo(cost, sum.Mul(qty, w.unit(c))).Round(8).Trim(0)
				}
				if d == hub.Net && h.long.IsZero() {
					p.Qty = qty.Neg()
				}
				b.Positions = append(b.Positions, p)
			}
			switch {
			case c.NetPosition && h.short.IsZero():
				of(hub.Net, h.long, h.longCost)
			case c.NetPosition:
				of(hub.Net, h.short, h.shortCost)
			default:
				of(hub.Long, h.long, h.longCost)
				of(hub.Short, h.short, h.shortCost)
			}
		}
	}
	for _, o := range w.orders {
		b.Orders = append(b.Orders, o.Order)
	}
	return b
}

func (w *world) unit(c hub.Contract) hub.Decimal {
	var sum hub.Sum
	rate := dec("1")
	if c.Currency == "USDT" {
		rate = dec("7.1")
	}
	return sum.Mul(c.Size, rate)
}

// expect is the slow computation of one account, "" for the fund, from nothing but the world.
type expect struct {
	used, paid, equity *big.Rat
	why                bool // something cannot be valued
}

func rat(d hub.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		panic(d.String())
	}
	return r
}

func mul(first *big.Rat, others ...*big.Rat) *big.Rat {
	r := new(big.Rat).Set(first)
	for _, o := range others {
		r.Mul(r, o)
	}
	return r
}

// ceil4 rounds up to 1/10,000.
func ceil4(r *big.Rat) *big.Rat {
	scaled := mul(r, big.NewRat(10_000, 1))
	q, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return new(big.Rat).SetFrac(q, big.NewInt(10_000))
}

func (w *world) expect(who hub.TraderName) expect {
	e := expect{new(big.Rat), new(big.Rat), new(big.Rat), false}
	sides := map[string]*[2]*big.Rat{}
	for _, t := range w.traders() {
		if who != "" && who != t {
			continue
		}
		e.equity.Add(e.equity, rat(w.capital[t]))
		e.equity.Add(e.equity, rat(w.realised[t]))
		for _, name := range w.names {
			w.weigh(&e, sides, t, name)
		}
	}
	for _, both := range sides {
		if both[0].Cmp(both[1]) > 0 {
			e.used.Add(e.used, both[0])
		} else {
			e.used.Add(e.used, both[1])
		}
	}
	return e
}

func (w *world) weigh(e *expect, sides map[string]*[2]*big.Rat, t hub.TraderName, name string) {
	c, h := w.contracts[name], w.of(t, name)
	price, marked := w.marks[name]
	if !marked {
		price = h.traded
	}
	unit := rat(w.unit(c))
	if !h.long.IsZero() || !h.short.IsZero() {
		e.equity.Add(e.equity, new(big.Rat).Sub(mul(rat(price), rat(h.long), unit), rat(h.longCost)))
		e.equity.Sub(e.equity, new(big.Rat).Sub(mul(rat(price), rat(h.short), unit), rat(h.shortCost)))
	}
	for side, qty := range []hub.Decimal{h.long, h.short} {
		w.bind(e, sides, c, side, rat(qty), rat(price))
		opening, dearest := new(big.Rat), rat(price)
		for _, o := range append(slices.Clone(w.orders), w.asks...) {
			if o.Trader != t || o.Instrument != c.Instrument || (o.Direction == hub.Short) != (side == 1) || !c.NetPosition && o.Offset.Closes() {
				continue
			}
			own := rat(o.worst)
			if own.Cmp(rat(price)) < 0 {
				own = rat(price)
			}
			left := new(big.Rat).Sub(rat(o.Qty), rat(o.Filled))
			if !c.NetPosition {
				w.bind(e, sides, c, side, left, own)
				continue
			}
			opening.Add(opening, left)
			if own.Cmp(dearest) > 0 {
				dearest = own
			}
		}
		against := rat(h.short)
		if side == 1 {
			against = rat(h.long)
		}
		if rest := new(big.Rat).Sub(opening, against); rest.Sign() > 0 {
			w.bind(e, sides, c, side, rest, dearest)
		}
	}
}

func (w *world) bind(e *expect, sides map[string]*[2]*big.Rat, c hub.Contract, side int, qty, price *big.Rat) {
	if qty.Sign() == 0 {
		return
	}
	if price.Sign() <= 0 || c.Currency == "USD" {
		e.why = true
		return
	}
	value := mul(qty, price, rat(w.unit(c)))
	rates := [2]hub.Decimal{c.MarginLong, c.MarginShort}
	switch c.Instrument.String() {
	case "rb2610.SHFE":
		rates[0] = dec("0.14")
	case "rb2701.SHFE":
		rates = [2]hub.Decimal{dec("0.2"), dec("0.16")}
	}
	full := c.Kind == hub.Equity || c.Kind == hub.ETFund || c.Kind == hub.Spot
	switch {
	case side == 0 && (full || c.Kind == hub.Option):
		e.paid.Add(e.paid, ceil4(value))
		return
	case full, rates[side].IsZero():
		e.why = true
		return
	}
	amount := mul(value, rat(rates[side]))
	group := ""
	switch c.Exchange {
	case "SHFE":
		group = c.Product
	case "DCE":
		group = c.Symbol
	}
	if c.Kind == hub.Option {
		group = ""
		if c.Symbol == "rb2610C3500" {
			price, there := w.marks["rb2610.SHFE"]
			if !there {
				price = c.OptionStrike
			}
			amount.Add(value, mul(qty, rat(price), rat(w.unit(c)), rat(dec("0.14").Max(w.contracts["rb2610.SHFE"].MarginShort))))
		}
	}
	if group == "" {
		e.used.Add(e.used, ceil4(amount))
		return
	}
	if sides[group] == nil {
		sides[group] = &[2]*big.Rat{new(big.Rat), new(big.Rat)}
	}
	sides[group][side].Add(sides[group][side], ceil4(amount))
}

// slack is by how much the account is inside its limits; below 0 means over one.
func (e expect) slack(part *big.Rat) *big.Rat {
	margin := new(big.Rat).Sub(mul(e.equity, part), e.used)
	money := new(big.Rat).Sub(new(big.Rat).Sub(e.equity, e.used), e.paid)
	if money.Cmp(margin) < 0 {
		return money
	}
	return margin
}

// TestAgainstSlowRecomputation drives the model with random events, and after each of them holds its numbers against the slow ones, and every answer against what the
// limits say. What is refused must leave nothing, and a model that is made of the book now must say the same as the one that has seen it all.
func TestAgainstSlowRecomputation(t *testing.T) {
	passed, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		m := model.New(settings(), w.book())
		tell := func(events ...hub.RiskEvent) {
			for _, e := range rapid.Permutation(events).Draw(t, "order") {
				m.Observe(e)
			}
		}
		pick := func(orders []*living) (int, *living) {
			if len(orders) == 0 {
				t.Skip("none")
			}
			i := rapid.IntRange(0, len(orders)-1).Draw(t, "i")
			return i, orders[i]
		}
		refuseAll := func() {
			for _, ask := range w.asks {
				o := ask.Order
				o.ID, o.Status = "refused", hub.Rejected
				m.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: ask.ask, Order: o}})
			}
			w.asks = nil
		}
		w.priceMax = rapid.SampledFrom([]int{40, 400, 4000}).Draw(t, "price scale")
		t.Repeat(map[string]func(*rapid.T){
			"judge": func(t *rapid.T) {
				c := w.draw(t)
				why := m.Judge(c)
				ask := &living{ask: c.Ask, worst: worst(c), Order: hub.Order{Trader: c.Trader, OrderRequest: c.Request, Gateway: gateway}}
				contract := w.contracts[c.Request.Instrument.String()]
				h := w.of(c.Trader, c.Request.Instrument.String())
				before := w.expect(c.Trader)
				w.asks = append(w.asks, ask)
				trader, fund := w.expect(c.Trader), w.expect("")
				free := !contract.NetPosition && c.Request.Offset.Closes() || contract.NetPosition && w.reduces(ask, h)
				limit := trader.slack(big.NewRat(8, 10))
				if f := fund.slack(big.NewRat(7, 10)); f.Cmp(limit) < 0 {
					limit = f
				}
				want := free || !trader.why && !fund.why && limit.Sign() >= 0
				near := limit.Cmp(big.NewRat(1, 100)) < 0 && limit.Cmp(big.NewRat(-1, 100)) > 0
				if (why == "") != want && !near {
					t.Fatalf("%s %v: passed is %v, want %v; reason %q, slack %s, before %+v", c.Trader, c.Request, why == "", want, why, limit.FloatString(4), before)
				}
				if why != "" {
					refused++
					w.asks = w.asks[:len(w.asks)-1]
					return
				}
				passed++
			},
			"decide": func(t *rapid.T) {
				i, ask := pick(w.asks)
				w.asks = slices.Delete(w.asks, i, i+1)
				o := ask.Order
				o.Status = hub.Rejected
				if rapid.Bool().Draw(t, "sent") {
					w.nextOrder++
					o.ID, o.Status = hub.OrderID(fmt.Sprint("o", w.nextOrder)), hub.Submitted
					w.orders = append(w.orders, &living{Order: o, worst: ask.worst})
				}
				tell(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: ask.ask, Order: o}})
			},
			"fill": func(t *rapid.T) {
				i, o := pick(w.orders)
				var qty hub.Decimal
				if part := rapid.IntRange(0, 2).Draw(t, "part"); part > 0 {
					qty = dec("1").Min(left(o.Order))
				} else {
					qty = left(o.Order)
				}
				price := dec(fmt.Sprint(rapid.IntRange(1, w.priceMax).Draw(t, "price")))
				trade := w.fill(o, qty, price)
				if o.Status == hub.Filled {
					w.orders = slices.Delete(w.orders, i, i+1)
				}
				account, order := w.account(o.Trader), o.Order
				tell(hub.RiskEvent{Trade: &trade}, hub.RiskEvent{Account: &account}, hub.RiskEvent{Order: &order})
			},
			"cancel": func(t *rapid.T) {
				i, o := pick(w.orders)
				w.orders = slices.Delete(w.orders, i, i+1)
				o.Status = hub.Cancelled
				order := o.Order
				tell(hub.RiskEvent{Order: &order})
			},
			"mark": func(t *rapid.T) {
				name := rapid.SampledFrom(w.names).Draw(t, "contract")
				w.marks[name] = dec(fmt.Sprint(rapid.IntRange(1, w.priceMax).Draw(t, "mark")))
				tell(hub.RiskEvent{Marks: []hub.Mark{{Instrument: w.contracts[name].Instrument, Price: w.marks[name]}}})
			},
			"list again": func(t *rapid.T) {
				name := rapid.SampledFrom(w.names).Draw(t, "contract")
				c := w.contracts[name]
				if c.MarginShort.IsZero() || strings.HasPrefix(name, "rb2701") {
					t.Skip("its rate is not the contract's own")
				}
				c.MarginShort = dec(fmt.Sprintf("0.%02d", rapid.IntRange(5, 30).Draw(t, "rate")))
				w.contracts[name] = c
				tell(hub.RiskEvent{Contracts: []hub.Contract{c}})
			},
			"restart": func(t *rapid.T) {
				refuseAll()
				for _, o := range w.orders {
					o.worst = o.Price // the book does not say at what price a market order was judged
				}
				for k, h := range w.held {
					if _, marked := w.marks[k.contract]; !marked {
						h.traded = average(w, k, h)
					}
				}
				m = model.New(settings(), w.book())
			},
			"": func(t *rapid.T) {
				w.compare(t, "running", m.Numbers())
				if len(w.asks) == 0 && !slices.ContainsFunc(w.orders, func(o *living) bool { return o.worst != o.Price }) && w.allMarked() {
					w.compare(t, "rebuilt", model.New(settings(), w.book()).Numbers())
				}
			},
		})
	})
	t.Logf("%d candidates passed, %d refused", passed, refused)
	if passed == 0 || refused == 0 {
		t.Error("the events do not reach both answers")
	}
}

func average(w *world, k holder, h *held) hub.Decimal {
	var sum hub.Sum
	qty, cost := h.long, h.longCost
	if !h.short.IsZero() {
		qty, cost = h.short, h.shortCost
	}
	if qty.IsZero() {
		return hub.Decimal{}
	}
	return sum.Quo(cost, sum.Mul(qty, w.unit(w.contracts[k.contract]))).Round(8)
}

func (w *world) allMarked() bool {
	for k, h := range w.held {
		if _, marked := w.marks[k.contract]; !marked && (!h.long.IsZero() || !h.short.IsZero()) {
			return false
		}
	}
	return true
}

// draw makes a candidate of any kind, also of what cannot be.
func (w *world) draw(t *rapid.T) hub.Candidate {
	w.nextAsk++
	name := rapid.SampledFrom(w.names).Draw(t, "contract")
	c := w.contracts[name]
	r := hub.OrderRequest{
		Instrument: c.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
		Offset: rapid.SampledFrom([]hub.Offset{hub.Open, hub.Open, hub.Close, hub.CloseToday}).Draw(t, "offset"),
		Type:   rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.Limit, hub.FAK, hub.Market, hub.Stop}).Draw(t, "type"),
		Qty:    dec(fmt.Sprint(rapid.IntRange(1, 12).Draw(t, "qty"))),
	}
	if c.NetPosition {
		r.Offset = hub.NoOffset
	}
	if r.Type != hub.Market {
		r.Price = dec(fmt.Sprint(rapid.IntRange(1, w.priceMax).Draw(t, "price")))
	}
	if r.Offset.Closes() { // the core lets nobody close what is not there
		h := w.of("alpha", name)
		if h.long.IsZero() && h.short.IsZero() {
			r.Offset = hub.Open
		}
	}
	candidate := hub.Candidate{Ask: w.nextAsk, Trader: rapid.SampledFrom(w.traders()).Draw(t, "trader"), Request: r, Gateway: gateway}
	if rapid.Bool().Draw(t, "market") {
		candidate.Market = hub.MarketView{Ask: dec(fmt.Sprint(rapid.IntRange(1, w.priceMax).Draw(t, "ask"))), Last: dec("7")}
	}
	return candidate
}

// worst is what the model is to value an order at: a sell, a market and a stop order trade at whatever is there, and without a market nobody knows.
func worst(c hub.Candidate) hub.Decimal {
	if c.Request.Direction == hub.Long && c.Request.Type != hub.Market && c.Request.Type != hub.Stop {
		return c.Request.Price
	}
	touch := c.Market.Ask.Max(c.Market.Last)
	if touch.IsZero() {
		return touch
	}
	return touch.Max(c.Request.Price)
}

// reduces: with all others of its side filled before it, the order only takes away from the other side of what is held.
func (w *world) reduces(ask *living, h *held) bool {
	total := new(big.Rat)
	for _, o := range append(slices.Clone(w.orders), w.asks...) {
		if o.Trader == ask.Trader && o.Instrument == ask.Instrument && o.Direction == ask.Direction {
			total.Add(total, rat(left(o.Order)))
		}
	}
	against := h.short
	if ask.Direction == hub.Short {
		against = h.long
	}
	return total.Cmp(rat(against)) <= 0
}

func left(o hub.Order) hub.Decimal {
	var sum hub.Sum
	return sum.Sub(o.Qty, o.Filled)
}

// fill books a fill as the core does.
func (w *world) fill(o *living, qty, price hub.Decimal) hub.Trade {
	var sum hub.Sum
	name := o.Instrument.String()
	c, h := w.contracts[name], w.of(o.Trader, name)
	o.Filled, o.Status = sum.Add(o.Filled, qty), hub.PartFilled
	if o.Filled.Equal(o.Qty) {
		o.Status = hub.Filled
	}
	h.traded = price
	money := func(qty hub.Decimal) hub.Decimal { return sum.Mul3(price, qty, w.unit(c)).Round(8).Trim(0) }
	mine, mineCost, other, otherCost := &h.long, &h.longCost, &h.short, &h.shortCost
	sign := dec("-1")
	if o.Direction == hub.Short {
		mine, mineCost, other, otherCost, sign = other, otherCost, mine, mineCost, dec("1")
	}
	closing := hub.Decimal{}
	if c.NetPosition || o.Offset.Closes() {
		closing = qty.Min(*other)
	}
	if closing.IsPos() {
		share := *otherCost
		if !closing.Equal(*other) {
			share = sum.Quo(sum.Mul(*otherCost, closing), *other).Round(8).Trim(0)
		}
		gain := sum.Mul(sign, sum.Sub(money(closing), share))
		*other, *otherCost = sum.Sub(*other, closing), sum.Sub(*otherCost, share)
		w.realised[o.Trader] = sum.Add(w.realised[o.Trader], gain)
	}
	if rest := sum.Sub(qty, closing); rest.IsPos() && !o.Offset.Closes() {
		*mine, *mineCost = sum.Add(*mine, rest), sum.Add(*mineCost, money(rest))
	}
	return hub.Trade{
		OrderID: o.ID, Trader: o.Trader, Instrument: o.Instrument, Gateway: gateway, Direction: o.Direction, Offset: o.Offset, Price: price, Qty: qty,
	}
}

func (w *world) compare(t *rapid.T, which string, numbers []hub.Number) {
	got := map[string]hub.Decimal{}
	for _, n := range numbers {
		got[string(n.Trader)+" "+n.Name] = n.Value
	}
	for _, who := range append([]hub.TraderName{""}, w.traders()...) {
		want := w.expect(who)
		used, there := got[string(who)+" margin.used"]
		if there == want.why {
			t.Fatalf("%s %q: numbers are there: %v, but what cannot be valued: %v", which, who, there, want.why)
		}
		if !there {
			continue
		}
		if used.IsNeg() || rat(used).Cmp(want.used) != 0 {
			t.Fatalf("%s %q: margin.used is %s, want %s", which, who, used, want.used.FloatString(4))
		}
		if paid := got[string(who)+" margin.paid"]; paid.IsNeg() || rat(paid).Cmp(want.paid) != 0 {
			t.Fatalf("%s %q: margin.paid is %s, want %s", which, who, paid, want.paid.FloatString(4))
		}
		available := new(big.Rat).Sub(new(big.Rat).Sub(want.equity, want.used), want.paid)
		// Profit is rounded down to 1/10,000 per position, and a rebuilt cost is an average price times a quantity.
		if off := new(big.Rat).Sub(available, rat(got[string(who)+" margin.available"])); off.Abs(off).Cmp(big.NewRat(1, 100)) > 0 {
			t.Fatalf("%s %q: margin.available is %s, want %s", which, who, got[string(who)+" margin.available"], available.FloatString(4))
		}
	}
}

package core

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// The orders of a fund must not trade with each other: exchanges count that as self-trading, whoever of the fund sent them. So an order that could trade with a working order of the
// fund in the same market is found before it is sent. Quantities do not matter, nor does who sent what.
//
// Could trade means: the buy's price is not below the sell's. A market order trades at any price, and so does a stop once it is triggered; when that will be, and what the fund will
// have working then, is not known. So a market order and a stop, as the new order and as the working one, meet every order of the other direction. A protective stop therefore
// stands in the way of all orders of the other direction: the price of not knowing.
//
// Working is every order that was decided and has not ended: sent and not confirmed, in doubt, being cancelled.

const codeCross = "internal-cross"

// pool is where orders can meet: a contract at a gateway; or, of an exchange that is one market, the contract at whichever gateway leads there.
type pool struct {
	gateway    hub.GatewayName
	instrument hub.Instrument
}

// manyMarkets are VeighNa's names for exchanges that stand for more than one market: the same contract at two gateways is then not the same book.
var manyMarkets = []string{"GLOBAL", "LOCAL", "SMART", "OTC", "IDEALPRO"}

func poolOf(o *order) pool {
	if slices.Contains(manyMarkets, o.Exchange) {
		return pool{o.Gateway, o.Instrument}
	}
	return pool{instrument: o.Instrument}
}

// own is what the fund has working in one pool, each side in the order in which it would be met, the first to meet last. It is made of the orders: no part of the state.
type own struct{ buys, sells []*order }

func (w *own) side(d hub.Direction) *[]*order {
	if d == hub.Long {
		return &w.buys
	}
	return &w.sells
}

// anyPrice: the order can trade at any price.
func anyPrice(o *order) bool { return o.Type == hub.Market || o.Type == hub.Stop }

// meetsLater orders the working orders of one direction: negative when a is met later than b.
func meetsLater(a, b *order) int {
	free, other := anyPrice(a), anyPrice(b)
	switch {
	case free != other && other:
		return -1
	case free != other:
		return 1
	case free:
		return compareNumbers(b, a)
	}
	if by := a.reach().Cmp(b.reach()); by != 0 {
		if a.Direction == hub.Short {
			return -by
		}
		return by
	}
	return compareNumbers(b, a)
}

// compareNumbers: of two orders at a price, the older one is met first.
func compareNumbers(a, b *order) int {
	if a.number < b.number {
		return -1
	}
	if a.number > b.number {
		return 1
	}
	return 0
}

// meet reports whether two orders of opposite directions could trade with each other.
func meet(a, b *order) bool {
	if anyPrice(a) || anyPrice(b) {
		return true
	}
	if a.Direction == hub.Long {
		return b.reach().Cmp(a.reach()) <= 0
	}
	return a.reach().Cmp(b.reach()) <= 0
}

func (c *Core) ownIn(p pool) *own {
	w := c.owns[p]
	if w == nil {
		w = &own{}
		c.owns[p] = w
	}
	return w
}

// works takes an order in that may trade from now on.
func (c *Core) works(o *order) {
	side := c.ownIn(poolOf(o)).side(o.Direction)
	at, _ := slices.BinarySearchFunc(*side, o, meetsLater)
	*side = slices.Insert(*side, at, o)
}

// worksNot takes an order out that has ended.
func (c *Core) worksNot(o *order) {
	side := c.ownIn(poolOf(o)).side(o.Direction)
	at, found := slices.BinarySearchFunc(*side, o, meetsLater)
	if !found {
		panic(fmt.Sprintf("core: entry %d: order %s ended and was not working", c.seq, o.ID))
	}
	*side = slices.Delete(*side, at, at+1)
}

// met are the working orders of the fund that an order could trade with, the first to meet last. It allocates nothing; the slice must not be kept.
func (c *Core) met(o *order) []*order {
	w := c.owns[poolOf(o)]
	if w == nil {
		return nil
	}
	others := *w.side(opposite(o.Direction))
	n := len(others)
	for n > 0 && meet(o, others[n-1]) {
		n--
	}
	return others[n:]
}

// crossing refuses an order that could trade with a working order of the fund. The refusal goes to its trader, so it tells of the other order what the market would show, the price,
// and not whose it is; Crossed tells the operator.
func (c *Core) crossing(o *order) (hub.Refusal, bool) {
	met := c.met(o)
	if len(met) == 0 || c.rules == nil || c.rules.InternalCross() == policy.CrossAllow {
		return hub.Refusal{}, false
	}
	first := met[len(met)-1]
	return hub.Refuse(codeCross, "this %s would meet the fund's own %s; orders of one fund do not trade with each other", inWords(o, true), inWords(first, false)), true
}

// inWords is an order for people who may not know whose it is, with its contract or without.
func inWords(o *order, contract bool) hub.Words {
	var what hub.Words
	switch {
	case contract && o.Direction == hub.Short:
		what = hub.Say("sell of %s", o.Instrument)
	case contract:
		what = hub.Say("buy of %s", o.Instrument)
	case o.Direction == hub.Short:
		what = hub.Say("sell")
	default:
		what = hub.Say("buy")
	}
	if o.Type == hub.Market {
		return hub.Say("market %s", what)
	}
	if o.Type == hub.Stop {
		return hub.Say("stop %s (trigger %s)", what, o.Price)
	}
	return hub.Say("%s at %s", what, o.reach())
}

// crossed counts an order that was prevented from meeting others, and tells the operator which.
func (c *Core) crossed(o *order, waits bool) {
	if first := o.Tries == 0 || waits && o.Tries == 1; first { // an order that waited was counted then
		c.happened(c.byTrader[o.Trader], c.contracts[key{o.Gateway, o.Instrument}], crossPrevented, amounts{})
	}
	met := c.met(o)
	e := Crossed{Order: o.Order, Waits: waits, With: make([]hub.Order, 0, len(met))}
	for _, other := range slices.Backward(met) {
		e.With = append(e.With, other.Order)
	}
	c.emit(e)
}

// ofOwn answers rules about the fund's own orders in the order's market.
func (s *source) ofOwn(v policy.Var) policy.Value {
	var buys, sells []*order
	if w := s.core.owns[poolOf(s.order)]; w != nil {
		buys, sells = w.buys, w.sells
	}
	//exhaustive:ignore
	switch v {
	case policy.OwnBestBuy:
		return bestPrice(buys, "the fund has no working buy", "the fund has a working buy without a price")
	case policy.OwnBestSell:
		return bestPrice(sells, "the fund has no working sell", "the fund has a working sell without a price")
	case policy.OwnBuys:
		return policy.Count(len(buys))
	case policy.OwnSells:
		return policy.Count(len(sells))
	case policy.OwnWouldCross:
		return policy.Truth(len(s.core.met(s.order)) > 0)
	}
	return policy.Missing("it is not known to this hub")
}

func bestPrice(side []*order, none, free string) policy.Value {
	if len(side) == 0 {
		return policy.Missing(none)
	}
	best := side[len(side)-1]
	if anyPrice(best) {
		return policy.Missing(free)
	}
	return policy.Number(best.reach())
}

// tradeName is what a gateway calls a trade.
type tradeName struct {
	key
	id string
}

// tradeSides counts the fills of one name.
type tradeSides struct{ buys, sells int }

// side is a fill's count, by the direction of its order.
func (s *tradeSides) side(d hub.Direction) *int {
	if d == hub.Long {
		return &s.buys
	}
	return &s.sells
}

// named takes in a fill that a gateway calls name, before it is booked. It returns how many fills had that name, and the order that traded with this one, when it is one of the fund's: a
// venue that matches two orders of the fund reports both under the name of the one trade, as CTP does. A venue that names the two sides of a trade differently hides it: there only
// prevention helps.
func (c *Core) named(o *order, name string) (before int, with *order) {
	n := tradeName{key{o.Gateway, o.Instrument}, name}
	s := c.tradeNames[n]
	before = s.buys + s.sells
	pairs := min(s.buys, s.sells)
	*s.side(o.Direction)++
	c.tradeNames[n] = s
	if min(s.buys, s.sells) == pairs {
		return before, nil
	}
	for _, other := range slices.Backward(c.orderList) { // rare, and the other is not far
		if other.Direction != o.Direction && other.Instrument == o.Instrument && other.Gateway == o.Gateway && other.hasFill(name) {
			return before, other
		}
	}
	return before, nil
}

// unname forgets the names of the fills of an order that is forgotten.
func (c *Core) unname(o *order) {
	for _, f := range o.Fills {
		n := tradeName{key{o.Gateway, o.Instrument}, f.name()}
		s := c.tradeNames[n]
		*s.side(o.Direction)--
		if s == (tradeSides{}) {
			delete(c.tradeNames, n)
			continue
		}
		c.tradeNames[n] = s
	}
}

// name is what the venue calls a fill.
func (f fill) name() string {
	if f.Venue != "" {
		return f.Venue
	}
	return f.ID
}

// rename takes in the fills of an order that was restored.
func (c *Core) rename(o *order) {
	for _, f := range o.Fills {
		n := tradeName{key{o.Gateway, o.Instrument}, f.name()}
		s := c.tradeNames[n]
		*s.side(o.Direction)++
		c.tradeNames[n] = s
	}
}

// selfTraded counts a trade of the fund with itself, as exchanges do by contract and day, when the second of its two fills is there.
func (c *Core) selfTraded(o, other *order, name string) {
	k := c.contracts[key{o.Gateway, o.Instrument}]
	c.happened(c.byTrader[o.Trader], k, selfTraded, amounts{})
	if other.Trader != o.Trader {
		c.happened(c.byTrader[other.Trader], k, selfTradedToo, amounts{})
	}
	if c.rules == nil || c.rules.InternalCross() != policy.CrossAllow {
		c.alert("gateway %s: the fund traded with itself: trade %s of %s is between order %s of %s and order %s of %s; %d in this contract today",
			o.Gateway, name, o.Instrument, other.ID, other.Trader, o.ID, o.Trader, c.lane(c.fund, c.placeOf(k)).of(policy.ScopeAccount, policy.InContract).Day.Counts[tallySelfTrades])
	}
}

// restored takes in an order of an image.
func (c *Core) restored(o *order) {
	if !o.Status.Final() && o.Ask == 0 {
		c.works(o)
	}
	if o.Ask >= waitAsk {
		c.waits(o)
	}
	c.rename(o)
}

// checkOwn makes again, of the orders alone, what is kept of working orders and of the names of trades, and compares.
func (c *Core) checkOwn() error {
	fresh := New()
	for _, o := range c.orderList {
		fresh.restored(o)
	}
	kept := maps.Clone(c.owns)
	maps.DeleteFunc(kept, func(_ pool, w *own) bool { return len(w.buys)+len(w.sells) == 0 })
	var errs []error
	if !maps.EqualFunc(kept, fresh.owns, func(a, b *own) bool { return slices.Equal(a.buys, b.buys) && slices.Equal(a.sells, b.sells) }) {
		errs = append(errs, errors.New("the fund's working orders are not those that are kept by price"))
	}
	if !maps.Equal(c.tradeNames, fresh.tradeNames) {
		errs = append(errs, errors.New("the names of trades are not those of the orders' fills"))
	}
	return errors.Join(append(errs, c.checkWaits())...)
}

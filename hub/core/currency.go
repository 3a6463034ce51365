package core

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// The core keeps the newest word on each currency, whoever said it: hub.yaml at a start, or a person through hub ctl. What is held and worked in a currency is valued by it from then on.

// rateByFile is who says a rate that stands in hub.yaml.
const rateByFile = "hub.yaml"

// rate is the newest word on a currency.
type rate struct {
	hub.Rate `cbor:"1,keyasint"`
	At       hub.Time `cbor:"2,keyasint,omitempty"`
	By       string   `cbor:"3,keyasint,omitempty"`
}

// Rates are sane between these; a rate of 0.000001 and one of a million are both known to be some currency's.
var (
	rateMax      = hub.Int(10_000_000)
	rateScaleMax = 12
	// rateStep is by how much a rate changes at most in one step, up or down, unless it is said to jump: a slip of a decimal point must not revalue a fund.
	rateStep = hub.Int(2)
)

// rateOf returns the newest word on a currency.
func (c *Core) rateOf(currency string) (rate, bool) {
	for _, r := range c.rates {
		if r.Currency == currency {
			return r, true
		}
	}
	return rate{}, false
}

// rate is how much of the fund's currency one unit of another is worth.
func (c *Core) rate(currency string) (hub.Decimal, bool) {
	r, ok := c.rateOf(currency)
	return r.Rate.Rate, ok
}

// setRates takes a person's word on some currencies: all of them, or none.
func (c *Core) setRates(in hub.SetRates) {
	var errs []string
	var moves []rate
	for i, r := range in.Rates {
		switch why := c.badRate(r, in.Jump); {
		case why != "":
			errs = append(errs, why)
		case slices.ContainsFunc(in.Rates[:i], func(o hub.Rate) bool { return o.Currency == r.Currency }):
			errs = append(errs, r.Currency+" is there twice")
		default:
			moves = append(moves, rate{hub.Rate{Currency: r.Currency, Rate: r.Rate.Trim(0)}, c.now, in.By})
		}
	}
	if len(errs) == 0 {
		if err := c.move(moves); err != nil {
			errs = append(errs, err.Error())
		}
	}
	c.emit(RatesAnswered{Rates: c.Rates(), Errors: errs})
}

// badRate says what is wrong with a rate; "" when nothing is.
func (c *Core) badRate(r hub.Rate, jump bool) string {
	switch {
	case c.setup.Currency == "":
		return "the fund's currency is not known yet"
	case r.Currency == "":
		return "a rate of no currency"
	case r.Currency == c.setup.Currency:
		return r.Currency + " is the fund's own currency: its rate is 1"
	case !r.Rate.IsPos() || rateMax.Less(r.Rate) || r.Rate.MinScale() > rateScaleMax:
		return fmt.Sprintf("%s of %s is no rate: more than 0, at most %s, with at most %d decimals", r.Rate, r.Currency, rateMax, rateScaleMax)
	}
	old, ok := c.rate(r.Currency)
	if !ok || jump {
		return ""
	}
	var sum hub.Sum
	if most, least := sum.Mul(old, rateStep), sum.Quo(old, rateStep); most.Less(r.Rate) || r.Rate.Less(least) || sum.Err() != nil {
		return fmt.Sprintf("%s moves from %s to %s, by more than %s times; say that it is so, if it is", r.Currency, old, r.Rate, rateStep)
	}
	return ""
}

// fileRates takes what the configuration says. A rate counts as said when it is first read, or when it changed in the file since the start before: a restart neither renews it nor
// undoes what a person has said since. One that is no longer in the file is forgotten, unless a person said it.
func (c *Core) fileRates(before, now hub.SetUp) {
	if before.Currency != now.Currency {
		c.rates = nil // they were worth so much in another currency
		if before.Currency != "" && len(c.fund.Positions) > 0 {
			c.alert("the fund's currency was %s and is %s; what the books hold is still counted in %s", before.Currency, now.Currency, before.Currency)
		}
	}
	find := func(in []hub.Rate, currency string) (hub.Decimal, bool) {
		for _, r := range in {
			if r.Currency == currency {
				return r.Rate, r.Rate.IsPos()
			}
		}
		return hub.Decimal{}, false
	}
	c.rates = slices.DeleteFunc(c.rates, func(r rate) bool {
		_, still := find(now.Rates, r.Currency)
		return !still && r.By == rateByFile
	})
	for _, r := range now.Rates {
		if !r.Rate.IsPos() || r.Currency == now.Currency {
			continue
		}
		was, inFile := find(before.Rates, r.Currency)
		if _, known := c.rateOf(r.Currency); known && inFile && was.Equal(r.Rate) {
			continue
		}
		if err := c.move([]rate{{hub.Rate{Currency: r.Currency, Rate: r.Rate.Trim(0)}, c.now, rateByFile}}); err != nil {
			c.alert("the rate of %s in hub.yaml is not taken: %v", r.Currency, err)
		}
	}
}

// move puts rates in force and revalues what is in their currencies: all, or, when a number would become too large to be counted, none.
func (c *Core) move(rates []rate) error {
	var moved []*contract
	for _, r := range rates {
		for _, k := range c.contractList {
			if k.Currency != r.Currency || c.idle(k.key) {
				continue
			}
			fresh := *k
			fresh.Rate = r.Rate.Rate
			fresh.derive()
			if fresh.Why != k.Why || !sane(fresh.Contract, fresh.Rate) {
				return fmt.Errorf("at %s of %s the size of %s is out of range", r.Rate.Rate, r.Currency, k.Instrument)
			}
			moved = append(moved, &fresh)
		}
	}
	if !c.countable(moved) {
		return errors.New("what is held would be worth more than can be counted")
	}
	for _, r := range rates {
		i := slices.IndexFunc(c.rates, func(o rate) bool { return o.Currency == r.Currency })
		if i >= 0 {
			c.rates[i] = r
			continue
		}
		c.rates = append(c.rates, r)
	}
	slices.SortFunc(c.rates, func(a, b rate) int { return cmp.Compare(a.Currency, b.Currency) })
	var sum hub.Sum
	for _, fresh := range moved {
		k := c.contracts[fresh.key]
		c.reprice(&sum, c.holders(), k, fresh)
		*k = *fresh
	}
	c.addUp(&sum) // what is counted for accounts and groups, for contracts and products
	for _, k := range c.contractList {
		if slices.ContainsFunc(rates, func(r rate) bool { return r.Currency == k.Currency }) && c.idle(k.key) {
			c.refresh(k)
		}
	}
	for _, b := range c.holders() {
		if slices.ContainsFunc(moved, func(k *contract) bool { return b.byKey[k.key] != nil }) {
			b.crest(&sum)
			c.tellRevalued(b, moved)
		}
	}
	c.must(&sum, "revaluing")
	return nil
}

// countable tries a revaluation on copies: no number may come near to what cannot be counted.
func (c *Core) countable(moved []*contract) bool {
	var sum hub.Sum
	trial := c.shadows(moved)
	for _, fresh := range moved {
		c.reprice(&sum, trial, c.contracts[fresh.key], fresh)
	}
	for _, b := range trial {
		for _, x := range []hub.Decimal{b.Gross, b.WorkingValue, b.profit(&sum)} {
			if wealth.Cmp(x.Abs()) <= 0 {
				return false
			}
		}
	}
	return sum.Err() == nil
}

// wealth is beyond what all positions, or all active orders, may be worth after a change of rates.
var wealth = hub.MustDecimal("100000000000000")

// tellRevalued tells a trader of positions and money that are worth something else.
func (c *Core) tellRevalued(b *book, moved []*contract) {
	if b == c.fund || b == c.unassigned {
		return
	}
	for _, k := range moved {
		if b.byKey[k.key] != nil {
			c.emit(BookChanged{Trader: b.Trader, Gateway: k.Gateway, Instrument: k.Instrument})
		}
	}
	c.emit(BookChanged{Trader: b.Trader})
}

// shadows are copies of all books, as far as some contracts are concerned, to try a revaluation on.
func (c *Core) shadows(contracts []*contract) []*book {
	var out []*book
	for _, b := range c.holders() {
		shadow := *b
		shadow.byKey = make(map[key]*position, len(contracts))
		for _, k := range contracts {
			if p := b.byKey[k.key]; p != nil {
				copied := *p
				copied.in = nil
				if p.exact != nil {
					exact := *p.exact
					copied.exact = &exact
				}
				shadow.byKey[k.key] = &copied
			}
		}
		out = append(out, &shadow)
	}
	return out
}

// reprice values what books hold and work in a contract at fresh, which differs from k by its rate: holds are given back as they were taken and taken anew; what was paid for a
// position, and the margin that it holds, are what they were in the contract's currency.
func (c *Core) reprice(sum *hub.Sum, books []*book, k, fresh *contract) {
	fund := books[0]
	c.holds(sum, books, k, -1)
	for _, b := range books {
		if p := b.byKey[k.key]; p != nil {
			b.weigh(sum, k, p, -1)
		}
	}
	for _, b := range books[1:] {
		p := b.byKey[k.key]
		if p == nil {
			continue
		}
		before := *p
		p.rescale(sum, k, fresh)
		if q := fund.byKey[k.key]; q != nil && !k.NetPosition { // the fund is the sum of its traders
			q.shift(sum, &before, p)
		}
	}
	if q := fund.byKey[k.key]; q != nil && k.NetPosition {
		q.rescale(sum, k, fresh)
	}
	for _, b := range books {
		if p := b.byKey[k.key]; p != nil {
			p.revalue(sum, fresh.unit)
			b.weigh(sum, fresh, p, +1)
		}
	}
	c.holds(sum, books, fresh, +1)
}

// holds takes the holds of all active orders in a contract, or gives them back.
func (c *Core) holds(sum *hub.Sum, books []*book, k *contract, sign int) {
	for _, o := range c.orderList {
		if o.Status.Final() || o.Ask != 0 || o.Gateway != k.Gateway || o.Instrument != k.Instrument {
			continue
		}
		h := holdOf(sum, o, k)
		for _, b := range books {
			if p := b.byKey[k.key]; p != nil && (b.Trader == "" || b.Trader == o.Trader) {
				b.apply(sum, p, o.Direction, h, sign)
			}
		}
	}
}

// rescale counts what was paid for a position, and the margin that it holds, at another rate.
func (p *position) rescale(sum *hub.Sum, k, fresh *contract) {
	scaled := func(d hub.Decimal) hub.Decimal {
		return sum.Quo(sum.Mul(d, fresh.Rate), k.Rate).Round(moneyScale).Trim(0)
	}
	for _, s := range []*side{&p.Long, &p.Short} {
		cost := scaled(s.Cost)
		if k.paidInFull() { // it is money of that currency that is owned, or owed
			gain := sum.Sub(cost, s.Cost)
			if s == &p.Short {
				gain = gain.Neg()
			}
			s.Drift = sum.Add(s.Drift, gain)
		}
		s.Cost, s.Margin = cost, scaled(s.Margin)
	}
}

// takeOldRates makes rates of what images of before rates could change say.
func (c *Core) takeOldRates() {
	for _, r := range c.setup.Rates {
		if r.Rate.IsPos() && r.Currency != c.setup.Currency {
			c.rates = append(c.rates, rate{r, c.now, rateByFile})
		}
	}
	slices.SortFunc(c.rates, func(a, b rate) int { return cmp.Compare(a.Currency, b.Currency) })
}

// refresh makes an idle contract anew of what the gateway says of it and of the rates.
func (c *Core) refresh(k *contract) {
	now := k.Contract
	if k.Next != nil {
		now = *k.Next
	}
	delisted := k.Delisted
	c.become(k, c.newContract(now))
	k.Delisted = delisted
}

// unrated refuses an order whose contract is in a currency of which no rate is known, or none that is fresh. What only makes a position smaller may go at the last rate.
func (c *Core) unrated(o *order, b *book, k *contract) (hub.Refusal, bool) {
	if k.Currency == "" || k.Currency == c.setup.Currency {
		return hub.Refusal{}, false
	}
	r, ok := c.rateOf(k.Currency)
	switch limit := c.setup.RatesMaxAge; {
	case !ok:
	case limit == 0 || c.now.Sub(r.At) <= limit:
		return hub.Refusal{}, false
	}
	if notReducing(o, b, k).Empty() {
		return hub.Refusal{}, false
	}
	why := hub.Say("no rate from %s to %s", k.Currency, c.setup.Currency)
	if ok {
		why = hub.Say("the rate from %s to %s, %s, is %s old, over %s", k.Currency, c.setup.Currency, r.Rate.Rate, c.now.Sub(r.At).Round(time.Second), c.setup.RatesMaxAge)
	}
	return hub.Refuse("rate", "%s cannot be valued: %s; orders that only reduce a position pass", k.Instrument, why), true
}

// RateStanding is the newest word on a currency.
type RateStanding struct {
	hub.Rate
	At  hub.Time
	By  string
	Old bool // older than the configuration lets a rate be
}

// Rates returns the newest word on every currency, sorted by their codes.
func (c *Core) Rates() []RateStanding {
	out := make([]RateStanding, len(c.rates))
	for i, r := range c.rates {
		out[i] = RateStanding{Rate: r.Rate, At: r.At, By: r.By, Old: c.setup.RatesMaxAge > 0 && c.now.Sub(r.At) > c.setup.RatesMaxAge}
	}
	return out
}

// hubRates are the rates as risk managers get them.
func (c *Core) hubRates() []hub.Rate {
	out := make([]hub.Rate, len(c.rates))
	for i, r := range c.rates {
		out[i] = r.Rate
	}
	return out
}

// ofRate answers the variables of rates, of the contract's currency or of the one that the rule names.
func (s *source) ofRate(v policy.Var, currency string) policy.Value {
	c := s.core
	if currency == "" {
		currency = s.contract.currency(c)
	}
	own := currency == c.setup.Currency
	r, ok := c.rateOf(currency)
	switch {
	case !own && !ok:
		return policy.Missing("no rate from " + currency + " to " + c.setup.Currency)
	case v == policy.ContractRate || v == policy.FundRate:
		if own {
			return policy.Number(hub.Int(1))
		}
		return policy.Number(r.Rate.Rate)
	case own:
		return policy.Number(hub.Decimal{})
	}
	return number(func(sum *hub.Sum) hub.Decimal {
		return sum.Quo(hub.Int(int64(max(0, c.now.Sub(r.At))/time.Microsecond)), hub.Int(1_000_000))
	})
}

// checkRates recomputes what stands at a rate.
func (c *Core) checkRates(sum *hub.Sum) []error {
	var errs []error
	for _, k := range c.contractList {
		want, ok := hub.Int(1), true
		if k.Currency != "" && k.Currency != c.setup.Currency {
			want, ok = c.rate(k.Currency)
		}
		if ok && k.Why == "" && !k.Rate.Equal(want) {
			errs = append(errs, fmt.Errorf("contract %s is at the rate %s and should be at %s", k.Instrument, k.Rate, want))
		}
	}
	for _, b := range c.holders() {
		for _, p := range b.Positions {
			fresh := *p
			fresh.revalue(sum, c.contracts[p.Key].unit)
			if !fresh.Unrealised.Equal(p.Unrealised) {
				errs = append(errs, fmt.Errorf("%s: unrealised of %s is %s and should be %s", cmp.Or(string(b.Trader), "fund"), p.Key.Instrument, p.Unrealised, fresh.Unrealised))
			}
		}
	}
	return errs
}

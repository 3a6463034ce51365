package model

import (
	"cmp"
	"strings"

	"tradehub/hub"
)

// key is a contract at a gateway.
type key struct {
	gateway    hub.GatewayName
	instrument hub.Instrument
}

// group is within what sides are set off: a product of one exchange at one gateway, or one contract of it.
type group struct {
	gateway  hub.GatewayName
	exchange string
	name     string
}

// contract is a hub.Contract with what is computed from it once.
type contract struct {
	hub.Contract
	known bool // a gateway has listed it
	unit  hub.Decimal
	rates [sides]hub.Decimal
	// sellerRate is what the settings say of an option's seller, as a part of the underlying's value; 0: nothing.
	sellerRate hub.Decimal
	scope      Scope
	group      group
	// why the contract cannot be valued; "" when it can.
	why string

	mark hub.Decimal
	// generation changes with everything that costOf reads.
	generation uint64
	// underlying is of an option; dependents are the options on this contract.
	underlying *contract
	dependents []*contract
	positions  []*position
}

// rateOf is what one unit of a currency is worth in the fund's: as the settings say, else as the hub does.
func (m *Model) rateOf(currency string) (hub.Decimal, bool) {
	if currency == "" || currency == m.currency {
		return hub.Int(1), true
	}
	if rate, own := m.settings.Currencies[currency]; own {
		return rate, true
	}
	for _, r := range m.rates {
		if r.Currency == currency && r.Rate.IsPos() {
			return r.Rate, true
		}
	}
	return hub.Decimal{}, false
}

// set takes what a gateway says of the contract.
func (m *Model) set(c *contract, h hub.Contract) {
	s := m.settings
	c.Contract, c.known, c.why = h, true, ""
	c.generation++
	rate, there := m.rateOf(h.Currency)
	if !there {
		c.why = "no rate from " + h.Currency + " to " + m.currency
	}
	var sum hub.Sum
	c.unit = sum.Mul(h.Size, rate)
	if sum.Err() != nil || !c.unit.IsPos() {
		c.why = cmp.Or(c.why, "no contract size")
	}
	c.rates, c.sellerRate = [sides]hub.Decimal{long: h.MarginLong, short: h.MarginShort}, hub.Decimal{}
	for _, name := range []string{h.Product, h.Instrument.String()} {
		own, there := s.Rates[name]
		if there && own.Long.IsPos() {
			c.rates[long] = own.Long
		}
		if there && own.Short.IsPos() {
			c.rates[short], c.sellerRate = own.Short, own.Short
		}
	}
	c.scope = s.LargerSide[h.Exchange]
	c.group = group{h.Gateway, h.Exchange, h.Product}
	if h.Product == "" || c.scope != ByProduct {
		c.group.name = h.Symbol
	}
}

func (c *contract) isOption() bool { return c.Kind == hub.Option }

// paidInFull: a purchase costs its whole value, and what is not held cannot be sold.
func (c *contract) paidInFull() bool {
	switch c.Kind {
	case hub.Equity, hub.Spot, hub.ETFund, hub.Bond, hub.Warrant, hub.Fund:
		return !c.rates[long].IsPos()
	case hub.NoKind, hub.Futures, hub.Option, hub.Index, hub.Forex, hub.Spread, hub.CFD, hub.Swap:
	}
	return false
}

// underlyingOf is the instrument that an option is on: a symbol of the same exchange, or with an exchange of its own.
func underlyingOf(h hub.Contract) hub.Instrument {
	if strings.Contains(h.OptionUnderlying, ".") {
		if i, ok := hub.ParseInstrument(h.OptionUnderlying); ok {
			return i
		}
	}
	return hub.Instrument{Symbol: h.OptionUnderlying, Exchange: h.Exchange}
}

// cost is what qty at price binds on a side: as margin, or, with full, as money paid.
type cost struct {
	amount hub.Decimal
	full   bool
}

// costOf answers what qty of the contract binds, or why that cannot be said.
func (c *contract) costOf(s side, qty, price hub.Decimal) (cost, string) {
	switch {
	case qty.IsZero():
		return cost{}, ""
	case !c.known:
		return cost{}, "no gateway lists " + c.Instrument.String()
	case c.why != "":
		return cost{}, c.why
	case !price.IsPos():
		return cost{}, "no price of " + c.Instrument.String()
	}
	var sum hub.Sum
	value := sum.Mul3(price, qty, c.unit)
	var out cost
	switch {
	case c.isOption() && s == long, c.paidInFull() && s == long:
		out = cost{value, true}
	case c.paidInFull():
		return cost{}, c.Instrument.String() + " cannot be sold short"
	case c.isOption() && c.underlyingRate().IsPos():
		price := c.underlyingPrice()
		if !price.IsPos() {
			return cost{}, "neither a price of " + underlyingOf(c.Contract).String() + ", which " + c.Symbol + " is on, nor a strike price"
		}
		out.amount = sum.Add(value, sum.Mul(sum.Mul3(price, qty, c.unit), c.underlyingRate()))
	case !c.rates[s].IsPos():
		return cost{}, "no margin rate of " + c.Instrument.String()
	default:
		out.amount = sum.Mul(value, c.rates[s])
	}
	out.amount = out.amount.Ceil(amountScale)
	if sum.Err() != nil || tooMuch(out.amount) {
		return cost{}, outOfRange
	}
	return out, ""
}

// underlyingRate is the rate at which an option's seller is charged on the underlying: the settings' for the option, else the higher of the underlying's own; 0 when
// the underlying is not listed.
func (c *contract) underlyingRate() hub.Decimal {
	if c.sellerRate.IsPos() {
		return c.sellerRate
	}
	if u := c.underlying; u != nil && u.known {
		return u.rates[long].Max(u.rates[short])
	}
	return hub.Decimal{}
}

// underlyingPrice is the underlying's mark, and the strike while there is none: marks are told of what is held, and the underlying may not be.
func (c *contract) underlyingPrice() hub.Decimal {
	if c.underlying != nil && c.underlying.mark.IsPos() {
		return c.underlying.mark
	}
	return c.OptionStrike
}

// amountScale is to how many decimals amounts are rounded up; the sums of a hundred thousand amounts below amountMax are exact.
const amountScale = 4

var amountMax = hub.MustDecimal("10000000000")

func tooMuch(d hub.Decimal) bool { return d.CmpAbs(amountMax) >= 0 }

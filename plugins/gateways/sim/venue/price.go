package venue

import (
	"math"
	"time"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/listing"
	"tradehub/plugins/gateways/sim/market"
)

// yearDays is how many days a year has for a volatility: all of them, since the path goes on while exchanges are closed.
const yearDays = 365

// pricer knows what strangers think a contract is worth, at any instant.
type pricer struct {
	c *listing.Contract
	// path is the contract's own, or its underlying's.
	path  *market.Path
	under *listing.Contract // nil when the contract is no option
	still bool
	open  *market.Path // of its open interest
}

func newPricer(c *listing.Contract, seed uint64, asOf time.Time, still bool) *pricer {
	of := c
	if c.PricedBy != nil {
		of = c.PricedBy
	}
	base, _ := of.Market.Base.Float64()
	interest, _ := c.Market.OpenInt.Float64()
	anchor := asOf.UnixNano()
	day := of.Market.Volatility / math.Sqrt(yearDays)
	if still {
		day = 0
	}
	return &pricer{
		c: c, under: c.PricedBy, still: still,
		path: market.NewPath(market.HashText(seed, of.String()), base, day, anchor),
		open: market.NewPath(market.HashText(seed, "open interest of "+c.String()), interest, 0.01, anchor),
	}
}

// at returns the price in ticks.
func (p *pricer) at(t hub.Time) int64 {
	price := p.path.At(int64(t))
	if p.under != nil {
		price = p.option(price, t)
	}
	return p.c.NearestTicks(price)
}

// underlying returns the price that daily limits are a part of: the underlying's for an option.
func (p *pricer) underlying(t hub.Time) hub.Decimal {
	if p.under == nil {
		return p.c.Price(p.at(t))
	}
	return p.under.Price(p.under.NearestTicks(p.path.At(int64(t))))
}

// option values an option on a future by Black's formula, without interest.
func (p *pricer) option(future float64, t hub.Time) float64 {
	strike, _ := p.c.OptionStrike.Float64()
	sign := 1.0
	if p.c.OptionType == hub.Put {
		sign = -1
	}
	years := p.c.OptionExpiry.Sub(t).Hours() / (365 * 24)
	if years <= 0 {
		return max(0, sign*(future-strike))
	}
	spread := p.c.Market.Volatility * math.Sqrt(years)
	d1 := math.Log(future/strike)/spread + spread/2
	return sign * (future*normal(sign*d1) - strike*normal(sign*(d1-spread)))
}

func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// openInterest returns how many lots are open; whole ones.
func (p *pricer) openInterest(t hub.Time) hub.Decimal {
	if p.c.Market.OpenInt.IsZero() {
		return hub.Decimal{}
	}
	if p.still {
		return p.c.Market.OpenInt
	}
	return hub.Int(int64(p.open.At(int64(t))))
}

// volume returns how many steps changed hands in the minute that begins at t.
func (p *pricer) volume(t hub.Time) int64 {
	level, _ := p.c.Steps(p.c.Market.LevelQty)
	return level*3 + int64(market.Hash(market.HashText(0, p.c.Symbol), uint64(t))%uint64(level*3+1))
}

package core

import "tradehub/hub"

// contract is a hub.Contract with what the core computes from it once.
type contract struct {
	hub.Contract `cbor:"1,keyasint"`
	Rate         hub.Decimal `cbor:"2,keyasint,omitzero"` // of the contract's currency in the fund's
	// Why the contract cannot be valued; "" when it can.
	Why string `cbor:"3,keyasint,omitempty"`
	// Delisted: the gateway trades it no more; kept while something hangs on it.
	Delisted bool `cbor:"4,keyasint,omitempty"`

	key  key
	unit hub.Decimal // Size * Rate
}

func (c *Core) newContract(h hub.Contract) *contract {
	k := &contract{Contract: h, Rate: hub.Int(1)}
	if h.Currency != "" && h.Currency != c.setup.Currency {
		rate, ok := c.rate(h.Currency)
		if !ok {
			k.Why = "no rate from " + h.Currency + " to " + c.setup.Currency
		}
		k.Rate = rate
	}
	if !h.Size.IsPos() {
		k.Why = "the gateway names no size for " + h.Instrument.String()
	}
	if !h.MinQty.IsPos() {
		k.Why = "the gateway names no smallest quantity for " + h.Instrument.String()
	}
	k.derive()
	return k
}

func (k *contract) derive() {
	var sum hub.Sum
	k.key = key{k.Gateway, k.Instrument}
	k.unit = sum.Mul(k.Size, k.Rate)
	if sum.Err() != nil {
		k.Why = "the size of " + k.Instrument.String() + " is out of range"
	}
}

func (c *Core) rate(currency string) (hub.Decimal, bool) {
	for _, r := range c.setup.Rates {
		if r.Currency == currency && r.Rate.IsPos() {
			return r.Rate, true
		}
	}
	return hub.Decimal{}, false
}

// paidInFull: shares and coins, where a purchase costs its whole value.
func (c *contract) paidInFull() bool { return c.MarginLong.IsZero() }

// margin is the money that value holds in a direction.
func (c *contract) margin(sum *hub.Sum, d hub.Direction, value hub.Decimal) hub.Decimal {
	part := c.MarginLong
	if d == hub.Short {
		part = c.MarginShort
	}
	if part.IsZero() {
		return value
	}
	return sum.Mul(value, part).Round(moneyScale).Trim(0)
}

// findContract returns the contract that a request names: at the gateway that it names, else at the first gateway of the configuration that trades it.
func (c *Core) findContract(gateway hub.GatewayName, i hub.Instrument) *contract {
	if gateway != "" {
		if k := c.contracts[key{gateway, i}]; k != nil && !k.Delisted {
			return k
		}
		return nil
	}
	for _, g := range c.gateways {
		if k := c.contracts[key{g.Name, i}]; k != nil && !k.Delisted {
			return k
		}
	}
	return nil
}

func (c *Core) setContracts(in hub.Contracts) {
	g := c.gateway(in.Gateway)
	if g == nil {
		c.alert("contracts from gateway %s, which is not configured", in.Gateway)
		return
	}
	// A contract that left the list stays known while something hangs on it: holds, and fills that come late, are computed from it.
	needed := make(map[key]bool, len(c.orderList))
	for _, o := range c.orderList {
		needed[key{o.Gateway, o.Instrument}] = true
	}
	listed := make(map[key]bool, len(in.Contracts))
	for _, h := range in.Contracts {
		h.Gateway = in.Gateway
		listed[key{h.Gateway, h.Instrument}] = true
	}
	kept := make([]*contract, 0, len(in.Contracts))
	for _, k := range c.contractList {
		switch {
		case k.key.Gateway != in.Gateway || listed[k.key]:
			kept = append(kept, k)
		case needed[k.key] || !c.idle(k.key):
			k.Delisted = true
			kept = append(kept, k)
		default:
			delete(c.contracts, k.key)
		}
	}
	c.contractList = kept
	for _, h := range in.Contracts {
		h.Gateway = in.Gateway
		c.putContract(h)
	}
}

// idle reports whether no book holds or works anything in a contract.
func (c *Core) idle(k key) bool {
	var sum hub.Sum
	for _, b := range c.traders {
		if p := b.byKey[k]; p != nil && !p.empty(&sum) {
			return false
		}
	}
	return true
}

// putContract adds or changes a contract. Holds and margins are computed from it, so one on which something hangs stays as it is until it is idle.
func (c *Core) putContract(h hub.Contract) {
	k := key{h.Gateway, h.Instrument}
	old := c.contracts[k]
	switch {
	case old == nil:
		fresh := c.newContract(h)
		c.contracts[k] = fresh
		c.contractList = append(c.contractList, fresh)
	case c.idle(k):
		*old = *c.newContract(h)
	default:
		old.Delisted = false
		if old.Contract != h {
			c.alert("contract %s changed at %s while it is held or worked; the change waits until it is not", h.Instrument, h.Gateway)
		}
	}
}

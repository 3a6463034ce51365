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
	// Next is what the gateway says now, when it changed while something hung on the contract; it is taken when nothing does.
	Next *hub.Contract `cbor:"5,keyasint,omitempty"`

	key   key
	unit  hub.Decimal // Size * Rate
	place int32       // index into Core.places; 0: not looked up yet
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
	if h.SellNextDay && (!h.NetPosition || !k.paidInFull()) {
		k.Why = "the gateway says that " + h.Instrument.String() + " is sold on the next day, which is for what is paid in full and nets"
	}
	if !sane(h, k.Rate) {
		k.Why = "the gateway's size, margins or fees of " + h.Instrument.String() + " make no sense"
	}
	k.derive()
	return k
}

// sane: the numbers of a contract are such that no order or fill in range can overflow.
func sane(h hub.Contract, rate hub.Decimal) bool {
	within := func(max hub.Decimal, numbers ...hub.Decimal) bool {
		for _, n := range numbers {
			if n.IsNeg() || max.Less(n) {
				return false
			}
		}
		return true
	}
	f := h.Fees
	var sum hub.Sum
	for _, fee := range []hub.Decimal{f.OpenPerUnit, f.ClosePerUnit, f.CloseTodayPerUnit} {
		if !within(hub.Int(1_000_000), sum.Mul(fee, rate)) || sum.Err() != nil {
			return false
		}
	}
	return within(hub.Int(10_000_000), h.Size, rate, h.Tick, h.MinQty, h.MaxQty, f.OpenPerUnit, f.ClosePerUnit, f.CloseTodayPerUnit) &&
		within(hub.Int(10), h.MarginLong, h.MarginShort) &&
		within(hub.Int(1), f.OpenByValue, f.CloseByValue, f.CloseTodayByValue)
}

func (k *contract) derive() {
	var sum hub.Sum
	k.key = key{k.Gateway, k.Instrument}
	k.unit = sum.Mul(k.Size, k.Rate)
	if sum.Err() != nil {
		k.Why = "the size of " + k.Instrument.String() + " is out of range"
	}
}

// currency is what the prices of a contract are in; a gateway that does not say it means the fund's.
func (k *contract) currency(c *Core) string {
	if k.Currency == "" {
		return c.setup.Currency
	}
	return k.Currency
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

// findContract returns the contract that a request names: at the gateway that it names, else at the first gateway of the configuration that trades it and is up, else at the first
// that trades it.
func (c *Core) findContract(gateway hub.GatewayName, i hub.Instrument) *contract {
	if gateway != "" {
		if k := c.contracts[key{gateway, i}]; k != nil && !k.Delisted {
			return k
		}
		return nil
	}
	var down *contract
	for _, g := range c.gateways {
		k := c.contracts[key{g.Name, i}]
		switch {
		case k == nil || k.Delisted:
		case g.Up:
			return k
		case down == nil:
			down = k
		}
	}
	return down
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

// become replaces a contract by what the gateway says of it now.
func (c *Core) become(k, now *contract) {
	*k = *now
	c.rejoinPositions(k)
}

// rejoinPositions finds anew which cells the positions in a contract add to, which add nothing now: it may be of another product.
func (c *Core) rejoinPositions(k *contract) {
	for _, b := range c.books() {
		if p := b.byKey[k.key]; p != nil {
			p.in = c.cellsOf(b, k.key)
		}
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
	p := c.unassigned.byKey[k]
	return p == nil || p.empty(&sum)
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
		c.rejoinPositions(fresh)
	case c.idle(k):
		c.become(old, c.newContract(h))
	default:
		old.Delisted, old.Next = false, nil
		if old.Contract != h {
			old.Next = &h
			c.alert("contract %s changed at %s while it is held or worked; the change waits until it is not", h.Instrument, h.Gateway)
		}
	}
}

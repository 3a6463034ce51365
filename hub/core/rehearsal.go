package core

import (
	"errors"
	"fmt"

	"tradehub/hub"
)

// Rehearsal asks the rules in force about orders that nobody sends, on a copy of the state: what the core does later it does not know. It keeps its memory between questions, so it is
// asked about one order at a time.
type Rehearsal struct {
	core   *Core
	order  order
	source source
}

// Rehearse returns a Rehearsal of the state as it is now.
func (c *Core) Rehearse() (*Rehearsal, error) {
	copied, err := Restore(c.Image())
	if err != nil {
		return nil, fmt.Errorf("rehearse: %w", err)
	}
	return &Rehearsal{core: copied}, nil
}

// Decide answers what the rules would refuse of an order, were it decided at that time, or, when that is past, now: what the hub itself asks of every order, and its risk managers,
// are not asked. An error says why the rules could not be asked at all.
func (r *Rehearsal) Decide(in *hub.SubmitOrder, at hub.Time) ([]hub.Refusal, error) {
	c := r.core
	c.now = max(c.now, at)
	b := c.byTrader[in.Trader]
	k := c.findContract(in.Gateway, in.Request.Instrument)
	switch {
	case b == nil:
		return nil, fmt.Errorf("trader %s is not configured", in.Trader)
	case k == nil:
		return nil, fmt.Errorf("no gateway trades %s", in.Request.Instrument)
	case c.rules == nil:
		return nil, errors.New("no policy is loaded")
	}
	r.order = order{Order: hub.Order{Trader: in.Trader, OrderRequest: tidy(in.Request), Gateway: k.Gateway, Time: c.now, Updated: c.now}}
	if k.NetPosition {
		r.order.Offset = hub.NoOffset
	}
	if refusal, bad := valued(&r.order, k, in.Market); bad {
		return nil, errors.New(refusal.Text)
	}
	r.source = source{core: c, order: &r.order, contract: k, trader: b, lane: c.lane(b, c.placeOf(k)), market: in.Market}
	return c.rules.Decide(in.Trader, &r.source), nil
}

// Now is the time of the copy.
func (r *Rehearsal) Now() hub.Time { return r.core.now }

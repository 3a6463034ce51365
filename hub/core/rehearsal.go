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
	if err := r.Put(in, at); err != nil {
		return nil, err
	}
	return r.Ask(), nil
}

// Another returns a Rehearsal of the same copy of the state, and its time, for another order.
func (r *Rehearsal) Another() *Rehearsal { return &Rehearsal{core: r.core} }

// Put is the first half of Decide: it finds the contract and values the order.
func (r *Rehearsal) Put(in *hub.SubmitOrder, at hub.Time) error {
	c := r.core
	c.now = max(c.now, at)
	b := c.byTrader[in.Trader]
	k := c.findContract(in.Gateway, in.Request.Instrument)
	switch {
	case b == nil:
		return fmt.Errorf("trader %s is not configured", in.Trader)
	case k == nil:
		return fmt.Errorf("no gateway trades %s", in.Request.Instrument)
	case c.rules == nil:
		return errors.New("no policy is loaded")
	}
	r.order = order{Order: hub.Order{Trader: in.Trader, OrderRequest: tidy(in.Request), Gateway: k.Gateway, Time: c.now, Updated: c.now}}
	if k.NetPosition {
		r.order.Offset = hub.NoOffset
	}
	if refusal, bad := valued(&r.order, k, in.Market); bad {
		return errors.New(refusal.Text)
	}
	r.source = source{core: c, order: &r.order, contract: k, trader: b, lane: c.lane(b, c.placeOf(k)), market: in.Market}
	return nil
}

// Ask is the second half: it asks the rules about the order that was put.
func (r *Rehearsal) Ask() []hub.Refusal { return r.core.rules.Decide(r.order.Trader, &r.source) }

// Now is the time of the copy.
func (r *Rehearsal) Now() hub.Time { return r.core.now }

package core

import (
	"tradehub/hub"
	"tradehub/hub/policy"
)

// Considered is what a decision went by, for the record: with it, the rules of then can be asked again what they were asked.
type Considered struct {
	// Asked: the rules were asked. They are not about an order that makes no sense, or that its owner withdrew.
	Asked bool
	// Trader, Fund and Gateway are the states at the decision.
	Trader, Fund, Gateway hub.State
	// Worst is the price at which the order was valued; 0: it could not be.
	Worst hub.Decimal
	// Readings are what the rules were told, in the order in which they asked, with repeats. They are the core's own, and valid until the next Step.
	Readings []policy.Reading
	// Noted are what the rules said against an order that was sent in spite of them, because it closes.
	Noted []hub.Refusal
}

// Liquidating says that the hub sent an order of its own, which closes what a trader holds.
type Liquidating struct {
	Order      hub.Order
	Revision   string
	Considered Considered
}

func (Liquidating) effect() {}

// consider begins to note what is read for a decision.
func (c *Core) consider(o *order, b *book, k *contract) {
	c.considered = Considered{Trader: b.state, Fund: c.fund.state, Worst: o.Worst}
	if g := c.gateway(k.Gateway); g != nil {
		c.considered.Gateway = g.state
	}
	c.readFrom = len(c.readings)
	c.reading = true
}

// considerNoMore ends what consider began.
func (c *Core) considerNoMore() {
	c.reading = false
	c.considered.Asked = c.rules != nil
	c.considered.Readings = c.readings[c.readFrom:len(c.readings):len(c.readings)]
}

// heard is where it is noted what a rule is told while an order is decided; nil at other times.
func (c *Core) heard(ref *policy.Ref) *policy.Value {
	if !c.reading {
		return nil
	}
	c.readings = append(c.readings, policy.Reading{Ref: ref})
	return &c.readings[len(c.readings)-1].Value
}

// Instead is the revision of the policy folder in whose place a rollback put the files in force; "" when there was none since the last load.
func (c *Core) Instead() string { return c.instead }

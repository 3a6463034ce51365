package core

import (
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/gate"
)

// Overrides are kept in one list by their numbers: those that are open, and the last that ended, for who asks what became of them.

const (
	// overridesOpenMax is how many may be open at once; overridesEnded is how many are remembered after their end. The record has them all.
	overridesOpenMax = 64
	overridesEnded   = 200
	// overrideRulesMax bounds how many rules one may name.
	overrideRulesMax = 32
	// overrideWordsMax bounds the reason, in bytes.
	overrideWordsMax = 1000
)

// OverrideChanged says that an override was asked for, approved, used, or has ended.
type OverrideChanged struct {
	Override hub.Override
}

// OverrideAnswered answers an AskOverride, an ApproveOverride or a WithdrawOverride: with Refusals nothing changed.
type OverrideAnswered struct {
	Override hub.Override
	Refusals []string
}

func (OverrideChanged) effect()  {}
func (OverrideAnswered) effect() {}

// askOverride opens an override. It lets nothing pass before it is approved.
func (c *Core) askOverride(in hub.AskOverride) {
	v, why := c.planOverride(in)
	if len(why) > 0 {
		c.emit(OverrideAnswered{Refusals: why})
		return
	}
	c.overrideCount++
	v.Number = c.overrideCount
	c.overrides = append(c.overrides, v)
	c.forgetOverrides()
	c.emit(OverrideChanged{Override: v})
	c.emit(OverrideAnswered{Override: v})
}

// planOverride finds all that speaks against an override: at once, so that nobody has to ask five times.
func (c *Core) planOverride(in hub.AskOverride) (hub.Override, refusals) {
	var why refusals
	order := in.Order
	order.Qty, order.Price = order.Qty.Trim(0), order.Price.Trim(0)
	if in.By.Name == "" {
		why.add("nobody asks for it")
	}
	if in.Reason == "" || len(in.Reason) > overrideWordsMax {
		why.add("it needs a reason, of at most %d bytes", overrideWordsMax)
	}
	if in.For <= 0 || in.For > hub.OverrideMax {
		why.add("it is open for at least a moment and at most %s, not for %s", hub.OverrideMax, in.For)
	}
	open := 0
	for i := range c.overrides {
		if c.overrides[i].State.Open() {
			open++
		}
	}
	if open >= overridesOpenMax {
		why.add("%d overrides are open; withdraw one first", open)
	}
	if b := c.byTrader[order.Trader]; b == nil || !b.Configured {
		why.add("trader %s is not configured", order.Trader)
	}
	k := c.findContract(order.Gateway, order.Instrument)
	switch {
	case k == nil && order.Gateway != "":
		why.add("gateway %s does not trade %s", order.Gateway, order.Instrument)
	case k == nil:
		why.add("no gateway trades %s", order.Instrument)
	default:
		order.Gateway = k.Gateway
		if _, rest, err := order.Qty.QuoRem(k.MinQty); k.Why == "" && (err != nil || !rest.IsZero()) {
			why.add("quantity %s is not a multiple of %s", order.Qty, k.MinQty)
		}
		if k.NetPosition && order.Offset != hub.NoOffset {
			why.add("%s has no offsets: leave it out", order.Instrument)
		}
	}
	if order.Direction != hub.Long && order.Direction != hub.Short {
		why.add("the direction is LONG or SHORT, not %q", order.Direction)
	}
	if !order.Qty.IsPos() || outOfRange(order.Qty) {
		why.add("quantity %s is out of range", order.Qty)
	}
	if order.Price.IsNeg() || outOfRange(order.Price) {
		why.add("price %s is out of range", order.Price)
	}
	rules := c.rulesNamed(order.Trader, in.Rules, &why)
	return hub.Override{
		State: hub.OverrideAsked, Order: order, Rules: rules, Revision: c.revision(), Reason: in.Reason, Asked: c.now, Expires: c.now.Add(in.For), AskedBy: in.By,
	}, why
}

// rulesNamed finds the rules that a person names among those that decide about a trader's orders.
func (c *Core) rulesNamed(trader hub.TraderName, names []string, why *refusals) []hub.OverrideRule {
	if len(names) == 0 || len(names) > overrideRulesMax {
		why.add("it names at least one rule, and at most %d", overrideRulesMax)
		return nil
	}
	if c.rules == nil {
		why.add("no policy is loaded")
		return nil
	}
	all := c.rules.RulesOf(trader)
	var found []hub.OverrideRule
	for _, name := range names {
		bare, ofFund := strings.CutPrefix(name, "fund:")
		bare, ofTrader := strings.CutPrefix(bare, "trader:")
		fits := slices.DeleteFunc(slices.Clone(all), func(r hub.OverrideRule) bool { return r.Name != bare || ofFund && !r.Fund || ofTrader && r.Fund })
		switch {
		case len(fits) == 0:
			why.add("no rule %s decides about orders of %s", name, trader)
		case len(fits) > 1:
			why.add("%s has a rule %s, and so has the fund; say trader:%s or fund:%s, or both", trader, bare, bare, bare)
		case slices.Contains(found, fits[0]):
			why.add("rule %s is named twice", name)
		default:
			found = append(found, fits[0])
		}
	}
	return found
}

// approveOverride takes the second person's word.
func (c *Core) approveOverride(in hub.ApproveOverride) {
	v := c.override(in.Number)
	var why refusals
	switch {
	case v == nil:
		why.add("there is no override %d", in.Number)
	case v.State == hub.OverrideApproved:
		why.add("override %d is approved already, by %s", v.Number, v.ApprovedBy)
	case v.State != hub.OverrideAsked:
		why.add("override %d is %s", v.Number, v.State)
	case in.By.Name == "":
		why.add("nobody approves it")
	case in.By.Same(v.AskedBy):
		why.add("override %d was asked for by %s: it takes a second person", v.Number, v.AskedBy)
	}
	if len(why) > 0 {
		c.emit(OverrideAnswered{Refusals: why})
		return
	}
	v.State, v.Approved, v.ApprovedBy = hub.OverrideApproved, c.now, in.By
	c.emit(OverrideChanged{Override: *v})
	c.emit(OverrideAnswered{Override: *v})
	c.tell(v.Order.Trader, Info, "", hub.Say("override %d: one order, %s, may pass %s until %s; asked for by %s, approved by %s",
		v.Number, v.Order.Words(), v.RuleNames(), moment(v.Expires, c.now), v.AskedBy.Name, v.ApprovedBy.Name))
}

// withdrawOverride ends one that nobody used. Whoever may reach the hub may do that: it only refuses more.
func (c *Core) withdrawOverride(in hub.WithdrawOverride) {
	v := c.override(in.Number)
	var why refusals
	switch {
	case v == nil:
		why.add("there is no override %d", in.Number)
	case !v.State.Open():
		why.add("override %d is %s", v.Number, v.State)
	case in.By.Name == "":
		why.add("nobody withdraws it")
	case len(in.Reason) > overrideWordsMax:
		why.add("the reason has more than %d bytes", overrideWordsMax)
	}
	if len(why) > 0 {
		c.emit(OverrideAnswered{Refusals: why})
		return
	}
	v.EndedBy = in.By
	c.endOverride(v, hub.OverrideWithdrawn, in.Reason)
	c.emit(OverrideAnswered{Override: *v})
	c.forgetOverrides()
}

func (c *Core) override(number uint64) *hub.Override {
	i, found := slices.BinarySearchFunc(c.overrides, number, func(v hub.Override, n uint64) int {
		switch {
		case v.Number < n:
			return -1
		case v.Number > n:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &c.overrides[i]
}

// endOverride ends one without an order, and tells the trader who could have used it.
func (c *Core) endOverride(v *hub.Override, state hub.OverrideState, why string) {
	known := v.State == hub.OverrideApproved
	v.State, v.Ended, v.Why = state, c.now, why
	c.emit(OverrideChanged{Override: *v})
	if known {
		c.tell(v.Order.Trader, Info, "", hub.Say("override %d is %s", v.Number, v.State))
	}
}

// expireOverrides ends those whose time is over.
func (c *Core) expireOverrides() {
	if c.overrideDue == 0 || c.now < c.overrideDue {
		return
	}
	for i := range c.overrides {
		if v := &c.overrides[i]; v.State.Open() && v.Expires <= c.now {
			c.endOverride(v, hub.OverrideExpired, "")
		}
	}
	c.forgetOverrides()
}

// voidOverrides ends those that were asked against another policy: a rule of the same name may be another rule now.
func (c *Core) voidOverrides() {
	for i := range c.overrides {
		if v := &c.overrides[i]; v.State.Open() && v.Revision != c.revision() {
			c.endOverride(v, hub.OverrideVoid, fmt.Sprintf("it was asked for against revision %s, and %s is in force", v.Revision, c.revision()))
		}
	}
	c.forgetOverrides()
}

// useOverride uses up the override by which an order got its permit.
func (c *Core) useOverride(o *order, permit gate.Permit) (used *hub.Override, lifted []hub.Refusal) {
	number, lifted := permit.Override()
	if number == 0 {
		return nil, nil
	}
	v := c.override(number)
	if v == nil || !v.Lets(o.Order, c.now) {
		panic(fmt.Sprintf("core: entry %d: order %s passes by override %d, which is not open, or not for it", c.seq, o.ID, number))
	}
	v.State, v.Ended, v.UsedBy = hub.OverrideUsed, c.now, o.ID
	o.Override = number
	copied := *v
	c.forgetOverrides()
	return &copied, lifted
}

// openOverrides are those among which there are open ones; none when none is.
func (c *Core) openOverrides() []hub.Override {
	if c.overrideDue == 0 {
		return nil
	}
	return c.overrides
}

// overrideUsed tells the operator, the record and the trader, after the decision.
func (c *Core) overrideUsed(o *order, v *hub.Override, lifted []hub.Refusal) {
	if v != nil {
		c.emit(OverrideChanged{Override: *v})
		c.tell(o.Trader, Warning, o.ID, hub.Say("order %s passed by override %d of %s and %s: %s", o.ID, v.Number, v.AskedBy, v.ApprovedBy, saidBy(lifted)))
	}
}

// notLifted are the refusals that stand in an order's way when the override that is for it is counted: an order that has to wait for others of the fund may wait although rules refuse it.
func (c *Core) notLifted(o *order, refusals []hub.Refusal) []hub.Refusal {
	all := c.openOverrides()
	for i := range all {
		if v := &all[i]; len(refusals) > 1 && v.Lets(o.Order, c.now) && v.Revision == c.revision() {
			if rest := gate.Rest(v, refusals); len(rest) == 1 && rest[0].Code == codeCross {
				return rest
			}
		}
	}
	return refusals
}

// forgetOverrides drops the oldest that ended, where there are too many, and finds when the next one expires.
func (c *Core) forgetOverrides() {
	ended := 0
	c.overrideDue = 0
	for i := range c.overrides {
		switch v := &c.overrides[i]; {
		case !v.State.Open():
			ended++
		case c.overrideDue == 0 || v.Expires < c.overrideDue:
			c.overrideDue = v.Expires
		}
	}
	c.overrides = slices.DeleteFunc(c.overrides, func(v hub.Override) bool {
		if v.State.Open() || ended <= overridesEnded {
			return false
		}
		ended--
		return true
	})
}

// Overrides are those that are open, and the last that ended, by number.
func (c *Core) Overrides() []hub.Override { return imageOfOverrides(c.overrides) }

// OverrideDue is when the next open override expires; 0 when none is open.
func (c *Core) OverrideDue() hub.Time { return c.overrideDue }

func imageOfOverrides(all []hub.Override) []hub.Override {
	copied := slices.Clone(all)
	for i := range copied {
		copied[i].Rules = slices.Clone(copied[i].Rules)
	}
	return copied
}

// checkOverrides: numbers count up, what is open can still be used, and what was used was two persons', by one order that was sent.
func (c *Core) checkOverrides() error {
	used := map[hub.OrderID]bool{}
	last, open := uint64(0), 0
	due := hub.Time(0)
	for i := range c.overrides {
		v := &c.overrides[i]
		if v.Number <= last || v.Number > c.overrideCount || len(v.Rules) == 0 || v.Expires <= v.Asked {
			return fmt.Errorf("override %d, after %d of %d, makes no sense", v.Number, last, c.overrideCount)
		}
		last = v.Number
		if v.State.Open() {
			if due == 0 || v.Expires < due {
				due = v.Expires
			}
			if open++; v.Expires <= c.now || v.Revision != c.revision() || v.Ended != 0 {
				return fmt.Errorf("override %d is still open", v.Number)
			}
		}
		if (v.State == hub.OverrideApproved || v.State == hub.OverrideUsed) && !v.TwoPersons() {
			return fmt.Errorf("override %d was not given by two persons", v.Number)
		}
		if (v.State == hub.OverrideUsed) != (v.UsedBy != "") || v.UsedBy != "" && used[v.UsedBy] {
			return fmt.Errorf("override %d is %s, by order %q", v.Number, v.State, v.UsedBy)
		}
		used[v.UsedBy] = true
		o := c.orders[v.UsedBy]
		if o != nil && (o.Override != v.Number || v.Ended >= v.Expires || !o.resized() && !v.Order.Covers(o.Order)) {
			return fmt.Errorf("override %d was used by order %s, which it is not for", v.Number, o.ID)
		}
	}
	if due != c.overrideDue {
		return fmt.Errorf("the next override expires at %d, and is expected at %d", due, c.overrideDue)
	}
	if open > overridesOpenMax || len(c.overrides)-open > overridesEnded {
		return fmt.Errorf("%d overrides are open and %d remembered", open, len(c.overrides)-open)
	}
	for _, o := range c.orderList {
		if o.Override != 0 && (o.Override > c.overrideCount || c.override(o.Override) != nil && c.override(o.Override).UsedBy != o.ID) {
			return fmt.Errorf("order %s says that it passed by override %d", o.ID, o.Override)
		}
	}
	return nil
}

// Package gate is the only door to a gateway. A Permit is what package host wants before it sends an order, and Decide is the only thing that makes one: it asks the
// trader's rules, the fund's rules and every risk manager's verdict, and gives a Permit when all of them pass. Anything missing is a refusal.
package gate

import (
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Permit is an order that may be sent, or, when its Amendment says so, amended. Only Decide makes one that is valid; the zero Permit is not.
type Permit struct {
	order    hub.Order
	revision string
	override uint64
	lifted   []hub.Refusal
}

// Valid reports whether the permit was made by a decision.
func (p Permit) Valid() bool { return p.revision != "" }

// Amends reports whether the permit is to amend a working order, and not to send one.
func (p Permit) Amends() bool { return p.order.Amending() }

// Order is the order that was decided, as it is to be sent.
func (p Permit) Order() hub.Order { return p.order }

// Revision is the policy revision that decided.
func (p Permit) Revision() string { return p.revision }

// Override is the number of the override by which the order passed, and what it lifted; 0 and none of an order that passed by itself.
func (p Permit) Override() (number uint64, lifted []hub.Refusal) { return p.override, p.lifted }

// Case is an order before its decision, and all that the decision may read.
type Case struct {
	Order hub.Order
	// Refusals are those of the core itself: a halt, a gateway that is down, nothing to close. With any of them there is no Permit.
	Refusals []hub.Refusal
	Rules    *policy.Rules // nil: nothing loaded, so nothing passes
	Source   policy.Source
	Managers []string // every one of these must have a passing verdict
	Verdicts []hub.Verdict
	// Overrides are those that are open; Decide finds the one that is for this order itself. Now is what they expire by.
	Overrides []hub.Override
	Now       hub.Time
	// Lang is what the trader reads.
	Lang hub.Lang
	// Said is where what the rules say goes, warnings and what rules in shadow say included; nil: nobody wants to know.
	Said *policy.Decision
}

// Decide asks everyone, and names everyone who refuses, in the order core, trader, fund, managers. With no refusal the Permit is valid; or with none but those of rules that an override
// for this very order names, which two persons have given and nobody has used: then the Permit says so.
func Decide(c Case) (Permit, []hub.Refusal) {
	if c.Rules == nil {
		return Permit{}, append(c.Refusals, hub.Refuse("no-policy", "no policy is loaded"))
	}
	said := c.Said
	if said == nil {
		said = &policy.Decision{}
	}
	c.Rules.DecideInto(said, c.Order.Trader, c.Source, c.Lang)
	refusals := slices.Concat(c.Refusals, said.Refusals)
	for _, manager := range c.Managers {
		i := slices.IndexFunc(c.Verdicts, func(v hub.Verdict) bool { return v.Manager == manager })
		switch {
		case i < 0:
			r := hub.Refuse("risk-manager", "risk manager %s did not answer", manager)
			r.Rule = manager
			refusals = append(refusals, r)
		case !c.Verdicts[i].Pass:
			r := hub.Refuse("risk-manager", "risk manager %s: %s", manager, hub.Fixed(c.Verdicts[i].Reason))
			r.Rule = manager
			refusals = append(refusals, r)
		}
	}
	if len(refusals) == 0 {
		return Permit{order: c.Order, revision: c.Rules.Revision()}, nil
	}
	for i := range c.Overrides {
		if v := &c.Overrides[i]; v.Revision == c.Rules.Revision() && v.Lets(c.Order, c.Now) && len(Rest(v, refusals)) == 0 {
			return Permit{order: c.Order, revision: c.Rules.Revision(), override: v.Number, lifted: refusals}, nil
		}
	}
	return Permit{}, refusals
}

// Rest are the refusals that an override leaves standing.
func Rest(v *hub.Override, refusals []hub.Refusal) []hub.Refusal {
	return slices.DeleteFunc(slices.Clone(refusals), v.Lifts)
}

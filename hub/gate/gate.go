// Package gate is the only door to a gateway. A Permit is what package host wants before it sends an order, and Decide is the only thing that makes one: it asks the
// trader's rules, the fund's rules and every risk manager's verdict, and gives a Permit when all of them pass. Anything missing is a refusal.
package gate

import (
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Permit is an order that may be sent. Only Decide makes one that is valid; the zero Permit is not.
type Permit struct {
	order    hub.Order
	revision string
}

// Valid reports whether the permit was made by a decision.
func (p Permit) Valid() bool { return p.revision != "" }

// Order is the order that was decided, as it is to be sent.
func (p Permit) Order() hub.Order { return p.order }

// Revision is the policy revision that decided.
func (p Permit) Revision() string { return p.revision }

// Case is an order before its decision, and all that the decision may read.
type Case struct {
	Order hub.Order
	// Refusals are those of the core itself: a halt, a gateway that is down, nothing to close. With any of them there is no Permit.
	Refusals []hub.Refusal
	Rules    *policy.Rules // nil: nothing loaded, so nothing passes
	Source   policy.Source
	Managers []string // every one of these must have a passing verdict
	Verdicts []hub.Verdict
}

// Decide asks everyone, and names everyone who refuses, in the order core, trader, fund, managers. With no refusal the Permit is valid.
func Decide(c Case) (Permit, []hub.Refusal) {
	if c.Rules == nil {
		return Permit{}, append(c.Refusals, hub.Refusal{Code: "no-policy", Text: "no policy is loaded"})
	}
	refusals := slices.Concat(c.Refusals, c.Rules.Decide(c.Order.Trader, c.Source))
	for _, manager := range c.Managers {
		i := slices.IndexFunc(c.Verdicts, func(v hub.Verdict) bool { return v.Manager == manager })
		switch {
		case i < 0:
			refusals = append(refusals, hub.Refusal{Code: "risk-manager", Rule: manager, Text: "risk manager " + manager + " did not answer"})
		case !c.Verdicts[i].Pass:
			refusals = append(refusals, hub.Refusal{Code: "risk-manager", Rule: manager, Text: "risk manager " + manager + ": " + c.Verdicts[i].Reason})
		}
	}
	if len(refusals) > 0 {
		return Permit{}, refusals
	}
	return Permit{order: c.Order, revision: c.Rules.Revision()}, nil
}

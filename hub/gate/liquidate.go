package gate

import (
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Liquidation is an order of the hub's own that closes what a trader holds, and all that its decision may read.
type Liquidation struct {
	Order hub.Order
	// Held is what the trader holds in the direction that the order closes, in its contract at its gateway; Working is what works in the order's direction already.
	Held, Working hub.Decimal
	// Nets: the contract has no offsets.
	Nets bool
	// Refusals are those of the core itself. With any of them there is no Permit.
	Refusals []hub.Refusal
	Rules    *policy.Rules // nil: nothing loaded
	Source   policy.Source
}

// noRules is the revision of an order that was sent when no policy was loaded.
const noRules = "none"

// Liquidate gives a Permit to an order that can only make a position smaller. Rules and risk managers keep traders from taking risks; what ends a risk is not theirs to stop. So the
// managers are not asked, and what the rules say against the order is returned as noted, for the record. That the order reduces is not the caller's word: Liquidate sees that it closes,
// and that it and all that works in its direction are not more than what is held.
func Liquidate(l Liquidation) (permit Permit, noted, refusals []hub.Refusal) {
	refusals = slices.Clone(l.Refusals)
	var sum hub.Sum
	o := &l.Order
	if !o.Qty.IsPos() || l.Held.Less(sum.Add(l.Working, o.Qty)) || sum.Err() != nil {
		refusals = append(refusals, hub.Refusal{
			Code: "not-reducing", Text: fmt.Sprintf("%s are to be closed, %s are held, and %s of them are being closed already", o.Qty, l.Held, l.Working),
		})
	}
	if !o.Offset.Closes() && (!l.Nets || o.Offset != hub.NoOffset) {
		refusals = append(refusals, hub.Refusal{Code: "not-reducing", Text: fmt.Sprintf("offset %s does not close", o.Offset)})
	}
	if len(refusals) > 0 {
		return Permit{}, nil, refusals
	}
	revision := noRules
	if l.Rules != nil {
		revision = l.Rules.Revision()
		noted = l.Rules.Decide(o.Trader, l.Source)
	}
	return Permit{order: l.Order, revision: revision}, noted, nil
}

package policy

import "tradehub/hub"

// RulesOf are the rules that decide about one trader's orders, as overrides name them: the trader's own first, then the fund's. The slice is the caller's.
func (r *Rules) RulesOf(trader hub.TraderName) []hub.OverrideRule {
	var all []hub.OverrideRule
	for _, s := range []*sheet{r.traders[trader], r.fund} {
		if s == nil {
			continue
		}
		for i := range s.rules {
			all = append(all, hub.OverrideRule{Name: s.rules[i].name, Place: s.rules[i].place, Fund: s.isFund})
		}
	}
	return all
}

package policy

import (
	"slices"
	"strings"

	"tradehub/hub/spell"
)

// didYouMean is "; did you mean X?" for the candidate that is most like name, or "" when none is.
func didYouMean(name string, candidates []string) string {
	if best := nearest(name, candidates, len(name)); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// nearest is the candidate with the fewest slips of the hand, "" when even that has more than one for every three of the letters that count.
func nearest(name string, candidates []string, letters int) string {
	return spell.Within(name, candidates, max(1, min(letters/3, 4)))
}

// synonyms are names that other systems use.
var synonyms = []struct{ theirs, ours string }{
	{"order.side", "order.direction"},
	{"order.qty", "order.quantity"},
	{"order.volume", "order.quantity"},
	{"order.lots", "order.quantity"},
	{"order.size", "order.quantity"},
	{"order.notional", "order.value"},
	{"order.amount", "order.value"},
	{"order.account", "order.trader"},
	{"order.strategy", "order.reference"},
	{"contract.pricetick", "contract.tick"},
	{"contract.multiplier", "contract.size"},
	{"contract.lot", "contract.min_quantity"},
	{"contract.type", "contract.kind"},
	{"market.price", "market.last"},
	{"market.pre_close", "market.previous_close"},
	{"trader.name", "order.trader"},
	{"trader.turnover", "trader.traded_value"},
	{"trader.lots", "trader.traded_quantity"},
	{"trader.volume", "trader.traded_quantity"},
	{"fund.turnover", "fund.traded_value"},
	{"fund.lots", "fund.traded_quantity"},
}

// variableLike is the variable that name may be meant to be, "" when there is none: the same word of another owner, a typing error, or another system's word.
func variableLike(name string, limits []string) string {
	owner, member, _ := strings.Cut(name, ".")
	if owner == "limits" {
		if best := nearest(member, limits, len(member)); best != "" {
			return "limits." + best
		}
		return ""
	}
	candidates := make([]string, 0, len(catalogue)+len(synonyms)+len(limits))
	for _, s := range synonyms {
		candidates = append(candidates, s.theirs)
	}
	for i := range catalogue {
		candidates = append(candidates, catalogue[i].Name)
	}
	for _, limit := range limits {
		candidates = append(candidates, "limits."+limit)
	}
	best := name
	if !slices.Contains(candidates, name) {
		same := slices.IndexFunc(candidates[len(synonyms):], func(c string) bool { return member != "" && strings.HasSuffix(c, "."+member) })
		if near := nearest(name, candidates, max(len(member), 1)); near != "" && (same < 0 || strings.HasSuffix(near, "."+member)) {
			best = near
		} else if same >= 0 {
			best = candidates[len(synonyms)+same]
		} else {
			return ""
		}
	}
	for _, s := range synonyms {
		if s.theirs == best {
			return s.ours
		}
	}
	return best
}

// Like is the variable that a name may be meant to be, as a rule that reads it would be told; "" when there is none.
func Like(name string) string {
	if like := variableLike(name, nil); like != name {
		return like
	}
	return ""
}

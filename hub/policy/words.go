package policy

import "tradehub/hub"

// sentences are a rule's because in each language; where the author wrote it in one only, that one stands for all.
type sentences struct{ english, chinese template }

// in is the sentence in a language.
func (s sentences) in(lang hub.Lang) template {
	if lang == hub.Chinese {
		return s.chinese
	}
	return s.english
}

// oneFor is a sentence for every language.
func oneFor(t template) sentences { return sentences{t, t} }

// doesNotHold is the sentence of a rule that has none.
func doesNotHold(require string) sentences {
	return sentences{template{{text: require + " does not hold"}}, template{{text: "不满足 " + require}}}
}

func noPolicyOf(trader hub.TraderName) hub.Refusal {
	return hub.Refuse(CodeNoPolicy, "trader %s has no policy: every order is refused until there is a file that says policy: trader and trader: %s", trader, trader)
}

func noFundPolicy() hub.Refusal {
	return hub.Refuse(CodeNoPolicy, "the fund has no policy: every order is refused until there is a file that says policy: fund")
}

// nearness is one comparison that is near to where it does not hold.
type nearness struct {
	value, limit       string // as they are written
	valueNow, limitNow string // as people read them
	part               string // of the limit, in per cent; "" when it says nothing
}

func (n nearness) sentence(lang hub.Lang) string {
	value, limit := n.value+" is "+n.valueNow, n.limit
	if lang == hub.Chinese {
		value = n.value + " 为 " + n.valueNow
	}
	if n.limitNow != n.limit {
		limit += ", " + n.limitNow
	}
	switch {
	case lang == hub.Chinese && n.part == "":
		return value + "，接近 " + limit
	case lang == hub.Chinese:
		return value + "，已达 " + n.part + " % 的 " + limit
	case n.part == "":
		return value + ", near to " + limit
	}
	return value + ", at " + n.part + " % of " + limit
}

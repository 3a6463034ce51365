package policy

import (
	"fmt"
	"strconv"

	"tradehub/hub"
)

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

func noPolicyOf(trader hub.TraderName, lang hub.Lang) hub.Refusal {
	text := fmt.Sprintf("trader %s has no policy: every order is refused until there is a file that says policy: trader and trader: %s", trader, trader)
	if lang == hub.Chinese {
		text = fmt.Sprintf("交易员 %s 没有风控规则：在有 policy: trader 和 trader: %s 的文件之前，所有委托都被拒绝", trader, trader)
	}
	return hub.Refusal{Code: CodeNoPolicy, Text: text}
}

func noFundPolicy(lang hub.Lang) hub.Refusal {
	text := "the fund has no policy: every order is refused until there is a file that says policy: fund"
	if lang == hub.Chinese {
		text = "基金没有风控规则：在有 policy: fund 的文件之前，所有委托都被拒绝"
	}
	return hub.Refusal{Code: CodeNoPolicy, Text: text}
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

// sentenceIn says in words what could not be computed, and why. The source's own words are in the source's language.
func (m *machine) sentenceIn(lang hub.Lang) string {
	if lang != hub.Chinese {
		return m.sentence()
	}
	switch m.fate {
	case fateNone:
		return ""
	case fateMissing:
		if m.why == "" {
			return m.at.String() + " 缺失"
		}
		return m.at.String() + " 缺失：" + clean(m.why)
	case fateWrongKind:
		return m.at.String() + " 不是" + kindsInChinese[m.at.kind]
	case fateZeroDivisor:
		return "不能除以 " + m.at.b.String() + "：其值为 0"
	case fateNotTraded:
		return m.at.String() + " 以 " + m.at.text + " 为单位，而 " + clean(m.why) + " 类合约不以 " + m.at.text + " 计量"
	case fateTooLong:
		return m.at.String() + " 超过 " + strconv.Itoa(MaxText) + " 字节"
	case fateTooLarge:
		return m.at.String() + " 过大：小数点前超过 19 位"
	}
	panic("policy: unknown fate")
}

var kindsInChinese = [...]string{KindMissing: "缺失值", KindNumber: "数字", KindText: "文本", KindTruth: "真假值"}

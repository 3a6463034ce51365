package policy

import (
	"slices"
	"strings"

	"tradehub/hub"
)

// Mode says what becomes of an order that a rule speaks against.
type Mode uint8

// Modes.
const (
	// Enforce refuses it.
	Enforce Mode = iota
	// Shadow records that it would have been refused.
	Shadow
)

var modeNames = []string{"enforce", "shadow"}

// String is the word that policies have for it.
func (m Mode) String() string { return modeNames[m] }

// Outcome is what a rule, or a part of it, says about an order.
type Outcome uint8

// Outcomes.
const (
	// Passed: it holds.
	Passed Outcome = iota
	// Failed: it does not hold.
	Failed
	// NotApplicable: the rule's when does not hold.
	NotApplicable
	// NotComputable: something that it needs is missing, or the arithmetic has no result. It refuses as Failed does.
	NotComputable
	// Warned: it holds, and is near to where it does not.
	Warned
	// NotAsked: it is a part of a rule, and what came before it decided.
	NotAsked
)

var outcomeNames = []string{"passed", "failed", "not applicable", "not computable", "warned", "not asked"}

// String is the outcome in words.
func (o Outcome) String() string { return outcomeNames[o] }

// Finding is what one rule says about one order, and why.
type Finding struct {
	// Owner is whose file has the rule: "" of the fund's.
	Owner hub.TraderName
	// Fund: it is a rule of the fund's file.
	Fund bool
	// Name is the rule's; "" when there are no rules, because the trader or the fund has no policy.
	Name string
	// Place is file:line of the rule.
	Place    string
	Mode     Mode
	Controls []int
	Outcome  Outcome
	// Code is that of the refusal, also of one in shadow; "" when there is none.
	Code string
	// Text says why it failed, could not be computed or warned, as the trader is told; "" when it passed or does not apply.
	Text string
	// Values are every variable and limit that was read, as "name=value", sorted.
	Values []string
	// When is the rule's when and Require its require, as they are written. Parts are those of Require when several conditions are joined by and, in their order.
	When, Require string
	Parts         []Part

	// English is Text in English, and Local and Words are those of the refusal; empty when there is none.
	English string    `json:"-"`
	Local   string    `json:"-"`
	Words   hub.Words `json:"-"`
}

// Part is one condition of several that are joined by and.
type Part struct {
	Text    string
	Outcome Outcome
}

// Refuses reports whether the finding is a reason to refuse the order.
func (f Finding) Refuses() bool { return f.Mode == Enforce && f.Code != "" }

// Refusal is what Decide says of it; of a rule in shadow, what it would have said. It is meant for findings that have a Code.
func (f Finding) Refusal() hub.Refusal {
	return hub.Refusal{Code: f.Code, Rule: f.Name, Place: f.Place, Text: f.English, Values: f.Values, Fund: f.Fund, Local: f.Local, Words: f.Words}
}

// Explain tells what every rule says about an order, the trader's file first, as DecideInto would decide: those that refuse are the same, in the same order and words. It reads nothing that
// DecideInto does not read, so that a source which has recorded a decision's values answers it.
func (r *Rules) Explain(trader hub.TraderName, source Source, lang hub.Lang) []Finding {
	var all []Finding
	if own := r.traders[trader]; own != nil {
		all = own.explain(source, lang, all)
	} else {
		all = append(all, foundNone(trader, noPolicyOf(trader).For(lang), lang))
	}
	if r.fund != nil {
		return r.fund.explain(source, lang, all)
	}
	return append(all, foundNone("", noFundPolicy().For(lang), lang))
}

func foundNone(owner hub.TraderName, refusal hub.Refusal, lang hub.Lang) Finding {
	return Finding{Owner: owner, Outcome: Failed, Code: refusal.Code, Text: refusal.In(lang), English: refusal.Text, Local: refusal.Local, Words: refusal.Words}
}

func (s *sheet) explain(source Source, lang hub.Lang, all []Finding) []Finding {
	for i := range s.rules {
		all = append(all, s.rules[i].explain(s, source, lang))
	}
	return all
}

func (r *rule) explain(s *sheet, source Source, lang hub.Lang) Finding {
	asked := &traced{source: source}
	m := machine{source: asked}
	f := Finding{
		Owner: s.trader, Fund: s.isFund, Name: r.name, Place: r.place, Mode: r.mode(), Controls: slices.Clone(r.controls), Outcome: r.ask(&m, true), When: r.whenText, Require: r.requireText,
	}
	switch f.Outcome {
	case Failed, NotComputable:
		refusal := r.refusal(&m, s.isFund, source, lang)
		f.Code, f.Text, f.Values = refusal.Code, refusal.In(lang), refusal.Values
		f.English, f.Local, f.Words = refusal.Text, refusal.Local, refusal.Words
	case Warned:
		f.Text, f.Values = r.warning(source, lang), asked.values(r.whenReads(true))
	case Passed:
		f.Values = asked.values(r.whenReads(true))
	case NotApplicable, NotAsked:
		f.Values = asked.values(r.whenReads(false))
	}
	f.Parts = r.parts(f.Outcome, source)
	return f
}

func (r *rule) mode() Mode {
	if r.shadow {
		return Shadow
	}
	return Enforce
}

// whenReads are the variables and limits of when; with more, of all that the rule has.
func (r *rule) whenReads(more bool) []*node {
	if more {
		return readsOf(r.when, r.require, r.warn)
	}
	return readsOf(r.when)
}

// parts finds what each condition of a require says that is made of several.
func (r *rule) parts(outcome Outcome, source Source) []Part {
	conditions := conjuncts(r.require, nil)
	if len(conditions) < 2 {
		return nil
	}
	decided := outcome == NotApplicable || outcome == NotComputable && !r.applies(source)
	parts := make([]Part, len(conditions))
	for i, n := range conditions {
		parts[i] = Part{Text: n.String(), Outcome: NotAsked}
		if decided {
			continue
		}
		m := machine{source: source}
		switch holds, ok := m.truth(n); {
		case !ok:
			parts[i].Outcome, decided = NotComputable, true
		case !holds:
			parts[i].Outcome, decided = Failed, true
		default:
			parts[i].Outcome = Passed
		}
	}
	return parts
}

func (r *rule) applies(source Source) bool {
	if r.when == nil {
		return true
	}
	m := machine{source: source}
	applies, ok := m.truth(r.when)
	return applies && ok
}

// conjuncts are the conditions that are joined by and.
func conjuncts(n *node, all []*node) []*node {
	if n.op != opAnd {
		return append(all, n)
	}
	return conjuncts(n.b, conjuncts(n.a, all))
}

// traced remembers what was asked of a source.
type traced struct {
	source Source
	asked  []Ref
}

// Value implements Source.
func (t *traced) Value(ref *Ref) *Value {
	if !slices.Contains(t.asked, *ref) {
		t.asked = append(t.asked, *ref)
	}
	return t.source.Value(ref)
}

// values are those of reads that were asked for, and the limits among them.
func (t *traced) values(reads []*node) []string {
	read := slices.DeleteFunc(slices.Clone(reads), func(n *node) bool {
		return n.op == opVar && !slices.ContainsFunc(t.asked, func(ref Ref) bool {
			if n.a != nil && n.a.reads {
				ref.Least = n.ref.Least // which the order decides
			}
			return ref == n.ref
		})
	})
	return valuesOf(read, t.source)
}

// warning says what is near to what.
func (r *rule) warning(source Source, lang hub.Lang) string {
	if r.percent == "" {
		m := machine{source: source}
		if _, ok := m.truth(r.warn); !ok {
			return m.sentence().In(lang)
		}
		return noMore(r.warnText, lang)
	}
	near, at := nearTo(r.require, r.warn, source)
	if at == nil {
		return noMore(r.warn.String(), lang)
	}
	return near.sentence(lang)
}

func noMore(condition string, lang hub.Lang) string {
	if lang == hub.Chinese {
		return "预警条件不再满足：" + condition
	}
	return strings.TrimSpace(condition) + " does not hold any more"
}

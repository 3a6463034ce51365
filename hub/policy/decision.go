package policy

import "tradehub/hub"

// Decision is what the rules say about one order. The zero value is ready; one that is used again keeps its memory.
type Decision struct {
	// Refusals are those of every rule in force that refuses; none means that the order passes.
	Refusals []hub.Refusal
	// Shadows are what rules in shadow would have refused for. They stop no order.
	Shadows []hub.Refusal
	// Warnings are rules in force that hold, and of which somebody wants to be warned before they do not.
	Warnings []Warning
	// Clear are the other rules with a warn: they hold, and nobody need be warned.
	Clear []Key
}

// Reset makes d empty; it keeps its memory.
func (d *Decision) Reset() {
	clear(d.Refusals) // what they refer to is not kept
	clear(d.Shadows)
	clear(d.Warnings)
	clear(d.Clear)
	d.Refusals, d.Shadows, d.Warnings, d.Clear = d.Refusals[:0], d.Shadows[:0], d.Warnings[:0], d.Clear[:0]
}

// Key is what a warning is known by, from one decision to the next and from one revision to the next: not by where its rule stands.
type Key struct {
	// Owner is whose file has the rule: "" of the fund's.
	Owner hub.TraderName `cbor:"1,keyasint,omitempty"`
	Rule  string         `cbor:"2,keyasint"`
	// Narrow says what the warning is about: everything that the trader does, or what is done in the order's contract or product.
	Narrow Narrowing `cbor:"3,keyasint,omitempty"`
}

// Warning is a rule that holds and comes near to where it does not. Its sentence and values are made when they are asked for: most warnings have been given before.
type Warning struct {
	Key  Key
	rule *rule
}

// Rule is the rule's name.
func (w Warning) Rule() string { return w.rule.name }

// Place is file:line of the rule.
func (w Warning) Place() string { return w.rule.place }

// Controls are the controls that the rule is one of. The slice must not be changed.
func (w Warning) Controls() []int { return w.rule.controls }

// Text says what is near to what, in the order's numbers. The source must be the decision's.
func (w Warning) Text(source Source, lang hub.Lang) string { return w.rule.warning(source, lang) }

// Values are what the warning is about, as "name=value", sorted. The source must be the decision's.
func (w Warning) Values(source Source) []string { return valuesOf(w.rule.warnReads, source) }

// Decide asks the trader's rules, then the fund's, all of them, and returns every refusal, in English; none means that the order passes. It allocates only for refusals.
func (r *Rules) Decide(trader hub.TraderName, source Source) []hub.Refusal {
	var d Decision
	r.decide(trader, source, hub.English, &d, false)
	return d.Refusals
}

// DecideInto is Decide with all that the rules say: what rules in shadow would have refused for, and of what somebody is to be warned. What d held before is gone. The sentences are in
// English, and, as Local, in lang, as far as their authors wrote them in it. It allocates only for refusals, shadows, and more warnings than d ever held.
func (r *Rules) DecideInto(d *Decision, trader hub.TraderName, source Source, lang hub.Lang) {
	d.Reset()
	r.decide(trader, source, lang, d, true)
}

// Warns are the keys of all warnings that may come of one trader's orders, the trader's file first. The slice is the caller's.
func (r *Rules) Warns(trader hub.TraderName) []Key {
	var all []Key
	for _, s := range []*sheet{r.traders[trader], r.fund} {
		if s == nil {
			continue
		}
		for i := range s.rules {
			if rule := &s.rules[i]; rule.warn != nil && !rule.shadow {
				all = append(all, rule.key(s.trader))
			}
		}
	}
	return all
}

func (r *Rules) decide(trader hub.TraderName, source Source, lang hub.Lang, d *Decision, whole bool) {
	if own := r.traders[trader]; own != nil {
		own.decide(source, lang, d, whole)
	} else {
		d.Refusals = append(d.Refusals, noPolicyOf(trader).For(lang))
	}
	if r.fund != nil {
		r.fund.decide(source, lang, d, whole)
		return
	}
	d.Refusals = append(d.Refusals, noFundPolicy().For(lang))
}

func (s *sheet) decide(source Source, lang hub.Lang, d *Decision, whole bool) {
	for i := range s.rules {
		r := &s.rules[i]
		if r.shadow && !whole {
			continue
		}
		m := machine{source: source}
		switch r.ask(&m, whole) {
		case Passed:
			if r.warn != nil && whole && !r.shadow {
				d.Clear = append(d.Clear, r.key(s.trader))
			}
		case Warned:
			d.Warnings = append(d.Warnings, Warning{r.key(s.trader), r})
		case Failed, NotComputable:
			if r.shadow {
				d.Shadows = append(d.Shadows, r.refusal(&m, s.isFund, source, lang))
			} else {
				d.Refusals = append(d.Refusals, r.refusal(&m, s.isFund, source, lang))
			}
		case NotApplicable, NotAsked:
		}
	}
}

// ask asks a rule about an order. What could not be computed is kept in m. A rule in shadow warns nobody.
func (r *rule) ask(m *machine, warns bool) Outcome {
	if r.when != nil {
		switch applies, ok := m.truth(r.when); {
		case !ok:
			return NotComputable
		case !applies:
			return NotApplicable
		}
	}
	warns = warns && r.warn != nil && !r.shadow
	if warns && r.tighter {
		if clear, ok := m.truth(r.warn); ok && clear {
			return Passed
		}
		m.fate = fateNone
	}
	switch holds, ok := m.truth(r.require); {
	case !ok:
		return NotComputable
	case !holds:
		return Failed
	case !warns:
		return Passed
	}
	if !r.tighter {
		if clear, ok := m.truth(r.warn); ok && clear {
			return Passed
		}
	}
	return Warned // also when it cannot be computed: what nobody knows may be near
}

func (r *rule) key(owner hub.TraderName) Key {
	return Key{Owner: owner, Rule: r.name, Narrow: r.narrow}
}

func (r *rule) refusal(m *machine, fund bool, source Source, lang hub.Lang) hub.Refusal {
	refusal := hub.Refusal{Code: CodeRule, Rule: r.name, Place: r.place, Fund: fund, Values: valuesOf(r.reads, source)}
	if m.fate != fateNone {
		refusal.Code, refusal.Words = CodeNotComputable, m.sentence()
		refusal.Text = refusal.Words.String()
		return refusal.For(lang)
	}
	refusal.Text = r.because.in(hub.English).fill(source)
	if lang == hub.Chinese {
		refusal.Local = r.because.in(lang).fill(source)
	}
	return refusal
}

// valuesOf are variables and limits as "name=value". They are asked for again: a source gives the same answers throughout a decision.
func valuesOf(reads []*node, source Source) []string {
	values := make([]string, 0, len(reads))
	for _, n := range reads {
		values = append(values, n.String()+"="+exact(n, source))
	}
	return values
}

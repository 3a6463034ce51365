package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tradehub/hub/audit"
)

// writeExplained shows all that is known of an order.
func writeExplained(e env, x *audit.Explanation) {
	for i := range x.Decisions {
		if i > 0 {
			fmt.Fprintln(e.stdout)
		}
		writeDecision(e, &x.Decisions[i])
	}
	if len(x.Decisions) > 0 {
		fmt.Fprintln(e.stdout)
	}
	fmt.Fprintln(e.stdout, coloured("what became of it", bold).in(e))
	for _, v := range x.Life {
		fmt.Fprintf(e.stdout, "  %s  %-9s %s  (row %d)\n", v.Time.Format(clockLayout), v.Kind, printable(told(v.Kind, v.Body)), v.Row)
	}
}

func inWords(o *audit.Order) string {
	words := []string{o.Direction}
	if o.Offset != "NONE" {
		words = append(words, o.Offset)
	}
	words = append(words, o.Quantity.String(), o.Contract, o.Type)
	if !o.Price.IsZero() {
		words = append(words, "at "+o.Price.String())
	}
	return strings.Join(append(words, "through "+o.Gateway), " ")
}

func writeDecision(e env, x *audit.Explained) {
	d := x.Decision
	colour := green
	if d.Outcome != "sent" {
		colour = red
	}
	head := "an amendment"
	if x.Order != nil {
		head = fmt.Sprintf("order %s of %s: %s", x.Order.ID, x.Order.Trader, inWords(x.Order))
		if x.What == "amendment" {
			head = fmt.Sprintf("amendment of order %s of %s to: %s", x.Order.ID, x.Order.Trader, inWords(x.Order))
		}
	}
	fmt.Fprintln(e.stdout, coloured(head, bold).in(e))
	by := ""
	if d.Revision != "" {
		by = " by revision " + d.Revision
	}
	if d.ByHub != "" {
		by += ", an order of the hub's own (" + d.ByHub + ")"
	}
	fmt.Fprintf(e.stdout, "  %s%s at %s (row %d of the record, entry %d of the journal)\n", coloured(d.Outcome, colour).in(e), by, x.Time.Format(clockLayout), x.Row, x.Entry)
	if p := x.Policy; p != nil {
		fmt.Fprintf(e.stdout, "  that revision was loaded %s by %s\n", p.Loaded.Format(clockLayout), printable(p.By))
	}
	if d.Override != nil {
		fmt.Fprintf(e.stdout, "  passed by override %v: %s\n", d.Override["number"], printable(fmt.Sprint(d.Override["reason"])))
	}
	for _, o := range d.Met {
		fmt.Fprintf(e.stdout, "  would have met order %s of %s: %s\n", o.ID, o.Trader, inWords(&o))
	}
	if m := d.Market; m != nil {
		fmt.Fprintf(e.stdout, "  market: last %s, bid %s, ask %s", m.Last, m.Bid, m.Ask)
		if !m.Seen.IsZero() {
			fmt.Fprintf(e.stdout, ", seen %s", m.Seen.In(x.Time.Location()).Format(clockLayout))
		}
		fmt.Fprintln(e.stdout)
	}
	for _, note := range x.Notes {
		fmt.Fprintln(e.stdout, coloured("  note: "+note, yellow).in(e))
	}
	writeChecks(e, x.Hub)
	writeRules(e, x.Rules)
	if len(d.Verdicts) > 0 {
		fmt.Fprintln(e.stdout, coloured("risk managers", bold).in(e))
		for _, v := range d.Verdicts {
			outcome := "passed"
			if !v.Pass {
				outcome = "failed"
			}
			writeOutcome(e, outcome, v.Manager, v.Reason)
		}
	}
	silent := slices.DeleteFunc(slices.Clone(d.Refusals), func(r audit.Refusal) bool {
		return r.Code != "risk-manager" || slices.ContainsFunc(d.Verdicts, func(v audit.Verdict) bool { return v.Manager == r.Rule })
	})
	for _, r := range silent {
		writeOutcome(e, "failed", r.Rule, r.Text)
	}
}

func writeChecks(e env, all []audit.Check) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(e.stdout, coloured("what the hub itself asks", bold).in(e))
	for _, c := range all {
		writeOutcome(e, c.Outcome, c.Name, c.Text)
	}
}

func writeOutcome(e env, outcome, what, why string) {
	if why != "" {
		what += ": " + why
	}
	fmt.Fprintf(e.stdout, "  %s  %s\n", coloured(fmt.Sprintf("%-14s", outcome), colourOf(outcome)).in(e), printable(what))
}

func colourOf(outcome string) string {
	switch outcome {
	case "passed":
		return green
	case "failed", "not computable":
		return red
	case "warned":
		return yellow
	}
	return ""
}

func writeRules(e env, rules []audit.Rule) {
	owner := ""
	for _, r := range rules {
		if r.Owner != owner {
			owner = r.Owner
			of := "rules of " + owner
			if owner == "fund" {
				of = "rules of the fund"
			}
			fmt.Fprintln(e.stdout, coloured(of, bold).in(e))
		}
		name := strings.TrimSpace(r.Place + " " + r.Name)
		if r.Mode == "shadow" {
			name += " (in shadow: it refuses nothing)"
		}
		if r.Lifted {
			name += " (lifted by the override)"
		}
		writeOutcome(e, r.Outcome, name, r.Text)
		below := func(label, what string) { fmt.Fprintf(e.stdout, "                  %-8s %s\n", label, printable(what)) }
		if r.When != "" {
			below("when", unbroken(r.When))
		}
		if r.Require != "" {
			below("require", unbroken(r.Require))
		}
		for _, p := range r.Parts {
			below("", p.Outcome+": "+p.Text)
		}
		if len(r.Values) > 0 {
			below("read", strings.Join(r.Values, "  "))
		}
	}
}

// decided is the outcome of a decision, the reasons for it, and what rules in shadow would have refused it.
func decided(d *audit.Decision) []string {
	all := []string{d.Outcome}
	for _, r := range d.Refusals {
		all = append(all, strings.TrimSpace(ruleAt(r)+" "+r.Text))
	}
	for _, r := range d.Lifted {
		all = append(all, "lifted: "+ruleAt(r))
	}
	for _, r := range d.Shadows {
		all = append(all, "shadow: "+ruleAt(r))
	}
	return all
}

// ruleAt is where a rule is, and its name. One of a library may be in force by the fund's file and by the trader's: of the fund's it is said, as overrides name them.
func ruleAt(r audit.Refusal) string {
	name := r.Rule
	if r.Fund && name != "" {
		name = "fund:" + name
	}
	return strings.TrimSpace(r.Place + " " + name)
}

func reported(r *audit.Report) string {
	words := []string{r.Kind}
	if r.Amendment > 0 {
		words = append(words, fmt.Sprint(r.Amendment))
	}
	if r.Kind == "amended" {
		words = append(words, "to", r.Quantity.String(), "at", r.Price.String())
	}
	if r.Reason != "" {
		words = append(words, r.Reason)
	}
	return strings.Join(words, " ")
}

// told is what a row says, in a line.
func told(kind string, b audit.Body) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if o := b.Order; o != nil {
		add("%s", inWords(o))
	}
	if d := b.Decision; d != nil {
		for _, s := range decided(d) {
			add("%s", s)
		}
	}
	if a := b.Amendment; a != nil {
		add("asked for by %s", a.By)
		if a.Order != nil {
			add("%s", inWords(a.Order))
		}
		if a.Decision != nil {
			for _, s := range decided(a.Decision) {
				add("%s", s)
			}
		}
		if a.Answer != "" {
			add("%s", a.Answer)
		}
	}
	if r := b.Report; r != nil {
		add("the venue: %s", reported(r))
	}
	for _, f := range b.Fills {
		add("%s at %s, commission %s (trade %s)", f.Quantity, f.Price, f.Commission, f.ID)
	}
	if c := b.Cancel; c != nil {
		add("asked for by %s", c.By)
		if c.Answer != "" {
			add("%s", c.Answer)
		}
	}
	if c := b.Change; c != nil && (b.Decision == nil || b.Decision.Outcome == "sent") {
		state := c.Status
		if c.InDoubt {
			state += ", in doubt"
		}
		add("%s, %s filled", state, c.Filled)
		if c.Reason != "" {
			add("%s", c.Reason)
		}
	}
	if l := b.Load; l != nil {
		add("revision %s by %s, %s", l.Revision, l.By, count(len(l.Files), "file"))
		if len(l.Errors) > 0 {
			add("refused: %s", firstOf(l.Errors))
		}
	}
	if g := b.Gap; g != nil {
		add("entries %d to %d are not in the record: %s", g.From, g.To, g.Why)
	}
	if kind != "set-up" { // which is the whole configuration
		for _, name := range slices.Sorted(maps.Keys(b.Input)) {
			add("%s %v", name, b.Input[name])
		}
	}
	for _, m := range b.Effects {
		if text, ok := m["text"].(string); ok {
			add("%s: %s", m["effect"], text)
		}
	}
	return strings.Join(parts, "; ")
}

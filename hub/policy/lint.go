package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// Lint is what compiles and yet does not do what its author may think: rules that can never refuse, or refuse everything, rules that are never asked, a trader's limit that is not below the
// fund's, limits that nothing reads. Sorted as errors are. It is for people who write policies, and too slow to be asked while orders wait.
func (r *Rules) Lint() []Error {
	var l linter
	if r.fund != nil && r.fund.cross == CrossAllow {
		l.found = append(l.found, Error{
			r.fund.file, r.fund.crossAt.line, r.fund.crossAt.col,
			"internal_cross: allow lets orders of the fund trade with each other; exchanges count that as self-trading: it is for simulated markets",
		})
	}
	for _, s := range r.sheets() {
		l.unused(s)
		for i := range s.rules {
			l.rule(&s.rules[i])
		}
		for i := range s.rules {
			l.needless(s, i, r.fund)
		}
		for _, w := range s.watches {
			l.watch(w)
		}
	}
	for _, library := range r.shelf {
		l.unusedIn(library)
	}
	slices.SortFunc(l.found, compareErrors)
	return slices.Compact(l.found)
}

// linter keeps what has been found.
type linter struct{ found []Error }

// at adds what was found about a key of a rule.
func (l *linter) at(r *rule, key, format string, args ...any) {
	file, p := r.file, placeOf(r.node)
	if value := valueOf(r.node, key); value != nil {
		p = placeOf(value)
	}
	where := "rules." + r.name
	if key != "" {
		where += "." + key
	}
	if r.usedAt != "" {
		file, p = splitPlace(r.usedAt)
		where = "use: " + where + " of " + r.file
	}
	l.add(file, p, where, format, args...)
}

func (l *linter) add(file string, p place, where, format string, args ...any) {
	l.found = append(l.found, Error{file, p.line, p.col, shorten(clean(where+": "+fmt.Sprintf(format, args...)), errorShown)})
}

// valueOf is what a mapping has under a key; nil when it has nothing.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// splitPlace takes file:line apart.
func splitPlace(s string) (file string, p place) {
	at := strings.LastIndexByte(s, ':')
	line, err := strconv.Atoi(s[at+1:])
	if at < 0 || err != nil {
		return s, place{1, 1}
	}
	return s[:at], place{line, 1}
}

// unused finds the limits of a file that nothing in it reads.
func (l *linter) unused(s *sheet) {
	read := map[string]bool{}
	var own map[string]limit // with their columns
	for i := range s.rules {
		r := &s.rules[i]
		if r.usedAt != "" {
			continue // it reads its library's
		}
		own = r.limits
		readIn(read, r.when, r.require, r.warn)
		readInSentence(read, r.because.english)
		readInSentence(read, r.because.chinese)
	}
	for _, w := range s.watches {
		readIn(read, w.when, w.clear)
		readInSentence(read, w.because)
	}
	for _, limit := range s.limits {
		if !read[limit.Name] {
			_, p := splitPlace(limit.Place)
			if l, known := own[limit.Name]; known {
				p = l.at
			}
			l.add(s.file, p, "limits."+limit.Name, "nothing in the file reads it; remove it, or write the rule that does")
		}
	}
}

// unusedIn finds the limits of a library that none of its rules reads.
func (l *linter) unusedIn(library *Library) {
	read := map[string]bool{}
	for _, r := range library.Rules {
		for _, limit := range r.Limits {
			read[limit.Name] = true
		}
	}
	for _, limit := range library.Limits {
		if file, p := splitPlace(limit.Place); !read[limit.Name] {
			l.add(file, p, "limits."+limit.Name, "no rule of the library reads it; remove it, or write the rule that does")
		}
	}
}

func readIn(read map[string]bool, nodes ...*node) {
	for _, n := range readsOf(nodes...) {
		if n.limit != "" {
			read[n.limit] = true
		}
	}
}

func readInSentence(read map[string]bool, t template) {
	for _, s := range t {
		readIn(read, s.node)
	}
}

// rule looks at a rule by itself.
func (l *linter) rule(r *rule) {
	if r.when != nil {
		switch {
		case alwaysFalse(r.when):
			l.at(r, "when", "is never true, so the rule is never asked")
			return
		case alwaysTrue(r.when):
			l.at(r, "when", "is always true; remove it, and the rule is for every order")
		default:
			l.parts(r, "when", r.when)
		}
	}
	asked := holds(whether(true))
	if r.when != nil {
		asked = holds(r.when)
	}
	switch {
	case impossible(asked, fails(r.require)):
		l.at(r, "require", "is always true%s: the rule refuses nothing%s", whenAsked(r), butMissing(r.require))
	case impossible(asked, holds(r.require)):
		l.at(r, "require", "is never true%s: the rule refuses every order%s", whenAsked(r), thatIsAsked(r))
	default:
		l.parts(r, "require", r.require)
		if r.warn != nil && impossible(asked, holds(r.require), fails(r.warn)) {
			l.at(r, "warn", "is true whenever require is: nobody is ever warned")
		}
	}
}

func whenAsked(r *rule) string {
	if r.when == nil {
		return ""
	}
	return " where the rule applies"
}

func thatIsAsked(r *rule) string {
	if r.when == nil {
		return ""
	}
	return " that it applies to"
}

// butMissing says that a condition refuses all the same when it cannot be computed.
func butMissing(n *node) string {
	if maybeMissing(n) == nil {
		return ""
	}
	return " but what cannot be computed"
}

// maybeMissing are the variables below n that may have no value.
func maybeMissing(n *node) []string {
	var all []string
	for _, n := range readsOf(n) {
		if n.op != opVar {
			continue
		}
		if info := catalogueByRef[Ref{Scope: n.ref.Scope, Narrow: n.ref.Narrow, Var: n.ref.Var}]; info == nil || info.Missing != "" {
			all = append(all, n.String())
		}
	}
	return all
}

// parts finds conditions within a condition that are always the same. The whole is not.
func (l *linter) parts(r *rule, key string, n *node) {
	for _, part := range []*node{n.a, n.b, n.c} {
		if part == nil || part.kind != KindTruth {
			continue
		}
		switch {
		case n.op != opAnd && n.op != opOr && n.op != opNot && n.op != opIf:
		case part.op == opTruth:
		case alwaysTrue(part):
			l.at(r, key, "%s is always true", shorten(part.String(), textShown))
		case alwaysFalse(part):
			l.at(r, key, "%s is never true", shorten(part.String(), textShown))
		default:
			l.parts(r, key, part)
		}
	}
}

// needless finds rules that refuse nothing which another one does not refuse: of the fund's, for a trader's file, or of the same file.
func (l *linter) needless(s *sheet, i int, fund *sheet) {
	r := &s.rules[i]
	if impossible(fails(passing(r))) || impossible(holds(passing(r))) {
		return // which has been said
	}
	if fund != nil && !s.isFund {
		for j := range fund.rules {
			if f := &fund.rules[j]; covers(f, r, s.trader) {
				l.at(r, "require", "refuses nothing that the fund's rule %s (%s) does not refuse%s", f.name, f.place, heldAgainst(r, f))
				return
			}
		}
	}
	if fund != nil && l.notBelow(r, fund, s.trader) {
		return
	}
	for j := range s.rules {
		other := &s.rules[j]
		if j == i || !covers(other, r, s.trader) {
			continue
		}
		if j > i && !r.shadow && covers(r, other, s.trader) {
			continue // both say the same: of the second it is said
		}
		l.at(r, "require", "refuses nothing that rule %s (%s) does not refuse", other.name, other.place)
		return
	}
}

// covers reports whether every order that the rule "by" lets pass is one that r lets pass. Nothing that r reads may be missing where by is computed.
func covers(by, r *rule, trader hub.TraderName) bool {
	if by.shadow || impossible(holds(passing(by))) {
		return false // it refuses nothing, or everything
	}
	read := maps.Collect(func(yield func(string, bool) bool) {
		for _, name := range maybeMissing(passing(by)) {
			if !yield(name, true) {
				return
			}
		}
	})
	for _, name := range maybeMissing(passing(r)) {
		if !read[name] {
			return false
		}
	}
	claims := []claim{fails(passing(r)), holds(passing(by))}
	if trader != "" {
		sender := &node{op: opVar, kind: KindText, ref: Ref{Scope: ScopeOrder, Var: OrderTrader}}
		claims = append(claims, holds(&node{op: opSameText, kind: KindTruth, a: sender, b: &node{op: opText, kind: KindText, text: string(trader)}}))
	}
	return impossible(claims...)
}

// heldAgainst says which limit of a trader is not below which of the fund's, where each rule has one; and what to do.
func heldAgainst(r, f *rule) string {
	const advice = "; a trader's file can only tighten: to allow more, change the fund's"
	own, funds := limitsIn(r), limitsIn(f)
	if len(own) != 1 || len(funds) != 1 {
		return ""
	}
	a, b := own[0], funds[0]
	if a.number.Equal(b.number) {
		return fmt.Sprintf(": limits.%s, %s, is the fund's limits.%s", a.limit, grouped(a.number), b.limit)
	}
	return fmt.Sprintf(": limits.%s, %s, is looser than the fund's limits.%s, %s%s", a.limit, grouped(a.number), b.limit, grouped(b.number), advice)
}

func limitsIn(r *rule) []*node {
	return slices.DeleteFunc(readsOf(r.when, r.require), func(n *node) bool { return n.limit == "" })
}

// watch looks at a watch by itself.
func (l *linter) watch(w *Watch) {
	file, p := splitPlace(w.Place)
	switch {
	case alwaysFalse(w.when):
		l.add(file, p, "watch."+w.Name+".when", "is never true: the watch does nothing")
	case alwaysTrue(w.when):
		l.add(file, p, "watch."+w.Name+".when", "is always true: the watch fires at once")
	case w.clear == nil:
	case alwaysFalse(w.clear):
		l.add(file, p, "watch."+w.Name+".clear", "is never true: the watch fires once and never again")
	case impossible(holds(w.when), fails(w.clear)):
		l.add(file, p, "watch."+w.Name+".clear", "is true whenever when is: the watch fires at every look")
	}
}

package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
)

// Effect is what a change does to the orders that pass.
type Effect uint8

// Effects.
const (
	// Unknown: it cannot be shown that every order which passed still does, nor the other way round.
	Unknown Effect = iota
	// NoEffect: the same orders pass.
	NoEffect
	// Looser: every order that passed still does, and others may.
	Looser
	// Tighter: no order passes that did not, and some may not any more.
	Tighter
)

var effectNames = []string{"different", "same", "looser", "tighter"}

// String is the effect in a word.
func (e Effect) String() string { return effectNames[e] }

// opposed is the effect of the change back.
func (e Effect) opposed() Effect {
	switch e {
	case Looser:
		return Tighter
	case Tighter:
		return Looser
	case Unknown, NoEffect:
	}
	return e
}

// Change is one difference between two revisions.
type Change struct {
	// Owner is whose file it is in: "" of the fund's, and of what is in no file of rules.
	Owner hub.TraderName
	// Fund: it is in the fund's file. Library is the file of a library that it is in or from; "" without one.
	Fund    bool
	Library string
	// Kind is what has changed: policy, limit, rule, watch, library, or a key of the file.
	Kind string
	// Name is the limit's, rule's or watch's.
	Name string
	// What of it: added, removed, renamed, or a key: require, mode.
	What string
	// Old and New are what it was and is; "" where there is none.
	Old, New string
	Effect   Effect
	// OldPlace and NewPlace are file:line; "" where it is not.
	OldPlace, NewPlace string
	// Text says all of it in words.
	Text string
}

// Diff says in words of limits and rules how two revisions differ: the fund first, then the traders by name, then libraries. What does not change what the hub does with an order, such as
// comments and the order of rules, is no change. It is for people who change policies, and too slow to be asked while orders wait.
func Diff(before, after *Rules) []Change {
	d := differ{}
	d.sheets("", true, before.fund, after.fund)
	for _, name := range sortedTogether(before.names, after.names) {
		d.sheets(name, false, before.traders[name], after.traders[name])
	}
	d.libraries(before.shelf, after.shelf)
	return d.changes
}

func sortedTogether[T cmp.Ordered](a, b []T) []T {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// differ collects changes of one owner after the other.
type differ struct {
	changes []Change
	owner   hub.TraderName
	fund    bool
}

// whose is the owner in words.
func (d *differ) whose() string {
	if d.fund {
		return "the fund"
	}
	return string(d.owner)
}

// add adds a change, whose sentence begins with what changed.
func (d *differ) add(c Change, format string, args ...any) {
	c.Owner, c.Fund = d.owner, d.fund
	c.Text = fmt.Sprintf(format, args...)
	if c.Effect != NoEffect {
		c.Text += ", " + c.Effect.String()
	}
	d.changes = append(d.changes, c)
}

// sheets compares an owner's files.
func (d *differ) sheets(owner hub.TraderName, fund bool, before, after *sheet) {
	d.owner, d.fund = owner, fund
	switch {
	case before == nil && after == nil:
		return
	case before == nil:
		d.add(Change{Kind: "policy", What: "added", Effect: Looser, NewPlace: after.place()},
			"%s has a policy now, %s, with %s; before, every order was refused", d.whose(), after.file, ruleCount(after))
		return
	case after == nil:
		d.add(Change{Kind: "policy", What: "removed", Effect: Tighter, OldPlace: before.place()}, "%s has no policy any more: every order is refused", d.whose())
		return
	}
	if before.currency != after.currency {
		d.add(Change{Kind: "currency", What: "currency", Old: before.currency, New: after.currency}, "currency of %s: %s -> %s", d.whose(), orNone(before.currency), orNone(after.currency))
	}
	if fund && before.cross != after.cross {
		effect := Looser
		if after.cross < before.cross {
			effect = Tighter
		}
		d.add(Change{Kind: "internal_cross", What: "internal_cross", Old: before.cross.String(), New: after.cross.String(), Effect: effect}, "internal_cross: %s -> %s", before.cross, after.cross)
	}
	d.limits(before, after)
	d.rules(before, after)
	d.watches(before, after)
}

func (s *sheet) place() string { return fmt.Sprintf("%s:%d", s.file, s.at.line) }

func ruleCount(s *sheet) string {
	if len(s.rules) == 1 {
		return "1 rule"
	}
	return fmt.Sprintf("%d rules", len(s.rules))
}

func orNone(s string) string { return cmp.Or(s, "none") }

// usedLimit is a limit as an owner has it: of the own file, or of a library with the owner's number.
type usedLimit struct {
	Limit
	library string // "" for the own file's
	unit    string
	readers []*rule
	watches []*Watch
}

func (l *usedLimit) key() string { return l.library + "\x00" + l.Name }

// amount is the number for people.
func (l *usedLimit) amount() string {
	if l.unit == "" {
		return grouped(l.Number)
	}
	return grouped(l.Number) + " " + l.unit
}

// limitsOf are the limits of an owner, and who reads them, in the order of their keys.
func limitsOf(s *sheet) []*usedLimit {
	var all []*usedLimit
	find := func(key string) *usedLimit {
		if i := slices.IndexFunc(all, func(l *usedLimit) bool { return l.key() == key }); i >= 0 {
			return all[i]
		}
		return nil
	}
	for _, l := range s.limits {
		all = append(all, &usedLimit{Limit: l, unit: l.Unit})
	}
	for i := range s.rules {
		r := &s.rules[i]
		library := ""
		if r.usedAt != "" {
			library = r.file
		}
		for _, n := range readsOf(r.when, r.require, r.warn) {
			if n.limit == "" {
				continue
			}
			l := find(library + "\x00" + n.limit)
			if l == nil {
				told := r.limits[n.limit].told(n.limit, r.file)
				l = &usedLimit{Limit: told, library: library, unit: told.Unit}
				l.Place = cmp.Or(r.usedAt, l.Place)
				all = append(all, l)
			}
			l.readers = append(l.readers, r)
		}
	}
	for _, w := range s.watches {
		for _, n := range readsOf(w.when, w.clear) {
			if l := find("\x00" + n.limit); n.limit != "" && l != nil {
				l.watches = append(l.watches, w)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *usedLimit) int { return cmp.Compare(a.key(), b.key()) })
	return all
}

// limits compares the numbers.
func (d *differ) limits(before, after *sheet) {
	olds, news := limitsOf(before), limitsOf(after)
	in := func(all []*usedLimit, key string) *usedLimit {
		if i := slices.IndexFunc(all, func(l *usedLimit) bool { return l.key() == key }); i >= 0 {
			return all[i]
		}
		return nil
	}
	var gone, come []*usedLimit
	for _, was := range olds {
		is := in(news, was.key())
		switch {
		case is == nil:
			gone = append(gone, was)
		case !is.Number.Equal(was.Number) || is.unit != was.unit:
			d.limitChanged(was, is)
		}
	}
	for _, is := range news {
		if in(olds, is.key()) == nil {
			come = append(come, is)
		}
	}
	for _, was := range gone {
		i := slices.IndexFunc(come, func(is *usedLimit) bool { return sameLimit(was, is) })
		if i >= 0 {
			is := come[i]
			come = slices.Delete(come, i, i+1)
			d.add(Change{
				Kind: "limit", Library: is.library, Name: is.Name, What: "renamed", Old: was.Name, New: is.Name, Effect: NoEffect, OldPlace: was.Place, NewPlace: is.Place,
			}, "limit %s of %s%s is called %s now; counters go on", was.Name, d.whose(), from(is.library), is.Name)
			continue
		}
		d.add(Change{Kind: "limit", Library: was.library, Name: was.Name, What: "removed", Old: was.amount(), Effect: NoEffect, OldPlace: was.Place},
			"limit %s of %s%s: removed, was %s", was.Name, d.whose(), from(was.library), was.amount())
	}
	for _, is := range come {
		d.add(Change{Kind: "limit", Library: is.library, Name: is.Name, What: "added", New: is.amount(), Effect: NoEffect, NewPlace: is.Place},
			"limit %s of %s%s: added, %s", is.Name, d.whose(), from(is.library), is.amount())
	}
}

// from says of which library something is.
func from(library string) string {
	if library == "" {
		return ""
	}
	return " (" + library + ")"
}

// sameLimit reports whether two limits are one under two names: one number, read by rules of the same names.
func sameLimit(a, b *usedLimit) bool {
	names := func(l *usedLimit) []string {
		var all []string
		for _, r := range l.readers {
			all = append(all, r.name)
		}
		for _, w := range l.watches {
			all = append(all, "watch "+w.Name)
		}
		return sortedTogether(all, nil)
	}
	return a.library == b.library && a.Number.Equal(b.Number) && a.unit == b.unit && len(names(a)) > 0 && slices.Equal(names(a), names(b))
}

// limitChanged says what another number does to the rules that read it.
func (d *differ) limitChanged(was, is *usedLimit) {
	effect, readers := NoEffect, []string{}
	instead := map[string]hub.Decimal{is.Name: is.Number}
	for _, r := range was.readers {
		if !readsLimit(is.readers, r.name) || slices.Contains(readers, "rule "+r.name) {
			continue
		}
		readers = append(readers, "rule "+r.name)
		if !r.shadow {
			effect = together(effect, effectOf(resolved(passing(r), nil), resolved(passing(r), instead)))
		}
	}
	for _, w := range was.watches {
		readers = append(readers, "watch "+w.Name)
		effect = together(effect, effectOf(resolved(w.when, nil), resolved(w.when, instead)).opposed())
	}
	if is.unit != was.unit {
		effect = Unknown
	}
	by := ""
	if len(readers) > 0 {
		by = " (" + strings.Join(readers, ", ") + ")"
	}
	d.add(Change{
		Kind: "limit", Library: is.library, Name: is.Name, What: "number", Old: was.amount(), New: is.amount(), Effect: effect, OldPlace: was.Place, NewPlace: is.Place,
	}, "limit %s of %s%s: %s -> %s%s", is.Name, d.whose(), from(is.library), was.amount(), is.amount(), by)
}

func readsLimit(readers []*rule, name string) bool {
	return slices.ContainsFunc(readers, func(r *rule) bool { return r.name == name })
}

// together is the effect of two changes.
func together(a, b Effect) Effect {
	switch {
	case a == NoEffect:
		return b
	case b == NoEffect || a == b:
		return a
	}
	return Unknown
}

// effectOf is what it does that a condition to pass has become another.
func effectOf(before, after *node) Effect {
	looser, tighter := impossible(holds(before), fails(after)), impossible(holds(after), fails(before))
	switch {
	case looser && tighter, before.String() == after.String():
		return NoEffect
	case looser:
		return Looser
	case tighter:
		return Tighter
	}
	return Unknown
}

// rules compares the rules by their names.
func (d *differ) rules(before, after *sheet) {
	find := func(s *sheet, name string) *rule {
		if i := slices.IndexFunc(s.rules, func(r rule) bool { return r.name == name }); i >= 0 {
			return &s.rules[i]
		}
		return nil
	}
	var gone, come []*rule
	for i := range before.rules {
		was := &before.rules[i]
		if is := find(after, was.name); is != nil {
			d.rule(was, is)
			continue
		}
		gone = append(gone, was)
	}
	for i := range after.rules {
		if is := &after.rules[i]; find(before, is.name) == nil {
			come = append(come, is)
		}
	}
	for _, was := range gone {
		i := slices.IndexFunc(come, func(is *rule) bool { return was.mode() == is.mode() && sameText(was, is) })
		if i >= 0 {
			is := come[i]
			come = slices.Delete(come, i, i+1)
			d.add(Change{Kind: "rule", Library: is.library(), Name: is.name, What: "renamed", Old: was.name, New: is.name, Effect: NoEffect, OldPlace: was.place, NewPlace: is.place},
				"rule %s of %s is called %s now; counters go on", was.name, d.whose(), is.name)
			continue
		}
		d.add(Change{Kind: "rule", Library: was.library(), Name: was.name, What: "removed", Old: was.line(), Effect: was.weight().opposed(), OldPlace: was.place},
			"rule %s of %s%s: removed, was %s", was.name, d.whose(), from(was.library()), was.line())
	}
	for _, is := range come {
		d.add(Change{Kind: "rule", Library: is.library(), Name: is.name, What: "added", New: is.line(), Effect: is.weight(), NewPlace: is.place},
			"rule %s of %s%s: added, %s", is.name, d.whose(), from(is.library()), is.line())
	}
}

func sameText(a, b *rule) bool {
	return resolved(passing(a), nil).String() == resolved(passing(b), nil).String()
}

func (r *rule) library() string {
	if r.usedAt == "" {
		return ""
	}
	return r.file
}

// weight is what it does that there is such a rule.
func (r *rule) weight() Effect {
	if r.shadow {
		return NoEffect
	}
	return effectOf(whether(true), resolved(passing(r), nil))
}

// line is the rule in a line.
func (r *rule) line() string {
	text := r.requireText
	if r.whenText != "" {
		text = "when " + r.whenText + ": " + text
	}
	if r.shadow {
		text += " (shadow)"
	}
	return text
}

// rule compares two rules of one name. What other limits do to it is said of the limits: here both have the new ones, as far as the old one reads them.
func (d *differ) rule(was, is *rule) {
	instead := map[string]hub.Decimal{}
	for _, n := range readsOf(was.when, was.require) {
		if l, ok := is.limits[n.limit]; ok && n.limit != "" {
			instead[n.limit] = l.number
		}
	}
	change := func(what, old, new string, effect Effect) {
		if tidied(old) == tidied(new) {
			return
		}
		d.add(Change{Kind: "rule", Library: is.library(), Name: is.name, What: what, Old: old, New: new, Effect: effect, OldPlace: was.place, NewPlace: is.place},
			"rule %s of %s%s: %s: %s -> %s", is.name, d.whose(), from(is.library()), what, orNone(old), orNone(new))
	}
	if was.library() != is.library() {
		change("file", was.file, is.file, NoEffect)
	}
	conditions := NoEffect
	if !is.shadow || !was.shadow {
		conditions = effectOf(resolved(passing(was), instead), resolved(passing(is), map[string]hub.Decimal{}))
	}
	// When both have changed, the effect is of both together.
	change("when", was.whenText, is.whenText, conditions)
	change("require", was.requireText, is.requireText, conditions)
	mode := NoEffect
	if was.shadow != is.shadow {
		mode = is.weight()
		if is.shadow {
			mode = was.weight().opposed()
		}
	}
	change("mode", was.mode().String(), is.mode().String(), mode)
	change("warn", was.warnText, is.warnText, NoEffect)
	change("because", was.because.text(), is.because.text(), NoEffect)
	change("controls", joinInts(was.controls), joinInts(is.controls), NoEffect)
}

// tidied is a condition without what is only a way to write it.
func tidied(s string) string {
	text, _ := Tidy(s)
	return text
}

func joinInts(all []int) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = fmt.Sprint(n)
	}
	return strings.Join(texts, ", ")
}

// text is the sentence as it is written, in one language or both; "" when it is the rule itself.
func (s sentences) text() string {
	english, chinese := s.english.text(), s.chinese.text()
	switch {
	case strings.HasSuffix(english, " does not hold"):
		return ""
	case english == chinese:
		return english
	}
	return english + " | " + chinese
}

func (t template) text() string {
	var b strings.Builder
	for _, s := range t {
		if s.node == nil {
			b.WriteString(s.text)
			continue
		}
		b.WriteString("{" + s.node.String() + "}")
	}
	return b.String()
}

// watches compares the watches by their names. One that fires more often is tighter.
func (d *differ) watches(before, after *sheet) {
	find := func(s *sheet, name string) *Watch {
		if i := slices.IndexFunc(s.watches, func(w *Watch) bool { return w.Name == name }); i >= 0 {
			return s.watches[i]
		}
		return nil
	}
	for _, was := range before.watches {
		if is := find(after, was.Name); is != nil {
			d.watch(was, is)
			continue
		}
		d.add(Change{Kind: "watch", Name: was.Name, What: "removed", Old: was.told(), Effect: was.weight().opposed(), OldPlace: was.Place},
			"watch %s of %s: removed, was %s", was.Name, d.whose(), was.told())
	}
	for _, is := range after.watches {
		if find(before, is.Name) == nil {
			d.add(Change{Kind: "watch", Name: is.Name, What: "added", New: is.told(), Effect: is.weight(), NewPlace: is.Place},
				"watch %s of %s: added, %s", is.Name, d.whose(), is.told())
		}
	}
}

// weight is what it does that there is such a watch: one that only alerts does nothing to orders.
func (w *Watch) weight() Effect {
	if slices.Equal(w.Then, []Action{Alert}) {
		return NoEffect
	}
	return Tighter
}

func (w *Watch) told() string { return w.when.String() + ": " + joinActions(w.Then) }

func joinActions(all []Action) string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}

func (d *differ) watch(was, is *Watch) {
	change := func(what, old, new string, effect Effect) {
		if old == new {
			return
		}
		d.add(Change{Kind: "watch", Name: is.Name, What: what, Old: old, New: new, Effect: effect, OldPlace: was.Place, NewPlace: is.Place},
			"watch %s of %s: %s: %s -> %s", is.Name, d.whose(), what, orNone(old), orNone(new))
	}
	of := func(n *node) string {
		if n == nil {
			return ""
		}
		return n.String()
	}
	again := func(w *Watch) string {
		if w.Daily {
			return oncePerDay
		}
		return eachCrossing
	}
	when := effectOf(resolved(was.when, nil), resolved(is.when, nil)).opposed()
	if was.weight() == NoEffect && is.weight() == NoEffect {
		when = NoEffect
	}
	change("when", of(was.when), of(is.when), when)
	change("then", joinActions(was.Then), joinActions(is.Then), actionsEffect(was.Then, is.Then))
	change("clear", of(was.clear), of(is.clear), NoEffect)
	change("again", again(was), again(is), NoEffect)
	change("because", was.sentence(), is.sentence(), NoEffect)
}

// sentence is the watch's because as it is written; "" when it is the watch itself.
func (w *Watch) sentence() string {
	if text := w.because.text(); tidied(text) != w.when.String() {
		return text
	}
	return ""
}

// actionsEffect is what other actions do: more are tighter.
func actionsEffect(was, is []Action) Effect {
	less := func(a, b []Action) bool { // everything in a, but for alert, is in b
		return !slices.ContainsFunc(a, func(x Action) bool { return x != Alert && !slices.Contains(b, x) })
	}
	switch {
	case less(was, is) && less(is, was):
		return NoEffect
	case less(was, is):
		return Tighter
	case less(is, was):
		return Looser
	}
	return Unknown
}

// libraries compares library files, whose rules are in force for nobody: what they do to owners has been said.
func (d *differ) libraries(before, after []*Library) {
	d.owner, d.fund = "", false
	find := func(all []*Library, file string) *Library {
		if i := slices.IndexFunc(all, func(l *Library) bool { return l.File == file }); i >= 0 {
			return all[i]
		}
		return nil
	}
	for _, was := range before {
		is := find(after, was.File)
		switch {
		case is == nil:
			d.add(Change{Kind: "library", Library: was.File, What: "removed", Effect: NoEffect, OldPlace: was.File + ":1"}, "library %s: removed", was.File)
		case was.told() != is.told():
			d.add(Change{Kind: "library", Library: was.File, What: "changed", Effect: NoEffect, OldPlace: was.File + ":1", NewPlace: is.File + ":1"},
				"library %s: changed; what that does to those who use it stands with them", was.File)
		}
	}
	for _, is := range after {
		if find(before, is.File) == nil {
			d.add(Change{Kind: "library", Library: is.File, What: "added", Effect: NoEffect, NewPlace: is.File + ":1"}, "library %s: added; its rules are in force for nobody until they are used", is.File)
		}
	}
}

// told is everything that a library says, but for where.
func (l *Library) told() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v %s %s %s", l.Origin, l.Covers, l.NotCovered, l.Verify)
	for _, limit := range l.Limits {
		fmt.Fprintf(&b, "\n%s %s %s", limit.Name, limit.Number, limit.Unit)
	}
	for _, r := range l.Rules {
		fmt.Fprintf(&b, "\n%s %s %v %s | %s | %s", r.Name, r.Mode, r.Controls, r.When, r.Require, r.Warn)
	}
	return b.String()
}

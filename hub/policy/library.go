package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// MaxUses is the most entries of a file's use.
const MaxUses = 50

// Origin is where the rules of a library are from.
type Origin struct{ Title, Publisher, Date, URL string }

// Library is a file of rules that are in force for nobody until a file uses them.
type Library struct {
	File   string
	Origin Origin
	// Covers, NotCovered and Verify are its author's words.
	Covers, NotCovered, Verify string
	Limits                     []Limit
	// Rules are as the library has them, with its own limits.
	Rules []Rule
}

// Libraries are those of the folder, sorted by file, used or not. What they refer to must not be changed.
func (r *Rules) Libraries() []*Library { return slices.Clone(r.shelf) }

func (c *sheetCompiler) isLibrary() bool { return c.library != nil }

// shelf is what files can use.
type shelf struct {
	libraries map[string]*sheetCompiler
	// owned are the other files.
	owned map[string]bool
}

func (s shelf) names() []string { return slices.Sorted(maps.Keys(s.libraries)) }

// compileLibraries compiles the libraries among files, each with its own limits.
func compileLibraries(opened []*sheetCompiler, in scale) shelf {
	all := shelf{map[string]*sheetCompiler{}, map[string]bool{}}
	for _, c := range opened {
		if !c.isLibrary() {
			all.owned[c.file] = true
			continue
		}
		c.compile(in)
		all.libraries[c.file] = c
	}
	return all
}

// shelve keeps what people may want to know of libraries.
func (r *Rules) shelve(opened []*sheetCompiler) {
	for _, c := range opened {
		if !c.isLibrary() {
			continue
		}
		c.library.Limits = c.sheet.limits
		for i := range c.sheet.rules {
			c.library.Rules = append(c.library.Rules, c.sheet.rules[i].told(c.sheet))
		}
		r.shelf = append(r.shelf, c.library)
	}
}

// describe reads what a library says about itself.
func (c *sheetCompiler) describe(root *yaml.Node) {
	l := c.library
	if e, ok := c.found["source"]; !ok {
		c.fail(placeOf(root), "", "source is missing; write where the rules are from: source: {title: ..., date: 2025-10-09}")
	} else if parts, ok := c.entries(e.value, "source", originKeys, nil); ok {
		for _, part := range []struct {
			key    string
			to     *string
			needed bool
		}{{"title", &l.Origin.Title, true}, {"publisher", &l.Origin.Publisher, false}, {"date", &l.Origin.Date, true}, {"url", &l.Origin.URL, false}} {
			*part.to = c.words(e.value, parts, "source", part.key, part.needed)
		}
		if _, err := time.Parse(time.DateOnly, l.Origin.Date); err != nil && l.Origin.Date != "" {
			c.fail(placeOf(parts["date"].value), "source.date", "%q is no date such as 2025-10-09", shorten(l.Origin.Date, textShown))
		}
	}
	l.Covers = c.words(root, c.found, "", "covers", false)
	l.NotCovered = c.words(root, c.found, "", "not_covered", true)
	l.Verify = c.words(root, c.found, "", "verify", true)
}

// words is a text of a key; "" without it, which is an error when it is needed.
func (c *sheetCompiler) words(at *yaml.Node, found map[string]entry, where, key string, needed bool) string {
	hints := map[string]string{
		"title": "what the rules are from", "publisher": "who has published it", "date": "its date, such as 2025-10-09", "url": "where it can be read", "covers": "what the rules are about",
		"not_covered": "what the source asks for and these rules do not do", "verify": "what must be verified before the rules are used",
	}
	e, ok := found[key]
	if !ok {
		if needed {
			c.fail(placeOf(at), where, "%s is missing; write %s", key, hints[key])
		}
		return ""
	}
	s, ok := c.scalar(e, strings.TrimPrefix(where+"."+key, "."), hints[key])
	if !ok {
		return ""
	}
	return oneLine(s.value())
}

// uses takes rules from libraries.
func (c *sheetCompiler) uses(e entry) {
	list := e.value
	switch {
	case empty(list) || list.Kind == yaml.SequenceNode && len(list.Content) == 0:
		c.fail(placeOf(e.key), "use", "is empty; write - file: library/NAME.yaml, or remove it")
		return
	case list.Kind != yaml.SequenceNode:
		c.fail(placeOf(list), "use", "must be a list, each entry beginning with - file: ..., not %s", shape(list))
		return
	case len(list.Content) > MaxUses:
		c.fail(placeOf(list.Content[MaxUses]), "use", "more than %d entries", MaxUses)
		return
	}
	for i, n := range list.Content {
		c.use(n, fmt.Sprintf("use[%d]", i+1))
	}
}

// use takes the rules of one entry.
func (c *sheetCompiler) use(n *yaml.Node, where string) {
	if n.Kind != yaml.MappingNode {
		c.fail(placeOf(n), where, "an entry has keys: file, and perhaps rules, limits and mode; this is %s", shape(n))
		return
	}
	found, ok := c.entries(n, where, useKeys, nil)
	if !ok {
		return
	}
	e, ok := found["file"]
	if !ok {
		c.fail(placeOf(n), where, "file is missing; write the library's path from the policy folder, such as file: library/NAME.yaml")
		return
	}
	s, ok := c.scalar(e, where+".file", "the library's path from the policy folder, such as library/NAME.yaml")
	if !ok {
		return
	}
	name := s.value()
	lib := c.shelf.libraries[name]
	switch {
	case lib == nil && c.shelf.owned[name]:
		c.fail(placeOf(e.value), where+".file", "%s is no library: it does not say policy: library", shorten(name, textShown))
		return
	case lib == nil:
		hint := didYouMean(name, c.shelf.names())
		if hint == "" {
			hint = "; a library is named by its path from the policy folder"
		}
		c.fail(placeOf(e.value), where+".file", "there is no library %s%s", shorten(name, textShown), hint)
		return
	case len(lib.errs) > 0:
		return // which say what is wrong
	}
	taken := lib.sheet.rules
	if e, ok := found["rules"]; ok {
		taken = c.taken(e, where+".rules", lib)
	}
	if e, ok := found["limits"]; ok {
		taken = c.withLimits(e, where+".limits", lib, taken)
	}
	mode, replaced := Enforce, false
	if e, ok := found["mode"]; ok {
		mode, replaced = c.mode(e, where+".mode")
	}
	for _, r := range taken {
		copied := *r.about
		copied.usedAt = fmt.Sprintf("%s:%d", c.file, n.Line)
		r.about = &copied
		if replaced {
			r.shadow = mode == Shadow
		}
		c.takeIn(r, n, where)
	}
}

// taken are the rules of a library that are named.
func (c *sheetCompiler) taken(e entry, where string, lib *sheetCompiler) []rule {
	if empty(e.value) || e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0 {
		c.fail(placeOf(e.key), where, "is empty; write the names of the rules that are wanted, or remove it for all of them")
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		c.fail(placeOf(e.value), where, "must be a list of names of rules, such as [%s], not %s", lib.sheet.rules[0].name, shape(e.value))
		return nil
	}
	names := make([]string, len(lib.sheet.rules))
	for i := range lib.sheet.rules {
		names[i] = lib.sheet.rules[i].name
	}
	var taken []rule
	lines := map[string]int{}
	for _, n := range e.value.Content {
		i := slices.Index(names, n.Value)
		switch {
		case n.Kind != yaml.ScalarNode:
			c.fail(placeOf(n), where, "must be a name of a rule, not %s", shape(n))
		case i < 0:
			hint := didYouMean(n.Value, names)
			if hint == "" {
				hint = "; there are " + shorten(strings.Join(names, ", "), 3*textShown)
			}
			c.fail(placeOf(n), where, "%s has no rule %s%s", lib.file, shorten(n.Value, textShown), hint)
		case lines[n.Value] > 0:
			c.fail(placeOf(n), where, "%s is there twice; the first is in line %d", n.Value, lines[n.Value])
		default:
			lines[n.Value] = n.Line
			taken = append(taken, lib.sheet.rules[i])
		}
	}
	return taken
}

// withLimits compiles rules of a library again, with other numbers for its limits.
func (c *sheetCompiler) withLimits(e entry, where string, lib *sheetCompiler, taken []rule) []rule {
	if empty(e.value) {
		return taken
	}
	before := len(c.errs)
	limits := c.limitsOf(e, where)
	names := slices.Sorted(maps.Keys(limits))
	own := sheetCompiler{
		scale: lib.scale, language: lib.language, file: lib.file, text: lib.text, sheet: &sheet{file: lib.file}, library: lib.library, limits: maps.Clone(lib.limits), names: lib.names,
	}
	for _, name := range names {
		l := limits[name]
		was, known := lib.limits[name]
		switch {
		case !known:
			hint := didYouMean(name, lib.names)
			if hint == "" {
				hint = "; there are " + strings.Join(lib.names, ", ")
				if len(lib.names) == 0 {
					hint = ": it has none"
				}
			}
			c.fail(l.at, where, "%s has no limit %s%s", lib.file, name, hint)
			continue
		case l.unit.loose == loose:
			l.unit = was.unit
		case was.unit.loose != loose && (!slices.Equal(l.unit.powers, was.unit.powers) || l.unit.traded != was.unit.traded):
			c.fail(l.at, where+"."+name, "is %s; in %s it is %s", c.phrase(l.unit), lib.file, c.phrase(was.unit))
			continue
		}
		own.limits[name] = l
	}
	if len(c.errs) > before {
		return nil
	}
	for i := range taken {
		own.rule(taken[i].node, "rules."+taken[i].name, map[string]int{})
	}
	for _, wrong := range own.errs {
		c.fail(placeOf(e.key), where, "with these, %s", wrong)
	}
	if len(own.errs) > 0 {
		return nil
	}
	return own.sheet.rules
}

// takeIn adds a used rule to the file's.
func (c *sheetCompiler) takeIn(r rule, at *yaml.Node, where string) {
	if i := slices.IndexFunc(c.sheet.rules, func(old rule) bool { return old.name == r.name }); i >= 0 {
		c.fail(placeOf(at), where, "a rule %s is there already, in %s; the other is in %s", r.name, c.sheet.rules[i].place, r.place)
		return
	}
	if len(c.sheet.rules) == MaxRules {
		c.fail(placeOf(at), where, "with these, the file has more than %d rules", MaxRules)
	}
	before := c.nodes
	c.nodes += r.visits
	if before <= MaxFileNodes && c.nodes > MaxFileNodes {
		c.fail(placeOf(at), where, "the rules of the file have more than %d names, numbers, texts and operators", MaxFileNodes)
	}
	c.sheet.windows = append(c.sheet.windows, r.windows...)
	c.sheet.rules = append(c.sheet.rules, r)
}

// mode reads what becomes of what a rule says.
func (c *sheetCompiler) mode(e entry, where string) (Mode, bool) {
	s, ok := c.scalar(e, where, strings.Join(modeNames, " or "))
	if !ok {
		return Enforce, false
	}
	if i := slices.Index(modeNames, s.value()); i >= 0 {
		return Mode(i), true
	}
	hint := didYouMean(s.value(), modeNames)
	c.fail(placeOf(e.value), where, "%q is no mode%s", shorten(s.value(), textShown), cmp.Or(hint, "; write "+strings.Join(modeNames, " or ")))
	return Enforce, false
}

// Limit is a number with a name.
type Limit struct {
	Name   string
	Number hub.Decimal
	// Unit is as it is written: "lots", "CNY/lot"; "" without one.
	Unit string
	// Place is file:line.
	Place string
}

package policy

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// Bounds of the files. What goes over one is an error of the file.
const (
	// MaxFiles is the most policy files.
	MaxFiles = 1000
	// MaxFileBytes is the longest file.
	MaxFileBytes = 256 << 10
	// MaxTotalBytes is the most of all files together: they are compiled while orders wait.
	MaxTotalBytes = 8 << 20
	// MaxRules is the most rules of one file.
	MaxRules = 200
	// MaxLimits is the most limits of one file.
	MaxLimits = 500
	// MaxFileNodes is the most names, numbers, texts and operators of all rules of one file: each costs a few nanoseconds of every decision.
	MaxFileNodes = 10_000
	// MaxWindows is the most different counters over a window that the rules of one file may read, today's not counted: the core keeps each of them.
	MaxWindows = 32
	// MaxBecause is the longest because, in characters.
	MaxBecause = 1000
)

// sheetCompiler compiles one file.
type sheetCompiler struct {
	scale
	language int
	file     string
	sheet    *sheet
	library  *Library // nil: it is a file of a trader or of the fund
	shelf    shelf    // what it can use
	known    bool     // whose the file is
	text     *text
	root     *yaml.Node
	errs     []Error
	limits   map[string]limit
	names    []string // of limits, sorted
	nodes    int
	watch    watching         // what is compiled is a watch
	found    map[string]entry // of the top
}

// open reads a file as far as whose it is. What is wrong with it is in errs.
func open(file hub.PolicyFile, language int) *sheetCompiler {
	c := &sheetCompiler{language: language, file: file.Name, sheet: &sheet{file: file.Name}, limits: map[string]limit{}}
	root := c.read(file.Text)
	c.known = root != nil && c.whole(root) && c.top(root)
	return c
}

// errorShown is how many characters an error has at most: it may quote a part of a rule.
const errorShown = 500

func (c *sheetCompiler) fail(at place, where, format string, args ...any) {
	if where != "" {
		where += ": "
	}
	if c.text != nil {
		at = c.text.within(at)
	}
	c.errs = append(c.errs, Error{File: c.file, Line: at.line, Col: at.col, Text: shorten(clean(where+fmt.Sprintf(format, args...)), errorShown)})
}

// read makes a YAML tree of the text: one document, of characters that people can see. nil: it cannot be read, and why has been said.
func (c *sheetCompiler) read(source string) *yaml.Node {
	if len(source) > MaxFileBytes {
		c.fail(place{1, 1}, "", "the file is %d bytes long; at most %d", len(source), MaxFileBytes)
		return nil
	}
	source = strings.TrimPrefix(source, "\ufeff") // Windows editors put it there
	if at := firstInvalid(source); at >= 0 {
		before := newText(source[:at])
		c.fail(before.place(len(before.runes)), "", "the file is not UTF-8 text; save it as UTF-8")
		return nil
	}
	c.text = newText(source)
	seen, ok := c.visible()
	if !ok {
		// Read on for what else is wrong, but whether it still is YAML says nothing.
		root, err := decode(yaml.NewDecoder(strings.NewReader(seen)))
		if err != nil {
			return nil
		}
		return root
	}
	decoder := yaml.NewDecoder(strings.NewReader(source))
	root, err := decode(decoder)
	switch {
	case errors.Is(err, io.EOF):
		c.fail(place{1, 1}, "", "the file is empty; it begins with policy: fund, or with policy: trader and trader: NAME")
		return nil
	case err != nil:
		c.unreadable(source, err)
		return nil
	}
	second, err := decode(decoder)
	switch {
	case errors.Is(err, io.EOF):
		return root
	case err != nil:
		c.unreadable(source, err)
		return nil
	}
	c.fail(placeOf(second), "", "a second YAML document; a policy file is one document, without ---")
	return nil
}

// decode reads the next document. The YAML library answers its own mistakes with a panic.
func decode(decoder *yaml.Decoder) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("yaml: %v", p)
		}
	}()
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return nil, io.EOF
	}
	return document.Content[0], nil
}

// visible refuses characters that an editor does not show as they are: what is approved must be what is run. At most one error for each line. seen is the text with spaces in their
// place.
func (c *sheetCompiler) visible() (seen string, good bool) {
	good = true
	runes := slices.Clone(c.text.runes)
	last := 0
	for i, r := range runes {
		what := ""
		switch {
		case r == '\n' || (r == '\r' && i+1 < len(runes) && runes[i+1] == '\n'):
			continue
		case r == '\t':
			what = "a tab; YAML is indented with spaces"
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == '\ufffd':
			what = fmt.Sprintf("the character %U, which cannot be seen; remove it", r)
		default:
			continue
		}
		good, runes[i] = false, ' '
		if at := c.text.place(i); at.line != last {
			last = at.line
			c.fail(at, "", "%s", what)
		}
	}
	return string(runes), good
}

// whole refuses what makes one part of a file say what another part says, or what YAML would read as something else than is written.
func (c *sheetCompiler) whole(root *yaml.Node) bool {
	good, last := true, 0
	bad := func(n *yaml.Node, format string, args ...any) {
		if n.Line != last {
			c.fail(placeOf(n), "", format, args...) // one for each line
		}
		good, last = false, n.Line
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		switch {
		case n.Kind == yaml.AliasNode:
			bad(n, "an alias (*%s); write the value itself", n.Value)
			return
		case n.Anchor != "":
			bad(n, "an anchor (&%s); policies have none", n.Anchor)
		case n.Style&yaml.TaggedStyle != 0:
			bad(n, "YAML reads ! at the beginning of a value as a tag (%s); write not, or put the value in quotes", n.Tag)
		case n.Tag == "!!merge":
			bad(n, "a merge (<<); write the keys themselves")
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(root)
	return good
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries are the entries of a mapping, each key once. Keys that are not known are errors, and so are those that a later version of the hub will know.
func (c *sheetCompiler) entries(n *yaml.Node, where string, known, later []string) (map[string]entry, bool) {
	if n.Kind != yaml.MappingNode {
		c.fail(placeOf(n), where, "must be keys with values, such as %s: ..., not %s", known[0], shape(n))
		return nil, false
	}
	found := make(map[string]entry, len(known))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		first, twice := found[name]
		switch {
		case key.Kind != yaml.ScalarNode:
			c.fail(placeOf(key), where, "a key must be a word, not %s", shape(key))
		case twice:
			c.fail(placeOf(key), where, "%s is there twice; the first is in line %d", name, first.key.Line)
		case slices.Contains(later, name):
			c.fail(placeOf(key), where, "%s is not supported yet", name)
		case !slices.Contains(known, name):
			hint := didYouMean(name, known)
			if hint == "" {
				hint = "; there are " + strings.Join(known, ", ")
			}
			c.fail(placeOf(key), where, "unknown key %s%s", shorten(name, textShown), hint)
		default:
			found[name] = entry{key, value}
		}
	}
	return found, true
}

// shape is what a YAML node is, in words.
func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if empty(n) {
			return "nothing"
		}
		return "a single value"
	case yaml.AliasNode, yaml.DocumentNode:
	}
	return "that"
}

func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || strings.TrimSpace(n.Value) == "")
}

// scalar is an entry's value as one value; false when it is none.
func (c *sheetCompiler) scalar(e entry, where, want string) (*scalar, bool) {
	n := e.value
	switch {
	case empty(n):
		at := placeOf(n)
		if n.Value == "" && n.Style == 0 {
			at = placeOf(e.key) // nothing stands nowhere
		}
		c.fail(at, where, "is empty; write %s", want)
		return nil, false
	case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0:
		c.fail(placeOf(n), where, "YAML reads { at the beginning of a value as keys with values; put the value in quotes")
		return nil, false
	case n.Kind == yaml.SequenceNode && n.Style&yaml.FlowStyle != 0:
		c.fail(placeOf(n), where, "YAML reads [ at the beginning of a value as a list; put the value in quotes")
		return nil, false
	case n.Kind != yaml.ScalarNode:
		c.fail(placeOf(n), where, "must be %s, not %s", want, shape(n))
		return nil, false
	}
	return &scalar{node: n, text: c.text}, true
}

// top reads the keys of the file and whose it is; false when that is not known.
func (c *sheetCompiler) top(root *yaml.Node) bool {
	keys, later := ownerKeys, []string(nil)
	if c.language < version2 {
		keys, later = oldOwnerKeys, laterOwnerKeys
	} else if saysLibrary(root) {
		keys, c.library = libraryKeys, &Library{File: c.file}
	}
	found, ok := c.entries(root, "", keys, later)
	if !ok {
		return false
	}
	c.root, c.found = root, found
	if c.library != nil {
		c.describe(root)
		return true
	}
	known := c.owner(root, found)
	if e, ok := found["currency"]; ok {
		c.readCurrency(e)
	}
	if e, ok := found["internal_cross"]; ok && known {
		c.readCross(e)
	}
	return known
}

// saysLibrary looks whether a file says policy: library, before anything else of it is read.
func saysLibrary(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "policy" {
			return root.Content[i+1].Kind == yaml.ScalarNode && root.Content[i+1].Value == "library"
		}
	}
	return false
}

// readCurrency reads in which money the fund counts.
func (c *sheetCompiler) readCurrency(e entry) {
	if !c.sheet.isFund {
		c.fail(placeOf(e.key), "currency", "the fund has one currency; write it in the fund's file, or remove this line")
		return
	}
	s, ok := c.scalar(e, "currency", "the fund's currency, such as CNY")
	switch {
	case !ok:
	case !currencyForm.MatchString(s.value()):
		c.fail(placeOf(e.value), "currency", "%q is no currency; write its code in capitals, such as CNY or USDT", shorten(s.value(), textShown))
	default:
		c.sheet.currency, c.sheet.currencyAt = s.value(), placeOf(e.value)
	}
}

// compile compiles the limits and the rules, as far as the file could be read.
func (c *sheetCompiler) compile(s scale) {
	if c.found == nil {
		return
	}
	c.scale = s
	if e, ok := c.found["limits"]; ok {
		c.readLimits(e)
	}
	e, ok := c.found["rules"]
	use, uses := c.found["use"]
	switch {
	case !ok && uses:
	case !ok:
		c.fail(placeOf(c.root), "", "%s", c.noRules())
	case empty(e.value) || (e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0):
		c.fail(placeOf(e.key), "rules", "%s", c.noRules())
	case e.value.Kind != yaml.SequenceNode:
		c.fail(placeOf(e.value), "rules", "must be a list, each rule beginning with - name: ..., not %s", shape(e.value))
	case len(e.value.Content) > MaxRules:
		c.fail(placeOf(e.value.Content[MaxRules]), "rules", "more than %d rules", MaxRules)
	default:
		c.rules(e.value)
	}
	if uses {
		c.uses(use)
	}
	if at, where := e, "rules"; uses || ok {
		if !ok {
			at, where = use, "use"
		}
		c.bounded(placeOf(at.value), where)
	}
	if e, ok := c.found["watch"]; ok {
		c.watches(e)
	}
}

func (c *sheetCompiler) noRules() string {
	if c.isLibrary() {
		return "no rules: there is nothing to use; write at least one"
	}
	return "no rules: every order would pass; write at least one"
}

// bounded refuses rules that are too many together, or that stop nothing.
func (c *sheetCompiler) bounded(at place, where string) {
	c.sheet.windows = sortedRefs(c.sheet.windows)
	if len(c.sheet.windows) > MaxWindows {
		c.fail(at, where, "read %d different counters over a window; at most %d", len(c.sheet.windows), MaxWindows)
	}
	c.prove(at)
	if !c.isLibrary() && len(c.errs) == 0 && !slices.ContainsFunc(c.sheet.rules, func(r rule) bool { return !r.shadow }) {
		c.fail(at, where, "all are in shadow: every order would pass; put at least one in force")
	}
}

// owner reads whose policy the file is.
func (c *sheetCompiler) owner(root *yaml.Node, found map[string]entry) bool {
	trader, hasTrader := found["trader"]
	e, ok := found["policy"]
	if !ok {
		c.fail(placeOf(root), "", "policy is missing; write policy: fund, or policy: trader")
		return false
	}
	kind, ok := c.scalar(e, "policy", "fund or trader")
	if !ok {
		return false
	}
	switch kind.value() {
	case "fund":
		c.sheet.isFund, c.sheet.at = true, placeOf(e.key)
		if hasTrader {
			c.fail(placeOf(trader.key), "trader", "the fund's policy is about every trader; write policy: trader, or remove this line")
			return false
		}
		return true
	case "trader":
		if !hasTrader {
			c.fail(placeOf(e.key), "", "trader is missing; write trader: NAME, as the configuration names the trader")
			return false
		}
		name, ok := c.scalar(trader, "trader", "the trader's name, as the configuration has it")
		if !ok {
			return false
		}
		if strings.ContainsFunc(name.value(), unicode.IsSpace) || len(name.value()) > 64 {
			c.fail(placeOf(trader.value), "trader", "%q is no trader's name: one word, of at most 64 letters", shorten(name.value(), textShown))
			return false
		}
		c.sheet.trader, c.sheet.at = hub.TraderName(name.value()), placeOf(trader.key)
		return true
	}
	kinds := "fund or trader"
	if c.language >= version2 {
		kinds = "fund, trader or library"
	}
	c.fail(placeOf(e.value), "policy", "%q is no kind of policy; write %s", shorten(kind.value(), textShown), kinds)
	return false
}

func (c *sheetCompiler) readLimits(e entry) {
	c.limits = c.limitsOf(e, "limits")
	c.names = slices.Sorted(maps.Keys(c.limits))
	for _, name := range c.names {
		c.sheet.limits = append(c.sheet.limits, c.limits[name].told(name, c.file))
	}
}

// limitsOf reads names with numbers.
func (c *sheetCompiler) limitsOf(e entry, where string) map[string]limit {
	limits := map[string]limit{}
	switch {
	case empty(e.value):
		return limits
	case e.value.Kind != yaml.MappingNode:
		c.fail(placeOf(e.value), where, "must be names with numbers, such as order_value: 1_000_000, not %s", shape(e.value))
		return limits
	case len(e.value.Content)/2 > MaxLimits:
		c.fail(placeOf(e.value), where, "more than %d limits", MaxLimits)
	}
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		key, value := e.value.Content[i], e.value.Content[i+1]
		name := key.Value
		first, twice := limits[name]
		switch {
		case key.Kind != yaml.ScalarNode || !limitName(name):
			c.fail(placeOf(key), where, "%q is no name of a limit: small letters, digits and _, beginning with a letter, and no word of the rule language", shorten(name, textShown))
			continue
		case twice:
			c.fail(placeOf(key), where, "%s is there twice; the first is in line %d", name, first.at.line)
			continue
		}
		l := c.limit(entry{key, value}, where+"."+name)
		l.at = placeOf(key)
		limits[name] = l
	}
	return limits
}

// limit reads a limit's number and its unit. A bad one is an error, and the limit is known all the same, so that the rules that read it are not wrong as well.
func (c *sheetCompiler) limit(e entry, where string) limit {
	bad := limit{number: hub.Int(1), unit: unit{loose: loose}} // no rule fails to compile for it, as one would that divides by 0
	if e.value.Kind != yaml.ScalarNode {
		c.fail(placeOf(e.value), where, "must be a number, not %s", shape(e.value))
		return bad
	}
	s, ok := c.scalar(e, where, "a number")
	if !ok {
		return bad
	}
	text, written, _ := strings.Cut(s.value(), " ")
	written = strings.TrimSpace(written)
	digits, negative := strings.CutPrefix(text, "-")
	switch {
	case s.node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		c.fail(placeOf(e.value), where, "%q is a text; write the number without quotes", shorten(s.value(), textShown))
		return bad
	case strings.HasSuffix(s.value(), "%"):
		c.fail(placeOf(e.value), where, "%s: write a part, such as 0.02 for 2 %%", shorten(s.value(), textShown))
		return bad
	}
	if n := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789_.", r) }); n > 0 && unitFault(digits[n:]) == "" {
		c.fail(placeOf(e.value), where, "%q: write a space between the number and its unit: %s %s", shorten(s.value(), textShown), text[:len(text)-len(digits)+n], digits[n:])
		return bad
	}
	d, what := readNumber(digits)
	if what == "" {
		what = unitFault(written)
	}
	if what == "" && written != "" && !c.units {
		what = "units are not for this version of the language"
	}
	if what != "" {
		c.fail(placeOf(e.value), where, "%s", shorten(what, 3*textShown))
		return bad
	}
	if negative {
		d = d.Neg()
	}
	if written == "" {
		return limit{number: d, unit: unit{loose: loose}}
	}
	return limit{number: d, unit: c.readUnit(written), written: written}
}

func letters(s, more string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && !strings.ContainsRune(more, r) {
			return false
		}
	}
	return s != "" && s[0] >= 'a' && s[0] <= 'z' && len(s) <= 64
}

// expressionWords cannot be members of a name in expr's grammar, or would be misread by people.
var expressionWords = []string{
	"and", "or", "not", "in", "contains", "matches", "true", "false", "nil", "let", "if", "else",
}

func limitName(s string) bool {
	return letters(s, "0123456789_") && !slices.Contains(expressionWords, s)
}

func ruleName(s string) bool { return letters(s, "0123456789-_") }

func (c *sheetCompiler) rules(list *yaml.Node) {
	lines := map[string]int{}
	for i, n := range list.Content {
		c.rule(n, fmt.Sprintf("rules[%d]", i+1), lines)
	}
}

// rule compiles one rule. lines is where the names so far are.
func (c *sheetCompiler) rule(n *yaml.Node, where string, lines map[string]int) {
	if n.Kind != yaml.MappingNode {
		c.fail(placeOf(n), where, "a rule has keys: name, require, and perhaps when and because; this is %s", shape(n))
		return
	}
	r := rule{about: &about{file: c.file, place: fmt.Sprintf("%s:%d", c.file, n.Line), node: n, limits: c.limits}}
	visits, windows := c.nodes, len(c.sheet.windows)
	// The name first: what else is wrong is said with it.
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Value == "name" && value.Kind == yaml.ScalarNode && ruleName(value.Value) {
			where = "rules." + value.Value
			break
		}
	}
	keys, later := ruleKeys, []string(nil)
	if c.language < version2 {
		keys, later = oldRuleKeys, laterRuleKeys
	}
	found, ok := c.entries(n, where, keys, later)
	if !ok {
		return
	}
	r.name = c.name(n, where, found, lines)
	if e, ok := found["when"]; ok {
		if s, ok := c.scalar(e, where+".when", "a condition such as order.type == LIMIT"); ok {
			r.when, r.whenText = c.condition(s, where+".when"), oneLine(s.value())
		}
	}
	if e, ok := found["require"]; !ok {
		c.fail(placeOf(n), where, "require is missing; write the condition that must be true for an order to pass")
	} else if s, ok := c.scalar(e, where+".require", "a condition such as order.quantity <= 10"); ok {
		r.require = c.condition(s, where+".require")
		r.requireText = oneLine(s.value())
		r.because = doesNotHold(shorten(r.requireText, 200))
	}
	if e, ok := found["warn"]; ok {
		c.warn(&r, e, where+".warn")
	}
	if e, ok := found["because"]; ok {
		r.because = c.because(e, where+".because", r.because)
	}
	if e, ok := found["controls"]; ok {
		r.controls = c.controls(e, where+".controls")
	}
	if e, ok := found["mode"]; ok {
		mode, _ := c.mode(e, where+".mode")
		r.shadow = mode == Shadow
	}
	r.reads, r.narrow = readsOf(r.when, r.require), narrowOf(readsOf(r.require, r.warn))
	r.visits, r.windows = c.nodes-visits, slices.Clone(c.sheet.windows[windows:])
	c.sheet.rules = append(c.sheet.rules, r)
}

func (c *sheetCompiler) name(n *yaml.Node, where string, found map[string]entry, lines map[string]int) string {
	e, ok := found["name"]
	if !ok {
		c.fail(placeOf(n), where, "name is missing; a refusal says it")
		return ""
	}
	s, ok := c.scalar(e, where+".name", "a name such as order-value")
	if !ok {
		return ""
	}
	name := s.value()
	switch {
	case !ruleName(name):
		c.fail(placeOf(e.value), where, "%q is no name of a rule: small letters, digits and -, beginning with a letter, at most 64", shorten(name, textShown))
	case lines[name] > 0:
		what, _, _ := strings.Cut(strings.TrimSuffix(where, "."+name), "[")
		c.fail(placeOf(e.value), where, "a %s %s is there already, in line %d", strings.TrimSuffix(what, "s"), name, lines[name])
	default:
		lines[name] = e.value.Line
	}
	return name
}

// condition compiles a when or require.
func (c *sheetCompiler) condition(s *scalar, where string) *node {
	n := c.expression(s, 0, s.value(), where)
	switch {
	case n == nil:
		return nil
	case n.kind != KindTruth:
		c.fail(s.at(0), where, "must be a condition, true or false; %s is %s", shorten(n.String(), textShown), n.kind.phrase())
		return nil
	case !n.reads:
		m := machine{}
		value, _ := m.truth(n)
		c.fail(s.at(0), where, "is always %t: it reads nothing of the order", value)
		return nil
	}
	return n
}

// expression compiles the expression source, which begins at the character number from of s.
func (c *sheetCompiler) expression(s *scalar, from int, source, where string) *node {
	p, faults := parse(source)
	var result *node
	if len(faults) == 0 {
		check := &checker{parsed: p, scale: c.scale, limits: c.limits, names: c.names, watch: c.watch}
		if o, ok := check.check(p.root); ok && check.only(o) {
			result = o.node
		}
		faults = check.faults
		before := c.nodes
		c.nodes += check.visits
		if before <= MaxFileNodes && c.nodes > MaxFileNodes {
			c.fail(s.at(from), where, "the rules of the file have more than %d names, numbers, texts and operators", MaxFileNodes)
		}
	}
	for _, f := range faults {
		c.fail(s.at(from+f.at), where, "%s", f.what)
	}
	if result == nil || len(faults) > 0 {
		return nil
	}
	c.sheet.windows = append(c.sheet.windows, windowsOf(readsOf(result))...)
	return result
}

// only refuses an expression that is a constant's name and no more.
func (c *checker) only(o operand) bool {
	if o.word == "" {
		return true
	}
	c.fault(o.at, "%s can only be compared, as in order.type == LIMIT", o)
	return false
}

// because compiles a rule's sentence, or the same in several languages. Where there is none, was stands.
func (c *sheetCompiler) because(e entry, where string, was sentences) sentences {
	if c.language < version2 || e.value.Kind != yaml.MappingNode || !slices.ContainsFunc(langKeys, func(key string) bool { return hasKey(e.value, key) }) {
		want := "a sentence"
		if c.language >= version2 {
			want = "a sentence, or en: and zh: with one each"
		}
		if s, ok := c.scalar(e, where, want); ok {
			return oneFor(c.template(s, where))
		}
		return was
	}
	found, ok := c.entries(e.value, where, langKeys, nil)
	if !ok {
		return was
	}
	in := map[string]template{}
	for _, lang := range langKeys {
		if one, ok := found[lang]; ok {
			if s, ok := c.scalar(one, where+"."+lang, "a sentence"); ok {
				in[lang] = c.template(s, where+"."+lang)
			}
		}
	}
	english, hasEnglish := in["en"]
	chinese, hasChinese := in["zh"]
	switch {
	case !hasEnglish:
		return oneFor(chinese)
	case !hasChinese:
		return oneFor(english)
	}
	return sentences{english, chinese}
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// controlsMax is the last number of docs/controls.md.
const controlsMax = 32

// controls reads of which controls a rule is one.
func (c *sheetCompiler) controls(e entry, where string) []int {
	const want = "a list of numbers of docs/controls.md, such as [13]"
	if empty(e.value) || e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0 {
		c.fail(placeOf(e.key), where, "is empty; write %s", want)
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		c.fail(placeOf(e.value), where, "must be %s, not %s", want, shape(e.value))
		return nil
	}
	var all []int
	for _, n := range e.value.Content {
		number, err := strconv.Atoi(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode || err != nil || number < 1 || number > controlsMax || strconv.Itoa(number) != n.Value:
			c.fail(placeOf(n), where, "%q is no number of a control; there are 1 to %d", shorten(n.Value, textShown), controlsMax)
		case slices.Contains(all, number):
			c.fail(placeOf(n), where, "%d is there twice", number)
		default:
			all = append(all, number)
		}
	}
	slices.Sort(all)
	return all
}

// template compiles a because: a sentence with {expressions}.
func (c *sheetCompiler) template(s *scalar, where string) template {
	runes := []rune(s.value())
	if len(runes) > MaxBecause {
		c.fail(placeOf(s.node), where, "is %d characters long; at most %d", len(runes), MaxBecause)
		return nil
	}
	var t template
	var text strings.Builder
	for i := 0; i < len(runes); i++ {
		doubled := i+1 < len(runes) && runes[i+1] == runes[i]
		switch {
		case (runes[i] == '{' || runes[i] == '}') && doubled:
			text.WriteRune(runes[i])
			i++
		case runes[i] == '}':
			c.fail(s.at(i), where, "} without a { before it; a brace of the sentence itself is written }}")
		case runes[i] == '{':
			end := closing(runes, i+1)
			if end < 0 {
				c.fail(s.at(i), where, "{ is not closed; a brace of the sentence itself is written {{")
				return t
			}
			t = append(t, segment{text: text.String()})
			text.Reset()
			if strings.TrimSpace(string(runes[i+1:end])) == "" {
				c.fail(s.at(i), where, "{} is empty; write what is to be shown, as in {order.value}")
			} else if n := c.expression(s, i+1, string(runes[i+1:end]), where); n != nil {
				t = append(t, segment{node: n})
			}
			i = end
		case runes[i] == '\n':
			text.WriteByte(' ')
		default:
			text.WriteRune(runes[i])
		}
	}
	return append(t, segment{text: strings.TrimRight(text.String(), " ")})
}

// closing is where the } stands that closes a {, outside of quotes; -1 when nowhere.
func closing(runes []rune, from int) int {
	quote := rune(0)
	for i := from; i < len(runes); i++ {
		switch r := runes[i]; {
		case quote != 0:
			if r == '\\' && quote != '`' {
				i++
			} else if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case r == '}':
			return i
		}
	}
	return -1
}

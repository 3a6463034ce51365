package policytest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/policy"
	"tradehub/hub/spell"
)

// Bounds of a test file.
const (
	// MaxTests is the most tests of one file.
	MaxTests = 1000
	// MaxSteps is the most that happens in one test, each time of a repeated step counted.
	MaxSteps = 200_000
	// MaxNesting is how deep steps may stand in steps.
	MaxNesting = 5
)

// Read reads a test file. With any error there is no File, and the errors are all there are, sorted.
func Read(name, text string) (*File, []policy.Error) {
	r := &reader{file: name, text: text}
	if blank(text) {
		return nil, []policy.Error{{File: name, Line: 1, Col: 1, Text: "the file is empty; a test file begins with tests:"}}
	}
	root, errs := policy.Tree(hub.PolicyFile{Name: name, Text: text})
	for _, e := range errs {
		e.Text = asTest.Replace(e.Text)
		r.errs = append(r.errs, e)
	}
	var f *File
	if root != nil {
		f = r.readFile(root)
	}
	if len(r.errs) > 0 {
		slices.SortFunc(r.errs, compareErrors)
		return nil, slices.Compact(r.errs)
	}
	return f, nil
}

// asTest has the errors of a YAML file speak of tests.
var asTest = strings.NewReplacer("a policy file is", "a test file is", "policies have none", "tests have none")

// blank reports whether there is nothing in a text but comments.
func blank(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return true
}

// reader reads one test file.
type reader struct {
	file, text string
	errs       []policy.Error
	world      *world          // of what is being read
	names      map[string]bool // of orders, of the test that is being read
	texts      int             // of policies, so far
}

func (r *reader) fail(n *yaml.Node, where, format string, args ...any) {
	if where != "" {
		where += ": "
	}
	r.errs = append(r.errs, policy.Error{File: r.file, Line: max(n.Line, 1), Col: max(n.Column, 1), Text: where + fmt.Sprintf(format, args...)})
}

// didYouMean is "; did you mean x?" with the nearest of the known words; "" when none is near.
func didYouMean(written string, known []string) string {
	if near := spell.Within(written, known, max(1, min(len(written)/3, 4))); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// field is one key of a mapping with its value.
type field struct{ key, value *yaml.Node }

// fields are the entries of a mapping whose keys are known, each once.
func (r *reader) fields(n *yaml.Node, where string, known []Key) map[string]field {
	if n.Kind != yaml.MappingNode {
		r.fail(n, where, "must be keys with values, such as %s: ..., not %s", known[0].Name, shape(n))
		return nil
	}
	found := make(map[string]field, len(n.Content)/2)
	for _, e := range r.pairs(n, where) {
		name := e.key.Value
		if !slices.ContainsFunc(known, func(k Key) bool { return k.Name == name }) {
			hint := didYouMean(name, namesOf(known))
			if hint == "" {
				hint = "; there are " + strings.Join(namesOf(known), ", ")
			}
			r.fail(e.key, where, "unknown key %s%s", name, hint)
			continue
		}
		found[name] = e
	}
	return found
}

// pairs are the entries of a mapping whose keys are names, each once.
func (r *reader) pairs(n *yaml.Node, where string) []field {
	if n.Kind != yaml.MappingNode {
		r.fail(n, where, "must be names with values, not %s", shape(n))
		return nil
	}
	var all []field
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fail(key, where, "a key must be a word, not %s", shape(key))
		case lines[key.Value] > 0:
			r.fail(key, where, "%s is there twice; the first is in line %d", key.Value, lines[key.Value])
		case empty(value):
			hint := ""
			if n.Style&yaml.FlowStyle != 0 && value.Line == key.Line {
				hint = "; a text with a comma in it must be in quotes"
			}
			r.fail(key, join(where, key.Value), "is empty%s", hint)
		default:
			all = append(all, field{key, value})
		}
		if key.Kind == yaml.ScalarNode && lines[key.Value] == 0 {
			lines[key.Value] = key.Line
		}
	}
	return all
}

func join(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Style == 0 && strings.TrimSpace(n.Value) == "")
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
		return fmt.Sprintf("%q", n.Value)
	case yaml.AliasNode, yaml.DocumentNode:
	}
	return "that"
}

// word is a single value.
func (r *reader) word(n *yaml.Node, where, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode || empty(n) {
		r.fail(n, where, "must be %s, not %s", want, shape(n))
		return "", false
	}
	return n.Value, true
}

// oneOf is one of a key's members, whatever case it is written in.
func (r *reader) oneOf(n *yaml.Node, where string, members []string) (string, bool) {
	s, ok := r.word(n, where, "one of "+strings.Join(members, ", "))
	if !ok {
		return "", false
	}
	for _, m := range members {
		if strings.EqualFold(m, s) {
			return m, true
		}
	}
	r.fail(n, where, "%q is none of %s%s", s, strings.Join(members, ", "), didYouMean(s, members))
	return "", false
}

func membersOf(keys []Key, name string) []string {
	for _, k := range keys {
		if k.Name == name {
			return k.Members
		}
	}
	return nil
}

func (r *reader) number(n *yaml.Node, where string) (hub.Decimal, bool) {
	s, ok := r.word(n, where, "a number")
	if !ok {
		return hub.Decimal{}, false
	}
	d, err := hub.ParseDecimal(strings.ReplaceAll(s, "_", ""))
	if err != nil {
		r.fail(n, where, "must be a number such as 1_000_000 or 0.02, not %q", s)
		return hub.Decimal{}, false
	}
	return d, true
}

// positive is a number over 0.
func (r *reader) positive(n *yaml.Node, where string) (hub.Decimal, bool) {
	d, ok := r.number(n, where)
	if ok && !d.IsPos() {
		r.fail(n, where, "must be over 0, not %s", n.Value)
		return hub.Decimal{}, false
	}
	return d, ok
}

func (r *reader) whole(n *yaml.Node, where string) (int, bool) {
	s, ok := r.word(n, where, "a whole number over 0")
	if !ok {
		return 0, false
	}
	times, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
	if err != nil || times < 1 {
		r.fail(n, where, "must be a whole number over 0, not %q", s)
		return 0, false
	}
	return times, true
}

func (r *reader) truth(n *yaml.Node, where string) bool {
	s, ok := r.word(n, where, "true or false")
	if ok && s != "true" && s != "false" {
		r.fail(n, where, "must be true or false, not %q", s)
	}
	return s == "true"
}

func (r *reader) span(n *yaml.Node, where string) time.Duration {
	s, ok := r.word(n, where, "a span of time such as 10s or 1m30s")
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		r.fail(n, where, "must be a span of time such as 100ms, 10s or 1m30s, not %q", s)
		return 0
	}
	return d
}

func (r *reader) moment(n *yaml.Node, where string) (moment, bool) {
	const forms = `a time such as "+10s", 10:30, 2026-11-24 09:00, next day, or next day 09:00`
	s, ok := r.word(n, where, forms)
	if !ok {
		return moment{}, false
	}
	m, ok := readMoment(s)
	if !ok {
		r.fail(n, where, "must be %s, not %q", forms, s)
	}
	return m, ok
}

// list is one name, or several.
func (r *reader) list(n *yaml.Node, where, want string) names {
	if n.Kind == yaml.ScalarNode {
		s, ok := r.word(n, where, want)
		if !ok {
			return names{}
		}
		return names{all: []string{s}, at: n}
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, where, "must be %s, or a list of them, not %s", want, shape(n))
		return names{}
	}
	out := names{all: []string{}, at: n}
	for _, child := range n.Content {
		s, ok := r.word(child, where, want)
		switch {
		case ok && slices.Contains(out.all, s):
			r.fail(child, where, "%s is there twice", s)
		case ok:
			out.all = append(out.all, s)
		}
	}
	return out
}

// trader is the name of one of the world's traders; any name while they are not known.
func (r *reader) trader(n *yaml.Node, where string) hub.TraderName {
	s, ok := r.word(n, where, "a trader's name")
	if !ok {
		return ""
	}
	r.isTrader(n, where, s)
	return hub.TraderName(s)
}

// isTrader: traders are known when the world says them; else they are those of the policies, which are not read yet.
func (r *reader) isTrader(n *yaml.Node, where, name string) bool {
	if len(r.world.traders) == 0 || slices.ContainsFunc(r.world.traders, func(t hub.TraderSetUp) bool { return string(t.Name) == name }) {
		return true
	}
	var all []string
	for _, t := range r.world.traders {
		all = append(all, string(t.Name))
	}
	r.fail(n, where, "there is no trader %q%s; traders has %s", name, didYouMean(name, all), strings.Join(all, ", "))
	return false
}

// instrument is a contract by its name: rb2701.SHFE, or rb2701.
func (r *reader) instrument(n *yaml.Node, where string) (hub.Instrument, bool) {
	s, ok := r.word(n, where, "a contract such as rb2701 or rb2701.SHFE")
	if !ok {
		return hub.Instrument{}, false
	}
	i, ok := hub.ParseInstrument(s)
	if !ok {
		i = hub.Instrument{Symbol: s}
		for _, used := range r.world.used {
			if used.Symbol == s {
				i = used
			}
		}
	}
	if _, is := r.world.contracts[i]; !is {
		k, is := known(i)
		if !is {
			var all []string
			for _, used := range r.world.used {
				all = append(all, used.String())
			}
			r.fail(n, where, "the terms of %s are not known%s; say them under contracts, as contracts: {%s.EXCHANGE: {size: 10, tick: 1}}", s, didYouMean(s, all), i.Symbol)
			return hub.Instrument{}, false
		}
		i = k.Instrument
		if _, is := r.world.contracts[i]; !is {
			r.world.contracts[i] = k
		}
	}
	if !slices.Contains(r.world.used, i) {
		r.world.used = append(r.world.used, i)
	}
	return i, true
}

// plainWorld is what a test begins with that says nothing.
func plainWorld() world {
	return world{
		contracts: map[hub.Instrument]contract{}, calendar: "cn-futures", currency: "CNY", start: moment{date: "2026-11-23", clock: "10:00:00"}, gateways: []gateway{{name: "SIM"}},
	}
}

func (r *reader) readFile(root *yaml.Node) *File {
	f := &File{Name: r.file}
	found := r.fields(root, "", keysOfFile)
	if found == nil {
		return f
	}
	base := plainWorld()
	r.world = &base
	r.readWorld(found, "")
	_, uses := found["use"]
	if e, ok := found["policies"]; ok {
		f.Policies = r.policies(e.value, "policies")
	}
	if e, ok := found["use"]; ok {
		f.Policies = append(f.Policies, r.use(e))
	}
	_, some := found["policies"]
	f.All = !uses && !some
	e, ok := found["tests"]
	switch {
	case !ok:
		r.fail(root, "", "tests is missing; write the list of tests")
	case e.value.Kind != yaml.SequenceNode:
		r.fail(e.value, "tests", "must be a list, each test beginning with - name: ..., not %s", shape(e.value))
	case len(e.value.Content) == 0:
		r.fail(e.key, "tests", "no tests: nothing would be shown; write at least one")
	case len(e.value.Content) > MaxTests:
		r.fail(e.value.Content[MaxTests], "tests", "more than %d tests", MaxTests)
	default:
		lines := map[string]int{}
		for i, n := range e.value.Content {
			r.world = &base
			if t := r.readTest(n, fmt.Sprintf("tests[%d]", i+1), lines); t != nil {
				f.Tests = append(f.Tests, t)
			}
		}
	}
	return f
}

func (r *reader) readTest(n *yaml.Node, where string, lines map[string]int) *Test {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "name" && n.Content[i+1].Kind == yaml.ScalarNode && n.Content[i+1].Value != "" {
				where = fmt.Sprintf("test %q", n.Content[i+1].Value)
			}
		}
	}
	found := r.fields(n, where, keysOfTest)
	if found == nil {
		return nil
	}
	t := &Test{File: r.file, Line: n.Line, world: r.world.clone()}
	r.world = &t.world
	r.names = map[string]bool{}
	e, ok := found["name"]
	if !ok {
		r.fail(n, where, "name is missing; write what the test shows")
	} else if name, ok := r.word(e.value, where, "a name"); ok {
		if strings.TrimSpace(name) == "" {
			r.fail(e.value, where, "the name is empty; write what the test shows")
		}
		if lines[name] > 0 {
			r.fail(e.value, where, "a test of this name is in line %d already", lines[name])
		}
		lines[name] = n.Line
		t.Name = name
	}
	r.readWorld(found, where)
	e, ok = found["steps"]
	switch {
	case !ok:
		r.fail(n, where, "steps is missing; write what happens")
	default:
		t.steps = r.steps(e.value, join(where, "steps"), 1)
	}
	if total := timesOf(t.steps); total > MaxSteps {
		r.fail(n, where, "%d steps, each time of a repeated one counted; at most %d", total, MaxSteps)
	}
	return t
}

// timesOf is how much happens in steps.
func timesOf(steps []*step) int {
	total := 0
	for _, s := range steps {
		each := 1
		if inner, ok := s.value.([]*step); ok {
			each = timesOf(inner)
		}
		total += min(each, MaxSteps+1) * min(s.times, MaxSteps+1)
		total = min(total, MaxSteps+1)
	}
	return total
}

// use makes a policy of the fund of the use: of a test file. Its lines are those of the test file, so that errors are found there.
func (r *reader) use(e field) Policy {
	lines := strings.Split(r.text, "\n")
	end := len(lines)
	for i := e.key.Line; i < len(lines); i++ { // lines behind the key's own
		if l := strings.TrimRight(lines[i], "\r"); l != "" && !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "#") && !strings.HasPrefix(l, "-") {
			end = i
			break
		}
	}
	text := strings.Repeat("\n", e.key.Line-1) + strings.Join(lines[e.key.Line-1:end], "\n") + "\npolicy: fund\n"
	return Policy{Name: r.textName(), Text: text, at: e.key}
}

// policies are names of files, and texts of files.
func (r *reader) policies(n *yaml.Node, where string) []Policy {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	out := []Policy{}
	for _, child := range list {
		s, ok := r.word(child, where, "the name of a file in the policy folder, or the text of one")
		if !ok {
			continue
		}
		if !strings.Contains(s, "\n") && !strings.Contains(s, ": ") {
			out = append(out, Policy{Name: s, at: child})
			continue
		}
		out = append(out, r.inline(child))
	}
	return out
}

// inline is the text of a policy file in a test file, moved to the lines and columns where it stands there, so that errors and refusals name those.
func (r *reader) inline(n *yaml.Node) Policy {
	p := Policy{Name: r.textName(), Text: n.Value, at: n}
	lines := strings.Split(r.text, "\n")
	if n.Style&yaml.LiteralStyle == 0 || n.Line >= len(lines) {
		return p
	}
	first := lines[n.Line]
	indent := first[:len(first)-len(strings.TrimLeft(first, " "))]
	p.Text = strings.Repeat("\n", n.Line) + indent + strings.ReplaceAll(strings.TrimRight(n.Value, "\n"), "\n", "\n"+indent) + "\n"
	return p
}

// textName is what the next text of a policy in the test file is called: the test file, and, from the second on, its number.
func (r *reader) textName() string {
	r.texts++
	if r.texts == 1 {
		return r.file
	}
	return fmt.Sprintf("%s#%d", r.file, r.texts)
}

package policytest

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Coverage counts, over all tests of a run, which rules let an order pass and which failed one, and which watches fired. The zero value is ready.
type Coverage struct {
	rules map[string]*Covered
}

// Covered is how often the tests have seen each outcome of a rule, or of a watch.
type Covered struct {
	// Folder and Place are where it is: Place is file:line in the policy folder.
	Folder, Place string
	Name          string
	Owner         hub.TraderName // "" of the fund's file
	Mode          policy.Mode
	Watch         bool
	// Passed and Failed, of a rule; Warned are those that passed with a warning. What was not computable, or did not apply, is neither.
	Passed, Failed, Warned, NotComputable, NotApplicable int
	// Fired, of a watch.
	Fired int
}

// Lacks says what no test has shown; "" when there is nothing.
func (c *Covered) Lacks() string {
	switch {
	case c.Watch && c.Fired == 0:
		return "never fires"
	case c.Watch:
		return ""
	case c.Passed == 0 && c.Failed == 0:
		return "never asked"
	case c.Passed == 0:
		return "never passes"
	case c.Failed == 0:
		return "never fails"
	}
	return ""
}

// All are the rules and watches that were in force in some test, in the order of their files. Those of the test files themselves are not among them.
func (c *Coverage) All() []Covered {
	all := make([]Covered, 0, len(c.rules))
	for _, x := range c.rules {
		all = append(all, *x)
	}
	slices.SortFunc(all, func(a, b Covered) int {
		return cmp.Or(cmp.Compare(path.Join(a.Folder, fileOf(a.Place)), path.Join(b.Folder, fileOf(b.Place))), cmp.Compare(lineOf(a.Place), lineOf(b.Place)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func fileOf(place string) string {
	file, _, _ := strings.Cut(place, ":")
	return file
}

func lineOf(place string) int {
	_, line, _ := strings.Cut(place, ":")
	n, _ := strconv.Atoi(line) // ours
	return n
}

// seen is the entry of a rule or watch; nil when it is of a test file.
func (c *Coverage) seen(folder, place, name, test string) *Covered {
	if c == nil || strings.HasPrefix(place, stand) || strings.HasPrefix(place, strings.TrimSpace(stand)) || strings.HasPrefix(place, test) {
		return nil
	}
	if c.rules == nil {
		c.rules = map[string]*Covered{}
	}
	key := folder + "\x00" + place + "\x00" + name
	x := c.rules[key]
	if x == nil {
		x = &Covered{Folder: folder, Place: place, Name: name}
		c.rules[key] = x
	}
	return x
}

// Expect notes that rules, those of libraries included, are to be shown by tests, though none may ask them. folder is where they are; only says of which places, file:line in the folder.
func (c *Coverage) Expect(rules *policy.Rules, folder string, only func(place string) bool) {
	all := rules.All()
	for _, l := range rules.Libraries() {
		all = append(all, l.Rules...)
	}
	for _, r := range all {
		if only(r.Place) {
			x := c.seen(folder, r.Place, r.Name, "\x00")
			x.Owner, x.Mode = r.Owner, r.Mode
		}
	}
	for _, w := range rules.Watches() {
		if only(w.Place) {
			x := c.seen(folder, w.Place, w.Name, "\x00")
			x.Owner, x.Watch = w.Trader, true
		}
	}
}

// expect notes that rules are in force, so that those which no test asks are known.
func (c *Coverage) expect(rules *policy.Rules, folder, test string) {
	for _, r := range rules.All() {
		if x := c.seen(folder, r.Place, r.Name, test); x != nil {
			x.Owner, x.Mode = r.Owner, r.Mode
		}
	}
	for _, w := range rules.Watches() {
		if x := c.seen(folder, w.Place, w.Name, test); x != nil {
			x.Owner, x.Watch = w.Trader, true
		}
	}
}

// count takes in what rules said of an order.
func (c *Coverage) count(findings []policy.Finding, folder, test string) {
	for _, f := range findings {
		x := c.seen(folder, f.Place, f.Name, test)
		if x == nil || f.Name == "" {
			continue
		}
		switch f.Outcome {
		case policy.Passed:
			x.Passed++
		case policy.Warned:
			x.Passed++
			x.Warned++
		case policy.Failed:
			x.Failed++
		case policy.NotComputable:
			x.NotComputable++
		case policy.NotApplicable:
			x.NotApplicable++
		case policy.NotAsked:
		}
	}
}

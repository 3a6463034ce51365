package policy

import (
	"regexp"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Variables of numbers that somebody published (ScopeTrader, ScopeFund, ScopeContract), by the name that the rule says (Ref.Name).
const (
	PublishedValue Var = iota + 1050
	PublishedAge       // seconds
)

var publishedForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)

// PublishedName reports whether a published number can have the name.
func PublishedName(name string) bool { return len(name) <= 64 && publishedForm.MatchString(name) }

// PublishedNames are the names of the published numbers that the rules and watches in force ask for, sorted.
func (r *Rules) PublishedNames() []string {
	var all []string
	for _, s := range r.sheets() {
		var reads []*node
		for _, rule := range s.rules {
			reads = append(reads, readsOf(rule.when, rule.require, rule.warn)...)
		}
		for _, w := range s.watches {
			reads = append(reads, readsOf(w.when, w.clear)...)
		}
		for _, n := range reads {
			if n.op == opVar && (n.ref.Var == PublishedValue || n.ref.Var == PublishedAge) {
				all = append(all, n.ref.Name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// publishedVars are of everybody of whom numbers are published.
func publishedVars() []VarInfo {
	var all []VarInfo
	for _, of := range []struct {
		scope Scope
		name  string
	}{{ScopeContract, "contract"}, {ScopeTrader, "trader"}, {ScopeFund, "fund"}} {
		const missing = "nobody has published it; see hub ctl numbers"
		all = append(all,
			VarInfo{
				Name: of.name + ".number", Scope: of.scope, Var: PublishedValue, Kind: KindNumber, Unit: "any", Named: true, Published: true, Missing: missing,
				Meaning: "the number that was published under the name, of this trader, of the fund, or of the contract; of a contract without one, that of its product. Without a unit: it fits everywhere",
			},
			VarInfo{
				Name: of.name + ".number_age", Scope: of.scope, Var: PublishedAge, Kind: KindNumber, Unit: "seconds", Named: true, Published: true, Missing: missing,
				Meaning: "since it was published",
			})
	}
	return all
}

// published is a variable of a number that the rule names: contract.number("adv").
func (c *checker) published(info *VarInfo, arguments []ast.Node, at int) (operand, bool) {
	if len(arguments) != 1 {
		c.fault(at, "%s wants one name; write %s", info.Name, info.Example())
		return operand{}, false
	}
	literal, isText := arguments[0].(*ast.StringNode)
	if !isText {
		c.fault(arguments[0].Location().From, `the name of a published number is written as a text, such as "adv"`)
		return operand{}, false
	}
	if !PublishedName(literal.Value) {
		c.fault(literal.Location().From, "%q is no name of a published number: small letters, digits, _ and dots between them, beginning with a letter, at most 64", shorten(literal.Value, textShown))
		return operand{}, false
	}
	o := variable(info, 0, at)
	o.ref.Name = literal.Value
	return o, true
}

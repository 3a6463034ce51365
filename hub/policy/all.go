package policy

import (
	"slices"

	"tradehub/hub"
)

// Rule is what is known of a rule without asking it.
type Rule struct {
	// Owner is whose orders it is about: "" for every trader's.
	Owner hub.TraderName
	Name  string
	File  string
	// Place is file:line; of a rule from a library, in that one. UsedAt is file:line of the use that took it; "" of a rule in its owner's file.
	Place    string
	UsedAt   string
	Mode     Mode
	Controls []int
	// When, Require and Warn are conditions as they are written; "" without them.
	When, Require, Warn string
	// Limits are those that it reads; their numbers are what it uses.
	Limits []Limit
	// Reads are the variables that it reads, sorted by name. One that is narrowed to a quantity that the order decides has that of no order.
	Reads []Ref
}

// Owner is a file that is in force for somebody: a trader, or the fund.
type Owner struct {
	Trader hub.TraderName // "" for the fund
	File   string
	// Limits are the file's own, sorted by name.
	Limits []Limit
	Rules  []Rule
}

// Owners are the files in force: those of traders, sorted, and then the fund's. What they refer to must not be changed.
func (r *Rules) Owners() []Owner {
	var all []Owner
	for _, s := range r.sheets() {
		o := Owner{Trader: s.trader, File: s.file, Limits: slices.Clone(s.limits)}
		for i := range s.rules {
			o.Rules = append(o.Rules, s.rules[i].told(s))
		}
		all = append(all, o)
	}
	return all
}

// All is every rule in force, as Owners has them.
func (r *Rules) All() []Rule {
	var all []Rule
	for _, o := range r.Owners() {
		all = append(all, o.Rules...)
	}
	return all
}

func (r *Rules) sheets() []*sheet {
	var all []*sheet
	for _, name := range r.names {
		all = append(all, r.traders[name])
	}
	if r.fund != nil {
		all = append(all, r.fund)
	}
	return all
}

func (r *rule) told(s *sheet) Rule {
	t := Rule{
		Owner: s.trader, Name: r.name, File: r.file, Place: r.place, UsedAt: r.usedAt, Mode: r.mode(), Controls: slices.Clone(r.controls), When: r.whenText, Require: r.requireText, Warn: r.warnText,
	}
	for _, n := range readsOf(r.when, r.require, r.warn) {
		switch {
		case n.limit != "":
			t.Limits = append(t.Limits, r.limits[n.limit].told(n.limit, r.file))
		case n.op == opVar:
			t.Reads = append(t.Reads, n.ref)
		}
	}
	return t
}

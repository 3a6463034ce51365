package policy

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const referenceFile = "../../docs/policy-reference.md"

// TestReference compares docs/policy-reference.md with the catalogue, the functions, the enumerations and the bounds that it is made of.
// go test ./hub/policy -run TestReference -update writes it.
func TestReference(t *testing.T) {
	got := reference()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(referenceFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not current; go test ./hub/policy -run TestReference -update writes it", referenceFile)
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, section := range []struct {
		scope Scope
		title string
	}{
		{ScopeOrder, "`order`: the order that is being decided"},
		{ScopeContract, "`contract`: what the order is for, as the gateway describes it"},
		{ScopeMarket, "`market`: the contract's market, as the hub knew it when it took the order"},
		{ScopeSession, "`session`: what the contract's trading calendar says of the moment"},
		{ScopeGateway, "`gateway`: the channel that the order would take"},
		{ScopeOwn, "`own`: the fund's own working orders in the order's market, whichever trader sent them"},
	} {
		fmt.Fprintf(&b, "\n### %s\n\n", section.title)
		b.WriteString("| variable | is | meaning | missing when |\n|---|---|---|---|\n")
		for _, info := range catalogue {
			if info.Scope == section.scope {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(info), referenceKind(info), info.Meaning, info.Missing)
			}
		}
	}
	b.WriteString(referenceOwners)
	b.WriteString("| variable | of | parts | is | meaning | missing when |\n|---|---|---|---|---|---|\n")
	for _, v := range ownedVars() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", cell(v.VarInfo), strings.Join(v.owners, ", "), strings.Join(v.parts, ", "), referenceKind(v.VarInfo), v.Meaning, v.Missing)
	}
	b.WriteString("\n## Constants\n\nThey are written without quotes, and compared with `==`, `!=` and `in` only.\n\n| of | constants |\n|---|---|\n")
	for _, e := range enumerations {
		all := make([]string, 0, len(e.members)+len(e.aliases))
		for _, m := range e.members {
			all = append(all, "`"+m+"`")
		}
		for _, a := range e.aliases {
			all = append(all, fmt.Sprintf("`%s` (`%s`)", a.name, a.member))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", e.name, strings.Join(all, ", "))
	}
	b.WriteString("\n## Functions\n\n| function | is |\n|---|---|\n")
	for _, f := range functions {
		arguments := "x"
		if f.many {
			arguments = "x, y, ..."
		}
		fmt.Fprintf(&b, "| `%s(%s)` | %s |\n", f.name, arguments, f.meaning)
	}
	b.WriteString(referenceWatches())
	b.WriteString(referenceBounds())
	return b.String()
}

func cell(info VarInfo) string {
	name := info.Name
	switch {
	case info.Windowed:
		name += "(window)"
	case info.Sized:
		name += "(\"today\", quantity)"
	case info.Published:
		name += "(name)"
	case info.Named:
		name += "(currency)"
	}
	return "`" + name + "`"
}

// ownedVar is a variable of the owners, once for all of them and for all parts.
type ownedVar struct {
	VarInfo
	owners, parts []string
}

// ownedVars are the catalogue's variables of owners. Their Name is what stands behind the owner and the part.
func ownedVars() []*ownedVar {
	var all []*ownedVar
	for _, info := range catalogue {
		i := slices.IndexFunc(owners, func(o owner) bool { return o.scope == info.Scope })
		if i < 0 {
			continue
		}
		name, also := strings.TrimPrefix(info.Name, owners[i].name+"."), strings.TrimPrefix(info.Also, owners[i].name+".")
		part := narrowings[info.Narrow].name
		parts := []string{"`" + part + "`"}
		if part == "" {
			parts[0] = "all"
		}
		if rest, found := strings.CutPrefix(name, part); found {
			name = rest
		} else if strings.TrimPrefix(also, part) == name {
			parts = []string{"`" + part + "` or nothing"}
		}
		at := slices.IndexFunc(all, func(v *ownedVar) bool { return v.Var == info.Var })
		if at < 0 {
			at = len(all)
			info.Name = name
			all = append(all, &ownedVar{VarInfo: info})
		}
		v := all[at]
		for _, p := range parts {
			if !slices.Contains(v.parts, p) {
				v.parts = append(v.parts, p)
			}
		}
		if !slices.Contains(v.owners, owners[i].name) {
			v.owners = append(v.owners, owners[i].name)
		}
	}
	return all
}

func referenceKind(info VarInfo) string {
	switch {
	case info.Members != nil:
		return enumerationOf(&info).name
	case info.Kind == KindNumber:
		return info.Unit
	case info.Kind == KindText:
		return "text"
	}
	return "truth"
}

func referenceBounds() string {
	var b strings.Builder
	b.WriteString("\n## Bounds\n\nWhat goes over one is an error when the file is checked; nothing is cut off.\n\n| what | at most |\n|---|---|\n")
	for _, bound := range []struct {
		what string
		most int
	}{
		{"policy files", MaxFiles},
		{"bytes of a file", MaxFileBytes},
		{"rules of a file", MaxRules},
		{"limits of a file", MaxLimits},
		{"watches of a file", MaxWatches},
		{"entries of a file's use; the rules that they take count as the file's own", MaxUses},
		{"names, numbers, texts and operators of all rules of a file", MaxFileNodes},
		{"names, numbers, texts and operators of one expression", MaxNodes},
		{"characters of one expression", MaxExpression},
		{"bytes of all files", MaxTotalBytes},
		{"steps of all rules of a file for an order (below)", MaxSteps},
		{"bytes of a text that a rule looks at; a longer one refuses the order", MaxText},
		{"brackets within brackets", MaxNesting},
		{"characters of a `because`", MaxBecause},
		{"different counters over a window, not counting `\"today\"`, of a file", MaxWindows},
		{"digits of a number", 19},
	} {
		fmt.Fprintf(&b, "| %s | %d |\n", bound.what, bound.most)
	}
	fmt.Fprintf(&b, `
## What a rule costs

There are no loops, so what a file's rules can take for an order is known when it is checked: every number, text and operator is a step, a variable %d, a counter over a window %d, `+"`/` and `%%` %d, `contains`, `startsWith` and `endsWith` %d"+`,
a list as many as its length has binary digits. `+"`hub policy check`"+` says it of each file. A file over the bound does not load; the error names the dearest rules.
`, stepsOfRead, stepsOfWindow, stepsOfQuotient, stepsOfContains)
	return b.String()
}

const referenceHead = `<!-- Written by go test ./hub/policy -run TestReference -update. Change hub/policy/catalogue.go, not this file. -->
# Policy reference

Everything that a policy file may say. How to write one is told in [policies.md](policy-guide.md).

## The file

| key | in | is |
|---|---|---|
| ` + "`policy`" + ` | every file | ` + "`fund`, `trader`, or `library`" + ` |
| ` + "`trader`" + ` | a trader's file | the trader's name, as the configuration has it |
| ` + "`currency`" + ` | the fund's file, if wanted | the fund's currency, as the configuration has it |
| ` + "`internal_cross`" + ` | the fund's file, if wanted | ` + "`refuse`" + `, as without it: an order that could trade with a working order of the fund is refused; ` + "`cancel_resting`" + `: the working one is cancelled first; ` + "`allow`" + `: nothing, for simulated markets |
| ` + "`limits`" + ` | if wanted | names with numbers, and their units if wanted: ` + "`order_value: 1_000_000`" + `, ` + "`position: 500 lots`" + `; a rule reads ` + "`limits.order_value`" + `, of its own file |
| ` + "`use`" + ` | a file of a trader or of the fund, if wanted | a list of libraries of which it uses rules: see below |
| ` + "`rules`" + ` | every file that uses none | a list of rules; of all that are in force by the file, those that it uses included, at least one is not in shadow |
| ` + "`watch`" + ` | if wanted | a list of watches: see below |
| ` + "`name`" + ` | every rule | small letters, digits and -, beginning with a letter; once in a file |
| ` + "`require`" + ` | every rule | the condition that must be true for an order to pass |
| ` + "`when`" + ` | a rule, if wanted | the condition under which the rule applies; without it, it always does |
| ` + "`because`" + ` | a rule, if wanted | the sentence of a refusal; ` + "`{order.value}`" + ` puts a value in, ` + "`{{` and `}}`" + ` are braces; ` + "`{en: ..., zh: ...}`" + `: in the trader's language |
| ` + "`warn`" + ` | a rule, if wanted | ` + "`90%`" + `: the trader and the operator are warned when the rule would not hold with 90 % of its limits; or a condition that is true as long as nobody need be warned |
| ` + "`mode`" + ` | a rule, if wanted | ` + "`enforce`" + `, as without it; ` + "`shadow`" + `: what the rule would refuse is recorded, and nothing is refused |
| ` + "`controls`" + ` | a rule, if wanted | of which controls it is one: a list of numbers, 1 to 32 |

Of each entry of ` + "`use`" + `:

| key | is |
|---|---|
| ` + "`file`" + ` | the library, by its path from the policy folder: ` + "`library/china-futures.yaml`" + ` |
| ` + "`rules`" + ` | if wanted, a list of names; without it, all of them |
| ` + "`limits`" + ` | if wanted, numbers for some of the library's limits instead of its own; a number without a unit is in the library's |
| ` + "`mode`" + ` | if wanted, the mode of all of them, whatever the library says |

A library has these keys, and of those above ` + "`limits` and `rules`" + `:

| key | is |
|---|---|
| ` + "`source`" + ` | where the rules are from: ` + "`title` and `date` (2025-10-09), and if wanted `publisher` and `url`" + ` |
| ` + "`covers`" + ` | if wanted, what the rules are about |
| ` + "`not_covered`" + ` | what the source asks for and the rules do not do |
| ` + "`verify`" + ` | what the user must verify before using them |

**A part of the limits**, ` + "`warn: 90%`" + `, is for comparisons with <, <=, > and >= that are joined by and and or, of which at least one has a limit, and which with a part of it become tighter: an upper bound over 0,
or a lower bound under 0. For any other rule, write a condition. A limit behind the window of ` + "`large_cancels`" + ` stays what it is.

## The language of conditions

A condition is an expression in the language of [expr](https://expr-lang.org), less what a rule has no use for. From what binds most to what binds least:

| operators | of | give |
|---|---|---|
| ` + "`-x`" + ` | a number | a number |
| ` + "`* / %`" + ` | numbers | a number; the remainder has the sign of the left side |
| ` + "`not x`, `!x`" + ` | a truth | a truth; write ` + "`not (a < b)`" + `, since it binds more than a comparison |
| ` + "`+ -`" + ` | numbers | a number |
| ` + "`== !=`" + ` | two numbers, two texts, two truths | a truth |
| ` + "`< <= > >=`" + ` | numbers | a truth; ` + "`a <= x <= b`" + ` is ` + "`a <= x and x <= b`" + ` |
| ` + "`in`, `not in`" + ` | a number or a text, and a list: ` + "`contract.product in [\"rb\", \"hc\"]`" + ` | a truth |
| ` + "`contains`, `startsWith`, `endsWith`" + `, and each with ` + "`not`" + ` before it | texts | a truth |
| ` + "`and`, `&&`" + ` | truths | a truth |
| ` + "`or`, `\\|\\|`" + ` | truths | a truth |
| ` + "`a ? b : c`" + ` | a truth, and two of a kind | b or c; in YAML a value with ` + "`: `" + ` in it is put in quotes |

**Numbers** are decimal: 0.1 + 0.2 is 0.3. They are written ` + "`1000000`, `1_000_000` or `0.02`" + `. Every operation is exact and then rounded to 19 digits, half to even; at most 19 digits
stand behind the point. A result with more than 19 digits before the point cannot be computed.

**Units** may stand behind a number, of a limit or in a rule: ` + "`lots`, `shares`, `coins`, `s`, `part`, a currency such as `CNY`, or money for each, `CNY/lot`" + `. Sums, remainders,
comparisons, ` + "`in`, `min`, `max` and `? :`" + ` want one unit on both sides; products and quotients make a new one. A number without a unit fits in every sum, and is pure in a product; a limit
without a unit fits everywhere. Lots, shares and coins are each for the kinds of contract that are counted so; against another the rule cannot be computed.

**Texts** are written in quotes, ` + "`\"rb\"` or `'rb'`" + `; large and small letters differ.

**Computed from the left, as far as needed.** Of ` + "`a or b`" + `, b is not looked at when a is true; of ` + "`a and b`" + `, not when a is false; of ` + "`a ? b : c`" + `, only one of b and c is.
What is not looked at may be missing.

**What cannot be computed refuses the order**: a value that is missing, a division by 0, a result that is too large, in ` + "`require`" + ` or in ` + "`when`" + `. The refusal's code is
` + "`not-computable`" + ` and its sentence names the value.

**Windows** are written as texts: a time from ` + "`\"1s\"` to `\"1h\"`, such as `\"10s\"`, `\"90s\"` or `\"5m\"`" + `, or ` + "`\"today\"`" + `, since the trading day began.
The order that is being decided is not counted: ` + "`trader.orders(\"1s\") < 20`" + ` lets the twentieth order of a second pass and refuses the twenty-first.

## Variables

Quantities are in the contract's unit (lots, shares, coins), prices in the contract's currency, money in the fund's currency. Besides what the tables say, any number is missing
that would have more than 19 digits before its point.
`

const referenceOwners = "\n### Owners: trader, fund, account, group\n\n" +
	"A name of the table stands behind its owner and, where it can be narrowed, behind a part: `trader.orders(\"10s\")`, `fund.contract.cancels(\"today\")`, `group.contract.position.long_after`.\n\n" +
	"| owner | is |\n|---|---|\n" +
	"| `trader` | the trader who sends the order |\n" +
	"| `fund` | all traders together |\n" +
	"| `account` | the venue's account that the order goes to: everybody who trades at that gateway |\n" +
	"| `group` | the control group of that account, `groups:` in hub.yaml: accounts that an exchange counts together. An account that is in none is a group of its own |\n\n" +
	"| part | is |\n|---|---|\n" +
	"| all | everything that the owner does |\n" +
	"| `contract.` | of it, what is in the order's contract, at all gateways of the owner together |\n" +
	"| `product.` | what is in all contracts of the order's product at its exchange, quantities added up |\n\n" +
	"Counters of the fund, of accounts and of groups do not count orders that the hub refused, but for `refused` and `rejects`. A day counter begins at 0 with the fund's trading day; one of a contract or a product " +
	"with the trading day of its exchange.\n\n" +
	"Time is the hub's own, taken when an entry is written. It never runs backwards: a clock that was set back stands still, and what happens meanwhile has the same time. An event is inside a window when it is " +
	"less than the window old: of two that are exactly 10 s apart, one is inside of `\"10s\"`. Of events with one time, all are counted. Windows and day counters go on through restarts and reloads; one that a policy " +
	"names for the first time knows the last hour at once.\n\n"

package policy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// TestEveryUnitIsKnown: a unit that is not in the table is one of its own, and so must be a word, not a formula that the checker would not understand.
func TestEveryUnitIsKnown(t *testing.T) {
	for _, v := range policy.Vars() {
		_, known := policy.UnitsByName[v.Unit]
		if own := regexp.MustCompile(`^[a-z]+$`).MatchString(v.Unit); v.Kind == policy.KindNumber && !known && !own {
			t.Errorf("%s: the checker does not know the unit %q", v.Name, v.Unit)
		}
	}
}

// scaled are variables by the powers of ten by which each grows when money of the fund, money of the contract, quantities and the underlying are counted in smaller coin.
var scaled = []struct {
	name string
	by   [5]int // fund, contract, quantity, underlying, seconds
}{
	{"order.price", [5]int{0, 1, 0, -1, 0}},
	{"market.last", [5]int{0, 1, 0, -1, 0}},
	{"contract.tick", [5]int{0, 1, 0, -1, 0}},
	{"order.quantity", [5]int{0, 0, 1, 0, 0}},
	{"trader.position.net", [5]int{0, 0, 1, 0, 0}},
	{"contract.size", [5]int{0, 0, -1, 1, 0}},
	{"order.value", [5]int{1, 0, 0, 0, 0}},
	{"trader.equity", [5]int{1, 0, 0, 0, 0}},
	{"trader.pnl.day", [5]int{1, 0, 0, 0, 0}},
	{"contract.margin_rate", [5]int{}},
	{"trader.active_orders", [5]int{}},
	{"market.age", [5]int{0, 0, 0, 0, 1}},
}

func drawScaled(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom(scaled).Draw(t, "variable").name
	}
	a, b := drawScaled(t, depth-1), drawScaled(t, depth-1)
	return rapid.SampledFrom([]string{
		a, a + " + " + b, a + " - (" + b + ")", "(" + a + ") * " + b, "(" + a + ") * 2", "-(" + a + ")", "abs(" + a + ")", "max(" + a + ", " + b + ")", "(" + a + ") / (" + b + ")",
		"(order.reduces ? " + a + " : " + b + ")", "(" + a + ") % (" + b + ")",
	}).Draw(t, "number")
}

// TestUnitsAreSound: what compiles means the same in other units. A rule that compares a price with a quantity would change its mind when prices are counted in cents; no rule that
// the checker lets pass does.
func TestUnitsAreSound(t *testing.T) {
	compiled, refused := 0, 0
	checkUntil(t, func() bool { return compiled >= 5 && refused >= 5 }, func(t *rapid.T) {
		a, b := drawScaled(t, rapid.IntRange(0, 2).Draw(t, "depth")), drawScaled(t, rapid.IntRange(0, 1).Draw(t, "depth"))
		require := a + rapid.SampledFrom([]string{" < ", " <= ", " == ", " != ", " > "}).Draw(t, "operator") + b
		if _, errs := policy.Compile([]hub.PolicyFile{alphaPasses, fundRule(require)}); len(errs) > 0 {
			refused++
			return
		}
		compiled++
		var grow [5]int
		for i := range grow {
			grow[i] = rapid.IntRange(-1, 1).Draw(t, "growth")
		}
		world, other := table{}, table{}
		reduces := policy.Truth(rapid.Bool().Draw(t, "reduces"))
		world[ref2("order.reduces")], other[ref2("order.reduces")] = reduces, reduces
		for _, v := range scaled {
			n := hub.Int(int64(rapid.IntRange(-4, 4).Draw(t, v.name)))
			m, by := n, 0
			for i := range grow {
				by += v.by[i] * grow[i]
			}
			var sum hub.Sum
			for ; by > 0; by-- {
				m = sum.Mul(m, hub.Int(10))
			}
			for ; by < 0; by++ {
				m = sum.Mul(m, hub.MustDecimal("0.1"))
			}
			world[ref2(v.name)], other[ref2(v.name)] = policy.Number(n), policy.Number(m)
		}
		was, is := outcome(t, require, world), outcome(t, require, other)
		if was != is && !strings.Contains(require, "/") { // a quotient is rounded
			t.Fatalf("%s: %s, and in other units %s", require, was, is)
		}
	})
	if compiled < 5 || refused < 5 {
		t.Errorf("%d rules compiled and %d were refused: this tries nothing", compiled, refused)
	}
}

// ref2 finds a variable without a window.
func ref2(name string) policy.Ref {
	vars := policy.Vars()
	i := slices.IndexFunc(vars, func(v policy.VarInfo) bool { return v.Name == name })
	return policy.Ref{Scope: vars[i].Scope, Narrow: vars[i].Narrow, Var: vars[i].Var}
}

// TestCurrency: the configuration's word goes, and what the fund's file says is held against it.
func TestCurrency(t *testing.T) {
	fund := func(head, limit string) []hub.PolicyFile {
		return []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\n" + head + "limits: {value: " + limit + "}\nrules:\n  - {name: r, require: order.value <= limits.value}\n"}}
	}
	for _, c := range []struct {
		files []hub.PolicyFile
		more  []policy.Option
		want  string
	}{
		{fund("", "5"), nil, ""},
		{fund("", "5 CNY"), []policy.Option{policy.InCurrency("CNY")}, ""},
		{fund("currency: CNY\n", "5 CNY"), nil, ""},
		{fund("currency: CNY\n", "5 CNY"), []policy.Option{policy.InCurrency("CNY")}, ""},
		{fund("", "5 CNY"), []policy.Option{policy.InCurrency("USD")}, `limits.value is money in CNY; convert it: limits.value * fund.rate("CNY")`},
		{fund("currency: CNY\n", "5 CNY"), []policy.Option{policy.InCurrency("USD")}, "fund.yaml:2:11: currency: the fund's currency is USD in the configuration, not CNY"},
		{fund("", "5 CNY"), []policy.Option{policy.InCurrency("CNY"), policy.OfLanguage(0)}, "limits.value: units are not for this version of the language"},
	} {
		_, errs := policy.Compile(c.files, c.more...)
		if got := lines(errs); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s\ngot  %q\nwant %q", c.files[0].Text, got, c.want)
		}
	}
}

// TestOldFilesStayValid: a journal has files of before numbers had units; what they say then stands.
func TestOldFilesStayValid(t *testing.T) {
	file := fundRule("order.price <= order.quantity")
	if _, errs := policy.Compile([]hub.PolicyFile{file}); len(errs) == 0 {
		t.Error("a price is compared with a quantity")
	}
	if _, errs := policy.Compile([]hub.PolicyFile{file}, policy.OfLanguage(0)); len(errs) > 0 {
		t.Errorf("in the language without units:\n%s", lines(errs))
	}
}

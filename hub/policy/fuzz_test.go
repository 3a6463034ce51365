package policy_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// FuzzCompile gives Compile a file, and the same text as a rule of a good file. It must come back, with rules or with errors whose places are in the text, and the rules must
// decide without a panic whatever the source answers.
func FuzzCompile(f *testing.F) {
	archives, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		files, _ := split(archive)
		for _, file := range files {
			if len(file.Text) < 4096 {
				f.Add(file.Text)
			}
		}
	}
	f.Add(tenRules)
	f.Add("policy: fund\ncurrency: CNY\nlimits: {value: 1_000 CNY, each: 5 CNY/lot, age: 60 s, part: 0.5 part}\nrules:\n" +
		"  - {name: r, require: order.value <= limits.value * 2 and order.value <= limits.each * order.quantity and market.age < limits.age}\n")
	f.Add(`order.quantity in [5 lots, 6 lots] and 1 USD * fund.rate("USD") < order.price * order.quantity * contract.size * contract.rate`)
	f.Add(`order.value <= 5 and "x" in ["x", order.symbol] ? min(1, 2.5) : trader.orders("10s") % 3 == -limits.x`)
	f.Fuzz(func(t *testing.T, text string) {
		decideAll(t, hub.PolicyFile{Name: "f.yaml", Text: text})
		decideAll(t, hub.PolicyFile{
			Name: "f.yaml",
			Text: "policy: fund\nlimits: {x: 5}\nrules:\n  - name: r\n    require: |2\n      " + strings.ReplaceAll(text, "\n", "\n      ") +
				"\n    because: |2\n      {" + strings.ReplaceAll(text, "\n", "\n      ") + "}\n",
		})
	})
}

func decideAll(t *testing.T, file hub.PolicyFile) {
	t.Helper()
	decided(t, file, policy.OfLanguage(0))
	decided(t, file, policy.InCurrency("CNY"))
	decided(t, file)
}

// decided compiles a file, and asks what comes of it about every order.
func decided(t *testing.T, file hub.PolicyFile, more ...policy.Option) {
	t.Helper()
	rules, errs := policy.Compile([]hub.PolicyFile{file}, more...)
	if (rules == nil) != (len(errs) > 0) {
		t.Fatalf("%d errors, rules %t", len(errs), rules != nil)
	}
	rows := strings.Split(file.Text, "\n")
	for i, e := range errs {
		if e.Line < 1 || e.Col < 1 || e.Line > len(rows) || e.Col > len([]rune(rows[e.Line-1]))+1 || e.Text == "" || strings.Contains(e.Text, "\n") {
			t.Fatalf("the error is not in the file: %s", e)
		}
		if i > 0 && (errs[i-1] == e || errs[i-1].Line > e.Line) {
			t.Fatalf("errors are not sorted, or one is there twice:\n%s", lines(errs))
		}
	}
	if rules == nil {
		return
	}
	for _, c := range rules.Costs() {
		if len(more) == 0 && c.Steps > policy.MaxSteps || c.Reads > c.Steps || c.Windows > policy.MaxWindows || c.Rules > policy.MaxRules {
			t.Fatalf("the rules are not cheap: %+v", c)
		}
	}
	for _, source := range []policy.Source{
		table{},
		all(policy.Number(hub.Int(0))), all(policy.Number(hub.MustDecimal("-9999999999999999999"))), all(policy.Number(hub.MustDecimal("0.0000000000000000001"))),
		all(policy.Text("")), all(policy.Text("rb\x00\xff")), all(policy.Truth(true)), all(policy.Missing("no\nreason")), all(policy.Value{Kind: 99}),
	} {
		for _, trader := range append(rules.Traders(), "nobody") {
			for _, refusal := range rules.Decide(trader, source) {
				if refusal.Code == "" || strings.Contains(refusal.Text, "\n") {
					t.Fatalf("no refusal: %+v", refusal)
				}
			}
		}
	}
}

// all is a Source with one answer.
type all policy.Value

// Value implements policy.Source.
func (a all) Value(*policy.Ref) policy.Value { return policy.Value(a) }

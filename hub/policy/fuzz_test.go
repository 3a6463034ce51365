package policy_test

import (
	"fmt"
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
	f.Add("policy: library\nsource: {title: t, date: 2025-10-09}\nnot_covered: n\nverify: v\nlimits: {x: 5}\nrules:\n" +
		"  - {name: r, controls: [13], require: order.value <= limits.x, warn: 90%, mode: shadow, because: {en: \"{order.value}\", zh: 值}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		decideAll(t, hub.PolicyFile{Name: "f.yaml", Text: text})
		decideAll(t, hub.PolicyFile{
			Name: "f.yaml",
			Text: "policy: fund\nlimits: {x: 5}\nrules:\n  - name: r\n    require: |2\n      " + strings.ReplaceAll(text, "\n", "\n      ") +
				"\n    because: |2\n      {" + strings.ReplaceAll(text, "\n", "\n      ") + "}\n",
		})
		decided(t, []hub.PolicyFile{fuzzedUse, {Name: "l.yaml", Text: text}})
		decided(t, []hub.PolicyFile{fuzzedUse, {
			Name: "l.yaml",
			Text: "policy: library\nsource: {title: t, date: 2025-10-09}\nnot_covered: n\nverify: v\nlimits: {x: 5}\nrules:\n  - name: r\n    warn: 90%\n    require: |2\n      " +
				strings.ReplaceAll(text, "\n", "\n      ") + "\n  - name: s\n    require: order.value <= limits.x\n    warn: |2\n      " + strings.ReplaceAll(text, "\n", "\n      ") + "\n",
		}})
	})
}

// fuzzedUse uses a library with another limit.
var fuzzedUse = hub.PolicyFile{Name: "f.yaml", Text: "policy: fund\nuse:\n  - {file: l.yaml, limits: {x: 0.3}}\nrules:\n  - {name: own, require: order.value < 5}\n"}

func decideAll(t *testing.T, file hub.PolicyFile) {
	t.Helper()
	decided(t, []hub.PolicyFile{file}, policy.OfLanguage(0))
	decided(t, []hub.PolicyFile{file}, policy.OfLanguage(1))
	decided(t, []hub.PolicyFile{file}, policy.InCurrency("CNY"))
	decided(t, []hub.PolicyFile{file})
}

// decided compiles files, and asks what comes of it about every order.
func decided(t *testing.T, files []hub.PolicyFile, more ...policy.Option) {
	t.Helper()
	rules, errs := policy.Compile(files, more...)
	if (rules == nil) != (len(errs) > 0) {
		t.Fatalf("%d errors, rules %t", len(errs), rules != nil)
	}
	rowsOf := map[string][]string{}
	for _, file := range files {
		rowsOf[file.Name] = strings.Split(file.Text, "\n")
	}
	for i, e := range errs {
		rows := rowsOf[e.File]
		if e.Line < 1 || e.Col < 1 || e.Line > len(rows) || e.Col > len([]rune(rows[e.Line-1]))+1 || e.Text == "" || strings.Contains(e.Text, "\n") {
			t.Fatalf("the error is not in the file: %s", e)
		}
		if i > 0 && (errs[i-1] == e || errs[i-1].File == e.File && errs[i-1].Line > e.Line) {
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
			refusals := rules.Decide(trader, source)
			for _, refusal := range refusals {
				if refusal.Code == "" || strings.Contains(refusal.Text, "\n") {
					t.Fatalf("no refusal: %+v", refusal)
				}
			}
			explainedAlike(t, rules, trader, source, refusals)
		}
	}
}

// explainedAlike sees that Explain says what was decided, in every language.
func explainedAlike(t *testing.T, rules *policy.Rules, trader hub.TraderName, source policy.Source, refusals []hub.Refusal) {
	t.Helper()
	for _, lang := range []hub.Lang{hub.English, hub.Chinese} {
		var d policy.Decision
		rules.DecideInto(&d, trader, source, lang)
		var refused, warned int
		for _, f := range rules.Explain(trader, source, lang) {
			switch {
			case f.Refuses():
				if got, want := fmt.Sprint(f.Refusal()), fmt.Sprint(d.Refusals[refused]); got != want {
					t.Fatalf("explained %s, decided %s", got, want)
				}
				refused++
			case f.Outcome == policy.Warned:
				warned++
			}
		}
		for _, w := range d.Warnings {
			if text := w.Text(source, lang); text == "" || strings.Contains(text, "\n") {
				t.Fatalf("no warning: %q", text)
			}
		}
		if refused != len(d.Refusals) || refused != len(refusals) || warned != len(d.Warnings) {
			t.Fatalf("explained %d refusals and %d warnings, decided %d and %d", refused, warned, len(d.Refusals), len(d.Warnings))
		}
	}
}

// all is a Source with one answer.
type all policy.Value

// Value implements policy.Source.
func (a all) Value(ref *policy.Ref) *policy.Value {
	v := a.value(ref)
	return &v
}

func (a all) value(*policy.Ref) policy.Value { return policy.Value(a) }

package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// table is a Source that answers what it was given; everything else is missing.
type table map[policy.Ref]policy.Value

// Value implements policy.Source.
func (t table) Value(ref *policy.Ref) *policy.Value {
	v := t.value(ref)
	return &v
}

func (t table) value(ref *policy.Ref) policy.Value {
	if v, ok := t[*ref]; ok {
		return v
	}
	return policy.Missing("nobody has said")
}

// ref finds a variable by its name as a rule writes it: trader.orders("10s").
func ref(t *testing.T, name string) policy.Ref {
	t.Helper()
	name, window, windowed := strings.Cut(name, `("`)
	vars := policy.Vars()
	i := slices.IndexFunc(vars, func(v policy.VarInfo) bool { return v.Name == name })
	if i < 0 || (vars[i].Windowed || vars[i].Named) != windowed {
		t.Fatalf("no variable %s", name)
	}
	if vars[i].Named {
		return policy.Ref{Scope: vars[i].Scope, Var: vars[i].Var, Name: strings.TrimSuffix(window, `")`)}
	}
	r := policy.Ref{Scope: vars[i].Scope, Narrow: vars[i].Narrow, Var: vars[i].Var}
	switch window = strings.TrimSuffix(window, `")`); window {
	case "":
	case "today":
		r.Window = policy.Today
	default:
		d, err := time.ParseDuration(window)
		if err != nil {
			t.Fatal(err)
		}
		r.Window = d
	}
	return r
}

// set reads lines of name = value. A value is a number, a truth, a text in quotes, or missing: why.
func (t table) set(tt *testing.T, input string) {
	tt.Helper()
	for line := range strings.Lines(input) {
		name, value, ok := strings.Cut(line, " = ")
		if !ok {
			tt.Fatalf("not name = value: %q", line)
		}
		value = strings.TrimSpace(value)
		why, isMissing := strings.CutPrefix(value, "missing")
		v := policy.Text(strings.Trim(value, `"`))
		switch {
		case isMissing:
			v = policy.Missing(strings.TrimPrefix(why, ": "))
		case value == "true" || value == "false":
			v = policy.Truth(value == "true")
		case value[0] != '"':
			v = policy.Number(hub.MustDecimal(value))
		}
		t[ref(tt, strings.TrimSpace(name))] = v
	}
}

// TestDecide tells stories: policy loads a file, set says what the source answers, decide asks. -rewrite writes what is; read the diff.
func TestDecide(t *testing.T) {
	datadriven.Walk(t, "testdata/decide", func(t *testing.T, path string) {
		var files []hub.PolicyFile
		source := table{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "policy":
				var name string
				d.ScanArgs(t, "file", &name)
				files = slices.DeleteFunc(files, func(f hub.PolicyFile) bool { return f.Name == name })
				files = append(files, hub.PolicyFile{Name: name, Text: d.Input + "\n"})
				if _, errs := policy.Compile(files); len(errs) > 0 {
					return lines(errs)
				}
				return "ok\n"
			case "set":
				source.set(t, d.Input)
				return "ok\n"
			case "windows":
				rules, errs := policy.Compile(files)
				if len(errs) > 0 {
					return lines(errs)
				}
				var b strings.Builder
				for _, r := range rules.Windows() {
					fmt.Fprintln(&b, r)
				}
				return b.String()
			case "decide":
				var trader string
				d.ScanArgs(t, "trader", &trader)
				rules, errs := policy.Compile(files)
				if len(errs) > 0 {
					return lines(errs)
				}
				var lang string
				d.MaybeScanArgs(t, "lang", &lang)
				return whole(t, rules, hub.TraderName(trader), source, hub.Lang(lang))
			case "explain":
				var trader, lang string
				d.ScanArgs(t, "trader", &trader)
				d.MaybeScanArgs(t, "lang", &lang)
				rules, errs := policy.Compile(files)
				if len(errs) > 0 {
					return lines(errs)
				}
				return explained(rules.Explain(hub.TraderName(trader), source, hub.Lang(lang)))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// whole is all that the rules say about an order.
func whole(t *testing.T, rules *policy.Rules, trader hub.TraderName, source policy.Source, lang hub.Lang) string {
	t.Helper()
	var d policy.Decision
	rules.DecideInto(&d, trader, source, lang)
	b := toldIn(lang, d.Refusals)
	if lang == hub.English && b != told(rules.Decide(trader, source)) {
		t.Errorf("Decide and DecideInto do not agree:\n%s%s", told(rules.Decide(trader, source)), b)
	}
	if len(d.Shadows) > 0 {
		b += "shadow " + strings.ReplaceAll(strings.TrimSuffix(toldIn(lang, d.Shadows), "\n"), "\n", "\nshadow ") + "\n"
	}
	for _, w := range d.Warnings {
		b += fmt.Sprintf("warning %s %s: %s\n    %v\n", w.Place(), w.Rule(), w.Text(source, lang), w.Values(source))
	}
	for _, k := range d.Clear {
		b += fmt.Sprintf("clear %v\n", k)
	}
	return b
}

func explained(findings []policy.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s (%s): %s", f.Place, f.Name, f.Mode, f.Outcome)
		if f.Text != "" {
			fmt.Fprintf(&b, ": %s", f.Text)
		}
		fmt.Fprintf(&b, "\n    %v\n", f.Values)
		for _, p := range f.Parts {
			fmt.Fprintf(&b, "    %s: %s\n", p.Text, p.Outcome)
		}
	}
	return b.String()
}

func told(refusals []hub.Refusal) string { return toldIn(hub.English, refusals) }

func toldIn(lang hub.Lang, refusals []hub.Refusal) string {
	if len(refusals) == 0 {
		return "passes\n"
	}
	var b strings.Builder
	for _, r := range refusals {
		fmt.Fprintf(&b, "%s", r.Code)
		if r.Place != "" {
			fmt.Fprintf(&b, " %s %s", r.Place, r.Rule)
		}
		fmt.Fprintf(&b, ": %s\n", r.In(lang))
		if len(r.Values) > 0 {
			fmt.Fprintf(&b, "    [%s]\n", strings.Join(r.Values, " "))
		}
	}
	return b.String()
}

package policies_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policy"
	"tradehub/hub/policytest"
)

var update = flag.Bool("update", false, "write docs/controls.md, instead of comparing with it")

const controlsFile = "../docs/controls.md"

// control is one of the list of what a rule must be able to say. The list is that of the rules and papers which docs/controls.md names.
type control struct {
	name string
	// hub is what the hub does about it without any rule; "" when nothing.
	hub string
}

var controls = []control{
	{"contract permitted, not restricted", "a contract that no gateway lists is refused"},
	{"trader permitted for contract, side, order type", "a trader without a policy is refused, every order"},
	{"price on the tick", ""},
	{"quantity between the smallest and the largest, whole lots", "refused when not, as the gateway describes the contract: `quantity`"},
	{"quantity of one order", ""},
	{"value of one order", "a market order is valued at its worst price, never at 0"},
	{"price collar, limits of the day, price cage", ""},
	{"order types of a session", "order types that the gateway does not take are refused"},
	{"duplicates", ""},
	{"repeated execution, until a person enables it again", "with a watch, `when: trader.trades(\"1m\") >= 50`, `then: [halt, alert]`: it halts until `hub ctl resume`"},
	{"messages in a window, share of the channel", "the channel's limit, shared among traders: `channel-budget`"},
	{"orders, trades, lots of a day", ""},
	{"cancels of a contract and day", "a cancel is never refused"},
	{"large cancels of a contract and day", ""},
	{"self-trades, prevented and counted", "orders of the fund that could meet are refused: `internal-cross`"},
	{"messages per trade, cancels per order, fast cancels", ""},
	{"active orders, working value", ""},
	{"worst case of the position, share of open interest", "every sent order counts at once"},
	{"exchange position limit over the control group", "groups in hub.yaml"},
	{"opened in a day", ""},
	{"concentration of a product", ""},
	{"gross, net, leverage", ""},
	{"margin, available, what can be closed or sold", "nobody closes what is another's, nor sells what was bought today: `offset`"},
	{"traded value of a day", ""},
	{"day loss, drawdown, losses in a row; three lines", "with watches: alert, reduce only, flatten; see the end of policies/fund.yaml"},
	{"share of the daily volume, spread", ""},
	{"session, cut-off, delivery month", ""},
	{"age of market data, reconciled, gateway up", "a gateway that is down is refused: `gateway-down`"},
	{"rejects in a row, orders in doubt", ""},
	{"states: active, reduce only, cancel only, halted", "kept through restarts until a person lifts them"},
	{"reduce only: smaller, and never turned over", "REDUCE_ONLY does, working closes counted: `reduce-only`"},
	{"warning at a part of a limit; override by two persons", "`warn:` of a rule; `hub ctl override ask`"},
}

// shelf are the files of the library and the samples, and the tests of the library.
func shelf(t *testing.T) (folder []hub.PolicyFile, tests []*policytest.File) {
	t.Helper()
	folder = files(t)
	paths, err := filepath.Glob("library/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.ToSlash(path)
		if !strings.HasSuffix(name, "_test.yaml") {
			folder = append(folder, hub.PolicyFile{Name: name, Text: string(text)})
			continue
		}
		f, errs := policytest.Read(name, string(text))
		for _, e := range errs {
			t.Error(e)
		}
		if f != nil {
			tests = append(tests, f)
		}
	}
	return folder, tests
}

// shown is what the tests have seen of a rule.
type shown struct {
	passed, failed int
	refuse         []string // tests in which it refused an order
}

// play runs every test alone, so that it is known what each of them shows, by the rules' places.
func play(t *testing.T, folder []hub.PolicyFile, tests []*policytest.File) map[string]*shown {
	t.Helper()
	all := map[string]*shown{}
	for _, f := range tests {
		for _, test := range f.Tests {
			coverage := &policytest.Coverage{}
			results, errs := policytest.Run(f, folder, policytest.Options{Coverage: coverage, Only: func(x *policytest.Test) bool { return x == test }})
			for _, e := range errs {
				t.Error(e)
			}
			for _, r := range results {
				if r.Failure != nil {
					t.Errorf("%s:%d: %s: %s", r.File, r.Line, r.Name, r.Failure)
				}
			}
			for _, c := range coverage.All() {
				s := all[c.Place]
				if s == nil {
					s = &shown{}
					all[c.Place] = s
				}
				s.passed, s.failed = s.passed+c.Passed, s.failed+c.Failed
				if c.Failed > 0 {
					s.refuse = append(s.refuse, filepath.Base(f.Name)+": "+test.Name)
				}
			}
		}
	}
	return all
}

// TestLibrary plays the tests of the library, which must show every rule of it both ways, and compares docs/controls.md with what the library says. A control that no rule is about, or of which
// no test shows that an order fails it, is a failure.
func TestLibrary(t *testing.T) {
	folder, tests := shelf(t)
	rules, errs := policy.Compile(folder, policy.InCurrency("CNY"))
	for _, err := range errs {
		t.Error(err)
	}
	if rules == nil {
		t.FailNow()
	}
	seen := play(t, folder, tests)
	of := map[int][]policy.Rule{}
	for _, l := range rules.Libraries() {
		for _, r := range l.Rules {
			if s := seen[r.Place]; s == nil || s.passed == 0 || s.failed == 0 {
				t.Errorf("%s %s: the tests of the library must show an order that it lets pass and one that it refuses; they show %+v", r.Place, r.Name, s)
			}
			if len(r.Controls) == 0 {
				t.Errorf("%s %s does not say which control it is", r.Place, r.Name)
			}
			for _, n := range r.Controls {
				of[n] = append(of[n], r)
			}
		}
	}
	for n := range len(controls) {
		if len(of[n+1]) == 0 {
			t.Errorf("control %d, %s: no rule of the library is about it", n+1, controls[n].name)
		}
	}
	if t.Failed() {
		return
	}
	got := controlsPage(rules.Libraries(), of, seen)
	if *update {
		if err := os.WriteFile(controlsFile, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(controlsFile)
	if err != nil || string(want) != got {
		t.Errorf("%s is not current; go test ./policies -run TestLibrary -update writes it (%v)", controlsFile, err)
	}
}

// TestLibrarySays: a library says what it is from; a number in it is the source's, or an example; a sentence is in two languages.
func TestLibrarySays(t *testing.T) {
	folder, _ := shelf(t)
	n := 0
	for _, f := range folder {
		if !strings.HasPrefix(f.Name, "library/") {
			continue
		}
		n++
		limits, _, _ := strings.Cut(f.Text[strings.Index(f.Text, "\nlimits:")+1:], "\nrules:")
		named := regexp.MustCompile(`numbers? (here|are|is)|defaults? |example`).MatchString(strings.ReplaceAll(f.Text, "\n", " "))
		for line := range strings.Lines(limits) {
			if strings.HasPrefix(line, "  ") && !strings.Contains(line, "#") && !named {
				t.Errorf("%s: %s: whose number is it?", f.Name, strings.TrimSpace(line))
			}
		}
		if rules, zh := strings.Count(f.Text, "  - name: "), strings.Count(f.Text, "zh: "); rules == 0 || rules != zh {
			t.Errorf("%s: %d rules and %d sentences in Chinese", f.Name, rules, zh)
		}
		for _, key := range []string{"\nsource:", "\ncovers:", "\nnot_covered:", "\nverify:"} {
			if !strings.Contains(f.Text, key) {
				t.Errorf("%s: no%s", f.Name, strings.TrimSpace(key))
			}
		}
	}
	if n < 11 {
		t.Errorf("%d files in the library", n)
	}
}

// controlsPage is docs/controls.md.
func controlsPage(libraries []*policy.Library, of map[int][]policy.Rule, seen map[string]*shown) string {
	var b strings.Builder
	b.WriteString(controlsHead)
	b.WriteString("| # | control | the hub by itself | variables | rules of the library |\n|---|---|---|---|---|\n")
	for i, c := range controls {
		names := map[string]bool{}
		var rules strings.Builder
		file := ""
		for _, r := range of[i+1] {
			for j := range r.Reads {
				names["`"+strings.Replace(r.Reads[j].String(), `("today", 0)`, `("today", ...)`, 1)+"`"] = true
			}
			if r.File == file {
				rules.WriteString(", " + r.Name)
				continue
			}
			if file != "" {
				rules.WriteString("; ")
			}
			file = r.File
			fmt.Fprintf(&rules, "[%s](../policies/%s): %s", short(r.File), r.File, r.Name)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", i+1, c.name, c.hub, strings.Join(slices.Sorted(maps.Keys(names)), ", "), &rules)
	}
	b.WriteString("\n## The library\n\nWhat each file is from. What it does not cover, and what you must verify before you use it, it says itself, at its beginning.\n\n| file | source | of |\n|---|---|---|\n")
	for _, l := range libraries {
		title := l.Origin.Title
		if l.Origin.URL != "" {
			title = fmt.Sprintf("[%s](%s)", title, l.Origin.URL)
		}
		fmt.Fprintf(&b, "| [%s](../policies/%s) | %s | %s |\n", short(l.File), l.File, strings.Join(slices.DeleteFunc([]string{title, l.Origin.Publisher}, func(s string) bool { return s == "" }), ", "), l.Origin.Date)
	}
	b.WriteString("\n## Tests\n\nOf each rule, the tests in which it refuses an order. They lie beside the library; every rule also lets orders pass in them, at its limit.\n\n| rule | controls | tests |\n|---|---|---|\n")
	for _, l := range libraries {
		for _, r := range l.Rules {
			numbers := make([]string, len(r.Controls))
			for i, n := range r.Controls {
				numbers[i] = fmt.Sprint(n)
			}
			tests := slices.Clone(seen[r.Place].refuse)
			slices.SortFunc(tests, cmp.Compare[string])
			fmt.Fprintf(&b, "| %s: %s | %s | %s |\n", short(l.File), r.Name, strings.Join(numbers, ", "), strings.ReplaceAll(strings.Join(slices.Compact(tests), "; "), "|", "\\|"))
		}
	}
	return b.String()
}

func short(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(file, "library/"), ".yaml")
}

const controlsHead = `<!-- Written by go test ./policies -run TestLibrary -update. Change policies/library and policies/library_test.go, not this file. -->
# Controls

What regulators, exchanges and risk systems ask of the gate before a market, and where it is here: in the rules of ` + "`policies/library`" + `, which you take with limits of your own, and in the hub itself.

` + "```yaml" + `
# policies/fund.yaml
use:
  - file: library/china-futures-abnormal-trading.yaml
    rules: [abnormal-cancels-day, abnormal-large-cancels]        # all of the file when left out
    limits: {cancels_warn: 400}                # instead of the library's
` + "```" + `

A rule of the library is an example of a control, not legal advice: **verify every number before you use it.** The list of controls is made of SEC rule 15c3-5, the EU's RTS 6, the FIA's papers, the rules of the Chinese
futures and stock exchanges and of the CSRC, and what VeighNa's risk managers and other systems check.

`

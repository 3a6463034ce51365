package policytest_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"tradehub/hub"
	"tradehub/hub/policytest"
)

// TestPlay plays test files as users write them, most of them made to fail, so that what a failure says is seen. A file of the policy folder is written with "policy name=fund.yaml".
// Run with -rewrite and read the diff.
func TestPlay(t *testing.T) {
	datadriven.Walk(t, "testdata/play", func(t *testing.T, path string) {
		var folder []hub.PolicyFile
		datadriven.RunTest(t, path, func(t *testing.T, cmd *datadriven.TestData) string {
			switch cmd.Cmd {
			case "policy":
				var name string
				cmd.ScanArgs(t, "name", &name)
				folder = append(folder, hub.PolicyFile{Name: name, Text: cmd.Input + "\n"})
				return ""
			case "test":
				return played(cmd.Input, folder, nil)
			case "coverage":
				c := &policytest.Coverage{}
				out := played(cmd.Input, folder, c)
				for _, x := range c.All() {
					out += fmt.Sprintf("%s %s %s: %d passed, %d failed, %d warned, %d not computable, %d not applicable, %d fired; lacks %q\n", x.Place, x.Name, x.Mode, x.Passed, x.Failed, x.Warned, x.NotComputable, x.NotApplicable, x.Fired, x.Lacks())
				}
				return out
			case "explain":
				return explained(t, cmd, folder)
			}
			t.Fatalf("no such command: %s", cmd.Cmd)
			return ""
		})
	})
}

// played is what comes of a test file.
func played(text string, folder []hub.PolicyFile, coverage *policytest.Coverage) string {
	f, errs := policytest.Read("x_test.yaml", text+"\n")
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintln(&b, e)
	}
	if f == nil {
		return b.String()
	}
	results, errs := policytest.Run(f, folder, policytest.Options{Coverage: coverage})
	for _, e := range errs {
		fmt.Fprintln(&b, e)
	}
	for _, r := range results {
		if r.Failure == nil {
			fmt.Fprintf(&b, "ok   %s\n", r.Name)
			continue
		}
		fmt.Fprintf(&b, "FAIL %s\n%s\n", r.Name, r.Failure)
	}
	return b.String()
}

func explained(t *testing.T, cmd *datadriven.TestData, folder []hub.PolicyFile) string {
	parts := strings.Split(cmd.Input, "\n---\n") // the order, prices, the world, a test file
	q := policytest.Question{Order: parts[0]}
	if len(parts) > 1 {
		q.Market = parts[1]
	}
	if len(parts) > 2 {
		q.World = parts[2]
	}
	var f *policytest.File
	if len(parts) > 3 {
		f, _ = policytest.Read("x_test.yaml", parts[3])
		q.Test = f.Tests[0]
		if cmd.HasArg("steps") {
			cmd.ScanArgs(t, "steps", &q.Steps)
		}
	}
	x, errs, err := policytest.Explain(f, folder, q)
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintln(&b, e)
	}
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	if x == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "%s at %s: passes %t, waits %t, why %q\n", x.Order, x.At, x.Passed(), x.Waits, x.Why)
	for _, r := range x.Refusals {
		fmt.Fprintf(&b, "  %s %s %s: %s\n", r.Code, r.Place, r.Rule, r.Text)
	}
	for _, f := range x.Findings {
		fmt.Fprintf(&b, "  %s %s %s\n", f.Outcome, f.Name, f.Values)
	}
	return b.String()
}

// TestBad reads test files with everything wrong that can be.
func TestBad(t *testing.T) {
	datadriven.Walk(t, "testdata/bad", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, cmd *datadriven.TestData) string {
			f, errs := policytest.Read("x_test.yaml", cmd.Input+"\n")
			if f != nil {
				return "nothing is wrong\n"
			}
			var b strings.Builder
			for _, e := range errs {
				fmt.Fprintln(&b, e)
			}
			return b.String()
		})
	})
}

// TestEveryKeyIsDocumented: the page has every key of every part, and what an editor shows has a meaning.
func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy-tests.md")
	if err != nil {
		t.Fatal(err)
	}
	for part, keys := range policytest.Keys() {
		for _, k := range keys {
			if !strings.Contains(string(page), "`"+k.Name+"`") && !strings.Contains(string(page), k.Name+":") {
				t.Errorf("docs/policy-tests.md does not have %s of a %s", k.Name, part)
			}
			if k.Meaning == "" || k.Type == "" || (k.Type == policytest.TypeWord) != (len(k.Members) > 0) {
				t.Errorf("%s of a %s: type %q, members %q, meaning %q", k.Name, part, k.Type, k.Members, k.Meaning)
			}
		}
	}
}

// TestPage plays the tests that docs/policy-tests.md shows, with the policy that it shows and the library.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy-tests.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: any, require: order.quantity > 0}\n"}}
	const library = "library/china-futures-abnormal-trading.yaml"
	text, err := os.ReadFile("../../policies/" + library)
	if err != nil {
		t.Fatal(err)
	}
	folder = append(folder, hub.PolicyFile{Name: library, Text: string(text)})
	tests := 0
	for _, piece := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		switch text := piece[1]; {
		case strings.HasPrefix(text, "policy: "):
			folder = append(folder, hub.PolicyFile{Name: "traders/alpha.yaml", Text: text})
		case strings.Contains(text, "tests:"):
			tests++
			if out := played(text, folder, nil); strings.Contains(out, "FAIL") || !strings.Contains(out, "ok ") {
				t.Errorf("%s\n%s", text, out)
			}
			if tests > 1 {
				continue
			}
			looser := slices.Clone(folder)
			looser[2].Text = strings.Replace(looser[2].Text, "order_lots: 100", "order_lots: 200", 1)
			for line := range strings.Lines(played(text, looser, nil)) { // which the page shows, but for the folder
				line = strings.TrimPrefix(strings.TrimSpace(line), "FAIL ")
				if line = strings.TrimPrefix(line, "x_test.yaml"); !strings.Contains(string(page), line) {
					t.Errorf("the page does not have %q", line)
				}
			}
		}
	}
	if tests < 2 {
		t.Errorf("%d tests in the page", tests)
	}
}

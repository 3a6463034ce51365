package policies_test

import (
	"os"
	"strings"
	"testing"

	"tradehub/hub/policy"
	"tradehub/hub/policytest"
)

// TestWatchesToUncomment: the watches at the end of the samples are right as soon as their "# " is removed, as the samples say, and do what they say.
func TestWatchesToUncomment(t *testing.T) {
	all := files(t)
	for i := range all {
		before, watches, ok := strings.Cut(all[i].Text, "\n# watch:\n")
		if !ok {
			continue
		}
		var b strings.Builder
		for line := range strings.Lines("# watch:\n" + watches) {
			b.WriteString(strings.TrimPrefix(line, "# "))
		}
		all[i].Text = before + "\n" + b.String()
	}
	rules, errs := policy.Compile(all, policy.InCurrency("CNY"))
	for _, err := range errs {
		t.Error(err)
	}
	if rules == nil {
		t.FailNow()
	}
	text, err := os.ReadFile("testdata/watches.txt")
	if err != nil {
		t.Fatal(err)
	}
	coverage := &policytest.Coverage{}
	for _, failure := range played(t, "watches_test.yaml", string(text), all, coverage) {
		t.Error(failure)
	}
	for _, c := range coverage.All() {
		if lacks := c.Lacks(); c.Watch && lacks != "" {
			t.Errorf("%s %s %s in testdata/watches.txt", c.Place, c.Name, lacks)
		}
	}
	acts := map[policy.Action]bool{}
	for _, w := range rules.Watches() {
		for _, a := range w.Then {
			acts[a] = true
		}
	}
	if n := len(rules.Watches()); n < 8 || !acts[policy.Flatten] || !acts[policy.ReduceOnly] || !acts[policy.Alert] {
		t.Errorf("%d watches, which do %v", n, acts)
	}
}

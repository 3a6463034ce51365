package policytest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policytest"
)

// FuzzPlay: whatever stands in a test file, it is read, or refused with places that are in it, and what is read is played to an end, without a panic.
func FuzzPlay(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.txt", "../../policies/*_test.yaml", "../../policies/traders/*_test.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for part := range strings.SplitSeq(string(text), "\n----\n") {
				if _, test, ok := strings.Cut(part, "\ntest\n"); ok {
					part = test
				}
				f.Add(part)
			}
		}
	}
	folder := []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: size, require: order.quantity < 5, warn: order.quantity < 3}\nwatch:\n  - {name: busy, when: fund.orders(\"today\") > 3, then: [flatten, alert]}\n"},
		{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - {name: any, require: 'trader.orders(\"10s\") < 10'}\n"},
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "000") || strings.Contains(text, "times: 9") { // long, and no other than short ones
			t.Skip("a story that is told a thousand times over is no other than one that is told twice, and takes minutes")
		}
		lines := strings.Count(text, "\n") + 1
		file, errs := policytest.Read("x_test.yaml", text)
		if (file == nil) == (len(errs) == 0) {
			t.Fatalf("a file %t, and errors %v", file != nil, errs)
		}
		for _, e := range errs {
			if e.Line < 1 || e.Line > lines || e.Col < 1 || e.Text == "" || e.File != "x_test.yaml" {
				t.Errorf("%d lines, and an error %s", lines, e)
			}
		}
		if file == nil {
			return
		}
		results, errs := policytest.Run(file, folder, policytest.Options{Coverage: &policytest.Coverage{}})
		if len(results)+len(errs) == 0 {
			t.Error("neither results nor errors")
		}
		for _, r := range results {
			if r.Failure != nil && (r.Failure.Expected == "" || r.Failure.Happened == "" || strings.Contains(r.Failure.Expected, "report it")) {
				t.Errorf("%s: %+v", r.Name, r.Failure)
			}
		}
	})
}

package policies_test

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policytest"
)

var edges = flag.Bool("edges", false, "move every limit of the library by nothing, and see that its tests notice")

// pairs are comparisons that differ when both sides are equal, and only then.
var pairs = map[string]string{"<": "<=", "<=": "<", ">": ">=", ">=": ">"}

var (
	comparison = regexp.MustCompile(` (<=?|>=?) `)
	required   = regexp.MustCompile(`(?s)\n    require: (.*?)(\n    \w|\n\n|$)`)
)

// TestEdges takes each comparison of each rule of the library for its neighbour, < for <=, and sees that a test of the library fails: so the tests are at the edge, where one more is too much.
func TestEdges(t *testing.T) {
	if !*edges {
		t.Skip("it takes a minute; go test ./policies -run TestEdges -edges")
	}
	folder, tests := shelf(t)
	tried := 0
	for i, f := range folder {
		if !strings.HasPrefix(f.Name, "library/") {
			continue
		}
		of := slices.DeleteFunc(slices.Clone(tests), func(x *policytest.File) bool {
			return !strings.HasPrefix(x.Name, strings.TrimSuffix(f.Name, ".yaml")+"_")
		})
		for _, at := range required.FindAllStringSubmatchIndex(f.Text, -1) {
			for _, op := range comparison.FindAllStringSubmatchIndex(f.Text[at[2]:at[3]], -1) {
				from, to := at[2]+op[2], at[2]+op[3]
				changed := f.Text[:from] + pairs[f.Text[from:to]] + f.Text[to:]
				tried++
				if noticed(of, folder, i, changed) {
					continue
				}
				line := strings.Count(f.Text[:from], "\n") + 1
				t.Errorf("%s:%d: no test notices %s for %s in: %s", f.Name, line, pairs[f.Text[from:to]], f.Text[from:to], strings.Join(strings.Fields(f.Text[at[2]:at[3]]), " "))
			}
		}
	}
	fmt.Println(tried, "comparisons")
}

// noticed reports whether a test fails with another text of a file.
func noticed(tests []*policytest.File, folder []hub.PolicyFile, i int, text string) bool {
	folder = slices.Clone(folder)
	folder[i].Text = text
	for _, f := range tests {
		results, errs := policytest.Run(f, folder, policytest.Options{})
		if len(errs) > 0 {
			return true
		}
		if slices.ContainsFunc(results, func(r policytest.Result) bool { return r.Failure != nil }) {
			return true
		}
	}
	return false
}

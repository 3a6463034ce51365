package policies_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/policies"
)

// aLimit is a line of limits: name, number.
var aLimit = regexp.MustCompile(`(?m)^( {2}[a-z_]+: )(-?[0-9][0-9_.]*)`)

// TestSamplesAreTestedAtTheirEdges moves every limit of the samples by one of its last digit: up, then down. A test beside it must notice each time.
func TestSamplesAreTestedAtTheirEdges(t *testing.T) {
	moved := 0
	for _, file := range files(t) {
		if strings.HasPrefix(file.Name, "library/") {
			continue
		}
		limits, _, _ := strings.Cut(file.Text, "\nrules:")
		_, own, ok := strings.Cut(limits, "\nlimits:")
		if !ok {
			t.Fatalf("%s has no limits", file.Name)
		}
		tests := strings.TrimSuffix(file.Name, ".yaml") + "_test.yaml"
		text, err := policies.Files.ReadFile(tests)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range aLimit.FindAllStringSubmatch(own, -1) {
			for _, by := range []string{"1", "-1"} {
				changed := []hub.PolicyFile{{Name: file.Name, Text: strings.Replace(file.Text, m[0], m[1]+nudged(t, m[2], by), 1)}}
				moved++
				if failures := played(t, tests, string(text), changed, nil); len(failures) == 0 {
					t.Errorf("%s: with %s%s no test in %s fails", file.Name, m[1], nudged(t, m[2], by), tests)
				}
			}
		}
	}
	if moved < 40 {
		t.Errorf("moved %d limits", moved)
	}
}

// nudged is a number with its last digit moved: 0.10 becomes 0.11; 3_000_000 becomes 3_000_001.
func nudged(t *testing.T, number, by string) string {
	t.Helper()
	d := hub.MustDecimal(strings.ReplaceAll(number, "_", ""))
	step := hub.MustDecimal(by)
	for range d.Scale() {
		var sum hub.Sum
		step = sum.Mul(step, hub.MustDecimal("0.1"))
	}
	var sum hub.Sum
	return fmt.Sprint(sum.Add(d, step))
}

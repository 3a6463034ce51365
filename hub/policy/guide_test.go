package policy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// TestGuide compiles every piece of policy that docs/policies.md shows.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	pieces := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(pieces) < 10 {
		t.Fatalf("%d pieces of policy in the guide", len(pieces))
	}
	var libraries []hub.PolicyFile // which other pieces use, by this name
	for _, piece := range pieces {
		if strings.HasPrefix(piece[1], "policy: library") {
			libraries = append(libraries, hub.PolicyFile{Name: "library/own.yaml", Text: piece[1]})
		}
	}
	for _, piece := range pieces {
		text := piece[1]
		if strings.HasPrefix(text, "policy: library") {
			text = "policy: fund\nuse:\n  - file: library/own.yaml\n"
		}
		if !strings.HasPrefix(text, "policy:") {
			text = "policy: trader\ntrader: alpha\n" + text
		}
		if _, errs := policy.Compile(append(slices.Clip(libraries), hub.PolicyFile{Name: "guide.yaml", Text: text})); len(errs) > 0 {
			t.Errorf("%s\n%s", text, lines(errs))
		}
	}
}

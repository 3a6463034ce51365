package policy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// TestGuide compiles every piece of policy that docs/policy-guide.md shows.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/policy-guide.md")
	if err != nil {
		t.Fatal(err)
	}
	pieces := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(pieces) < 10 {
		t.Fatalf("%d pieces of policy in the guide", len(pieces))
	}
	for _, piece := range pieces {
		text := piece[1]
		if !strings.HasPrefix(text, "policy:") {
			text = "policy: trader\ntrader: alpha\n" + text
		}
		if _, errs := policy.Compile([]hub.PolicyFile{{Name: "guide.yaml", Text: text}}); len(errs) > 0 {
			t.Errorf("%s\n%s", text, lines(errs))
		}
	}
}

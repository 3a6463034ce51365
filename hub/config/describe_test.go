package config_test

import (
	"slices"
	"strings"
	"testing"

	"tradehub/hub/config"
)

// TestDescribe: every key that the reader knows is described with a sentence and a shape, and no other.
func TestDescribe(t *testing.T) {
	var paths []string
	var walk func(shapes []config.Shape)
	keys := func(all []config.Key) {
		for _, k := range all {
			paths = append(paths, k.Path)
			if k.Meaning == "" || !strings.HasSuffix(k.Meaning, ".") {
				t.Errorf("%s: its meaning is no sentence: %q; write one in describe.go", k.Path, k.Meaning)
			}
			if len(k.Shapes) == 0 {
				t.Errorf("%s: nothing can be written there", k.Path)
			}
			walk(k.Shapes)
		}
	}
	walk = func(shapes []config.Shape) {
		for _, s := range shapes {
			keys(s.Keys)
			walk(s.Of)
		}
	}
	keys(config.Describe())
	if told := config.Meanings(); !slices.Equal(told, slices.Sorted(slices.Values(paths))) {
		t.Errorf("meanings of %d keys, and there are %d:\n%s\n%s", len(told), len(paths), told, paths)
	}
	for _, want := range []string{"traders.*.veighna.request", "calendar.zone", "risk_managers.*.deadline", "journal.min_free"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not described", want)
		}
	}
}

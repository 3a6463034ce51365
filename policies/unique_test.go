package policies_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradehub/hub/policy"
)

// ruleName is the line of a rule's name.
var ruleName = regexp.MustCompile(`(?m)^  - name: (\S+)$`)

// TestLibraryNamesAreUnique: no rule of the library is called as one of another file of the library or of a sample. Two of one name cannot be in force by one file.
func TestLibraryNamesAreUnique(t *testing.T) {
	folder, _ := shelf(t)
	first, prefixes := map[string]string{}, map[string]string{}
	for _, f := range folder {
		library := strings.HasPrefix(f.Name, "library/")
		prefix := ""
		for _, m := range ruleName.FindAllStringSubmatch(f.Text, -1) {
			name := m[1]
			if other, ok := first[name]; ok && (library || strings.HasPrefix(other, "library/")) {
				t.Errorf("%s: a rule %s is in %s, too", f.Name, name, other)
			}
			first[name] = f.Name
			if !library {
				continue
			}
			begins, _, _ := strings.Cut(name, "-")
			if prefix == "" {
				prefix = begins
			}
			if begins != prefix {
				t.Errorf("%s: %s does not begin with %s-, as the file's other rules do", f.Name, name, prefix)
			}
		}
		if other, ok := prefixes[prefix]; library && ok {
			t.Errorf("the rules of %s and %s begin alike, with %s-", f.Name, other, prefix)
		}
		prefixes[prefix] = f.Name
	}
	if len(first) < 106 {
		t.Errorf("%d names", len(first))
	}
}

// TestLibraryTogether: each sample can use every rule of the library, all at once.
func TestLibraryTogether(t *testing.T) {
	folder, _ := shelf(t)
	var use strings.Builder
	use.WriteString("\nuse:\n")
	n := 0
	for _, f := range folder {
		if strings.HasPrefix(f.Name, "library/") {
			fmt.Fprintf(&use, "  - file: %s\n", f.Name)
			n++
		}
	}
	for i, f := range folder {
		if strings.HasPrefix(f.Name, "library/") {
			continue
		}
		with := slices.Clone(folder)
		with[i].Text = f.Text + use.String()
		_, errs := policy.Compile(with, policy.InCurrency("CNY"))
		for _, err := range errs {
			t.Errorf("%s with %d files of the library: %v", f.Name, n, err)
		}
	}
}

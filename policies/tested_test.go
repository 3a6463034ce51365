package policies_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policytest"
	"tradehub/policies"
)

// played are the tests of a file that fail, each in a line or more.
func played(t *testing.T, name, text string, folder []hub.PolicyFile, coverage *policytest.Coverage) []string {
	t.Helper()
	f, errs := policytest.Read(name, text)
	if f == nil {
		t.Fatal(errs)
	}
	results, errs := policytest.Run(f, folder, policytest.Options{Coverage: coverage})
	for _, e := range errs {
		t.Fatal(e)
	}
	var failures []string
	for _, r := range results {
		if r.Failure != nil {
			failures = append(failures, fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Name, r.Failure))
		}
	}
	return failures
}

// TestSamplesAreTested plays the tests beside the samples, which must show every rule of them both ways.
func TestSamplesAreTested(t *testing.T) {
	folder := files(t)
	coverage := &policytest.Coverage{}
	coverage.Expect(compiled(t), "", func(place string) bool { return !strings.HasPrefix(place, "library/") }) // which have tests of their own
	err := fs.WalkDir(policies.Files, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.yaml") || strings.HasPrefix(path, "library/") {
			return err
		}
		text, err := policies.Files.ReadFile(path)
		if err != nil {
			return err
		}
		for _, failure := range played(t, path, string(text), folder, coverage) {
			t.Error(failure)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range coverage.All() {
		if lacks := c.Lacks(); lacks != "" && !strings.HasPrefix(c.Place, "library/") {
			t.Errorf("%s %s %s in these tests", c.Place, c.Name, lacks)
		}
	}
}

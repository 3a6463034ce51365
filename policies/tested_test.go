package policies_test

import (
	"io/fs"
	"strings"
	"testing"

	"tradehub/hub/policytest"
	"tradehub/policies"
)

// TestSamplesAreTested plays the tests beside the samples, which must show every rule of them both ways.
func TestSamplesAreTested(t *testing.T) {
	folder := files(t)
	coverage := &policytest.Coverage{}
	coverage.Expect(compiled(t), "", func(place string) bool { return !strings.HasPrefix(place, "library/") }) // which have tests of their own
	err := fs.WalkDir(policies.Files, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.yaml") {
			return err
		}
		text, err := policies.Files.ReadFile(path)
		if err != nil {
			return err
		}
		f, errs := policytest.Read(path, string(text))
		for _, e := range errs {
			t.Error(e)
		}
		if f == nil {
			return nil
		}
		results, errs := policytest.Run(f, folder, policytest.Options{Coverage: coverage})
		for _, e := range errs {
			t.Error(e)
		}
		for _, r := range results {
			if r.Failure != nil {
				t.Errorf("%s:%d: %s: %s", r.File, r.Line, r.Name, r.Failure.Error())
			}
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

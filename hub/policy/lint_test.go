package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// TestWarn compiles the files of each archive under testdata/warn and compares what Lint says with the archive's last file: go test ./hub/policy -run TestWarn -update, and read the diff.
func TestWarn(t *testing.T) {
	names, err := filepath.Glob("testdata/warn/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			last := &archive.Files[len(archive.Files)-1]
			var files []hub.PolicyFile
			for _, f := range archive.Files[:len(archive.Files)-1] {
				files = append(files, hub.PolicyFile{Name: f.Name, Text: string(f.Data)})
			}
			rules, errs := policy.Compile(files)
			if len(errs) > 0 {
				t.Fatal("does not compile:\n" + lines(errs))
			}
			got := lines(rules.Lint())
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(last.Data), got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

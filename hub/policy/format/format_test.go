package format_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/policy"
	"tradehub/hub/policy/format"
)

var update = flag.Bool("update", false, "write what is into the archives, instead of comparing")

// TestForm formats the first file of each archive and compares with the second: go test ./hub/policy/format -run TestForm -update, and read the diff.
func TestForm(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil || len(archive.Files) != 2 {
				t.Fatal("an archive has two files", err)
			}
			got, errs := format.Source(hub.PolicyFile{Name: archive.Files[0].Name, Text: string(archive.Files[0].Data)})
			for _, e := range errs {
				got += e.String() + "\n"
			}
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[1].Data), got); diff != "" {
				t.Errorf("formatted (-want +got):\n%s", diff)
			}
		})
	}
}

// files are all policies that there are: shipped ones, those of the guide, and those of the tests, whose many defects include every way to write a file badly.
func files(t *testing.T) []hub.PolicyFile {
	var all []hub.PolicyFile
	add := func(name string, text []byte) { all = append(all, hub.PolicyFile{Name: name, Text: string(text)}) }
	for _, pattern := range []string{"../testdata/*/*.txt", "testdata/*.txt"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.Files {
				if strings.HasSuffix(f.Name, ".yaml") {
					add(name+"#"+f.Name, f.Data)
				}
			}
		}
	}
	for _, pattern := range []string{"../../../policies/*.yaml", "../../../policies/*/*.yaml", "../../../examples/*/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains("\n"+string(text), "\npolicy:") {
				add(name, text)
			}
		}
	}
	guide, err := os.ReadFile("../../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(guide, -1) {
		if !strings.HasPrefix(string(piece[1]), "policy:") {
			piece[1] = append([]byte("policy: trader\ntrader: alpha\n"), piece[1]...)
		}
		add("guide", piece[1])
	}
	if len(all) < 100 {
		t.Fatalf("%d files", len(all))
	}
	return all
}

// TestSame formats every policy there is: what is written is in the one form already, and compiles to the same rules, or is wrong in the same ways.
func TestSame(t *testing.T) {
	formatted := 0
	for _, file := range files(t) {
		if same(t, file, true) {
			formatted++
		}
	}
	if formatted < 80 {
		t.Errorf("only %d were formatted", formatted)
	}
}

// same formats a file, if it can be read, and checks what is written. strict: one with mistakes in it can be formatted, too.
func same(t interface{ Errorf(string, ...any) }, file hub.PolicyFile, strict bool) bool {
	text, errs := format.Source(file)
	if len(errs) > 0 {
		for _, e := range errs {
			rules, _ := policy.Compile([]hub.PolicyFile{file})
			if strings.Contains(e.Text, "left as it is") && (rules != nil || strict) {
				t.Errorf("%s\n%s", e, file.Text)
			}
		}
		return false
	}
	again, errs := format.Source(hub.PolicyFile{Name: file.Name, Text: text})
	if len(errs) > 0 || again != text {
		t.Errorf("%s: formatted twice (-once +twice):\n%s\n%s", file.Name, cmp.Diff(text, again), file.Text)
	}
	if diff := cmp.Diff(said(file), said(hub.PolicyFile{Name: file.Name, Text: text})); diff != "" {
		t.Errorf("%s: what it says (-before +after):\n%s\n%s\n%s", file.Name, diff, file.Text, text)
	}
	return true
}

// TestDisturbed does to every policy what people do with their keyboards, before it is formatted.
func TestDisturbed(t *testing.T) {
	all := files(t)
	pieces := []string{
		"# a comment\n", "  # further in\n", "      # deep\n", "\n", "\n\n", " # behind", " #", " ", "  ", "\n    ", `"`, "'", "> ", "|\n", ": ", "- ", "{", "}", "[", "]", ", ",
		"and", "&&", "!", "not ", "(", ")", "-", "_000", " CNY", "中文", "\\", "---\n", "~", "true", "a: 1\n", "# 中文注释\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom(all).Draw(t, "file")
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			runes := []rune(file.Text)
			at := rapid.IntRange(0, len(runes)).Draw(t, "at")
			if rapid.Bool().Draw(t, "at a line's end") {
				for at < len(runes) && runes[at] != '\n' {
					at++
				}
			}
			file.Text = string(runes[:at]) + rapid.SampledFrom(pieces).Draw(t, "piece") + string(runes[at:])
		}
		same(t, file, false)
	})
}

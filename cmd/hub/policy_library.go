package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tradehub/hub/folder"
	"tradehub/hub/policy"
	"tradehub/policies"
)

func policyLibraryVerb() verb {
	return verb{
		name: "policy library", args: "[NAME...]", short: "rules in store: list, show, take into a folder",
		long: `Lists the library of rules that comes with the hub: what each file is from, and which controls it has. With a NAME it shows the file; with --to DIR it puts the files that are
named, and their tests, into DIR/library, from where a policy takes rules by use:. A file that is there already and says something else is left as it is, and is an error. Which
control is which rule, docs/controls.md says. Every number is to be verified before use.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			to := flags.String("to", "", "the `DIR` of policies to put them into")
			asJSON := flags.Bool("json", false, "for programs")
			return func(e env, args []string) error { return policyLibrary(e, args, *to, *asJSON) }
		},
	}
}

// shipped is a file of the library, for programs.
type shipped struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Date     string   `json:"date"`
	Rules    []string `json:"rules"`
	Controls []int    `json:"controls"`
	Tests    []string `json:"tests"`
}

func policyLibrary(e env, names []string, to string, asJSON bool) error {
	all, err := shippedLibrary()
	if err != nil {
		return err
	}
	known := mapped(all, func(s shipped) string { return s.Name })
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".yaml")
		if !slices.Contains(known, names[i]) {
			return not(suggest(names[i], known, "there are "+strings.Join(known, ", ")), "there is no %s in the library", names[i])
		}
	}
	switch {
	case to != "" && len(names) == 0:
		return misused("hub policy library lists them", "which files?")
	case to != "":
		return takeFromLibrary(e, all, names, to)
	case len(names) > 0:
		for _, name := range names {
			text, err := policies.Files.ReadFile("library/" + name + ".yaml")
			if err != nil {
				return err
			}
			if _, err := e.stdout.Write(text); err != nil {
				return err
			}
		}
		return nil
	case asJSON:
		return writeJSON(e.stdout, all)
	}
	rows := [][]cell{headed("NAME DATE RULES CONTROLS SOURCE")}
	for _, s := range all {
		rows = append(rows, []cell{text(s.Name), text(s.Date), {text: strconv.Itoa(len(s.Rules)), right: true}, text(numbersShort(s.Controls)), text(s.Title)})
	}
	writeTable(e, rows)
	return nil
}

// shippedLibrary is what the hub has in store.
func shippedLibrary() ([]shipped, error) {
	files, err := folder.ReadFS(policies.Files)
	if err != nil {
		return nil, err
	}
	rules, errs := policy.Compile(files)
	if len(errs) > 0 { // a bug of this file, which the tests of package policies see
		return nil, fmt.Errorf("the library: %w", errs[0])
	}
	tests, err := fs.Glob(policies.Files, "library/*_test.yaml")
	if err != nil {
		return nil, err
	}
	var all []shipped
	for _, l := range rules.Libraries() {
		s := shipped{Name: strings.TrimSuffix(path.Base(l.File), ".yaml"), Title: l.Origin.Title, Date: l.Origin.Date, Controls: []int{}}
		for _, r := range l.Rules {
			s.Rules = append(s.Rules, r.Name)
			s.Controls = append(s.Controls, r.Controls...)
		}
		slices.Sort(s.Controls)
		s.Controls = slices.Compact(s.Controls)
		for _, name := range tests {
			if of, _, _ := strings.Cut(strings.TrimSuffix(path.Base(name), "_test.yaml"), "_"); of == s.Name {
				s.Tests = append(s.Tests, path.Base(name))
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// numbersShort writes 1 2 3 5 as 1-3 5.
func numbersShort(sorted []int) string {
	var parts []string
	for i := 0; i < len(sorted); {
		j := i
		for j+1 < len(sorted) && sorted[j+1] == sorted[j]+1 {
			j++
		}
		part := strconv.Itoa(sorted[i])
		if j > i {
			part += "-" + strconv.Itoa(sorted[j])
		}
		parts, i = append(parts, part), j+1
	}
	return strings.Join(parts, " ")
}

// takeFromLibrary puts files into a folder of policies: all, or none.
func takeFromLibrary(e env, all []shipped, names []string, to string) error {
	if info, err := os.Stat(to); err != nil || !info.IsDir() {
		return not("name the folder of policies, such as demo-data/policies", "there is no folder %s", to)
	}
	type copied struct {
		to   string
		text []byte
	}
	var files []copied
	var there []error
	for _, s := range all {
		if !slices.Contains(names, s.Name) {
			continue
		}
		for _, name := range append([]string{s.Name + ".yaml"}, s.Tests...) {
			text, err := policies.Files.ReadFile("library/" + name)
			if err != nil {
				return err
			}
			at := filepath.Join(to, "library", name)
			old, err := os.ReadFile(at)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				files = append(files, copied{at, text})
			case err != nil:
				return err
			case !bytes.Equal(old, text):
				there = append(there, fmt.Errorf("%s is there already, and says something else", at))
			}
		}
	}
	if len(there) > 0 {
		return not("compare them, and remove or rename yours", "%w", errors.Join(there...))
	}
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.to), 0o755); err != nil {
			return err
		}
		if err := writeNew(f.to, f.text); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, f.to)
	}
	return nil
}

// writeNew writes a file that appears whole, and that everybody may read: rules are no secret, and the hub may be another user.
func writeNew(at string, text []byte) error {
	next := at + ".next"
	if err := os.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return os.Rename(next, at)
}

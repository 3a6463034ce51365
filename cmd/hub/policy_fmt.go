package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"

	"tradehub/hub"
	"tradehub/hub/policy"
	"tradehub/hub/policy/format"
)

func policyFmtVerb() verb {
	return verb{
		name: "policy fmt", args: "PATH...", short: "policy files in one form",
		long: `Writes policy files in one form, so that files that say the same look the same and a change shows what changed and nothing else: keys in one order and one to a line, one space
around operators, digits of limits in groups of three. Comments, blank lines and the order of rules and limits stay. What a file says does not change, but its revision does: that is of its text.
A PATH is a file, a folder, of which all .yaml files are taken but tests (_test.yaml), or - for what comes from stdin. Without a flag the result is printed.
Exit code 1: a file cannot be read as YAML, or, with --check, is not in that form.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			var how formatting
			flags.BoolVar(&how.write, "w", false, "write the result into the files")
			flags.BoolVar(&how.check, "check", false, "list the files that are not in that form; exit code 1 if there are any")
			flags.BoolVar(&how.diff, "d", false, "print what would change")
			flags.BoolVar(&how.json, "json", false, "for programs: the files, and which of them change")
			return func(e env, args []string) error { return policyFmt(e, args, how) }
		},
	}
}

// formatting is what policy fmt does with what it has formatted.
type formatting struct{ write, check, diff, json bool }

// formatted is a file, for programs.
type formatted struct {
	File    string `json:"file"`
	Changed bool   `json:"changed"`
	Text    string `json:"text,omitempty"` // when it is asked for nothing else
}

func policyFmt(e env, paths []string, how formatting) error {
	if len(paths) == 0 {
		return misused("usage: hub policy fmt [--w] [--check] [--d] PATH...", "which files?")
	}
	if how.write && how.check {
		return misused("--check writes nothing; leave one of them out", "hub policy fmt has either --w or --check")
	}
	files, err := filesOf(paths)
	if err != nil {
		return err
	}
	found := []formatted{}
	var errs []policy.Error
	changed := 0
	for _, file := range files {
		text, wrong := format.Source(file)
		errs = append(errs, wrong...)
		if len(wrong) > 0 {
			continue
		}
		one := formatted{File: file.Name, Changed: text != file.Text}
		if one.Changed {
			changed++
		}
		if !how.write && !how.check && !how.diff {
			one.Text = text
		}
		if err := how.do(e, file, text); err != nil {
			return err
		}
		found = append(found, one)
	}
	if how.json {
		if err := writeJSON(e.stdout, found); err != nil {
			return err
		}
	}
	for _, p := range errs {
		fmt.Fprintln(e.stderr, p)
	}
	switch {
	case len(errs) > 0:
		return not("", "%s cannot be formatted", count(len(files)-len(found), "file"))
	case how.check && changed > 0:
		return not("hub policy fmt --w writes them in it", "%s of %d not in the one form", count(changed, "file"), len(files))
	}
	return nil
}

// do does with one file what is wanted.
func (how formatting) do(e env, file hub.PolicyFile, text string) error {
	changed := text != file.Text
	if changed && how.write && file.Name != "-" {
		if err := replaceFile(file.Name, text); err != nil {
			return err
		}
	}
	if how.json {
		return nil
	}
	if changed && how.diff {
		if _, err := e.stdout.Write(diff.Diff(file.Name, []byte(file.Text), file.Name+" (formatted)", []byte(text))); err != nil {
			return err
		}
	}
	switch {
	case how.write && file.Name != "-" || how.check:
		if changed && !how.diff {
			fmt.Fprintln(e.stdout, file.Name)
		}
	case !how.diff:
		_, err := io.WriteString(e.stdout, text)
		return err
	}
	return nil
}

// filesOf reads policy files and folders of them, each file once, under the names by which they can be opened.
func filesOf(paths []string) ([]hub.PolicyFile, error) {
	var files []hub.PolicyFile
	seen := map[string]bool{}
	for _, path := range paths {
		found, err := filesAt(path)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !seen[f.Name] {
				seen[f.Name] = true
				files = append(files, f)
			}
		}
	}
	return files, nil
}

func filesAt(path string) ([]hub.PolicyFile, error) {
	if path != "-" {
		return policiesAt(path, false)
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, policy.MaxFileBytes+1))
	return []hub.PolicyFile{{Name: "-", Text: string(text)}}, err
}

// replaceFile gives a file another text, at once: who reads it meanwhile sees the old one or the new one. Its permissions stay.
func replaceFile(name, text string) (err error) {
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(target), ".hub-fmt-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	if err := writeAll(temporary, text, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), target)
}

func writeAll(f *os.File, text string, mode os.FileMode) error {
	_, err := f.WriteString(text)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

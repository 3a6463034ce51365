package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/folder"
	"tradehub/hub/policy"
	"tradehub/hub/policytest"
)

func policyTestVerb() verb {
	return verb{
		name: "policy test", args: "PATH...", short: "play tests of policies",
		long: `Plays the tests beside policies (_test.yaml) through the hub's own core: orders, fills, prices and time as the test says them, and what must come of it. A PATH is a test file,
or a folder, of which all test files are taken. Every test that fails says what was expected, what happened, and the values that rules read; exit code 1. No running hub is needed.
With --coverage every rule must have let an order pass and have refused one, in some test. docs/policy-tests.md has the format.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			var o testOptions
			flags.StringVar(&o.run, "run", "", "only tests whose file:name matches the `RE`")
			flags.StringVar(&o.junit, "junit", "", "write the results to `FILE` as JUnit XML")
			flags.BoolVar(&o.coverage, "coverage", false, "list rules that no test passed, or failed; exit code 1 if there are any")
			flags.BoolVar(&o.verbose, "v", false, "list the tests that passed, too")
			flags.BoolVar(&o.json, "json", false, "for programs")
			return func(e env, args []string) error { return policyTest(e, args, o) }
		},
	}
}

type testOptions struct {
	run, junit              string
	coverage, verbose, json bool
}

// tested is what policy test found, for programs.
type tested struct {
	Tests    []testedTest  `json:"tests"`
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Errors   []mistake     `json:"errors"`
	Coverage []coveredRule `json:"coverage,omitempty"`
}

type testedTest struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Name     string   `json:"name"`
	Passed   bool     `json:"passed"`
	Place    string   `json:"place,omitempty"` // of the step that failed
	Step     string   `json:"step,omitempty"`
	At       string   `json:"at,omitempty"`
	Expected string   `json:"expected,omitempty"`
	Happened string   `json:"happened,omitempty"`
	Details  []string `json:"details,omitempty"`
}

type coveredRule struct{}

func policyTest(e env, paths []string, o testOptions) error {
	if len(paths) == 0 {
		return misused("usage: hub policy test PATH...", "which tests? A folder of policies, or test files")
	}
	only := regexp.MustCompile("")
	if o.run != "" {
		var err error
		if only, err = regexp.Compile(o.run); err != nil {
			return misused("--run takes a regular expression", "--run: %w", err)
		}
	}
	files, err := testFiles(paths)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return not("tests stand in files that end in _test.yaml; docs/policy-tests.md says how to write one", "there is no test file in %s", strings.Join(paths, ", "))
	}
	found := tested{Tests: []testedTest{}, Errors: []mistake{}}
	for _, file := range files {
		results, errs, err := testFile(file, only)
		if err != nil {
			return err
		}
		found.Errors = append(found.Errors, errs...)
		for _, r := range results {
			t := testedTest{File: r.File, Line: r.Line, Name: r.Name, Passed: r.Failure == nil}
			if f := r.Failure; f != nil {
				t.Place, t.Step, t.At, t.Expected, t.Happened, t.Details = f.Place, f.Step, f.At, f.Expected, f.Happened, f.Details
				found.Failed++
			} else {
				found.Passed++
			}
			found.Tests = append(found.Tests, t)
		}
	}
	if o.json {
		if err := writeJSON(e.stdout, found); err != nil {
			return err
		}
	} else {
		found.write(e, o)
	}
	return found.verdict(o)
}

// write is what a person reads.
func (t *tested) write(e env, o testOptions) {
	for _, m := range t.Errors {
		fmt.Fprintln(e.stderr, m)
	}
	for _, x := range t.Tests {
		switch {
		case !x.Passed:
			fmt.Fprintf(e.stdout, "%s  %s:%d: %s\n", painted(e, red, "FAIL"), x.File, x.Line, x.Name)
			fmt.Fprintf(e.stdout, "      %s: %s\n", x.Place, x.Step)
			fmt.Fprintf(e.stdout, "      at        %s\n", x.At)
			fmt.Fprintf(e.stdout, "      expected  %s\n", x.Expected)
			fmt.Fprintf(e.stdout, "      happened  %s\n", x.Happened)
			for _, d := range x.Details {
				fmt.Fprintf(e.stdout, "                %s\n", d)
			}
		case o.verbose:
			fmt.Fprintf(e.stdout, "%s    %s:%d: %s\n", painted(e, green, "ok"), x.File, x.Line, x.Name)
		}
	}
	if t.Failed == 0 && len(t.Errors) == 0 && len(t.Tests) > 0 {
		files := map[string]bool{}
		for _, x := range t.Tests {
			files[x.File] = true
		}
		fmt.Fprintf(e.stdout, "%s: %s in %s\n", painted(e, green, "ok"), count(t.Passed, "test"), count(len(files), "file"))
	}
}

func painted(e env, colour, s string) string {
	if !e.colour {
		return s
	}
	return colour + s + plain
}

// verdict is the error of a run in which not all is well.
func (t *tested) verdict(o testOptions) error {
	switch {
	case len(t.Errors) > 0 && t.Failed > 0:
		return not("", "%s, and %s of %d failed", count(len(t.Errors), "error"), count(t.Failed, "test"), len(t.Tests))
	case len(t.Errors) > 0:
		return not("docs/policy-tests.md has the format", "%s; the tests of those files were not run", count(len(t.Errors), "error"))
	case t.Failed > 0:
		return not("", "%s of %d failed", count(t.Failed, "test"), len(t.Tests))
	case len(t.Tests) == 0:
		return not("--run is matched against file:name", "no test matches --run %s", o.run)
	}
	return nil
}

// testFile runs the tests of one file.
func testFile(file string, only *regexp.Regexp) ([]policytest.Result, []mistake, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, not("", "%w", err)
	}
	f, errs := policytest.Read(file, string(text))
	if len(errs) > 0 {
		return nil, mapped(errs, mistakeAt("")), nil
	}
	at := policyFolder(file)
	policies, err := readPolicies(at)
	if err != nil {
		return nil, nil, err
	}
	results, errs := policytest.Run(f, policies, policytest.Options{Only: func(t *policytest.Test) bool { return only.MatchString(t.File + ":" + t.Name) }})
	known := func(name string) bool {
		return slices.ContainsFunc(policies, func(p hub.PolicyFile) bool { return p.Name == name })
	}
	return results, mapped(errs, func(p policy.Error) mistake {
		if known(p.File) {
			return mistakeAt(at)(p)
		}
		return mistakeAt("")(p)
	}), nil
}

// mistakeAt is an error for programs, of a file below a folder.
func mistakeAt(folder string) func(policy.Error) mistake {
	return func(p policy.Error) mistake {
		return mistake{File: filepath.Join(folder, p.File), Line: p.Line, Col: p.Col, Text: p.Text}
	}
}

// testFiles are the test files at paths: themselves, or those below a folder, each once.
func testFiles(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, not("", "%w", err)
		}
		if !info.IsDir() {
			if !isTest(path) {
				return nil, not("tests of it stand in a file that ends in _test.yaml; hub policy check looks at policies", "%s is no test file", path)
			}
			all = append(all, path)
			continue
		}
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name != path && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return fs.SkipDir
				}
			case !d.IsDir() && isTest(name):
				all = append(all, name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("tests: %w", err)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func isTest(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && strings.HasSuffix(strings.TrimSuffix(name, ext), "_test")
}

var ofFund = regexp.MustCompile(`(?m)^policy:\s*fund\b`)

// policyFolder is the folder of policies that a test file is about: the nearest above it that has the fund's policy; without one, the test file's own.
func policyFolder(file string) string {
	own := filepath.Dir(file)
	for at, n := own, 0; n < 5; n++ {
		entries, err := os.ReadDir(at)
		if err != nil {
			break
		}
		for _, d := range entries {
			if d.IsDir() || !folder.Is(d.Name()) {
				continue
			}
			if text, err := os.ReadFile(filepath.Join(at, d.Name())); err == nil && ofFund.Match(text) {
				return at
			}
		}
		whole, err := filepath.Abs(at)
		if err != nil || filepath.Dir(whole) == whole {
			break
		}
		at = filepath.Join(at, "..")
	}
	return own
}

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

// coveredRule is what tests have shown of a rule, or of a watch.
type coveredRule struct {
	Place         string `json:"place"`
	Name          string `json:"name"`
	Trader        string `json:"trader,omitempty"` // "" of the fund's file
	Mode          string `json:"mode"`
	Watch         bool   `json:"watch,omitempty"`
	Passed        int    `json:"passed"`
	Failed        int    `json:"failed"`
	Warned        int    `json:"warned"`
	NotComputable int    `json:"not_computable"`
	NotApplicable int    `json:"not_applicable"`
	Fired         int    `json:"fired,omitempty"`
	Lacks         string `json:"lacks,omitempty"`
}

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
	coverage := &policytest.Coverage{}
	for _, file := range files {
		results, errs, err := testFile(file, only, coverage)
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
	if o.coverage {
		expectCoverage(paths, coverage)
		for _, c := range coverage.All() {
			if isAbout(paths, filepath.Join(c.Folder, c.Place)) {
				found.Coverage = append(found.Coverage, covered(c))
			}
		}
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, &found); err != nil {
			return err
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
	if o.coverage {
		t.writeCoverage(e)
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

// writeCoverage lists every rule with what the tests have seen of it.
func (t *tested) writeCoverage(e env) {
	rows := [][]cell{headed("rule passed failed warned lacks")}
	watches := [][]cell{headed("watch fired lacks")}
	for _, r := range t.Coverage {
		name := r.Place + " " + r.Name
		if r.Mode == policy.Shadow.String() {
			name += " (shadow)"
		}
		if r.Watch {
			watches = append(watches, []cell{text(name), whole(r.Fired), coloured(r.Lacks, red)})
			continue
		}
		rows = append(rows, []cell{text(name), whole(r.Passed), whole(r.Failed), whole(r.Warned), coloured(r.Lacks, red)})
	}
	for _, table := range [][][]cell{rows, watches} {
		if len(table) > 1 {
			writeTable(e, table)
		}
	}
}

// lacking is how many rules and watches no test has shown whole.
func (t *tested) lacking() int {
	n := 0
	for _, r := range t.Coverage {
		if r.Lacks != "" {
			n++
		}
	}
	return n
}

// covered is a policytest.Covered for programs.
func covered(c policytest.Covered) coveredRule {
	return coveredRule{
		Place: filepath.Join(c.Folder, c.Place), Name: c.Name, Trader: string(c.Owner), Mode: c.Mode.String(), Watch: c.Watch, Passed: c.Passed, Failed: c.Failed, Warned: c.Warned,
		NotComputable: c.NotComputable, NotApplicable: c.NotApplicable, Fired: c.Fired, Lacks: c.Lacks(),
	}
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
	case o.coverage && t.lacking() > 0:
		return not("write a test in which each passes, and one in which it refuses; a watch must fire", "%s that no test has shown whole", lacked(t.lacking()))
	case len(t.Tests) == 0:
		return not("--run is matched against file:name", "no test matches --run %s", o.run)
	}
	return nil
}

// testFile runs the tests of one file.
func testFile(file string, only *regexp.Regexp, coverage *policytest.Coverage) ([]policytest.Result, []mistake, error) {
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
	results, errs := policytest.Run(f, policies, policytest.Options{
		Only: func(t *policytest.Test) bool { return only.MatchString(t.File + ":" + t.Name) }, Coverage: coverage, Folder: at,
	})
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

// expectCoverage has the tests show every rule of the policies that lie below paths, also those that no test asks. Policies that are wrong have been reported by their tests.
func expectCoverage(paths []string, coverage *policytest.Coverage) {
	for _, path := range paths {
		at := policyFolder(filepath.Join(path, "x"))
		policies, err := readPolicies(at)
		if err != nil {
			continue // a file
		}
		rules, errs := policy.Compile(policies)
		if len(errs) > 0 {
			continue
		}
		coverage.Expect(rules, at, func(place string) bool { return isBelow(filepath.Join(at, place), path) })
	}
}

// isAbout reports whether a rule at a place is one that paths are about: those below a folder; of a test file, those of the file that it is named after, or, when there is none, all.
func isAbout(paths []string, place string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		ext := filepath.Ext(path)
		tested := strings.TrimSuffix(path, "_test"+ext) + ext
		if _, err := os.Stat(tested); err == nil && isTest(path) {
			return strings.HasPrefix(place, filepath.Clean(tested)+":")
		}
		return isTest(path) || isBelow(place, path)
	})
}

// isBelow reports whether a path leads into a folder.
func isBelow(name, folder string) bool {
	whole, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	inside, err := filepath.Abs(name)
	return err == nil && strings.HasPrefix(inside, strings.TrimSuffix(whole, string(filepath.Separator))+string(filepath.Separator))
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
	if at, ok := fundFolder(file); ok {
		return at
	}
	return filepath.Dir(file)
}

// fundFolder is the nearest folder above a file that has the fund's policy.
func fundFolder(file string) (string, bool) {
	for _, at := range above(file) {
		entries, err := os.ReadDir(at)
		if err != nil {
			return "", false
		}
		for _, d := range entries {
			if d.IsDir() || !folder.Is(d.Name()) {
				continue
			}
			if text, err := os.ReadFile(filepath.Join(at, d.Name())); err == nil && ofFund.Match(text) {
				return at, true
			}
		}
	}
	return "", false
}

// foldersAbove is how many folders above a file are looked at.
const foldersAbove = 5

// above are the folders that a file is in, the nearest first.
func above(file string) []string {
	var all []string
	for at := filepath.Dir(file); len(all) < foldersAbove; at = filepath.Join(at, "..") {
		all = append(all, at)
		if whole, err := filepath.Abs(at); err != nil || filepath.Dir(whole) == whole {
			break
		}
	}
	return all
}

func lacked(n int) string {
	if n == 1 {
		return "1 rule or watch"
	}
	return fmt.Sprintf("%d rules and watches", n)
}

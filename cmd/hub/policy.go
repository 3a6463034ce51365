package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/policy"
)

func policyVerbs() []verb {
	return []verb{
		{
			name: "policy check", args: "PATH...", short: "every error of policy files, or their revision",
			long: `Compiles policy files as the hub does. A PATH is a file, or a folder, of which all .yaml files are taken but tests (_test.yaml). Every error of every file is
reported with file:line:col; exit code 1. No running hub is needed. Libraries that a file uses and that are not named are found from its policy folder, the nearest above it that has the
fund's policy, so that an editor can check a file when it is saved. The revision of a folder is the one that the hub shows when it has loaded that folder.
A limit such as 1_000_000 CNY is held against the fund's money, whose currency is what the fund's file says, or --currency; hub check takes it from hub.yaml.
Of each file it says the most that its rules can take for an order, in steps: numbers, texts and operators are one each, variables and windows more. A file over the bound does not load.
It warns of what is right and yet says nothing: rules that are always or never true, a trader's rule that refuses nothing which the fund's does not refuse, limits that nothing reads. With
--strict a warning is an error.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				currency := flags.String("currency", "", "the fund's `CURRENCY`, as hub.yaml has it")
				strict := flags.Bool("strict", false, "exit code 1 when there are warnings, too")
				asJSON := flags.Bool("json", false, "for programs")
				return func(e env, args []string) error {
					return policyCheck(e, args, checking{currency: *currency, strict: *strict, json: *asJSON})
				}
			},
		},
		{
			name: "policy vars", args: "[FILTER]", short: "what a rule may read",
			long: `Lists every variable that a rule may read: its name, its type, what it means and when it is missing, in which case the order is refused. With FILTER only those
whose name, unit or meaning contains it.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				asJSON := flags.Bool("json", false, "for programs")
				return func(e env, args []string) error { return policyVars(e, args, *asJSON) }
			},
		},
	}
}

// checked is what policy check found, for programs.
type checked struct {
	Revision string        `json:"revision,omitempty"` // "" with errors
	Files    []checkedFile `json:"files"`
	Errors   []mistake     `json:"errors"`
	Warnings []mistake     `json:"warnings"`
}

// checkedFile is what a file of rules can take for an order.
type checkedFile struct {
	File    string `json:"file"`
	Trader  string `json:"trader,omitempty"` // "" for the fund's
	Rules   int    `json:"rules"`
	Steps   int    `json:"steps"`
	MostOf  int    `json:"steps_max"`
	Reads   int    `json:"reads"`
	Windows int    `json:"windows"`
}

// mistake is a policy.Error for programs.
type mistake struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Text string `json:"text"`
}

// checking is how policy check does its work.
type checking struct {
	currency     string
	strict, json bool
}

func policyCheck(e env, paths []string, how checking) error {
	if len(paths) == 0 {
		return misused("usage: hub policy check PATH...", "which files?")
	}
	var files []hub.PolicyFile
	shown := map[string]string{} // by the name that the file is compiled under
	for _, path := range paths {
		found, err := policiesAt(path, len(paths) == 1)
		if err != nil {
			return err
		}
		for _, f := range found {
			if _, again := shown[f.Name]; !again {
				shown[f.Name] = f.Name
				files = append(files, f)
			}
			if len(paths) == 1 && f.Name != path {
				shown[f.Name] = filepath.Join(path, f.Name)
			}
		}
	}
	if len(files) == 0 {
		return not("policy files end in .yaml; tests, which end in _test.yaml, are not rules", "there is no policy file in %s", strings.Join(paths, ", "))
	}
	asked := mapped(files, func(f hub.PolicyFile) string { return shown[f.Name] })
	files, guesses := beside(files, shown)
	slices.SortFunc(files, func(a, b hub.PolicyFile) int { return strings.Compare(a.Name, b.Name) })
	rules, errs := policy.Compile(files, policy.InCurrency(how.currency))
	found := checked{Files: []checkedFile{}, Errors: mistakes(errs, shown), Warnings: []mistake{}}
	found.Errors = slices.DeleteFunc(found.Errors, func(m mistake) bool { return slices.Contains(guesses, m.File) && !slices.Contains(asked, m.File) })
	if rules != nil {
		found.Revision, found.Warnings = rules.Revision(), mistakes(rules.Lint(), shown)
		found.Warnings = slices.DeleteFunc(found.Warnings, func(m mistake) bool { return !slices.Contains(asked, m.File) })
		if w, lacks := fundless(paths, rules); lacks {
			found.Warnings = append(found.Warnings, w)
		}
		for _, c := range rules.Costs() {
			found.Files = append(found.Files, checkedFile{
				File: shown[c.File], Trader: string(c.Trader), Rules: c.Rules, Steps: c.Steps, MostOf: policy.MaxSteps, Reads: c.Reads, Windows: c.Windows,
			})
		}
	}
	if how.json {
		if err := writeJSON(e.stdout, found); err != nil {
			return err
		}
	}
	if len(errs) > 0 {
		bad := map[string]bool{}
		for _, p := range found.Errors {
			bad[p.File] = true
			if !how.json {
				fmt.Fprintln(e.stderr, p)
			}
		}
		return not("hub policy vars lists what a rule may read", "%s in %s", count(len(found.Errors), "error"), count(len(bad), "file"))
	}
	if how.json {
		return how.verdict(found)
	}
	for _, p := range found.Warnings {
		fmt.Fprintln(e.stderr, "warning:", p)
	}
	whose := mapped(rules.Traders(), func(t hub.TraderName) string { return string(t) })
	if rules.HasFund() {
		whose = append([]string{"the fund"}, whose...)
	}
	if len(whose) == 0 {
		whose = []string{"the library"}
	}
	fmt.Fprintf(e.stdout, "ok: %s, rules of %s, revision %s\n", count(len(asked), "file"), strings.Join(whose, ", "), rules.Revision())
	for _, f := range found.Files {
		fmt.Fprintf(e.stdout, "    %s: %s, at most %s of %d for an order, %s\n", f.File, count(f.Rules, "rule"), count(f.Steps, "step"), f.MostOf, count(f.Windows, "window"))
	}
	return how.verdict(found)
}

// fundless warns of a folder with rules of traders and none of the fund, here or above: a hub that loads it refuses every order.
func fundless(paths []string, rules *policy.Rules) (mistake, bool) {
	if len(paths) != 1 || rules.HasFund() || len(rules.Traders()) == 0 {
		return mistake{}, false
	}
	info, err := os.Stat(paths[0])
	if _, above := fundFolder(filepath.Join(paths[0], "x")); err != nil || !info.IsDir() || above {
		return mistake{}, false
	}
	return mistake{File: paths[0], Line: 1, Col: 1, Text: "the fund has no policy, so every order would be refused; write a file with policy: fund"}, true
}

// verdict is what the warnings make of files without errors.
func (how checking) verdict(found checked) error {
	if how.strict && len(found.Warnings) > 0 {
		return not("", "%s", count(len(found.Warnings), "warning"))
	}
	return nil
}

// String is file:line:col: what.
func (m mistake) String() string { return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Col, m.Text) }

// mistakes are errors or warnings with the paths by which their files were named.
func mistakes(all []policy.Error, shown map[string]string) []mistake {
	return mapped(all, func(p policy.Error) mistake { return mistake{shown[p.File], p.Line, p.Col, p.Text} })
}

// policiesAt reads a file or a folder. Alone, a folder's files are named as seen from it, as the hub does; among others they need their whole path.
func policiesAt(path string, alone bool) ([]hub.PolicyFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, not("", "%w", err)
	}
	if !info.IsDir() {
		text, err := os.ReadFile(path)
		return []hub.PolicyFile{{Name: path, Text: string(text)}}, err
	}
	files, err := readPolicies(path)
	if !alone {
		for i := range files {
			files[i].Name = filepath.Join(path, files[i].Name)
		}
	}
	return files, err
}

// variable is a policy.VarInfo for programs.
type variable struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Unit    string   `json:"unit,omitempty"`
	Values  []string `json:"values,omitempty"`
	Also    string   `json:"also,omitempty"` // another name of it
	Window  bool     `json:"window,omitempty"`
	Meaning string   `json:"meaning"`
	Missing string   `json:"missing,omitempty"`
}

func policyVars(e env, args []string, asJSON bool) error {
	if len(args) > 1 {
		return misused("usage: hub policy vars [--json] [FILTER]", "one filter, not %d", len(args))
	}
	filter := strings.ToLower(strings.Join(args, ""))
	found := []variable{}
	var names []string
	for _, v := range policy.Vars() {
		out := variable{Name: v.Example(), Unit: v.Unit, Values: v.Members, Also: v.Also, Window: v.Windowed, Meaning: v.Meaning, Missing: v.Missing}
		switch v.Kind {
		case policy.KindNumber:
			out.Type = "number"
		case policy.KindText:
			out.Type = "text"
		case policy.KindTruth:
			out.Type = "truth"
		case policy.KindMissing:
		}
		names = append(append(names, v.Name), strings.FieldsFunc(v.Name, func(r rune) bool { return r == '.' })...)
		if strings.Contains(strings.ToLower(strings.Join([]string{v.Name, v.Also, v.Unit, v.Meaning}, " ")), filter) {
			found = append(found, out)
		}
	}
	if asJSON {
		if err := writeJSON(e.stdout, found); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		hint := suggest(filter, names, "hub policy vars lists all")
		if like := policy.Like(filter); like != "" {
			hint = "did you mean " + like + "?"
		}
		return not(hint, "no variable has %q in its name, unit or meaning", filter)
	}
	if asJSON {
		return nil
	}
	for _, v := range found {
		fmt.Fprintln(e.stdout, v.head(e))
		fmt.Fprintln(e.stdout, "    "+v.Meaning)
		if len(v.Values) > 0 {
			fmt.Fprintln(e.stdout, "    one of "+strings.Join(v.Values, ", "))
		}
		if v.Missing != "" {
			fmt.Fprintln(e.stdout, "    missing: "+v.Missing)
		}
	}
	return nil
}

// head is the variable's name and type.
func (v variable) head(e env) string {
	kind, name := v.Type, v.Name
	if v.Unit != "" {
		kind = v.Unit
	}
	if e.colour {
		name = bold + name + plain
	}
	return name + "  " + kind
}

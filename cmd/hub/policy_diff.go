package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/ctl"
	"tradehub/hub/policy"
)

func policyDiffVerb() verb {
	return verb{
		name: "policy diff", args: "OLD NEW", short: "what changed between policies, in words",
		long: `Compares two folders of policies, two files, or revisions that the hub had in force (hub policy log), in words of limits and rules: which limit has which number now, which rule came, went, or says something else, and whether orders pass
that did not (looser), or do not any more (tighter). Comments, line breaks and the order of rules are no difference. What cannot be shown to be one or the other is called different.
Exit code 0: they say the same; 1: they differ; 2: one of them cannot be compared, since it has errors or is not there.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			a := askFlags(flags) // for revisions
			currency := flags.String("currency", "", "the fund's `CURRENCY`, as hub.yaml has it; --config knows it")
			return func(e env, args []string) error { return policyDiff(e, a, args, *currency) }
		},
	}
}

// differences is what policy diff found, for programs.
type differences struct {
	Old       string       `json:"old"` // revisions
	New       string       `json:"new"`
	Changes   []difference `json:"changes"`
	Looser    int          `json:"looser"`
	Tighter   int          `json:"tighter"`
	Different int          `json:"different"`
}

// difference is a policy.Change for programs.
type difference struct {
	Owner    string `json:"owner,omitempty"` // a trader, "fund", or "" of a library
	Library  string `json:"library,omitempty"`
	Kind     string `json:"kind"`
	Name     string `json:"name,omitempty"`
	What     string `json:"what"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
	Effect   string `json:"effect"`
	OldPlace string `json:"old_place,omitempty"`
	NewPlace string `json:"new_place,omitempty"`
	Text     string `json:"text"`
}

func policyDiff(e env, a asker, args []string, currency string) error {
	if len(args) != 2 {
		return misused("usage: hub policy diff OLD NEW", "which two?")
	}
	if currency == "" && *a.config != "" {
		c, err := mustConfig(e, *a.config)
		if err != nil {
			return err
		}
		currency = c.Fund.Currency
	}
	var both [2]*policy.Rules
	for i, arg := range args {
		files, err := sideOf(e, a, arg)
		if err != nil {
			return err
		}
		if both[i], err = compared(e, arg, files, currency); err != nil {
			return err
		}
	}
	found := differences{Old: both[0].Revision(), New: both[1].Revision(), Changes: []difference{}}
	for _, c := range policy.Diff(both[0], both[1]) {
		found.add(c, args)
	}
	if *a.json {
		if err := writeJSON(e.stdout, found); err != nil {
			return err
		}
	} else {
		found.write(e)
	}
	if len(found.Changes) > 0 {
		return errTold
	}
	return nil
}

// revisionForm is what a revision looks like, or its beginning.
var revisionForm = regexp.MustCompile(`^[0-9a-f]{4,12}$`)

// shortRevision is what may be meant for one.
var shortRevision = regexp.MustCompile(`^[0-9a-f]+$`)

// isRevision reports whether an argument names a revision, and nothing that lies here.
func isRevision(arg string) bool {
	_, err := os.Stat(arg)
	return revisionForm.MatchString(arg) && errors.Is(err, fs.ErrNotExist)
}

// sideOf are the files of a folder, a file or a revision. That they cannot be read is the third answer, as diff's is: neither "the same" nor "different".
func sideOf(e env, a asker, arg string) ([]hub.PolicyFile, error) {
	if isRevision(arg) {
		return revisionFiles(e, a, arg)
	}
	files, err := policiesAt(arg, true)
	switch {
	case errors.Is(err, fs.ErrNotExist) && shortRevision.MatchString(arg):
		return nil, misused("hub policy log lists the revisions", "there is no file %s, and of a revision at least 4 letters are wanted, and 12 at most", arg)
	case errors.Is(err, fs.ErrNotExist):
		return nil, misused("OLD and NEW are folders, files, or revisions, which hub policy log lists", "there is no folder, no file and no revision %s", arg)
	case err != nil:
		return nil, &failure{exitUsage, err, ""}
	case len(files) == 0:
		return nil, misused("policy files end in .yaml; tests, which end in _test.yaml, are not rules", "there is no policy file in %s", arg)
	case len(files) == 1 && files[0].Name == arg:
		files, _ = beside(files, map[string]string{arg: arg})
		files[0].Name = filepath.Base(arg) // two files of one name in two folders are compared, not two names
	}
	return files, nil
}

// revisionFiles asks the hub, or the record of one that does not run, for the files of a revision.
func revisionFiles(e env, a asker, revision string) ([]hub.PolicyFile, error) {
	client, err := a.client(e)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askMax)
	defer cancel()
	l, err := either(e, a, func(c *ctl.Client, ctx context.Context) (ctl.Loaded, error) { return c.Policy(ctx, revision) },
		func(ctx context.Context, r *audit.Reader) (ctl.Loaded, error) { return policyOf(ctx, r, revision, utc) })(ctx, client)
	if problem, ok := errors.AsType[*ctl.ProblemError](err); ok {
		return nil, &failure{exitUsage, err, problem.Hint}
	}
	return mapped(l.Files, func(f ctl.PolicyFile) hub.PolicyFile { return hub.PolicyFile{Name: f.Name, Text: f.Text} }), err
}

// compared compiles what is to be compared.
func compared(e env, arg string, files []hub.PolicyFile, currency string) (*policy.Rules, error) {
	rules, errs := policy.Compile(files, policy.InCurrency(currency))
	for _, p := range errs {
		p.File = placed(arg, p.File)
		fmt.Fprintln(e.stderr, p)
	}
	if len(errs) > 0 {
		return nil, misused("hub policy check says more", "%s in %s: it cannot be compared", count(len(errs), "error"), arg)
	}
	return rules, nil
}

// placed is a place, or a file, as it can be opened: below the folder, or the file itself; of a revision as hub policy show has it.
func placed(path, place string) string {
	if isRevision(path) {
		return path + ":" + place
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, place)
	}
	return filepath.Join(filepath.Dir(path), place)
}

func (d *differences) add(c policy.Change, paths []string) {
	owner := string(c.Owner)
	if c.Fund {
		owner = "fund"
	}
	one := difference{owner, c.Library, c.Kind, c.Name, c.What, c.Old, c.New, c.Effect.String(), c.OldPlace, c.NewPlace, c.Text}
	if one.OldPlace != "" {
		one.OldPlace = placed(paths[0], one.OldPlace)
	}
	if one.NewPlace != "" {
		one.NewPlace = placed(paths[1], one.NewPlace)
	}
	d.Changes = append(d.Changes, one)
	switch c.Effect {
	case policy.Looser:
		d.Looser++
	case policy.Tighter:
		d.Tighter++
	case policy.Unknown:
		d.Different++
	case policy.NoEffect:
	}
}

// write writes the changes for people, each with its place.
func (d *differences) write(e env) {
	if len(d.Changes) == 0 {
		if d.Old == d.New {
			fmt.Fprintf(e.stdout, "the same: revision %s\n", d.New)
			return
		}
		fmt.Fprintf(e.stdout, "no rule and no limit differs, the text does: revision %s -> %s\n", d.Old, d.New)
		return
	}
	for _, c := range d.Changes {
		place := c.NewPlace
		if place == "" {
			place = c.OldPlace
		}
		text := strings.TrimPrefix(place+": "+c.Text, ": ")
		if colour := map[string]string{policy.Looser.String(): yellow, policy.Tighter.String(): green, policy.Unknown.String(): red}[c.Effect]; e.colour && colour != "" {
			text = strings.TrimSuffix(text, c.Effect) + colour + c.Effect + plain
		}
		fmt.Fprintln(e.stdout, text)
	}
	var effects []string
	for _, n := range []struct {
		n    int
		what policy.Effect
	}{{d.Looser, policy.Looser}, {d.Tighter, policy.Tighter}, {d.Different, policy.Unknown}} {
		if n.n > 0 {
			effects = append(effects, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	if len(effects) == 0 {
		effects = []string{"the same orders pass"}
	}
	fmt.Fprintf(e.stdout, "%s: %s; revision %s -> %s\n", count(len(d.Changes), "change"), strings.Join(effects, ", "), d.Old, d.New)
}

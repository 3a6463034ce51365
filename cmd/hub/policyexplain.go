package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/journal"
	"tradehub/hub/policy"
	"tradehub/hub/policytest"
)

func policyExplainVerb() verb {
	return verb{
		name: "policy explain", args: "[PATH]", short: "what every rule would say of an order",
		long: `Shows the whole decision about an order that nobody sends, rule by rule, those that pass as well, with the values that they read; and what the hub itself would refuse. The rules are
those of the folder PATH, or ./policies. The order is written as in a test: --order '{buy: 5, contract: rb2701, price: 3500}'; JSON will do.
When it is asked: --at FILE#TEST asks at the end of a test, --at FILE#TEST:3 after its third step, with the policies that the test is about; --data DIR asks in the state that a stopped hub has
left in its data directory, with the policies that were in force. Without either nothing has been sent and nothing is held; --world says more, in the keys of a test:
--world '{positions: {alpha: {rb2701: {long: 3}}}, start: 2026-11-24 21:05}'. Exit code 0 whatever would become of the order; docs/policy-tests.md has the format.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			var o explainOptions
			flags.StringVar(&o.order, "order", "", "the `ORDER`, as a test writes it")
			flags.StringVar(&o.market, "market", "", "`PRICES`, as a test writes them: {last: 3500}")
			flags.StringVar(&o.world, "world", "", "what the hub begins with, in the `KEYS` of a test")
			flags.StringVar(&o.at, "at", "", "a test, `FILE#TEST` or FILE#TEST:STEP, at whose end or after whose step it is asked")
			flags.StringVar(&o.data, "data", "", "the data `DIR` of a hub that is not running")
			flags.StringVar(&o.language, "language", "en", "of the rules' sentences: `en` or zh")
			flags.BoolVar(&o.json, "json", false, "for programs")
			return func(e env, args []string) error { return policyExplain(e, args, o) }
		},
	}
}

type explainOptions struct {
	order, market, world, at, data, language string
	json                                     bool
}

// explained is an explanation for programs.
type explained struct {
	Order    string          `json:"order"`
	At       string          `json:"at"`
	Passes   bool            `json:"passes"`
	Waits    bool            `json:"waits,omitempty"`
	Revision string          `json:"revision"`
	Refusals []explainedNo   `json:"refusals"`
	Rules    []explainedRule `json:"rules"`
	Warnings []explainedNo   `json:"warnings"`
	Why      string          `json:"rules_not_asked,omitempty"`
	Managers []string        `json:"managers_not_asked,omitempty"`
}

type explainedNo struct {
	Code   string   `json:"code,omitempty"`
	Rule   string   `json:"rule,omitempty"`
	Place  string   `json:"place,omitempty"`
	Text   string   `json:"text"`
	Values []string `json:"values,omitempty"`
}

type explainedRule struct {
	Trader   string          `json:"trader,omitempty"` // "" of the fund's file
	Name     string          `json:"name"`
	Place    string          `json:"place"`
	Mode     string          `json:"mode"`
	Controls []int           `json:"controls,omitempty"`
	Outcome  string          `json:"outcome"`
	Text     string          `json:"text,omitempty"`
	When     string          `json:"when,omitempty"`
	Require  string          `json:"require"`
	Parts    []explainedPart `json:"parts,omitempty"`
	Values   []string        `json:"values"`
}

type explainedPart struct {
	Text    string `json:"text"`
	Outcome string `json:"outcome"`
}

func policyExplain(e env, args []string, o explainOptions) error {
	const usage = "usage: hub policy explain --order '{buy: 5, contract: rb2701, price: 3500}' [--at FILE#TEST] [PATH]"
	switch {
	case len(args) > 1:
		return misused(usage, "one folder of policies, not %d", len(args))
	case o.order == "":
		return misused(usage, "which order?")
	case o.at != "" && o.data != "":
		return misused(usage, "--at and --data are two states; give one")
	case o.data != "" && (o.world != "" || len(args) > 0):
		return misused(usage, "--data has its own world and policies")
	case o.at != "" && len(args) > 0:
		return misused(usage, "--at takes the policies that the test is about")
	}
	q := policytest.Question{Order: o.order, Market: o.market, World: o.world}
	var ok bool
	if q.Lang, ok = language(o.language); !ok {
		return misused("write en or zh", "--language %s is none that the hub speaks", o.language)
	}
	folder, at := "policies", ""
	if len(args) > 0 {
		folder = args[0]
	}
	var f *policytest.File
	var err error
	switch {
	case o.data != "":
		if q.Core, err = stateOf(filepath.Join(o.data, "journal")); err != nil {
			return err
		}
	case o.at != "":
		if f, q.Test, q.Steps, err = testAt(e, o.at); err != nil {
			return err
		}
		folder = policyFolder(f.Name)
	}
	var policies []hub.PolicyFile
	if q.Core == nil {
		if policies, err = readPolicies(folder); err != nil {
			return err
		}
		at = folder
	}
	x, errs, err := policytest.Explain(f, policies, q)
	if len(errs) > 0 {
		for _, p := range errs {
			m := mistakeAt("")(p)
			if slices.ContainsFunc(policies, func(has hub.PolicyFile) bool { return has.Name == p.File }) {
				m = mistakeAt(at)(p)
			}
			fmt.Fprintln(e.stderr, m)
		}
		return not("docs/policy-tests.md has the format of orders and prices", "%s", count(len(errs), "error"))
	}
	if err != nil {
		return not("", "%w", err)
	}
	if o.json {
		return writeJSON(e.stdout, explainedFor(x))
	}
	writeExplanation(e, x)
	return nil
}

// language is a language by its code.
func language(code string) (hub.Lang, bool) {
	for _, lang := range []hub.Lang{hub.English, hub.Chinese} {
		if string(lang) == code {
			return lang, true
		}
	}
	return hub.English, false
}

// testAt finds FILE#TEST or FILE#TEST:STEP.
func testAt(e env, at string) (*policytest.File, *policytest.Test, int, error) {
	file, name, ok := strings.Cut(at, "#")
	if !ok || name == "" {
		return nil, nil, 0, misused("write --at FILE#TEST, or --at FILE#TEST:3 for after its third step", "--at %s names no test", at)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, 0, not("", "%w", err)
	}
	f, errs := policytest.Read(file, string(text))
	if len(errs) > 0 {
		for _, p := range errs {
			fmt.Fprintln(e.stderr, p)
		}
		return nil, nil, 0, not("docs/policy-tests.md has the format", "%s in %s", count(len(errs), "error"), file)
	}
	var names []string
	for _, t := range f.Tests {
		if t.Name == name {
			return f, t, 0, nil
		}
		names = append(names, t.Name)
	}
	if i := strings.LastIndex(name, ":"); i > 0 {
		if step, err := strconv.Atoi(name[i+1:]); err == nil && step > 0 {
			for _, t := range f.Tests {
				if t.Name == name[:i] {
					return f, t, step, nil
				}
			}
		}
	}
	return nil, nil, 0, not(suggest(name, names, "there are: "+strings.Join(names, "; ")), "%s has no test %q", file, name)
}

func explainedFor(x *policytest.Explanation) explained {
	out := explained{
		Order: x.Order, At: x.At, Passes: x.Passed(), Waits: x.Waits, Revision: x.Revision, Why: x.Why, Managers: x.Managers, Refusals: []explainedNo{}, Rules: []explainedRule{}, Warnings: []explainedNo{},
	}
	for _, r := range x.Refusals {
		out.Refusals = append(out.Refusals, explainedNo{r.Code, r.Rule, r.Place, r.Text, r.Values})
	}
	for _, w := range x.Warnings {
		out.Warnings = append(out.Warnings, explainedNo{"", w.Rule, w.Place, w.Text, w.Values})
	}
	for _, f := range x.Findings {
		r := explainedRule{
			Trader: string(f.Owner), Name: f.Name, Place: f.Place, Mode: f.Mode.String(), Controls: f.Controls, Outcome: f.Outcome.String(), Text: f.Text, When: f.When, Require: f.Require,
			Values: append([]string{}, f.Values...),
		}
		for _, p := range f.Parts {
			r.Parts = append(r.Parts, explainedPart{p.Text, p.Outcome.String()})
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}

// writeExplanation is what a person reads.
func writeExplanation(e env, x *policytest.Explanation) {
	verdict := painted(e, green, "passes")
	switch {
	case x.Waits:
		verdict = painted(e, yellow, "waits") + ": the orders of the fund that it would meet are being cancelled"
	case !x.Passed():
		var by []string
		for _, r := range x.Refusals {
			by = append(by, cmp.Or(r.Rule, r.Code))
		}
		verdict = painted(e, red, "refused") + ": " + strings.Join(by, ", ")
	}
	fmt.Fprintf(e.stdout, "%s\nat %s, revision %s\n%s\n", x.Order, x.At, x.Revision, verdict)
	for _, r := range x.Refusals {
		if r.Place == "" {
			fmt.Fprintf(e.stdout, "\n%s  the hub itself: %s: %s\n", painted(e, red, "refused"), r.Code, r.Text)
		}
	}
	if len(x.Managers) > 0 {
		fmt.Fprintf(e.stdout, "\nnot asked: the risk managers (%s)\n", strings.Join(x.Managers, ", "))
	}
	if x.Why != "" {
		fmt.Fprintf(e.stdout, "\nthe rules could not be asked: %s\n", x.Why)
	}
	for _, f := range x.Findings {
		if f.Name != "" { // else nobody has rules, which is among the hub's own reasons
			writeFinding(e, f)
		}
	}
}

// writeFinding is one rule.
func writeFinding(e env, f policy.Finding) {
	colour := map[policy.Outcome]string{policy.Failed: red, policy.NotComputable: red, policy.Warned: yellow, policy.Passed: green}[f.Outcome]
	line := f.Outcome.String()
	if colour != "" {
		line = painted(e, colour, line)
	}
	line += "  " + f.Place + " " + f.Name
	if f.Mode == policy.Shadow {
		line += " (shadow)"
	}
	if f.Text != "" {
		line += ": " + f.Text
	}
	fmt.Fprintf(e.stdout, "\n%s\n", line)
	if f.When != "" {
		fmt.Fprintf(e.stdout, "    when     %s\n", unbroken(f.When))
	}
	fmt.Fprintf(e.stdout, "    require  %s\n", unbroken(f.Require))
	for _, p := range f.Parts {
		fmt.Fprintf(e.stdout, "             %s: %s\n", p.Outcome, p.Text)
	}
	if len(f.Values) > 0 {
		fmt.Fprintf(e.stdout, "    read     %s\n", strings.Join(f.Values, "  "))
	}
}

func unbroken(s string) string { return strings.Join(strings.Fields(s), " ") }

// stateOf is the state that a hub has left in its journal. It is read from a copy: to open a journal is to write in it.
func stateOf(dir string) (*core.Core, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, not("--data is the data: of hub.yaml", "there is no journal %s", dir)
	}
	work, err := os.MkdirTemp("", "hub-explain-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }() // a copy of the state, readable by its owner only
	copied := filepath.Join(work, "journal")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		return nil, not("", "copy the journal: %w", err)
	}
	if err := ownOnly(copied); err != nil {
		return nil, err
	}
	m := &reading{core: core.New()}
	j, err := journal.Open(journal.Options{Dir: copied, Machine: m, MinFreeBytes: -1})
	if err != nil {
		return nil, not("is the hub running? --data wants one that was stopped; hub ctl asks one that runs", "%w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openPatience)
	defer cancel()
	if err := errors.Join(j.WaitLeading(ctx), j.Close()); err != nil {
		return nil, not("--data wants the directory of a hub that keeps its journal alone", "journal: %w", err)
	}
	return m.core, m.err
}

// openPatience is how long a journal may take to apply what it has.
const openPatience = 10 * time.Minute

// ownOnly makes files as private as the journal wants them, whatever the copy has.
func ownOnly(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700
		}
		return os.Chmod(name, mode)
	})
}

// reading is a journal.Machine that has a state and does nothing in the world.
type reading struct {
	core *core.Core
	err  error
}

// Apply steps the state.
func (m *reading) Apply(batch []journal.Entry) {
	for _, b := range batch {
		e, err := codec.Decode(b.Data)
		if err != nil {
			m.err = fmt.Errorf("journal entry %d: %w", b.Index, err)
			return
		}
		e.Seq = m.core.Seq() + 1
		m.core.Step(e)
	}
}

// Snapshot is asked for by nobody: a copy is not kept.
func (m *reading) Snapshot() (io.WriterTo, error) {
	b, err := codec.EncodeImage(m.core.Image())
	return bytes.NewReader(b), err
}

// Restore takes the state from a snapshot.
func (m *reading) Restore(_ uint64, encoded io.Reader) error {
	b, err := io.ReadAll(encoded)
	if err != nil {
		return err
	}
	im, err := codec.DecodeImage(b)
	if err != nil {
		return err
	}
	m.core, err = core.Restore(im)
	return err
}

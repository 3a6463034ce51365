package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"tradehub/hub/spell"
)

// verb is one command. Its flags may stand before, between and after its arguments.
type verb struct {
	name  string // "policy check"
	args  string // "PATH...", for the usage line
	short string // for the list
	long  string // for its own help
	// prepare declares the flags and returns what runs when they are read.
	prepare func(*flag.FlagSet) func(e env, args []string) error
}

// verbs are all there are, in the order of the help.
func verbs() []verb {
	return slices.Concat(
		[]verb{demoVerb(), serveVerb(), checkVerb()},
		policyVerbs(),
		[]verb{policyTestVerb(), policyExplainVerb()},
		policyToolVerbs(),
		ctlVerbs(),
		stopVerbs(),
		rateVerbs(),
		numberVerbs(),
		bookVerbs(),
		overrideVerbs(),
		amendVerbs(),
		calendarVerbs(),
		alertVerbs(),
		recordVerbs(),
		[]verb{versionVerb()},
	)
}

// run finds the verb, reads its flags, runs it, and answers the exit code.
func run(args []string, e env) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, help())
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return report(e, printHelp(e, args[1:]))
	case "-version", "--version":
		args = []string{"version"}
	}
	v, rest, err := find(args)
	if err != nil && len(args) > 1 && args[1] == "help" { // hub policy help is hub help policy
		return report(e, printHelp(e, slices.Delete(slices.Clone(args), 1, 2)))
	}
	if err != nil {
		return report(e, err)
	}
	return report(e, v.run(e, rest))
}

// find takes the longest name of a verb off the arguments.
func find(args []string) (verb, []string, error) {
	all := verbs()
	for words := min(3, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		if i := slices.IndexFunc(all, func(v verb) bool { return v.name == name }); i >= 0 {
			return all[i], args[words:], nil
		}
	}
	group := slices.ContainsFunc(all, func(v verb) bool { return strings.HasPrefix(v.name, args[0]+" ") })
	var names []string
	for _, v := range all {
		if words := strings.Fields(v.name); !group {
			names = append(names, words[0])
		} else if words[0] == args[0] {
			names = append(names, strings.Join(words[1:], " "))
		}
	}
	names = slices.Compact(names)
	if !group {
		return verb{}, nil, misused(suggest(args[0], names, "hub help lists the commands"), "there is no command %q", args[0])
	}
	if len(args) == 1 || strings.HasPrefix(args[1], "-") {
		return verb{}, nil, misused("write one of: "+strings.Join(names, ", "), "hub %s what?", args[0])
	}
	return verb{}, nil, misused(suggest(args[1], names, "there are "+strings.Join(names, ", ")), "there is no command %q of hub %s", args[1], args[0])
}

func (v verb) run(e env, args []string) error {
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	do := v.prepare(flags)
	var rest []string
	for {
		err := flags.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			fmt.Fprint(e.stdout, v.help())
			return nil
		case err != nil:
			return v.badFlag(flags, err)
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	if v.args == "" && len(rest) > 0 {
		return misused(v.usageHint(), "hub %s takes no argument %q", v.name, rest[0])
	}
	return do(e, rest)
}

// badFlag says what package flag says, with two dashes and what may have been meant.
func (v verb) badFlag(flags *flag.FlagSet, err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return misused(v.usageHint(), "hub %s: %w", v.name, err)
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, "--"+f.Name) })
	return misused(suggest("--"+name, known, v.usageHint()), "hub %s has no --%s", v.name, name)
}

func (v verb) usageHint() string { return "usage: " + v.usage() }

func (v verb) usage() string {
	parts := []string{"hub", v.name}
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	v.prepare(flags)
	flags.VisitAll(func(f *flag.Flag) { parts = append(parts, "["+flagUsage(f)+"]") })
	if v.args != "" {
		parts = append(parts, v.args)
	}
	return strings.Join(parts, " ")
}

func flagUsage(f *flag.Flag) string {
	what, _ := flag.UnquoteUsage(f)
	return strings.TrimSpace("--" + f.Name + " " + what)
}

func (v verb) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", v.usage(), strings.TrimSpace(v.long))
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	v.prepare(flags)
	first := true
	flags.VisitAll(func(f *flag.Flag) {
		if first {
			b.WriteString("\n")
			first = false
		}
		_, what := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			what += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(&b, "  %-20s %s\n", flagUsage(f), what)
	})
	return b.String()
}

func printHelp(e env, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(e.stdout, help())
		return nil
	}
	if v, _, err := find(args); err == nil {
		fmt.Fprint(e.stdout, v.help())
		return nil
	}
	var group []verb
	for _, v := range verbs() {
		if strings.HasPrefix(v.name, args[0]+" ") {
			group = append(group, v)
		}
	}
	if len(group) == 0 || len(args) > 1 {
		_, _, err := find(args)
		return err
	}
	fmt.Fprint(e.stdout, list(group))
	return nil
}

func help() string {
	return `hub is the order gate between the traders of a fund and its exchange channels.

` + list(verbs()) + `
hub help COMMAND tells more of one. Every ctl command takes --json.
Exit codes: 0 done; 1 what was asked is not so; 2 the command line is wrong; 3 no hub answers.
`
}

func list(all []verb) string {
	var b strings.Builder
	for _, v := range all {
		fmt.Fprintf(&b, "  hub %-20s %s\n", v.name, v.short)
	}
	return b.String()
}

// suggest is a hint with the known word nearest to the one written, or else the other hint.
func suggest(written string, known []string, otherwise string) string {
	bare := func(s string) string { return strings.TrimLeft(s, "-") }
	if at := slices.Index(mapped(known, bare), spell.Nearest(bare(written), mapped(known, bare))); at >= 0 {
		return "did you mean " + known[at] + "?"
	}
	return otherwise
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/host"
	"tradehub/hub/policy"
)

func checkVerb() verb {
	return verb{
		name: "check", short: "everything that is wrong with a configuration, its plugins and policies",
		long: `Reads hub.yaml, looks for the plugins' programs and checks who may write them, and compiles the policies, as hub serve would; it starts nothing, binds nothing and
writes nothing. Everything that is wrong is reported at once; exit code 1.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			file := flags.String("config", "hub.yaml", "the configuration `FILE`")
			return func(e env, _ []string) error { return check(e, *file) }
		},
	}
}

func check(e env, file string) error {
	c, wrong, err := readConfig(file)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		writeLines(e.stderr, wrong)
		return not("the plugins and policies that it names are checked when it can be read", "%s in %s", count(len(wrong), "error"), file)
	}
	_, lines, err := loadCalendars(file, c)
	if err != nil {
		lines = []string{err.Error()}
	}
	wrong = append(wrong, lines...)
	wrong = append(wrong, checkPlugins(e, c)...)
	wrong = append(wrong, checkPeople(file, c)...)
	files, rules, more := checkPolicies(c)
	if wrong = append(wrong, more...); len(wrong) > 0 {
		writeLines(e.stderr, wrong)
		return not("", "%s", count(len(wrong), "error"))
	}
	for _, p := range rules.Lint() {
		p.File = filepath.Join(c.Policies, p.File)
		fmt.Fprintln(e.stderr, "warning:", p)
	}
	fmt.Fprintf(e.stdout, "ok: %s, %s, %s, %s, revision %s\n", count(len(c.Traders), "trader"), count(len(c.Gateways), "gateway"),
		count(len(c.Managers), "risk manager"), count(files, "policy file"), rules.Revision())
	return nil
}

// checkPlugins says what is wrong with the plugins' programs.
func checkPlugins(e env, c config.Config) []string {
	gateways, managers, err := pluginConfigs(e, c)
	err = errors.Join(err, host.Check(append(gateways, managers...)...))
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// checkPolicies compiles the policies and holds them against the traders: a trader without a policy, and a fund without one, could not send a single order.
func checkPolicies(c config.Config) (int, *policy.Rules, []string) {
	content, err := trustedPolicies(c)
	if err != nil {
		return 0, nil, strings.Split(err.Error(), "\n")
	}
	files := content.Files
	rules, errs := policy.Compile(files, policy.InCurrency(c.Fund.Currency))
	if len(errs) > 0 {
		return len(files), nil, mapped(errs, func(p policy.Error) string { p.File = filepath.Join(c.Policies, p.File); return p.String() })
	}
	return len(files), rules, uncovered(c, rules)
}

// uncovered says for whom there is no policy, and whose policy is for nobody.
func uncovered(c config.Config, rules *policy.Rules) []string {
	var wrong []string
	if !rules.HasFund() {
		wrong = append(wrong, fmt.Sprintf("%s: the fund has no policy, so every order would be refused; write a file with policy: fund", c.Policies))
	}
	with := rules.Traders()
	for _, t := range c.Traders {
		if !slices.Contains(with, t.Name) {
			wrong = append(wrong, fmt.Sprintf("%s: trader %s has no policy, so every order of %s would be refused; write traders/%s.yaml with policy: trader and trader: %s",
				c.Policies, t.Name, t.Name, t.Name, t.Name))
		}
	}
	for _, name := range with {
		if !slices.ContainsFunc(c.Traders, func(t config.Trader) bool { return t.Name == name }) {
			wrong = append(wrong, fmt.Sprintf("%s: there is a policy for trader %s, who is not in the configuration%s", c.Policies, name, orMeant(name, c.Traders)))
		}
	}
	return wrong
}

func orMeant(name hub.TraderName, traders []config.Trader) string {
	if hint := suggest(string(name), mapped(traders, func(t config.Trader) string { return string(t.Name) }), ""); hint != "" {
		return "; " + hint
	}
	return ""
}

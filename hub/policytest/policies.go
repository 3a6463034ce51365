package policytest

import (
	"regexp"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// stand is how the files begin that stand in for those whose policies a test does not name.
const stand = "(test) "

// anything is a policy that lets every order pass: a trader's, or the fund's ("").
func anything(trader hub.TraderName) hub.PolicyFile {
	whose := "policy: fund\n"
	if trader != "" {
		whose = "policy: trader\ntrader: " + string(trader) + "\n"
	}
	return hub.PolicyFile{Name: strings.TrimSpace(stand + string(trader)), Text: whose + "rules:\n  - {name: anything, require: order.quantity > 0}\n"}
}

var ofFund = regexp.MustCompile(`(?m)^policy:\s*fund\b`)

// named are the files that a list of policies names, of those of the policy folder, with the library files that they use.
func named(file string, list []Policy, folder []hub.PolicyFile) ([]hub.PolicyFile, []policy.Error) {
	var files []hub.PolicyFile
	var errs []policy.Error
	var all []string
	for _, f := range folder {
		all = append(all, f.Name)
	}
	for _, p := range list {
		if p.Text != "" {
			files = append(files, hub.PolicyFile{Name: p.Name, Text: p.Text})
			continue
		}
		i := slices.Index(all, p.Name)
		if i < 0 {
			hint := didYouMean(p.Name, all)
			switch {
			case hint != "":
			case !slices.ContainsFunc(folder, func(f hub.PolicyFile) bool { return ofFund.MatchString(f.Text) }):
				hint = "; there is no policy of the fund above the test, which would make a folder the policy folder: write fund.yaml, or name files as seen from the test's own folder"
			default:
				hint = "; files are named as seen from the policy folder"
			}
			errs = append(errs, policy.Error{File: file, Line: p.at.Line, Col: p.at.Column, Text: "policies: there is no policy file " + p.Name + hint})
			continue
		}
		files = append(files, folder[i])
	}
	return withUsed(files, folder), errs
}

// withUsed adds the files of the folder that the files speak of by their names: libraries that they use.
func withUsed(files, folder []hub.PolicyFile) []hub.PolicyFile {
	for i := 0; i < len(files); i++ {
		for _, f := range folder {
			if strings.Contains(files[i].Text, f.Name) && !slices.ContainsFunc(files, func(has hub.PolicyFile) bool { return has.Name == f.Name }) {
				files = append(files, f)
			}
		}
	}
	return files
}

// complete adds a policy that lets everything pass for the fund, and for every trader, who has none: so that one file, or a library, is tested alone.
func complete(files []hub.PolicyFile, rules *policy.Rules, traders []hub.TraderSetUp) []hub.PolicyFile {
	files = slices.Clone(files)
	if !rules.HasFund() {
		files = append(files, anything(""))
	}
	for _, t := range traders {
		if !slices.Contains(rules.Traders(), t.Name) {
			files = append(files, anything(t.Name))
		}
	}
	return files
}

package policytest

import (
	"fmt"
	"slices"

	"tradehub/hub/policy"
)

// hubCodes are what the hub itself refuses orders for, whatever the rules say.
var hubCodes = []string{
	"amend", "amend-unsupported", "calendar", "cancel-only", "channel-budget", "contract", "direction", "flattening", "gateway-down", "halted", "internal-cross", "late", "no-policy",
	"no-trader", "not-computable", "not-reducing", "offset", "price", "quantity", "rate", "reduce-only", "restarted", "risk-manager", "type",
}

// strangers finds names of rules and watches in a test that the policies do not have. A test that loads others knows what it names.
func strangers(t *Test, rules *policy.Rules) []policy.Error {
	var known, watches []string
	for _, r := range rules.All() {
		known = append(known, r.Name)
	}
	for _, w := range rules.Watches() {
		watches = append(watches, w.Name)
	}
	var errs []policy.Error
	var look func(steps []*step) bool
	look = func(steps []*step) bool {
		for _, s := range steps {
			if s.what == "policies" {
				return false
			}
			for _, list := range []struct {
				key   string
				names names
				known []string
				what  string
			}{
				{"refused", s.refused, slices.Concat(known, hubCodes), "rule"},
				{"not_computable", s.notComputable, known, "rule"},
				{"shadow", s.shadow, known, "rule"},
				{"warn", s.warn, known, "rule"},
				{"fired", s.fired, watches, "watch"},
			} {
				for _, name := range list.names.all {
					if slices.Contains(list.known, name) {
						continue
					}
					errs = append(errs, policy.Error{
						File: t.File, Line: list.names.at.Line, Col: list.names.at.Column,
						Text: fmt.Sprintf("test %q: %s: these policies have no %s %s%s", t.Name, list.key, list.what, name, didYouMean(name, list.known)),
					})
				}
			}
			if inner, ok := s.value.([]*step); ok && !look(inner) {
				return false
			}
		}
		return true
	}
	if !look(t.steps) {
		return nil
	}
	return errs
}

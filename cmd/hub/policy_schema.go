package main

import (
	"flag"
	"strings"

	"tradehub/hub/schema"
	"tradehub/hub/spell"
)

// schemas are those that there are, by the word that asks for them.
var schemas = []struct {
	name string
	text func() []byte
}{{"policies", schema.Policies}, {"policy", schema.Policy}, {"test", schema.Test}, {"config", schema.Config}}

func policySchemaVerb() verb {
	return verb{
		name: "policy schema", args: "[WHICH]", short: "a JSON Schema for editors",
		long: `Prints a JSON Schema, by which editors complete and check while somebody writes. WHICH is policies (the default: all files of a policy folder, rules and their tests), policy (rules alone),
test (tests alone) or config (hub.yaml). How an editor is told of it: docs/policy-tools.md. What is wrong in a condition a schema cannot see; hub policy check does.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			flags.Bool("json", false, "as without it: a schema is JSON")
			return policySchema
		},
	}
}

func policySchema(e env, args []string) error {
	names := make([]string, len(schemas))
	for i, s := range schemas {
		names[i] = s.name
	}
	if len(args) > 1 {
		return misused("usage: hub policy schema [WHICH]", "one schema, not %d", len(args))
	}
	for i, name := range names {
		if len(args) == 0 || args[0] == name {
			_, err := e.stdout.Write(schemas[i].text())
			return err
		}
	}
	hint := "there are " + strings.Join(names, ", ")
	if near := spell.Nearest(args[0], names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return misused(hint, "there is no schema %q", args[0])
}

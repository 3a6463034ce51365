package format

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Source writes a policy file in the one form. What cannot be read as YAML is an error, with its places; whether the rules are right it does not ask: hub policy check does.
func Source(file hub.PolicyFile) (string, []policy.Error) {
	root, errs := policy.Tree(file)
	if len(errs) > 0 {
		return "", errs
	}
	if root.Kind == yaml.MappingNode && len(root.Content) == 0 {
		return file.Text, nil
	}
	if errs := shapes(file.Name, root, whole()); len(errs) > 0 {
		return "", errs
	}
	before := newSource(file.Text, root)
	text := print(before, root)
	again, errs := policy.Tree(hub.PolicyFile{Name: file.Name, Text: text})
	if len(errs) > 0 || meaning(root) != meaning(again) || !sameComments(before.comments(), newSource(text, again).comments()) {
		return "", []policy.Error{{File: file.Name, Line: 1, Col: 1, Text: "cannot be formatted without a change of what it says; it is left as it is"}}
	}
	return text, nil
}

// shapes says where there is something else than the table has: how that is to be written nobody can say.
func shapes(file string, n *yaml.Node, k policy.FileKey) []policy.Error {
	fail := func(n *yaml.Node, what string) []policy.Error {
		return []policy.Error{{File: file, Line: n.Line, Col: n.Column, Text: what + "; hub policy check says what is wrong with the file"}}
	}
	mapping := k.Name == "" || k.Holds == policy.HoldsMapping || k.Holds == policy.HoldsMappings || k.Holds == policy.HoldsLimits || k.Holds == policy.HoldsSentences
	list := k.Name == "" || k.Holds == policy.HoldsMappings || k.Holds == policy.HoldsWords || k.Holds == policy.HoldsList
	var errs []policy.Error
	switch {
	case n.Kind == yaml.MappingNode && k.Holds == policy.HoldsSentences && !slices.ContainsFunc(entriesOf(n, k), func(e entry) bool { return e.known.Name != "" }):
		return fail(n, k.Name+" begins with {, which YAML reads as keys with values")
	case n.Kind == yaml.MappingNode && !mapping:
		return fail(n, k.Name+" has keys with values where it cannot have them")
	case n.Kind == yaml.ScalarNode && k.Holds == policy.HoldsMapping:
		return fail(n, k.Name+" is a single value where it has keys with values")
	case n.Kind == yaml.SequenceNode && !list:
		return fail(n, k.Name+" is a list where it cannot be one")
	case n.Kind == yaml.MappingNode:
		for _, e := range entriesOf(n, k) {
			if e.key.Kind != yaml.ScalarNode {
				return fail(e.key, "a key that is no word")
			}
			errs = append(errs, shapes(file, e.value, e.known)...)
		}
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if item.Kind == yaml.SequenceNode {
				return fail(item, "a list in a list")
			}
			errs = append(errs, shapes(file, item, itemOf(k))...)
		}
	}
	return errs
}

// itemOf is an item of a list, as if it were what a key holds.
func itemOf(k policy.FileKey) policy.FileKey {
	if k.Holds == policy.HoldsMappings {
		return policy.FileKey{Name: k.Name, Holds: policy.HoldsMapping, Keys: k.Keys}
	}
	return policy.FileKey{}
}

// sameComments reports whether both files have the same comments, wherever they stand.
func sameComments(a, b []comment) bool {
	texts := func(all []comment) []string {
		out := make([]string, len(all))
		for i, c := range all {
			out[i] = c.text
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(texts(a), texts(b))
}

// meaning is what a file says, without how it is written: two files with the same meaning compile to the same rules.
func meaning(root *yaml.Node) string {
	var b strings.Builder
	writeMeaning(&b, root, whole())
	return b.String()
}

func writeMeaning(b *strings.Builder, n *yaml.Node, k policy.FileKey) {
	switch n.Kind {
	case yaml.MappingNode:
		entries := entriesOf(n, k)
		slices.SortStableFunc(entries, func(x, y entry) int { return strings.Compare(x.key.Value, y.key.Value) })
		b.WriteByte('{')
		for _, e := range entries {
			fmt.Fprintf(b, "%s %q:", e.key.Tag, e.key.Value)
			writeMeaning(b, e.value, e.known)
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		if k.Holds == policy.HoldsWords && len(n.Content) == 1 {
			writeMeaning(b, n.Content[0], k)
			return
		}
		b.WriteByte('[')
		for _, item := range n.Content {
			writeMeaning(b, item, itemOf(k))
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case yaml.ScalarNode, yaml.AliasNode, yaml.DocumentNode:
		b.WriteString(valueMeaning(n, holdsOf(k)))
	}
}

// valueMeaning is what a single value says.
func valueMeaning(n *yaml.Node, holds policy.Holds) string {
	switch {
	case n.Tag == "!!null":
		return "null"
	case holds == policy.HoldsCondition:
		tidy, ok := policy.Tidy(strings.ReplaceAll(n.Value, "\n", " "))
		return fmt.Sprintf("%t %q", ok, said(tidy))
	case holds == policy.HoldsText:
		return fmt.Sprintf("%q", said(n.Value))
	case holds == holdsLimit && n.Style == 0:
		return fmt.Sprintf("%q", strings.ReplaceAll(groupedNumber(n.Value), "_", ""))
	}
	return fmt.Sprintf("%s %q", n.Tag, n.Value)
}

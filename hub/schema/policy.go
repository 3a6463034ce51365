package schema

import (
	"slices"

	"tradehub/hub/policy"
)

// policyParts are the definitions that a policy is made of.
func policyParts() object {
	all := policy.Keys()
	root := mapping(all)
	delete(root, "required")
	var kinds []any
	for _, kind := range kindsOf(all) {
		kinds = append(kinds, ofKind(kind, all))
	}
	root["allOf"] = kinds
	root["required"] = []any{"policy"}
	return object{"policy-file": root, "uses": usesOf(all)}
}

// usesOf is what the key use holds, which tests have, too.
func usesOf(all []policy.FileKey) object {
	i := slices.IndexFunc(all, func(k policy.FileKey) bool { return k.Name == "use" })
	return value(all[i])
}

// kindsOf are the kinds of file that there are.
func kindsOf(all []policy.FileKey) []string {
	i := slices.IndexFunc(all, func(k policy.FileKey) bool { return k.Name == "policy" })
	return all[i].Values
}

// ofKind is what a file of a kind must have, and what it cannot.
func ofKind(kind string, all []policy.FileKey) object {
	then := object{}
	properties := object{}
	var required, either []any
	for _, k := range all {
		switch {
		case k.Of != nil && !slices.Contains(k.Of, kind):
			properties[k.Name] = false
		case k.Needed && k.Or != "" && !isBarred(all, k.Or, kind):
			either = []any{needs(k.Name), needs(k.Or)}
		case k.Needed:
			required = append(required, k.Name)
		}
	}
	then["required"] = required
	if either != nil {
		then["anyOf"] = either
	}
	then["properties"] = properties
	return object{"if": object{"properties": object{"policy": object{"const": kind}}, "required": []any{"policy"}}, "then": then}
}

func isBarred(all []policy.FileKey, name, kind string) bool {
	return slices.ContainsFunc(all, func(k policy.FileKey) bool { return k.Name == name && k.Of != nil && !slices.Contains(k.Of, kind) })
}

// mapping is keys with values.
func mapping(all []policy.FileKey) object {
	properties := object{}
	var needed []string
	for _, k := range all {
		properties[k.Name] = described(value(k), k.Meaning)
		if k.Needed {
			needed = append(needed, k.Name)
		}
	}
	return keys(properties, needed...)
}

// value is what a key holds.
func value(k policy.FileKey) object {
	switch k.Holds {
	case policy.HoldsWord:
		if k.Values != nil {
			return words(k.Values)
		}
	case policy.HoldsWords:
		return oneOrMore(words(k.Values))
	case policy.HoldsList:
		return object{"type": "array", "items": ref("text"), "minItems": 1}
	case policy.HoldsText:
	case policy.HoldsCondition:
		return object{"type": "string"}
	case policy.HoldsSentences:
		languages := mapping(policy.Languages())
		languages["minProperties"] = 1
		return anyOf(ref("text"), languages)
	case policy.HoldsLimits:
		return object{"type": []any{"object", "null"}, "propertyNames": object{"pattern": "^[a-z][a-z0-9_]{0,63}$"}, "additionalProperties": ref("quantity")}
	case policy.HoldsMapping:
		return mapping(k.Keys)
	case policy.HoldsMappings:
		return object{"type": "array", "items": mapping(k.Keys), "minItems": 1}
	}
	return ref("text")
}

package schema

import (
	"tradehub/hub/policytest"
)

// testParts are the definitions that a file of tests is made of, one for each part of it.
func testParts() object {
	all := object{}
	for part, known := range policytest.Keys() {
		properties := object{}
		for _, k := range known {
			properties[k.Name] = described(typed(k), sentence(k.Meaning))
		}
		s := keys(properties)
		if part == "file" {
			s["required"] = []any{"tests"}
		}
		all["test-"+part] = s
	}
	return all
}

// part is a reference to one of testParts.
func part(name string) object { return ref("test-" + name) }

// typed is what a key of a test file holds.
func typed(k policytest.Key) object {
	none := object{"const": "none"}
	switch k.Type {
	case policytest.TypeWord:
		return words(k.Members)
	case policytest.TypeNumber:
		return ref("number")
	case policytest.TypeWhole:
		return anyOf(object{"type": "integer", "minimum": 1}, pattern("^[0-9][0-9_]*$"))
	case policytest.TypeTruth:
		return ref("truth")
	case policytest.TypeNames, policytest.TypeConditions:
		return oneOrMore(ref("text"))
	case policytest.TypeNumbers:
		return named(ref("number"))
	case policytest.TypePrice:
		return anyOf(ref("number"), none)
	case policytest.TypePolicies:
		return oneOrMore(object{"type": "string"})
	case policytest.TypeUses:
		return ref("uses")
	case policytest.TypeContracts:
		return named(part("contract"))
	case policytest.TypeMarkets:
		return eitherMarket(named(anyOf(ref("number"), part("market"), none)))
	case policytest.TypePositions:
		return named(named(part("position")))
	case policytest.TypeStatement:
		return anyOf(words([]string{"agrees"}), named(part("statement")))
	case policytest.TypeAmend:
		return part("amend")
	case policytest.TypeOverride:
		return part("override")
	case policytest.TypeStates:
		return named(object{"type": "string"})
	case policytest.TypeGateways:
		return anyOf(oneOrMore(ref("text")), named(part("gateway")))
	case policytest.TypeGroups:
		return listOf(part("group"))
	case policytest.TypePublished:
		return named(named(anyOf(ref("number"), none)))
	case policytest.TypeUpDown:
		return named(words([]string{"up", "down"}))
	case policytest.TypeTests:
		return object{"type": "array", "items": part("test"), "minItems": 1}
	case policytest.TypeSteps:
		return object{"type": "array", "items": part("step"), "minItems": 1}
	case policytest.TypeOrder:
		return part("order")
	case policytest.TypeFill:
		return anyOf(ref("text"), part("fill"))
	case policytest.TypeReject:
		return anyOf(ref("text"), part("reject"))
	case policytest.TypeTransfer:
		return part("transfer")
	case policytest.TypeValues:
		return named(ref("text"))
	case policytest.TypeText, policytest.TypeTime, policytest.TypeSpan, policytest.TypeTrader, policytest.TypeContract:
	}
	return ref("text")
}

// eitherMarket is the market of the contract that is understood, which has one of a market's keys, or else markets by contract.
func eitherMarket(byContract object) object {
	var either []any
	for _, k := range policytest.Keys()["market"] {
		either = append(either, needs(k.Name))
	}
	return object{"type": "object", "if": object{"anyOf": either}, "then": part("market"), "else": byContract}
}

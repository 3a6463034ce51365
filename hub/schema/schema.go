package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// object is a JSON object. Its keys are written sorted.
type object = map[string]any

// document is a schema.
type document struct {
	id, title   string
	definitions object
	root        object
}

// write writes a document.
func (d document) write() []byte {
	whole := object{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "urn:tradehub:" + d.id, "title": d.title, "definitions": d.definitions}
	maps.Copy(whole, d.root)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(whole); err != nil { // it is made of maps, lists and texts
		panic(err)
	}
	return text.Bytes()
}

// Policies is the schema of the files of a policy folder: rules, and their tests.
func Policies() []byte {
	d := document{"policies", "Policies of tradehub, and their tests", definitionsOf(policyParts(), testParts()), object{}}
	d.root["if"] = object{"type": "object", "anyOf": []any{needs("tests"), needs("steps")}, "not": needs("policy")}
	d.root["then"] = ref("test-file")
	d.root["else"] = ref("policy-file")
	return d.write()
}

// Policy is the schema of a file of rules.
func Policy() []byte {
	return document{"policy", "A policy of tradehub", definitionsOf(policyParts()), ref("policy-file")}.write()
}

// Test is the schema of a file of tests of policies.
func Test() []byte {
	return document{"policy-test", "Tests of policies of tradehub", definitionsOf(policyParts(), testParts()), ref("test-file")}.write()
}

// Config is the schema of hub.yaml.
func Config() []byte {
	return document{"hub", "The configuration of tradehub", definitionsOf(), configRoot()}.write()
}

// definitionsOf are what several schemas refer to.
func definitionsOf(more ...object) object {
	all := object{
		// 1_000_000 is a text to editors.
		"number":   anyOf(object{"type": "number"}, pattern(numberForm)),
		"quantity": anyOf(object{"type": "number"}, pattern(strings.TrimSuffix(numberForm, "$")+unitForm+"$")),
		"text":     object{"type": []any{"string", "number", "boolean"}},
		"truth":    object{"enum": []any{true, false}},
	}
	for _, part := range more {
		maps.Copy(all, part)
	}
	return all
}

const (
	numberForm = `^[-+]?[0-9][0-9_]*(\.[0-9_]+)?$`
	unitForm   = `( +[A-Za-z]+( */ *[A-Za-z]+)?)?`
)

func ref(name string) object     { return object{"$ref": "#/definitions/" + name} }
func pattern(form string) object { return object{"type": "string", "pattern": form} }
func needs(key string) object    { return object{"required": []any{key}} }
func listOf(what object) object  { return object{"type": "array", "items": what} }
func oneOrMore(what object) object {
	return anyOf(what, object{"type": "array", "items": what, "minItems": 1})
}

func named(what object) object { return object{"type": "object", "additionalProperties": what} }

func described(s object, text string) object {
	if text == "" {
		return s
	}
	if _, refers := s["$ref"]; refers { // beside which nothing else counts
		s = object{"allOf": []any{s}}
	}
	s["description"] = text
	return s
}

func anyOf(all ...object) object {
	if len(all) == 1 {
		return all[0]
	}
	list := make([]any, len(all))
	for i, s := range all {
		list[i] = s
	}
	return object{"anyOf": list}
}

// words are one of a few words. Those that YAML reads as something else than a text may be written so, too.
func words(all []string) object {
	values := []any{}
	for _, w := range all {
		values = append(values, w)
		if w == "true" || w == "false" {
			values = append(values, w == "true")
		}
	}
	return object{"enum": values}
}

// keys is a mapping whose keys are known.
func keys(properties object, needed ...string) object {
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(needed) > 0 {
		slices.Sort(needed)
		s["required"] = needed
	}
	return s
}

// sentence is a phrase as a sentence.
func sentence(phrase string) string {
	if phrase == "" {
		return ""
	}
	return strings.ToUpper(phrase[:1]) + phrase[1:] + "."
}

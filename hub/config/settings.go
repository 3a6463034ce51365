package config

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// settings turns a plugin's own lines into JSON, in their order. Numbers stay decimals: they go through no float.
func (r *reader) settings(p place, to *[]byte) {
	if r.notes(p, yaml.MappingNode, Shape{Kind: ShapeFree}) {
		return
	}
	if p.node.Kind != yaml.MappingNode {
		r.fail(p, "%s is no mapping; write settings: {key: value}", describe(p.node))
		return
	}
	var b bytes.Buffer
	r.json(&b, p)
	*to = b.Bytes()
}

func (r *reader) json(b *bytes.Buffer, p place) {
	switch p.node.Kind { //nolint:exhaustive // parse has refused aliases, and a document is not inside of one
	case yaml.MappingNode:
		b.WriteByte('{')
		first := true
		r.each(p, func(name string, _, value place) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			quote(b, name)
			b.WriteByte(':')
			r.json(b, value)
		})
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		first := true
		r.list(p, func(item place) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			r.json(b, item)
		})
		b.WriteByte(']')
	default:
		r.jsonScalar(b, p)
	}
}

func (r *reader) jsonScalar(b *bytes.Buffer, p place) {
	switch p.node.Tag {
	case "!!null":
		b.WriteString("null")
	case "!!bool":
		var truth bool
		if err := p.node.Decode(&truth); err != nil {
			r.fail(p, "%q is no truth; write true or false", clip(p.node.Value))
			return
		}
		b.WriteString(map[bool]string{true: "true", false: "false"}[truth])
	case "!!int", "!!float":
		d, err := parseNumber(p.node.Value)
		if err != nil {
			r.fail(p, `%q is no decimal number of at most 19 digits; write 0.13, or "..." around it if it is text`, clip(p.node.Value))
			return
		}
		b.WriteString(d.String())
	default:
		quote(b, p.node.Value)
	}
}

func quote(b *bytes.Buffer, s string) {
	text, err := json.Marshal(s)
	if err != nil { // a string always marshals
		panic(err)
	}
	b.Write(text)
}

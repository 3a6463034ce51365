package policytest

import (
	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// statement is what the venue says that its account has: what the books have, but for some contracts.
type statement []venueSide

// venueSide is one side of a contract in it.
type venueSide struct {
	instrument hub.Instrument
	direction  hub.Direction
	quantity   hub.Decimal
}

// statement reads what the venue says of its account: agrees, or {rb2701: {long: 7}}.
func (r *reader) statement(n *yaml.Node, where string) statement {
	if n.Kind == yaml.ScalarNode {
		r.oneOf(n, where, []string{"agrees"})
		return statement{}
	}
	all := statement{}
	for _, e := range r.pairs(n, where) {
		i, ok := r.instrument(e.key, where)
		if !ok {
			continue
		}
		where := join(where, e.key.Value)
		found := r.fields(e.value, where, keysOfStatement)
		for _, side := range []struct {
			key       string
			direction hub.Direction
		}{{"long", hub.Long}, {"short", hub.Short}} {
			if q, ok := found[side.key]; ok {
				if d, ok := r.number(q.value, join(where, side.key)); ok {
					all = append(all, venueSide{i, side.direction, d})
				}
			}
		}
	}
	return all
}

// keysOfStatement are the keys of a contract in a statement.
var keysOfStatement = []Key{
	{Name: "long", Type: TypeNumber, Meaning: "how much the account has long"},
	{Name: "short", Type: TypeNumber, Meaning: "how much the account has short"},
}

// stated is the venue's statement, of the first gateway.
func (s *stage) stated(of statement) hub.VenueStatement {
	in := hub.VenueStatement{Gateway: s.world.gateways[0].name, Exact: true}
	said := func(i hub.Instrument, d hub.Direction) bool {
		for _, side := range of {
			if side.instrument == i && (side.direction == d || d == hub.Net) {
				return true
			}
		}
		return false
	}
	for _, p := range s.core.Positions("", hub.Instrument{}) {
		if p.Gateway == in.Gateway && !said(p.Instrument, p.Direction) {
			in.Positions = append(in.Positions, hub.VenuePosition{Instrument: p.Instrument, Direction: p.Direction, Today: p.Today, Yesterday: p.Yesterday, Price: p.Price})
		}
	}
	for _, side := range of {
		p := hub.VenuePosition{Instrument: side.instrument, Direction: side.direction, Today: side.quantity}
		if s.world.contracts[side.instrument].NetPosition {
			if p.Direction == hub.Short {
				p.Today = p.Today.Neg()
			}
			p.Direction = hub.Net
		}
		in.Positions = append(in.Positions, p)
	}
	return in
}

package policy

import (
	"errors"

	"tradehub/hub"
)

// Shown is what can be shown of conditions without an order.
type Shown struct{ nodes []*node }

// Show compiles conditions, without units, whose limits are a = 2 and b = 3.
func Show(conditions ...string) (Shown, error) {
	var s Shown
	for _, source := range conditions {
		p, faults := parse(source)
		if len(faults) > 0 {
			return s, errors.New(faults[0].what)
		}
		c := &checker{parsed: p, limits: map[string]limit{"a": {number: hub.Int(2)}, "b": {number: hub.Int(3)}}}
		o, ok := c.check(p.root)
		if !ok {
			return s, errors.New(c.faults[0].what)
		}
		s.nodes = append(s.nodes, o.node)
	}
	return s, nil
}

// Never reports whether it can be shown that the first condition is never true, and Always that it always is.
func (s Shown) Never() bool { return alwaysFalse(s.nodes[0]) }

// Always is Never of the opposite.
func (s Shown) Always() bool { return alwaysTrue(s.nodes[0]) }

// Follows reports whether it can be shown that the second holds where the first does.
func (s Shown) Follows() bool { return impossible(holds(s.nodes[0]), fails(s.nodes[1])) }

// Is computes a condition.
func (s Shown) Is(i int, source Source) (value, ok bool) {
	m := machine{source: source}
	return m.truth(s.nodes[i])
}

package policy

import "errors"

// Print is an expression as refusals show it.
func Print(source string) (string, error) {
	p, faults := parse(source)
	if len(faults) > 0 {
		return "", errors.New(faults[0].what)
	}
	c := &checker{parsed: p}
	o, ok := c.check(p.root)
	if !ok {
		return "", errors.New(c.faults[0].what)
	}
	return o.String(), nil
}

// Mentioned is what the reference is made of besides Vars.
var Mentioned = struct {
	Enumerations []*enumeration
	Functions    []function
}{enumerations, functions}

// UnitsByName are the units that variables may have.
var UnitsByName = unitsByName

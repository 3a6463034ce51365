package core

import (
	"tradehub/hub"
	"tradehub/hub/policy"
)

// amount is a quantity or money in a window or of a day: a whole number and a part of one in units of 10^-moneyScale. Unlike a Decimal of 19 digits it is exact however many are
// added up: a window that is left by what once was added must come back to 0.
type amount struct {
	Whole int64 `cbor:"1,keyasint,omitempty"`
	Part  int64 `cbor:"2,keyasint,omitempty"` // 0 <= Part < partsOfOne
}

const partsOfOne = 100_000_000

// amountOf is a Decimal that is not negative and has no more decimals than moneyScale, as every quantity and all money in the core.
func amountOf(d hub.Decimal) amount {
	whole, part, ok := d.Int64(moneyScale)
	if !ok || d.IsNeg() {
		panic("core: " + d.String() + " is no amount")
	}
	return amount{whole, part}
}

func (a amount) plus(b amount) amount {
	c := amount{a.Whole + b.Whole, a.Part + b.Part}
	if c.Part >= partsOfOne {
		c.Whole, c.Part = c.Whole+1, c.Part-partsOfOne
	}
	return c
}

func (a amount) minus(b amount) amount {
	c := amount{a.Whole - b.Whole, a.Part - b.Part}
	if c.Part < 0 {
		c.Whole, c.Part = c.Whole-1, c.Part+partsOfOne
	}
	return c
}

// decimal is the amount for rules: exact up to 99,999,999,999.99999999, rounded half to even at 19 digits beyond.
func (a amount) decimal(sum *hub.Sum) hub.Decimal {
	return sum.Add(hub.Int(a.Whole), sum.Mul(hub.Int(a.Part), smallest)).Trim(0)
}

func (a amount) value() policy.Value {
	var sum hub.Sum
	d := a.decimal(&sum)
	if err := sum.Err(); err != nil {
		return policy.Missing(err.Error())
	}
	return policy.Number(d)
}

var smallest = hub.MustDecimal("0.00000001")

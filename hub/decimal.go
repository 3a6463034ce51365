package hub

import (
	"errors"
	"fmt"

	"github.com/govalues/decimal"
)

// Decimal is an exact decimal number of at most 19 digits: price, quantity or money. The zero value is 0.
type Decimal = decimal.Decimal

// ErrOverflow is what arithmetic answers when a result has more than 19 digits before the point, or divides by zero.
var ErrOverflow = errors.New("number out of range")

// ParseDecimal reads a decimal such as "3512.5". It refuses what is not a finite number and what has more than 19 digits.
func ParseDecimal(s string) (Decimal, error) {
	d, err := decimal.Parse(s)
	if err != nil {
		return Decimal{}, fmt.Errorf("%q is not a decimal number of at most 19 digits", s)
	}
	return d.Trim(0), nil
}

// MustDecimal is ParseDecimal for literals in code and tests; it panics on a bad one.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Int returns n as a Decimal.
func Int(n int64) Decimal { return decimal.MustNew(n, 0) }

// Sum is arithmetic that remembers its first error, so that a formula reads as a formula. The zero value is ready; once an operation overflows or
// divides by zero, every later result is 0 and Err says so: a caller that uses a result without asking Err has a bug.
type Sum struct{ err error }

// Err returns ErrOverflow, wrapped, when any operation so far could not be computed.
func (s *Sum) Err() error { return s.err }

func (s *Sum) keep(d Decimal, err error) Decimal {
	if s.err == nil && err != nil {
		s.err = fmt.Errorf("%w: %w", ErrOverflow, err)
	}
	if s.err != nil || d.IsZero() {
		return Decimal{} // 0.00 and 0 are one number; as bits, too
	}
	return d
}

// Add returns a + b.
func (s *Sum) Add(a, b Decimal) Decimal { d, err := a.Add(b); return s.keep(d, err) }

// Sub returns a - b.
func (s *Sum) Sub(a, b Decimal) Decimal { d, err := a.Sub(b); return s.keep(d, err) }

// Mul returns a * b, without trailing zeros, rounded half to even when it has more than 19 digits.
func (s *Sum) Mul(a, b Decimal) Decimal {
	d, err := a.Mul(b)
	return s.keep(d.Trim(0), err)
}

// Quo returns a / b, rounded half to even at 19 digits.
func (s *Sum) Quo(a, b Decimal) Decimal {
	d, err := a.Quo(b)
	return s.keep(d.Trim(0), err)
}

// Mul3 returns a * b * c, which is what a value is: price * quantity * size.
func (s *Sum) Mul3(a, b, c Decimal) Decimal { return s.Mul(s.Mul(a, b), c) }

package veighna

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/govalues/decimal"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// powersOfTen are exact floats, as are all integers up to exactMax: a quotient of the two is the nearest float to what it means.
var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

const exactMax = 1 << 53

// toFloat returns the float nearest to d.
func toFloat(d hub.Decimal) float64 {
	if coef := d.Coef(); coef <= exactMax && d.Scale() < len(powersOfTen) {
		f := float64(coef) / powersOfTen[d.Scale()]
		if d.IsNeg() {
			return -f
		}
		return f
	}
	f, _ := d.Float64()
	return f
}

// fromFloat returns the shortest decimal that reads back as f, or why there is none.
func fromFloat(f float64) (hub.Decimal, string) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return hub.Decimal{}, "must be a finite number, not " + pickle.Repr(f, 40)
	}
	if d, ok := short(f); ok {
		return d, ""
	}
	d, err := hub.ParseDecimal(strconv.FormatFloat(f, 'f', -1, 64))
	if err != nil {
		return hub.Decimal{}, "is out of range: " + pickle.Repr(f, 40)
	}
	if toFloat(d) != f {
		return hub.Decimal{}, "has more digits than a decimal number holds: " + pickle.Repr(f, 40)
	}
	return d, ""
}

// short tries decimals with few places. Below 1e15 at most one decimal of so many places is nearest to a float, so the first that reads back
// is the shortest.
func short(f float64) (hub.Decimal, bool) {
	for scale := range 9 {
		m := math.Round(f * powersOfTen[scale])
		if math.Abs(m) >= 1e15 {
			return hub.Decimal{}, false
		}
		if m/powersOfTen[scale] == f {
			return decimal.MustNew(int64(m), scale), true
		}
	}
	return hub.Decimal{}, false
}

// exactNumber reads a number of a request: what is not exactly a decimal is refused, with the reason.
func exactNumber(v any) (hub.Decimal, string) {
	switch v := v.(type) {
	case int64:
		return hub.Int(v), ""
	case float64:
		return fromFloat(v)
	case *big.Int:
		return hub.Decimal{}, "is out of range: " + pickle.Repr(v, 40)
	default:
		return hub.Decimal{}, "must be a number, not " + pickle.TypeName(v)
	}
}

// number reads a number of market data, where NaN, infinity and the largest float mean "none", which is 0.
func number(v any) (hub.Decimal, error) {
	switch v := v.(type) {
	case nil:
		return hub.Decimal{}, nil
	case int64:
		return hub.Int(v), nil
	case float64:
		d, reason := fromFloat(v)
		if reason != "" && math.Abs(v) < 1e18 { // only its last digits are lost
			d, _ = hub.ParseDecimal(strconv.FormatFloat(v, 'f', 19, 64))
		}
		return d, nil
	case *big.Int:
		return hub.Decimal{}, nil
	default:
		return hub.Decimal{}, fmt.Errorf("must be a number, not %s", pickle.TypeName(v))
	}
}

func appendNumber(dst []byte, d hub.Decimal) []byte { return pickle.AppendFloat(dst, toFloat(d)) }

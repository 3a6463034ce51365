package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tradehub/hub"
)

// Language is the present version of the rules' language. A file is compiled by the version that was in force when it was loaded, for the journal must mean tomorrow what it meant
// when it was written: 0 is the language without units, 1 the one whose numbers have units, 2 has libraries, shadow, warnings, controls and sentences in two languages.
const Language = 2

// Bases that units are made of, besides currencies, which are named by their codes.
const (
	baseFund       = "fund"       // money of the fund
	baseContract   = "contract"   // money of the contract's currency
	baseQuantity   = "quantity"   // lots, shares or coins, as the contract is traded
	baseUnderlying = "underlying" // what a contract is about: tonnes, barrels, shares, coins
	baseSecond     = "second"
	baseCount      = "count" // of orders, cancels, ...
)

// power is one base of a unit and how often it is a factor; negative: of the divisor.
type power struct {
	base string
	exp  int
}

// unit is what a number counts. The zero value is that of a pure number, a part.
type unit struct {
	loose   looseness
	powers  []power // sorted by base, none with exponent 0
	traded  string  // of a quantity that is written with a unit: "lots", "shares", "coins"
	written bool    // the author wrote it
}

// looseness says how a unit came not to be known.
type looseness uint8

const (
	known looseness = iota
	// plain is of a literal without a unit: it fits in every sum and comparison, and in a product it is a pure number.
	plain
	// loose is of a limit without a unit: its author knows what it counts and has not said it, so it fits everywhere, as does what is computed of it.
	loose
)

func unitOf(powers ...power) unit { return unit{powers: powers} }

// unitNamed is the unit that the catalogue names: one of unitsByName, or one that is made of nothing else, such as days.
func unitNamed(name string) unit {
	if u, ok := unitsByName[name]; ok {
		return u
	}
	return unitOf(power{name, 1})
}

// unitsByName are the units that are made of others, or that something is said about.
var unitsByName = map[string]unit{
	"price":    unitOf(power{baseContract, 1}, power{baseUnderlying, -1}),
	"quantity": unitOf(power{baseQuantity, 1}),
	"money":    unitOf(power{baseFund, 1}),
	"count":    unitOf(power{baseCount, 1}),
	"seconds":  unitOf(power{baseSecond, 1}),
	"part":     unitOf(),

	"underlying / quantity":       unitOf(power{baseQuantity, -1}, power{baseUnderlying, 1}),
	"fund money / contract money": unitOf(power{baseContract, -1}, power{baseFund, 1}),
	"fund money / named money":    {loose: loose}, // which is known when it is named
	"any":                         {loose: loose}, // whoever published it knows
}

// tradedIn says in which units a contract of a kind is never counted. A lot of shares is a hundred of them: a limit in lots that is held against shares is wrong by a hundred times.
var tradedIn = []struct {
	word, singular string
	kinds          []hub.Kind // that may be counted so
}{
	{"lots", "lot", []hub.Kind{hub.Futures, hub.Option, hub.Index, hub.Forex, hub.Spread, hub.CFD, hub.Swap}},
	{"shares", "share", []hub.Kind{hub.Equity, hub.ETFund, hub.Bond, hub.Warrant, hub.Fund}},
	{"coins", "coin", []hub.Kind{hub.Spot, hub.Futures, hub.Option, hub.Swap, hub.Forex}},
}

// countedIn reports whether a contract of the kind can be counted in lots, shares or coins.
func countedIn(kind, word string) bool {
	for _, t := range tradedIn {
		if t.word == word {
			return slices.ContainsFunc(t.kinds, func(k hub.Kind) bool { return k.String() == kind })
		}
	}
	return false
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3,5}$`)

// unitWords are the words, besides currencies, that a number may be written with.
var unitWords = []string{"lots", "lot", "shares", "share", "coins", "coin", "s", "part"}

// isUnitWord reports whether a word behind a number is a unit: it is none of the words that stand for values.
func isUnitWord(word string) bool {
	if slices.Contains(unitWords, word) {
		return true
	}
	return currencyForm.MatchString(word) && !slices.ContainsFunc(enumerations, func(e *enumeration) bool { _, is := e.member(word); return is })
}

const unitForms = "a unit is lots, shares, coins, s (seconds), part, or a currency such as CNY; or money by one of them, as CNY/lot"

// unitFault says what is wrong with what stands behind a number.
func unitFault(written string) string {
	over, under, _ := strings.Cut(written, "/")
	for _, word := range []string{strings.TrimSpace(over), strings.TrimSpace(under)} {
		if word == "" || isUnitWord(word) {
			continue
		}
		for _, known := range []struct{ words, want string }{
			{" sec secs second seconds ", "; write s"},
			{" ms us m min mins minute minutes h hour hours d day days ", "; times are written in seconds: 90 s"},
			{" % percent ", "; write a part, such as 0.02 for 2 %"},
			{" hand hands contract contracts ", "; write lots"},
			{" units unit ", "; write lots, shares or coins"},
		} {
			if strings.Contains(known.words, " "+strings.ToLower(word)+" ") {
				return fmt.Sprintf("unknown unit %s%s", shorten(word, textShown), known.want)
			}
		}
		if currencyForm.MatchString(strings.ToUpper(word)) && len(word) == 3 {
			return fmt.Sprintf("unknown unit %s; did you mean %s?", word, strings.ToUpper(word))
		}
		hint := didYouMean(word, unitWords)
		if hint == "" {
			hint = "; " + unitForms
		}
		return fmt.Sprintf("unknown unit %s%s", shorten(word, textShown), hint)
	}
	return ""
}

// readUnit reads the unit behind a number. It has been found to be one.
func (s *scale) readUnit(written string) unit {
	if written == "" {
		return unit{loose: plain}
	}
	over, under, divided := strings.Cut(written, "/")
	u := s.word(strings.TrimSpace(over))
	if divided {
		below := s.word(strings.TrimSpace(under))
		traded := u.traded + below.traded
		u = times(u, below, -1)
		u.traded = traded
	}
	u.written = true
	return u
}

// scale is what units are read with: the fund's currency.
type scale struct {
	currency string // "" when it is not known
	// units: numbers have units in the version of the language that the file is compiled by.
	units bool
}

func (s *scale) word(word string) unit {
	for _, t := range tradedIn {
		if word == t.word || word == t.singular {
			return unit{powers: []power{{baseQuantity, 1}}, traded: t.word}
		}
	}
	switch word {
	case "s":
		return unitOf(power{baseSecond, 1})
	case "part":
		return unit{}
	}
	return s.money(word)
}

// money is the unit of an amount of a currency.
func (s *scale) money(currency string) unit {
	if currency == s.currency {
		return unitOf(power{baseFund, 1})
	}
	return unitOf(power{currency, 1})
}

// times is the unit of a product, or, with sign -1, of a quotient. A count is a pure number wherever it stands beside another unit.
func times(a, b unit, sign int) unit {
	switch {
	case a.loose == loose || b.loose == loose:
		return unit{loose: loose}
	case a.loose == plain && b.loose == plain:
		return unit{loose: plain}
	}
	var powers []power
	for _, p := range slices.Concat(a.powers, b.powers) {
		if !slices.ContainsFunc(powers, func(q power) bool { return q.base == p.base }) {
			if exp := exponent(a, p.base) + sign*exponent(b, p.base); exp != 0 {
				powers = append(powers, power{p.base, exp})
			}
		}
	}
	count := func(p power) bool { return p.base == baseCount }
	if slices.ContainsFunc(powers, func(p power) bool { return !count(p) }) {
		powers = slices.DeleteFunc(powers, count)
	} else if len(powers) == 1 {
		powers[0].exp = max(-1, min(powers[0].exp, 1))
	}
	slices.SortFunc(powers, func(a, b power) int { return cmp.Compare(a.base, b.base) })
	made := unit{powers: powers}
	if exponent(made, baseQuantity) != 0 {
		made.traded = cmp.Or(a.traded, b.traded)
	}
	return made
}

func exponent(u unit, base string) int {
	for _, p := range u.powers {
		if p.base == base {
			return p.exp
		}
	}
	return 0
}

// is reports whether u counts what a unit of the catalogue counts.
func (u unit) is(name string) bool {
	return u.loose == known && slices.Equal(u.powers, unitsByName[name].powers)
}

// currencyOf is the currency that u is money of: "fund", "contract" or a code; "" when it is not money.
func (u unit) currencyOf() string {
	if u.loose != known || len(u.powers) != 1 || u.powers[0].exp != 1 {
		return ""
	}
	base := u.powers[0].base
	if base == baseFund || base == baseContract || currencyForm.MatchString(base) {
		return base
	}
	return ""
}

// phrase is a unit in words.
func (s *scale) phrase(u unit) string {
	switch currency := u.currencyOf(); {
	case currency == baseFund && s.currency != "":
		return "money in the fund's currency, " + s.currency
	case currency == baseFund:
		return "money in the fund's currency"
	case currency == baseContract:
		return "money in the contract's currency"
	case currency != "":
		return "money in " + currency
	case u.is("price"):
		return "a price"
	case u.is("quantity") && u.traded != "":
		return "a quantity in " + u.traded
	case u.is("quantity"):
		return "a quantity"
	case u.is("seconds"):
		return "a time in seconds"
	case u.is("count"):
		return "a count"
	case u.is("part"):
		return "a pure number"
	}
	return "in " + s.formula(u)
}

// formula writes a unit out of its bases: CNY/quantity.
func (s *scale) formula(u unit) string {
	side := func(sign int) string {
		var factors []string
		for _, p := range u.powers {
			if p.exp*sign <= 0 {
				continue
			}
			name := p.base
			switch p.base {
			case baseFund:
				name = cmp.Or(s.currency, "the fund's currency")
			case baseContract:
				name = "the contract's currency"
			}
			if n := p.exp * sign; n > 1 {
				name += "^" + strconv.Itoa(n)
			}
			factors = append(factors, name)
		}
		return strings.Join(factors, " * ")
	}
	over, under := side(1), side(-1)
	switch {
	case under == "":
		return over
	case over == "":
		over = "1"
	}
	return over + " / " + under
}

// sameUnit checks that two numbers count the same, which is the unit of what is made of them. An operand that is a quantity of the order's contract becomes one that is known to be
// in lots when the other one is.
func (c *checker) sameUnit(left, right *operand, who string) (unit, bool) {
	a, b := left.unit, right.unit
	switch {
	case !c.units || a.loose == loose || b.loose == loose:
		return unit{loose: loose}, true
	case a.loose == plain:
		return b, true
	case b.loose == plain:
		return a, true
	case !slices.Equal(a.powers, b.powers):
		c.fault(left.at, "%s wants both sides in one unit; %s is %s, %s is %s%s", who, left, c.phrase(a), right, c.phrase(b), c.convert(*left, *right))
		return unit{}, false
	case !c.sameTraded(left, right, who):
		return unit{}, false
	}
	return left.unit, true
}

// sameTraded sees to it that lots meet lots, whichever contract the order is for.
func (c *checker) sameTraded(left, right *operand, who string) bool {
	a, b := left.unit, right.unit
	switch {
	case a.traded == b.traded || exponent(a, baseQuantity) == 0 || exponent(b, baseQuantity) == 0:
		return true
	case a.traded != "" && b.traded != "":
		c.fault(left.at, "%s wants both sides in one unit; %s is in %s, %s in %s", who, left, a.traded, right, b.traded)
		return false
	case a.traded == "":
		*left = asTraded(*left, b.traded)
	default:
		*right = asTraded(*right, a.traded)
	}
	return true
}

// asTraded is an operand that can be computed only for a contract that is counted in lots (shares, coins).
func asTraded(o operand, word string) operand {
	n := node{op: opTraded, kind: KindNumber, text: word, a: o.node, reads: true, limits: o.limits}
	o.node = &n
	o.unit.traded = word
	return o
}

// convert says how to make one unit of two.
func (c *checker) convert(left, right operand) string {
	a, b := left.unit, right.unit
	from, to := a.currencyOf(), b.currencyOf()
	money := func(u unit) bool { return u.currencyOf() != "" }
	switch {
	case from != "" && to != "":
		return c.convertMoney(left, right)
	case a.is("price") && money(b), money(a) && b.is("price"):
		return "; a value is price * quantity * contract.size * contract.rate, and order.value is the order's"
	case a.is("quantity") && money(b), money(a) && b.is("quantity"):
		return "; order.value is what a quantity is worth; a limit for each lot is written 50_000 " + cmp.Or(c.currency, "CNY") + "/lot"
	}
	like := func(u unit) string {
		switch {
		case u.is("price"):
			return "a price is held against another, such as market.last"
		case u.is("quantity"):
			return "a quantity is held against another, such as contract.max_quantity, or against a limit"
		case u.is("seconds"):
			return "a time is held against another, or against a limit such as 60 s"
		case u.is("count"):
			return "a count is held against another, such as trader.active_orders, or against a limit"
		case money(u):
			return "money is held against money, such as trader.equity, or against a limit"
		}
		return ""
	}
	if hint := cmp.Or(like(a), like(b)); hint != "" {
		return "; " + hint
	}
	return ""
}

// convertMoney says how to make money of one currency of money of two.
func (c *checker) convertMoney(left, right operand) string {
	var converted []string
	for _, o := range []operand{left, right} {
		text := o.String()
		if binding := spellingOf(o.op).binding; binding < spellingOf(opMul).binding && o.of == nil {
			text = "(" + text + ")"
		}
		switch currency := o.unit.currencyOf(); {
		case currency == baseFund:
			continue
		case currency == baseContract:
			converted = append(converted, text+" * contract.rate")
		case c.currency == "":
			return fmt.Sprintf("; the fund's currency is not known here: if it is %s, write currency: %s in the fund's file, or give it to the check", currency, currency)
		default:
			converted = append(converted, fmt.Sprintf("%s * fund.rate(%q)", text, currency))
		}
	}
	return "; convert it: " + strings.Join(converted, ", and ")
}

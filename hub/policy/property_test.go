package policy_test

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// fundRule is a fund file with one rule, whose require is given; alphaPasses lets every order of alpha pass.
func fundRule(require string) hub.PolicyFile {
	return hub.PolicyFile{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - name: r\n    require: |\n      " + require + "\n"}
}

var alphaPasses = hub.PolicyFile{
	Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - name: any\n    require: order.trader == \"alpha\"\n",
}

// outcome is what one rule says: "passes", or the code of its refusal.
func outcome(t interface{ Fatalf(string, ...any) }, require string, source table, more ...policy.Option) string {
	rules, errs := policy.Compile([]hub.PolicyFile{alphaPasses, fundRule(require)}, more...)
	if len(errs) > 0 {
		t.Fatalf("%s\n%s", require, lines(errs))
	}
	source[policy.Ref{Scope: policy.ScopeOrder, Var: policy.OrderTrader}] = policy.Text("alpha")
	refusals := rules.Decide("alpha", source)
	if len(refusals) == 0 {
		return "passes"
	}
	return refusals[0].Code
}

// noUnits lets a price be added to a quantity: arithmetic is tried with every shape of expression, not only with those that mean something.
var noUnits = policy.OfLanguage(0)

// exactly is a number of the model: a fraction, or nothing when it cannot be computed.
type exactly struct {
	text string
	rat  *big.Rat
}

var (
	one     = big.NewInt(1)
	largest = new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(19), nil), one)
)

// rounded is what a Decimal keeps of a fraction: 19 digits, of which at most 19 behind the point, half to even. nil: too large.
func rounded(x *big.Rat) *big.Rat {
	if x == nil {
		return nil
	}
	whole := new(big.Int).Quo(new(big.Int).Abs(x.Num()), x.Denom())
	digits := len(whole.String())
	if whole.Sign() == 0 {
		digits = 0
	}
	if digits > 19 {
		return nil
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(19-digits)), nil)
	scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(scale))
	low := floorOf(scaled)
	rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(low))
	switch c := rest.Cmp(big.NewRat(1, 2)); {
	case c > 0, c == 0 && low.Bit(0) == 1:
		low = new(big.Int).Add(low, one)
	}
	if digits == 19 && new(big.Int).Abs(low).Cmp(largest) > 0 {
		return nil
	}
	return new(big.Rat).SetFrac(low, scale)
}

func floorOf(x *big.Rat) *big.Int {
	q, m := new(big.Int).DivMod(x.Num(), x.Denom(), new(big.Int))
	_ = m // DivMod's remainder is never negative, so q is the floor
	return q
}

func drawDecimal(t *rapid.T, label string) hub.Decimal {
	coefficient := rapid.OneOf(rapid.Int64Range(-50, 50), rapid.Int64Range(-1_000_000_000, 1_000_000_000), rapid.Int64()).Draw(t, label)
	d, err := hub.ParseDecimal(strconv.FormatInt(coefficient, 10))
	if err != nil {
		t.Fatal(err)
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2, 8, 19}).Draw(t, label+" decimals") {
		if smaller, err := d.Mul(hub.MustDecimal("0.1")); err == nil {
			d = smaller
		}
	}
	return d.Trim(0)
}

func ratOf(d hub.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		panic(d)
	}
	return r
}

var numberVars = []policy.Ref{
	{Scope: policy.ScopeOrder, Var: policy.OrderPrice},
	{Scope: policy.ScopeOrder, Var: policy.OrderQuantity},
	{Scope: policy.ScopeMarket, Var: policy.MarketLast},
	{Scope: policy.ScopeTrader, Var: policy.DayPnL},
	{Scope: policy.ScopeFund, Var: policy.Orders, Window: policy.Today},
}

// drawNumber draws an expression that is a number and reads a variable, with what the model makes of it.
func drawNumber(t *rapid.T, source table, depth int) exactly {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		ref := rapid.SampledFrom(numberVars).Draw(t, "variable")
		if v := source[ref]; v.Kind == policy.KindNumber {
			return exactly{ref.String(), ratOf(v.Number)}
		}
		return exactly{ref.String(), nil}
	}
	a := drawNumber(t, source, depth-1)
	op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%", "neg", "abs", "floor", "ceil", "min", "max"}).Draw(t, "operation")
	both := func(f func(x, y *big.Rat) *big.Rat) exactly {
		var b exactly
		if rapid.Bool().Draw(t, "literal") {
			d := drawDecimal(t, "literal").Abs()
			if d.IsZero() {
				d = hub.Int(3) // a literal divisor of 0 does not compile
			}
			b = exactly{d.String(), ratOf(d)}
		} else {
			b = drawNumber(t, source, depth-1)
		}
		text := fmt.Sprintf("(%s %s %s)", a.text, op, b.text)
		if op == "min" || op == "max" {
			text = fmt.Sprintf("%s(%s, %s)", op, a.text, b.text)
		}
		if a.rat == nil || b.rat == nil {
			return exactly{text, nil}
		}
		return exactly{text, rounded(f(a.rat, b.rat))}
	}
	alone := func(text string, f func(x *big.Rat) *big.Rat) exactly {
		if a.rat == nil {
			return exactly{text, nil}
		}
		return exactly{text, f(a.rat)}
	}
	floor := func(x *big.Rat) *big.Rat { return new(big.Rat).SetInt(floorOf(x)) }
	neg := func(x *big.Rat) *big.Rat { return new(big.Rat).Neg(x) }
	switch op {
	case "+":
		return both(func(x, y *big.Rat) *big.Rat { return new(big.Rat).Add(x, y) })
	case "-":
		return both(func(x, y *big.Rat) *big.Rat { return new(big.Rat).Sub(x, y) })
	case "*":
		return both(func(x, y *big.Rat) *big.Rat { return new(big.Rat).Mul(x, y) })
	case "/":
		return both(func(x, y *big.Rat) *big.Rat {
			if y.Sign() == 0 {
				return nil
			}
			return new(big.Rat).Quo(x, y)
		})
	case "%":
		return both(func(x, y *big.Rat) *big.Rat {
			if y.Sign() == 0 {
				return nil
			}
			q := new(big.Rat).Quo(x, y)
			whole := new(big.Int).Quo(q.Num(), q.Denom()) // toward zero
			if new(big.Int).Abs(whole).Cmp(largest) > 0 {
				return nil
			}
			return new(big.Rat).Sub(x, new(big.Rat).Mul(y, new(big.Rat).SetInt(whole)))
		})
	case "min":
		return both(func(x, y *big.Rat) *big.Rat {
			if x.Cmp(y) < 0 {
				return x
			}
			return y
		})
	case "max":
		return both(func(x, y *big.Rat) *big.Rat {
			if x.Cmp(y) > 0 {
				return x
			}
			return y
		})
	case "neg":
		return alone("-("+a.text+")", neg)
	case "floor":
		return alone("floor("+a.text+")", floor)
	case "ceil":
		return alone("ceil("+a.text+")", func(x *big.Rat) *big.Rat { return neg(floor(neg(x))) })
	}
	return alone("abs("+a.text+")", func(x *big.Rat) *big.Rat { return new(big.Rat).Abs(x) })
}

// TestDecimalsAreExact compares the evaluator's numbers with fractions: every operation is exact, then rounded half to even to 19 digits, and what is too large, divided by
// zero or missing refuses.
func TestDecimalsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := table{}
		for _, ref := range numberVars {
			if rapid.IntRange(0, 15).Draw(t, "missing") > 0 {
				source[ref] = policy.Number(drawDecimal(t, ref.String()))
			}
		}
		a, b := drawNumber(t, source, 3), drawNumber(t, source, 2)
		op := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "comparison")
		want := "not-computable"
		if a.rat != nil && b.rat != nil {
			c := a.rat.Cmp(b.rat)
			holds := map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0, "==": c == 0, "!=": c != 0}[op]
			want = map[bool]string{true: "passes", false: "rule"}[holds]
		}
		require := a.text + " " + op + " " + b.text
		if got := outcome(t, require, source, noUnits); got != want {
			t.Fatalf("%s: %s, want %s\nleft %v, right %v", require, got, want, a.rat, b.rat)
		}
	})
}

// grammar draws expressions without brackets that are not needed, so that precedence is tried too. It keeps to where expr's own evaluator is right: small numbers that a
// binary float has exactly.
type grammar struct {
	// quarters: numbers are multiples of a quarter, and may be halved; else they are whole, and may have a remainder.
	quarters bool
}

func (g grammar) literal(t *rapid.T) string {
	n := rapid.IntRange(1, 5).Draw(t, "literal")
	if g.quarters {
		return strconv.FormatFloat(float64(n)/4, 'f', -1, 64)
	}
	return strconv.Itoa(n)
}

func (g grammar) number(t *rapid.T, depth int) string {
	variable := rapid.SampledFrom([]string{"order.price", "order.quantity", "market.last"}).Draw(t, "variable")
	if depth == 0 {
		return variable
	}
	literal := g.literal(t)
	a, b := g.number(t, depth-1), g.number(t, depth-1)
	own := []string{a + " % " + literal, variable + " % " + variable}
	if g.quarters {
		own = []string{a + " / 2", "(" + a + ") / 2", "floor(" + a + ")", "ceil(" + a + ")"}
	}
	return rapid.SampledFrom(append(own,
		variable, a+" + "+b, a+" - "+b, a+" - ("+b+")", a+" * "+literal, "("+a+") * "+literal,
		"-"+a, "-("+a+")", "abs("+a+")", "min("+a+", "+literal+")", "max("+a+", "+b+", "+literal+")",
		"("+a+" < "+b+" ? "+a+" : "+b+")",
	)).Draw(t, "number")
}

func (g grammar) truth(t *rapid.T, depth int) string {
	if depth == 0 {
		a, b := g.number(t, 2), g.number(t, 1)
		x, y := g.literal(t), g.literal(t)
		text := rapid.SampledFrom([]string{"order.symbol", "contract.product"}).Draw(t, "text")
		return rapid.SampledFrom([]string{
			"order.reduces", a + " < " + b, a + " <= " + b, a + " > " + b, a + " >= " + b, a + " == " + b, a + " != " + b, a + " < " + b + " <= " + a,
			a + " in [" + x + ", -2, " + y + "]", a + " not in [0, " + x + "]", text + ` == "rb"`, text + ` != "rb"`, text + ` in ["rb", "hc"]`, text + ` not in ["rb"]`,
			text + ` startsWith "r"`, text + ` endsWith "b"`, text + ` contains "b2"`, text + ` not contains "b"`, "order.symbol == contract.product",
			"order.reduces == (" + a + " > " + b + ")",
		}).Draw(t, "truth")
	}
	a, b := g.truth(t, depth-1), g.truth(t, depth-1)
	return rapid.SampledFrom([]string{
		a, a + " and " + b, a + " or " + b, a + " && " + b, a + " || " + b, "not (" + a + ")", "!(" + a + ")", "(" + a + ") == (" + b + ")", "(" + a + " or " + b + ") and " + a,
		"(" + a + " ? " + b + " : " + a + ")",
	}).Draw(t, "truth of truths")
}

func drawTruth(t *rapid.T, depth int) string { return grammar{}.truth(t, depth) }

// TestAgreesWithExpr compares decisions with expr's own checker, compiler and machine, where both are defined: whole numbers and remainders, quarters and halves.
func TestAgreesWithExpr(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := grammar{quarters: rapid.Bool().Draw(t, "quarters")}
		require := g.truth(t, rapid.IntRange(0, 2).Draw(t, "depth"))
		small := rapid.IntRange(-6, 6)
		price, quantity, last := small.Draw(t, "price"), small.Draw(t, "quantity"), small.Draw(t, "last")
		reduces := rapid.Bool().Draw(t, "reduces")
		texts := rapid.SampledFrom([]string{"rb", "rb2610", "hc", ""})
		symbol, product := texts.Draw(t, "symbol"), texts.Draw(t, "product")
		theirs := func(n int) any {
			if g.quarters {
				return float64(n) / 4
			}
			return n
		}
		ours := func(n int) policy.Value {
			if g.quarters {
				return policy.Number(hub.MustDecimal(strconv.FormatFloat(float64(n)/4, 'f', -1, 64)))
			}
			return policy.Count(n)
		}

		answer, err := expr.Eval(require, map[string]any{
			"order":    map[string]any{"price": theirs(price), "quantity": theirs(quantity), "reduces": reduces, "symbol": symbol},
			"market":   map[string]any{"last": theirs(last)},
			"contract": map[string]any{"product": product},
		})
		want := "not-computable"
		if err == nil {
			want = map[any]string{true: "passes", false: "rule"}[answer]
		} else if !strings.Contains(err.Error(), "divide by zero") {
			t.Fatalf("%s: expr says %v", require, err)
		}
		got := outcome(t, require, table{
			{Scope: policy.ScopeOrder, Var: policy.OrderPrice}:         ours(price),
			{Scope: policy.ScopeOrder, Var: policy.OrderQuantity}:      ours(quantity),
			{Scope: policy.ScopeMarket, Var: policy.MarketLast}:        ours(last),
			{Scope: policy.ScopeOrder, Var: policy.OrderReduces}:       policy.Truth(reduces),
			{Scope: policy.ScopeOrder, Var: policy.OrderSymbol}:        policy.Text(symbol),
			{Scope: policy.ScopeContract, Var: policy.ContractProduct}: policy.Text(product),
		}, noUnits)
		if got != want {
			t.Fatalf("%s\nprice %d quantity %d last %d reduces %t symbol %q product %q: %s, want %s", require, price, quantity, last, reduces, symbol, product, got, want)
		}
	})
}

// TestPrintedReadsBack: the text that refusals show of a part of a rule means what the rule means.
func TestPrintedReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := drawTruth(t, rapid.IntRange(0, 2).Draw(t, "depth"))
		printed, err := policy.Print(source)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		again, err := policy.Print(printed)
		if err != nil || again != printed {
			t.Fatalf("%s\nis printed as   %s\nand that one as %s, %v", source, printed, again, err)
		}
		values := rapid.SliceOfN(rapid.IntRange(-6, 6), 3, 3).Draw(t, "values")
		world := table{
			{Scope: policy.ScopeOrder, Var: policy.OrderPrice}:         policy.Count(values[0]),
			{Scope: policy.ScopeOrder, Var: policy.OrderQuantity}:      policy.Count(values[1]),
			{Scope: policy.ScopeMarket, Var: policy.MarketLast}:        policy.Count(values[2]),
			{Scope: policy.ScopeOrder, Var: policy.OrderReduces}:       policy.Truth(values[0] > 0),
			{Scope: policy.ScopeOrder, Var: policy.OrderSymbol}:        policy.Text("rb"),
			{Scope: policy.ScopeContract, Var: policy.ContractProduct}: policy.Text("hc"),
		}
		if was, is := outcome(t, source, world, noUnits), outcome(t, printed, world, noUnits); was != is {
			t.Fatalf("%s %s, printed as %s %s", source, was, printed, is)
		}
	})
}

// TestPlaceIsFound hides a name that does not exist in a rule, writes the rule in every way that YAML has, and looks where the error points.
func TestPlaceIsFound(t *testing.T) {
	const bad = "order.zzzq"
	rapid.Check(t, func(t *rapid.T) {
		style := rapid.SampledFrom([]string{"plain", "single", "double", "literal", "folded", "flow"}).Draw(t, "style")
		parts := []string{"order.value <= 5", "螺 != order.symbol"}
		parts[1] = `order.symbol != "螺纹"`
		if style == "single" || style == "double" {
			parts = append(parts, `order.symbol != 'it\'s'`, `order.symbol == "a\\b"`)
		}
		var words []string
		where := rapid.IntRange(0, 4).Draw(t, "where")
		for i := range 5 {
			if i > 0 {
				words = append(words, "and")
			}
			if i == where {
				words = append(words, bad, "<=", "5")
				continue
			}
			words = append(words, strings.Fields(rapid.SampledFrom(parts).Draw(t, "part"))...)
		}
		space := func() string { return " " }
		if style != "flow" && rapid.Bool().Draw(t, "on lines") {
			space = func() string {
				return rapid.SampledFrom([]string{" ", " ", "  ", "\n      ", "\n\n      "}).Draw(t, "space")
			}
		}
		deeper := func(s string) string {
			if style == "literal" || style == "folded" {
				return s + rapid.SampledFrom([]string{"", "", "  "}).Draw(t, "deeper")
			}
			return s
		}
		escaped := func(word string) string {
			switch style {
			case "single":
				return strings.ReplaceAll(word, "'", "''")
			case "double":
				word = strings.ReplaceAll(strings.ReplaceAll(word, `\`, `\\`), `"`, `\"`)
				if word != bad {
					word = strings.ReplaceAll(word, "a", rapid.SampledFrom([]string{"a", `\x61`, `\u0061`, `\U00000061`}).Draw(t, "escape"))
				}
			}
			return word
		}
		var b strings.Builder
		for i, word := range words {
			if i > 0 {
				b.WriteString(deeper(space()))
			}
			b.WriteString(escaped(word))
		}
		body := b.String()
		head := "policy: fund\nrules:\n"
		text := map[string]string{
			"plain":   head + "  - name: a\n    require: " + body + "\n",
			"single":  head + "  - name: a\n    require: '" + body + "'\n",
			"double":  head + "  - name: a\n    require:   \"" + body + "\"\n",
			"literal": head + "  - name: a\n    require: |-\n      " + body + "\n    because: x\n",
			"folded":  head + "  - name: a\n    require: >\n      " + body + "\n    because: x\n",
			"flow":    head + "  - {name: a, require: " + body + "}\n",
		}[style]
		if rapid.Bool().Draw(t, "windows") {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		_, errs := policy.Compile([]hub.PolicyFile{{Name: "fund.yaml", Text: text}})
		if len(errs) != 1 {
			t.Fatalf("%s\n%d errors, want 1:\n%s", text, len(errs), lines(errs))
		}
		line := []rune(strings.Split(text, "\n")[errs[0].Line-1])
		if at := errs[0].Col - 1; at >= len(line) || !strings.HasPrefix(string(line[at:]), bad) {
			t.Fatalf("%s\npoints elsewhere: %s", text, lines(errs))
		}
	})
}

// TestOrderOfFilesDoesNotMatter: neither does the moment, the number of askers, or what was asked before.
func TestOrderOfFilesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := []hub.PolicyFile{alphaPasses, fundRule(drawTruth(t, 1))}
		for i := range rapid.IntRange(0, 3).Draw(t, "traders") {
			files = append(files, hub.PolicyFile{
				Name: fmt.Sprintf("traders/t%d.yaml", i),
				Text: fmt.Sprintf("policy: trader\ntrader: t%d\nrules:\n  - name: flow\n    require: trader.orders(\"%ds\") < 5\n", i, 1+i%2),
			})
		}
		first, errs := policy.Compile(files, noUnits)
		if len(errs) > 0 {
			t.Fatal(lines(errs))
		}
		shuffled := rapid.Permutation(files).Draw(t, "order")
		second, _ := policy.Compile(shuffled, noUnits)
		if first.Revision() != second.Revision() || !slices.Equal(first.Windows(), second.Windows()) || !slices.Equal(first.Traders(), second.Traders()) {
			t.Fatal("the order of files matters")
		}
		want := told(first.Decide("alpha", table{}))
		var askers sync.WaitGroup
		for range 2 {
			askers.Go(func() {
				if got := told(second.Decide("alpha", table{})); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
		askers.Wait()
	})
}

func TestRevision(t *testing.T) {
	revision := func(files ...hub.PolicyFile) string {
		t.Helper()
		rules, errs := policy.Compile(files)
		if len(errs) > 0 {
			t.Fatal(lines(errs))
		}
		return rules.Revision()
	}
	a := revision(alphaPasses)
	if len(a) != 12 || strings.Trim(a, "0123456789abcdef") != "" {
		t.Errorf("revision %q, want 12 hexadecimal digits", a)
	}
	space, renamed := alphaPasses, alphaPasses
	space.Text += " "
	renamed.Name = "traders/a.yaml"
	all := []string{a, revision(), revision(space), revision(renamed), revision(alphaPasses, fundRule("order.value > 0"))}
	slices.Sort(all)
	if len(slices.Compact(all)) != 5 {
		t.Errorf("two policies have one revision: %v", all)
	}
}

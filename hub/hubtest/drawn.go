package hubtest

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"time"

	"tradehub/hub"
)

// The rules of a story are drawn as trees. The hub is given them as the text of policy files; the oracle computes them from the trees, with fractions: the two have no parser, no
// arithmetic and no shortcut in common.

// rule is one drawn rule.
type rule struct {
	name          string
	when, require *condition // when is nil for a rule that always applies
}

// condition is a truth: of a comparison, of a variable, or of other conditions.
type condition struct {
	op          string // and, or, not, truth, or a comparison
	of          []*condition
	left, right *amount
	truth       string // the variable
}

// amount is a number: a variable, a literal, or a sum, product or choice of others.
type amount struct {
	op     string // variable, number, +, -, *, min, max, abs
	of     []*amount
	name   string
	window time.Duration // 0: none; today is -1
	number string
}

const today time.Duration = -1

// windowTexts are the windows that rules are drawn with.
var windowTexts = map[time.Duration]string{
	time.Second: "1s", 10 * time.Second: "10s", 90 * time.Second: "1m30s", time.Hour: "1h", today: "today",
}

var windows = []time.Duration{time.Second, 10 * time.Second, 90 * time.Second, time.Hour, today}

// variable is one that rules are drawn with, with numbers near which something happens.
type variable struct {
	name     string
	near     []string
	windowed bool
	// daily: it can count over today.
	daily bool
}

// families are variables of one unit.
var families = drawFamilies()

func drawFamilies() [][]variable {
	var counts, quantities, money []variable
	for _, owner := range []string{
		"trader", "fund", "account", "group", "trader.contract", "fund.contract", "account.contract", "group.contract", "trader.product", "fund.product", "account.product", "group.product",
	} {
		count := func(to *[]variable, near string, names ...string) {
			for _, name := range names {
				*to = append(*to, variable{name: owner + "." + name, near: strings.Fields(near), windowed: true, daily: true})
			}
		}
		count(&counts, "6 12 25 40 60", "orders", "messages", "rejects", "trades")
		count(&counts, "3 6 12 25", "cancels", "refused")
		count(&counts, "1 2 4 8", "venue_rejects", "fast_cancels", "fak_fok_cancels", "crosses")
		count(&quantities, "4 8 16 30", "traded_quantity", "opened")
		count(&money, "100000 300000 900000", "traded_value")
		now := func(to *[]variable, near string, names ...string) {
			for _, name := range names {
				*to = append(*to, variable{name: owner + "." + name, near: strings.Fields(near)})
			}
		}
		now(&counts, "4 6 9", "active_orders")
		now(&counts, "2 4", "in_doubt")
		now(&money, "200000 300000 500000", "working_value", "gross_value", "gross_after", "net_value", "net_value_after")
	}
	for _, owner := range []string{"trader", "fund"} {
		add := func(to *[]variable, near string, names ...string) {
			for _, name := range names {
				*to = append(*to, variable{name: owner + "." + name, near: strings.Fields(near)})
			}
		}
		counts = append(counts, variable{name: owner + ".duplicates", near: strings.Fields("1 2 3"), windowed: true})
		add(&counts, "1 2 3", "consecutive_losses")
		add(&quantities, "4 6 9", "position.long", "position.short", "position.long_today", "position.short_today", "position.long_yesterday", "position.short_yesterday")
		add(&quantities, "5 8 10", "position.working_buy", "position.working_sell", "position.working_close_long", "position.working_close_short")
		add(&quantities, "6 9 12", "position.long_after", "position.short_after", "position.net_after", "position.net")
		add(&money, "30000 60000 90000", "margin_held", "margin_after", "margin_positions")
		add(&money, "950000 2950000 3100000", "capital", "equity", "available", "peak", "peak_day", "equity_start", "cash", "available_after")
		add(&money, "-500 0 300 4000 9000", "pnl.realised", "pnl.unrealised", "pnl.day", "commission", "pnl.day_realised", "drawdown", "drawdown_day")
	}
	quantities = append(quantities, variable{name: "order.quantity", near: strings.Fields("3 4 5 6")})
	money = append(money, variable{name: "order.margin", near: strings.Fields("10000 18000 22000")}, variable{name: "order.fee", near: strings.Fields("15 25 60")})
	money = append(money, variable{name: "order.value", near: strings.Fields("100000 150000 180000 220000")})
	prices := []variable{
		{name: "order.price", near: strings.Fields("3460 3520 3545")},
		{name: "market.last", near: strings.Fields("3485 3510 3530")},
		{name: "market.bid", near: strings.Fields("3485 3510 3530")},
	}
	ages := []variable{{name: "market.age", near: strings.Fields("1 3 4.5 6")}, {name: "contract.rate_age", near: strings.Fields("5 20 60")}}
	worths := []variable{{name: "contract.rate", near: strings.Fields("5.5 7 8.75")}, {name: "contract.rate", near: strings.Fields("1 6.4")}}
	return [][]variable{counts, counts, quantities, quantities, money, money, prices, ages, worths}
}

// drawRules draws the rules of one policy.
// Half of the files have none, and no file of the revision that every story begins with: something must get through.
func drawRules(rng *rand.Rand, revision uint32) []rule {
	if revision == 0 {
		return nil
	}
	rules := make([]rule, max(0, rng.IntN(6)-2))
	for i := range rules {
		rules[i] = rule{name: fmt.Sprintf("drawn-%d", i), require: drawCondition(rng, 2)}
		if rng.IntN(3) == 0 {
			rules[i].when = drawCondition(rng, 1)
		}
	}
	return rules
}

func drawCondition(rng *rand.Rand, depth int) *condition {
	if depth > 0 && rng.IntN(3) == 0 {
		switch op := []string{"and", "or", "or", "not"}[rng.IntN(4)]; op {
		case "not":
			return &condition{op: op, of: []*condition{drawCondition(rng, depth-1)}}
		default:
			return &condition{op: op, of: []*condition{drawCondition(rng, depth-1), drawCondition(rng, depth-1)}}
		}
	}
	if rng.IntN(12) == 0 {
		return &condition{op: "truth", truth: "order.reduces"}
	}
	family := families[rng.IntN(len(families))]
	v := family[rng.IntN(len(family))]
	left := drawVariable(rng, v)
	c := &condition{op: []string{"<=", "<=", "<=", "<", "<", "!=", "!=", "!=", "<=", "<=", "<=", ">="}[rng.IntN(12)], left: left, right: &amount{op: "number", number: v.near[max(rng.IntN(len(v.near)), rng.IntN(len(v.near)))]}}
	switch rng.IntN(6) {
	case 0: // two variables
		c.right = drawVariable(rng, family[rng.IntN(len(family))])
		c.right = &amount{op: "+", of: []*amount{c.right, {op: "number", number: v.near[len(v.near)-1]}}}
	case 1:
		other := drawVariable(rng, family[rng.IntN(len(family))])
		c.left = &amount{op: []string{"+", "-", "min", "max"}[rng.IntN(4)], of: []*amount{left, other}}
	case 2:
		c.left = &amount{op: "*", of: []*amount{{op: "abs", of: []*amount{left}}, {op: "number", number: []string{"0.5", "1.1", "2"}[rng.IntN(3)]}}}
	}
	return c
}

func drawVariable(rng *rand.Rand, v variable) *amount {
	a := &amount{op: "variable", name: v.name}
	if v.windowed {
		a.window = windows[rng.IntN(len(windows))]
		if !v.daily && a.window == today {
			a.window = time.Hour
		}
	}
	return a
}

func (c *condition) String() string {
	switch c.op {
	case "and", "or":
		return fmt.Sprintf("(%s %s %s)", c.of[0], c.op, c.of[1])
	case "not":
		return fmt.Sprintf("not (%s)", c.of[0])
	case "truth":
		return c.truth
	}
	return fmt.Sprintf("%s %s %s", c.left, c.op, c.right)
}

func (a *amount) String() string {
	switch a.op {
	case "variable":
		return a.key()
	case "number":
		return a.number
	case "min", "max":
		return fmt.Sprintf("%s(%s, %s)", a.op, a.of[0], a.of[1])
	case "abs":
		return fmt.Sprintf("abs(%s)", a.of[0])
	}
	return fmt.Sprintf("(%s %s %s)", a.of[0], a.op, a.of[1])
}

// key is a variable as a rule writes it, and as a refusal names it.
func (a *amount) key() string {
	if a.window == 0 {
		return a.name
	}
	return fmt.Sprintf("%s(%q)", a.name, windowTexts[a.window])
}

// sheet is a policy file, drawn.
type sheet struct {
	owner   hub.TraderName // "" for the fund
	rules   []rule
	cross   string // of the fund: what becomes of orders that would meet
	watches []watch
}

func (p sheet) file() hub.PolicyFile {
	var b strings.Builder
	name := "fund.yaml"
	if p.owner == "" {
		fmt.Fprintf(&b, "policy: fund\ninternal_cross: %s\n", p.cross)
	} else {
		name = "traders/" + string(p.owner) + ".yaml"
		fmt.Fprintf(&b, "policy: trader\ntrader: %s\n", p.owner)
	}
	b.WriteString("rules:\n")
	for _, r := range p.rules {
		fmt.Fprintf(&b, "  - name: %s\n", r.name)
		if r.when != nil {
			fmt.Fprintf(&b, "    when: %q\n", r.when)
		}
		fmt.Fprintf(&b, "    require: %q\n", r.require)
	}
	if len(p.watches) > 0 {
		b.WriteString("watch:\n")
	}
	for _, x := range p.watches {
		b.WriteString(x.yaml())
	}
	return hub.PolicyFile{Name: name, Text: b.String()}
}

// drawPolicies draws the policies of a revision. Whatever else they say, a trader's position is limited: the oracles about the venue count on that.
func drawPolicies(revision uint32) []sheet {
	rng := rand.New(rand.NewPCG(uint64(revision), 0x706f6c696379))
	most := &amount{op: "number", number: fmt.Sprint(positionMax)}
	limit := func(name string) *condition {
		return &condition{op: "<=", left: &amount{op: "variable", name: name}, right: most}
	}
	all := []sheet{{rules: append([]rule{{name: "quantity", require: &condition{op: "<=", left: &amount{op: "variable", name: "order.quantity"}, right: &amount{op: "number", number: "50"}}}}, drawRules(rng, revision)...)}}
	for _, t := range traders {
		both := &condition{op: "and", of: []*condition{limit("trader.position.long_after"), limit("trader.position.short_after")}}
		all = append(all, sheet{owner: t, rules: append([]rule{{name: "position", require: both}}, drawRules(rng, revision)...)})
	}
	for i := range all {
		all[i].watches = drawWatches(rng, revision, all[i].owner)
	}
	all[0].cross = []string{"allow", "refuse", "cancel_resting"}[rng.IntN(3)]
	return all
}

func files(all []sheet) []hub.PolicyFile {
	out := make([]hub.PolicyFile, len(all))
	for i, p := range all {
		out[i] = p.file()
	}
	return out
}

// outcome is what became of a rule.
type outcome uint8

const (
	passes outcome = iota
	fails
	notComputable
)

// lookup answers what a variable is; nil when it is missing.
type lookup interface {
	number(name string, window time.Duration) *big.Rat
	truth(name string) *bool
}

func (r rule) decide(from lookup) outcome {
	if r.when != nil {
		applies := r.when.eval(from)
		if applies == nil {
			return notComputable
		}
		if !*applies {
			return passes
		}
	}
	holds := r.require.eval(from)
	switch {
	case holds == nil:
		return notComputable
	case *holds:
		return passes
	}
	return fails
}

// eval is nil when it cannot be computed. Of and, or, the right is asked only when the left does not settle it.
func (c *condition) eval(from lookup) *bool {
	is := func(b bool) *bool { return &b }
	switch c.op {
	case "and", "or":
		left := c.of[0].eval(from)
		if left == nil || *left == (c.op == "or") {
			return left
		}
		return c.of[1].eval(from)
	case "not":
		of := c.of[0].eval(from)
		if of == nil {
			return nil
		}
		return is(!*of)
	case "truth":
		return from.truth(c.truth)
	}
	left, right := c.left.eval(from), (*big.Rat)(nil)
	if left != nil {
		right = c.right.eval(from)
	}
	if right == nil {
		return nil
	}
	order := left.Cmp(right)
	switch c.op {
	case "<":
		return is(order < 0)
	case "<=":
		return is(order <= 0)
	case ">=":
		return is(order >= 0)
	case "!=":
		return is(order != 0)
	}
	panic("no such comparison: " + c.op)
}

func (a *amount) eval(from lookup) *big.Rat {
	switch a.op {
	case "variable":
		return from.number(a.name, a.window)
	case "number":
		return rat(a.number)
	}
	of := make([]*big.Rat, len(a.of))
	for i, x := range a.of {
		if of[i] = x.eval(from); of[i] == nil {
			return nil
		}
	}
	switch a.op {
	case "+":
		return new(big.Rat).Add(of[0], of[1])
	case "-":
		return new(big.Rat).Sub(of[0], of[1])
	case "*":
		return new(big.Rat).Mul(of[0], of[1])
	case "abs":
		return new(big.Rat).Abs(of[0])
	case "min", "max":
		if (of[0].Cmp(of[1]) <= 0) == (a.op == "min") {
			return of[0]
		}
		return of[1]
	}
	panic("no such operation: " + a.op)
}

// rat reads a literal.
func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("not a number: " + s)
	}
	return r
}

package policy

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"tradehub/hub"
)

// MaxSteps is the most steps that the rules of one file may take for an order; a decision asks two files. What a step is, cost says.
const MaxSteps = 10_000

// Steps of what takes more than one. A step is the work of a plain operation on two numbers.
const (
	stepsOfRead     = 4  // asking for a variable
	stepsOfWindow   = 8  // asking for a counter over a window
	stepsOfQuotient = 8  // / and %, which work digit by digit
	stepsOfContains = 16 // looking for a text in another, which is as long as a trader may make it
)

// cost is the most that an expression can take, whatever the order and the market: every node once, since there are no loops. What a condition saves by leaving a part out is not
// taken off.
type cost struct{ steps, reads int }

func (c *cost) add(d cost) {
	c.steps += d.steps
	c.reads += d.reads
}

func costOf(n *node) cost {
	if n == nil {
		return cost{}
	}
	c := cost{steps: 1}
	switch n.op {
	case opVar:
		c = cost{steps: stepsOfRead, reads: 1}
		if n.ref.Window != 0 {
			c.steps = stepsOfWindow
		}
	case opTraded:
		c = cost{steps: stepsOfRead, reads: 1}
	case opQuo, opRem:
		c.steps = stepsOfQuotient
	case opContains, opStartsWith, opEndsWith:
		c.steps = stepsOfContains
	case opInNumbers, opInTexts:
		c.steps += bits.Len(uint(len(n.numbers) + len(n.texts)))
	}
	for _, operand := range []*node{n.a, n.b, n.c} {
		c.add(costOf(operand))
	}
	return c
}

func (r *rule) cost() cost {
	c := costOf(r.when)
	c.add(costOf(r.require))
	c.add(costOf(r.warn))
	return c
}

// Cost is the most that the rules of one file can take for an order.
type Cost struct {
	File   string
	Trader hub.TraderName // "" for the fund's
	Rules  int
	// Steps is at most MaxSteps.
	Steps int
	// Reads is how many of them ask for a variable.
	Reads int
	// Windows are the different counters over a window, today's not counted, that the hub keeps for the file.
	Windows int
}

// Costs returns the cost of every file: the fund's first, then the traders', sorted by their names. An order is asked by one trader's file and by the fund's.
func (r *Rules) Costs() []Cost {
	var all []Cost
	if r.fund != nil {
		all = append(all, r.fund.cost())
	}
	for _, name := range r.names {
		all = append(all, r.traders[name].cost())
	}
	return all
}

func (s *sheet) cost() Cost {
	c := Cost{File: s.file, Trader: s.trader, Rules: len(s.rules), Windows: len(s.windows)}
	for i := range s.rules {
		one := s.rules[i].cost()
		c.Steps += one.steps
		c.Reads += one.reads
	}
	return c
}

// prove refuses a file whose rules could take too long, and names the dearest of them.
func (c *sheetCompiler) prove(at place) {
	total := c.sheet.cost()
	if !c.units || total.Steps <= MaxSteps {
		return
	}
	dearest := make([]*rule, len(c.sheet.rules))
	for i := range c.sheet.rules {
		dearest[i] = &c.sheet.rules[i]
	}
	slices.SortStableFunc(dearest, func(a, b *rule) int { return cmp.Compare(b.cost().steps, a.cost().steps) })
	var named []string
	for _, r := range dearest[:min(3, len(dearest))] {
		named = append(named, fmt.Sprintf("%s %d", r.name, r.cost().steps))
	}
	c.fail(at, "rules", "could take %d steps for an order; at most %d. The dearest are %s", total.Steps, MaxSteps, strings.Join(named, ", "))
}

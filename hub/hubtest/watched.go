package hubtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tradehub/hub"
)

// watch is a drawn watch. Its name has the revision in it, so that it is remembered as long as its revision is in force, and no longer.
type watch struct {
	name  string
	when  *condition
	clear *condition // nil: as soon as when does not hold
	daily bool
	then  []string
}

// watchable are figures of a book that change with what happens and never with time alone, and numbers near which something happens.
var watchable = []struct {
	name string
	near []string
	loss bool // it is bad when it is low
}{
	{"pnl.day", []string{"-50", "-400", "-2000"}, true},
	{"pnl.unrealised", []string{"-200", "-1000"}, true},
	{"drawdown", []string{"300", "1000", "4000"}, false},
	{"drawdown_day", []string{"100", "800", "2500"}, false},
	{"consecutive_losses", []string{"1", "2"}, false},
	{"active_orders", []string{"4", "6", "8"}, false},
	{"in_doubt", []string{"2", "4"}, false},
	{"margin_held", []string{"25000", "60000", "120000"}, false},
	{"working_value", []string{"400000", "900000"}, false},
	{"gross_value", []string{"500000", "1200000"}, false},
}

// drawWatches draws the watches of one file.
func drawWatches(rng *rand.Rand, revision uint32, owner hub.TraderName) []watch {
	if revision == 0 {
		return nil
	}
	of := "trader."
	if owner == "" {
		of = "fund."
	}
	all := make([]watch, rng.IntN(3))
	for i := range all {
		v := watchable[rng.IntN(len(watchable))]
		near := v.near[rng.IntN(len(v.near))]
		compare := func(op, factor string) *condition {
			number := &amount{op: "number", number: near}
			if factor != "" {
				number = &amount{op: "*", of: []*amount{number, {op: "number", number: factor}}}
			}
			return &condition{op: op, left: &amount{op: "variable", name: of + v.name}, right: number}
		}
		bad, good := ">=", "<="
		if v.loss {
			bad, good = good, bad
		}
		all[i] = watch{name: fmt.Sprintf("watch-%d-%d", revision, i), when: compare(bad, ""), daily: rng.IntN(3) == 0}
		if !all[i].daily && rng.IntN(2) == 0 {
			all[i].clear = compare(good, "0.5")
		}
		all[i].then = [][]string{{"alert"}, {"reduce_only", "alert"}, {"cancel_only"}, {"halt", "cancel_all"}, {"cancel_all"}, {"flatten"}, {"flatten", "alert"}}[rng.IntN(7)]
	}
	return all
}

func (x watch) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n    when: %q\n    then: [%s]\n", x.name, x.when, strings.Join(x.then, ", "))
	if x.clear != nil {
		fmt.Fprintf(&b, "    clear: %q\n", x.clear)
	}
	if x.daily {
		b.WriteString("    again: once per day\n")
	}
	return b.String()
}

// standingWatch is what the ledger remembers of a watch in force.
type standingWatch struct {
	watch
	owner hub.TraderName
	fired bool
	day   hub.Day // when it fired last
	times int
}

// watchesOf takes the watches of the policies in force, and remembers those that stay.
func (l *ledger) watchesOf(policies []sheet) {
	had := l.watches
	l.watches = nil
	for _, p := range slices.Concat(policies[1:], policies[:1]) { // the fund's come last
		for _, x := range p.watches {
			s := &standingWatch{watch: x, owner: p.owner}
			if i := slices.IndexFunc(had, func(o *standingWatch) bool { return o.name == x.name && o.owner == p.owner }); i >= 0 {
				s = had[i]
			}
			l.watches = append(l.watches, s)
		}
	}
}

// watched looks at every watch when an entry has been applied, as the hub says that it does: each reads the books as the entry left them, whatever others do.
func (l *ledger) watched() {
	if len(l.watches) == 0 {
		return
	}
	books := l.books()
	fire := []*standingWatch{}
	for _, x := range l.watches {
		q := &asked{ledger: l, books: books, order: hub.Order{Trader: x.owner}}
		if x.fired && x.daily && x.day != l.day() {
			x.fired = false
		}
		switch {
		case x.fired && x.daily:
		case x.fired && x.clear != nil:
			x.fired = !*x.clear.eval(q)
		case x.fired:
			x.fired = *x.when.eval(q)
		case *x.when.eval(q):
			x.fired, x.day = true, l.day()
			x.times++
			fire = append(fire, x)
		}
	}
	for _, x := range fire {
		l.fire(x)
	}
}

func (l *ledger) fire(x *standingWatch) {
	part := hub.Part{Trader: x.owner}
	of := subject{hub.ScopeFund, ""}
	if x.owner != "" {
		of = subject{hub.ScopeTrader, string(x.owner)}
	}
	for _, action := range x.then {
		l.seen["watch "+action]++
		switch action {
		case "reduce_only":
			l.restrain(of, x.name, hub.ReduceOnly)
		case "cancel_only":
			l.restrain(of, x.name, hub.CancelOnly)
		case "halt":
			l.restrain(of, x.name, hub.Halted)
		case "cancel_all":
			l.cancelPart(part)
		case "flatten":
			l.restrain(of, x.name, hub.CancelOnly)
			switch {
			case l.haltedPart(part):
			case slices.ContainsFunc(l.flattenings, func(f *flattening) bool { return f.part == part }): // it goes on
				l.seen["watch flatten again"]++
			default:
				l.beginFlatten(part, "watch ", x.name)
			}
		}
	}
}

// day is the fund's trading day.
func (l *ledger) day() hub.Day {
	days := l.days[l.setUp.Calendar]
	if len(days) == 0 {
		return ""
	}
	return days[len(days)-1].Day
}

// auditWatches holds how every watch stands against what the ledger thinks.
func (w *World) auditWatches() error {
	got := w.core.Watches()
	want := w.ledger.watches
	if len(got) != len(want) {
		return fmt.Errorf("watches otherwise: the hub has %d, the ledger %d", len(got), len(want))
	}
	for i, x := range want {
		fired := x.fired && (!x.daily || x.day == w.ledger.day())
		if g := got[i]; g.Name != x.name || g.Trader != x.owner || g.Fired != fired || g.Times != x.times {
			return fmt.Errorf("watches otherwise: %s of %q: the hub says fired %v, %d times (%s), and the ledger %v, %d times; when %s", g.Name, g.Trader, g.Fired, g.Times, g.Values, fired, x.times, x.when)
		}
	}
	return nil
}

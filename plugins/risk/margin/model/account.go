package model

import (
	"slices"

	"tradehub/hub"
)

// account is what a trader, or the fund, has, and what all positions bind of it.
type account struct {
	name hub.TraderName // "" for the fund
	base hub.Decimal    // Capital + Realised - Commission

	sides      map[group][sides]hub.Decimal
	margin     hub.Decimal // the larger sides, and what is beside them
	paid       hub.Decimal
	unrealised hub.Decimal
	blind      []*position // positions that cannot be valued
}

func newAccount(name hub.TraderName) *account {
	return &account{name: name, sides: map[group][sides]hub.Decimal{}}
}

// swap replaces a position's weight. No sum can overflow: every part of a weight is below amountMax, and a Decimal holds a billion of these.
func (a *account) swap(p *position, now weight) {
	var sum hub.Sum
	move := func(total *hub.Decimal, from, to hub.Decimal) {
		if from != to {
			*total = sum.Add(sum.Sub(*total, from), to)
		}
	}
	old, c := p.weight, p.contract
	if old.margin != now.margin {
		both := a.sides[c.group]
		before := both[long].Max(both[short])
		for s := range sides {
			move(&both[s], old.margin[s], now.margin[s])
		}
		a.sides[c.group] = both
		move(&a.margin, before, both[long].Max(both[short]))
	}
	move(&a.margin, old.beside, now.beside)
	move(&a.paid, old.paid, now.paid)
	move(&a.unrealised, old.unrealised, now.unrealised)
	if (old.why == "") != (now.why == "") {
		a.see(p, now.why == "")
	}
}

func (a *account) see(p *position, seen bool) {
	if !seen {
		a.blind = append(a.blind, p)
		return
	}
	a.blind = slices.DeleteFunc(a.blind, func(x *position) bool { return x == p })
}

func (a *account) equity(sum *hub.Sum) hub.Decimal { return sum.Add(a.base, a.unrealised) }

// over answers in what respect the account is over a limit, or "" when it is not. what is the product or contract that the order is in.
func (a *account) over(part hub.Decimal, what string) string {
	who := ""
	if a.name == "" {
		who = "fund "
	}
	if len(a.blind) > 0 {
		p := a.blind[0]
		return who + "margin of " + p.contract.Instrument.String() + " cannot be computed: " + p.weight.why
	}
	var sum hub.Sum
	equity := a.equity(&sum)
	limit := sum.Mul(equity, part)
	bound := sum.Add(a.margin, a.paid)
	switch {
	case sum.Err() != nil:
		return who + "margin cannot be computed: a number is out of range"
	case limit.Less(a.margin):
		return who + "margin after " + money(a.margin, ceil) + " of " + money(equity, floor) + " equity * " + percent(part) + " (" + what + ")"
	case equity.Less(bound):
		return who + "margin and purchases after " + money(bound, ceil) + " of " + money(equity, floor) + " equity (" + what + ")"
	}
	return ""
}

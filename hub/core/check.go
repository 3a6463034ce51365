package core

import (
	"cmp"
	"errors"
	"fmt"

	"tradehub/hub"
)

// Check recomputes, from orders and positions alone, everything that the books keep as running sums, and returns what differs. It is slow and for tests, the simulator and a
// suspicious operator; nil is what it must answer after every entry.
func (c *Core) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	var sum hub.Sum
	for _, b := range c.holders() {
		name := string(b.Trader)
		venues := b == c.fund || b == c.unassigned // may owe: the venue may have less than the traders' books
		if b == c.fund {
			name = "fund"
		}
		want := newBook(b.Trader)
		for _, o := range c.orderList {
			if b != c.fund && o.Trader != b.Trader || o.Status.Final() || o.Ask != 0 {
				continue
			}
			k := c.contracts[key{o.Gateway, o.Instrument}]
			p := want.position(k.key)
			want.Active++
			p.Active++
			if o.InDoubt {
				want.InDoubt++
			}
			want.apply(&sum, p, o.Direction, holdOf(&sum, o, k), +1)
		}
		want.totals = totals{working: want.totals.working, opening: want.totals.opening, held: want.totals.held}
		for _, p := range b.Positions {
			k := c.contracts[p.Key]
			w := want.peek(p.Key)
			same := func(what string, got, want hub.Decimal) {
				if !got.Equal(want) {
					bad("%s: %s of %s is %s and should be %s", name, what, p.Key.Instrument, got, want)
				}
				if got.IsNeg() && !venues {
					bad("%s: %s of %s is negative: %s", name, what, p.Key.Instrument, got)
				}
			}
			same("working buy", p.WorkingBuy, w.WorkingBuy)
			same("working sell", p.WorkingSell, w.WorkingSell)
			same("opening buy", p.OpeningBuy, w.OpeningBuy)
			same("opening sell", p.OpeningSell, w.OpeningSell)
			for _, d := range []hub.Direction{hub.Long, hub.Short} {
				got, ref := p.side(d), w.side(d)
				same("frozen today", got.FrozenToday, ref.FrozenToday)
				same("frozen yesterday", got.FrozenYesterday, ref.FrozenYesterday)
				same("today", got.Today, got.Today)
				same("yesterday", got.Yesterday, got.Yesterday)
				if q := got.qty(&sum); q.IsZero() && !venues && (!got.Cost.IsZero() || !got.Margin.IsZero() || !got.Drift.IsZero()) {
					bad("%s: %s of %s is empty and still has cost %s, margin %s", name, d, p.Key.Instrument, got.Cost, got.Margin)
				}
			}
			if p.Active != w.Active {
				bad("%s: %d active orders of %s, should be %d", name, p.Active, p.Key.Instrument, w.Active)
			}
			want.totals.weigh(&sum, p, k)
		}
		for _, x := range []struct {
			what      string
			shown     hub.Decimal
			got, want amount
		}{
			{"working value", b.WorkingValue, b.totals.working, want.totals.working},
			{"opening value", b.OpeningValue, b.totals.opening, want.totals.opening},
			{"held by orders", b.HeldByOrders, b.totals.held, want.totals.held},
			{"unrealised", b.Unrealised, b.totals.unrealised, want.totals.unrealised},
			{"margin", b.Margin, b.totals.margin, want.totals.margin},
			{"gross", b.Gross, b.totals.gross, want.totals.gross},
			{"realised", b.Realised, b.Earned.Realised, b.Earned.Realised},
			{"commission", b.Commission, b.Earned.Commission, b.Earned.Commission},
			{"cash", b.CashMoved, b.Earned.Cash, b.Earned.Cash},
		} {
			if x.got != x.want || !x.shown.Equal(x.want.number()) {
				bad("%s: %s is %+v, shown as %s, and should be %+v", name, x.what, x.got, x.shown, x.want)
			}
		}
		if b.Active != want.Active || b.InDoubt != want.InDoubt {
			bad("%s: %d active and %d in doubt, should be %d and %d", name, b.Active, b.InDoubt, want.Active, want.InDoubt)
		}
	}
	errs = append(errs, c.checkRates(&sum)...)
	errs = append(errs, c.checkFund(&sum), c.checkVenue(&sum), c.checkOwn(), c.checkBudgets(), c.checkAmendments(), c.checkHeld(&sum), c.checkOverrides(), c.checkCautions(), sum.Err())
	return errors.Join(errs...)
}

// checkFund: what the fund holds is what its traders hold and what is unassigned.
func (c *Core) checkFund(sum *hub.Sum) error {
	var errs []error
	for _, p := range c.fund.Positions {
		all := position{Key: p.Key}
		for _, b := range append([]*book{c.unassigned}, c.traders...) {
			q := b.peek(p.Key)
			all.shift(sum, &position{}, &q)
		}
		same := func(what string, got, want hub.Decimal) {
			if !got.Equal(want) {
				errs = append(errs, fmt.Errorf("fund: %s of %s is %s, and of its traders and what is unassigned %s", what, p.Key.Instrument, got, want))
			}
		}
		all.exact = cmp.Or(all.exact, new([2]costs))
		if p.exact != nil && *p.exact != *all.exact {
			errs = append(errs, fmt.Errorf("fund: costs of %s are %+v, and of its traders and what is unassigned %+v", p.Key.Instrument, *p.exact, *all.exact))
		}
		same("net", sum.Sub(p.Long.qty(sum), p.Short.qty(sum)), sum.Sub(all.Long.qty(sum), all.Short.qty(sum)))
		if k := c.contracts[p.Key]; k == nil || k.NetPosition {
			continue // it nets for itself
		}
		for _, d := range []hub.Direction{hub.Long, hub.Short} {
			got, want := p.side(d), all.side(d)
			same(d.String()+" today", got.Today, want.Today)
			same(d.String()+" yesterday", got.Yesterday, want.Yesterday)
			same(d.String()+" cost", got.Cost, want.Cost)
			same(d.String()+" margin", got.Margin, want.Margin)
			same(d.String()+" drift", got.Drift, want.Drift)
		}
	}
	return errors.Join(errs...)
}

// checkVenue: what the fund holds is what the venues' accounts hold, by their last statements and the fills since.
func (c *Core) checkVenue(sum *hub.Sum) error {
	var errs []error
	for _, h := range c.holdingList {
		if !h.Known {
			continue
		}
		p, k := c.fund.peek(h.Key), c.contracts[h.Key]
		long, short := p.Long.qty(sum), p.Short.qty(sum)
		if k != nil && k.NetPosition {
			long, short = sum.Sub(long, short), hub.Decimal{}
		}
		if !long.Equal(h.Long) || !short.Equal(h.Short) {
			errs = append(errs, fmt.Errorf("venue %s: %s long and %s short of %s, and the books have %s and %s", h.Key.Gateway, h.Long, h.Short, h.Key.Instrument, long, short))
		}
	}
	return errors.Join(errs...)
}

package core

import (
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
	for _, b := range append([]*book{c.fund}, c.traders...) {
		name := string(b.Trader)
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
		var unrealised, margin, gross hub.Decimal
		for _, p := range b.Positions {
			k := c.contracts[p.Key]
			w := want.peek(p.Key)
			same := func(what string, got, want hub.Decimal) {
				if !got.Equal(want) {
					bad("%s: %s of %s is %s and should be %s", name, what, p.Key.Instrument, got, want)
				}
				if got.IsNeg() {
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
				if q := got.qty(&sum); q.IsZero() && (!got.Cost.IsZero() || !got.Margin.IsZero() || !got.Drift.IsZero()) {
					bad("%s: %s of %s is empty and still has cost %s, margin %s", name, d, p.Key.Instrument, got.Cost, got.Margin)
				}
				margin = sum.Add(margin, got.Margin)
			}
			if p.Active != w.Active {
				bad("%s: %d active orders of %s, should be %d", name, p.Active, p.Key.Instrument, w.Active)
			}
			unrealised = sum.Add(unrealised, p.Unrealised)
			gross = sum.Add(gross, p.gross(&sum, k))
		}
		for _, x := range []struct {
			what      string
			got, want hub.Decimal
		}{
			{"working value", b.WorkingValue, want.WorkingValue},
			{"opening value", b.OpeningValue, want.OpeningValue},
			{"held by orders", b.HeldByOrders, want.HeldByOrders},
			{"unrealised", b.Unrealised, unrealised},
			{"margin", b.Margin, margin},
			{"gross", b.Gross, gross},
		} {
			if !x.got.Equal(x.want) {
				bad("%s: %s is %s and should be %s", name, x.what, x.got, x.want)
			}
		}
		if b.Active != want.Active || b.InDoubt != want.InDoubt {
			bad("%s: %d active and %d in doubt, should be %d and %d", name, b.Active, b.InDoubt, want.Active, want.InDoubt)
		}
	}
	errs = append(errs, c.checkRates(&sum)...)
	errs = append(errs, c.checkFund(&sum), c.checkOwn(), c.checkHeld(&sum), sum.Err())
	return errors.Join(errs...)
}

// checkFund: what the fund holds is what its traders hold.
func (c *Core) checkFund(sum *hub.Sum) error {
	var errs []error
	for _, p := range c.fund.Positions {
		var net, long hub.Decimal
		for _, b := range c.traders {
			q := b.peek(p.Key)
			long = sum.Add(long, q.Long.qty(sum))
			net = sum.Add(net, sum.Sub(q.Long.qty(sum), q.Short.qty(sum)))
		}
		if got := sum.Sub(p.Long.qty(sum), p.Short.qty(sum)); !got.Equal(net) {
			errs = append(errs, fmt.Errorf("fund: net %s of %s, and its traders %s", got, p.Key.Instrument, net))
		}
		if k := c.contracts[p.Key]; k != nil && !k.NetPosition && !p.Long.qty(sum).Equal(long) {
			errs = append(errs, fmt.Errorf("fund: long %s of %s, and its traders %s", p.Long.qty(sum), p.Key.Instrument, long))
		}
	}
	return errors.Join(errs...)
}

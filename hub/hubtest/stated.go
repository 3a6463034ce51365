package hubtest

import (
	"fmt"
	"math/big"
	"slices"

	"tradehub/hub"
	"tradehub/hub/core"
)

// byHand lets somebody trade through the venue's own terminal: the hub hears nothing of it before the next statement.
func (w *World) byHand(m Move) {
	c := contracts[pick(len(contracts), m.A)]
	d := hub.Long
	if !c.NetPosition && m.B%3 == 0 {
		d = hub.Short
	}
	var sum hub.Sum
	qty := sum.Mul(hub.Int(1+int64(m.C%3)), c.MinQty)
	if have := w.venue.account(c, d); m.B>>8%3 == 0 && qty.Cmp(have) <= 0 {
		qty = qty.Neg()
	}
	k := handKey{c.Instrument, d}
	w.venue.byHand[k] = sum.Add(w.venue.byHand[k], qty)
}

// handKey is a side of a contract.
type handKey struct {
	instrument hub.Instrument
	direction  hub.Direction
}

// account is what the venue's account holds of one side: what all traders' orders brought, and what somebody did by hand.
func (v *venue) account(c hub.Contract, d hub.Direction) hub.Decimal {
	var sum hub.Sum
	all := v.byHand[handKey{c.Instrument, d}]
	for _, t := range traders {
		p := v.position(t, c, nil, nil)
		if d == hub.Long {
			all = sum.Add(all, p.long)
		} else {
			all = sum.Add(all, p.short)
		}
	}
	return all
}

// states lets the venue say what the account holds, behind all that it has reported.
func (w *World) states(how uint32) {
	if w.gone {
		return
	}
	in := hub.VenueStatement{Gateway: "SIM", Exact: true}
	for _, c := range contracts {
		for _, d := range []hub.Direction{hub.Long, hub.Short} {
			qty := w.venue.account(c, d)
			if qty.IsZero() || c.NetPosition && d == hub.Short {
				continue
			}
			p := hub.VenuePosition{Instrument: c.Instrument, Direction: d, Yesterday: qty}
			if c.NetPosition {
				p.Direction = hub.Net
			}
			if how%2 == 0 {
				p.Price = hub.Int(3490 + int64(how>>1%30))
			}
			in.Positions = append(in.Positions, p)
		}
	}
	w.fromVenue = append(w.fromVenue, in)
}

// agrees: at the end, when everybody has spoken and the venue has stated its account, the fund holds what the account holds.
func (w *World) agrees() error {
	for _, c := range contracts {
		for _, d := range []hub.Direction{hub.Long, hub.Short} {
			if !c.NetPosition && w.venue.account(c, d).IsNeg() {
				return nil // of what somebody had closed by hand, a trader's order closed it again: no statement of that makes sense
			}
		}
	}
	for _, c := range contracts {
		for _, p := range w.core.Positions("", c.Instrument) {
			side := p.Direction
			if side == hub.Net {
				side = hub.Long
			}
			if want := w.venue.account(c, side); !p.Qty.Equal(want) {
				return fmt.Errorf("account otherwise: the fund has %s %s of %s, and the venue's account %s", p.Qty, p.Direction, c.Instrument, want)
			}
		}
	}
	return nil
}

// asks follows which orders the venue is being asked about: until it has answered, what it states of their contracts cannot be compared.
func (l *ledger) asks(in hub.Input, effects []core.Effect) {
	if answer, is := in.(hub.Reconcile); is {
		for _, id := range answer.Asked {
			delete(l.asking, id)
		}
	}
	for _, e := range effects {
		if ask, is := e.(core.AskVenue); is {
			for _, id := range ask.Orders {
				l.asking[id] = true
			}
		}
	}
}

// stated follows a statement: what the venue's account has and the fund has not is nobody's from then on, at the last price, so that it is nobody's gain either.
func (l *ledger) stated(in hub.VenueStatement) {
	if !l.up[in.Gateway] {
		return
	}
	said := map[handKey]hub.VenuePosition{}
	for _, p := range in.Positions {
		if c := l.contracts[p.Instrument]; !c.NetPosition && p.Yesterday.IsNeg() {
			l.seen["statement without sense"]++
			return
		}
		if p.Direction == hub.Net {
			p.Direction = hub.Long
		}
		said[handKey{p.Instrument, p.Direction}] = p
	}
	l.seen["statement"]++
	for _, c := range contracts {
		open := slices.ContainsFunc(l.orders, func(o *recorded) bool {
			forgotten := o.Status.Final() && l.rolls(l.calendarOf(o.Exchange))-o.endedIn > 1 // what the venue still says of it is not booked
			return o.Instrument == c.Instrument && !forgotten && (o.InDoubt || l.asking[o.ID])
		})
		if open {
			l.seen["statement of what is open"]++
			continue
		}
		for _, d := range []hub.Direction{hub.Long, hub.Short} {
			if c.NetPosition && d == hub.Short {
				continue
			}
			p := said[handKey{c.Instrument, d}]
			fund := l.books()[""]
			h := fund.look(c.Instrument)
			have := h.side(d).quantity()
			if c.NetPosition {
				have = sub(h.long.quantity(), h.short.quantity())
			}
			more := sub(exact(p.Yesterday), have)
			if more.Sign() == 0 {
				continue
			}
			price := h.mark
			if price == nil && !p.Price.IsZero() {
				price = exact(p.Price)
			}
			if price == nil {
				price = fund.paid(h, c)
			}
			if price == nil {
				break
			}
			l.seen["break"]++
			l.lines = append(l.lines, line{found: &found{c, d, more, price}})
		}
	}
	l.lines = append(l.lines, line{found: &found{}}) // the fund's peaks are looked at once for all
}

// found is what a statement showed to be nobody's, or owed by nobody.
type found struct {
	contract  hub.Contract
	direction hub.Direction
	quantity  *big.Rat // nil: no more was found
	price     *big.Rat
}

// paid is the average price of what is held; nil when nothing is.
func (a *account) paid(h *held, c hub.Contract) *big.Rat {
	for _, s := range []*holding{h.long, h.short} {
		if q := s.quantity(); q.Sign() > 0 {
			return cents(digits(new(big.Rat).Quo(s.cost, mul(q, mul(exact(c.Size), a.rate(c))))))
		}
	}
	return nil
}

// find books what a statement showed.
func find(all map[hub.TraderName]*account, f found) {
	nobody, fund := all[hub.Unassigned], all[""]
	if f.quantity == nil {
		fund.crest()
		return
	}
	mark := fund.look(f.contract.Instrument).mark
	at := nobody.at(f.contract.Instrument)
	at.mark = mark
	if f.contract.NetPosition {
		t := hub.Trade{Instrument: f.contract.Instrument, Direction: hub.Long}
		if f.quantity.Sign() < 0 {
			t.Direction = hub.Short
		}
		t.Qty, t.Price = hub.MustDecimal(new(big.Rat).Abs(f.quantity).FloatString(8)), hub.MustDecimal(f.price.FloatString(8))
		for _, a := range []*account{nobody, fund} {
			free := a.commission
			a.fill(t, false)
			a.commission = free
		}
		return
	}
	s := at.side(f.direction)
	before := *s
	gain, cash := nobody.adjust(s, f)
	of := fund.at(f.contract.Instrument).side(f.direction)
	of.yesterday = add(of.yesterday, f.quantity)
	of.cost, of.margin, of.drift = add(of.cost, sub(s.cost, before.cost)), add(of.margin, sub(s.margin, before.margin)), add(of.drift, sub(s.drift, before.drift))
	for _, a := range []*account{nobody, fund} {
		a.realised, a.cash = add(a.realised, gain), add(a.cash, cash)
	}
}

// adjust adds to a side, or takes from it, at a price and without a fee. What is nobody's may be less than nothing: then the account has less than the traders' books.
func (a *account) adjust(s *holding, f found) (gain, cash *big.Rat) {
	gain, cash = zero(), zero()
	had, rest := s.quantity(), new(big.Rat).Abs(f.quantity)
	s.yesterday = add(s.yesterday, f.quantity)
	if had.Sign()*f.quantity.Sign() < 0 { // towards nothing
		whole := new(big.Rat).Abs(had)
		closing := least(rest, whole)
		cost, margin := part(s.cost, closing, whole), part(s.margin, closing, whole)
		s.cost, s.margin = sub(s.cost, cost), sub(s.margin, margin)
		value := a.value(f.contract.Instrument, f.price, closing)
		if had.Sign() < 0 {
			value = new(big.Rat).Neg(value)
		}
		gain = sub(value, cost) // of what is held; of what is owed, both are negative
		if f.direction == hub.Short {
			gain = new(big.Rat).Neg(gain)
		}
		cash = gain
		rest = sub(rest, closing)
	}
	if rest.Sign() > 0 {
		value := a.value(f.contract.Instrument, f.price, rest)
		margin := marginOf(f.contract, f.direction, value)
		if f.quantity.Sign() < 0 {
			value, margin = new(big.Rat).Neg(value), new(big.Rat).Neg(margin)
		}
		s.cost, s.margin = add(s.cost, value), add(s.margin, margin)
	}
	return gain, cash
}

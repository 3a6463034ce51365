package hubtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/core"
)

// flattening is one that goes on, as the ledger knows it.
type flattening struct {
	part hub.Part
	by   string // of a watch: the end of it, for the hub names the watch's place as well
}

func (f *flattening) is(said string) bool {
	return strings.HasPrefix(said, "flatten "+f.part.String()+" by ") && strings.Contains(said, f.by)
}

// flatten lets a person have a part closed.
func (w *World) flatten(m Move) {
	in := hub.Flatten{By: fmt.Sprintf("operator %d", len(w.journal)+len(w.inFlight)), Reason: "it is drawn"}
	switch m.A % 5 {
	case 0:
	case 1:
		in.Part.Gateway = "SIM"
	case 2:
		in.Part.Instrument = contracts[pick(len(contracts), m.B)].Instrument
	default:
		in.Part.Trader = traders[pick(len(traders), m.B)]
		if m.C%3 == 0 {
			in.Part.Instrument = contracts[pick(len(contracts), m.B>>8)].Instrument
		}
	}
	w.propose(in, nil)
}

// flattenStep proposes a step, with the market that the runner would see.
func (w *World) flattenStep(how uint32) {
	markets, going := w.core.FlattenMarkets()
	if !going {
		return
	}
	for i := range markets {
		markets[i].Market = w.market(how + uint32(i)<<16)
	}
	w.propose(hub.FlattenStep{Markets: markets}, nil)
}

// closeAll lets what is being flattened come to its end, with a venue that trades everything: what nothing keeps from it must be closed.
func (w *World) closeAll() error {
	for range 60 {
		if _, going := w.core.FlattenMarkets(); !going {
			return nil
		}
		w.now += 6e9
		w.flattenStep(2 << 16)
		w.settleAll()
		for _, a := range w.venue.open() {
			w.fromVenue = append(w.fromVenue, w.venue.trade(a, false, w.now))
		}
		w.settleAll()
	}
	return errors.New("flattens for ever: sixty steps with a market that trades everything")
}

func (l *ledger) restrain(of subject, by string, state hub.State) {
	if l.restraints[of] == nil {
		l.restraints[of] = map[string]hub.State{}
	}
	l.restraints[of][by] = state
}

// state is the most restrictive that anybody has set.
func (l *ledger) state(of subject) hub.State {
	most := hub.Active
	for _, s := range l.restraints[of] {
		most = max(most, s)
	}
	return most
}

// setState takes a person's word.
func (l *ledger) setState(in hub.SetState) {
	of := subject{in.Scope, in.Name}
	if in.State == hub.Active {
		delete(l.restraints, of)
	} else {
		l.restrain(of, "", in.State)
	}
	if in.State == hub.Active || in.State == hub.Halted {
		for _, f := range slices.Clone(l.flattenings) {
			if in.Scope == hub.ScopeFund || in.Scope == hub.ScopeTrader && string(f.part.Trader) == in.Name || in.Scope == hub.ScopeGateway && string(f.part.Gateway) == in.Name {
				l.flattenings = slices.DeleteFunc(l.flattenings, func(x *flattening) bool { return x == f })
				l.seen["flatten stopped"]++
				for _, o := range l.orders {
					if o.closes == f && !o.Status.Final() {
						l.cancel(o)
					}
				}
			}
		}
	}
}

// cancelPart notes that everything of a part is cancelled: what works, and what was asked for before.
func (l *ledger) cancelPart(part hub.Part) {
	l.cuts = append(l.cuts, cut{part, l.stamp})
	for _, o := range l.orders {
		if !o.Status.Final() && part.Covers(o.Trader, o.Gateway, o.Instrument) {
			l.cancel(o)
		}
	}
}

// cut is when everything of a part was cancelled, in this life of the hub.
type cut struct {
	part hub.Part
	at   hub.Time
}

func (l *ledger) haltedPart(p hub.Part) bool {
	for _, of := range []subject{{hub.ScopeFund, ""}, {hub.ScopeTrader, string(p.Trader)}, {hub.ScopeGateway, string(p.Gateway)}} {
		if l.state(of) == hub.Halted {
			return true
		}
	}
	return false
}

func (l *ledger) beginFlatten(part hub.Part, by ...string) {
	l.seen["flatten"]++
	l.flattenings = slices.DeleteFunc(l.flattenings, func(f *flattening) bool { return f.part == part })
	l.flattenings = append(l.flattenings, &flattening{part: part, by: by[len(by)-1]})
	l.cancelPart(part)
}

// flattened follows what a flattening does in an entry, and sees that it may.
func (l *ledger) flattened(in hub.Input, effects []core.Effect) error {
	if in, is := in.(hub.Flatten); is {
		halted := l.haltedPart(in.Part)
		for _, e := range effects {
			if a, is := e.(core.FlattenAnswered); is && (a.Err != "") != halted {
				return fmt.Errorf("flatten %s: halted %v, and the hub says %q", in.Part, halted, a.Err)
			}
		}
		if halted {
			return nil
		}
		switch p := in.Part; {
		case p.Instrument != hub.Instrument{}:
		case p.Trader != "":
			l.restrain(subject{hub.ScopeTrader, string(p.Trader)}, "", hub.CancelOnly)
		case p.Gateway != "":
			l.restrain(subject{hub.ScopeGateway, string(p.Gateway)}, "", hub.CancelOnly)
		default:
			l.restrain(subject{hub.ScopeFund, ""}, "", hub.CancelOnly)
		}
		l.beginFlatten(in.Part, in.By)
	}
	step, is := in.(hub.FlattenStep)
	if !is {
		return nil
	}
	var sent []hub.OrderID
	for _, e := range effects {
		switch e := e.(type) { //nolint:gochecksumtype // the rest does not count here
		case core.CancelAtVenue:
			if err := l.cancelledToFlatten(e.Order.ID); err != nil {
				return err
			}
		case core.Notice:
			if strings.Contains(e.Text, "will be cancelled when it is back") {
				if err := l.cancelledToFlatten(e.OrderID); err != nil {
					return err
				}
			}
		case core.Send:
			o := e.Permit.Order()
			if err := l.closing(o, step, sent); err != nil {
				return fmt.Errorf("closes what it should not: order %s: %w", o.ID, err)
			}
			sent = append(sent, o.ID)
		case core.Alert:
			if err := l.ended(e.Text); err != nil {
				return err
			}
		}
	}
	return nil
}

// cancelledToFlatten: a flattening has an order cancelled that is in its part, or stands in the way of what it sends.
func (l *ledger) cancelledToFlatten(id hub.OrderID) error {
	o := l.byID[id]
	inTheWay := func(f *flattening) bool {
		anybodys := f.part
		anybodys.Trader = ""
		return anybodys.Covers(o.Trader, o.Gateway, o.Instrument)
	}
	if o == nil || o.Status.Final() || !slices.ContainsFunc(l.flattenings, inTheWay) {
		return fmt.Errorf("cancels what is in no flattening's way: order %s", id)
	}
	l.cancel(o)
	return nil
}

// closing is an order of the hub's own: it must close what its trader holds and nothing else works to close, and nothing may forbid it.
func (l *ledger) closing(o hub.Order, step hub.FlattenStep, sent []hub.OrderID) error {
	i := slices.IndexFunc(l.flattenings, func(f *flattening) bool {
		return f.part.Covers(o.Trader, o.Gateway, o.Instrument) && strings.Contains(o.Reference, f.by)
	})
	if i < 0 {
		return errors.New("it is of no flattening")
	}
	c := l.contracts[o.Instrument]
	q := &asked{ledger: l, order: o, books: l.books()}
	for _, m := range step.Markets {
		if m.Instrument == o.Instrument {
			q.market = m.Market
		}
	}
	switch free := q.closable(c); {
	case free == nil:
		return errors.New("it does not close")
	case free.Cmp(exact(o.Qty)) < 0:
		return fmt.Errorf("it closes %s, and %s are free", o.Qty, free.RatString())
	case !l.up[o.Gateway]:
		return errors.New("its gateway is down")
	case l.haltedPart(hub.Part{Trader: o.Trader, Gateway: o.Gateway}):
		return errors.New("nothing but cancels may leave")
	case q.market.LimitUp.IsPos() && (q.market.LimitUp.Less(o.Price) || o.Price.Less(q.market.LimitDown)):
		return fmt.Errorf("its price %s is outside the limits of the day", o.Price)
	case l.policies[0].cross != "allow" && q.meetsOwn():
		return errors.New("it would meet an order of the fund")
	}
	for _, x := range q.books[o.Trader].working() {
		if x.Instrument == o.Instrument && !slices.Contains(sent, x.ID) {
			return fmt.Errorf("order %s of the same trader still works", x.ID)
		}
	}
	q.worst = q.valuePrice(c)
	if q.worst == nil {
		q.worst = exact(o.Price)
	}
	l.seen["closing order"]++
	l.note(orderAsked, o)
	l.note(orderSent, o)
	l.changed(o)
	r := l.byID[o.ID]
	r.sent, r.worst, r.rolls, r.closes = true, q.worst, l.rolls(l.calendarOf(o.Exchange)), l.flattenings[i]
	l.lines = append(l.lines, line{works: &o})
	return nil
}

// ended: the hub says what came of a flattening, and it must be so.
func (l *ledger) ended(said string) error {
	i := slices.IndexFunc(l.flattenings, func(f *flattening) bool { return f.is(said) })
	if i < 0 {
		return nil
	}
	f := l.flattenings[i]
	l.flattenings = slices.Delete(l.flattenings, i, i+1)
	rest := 0
	books := l.books()
	for _, t := range traders {
		for _, h := range books[t].holdings {
			if f.part.Covers(t, "SIM", h.instrument) && (h.long.quantity().Sign() != 0 || h.short.quantity().Sign() != 0) {
				rest++
			}
		}
	}
	closed := strings.Contains(said, "everything is closed")
	if closed != (rest == 0) {
		return fmt.Errorf("flattens otherwise: %q, and the ledger has %d positions left", said, rest)
	}
	l.seen[map[bool]string{true: "flat", false: "flatten gave up"}[closed]]++
	return nil
}

package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
	"tradehub/plugins/gateways/sim/record"
	"tradehub/rpc/veighna"
)

const (
	burstConfig = `
data: DATA
fund: {name: burst, currency: CNY}
traders:
  alpha: {capital: 500_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT", publish: "tcp://127.0.0.1:PORT+1"}}
  beta: {capital: 500_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT+2", publish: "tcp://127.0.0.1:PORT+3"}}
  gamma: {capital: 500_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT+4", publish: "tcp://127.0.0.1:PORT+5"}}
  delta: {capital: 500_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT+6", publish: "tcp://127.0.0.1:PORT+7"}}
gateways:
  SIM: {plugin: sim, settings: {seed: 11, ticks_per_second: 20, day_roll: "ROLL"}}
calendar: {zone: Asia/Shanghai, roll: "ROLL"}
`
	burstTraderMax = 30
	burstFundMax   = 100
	burstActiveMax = 30 // of a trader
	burstOrders    = 250
	burstWaves     = 4
)

var burstTraders = []hub.TraderName{"alpha", "beta", "gamma", "delta"}

func burstPolicies() map[string]string {
	limits := func(owner string, most int) string {
		return fmt.Sprintf(`
  - {name: %[1]s-long, require: %[1]s.position.long_after <= %[2]d}
  - {name: %[1]s-short, require: %[1]s.position.short_after <= %[2]d}`, owner, most)
	}
	files := map[string]string{
		// Of the two that say the same of everybody here, the group is the tighter.
		"fund.yaml": "policy: fund\ninternal_cross: allow\nrules:" + limits("fund", burstFundMax) + limits("group", burstFundMax-1) + "\n",
	}
	for _, name := range burstTraders {
		files[filepath.Join("traders", string(name)+".yaml")] = fmt.Sprintf("policy: trader\ntrader: %s\nrules:%s\n  - {name: active, require: trader.active_orders < %d}\n",
			name, limits("trader", burstTraderMax), burstActiveMax)
	}
	return files
}

// tide follows the simulator's book of record line by line, and remembers how high everything stood.
type tide struct {
	orders map[hub.OrderID]*record.Line
	left   map[hub.OrderID]hub.Decimal
	now    map[string]*standing // by trader; "" is the fund
	peak   map[string]*standing
	errs   []error
}

// standing is what is held and may yet be: long and short.
type standing struct {
	held, opening [2]hub.Decimal
	active        int
}

func (s *standing) worst(i int) hub.Decimal { return plus(s.held[i], s.opening[i]) }

func (d *tide) take(l record.Line) {
	o := d.orders[l.ID]
	if l.Kind == record.Received {
		copied := l
		o = &copied
		d.orders[l.ID] = o
	}
	if o == nil || o.Instrument() != instruments[0] {
		return
	}
	side := map[hub.Direction]int{hub.Short: 1}[o.Direction]
	opens := !o.Offset.Closes()
	for _, name := range []string{"", string(o.Trader)} {
		s := d.now[name]
		if s == nil {
			s = &standing{}
			d.now[name], d.peak[name] = s, &standing{}
		}
		left := d.left[l.ID]
		switch l.Kind { //nolint:exhaustive // the others change nothing that is held
		case record.Received:
			s.active++
			if opens {
				s.opening[side] = plus(s.opening[side], l.Qty)
			}
		case record.Filled:
			if plus(left, l.Qty.Neg()).IsZero() {
				s.active--
			}
			if opens {
				s.opening[side], s.held[side] = plus(s.opening[side], l.Qty.Neg()), plus(s.held[side], l.Qty)
			} else {
				s.held[1-side] = plus(s.held[1-side], l.Qty.Neg())
			}
		case record.Cancelled, record.Rejected:
			s.active--
			if opens {
				s.opening[side] = plus(s.opening[side], left.Neg())
			}
		}
		most := burstTraderMax
		if name == "" {
			most = burstFundMax - 1
		}
		peak := d.peak[name]
		for i, direction := range []hub.Direction{hub.Long, hub.Short} {
			peak.held[i] = peak.held[i].Max(s.worst(i))
			if hub.Int(int64(most)).Less(s.worst(i)) {
				d.errs = append(d.errs, fmt.Errorf("%q can come to %s %s after %s of order %s, and the limit is %d", name, s.worst(i), direction, l.Kind, l.ID, most))
			}
			if s.held[i].IsNeg() {
				d.errs = append(d.errs, fmt.Errorf("%q holds %s %s after order %s", name, s.held[i], direction, l.ID))
			}
		}
		if peak.active = max(peak.active, s.active); name != "" && s.active > burstActiveMax {
			d.errs = append(d.errs, fmt.Errorf("%q has %d active orders after order %s", name, s.active, l.ID))
		}
	}
	switch l.Kind { //nolint:exhaustive // as above
	case record.Received:
		d.left[l.ID] = l.Qty
	case record.Filled:
		d.left[l.ID] = plus(d.left[l.ID], l.Qty.Neg())
	case record.Cancelled, record.Rejected:
		d.left[l.ID] = hub.Decimal{}
	}
}

// TestBurst: four traders send a thousand orders at once, and again with cancels of all that works among them. At no line of the venue's book of record could a trader, the fund or the control
// group have come to hold a lot more than its limit, and the fund's was reached on both sides.
func TestBurst(t *testing.T) {
	t.Parallel()
	h := serve(t, replaced(burstConfig, "ROLL", farRoll()), burstPolicies())
	traders := make([]*trader, len(burstTraders))
	for i, name := range burstTraders {
		traders[i] = newTrader(h, name, i, 5)
		traders[i].connect()
		t.Cleanup(traders[i].disconnect)
	}
	for wave := range burstWaves {
		var all sync.WaitGroup
		for i, tr := range traders {
			all.Go(func() { tr.burst(rand.New(rand.NewPCG(uint64(wave), uint64(i))), wave > 0) })
		}
		all.Wait()
		for _, tr := range traders {
			tr.quiet()
		}
	}
	// Whether the market filled a side up so far is chance. Now each is: everybody's orders are cancelled, and then all send that side alone, to rest.
	for _, direction := range []hub.Direction{hub.Long, hub.Short} {
		h.operated("cancel-all", "--all")
		until(t, "nothing works", func() error {
			s, err := h.status()
			if i := slices.IndexFunc(s.Traders, func(x ctl.Standing) bool { return x.Active > 0 }); err == nil && i >= 0 {
				err = fmt.Errorf("%s has %d active orders", s.Traders[i].Trader, s.Traders[i].Active)
			}
			return err
		})
		var all sync.WaitGroup
		for _, tr := range traders {
			all.Go(func() { tr.crowd(direction) })
		}
		all.Wait()
		for _, tr := range traders {
			tr.quiet()
		}
	}
	venue := newVenueBook(h)
	until(t, "all books agree", func() error {
		b, err := readHub(h, burstTraders...)
		if err != nil {
			return err
		}
		if err := venue.read(); err != nil {
			return err
		}
		errs := []error{compare(b, venue)}
		for _, tr := range traders {
			errs = append(errs, tr.check(b))
		}
		return errors.Join(errs...)
	})
	d := &tide{orders: map[hub.OrderID]*record.Line{}, left: map[hub.OrderID]hub.Decimal{}, now: map[string]*standing{}, peak: map[string]*standing{}}
	again := newVenueBook(h)
	again.also = d.take
	if err := again.read(); err != nil {
		t.Fatal(err)
	}
	if len(d.errs) > 20 {
		d.errs = d.errs[:20]
	}
	if err := errors.Join(d.errs...); err != nil {
		t.Error(err)
	}
	asked := 0
	for _, tr := range traders {
		asked += len(tr.asked)
		p := d.peak[string(tr.name)]
		t.Logf("%s: %d asked, at most %s long, %s short, %d active", tr.name, len(tr.asked), p.held[0], p.held[1], p.active)
	}
	fund := d.peak[""]
	t.Logf("the fund: %d asked, %d at the venue, %d fills, at most %s long, %s short", asked, len(venue.orders), len(venue.fills), fund.held[0], fund.held[1])
	if most := hub.Int(burstFundMax - 1); !fund.held[0].Equal(most) || !fund.held[1].Equal(most) {
		t.Errorf("the fund came to %s long and %s short: the limit of %s was not reached, so this shows nothing", fund.held[0], fund.held[1], most)
	}
	if len(venue.fills) < 100 || len(venue.orders) < 200 {
		t.Errorf("%d orders and %d fills are too few to show anything", len(venue.orders), len(venue.fills))
	}
}

// crowd sends more orders of one side, of a lot each, than the trader may have, all at once, so far from the market that they rest.
func (tr *trader) crowd(direction hub.Direction) {
	tick := tr.tickNow()
	r := hub.OrderRequest{Instrument: tick.Instrument, Direction: direction, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(1)}
	var sum hub.Sum
	if r.Price = sum.Sub(tick.Bids[0].Price, hub.Int(100)); direction == hub.Short {
		r.Price = sum.Add(tick.Asks[0].Price, hub.Int(100))
	}
	if err := sum.Err(); err != nil {
		tr.t.Error(err)
	}
	for range burstTraderMax + 10 {
		tr.send(r)
	}
}

// burst sends a wave of orders in one go, without waiting for anything, and, between them, cancels of all that works.
func (tr *trader) burst(rng *rand.Rand, cancels bool) {
	tr.mu.Lock()
	tick := tr.ticks[instruments[0]]
	var active []hub.OrderID
	for id, o := range tr.view {
		if o.Active() {
			active = append(active, id)
		}
	}
	tr.mu.Unlock()
	var sum hub.Sum
	for i := range burstOrders {
		if cancels && i < len(active) {
			tr.ask(veighna.CancelOrder{CancelRequest: hub.CancelRequest{Instrument: tick.Instrument, OrderID: active[i]}, Gateway: gatewayName}, nil)
		}
		r := hub.OrderRequest{Instrument: tick.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(1 + rng.Int64N(3))}
		best, away := tick.Asks[0].Price, hub.Int(rng.Int64N(12)-6)
		if rng.IntN(2) == 0 {
			r.Direction, best, away = hub.Short, tick.Bids[0].Price, away.Neg()
		}
		if rng.IntN(4) == 0 {
			r.Offset = hub.CloseToday
		}
		r.Price = sum.Sub(best, away) // met, where it is below 0; else it rests
		tr.send(r)
	}
	if err := sum.Err(); err != nil {
		tr.t.Error(err)
	}
}

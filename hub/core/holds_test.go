package core_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Every order of this test buys at 3500 or sells at 3510 and is filled at that price, so that money is a number of lots.
const (
	lotLong, lotShort = 35_000, 35_100 // value of a lot; its margin is 8 %
)

// lots is what somebody may come to hold, in whole lots, at the venues: what is held there, and what may still be filled there.
type lots struct {
	held [2]int // long, short
	live [2]int // of orders that open
	shut [2]int // of orders that close long, and short
	open int    // orders that may still trade
}

func (l *lots) add(m lots) {
	for i := range 2 {
		l.held[i] += m.held[i]
		l.live[i] += m.live[i]
		l.shut[i] += m.shut[i]
	}
	l.open += m.open
}

// market is three venues that fill, reject, cancel, lose and forget as they are told, and report in any order, twice or not at all. What it holds is the truth, whatever the hub thinks.
type market struct {
	w      *world
	t      *rapid.T
	orders map[hub.OrderID]*resting
	ids    []hub.OrderID
	held   map[hub.GatewayName]map[hub.TraderName]*[2]int
	news   []hub.VenueReport // not delivered yet
	old    []hub.VenueReport
	asked  map[hub.GatewayName][]hub.OrderID
	up     map[hub.GatewayName]bool
	fills  int
	// flights are amendments on their way to their venues.
	flights []flight
}

// resting is an order at its venue.
type resting struct {
	hub.Order
	qty, left int
	arrived   bool // at the venue; else it may be lost on the way
	gone      bool
	fills     []hub.VenueFill
	amends    uint64 // that were sent
}

var (
	manyTraders  = []hub.TraderName{"alpha", "beta", "gamma", "delta"}
	manyGateways = []hub.GatewayName{"SIM", "CTP", "XTP"} // the first two are one control group
)

func (m *market) step(in hub.Input) {
	for _, e := range m.w.step(in) {
		if ask, ok := e.(core.AskVenue); ok {
			m.asked[ask.Gateway] = append(m.asked[ask.Gateway], ask.Orders...)
		}
		if amend, ok := e.(core.Amend); ok {
			m.took(amend)
		}
		send, ok := e.(core.Send)
		if !ok {
			continue
		}
		o := send.Permit.Order()
		qty, _, _ := o.Qty.Int64(0)
		if m.orders[o.ID] != nil {
			m.t.Fatalf("order %s is sent twice", o.ID)
		}
		m.orders[o.ID] = &resting{Order: o, qty: int(qty), left: int(qty)}
		m.ids = append(m.ids, o.ID)
	}
}

func (m *market) say(o *resting, r hub.VenueReport) {
	r.Gateway, r.OrderID = o.Gateway, o.ID
	if m.up[o.Gateway] {
		m.news = append(m.news, r)
	}
}

// fill trades lots of an order.
func (m *market) fill(o *resting, qty int) {
	of := m.held[o.Gateway][o.Trader]
	i := 0
	if o.Direction == hub.Short {
		i = 1
	}
	if o.Offset.Closes() {
		of[1-i] -= qty
		if of[1-i] < 0 {
			m.t.Fatalf("order %s closes what %s does not have", o.ID, o.Trader)
		}
	} else {
		of[i] += qty
	}
	o.left -= qty
	m.fills++
	f := hub.VenueFill{TradeID: fmt.Sprintf("t%d", m.fills), Price: o.Price, Qty: hub.Int(int64(qty))}
	o.fills = append(o.fills, f)
	m.say(o, hub.VenueReport{Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty})
}

func (m *market) end(o *resting, kind hub.ReportKind) {
	filled := o.qty - o.left
	o.left, o.gone = 0, true
	m.say(o, hub.VenueReport{Kind: kind, Qty: hub.Int(int64(filled))})
}

// deliver brings one piece of news to the hub.
func (m *market) deliver(i int) {
	r := m.news[i]
	m.news = slices.Delete(m.news, i, i+1)
	m.old = append(m.old, r)
	m.step(r)
}

// down loses what was on its way, both ways.
func (m *market) down(g hub.GatewayName, n uint32) {
	m.step(hub.GatewayState{Gateway: g, Reason: "gone"})
	m.loseAmends(g, n, true)
	m.lose(g, n)
}

func (m *market) lose(g hub.GatewayName, n uint32) {
	m.up[g] = false
	delete(m.asked, g)
	m.news = slices.DeleteFunc(m.news, func(r hub.VenueReport) bool { return r.Gateway == g })
	for i, id := range m.ids {
		if o := m.orders[id]; o.Gateway == g && !o.arrived && !o.gone && (n>>(i%32))&1 == 1 {
			o.left, o.gone = 0, true
		}
	}
}

func (m *market) comeBack(g hub.GatewayName) {
	m.up[g] = true
	m.step(hub.GatewayState{Gateway: g, Up: true, Amends: true})
}

// answer says how what was asked about stands, after all that was reported before.
func (m *market) answer(g hub.GatewayName) {
	asked, ok := m.asked[g]
	if !ok || !m.up[g] {
		return
	}
	delete(m.asked, g)
	for i := 0; i < len(m.news); {
		if m.news[i].Gateway == g {
			m.deliver(i)
		} else {
			i++
		}
	}
	in := hub.Reconcile{Gateway: g, Complete: true, Asked: asked, AskedAt: m.w.askedAt}
	for _, id := range asked {
		o := m.orders[id]
		if o.gone && !o.arrived {
			continue // it never came
		}
		o.arrived = true
		status := hub.Resting
		switch {
		case o.gone:
			status = hub.Cancelled
		case o.left == 0:
			status = hub.Filled
		}
		v := hub.VenueOrder{OrderID: id, Status: status, Fills: slices.Clone(o.fills)}
		if _, any := m.flying(o); !any { // else it may yet be another
			v.Price, v.Qty = o.Price, hub.Int(int64(o.qty))
		}
		in.Orders = append(in.Orders, v)
	}
	m.step(in)
}

// truth is what each trader may come to hold at each gateway, of the venues' own knowledge.
func (m *market) truth() map[hub.GatewayName]map[hub.TraderName]*lots {
	all := map[hub.GatewayName]map[hub.TraderName]*lots{}
	for _, g := range manyGateways {
		all[g] = map[hub.TraderName]*lots{}
		for _, trader := range manyTraders {
			all[g][trader] = &lots{held: *m.held[g][trader]}
		}
	}
	for _, o := range m.orders {
		if o.left == 0 {
			continue
		}
		l := all[o.Gateway][o.Trader]
		i := 0
		if o.Direction == hub.Short {
			i = 1
		}
		l.open++
		if o.Offset.Closes() {
			l.shut[1-i] += m.mayTrade(o)
		} else {
			l.live[i] += m.mayTrade(o)
		}
	}
	return all
}

// holdLimits are the limits of one scope; 0: none.
type holdLimits struct{ long, short, net, active, value, working, margin int }

func (l holdLimits) rules(owner string) string {
	text := ""
	rule := func(name string, limit int, condition string) {
		if limit > 0 {
			text += fmt.Sprintf("  - {name: %s-%s, require: %s <= %d}\n", owner, name, fmt.Sprintf(condition, owner), limit)
		}
	}
	rule("long", l.long, "%s.position.long_after")
	rule("short", l.short, "%s.position.short_after")
	rule("net", l.net, "%s.position.net_after")
	rule("active", l.active, "%s.active_orders + 1")
	rule("value", l.value*lotShort, "%s.gross_after")
	rule("working", l.working*lotShort, "%s.working_value + order.value")
	rule("margin", l.margin*lotShort/10, "%s.margin_after")
	return text
}

func (l holdLimits) check(t *rapid.T, who string, have lots) {
	value := (have.held[0]+have.live[0])*lotLong + (have.held[1]+have.live[1])*lotShort
	// A close of long sells, and one of short buys.
	working := (have.live[0]+have.shut[1])*lotLong + (have.live[1]+have.shut[0])*lotShort
	net := have.held[0] - have.held[1]
	for _, x := range []struct {
		what        string
		have, limit int
	}{
		{"long", have.held[0] + have.live[0], l.long},
		{"short", have.held[1] + have.live[1], l.short},
		{"net, bought", net + have.live[0] + have.shut[1], l.net},
		{"net, sold", -net + have.live[1] + have.shut[0], l.net},
		{"active orders", have.open, l.active},
		{"value", value, l.value * lotShort},
		{"working value", working, l.working * lotShort},
		{"margin", value * 8 / 100, l.margin * lotShort / 10},
	} {
		if x.limit > 0 && x.have > x.limit {
			t.Fatalf("%s: %s can come to %d, and the limit is %d", who, x.what, x.have, x.limit)
		}
	}
}

// spread makes of a drawn number, and of how many were made of it before, one of which every bit counts.
func spread(n uint32, i int) uint32 {
	n += uint32(i) * 0x9e3779b9
	n = (n ^ n>>16) * 0x7feb352d
	n = (n ^ n>>15) * 0x846ca68b
	return n ^ n>>16
}

// TestNothingOvershoots: of hundreds of orders of four traders in one instant, with fills, parts of fills, cancels, rejects, lost connections and restarts in between, reported in any order, twice or late,
// no moment lets a trader, the fund, an account or a control group come to hold, at the venues, a lot more than its limit.
func TestNothingOvershoots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := func(name string, most int) int {
			if rapid.IntRange(0, 3).Draw(t, name+"?") == 0 {
				return rapid.IntRange(most/4, most).Draw(t, name)
			}
			return 0
		}
		money := func(name string, most int) holdLimits {
			return holdLimits{
				long: limit(name+" long", most), short: limit(name+" short", most), net: limit(name+" net", most), active: limit(name+" active", most), value: limit(name+" value", most),
				working: limit(name+" working", most), margin: limit(name+" margin", most),
			}
		}
		trader, fund, account, group := money("trader", 60), money("fund", 160), holdLimits{}, holdLimits{}
		account.long, account.short, account.active = limit("account long", 80), limit("account short", 80), limit("account active", 40)
		group.long, group.short, group.working = limit("group long", 120), limit("group short", 120), limit("group working", 120)

		w := newWorld()
		m := &market{
			w: w, t: t, orders: map[hub.OrderID]*resting{}, held: map[hub.GatewayName]map[hub.TraderName]*[2]int{}, asked: map[hub.GatewayName][]hub.OrderID{}, up: map[hub.GatewayName]bool{},
		}
		begin := func() {
			in := setUp()
			in.Gateways, in.Groups, in.Traders = manyGateways, []hub.Group{{Name: "one", Gateways: manyGateways[:2]}}, nil
			for _, name := range manyTraders {
				in.Traders = append(in.Traders, hub.TraderSetUp{Name: name, Capital: d("100000000")})
			}
			m.step(in)
			for _, g := range manyGateways {
				m.step(hub.Contracts{Gateway: g, Contracts: []hub.Contract{soy}})
			}
		}
		begin()
		w.step(hub.RollDay{Day: "20261123"})
		files := []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - {name: sane, require: order.quantity <= 1000}\n" + fund.rules("fund") + account.rules("account") + group.rules("group")}}
		for _, name := range manyTraders {
			text := fmt.Sprintf("policy: trader\ntrader: %s\nrules:\n  - {name: sane, require: order.quantity <= 1000}\n", name) + trader.rules("trader")
			files = append(files, hub.PolicyFile{Name: "traders/" + string(name) + ".yaml", Text: text})
		}
		if answer := w.step(hub.LoadPolicies{Files: files})[0].(core.PoliciesAnswered); len(answer.Errors) > 0 {
			t.Fatal(answer.Errors)
		}
		for _, g := range manyGateways {
			m.held[g] = map[hub.TraderName]*[2]int{}
			for _, name := range manyTraders {
				m.held[g][name] = &[2]int{}
			}
			m.comeBack(g)
		}
		check := func() {
			all, together := m.truth(), lots{}
			of := map[hub.TraderName]*lots{}
			grouped := lots{}
			for _, g := range manyGateways {
				here := lots{}
				for _, name := range manyTraders {
					if of[name] == nil {
						of[name] = &lots{}
					}
					of[name].add(*all[g][name])
					here.add(*all[g][name])
				}
				account.check(t, string(g), here)
				together.add(here)
				if g != "XTP" {
					grouped.add(here)
				} else {
					group.check(t, "XTP's own group", here)
				}
			}
			for _, name := range manyTraders {
				trader.check(t, string(name), *of[name])
			}
			fund.check(t, "the fund", together)
			group.check(t, "the group", grouped)
		}
		seed := rapid.Uint32().Draw(t, "seed")
		for i := range rapid.SampledFrom([]int{20, 100, 500, 2500}).Draw(t, "how much happens, all in one instant") {
			n := spread(seed, i)
			pick := func() *resting {
				if len(m.ids) == 0 {
					return nil
				}
				return m.orders[m.ids[int(n>>8)%len(m.ids)]]
			}
			g := manyGateways[int(n>>5)%3]
			switch o := pick(); {
			case n%32 < 11:
				req := hub.OrderRequest{Instrument: soy.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: hub.Int(int64(1 + n>>12%9))}
				if n>>16&1 == 1 {
					req.Direction, req.Price = hub.Short, d("3510")
				}
				if n>>17%4 == 0 {
					req.Offset = hub.Close
				}
				m.step(hub.SubmitOrder{
					Trader: manyTraders[n>>19%4], Gateway: g, Request: req, Market: hub.MarketView{Last: d("3500"), Seen: w.now},
				})
			case o == nil:
			case n%32 < 13:
				m.step(hub.AmendOrder{Trader: o.Trader, OrderID: o.ID, Qty: hub.Int(int64(1 + n>>12%14)), Market: hub.MarketView{Last: d("3500"), Seen: w.now}})
			case n%32 == 13:
				if len(m.flights) > 0 {
					m.doAmend(int(n>>16)%len(m.flights), n>>12%4 == 0)
				}
			case n%32 < 20:
				if o.left > 0 {
					o.arrived = true
					m.fill(o, 1+int(n>>16)%o.left)
				}
			case n%32 < 22:
				if o.left > 0 {
					o.arrived = true
					kind := hub.ReportCancelled
					if len(o.fills) == 0 && n>>16&1 == 1 {
						kind = hub.ReportRejected
					}
					m.end(o, kind)
				}
			case n%32 < 23:
				m.step(hub.CancelOrder{Trader: o.Trader, OrderID: o.ID})
			case n%32 < 24:
				if !o.gone && o.left > 0 {
					o.arrived = true
					m.say(o, hub.VenueReport{Kind: hub.ReportResting, VenueID: "v"})
				}
			case n%32 < 28:
				if len(m.news) > 0 {
					m.deliver(int(n>>16) % len(m.news))
				}
			case n%32 == 28:
				if len(m.old) > 0 { // again
					m.step(m.old[int(n>>16)%len(m.old)])
				}
			case n%32 == 29:
				if m.up[g] {
					m.down(g, n)
				} else {
					m.comeBack(g)
				}
			case n%32 == 30:
				if n>>16%4 == 0 {
					m.step(hub.DoubtAmendments{Since: w.now})
				}
				m.answer(g)
			case n>>16%8 == 0:
				for _, g := range manyGateways {
					m.loseAmends(g, n, false)
					m.lose(g, n)
				}
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				begin()
			}
			check()
			if i%16 == 0 {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
			}
		}
		for len(m.flights) > 0 { // all is settled in the end
			m.doAmend(0, false)
		}
		for _, g := range manyGateways {
			if !m.up[g] {
				m.comeBack(g)
			}
			m.answer(g)
		}
		for len(m.news) > 0 {
			m.deliver(0)
		}
		check()
		if err := w.core.Check(); err != nil {
			t.Fatal(err)
		}
		m.step(hub.DoubtAmendments{Since: w.now}) // lost, and nobody said so
		for _, g := range manyGateways {
			m.answer(g)
		}
		for _, o := range w.core.Orders("", true) {
			if at := m.orders[o.ID]; !o.Qty.Equal(hub.Int(int64(at.qty))) || o.Amending() {
				t.Fatalf("order %s is for %s in the books (%+v under way), and for %d at its venue", o.ID, o.Qty, o.Amendment, at.qty)
			}
		}
		for _, g := range manyGateways {
			for _, name := range manyTraders {
				var got [2]hub.Decimal
				for _, p := range w.core.Positions(name, soy.Instrument) {
					if p.Gateway == g {
						got[map[hub.Direction]int{hub.Short: 1}[p.Direction]] = p.Qty
					}
				}
				if want := m.held[g][name]; !got[0].Equal(hub.Int(int64(want[0]))) || !got[1].Equal(hub.Int(int64(want[1]))) {
					t.Fatalf("%s holds %v at %s, and the books say %v", name, *want, g, got)
				}
			}
		}
	})
}

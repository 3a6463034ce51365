package core_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// flight is an amendment that has left the hub and that its venue has not looked at.
type flight struct {
	order  *resting
	number uint64
	qty    int
}

// took notes an amendment that the hub sends.
func (m *market) took(e core.Amend) {
	o := e.Permit.Order()
	at := m.orders[o.ID]
	qty, _, _ := o.Amendment.Qty.Int64(0)
	if at == nil || !e.Permit.Valid() || !e.Permit.Amends() {
		m.t.Fatalf("order %s is amended without a permit, or was never sent", o.ID)
	}
	if o.Amendment.Number != at.amends+1 {
		m.t.Fatalf("amendment %d of order %s after %d", o.Amendment.Number, o.ID, at.amends)
	}
	at.amends++
	m.flights = append(m.flights, flight{at, o.Amendment.Number, int(qty)})
}

// doAmend has a venue look at an amendment: it does it, or not.
func (m *market) doAmend(i int, no bool) {
	f := m.flights[i]
	m.flights = slices.Delete(m.flights, i, i+1)
	o := f.order
	o.arrived = true
	report := hub.VenueReport{Amendment: f.number, Price: o.Price, Qty: hub.Int(int64(f.qty))}
	if no || o.left == 0 || f.qty <= o.qty-o.left {
		m.say(o, hub.VenueReport{Kind: hub.ReportAmendRejected, Amendment: f.number, Reason: "no"})
		return
	}
	o.left += f.qty - o.qty
	o.qty = f.qty
	report.Kind = hub.ReportAmended
	m.say(o, report)
}

// loseAmends is what becomes of amendments on their way when a connection breaks: some are lost, some come back as never sent, some arrive all the same, some time.
func (m *market) loseAmends(g hub.GatewayName, n uint32, told bool) {
	for i, f := range slices.Backward(m.flights) {
		if f.order.Gateway != g {
			continue
		}
		switch (n >> (i % 16)) & 3 {
		case 0:
			m.flights = slices.Delete(m.flights, i, i+1)
		case 1:
			if told {
				m.flights = slices.Delete(m.flights, i, i+1)
				m.step(hub.VenueReport{Gateway: g, OrderID: f.order.ID, Kind: hub.ReportAmendNotSent, Amendment: f.number, Reason: "gone"})
			}
		}
	}
}

// flying is the largest quantity that amendments on their way may make of an order.
func (m *market) flying(o *resting) (most int, any bool) {
	for _, f := range m.flights {
		if f.order == o {
			most, any = max(most, f.qty), true
		}
	}
	return most, any
}

// mayTrade is the most that may trade yet of an order at its venue, whatever happens to what is on its way.
func (m *market) mayTrade(o *resting) int {
	if o.left == 0 {
		return 0
	}
	most, _ := m.flying(o)
	return max(o.left, most-(o.qty-o.left))
}

// drawAmend draws what somebody wants of an order that works, sensible or not.
func (v *venue) drawAmend(t *rapid.T, w *world) (hub.AmendOrder, bool) {
	orders := slices.DeleteFunc(w.core.Orders("", true), func(o hub.Order) bool { return o.Status < hub.Accepted || o.Type != hub.Limit })
	if len(orders) == 0 {
		return hub.AmendOrder{}, false
	}
	o := rapid.SampledFrom(orders).Draw(t, "order")
	in := hub.AmendOrder{OrderID: o.ID, Trader: o.Trader, Market: hub.MarketView{Last: d("3500"), Seen: w.now}}
	what := rapid.IntRange(1, 3).Draw(t, "price, quantity, both")
	if what != 2 {
		in.Price = hub.Int(int64(rapid.IntRange(3400, 3600).Draw(t, "to")))
	}
	if what != 1 {
		lot := d("1")
		for _, k := range contracts {
			if k.Instrument == o.Instrument {
				lot = k.MinQty
			}
		}
		in.Qty, _ = lot.Mul(hub.Int(int64(rapid.IntRange(1, 15).Draw(t, "lots"))))
		in.Qty = in.Qty.Trim(0)
	}
	return in, true
}

// amend has the venue do an amendment that is on its way, or not; or it is lost, or its answer is.
func (v *venue) amend(t *rapid.T) (hub.VenueReport, bool) {
	if len(v.under) == 0 {
		return hub.VenueReport{}, false
	}
	i := rapid.IntRange(0, len(v.under)-1).Draw(t, "which amendment")
	o := v.under[i]
	v.under = slices.Delete(v.under, i, i+1)
	in := hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportAmendRejected, Amendment: o.Amendment.Number}
	fate := rapid.SampledFrom([]string{"done", "done", "done", "rejected", "lost", "answer lost"}).Draw(t, "fate")
	var sum hub.Sum
	is := v.is[o.ID]
	filled := sum.Sub(is.Qty, v.left[o.ID])
	if fate != "rejected" && fate != "lost" && v.left[o.ID].IsPos() && filled.Less(o.Amendment.Qty) {
		is.Price, is.Qty = o.Amendment.Price, o.Amendment.Qty
		v.is[o.ID], v.left[o.ID] = is, sum.Sub(is.Qty, filled)
		in.Kind, in.Price, in.Qty = hub.ReportAmended, is.Price, is.Qty
	}
	return in, fate != "lost" && fate != "answer lost"
}

// within: no more of an order may trade at the venue than the hub holds for it; nor if what is on its way is done.
func (v *venue) within(t *rapid.T, w *world) {
	var sum hub.Sum
	for id, left := range v.left {
		for _, o := range v.under {
			if filled := sum.Sub(v.is[id].Qty, v.left[id]); o.ID == id && left.IsPos() {
				left = left.Max(sum.Sub(o.Amendment.Qty, filled))
			}
		}
		o, known := w.core.Order("", id)
		held := hub.Decimal{}
		if known && !o.Status.Final() {
			held = sum.Sub(o.Largest(), o.Filled)
		}
		if known && held.Less(left) {
			t.Fatalf("%s order %s: %s may trade at the venue, and the hub holds %s (%s of %s, amendment %+v)", o.Status, id, left, held, o.Filled, o.Qty, o.Amendment)
		}
	}
}

// TestAmendmentHistories draws histories of amendments in a few orders, where reports come in any order, twice, or never: no more of an order may ever trade than the hub holds for it, no two orders of
// the fund may meet, and in the end books and venue agree.
func TestAmendmentHistories(t *testing.T) {
	sent, done, old := 0, 0, 0
	checkUntil(t, func() bool { return sent >= 100 && done*5 >= sent && old > 0 }, func(t *rapid.T) {
		w, v := newWorld(), newVenue()
		w.open()
		cross := rapid.SampledFrom([]string{"allow", "refuse", "refuse"}).Draw(t, "internal cross")
		w.step(hub.LoadPolicies{Files: withFundKey("internal_cross: " + cross), Language: policy.Language})
		var news, told []hub.VenueReport
		say := func(in hub.VenueReport) {
			in.Gateway = "SIM"
			news = append(news, in)
		}
		pick := func() (hub.OrderID, bool) {
			alive := slices.DeleteFunc(slices.Clone(v.open), func(id hub.OrderID) bool { return !v.left[id].IsPos() })
			if len(alive) == 0 {
				return "", false
			}
			return rapid.SampledFrom(alive).Draw(t, "order"), true
		}
		var answers []hub.Reconcile // that the venue has given, and the hub has not got yet
		flush := func() {           // an answer comes after what was reported before
			for len(news) > 0 {
				v.take(t, w.step(news[0]))
				news = news[1:]
			}
		}
		asked := func() {
			if rapid.Bool().Draw(t, "answer comes at once") {
				v.answer(t, w)
				return
			}
			answers = append(answers, v.says(t, w))
			for _, o := range w.core.Orders("", true) { // a report ends the doubt before the answer
				if o.InDoubt && v.left[o.ID].IsPos() {
					v.take(t, w.step(hub.VenueReport{Gateway: "SIM", OrderID: o.ID, Kind: hub.ReportResting}))
				}
			}
		}
		back := func() {
			news, answers = nil, nil // lost
			w.step(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true})
			asked()
		}
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				if len(w.core.Orders("", true)) > 5 {
					return
				}
				k := rapid.SampledFrom([]hub.Contract{rb, swap}).Draw(t, "contract")
				req := hub.OrderRequest{
					Instrument: k.Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"), Offset: hub.Open, Type: hub.Limit,
					Price: hub.Int(int64(rapid.IntRange(3400, 3600).Draw(t, "price"))), Qty: hub.Int(int64(rapid.IntRange(1, 9).Draw(t, "lots"))),
				}
				w.now += 1e9
				effects := w.step(hub.SubmitOrder{Trader: "alpha", Request: req, Market: hub.MarketView{Last: d("3500"), Seen: w.now}})
				v.take(t, effects)
				if got, ok := effects[0].(core.Decided); ok && len(got.Refusals) == 0 {
					w.step(hub.VenueReport{Gateway: "SIM", OrderID: got.Order.ID, Kind: hub.ReportResting})
				}
			},
			"amend": func(t *rapid.T) {
				if in, ok := v.drawAmend(t, w); ok {
					n := len(v.under)
					v.take(t, w.step(in))
					sent += len(v.under) - n
				}
			},
			"venue amends": func(t *rapid.T) {
				for range len(v.under) {
					in, ok := v.amend(t)
					if in.Kind == hub.ReportAmended {
						done++
					}
					if ok {
						say(in)
					}
				}
			},
			"venue fills": func(t *rapid.T) {
				id, ok := pick()
				if !ok {
					return
				}
				lots, _, _ := v.left[id].Int64(0)
				qty := hub.Int(int64(rapid.IntRange(1, int(lots)).Draw(t, "lots")))
				if o, ok := w.core.Order("", id); ok && rapid.Bool().Draw(t, "to the quantity that the hub knows") {
					filled, _ := v.is[id].Qty.Sub(v.left[id])
					if rest, _ := o.Qty.Sub(filled); rest.IsPos() {
						qty = rest.Min(v.left[id])
					}
				}
				v.left[id], _ = v.left[id].Sub(qty)
				v.next++
				f := hub.VenueFill{TradeID: fmt.Sprintf("t%d", v.next), Price: v.is[id].Price, Qty: qty}
				v.fills[id] = append(v.fills[id], f)
				say(hub.VenueReport{OrderID: id, Kind: hub.ReportFill, TradeID: f.TradeID, Price: f.Price, Qty: f.Qty})
			},
			"venue cancels": func(t *rapid.T) {
				if id, ok := pick(); ok {
					filled, _ := v.is[id].Qty.Sub(v.left[id])
					v.left[id] = hub.Decimal{}
					say(hub.VenueReport{OrderID: id, Kind: hub.ReportCancelled, Qty: filled})
				}
			},
			"news": func(t *rapid.T) {
				for range min(len(news), 2) {
					i := rapid.IntRange(0, len(news)-1).Draw(t, "which")
					told = append(told, news[i])
					v.take(t, w.step(news[i]))
					news = slices.Delete(news, i, i+1)
				}
			},
			"news again": func(t *rapid.T) {
				if len(told) > 0 {
					v.take(t, w.step(rapid.SampledFrom(told).Draw(t, "report")))
				}
			},
			"cancel": func(t *rapid.T) {
				if id, ok := pick(); ok && rapid.Bool().Draw(t, "seldom") {
					v.take(t, w.step(hub.CancelOrder{Trader: "alpha", OrderID: id}))
					w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportCancelRejected})
				}
			},
			"gateway": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "seldom") == 0 {
					w.step(hub.GatewayState{Gateway: "SIM", Reason: "gone"})
					back()
				}
			},
			"restart": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
					return
				}
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				w.step(setUp())
				back()
			},
			"doubt": func(t *rapid.T) {
				w.now += 1e9
				w.step(hub.DoubtAmendments{Since: w.now - 30e9})
				flush()
				asked()
			},
			"late answer": func(t *rapid.T) {
				if len(answers) == 0 {
					return
				}
				i := rapid.IntRange(0, len(answers)-1).Draw(t, "which")
				in := answers[i]
				answers = slices.Delete(answers, i, i+1)
				flush()
				for _, at := range in.Orders {
					if o, ok := w.core.Order("", at.OrderID); ok && !o.Status.Final() && at.Qty.IsPos() && !at.Qty.Equal(v.is[o.ID].Qty) {
						old++
					}
				}
				v.take(t, w.step(in))
			},
			"": func(t *rapid.T) {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
				v.within(t, w)
				if a, b := crossing(w.core.Orders("", true), v.sent); cross == "refuse" && a != "" {
					t.Fatalf("order %s and order %s of one fund can trade with each other", a, b)
				}
			},
		})
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
		for _, in := range news {
			v.take(t, w.step(in))
		}
		v.settle(t, w)
	})
	if done*5 < sent || sent < 100 {
		t.Errorf("%d amendments sent and %d done: too few to show anything", sent, done)
	}
	if old == 0 {
		t.Error("no answer was older than an amendment")
	}
	t.Logf("%d amendments sent, %d done; %d answers were older than one", sent, done, old)
}

// TestAmendedCountsOnce: rules see an order that is to be amended as if it were not there yet, and what may come of it as the larger of both.
func TestAmendedCountsOnce(t *testing.T) {
	for _, c := range []struct {
		rule, qty, price string
		passes           bool
	}{
		{"order.quantity == 8", "8", "0", true}, // in all
		{"order.price == 3400", "0", "3400", true},
		{"order.value == 280_000", "8", "0", true},
		{"trader.active_orders == 1", "8", "0", true}, // the other one
		{"trader.working_value == 35_000", "8", "0", true},
		{"trader.position.working_buy == 1", "8", "0", true},
		{"trader.position.long == 2 and trader.position.long_after == 9", "8", "0", true}, // 2 held, 1 of another, 6 left
		{"trader.position.long_after == 6", "3", "0", true},                               // 2 held, 1 of another, 3 left as it is, 1 as it would be
		{"trader.position.net_after == 9", "8", "0", true},
		{"trader.gross_after == 70_000 + 35_000 + 210_000", "8", "0", true}, // held, the other, and 6 left
		{"trader.gross_after == 70_000 + 35_000 + 105_000", "3", "0", true}, // and 3 left as it is
		{"trader.net_value_after == 70_000 + 35_000 + 210_000", "8", "0", true},
		{"order.margin == 21_000", "8", "0", true},
		{"order.margin == 10_500", "3", "3400", true},
		{"trader.margin_after == 7_000 + 3_500 + 21_000", "8", "0", true},
		{"order.fee == 21", "8", "0", true},
		{"own.buys == 1", "8", "0", true},
		{`trader.orders("10s") == 2 and trader.amends("10s") == 0`, "8", "0", true}, // before this one
		{`trader.duplicates("10s") == 0`, "8", "0", true},
		{`trader.duplicates("10s") == 1`, "1", "3500", true}, // as the other one
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld()
			w.open()
			buy := func(qty string) hub.OrderID {
				id := w.step(hub.SubmitOrder{
					Trader: "alpha", Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d(qty)},
					Market: hub.MarketView{Last: d("3500"), Seen: w.now},
				})[0].(core.Decided).Order.ID
				w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
				return id
			}
			id := buy("5")
			if c.rule != `trader.duplicates("10s") == 1` {
				w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportFill, TradeID: "t", Price: d("3500"), Qty: d("2")})
			}
			buy("1")
			files := policies()
			files[1].Text = "policy: trader\ntrader: alpha\nrules:\n  - {name: it, require: '" + c.rule + "'}\n"
			if errs := w.step(hub.LoadPolicies{Files: files, Language: policy.Language})[0].(core.PoliciesAnswered).Errors; len(errs) > 0 {
				t.Fatal(errs)
			}
			before := w.core.Image()
			got := w.step(hub.AmendOrder{Trader: "alpha", OrderID: id, Qty: d(c.qty), Price: d(c.price), Market: hub.MarketView{Last: d("3500"), Seen: w.now}})[0].(core.AmendAnswered)
			if passes := len(got.Refusals) == 0; passes != c.passes {
				t.Errorf("got %v", got.Refusals)
			}
			if len(got.Considered.Readings) == 0 || got.Revision != w.core.Revision() {
				t.Errorf("the record would not know what was read: %+v", got.Considered)
			}
			if n := w.core.Image().Orders[0].Amends; n != before.Orders[0].Amends+1 {
				t.Errorf("%d amendments", n)
			}
			if err := w.core.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRefusedAmendmentsChangeNothing: but the counts of who asked.
func TestRefusedAmendmentsChangeNothing(t *testing.T) {
	w := newWorld()
	w.open()
	id := w.step(hub.SubmitOrder{
		Trader: "alpha", Request: hub.OrderRequest{Instrument: coin.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("60000.01"), Qty: d("0.0007")},
		Market: hub.MarketView{Last: d("60000"), Seen: w.now},
	})[0].(core.Decided).Order.ID
	w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
	book, order := fmt.Sprintf("%+v", w.core.RiskBook()), fmt.Sprintf("%+v", w.core.Image().Orders)
	if got := w.step(hub.AmendOrder{Trader: "alpha", OrderID: id, Qty: d("100.0001"), Market: hub.MarketView{Last: d("60000"), Seen: w.now}})[0].(core.AmendAnswered); len(got.Refusals) != 1 || got.Refusals[0].Rule != "quantity" {
		t.Fatalf("got %+v", got)
	}
	if now := fmt.Sprintf("%+v", w.core.RiskBook()); now != book {
		t.Errorf("the book was\n%s\nand is\n%s", book, now)
	}
	if now := fmt.Sprintf("%+v", w.core.Image().Orders); now != order {
		t.Errorf("the order was\n%s\nand is\n%s", order, now)
	}
	s := w.core.Standings()[1]
	if s.Orders != 2 || s.Rejects != 1 {
		t.Errorf("%d orders and %d rejects of alpha", s.Orders, s.Rejects)
	}
}

// TestAmendmentsUseTheChannel: one takes one message of its trader's share, like an order, and is refused when there is none left.
func TestAmendmentsUseTheChannel(t *testing.T) {
	w, names := channelWorld([]int{1}, hub.MessageLimit{Messages: 10, Window: 1e9})
	w.step(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true, Reason: "again", Limits: []hub.MessageLimit{{Messages: 10, Window: 1e9}}})
	id := w.step(hub.SubmitOrder{
		Trader: names[0], Market: hub.MarketView{Last: d("60000"), Seen: w.now},
		Request: hub.OrderRequest{Instrument: swap.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("59000"), Qty: d("1")},
	})[0].(core.Decided).Order.ID
	w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
	passed, code := 0, ""
	for i := range 20 {
		in := hub.AmendOrder{Trader: names[0], OrderID: id, Price: hub.Int(int64(58_000 + i)), Market: hub.MarketView{Last: d("60000"), Seen: w.now}}
		got := w.step(in)[0].(core.AmendAnswered)
		if len(got.Refusals) > 0 {
			code = got.Refusals[0].Code
			break
		}
		passed++
		w.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportAmended, Amendment: got.Order.Amendment.Number, Price: in.Price, Qty: d("1")})
	}
	if passed != 7 || code != "channel-budget" { // 10 less 2 for cancels, less the order
		t.Errorf("%d amendments passed, and then %q", passed, code)
	}
	if used := w.core.Budgets("SIM", w.now)[0].Used; used != 8 {
		t.Errorf("%d messages used", used)
	}
}

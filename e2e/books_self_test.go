package e2e_test

import (
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
	"tradehub/plugins/gateways/sim/record"
)

// ledger is a small world in which everything agrees: alpha bought 2 of 3, closed 1, has one order that closes, one that was refused.
func ledger() (hubBook, *venueBook, *trader) {
	one, two, three := hub.Int(1), hub.Int(2), hub.Int(3)
	v := &venueBook{orders: map[hub.OrderID]*venueOrder{}, fills: map[side]record.Line{}}
	order := record.Line{Kind: record.Received, ID: "x-1", Trader: "alpha", Symbol: "rb2701", Exchange: "SHFE", Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: hub.Int(3100), Qty: three}
	v.take(order)
	v.take(record.Line{Kind: record.Filled, ID: "x-1", Trade: "t1", Price: hub.Int(3100), Qty: two})
	v.take(record.Line{Kind: record.Cancelled, ID: "x-1", Qty: one})
	order.ID, order.Direction, order.Offset, order.Qty = "x-2", hub.Short, hub.CloseToday, one
	v.take(order)
	v.take(record.Line{Kind: record.Filled, ID: "x-2", Trade: "t2", Price: hub.Int(3101), Qty: one})
	order.ID = "x-3"
	v.take(order)

	o := func(id, reference, direction, offset, status string, qty, filled hub.Decimal) ctl.Order {
		return ctl.Order{
			ID: id, Trader: "alpha", Contract: "rb2701.SHFE", Direction: direction, Offset: offset, Type: "LIMIT", Price: hub.Int(3100), Quantity: qty, Filled: filled,
			Status: status, Active: status == "RESTING", Reference: reference,
		}
	}
	b := hubBook{
		orders: map[hub.OrderID]ctl.Order{
			"x-1": o("x-1", "r1", "LONG", "OPEN", "CANCELLED", three, two),
			"x-2": o("x-2", "r2", "SHORT", "CLOSE_TODAY", "FILLED", one, one),
			"x-3": o("x-3", "r3", "SHORT", "CLOSE_TODAY", "RESTING", one, hub.Decimal{}),
			"x-4": o("x-4", "r4", "LONG", "OPEN", "REJECTED", three, hub.Decimal{}),
		},
		trades: map[string]ctl.Trade{
			"t1": {ID: "t1", OrderID: "x-1", Trader: "alpha", Price: hub.Int(3100), Quantity: two, Commission: two},
			"t2": {ID: "t2", OrderID: "x-2", Trader: "alpha", Price: hub.Int(3101), Quantity: one, Commission: one},
		},
		positions: map[holding]ctl.Position{},
	}
	for _, trader := range []string{"", "alpha"} {
		b.positions[holding{trader, "rb2701.SHFE", "LONG"}] = ctl.Position{Quantity: one, Today: one, Frozen: one}
		b.status.Traders = append(b.status.Traders, ctl.Standing{
			Trader: trader, Active: 1,
			Account: ctl.Account{Capital: hub.Int(100), Commission: three, Balance: hub.Int(97), Frozen: hub.Int(7), Available: hub.Int(90)},
		})
	}
	tr := &trader{name: "alpha", asked: map[string]hub.OrderRequest{}, given: map[hub.OrderID]string{}, view: map[hub.OrderID]told{}, fills: map[string]hub.Trade{}}
	for id, o := range b.orders {
		status, _ := hub.ParseStatus(o.Status)
		direction, _ := hub.ParseDirection(o.Direction)
		r := hub.OrderRequest{Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Direction: direction, Type: hub.Limit, Price: o.Price, Qty: o.Quantity}
		tr.asked[o.Reference], tr.given[id] = r, o.Reference
		tr.view[id] = told{Order: hub.Order{ID: id, Status: status, Filled: o.Filled}}
	}
	for id, f := range b.trades {
		tr.fills[id] = hub.Trade{ID: id, OrderID: hub.OrderID(f.OrderID), Price: f.Price, Qty: f.Quantity}
	}
	return b, v, tr
}

// What TestCrash relies on is worth nothing if it cannot say no.
func TestTheComparisonsFindWhatIsWrong(t *testing.T) {
	b, v, tr := ledger()
	if err := compare(b, v); err != nil {
		t.Fatalf("books that agree: %v", err)
	}
	if err := tr.check(b); err != nil {
		t.Fatalf("a trader who was told all: %v", err)
	}
	for want, spoil := range map[string]func(b *hubBook, v *venueBook, tr *trader){
		"order x-1 was received twice": func(_ *hubBook, v *venueBook, _ *trader) { v.take(v.orders["x-1"].Line) },
		"cancel of order y-1, which was never received": func(_ *hubBook, v *venueBook, _ *trader) {
			v.take(record.Line{Kind: record.Cancelled, ID: "y-1"})
		},
		"order x-1 was sent twice": func(_ *hubBook, v *venueBook, _ *trader) {
			v.take(record.Line{Kind: record.Duplicate, ID: "x-1"})
		},
		"order x-2 of alpha is at the venue and the hub does not know it": func(b *hubBook, _ *venueBook, _ *trader) { delete(b.orders, "x-2") },
		"order x-2 (r2) was given to alpha and the hub does not know it":  func(b *hubBook, _ *venueBook, _ *trader) { delete(b.orders, "x-2") },
		"order x-3 is RESTING and never was at the venue":                 func(_ *hubBook, v *venueBook, _ *trader) { delete(v.orders, "x-3") },
		"order x-4 is CANCELLED and never was at the venue": func(b *hubBook, _ *venueBook, _ *trader) {
			b.change("x-4", func(o *ctl.Order) { o.Status = "CANCELLED" })
		},
		"order x-4 is REJECTED and never was at the venue": func(b *hubBook, _ *venueBook, _ *trader) {
			b.change("x-4", func(o *ctl.Order) { o.Filled = hub.Int(1) })
		},
		"order x-3 is in doubt": func(b *hubBook, _ *venueBook, _ *trader) { b.change("x-3", func(o *ctl.Order) { o.InDoubt = true }) },
		"order x-3 is SUBMITTED ()": func(b *hubBook, _ *venueBook, _ *trader) {
			b.change("x-3", func(o *ctl.Order) { o.Status = "SUBMITTED" })
		},
		"order x-1 is FILLED (), at the venue CANCELLED": func(b *hubBook, _ *venueBook, _ *trader) { b.change("x-1", func(o *ctl.Order) { o.Status = "FILLED" }) },
		"order x-1 is filled with 1, at the venue with 2": func(b *hubBook, _ *venueBook, _ *trader) {
			b.change("x-1", func(o *ctl.Order) { o.Filled = hub.Int(1) })
		},
		"and the venue received": func(b *hubBook, _ *venueBook, _ *trader) {
			b.change("x-1", func(o *ctl.Order) { o.Price = hub.Int(3099) })
		},
		"trade t2 of order x-2 happened and the hub does not know it": func(b *hubBook, _ *venueBook, _ *trader) { delete(b.trades, "t2") },
		"trade t2 of order x-2, 1 at 3101, is in the venue's book":    func(_ *hubBook, v *venueBook, _ *trader) { delete(v.fills, sideOf("t2", "x-2")) },
		"position {alpha rb2701.SHFE LONG} is 2, the fills come to 1": func(b *hubBook, _ *venueBook, _ *trader) {
			b.positions[holding{"alpha", "rb2701.SHFE", "LONG"}] = ctl.Position{Quantity: hub.Int(2), Today: hub.Int(2), Frozen: hub.Int(1)}
		},
		"position { rb2701.SHFE LONG} is not there, the fills come to 1": func(b *hubBook, _ *venueBook, _ *trader) {
			delete(b.positions, holding{"", "rb2701.SHFE", "LONG"})
		},
		"of position {alpha rb2701.SHFE LONG} 0 are frozen, the orders that close come to 1": func(b *hubBook, _ *venueBook, _ *trader) {
			b.positions[holding{"alpha", "rb2701.SHFE", "LONG"}] = ctl.Position{Quantity: hub.Int(1), Today: hub.Int(1)}
		},
		`"alpha" has 2 active orders and 0 in doubt, listed are 1 and 0`: func(b *hubBook, _ *venueBook, _ *trader) { b.status.Traders[1].Active = 2 },
		`"" has 1 active orders and 1 in doubt, listed are 1 and 0`:      func(b *hubBook, _ *venueBook, _ *trader) { b.status.Traders[0].InDoubt = 1 },
		`"alpha" paid a commission of 1`:                                 func(b *hubBook, _ *venueBook, _ *trader) { b.status.Traders[1].Account.Commission = hub.Int(1) },
		`"alpha" has a balance of 97, its parts come to 98`:              func(b *hubBook, _ *venueBook, _ *trader) { b.status.Traders[1].Account.Realised = hub.Int(1) },
		`"alpha" has 97, of which 8 are frozen and 90 available`:         func(b *hubBook, _ *venueBook, _ *trader) { b.status.Traders[1].Account.Frozen = hub.Int(8) },
		"alpha was told nothing of order x-4":                            func(_ *hubBook, _ *venueBook, tr *trader) { delete(tr.view, "x-4") },
		"order x-1 is CANCELLED with 2 filled, and alpha was told PART_FILLED with 2": func(_ *hubBook, _ *venueBook, tr *trader) {
			tr.view["x-1"] = told{Order: hub.Order{Status: hub.PartFilled, Filled: hub.Int(2)}}
		},
		"alpha was told of order y-1":           func(_ *hubBook, _ *venueBook, tr *trader) { tr.view["y-1"] = told{} },
		"alpha was told of trade t9":            func(_ *hubBook, _ *venueBook, tr *trader) { tr.fills["t9"] = hub.Trade{} },
		"alpha was told of trade t1 that it is": func(_ *hubBook, _ *venueBook, tr *trader) { delete(tr.fills, "t1") },
		"order x-1 was CANCELLED with 2 filled, and is now said to be PART_FILLED": func(_ *hubBook, _ *venueBook, tr *trader) {
			tr.learn(hub.Order{ID: "x-1", Status: hub.PartFilled, Filled: hub.Int(2)}, 0)
		},
		"order x-1 was filled with 2 and is now said to be with 1": func(_ *hubBook, _ *venueBook, tr *trader) {
			tr.learn(hub.Order{ID: "x-1", Status: hub.Cancelled, Filled: hub.Int(1)}, 0)
		},
		"order x-3 was RESTING and is now said to be SUBMITTED": func(_ *hubBook, _ *venueBook, tr *trader) { tr.learn(hub.Order{ID: "x-3", Status: hub.Submitted}, 0) },
		"alpha asked for r1 once, and orders":                   func(b *hubBook, _ *venueBook, _ *trader) { b.change("x-2", func(o *ctl.Order) { o.Reference = "r1" }) },
		"order x-4 was given to alpha for":                      func(_ *hubBook, _ *venueBook, tr *trader) { tr.asked["r4"] = hub.OrderRequest{} },
	} {
		b, v, tr := ledger()
		spoil(&b, v, tr)
		said := ""
		for _, err := range []error{compare(b, v), tr.check(b)} {
			if err != nil {
				said += err.Error() + "\n"
			}
		}
		if !strings.Contains(said, want) {
			t.Errorf("nobody says %q:\n%s", want, said)
		}
	}
}

func (b *hubBook) change(id hub.OrderID, f func(*ctl.Order)) {
	o := b.orders[id]
	f(&o)
	b.orders[id] = o
}

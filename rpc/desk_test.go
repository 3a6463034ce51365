package rpc_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"tradehub/hub"
	"tradehub/rpc"
)

// desk is a small hub: it takes orders, keeps them, and has knobs that break it.
type desk struct {
	mu        sync.Mutex // guards all below
	orders    map[hub.TraderName][]hub.Order
	contracts []hub.Contract
	cancels   []hub.CancelRequest
	asked     []hub.Instrument // subscriptions

	// submit, when not nil, is called instead of taking the order.
	submit func(trader hub.TraderName, req hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error))
	// history, when not nil, answers queries of history.
	history func(ctx context.Context, trader hub.TraderName, req hub.HistoryRequest) ([]hub.Bar, error)
	// changed is called with every new order.
	changed func(hub.Order)
}

var _ rpc.Desk = (*desk)(nil)

var rb = hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"}

func newDesk() *desk {
	return &desk{
		orders: make(map[hub.TraderName][]hub.Order),
		contracts: []hub.Contract{{
			Instrument: rb, Gateway: "SIM", Name: "螺纹钢2610", Product: "rb", Kind: hub.Futures, Size: hub.Int(10), Tick: hub.Int(1), MinQty: hub.Int(1),
			History: true, Zone: "Asia/Shanghai",
		}},
	}
}

func (d *desk) Submit(trader hub.TraderName, _ hub.GatewayName, req hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error)) {
	if d.submit != nil {
		d.submit(trader, req, done)
		return
	}
	if !slices.ContainsFunc(d.contracts, func(c hub.Contract) bool { return c.Instrument == req.Instrument }) {
		done("", "", nil)
		return
	}
	d.mu.Lock()
	o := hub.Order{
		ID: hub.OrderID(fmt.Sprintf("%s_%d", trader, len(d.orders[trader])+1)), Trader: trader, OrderRequest: req, Gateway: "SIM",
		Status: hub.Submitted, Time: 1,
	}
	d.orders[trader] = append(d.orders[trader], o)
	d.mu.Unlock()
	if d.changed != nil {
		d.changed(o)
	}
	done(o.Gateway, o.ID, nil)
}

func (d *desk) Cancel(_ hub.TraderName, _ hub.GatewayName, req hub.CancelRequest, done func(error)) {
	d.mu.Lock()
	d.cancels = append(d.cancels, req)
	d.mu.Unlock()
	done(nil)
}

func (d *desk) Subscribe(_ hub.TraderName, _ hub.GatewayName, i hub.Instrument) error {
	if i.Exchange == "CFFEX" {
		return errors.New("no gateway trades " + i.String())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, i)
	return nil
}

func (d *desk) History(ctx context.Context, trader hub.TraderName, _ hub.GatewayName, req hub.HistoryRequest) ([]hub.Bar, error) {
	if d.history != nil {
		return d.history(ctx, trader, req)
	}
	return []hub.Bar{{Instrument: req.Instrument, Gateway: "SIM", Time: req.Start, Interval: req.Interval, Close: hub.Int(3500)}}, nil
}

func (d *desk) Contracts(hub.TraderName) []hub.Contract { return slices.Clone(d.contracts) }

func (d *desk) Contract(_ hub.TraderName, i hub.Instrument) (hub.Contract, bool) {
	at := slices.IndexFunc(d.contracts, func(c hub.Contract) bool { return c.Instrument == i })
	if at < 0 {
		return hub.Contract{}, false
	}
	return d.contracts[at], true
}

func (d *desk) Ticks(hub.TraderName) []hub.Tick { return []hub.Tick{aTick(1)} }

func (d *desk) Tick(_ hub.TraderName, i hub.Instrument) (hub.Tick, bool) { return aTick(1), i == rb }

func (d *desk) Orders(trader hub.TraderName) []hub.Order {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.orders[trader])
}

func (d *desk) Order(trader hub.TraderName, id hub.OrderID) (hub.Order, bool) {
	for _, o := range d.Orders(trader) {
		if o.ID == id {
			return o, true
		}
	}
	return hub.Order{}, false
}

func (d *desk) Trades(trader hub.TraderName) []hub.Trade {
	return []hub.Trade{{ID: "t1", OrderID: "o1", Trader: trader, Instrument: rb, Gateway: "SIM", Direction: hub.Long, Price: hub.Int(3500), Qty: hub.Int(1), Time: 1}}
}

func (d *desk) Positions(trader hub.TraderName) []hub.Position {
	return []hub.Position{{Trader: trader, Instrument: rb, Gateway: "SIM", Direction: hub.Long, Qty: hub.Int(3)}}
}

func (d *desk) Account(trader hub.TraderName) (hub.Account, bool) {
	return hub.Account{Trader: trader, Balance: hub.Int(1000), Available: hub.Int(900), Frozen: hub.Int(100)}, true
}

// traders are those who have sent orders.
func (d *desk) traders() []hub.TraderName {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.orders))
}

func (d *desk) cancelled() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.cancels)
}

func aTick(n int64) hub.Tick {
	return hub.Tick{
		Instrument: rb, Gateway: "SIM", Name: "螺纹钢2610", Time: 1_780_000_000_000_000_000, Last: hub.Int(3500 + n%100), Volume: hub.Int(n),
		Bids: [hub.Depth]hub.Level{{Price: hub.Int(3499), Qty: hub.Int(cmp.Or(n, 1))}},
	}
}

func anOrder(n int) hub.OrderRequest {
	return hub.OrderRequest{
		Instrument: rb, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: hub.Int(3500), Qty: hub.Int(1), Reference: fmt.Sprint("n", n),
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

const (
	pipelineClients = 4
	pipelineDepth   = 256
	pipelineFor     = 3 * time.Second
	drainWithin     = 60 * time.Second
	// checkedOrders is how many orders of a round are asked for afterwards.
	checkedOrders = 40
)

// pipelined is one client with requests in flight.
type pipelined struct {
	client  *rpc.Client
	request []byte
	until   time.Time
	ids     []string // of the client's own goroutine until done is closed
	err     error
	flying  atomic.Int64
	done    chan struct{}
	once    sync.Once
	last    time.Time
}

func (c *pipelined) begin() error {
	c.flying.Store(pipelineDepth)
	for range pipelineDepth {
		if err := c.client.Go(c.request, c.answered); err != nil {
			return err
		}
	}
	return nil
}

func (c *pipelined) answered(reply []byte, err error) {
	c.last = time.Now()
	if err == nil {
		var v any
		if v, err = veighna.DecodeReply(reply, nil); err == nil {
			if id, ok := v.(string); ok && id != "" {
				c.ids = append(c.ids, id)
			} else {
				err = fmt.Errorf("send_order answers %v", v)
			}
		}
	}
	if err != nil && c.err == nil {
		c.err = err
	}
	if c.err == nil && c.last.Before(c.until) {
		if c.err = c.client.Go(c.request, c.answered); c.err == nil {
			return
		}
	}
	if c.flying.Add(-1) == 0 {
		c.once.Do(func() { close(c.done) })
	}
}

// pipelineRound counts how many orders a second several clients get answered that do not wait for the answer before they send the next. The orders are FAK below the market: they
// go the whole way to the venue and end there, so that what rests does not grow with the speed (VeighNa's own book takes time in proportion to it).
func pipelineRound(ctx context.Context, p *peer) (perSecond float64, err error) {
	events, err := count(p, veighna.EventOrder)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, events.close()) }()
	contract, err := rebar(ctx, events.client)
	if err != nil {
		return 0, err
	}
	last, err := lastPrice(ctx, events.client, contract.Instrument)
	if err != nil {
		return 0, err
	}
	price, err := below(last, contract, 100)
	if err != nil {
		return 0, err
	}
	order := hub.OrderRequest{
		Instrument: contract.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.FAK, Price: price, Qty: contract.MinQty, Reference: "bench",
	}
	request := veighna.AppendRequest(nil, veighna.SendOrder{OrderRequest: order, Gateway: gatewayName}, nil, veighna.Chinese)
	clients := make([]*pipelined, pipelineClients)
	for i := range clients {
		c, err := rpc.Dial(rpc.ClientOptions{Request: p.request})
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		if _, err := c.Call(ctx, veighna.GetTick{Instrument: contract.Instrument}); err != nil { // it is connected
			return 0, err
		}
		clients[i] = &pipelined{client: c, request: request, done: make(chan struct{})}
	}
	began := time.Now()
	for _, c := range clients {
		c.until = began.Add(pipelineFor)
		if err := c.begin(); err != nil {
			return 0, err
		}
	}
	orders, ended := 0, began
	for _, c := range clients {
		select {
		case <-c.done:
		case <-time.After(pipelineFor + drainWithin):
			return 0, fmt.Errorf("%s: %d orders are not answered", p.name, c.flying.Load())
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		if c.err != nil {
			return 0, fmt.Errorf("%s: %w", p.name, c.err)
		}
		orders += len(c.ids)
		if c.last.After(ended) {
			ended = c.last
		}
	}
	for _, c := range clients {
		if err := check(ctx, p, c); err != nil {
			return 0, err
		}
	}
	return float64(orders) / ended.Sub(began).Seconds(), nil
}

// check asks for the newest orders of a client: they went to the market, and were not refused on the way.
func check(ctx context.Context, p *peer, c *pipelined) error {
	deadline := time.Now().Add(drainWithin)
	for _, vt := range c.ids[max(0, len(c.ids)-checkedOrders):] {
		id := hub.OrderID(vt[len(gatewayName)+1:])
		for {
			v, err := c.client.Call(ctx, veighna.GetOrder{Gateway: gatewayName, OrderID: id})
			if err != nil {
				return fmt.Errorf("%s: order %s: %w", p.name, vt, err)
			}
			o, _ := v.(hub.Order) // stock does not know an order before its event is through
			if o.Status == hub.Cancelled {
				break
			}
			if o.Status.Final() || time.Now().After(deadline) {
				return fmt.Errorf("%s: order %s is %s (%s), and should be CANCELLED", p.name, vt, o.Status, o.Reason)
			}
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

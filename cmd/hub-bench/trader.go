package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// gatewayName is the name of the simulated gateway, in both.
const gatewayName hub.GatewayName = "SIM"

// ask asks and waits, not for ever.
func ask[T any](ctx context.Context, c *rpc.Client, call veighna.Call) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var none T
	v, err := c.Call(ctx, call)
	if err != nil {
		return none, fmt.Errorf("%T: %w", call, err)
	}
	t, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("%T answers %T", call, v)
	}
	return t, nil
}

// contracts returns the futures of rebar.
func contracts(ctx context.Context, c *rpc.Client) ([]hub.Contract, error) {
	all, err := ask[[]any](ctx, c, veighna.GetAllContracts{})
	if err != nil {
		return nil, err
	}
	var out []hub.Contract
	for _, one := range all {
		if contract, ok := one.(hub.Contract); ok && contract.Kind == hub.Futures {
			out = append(out, contract)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no futures contract among %d", len(all))
	}
	return out, nil
}

// rebar is the first contract of rb.
func rebar(ctx context.Context, c *rpc.Client) (hub.Contract, error) {
	all, err := contracts(ctx, c)
	if err != nil {
		return hub.Contract{}, err
	}
	for _, one := range all {
		if strings.HasPrefix(one.Symbol, "rb") {
			return one, nil
		}
	}
	return hub.Contract{}, errors.New("there is no rb")
}

// lastPrice subscribes and waits for a tick.
func lastPrice(ctx context.Context, c *rpc.Client, i hub.Instrument) (hub.Decimal, error) {
	if _, err := c.Call(ctx, veighna.Subscribe{Instrument: i, Gateway: gatewayName}); err != nil {
		return hub.Decimal{}, err
	}
	for range 100 {
		v, err := c.Call(ctx, veighna.GetTick{Instrument: i})
		if err != nil {
			return hub.Decimal{}, err
		}
		if t, ok := v.(hub.Tick); ok && !t.Last.IsZero() {
			return t.Last, nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return hub.Decimal{}, err
		}
	}
	return hub.Decimal{}, fmt.Errorf("no tick of %s", i)
}

// below returns a price so many ticks of the contract below another.
func below(price hub.Decimal, c hub.Contract, ticks int64) (hub.Decimal, error) {
	var s hub.Sum
	p := s.Sub(price, s.Mul(c.Tick, hub.Int(ticks)))
	return p, s.Err()
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// counter is a subscriber that reads everything, decodes nothing, and counts the plain events of one kind: each event comes a second time with a suffix, and where no version is
// stated for the trader also in a framing that a 4.5 skips.
type counter struct {
	client *rpc.Client
	n      atomic.Int64
}

func count(p *peer, event string) (*counter, error) {
	k := &counter{}
	plain := append([]byte{0x8c, byte(len(event))}, event...) // how a pickle has a short string
	var err error
	k.client, err = rpc.Dial(rpc.ClientOptions{Request: p.request, Publish: p.publish, Messages: func(m veighna.Message) {
		if len(m) == 2 && bytes.Contains(m[1], plain) {
			k.n.Add(1)
		}
	}})
	return k, err
}

func (k *counter) close() error { return k.client.Close() }

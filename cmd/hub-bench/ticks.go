package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"tradehub/rpc/veighna"
)

const (
	ticksWarmup = 500 * time.Millisecond
	ticksFor    = 2 * time.Second
)

// ticksRound counts how many ticks a second raw subscribers get, all together.
func ticksRound(ctx context.Context, p *peer, subscribers int) (perSecond float64, err error) {
	var all []*counter
	defer func() {
		for _, k := range all {
			err = errors.Join(err, k.close())
		}
	}()
	for range subscribers {
		k, err := count(p, veighna.EventTick)
		if err != nil {
			return 0, err
		}
		all = append(all, k)
	}
	list, err := contracts(ctx, all[0].client)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		if _, err := all[0].client.Call(ctx, veighna.Subscribe{Instrument: c.Instrument, Gateway: gatewayName}); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, ticksWarmup); err != nil {
		return 0, err
	}
	sum := func() (n int64) {
		for _, k := range all {
			n += k.n.Load()
		}
		return n
	}
	before, began := sum(), time.Now()
	if err := pause(ctx, ticksFor); err != nil {
		return 0, err
	}
	return float64(sum()-before) / time.Since(began).Seconds(), nil
}

// stockTicksRound is ticksRound with stock clients, which unpickle every tick. They count in half a second less than they have.
func stockTicksRound(ctx context.Context, s settings, p *peer, subscribers int) (perSecond float64, err error) {
	err = withLoads(ctx, s, p, subscribers, []string{"--ticks", strconv.FormatFloat(ticksFor.Seconds(), 'g', -1, 64)}, func(l *process) error {
		var result struct {
			PerSecond float64 `json:"ticks_per_second"`
		}
		if err := l.expectStep(ctx, "result", startWithin, &result); err != nil {
			return err
		}
		perSecond += result.PerSecond
		return nil
	})
	return perSecond, err
}

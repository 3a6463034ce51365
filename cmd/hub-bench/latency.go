package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

// latency is what stock Python clients saw, in microseconds, all clients and rounds together.
type latency struct {
	Reply    []float64 `json:"reply_us"`
	Event    []float64 `json:"event_us"`
	Accepted []float64 `json:"accepted_us"`
	Cancel   []float64 `json:"cancel_reply_us"`
}

func (l *latency) add(o latency) {
	l.Reply = append(l.Reply, o.Reply...)
	l.Event = append(l.Event, o.Event...)
	l.Accepted = append(l.Accepted, o.Accepted...)
	l.Cancel = append(l.Cancel, o.Cancel...)
}

const latencyWarmup = 50

// latencyRound runs stock clients that send one order after the other, all at once, for one round.
func latencyRound(ctx context.Context, s settings, p *peer, clients, orders int) (latency, error) {
	var all latency
	err := withLoads(ctx, s, p, clients, []string{"--orders", strconv.Itoa(orders), "--warmup", strconv.Itoa(latencyWarmup), "--samples"}, func(l *process) error {
		var result struct {
			Samples latency `json:"samples"`
		}
		if err := l.expectStep(ctx, "result", 2*time.Minute, &result); err != nil {
			return err
		}
		all.add(result.Samples)
		return nil
	})
	return all, err
}

// withLoads starts load.py several times, lets them begin together, and hands each to f.
func withLoads(ctx context.Context, s settings, p *peer, clients int, args []string, f func(*process) error) (err error) {
	var loads []*process
	defer func() {
		for _, l := range loads {
			err = errors.Join(err, l.stop(false))
		}
	}()
	for i := range clients {
		l, err := start(fmt.Sprintf("load-%d", i), s.dir, s.python,
			append([]string{filepath.Join(s.scripts, "load.py"), "--req", p.request, "--pub", p.publish, "--deadline", "150"}, args...)...)
		if err != nil {
			return err
		}
		loads = append(loads, l)
	}
	for _, l := range loads {
		if err := l.expectStep(ctx, "ready", startWithin, nil); err != nil {
			return err
		}
	}
	for _, l := range loads {
		if _, err := l.in.Write([]byte("\n")); err != nil {
			return err
		}
	}
	for _, l := range loads {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// The methods of this file are the kill switch.

// SetState says what is allowed to a trader, to the fund or through a gateway, and returns when it holds.
func (r *Runner) SetState(ctx context.Context, in hub.SetState) error {
	if err := r.exists(in.Scope, in.Name); err != nil {
		return err
	}
	return r.doFirst(ctx, in, nil)
}

// CancelAll cancels every active order of a part, and returns how many there were. A cancel passes even when the journal does not: then the venues are asked, and nothing is recorded.
func (r *Runner) CancelAll(ctx context.Context, in hub.CancelAll) (orders int, err error) {
	err = r.doFirst(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.CancelledAll); ok {
				orders = a.Orders
			}
		}
	})
	if err != nil {
		return r.cancelAllUnrecorded(in), fmt.Errorf("the venues are asked, but it is not recorded: %w", err)
	}
	return orders, nil
}

// Flatten begins to close every position of a part, and returns how many orders are being cancelled and how many positions are to be closed. Flattenings tells how it goes on.
func (r *Runner) Flatten(ctx context.Context, in hub.Flatten) (answer core.FlattenAnswered, err error) {
	err = r.doFirst(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.FlattenAnswered); ok {
				answer = a
			}
		}
	})
	if err == nil && answer.Err != "" {
		err = errors.New(answer.Err)
	}
	return answer, err
}

// keepFlattening steps what is being flattened. It has a goroutine of its own: whoever proposes what must not be lost may wait for room in the journal.
func (r *Runner) keepFlattening() {
	tick := time.NewTicker(r.opts.MarkEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.closing:
			return
		case <-r.flattenWanted:
		case <-tick.C:
		}
		r.stepFlatten()
	}
}

// wantFlatten has a step made soon. It does not wait.
func (r *Runner) wantFlatten() {
	select {
	case r.flattenWanted <- struct{}{}:
	default:
	}
}

// stepFlatten proposes a step with the market of now, before all that waits: what is to be closed does not stand in the queue of those who open. One at a time is under way.
func (r *Runner) stepFlatten() {
	r.mu.Lock()
	markets, going := r.core.FlattenMarkets()
	r.mu.Unlock()
	if !going || r.flattening.Swap(true) {
		return
	}
	now := hub.TimeOf(r.opts.Clock())
	for i := range markets {
		m := &markets[i]
		if m.Market = r.market.view(m.Gateway, m.Instrument); m.Market.Seen == 0 {
			r.subscribe(m.Gateway, m.Instrument)
		}
		m.Market.Session = r.session(place{m.Gateway, m.Instrument}, now) // the step may overtake the entry of a trading day
	}
	done := func() { r.flattening.Store(false) }
	err := r.proposeBy(r.journal.ProposeFirst, hub.FlattenStep{Markets: markets}, proposal{applied: func([]core.Effect) { done() }, lost: func(error) { done() }})
	if err != nil {
		done() // the next tick of the clock tries again
	}
}

func (r *Runner) cancelAllUnrecorded(in hub.CancelAll) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Warn("cancel-all sent without record: the journal takes nothing", "part", in.Part, "by", in.By)
	n := 0
	for _, o := range r.core.Orders("", true) {
		if in.Part.Covers(o.Trader, o.Gateway, o.Instrument) {
			r.recall(o)
			n++
		}
	}
	return n
}

func (r *Runner) exists(scope hub.Scope, name string) error {
	there := true
	switch scope {
	case hub.ScopeTrader:
		_, there = r.Account(hub.TraderName(name))
	case hub.ScopeGateway:
		there = slices.ContainsFunc(r.Gateways(), func(g core.GatewayStanding) bool { return string(g.Name) == name })
	case hub.ScopeFund:
	}
	if !there {
		return fmt.Errorf("%s %s does not exist", scope, name)
	}
	return nil
}

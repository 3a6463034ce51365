package runner

import (
	"context"
	"fmt"
	"slices"

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

func (r *Runner) cancelAllUnrecorded(in hub.CancelAll) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Warn("cancel-all sent without record: the journal takes nothing", "part", in.Part, "by", in.By)
	n := 0
	for _, o := range r.core.Orders("", true) {
		if in.Part.Covers(o.Trader, o.Gateway, o.Instrument) {
			r.plugins.Cancel(o)
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

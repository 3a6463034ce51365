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
	return r.do(ctx, in, nil)
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

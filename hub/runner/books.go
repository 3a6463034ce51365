package runner

import (
	"context"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Transfer carries out a transfer of the operator's, a hub.TransferPosition or a hub.TransferCapital. With refusals nothing was moved.
func (r *Runner) Transfer(ctx context.Context, in hub.Input) (answer core.TransferAnswered, err error) {
	err = r.do(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.TransferAnswered); ok {
				answer = a
			}
		}
	})
	return answer, err
}

// Statement is what a venue says that the account holds.
func (r *Runner) Statement(in hub.VenueStatement) { r.must(in) }

// Breaks returns the differences between the books and the venues' accounts that were found, oldest first.
func (r *Runner) Breaks() []core.Break { return look(r, (*core.Core).Breaks) }

// Stated returns when each gateway last made a statement of its account; 0: never.
func (r *Runner) Stated(gateway hub.GatewayName) hub.Time {
	return look(r, func(c *core.Core) hub.Time { return c.Stated(gateway) })
}

// Figures returns a trader's figures ("" for the fund's).
func (r *Runner) Figures(trader hub.TraderName) (core.Figures, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Figures(trader)
}

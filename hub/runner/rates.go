package runner

import (
	"context"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Rates returns the newest word on every currency, and in which currency they are.
func (r *Runner) Rates() (fund string, rates []core.RateStanding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opts.SetUp.Currency, r.core.Rates()
}

// SetRates puts rates in force, all or none; errs say why none is.
func (r *Runner) SetRates(ctx context.Context, in hub.SetRates) (errs []string, err error) {
	err = r.do(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.RatesAnswered); ok {
				errs = a.Errors
			}
		}
	})
	return errs, err
}

// ratesOf are rates without who said them.
func ratesOf(standings []core.RateStanding) []hub.Rate {
	out := make([]hub.Rate, len(standings))
	for i, s := range standings {
		out[i] = s.Rate
	}
	return out
}

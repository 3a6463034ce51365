package main

import (
	"context"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// Rates answers with the newest word on every currency.
func (o operator) Rates() ctl.Rates {
	currency, rates := o.h.runner.Rates()
	out := ctl.Rates{Currency: currency, Rates: []ctl.Rate{}, MaxAge: o.h.config.Fund.RatesMaxAge.Seconds()}
	for _, r := range rates {
		at := time.Unix(0, int64(r.At)).UTC()
		out.Rates = append(out.Rates, ctl.Rate{Currency: r.Currency, Rate: r.Rate.Rate, Time: o.clock(at), Age: max(0, time.Since(at).Seconds()), By: r.By, Old: r.Old})
	}
	return out
}

// SetRate puts a rate in force.
func (o operator) SetRate(ctx context.Context, rate ctl.NewRate, by string) (ctl.Rates, error) {
	errs, err := o.h.runner.SetRates(ctx, hub.SetRates{Rates: []hub.Rate{{Currency: rate.Currency, Rate: rate.Rate}}, By: by, Jump: rate.Jump})
	if err != nil {
		return ctl.Rates{}, err
	}
	o.h.log.Warn("rate", "currency", rate.Currency, "rate", rate.Rate, "by", by, "refused", strings.Join(errs, "; "))
	if len(errs) > 0 {
		problem := &ctl.ProblemError{Text: strings.Join(errs, "; ")}
		if strings.Contains(problem.Text, "by more than") {
			problem.Hint = "look at the decimal point; if it is right, say --jump"
		}
		return ctl.Rates{}, problem
	}
	return o.Rates(), nil
}

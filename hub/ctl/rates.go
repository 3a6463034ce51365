package ctl

import (
	"context"
	"net/http"
	"time"

	"tradehub/hub"
)

// Rates are what other currencies are worth in the fund's.
type Rates struct {
	Currency string `json:"currency"` // the fund's
	Rates    []Rate `json:"rates"`
	// MaxAge is how old one may be, in seconds; 0: none is too old.
	MaxAge float64 `json:"max_age_seconds,omitempty"`
}

// Rate is the newest word on one currency.
type Rate struct {
	Currency string      `json:"currency"`
	Rate     hub.Decimal `json:"rate"`
	Time     time.Time   `json:"time"`
	Age      float64     `json:"age_seconds"`
	By       string      `json:"by"` // hub.yaml, or a person
	// Old: with it nothing but what makes a position smaller can be ordered.
	Old bool `json:"old,omitempty"`
}

// NewRate is a person's word on one currency.
type NewRate struct {
	Currency string      `json:"currency"`
	Rate     hub.Decimal `json:"rate"`
	// Jump: it moves by more than twice, and that is no slip.
	Jump bool `json:"jump,omitempty"`
}

func rateHandlers(mux *http.ServeMux, o Operator) {
	get(mux, "/v1/rates", func(*http.Request) (any, error) { return o.Rates(), nil })
	post(mux, "/v1/rates", func(r *http.Request, rate NewRate) (any, error) { return o.SetRate(r.Context(), rate, by(r)) })
}

// Rates asks what currencies are worth.
func (c *Client) Rates(ctx context.Context) (r Rates, err error) {
	return r, c.ask(ctx, http.MethodGet, "/v1/rates", nil, &r)
}

// SetRate says what a currency is worth. The answer is what all are worth now.
func (c *Client) SetRate(ctx context.Context, rate NewRate) (r Rates, err error) {
	return r, c.ask(ctx, http.MethodPost, "/v1/rates", rate, &r)
}

package ctl

import (
	"context"
	"net/http"
	"time"

	"tradehub/hub"
)

// PublishedNumber is the newest word on a number that rules can ask for.
type PublishedNumber struct {
	Name string `json:"name"`
	// Of is whose it is: a trader, or a contract or product with its exchange (rb2610.SHFE, rb.SHFE); "" for the fund.
	Of    string      `json:"of,omitempty"`
	Value hub.Decimal `json:"value"`
	Time  time.Time   `json:"time"`
	Age   float64     `json:"age_seconds"`
	By    string      `json:"by"` // a person, or a risk manager
}

// NewNumbers is somebody's word on some numbers: all are taken, or none.
type NewNumbers struct {
	Numbers []NewNumber `json:"numbers"`
}

// NewNumber is one of them.
type NewNumber struct {
	Name  string      `json:"name"`
	Of    string      `json:"of,omitempty"` // as of PublishedNumber
	Value hub.Decimal `json:"value,omitzero"`
	// Withdraw: there is no such number any more.
	Withdraw bool `json:"withdraw,omitempty"`
}

func numberHandlers(mux *http.ServeMux, o Operator) {
	get(mux, "/v1/numbers", func(*http.Request) (any, error) { return o.PublishedNumbers(), nil })
	post(mux, "/v1/numbers", func(r *http.Request, n NewNumbers) (any, error) { return o.PublishNumbers(r.Context(), n, by(r)) })
}

// PublishedNumbers asks for the numbers that rules can ask for.
func (c *Client) PublishedNumbers(ctx context.Context) (all []PublishedNumber, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/numbers", nil, &all)
}

// PublishNumbers says some numbers. The answer is all that there are now.
func (c *Client) PublishNumbers(ctx context.Context, n NewNumbers) (all []PublishedNumber, err error) {
	return all, c.ask(ctx, http.MethodPost, "/v1/numbers", n, &all)
}

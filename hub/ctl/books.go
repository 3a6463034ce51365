package ctl

import (
	"context"
	"net/http"
	"time"

	"tradehub/hub"
)

// PositionTransfer moves a position between two traders, or between one and what is unassigned.
type PositionTransfer struct {
	Contract  string      `json:"contract"`
	Gateway   string      `json:"gateway,omitempty"` // "": the first where the giver holds it
	Direction string      `json:"direction"`         // LONG or SHORT
	Quantity  hub.Decimal `json:"quantity"`
	From      string      `json:"from"`
	To        string      `json:"to"`
	// Price at which it goes over; 0: the last mark. AtCost: at what the giver had paid.
	Price  hub.Decimal `json:"price,omitzero"`
	AtCost bool        `json:"at_cost,omitempty"`
	Reason string      `json:"reason"`
}

// CapitalTransfer moves capital between two traders; From "" brings it in from outside, To "" takes it out.
type CapitalTransfer struct {
	From   string      `json:"from,omitempty"`
	To     string      `json:"to,omitempty"`
	Amount hub.Decimal `json:"amount"`
	Reason string      `json:"reason"`
}

// Transferred answers a transfer.
type Transferred struct {
	Done string `json:"done"`
	// Price and Gateway are of a position.
	Price   hub.Decimal `json:"price,omitzero"`
	Gateway string      `json:"gateway,omitempty"`
}

// Breaks is where the books and the venues' accounts differ.
type Breaks struct {
	Statements []Statement `json:"statements"`
	// Unassigned is what the venues' accounts hold and no trader's order explains, now; negative: they hold less than the traders' books.
	Unassigned []Position `json:"unassigned"`
	// Breaks are those that were found, oldest first.
	Breaks []Break `json:"breaks"`
}

// Statement is when a gateway stated its account last.
type Statement struct {
	Gateway string `json:"gateway"`
	// Time is zero when it never did: its account is compared with nothing.
	Time time.Time `json:"time,omitzero"`
}

// Break is a difference when it was found.
type Break struct {
	Time      time.Time   `json:"time"`
	Gateway   string      `json:"gateway"`
	Contract  string      `json:"contract"`
	Direction string      `json:"direction"`
	Hub       hub.Decimal `json:"hub"`
	Venue     hub.Decimal `json:"venue"`
	Text      string      `json:"text"`
}

func bookHandlers(mux *http.ServeMux, o Operator) {
	get(mux, "/v1/breaks", func(*http.Request) (any, error) { return o.Breaks(), nil })
	post(mux, "/v1/transfer/position", func(r *http.Request, t PositionTransfer) (any, error) {
		return o.TransferPosition(r.Context(), t, by(r))
	})
	post(mux, "/v1/transfer/capital", func(r *http.Request, t CapitalTransfer) (any, error) { return o.TransferCapital(r.Context(), t, by(r)) })
}

// Breaks asks where the books and the venues' accounts differ.
func (c *Client) Breaks(ctx context.Context) (b Breaks, err error) {
	return b, c.ask(ctx, http.MethodGet, "/v1/breaks", nil, &b)
}

// TransferPosition moves a position between two books.
func (c *Client) TransferPosition(ctx context.Context, in PositionTransfer) (t Transferred, err error) {
	return t, c.ask(ctx, http.MethodPost, "/v1/transfer/position", in, &t)
}

// TransferCapital moves capital between two books, or in, or out.
func (c *Client) TransferCapital(ctx context.Context, in CapitalTransfer) (t Transferred, err error) {
	return t, c.ask(ctx, http.MethodPost, "/v1/transfer/capital", in, &t)
}

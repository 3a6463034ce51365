package ctl

import (
	"context"
	"net/http"

	"tradehub/hub"
)

// NewAmendment asks for another price, another quantity, or both, of a working order.
type NewAmendment struct {
	Order string `json:"order"`
	// Price and Quantity are what the order is to have, Quantity in all, what is filled included; 0: as it is.
	Price    hub.Decimal `json:"price,omitzero"`
	Quantity hub.Decimal `json:"quantity,omitzero"`
}

// Amendment is one that is on its way to the venue, which has not answered yet.
type Amendment struct {
	Number   uint64      `json:"number"` // of the order's amendments
	Price    hub.Decimal `json:"price"`
	Quantity hub.Decimal `json:"quantity"`
}

// Amend changes a working order, if rules and risk managers let it. The answer, the order with its Amendment, comes when it is on its way; what the venue makes of it, the order shows.
func (c *Client) Amend(ctx context.Context, a NewAmendment) (o Order, err error) {
	return o, c.ask(ctx, http.MethodPost, "/v1/amend", a, &o)
}

func amendHandlers(mux *http.ServeMux, o Operator) {
	post(mux, "/v1/amend", func(r *http.Request, a NewAmendment) (any, error) {
		if a.Order == "" || a.Price.IsZero() && a.Quantity.IsZero() {
			return nil, &ProblemError{Text: "it is not said what is to be amended", Hint: "name an order, and a price, a quantity, or both"}
		}
		return o.Amend(r.Context(), a, by(r))
	})
}

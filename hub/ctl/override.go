package ctl

import (
	"context"
	"net/http"
	"time"

	"tradehub/hub"
)

// OverrideQuestion asks to let one order past rules.
type OverrideQuestion struct {
	Trader    string      `json:"trader"`
	Gateway   string      `json:"gateway,omitempty"` // "": where an order goes that names none
	Contract  string      `json:"contract"`
	Direction string      `json:"direction"`        // LONG or SHORT
	Offset    string      `json:"offset,omitempty"` // "": any
	Quantity  hub.Decimal `json:"quantity"`
	Price     hub.Decimal `json:"price,omitzero"` // the worst; 0: any, and a market order too
	Rules     []string    `json:"rules"`
	Reason    string      `json:"reason"`
	// Seconds is how long it is open.
	Seconds float64 `json:"seconds"`
}

// OverrideAnswer is the second person's word, or that of who withdraws.
type OverrideAnswer struct {
	Number uint64 `json:"number"`
	Reason string `json:"reason,omitempty"` // of a withdrawal
}

// Override is one override and its life so far.
type Override struct {
	Number    uint64      `json:"number"`
	State     string      `json:"state"` // ASKED, APPROVED, USED, EXPIRED, WITHDRAWN or VOID
	Trader    string      `json:"trader"`
	Gateway   string      `json:"gateway"`
	Contract  string      `json:"contract"`
	Direction string      `json:"direction"`
	Offset    string      `json:"offset,omitempty"`
	Quantity  hub.Decimal `json:"quantity"`
	Price     hub.Decimal `json:"price,omitzero"`
	Rules     []string    `json:"rules"`  // "trader:order-value", "fund:collar"
	Places    []string    `json:"places"` // of Rules, file:line
	Revision  string      `json:"revision"`
	Reason    string      `json:"reason"`
	Asked     time.Time   `json:"asked"`
	Expires   time.Time   `json:"expires"`
	AskedBy   string      `json:"asked_by"`
	// Approved and ApprovedBy are of the second person.
	Approved   time.Time `json:"approved,omitzero"`
	ApprovedBy string    `json:"approved_by,omitempty"`
	Ended      time.Time `json:"ended,omitzero"`
	EndedBy    string    `json:"ended_by,omitempty"` // who withdrew it
	Why        string    `json:"why,omitempty"`
	Order      string    `json:"order,omitempty"` // that used it
}

// Overrides asks for those that are open, and the last that ended.
func (c *Client) Overrides(ctx context.Context) (all []Override, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/overrides", nil, &all)
}

// AskOverride asks to let one order past rules.
func (c *Client) AskOverride(ctx context.Context, q OverrideQuestion) (v Override, err error) {
	return v, c.ask(ctx, http.MethodPost, "/v1/overrides/ask", q, &v)
}

// ApproveOverride approves what another person asked for.
func (c *Client) ApproveOverride(ctx context.Context, number uint64) (v Override, err error) {
	return v, c.ask(ctx, http.MethodPost, "/v1/overrides/approve", OverrideAnswer{Number: number}, &v)
}

// WithdrawOverride ends an override that nobody has used.
func (c *Client) WithdrawOverride(ctx context.Context, number uint64, reason string) (v Override, err error) {
	return v, c.ask(ctx, http.MethodPost, "/v1/overrides/withdraw", OverrideAnswer{number, reason}, &v)
}

func overrideHandlers(mux *http.ServeMux, o Operator) {
	get(mux, "/v1/overrides", func(*http.Request) (any, error) { return o.Overrides(), nil })
	postBy(mux, "/v1/overrides/ask", Ask, func(r *http.Request, q OverrideQuestion) (any, error) {
		return o.AskOverride(r.Context(), q, callerOf(r).person)
	})
	postBy(mux, "/v1/overrides/approve", Approve, func(r *http.Request, a OverrideAnswer) (any, error) {
		return o.ApproveOverride(r.Context(), a.Number, callerOf(r).person)
	})
	// Whoever gets in may: it only refuses more.
	postBy(mux, "/v1/overrides/withdraw", Read, func(r *http.Request, a OverrideAnswer) (any, error) {
		return o.WithdrawOverride(r.Context(), a.Number, a.Reason, callerOf(r).person)
	})
}

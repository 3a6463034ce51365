package ctl

import (
	"context"
	"net/http"
	"time"
)

// Whom names a trader, a gateway, or all: exactly one of them, so that nobody halts the fund by leaving a name away. Where orders or positions are meant, and not who may trade, trader,
// gateway and contract can be named together, and mean what fits all of them.
type Whom struct {
	Trader   string `json:"trader,omitempty"`
	Gateway  string `json:"gateway,omitempty"`
	Contract string `json:"contract,omitempty"` // rb2610.SHFE
	All      bool   `json:"all,omitempty"`
	// Reason is shown to the traders.
	Reason string `json:"reason,omitempty"`
}

// GatewayStanding is what is allowed through a gateway.
type GatewayStanding struct {
	Name   string `json:"name"`
	Up     bool   `json:"up"`
	Reason string `json:"reason,omitempty"` // why it is not up
	State  string `json:"state"`
	Why    string `json:"why,omitempty"`
	// Restraints are what State comes from: the most restrictive holds.
	Restraints []Restraint `json:"restraints,omitempty"`
	// Channel is what the gateway's channel takes, and who has used how much of it; none when it has no limit.
	Channel []MessageLimit `json:"channel,omitempty"`
}

// MessageLimit is one limit of a gateway's channel. Counts are of the window that ends now.
type MessageLimit struct {
	Messages int            `json:"messages"`
	Window   string         `json:"window"`
	Reserve  int            `json:"reserve"` // kept for cancels
	Used     int            `json:"used"`
	Shares   []MessageShare `json:"shares"`
}

// MessageShare is a trader's part of a limit. Own is the trader's; Kept of it is there at once, and the whole a window after the trader's next message. Used counts orders that were
// refused, too.
type MessageShare struct {
	Trader string `json:"trader"`
	Own    int    `json:"own"`
	Kept   int    `json:"kept"`
	Used   int    `json:"used"`
}

// Restraint is one word on what is allowed: a person's, or a watch's.
type Restraint struct {
	State  string     `json:"state"`
	By     string     `json:"by,omitempty"`
	Watch  string     `json:"watch,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
}

// Flattening answers a flatten.
type Flattening struct {
	Orders    int `json:"orders"`    // that are being cancelled
	Positions int `json:"positions"` // that are to be closed
}

// FlattenStanding is how far a flatten is.
type FlattenStanding struct {
	Part  string    `json:"part"` // "alpha", "alpha's rb2610.SHFE", "the fund"
	By    string    `json:"by"`
	Why   string    `json:"why,omitempty"`
	Since time.Time `json:"since"`
	Rest  []string  `json:"rest"` // what is still held, and what is waited for
}

// Flatten closes positions. The answer comes when it has begun.
func (c *Client) Flatten(ctx context.Context, whom Whom) (f Flattening, err error) {
	return f, c.ask(ctx, http.MethodPost, "/v1/flatten", whom, &f)
}

// Watch is how a watch of the policies stands.
type Watch struct {
	Trader string   `json:"trader"` // "" for the fund
	Name   string   `json:"name"`
	Place  string   `json:"place"` // file:line
	Then   []string `json:"then"`
	// Fired: it does nothing until it has been clear, or, when it is Daily, until the next trading day. Times counts since it was first loaded.
	Fired bool       `json:"fired"`
	Since *time.Time `json:"since,omitempty"` // when it fired last
	Times int        `json:"times"`
	Daily bool       `json:"daily"`
	// Blind is why it cannot be computed: it does nothing until it can.
	Blind  string   `json:"blind,omitempty"`
	Values []string `json:"values"` // what it reads now, as name=value
}

// Watches asks how the watches stand.
func (c *Client) Watches(ctx context.Context) (w []Watch, err error) {
	return w, c.ask(ctx, http.MethodGet, "/v1/watches", nil, &w)
}

// one wants a single subject.
func one(do func(*http.Request, Whom) (any, error)) func(*http.Request, Whom) (any, error) {
	return func(r *http.Request, w Whom) (any, error) {
		named := 0
		for _, is := range []bool{w.Trader != "", w.Gateway != "", w.All} {
			if is {
				named++
			}
		}
		if named != 1 || w.Contract != "" {
			return nil, &ProblemError{Text: "it is not said for whom", Hint: "name one trader, one gateway, or all, and not two of them"}
		}
		return do(r, w)
	}
}

// some wants any part of what is worked or held, or all of it.
func some(do func(*http.Request, Whom) (any, error)) func(*http.Request, Whom) (any, error) {
	return func(r *http.Request, w Whom) (any, error) {
		if (w.Trader != "" || w.Gateway != "" || w.Contract != "") == w.All {
			return nil, &ProblemError{Text: "it is not said for whom", Hint: "name a trader, a gateway, a contract, or all"}
		}
		return do(r, w)
	}
}

// SetState asks for a state: "HALTED", "CANCEL_ONLY", "REDUCE_ONLY" or "ACTIVE". The answer says what holds now.
func (c *Client) SetState(ctx context.Context, state string, whom Whom) (d Done, err error) {
	path, ok := statePaths[state]
	if !ok {
		return d, &ProblemError{Text: "there is no state " + state}
	}
	return d, c.ask(ctx, http.MethodPost, path, whom, &d)
}

// statePaths are where states are asked for.
var statePaths = map[string]string{"HALTED": "/v1/halt", "CANCEL_ONLY": "/v1/cancel-only", "REDUCE_ONLY": "/v1/reduce-only", "ACTIVE": "/v1/resume"}

func stateHandlers(mux *http.ServeMux, o Operator) {
	for state, path := range statePaths {
		post(mux, path, one(func(r *http.Request, w Whom) (any, error) {
			said, err := o.SetState(r.Context(), state, w, by(r))
			return Done{said}, err
		}))
	}
}

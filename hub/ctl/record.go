package ctl

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Loaded is one load of policies, as the record has it.
type Loaded struct {
	Time     time.Time `json:"time"`
	By       string    `json:"by"`
	Revision string    `json:"revision"`
	// InForce is the revision after it: with Errors the one that was before.
	InForce string       `json:"in_force"`
	Files   []PolicyFile `json:"files"`
	Errors  []string     `json:"errors,omitempty"`
	// Instead is of a rollback: the revision of the folder in whose place this one was put in force.
	Instead string `json:"instead,omitempty"`
	// Row and Entry are where it is in the record and in the journal.
	Row   uint64 `json:"row"`
	Entry uint64 `json:"entry"`
}

// PolicyFile is a file of a load. Text is there when one load is asked for.
type PolicyFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
	Text   string `json:"text,omitempty"`
}

// Rollback asks for an earlier revision.
type Rollback struct {
	Revision string `json:"revision"`
}

// RolledBack answers a rollback: with Errors the old revision stays in force.
type RolledBack struct {
	Revision string `json:"revision"` // that is in force
	Before   string `json:"before"`
	// Folder is what the policy folder says; "" when it cannot be read. When it is another revision, it is not loaded until it changes or somebody asks for it.
	Folder string   `json:"folder"`
	Files  int      `json:"files"`
	Errors []string `json:"errors,omitempty"`
}

func recordHandlers(mux *http.ServeMux, o Operator) {
	get(mux, "/v1/explain", func(r *http.Request) (any, error) {
		return o.Explain(r.Context(), r.URL.Query().Get("order"), r.URL.Query().Get("language"))
	})
	get(mux, "/v1/policy/log", func(r *http.Request) (any, error) { return o.PolicyLog(r.Context()) })
	get(mux, "/v1/policy/show", func(r *http.Request) (any, error) { return o.Policy(r.Context(), r.URL.Query().Get("revision")) })
	post(mux, "/v1/policy/rollback", func(r *http.Request, b Rollback) (any, error) {
		return o.RollbackPolicy(r.Context(), b.Revision, by(r))
	})
}

// Explain asks for all that the record has of an order; the answer is the record's own, and is read into what the caller gives.
func (c *Client) Explain(ctx context.Context, order, language string, into any) error {
	return c.ask(ctx, http.MethodGet, "/v1/explain?"+url.Values{"order": {order}, "language": {language}}.Encode(), nil, into)
}

// PolicyLog asks for all loads of policies, the first one first.
func (c *Client) PolicyLog(ctx context.Context) (all []Loaded, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/policy/log", nil, &all)
}

// Policy asks for the newest load of a revision, with the texts.
func (c *Client) Policy(ctx context.Context, revision string) (l Loaded, err error) {
	return l, c.ask(ctx, http.MethodGet, "/v1/policy/show?"+url.Values{"revision": {revision}}.Encode(), nil, &l)
}

// RollbackPolicy puts an earlier revision in force.
func (c *Client) RollbackPolicy(ctx context.Context, revision string) (b RolledBack, err error) {
	return b, c.ask(ctx, http.MethodPost, "/v1/policy/rollback", Rollback{revision}, &b)
}

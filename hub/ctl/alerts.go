package ctl

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Alert is something that a person must look at.
type Alert struct {
	// Seq counts since the hub began, from 1.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// alertsWait is how long a question for alerts waits for the next: less than any answer may take.
const alertsWait = 20 * time.Second

func alertHandlers(mux *http.ServeMux, o Operator) {
	get(mux, "/v1/alerts", func(r *http.Request) (any, error) {
		after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
		if err != nil {
			return nil, &ProblemError{Text: "after: a number is wanted"}
		}
		ctx, cancel := context.WithCancel(r.Context())
		if r.URL.Query().Get("wait") == "true" {
			ctx, cancel = context.WithTimeout(r.Context(), alertsWait)
		} else {
			cancel()
		}
		defer cancel()
		return o.Alerts(ctx, after), nil
	})
}

// Alerts asks for those after the one of a number, the oldest first. With wait the answer comes with the next alert when there is none yet, or is empty after some time.
func (c *Client) Alerts(ctx context.Context, after uint64, wait bool) (all []Alert, err error) {
	query := url.Values{"after": {strconv.FormatUint(after, 10)}, "wait": {strconv.FormatBool(wait)}}
	return all, c.ask(ctx, http.MethodGet, "/v1/alerts?"+query.Encode(), nil, &all)
}

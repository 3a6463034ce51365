package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
)

// UnreachableError says that no hub answers on a data directory's socket.
type UnreachableError struct {
	Socket string
	Err    error
}

// Error names the socket.
func (u *UnreachableError) Error() string {
	return fmt.Sprintf("no hub answers at %s: %v", u.Socket, u.Err)
}

// Unwrap returns why.
func (u *UnreachableError) Unwrap() error { return u.Err }

// answerMax is the longest answer that is read.
const answerMax = 256 << 20

// Client asks the hub of one data directory. Its methods return *UnreachableError when there is none, and *ProblemError when it says no.
type Client struct {
	socket string
	http   *http.Client
}

// NewClient makes a client; it connects with the first question.
func NewClient(dir string) *Client { return NewDeskClient(filepath.Join(dir, SocketName)) }

// NewDeskClient makes a client that comes in by the desk's socket.
func NewDeskClient(socket string) *Client {
	c := &Client{socket: socket}
	c.http = &http.Client{Transport: &http.Transport{DialContext: c.dial, DisableKeepAlives: true}}
	return c
}

func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	short, done, err := shorten(c.socket)
	if err != nil {
		return nil, err
	}
	defer done()
	return new(net.Dialer).DialContext(ctx, "unix", short)
}

func (c *Client) ask(ctx context.Context, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://hub"+path, content)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		// "no such file or directory", without the way through the layers.
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			err = outer.Err
		}
		if outer := (*net.OpError)(nil); errors.As(err, &outer) {
			err = outer.Err
		}
		return &UnreachableError{c.socket, err}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerMax))
	if err != nil {
		return &UnreachableError{c.socket, err}
	}
	if response.StatusCode != http.StatusOK {
		problem := new(ProblemError)
		if err := json.Unmarshal(text, problem); err != nil || problem.Text == "" {
			return fmt.Errorf("the hub answered %s", response.Status)
		}
		return problem
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	return nil
}

// Status asks for the hub in one page.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.ask(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Plugins asks how the plugins are.
func (c *Client) Plugins(ctx context.Context) (p []Plugin, err error) {
	return p, c.ask(ctx, http.MethodGet, "/v1/plugins", nil, &p)
}

// Accounts asks for the fund's account and every trader's.
func (c *Client) Accounts(ctx context.Context) (a []Account, err error) {
	return a, c.ask(ctx, http.MethodGet, "/v1/accounts", nil, &a)
}

// Orders asks for a trader's orders, "" for all.
func (c *Client) Orders(ctx context.Context, trader string, activeOnly bool) (o []Order, err error) {
	query := url.Values{"trader": {trader}, "active": {strconv.FormatBool(activeOnly)}}
	return o, c.ask(ctx, http.MethodGet, "/v1/orders?"+query.Encode(), nil, &o)
}

// Trades asks for a trader's fills, "" for all.
func (c *Client) Trades(ctx context.Context, trader string) (t []Trade, err error) {
	return t, c.ask(ctx, http.MethodGet, "/v1/trades?"+url.Values{"trader": {trader}}.Encode(), nil, &t)
}

// Positions asks for a trader's positions, "" for the fund's.
func (c *Client) Positions(ctx context.Context, trader string) (p []Position, err error) {
	return p, c.ask(ctx, http.MethodGet, "/v1/positions?"+url.Values{"trader": {trader}}.Encode(), nil, &p)
}

// CancelAll cancels every active order.
func (c *Client) CancelAll(ctx context.Context, whom Whom) (n Cancelled, err error) {
	return n, c.ask(ctx, http.MethodPost, "/v1/cancel-all", whom, &n)
}

// ReloadPolicy reads the policy files again.
func (c *Client) ReloadPolicy(ctx context.Context) (r Reloaded, err error) {
	return r, c.ask(ctx, http.MethodPost, "/v1/policy/reload", struct{}{}, &r)
}

// StartRPC opens the traders' addresses.
func (c *Client) StartRPC(ctx context.Context) (d Done, err error) {
	return d, c.ask(ctx, http.MethodPost, "/v1/rpc/start", struct{}{}, &d)
}

// StopRPC closes the traders' addresses; gateways stay connected.
func (c *Client) StopRPC(ctx context.Context) (d Done, err error) {
	return d, c.ask(ctx, http.MethodPost, "/v1/rpc/stop", struct{}{}, &d)
}

// SetLogLevel changes how much the hub logs.
func (c *Client) SetLogLevel(ctx context.Context, level string) (d Done, err error) {
	return d, c.ask(ctx, http.MethodPost, "/v1/log", Level{level}, &d)
}

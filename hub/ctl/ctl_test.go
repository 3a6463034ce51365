package ctl_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// operator is a hub with one trader that writes down what it is asked to do.
type operator struct {
	did  []string
	fail error
}

var (
	at     = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	status = ctl.Status{
		Version: "1", PID: 7, Started: at, Data: "/data", Fund: "evergreen", Currency: "CNY", Day: "20261123", Entries: 12, Journal: "leading", Ready: true,
		Revision: "7f3a91", RPC: []ctl.Line{{Trader: "alpha", Request: "tcp://127.0.0.1:2014", Publish: "tcp://127.0.0.1:4102", Running: true, Clients: 2}},
		Plugins: []ctl.Plugin{{Kind: "gateway", Name: "SIM", State: "up", Since: at}},
		Traders: []ctl.Standing{{Trader: "alpha", State: "HALTED", Halted: true, Why: "HALTED by ops", Account: ctl.Account{Trader: "alpha", Capital: hub.MustDecimal("2000000.5")}}},
	}
	plugin   = ctl.Plugin{Kind: "risk", Name: "margin", State: "up", Since: at, Numbers: []ctl.Number{{Name: "margin.used", Trader: "alpha", Value: hub.MustDecimal("4550")}}}
	watch    = ctl.Watch{Trader: "alpha", Name: "loss", Place: "alpha.yaml:3", Then: []string{"alert"}, Fired: true, Since: &at, Times: 2, Values: []string{"trader.pnl.day=-5"}}
	order    = ctl.Order{ID: "o1", Trader: "alpha", Contract: "rb2610.SHFE", Price: hub.MustDecimal("3500"), Quantity: hub.MustDecimal("3"), Active: true, Time: at, Updated: at}
	trade    = ctl.Trade{ID: "t1", OrderID: "o1", Trader: "alpha", Time: at}
	position = ctl.Position{Trader: "alpha", Contract: "rb2610.SHFE", Direction: "LONG"}
	rates    = ctl.Rates{Currency: "CNY", Rates: []ctl.Rate{{Currency: "USDT", Rate: hub.MustDecimal("7.1"), Time: at, Age: 3.5, By: "hub.yaml", Old: true}}, MaxAge: 2}
	breaks   = ctl.Breaks{
		Statements: []ctl.Statement{{Gateway: "SIM", Time: at}, {Gateway: "CTP"}}, Unassigned: []ctl.Position{{Trader: "unassigned", Quantity: hub.MustDecimal("-2")}},
		Breaks: []ctl.Break{{Time: at, Gateway: "SIM", Contract: "rb2610.SHFE", Direction: "LONG", Hub: hub.MustDecimal("5"), Venue: hub.MustDecimal("7"), Text: "break"}},
	}
	moved = ctl.Transferred{Done: "moved", Price: hub.MustDecimal("3500.5"), Gateway: "SIM"}
	days  = ctl.Calendar{
		Name: "cn-futures", Main: true, Exchanges: []string{"SHFE"}, Zone: "Asia/Shanghai", Now: at, Day: "20261123", Books: "20261123", Began: at, NextRoll: at, Known: true, KnownUntil: "2026-12-31",
		Hours: []ctl.Hours{{Group: "day", Products: []string{"wr"}, Phase: "CLOSED", NextOpen: at}},
	}
	alerts  = []ctl.Alert{{Seq: 1, Time: at, Text: "policies refused"}}
	account = ctl.Account{Trader: "alpha", Balance: hub.MustDecimal("0.1")}
	adv     = ctl.PublishedNumber{Name: "adv", Of: "rb2610.SHFE", Value: hub.MustDecimal("1200000"), Time: at, Age: 3.5, By: "olivia"}
)

func (o *operator) note(format string, args ...any) error {
	o.did = append(o.did, fmt.Sprintf(format, args...))
	return o.fail
}

func (o *operator) Status() ctl.Status      { return status }
func (o *operator) Plugins() []ctl.Plugin   { return []ctl.Plugin{plugin} }
func (o *operator) Watches() []ctl.Watch    { return []ctl.Watch{watch} }
func (o *operator) Accounts() []ctl.Account { return []ctl.Account{account} }

func (o *operator) Alerts(ctx context.Context, after uint64) []ctl.Alert {
	if after > 0 {
		<-ctx.Done()
		return []ctl.Alert{}
	}
	return alerts
}

func (o *operator) Calendars() []ctl.Calendar { return []ctl.Calendar{days} }

func (o *operator) Orders(trader string, activeOnly bool) ([]ctl.Order, error) {
	return []ctl.Order{order}, o.note("orders %q %v", trader, activeOnly)
}

func (o *operator) Trades(trader string) ([]ctl.Trade, error) {
	return []ctl.Trade{trade}, o.note("trades %q", trader)
}

func (o *operator) Positions(trader string) ([]ctl.Position, error) {
	return []ctl.Position{position}, o.note("positions %q", trader)
}

func (o *operator) SetState(_ context.Context, state string, w ctl.Whom, by string) (string, error) {
	return "so it is", o.note("%s %+v by %s", state, w, by)
}

func (o *operator) Rates() ctl.Rates { return rates }

func (o *operator) SetRate(_ context.Context, r ctl.NewRate, by string) (ctl.Rates, error) {
	return rates, o.note("rate %s %s %t by %s", r.Currency, r.Rate, r.Jump, by)
}

func (o *operator) PublishedNumbers() []ctl.PublishedNumber { return []ctl.PublishedNumber{adv} }

func (o *operator) PublishNumbers(_ context.Context, n ctl.NewNumbers, by string) ([]ctl.PublishedNumber, error) {
	return []ctl.PublishedNumber{adv}, o.note("publish %+v by %s", n, by)
}

func (o *operator) Breaks() ctl.Breaks { return breaks }

func (o *operator) TransferPosition(_ context.Context, t ctl.PositionTransfer, by string) (ctl.Transferred, error) {
	return moved, o.note("move %+v by %s", t, by)
}

func (o *operator) TransferCapital(_ context.Context, t ctl.CapitalTransfer, by string) (ctl.Transferred, error) {
	return moved, o.note("move %+v by %s", t, by)
}

func (o *operator) Amend(_ context.Context, a ctl.NewAmendment, by string) (ctl.Order, error) {
	amended := order
	amended.Amendment = &ctl.Amendment{Number: 1, Price: a.Price, Quantity: a.Quantity}
	return amended, o.note("amend %s to %s at %s by %s", a.Order, a.Quantity, a.Price, by)
}

func (o *operator) CancelAll(_ context.Context, w ctl.Whom, by string) (ctl.Cancelled, error) {
	return ctl.Cancelled{Orders: 3}, o.note("cancel-all %+v by %s", w, by)
}

func (o *operator) Flatten(_ context.Context, w ctl.Whom, by string) (ctl.Flattening, error) {
	return ctl.Flattening{Orders: 2, Positions: 1}, o.note("flatten %+v by %s", w, by)
}

func (o *operator) ReloadPolicy(_ context.Context, by string) (ctl.Reloaded, error) {
	return ctl.Reloaded{Revision: "7f3a91", Files: 2, Errors: []string{"alpha.yaml:1:1: no"}}, o.note("reload by %s", by)
}

func (o *operator) Explain(_ context.Context, order, language string) (any, error) {
	if order == "" {
		return nil, &ctl.ProblemError{Text: "there is no order", Hint: "there are others"}
	}
	return map[string]string{"order": order, "language": language}, nil
}

func (o *operator) PolicyLog(context.Context) ([]ctl.Loaded, error) {
	return []ctl.Loaded{{By: "anna", Revision: "7f3a91", Files: []ctl.PolicyFile{{Name: "fund.yaml"}}}}, nil
}

func (o *operator) Policy(_ context.Context, revision string) (ctl.Loaded, error) {
	return ctl.Loaded{Revision: revision + "!"}, nil
}

func (o *operator) RollbackPolicy(_ context.Context, revision, by string) (ctl.RolledBack, error) {
	return ctl.RolledBack{Revision: revision, Before: "7f3a91"}, o.note("rollback to %s by %s", revision, by)
}

func (o *operator) StartRPC(by string) (string, error) {
	return "RPC服务启动成功", o.note("rpc start by %s", by)
}

func (o *operator) StopRPC(by string) (string, error) {
	return "RPC服务已停止", o.note("rpc stop by %s", by)
}

func (o *operator) SetLogLevel(level, by string) error { return o.note("log %s by %s", level, by) }

// serve answers for o in dir until the test ends.
func serve(t *testing.T, dir string, o ctl.Operator) {
	t.Helper()
	l, err := ctl.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := ctl.Serve(l, o, hclog.NewNullLogger())
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, ctl.SocketName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
}

func me(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

// TestEverything asks every question over a real socket.
func TestEverything(t *testing.T) {
	dir := t.TempDir()
	o := new(operator)
	serve(t, dir, o)
	c := ctl.NewClient(dir)
	ctx := t.Context()
	same := cmp.Comparer(func(a, b hub.Decimal) bool { return a.Equal(b) })
	check := func(what string, want, got any, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got, same); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	gotStatus, err := c.Status(ctx)
	check("status", status, gotStatus, err)
	plugins, err := c.Plugins(ctx)
	check("plugins", []ctl.Plugin{plugin}, plugins, err)
	watches, err := c.Watches(ctx)
	check("watches", []ctl.Watch{watch}, watches, err)
	accounts, err := c.Accounts(ctx)
	check("accounts", []ctl.Account{account}, accounts, err)
	calendars, err := c.Calendars(ctx)
	check("calendars", []ctl.Calendar{days}, calendars, err)
	gotAlerts, err := c.Alerts(ctx, 0, false)
	check("alerts", alerts, gotAlerts, err)
	gotAlerts, err = c.Alerts(ctx, 1, false)
	check("alerts after the last", []ctl.Alert{}, gotAlerts, err)
	orders, err := c.Orders(ctx, "a&b", true)
	check("orders", []ctl.Order{order}, orders, err)
	trades, err := c.Trades(ctx, "alpha")
	check("trades", []ctl.Trade{trade}, trades, err)
	positions, err := c.Positions(ctx, "")
	check("positions", []ctl.Position{position}, positions, err)
	var asked []string
	var done ctl.Done
	for _, state := range []string{"HALTED", "CANCEL_ONLY", "REDUCE_ONLY", "ACTIVE"} {
		for _, w := range []ctl.Whom{{Trader: "alpha", Reason: "lunch"}, {Gateway: "SIM"}, {All: true}} {
			done, err = c.SetState(ctx, state, w)
			check(state, ctl.Done{Done: "so it is"}, done, err)
			asked = append(asked, fmt.Sprintf("%s %+v by %s", state, w, me(t)))
		}
	}
	gotRates, err := c.Rates(ctx)
	check("rates", rates, gotRates, err)
	gotRates, err = c.SetRate(ctx, ctl.NewRate{Currency: "USDT", Rate: hub.MustDecimal("7.12"), Jump: true})
	check("set rate", rates, gotRates, err)
	gotNumbers, err := c.PublishedNumbers(ctx)
	check("numbers", []ctl.PublishedNumber{adv}, gotNumbers, err)
	gotNumbers, err = c.PublishNumbers(ctx, ctl.NewNumbers{Numbers: []ctl.NewNumber{{Name: "adv", Of: "rb2610.SHFE", Value: hub.MustDecimal("1200000")}, {Name: "var", Of: "alpha", Withdraw: true}}})
	check("publish numbers", []ctl.PublishedNumber{adv}, gotNumbers, err)
	asked = append(asked, "rate USDT 7.12 true by "+me(t))
	asked = append(asked, "publish {Numbers:[{Name:adv Of:rb2610.SHFE Value:+1200000 Withdraw:false} {Name:var Of:alpha Value:+0 Withdraw:true}]} by "+me(t))
	gotBreaks, err := c.Breaks(ctx)
	check("breaks", breaks, gotBreaks, err)
	position := ctl.PositionTransfer{
		Contract: "rb2610.SHFE", Gateway: "SIM", Direction: "LONG", Quantity: hub.MustDecimal("3"), From: "alpha", To: "beta", Price: hub.MustDecimal("0.1"), AtCost: true, Reason: "handover",
	}
	gotMoved, err := c.TransferPosition(ctx, position)
	check("transfer position", moved, gotMoved, err)
	capital := ctl.CapitalTransfer{From: "alpha", To: "beta", Amount: hub.MustDecimal("100000.5"), Reason: "more"}
	gotMoved, err = c.TransferCapital(ctx, capital)
	check("transfer capital", moved, gotMoved, err)
	asked = append(asked, fmt.Sprintf("move %+v by %s", position, me(t)), fmt.Sprintf("move %+v by %s", capital, me(t)))
	overrides, err := c.Overrides(ctx)
	check("overrides", []ctl.Override{override}, overrides, err)
	cancelled, err := c.CancelAll(ctx, ctl.Whom{Trader: "alpha"})
	check("cancel-all", ctl.Cancelled{Orders: 3}, cancelled, err)
	flattening, err := c.Flatten(ctx, ctl.Whom{Trader: "alpha", Contract: "rb2610.SHFE", Reason: "fire"})
	check("flatten", ctl.Flattening{Orders: 2, Positions: 1}, flattening, err)
	reloaded, err := c.ReloadPolicy(ctx)
	check("reload", ctl.Reloaded{Revision: "7f3a91", Files: 2, Errors: []string{"alpha.yaml:1:1: no"}}, reloaded, err)
	explained := map[string]string{}
	err = c.Explain(ctx, "k-1&2", "zh", &explained)
	check("explain", map[string]string{"order": "k-1&2", "language": "zh"}, explained, err)
	loads, err := c.PolicyLog(ctx)
	check("policy log", []ctl.Loaded{{By: "anna", Revision: "7f3a91", Files: []ctl.PolicyFile{{Name: "fund.yaml"}}}}, loads, err)
	load, err := c.Policy(ctx, "7f")
	check("policy show", ctl.Loaded{Revision: "7f!"}, load, err)
	back, err := c.RollbackPolicy(ctx, "7f")
	check("rollback", ctl.RolledBack{Revision: "7f", Before: "7f3a91"}, back, err)
	done, err = c.StopRPC(ctx)
	check("rpc stop", ctl.Done{Done: "RPC服务已停止"}, done, err)
	done, err = c.StartRPC(ctx)
	check("rpc start", ctl.Done{Done: "RPC服务启动成功"}, done, err)
	done, err = c.SetLogLevel(ctx, "debug")
	check("log", ctl.Done{Done: "level debug"}, done, err)

	who := me(t)
	want := slices.Concat([]string{`orders "a&b" true`, `trades "alpha"`, `positions ""`}, asked, []string{
		"cancel-all {Trader:alpha Gateway: Contract: All:false Reason:} by " + who, "flatten {Trader:alpha Gateway: Contract:rb2610.SHFE All:false Reason:fire} by " + who, "reload by " + who, "rollback to 7f by " + who, "rpc stop by " + who, "rpc start by " + who, "log debug by " + who,
	})
	if diff := cmp.Diff(want, o.did); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestProblems(t *testing.T) {
	dir := t.TempDir()
	o := &operator{fail: &ctl.ProblemError{Text: "trader gamma is not configured", Hint: "there are alpha, beta"}}
	serve(t, dir, o)
	c := ctl.NewClient(dir)

	_, err := c.Orders(t.Context(), "gamma", false)
	var p *ctl.ProblemError
	if !errors.As(err, &p) || p.Text != "trader gamma is not configured" || p.Hint != "there are alpha, beta" {
		t.Errorf("a problem: %#v", err)
	}
	o.fail = errors.New("plain")
	if err := func() error { _, err := c.StopRPC(t.Context()); return err }(); err == nil || err.Error() != "plain" {
		t.Errorf("a plain error: %v", err)
	}
	o.did = nil
	for _, w := range []ctl.Whom{{}, {Trader: "alpha", All: true}, {Trader: "alpha", Gateway: "SIM"}, {Contract: "rb2610.SHFE"}, {Trader: "alpha", Contract: "rb2610.SHFE"}} {
		if _, err := c.SetState(t.Context(), "HALTED", w); !errors.As(err, &p) || p.Text != "it is not said for whom" {
			t.Errorf("halt of %+v: %v", w, err)
		}
	}
	for _, w := range []ctl.Whom{{}, {Contract: "rb2610.SHFE", All: true}} {
		if _, err := c.CancelAll(t.Context(), w); !errors.As(err, &p) || p.Text != "it is not said for whom" {
			t.Errorf("cancel-all of %+v: %v", w, err)
		}
	}
	if _, err := c.SetState(t.Context(), "SLEEPING", ctl.Whom{All: true}); !errors.As(err, &p) || p.Text != "there is no state SLEEPING" {
		t.Errorf("no such state: %v", err)
	}
	if len(o.did) > 0 {
		t.Errorf("done all the same: %v", o.did)
	}
}

// TestHandler: what is not in the protocol is answered, and reaches nobody.
func TestHandler(t *testing.T) {
	o := new(operator)
	for _, row := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v2/status", "", 404, `"this hub does not know GET /v2/status","hint":"the hub that runs may be of another version`},
		{"GET", "/v1/halt", "", 404, "does not know GET /v1/halt"},
		{"GET", "/v1/alerts?after=x", "", 409, "after: a number is wanted"},
		{"POST", "/v1/halt", `{"trader":"alpha","fund":true}`, 400, `unknown field \"fund\"`},
		{"POST", "/v1/halt", `{"trader":`, 400, "cannot be read"},
		{"POST", "/v1/halt", ``, 409, "it is not said for whom"},
		{"POST", "/v1/halt", `{"trader":"` + strings.Repeat("x", 70_000) + `"}`, 400, "too large"},
	} {
		t.Run(row.method+row.path, func(t *testing.T) {
			w := httptest.NewRecorder()
			ctl.Handler(o).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), row.method, row.path, strings.NewReader(row.body)))
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.want) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, row.status, row.want)
			}
		})
	}
	if len(o.did) > 0 {
		t.Errorf("done all the same: %v", o.did)
	}
}

func TestSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ctl.SocketName)
	if err := os.WriteFile(path, nil, 0o644); err != nil { // what a dead hub left
		t.Fatal(err)
	}
	serve(t, dir, new(operator))
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestLongPath: a data directory whose socket's path does not fit into an address works all the same.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, new(operator))
	if got, err := ctl.NewClient(dir).Status(t.Context()); err != nil || got.Fund != "evergreen" {
		t.Errorf("status: %+v, %v", got, err)
	}
}

func TestUnreachable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ctl.SocketName)
	_, err := ctl.NewClient(dir).Status(t.Context())
	var u *ctl.UnreachableError
	if !errors.As(err, &u) || u.Socket != path || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err = ctl.NewClient(dir).Status(t.Context()); !errors.As(err, &u) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a dead hub's socket: %v", err)
	}
	if _, err := ctl.Listen(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// TestOtherServer: something else that answers on the socket is named, not believed.
func TestOtherServer(t *testing.T) {
	dir := t.TempDir()
	l, err := ctl.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	answers := []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", "garbage\r\n\r\n"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, text := range answers {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = conn.Write([]byte(text))
			_ = conn.Close()
		}
	}()
	c := ctl.NewClient(dir)
	for _, want := range []string{"the hub's answer cannot be read", "the hub answered 502 Bad", "no hub answers"} {
		if _, err := c.Status(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	<-done
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

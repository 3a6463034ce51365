package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

func TestOrder(t *testing.T) {
	h := run(t, nil)
	alpha, events := h.dial(t, "alpha", nil)
	got := call(t, alpha, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	if got != "SIM.alpha_1" {
		t.Errorf("got %v, want SIM.alpha_1", got)
	}
	for _, kind := range []string{"eOrder.", "eOrder.SIM.alpha_1"} {
		if o := next(t, events, kind).Data.(hub.Order); o.ID != "alpha_1" {
			t.Errorf("got %s, want alpha_1", o.ID)
		}
	}
	unknown := anOrder(2)
	unknown.Symbol = "nothing"
	if got := call(t, alpha, veighna.SendOrder{OrderRequest: unknown}); got != "" {
		t.Errorf("got %q for a contract that nobody has, want \"\"", got)
	}
}

// What the seventeen functions answer, by the class of the answer.
func TestFunctions(t *testing.T) {
	h := run(t, nil)
	alpha, _ := h.dial(t, "alpha", nil)
	call(t, alpha, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	other := hub.Instrument{Symbol: "au2612", Exchange: "SHFE"}
	tests := []struct {
		call veighna.Call
		want string
	}{
		{veighna.Subscribe{Instrument: rb, Gateway: "SIM"}, "<nil>"},
		{veighna.CancelOrder{CancelRequest: hub.CancelRequest{Instrument: rb, OrderID: "nobody's"}, Gateway: "SIM"}, "<nil>"},
		{veighna.QueryHistory{HistoryRequest: hub.HistoryRequest{Instrument: rb, Start: 1e18, Interval: hub.Minute}, Gateway: "SIM"}, "[hub.Bar]"},
		{veighna.GetTick{Instrument: rb}, "hub.Tick"},
		{veighna.GetTick{Instrument: other}, "<nil>"},
		{veighna.GetContract{Instrument: rb}, "hub.Contract"},
		{veighna.GetContract{Instrument: other}, "<nil>"},
		{veighna.GetOrder{Gateway: "SIM", OrderID: "alpha_1"}, "hub.Order"},
		{veighna.GetOrder{Gateway: "SIM", OrderID: "alpha_2"}, "<nil>"},
		{veighna.GetOrder{Gateway: "CTP", OrderID: "alpha_1"}, "<nil>"},
		{veighna.GetTrade{Gateway: "SIM", TradeID: "t1"}, "hub.Trade"},
		{veighna.GetTrade{Gateway: "SIM", TradeID: "t2"}, "<nil>"},
		{veighna.GetPosition{Gateway: "SIM", Instrument: rb, Direction: hub.Long}, "hub.Position"},
		{veighna.GetPosition{Instrument: rb, Direction: hub.Long}, "hub.Position"},
		{veighna.GetPosition{Gateway: "SIM", Instrument: rb, Direction: hub.Short}, "<nil>"},
		{veighna.GetAccount{Gateway: "SIM", AccountID: "alpha"}, "veighna.Account"},
		{veighna.GetAccount{Gateway: "SIM", AccountID: "beta"}, "<nil>"},
		{veighna.GetAllTicks{}, "[hub.Tick]"},
		{veighna.GetAllOrders{}, "[hub.Order]"},
		{veighna.GetAllActiveOrders{}, "[hub.Order]"},
		{veighna.GetAllTrades{}, "[hub.Trade]"},
		{veighna.GetAllPositions{}, "[hub.Position]"},
		{veighna.GetAllAccounts{}, "[veighna.Account]"},
		{veighna.GetAllContracts{}, "[hub.Contract]"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%T", test.call), func(t *testing.T) {
			if got := class(call(t, alpha, test.call)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	t.Run("empty list", func(t *testing.T) {
		beta, _ := h.dial(t, "beta", nil)
		if got := class(call(t, beta, veighna.GetAllOrders{})); got != "[]" {
			t.Errorf("got %s, want []", got)
		}
	})
}

func class(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprintf("%T", v)
	}
	var classes []string
	for _, item := range list {
		classes = append(classes, fmt.Sprintf("%T", item))
	}
	slices.Sort(classes)
	return "[" + strings.Join(slices.Compact(classes), " ") + "]"
}

// Who asks is the line: beta neither hears of alpha's order nor can ask for it.
func TestPrivate(t *testing.T) {
	h := run(t, nil)
	alpha, alphaHears := h.dial(t, "alpha", nil)
	beta, betaHears := h.dial(t, "beta", nil)
	call(t, alpha, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	h.PublishTrade(hub.Trade{ID: "t1", OrderID: "alpha_1", Trader: "alpha", Instrument: rb, Gateway: "SIM", Direction: hub.Long, Time: 1})
	h.PublishPosition(hub.Position{Trader: "alpha", Instrument: rb, Gateway: "SIM", Direction: hub.Long})
	h.PublishAccount(hub.Account{Trader: "alpha"})
	h.PublishLog("alpha", "SIM", veighna.LevelInfo, "for alpha alone")
	var heard, account []string // the account has a time of its own
	for len(heard)+len(account) < 9 {
		e := <-alphaHears
		if _, is := e.Data.(veighna.Account); is {
			account = append(account, e.Type)
		} else if e.Type != veighna.EventRpcLog {
			heard = append(heard, e.Type)
		}
	}
	if diff := cmp.Diff([]string{"eAccount.", "eAccount.SIM.alpha"}, account); diff != "" {
		t.Errorf("alpha hears of the account (-want +got):\n%s", diff)
	}
	want := []string{"eOrder.", "eOrder.SIM.alpha_1", "eTrade.", "eTrade.rb2610.SHFE", "ePosition.", "ePosition.rb2610.SHFE", "eLog"}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("alpha hears (-want +got):\n%s", diff)
	}
	if got := class(call(t, beta, veighna.GetAllOrders{})); got != "[]" {
		t.Errorf("beta sees %s", got)
	}
	if got := call(t, beta, veighna.GetOrder{Gateway: "SIM", OrderID: "alpha_1"}); got != nil {
		t.Errorf("beta sees %v", got)
	}
	// What beta hears next is beta's, so nothing of alpha's was before it. Twice: the account may go out behind the lines that were taken up with it.
	for _, text := range []string{"for beta alone", "and again"} {
		h.PublishLog("beta", "SIM", veighna.LevelInfo, text)
		for e := range betaHears {
			if e.Type == veighna.EventRpcLog {
				continue
			}
			if line, ok := e.Data.(veighna.Log); !ok || line.Text != text {
				t.Errorf("beta hears %s %v", e.Type, e.Data)
			}
			break
		}
	}
	if got := h.desk.traders(); !slices.Equal(got, []hub.TraderName{"alpha"}) {
		t.Errorf("orders of %v", got)
	}
}

func TestTicks(t *testing.T) {
	h := run(t, nil)
	alpha, alphaHears := h.dial(t, "alpha", nil)
	_, alsoAlphaHears := h.dial(t, "alpha", nil)
	beta, betaHears := h.dial(t, "beta", nil)
	call(t, alpha, veighna.Subscribe{Instrument: rb, Gateway: "SIM"})
	h.PublishTick(aTick(7))
	for _, hears := range []<-chan veighna.Event{alphaHears, alsoAlphaHears} {
		for _, kind := range []string{"eTick.", "eTick.rb2610.SHFE"} {
			if tick := next(t, hears, kind).Data.(hub.Tick); tick.Volume.Cmp(hub.Int(7)) != 0 {
				t.Errorf("%s: got volume %s, want 7", kind, tick.Volume)
			}
		}
	}
	call(t, beta, veighna.Subscribe{Instrument: rb, Gateway: "SIM"})
	h.PublishTick(aTick(8))
	if tick := next(t, betaHears, "eTick.").Data.(hub.Tick); tick.Volume.Cmp(hub.Int(8)) != 0 {
		t.Errorf("beta's first tick has volume %s, want 8: 7 was before it subscribed", tick.Volume)
	}
	if got := h.Subscriptions("beta"); !slices.Equal(got, []hub.Instrument{rb}) {
		t.Errorf("got %v, want %v", got, rb)
	}
	_, err := beta.Call(within(t), veighna.Subscribe{Instrument: hub.Instrument{Symbol: "IF2612", Exchange: "CFFEX"}})
	wantRemote(t, err, "RuntimeError: no gateway trades IF2612.CFFEX")
}

// wantRemote checks that a call was answered with [False, text], and what the last line of the text is.
func wantRemote(t *testing.T, err error, last string) {
	t.Helper()
	var remote *veighna.RemoteError
	if !errors.As(err, &remote) {
		t.Fatalf("got error %v, want a RemoteError", err)
	}
	lines := strings.Split(strings.TrimSuffix(remote.Text, "\n"), "\n")
	if got := lines[len(lines)-1]; got != last {
		t.Errorf("got %q, want %q", got, last)
	}
	if !strings.HasPrefix(remote.Text, "Traceback (most recent call last):\n") {
		t.Errorf("not like a traceback: %q", remote.Text)
	}
}

// VeighNa's own lines, and what they say in English.
func TestService(t *testing.T) {
	for _, test := range []struct {
		language                              veighna.Language
		started, running, stopped, notRunning string
	}{
		{veighna.Chinese, "RPC服务启动成功", "RPC服务运行中", "RPC服务已停止", "RPC服务未启动"},
		{veighna.English, "RPC service started", "RPC service is running", "RPC service stopped", "RPC service is not running"},
	} {
		t.Run(test.started, func(t *testing.T) {
			h := run(t, func(o *rpc.Options) {
				o.Language = test.language
				o.Traders[0].Language = test.language
			})
			_, events := h.dial(t, "alpha", nil)
			wantLine(t, events, test.started)
			if got, err := h.Start(); got != test.running || !errors.Is(err, rpc.ErrRunning) {
				t.Errorf("start while running: %q, %v", got, err)
			}
			wantLine(t, events, test.running)
			if got, err := h.Stop(); got != test.stopped || err != nil {
				t.Errorf("stop: %q, %v", got, err)
			}
			wantLine(t, events, test.stopped)
			if got, err := h.Stop(); got != test.notRunning || !errors.Is(err, rpc.ErrNotRunning) {
				t.Errorf("stop while not running: %q, %v", got, err)
			}
			if h.Running() || h.status("alpha").Open {
				t.Error("it runs")
			}
			for _, line := range []string{test.started, test.running, test.stopped, test.notRunning} {
				h.log.waitFor(t, line)
			}
			h.PublishOrder(hub.Order{Trader: "alpha"}) // to nobody
			h.PublishTick(aTick(1))
			if got, err := h.Start(); got != test.started || err != nil {
				t.Errorf("start again: %q, %v", got, err)
			}
		})
	}
}

func wantLine(t *testing.T, events <-chan veighna.Event, text string) {
	t.Helper()
	if got := next(t, events, veighna.EventRpcLog).Data.(veighna.Log); got.Text != text || got.Gateway != "RpcService" {
		t.Errorf("got %q of %s, want %q", got.Text, got.Gateway, text)
	}
}

// A client that waits when the service is stopped gets an answer, and works on when it is started again at the same address.
func TestStopAndStart(t *testing.T) {
	asked := make(chan struct{})
	h := run(t, func(o *rpc.Options) {
		request, publish := freePort(t), freePort(t)
		o.Traders = []rpc.Trader{{Name: "alpha", Request: request, Publish: publish}}
	})
	h.desk.history = func(ctx context.Context, _ hub.TraderName, _ hub.HistoryRequest) ([]hub.Bar, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	req := socket(t, zmq.REQ, h.status("alpha").Request)
	_, events := h.dial(t, "alpha", nil)
	h.Subscribe("alpha", rb)
	sendRaw(t, req, request(veighna.QueryHistory{HistoryRequest: hub.HistoryRequest{Instrument: rb, Start: 1}}))
	<-asked
	if _, err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := veighna.DecodeReply(receiveRaw(t, req)[0], nil); err == nil {
		t.Error("history was answered though the service was stopped")
	}
	if _, err := h.Start(); err != nil {
		t.Fatal(err)
	}
	sendRaw(t, req, request(veighna.GetAllContracts{}))
	if got, err := veighna.DecodeReply(receiveRaw(t, req)[0], nil); err != nil || class(got) != "[hub.Contract]" {
		t.Errorf("after the start: %v, %v", got, err)
	}
	h.waitStatus(t, "alpha", "the subscriber is back", func(s rpc.Status) bool { return s.Subscribers == 1 })
	h.PublishTick(aTick(9))
	next(t, events, "eTick.") // still subscribed to
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

// All addresses that cannot be had are named at once, and none is held then.
func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := "tcp://" + taken.Addr().String()
	free := freePort(t)
	s, err := rpc.NewServer(rpc.Options{Desk: newDesk(), Traders: []rpc.Trader{
		{Name: "alpha", Request: free, Publish: port},
		{Name: "beta", Request: "tcp://192.0.2.1:2014", Publish: "udp://nonsense"},
		{Name: "gamma", Request: "ipc:///no/such/folder/req", Publish: "ipc://" + filepath.Join(t.TempDir(), strings.Repeat("x", 120))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	said, err := s.Start()
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{
		"traders.alpha.veighna.publish: " + port + ": address already in use; another program listens there",
		"traders.beta.veighna.request: tcp://192.0.2.1:2014: cannot assign requested address; this machine has no such address",
		"traders.beta.veighna.publish: udp://nonsense: The protocol is not compatible with the socket type; write tcp://ADDRESS:PORT or ipc://PATH",
		"traders.gamma.veighna.request: ipc:///no/such/folder/req: no such file or directory; its folder does not exist",
		"a path of a socket has at most 107 bytes",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
	if !strings.HasPrefix(said, "RPC服务启动失败：") {
		t.Errorf("said %q", said)
	}
	l, err := net.Listen("tcp", strings.TrimPrefix(free, "tcp://")) //nolint:noctx // at once
	if err != nil {
		t.Fatalf("the address of alpha is still held: %v", err)
	}
	_ = l.Close()
}

func TestNewServerFails(t *testing.T) {
	_, err := rpc.NewServer(rpc.Options{Desk: newDesk(), Traders: []rpc.Trader{
		{Name: "alpha", Version: "new"}, {Name: "beta", Version: "2.9"}, {Name: "beta"},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`traders.alpha.veighna.version: "new" is no version of VeighNa`, "traders.beta.veighna.version: VeighNa 2.9 is too old",
		"traders.beta: there are two of that name",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
}

func TestIPC(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "req")
	ipc := func(o *rpc.Options) {
		o.Traders = []rpc.Trader{{Name: "alpha", Request: "ipc://" + path, Publish: "ipc://" + filepath.Join(dir, "pub")}}
	}
	// A socket file whose program is dead.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()

	h := run(t, ipc)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	c, events := h.dial(t, "alpha", nil)
	call(t, c, veighna.SendOrder{OrderRequest: anOrder(1)})
	next(t, events, "eOrder.")

	opts := rpc.Options{Desk: newDesk()}
	ipc(&opts)
	second, err := rpc.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Start(); err == nil || !strings.Contains(err.Error(), "address already in use; another program listens there") {
		t.Errorf("a second server: %v", err)
	}
	call(t, c, veighna.GetAllContracts{}) // the first is not disturbed

	if _, err := h.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket file is still there: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(); err == nil || !strings.Contains(err.Error(), "there is a file that is no socket") {
		t.Errorf("at a file: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file: %q, %v", text, err)
	}
}

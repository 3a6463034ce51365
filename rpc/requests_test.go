package rpc_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

var someHistory = veighna.QueryHistory{HistoryRequest: hub.HistoryRequest{Instrument: rb, Start: 1e18, Interval: hub.Minute}, Gateway: "SIM"}

// slowHistory makes queries of history wait until gate is closed, and tells of each that has begun.
func slowHistory(h *house, gate chan struct{}) (begun chan struct{}) {
	begun = make(chan struct{}, 100)
	h.desk.history = func(ctx context.Context, _ hub.TraderName, req hub.HistoryRequest) ([]hub.Bar, error) {
		begun <- struct{}{}
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return []hub.Bar{{Instrument: req.Instrument, Gateway: "SIM", Time: req.Start}}, nil
	}
	return begun
}

// A slow query delays neither another trader, nor another client of the same trader.
func TestSlowQueryDelaysNobody(t *testing.T) {
	h := run(t, nil)
	gate := make(chan struct{})
	begun := slowHistory(h, gate)
	waits, _ := h.dial(t, "alpha", nil)
	answered := make(chan error, 1)
	go func() {
		_, err := waits.Call(within(t), someHistory)
		answered <- err
	}()
	<-begun
	for _, who := range []hub.TraderName{"alpha", "beta"} {
		c, _ := h.dial(t, who, nil)
		call(t, c, veighna.SendOrder{OrderRequest: anOrder(1)})
		call(t, c, veighna.GetAllContracts{})
	}
	select {
	case err := <-answered:
		t.Fatalf("history is answered before its time: %v", err)
	default:
	}
	close(gate)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// One client's requests are carried out as they come, and answered in the order in which they came.
func TestAnswersInOrder(t *testing.T) {
	h := run(t, nil)
	gate := make(chan struct{})
	begun := slowHistory(h, gate)
	dealer := socket(t, zmq.DEALER, h.status("alpha").Request)
	sendRaw(t, dealer, nil, request(someHistory))
	sendRaw(t, dealer, nil, request(veighna.SendOrder{OrderRequest: anOrder(1)}))
	<-begun
	eventually(t, "the order is taken while history runs", func() bool { return len(h.desk.Orders("alpha")) == 1 })
	close(gate)
	for _, want := range []string{"[hub.Bar]", "string"} {
		got, err := veighna.DecodeReply(receiveRaw(t, dealer)[1], nil)
		if err != nil || class(got) != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	}
}

// A client that marks its requests gets each answer as soon as it is there, with its mark.
func TestAnswersWithMarks(t *testing.T) {
	h := run(t, nil)
	gate := make(chan struct{})
	slowHistory(h, gate)
	dealer := socket(t, zmq.DEALER, h.status("alpha").Request)
	sendRaw(t, dealer, []byte("history"), nil, request(someHistory))
	sendRaw(t, dealer, []byte("order"), nil, request(veighna.SendOrder{OrderRequest: anOrder(1)}))
	if got := receiveRaw(t, dealer); len(got) != 3 || string(got[0]) != "order" || len(got[1]) != 0 {
		t.Errorf("got %q, want the order's answer", got)
	}
	close(gate)
	if got := receiveRaw(t, dealer); len(got) != 3 || string(got[0]) != "history" {
		t.Errorf("got %q, want the answer of history", got)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := run(t, func(o *rpc.Options) {
		o.Limits.Histories, o.Limits.HistoriesWaiting, o.Limits.HistoriesPerClient = 1, 2, 2
	})
	gate := make(chan struct{})
	begun := slowHistory(h, gate)
	answers := make(chan error, 10)
	ask := func(c *rpc.Client) {
		if err := c.Go(request(someHistory), func(reply []byte, err error) {
			if err == nil {
				_, err = veighna.DecodeReply(reply, nil)
			}
			answers <- err
		}); err != nil {
			t.Error(err)
		}
	}
	one, _ := h.dial(t, "alpha", nil)
	ask(one)
	<-begun // one runs
	ask(one)
	two, _ := h.dial(t, "alpha", nil)
	ask(two) // two wait
	h.waitStatus(t, "alpha", "all three are there", func(s rpc.Status) bool { return s.Requests == 3 })
	three, _ := h.dial(t, "alpha", nil)
	_, err := three.Call(within(t), someHistory)
	wantRemote(t, err, "BusyError: 1 queries of history are running and 2 wait; try again later")
	close(gate)
	for range 3 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	call(t, three, someHistory)
}

func TestRequestsAreBounded(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Limits.InFlight = 3 })
	var silent []func(hub.GatewayName, hub.OrderID, error)
	taken := make(chan struct{}, 100)
	h.desk.submit = func(_ hub.TraderName, _ hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error)) {
		silent = append(silent, done)
		taken <- struct{}{}
	}
	dealer := socket(t, zmq.DEALER, h.status("alpha").Request)
	order, cancel := request(veighna.SendOrder{OrderRequest: anOrder(1)}), request(veighna.CancelOrder{CancelRequest: hub.CancelRequest{OrderID: "1"}})
	const sent = 20
	for range sent {
		sendRaw(t, dealer, nil, order)
	}
	sendRaw(t, dealer, nil, cancel)
	eventually(t, "the cancel is carried out behind all that", func() bool { return h.desk.cancelled() == 1 })
	if got := len(taken); got != 3 {
		t.Errorf("%d orders were taken, want 3", got)
	}
	h.log.waitFor(t, "a client asks and asks, and reads no answers")
	for i, done := range silent {
		done("SIM", hub.OrderID(rune('a'+i)), nil)
	}
	var ids, busy int
	for range 4 * 3 { // what came after was thrown away
		got, err := veighna.DecodeReply(receiveRaw(t, dealer)[1], nil)
		switch {
		case err == nil && strings.HasPrefix(got.(string), "SIM."):
			ids++
		case err != nil && strings.Contains(err.Error(), "BusyError: "):
			busy++
		default:
			t.Errorf("got %v, %v", got, err)
		}
	}
	if ids != 3 || busy != 9 {
		t.Errorf("%d ids and %d refusals, want 3 and 9", ids, busy)
	}
}

// Every request is answered in time, and an answer that comes too late is nobody else's.
func TestWatchdog(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Limits.ReplyWithin = 100 * time.Millisecond })
	var late atomic.Pointer[func(hub.GatewayName, hub.OrderID, error)]
	h.desk.submit = func(_ hub.TraderName, _ hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error)) {
		if !late.CompareAndSwap(nil, &done) {
			done("SIM", "second", nil)
		}
	}
	c, _ := h.dial(t, "alpha", nil)
	_, err := c.Call(within(t), veighna.SendOrder{OrderRequest: anOrder(1)})
	wantRemote(t, err, "TimeoutError: the hub did not answer within 100ms")
	h.log.waitFor(t, "a request was not answered in time")
	(*late.Load())("SIM", "first", nil)
	(*late.Load())("SIM", "first", errors.New("twice")) // a desk that breaks its promise
	if got := call(t, c, veighna.SendOrder{OrderRequest: anOrder(2)}); got != "SIM.second" {
		t.Errorf("got %v, want SIM.second", got)
	}
	slowHistory(h, nil)
	_, err = c.Call(within(t), someHistory)
	wantRemote(t, err, "TimeoutError: the hub did not answer within 100ms")
}

func TestErrors(t *testing.T) {
	h := run(t, nil)
	h.desk.submit = func(_ hub.TraderName, _ hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error)) {
		done("", "", errors.New("busy: 10000 orders wait"))
	}
	c, _ := h.dial(t, "alpha", nil)
	_, err := c.Call(within(t), veighna.SendOrder{OrderRequest: anOrder(1)})
	wantRemote(t, err, "RuntimeError: busy: 10000 orders wait")

	req := socket(t, zmq.REQ, h.status("alpha").Request)
	ask := func(payload []byte) error {
		sendRaw(t, req, payload)
		_, err := veighna.DecodeReply(receiveRaw(t, req)[0], nil)
		return err
	}
	wantRemote(t, ask([]byte("\x80\x04]\x94(\x8c\x04nope)}e.")), "KeyError: 'nope'")
	for name, payload := range map[string]string{
		"empty": "", "text": "hello", "json": `{"method":"send_order"}`, "cut": string(request(someHistory)[:40]),
		"code": "cos\nsystem\n(S'id'\ntR.",
	} {
		if err := ask([]byte(payload)); err == nil || !strings.Contains(err.Error(), "Error: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ask(request(veighna.GetAllContracts{})); err != nil {
		t.Errorf("after junk: %v", err)
	}
}

func TestNotARequest(t *testing.T) {
	h := run(t, nil)
	dealer := socket(t, zmq.DEALER, h.status("alpha").Request)
	good := request(veighna.GetAllContracts{})
	sendRaw(t, dealer, good) // no empty frame
	h.log.waitFor(t, "is no request and was thrown away: the empty frame is missing")
	sendRaw(t, dealer, []byte(strings.Repeat("x", 1000)), nil, good)
	h.log.waitFor(t, "was thrown away: too much before its empty frame")
	sendRaw(t, dealer, nil, good, good)
	_, err := veighna.DecodeReply(receiveRaw(t, dealer)[1], nil)
	wantRemote(t, err, "ValueError: a request is one frame after the empty one, not 2")
	sendRaw(t, dealer, nil, good)
	if _, err := veighna.DecodeReply(receiveRaw(t, dealer)[1], nil); err != nil {
		t.Error(err)
	}
}

func TestTooLarge(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Limits.RequestBytes = 10_000 })
	bystander, _ := h.dial(t, "alpha", nil)
	req := socket(t, zmq.REQ, h.status("alpha").Request)
	sendRaw(t, req, make([]byte, 15_000))
	_, err := veighna.DecodeReply(receiveRaw(t, req)[0], nil)
	wantRemote(t, err, "ValueError: a request of 15000 bytes; 10000 are the most")
	sendRaw(t, req, make([]byte, 30_000))
	h.log.waitFor(t, "connection to the request address ended by the hub")
	call(t, bystander, veighna.GetAllContracts{})
}

// A client that named itself comes back by another connection, and is the same client.
func TestNamedClient(t *testing.T) {
	h := run(t, nil)
	for range 3 {
		s, err := zmq.NewSocket(zmq.DEALER)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{s.SetLinger(0), s.SetIdentity("me"), s.SetRcvtimeo(patience), s.Connect(h.status("alpha").Request)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		sendRaw(t, s, nil, request(veighna.GetAllContracts{}))
		if _, err := veighna.DecodeReply(receiveRaw(t, s)[1], nil); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		h.waitStatus(t, "alpha", "it is gone", func(s rpc.Status) bool { return s.Clients == 0 })
	}
}

func TestClientClose(t *testing.T) {
	h := run(t, nil)
	begun := slowHistory(h, nil)
	s := h.status("alpha")
	c, err := rpc.Dial(rpc.ClientOptions{Request: s.Request, InFlight: 1})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	if err := c.Go(request(someHistory), func(_ []byte, err error) { answered <- err }); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := c.Go(nil, nil); err == nil || err.Error() != "rpc: 1 requests are unanswered" {
		t.Errorf("one too many: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; !errors.Is(err, rpc.ErrClosed) {
		t.Errorf("got %v, want %v", err, rpc.ErrClosed)
	}
	if _, err := c.Call(within(t), someHistory); !errors.Is(err, rpc.ErrClosed) {
		t.Errorf("got %v, want %v", err, rpc.ErrClosed)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := rpc.Dial(rpc.ClientOptions{Request: "nonsense"}); err == nil || !strings.Contains(err.Error(), "rpc: dial nonsense: set connect: ") {
		t.Errorf("got %v", err)
	}
}

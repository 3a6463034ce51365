package rpc_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	zmq "github.com/pebbe/zmq4"
	"go.uber.org/goleak"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// record is an operator's log that tests read.
type record struct {
	mu   sync.Mutex // guards buf
	buf  bytes.Buffer
	grew chan struct{}
}

func newRecord() *record { return &record{grew: make(chan struct{}, 1)} }

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.grew <- struct{}{}:
	default:
	}
	return r.buf.Write(p)
}

func (r *record) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// waitFor waits until the log contains text.
func (r *record) waitFor(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(r.text(), text) {
		select {
		case <-r.grew:
		case <-deadline:
			t.Fatalf("log has no %q:\n%s", text, r.text())
		}
	}
}

// house is a running server and what it runs on.
type house struct {
	*rpc.Server
	desk *desk
	log  *record
	t    *testing.T
}

// run starts a server with traders alpha and beta on free ports of the loopback address; change, when not nil, changes the options before.
func run(t testing.TB, change func(o *rpc.Options)) *house {
	t.Helper()
	h := &house{desk: newDesk(), log: newRecord()}
	if test, ok := t.(*testing.T); ok {
		h.t = test
	}
	opts := rpc.Options{
		Desk: h.desk, Gateway: "SIM",
		Log: hclog.New(&hclog.LoggerOptions{Output: h.log, Level: hclog.Debug}),
		Traders: []rpc.Trader{
			{Name: "alpha", Request: "tcp://127.0.0.1:*", Publish: "tcp://127.0.0.1:*"},
			{Name: "beta", Request: "tcp://127.0.0.1:*", Publish: "tcp://127.0.0.1:*"},
		},
	}
	if change != nil {
		change(&opts)
	}
	s, err := rpc.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = s
	h.desk.changed = s.PublishOrder
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.Running() {
			if _, err := s.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

func (h *house) status(trader hub.TraderName) rpc.Status {
	for _, s := range h.Status() {
		if s.Trader == trader {
			return s
		}
	}
	panic("no trader " + trader)
}

// waitStatus waits until a line stands so.
func (h *house) waitStatus(t testing.TB, trader hub.TraderName, what string, ok func(rpc.Status) bool) {
	t.Helper()
	eventually(t, what, func() bool { return ok(h.status(trader)) })
}

// eventually asks again and again, which is all one can do about a state that nobody announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		case <-again.C:
		}
	}
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// dial connects a client that is heard by its channel.
func (h *house) dial(t testing.TB, trader hub.TraderName, change func(o *rpc.ClientOptions)) (*rpc.Client, <-chan veighna.Event) {
	t.Helper()
	s := h.status(trader)
	events := make(chan veighna.Event, 10_000)
	opts := rpc.ClientOptions{Request: s.Request, Publish: s.Publish, Events: func(e veighna.Event) { events <- e }}
	if change != nil {
		change(&opts)
	}
	before := s.Subscribers
	c, err := rpc.Dial(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if opts.Publish != "" {
		h.waitStatus(t, trader, "the client is subscribed", func(s rpc.Status) bool { return s.Subscribers > before })
	}
	return c, events
}

func call(t testing.TB, c *rpc.Client, what veighna.Call) any {
	t.Helper()
	got, err := c.Call(within(t), what)
	if err != nil {
		t.Fatalf("%T: %v", what, err)
	}
	return got
}

// next waits for an event of that type, and skips others.
func next(t testing.TB, events <-chan veighna.Event, eventType string) veighna.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-events:
			if e.Type == eventType {
				return e
			}
		case <-deadline:
			t.Fatalf("no event %s", eventType)
		}
	}
}

// socket is a bare ZeroMQ socket, for what a Client would not do.
func socket(t testing.TB, kind zmq.Type, endpoint string) *zmq.Socket {
	t.Helper()
	ctx, err := zmq.NewContext()
	if err != nil {
		t.Fatal(err)
	}
	s, err := ctx.NewSocket(kind)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.SetLinger(0), s.SetRcvtimeo(patience), s.SetSndtimeo(patience)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if kind == zmq.SUB {
		if err := s.SetSubscribe(""); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		_ = ctx.Term()
	})
	return s
}

// sendRaw sends frames by a bare socket.
func sendRaw(t testing.TB, s *zmq.Socket, frames ...[]byte) {
	t.Helper()
	for i, f := range frames {
		var flags zmq.Flag
		if i < len(frames)-1 {
			flags = zmq.SNDMORE
		}
		if _, err := s.SendBytes(f, flags); err != nil {
			t.Fatal(err)
		}
	}
}

func receiveRaw(t testing.TB, s *zmq.Socket) [][]byte {
	t.Helper()
	frames, err := s.RecvMessageBytes(0)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

func request(c veighna.Call) []byte { return veighna.AppendRequest(nil, c, nil, veighna.Chinese) }

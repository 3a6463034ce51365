package e2e_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// A data directory has one hub.
func TestSecondHub(t *testing.T) {
	t.Parallel()
	h := demo(t)
	before, err := h.status()
	if err != nil {
		t.Fatal(err)
	}
	r := command(t, "demo", "--base-port", strconv.Itoa(ports(t)), "--data", h.data)
	if want := fmt.Sprintf("process %d", h.cmd.Process.Pid); r.code != 1 || !strings.Contains(r.stderr, "hub: error: another hub runs on "+h.data) || !strings.Contains(r.stderr, want) {
		t.Errorf("a second hub: exit %d, want 1 and %q\n%s", r.code, want, r.stderr)
	}
	if !strings.Contains(r.stderr, "hub: hint: ") || strings.Contains(r.stdout, "READY") {
		t.Errorf("a second hub: %s%s", r.stdout, r.stderr)
	}
	after, err := h.status()
	if err != nil || !after.Ready || after.PID != before.PID || after.Plugins[0].PID != before.Plugins[0].PID {
		t.Errorf("the first hub: %+v, %v; before: %+v", after, err, before)
	}
	h.kill() // what it leaves lying about keeps nobody out
	h.start()
}

// Junk of every kind comes to all addresses, all the time, while traders trade.
func TestJunkOnTheSockets(t *testing.T) {
	t.Parallel()
	h := serve(t, replaced(crashConfig, "SEED", "1", "ROLL", farRoll()), crashPolicies)
	fast := newTrader(h, "beta", 1, 1)
	fast.connect()
	t.Cleanup(fast.disconnect)
	quiet := h.connected(vnpy45, 0, "--lang", "en") // it says nothing while all this happens, and must be there afterwards
	before := h.stderr.count()

	ctx, cancel := context.WithCancel(t.Context())
	var throwing sync.WaitGroup
	thrown := make(map[string]int)
	var mu sync.Mutex
	for name, throw := range junk {
		for port := h.base; port < h.base+4; port++ {
			throwing.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(port), 1))
				pace := time.NewTicker(50 * time.Millisecond) // a nuisance and not a flood
				defer pace.Stop()
				for {
					select {
					case <-ctx.Done():
						return
					case <-pace.C:
					}
					err := throw(ctx, "127.0.0.1:"+strconv.Itoa(port), rng)
					mu.Lock()
					thrown[name]++
					mu.Unlock()
					if err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			})
		}
	}

	first := h.trades(vnpy44, 0, "--lang", "en", "--trader", "alpha", "resting", "marketable", "history", "unknown")
	fast.rounds(100)
	first.passes()
	cancel()
	throwing.Wait()

	h.logged(before, "a REQ socket connected to the publish address of beta: its two addresses are swapped")
	quiet.alive()
	id := quiet.buy(rebar, below(quiet.tick(rebar), 30), 1)
	quiet.ordered(id, "NOTTRADED")
	quiet.cancel(rebar, id)
	quiet.ordered(id, "CANCELLED")
	mu.Lock()
	defer mu.Unlock()
	t.Logf("thrown: %v", thrown)
	for name := range junk {
		if thrown[name] < 4 {
			t.Errorf("%s: thrown %d times, want 4 at least", name, thrown[name])
		}
	}
	said := 0
	for _, line := range h.stderr.since(before) {
		if strings.Contains(line, "hub.rpc") {
			said++
		}
	}
	if said > 500 {
		t.Errorf("%d lines in the log: strangers can fill it", said)
	}
	h.balances("alpha", "beta")
}

// rounds sends orders and cancels them, and wants every answer.
func (tr *trader) rounds(n int) {
	tr.t.Helper()
	for range n {
		tr.mu.Lock()
		tick := tr.ticks[instruments[0]]
		tr.mu.Unlock()
		var sum hub.Sum
		tr.mu.Lock()
		given := len(tr.given)
		tr.mu.Unlock()
		tr.send(hub.OrderRequest{
			Instrument: tick.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: sum.Sub(tick.Bids[0].Price, hub.Int(30)), Qty: hub.Int(1),
		})
		tr.wait("an order's id", func() bool { return len(tr.given) == given+1 })
		tr.wait("an order that rests", func() bool { return tr.last(hub.Resting) != "" })
		tr.mu.Lock()
		id := tr.last(hub.Resting)
		tr.mu.Unlock()
		tr.ask(veighna.CancelOrder{CancelRequest: hub.CancelRequest{Instrument: tick.Instrument, OrderID: id}, Gateway: gatewayName}, nil)
		tr.wait("an order that is cancelled", func() bool { return tr.view[id].Status == hub.Cancelled })
	}
}

// last is an order in a status; mu is held.
func (tr *trader) last(status hub.Status) hub.OrderID {
	for id, o := range tr.view {
		if o.Status == status {
			return id
		}
	}
	return ""
}

// junk throws one piece each. An error is one of the thrower's own.
var junk = map[string]func(ctx context.Context, address string, rng *rand.Rand) error{
	"random bytes": func(ctx context.Context, address string, rng *rand.Rand) error {
		b := make([]byte, 1+rng.IntN(4096))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return throwBytes(ctx, address, b)
	},
	"HTTP": func(ctx context.Context, address string, _ *rand.Rand) error {
		return throwBytes(ctx, address, []byte("GET / HTTP/1.1\r\nHost: hub\r\nUser-Agent: a scanner\r\n\r\n"))
	},
	"half open": func(ctx context.Context, address string, rng *rand.Rand) error {
		return throwBytes(ctx, address, greeting()[:rng.IntN(64)])
	},
	"a frame of a terabyte": func(ctx context.Context, address string, _ *rand.Rand) error {
		b := append(greeting(), ready("DEALER")...)
		b = append(b, 0x02)                           // a long frame, the last of its message
		b = binary.BigEndian.AppendUint64(b, 1<<40)   // its length
		return throwBytes(ctx, address, append(b, 0)) // and its first byte
	},
	"a large request":  throwMessage(zmq.DEALER, []byte{}, make([]byte, 6<<20)),
	"not a pickle":     throwMessage(zmq.DEALER, []byte{}, []byte("buy 100 rb at market")),
	"a pickle of code": throwMessage(zmq.DEALER, []byte{}, []byte("cos\nsystem\n(S'touch /tmp/pwned'\ntR.")),
	"many frames":      throwMessage(zmq.DEALER, []byte("a"), []byte{}, []byte("b"), []byte{}),
	"swapped":          throwMessage(zmq.REQ, veighna.AppendRequest(nil, veighna.GetAllContracts{}, nil, veighna.Chinese)),
	"PUSH":             throwMessage(zmq.PUSH, []byte("hello")),
	"SUB":              throwMessage(zmq.SUB),
}

// throwBytes connects, sends, and waits until the hub ends the connection or a moment has passed.
func throwBytes(ctx context.Context, address string, b []byte) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = c.Write(b)             // the hub may be quicker to end it
	_, _ = io.Copy(io.Discard, c) // and it need not end it at once
	return nil
}

// greeting is ZMTP 3.0's, with the mechanism NULL.
func greeting() []byte {
	b := make([]byte, 64)
	b[0], b[9], b[10] = 0xff, 0x7f, 3
	copy(b[12:], "NULL")
	return b
}

// ready is ZMTP's command for a socket of a type.
func ready(socket string) []byte {
	body := "\x05READY\x0bSocket-Type" + string(binary.BigEndian.AppendUint32(nil, uint32(len(socket)))) + socket
	return append([]byte{0x04, byte(len(body))}, body...)
}

// throwMessage sends a message by a real socket.
func throwMessage(kind zmq.Type, frames ...[]byte) func(context.Context, string, *rand.Rand) error {
	return func(_ context.Context, address string, _ *rand.Rand) (err error) {
		z, err := zmq.NewContext()
		if err != nil {
			return err
		}
		defer func() {
			if e := z.Term(); err == nil {
				err = e
			}
		}()
		s, err := z.NewSocket(kind)
		if err != nil {
			return err
		}
		defer func() {
			if e := s.Close(); err == nil {
				err = e
			}
		}()
		for _, set := range []error{s.SetLinger(0), s.SetRcvtimeo(200 * time.Millisecond), s.SetSndtimeo(200 * time.Millisecond), s.Connect("tcp://" + address)} {
			if set != nil {
				return set
			}
		}
		if kind == zmq.SUB {
			if err := s.SetSubscribe(""); err != nil {
				return err
			}
		}
		if len(frames) > 0 {
			_, _ = s.SendMessage(frames) // nobody may be there for such a socket
		}
		if kind != zmq.PUSH {
			_, _ = s.RecvMessageBytes(0) // an answer, or none
		}
		return nil
	}
}

package rpc_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

const (
	greeting  = "\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x03\x01NULL" // and zeros up to 64 bytes
	readyREQ  = "\x04\x26\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ\x08Identity\x00\x00\x00\x00"
	readySUB  = "\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"
	subscribe = "\x04\x0a\x09SUBSCRIBE"
)

func greet(rest string) string {
	return greeting + strings.Repeat("\x00", 64-len(greeting)) + rest
}

// bare is a TCP connection that says text.
func bare(t *testing.T, endpoint, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://")) //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

// handshaken is a bare connection that has shaken hands, and then says text.
func handshaken(t *testing.T, endpoint, ready, text string) net.Conn {
	t.Helper()
	c := bare(t, endpoint, greet(ready))
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 64+2)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, head[65])); err != nil { // READY
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return c
}

// deafSubscriber is one that never reads.
func deafSubscriber(t *testing.T, endpoint string) net.Conn {
	t.Helper()
	return handshaken(t, endpoint, readySUB, subscribe)
}

// Whatever connects, the log says what to change, and nobody else notices.
func TestStrangers(t *testing.T) {
	const (
		request = iota
		publish
	)
	type stranger func(t *testing.T, h *house, endpoint string)
	kind := func(k zmq.Type) stranger {
		return func(t *testing.T, _ *house, endpoint string) { socket(t, k, endpoint) }
	}
	says := func(text string) stranger {
		return func(t *testing.T, _ *house, endpoint string) { bare(t, endpoint, text) }
	}
	// subscribes is one of the trader's subscribers, as far as the hub knows, and then says text.
	subscribes := func(text string) stranger {
		return func(t *testing.T, h *house, endpoint string) {
			c := deafSubscriber(t, endpoint)
			h.waitStatus(t, "alpha", "it is subscribed", func(s rpc.Status) bool { return s.Subscribers == 2 })
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// asks is one of the trader's clients, and then says text.
	asks := func(text string) stranger {
		return func(t *testing.T, h *house, endpoint string) {
			c := handshaken(t, endpoint, readyREQ, "\x01\x00\x00\x05hello")
			h.waitStatus(t, "alpha", "it has asked", func(s rpc.Status) bool { return s.Clients == 1 })
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name    string
		where   int
		connect stranger
		want    string
	}{
		{"REQ at publish", publish, kind(zmq.REQ), "a REQ socket connected to the publish address of alpha: its two addresses are swapped"},
		{"SUB at request", request, kind(zmq.SUB), "a SUB socket connected to the request address of alpha: its two addresses are swapped"},
		{"CURVE", request, says(strings.Replace(greet(""), "NULL\x00", "CURVE", 1)), "a program connected to the request address of alpha with CURVE or PLAIN, which is not spoken there"},
		{"browser", request, says("GET / HTTP/1.1\r\nHost: hub\r\nUser-Agent: " + strings.Repeat("x", 200) + "\r\n\r\n"), "is no ZeroMQ program"},
		{"a word", publish, says("hello\n"), "is no ZeroMQ program"},
		{"random bytes", publish, says(string(noise(4096))), "is no ZeroMQ program"},
		{"silence", request, says(""), "a connection to the request address of alpha did not say what it is"},
		{"greeting only", publish, says(greet("")), "a connection to the publish address of alpha did not say what it is"},
		{"greeting and junk", request, says(greet("\x00\x05hello")), "a program connected to the request address of alpha and broke ZeroMQ's protocol"},
		{"port scan", publish, func(t *testing.T, _ *house, endpoint string) { _ = bare(t, endpoint, "").Close() }, "was closed before it said what it is"},
		{"giant frame", request, asks("\x02\x00\x00\xff\x00\x00\x00\x00\x00"), "connection to the request address ended by the hub"},
		{"giant topic", publish, subscribes("\x02\x00\x00\x00\x00\x00\x01\x00\x00"), "connection to the publish address ended by the hub"},
		{"no answer to pings", publish, subscribes(""), "connection to the publish address ended by the hub"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := run(t, func(o *rpc.Options) {
				o.Limits.HandshakeWithin = 150 * time.Millisecond
				o.Limits.PingEvery, o.Limits.PingTimeout = 100*time.Millisecond, 100*time.Millisecond
			})
			c, events := h.dial(t, "alpha", nil)
			s := h.status("alpha")
			test.connect(t, h, []string{s.Request, s.Publish}[test.where])
			h.log.waitFor(t, test.want)
			if strings.Contains(test.want, "swapped") {
				h.log.waitFor(t, "主动请求地址 is "+s.Request+" and 推送订阅地址 is "+s.Publish)
			}
			call(t, c, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
			next(t, events, "eOrder.")
			h.waitStatus(t, "alpha", "it is gone", func(s rpc.Status) bool { return s.Subscribers == 1 })
		})
	}
}

// noise is bytes that are no greeting.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// A stock client with swapped addresses tries ten times a second. The log bears it.
func TestLogIsNotFlooded(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Limits.LogPerMinute = 2 })
	s := h.status("alpha")
	for range 50 {
		c := bare(t, s.Publish, greet(readyREQ))
		if _, err := io.Copy(io.Discard, c); err != nil { // until the hub ends it
			t.Log(err)
		}
	}
	if _, err := h.Stop(); err != nil { // no line is written after
		t.Fatal(err)
	}
	lines := make(map[string]int)
	for line := range strings.Lines(h.log.text()) {
		if _, text, ok := strings.Cut(line, "[WARN]  "); ok {
			text, _, _ = strings.Cut(text, ": trader=")
			lines[text]++
		}
	}
	if len(lines) == 0 {
		t.Error("nothing is logged")
	}
	for text, n := range lines {
		if n > 2 {
			t.Errorf("%d lines of %q, want 2 at most", n, text)
		}
	}
}

// A crowd that connects and leaves, right and wrong at once, leaves no trace.
func TestCrowd(t *testing.T) {
	h := run(t, nil)
	s := h.status("alpha")
	for range 20 {
		for _, endpoint := range []string{s.Request, s.Publish} {
			bare(t, endpoint, greet(readyREQ))
			_ = bare(t, endpoint, greet(readySUB+subscribe)).Close()
			_ = bare(t, endpoint, greet("")).Close()
			_ = bare(t, endpoint, "GET /").Close()
		}
		deafSubscriber(t, s.Publish)
		_ = deafSubscriber(t, s.Publish).Close()
		h.PublishOrder(hub.Order{ID: "1", Trader: "alpha", OrderRequest: anOrder(1), Gateway: "SIM", Time: 1})
	}
	h.waitStatus(t, "alpha", "those stay who may", func(s rpc.Status) bool { return s.Subscribers == 20 })
	c, events := h.dial(t, "alpha", nil)
	call(t, c, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	next(t, events, "eOrder.SIM.alpha_1")
}

func TestAllow(t *testing.T) {
	h := run(t, func(o *rpc.Options) {
		o.Traders = []rpc.Trader{{
			Name: "alpha", Request: "tcp://0.0.0.0:*", Publish: "tcp://0.0.0.0:*", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
		}}
	})
	s := h.status("alpha")
	local := func(endpoint, from string) string {
		return "tcp://" + from + ":0;" + strings.Replace(strings.TrimPrefix(endpoint, "tcp://"), "0.0.0.0", "127.0.0.1", 1)
	}
	for _, endpoint := range []string{s.Request, s.Publish} {
		kind := zmq.REQ
		if endpoint == s.Publish {
			kind = zmq.SUB
		}
		socket(t, kind, local(endpoint, "127.0.0.3"))
	}
	h.log.waitFor(t, "connection refused: its address is not in the allow list of alpha: trader=alpha address=127.0.0.3 to=request")
	h.log.waitFor(t, "address=127.0.0.3 to=publish")
	h.log.waitFor(t, "to let it in, add 127.0.0.3/32 to traders.alpha.veighna.allow")
	good, events := h.dial(t, "alpha", func(o *rpc.ClientOptions) {
		o.Request, o.Publish = local(s.Request, "127.0.0.2"), local(s.Publish, "127.0.0.2")
	})
	call(t, good, veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	next(t, events, "eOrder.")
	h.waitStatus(t, "alpha", "one is in", func(s rpc.Status) bool { return s.Subscribers == 1 && s.Clients == 1 })
}

// A stock client that waits for the answer of a hub that died is freed by the next one.
func TestRescue(t *testing.T) {
	request1, publish1 := freePort(t), freePort(t)
	alpha := func(o *rpc.Options) {
		o.Traders = []rpc.Trader{{Name: "alpha", Request: request1, Publish: publish1}}
	}
	died := func(t *testing.T) (waits, idle *zmq.Socket) {
		ctx, err := zmq.NewContext()
		if err != nil {
			t.Fatal(err)
		}
		router, err := ctx.NewSocket(zmq.ROUTER)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{router.SetLinger(0), router.Bind(request1)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		waits, idle = socket(t, zmq.REQ, request1), socket(t, zmq.REQ, request1)
		sendRaw(t, waits, request(veighna.SendOrder{OrderRequest: anOrder(1)}))
		receiveRaw(t, router)
		sendRaw(t, idle, request(veighna.GetAllOrders{}))
		asked := receiveRaw(t, router)
		sendRaw(t, router, asked[0], nil, []byte("\x80\x04](\x88)e."))
		receiveRaw(t, idle)
		_ = router.Close()
		_ = ctx.Term()
		return waits, idle
	}
	t.Run("", func(t *testing.T) {
		waits, idle := died(t)
		h := run(t, func(o *rpc.Options) {
			alpha(o)
			o.Limits.RescueAfter = 200 * time.Millisecond
		})
		dealer := socket(t, zmq.DEALER, request1) // must get no answer that it did not ask for
		_, err := veighna.DecodeReply(receiveRaw(t, waits)[0], nil)
		wantRemote(t, err, "RuntimeError: the hub was started anew while a request was under way, and cannot tell what became of it; "+
			"look at your orders, then ask again")
		eventually(t, "both were sent it", func() bool { return strings.Count(h.log.text(), "was freed") == 2 })
		for _, s := range []*zmq.Socket{waits, idle} {
			got := askUntil(t, s)
			if class(got) != "[hub.Contract]" {
				t.Errorf("got %v", got)
			}
		}
		sendRaw(t, dealer, nil, request(veighna.GetAllAccounts{}))
		got, err := veighna.DecodeReply(receiveRaw(t, dealer)[1], nil)
		if err != nil || class(got) != "[veighna.Account]" {
			t.Errorf("the dealer got %v, %v", got, err)
		}
	})
	t.Run("off", func(t *testing.T) {
		waits, _ := died(t)
		run(t, func(o *rpc.Options) {
			alpha(o)
			o.Limits.RescueAfter = 10 * time.Millisecond
			o.NoRescue = true
		})
		if err := waits.SetRcvtimeo(500 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if frames, err := waits.RecvMessageBytes(0); err == nil {
			t.Errorf("got %q", frames)
		}
	})
}

// askUntil asks for the contracts until no request crosses a rescue any more.
func askUntil(t *testing.T, s *zmq.Socket) any {
	t.Helper()
	for {
		sendRaw(t, s, request(veighna.GetAllContracts{}))
		got, err := veighna.DecodeReply(receiveRaw(t, s)[0], nil)
		if err == nil {
			return got
		}
		if !strings.Contains(err.Error(), "then ask again") {
			t.Fatal(err)
		}
	}
}

// TestConnectionsAreCounted: a trader's program that opens one connection after the other is stopped, and those that are there work on.
func TestConnectionsAreCounted(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Limits.Connections = 3 })
	ask := func(o *rpc.ClientOptions) { o.Publish = "" }
	first, _ := h.dial(t, "alpha", ask)
	call(t, first, veighna.GetAllContracts{})
	for range 6 {
		h.dial(t, "alpha", ask)
	}
	h.log.waitFor(t, "connection refused: alpha has too many")
	call(t, first, veighna.GetAllContracts{})
}

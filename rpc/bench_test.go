package rpc_test

import (
	"sync/atomic"
	"testing"

	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// BenchmarkFloor is what ZeroMQ itself costs: a REQ, and a ROUTER in a loop that does nothing but echo.
func BenchmarkFloor(b *testing.B) {
	ctx, err := zmq.NewContext()
	if err != nil {
		b.Fatal(err)
	}
	router, err := ctx.NewSocket(zmq.ROUTER)
	if err != nil {
		b.Fatal(err)
	}
	if err := router.Bind("tcp://127.0.0.1:*"); err != nil {
		b.Fatal(err)
	}
	endpoint, err := router.GetLastEndpoint()
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			frames, err := router.RecvMessageBytes(0)
			if err != nil || len(frames) != 3 || string(frames[2]) == "end" {
				return
			}
			if _, err := router.SendMessage(frames[0], frames[1], frames[2]); err != nil {
				return
			}
		}
	}()
	req := socket(b, zmq.REQ, endpoint)
	ask := request(veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	b.ReportAllocs()
	for b.Loop() {
		sendRaw(b, req, ask)
		receiveRaw(b, req)
	}
	b.StopTimer()
	sendRaw(b, req, []byte("end"))
	<-ended
	_ = router.SetLinger(0)
	_ = router.Close()
	_ = ctx.Term()
}

// BenchmarkRoundTrip is one order at a time by a REQ, as a stock client sends it, to a desk that answers at once.
func BenchmarkRoundTrip(b *testing.B) {
	h := run(b, instant)
	req := socket(b, zmq.REQ, h.status("alpha").Request)
	ask := request(veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	b.ReportAllocs()
	for b.Loop() {
		sendRaw(b, req, ask)
		receiveRaw(b, req)
	}
}

// BenchmarkPipelined is orders of four clients with 256 each in flight.
func BenchmarkPipelined(b *testing.B) {
	h := run(b, instant)
	ask := request(veighna.SendOrder{OrderRequest: anOrder(1), Gateway: "SIM"})
	const clients, depth = 4, 256
	var left atomic.Int64
	done := make(chan struct{})
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var answers atomic.Int64
	for range clients {
		c, _ := h.dial(b, "alpha", func(o *rpc.ClientOptions) { o.Publish = "" })
		var again func(reply []byte, err error)
		again = func(_ []byte, err error) {
			if err != nil {
				return
			}
			if answers.Add(1) == int64(b.N) {
				close(done)
			}
			if left.Add(-1) >= 0 {
				_ = c.Go(ask, again)
			}
		}
		for range depth {
			if left.Add(-1) >= 0 {
				_ = c.Go(ask, again)
			}
		}
	}
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkTicks is ticks to four subscribers in the framing that no version is stated for: four messages each.
func BenchmarkTicks(b *testing.B) {
	h := run(b, func(o *rpc.Options) {
		o.Limits.TicksWaiting = 1 << 30
		o.Limits.SubscriberMessages = 1 << 30
		o.Limits.BehindBytes = 1 << 30
	})
	const subscribers = 4
	var got atomic.Int64
	done := make(chan struct{})
	want := int64(b.N) * subscribers * 4
	for range subscribers {
		h.dial(b, "alpha", func(o *rpc.ClientOptions) {
			o.Events = nil
			o.Messages = func(veighna.Message) {
				if got.Add(1) == want { // a heartbeat among them does not matter
					close(done)
				}
			}
		})
	}
	h.Subscribe("alpha", rb)
	eventually(b, "the greetings are through", func() bool { return got.Load() >= 2 })
	got.Store(0)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		h.PublishTick(aTick(int64(i)))
	}
	<-done
	b.ReportMetric(float64(b.N)*subscribers/b.Elapsed().Seconds(), "ticks/s")
}

// instant makes a desk that knows the answer.
func instant(o *rpc.Options) {
	o.Desk.(*desk).submit = func(_ hub.TraderName, _ hub.OrderRequest, done func(hub.GatewayName, hub.OrderID, error)) {
		done("SIM", "1_2_3", nil)
	}
}

package rpc_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// Which messages go out for one event, in each framing.
func TestFramings(t *testing.T) {
	for _, test := range []struct{ version, want string }{
		{"", "1 2 1 2"}, {"4.4.0", "1 1"}, {"4.5.0", "2 2"},
	} {
		t.Run("version "+test.version, func(t *testing.T) {
			h := run(t, func(o *rpc.Options) { o.Traders[0].Version = test.version })
			messages := make(chan veighna.Message, 100)
			h.dial(t, "alpha", func(o *rpc.ClientOptions) { o.Messages = func(m veighna.Message) { messages <- m } })
			h.PublishOrder(hub.Order{ID: "1", Trader: "alpha", OrderRequest: anOrder(1), Gateway: "SIM", Time: 1})
			var got []string
			for len(got) < len(strings.Fields(test.want)) {
				m := <-messages
				if bytes.Contains(bytes.Join(m, nil), []byte("eOrder.")) {
					got = append(got, fmt.Sprint(len(m)))
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("frames %v, want %s", got, test.want)
			}
		})
	}
}

// Every order changes the account several times: the first change is told at once, and of those that follow the newest when it is time.
func TestAccountIsToldNowAndThen(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Limits.AccountEvery = 200 * time.Millisecond })
	_, events := h.dial(t, "alpha", nil)
	account := func(n int64) { h.PublishAccount(hub.Account{Trader: "alpha", Balance: hub.Int(n)}) }
	var told []string
	next := func() {
		for e := range events {
			if a, ok := e.Data.(veighna.Account); ok && e.Type == veighna.EventAccount {
				told = append(told, a.Balance.String())
				return
			}
		}
	}
	account(1)
	next()
	began := time.Now()
	const last = 1000
	for n := int64(2); n <= last; n++ {
		account(n)
	}
	for told[len(told)-1] != fmt.Sprint(last) {
		next()
	}
	// One more of them for each time that has passed, however slow the machine is.
	if most := 2 + int(time.Since(began)/(200*time.Millisecond)); told[0] != "1" || len(told) > most {
		t.Errorf("told %v, want 1 first, %d last, and at most %d", told, last, most)
	}
}

// A client of another version than the stated one is told so, before anything else, and again.
func TestHint(t *testing.T) {
	for _, test := range []struct{ stated, is string }{{"4.5", "4.4"}, {"4.4", "4.5"}} {
		t.Run(test.stated, func(t *testing.T) {
			h := run(t, func(o *rpc.Options) {
				o.Traders[0].Version = test.stated
				o.Traders[0].Language = veighna.English
				o.Limits.HintEvery = 50 * time.Millisecond
			})
			_, events := h.dial(t, "alpha", func(o *rpc.ClientOptions) { o.Version = test.is })
			h.PublishOrder(hub.Order{ID: "1", Trader: "alpha", OrderRequest: anOrder(1), Gateway: "SIM", Time: 1})
			for range 3 {
				e := <-events
				line, ok := e.Data.(veighna.Log)
				if !ok || e.Type != veighna.EventLog || !strings.Contains(line.Text, "is version "+test.stated+", but it is not") {
					t.Fatalf("got %s %v, want the hint", e.Type, e.Data)
				}
			}
			_, right := h.dial(t, "alpha", func(o *rpc.ClientOptions) { o.Version = test.stated })
			h.PublishOrder(hub.Order{ID: "2", Trader: "alpha", OrderRequest: anOrder(1), Gateway: "SIM", Time: 1})
			for e := range right {
				if e.Type == veighna.EventLog {
					t.Errorf("a client of the stated version sees %v", e.Data)
				}
				if e.Type == "eOrder." {
					break
				}
			}
		})
	}
}

// A 4.4 that is taken for a 4.5 dies of the first event, so the hint must be before it.
func TestHintIsFirst(t *testing.T) {
	h := run(t, func(o *rpc.Options) { o.Traders[0].Version = "4.5" })
	s := h.status("alpha")
	var stop atomic.Bool
	published := make(chan struct{})
	go func() {
		defer close(published)
		for !stop.Load() {
			h.PublishOrder(hub.Order{ID: "1", Trader: "alpha", OrderRequest: anOrder(1), Gateway: "SIM", Time: 1})
		}
	}()
	for range 20 {
		sub := socket(t, zmq.SUB, s.Publish)
		if m := receiveRaw(t, sub); len(m) != 1 {
			t.Errorf("the first message has %d frames, want 1", len(m))
		}
		_ = sub.Close()
	}
	stop.Store(true)
	<-published
}

func TestHeartbeat(t *testing.T) {
	for _, version := range []string{"", "4.4", "4.5"} {
		t.Run("version "+version, func(t *testing.T) {
			h := run(t, func(o *rpc.Options) {
				o.Traders[0].Version = version
				o.Limits.Heartbeat = 20 * time.Millisecond
			})
			messages := make(chan veighna.Message, 1000)
			h.dial(t, "alpha", func(o *rpc.ClientOptions) {
				o.Messages = func(m veighna.Message) {
					select {
					case messages <- m:
					default:
					}
				}
			})
			beats := 0
			for beats < 3 {
				e, err := veighna.DecodeEvent(<-messages, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, ok := e.Data.(veighna.Heartbeat); ok {
					beats++
				}
			}
		})
	}
}

// A subscriber that does not read holds up nobody. What passes it by is counted, alerted, and told to the trader when it reads again.
func TestSubscriberDoesNotRead(t *testing.T) {
	alerts := make(chan string, 100)
	h := run(t, func(o *rpc.Options) {
		o.Traders[0].Version = "4.5"
		o.Traders[0].Language = veighna.English
		o.Limits.SubscriberMessages = 200
		o.Alert = func(text string) { alerts <- text }
	})
	deaf := deafSubscriber(t, h.status("alpha").Publish)
	h.waitStatus(t, "alpha", "the deaf one is subscribed", func(s rpc.Status) bool { return s.Subscribers == 1 })
	var orders atomic.Int64
	lines := make(chan string, 100)
	h.dial(t, "alpha", func(o *rpc.ClientOptions) {
		o.Events = func(e veighna.Event) {
			switch data := e.Data.(type) {
			case hub.Order:
				if e.Type == "eOrder." {
					orders.Add(1)
				}
			case veighna.Log:
				if e.Type == veighna.EventLog {
					lines <- data.Text
				}
			}
		}
	})
	sent := int64(0)
	req := anOrder(1)
	req.Reference = strings.Repeat("x", 10_000) // buffers between here and there are large
	for len(alerts) == 0 {
		for range 50 {
			sent++
			h.PublishOrder(hub.Order{ID: hub.OrderID(fmt.Sprint(sent)), Trader: "alpha", OrderRequest: req, Gateway: "SIM", Time: 1})
		}
		eventually(t, "the other hears every order", func() bool { return orders.Load() == sent })
		if sent > 50_000 {
			t.Fatal("the queue of one who does not read is never full")
		}
	}
	if got := <-alerts; got != "a subscriber of alpha does not read: its queue is full, and events pass it by" {
		t.Errorf("alert %q", got)
	}
	h.log.waitFor(t, "its queue is full, and events pass it by")
	go func() { // now it reads
		buf := make([]byte, 1<<20)
		for {
			if _, err := deaf.Read(buf); err != nil {
				return
			}
		}
	}()
	text := <-lines
	if !strings.Contains(text, "one of your programs did not read for") {
		t.Errorf("the trader is told %q", text)
	}
	h.log.waitFor(t, "no subscriber's queue is full any more")
	h.waitStatus(t, "alpha", "it is counted", func(s rpc.Status) bool { return s.EventsMissed > 0 })
	_ = deaf.Close()
}

// While a subscriber is slow, ticks are thinned out and orders are not.
func TestTicksGiveWay(t *testing.T) {
	h := run(t, func(o *rpc.Options) {
		o.Traders[0].Version = "4.5"
		o.Limits.BehindBytes, o.Limits.BehindFor = 1, time.Nanosecond
		o.Limits.ConflateEvery = 10 * time.Millisecond
		o.Limits.SubscriberMessages = 1 << 30
	})
	deafSubscriber(t, h.status("alpha").Publish)
	h.waitStatus(t, "alpha", "the deaf one is subscribed", func(s rpc.Status) bool { return s.Subscribers == 1 })
	h.Subscribe("alpha", rb)
	_, events := h.dial(t, "alpha", nil)
	req := anOrder(1)
	req.Reference = strings.Repeat("x", 10_000)
	sent := 0
	eventually(t, "the deaf one is called slow", func() bool {
		for range 20 {
			sent++
			h.PublishOrder(hub.Order{ID: "1", Trader: "alpha", OrderRequest: req, Gateway: "SIM", Time: 1})
			next(t, events, "eOrder.")
		}
		return h.status("alpha").Slow > 0
	})
	h.log.waitFor(t, "reads too slowly: ticks are thinned out")
	const ticks = 1000
	for i := range ticks {
		h.PublishTick(aTick(int64(i + 1)))
	}
	got := 0
	for last := false; !last; {
		tick := next(t, events, "eTick.").Data.(hub.Tick)
		got++
		last = tick.Volume.Cmp(hub.Int(ticks)) == 0
	}
	if got > ticks/2 {
		t.Errorf("%d of %d ticks went out", got, ticks)
	}
	h.waitStatus(t, "alpha", "it is counted", func(s rpc.Status) bool { return s.TicksMerged >= uint64(ticks-got) })
}

// A program whose publish connection was cut is told so, unless it queries, as one does that was just started.
func TestInterrupted(t *testing.T) {
	for _, queries := range []bool{false, true} {
		t.Run(fmt.Sprintf("queries %v", queries), func(t *testing.T) {
			h := run(t, func(o *rpc.Options) {
				o.Traders[0].Language = veighna.English
				o.Limits.QueryWithin = 100 * time.Millisecond
			})
			s := h.status("alpha")
			cut := deafSubscriber(t, s.Publish)
			h.waitStatus(t, "alpha", "it is subscribed", func(s rpc.Status) bool { return s.Subscribers == 1 })
			_ = cut.Close()
			h.waitStatus(t, "alpha", "it is gone", func(s rpc.Status) bool { return s.Subscribers == 0 })
			for range 3 {
				h.PublishOrder(hub.Order{ID: "1", Trader: "alpha", OrderRequest: anOrder(1), Gateway: "SIM", Time: 1})
			}
			h.waitStatus(t, "alpha", "three events went by", func(s rpc.Status) bool { return s.Events == 3 })
			c, events := h.dial(t, "alpha", nil)
			if queries {
				call(t, c, veighna.GetAllOrders{})
				h.log.waitFor(t, "a subscriber came back, or was just started, and queried its orders")
				return
			}
			text := next(t, events, veighna.EventLog).Data.(veighna.Log).Text
			if !strings.Contains(text, "and 3 events of orders, trades, positions or account went by") {
				t.Errorf("it is told %q", text)
			}
			h.log.waitFor(t, "a subscriber came back and did not query again")
		})
	}
}

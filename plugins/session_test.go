package plugins_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/pluginpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Package host tests both sides with real processes. Here is what cannot be seen from there: a hub that goes away or breaks the contract.

// venue is a gateway that a test holds by its sink.
type venue struct {
	sink    chan plugins.Sink
	submits chan hub.Order
	closed  chan struct{}
}

func newVenue() *venue {
	return &venue{sink: make(chan plugins.Sink, 1), submits: make(chan hub.Order), closed: make(chan struct{})}
}

func (v *venue) Start(_ context.Context, _ plugins.Env, sink plugins.Sink) error {
	v.sink <- sink
	return nil
}
func (v *venue) Submit(order hub.Order)     { v.submits <- order }
func (v *venue) Cancel(hub.Order)           {}
func (v *venue) Subscribe([]hub.Instrument) {}
func (v *venue) History(context.Context, hub.HistoryRequest) ([]hub.Bar, error) {
	return nil, nil
}

func (v *venue) Ask(context.Context, []hub.OrderID) ([]hub.VenueOrder, bool, error) {
	return nil, true, nil
}
func (v *venue) Close() error { close(v.closed); return nil }

// wire is a connection to a plugin in this process.
func wire(t *testing.T, register func(*grpc.Server)) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	register(server)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); server.Stop() })
	return conn
}

type gatewaySession = grpc.BidiStreamingClient[pluginpb.GatewayCommands, pluginpb.GatewayEvents]

// open begins a session with a venue and returns it with the exit status that the process would end with.
func open(t *testing.T, v *venue) (gatewaySession, pluginpb.GatewayServiceClient, chan int) {
	t.Helper()
	exit := make(chan int, 1)
	server := plugins.GatewayServer(v, func(status int) { exit <- status })
	client := pluginpb.NewGatewayServiceClient(wire(t, func(s *grpc.Server) { pluginpb.RegisterGatewayServiceServer(s, server) }))
	session, err := client.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	send(t, session, &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Start{Start: &pluginpb.Start{Name: "SIM", Window: 8}}})
	return session, client, exit
}

func send(t *testing.T, session gatewaySession, commands ...*pluginpb.GatewayCommand) {
	t.Helper()
	if err := session.Send(&pluginpb.GatewayCommands{Commands: commands}); err != nil {
		t.Fatal(err)
	}
}

// receive returns events until one of them is the last that is wanted.
func receive(t *testing.T, session gatewaySession, last func(*pluginpb.GatewayEvent) bool) (all []*pluginpb.GatewayEvent) {
	t.Helper()
	for {
		events, err := session.Recv()
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events.GetEvents() {
			all = append(all, event)
			if last(event) {
				return all
			}
		}
	}
}

func submit(id int) *pluginpb.GatewayCommand {
	order := hub.Order{ID: hub.OrderID(fmt.Sprint(id))}
	return &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Submit{Submit: pluginpb.OrderOf(order)}}
}

func TestHubGone(t *testing.T) {
	v := newVenue()
	session, _, exit := open(t, v)
	sink := <-v.sink
	send(t, session, submit(1), submit(2))
	<-v.submits
	if err := session.CloseSend(); err != nil { // as when the process at the other end dies
		t.Fatal(err)
	}
	select {
	case order := <-v.submits: // the second was handed over, and may be tried; or is not, when the end was seen first
		if order.ID != "2" {
			t.Errorf("submitted %s", order.ID)
		}
		<-v.closed
	case <-v.closed:
	}
	if got := <-exit; got != 3 {
		t.Errorf("exit status: got %d, want 3", got)
	}
	sink.Report(hub.VenueReport{OrderID: "1"}) // goes nowhere, and does not wait
	sink.Tick(hub.Tick{})
}

func TestSecondSession(t *testing.T) {
	v := newVenue()
	session, client, _ := open(t, v)
	<-v.sink
	second, err := client.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Recv(); err == nil || !strings.Contains(err.Error(), "this process has its session already") {
		t.Errorf("got %v", err)
	}
	send(t, session, &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Close{}})
	receive(t, session, func(e *pluginpb.GatewayEvent) bool { return e.GetClosed() != nil })
}

// TestWindow shows that a hub that runs ahead of its window is not followed. Until that is seen nobody takes an order from the author: who did might keep up with the hub.
func TestWindow(t *testing.T) {
	v := newVenue()
	session, _, exit := open(t, v)
	<-v.sink
	var commands []*pluginpb.GatewayCommand
	for i := range 10 { // one with the author, eight that wait, and one too many
		commands = append(commands, submit(i))
	}
	send(t, session, commands...)
	if got := <-exit; got != 3 {
		t.Errorf("exit status: got %d, want 3", got)
	}
	for {
		if _, err := session.Recv(); err != nil {
			if want := "the hub sent more than 8 commands ahead"; !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			break
		}
	}
	select {
	case order := <-v.submits: // the first, when the author had it before the end was seen; none of the others
		if order.ID != "0" {
			t.Errorf("submitted %s", order.ID)
		}
		<-v.closed
	case <-v.closed:
	}
}

// TestTicksGiveWay shows that a slow hub gets the newest tick of each contract, while every report waits for it.
func TestTicksGiveWay(t *testing.T) {
	v := newVenue()
	session, _, _ := open(t, v)
	sink := <-v.sink
	const reports, rounds = 30_000, 2_000 // far more than all buffers hold
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range reports {
			sink.Report(hub.VenueReport{OrderID: hub.OrderID(fmt.Sprint(i)), Kind: hub.ReportResting, Reason: strings.Repeat("long ", 100)})
		}
	}()
	for i := range rounds { // does not wait, though nobody reads
		for _, symbol := range []string{"a", "b"} {
			sink.Tick(hub.Tick{Instrument: hub.Instrument{Symbol: symbol}, Time: hub.Time(i)})
		}
	}
	select {
	case <-done:
		t.Fatal("reports did not wait for a hub that does not read")
	default:
	}
	ticks, next := 0, 0
	newest := map[string]int64{}
	for next < reports || newest["a"] < rounds-1 || newest["b"] < rounds-1 {
		events, err := session.Recv()
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events.GetEvents() {
			switch e := event.GetEvent().(type) {
			case *pluginpb.GatewayEvent_Report:
				if got := e.Report.GetOrderId(); got != fmt.Sprint(next) {
					t.Fatalf("report of %s, want %d", got, next)
				}
				next++
			case *pluginpb.GatewayEvent_Tick:
				ticks++
				if symbol := e.Tick.GetInstrument().GetSymbol(); e.Tick.GetTime() < newest[symbol] {
					t.Fatalf("an old tick of %s after a new one", symbol)
				} else {
					newest[symbol] = e.Tick.GetTime()
				}
			}
		}
	}
	<-done
	if ticks >= 2*rounds {
		t.Errorf("%d ticks: none gave way", ticks)
	}
}

// TestPongWhileBusy shows that a ping is answered while the author's code hangs, and says where.
func TestPongWhileBusy(t *testing.T) {
	v := newVenue()
	session, _, _ := open(t, v)
	<-v.sink
	send(t, session, submit(1))
	busy := func(id uint64) *pluginpb.Pong {
		send(t, session, &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Ping{Ping: &pluginpb.Ping{Id: id}}})
		events := receive(t, session, func(e *pluginpb.GatewayEvent) bool { return e.GetPong() != nil })
		return events[len(events)-1].GetPong()
	}
	deadline := time.Now().Add(time.Minute)
	id := uint64(1)
	for pong := busy(id); pong.GetBusyIn() != "Submit" || pong.GetBusyNanos() < int64(time.Millisecond); pong = busy(id) {
		if id++; time.Now().After(deadline) {
			t.Fatalf("got %v", pong)
		}
	}
	<-v.submits
	for pong := busy(id + 1); pong.GetBusyIn() != ""; pong = busy(id) {
		if id++; time.Now().After(deadline) {
			t.Fatalf("got %v", pong)
		}
	}
}

func TestFirstCommand(t *testing.T) {
	for _, commands := range [][]*pluginpb.GatewayCommand{{submit(1)}, {}} {
		server := plugins.GatewayServer(newVenue(), func(int) {})
		client := pluginpb.NewGatewayServiceClient(wire(t, func(s *grpc.Server) { pluginpb.RegisterGatewayServiceServer(s, server) }))
		session, err := client.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		send(t, session, commands...)
		if _, err := session.Recv(); err == nil || !strings.Contains(err.Error(), "the first command must be Start") {
			t.Errorf("got %v", err)
		}
	}
}

// judge is a risk manager that says yes.
type judge struct{ closed chan struct{} }

func (j *judge) Start(plugins.Env, hub.RiskBook) error { return nil }
func (j *judge) Judge(hub.Candidate) hub.Verdict       { return hub.Verdict{Pass: true} }
func (j *judge) Observe(hub.RiskEvent)                 {}
func (j *judge) Numbers() []hub.Number                 { return nil }
func (j *judge) Close() error                          { close(j.closed); return nil }

func TestHubGoneFromRiskManager(t *testing.T) {
	for name, book := range map[string]bool{"with its book": true, "before": false} {
		t.Run(name, func(t *testing.T) {
			j := &judge{closed: make(chan struct{})}
			exit := make(chan int, 1)
			server := plugins.RiskServer(j, func(status int) { exit <- status })
			client := pluginpb.NewRiskServiceClient(wire(t, func(s *grpc.Server) { pluginpb.RegisterRiskServiceServer(s, server) }))
			session, err := client.Session(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			commands := []*pluginpb.RiskCommand{{Command: &pluginpb.RiskCommand_Start{Start: &pluginpb.Start{Window: 8}}}}
			if book {
				commands = append(commands, &pluginpb.RiskCommand{Command: &pluginpb.RiskCommand_Book{Book: &pluginpb.Book{}}})
			}
			if err := session.Send(&pluginpb.RiskCommands{Commands: commands}); err != nil {
				t.Fatal(err)
			}
			if book {
				if answers, err := session.Recv(); err != nil || answers.GetAnswers()[0].GetStarted() == nil {
					t.Fatalf("got %v, %v", answers, err)
				}
			}
			if err := session.CloseSend(); err != nil {
				t.Fatal(err)
			}
			if got := <-exit; got != 3 {
				t.Errorf("exit status: got %d, want 3", got)
			}
			if book {
				<-j.closed
			}
		})
	}
}

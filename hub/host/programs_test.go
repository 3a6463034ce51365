package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"tradehub/hub"
	"tradehub/hub/host"
	"tradehub/plugins"
	"tradehub/plugins/pluginpb"
)

// programs are the plugins of the tests; the test binary is all of them.
var programs = map[string]func(){
	"gateway-echo":   func() { plugins.ServeGateway(&echo{}) },
	"gateway-noisy":  func() { fmt.Println("hello from a print"); plugins.ServeGateway(&echo{}) },
	"gateway-chatty": func() { plugins.ServeGateway(&echo{chatty: true}) },
	"gateway-wrong-version": func() {
		handshake := plugins.Handshake()
		handshake.ProtocolVersion = 99
		goplugin.Serve(&goplugin.ServeConfig{HandshakeConfig: handshake, Plugins: plugins.Plugins(), GRPCServer: goplugin.DefaultGRPCServer})
	},
	"gateway-amends":  func() { plugins.ServeGateway(&amender{}) },
	"gateway-ticks":   func() { plugins.ServeGateway(&ticker{}) },
	"gateway-mute":    func() { select {} },
	"gateway-exits":   func() { fmt.Fprintln(os.Stderr, "cannot open the licence file"); os.Exit(4) },
	"gateway-garbled": func() { serveRaw(plugins.KindGateway, &rawPlugin{gateway: &garbledGateway{}}) },
	"risk-book":       func() { plugins.ServeRiskManager(&bookkeeper{}) },
	"risk-garbled":    func() { serveRaw(plugins.KindRiskManager, &rawPlugin{risk: &garbledRisk{}}) },
	"hub":             runHub,
	"sleeper":         func() { time.Sleep(10 * time.Minute) },
}

// os.Stdout and os.Stderr are go-plugin's pipes once a plugin runs; these are the process's own.
var rawStdout, rawStderr = os.Stdout, os.Stderr

// echo is a gateway whose venue is itself. What an order's reference says is what befalls it.
type echo struct {
	chatty bool
	env    plugins.Env
	sink   plugins.Sink

	limits []hub.MessageLimit

	mu     sync.Mutex
	orders map[hub.OrderID]hub.VenueOrder
	asks   int
}

// MessageLimits implements plugins.MessageLimiter.
func (e *echo) MessageLimits() []hub.MessageLimit { return e.limits }

func (e *echo) Start(_ context.Context, env plugins.Env, sink plugins.Sink) error {
	e.env, e.sink, e.orders = env, sink, map[hub.OrderID]hub.VenueOrder{}
	contracts := env.Settings.Int("contracts", 1)
	stated := env.Settings.Int("positions", 0)
	refuse := env.Settings.String("refuse", "")
	child := env.Settings.Bool("child", false)
	e.env.Settings.Bool("stubborn", false)
	if n := env.Settings.Int("messages", 0); n != 0 {
		e.limits = []hub.MessageLimit{{Messages: int(n), Window: time.Second}, {Messages: 600, Window: time.Minute}}
	}
	if err := env.Settings.Err(); err != nil {
		return err
	}
	if refuse != "" {
		return errors.New(refuse)
	}
	if e.chatty {
		fmt.Println("a print after the handshake")
		fmt.Fprintln(os.Stderr, "a line on stderr")
		fmt.Fprintln(rawStderr, `{"@message": 5, "@level": ["x"]}`)
		fmt.Fprintln(rawStderr, strings.Repeat("x", 1<<20))
		fmt.Fprintln(rawStdout, strings.Repeat("y", 1<<20))
		env.Log.Info("from the plugin's log", "key", "value")
		env.Log.Debug("too low a level")
	}
	if child {
		cmd := exec.CommandContext(context.Background(), os.Args[0], "sleeper")
		cmd.Stdout = rawStdout
		if err := cmd.Start(); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.Dir, "child"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
			return err
		}
	}
	list := []hub.Contract{contract("rb2610")}
	for i := range contracts - 1 {
		list = append(list, contract(fmt.Sprintf("c%d", i)))
	}
	sink.Contracts(list)
	sink.Up()
	if stated > 0 {
		positions := make([]hub.VenuePosition, stated)
		for i := range positions {
			positions[i] = hub.VenuePosition{Instrument: list[0].Instrument, Direction: hub.Long, Today: hub.Int(int64(i)), Price: hub.MustDecimal("3512.5")}
		}
		money := []hub.VenueMoney{{Currency: "CNY", Balance: hub.MustDecimal("0.1")}}
		sink.(plugins.StatementSink).Statement(hub.VenueStatement{Day: "20261123", Exact: true, Positions: positions, Money: money})
	}
	return nil
}

func contract(symbol string) hub.Contract {
	return hub.Contract{
		Instrument: hub.Instrument{Symbol: symbol, Exchange: "SHFE"}, Name: "steel", Product: "rb", Kind: hub.Futures, Currency: "CNY",
		Size: hub.Int(10), Tick: hub.Int(1), MinQty: hub.Int(1), History: true, SplitsToday: true,
		MarginLong: hub.MustDecimal("0.13"), MarginShort: hub.MustDecimal("0.14"), Fees: hub.Fees{OpenByValue: hub.MustDecimal("0.0001")}, Zone: "Asia/Shanghai",
	}
}

func (e *echo) Submit(order hub.Order) {
	switch order.Reference {
	case "exit":
		os.Exit(7)
	case "panic":
		panic("the author made a mistake")
	case "hang":
		select {}
	case "lost":
		return
	case "venue down":
		e.sink.Down("the venue closed the connection")
		return
	case "venue up":
		e.sink.Up()
	}
	e.mu.Lock()
	e.orders[order.ID] = hub.VenueOrder{OrderID: order.ID, VenueID: "v" + string(order.ID), Status: hub.Resting}
	e.mu.Unlock()
	e.sink.Report(hub.VenueReport{
		OrderID: order.ID, Kind: hub.ReportResting, VenueID: "v" + string(order.ID), Reason: order.Reference, Price: order.Price, Qty: order.Qty, VenueTime: order.Time,
	})
}

func (e *echo) Cancel(order hub.Order) {
	e.mu.Lock()
	delete(e.orders, order.ID)
	e.mu.Unlock()
	e.sink.Report(hub.VenueReport{OrderID: order.ID, Kind: hub.ReportCancelled})
}

func (e *echo) Subscribe(instruments []hub.Instrument) {
	for _, instrument := range instruments {
		tick := hub.Tick{Instrument: instrument, Last: hub.MustDecimal("3512.5"), Time: 1}
		tick.Bids[0] = hub.Level{Price: hub.Int(3512), Qty: hub.Int(7)}
		tick.Asks[4] = hub.Level{Price: hub.Int(3517), Qty: hub.Int(9)}
		e.sink.Tick(tick)
	}
}

func (e *echo) History(ctx context.Context, req hub.HistoryRequest) ([]hub.Bar, error) {
	switch req.Symbol {
	case "none":
		return nil, errors.New("no such contract")
	case "never":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	bars := make([]hub.Bar, 0, 2500)
	for t := req.Start; t <= req.End; t += hub.Time(time.Minute) {
		bars = append(bars, hub.Bar{Instrument: req.Instrument, Time: t, Interval: req.Interval, Close: hub.Int(int64(len(bars)))})
	}
	return bars, nil
}

// Ask fails once, and then reports before it answers.
func (e *echo) Ask(_ context.Context, orders []hub.OrderID) (known []hub.VenueOrder, complete bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asks++; e.asks == 1 {
		return nil, false, errors.New("the venue is busy")
	}
	for _, id := range orders {
		if order, there := e.orders[id]; there {
			known = append(known, order)
			e.sink.Report(hub.VenueReport{OrderID: id, Kind: hub.ReportFill, TradeID: "t" + string(id), Price: hub.Int(1), Qty: hub.Int(1)})
		}
	}
	return known, true, nil
}

func (e *echo) Close() error {
	if e.env.Settings.Bool("stubborn", false) {
		select {}
	}
	return os.WriteFile(filepath.Join(e.env.Dir, "closed"), []byte("in good order"), 0o600)
}

// ticker is a gateway with a full tick of another contract all the time.
type ticker struct{ echo }

func (t *ticker) Subscribe([]hub.Instrument) {
	go func() {
		tick := hub.Tick{
			Last: hub.MustDecimal("3512.5"), Volume: hub.Int(123456), Turnover: hub.MustDecimal("4336543210.5"), OpenInterest: hub.Int(654321), LastQty: hub.Int(3),
			LimitUp: hub.Int(3862), LimitDown: hub.Int(3160), Open: hub.Int(3500), High: hub.Int(3533), Low: hub.Int(3487), PreClose: hub.Int(3511), Time: 1, LocalTime: 2,
		}
		for i := range tick.Bids {
			tick.Bids[i] = hub.Level{Price: hub.Int(int64(3512 - i)), Qty: hub.Int(int64(17 + i))}
			tick.Asks[i] = hub.Level{Price: hub.Int(int64(3513 + i)), Qty: hub.Int(int64(23 + i))}
		}
		names := make([]string, 1000)
		for i := range names {
			names[i] = fmt.Sprintf("c%d", i)
		}
		for {
			for _, name := range names {
				tick.Instrument = hub.Instrument{Symbol: name, Exchange: "SHFE"}
				t.sink.Tick(tick)
			}
		}
	}()
}

// bookkeeper is a risk manager that counts; what a candidate's reference says is how it is judged.
type bookkeeper struct {
	book   hub.RiskBook
	events int
	env    plugins.Env
}

func (b *bookkeeper) Start(env plugins.Env, book hub.RiskBook) error {
	b.env, b.book = env, book
	refuse := env.Settings.String("refuse", "")
	if err := env.Settings.Err(); err != nil {
		return err
	}
	if refuse != "" {
		return errors.New(refuse)
	}
	return nil
}

func (b *bookkeeper) Judge(c hub.Candidate) hub.Verdict {
	switch c.Request.Reference {
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	case "slow":
		time.Sleep(300 * time.Millisecond)
	case "no":
		return hub.Verdict{Reason: fmt.Sprintf("%d events, %d contracts, %d orders", b.events, len(b.book.Contracts), len(b.book.Orders))}
	case "no words":
		return hub.Verdict{}
	}
	return hub.Verdict{Pass: true, Manager: "not its business", Took: time.Hour}
}

func (b *bookkeeper) Observe(e hub.RiskEvent) {
	if e.Decided != nil && e.Decided.Order.Reference == "slow" {
		time.Sleep(time.Hour)
	}
	b.events++
	b.book.Contracts = append(b.book.Contracts, e.Contracts...)
}

func (b *bookkeeper) Numbers() []hub.Number {
	return []hub.Number{{Name: "events", Value: hub.Int(int64(b.events))}, {Name: "margin.used", Trader: "alpha", Value: hub.MustDecimal("12.5")}}
}

func (b *bookkeeper) Close() error { return nil }

// rawPlugin speaks the protocol without package plugins, as a program in another language does.
type rawPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	gateway pluginpb.GatewayServiceServer
	risk    pluginpb.RiskServiceServer
}

func (p *rawPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	if p.gateway != nil {
		pluginpb.RegisterGatewayServiceServer(s, p.gateway)
	}
	if p.risk != nil {
		pluginpb.RegisterRiskServiceServer(s, p.risk)
	}
	return nil
}

func (p *rawPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("not a hub")
}

func serveRaw(kind plugins.Kind, p *rawPlugin) {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: plugins.Handshake(), Plugins: goplugin.PluginSet{string(kind): p}, GRPCServer: goplugin.DefaultGRPCServer,
	})
}

// garbledGateway sends one piece of garbage, which its settings name.
type garbledGateway struct {
	pluginpb.UnimplementedGatewayServiceServer
}

func (*garbledGateway) Session(stream grpc.BidiStreamingServer[pluginpb.GatewayCommands, pluginpb.GatewayEvents]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	events := &pluginpb.GatewayEvents{}
	add := func(e *pluginpb.GatewayEvent) { events.Events = append(events.Events, e) }
	list := &pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Contracts{Contracts: &pluginpb.Contracts{}}}
	switch first.GetCommands()[0].GetStart().GetSettings().GetValues()["garbage"].GetText() {
	case "price":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Report{Report: &pluginpb.Report{OrderId: "1", Kind: 3, Price: "NaN"}}})
	case "kind":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Report{Report: &pluginpb.Report{OrderId: "1", Kind: 7}}})
	case "enum":
		wrong := &pluginpb.Contract{Instrument: &pluginpb.Instrument{Symbol: "x", Exchange: "Y"}, Kind: 258}
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Contracts{Contracts: &pluginpb.Contracts{Contracts: []*pluginpb.Contract{wrong}}}})
	case "levels":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Tick{Tick: &pluginpb.Tick{Bids: make([]*pluginpb.Level, 6)}}})
	case "up":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Up{}})
	case "empty":
		add(&pluginpb.GatewayEvent{})
	case "taken":
		events.Taken = 5
	case "position":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Statement{Statement: &pluginpb.Statement{
			Positions: []*pluginpb.VenuePosition{{Instrument: &pluginpb.Instrument{Symbol: "x", Exchange: "Y"}, Today: "two"}},
		}}})
	case "money":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Statement{Statement: &pluginpb.Statement{Money: []*pluginpb.VenueMoney{{Balance: "much"}}}}})
	case "positions":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Statement{Statement: &pluginpb.Statement{Positions: make([]*pluginpb.VenuePosition, host.ContractsMax+1)}}})
	case "large":
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Down{Down: &pluginpb.Down{Reason: strings.Repeat("x", plugins.MessageMax)}}})
	case "silent":
		add(list)
		add(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Up{Up: &pluginpb.Up{}}}) // and no Pong, ever
	}
	if err := stream.Send(events); err != nil {
		return err
	}
	for {
		commands, err := stream.Recv()
		if err != nil {
			return err
		}
		if last := commands.GetCommands()[len(commands.GetCommands())-1]; last.GetClose() != nil {
			return stream.Send(&pluginpb.GatewayEvents{Events: []*pluginpb.GatewayEvent{{Event: &pluginpb.GatewayEvent_Closed{}}}})
		}
	}
}

// garbledRisk answers every candidate with what its settings name.
type garbledRisk struct {
	pluginpb.UnimplementedRiskServiceServer
}

func (*garbledRisk) Session(stream grpc.BidiStreamingServer[pluginpb.RiskCommands, pluginpb.RiskAnswers]) error {
	var garbage string
	var taken uint64
	for {
		commands, err := stream.Recv()
		if err != nil {
			return err
		}
		out := &pluginpb.RiskAnswers{}
		add := func(a *pluginpb.RiskAnswer) { out.Answers = append(out.Answers, a) }
		for _, command := range commands.GetCommands() {
			switch c := command.GetCommand().(type) {
			case *pluginpb.RiskCommand_Start:
				garbage = c.Start.GetSettings().GetValues()["garbage"].GetText()
			case *pluginpb.RiskCommand_Book:
				if !c.Book.GetMore() {
					add(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Started{}})
				}
			case *pluginpb.RiskCommand_Close:
				return stream.Send(&pluginpb.RiskAnswers{Taken: taken, Answers: []*pluginpb.RiskAnswer{{Answer: &pluginpb.RiskAnswer_Closed{}}}})
			case *pluginpb.RiskCommand_Ping:
				add(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Pong{Pong: &pluginpb.Pong{Id: c.Ping.GetId()}}})
			case *pluginpb.RiskCommand_Judge:
				taken++
				verdict := &pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Verdict{Verdict: &pluginpb.Verdict{Ask: c.Judge.GetAsk(), Pass: true}}}
				switch garbage {
				case "silent":
				case "unknown":
					verdict.GetVerdict().Ask += 1000
					add(verdict)
				case "twice":
					add(verdict)
					add(verdict)
				case "empty":
					add(&pluginpb.RiskAnswer{})
				case "no ask":
					add(&pluginpb.RiskAnswer{Answer: &pluginpb.RiskAnswer_Verdict{}})
				}
			default:
				taken++
			}
		}
		out.Taken = taken
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

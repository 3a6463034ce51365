package plugins

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"tradehub/hub"
	"tradehub/plugins/pluginpb"
)

// Limits of what a gateway does at the same time.
const (
	askTimeout     = 10 * time.Second // for one Ask
	historiesMax   = 64               // requests for bars that run or wait; more are answered with an error
	historiesAtAll = 8                // of them, how many run
	partMax        = 500              // elements of a long list in one event
)

// gatewayServer turns the hub's stream into calls of a Gateway.
type gatewayServer struct {
	pluginpb.UnimplementedGatewayServiceServer
	gateway Gateway
	process process
	once    once
}

// Session is the life of the gateway: this goroutine reads, one calls the author in order, one sends, and every request for bars has its own.
func (s *gatewayServer) Session(stream gatewayStream) error {
	if err := s.once.take(); err != nil {
		return err
	}
	r := &gatewayRun{gateway: s.gateway, process: s.process, histories: map[uint64]context.CancelFunc{}, closed: make(chan struct{})}
	return r.run(stream)
}

type gatewayStream = grpc.BidiStreamingServer[pluginpb.GatewayCommands, pluginpb.GatewayEvents]

// gatewayRun is one session.
type gatewayRun struct {
	gateway Gateway
	process process
	out     *outbox[*pluginpb.GatewayEvent]
	orders  chan *pluginpb.GatewayCommand // counted commands, in order
	busy    busy
	gone    atomic.Bool // the hub is gone: what still waits is not done any more

	mu           sync.Mutex // guards histories
	histories    map[uint64]context.CancelFunc
	historyGroup sync.WaitGroup
	historySlots chan struct{}

	closed chan struct{} // the author's Close has returned
}

func (r *gatewayRun) run(stream gatewayStream) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if len(first.GetCommands()) == 0 || first.GetCommands()[0].GetStart() == nil {
		return errors.New("the first command must be Start")
	}
	start := first.GetCommands()[0].GetStart()
	env, err := r.process.env(start)
	if err != nil {
		return err
	}
	r.out = newOutbox(start.GetWindow(), weighEvent)
	r.out.tickWrap = func(t *pluginpb.Tick) *pluginpb.GatewayEvent {
		return &pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Tick{Tick: t}}
	}
	r.orders = make(chan *pluginpb.GatewayCommand, start.GetWindow())
	r.historySlots = make(chan struct{}, historiesAtAll)

	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- r.send(stream) }()
	go r.work(ctx, env)

	err = r.read(ctx, stream, first.GetCommands()[1:])
	cancel()
	close(r.orders)
	if err != nil { // the hub is gone, or speaks nonsense
		r.gone.Store(true)
		r.out.drop()
		r.process.gone(r.closed)
		return err
	}
	return <-sent
}

// read takes commands until Close (nil) or the end of the stream (an error).
func (r *gatewayRun) read(ctx context.Context, stream gatewayStream, commands []*pluginpb.GatewayCommand) error {
	for {
		for _, command := range commands {
			if command.GetClose() != nil {
				return nil
			}
			if err := r.route(ctx, command); err != nil {
				return err
			}
		}
		next, err := stream.Recv()
		if err != nil {
			return err
		}
		commands = next.GetCommands()
	}
}

func (r *gatewayRun) route(ctx context.Context, command *pluginpb.GatewayCommand) error {
	switch c := command.GetCommand().(type) {
	case *pluginpb.GatewayCommand_Ping:
		r.out.putFirst(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Pong{Pong: r.busy.pong(c.Ping.GetId())}})
		return nil
	case *pluginpb.GatewayCommand_History:
		defer r.out.done()
		return r.history(ctx, c.History)
	case *pluginpb.GatewayCommand_StopHistory:
		r.stopHistory(c.StopHistory.GetId())
		r.out.done()
		return nil
	}
	select {
	case r.orders <- command:
		return nil
	default:
		return fmt.Errorf("the hub sent more than %d commands ahead", cap(r.orders))
	}
}

func weighEvent(event *pluginpb.GatewayEvent) int {
	switch event.GetEvent().(type) {
	case *pluginpb.GatewayEvent_Contracts, *pluginpb.GatewayEvent_Answer, *pluginpb.GatewayEvent_Statement:
		return listWeigh
	default:
		return 1
	}
}

// work calls the author in order, from Start to Close.
func (r *gatewayRun) work(ctx context.Context, env Env) {
	defer close(r.closed)
	r.busy.in(callStart)
	if err := r.gateway.Start(ctx, env, &sink{out: r.out}); err != nil {
		r.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Failed{Failed: &pluginpb.Failed{Reason: valid(err.Error())}}})
		r.out.end()
		return
	}
	r.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Started{Started: &pluginpb.Started{Version: version(), MessageLimits: limitsOf(r.gateway), Amends: amends(r.gateway)}}})
	r.busy.idle()
	for command := range r.orders {
		if r.gone.Load() {
			continue
		}
		if err := r.do(ctx, command); err != nil {
			r.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Failed{Failed: &pluginpb.Failed{Reason: valid(err.Error())}}})
		}
		r.busy.idle()
		r.out.done()
	}
	r.historyGroup.Wait()
	r.busy.in(callClose)
	closed := &pluginpb.Closed{}
	if err := r.gateway.Close(); err != nil {
		closed.Error = valid(err.Error())
	}
	r.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Closed{Closed: closed}})
	r.out.end()
}

// limitsOf asks a gateway what its channel takes.
func limitsOf(g Gateway) []*pluginpb.MessageLimit {
	limiter, ok := g.(MessageLimiter)
	if !ok {
		return nil
	}
	var wire []*pluginpb.MessageLimit
	for _, l := range limiter.MessageLimits() {
		wire = append(wire, pluginpb.FromMessageLimit(l))
	}
	return wire
}

// amends asks whether a gateway does.
func amends(g Gateway) bool {
	_, ok := g.(Amender)
	return ok
}

func (r *gatewayRun) do(ctx context.Context, command *pluginpb.GatewayCommand) error {
	switch c := command.GetCommand().(type) {
	case *pluginpb.GatewayCommand_Submit:
		order, err := c.Submit.Hub()
		if err != nil {
			return err
		}
		r.busy.in(callSubmit)
		r.gateway.Submit(order)
	case *pluginpb.GatewayCommand_Cancel:
		order, err := c.Cancel.Hub()
		if err != nil {
			return err
		}
		r.busy.in(callCancel)
		r.gateway.Cancel(order)
	case *pluginpb.GatewayCommand_Amend:
		order, err := c.Amend.Hub()
		if err != nil {
			return err
		}
		amender, ok := r.gateway.(Amender)
		if !ok {
			return fmt.Errorf("order %s is to be amended, which this gateway never offered", order.ID)
		}
		r.busy.in(callAmend)
		amender.Amend(order)
	case *pluginpb.GatewayCommand_Subscribe:
		instruments := make([]hub.Instrument, len(c.Subscribe.GetInstruments()))
		for i, instrument := range c.Subscribe.GetInstruments() {
			instruments[i] = instrument.Hub()
		}
		r.busy.in(callSubscribe)
		r.gateway.Subscribe(instruments)
	case *pluginpb.GatewayCommand_Ask:
		r.ask(ctx, c.Ask)
	default:
		return fmt.Errorf("unknown command %T from the hub", c)
	}
	return nil
}

func (r *gatewayRun) ask(ctx context.Context, ask *pluginpb.AskOrders) {
	ids := make([]hub.OrderID, len(ask.GetOrders()))
	for i, id := range ask.GetOrders() {
		ids[i] = hub.OrderID(id)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r.busy.in(callAsk)
	known, complete, err := r.gateway.Ask(ctx, ids)
	if err != nil {
		r.out.put(answerEvent(&pluginpb.Answer{Id: ask.GetId(), Error: valid(err.Error())}))
		return
	}
	var events []*pluginpb.GatewayEvent
	for part := range parts(known) {
		events = append(events, answerEvent(&pluginpb.Answer{Id: ask.GetId(), Orders: pluginpb.VenueOrdersOf(part), More: true}))
	}
	r.out.put(append(events, answerEvent(&pluginpb.Answer{Id: ask.GetId(), Complete: complete}))...)
}

// parts cuts a list of orders into pieces of partMax orders and fills.
func parts(orders []hub.VenueOrder) iter.Seq[[]hub.VenueOrder] {
	return func(yield func([]hub.VenueOrder) bool) {
		from, size := 0, 0
		for i := range orders {
			size += 1 + len(orders[i].Fills)
			if size < partMax && i < len(orders)-1 {
				continue
			}
			if !yield(orders[from : i+1]) {
				return
			}
			from, size = i+1, 0
		}
	}
}

func answerEvent(a *pluginpb.Answer) *pluginpb.GatewayEvent {
	return &pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Answer{Answer: a}}
}

// history starts a request for bars, or answers that there are too many.
func (r *gatewayRun) history(ctx context.Context, ask *pluginpb.AskHistory) error {
	request, err := ask.Hub()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.histories) >= historiesMax {
		cancel()
		r.historyGroup.Go(func() {
			r.bars(ask.GetId(), nil, fmt.Errorf("%d requests for history are waiting already", historiesMax))
		})
		return nil
	}
	r.histories[ask.GetId()] = cancel
	r.historyGroup.Go(func() {
		defer r.stopHistory(ask.GetId())
		select {
		case r.historySlots <- struct{}{}:
			defer func() { <-r.historySlots }()
		case <-ctx.Done():
			return
		}
		bars, err := r.gateway.History(ctx, request)
		r.bars(ask.GetId(), bars, err)
	})
	return nil
}

func (r *gatewayRun) stopHistory(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel, there := r.histories[id]; there {
		cancel()
		delete(r.histories, id)
	}
}

func (r *gatewayRun) bars(id uint64, bars []hub.Bar, err error) {
	last := &pluginpb.Bars{Id: id}
	if err != nil {
		last.Error = valid(err.Error())
		bars = nil
	}
	for part := range slices.Chunk(bars, 2*partMax) {
		r.out.putBulk(barsEvent(&pluginpb.Bars{Id: id, Bars: pluginpb.BarsOf(part), More: true}))
	}
	r.out.putBulk(barsEvent(last))
}

func barsEvent(b *pluginpb.Bars) *pluginpb.GatewayEvent {
	return &pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Bars{Bars: b}}
}

// send sends what waits until there is nothing more.
func (r *gatewayRun) send(stream gatewayStream) error {
	for {
		batch, taken, ok := r.out.take()
		if !ok {
			return nil
		}
		if err := stream.Send(&pluginpb.GatewayEvents{Events: batch, Taken: taken}); err != nil {
			r.out.drop()
			return err
		}
	}
}

// sink is what the author speaks into.
type sink struct {
	out *outbox[*pluginpb.GatewayEvent]
}

var (
	_ Sink          = (*sink)(nil)
	_ StatementSink = (*sink)(nil)
)

func (s *sink) Up() {
	s.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Up{Up: &pluginpb.Up{}}})
}

func (s *sink) Down(reason string) {
	s.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Down{Down: &pluginpb.Down{Reason: valid(reason)}}})
}

func (s *sink) Contracts(contracts []hub.Contract) {
	var events []*pluginpb.GatewayEvent
	for part := range slices.Chunk(contracts, partMax) {
		events = append(events, contractsEvent(&pluginpb.Contracts{Contracts: pluginpb.ContractsOf(part), More: true}))
	}
	s.out.put(append(events, contractsEvent(&pluginpb.Contracts{}))...)
}

func contractsEvent(c *pluginpb.Contracts) *pluginpb.GatewayEvent {
	return &pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Contracts{Contracts: c}}
}

func (s *sink) Tick(tick hub.Tick) { s.out.putTick(tick) }

func (s *sink) Report(report hub.VenueReport) {
	report.Reason = valid(report.Reason)
	s.out.put(&pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Report{Report: pluginpb.ReportOf(report)}})
}

func (s *sink) Statement(statement hub.VenueStatement) {
	var events []*pluginpb.GatewayEvent
	for part := range slices.Chunk(statement.Positions, partMax) {
		events = append(events, statementEvent(&pluginpb.Statement{Positions: pluginpb.VenuePositionsOf(part), More: true}))
	}
	statement.Positions = nil
	s.out.put(append(events, statementEvent(pluginpb.StatementOf(statement)))...)
}

func statementEvent(s *pluginpb.Statement) *pluginpb.GatewayEvent {
	return &pluginpb.GatewayEvent{Event: &pluginpb.GatewayEvent_Statement{Statement: s}}
}

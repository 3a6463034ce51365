package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/pluginpb"
)

// gateway is one gateway through all its processes.
type gateway struct {
	*unit
	name hub.GatewayName

	mu         sync.Mutex // guards what follows; taken before the lane's own
	lane       *lane[gatewayCommand]
	up         bool   // connected to its venue
	reason     string // why it is not
	amends     bool   // this process does
	toldDown   string // the reason that the hub was told last; "" when it was told that the gateway is up
	contracts  []hub.Contract
	parts      []hub.Contract      // of a list that is coming
	stated     []hub.VenuePosition // of a statement that is coming
	listed     bool                // contracts have come from this process
	asked      bool                // and it was asked for the ticks that others were asked for
	subscribed []hub.Instrument
	subscribes map[hub.Instrument]bool
	lastID     uint64
	asks       map[uint64]*venueAsk
	histories  map[uint64]*history
}

// gatewayCommand is an order to submit, to cancel or to amend, or anything else in the form in which it goes out.
type gatewayCommand struct {
	submit *hub.Order
	cancel *hub.Order
	amend  *hub.Order
	other  *pluginpb.GatewayCommand
}

// venueAsk is a question to the venue that is not answered yet.
type venueAsk struct {
	orders  []hub.OrderID
	askedAt uint64 // for the answer
	known   []hub.VenueOrder
	again   time.Time // when to ask again
}

// history is a request for bars that is not answered yet.
type history struct {
	like hub.Bar // what all its bars have in common
	bars []hub.Bar
	done chan error
}

func newGateway(h *Host, config PluginConfig) *gateway {
	g := &gateway{
		unit:       newUnit(h, plugins.KindGateway, config),
		name:       hub.GatewayName(config.Name),
		reason:     "it is starting",
		subscribes: map[hub.Instrument]bool{},
		asks:       map[uint64]*venueAsk{},
		histories:  map[uint64]*history{},
	}
	g.session = g
	return g
}

func weighGateway(c gatewayCommand) int {
	switch {
	case c.submit != nil:
		return 1 + len(c.submit.Reference)/1024
	case c.cancel != nil:
		return 1 + len(c.cancel.Reference)/1024
	case c.amend != nil:
		return 1 + len(c.amend.Reference)/1024
	default:
		return 16
	}
}

func (c gatewayCommand) wire() *pluginpb.GatewayCommand {
	switch {
	case c.submit != nil:
		return &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Submit{Submit: pluginpb.OrderOf(*c.submit)}}
	case c.cancel != nil:
		return &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Cancel{Cancel: pluginpb.OrderOf(*c.cancel)}}
	case c.amend != nil:
		return &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Amend{Amend: pluginpb.AmendOf(*c.amend)}}
	default:
		return c.other
	}
}

// unsent says that what was asked of an order never left the hub; nil of what is of no order.
func (c gatewayCommand) unsent(reason string) func(Events) {
	switch {
	case c.submit != nil:
		return notSent(*c.submit, reason)
	case c.cancel != nil:
		return notCancelled(*c.cancel, reason)
	case c.amend != nil:
		return notAmended(*c.amend, reason)
	default:
		return nil
	}
}

func (g *gateway) isDown() string { return fmt.Sprintf("gateway %s is down: %s", g.name, g.reason) }

func (g *gateway) isFull() string {
	return fmt.Sprintf("gateway %s is too slow: %d orders wait for it", g.name, GatewayQueueMax)
}

func (g *gateway) send(order hub.Order) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.up:
		g.inbox.own(notSent(order, g.isDown()))
	case !g.lane.put(gatewayCommand{submit: &order}):
		g.inbox.own(notSent(order, g.isFull()))
	}
}

func (g *gateway) amend(order hub.Order) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.up:
		g.inbox.own(notAmended(order, g.isDown()))
	case !g.amends:
		g.inbox.own(notAmended(order, fmt.Sprintf("gateway %s cannot amend orders", g.name)))
	case !g.lane.put(gatewayCommand{amend: &order}):
		g.inbox.own(notAmended(order, g.isFull()))
	}
}

// withhold takes back orders, and amendments of orders, that wait to be sent.
func (g *gateway) withhold(part hub.Part, opening bool, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lane == nil {
		return
	}
	removed := g.lane.remove(func(c gatewayCommand) bool {
		o := c.submit
		if o == nil {
			o = c.amend
		}
		return o != nil && part.Covers(o.Trader, g.name, o.Instrument) && (!opening || !o.Offset.Closes())
	})
	for _, c := range removed {
		g.inbox.own(c.unsent(why))
	}
}

func (g *gateway) cancel(order hub.Order) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.up:
		g.inbox.own(notCancelled(order, g.isDown()))
	case !g.lane.put(gatewayCommand{cancel: &order}):
		g.inbox.own(notCancelled(order, g.isFull()))
	}
}

// listMax is how many elements of a list go into one command.
const listMax = 500

func (g *gateway) subscribe(instruments []hub.Instrument) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var fresh []hub.Instrument
	for _, instrument := range instruments {
		if !g.subscribes[instrument] {
			g.subscribes[instrument] = true
			fresh = append(fresh, instrument)
		}
	}
	g.subscribed = append(g.subscribed, fresh...)
	if g.asked && !g.putSubscribe(fresh) {
		// The queue is full of orders. The next process would be asked again, but this one would never know.
		g.log.Warn("ticks could not be asked for, since the gateway is too slow", "instruments", len(fresh))
		for _, instrument := range fresh {
			delete(g.subscribes, instrument)
		}
		g.subscribed = g.subscribed[:len(g.subscribed)-len(fresh)]
	}
}

func (g *gateway) putSubscribe(instruments []hub.Instrument) bool {
	for part := range slices.Chunk(instruments, listMax) {
		command := &pluginpb.GatewayCommand_Subscribe{Subscribe: &pluginpb.Subscribe{Instruments: pluginpb.InstrumentsOf(part)}}
		if !g.lane.put(gatewayCommand{other: &pluginpb.GatewayCommand{Command: command}}) {
			return false
		}
	}
	return true
}

func (g *gateway) askVenue(orders []hub.OrderID, askedAt uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.up {
		g.log.Debug("the venue is not asked, since the gateway is down", "orders", len(orders))
		return
	}
	for part := range slices.Chunk(slices.Clone(orders), listMax) {
		g.putAsk(&venueAsk{orders: part, askedAt: askedAt})
	}
}

// putAsk asks, for the first time or again. When there is no room it is tried again later.
func (g *gateway) putAsk(ask *venueAsk) {
	times := g.host.options.Times
	g.lastID++
	ids := make([]string, len(ask.orders))
	for i, id := range ask.orders {
		ids[i] = string(id)
	}
	ask.known, ask.again = nil, time.Now().Add(times.AskLost)
	command := &pluginpb.GatewayCommand_Ask{Ask: &pluginpb.AskOrders{Id: g.lastID, Orders: ids}}
	if !g.lane.put(gatewayCommand{other: &pluginpb.GatewayCommand{Command: command}}) {
		ask.again = time.Now().Add(times.AskRetry)
	}
	g.asks[g.lastID] = ask
}

// askAgain repeats what failed or was lost.
func (g *gateway) askAgain(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.up {
		return
	}
	for id, ask := range g.asks {
		if now.After(ask.again) {
			delete(g.asks, id)
			g.putAsk(ask)
		}
	}
}

func (g *gateway) history(ctx context.Context, request hub.HistoryRequest) ([]hub.Bar, error) {
	g.mu.Lock()
	if !g.up {
		defer g.mu.Unlock()
		return nil, fmt.Errorf("it is down: %s", g.reason)
	}
	if len(g.histories) >= HistoriesMax {
		defer g.mu.Unlock()
		return nil, fmt.Errorf("%d requests are waiting already", HistoriesMax)
	}
	g.lastID++
	id := g.lastID
	h := &history{like: hub.Bar{Instrument: request.Instrument, Gateway: g.name, Interval: request.Interval}, done: make(chan error, 1)}
	command := &pluginpb.GatewayCommand_History{History: pluginpb.HistoryOf(id, request)}
	if !g.lane.put(gatewayCommand{other: &pluginpb.GatewayCommand{Command: command}}) {
		defer g.mu.Unlock()
		return nil, errors.New("it is too slow: its queue is full")
	}
	g.histories[id] = h
	g.mu.Unlock()
	select {
	case err := <-h.done:
		if err != nil {
			return nil, err
		}
		return h.bars, nil
	case <-ctx.Done():
		g.forgetHistory(id)
		return nil, ctx.Err()
	}
}

func (g *gateway) forgetHistory(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, there := g.histories[id]; !there {
		return
	}
	delete(g.histories, id)
	if g.lane != nil {
		command := &pluginpb.GatewayCommand_StopHistory{StopHistory: &pluginpb.StopHistory{Id: id}}
		g.lane.put(gatewayCommand{other: &pluginpb.GatewayCommand{Command: command}}) // without room the bars come, and are dropped
	}
}

// run is one session.
func (g *gateway) run(p *process) error {
	remote, is := p.remote.(pluginpb.GatewayServiceClient)
	if !is {
		return fmt.Errorf("go-plugin gave a %T", p.remote)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := remote.Session(ctx)
	if err != nil {
		return &brokenError{err}
	}
	l := newLane(GatewayQueueMax, gatewayWindow, weighGateway)
	t := newTalk(p, g.host.options.Times.GatewayBusy)
	t.startWithin(2 * g.host.options.Times.GatewayBusy)
	var batch []gatewayCommand
	t.send = func() (bool, error) {
		var more bool
		if batch, more = l.take(batch[:0]); !more {
			return false, nil
		}
		wire := &pluginpb.GatewayCommands{Commands: make([]*pluginpb.GatewayCommand, len(batch))}
		for i, command := range batch {
			wire.Commands[i] = command.wire()
		}
		clear(batch)
		return true, stream.Send(wire)
	}
	t.receive = func() (func() error, error) {
		events, err := stream.Recv()
		return func() error { return g.handle(t, l, events) }, err
	}
	t.ping = func(id uint64) {
		l.putFirst(gatewayCommand{other: &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Ping{Ping: &pluginpb.Ping{Id: id}}}})
	}
	t.closing = func() {
		g.goDown("the hub is stopping", true)
		l.end(gatewayCommand{other: &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Close{Close: &pluginpb.Close{}}}})
	}
	t.tick = g.askAgain
	t.cancel = func() { g.leave(l); cancel() }
	g.enter(l, p)
	return t.run()
}

// enter begins a session.
func (g *gateway) enter(l *lane[gatewayCommand], p *process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lane, g.up, g.amends, g.listed, g.asked, g.contracts, g.parts, g.stated = l, false, false, false, false, nil, nil, nil
	l.putFirst(gatewayCommand{other: &pluginpb.GatewayCommand{Command: &pluginpb.GatewayCommand_Start{Start: p.startOf(gatewayWindow)}}})
}

// startOf makes the first command of a session.
func (p *process) startOf(window uint32) *pluginpb.Start {
	return &pluginpb.Start{
		Name:     p.unit.config.Name,
		Dir:      p.dir,
		Settings: p.unit.config.Settings.ToWire(),
		Window:   window,
		LogLevel: p.unit.log.GetLevel().String(),
	}
}

// leave ends a session: what was not sent comes back, and what was asked fails.
func (g *gateway) leave(l *lane[gatewayCommand]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	reason := "its process is gone"
	if g.unit.stopping() {
		reason = "the hub is stopping"
	}
	g.goDownLocked(reason, true)
	for _, unsent := range l.close() {
		if event := unsent.unsent(g.isDown()); event != nil {
			g.inbox.own(event)
		}
	}
	g.lane, g.listed, g.asked = nil, false, false
	for id, h := range g.histories {
		h.done <- errors.New("the gateway went down")
		delete(g.histories, id)
	}
}

// down is told by the supervisor, with the best words for the reason.
func (g *gateway) down(reason string) { g.goDown(reason, g.unit.stopping()) }

func (g *gateway) goDown(reason string, quietly bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.goDownLocked(reason, quietly)
}

// goDownLocked refuses orders from now on. The hub is told, unless quietly: then the reason is not known yet, or the hub is what goes away.
func (g *gateway) goDownLocked(reason string, quietly bool) {
	g.up, g.reason = false, reason
	clear(g.asks)
	if quietly || g.toldDown == reason {
		return
	}
	g.toldDown = reason
	g.inbox.own(func(e Events) { e.GatewayDown(g.name, reason) })
}

func (g *gateway) lengths() (waiting, underway int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lane == nil {
		return 0, 0
	}
	return g.lane.lengths()
}

package host

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/plugins/pluginpb"
)

// handle takes what a gateway said. Any error ends the session: a gateway that speaks nonsense is not to be believed.
func (g *gateway) handle(t *talk, l *lane[gatewayCommand], events *pluginpb.GatewayEvents) error {
	if err := l.acknowledge(events.GetTaken()); err != nil {
		return garbage(err)
	}
	for _, event := range events.GetEvents() {
		if err := g.event(t, event); err != nil {
			return err
		}
	}
	return nil
}

func garbage(err error) error { return fmt.Errorf("it sent garbage: %w", err) }

func (g *gateway) event(t *talk, event *pluginpb.GatewayEvent) error {
	switch e := event.GetEvent().(type) {
	case *pluginpb.GatewayEvent_Tick:
		return g.onTick(e.Tick)
	case *pluginpb.GatewayEvent_Report:
		return g.onReport(e.Report)
	case *pluginpb.GatewayEvent_Answer:
		return g.onAnswer(e.Answer)
	case *pluginpb.GatewayEvent_Bars:
		return g.onBars(e.Bars)
	case *pluginpb.GatewayEvent_Contracts:
		return g.onContracts(e.Contracts)
	case *pluginpb.GatewayEvent_Up:
		return g.onUp()
	case *pluginpb.GatewayEvent_Down:
		g.onDown(e.Down.GetReason())
		return nil
	case *pluginpb.GatewayEvent_Statement:
		return g.onStatement(e.Statement)
	case *pluginpb.GatewayEvent_Pong:
		return t.onPong(e.Pong)
	case *pluginpb.GatewayEvent_Started:
		t.startWithin(0)
		g.unit.began(e.Started.GetVersion())
		return g.onDeclared(e.Started)
	case *pluginpb.GatewayEvent_Failed:
		return errors.New(e.Failed.GetReason())
	case *pluginpb.GatewayEvent_Closed:
		t.closed.Store(true)
		g.unit.ended(e.Closed.GetError())
		return nil
	default:
		return garbage(errors.New("an event without content"))
	}
}

// began notes that the plugin's Start went well.
func (u *unit) began(version string) {
	u.mu.Lock()
	u.status.Version = clip(oneLine(version), 40)
	u.mu.Unlock()
}

// ended notes that the plugin closed.
func (u *unit) ended(problem string) {
	if problem != "" {
		u.log.Warn("the plugin closed with an error", "error", problem)
	}
}

func (g *gateway) onTick(wire *pluginpb.Tick) error {
	tick, err := wire.Hub()
	if err != nil {
		return garbage(err)
	}
	tick.Gateway = g.name
	g.host.options.Events.Tick(tick)
	return nil
}

func (g *gateway) onDeclared(started *pluginpb.Started) error {
	wire := started.GetMessageLimits()
	limits := make([]hub.MessageLimit, len(wire))
	for i, w := range wire {
		limit, err := w.Hub()
		if err != nil {
			return garbage(err)
		}
		limits[i] = limit
	}
	amends := started.GetAmends()
	g.mu.Lock()
	g.amends = amends
	g.mu.Unlock()
	g.inbox.push(func(e Events) { e.Declared(g.name, limits, amends) })
	return nil
}

func (g *gateway) onReport(wire *pluginpb.Report) error {
	report, err := wire.Hub()
	if err != nil {
		return garbage(err)
	}
	report.Gateway = g.name
	g.inbox.push(func(e Events) { e.Report(report) })
	return nil
}

func (g *gateway) onContracts(wire *pluginpb.Contracts) error {
	part := make([]hub.Contract, len(wire.GetContracts()))
	for i, w := range wire.GetContracts() {
		contract, err := w.Hub()
		if err != nil {
			return garbage(err)
		}
		contract.Gateway = g.name
		part[i] = contract
	}
	g.mu.Lock()
	g.parts = append(g.parts, part...)
	if len(g.parts) > ContractsMax {
		g.mu.Unlock()
		return garbage(fmt.Errorf("more than %d contracts", ContractsMax))
	}
	if wire.GetMore() {
		g.mu.Unlock()
		return nil
	}
	g.contracts, g.parts, g.listed = g.parts, nil, true
	contracts, up := g.contracts, g.up
	g.mu.Unlock()
	if up {
		g.inbox.push(func(e Events) { e.Contracts(g.name, slices.Clone(contracts)) })
	}
	return nil
}

func (g *gateway) onUp() error {
	g.mu.Lock()
	if !g.listed {
		g.mu.Unlock()
		return garbage(errors.New("it said that it is up before it named any contracts"))
	}
	if g.up || g.lane == nil || g.unit.stopping() { // said twice, or after the end
		g.mu.Unlock()
		return nil
	}
	g.up, g.reason, g.toldDown = true, "", ""
	contracts := g.contracts
	if !g.asked { // once in a process
		g.asked = g.putSubscribe(g.subscribed)
	}
	g.mu.Unlock()
	g.unit.is(Up, "")
	g.log.Info("gateway is up", "contracts", len(contracts))
	g.inbox.push(func(e Events) { e.GatewayUp(g.name, slices.Clone(contracts)) })
	return nil
}

func (g *gateway) onDown(reason string) {
	reason = oneLine(reason)
	if reason == "" {
		reason = "it is not connected to its venue"
	}
	if g.unit.stopping() {
		return
	}
	g.log.Warn("gateway is not connected to its venue", "reason", reason)
	g.unit.is(Disconnected, reason)
	g.goDown(reason, false)
}

func (g *gateway) onAnswer(wire *pluginpb.Answer) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ask, there := g.asks[wire.GetId()]
	if !there {
		return nil // answered too late, after it was asked again, or after the gateway went down
	}
	if wire.GetError() != "" {
		g.log.Warn("the venue could not be asked", "orders", len(ask.orders), "error", oneLine(wire.GetError()))
		ask.known, ask.again = nil, time.Now().Add(g.host.options.Times.AskRetry)
		return nil
	}
	for _, w := range wire.GetOrders() {
		order, err := w.Hub()
		if err != nil {
			return garbage(err)
		}
		if !slices.Contains(ask.orders, order.OrderID) {
			return garbage(fmt.Errorf("an answer about order %s, which it was not asked about", order.OrderID))
		}
		ask.known = append(ask.known, order)
	}
	if len(ask.known) > len(ask.orders) {
		return garbage(errors.New("an answer with an order twice"))
	}
	if wire.GetMore() {
		return nil
	}
	delete(g.asks, wire.GetId())
	answer := hub.Reconcile{Gateway: g.name, Orders: ask.known, Complete: wire.GetComplete(), Asked: ask.orders, AskedAt: ask.askedAt}
	g.inbox.own(func(e Events) { e.Reconciled(answer) })
	return nil
}

func (g *gateway) onBars(wire *pluginpb.Bars) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	h, there := g.histories[wire.GetId()]
	if !there {
		return nil // no longer wanted
	}
	var err error
	switch {
	case wire.GetError() != "":
		err = errors.New(oneLine(wire.GetError()))
	case len(h.bars)+len(wire.GetBars()) > HistoryBarsMax:
		err = fmt.Errorf("more than %d bars: ask for a shorter time", HistoryBarsMax)
	default:
		if h.bars, err = pluginpb.AppendBars(h.bars, wire.GetBars(), h.like); err != nil {
			return garbage(err)
		}
		if wire.GetMore() {
			return nil
		}
	}
	delete(g.histories, wire.GetId())
	h.done <- err
	return nil
}

// onStatement collects the parts of a statement. One of a gateway that is not up is of no use: there will be another when it is.
func (g *gateway) onStatement(wire *pluginpb.Statement) error {
	statement, err := wire.Hub()
	if err != nil {
		return garbage(err)
	}
	g.mu.Lock()
	g.stated = append(g.stated, statement.Positions...)
	if len(g.stated) > ContractsMax {
		g.mu.Unlock()
		return garbage(fmt.Errorf("a statement of more than %d positions", ContractsMax))
	}
	if wire.GetMore() {
		g.mu.Unlock()
		return nil
	}
	statement.Gateway, statement.Positions, g.stated = g.name, g.stated, nil
	up := g.up
	g.mu.Unlock()
	if up {
		g.inbox.push(func(e Events) { e.Statement(statement) })
	}
	return nil
}

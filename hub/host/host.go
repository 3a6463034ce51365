package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/plugins"
)

// Events is what a Host tells. Its methods are called from goroutines of the host's, those of one plugin one after another in the plugin's order, and may block: then the
// plugin waits. Tick is the exception: it is called beside the others and must not block. Until Stop has returned, calls must be taken.
type Events interface {
	// GatewayUp says that a gateway is connected to its venue, with all that it trades.
	GatewayUp(gateway hub.GatewayName, contracts []hub.Contract)
	// GatewayDown says that it is not, and why: its process died, its venue is disconnected, it does not start. Repeated only with another reason.
	GatewayDown(gateway hub.GatewayName, reason string)
	// Declared is what a gateway that has started declares: what its channel takes, and that it amends orders.
	Declared(gateway hub.GatewayName, limits []hub.MessageLimit, amends bool)
	// Contracts is a changed list of a gateway that is up.
	Contracts(gateway hub.GatewayName, contracts []hub.Contract)
	// Report is news of an order, from the venue, or, as ReportNotSent, ReportCancelNotSent and ReportAmendNotSent, from the host.
	Report(report hub.VenueReport)
	// Reconciled answers AskVenue. Everything that the gateway reported before it has been reported before.
	Reconciled(answer hub.Reconcile)
	// Statement is what a gateway's account holds. Everything that the gateway reported before it has been reported before.
	Statement(statement hub.VenueStatement)
	// Tick is the market of one contract. It MUST NOT block.
	Tick(tick hub.Tick)
	// ManagerUp says that a risk manager judges from now on.
	ManagerUp(manager string)
	// ManagerDown says that it does not, and why. Repeated only with another reason.
	ManagerDown(manager, reason string)
	// ManagerNeedsBook asks for the book of a manager that starts. deliver is to be called once, from wherever Observe is called, with the book as it is after all
	// that was observed before and before all that is observed after: the manager is told the events from then on. It does not block.
	ManagerNeedsBook(manager string, deliver func(book hub.RiskBook))
	// Numbers are all the figures that a manager publishes now.
	Numbers(manager string, numbers []hub.Number)
}

// PluginConfig is one plugin as the configuration has it.
type PluginConfig struct {
	// Name is the configured name, such as "SIM" or "margin".
	Name string
	// Path is the program. Args and Env are given to it; it inherits nothing of the hub's environment.
	Path string
	Args []string
	Env  []string
	// Dir is where the plugin keeps its own state. It is made, with mode 0700, when it is not there.
	Dir string
	// Settings are the plugin's own.
	Settings plugins.Settings
	// Deadline is how long a risk manager may take over one order, from Judge on; 0 means DeadlineDefault.
	Deadline time.Duration
}

// Limits, of every plugin.
const (
	// DeadlineDefault is a risk manager's, when its configuration names none.
	DeadlineDefault = 100 * time.Millisecond
	// GatewayQueueMax is how many orders and cancels may wait to be sent to one gateway; another one is not sent.
	GatewayQueueMax = 8192
	// ManagerQueueMax is how many candidates and events may wait to be sent to one risk manager. When an event finds the queue full the manager has
	// lost its way, and is restarted with a new book.
	ManagerQueueMax = 65536
	// HistoriesMax is how many requests for bars one gateway may have.
	HistoriesMax = 48
	// HistoryBarsMax is how many bars one of them may bring.
	HistoryBarsMax = 2_000_000
	// ContractsMax is how many contracts a gateway may list.
	ContractsMax = 1_000_000

	gatewayWindow = 1024
	managerWindow = 4096
)

// Times are the host's patience. A zero field means the value that its comment names.
type Times struct {
	Start       time.Duration // 10 s from the start of a process to its handshake
	PingEvery   time.Duration // 1 s
	PongWithin  time.Duration // 5 s: a process that answers no ping for so long is replaced
	GatewayBusy time.Duration // 30 s: and one whose code does not return for so long
	ManagerBusy time.Duration // 5 s: the same of a risk manager
	Stop        time.Duration // 3 s for a clean end; then it is killed
	BackOffMin  time.Duration // 100 ms: the first pause before a restart; each next one is twice as long
	BackOffMax  time.Duration // 30 s
	Stable      time.Duration // 1 min: a process that worked for so long begins with the first pause again
	AskRetry    time.Duration // 1 s: pause before a venue is asked again after an error
	AskLost     time.Duration // 20 s: when it is asked again without an answer
}

func (t Times) filled() Times {
	for _, f := range []struct {
		field *time.Duration
		def   time.Duration
	}{
		{&t.Start, 10 * time.Second},
		{&t.PingEvery, time.Second},
		{&t.PongWithin, 5 * time.Second},
		{&t.GatewayBusy, 30 * time.Second},
		{&t.ManagerBusy, 5 * time.Second},
		{&t.Stop, 3 * time.Second},
		{&t.BackOffMin, 100 * time.Millisecond},
		{&t.BackOffMax, 30 * time.Second},
		{&t.Stable, time.Minute},
		{&t.AskRetry, time.Second},
		{&t.AskLost, 20 * time.Second},
	} {
		if *f.field == 0 {
			*f.field = f.def
		}
	}
	return t
}

// Options are what a Host is made of.
type Options struct {
	Gateways []PluginConfig
	Managers []PluginConfig
	Events   Events
	// Log takes the host's own lines and those of the plugins, each under its name.
	Log   hclog.Logger
	Times Times
}

// Host owns the plugin processes. All methods may be called from any goroutine.
type Host struct {
	options  Options
	gateways map[hub.GatewayName]*gateway
	managers []*manager
	units    []*unit
	stray    *inbox // reports about orders to gateways that are not configured

	forker   *forker
	stop     chan struct{} // closed: end in good order
	hurry    chan struct{} // closed: end now
	stopOnce sync.Once
	started  bool
	group    sync.WaitGroup // supervisors
	inboxes  sync.WaitGroup
}

// New makes a Host that has not started anything. Names must be unique and not empty; New panics when they are not, since the configuration was to be checked before.
func New(options Options) *Host {
	options.Times = options.Times.filled()
	if options.Log == nil {
		options.Log = hclog.NewNullLogger()
	}
	h := &Host{
		options:  options,
		gateways: map[hub.GatewayName]*gateway{},
		stray:    newInbox(),
		stop:     make(chan struct{}),
		hurry:    make(chan struct{}),
	}
	for _, config := range options.Gateways {
		g := newGateway(h, config)
		if _, twice := h.gateways[g.name]; twice || g.name == "" {
			panic(fmt.Sprintf("host: gateway name %q is empty or not unique", g.name))
		}
		h.gateways[g.name] = g
		h.units = append(h.units, g.unit)
	}
	for _, config := range options.Managers {
		if config.Name == "" || slices.ContainsFunc(h.managers, func(m *manager) bool { return m.name == config.Name }) {
			panic(fmt.Sprintf("host: risk manager name %q is empty or not unique", config.Name))
		}
		m := newManager(h, config)
		h.managers = append(h.managers, m)
		h.units = append(h.units, m.unit)
	}
	return h
}

// Check returns all that is wrong with the plugins' programs and directories, without starting any.
func Check(configs ...PluginConfig) error {
	errs := make([]error, 0, len(configs))
	for _, config := range configs {
		if err := check(config); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", config.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Start starts every plugin and returns at once: Events tell how it goes. What does not start is tried again, for as long as the host runs.
func (h *Host) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if h.started {
		return errors.New("host: started twice")
	}
	h.started = true
	h.forker = newForker()
	h.inboxes.Go(func() { h.stray.run(h.options.Events) })
	for _, u := range h.units {
		h.inboxes.Go(func() { u.inbox.run(h.options.Events) })
		h.group.Go(u.supervise)
	}
	return nil
}

// Stop ends every plugin: in good order within Times.Stop, else, or when ctx ends, by force. After it no process is left and no event comes.
// Orders that still wait come back as ReportNotSent.
func (h *Host) Stop(ctx context.Context) error {
	if !h.started {
		return nil
	}
	first := false
	h.stopOnce.Do(func() { close(h.stop); first = true })
	if !first {
		return errors.New("host: stopped twice")
	}
	defer context.AfterFunc(ctx, func() { close(h.hurry) })()
	h.group.Wait()
	h.stray.close()
	for _, u := range h.units {
		u.inbox.close()
	}
	h.inboxes.Wait()
	h.forker.close()
	return ctx.Err()
}

// Send sends an order to its gateway. It never waits: what is not sent is reported as ReportNotSent. It panics when the permit was not made by a decision.
func (h *Host) Send(permit gate.Permit) {
	if !permit.Valid() || permit.Amends() {
		panic("host: an order without a decision")
	}
	order := permit.Order()
	g, there := h.gateways[order.Gateway]
	if !there {
		h.stray.own(notSent(order, "there is no gateway "+string(order.Gateway)))
		return
	}
	g.send(order)
}

// Amend has an order amended by its gateway. It never waits: what is not asked is reported as ReportAmendNotSent. It panics when the permit was not made by a decision to amend.
func (h *Host) Amend(permit gate.Permit) {
	if !permit.Valid() || !permit.Amends() {
		panic("host: an amendment without a decision to amend")
	}
	order := permit.Order()
	g, there := h.gateways[order.Gateway]
	if !there {
		h.stray.own(notAmended(order, "there is no gateway "+string(order.Gateway)))
		return
	}
	g.amend(order)
}

// Cancel asks an order's gateway to cancel it. It never waits: what is not asked is reported as ReportCancelNotSent, and is to be asked again when the gateway
// is up.
func (h *Host) Cancel(order hub.Order) {
	g, there := h.gateways[order.Gateway]
	if !there {
		h.stray.own(notCancelled(order, "there is no gateway "+string(order.Gateway)))
		return
	}
	g.cancel(order)
}

// Withhold takes back orders that were sent and that no gateway's process has got yet: those of the part, and with opening only those that may open. Each is reported as
// ReportNotSent, for the reason that is given; and amendments of such orders, each as ReportAmendNotSent.
func (h *Host) Withhold(part hub.Part, opening bool, why string) {
	for _, u := range h.units {
		if g, is := u.session.(*gateway); is {
			g.withhold(part, opening, why)
		}
	}
}

// AskVenue asks how orders stand; Events.Reconciled answers. An ask that fails or is lost is repeated while the gateway is up. When it goes down,
// or is down, asks are forgotten: ask again after GatewayUp. The answer has askedAt, whenever it was asked for the last time.
func (h *Host) AskVenue(gateway hub.GatewayName, orders []hub.OrderID, askedAt uint64) {
	if g, there := h.gateways[gateway]; there && len(orders) > 0 {
		g.askVenue(orders, askedAt)
	}
}

// Subscribe asks for ticks of these contracts too. It holds for good: a process that is started later is asked the same.
func (h *Host) Subscribe(gateway hub.GatewayName, instruments []hub.Instrument) {
	if g, there := h.gateways[gateway]; there {
		g.subscribe(instruments)
	}
}

// History returns bars, oldest first.
func (h *Host) History(ctx context.Context, gateway hub.GatewayName, request hub.HistoryRequest) ([]hub.Bar, error) {
	g, there := h.gateways[gateway]
	if !there {
		return nil, fmt.Errorf("there is no gateway %s", gateway)
	}
	bars, err := g.history(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("history of %s from gateway %s: %w", request.Instrument, gateway, err)
	}
	return bars, nil
}

// Judge asks every risk manager about a candidate, all at the same time, and calls done once, with a verdict of each, in the order of Options. A manager that is down, slow or
// garbled says no. done is called from a goroutine of the host's, or before Judge returns; it MUST NOT block. The candidate's Ask must not have been used before.
func (h *Host) Judge(candidate hub.Candidate, done func(verdicts []hub.Verdict)) {
	if len(h.managers) == 0 {
		done(nil)
		return
	}
	j := newJudgement(len(h.managers), done)
	shared := &candidate
	for i, m := range h.managers {
		m.judge(shared, j, i)
	}
}

// Observe tells every risk manager what happened, in order with Judge and with the other calls of Observe. It never waits.
func (h *Host) Observe(event hub.RiskEvent) {
	for _, m := range h.managers {
		m.observe(event)
	}
}

// Status tells how every plugin is, in the order of Options, gateways first.
func (h *Host) Status() []PluginStatus {
	all := make([]PluginStatus, len(h.units))
	for i, u := range h.units {
		all[i] = u.report()
	}
	return all
}

func notSent(order hub.Order, reason string) func(Events) {
	return own(order, hub.ReportNotSent, reason)
}

func notCancelled(order hub.Order, reason string) func(Events) {
	return own(order, hub.ReportCancelNotSent, reason)
}

func notAmended(order hub.Order, reason string) func(Events) {
	report := hub.VenueReport{Gateway: order.Gateway, OrderID: order.ID, Kind: hub.ReportAmendNotSent, Reason: reason, Amendment: order.Amendment.Number}
	return func(e Events) { e.Report(report) }
}

func own(order hub.Order, kind hub.ReportKind, reason string) func(Events) {
	report := hub.VenueReport{Gateway: order.Gateway, OrderID: order.ID, Kind: kind, Reason: reason}
	return func(e Events) { e.Report(report) }
}

// oneLine makes a text fit into a sentence of a log or a trader's window.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

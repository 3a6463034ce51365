package runner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/gate"
	"tradehub/hub/journal"
	"tradehub/hub/policy"
)

// Defaults of Options.
const (
	DefaultMarkEvery = time.Second
	// DefaultFirstTick is how long an order waits for the first tick of a contract that nobody had subscribed to.
	DefaultFirstTick = 500 * time.Millisecond
	// DefaultCrossWait is how long an order waits at most for the cancellation of others of the fund that it would meet.
	DefaultCrossWait = 10 * time.Second
	// DefaultMinFree is the free space on the disk under which new orders are refused. What venues report is journaled until a quarter of it is left.
	DefaultMinFree = 64 << 20
	entryBytesMax  = 16 << 20
	// clockBehindMax is how far the system's clock may be behind the journal at a start. Until it has caught up, time stands still.
	clockBehindMax = time.Minute
)

// Options say how to run a hub. Dir, SetUp and Calendars must be set.
type Options struct {
	Dir       string    // of the journal
	SetUp     hub.SetUp // its calendars are filled in from Calendars
	Calendars *calendar.Set
	MarkEvery time.Duration
	FirstTick time.Duration
	CrossWait time.Duration
	MinFree   int64
	// SnapshotEntries is how many entries lie between snapshots; 0: the journal's default.
	SnapshotEntries uint64
	Log             hclog.Logger
	// Clock is the system's, without its jumps, unless a test says otherwise.
	Clock func() time.Time
	// Observe, when set, sees every entry as it is applied, replay included. For tests and audits; it must not wait.
	Observe func(hub.Entry, []core.Effect)
	// Record is the permanent record; nil: there is none. OpenRecord, if not nil, opens it when Dir is this process's own: until then it may be another hub's.
	Record     Record
	OpenRecord func() Record
	// Free returns the free bytes of the disk on which Dir lies; nil: ask the system.
	Free func(dir string) (int64, error)
}

// Runner runs the hub. Make one with Open; call Start when plugins and traders are wired; Close last.
type Runner struct {
	opts      Options
	log       hclog.Logger
	plugins   Plugins
	publisher Publisher
	journal   *journal.Journal
	alerts    alertList
	market    *market
	rolls     rolls
	sessions  sessions
	managed   managed
	asks      atomic.Uint64
	judging   atomic.Int64 // orders that the risk managers are being asked about
	// flattenWanted asks for a step of what is being flattened; flattening: one is under way.
	flattenWanted chan struct{}
	flattening    atomic.Bool
	closing       chan struct{}
	closeOnce     sync.Once
	wait          sync.WaitGroup

	// noOrders says why new orders are refused at the door, nil when they are not.
	noOrders atomic.Pointer[string]
	draining atomic.Bool
	drained  chan struct{} // closed when draining
	// doorMu guards the reasons for which noOrders is set, "" when it is not for them, and its changes.
	doorMu                sync.Mutex
	journalSays, diskSays string
	recordSays            string

	// mu guards the core, and the order in which effects are carried out.
	mu   sync.Mutex
	core *core.Core
	// recalled are active orders of which somebody was told that they are cancelled, without record.
	recalled  map[hub.OrderID]bool
	dirtySet  map[core.BookChanged]bool
	dirtyList []core.BookChanged

	// pendingMu guards pending, and is held across Propose so that no answer comes before its question is known.
	pendingMu sync.Mutex
	pending   map[journal.Proposal]proposal
	room      *sync.Cond // of pendingMu: something was applied or lost

	// subscribedMu guards what is known of gateways: what they were asked for ticks of, what they declare that their channels take, and that they amend.
	subscribedMu sync.Mutex
	subscribed   map[hub.GatewayName]map[hub.Instrument]bool
	limits       map[hub.GatewayName][]hub.MessageLimit
	amends       map[hub.GatewayName]bool
}

// proposal is what is to be done when an entry is applied, or when it is not known whether it ever will be.
type proposal struct {
	entry   hub.Entry // what was encoded
	at      place     // of an order: its contract
	ask     uint64
	applied func([]core.Effect) // mu is held
	lost    func(error)
}

// ErrNotSaved says that the hub does not know whether what was asked for is in the journal: it may yet be, after a restart.
var ErrNotSaved = errors.New("the hub's journal stopped; whether this was taken is not known until the hub is back")

// ErrNoPolicy says that there is neither a policy to begin with nor one in the journal.
var ErrNoPolicy = errors.New("there is no policy to begin with, and the journal has none")

// Open opens the journal and replays it. Nothing goes out until Start.
func Open(opts Options) (*Runner, error) {
	if opts.Log == nil {
		opts.Log = hclog.NewNullLogger()
	}
	if opts.Clock == nil {
		opts.Clock = newSteadyClock(opts.Log).now
	}
	if opts.MarkEvery == 0 {
		opts.MarkEvery = DefaultMarkEvery
	}
	if opts.FirstTick == 0 {
		opts.FirstTick = DefaultFirstTick
	}
	if opts.CrossWait == 0 {
		opts.CrossWait = DefaultCrossWait
	}
	if opts.MinFree == 0 {
		opts.MinFree = DefaultMinFree
	}
	if opts.Free == nil {
		opts.Free = freeBytes
	}
	opts.SetUp.Calendar, opts.SetUp.Calendars = opts.Calendars.Main().Name(), opts.Calendars.Exchanges()
	r := &Runner{
		opts: opts, log: opts.Log, market: newMarket(), closing: make(chan struct{}), drained: make(chan struct{}), flattenWanted: make(chan struct{}, 1), core: core.New(),
		dirtySet: map[core.BookChanged]bool{}, pending: map[journal.Proposal]proposal{}, subscribed: map[hub.GatewayName]map[hub.Instrument]bool{}, limits: map[hub.GatewayName][]hub.MessageLimit{}, amends: map[hub.GatewayName]bool{},
		recalled: map[hub.OrderID]bool{},
	}
	r.rolls.days, r.sessions.of = map[string]hub.Day{}, map[place]spell{}
	r.rolls.next.Store(math.MaxInt64)
	r.room = sync.NewCond(&r.pendingMu)
	j, err := journal.Open(journal.Options{
		Dir: opts.Dir, Machine: machine{r}, Lost: r.lost, Logger: opts.Log.Named("journal"), SnapshotEntries: opts.SnapshotEntries,
		MinFreeBytes: opts.MinFree / 4, EntryBytesMax: entryBytesMax, Locked: r.openRecord,
	})
	if err != nil {
		return nil, err
	}
	r.journal = j
	return r, nil
}

// Start makes the hub live: it tells the core who trades, loads the policy and begins the trading day. Plugins are to be started after it. With files that do not compile,
// or with nil when none can be read, it goes on with the revision that the journal has, and returns the errors; without such a revision it fails.
func (r *Runner) Start(ctx context.Context, plugins Plugins, publisher Publisher, files []hub.PolicyFile) (warnings []string, err error) {
	r.plugins, r.publisher = plugins, publisher
	if err := r.journal.WaitLeading(ctx); err != nil {
		return nil, err
	}
	last, now := look(r, (*core.Core).Now), hub.TimeOf(r.opts.Clock())
	if ahead := last.Sub(now); ahead > clockBehindMax {
		return nil, fmt.Errorf("the journal's last entry is of %s, and the system's clock says %s: set the clock; or wait, if it was wrong then",
			last.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	r.startRecord()
	if err := r.do(ctx, r.opts.SetUp, nil); err != nil {
		return nil, err
	}
	if err := r.openRolls(func(in hub.RollDay) error { return r.do(ctx, in, nil) }); err != nil {
		return nil, err
	}
	if files == nil && r.Revision() == "" {
		return nil, ErrNoPolicy
	}
	same, back := files == nil || slices.Equal(files, r.Files()), r.RolledBack(files)
	if back {
		r.log.Warn("the policy folder still says what was rolled back: the earlier revision stays in force until the folder changes, or hub ctl policy reload", "in_force", r.Revision(),
			"folder", policy.RevisionOf(files))
	}
	if r.Revision() == "" || !same && !back {
		_, errs, err := r.LoadPolicies(ctx, files, "start")
		if err != nil {
			return nil, err
		}
		if len(errs) > 0 && r.Revision() == "" {
			return nil, fmt.Errorf("the policy is wrong, and the journal has no earlier one:\n%s", strings.Join(errs, "\n"))
		}
		warnings = errs
	}
	r.spawn(r.watchJournal)
	r.spawn(r.watchDisk)
	r.spawn(r.keepTime)
	r.spawn(r.keepFlattening)
	r.spawn(r.keepRolls)
	return warnings, nil
}

func (r *Runner) spawn(f func()) {
	r.wait.Go(f)
}

// Close takes no more orders and closes the journal. Plugins and traders' sockets are to be stopped before it.
func (r *Runner) Close() error {
	r.Drain()
	r.closeOnce.Do(func() { close(r.closing) })
	r.pendingMu.Lock()
	r.room.Broadcast()
	r.pendingMu.Unlock()
	err := r.journal.Close()
	r.wait.Wait()
	return err
}

// Drain refuses new orders from now on; what is under way goes on.
func (r *Runner) Drain() {
	r.doorMu.Lock()
	defer r.doorMu.Unlock()
	if r.draining.Swap(true) {
		return
	}
	close(r.drained)
	why := "the hub is stopping"
	r.noOrders.Store(&why)
}

// propose puts an input into the journal without waiting.
func (r *Runner) propose(in hub.Input, p proposal) error {
	return r.proposeBy(r.journal.Propose, in, p)
}

func (r *Runner) proposeBy(way func([]byte) (journal.Proposal, error), in hub.Input, p proposal) error {
	b, err := r.stamp(in, &p)
	if err != nil {
		return err
	}
	r.pendingMu.Lock()
	defer r.pendingMu.Unlock()
	n, err := way(b)
	if err != nil {
		return err
	}
	r.pending[n] = p
	return nil
}

// stamp makes an input an entry of now, and encodes it. A trading day that has begun by now is proposed before it.
func (r *Runner) stamp(in hub.Input, p *proposal) ([]byte, error) {
	now := hub.TimeOf(r.opts.Clock())
	if err := r.rollBefore(now); err != nil {
		return nil, err
	}
	p.entry = hub.Entry{Time: now, Input: r.ofMoment(in, p.at, now)}
	return codec.Encode(p.entry)
}

// proposeNow is propose for what must not be lost: while the journal is busy or its disk full, it waits. It gives up when the journal has failed or the hub stops: what venues
// then say is asked again at the next start.
func (r *Runner) proposeNow(in hub.Input) error { return r.proposeUntil(in, proposal{}) }

func (r *Runner) proposeUntil(in hub.Input, p proposal) error {
	for {
		b, err := r.stamp(in, &p)
		r.pendingMu.Lock()
		var n journal.Proposal
		if err == nil {
			n, err = r.journal.Propose(b)
		}
		if err == nil {
			r.pending[n] = p
			r.pendingMu.Unlock()
			return nil
		}
		if errors.Is(err, journal.ErrBusy) && len(r.pending) > 0 && !r.isClosing() {
			r.room.Wait()
			r.pendingMu.Unlock()
			continue
		}
		r.pendingMu.Unlock()
		if !errors.Is(err, journal.ErrNoSpace) && !errors.Is(err, journal.ErrNotLeader) && !errors.Is(err, journal.ErrBusy) {
			return err
		}
		giveUp := r.drained // a stop must not wait for room on the disk
		if errors.Is(err, journal.ErrBusy) {
			giveUp = r.closing
		}
		select {
		case <-giveUp:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *Runner) isClosing() bool {
	select {
	case <-r.closing:
		return true
	default:
		return false
	}
}

// do proposes an input and waits until it is applied.
func (r *Runner) do(ctx context.Context, in hub.Input, applied func([]core.Effect)) error {
	return r.doBy(ctx, r.journal.Propose, in, applied)
}

// doFirst is do for what stops others: it goes before all that wait for the journal.
func (r *Runner) doFirst(ctx context.Context, in hub.Input, applied func([]core.Effect)) error {
	return r.doBy(ctx, r.journal.ProposeFirst, in, applied)
}

func (r *Runner) doBy(ctx context.Context, way func([]byte) (journal.Proposal, error), in hub.Input, applied func([]core.Effect)) error {
	done := make(chan error, 1)
	var mu sync.Mutex // guards gone: whoever has stopped waiting must not be written to
	gone := false
	err := r.proposeBy(way, in, proposal{
		applied: func(effects []core.Effect) {
			mu.Lock()
			defer mu.Unlock()
			if applied != nil && !gone {
				applied(effects)
			}
			done <- nil
		},
		lost: func(err error) { done <- err },
	})
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		mu.Lock()
		defer mu.Unlock()
		gone = true
		return ctx.Err()
	}
}

func (r *Runner) take(n journal.Proposal) proposal {
	if n == 0 {
		return proposal{}
	}
	r.pendingMu.Lock()
	defer r.pendingMu.Unlock()
	p := r.pending[n]
	delete(r.pending, n)
	r.room.Broadcast()
	return p
}

func (r *Runner) lost(lost []journal.Proposal, why error) {
	for _, n := range lost {
		if p := r.take(n); p.lost != nil {
			p.lost(fmt.Errorf("%w: %w", ErrNotSaved, why))
		}
	}
}

// Submit takes an order of a trader. done is called exactly once: with the order's id and the gateway that has it, whether it was sent or refused (a refused order comes back as
// a rejected one), or with an error when the hub could not take it at all.
func (r *Runner) Submit(trader hub.TraderName, gateway hub.GatewayName, req hub.OrderRequest, done func(hub.OrderID, hub.GatewayName, error)) {
	if why := r.noOrders.Load(); why != nil {
		done("", "", hub.Say("%s", hub.Fixed(*why)).Err())
		return
	}
	asked := hub.TimeOf(r.opts.Clock())
	r.mu.Lock()
	at := r.core.GatewayOf(gateway, req.Instrument)
	r.mu.Unlock()
	if at == "" { // it will be refused, and the journal will say so
		r.proposeOrder(hub.SubmitOrder{Trader: trader, Request: req, Gateway: gateway, Asked: asked}, 0, done)
		return
	}
	view := r.market.view(at, req.Instrument)
	if view.Seen != 0 {
		r.judge(trader, at, req, asked, view, done)
		return
	}
	r.subscribe(at, req.Instrument)
	late := func() { r.judge(trader, at, req, asked, r.market.view(at, req.Instrument), done) }
	if !r.market.await(at, req.Instrument, r.opts.FirstTick, late) {
		late()
	}
}

// overlapMax is up to how many orders that are being judged the next one is put on disk meanwhile. A lone order so gets its id in the time of one sync, with the risk managers' answer
// hidden behind it; in a burst two entries for each order would only cost.
const overlapMax = 8

func (r *Runner) judge(trader hub.TraderName, at hub.GatewayName, req hub.OrderRequest, asked hub.Time, view hub.MarketView, done func(hub.OrderID, hub.GatewayName, error)) {
	ask := r.asks.Add(1)
	view.Session = r.session(place{at, req.Instrument}, hub.TimeOf(r.opts.Clock()))
	candidate := hub.Candidate{Ask: ask, Trader: trader, Request: req, Gateway: at, Market: view}
	judging := r.judging.Add(1)
	if len(r.opts.SetUp.Managers) > 0 && judging <= overlapMax {
		if err := r.propose(hub.TakeOrder{Trader: trader, Request: req, Gateway: at, Ask: ask, Asked: asked}, proposal{applied: answerID(done), lost: func(err error) { done("", "", err) }}); err != nil {
			r.judging.Add(-1)
			done("", "", plain(err))
			return
		}
		r.plugins.Judge(candidate, func(verdicts []hub.Verdict) {
			r.judging.Add(-1)
			r.conclude(hub.JudgeOrder{Ask: ask, Market: view, Verdicts: verdicts}, ask, place{at, req.Instrument})
		})
		return
	}
	r.plugins.Judge(candidate, func(verdicts []hub.Verdict) {
		r.judging.Add(-1)
		r.proposeOrder(hub.SubmitOrder{Trader: trader, Request: req, Gateway: at, Market: view, Verdicts: verdicts, Asked: asked}, ask, done)
	})
}

// answerID answers a trader with the id of an order that is on disk.
func answerID(done func(hub.OrderID, hub.GatewayName, error)) func([]core.Effect) {
	return func(effects []core.Effect) {
		for _, effect := range effects {
			if taken, ok := effect.(core.Taken); ok {
				done(taken.Order.ID, taken.Order.Gateway, nil)
				return
			}
			decided, ok := effect.(core.Decided)
			if !ok {
				continue
			}
			if decided.Order.ID == "" {
				done("", "", hub.Say("%s", decided.Refusals[0].Words).Err())
				return
			}
			done(decided.Order.ID, decided.Order.Gateway, nil)
			return
		}
	}
}

// conclude proposes the decision about an order that was taken, of which the risk managers were asked as ask. Its trader has the id already, so it is not given up while the journal takes anything at all.
func (r *Runner) conclude(in hub.JudgeOrder, ask uint64, at place) {
	p := proposal{ask: ask, at: at, lost: func(error) { r.forget(ask) }}
	err := r.propose(in, p)
	if err == nil {
		return
	}
	// What the managers and the market said will be old when there is room again, and the trader may have thought better of it.
	in.Late, in.Verdicts = true, nil
	if r.isClosing() {
		r.forget(ask)
		return
	}
	r.spawn(func() {
		if err := r.proposeUntil(in, p); err != nil {
			r.forget(ask)
			r.log.Error("an order stays undecided, and is rejected at the next start", "ask", in.Ask, "error", err)
		}
	})
}

// judgeAgain has an order judged that waited for others to be cancelled, as a new candidate, by the market of now. mu is held.
func (r *Runner) judgeAgain(e core.JudgeAgain) {
	o := e.Order
	at := place{o.Gateway, o.Instrument}
	r.spawn(func() {
		in := hub.JudgeOrder{Ask: e.Ask}
		if o.CancelAsked {
			r.conclude(in, 0, at)
			return
		}
		in.Market = r.market.view(at.gateway, at.instrument)
		in.Market.Session = r.session(at, hub.TimeOf(r.opts.Clock()))
		ask := r.asks.Add(1)
		r.plugins.Judge(hub.Candidate{Ask: ask, Trader: o.Trader, Request: o.OrderRequest, Gateway: o.Gateway, Market: in.Market}, func(verdicts []hub.Verdict) {
			in.Verdicts = verdicts
			r.conclude(in, ask, at)
		})
	})
}

// forget tells the risk managers that a candidate which they count came to nothing.
func (r *Runner) forget(ask uint64) {
	if ask == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plugins.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: ask, Order: hub.Order{Status: hub.Rejected}}})
}

func (r *Runner) proposeOrder(in hub.SubmitOrder, ask uint64, done func(hub.OrderID, hub.GatewayName, error)) {
	err := r.propose(in, proposal{
		ask: ask, at: place{in.Gateway, in.Request.Instrument}, applied: answerID(done),
		lost: func(err error) {
			r.forget(ask)
			done("", "", err)
		},
	})
	if err != nil {
		r.forget(ask)
		done("", "", plain(err))
	}
}

func notTaken(why string) error { return hub.Say("%s; the order was not taken", hub.Fixed(why)).Err() }

// plain is an error in words for traders.
func plain(err error) error {
	switch {
	case errors.Is(err, journal.ErrBusy):
		return notTaken("the hub is busy: too many orders wait for its disk")
	case errors.Is(err, journal.ErrNoSpace):
		return notTaken("the hub's disk is nearly full: no new orders")
	case errors.Is(err, journal.ErrFailed):
		return notTaken("the hub's disk failed: no new orders")
	case errors.Is(err, journal.ErrClosed):
		return notTaken("the hub is stopping")
	case errors.Is(err, journal.ErrNotLeader):
		return notTaken("this hub is not the one that trades now")
	}
	return err
}

// Cancel asks for an order of a trader to be cancelled. done is called exactly once; an error says why there is nothing to cancel. A cancel passes even when the journal does not:
// then it goes to the venue unrecorded.
func (r *Runner) Cancel(trader hub.TraderName, id hub.OrderID, by string, done func(error)) {
	err := r.propose(hub.CancelOrder{Trader: trader, OrderID: id, By: by}, proposal{
		applied: func(effects []core.Effect) {
			for _, effect := range effects {
				if a, ok := effect.(core.CancelAnswered); ok {
					if a.Err != "" {
						done(errors.New(a.Err))
						return
					}
					done(nil)
					return
				}
			}
		},
		lost: func(error) { done(r.cancelUnrecorded(trader, id)) },
	})
	if err != nil {
		done(r.cancelUnrecorded(trader, id))
	}
}

func (r *Runner) cancelUnrecorded(trader hub.TraderName, id hub.OrderID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.core.Order(trader, id)
	if !ok {
		return fmt.Errorf("order %s is not known", id)
	}
	r.log.Warn("cancel sent without record: the journal takes nothing", "order", id, "trader", trader)
	r.recall(o)
	return nil
}

// recall has an order cancelled without record. One that has not left yet will not. mu is held.
func (r *Runner) recall(o hub.Order) {
	if o.Active() {
		r.recalled[o.ID] = true
	}
	r.plugins.Cancel(o)
}

// send sends what was decided, unless somebody was told meanwhile that it is cancelled. mu is held.
func (r *Runner) send(permit gate.Permit) {
	o := permit.Order()
	if !r.recalled[o.ID] {
		r.plugins.Send(permit)
		return
	}
	r.spawn(func() {
		r.must(hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportNotSent, Reason: "it was cancelled while the journal took nothing"})
	})
}

// LoadPolicies puts policy files in force, all or none. With errors in them the old revision stays.
func (r *Runner) LoadPolicies(ctx context.Context, files []hub.PolicyFile, by string) (revision string, errs []string, err error) {
	return r.load(ctx, hub.LoadPolicies{Files: files, By: by, Language: policy.Language})
}

// Subscribe asks for the ticks of an instrument.
func (r *Runner) Subscribe(gateway hub.GatewayName, i hub.Instrument) error {
	r.mu.Lock()
	at := r.core.GatewayOf(gateway, i)
	if at == "" {
		at = r.core.GatewayOf("", i)
	}
	r.mu.Unlock()
	if at == "" {
		return hub.Say("no gateway trades %s", i).Err()
	}
	r.subscribe(at, i)
	return nil
}

func (r *Runner) subscribe(gateway hub.GatewayName, i hub.Instrument) {
	r.subscribedMu.Lock()
	defer r.subscribedMu.Unlock()
	known := r.subscribed[gateway]
	if known == nil {
		known = map[hub.Instrument]bool{}
		r.subscribed[gateway] = known
	}
	if !known[i] {
		known[i] = true
		r.plugins.Subscribe(gateway, []hub.Instrument{i})
	}
}

// History asks the gateway that trades an instrument for bars.
func (r *Runner) History(ctx context.Context, gateway hub.GatewayName, req hub.HistoryRequest) ([]hub.Bar, error) {
	r.mu.Lock()
	at := r.core.GatewayOf(gateway, req.Instrument)
	if at == "" {
		at = r.core.GatewayOf("", req.Instrument)
	}
	r.mu.Unlock()
	if at == "" {
		return nil, nil
	}
	return r.plugins.History(ctx, at, req)
}

// Package gateway is the simulated market as a gateway plugin: it gives the venue a clock, a queue, a directory, and the hub's sink.
//
// One goroutine owns the venue. What the hub asks goes into a bounded queue; when that is full, the hub's call waits. The goroutine takes what is queued,
// lets the venue do it, writes the book of record by one write, and only then reports.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/gateways/sim/record"
	"tradehub/plugins/gateways/sim/venue"
)

const (
	queueMax    = 4096             // commands that wait for the venue
	underwayMax = 65_536           // commands that are on their way, when there is a latency; then the queue waits
	batchMax    = 256              // commands between two writes of the book of record
	wakeMin     = time.Millisecond // between two looks at a clock that runs fast
	retryEvery  = time.Second      // to open the book of record again after it could not be written
	stateEvery  = 5 * time.Second  // between two statements of the account, when it has changed
	stateAtMost = time.Minute      // when it has not
	clockEvery  = time.Minute      // between two lines that only say how far a clock is that is not the machine's
)

// Gateway implements plugins.Gateway.
type Gateway struct {
	queue chan command
	stop  chan struct{}
	done  chan struct{} // closed when the goroutine has ended; nil before Start
	ended error         // what its end came to; read after done

	// Of the goroutine, after Start.
	env        plugins.Env
	sink       plugins.Sink
	set        settings
	lock       *os.File
	venue      *venue.Venue // nil while the book of record cannot be written
	store      *store
	clock      clock
	broken     string // why there is no venue
	retry      time.Time
	clockAt    time.Time             // of the last line that says so
	statements plugins.StatementSink // the sink, if it takes statements; else nil
	stated     time.Time             // when the account was stated last; zero: not since the market opened
	trades     uint64                // and how many fills there were then
	underway   []command
	wanted     map[hub.Instrument]bool // subscribed
	answers    []func()                // to be given when the batch is written
	open       func(dir string, v *venue.Venue, sync bool) (*store, error)
}

var (
	_ plugins.Gateway        = (*Gateway)(nil)
	_ plugins.MessageLimiter = (*Gateway)(nil)
	_ plugins.Amender        = (*Gateway)(nil)
)

// New returns a gateway that has not started.
func New() *Gateway {
	return &Gateway{
		queue: make(chan command, queueMax), stop: make(chan struct{}), wanted: map[hub.Instrument]bool{}, open: open,
	}
}

// command is one call of the hub's. One of do and refused runs, in the order of the calls: do with the venue, and refused when there is none.
type command struct {
	arrives time.Time // at the venue
	do      func(now hub.Time)
	refused func(reason string)
}

// Start opens the market, in a goroutine that ends with Close.
func (g *Gateway) Start(ctx context.Context, env plugins.Env, sink plugins.Sink) error {
	set, err := read(env)
	if err != nil {
		return err
	}
	g.env, g.sink, g.set = env, sink, set
	if g.lock, err = lock(ctx, env.Dir); err != nil {
		return err
	}
	g.statements, _ = sink.(plugins.StatementSink)
	if err := g.begin(); err != nil {
		return errors.Join(err, g.lock.Close())
	}
	env.Log.Info("market open", "day", g.venue.Day(), "contracts", len(set.venue.List.Contracts), "seed", set.venue.Seed, "time", g.venue.Now().UTC())
	g.done = make(chan struct{})
	go g.run()
	return nil
}

// MessageLimits returns what the settings say that the market takes. It does not refuse more: what the hub sends is for the tests to count.
func (g *Gateway) MessageLimits() []hub.MessageLimit { return g.set.limits }

// begin opens the files and the market as they say.
func (g *Gateway) begin() error {
	v := venue.New(g.set.venue)
	s, err := g.open(g.env.Dir, v, g.set.fsync)
	if err != nil {
		return err
	}
	now := time.Now()
	base := g.set.start
	if base == 0 {
		base = hub.TimeOf(now)
	}
	c := clock{base: max(base, v.Now()), since: now, speed: g.set.speed}
	v.Open(c.base)
	// Always a line, so that a book that cannot be written is found out now.
	v.Out.Lines = append(v.Out.Lines, record.Line{Kind: record.ClockAt, At: v.Now()})
	if err := s.write(v.Out.Lines); err != nil {
		return errors.Join(err, s.close())
	}
	for i := range g.wanted {
		v.Subscribe(v.Now(), []hub.Instrument{i})
	}
	v.Out.Lines = v.Out.Lines[:0]
	g.venue, g.store, g.clock, g.clockAt, g.broken = v, s, c, now, ""
	return nil
}

// run owns the venue.
func (g *Gateway) run() {
	defer close(g.done)
	g.sink.Contracts(g.venue.Contracts())
	g.sink.Up()
	g.flush()
	g.state(time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		queue := g.queue
		if len(g.underway) >= underwayMax {
			queue = nil
		}
		timer.Reset(g.wait(time.Now()))
		select {
		case <-g.stop:
			g.ended = g.end()
			return
		case c := <-queue:
			g.take(c)
		case <-timer.C:
		}
		g.act(time.Now())
		g.flush()
		g.state(time.Now())
	}
}

// wait is how long nothing is to be done, if nothing comes.
func (g *Gateway) wait(now time.Time) time.Duration {
	wait := g.retry.Sub(now)
	if g.venue != nil {
		wait = min(max(wakeMin, g.clock.until(g.venue.Next(), now)), g.stateIn(now))
	}
	if len(g.underway) > 0 {
		wait = min(wait, g.underway[0].arrives.Sub(now))
	}
	return max(0, wait)
}

// take does a command and those that wait behind it, or, when there is a latency, puts them on their way.
func (g *Gateway) take(c command) {
	for n := 0; ; n++ {
		if g.set.latency > 0 {
			g.underway = append(g.underway, c)
		} else {
			g.do(c)
		}
		if n == batchMax {
			return
		}
		select {
		case c = <-g.queue:
		default:
			return
		}
	}
}

func (g *Gateway) do(c command) {
	if g.venue == nil {
		c.refused(g.broken)
		return
	}
	c.do(g.clock.at(time.Now()))
}

// act does what is due: commands that have arrived, the market's own steps, the next try to open a book that failed.
func (g *Gateway) act(now time.Time) {
	if g.venue == nil && !now.Before(g.retry) {
		g.reopen(now)
	}
	arrived := 0
	for arrived < len(g.underway) && arrived < batchMax && !g.underway[arrived].arrives.After(now) {
		g.do(g.underway[arrived])
		arrived++
	}
	if arrived > 0 {
		g.underway = append(g.underway[:0], g.underway[arrived:]...)
	}
	if g.venue == nil {
		return
	}
	g.venue.Advance(g.clock.at(now))
	if g.set.speed != 1 && now.Sub(g.clockAt) >= clockEvery {
		g.clockAt = now
		g.venue.Out.Lines = append(g.venue.Out.Lines, record.Line{Kind: record.ClockAt, At: g.venue.Now()})
	}
}

// flush writes what happened, and then tells it.
func (g *Gateway) flush() {
	if g.venue != nil {
		if err := g.write(); err != nil {
			g.fail(err)
		}
	}
	for _, answer := range g.answers {
		answer()
	}
	g.answers = g.answers[:0]
}

func (g *Gateway) write() error {
	out := &g.venue.Out
	defer out.Reset()
	if err := g.store.write(out.Lines); err != nil {
		return err
	}
	if len(out.Repeats) > 0 {
		again, err := g.store.place().find(context.Background(), out.Repeats)
		if err != nil {
			return err
		}
		for _, o := range again {
			g.venue.Restate(o)
		}
	}
	for _, r := range out.Reports {
		g.sink.Report(r)
	}
	for _, t := range out.Ticks {
		g.sink.Tick(t)
	}
	if g.store.unsaved >= snapshotEvery {
		if err := g.store.save(g.venue); err != nil {
			g.env.Log.Warn("no snapshot: the next start will read more of the book of record", "error", err)
		}
	}
	return nil
}

// fail takes the market down. What was not written has not happened, and the venue in memory knows more than that, so it is given up: the next one begins
// from the book.
func (g *Gateway) fail(err error) {
	g.env.Log.Error("market down", "error", err)
	g.broken = "the market is down: " + err.Error()
	g.retry = time.Now().Add(retryEvery)
	g.venue = nil
	if err := g.store.close(); err != nil {
		g.env.Log.Warn("close the book of record", "error", err)
	}
	g.store, g.stated = nil, time.Time{}
	g.sink.Down(g.broken)
}

func (g *Gateway) reopen(now time.Time) {
	if err := g.begin(); err != nil {
		g.broken = "the market is down: " + err.Error()
		g.retry = now.Add(retryEvery)
		return
	}
	g.env.Log.Info("market open again", "day", g.venue.Day())
	g.sink.Contracts(g.venue.Contracts())
	g.sink.Up()
}

// state makes a statement of the account when one is due. Everything was told by then, so that it is exact.
func (g *Gateway) state(now time.Time) {
	if g.statements == nil || g.venue == nil || g.stateIn(now) > 0 {
		return
	}
	g.stated, g.trades = now, g.venue.Trades()
	g.statements.Statement(g.venue.Statement())
}

// stateIn is how long it is until the account is to be stated.
func (g *Gateway) stateIn(now time.Time) time.Duration {
	if g.statements == nil {
		return stateAtMost
	}
	every := stateAtMost
	if g.venue.Trades() != g.trades {
		every = stateEvery
	}
	if g.stated.IsZero() {
		every = 0
	}
	return max(0, g.stated.Add(every).Sub(now))
}

// end saves where the market stands. What is still in the queue or on its way has not reached it.
func (g *Gateway) end() error {
	var err error
	if g.venue != nil {
		line := record.Line{Kind: record.ClockAt, At: g.venue.Now()}
		if err = g.store.write([]record.Line{line}); err == nil {
			err = g.store.save(g.venue)
		}
		err = errors.Join(err, g.store.close())
	}
	return errors.Join(err, g.lock.Close())
}

// Close ends the market's process, not the market: it is there again, as it was, at the next Start.
func (g *Gateway) Close() error {
	if g.done == nil {
		return nil
	}
	select {
	case <-g.stop:
	default:
		close(g.stop)
	}
	<-g.done
	return g.ended
}

// send queues a command; it waits when the queue is full. After Close it does nothing and answers false.
func (g *Gateway) send(ctx context.Context, c command) bool {
	c.arrives = time.Now().Add(g.set.latency)
	select {
	case g.queue <- c:
		return true
	case <-g.done:
		return false
	case <-ctx.Done():
		return false
	}
}

// Submit sends an order into the market.
func (g *Gateway) Submit(order hub.Order) {
	g.send(context.Background(), command{
		do: func(now hub.Time) { g.venue.Submit(now, order) },
		refused: func(reason string) {
			g.sink.Report(hub.VenueReport{Gateway: g.set.venue.Gateway, OrderID: order.ID, Kind: hub.ReportRejected, Reason: reason})
		},
	})
}

// Cancel takes an order out of the market.
func (g *Gateway) Cancel(order hub.Order) {
	g.send(context.Background(), command{
		do: func(now hub.Time) { g.venue.Cancel(now, order) },
		refused: func(reason string) {
			g.sink.Report(hub.VenueReport{Gateway: g.set.venue.Gateway, OrderID: order.ID, Kind: hub.ReportCancelRejected, Reason: reason})
		},
	})
}

// Amend changes an order in the market.
func (g *Gateway) Amend(order hub.Order) {
	g.send(context.Background(), command{
		do: func(now hub.Time) { g.venue.Amend(now, order) },
		refused: func(reason string) {
			g.sink.Report(hub.VenueReport{
				Gateway: g.set.venue.Gateway, OrderID: order.ID, Kind: hub.ReportAmendRejected, Amendment: order.Amendment.Number, Reason: reason,
			})
		},
	})
}

// Subscribe asks for ticks.
func (g *Gateway) Subscribe(instruments []hub.Instrument) {
	g.send(context.Background(), command{
		do: func(now hub.Time) {
			g.want(instruments)
			for _, i := range g.venue.Subscribe(now, instruments) {
				g.env.Log.Warn("no such contract to subscribe to", "contract", i.String())
			}
		},
		refused: func(string) { g.want(instruments) },
	})
}

func (g *Gateway) want(instruments []hub.Instrument) {
	for _, i := range instruments {
		g.wanted[i] = true
	}
}

var errClosed = errors.New("the gateway is closed")

// ask sends a question that changes nothing, and waits for its answer, which comes after everything that was sent before has been done and written.
func ask[T any](ctx context.Context, g *Gateway, question func() T) (T, error) {
	type result struct {
		answer T
		err    error
	}
	results := make(chan result, 1)
	if err := ctx.Err(); err != nil { // a select among what is ready is a coin that is tossed
		return *new(T), err
	}
	sent := g.send(ctx, command{
		do: func(hub.Time) {
			g.answers = append(g.answers, func() {
				if g.venue == nil { // it was lost on the way to the disk
					results <- result{err: errors.New(g.broken)}
					return
				}
				results <- result{answer: question()}
			})
		},
		refused: func(reason string) { results <- result{err: errors.New(reason)} },
	})
	var none T
	if !sent {
		return none, cmp.Or(ctx.Err(), errClosed)
	}
	select {
	case r := <-results:
		return r.answer, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-g.done:
		return none, errClosed
	}
}

// History returns bars.
func (g *Gateway) History(ctx context.Context, req hub.HistoryRequest) ([]hub.Bar, error) {
	type past struct {
		history *venue.History
		now     hub.Time
		tape    []venue.Print
	}
	p, err := ask(ctx, g, func() past {
		return past{g.venue.History(), g.venue.Now(), g.venue.Tape(req.Instrument)}
	})
	if err != nil {
		return nil, err
	}
	return p.history.Bars(ctx, req, p.now, p.tape)
}

// Ask returns how orders stand. The venue knows all that ever reached it, so the answer is complete: an order that is not in it was lost on
// the way, in a queue of a process that is gone.
func (g *Gateway) Ask(ctx context.Context, orders []hub.OrderID) (known []hub.VenueOrder, complete bool, err error) {
	type standing struct {
		known []hub.VenueOrder
		old   []hub.OrderID // in the book, if anywhere
		place place
	}
	s, err := ask(ctx, g, func() standing {
		s := standing{place: g.store.place()}
		known, forgotten := g.venue.Ask(orders)
		s.known = known
		for _, id := range forgotten {
			if g.venue.Seen(id) || !s.place.all {
				s.old = append(s.old, id)
			}
		}
		return s
	})
	if err != nil {
		return nil, false, fmt.Errorf("ask the market: %w", err)
	}
	old, err := s.place.find(ctx, s.old)
	if err != nil {
		return nil, false, fmt.Errorf("read the book of record: %w", err)
	}
	return append(s.known, old...), true, nil
}

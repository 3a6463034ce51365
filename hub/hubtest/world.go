package hubtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// positionMax is the limit that every policy of this world has.
const positionMax = 10

var (
	traders = []hub.TraderName{"alpha", "beta", "gamma"}
	// contracts: one whose exchange tells today from yesterday, one whose exchange does not, another of the first's product, and a coin that is paid in full and has no offsets; and in
	// another currency one on margin with offsets, and a coin.
	contracts = []hub.Contract{
		{
			Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Gateway: "SIM", Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: hub.Int(10), Tick: hub.Int(1),
			MinQty: hub.Int(1), SplitsToday: true, MarginLong: hub.MustDecimal("0.1"), MarginShort: hub.MustDecimal("0.1"),
			Fees: hub.Fees{OpenByValue: hub.MustDecimal("0.0001"), ClosePerUnit: hub.MustDecimal("1.01"), CloseTodayPerUnit: hub.MustDecimal("3.03")},
		},
		{
			Instrument: hub.Instrument{Symbol: "m2701", Exchange: "DCE"}, Gateway: "SIM", Product: "m", Kind: hub.Futures, Currency: "CNY", Size: hub.Int(10), Tick: hub.Int(1),
			MinQty: hub.Int(1), MarginLong: hub.MustDecimal("0.08"), MarginShort: hub.MustDecimal("0.09"),
			Fees: hub.Fees{OpenPerUnit: hub.MustDecimal("1.5"), CloseByValue: hub.MustDecimal("0.00015"), CloseTodayByValue: hub.MustDecimal("0.0003")},
		},
		{
			Instrument: hub.Instrument{Symbol: "rb2705", Exchange: "SHFE"}, Gateway: "SIM", Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: hub.Int(10), Tick: hub.Int(1),
			MinQty: hub.Int(1), SplitsToday: true, MarginLong: hub.MustDecimal("0.1"), MarginShort: hub.MustDecimal("0.1"),
			Fees: hub.Fees{OpenByValue: hub.MustDecimal("0.0001"), ClosePerUnit: hub.MustDecimal("1.01"), CloseTodayPerUnit: hub.MustDecimal("3.03")},
		},
		{
			Instrument: hub.Instrument{Symbol: "ETHCNY", Exchange: "LOCAL"}, Gateway: "SIM", Product: "ETHCNY", Kind: hub.Spot, Currency: "CNY", Size: hub.Int(1),
			Tick: hub.MustDecimal("0.1"), MinQty: hub.MustDecimal("0.25"), NetPosition: true,
			Fees: hub.Fees{OpenByValue: hub.MustDecimal("0.001"), CloseByValue: hub.MustDecimal("0.001"), CloseTodayByValue: hub.MustDecimal("0.001")},
		},
		{
			Instrument: hub.Instrument{Symbol: "XAU", Exchange: "LOCAL"}, Gateway: "SIM", Product: "XAU", Kind: hub.Futures, Currency: "USDT", Size: hub.Int(2), Tick: hub.MustDecimal("0.1"),
			MinQty: hub.Int(1), MarginLong: hub.MustDecimal("0.05"), MarginShort: hub.MustDecimal("0.05"),
			Fees: hub.Fees{OpenPerUnit: hub.MustDecimal("0.35"), CloseByValue: hub.MustDecimal("0.0001"), ClosePerUnit: hub.MustDecimal("0.7"), CloseTodayPerUnit: hub.MustDecimal("0.1")},
		},
		{
			Instrument: hub.Instrument{Symbol: "BTCUSDT", Exchange: "LOCAL"}, Gateway: "SIM", Product: "BTCUSDT", Kind: hub.Spot, Currency: "USDT", Size: hub.Int(1),
			Tick: hub.MustDecimal("0.1"), MinQty: hub.MustDecimal("0.25"), NetPosition: true,
			Fees: hub.Fees{OpenByValue: hub.MustDecimal("0.001"), CloseByValue: hub.MustDecimal("0.001"), CloseTodayByValue: hub.MustDecimal("0.001")},
		},
	}
)

// World is a hub and all that is around it.
type World struct {
	now   hub.Time
	days  map[string]int
	began map[string]hub.Time

	// On disk: these outlive the hub's process.
	journal  [][]byte
	snapshot []byte // of the state after snapshotAt entries
	snapAt   int

	// In the hub's process.
	core     *core.Core
	asked    []*question // traders' orders, waiting for a risk manager
	inFlight []proposal  // proposed, not committed
	todo     []todo      // effects, not carried out

	// Between the hub and the venue.
	gone      bool // there is no gateway's process
	toVenue   []toVenue
	fromVenue []hub.Input
	old       []hub.Input

	venue     *venue
	questions []*question
	asks      uint64
	ids       map[hub.OrderID]hub.TraderName // every id that a client was given
	sent      map[hub.OrderID]bool
	changed   map[hub.OrderID]uint64      // how many amendments of an order were sent
	cut       map[hub.TraderName]hub.Time // when everything of a trader was cancelled last
	wrong     error
	trace     func(string)

	refused  []core.Decided         // what rules alone refused lately
	byNumber map[uint64]hub.OrderID // what was sent by which override

	revision uint32  // of the policies that the files on disk have
	ledger   *ledger // of what was committed
	followed uint64  // entries that are in it
	disagree error   // of hub and ledger
}

// question is an order that a trader asked for, from the trader's side.
type question struct {
	trader  hub.TraderName
	request hub.OrderRequest
	day     hub.Day
	answers int
	id      hub.OrderID
	life    int // of the hub's process; a crash ends the connection
	ask     uint64
	decided int
	asked   hub.Time
}

type proposal struct {
	input hub.Input
	of    *question
}

type todo struct {
	effect core.Effect
	of     *question
}

type toVenue struct {
	send   *hub.Order
	cancel *hub.Order
	amend  *hub.Order
	ask    []hub.OrderID

	askedAt uint64
}

// Play lets a story happen, and returns what was wrong with it: nil is right.
func Play(story Story) error { return play(story, nil) }

// Tell plays a story and says what happens, line by line.
func Tell(story Story, trace func(string)) error { return play(story, trace) }

func play(story Story, trace func(string)) error { return newWorld(trace).play(story) }

func newWorld(trace func(string)) *World {
	return &World{
		now: 1_795_424_400_000_000_000, core: core.New(), venue: newVenue(), ids: map[hub.OrderID]hub.TraderName{}, sent: map[hub.OrderID]bool{}, changed: map[hub.OrderID]uint64{}, cut: map[hub.TraderName]hub.Time{}, trace: trace,
		days: map[string]int{}, began: map[string]hub.Time{},
		ledger: newLedger(), byNumber: map[uint64]hub.OrderID{},
	}
}

func (w *World) play(story Story) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	w.start()
	w.settleAll()
	for i, m := range story {
		if err := w.move(m); err != nil {
			return fmt.Errorf("%w (move %d: %s)", err, i, m)
		}
		if err := w.check(); err != nil {
			return fmt.Errorf("%w (after move %d: %s)", err, i, m)
		}
		if err := w.auditWatches(); err != nil {
			return fmt.Errorf("%w (after move %d: %s)", err, i, m)
		}
		if err := w.auditOverrides(); err != nil {
			return fmt.Errorf("%w (after move %d: %s)", err, i, m)
		}
		if i%auditEvery == 0 {
			if err := w.audit(); err != nil {
				return fmt.Errorf("%w (after move %d: %s)", err, i, m)
			}
		}
	}
	return w.end()
}

func (w *World) say(format string, args ...any) {
	if w.trace != nil {
		w.trace(fmt.Sprintf(format, args...))
	}
}

// start is what a hub proposes when it comes up, and what its gateway says then.
func (w *World) start() {
	in := hub.SetUp{
		Fund: "evergreen", Currency: "CNY", Gateways: []hub.GatewayName{"SIM"}, Managers: []string{"margin"},
		Calendar: "futures", Calendars: []hub.ExchangeCalendar{{Exchange: "LOCAL", Calendar: "coins"}},
		Rates: []hub.Rate{{Currency: "USDT", Rate: hub.Int(7)}}, RatesMaxAge: 200 * time.Second,
	}
	for _, t := range traders {
		in.Traders = append(in.Traders, hub.TraderSetUp{Name: t, Capital: hub.Int(1_000_000)})
	}
	w.propose(in, nil)
	for _, calendar := range calendars {
		w.propose(w.dayBegins(calendar), nil)
	}
	w.load(w.revision, false)
	w.gatewayUp()
}

// calendars of this world: the fund's main one, and that of the coins.
var calendars = []string{"futures", "coins"}

func calendarOf(exchange string) string {
	if exchange == "LOCAL" {
		return "coins"
	}
	return "futures"
}

// dayBegins is what is proposed when a calendar's day begins, and, for the same day, at every start of the hub.
func (w *World) dayBegins(calendar string) hub.RollDay {
	return hub.RollDay{Day: w.dayName(calendar), Calendar: calendar, Began: w.began[calendar]}
}

func (w *World) dayName(calendar string) hub.Day {
	return hub.Day(fmt.Sprintf("2026%04d", w.days[calendar]))
}

// load proposes the policies of a revision, perhaps with a mistake in them.
func (w *World) load(revision uint32, broken bool) {
	in := hub.LoadPolicies{Files: files(drawPolicies(revision)), By: fmt.Sprintf("revision %d", revision), Language: policy.Language}
	if broken {
		in.Files[0].Text += "  - name: broken\n    require: order.quantity <=\n"
		in.By = "a mistake"
	}
	w.propose(in, nil)
}

func (w *World) gatewayUp() {
	w.gone = false
	w.propose(hub.Contracts{Gateway: "SIM", Contracts: contracts}, nil)
	w.propose(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true}, nil)
}

func (w *World) propose(in hub.Input, of *question) {
	w.inFlight = append(w.inFlight, proposal{in, of})
}

// write puts the first proposal on disk.
func (w *World) write() (hub.Entry, *question) {
	p := w.inFlight[0]
	w.inFlight = w.inFlight[1:]
	b, err := codec.Encode(hub.Entry{Time: w.now, Input: p.input})
	if err != nil {
		panic(err)
	}
	w.journal = append(w.journal, b)
	return w.read(len(w.journal) - 1), p.of
}

func (w *World) read(i int) hub.Entry {
	e, err := codec.Decode(w.journal[i])
	if err != nil {
		panic(err)
	}
	e.Seq = uint64(i) + 1
	return e
}

func (w *World) commit() {
	e, of := w.write()
	if _, long := e.Input.(hub.LoadPolicies); !long {
		w.say("%d %T%+v", e.Seq, e.Input, e.Input)
	}
	effects := w.core.Step(e)
	w.follow(e, effects)
	for _, effect := range effects {
		if _, send := effect.(core.Send); send && of != nil && of.asked <= w.cut[of.trader] {
			w.wrong = fmt.Errorf("sent after everything was cancelled: what %s had asked for at %d, and %d was the time of the cancel", of.trader, of.asked, w.cut[of.trader])
		}
		w.todo = append(w.todo, todo{effect, of})
	}
	if in, ok := e.Input.(hub.CancelAll); ok {
		for _, t := range traders {
			if in.Part.Covers(t, "SIM", contracts[0].Instrument) {
				w.cut[t] = max(w.cut[t], e.Time)
			}
		}
	}
}

// follow lets the ledger follow an entry that it has not seen.
func (w *World) follow(e hub.Entry, effects []core.Effect) {
	if e.Seq != w.followed+1 {
		return
	}
	w.followed++
	w.disagree = errors.Join(w.disagree, w.ledger.entry(e, effects))
}

func (w *World) dispatch() error {
	t := w.todo[0]
	w.todo = w.todo[1:]
	switch e := t.effect.(type) {
	case core.Taken:
		return w.answer(t.of, e.Order.ID)
	case core.Decided:
		w.remember(e)
		if t.of == nil {
			t.of = w.waits(e.Order.ID)
		}
		if t.of == nil {
			break // what the last life of the hub had taken
		}
		if t.of.decided++; t.of.decided != 1 {
			return fmt.Errorf("decided twice: order %s", e.Order.ID)
		}
		if t.of.ask == 0 {
			return w.answer(t.of, e.Order.ID)
		}
	case core.Send:
		o := e.Permit.Order()
		if !e.Permit.Valid() {
			return fmt.Errorf("sent without a decision: order %s", o.ID)
		}
		if w.sent[o.ID] {
			return fmt.Errorf("sent twice: order %s", o.ID)
		}
		w.sent[o.ID] = true
		if number, _ := e.Permit.Override(); number != 0 {
			if other, twice := w.byNumber[number]; twice {
				return fmt.Errorf("one override for two orders: %d for %s and %s", number, other, o.ID)
			}
			w.byNumber[number] = o.ID
		}
		w.say("send %s %s %s %s", o.ID, o.Direction, o.Offset, o.Qty)
		if w.gone {
			w.propose(hub.VenueReport{Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportNotSent, Reason: "it is not running"}, nil)
			break
		}
		w.toVenue = append(w.toVenue, toVenue{send: &o})
	case core.Amend:
		if !e.Permit.Valid() || !e.Permit.Amends() {
			return fmt.Errorf("amended without a decision: order %s", e.Permit.Order().ID)
		}
		return w.amended(e.Permit.Order())
	case core.CancelAtVenue:
		if w.gone {
			w.propose(hub.VenueReport{Gateway: e.Order.Gateway, OrderID: e.Order.ID, Kind: hub.ReportCancelNotSent, Reason: "it is not running"}, nil)
			break
		}
		w.toVenue = append(w.toVenue, toVenue{cancel: &e.Order})
	case core.Withhold: // what the gateway's process has got already is not taken back
		kept := w.toVenue[:0]
		for i, m := range w.toVenue {
			o := cmp.Or(m.send, m.amend)
			if o == nil || i < 2 || !e.Part.Covers(o.Trader, o.Gateway, o.Instrument) || e.Opening && o.Offset.Closes() {
				kept = append(kept, m)
				continue
			}
			if m.amend != nil {
				w.fromVenue = append(w.fromVenue, unamended(*o, e.Why))
				continue
			}
			w.fromVenue = append(w.fromVenue, hub.VenueReport{Gateway: m.send.Gateway, OrderID: m.send.ID, Kind: hub.ReportNotSent, Reason: e.Why})
		}
		w.toVenue = kept
	case core.AskVenue:
		if !w.gone { // else it is asked when it is back
			w.toVenue = append(w.toVenue, toVenue{ask: e.Orders, askedAt: e.AskedAt})
		}
	case core.JudgeAgain:
		if q := w.waits(e.Order.ID); q != nil {
			q.ask = e.Ask
			w.asked = append(w.asked, q)
		}
	case core.FlattenWanted:
		w.flattenStep(uint32(len(w.journal)) * 2654435761)
	case core.Alert:
		w.say("alert: %s", e.Text)
	case core.Liquidating, core.AmendAnswered, core.CancelAnswered, core.CancelledAll, core.FlattenAnswered, core.OrderChanged, core.Traded, core.BookChanged, core.Notice, core.PoliciesAnswered, core.DayRolled, core.Crossed, core.TransferAnswered, core.Moved, core.RatesAnswered, core.NumbersAnswered, core.OverrideChanged, core.OverrideAnswered:
	}
	return nil
}

// waits is the question about an order that waits for others to be cancelled; nil when it was asked in another life of the hub.
func (w *World) waits(id hub.OrderID) *question {
	for _, q := range w.questions {
		if q.id == id && q.life == 0 {
			if q.ask == 0 {
				q.ask = 1 // its id was given
			}
			return q
		}
	}
	return nil
}

// answer gives a trader the id of an order.
func (w *World) answer(q *question, id hub.OrderID) error {
	if q.answers++; q.answers != 1 {
		return fmt.Errorf("answered twice: order %s", id)
	}
	if _, twice := w.ids[id]; twice {
		return fmt.Errorf("one id for two orders: %s", id)
	}
	q.id, w.ids[id] = id, q.trader
	return nil
}

func (w *World) venueTakes(refuse bool) error {
	m := w.toVenue[0]
	w.toVenue = w.toVenue[1:]
	switch {
	case m.send != nil:
		report, err := w.venue.take(*m.send, refuse)
		if err != nil {
			return err
		}
		w.fromVenue = append(w.fromVenue, report)
	case m.amend != nil:
		w.fromVenue = append(w.fromVenue, w.venue.amend(*m.amend, refuse))
	case m.cancel != nil:
		w.fromVenue = append(w.fromVenue, w.venue.cancel(m.cancel.ID, m.cancel.Gateway))
	default:
		w.fromVenue = append(w.fromVenue, w.venue.answer("SIM", m.ask, m.askedAt))
	}
	return nil
}

// deliver lets one of the venue's messages arrive. The venue's answers keep their place behind what was reported before them, as they do on a gateway's one ordered stream:
// everything else may overtake.
func (w *World) deliver(i int) {
	if at := slices.IndexFunc(w.fromVenue, isAnswer); at >= 0 && i > at {
		i = at
	}
	if isAnswer(w.fromVenue[i]) && i > 0 {
		i = 0
	}
	in := w.fromVenue[i]
	w.fromVenue = slices.Delete(w.fromVenue, i, i+1)
	w.old = append(w.old, in)
	w.propose(in, nil)
}

func isAnswer(in hub.Input) bool {
	switch in.(type) { //nolint:gochecksumtype // the rest are reports
	case hub.Reconcile, hub.VenueStatement:
		return true
	}
	return false
}

// crash ends the hub's process, and its gateway's with it. Of what was proposed, some may be on disk; of what was to be carried out, nothing more is; of what was on the way to the
// venue, some arrives.
func (w *World) crash(onDisk, arrive uint32) error {
	w.gatewayProcessDies(arrive)
	for range onDisk % uint32(len(w.inFlight)+1) {
		w.write()
	}
	w.inFlight, w.todo, w.asked = nil, nil, nil
	clear(w.cut) // the next life is asked anew
	for _, q := range w.questions {
		q.life++
	}
	before := w.core
	again, err := w.replay()
	if err != nil {
		return err
	}
	if before.Seq() == again.Seq() {
		if err := same(before, again); err != nil {
			return err
		}
	}
	w.core = again
	w.say("crash; %d entries on disk", len(w.journal))
	w.start()
	return nil
}

func same(a, b *core.Core) error {
	x, err := codec.Digest(a.Image())
	if err != nil {
		return err
	}
	y, err := codec.Digest(b.Image())
	if err != nil {
		return err
	}
	if x != y {
		return fmt.Errorf("replay differs: %s and %s after %d entries", x[:12], y[:12], a.Seq())
	}
	return nil
}

// replay makes a core of what is on disk.
func (w *World) replay() (*core.Core, error) {
	c := core.New()
	from := 0
	if w.snapshot != nil {
		im, err := codec.DecodeImage(w.snapshot)
		if err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		if c, err = core.Restore(im); err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		from = w.snapAt
	}
	for i := from; i < len(w.journal); i++ {
		e := w.read(i)
		w.follow(e, c.Step(e))
	}
	return c, nil
}

// gatewayProcessDies loses what is between hub and venue; the first few of the messages to the venue still arrive.
func (w *World) gatewayProcessDies(arrive uint32) {
	n := arrive % uint32(len(w.toVenue)+1)
	for range n {
		if err := w.venueTakes(false); err != nil {
			panic(err)
		}
	}
	w.toVenue, w.fromVenue = nil, nil
}

// settleAll lets everything that is under way finish.
func (w *World) settleAll() {
	for left := 100_000; len(w.asked)+len(w.inFlight)+len(w.todo)+len(w.toVenue)+len(w.fromVenue) > 0; left-- {
		switch {
		case left == 0:
			panic("it does not settle")
		case len(w.asked) > 0:
			w.judge(0, manyYes)
		case len(w.inFlight) > 0:
			w.commit()
		case len(w.todo) > 0:
			if err := w.dispatch(); err != nil {
				panic(err)
			}
		case len(w.toVenue) > 0:
			if err := w.venueTakes(false); err != nil {
				panic(err)
			}
		default:
			w.deliver(0)
		}
	}
}

// market is what the hub knows of the market when it decides: mostly the last price, sometimes more, an old one, or nothing.
func (w *World) market(how uint32) hub.MarketView {
	last := 3480 + int64(how>>8%40)
	m := hub.MarketView{Last: hub.Int(last), Seen: w.now}
	switch how >> 16 % 12 {
	case 0:
		return hub.MarketView{}
	case 1:
		m.Seen = w.now.Add(-time.Duration(how>>20%7) * time.Second)
	case 2, 3:
		m.Bid, m.Ask = hub.Int(last-1), hub.Int(last+2)
	case 4:
		m.Bid, m.LimitUp, m.LimitDown = hub.Int(last+3), hub.Int(3900), hub.Int(3100)
	}
	return m
}

// manyYes is a drawn number for which every manager says yes.
const manyYes = 3

func (w *World) judge(i int, how uint32) {
	q := w.asked[i]
	w.asked = slices.Delete(w.asked, i, i+1)
	in := hub.SubmitOrder{Trader: q.trader, Request: q.request, Market: w.market(how), Asked: q.asked}
	switch how % 40 {
	case 0: // the manager is dead: nothing in its name
	case 1:
		in.Verdicts = []hub.Verdict{{Manager: "margin", Reason: "no answer within 5ms"}}
	case 2:
		in.Verdicts = []hub.Verdict{{Manager: "somebody", Pass: true}}
	default:
		in.Verdicts = []hub.Verdict{{Manager: "margin", Pass: true}}
	}
	if q.ask != 0 {
		w.propose(hub.JudgeOrder{Ask: q.ask, Market: in.Market, Verdicts: in.Verdicts}, q)
		return
	}
	w.propose(in, q)
}

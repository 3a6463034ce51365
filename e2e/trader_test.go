package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// trader is a fast client of one trader, which lives through many lives of the hub. It sends whatever comes to its mind, and remembers what it was told: by
// answers, by events, and, as a VeighNa does when it connects, by asking for everything.
type trader struct {
	t     testing.TB
	name  hub.TraderName
	house *house
	index int
	rng   *rand.Rand // of the trading goroutine

	client *rpc.Client // nil when it is not connected

	mu sync.Mutex // guards what follows
	// asked are all orders that were ever sent, by their reference; given those whose answer came, by the id that it gave.
	asked map[string]hub.OrderRequest
	given map[hub.OrderID]string
	view  map[hub.OrderID]told
	fills map[string]hub.Trade
	ticks map[hub.Instrument]hub.Tick
	// news counts the events; underway the requests that are not answered.
	news, underway int
	woken          *sync.Cond
	flaws          []string
	// unanswered counts orders whose answer died with a hub.
	unanswered int
}

// told is an order as the trader knows it.
type told struct {
	hub.Order
	news int // when it was told so by an event
}

func newTrader(h *house, name hub.TraderName, index int, seed uint64) *trader {
	tr := &trader{
		t: h.t, name: name, house: h, index: index, rng: rand.New(rand.NewPCG(seed, uint64(index))),
		asked: map[string]hub.OrderRequest{}, given: map[hub.OrderID]string{}, view: map[hub.OrderID]told{}, fills: map[string]hub.Trade{},
		ticks: map[hub.Instrument]hub.Tick{},
	}
	tr.woken = sync.NewCond(&tr.mu)
	return tr
}

// connect does what VeighNa does: it subscribes first, and asks for everything once it hears events.
func (tr *trader) connect() {
	tr.t.Helper()
	var err error
	tr.client, err = rpc.Dial(rpc.ClientOptions{Request: tr.house.request(tr.index), Publish: tr.house.publish(tr.index), Events: tr.heard})
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.mu.Lock()
	clear(tr.ticks)
	tr.mu.Unlock()
	// A VeighNa asks for contracts when it connects, and never again: a hub that is ready has them.
	tr.ask(veighna.GetAllContracts{}, func(answer any) {
		if len(answer.([]any)) == 0 {
			tr.flaw("the hub is ready and has no contracts")
		}
	})
	for _, i := range instruments {
		tr.ask(veighna.Subscribe{Instrument: i, Gateway: gatewayName}, nil)
	}
	tr.wait("ticks", func() bool { return len(tr.ticks) == len(instruments) })
	tr.mu.Lock()
	asked := tr.news
	tr.mu.Unlock()
	tr.ask(veighna.GetAllOrders{}, func(answer any) {
		for _, o := range answer.([]any) {
			o := o.(hub.Order)
			if was, known := tr.view[o.ID]; !known || was.news <= asked { // else an event was newer than this answer
				tr.learn(o, was.news)
			}
		}
	})
	tr.ask(veighna.GetAllTrades{}, func(answer any) {
		for _, f := range answer.([]any) {
			tr.learnTrade(f.(hub.Trade))
		}
	})
	tr.quiet()
}

// disconnect throws the connection away. What is not answered will never be.
func (tr *trader) disconnect() {
	tr.t.Helper()
	if tr.client == nil {
		return
	}
	if err := tr.client.Close(); err != nil {
		tr.t.Error(err)
	}
	tr.client = nil
}

// wait waits for what another goroutine does; is is called with mu held.
func (tr *trader) wait(what string, is func() bool) {
	tr.t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		late = true
		tr.woken.Broadcast()
	})
	defer timer.Stop()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for !is() {
		if late {
			tr.t.Errorf("%s waits for %s", tr.name, what)
			return
		}
		tr.woken.Wait()
	}
}

// quiet waits until everything is answered.
func (tr *trader) quiet() {
	tr.t.Helper()
	tr.wait("answers", func() bool { return tr.underway == 0 })
}

// ask sends a request. take gets the answer, with mu held; an error of the hub's is no answer.
func (tr *trader) ask(call veighna.Call, take func(answer any)) {
	tr.mu.Lock()
	tr.underway++
	tr.mu.Unlock()
	done := func(reply []byte, err error) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.underway--
		tr.woken.Broadcast()
		if err != nil {
			if _, order := call.(veighna.SendOrder); order {
				tr.unanswered++
			}
			return
		}
		answer, err := veighna.DecodeReply(reply, nil)
		var refused *veighna.RemoteError
		switch {
		case errors.As(err, &refused):
			return
		case err != nil:
			tr.flaw("an answer that cannot be read: %v", err)
		case take != nil:
			take(answer)
		}
	}
	if err := tr.client.Go(veighna.AppendRequest(nil, call, nil, veighna.Chinese), done); err != nil {
		done(nil, err)
	}
}

func (tr *trader) flaw(format string, args ...any) {
	if len(tr.flaws) < 20 {
		tr.flaws = append(tr.flaws, string(tr.name)+": "+fmt.Sprintf(format, args...))
	}
}

// heard takes an event. Orders and trades come twice, which says nothing new.
func (tr *trader) heard(e veighna.Event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.woken.Broadcast()
	switch data := e.Data.(type) {
	case hub.Tick:
		tr.ticks[data.Instrument] = data
	case hub.Order:
		tr.news++
		tr.learn(data, tr.news)
	case hub.Trade:
		tr.learnTrade(data)
	}
}

// learn keeps what is said of an order, if it can be true after all that was said before.
func (tr *trader) learn(o hub.Order, news int) {
	was, known := tr.view[o.ID]
	if known {
		switch {
		case o.Filled.Less(was.Filled):
			tr.flaw("order %s was filled with %s and is now said to be with %s", o.ID, was.Filled, o.Filled)
		case was.Status.Final() && (o.Status != was.Status || !o.Filled.Equal(was.Filled)):
			tr.flaw("order %s was %s with %s filled, and is now said to be %s with %s", o.ID, was.Status, was.Filled, o.Status, o.Filled)
		case o.Status == hub.Submitted && was.Status > hub.Submitted:
			tr.flaw("order %s was %s and is now said to be %s", o.ID, was.Status, o.Status)
		}
	}
	tr.view[o.ID] = told{o, news}
}

func (tr *trader) learnTrade(f hub.Trade) {
	was, known := tr.fills[f.ID]
	if known && (was.OrderID != f.OrderID || !was.Price.Equal(f.Price) || !was.Qty.Equal(f.Qty)) {
		tr.flaw("trade %s was %v and is now %v", f.ID, was, f)
	}
	tr.fills[f.ID] = f
}

// trade sends until ctx ends. burst gets a word, if it has room for one, whenever some orders have just been sent.
func (tr *trader) trade(ctx context.Context, burst chan<- struct{}) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		for range 1 + tr.rng.IntN(6) {
			tr.act()
		}
		select {
		case burst <- struct{}{}:
		default:
		}
	}
}

// Limits of what the trader does, so that a hub that answers nothing does not get more and more of it.
const (
	underwayMax = 200
	activeMax   = 40
)

func (tr *trader) act() {
	tr.mu.Lock()
	underway := tr.underway
	var active []hub.Order
	for _, o := range tr.view {
		if o.Active() {
			active = append(active, o.Order)
		}
	}
	tick := tr.ticks[instruments[tr.rng.IntN(len(instruments))]]
	tr.mu.Unlock()
	if underway >= underwayMax {
		return
	}
	if len(active) > 0 && (len(active) > activeMax || tr.rng.IntN(3) == 0) {
		slices.SortFunc(active, func(a, b hub.Order) int { return strings.Compare(string(a.ID), string(b.ID)) })
		o := active[tr.rng.IntN(len(active))]
		tr.ask(veighna.CancelOrder{CancelRequest: hub.CancelRequest{Instrument: o.Instrument, OrderID: o.ID}, Gateway: gatewayName}, nil)
		return
	}
	tr.send(tr.invent(tick))
}

// send sends an order and keeps the id that it is given.
func (tr *trader) send(r hub.OrderRequest) {
	tr.mu.Lock()
	r.Reference = fmt.Sprintf("%s-%d", tr.name, len(tr.asked)+1)
	tr.asked[r.Reference] = r
	tr.mu.Unlock()
	tr.ask(veighna.SendOrder{OrderRequest: r, Gateway: gatewayName}, func(answer any) {
		text, _ := answer.(string)
		gateway, id, ok := strings.Cut(text, ".")
		if !ok || gateway != gatewayName {
			tr.flaw("order %s was answered with %v", r.Reference, answer)
			return
		}
		if other, twice := tr.given[hub.OrderID(id)]; twice {
			tr.flaw("orders %s and %s were given the same id %s", other, r.Reference, id)
		}
		tr.given[hub.OrderID(id)] = r.Reference
	})
}

// invent makes an order of one of many kinds.
func (tr *trader) invent(tick hub.Tick) hub.OrderRequest {
	var sum hub.Sum
	step, unit, spot := hub.Int(1), hub.Int(1), tick.Instrument == instruments[2]
	if spot {
		step, unit = hub.MustDecimal("0.1"), hub.MustDecimal("0.001")
	}
	r := hub.OrderRequest{Instrument: tick.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: sum.Mul(unit, hub.Int(1+tr.rng.Int64N(5)))}
	if tr.rng.IntN(2) == 0 {
		r.Direction = hub.Short
	}
	switch {
	case spot:
		r.Offset = hub.NoOffset
	case tr.rng.IntN(3) == 0: // refused when there is nothing to close
		r.Offset = hub.CloseToday
	}
	// away steps from the other side's best price: below 0 it is met, above it waits.
	at := func(away int64) hub.Decimal {
		if r.Direction == hub.Short {
			return sum.Add(tick.Bids[0].Price, sum.Mul(step, hub.Int(away)))
		}
		return sum.Sub(tick.Asks[0].Price, sum.Mul(step, hub.Int(away)))
	}
	switch tr.rng.IntN(12) {
	case 0, 1, 2: // rests
		r.Price = at(20 + tr.rng.Int64N(20))
	case 3, 4: // rests where the market may come
		r.Price = at(1 + tr.rng.Int64N(2))
	case 5, 6: // is met
		r.Price = at(-3)
	case 7:
		r.Type, r.Price = hub.FAK, at(tr.rng.Int64N(3)-1)
	case 8:
		r.Type, r.Price = hub.FOK, at(tr.rng.Int64N(3)-1)
	case 9:
		r.Type = hub.Market
	case 10: // is triggered when the market goes on
		r.Type, r.Price = hub.Stop, at(-1-tr.rng.Int64N(3))
	case 11: // over a limit
		r.Qty, r.Price = sum.Mul(unit, hub.Int(60)), at(20)
	}
	if sum.Err() != nil {
		tr.t.Fatal(sum.Err())
	}
	return r
}

package runner

import (
	"sync"
	"time"

	"tradehub/hub"
)

// market is what the hub knows of the market: the last tick of each contract. Ticks do not go through the journal; what an order saw of them does.
type market struct {
	mu      sync.RWMutex
	ticks   map[place]*quote
	list    []place // in the order in which they were first seen
	waiting map[place][]*waiter
}

// place is a contract at a gateway: the same one may have another price elsewhere.
type place struct {
	gateway    hub.GatewayName
	instrument hub.Instrument
}

type quote struct {
	tick hub.Tick
	seen hub.Time
}

// waiter is an order that came before the first tick of its contract.
type waiter struct {
	once sync.Once
	run  func()
}

func newMarket() *market {
	return &market{ticks: map[place]*quote{}, waiting: map[place][]*waiter{}}
}

func (m *market) put(t hub.Tick, seen hub.Time) {
	at := place{t.Gateway, t.Instrument}
	m.mu.Lock()
	q := m.ticks[at]
	if q == nil {
		q = &quote{}
		m.ticks[at] = q
		m.list = append(m.list, at)
	}
	q.tick, q.seen = t, seen
	var waiting []*waiter
	if len(m.waiting) > 0 {
		waiting = m.waiting[at]
		delete(m.waiting, at)
	}
	m.mu.Unlock()
	for _, w := range waiting {
		w.once.Do(w.run)
	}
}

func (m *market) view(g hub.GatewayName, i hub.Instrument) hub.MarketView {
	m.mu.RLock()
	defer m.mu.RUnlock()
	q := m.ticks[place{g, i}]
	if q == nil {
		return hub.MarketView{}
	}
	t := &q.tick
	return hub.MarketView{
		Last: t.Last, Bid: t.Bids[0].Price, Ask: t.Asks[0].Price, LimitUp: t.LimitUp, LimitDown: t.LimitDown, PreClose: t.PreClose, Volume: t.Volume,
		OpenInt: t.OpenInterest, Seen: q.seen,
	}
}

func (m *market) tick(g hub.GatewayName, i hub.Instrument) (hub.Tick, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	q := m.ticks[place{g, i}]
	if q == nil {
		return hub.Tick{}, false
	}
	return q.tick, true
}

func (m *market) all() []hub.Tick {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]hub.Tick, 0, len(m.list))
	for _, at := range m.list {
		out = append(out, m.ticks[at].tick)
	}
	return out
}

// await runs f when the contract has a tick, or after the given time. It reports false, and does nothing, when there is a tick already.
func (m *market) await(g hub.GatewayName, i hub.Instrument, atMost time.Duration, f func()) bool {
	at := place{g, i}
	m.mu.Lock()
	if m.ticks[at] != nil {
		m.mu.Unlock()
		return false
	}
	w := &waiter{run: f}
	m.waiting[at] = append(m.waiting[at], w)
	m.mu.Unlock()
	time.AfterFunc(atMost, func() {
		m.drop(at, w)
		w.once.Do(w.run)
	})
	return true
}

func (m *market) drop(at place, w *waiter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, other := range m.waiting[at] {
		if other == w {
			m.waiting[at] = append(m.waiting[at][:n:n], m.waiting[at][n+1:]...)
		}
	}
	if len(m.waiting[at]) == 0 {
		delete(m.waiting, at)
	}
}

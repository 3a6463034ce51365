package runner

import (
	"sync"
	"time"

	"tradehub/hub"
)

// market is what the hub knows of the market: the last tick of each contract. Ticks do not go through the journal; what an order saw of them does.
type market struct {
	mu      sync.RWMutex
	ticks   map[hub.Instrument]*quote
	list    []hub.Instrument // in the order in which they were first seen
	waiting map[hub.Instrument][]*waiter
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
	return &market{ticks: map[hub.Instrument]*quote{}, waiting: map[hub.Instrument][]*waiter{}}
}

func (m *market) put(t hub.Tick, seen hub.Time) {
	m.mu.Lock()
	q := m.ticks[t.Instrument]
	if q == nil {
		q = &quote{}
		m.ticks[t.Instrument] = q
		m.list = append(m.list, t.Instrument)
	}
	q.tick, q.seen = t, seen
	var waiting []*waiter
	if len(m.waiting) > 0 {
		waiting = m.waiting[t.Instrument]
		delete(m.waiting, t.Instrument)
	}
	m.mu.Unlock()
	for _, w := range waiting {
		w.once.Do(w.run)
	}
}

func (m *market) view(i hub.Instrument) hub.MarketView {
	m.mu.RLock()
	defer m.mu.RUnlock()
	q := m.ticks[i]
	if q == nil {
		return hub.MarketView{}
	}
	t := &q.tick
	return hub.MarketView{
		Last: t.Last, Bid: t.Bids[0].Price, Ask: t.Asks[0].Price, LimitUp: t.LimitUp, LimitDown: t.LimitDown, PreClose: t.PreClose, Volume: t.Volume,
		OpenInt: t.OpenInterest, Seen: q.seen,
	}
}

func (m *market) tick(i hub.Instrument) (hub.Tick, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	q := m.ticks[i]
	if q == nil {
		return hub.Tick{}, false
	}
	return q.tick, true
}

func (m *market) all() []hub.Tick {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]hub.Tick, 0, len(m.list))
	for _, i := range m.list {
		out = append(out, m.ticks[i].tick)
	}
	return out
}

// await runs f when the contract has a tick, or after the given time. It reports false, and does nothing, when there is a tick already.
func (m *market) await(i hub.Instrument, atMost time.Duration, f func()) bool {
	m.mu.Lock()
	if m.ticks[i] != nil {
		m.mu.Unlock()
		return false
	}
	w := &waiter{run: f}
	m.waiting[i] = append(m.waiting[i], w)
	m.mu.Unlock()
	time.AfterFunc(atMost, func() {
		m.drop(i, w)
		w.once.Do(w.run)
	})
	return true
}

func (m *market) drop(i hub.Instrument, w *waiter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, other := range m.waiting[i] {
		if other == w {
			m.waiting[i] = append(m.waiting[i][:at:at], m.waiting[i][at+1:]...)
		}
	}
	if len(m.waiting[i]) == 0 {
		delete(m.waiting, i)
	}
}

package runner

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Numbers returns the published numbers, sorted by name and by whose they are.
func (r *Runner) Numbers() []core.NumberStanding {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.core.Numbers()
}

// PublishNumbers takes somebody's word on some numbers, all or none; errs say why none was taken.
func (r *Runner) PublishNumbers(ctx context.Context, in hub.PublishNumbers) (errs []string, err error) {
	err = r.do(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.NumbersAnswered); ok {
				errs = a.Errors
			}
		}
	})
	return errs, err
}

// publishAgain is how often a risk manager's number that does not change is said again, so that its age tells whether the manager lives.
const publishAgain = 10 * time.Second

// managed are the numbers of risk managers on their way to the rules. A manager may change its numbers with every fill; they are journaled once a second at most, and only those that
// rules in force ask for.
type managed struct {
	mu   sync.Mutex
	now  map[string][]hub.Number // by manager
	said map[string]map[saidOf]hub.Decimal
	at   map[string]hub.Time // when all of them were said last

	revision string // of names
	names    []string
}

type saidOf struct {
	name   string
	trader hub.TraderName
}

// ManagerNumbers takes what a risk manager publishes now: all of its numbers, or none when it is down. What it said before stays as it was, and grows old.
func (r *Runner) ManagerNumbers(manager string, all []hub.Number) {
	m := &r.managed
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil {
		m.now, m.said, m.at = map[string][]hub.Number{}, map[string]map[saidOf]hub.Decimal{}, map[string]hub.Time{}
	}
	m.now[manager] = all
}

// publishManaged journals the numbers of risk managers that rules in force ask for, where they changed or were not said for long.
func (r *Runner) publishManaged() {
	for _, in := range r.due(hub.TimeOf(r.opts.Clock())) {
		r.must(in)
	}
}

func (r *Runner) due(now hub.Time) []hub.PublishNumbers {
	m := &r.managed
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.now) == 0 {
		return nil
	}
	traders := map[hub.TraderName]bool{"": true}
	r.mu.Lock()
	if revision := r.core.Revision(); revision != m.revision {
		m.revision, m.names, m.said = revision, r.core.PublishedNames(), map[string]map[saidOf]hub.Decimal{}
	}
	if len(m.names) > 0 {
		for _, s := range r.core.Standings() {
			traders[s.Trader] = true
		}
	}
	r.mu.Unlock()
	if len(m.names) == 0 {
		return nil
	}
	var all []hub.PublishNumbers
	for _, manager := range slices.Sorted(maps.Keys(m.now)) {
		again := m.said[manager] == nil || now.Sub(m.at[manager]) >= publishAgain
		if again {
			m.said[manager], m.at[manager] = map[saidOf]hub.Decimal{}, now
		}
		in := hub.PublishNumbers{By: "risk manager " + manager}
		for _, n := range m.now[manager] {
			k := saidOf{n.Name, n.Trader}
			was, said := m.said[manager][k]
			if !traders[n.Trader] || said && was.Equal(n.Value) || !slices.Contains(m.names, n.Name) || in.Has(n.Name, n.Trader) {
				continue
			}
			m.said[manager][k] = n.Value
			in.Numbers = append(in.Numbers, hub.PublishedNumber{Name: n.Name, Trader: n.Trader, Value: n.Value})
		}
		if len(in.Numbers) > 0 {
			all = append(all, in)
		}
	}
	return all
}

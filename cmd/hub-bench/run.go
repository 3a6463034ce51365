package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

type runOptions struct {
	rounds, orders int
	only           string
}

// clientCounts are how many clients or subscribers there are at once.
var clientCounts = []int{1, 4}

// rates are values of a peer per second, one for each round.
type rates map[string][]float64

// results are everything that run measured.
type results struct {
	took      time.Duration
	rounds    int
	orders    int
	floors    floors
	latency   map[int]map[string]*latency // by clients and peer
	pipelined rates                       // orders
	raw       map[int]rates               // ticks at raw subscribers, by their number
	stock     map[int]rates               // ticks at stock clients
	memory    memory
	rules     ruleTimes
}

func newResults(o runOptions) *results {
	r := &results{rounds: o.rounds, orders: o.orders, latency: map[int]map[string]*latency{}, pipelined: rates{}, raw: map[int]rates{}, stock: map[int]rates{}}
	for _, n := range clientCounts {
		r.latency[n] = map[string]*latency{"hub": {}, "stock": {}}
		r.raw[n], r.stock[n] = rates{}, rates{}
	}
	return r
}

// measure measures everything and writes the page.
func measure(ctx context.Context, s settings, o runOptions) error {
	if s.python == "" {
		return fmt.Errorf("%w: --python, or HUB_VNPY45_PYTHON, names the Python that has VeighNa 4.5.0; make bench sets it", errUsage)
	}
	if err := prepare(&s); err != nil {
		return err
	}
	r := newResults(o)
	load := loadAverage()
	began := time.Now()
	parts := []struct {
		name string
		run  func() error
	}{
		{"floors", func() error { return r.measureFloors(s) }},
		{"latency", func() error { return r.measureOrders(ctx, s, o, true, o.only == "") }},
		{"orders", func() error { return r.measureOrders(ctx, s, o, false, true) }},
		{"ticks", func() error { return r.measureTicks(ctx, s, o) }},
		{"rules", func() error { return r.measureRules(ctx, s, o) }},
		{"memory", func() error { return r.measureMemory(ctx, s) }},
	}
	for _, p := range parts {
		if (o.only != "" && o.only != p.name) || (o.only == "" && p.name == "orders") {
			continue // orders are measured with latency, on the same servers
		}
		if err := p.run(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	r.took = time.Since(began)
	table := r.render() + r.rules.render()
	fmt.Fprintf(s.say, "\n%s", table)
	if s.page == "" {
		return nil
	}
	if len(r.rules.hub) > 0 {
		if err := replacePart(s.page, "rules", machine(s.dir, load)+commandLine(s, r.took)+r.rules.render()); err != nil {
			return err
		}
	}
	if o.only != "" {
		return nil
	}
	return replacePart(s.page, "bench", machine(s.dir, load)+commandLine(s, r.took)+r.render())
}

// prepare makes the folder for data and sees that it lies on a disk: fsync means nothing in memory.
func prepare(s *settings) error {
	for _, path := range []*string{&s.hub, &s.dir} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = abs
	}
	if _, err := os.Stat(s.hub); err != nil {
		return fmt.Errorf("%w; make build makes it", err)
	}
	var err error
	if s.version, err = versionOf(s.hub); err != nil {
		return err
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	const tmpfs = 0x01021994
	var fs syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &fs); err != nil {
		return err
	}
	if fs.Type == tmpfs {
		return fmt.Errorf("%s lies in memory (tmpfs), where fsync costs nothing; --dir names a folder on a disk", s.dir)
	}
	return nil
}

func (r *results) measureFloors(s settings) error {
	f, err := floorsRound(s)
	r.floors.add(f)
	return err
}

// measureOrders runs one hub and one stock server through all rounds.
func (r *results) measureOrders(ctx context.Context, s settings, o runOptions, waiting, burst bool) (err error) {
	stock, err := startStock(ctx, s, "stock", 4)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stock.stop()) }()
	hub, err := startHub(ctx, s, "hub")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.stop()) }()
	for round := range o.rounds {
		if round > 0 && waiting {
			if err := r.measureFloors(s); err != nil {
				return err
			}
		}
		for _, p := range inTurn(round, hub, stock) {
			for _, n := range clientCounts {
				if !waiting {
					continue
				}
				l, err := latencyRound(ctx, s, p, n, o.orders)
				if err != nil {
					return err
				}
				r.latency[n][p.name].add(l)
				fmt.Fprintf(s.say, "round %d/%d  %-5s  %d client(s): reply p50 %.0f us, p99 %.0f us; order to event p50 %.0f us, p99 %.0f us\n",
					round+1, o.rounds, p.name, n, quantile(l.Reply, .5), quantile(l.Reply, .99), quantile(l.Event, .5), quantile(l.Event, .99))
			}
		}
		for _, p := range inTurn(round, hub, stock) {
			if !burst {
				continue
			}
			n, err := pipelineRound(ctx, p)
			if err != nil {
				return err
			}
			r.pipelined[p.name] = append(r.pipelined[p.name], n)
			fmt.Fprintf(s.say, "round %d/%d  %-5s  %d pipelined clients: %.0f orders/s\n", round+1, o.rounds, p.name, pipelineClients, n)
		}
	}
	return nil
}

// inTurn lets every second round begin with the other one.
func inTurn(round int, a, b *peer) []*peer {
	if round%2 == 0 {
		return []*peer{a, b}
	}
	return []*peer{b, a}
}

// measureTicks starts its servers anew for each measurement, because neither stops publishing what was once subscribed to.
func (r *results) measureTicks(ctx context.Context, s settings, o runOptions) error {
	starts := map[string]func() (*peer, error){
		"hub":   func() (*peer, error) { return startFlooded(ctx, s, "hub-ticks") },
		"stock": func() (*peer, error) { return startStock(ctx, s, "stock-ticks", 0) },
	}
	for round := range (o.rounds + 1) / 2 {
		for _, n := range clientCounts {
			for _, name := range []string{"hub", "stock"} {
				raw, err := onPeer(starts[name], func(p *peer) (float64, error) { return ticksRound(ctx, p, n) })
				if err != nil {
					return err
				}
				clients, err := onPeer(starts[name], func(p *peer) (float64, error) { return stockTicksRound(ctx, s, p, n) })
				if err != nil {
					return err
				}
				r.raw[n][name] = append(r.raw[n][name], raw)
				r.stock[n][name] = append(r.stock[n][name], clients)
				fmt.Fprintf(s.say, "round %d  %-5s  %d subscriber(s): %.0f ticks/s at raw ones, %.0f at stock clients\n", round+1, name, n, raw, clients)
			}
		}
	}
	return nil
}

func onPeer(start func() (*peer, error), f func(*peer) (float64, error)) (n float64, err error) {
	p, err := start()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	return f(p)
}

// In the demo, orders come as often as its policies let through: five a second.
const (
	demoPerSecond = 5
	demoFor       = 20 * time.Second
)

func (r *results) measureMemory(ctx context.Context, s settings) (err error) {
	h, err := startDemo(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	if r.memory, err = h.trade(ctx, s, demoPerSecond, demoFor, time.Second); err != nil {
		return err
	}
	return r.memory.flaw()
}

// flaw is what makes a measurement worthless.
func (m memory) flaw() error {
	if m.failed > 0 {
		return fmt.Errorf("%d orders failed, the first with %s", m.failed, m.failure)
	}
	if m.refused > m.orders/100 || m.trades == 0 {
		return fmt.Errorf("of %d orders %d were refused, and there were %d trades", m.orders, m.refused, m.trades)
	}
	return nil
}

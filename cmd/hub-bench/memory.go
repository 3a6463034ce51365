package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tradehub/hub"
	"tradehub/policies"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// residentMB reads the resident memory of a process.
func residentMB(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(b) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[0] == "VmRSS:" {
			kB, err := strconv.ParseFloat(fields[1], 64)
			return kB / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", pid)
}

// childrenMB returns the resident memory of a process's children, by program.
func childrenMB(pid int) map[string]float64 {
	out := map[string]float64{}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		for child := range strings.FieldsSeq(string(b)) {
			n, _ := strconv.Atoi(child)
			mb, err := residentMB(n)
			program, err2 := os.Readlink(fmt.Sprintf("/proc/%d/exe", n))
			if err == nil && err2 == nil {
				out[filepath.Base(program)] = mb
			}
		}
	}
	return out
}

// house is a hub as the demo has it, with two traders.
type house struct {
	peer
	addresses [2][2]string // request and publish of each trader
}

// startDemo runs hub demo.
func startDemo(ctx context.Context, s settings) (*house, error) {
	var last error
	for range 5 { // four ports in a row may not be free
		base := 20000 + rand.IntN(20000)
		h := &house{peer: peer{name: "demo", hub: true}}
		for i := range h.addresses {
			h.addresses[i] = [2]string{fmt.Sprintf("tcp://127.0.0.1:%d", base+2*i), fmt.Sprintf("tcp://127.0.0.1:%d", base+2*i+1)}
		}
		dir := filepath.Join(s.dir, "demo")
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		if last = h.startProcess(ctx, s, "demo", "demo", "--base-port", strconv.Itoa(base), "--data", dir, "--log", "warn"); last == nil {
			return h, nil
		}
	}
	return nil, last
}

const soakConfig = `data: ./data
fund: {name: soak, currency: CNY, rates: {USDT: 7.1}}
traders:
  alpha:
    capital: 200_000_000
    veighna: {request: %q, publish: %q}
  beta:
    capital: 200_000_000
    veighna: {request: %q, publish: %q}
gateways:
  SIM: {plugin: sim, settings: {}}
risk_managers:
  margin: {plugin: margin, deadline: 2s}
policies: policies
`

// startSoak runs the demo's house with the demo's policies, but for the limits on how many messages a trader may send.
func startSoak(ctx context.Context, s settings) (*house, error) {
	e, err := endpoints(4)
	if err != nil {
		return nil, err
	}
	h := &house{peer: peer{name: "soak", hub: true}, addresses: [2][2]string{{e[0], e[1]}, {e[2], e[3]}}}
	files := map[string]string{"hub.yaml": fmt.Sprintf(soakConfig, e[0], e[1], e[2], e[3])}
	for _, name := range []string{"fund.yaml", "traders/alpha.yaml", "traders/beta.yaml"} {
		text, err := policies.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files["policies/"+name] = roomier(string(text))
	}
	dir := filepath.Join(s.dir, "soak")
	if err := writeFiles(dir, files); err != nil {
		return nil, err
	}
	return h, h.startProcess(ctx, s, "soak", "serve", "--config", filepath.Join(dir, "hub.yaml"), "--log", "warn")
}

// roomier raises the limits that are there to stop a program that sends many orders, and one that loses: who crosses the spread all day long does.
func roomier(policy string) string {
	lines := strings.Split(policy, "\n")
	for i, line := range lines {
		key, _, ok := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case !ok:
		case strings.HasPrefix(key, "messages_"), key == "duplicates":
			lines[i] = "  " + key + ": 1_000_000"
		case key == "internal_cross": // both traders cross the spread of one contract
			lines[i] = key + ": allow"
		case key == "day_loss":
			lines[i] = "  " + key + ": -100_000_000"
		}
	}
	return strings.Join(lines, "\n")
}

// flow is orders at a rate: three of four rest and are cancelled some orders later, the fourth trades and is closed by the next one that trades.
type flow struct {
	client    *rpc.Client
	contract  hub.Contract
	perSecond float64
	resting   []hub.OrderID
	long      bool
	// sent were answered with an id, failed were not; the flow's own until run has returned.
	sent, failed int
	firstFailure string
	// traded and refused count events.
	traded, refused atomic.Int64
}

func (f *flow) heard(e veighna.Event) {
	switch data := e.Data.(type) {
	case hub.Trade:
		if e.Type == veighna.EventTrade {
			f.traded.Add(1)
		}
	case hub.Order:
		if e.Type == veighna.EventOrder && data.Status == hub.Rejected {
			f.refused.Add(1)
		}
	}
}

// restingMax is how many orders of a trader work at once.
const restingMax = 10

func newFlow(ctx context.Context, address [2]string, perSecond float64) (_ *flow, err error) {
	f := &flow{perSecond: perSecond}
	if f.client, err = rpc.Dial(rpc.ClientOptions{Request: address[0], Publish: address[1], Events: f.heard}); err != nil {
		return nil, err
	}
	if f.contract, err = rebar(ctx, f.client); err == nil {
		_, err = lastPrice(ctx, f.client, f.contract.Instrument)
	}
	if err != nil {
		return nil, errors.Join(err, f.client.Close())
	}
	return f, nil
}

// run sends until ctx ends.
func (f *flow) run(ctx context.Context) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / f.perSecond))
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := f.one(ctx, n); err != nil && ctx.Err() == nil {
			f.failed++
			if f.firstFailure == "" {
				f.firstFailure = err.Error()
			}
		}
	}
}

func (f *flow) one(ctx context.Context, n int) error {
	tick, err := ask[hub.Tick](ctx, f.client, veighna.GetTick{Instrument: f.contract.Instrument})
	if err != nil {
		return err
	}
	req := hub.OrderRequest{Instrument: f.contract.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: f.contract.MinQty, Reference: strconv.Itoa(n)}
	trades := n%4 == 3
	switch {
	case !trades:
		req.Price, err = below(tick.Bids[0].Price, f.contract, 20+int64(n%20))
	case f.long:
		req.Direction, req.Offset = hub.Short, hub.CloseToday
		req.Price, err = below(tick.Bids[0].Price, f.contract, 3)
	default:
		req.Price, err = below(tick.Asks[0].Price, f.contract, -3)
	}
	if err != nil {
		return err
	}
	vt, err := ask[string](ctx, f.client, veighna.SendOrder{OrderRequest: req, Gateway: gatewayName})
	if err != nil {
		return err
	}
	if vt == "" {
		return errors.New("an order has no id")
	}
	f.sent++
	id := hub.OrderID(vt[len(gatewayName)+1:])
	if trades {
		f.long = !f.long
		return nil
	}
	f.resting = append(f.resting, id)
	if len(f.resting) > restingMax {
		oldest := f.resting[0]
		f.resting = f.resting[1:]
		_, err = f.client.Call(ctx, veighna.CancelOrder{CancelRequest: hub.CancelRequest{OrderID: oldest, Instrument: f.contract.Instrument}, Gateway: gatewayName})
	}
	return err
}

// memory is what a hub took.
type memory struct {
	minutes float64
	orders  int
	trades  int
	failed  int
	failure string
	samples []point // hours since the start of trading, MB
	plugins map[string]float64
	journal float64 // MB on disk at the end
	refused int
}

// trade lets both traders trade for a while and samples the hub's memory.
func (h *house) trade(ctx context.Context, s settings, perSecond float64, span, every time.Duration) (m memory, err error) {
	until, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	var flows []*flow
	var running sync.WaitGroup
	defer func() {
		cancel()
		running.Wait()
		for _, f := range flows {
			m.orders, m.trades, m.failed = m.orders+f.sent, m.trades+int(f.traded.Load()), m.failed+f.failed
			m.refused += int(f.refused.Load())
			if m.failure == "" {
				m.failure = f.firstFailure
			}
			err = errors.Join(err, f.client.Close())
		}
	}()
	for _, a := range h.addresses {
		f, err := newFlow(ctx, a, perSecond/float64(len(h.addresses)))
		if err != nil {
			return m, err
		}
		flows = append(flows, f)
	}
	for _, f := range flows {
		running.Go(func() { f.run(until) })
	}
	began := time.Now()
	for {
		if pause(until, every) != nil {
			m.minutes = time.Since(began).Minutes()
			return m, ctx.Err()
		}
		mb, err := residentMB(h.process.cmd.Process.Pid)
		if err != nil {
			return m, err
		}
		m.samples = append(m.samples, point{time.Since(began).Hours(), mb})
		m.plugins = childrenMB(h.process.cmd.Process.Pid)
		if len(m.samples)%6 == 0 {
			fmt.Fprintf(s.say, "%6.1f min  %6.1f MB  plugins %v\n", time.Since(began).Minutes(), mb, m.plugins)
		}
	}
}

func folderMB(dir string) float64 {
	var bytes int64
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return float64(bytes) / (1 << 20)
}

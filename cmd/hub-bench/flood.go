package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tradehub/hub"
	"tradehub/plugins"
)

// floodName is the plugin that this program is when it is started under that name: a gateway that does nothing but publish ticks, more than the hub can take. The simulated
// market is not asked for that: it is a market, and has at most one tick of a contract whenever its clock wakes it.
const floodName = "flood"

const (
	floodContracts = 64
	// floodEvery is how often there is a tick of each contract.
	floodEvery = time.Millisecond
)

func isFlood() bool { return filepath.Base(os.Args[0]) == floodName }

type flood struct {
	sink    plugins.Sink
	stop    chan struct{}
	started sync.Once
	running sync.WaitGroup
}

var _ plugins.Gateway = (*flood)(nil)

func newFlood() *flood { return &flood{stop: make(chan struct{})} }

func floodInstrument(n int) hub.Instrument {
	return hub.Instrument{Symbol: fmt.Sprintf("rb26%02d", n), Exchange: "SHFE"}
}

// Start lists the contracts.
func (f *flood) Start(_ context.Context, env plugins.Env, sink plugins.Sink) error {
	f.sink = sink
	var all []hub.Contract
	for n := range floodContracts {
		all = append(all, hub.Contract{
			Instrument: floodInstrument(n), Gateway: hub.GatewayName(env.Name), Name: "flood", Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: hub.Int(10), Tick: hub.Int(1), MinQty: hub.Int(1),
			MarginLong: hub.MustDecimal("0.13"), MarginShort: hub.MustDecimal("0.13"),
		})
	}
	sink.Contracts(all)
	sink.Up()
	return env.Settings.Err()
}

// Subscribe begins to publish every contract.
func (f *flood) Subscribe([]hub.Instrument) {
	f.started.Do(func() { f.running.Go(f.publish) })
}

func (f *flood) publish() {
	ticks := make([]hub.Tick, floodContracts)
	for n := range ticks {
		t := &ticks[n]
		*t = hub.Tick{
			Instrument: floodInstrument(n), Gateway: gatewayName, Name: "flood", Last: hub.Int(3500), LastQty: hub.Int(1), LimitUp: hub.Int(3850), LimitDown: hub.Int(3150),
			Open: hub.Int(3490), High: hub.Int(3510), Low: hub.Int(3480), PreClose: hub.Int(3500),
		}
		for i := range t.Bids {
			t.Bids[i] = hub.Level{Price: hub.Int(int64(3500 - i)), Qty: hub.Int(100)}
			t.Asks[i] = hub.Level{Price: hub.Int(int64(3501 + i)), Qty: hub.Int(100)}
		}
	}
	ticker := time.NewTicker(floodEvery)
	defer ticker.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-f.stop:
			return
		case now := <-ticker.C:
			for i := range ticks {
				ticks[i].Time, ticks[i].Volume = hub.TimeOf(now), hub.Int(n)
				f.sink.Tick(ticks[i])
			}
		}
	}
}

// Submit refuses.
func (f *flood) Submit(o hub.Order) {
	f.sink.Report(hub.VenueReport{Kind: hub.ReportRejected, OrderID: o.ID, Reason: "this gateway has ticks only"})
}

// Cancel has nothing to cancel.
func (f *flood) Cancel(o hub.Order) {
	f.sink.Report(hub.VenueReport{Kind: hub.ReportCancelRejected, OrderID: o.ID, Reason: "this gateway has ticks only"})
}

// History has no bars.
func (f *flood) History(context.Context, hub.HistoryRequest) ([]hub.Bar, error) { return nil, nil }

// Ask knows of no order.
func (f *flood) Ask(context.Context, []hub.OrderID) ([]hub.VenueOrder, bool, error) {
	return nil, true, nil
}

// Close stops publishing.
func (f *flood) Close() error {
	close(f.stop)
	f.running.Wait()
	return nil
}

// floodPlugins makes a folder of plugins in which this program is one.
func floodPlugins(s settings) (dir string, err error) {
	dir = filepath.Join(s.dir, "plugins")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for name, from := range map[string]string{floodName: self, "margin": filepath.Join(filepath.Dir(s.hub), "plugins", "margin")} {
		if err := copyProgram(filepath.Join(dir, name), from); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func copyProgram(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o700)
}

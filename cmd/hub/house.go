package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/calendar"
	"tradehub/hub/config"
	"tradehub/hub/ctl"
	"tradehub/hub/host"
	"tradehub/hub/journal"
	"tradehub/hub/runner"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// How long the parts may take. All of stopping is to be over in 5 s.
const (
	// gatewaysWithin is how long the traders' addresses wait for the gateways: a VeighNa that connects before there are contracts asks only once. A gateway
	// that takes longer must not keep everybody out.
	gatewaysWithin = 5 * time.Second
	pluginsStop    = 3 * time.Second
	ctlStop        = 500 * time.Millisecond
	stopMax        = 4800 * time.Millisecond
)

// house is a running hub: every part, and who knows whom.
type house struct {
	env     env
	config  config.Config
	log     hclog.Logger
	started time.Time

	record        *audit.Recorder
	runner        *runner.Runner
	host          *host.Host
	rpc           *rpc.Server
	ctl           []*ctl.Server
	subscriptions *subscriptions
	up            *waiting
	numbers       numbers
	shelf         shelf
}

// openHouse opens the journal and makes the parts. Nothing runs yet but the journal.
func openHouse(e env, c config.Config, calendars *calendar.Set, log hclog.Logger) (*house, error) {
	gateways, managers, err := pluginConfigs(e, c)
	if err = errors.Join(err, host.Check(append(gateways, managers...)...)); err != nil {
		return nil, not("make build leaves the plugins beside the hub; plugins: {dir: ...} in the configuration names another folder", "plugins:\n%w", err)
	}
	if err := ownDirectory(c.Data); err != nil {
		return nil, err
	}
	h := &house{env: e, config: c, log: log, started: time.Now(), up: newWaiting(c), numbers: numbers{of: map[string][]hub.Number{}}}
	ok := false
	defer func() {
		if !ok && h.record != nil {
			_ = h.record.Close() // err says why already
		}
	}()
	options := runnerOptions(c, calendars, log)
	options.OpenRecord = func() runner.Record {
		h.record = openRecord(c, log)
		return h.record
	}
	if h.runner, err = runner.Open(options); err != nil {
		return nil, openFailure(c, err)
	}
	defer func() {
		if !ok {
			_ = h.runner.Close() // err says why already
		}
	}()
	if h.subscriptions, err = openSubscriptions(filepath.Join(c.Data, "subscriptions.json"), log.Named("subscriptions")); err != nil {
		return nil, err
	}
	if h.rpc, err = rpc.NewServer(rpcOptions(c, desk{h}, log)); err != nil {
		h.subscriptions.close()
		return nil, err
	}
	h.host = host.New(host.Options{Gateways: gateways, Managers: managers, Events: events{h}, Log: log.Named("host")})
	ok = true
	return h, nil
}

func openFailure(c config.Config, err error) error {
	switch {
	case errors.Is(err, journal.ErrInUse):
		return not("hub ctl status --data "+c.Data+" asks it; give this one another data directory", "another hub runs on %s: %w", c.Data, err)
	case errors.Is(err, journal.ErrDamaged):
		return not("restore the directory from a back-up, or keep it for examination and begin with an empty one", "journal in %s: %w", c.Data, err)
	}
	return fmt.Errorf("journal in %s: %w", c.Data, err)
}

// ownDirectory makes the data directory, or takes away what others may do in one that is there.
func ownDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return not("", "data directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if info.Mode().Perm() == 0o700 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return not("chmod 700 "+dir+", by its owner", "the data directory can be read or written by others: %w", err)
	}
	return nil
}

func runnerOptions(c config.Config, calendars *calendar.Set, log hclog.Logger) runner.Options {
	setUp := hub.SetUp{Fund: c.Fund.Name, Currency: c.Fund.Currency, Rates: c.Fund.Rates, Groups: c.Groups, RatesMaxAge: c.Fund.RatesMaxAge, FlattenSlip: c.Fund.FlattenSlip}
	for _, t := range c.Traders {
		setUp.Traders = append(setUp.Traders, hub.TraderSetUp{Name: t.Name, Capital: t.Capital, Share: t.Share, Language: hub.Lang(t.Language)})
	}
	for _, g := range c.Gateways {
		setUp.Gateways = append(setUp.Gateways, g.Name)
		for _, l := range g.Messages {
			setUp.Limits = append(setUp.Limits, hub.GatewayLimit{Gateway: g.Name, Limit: l})
		}
	}
	for _, m := range c.Managers {
		setUp.Managers = append(setUp.Managers, m.Name)
	}
	return runner.Options{
		Dir: filepath.Join(c.Data, "journal"), SetUp: setUp, Log: log.Named("runner"), MinFree: c.Journal.MinFree, SnapshotEntries: c.Journal.SnapshotEntries,
		Calendars: calendars,
	}
}

func rpcOptions(c config.Config, d rpc.Desk, log hclog.Logger) rpc.Options {
	language := func(l config.Language) veighna.Language {
		if l == config.English {
			return veighna.English
		}
		return veighna.Chinese
	}
	o := rpc.Options{Desk: d, Gateway: c.Gateways[0].Name, Log: log.Named("rpc"), Language: language(c.Language)}
	for _, t := range c.Traders {
		o.Traders = append(o.Traders, rpc.Trader{
			Name: t.Name, Request: t.VeighNa.Request, Publish: t.VeighNa.Publish, Allow: t.VeighNa.Allow, Version: t.VeighNa.Version, Language: language(t.Language),
		})
	}
	return o
}

// pluginConfigs are the plugins as package host wants them.
func pluginConfigs(e env, c config.Config) (gateways, managers []host.PluginConfig, err error) {
	one := func(kind, name, plugin string, settings []byte) host.PluginConfig {
		path, e1 := filepath.Abs(findPlugin(e, c, plugin))
		dir, e2 := filepath.Abs(filepath.Join(c.Data, "plugins", name))
		p := host.PluginConfig{Name: name, Path: path, Dir: dir}
		if e3 := json.Unmarshal(settings, &p.Settings); e3 != nil {
			err = errors.Join(err, fmt.Errorf("%s.%s.settings: %w", kind, name, e3))
		}
		err = errors.Join(err, e1, e2)
		return p
	}
	for _, g := range c.Gateways {
		gateways = append(gateways, one("gateways", string(g.Name), g.Plugin, g.Settings))
	}
	for _, m := range c.Managers {
		p := one("risk_managers", m.Name, m.Plugin, m.Settings)
		p.Deadline = m.Deadline
		managers = append(managers, p)
	}
	return gateways, managers, err
}

// start makes the hub live. When it returns, plugins are starting and the control socket answers.
func (h *house) start(ctx context.Context) error {
	if err := h.startRunner(ctx); err != nil {
		return err
	}
	if err := h.openDoors(); err != nil {
		return err
	}
	h.restoreSubscriptions()
	return h.host.Start(context.WithoutCancel(ctx)) // plugins end in stop, in good order
}

// openAddresses binds the traders' addresses, when the gateways are up or have had their time.
func (h *house) openAddresses(ctx context.Context) error {
	timer := time.NewTimer(gatewaysWithin)
	defer timer.Stop()
	select {
	case <-h.up.gateways:
	case <-timer.C:
		h.log.Warn("the traders' addresses open although a gateway is not up", "waiting", h.up.missingGateways())
	case <-ctx.Done():
		return nil
	}
	said, err := h.rpc.Start()                         // it logs what it says
	if err != nil && !errors.Is(err, rpc.ErrRunning) { // the operator was quicker: hub ctl rpc start
		return not("another program, or another hub, may have the address; hub demo takes --base-port", "%s", said)
	}
	h.up.done(opened)
	return nil
}

// stop ends everything in good order: no new orders, traders, plugins, operator, journal.
func (h *house) stop() error {
	h.runner.Drain()
	var errs []error
	if h.rpc.Running() { // the operator may have stopped it
		_, err := h.rpc.Stop()
		errs = append(errs, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), pluginsStop)
	defer cancel()
	if err := h.host.Stop(ctx); err != nil { // the hub ends well all the same
		h.log.Warn("plugins that did not end were killed", "after", pluginsStop, "error", err)
	}
	for _, server := range h.ctl {
		ctx, cancel := context.WithTimeout(context.Background(), ctlStop)
		defer cancel()
		errs = append(errs, server.Close(ctx))
	}
	h.subscriptions.close()
	errs = append(errs, h.runner.Close(), h.record.Close())
	return errors.Join(errs...)
}

// waiting knows who has not been up yet.
type waiting struct {
	mu     sync.Mutex
	absent map[string]bool
	gates  map[string]bool
	// gateways is closed when every gateway has been up, everything when all plugins have and the addresses are open.
	gateways, everything chan struct{}
}

// opened is what the traders' addresses are called among those that are waited for.
const opened = "traders' addresses"

func newWaiting(c config.Config) *waiting {
	w := &waiting{absent: map[string]bool{opened: true}, gates: map[string]bool{}, gateways: make(chan struct{}), everything: make(chan struct{})}
	for _, g := range c.Gateways {
		w.gates[string(g.Name)] = true
		w.absent[string(g.Name)] = true
	}
	for _, m := range c.Managers {
		w.absent[m.Name] = true
	}
	return w
}

func (w *waiting) done(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gates[name] {
		if delete(w.gates, name); len(w.gates) == 0 {
			close(w.gateways)
		}
	}
	if w.absent[name] {
		if delete(w.absent, name); len(w.absent) == 0 {
			close(w.everything)
		}
	}
}

func (w *waiting) missing() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return sortedKeys(w.absent)
}

func (w *waiting) missingGateways() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return sortedKeys(w.gates)
}

// numbers are what the risk managers published last.
type numbers struct {
	mu sync.Mutex
	of map[string][]hub.Number
}

func (n *numbers) set(manager string, all []hub.Number) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[manager] = all
}

func (n *numbers) get(manager string) []hub.Number {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of[manager]
}

// isMissing reports whether err says that a file is not there.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

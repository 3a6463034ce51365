package e2e_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tradehub/hub/ctl"
)

// What is killed here is killed while we look; TestCrash kills at any moment.

const twoGatewaysConfig = `
data: DATA
fund: {name: recovery, currency: CNY, rates: {USDT: 7.1}}
traders:
  alpha: {capital: 2_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT", publish: "tcp://127.0.0.1:PORT+1"}}
  beta: {capital: 500_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT+2", publish: "tcp://127.0.0.1:PORT+3"}}
gateways:
  SIM: {plugin: sim}
  OTHER: {plugin: other, settings: {contracts: ROOT/other.yaml}}
risk_managers:
  margin: {plugin: margin, deadline: 2s}
plugins: {dir: ROOT/plugins}
`

// otherContracts are what the second gateway trades.
const otherContracts = `
zone: Asia/Shanghai
as_of: 2026-11-20T15:00:00+08:00
contracts:
  - symbol: rb2805
    exchange: SHFE
    name: rebar of another channel
    product: rb
    kind: FUTURES
    currency: CNY
    size: 10
    tick: 1
    min_qty: 1
    max_qty: 500
    splits_today: true
    margin: {long: 0.09, short: 0.09}
    fees: {open: {value: 0.0001}}
    sessions: ["21:00-23:00", "09:00-10:15", "10:30-11:30", "13:30-15:00"]
    market: {base: 3142, volatility: 0.21, limit: 0.07, level_qty: 220, open_interest: 1_480_000}
`

const otherRebar = "rb2805.SHFE"

// withOwnPlugins is a house whose plugins are copies, which a test can take away.
func withOwnPlugins(t testing.TB) *house {
	t.Helper()
	h := newHouse(t)
	h.write("other.yaml", otherContracts)
	for name, from := range map[string]string{"sim": "sim", "other": "sim", "margin": "margin"} {
		program, err := os.ReadFile(filepath.Join(binDir, "plugins", from))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(h.root, "plugins", name)
		h.write(filepath.Join("plugins", name), string(program))
		if err := os.Chmod(to, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.configure(twoGatewaysConfig, samplePolicies(t))
	h.start()
	t.Cleanup(h.stop)
	return h
}

// breakPlugin kills a plugin's process and takes its program away, so that it stays down until mend is called.
func (h *house) breakPlugin(name, program string) (mend func()) {
	h.t.Helper()
	path := filepath.Join(h.root, "plugins", program)
	if err := os.Rename(path, path+".away"); err != nil {
		h.t.Fatal(err)
	}
	back := h.killPlugin(name)
	h.awaitPlugin(name, func(p ctl.Plugin) bool { return p.State == "down" && p.Reason != "" })
	return func() {
		h.t.Helper()
		if err := os.Rename(path+".away", path); err != nil {
			h.t.Fatal(err)
		}
		back()
	}
}

func TestGatewayKilled(t *testing.T) {
	t.Parallel()
	h := withOwnPlugins(t)
	alpha := h.connected(vnpy45, 0, "--lang", "en")
	tick, otherTick := alpha.tick(rebar), alpha.tick(otherRebar)
	kept, cancelled := alpha.buy(rebar, below(tick, 30), 1), alpha.buy(rebar, below(tick, 31), 1)
	elsewhere := alpha.buy(otherRebar, below(otherTick, 30), 1)
	for _, id := range []string{kept, cancelled, elsewhere} {
		alpha.ordered(id, "NOTTRADED")
	}

	after := alpha.mark()
	mend := h.breakPlugin("SIM", "sim")
	alpha.logs(after, "gateway SIM is down")
	for id, doubt := range map[string]bool{kept: true, cancelled: true, elsewhere: false} {
		if o := h.order(id); !o.Active || o.InDoubt != doubt {
			t.Errorf("order %s at %s: %s, in doubt is %v, want %v", id, o.Gateway, o.Status, o.InDoubt, doubt)
		}
	}

	// Orders for it are refused at once, with the reason; a cancel is taken and kept; everything else works.
	refused := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(refused, "REJECTED")
	if o := h.order(refused); !strings.HasPrefix(o.Reason, "gateway SIM is down: ") {
		t.Errorf("refused because %q", o.Reason)
	}
	alpha.logs(after, "order .* refused: gateway SIM is down: ")
	alpha.cancel(rebar, cancelled)
	alpha.logs(after, "gateway SIM is down; order .* will be cancelled when it is back")
	alpha.tick(otherRebar)
	there := alpha.buy(otherRebar, below(otherTick, 30), 2)
	alpha.ordered(there, "NOTTRADED")
	alpha.cancel(otherRebar, there)
	alpha.ordered(there, "CANCELLED")
	if r := asked[ctl.Status](h, "status"); r.Refusing != "" {
		t.Errorf("the hub takes no orders: %s", r.Refusing)
	}

	mend()
	alpha.ordered(cancelled, "CANCELLED")
	until(t, "nothing is in doubt", func() error {
		if o := h.order(kept); o.InDoubt || o.Status != "RESTING" {
			return fmt.Errorf("order %s is %s, in doubt is %v", kept, o.Status, o.InDoubt)
		}
		return nil
	})
	alpha.tick(rebar)
	alpha.cancel(rebar, kept)
	alpha.ordered(kept, "CANCELLED")
	again := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(again, "NOTTRADED")
	alpha.alive()
}

func TestRiskManagerKilled(t *testing.T) {
	t.Parallel()
	h := withOwnPlugins(t)
	alpha := h.connected(vnpy44, 0, "--lang", "en")
	tick := alpha.tick(rebar)
	resting := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(resting, "NOTTRADED")

	after := alpha.mark()
	mend := h.breakPlugin("margin", "margin")
	alpha.logs(after, "risk manager margin is down; new orders are refused")
	refused := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(refused, "REJECTED")
	if o := h.order(refused); !strings.Contains(o.Reason, "margin") || !strings.Contains(o.Reason, "down") {
		t.Errorf("refused because %q", o.Reason)
	}
	alpha.cancel(rebar, resting)
	alpha.ordered(resting, "CANCELLED")

	mend()
	taken := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(taken, "NOTTRADED")
	alpha.alive()
}

// A hub that was killed and started again has the same orders, and the traders who were connected carry on: those who had asked nothing, and those who wait for
// an answer that died with it.
func TestHubKilled(t *testing.T) {
	t.Parallel()
	h := demo(t)
	alpha, beta := h.connected(vnpy45, 0), h.connected(vnpy44, 1)
	resting := map[*stock]string{}
	for _, s := range []*stock{alpha, beta} {
		resting[s] = s.buy(rebar, below(s.tick(rebar), 30), 2)
		s.ordered(resting[s], "NOTTRADED")
	}
	filled := alpha.buy(rebar, alpha.tick(rebar)["ask_price_1"].(float64)+5, 2)
	alpha.ordered(filled, "ALLTRADED")

	// The hub is stopped, so that a request of beta's is with it and not answered when it is killed.
	if err := h.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "the hub stands still", func() error { return standsStill(h.cmd.Process.Pid) })
	answer := beta.tell("query", fields{"what": "orders"})
	until(t, "the request is with the hub", func() error { return unread(h.base + 2) })
	h.kill()
	h.start()
	if a := answer(); a.OK || !strings.Contains(a.Error, "look at your orders, then ask again") {
		t.Errorf("the request that was under way: %+v", a)
	}

	for s, id := range resting {
		s.carriesOn()
		if o := h.order(id); o.Status != "RESTING" || o.InDoubt || !o.Filled.IsZero() {
			t.Errorf("order %s is %s, in doubt is %v", id, o.Status, o.InDoubt)
		}
		gateway := "SIM." + orderID(id)
		got := into[fields](t, s.must("call", fields{"name": "get_order", "args": []string{gateway}}))
		if got["status"] != "NOTTRADED" || got["vt_orderid"] != gateway || got["volume"] != 2.0 {
			t.Errorf("get_order says %v", got)
		}
		s.tick(rebar)
		after := s.mark()
		s.cancel(rebar, id)
		s.wait(after, fields{"class": "OrderData", "where": fields{"vt_orderid": id, "status": "CANCELLED"}})
		s.alive()
	}
	if o := h.order(filled); o.Status != "FILLED" {
		t.Errorf("the filled order is %s", o.Status)
	}
	h.balances("alpha", "beta")
}

// A plugin that does nothing any more, not even end by itself, outlives its hub neither when the hub is killed nor when it ends.
func TestNoPluginOutlivesTheHub(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*house){"kill -9": (*house).kill, "SIGTERM": (*house).stop} {
		t.Run(name, func(t *testing.T) {
			h := demo(t)
			for _, plugin := range []string{gatewayName, managerName} {
				p := h.plugin(plugin)
				if err := syscall.Kill(p.PID, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				until(t, plugin+" stands still", func() error { return standsStill(p.PID) })
			}
			end(h)
		})
	}
}

// standsStill is nil when every thread of a process is stopped, which a busy machine takes its time for.
func standsStill(pid int) error {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return fmt.Errorf("process %d has no threads: %w", pid, err)
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// pid (name) state ...
		_, rest, _ := strings.Cut(string(text), ") ")
		if !strings.HasPrefix(rest, "T") {
			return fmt.Errorf("%s: %s", path, text)
		}
	}
	return nil
}

// unread is nil when a connection to a port of this machine has something that its process has not read.
func unread(port int) error {
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	const established = "01"
	local := fmt.Sprintf(":%04X", port)
	for rows := bufio.NewScanner(file); rows.Scan(); {
		// sl local_address rem_address st tx_queue:rx_queue ...
		f := strings.Fields(rows.Text())
		if len(f) < 5 || !strings.HasSuffix(f[1], local) || f[3] != established {
			continue
		}
		_, received, _ := strings.Cut(f[4], ":")
		if n, err := strconv.ParseUint(received, 16, 64); err == nil && n > 0 {
			return nil
		}
	}
	return fmt.Errorf("no connection to port %d has anything unread", port)
}

package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tradehub/hub/ctl"
)

const (
	rebar = "rb2701.SHFE"
	// ruleOfAlpha is how a refusal names the rule that the scenario refused breaks.
	ruleOfAlpha = `traders/alpha\.yaml:\d+ order-size[:：] ?500 lots in one order, over 100`
)

// One demo, nothing configured, and stock VeighNa of both generations at the same two addresses.
func TestStockTradersOfBothGenerations(t *testing.T) {
	t.Parallel()
	h := demo(t)
	for _, v := range []vnpy{vnpy45, vnpy44} {
		if !t.Run(v.version, func(t *testing.T) {
			p := h.on(t).trades(v, 0, "--trader", "alpha", "--rule", ruleOfAlpha, "all")
			p.passes()
		}) {
			return
		}
	}
	t.Run("two traders at once", func(t *testing.T) {
		h := h.on(t)
		h.edit("fund.yaml", "internal_cross: refuse", "internal_cross: allow") // they trade one contract, each as if alone
		h.operated("policy", "reload")
		alpha := h.trades(vnpy45, 0, "--trader", "alpha", "all")
		beta := h.trades(vnpy44, 1, "--trader", "beta", "all")
		alpha.passes()
		beta.passes()
	})
	t.Run("several clients of one trader, and another who sees nothing", func(t *testing.T) { manyClients(t, h.on(t)) })
	h.balances("alpha", "beta")
}

// on is the house as a subtest sees it.
func (h *house) on(t testing.TB) *house {
	sub := *h
	sub.t = t
	return &sub
}

// balances checks that hub and venue agree.
func (h *house) balances(traders ...string) {
	h.t.Helper()
	v := newVenueBook(h)
	until(h.t, "hub and venue agree", func() error {
		b, err := readHub(h, names(traders)...)
		if err != nil {
			return err
		}
		if err := v.read(); err != nil {
			return err
		}
		return compare(b, v)
	})
}

// manyClients runs four processes of alpha's at once, two of each generation, each in a contract of its own, while beta looks on in both generations.
func manyClients(t *testing.T, h *house) {
	// Four processes send more in a second than the demo allows one trader.
	h.edit("traders/alpha.yaml", "messages_second: 20", "messages_second: 45")
	h.operated("policy", "reload")

	observers := []*program{}
	for _, v := range []vnpy{vnpy45, vnpy44} {
		p := python(t, v, veighnaScript("observer.py"), "--req", h.request(1), "--pub", h.publish(1))
		observers = append(observers, p)
	}
	for _, p := range observers {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := p.stdout.await(ctx, 0, has(`"step": "ready"`)); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
	}
	before := asked[[]ctl.Order](h, "orders", "--all", "--trader", "alpha")

	clients := []*program{}
	for i, contract := range []string{rebar, "hc2705.SHFE", "i2701.DCE", "cu2701.SHFE"} {
		v := []vnpy{vnpy45, vnpy44}[i%2]
		clients = append(clients, h.trades(v, 0, "--trader", "alpha", "--symbol", contract, "ticks", "resting", "marketable", "history", "refused"))
	}
	for _, p := range clients {
		p.passes()
	}

	// What alpha did meanwhile is nowhere in what beta was sent, cannot be asked for and cannot be cancelled.
	word := struct {
		Forbidden []string `json:"forbidden"`
		Orders    []string `json:"vt_orderids"`
		Trades    []string `json:"vt_tradeids"`
	}{Forbidden: []string{"alpha", "client.py"}, Orders: []string{}, Trades: []string{}}
	for _, o := range asked[[]ctl.Order](h, "orders", "--all", "--trader", "alpha") {
		if !slices.ContainsFunc(before, func(b ctl.Order) bool { return b.ID == o.ID }) {
			word.Forbidden = append(word.Forbidden, o.ID)
			word.Orders = append(word.Orders, o.Gateway+"."+o.ID)
		}
	}
	for _, f := range asked[[]ctl.Trade](h, "trades", "--trader", "alpha") {
		if slices.Contains(word.Forbidden, f.OrderID) {
			word.Trades = append(word.Trades, f.Gateway+"."+f.ID)
		}
	}
	if len(word.Orders) < 12 || len(word.Trades) < 8 {
		t.Errorf("alpha's four clients made %d orders and %d trades, want at least 12 and 8", len(word.Orders), len(word.Trades))
	}
	text, err := json.Marshal(word)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range observers {
		if _, err := p.stdin.Write(append(text, '\n')); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
	}
	for _, p := range observers {
		p.passes()
	}
}

// edit changes a policy file.
func (h *house) edit(file, old, text string) {
	h.t.Helper()
	folder := filepath.Join(h.root, "policies")
	if h.args[0] == "demo" {
		folder = filepath.Join(h.data, "policies")
	}
	path := filepath.Join(folder, file)
	was, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	if !strings.Contains(string(was), old) {
		h.t.Fatalf("%s has no %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(was), old, text, 1)), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

const statedConfig = `
data: DATA
fund: {name: stated, currency: CNY}
traders:
  alpha: {capital: 2_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT", publish: "tcp://127.0.0.1:PORT+1", version: "4.4"}}
  beta: {capital: 500_000, language: zh, veighna: {request: "tcp://127.0.0.1:PORT+2", publish: "tcp://127.0.0.1:PORT+3", version: "4.5.0"}}
gateways:
  SIM: {plugin: sim}
risk_managers:
  margin: {plugin: margin, deadline: 2s}
`

// samplePolicies are the ones that come with the hub.
func samplePolicies(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"fund.yaml", "traders/alpha.yaml", "traders/beta.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "policies", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// A stated version is served as stated, in the trader's language; a wrong one shows in the trader's own log window.
func TestStatedVersions(t *testing.T) {
	t.Parallel()
	h := serve(t, statedConfig, samplePolicies(t))
	t.Run("right, English", func(t *testing.T) {
		h.on(t).trades(vnpy44, 0, "--trader", "alpha", "--lang", "en", "all").passes()
	})
	t.Run("right, Chinese", func(t *testing.T) {
		h.on(t).trades(vnpy45, 1, "--trader", "beta", "all").passes()
	})
	t.Run("4.5 where 4.4 is stated", func(t *testing.T) {
		s := h.on(t).connected(vnpy45, 0, "--lang", "en")
		s.logs(0, `the hub is told that this VeighNa is version 4\.4, but it is not`)
		s.alive()
	})
	t.Run("4.4 where 4.5 is stated", func(t *testing.T) {
		s := h.on(t).connected(vnpy44, 1)
		s.logs(0, `网关配置中填写的 VeighNa 版本是 4\.5，与本机不符`)
	})
}

// English is what a trader's VeighNa of an English system reads and writes; and a trader on the hub's own machine may connect by ipc.
func TestEnglishTraders(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(statedConfig, `, version: "4.4"`, "")
	text = strings.ReplaceAll(strings.ReplaceAll(text, `, version: "4.5.0"`, ""), "language: zh", "language: en")
	text = replaced(text, "tcp://127.0.0.1:PORT+2", "ipc://ROOT/beta.request", "tcp://127.0.0.1:PORT+3", "ipc://ROOT/beta.publish")
	files := samplePolicies(t)
	files["fund.yaml"] = replaced(files["fund.yaml"], "internal_cross: refuse", "internal_cross: allow") // they trade one contract, each as if alone
	h := serve(t, text, files)
	alpha := h.trades(vnpy45, 0, "--trader", "alpha", "--lang", "en", "all")
	beta := python(t, vnpy44, veighnaScript("client.py"), "--req", "ipc://"+h.root+"/beta.request", "--pub", "ipc://"+h.root+"/beta.publish", "--trader", "beta", "--lang", "en", "all")
	alpha.passes()
	beta.passes()
}

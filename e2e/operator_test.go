package e2e_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// What hub ctl does, as an operator sees it, and what stock traders see of it.
func TestOperator(t *testing.T) {
	t.Parallel()
	h := demo(t)
	alpha, beta := h.connected(vnpy45, 0), h.connected(vnpy44, 1)
	for _, c := range []struct {
		name string
		test func(*house, *stock, *stock)
	}{
		{"what it shows", shows},
		{"halt and resume", halts},
		{"policy reload", reloads},
		{"rates", rates},
		{"rpc stop and start", reopens},
		{"cancel-all", cancelsAll},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := alpha.on(t), beta.on(t)
			c.test(h.on(t), a, b)
			a.alive()
			b.alive()
		})
	}
	h.balances("alpha", "beta")
}

// shows compares what ctl prints with what a trader did.
func shows(h *house, alpha, beta *stock) {
	tick := alpha.tick(rebar)
	resting := alpha.buy(rebar, below(tick, 30), 3)
	alpha.ordered(resting, "NOTTRADED")
	filled := alpha.buy(rebar, tick["ask_price_1"].(float64)+5, 2)
	alpha.ordered(filled, "ALLTRADED")

	active := asked[[]ctl.Order](h, "orders", "--trader", "alpha")
	if len(active) != 1 || active[0].ID != orderID(resting) || active[0].Status != "RESTING" || active[0].Contract != rebar || !active[0].Quantity.Equal(hub.Int(3)) {
		h.t.Errorf("ctl orders: %+v, want %s alone, resting", active, resting)
	}
	all := asked[[]ctl.Order](h, "orders", "--all")
	if i := slices.IndexFunc(all, func(o ctl.Order) bool { return o.ID == orderID(filled) }); i < 0 || all[i].Status != "FILLED" || all[i].Trader != "alpha" {
		h.t.Errorf("ctl orders --all has no filled order %s of alpha: %+v", filled, all)
	}
	var bought hub.Decimal
	for _, f := range asked[[]ctl.Trade](h, "trades", "--trader", "alpha") {
		if f.OrderID == orderID(filled) {
			bought = plus(bought, f.Quantity)
		}
	}
	if !bought.Equal(hub.Int(2)) {
		h.t.Errorf("ctl trades: %s bought, want 2", bought)
	}
	for _, whose := range [][]string{{"--trader", "alpha"}, {}} {
		positions := asked[[]ctl.Position](h, append([]string{"positions"}, whose...)...)
		i := slices.IndexFunc(positions, func(p ctl.Position) bool { return p.Contract == rebar && p.Direction == "LONG" })
		if i < 0 || !positions[i].Quantity.Equal(hub.Int(2)) || !positions[i].Today.Equal(hub.Int(2)) {
			h.t.Errorf("ctl positions %v: %+v, want 2 of %s", whose, positions, rebar)
		}
	}
	if of := asked[[]ctl.Order](h, "orders", "--all", "--trader", "beta"); len(of) != 0 {
		h.t.Errorf("beta's orders: %+v, want none", of)
	}
	s := asked[ctl.Status](h, "status")
	if !s.Ready || s.Refusing != "" || s.PID != h.cmd.Process.Pid || s.Journal != "leading" || s.Revision == "" {
		h.t.Errorf("ctl status: %+v", s)
	}
	for _, line := range s.RPC {
		if !line.Running || line.Clients != 1 || line.Subscribers != 1 {
			h.t.Errorf("line of %s: %+v, want it open with one client", line.Trader, line)
		}
	}
	if n := len(s.Plugins); n != 2 || s.Plugins[0].State != "up" || s.Plugins[1].State != "up" {
		h.t.Errorf("plugins: %+v", s.Plugins)
	}
	until(h.t, "the margin manager's numbers", func() error {
		for _, number := range h.plugin(managerName).Numbers {
			if number.Name == "margin.used" && number.Trader == "alpha" && number.Value.IsPos() {
				return nil
			}
		}
		return fmt.Errorf("%+v", h.plugin(managerName).Numbers)
	})
	accounts := asked[[]ctl.Account](h, "accounts")
	if i := slices.IndexFunc(accounts, func(a ctl.Account) bool { return a.Trader == "alpha" }); i < 0 || !accounts[i].Frozen.IsPos() {
		h.t.Errorf("accounts: %+v, want something of alpha's frozen", accounts)
	}
	if r := h.operate("orders", "--trader", "alhpa"); r.code != 1 || !strings.Contains(r.stderr, `there is no trader "alhpa"`) || !strings.Contains(r.stderr, "did you mean alpha?") {
		h.t.Errorf("a trader who is not there: exit %d, %s", r.code, r.stderr)
	}
	if r := command(h.t, "ctl", "status", "--data", h.root); r.code != 3 || !strings.Contains(r.stderr, "no hub answers") {
		h.t.Errorf("no hub: exit %d, %s", r.code, r.stderr)
	}
	alpha.cancel(rebar, resting)
	alpha.ordered(resting, "CANCELLED")
}

// halts: new orders are refused with the reason, cancels pass, and others trade on.
func halts(h *house, alpha, beta *stock) {
	tick := alpha.tick(rebar)
	price := below(tick, 30)
	resting := alpha.buy(rebar, price, 1)
	alpha.ordered(resting, "NOTTRADED")

	after := alpha.mark()
	h.operated("halt", "--trader", "alpha", "--reason", "lunch")
	refused := alpha.buy(rebar, price, 1)
	alpha.ordered(refused, "REJECTED")
	alpha.logs(after, "alpha 自 .* 起为停止交易.*：lunch")
	alpha.cancel(rebar, resting)
	alpha.ordered(resting, "CANCELLED")
	others := beta.buy(rebar, price, 1)
	beta.ordered(others, "NOTTRADED")
	for _, s := range asked[ctl.Status](h, "status").Traders {
		if s.Halted != (s.Trader == "alpha") {
			h.t.Errorf("%q: halted is %v", s.Trader, s.Halted)
		}
	}

	h.operated("halt", "--all", "--reason", "fire")
	refused = beta.buy(rebar, price, 1)
	beta.ordered(refused, "REJECTED")
	beta.logs(0, "基金 自 .* 起为停止交易.*：fire")
	beta.cancel(rebar, others)
	beta.ordered(others, "CANCELLED")

	h.operated("resume", "--all")
	again := beta.buy(rebar, price, 1)
	beta.ordered(again, "NOTTRADED")
	refused = alpha.buy(rebar, price, 1) // alpha's own halt is in force yet
	alpha.ordered(refused, "REJECTED")
	h.operated("resume", "--trader", "alpha")
	taken := alpha.buy(rebar, price, 1)
	alpha.ordered(taken, "NOTTRADED")
	alpha.cancel(rebar, taken)
	alpha.ordered(taken, "CANCELLED")
	beta.cancel(rebar, again)
	beta.ordered(again, "CANCELLED")
	if r := h.operate("halt"); r.code != 2 || !strings.Contains(r.stderr, "halt whom?") {
		h.t.Errorf("halt without a name: exit %d, %s", r.code, r.stderr)
	}
}

// reloads: a good policy takes effect, a bad one is refused with its place and changes nothing.
func reloads(h *house, alpha, _ *stock) {
	tick := alpha.tick(rebar)
	price := below(tick, 30)
	before := asked[ctl.Status](h, "status").Revision

	h.edit("traders/alpha.yaml", "order_lots: 100", "order_lots: 2")
	r := asked[ctl.Reloaded](h, "policy", "reload")
	if r.Revision == before || len(r.Errors) > 0 || asked[ctl.Status](h, "status").Revision != r.Revision {
		h.t.Errorf("reload: %+v; before it was %s", r, before)
	}
	after := alpha.mark()
	refused := alpha.buy(rebar, price, 3)
	alpha.ordered(refused, "REJECTED")
	line := alpha.logs(after, `order-size：3 lots in one order, over 2`)
	if !regexp.MustCompile(`traders/alpha\.yaml:\d+ order-size：`).MatchString(line) || !strings.Contains(line, "（版本 "+r.Revision+"）") {
		h.t.Errorf("the refusal names neither place nor revision %s: %s", r.Revision, line)
	}
	if o := h.order(refused); o.Status != "REJECTED" || strings.ReplaceAll(o.Reason, ": ", "：") == o.Reason || !strings.Contains(line, strings.ReplaceAll(o.Reason, ": ", "：")) {
		h.t.Errorf("the order is %s because %q, the trader read %q", o.Status, o.Reason, line)
	}

	h.edit("traders/alpha.yaml", "require: order.quantity <= limits.order_lots", "require: order.lots <= limits.order_lots")
	bad := h.operate("policy", "reload")
	place := regexp.MustCompile(`traders/alpha\.yaml:\d+:\d+: .*order\.lots`)
	if bad.code != 1 || !place.MatchString(bad.stderr) || !strings.Contains(bad.stderr, "revision "+r.Revision+" stays in force") {
		h.t.Errorf("a bad policy: exit %d\n%s", bad.code, bad.stderr)
	}
	if now := asked[ctl.Status](h, "status").Revision; now != r.Revision {
		h.t.Errorf("a bad policy changed the revision from %s to %s", r.Revision, now)
	}
	refused = alpha.buy(rebar, price, 3)
	alpha.ordered(refused, "REJECTED")
	taken := alpha.buy(rebar, price, 2)
	alpha.ordered(taken, "NOTTRADED")
	alpha.cancel(rebar, taken)
	alpha.ordered(taken, "CANCELLED")

	h.edit("traders/alpha.yaml", "order.lots", "order.quantity")
	h.edit("traders/alpha.yaml", "order_lots: 2", "order_lots: 100")
	if r := asked[ctl.Reloaded](h, "policy", "reload"); r.Revision != before {
		h.t.Errorf("the old policy is revision %s again, want %s: a revision is of the text", r.Revision, before)
	}
}

// order is one order as ctl lists it.
func (h *house) order(vtOrderID string) ctl.Order {
	h.t.Helper()
	all := asked[[]ctl.Order](h, "orders", "--all")
	i := slices.IndexFunc(all, func(o ctl.Order) bool { return o.ID == orderID(vtOrderID) })
	if i < 0 {
		h.t.Fatalf("the hub has no order %s", vtOrderID)
	}
	return all[i]
}

// reopens: the RPC service is stopped and started, with VeighNa's own words, while gateways stay connected and traders carry on.
func reopens(h *house, alpha, beta *stock) {
	tick := alpha.tick(rebar)
	beta.tick(rebar)
	resting := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(resting, "NOTTRADED")
	before := asked[ctl.Status](h, "status")

	if said := h.operated("rpc", "stop"); !strings.Contains(said, "RPC服务已停止") {
		h.t.Errorf("rpc stop said %q", said)
	}
	if said := h.operated("rpc", "stop"); !strings.Contains(said, "RPC服务未启动") {
		h.t.Errorf("rpc stop again said %q", said)
	}
	stopped := asked[ctl.Status](h, "status")
	for i, line := range stopped.RPC {
		if line.Running {
			h.t.Errorf("the line of %s is open", line.Trader)
		}
		if p, was := stopped.Plugins[i], before.Plugins[i]; p.State != "up" || p.PID != was.PID || !p.Since.Equal(was.Since) {
			h.t.Errorf("plugin %s is %+v, and was %+v", p.Name, p, was)
		}
	}
	if o := h.order(resting); o.Status != "RESTING" {
		h.t.Errorf("the order is %s while the RPC service is stopped", o.Status)
	}
	if said := h.operated("rpc", "start"); !strings.Contains(said, "RPC服务启动成功") {
		h.t.Errorf("rpc start said %q", said)
	}
	if said := h.operated("rpc", "start"); !strings.Contains(said, "RPC服务运行中") {
		h.t.Errorf("rpc start again said %q", said)
	}
	for _, s := range []*stock{alpha, beta} {
		s.wait(s.mark(), fields{"type": "eTick."}) // of what was subscribed before
		s.carriesOn()
		id := s.buy(rebar, below(s.tick(rebar), 30), 1)
		s.ordered(id, "NOTTRADED")
		s.cancel(rebar, id)
		s.ordered(id, "CANCELLED")
	}
	alpha.cancel(rebar, resting)
	alpha.ordered(resting, "CANCELLED")
}

func cancelsAll(h *house, alpha, beta *stock) {
	price := below(alpha.tick(rebar), 30)
	ids := []string{alpha.buy(rebar, price, 1), alpha.buy(rebar, price-1, 1)}
	for _, id := range ids {
		alpha.ordered(id, "NOTTRADED")
	}
	other := beta.buy(rebar, price, 1)
	beta.ordered(other, "NOTTRADED")
	if n := asked[ctl.Cancelled](h, "cancel-all", "--trader", "alpha").Orders; n != 2 {
		h.t.Errorf("%d orders to cancel, want alpha's 2", n)
	}
	for _, id := range ids {
		alpha.ordered(id, "CANCELLED")
	}
	if o := h.order(other); o.Status != "RESTING" {
		h.t.Errorf("beta's order is %s", o.Status)
	}
	h.operated("cancel-all", "--all")
	beta.ordered(other, "CANCELLED")
}

package e2e_test

import (
	"strings"
	"testing"

	"tradehub/hub/ctl"
)

// Two traders of one fund with stock VeighNas: their orders do not trade with each other, and neither learns of the other.
func TestOrdersOfOneFundDoNotMeet(t *testing.T) {
	t.Parallel()
	h := serve(t, strings.ReplaceAll(statedConfig, `, version: "4.4"`, ""), samplePolicies(t))
	alpha, beta := h.on(t).connected(vnpy45, 0), h.on(t).connected(vnpy45, 1)
	price := below(alpha.tick(rebar), 20)
	resting := alpha.buy(rebar, price, 1)
	alpha.ordered(resting, "NOTTRADED")
	sell := func() string {
		return into[string](t, beta.must("send", fields{"vt_symbol": rebar, "direction": "SHORT", "price": price, "volume": 2}))
	}

	refused := sell()
	beta.ordered(refused, "REJECTED")
	told := beta.logs(0, "会与本基金自己的买单（价格 .*）成交") // beta reads Chinese
	for _, secret := range []string{"alpha", orderID(resting)} {
		if strings.Contains(told, secret) {
			t.Errorf("beta is told %q", told)
		}
	}
	h.logged(0, "internal cross", orderID(resting), "with_trader", "alpha")

	after := alpha.mark()
	h.write("policies/fund.yaml", strings.Replace(samplePolicies(t)["fund.yaml"], "internal_cross: refuse", "internal_cross: cancel_resting", 1))
	h.operated("policy", "reload")
	waits := sell()
	alpha.logs(after, "is being cancelled: another order of the fund would meet it")
	alpha.ordered(resting, "CANCELLED")
	beta.ordered(waits, "ALLTRADED") // by strangers, who bid more
	for _, f := range asked[[]ctl.Trade](h, "trades") {
		if f.OrderID != orderID(waits) {
			t.Errorf("traded, too: %+v", f)
		}
	}
	alpha.alive()
	beta.alive()
}

// A channel that takes ten messages a minute: two are kept for cancels, the busy trader has what the other does not use, and the other is there at once all the same.
func TestChannelIsShared(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(statedConfig, `, version: "4.4"`, "")
	h := serve(t, strings.Replace(text, "SIM: {plugin: sim}", "SIM: {plugin: sim, settings: {messages: 100/1m}, messages: 10/1m}", 1), samplePolicies(t))
	alpha, beta := h.on(t).connected(vnpy45, 0), h.on(t).connected(vnpy45, 1)
	price := below(alpha.tick(rebar), 20)
	var orders []string
	for i := range 7 {
		orders = append(orders, alpha.buy(rebar, price-float64(i), 1))
		alpha.ordered(orders[i], "NOTTRADED")
	}
	refused := alpha.buy(rebar, price-9, 1)
	alpha.ordered(refused, "REJECTED")
	alpha.logs(0, "the channel SIM takes 10 messages in 1m0s, 2 of them kept for cancels; alpha has used 7 of the 4 that are alpha's own, and what others do not use is lent already")
	mine := beta.buy(rebar, price-10, 1)
	beta.ordered(mine, "NOTTRADED")
	for _, id := range orders[:3] { // no cancel is refused, not even the one that is over the limit
		alpha.cancel(rebar, id)
		alpha.ordered(id, "CANCELLED")
	}
	status, err := h.status()
	if err != nil {
		t.Fatal(err)
	}
	want := ctl.MessageLimit{Messages: 10, Window: "1m0s", Reserve: 2, Used: 11}
	got := status.Gateways[0].Channel[0]
	if got.Messages != want.Messages || got.Window != want.Window || got.Reserve != want.Reserve || got.Used != want.Used || len(got.Shares) != 2 {
		t.Errorf("the channel stands at %+v, want %+v", got, want)
	}
}

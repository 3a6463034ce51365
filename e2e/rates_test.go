package e2e_test

import (
	"fmt"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

const coin = "BTCUSDT.GLOBAL"

// rates: a person says what a currency is worth, and what works in it holds so much more at once, for the hub and for its margin manager; a slip is refused.
func rates(h *house, alpha, _ *stock) {
	first := asked[ctl.Rates](h, "rates")
	if len(first.Rates) != 1 || first.Currency != "CNY" || first.Rates[0].Currency != "USDT" || first.Rates[0].By != "hub.yaml" || !first.Rates[0].Rate.Equal(hub.MustDecimal("7.1")) {
		h.t.Fatalf("ctl rates: %+v, want USDT at 7.1, by hub.yaml", first)
	}
	frozen := func() hub.Decimal {
		accounts := asked[[]ctl.Account](h, "accounts")
		return accounts[slices.IndexFunc(accounts, func(a ctl.Account) bool { return a.Trader == "alpha" })].Frozen
	}
	paid := func() hub.Decimal {
		numbers := h.plugin(managerName).Numbers
		i := slices.IndexFunc(numbers, func(n ctl.Number) bool { return n.Name == "margin.paid" && n.Trader == "alpha" })
		if i < 0 {
			return hub.Decimal{}
		}
		return numbers[i].Value
	}
	held, bound := frozen(), paid()
	price := float64(int(alpha.tick(coin)["bid_price_1"].(float64) * 0.95))
	id := alpha.buy(coin, price, 0.01)
	alpha.ordered(id, "NOTTRADED")
	value := func(rate string) hub.Decimal {
		var sum hub.Sum
		return sum.Mul3(hub.Int(int64(price)), hub.MustDecimal("0.01"), hub.MustDecimal(rate))
	}
	if got, want := frozen(), plus(held, value("7.1")); !got.Equal(want) {
		h.t.Errorf("at 7.1 %s are frozen, want %s", got, want)
	}
	until(h.t, "the margin manager counts the order", func() error {
		if !bound.Less(paid()) {
			return fmt.Errorf("margin.paid %s", paid())
		}
		return nil
	})
	at7 := paid()

	said := asked[ctl.Rates](h, "rates", "set", "USDT", "10")
	if len(said.Rates) != 1 || !said.Rates[0].Rate.Equal(hub.Int(10)) || said.Rates[0].By == "hub.yaml" || said.Rates[0].By == "" {
		h.t.Errorf("ctl rates set: %+v", said)
	}
	if got, want := frozen(), plus(held, value("10")); !got.Equal(want) {
		h.t.Errorf("at 10 %s are frozen, want %s", got, want)
	}
	until(h.t, "the margin manager's rate", func() error {
		var sum hub.Sum
		if at10 := paid(); at10.Less(sum.Mul(at7, hub.MustDecimal("1.3"))) {
			return fmt.Errorf("margin.paid is %s, and was %s at 7.1", at10, at7)
		}
		return nil
	})
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"rates", "set", "USDT", "71"}, 1, "by more than 2 times"},
		{[]string{"rates", "set", "CNY", "2"}, 1, "CNY is the fund's own currency"},
		{[]string{"rates", "set", "USDT", "ten"}, 2, `"ten" is not a decimal number`},
		{[]string{"rates", "set", "USDT"}, 2, "which currency, and what is it worth?"},
	} {
		if r := h.operate(c.args...); r.code != c.code || !strings.Contains(r.stderr, c.says) {
			h.t.Errorf("ctl %v: exit %d, %s; want %d, %s", c.args, r.code, r.stderr, c.code, c.says)
		}
	}
	alpha.cancel(coin, id)
	alpha.ordered(id, "CANCELLED")
	if got := frozen(); !got.Equal(held) {
		h.t.Errorf("after the cancel %s are frozen, want %s", got, held)
	}
	asked[ctl.Rates](h, "rates", "set", "USDT", "7.1")
}

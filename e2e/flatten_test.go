package e2e_test

import (
	"slices"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// TestFlatten: the operator closes everything of one trader, in a hub and a gateway that are processes of their own, while that trader's stock VeighNa watches. What it works is cancelled,
// what it holds is closed by orders of the hub's that it sees, it is told what came of it, and its orders are refused until the operator says otherwise. The other trader notices nothing.
func TestFlatten(t *testing.T) {
	t.Parallel()
	h := demo(t)
	alpha, beta := h.connected(vnpy45, 0), h.connected(vnpy44, 1)
	tick := alpha.tick(rebar)
	beta.tick(rebar)
	through := tick["ask_price_1"].(float64) + 20
	for _, x := range []struct {
		who  *stock
		lots float64
	}{{alpha, 3}, {beta, 2}} {
		x.who.ordered(x.who.buy(rebar, through, x.lots), "ALLTRADED")
	}
	resting := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(resting, "NOTTRADED")
	others := beta.buy(rebar, below(tick, 120), 1) // further than a closing order of the hub's reaches, or it would be cancelled: orders of one fund do not meet
	beta.ordered(others, "NOTTRADED")

	mine := alpha.mark()
	answer := asked[ctl.Flattening](h, "flatten", "--trader", "alpha", "--reason", "the desk is empty")
	if answer.Orders != 1 || answer.Positions != 1 {
		t.Errorf("ctl flatten: %+v, want one order and one position", answer)
	}
	alpha.wait(mine, fields{"class": "OrderData", "where": fields{"vt_orderid": resting, "status": "CANCELLED"}})
	alpha.logs(mine, `平仓 3 rb.*（alpha）：清仓 alpha（.*）：the desk is empty`)
	closing := alpha.wait(mine, fields{"class": "OrderData", "where": fields{"direction": "SHORT", "status": "ALLTRADED"}})
	traded := alpha.wait(mine, fields{"class": "TradeData", "where": fields{"direction": "SHORT"}})
	if offset := closing.Data["offset"]; offset != "CLOSETODAY" || traded.Data["vt_orderid"] != closing.Data["vt_orderid"] {
		t.Errorf("the closing order is %v and its trade %v, want a CLOSETODAY order and its trade", closing.Data, traded.Data)
	}
	alpha.wait(mine, fields{"class": "PositionData", "where": fields{"vt_symbol": rebar, "direction": "LONG", "volume": 0}})
	alpha.logs(mine, `清仓 alpha（.*）：the desk is empty：已全部平仓|清仓 alpha（.*）.*：已全部平仓`)

	refused := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(refused, "REJECTED")
	alpha.logs(mine, `alpha 自 .* 起为只撤单.*the desk is empty`)
	if s := asked[ctl.Status](h, "status"); len(s.Flattening) != 0 {
		t.Errorf("it still goes on: %+v", s.Flattening)
	}
	for trader, want := range map[string]hub.Decimal{"alpha": {}, "beta": hub.Int(2)} {
		positions := asked[[]ctl.Position](h, "positions", "--trader", trader)
		i := slices.IndexFunc(positions, func(p ctl.Position) bool { return p.Contract == rebar && p.Direction == "LONG" })
		if i < 0 && !want.IsZero() || i >= 0 && !positions[i].Quantity.Equal(want) {
			t.Errorf("ctl positions: %s has %+v, want %s", trader, positions, want)
		}
	}
	if o := h.order(others); o.Status != "RESTING" {
		t.Errorf("beta's order is %s", o.Status)
	}

	h.operated("resume", "--trader", "alpha")
	again := alpha.buy(rebar, below(tick, 30), 1)
	alpha.ordered(again, "NOTTRADED")
	alpha.cancel(rebar, again)
	alpha.ordered(again, "CANCELLED")
	beta.cancel(rebar, others)
	beta.ordered(others, "CANCELLED")
	alpha.alive()
	beta.alive()
	h.balances("alpha", "beta")
}

package e2e_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// TestAmend: the operator amends a stock trader's order at the simulated market. The trader, whose program has no word for it, sees the new price and volume of the order; a rule that the new one breaks
// leaves it as it is; and a restart of the hub changes nothing.
func TestAmend(t *testing.T) {
	t.Parallel()
	h := demo(t)
	alpha := h.connected(vnpy45, 0)
	tick := alpha.tick(rebar)
	price := below(tick, 30)
	id := alpha.buy(rebar, price, 3)
	alpha.ordered(id, "NOTTRADED")

	after := alpha.mark()
	said := h.operated("amend", orderID(id), "--price", strconv.FormatFloat(price-2, 'f', -1, 64), "--quantity", "2")
	if want := fmt.Sprintf("order %s is for 3 at %v, and is being amended to 2 at %v", orderID(id), price, price-2); strings.TrimSpace(said) != want {
		t.Errorf("got %q, want %q", said, want)
	}
	alpha.wait(after, fields{"class": "OrderData", "where": fields{"vt_orderid": id, "price": price - 2, "volume": 2, "status": "NOTTRADED"}})
	if o := h.order(id); !o.Quantity.Equal(hub.Int(2)) || o.Amendment != nil {
		t.Errorf("got %+v", o)
	}

	got := h.operate("amend", orderID(id), "--quantity", "400")
	if got.code != 1 || !strings.Contains(got.stderr, "order "+orderID(id)+" stays as it is: ") || !strings.Contains(got.stderr, "alpha.yaml:") {
		t.Errorf("got %+v", got)
	}
	alpha.logs(after, "未改为数量 400、价格 ")

	h.stop()
	h.start()
	if o := h.order(id); o.Status != "RESTING" || !o.Quantity.Equal(hub.Int(2)) || o.InDoubt {
		t.Errorf("after a restart: %+v", o)
	}
	if !asked[ctl.Status](h, "status").Ready {
		t.Error("the hub is not ready")
	}
	h.operated("cancel-all", "--all")
	alpha.alive()
}

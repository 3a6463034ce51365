package model_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/plugins/risk/margin/model"
)

// TestAmendedOrders: a candidate that is to replace an order is judged instead of it and not beside it; until the decision both count; and an order that was amended is worth what it is now.
func TestAmendedOrders(t *testing.T) {
	m := model.New(plain(), book("alpha"))
	// 80 % of a million is 800,000. A lot of rb2701 at 3500 binds so much:
	c := order("alpha", "rb2701.SHFE", "LONG", "OPEN", "1", "3500")
	pass(t, m, c)
	lot := dec(used(t, m, "alpha", "margin.used"))
	m.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: c.Ask, Order: hub.Order{Status: hub.Rejected}}})
	most, _, _ := dec("700000").QuoRem(lot) // of the fund
	c = order("alpha", "rb2701.SHFE", "LONG", "OPEN", most.String(), "3500")
	pass(t, m, c)
	o := send(m, c, "1")
	all := used(t, m, "alpha", "margin.used")

	amend := order("alpha", "rb2701.SHFE", "LONG", "OPEN", most.String(), "3499")
	if why := m.Judge(amend); why == "" {
		t.Error("another order of the same size passes")
	}
	amend.Ask++
	asks++
	amend.Amends = "1"
	pass(t, m, amend)
	if now := dec(used(t, m, "alpha", "margin.used")); !dec(all).Less(now) {
		t.Errorf("%s is used while it is not decided", now)
	}
	m.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: amend.Ask, Order: hub.Order{Status: hub.Rejected}}})
	if now := used(t, m, "alpha", "margin.used"); now != all {
		t.Errorf("%s is used, and was %s before", now, all)
	}
	var sum hub.Sum
	twice := sum.Add(most, most)
	amend = order("alpha", "rb2701.SHFE", "LONG", "OPEN", twice.String(), "3500")
	amend.Amends = "1"
	if why := m.Judge(amend); why == "" {
		t.Error("twice the size passes")
	}
	if now := used(t, m, "alpha", "margin.used"); now != all {
		t.Errorf("%s is used after a refusal, and was %s before", now, all)
	}
	o.Price, o.Qty = dec("7000"), hub.Int(1) // twice as dear, and one of it
	m.Observe(hub.RiskEvent{Order: &o})
	if now := used(t, m, "alpha", "margin.used"); now != sum.Add(lot, lot).Trim(0).String() {
		t.Errorf("%s is used by one lot at twice the price of %s", now, lot)
	}
}

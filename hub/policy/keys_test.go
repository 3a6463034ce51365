package policy_test

import (
	"testing"

	"tradehub/hub/policy"
)

// TestTidy: what a condition looks like when it is tidy.
func TestTidy(t *testing.T) {
	for source, want := range map[string]string{
		"order.value<=5":                        "order.value <= 5",
		"order.value<=5 CNY/lot*order.quantity": "order.value <= 5 CNY/lot * order.quantity",
		"5 CNY / lot":                           "5 CNY/lot",
		"order.value / order.quantity":          "order.value / order.quantity",
		"- order.price<-1":                      "-order.price < -1",
		"a.b - -c.d":                            "a.b - -c.d",
		"!order.reduces&&(order.value>=5||x.y)": "not order.reduces and (order.value >= 5 or x.y)",
		"max( a.b,c.d ) in [ 1,2 ]":             "max(a.b, c.d) in [1, 2]",
		`a.b in ["x","y z"]`:                    `a.b in ["x", "y z"]`,
		"a.b?c.d:e.f":                           "a.b ? c.d : e.f",
		"a.b\n   and\n\nc.d":                    "a.b\nand\nc.d",
		`fund.cancels( "today" )<450`:           `fund.cancels("today") < 450`,
		"a.b not in [1]":                        "a.b not in [1]",
	} {
		if got, ok := policy.Tidy(source); !ok || got != want {
			t.Errorf("%q: %q, %t; want %q", source, got, ok, want)
		}
	}
	for _, source := range []string{"90%", "order.value <=", "a // b", ""} {
		if got, ok := policy.Tidy(source); ok || got != source {
			t.Errorf("%q: %q, %t", source, got, ok)
		}
	}
}

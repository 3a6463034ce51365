package core_test

import (
	"fmt"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// everyAdv publishes a number under the name that examples use, of everybody who can have one.
var everyAdv = hub.PublishNumbers{Numbers: []hub.PublishedNumber{
	{Name: "adv", Value: d("1")}, {Name: "adv", Trader: "alpha", Value: d("1")}, {Name: "adv", Instrument: rb.Instrument, Value: d("1")},
}}

func said(name, of, value string) hub.PublishedNumber {
	n := hub.PublishedNumber{Name: name, Value: d(value)}
	if i, is := hub.ParseInstrument(of); is {
		n.Instrument = i
		return n
	}
	n.Trader = hub.TraderName(of)
	return n
}

// publish returns what is wrong.
func (w *world) publish(t *testing.T, all ...hub.PublishedNumber) string {
	t.Helper()
	for _, e := range w.step(hub.PublishNumbers{Numbers: all, By: "olivia"}) {
		if a, ok := e.(core.NumbersAnswered); ok {
			return strings.Join(a.Errors, "; ")
		}
	}
	t.Fatal("no answer")
	return ""
}

// reads is what a refused order of alpha's says that it read.
func (w *world) reads(t *testing.T) string {
	t.Helper()
	w.step(asked(w, hub.Long, hub.Open, "3500", "1"))
	for _, e := range w.effects {
		if decided, ok := e.(core.Decided); ok && len(decided.Refusals) == 1 {
			return decided.Refusals[0].Text
		}
	}
	t.Fatalf("%+v", w.effects)
	return ""
}

func probed(t *testing.T, text string) *world {
	t.Helper()
	w := newWorld()
	w.open()
	files := policies()
	files[0].Text += fmt.Sprintf("  - {name: probe, require: order.quantity < 0, because: %q}\n", text)
	if a := w.step(hub.LoadPolicies{Files: files, Language: policy.Language})[0].(core.PoliciesAnswered); len(a.Errors) > 0 {
		t.Fatal(a.Errors)
	}
	return w
}

// TestPublishedNumbers: the newest word holds, of a contract before its product's, through a restart, and with its age.
func TestPublishedNumbers(t *testing.T) {
	w := probed(t, `{contract.number("adv")} {contract.number_age("adv")} {trader.number("var.95")} {fund.number("nav")}`)
	check := func(want string) {
		t.Helper()
		if got := w.reads(t); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("? ? ? ?")
	if wrong := w.publish(t, said("adv", "rb.SHFE", "1000"), said("adv", "m.DCE", "7"), said("adv", "", "8"), said("var.95", "beta", "9"), said("nav", "", "1.05")); wrong != "" {
		t.Fatal(wrong)
	}
	check("1,000 0 ? 1.05")
	w.now = w.now.Add(2_500_000_000)
	check("1,000 2.5 ? 1.05")
	if wrong := w.publish(t, said("adv", rb.Instrument.String(), "400"), said("var.95", "alpha", "-20.50")); wrong != "" {
		t.Fatal(wrong)
	}
	check("400 0 -20.5 1.05")
	if err := w.restart(); err != nil {
		t.Fatal(err)
	}
	if got := w.core.Numbers(); len(got) != 7 || got[0].Name != "adv" || got[0].By != "olivia" || got[6].Trader != "beta" {
		t.Errorf("after a restart: %+v", got)
	}
	w.step(hub.GatewayState{Gateway: "SIM", Up: true})
	check("400 0 -20.5 1.05")
	gone := said("adv", rb.Instrument.String(), "0")
	gone.Gone = true
	if wrong := w.publish(t, gone); wrong != "" {
		t.Fatal(wrong)
	}
	check("1,000 2.5 -20.5 1.05")
}

// TestPublishedNumbersAllOrNone: every fault is said, and nothing is taken.
func TestPublishedNumbersAllOrNone(t *testing.T) {
	w := probed(t, `{fund.number("nav")}`)
	gone, both := said("old", "", "0"), said("both", "alpha", "1")
	gone.Gone, both.Instrument = true, rb.Instrument
	got := w.publish(t, said("nav", "", "1"), said("nav", "", "2"), said("Nav", "", "1"), said("a..b", "", "1"), said(strings.Repeat("x", 65), "", "1"), said("var", "gamma", "1"), gone, both)
	for _, want := range []string{
		"nav of the fund is there twice", `"Nav" is no name of a number: small letters, digits, _ and dots`, `"a..b" is no name`, `"xxxxx`, "var: there is no trader gamma", "old of the fund was not published",
		"both: it is a trader's or a contract's, not both",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	if n := w.core.Numbers(); len(n) > 0 {
		t.Errorf("%+v was taken", n)
	}
}

// TestPublishedNumbersAreBounded: there is room for so many, and one that is known can still change.
func TestPublishedNumbersAreBounded(t *testing.T) {
	w := newWorld()
	w.open()
	const most = 50_000
	all := make([]hub.PublishedNumber, most)
	for i := range all {
		all[i] = said(fmt.Sprintf("n%d", i), "", "1")
	}
	if wrong := w.publish(t, all...); wrong != "" {
		t.Fatal(wrong)
	}
	if got, want := w.publish(t, said("more", "", "1")), "there would be 50001 published numbers, and at most 50000 are kept; withdraw some"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if wrong := w.publish(t, said("n7", "", "2")); wrong != "" {
		t.Error(wrong)
	}
}

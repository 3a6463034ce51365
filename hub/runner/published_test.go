package runner_test

import (
	"runtime"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// until waits for numbers that are in order.
func (h *house) until(what string, ok func([]core.NumberStanding) bool) []core.NumberStanding {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		if all := h.Numbers(); ok(all) {
			return all
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%s: %+v", what, h.Numbers())
		}
	}
}

// TestManagersNumbers: what a risk manager publishes is there for rules that ask for it, and nothing else is journaled; it is said again when it changes, and now and then.
func TestManagersNumbers(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.up()
	number := func(name string, trader hub.TraderName, value string) hub.Number {
		return hub.Number{Name: name, Trader: trader, Value: d(value)}
	}
	h.ManagerNumbers("margin", []hub.Number{number("margin.used", "", "6")})
	if _, _, err := h.LoadPolicies(t.Context(), files("  - {name: used, require: 'fund.number(\"margin.used\") < 5 or trader.number(\"margin.ratio\") < 1'}\n"), "olivia"); err != nil {
		t.Fatal(err)
	}
	h.ManagerNumbers("margin", []hub.Number{
		number("margin.used", "", "6"), number("margin.used", "", "7"), number("margin.paid", "", "1"), number("margin.ratio", "alpha", "0.5"), number("margin.ratio", "gamma", "0.5"),
	})
	two := func(used string) func([]core.NumberStanding) bool {
		return func(all []core.NumberStanding) bool {
			return len(all) == 2 && all[0].Name == "margin.ratio" && all[0].Trader == "alpha" && all[1].Value.Equal(d(used)) && all[1].By == "risk manager margin"
		}
	}
	first := h.until("asked for", two("6"))
	h.ManagerNumbers("margin", []hub.Number{number("margin.used", "", "9"), number("margin.ratio", "alpha", "0.5")})
	h.clock.Add(int64(9 * time.Second))
	second := h.until("changed", two("9"))
	if second[0].At != first[0].At || second[1].At == first[1].At {
		t.Errorf("what did not change was said again: %+v, then %+v", first, second)
	}
	h.clock.Add(int64(time.Second))
	h.until("said again", func(all []core.NumberStanding) bool { return all[0].At.Sub(first[0].At) == 10*time.Second })
	h.ManagerNumbers("margin", nil) // it went down
	h.clock.Add(int64(time.Minute))
	h.tick("3500")
	if all := h.until("kept", two("9")); all[0].At.Sub(first[0].At) != 10*time.Second {
		t.Errorf("of a manager that is down: %+v", all)
	}
}

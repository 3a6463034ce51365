package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/runner"
)

// lines is a log's output, a line at a time.
type lines chan string

// Write implements io.Writer. Nobody waits for a line that nobody reads.
func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

func (l lines) wait(t *testing.T, parts ...string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case line := <-l:
			has := true
			for _, part := range parts {
				has = has && strings.Contains(line, part)
			}
			if has {
				return
			}
		case <-deadline:
			t.Fatalf("the log has no line with %q", parts)
		}
	}
}

// A warning goes to the trader and to the operator; what a rule in shadow says goes to the operator alone, and the order passes.
func TestWarningsAndShadowsAreTold(t *testing.T) {
	log := make(lines, 10_000)
	h := open(t, t.TempDir(), func(o *runner.Options) { o.Log = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info}) })
	h.Declared("SIM", nil, true)
	h.up()
	h.tick("3500")
	policies := files()
	policies[1].Text = `policy: trader
trader: alpha
limits: {lots: 3}
rules:
  - {name: lots, require: order.quantity <= limits.lots, warn: 50%}
  - {name: small, require: order.quantity < 2, mode: shadow, because: "{order.quantity} lots are not small"}
`
	if _, errs, err := h.LoadPolicies(t.Context(), policies, "test"); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	id, err := h.submit(buy)
	if err != nil {
		t.Fatal(err)
	}
	h.plugins.wait(t, "send "+string(id))
	told := h.screen.wait(t, "log alpha: warning: ")
	if want := "log alpha: warning: traders/alpha.yaml:5 lots: order.quantity is 2, at 66.7 % of limits.lots, 3"; told != want {
		t.Errorf("got %s, want %s", told, want)
	}
	h.screen.wait(t, "order "+string(id)+" SUBMITTED")
	log.wait(t, "in shadow", string(id), "traders/alpha.yaml:6 small", "2 lots are not small", "passed=true")
	req := buy
	req.Qty = d("4")
	if id, err = h.submit(req); err != nil {
		t.Fatal(err)
	}
	h.screen.wait(t, "order "+string(id)+" REJECTED")
	log.wait(t, "in shadow", string(id), "4 lots are not small", "passed=false")
	first := h.Orders("alpha", false)[0].ID
	h.Report(hub.VenueReport{Gateway: "SIM", OrderID: first, Kind: hub.ReportResting})
	h.screen.wait(t, "order "+string(first)+" RESTING")
	for _, c := range []struct{ qty, passed string }{{"5", "passed=false"}, {"3", "passed=true"}} {
		got, err := h.Runner.Amend(t.Context(), "alpha", runner.Amendment{OrderID: first, Qty: d(c.qty)})
		if err != nil || len(got.Refusals) > 0 != (c.passed == "passed=false") {
			t.Fatalf("to %s: got %+v, %v", c.qty, got, err)
		}
		log.wait(t, "in shadow", "an amendment", string(first), "traders/alpha.yaml:6 small", c.qty+" lots are not small", c.passed)
	}
	for {
		select {
		case line := <-h.screen.news:
			if strings.Contains(line, "small") {
				t.Errorf("the trader is told what is in shadow: %s", line)
			}
			continue
		default:
		}
		break
	}
	if all := h.Orders("alpha", false); len(all) != 2 || all[0].Status == hub.Rejected {
		t.Errorf("%+v", all)
	}
}

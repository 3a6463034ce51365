package hubtest

import (
	"testing"
)

// TestStoriesTellEverything sees that the stories are worth listening to: an oracle that is never asked agrees with everything.
func TestStoriesTellEverything(t *testing.T) {
	seen := map[string]int{}
	stories := uint64(0)
	for ; stories < 200 && len(unseen(seen)) > 0; stories++ {
		w := newWorld(nil)
		w.ledger.seen = seen
		if err := w.play(Draw(stories+1, 600)); err != nil {
			t.Fatal(err)
		}
		for _, line := range w.ledger.lines {
			if line.fill != nil {
				seen["fill "+line.fill.Offset.String()+" "+line.fill.Exchange]++
			}
		}
	}
	for _, what := range unseen(seen) {
		t.Errorf("%s happened %d times in %d stories", what, seen[what], stories)
	}
	if t.Failed() {
		t.Log(seen)
	}
}

// unseen is what must happen thrice and has not.
func unseen(seen map[string]int) (out []string) {
	for _, what := range []string{
		"fill OPEN SHFE", "fill CLOSE SHFE", "fill CLOSE_TODAY SHFE", "fill CLOSE_YESTERDAY SHFE", "fill OPEN DCE", "fill CLOSE DCE", "fill CLOSE_TODAY DCE", "fill NONE LOCAL",
		"sent", "rule", "not-computable", "offset", "halted", "reduce-only", "cancel-only", "gateway-down", "risk-manager", "internal-cross", "waited", "waited too long", "transferred", "rate", "rates", "bad rates", "gain of a currency", "watch alert", "watch reduce_only", "watch cancel_only", "watch halt", "watch cancel_all", "watch flatten", "flatten", "flattening", "closing order", "flat", "flatten gave up", "flatten stopped", "statement", "break", "statement of what is open", "fill CLOSE LOCAL", "amend sent", "amended", "amend amend", "amend rule", "amend of nothing",
		"override ASKED", "override APPROVED", "override USED", "override EXPIRED", "override WITHDRAWN", "override VOID", "override by one person", "override not asked", "override not approved",
		"override not withdrawn", "override not needed", "override of another order", "override of too little", "override waited",
	} {
		if seen[what] < 3 {
			out = append(out, what)
		}
	}
	return out
}

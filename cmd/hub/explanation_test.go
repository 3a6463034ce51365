package main

import (
	"testing"

	"tradehub/hub"
	"tradehub/hub/audit"
)

// TestTold: what one line of hub audit log says.
func TestTold(t *testing.T) {
	calm := audit.Refusal{Code: "rule", Rule: "calm", Place: "traders/alpha.yaml:96", Text: "not calm"}
	size := audit.Refusal{Code: "rule", Rule: "size", Place: "lib.yaml:4", Text: "too large", Fund: true}
	for _, c := range []struct {
		name, kind string
		body       audit.Body
		want       string
	}{
		{"sent, a rule in shadow against it", "decision", audit.Body{Decision: &audit.Decision{Outcome: "sent", Shadows: []audit.Refusal{calm}}}, "sent; shadow: traders/alpha.yaml:96 calm"},
		{
			"refused, and rules in shadow against it", "decision",
			audit.Body{Decision: &audit.Decision{Outcome: "refused", Refusals: []audit.Refusal{size}, Shadows: []audit.Refusal{calm, size}}},
			"refused; lib.yaml:4 fund:size too large; shadow: traders/alpha.yaml:96 calm; shadow: lib.yaml:4 fund:size",
		},
		{"refused by the hub", "decision", audit.Body{Decision: &audit.Decision{Outcome: "refused", Refusals: []audit.Refusal{{Code: "halted", Text: "the fund is HALTED"}}}}, "refused; the fund is HALTED"},
		{"by override", "decision", audit.Body{Decision: &audit.Decision{Outcome: "sent", Lifted: []audit.Refusal{size}}}, "sent; lifted: lib.yaml:4 fund:size"},
		{
			"an amendment", "amendment",
			audit.Body{Amendment: &audit.Amendment{By: "its owner", Decision: &audit.Decision{Outcome: "sent", Shadows: []audit.Refusal{calm}}}},
			"asked for by its owner; sent; shadow: traders/alpha.yaml:96 calm",
		},
		{"amended", "report", audit.Body{Report: &audit.Report{Kind: "amended", Amendment: 2, Price: hub.Int(3490), Quantity: hub.Int(5)}}, "the venue: amended 2 to 5 at 3490"},
		{"not amended", "report", audit.Body{Report: &audit.Report{Kind: "amend-rejected", Amendment: 2, Reason: "too late"}}, "the venue: amend-rejected 2 too late"},
		{"rejected", "report", audit.Body{Report: &audit.Report{Kind: "rejected", Reason: "no margin"}}, "the venue: rejected no margin"},
	} {
		if got := told(c.kind, c.body); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

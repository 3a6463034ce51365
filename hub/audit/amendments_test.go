package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/audit"
)

// TestReportNames: every kind of report has a name of its own in the record.
func TestReportNames(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../input.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		if first := g.Specs[0].(*ast.ValueSpec); first.Names[0].Name == "NoReport" {
			kinds = len(g.Specs)
		}
	}
	if kinds < 12 {
		t.Fatalf("%d kinds of report found in hub/input.go", kinds)
	}
	seen := map[string]bool{}
	for k := range hub.ReportKind(kinds) {
		name := audit.ReportName(k)
		if seen[name] || strings.HasPrefix(name, "kind ") {
			t.Errorf("report kind %d has no name of its own: %q", k, name)
		}
		seen[name] = true
	}
}

// TestWhatBecameOfAmendments: the record says of each amendment what the venue answered, to which one, and what the order is for then.
func TestWhatBecameOfAmendments(t *testing.T) {
	k := newDesk(t)
	k.load("anna", "  - {name: any, require: order.quantity > 0}\n", "rules:\n  - {name: any, require: order.quantity > 0}\n")
	id := k.submit("3450", "2")
	k.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
	amend := func(qty string) {
		k.step(hub.AmendOrder{Trader: "alpha", OrderID: id, Qty: d(qty), Market: hub.MarketView{Last: d("3500"), Seen: k.now}, Verdicts: []hub.Verdict{{Manager: "margin", Pass: true}}})
	}
	amend("5")
	k.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportAmended, Amendment: 1, Price: d("3450"), Qty: d("5")})
	amend("6")
	k.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportAmendRejected, Amendment: 2, Reason: "too late"})
	amend("7")
	k.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportAmendNotSent, Amendment: 3, Reason: "no line"})
	var asked []uint64
	var reports []audit.Report
	var left []string
	for _, v := range k.explain(id, hub.English).Life {
		if v.Body.Amendment != nil {
			asked = append(asked, v.Body.Amendment.Number)
		}
		if v.Body.Report != nil && v.Body.Report.Amendment > 0 {
			reports = append(reports, *v.Body.Report)
			left = append(left, v.Body.Change.Quantity.String())
		}
	}
	if len(asked) != 3 || asked[0] != 1 || asked[1] != 2 || asked[2] != 3 {
		t.Errorf("amendments asked for: %v", asked)
	}
	if len(reports) != 3 {
		t.Fatalf("reports %+v", reports)
	}
	for i, want := range []struct{ kind, reason string }{{"amended", ""}, {"amend-rejected", "too late"}, {"amend-not-sent", "no line"}} {
		if r := reports[i]; r.Kind != want.kind || r.Reason != want.reason || r.Amendment != uint64(i+1) || left[i] != "5" {
			t.Errorf("report %+v, and the order is for %s; want %s", r, left[i], want.kind)
		}
	}
	if r := reports[0]; !r.Price.Equal(d("3450")) || !r.Quantity.Equal(d("5")) {
		t.Errorf("amended to %s at %s", r.Quantity, r.Price)
	}
	finish(t, k.record, len(k.journal))
}

package core_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/core"
	shipped "tradehub/policies"
)

// samples brings a world to the morning of a trading day under the shipped policies.
func samples(tb testing.TB, change func(name, text string) string) *world {
	tb.Helper()
	w := newWorld()
	w.open()
	var files []hub.PolicyFile
	for _, name := range []string{"fund.yaml", "traders/alpha.yaml", "traders/beta.yaml"} {
		text, err := shipped.Files.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		files = append(files, hub.PolicyFile{Name: name, Text: change(name, string(text))})
	}
	if a := w.step(hub.LoadPolicies{Files: files, Language: 1})[0].(core.PoliciesAnswered); len(a.Errors) > 0 {
		tb.Fatal(a.Errors)
	}
	return w
}

func rehearsal(tb testing.TB, w *world) *core.Rehearsal {
	tb.Helper()
	r, err := w.core.Rehearse()
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func same(_, text string) string { return text }

func asked(w *world, direction hub.Direction, offset hub.Offset, price, qty string) hub.SubmitOrder {
	return hub.SubmitOrder{
		Trader: "alpha", Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: direction, Offset: offset, Type: hub.Limit, Price: d(price), Qty: d(qty)},
		Market: hub.MarketView{Last: d("3500"), Bid: d("3499"), Ask: d("3501"), LimitUp: d("3800"), LimitDown: d("3200"), Seen: w.now},
	}
}

// TestRehearsal: it answers what the decision answers, changes nothing, and makes no garbage.
func TestRehearsal(t *testing.T) {
	w := samples(t, same)
	for n, in := range []hub.SubmitOrder{
		asked(w, hub.Long, hub.Open, "3500", "3"), asked(w, hub.Long, hub.Open, "3500.5", "101"), asked(w, hub.Short, hub.Open, "3300", "1"), asked(w, hub.Long, hub.Open, "4200", "80"),
		asked(w, hub.Short, hub.Close, "3501", "1"),
	} {
		before := w.digest()
		got, err := rehearsal(t, w).Decide(&in, w.now)
		if err != nil || w.digest() != before {
			t.Fatalf("order %d: %v, and the state changed: %t", n, err, w.digest() != before)
		}
		decided := w.step(in)[0].(core.Decided)
		want := slices.DeleteFunc(slices.Clone(decided.Refusals), func(r hub.Refusal) bool { return r.Place == "" })
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
			t.Errorf("order %d: refusals (-decided +rehearsed):\n%s", n, diff)
		}
	}
	r, in := rehearsal(t, w), asked(w, hub.Long, hub.Open, "3500", "3")
	if n := testing.AllocsPerRun(100, func() {
		if refusals, err := r.Decide(&in, w.now); err != nil || len(refusals) > 0 {
			t.Fatal(refusals, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	in.Trader = "nobody"
	if _, err := r.Decide(&in, w.now); err == nil {
		t.Error("a trader who does not exist is asked about")
	}
}

// BenchmarkRehearsal is one order under the shipped policies: ten rules of alpha and seven of the fund.
func BenchmarkRehearsal(b *testing.B) {
	w := samples(b, same)
	r, in := rehearsal(b, w), asked(w, hub.Long, hub.Open, "3500", "3")
	b.ReportAllocs()
	for b.Loop() {
		if refusals, err := r.Decide(&in, w.now); err != nil || len(refusals) > 0 {
			b.Fatal(refusals, err)
		}
	}
}

package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

const flowPolicy = `policy: fund
rules:
  - {name: a, require: 'trader.messages("10s") + fund.contract.messages("1h") < 10_000_000'}
  - {name: b, require: 'fund.product.traded_value("1h") + trader.traded_value("10s") < 10_000_000_000'}
  - {name: c, require: 'group.messages("1s") + account.contract.cancels("today") < 10_000_000'}
`

// flowing is a core with one trader and one contract, and rules that read windows.
func flowing(tb testing.TB) (*Core, *contract) {
	tb.Helper()
	c := New()
	seq := uint64(0)
	step := func(in hub.Input) {
		seq++
		c.Step(hub.Entry{Seq: seq, Time: 1e18, Input: in})
	}
	in := hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}
	one := hub.Int(1)
	step(hub.SetUp{Fund: "f", Currency: "CNY", Gateways: []hub.GatewayName{"SIM"}, Traders: []hub.TraderSetUp{{Name: "alpha", Capital: one}, {Name: "beta", Capital: one}}})
	step(hub.LoadPolicies{Files: []hub.PolicyFile{{Name: "fund.yaml", Text: flowPolicy}}, Language: policy.Language})
	step(hub.Contracts{Gateway: "SIM", Contracts: []hub.Contract{{Instrument: in, Product: "rb", Kind: hub.Futures, Size: hub.Int(10), Tick: one, MinQty: one}}})
	if c.rules == nil || len(c.contractList) != 1 {
		tb.Fatal("the world does not stand")
	}
	return c, c.contractList[0]
}

// fill makes n cancels and n fills of alpha, evenly over the last 59 minutes.
func (c *Core) flood(k *contract, n int) {
	start := c.now
	for i := range n {
		c.now = start + hub.Time(i)*hub.Time(59*time.Minute)/hub.Time(n)
		c.happened(c.byTrader["alpha"], k, cancelAsked, amounts{})
		c.happened(c.byTrader["alpha"], k, traded, amounts{amountOf(hub.Int(1)), amountOf(hub.MustDecimal("35000.05")), amountOf(hub.Int(1))})
	}
	c.now = start + hub.Time(59*time.Minute)
}

func (c *Core) asking(k *contract) *source {
	b := c.byTrader["alpha"]
	return &source{core: c, contract: k, trader: b, lane: c.lane(b, c.placeOf(k))}
}

var windowRefs = []policy.Ref{
	{Scope: policy.ScopeTrader, Var: policy.Messages, Window: 10 * time.Second},
	{Scope: policy.ScopeFund, Narrow: policy.InContract, Var: policy.Messages, Window: time.Hour},
	{Scope: policy.ScopeFund, Narrow: policy.InProduct, Var: policy.TradedValue, Window: time.Hour},
	{Scope: policy.ScopeAccount, Narrow: policy.InContract, Var: policy.Cancels, Window: policy.Today},
}

// TestWindowsAllocateNothing: what every order pays for is free of garbage, and right.
func TestWindowsAllocateNothing(t *testing.T) {
	c, k := flowing(t)
	c.flood(k, 1000)
	s := c.asking(k)
	got := ""
	for _, ref := range windowRefs {
		got += ref.String() + "=" + s.Value(&ref).Number.String() + " "
	}
	const want = `trader.messages("10s")=2 fund.contract.messages("1h")=1000 fund.product.traded_value("1h")=35000050 account.contract.cancels("today")=1000 `
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range windowRefs {
			s.Value(&windowRefs[i]) // a rule's own, which is not copied
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// BenchmarkWindows reads four counters, with ten events in the hour and with a hundred thousand; while time goes on, so that heads move.
func BenchmarkWindows(b *testing.B) {
	for _, n := range []int{5, 50_000} {
		b.Run(fmt.Sprintf("events=%d", 2*n), func(b *testing.B) {
			c, k := flowing(b)
			c.flood(k, n)
			s := c.asking(k)
			b.ReportAllocs()
			for b.Loop() {
				for _, ref := range windowRefs {
					if s.Value(&ref).Kind != policy.KindNumber {
						b.Fatal(ref)
					}
				}
				c.now++
			}
		})
	}
}

// BenchmarkHappened counts an event, with the log of an hour full of ten others and of a hundred thousand.
func BenchmarkHappened(b *testing.B) {
	for _, n := range []int{5, 50_000} {
		b.Run(fmt.Sprintf("events=%d", 2*n), func(b *testing.B) {
			c, k := flowing(b)
			c.flood(k, n)
			trader := c.byTrader["alpha"]
			gap := hub.Time(59*time.Minute) / hub.Time(2*n)
			b.ReportAllocs()
			for b.Loop() {
				c.now += gap
				c.happened(trader, k, cancelAsked, amounts{})
			}
		})
	}
}

// BenchmarkFill counts a new window from the record, as a reload of the policy does.
func BenchmarkFill(b *testing.B) {
	c, k := flowing(b)
	c.flood(k, 50_000)
	for b.Loop() {
		c.refill(func(*cell) bool { return true })
	}
}

// TestForgottenIsMissing: a window that reaches back beyond what is kept has no value, whose own it is, and the others' have; and a restart changes nothing about it.
func TestForgottenIsMissing(t *testing.T) {
	c, k := flowing(t)
	c.flowMax = 100
	ask := func(c *Core, trader hub.TraderName, ref policy.Ref) string {
		b := c.byTrader[trader]
		s := &source{core: c, contract: c.contractList[0], trader: b, lane: c.lane(b, c.placeOf(c.contractList[0]))}
		v := s.Value(&ref)
		if v.Kind == policy.KindMissing {
			return v.Text
		}
		return v.Number.String()
	}
	refused := policy.Ref{Scope: policy.ScopeTrader, Var: policy.Messages, Window: 10 * time.Second}
	shared := policy.Ref{Scope: policy.ScopeFund, Narrow: policy.InContract, Var: policy.Messages, Window: time.Hour}
	today := policy.Ref{Scope: policy.ScopeTrader, Var: policy.Orders, Window: policy.Today}
	c.happened(c.byTrader["beta"], k, orderSent, amounts{})
	for range 101 {
		c.now++
		c.happened(c.byTrader["alpha"], k, orderRefused, amounts{})
	}
	const missing = "there are more in the window than the hub remembers"
	check := func(c *Core) {
		t.Helper()
		for _, x := range []struct {
			trader hub.TraderName
			ref    policy.Ref
			want   string
		}{
			{"alpha", refused, missing}, {"beta", refused, "1"}, {"alpha", today, "101"}, {"alpha", shared, "1"},
		} {
			// Refusals of the hub count for the fund as such, so it cannot know them all either; what it sent it could. One answer is enough: it is missing.
			if x.ref == shared {
				x.want = missing
			}
			if got := ask(c, x.trader, x.ref); got != x.want {
				t.Errorf("%s of %s: got %q, want %q", x.ref, x.trader, got, x.want)
			}
		}
	}
	check(c)
	again, err := Restore(c.Image())
	if err != nil {
		t.Fatal(err)
	}
	check(again)
	c.now += hub.Time(11 * time.Second)
	if got := ask(c, "alpha", refused); got != "0" {
		t.Errorf("eleven seconds on: got %q, want 0", got)
	}
}

// TestTooManySizes: of cancels of more different quantities than are remembered, nobody says how many were large.
func TestTooManySizes(t *testing.T) {
	var d dayFlow
	for i := range sizesMax {
		d.sized(hub.Int(int64(1 + i*7%sizesMax)))
		d.sized(hub.Int(int64(1 + i*7%sizesMax)))
	}
	if n, ok := d.atLeast(hub.Int(1000)); n != 50 || !ok {
		t.Errorf("1000 or more: got %d, %t, want 50", n, ok)
	}
	if n, ok := d.atLeast(hub.MustDecimal("0.5")); n != 2*sizesMax || !ok {
		t.Errorf("0.5 or more: got %d, %t, want %d", n, ok, 2*sizesMax)
	}
	if n, ok := d.atLeast(hub.Int(2000)); n != 0 || !ok {
		t.Errorf("2000 or more: got %d, %t, want 0", n, ok)
	}
	d.sized(hub.Int(3)) // known
	if _, ok := d.atLeast(hub.Int(1)); !ok {
		t.Error("a known quantity was one too many")
	}
	d.sized(hub.MustDecimal("3.5"))
	if _, ok := d.atLeast(hub.Int(1)); ok {
		t.Error("one too many was not noticed")
	}
}

// TestOldImages: the counters of an image from before there were cells go on.
func TestOldImages(t *testing.T) {
	c, _ := flowing(t)
	im := c.Image()
	im.Now += 5e9
	im.Traders[0].OldOrders = oldSeries{Times: []hub.Time{1e18, 1e18 + 1}, Today: 7}
	im.Traders[0].OldMsgs = oldSeries{Times: []hub.Time{1e18, 1e18 + 1, 1e18 + 2}, Today: 9}
	im.Fund.OldMsgs = oldSeries{Times: []hub.Time{1e18, 1e18 + 4}, Today: 8}
	again, err := Restore(im)
	if err != nil {
		t.Fatal(err)
	}
	s := again.asking(again.contractList[0])
	got := ""
	for _, ref := range []policy.Ref{
		{Scope: policy.ScopeTrader, Var: policy.Messages, Window: 10 * time.Second},
		{Scope: policy.ScopeTrader, Var: policy.Orders, Window: policy.Today},
		{Scope: policy.ScopeFund, Var: policy.Messages, Window: policy.Today},
		{Scope: policy.ScopeFund, Narrow: policy.InContract, Var: policy.Messages, Window: time.Hour},
	} {
		got += s.Value(&ref).Number.String() + " "
	}
	if want := "3 7 8 0 "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if im := again.Image(); len(im.Traders[0].OldOrders.Times) > 0 || !strings.Contains(fmt.Sprint(im.Cells), "alpha") {
		t.Error("the old counters are still there, or the new ones are not")
	}
}

package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// message is what went, or wanted to go, through the channel, as the traders saw it.
type message struct {
	trader  hub.TraderName
	time    hub.Time
	cancel  bool
	refused string // code; "" when it was sent
}

// log is all of it, and counts everything anew each time.
type log struct {
	messages []message
	limit    hub.MessageLimit
}

// within counts messages of the window that ends now.
func (l *log) within(now hub.Time, which func(message) bool) int {
	n := 0
	for _, m := range l.messages {
		if m.time > now.Add(-l.limit.Window) && which(m) {
			n++
		}
	}
	return n
}

// kept is what a trader has for sure at a time, by the words of the guide: the share, once a window has passed since the first message after ten silent windows; until then a quarter.
func (l *log) kept(trader hub.TraderName, share int, now hub.Time) int {
	var last, woke hub.Time
	for _, m := range l.messages {
		if m.trader == trader {
			if last == 0 || m.time.Sub(last) >= 10*l.limit.Window {
				woke = m.time
			}
			last = m.time
		}
	}
	if last == 0 || now.Sub(last) >= 10*l.limit.Window || now.Sub(woke) < l.limit.Window {
		return (share + 3) / 4
	}
	return share
}

// channelWorld is a world with weighted traders at a channel with a limit, in which any order for a coin passes.
func channelWorld(weights []int, limit hub.MessageLimit) (*world, []hub.TraderName) {
	w := newWorld()
	in := setUp()
	in.Traders = nil
	files := []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - name: quantity\n    require: order.quantity <= 100\n"}}
	var names []hub.TraderName
	for i, weight := range weights {
		name := hub.TraderName(fmt.Sprintf("t%d", i))
		names = append(names, name)
		in.Traders = append(in.Traders, hub.TraderSetUp{Name: name, Capital: d("1000000"), Share: weight})
		files = append(files, hub.PolicyFile{Name: string(name) + ".yaml", Text: fmt.Sprintf("policy: trader\ntrader: %s\nrules:\n  - {name: any, require: order.quantity > 0}\n", name)})
	}
	w.step(in)
	w.step(hub.RollDay{Day: "20261123"})
	w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
	w.step(hub.Contracts{Gateway: "SIM", Contracts: contracts})
	w.step(hub.GatewayState{Gateway: "SIM", Up: true, Limits: []hub.MessageLimit{limit}})
	return w, names
}

// buy asks for one coin, or, when it is to be refused by a rule, for too many.
func (w *world) buy(trader hub.TraderName, refused bool) core.Decided {
	qty := "1"
	if refused {
		qty = "101"
	}
	return w.step(hub.SubmitOrder{
		Trader: trader, Request: hub.OrderRequest{Instrument: coin.Instrument, Direction: hub.Long, Type: hub.Limit, Price: d("1"), Qty: d(qty)},
		Market: hub.MarketView{Last: d("1"), Seen: w.now},
	})[0].(core.Decided)
}

// TestShares: on any history, no order makes the messages of a window more than the limit, and no trader within the share is refused for the budget, as long as cancels beyond everybody's
// share fit into what is kept for them.
func TestShares(t *testing.T) {
	lent, refusedLent := 0, 0
	checkUntil(t, func() bool { return lent > 0 && refusedLent > 0 }, func(t *rapid.T) {
		limit := hub.MessageLimit{Messages: rapid.IntRange(1, 40).Draw(t, "limit"), Window: time.Second}
		weights := rapid.SliceOfN(rapid.IntRange(1, 3), 1, 4).Draw(t, "weights")
		w, names := channelWorld(weights, limit)
		l := &log{limit: limit}
		reserve := 0
		if limit.Messages > 1 {
			reserve = max(1, limit.Messages/5)
		}
		total := 0
		for _, weight := range weights {
			total += weight
		}
		active := map[hub.TraderName][]hub.OrderID{}
		asked := map[hub.OrderID]hub.Time{}
		cancel := func(trader hub.TraderName) {
			// One that the venue was asked about within the last second is not sent again.
			i := slices.IndexFunc(active[trader], func(id hub.OrderID) bool { return asked[id] == 0 || w.now.Sub(asked[id]) >= time.Second })
			if i < 0 {
				return
			}
			asked[active[trader][i]] = w.now
			w.step(hub.CancelOrder{Trader: trader, OrderID: active[trader][i]})
			if !slices.ContainsFunc(w.effects, func(e core.Effect) bool { _, ok := e.(core.CancelAtVenue); return ok }) {
				t.Fatal("a cancel did not leave")
			}
			l.messages = append(l.messages, message{trader: trader, time: w.now, cancel: true})
		}
		order := func(trader hub.TraderName, share int, refused bool) {
			kept := l.kept(trader, share, w.now)
			used := l.within(w.now, func(m message) bool { return m.trader == trader && m.refused != "channel-budget" })
			sent := l.within(w.now, func(m message) bool { return m.refused == "" })
			cancels := l.within(w.now, func(m message) bool { return m.cancel })
			decided := w.buy(trader, refused)
			m := message{trader: trader, time: w.now}
			for _, r := range decided.Refusals {
				if m.refused == "" || m.refused == "channel-budget" {
					m.refused = r.Code
				}
			}
			overBudget := slices.ContainsFunc(decided.Refusals, func(r hub.Refusal) bool { return r.Code == "channel-budget" })
			switch {
			case m.refused == "":
				active[trader] = append(active[trader], decided.Order.ID)
				if sent+1 > limit.Messages {
					t.Fatalf("order %s is message %d of a window that takes %d", decided.Order.ID, sent+1, limit.Messages)
				}
				if orders := l.within(w.now, func(m message) bool { return m.refused == "" && !m.cancel }) + 1; orders > limit.Messages-reserve {
					t.Fatalf("order %s is order %d of a window that keeps %d of %d for cancels", decided.Order.ID, orders, reserve, limit.Messages)
				}
				if used >= share {
					lent++
				}
			case overBudget && used < kept && (sent < limit.Messages || cancels <= reserve):
				t.Fatalf("%s has used %d of %d and is refused: %s", trader, used, kept, decided.Refusals[0].Text)
			case overBudget:
				refusedLent++
			}
			l.messages = append(l.messages, m)
		}
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			w.now += hub.Time(rapid.SampledFrom([]int{0, 0, 0, 1, 1, 998, 999, 1000, 1001, 10_000}).Draw(t, "pause in ms")) * 1e6
			if rapid.IntRange(0, 60).Draw(t, "restart") == 0 {
				before := w.digest()
				if err := w.restart(); err != nil || w.digest() != before {
					t.Fatal("a restored core has another digest", err)
				}
			}
			i := min(rapid.IntRange(0, len(names)-1).Draw(t, "trader"), rapid.IntRange(0, len(names)-1).Draw(t, "or"))
			share := (limit.Messages - reserve) * weights[i] / total
			for range rapid.SampledFrom([]int{1, 1, share, limit.Messages}).Draw(t, "burst") {
				switch odd := rapid.IntRange(0, 29).Draw(t, "odd"); odd {
				case 0:
					order(names[i], share, true)
				case 1, 2:
					cancel(names[i])
				default:
					order(names[i], share, false)
				}
			}
			if err := w.core.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
	if lent == 0 || refusedLent == 0 {
		t.Errorf("%d orders went beyond a share, %d were refused for it: these histories show nothing", lent, refusedLent)
	}
}

// TestBusyTraderGetsWhatIdleOnesDoNotUse says how much that is, and how fast it is given back.
func TestBusyTraderGetsWhatIdleOnesDoNotUse(t *testing.T) {
	w, names := channelWorld([]int{1, 1, 1, 1}, hub.MessageLimit{Messages: 50, Window: time.Second})
	flood := func(trader hub.TraderName) (sent int) {
		for range 60 {
			if len(w.buy(trader, false).Refusals) == 0 {
				sent++
			}
		}
		return sent
	}
	if got := flood(names[0]); got != 31 { // 40 are shared; each of three idle ones keeps 3 of 10
		t.Errorf("with three idle, a busy trader got %d messages through", got)
	}
	if got := flood(names[1]); got != 3 {
		t.Errorf("one who was idle got %d at once", got)
	}
	w.now += 999_999_999
	if got := flood(names[1]); got != 0 {
		t.Errorf("before the loans have expired one who was idle got %d more", got)
	}
	w.now++
	if got := flood(names[1]); got != 10+14 { // what is left of two idle ones' is lent to both
		t.Errorf("a window later one who was idle got %d", got)
	}
	if got := flood(names[0]); got != 10 {
		t.Errorf("beside one who borrows what there is, the first got %d", got)
	}
	if err := w.core.Check(); err != nil {
		t.Error(err)
	}
}

// TestLoansAreBackWithinAWindow: who woke first comes first, and while the loans run out nobody takes what is to be given back.
func TestLoansAreBackWithinAWindow(t *testing.T) {
	w, names := channelWorld([]int{1, 1, 1}, hub.MessageLimit{Messages: 45, Window: time.Second}) // 36 are shared, 12 each, of which 3 are never lent
	for _, step := range []struct {
		after   time.Duration
		trader  int
		orders  int
		through int
		why     string
	}{
		{0, 0, 60, 30, "two are idle"},
		{time.Millisecond, 1, 1, 1, "it wakes within what is never lent"},
		{999 * time.Millisecond, 0, 60, 21, "its loans have run out, and one woke: no new ones from that"},
		{500 * time.Microsecond, 2, 60, 3, "it wakes, and another woke before"},
		{500 * time.Microsecond, 1, 60, 12, "a window ago it woke"},
		{999_499 * time.Microsecond, 2, 60, 9, "the loans of the first have run out"},
	} {
		w.now = w.now.Add(step.after)
		through := 0
		for range step.orders {
			if len(w.buy(names[step.trader], false).Refusals) == 0 {
				through++
			}
		}
		if through != step.through {
			t.Errorf("after %v, %s gets %d of %d through, want %d: %s", step.after, names[step.trader], through, step.orders, step.through, step.why)
		}
	}
}

// TestLimitThatIsDeclaredLate: what went out before it was known has used it up, and a lower limit of the configuration holds beside a higher one that is declared.
func TestLimitThatIsDeclaredLate(t *testing.T) {
	second := hub.MessageLimit{Messages: 1000, Window: time.Second}
	w, names := channelWorld([]int{1, 1}, second)
	for range 20 {
		w.buy(names[0], false)
	}
	w.step(hub.GatewayState{Gateway: "SIM", Up: true, Limits: []hub.MessageLimit{second, {Messages: 20, Window: 10 * time.Second}}})
	if got := w.buy(names[1], false).Refusals; len(got) != 1 || got[0].Code != "channel-budget" {
		t.Errorf("after 20 messages, of a channel that takes 20: %+v", got)
	}
	if got := w.core.Budgets("SIM", w.now); len(got) != 2 || got[1].Used != 20 || got[1].Reserve != 4 || got[1].Shares[1] != (core.ShareStanding{Trader: "t1", Own: 8, Kept: 2}) {
		t.Errorf("budgets: %+v", got)
	}
	w.now += 10e9
	if got := w.buy(names[1], false).Refusals; len(got) != 0 {
		t.Errorf("ten seconds later: %+v", got)
	}
	in := setUp()
	in.Traders = []hub.TraderSetUp{{Name: "t0", Capital: d("1"), Share: 1}, {Name: "t1", Capital: d("1"), Share: 1}}
	in.Limits = []hub.GatewayLimit{{Gateway: "SIM", Limit: hub.MessageLimit{Messages: 5, Window: time.Second}}, {Gateway: "SIM", Limit: hub.MessageLimit{Messages: 50, Window: 10 * time.Second}}}
	w.step(in)
	want := []hub.MessageLimit{{Messages: 5, Window: time.Second}, {Messages: 20, Window: 10 * time.Second}}
	for i, got := range w.core.Budgets("SIM", w.now) {
		if got.Limit != want[i] || got.Used != 1 {
			t.Errorf("limit %d is %s with %d used, want %s with 1", i, got.Limit, got.Used, want[i])
		}
	}
	if err := w.core.Check(); err != nil {
		t.Error(err)
	}
}

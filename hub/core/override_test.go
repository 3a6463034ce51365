package core_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

var people = map[string]hub.Person{
	"anna":  {Name: "anna", User: "anna", UID: 1001},
	"bob":   {Name: "bob", User: "bob", UID: 1002},
	"carol": {Name: "carol", User: "cw", UID: 1003},
	"twin":  {Name: "twin", User: "anna", UID: 1001},  // anna's account under another name
	"other": {Name: "anna", User: "anna2", UID: 1004}, // anna's name at another account
}

// overrideCommand reads "ask by=anna sell open qty=30 rules=position for=10m", "approve by=bob n=1" and "withdraw by=bob n=1".
func overrideCommand(t *testing.T, cmd *datadriven.TestData) (hub.Input, bool) {
	arg := func(name, otherwise string) string {
		for _, a := range cmd.CmdArgs {
			if a.Key == name {
				return strings.Join(a.Vals, ",")
			}
		}
		return otherwise
	}
	number := func() uint64 {
		n, err := strconv.ParseUint(arg("n", "1"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	by := people[arg("by", "")]
	switch cmd.Cmd {
	case "ask":
		r, err := request(cmd.CmdArgs)
		if err != nil {
			t.Fatal(err)
		}
		open, err := time.ParseDuration(arg("for", "10m"))
		if err != nil {
			t.Fatal(err)
		}
		in := hub.AskOverride{
			Order: hub.OverrideOrder{
				Trader: hub.TraderName(arg("trader", "alpha")), Gateway: hub.GatewayName(arg("gateway", "")), Instrument: r.Instrument, Direction: r.Direction, Offset: r.Offset, Qty: r.Qty, Price: r.Price,
			},
			Reason: arg("reason", "a hedge"), For: open, By: by,
		}
		if names := arg("rules", ""); names != "" {
			in.Rules = strings.Split(names, ",")
		}
		return in, true
	case "approve":
		return hub.ApproveOverride{Number: number(), By: by}, true
	case "withdraw":
		return hub.WithdrawOverride{Number: number(), By: by, Reason: arg("reason", "")}, true
	}
	return nil, false
}

func overrideLine(v *hub.Override) string {
	line := fmt.Sprintf("%s is %s: %s at %s past %s until %s", v, v.State, v.Order, v.Order.Gateway, v.RuleNames(), v.Expires.UTC().Format(time.TimeOnly))
	if v.EndedBy.Name != "" {
		line += ", by " + v.EndedBy.String()
	}
	if v.UsedBy != "" {
		line += ", by " + short(v.UsedBy)
	}
	if v.Why != "" {
		line += ": " + v.Why
	}
	return line
}

func byOverride(e core.Decided) string {
	if e.Override == nil {
		return ""
	}
	names := make([]string, len(e.Lifted))
	for i, r := range e.Lifted {
		names[i] = r.Place + " " + r.Rule
	}
	return fmt.Sprintf(" by %s, past %s", e.Override, strings.Join(names, ", "))
}

func (w *world) overrides() string {
	var b strings.Builder
	for _, v := range w.core.Overrides() {
		fmt.Fprintln(&b, overrideLine(&v))
	}
	return b.String()
}

// TestOverridesAreForOneOrderAndTwoPersons: against a plain model of what an override is. Two rules can refuse an order: alpha's own and the fund's. Every drawn order says by its
// quantity which of them do.
func TestOverridesAreForOneOrderAndTwoPersons(t *testing.T) {
	files := []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n  - name: size\n    require: order.quantity <= 10\n  - name: other\n    require: order.quantity != 13\n"},
		{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\nrules:\n  - name: size\n    require: order.quantity != 12 and order.quantity != 5\n  - name: blind\n    when: order.quantity == 14\n    require: market.bid > 0\n"},
		{Name: "traders/beta.yaml", Text: "policy: trader\ntrader: beta\nrules: [{name: any, require: order.quantity > 0}]\n"},
	}
	// What refuses an order of alpha for so many lots; of 14 nothing can lift the one that cannot be computed.
	refusing := map[int][]string{5: {"trader:size"}, 9: nil, 11: {"fund:size"}, 12: {"trader:size", "fund:size"}, 13: {"fund:size", "fund:other"}, 14: {"fund:size", "none"}}
	used, passed := 0, 0
	checkUntil(t, func() bool { return used > 0 && used*100 >= passed }, func(t *rapid.T) {
		w := newWorld()
		w.open()
		load := func(comment string) {
			changed := slices.Clone(files)
			changed[0].Text += comment
			w.step(hub.LoadPolicies{Files: changed, Language: policy.Language})
		}
		load("")
		type model struct {
			core.OverrideAnswered
			approved, over bool
			by             string
			rules          []string
			qty            int
			long           bool
			price          int
			expires        hub.Time
		}
		var models []*model
		end := func() {
			for _, m := range models {
				m.over = m.over || w.now >= m.expires
			}
		}
		revision := 0
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				m := &model{
					by: rapid.SampledFrom([]string{"anna", "bob", "carol", "twin", "other"}).Draw(t, "by"), qty: rapid.SampledFrom([]int{5, 11, 12, 13, 14}).Draw(t, "qty"), long: rapid.Bool().Draw(t, "long"),
					rules: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"trader:size", "fund:size", "fund:other", "trader:blind"}), 1, 3, rapid.ID).Draw(t, "rules"),
					price: rapid.SampledFrom([]int{0, 0, 3490, 3500}).Draw(t, "price"),
				}
				open := time.Duration(rapid.IntRange(1, 200).Draw(t, "for")) * time.Second
				m.expires = w.now.Add(open)
				in := hub.AskOverride{
					Order: hub.OverrideOrder{Trader: "alpha", Instrument: rb.Instrument, Direction: hub.Short, Qty: hub.Int(int64(m.qty)), Price: hub.Int(int64(m.price))}, Rules: m.rules, Reason: "because", For: open, By: people[m.by],
				}
				if m.long {
					in.Order.Direction = hub.Long
				}
				end()
				full := 0
				for _, other := range models {
					if !other.over {
						full++
					}
				}
				answer := lastOf[core.OverrideAnswered](t, w.step(in))
				if (len(answer.Refusals) > 0) != (full == 64) {
					t.Fatalf("%d are open, and another one: %v", full, answer.Refusals)
				}
				if full == 64 {
					return
				}
				models = append(models, m)
				if rapid.IntRange(0, 3).Draw(t, "approved") > 0 {
					second := map[string]string{"anna": "bob", "bob": "carol", "carol": "anna", "twin": "bob", "other": "carol"}[m.by]
					w.step(hub.ApproveOverride{Number: answer.Override.Number, By: people[second]})
					m.approved = true
				}
			},
			"approve": func(t *rapid.T) {
				if len(models) == 0 {
					t.Skip("there is nothing to do it to yet")
				}
				end()
				n := rapid.IntRange(max(0, len(models)-5), len(models)-1).Draw(t, "n")
				m, by := models[n], rapid.SampledFrom([]string{"anna", "bob", "carol", "twin", "other"}).Draw(t, "by")
				same := people[by].Name == people[m.by].Name || people[by].UID == people[m.by].UID
				answer := lastOf[core.OverrideAnswered](t, w.step(hub.ApproveOverride{Number: uint64(n + 1), By: people[by]})) //nolint:gosec // small
				if ok := !m.over && !m.approved && !same; ok != (len(answer.Refusals) == 0) {
					t.Fatalf("override %d of %s approved by %s: %v", n+1, m.by, by, answer.Refusals)
				} else if ok {
					m.approved = true
				}
			},
			"withdraw": func(t *rapid.T) {
				if len(models) == 0 {
					t.Skip("there is nothing to do it to yet")
				}
				end()
				n := rapid.IntRange(max(0, len(models)-5), len(models)-1).Draw(t, "n")
				answer := lastOf[core.OverrideAnswered](t, w.step(hub.WithdrawOverride{Number: uint64(n + 1), By: people["anna"]})) //nolint:gosec // small
				if models[n].over != (len(answer.Refusals) > 0) {
					t.Fatalf("override %d withdrawn: %v", n+1, answer.Refusals)
				}
				models[n].over = true
			},
			"time": func(t *rapid.T) {
				w.now += hub.Time(rapid.IntRange(1, 20).Draw(t, "seconds")) * 1e9
				if rapid.Bool().Draw(t, "clock") {
					w.step(hub.Clock{})
				}
			},
			"reload": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "often") > 0 {
					t.Skip("a load of another text ends every override: if all draws of it did, none would be used")
				}
				if rapid.Bool().Draw(t, "changed") {
					revision++
					for _, m := range models {
						m.over = true
					}
				}
				load(strings.Repeat("# changed\n", revision))
			},
			"restart": func(t *rapid.T) {
				before := w.digest()
				if err := w.restart(); err != nil || w.digest() != before {
					t.Fatalf("the state came back as another one: %v", err)
				}
			},
			"submit": func(t *rapid.T) {
				end()
				qty := rapid.SampledFrom([]int{5, 9, 11, 12, 13, 14}).Draw(t, "qty")
				long, kind := rapid.Bool().Draw(t, "long"), rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.FAK, hub.Market}).Draw(t, "type")
				price := rapid.SampledFrom([]int{3480, 3490, 3500, 3510}).Draw(t, "price")
				trader := rapid.SampledFrom([]hub.TraderName{"alpha", "alpha", "alpha", "beta"}).Draw(t, "trader")
				req := hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Short, Offset: hub.Open, Type: kind, Price: hub.Int(int64(price)), Qty: hub.Int(int64(qty))}
				if len(models) > 0 && rapid.IntRange(0, 3).Draw(t, "meant") > 0 { // an order that an override may be for
					m := models[rapid.IntRange(max(0, len(models)-3), len(models)-1).Draw(t, "n")]
					qty, long, trader, req.Qty = m.qty, m.long, "alpha", hub.Int(int64(m.qty))
				}
				if long {
					req.Direction = hub.Long
				}
				want := refusing[qty]
				if trader == "beta" {
					want = slices.DeleteFunc(slices.Clone(want), func(s string) bool { return !strings.HasPrefix(s, "fund:") })
				}
				by := 0
				for i, m := range models {
					covers := !m.over && m.approved && trader == "alpha" && m.qty == qty && m.long == long &&
						(m.price == 0 || kind != hub.Market && (long && price <= m.price || !long && price >= m.price)) &&
						!slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(m.rules, s) })
					if covers && len(want) > 0 && by == 0 {
						by = i + 1
						m.over = true
					}
				}
				market := hub.MarketView{Last: d("3500"), Seen: w.now}
				w.step(hub.SubmitOrder{Trader: trader, Request: req, Market: market})
				decided := lastOf[core.Decided](t, w.effects)
				if sent := len(want) == 0 || by != 0; sent != (len(decided.Refusals) == 0) || sent != hasSend(w.effects) {
					t.Fatalf("order of %s for %d: wanted %v against it, and override %d: got %v", trader, qty, want, by, decided.Refusals)
				}
				if decided.Order.Override != uint64(by) || (by != 0) != (decided.Override != nil) || by != 0 && len(decided.Lifted) != len(want) { //nolint:gosec // small
					t.Fatalf("order of %s for %d: wanted override %d, got %+v", trader, qty, by, decided)
				}
				if by != 0 {
					used++
				}
				passed++
				if len(decided.Refusals) == 0 { // so that nothing is in the way of the next one
					w.step(hub.VenueReport{Gateway: "SIM", OrderID: decided.Order.ID, Kind: hub.ReportRejected, Reason: "no"})
				}
			},
			"": func(t *rapid.T) {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
			},
		})
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
	if used*100 < passed {
		t.Errorf("%d of %d orders used an override: too few to show anything", used, passed)
	}
}

func lastOf[T core.Effect](t *rapid.T, effects []core.Effect) T {
	for _, e := range slices.Backward(effects) {
		if x, ok := e.(T); ok {
			return x
		}
	}
	var none T
	t.Fatalf("no %T among %d effects", none, len(effects))
	return none
}

func hasSend(effects []core.Effect) bool {
	return slices.ContainsFunc(effects, func(e core.Effect) bool { _, is := e.(core.Send); return is })
}

// TestOverridesAreBounded: what is open has a bound, and what ended is not kept for good.
func TestOverridesAreBounded(t *testing.T) {
	w := newWorld()
	w.open()
	ask := hub.AskOverride{
		Order: hub.OverrideOrder{Trader: "alpha", Instrument: rb.Instrument, Direction: hub.Long, Qty: d("30")}, Rules: []string{"position"}, Reason: "because", For: time.Hour, By: people["anna"],
	}
	for i := range 300 {
		effects := w.step(ask)
		answer := effects[len(effects)-1].(core.OverrideAnswered)
		if i < 64 && len(answer.Refusals) > 0 {
			t.Fatalf("override %d: %v", i, answer.Refusals)
		}
		if i >= 64 {
			if len(answer.Refusals) != 1 || answer.Refusals[0] != "64 overrides are open; withdraw one first" {
				t.Fatalf("override %d: %v", i, answer.Refusals)
			}
			w.step(hub.WithdrawOverride{Number: w.core.Overrides()[len(w.core.Overrides())-64].Number, By: people["bob"]})
			w.step(ask)
		}
		if err := w.core.Check(); err != nil {
			t.Fatal(err)
		}
	}
	if all := w.core.Overrides(); len(all) != 264 || all[0].Number != 300-264+1 {
		t.Errorf("%d overrides are remembered, from %d on", len(all), all[0].Number)
	}
}

// TestOverriddenOrderIsAmended: an order that passed by an override is amended to what the rules let pass. The override was for the order as it was sent.
func TestOverriddenOrderIsAmended(t *testing.T) {
	w := newWorld()
	w.open()
	files := policies()
	files[1].Text = "policy: trader\ntrader: alpha\nrules:\n  - {name: small, require: 'order.quantity <= 3'}\n"
	w.step(hub.LoadPolicies{Files: files, Language: policy.Language})
	meant := hub.OverrideOrder{Trader: "alpha", Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Qty: d("5"), Price: d("3500")}
	w.step(hub.AskOverride{Order: meant, Rules: []string{"small"}, Reason: "a hedge", For: time.Minute, By: people["anna"]})
	w.step(hub.ApproveOverride{Number: 1, By: people["bob"]})
	market := hub.MarketView{Last: d("3500"), Seen: w.now}
	sent := w.step(hub.SubmitOrder{
		Trader: "alpha", Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d("3500"), Qty: d("5")}, Market: market,
	})[0].(core.Decided)
	if sent.Override == nil {
		t.Fatalf("got %+v", sent)
	}
	w.step(hub.VenueReport{Gateway: "SIM", OrderID: sent.Order.ID, Kind: hub.ReportResting})
	if got := w.step(hub.AmendOrder{Trader: "alpha", OrderID: sent.Order.ID, Qty: d("4"), Market: market})[0].(core.AmendAnswered); len(got.Refusals) != 1 || got.Refusals[0].Rule != "small" {
		t.Errorf("to 4: %+v", got.Refusals)
	}
	if got := w.step(hub.AmendOrder{Trader: "alpha", OrderID: sent.Order.ID, Qty: d("3"), Market: market})[0].(core.AmendAnswered); len(got.Refusals) > 0 {
		t.Fatalf("to 3: %+v", got.Refusals)
	}
	w.step(hub.VenueReport{Gateway: "SIM", OrderID: sent.Order.ID, Kind: hub.ReportAmended, Amendment: 1, Price: d("3500"), Qty: d("3")})
	if o, _ := w.core.Order("", sent.Order.ID); !o.Qty.Equal(d("3")) {
		t.Errorf("the order is for %s", o.Qty)
	}
	if err := w.core.Check(); err != nil {
		t.Error(err)
	}
}

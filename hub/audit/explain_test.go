package audit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// desk is a hub whose journal is written by hand.
type desk struct {
	t       *testing.T
	dir     string
	core    *core.Core
	record  *audit.Recorder
	journal [][]byte
	now     hub.Time
}

var d = hub.MustDecimal

var rb = hub.Contract{
	Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Gateway: "SIM", Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: hub.Int(10), Tick: hub.Int(1), MinQty: hub.Int(1),
	SplitsToday: true, MarginLong: d("0.1"), MarginShort: d("0.1"),
}

func newDesk(t *testing.T) *desk {
	k := &desk{t: t, dir: t.TempDir(), core: core.New(), now: 1_795_424_400_000_000_000}
	k.record = open(t, k.dir, nil)
	k.step(hub.SetUp{Fund: "f", Currency: "CNY", Gateways: []hub.GatewayName{"SIM"}, Traders: []hub.TraderSetUp{{Name: "alpha", Capital: d("1000000")}}, Managers: []string{"margin"}})
	k.step(hub.Contracts{Gateway: "SIM", Contracts: []hub.Contract{rb}})
	k.step(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true})
	return k
}

func (k *desk) step(in hub.Input) []core.Effect {
	k.t.Helper()
	k.now += 1_000_000
	e := hub.Entry{Seq: k.core.Seq() + 1, Time: k.now, Input: in}
	data, err := codec.Encode(e)
	if err != nil {
		k.t.Fatal(err)
	}
	k.journal = append(k.journal, data)
	effects := k.core.Step(e)
	k.record.Take(e, data, effects)
	return effects
}

func (k *desk) load(by, fund, alpha string) string {
	k.t.Helper()
	answer := k.step(hub.LoadPolicies{By: by, Language: policy.Language, Files: []hub.PolicyFile{
		{Name: "fund.yaml", Text: "policy: fund\nrules:\n" + fund},
		{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\n" + alpha},
	}})
	a := answer[0].(core.PoliciesAnswered)
	if len(a.Errors) > 0 {
		k.t.Fatal(a.Errors)
	}
	return a.Revision
}

func (k *desk) submit(price, qty string, more ...func(*hub.SubmitOrder)) hub.OrderID {
	k.t.Helper()
	in := hub.SubmitOrder{
		Trader: "alpha", Market: hub.MarketView{Last: d("3500"), Seen: k.now}, Verdicts: []hub.Verdict{{Manager: "margin", Pass: true, Took: 1000}},
		Request: hub.OrderRequest{Instrument: rb.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: d(price), Qty: d(qty)},
	}
	for _, f := range more {
		f(&in)
	}
	return k.step(in)[0].(core.Decided).Order.ID
}

// again ends the process and starts another one: from its journal, or from a snapshot.
func (k *desk) again(snapshot bool) {
	k.t.Helper()
	finish(k.t, k.record, len(k.journal))
	k.record = open(k.t, k.dir, nil)
	p := &player{core.New(), k.journal, k.record}
	if snapshot {
		p = restored(k.t, k.journal, len(k.journal), k.record)
	}
	p.to(k.t, len(k.journal))
	k.core = p.core
	if err := k.record.CaughtUp(uint64(len(k.journal))); err != nil {
		k.t.Fatal(err)
	}
}

func (k *desk) explain(id hub.OrderID, lang hub.Lang) *audit.Explanation {
	k.t.Helper()
	if err := k.record.Written(k.t.Context(), uint64(len(k.journal))); err != nil {
		k.t.Fatal(err)
	}
	x, err := reader(k.t, k.dir).Explain(k.t.Context(), id, lang)
	if err != nil {
		k.t.Fatal(err)
	}
	return x
}

// summary is an explanation in short.
func summary(x *audit.Explanation) string {
	var b strings.Builder
	for _, e := range x.Decisions {
		fmt.Fprintf(&b, "%s %s %s\n", e.What, e.Decision.Outcome, e.Decision.Revision)
		for _, c := range e.Hub {
			if c.Outcome != "passed" {
				fmt.Fprintf(&b, "hub %s: %s: %s\n", c.Outcome, c.Name, c.Text)
			}
		}
		for _, r := range e.Rules {
			fmt.Fprintf(&b, "%s %s %s %s %s %s\n", r.Owner, r.Place, r.Name, r.Outcome, r.Text, r.Values)
		}
		for _, n := range e.Notes {
			fmt.Fprintf(&b, "note %s\n", n)
		}
	}
	return b.String()
}

const (
	oldRules = `limits: {order_value: 100_000}
rules:
  - name: order-value
    require: order.value <= limits.order_value
    because: {en: "order value {order.value} over {limits.order_value}", zh: "委托价值{order.value}超过{limits.order_value}"}
  - {name: collar, when: order.type == LIMIT, require: abs(order.price - market.last) <= 100}
  - {name: burst, require: 'trader.orders("1m") < 20', mode: shadow}
`
	newRules = "rules:\n  - {name: nothing-at-all, require: order.quantity > 1_000_000}\n"
)

// TestExplainedByTheRulesOfThen: after restarts and two changes of the policies, an order is explained by the rules and the values that decided it.
func TestExplainedByTheRulesOfThen(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		k := newDesk(t)
		first := k.load("anna", "  - {name: gross, require: fund.gross_after <= 1_000_000}\n", oldRules)
		refused := k.submit("3500", "20")
		passed := k.submit("3450", "2")
		k.step(hub.VenueReport{Gateway: "SIM", OrderID: passed, Kind: hub.ReportFill, TradeID: "t1", Price: d("3449"), Qty: d("2")})
		before := []string{summary(k.explain(refused, hub.English)), summary(k.explain(passed, hub.English))}
		k.load("ben", "  - {name: gross, require: fund.gross_after <= 1}\n", newRules)
		k.again(snapshot)
		k.load("cleo", "  - {name: other, require: order.price > 9_000}\n", strings.ReplaceAll(newRules, "nothing", "much"))
		k.step(hub.Marks{Marks: []hub.Mark{{Instrument: rb.Instrument, Price: d("9999")}}})
		k.again(snapshot)

		want := `order refused ` + first + `
alpha traders/alpha.yaml:5 order-value failed order value 700,000 over 100,000 [limits.order_value=100000 order.value=700000]
alpha traders/alpha.yaml:8 collar passed  [market.last=3500 order.price=3500 order.type=LIMIT]
alpha traders/alpha.yaml:9 burst passed  [trader.orders("1m")=0]
fund fund.yaml:3 gross passed  [fund.gross_after=700000]
`
		if diff := cmp.Diff(want, summary(k.explain(refused, hub.English))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if zh := k.explain(refused, hub.Chinese).Decisions[0]; zh.Rules[0].Text != "委托价值700,000超过100,000" || len(zh.Notes) > 0 {
			t.Errorf("in Chinese: %+v, notes %v", zh.Rules[0], zh.Notes)
		}
		for i, id := range []hub.OrderID{refused, passed} {
			if diff := cmp.Diff(before[i], summary(k.explain(id, hub.English))); diff != "" {
				t.Errorf("order %s is explained otherwise later (-before +after)\n%s", id, diff)
			}
		}
		x := k.explain(passed, hub.English)
		if by := x.Decisions[0].Policy; by == nil || by.By != "anna" || by.Revision != first {
			t.Errorf("loaded %+v", by)
		}
		var kinds []string
		for _, v := range x.Life {
			kinds = append(kinds, v.Kind)
		}
		if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "decision fill") {
			t.Errorf("its life is %s", got)
		}
		if v := x.Decisions[0].Decision.Verdicts; len(v) != 1 || v[0].Manager != "margin" || !v[0].Pass {
			t.Errorf("verdicts %+v", v)
		}
		if m := x.Decisions[0].Decision.Market; m == nil || !m.Last.Equal(d("3500")) {
			t.Errorf("market %+v", m)
		}
		finish(t, k.record, len(k.journal))
	}
}

// TestExplainWhatTheHubAsks: whatever the hub itself says no to is among its checks, by its own sentence.
func TestExplainWhatTheHubAsks(t *testing.T) {
	with := func(f func(*hub.OrderRequest)) func(*hub.SubmitOrder) {
		return func(in *hub.SubmitOrder) { f(&in.Request) }
	}
	for _, c := range []struct {
		name   string
		before []hub.Input
		change func(*hub.SubmitOrder)
		want   []string // parts of failing checks
		asked  bool     // the rules were
	}{
		{"fine", nil, func(*hub.SubmitOrder) {}, nil, true},
		{"no such contract", nil, with(func(r *hub.OrderRequest) { r.Symbol = "zz" }), []string{"a gateway trades the contract, and it can be valued: no gateway trades zz.SHFE"}, false},
		{"nonsense", nil, with(func(r *hub.OrderRequest) { r.Qty, r.Price = d("-1"), d("0") }), []string{"the order makes sense: direction, type, price, quantity, offset: a LIMIT order needs a price over 0, not 0; quantity -1 is out of range"}, false},
		{"halted", []hub.Input{hub.SetState{State: hub.Halted, By: "eve", Reason: "fire"}}, func(*hub.SubmitOrder) {}, []string{"the states of trader, fund and gateway allow it: the fund is HALTED since", "by eve: fire"}, true},
		{
			"twice",
			[]hub.Input{hub.SetState{State: hub.Halted, By: "eve"}, hub.SetState{Scope: hub.ScopeTrader, Name: "alpha", State: hub.ReduceOnly, By: "eve"}},
			func(*hub.SubmitOrder) {},
			[]string{"alpha is REDUCE_ONLY", "the fund is HALTED"},
			true,
		},
		{"gateway down", []hub.Input{hub.GatewayState{Gateway: "SIM", Reason: "no line"}}, func(*hub.SubmitOrder) {}, []string{"the gateway is up: gateway SIM is down: no line"}, true},
		{"nothing to close", nil, with(func(r *hub.OrderRequest) { r.Direction, r.Offset = hub.Short, hub.Close }), []string{"what it closes is there and free: 1 of rb2701.SHFE are to be closed, and only 0 of the"}, true},
		{"no market", nil, func(in *hub.SubmitOrder) { in.Market, in.Request.Type = hub.MarketView{}, hub.Market }, []string{"the order has a value: the order has no value: no market in rb2701.SHFE yet"}, true},
	} {
		k := newDesk(t)
		k.load("anna", "  - {name: any, require: order.quantity > 0}\n", "rules:\n  - {name: any, require: order.quantity > 0}\n")
		for _, in := range c.before {
			k.step(in)
		}
		x := k.explain(k.submit("3500", "1", c.change), hub.English)
		e := x.Decisions[0]
		failed := ""
		for _, check := range e.Hub {
			if check.Outcome == "failed" {
				failed += check.Name + ": " + check.Text + "\n"
			}
		}
		for _, want := range c.want {
			if !strings.Contains(failed, want) {
				t.Errorf("%s: failed %q, want %q", c.name, failed, want)
			}
		}
		if len(c.want) == 0 && failed != "" {
			t.Errorf("%s: failed %q", c.name, failed)
		}
		if c.asked != (len(e.Rules) > 0) {
			t.Errorf("%s: %d rules, notes %v", c.name, len(e.Rules), e.Notes)
		}
		for _, note := range e.Notes {
			if strings.Contains(note, "do not say now") {
				t.Errorf("%s: %s", c.name, note)
			}
		}
		finish(t, k.record, len(k.journal))
	}
}

// TestExplainAgreesWithEveryDecision: in a long history of all that can happen, every decision that rules were asked about is explained, and as it was made.
func TestExplainAgreesWithEveryDecision(t *testing.T) {
	for seed := range *seeds {
		journal := story(t, 20+seed)
		dir := t.TempDir()
		r := open(t, dir, nil)
		p := &player{core.New(), journal, r}
		p.to(t, len(journal))
		finish(t, r, len(journal))
		from := reader(t, dir)
		all, err := from.Rows(t.Context(), audit.Filter{Kinds: []string{"decision"}})
		if err != nil {
			t.Fatal(err)
		}
		var seen []hub.OrderID
		explained, refused := 0, 0
		for _, row := range all {
			if row.Order == "" || slices.Contains(seen, row.Order) {
				continue
			}
			seen = append(seen, row.Order)
			x, err := from.Explain(t.Context(), row.Order, hub.English)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range x.Decisions {
				for _, note := range e.Notes {
					if strings.Contains(note, "do not say now") || strings.Contains(note, "not in the record") {
						t.Errorf("seed %d, order %s: %s\n%s\n%+v", seed, row.Order, note, summary(x), e.Decision)
					}
				}
				if e.Decision.Asked && len(e.Rules) == 0 {
					t.Errorf("seed %d, order %s: no rules", seed, row.Order)
				}
				explained += len(e.Rules)
				refused += len(e.Decision.Refusals)
			}
		}
		if explained < 100 || refused == 0 {
			t.Errorf("seed %d: %d rules and %d refusals are too few to tell", seed, explained, refused)
		}
	}
}

// TestValuesComeBack: what rules were told is written and read without losing a digit.
func TestValuesComeBack(t *testing.T) {
	for _, v := range []policy.Value{
		policy.Number(d("3500.50")), policy.Number(d("-0.00000001")), policy.Number(d("9999999999999999999")), policy.Number(hub.Decimal{}),
		policy.Text("3500"), policy.Text("true"), policy.Text(""), policy.Text(`{"missing":"x"}`), policy.Truth(true), policy.Truth(false), policy.Missing("no tick yet"), policy.Missing(""),
	} {
		b, err := json.Marshal(audit.Value{Value: v})
		if err != nil {
			t.Fatal(err)
		}
		var back audit.Value
		if err := json.Unmarshal(b, &back); err != nil || back.Value != v {
			t.Errorf("%s: got %+v, want %+v, %v", b, back.Value, v, err)
		}
	}
}

// TestPolicyLog: every load is there with its whole text, refused ones too, and a revision may be shortened.
func TestPolicyLog(t *testing.T) {
	k := newDesk(t)
	first := k.load("anna", "  - {name: a, require: order.quantity > 0}\n", newRules)
	bad := []hub.PolicyFile{{Name: "fund.yaml", Text: "policy: fund\nrules: 1\n"}}
	k.step(hub.PoliciesRefused{By: "ben", Files: bad, Errors: []string{"fund.yaml:2:8: no"}, Language: policy.Language})
	second := k.load("cleo", "  - {name: b, require: order.quantity > 0}\n", newRules)
	third := k.load("anna", "  - {name: a, require: order.quantity > 0}\n", newRules)
	if first != third || first == second {
		t.Fatal("revisions are hashes of the text")
	}
	finish(t, k.record, len(k.journal))
	r := reader(t, k.dir)
	all, err := r.Loads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, l := range all {
		got += fmt.Sprintf("%s %t %s %d %v\n", l.By, l.Revision == first, l.InForce, len(l.Files), l.Errors)
	}
	want := fmt.Sprintf("anna true %s 2 []\nben false  1 [fund.yaml:2:8: no]\ncleo false %s 2 []\nanna true %s 2 []\n", first, second, first)
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	l, files, err := r.Policy(t.Context(), first[:6])
	if err != nil || l.Row.N != all[3].Row.N || len(files) != 2 || !strings.Contains(files[0].Text, "name: a") {
		t.Errorf("row %d, %d files, %v", l.Row.N, len(files), err)
	}
	if _, files, err := r.Policy(t.Context(), all[1].Revision); err != nil || files[0] != bad[0] {
		t.Errorf("the refused one: %v, %v", files, err)
	}
	if _, _, err := r.Policy(t.Context(), "zzz"); !audit.IsUnknown(err) || err.Error() != `no policy of revision "zzz" was ever loaded here` {
		t.Errorf("got %v", err)
	}
	if _, _, err := r.Policy(t.Context(), ""); !audit.IsUnknown(err) {
		t.Errorf("got %v", err)
	}
}

// TestExplainOverride: an order that passed by an override is explained with the rule that was lifted, who asked and who approved.
func TestExplainOverride(t *testing.T) {
	k := newDesk(t)
	k.load("anna", "  - {name: any, require: order.quantity > 0}\n", oldRules)
	anna, bob := hub.Person{Name: "anna", UID: 1}, hub.Person{Name: "bob", UID: 2}
	k.step(hub.AskOverride{
		Order: hub.OverrideOrder{Trader: "alpha", Instrument: rb.Instrument, Direction: hub.Long, Qty: d("20")}, Rules: []string{"order-value"}, Reason: "the roll", For: time.Hour, By: anna,
	})
	k.step(hub.ApproveOverride{Number: 1, By: bob})
	id := k.submit("3500", "20")
	x := k.explain(id, hub.English)
	e := x.Decisions[0]
	if e.Decision.Outcome != "sent" || len(e.Notes) > 0 || len(e.Decision.Lifted) != 1 || e.Decision.Override["reason"] != "the roll" {
		t.Errorf("%+v, notes %v", e.Decision, e.Notes)
	}
	if r := e.Rules[0]; r.Name != "order-value" || r.Outcome != "failed" || !r.Lifted {
		t.Errorf("%+v", r)
	}
	for _, r := range e.Rules[1:] {
		if r.Lifted {
			t.Errorf("%s was lifted", r.Name)
		}
	}
	all, err := reader(t, k.dir).Rows(t.Context(), audit.Filter{Kinds: []string{"ask-override", "approve-override"}})
	if err != nil || len(all) != 2 || !strings.Contains(all[0].Body, "the roll") || !strings.Contains(all[0].Body, "anna") || !strings.Contains(all[1].Body, "bob") {
		t.Errorf("%v, %v", all, err)
	}
	finish(t, k.record, len(k.journal))
}

// TestExplainAmendment: what was decided of an amendment is explained as a decision of its own.
func TestExplainAmendment(t *testing.T) {
	k := newDesk(t)
	k.load("anna", "  - {name: any, require: order.quantity > 0}\n", oldRules)
	id := k.submit("3450", "2")
	k.step(hub.VenueReport{Gateway: "SIM", OrderID: id, Kind: hub.ReportResting})
	k.step(hub.AmendOrder{Trader: "alpha", OrderID: id, Qty: d("30"), Market: hub.MarketView{Last: d("3500"), Seen: k.now}, Verdicts: []hub.Verdict{{Manager: "margin", Pass: true}}})
	x := k.explain(id, hub.English)
	if len(x.Decisions) != 2 || x.Decisions[1].What != "amendment" {
		t.Fatalf("%+v", x.Decisions)
	}
	e := x.Decisions[1]
	if e.Decision.Outcome != "refused" || len(e.Decision.Refusals) == 0 || !e.Order.Quantity.Equal(d("30")) || !e.Order.Price.Equal(d("3450")) {
		t.Errorf("%+v of %+v", e.Decision, e.Order)
	}
	if len(e.Notes) > 0 || len(e.Rules) == 0 || e.Rules[0].Name != "order-value" || e.Rules[0].Outcome != "failed" {
		t.Errorf("notes %v, rules %+v", e.Notes, e.Rules)
	}
	for _, check := range e.Hub {
		if check.Outcome != "passed" {
			t.Errorf("%+v", check)
		}
	}
	if first := x.Decisions[0]; first.Decision.Outcome != "sent" || !first.Order.Quantity.Equal(d("2")) {
		t.Errorf("%+v", first)
	}
	if last := x.Life[len(x.Life)-1]; last.Kind != "amendment" || last.Body.Amendment.By != "its owner" {
		t.Errorf("%+v", last)
	}
	finish(t, k.record, len(k.journal))
}

// TestWhoseRule: fund and trader use the same rule of a library, the trader with a limit of its own. Explain says whose refused, and whose an override lifted.
func TestWhoseRule(t *testing.T) {
	for _, c := range []struct {
		name, fund, trader string
		lift               []string
		want               []string // whose rules are against it, and whether they are lifted
	}{
		{"the fund's refuses", "5", "50", nil, []string{"fund false"}},
		{"the trader's refuses", "50", "5", nil, []string{"alpha false"}},
		{"both refuse", "5", "6", nil, []string{"alpha false", "fund false"}},
		{"the fund's is lifted", "5", "50", []string{"fund:size"}, []string{"fund true"}},
		{"the trader's is lifted", "50", "5", []string{"trader:size"}, []string{"alpha true"}},
		{"both are lifted", "5", "6", []string{"fund:size", "trader:size"}, []string{"alpha true", "fund true"}},
	} {
		k := newDesk(t)
		use := func(size string) string { return "use:\n  - file: lib.yaml\n    limits: {size: " + size + "}\n" }
		answer := k.step(hub.LoadPolicies{By: "anna", Language: policy.Language, Files: []hub.PolicyFile{
			{Name: "fund.yaml", Text: "policy: fund\n" + use(c.fund)},
			{Name: "lib.yaml", Text: "policy: library\nsource: {title: t, date: 2025-10-09}\nnot_covered: n\nverify: v\nlimits: {size: 1}\nrules:\n  - {name: size, require: order.quantity <= limits.size}\n"},
			{Name: "traders/alpha.yaml", Text: "policy: trader\ntrader: alpha\n" + use(c.trader)},
		}})
		if a := answer[0].(core.PoliciesAnswered); len(a.Errors) > 0 {
			t.Fatal(a.Errors)
		}
		if c.lift != nil {
			k.step(hub.AskOverride{
				Order: hub.OverrideOrder{Trader: "alpha", Instrument: rb.Instrument, Direction: hub.Long, Qty: d("20")}, Rules: c.lift, Reason: "the roll", For: time.Hour,
				By: hub.Person{Name: "anna", UID: 1},
			})
			k.step(hub.ApproveOverride{Number: 1, By: hub.Person{Name: "bob", UID: 2}})
		}
		x := k.explain(k.submit("3500", "20"), hub.English)
		var got, recorded []string
		for _, r := range x.Decisions[0].Rules {
			if r.Refuses {
				got = append(got, fmt.Sprintf("%s %t", r.Owner, r.Lifted))
			}
		}
		record := func(all []audit.Refusal, lifted bool) {
			for _, r := range all {
				recorded = append(recorded, fmt.Sprintf("%s %t", map[bool]string{false: "alpha", true: "fund"}[r.Fund], lifted))
			}
		}
		record(x.Decisions[0].Decision.Refusals, false)
		record(x.Decisions[0].Decision.Lifted, true)
		if !slices.Equal(got, c.want) || !slices.Equal(recorded, c.want) || len(x.Decisions[0].Notes) > 0 {
			t.Errorf("%s: explained %q, recorded %q, want %q; notes %v", c.name, got, recorded, c.want, x.Decisions[0].Notes)
		}
		finish(t, k.record, len(k.journal))
	}
}

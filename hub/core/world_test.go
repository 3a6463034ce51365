package core_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"tradehub/hub"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// world drives a core by hand: every input goes through the codec, as it would through the journal.
type world struct {
	core    *core.Core
	entries []hub.Entry
	now     hub.Time
	effects []core.Effect

	askedAt, askedBefore uint64 // when the hub asked a venue last, and the time before that
}

// t0 is 2026-11-23 09:00:00 UTC.
const t0 = hub.Time(1_795_424_400_000_000_000)

func newWorld() *world { return &world{core: core.New(), now: t0} }

func (w *world) step(in hub.Input) []core.Effect {
	b, err := codec.Encode(hub.Entry{Time: w.now, Input: in})
	if err != nil {
		panic(err)
	}
	e, err := codec.Decode(b)
	if err != nil {
		panic(err)
	}
	e.Seq = w.core.Seq() + 1
	w.entries = append(w.entries, e)
	w.effects = w.core.Step(e)
	for _, e := range w.effects {
		if ask, is := e.(core.AskVenue); is {
			w.askedBefore, w.askedAt = w.askedAt, ask.AskedAt
		}
	}
	return w.effects
}

// restart saves the state and makes a new core of it.
func (w *world) restart() error {
	b, err := codec.EncodeImage(w.core.Image())
	if err != nil {
		return err
	}
	im, err := codec.DecodeImage(b)
	if err != nil {
		return err
	}
	w.core, err = core.Restore(im)
	return err
}

func (w *world) digest() string {
	d, err := codec.Digest(w.core.Image())
	if err != nil {
		panic(err)
	}
	return d
}

// replay steps a new core through the same entries.
func (w *world) replay() string {
	again := &world{core: core.New()}
	for _, e := range w.entries {
		again.core.Step(e)
	}
	return again.digest()
}

var (
	d  = hub.MustDecimal
	rb = hub.Contract{
		Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Gateway: "SIM", Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: d("10"), Tick: d("1"),
		MinQty: d("1"), MaxQty: d("500"), StopSupported: true, SplitsToday: true, MarginLong: d("0.1"), MarginShort: d("0.1"),
		Fees: hub.Fees{OpenByValue: d("0.0001"), CloseByValue: d("0.0001"), CloseTodayByValue: d("0.0002")},
	}
	soy = hub.Contract{
		Instrument: hub.Instrument{Symbol: "m2705", Exchange: "DCE"}, Gateway: "SIM", Product: "m", Kind: hub.Futures, Currency: "CNY", Size: d("10"), Tick: d("1"),
		MinQty: d("1"), MarginLong: d("0.08"), MarginShort: d("0.08"), Fees: hub.Fees{OpenPerUnit: d("1.5"), ClosePerUnit: d("1.5"), CloseTodayPerUnit: d("0.75")},
	}
	share = hub.Contract{
		Instrument: hub.Instrument{Symbol: "600519", Exchange: "SSE"}, Gateway: "SIM", Product: "600519", Kind: hub.Equity, Currency: "CNY", Size: d("1"),
		Tick: d("0.01"), MinQty: d("100"), NetPosition: true, Fees: hub.Fees{OpenByValue: d("0.00025"), CloseByValue: d("0.00125"), CloseTodayByValue: d("0.00125")},
	}
	coin = hub.Contract{
		Instrument: hub.Instrument{Symbol: "BTCUSDT", Exchange: "GLOBAL"}, Gateway: "SIM", Product: "BTCUSDT", Kind: hub.Spot, Currency: "USDT", Size: d("1"),
		Tick: d("0.01"), MinQty: d("0.0001"), NetPosition: true,
	}
	swap = hub.Contract{
		Instrument: hub.Instrument{Symbol: "BTC-PERP", Exchange: "GLOBAL"}, Gateway: "SIM", Product: "BTC", Kind: hub.Swap, Currency: "CNY", Size: d("1"), Tick: d("1"),
		MinQty: d("1"), NetPosition: true, MarginLong: d("0.1"), MarginShort: d("0.1"),
	}
	nextDay = hub.Contract{ // an A share, T+1
		Instrument: hub.Instrument{Symbol: "000001", Exchange: "SZSE"}, Gateway: "SIM", Product: "000001", Kind: hub.Equity, Currency: "CNY", Size: d("1"),
		Tick: d("0.01"), MinQty: d("100"), NetPosition: true, SellNextDay: true, Fees: hub.Fees{OpenByValue: d("0.00025"), CloseByValue: d("0.00125"), CloseTodayByValue: d("0.9")},
	}
	// Margin in another currency, where one nets and where one does not.
	ether = hub.Contract{
		Instrument: hub.Instrument{Symbol: "ETH-PERP", Exchange: "GLOBAL"}, Gateway: "SIM", Product: "ETH", Kind: hub.Swap, Currency: "USDT", Size: d("1"), Tick: d("0.1"),
		MinQty: d("1"), NetPosition: true, MarginLong: d("0.1"), MarginShort: d("0.1"), Fees: hub.Fees{OpenByValue: d("0.0005"), CloseByValue: d("0.0005"), CloseTodayByValue: d("0.0005")},
	}
	gold = hub.Contract{
		Instrument: hub.Instrument{Symbol: "XAU", Exchange: "GLOBAL"}, Gateway: "SIM", Product: "XAU", Kind: hub.Futures, Currency: "USDT", Size: d("10"), Tick: d("0.1"),
		MinQty: d("1"), MarginLong: d("0.05"), MarginShort: d("0.05"), Fees: hub.Fees{OpenPerUnit: d("1.5"), ClosePerUnit: d("1.5"), CloseTodayPerUnit: d("1.5")},
	}
	contracts = []hub.Contract{rb, soy, share, coin, swap, nextDay, ether, gold}
)

const openPolicy = `policy: fund
rules:
  - name: quantity
    require: order.quantity <= 100
`

const alphaPolicy = `policy: trader
trader: %s
limits:
  position: 20
rules:
  - name: position
    when: contract.kind == FUTURES
    require: trader.position.long_after <= limits.position and trader.position.short_after <= limits.position
    because: "{trader.position.long_after} long, {trader.position.short_after} short, over {limits.position}"
  - name: burst
    require: trader.orders("10s") < 20
`

func policies() []hub.PolicyFile {
	return []hub.PolicyFile{
		{Name: "fund.yaml", Text: openPolicy},
		{Name: "traders/alpha.yaml", Text: fmt.Sprintf(alphaPolicy, "alpha")},
		{Name: "traders/beta.yaml", Text: fmt.Sprintf(alphaPolicy, "beta")},
	}
}

// withFundKey are the policies with one more line in the fund's.
func withFundKey(line string) []hub.PolicyFile {
	files := policies()
	files[0].Text = line + "\n" + files[0].Text
	return files
}

func setUp() hub.SetUp {
	return hub.SetUp{
		Fund: "evergreen", Currency: "CNY", Gateways: []hub.GatewayName{"SIM"}, Rates: []hub.Rate{{Currency: "USDT", Rate: d("7")}},
		Calendar: "cn-futures", Calendars: []hub.ExchangeCalendar{{Exchange: "SSE", Calendar: "cn-stock"}, {Exchange: "GLOBAL", Calendar: "crypto"}},
		Traders: []hub.TraderSetUp{{Name: "alpha", Capital: d("2000000")}, {Name: "beta", Capital: d("500000")}},
	}
}

// open brings a world to the morning of a trading day: gateway up, rules loaded.
func (w *world) open() {
	w.step(setUp())
	w.step(hub.RollDay{Day: "20261123"})
	w.step(hub.LoadPolicies{Files: policies(), By: "test", Language: policy.Language})
	w.step(hub.Contracts{Gateway: "SIM", Contracts: contracts})
	w.step(hub.GatewayState{Gateway: "SIM", Up: true, Amends: true})
}

// TestStories runs testdata/step: commands in, effects out, books shown. Run with -rewrite and read the diff.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/step", func(t *testing.T, path string) {
		w := newWorld()
		last, fundKey := hub.OrderID(""), ""
		datadriven.RunTest(t, path, func(t *testing.T, cmd *datadriven.TestData) string {
			arg := func(name, def string) string {
				for _, a := range cmd.CmdArgs {
					if a.Key == name {
						return strings.Join(a.Vals, ",")
					}
				}
				return def
			}
			has := func(name string) bool { return cmd.HasArg(name) }
			id := func() hub.OrderID {
				if n := arg("order", ""); n != "" {
					return w.id(n)
				}
				return last
			}
			report := func(kind hub.ReportKind) string {
				price, qty := arg("price", "0"), arg("qty", "0")
				n, _ := strconv.ParseUint(arg("n", "0"), 10, 64)
				return w.tell(w.step(hub.VenueReport{
					Amendment: n, Gateway: "SIM", OrderID: id(), Kind: kind, VenueID: arg("venue", ""), Reason: arg("reason", ""), TradeID: arg("trade", ""), Price: d(price), Qty: d(qty), VenueTime: ago(w.now, arg("ago", "")),
				}))
			}
			asked := func() hub.Time { // so many seconds ago
				n, _, _ := d(arg("asked", "0")).Int64(0)
				return w.now - hub.Time(n)*1e9
			}
			if at := arg("after", ""); at != "" {
				var seconds float64
				if _, err := fmt.Sscan(at, &seconds); err != nil {
					t.Fatal(err)
				}
				w.now += hub.Time(seconds * 1e9)
			}
			switch cmd.Cmd {
			case "open": // open [zh]: alpha reads Chinese
				if w.open(); has("zh") {
					in := setUp()
					in.Traders[0].Language = hub.Chinese
					w.step(in)
					w.step(hub.GatewayState{Gateway: "SIM", Up: true})
				}
				return "ok\n"
			case "rules": // more of the fund's
				files := policies()
				files[0].Text = fundKey + files[0].Text + "  " + strings.ReplaceAll(strings.TrimSpace(cmd.Input), "\n", "\n  ") + "\n"
				return w.tell(w.step(hub.LoadPolicies{Files: files, Language: policy.Language}))
			case "policy": // the fund's, whole
				files := policies()
				files[0].Text = cmd.Input + "\n"
				return w.tell(w.step(hub.LoadPolicies{Files: files, Language: policy.Language}))
			case "fund": // a key of the fund's policy
				fundKey = cmd.CmdArgs[0].Key + ": " + cmd.CmdArgs[0].Vals[0] + "\n"
				files := policies()
				files[0].Text = fundKey + files[0].Text
				return w.tell(w.step(hub.LoadPolicies{Files: files, Language: policy.Language}))
			case "margin": // the gateway names another rate
				changed := slices.Clone(contracts)
				changed[0].MarginLong = d(arg("long", "0"))
				return w.tell(w.step(hub.Contracts{Gateway: "SIM", Contracts: changed}))
			case "submit":
				req, err := request(cmd.CmdArgs)
				if err != nil {
					t.Fatal(err)
				}
				in := hub.SubmitOrder{
					Trader: hub.TraderName(arg("trader", "alpha")), Request: req, Gateway: hub.GatewayName(arg("gateway", "")),
					Market: hub.MarketView{Last: d(arg("last", "3500")), LimitUp: d(arg("up", "0")), Seen: w.now, Session: w.session(t, cmd)},
				}
				in.Market.Bid, in.Market.Ask, in.Market.PreClose = d(arg("bid", "0")), d(arg("ask", "0")), d(arg("pre", "0"))
				in.Asked = asked()
				out := w.tell(w.step(in))
				if decided, ok := w.effects[0].(core.Decided); ok {
					last = decided.Order.ID
				}
				return out
			case "take":
				req, err := request(cmd.CmdArgs)
				if err != nil {
					t.Fatal(err)
				}
				out := w.tell(w.step(hub.TakeOrder{Trader: hub.TraderName(arg("trader", "alpha")), Request: req, Ask: 7, Asked: asked()}))
				if taken, ok := w.effects[0].(core.Taken); ok {
					last = taken.Order.ID
				}
				return out
			case "judge":
				return w.tell(w.step(hub.JudgeOrder{Ask: 7, Market: hub.MarketView{Last: d("3500"), Seen: w.now}}))
			case "again": // what the risk managers say of an order that waited
				for _, o := range w.core.Image().Orders {
					if o.ID == id() {
						return w.tell(w.step(hub.JudgeOrder{Ask: o.Ask, Market: hub.MarketView{Last: d(arg("last", "3500")), Seen: w.now}}))
					}
				}
				return "no such order\n"
			case "expire":
				return w.tell(w.step(hub.ExpireWaits{Since: w.now - 10e9}))
			case "cancel":
				return w.tell(w.step(hub.CancelOrder{Trader: hub.TraderName(arg("trader", "alpha")), OrderID: id(), By: arg("by", "")}))
			case "accepted":
				return report(hub.ReportAccepted)
			case "resting":
				return report(hub.ReportResting)
			case "fill":
				return report(hub.ReportFill)
			case "cancelled":
				return report(hub.ReportCancelled)
			case "rejected":
				return report(hub.ReportRejected)
			case "cancel-rejected":
				return report(hub.ReportCancelRejected)
			case "cancel-not-sent":
				return report(hub.ReportCancelNotSent)
			case "not-sent":
				return report(hub.ReportNotSent)
			case "amend": // price= qty= trader= by= asked= from=QTY@PRICE
				fromQty, fromPrice, _ := strings.Cut(arg("from", "0@0"), "@")
				return w.tell(w.step(hub.AmendOrder{
					Trader: hub.TraderName(arg("trader", "alpha")), OrderID: id(), Price: d(arg("price", "0")), Qty: d(arg("qty", "0")), By: arg("by", ""), Asked: asked(),
					Market: hub.MarketView{Last: d(arg("last", "3500")), Seen: w.now}, FromQty: d(fromQty), FromPrice: d(fromPrice),
				}))
			case "amended": // n= price= qty=
				return report(hub.ReportAmended)
			case "amend-rejected":
				return report(hub.ReportAmendRejected)
			case "amend-not-sent":
				return report(hub.ReportAmendNotSent)
			case "doubt-amends":
				return w.tell(w.step(hub.DoubtAmendments{Since: w.now - 30e9}))
			case "held": // what alpha's orders count for
				return w.held()
			case "gateway":
				return w.tell(w.step(hub.GatewayState{Gateway: "SIM", Up: has("up"), Amends: has("up") && !has("plain"), Reason: arg("reason", "")}))
			case "venue": // what the venue answers: a line an order. With again the hub has asked once more, just now; with earlier it is the answer to the last question but one
				in := w.answer(t, cmd.Input, has("complete"))
				switch {
				case has("again"):
					in.AskedAt = w.core.Seq()
				case has("earlier"):
					in.AskedAt = w.askedBefore
				default:
					in.AskedAt = w.askedAt
				}
				return w.tell(w.step(in))
			case "mark":
				i, _ := hub.ParseInstrument(arg("contract", "rb2701.SHFE"))
				return w.tell(w.step(hub.Marks{Marks: []hub.Mark{{Instrument: i, Price: d(arg("price", "0"))}}}))
			case "halt":
				return w.tell(w.step(hub.Halt{Trader: hub.TraderName(arg("trader", "")), On: !has("off"), By: "olivia", Reason: arg("reason", "")}))
			case "flatten": // trader= gateway= contract=
				i, _ := hub.ParseInstrument(arg("contract", ""))
				return w.tell(w.step(hub.Flatten{
					Part: hub.Part{Trader: hub.TraderName(arg("trader", "")), Gateway: hub.GatewayName(arg("gateway", "")), Instrument: i}, By: "olivia", Reason: arg("reason", ""),
				}))
			case "flatten-step": // last= bid= ask= up= down=, or none
				markets, _ := w.core.FlattenMarkets()
				for i := range markets {
					if !has("none") {
						markets[i].Market = hub.MarketView{
							Last: d(arg("last", "3500")), Bid: d(arg("bid", "0")), Ask: d(arg("ask", "0")), LimitUp: d(arg("up", "0")), LimitDown: d(arg("down", "0")), Seen: w.now,
						}
					}
				}
				return w.tell(w.step(hub.FlattenStep{Markets: markets}))
			case "flattening":
				var b strings.Builder
				for _, f := range w.core.Flattenings() {
					fmt.Fprintf(&b, "%s by %s %q: %s\n", f.Part, f.By, f.Why, strings.Join(f.Rest, "; "))
				}
				return b.String()
			case "watch": // of alpha, of another trader=, or of the fund
				files := policies()
				at := slices.Index([]string{"fund", "alpha", "beta"}, arg("trader", "alpha"))
				files[at].Text += "watch:\n  " + strings.ReplaceAll(strings.TrimSpace(cmd.Input), "\n", "\n  ") + "\n"
				return w.tell(w.step(hub.LoadPolicies{Files: files, Language: policy.Language}))
			case "clock":
				return w.tell(w.step(hub.Clock{}))
			case "watches":
				var b strings.Builder
				for _, x := range w.core.Watches() {
					fmt.Fprintf(&b, "%s %s: fired %t, %d times, daily %t, blind %q, then %v %v\n", x.Place, x.Name, x.Fired, x.Times, x.Daily, x.Blind, x.Then, x.Values)
				}
				return b.String()
			case "cancel-all": // trader= gateway= contract=
				i, _ := hub.ParseInstrument(arg("contract", ""))
				return w.tell(w.step(hub.CancelAll{
					Part: hub.Part{Trader: hub.TraderName(arg("trader", "")), Gateway: hub.GatewayName(arg("gateway", "")), Instrument: i}, By: "olivia", Reason: arg("reason", ""),
				}))
			case "state": // state halted|cancel-only|reduce-only|active trader=|gateway=
				in := hub.SetState{Name: arg("trader", arg("gateway", "")), By: "olivia", Reason: arg("reason", "")}
				switch {
				case has("trader"):
					in.Scope = hub.ScopeTrader
				case has("gateway"):
					in.Scope = hub.ScopeGateway
				}
				for _, s := range []hub.State{hub.Active, hub.ReduceOnly, hub.CancelOnly, hub.Halted} {
					if has(strings.ToLower(s.String())) {
						in.State = s
					}
				}
				return w.tell(w.step(in))
			case "roll":
				in := hub.RollDay{Day: hub.Day(arg("day", "")), Calendar: arg("calendar", "")}
				if has("began") {
					in.Began = w.now
				}
				return w.tell(w.step(in))
			case "rates": // rates USDT=7.2 USD=7 [jump]
				in := hub.SetRates{By: "olivia", Jump: has("jump")}
				for _, a := range cmd.CmdArgs {
					if a.Key == strings.ToUpper(a.Key) {
						in.Rates = append(in.Rates, hub.Rate{Currency: a.Key, Rate: d(strings.Join(a.Vals, ""))})
					}
				}
				return w.tell(w.step(in))
			case "start": // the hub starts with these rates in hub.yaml: start USDT=7.2 [max-age=1h]
				in := setUp()
				in.Rates = nil
				for _, a := range cmd.CmdArgs {
					if a.Key == strings.ToUpper(a.Key) {
						in.Rates = append(in.Rates, hub.Rate{Currency: a.Key, Rate: d(strings.Join(a.Vals, ""))})
					}
				}
				in.RatesMaxAge, _ = time.ParseDuration(arg("max-age", "0s"))
				effects := w.step(in)
				effects = append(slices.Clone(effects), w.step(hub.GatewayState{Gateway: "SIM", Up: true})...)
				return w.tell(effects) + w.rates()
			case "orders":
				return w.orders()
			case "restart":
				before := w.digest()
				if err := w.restart(); err != nil {
					return err.Error() + "\n"
				}
				if after := w.digest(); after != before {
					return "the digest changed\n"
				}
				return w.tell(w.step(setUp()))
			case "book":
				return w.show(hub.TraderName(arg("trader", "alpha")))
			case "transfer":
				return w.tell(w.step(w.transfer(cmd)))
			case "capital":
				return w.tell(w.step(hub.TransferCapital{
					From: hub.TraderName(arg("from", "")), To: hub.TraderName(arg("to", "")), Amount: d(arg("amount", "0")), By: "olivia", Reason: arg("reason", ""),
				}))
			case "statement": // a line a position: contract direction today yesterday price
				in := statement(cmd.Input, arg("day", ""), !has("inexact"))
				if has("balance") {
					in.Money = []hub.VenueMoney{{Currency: arg("currency", "CNY"), Balance: d(arg("balance", "0"))}}
				}
				return w.tell(w.step(in))
			case "breaks":
				var b strings.Builder
				for _, x := range w.core.Breaks() {
					fmt.Fprintf(&b, "%s %s %s: hub %s, venue %s\n", x.Gateway, x.Instrument, x.Direction, x.Hub, x.Venue)
				}
				return b.String()
			case "figures":
				return w.figures(hub.TraderName(arg("trader", "alpha")))
			case "check":
				if err := w.core.Check(); err != nil {
					return err.Error() + "\n"
				}
				if w.replay() != w.digest() {
					return "replay gives another state\n"
				}
				return "ok\n"
			}
			if in, ok := overrideCommand(t, cmd); ok {
				return w.tell(w.step(in))
			}
			if cmd.Cmd == "overrides" {
				return w.overrides()
			}
			t.Fatalf("%s: no such command: %s", cmd.Pos, cmd.Cmd)
			return ""
		})
	})
}

// rates shows the newest word on every currency.
func (w *world) rates() string {
	var b strings.Builder
	for _, r := range w.core.Rates() {
		fmt.Fprintf(&b, "%s %s, by %s, %s old", r.Currency, r.Rate.Rate, r.By, w.core.Now().Sub(r.At))
		if r.Old {
			b.WriteString(", too old")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// id turns the number of an order into its id.
func (w *world) id(n string) hub.OrderID {
	orders := w.core.Orders("", false)
	if len(orders) == 0 {
		return hub.OrderID(n)
	}
	for _, o := range orders { // a restart gives ids another first part
		if strings.HasSuffix(string(o.ID), "-"+n) {
			return o.ID
		}
	}
	head, _, _ := strings.Cut(string(orders[0].ID), "-")
	return hub.OrderID(head + "-" + n)
}

// request reads "alpha buy open rb2701.SHFE 5 @3500 type=FAK".
func request(args []datadriven.CmdArg) (hub.OrderRequest, error) {
	r := hub.OrderRequest{Type: hub.Limit}
	for _, a := range args {
		switch a.Key {
		case "buy":
			r.Direction = hub.Long
		case "sell":
			r.Direction = hub.Short
		case "open", "close", "close_today", "close_yesterday":
			o, err := hub.ParseOffset(strings.ToUpper(a.Key))
			if err != nil {
				return r, err
			}
			r.Offset = o
		case "type":
			o, err := hub.ParseOrderType(a.Vals[0])
			if err != nil {
				return r, err
			}
			r.Type = o
		case "qty":
			r.Qty = d(a.Vals[0])
		case "price":
			r.Price = d(a.Vals[0])
		case "contract":
			r.Instrument, _ = hub.ParseInstrument(a.Vals[0])
		}
	}
	if r.Symbol == "" {
		r.Instrument = rb.Instrument
	}
	return r, nil
}

// answer reads lines such as "1 RESTING t1:2@3500 t2:1@3501".
func (w *world) answer(t *testing.T, text string, complete bool) hub.Reconcile {
	in := hub.Reconcile{Gateway: "SIM", Complete: complete}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		id := w.id(f[0])
		in.Asked = append(in.Asked, id)
		if f[1] == "unknown" {
			continue
		}
		status, err := hub.ParseStatus(f[1])
		if err != nil {
			t.Fatal(err)
		}
		v := hub.VenueOrder{OrderID: id, Status: status}
		for _, s := range f[2:] {
			trade, rest, fill := strings.Cut(s, ":")
			if !fill { // what it is for now
				qty, price, _ := strings.Cut(s, "@")
				v.Qty, v.Price = d(qty), d(price)
				continue
			}
			qty, price, _ := strings.Cut(rest, "@")
			v.Fills = append(v.Fills, hub.VenueFill{TradeID: trade, Qty: d(qty), Price: d(price)})
		}
		in.Orders = append(in.Orders, v)
	}
	return in
}

// short is an order id without the part that depends on the day.
func short(id hub.OrderID) string {
	_, n, _ := strings.Cut(string(id), "-")
	return "#" + n
}

func (w *world) tell(effects []core.Effect) string {
	var b strings.Builder
	clean := func(s string) string {
		if orders := w.core.Orders("", false); len(orders) > 0 {
			head, _, _ := strings.Cut(string(orders[0].ID), "-")
			s = strings.ReplaceAll(s, head+"-", "#")
		}
		return s
	}
	for _, e := range effects {
		switch e := e.(type) {
		case core.Decided:
			if len(e.Refusals) == 0 {
				fmt.Fprintf(&b, "decided %s: pass%s\n", short(e.Order.ID), byOverride(e))
			}
			for _, r := range e.Refusals {
				fmt.Fprintf(&b, "decided %s: no: %s %s %s: %s\n", short(e.Order.ID), r.Code, r.Place, r.Rule, r.Text)
			}
			for _, r := range e.Shadows {
				fmt.Fprintf(&b, "decided %s: shadow: %s %s %s: %s\n", short(e.Order.ID), r.Code, r.Place, r.Rule, r.Text)
			}
			for _, x := range e.Warnings {
				fmt.Fprintf(&b, "decided %s: warning: %s %s: %s %v\n", short(e.Order.ID), x.Place, x.Rule, x.Text, x.Values)
			}
		case core.Taken:
			fmt.Fprintf(&b, "taken %s\n", short(e.Order.ID))
		case core.Send:
			o := e.Permit.Order()
			fmt.Fprintf(&b, "send %s to %s", short(o.ID), o.Gateway)
			if strings.HasPrefix(o.Reference, "flatten ") {
				fmt.Fprintf(&b, ": %s %s %s %s %s at %s, %q of %s", o.Direction, o.Offset, o.Type, o.Qty, o.Instrument, o.Price, o.Reference, o.Trader)
			}
			b.WriteString("\n")
		case core.AmendAnswered:
			if e.Err != "" {
				fmt.Fprintf(&b, "amend answered %q\n", clean(e.Err))
			} else if len(e.Refusals) == 0 {
				b.WriteString("amend: pass\n")
			}
			for _, r := range e.Refusals {
				fmt.Fprintf(&b, "amend %s: no: %s %s %s: %s\n", short(e.Order.ID), r.Code, r.Place, r.Rule, clean(r.Text))
			}
		case core.Amend:
			o := e.Permit.Order()
			fmt.Fprintf(&b, "amend %s at %s: %d, to %s at %s\n", short(o.ID), o.Gateway, o.Amendment.Number, o.Amendment.Qty, o.Amendment.Price)
		case core.CancelAtVenue:
			fmt.Fprintf(&b, "cancel %s at %s\n", short(e.Order.ID), e.Order.Gateway)
		case core.AskVenue:
			fmt.Fprintf(&b, "ask %s about %d orders\n", e.Gateway, len(e.Orders))
		case core.CancelledAll:
			fmt.Fprintf(&b, "cancelled all: %d orders\n", e.Orders)
		case core.FlattenAnswered:
			fmt.Fprintf(&b, "flatten: %d orders, %d positions %s\n", e.Orders, e.Positions, e.Err)
		case core.FlattenWanted:
			b.WriteString("a step is wanted\n")
		case core.Withhold:
			opening := ""
			if e.Opening {
				opening = " what opens of"
			}
			fmt.Fprintf(&b, "withhold%s %s: %s\n", opening, e.Part, e.Why)
		case core.CancelAnswered:
			fmt.Fprintf(&b, "cancel answered %q\n", clean(e.Err))
		case core.OrderChanged:
			doubt := ""
			if e.Order.InDoubt {
				doubt = " in doubt"
			}
			if e.Order.Amending() {
				doubt += fmt.Sprintf(" (to be %s at %s)", e.Order.Amendment.Qty, e.Order.Amendment.Price)
			}
			fmt.Fprintf(&b, "order %s %s %s/%s%s %s\n", short(e.Order.ID), e.Order.Status, e.Order.Filled, e.Order.Qty, doubt, clean(e.Order.Reason))
		case core.Traded:
			fmt.Fprintf(&b, "trade %s of %s: %s at %s, commission %s\n", e.Trade.ID, short(e.Trade.OrderID), e.Trade.Qty, e.Trade.Price, e.Trade.Commission)
		case core.OverrideChanged:
			fmt.Fprintf(&b, "%s\n", overrideLine(&e.Override))
		case core.OverrideAnswered:
			for _, why := range e.Refusals {
				fmt.Fprintf(&b, "no override: %s\n", why)
			}
		case core.BookChanged, core.Moved, core.Liquidating:
		case core.TransferAnswered:
			if len(e.Refusals) == 0 {
				fmt.Fprintf(&b, "transferred at %s\n", e.Price)
			}
			for _, why := range e.Refusals {
				fmt.Fprintf(&b, "not transferred: %s\n", why)
			}
		case core.Notice:
			fmt.Fprintf(&b, "notice to %q: %s\n", e.Trader, clean(e.Text))
			if e.Local != "" {
				fmt.Fprintf(&b, "    zh: %s\n", clean(e.Local))
			}
		case core.Alert:
			fmt.Fprintf(&b, "ALERT %s\n", clean(e.Text))
		case core.PoliciesAnswered:
			fmt.Fprintf(&b, "policies: %d errors %s\n", len(e.Errors), strings.Join(e.Errors, "; "))
		case core.JudgeAgain:
			fmt.Fprintf(&b, "judge %s again\n", short(e.Order.ID))
		case core.Crossed:
			for _, with := range e.With {
				fmt.Fprintf(&b, "crossed %s of %s with %s of %s\n", short(e.Order.ID), e.Order.Trader, short(with.ID), with.Trader)
			}
		case core.NumbersAnswered:
			for _, e := range e.Errors {
				fmt.Fprintf(&b, "numbers: %s\n", e)
			}
		case core.RatesAnswered:
			for _, e := range e.Errors {
				fmt.Fprintf(&b, "rates: %s\n", e)
			}
			if len(e.Errors) == 0 {
				b.WriteString(w.rates())
			}
		case core.DayRolled:
			of := ""
			if e.Calendar != "" {
				of = map[bool]string{true: " of the fund,", false: " of"}[e.Fund] + " " + e.Calendar
			}
			fmt.Fprintf(&b, "day %s%s\n", e.Day, of)
		}
	}
	if err := w.core.Check(); err != nil {
		fmt.Fprintf(&b, "WRONG %v\n", err)
	}
	return b.String()
}

// held is what alpha's working orders count for.
func (w *world) held() string {
	im := w.core.Image()
	a, _ := w.core.Account("alpha")
	working := im.Traders[0]
	var b strings.Builder
	fmt.Fprintf(&b, "alpha: %d active, %s working, %s held of %s\n", working.Active, working.WorkingValue, a.Frozen, a.Balance)
	for _, p := range working.Positions {
		fmt.Fprintf(&b, "%s: buys %s, sells %s, opening %s and %s; frozen today %s, yesterday %s\n", p.Key.Instrument, p.WorkingBuy, p.WorkingSell, p.OpeningBuy, p.OpeningSell,
			p.Long.FrozenToday, p.Long.FrozenYesterday)
	}
	return b.String()
}

func (w *world) show(trader hub.TraderName) string {
	if trader == "fund" {
		trader = ""
	}
	var b strings.Builder
	a, _ := w.core.Account(trader)
	fmt.Fprintf(&b, "balance %s held %s available %s cash %s realised %s unrealised %s commission %s\n", a.Balance, a.Frozen, a.Available, a.Cash, a.Realised, a.Unrealised, a.Commission)
	for _, p := range w.core.Positions(trader, hub.Instrument{}) {
		if p.Qty.IsZero() && p.Frozen.IsZero() {
			continue
		}
		fmt.Fprintf(&b, "%s %s %s (today %s, yesterday %s, frozen %s) at %s pnl %s\n", p.Instrument, p.Direction, p.Qty, p.Today, p.Yesterday, p.Frozen, p.Price, p.PnL)
	}
	return b.String()
}

func (w *world) figures(trader hub.TraderName) string {
	if trader == "fund" {
		trader = ""
	}
	f, _ := w.core.Figures(trader)
	return fmt.Sprintf("equity %s, %s when the day began; day %s, realised %s, commission %s; peak %s, %s today; drawdown %s, %s today; %d losses in a row; %s held by positions\n",
		f.Equity, f.EquityStart, f.DayPnL, f.DayRealised, f.DayCommission, f.Peak, f.PeakDay, f.Drawdown, f.DrawdownDay, f.Losses, f.MarginPositions)
}

// transfer reads "from=alpha to=beta long qty=3 price=3500" or "... cost".
func (w *world) transfer(cmd *datadriven.TestData) hub.TransferPosition {
	in := hub.TransferPosition{Instrument: rb.Instrument, By: "olivia", Direction: hub.Long}
	for _, a := range cmd.CmdArgs {
		switch a.Key {
		case "from":
			in.From = hub.TraderName(a.Vals[0])
		case "to":
			in.To = hub.TraderName(a.Vals[0])
		case "short":
			in.Direction = hub.Short
		case "net":
			in.Direction = hub.Net
		case "qty":
			in.Qty = d(a.Vals[0])
		case "price":
			in.Price = d(a.Vals[0])
		case "cost":
			in.AtCost = true
		case "reason":
			in.Reason = a.Vals[0]
		case "contract":
			in.Instrument, _ = hub.ParseInstrument(a.Vals[0])
		}
	}
	return in
}

func statement(text, day string, exact bool) hub.VenueStatement {
	in := hub.VenueStatement{Gateway: "SIM", Day: hub.Day(day), Exact: exact}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		p := hub.VenuePosition{Today: d(f[2]), Yesterday: d(f[3])}
		p.Instrument, _ = hub.ParseInstrument(f[0])
		if p.Direction = hub.Net; f[1] != "NET" {
			p.Direction, _ = hub.ParseDirection(f[1])
		}
		if len(f) > 4 {
			p.Price = d(f[4])
		}
		in.Positions = append(in.Positions, p)
	}
	return in
}

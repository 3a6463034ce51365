package model_test

import (
	"fmt"
	"testing"

	"tradehub/hub"
	"tradehub/plugins/risk/margin/model"
)

// book has one trader with a million, rb2610 and rb2701 at 3500, an option on rb2610, a share at 100 and a perpetual at 60,000.
func book(traders ...hub.TraderName) hub.RiskBook {
	b := hub.RiskBook{Currency: "CNY"}
	for _, c := range contracts() {
		b.Contracts = append(b.Contracts, c)
	}
	for name, price := range map[string]string{"rb2610.SHFE": "3500", "rb2701.SHFE": "3500", "600519.SSE": "100", "BTCPERP.BINANCE": "60000", "BTCUSDT.BINANCE": "60000"} {
		i, _ := hub.ParseInstrument(name)
		b.Marks = append(b.Marks, hub.Mark{Instrument: i, Price: dec(price)})
	}
	for _, t := range traders {
		b.Traders = append(b.Traders, hub.Account{Trader: t, Capital: dec("1000000")})
	}
	return b
}

func plain() model.Settings {
	return model.Settings{TraderMax: dec("0.8"), FundMax: dec("0.7"), LargerSide: model.LargerSideDefault(), Currencies: map[string]hub.Decimal{"USDT": dec("7")}}
}

var asks uint64

func order(trader hub.TraderName, contract, direction, offset, qty, price string) hub.Candidate {
	asks++
	i, _ := hub.ParseInstrument(contract)
	d, err := hub.ParseDirection(direction)
	if err != nil {
		panic(err)
	}
	o, err := hub.ParseOffset(offset)
	if err != nil {
		panic(err)
	}
	kind := hub.Limit
	if price == "0" {
		kind = hub.Market
	}
	return hub.Candidate{
		Ask: asks, Trader: trader, Gateway: gateway, Market: hub.MarketView{Last: dec(price)},
		Request: hub.OrderRequest{Instrument: i, Direction: d, Offset: o, Type: kind, Price: dec(price), Qty: dec(qty)},
	}
}

func used(t *testing.T, m *model.Model, who hub.TraderName, name string) string {
	t.Helper()
	for _, n := range m.Numbers() {
		if n.Trader == who && n.Name == name {
			return n.Value.String()
		}
	}
	return "none"
}

func pass(t *testing.T, m *model.Model, c hub.Candidate) {
	t.Helper()
	if why := m.Judge(c); why != "" {
		t.Fatalf("%v is refused: %s", c.Request, why)
	}
}

func send(m *model.Model, c hub.Candidate, id hub.OrderID) hub.Order {
	o := hub.Order{ID: id, Trader: c.Trader, OrderRequest: c.Request, Gateway: gateway, Status: hub.Submitted}
	m.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: c.Ask, Order: o}})
	return o
}

// TestReasons are the sentences that traders read.
func TestReasons(t *testing.T) {
	fund := plain()
	fund.FundMax = dec("0.1")
	noFund := plain()
	noFund.Currencies = nil
	for _, row := range []struct {
		name     string
		settings model.Settings
		c        hub.Candidate
		want     string
	}{
		{"trader", plain(), order("alpha", "rb2610.SHFE", "LONG", "OPEN", "180", "3500"), "margin after 819,000 of 1,000,000 equity * 80 % (rb)"},
		{"fund", fund, order("alpha", "rb2610.SHFE", "LONG", "OPEN", "50", "3500"), "fund margin after 227,500 of 1,000,000 equity * 10 % (rb)"},
		{"share", plain(), order("alpha", "600519.SSE", "LONG", "NONE", "10001", "100"), "margin and purchases after 1,000,100 of 1,000,000 equity (600519)"},
		{"cents", plain(), order("alpha", "600519.SSE", "LONG", "NONE", "10001", "100.123"), "margin and purchases after 1,001,330.13 of 1,000,000 equity (600519)"},
		{"premium", plain(), order("alpha", "rb2610C3500.SHFE", "LONG", "OPEN", "2000", "60"), "margin and purchases after 1,200,000 of 1,000,000 equity (rb_o)"},
		{"no trader", plain(), order("gamma", "rb2610.SHFE", "LONG", "OPEN", "1", "3500"), "trader gamma is not in the book"},
		{"no contract", plain(), order("alpha", "xx2610.SHFE", "LONG", "OPEN", "1", "3500"), "gateway SIM does not list xx2610.SHFE"},
		{"no rate", plain(), order("alpha", "odd2609.SHFE", "LONG", "OPEN", "1", "3500"), "no margin rate of odd2609.SHFE"},
		{"no price", plain(), order("alpha", "m2609.DCE", "LONG", "OPEN", "1", "0"), "no price of m2609.DCE"},
		{"no currency", plain(), order("alpha", "ES2612.CME", "LONG", "OPEN", "1", "5000"), "no rate from USD to CNY"},
		{"no currency in settings", noFund, order("alpha", "BTCUSDT.BINANCE", "LONG", "NONE", "1", "5000"), "no rate from USDT to CNY"},
		{"short share", plain(), order("alpha", "600519.SSE", "SHORT", "NONE", "1", "100"), "600519.SSE cannot be sold short"},
		{"short fund share", plain(), order("alpha", "510300.SSE", "SHORT", "OPEN", "1", "4"), "510300.SSE cannot be sold short"},
		{"overflow", plain(), order("alpha", "rb2610.SHFE", "LONG", "OPEN", "9999999999", "9999999999"), "a number is out of range"},
		{"large", plain(), order("alpha", "rb2610.SHFE", "LONG", "OPEN", "99999999", "9999"), "a number is out of range"},
		{"no quantity", plain(), order("alpha", "rb2610.SHFE", "LONG", "OPEN", "0", "3500"), "quantity 0 is not above 0"},
		{"no direction", plain(), order("alpha", "rb2610.SHFE", "NET", "OPEN", "1", "3500"), "direction NET is neither LONG nor SHORT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := model.New(row.settings, book("alpha"))
			if got := m.Judge(row.c); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if got := used(t, m, "alpha", "margin.used"); got != "0" {
				t.Errorf("a refused order left margin %s", got)
			}
			if got := used(t, m, "", "margin.available"); got != "1000000" {
				t.Errorf("a refused order left the fund %s", got)
			}
		})
	}
}

// TestLargerSide: of a product only the larger side is charged, months together; the fund nets its traders.
func TestLargerSide(t *testing.T) {
	m := model.New(plain(), book("alpha", "beta"))
	pass(t, m, order("alpha", "rb2610.SHFE", "LONG", "OPEN", "10", "3500"))  // 45,500
	pass(t, m, order("alpha", "rb2701.SHFE", "SHORT", "OPEN", "12", "3500")) // 54,600
	pass(t, m, order("beta", "rb2701.SHFE", "LONG", "OPEN", "4", "3500"))    // 18,200
	for who, want := range map[hub.TraderName]string{"alpha": "54600", "beta": "18200", "": "63700"} {
		if got := used(t, m, who, "margin.used"); got != want {
			t.Errorf("%q: margin.used is %s, want %s", who, got, want)
		}
	}
}

// TestUnknownExchange: where nothing says that one side is enough, both are charged.
func TestUnknownExchange(t *testing.T) {
	m := model.New(plain(), book("alpha"))
	pass(t, m, order("alpha", "lc2609.GFEX", "LONG", "OPEN", "1", "100000"))
	pass(t, m, order("alpha", "lc2609.GFEX", "SHORT", "OPEN", "1", "100000"))
	if got := used(t, m, "alpha", "margin.used"); got != "24000" {
		t.Errorf("margin.used is %s, want 24000", got)
	}
}

// TestFillIsNeverUncounted: between a fill that the order tells and the trade that books it, the margin stays.
func TestFillIsNeverUncounted(t *testing.T) {
	m := model.New(plain(), book("alpha"))
	c := order("alpha", "rb2610.SHFE", "LONG", "OPEN", "10", "3500")
	pass(t, m, c)
	o := send(m, c, "o1")
	o.Filled, o.Status = dec("10"), hub.Filled
	trade := hub.Trade{OrderID: "o1", Trader: "alpha", Instrument: o.Instrument, Gateway: gateway, Direction: hub.Long, Offset: hub.Open, Price: dec("3500"), Qty: dec("10")}
	for i, e := range []hub.RiskEvent{{Order: &o}, {Trade: &trade}, {Order: &o}} {
		m.Observe(e)
		if got := used(t, m, "alpha", "margin.used"); got != "45500" {
			t.Errorf("after event %d: margin.used is %s, want 45500", i, got)
		}
	}
}

// TestCloseFreesNothingUntilFilled and is passed even by an account that is far over its limit.
func TestCloseFreesNothingUntilFilled(t *testing.T) {
	b := book("alpha")
	i, _ := hub.ParseInstrument("rb2610.SHFE")
	b.Positions = []hub.Position{{Trader: "alpha", Instrument: i, Gateway: gateway, Direction: hub.Long, Qty: dec("200"), Price: dec("3500")}}
	m := model.New(plain(), b)
	if why := m.Judge(order("alpha", "rb2610.SHFE", "LONG", "OPEN", "1", "3500")); why == "" {
		t.Error("an open is passed over the limit")
	}
	c := order("alpha", "rb2610.SHFE", "SHORT", "CLOSE", "200", "3500")
	pass(t, m, c)
	send(m, c, "o1")
	if got := used(t, m, "alpha", "margin.used"); got != "910000" {
		t.Errorf("margin.used is %s with the close working, want 910000", got)
	}
	m.Observe(hub.RiskEvent{Trade: &hub.Trade{OrderID: "o1", Trader: "alpha", Instrument: i, Gateway: gateway, Direction: hub.Short, Offset: hub.Close, Price: dec("3500"), Qty: dec("150")}})
	if got := used(t, m, "alpha", "margin.used"); got != "227500" {
		t.Errorf("margin.used is %s after the fill, want 227500", got)
	}
}

// TestNetting: in a contract that nets, what takes away from the position binds nothing and is passed over any limit; what goes through it does not.
func TestNetting(t *testing.T) {
	b := book("alpha")
	i, _ := hub.ParseInstrument("BTCPERP.BINANCE")
	b.Positions = []hub.Position{{Trader: "alpha", Instrument: i, Gateway: gateway, Direction: hub.Net, Qty: dec("-30000"), Price: dec("60000")}}
	m := model.New(plain(), b) // 30,000 * 60,000 * 0.001 * 7 * 0.1 = 1,260,000: over
	pass(t, m, order("alpha", "BTCPERP.BINANCE", "LONG", "NONE", "20000", "60000"))
	pass(t, m, order("alpha", "BTCPERP.BINANCE", "LONG", "NONE", "10000", "60000"))
	want := "margin after 1,260,042 of 1,000,000 equity * 80 % (BTCPERP)"
	if got := m.Judge(order("alpha", "BTCPERP.BINANCE", "LONG", "NONE", "1", "60000")); got != want {
		t.Errorf("through the position: %q, want %q", got, want)
	}
	if got := used(t, m, "alpha", "margin.used"); got != "1260000" {
		t.Errorf("margin.used is %s, want 1260000", got)
	}
}

// TestSellerOfOption: premium plus the underlying's margin, which moves with the underlying; beside the larger side, not in it.
func TestSellerOfOption(t *testing.T) {
	m := model.New(plain(), book("alpha"))
	pass(t, m, order("alpha", "rb2610C3500.SHFE", "SHORT", "OPEN", "10", "60")) // 6,000 + 350,000 * 0.15
	pass(t, m, order("alpha", "rb2610.SHFE", "LONG", "OPEN", "10", "3500"))
	if got := used(t, m, "alpha", "margin.used"); got != "104000" {
		t.Errorf("margin.used is %s, want 104000", got)
	}
	i, _ := hub.ParseInstrument("rb2610.SHFE")
	m.Observe(hub.RiskEvent{Marks: []hub.Mark{{Instrument: i, Price: dec("4000")}}})
	if got := used(t, m, "alpha", "margin.used"); got != "118000" {
		t.Errorf("margin.used is %s with the underlying at 4000, want 118000", got)
	}
	blind := book("alpha")
	blind.Marks = nil
	m = model.New(plain(), blind)
	pass(t, m, order("alpha", "rb2610C3500.SHFE", "SHORT", "OPEN", "10", "60"))
	pass(t, m, order("alpha", "xx2610C5.SHFE", "SHORT", "OPEN", "10", "1")) // 100 * 2.2: its underlying is not listed
	if got := used(t, m, "alpha", "margin.used"); got != "58720" {          // 6,000 + 3,500 * 100 * 0.15 + 220
		t.Errorf("margin.used is %s at the strike, want 58720", got)
	}
	rate := plain()
	rate.Rates = map[string]model.Rates{"rb_o": {Short: dec("0.2")}}
	m = model.New(rate, blind)
	pass(t, m, order("alpha", "rb2610C3500.SHFE", "SHORT", "OPEN", "10", "60"))
	if got := used(t, m, "alpha", "margin.used"); got != "76000" { // 6,000 + 350,000 * 0.2
		t.Errorf("margin.used is %s with a rate of the option's own, want 76000", got)
	}
	i, _ = hub.ParseInstrument("rb2610C0.SHFE")
	m.Observe(hub.RiskEvent{Contracts: []hub.Contract{{
		Instrument: i, Gateway: gateway, Product: "rb_o", Kind: hub.Option, Size: dec("10"), OptionUnderlying: "rb2610.SHFE",
	}}})
	want := "neither a price of rb2610.SHFE, which rb2610C0 is on, nor a strike price"
	if got := m.Judge(order("alpha", "rb2610C0.SHFE", "SHORT", "OPEN", "10", "60")); got != want {
		t.Errorf("without a price of the underlying: %q, want %q", got, want)
	}
}

// TestBlind: as long as something held cannot be valued, nothing that binds is passed, of the trader or of anybody in the fund, and no number is published.
func TestBlind(t *testing.T) {
	b := book("alpha", "beta")
	i, _ := hub.ParseInstrument("gone2609.SHFE")
	b.Positions = []hub.Position{{Trader: "alpha", Instrument: i, Gateway: gateway, Direction: hub.Long, Qty: dec("1"), Price: dec("5")}}
	m := model.New(plain(), b)
	for who, want := range map[hub.TraderName]string{
		"alpha": "margin of gone2609.SHFE cannot be computed: no gateway lists gone2609.SHFE",
		"beta":  "fund margin of gone2609.SHFE cannot be computed: no gateway lists gone2609.SHFE",
	} {
		if got := m.Judge(order(who, "rb2610.SHFE", "LONG", "OPEN", "1", "3500")); got != want {
			t.Errorf("%s: %q, want %q", who, got, want)
		}
	}
	for who, want := range map[hub.TraderName]string{"alpha": "none", "beta": "0", "": "none"} {
		if got := used(t, m, who, "margin.used"); got != want {
			t.Errorf("%q: margin.used is %s, want %s", who, got, want)
		}
	}
	m.Observe(hub.RiskEvent{Contracts: []hub.Contract{{
		Instrument: i, Gateway: gateway, Product: "gone", Kind: hub.Futures, Size: dec("10"), MarginLong: dec("0.1"), MarginShort: dec("0.1"),
	}}})
	pass(t, m, order("beta", "rb2610.SHFE", "LONG", "OPEN", "1", "3500"))
	if got := used(t, m, "alpha", "margin.used"); got != "5" {
		t.Errorf("once listed: margin.used is %s, want 5", got)
	}
}

// TestProfitIsEquity: a profit at the marks gives room, a loss takes it.
func TestProfitIsEquity(t *testing.T) {
	b := book("alpha")
	i, _ := hub.ParseInstrument("rb2610.SHFE")
	b.Positions = []hub.Position{{Trader: "alpha", Instrument: i, Gateway: gateway, Direction: hub.Short, Qty: dec("10"), Price: dec("3600")}}
	m := model.New(plain(), b)
	if got := used(t, m, "alpha", "margin.available"); got != "957500" { // 1,000,000 + 10,000 - 52,500
		t.Errorf("margin.available is %s, want 957500", got)
	}
	if got := used(t, m, "alpha", "margin.ratio"); got != "0.051981" {
		t.Errorf("margin.ratio is %s, want 0.051981", got)
	}
}

// TestMarksKnowTheirGateway: a contract at two gateways is valued by each one's own price; a mark that names no gateway is both's.
func TestMarksKnowTheirGateway(t *testing.T) {
	b := book("alpha")
	i, _ := hub.ParseInstrument("rb2610.SHFE")
	there := contracts()["rb2610.SHFE"]
	there.Gateway = "OTHER"
	b.Contracts = append(b.Contracts, there)
	for _, at := range []hub.GatewayName{gateway, "OTHER"} {
		b.Positions = append(b.Positions, hub.Position{Trader: "alpha", Instrument: i, Gateway: at, Direction: hub.Short, Qty: dec("10"), Price: dec("3500")})
	}
	m := model.New(plain(), b)
	for _, c := range []struct {
		at    hub.GatewayName
		price string
		want  string // 1,000,000, less what is lost and 15 % of 20 lots' value
	}{{"", "3600", "872000"}, {"OTHER", "3500", "883500"}, {gateway, "3500", "895000"}} {
		m.Observe(hub.RiskEvent{Marks: []hub.Mark{{Instrument: i, Price: dec(c.price), Gateway: c.at}}})
		if got := used(t, m, "alpha", "margin.available"); got != c.want {
			t.Errorf("after %s at %q margin.available is %s, want %s", c.price, c.at, got, c.want)
		}
	}
}

// TestUndecidedIsBounded: when decisions stop coming, so do passes; a second candidate under one number is none.
func TestUndecidedIsBounded(t *testing.T) {
	m := model.New(plain(), book("alpha"))
	first := order("alpha", "rb2610.SHFE", "LONG", "CLOSE", "1", "3500")
	pass(t, m, first)
	if got := m.Judge(first); got == "" {
		t.Error("the same candidate is passed twice")
	}
	for range 9_999 {
		pass(t, m, order("alpha", "rb2610.SHFE", "SHORT", "CLOSE", "1", "3500"))
	}
	want := "10000 candidates wait for their decision"
	if got := m.Judge(order("alpha", "rb2610.SHFE", "LONG", "CLOSE", "1", "3500")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// BenchmarkJudge judges and decides one order of a trader who has 60 working orders in three contracts.
func BenchmarkJudge(b *testing.B) {
	m := model.New(plain(), book("alpha", "beta"))
	for i := range 60 {
		c := order("alpha", []string{"rb2610.SHFE", "rb2701.SHFE", "600519.SSE"}[i%3], "LONG", "NONE", "1", "3500")
		if why := m.Judge(c); why != "" {
			b.Fatal(why)
		}
		send(m, c, hub.OrderID(rune('A'+i)))
	}
	c := order("alpha", "rb2610.SHFE", "LONG", "OPEN", "1", "3500")
	refused := hub.Order{ID: "r", Trader: "alpha", OrderRequest: c.Request, Gateway: gateway, Status: hub.Rejected}
	b.ReportAllocs()
	for b.Loop() {
		c.Ask++
		if why := m.Judge(c); why != "" {
			b.Fatal(why)
		}
		m.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: c.Ask, Order: refused}})
	}
}

// BenchmarkManyOrders is an order and its end while a thousand others of its position work.
func BenchmarkManyOrders(b *testing.B) {
	m := model.New(plain(), book("alpha"))
	m.Observe(hub.RiskEvent{Account: &hub.Account{Trader: "alpha", Capital: dec("1000000000000")}})
	for i := range 1000 {
		send(m, order("alpha", "rb2610.SHFE", "LONG", "OPEN", "1", "3400"), hub.OrderID(fmt.Sprint(i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		c := order("alpha", "rb2610.SHFE", "LONG", "OPEN", "1", "3400")
		o := send(m, c, "new")
		o.Status = hub.Cancelled
		m.Observe(hub.RiskEvent{Order: &o})
	}
}

// TestRates: the hub's rates are those of the book, and those that come later; the settings go before both. What was held keeps what it cost: money that was spent of a coin, a price
// in its own currency of a contract on margin. A model that is made anew says the same.
func TestRates(t *testing.T) {
	settings := plain()
	settings.Currencies = nil
	b := book("alpha")
	b.Rates = []hub.Rate{{Currency: "USDT", Rate: dec("7")}}
	m := model.New(settings, b)
	buy := func(ask hub.Candidate, id hub.OrderID) {
		pass(t, m, ask)
		send(m, ask, id)
		m.Observe(hub.RiskEvent{Trade: &hub.Trade{
			ID: "t" + string(id), OrderID: id, Trader: "alpha", Instrument: ask.Request.Instrument, Gateway: gateway, Direction: hub.Long, Price: ask.Request.Price, Qty: ask.Request.Qty,
		}})
		o := hub.Order{ID: id, Trader: "alpha", OrderRequest: ask.Request, Gateway: gateway, Status: hub.Filled, Filled: ask.Request.Qty}
		m.Observe(hub.RiskEvent{Order: &o})
	}
	buy(order("alpha", "BTCUSDT.BINANCE", "LONG", "NONE", "1", "5000"), "1")
	buy(order("alpha", "BTCPERP.BINANCE", "LONG", "NONE", "100", "5000"), "2") // 0.001 each: 500 USDT
	marks := []hub.Mark{{Instrument: coin("BTCUSDT"), Price: dec("5100")}, {Instrument: coin("BTCPERP"), Price: dec("5100")}}
	m.Observe(hub.RiskEvent{Marks: marks})
	say := func(m *model.Model, when, usedMargin, paid, available string) {
		t.Helper()
		for name, want := range map[string]string{"margin.used": usedMargin, "margin.paid": paid, "margin.available": available} {
			for _, who := range []hub.TraderName{"alpha", ""} {
				if got := used(t, m, who, name); got != want {
					t.Errorf("%s: %s of %q is %s, want %s", when, name, who, got, want)
				}
			}
		}
	}
	// Gains of 100 and 10 USDT at 7; margin 10 % of 510 USDT, and 5,100 USDT that were paid.
	say(m, "at 7", "357", "35700", "964713")
	m.Observe(hub.RiskEvent{Rates: []hub.Rate{{Currency: "USDT", Rate: dec("7.7")}}})
	// The coin: 5,100 * 7.7 - 5,000 * 7 = 4,270. The contract: 10 * 7.7.
	say(m, "at 7.7", "392.7", "39270", "964684.3")

	b.Rates = []hub.Rate{{Currency: "USDT", Rate: dec("7.7")}}
	b.Marks = marks
	b.Positions = []hub.Position{
		{Trader: "alpha", Instrument: coin("BTCUSDT"), Gateway: gateway, Direction: hub.Net, Qty: dec("1"), Price: dec("5000"), Drift: dec("3500")},
		{Trader: "alpha", Instrument: coin("BTCPERP"), Gateway: gateway, Direction: hub.Net, Qty: dec("100"), Price: dec("5000")},
	}
	say(model.New(settings, b), "made anew", "392.7", "39270", "964684.3")

	settings.Currencies = map[string]hub.Decimal{"USDT": dec("10")}
	own := model.New(settings, book("alpha"))
	own.Observe(hub.RiskEvent{Rates: b.Rates})
	pass(t, own, order("alpha", "BTCUSDT.BINANCE", "LONG", "NONE", "1", "60000"))
	if got := used(t, own, "alpha", "margin.paid"); got != "600000" {
		t.Errorf("paid %s at the settings' own rate, want 600000", got)
	}

	// A rate that comes only now.
	settings.Currencies = nil
	late := model.New(settings, book("alpha"))
	if why := late.Judge(order("alpha", "BTCUSDT.BINANCE", "LONG", "NONE", "1", "5000")); why != "no rate from USDT to CNY" {
		t.Errorf("without a rate: %q", why)
	}
	late.Observe(hub.RiskEvent{Rates: b.Rates})
	pass(t, late, order("alpha", "BTCUSDT.BINANCE", "LONG", "NONE", "1", "5000"))
}

func coin(symbol string) hub.Instrument { return hub.Instrument{Symbol: symbol, Exchange: "BINANCE"} }

// TestMovedPositionIsMargined: what the operator moves counts where it went, and no more where it was.
func TestMovedPositionIsMargined(t *testing.T) {
	book := func(alpha, beta int64) []hub.Position {
		of := func(trader hub.TraderName, qty int64) []hub.Position {
			p := hub.Position{Trader: trader, Gateway: gateway, Instrument: contracts()["rb2701"].Instrument, Qty: hub.Int(qty), Today: hub.Int(qty), Price: hub.Int(3500)}
			long, short := p, p
			long.Direction, short.Direction, short.Qty, short.Today = hub.Long, hub.Short, hub.Int(0), hub.Int(0)
			return []hub.Position{long, short}
		}
		return append(of("alpha", alpha), of("beta", beta)...)
	}
	made := func(positions []hub.Position) *model.Model {
		return model.New(model.Settings{TraderMax: hub.Int(1), FundMax: hub.Int(1)}, hub.RiskBook{
			Currency: "CNY", Contracts: []hub.Contract{contracts()["rb2701"]}, Positions: positions,
			Traders: []hub.Account{{Trader: "alpha", Capital: hub.Int(1_000_000)}, {Trader: "beta", Capital: hub.Int(1_000_000)}},
		})
	}
	m := made(book(10, 0))
	before := m.Numbers()
	m.Observe(hub.RiskEvent{Positions: book(7, 3)[:2]})
	m.Observe(hub.RiskEvent{Positions: book(7, 3)[2:]})
	if got, want := fmt.Sprint(m.Numbers()), fmt.Sprint(made(book(7, 3)).Numbers()); got != want || got == fmt.Sprint(before) {
		t.Errorf("got  %s\nwant %s\nof   %s", got, want, before)
	}
	m.Observe(hub.RiskEvent{Positions: book(10, 0)})
	if got, want := fmt.Sprint(m.Numbers()), fmt.Sprint(before); got != want {
		t.Errorf("moved back: got %s, want %s", got, want)
	}
}

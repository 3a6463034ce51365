package veighna_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/rpc/veighna"
	"tradehub/rpc/veighna/pickle"
)

// stockPythons name the interpreters with stock VeighNa: the current one, and one before the framing changed.
var stockPythons = []string{"HUB_VNPY_PYTHON", "HUB_VNPY44_PYTHON"}

// stockDeadline is for one process: to start Python and import VeighNa takes most of it.
const stockDeadline = 90 * time.Second

// TestStock lets stock VeighNa's RpcGateway, in both of its languages, read all that this package writes, and this package all that it asks.
func TestStock(t *testing.T) {
	if os.Getenv(stockPythons[0]) == "" {
		t.Skip(stockPythons[0] + " names no Python with vnpy: run make test")
	}
	for _, name := range stockPythons {
		python := os.Getenv(name)
		if python == "" {
			continue
		}
		out, err := exec.CommandContext(t.Context(), python, "-c", "import vnpy, vnpy_rpcservice; print(vnpy.__version__)").CombinedOutput()
		if err != nil {
			t.Fatalf("%s=%s: %v\n%s", name, python, err, out)
		}
		version := strings.TrimSpace(string(out))
		for name, language := range map[string]veighna.Language{"zh_CN": veighna.Chinese, "en_US": veighna.English} {
			t.Run(version+"/"+name, func(t *testing.T) { testStock(t, python, version, name, language) })
		}
	}
}

// world is one of everything, as the hub has it.
type world struct {
	tick     hub.Tick
	order    hub.Order
	trade    hub.Trade
	position hub.Position
	account  veighna.Account
	contract hub.Contract
	option   hub.Contract
	log      veighna.Log
	bar      hub.Bar
}

func newWorld(gateway hub.GatewayName) world {
	w := world{
		tick: *benchTick(),
		order: hub.Order{
			ID: "7_1", Gateway: gateway, Status: hub.PartFilled, Filled: dec("1"), Time: now,
			OrderRequest: hub.OrderRequest{Instrument: rb, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: dec("3500.1"), Qty: dec("5"), Reference: "双均线"},
		},
		trade: hub.Trade{
			ID: "t1", OrderID: "7_1", Instrument: rb, Gateway: gateway, Direction: hub.Short, Offset: hub.CloseYesterday, Price: dec("0.1"), Qty: dec("2"), Time: now,
		},
		position: hub.Position{
			Instrument: rb, Gateway: gateway, Direction: hub.Long, Qty: dec("10"), Yesterday: dec("8"), Today: dec("2"), Frozen: dec("1"), Price: dec("3480.55"), PnL: dec("-12.3"),
		},
		account: veighna.Account{
			Gateway: gateway, Account: hub.Account{Trader: "alpha", Balance: dec("1000000.5"), Frozen: dec("0.25"), Available: dec("1000000.25")},
		},
		contract: hub.Contract{
			Instrument: rb, Gateway: gateway, Name: "螺纹钢2501", Kind: hub.Futures, Size: dec("10"), Tick: dec("1"), MinQty: dec("1"), History: true,
		},
		option: hub.Contract{
			Instrument: hub.Instrument{Symbol: "cu2501C70000", Exchange: "EUX"}, Gateway: gateway, Kind: hub.Option, Size: dec("5"), Tick: dec("2"), MinQty: dec("1"),
			MaxQty: dec("500"), OptionType: hub.Call, OptionStrike: dec("70000"), OptionUnderlying: "cu2501.EUX", OptionListed: now, OptionExpiry: now, OptionIndex: "70000",
		},
		log: veighna.Log{Gateway: gateway, Text: "alpha.yaml:8 超过限额", Level: veighna.LevelWarning, Time: now},
		bar: hub.Bar{Instrument: rb, Gateway: gateway, Time: now, Interval: hub.Minute, Volume: dec("100"), Open: dec("1.1"), High: dec("1.3"), Low: dec("1"), Close: dec("1.2")},
	}
	w.tick.Gateway = gateway
	return w
}

// publications is every kind of event, every status and every other member that a client may meet.
func (w world) publications(language veighna.Language) []veighna.Publication {
	p := []veighna.Publication{
		veighna.TickEvent(&w.tick, nil), veighna.TickEvent(&w.tick, mustZone("America/New_York")), veighna.TickEvent(&w.tick, time.UTC),
		veighna.TradeEvent(&w.trade, nil), veighna.PositionEvent(&w.position, language), veighna.AccountEvent(&w.account),
		veighna.ContractEvent(&w.contract), veighna.ContractEvent(&w.option), veighna.LogEvent(&w.log, nil),
		{Types: []string{veighna.EventRpcLog}, Body: veighna.AppendLog(nil, &w.log, nil)},
	}
	for s := hub.Submitted; s <= hub.Rejected; s++ {
		o := w.order
		o.Status, o.Type, o.Offset = s, hub.OrderType(s), hub.Offset(s%5)
		p = append(p, veighna.OrderEvent(&o, nil))
	}
	for k := hub.Equity; k <= hub.Swap; k++ {
		c := w.contract
		c.Kind = k
		p = append(p, veighna.ContractEvent(&c))
	}
	return p
}

// answers is what a server answers: body by function, in the order in which stock.py asks.
func (w world) answers(language veighna.Language) []struct {
	function string
	body     []byte
} {
	return []struct {
		function string
		body     []byte
	}{
		{"subscribe", veighna.AppendNone(nil)},
		{"send_order", veighna.AppendString(nil, veighna.OrderID("SIM", "7_1"))},
		{"cancel_order", veighna.AppendNone(nil)},
		{"query_history", veighna.AppendList(nil, []hub.Bar{w.bar, w.bar}, func(b []byte, v *hub.Bar) []byte { return veighna.AppendBar(b, v, nil) })},
		{"get_tick", veighna.AppendTick(nil, &w.tick, nil)},
		{"get_contract", veighna.AppendContract(nil, &w.contract)},
		{"get_order", veighna.AppendOrder(nil, &w.order, nil)},
		{"get_trade", veighna.AppendTrade(nil, &w.trade, nil)},
		{"get_position", veighna.AppendPosition(nil, &w.position, language)},
		{"get_account", veighna.AppendAccount(nil, &w.account)},
		{"get_all_ticks", veighna.AppendList(nil, []hub.Tick{w.tick}, func(b []byte, v *hub.Tick) []byte { return veighna.AppendTick(b, v, nil) })},
		{"get_all_active_orders", veighna.AppendList(nil, []hub.Order{w.order}, func(b []byte, v *hub.Order) []byte { return veighna.AppendOrder(b, v, nil) })},
		// asked at connect
		{"get_all_contracts", veighna.AppendList(nil, []hub.Contract{w.contract, w.option}, veighna.AppendContract)},
		{"get_all_accounts", veighna.AppendList(nil, []veighna.Account{w.account}, veighna.AppendAccount)},
		{"get_all_positions", veighna.AppendList(nil, []hub.Position{w.position}, func(b []byte, v *hub.Position) []byte { return veighna.AppendPosition(b, v, language) })},
		{"get_all_orders", veighna.AppendList(nil, []hub.Order{w.order}, func(b []byte, v *hub.Order) []byte { return veighna.AppendOrder(b, v, nil) })},
		{"get_all_trades", veighna.AppendList(nil, []hub.Trade{w.trade}, func(b []byte, v *hub.Trade) []byte { return veighna.AppendTrade(b, v, nil) })},
	}
}

// stockSession is a client from connect to the event eEnd.
type stockSession struct {
	Name     string     `json:"name"`
	Messages [][]string `json:"messages"`
	Ask      bool       `json:"ask"`
}

func (s *stockSession) send(messages []veighna.Message) {
	for _, m := range messages {
		var frames []string
		for _, f := range m {
			frames = append(frames, hex.EncodeToString(f))
		}
		s.Messages = append(s.Messages, frames)
	}
}

type stockResult struct {
	Events   [][2]any `json:"events"`
	Answers  []any    `json:"answers"`
	Requests []string `json:"requests"`
	Alive    bool     `json:"alive"`
	Ping     any      `json:"ping"`
}

func testStock(t *testing.T, python, version, locale string, language veighna.Language) {
	own, err := veighna.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	other := veighna.UpTo44
	if own == veighna.UpTo44 {
		other = veighna.From45
	}
	server, client := newWorld("SIM"), newWorld("RPC") // a client calls every gateway by its own name
	end := veighna.Publication{Types: []string{"eEnd"}, Body: veighna.AppendString(nil, "")}
	hint := veighna.Log{Gateway: "HUB", Text: veighna.HintText("4.4", language), Level: veighna.LevelError, Time: now}

	var sessions []stockSession
	for name, f := range map[string]veighna.Framing{"own": own, "any": veighna.AnyVersion} {
		s := stockSession{Name: name, Ask: true}
		s.send(f.Hint(&hint, nil, now))
		s.send(f.Heartbeat(now))
		for _, p := range server.publications(language) {
			s.send(f.Publish(p, now))
		}
		s.send(f.Heartbeat(now))
		s.send(f.Publish(end, now))
		sessions = append(sessions, s)
	}
	wrong := stockSession{Name: "wrong"} // its version is stated wrongly: the hint must show, and must not harm
	wrong.send(other.Hint(&hint, nil, now))
	wrong.send(own.Publish(end, now))
	sessions = append(sessions, wrong)

	replies := map[string]string{"no_such_function": hex.EncodeToString(veighna.AppendReplyError(nil, "KeyError: 'no_such_function'"))}
	for _, a := range server.answers(language) {
		replies[a.function] = hex.EncodeToString(veighna.AppendReplyEnd(append(veighna.AppendReplyStart(nil), a.body...)))
	}
	got := runStock(t, python, locale, map[string]any{"replies": replies, "sessions": sessions})
	if want := map[veighna.Language]string{veighna.Chinese: "多", veighna.English: "Long"}[language]; got.Long != want {
		t.Fatalf("VeighNa runs in another language: LONG is %q, want %q", got.Long, want)
	}

	var wantEvents [][2]any
	for _, p := range client.publications(language) {
		for _, kind := range p.Types { // the type keeps the server's names
			wantEvents = append(wantEvents, [2]any{strings.ReplaceAll(kind, "RPC.", "SIM."), describe(t, p.Body)})
		}
	}
	for _, name := range []string{"own", "any"} {
		r := got.Sessions[name]
		if !r.Alive {
			t.Errorf("%s: the client's subscriber thread is dead", name)
		}
		events := afterConnect(r.Events)
		want := wantEvents
		if name == "any" && own == veighna.From45 { // its heartbeat is an event that nobody handles
			beat := [2]any{"eHubHeartbeat", nil}
			want = append(append([][2]any{beat}, want...), beat)
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("%s: events: %s", name, diff)
		}
		checkAnswers(t, name, r, server, language)
		if ping := fmt.Sprint(r.Ping); (name == "own" || own == veighna.UpTo44) && ping != fmt.Sprint(float(float64(now)/1e9)) {
			t.Errorf("%s: last heartbeat: got %s, want %v", name, ping, now)
		}
	}
	r := got.Sessions["wrong"]
	if want := [][2]any{{"eLog", describe(t, veighna.AppendLog(nil, &veighna.Log{Gateway: "RPC", Text: hint.Text, Level: hint.Level, Time: hint.Time}, nil))}}; !r.Alive ||
		cmp.Diff(want, afterConnect(r.Events)) != "" {
		t.Errorf("wrong version stated: alive %v, %s", r.Alive, cmp.Diff(want, afterConnect(r.Events)))
	}
}

// afterConnect drops what the client tells itself while it connects: the last of that is a log line about trades.
func afterConnect(events [][2]any) [][2]any {
	for i, e := range slices.Backward(events) {
		if e[0] == "eLog" && strings.Contains(fmt.Sprint(e[1]), "成交信息查询成功") {
			return append([][2]any{}, events[i+1:]...)
		}
	}
	return append([][2]any{}, events...)
}

func checkAnswers(t *testing.T, name string, r stockResult, server world, language veighna.Language) {
	t.Helper()
	answers := server.answers(language)
	if len(r.Answers) != 13 {
		t.Fatalf("%s: got %d answers, want 13", name, len(r.Answers))
	}
	for i, a := range r.Answers {
		var want any
		switch i {
		case 1:
			want = "RPC.7_1" // the gateway renames it
		case 12:
			want = map[string]any{"raised": "RemoteException", "text": "<Exception>\nKeyError: 'no_such_function'"}
			if m, ok := a.(map[string]any); ok && strings.Contains(fmt.Sprint(m["text"]), "KeyError: 'no_such_function'") {
				m["text"] = want.(map[string]any)["text"] // VeighNa wraps the text in words of its own
			}
		default:
			want = describe(t, answers[i].body)
		}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("%s: answer of %s: %s", name, answers[min(i, 11)].function, diff)
		}
	}
	start := hub.TimeOf(time.Date(2025, 1, 2, 9, 30, 0, 0, shanghai))
	endAt := hub.TimeOf(time.Date(2025, 1, 3, 0, 0, 0, 0, shanghai))
	wants := []any{
		veighna.GetAllContracts{},
		veighna.GetAllAccounts{},
		veighna.GetAllPositions{},
		veighna.GetAllOrders{},
		veighna.GetAllTrades{},
		veighna.Subscribe{Instrument: rb, Gateway: "SIM"},
		veighna.SendOrder{Gateway: "SIM", OrderRequest: hub.OrderRequest{
			Instrument: rb, Direction: hub.Short, Offset: hub.CloseToday, Type: hub.FAK, Price: dec("3500.5"), Qty: dec("3"), Reference: "双均线",
		}},
		veighna.CancelOrder{Gateway: "SIM", CancelRequest: hub.CancelRequest{Instrument: rb, OrderID: "7_1"}},
		veighna.QueryHistory{Gateway: "SIM", HistoryRequest: hub.HistoryRequest{Instrument: rb, Start: start, End: endAt, Interval: hub.Hour}},
		veighna.GetTick{Instrument: rb},
		veighna.GetContract{Instrument: rb},
		veighna.GetOrder{Gateway: "SIM", OrderID: "7_1"},
		veighna.GetTrade{Gateway: "SIM", TradeID: "t1"},
		veighna.GetPosition{Gateway: "SIM", Instrument: rb, Direction: hub.Long},
		veighna.GetAccount{Gateway: "SIM", AccountID: "alpha"},
		veighna.GetAllTicks{},
		veighna.GetAllActiveOrders{},
		"KeyError: 'no_such_function'",
	}
	var calls []any
	for _, request := range r.Requests {
		data, err := hex.DecodeString(request)
		if err != nil {
			t.Fatal(err)
		}
		call, err := bind(data)
		if err != nil {
			calls = append(calls, err.Error())
			continue
		}
		calls = append(calls, call)
	}
	if diff := diffCall(wants, calls); diff != "" {
		t.Errorf("%s: requests: %s", name, diff)
	}
}

func runStock(t *testing.T, python, locale string, given any) (out struct {
	Version  string
	Long     string
	Sessions map[string]stockResult
},
) {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	in, result := filepath.Join(dir, "in.json"), filepath.Join(dir, "out.json")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/stock.py")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), stockDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, script, in, result)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "LANGUAGE="+locale, "LANG="+locale+".UTF-8", "LC_ALL=", "PYTHONUTF8=1")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", python, err, log.String())
	}
	data, err = os.ReadFile(result)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func float(f float64) map[string]any { return map[string]any{"float": pythonHex(f)} }

// pythonHex is float.hex() of Python.
func pythonHex(f float64) string {
	if f == 0 {
		return "0x0.0p+0"
	}
	s := strconv.FormatFloat(f, 'x', 13, 64)
	mantissa, exponent, _ := strings.Cut(s, "p")
	n, _ := strconv.Atoi(exponent)
	return fmt.Sprintf("%sp%+d", mantissa, n)
}

// describe says what a written value is, in the words of stock.py.
func describe(t *testing.T, body []byte) any {
	t.Helper()
	v, err := pickle.Decode(append(bytes.Clone(body), '.'))
	if err != nil {
		t.Fatal(err)
	}
	return describeValue(t, v)
}

func describeValue(t *testing.T, v any) any {
	switch v := v.(type) {
	case nil, bool, string:
		return v
	case int64:
		return map[string]any{"int": fmt.Sprint(v)}
	case float64:
		return float(v)
	case *pickle.Class:
		return v.String()
	case pickle.DateTime:
		var zone any
		if v.Zone != nil {
			zone = v.Zone.Key
		}
		fold := 0.0
		if v.Fold {
			fold = 1
		}
		iso := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d", v.Year, v.Month, v.Day, v.Hour, v.Minute, v.Second, v.Micro)
		return map[string]any{"datetime": iso, "fold": fold, "zone": zone}
	case *pickle.List:
		out := []any{}
		for _, item := range v.Items {
			out = append(out, describeValue(t, item))
		}
		return out
	case *pickle.Object:
		state := []any{}
		for _, p := range v.State.(*pickle.Dict).Pairs {
			state = append(state, []any{p.Key, describeValue(t, p.Value)})
		}
		return map[string]any{"class": v.Class.String(), "state": state}
	default:
		t.Fatalf("a %T is not written", v)
		return nil
	}
}

package veighna_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/rpc/veighna"
	"tradehub/rpc/veighna/pickle"
)

// now is 2026-11-22 01:00:00.5 UTC.
var now = hub.Time(1795309200_500000000)

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]veighna.Framing{
		"": veighna.AnyVersion, "3.0": veighna.UpTo44, "3.9.4": veighna.UpTo44, "4.4.0": veighna.UpTo44, "4.4": veighna.UpTo44,
		"4.5": veighna.From45, "4.5.0": veighna.From45, "4.10.1": veighna.From45, "5.0": veighna.From45,
	} {
		if got, err := veighna.ParseVersion(s); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"4", "4.x", "v4.5", "4.5.0.1", "-1.0", "4.5 ", "four"} {
		want := fmt.Sprintf("%q is no version of VeighNa: write two or three numbers, such as 4.5, or nothing when it is not known", s)
		if _, err := veighna.ParseVersion(s); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", s, err, want)
		}
	}
	want := "VeighNa 2.9 is too old: its heartbeat and its login are other ones; 3.0 is the first that can connect"
	if _, err := veighna.ParseVersion("2.9"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFrames holds the exact bytes of each framing, which were tried against stock clients.
func TestFrames(t *testing.T) {
	p := veighna.Publication{Types: []string{"eX.", "eX.a"}, Body: []byte("N")}
	event := func(kind string) string {
		return "\x8c\x11vnpy.event.engine\x8c\x05Event\x93)\x81}(\x8c\x04type\x8c" + string(rune(len(kind))) + kind + "\x8c\x04dataNub"
	}
	one := func(kind string) veighna.Message {
		return veighna.Message{[]byte("\x80\x04](\x8c\x00" + event(kind) + "e.")}
	}
	two := func(kind string) veighna.Message {
		return veighna.Message{{}, []byte("\x80\x04" + event(kind) + ".")}
	}
	float := "G\x41\xda\xc0\x8f\xa4\x20\x00\x00"
	disguised := func(kind, body string) veighna.Message {
		return veighna.Message{
			[]byte("(lp0\nVheartbeat\np1\naF1795309200.500000\na."),
			[]byte("\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R(\x8c\x09heartbeatN" + float + "Nu}(\x8c\x04type\x8c" +
				string(rune(len(kind))) + kind + "\x8c\x04data" + body + "ub."),
		}
	}
	beat := veighna.Message{[]byte("\x80\x04](\x8c\x09heartbeat" + float + "e.")}
	for _, tc := range []struct {
		name string
		got  []veighna.Message
		want []veighna.Message
	}{
		{"up to 4.4", veighna.UpTo44.Publish(p, now), []veighna.Message{one("eX."), one("eX.a")}},
		{"from 4.5", veighna.From45.Publish(p, now), []veighna.Message{two("eX."), two("eX.a")}},
		{"any", veighna.AnyVersion.Publish(p, now), []veighna.Message{one("eX."), disguised("eX.", "N"), one("eX.a"), disguised("eX.a", "N")}},
		{"heartbeat up to 4.4", veighna.UpTo44.Heartbeat(now), []veighna.Message{beat}},
		{"heartbeat from 4.5", veighna.From45.Heartbeat(now), []veighna.Message{{[]byte("heartbeat"), []byte("\x80\x04" + float + ".")}}},
		{"heartbeat, any", veighna.AnyVersion.Heartbeat(now), []veighna.Message{beat, disguised("eHubHeartbeat", "N")}},
	} {
		if got, want := fmt.Sprintf("%q", tc.got), fmt.Sprintf("%q", tc.want); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.name, got, want)
		}
	}
	body := string(veighna.AppendLog(nil, &veighna.Log{Text: "t", Level: 20}, nil))
	l := &veighna.Log{Text: "t", Level: 20}
	if got := veighna.AnyVersion.Hint(l, nil, now); got != nil {
		t.Errorf("got a hint %q though nothing is stated", got)
	}
	if got, want := fmt.Sprintf("%q", veighna.UpTo44.Hint(l, nil, now)), fmt.Sprintf("%q", []veighna.Message{disguised("eLog", body)}); got != want {
		t.Errorf("hint to one that is not up to 4.4:\ngot  %s\nwant %s", got, want)
	}
	hints := veighna.From45.Hint(l, nil, now)
	if len(hints) != 1 || len(hints[0]) != 1 {
		t.Fatalf("hint to one that is not from 4.5: got %q, want one frame", hints)
	}
	e, err := veighna.DecodeEvent(hints[0], nil)
	if err != nil || e.Type != "eLog" || e.Data != *l {
		t.Errorf("got %+v, %v", e, err)
	}
	for language, want := range map[veighna.Language]string{veighna.Chinese: "4.4", veighna.English: "version 4.4"} {
		if got := veighna.HintText("4.4", language); !strings.Contains(got, want) {
			t.Errorf("got %q, want the version in it", got)
		}
	}
}

// TestHeartbeats reads each form, which is how a hub that is itself a client knows that its server lives.
func TestHeartbeats(t *testing.T) {
	for _, f := range []veighna.Framing{veighna.UpTo44, veighna.From45, veighna.AnyVersion} {
		e, err := veighna.DecodeEvent(f.Heartbeat(now)[0], nil)
		if err != nil || e.Topic != "heartbeat" || e.Data != (veighna.Heartbeat{Time: now}) {
			t.Errorf("framing %d: got %+v, %v", f, e, err)
		}
	}
	e, err := veighna.DecodeEvent(veighna.AnyVersion.Heartbeat(now)[1], nil)
	if err != nil || e.Type != "eHubHeartbeat" || e.Data != nil {
		t.Errorf("got %+v, %v; want an event that nobody handles", e, err)
	}
}

// TestDecodeErrors: what a server may send that is no event or reply.
func TestDecodeErrors(t *testing.T) {
	for _, tc := range []struct {
		frames veighna.Message
		want   string
	}{
		{veighna.Message{}, "an event has one frame or two, not 0"},
		{veighna.Message{nil, nil, nil}, "an event has one frame or two, not 3"},
		{veighna.Message{nil}, "UnpicklingError: offset 0: end: pickle was truncated"},
		{veighna.Message{nil, nil}, "UnpicklingError: offset 0: end: pickle was truncated"},
		{veighna.Message{[]byte("K\x05.")}, "an event is [topic, data], not 5"},
		{veighna.Message{[]byte("](NNe.")}, "an event is [topic, data], not [None, None]"},
		{
			veighna.Message{[]byte("eTick."), []byte("cvnpy.trader.object\nTickData\n)\x81}\x8c\x06volume\x8c\x01asb.")},
			`event "eTick.": TickData.volume must be a number, not str`,
		},
		{
			veighna.Message{[]byte("x"), []byte("cvnpy.trader.object\nOrderData\n)\x81}\x8c\x06statuscvnpy.trader.constant\nStatus\n\x8c\x02up\x85Rsb.")},
			`event "x": OrderData.status is no Status: vnpy.trader.constant.Status("up")`,
		},
		{veighna.Message{[]byte("x"), []byte("cvnpy.trader.object\nLogData\n)\x81.")}, `event "x": LogData without attributes`},
	} {
		if _, err := veighna.DecodeEvent(tc.frames, nil); err == nil || err.Error() != tc.want {
			t.Errorf("%q: got %v, want %s", tc.frames, err, tc.want)
		}
	}
	if _, err := veighna.DecodeReply([]byte("K\x05."), nil); err == nil || err.Error() != "a reply is [ok, value], not 5" {
		t.Errorf("got %v", err)
	}
	v, err := veighna.DecodeReply(veighna.AppendReplyError(nil, "TypeError: no"), nil)
	var remote *veighna.RemoteError
	if v != nil || !errors.As(err, &remote) || remote.Text != "TypeError: no" {
		t.Errorf("got %v, %v; want the text", v, err)
	}
}

// TestBareData: VeighNa's web trader publishes the data without an event around, under the event type as topic.
func TestBareData(t *testing.T) {
	body := veighna.AppendTick(nil, &hub.Tick{Instrument: rb, Gateway: "CTP"}, nil)
	e, err := veighna.DecodeEvent(veighna.Message{[]byte("eTick."), append(body, '.')}, nil)
	tick, ok := e.Data.(hub.Tick)
	if err != nil || !ok || e.Type != "eTick." || tick.Gateway != "CTP" {
		t.Errorf("got %+v, %v", e, err)
	}
}

// TestUnknownClasses come through as they are: a strategy's own data must not end a connection.
func TestUnknownClasses(t *testing.T) {
	for _, dir := range stockDirs(t) {
		for name, want := range map[string]string{
			"pub_cta_strategy": "eCtaStrategy", "pub_quote": "eQuote.", "pub_str_data": "eDemo.", "pub_list_data": "eDemo.", "pub_timer": "eTimer",
		} {
			e, err := veighna.DecodeEvent(veighna.Message{read(t, dir+"/"+name+".pkl")}, nil)
			if err != nil || e.Type != want {
				t.Errorf("%s/%s: got %+v, %v", dir, name, e, err)
			}
		}
	}
}

// TestReplies: the answers that carry no object of the market.
func TestReplies(t *testing.T) {
	reply := func(body []byte) []byte {
		return veighna.AppendReplyEnd(append(veighna.AppendReplyStart(nil), body...))
	}
	if v, err := veighna.DecodeReply(reply(veighna.AppendNone(nil)), nil); v != nil || err != nil {
		t.Errorf("got %v, %v; want nothing", v, err)
	}
	id := veighna.OrderID("SIM", "7_1")
	if v, err := veighna.DecodeReply(reply(veighna.AppendString(nil, id)), nil); v != "SIM.7_1" || err != nil {
		t.Errorf("got %v, %v; want SIM.7_1", v, err)
	}
	v, err := veighna.DecodeReply(reply(veighna.AppendList(nil, []hub.Tick(nil), nil)), nil)
	if list, ok := v.([]any); err != nil || !ok || len(list) != 0 {
		t.Errorf("got %v, %v; want an empty list", v, err)
	}
}

// TestUnknownExchange: no client may meet a member that it lacks.
func TestUnknownExchange(t *testing.T) {
	i := hub.Instrument{Symbol: "BTCUSDT", Exchange: "BINANCE"}
	p := veighna.TickEvent(&hub.Tick{Instrument: i}, nil)
	v, err := pickle.Decode(append(p.Body, '.'))
	if err != nil {
		t.Fatal(err)
	}
	exchange, _ := v.(*pickle.Object).Attr("exchange")
	symbol, _ := v.(*pickle.Object).Attr("vt_symbol")
	if c, ok := exchange.(*pickle.Class); !ok || c.Name != "Exchange.LOCAL" || symbol != "BTCUSDT.LOCAL" || p.Types[1] != "eTick.BTCUSDT.LOCAL" {
		t.Errorf("got %v, %v, %v", exchange, symbol, p.Types)
	}
	if veighna.KnownExchange("BINANCE") || !veighna.KnownExchange("SHFE") || !veighna.KnownExchange("EUX") || veighna.KnownExchange("EUREX") {
		t.Error("KnownExchange is wrong")
	}
}

// TestUnsetMembers writes what a client can load even when the hub's value says nothing.
func TestUnsetMembers(t *testing.T) {
	for _, tc := range []struct {
		body []byte
		key  string
		want string
	}{
		{veighna.AppendOrder(nil, &hub.Order{}, nil), "type", "vnpy.trader.constant.OrderType.LIMIT"},
		{veighna.AppendOrder(nil, &hub.Order{}, nil), "direction", "None"},
		{veighna.AppendOrder(nil, &hub.Order{}, nil), "status", "vnpy.trader.constant.Status.SUBMITTING"},
		{veighna.AppendOrder(nil, &hub.Order{Status: hub.Accepted}, nil), "status", "vnpy.trader.constant.Status.NOTTRADED"},
		{veighna.AppendOrder(nil, &hub.Order{Status: 99}, nil), "status", "vnpy.trader.constant.Status.SUBMITTING"},
		{veighna.AppendPosition(nil, &hub.Position{}, veighna.Chinese), "direction", "vnpy.trader.constant.Direction.NET"},
		{veighna.AppendPosition(nil, &hub.Position{}, veighna.Chinese), "vt_positionid", `"..LOCAL.净"`},
		{veighna.AppendPosition(nil, &hub.Position{Gateway: "SIM", Instrument: rb, Direction: hub.Short}, veighna.English), "vt_positionid", `"SIM.rb2501.SHFE.Short"`},
		{veighna.AppendContract(nil, &hub.Contract{}), "product", "vnpy.trader.constant.Product.SPOT"},
		{veighna.AppendContract(nil, &hub.Contract{}), "max_volume", "None"},
		{veighna.AppendContract(nil, &hub.Contract{Zone: "Mars/Phobos"}), "option_expiry", "None"},
		{veighna.AppendBar(nil, &hub.Bar{}, nil), "interval", "None"},
		{veighna.AppendTick(nil, &hub.Tick{}, nil), "datetime", "None"},
	} {
		v, err := pickle.Decode(append(tc.body, '.'))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := v.(*pickle.Object).Attr(tc.key)
		if s := pickle.Repr(got, 100); s != tc.want {
			t.Errorf("%s: got %s, want %s", tc.key, s, tc.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"SIM": "<nil>", "7_1": "<nil>", "": "an empty name",
		"a.b":                    `"a.b" has a dot, at which VeighNa's client would split it`,
		strings.Repeat("a", 121): `"` + strings.Repeat("a", 121) + `" is longer than 120 bytes`,
	} {
		if got := fmt.Sprint(veighna.CheckName(name)); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}

func benchTick() *hub.Tick {
	t := &hub.Tick{
		Instrument: rb, Gateway: "SIM", Name: "螺纹钢2501", Time: now, LocalTime: now, Volume: dec("123456"), Turnover: dec("4300000000"),
		OpenInterest: dec("1520034"), Last: dec("3500.5"), LastQty: dec("2"), LimitUp: dec("3850"), LimitDown: dec("3150"), Open: dec("3490"),
		High: dec("3512"), Low: dec("3488"), PreClose: dec("3495"),
	}
	for i := range t.Bids {
		t.Bids[i] = hub.Level{Price: dec("3499.5"), Qty: dec("10")}
		t.Asks[i] = hub.Level{Price: dec("3500.5"), Qty: dec("11")}
	}
	return t
}

func BenchmarkAppendTick(b *testing.B) {
	tick := benchTick()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = veighna.AppendTick(buf[:0], tick, nil)
	}
	b.SetBytes(int64(len(buf)))
}

// BenchmarkPublishTick is all that a tick costs: two event types, in each framing.
func BenchmarkPublishTick(b *testing.B) {
	tick := benchTick()
	for name, f := range map[string]veighna.Framing{"any": veighna.AnyVersion, "4.4": veighna.UpTo44, "4.5": veighna.From45} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Publish(veighna.TickEvent(tick, nil), now)
			}
		})
	}
}

func BenchmarkBindSendOrder(b *testing.B) {
	for _, dir := range []string{"py3.11.2-zh-p4", "py3.12.1-zh-p4"} {
		data := read(b, "testdata/pickles/"+dir+"/req_send_order.pkl")
		b.Run(dir, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bind(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeTick(b *testing.B) {
	m := veighna.From45.Publish(veighna.TickEvent(benchTick(), nil), now)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := veighna.DecodeEvent(m, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzEvent: no bytes that a server may send do more than make an error or an event.
func FuzzEvent(f *testing.F) {
	for _, dir := range stockDirs(f)[:2] {
		for _, name := range []string{"tick", "trade", "position", "account", "contract", "log", "quote", "cta_strategy", "heartbeat", "extra"} {
			f.Add([]byte(nil), read(f, dir+"/pub_"+name+".pkl"))
		}
	}
	for _, m := range append(veighna.AnyVersion.Publish(veighna.TickEvent(benchTick(), nil), now), veighna.AnyVersion.Heartbeat(now)...) {
		f.Add(m[0], m[len(m)-1])
	}
	f.Fuzz(func(t *testing.T, topic, data []byte) {
		for _, m := range []veighna.Message{{data}, {topic, data}} {
			e, err := veighna.DecodeEvent(m, nil)
			if err != nil {
				if err.Error() == "" || len(err.Error()) > 2000 {
					t.Fatalf("got %v", err)
				}
				continue
			}
			if b := write(e.Data, veighna.English); b != nil { // a typed value can be written
				if _, err := pickle.Decode(append(b, '.')); err != nil {
					t.Fatalf("%+v: %v", e.Data, err)
				}
			}
		}
		if v, err := veighna.DecodeReply(data, nil); err != nil && v != nil {
			t.Fatalf("got both %v and %v", v, err)
		}
	})
}

package veighna_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/rpc/veighna"
	"tradehub/rpc/veighna/pickle"
)

// generators of the hub's values, as far as VeighNa's classes can say them

func genDecimal(t *rapid.T, name string) hub.Decimal {
	// 15 digits: what a float says exactly
	s := fmt.Sprintf("%de-%d", rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(t, name), rapid.IntRange(0, 8).Draw(t, name+" scale"))
	d, err := hub.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func genInstrument(t *rapid.T) hub.Instrument {
	return hub.Instrument{
		Symbol:   rapid.StringMatching(`[A-Za-z0-9.]{0,8}[a-z0-9]`).Draw(t, "symbol"),
		Exchange: rapid.SampledFrom([]string{"SHFE", "DCE", "CFFEX", "EUX", "CBOT", "GLOBAL", "SSE"}).Draw(t, "exchange"),
	}
}

func genName(t *rapid.T, name string) string {
	return rapid.StringMatching(`[A-Za-z0-9_]{1,20}`).Draw(t, name)
}

func genGateway(t *rapid.T) hub.GatewayName { return hub.GatewayName(genName(t, "gateway")) }

// genTime is an instant to the microsecond; seldom none.
func genTime(t *rapid.T, name string) hub.Time {
	return hub.Time(rapid.Int64Range(0, 4e15).Draw(t, name)) * 1000
}

func genEnum(t *rapid.T, name string, first, last uint8) uint8 {
	return rapid.Uint8Range(first, last).Draw(t, name)
}

var genText = rapid.String()

func genTick(t *rapid.T) hub.Tick {
	v := hub.Tick{Instrument: genInstrument(t), Gateway: genGateway(t), Name: genText.Draw(t, "name"), Time: genTime(t, "time"), LocalTime: genTime(t, "local")}
	for _, d := range []*hub.Decimal{
		&v.Volume, &v.Turnover, &v.OpenInterest, &v.Last, &v.LastQty, &v.LimitUp, &v.LimitDown, &v.Open, &v.High, &v.Low, &v.PreClose,
		&v.Bids[0].Price, &v.Bids[0].Qty, &v.Bids[4].Price, &v.Bids[4].Qty, &v.Asks[1].Price, &v.Asks[1].Qty, &v.Asks[4].Price, &v.Asks[4].Qty,
	} {
		*d = genDecimal(t, "number")
	}
	return v
}

func genRequest(t *rapid.T) hub.OrderRequest {
	return hub.OrderRequest{
		Instrument: genInstrument(t), Direction: hub.Direction(genEnum(t, "direction", 1, 3)), Offset: hub.Offset(genEnum(t, "offset", 0, 4)),
		Type: hub.OrderType(genEnum(t, "type", 1, 7)), Price: genDecimal(t, "price"), Qty: genDecimal(t, "qty"), Reference: genText.Draw(t, "reference"),
	}
}

func genOrder(t *rapid.T) hub.Order {
	return hub.Order{
		ID: hub.OrderID(genName(t, "id")), OrderRequest: genRequest(t), Gateway: genGateway(t), Filled: genDecimal(t, "filled"), Time: genTime(t, "time"),
		Status: rapid.SampledFrom([]hub.Status{hub.Submitted, hub.Resting, hub.PartFilled, hub.Filled, hub.Cancelled, hub.Rejected}).Draw(t, "status"),
	}
}

func genTrade(t *rapid.T) hub.Trade {
	return hub.Trade{
		ID: genName(t, "id"), OrderID: hub.OrderID(genName(t, "order")), Instrument: genInstrument(t), Gateway: genGateway(t), Time: genTime(t, "time"),
		Direction: hub.Direction(genEnum(t, "direction", 1, 3)), Offset: hub.Offset(genEnum(t, "offset", 0, 4)),
		Price: genDecimal(t, "price"), Qty: genDecimal(t, "qty"),
	}
}

func genPosition(t *rapid.T) hub.Position {
	today, yesterday := rapid.Int64Range(0, 1e6).Draw(t, "today"), rapid.Int64Range(0, 1e6).Draw(t, "yesterday")
	return hub.Position{
		Instrument: genInstrument(t), Gateway: genGateway(t), Direction: hub.Direction(genEnum(t, "direction", 1, 3)),
		Qty: hub.Int(today + yesterday), Today: hub.Int(today), Yesterday: hub.Int(yesterday), Frozen: genDecimal(t, "frozen"),
		Price: genDecimal(t, "price"), PnL: genDecimal(t, "pnl"),
	}
}

func genAccount(t *rapid.T) veighna.Account {
	return veighna.Account{Gateway: genGateway(t), Account: hub.Account{
		Trader: hub.TraderName(genName(t, "trader")), Balance: genDecimal(t, "balance"), Frozen: genDecimal(t, "frozen"), Available: genDecimal(t, "available"),
	}}
}

func genBar(t *rapid.T) hub.Bar {
	v := hub.Bar{Instrument: genInstrument(t), Gateway: genGateway(t), Time: genTime(t, "time"), Interval: hub.Interval(genEnum(t, "interval", 0, 5))}
	for _, d := range []*hub.Decimal{&v.Volume, &v.Turnover, &v.OpenInterest, &v.Open, &v.High, &v.Low, &v.Close} {
		*d = genDecimal(t, "number")
	}
	return v
}

func genContract(t *rapid.T) hub.Contract {
	v := hub.Contract{
		Instrument: genInstrument(t), Gateway: genGateway(t), Name: genText.Draw(t, "name"), Kind: hub.Kind(genEnum(t, "kind", 1, 13)),
		Size: genDecimal(t, "size"), Tick: genDecimal(t, "tick"), MinQty: genDecimal(t, "min"), MaxQty: genDecimal(t, "max"),
		StopSupported: rapid.Bool().Draw(t, "stop"), NetPosition: rapid.Bool().Draw(t, "net"), History: rapid.Bool().Draw(t, "history"),
	}
	if rapid.Bool().Draw(t, "option") {
		v.OptionType = hub.OptionType(genEnum(t, "option type", 1, 2))
		v.OptionStrike = genDecimal(t, "strike")
		v.OptionUnderlying, v.OptionPortfolio, v.OptionIndex = genText.Draw(t, "underlying"), genText.Draw(t, "portfolio"), genText.Draw(t, "index")
		v.OptionListed, v.OptionExpiry = genTime(t, "listed"), genTime(t, "expiry")
	}
	return v
}

func genLog(t *rapid.T) veighna.Log {
	return veighna.Log{
		Gateway: genGateway(t), Text: genText.Draw(t, "text"), Level: rapid.IntRange(0, 1000).Draw(t, "level"), Time: genTime(t, "time"),
	}
}

// TestRoundTrip: what is written, as a reply and as an event in every framing, is read as the same.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := genTime(t, "now")
		var want any
		var p veighna.Publication
		switch rapid.IntRange(0, 7).Draw(t, "class") {
		case 0:
			v := genTick(t)
			want, p = v, veighna.TickEvent(&v, nil)
		case 1:
			v := genOrder(t)
			want, p = v, veighna.OrderEvent(&v, nil)
		case 2:
			v := genTrade(t)
			want, p = v, veighna.TradeEvent(&v, nil)
		case 3:
			v := genPosition(t)
			want, p = v, veighna.PositionEvent(&v, veighna.Language(genEnum(t, "language", 0, 1)))
		case 4:
			v := genAccount(t)
			want, p = v, veighna.AccountEvent(&v)
		case 5:
			v := genContract(t)
			want, p = v, veighna.ContractEvent(&v)
		case 6:
			v := genLog(t)
			want, p = v, veighna.LogEvent(&v, nil)
		case 7:
			v := genBar(t)
			want, p = v, veighna.Publication{Types: []string{"eBar."}, Body: veighna.AppendBar(nil, &v, nil)}
		}
		got, err := veighna.DecodeReply(veighna.AppendReplyEnd(append(veighna.AppendReplyStart(nil), p.Body...)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, decimals); diff != "" {
			t.Fatal(diff)
		}
		for _, f := range []veighna.Framing{veighna.AnyVersion, veighna.UpTo44, veighna.From45} {
			messages := f.Publish(p, now)
			copies := 1
			if f == veighna.AnyVersion {
				copies = 2
			}
			if len(messages) != copies*len(p.Types) {
				t.Fatalf("framing %d: got %d messages for %d types", f, len(messages), len(p.Types))
			}
			for i, m := range messages {
				e, err := veighna.DecodeEvent(m, nil)
				if err != nil {
					t.Fatal(err)
				}
				if e.Type != p.Types[i/copies] {
					t.Fatalf("got type %q, want %q", e.Type, p.Types[i/copies])
				}
				if diff := cmp.Diff(want, e.Data, decimals); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	})
}

// TestRequestRoundTrip: what is written as a request binds to the same call.
func TestRequestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want veighna.Call
		switch rapid.IntRange(0, 10).Draw(t, "function") {
		case 0:
			want = veighna.Subscribe{Instrument: genInstrument(t), Gateway: genGateway(t)}
		case 1:
			want = veighna.SendOrder{OrderRequest: genRequest(t), Gateway: genGateway(t)}
		case 2:
			want = veighna.CancelOrder{
				CancelRequest: hub.CancelRequest{Instrument: genInstrument(t), OrderID: hub.OrderID(genName(t, "id"))}, Gateway: genGateway(t),
			}
		case 3:
			want = veighna.QueryHistory{Gateway: genGateway(t), HistoryRequest: hub.HistoryRequest{
				Instrument: genInstrument(t), Start: genTime(t, "start") + 1000, End: genTime(t, "end"), Interval: hub.Interval(genEnum(t, "interval", 0, 5)),
			}}
		case 4:
			want = veighna.GetTick{Instrument: genInstrument(t)}
		case 5:
			want = veighna.GetContract{Instrument: genInstrument(t)}
		case 6:
			want = veighna.GetOrder{Gateway: genGateway(t), OrderID: hub.OrderID(genName(t, "id"))}
		case 7:
			want = veighna.GetTrade{Gateway: genGateway(t), TradeID: genName(t, "id")}
		case 8:
			want = veighna.GetPosition{Gateway: genGateway(t), Instrument: genInstrument(t), Direction: hub.Direction(genEnum(t, "direction", 1, 3))}
		case 9:
			want = veighna.GetAccount{Gateway: genGateway(t), AccountID: genName(t, "id")}
		case 10:
			want = rapid.SampledFrom([]veighna.Call{
				veighna.GetAllTicks{},
				veighna.GetAllOrders{},
				veighna.GetAllActiveOrders{},
				veighna.GetAllTrades{},
				veighna.GetAllPositions{},
				veighna.GetAllAccounts{},
				veighna.GetAllContracts{},
			}).Draw(t, "get all")
		}
		got, err := bind(veighna.AppendRequest(nil, want, nil, veighna.Language(genEnum(t, "language", 0, 1))))
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffCall(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestNumbers: every float either is a decimal that reads back as the same float, or is refused; every decimal of 15 digits survives.
func TestNumbers(t *testing.T) {
	floatOf := func(t *rapid.T, d hub.Decimal) float64 {
		v, err := pickle.Decode(append(veighna.AppendAccount(nil, &veighna.Account{Account: hub.Account{Balance: d}}), '.'))
		if err != nil {
			t.Fatal(err)
		}
		f, _ := v.(*pickle.Object).Attr("balance")
		return f.(float64)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1e6, 1e6), rapid.Map(rapid.IntRange(-1e9, 1e9), func(n int) float64 { return float64(n) / 1e4 })).Draw(t, "f")
		call, err := veighna.Request{Name: "send_order", Args: []any{orderState("price", f), ""}, Kwargs: &pickle.Dict{}}.Bind(nil)
		if err != nil {
			if math.Abs(f) >= 1e-2 && math.Abs(f) < 1e15 {
				t.Fatalf("%v: %v", f, err)
			}
			return
		}
		price := call.(veighna.SendOrder).Price
		if back := floatOf(t, price); back != f {
			t.Fatalf("%v became %v and then %v", f, price, back)
		}
		if want := strconv.FormatFloat(f+0, 'f', -1, 64); price.String() != want { // + 0: -0 is 0
			t.Fatalf("%v became %v, want %s", f, price, want)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		d := genDecimal(t, "d")
		call, err := veighna.Request{Name: "send_order", Args: []any{orderState("price", floatOf(t, d)), ""}, Kwargs: &pickle.Dict{}}.Bind(nil)
		if err != nil || call.(veighna.SendOrder).Price.String() != d.Trim(0).String() {
			t.Fatalf("%v: got %+v, %v", d, call, err)
		}
	})
}

// TestZones: a time is shown as clocks at the venue show it, and is the same instant when read.
func TestZones(t *testing.T) {
	when := hub.TimeOf(time.Date(2024, 11, 3, 6, 30, 0, 123456789, time.UTC)) // in New York the second 1:30 of that night
	for _, tc := range []struct {
		loc  *time.Location
		want string
	}{
		{nil, "2024-11-03 14:30:00.123456 Asia/Shanghai"},
		{mustZone(""), "2024-11-03 14:30:00.123456 Asia/Shanghai"},
		{mustZone("America/New_York"), "2024-11-03 01:30:00.123456 America/New_York"},
		{time.UTC, "2024-11-03 06:30:00.123456 UTC"},
		{time.FixedZone("here", 5*3600+1800), "2024-11-03 12:00:00.123456 UTC+05:30"},
		{time.FixedZone("there", -9000), "2024-11-03 04:00:00.123456 UTC-02:30"},
	} {
		tick := hub.Tick{Instrument: rb, Time: when, LocalTime: when}
		v, err := pickle.Decode(append(veighna.AppendTick(nil, &tick, tc.loc), '.'))
		if err != nil {
			t.Fatal(err)
		}
		shown, _ := v.(*pickle.Object).Attr("datetime")
		local, _ := v.(*pickle.Object).Attr("localtime")
		d := shown.(pickle.DateTime)
		if d.String() != tc.want {
			t.Errorf("got %s, want %s", d, tc.want)
		}
		if got := local.(pickle.DateTime); got.Zone != nil || !strings.HasPrefix(tc.want, got.String()) {
			t.Errorf("local time: got %s, want the same without a zone", got)
		}
		back, err := d.Time(nil)
		if err != nil || hub.TimeOf(back) != when/1000*1000 {
			t.Errorf("%s: got %v, %v; want the same instant", d, back.UTC(), err)
		}
	}
	if _, err := veighna.Zone("Mars/Phobos"); err == nil || err.Error() != `time zone "Mars/Phobos" is not known` {
		t.Errorf("got %v", err)
	}
}

package veighna_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
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

var (
	rb       = hub.Instrument{Symbol: "rb2501", Exchange: "SHFE"}
	shanghai = mustZone("Asia/Shanghai")
)

func mustZone(key string) *time.Location {
	loc, err := veighna.Zone(key)
	if err != nil {
		panic(err)
	}
	return loc
}

// at returns an instant by Shanghai's clock.
func at(s string) hub.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, shanghai)
	if err != nil {
		panic(err)
	}
	return hub.TimeOf(t)
}

func dec(s string) hub.Decimal { return hub.MustDecimal(s) }

// stockDirs are captures of stock processes: Python versions, languages, pickle protocols.
func stockDirs(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/pickles/*")
	if err != nil || len(dirs) != 7 {
		t.Fatalf("got %d directories, %v; want 7", len(dirs), err)
	}
	return dirs
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestStockRequests binds the requests of stock clients.
func TestStockRequests(t *testing.T) {
	order := func(direction hub.Direction, kind hub.OrderType, offset hub.Offset) veighna.SendOrder {
		return veighna.SendOrder{Gateway: "SIM", OrderRequest: hub.OrderRequest{
			Instrument: rb, Direction: direction, Type: kind, Offset: offset, Qty: dec("1"), Price: dec("3500"),
		}}
	}
	history := func(start, end hub.Time, interval hub.Interval) veighna.QueryHistory {
		return veighna.QueryHistory{
			Gateway: "SIM", HistoryRequest: hub.HistoryRequest{Instrument: rb, Start: start, End: end, Interval: interval},
		}
	}
	full := order(hub.Long, hub.Limit, hub.Open)
	full.Qty, full.Price, full.Reference = dec("5"), dec("3499"), "CtaStrategy_双均线"
	want := map[string]veighna.Call{
		"subscribe":            veighna.Subscribe{Instrument: rb, Gateway: "SIM"},
		"subscribe_kwargs":     veighna.Subscribe{Instrument: rb, Gateway: "SIM"},
		"subscribe_no_gateway": veighna.Subscribe{Instrument: rb},
		"send_order":           full,
		"cancel_order": veighna.CancelOrder{
			Gateway: "SIM", CancelRequest: hub.CancelRequest{Instrument: rb, OrderID: "1_93015_7"},
		},
		"query_history_naive":    history(at("2025-01-01 00:00:00"), at("2025-01-02 00:00:00"), hub.Minute),
		"query_history_zoneinfo": history(at("2025-01-02 09:30:15.123456"), at("2025-01-02 10:30:15.123456"), hub.Hour),
		"get_tick":               veighna.GetTick{Instrument: rb},
		"get_tick_kwargs":        veighna.GetTick{Instrument: rb},
		"get_contract":           veighna.GetContract{Instrument: rb},
		"get_order":              veighna.GetOrder{Gateway: "SIM", OrderID: "1_93015_7"},
		"get_trade":              veighna.GetTrade{Gateway: "SIM", TradeID: "42"},
		"get_position":           veighna.GetPosition{Gateway: "SIM", Instrument: rb, Direction: hub.Long},
		"get_account":            veighna.GetAccount{Gateway: "SIM", AccountID: "880001"},
		"get_all_ticks":          veighna.GetAllTicks{},
		"get_all_orders":         veighna.GetAllOrders{},
		"get_all_active_orders":  veighna.GetAllActiveOrders{},
		"get_all_trades":         veighna.GetAllTrades{},
		"get_all_positions":      veighna.GetAllPositions{},
		"get_all_accounts":       veighna.GetAllAccounts{},
		"get_all_contracts":      veighna.GetAllContracts{},
	}
	for _, dir := range stockDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			for name, want := range want {
				got, err := bind(read(t, filepath.Join(dir, "req_"+name+".pkl")))
				if err != nil {
					t.Errorf("%s: %v", name, err)
				} else if diff := diffCall(want, got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			for name, want := range map[string]struct {
				kind   hub.OrderType
				offset hub.Offset
			}{
				"type_LIMIT": {kind: hub.Limit}, "type_MARKET": {kind: hub.Market}, "type_STOP": {kind: hub.Stop}, "type_FAK": {kind: hub.FAK},
				"type_FOK": {kind: hub.FOK}, "type_RFQ": {kind: hub.RFQ}, "type_ETF": {kind: hub.ETF},
				"offset_NONE": {offset: hub.NoOffset}, "offset_OPEN": {offset: hub.Open}, "offset_CLOSE": {offset: hub.Close},
				"offset_CLOSETODAY": {offset: hub.CloseToday}, "offset_CLOSEYESTERDAY": {offset: hub.CloseYesterday},
			} {
				got, err := bind(read(t, filepath.Join(dir, "req_send_order_"+name+".pkl")))
				o, ok := got.(veighna.SendOrder)
				if err != nil || !ok {
					t.Errorf("%s: got %v, %v", name, got, err)
				} else if o.Type != want.kind && want.kind != 0 || o.Offset != want.offset && want.kind == 0 {
					t.Errorf("%s: got %v %v", name, o.Type, o.Offset)
				}
			}
			for name, want := range map[string]string{
				"unregistered":      "KeyError: 'no_such_function'",
				"webtrader_connect": "KeyError: 'connect'",
				"datafeed_bar":      "KeyError: 'query_bar_history'",
				"send_quote":        "KeyError: 'send_quote'",
			} {
				if _, err := bind(read(t, filepath.Join(dir, "req_"+name+".pkl"))); err == nil || err.Error() != want {
					t.Errorf("%s: got %v, want %s", name, err, want)
				}
			}
		})
	}
}

func bind(data []byte) (veighna.Call, error) {
	r, err := veighna.DecodeRequest(data)
	if err != nil {
		return nil, err
	}
	return r.Bind(nil)
}

// decimals compare as numbers with the same digits.
var decimals = cmp.Comparer(func(a, b hub.Decimal) bool { return a.String() == b.String() })

func diffCall(want, got any) string { return cmp.Diff(want, got, decimals) }

// TestStockData reads what stock servers answered and published into the hub's values, writes those again, and compares with the original
// attribute by attribute: names, order, classes, and values but for what cannot be said in decimals.
func TestStockData(t *testing.T) {
	classes := map[string]int{}
	for _, dir := range stockDirs(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var m struct {
				Locale  string
				Vectors []struct {
					File  string
					Value any
				}
			}
			if err := json.Unmarshal(read(t, filepath.Join(dir, "manifest.json")), &m); err != nil {
				t.Fatal(err)
			}
			language := map[string]veighna.Language{"zh": veighna.Chinese, "en": veighna.English}[m.Locale]
			for _, v := range m.Vectors {
				data := read(t, filepath.Join(dir, v.File))
				wants := findObjects(v.Value)
				var got any
				var err error
				switch {
				case strings.HasPrefix(v.File, "rep_error"):
					var remote *veighna.RemoteError
					if _, err := veighna.DecodeReply(data, nil); !errors.As(err, &remote) {
						t.Errorf("%s: got %v, want a RemoteError", v.File, err)
					}
					continue
				case strings.HasPrefix(v.File, "rep_"):
					got, err = veighna.DecodeReply(data, nil)
				case strings.HasPrefix(v.File, "pub_"):
					var e veighna.Event
					e, err = veighna.DecodeEvent(veighna.Message{data}, nil)
					got = e.Data
				default:
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", v.File, err)
					continue
				}
				items, ok := got.([]any)
				if !ok {
					items = []any{got}
				}
				for i, want := range wants {
					if i >= len(items) {
						t.Errorf("%s: got %d items, want %d", v.File, len(items), len(wants))
						break
					}
					if diff := rewritten(items[i], want, language); diff != "" {
						t.Errorf("%s: %s", v.File, diff)
					}
					classes[want["object"].(string)]++
				}
			}
		})
	}
	for _, c := range []string{"TickData", "BarData", "OrderData", "TradeData", "PositionData", "AccountData", "ContractData", "LogData"} {
		if classes["vnpy.trader.object."+c] < 7 {
			t.Errorf("only %d of class %s were compared", classes["vnpy.trader.object."+c], c)
		}
	}
}

// findObjects returns the data objects of a manifest value that the hub has a word for.
func findObjects(v any) (found []map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			found = append(found, findObjects(item)...)
		}
	case map[string]any:
		if class, ok := v["object"].(string); ok && strings.HasSuffix(class, "Data") && class != "vnpy.trader.object.QuoteData" {
			return append(found, v)
		}
		for _, key := range []string{"list", "state"} {
			found = append(found, findObjects(v[key])...)
		}
	}
	return found
}

// write writes any typed value.
func write(v any, language veighna.Language) []byte {
	switch v := v.(type) {
	case hub.Tick:
		return veighna.AppendTick(nil, &v, nil)
	case hub.Bar:
		return veighna.AppendBar(nil, &v, nil)
	case hub.Order:
		return veighna.AppendOrder(nil, &v, nil)
	case hub.Trade:
		return veighna.AppendTrade(nil, &v, nil)
	case hub.Position:
		return veighna.AppendPosition(nil, &v, language)
	case hub.Contract:
		return veighna.AppendContract(nil, &v)
	case veighna.Account:
		return veighna.AppendAccount(nil, &v)
	case veighna.Log:
		return veighna.AppendLog(nil, &v, nil)
	default:
		return nil
	}
}

func rewritten(v any, want map[string]any, language veighna.Language) string {
	b := write(v, language)
	if b == nil {
		return fmt.Sprintf("got %T, want a %v", v, want["object"])
	}
	back, err := pickle.Decode(append(b, '.'))
	if err != nil {
		return err.Error()
	}
	o := back.(*pickle.Object)
	if o.Class.String() != want["object"] {
		return fmt.Sprintf("got a %s, want a %v", o.Class, want["object"])
	}
	pairs := o.State.(*pickle.Dict).Pairs
	wants := slices.DeleteFunc(want["state"].([]any), func(p any) bool { return p.([]any)[0] == "extra" })
	if len(pairs) != len(wants) {
		return fmt.Sprintf("%s: got %d attributes, want %d", o.Class, len(pairs), len(wants))
	}
	for i, p := range wants {
		key := p.([]any)[0].(string)
		if pairs[i].Key != key {
			return fmt.Sprintf("%s: attribute %d: got %v, want %s", o.Class, i, pairs[i].Key, key)
		}
		if !sameValue(pairs[i].Value, p.([]any)[1].(map[string]any)) {
			return fmt.Sprintf("%s.%s: got %s, want %v", o.Class, key, pickle.Repr(pairs[i].Value, 100), p.([]any)[1])
		}
	}
	return ""
}

func sameValue(got any, want map[string]any) bool {
	for key, w := range want {
		switch key {
		case "none":
			return got == nil
		case "str", "bool":
			return got == w
		case "int", "float":
			f, _ := strconv.ParseFloat(w.(string), 64)
			if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) < 1e-19 {
				f = 0
			}
			if n, ok := got.(int64); ok { // level
				return float64(n) == f
			}
			return got == f
		case "numpy":
			return fmt.Sprint(got) == fmt.Sprint(want["value"])
		case "enum":
			c, ok := got.(*pickle.Class)
			return ok && c.String() == fmt.Sprintf("%v.%v", w, want["name"])
		case "datetime":
			d, ok := got.(pickle.DateTime)
			if !ok {
				return false
			}
			wall, err := time.Parse("2006-01-02T15:04:05.999999", w.(string))
			if err != nil {
				return false
			}
			if want["tz"] == nil || d.Zone == nil { // an option's dates are naive
				d.Zone = nil
				t, err := d.Time(time.UTC)
				return err == nil && t.Equal(wall)
			}
			t, err := d.Time(nil)
			return err == nil && d.Zone.Key == "Asia/Shanghai" && t.Equal(wall.Add(-time.Duration(want["utcoffset_s"].(float64))*time.Second))
		case "other": // a pandas Timestamp
			d, ok := got.(pickle.DateTime)
			return ok && strings.Contains(want["repr"].(string), strings.TrimSuffix(d.String(), " Asia/Shanghai"))
		}
	}
	return false
}

// TestOldVersions reads the requests and data of every VeighNa since 2.0.3.
func TestOldVersions(t *testing.T) {
	versions, err := filepath.Glob("testdata/old_versions/*")
	if err != nil || len(versions) != 14 {
		t.Fatalf("got %d versions, %v; want 14", len(versions), err)
	}
	instrument := hub.Instrument{Symbol: "rb2501", Exchange: "CFFEX"}
	for _, dir := range versions {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			calls := map[string]veighna.Call{
				"SubscribeRequest": veighna.Subscribe{Instrument: instrument, Gateway: "SIM"},
				"OrderRequest": veighna.SendOrder{Gateway: "SIM", OrderRequest: hub.OrderRequest{
					Instrument: instrument, Direction: hub.Long, Type: hub.Limit, Qty: dec("1"),
				}},
				"CancelRequest": veighna.CancelOrder{
					Gateway: "SIM", CancelRequest: hub.CancelRequest{Instrument: instrument, OrderID: "1_2_3"},
				},
			}
			functions := map[string]string{
				"SubscribeRequest": "subscribe", "OrderRequest": "send_order", "CancelRequest": "cancel_order", "HistoryRequest": "query_history",
			}
			for class, function := range functions {
				v, err := pickle.Decode(read(t, filepath.Join(dir, class+".pkl")))
				if err != nil {
					t.Fatal(err)
				}
				event := v.(*pickle.List).Items[1].(*pickle.Object)
				req, _ := event.Attr("data")
				got, err := veighna.Request{Name: function, Args: []any{req, "SIM"}, Kwargs: &pickle.Dict{}}.Bind(nil)
				if err != nil {
					t.Errorf("%s: %v", class, err)
				} else if want, ok := calls[class]; ok {
					if diff := diffCall(want, got); diff != "" {
						t.Errorf("%s: %s", class, diff)
					}
				} else if h := got.(veighna.QueryHistory); h.Instrument != instrument || h.Start == 0 {
					t.Errorf("%s: got %+v", class, h)
				}
			}
			for _, class := range []string{"TickData", "BarData", "OrderData", "TradeData", "PositionData", "AccountData", "ContractData", "LogData"} {
				e, err := veighna.DecodeEvent(veighna.Message{read(t, filepath.Join(dir, class+".pkl"))}, nil)
				if err != nil {
					t.Errorf("%s: %v", class, err)
					continue
				}
				if b := write(e.Data, veighna.Chinese); b == nil || e.Type != "eX." {
					t.Errorf("%s: got %s %T", class, e.Type, e.Data)
				}
				if i, ok := e.Data.(interface{ String() string }); ok && i.String() != "rb2501.CFFEX" {
					t.Errorf("%s: got %s", class, i)
				}
			}
		})
	}
}

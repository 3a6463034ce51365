package veighna_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/rpc/veighna"
	"tradehub/rpc/veighna/pickle"
)

// object makes an instance of a class of module vnpy.trader.object.
func object(class string, state ...any) *pickle.Object {
	d := &pickle.Dict{}
	for i := 0; i < len(state); i += 2 {
		d.Pairs = append(d.Pairs, pickle.Pair{Key: state[i], Value: state[i+1]})
	}
	return &pickle.Object{Class: &pickle.Class{Module: "vnpy.trader.object", Name: class}, New: true, State: d}
}

// member is getattr(class, name) of module vnpy.trader.constant; value is class(value).
func member(name string) *pickle.Class {
	return &pickle.Class{Module: "vnpy.trader.constant", Name: name}
}

func value(class string, v any) *pickle.Object {
	return &pickle.Object{Class: &pickle.Class{Module: "vnpy.trader.constant", Name: class}, Args: pickle.Tuple{v}}
}

// orderState is a request for an order, with one attribute changed: removed when it is to be absent.
func orderState(key string, v any) *pickle.Object {
	o := object("OrderRequest", "symbol", "rb2501", "exchange", member("Exchange.SHFE"), "direction", member("Direction.LONG"),
		"type", member("OrderType.LIMIT"), "volume", 1.0, "price", 3500.0, "offset", member("Offset.OPEN"), "reference", "r")
	d := o.State.(*pickle.Dict)
	for i := range d.Pairs {
		if d.Pairs[i].Key == key {
			if v == absent {
				d.Pairs = append(d.Pairs[:i], d.Pairs[i+1:]...)
			} else {
				d.Pairs[i].Value = v
			}
			return o
		}
	}
	d.Pairs = append(d.Pairs, pickle.Pair{Key: key, Value: v})
	return o
}

type nothing struct{}

var absent any = nothing{}

// TestBindErrors tells all that can be wrong with a request, in the words that a script author knows.
func TestBindErrors(t *testing.T) {
	req := orderState("unknown", 1)
	kwargs := func(pairs ...any) *pickle.Dict {
		d := &pickle.Dict{}
		for i := 0; i < len(pairs); i += 2 {
			d.Pairs = append(d.Pairs, pickle.Pair{Key: pairs[i], Value: pairs[i+1]})
		}
		return d
	}
	send := func(o any) veighna.Request {
		return veighna.Request{Name: "send_order", Args: []any{o, "SIM"}, Kwargs: kwargs()}
	}
	for _, tc := range []struct {
		name string
		r    veighna.Request
		want string
	}{
		{"unknown function", veighna.Request{Name: "send_quote", Kwargs: kwargs()}, "KeyError: 'send_quote'"},
		{"long name", veighna.Request{Name: strings.Repeat("x", 99), Kwargs: kwargs()}, "KeyError: '" + strings.Repeat("x", 64) + "...'"},
		{"no gateway", veighna.Request{Name: "send_order", Args: []any{req}, Kwargs: kwargs()}, "TypeError: send_order() missing 1 required positional argument: 'gateway_name'"},
		{"nothing", veighna.Request{Name: "send_order", Kwargs: kwargs()}, "TypeError: send_order() missing 2 required positional arguments: 'req' and 'gateway_name'"},
		{"no id", veighna.Request{Name: "get_order", Kwargs: kwargs()}, "TypeError: get_order() missing 1 required positional argument: 'vt_orderid'"},
		{"unexpected", veighna.Request{Name: "get_tick", Kwargs: kwargs("symbol", "a")}, "TypeError: get_tick() got an unexpected keyword argument 'symbol'"},
		{"twice", veighna.Request{Name: "get_tick", Args: []any{"a.b"}, Kwargs: kwargs("vt_symbol", "a.b")}, "TypeError: get_tick() got multiple values for argument 'vt_symbol'"},
		{"three", veighna.Request{Name: "send_order", Args: []any{req, "SIM", 1}, Kwargs: kwargs()}, "TypeError: send_order() takes 2 positional arguments but 3 were given"},
		{"two", veighna.Request{Name: "get_tick", Args: []any{"a", "b"}, Kwargs: kwargs()}, "TypeError: get_tick() takes 1 positional argument but 2 were given"},
		{"one", veighna.Request{Name: "get_all_ticks", Args: []any{"a"}, Kwargs: kwargs()}, "TypeError: get_all_ticks() takes 0 positional arguments but 1 was given"},
		{"int keyword", veighna.Request{Name: "get_tick", Kwargs: kwargs(int64(1), "a")}, "TypeError: keywords must be strings"},
		{"id of int", veighna.Request{Name: "get_tick", Args: []any{int64(1)}, Kwargs: kwargs()}, "TypeError: get_tick() argument 'vt_symbol' must be str, not int"},
		{"gateway of none", veighna.Request{Name: "send_order", Args: []any{req, nil}, Kwargs: kwargs()}, "TypeError: send_order() argument 'gateway_name' must be str, not NoneType"},
		{"dict for a request", send(kwargs()), "TypeError: send_order() argument 'req' must be OrderRequest, not dict"},
		{"wrong request", send(object("CancelRequest")), "TypeError: send_order() argument 'req' must be OrderRequest, not CancelRequest"},
		{"call for a request", send(&pickle.Object{Class: &pickle.Class{Module: "vnpy.trader.object", Name: "OrderRequest"}}), "TypeError: send_order() argument 'req' must be OrderRequest, not OrderRequest"},
		{"no symbol", send(orderState("symbol", absent)), "AttributeError: 'OrderRequest' object has no attribute 'symbol'"},
		{"no volume", send(orderState("volume", absent)), "AttributeError: 'OrderRequest' object has no attribute 'volume'"},
		{"no state", send(&pickle.Object{Class: req.Class, New: true}), "AttributeError: 'OrderRequest' object has no attribute 'symbol'"},
		{"symbol of int", send(orderState("symbol", int64(1))), "TypeError: send_order(): OrderRequest.symbol must be str, not int"},
		{"exchange of str", send(orderState("exchange", "SHFE")), "TypeError: send_order(): OrderRequest.exchange must be Exchange, not str"},
		{"direction of none", send(orderState("direction", nil)), "TypeError: send_order(): OrderRequest.direction must be Direction, not NoneType"},
		{"direction of offset", send(orderState("direction", member("Offset.OPEN"))), "TypeError: send_order(): OrderRequest.direction must be Direction, not type"},
		{"unknown type", send(orderState("type", member("OrderType.ICEBERG"))), "ValueError: send_order(): OrderRequest.type: 'ICEBERG' is not a valid OrderType"},
		{"unknown value", send(orderState("offset", value("Offset", "开开"))), "ValueError: send_order(): OrderRequest.offset: '开开' is not a valid Offset"},
		{"value of int", send(orderState("offset", value("Offset", int64(1)))), "TypeError: send_order(): OrderRequest.offset must be Offset, not Offset"},
		{"nan", send(orderState("volume", math.NaN())), "ValueError: send_order(): OrderRequest.volume must be a finite number, not NaN"},
		{"inf", send(orderState("price", math.Inf(-1))), "ValueError: send_order(): OrderRequest.price must be a finite number, not -Inf"},
		{"absurd", send(orderState("price", math.MaxFloat64)), "ValueError: send_order(): OrderRequest.price is out of range: 1.7976931348623157e+308"},
		{"absurd int", send(orderState("volume", new(big.Int).Lsh(big.NewInt(1), 70))), "ValueError: send_order(): OrderRequest.volume is out of range: 1180591620717411303424"},
		{"too fine", send(orderState("price", 1e-300)), "ValueError: send_order(): OrderRequest.price has more digits than a decimal number holds: 1e-300"},
		{"bool", send(orderState("volume", true)), "ValueError: send_order(): OrderRequest.volume must be a number, not bool"},
		{"text", send(orderState("volume", "1")), "ValueError: send_order(): OrderRequest.volume must be a number, not str"},
		{"no start", veighna.Request{Name: "query_history", Args: []any{object("HistoryRequest", "symbol", "a", "exchange", member("Exchange.SHFE"), "start", nil), ""}, Kwargs: kwargs()}, "TypeError: query_history(): HistoryRequest.start must be datetime, not NoneType"},
		{"start of str", veighna.Request{Name: "query_history", Args: []any{object("HistoryRequest", "symbol", "a", "exchange", member("Exchange.SHFE"), "start", "now"), ""}, Kwargs: kwargs()}, "ValueError: query_history(): HistoryRequest.start must be a datetime, not str"},
		{"year 1", veighna.Request{Name: "query_history", Args: []any{object("HistoryRequest", "symbol", "a", "exchange", member("Exchange.SHFE"), "start", pickle.DateTime{Year: 1, Month: 1, Day: 1}), ""}, Kwargs: kwargs()}, "ValueError: query_history(): HistoryRequest.start is out of range: 0001-01-01 00:00:00"},
		{"zone", veighna.Request{Name: "query_history", Args: []any{object("HistoryRequest", "symbol", "a", "exchange", member("Exchange.SHFE"), "start", pickle.DateTime{Year: 2025, Month: 1, Day: 1, Zone: &pickle.Zone{Key: "Mars/Phobos"}}), ""}, Kwargs: kwargs()}, `ValueError: query_history(): HistoryRequest.start time zone "Mars/Phobos" is not known`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			call, err := tc.r.Bind(nil)
			var e *veighna.CallError
			if !errors.As(err, &e) || call != nil {
				t.Fatalf("got %v, %v; want an error", call, err)
			}
			if err.Error() != tc.want {
				t.Errorf("got  %s\nwant %s", err, tc.want)
			}
		})
	}
}

// TestBind takes what is unusual but right.
func TestBind(t *testing.T) {
	for _, tc := range []struct {
		name string
		key  string
		v    any
		want func(o *hub.OrderRequest)
	}{
		{"unknown attribute", "extra", &pickle.Dict{}, func(*hub.OrderRequest) {}},
		{"no price", "price", absent, func(o *hub.OrderRequest) { o.Price = hub.Decimal{} }},
		{"no offset", "offset", absent, func(o *hub.OrderRequest) { o.Offset = hub.NoOffset }},
		{"no reference", "reference", absent, func(o *hub.OrderRequest) { o.Reference = "" }},
		{"int", "volume", int64(7), func(o *hub.OrderRequest) { o.Qty = dec("7") }},
		{"sum of tenths", "price", sum(0.1, 0.2), func(o *hub.OrderRequest) { o.Price = dec("0.30000000000000004") }},
		{"a third", "price", 1.0 / 3, func(o *hub.OrderRequest) { o.Price = dec("0.3333333333333333") }},
		{"a coin", "volume", 0.00012345, func(o *hub.OrderRequest) { o.Qty = dec("0.00012345") }},
		{"minus nothing", "price", math.Copysign(0, -1), func(o *hub.OrderRequest) { o.Price = hub.Decimal{} }},
		{"negative", "volume", -1.5, func(o *hub.OrderRequest) { o.Qty = dec("-1.5") }},
		{"English", "direction", value("Direction", "Short"), func(o *hub.OrderRequest) { o.Direction = hub.Short }},
		{"Chinese", "direction", value("Direction", "空"), func(o *hub.OrderRequest) { o.Direction = hub.Short }},
		{"EUREX by name", "exchange", member("Exchange.EUREX"), func(o *hub.OrderRequest) { o.Exchange = "EUX" }},
		{"EUREX by value", "exchange", value("Exchange", "EUX"), func(o *hub.OrderRequest) { o.Exchange = "EUX" }},
		{"CBOT before 4.0", "exchange", value("Exchange", "CBT"), func(o *hub.OrderRequest) { o.Exchange = "CBOT" }},
		{"a newer exchange", "exchange", member("Exchange.LUNAR"), func(o *hub.OrderRequest) { o.Exchange = "LUNAR" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := hub.OrderRequest{
				Instrument: rb, Direction: hub.Long, Type: hub.Limit, Qty: dec("1"), Price: dec("3500"), Offset: hub.Open, Reference: "r",
			}
			tc.want(&want)
			got, err := veighna.Request{Name: "send_order", Args: []any{orderState(tc.key, tc.v), ""}, Kwargs: &pickle.Dict{}}.Bind(nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffCall(veighna.SendOrder{OrderRequest: want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sum adds as a machine does; the compiler would add constants exactly.
func sum(a, b float64) float64 { return a + b }

// TestIDs takes ids apart, also such as cannot be.
func TestIDs(t *testing.T) {
	for _, tc := range []struct {
		function, id string
		want         veighna.Call
	}{
		{"get_order", "SIM.1.2", veighna.GetOrder{Gateway: "SIM", OrderID: "1.2"}},
		{"get_order", "42", veighna.GetOrder{OrderID: "42"}},
		{"get_tick", "BTC.USDT.GLOBAL", veighna.GetTick{Instrument: hub.Instrument{Symbol: "BTC.USDT", Exchange: "GLOBAL"}}},
		{"get_tick", "nonsense", veighna.GetTick{}},
		{"get_position", "SIM.rb2501.SHFE.Short", veighna.GetPosition{Gateway: "SIM", Instrument: rb, Direction: hub.Short}},
		{"get_position", "rb2501.SHFE.空", veighna.GetPosition{Instrument: rb, Direction: hub.Short}},
		{"get_position", "SIM.BTC.USDT.GLOBAL.净", veighna.GetPosition{Gateway: "SIM", Instrument: hub.Instrument{Symbol: "BTC.USDT", Exchange: "GLOBAL"}, Direction: hub.Net}},
		{"get_position", "nonsense", veighna.GetPosition{}},
		{"get_position", "SIM.rb2501.SHFE.up", veighna.GetPosition{}},
		{"get_position", ".多", veighna.GetPosition{Direction: hub.Long}},
	} {
		got, err := veighna.Request{Name: tc.function, Args: []any{tc.id}, Kwargs: &pickle.Dict{}}.Bind(nil)
		if err != nil {
			t.Errorf("%s: %v", tc.id, err)
		} else if diff := diffCall(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.id, diff)
		}
	}
}

// TestNotRequests: what is a pickle but no request.
func TestNotRequests(t *testing.T) {
	for data, want := range map[string]string{
		"N.":                                "TypeError: a request is [name, args, kwargs], not NoneType",
		"](e.":                              "ValueError: a request is [name, args, kwargs], not a list of 0",
		"](NNNe.":                           "TypeError: the name of a function must be str, not NoneType",
		"](\x8c\x01fNNe.":                   "TypeError: f() argument after * must be an iterable, not NoneType",
		"](\x8c\x01f)Ne.":                   "TypeError: f() argument after ** must be a mapping, not NoneType",
		"(ios\nsystem\n.":                   "UnpicklingError: offset 1: INST: not allowed here",
		"":                                  "UnpicklingError: offset 0: end: pickle was truncated",
		strings.Repeat("N", (4<<20)+1):      "UnpicklingError: 4194305 bytes, over the limit of 4194304",
		strings.Repeat("](", 100) + "":      "UnpicklingError: offset 200: end: pickle was truncated",
		"]" + strings.Repeat("]a", 9) + ".": "ValueError: a request is [name, args, kwargs], not a list of 9",
	} {
		_, err := veighna.DecodeRequest([]byte(data))
		if err == nil || err.Error() != want {
			t.Errorf("%.40q: got %v, want %s", data, err, want)
		}
	}
}

// FuzzRequest: no bytes that a trader may send do more than make an error or a call.
func FuzzRequest(f *testing.F) {
	for _, dir := range stockDirs(f) {
		for _, name := range []string{"send_order", "cancel_order", "query_history_zoneinfo", "get_position", "subscribe_kwargs"} {
			f.Add(read(f, dir+"/req_"+name+".pkl"))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		call, err := bind(data)
		if err != nil {
			if call != nil || err.Error() == "" || len(err.Error()) > 2000 {
				t.Fatalf("got %v, %v", call, err)
			}
			return
		}
		again, err := bind(veighna.AppendRequest(nil, call, nil, veighna.Chinese))
		if err != nil {
			t.Fatalf("%+v: %v", call, err)
		}
		once := veighna.AppendRequest(nil, again, nil, veighna.Chinese)
		if third, err := bind(once); err != nil || diffCall(again, third) != "" {
			t.Fatalf("%v: %s", err, diffCall(again, third))
		}
	})
}

package pluginpb_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/plugins/pluginpb"
)

// TestEnumerations shows that every enumeration has the numbers and names of the hub's own, and no more.
func TestEnumerations(t *testing.T) {
	check := func(prefix string, wire map[int32]string, name func(uint8) string, rename map[string]string) {
		t.Helper()
		for n := range len(wire) {
			got := wire[int32(n)]
			want := name(uint8(n))
			if renamed, is := rename[want]; is {
				want = renamed
			}
			if want == "" || want == "NONE" {
				want = "UNSPECIFIED"
			}
			if got != prefix+want {
				t.Errorf("%d: got %q, want %q", n, got, prefix+want)
			}
		}
		if extra := name(uint8(len(wire))); !strings.HasPrefix(extra, "unknown") {
			t.Errorf("%s: %q is not in the contract", prefix, extra)
		}
	}
	check("DIRECTION_", pluginpb.Direction_name, func(n uint8) string { return hub.Direction(n).String() }, nil)
	check("OFFSET_", pluginpb.Offset_name, func(n uint8) string { return hub.Offset(n).String() }, nil)
	check("ORDER_TYPE_", pluginpb.OrderType_name, func(n uint8) string { return hub.OrderType(n).String() }, nil)
	check("STATUS_", pluginpb.Status_name, func(n uint8) string { return hub.Status(n).String() }, nil)
	check("KIND_", pluginpb.Kind_name, func(n uint8) string { return hub.Kind(n).String() }, nil)
	check("OPTION_TYPE_", pluginpb.OptionType_name, func(n uint8) string { return hub.OptionType(n).String() }, nil)
	check("INTERVAL_", pluginpb.Interval_name, func(n uint8) string { return hub.Interval(n).String() },
		map[string]string{"1m": "MINUTE", "1h": "HOUR", "d": "DAILY", "w": "WEEKLY", "tick": "TICK"})
	check("PHASE_", pluginpb.Phase_name, func(n uint8) string { return hub.Phase(n).String() }, nil)
	for kind := hub.NoReport; kind <= hub.ReportAmendNotSent; kind++ {
		_, there := pluginpb.ReportKind_name[int32(kind)]
		own := kind == hub.ReportNotSent || kind == hub.ReportCancelNotSent || kind == hub.ReportAmendNotSent
		if _, err := (&pluginpb.Report{OrderId: "1", Kind: pluginpb.ReportKind(kind)}).Hub(); there == own || (err != nil) != (own || kind == hub.NoReport) {
			t.Errorf("kind %d: in the contract %t, only for the hub to say %t, and reading it: %v", kind, there, own, err)
		}
	}
}

// fill sets every field of a noun to something that is drawn: a value that is forgotten in a conversion does not come back.
func fill(t *rapid.T, v reflect.Value, label string) {
	switch x := v.Addr().Interface().(type) {
	case *hub.Amendment:
		return // it has a message of its own; who counts orders is told of the larger one
	case *hub.Decimal:
		*x = hub.MustDecimal(rapid.StringMatching(`-?[1-9][0-9]{0,9}(\.[0-9]{0,7}[1-9])?`).Draw(t, label))
		return
	case *hub.Direction:
		*x = rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short, hub.Net}).Draw(t, label)
		return
	case *hub.Offset:
		*x = rapid.SampledFrom([]hub.Offset{hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday}).Draw(t, label)
		return
	case *hub.OrderType:
		*x = rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.ETF}).Draw(t, label)
		return
	case *hub.Status:
		*x = rapid.SampledFrom([]hub.Status{hub.Submitted, hub.Rejected}).Draw(t, label)
		return
	case *hub.Kind:
		*x = rapid.SampledFrom([]hub.Kind{hub.Equity, hub.Swap}).Draw(t, label)
		return
	case *hub.OptionType:
		*x = rapid.SampledFrom([]hub.OptionType{hub.Call, hub.Put}).Draw(t, label)
		return
	case *hub.Interval:
		*x = rapid.SampledFrom([]hub.Interval{hub.Minute, hub.TickInterval}).Draw(t, label)
		return
	case *hub.Phase:
		*x = rapid.SampledFrom([]hub.Phase{hub.Closed, hub.Extended}).Draw(t, label)
		return
	case *hub.ReportKind:
		*x = rapid.SampledFrom([]hub.ReportKind{hub.ReportAccepted, hub.ReportCancelRejected, hub.ReportAmended, hub.ReportAmendRejected}).Draw(t, label)
		return
	}
	switch v.Kind() { //nolint:exhaustive // any other kind fails the test
	case reflect.String:
		v.SetString(rapid.StringN(1, 8, -1).Draw(t, label))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(rapid.Int64Range(1, 1<<62).Draw(t, label))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64Min(1).Draw(t, label))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && (f.Name != "Override" || v.Type() != reflect.TypeFor[hub.Order]()) { // the hub's own affair
				fill(t, v.Field(i), label+"."+v.Type().Field(i).Name)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), fmt.Sprint(label, i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), fmt.Sprint(label, i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), label)
	default:
		t.Fatalf("%s: a %s", label, v.Kind())
	}
}

func drawn[T any](t *rapid.T) (v T) {
	fill(t, reflect.ValueOf(&v).Elem(), reflect.TypeFor[T]().Name())
	return v
}

// over sends a message over the wire.
func over[M proto.Message](t *rapid.T, m M) M {
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	back := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(data, back); err != nil {
		t.Fatal(err)
	}
	return back.(M)
}

func same[T any](t *rapid.T, want T) func(got T, err error) {
	return func(got T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		equal := cmp.Comparer(func(a, b hub.Decimal) bool { return a == b })
		inputs := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".isInput" }, cmp.Ignore())
		if diff := cmp.Diff(want, got, equal, inputs); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// TestRoundTrips shows that every noun comes back as it went, field by field.
func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := drawn[hub.Order](t)
		same(t, order)(over(t, pluginpb.OrderOf(order)).Hub())
		amended := order
		amended.Amendment = hub.Amendment{Number: rapid.Uint64Min(1).Draw(t, "number"), Price: order.Price, Qty: order.Filled}
		same(t, amended)(over(t, pluginpb.AmendOf(amended)).Hub())
		contract := drawn[hub.Contract](t)
		same(t, contract)(over(t, pluginpb.ContractOf(contract)).Hub())
		tick := drawn[hub.Tick](t)
		got, err := over(t, pluginpb.TickOf(tick)).Hub()
		got.Gateway = tick.Gateway // the hub knows
		same(t, tick)(got, err)
		report := drawn[hub.VenueReport](t)
		back, err := over(t, pluginpb.ReportOf(report)).Hub()
		back.Gateway = report.Gateway
		same(t, report)(back, err)
		statement := drawn[hub.VenueStatement](t)
		stated, err := over(t, pluginpb.StatementOf(statement)).Hub()
		stated.Gateway = statement.Gateway
		same(t, statement)(stated, err)
		venueOrder := drawn[hub.VenueOrder](t)
		same(t, venueOrder)(over(t, pluginpb.VenueOrderOf(venueOrder)).Hub())
		request := drawn[hub.HistoryRequest](t)
		same(t, request)(over(t, pluginpb.HistoryOf(7, request)).Hub())
		candidate := drawn[hub.Candidate](t)
		same(t, candidate)(over(t, pluginpb.CandidateOf(candidate)).Hub())
		number := drawn[hub.Number](t)
		same(t, []hub.Number{number})(over(t, pluginpb.NumbersOf([]hub.Number{number})).Hub())
		bar := drawn[hub.Bar](t)
		bars, err := pluginpb.AppendBars(nil, pluginpb.BarsOf([]hub.Bar{bar}), hub.Bar{Instrument: bar.Instrument, Gateway: bar.Gateway, Interval: bar.Interval})
		same(t, []hub.Bar{bar})(bars, err)
	})
}

func TestRiskRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawn[hub.RiskEvent](t)
		for _, event := range []hub.RiskEvent{
			{Decided: all.Decided},
			{Order: all.Order},
			{Trade: all.Trade},
			{Account: all.Account},
			{Positions: all.Positions},
			{Marks: all.Marks},
			{Contracts: all.Contracts},
			{Day: all.Day},
			{Rates: all.Rates},
		} {
			same(t, event)(over(t, pluginpb.EventOf(event)).Hub())
		}
		book := drawn[hub.RiskBook](t)
		for len(book.Orders) < 1200 {
			book.Orders = append(book.Orders, book.Orders...)
		}
		book.Positions[0].Trader = "alpha"
		var back hub.RiskBook
		parts := pluginpb.SplitBook(book)
		for i, part := range parts {
			part := over(t, pluginpb.BookOf(part, i < len(parts)-1))
			if part.GetMore() == (i == len(parts)-1) {
				t.Fatalf("part %d of %d: more is %t", i, len(parts), part.GetMore())
			}
			if err := part.AppendTo(&back); err != nil {
				t.Fatal(err)
			}
		}
		same(t, book)(back, nil)
	})
}

// TestNotUTF8 shows that a text in another encoding does not make a message impossible to send.
func TestNotUTF8(t *testing.T) {
	report := hub.VenueReport{OrderID: "1", Kind: hub.ReportRejected, Reason: "\xb1\xa8\xb5\xa5", TradeID: "\xff"}
	if _, err := proto.Marshal(pluginpb.ReportOf(report)); err != nil {
		t.Error(err)
	}
	contract := hub.Contract{Instrument: hub.Instrument{Symbol: "\xff"}, Name: "\xc2\xdd\xce\xc6"}
	if _, err := proto.Marshal(pluginpb.ContractOf(contract)); err != nil {
		t.Error(err)
	}
}

// FuzzGarbage shows that nothing that a plugin sends makes the hub panic.
func FuzzGarbage(f *testing.F) {
	seed, err := proto.Marshal(&pluginpb.GatewayEvents{Events: []*pluginpb.GatewayEvent{
		{Event: &pluginpb.GatewayEvent_Report{Report: pluginpb.ReportOf(hub.VenueReport{OrderID: "1", Kind: hub.ReportFill, Price: hub.Int(1)})}},
		{Event: &pluginpb.GatewayEvent_Tick{Tick: pluginpb.TickOf(hub.Tick{Last: hub.Int(1)})}},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var events pluginpb.GatewayEvents
		if proto.Unmarshal(data, &events) != nil {
			return
		}
		for _, event := range events.GetEvents() {
			if report, err := event.GetReport().Hub(); err == nil && (report.OrderID == "" || report.Kind == 0 || report.Kind > hub.ReportCancelRejected) {
				t.Errorf("accepted %+v", report)
			}
			_, _ = event.GetTick().Hub()
			for _, contract := range event.GetContracts().GetContracts() {
				_, _ = contract.Hub()
			}
			for _, order := range event.GetAnswer().GetOrders() {
				_, _ = order.Hub()
			}
			_, _ = pluginpb.AppendBars(nil, event.GetBars().GetBars(), hub.Bar{})
		}
	})
}

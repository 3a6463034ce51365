package codec_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/codec"
	"tradehub/hub/core"
)

var decimals = rapid.Custom(func(t *rapid.T) hub.Decimal {
	return hub.MustDecimal(rapid.StringMatching(`-?[0-9]{1,9}(\.[0-9]{1,8})?`).Draw(t, "decimal"))
})

// draw fills a value of any input's type, field by field, so that a field that is added and not encoded fails here.
func draw(t *rapid.T, v reflect.Value, name string) {
	if x, ok := reflect.TypeAssert[*hub.Decimal](v.Addr()); ok {
		*x = decimals.Draw(t, name)
		return
	}
	//exhaustive:ignore
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.StringMatching(`[a-z0-9中.]{0,8}`).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(rapid.Uint8().Draw(t, name)))
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, name)
		if n == 0 {
			return // an empty list and none are the same
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			draw(t, v.Index(i), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i), v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s: cannot draw a %s", name, v.Type())
	}
}

var inputs = []hub.Input{
	hub.SetUp{},
	hub.LoadPolicies{},
	hub.PoliciesRefused{},
	hub.SubmitOrder{},
	hub.CancelOrder{},
	hub.VenueReport{},
	hub.Reconcile{},
	hub.GatewayState{},
	hub.Contracts{},
	hub.Marks{},
	hub.Halt{},
	hub.RollDay{},
	hub.TakeOrder{},
	hub.JudgeOrder{},
	hub.ExpireWaits{},
	hub.TransferPosition{},
	hub.TransferCapital{},
	hub.VenueStatement{},
	hub.SetState{},
	hub.SetRates{},
	hub.PublishNumbers{},
	hub.CancelAll{},
	hub.Clock{},
	hub.Flatten{},
	hub.FlattenStep{},
	hub.AskOverride{},
	hub.ApproveOverride{},
	hub.WithdrawOverride{},
	hub.AmendOrder{},
	hub.DoubtAmendments{},
}

func TestEntriesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := reflect.New(reflect.TypeOf(rapid.SampledFrom(inputs).Draw(t, "input"))).Elem()
		draw(t, v, "input")
		want := hub.Entry{Time: hub.Time(rapid.Int64().Draw(t, "time")), Input: v.Interface().(hub.Input)}
		b, err := codec.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := codec.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		// The runner steps the entry that it encoded, a replay the one that was decoded: they must be one, down to the digits. Only a zero loses its scale.
		equal := cmp.Comparer(func(a, b hub.Decimal) bool { return a == b || a.IsZero() && b.IsZero() })
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		again, err := codec.Encode(got)
		if err != nil || string(again) != string(b) {
			t.Fatalf("encoded again it differs: %x and %x, %v", b, again, err)
		}
	})
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		want  string
	}{
		{nil, "0 bytes are too few"},
		{make([]byte, 5), "5 bytes are too few"},
		{append([]byte{99}, make([]byte, 9)...), "kind 99 is not known to this version of the hub"},
		{append([]byte{3}, make([]byte, 9)...), "decode entry of kind 3: "},
	} {
		if _, err := codec.Decode(c.bytes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%x: got %v, want %q", c.bytes, err, c.want)
		}
	}
}

// TestOldMarks: what journals of before marks knew their gateway say is read as it was meant, and written as it was.
func TestOldMarks(t *testing.T) {
	old, err := hex.DecodeString("090000000000000007a10181a301a201667262323730310264534846450246333530302e35183c05")
	if err != nil {
		t.Fatal(err)
	}
	want := hub.Entry{Time: 7, Input: hub.Marks{Marks: []hub.Mark{{Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Price: hub.MustDecimal("3500.5"), Seen: 5}}}}
	got, err := codec.Decode(old)
	if err != nil || !cmp.Equal(got, want, cmp.Comparer(hub.Decimal.Equal)) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if again, err := codec.Encode(want); err != nil || !bytes.Equal(again, old) {
		t.Errorf("written as %x, %v; want %x", again, err, old)
	}
}

func TestImagesComeBack(t *testing.T) {
	c := core.New()
	c.Step(hub.Entry{Seq: 1, Time: 1e18, Input: hub.SetUp{Fund: "f", Currency: "CNY", Traders: []hub.TraderSetUp{{Name: "a", Capital: hub.Int(1)}}}})
	want, err := codec.Digest(c.Image())
	if err != nil {
		t.Fatal(err)
	}
	b, err := codec.EncodeImage(c.Image())
	if err != nil {
		t.Fatal(err)
	}
	im, err := codec.DecodeImage(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := codec.Digest(im); err != nil || got != want {
		t.Errorf("got %s, want %s, %v", got, want, err)
	}
	if _, err := codec.DecodeImage(b[:len(b)-1]); err == nil {
		t.Error("a cut image is read")
	}
}

func FuzzDecode(f *testing.F) {
	for _, in := range inputs {
		b, err := codec.Encode(hub.Entry{Time: 7, Input: in})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := codec.Decode(b)
		if err != nil {
			return
		}
		if _, err := codec.Encode(e); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func BenchmarkSubmit(b *testing.B) {
	e := hub.Entry{Time: 1e18, Input: hub.SubmitOrder{
		Trader: "alpha", Gateway: "SIM", Verdicts: []hub.Verdict{{Manager: "margin", Pass: true, Took: 5000}},
		Request: hub.OrderRequest{Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Price: hub.MustDecimal("3500"), Qty: hub.Int(2)},
		Market:  hub.MarketView{Last: hub.Int(3500), Bid: hub.Int(3499), Ask: hub.Int(3501), LimitUp: hub.Int(3800), LimitDown: hub.Int(3200), PreClose: hub.Int(3480), Volume: hub.Int(100_000), OpenInt: hub.Int(2_000_000), Seen: 1e18},
	}}
	encoded, err := codec.Encode(e)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = codec.Encode(e)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = codec.Decode(encoded)
		}
	})
	b.ReportMetric(float64(len(encoded)), "bytes")
}

package pickle_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradehub/rpc/veighna/pickle"
)

// TestRefused tells every way in which a pickle is refused, and what is said.
func TestRefused(t *testing.T) {
	for _, tc := range []struct{ name, data, want string }{
		{"empty", "", "offset 0: end: pickle was truncated"},
		{"no end", "\x80\x04N", "offset 3: end: pickle was truncated"},
		{"inst", "\x80\x04(ios\nsystem\n.", "offset 3: INST: not allowed here"},
		{"obj", "\x80\x04(cos\nsystem\no.", "offset 14: OBJ: not allowed here"},
		{"persistent id", "\x80\x04Pid\n.", "offset 2: PERSID: not allowed here"},
		{"binary persistent id", "\x80\x04NQ.", "offset 3: BINPERSID: not allowed here"},
		{"extension", "\x80\x04\x82\x01.", "offset 2: EXT1: not allowed here"},
		{"buffer", "\x80\x05\x97.", "offset 2: NEXT_BUFFER: not allowed here"},
		{"read-only buffer", "\x80\x05\x98.", "offset 2: READONLY_BUFFER: not allowed here"},
		{"text int of protocol 0", "I1\n.", "offset 0: INT: not allowed here"},
		{"no opcode", "\xff.", "offset 0: 0xff: not allowed here"},
		{"protocol", "\x80\x06N.", "offset 0: PROTO: protocol 6 is not known"},
		{"frame", "\x80\x04\x95\x09\x00\x00\x00\x00\x00\x00\x00N.", "offset 2: FRAME: frame of 9 bytes, only 2 are left"},
		{"short string", "\x8c\x05abc", "offset 0: SHORT_BINUNICODE: 5 bytes wanted, only 3 are left"},
		{"huge string", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "offset 0: BINUNICODE8: 18446744073709551615 bytes wanted, only 0 are left"},
		{"not utf-8", "\x8c\x01\xff.", "offset 0: SHORT_BINUNICODE: string is not UTF-8"},
		{"huge int", "\x8b\x00\x00\x01\x00", "offset 0: LONG4: an int of 65536 bytes, over the limit of 1024"},
		{"stop on nothing", ".", "offset 0: STOP: nothing on the stack"},
		{"left over", "NN.", "offset 2: STOP: 1 values and 0 marks left over"},
		{"mark left over", "(N.", "offset 2: STOP: 0 values and 1 marks left over"},
		{"trailing bytes", "N.N", "offset 1: STOP: 1 bytes follow"},
		{"pop on nothing", "0", "offset 0: POP: nothing on the stack"},
		{"pop below mark", "N(a.", "offset 2: APPEND: nothing on the stack"},
		{"appends without mark", "]e.", "offset 1: APPENDS: no mark on the stack"},
		{"appends below mark", "](((e.", "offset 4: APPENDS: nothing on the stack"},
		{"append to none", "NNa.", "offset 2: APPEND: cannot append to NoneType"},
		{"items of list", "](NNu.", "offset 4: SETITEMS: cannot set items of list"},
		{"odd items", "}(NNNu.", "offset 5: SETITEMS: odd number of keys and values"},
		{"list as key", "}]Ns.", "offset 3: SETITEM: unhashable type: 'list'"},
		{"set in set", "\x8f(\x8f\x90.", "offset 3: ADDITEMS: unhashable type: 'set'"},
		{"add to frozenset", "(\x91(N\x90.", "offset 4: ADDITEMS: cannot add to frozenset"},
		{"memo", "h\x05.", "offset 0: BINGET: memo slot 5 is empty"},
		{"memo gap", "Nq\x05h\x03.", "offset 3: BINGET: memo slot 3 is empty"},
		{"memo far", "Nr\xff\xff\xff\xff.", "offset 1: LONG_BINPUT: memo slot 4294967295, over the limit of 1048576"},
		{"global of ints", "K\x01K\x02\x93.", "offset 4: STACK_GLOBAL: needs two strings"},
		{"endless name", "c" + strings.Repeat("a", 5000), "offset 0: GLOBAL: a name without end"},
		{"call of str", "\x8c\x01a)R.", "offset 4: REDUCE: cannot call str"},
		{"call with list", "cos\nsystem\n]R.", "offset 12: REDUCE: arguments are not a tuple"},
		{"new of str", "\x8c\x01a)\x81.", "offset 4: NEWOBJ: needs a class and its arguments"},
		{"state of list", "]}b.", "offset 2: BUILD: cannot set the state of list"},
		{"tuple of too few", "N\x86.", "offset 1: TUPLE2: nothing on the stack"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := pickle.Decode([]byte(tc.data))
			if _, ok := errors.AsType[*pickle.Error](err); !ok {
				t.Fatalf("got %s, %v; want an error", pickle.Repr(v, 100), err)
			}
			if want := "UnpicklingError: " + tc.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// TestNothingRuns reads what would run something under Python: it stays a name with arguments.
func TestNothingRuns(t *testing.T) {
	for _, tc := range []struct{ data, want string }{
		{"cos\nsystem\n\x8c\x08rm -rf /\x85R.", `os.system("rm -rf /")`},
		{"cbuiltins\neval\n\x8c\x011\x85R.", `builtins.eval("1")`},
		{"c__builtin__\ngetattr\ncos\nsystem\n\x8c\x01x\x86R.", `os.system.x`},
		{"cbuiltins\ngetattr\n\x8c\x01s\x8c\x05upper\x86R.", `builtins.getattr("s", "upper")`},
		{"cmy\nThing\n)\x81}\x8c\x01aK\x01sb.", `my.Thing(){"a": 1}`},
		{"cmy\nThing\n(K\x01t}\x8c\x01kK\x02s\x92.", `my.Thing(1)`},
		{"cdatetime\ndatetime\n\x8c\x04evil\x85R.", `datetime.datetime("evil")`},
		{"cdatetime\ndatetime\nC\x0a\x07\xe9\x0d\x01\x00\x00\x00\x00\x00\x00\x85R.", `datetime.datetime(b"\a\xe9\r\x01\x00\x00\x00\x00\x00\x00")`},
	} {
		v, err := pickle.Decode([]byte(tc.data))
		if err != nil {
			t.Errorf("%q: %v", tc.data, err)
			continue
		}
		if got := pickle.Repr(v, 200); got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.data, got, tc.want)
		}
	}
}

// TestLimits meets each limit, one below and one above.
func TestLimits(t *testing.T) {
	many := func(n int) []byte { return []byte("](" + strings.Repeat("N", n) + "e.") }
	nested := func(n int) []byte { return []byte(strings.Repeat(")", 1) + strings.Repeat("\x85", n-1) + ".") }
	for _, tc := range []struct {
		name   string
		limits pickle.Limits
		ok     []byte
		bad    []byte
		want   string
	}{
		{"bytes", pickle.Limits{Bytes: 5}, many(1), many(2), "UnpicklingError: 6 bytes, over the limit of 5"},
		{"objects", pickle.Limits{Objects: 4}, many(3), many(4), "UnpicklingError: offset 5: NONE: more than 4 values"},
		{"memory", pickle.Limits{Memory: 150}, []byte("\x8c\x05aaaaa."), []byte("\x8c\xc8" + strings.Repeat("a", 200) + "."), "UnpicklingError: offset 0: SHORT_BINUNICODE: values take more than 150 bytes"},
		{"depth", pickle.Limits{Depth: 10}, nested(10), nested(11), "UnpicklingError: values nest deeper than 10"},
		{"stack", pickle.Limits{Stack: 4}, many(3), many(4), "UnpicklingError: offset 5: NONE: more than 4 values on the stack"},
		{"marks", pickle.Limits{Stack: 4}, []byte("N((((1111."), []byte("N(((((11111."), "UnpicklingError: offset 5: MARK: more than 4 marks"},
		{"memo", pickle.Limits{Memo: 4}, []byte("Nq\x03."), []byte("Nq\x04."), "UnpicklingError: offset 1: BINPUT: memo slot 4, over the limit of 4"},
		{"expanded", pickle.Limits{Expanded: 31}, doubling(4), doubling(5), "UnpicklingError: values that refer to each other amount to too many"},
		{"default depth", pickle.Limits{}, nested(64), nested(65), "UnpicklingError: values nest deeper than 64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := pickle.Decoder{Limits: tc.limits}
			if _, err := d.Decode(tc.ok); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			if _, err := d.Decode(tc.bad); err == nil || err.Error() != tc.want {
				t.Errorf("over the limit:\ngot  %v\nwant %s", err, tc.want)
			}
		})
	}
}

// doubling is a tuple of the same tuple twice, n deep: 2^(n+1)-1 values out of 5n bytes.
func doubling(n int) []byte {
	b := []byte("\x80\x04)\x94")
	for i := range n {
		b = append(b, '0', 'h', byte(i), 'h', byte(i), 0x86, 0x94)
	}
	return append(b, '.')
}

// TestBombs are small inputs that would be large or endless: each must be refused, or small, at once.
func TestBombs(t *testing.T) {
	if _, err := pickle.Decode(doubling(60)); err == nil {
		t.Error("a value of 2^61 tuples was taken")
	}
	// a list of itself a thousand times: endless to print, small to hold
	self := append([]byte("]q\x00("), bytes.Repeat([]byte("h\x00"), 1000)...)
	v, err := pickle.Decode(append(self, "e."...))
	if err != nil {
		t.Fatal(err)
	}
	if got := pickle.Repr(v, 50); len(got) != 53 || !strings.HasPrefix(got, "[[[[[[[[[..., ..., ") {
		t.Errorf("got %q", got)
	}
	if _, err := pickle.Append(nil, v); err == nil || err.Error() != "pickle: values nest deeper than 128" {
		t.Errorf("writing a value that contains itself: got %v", err)
	}
	// memo slots, far apart
	if _, err := (&pickle.Decoder{Limits: pickle.Limits{Memory: 1000}}).Decode([]byte("Nr\xff\xff\x0f\x00.")); err == nil {
		t.Error("a memo of a million slots was made for one value")
	}
	// BUILD that copies a growing state each time
	var b []byte
	b = append(b, "cm\nC\n)\x81"...)
	for range 3000 {
		b = append(b, "}(K\x01NK\x02NK\x03Nub"...)
	}
	if _, err := (&pickle.Decoder{Limits: pickle.Limits{Memory: 1 << 20}}).Decode(append(b, '.')); err == nil {
		t.Error("quadratic copying was not counted")
	}
}

// TestCycles reads values that contain themselves in each way that Python can write.
func TestCycles(t *testing.T) {
	for name, data := range map[string]string{
		"list":           "]q\x00h\x00a.",
		"dict":           "}q\x00K\x01h\x00s.",
		"tuple in list":  "]q\x00(h\x00te.",
		"object in dict": "cm\nC\n)\x81q\x00}\x8c\x01sh\x00sb.",
	} {
		v, err := pickle.Decode([]byte(strings.ReplaceAll(data, "te.", "ta.")))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s := pickle.Repr(v, 1000); len(s) > 1100 {
			t.Errorf("%s: printed %d bytes", name, len(s))
		}
	}
}

// TestOrderedDict is the form in which a hub writes an event for two versions of VeighNa at once.
func TestOrderedDict(t *testing.T) {
	v, err := pickle.Decode([]byte("\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R(\x8c\x01kNu}\x8c\x04typeK\x07sb."))
	if err != nil {
		t.Fatal(err)
	}
	o, ok := v.(*pickle.Object)
	if !ok || o.New || len(o.Pairs) != 1 || o.Pairs[0].Key != "k" {
		t.Fatalf("got %s", pickle.Repr(v, 100))
	}
	if got, ok := o.Attr("type"); !ok || got != int64(7) {
		t.Errorf("got %v, %v; want 7", got, ok)
	}
	if _, ok := o.Attr("k"); ok {
		t.Error("an item was taken for an attribute")
	}
}

// TestSlots reads the state of a class with __slots__: (None, {...}).
func TestSlots(t *testing.T) {
	v, err := pickle.Decode([]byte("cm\nC\n)\x81N}\x8c\x01aK\x07s\x86b."))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := v.(*pickle.Object).Attr("a"); !ok || got != int64(7) {
		t.Errorf("got %v, %v; want 7", got, ok)
	}
}

// TestSurrogates: Python's str may hold half characters; they become the replacement character.
func TestSurrogates(t *testing.T) {
	v, err := pickle.Decode([]byte("\x8c\x05a\xed\xb2\x80b."))
	if want := "a\uFFFDb"; err != nil || v != want {
		t.Errorf("got %q, %v; want %q", v, err, want)
	}
}

// TestNumpy covers the scalars that sloppy gateways put into data.
func TestNumpy(t *testing.T) {
	for _, tc := range []struct {
		kind, order, raw string
		want             any
	}{
		{"f8", "<", "\x00\x00\x00\x00\x00\x00\xf8\x3f", 1.5},
		{"f8", ">", "\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5},
		{"f4", "<", "\x00\x00\xc0\x3f", 1.5},
		{"i1", "|", "\xff", int64(-1)},
		{"i2", ">", "\xff\xfe", int64(-2)},
		{"i4", "<", "\xfe\xff\xff\xff", int64(-2)},
		{"u8", "<", "\x01\x00\x00\x00\x00\x00\x00\x00", int64(1)},
		{"b1", "|", "\x01", true},
	} {
		data := "cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n\x8c\x02" + tc.kind + "\x89\x88\x87R(K\x03\x8c\x01" + tc.order +
			"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC" + string(rune(len(tc.raw))) + tc.raw + "\x86R."
		v, err := pickle.Decode([]byte(data))
		if err != nil || v != tc.want {
			t.Errorf("%s%s %x: got %v, %v; want %v", tc.order, tc.kind, tc.raw, v, err, tc.want)
		}
	}
	v, err := pickle.Decode([]byte("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n\x8c\x03f16\x85RC\x02ab\x86R."))
	if _, ok := v.(*pickle.Object); err != nil || !ok {
		t.Errorf("a scalar of an unknown type: got %v, %v; want it opaque", v, err)
	}
}

// TestDateTime checks instants against what Python 3.11 says of the same wall clocks (utcoffset).
func TestDateTime(t *testing.T) {
	ny, shanghai := &pickle.Zone{Key: "America/New_York"}, &pickle.Zone{Key: "Asia/Shanghai"}
	at := func(month, day, hour, minute int, fold bool, z *pickle.Zone) pickle.DateTime {
		return pickle.DateTime{Year: 2024, Month: month, Day: day, Hour: hour, Minute: minute, Fold: fold, Zone: z}
	}
	for _, tc := range []struct {
		d    pickle.DateTime
		want string
	}{
		{at(1, 2, 9, 30, false, shanghai), "2024-01-02T01:30:00Z"},
		{at(1, 2, 9, 30, false, nil), "2024-01-02T09:30:00Z"}, // naive, meant in UTC by the call below
		{at(7, 1, 9, 30, false, ny), "2024-07-01T13:30:00Z"},
		{at(1, 2, 9, 30, false, ny), "2024-01-02T14:30:00Z"},
		{at(11, 3, 1, 30, false, ny), "2024-11-03T05:30:00Z"}, // clocks go back at 2:00
		{at(11, 3, 1, 30, true, ny), "2024-11-03T06:30:00Z"},
		{at(3, 10, 2, 30, false, ny), "2024-03-10T07:30:00Z"}, // clocks jump from 2:00 to 3:00
		{at(3, 10, 2, 30, true, ny), "2024-03-10T06:30:00Z"},
		{at(1, 2, 9, 30, false, &pickle.Zone{Fixed: true, Offset: 29160}), "2024-01-02T01:24:00Z"},
	} {
		got, err := tc.d.Time(time.UTC)
		if err != nil || got.UTC().Format(time.RFC3339) != tc.want {
			t.Errorf("%s fold %v: got %v, %v; want %s", tc.d, tc.d.Fold, got.UTC(), err, tc.want)
			continue
		}
		if tc.d.Zone == nil || tc.d.Hour == 2 {
			continue
		}
		back := pickle.DateTimeOf(got)
		back.Zone = tc.d.Zone
		if diff := cmp.Diff(tc.d, back); diff != "" {
			t.Errorf("%s and back: %s", tc.d, diff)
		}
	}
	_, err := at(1, 1, 0, 0, false, &pickle.Zone{Key: "Mars/Phobos"}).Time(time.UTC)
	if err == nil || err.Error() != `time zone "Mars/Phobos" is not known` {
		t.Errorf("got %v", err)
	}
	for _, key := range []string{"Local", "../../etc/passwd"} {
		if _, err := (&pickle.Zone{Key: key}).Location(); err == nil {
			t.Errorf("zone %q was found", key)
		}
	}
}

// TestAppendErrors: what cannot be written is said.
func TestAppendErrors(t *testing.T) {
	if _, err := pickle.Append(nil, struct{}{}); err == nil || err.Error() != "pickle: cannot write a struct {}" {
		t.Errorf("got %v", err)
	}
	b, err := pickle.Append(nil, "a\xffb")
	if err != nil || string(b) != "\x8c\x05a\uFFFDb" {
		t.Errorf("got %q, %v; want the bad byte replaced", b, err)
	}
}

// TestDefaults keeps a zero limit from meaning "nothing".
func TestDefaults(t *testing.T) {
	if _, err := new(pickle.Decoder).Decode([]byte("](K\x01K\x02e.")); err != nil {
		t.Error(err)
	}
}

// FuzzDecode: no input panics, runs long or becomes large; and what is read, written and read again is the same.
func FuzzDecode(f *testing.F) {
	for _, glob := range []string{"../testdata/pickles/*/*.pkl", "../testdata/old_versions/*/*.pkl"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds %s: %v", glob, err)
		}
		for i, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 4096 && i%3 == 0 {
				f.Add(data)
			}
		}
	}
	f.Add(doubling(60))
	f.Add([]byte("]q\x00(h\x00h\x00h\x00e."))
	d := pickle.Decoder{Limits: pickle.Limits{Bytes: 64 << 10, Objects: 16 << 10, Memory: 4 << 20, Expanded: 32 << 10, Depth: 32}}
	wide := pickle.Decoder{Limits: pickle.Limits{Depth: 200}}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := d.Decode(data)
		if err != nil {
			var e *pickle.Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("got %#v", err)
			}
			return
		}
		if s := pickle.Repr(v, 1000); len(s) > 1010 {
			t.Fatalf("printed %d bytes", len(s))
		}
		once, err := pickle.Append(nil, v)
		if err != nil {
			return // contains itself
		}
		v2, err := wide.Decode(append(once, '.'))
		if err != nil {
			t.Fatalf("read what was written: %v\n%q", err, once)
		}
		twice, err := pickle.Append(nil, v2)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("written twice: %v\n%q\n%q", err, once, twice)
		}
	})
}

func ExampleDecode() {
	v, err := pickle.Decode([]byte("\x80\x04]\x94(\x8c\x0asend_order\x94\x8c\x0bsmall.thing\x94\x8c\x05Class\x94\x93)\x81}\x8c\x01nK\x05sbe."))
	fmt.Println(pickle.Repr(v, 100), err)
	_, err = pickle.Decode([]byte("(ios\nsystem\n."))
	fmt.Println(err)
	// Output:
	// ["send_order", small.thing.Class(){"n": 5}] <nil>
	// UnpicklingError: offset 1: INST: not allowed here
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"req_send_order", "pub_tick", "rep_contracts_1200"} {
		data := read(b, "../testdata/pickles/py3.11.2-en-p4/"+name+".pkl")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := pickle.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package record_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/record"
)

var decimals = cmp.Comparer(func(a, b hub.Decimal) bool { return a.Equal(b) })

func drawLine(t *rapid.T) record.Line {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9"\\-]{0,9}`))
	number := rapid.Custom(func(t *rapid.T) hub.Decimal {
		return hub.MustDecimal(rapid.StringMatching(`-?[0-9]{1,9}(\.[0-9]{1,4})?`).Draw(t, "number"))
	})
	l := record.Line{
		Kind: rapid.SampledFrom([]record.Kind{record.Received, record.Filled, record.Cancelled, record.Deposited}).Draw(t, "kind"),
		At:   hub.Time(rapid.Int64Range(1, 4e18).Draw(t, "at")), More: rapid.Bool().Draw(t, "more"),
		ID: hub.OrderID(text.Draw(t, "id")), Number: rapid.Uint64().Draw(t, "n"), Trader: hub.TraderName(text.Draw(t, "trader")),
		Symbol: text.Draw(t, "symbol"), Exchange: text.Draw(t, "exchange"),
		Direction: hub.Direction(rapid.IntRange(0, 2).Draw(t, "direction")), Type: hub.OrderType(rapid.IntRange(0, 5).Draw(t, "type")),
		Price: number.Draw(t, "price"), Qty: number.Draw(t, "qty"), Worst: number.Draw(t, "worst"), Fee: number.Draw(t, "fee"),
		Currency: text.Draw(t, "currency"), Trade: text.Draw(t, "trade"), Reason: text.Draw(t, "reason"),
		Day: hub.Day(text.Draw(t, "day")), Version: rapid.IntRange(0, 3).Draw(t, "version"),
	}
	if l.Kind == record.Received {
		l.Offset = hub.Offset(rapid.IntRange(0, 4).Draw(t, "offset"))
	}
	return l
}

func TestLinesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawLine(t)
		text := want.Append(nil)
		if bytes.IndexByte(text, '\n') != len(text)-1 {
			t.Fatalf("not one line: %q", text)
		}
		got, err := record.Parse(text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if diff := cmp.Diff(want, got, decimals); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, text)
		}
	})
}

// A process may be killed after any byte: what is read is then a whole number of deeds, and all of those that were finished.
func TestReadABookThatIsCutAnywhere(t *testing.T) {
	lines := []record.Line{
		{Kind: record.Opened, At: 1, Version: 1},
		{Kind: record.Received, At: 2, More: true, ID: "a", Number: 1},
		{Kind: record.Filled, At: 2, More: true, ID: "a", Trade: "t-1"},
		{Kind: record.Filled, At: 2, ID: "a", Trade: "t-2"},
		{Kind: record.Cancelled, At: 3, ID: `needs "quoting"`},
	}
	var book []byte
	deeds := map[int]int{0: 0} // whole lines by the offset at which a deed ends
	for i, l := range lines {
		book = l.Append(book)
		if !l.More {
			deeds[len(book)] = i + 1
		}
	}
	whole, wholeEnd := 0, 0
	for cut := 0; cut <= len(book); cut++ {
		if n, ends := deeds[cut]; ends {
			whole, wholeEnd = n, cut
		}
		var got []record.Line
		end, err := record.Read(bytes.NewReader(book[:cut]), 0, int64(cut), func(_ int64, l record.Line) error {
			got = append(got, l)
			return nil
		})
		if err != nil || end != int64(wholeEnd) || len(got) != whole {
			t.Fatalf("cut at %d: %d lines up to %d, %v; want %d up to %d", cut, len(got), end, err, whole, wholeEnd)
		}
	}
}

func TestReadSaysWhereABookIsBroken(t *testing.T) {
	first := (&record.Line{Kind: record.Opened, At: 1, Version: 1}).Append(nil)
	for text, want := range map[string]string{
		"what is this\n": "byte 63: not a line of the book of record",
		`{"t":"party","at":"1970-01-01T00:00:00Z"}` + "\n": `byte 63: the book of record has no line of kind "party"`,
	} {
		book := append(bytes.Clone(first), text...)
		_, err := record.Read(bytes.NewReader(book), 0, int64(len(book)), func(int64, record.Line) error { return nil })
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestReadOrders(t *testing.T) {
	var book []byte
	for _, l := range []record.Line{
		{Kind: record.Opened, At: 1, Version: 1},
		{Kind: record.Received, At: 2, ID: "a-1"},
		{Kind: record.Cancelled, At: 3, ID: `needs "quoting"`, Reason: strings.Repeat("long ", 100_000)},
		{Kind: record.ClockAt, At: 4},
		{Kind: record.Filled, At: 5, ID: "b-2"},
	} {
		book = l.Append(book)
	}
	var got []string
	err := record.ReadOrders(bytes.NewReader(book), 0, int64(len(book)), func(id, _ []byte) error {
		got = append(got, string(id))
		return nil
	})
	if diff := cmp.Diff([]string{"a-1", `needs "quoting"`, "b-2"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// disk fails as it is told.
type disk struct {
	*os.File
	room int // bytes until it is full; negative: endless
	sync error
}

func (d *disk) Write(b []byte) (int, error) {
	if d.room < 0 || len(b) <= d.room {
		return d.File.Write(b)
	}
	n, _ := d.File.Write(b[:d.room])
	return n, errors.New("no space left on device")
}

func (d *disk) Sync() error { return d.sync }

func TestWriterWritesAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book")
	file, err := record.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := &disk{File: file, room: -1}
	w := record.NewWriter(d, 0, true)
	line := []record.Line{{Kind: record.Received, At: 1, ID: "a", More: true}, {Kind: record.Rejected, At: 1, ID: "a", Reason: "no"}}
	if err := w.Write(line); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	for name, fail := range map[string]func(){
		"full":       func() { d.room, d.sync = 70, nil },
		"full early": func() { d.room, d.sync = 0, nil },
		"sync":       func() { d.room, d.sync = -1, errors.New("input/output error") },
	} {
		fail()
		err := w.Write(line)
		if err == nil || !strings.Contains(err.Error(), "write the book of record") {
			t.Errorf("%s: got %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) || w.Size() != int64(len(before)) {
			t.Errorf("%s: the book has changed: %s", name, after)
		}
	}
	d.room, d.sync = -1, nil
	if err := w.Write(line); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); len(after) != 2*len(before) {
		t.Errorf("after the trouble: %s", after)
	}
}

package pickle_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tradehub/rpc/veighna/pickle"
)

// vector is one line of a manifest: what stock Python loads from the file.
type vector struct {
	File  string          `json:"file"`
	Value json.RawMessage `json:"value"`
}

// TestVectors decodes what stock VeighNa processes wrote, and compares with what Python said it wrote.
func TestVectors(t *testing.T) {
	manifests, err := filepath.Glob("../testdata/pickles/*/manifest.json")
	if err != nil || len(manifests) != 7 {
		t.Fatalf("got %d manifests, %v; want 7", len(manifests), err)
	}
	for _, path := range manifests {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var m struct {
				Protocol int      `json:"protocol"`
				Vectors  []vector `json:"vectors"`
			}
			if err := json.Unmarshal(read(t, path), &m); err != nil {
				t.Fatal(err)
			}
			for _, v := range m.Vectors {
				data := read(t, filepath.Join(dir, v.File))
				compare(t, v.File, data, v.Value, m.Protocol)
			}
		})
	}
}

// TestCaptured decodes messages that stock processes exchanged over TCP.
func TestCaptured(t *testing.T) {
	f, err := os.Open("../testdata/captured.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var m struct {
			What    string          `json:"what"`
			Payload string          `json:"payload"`
			Frames  []int           `json:"frames"`
			Value   json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		data, err := hex.DecodeString(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		var topic struct{ List []json.RawMessage }
		if strings.HasPrefix(m.What, "publish") && len(m.Frames) == 2 { // vnpy 4.5: the topic was in a frame of its own
			if err := json.Unmarshal(m.Value, &topic); err != nil {
				t.Fatal(err)
			}
			m.Value = topic.List[1]
		}
		compare(t, m.What, data, m.Value, 4)
	}
	if n < 70 {
		t.Fatalf("got %d messages, want at least 70", n)
	}
}

func compare(t *testing.T, name string, data []byte, raw json.RawMessage, protocol int) {
	t.Helper()
	got, err := pickle.Decode(data)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	var want any
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if diff := same("", got, want, protocol); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	again, err := pickle.Append(nil, got)
	if err != nil {
		t.Errorf("%s: write: %v", name, err)
		return
	}
	second, err := pickle.Decode(pickle.AppendStop(append(pickle.AppendProto(nil), again...)))
	if err != nil {
		t.Errorf("%s: read what was written: %v", name, err)
		return
	}
	if diff := same("", second, want, protocol); diff != "" {
		t.Errorf("%s: after writing: %s", name, diff)
	}
}

// same returns where got is not what the manifest says, or "".
func same(at string, got, want any, protocol int) string {
	w, ok := want.(map[string]any)
	if !ok {
		return fmt.Sprintf("%s: bad manifest %v", at, want)
	}
	bad := func() string { return fmt.Sprintf("%s: got %s, want %v", at, pickle.Repr(got, 200), want) }
	check := func(ok bool) string {
		if ok {
			return ""
		}
		return bad()
	}
	for key, v := range w {
		switch key {
		case "omitted":
			return ""
		case "numpy", "value":
			if w["numpy"] == nil {
				continue
			}
			return check(fmt.Sprint(got) == fmt.Sprint(w["value"]))
		case "other", "repr":
			g, ok := got.(pickle.DateTime)
			return check(ok && strings.HasPrefix(w["repr"].(string), fmt.Sprintf("Timestamp('%04d-%02d-%02d %02d:%02d:%02d+0800',", g.Year, g.Month, g.Day, g.Hour, g.Minute, g.Second)) &&
				g.Zone.Offset == 8*3600)
		case "none":
			return check(got == nil)
		case "bool", "str":
			return check(got == v)
		case "int":
			n, _ := new(big.Int).SetString(v.(string), 10)
			switch g := got.(type) {
			case int64:
				return check(n.Cmp(big.NewInt(g)) == 0)
			case *big.Int:
				return check(n.Cmp(g) == 0 && !g.IsInt64())
			}
			return bad()
		case "float":
			f, _ := strconv.ParseFloat(v.(string), 64)
			g, ok := got.(float64)
			return check(ok && (math.Float64bits(f) == math.Float64bits(g) || math.IsNaN(f) && math.IsNaN(g)))
		case "bytes":
			g, ok := got.([]byte)
			return check(ok && hex.EncodeToString(g) == v.(string))
		case "list":
			g, ok := got.(*pickle.List)
			if !ok {
				return bad()
			}
			return sameItems(at, g.Items, v, protocol)
		case "tuple":
			g, ok := got.(pickle.Tuple)
			if !ok {
				return bad()
			}
			return sameItems(at, g, v, protocol)
		case "set", "frozenset":
			g, ok := got.(*pickle.Set)
			if !ok || g.Frozen != (key == "frozenset") {
				return bad()
			}
			return sameItems(at, g.Items, v, protocol)
		case "dict":
			g, ok := got.(*pickle.Dict)
			if !ok || len(g.Pairs) != len(v.([]any)) {
				return bad()
			}
			for i, p := range v.([]any) {
				if d := same(at+".key", g.Pairs[i].Key, p.([]any)[0], protocol); d != "" {
					return d
				}
				if d := same(fmt.Sprintf("%s[%v]", at, g.Pairs[i].Key), g.Pairs[i].Value, p.([]any)[1], protocol); d != "" {
					return d
				}
			}
			return ""
		case "object", "state":
			return sameObject(at, got, w, protocol)
		case "enum":
			return check(sameEnum(got, w))
		case "date":
			g, ok := got.(pickle.Date)
			return check(ok && g.String() == v)
		case "datetime":
			return check(sameDateTime(got, w, protocol))
		case "time":
			g, ok := got.(pickle.Clock)
			return check(ok && strings.HasPrefix(v.(string), fmt.Sprintf("%02d:%02d:%02d.%06d", g.Hour, g.Minute, g.Second, g.Micro)) &&
				(g.Zone == nil) == (w["tz"] == nil))
		case "timedelta":
			g, ok := got.(pickle.Delta)
			return check(ok && fmt.Sprint([]int64{g.Days, g.Seconds, g.Micros}) == fmt.Sprint(v))
		}
	}
	return fmt.Sprintf("%s: the test does not know %v", at, want)
}

func sameItems(at string, got []any, want any, protocol int) string {
	list := want.([]any)
	if len(got) != len(list) {
		return fmt.Sprintf("%s: got %d items, want %d", at, len(got), len(list))
	}
	for i := range list {
		if d := same(fmt.Sprintf("%s[%d]", at, i), got[i], list[i], protocol); d != "" {
			return d
		}
	}
	return ""
}

func sameObject(at string, got any, w map[string]any, protocol int) string {
	o, ok := got.(*pickle.Object)
	if !ok || o.Class.String() != w["object"] || !o.New {
		return fmt.Sprintf("%s: got %s, want a %v", at, pickle.Repr(got, 200), w["object"])
	}
	state, ok := o.State.(*pickle.Dict)
	if !ok || len(state.Pairs) != len(w["state"].([]any)) {
		return fmt.Sprintf("%s: got state %s, want %v", at, pickle.Repr(o.State, 200), w["state"])
	}
	for i, p := range w["state"].([]any) {
		key := p.([]any)[0].(string)
		if state.Pairs[i].Key != key {
			return fmt.Sprintf("%s: got key %v, want %s", at, state.Pairs[i].Key, key)
		}
		if d := same(at+"."+key, state.Pairs[i].Value, p.([]any)[1], protocol); d != "" {
			return d
		}
	}
	return ""
}

// sameEnum: a member is a name of its class (Python 3.11.2), or a call of the class with the value (all others).
func sameEnum(got any, w map[string]any) bool {
	switch g := got.(type) {
	case *pickle.Class:
		return g.String() == fmt.Sprintf("%v.%v", w["enum"], w["name"])
	case *pickle.Object:
		return g.Class.String() == w["enum"] && len(g.Args) == 1 && g.Args[0] == w["value"] && !g.New
	}
	return false
}

func sameDateTime(got any, w map[string]any, protocol int) bool {
	g, ok := got.(pickle.DateTime)
	if !ok {
		return false
	}
	iso := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d", g.Year, g.Month, g.Day, g.Hour, g.Minute, g.Second, g.Micro)
	if iso != w["datetime"] || (g.Zone == nil) != (w["tz"] == nil) {
		return false
	}
	if fold := w["fold"].(json.Number) == "1"; fold != g.Fold && protocol >= 4 { // older protocols cannot write it
		return false
	}
	if g.Zone == nil {
		return true
	}
	if tz := w["tz"].(map[string]any); tz["zoneinfo"] != nil && (g.Zone.Fixed || g.Zone.Key != tz["zoneinfo"]) {
		return false
	}
	if protocol < 4 && w["fold"].(json.Number) == "1" {
		return true
	}
	at, err := g.Time(nil)
	if err != nil {
		return false
	}
	_, offset := at.Zone()
	want, _ := w["utcoffset_s"].(json.Number).Float64()
	return float64(offset) == want && at.Hour() == g.Hour && at.Minute() == g.Minute
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

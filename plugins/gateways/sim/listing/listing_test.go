package listing_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/listing"
)

func TestDefaultList(t *testing.T) {
	list, err := listing.Read("contracts.yaml", listing.Default)
	if err != nil {
		t.Fatal(err)
	}
	kinds, products := map[hub.Kind]int{}, map[string]int{}
	// VeighNa's Exchange members that the list uses: a client dies of one that it does not know.
	exchanges := map[string]bool{"SHFE": true, "INE": true, "DCE": true, "CZCE": true, "GFEX": true, "CFFEX": true, "SSE": true, "SZSE": true, "GLOBAL": true}
	for _, c := range list.Contracts {
		kinds[c.Kind]++
		products[c.Product]++
		if !exchanges[c.Exchange] {
			t.Errorf("%s: not an exchange of VeighNa's", c.Instrument)
		}
		if c.SplitsToday != (c.Exchange == "SHFE" || c.Exchange == "INE") {
			t.Errorf("%s: splits today: %v", c.Instrument, c.SplitsToday)
		}
	}
	for _, kind := range []hub.Kind{hub.Futures, hub.Equity, hub.Option, hub.Spot} {
		if kinds[kind] == 0 {
			t.Errorf("no contract of kind %s", kind)
		}
	}
	if products["rb"] == 0 {
		t.Error("no rb")
	}
	btc := list.Find(hub.Instrument{Symbol: "BTCUSDT", Exchange: "GLOBAL"})
	if n, ok := btc.Steps(hub.MustDecimal("1.2345")); n != 12345 || !ok {
		t.Errorf("1.2345 BTC: got %d steps, %v", n, ok)
	}
	if list.Find(hub.Instrument{Symbol: "XX", Exchange: "SHFE"}) != nil {
		t.Error("a contract that is not there was found")
	}
}

// What goes in whole steps comes back exactly, and nothing else goes in.
func TestStepsAreExact(t *testing.T) {
	list, err := listing.Read("contracts.yaml", listing.Default)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(list.Contracts).Draw(t, "contract")
		n := rapid.Int64Range(-1e9, 1e9).Draw(t, "n")
		if got, ok := c.Ticks(c.Price(n)); got != n || !ok {
			t.Fatalf("%d ticks of %s became %d, %v", n, c.Tick, got, ok)
		}
		if got, ok := c.Steps(c.Qty(n)); got != n || !ok {
			t.Fatalf("%d steps of %s became %d, %v", n, c.MinQty, got, ok)
		}
		text := rapid.StringMatching(`[0-9]{1,12}(\.[0-9]{1,6})?`).Draw(t, "price")
		price := hub.MustDecimal(text)
		got, ok := c.Ticks(price)
		_, rest, err := price.QuoRem(c.Tick)
		if err != nil {
			t.Skip(err)
		}
		if ok != rest.IsZero() {
			t.Fatalf("%s in ticks of %s: got %d, %v", text, c.Tick, got, ok)
		}
		if ok && !c.Price(got).Equal(price) {
			t.Fatalf("%s came back as %s", text, c.Price(got))
		}
	})
}

func TestCountsThatDoNotFit(t *testing.T) {
	list, _ := listing.Read("contracts.yaml", listing.Default)
	btc := list.Find(hub.Instrument{Symbol: "BTCUSDT", Exchange: "GLOBAL"})
	for _, text := range []string{"9999999999999999999", "0.00005", "999999999999999.9999"} {
		if n, ok := btc.Steps(hub.MustDecimal(text)); ok {
			t.Errorf("%s BTC: got %d steps, want none", text, n)
		}
	}
}

func TestSessions(t *testing.T) {
	list, _ := listing.Read("contracts.yaml", listing.Default)
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, list.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	rb := list.Find(hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"})
	au := list.Find(hub.Instrument{Symbol: "au2702", Exchange: "SHFE"})
	btc := list.Find(hub.Instrument{Symbol: "BTCUSDT", Exchange: "GLOBAL"})
	for _, c := range []struct {
		contract *listing.Contract
		when     string
		want     bool
	}{
		{rb, "2026-11-19 09:00", true},
		{rb, "2026-11-19 10:15", false},
		{rb, "2026-11-19 22:59", true},
		{rb, "2026-11-19 23:00", false},
		{rb, "2026-11-21 09:30", false}, // Saturday
		{au, "2026-11-19 23:30", true},
		{au, "2026-11-20 02:29", true},
		{au, "2026-11-20 02:30", false},
		{btc, "2026-11-22 04:00", true}, // Sunday
	} {
		if got := c.contract.TradesAt(at(c.when)); got != c.want {
			t.Errorf("%s at %s: got %v, want %v", c.contract.Instrument, c.when, got, c.want)
		}
	}
}

const good = `zone: Asia/Shanghai
as_of: 2026-11-20T15:00:00+08:00
contracts:
  - symbol: rb2701
    exchange: SHFE
    kind: FUTURES
    currency: CNY
    size: 10
    tick: 1
    min_qty: 1
    margin: {long: 0.09, short: 0.09}
    market: {base: 3142, volatility: 0.21, limit: 0.07, level_qty: 220}
`

// What a user can do wrong in a file, and what is said about it.
func TestBadLists(t *testing.T) {
	if _, err := listing.Read("c.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the good file", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	_, entries, _ := strings.Cut(good, "contracts:\n")
	option := good + `  - symbol: x-C-1
    exchange: SHFE
    kind: OPTION
    currency: CNY
    size: 10
    tick: 1
    min_qty: 1
    option: {type: CALL, strike: 3000, underlying: rb2701, expiry: 2027-01-01T00:00:00Z}
    market: {volatility: 0.21, limit: 0.07, level_qty: 220}
`
	if _, err := listing.Read("c.yaml", []byte(option)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{"", "c.yaml: the file is empty"},
		{good + "---\n{}\n", "c.yaml: there must be one YAML document"},
		{"a: [", "c.yaml: yaml: line 1: did not find expected node content"},
		{replace("size: 10", "sise: 10"), "c.yaml:8: unknown field sise"},
		{replace("size: 10\n    tick: 1", "size: ten\n    tick: one"), `c.yaml:8: "ten" is not a decimal number of at most 19 digits` + "\n" +
			`c.yaml:9: "one" is not a decimal number of at most 19 digits`},
		{replace("    size: 10\n", ""), "c.yaml:4: rb2701.SHFE: size must be positive"},
		{replace("tick: 1", "tick: 0"), "c.yaml:4: rb2701.SHFE: tick must be positive"},
		{replace("min_qty: 1", "min_qty: -1"), "c.yaml:4: rb2701.SHFE: min_qty must be positive"},
		{replace("min_qty: 1", "min_qty: 1\n    max_qty: -1"), "c.yaml:4: rb2701.SHFE: max_qty must not be negative"},
		{replace("kind: FUTURES", "kind: Futures"), `c.yaml:4: rb2701.SHFE: kind: "Futures" is no kind of contract`},
		{replace("kind: FUTURES", "kind: OPTION"), "c.yaml:4: rb2701.SHFE: a contract of kind OPTION, and no other, has option terms\n" +
			"c.yaml:4: rb2701.SHFE: market: an option has no base: its price follows its underlying\n" +
			`c.yaml:4: rb2701.SHFE: option: its underlying "" must be a contract of the same exchange in this file`},
		{replace("exchange: SHFE", "exchange: ''"), "c.yaml:4: rb2701.: symbol and exchange must be there"},
		{replace("currency: CNY", "currency: ''"), "c.yaml:4: rb2701.SHFE: currency must be there"},
		{replace("long: 0.09", "long: -1"), "c.yaml:4: rb2701.SHFE: margin must not be negative"},
		{replace("size: 10", "size: 10\n    net_position: true"), "c.yaml:4: rb2701.SHFE: a net_position with margin is not simulated: it is paid in full"},
		{replace("size: 10", "size: 10\n    splits_today: true\n    around_the_clock: true"), "c.yaml:4: rb2701.SHFE: splits_today cannot go together with net_position or around_the_clock"},
		{replace("size: 10", "size: 10\n    around_the_clock: true\n    sessions: ['09:00-10:15']"), "c.yaml:4: rb2701.SHFE: around_the_clock and sessions cannot go together"},
		{replace("size: 10", "size: 10\n    sessions: [always]"), `c.yaml:4: rb2701.SHFE: sessions: "always" is no session such as 09:00-10:15`},
		{replace("base: 3142", "base: 3142.5"), "c.yaml:4: rb2701.SHFE: market: base 3142.5 is not a whole number of ticks of 1"},
		{replace("base: 3142", "base: 0"), "c.yaml:4: rb2701.SHFE: market: base must be positive"},
		{replace("volatility: 0.21", "volatility: 21"), "c.yaml:4: rb2701.SHFE: market: volatility must be that of a year, such as 0.2 for 20 %"},
		{replace("limit: 0.07", "limit: 7"), "c.yaml:4: rb2701.SHFE: market: limit must be between 0 and 1, such as 0.07 for 7 %"},
		{replace("limit: 0.07", "limit: 0.07, gap: -1"), "c.yaml:4: rb2701.SHFE: market: spread and gap must not be negative"},
		{replace("limit: 0.07", "limit: 0.07, open_interest: -1"), "c.yaml:4: rb2701.SHFE: market: open_interest must not be negative"},
		{replace("level_qty: 220", "level_qty: 0.5"), "c.yaml:4: rb2701.SHFE: market: level_qty 0.5 is not a multiple of min_qty 1"},
		{replace("Asia/Shanghai", "Asia/Atlantis"), `c.yaml:1: zone "Asia/Atlantis" is no time zone such as Asia/Shanghai`},
		{replace("as_of: 2026-11-20T15:00:00+08:00\n", ""), "c.yaml:1: as_of is missing: the time at which every contract costs its base, such as 2026-11-20T15:00:00+08:00"},
		{"zone: UTC\nas_of: 2026-11-20T15:00:00+08:00\n", "c.yaml:1: there are no contracts"},
		{good + entries, "c.yaml:13: rb2701.SHFE is there twice"},
		{strings.Replace(option, "underlying: rb2701", "underlying: rb", 1), `c.yaml:13: x-C-1.SHFE: option: its underlying "rb" must be a contract of the same exchange in this file`},
		{strings.Replace(option, "type: CALL", "type: Call", 1), "c.yaml:13: x-C-1.SHFE: option: type must be CALL or PUT"},
		{strings.Replace(option, "strike: 3000", "strike: 0", 1), "c.yaml:13: x-C-1.SHFE: option: strike must be positive"},
		{strings.Replace(option, ", expiry: 2027-01-01T00:00:00Z", "", 1), "c.yaml:13: x-C-1.SHFE: option: expiry must be there"},
		{strings.Replace(option, "    market: {volatility", "    market: {base: 1, volatility", 1), "c.yaml:13: x-C-1.SHFE: market: an option has no base: its price follows its underlying"},
	} {
		_, err := listing.Read("c.yaml", []byte(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("got:  %v\nwant: %s", err, c.want)
		}
	}
}

// Everything that is wrong is said at once.
func TestBadListIsReportedWhole(t *testing.T) {
	text := strings.NewReplacer("size: 10", "size: 0", "tick: 1", "tick: 0", "currency: CNY", "currency: ''").Replace(good)
	_, err := listing.Read("c.yaml", []byte(text))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three lines, got:\n%v", err)
	}
}

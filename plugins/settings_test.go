package plugins_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/plugins"
)

const written = `
seed: 7
capital: 2_000_000
rate: 0.1234567890123456789
speed: 250ms
strict: true
none: ~
names: [rb, 600519, "x y"]
rates:
  rb: {long: 0.13, short: 0.14}
  BTC.USDT: {long: 1}
base: &base {a: 1}
copy: *base
`

func read(t *testing.T, text string) plugins.Settings {
	t.Helper()
	var s plugins.Settings
	if err := yaml.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettings(t *testing.T) {
	s := read(t, written)
	wire, err := json.Marshal(s) // the way of the configuration file through the hub
	if err != nil {
		t.Fatal(err)
	}
	var again plugins.Settings
	if err := json.Unmarshal(wire, &again); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]plugins.Settings{"yaml": s, "json": again, "wire": plugins.FromWire(again.ToWire())} {
		t.Run(name, func(t *testing.T) {
			if got := s.Int("seed", 1); got != 7 {
				t.Errorf("seed: got %d", got)
			}
			if got := s.Decimal("capital", hub.Decimal{}); got != hub.Int(2_000_000) {
				t.Errorf("capital: got %s", got)
			}
			if got := s.Decimal("rate", hub.Decimal{}); got.String() != "0.1234567890123456789" {
				t.Errorf("rate: got %s", got)
			}
			if got := s.Duration("speed", 0); got != 250*time.Millisecond {
				t.Errorf("speed: got %s", got)
			}
			if !s.Bool("strict", false) || s.Has("none") || s.Int("none", 5) != 5 || s.String("none", "x") != "x" || s.Bool("other", true) != true {
				t.Error("strict or none")
			}
			if got := s.List("names"); !slices.Equal(got, []string{"rb", "600519", "x y"}) {
				t.Errorf("names: got %q", got)
			}
			rates := s.Map("rates")
			if got := rates.Keys(); !slices.Equal(got, []string{"BTC.USDT", "rb"}) {
				t.Errorf("rates: got %q", got)
			}
			if got := rates.Map("rb").Decimal("short", hub.Decimal{}); got != hub.MustDecimal("0.14") {
				t.Errorf("short: got %s", got)
			}
			rates.Map("rb").Decimal("long", hub.Decimal{})
			rates.Map("BTC.USDT").Int("long", 0)
			if s.Map("base").Int("a", 0) != 1 || s.Map("copy").Int("a", 0) != 1 || s.Map("nowhere").Int("a", 3) != 3 {
				t.Error("base, copy or nowhere")
			}
			if err := s.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	s := read(t, `
seeed: 7
count: many
rate: 1.2.3
speed: 5
strict: "yes"
names: rb
rates: {rb: {lnog: 1, short: x}, hc: 3}
text: [a]
lots: -1
`)
	s.Int("seed", 0)
	s.Int("count", 0)
	s.Decimal("rate", hub.Decimal{})
	s.Duration("speed", 0)
	s.Bool("strict", false)
	s.List("names")
	for _, product := range s.Map("rates").Keys() {
		rate := s.Map("rates").Map(product)
		rate.Decimal("long", hub.Decimal{})
		rate.Decimal("short", hub.Decimal{})
	}
	s.String("text", "")
	if s.Int("lots", 1) < 1 {
		s.Problem("lots", "must be positive")
	}
	if s.Map("account").String("key", "") == "" {
		s.Map("account").Problem("key", "is missing")
	}
	want := `account.key: is missing
count: "many" is not a whole number
lots: must be positive
names: must be a list
rate: "1.2.3" is not a decimal number of at most 19 digits
rates.hc: must be a map of names and values
rates.rb.lnog: unknown setting (did you mean long?)
rates.rb.short: "x" is not a decimal number of at most 19 digits
seeed: unknown setting (did you mean seed?)
speed: "5" is not a duration such as "250ms"
strict: "yes" is not true or false
text: must be a text`
	if err := s.Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestSettingsThatAreNone(t *testing.T) {
	var zero plugins.Settings
	if zero.Int("a", 3) != 3 || zero.Map("b").String("c", "d") != "d" || zero.List("e") != nil || zero.Keys() != nil || zero.Has("a") || zero.Err() != nil {
		t.Error("zero settings are not empty")
	}
	if got, err := json.Marshal(zero); string(got) != "{}" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	for text, want := range map[string]string{
		"[a]":                        "line 1: settings must be a map of names and values",
		"a: {b: 1, b: 2}":            "line 1: b is there twice",
		"a: [[1]]":                   "line 1: an element of a list must be a text or a number",
		"a: &x {b: 1}\nc:\n  <<: *x": "line 3: << is not supported in settings",
	} {
		var s plugins.Settings
		if err := yaml.Unmarshal([]byte(text), &s); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := plugins.NewSettings(map[string]any{"a": map[string]any{"b": 0.1}}); err == nil || err.Error() != "a.b: a setting cannot be a float64" {
		t.Errorf("got %v", err)
	}
}

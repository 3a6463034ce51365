package config_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tradehub/hub"
	"tradehub/hub/config"
)

var rewrite = flag.Bool("rewrite", false, "write what is reported into testdata; read the difference before it is committed")

// TestBad holds every file of testdata/bad against the errors that it is to report, all of them.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			_, errs := config.Parse("hub.yaml", archive.Files[0].Data)
			for _, e := range errs {
				got.WriteString(e.Error() + "\n")
			}
			if *rewrite {
				archive.Files[1].Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if len(errs) == 0 {
				t.Error("nothing is reported")
			}
			if diff := cmp.Diff(string(archive.Files[1].Data), got.String()); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

const whole = `
data: ./data
fund: {name: evergreen, currency: CNY, rates: {USDT: 7.1, HKD: 0.92}, rates_max_age: 36h, flatten_slip: 0.03}
traders:
  alpha:
    capital: 2_000_000
    language: en
    share: 3
    veighna: {request: "tcp://0.0.0.0:2014", publish: "tcp://*:4102", allow: [10.0.8.21, 10.0.9.0/24], version: 4.5.0}
  beta_2: {capital: 500_000.5, veighna: {request: "ipc:///run/hub/beta-req", publish: "ipc:///run/hub/beta-pub", version: 4.3}}
gateways:
  SIM: {plugin: sim, settings: {seed: 7, fees: [0.10, 1_000], zz: {deep: {x: true}}, aa: "007", none: null, day: 2026-11-22}}
  CTP: {plugin: ctp, messages: 1_000/1m}
  CTP2: {plugin: ctp, messages: [6/1s, 200/1m]}
groups:
  steel: {gateways: [SIM, CTP], exchanges: [SHFE, INE]}
  CTP: {gateways: [CTP], exchanges: [DCE]}
risk_managers:
  margin: {plugin: margin, deadline: 5ms, settings: {trader_max: 0.8}}
  watch: {plugin: watch}
plugins: {dir: /usr/lib/hub}
policies: ./rules
policies_group: compliance
policies_watch: false
calendar: {zone: UTC, roll: "00:00"}
calendars: {SHFE: cn-futures, SSE: main}
calendar_files: /etc/calendars
journal: {min_free: 2GiB, snapshot_entries: 20_000}
people:
  anna: {roles: [ask, read]}
  bob: {user: "1002", roles: [approve, operate]}
desk: {socket: /run/hub-desk/ctl.sock, group: hub-desk}
`

func TestWhole(t *testing.T) {
	got, errs := config.Parse("/etc/hub/hub.yaml", []byte(whole))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := config.Config{
		Data: "/etc/hub/data",
		Fund: config.Fund{
			Name: "evergreen", Currency: "CNY",
			Rates:       []hub.Rate{{Currency: "USDT", Rate: hub.MustDecimal("7.1")}, {Currency: "HKD", Rate: hub.MustDecimal("0.92")}},
			RatesMaxAge: 36 * time.Hour,
			FlattenSlip: hub.MustDecimal("0.03"),
		},
		Traders: []config.Trader{
			{
				Name: "alpha", Capital: hub.MustDecimal("2000000"), Language: config.English, Share: 3,
				VeighNa: config.VeighNa{
					Request: "tcp://0.0.0.0:2014", Publish: "tcp://0.0.0.0:4102", Version: "4.5",
					Allow: []netip.Prefix{netip.MustParsePrefix("10.0.8.21/32"), netip.MustParsePrefix("10.0.9.0/24")},
				},
			},
			{
				Name: "beta_2", Capital: hub.MustDecimal("500000.5"), Language: config.Chinese, Share: 1,
				VeighNa: config.VeighNa{Request: "ipc:///run/hub/beta-req", Publish: "ipc:///run/hub/beta-pub", Version: "4.4"},
			},
		},
		Gateways: []config.Gateway{
			{
				Name: "SIM", Plugin: "sim",
				Settings: []byte(`{"seed":7,"fees":[0.1,1000],"zz":{"deep":{"x":true}},"aa":"007","none":null,"day":"2026-11-22"}`),
			},
			{Name: "CTP", Plugin: "ctp", Settings: []byte("{}"), Messages: []hub.MessageLimit{{Messages: 1000, Window: time.Minute}}},
			{Name: "CTP2", Plugin: "ctp", Settings: []byte("{}"), Messages: []hub.MessageLimit{{Messages: 6, Window: time.Second}, {Messages: 200, Window: time.Minute}}},
		},
		Groups: []hub.Group{
			{Name: "steel", Gateways: []hub.GatewayName{"SIM", "CTP"}, Exchanges: []string{"SHFE", "INE"}}, {Name: "CTP", Gateways: []hub.GatewayName{"CTP"}, Exchanges: []string{"DCE"}},
		},
		Managers: []config.Manager{
			{Name: "margin", Plugin: "margin", Deadline: 5 * time.Millisecond, Settings: []byte(`{"trader_max":0.8}`)},
			{Name: "watch", Plugin: "watch", Deadline: config.DeadlineDefault, Settings: []byte("{}")},
		},
		PluginDir: "/usr/lib/hub",
		Policies:  "/etc/hub/rules", PoliciesGroup: "compliance", PoliciesByHand: true,
		Calendar:  config.Calendar{Zone: "UTC"},
		Calendars: []hub.ExchangeCalendar{{Exchange: "SHFE", Calendar: "cn-futures"}, {Exchange: "SSE", Calendar: "main"}},

		CalendarFiles: "/etc/calendars", CalendarFilesNamed: true,
		Journal:  config.Journal{MinFree: 2 << 30, SnapshotEntries: 20_000},
		Language: config.Chinese,
		People: []config.Person{
			{Name: "anna", User: "anna", Roles: []config.Role{config.Ask, config.Read}},
			{Name: "bob", User: "1002", Roles: []config.Role{config.Approve, config.Operate}},
		},
		Desk: config.Desk{Socket: "/run/hub-desk/ctl.sock", Group: "hub-desk"},
	}
	for _, at := range []*int{&got.People[0].Line, &got.People[0].Column, &got.People[1].Line, &got.People[1].Column, &got.Desk.Line, &got.Desk.Column} {
		if *at == 0 {
			t.Error("a place is not known")
		}
		*at = 0
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b hub.Decimal) bool { return a == b })); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	got, errs := config.Parse("hub.yaml", []byte(`{data: d, fund: {name: f, currency: CNY}, gateways: {SIM: {plugin: sim}},
traders: {a: {capital: 1, veighna: {request: "tcp://127.0.0.1:1", publish: "tcp://127.0.0.1:2"}}}}`))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got.Policies != "policies" || got.PluginDir != "" || got.Calendar != (config.Calendar{Name: "cn-futures"}) || got.CalendarFiles != "calendars" || got.CalendarFilesNamed || got.Language != config.Chinese ||
		got.Traders[0].Language != config.Chinese || got.Journal != (config.Journal{MinFree: 256 << 20, SnapshotEntries: 100_000}) {
		t.Errorf("defaults: %+v", got)
	}
}

// TestCheckCalendars: names of calendars that nobody has read from a file.
func TestCheckCalendars(t *testing.T) {
	const text = `calendar: cn-futurs
calendars:
  SSE: cn-stock
  NYSE: us-stocks
  DCE: main
  CZCE: nothing
`
	var got []string
	for _, e := range config.CheckCalendars("hub.yaml", []byte(text), []string{"cn-futures", "cn-stock", "us-stock"}) {
		got = append(got, e.Error())
	}
	want := []string{
		"hub.yaml:1:11: calendar: there is no calendar cn-futurs; did you mean cn-futures?",
		"hub.yaml:4:9: calendars.NYSE: there is no calendar us-stocks; did you mean us-stock?",
		"hub.yaml:6:9: calendars.CZCE: there is no calendar nothing; known here: cn-futures, cn-stock, us-stock, main",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if errs := config.CheckCalendars("hub.yaml", []byte(`calendar: {zone: UTC, roll: "00:00"}`), nil); len(errs) > 0 {
		t.Error(errs)
	}
}

// FuzzParse wants an answer for any text: a Config that names everything it must, or errors in the order of their lines.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*.txt")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Add([]byte(whole))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, errs := config.Parse("hub.yaml", text)
		if len(errs) == 0 {
			if c.Data == "" || c.Fund.Name == "" || c.Fund.Currency == "" || len(c.Traders) == 0 || len(c.Gateways) == 0 || c.Calendar.Zone+c.Calendar.Name == "" {
				t.Errorf("accepted without what it must have: %+v", c)
			}
			for _, trader := range c.Traders {
				if !trader.Capital.IsPos() || trader.VeighNa.Request == "" || trader.VeighNa.Publish == "" {
					t.Errorf("accepted half a trader: %+v", trader)
				}
			}
			return
		}
		lines := bytes.Count(text, []byte("\n")) + 2
		if !slices.IsSortedFunc(errs, func(a, b config.Error) int { return a.Line - b.Line }) {
			t.Errorf("not sorted: %v", errs)
		}
		for _, e := range errs {
			if e.Line < 1 || e.Line > lines || e.Col < 1 || e.Text == "" || strings.ContainsAny(e.Error(), "\n\x00") {
				t.Errorf("of %d lines: %+v", lines, e)
			}
		}
	})
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/calendar"
	"tradehub/hub/config"
	"tradehub/hub/ctl"
)

// TestCalendarPage is what hub ctl calendar shows at some moments, the machine's zone being whatever it is.
func TestCalendarPage(t *testing.T) {
	all, errs := calendar.Read(nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	exchanges := []hub.ExchangeCalendar{{Exchange: "SHFE", Calendar: "cn-futures"}, {Exchange: "NYSE", Calendar: "us-stock"}, {Exchange: "SSE", Calendar: "cn-stock"}}
	page := func(at string, books hub.Day, names ...string) string {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		var rows []ctl.Calendar
		for i, name := range names {
			rows = append(rows, calendarNow(all[name], i == 0, exchanges, books, now))
		}
		var out bytes.Buffer
		writeCalendars(env{stdout: &out}, rows)
		return "\n" + out.String()
	}
	for _, row := range []struct{ name, got, want string }{
		{"friday night", page("2026-11-27T13:30:00Z", "20261130", "cn-stock", "us-stock", "crypto"), `
CALENDAR         NOW                          DAY       NEXT-ROLL                 HOLIDAYS                EXCHANGES
cn-stock (main)  Fri 2026-11-27 21:30:00 CST  20261130  Mon 2026-11-30 18:00 CST  known until 2026-12-31  SSE and all others
us-stock         Fri 2026-11-27 08:30:00 EST  20261127  Fri 2026-11-27 20:00 EST  known until 2027-12-31  NYSE
crypto           Fri 2026-11-27 13:30:00 UTC  20261127  Sat 2026-11-28 00:00 UTC  none

CALENDAR  PRODUCTS  SESSION  PHASE       UNTIL                     NEXT-OPEN
cn-stock  shares             CLOSED      Mon 2026-11-30 09:15 CST  Mon 2026-11-30 09:15 CST
us-stock  shares    early    EXTENDED    Fri 2026-11-27 09:30 EST  Fri 2026-11-27 09:30 EST
crypto    all       always   CONTINUOUS  never                     never

warning: the books have trading day "20261130" of calendar us-stock, which is 20261127 now

warning: the books have trading day "20261130" of calendar crypto, which is 20261127 now
`},
		{"a holiday", page("2026-10-02T02:00:00Z", "20261008", "cn-stock"), `
CALENDAR         NOW                          DAY                      NEXT-ROLL                 HOLIDAYS                EXCHANGES
cn-stock (main)  Fri 2026-10-02 10:00:00 CST  20261008 (National Day)  Thu 2026-10-08 18:00 CST  known until 2026-12-31  SSE and all others

CALENDAR  PRODUCTS  SESSION  PHASE   UNTIL                     NEXT-OPEN
cn-stock  shares             CLOSED  Thu 2026-10-08 09:15 CST  Thu 2026-10-08 09:15 CST
`},
		{"another year", page("2027-03-01T02:00:00Z", "20270301", "cn-stock"), `
CALENDAR         NOW                          DAY       NEXT-ROLL                 HOLIDAYS   EXCHANGES
cn-stock (main)  Mon 2027-03-01 10:00:00 CST  20270301  Mon 2027-03-01 18:00 CST  not known  SSE and all others

CALENDAR  PRODUCTS  SESSION  PHASE       UNTIL                     NEXT-OPEN
cn-stock  shares    morning  CONTINUOUS  Mon 2027-03-01 11:30 CST  Mon 2027-03-01 13:00 CST

warning: calendar cn-stock has no holidays for 2027: only weekends are taken out, and on a holiday its trading day is wrong
`},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// TestCalendarsOfExchanges: an exchange has what the configuration says; else, beside a calendar with a name, what the hub knows; else the main one.
func TestCalendarsOfExchanges(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const rest = `
data: d
fund: {name: f, currency: CNY}
traders: {a: {capital: 1, veighna: {request: "tcp://127.0.0.1:1", publish: "tcp://127.0.0.1:2"}}}
gateways: {SIM: {plugin: sim}}
`
	load := func(text string) (*calendar.Set, []string, error) {
		t.Helper()
		write("hub.yaml", text+rest)
		file := filepath.Join(dir, "hub.yaml")
		c, errs := config.Parse(file, []byte(text+rest))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return loadCalendars(file, c)
	}
	write("calendars/late.yaml", "calendar: late\nextends: cn-stock\nroll: \"20:00\"\n")
	write("calendars/notes.txt", "nothing")
	for _, row := range []struct {
		text string
		want map[string]string
	}{
		{"", map[string]string{"SHFE": "cn-futures", "SSE": "cn-stock", "GLOBAL": "crypto", "NYSE": "us-stock", "OTC": "cn-futures"}},
		{"calendar: late\ncalendars: {SHFE: main, SSE: crypto}", map[string]string{"SHFE": "late", "SSE": "crypto", "SZSE": "cn-stock", "OTC": "late"}},
		{"calendar: {zone: UTC, roll: \"00:00\"}\ncalendars: {SSE: late}", map[string]string{"SHFE": "main", "SSE": "late", "OTC": "main"}},
	} {
		set, wrong, err := load(row.text)
		if err != nil || len(wrong) > 0 {
			t.Fatalf("%q: %v %v", row.text, wrong, err)
		}
		for exchange, want := range row.want {
			if got := set.Of(exchange).Name(); got != want {
				t.Errorf("%q: %s has %s, want %s", row.text, exchange, got, want)
			}
		}
	}
	for _, row := range []struct{ text, want string }{
		{"calendar: lat", "hub.yaml:1:11: calendar: there is no calendar lat; did you mean late?"},
		{"calendar_files: nowhere", "there is no folder of calendars " + filepath.Join(dir, "nowhere")},
	} {
		_, wrong, err := load(row.text)
		if got := strings.Join(wrong, "\n") + errText(err); !strings.HasSuffix(got, row.want) {
			t.Errorf("%q: got %q", row.text, got)
		}
	}
	write("calendars/late.yaml", "calendar: late\nextends: cn-stok\n")
	if _, wrong, _ := load(""); len(wrong) != 1 || !strings.HasSuffix(wrong[0], "calendars/late.yaml:2:10: extends: there is no calendar cn-stok; did you mean cn-stock?") {
		t.Errorf("got %q", wrong)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

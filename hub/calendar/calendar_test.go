package calendar_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/calendar"
)

func library(t testing.TB) calendar.Library {
	t.Helper()
	l, errs := calendar.Read(nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return l
}

const wall = "2006-01-02 15:04:05"

// TestDays runs testdata/days: moments in, trading days and sessions out. Run with -rewrite and read the diff.
func TestDays(t *testing.T) {
	datadriven.Walk(t, "testdata/days", func(t *testing.T, path string) {
		all := library(t)
		datadriven.RunTest(t, path, func(t *testing.T, cmd *datadriven.TestData) string {
			var name, product, symbol string
			for _, a := range cmd.CmdArgs {
				switch a.Key {
				case "of":
					name = a.Vals[0]
				case "product":
					product = a.Vals[0]
				case "symbol":
					symbol = a.Vals[0]
				}
			}
			if cmd.Cmd == "file" { // the user's
				l, errs := calendar.Read([]calendar.File{{Name: "user.yaml", Text: cmd.Input}})
				if len(errs) > 0 {
					return fmt.Sprintln(errs)
				}
				all = l
				return "ok\n"
			}
			c := all[name]
			if c == nil {
				t.Fatalf("%s: no calendar %q", cmd.Pos, name)
			}
			show := func(at time.Time) string {
				if at.IsZero() {
					return "never"
				}
				return at.In(c.Zone()).Format("Mon 2006-01-02 15:04:05 MST")
			}
			var b strings.Builder
			for line := range strings.SplitSeq(strings.TrimSpace(cmd.Input), "\n") {
				at, err := time.ParseInLocation(wall, line, c.Zone())
				if utc, found := strings.CutSuffix(line, " UTC"); found {
					at, err = time.Parse(wall, utc)
				}
				if err != nil {
					t.Fatalf("%s: %v", cmd.Pos, err)
				}
				switch cmd.Cmd {
				case "day":
					fmt.Fprintf(&b, "%s: %s from %s to %s\n", show(at), c.Day(at), show(c.Begins(at)), show(c.NextRoll(at)))
				case "session":
					s := c.At(at, product, symbol)
					next, _ := c.NextOpen(at, product, symbol)
					fmt.Fprintf(&b, "%s: %s %s %q since %s until %s, next %s\n", show(at), s.Day, s.Phase, s.Name, show(s.Opened), show(s.Closes), show(next))
				case "known":
					until, ok := c.Known(at)
					fmt.Fprintf(&b, "%q %v %s\n", until, ok, c.Warning(at))
				default:
					t.Fatalf("%s: no such command: %s", cmd.Pos, cmd.Cmd)
				}
			}
			return b.String()
		})
	})
}

var rewrite = flag.Lookup("rewrite") // datadriven's

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
			var users []calendar.File
			last := len(archive.Files) - 1
			for _, f := range archive.Files[:last] {
				users = append(users, calendar.File{Name: f.Name, Text: string(f.Data)})
			}
			_, errs := calendar.Read(users)
			var got strings.Builder
			for _, e := range errs {
				got.WriteString(e.Error() + "\n")
			}
			if rewrite.Value.String() == "true" {
				archive.Files[last].Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if len(errs) == 0 {
				t.Error("nothing is reported")
			}
			if diff := cmp.Diff(string(archive.Files[last].Data), got.String()); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// zones have every kind of change: none, of an hour, of half an hour, at midnight, and on the southern side.
var zones = []string{
	"UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Kathmandu", "Atlantic/Azores", "Asia/Beirut",
	"Pacific/Auckland",
}

// drawn is a calendar at random: zone, roll, weekend, holidays.
func drawn(t *rapid.T) *calendar.Calendar {
	var b strings.Builder
	fmt.Fprintf(&b, "calendar: drawn\nzone: %s\n", rapid.SampledFrom(zones).Draw(t, "zone"))
	roll := rapid.IntRange(0, 24*60-1).Draw(t, "roll")
	if rapid.Bool().Draw(t, "midnight") {
		roll = 0
	}
	fmt.Fprintf(&b, "roll: \"%02d:%02d\"\n", roll/60, roll%60)
	days := []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	fmt.Fprintf(&b, "weekend: [%s]\n", strings.Join(days[:rapid.IntRange(0, 6).Draw(t, "weekend")], ", "))
	b.WriteString("holidays:\n  2028:\n    2028-01-01: one\n")
	at := 2
	for range rapid.IntRange(0, 8).Draw(t, "holidays") {
		from := at + rapid.IntRange(0, 60).Draw(t, "after")
		to := from + rapid.IntRange(0, 9).Draw(t, "days")
		first, last := time.Date(2028, 1, from, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, to, 0, 0, 0, 0, time.UTC)
		if last.Year() > 2028 {
			break
		}
		fmt.Fprintf(&b, "    %s..%s: holiday\n", first.Format(time.DateOnly), last.Format(time.DateOnly))
		at = to + 1
	}
	b.WriteString("sessions:\n  all:\n    hours:\n")
	// An evening session when there is room for one after the roll, then two by day, all between two rolls.
	free := 24 * 60
	if roll > 0 {
		free = roll
		if evening := 24*60 - roll; evening > 3 {
			a := roll + rapid.IntRange(0, evening-2).Draw(t, "evening")
			z := a + 1 + rapid.IntRange(0, 24*60-a-2).Draw(t, "evening long")
			fmt.Fprintf(&b, "      - {session: night, phase: CONTINUOUS, time: \"%02d:%02d-%02d:%02d\"}\n", a/60, a%60, z/60, z%60)
		}
	}
	if free > 10 {
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(0, free-1), 4, 4, rapid.ID).Draw(t, "day")
		slices.Sort(cuts)
		fmt.Fprintf(&b, "      - {session: day, phase: AUCTION, time: \"%02d:%02d-%02d:%02d\", first: true}\n", cuts[0]/60, cuts[0]%60, cuts[1]/60, cuts[1]%60)
		fmt.Fprintf(&b, "      - {session: day, phase: CONTINUOUS, time: \"%02d:%02d-%02d:%02d\"}\n", cuts[2]/60, cuts[2]%60, cuts[3]/60, cuts[3]%60)
	} else {
		b.WriteString("      - {session: day, phase: CONTINUOUS, time: \"00:00-00:01\"}\n")
	}
	l, errs := calendar.Read([]calendar.File{{Name: "drawn.yaml", Text: b.String()}})
	if len(errs) > 0 {
		t.Fatalf("%v\n%s", errs, b.String())
	}
	return l["drawn"]
}

// moment is one of 2028, a leap year, in which every zone that changes its clocks does so; often near a roll.
func moment(t *rapid.T, c *calendar.Calendar) time.Time {
	at := time.Unix(1_830_297_600+int64(rapid.IntRange(0, 366*24*60*60-1).Draw(t, "second")), 0)
	switch rapid.IntRange(0, 3).Draw(t, "near") {
	case 0:
		return c.NextRoll(at)
	case 1:
		return c.NextRoll(at).Add(-1)
	case 2:
		return c.Begins(at).Add(1)
	}
	return at
}

// TestEveryMomentHasOneDay: trading days follow each other without a gap and without going back, at every moment of a year, whatever the zone does.
func TestEveryMomentHasOneDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t)
		at := moment(t, c)
		day, begins, ends := c.Day(at), c.Begins(at), c.NextRoll(at)
		if begins.After(at) || !ends.After(at) {
			t.Fatalf("%s is in day %s, which is from %s to %s", at, day, begins, ends)
		}
		if got := c.Day(begins); got != day {
			t.Fatalf("day %s begins at %s, which is in %s", day, begins, got)
		}
		if got := c.Day(ends.Add(-1)); got != day {
			t.Fatalf("day %s ends at %s, before which it is %s", day, ends, got)
		}
		if next := c.Day(ends); next <= day || !c.Begins(ends).Equal(ends) {
			t.Fatalf("after day %s, at %s, begins %s, which says that it began at %s", day, ends, next, c.Begins(ends))
		}
		if before := c.Day(begins.Add(-1)); before >= day || !c.NextRoll(begins.Add(-1)).Equal(begins) {
			t.Fatalf("before day %s, from %s, is %s", day, begins, before)
		}
		local := at.In(c.Zone())
		date := hub.Day(local.Format("20060102"))
		if day < date {
			t.Fatalf("%s is in day %s, which is over", local, day)
		}
		// A trading day is no weekend and no holiday.
		noon, err := time.ParseInLocation("20060102 15:04", string(day)+" 12:00", c.Zone())
		if err != nil || c.Holiday(noon) != "" {
			t.Fatalf("%s is in day %s, a holiday: %s %v", at, day, c.Holiday(noon), err)
		}
	})
}

// TestRollsWhenClocksChange: a day ends when the clock first shows the time of the roll, or, if clocks are put forward over it, when they are. Drawn are the nights in which they are changed.
func TestRollsWhenClocksChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		change := time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 16).Draw(t, "change") {
			if _, end := change.In(zone).ZoneBounds(); !end.IsZero() {
				change = end
			}
		}
		_, offset := change.Add(-1).In(zone).Zone() // by the clock as it was, so that times which it skips are drawn, too
		clock := change.UTC().Add(time.Duration(offset)*time.Second + time.Duration(rapid.IntRange(-150, 150).Draw(t, "minutes"))*time.Minute)
		roll := time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
		c := calendar.Plain("c", zone, roll, rapid.Bool().Draw(t, "weekdays"))
		ends := c.NextRoll(change.Add(time.Duration(rapid.IntRange(-30, 30).Draw(t, "hours")) * time.Hour))
		want := string(c.Day(ends.Add(-1))) + clock.Format(" 15:04:00")
		if roll == 0 {
			want = strings.ReplaceAll(next(ends.Add(-time.Hour).In(zone).Format(time.DateOnly)), "-", "") + " 00:00:00"
		}
		shows := func(at time.Time) string { return at.In(zone).Format("20060102 15:04:05") }
		switch got := shows(ends); {
		case got == want:
			for _, earlier := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
				if shows(ends.Add(-earlier)) == want {
					t.Fatalf("it ends at %s, and the clock showed that %s earlier", ends.In(zone), earlier)
				}
			}
		case got < want || shows(ends.Add(-1)) >= want:
			t.Fatalf("it ends at %s, want %s", ends.In(zone), want)
		}
	})
}

// TestSessionsAgree: what is said of a moment holds until it is said to end, sessions do not overlap, and what is open next is opened then.
func TestSessionsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawn(t)
		at := moment(t, c)
		s := c.At(at, "x", "")
		if s.Day != c.Day(at) || !s.Until.After(at) || s.Until.After(c.NextRoll(at)) {
			t.Fatalf("at %s, day %s: %+v", at, c.Day(at), s)
		}
		later := at.Add(time.Duration(rapid.Int64Range(0, int64(s.Until.Sub(at))-1).Draw(t, "later")))
		if again := c.At(later, "x", ""); again != s {
			t.Fatalf("at %s: %+v\nat %s: %+v", at, s, later, again)
		}
		next, ok := c.NextOpen(at, "x", "")
		if !ok || !next.After(at) {
			t.Fatalf("at %s the next opening is %s", at, next)
		}
		opened := c.At(next, "x", "")
		if !opened.Phase.Takes() || !opened.Opened.Equal(next) {
			t.Fatalf("at %s it opens next at %s, and then: %+v", at, next, opened)
		}
		if s.Phase == hub.Closed {
			if !s.Closes.Equal(next) || s.Name != "" {
				t.Fatalf("closed at %s until %s, and it opens at %s", at, s.Closes, next)
			}
		} else {
			if s.Opened.After(at) || !s.Closes.After(at) || s.Opened.Before(c.Begins(at)) || s.Closes.After(c.NextRoll(at)) {
				t.Fatalf("at %s: %+v, and the day is from %s to %s", at, s, c.Begins(at), c.NextRoll(at))
			}
			if next.Before(s.Closes) {
				t.Fatalf("at %s it opens at %s, before it closes: %+v", at, next, s)
			}
		}
	})
}

// TestEveningBelongsToTheNextDay holds the shipped Chinese futures calendar against a count by hand: the night session of a trading day is of the trading day that follows, and there is none when
// a holiday lies between.
func TestEveningBelongsToTheNextDay(t *testing.T) {
	c := library(t)["cn-futures"]
	holiday := map[string]bool{}
	for _, r := range [][2]string{
		{"2026-01-01", "2026-01-03"},
		{"2026-02-15", "2026-02-23"},
		{"2026-04-04", "2026-04-06"},
		{"2026-05-01", "2026-05-05"},
		{"2026-06-19", "2026-06-21"},
		{"2026-09-25", "2026-09-27"},
		{"2026-10-01", "2026-10-07"},
	} {
		for d := r[0]; d <= r[1]; d = next(d) {
			holiday[d] = true
		}
	}
	tradingDays, nights := 0, 0
	for d := "2026-01-01"; d < "2026-12-31"; d = next(d) {
		if holiday[d] || weekend(d) {
			continue
		}
		tradingDays++
		following, mere := next(d), true
		for holiday[following] || weekend(following) {
			mere = mere && !holiday[following]
			following = next(following)
		}
		at, err := time.ParseInLocation(wall, d+" 21:30:00", c.Zone())
		if err != nil {
			t.Fatal(err)
		}
		s := c.At(at, "rb", "")
		if want := hub.Day(strings.ReplaceAll(following, "-", "")); s.Day != want {
			t.Errorf("the night of %s is of day %s, want %s", d, s.Day, want)
		}
		if got := s.Phase == hub.Continuous && s.Name == "night"; got != mere {
			t.Errorf("the night of %s is %s, and it is %v that only a weekend follows", d, s.Phase, mere)
		}
		if mere {
			nights++
		}
	}
	// 260 weekdays from January to December 30th, less the 19 that are holidays.
	if tradingDays != 260-19 || nights != tradingDays-6 {
		t.Errorf("%d trading days and %d nights", tradingDays, nights)
	}
}

func next(d string) string {
	t, err := time.Parse(time.DateOnly, d)
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}

func weekend(d string) bool {
	t, err := time.Parse(time.DateOnly, d)
	if err != nil {
		panic(err)
	}
	return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
}

func TestDelivery(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		symbol string
		kind   hub.Kind
		want   string
	}{
		{"rb2701", hub.Futures, "202701"},
		{"TA701", hub.Futures, "202701"},
		{"SR109C6000", hub.Option, "203109"},
		{"CF209", hub.Futures, "202209"},
		{"m2705-C-3000", hub.Option, "202705"},
		{"cu2612P70000", hub.Option, "202612"},
		{"IF2612", hub.Futures, "202612"},
		{"600519", hub.Equity, ""},
		{"10008123", hub.Option, ""},
		{"rb2713", hub.Futures, ""},
		{"rb", hub.Futures, ""},
		{"rb27010", hub.Futures, ""},
		{"BTC-PERP", hub.Swap, ""},
		{"", hub.Futures, ""},
	} {
		got, ok := calendar.Delivery(hub.Contract{Instrument: hub.Instrument{Symbol: row.symbol}, Kind: row.kind}, day)
		if got != row.want || ok != (row.want != "") {
			t.Errorf("%s: got %q, %v, want %q", row.symbol, got, ok, row.want)
		}
	}
}

// TestExpiry is a date where the venue is.
func TestExpiry(t *testing.T) {
	c := library(t)["crypto"]
	midnight := hub.TimeOf(time.Date(2027, 1, 14, 16, 0, 0, 0, time.UTC)) // of the 15th in Shanghai
	for _, row := range []struct {
		zone string
		at   hub.Time
		want hub.Day
	}{{"Asia/Shanghai", midnight, "20270115"}, {"", midnight, "20270114"}, {"Asia/Shanghai", 0, ""}} {
		if got := c.Expiry(hub.Contract{Zone: row.zone, OptionExpiry: row.at}); got != row.want {
			t.Errorf("%+v: got %q", row, got)
		}
	}
}

func TestSet(t *testing.T) {
	l := library(t)
	s := calendar.NewSet(l["cn-futures"], map[string]*calendar.Calendar{"SSE": l["cn-stock"], "NYSE": l["us-stock"], "SHFE": l["cn-futures"]})
	var names []string
	for _, c := range s.All() {
		names = append(names, c.Name())
	}
	if got := strings.Join(names, " "); got != "cn-futures cn-stock us-stock" {
		t.Errorf("got %s", got)
	}
	for exchange, want := range map[string]string{"SHFE": "cn-futures", "SSE": "cn-stock", "NYSE": "us-stock", "ELSEWHERE": "cn-futures"} {
		if got := s.Of(exchange).Name(); got != want {
			t.Errorf("%s: got %s, want %s", exchange, got, want)
		}
	}
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	if got := s.NextRoll(at); !got.Equal(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)) { // 18:00 in Shanghai
		t.Errorf("got %s", got)
	}
	if got := s.NextRoll(at.Add(8 * time.Hour)); !got.Equal(time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)) { // 20:00 in New York
		t.Errorf("got %s", got)
	}
	for _, x := range calendar.Exchanges() {
		if l[x.Calendar] == nil {
			t.Errorf("%s has calendar %s, which is not shipped", x.Exchange, x.Calendar)
		}
	}
}

// TestEveryShippedCalendarSaysWhereItIsFrom, and asks to be verified.
func TestEveryShippedCalendarSaysWhereItIsFrom(t *testing.T) {
	l := library(t)
	if got := strings.Join(l.Names(), " "); got != "cn-futures cn-stock crypto us-stock" {
		t.Errorf("shipped are %s", got)
	}
	for name, c := range l {
		if !strings.Contains(c.Source(), "Verify before use") {
			t.Errorf("%s: %s", name, c.Source())
		}
	}
}

// FuzzRead wants an answer for any text: calendars that can be asked, or errors with their places.
func FuzzRead(f *testing.F) {
	for _, file := range calendar.Shipped() {
		f.Add(file.Text)
	}
	files, _ := filepath.Glob("testdata/bad/*.txt")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		l, errs := calendar.Read([]calendar.File{{Name: "f.yaml", Text: text}})
		lines := strings.Count(text, "\n") + 2
		for _, e := range errs {
			if e.Line < 1 || e.Line > lines || e.Col < 1 || e.Text == "" || strings.ContainsAny(e.Error(), "\n\x00") {
				t.Errorf("of %d lines: %+v", lines, e)
			}
		}
		for _, c := range l {
			if s := c.At(at, "rb", "rb2701"); s.Day == "" || !s.Until.After(at) {
				t.Errorf("%s: %+v", c.Name(), s)
			}
		}
	})
}

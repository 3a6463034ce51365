package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/policy"
	"tradehub/policies"
)

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		goal  goal
		ratio float64
		want  string
	}{
		{goal{limit: 1}, 1, "met"},
		{goal{limit: 1}, .2, "met"},
		{goal{limit: 1}, 1.01, "missed by 0.01"},
		{goal{limit: 20, least: true}, 20, "met"},
		{goal{limit: 20, least: true}, 5, "missed: 0.25 of it"},
		{goal{}, 9, ""},
	} {
		if got := c.goal.verdict(c.ratio); got != c.want {
			t.Errorf("%v at %g: %q, want %q", c.goal, c.ratio, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{0.1234: "0.123 us", 12.345: "12.3 us", 99.9: "99.9 us", 100: "100 us", 1234.5: "1,234 us", 1234567: "1,234,567 us"} {
		if got := number(f, "us"); got != want {
			t.Errorf("number(%g) = %q, want %q", f, got, want)
		}
	}
}

// few are results of a run that is small enough to reckon by hand.
func few() *results {
	r := newResults(runOptions{rounds: 1, orders: 2})
	*r.latency[1]["hub"] = latency{Reply: []float64{100, 300}, Event: []float64{150, 150}, Accepted: []float64{400, 800}, Cancel: []float64{90, 90}}
	*r.latency[1]["stock"] = latency{Reply: []float64{200, 200}, Event: []float64{100, 300}, Accepted: []float64{400, 400}, Cancel: []float64{100, 100}}
	r.pipelined = rates{"hub": {3000, 1000, 2000}, "stock": {100}}
	r.raw[4] = rates{"hub": {50}, "stock": {100}}
	r.stock[4] = rates{"hub": {100}, "stock": {100}}
	r.floors = floors{roundTrip: []float64{50}, fsync: []float64{170}}
	r.memory = memory{orders: 10, trades: 3, samples: []point{{0, 30}, {1, 120}}, plugins: map[string]float64{"sim": 20, "margin": 18}}
	return r
}

func TestRender(t *testing.T) {
	want := `| | hub | stock | ratio | goal | |
|---|---|---|---|---|---|
| ` + "`send_order`" + ` reply, p50, 1 client | 100 us | 200 us | 0.50 | ≤ 1 | met |
| ` + "`send_order`" + ` reply, p99, 1 client | 300 us | 200 us | 1.50 | ≤ 1 | missed by 0.50 |
| order to first event, p50, 1 client | 150 us | 100 us | 1.50 | ≤ 1 | missed by 0.50 |
| order to first event, p99, 1 client | 150 us | 300 us | 0.50 | ≤ 1 | met |
| order to accepted by the venue, p50, 1 client | 400 us | 400 us | 1.00 |  |  |
| order to accepted by the venue, p99, 1 client | 800 us | 400 us | 2.00 |  |  |
| ` + "`cancel_order`" + ` reply, p50, 1 client | 90 us | 100 us | 0.90 |  |  |
| ` + "`cancel_order`" + ` reply, p99, 1 client | 90 us | 100 us | 0.90 |  |  |
| orders answered, 4 pipelined clients | 2,000 /s | 100 /s | 20.00 | ≥ 20 | met |
| ticks delivered, 4 raw subscribers | 50 /s | 100 /s | 0.50 | ≥ 1 | missed: 0.50 of it |
| ticks delivered, 4 stock clients | 100 /s | 100 /s | 1.00 | ≥ 1 | met |

Floors, measured between the rounds:

| | p50 | p99 |
|---|---|---|
| bare ZeroMQ REQ and ROUTER, a request of 400 bytes and a reply of 40 | 50 us | 50 us |
| bare write of 256 bytes and fsync | 170 us | 170 us |

Resident memory of the hub in ` + "`hub demo`" + ` after 10 orders and 3 trades: **120 MB**; plugins apart (margin 18 MB, sim 20 MB). Goal: under 100 MB, missed by 20 MB.
`
	if diff := cmp.Diff(want, few().render()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenderSoak(t *testing.T) {
	m := memory{minutes: 10, orders: 6000, trades: 1500, refused: 2, journal: 12, plugins: map[string]float64{"sim": 20}}
	for i := range 10 { // it grows while it warms up, then by 6 MB an hour
		m.samples = append(m.samples, point{float64(i) / 60, 40 + 0.1*float64(i)})
	}
	m.samples[0].y = 20
	want := `10 minutes, 6000 orders (10 a second), 1500 trades, 2 refused. The data directory had 12 MB in the end.

| resident memory of the hub | |
|---|---|
| first sample | 20.0 MB |
| after 2 minutes | 40.2 MB |
| at the end | 40.9 MB |
| most | 40.9 MB |
| slope from there on, least squares | +6.0 MB an hour |
| plugins at the end | sim 20 MB |
`
	if diff := cmp.Diff(want, m.renderSoak()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFlaw(t *testing.T) {
	for _, c := range []struct {
		m    memory
		want string
	}{
		{memory{orders: 1000, trades: 100, refused: 10}, ""},
		{memory{orders: 1000, trades: 100, failed: 1, failure: "no id"}, "1 orders failed, the first with no id"},
		{memory{orders: 1000, trades: 100, refused: 11}, "of 1000 orders 11 were refused, and there were 100 trades"},
		{memory{orders: 1000}, "of 1000 orders 0 were refused, and there were 0 trades"},
	} {
		got := ""
		if err := c.m.flaw(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.m, got, c.want)
		}
	}
}

func TestSpliced(t *testing.T) {
	page := "a\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nz\n<!-- soak: begin -->\n<!-- soak: end -->\n"
	got, err := spliced([]byte(page), "bench", "new\n")
	if err != nil {
		t.Fatal(err)
	}
	want := "a\n<!-- bench: begin -->\nnew\n<!-- bench: end -->\nz\n<!-- soak: begin -->\n<!-- soak: end -->\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := spliced([]byte("nothing"), "bench", "new"); err == nil || err.Error() != "the marks of part bench are missing" {
		t.Errorf("error is %v", err)
	}
}

// TestPageHasItsMarks: a run of minutes must not end with an error.
func TestPageHasItsMarks(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"bench", "rules", "soak"} {
		if _, err := spliced(page, part, ""); err != nil {
			t.Error(err)
		}
	}
}

// TestTenRules: what is said of the hub's side of the comparison is so.
func TestBenchConfig(t *testing.T) {
	for _, stated := range []string{"", "4.5"} {
		text := benchText("tcp://127.0.0.1:2014", "tcp://127.0.0.1:4102", stated, "{plugin: sim}", "")
		if _, errs := config.Parse("hub.yaml", []byte(text)); len(errs) > 0 {
			t.Errorf("stated %q: %v\n%s", stated, errs, text)
		}
	}
}

func TestTenRules(t *testing.T) {
	_, errs := policy.Compile([]hub.PolicyFile{{Name: "fund.yaml", Text: fundPolicy}, {Name: "traders/alpha.yaml", Text: traderPolicy}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := strings.Count(fundPolicy+traderPolicy, "- name:"); got != 10 {
		t.Errorf("%d rules, want 10", got)
	}
}

// TestRoomier: the soak trades by the demo's rules, but for how many messages and losses there may be, and that its two traders may meet.
func TestRoomier(t *testing.T) {
	for _, name := range []string{"fund.yaml", "traders/alpha.yaml", "traders/beta.yaml"} {
		text, err := policies.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, after := strings.Split(string(text), "\n"), strings.Split(roomier(string(text)), "\n")
		changed := 0
		for i := range before {
			if before[i] == after[i] {
				continue
			}
			changed++
			if key := strings.TrimSpace(strings.Split(before[i], ":")[0]); !strings.HasPrefix(key, "messages_") && key != "duplicates" && key != "day_loss" && key != "internal_cross" {
				t.Errorf("%s: %q became %q", name, before[i], after[i])
			}
		}
		if changed < 2 {
			t.Errorf("%s: %d limits changed", name, changed)
		}
		if _, errs := policy.Compile([]hub.PolicyFile{{Name: name, Text: roomier(string(text))}}); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

// TestCommandOf: the page has the command, and not the paths of the machine.
func TestCommandOf(t *testing.T) {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.Int("rounds", 5, "")
	flags.Int("orders", 300, "")
	flags.String("dir", "", "")
	if err := flags.Parse([]string{"--dir", "/somewhere", "--rounds", "3"}); err != nil {
		t.Fatal(err)
	}
	if got, want := commandOf("run", flags), "bin/hub-bench run --rounds 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"walk"}, `there is no "walk"; there are run and soak`},
		{[]string{"run", "here"}, `"here" is too much`},
		{[]string{"--rounds", "x"}, `invalid value "x" for flag -rounds`},
		{[]string{"soak", "--minutes", "0"}, "--minutes and --rate are above 0"},
		{[]string{"--python", ""}, "names the Python that has VeighNa 4.5.0"},
	} {
		err := command(context.Background(), c.args, &bytes.Buffer{})
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}

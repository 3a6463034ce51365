package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/ctl"
)

// TestEnd: a hub that stops is waited for; a second signal, and a part that hangs, end the process.
func TestEnd(t *testing.T) {
	broken := errors.New("broken")
	for _, row := range []struct {
		name    string
		stop    func(release chan struct{}) error
		signals []os.Signal
		code    int
		err     error
	}{
		{name: "clean", stop: func(chan struct{}) error { return nil }, code: -1},
		{name: "with an error", stop: func(chan struct{}) error { return broken }, code: -1, err: broken},
		{name: "second signal", stop: func(r chan struct{}) error { <-r; return nil }, signals: []os.Signal{syscall.SIGHUP, syscall.SIGTERM}, code: exitSecond},
		{name: "hangs", stop: func(r chan struct{}) error { <-r; return nil }, code: exitNot},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, code, release := time.Now(), -1, make(chan struct{})
				e := env{exit: func(c int) { code = c }}
				signals := make(chan os.Signal, 8)
				for _, s := range row.signals {
					signals <- s
				}
				err := e.end(signals, hclog.NewNullLogger(), func() error { return row.stop(release) })
				close(release)
				if code != row.code || !errors.Is(err, row.err) {
					t.Errorf("exit code %d and %v, want %d and %v", code, err, row.code, row.err)
				}
				if took := time.Since(began); took >= 5*time.Second { // the bubble's time
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestSubscriptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "subscriptions.json")
	open := func() (*subscriptions, *bytes.Buffer) {
		t.Helper()
		log := new(bytes.Buffer)
		s, err := openSubscriptions(file, hclog.New(&hclog.LoggerOptions{Output: log}))
		if err != nil {
			t.Fatal(err)
		}
		return s, log
	}
	all := func(s *subscriptions) string {
		var out []string
		for _, trader := range []hub.TraderName{"alpha", "beta"} {
			s.each(func(t hub.TraderName, i hub.Instrument) {
				if t == trader {
					out = append(out, string(t)+" "+i.String())
				}
			})
		}
		return strings.Join(out, ", ")
	}
	s, _ := open()
	s.add("beta", hub.Instrument{Symbol: "a.b", Exchange: "SHFE"})
	s.add("alpha", hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"})
	s.add("alpha", hub.Instrument{Symbol: "hc2610", Exchange: "SHFE"})
	s.add("alpha", hub.Instrument{Symbol: "rb2610", Exchange: "SHFE"})
	s.close()
	s.close()
	s.add("alpha", hub.Instrument{Symbol: "late", Exchange: "SHFE"})

	s, _ = open()
	if got, want := all(s), "alpha hc2610.SHFE, alpha rb2610.SHFE, beta a.b.SHFE"; got != want {
		t.Errorf("after a restart: %s, want %s", got, want)
	}
	for i := range subscriptionsMax + 5 {
		s.add("alpha", hub.Instrument{Symbol: string(rune('a' + i)), Exchange: "X"})
	}
	if n := len(s.list()["alpha"]); n != subscriptionsMax {
		t.Errorf("%d are remembered, want %d", n, subscriptionsMax)
	}
	s.close()

	if err := os.WriteFile(file, []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, log := open()
	s.close()
	if got := all(s); got != "" || !strings.Contains(log.String(), "traders have to subscribe again") {
		t.Errorf("of a broken file: %q, log %s", got, log)
	}
}

func TestWaiting(t *testing.T) {
	w := newWaiting(config.Config{Gateways: []config.Gateway{{Name: "SIM"}, {Name: "CTP"}}, Managers: []config.Manager{{Name: "margin"}}})
	closed := func(c chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		name                 string
		gateways, everything bool
		missing              string
	}{
		{"SIM", false, false, "CTP margin traders' addresses"},
		{"SIM", false, false, "CTP margin traders' addresses"},
		{"unknown", false, false, "CTP margin traders' addresses"},
		{"CTP", true, false, "margin traders' addresses"},
		{opened, true, false, "margin"},
		{"margin", true, true, ""},
		{"margin", true, true, ""},
	} {
		w.done(step.name)
		if closed(w.gateways) != step.gateways || closed(w.everything) != step.everything || strings.Join(w.missing(), " ") != step.missing {
			t.Errorf("after %s: %v %v %v, want %+v", step.name, closed(w.gateways), closed(w.everything), w.missing(), step)
		}
	}
}

// TestTables are the pages for people, and what a terminal would obey is not sent to it.
func TestTables(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 30, 5, 0, time.FixedZone("", 8*60*60)) // whatever the zone of the machine
	dec := hub.MustDecimal
	order := ctl.Order{
		ID: "o1", Trader: "alpha", Contract: "rb2610.SHFE", Direction: "LONG", Offset: "OPEN", Type: "LIMIT", Price: dec("3512.5"), Quantity: dec("10"), Filled: dec("3"),
		Status: "PART_FILLED", Time: at, Reason: "\x1b[2Jgone\n",
	}
	doubt := order
	doubt.ID, doubt.InDoubt, doubt.Offset, doubt.Reason = "o2", true, "NONE", ""
	for _, row := range []struct {
		name   string
		colour bool
		write  func(env)
		want   string
	}{
		{"orders", false, func(e env) { writeOrders(e, []ctl.Order{order, doubt}) }, `
ORDER  TRADER  CONTRACT     SIDE       TYPE    PRICE  QUANTITY  FILLED  STATUS                  TIME      REASON
o1     alpha   rb2610.SHFE  LONG OPEN  LIMIT  3512.5        10       3  PART_FILLED             09:30:05  ·[2Jgone·
o2     alpha   rb2610.SHFE  LONG       LIMIT  3512.5        10       3  PART_FILLED (in doubt)  09:30:05
`},
		{"trades", false, func(e env) {
			writeTrades(e, []ctl.Trade{{
				ID: "t1", OrderID: "o1", Trader: "alpha", Contract: "rb2610.SHFE", Direction: "SHORT", Offset: "CLOSE_TODAY", Price: dec("3512"), Quantity: dec("1"),
				Commission: dec("3.5"), Day: "20261123", Time: at,
			}})
		}, `
TRADE  ORDER  TRADER  CONTRACT     SIDE               PRICE  QUANTITY  COMMISSION  DAY       TIME
t1     o1     alpha   rb2610.SHFE  SHORT CLOSE_TODAY   3512         1         3.5  20261123  09:30:05
`},
		{"positions", false, func(e env) {
			writePositions(e, []ctl.Position{
				{Contract: "rb2610.SHFE", Direction: "LONG", Quantity: dec("3"), Today: dec("1"), Yesterday: dec("2"), Frozen: dec("0"), Price: dec("3500"), PnL: dec("-20.5")},
				{Contract: "hc2610.SHFE", Direction: "LONG"},
			})
		}, `
TRADER  CONTRACT     SIDE  QUANTITY  TODAY  YESTERDAY  FROZEN  PRICE    PNL
(fund)  rb2610.SHFE  LONG         3      1          2       0   3500  -20.5
`},
		{"breaks", false, func(e env) {
			writeBreaks(e, ctl.Breaks{
				Statements: []ctl.Statement{{Gateway: "SIM", Time: at}, {Gateway: "CTP"}},
				Unassigned: []ctl.Position{{Trader: "unassigned", Contract: "rb2610.SHFE", Direction: "LONG", Quantity: dec("-2"), Yesterday: dec("-2")}},
				Breaks:     []ctl.Break{{Time: at, Gateway: "SIM", Contract: "rb2610.SHFE", Direction: "LONG", Hub: dec("5"), Venue: dec("3")}},
			})
		}, `
GATEWAY  STATED
SIM      2026-11-22 09:30:05
CTP      never: nothing is compared

TRADER      CONTRACT     SIDE  QUANTITY  TODAY  YESTERDAY  FROZEN  PRICE  PNL
unassigned  rb2610.SHFE  LONG        -2      0         -2       0      0    0

TIME                 GATEWAY  CONTRACT     SIDE  HUB  VENUE
2026-11-22 09:30:05  SIM      rb2610.SHFE  LONG    5      3
`},
		{"accounts", false, func(e env) {
			writeAccounts(e, []ctl.Account{{Trader: "alpha", Capital: dec("2000000"), Balance: dec("1999000.5"), DayPnL: dec("-999.5"), Drawdown: dec("1200"), Losses: 3}})
		}, `
TRADER  CAPITAL    BALANCE  AVAILABLE  FROZEN  REALISED  UNREALISED  COMMISSION     DAY  DRAWDOWN  LOSSES
alpha   2000000  1999000.5          0       0         0           0           0  -999.5      1200       3
`},
		{"rates", false, func(e env) {
			writeRates(e, ctl.Rates{Currency: "CNY", Rates: []ctl.Rate{
				{Currency: "HKD", Rate: dec("0.92"), Time: at, Age: 90061.4, By: "hub.yaml", Old: true}, {Currency: "USDT", Rate: dec("7.12"), Time: at, Age: 3.2, By: "olivia"},
			}})
		}, `
CURRENCY  IN CNY  SINCE                    AGE  BY        STATE
HKD         0.92  2026-11-22 09:30:05  25h1m1s  hub.yaml  too old: only what reduces a position passes
USDT        7.12  2026-11-22 09:30:05       3s  olivia
`},
		{"plugins", true, func(e env) {
			writePlugins(e, []ctl.Plugin{{Name: "SIM", Kind: "gateway", State: "down", Since: at, Restarts: 2, Reason: "it died"}})
		}, "\n\x1b[1mPLUGIN\x1b[0m  \x1b[1mKIND\x1b[0m     \x1b[1mSTATE\x1b[0m  \x1b[1mSINCE\x1b[0m                \x1b[1mPID\x1b[0m  \x1b[1mRESTARTS\x1b[0m  \x1b[1mREASON\x1b[0m\n" +
			"SIM     gateway  \x1b[31mdown\x1b[0m   2026-11-22 09:30:05    0         2  it died\n"},
		{"watches", false, func(e env) {
			writeWatches(e, []ctl.Watch{
				{Name: "loss", Place: "fund.yaml:5", Then: []string{"halt", "alert"}, Fired: true, Since: &at, Times: 2, Values: []string{"fund.pnl.day=-5"}},
				{Trader: "alpha", Name: "old", Place: "a.yaml:7", Then: []string{"alert"}, Blind: "no tick"},
				{Trader: "alpha", Name: "new", Place: "a.yaml:9", Then: []string{"alert"}},
			})
		}, `
TRADER  WATCH  PLACE        THEN         STATE                      TIMES  VALUES
(fund)  loss   fund.yaml:5  halt, alert  fired 2026-11-22 09:30:05      2  fund.pnl.day=-5
alpha   old    a.yaml:7     alert        not computable: no tick        0
alpha   new    a.yaml:9     alert        armed                          0
`},
		{"refusing", false, func(e env) {
			writeStatus(e, ctl.Status{
				Version: "1", PID: 7, Started: at, Fund: "f", Currency: "CNY", Day: "20261123", Revision: "r", Journal: "failed: no space", Entries: 5, Data: "/d", Refusing: "the disk is full",
				RPC: []ctl.Line{{Trader: "alpha", Request: "a", Publish: "b"}}, Traders: []ctl.Standing{{Configured: true, State: "ACTIVE"}, {Trader: "old", State: "ACTIVE"}, {Trader: "alpha", State: "HALTED", Halted: true, Why: "HALTED by x"}},
				Flattening: []ctl.FlattenStanding{{Part: "alpha", By: "olivia", Since: at, Why: "fire", Rest: []string{"5 rb2610.SHFE LONG of alpha remain: 1 closing orders work"}}},
				Gateways: []ctl.GatewayStanding{{Name: "SIM", State: "ACTIVE", Channel: []ctl.MessageLimit{{
					Messages: 50, Window: "1s", Reserve: 10, Used: 12,
					Shares: []ctl.MessageShare{{Trader: "alpha", Own: 30, Kept: 30, Used: 14}, {Trader: "beta", Own: 10, Kept: 3}},
				}}}, {Name: "CTP", State: "REDUCE_ONLY", Why: "REDUCE_ONLY by y"}},
			})
		}, `
hub      refusing new orders: the disk is full
version  1, process 7, since 2026-11-22 09:30:05
fund     f, CNY, trading day 20261123
policy   revision r
journal  failed: no space, 5 entries, in /d

TRADER  REQUEST  PUBLISH  CLIENTS  SUBSCRIBERS  STATE
alpha   a        b              0            0  closed

PLUGIN  KIND  STATE  SINCE  PID  RESTARTS  REASON

TRADER  BALANCE  AVAILABLE  ACTIVE  IN-DOUBT  ORDERS  TRADES  REJECTS  STATE
(fund)        0          0       0         0       0       0        0  trading
old           0          0       0         0       0       0        0  not configured
alpha         0          0       0         0       0       0        0  HALTED by x

GATEWAY  STATE
CTP      REDUCE_ONLY by y

CHANNEL  MESSAGES  USED  TRADER     SHARE  KEPT  USED
SIM      50 in 1s    12  alpha         30    30    14
                         beta          10     3     0
                         (cancels)     10    10

FLATTEN  BY      SINCE     WHY   LEFT
alpha    olivia  09:30:05  fire  5 rb2610.SHFE LONG of alpha remain: 1 closing orders work
`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			row.write(env{stdout: &out, colour: row.colour})
			if diff := cmp.Diff(strings.TrimPrefix(row.want, "\n"), out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindPlugin: plugins are beside the hub, wherever it was started from, unless the configuration names another folder.
func TestFindPlugin(t *testing.T) {
	dir := t.TempDir()
	write := func(path string) string {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	e := env{program: write("bin/hub")}
	if got, want := findPlugin(e, config.Config{}, "sim"), filepath.Join(dir, "bin/plugins/sim"); got != want {
		t.Errorf("nowhere: %s, want %s, where it belongs", got, want)
	}
	want := write("bin/sim")
	if got := findPlugin(e, config.Config{}, "sim"); got != want {
		t.Errorf("beside: %s, want %s", got, want)
	}
	want = write("bin/plugins/sim")
	if got := findPlugin(e, config.Config{}, "sim"); got != want {
		t.Errorf("in plugins: %s, want %s", got, want)
	}
	if err := os.Symlink(e.program, filepath.Join(dir, "hub")); err != nil {
		t.Fatal(err)
	}
	if got := findPlugin(env{program: filepath.Join(dir, "hub")}, config.Config{}, "sim"); got != want {
		t.Errorf("of a hub behind a link: %s, want %s", got, want)
	}
	if got := findPlugin(e, config.Config{PluginDir: "/p"}, "sim"); got != "/p/sim" {
		t.Errorf("configured: %s", got)
	}
}

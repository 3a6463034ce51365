package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

var (
	crashes = flag.Int("crashes", 100, "how many rounds TestCrash has")
	seed    = flag.Uint64("seed", 0, "what TestCrash draws from; 0: another one each time, which is printed")
)

const (
	gatewayName = "SIM"
	managerName = "margin"
	// houseRounds is how many rounds one data directory has: a hub remembers some thousand orders of a trader, and all of them are compared.
	houseRounds = 50
)

// instruments are what is traded: one where a close says which day it closes, one where it need not, one that nets and has fractions.
var instruments = []hub.Instrument{{Symbol: "rb2701", Exchange: "SHFE"}, {Symbol: "i2701", Exchange: "DCE"}, {Symbol: "BTCUSDT", Exchange: "GLOBAL"}}

const crashConfig = `
data: DATA
fund: {name: crash, currency: CNY, rates: {USDT: 7.1}}
traders:
  alpha: {capital: 500_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT", publish: "tcp://127.0.0.1:PORT+1"}}
  beta: {capital: 500_000_000, language: en, veighna: {request: "tcp://127.0.0.1:PORT+2", publish: "tcp://127.0.0.1:PORT+3"}}
gateways:
  SIM: {plugin: sim, settings: {seed: SEED, ticks_per_second: 20, day_roll: "ROLL"}}
risk_managers:
  margin: {plugin: margin, deadline: 2s}
journal: {snapshot_entries: 500}
calendar: {zone: Asia/Shanghai, roll: "ROLL"}
`

var crashPolicies = map[string]string{
	"fund.yaml": `
policy: fund
internal_cross: allow # the books must be right then, too
rules:
  - name: market
    require: market.age <= 60
    because: the last tick of {order.symbol} is {market.age} s old
`,
	"traders/alpha.yaml": crashPolicy("alpha"),
	"traders/beta.yaml":  crashPolicy("beta"),
}

func crashPolicy(trader string) string {
	return fmt.Sprintf(`
policy: trader
trader: %s
rules:
  - name: size
    require: order.quantity <= 50
    when: contract.kind == FUTURES
    because: "{order.quantity} lots in one order"
  - name: active-orders
    require: trader.active_orders < 60
    because: "{trader.active_orders} orders are active"
`, trader)
}

// TestCrash kills the hub, the gateway or the risk manager with kill -9 while two traders trade, again and again on the same data, and compares what everybody knows.
func TestCrash(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = 1 + rand.Uint64N(1_000_000)
	}
	t.Logf("%d rounds; again: go test ./e2e -run TestCrash -count=1 -timeout 0 -args -crashes=%d -seed=%d", *crashes, *crashes, *seed)
	for from := 0; from < *crashes; from += houseRounds {
		rounds := min(houseRounds, *crashes-from)
		t.Run(fmt.Sprintf("from %d", from), func(t *testing.T) { crash(t, *seed+uint64(from), rounds) })
		if t.Failed() {
			return
		}
	}
}

// wreck is a house in which things are killed.
type wreck struct {
	*house
	rng     *rand.Rand
	venue   *venueBook
	traders []*trader
	burst   chan struct{}
}

func crash(t *testing.T, seed uint64, rounds int) {
	h := newHouse(t)
	w := &wreck{
		house: h, rng: rand.New(rand.NewPCG(seed, 0)), venue: newVenueBook(h), burst: make(chan struct{}, 1),
	}
	h.configure(replaced(crashConfig, "SEED", fmt.Sprint(seed), "ROLL", farRoll()), crashPolicies)
	for i, name := range []hub.TraderName{"alpha", "beta"} {
		tr := newTrader(h, name, i, seed)
		w.traders = append(w.traders, tr)
		t.Cleanup(tr.disconnect)
	}
	h.start()
	t.Cleanup(h.stop)
	w.connect()
	for i := range rounds {
		began := time.Now()
		what := w.round()
		t.Logf("round %3d: %-28s %4d orders %5d fills, %s", i, what, len(w.venue.orders), len(w.venue.fills), time.Since(began).Round(time.Millisecond))
		if t.Failed() {
			return
		}
	}
	w.endOfTrading()
	w.recordAgrees()
	t.Logf("seed %d: %s", seed, w.tally())
	if len(w.venue.orders) < 10*rounds || len(w.venue.fills) < 2*rounds {
		t.Errorf("%d orders and %d fills are too few to show anything", len(w.venue.orders), len(w.venue.fills))
	}
}

// tally says how much was at stake.
func (w *wreck) tally() string {
	b, err := readHub(w.house)
	if err != nil {
		w.t.Fatal(err)
	}
	asked, given, unanswered, kept, lost := 0, 0, 0, 0, 0
	for _, tr := range w.traders {
		asked, given, unanswered = asked+len(tr.asked), given+len(tr.given), unanswered+tr.unanswered
	}
	for id, o := range b.orders {
		if !slices.ContainsFunc(w.traders, func(tr *trader) bool { _, ok := tr.given[id]; return ok }) {
			kept++
		}
		if strings.HasPrefix(o.Reason, "it never reached") {
			lost++
		}
	}
	return fmt.Sprintf("%d orders asked for, %d ids given, %d answers died with a hub of whose orders %d live, %d orders were journaled and never reached the venue; %d orders and %d fills there",
		asked, given, unanswered, kept, lost, len(w.venue.orders), len(w.venue.fills))
}

// farRoll is a time of day at which no trading day begins while this test runs.
func farRoll() string {
	return time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60)).Add(12 * time.Hour).Format("15:04")
}

// round trades, kills something, brings it back, and compares.
func (w *wreck) round() (what string) {
	w.t.Helper()
	stop := w.trade()
	w.waitForMoment()
	var back func() // of a plugin; nil when the hub itself must be started again
	switch n := w.rng.IntN(20); {
	case n < 10:
		what = "kill the hub"
		w.house.kill()
	case n < 12:
		what = "kill the gateway and the hub"
		w.killPlugin(gatewayName)
		w.house.kill()
	case n < 13:
		what = "SIGTERM"
		w.house.stop()
	case n < 17:
		what, back = "kill the gateway", w.killPlugin(gatewayName)
	default:
		what, back = "kill the risk manager", w.killPlugin(managerName)
	}
	if back == nil {
		stop()
		w.disconnect()
		for w.rng.IntN(4) == 0 {
			what += ", and while it starts"
			w.launch()
			w.waitForLife()
			w.house.kill()
		}
		w.start()
		w.connect()
	} else {
		back()
		stop()
	}
	w.settle()
	return what
}

// trade lets both traders trade until stop is called.
func (w *wreck) trade() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var trading sync.WaitGroup
	for _, tr := range w.traders {
		trading.Go(func() { tr.trade(ctx, w.burst) })
	}
	return func() {
		cancel()
		trading.Wait()
	}
}

// waitForMoment waits until something should die: at any time, or when orders are just on their way.
func (w *wreck) waitForMoment() {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for range 10 + w.rng.IntN(15) {
		select {
		case <-w.burst:
		case <-deadline.C:
			w.t.Fatal("nobody trades")
		}
	}
	pause(time.Duration(w.rng.Int64N([]int64{1, int64(2 * time.Millisecond), int64(20 * time.Millisecond)}[w.rng.IntN(3)])))
}

// waitForLife gives a hub that starts a part of the time that it takes.
func (w *wreck) waitForLife() { pause(time.Duration(w.rng.Int64N(int64(600 * time.Millisecond)))) }

// pause lets the moment of a kill be any. Nothing is waited for: whatever has happened by then is right.
func pause(d time.Duration) { <-time.After(d) }

func (w *wreck) connect() {
	w.t.Helper()
	for _, tr := range w.traders {
		tr.connect()
	}
}

func (w *wreck) disconnect() {
	w.t.Helper()
	for _, tr := range w.traders {
		tr.disconnect()
	}
}

// settle compares, once nobody sends anything. Strangers trade on and news are on their way, so that the books may agree a moment later; what can never be right
// fails all the same.
func (w *wreck) settle() {
	w.t.Helper()
	for _, tr := range w.traders {
		tr.quiet()
	}
	until(w.t, "all books agree", func() error {
		b, err := readHub(w.house, "alpha", "beta")
		if err != nil {
			return err
		}
		if err := w.venue.read(); err != nil {
			return err
		}
		errs := []error{compare(b, w.venue)}
		for _, tr := range w.traders {
			errs = append(errs, tr.check(b))
		}
		return errors.Join(errs...)
	})
}

// endOfTrading cancels everything and compares for the last time.
func (w *wreck) endOfTrading() {
	w.t.Helper()
	w.operated("cancel-all", "--all")
	until(w.t, "no order is active", func() error {
		s, err := w.status()
		if err == nil && s.Traders[0].Active > 0 {
			err = fmt.Errorf("%d are", s.Traders[0].Active)
		}
		return err
	})
	w.settle()
	// The account was stated after every start of the gateway. Nobody traded by hand, so whatever was killed, and whenever, no difference may have been seen.
	if b := asked[ctl.Breaks](w.house, "breaks"); len(b.Breaks) > 0 || len(b.Unassigned) > 0 || b.Statements[0].Time.IsZero() {
		w.t.Errorf("breaks: %+v", b)
	}
}

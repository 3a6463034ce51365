package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

const (
	generations = 12
	// reloadCap is after how many orders of a trader every revision refuses, under a name that no other revision has.
	reloadCap = 50
	// ordersKept is how many orders of each trader the hub surely remembers, for all are looked at in the end.
	ordersKept = 5000
)

// generation is the policy of a time. Every order is refused, by the trader's file and by the fund's, and both say of which time they are.
func generation(n int) map[string]string {
	files := map[string]string{"fund.yaml": fmt.Sprintf("policy: fund\nrules:\n  - {name: fund-%[1]d, require: order.quantity > 1_000, because: F%[1]d}\n", n)}
	for _, name := range burstTraders {
		files[filepath.Join("traders", string(name)+".yaml")] = fmt.Sprintf(`policy: trader
trader: %[1]s
limits: {cap_%[2]d: %[3]d}
rules:
  - {name: gen-%[2]d, require: order.quantity > 1_000, because: T%[2]d}
  - {name: cap-%[2]d, require: 'trader.orders("1h") < limits.cap_%[2]d', because: 'C{trader.orders("1h")}'}
`, name, n, reloadCap)
	}
	return files
}

// TestReloadUnderLoad puts one policy after the other in the folder's place while four traders send: every order is decided by the files of one time, whole, and counters go on under names that change.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	h := serve(t, replaced(burstConfig, "ROLL", farRoll()), generation(0))
	traders := make([]*trader, len(burstTraders))
	for i, name := range burstTraders {
		traders[i] = newTrader(h, name, i, 5)
		traders[i].connect()
		t.Cleanup(traders[i].disconnect)
	}
	revision := asked[ctl.Status](h, "status").Revision
	var all sync.WaitGroup
	var over atomic.Bool
	for _, tr := range traders {
		all.Go(func() {
			tick := tr.tickNow()
			r := hub.OrderRequest{Instrument: tick.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(1), Price: tick.Asks[0].Price}
			for n := 0; !over.Load() && n < ordersKept; n++ {
				tr.send(r)
				tr.quiet()
			}
		})
	}
	for n := 1; n <= generations; n++ {
		h.swap(n)
		until(t, "revision "+strconv.Itoa(n)+" is in force", func() error {
			s, err := h.status()
			if err == nil && s.Revision == revision {
				err = errors.New("the old revision is in force")
			}
			if err == nil {
				revision = s.Revision
			}
			return err
		})
	}
	over.Store(true)
	all.Wait()
	seen := map[string]int{}
	counts := map[string]map[string]bool{}
	form := regexp.MustCompile(`^traders/(\w+)\.yaml:5 gen-(\d+): T(\d+);(?: traders/\w+\.yaml:6 cap-(\d+): C([\d,]+);)? fund\.yaml:3 fund-(\d+): F(\d+)`)
	for _, o := range asked[[]ctl.Order](h, "orders", "--all") {
		got := form.FindStringSubmatch(o.Reason)
		if got == nil || got[1] != o.Trader {
			t.Fatalf("%s is %s: %s", o.ID, o.Status, o.Reason)
		}
		for _, n := range []string{got[2], got[4], got[6], got[7]} {
			if n != "" && n != got[3] {
				t.Errorf("%s is decided by the rules of two times: %s", o.ID, o.Reason)
			}
		}
		seen[got[3]]++
		if counts[o.Trader] == nil {
			counts[o.Trader] = map[string]bool{}
		}
		if n := strings.ReplaceAll(got[5], ",", ""); n != "" {
			if counts[o.Trader][n] {
				t.Errorf("%s: the count %s of trader %s came twice", o.ID, n, o.Trader)
			}
			counts[o.Trader][n] = true
		}
	}
	for name, c := range counts {
		// Each order counts all before it, refused ones too, whatever the limit was called when they came.
		for n := range c {
			if last, err := strconv.Atoi(n); err != nil || last > reloadCap && !c[strconv.Itoa(last-1)] {
				t.Errorf("an order of %s was the one after %s, and none the one before", name, n)
			}
		}
	}
	t.Logf("orders by revision: %v", seen)
	if len(counts) != len(traders) || len(seen) < generations/2 {
		t.Errorf("orders of %d traders and %d revisions show nothing", len(counts), len(seen))
	}
}

// swap puts a link to the policies of a time in the place of the one before, as those do who lay out whole revisions: at no moment is there a folder with files of two times.
func (h *house) swap(n int) {
	h.t.Helper()
	at := filepath.Join(h.root, "policies")
	next := fmt.Sprintf("policies.%d", n)
	for name, text := range generation(n) {
		h.write(filepath.Join(next, name), text)
	}
	var err error
	if n == 1 { // until now it is a folder
		err = os.Rename(at, filepath.Join(h.root, "policies.0"))
	}
	if err := errors.Join(err, os.Symlink(next, at+".next"), os.Rename(at+".next", at)); err != nil {
		h.t.Fatal(err)
	}
}

func (tr *trader) tickNow() hub.Tick {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.ticks[instruments[0]]
}

package e2e_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// Of the flood: so many orders of a trader are on the way at a time, and so many are sent after the halt.
const (
	floodAhead = 400
	floodAfter = 300
)

func floodPolicies() map[string]string {
	files := map[string]string{"fund.yaml": "policy: fund\ninternal_cross: allow\nrules:\n  - {name: quantity, require: order.quantity <= 10}\n"}
	for _, name := range burstTraders {
		files[filepath.Join("traders", string(name)+".yaml")] = fmt.Sprintf("policy: trader\ntrader: %s\nrules:\n  - {name: quantity, require: order.quantity <= 10}\n", name)
	}
	return files
}

// flood sends orders that rest, as fast as they are answered, until it is told how many more there shall be.
func (tr *trader) flood(more *atomic.Int64) {
	tr.mu.Lock()
	tick := tr.ticks[instruments[0]]
	tr.mu.Unlock()
	var sum hub.Sum
	r := hub.OrderRequest{
		Instrument: tick.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(1), Price: sum.Sub(tick.Bids[0].Price, hub.Int(40)),
	}
	for more.Add(-1) >= 0 {
		tr.wait("room", func() bool { return tr.underway < floodAhead })
		tr.send(r)
	}
}

// TestHaltInAFlood: while four traders send orders as fast as they can, the fund is halted. What the venue got was decided before the halt's entry, all of it, and nothing decided after
// that left; the halt, and who set it, outlive a restart; and a cancel-all leaves nothing that works.
func TestHaltInAFlood(t *testing.T) {
	t.Parallel()
	h := serve(t, replaced(burstConfig, "ROLL", farRoll()), floodPolicies())
	traders := make([]*trader, len(burstTraders))
	for i, name := range burstTraders {
		traders[i] = newTrader(h, name, i, 5)
		traders[i].connect()
		t.Cleanup(traders[i].disconnect)
	}
	venue := newVenueBook(h)
	more := make([]atomic.Int64, len(traders))
	var floods sync.WaitGroup
	for i, tr := range traders {
		more[i].Store(1 << 40)
		floods.Go(func() { tr.flood(&more[i]) })
	}
	until(t, "a flood", func() error {
		if err := venue.read(); err != nil {
			return err
		}
		if len(venue.orders) < 1000 {
			return fmt.Errorf("%d orders at the venue", len(venue.orders))
		}
		return nil
	})
	ctx, cancel := h.patience()
	defer cancel()
	began := time.Now()
	if _, err := h.ctl.SetState(ctx, "HALTED", ctl.Whom{All: true, Reason: "fire"}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if err := venue.read(); err != nil {
		t.Fatal(err)
	}
	atAnswer := len(venue.orders)
	for i := range more {
		more[i].Store(floodAfter)
	}
	floods.Wait()
	for _, tr := range traders {
		tr.quiet()
	}
	halted := func() ctl.Restraint {
		t.Helper()
		fund := asked[ctl.Status](h, "status").Traders[0]
		if fund.State != "HALTED" || len(fund.Restraints) != 1 || fund.Restraints[0].Since == nil {
			t.Fatalf("the fund: %+v", fund)
		}
		return fund.Restraints[0]
	}
	halt := halted()
	var sent, refused, withheld int
	until(t, "what the venue got was decided before the halt, and nothing else left", func() error {
		if err := venue.read(); err != nil {
			return err
		}
		b, err := readHub(h, burstTraders...)
		if err != nil {
			return err
		}
		sent, refused, withheld = 0, 0, 0
		var errs []error
		for id, o := range b.orders {
			_, there := venue.orders[id]
			before := o.Time.Before(*halt.Since)
			stopped := o.Status == hub.Rejected.String() && strings.Contains(o.Reason, "the fund is HALTED")
			switch {
			case there && before:
				sent++
			case there:
				errs = append(errs, fmt.Errorf("order %s of %s left after the halt of %s", id, o.Time, halt.Since))
			case stopped && before && strings.HasPrefix(o.Reason, "not sent: "):
				withheld++
			case stopped && !before:
				refused++
			default:
				errs = append(errs, fmt.Errorf("order %s of %s is %s and not at the venue: %s", id, o.Time, o.Status, o.Reason))
			}
		}
		return errors.Join(errs...)
	})
	t.Logf("the halt took %s; %d orders at the venue when it was answered and %d in the end; %d decided before it and taken back, %d refused", took.Round(10*time.Microsecond), atAnswer, sent, withheld, refused)
	if refused < len(traders)*floodAfter {
		t.Errorf("%d orders were refused, so the flood had ended before the halt", refused)
	}

	h.stop()
	h.start()
	if again := halted(); *again.Since != *halt.Since || again.By != halt.By || again.Reason != "fire" {
		t.Errorf("after a restart: %+v, and it was %+v", again, halt)
	}
	h.operated("cancel-all", "--all", "--reason", "fire")
	until(t, "nothing works", func() error {
		if err := venue.read(); err != nil {
			return err
		}
		for id, o := range venue.orders {
			if !o.status.Final() {
				return fmt.Errorf("order %s is %s at the venue", id, o.status)
			}
		}
		if n := asked[ctl.Status](h, "status").Traders[0].Active; n > 0 {
			return fmt.Errorf("%d orders are active at the hub", n)
		}
		return nil
	})
	h.operated("resume", "--all")
	if s := asked[ctl.Status](h, "status").Traders[0]; s.State != "ACTIVE" || len(s.Restraints) > 0 {
		t.Errorf("after resume: %+v", s)
	}
}

package runner

import (
	"cmp"
	"fmt"
	"strings"
	"syscall"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/journal"
)

// OnTick takes the market of a contract from a gateway. It does not wait.
func (r *Runner) OnTick(tick hub.Tick) {
	r.market.put(tick, hub.TimeOf(r.opts.Clock()))
	r.publisher.Tick(tick)
}

// watchJournal refuses orders at the door while the journal takes nothing, and tells everybody.
func (r *Runner) watchJournal() {
	for {
		select {
		case <-r.closing:
			return
		case s := <-r.journal.Changes():
			r.journalChanged(s)
		}
	}
}

func (r *Runner) journalChanged(s journal.Status) {
	if s.State == journal.Closed {
		return
	}
	why := ""
	if s.State != journal.Leading {
		why = strings.TrimSuffix(plain(s.Err).Error(), "; the order was not taken") // none has been asked for
	}
	r.refuseFor(&r.journalSays, why, s.Err)
}

// refuseFor keeps one of the reasons for which new orders are refused; "" takes it back. Orders are taken when there is none left.
func (r *Runner) refuseFor(reason *string, why string, cause error) {
	r.doorMu.Lock()
	defer r.doorMu.Unlock()
	*reason = why
	if r.draining.Load() {
		return
	}
	old := r.noOrders.Load()
	switch now := cmp.Or(r.journalSays, r.diskSays, r.recordSays); {
	case now == "" && old != nil:
		r.noOrders.Store(nil)
		r.log.Info("new orders are taken again", "after", *old)
		r.publisher.Log(lineOf("", core.Info, hub.Say("new orders are taken again")))
	case now != "" && (old == nil || *old != now):
		r.noOrders.Store(&now)
		r.log.Error("no new orders", "why", now, "cause", cause)
		r.publisher.Log(lineOf("", core.Problem, hub.Say("%s; cancels still pass", hub.Fixed(now))))
	}
}

// watchDisk refuses orders before the disk is so full that what venues report could not be kept.
func (r *Runner) watchDisk() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.closing:
			return
		case <-tick.C:
		}
		free, err := r.opts.Free(r.opts.Dir)
		if err != nil {
			r.log.Error("free disk space is not known", "dir", r.opts.Dir, "error", err)
			continue
		}
		why := ""
		if free < r.opts.MinFree {
			why = "the hub's disk is nearly full: no new orders"
		}
		r.refuseFor(&r.diskSays, why, fmt.Errorf("%d bytes free of at least %d", free, r.opts.MinFree))
	}
}

func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// keepTime values what is held, and sees that a trading day has begun if the system slept over its timer.
func (r *Runner) keepTime() {
	tick := time.NewTicker(r.opts.MarkEvery)
	defer tick.Stop()
	asked := hub.TimeOf(r.opts.Clock())
	for {
		select {
		case <-r.closing:
			return
		case <-tick.C:
			r.rollIfDue()
			r.publishManaged()
			r.markHeld()
			r.expireWaits()
			r.doubtAmendments()
			r.expireOverrides()
			if now := hub.TimeOf(r.opts.Clock()); now.Sub(asked) >= askAgain {
				asked = now
				r.askAgain(now)
			}
		}
	}
}

// expireWaits refuses orders that wait for too long for others of the fund to be cancelled.
func (r *Runner) expireWaits() {
	r.mu.Lock()
	since, waits := r.core.WaitsSince()
	r.mu.Unlock()
	if due := hub.TimeOf(r.opts.Clock()).Add(-r.opts.CrossWait); waits && since <= due {
		r.must(hub.ExpireWaits{Since: due})
	}
}

// askAgain is how often the venue is asked again about what it has not settled.
const askAgain = 30 * time.Second

// askAgain asks about orders in doubt, and for cancels that a busy gateway may have lost.
func (r *Runner) askAgain(now hub.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ask := range r.core.Doubts() {
		r.plugins.AskVenue(ask.Gateway, ask.Orders, ask.AskedAt)
	}
	for _, o := range r.core.OwedCancels(now.Add(-askAgain)) {
		r.plugins.Cancel(o)
	}
}

// seenAgain is how much newer the tick of a price that did not change must be to be worth an entry, for watches over the age of prices.
const seenAgain = 5 * time.Second

// markHeld proposes the last prices of what is held or worked, each of the gateway where that is so, where they changed. For watches that time may set off, it says that prices were seen
// again, and if nothing else, that time has passed.
func (r *Runner) markHeld() {
	r.mu.Lock()
	held, timed := r.core.Held(), r.core.Timed()
	r.mu.Unlock()
	var marks []hub.Mark
	for _, m := range held {
		v := r.market.view(m.Gateway, m.Instrument)
		if v.Last.IsPos() && (!v.Last.Equal(m.Price) || timed && v.Seen.Sub(m.Seen) >= seenAgain) {
			marks = append(marks, hub.Mark{Instrument: m.Instrument, Price: v.Last, Seen: v.Seen, Gateway: m.Gateway})
		}
	}
	switch {
	case len(marks) > 0:
		r.must(hub.Marks{Marks: marks})
	case timed:
		r.must(hub.Clock{})
	}
}

// resubscribe asks a gateway that came up for the ticks of what is held, so that it can be valued. Package host repeats what was subscribed before.
func (r *Runner) resubscribe(gateway hub.GatewayName) {
	r.mu.Lock()
	held := r.core.Held()
	r.mu.Unlock()
	for _, m := range held {
		if m.Gateway == gateway {
			r.subscribe(gateway, m.Instrument)
		}
	}
}

// ManagerNeedsBook gives a risk manager that starts the book, in order with what it is told afterwards.
func (r *Runner) ManagerNeedsBook(_ string, deliver func(hub.RiskBook)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	deliver(r.core.RiskBook())
}

package journal

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/hashicorp/raft"
)

// watch follows raft's leads and failures, from Open until raft has stopped.
// raft waits until a change of the lead is taken from notify, so none is missed
// and all that is done here about one is done before the next.
func (j *Journal) watch() {
	defer close(j.stopped)
	var caughtUp <-chan struct{}
	for {
		select {
		case leads := <-j.notify:
			caughtUp = nil
			if leads {
				caughtUp = j.fsm.await(j.store.lastVisible(j.raft.LastIndex()))
				continue
			}
			j.loseLead()
		case <-caughtUp:
			caughtUp = nil
			j.set(func() { j.leads = true })
			j.log.Info("journal leads", "replayed_to", j.ReplayedTo(), "applied_to", j.AppliedTo())
		case <-j.failed:
			j.awaitApplied()
			j.stop()
			return
		case <-j.closing:
			j.stop()
			return
		}
	}
}

// loseLead gives up what this server proposed and raft has not committed.
func (j *Journal) loseLead() {
	j.set(func() { j.leads = false })
	select {
	case <-j.failed:
		return // the disk is why; raft is stopped next
	default:
	}
	j.awaitApplied()
	j.giveUp(ErrLostLead)
}

// awaitApplied waits until the machine has all that raft has committed, so
// that nothing is reported lost that is about to be applied.
func (j *Journal) awaitApplied() {
	select {
	case <-j.fsm.await(j.store.lastVisible(j.raft.AppliedIndex())):
	case <-j.closing:
	}
}

// stop ends raft. After it nothing is applied any more, so what is in flight
// then is lost to this process.
func (j *Journal) stop() {
	if err := stopRaft(j.raft); err != nil {
		j.log.Error("stop raft", "error", err)
	}
	j.set(func() { j.leads = false })
	j.mu.Lock()
	why := j.refusal
	j.mu.Unlock()
	j.giveUp(why)
}

// giveUp reports everything in flight as lost.
func (j *Journal) giveUp(why error) {
	j.mu.Lock()
	j.term.Add(1)
	lost := slices.Sorted(maps.Keys(j.inFlight))
	clear(j.inFlight)
	j.bytes = 0
	clear(j.queue)
	j.queue = j.queue[:0]
	j.signalIdle()
	j.mu.Unlock()
	if len(lost) == 0 {
		return
	}
	j.log.Warn("proposals lost: what became of them shows after the next start", "count", len(lost), "reason", why)
	j.opts.Lost(lost, why)
}

const spaceInterval = time.Second

// watchSpace looks at the free space from time to time. Asking at each
// proposal would cost more than the proposal.
func (j *Journal) watchSpace() {
	tick := time.NewTicker(spaceInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			j.checkSpace()
		case <-j.stopped:
			return
		}
	}
}

func (j *Journal) checkSpace() {
	least := uint64(j.opts.MinFreeBytes)
	free, err := j.opts.freeBytes(j.opts.Dir)
	if err != nil {
		j.log.Error("ask for the free space", "error", err)
		return
	}
	j.mu.Lock()
	was := j.scarce != nil
	j.mu.Unlock()
	switch {
	case free < least:
		j.set(func() {
			j.scarce = fmt.Errorf("%w: %d MiB are free where %s is, and %d MiB have to be", ErrNoSpace, free>>20, j.opts.Dir, least>>20)
		})
		if !was {
			j.log.Error("the disk is nearly full: no more orders are taken until there is room", "dir", j.opts.Dir, "free_mib", free>>20, "needed_mib", least>>20)
		}
	case was:
		j.set(func() { j.scarce = nil })
		j.log.Info("there is room on the disk again", "dir", j.opts.Dir, "free_mib", free>>20)
	}
}

const peersInterval = time.Second

// takeInPeers has the leader add the servers that are listed and missing, one
// at a time, and correct addresses.
func (j *Journal) takeInPeers() {
	tick := time.NewTicker(peersInterval)
	defer tick.Stop()
	for {
		j.mu.Lock()
		leads, changed := j.leads, j.changed
		j.mu.Unlock()
		if leads {
			j.takeInPeer()
		}
		select {
		case <-tick.C:
		case <-changed:
		case <-j.stopped:
			return
		}
	}
}

// takeInPeer brings raft's list of servers one step nearer to Options. A
// server becomes a voter only when it answers: a second voter that does not
// would leave the first without a majority.
func (j *Journal) takeInPeer() {
	var known raft.Configuration
	f := j.raft.GetConfiguration() // does not wait
	if err := f.Error(); err != nil {
		return
	}
	known = f.Configuration()
	for _, p := range j.opts.Cluster.Peers {
		want := raft.Server{ID: raft.ServerID(p.ID), Address: raft.ServerAddress(p.Address)}
		if slices.Contains(known.Servers, want) {
			continue
		}
		if p.ID != j.opts.NodeID && !answers(p.Address) {
			continue
		}
		j.log.Info("take server into the journal", "server", p.ID, "address", p.Address)
		// Not waited for: the future may stay silent when raft stops. The next
		// round sees what came of it.
		j.raft.AddVoter(want.ID, want.Address, 0, peersInterval)
		return
	}
}

func answers(address string) bool {
	c, err := net.DialTimeout("tcp", address, peersInterval)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

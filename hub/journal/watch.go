package journal

import (
	"errors"
	"fmt"
	"maps"
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
	j.bytes, j.inHand = 0, 0
	clear(j.queue)
	j.queue = j.queue[:0]
	j.first = nil
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
	said := map[string]string{} // what was last logged of each server
	for {
		j.mu.Lock()
		leads, changed := j.leads, j.changed
		j.mu.Unlock()
		if leads {
			j.takeInPeer(said)
		}
		select {
		case <-tick.C:
		case <-changed:
		case <-j.stopped:
			return
		}
	}
}

// takeInPeer brings raft's list of servers one step nearer to Options.
func (j *Journal) takeInPeer(said map[string]string) {
	f := j.raft.GetConfiguration() // does not wait
	if f.Error() != nil {
		return
	}
	for _, p := range j.opts.Cluster.Peers {
		want := raft.Server{ID: raft.ServerID(p.ID), Address: raft.ServerAddress(p.Address)}
		if slices.Contains(f.Configuration().Servers, want) {
			continue
		}
		if err := j.fit(want); err != nil {
			if said[p.ID] != err.Error() {
				said[p.ID] = err.Error()
				j.log.Warn("server is not taken into the journal", "server", p.ID, "address", p.Address, "reason", err)
			}
			continue
		}
		j.log.Info("take server into the journal", "server", p.ID, "address", p.Address)
		// Not waited for: the future may stay silent when raft stops. The next
		// round sees what came of it.
		j.raft.AddVoter(want.ID, want.Address, 0, peersInterval)
		return
	}
}

// fit says why a server cannot be taken in. One that does not answer would, as
// the second of two, leave the first without a majority; one that has a journal
// of its own would lose it. The question is raft's own one before an election,
// which changes nothing on the other side.
func (j *Journal) fit(s raft.Server) error {
	if string(s.ID) == j.opts.NodeID {
		return nil
	}
	var last raft.Log
	if err := j.store.wal.GetLog(j.raft.LastIndex(), &last); err != nil && !errors.Is(err, raft.ErrLogNotFound) {
		return err
	}
	question := raft.RequestPreVoteRequest{
		RPCHeader: raft.RPCHeader{
			ProtocolVersion: raft.ProtocolVersionMax,
			ID:              []byte(j.opts.NodeID),
			Addr:            j.transport.EncodePeer(raft.ServerID(j.opts.NodeID), j.transport.LocalAddr()),
		},
		Term:         j.raft.CurrentTerm(),
		LastLogIndex: last.Index,
		LastLogTerm:  last.Term,
	}
	var answer raft.RequestPreVoteResponse
	if err := j.transport.RequestPreVote(s.ID, s.Address, &question, &answer); err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	if got := string(answer.ID); got != string(s.ID) {
		return fmt.Errorf("server %q answers at its address", got)
	}
	if !answer.Granted {
		return errors.New("it keeps a journal of its own; start it with an empty data directory, to join")
	}
	return nil
}

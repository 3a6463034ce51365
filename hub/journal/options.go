package journal

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"
)

// Defaults of Options.
const (
	DefaultNodeID          = "hub"
	DefaultSnapshotEntries = 100_000
	DefaultTrailingEntries = 10_000
	DefaultSegmentBytes    = 16 << 20
	DefaultMinFreeBytes    = 64 << 20
	DefaultEntryBytesMax   = 1 << 20
	DefaultInFlightMax     = 16_384
	DefaultInFlightBytes   = 64 << 20
)

// Options says how to open a journal. Dir and Machine must be set; the zero
// value of everything else means its default.
type Options struct {
	// Dir is the data directory. It is made, readable by its owner only, when
	// it does not exist; it is refused when others can write in it.
	Dir string
	// NodeID names this server among the servers of the journal, for ever: a
	// directory remembers whose it is. Default: DefaultNodeID.
	NodeID string
	// Machine is what the entries are applied to.
	Machine Machine
	// Locked, if not nil, is called when the directory is this process's own,
	// before anything in it is read. What lies beside a journal and belongs to
	// it is to be opened then: before, it may be another process's.
	Locked func()
	// Lost, if not nil, is told the proposals that this server gave up: they
	// were accepted by Propose and have not been applied. What became of them
	// is not known. They may be on disk, and then they are applied after the
	// next start, with no Proposal number; with several servers they may even
	// be applied later in this process's life, with their number. Lost is
	// called from one goroutine, in order of the numbers, never before an
	// Apply that was already under way has returned. It must not call Close.
	Lost func(lost []Proposal, why error)
	// Logger gets a few lines in keys and values. Default: no log.
	Logger hclog.Logger

	// SnapshotEntries is how many entries after a snapshot the next one is
	// taken. Fewer: a faster restart; more: less writing.
	SnapshotEntries uint64
	// SnapshotInterval is how often that number is looked at. Default: 1s.
	SnapshotInterval time.Duration
	// TrailingEntries is how many entries are kept that a snapshot already
	// covers, so that a server that was away for a moment need not fetch the
	// snapshot, and so that a damaged snapshot can be made up for from the one
	// before.
	TrailingEntries uint64
	// SegmentBytes is the size of a file of entries. A file is allocated whole
	// before it is used, so that a full disk shows at the start of a file and
	// not within it.
	SegmentBytes int
	// MinFreeBytes is the free space of the file system below which proposals
	// are refused (ErrNoSpace), so that what runs beside the journal, and a
	// snapshot, still have room. Negative: no such check.
	MinFreeBytes int64
	// EntryBytesMax bounds one entry.
	EntryBytesMax int
	// InFlightMax and InFlightBytes bound the proposals that were accepted and
	// have not been applied. Beyond either, Propose answers ErrBusy.
	InFlightMax   int
	InFlightBytes int

	// Cluster joins several servers to one journal. Nil: this server alone,
	// and nothing listens on any address.
	Cluster *Cluster

	// The rest is for this package's tests.
	//
	// fileSystem and stableStore put a fault between the journal and its disk.
	fileSystem  func(types.VFS) types.VFS
	stableStore func(raft.StableStore) raft.StableStore
	freeBytes   func(dir string) (uint64, error)

	closeTimeout time.Duration
}

// Cluster is what several servers need to know to keep one journal.
//
// The first server is started without Join and becomes a cluster of one; with
// peers listed, it takes them in, one at a time, when it reaches them. The
// others start empty, with Join. All list the same peers.
type Cluster struct {
	// Peers are all the servers, this one too. The leader takes in those that
	// it does not have yet, and follows a change of address. It never removes
	// one that is no longer listed.
	Peers []Peer
	// Join is set for a server that starts empty to be taken in by the others.
	// Forgotten, such a server would found a journal of its own.
	Join bool
	// Listener is where the other servers reach this one. Default: the
	// address that Peers gives for this server. The journal closes it.
	Listener net.Listener
	// TLS is used by both sides of every connection between servers, and must
	// ask for and verify the other's certificate. Required, unless all
	// addresses are on the loopback interface.
	TLS *tls.Config
	// HeartbeatTimeout is how long a follower hears nothing before it asks to
	// be elected. Default: 1s. A leader gives up after half of it without a
	// majority.
	HeartbeatTimeout time.Duration
}

// Peer is one server of a Cluster.
type Peer struct {
	ID      string
	Address string // host:port, as the other servers reach it
}

// withDefaults returns a copy of o with every default filled in, and every
// fault of o at once.
func (o Options) withDefaults() (Options, error) {
	if o.NodeID == "" {
		o.NodeID = DefaultNodeID
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Lost == nil {
		o.Lost = func([]Proposal, error) {}
	}
	if o.SnapshotInterval == 0 {
		o.SnapshotInterval = time.Second
	}
	o.SnapshotEntries = cmp.Or(o.SnapshotEntries, DefaultSnapshotEntries)
	o.TrailingEntries = cmp.Or(o.TrailingEntries, DefaultTrailingEntries)
	o.SegmentBytes = cmp.Or(o.SegmentBytes, DefaultSegmentBytes)
	o.MinFreeBytes = cmp.Or(o.MinFreeBytes, DefaultMinFreeBytes)
	o.EntryBytesMax = cmp.Or(o.EntryBytesMax, DefaultEntryBytesMax)
	o.InFlightMax = cmp.Or(o.InFlightMax, DefaultInFlightMax)
	o.InFlightBytes = cmp.Or(o.InFlightBytes, DefaultInFlightBytes)
	if o.freeBytes == nil {
		o.freeBytes = freeBytes
	}

	o.closeTimeout = cmp.Or(o.closeTimeout, closeTimeout)

	var errs []error
	if o.Dir == "" {
		errs = append(errs, errors.New("no directory given"))
	}
	if o.Machine == nil {
		errs = append(errs, errors.New("no machine given"))
	}
	if o.SegmentBytes < segmentBytesMin {
		errs = append(errs, fmt.Errorf("segments of %d bytes are too small: at least %d", o.SegmentBytes, segmentBytesMin))
	}
	if o.EntryBytesMax < 0 || o.EntryBytesMax > entryBytesLimit {
		errs = append(errs, fmt.Errorf("entries of %d bytes are not possible: at most %d", o.EntryBytesMax, entryBytesLimit))
	}
	if o.InFlightMax < 0 || o.InFlightBytes < o.EntryBytesMax {
		errs = append(errs, errors.New("the bounds on what is in flight leave no room for one entry"))
	}
	if o.Cluster != nil {
		c := *o.Cluster
		if c.HeartbeatTimeout == 0 {
			c.HeartbeatTimeout = time.Second
		}
		o.Cluster = &c
		errs = append(errs, c.check(o.NodeID)...)
	}
	return o, errors.Join(errs...)
}

func (c *Cluster) check(self string) (errs []error) {
	seen := map[string]bool{}
	for _, p := range c.Peers {
		if seen[p.ID] {
			errs = append(errs, fmt.Errorf("peer %q is listed twice", p.ID))
		}
		seen[p.ID] = true
		if _, _, err := net.SplitHostPort(p.Address); err != nil {
			errs = append(errs, fmt.Errorf("peer %q: address %q is not host:port", p.ID, p.Address))
			continue
		}
		if c.TLS == nil && !isLoopback(p.Address) {
			errs = append(errs, fmt.Errorf("peer %q: address %s is not on the loopback interface and no TLS is set: whoever reaches it could write the journal", p.ID, p.Address))
		}
	}
	if !seen[self] {
		errs = append(errs, fmt.Errorf("this server, %q, is not among its peers", self))
	}
	if c.TLS != nil && c.TLS.ClientAuth != tls.RequireAndVerifyClientCert {
		errs = append(errs, errors.New("the TLS settings do not require and verify the other server's certificate"))
	}
	if c.HeartbeatTimeout < 0 || c.HeartbeatTimeout > 0 && c.HeartbeatTimeout < 20*time.Millisecond {
		errs = append(errs, fmt.Errorf("a heartbeat time-out of %s is too short: at least 20ms", c.HeartbeatTimeout))
	}
	return errs
}

func (c *Cluster) address(id string) string {
	if i := slices.IndexFunc(c.Peers, func(p Peer) bool { return p.ID == id }); i >= 0 {
		return c.Peers[i].Address
	}
	return ""
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// raftConfig is where every setting of raft that is not its default is named.
func (o Options) raftConfig(notify chan<- bool) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(o.NodeID)
	c.NotifyCh = notify
	c.Logger = raftLogger{Logger: o.Logger}
	// Entries that wait while the last batch is synced form the next batch:
	// this is group commit, and 1024 is the most that raft allows.
	c.BatchApplyCh = true
	c.MaxAppendEntries = batchMax
	c.SnapshotThreshold = o.SnapshotEntries
	c.SnapshotInterval = o.SnapshotInterval
	c.TrailingLogs = o.TrailingEntries
	c.NoLegacyTelemetry = true
	if o.Cluster == nil {
		// A server on its own waits for nobody: it asks itself after one to
		// two of these. It has a majority whenever it looks, so a slow machine
		// cannot make it step down.
		c.HeartbeatTimeout = aloneHeartbeat
		c.ElectionTimeout = aloneHeartbeat
		c.LeaderLeaseTimeout = aloneHeartbeat
		return c
	}
	c.HeartbeatTimeout = o.Cluster.HeartbeatTimeout
	c.ElectionTimeout = o.Cluster.HeartbeatTimeout
	c.LeaderLeaseTimeout = o.Cluster.HeartbeatTimeout / 2
	return c
}

const (
	aloneHeartbeat  = 50 * time.Millisecond
	batchMax        = 1024
	cacheEntries    = 2 * batchMax // a follower that lags by two batches is served from memory
	snapshotsKept   = 2
	segmentBytesMin = 64 << 10
	entryBytesLimit = 32 << 20 // raft-wal does not read back more than 64 MiB
)

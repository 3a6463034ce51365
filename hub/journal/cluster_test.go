package journal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"tradehub/hub/journal"
)

func insecureTLS() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS13} }

// votes is a stable store that cannot keep raft's term.
type votes struct{ raft.StableStore }

func (v *votes) wrap(s raft.StableStore) raft.StableStore { v.StableStore = s; return v }

func (v *votes) SetUint64(key []byte, n uint64) error {
	if n > 1 { // 0 and 1 are the founding of the journal
		return syscall.ENOSPC
	}
	return v.StableStore.SetUint64(key, n)
}

// server is one of three.
type server struct {
	*journal.Journal
	ledger *ledger
	opts   journal.Options
}

// open opens or opens again.
func (s *server) open(t *testing.T) {
	t.Helper()
	c := *s.opts.Cluster
	if c.Listener == nil {
		c.Listener = listen(t, address(c.Peers, s.opts.NodeID))
	}
	s.ledger = newLedger()
	o := s.opts
	o.Cluster, o.Machine, o.Lost = &c, s.ledger, s.ledger.giveUp
	s.Journal = mustOpen(t, o)
	s.opts.Cluster.Listener = nil // used up
}

func address(peers []journal.Peer, id string) string {
	for _, p := range peers {
		if p.ID == id {
			return p.Address
		}
	}
	return ""
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// three prepares servers on loopback addresses. The first founds the journal.
func three(t *testing.T, security *tls.Config) []*server {
	t.Helper()
	var all []*server
	var peers []journal.Peer
	for _, id := range []string{"a", "b", "c"} {
		l := listen(t, "127.0.0.1:0")
		peers = append(peers, journal.Peer{ID: id, Address: l.Addr().String()})
		o := options(filepath.Join(t.TempDir(), id), nil)
		o.NodeID = id
		o.Cluster = &journal.Cluster{Join: id != "a", Listener: l, TLS: security, HeartbeatTimeout: 200 * time.Millisecond}
		all = append(all, &server{opts: o})
	}
	for _, s := range all {
		s.opts.Cluster.Peers = peers
	}
	return all
}

// leader waits until one of them leads.
func leader(t *testing.T, all []*server) *server {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for _, s := range all {
			if s.Leader() {
				return s
			}
		}
		select { // one of them changes, or it is time to look again
		case <-all[0].Changes():
		case <-all[1].Changes():
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("nobody leads")
	return nil
}

func without(all []*server, one *server) (rest []*server) {
	for _, s := range all {
		if s != one {
			rest = append(rest, s)
		}
	}
	return rest
}

func TestThreeServersLoseTheLeaderAndNoEntry(t *testing.T) {
	all := three(t, nil)
	for _, s := range all {
		s.opts.Cluster.HeartbeatTimeout = 2 * time.Second // the leader is to lead until it is killed: on a machine that is busy, a lease of 100 ms runs out, and another is elected
		s.open(t)
	}
	first := all[0]
	awaitLead(t, first.Journal)
	want := names(2000)
	for _, name := range want[:1000] {
		mustPropose(t, first.Journal, name)
	}
	for _, s := range all {
		s.ledger.awaitCount(t, 1000)
		diff(t, s.opts.NodeID, s.ledger.got(), want[:1000])
	}
	if _, err := all[1].Propose([]byte("x")); err == nil {
		t.Fatal("a follower took a proposal")
	}
	for i, e := range all[1].ledger.entries {
		if e.Proposal != 0 {
			t.Fatalf("follower's entry %d has proposal number %d", i, e.Proposal)
		}
	}

	// Kill the leader with proposals in flight: what it applied is committed.
	for i := range 500 {
		mustPropose(t, first.Journal, fmt.Sprintf("flight-%04d", i))
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	committed := first.ledger.got()
	if n := len(committed) + len(first.ledger.lost); n != 1500 {
		t.Fatalf("%d applied and %d lost of 1500", len(committed), len(first.ledger.lost))
	}
	rest := without(all, first)
	second := leader(t, rest)
	got := second.ledger.got()
	if len(got) < len(committed) {
		t.Fatalf("the new leader has %d entries, and %d had been applied", len(got), len(committed))
	}
	diff(t, "applied by the old leader", got[:len(committed)], committed)

	// The two go on, and the old leader comes back and catches up.
	for _, name := range want[1000:] {
		mustPropose(t, second.Journal, name)
	}
	total := len(got) + 1000
	second.ledger.awaitCount(t, total)
	first.open(t)
	first.ledger.awaitCount(t, total)
	for _, s := range all {
		s.ledger.awaitCount(t, total)
		diff(t, s.opts.NodeID, s.ledger.got(), second.ledger.got())
	}
}

// A leader cut off from the others cannot commit. What it wrote is lost to it,
// and gives way to what the others agreed on, also after another start.
func TestLeaderThatIsAlone(t *testing.T) {
	all := three(t, nil)
	for _, s := range all {
		s.open(t)
	}
	first := all[0]
	awaitLead(t, first.Journal)
	mustPropose(t, first.Journal, "agreed")
	for _, s := range all {
		s.ledger.awaitCount(t, 1)
	}
	rest := without(all, first)
	for _, s := range rest {
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	var lost []journal.Proposal
	for i := range 3 {
		if p, err := first.Propose([]byte(fmt.Sprintf("alone-%d", i))); err == nil {
			lost = append(lost, p)
		}
	}
	awaitState(t, first.Journal, journal.Following)
	first.ledger.await(t, "the loss", func() bool { return len(first.ledger.lost) == len(lost) })
	if len(lost) > 0 && !errors.Is(first.ledger.lostWhy, journal.ErrLostLead) {
		t.Fatal(first.ledger.lostWhy)
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, s := range rest {
		s.open(t)
	}
	second := leader(t, rest)
	mustPropose(t, second.Journal, "without it")
	second.ledger.awaitCount(t, 2)
	for range 2 { // it has to cut its own end off, and to live with that
		first.open(t)
		first.ledger.awaitCount(t, 2)
		diff(t, "the one that was alone", first.ledger.got(), []string{"agreed", "without it"})
		mustClose(t, first.Journal)
	}
}

func TestServerThatWasAwayGetsASnapshot(t *testing.T) {
	all := three(t, nil)
	for _, s := range all {
		s.opts.SnapshotEntries, s.opts.TrailingEntries = 1<<40, 1
		s.opts.SegmentBytes = 64 << 10
	}
	all[0].open(t)
	awaitLead(t, all[0].Journal)
	var want []string
	for i, name := range names(300) {
		want = append(want, name+strings.Repeat(".", 2000))
		mustPropose(t, all[0].Journal, want[i])
		if i%10 == 9 { // so that there are many segments
			all[0].ledger.awaitCount(t, i+1)
		}
	}
	if err := all[0].Snapshot(); err != nil {
		t.Fatal(err)
	}
	all[1].open(t)
	all[1].ledger.awaitCount(t, len(want))
	if all[1].ledger.restored == 0 {
		t.Fatal("no snapshot was sent")
	}
	mustPropose(t, all[0].Journal, "after")
	all[1].ledger.awaitCount(t, len(want)+1)
	diff(t, "b", all[1].ledger.got(), append(want, "after"))
}

func TestServerWithAJournalOfItsOwnIsNotTakenIn(t *testing.T) {
	all := three(t, nil)
	lonely := *all[1].opts.Cluster
	lonely.Join, lonely.Peers = false, lonely.Peers[1:2]
	all[1].opts.Cluster = &lonely
	all[1].open(t)
	awaitLead(t, all[1].Journal)
	mustPropose(t, all[1].Journal, "own")
	all[1].ledger.awaitCount(t, 1)

	said := make(chan string, 100)
	all[0].opts.Logger = hclog.New(&hclog.LoggerOptions{Output: lines(said), Level: hclog.Warn})
	all[0].open(t)
	awaitLead(t, all[0].Journal)
	for deadline := time.After(patience); ; {
		select {
		case line := <-said:
			if !strings.Contains(line, "server is not taken into the journal: server=b") || !strings.Contains(line, "it keeps a journal of its own") {
				continue
			}
		case <-deadline:
			t.Fatal("nothing was said about it")
		}
		break
	}
	mustPropose(t, all[0].Journal, "goes on without it")
	all[0].ledger.awaitCount(t, 1)
	mustClose(t, all[1].Journal)
	diff(t, "b", all[1].ledger.got(), []string{"own"})
}

// lines is a writer to a channel.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	select {
	case l <- string(b):
	default:
	}
	return len(b), nil
}

func TestServersOverTLS(t *testing.T) {
	all := three(t, selfSigned(t))
	for _, s := range all {
		s.open(t)
	}
	awaitLead(t, all[0].Journal)
	mustPropose(t, all[0].Journal, "secret")
	for _, s := range all {
		s.ledger.awaitCount(t, 1)
	}
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      pool,
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
}

package journal_test

import (
	"crypto/tls"
	"syscall"

	"github.com/hashicorp/raft"
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

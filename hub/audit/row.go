package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"tradehub/hub"
)

// Hash is a link of the chain.
type Hash [sha256.Size]byte

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what String writes.
func ParseHash(s string) (h Hash, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, false
	}
	return Hash(b), true
}

// Row is one line of the record.
type Row struct {
	// N counts rows from 1, without gaps.
	N uint64
	// Seq is the journal entry that it comes from; several rows may come from one.
	Seq  uint64
	Time hub.Time
	// Kind says what it is about: "decision", "order", "fill", "cancel" and so on of an order, else the entry: "set-state", "load-policies".
	Kind   string
	Trader hub.TraderName // "" when it is of nobody's order
	Order  hub.OrderID
	// Body is JSON.
	Body string
	Hash Hash
}

// genesis is what stands in the place of the hash before the first row.
var genesis = Hash(sha256.Sum256([]byte("tradehub record, version 1")))

// link is the row's hash, given the one of the row before.
func (r *Row) link(before Hash) Hash {
	b := make([]byte, 0, 128+len(r.Body))
	b = append(b, before[:]...)
	b = binary.BigEndian.AppendUint64(b, r.N)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Time))
	for _, s := range []string{r.Kind, string(r.Trader), string(r.Order), r.Body} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"tradehub/hub"
)

// Reading is what a rule was told of a variable when it decided.
type Reading struct {
	// Ref is the rule's own: it is not written to.
	Ref   *Ref
	Value Value
}

// NotRecorded is why a variable is missing when a decision is played back that did not read it.
const NotRecorded = "the decision did not read it"

// Playback is a Source of values that were recorded, by the variable as a rule writes it: trader.orders("10s"). Of what was not, it says NotRecorded.
type Playback map[string]Value

var _ Source = Playback(nil)

// Value answers what was recorded.
func (p Playback) Value(ref *Ref) *Value {
	v := p.value(ref)
	return &v
}

func (p Playback) value(ref *Ref) Value {
	if v, ok := p[ref.String()]; ok {
		return v
	}
	return Missing(NotRecorded)
}

// RevisionOf is the revision that Rules of these files have: a short hash of their names and texts.
func RevisionOf(files []hub.PolicyFile) string {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b hub.PolicyFile) int { return cmp.Compare(a.Name, b.Name) })
	return revision(files)
}

// FileHash is the SHA-256 of a file's text, in hex.
func FileHash(f hub.PolicyFile) string {
	h := sha256.Sum256([]byte(f.Text))
	return hex.EncodeToString(h[:])
}

package policy

import (
	"time"

	"tradehub/hub"
)

// Rules is one revision of the whole policy: the fund's rules and every trader's. It does not change once compiled.
type Rules struct{ revision string }

// Compile reads, checks and compiles policy files, all or none: with any error there are no Rules, and the errors are all there are, sorted.
func Compile(files []hub.PolicyFile) (*Rules, []Error) { panic("being written") }

// Error is one thing wrong in a policy file.
type Error struct {
	File      string
	Line, Col int // from 1
	Text      string
}

// Revision is a short hash of the text of all files.
func (r *Rules) Revision() string { return r.revision }

// Decide asks the trader's rules, then the fund's, all of them, and returns every refusal; none means that the order passes.
func (r *Rules) Decide(trader hub.TraderName, source Source) []hub.Refusal { panic("being written") }

// Windows are the counters that the rules read, so that the core keeps what they need and no more; sorted, without repeats. Today is not among them.
func (r *Rules) Windows() []Ref { panic("being written") }

// WindowMax is the longest window that a rule may name.
const WindowMax = time.Hour

package core

import "tradehub/hub/policy"

// Ask returns a Rehearsal of the state itself, not of a copy: for those who step the core in the same goroutine, and ask before the step what its rules will read.
func (c *Core) Ask() *Rehearsal { return &Rehearsal{core: c} }

// Source is what rules read about the order that was put.
func (r *Rehearsal) Source() policy.Source { return &r.source }

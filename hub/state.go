package hub

// State is how much is allowed to a trader, to the fund, or through a gateway. Of the states that concern an order the most restrictive holds; the numbers are in that order, and
// are written to the journal.
type State uint8

// States. Cancels pass in every one of them.
const (
	// Active: what the rules let through.
	Active State = iota
	// ReduceOnly: only orders that make a trader's position in their contract smaller and can neither open one nor turn it over, all working closes counted.
	ReduceOnly
	// CancelOnly: no orders of traders. What flattens positions is the hub's own, and still passes.
	CancelOnly
	// Halted: nothing but cancels leaves the hub, its own orders included.
	Halted
)

var stateNames = []string{"ACTIVE", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"}

func (s State) String() string { return name(stateNames, s) }

// ParseState reads the name that String writes.
func ParseState(s string) (State, error) { return parse[State]("state", stateNames, s) }

// Scope is what a state is of.
type Scope uint8

// Scopes. Their numbers are written to the journal.
const (
	ScopeFund Scope = iota
	ScopeTrader
	ScopeGateway
)

var scopeNames = []string{"fund", "trader", "gateway"}

func (s Scope) String() string { return name(scopeNames, s) }

// SetState is a person's word on what is allowed to the fund, a trader or through a gateway. It holds until the next one about the same, restarts or not. ACTIVE lifts what watches
// set as well; any other state leaves that as it is, and the more restrictive of the two holds.
type SetState struct {
	Scope  Scope  `cbor:"1,keyasint,omitempty"`
	Name   string `cbor:"2,keyasint,omitempty"` // of the trader or gateway; "" of the fund
	State  State  `cbor:"3,keyasint,omitempty"`
	By     string `cbor:"4,keyasint,omitempty"`
	Reason string `cbor:"5,keyasint,omitempty"`
}

func (SetState) input() {}

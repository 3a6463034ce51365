package hubtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Move is one thing that happens. What A, B and C mean depends on What, and on the world when it happens: they choose among what there is to choose from.
type Move struct {
	What    What
	A, B, C uint32
}

// What is a kind of move.
type What uint8

// Kinds of move.
const (
	Submit      What = iota // a trader asks for an order
	Judge                   // a risk manager answers, or its deadline passes
	Commit                  // proposals reach the disk and the core steps
	Dispatch                // effects are carried out
	Cancel                  // a trader cancels
	VenueTakes              // the venue takes what was sent to it
	VenueTrades             // the venue fills, cancels or rejects something that is open there
	Deliver                 // one of the venue's reports arrives: any of them
	Repeat                  // a report arrives again
	Lose                    // a report is lost
	Wait                    // time passes, sometimes backwards
	Mark                    // prices change
	GatewayDies             // the gateway's process dies and comes back
	Crash                   // the hub dies and is started again
	Snapshot                // the state is written, and later starts begin with it
	Reload                  // other policies, good and bad ones
	Halt                    // a trader is halted, or resumed
	Roll                    // a trading day begins
	Transfer                // the operator moves a position or capital from one trader to another
	CancelAll               // the operator cancels everything of one trader, or of all, past all that waits for the disk
	Rates                   // a person says what a currency is worth, well or badly
	Flatten                 // the operator has a part closed
	ByHand                  // somebody trades with the venue's own terminal
	State                   // the venue states the account
	Amends                  // somebody wants another price or quantity of a working order
	Plead                   // a person asks for an override, and mostly another one approves it and the order is asked for
	Approve                 // somebody approves an override
	Withdraw                // somebody withdraws an override, or its time ends
	Use                     // a trader asks for the order that an override is for, or nearly
	kinds
)

var whatNames = [...]string{
	"submit", "judge", "commit", "dispatch", "cancel", "venue takes", "venue trades", "deliver", "repeat", "lose", "wait", "mark", "gateway dies", "crash", "snapshot",
	"reload", "halt", "roll", "transfer", "cancel all", "rates", "flatten", "by hand", "statement", "amend",
	"plead", "approve", "withdraw", "use",
}

func (w What) String() string {
	if int(w) < len(whatNames) {
		return whatNames[w]
	}
	return fmt.Sprintf("unknown(%d)", uint8(w))
}

func (m Move) String() string { return fmt.Sprintf("%s %d %d %d", m.What, m.A, m.B, m.C) }

// Story is what happens, in order.
type Story []Move

func (s Story) String() string {
	lines := make([]string, len(s))
	for i, m := range s {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// weights say how often each kind of move is drawn.
var weights = [kinds]int{
	Submit: 60, Judge: 60, Commit: 60, Dispatch: 60, Cancel: 8, VenueTakes: 50, VenueTrades: 50, Deliver: 60, Repeat: 6, Lose: 3, Wait: 20, Mark: 8, GatewayDies: 2, Crash: 2,
	Snapshot: 3, Reload: 3, Halt: 9, Roll: 3, Transfer: 4, CancelAll: 2, Rates: 5, Flatten: 1, ByHand: 4, State: 6, Amends: 24,
	Plead: 12, Approve: 6, Withdraw: 5, Use: 8,
}

// Draw makes the story of a seed.
func Draw(seed uint64, moves int) Story {
	rng := rand.New(rand.NewPCG(seed, 0x7261646568756221))
	total := 0
	for _, w := range weights {
		total += w
	}
	story := make(Story, moves)
	for i := range story {
		n := rng.IntN(total)
		what := What(0)
		for n >= weights[what] {
			n -= weights[what]
			what++
		}
		story[i] = Move{What: what, A: rng.Uint32(), B: rng.Uint32(), C: rng.Uint32()}
	}
	return story
}

// Shorten looks for the shortest story that still fails with an error that begins alike, by leaving out ever smaller pieces.
func Shorten(story Story, err error) (Story, error) {
	alike := kindOf(err)
	for piece := len(story) / 2; piece >= 1; {
		shrunk := false
		for at := 0; at+piece <= len(story); {
			candidate := slices.Concat(story[:at], story[at+piece:])
			if e := Play(candidate); e != nil && kindOf(e) == alike {
				story, err, shrunk = candidate, e, true
				continue
			}
			at += piece
		}
		if !shrunk || piece == 1 {
			piece /= 2
		}
	}
	return story, err
}

// kindOf is the part of an error that names the oracle.
func kindOf(err error) string {
	kind, _, _ := strings.Cut(err.Error(), ":")
	return kind
}

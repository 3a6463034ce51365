package policy

import (
	"fmt"
	"strings"
)

// referenceWatches is what the reference says of watches, with the variables that they may read.
func referenceWatches() string {
	var b strings.Builder
	b.WriteString(referenceWatch)
	var names []string
	for _, info := range catalogue {
		if info.Scope == ScopeTrader && Watchable(info) {
			names = append(names, "`"+strings.TrimPrefix(info.Name, "trader.")+"`")
		}
	}
	fmt.Fprintf(&b, "Of the variables above, a watch may read these, of the trader in a trader's file, and of the fund in any: %s; and of the fund `rate`, `rate_age` and `breaks_today`.\n", strings.Join(names, ", "))
	return b.String()
}

const referenceWatch = `
## Watches

` + "`watch`" + ` is a list beside ` + "`rules`" + `, in the fund's file or a trader's. A rule decides about an order; a watch looks at numbers after something happened, and does something when they have become bad.

| key | is |
|---|---|
| ` + "`name`" + ` | small letters, digits and -; once among the watches of a file |
| ` + "`when`" + ` | the condition on which something is to be done |
| ` + "`then`" + ` | what is done, one or more of the actions below |
| ` + "`because`" + `, if wanted | the sentence that goes with it; ` + "`{trader.pnl.day}`" + ` puts a value in. Traders read it in refusals |
| ` + "`clear`" + `, if wanted | the condition under which the watch may fire again; without it, ` + "`not when`" + ` |
| ` + "`again`" + `, if wanted | ` + "`each crossing`" + `, as without it, or ` + "`once per day`" + ` |

**When it looks.** After every entry that can have changed a number: a fill, a decided or refused order, a cancel, a rejection, new prices of what is held, a gateway that goes or comes, another rate, a transfer, a
statement of the venue, a new trading day, other policies, a start of the hub; and once a second when it reads what time alone changes: a window, ` + "`oldest_mark_age`, `gateway_down`, `rate_age`" + `. It looks after
the whole entry is applied, and once: what one watch does moves no other one in the same entry.

**Once only.** A watch is *armed* until ` + "`when`" + ` is true; then it fires, once, and is not armed until ` + "`clear`" + ` has been true. ` + "`clear`" + ` further away than ` + "`when`" + ` is the hysteresis: with
` + "`when: trader.pnl.day <= -50_000`" + ` and ` + "`clear: trader.pnl.day > -40_000`" + `, a loss that swings around 50,000 fires once. With ` + "`again: once per day`" + ` there is no ` + "`clear`" + `: every trading day begins
armed. Whether a watch is armed outlives restarts, and reloads of the policy as long as file and name stay.

**What cannot be computed** fires nothing: the operator is told, once, and the watch goes on looking. A ` + "`clear`" + ` that cannot be computed is not true.

**Actions** are done in this order, whatever order they are written in. They are of the trader, or, in the fund's file, of the fund:

| action | does |
|---|---|
| ` + "`reduce_only`, `cancel_only`, `halt`" + ` | sets the state REDUCE_ONLY, CANCEL_ONLY or HALTED, until a person resumes |
| ` + "`cancel_all`" + ` | cancels every order that may still trade |
| ` + "`flatten`" + ` | closes every position; see the kill switch in [operations.md](operations.md) |
| ` + "`alert`" + ` | tells the operator |

A watch never lifts anything: not what a person set, nor another watch, nor itself. A trader's watch tells the trader when it fires and when it is armed again.

`

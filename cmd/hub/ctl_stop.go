package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"tradehub/hub/ctl"
)

// The verbs of this file are the kill switch.
func stopVerbs() []verb {
	return []verb{
		stateVerb("halt", "HALTED", "let nothing but cancels out", `No order leaves until hub ctl resume, through restarts too; not even those of hub ctl flatten. Cancels pass, and what works at the venues stays: see cancel-all.`),
		stateVerb("cancel-only", "CANCEL_ONLY", "refuse every order of traders", `Orders are refused until hub ctl resume, through restarts too. Cancels pass, and so does hub ctl flatten.`),
		stateVerb("reduce-only", "REDUCE_ONLY", "let positions become smaller only",
			`Of each trader and contract only orders pass that make the position smaller, all working closes counted: none that opens, none that turns it over. Until hub ctl resume, through restarts too.`),
		stateVerb("resume", "ACTIVE", "take orders again",
			`Ends halt, cancel-only and reduce-only, whether a person or a watch set it. Of the states of a trader, of the fund (--all) and of a gateway the most restrictive holds.`),
		ctlVerb("watches", "what the policies watch after the trade", `Every watch, whether it has fired, and the numbers that it looks at.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Watch, error) { return c.Watches(ctx) }, func(w []ctl.Watch) { writeWatches(e, w) })
				}
			}),
		partVerb("cancel-all", "cancel every active order of a trader, a gateway, a contract, or of all",
			`Asks the venues to cancel; the orders end when they say so. Orders in doubt are asked about, those at gateways that are down are cancelled when they are back, and what the hub had been
asked for before and not decided is not sent. Halt, too, or new ones may follow.`,
			func(ctx context.Context, c *ctl.Client, w ctl.Whom) (any, string, error) {
				n, err := c.CancelAll(ctx, w)
				return n, count(n.Orders, "order") + " to cancel", err
			}),
		partVerb("flatten", "close every position of a trader, a gateway, a contract, or of all",
			`Cancels what works, waits for the ends, and sends closing orders until nothing is left or nothing more can be done; hub ctl status shows how it goes on. A whole trader or gateway, or the
fund, is cancel-only from then on, until hub ctl resume, which also stops it. Nothing is closed of what is halted.`,
			func(ctx context.Context, c *ctl.Client, w ctl.Whom) (any, string, error) {
				f, err := c.Flatten(ctx, w)
				return f, count(f.Orders, "order") + " to cancel, " + count(f.Positions, "position") + " to close", err
			}),
	}
}

// stateVerb is a verb that sets the state of a trader, a gateway or the fund, and wants to be told of which.
func stateVerb(name, state, short, long string) verb {
	return ctlVerb(name, short, long, func(flags *flag.FlagSet, a asker) func(env) error {
		trader := flags.String("trader", "", "one `TRADER`")
		gateway := flags.String("gateway", "", "one `GATEWAY`")
		all := flags.Bool("all", false, "the whole fund")
		reason := flags.String("reason", "", "why, in `WORDS` that traders read")
		return func(e env) error {
			named := 0
			for _, is := range []bool{*trader != "", *gateway != "", *all} {
				if is {
					named++
				}
			}
			if named != 1 {
				return misused("hub ctl "+name+" --trader NAME, or --gateway NAME, or --all", "%s whom?", name)
			}
			return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Done, error) {
				return c.SetState(ctx, state, ctl.Whom{Trader: *trader, Gateway: *gateway, All: *all, Reason: *reason})
			}, func(d ctl.Done) { fmt.Fprintln(e.stdout, d.Done) })
		}
	})
}

// partVerb is a verb that does something to orders or positions: of a trader, at a gateway, in a contract, or to all.
func partVerb(name, short, long string, do func(context.Context, *ctl.Client, ctl.Whom) (any, string, error)) verb {
	return ctlVerb(name, short, long, func(flags *flag.FlagSet, a asker) func(env) error {
		trader := flags.String("trader", "", "of one `TRADER`")
		gateway := flags.String("gateway", "", "at one `GATEWAY`")
		contract := flags.String("contract", "", "in one `CONTRACT`, such as rb2610.SHFE")
		all := flags.Bool("all", false, "of everybody")
		reason := flags.String("reason", "", "why, in `WORDS` that traders read")
		return func(e env) error {
			if (*trader != "" || *gateway != "" || *contract != "") == *all {
				return misused("hub ctl "+name+" --all, or --trader NAME, --gateway NAME, --contract SYMBOL.EXCHANGE, alone or together", "%s what?", name)
			}
			said := ""
			return show(e, a, func(ctx context.Context, c *ctl.Client) (answer any, err error) {
				answer, said, err = do(ctx, c, ctl.Whom{Trader: *trader, Gateway: *gateway, Contract: *contract, All: *all, Reason: *reason})
				return answer, err
			}, func(any) { fmt.Fprintln(e.stdout, said) })
		}
	})
}

// standing is a state in a table; the usual one in the words that are given.
func standing(state, why, usual string) cell {
	switch state {
	case "", "ACTIVE":
		return coloured(usual, green)
	case "REDUCE_ONLY":
		return coloured(why, yellow)
	}
	return coloured(why, red)
}

// writeGateways shows the gateways through which not everything is allowed.
func writeGateways(e env, gateways []ctl.GatewayStanding) {
	rows := [][]cell{headed("GATEWAY STATE")}
	for _, g := range gateways {
		if g.State != "ACTIVE" {
			rows = append(rows, []cell{text(g.Name), standing(g.State, g.Why, "")})
		}
	}
	if len(rows) == 1 {
		return
	}
	fmt.Fprintln(e.stdout)
	writeTable(e, rows)
}

func writeWatches(e env, watches []ctl.Watch) {
	rows := [][]cell{headed("TRADER WATCH PLACE THEN STATE TIMES VALUES")}
	for _, w := range watches {
		state := coloured("armed", green)
		switch {
		case w.Blind != "":
			state = coloured("not computable: "+w.Blind, red)
		case w.Fired:
			state = coloured("fired "+w.Since.Format(time.DateTime), yellow)
		}
		rows = append(rows, []cell{
			text(orFund(w.Trader)), text(w.Name), text(w.Place), text(strings.Join(w.Then, ", ")), state, whole(w.Times), text(strings.Join(w.Values, " ")),
		})
	}
	writeTable(e, rows)
}

// writeChannels shows the gateways whose channels take only so many messages, and whose part of them is how much.
func writeChannels(e env, gateways []ctl.GatewayStanding) {
	rows := [][]cell{headed("CHANNEL MESSAGES USED TRADER SHARE KEPT USED")}
	for _, g := range gateways {
		for _, l := range g.Channel {
			head := []cell{text(g.Name), text(fmt.Sprintf("%d in %s", l.Messages, l.Window)), whole(l.Used)}
			for _, s := range l.Shares {
				rows = append(rows, append(head, text(s.Trader), whole(s.Own), whole(s.Kept), whole(s.Used)))
				head = []cell{text(""), text(""), text("")}
			}
			rows = append(rows, append(head, text("(cancels)"), whole(l.Reserve), whole(l.Reserve), text("")))
		}
	}
	if len(rows) == 1 {
		return
	}
	fmt.Fprintln(e.stdout)
	writeTable(e, rows)
}

func writeFlattening(e env, all []ctl.FlattenStanding) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(e.stdout)
	rows := [][]cell{headed("FLATTEN BY SINCE WHY LEFT")}
	for _, f := range all {
		rows = append(rows, []cell{text(f.Part), text(f.By), text(f.Since.Format(time.TimeOnly)), text(f.Why), coloured(strings.Join(f.Rest, "; "), yellow)})
	}
	writeTable(e, rows)
}

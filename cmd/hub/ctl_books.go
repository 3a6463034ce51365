package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// bookVerbs are about whose is what of the venues' accounts.
func bookVerbs() []verb {
	return []verb{
		ctlVerb("breaks", "where the books and the venues' accounts differ", `What is held by a venue's account and no trader's order explains is unassigned: it counts in the fund, no trader can close it, and
hub ctl transfer position --from unassigned says whose it is. Negative: the venue has less than the traders' books.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Breaks, error) { return c.Breaks(ctx) }, func(b ctl.Breaks) { writeBreaks(e, b) })
				}
			}),
		{
			name: "ctl transfer position", args: "CONTRACT", short: "move a position from one trader to another",
			long: `Both books change in one entry of the journal, and nothing goes to the venue. It goes over at the last mark, so that nobody's equity changes; at --price, as if they had traded; or
--at-cost, with what it has gained or lost. Yesterday's position goes first. What the giver has in working orders that close cannot be moved, and neither side may be
left without money for what it holds. A trader may also be unassigned: what the venue's account has and no trader's order explains.`,
			prepare: prepareTransferPosition,
		},
		{
			name: "ctl transfer capital", short: "move capital from one trader to another, in, or out",
			long: `Without --from it comes from outside, without --to it leaves. It comes on top of what hub.yaml says, for good: do not change capital there as well. What a trader has
frozen cannot be moved.`,
			prepare: prepareTransferCapital,
		},
	}
}

const positionUsage = "usage: hub ctl transfer position rb2610.SHFE --from alpha --to beta --direction long --quantity 3 --reason WORDS"

func prepareTransferPosition(flags *flag.FlagSet) func(env, []string) error {
	a := askFlags(flags)
	from := flags.String("from", "", "the `TRADER` who gives, or unassigned")
	to := flags.String("to", "", "the `TRADER` who takes, or unassigned")
	direction := flags.String("direction", "", "`long or short`: what the giver holds")
	quantity := flags.String("quantity", "", "how `MANY`, in the contract's unit")
	price := flags.String("price", "", "at another `PRICE` than the last mark")
	cost := flags.Bool("at-cost", false, "at what the giver had paid")
	gateway := flags.String("gateway", "", "at which `GATEWAY`, when the giver holds it at several")
	reason := flags.String("reason", "", "why, in `WORDS` that both traders read")
	return func(e env, args []string) error {
		if len(args) != 1 {
			return misused(positionUsage, "which contract?")
		}
		if *from == "" || *to == "" || *direction == "" || *quantity == "" || *reason == "" {
			return misused(positionUsage, "a transfer says from whom, to whom, in which direction, how many, and why")
		}
		qty, err := amount(*quantity)
		if err != nil {
			return misused(positionUsage, "--quantity: %w", err)
		}
		at, err := amount(*price)
		if err != nil {
			return misused(positionUsage, "--price: %w", err)
		}
		if *cost && *price != "" {
			return misused(positionUsage, "--at-cost or --price, not both")
		}
		in := ctl.PositionTransfer{
			Contract: args[0], Gateway: *gateway, Direction: strings.ToUpper(*direction), Quantity: qty, From: *from, To: *to, Price: at, AtCost: *cost, Reason: *reason,
		}
		return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Transferred, error) { return c.TransferPosition(ctx, in) },
			func(t ctl.Transferred) { fmt.Fprintln(e.stdout, t.Done) })
	}
}

const capitalUsage = "usage: hub ctl transfer capital --from alpha --to beta --amount 100_000 --reason WORDS"

func prepareTransferCapital(flags *flag.FlagSet) func(env, []string) error {
	a := askFlags(flags)
	from := flags.String("from", "", "the `TRADER` who gives; without it, it comes from outside")
	to := flags.String("to", "", "the `TRADER` who takes; without it, it leaves")
	money := flags.String("amount", "", "how `MUCH`, in the fund's currency")
	reason := flags.String("reason", "", "why, in `WORDS` that the traders read")
	return func(e env, args []string) error {
		if len(args) > 0 {
			return misused(capitalUsage, "hub ctl transfer capital takes no argument %q", args[0])
		}
		if *from == "" && *to == "" || *money == "" || *reason == "" {
			return misused(capitalUsage, "a transfer says from whom or to whom, how much, and why")
		}
		much, err := amount(*money)
		if err != nil {
			return misused(capitalUsage, "--amount: %w", err)
		}
		in := ctl.CapitalTransfer{From: *from, To: *to, Amount: much, Reason: *reason}
		return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Transferred, error) { return c.TransferCapital(ctx, in) },
			func(t ctl.Transferred) { fmt.Fprintln(e.stdout, t.Done) })
	}
}

// amount reads 100_000, as hub.yaml does; "" is 0.
func amount(s string) (hub.Decimal, error) {
	if s == "" {
		return hub.Decimal{}, nil
	}
	return hub.ParseDecimal(strings.ReplaceAll(s, "_", ""))
}

func writeBreaks(e env, b ctl.Breaks) {
	rows := [][]cell{headed("GATEWAY STATED")}
	for _, s := range b.Statements {
		stated := coloured("never: nothing is compared", yellow)
		if !s.Time.IsZero() {
			stated = text(s.Time.Format(time.DateTime))
		}
		rows = append(rows, []cell{text(s.Gateway), stated})
	}
	writeTable(e, rows)
	fmt.Fprintln(e.stdout)
	if len(b.Unassigned) == 0 {
		fmt.Fprintln(e.stdout, "nothing is unassigned")
	} else {
		writePositions(e, b.Unassigned)
	}
	if len(b.Breaks) == 0 {
		return
	}
	fmt.Fprintln(e.stdout)
	rows = [][]cell{headed("TIME GATEWAY CONTRACT SIDE HUB VENUE")}
	for _, x := range b.Breaks {
		rows = append(rows, []cell{text(x.Time.Format(time.DateTime)), text(x.Gateway), text(x.Contract), text(x.Direction), number(x.Hub), number(x.Venue)})
	}
	writeTable(e, rows)
}

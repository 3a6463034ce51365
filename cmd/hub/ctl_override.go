package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tradehub/hub/ctl"
)

// overrideFor is how long an override is open when nothing is said.
const overrideFor = 15 * time.Minute

// overrideVerbs are about letting one order past rules.
func overrideVerbs() []verb {
	return []verb{
		ctlVerb("override list", "which orders may pass rules, and which did", `Overrides that are open, and with --all the last that ended.`,
			func(flags *flag.FlagSet, a asker) func(env) error {
				all := flags.Bool("all", false, "used, expired and withdrawn ones too")
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Override, error) {
						list, err := c.Overrides(ctx)
						return openOnes(list, *all), err
					}, func(list []ctl.Override) { writeOverrides(e, list) })
				}
			}),
		{
			name: "ctl override ask", args: "CONTRACT", short: "ask to let one order past rules",
			long: `One order of a trader: this contract, direction and quantity, not at a worse price, past the rules that are named and no others. It may go when another person has approved,
until the time is over, once. What cannot be computed, what the hub itself asks of every order and what risk managers say is not lifted. A new policy ends it.
It takes the role ask.`,
			prepare: prepareAsk,
		},
		{
			name: "ctl override approve", args: "NUMBER", short: "approve what another person asked for",
			long: `Look at it first: hub ctl override list. It takes the role approve, and another person than the one who asked.`,
			prepare: overrideNumber("approve", false, func(ctx context.Context, c *ctl.Client, n uint64, _ string) (ctl.Override, error) {
				return c.ApproveOverride(ctx, n)
			}),
		},
		{
			name: "ctl override withdraw", args: "NUMBER", short: "end an override that nobody has used",
			long: `Everybody who reaches the hub may, alone.`,
			prepare: overrideNumber("withdraw", true, func(ctx context.Context, c *ctl.Client, n uint64, why string) (ctl.Override, error) {
				return c.WithdrawOverride(ctx, n, why)
			}),
		},
	}
}

const askUsage = "usage: hub ctl override ask rb2610.SHFE --trader alpha --direction long --quantity 100 --price 3600 --rule order-value --for 10m --reason WORDS"

// names are a flag that may be given several times.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

// Set adds a name, or several between commas.
func (n *names) Set(s string) error {
	*n = append(*n, strings.Split(s, ",")...)
	return nil
}

func prepareAsk(flags *flag.FlagSet) func(env, []string) error {
	a := askFlags(flags)
	var rules names
	trader := flags.String("trader", "", "whose order it is: `TRADER`")
	direction := flags.String("direction", "", "`long or short`")
	offset := flags.String("offset", "", "`open, close, close_today or close_yesterday`; without it, any")
	quantity := flags.String("quantity", "", "how `MANY`, in the contract's unit, neither more nor less")
	price := flags.String("price", "", "the worst `PRICE`; without it any price, and a market order too")
	flags.Var(&rules, "rule", "past which `RULE`; several times for several, trader:NAME or fund:NAME where both have the name")
	open := flags.Duration("for", overrideFor, "for how `LONG`, from now on, 24h at most")
	gateway := flags.String("gateway", "", "through which `GATEWAY`, when several trade it")
	reason := flags.String("reason", "", "why, in `WORDS` for who approves, and for the record")
	return func(e env, args []string) error {
		if len(args) != 1 {
			return misused(askUsage, "which contract?")
		}
		var missing []string
		for _, f := range []struct{ name, value string }{{"--trader", *trader}, {"--direction", *direction}, {"--quantity", *quantity}, {"--rule", rules.String()}, {"--reason", *reason}} {
			if f.value == "" {
				missing = append(missing, f.name)
			}
		}
		if len(missing) > 0 {
			return misused(askUsage, "an override says whose order, in which direction, how many, past which rules, and why; there is no %s", strings.Join(missing, ", "))
		}
		qty, err := amount(*quantity)
		if err != nil {
			return misused(askUsage, "--quantity: %w", err)
		}
		worst, err := amount(*price)
		if err != nil {
			return misused(askUsage, "--price: %w", err)
		}
		in := ctl.OverrideQuestion{
			Trader: *trader, Gateway: *gateway, Contract: args[0], Direction: strings.ToUpper(*direction), Offset: strings.ToUpper(*offset), Quantity: qty, Price: worst, Rules: rules, Reason: *reason,
			Seconds: open.Seconds(),
		}
		return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Override, error) { return c.AskOverride(ctx, in) }, func(v ctl.Override) {
			writeOverride(e, v)
			fmt.Fprintf(e.stdout, "another person approves it: hub ctl override approve %d\n", v.Number)
		})
	}
}

func overrideNumber(name string, reasons bool, do func(context.Context, *ctl.Client, uint64, string) (ctl.Override, error)) func(*flag.FlagSet) func(env, []string) error {
	return func(flags *flag.FlagSet) func(env, []string) error {
		a := askFlags(flags)
		reason := new(string)
		if reasons {
			reason = flags.String("reason", "", "why, in `WORDS`")
		}
		return func(e env, args []string) error {
			usage := "usage: hub ctl override " + name + " 3"
			if len(args) != 1 {
				return misused(usage, "which override?")
			}
			n, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return misused(usage, "%q is no number of an override", args[0])
			}
			return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Override, error) { return do(ctx, c, n, *reason) }, func(v ctl.Override) { writeOverride(e, v) })
		}
	}
}

func openOnes(list []ctl.Override, all bool) []ctl.Override {
	out := []ctl.Override{}
	for _, v := range list {
		if all || v.State == "ASKED" || v.State == "APPROVED" {
			out = append(out, v)
		}
	}
	return out
}

// overrideOrder is the one order, in words.
func overrideOrder(v ctl.Override) string {
	words := []string{v.Trader + ":", strings.TrimSpace(v.Direction + " " + v.Offset), v.Quantity.String(), v.Contract}
	if v.Price.IsZero() {
		return strings.Join(append(words, "at any price"), " ")
	}
	return strings.Join(append(words, "at", v.Price.String(), "or better"), " ")
}

func writeOverride(e env, v ctl.Override) {
	rules := make([]string, len(v.Rules))
	for i := range rules {
		rules[i] = v.Rules[i] + " (" + v.Places[i] + ")"
	}
	rows := [][]cell{
		{coloured(fmt.Sprintf("override %d", v.Number), bold), overrideState(v)},
		{text("order"), text(overrideOrder(v) + ", through " + v.Gateway)},
		{text("past"), text(strings.Join(rules, ", ") + " of revision " + v.Revision)},
		{text("until"), text(v.Expires.Format(time.DateTime))},
		{text("asked"), text(fmt.Sprintf("by %s at %s: %s", v.AskedBy, v.Asked.Format(time.DateTime), v.Reason))},
	}
	if v.ApprovedBy != "" {
		rows = append(rows, []cell{text("approved"), text(fmt.Sprintf("by %s at %s", v.ApprovedBy, v.Approved.Format(time.DateTime)))})
	}
	if !v.Ended.IsZero() {
		rows = append(rows, []cell{text("ended"), text(strings.TrimSpace(v.Ended.Format(time.DateTime) + " " + overrideEnd(v)))})
	}
	writeTable(e, rows)
}

func overrideState(v ctl.Override) cell {
	switch v.State {
	case "APPROVED":
		return coloured(v.State, red) // a rule does not hold for one order
	case "ASKED":
		return coloured(v.State, yellow)
	}
	return text(v.State)
}

func overrideEnd(v ctl.Override) string {
	var parts []string
	for _, part := range []string{v.Order, v.EndedBy, v.Why} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

func writeOverrides(e env, list []ctl.Override) {
	rows := [][]cell{headed("NUMBER STATE ORDER PAST UNTIL ASKED-BY APPROVED-BY END REASON")}
	for _, v := range list {
		rows = append(rows, []cell{
			text(strconv.FormatUint(v.Number, 10)), overrideState(v), text(overrideOrder(v)), text(strings.Join(v.Rules, ", ")), text(v.Expires.Format(time.DateTime)), text(v.AskedBy), text(v.ApprovedBy),
			text(overrideEnd(v)), text(v.Reason),
		})
	}
	writeTable(e, rows)
}

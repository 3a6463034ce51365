package main

import (
	"context"
	"flag"
	"fmt"

	"tradehub/hub/ctl"
)

const amendUsage = "usage: hub ctl amend ORDER_ID --price 3490 --quantity 5"

// amendVerbs change working orders.
func amendVerbs() []verb {
	return []verb{{
		name: "ctl amend", args: "ORDER_ID", short: "change the price or the quantity of a working order",
		long: `The quantity is the order's in all, what is filled included. Decided by all rules and risk managers as the order that it becomes, and sent to the venue; until that has answered, the hub
holds the larger of both. Limit orders only, and only at gateways that can: elsewhere cancel the order, and let it be sent anew.`,
		prepare: prepareAmend,
	}}
}

func prepareAmend(flags *flag.FlagSet) func(env, []string) error {
	a := askFlags(flags)
	price := flags.String("price", "", "the new `PRICE`; without it, the price stays")
	quantity := flags.String("quantity", "", "how `MANY` in all; without it, the quantity stays")
	return func(e env, args []string) error {
		if len(args) != 1 {
			return misused(amendUsage, "which order?")
		}
		if *price == "" && *quantity == "" {
			return misused(amendUsage, "to which price, or which quantity?")
		}
		in := ctl.NewAmendment{Order: args[0]}
		var err error
		if in.Price, err = amount(*price); err != nil {
			return misused(amendUsage, "--price: %w", err)
		}
		if in.Quantity, err = amount(*quantity); err != nil {
			return misused(amendUsage, "--quantity: %w", err)
		}
		return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Order, error) { return c.Amend(ctx, in) }, func(o ctl.Order) {
			fmt.Fprintf(e.stdout, "order %s is for %s at %s, and is being amended to %s at %s\n", o.ID, o.Quantity, o.Price, o.Amendment.Quantity, o.Amendment.Price)
		})
	}
}

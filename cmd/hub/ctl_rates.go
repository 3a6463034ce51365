package main

import (
	"context"
	"flag"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// rateVerbs are about what other currencies are worth in the fund's.
func rateVerbs() []verb {
	return []verb{
		ctlVerb("rates", "what other currencies are worth, since when and by whom", `The newest word on each currency: that of hub.yaml counts as said when the hub first read it.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Rates, error) { return c.Rates(ctx) }, func(r ctl.Rates) { writeRates(e, r) })
				}
			}),
		{
			name: "ctl rates set", args: "CURRENCY RATE", short: "say what a currency is worth in the fund's",
			long: `What is held and worked in that currency is valued by the new rate at once, and so is every order. It stays, through restarts too, until another is said here or hub.yaml says
another than before. A rate that moves to more than twice, or to less than half, is most likely a slip, and wants --jump.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				jump := flags.Bool("jump", false, "it moved by more than twice")
				return func(e env, args []string) error {
					if len(args) != 2 {
						return misused("usage: hub ctl rates set USDT 7.12", "which currency, and what is it worth?")
					}
					rate, err := hub.ParseDecimal(args[1])
					if err != nil {
						return misused("usage: hub ctl rates set USDT 7.12", "%w", err)
					}
					return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Rates, error) {
						return c.SetRate(ctx, ctl.NewRate{Currency: args[0], Rate: rate, Jump: *jump})
					}, func(r ctl.Rates) { writeRates(e, r) })
				}
			},
		},
	}
}

func writeRates(e env, r ctl.Rates) {
	rows := [][]cell{headed("CURRENCY IN_" + r.Currency + " SINCE AGE BY STATE")}
	for _, rate := range r.Rates {
		state := text("")
		if rate.Old {
			state = coloured("too old: only what reduces a position passes", red)
		}
		age := time.Duration(rate.Age * float64(time.Second)).Round(time.Second)
		rows = append(rows, []cell{text(rate.Currency), number(rate.Rate), text(rate.Time.Format(time.DateTime)), number(age), text(rate.By), state})
	}
	rows[0][1].text = strings.ReplaceAll(rows[0][1].text, "_", " ")
	writeTable(e, rows)
}

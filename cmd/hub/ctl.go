package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tradehub/hub/ctl"
)

// askMax is how long a ctl command waits for the hub.
const askMax = 40 * time.Second

// asker is what the ctl verbs have in common: where the hub is, and how to show what it answers.
type asker struct {
	data, config, socket *string
	json                 *bool
}

func askFlags(flags *flag.FlagSet) asker {
	return asker{
		data:   flags.String("data", "", "the `DIR` of the hub's data"),
		config: flags.String("config", "", "the configuration `FILE` of the hub, which names the directory"),
		socket: flags.String("socket", "", "the desk's `SOCKET`, for people of the hub who are not its own user"),
		json:   flags.Bool("json", false, "for programs"),
	}
}

// client finds the data directory: as it is named, or by the configuration, or by what lies here.
func (a asker) client(e env) (*ctl.Client, error) {
	switch {
	case *a.data != "" && *a.config != "":
		return nil, misused("the configuration names the directory", "--data or --config, not both")
	case *a.socket != "" && *a.data+*a.config != "":
		return nil, misused("the socket is enough", "--socket, or --data, or --config, not two of them")
	case *a.socket != "":
		return ctl.NewDeskClient(*a.socket), nil
	case *a.data != "":
		return ctl.NewClient(*a.data), nil
	case *a.config != "":
		return configured(e, *a.config)
	}
	for _, file := range []string{configDefault} {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return configured(e, file)
		}
	}
	if _, err := os.Stat(demoDataDefault); err == nil {
		return ctl.NewClient(demoDataDefault), nil
	}
	return nil, misused("write --data DIR, --config FILE or --socket SOCKET", "which hub? there is neither %s nor %s here", configDefault, demoDataDefault)
}

// configured asks the hub of a configuration: by its own socket, or, of whom that is not for, by the desk's.
func configured(e env, file string) (*ctl.Client, error) {
	c, err := mustConfig(e, file)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(c.Data, ctl.SocketName)); errors.Is(err, fs.ErrPermission) && c.Desk.Socket != "" {
		return ctl.NewDeskClient(c.Desk.Socket), nil
	}
	return ctl.NewClient(c.Data), nil
}

// show writes an answer: as JSON, or as the table that it is for people.
func show[T any](e env, a asker, ask func(context.Context, *ctl.Client) (T, error), table func(T)) error {
	client, err := a.client(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askMax)
	defer cancel()
	answer, err := ask(ctx, client)
	if err != nil {
		return err
	}
	if *a.json {
		return writeJSON(e.stdout, answer)
	}
	table(answer)
	return nil
}

// ctlVerb is a verb that asks the hub one thing.
func ctlVerb(name, short, long string, prepare func(*flag.FlagSet, asker) func(env) error) verb {
	return verb{
		name: "ctl " + name, short: short, long: long,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			do := prepare(flags, askFlags(flags))
			return func(e env, _ []string) error { return do(e) }
		},
	}
}

func ctlVerbs() []verb {
	return []verb{
		ctlVerb("status", "the hub in one page", `The journal, the addresses, the plugins, the fund and its traders.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Status, error) { return c.Status(ctx) }, func(s ctl.Status) { writeStatus(e, s) })
				}
			}),
		ctlVerb("orders", "active orders, or all of them", `Orders that may still trade; with --all also those that are done.`,
			func(flags *flag.FlagSet, a asker) func(env) error {
				trader := flags.String("trader", "", "of one `TRADER`")
				all := flags.Bool("all", false, "done ones too")
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Order, error) { return c.Orders(ctx, *trader, !*all) }, func(o []ctl.Order) { writeOrders(e, o) })
				}
			}),
		ctlVerb("trades", "fills", `Fills of the orders that the hub remembers: today's, and some thousand older ones of each trader.`,
			func(flags *flag.FlagSet, a asker) func(env) error {
				trader := flags.String("trader", "", "of one `TRADER`")
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Trade, error) { return c.Trades(ctx, *trader) }, func(t []ctl.Trade) { writeTrades(e, t) })
				}
			}),
		ctlVerb("positions", "what the fund, or a trader, holds", `The fund's positions; with --trader a trader's.`,
			func(flags *flag.FlagSet, a asker) func(env) error {
				trader := flags.String("trader", "", "of one `TRADER`")
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Position, error) { return c.Positions(ctx, *trader) }, func(p []ctl.Position) { writePositions(e, p) })
				}
			}),
		ctlVerb("accounts", "the money of the fund and its traders", `Capital, balance and what is held of it.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Account, error) { return c.Accounts(ctx) }, func(all []ctl.Account) { writeAccounts(e, all) })
				}
			}),
		ctlVerb("plugins", "how the gateways and risk managers are", `State, process, restarts, and the numbers that a risk manager publishes.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Plugin, error) { return c.Plugins(ctx) }, func(p []ctl.Plugin) { writePlugins(e, p); writeNumbers(e, p) })
				}
			}),
		ctlVerb("policy reload", "read the policy files again", `All files or none: with an error in any of them the old revision stays, the errors are listed, and the exit code is 1.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error { return reload(e, a) }
			}),
		ctlVerb("rpc start", "open the traders' addresses", `Binds every trader's pair of addresses.`, func(_ *flag.FlagSet, a asker) func(env) error {
			return func(e env) error {
				return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Done, error) { return c.StartRPC(ctx) }, func(d ctl.Done) { fmt.Fprintln(e.stdout, d.Done) })
			}
		}),
		ctlVerb("rpc stop", "close the traders' addresses", `Gateways stay connected and orders live on; traders connect again after rpc start.`, func(_ *flag.FlagSet, a asker) func(env) error {
			return func(e env) error {
				return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Done, error) { return c.StopRPC(ctx) }, func(d ctl.Done) { fmt.Fprintln(e.stdout, d.Done) })
			}
		}),
		{
			name: "ctl log", args: "LEVEL", short: "how much the hub logs: trace, debug, info, warn, error",
			long: `Changes the level of the hub's log until it ends.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				return func(e env, args []string) error {
					if len(args) != 1 {
						return misused("usage: hub ctl log trace|debug|info|warn|error", "which level?")
					}
					return show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Done, error) { return c.SetLogLevel(ctx, args[0]) }, func(d ctl.Done) { fmt.Fprintln(e.stdout, d.Done) })
				}
			},
		},
	}
}

func reload(e env, a asker) error {
	var failed error
	err := show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Reloaded, error) {
		r, err := c.ReloadPolicy(ctx)
		if err == nil && len(r.Errors) > 0 {
			failed = not("", "%s; revision %s stays in force", count(len(r.Errors), "error"), r.Revision)
		}
		return r, err
	}, func(r ctl.Reloaded) {
		if len(r.Errors) > 0 {
			writeLines(e.stderr, mapped(r.Errors, printable))
			return
		}
		for _, w := range r.Warnings {
			fmt.Fprintln(e.stderr, "warning:", printable(w))
		}
		fmt.Fprintf(e.stdout, "revision %s from %s\n", r.Revision, count(r.Files, "file"))
	})
	return errors.Join(err, failed)
}

func writeStatus(e env, s ctl.Status) {
	state := coloured("ready", green)
	switch {
	case s.Refusing != "":
		state = coloured("refusing new orders: "+s.Refusing, red)
	case !s.Ready:
		state = coloured("starting", yellow)
	}
	writeTable(e, [][]cell{
		{coloured("hub", bold), state},
		{text("version"), text(fmt.Sprintf("%s, process %d, since %s", s.Version, s.PID, s.Started.Format(time.DateTime)))},
		{text("fund"), text(fmt.Sprintf("%s, %s, trading day %s", s.Fund, s.Currency, s.Day))},
		{text("policy"), text("revision " + s.Revision)},
		{text("journal"), text(fmt.Sprintf("%s, %d entries, in %s", s.Journal, s.Entries, s.Data))},
	})
	fmt.Fprintln(e.stdout)
	rows := [][]cell{headed("TRADER REQUEST PUBLISH CLIENTS SUBSCRIBERS STATE")}
	for _, l := range s.RPC {
		state := coloured("open", green)
		if !l.Running {
			state = coloured("closed", red)
		}
		rows = append(rows, []cell{text(l.Trader), text(l.Request), text(l.Publish), whole(l.Clients), whole(l.Subscribers), state})
	}
	writeTable(e, rows)
	fmt.Fprintln(e.stdout)
	writePlugins(e, s.Plugins)
	fmt.Fprintln(e.stdout)
	rows = [][]cell{headed("TRADER BALANCE AVAILABLE ACTIVE IN-DOUBT ORDERS TRADES REJECTS STATE")}
	for _, t := range s.Traders {
		state := standing(t.State, t.Why, "trading")
		if t.State == "ACTIVE" && !t.Configured {
			state = coloured("not configured", yellow)
		}
		rows = append(rows, []cell{
			text(orFund(t.Trader)), number(t.Account.Balance), number(t.Account.Available), whole(t.Active), whole(t.InDoubt), whole(t.Orders), whole(t.Trades), whole(t.Rejects), state,
		})
	}
	writeTable(e, rows)
	writeGateways(e, s.Gateways)
	writeChannels(e, s.Gateways)
	writeFlattening(e, s.Flattening)
}

func orFund(trader string) string {
	if trader == "" {
		return "(fund)"
	}
	return trader
}

func writePlugins(e env, plugins []ctl.Plugin) {
	rows := [][]cell{headed("PLUGIN KIND STATE SINCE PID RESTARTS REASON")}
	for _, p := range plugins {
		colour := red
		switch p.State {
		case "up":
			colour = green
		case "starting":
			colour = yellow
		}
		rows = append(rows, []cell{
			text(p.Name), text(p.Kind), coloured(p.State, colour), text(p.Since.Format(time.DateTime)), whole(p.PID), whole(p.Restarts), text(p.Reason),
		})
	}
	writeTable(e, rows)
}

func writeNumbers(e env, plugins []ctl.Plugin) {
	for _, p := range plugins {
		if len(p.Numbers) == 0 {
			continue
		}
		fmt.Fprintln(e.stdout)
		rows := [][]cell{headed("MANAGER NUMBER TRADER VALUE")}
		for _, n := range p.Numbers {
			rows = append(rows, []cell{text(p.Name), text(n.Name), text(orFund(n.Trader)), number(n.Value)})
		}
		writeTable(e, rows)
	}
}

func writeOrders(e env, orders []ctl.Order) {
	rows := [][]cell{headed("ORDER TRADER CONTRACT SIDE TYPE PRICE QUANTITY FILLED STATUS TIME REASON")}
	for _, o := range orders {
		status := coloured(o.Status, "")
		if o.InDoubt {
			status = coloured(o.Status+" (in doubt)", red)
		}
		if o.Override != 0 {
			o.Reason = strings.TrimSuffix(fmt.Sprintf("override %d; %s", o.Override, o.Reason), "; ")
		}
		if o.Amendment != nil {
			o.Reason = strings.TrimSuffix(fmt.Sprintf("to be %s at %s; %s", o.Amendment.Quantity, o.Amendment.Price, o.Reason), "; ")
		}
		rows = append(rows, []cell{
			text(o.ID), text(o.Trader), text(o.Contract), text(strings.TrimSuffix(o.Direction+" "+o.Offset, " NONE")), text(o.Type), number(o.Price), number(o.Quantity), number(o.Filled),
			status, text(o.Time.Format(time.TimeOnly)), text(o.Reason),
		})
	}
	writeTable(e, rows)
}

func writeTrades(e env, trades []ctl.Trade) {
	rows := [][]cell{headed("TRADE ORDER TRADER CONTRACT SIDE PRICE QUANTITY COMMISSION DAY TIME")}
	for _, t := range trades {
		rows = append(rows, []cell{
			text(t.ID), text(t.OrderID), text(t.Trader), text(t.Contract), text(strings.TrimSuffix(t.Direction+" "+t.Offset, " NONE")), number(t.Price), number(t.Quantity), number(t.Commission),
			text(t.Day), text(t.Time.Format(time.TimeOnly)),
		})
	}
	writeTable(e, rows)
}

func writePositions(e env, positions []ctl.Position) {
	rows := [][]cell{headed("TRADER CONTRACT SIDE QUANTITY TODAY YESTERDAY FROZEN PRICE PNL")}
	for _, p := range positions {
		if p.Quantity.IsZero() && p.Frozen.IsZero() {
			continue // held earlier today; --json has it
		}
		rows = append(rows, []cell{
			text(orFund(p.Trader)), text(p.Contract), text(p.Direction), number(p.Quantity), number(p.Today), number(p.Yesterday), number(p.Frozen), number(p.Price), number(p.PnL),
		})
	}
	writeTable(e, rows)
}

func writeAccounts(e env, accounts []ctl.Account) {
	rows := [][]cell{headed("TRADER CAPITAL BALANCE AVAILABLE FROZEN REALISED UNREALISED COMMISSION DAY DRAWDOWN LOSSES")}
	for _, a := range accounts {
		rows = append(rows, []cell{
			text(orFund(a.Trader)), number(a.Capital), number(a.Balance), number(a.Available), number(a.Frozen), number(a.Realised), number(a.Unrealised), number(a.Commission),
			number(a.DayPnL), number(a.Drawdown), whole(a.Losses),
		})
	}
	writeTable(e, rows)
}

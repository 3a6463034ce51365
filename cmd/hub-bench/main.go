// Command hub-bench measures the hub beside stock VeighNa, on this machine, in one run.
//
//	hub-bench [run]    both in turns, and the table of docs/benchmarks.md
//	hub-bench soak     trade for an hour, and see what memory it takes
//
// Everything that is started here is bounded in time and ended before the command ends. Rounds alternate between the two, so that whatever else the machine does hits both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"tradehub/plugins"
)

func main() {
	if isFlood() {
		plugins.ServeGateway(newFlood())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "hub-bench: error: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "hub-bench: error: %v\n", err)
		os.Exit(1)
	}
}

// errUsage says that the command line is wrong.
var errUsage = errors.New("wrong command line")

// settings are where things are.
type settings struct {
	// hub is the hub's program; its plugins are in plugins/ beside it.
	hub string
	// python has stock VeighNa 4.5.0; scripts has load.py and stock_server.py.
	python, scripts string
	// riskManager is the folder with vnpy_riskmanager 2.0.0.
	riskManager string
	// dir is where data is kept while it runs, on a disk.
	dir string
	// page is the file whose marked part is written anew; "" writes none.
	page string
	say  io.Writer
	// command is what was measured, for the page: the command line without where things are.
	command string
	// version is what the hub's program says that it is.
	version string
	// stated is the version of VeighNa that the hub's configuration states for its trader; "" for none.
	stated string
}

func command(ctx context.Context, args []string, out io.Writer) error {
	verb, rest := "run", args
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		verb, rest = args[0], args[1:]
	}
	s := settings{say: out}
	flags := flag.NewFlagSet("hub-bench "+verb, flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.hub, "hub", "bin/hub", "the hub's `PROGRAM`")
	flags.StringVar(&s.dir, "dir", "data/bench", "a `DIR` on a real disk; what is in it is removed")
	flags.StringVar(&s.page, "page", "docs/benchmarks.md", "the `FILE` to write the table into, \"\" for none")
	var do func() error
	switch verb {
	case "run":
		o := runOptions{}
		flags.IntVar(&o.rounds, "rounds", 5, "rounds of each measurement")
		flags.IntVar(&o.orders, "orders", 300, "orders of each stock client in a round")
		flags.StringVar(&s.stated, "stated", "", "the `VERSION` of VeighNa that the trader's entry states, 4.5; without it events go out in both framings")
		flags.StringVar(&o.only, "only", "", "one `PART` alone: floors, latency, orders, ticks, rules, memory; of the page only the rules are written then")
		flags.StringVar(&s.python, "python", os.Getenv("HUB_VNPY45_PYTHON"), "the `PROGRAM` that runs stock VeighNa 4.5.0")
		flags.StringVar(&s.riskManager, "riskmanager", os.Getenv("HUB_RISKMANAGER"), "the `DIR` of vnpy_riskmanager 2.0.0, built")
		flags.StringVar(&s.scripts, "scripts", "tests/veighna", "the `DIR` of load.py and stock_server.py")
		do = func() error { return measure(ctx, s, o) }
	case "soak":
		o := soakOptions{}
		flags.Float64Var(&o.minutes, "minutes", 60, "how long to trade")
		flags.IntVar(&o.perSecond, "rate", 36, "orders a second, of both traders together")
		do = func() error { return soak(ctx, s, o) }
	default:
		return fmt.Errorf("%w: there is no %q; there are run and soak", errUsage, verb)
	}
	if err := flags.Parse(rest); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: %q is too much", errUsage, flags.Arg(0))
	}
	s.command = commandOf(verb, flags)
	return do()
}

// commandOf writes the command line anew, without flags that only say where things are.
func commandOf(verb string, flags *flag.FlagSet) string {
	line := "bin/hub-bench " + verb
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "hub", "dir", "page", "python", "scripts", "riskmanager":
		default:
			line += " --" + f.Name + " " + f.Value.String()
		}
	})
	return line
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tradehub/hub/config"
	"tradehub/policies"
)

const (
	// demoDataDefault is where the demo keeps its data, seen from where it is started.
	demoDataDefault = "demo-data"
	// demoPorts is how many ports the demo takes with --base-port.
	demoPorts = 4
)

func demoVerb() verb {
	return verb{
		name: "demo", short: "run a whole house: two traders, a simulated market, the margin manager",
		long: `Runs a hub with the traders alpha (2,000,000 CNY) and beta (500,000 CNY), the simulated market SIM, the margin manager and the sample policies. alpha has the addresses
that VeighNa's connect dialog shows by default; beta has the next. Everything is kept in the data directory, ./` + demoDataDefault + ` unless --data names another: the journal, the
market, the policies (edit them, then hub ctl policy reload) and hub.yaml, a configuration to begin your own with.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			base := flags.Int("base-port", 0, "alpha on ports `N` and N+1, beta on N+2 and N+3, instead of 2014, 4102, 2015, 4103")
			data := flags.String("data", demoDataDefault, "the `DIR` for all that the demo keeps")
			logs := logFlags(flags)
			return func(e env, _ []string) error {
				log, err := logs.logger(e)
				if err != nil {
					return err
				}
				ports, err := portsFrom(*base)
				if err != nil {
					return err
				}
				c, err := demoConfig(*data, ports)
				if err != nil {
					return err
				}
				calendars, err := mustCalendars(e, filepath.Join(*data, configDefault), c)
				if err != nil {
					return err
				}
				return serve(e, c, calendars, log)
			}
		},
	}
}

// ports are alpha's request and publish, and beta's.
type ports [demoPorts]int

func portsFrom(base int) (ports, error) {
	if base == 0 {
		return ports{2014, 4102, 2015, 4103}, nil
	}
	if base < 1 || base > 65535-demoPorts+1 {
		return ports{}, misused("write one from 1024 to 65532", "--base-port %d is no port with three more above it", base)
	}
	return ports{base, base + 1, base + 2, base + 3}, nil
}

const demoYAML = `# Written by hub demo at every start; copy it to begin a configuration of your own, and see docs/ for what more it can say.
data: .
fund: {name: demo, currency: CNY, rates: {USDT: 7.1}}
traders:
  alpha:
    capital: 2_000_000
    veighna: {request: "tcp://127.0.0.1:%d", publish: "tcp://127.0.0.1:%d"}
  beta:
    capital: 500_000
    veighna: {request: "tcp://127.0.0.1:%d", publish: "tcp://127.0.0.1:%d"}
gateways:
  SIM: {plugin: sim, settings: {}}
risk_managers:
  margin:
    plugin: margin
    deadline: 500ms          # a busy desktop must not refuse a demo's orders
policies: policies
`

// demoConfig prepares the data directory: the configuration, and on the first run the policies.
func demoConfig(data string, p ports) (config.Config, error) {
	if err := ownDirectory(data); err != nil {
		return config.Config{}, err
	}
	text := fmt.Sprintf(demoYAML, p[0], p[1], p[2], p[3])
	file := filepath.Join(data, configDefault)
	c, errs := config.Parse(file, []byte(text))
	if len(errs) > 0 { // a bug of this file
		return config.Config{}, fmt.Errorf("the demo's own configuration: %w", errs[0])
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return config.Config{}, err
	}
	c.PoliciesAnywhere = true
	return c, copyPolicies(c.Policies)
}

// copyPolicies puts the sample policies where the user can edit them, unless there is something already. They come all at once, or not at all.
func copyPolicies(to string) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	next := to + ".new"
	if err := os.RemoveAll(next); err != nil {
		return err
	}
	if err := os.CopyFS(next, policies.Files); err != nil {
		return fmt.Errorf("sample policies: %w", err)
	}
	return os.Rename(next, to)
}

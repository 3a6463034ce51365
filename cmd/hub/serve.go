package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub/calendar"
	"tradehub/hub/config"
)

// configDefault is the configuration that serve, check and ctl look for.
const configDefault = "hub.yaml"

func serveVerb() verb {
	return verb{
		name: "serve", short: "run the hub that a configuration describes",
		long: `Opens the journal, loads the policies, starts the plugins, binds the traders' addresses and, when all of that is done, writes one line to stdout that begins with
READY. SIGTERM or Ctrl-C: no new orders, traders told, plugins stopped, journal closed, exit code 0, within 5 s; a second one ends it at once with exit code 130. SIGHUP
reads the policies again. The log goes to stderr.`,
		prepare: func(flags *flag.FlagSet) func(env, []string) error {
			file := flags.String("config", configDefault, "the configuration `FILE`")
			logs := logFlags(flags)
			return func(e env, _ []string) error {
				log, err := logs.logger(e)
				if err != nil {
					return err
				}
				c, err := mustConfig(e, *file)
				if err != nil {
					return err
				}
				calendars, err := mustCalendars(e, *file, c)
				if err != nil {
					return err
				}
				return serve(e, c, calendars, log)
			}
		},
	}
}

type logOptions struct {
	level *string
	json  *bool
}

func logFlags(flags *flag.FlagSet) logOptions {
	return logOptions{
		level: flags.String("log", "info", "the log's `LEVEL`: trace, debug, info, warn, error"),
		json:  flags.Bool("log-json", false, "the log in JSON"),
	}
}

func (o logOptions) logger(e env) (hclog.Logger, error) {
	level := hclog.LevelFromString(*o.level)
	if level == hclog.NoLevel {
		return nil, misused("there are trace, debug, info, warn, error", "there is no log level %q", *o.level)
	}
	options := &hclog.LoggerOptions{Name: "hub", Level: level, Output: e.stderr, JSONFormat: *o.json}
	if _, file := e.stderr.(*os.File); file && os.Getenv("NO_COLOR") == "" && !*o.json {
		options.Color = hclog.AutoColor
		options.ColorHeaderOnly = true
	}
	return hclog.New(options), nil
}

// serve runs a hub until a signal ends it.
func serve(e env, c config.Config, calendars *calendar.Set, log hclog.Logger) error {
	signal.Ignore(syscall.SIGPIPE) // whoever reads the log may go away; the hub does not go with them
	h, err := openHouse(e, c, calendars, log)
	if err != nil {
		return err
	}
	// Until here a signal simply ends the process: nothing runs yet, and the journal is made for worse.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	var pacing sync.WaitGroup
	defer pacing.Wait()
	defer cancel()
	pacing.Go(func() { paceHeap(ctx) })

	ended := make(chan error, 1)
	go func() { ended <- h.live(ctx) }()
	for {
		select {
		case err := <-ended:
			return errors.Join(err, e.end(signals, log, h.stop))
		case s := <-signals:
			if s == syscall.SIGHUP {
				h.reload(ctx)
				continue
			}
			log.Info("ending; again ends at once", "signal", s)
			cancel()
			err := <-ended
			return errors.Join(err, e.end(signals, log, h.stop))
		}
	}
}

// live starts everything, says so, and returns when ctx ends or something cannot start.
func (h *house) live(ctx context.Context) error {
	if err := h.start(ctx); err != nil {
		return quiet(ctx, err)
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !h.config.PoliciesByHand {
		watching.Go(func() { h.watchPolicies(ctx) })
	}
	if err := h.openAddresses(ctx); err != nil {
		return quiet(ctx, err)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-h.up.everything:
	}
	writeAddresses(h.env.stdout, h.config)
	fmt.Fprintf(h.env.stdout, "READY %s, %s, policy %s\n", count(len(h.config.Traders), "trader"), count(len(h.config.Gateways)+len(h.config.Managers), "plugin"), h.runner.Revision())
	h.log.Info("ready", "took", time.Since(h.started).Round(time.Millisecond), "entries", h.runner.Seq())
	<-ctx.Done()
	return nil
}

// quiet drops an error that only says that we are ending.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// end stops the hub, in time: a second signal, or a part that hangs, ends the process.
func (e env) end(signals <-chan os.Signal, log hclog.Logger, stop func() error) error {
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	timer := time.NewTimer(stopMax)
	defer timer.Stop()
	for {
		select {
		case err := <-stopped:
			if err == nil {
				log.Info("ended")
			}
			return err
		case s := <-signals:
			if s == syscall.SIGHUP {
				continue
			}
			log.Warn("ended at once", "signal", s)
			e.exit(exitSecond)
			return nil
		case <-timer.C:
			log.Error("a part does not stop; ended without it", "after", stopMax)
			e.exit(exitNot)
			return nil
		}
	}
}

func (h *house) reload(ctx context.Context) {
	r, err := operator{h}.ReloadPolicy(ctx, "SIGHUP")
	if err != nil {
		h.log.Error("policies not read", "error", err)
	}
	for _, line := range r.Errors {
		h.log.Error("policy", "error", line)
	}
}

// writeAddresses shows each trader's pair under the names that VeighNa's connect dialog has for them.
func writeAddresses(w io.Writer, c config.Config) {
	for _, t := range c.Traders {
		fmt.Fprintf(w, "%s\n  主动请求地址  %s\n  推送订阅地址  %s\n", t.Name, toConnect(t.VeighNa.Request), toConnect(t.VeighNa.Publish))
	}
}

// toConnect is the address to connect to, of one to bind: nobody connects to 0.0.0.0.
func toConnect(endpoint string) string {
	return strings.Replace(endpoint, "//0.0.0.0:", "//127.0.0.1:", 1)
}

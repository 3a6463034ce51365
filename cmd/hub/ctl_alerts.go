package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"time"

	"tradehub/hub/ctl"
	"tradehub/hub/runner"
)

func alertVerbs() []verb {
	return []verb{
		ctlVerb("alerts", "what a person must look at", `What the hub raised since it began, the oldest first: policies that were refused, watches that fired, breaks between books and venues, reports that make no sense.
With --follow it stays and shows every new one as it comes, with --json one a line.`,
			func(flags *flag.FlagSet, a asker) func(env) error {
				follow := flags.Bool("follow", false, "stay, and show new ones as they come")
				return func(e env) error {
					if *follow {
						return followAlerts(e, a)
					}
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.Alert, error) { return c.Alerts(ctx, 0, false) }, func(all []ctl.Alert) {
						if len(all) == 0 {
							fmt.Fprintln(e.stdout, "no alerts since the hub began")
						}
						for _, alert := range all {
							writeAlert(e, alert)
						}
					})
				}
			}),
	}
}

func writeAlert(e env, a ctl.Alert) {
	fmt.Fprintf(e.stdout, "%s  %s\n", a.Time.Format(time.DateTime), printable(a.Text))
}

// followAlerts shows alerts as they come, until the hub ends or nobody reads them.
func followAlerts(e env, a asker) error {
	client, err := a.client(e)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(e.stdout)
	for after := uint64(0); ; {
		all, err := client.Alerts(context.Background(), after, true)
		if err != nil {
			return err
		}
		for _, alert := range all {
			after = alert.Seq
			if !*a.json {
				writeAlert(e, alert)
				continue
			}
			if err := lines.Encode(alert); err != nil {
				return err
			}
		}
	}
}

// Alerts are those after the one of a number.
func (o operator) Alerts(ctx context.Context, after uint64) []ctl.Alert {
	for {
		all, next := o.h.runner.Alerts(after)
		if len(all) > 0 {
			return mapped(all, func(a runner.Alert) ctl.Alert {
				return ctl.Alert{Seq: a.Seq, Time: o.clock(a.Time.UTC()), Text: a.Text}
			})
		}
		select {
		case <-next:
		case <-ctx.Done():
			return []ctl.Alert{}
		}
	}
}

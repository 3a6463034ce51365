package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

// numbersMax is how many numbers a file may have; what one request has room for is sent at once.
const numbersMax = 800

// numberVerbs are about the numbers that people and risk managers publish for rules.
func numberVerbs() []verb {
	const usage = "usage: hub ctl numbers set adv 1200000 --of rb2610.SHFE"
	return []verb{
		ctlVerb("numbers", "the numbers that were published for rules, since when and by whom",
			`What contract.number("adv"), trader.number("margin.ratio") and fund.number("nav") answer. Those of risk managers are here when a rule in force asks for them.`,
			func(_ *flag.FlagSet, a asker) func(env) error {
				return func(e env) error {
					return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.PublishedNumber, error) {
						return c.PublishedNumbers(ctx)
					}, func(n []ctl.PublishedNumber) { writePublished(e, n) })
				}
			}),
		{
			name: "ctl numbers set", args: "NAME VALUE", short: "publish a number for rules",
			long: `It stays, through restarts too, until another is said or it is withdrawn. --of says whose it is: a trader, a contract (rb2610.SHFE) or a product (rb.SHFE); without it, the fund's.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				of := flags.String("of", "", "a trader, or a contract or product with its exchange")
				return func(e env, args []string) error {
					if len(args) != 2 {
						return misused(usage, "which number, and what is it?")
					}
					value, err := hub.ParseDecimal(args[1])
					if err != nil {
						return misused(usage, "%w", err)
					}
					return publish(e, a, []ctl.NewNumber{{Name: args[0], Of: *of, Value: value}})
				}
			},
		},
		{
			name: "ctl numbers withdraw", args: "NAME", short: "take a published number back: rules that ask for it refuse",
			long: `--of says whose it is, as with numbers set.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				of := flags.String("of", "", "a trader, or a contract or product with its exchange")
				return func(e env, args []string) error {
					if len(args) != 1 {
						return misused("usage: hub ctl numbers withdraw adv --of rb2610.SHFE", "which number?")
					}
					return publish(e, a, []ctl.NewNumber{{Name: args[0], Of: *of, Withdraw: true}})
				}
			},
		},
		{
			name: "ctl numbers load", args: "FILE", short: "publish the numbers of a file: all, or none",
			long: fmt.Sprintf(`A line a number: name, whose, value, with commas between them, such as adv,rb2610.SHFE,1200000. Whose may be empty: the fund's. Empty lines and lines that begin with # are
left out; at most %d numbers.`, numbersMax),
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				return func(e env, args []string) error {
					if len(args) != 1 {
						return misused("usage: hub ctl numbers load adv.csv", "which file?")
					}
					text, err := os.ReadFile(args[0])
					if err != nil {
						return err
					}
					all, errs := readNumbers(args[0], text)
					if len(errs) > 0 {
						return errors.Join(errs...)
					}
					return publish(e, a, all)
				}
			},
		},
	}
}

func publish(e env, a asker, all []ctl.NewNumber) error {
	return show(e, a, func(ctx context.Context, c *ctl.Client) ([]ctl.PublishedNumber, error) {
		return c.PublishNumbers(ctx, ctl.NewNumbers{Numbers: all})
	}, func(n []ctl.PublishedNumber) {
		writePublished(e, n)
	})
}

// readNumbers reads a file of numbers, and finds everything that is wrong with it.
func readNumbers(file string, text []byte) (all []ctl.NewNumber, errs []error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, -1
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, append(errs, fmt.Errorf("%s: %w", file, err))
		}
		line, _ := r.FieldPos(0)
		if len(fields) != 3 {
			errs = append(errs, fmt.Errorf("%s:%d: %d fields; write name, whose, value", file, line, len(fields)))
			continue
		}
		value, err := hub.ParseDecimal(strings.TrimSpace(fields[2]))
		if err != nil {
			_, col := r.FieldPos(2)
			errs = append(errs, fmt.Errorf("%s:%d:%d: %w", file, line, col, err))
			continue
		}
		all = append(all, ctl.NewNumber{Name: strings.TrimSpace(fields[0]), Of: strings.TrimSpace(fields[1]), Value: value})
	}
	switch {
	case len(errs) == 0 && len(all) == 0:
		errs = append(errs, fmt.Errorf("%s: there is no number in it", file))
	case len(all) > numbersMax:
		errs = append(errs, fmt.Errorf("%s: %d numbers, and at most %d are taken at once; make several files of it", file, len(all), numbersMax))
	}
	return all, errs
}

func writePublished(e env, all []ctl.PublishedNumber) {
	rows := [][]cell{headed("NUMBER OF VALUE SINCE AGE BY")}
	for _, n := range all {
		age := time.Duration(n.Age * float64(time.Second)).Round(time.Second)
		rows = append(rows, []cell{text(n.Name), text(orFund(n.Of)), number(n.Value), text(n.Time.Format(time.DateTime)), number(age), text(n.By)})
	}
	writeTable(e, rows)
}

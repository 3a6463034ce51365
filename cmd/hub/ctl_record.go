package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/ctl"
)

func recordVerbs() []verb {
	return []verb{
		{
			name: "ctl explain", args: "ORDER_ID", short: "why an order was sent or refused, rule by rule",
			long: `Shows the whole decision about an order: what the hub itself asked, what every rule of the policy of that moment said of the values of that moment, passed and failed,
what the risk managers said, and what became of the order. It is read from the permanent record: restarts, and policies that changed since, make no difference.
Of a hub that does not run, hub audit explain shows the same.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a, lang := askFlags(flags), languageFlag(flags)
				return func(e env, args []string) error {
					id, err := oneArgument(args, "usage: hub ctl explain ORDER_ID", "which order?")
					if err != nil {
						return err
					}
					return explainTo(e, a, func(ctx context.Context, c *ctl.Client) (text json.RawMessage, err error) {
						return text, c.Explain(ctx, id, *lang, &text)
					})
				}
			},
		},
		{
			name: "policy log", short: "every policy that was loaded, or refused",
			long: `Lists from the permanent record when which revision was put in force, by whom, from how many files, and what was refused. Asks the hub, and reads its data directory when it does
not run.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				return func(e env, args []string) error {
					if len(args) > 0 {
						return misused("usage: hub policy log [--data DIR]", "what is %q?", args[0])
					}
					return show(e, a, either(e, a, (*ctl.Client).PolicyLog, func(ctx context.Context, r *audit.Reader) ([]ctl.Loaded, error) { return policyLog(ctx, r, utc) }), func(all []ctl.Loaded) { writePolicyLog(e, all) })
				}
			},
		},
		{
			name: "policy show", args: "REVISION", short: "the text of a policy that was loaded once",
			long: `Shows the files of a revision as they were loaded, from the permanent record. REVISION may be shortened as long as it is clear which is meant.
With --file one of them alone, byte by byte; with --to they are written into a folder that is empty or not there yet: so a rollback can be made the folder's own.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				file := flags.String("file", "", "one `FILE` alone")
				to := flags.String("to", "", "write the files into a new `DIR`")
				return func(e env, args []string) error {
					revision, err := oneArgument(args, "usage: hub policy show REVISION [--file FILE] [--to DIR]", "which revision?")
					if err != nil {
						return err
					}
					return policyShow(e, a, revision, *file, *to)
				}
			},
		},
		{
			name: "policy rollback", args: "REVISION", short: "put an earlier policy in force again",
			long: `Puts the files of an earlier revision in force, all or none, from the permanent record. The policy folder is not touched; it is not loaded again, by a restart or by being
watched, until something in it changes, or somebody says hub ctl policy reload. To make the folder say the same: hub policy show REVISION --to DIR.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := askFlags(flags)
				return func(e env, args []string) error {
					revision, err := oneArgument(args, "usage: hub policy rollback REVISION", "to which revision?")
					if err != nil {
						return err
					}
					return rollback(e, a, revision)
				}
			},
		},
		{
			name: "audit verify", short: "see that nobody changed the permanent record",
			long: `Reads the whole record: that no row is missing, that every row has the hash that it must have after the one before it, and that every policy's text is the one that was loaded.
Prints the head, the last row's number and hash; noted somewhere else, it shows later that the rows up to it were not made anew: --noted NUMBER:HASH.
Works beside a running hub and without one. Exit code 1 when anything is wrong.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := recordFlags(flags)
				noted := flags.String("noted", "", "a head that was noted, as `NUMBER:HASH`")
				return func(e env, args []string) error {
					if len(args) > 0 {
						return misused("usage: hub audit verify --data DIR", "what is %q?", args[0])
					}
					return auditVerify(e, a, *noted)
				}
			},
		},
		{
			name: "audit explain", args: "ORDER_ID", short: "hub ctl explain, from a data directory",
			long: `Shows what hub ctl explain shows, read from the data directory, whether its hub runs or not. Times are UTC.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a, lang := recordFlags(flags), languageFlag(flags)
				return func(e env, args []string) error {
					id, err := oneArgument(args, "usage: hub audit explain ORDER_ID --data DIR", "which order?")
					if err != nil {
						return err
					}
					return auditExplain(e, a, id, *lang)
				}
			},
		},
		{
			name: "audit log", short: "the rows of the permanent record",
			long: `Writes rows of the record, the oldest first: one a line, or with --json one JSON object a line, with everything that is in it. Read from the data directory, whether its hub runs
or not. Times are UTC; --from and --to take 2026-11-23 or 2026-11-23T09:30:00+08:00.`,
			prepare: func(flags *flag.FlagSet) func(env, []string) error {
				a := recordFlags(flags)
				order := flags.String("order", "", "of one `ORDER`")
				trader := flags.String("trader", "", "of the orders of one `TRADER`")
				kind := flags.String("kind", "", "of some `KINDS`: decision,fill,cancel,set-state,load-policies,...")
				from := flags.String("from", "", "not before this `TIME`")
				to := flags.String("to", "", "not after this `TIME`")
				last := flags.Int("last", 0, "the newest `N` alone")
				return func(e env, args []string) error {
					if len(args) > 0 {
						return misused("hub help audit log lists the flags", "what is %q?", args[0])
					}
					f := audit.Filter{Order: hub.OrderID(*order), Trader: hub.TraderName(*trader), Last: *last}
					if *kind != "" {
						f.Kinds = strings.Split(*kind, ",")
					}
					var err1, err2 error
					f.From, err1 = moment(*from, false)
					f.To, err2 = moment(*to, true)
					if err := errors.Join(err1, err2); err != nil {
						return misused("2026-11-23 or 2026-11-23T09:30:00+08:00", "%w", err)
					}
					return auditLog(e, a, f)
				}
			},
		},
	}
}

func languageFlag(flags *flag.FlagSet) *string {
	return flags.String("language", "", "`en` or zh: of the sentences of rules, where their authors wrote both")
}

func oneArgument(args []string, usage, question string) (string, error) {
	if len(args) != 1 || args[0] == "" {
		return "", misused(usage, "%s", question)
	}
	return args[0], nil
}

// recordFlags are those of verbs that read the data directory themselves.
func recordFlags(flags *flag.FlagSet) asker {
	none := ""
	return asker{
		data:   flags.String("data", "", "the `DIR` of the hub's data"),
		config: flags.String("config", "", "the configuration `FILE` of the hub, which names the directory"),
		socket: &none,
		json:   flags.Bool("json", false, "for programs"),
	}
}

// directory is the data directory: as it is named, or by the configuration, or what lies here.
func (a asker) directory(e env) (string, error) {
	switch {
	case *a.data != "" && *a.config != "":
		return "", misused("the configuration names the directory", "--data or --config, not both")
	case *a.data != "":
		return *a.data, nil
	case *a.config != "":
		c, err := mustConfig(e, *a.config)
		return c.Data, err
	}
	if _, err := os.Stat(configDefault); !errors.Is(err, fs.ErrNotExist) {
		c, err := mustConfig(e, configDefault)
		return c.Data, err
	}
	if _, err := os.Stat(demoDataDefault); err == nil {
		return demoDataDefault, nil
	}
	return "", misused("write --data DIR or --config FILE", "which hub? there is neither %s nor %s here", configDefault, demoDataDefault)
}

// either asks the hub, and, when none answers, its record.
func either[T any](e env, a asker, ask func(*ctl.Client, context.Context) (T, error), read func(context.Context, *audit.Reader) (T, error)) func(context.Context, *ctl.Client) (T, error) {
	return func(ctx context.Context, c *ctl.Client) (T, error) {
		answer, err := ask(c, ctx)
		if _, unreachable := errors.AsType[*ctl.UnreachableError](err); !unreachable || *a.socket != "" {
			return answer, err
		}
		data, e1 := a.directory(e)
		if e1 != nil {
			return answer, err
		}
		r, e2 := audit.Read(recordDir(data))
		if e2 != nil {
			return answer, err // that no hub answers says more
		}
		defer func() { _ = r.Close() }() // it only read
		return read(ctx, r)
	}
}

func policyShow(e env, a asker, revision, file, to string) error {
	if file != "" && to != "" {
		return misused("--file shows one, --to writes all", "--file or --to, not both")
	}
	var failed error
	ask := either(e, a, func(c *ctl.Client, ctx context.Context) (ctl.Loaded, error) { return c.Policy(ctx, revision) },
		func(ctx context.Context, r *audit.Reader) (ctl.Loaded, error) { return policyOf(ctx, r, revision, utc) })
	err := show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.Loaded, error) {
		l, err := ask(ctx, c)
		if err != nil {
			return l, err
		}
		if file != "" {
			names := mapped(l.Files, func(f ctl.PolicyFile) string { return f.Name })
			i := slices.Index(names, file)
			if i < 0 {
				return l, not(suggest(file, names, "it has "+strings.Join(names, ", ")), "revision %s has no file %q", l.Revision, file)
			}
			l.Files = l.Files[i : i+1]
		}
		if to != "" {
			failed = writePolicies(to, l)
		}
		return l, failed
	}, func(l ctl.Loaded) {
		switch {
		case file != "":
			fmt.Fprint(e.stdout, l.Files[0].Text)
		case to != "":
			fmt.Fprintf(e.stdout, "%s of revision %s written to %s\n", count(len(l.Files), "file"), l.Revision, to)
		default:
			writeLoaded(e, l)
		}
	})
	return err
}

// writePolicies writes the files of a load into a folder that has nothing yet.
func writePolicies(dir string, l ctl.Loaded) error {
	if there, err := os.ReadDir(dir); err == nil && len(there) > 0 {
		return not("name a folder that is not there yet", "%s is not empty", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return not("", "%w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return not("", "%w", err)
	}
	root, err := os.OpenRoot(dir) // whatever the files are called, they stay below it
	if err != nil {
		return not("", "%w", err)
	}
	defer func() { _ = root.Close() }() // what was written has been closed
	for _, f := range l.Files {
		if parent := filepath.Dir(f.Name); parent != "." {
			if err := root.MkdirAll(parent, 0o755); err != nil {
				return not("", "%w", err)
			}
		}
		if err := root.WriteFile(f.Name, []byte(f.Text), 0o644); err != nil {
			return not("", "%w", err)
		}
	}
	return nil
}

func writeLoaded(e env, l ctl.Loaded) {
	fmt.Fprintf(e.stdout, "revision %s, loaded %s by %s\n", l.Revision, l.Time.Format(clockLayout), printable(l.By))
	for _, text := range l.Errors {
		fmt.Fprintln(e.stdout, "refused:", printable(text))
	}
	for _, f := range l.Files {
		fmt.Fprintf(e.stdout, "\n%s\n", coloured("# --- "+f.Name+" (SHA-256 "+f.SHA256+")", bold).in(e))
		fmt.Fprint(e.stdout, shownText(f.Text))
		if !strings.HasSuffix(f.Text, "\n") {
			fmt.Fprintln(e.stdout)
		}
	}
}

// shownText is a text for a terminal, line by line.
func shownText(s string) string {
	return strings.Join(mapped(strings.Split(s, "\n"), printable), "\n")
}

// in is the cell's text, coloured where there are colours.
func (c cell) in(e env) string {
	if !e.colour || c.colour == "" {
		return printable(c.text)
	}
	return c.colour + printable(c.text) + plain
}

// clockLayout shows a moment with its zone: records are read in other places than they were made.
const clockLayout = "2006-01-02 15:04:05.000 -07:00"

func writePolicyLog(e env, all []ctl.Loaded) {
	rows := [][]cell{headed("TIME REVISION FILES BY RESULT")}
	for _, l := range all {
		result := coloured("in force", green)
		switch {
		case len(l.Errors) > 0:
			result = coloured("refused: "+firstOf(l.Errors), red)
		case l.Instead != "":
			result = coloured("in force, instead of "+l.Instead+" of the folder", yellow)
		}
		rows = append(rows, []cell{text(l.Time.Format(clockLayout)), text(l.Revision), whole(len(l.Files)), text(l.By), result})
	}
	writeTable(e, rows)
}

func rollback(e env, a asker, revision string) error {
	var failed error
	err := show(e, a, func(ctx context.Context, c *ctl.Client) (ctl.RolledBack, error) {
		b, err := c.RollbackPolicy(ctx, revision)
		if err == nil && len(b.Errors) > 0 {
			failed = not("", "%s; revision %s stays in force", count(len(b.Errors), "error"), b.Revision)
		}
		return b, err
	}, func(b ctl.RolledBack) {
		if len(b.Errors) > 0 {
			writeLines(e.stderr, mapped(b.Errors, printable))
			return
		}
		fmt.Fprintf(e.stdout, "revision %s in force, from %s; before it %s\n", b.Revision, count(b.Files, "file"), b.Before)
		switch b.Folder {
		case b.Revision:
			fmt.Fprintln(e.stdout, "the policy folder says the same")
		case "":
			fmt.Fprintln(e.stdout, "the policy folder cannot be read; what it says is loaded when it can")
		default:
			fmt.Fprintf(e.stdout, "the policy folder still says %s, and is not loaded until it changes, or hub ctl policy reload\n", b.Folder)
			fmt.Fprintf(e.stdout, "to change it: hub policy show %s --to DIR\n", b.Revision)
		}
	})
	return errors.Join(err, failed)
}

func auditVerify(e env, a asker, noted string) error {
	var anchor *audit.Anchor
	if noted != "" {
		anchor = new(audit.Anchor)
		number, hash, _ := strings.Cut(noted, ":")
		var ok bool
		if anchor.Hash, ok = audit.ParseHash(hash); !ok {
			return misused("--noted NUMBER:HASH, as hub audit verify prints it", "%q is not a head", noted)
		}
		if _, err := fmt.Sscanf(number, "%d", &anchor.N); err != nil {
			return misused("--noted NUMBER:HASH, as hub audit verify prints it", "%q is not a head", noted)
		}
	}
	data, err := a.directory(e)
	if err != nil {
		return err
	}
	r, err := offline(data)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it only read
	v, err := r.Verify(context.Background(), anchor)
	if err != nil {
		return err
	}
	if *a.json {
		if err := writeJSON(e.stdout, v); err != nil {
			return err
		}
	} else {
		writeVerified(e, v)
	}
	if len(v.Errors) > 0 {
		return not("keep the file as it is, and a back-up from before", "the record is not as the hub wrote it: %s", count(len(v.Errors), "error"))
	}
	return nil
}

func writeVerified(e env, v audit.Verified) {
	writeLines(e.stderr, mapped(v.Errors, printable))
	if len(v.Errors) == 0 {
		fmt.Fprintf(e.stdout, "ok: %s and %s, up to entry %d of the journal\n", count(int(v.Rows), "row"), count(v.Texts, "policy text"), v.Entries)
	}
	for _, g := range v.Gaps {
		fmt.Fprintf(e.stdout, "entries %d to %d are not in it: %s\n", g.From, g.To, printable(g.Why))
	}
	if v.Anchor == "holds" {
		fmt.Fprintln(e.stdout, "the row that was noted has the hash that was noted")
	}
	fmt.Fprintf(e.stdout, "head %d:%s\n", v.Rows, v.Head)
}

func auditExplain(e env, a asker, id, lang string) error {
	data, err := a.directory(e)
	if err != nil {
		return err
	}
	r, err := offline(data)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it only read
	x, err := explain(context.Background(), r, id, lang, utc)
	if err != nil {
		return err
	}
	if *a.json {
		return writeJSON(e.stdout, x)
	}
	writeExplained(e, x)
	return nil
}

func explainTo(e env, a asker, ask func(context.Context, *ctl.Client) (json.RawMessage, error)) error {
	var wrong error
	err := show(e, a, ask, func(text json.RawMessage) {
		x := new(audit.Explanation)
		if wrong = json.Unmarshal(text, x); wrong == nil {
			writeExplained(e, x)
		}
	})
	return errors.Join(err, wrong)
}

// auditRow is a row for programs.
type auditRow struct {
	Row    uint64          `json:"row"`
	Entry  uint64          `json:"entry"`
	Time   time.Time       `json:"time"`
	Kind   string          `json:"kind"`
	Trader string          `json:"trader,omitempty"`
	Order  string          `json:"order,omitempty"`
	Hash   string          `json:"hash"`
	Body   json.RawMessage `json:"body"`
}

func auditLog(e env, a asker, f audit.Filter) error {
	data, err := a.directory(e)
	if err != nil {
		return err
	}
	r, err := offline(data)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it only read
	lines := json.NewEncoder(e.stdout)
	lines.SetEscapeHTML(false)
	return r.Each(context.Background(), f, func(row audit.Row) error {
		if *a.json {
			return lines.Encode(auditRow{row.N, row.Seq, row.Time.UTC(), row.Kind, string(row.Trader), string(row.Order), row.Hash.String(), json.RawMessage(row.Body)})
		}
		body, err := audit.DecodeBody(row.Body)
		if err != nil {
			return fmt.Errorf("row %d: %w", row.N, err)
		}
		words := []string{row.Time.UTC().Format(clockLayout), fmt.Sprint(row.N), row.Kind}
		for _, s := range []string{string(row.Order), string(row.Trader)} {
			if s != "" {
				words = append(words, s)
			}
		}
		_, err = fmt.Fprintln(e.stdout, printable(strings.Join(append(words, told(row.Kind, body)), " ")))
		return err
	})
}

// moment reads a date or a time; a date alone is its first instant, or its last.
func moment(s string, end bool) (hub.Time, error) {
	if s == "" {
		return 0, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		if end {
			t = t.AddDate(0, 0, 1).Add(-1)
		}
		return hub.TimeOf(t), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time", s)
	}
	return hub.TimeOf(t), nil
}

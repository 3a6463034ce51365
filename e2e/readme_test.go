package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/ctl"
	"tradehub/rpc"
	"tradehub/rpc/veighna"
)

// The documents are held against what they speak of. In README.md, docs/operations.md and docs/policy-guide.md:
//
//   - Blocks of the language console are run, in their order, in a folder that looks like the project's. A line that begins with "$ " is a command, one with ">" continues it, and
//     what follows must be what the command prints, but for what differs from run to run; a line "..." stands for any lines. Commands that start a hub run until they are stopped.
//   - A comment <!-- docs_test: ... --> is something that the reader does by other means: see walk.do.
//   - Blocks of the language sh are for reading only.

func TestDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"README.md", "docs/operations.md", "docs/policy-guide.md"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w := newWalk(t)
			for _, s := range steps(t, file) {
				w.step(s)
			}
			if w.commands < 5 {
				t.Errorf("only %d commands were run", w.commands)
			}
		})
	}
}

// docStep is a command with the lines that it prints, or a directive.
type docStep struct {
	place     string
	command   string
	prints    []string
	directive string
}

var directiveForm = regexp.MustCompile(`^<!-- docs_test: (.*) -->$`)

// steps reads what a document says to do.
func steps(t *testing.T, file string) []docStep {
	t.Helper()
	var all []docStep
	block := ""
	for i, line := range strings.Split(document(t, file), "\n") {
		place := fmt.Sprintf("%s:%d", file, i+1)
		if language, fence := strings.CutPrefix(line, "```"); fence {
			if block != "" {
				language = ""
			}
			block = language
			continue
		}
		if m := directiveForm.FindStringSubmatch(line); m != nil && block == "" {
			all = append(all, docStep{place: place, directive: m[1]})
			continue
		}
		if block != "console" {
			continue
		}
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, docStep{place: place, command: command})
			continue
		}
		if len(all) == 0 || all[len(all)-1].command == "" {
			t.Fatalf("%s: a block of the language console begins with a command, $ ...", place)
		}
		last := &all[len(all)-1]
		if more, ok := strings.CutPrefix(line, ">"); ok && len(last.prints) == 0 {
			last.command += "\n" + strings.TrimPrefix(more, " ")
		} else {
			last.prints = append(last.prints, line)
		}
	}
	return all
}

// walk is a reader who does what a document says.
type walk struct {
	*house
	commands int
	books    string // what the orders, fills and positions were when the hub was stopped
	// names are the orders and revisions of this run, by what the document calls them.
	names map[string]string
}

// newWalk makes a folder with what the documents use of the project's.
func newWalk(t *testing.T) *walk {
	h := newHouse(t)
	h.base = ports(t)
	for link, to := range map[string]string{"bin": binDir, "examples": filepath.Join("..", "examples")} {
		to, err := filepath.Abs(to)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, filepath.Join(h.root, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(h.stop)
	return &walk{house: h, names: map[string]string{}}
}

func (w *walk) step(s docStep) {
	w.t.Helper()
	if s.directive != "" {
		w.do(s)
		return
	}
	w.commands++
	if data, starts := w.starts(s.command); starts {
		w.data = filepath.Join(w.root, data)
		w.ctl = ctl.NewClient(w.data)
		w.args = []string{"demo", "--base-port", strconv.Itoa(w.base), "--data", data}
		w.start()
		w.compare(s, strings.Join(w.stdout.since(0), "\n"))
		return
	}
	w.compare(s, w.shell(s))
}

// starts tells whether a command starts a demo, and where its data is.
func (w *walk) starts(command string) (data string, ok bool) {
	if command == "make demo" {
		return "demo-data", true
	}
	return strings.CutPrefix(command, "bin/hub demo --data ")
}

// shell runs a command, and returns what it writes to the terminal.
func (w *walk) shell(s docStep) string {
	w.t.Helper()
	command := nameForm.ReplaceAllStringFunc(s.command, func(name string) string { return cmp.Or(w.names[name], name) })
	command = strings.ReplaceAll(command, ".venvs/vnpy-4.5.0/bin/python examples/trade.py",
		vnpy45.interpreter(w.t)+" examples/trade.py --request "+w.request(0)+" --publish "+w.publish(0))
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Dir = w.root
	// English words of VeighNa's, its files in this folder, and lines when they are written, as on a terminal.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "LANGUAGE=", "HOME="+w.root, "PYTHONUNBUFFERED=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || len(s.prints) == 0) {
		w.t.Fatalf("%s: %s: %v\n%s", s.place, s.command, err, out)
	}
	return string(out)
}

// compare holds what a command printed against what the document says that it prints.
func (w *walk) compare(s docStep, printed string) {
	w.t.Helper()
	got := strings.Split(strings.TrimRight(strings.ReplaceAll(printed, w.root, "/home/ann/tradehub"), "\n"), "\n")
	for i, name := range []string{"2014", "4102", "2015", "4103"} {
		for j := range got {
			got[j] = strings.ReplaceAll(got[j], "127.0.0.1:"+strconv.Itoa(w.base+i), "127.0.0.1:"+name)
		}
	}
	if printed == "" {
		got = nil
	}
	w.learn(s.prints, got)
	if want, have := mappedLines(s.prints), mappedLines(got); !alike(want, have) {
		w.t.Fatalf("%s: $ %s\nprints\n\t%s\nand the document says\n\t%s\ncompared (-document +printed):\n%s", s.place, s.command, strings.Join(got, "\n\t"), strings.Join(s.prints, "\n\t"), gocmp.Diff(want, have))
	}
}

// nameForm is what an order or a revision is called.
var nameForm = regexp.MustCompile(`\b([0-9a-f]{12}|[0-9a-z]{6}-\d+)\b`)

// learn takes from what a command printed which order and which revision is which of the document's.
func (w *walk) learn(prints, got []string) {
	for _, want := range prints {
		names := nameForm.FindAllString(want, -1)
		for _, line := range got {
			own := nameForm.FindAllString(line, -1)
			if len(names) == 0 || len(own) != len(names) || !slices.Equal(mappedLines([]string{want}), mappedLines([]string{line})) {
				continue
			}
			for i, name := range names {
				if w.names[name] == "" {
					w.names[name] = own[i]
				}
			}
			break
		}
	}
}

// do is what a reader does with a trader's window, the keyboard, or the eyes.
func (w *walk) do(s docStep) {
	w.t.Helper()
	switch s.directive {
	case "trade":
		w.trade()
	case "stop": // Ctrl-C
		w.books = w.booksNow()
		w.stop()
	case "same books":
		until(w.t, "the books are those of before", func() error {
			if now := w.booksNow(); now != w.books {
				return fmt.Errorf("they are\n%s\nand were\n%s", now, w.books)
			}
			return nil
		})
	default:
		w.t.Fatalf("%s: there is no directive %q", s.place, s.directive)
	}
}

// trade buys at the market, and leaves an order in the book.
func (w *walk) trade() {
	w.t.Helper()
	client, err := rpc.Dial(rpc.ClientOptions{Request: w.request(0)})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := w.patience()
	defer cancel()
	order := hub.OrderRequest{Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Direction: hub.Long, Offset: hub.Open, Type: hub.Market, Qty: hub.Int(2)}
	if _, err := client.Call(ctx, veighna.SendOrder{OrderRequest: order, Gateway: gatewayName}); err != nil {
		w.t.Fatal(err)
	}
	until(w.t, "the order is filled", func() error {
		trades, err := w.ctl.Trades(ctx, "alpha")
		if err != nil || len(trades) == 0 {
			return fmt.Errorf("%d trades, %w", len(trades), err)
		}
		order.Price = plus(trades[0].Price, hub.Int(-100))
		return nil
	})
	order.Type = hub.Limit
	if _, err := client.Call(ctx, veighna.SendOrder{OrderRequest: order, Gateway: gatewayName}); err != nil {
		w.t.Fatal(err)
	}
	until(w.t, "the order rests", func() error {
		orders, err := w.ctl.Orders(ctx, "alpha", true)
		if err != nil || len(orders) != 1 || orders[0].Status != hub.Resting.String() {
			return fmt.Errorf("orders %v, %w", orders, err)
		}
		return nil
	})
}

// booksNow are orders, fills and positions, without what time changes.
func (w *walk) booksNow() string {
	w.t.Helper()
	b, err := readHub(w.house, "alpha", "beta")
	if err != nil {
		w.t.Fatal(err)
	}
	lines := []string{}
	add := func(one any) {
		text, err := json.Marshal(one)
		if err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	for _, o := range b.orders {
		o.Updated = time.Time{}
		add(o)
	}
	for _, f := range b.trades {
		add(f)
	}
	for _, p := range b.positions {
		p.Price, p.PnL = hub.Decimal{}, hub.Decimal{}
		add(p)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// changing are the parts of a line that differ from run to run, or with the sample policies.
var changing = []struct {
	form *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`127\.0\.0\.1:(\d+)`), "PORT${1}"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z?)?( +\d+\b)?`), "TIME"}, // and the process behind it
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`^version +\S+,`), "version VERSION,"},
	{regexp.MustCompile(`process \d+`), "process PROCESS"},
	{regexp.MustCompile(`\b\d+ entries`), "ENTRIES"},
	{regexp.MustCompile(`\b20\d{6}\b`), "DAY"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "REVISION"},
	{regexp.MustCompile(`(REVISION +\d+ +)\S+( +(in force|refused))`), "${1}WHO$2"},
	{regexp.MustCompile(`\b[0-9a-z]{6}-(\d+)\b`), "ORDER-$1"},
	{regexp.MustCompile(`\b[234]\d{3}(\.\d+)?\b`), "PRICE"},
	{regexp.MustCompile(`\.yaml:\d+`), ".yaml:LINE"},
	{regexp.MustCompile(`UTC by [^ :]+`), "UTC by OPERATOR"},
	{regexp.MustCompile(`\s+`), " "},
}

func mappedLines(lines []string) []string {
	var out []string
	for _, line := range lines {
		for _, c := range changing {
			line = c.form.ReplaceAllString(line, c.is)
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// alike compares lines; "..." is any number of them.
func alike(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "...":
		for skip := range len(got) + 1 {
			if alike(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && want[0] == got[0] && alike(want[1:], got[1:])
}

func TestAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want, got string
		alike     bool
	}{
		{"a\nb", "a\nb", true},
		{"a\nb", "a", false},
		{"a", "a\nb", false},
		{"...\nb", "b", true},
		{"...\nb\n...", "a\na\nb\nb", true},
		{"a\n...", "b\na", false},
		{"RPC.towypu-1: Cancelled", "RPC.abc123-1: Cancelled", true},
		{"RPC.towypu-1: Cancelled", "RPC.abc123-2: Cancelled", false},
		{"alpha   tcp://127.0.0.1:2014", "alpha  tcp://127.0.0.1:2015", false},
		{"alpha  HALTED since 10:31:07 UTC by root: questions", "alpha  HALTED since 17:25:31 UTC by ann: questions", true},
		{"alpha  HALTED since 10:31:07 UTC by root: questions", "alpha  CANCEL_ONLY since 17:25:31 UTC by ann: questions", false},
		{"revision f31ea2594900 from 3 files", "revision 0123456789ab from 2 files", false},
		{"SIM  gateway  up  2026-11-22 17:25:31  12746  0", "SIM  gateway  up  2026-12-01 07:25:31  46  0", true},
		{"SIM  gateway  up  2026-11-22 17:25:31  12746  0", "SIM  gateway  up  2026-12-01 07:25:31  46  1", false},
	} {
		if got := alike(mappedLines(strings.Split(c.want, "\n")), mappedLines(strings.Split(c.got, "\n"))); got != c.alike {
			t.Errorf("%q and %q: alike is %t, want %t", c.want, c.got, got, c.alike)
		}
	}
}

// project is a path of the project's, seen from the test.
func project(path string) string { return filepath.Join("..", filepath.FromSlash(path)) }

func document(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(project(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents lists every Markdown file of the project.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"bin", "data", "demo-data", "testdata"}, d.Name())):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".md"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	blockForm   = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	headingForm = regexp.MustCompile(`(?m)^(#+) (.+)$`)
	linkForm    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
)

// prose is a document without its blocks of code.
func prose(text string) string { return blockForm.ReplaceAllString(text, "") }

// TestLinks: every link between the project's files leads somewhere, and to a heading that is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, file := range documents(t) {
		for _, m := range linkForm.FindAllStringSubmatch(prose(document(t, file)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			to, anchor, _ := strings.Cut(m[1], "#")
			target := file
			if to != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(file), to))
			}
			if _, err := os.Stat(project(target)); err != nil {
				t.Errorf("%s: link to %s: there is no %s", file, m[1], target)
			} else if anchor != "" && !slices.Contains(anchors(document(t, target)), anchor) {
				t.Errorf("%s: link to %s: %s has no such heading, but %v", file, m[1], target, anchors(document(t, target)))
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}
}

// anchors are the headings of a document as links name them.
func anchors(text string) []string {
	var all []string
	for _, m := range headingForm.FindAllStringSubmatch(prose(text), -1) {
		name := strings.ReplaceAll(strings.ToLower(m[2]), " ", "-")
		all = append(all, regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(name, ""))
	}
	return all
}

// TestIndexOfDocuments: docs/README.md leads to every page.
func TestIndexOfDocuments(t *testing.T) {
	t.Parallel()
	index := document(t, "docs/README.md")
	for _, file := range documents(t) {
		if page, ok := strings.CutPrefix(file, "docs/"); ok && page != "README.md" && !strings.Contains(index, "]("+page+")") {
			t.Errorf("docs/README.md has no link to %s", page)
		}
	}
}

// TestReadmeInChinese: the Chinese README says the same as the English one, as far as can be counted.
func TestReadmeInChinese(t *testing.T) {
	t.Parallel()
	english, chinese := document(t, "README.md"), document(t, "README.zh-CN.md")
	blocks := func(text string) (all []string) {
		for _, m := range blockForm.FindAllStringSubmatch(text, -1) {
			all = append(all, m[0])
		}
		return all
	}
	e, c := blocks(english), blocks(chinese)
	for i := range max(len(e), len(c)) {
		if i >= len(e) || i >= len(c) || e[i] != c[i] {
			t.Fatalf("block %d differs: %d blocks in English, %d in Chinese", i+1, len(e), len(c))
		}
	}
	shape := func(text string) (all []string) {
		for line := range strings.SplitSeq(prose(text), "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
				level, _, _ := strings.Cut(line, " ")
				all = append(all, "heading "+level)
			case strings.HasPrefix(line, "- "):
				all = append(all, "item")
			case strings.HasPrefix(line, "|"):
				all = append(all, "row with "+strings.Join(linkForm.FindAllString(line, -1), " "))
			}
		}
		return all
	}
	if e, c := shape(english), shape(chinese); !slices.Equal(e, c) {
		t.Errorf("English has\n\t%s\nChinese has\n\t%s", strings.Join(e, "\n\t"), strings.Join(c, "\n\t"))
	}
}

// TestCommandsExist: every command of the hub's and every target of make that a document names is there.
func TestCommandsExist(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes; run without -short")
	}
	targets := document(t, "Makefile")
	hubForm := regexp.MustCompile("(?:`|^|[^/]\\bbin/)hub ((?:[a-z-]+(?: |`|$))+)")
	makeForm := regexp.MustCompile("(?:`|^\\$ |^)make ([a-z-]+)")
	hubs, makes := map[string]string{}, map[string]string{}
	for _, file := range documents(t) {
		for line := range strings.SplitSeq(document(t, file), "\n") {
			for _, m := range hubForm.FindAllStringSubmatch(line, -1) {
				hubs[strings.TrimSpace(strings.Trim(m[1], "` "))] = file
			}
			for _, m := range makeForm.FindAllStringSubmatch(line, -1) {
				makes[m[1]] = file
			}
		}
	}
	for words, file := range hubs {
		if r := command(t, append([]string{"help"}, strings.Fields(words)...)...); r.code != 0 {
			t.Errorf("%s: hub %s: %s", file, words, r.stderr)
		}
	}
	for target, file := range makes {
		if !regexp.MustCompile(`(?m)^`+target+`:`).MatchString(targets) && !regexp.MustCompile(`(?m)^\.PHONY:.*\b`+target+`\b`).MatchString(targets) {
			t.Errorf("%s: make %s: there is no such target", file, target)
		}
	}
	if len(hubs) < 15 || len(makes) < 4 {
		t.Errorf("only %d commands and %d targets were found", len(hubs), len(makes))
	}
}

// TestHubYAMLAsDocumented: the configuration with every default written out is the one without, and has every key that there is.
func TestHubYAMLAsDocumented(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, m := range blockForm.FindAllStringSubmatch(document(t, "docs/operations.md"), -1) {
		if m[1] == "yaml" && strings.HasPrefix(m[2], "data:") {
			texts = append(texts, m[2])
		}
	}
	if len(texts) != 2 {
		t.Fatalf("%d configurations, want the least and the whole", len(texts))
	}
	var parsed [2]string
	for i, text := range texts {
		c, errs := config.Parse("hub.yaml", []byte(text))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		parsed[i] = fmt.Sprintf("%+v", c)
	}
	if parsed[0] != parsed[1] {
		t.Errorf("the least is\n%s\nwith every default written out it is\n%s", parsed[0], parsed[1])
	}
	keys := regexp.MustCompile(`field\{"(\w+)"`).FindAllStringSubmatch(document(t, "hub/config/sections.go"), -1)
	if len(keys) < 20 {
		t.Fatalf("only %d keys were found in package config", len(keys))
	}
	for _, key := range keys {
		if !strings.Contains(texts[1], key[1]+":") {
			t.Errorf("the whole configuration does not show the key %s", key[1])
		}
	}
}

// TestLogLinesExist: what docs/operations.md says that the log says is in the source. The first cell of a row is the line, with … where something is filled in.
func TestLogLinesExist(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, folder := range []string{"cmd/hub", "hub", "rpc", "plugins"} {
		err := filepath.WalkDir(project(folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			source.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, chapter, found := strings.Cut(document(t, "docs/operations.md"), "\n## What the log says\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| (`.*?`) \\|").FindAllStringSubmatch(chapter, -1)
	if !found || len(rows) < 20 {
		t.Fatalf("only %d lines of the log are documented", len(rows))
	}
	for _, row := range rows {
		for _, line := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			for part := range strings.SplitSeq(line[1], "…") {
				if part = strings.Trim(part, " "); !strings.Contains(source.String(), part) {
					t.Errorf("nothing in the source says %q", part)
				}
			}
		}
	}
}

// TestServiceUnit: systemd finds nothing wrong with the unit, and it starts what docs/operations.md installs.
func TestServiceUnit(t *testing.T) {
	t.Parallel()
	text := document(t, "packaging/hub.service")
	const program = "/usr/local/lib/hub/hub"
	if strings.Count(text, "="+program+" ") != 2 || !strings.Contains(document(t, "docs/operations.md"), "sudo install -m 755 bin/hub "+program+"\n") {
		t.Errorf("the unit starts another program than the one that is installed, %s", program)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil || testing.Short() {
		t.Skip("systemd-analyze is not here, or -short is set")
	}
	unit := filepath.Join(folder(t), "hub.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, program, filepath.Join(binDir, "hub"))), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), unit) || strings.Contains(string(out), "hub.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

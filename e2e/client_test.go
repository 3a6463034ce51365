package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vnpy is a version of stock VeighNa.
type vnpy struct{ version, variable string }

// The two generations: 4.5.0 changed the framing of the publish address.
var (
	vnpy45 = vnpy{"4.5.0", "HUB_VNPY45_PYTHON"}
	vnpy44 = vnpy{"4.4.0", "HUB_VNPY44_PYTHON"}
)

// interpreter is the Python that has this VeighNa.
func (v vnpy) interpreter(t testing.TB) string {
	t.Helper()
	python := os.Getenv(v.variable)
	if python == "" {
		t.Skipf("%s is not set: run make test, which makes an environment with VeighNa %s", v.variable, v.version)
	}
	return python
}

// clientMax is how long a stock client's program may take: above every deadline of its own.
const clientMax = 4 * time.Minute

// program is a Python program of tests/veighna, or another, that runs.
type program struct {
	t       testing.TB
	name    string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stdout  *lines
	stderr  *bytes.Buffer // read after the end
	exited  chan struct{}
	err     error // after the end
	release context.CancelFunc
}

// python starts a program. It does not live longer than the test.
func python(t testing.TB, v vnpy, script string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientMax)
	p := &program{t: t, name: "vnpy " + v.version + ": " + filepath.Base(script) + " " + strings.Join(args, " "), stdout: newLines(nil), stderr: new(bytes.Buffer), exited: make(chan struct{}), release: cancel}
	p.cmd = exec.CommandContext(ctx, v.interpreter(t), append([]string{script}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.WaitDelay = time.Second
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s is set and useless: %v", v.variable, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		p.stdout.end()
		close(p.exited)
	}()
	t.Cleanup(func() {
		cancel()
		<-p.exited
		if t.Failed() {
			t.Logf("%s\n%s%s", p.name, tail(strings.Join(p.stdout.since(0), "\n"), 4<<10), tail(p.stderr.String(), 4<<10))
		}
	})
	return p
}

func tail(text string, most int) string {
	if len(text) > most {
		return "..." + text[len(text)-most:] + "\n"
	}
	return text + "\n"
}

// veighna is the path of a program in tests/veighna.
func veighnaScript(name string) string { return filepath.Join("..", "tests", "veighna", name) }

// step is what a program says of one thing that it checked.
type step struct {
	Step   string          `json:"step"`
	OK     bool            `json:"ok"`
	Detail json.RawMessage `json:"detail"`
}

// passes waits for the end of a program and fails for every step that it says is wrong.
func (p *program) passes() {
	p.t.Helper()
	<-p.exited
	steps := 0
	for _, line := range p.stdout.since(0) {
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			p.t.Errorf("%s: not a step: %s", p.name, line)
			continue
		}
		steps++
		if !s.OK {
			p.t.Errorf("%s: %s: %s", p.name, s.Step, s.Detail)
		}
	}
	if p.err != nil || steps == 0 {
		p.t.Errorf("%s: %d steps, %v", p.name, steps, p.err)
	}
}

// trades runs client.py as a trader of a house, counted from 0, and does not wait for its end.
func (h *house) trades(v vnpy, trader int, args ...string) *program {
	h.t.Helper()
	return python(h.t, v, veighnaScript("client.py"), append([]string{"--req", h.request(trader), "--pub", h.publish(trader)}, args...)...)
}

// stock is a stock VeighNa Trader that does what it is told: repl.py.
type stock struct {
	*program
	last *int // command
}

// on is the trader as a subtest sees it.
func (s *stock) on(t testing.TB) *stock {
	p := *s.program
	p.t = t
	return &stock{&p, s.last}
}

// connected starts a stock trader and connects it.
func (h *house) connected(v vnpy, trader int, args ...string) *stock {
	h.t.Helper()
	s := &stock{python(h.t, v, veighnaScript("repl.py"), args...), new(int)}
	s.must("connect", fields{"req": h.request(trader), "pub": h.publish(trader)})
	return s
}

// fields are those of a command, and of a VeighNa object.
type fields map[string]any

// answer is what came of a command.
type answer struct {
	ID     int             `json:"id"`
	OK     bool            `json:"ok"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// tell sends a command and returns what waits for its answer.
func (s *stock) tell(command string, with fields) (wait func() answer) {
	s.t.Helper()
	*s.last++
	line := fields{"cmd": command, "id": *s.last}
	maps.Copy(line, with)
	text, err := json.Marshal(line)
	if err != nil {
		s.t.Fatal(err)
	}
	mark, id := s.stdout.count(), *s.last
	if _, err := s.stdin.Write(append(text, '\n')); err != nil {
		s.t.Fatalf("%s: %v", s.name, err)
	}
	return func() answer {
		s.t.Helper()
		ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
		defer cancel()
		var a answer
		err := s.stdout.await(ctx, mark, func(line string) bool { return json.Unmarshal([]byte(line), &a) == nil && a.ID == id })
		if err != nil {
			s.t.Fatalf("%s: no answer to %s: %v", s.name, text, err)
		}
		return a
	}
}

// must is tell for what must succeed.
func (s *stock) must(command string, with fields) json.RawMessage {
	s.t.Helper()
	a := s.tell(command, with)()
	if !a.OK {
		s.t.Fatalf("%s: %s %v: %s", s.name, command, with, a.Error)
	}
	return a.Result
}

// into reads an answer.
func into[T any](t testing.TB, text json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// mark is the newest event, for wait.
func (s *stock) mark() int { s.t.Helper(); return into[int](s.t, s.must("mark", nil)) }

// event is what a stock trader received.
type event struct {
	Seq  int    `json:"seq"`
	Type string `json:"type"`
	Data fields `json:"data"`
}

// wait waits for an event after a mark.
func (s *stock) wait(after int, like fields) event {
	s.t.Helper()
	with := fields{"after": after}
	maps.Copy(with, like)
	return into[event](s.t, s.must("wait", with))
}

// logs waits for a line in the trader's log window that matches.
func (s *stock) logs(after int, pattern string) string {
	s.t.Helper()
	e := s.wait(after, fields{"class": "LogData", "match": fields{"msg": pattern}})
	return fmt.Sprint(e.Data["msg"])
}

// ordered waits until an order has a status.
func (s *stock) ordered(id, status string) {
	s.t.Helper()
	s.wait(0, fields{"class": "OrderData", "where": fields{"vt_orderid": id, "status": status}})
}

// tick subscribes and waits for a tick.
func (s *stock) tick(contract string) fields {
	s.t.Helper()
	after := s.mark()
	s.must("subscribe", fields{"vt_symbol": contract})
	return s.wait(after, fields{"type": "eTick.", "where": fields{"vt_symbol": contract}}).Data
}

// below is a price at which a buy rests: some steps below the best bid.
func below(tick fields, steps float64) float64 { return tick["bid_price_1"].(float64) - steps }

// buy sends an order that opens, and returns its id at this side.
func (s *stock) buy(contract string, price, volume float64) string {
	s.t.Helper()
	return into[string](s.t, s.must("send", fields{"vt_symbol": contract, "direction": "LONG", "price": price, "volume": volume}))
}

func (s *stock) cancel(contract, id string) {
	s.t.Helper()
	s.must("cancel", fields{"vt_symbol": contract, "vt_orderid": id})
}

// alive says that nothing is wrong with the connection.
func (s *stock) alive() {
	s.t.Helper()
	if flaws := into[[]string](s.t, s.must("alive", nil)); len(flaws) > 0 {
		s.t.Errorf("%s: %v", s.name, flaws)
	}
}

// carriesOn asks until it is answered: a client that connects again after a start is told once, by an exception, that an answer may have been lost. Whatever it asks
// in that moment is not carried out.
func (s *stock) carriesOn() {
	s.t.Helper()
	until(s.t, s.name+" carries on", func() error {
		a := s.tell("query", fields{"what": "accounts"})()
		if !a.OK && !strings.Contains(a.Error, "look at your orders, then ask again") {
			s.t.Fatalf("%s: %s", s.name, a.Error)
		}
		if !a.OK {
			return errors.New(a.Error)
		}
		return nil
	})
}

// orderID is the hub's own part of an id.
func orderID(vtOrderID string) string {
	_, id, _ := strings.Cut(vtOrderID, ".")
	return id
}

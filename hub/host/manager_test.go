package host_test

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/host"
)

// candidate is a candidate whose reference says how it is to be judged.
func candidate(ask uint64, reference string) hub.Candidate {
	return hub.Candidate{
		Ask: ask, Trader: "alpha", Gateway: "SIM", Request: order(0, reference).OrderRequest, Market: hub.MarketView{Last: hub.Int(3512), Seen: 1},
	}
}

// judge asks and waits for the answer.
func (w *world) judge(t *testing.T, c hub.Candidate) []hub.Verdict {
	t.Helper()
	answer := make(chan []hub.Verdict, 2)
	w.Judge(c, func(v []hub.Verdict) { answer <- v })
	select {
	case v := <-answer:
		return v
	case <-time.After(patience):
		t.Fatalf("no answer about candidate %d", c.Ask)
		return nil
	}
}

func TestManager(t *testing.T) {
	w := start(t, calm(), nil, margin(t, "risk-book", nil))
	w.awaitLine(t, "margin up", 1)
	got := w.judge(t, candidate(1, ""))
	if len(got) != 1 || got[0].Manager != "margin" || !got[0].Pass || got[0].Reason != "" || got[0].Took <= 0 || got[0].Took > patience {
		t.Errorf("yes: got %+v", got)
	}
	decided := order(1, "")
	w.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: 1, Order: decided}})
	w.Observe(hub.RiskEvent{Order: &decided})
	w.Observe(hub.RiskEvent{Trade: &hub.Trade{ID: "t", OrderID: "1"}})
	w.Observe(hub.RiskEvent{Account: &hub.Account{Trader: "alpha"}})
	w.Observe(hub.RiskEvent{Marks: []hub.Mark{{Price: hub.Int(1)}}})
	w.Observe(hub.RiskEvent{Day: "20261124"})
	if got := w.judge(t, candidate(2, "no")); got[0].Pass || got[0].Reason != "6 events, 1 contracts, 0 orders" {
		t.Errorf("no: got %+v", got)
	}
	if got := w.judge(t, candidate(3, "no words")); got[0].Pass || got[0].Reason != "refused without a reason" {
		t.Errorf("no without words: got %+v", got)
	}
	w.await(t, "numbers of six events", func() bool { return len(w.numbers) == 2 && w.numbers[0].Value == hub.Int(6) })
	if got, want := w.numbers[1], (hub.Number{Name: "margin.used", Trader: "alpha", Value: hub.MustDecimal("12.5")}); got != want {
		t.Errorf("number: got %+v, want %+v", got, want)
	}
	status := w.Status()[0]
	if status.State != host.Up || status.Kind != "risk manager" || status.PID == 0 {
		t.Errorf("status: got %+v", status)
	}
}

func TestNoManagers(t *testing.T) {
	w := start(t, calm(), nil, nil)
	if got := w.judge(t, candidate(1, "")); got != nil {
		t.Errorf("got %+v", got)
	}
}

// TestBookJoins shows that the book and what happens after it join without gap or overlap, at the start and at every new start, and that until
// then the answer is no.
func TestBookJoins(t *testing.T) {
	w := start(t, calm(), nil, margin(t, "risk-book", nil), func(r *recorder) { r.book = nil })
	event := func() { w.Observe(hub.RiskEvent{Day: "20261124"}) }
	for round := 1; round <= 2; round++ {
		w.awaitLine(t, "margin needs its book", round)
		event() // in the book that is given later
		if got := w.judge(t, candidate(uint64(10*round), "")); got[0].Pass || got[0].Reason != "is starting" {
			t.Errorf("before the book: got %+v", got)
		}
		book := hub.RiskBook{Currency: "CNY", Day: "20261124"}
		for i := range 12_345 {
			book.Contracts = append(book.Contracts, contract(fmt.Sprint(i)))
			book.Orders = append(book.Orders, order(i, ""))
		}
		w.mu.Lock()
		deliver, first := w.needs[round-1], w.needs[0]
		w.mu.Unlock()
		deliver(book)
		event()
		w.Observe(hub.RiskEvent{Contracts: book.Contracts}) // in parts
		deliver(hub.RiskBook{})                             // a second time: not taken
		if round == 2 {
			first(hub.RiskBook{}) // the one of a process that is gone: not taken
		}
		w.awaitLine(t, "margin up", round)
		want := fmt.Sprintf("%d events, %d contracts, 12345 orders", 1+25, 2*12_345)
		if got := w.judge(t, candidate(uint64(10*round+1), "no")); got[0].Reason != want {
			t.Errorf("got %+v, want %q", got, want)
		}
		if round == 1 {
			_ = syscall.Kill(w.Status()[0].PID, syscall.SIGKILL)
			w.awaitLine(t, "margin down: its process died: signal: killed", 1)
		}
	}
}

// TestManagerSays shows every way in which a manager does not answer, and that it is always a no with a reason.
func TestManagerSays(t *testing.T) {
	for _, test := range []struct {
		name, program, reference string
		settings                 map[string]any
		deadline                 time.Duration
		want, down               string
	}{
		{name: "slow", program: "risk-book", reference: "slow", deadline: 20 * time.Millisecond, want: "no answer within 20ms"},
		{
			name: "silent", program: "risk-garbled", settings: map[string]any{"garbage": "silent"}, deadline: 20 * time.Millisecond,
			want: "no answer within 20ms",
		},
		{name: "exits", program: "risk-book", reference: "exit", want: "is down: its process is gone", down: "its process died: exit status 7"},
		{name: "hangs", program: "risk-book", reference: "hang", want: "is down: its process is gone", down: "its Judge has not returned for "},
		{
			name: "unknown", program: "risk-garbled", settings: map[string]any{"garbage": "unknown"}, want: "is down: its process is gone",
			down: "it sent garbage: a verdict about candidate 1007, which it was not asked about or has answered before",
		},
		{name: "empty", program: "risk-garbled", settings: map[string]any{"garbage": "empty"}, want: "is down: ", down: "it sent garbage: an answer without content"},
		{
			name: "no ask", program: "risk-garbled", settings: map[string]any{"garbage": "no ask"}, want: "is down: ",
			down: "it sent garbage: a verdict about candidate 0",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			managers := margin(t, test.program, test.settings)
			times := calm()
			if test.reference == "hang" {
				times.ManagerBusy = 500 * time.Millisecond
			}
			if test.deadline != 0 {
				managers[0].Deadline = test.deadline
			}
			w := start(t, times, nil, managers)
			w.awaitLine(t, "margin up", 1)
			got := w.judge(t, candidate(7, test.reference))
			if got[0].Pass || !strings.HasPrefix(got[0].Reason, test.want) || got[0].Manager != "margin" {
				t.Errorf("got %+v, want %q", got, test.want)
			}
			if test.down == "" {
				return
			}
			if got := w.awaitLine(t, "margin down: ", 1); !strings.Contains(got, test.down) {
				t.Errorf("reason: got %q, want %q in it", got, test.down)
			}
			w.awaitLine(t, "margin up", 2)
		})
	}
}

// TestManagerAnswersTwice shows that the first answer holds and the second ends the session.
func TestManagerAnswersTwice(t *testing.T) {
	w := start(t, calm(), nil, margin(t, "risk-garbled", map[string]any{"garbage": "twice"}))
	w.awaitLine(t, "margin up", 1)
	if got := w.judge(t, candidate(7, "")); !got[0].Pass {
		t.Errorf("got %+v", got)
	}
	w.awaitLine(t, "margin down: it sent garbage: a verdict about candidate 7, which it was not asked about or has answered before", 1)
}

func TestManagerDoesNotStart(t *testing.T) {
	w := start(t, calm(), nil, margin(t, "risk-book", map[string]any{"refuse": "no rates"}))
	w.awaitLine(t, "margin down: no rates", 1)
	if got := w.judge(t, candidate(1, "")); got[0].Pass || (got[0].Reason != "is down: no rates" && got[0].Reason != "is starting") {
		t.Errorf("got %+v", got)
	}
}

// TestManagerFallsBehind shows that a manager whose queue is full is not believed any more, and begins again with a new book.
func TestManagerFallsBehind(t *testing.T) {
	w := start(t, calm(), nil, margin(t, "risk-book", nil))
	w.awaitLine(t, "margin up", 1)
	w.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Order: order(1, "slow")}}) // does not return
	for range host.ManagerQueueMax + 5000 {                                       // more than queue and window
		w.Observe(hub.RiskEvent{Day: "20261124"})
	}
	w.awaitLine(t, fmt.Sprintf("margin down: it is too slow: %d orders and events waited for it", host.ManagerQueueMax), 1)
	w.awaitLine(t, "margin up", 2)
	if got := w.judge(t, candidate(1, "no")); got[0].Reason != "0 events, 1 contracts, 0 orders" {
		t.Errorf("got %+v", got)
	}
}

// TestManyManagers shows that all are asked at the same time, that each has its own deadline, and that every candidate is answered exactly once while
// managers die and come back.
func TestManyManagers(t *testing.T) {
	managers := []host.PluginConfig{program(t, "one", "risk-book", nil), program(t, "two", "risk-book", nil), program(t, "three", "risk-garbled", map[string]any{"garbage": "silent"})}
	managers[2].Deadline = 5 * time.Millisecond
	w := start(t, calm(), nil, managers)
	for _, m := range managers {
		w.awaitLine(t, m.Name+" up", 1)
	}
	const n = 5000
	answered := make([]int, n+1)
	var mu sync.Mutex
	var all sync.WaitGroup
	all.Add(n)
	for ask := uint64(1); ask <= n; ask++ {
		w.Judge(candidate(ask, ""), func(v []hub.Verdict) {
			mu.Lock()
			answered[ask]++
			once := answered[ask] == 1
			mu.Unlock()
			if len(v) != 3 || v[0].Manager != "one" || v[1].Manager != "two" || v[2].Manager != "three" || v[2].Pass || v[2].Reason == "" {
				t.Errorf("candidate %d: got %+v", ask, v)
			}
			if once {
				all.Done()
			}
		})
		if ask == n/2 {
			_ = syscall.Kill(w.Status()[0].PID, syscall.SIGKILL)
		}
	}
	all.Wait()
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for ask, times := range answered[1:] {
		if times != 1 {
			t.Errorf("candidate %d was answered %d times", ask+1, times)
		}
	}
}

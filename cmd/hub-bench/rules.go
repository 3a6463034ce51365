package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// ruleTimes are what rules take for an order, in nanoseconds, one for each round.
type ruleTimes struct {
	hub, stock []float64
	// asked is the part of hub in which the rules themselves are asked; the rest finds the contract and values the order.
	asked []float64
	// few and many are one counter over a minute, with ten and with a hundred thousand happenings in it.
	few, many []float64
	// garbage is how many allocations an order takes.
	garbage float64
	version string // of VeighNa's RiskManager, and its Python
}

const (
	// ruleOrders is how many orders are asked about in a round. No ten of them are alike, for VeighNa's RiskManager refuses the tenth.
	ruleOrders = 100_000
	// rulesAtOnce is how many of them are timed together. The median of those times counts, on both sides: whoever else uses the machine for a moment does not.
	rulesAtOnce = 100
	ruleGoal    = 1000 // nanoseconds
	windowFew   = 10
	windowMany  = 100_000
	// windowPolicy asks for one counter and nothing else that takes time.
	windowPolicy = "policy: trader\ntrader: alpha\nrules:\n  - {name: flow, require: 'trader.messages(\"1m\") < 1_000_000'}\n"
	anyFund      = "policy: fund\nrules:\n  - {name: any, require: order.quantity > 0}\n"
)

// measureRules lets the hub's rules, and VeighNa's, decide about the same orders in turns.
func (r *results) measureRules(ctx context.Context, s settings, o runOptions) error {
	if s.riskManager == "" {
		return fmt.Errorf("%w: --riskmanager, or HUB_RISKMANAGER, names the folder with vnpy_riskmanager 2.0.0; make bench sets it", errUsage)
	}
	ten, err := rehearsal(fundPolicy, traderPolicy, windowFew)
	if err != nil {
		return err
	}
	few, err := rehearsal(anyFund, windowPolicy, windowFew)
	if err != nil {
		return err
	}
	many, err := rehearsal(anyFund, windowPolicy, windowMany)
	if err != nil {
		return err
	}
	for round := range o.rounds {
		ours := func() error {
			for _, m := range []struct {
				of        *core.Rehearsal
				to, asked *[]float64
			}{{ten, &r.rules.hub, &r.rules.asked}, {few, new([]float64), &r.rules.few}, {many, new([]float64), &r.rules.many}} {
				t, err := decideAll(m.of)
				if err != nil {
					return err
				}
				*m.to, *m.asked = append(*m.to, t.put+t.ask), append(*m.asked, t.ask)
				r.rules.garbage = max(r.rules.garbage, t.garbage)
			}
			return nil
		}
		theirs := func() error {
			t, err := stockRules(ctx, s)
			r.rules.stock, r.rules.version = append(r.rules.stock, t.NS), fmt.Sprintf("%s on Python %s", t.Version, t.Python)
			return err
		}
		turns := []func() error{ours, theirs}
		if round%2 == 1 {
			turns = []func() error{theirs, ours}
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return err
			}
		}
		fmt.Fprintf(s.say, "round %d/%d  rules  hub: %.0f ns an order, %.0f ns of it the rules; a window %.0f ns with %d in it and %.0f ns with %d; RiskManager: %.0f ns\n", round+1, o.rounds,
			r.rules.hub[round], r.rules.asked[round], r.rules.few[round], windowFew, r.rules.many[round], windowMany, r.rules.stock[round])
	}
	return nil
}

// stockTimes is what tests/veighna/riskmanager.py says.
type stockTimes struct {
	NS      float64 `json:"ns"`
	Version string  `json:"version"`
	Python  string  `json:"python"`
	Detail  string  `json:"detail"`
}

func stockRules(ctx context.Context, s settings) (t stockTimes, err error) {
	script, err := filepath.Abs(filepath.Join(s.scripts, "riskmanager.py"))
	if err != nil {
		return t, err
	}
	folder, err := filepath.Abs(s.riskManager)
	if err != nil {
		return t, err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, s.python, script, "--orders", fmt.Sprint(ruleOrders))
	command.Env = append(os.Environ(), "PYTHONPATH="+folder)
	command.Stderr = os.Stderr
	out, err := command.Output()
	last := strings.TrimSpace(string(out))
	last = last[strings.LastIndexByte(last, '\n')+1:]
	if bad := json.Unmarshal([]byte(last), &t); bad != nil && err == nil {
		err = bad
	}
	if t.Detail != "" {
		err = errors.New(strings.TrimSpace(t.Detail))
	}
	if err == nil && t.NS <= 0 {
		err = errors.New("it says nothing")
	}
	if err != nil {
		return t, fmt.Errorf("VeighNa's RiskManager: %w", err)
	}
	return t, nil
}

var rebarContract = hub.Contract{
	Instrument: hub.Instrument{Symbol: "rb2701", Exchange: "SHFE"}, Gateway: gatewayName, Product: "rb", Kind: hub.Futures, Currency: "CNY", Size: hub.Int(10), Tick: hub.Int(1),
	MinQty: hub.Int(1), MaxQty: hub.Int(500), SplitsToday: true, MarginLong: hub.MustDecimal("0.1"), MarginShort: hub.MustDecimal("0.1"),
}

// rehearsal makes a core that has seen a morning: alpha holds something, has orders that work, and has sent as many messages within the last minute as are wanted.
func rehearsal(fund, trader string, messages int) (*core.Rehearsal, error) {
	c := core.New()
	now := hub.Time(1_795_424_400_000_000_000)
	var effects []core.Effect
	step := func(in hub.Input) {
		effects = c.Step(hub.Entry{Seq: c.Seq() + 1, Time: now, Input: in})
	}
	step(hub.SetUp{
		Fund: "bench", Currency: "CNY", Gateways: []hub.GatewayName{gatewayName}, Traders: []hub.TraderSetUp{{Name: "alpha", Capital: hub.Int(1_000_000_000)}},
	})
	step(hub.RollDay{Day: "20261123"})
	step(hub.Contracts{Gateway: gatewayName, Contracts: []hub.Contract{rebarContract}})
	step(hub.GatewayState{Gateway: gatewayName, Up: true})
	step(hub.LoadPolicies{Files: []hub.PolicyFile{{Name: "fund.yaml", Text: fund}, {Name: "traders/alpha.yaml", Text: trader}}, Language: policy.Language})
	if a, ok := effects[0].(core.PoliciesAnswered); !ok || len(a.Errors) > 0 {
		return nil, fmt.Errorf("the bench's policies do not load: %v", effects)
	}
	every := hub.Time(50*time.Second) / hub.Time(messages)
	for n := range messages {
		now += every
		in := ruleOrder(2 * n) // buys alone: they must not meet
		in.Market.Seen = now
		step(in)
		decided, ok := effects[0].(core.Decided)
		if !ok || len(decided.Refusals) > 0 {
			return nil, fmt.Errorf("an order of the bench is refused: %+v", effects[0])
		}
		report := hub.VenueReport{Gateway: gatewayName, OrderID: decided.Order.ID, Kind: hub.ReportCancelled}
		if n < windowFew/2 {
			report = hub.VenueReport{Gateway: gatewayName, OrderID: decided.Order.ID, Kind: hub.ReportFill, TradeID: fmt.Sprint(n), Price: in.Request.Price, Qty: hub.Int(1)}
		}
		step(report)
	}
	return c.Rehearse()
}

// ruleOrder is one order of many that differ as those of tests/veighna/riskmanager.py do.
func ruleOrder(i int) hub.SubmitOrder {
	price := hub.Int(int64(3300 + i/40%400))
	return hub.SubmitOrder{
		Trader: "alpha",
		Request: hub.OrderRequest{
			Instrument: rebarContract.Instrument, Direction: []hub.Direction{hub.Long, hub.Short}[i%2], Offset: hub.Open, Type: hub.Limit, Price: price, Qty: hub.Int(int64(1 + i/2%20)), Reference: "bench",
		},
		Market: hub.MarketView{Last: price, Bid: price, Ask: price, LimitUp: hub.Int(4000), LimitDown: hub.Int(3000)},
	}
}

// decided is what deciding about an order took, in nanoseconds.
type decided struct {
	put, ask float64
	garbage  float64 // allocations
}

// decideAll asks about all orders, a microsecond apart.
func decideAll(r *core.Rehearsal) (decided, error) {
	all := make([]hub.SubmitOrder, ruleOrders)
	at := r.Now()
	for i := range all {
		all[i] = ruleOrder(i)
		all[i].Market.Seen = at
	}
	var some [rulesAtOnce]*core.Rehearsal
	for i := range some {
		some[i] = r.Another()
	}
	put, ask := make([]float64, 0, ruleOrders/rulesAtOnce), make([]float64, 0, ruleOrders/rulesAtOnce)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range ruleOrders / rulesAtOnce {
		began := time.Now()
		for i, r := range some {
			if err := r.Put(&all[n*rulesAtOnce+i], at+hub.Time(n*rulesAtOnce+i)*hub.Time(time.Microsecond)); err != nil {
				return decided{}, fmt.Errorf("an order of the bench is refused: %w", err)
			}
		}
		between := time.Now()
		for _, r := range some {
			if refusals := r.Ask(); len(refusals) > 0 {
				return decided{}, fmt.Errorf("an order of the bench is refused: %v", refusals)
			}
		}
		put = append(put, float64(between.Sub(began).Nanoseconds())/rulesAtOnce)
		ask = append(ask, float64(time.Since(between).Nanoseconds())/rulesAtOnce)
	}
	runtime.ReadMemStats(&after)
	return decided{median(put), median(ask), float64(after.Mallocs-before.Mallocs) / ruleOrders}, nil
}

// render writes what rules take.
func (t ruleTimes) render() string {
	if len(t.hub) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| | hub | RiskManager | ratio | goal | |\n|---|---|---|---|---|---|\n")
	b.WriteString(row{"rules for an order: ten of the hub, five of VeighNa's RiskManager " + t.version, median(t.hub), median(t.stock), "ns", goal{limit: 0.5}}.String())
	met := "met"
	if median(t.asked) > ruleGoal {
		met = fmt.Sprintf("missed by %.0f ns", median(t.asked)-ruleGoal)
	}
	fmt.Fprintf(&b, "\nOf the hub's time the ten rules themselves take %s; the rest finds the contract and values the order. Goal: at most %s, %s. %.2g allocations an order. "+
		"A rule with a counter over a minute takes %s with %s messages in the minute, and %s with %d.\n",
		number(median(t.asked), "ns"), number(ruleGoal, "ns"), met, t.garbage,
		number(median(t.many), "ns"), strings.TrimSuffix(number(windowMany, ""), " "), number(median(t.few), "ns"), windowFew)
	return b.String()
}

package policy

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// MaxWatches is the most watches of one file.
const MaxWatches = 50

// Variables that watches were made for.
const (
	// MarginRatio is MarginHeld / Equity.
	MarginRatio Var = iota + 700
	// OldestMarkAge is how old the oldest price is of what is held, in seconds.
	OldestMarkAge
	// GatewayDown is since when the gateway has been down that has been down longest, in seconds.
	GatewayDown
	// BreaksToday counts where the books and a venue's account did not agree (ScopeFund).
	BreaksToday
)

// RatioOfNothing is the MarginRatio of who holds margin and has no equity to hold it with: more than any that can be computed, so that a watch over it fires.
var RatioOfNothing = hub.Int(999)

// watchVars are names without "trader." and "fund.".
func watchVars() []VarInfo {
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: name, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		number("margin_ratio", MarginRatio, "part", "margin_held / equity: 0.8 is 80 %; 0 when nothing is held, and 999 when something is and equity is not over 0", ""),
		number("oldest_mark_age", OldestMarkAge, "seconds", "how long ago the hub had the last tick of what is held, of the contract with the oldest; exact to a few seconds; 0 when nothing is held",
			"something is held of which the hub never had a tick"),
		number("gateway_down", GatewayDown, "seconds", "how long the gateway has been down that has been down longest; of a trader: of the gateways where the trader holds or works something; 0 when all are up", ""),
	}
}

// fundWatchVars are of the fund alone.
func fundWatchVars() []VarInfo {
	return []VarInfo{{
		Name: "fund.breaks_today", Scope: ScopeFund, Var: BreaksToday, Kind: KindNumber, Unit: "count",
		Meaning: "how often since the trading day began a venue's account and the books were found to differ in a contract; of the newest 200 differences",
	}}
}

// Watchable reports whether a watch may read a variable: one that is of a trader or of the fund, and not of an order or its contract.
func Watchable(info VarInfo) bool {
	if info.Scope != ScopeTrader && info.Scope != ScopeFund || info.Narrow != All {
		return false
	}
	//exhaustive:ignore
	switch info.Var {
	case Orders, Cancels, Messages, Rejects, Trades, Refused, VenueRejects, FastCancels, InstantCancels, LargeCancels, TradedQuantity, TradedValue, Opened, RejectsInARow, Amends,
		ActiveOrders, InDoubt, WorkingValue, GrossValue, NetValue, Capital, Equity, Available, MarginHeld, Realised, Unrealised, Commission, DayPnL,
		Cash, EquityStart, Peak, PeakDay, Drawdown, DrawdownDay, DrawdownPart, RealisedDay, CommissionDay, ConsecutiveLosses, MarginPositions,
		FundRate, FundRateAge, PublishedValue, PublishedAge, MarginRatio, OldestMarkAge, GatewayDown, BreaksToday:
		return true
	}
	return false
}

// Action is what a watch does.
type Action uint8

// Actions, in the order in which they are done.
const (
	ReduceOnly Action = iota + 1
	CancelOnly
	Halt
	CancelAll
	Flatten
	Alert
)

var actionNames = []string{"", "reduce_only", "cancel_only", "halt", "cancel_all", "flatten", "alert"}

func (a Action) String() string { return actionNames[a] }

// Words of again.
const (
	eachCrossing = "each crossing"
	oncePerDay   = "once per day"
)

// Watch looks at a trader's or the fund's numbers after every fill, mark, rejection and change of a gateway, and does something when they have become bad.
type Watch struct {
	// Trader whose file it is in; "" of the fund's.
	Trader hub.TraderName
	Name   string
	File   string
	// Place is file:line.
	Place string
	// Then is what it does, without repeats, in the order of the constants.
	Then []Action
	// Daily: it fires once in a trading day at most, and every day anew. Else it fires again when it has been clear.
	Daily bool

	when    *node
	clear   *node // nil: not when
	because template
	reads   []*node
}

// Watches are those of every trader who has a policy, sorted, and then the fund's. The slice is the caller's.
func (r *Rules) Watches() []*Watch {
	var all []*Watch
	for _, name := range r.names {
		all = append(all, r.traders[name].watches...)
	}
	if r.fund != nil {
		all = append(all, r.fund.watches...)
	}
	return all
}

// Timed reports whether the watch may fire because time passes, and nothing else happens.
func (w *Watch) Timed() bool {
	return slices.ContainsFunc(w.reads, func(n *node) bool {
		return n.op == opVar && (n.ref.Window > 0 || n.ref.Var == OldestMarkAge || n.ref.Var == GatewayDown || n.ref.Var == FundRateAge || n.ref.Var == PublishedAge)
	})
}

// Is reports whether what the watch looks out for is so; an error says in words why that cannot be computed.
func (w *Watch) Is(source Source) (bool, error) { return truthOf(w.when, source) }

// IsClear reports whether the watch may fire again.
func (w *Watch) IsClear(source Source) (bool, error) {
	if w.clear == nil {
		is, err := w.Is(source)
		return !is, err
	}
	return truthOf(w.clear, source)
}

type notComputableError string

func (n notComputableError) Error() string { return string(n) }

func truthOf(n *node, source Source) (bool, error) {
	m := machine{source: source}
	is, ok := m.truth(n)
	if !ok {
		return false, notComputableError(m.sentence().String())
	}
	return is, nil
}

// Sentence is the watch's because, with the numbers of now.
func (w *Watch) Sentence(source Source) string { return w.because.fill(source) }

// Values are what the watch reads, as "name=value", sorted.
func (w *Watch) Values(source Source) []string { return valuesOf(w.reads, source) }

// watchable refuses a variable that a watch cannot read; true when it can, or when this is no watch.
func (c *checker) watchable(info *VarInfo, at int) bool {
	switch {
	case c.watch == noWatch:
		return true
	case !Watchable(*info):
		c.fault(at, "%s is of an order or of its contract, and a watch looks at none; there are trader.pnl.day, fund.drawdown and others: see the reference", info.Name)
		return false
	case c.watch == fundWatch && info.Scope == ScopeTrader:
		c.fault(at, "%s: the fund's watches look at the whole fund; write fund.%s, or put the watch into the trader's file", info.Name, strings.TrimPrefix(info.Name, "trader."))
		return false
	}
	return true
}

// watching says whether an expression is a watch's, and whose.
type watching uint8

const (
	noWatch watching = iota
	traderWatch
	fundWatch
)

func (c *sheetCompiler) watches(e entry) {
	list := e.value
	switch {
	case empty(list):
		return
	case list.Kind != yaml.SequenceNode:
		c.fail(placeOf(list), "watch", "must be a list, each watch beginning with - name: ..., not %s", shape(list))
		return
	case len(list.Content) > MaxWatches:
		c.fail(placeOf(list.Content[MaxWatches]), "watch", "more than %d watches", MaxWatches)
		return
	}
	c.watch = traderWatch
	if c.sheet.isFund {
		c.watch = fundWatch
	}
	lines := map[string]int{}
	for i, n := range list.Content {
		c.watchOf(n, fmt.Sprintf("watch[%d]", i+1), lines)
	}
	c.watch = noWatch
	c.sheet.windows = sortedRefs(c.sheet.windows)
	if len(c.sheet.windows) > MaxWindows {
		c.fail(placeOf(list), "watch", "rules and watches read %d different counters over a window; at most %d", len(c.sheet.windows), MaxWindows)
	}
}

// watchOf compiles one watch.
func (c *sheetCompiler) watchOf(n *yaml.Node, where string, lines map[string]int) {
	if n.Kind != yaml.MappingNode {
		c.fail(placeOf(n), where, "a watch has keys: name, when, then, and perhaps because, clear and again; this is %s", shape(n))
		return
	}
	w := &Watch{Trader: c.sheet.trader, File: c.file, Place: fmt.Sprintf("%s:%d", c.file, n.Line)}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; key.Value == "name" && value.Kind == yaml.ScalarNode && ruleName(value.Value) {
			where = "watch." + value.Value
			break
		}
	}
	found, ok := c.entries(n, where, watchKeys, nil)
	if !ok {
		return
	}
	w.Name = c.name(n, where, found, lines)
	if e, ok := found["when"]; !ok {
		c.fail(placeOf(n), where, "when is missing; write the condition on which something is to be done")
	} else if s, ok := c.scalar(e, where+".when", "a condition such as trader.pnl.day <= -50_000"); ok {
		w.when = c.condition(s, where+".when")
		w.because = template{{text: shorten(oneLine(s.value()), 200)}}
	}
	if e, ok := found["clear"]; ok {
		if s, ok := c.scalar(e, where+".clear", "a condition such as trader.pnl.day > -40_000"); ok {
			w.clear = c.condition(s, where+".clear")
		}
	}
	if e, ok := found["because"]; ok {
		if s, ok := c.scalar(e, where+".because", "a sentence"); ok {
			w.because = c.template(s, where+".because")
		}
	}
	if e, ok := found["then"]; !ok {
		c.fail(placeOf(n), where, "then is missing; write what is to be done, such as [reduce_only, alert]")
	} else {
		w.Then = c.actions(e, where+".then")
	}
	if e, ok := found["again"]; ok {
		c.again(w, e, where+".again")
		if _, clears := found["clear"]; clears && w.Daily {
			c.fail(placeOf(e.key), where+".again", "once per day needs no clear: every trading day begins anew; remove one of them")
		}
	}
	w.reads = readsOf(w.when, w.clear)
	c.sheet.watches = append(c.sheet.watches, w)
}

func (c *sheetCompiler) again(w *Watch, e entry, where string) {
	s, ok := c.scalar(e, where, eachCrossing+" or "+oncePerDay)
	if !ok {
		return
	}
	switch s.value() {
	case eachCrossing:
	case oncePerDay:
		w.Daily = true
	default:
		hint := didYouMean(s.value(), []string{eachCrossing, oncePerDay})
		if hint == "" {
			hint = "; write " + eachCrossing + ", or " + oncePerDay
		}
		c.fail(placeOf(e.value), where, "%q is not known%s", shorten(s.value(), textShown), hint)
	}
}

// actions reads one action or a list of them.
func (c *sheetCompiler) actions(e entry, where string) []Action {
	words := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		words = e.value.Content
	}
	known := actionNames[1:]
	if empty(e.value) || len(words) == 0 {
		c.fail(placeOf(e.key), where, "is empty; write one or more of %s", strings.Join(known, ", "))
		return nil
	}
	var all []Action
	for _, n := range words {
		i := slices.Index(actionNames, n.Value)
		switch {
		case n.Kind != yaml.ScalarNode:
			c.fail(placeOf(n), where, "must be one or more of %s, not %s", strings.Join(known, ", "), shape(n))
		case i < 1:
			hint := didYouMean(n.Value, known)
			if hint == "" {
				hint = "; there are " + strings.Join(known, ", ")
			}
			c.fail(placeOf(n), where, "unknown action %s%s", shorten(n.Value, textShown), hint)
		case slices.Contains(all, Action(i)):
			c.fail(placeOf(n), where, "%s is there twice", n.Value)
		default:
			all = append(all, Action(i))
		}
	}
	slices.Sort(all)
	if slices.Contains(all, Halt) && slices.Contains(all, Flatten) {
		c.fail(placeOf(e.key), where, "halt stops what flatten sends; write flatten alone, which lets no order of a trader through either")
	}
	return all
}

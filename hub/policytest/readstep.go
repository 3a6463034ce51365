package policytest

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/policy"
)

func (r *reader) steps(n *yaml.Node, where string, depth int) []*step {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, where, "must be a list of steps, each beginning with -, not %s", shape(n))
		return nil
	}
	if depth > MaxNesting {
		r.fail(n, where, "steps stand in steps more than %d deep", MaxNesting)
		return nil
	}
	var all []*step
	for i, child := range n.Content {
		if s := r.step(child, fmt.Sprintf("%s[%d]", where, i+1), depth); s != nil {
			all = append(all, s)
		}
	}
	return all
}

func (r *reader) step(n *yaml.Node, where string, depth int) *step {
	found := r.fields(n, where, keysOfStep)
	if found == nil {
		return nil
	}
	s := &step{node: n, times: 1}
	if e, ok := found["at"]; ok {
		if m, ok := r.moment(e.value, where+".at"); ok {
			s.at = &m
		}
	}
	if e, ok := found["times"]; ok {
		if times, ok := r.whole(e.value, where+".times"); ok {
			s.times = times
		}
	}
	if e, ok := found["every"]; ok {
		s.every = r.span(e.value, where+".every")
		if _, ok := found["times"]; !ok {
			r.fail(e.key, where+".every", "every is between the times of a step that has times")
		}
	}
	for _, k := range keysOfAction {
		e, ok := found[k.Name]
		switch {
		case !ok:
		case s.what != "":
			r.fail(e.key, where, "%s and %s in one step; write two steps", s.what, k.Name)
		default:
			s.what = k.Name
			s.value = r.action(k.Name, e.value, join(where, k.Name), depth)
		}
	}
	if e, ok := found["name"]; ok {
		s.name, _ = r.word(e.value, where+".name", "a name")
		switch {
		case s.what != "order":
			r.fail(e.key, where+".name", "only an order has a name")
		case s.name == "last" || s.name == "all":
			r.fail(e.value, where+".name", "%s means another thing; take another name", s.name)
		case r.names[s.name]:
			r.fail(e.value, where+".name", "an order of this test is called %s already", s.name)
		}
		r.names[s.name] = true
	}
	r.expectations(found, where, s)
	if s.what == "" && !slices.ContainsFunc([]string{"at", "values", "holds", "states"}, func(key string) bool { _, ok := found[key]; return ok }) {
		r.fail(n, where, "nothing happens and nothing is expected; write one of %s", strings.Join(namesOf(keysOfAction), ", "))
	}
	return s
}

func (r *reader) action(what string, n *yaml.Node, where string, depth int) any {
	switch what {
	case "order":
		return r.order(n, where)
	case "cancel", "confirm", "cancelled":
		list := r.list(n, where, "the name of an order, last, or all")
		for _, name := range list.all {
			r.isOrder(n, where, name)
		}
		return list
	case "amend":
		return r.amendment(n, where)
	case "override":
		return r.override(n, where)
	case "fill":
		return r.fill(n, where)
	case "reject":
		return r.rejection(n, where)
	case "market":
		return r.markets(n, where)
	case "state":
		return r.states(n, where)
	case "gateway":
		var all []upDown
		for _, e := range r.pairs(n, where) {
			if !r.world.isGateway(e.key.Value) {
				r.fail(e.key, where, "there is no gateway %q", e.key.Value)
				continue
			}
			s, _ := r.oneOf(e.value, join(where, e.key.Value), []string{"up", "down"})
			all = append(all, upDown{hub.GatewayName(e.key.Value), s == "up"})
		}
		return all
	case "rates":
		return r.rates(n, where)
	case "publish":
		return r.published(n, where)
	case "statement":
		return r.statement(n, where)
	case "capital":
		var all []amount
		for _, e := range r.pairs(n, where) {
			d, ok := r.number(e.value, join(where, e.key.Value))
			if r.isTrader(e.key, where, e.key.Value) && ok {
				all = append(all, amount{e.key.Value, d})
			}
		}
		return all
	case "transfer":
		return r.transfer(n, where)
	case "cancel_all", "flatten":
		s, ok := r.word(n, where, "a trader, a gateway, or fund")
		if ok && s != "fund" && !r.world.isGateway(s) {
			r.isTrader(n, where, s)
		}
		return s
	case "policies":
		return r.policies(n, where)
	case "restart":
		if !r.truth(n, where) {
			r.fail(n, where, "write restart: true, or leave the step out")
		}
		return nil
	case "steps":
		return r.steps(n, where, depth+1)
	}
	return nil
}

// isOrder reports whether an order of that name was sent in a step before.
func (r *reader) isOrder(n *yaml.Node, where, name string) {
	if name == "last" || name == "all" || r.names[name] {
		return
	}
	all := []string{"last", "all"}
	for known := range r.names {
		all = append(all, known)
	}
	slices.Sort(all)
	r.fail(n, where, "no order before is called %q%s; give it one with name: %s beside order:", name, didYouMean(name, all), name)
}

func (r *reader) order(n *yaml.Node, where string) *order {
	found := r.fields(n, where, keysOfOrder)
	if found == nil {
		return nil
	}
	o := &order{kind: hub.Limit, instrument: r.world.contract}
	buy, buys := found["buy"]
	sell, sells := found["sell"]
	switch {
	case buys && sells:
		r.fail(sell.key, where, "buy and sell in one order; write two steps")
	case buys:
		o.direction = hub.Long
		o.quantity, _ = r.number(buy.value, where+".buy")
	case sells:
		o.direction = hub.Short
		o.quantity, _ = r.number(sell.value, where+".sell")
	default:
		r.fail(n, where, "write buy: or sell: with a quantity")
	}
	if e, ok := found["price"]; ok {
		o.price, _ = r.number(e.value, where+".price")
	}
	if e, ok := found["type"]; ok {
		if s, ok := r.oneOf(e.value, where+".type", membersOf(keysOfOrder, "type")); ok {
			o.kind, _ = hub.ParseOrderType(s)
		}
	}
	if e, ok := found["price"]; ok && o.kind == hub.Market {
		r.fail(e.key, where+".price", "a market order has no price")
	}
	if e, ok := found["contract"]; ok {
		o.instrument, _ = r.instrument(e.value, where+".contract")
	} else if o.instrument == (hub.Instrument{}) {
		r.fail(n, where, "contract is missing; write it here, or contract: rb2701 above the tests, for all orders")
	}
	if e, ok := found["offset"]; ok {
		if s, ok := r.oneOf(e.value, where+".offset", membersOf(keysOfOrder, "offset")); ok {
			o.offset, _ = hub.ParseOffset(s)
		}
	} else if !r.world.contracts[o.instrument].NetPosition {
		o.offset = hub.Open
	}
	if e, ok := found["trader"]; ok {
		o.trader = r.trader(e.value, where+".trader")
	}
	if e, ok := found["gateway"]; ok {
		s, _ := r.word(e.value, where+".gateway", "a gateway's name")
		if !r.world.isGateway(s) {
			r.fail(e.value, where+".gateway", "there is no gateway %q; name it under gateways", s)
		}
		o.gateway = hub.GatewayName(s)
	}
	if e, ok := found["reference"]; ok {
		o.reference, _ = r.word(e.value, where+".reference", "a text")
	}
	if e, ok := found["fill"]; ok {
		o.fill = r.truth(e.value, where+".fill")
	}
	if e, ok := found["reject"]; ok {
		o.reject = r.truth(e.value, where+".reject")
		if o.reject && o.fill {
			r.fail(e.key, where, "filled and rejected at once; write one")
		}
	}
	return o
}

func (r *reader) fill(n *yaml.Node, where string) *fill {
	if n.Kind == yaml.ScalarNode {
		name, _ := r.word(n, where, "the name of an order, or last")
		r.isOrder(n, where, name)
		return &fill{order: name}
	}
	found := r.fields(n, where, keysOfFill)
	f := &fill{order: "last"}
	if e, ok := found["order"]; ok {
		f.order, _ = r.word(e.value, where+".order", "the name of an order, or last")
		r.isOrder(e.value, where+".order", f.order)
	}
	if e, ok := found["quantity"]; ok {
		f.quantity, _ = r.positive(e.value, where+".quantity")
	}
	if e, ok := found["price"]; ok {
		f.price, _ = r.positive(e.value, where+".price")
	}
	if e, ok := found["with"]; ok {
		f.with, _ = r.word(e.value, where+".with", "the name of an order")
		r.isOrder(e.value, where+".with", f.with)
	}
	return f
}

func (r *reader) rejection(n *yaml.Node, where string) *rejection {
	if n.Kind == yaml.ScalarNode {
		name, _ := r.word(n, where, "the name of an order, or last")
		r.isOrder(n, where, name)
		return &rejection{order: name}
	}
	found := r.fields(n, where, keysOfReject)
	x := &rejection{order: "last"}
	if e, ok := found["order"]; ok {
		x.order, _ = r.word(e.value, where+".order", "the name of an order, or last")
		r.isOrder(e.value, where+".order", x.order)
	}
	if e, ok := found["reason"]; ok {
		x.reason, _ = r.word(e.value, where+".reason", "a text")
	}
	return x
}

func (r *reader) transfer(n *yaml.Node, where string) *transfer {
	found := r.fields(n, where, keysOfTransfer)
	if found == nil {
		return nil
	}
	t := &transfer{instrument: r.world.contract}
	if e, ok := found["contract"]; ok {
		t.instrument, _ = r.instrument(e.value, where+".contract")
	} else if t.instrument == (hub.Instrument{}) {
		r.fail(n, where, "contract is missing")
	}
	long, isLong := found["long"]
	short, isShort := found["short"]
	switch {
	case isLong == isShort:
		r.fail(n, where, "write long: or short: with a quantity")
	case isLong:
		t.direction = hub.Long
		t.quantity, _ = r.positive(long.value, where+".long")
	default:
		t.direction = hub.Short
		t.quantity, _ = r.positive(short.value, where+".short")
	}
	for _, side := range []struct {
		key string
		to  *hub.TraderName
	}{{"from", &t.from}, {"to", &t.to}} {
		if e, ok := found[side.key]; ok {
			*side.to = r.trader(e.value, join(where, side.key))
		} else {
			r.fail(n, where, "%s is missing", side.key)
		}
	}
	if e, ok := found["price"]; ok {
		t.price, _ = r.positive(e.value, where+".price")
	}
	return t
}

// states are subjects with their states.
func (r *reader) states(n *yaml.Node, where string) []standing {
	members := []string{"ACTIVE", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"}
	var all []standing
	for _, e := range r.pairs(n, where) {
		name := e.key.Value
		if name != "fund" && !r.world.isGateway(name) && !r.isTrader(e.key, where, name) {
			continue
		}
		if s, ok := r.oneOf(e.value, join(where, name), members); ok {
			state, _ := hub.ParseState(s)
			all = append(all, standing{e.key, name, state})
		}
	}
	return all
}

func (r *reader) expectations(found map[string]field, where string, s *step) {
	const rule = "the name of a rule"
	isOrder := s.what == "order" || s.what == "amend"
	for _, x := range []struct {
		key    string
		orders bool
		to     *names
		want   string
	}{
		{"refused", true, &s.refused, rule},
		{"not_computable", true, &s.notComputable, rule},
		{"shadow", true, &s.shadow, rule},
		{"warn", false, &s.warn, rule},
		{"fired", false, &s.fired, "the name of a watch"},
	} {
		e, ok := found[x.key]
		if !ok {
			continue
		}
		if x.orders && !isOrder && (s.what != "steps" || x.key != "shadow") {
			r.fail(e.key, join(where, x.key), "only an order can be so; this step has none")
		}
		*x.to = r.list(e.value, join(where, x.key), x.want)
	}
	if e, ok := found["expect"]; ok {
		switch word, ok := r.oneOf(e.value, where+".expect", membersOf(keysOfExpectation, "expect")); {
		case !ok:
		case !isOrder:
			r.fail(e.key, where+".expect", "only an order can pass; this step has none")
		case word == "pass" && len(s.refused.all)+len(s.notComputable.all) > 0:
			r.fail(e.key, where+".expect", "the order is to pass and to be refused")
		case word == "waits":
			s.waits = true
		}
	}
	if e, ok := found["says"]; ok {
		s.says, _ = r.word(e.value, where+".says", "words of a sentence")
	}
	if e, ok := found["states"]; ok {
		s.states = r.states(e.value, where+".states")
	}
	if e, ok := found["values"]; ok {
		s.values = r.values(e.value, where+".values")
	}
	if e, ok := found["holds"]; ok {
		s.holds = r.conditions(e.value, where+".holds")
	}
}

// probe compiles one condition as a rule of the fund.
func probe(condition string) (*policy.Rules, []policy.Error) {
	text := "policy: fund\nrules:\n  - name: x\n    require: " + quoted(condition) + "\n"
	return policy.Compile([]hub.PolicyFile{{Name: "x", Text: text}})
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// fault is the text of a probe's error, without what the test did not write.
func fault(e policy.Error) string {
	return strings.TrimPrefix(strings.TrimPrefix(e.Text, "rules.x.require: "), "rules.x: ")
}

func (r *reader) conditions(n *yaml.Node, where string) []condition {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	var all []condition
	for _, child := range list {
		text, ok := r.word(child, where, "a condition such as trader.position.long == 3")
		if !ok {
			continue
		}
		rules, errs := probe(text)
		for _, e := range errs {
			at := *child
			if child.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
				at.Column += max(0, e.Col-len("    require: '")-1)
			}
			r.fail(&at, where, "%s", fault(e))
		}
		all = append(all, condition{child, text, rules})
	}
	return all
}

// values are variables with what they must be: a number, a word, true, false, or missing.
func (r *reader) values(n *yaml.Node, where string) []wanted {
	var all []wanted
	for _, e := range r.pairs(n, where) {
		name := e.key.Value
		want, ok := r.word(e.value, join(where, name), "a value")
		if !ok {
			continue
		}
		info, is := variable(name)
		if !is {
			hint := ""
			if like := policy.Like(name); like != "" {
				hint = "; did you mean " + like + "?"
			}
			r.fail(e.key, where, "unknown name %s%s", name, hint)
			continue
		}
		w := wanted{at: e.key, name: name, value: want, info: info}
		text := name + " == 0"
		switch info.Kind {
		case policy.KindText:
			text = name + ` == "x"`
			if len(info.Members) > 0 {
				text = name + " == " + info.Members[0]
				if want != missing && !slices.Contains(info.Members, want) {
					r.fail(e.value, join(where, name), "%q is none of %s%s", want, strings.Join(info.Members, ", "), didYouMean(want, info.Members))
				}
			}
		case policy.KindTruth:
			text = name
			if want != missing && want != "true" && want != "false" {
				r.fail(e.value, join(where, name), "must be true, false or missing, not %q", want)
			}
		case policy.KindNumber:
			if want != missing {
				r.number(e.value, join(where, name))
			}
		case policy.KindMissing:
		}
		rules, errs := probe(text)
		for _, x := range errs {
			r.fail(e.key, where, "%s", fault(x))
		}
		w.rules = rules
		all = append(all, w)
	}
	return all
}

// missing as a value means that a variable has none.
const missing = "missing"

// variable finds a variable of the catalogue by what a rule writes.
func variable(text string) (policy.VarInfo, bool) {
	name, _, _ := strings.Cut(text, "(")
	for _, v := range policy.Vars() {
		if v.Name == name || v.Also != "" && v.Also == name {
			return v, true
		}
	}
	return policy.VarInfo{}, false
}

package policytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// readWorld reads what a test begins with, over what is there already.
func (r *reader) readWorld(found map[string]field, where string) {
	w := r.world
	at := func(key string, read func(n *yaml.Node, where string)) {
		if e, ok := found[key]; ok {
			read(e.value, join(where, key))
		}
	}
	at("start", func(n *yaml.Node, where string) {
		m, ok := r.moment(n, where)
		if ok && !m.whole() {
			r.fail(n, where, "must be a date and a time, such as 2026-11-23 10:00, not %q", n.Value)
		}
		w.start, w.startAt = m, n
	})
	at("calendar", func(n *yaml.Node, where string) {
		w.calendar, _ = r.oneOf(n, where, membersOf(keysOfWorld, "calendar"))
	})
	at("currency", func(n *yaml.Node, where string) { w.currency, _ = r.word(n, where, "a currency such as CNY") })
	at("venue", func(n *yaml.Node, where string) {
		s, _ := r.oneOf(n, where, membersOf(keysOfWorld, "venue"))
		w.silent = s == "silent"
	})
	at("gateways", r.gateways)
	at("groups", r.groups)
	at("traders", func(n *yaml.Node, where string) {
		w.traders = nil
		for _, e := range r.pairs(n, where) {
			if capital, ok := r.number(e.value, join(where, e.key.Value)); ok {
				w.traders = append(w.traders, hub.TraderSetUp{Name: hub.TraderName(e.key.Value), Capital: capital})
			}
		}
	})
	at("trader", func(n *yaml.Node, where string) { w.trader = r.trader(n, where) })
	at("rates", func(n *yaml.Node, where string) { w.rates = r.rates(n, where) })
	at("contracts", r.contracts)
	at("contract", func(n *yaml.Node, where string) { w.contract, _ = r.instrument(n, where) })
	at("market", func(n *yaml.Node, where string) { w.markets = append(w.markets, r.markets(n, where)...) })
	at("published", func(n *yaml.Node, where string) { w.published = r.published(n, where) })
	at("positions", func(n *yaml.Node, where string) { w.positions = r.positions(n, where) })
}

func (r *reader) rates(n *yaml.Node, where string) []hub.Rate {
	var rates []hub.Rate
	for _, e := range r.pairs(n, where) {
		if rate, ok := r.positive(e.value, join(where, e.key.Value)); ok {
			rates = append(rates, hub.Rate{Currency: e.key.Value, Rate: rate})
		}
	}
	return rates
}

// published are numbers with names: of the fund, a trader, a contract or a product.
func (r *reader) published(n *yaml.Node, where string) []hub.PublishedNumber {
	var all []hub.PublishedNumber
	for _, of := range r.pairs(n, where) {
		var whose hub.PublishedNumber
		where := join(where, of.key.Value)
		i, whole := hub.ParseInstrument(of.key.Value)
		switch _, is := known(i); {
		case of.key.Value == "fund":
		case whole && !is: // a product's code stands in the symbol's place
			whose.Instrument = i
		case slices.ContainsFunc(r.world.traders, func(t hub.TraderSetUp) bool { return string(t.Name) == of.key.Value }):
			whose.Trader = hub.TraderName(of.key.Value)
		case whole || isContract(r.world, of.key.Value):
			whose.Instrument, _ = r.instrument(of.key, where)
		default:
			whose.Trader = hub.TraderName(of.key.Value)
			if !r.isTrader(of.key, where, of.key.Value) {
				continue
			}
		}
		for _, e := range r.pairs(of.value, where) {
			x := whose
			x.Name = e.key.Value
			if !policy.PublishedName(x.Name) {
				r.fail(e.key, where, "%q is no name of a number: small letters, digits, _ and dots between them", x.Name)
				continue
			}
			if e.value.Value == "none" {
				x.Gone = true
			} else if x.Value, whole = r.number(e.value, join(where, x.Name)); !whole {
				continue
			}
			all = append(all, x)
		}
	}
	return all
}

// isContract reports whether a word is the symbol of a contract that is known.
func isContract(w *world, word string) bool {
	if _, ok := known(hub.Instrument{Symbol: word}); ok {
		return true
	}
	return slices.ContainsFunc(w.used, func(i hub.Instrument) bool { return i.Symbol == word })
}

func (r *reader) gateways(n *yaml.Node, where string) {
	r.world.gateways = nil
	if n.Kind != yaml.MappingNode {
		for _, name := range r.list(n, where, "a gateway's name").all {
			r.world.gateways = append(r.world.gateways, gateway{name: hub.GatewayName(name)})
		}
		return
	}
	for _, e := range r.pairs(n, where) {
		where := join(where, e.key.Value)
		g := gateway{name: hub.GatewayName(e.key.Value)}
		found := r.fields(e.value, where, keysOfGateway)
		if amends, ok := found["amends"]; ok {
			g.amendsNot = !r.truth(amends.value, where+".amends")
		}
		if limits, ok := found["limits"]; ok {
			for _, text := range r.list(limits.value, where+".limits", "messages and a time, such as 50/1s").all {
				limit, err := hub.ParseMessageLimit(text)
				if err != nil {
					r.fail(limits.value, where+".limits", "%q: %s", text, err)
				}
				g.limits = append(g.limits, limit)
			}
		}
		r.world.gateways = append(r.world.gateways, g)
	}
}

// isGateway reports whether the world has a gateway.
func (w *world) isGateway(name string) bool {
	return slices.ContainsFunc(w.gateways, func(g gateway) bool { return string(g.name) == name })
}

func (r *reader) groups(n *yaml.Node, where string) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, where, "must be a list, each group beginning with - name: ..., not %s", shape(n))
		return
	}
	r.world.groups = nil
	for i, child := range n.Content {
		where := fmt.Sprintf("%s[%d]", where, i+1)
		found := r.fields(child, where, keysOfGroup)
		var g hub.Group
		if e, ok := found["name"]; ok {
			g.Name, _ = r.word(e.value, where+".name", "the group's name")
		} else if found != nil {
			r.fail(child, where, "name is missing")
		}
		if e, ok := found["gateways"]; ok {
			for _, name := range r.list(e.value, where+".gateways", "a gateway's name").all {
				if !r.world.isGateway(name) {
					r.fail(e.value, where+".gateways", "there is no gateway %q; name it under gateways", name)
				}
				g.Gateways = append(g.Gateways, hub.GatewayName(name))
			}
		}
		if e, ok := found["exchanges"]; ok {
			g.Exchanges = r.list(e.value, where+".exchanges", "an exchange").all
		}
		r.world.groups = append(r.world.groups, g)
	}
}

// contracts reads contracts whose terms the test says.
func (r *reader) contracts(n *yaml.Node, where string) {
	for _, e := range r.pairs(n, where) {
		name, where := e.key.Value, join(where, e.key.Value)
		i, whole := hub.ParseInstrument(name)
		if !whole {
			i = hub.Instrument{Symbol: name}
		}
		base, is := known(i)
		if is {
			i = base.Instrument
		} else if !whole {
			r.fail(e.key, where, "where is it traded? Write its exchange behind a dot, such as %s.SHFE", name)
			continue
		}
		found := r.fields(e.value, where, keysOfContract)
		if like, ok := found["like"]; ok {
			if from, ok := r.instrument(like.value, where+".like"); ok {
				base, is = r.world.contracts[from], true
				r.world.used = slices.DeleteFunc(r.world.used, func(u hub.Instrument) bool { return u == from })
			}
		}
		if !is {
			base = contract{Contract: hub.Contract{Product: productOf(i.Symbol), Kind: hub.Futures, Size: hub.Int(1), MinQty: hub.Int(1)}}
		}
		base.Instrument = i
		r.terms(found, where, &base)
		if !is {
			for _, key := range []string{"size", "tick"} {
				if _, said := found[key]; !said && found != nil {
					r.fail(e.key, where, "%s is missing: the terms of %s are not known", key, i)
				}
			}
		}
		r.world.contracts[i] = base
		if !slices.Contains(r.world.used, i) {
			r.world.used = append(r.world.used, i)
		}
	}
}

// productOf is the product code of a symbol that is not known: its letters, or all of it.
func productOf(symbol string) string {
	if n := strings.IndexAny(symbol, "0123456789"); n > 0 {
		return symbol[:n]
	}
	return symbol
}

func (r *reader) terms(found map[string]field, where string, k *contract) {
	decimal := func(key string, to *hub.Decimal) {
		if e, ok := found[key]; ok {
			if d, ok := r.number(e.value, join(where, key)); ok {
				*to = d
			}
		}
	}
	truth := func(key string, to *bool) {
		if e, ok := found[key]; ok {
			*to = r.truth(e.value, join(where, key))
		}
	}
	text := func(key string, to *string) {
		if e, ok := found[key]; ok {
			*to, _ = r.word(e.value, join(where, key), "a text")
		}
	}
	if e, ok := found["kind"]; ok {
		if s, ok := r.oneOf(e.value, where+".kind", membersOf(keysOfContract, "kind")); ok {
			k.Kind, _ = hub.ParseKind(s)
		}
	}
	text("product", &k.Product)
	text("currency", &k.Currency)
	decimal("size", &k.Size)
	decimal("tick", &k.Tick)
	decimal("min_quantity", &k.MinQty)
	decimal("max_quantity", &k.MaxQty)
	decimal("margin", &k.MarginLong)
	if _, ok := found["margin"]; ok {
		k.MarginShort = k.MarginLong
	}
	decimal("fee", &k.Fees.OpenByValue)
	if _, ok := found["fee"]; ok {
		k.Fees.CloseByValue, k.Fees.CloseTodayByValue = k.Fees.OpenByValue, k.Fees.OpenByValue
	}
	decimal("fee_per_unit", &k.Fees.OpenPerUnit)
	if _, ok := found["fee_per_unit"]; ok {
		k.Fees.ClosePerUnit, k.Fees.CloseTodayPerUnit = k.Fees.OpenPerUnit, k.Fees.OpenPerUnit
	}
	truth("nets", &k.NetPosition)
	truth("splits_today", &k.SplitsToday)
	truth("sell_next_day", &k.SellNextDay)
	truth("stops", &k.StopSupported)
	decimal("last", &k.last)
	if e, ok := found["expiry"]; ok {
		m, ok := r.moment(e.value, where+".expiry")
		if ok && !m.whole() {
			r.fail(e.value, where+".expiry", "must be a date and a time, such as 2026-12-15 15:00, not %q", e.value.Value)
		} else if ok {
			zone, _ := time.LoadLocation(shanghai)
			at, _ := time.ParseInLocation(time.DateOnly+" 15:04:05.999999999", m.date+" "+m.clock, zone)
			k.OptionExpiry = hub.TimeOf(at)
			k.Zone = shanghai
		}
	}
}

const shanghai = "Asia/Shanghai"

// markets reads prices: by contract, or, with keys of a market alone, of the contract of the test.
func (r *reader) markets(n *yaml.Node, where string) []quote {
	if n.Kind != yaml.MappingNode {
		if r.world.contract == (hub.Instrument{}) || n.Kind != yaml.ScalarNode {
			r.fail(n, where, "must be contracts with prices, such as {rb2701: {last: 3500}}, not %s", shape(n))
			return nil
		}
		return r.quote(n, where, r.world.contract)
	}
	isMarket := func(key *yaml.Node) bool { return slices.Contains(namesOf(keysOfMarket), key.Value) }
	if len(n.Content) > 0 && isMarket(n.Content[0]) {
		if r.world.contract == (hub.Instrument{}) {
			r.fail(n.Content[0], where, "of which contract? Write contract: rb2701 above, or {rb2701: {%s: ...}}", n.Content[0].Value)
			return nil
		}
		return r.quote(n, where, r.world.contract)
	}
	var quotes []quote
	for _, e := range r.pairs(n, where) {
		if hint := didYouMean(e.key.Value, namesOf(keysOfMarket)); hint != "" && !isContract(r.world, e.key.Value) && !strings.Contains(e.key.Value, ".") {
			r.fail(e.key, where, "unknown key %s%s", e.key.Value, hint)
			continue
		}
		if i, ok := r.instrument(e.key, where); ok {
			quotes = append(quotes, r.quote(e.value, join(where, e.key.Value), i)...)
		}
	}
	return quotes
}

// quote is a last price alone, or several prices.
func (r *reader) quote(n *yaml.Node, where string, i hub.Instrument) []quote {
	q := quote{at: n, instrument: i, fields: map[string]hub.Decimal{}}
	if n.Kind == yaml.ScalarNode {
		last, ok := r.positive(n, where)
		q.fields["last"] = last
		return []quote{q}[:bit(ok)]
	}
	for key, e := range r.fields(n, where, keysOfMarket) {
		where := join(where, key)
		switch {
		case key == "age":
			q.age = r.span(e.value, where)
			q.quiet = true
		case e.value.Value == "none" && key != "volume" && key != "open_interest":
			q.fields[key] = hub.Decimal{}
		default:
			if d, ok := r.number(e.value, where); ok {
				q.fields[key] = d
			}
		}
	}
	return []quote{q}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *reader) positions(n *yaml.Node, where string) []holding {
	var all []holding
	for _, e := range r.pairs(n, where) {
		if !r.isTrader(e.key, where, e.key.Value) {
			continue
		}
		where := join(where, e.key.Value)
		for _, c := range r.pairs(e.value, where) {
			i, ok := r.instrument(c.key, where)
			if !ok {
				continue
			}
			where := join(where, c.key.Value)
			found := r.fields(c.value, where, keysOfPosition)
			h := holding{at: c.key, trader: hub.TraderName(e.key.Value), instrument: i}
			if p, ok := found["price"]; ok {
				h.price, _ = r.positive(p.value, where+".price")
			}
			for _, side := range []struct {
				key       string
				direction hub.Direction
			}{{"long", hub.Long}, {"short", hub.Short}} {
				if q, ok := found[side.key]; ok {
					h.direction = side.direction
					if h.quantity, ok = r.positive(q.value, join(where, side.key)); ok {
						all = append(all, h)
					}
				}
			}
			if h.direction == hub.NoDirection && found != nil {
				r.fail(c.key, where, "write long: or short: with a quantity")
			}
		}
	}
	return all
}

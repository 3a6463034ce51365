package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// recount is a history as a naive person would count it: every event, and for each question a walk over all of them.
type recount struct {
	events   []counted
	fundDay  int
	days     map[string]int // by exchange
	streaks  map[part]int
	groups   []hub.Group
	products map[hub.Instrument]string
}

// counted is one event, by the names of the variables that count it.
type counted struct {
	at           hub.Time
	trader       hub.TraderName
	gateway      hub.GatewayName // "" when the contract is not known
	in           hub.Instrument
	own, shared  []string
	qty, value   hub.Decimal
	opened       hub.Decimal
	large        hub.Decimal // quantity of a cancel that may be a large one
	fundDay, day int
}

// part is whose and what a variable counts.
type part struct{ scope, owner, narrow, what string }

func newRecount() *recount {
	return &recount{days: map[string]int{}, streaks: map[part]int{}, products: map[hub.Instrument]string{}}
}

func (r *recount) groupOf(g hub.GatewayName, exchange string) string {
	for _, group := range r.groups {
		if slices.Contains(group.Gateways, g) && (len(group.Exchanges) == 0 || slices.Contains(group.Exchanges, exchange)) {
			return group.Name
		}
	}
	return string(g)
}

// partsOf are all parts that something of a trader at a place belongs to.
func (r *recount) partsOf(trader hub.TraderName, g hub.GatewayName, in hub.Instrument) []part {
	owners := []part{{scope: "trader", owner: string(trader)}, {scope: "fund"}}
	if g != "" {
		owners = append(owners, part{scope: "account", owner: string(g)}, part{scope: "group", owner: r.groupOf(g, in.Exchange)})
	}
	var all []part
	for _, o := range owners {
		all = append(all, o)
		if g != "" {
			all = append(all, part{o.scope, o.owner, "contract", in.String()}, part{o.scope, o.owner, "product", in.Exchange + " " + r.products[in]})
		}
	}
	return all
}

// belongs says the same of one part, without making a list.
func (r *recount) belongs(e counted, p part) bool {
	switch {
	case p.scope == "trader" && p.owner != string(e.trader), p.scope == "account" && p.owner != string(e.gateway):
		return false
	case e.gateway == "":
		return p.narrow == "" && (p.scope == "trader" || p.scope == "fund")
	case p.scope == "group" && p.owner != r.groupOf(e.gateway, e.in.Exchange):
		return false
	case p.narrow == "contract":
		symbol, exchange, _ := strings.Cut(p.what, ".")
		return symbol == e.in.Symbol && exchange == e.in.Exchange
	case p.narrow == "product":
		exchange, product, _ := strings.Cut(p.what, " ")
		return exchange == e.in.Exchange && product == r.products[e.in]
	}
	return true
}

func (r *recount) add(e counted) {
	e.fundDay, e.day = r.fundDay, r.days[e.in.Exchange]
	r.events = append(r.events, e)
}

// ask answers name, such as trader.contract.orders("10s"), for one part.
func (r *recount) ask(now hub.Time, p part, name, window string) hub.Decimal {
	if name == "rejects_in_a_row" {
		return hub.Int(int64(r.streaks[p]))
	}
	window, least, _ := strings.Cut(window, `", `)
	var sum hub.Sum
	total := hub.Decimal{}
	for _, e := range r.events {
		if !r.belongs(e, p) {
			continue
		}
		if window == "today" {
			if p.narrow == "" && e.fundDay != r.fundDay || p.narrow != "" && e.day != r.days[e.in.Exchange] {
				continue
			}
		} else if d, err := time.ParseDuration(window); err != nil || e.at <= now.Add(-d) {
			continue
		}
		kinds := e.shared
		if p.scope == "trader" {
			kinds = e.own
		}
		switch {
		case name == "large_cancels" && !e.large.IsZero() && e.large.Cmp(d(least)) >= 0:
			total = sum.Add(total, hub.Int(1))
		case name == "traded_quantity":
			total = sum.Add(total, e.qty)
		case name == "traded_value":
			total = sum.Add(total, e.value)
		case name == "opened":
			total = sum.Add(total, e.opened)
		case slices.Contains(kinds, name):
			total = sum.Add(total, hub.Int(1))
		}
	}
	return total
}

// variables are what is drawn from: every counter of every scope and part.
func variables() (windowed, daily []string) {
	names := []string{
		"orders", "cancels", "messages", "rejects", "refused", "venue_rejects", "trades", "fast_cancels", "fak_fok_cancels", "crosses", "traded_quantity", "traded_value", "opened",
	}
	for _, scope := range []string{"trader", "fund", "account", "group"} {
		for _, narrow := range []string{"", "contract.", "product."} {
			for _, name := range names {
				for _, w := range []string{"1s", "3s", "10s", "1h"} {
					windowed = append(windowed, fmt.Sprintf(`%s.%s%s("%s")`, scope, narrow, name, w))
				}
				daily = append(daily, fmt.Sprintf(`%s.%s%s("today")`, scope, narrow, name))
			}
			daily = append(daily, fmt.Sprintf(`%s.%slarge_cancels("today", 2)`, scope, narrow))
			if scope != "group" { // of accounts that were not counted together before, nobody knows whose turn it was
				daily = append(daily, fmt.Sprintf(`%s.%srejects_in_a_row`, scope, narrow))
			}
		}
	}
	return windowed, daily
}

// probing is a fund's policy that refuses an order whose reference is probe, and says with it the value of every one of the variables.
func probing(variables []string) hub.PolicyFile {
	var b strings.Builder
	b.WriteString("policy: fund\nrules:\n  - {name: thirteen, require: order.quantity != 13}\n")
	for i, v := range variables {
		fmt.Fprintf(&b, "  - {name: v%d, when: 'order.reference == \"probe\"', require: '%s == -1'}\n", i, v)
	}
	return hub.PolicyFile{Name: "fund.yaml", Text: b.String()}
}

// TestCountersAgainstRecount draws histories of orders, cancels, fills and rejections of two traders in four contracts at two gateways, with a clock that stands still, repeats itself and runs backwards,
// days that begin at different times at different exchanges, restarts, other policies and other groups in the middle; and asks what rules read of everybody, against a recount of
// the whole history.
func TestCountersAgainstRecount(t *testing.T) {
	windowed, daily := variables()
	rb5, soyToo, rbToo := rb, soy, rb
	rb5.Instrument.Symbol = "rb2705"
	soyToo.Gateway, rbToo.Gateway = "CTP", "CTP"
	listed := map[hub.GatewayName][]hub.Contract{"SIM": {rb, rb5, soy, swap}, "CTP": {rbToo, soyToo}}
	rapid.Check(t, func(t *rapid.T) {
		w, r := newWorld(), newRecount()
		for _, k := range listed["SIM"] {
			r.products[k.Instrument] = k.Product
		}
		status := map[hub.OrderID]hub.Status{}
		var open []hub.OrderID
		net := map[string]hub.Decimal{}
		day := 23
		// step steps, and counts what came of it.
		step := func(in hub.Input) []core.Effect {
			effects := w.step(in)
			_, news := in.(hub.VenueReport)
			for _, e := range effects {
				switch e := e.(type) { //nolint:gochecksumtype // the others count nothing
				case core.Decided:
					o := e.Order
					c := counted{at: w.core.Now(), trader: o.Trader, gateway: o.Gateway, in: o.Instrument}
					if _, known := r.products[o.Instrument]; !known {
						c.gateway = ""
					}
					c.own, c.shared = []string{"orders", "messages"}, []string{"orders", "messages"}
					if len(e.Refusals) > 0 {
						c.own, c.shared = []string{"orders", "messages", "refused", "rejects"}, []string{"refused", "rejects"}
					} else {
						open = append(open, o.ID)
					}
					r.add(c)
					status[o.ID] = o.Status
				case core.Crossed:
					r.add(counted{at: w.core.Now(), trader: e.Order.Trader, gateway: e.Order.Gateway, in: e.Order.Instrument, own: []string{"crosses"}, shared: []string{"crosses"}})
				case core.Traded:
					x := e.Trade
					var sum hub.Sum
					c := counted{at: w.core.Now(), trader: x.Trader, gateway: x.Gateway, in: x.Instrument, own: []string{"trades"}, shared: []string{"trades"}, qty: x.Qty}
					k := listed["SIM"][slices.IndexFunc(listed["SIM"], func(k hub.Contract) bool { return k.Instrument == x.Instrument })]
					c.value = sum.Mul3(x.Price, x.Qty, k.Size)
					switch {
					case k.NetPosition: // what is left over when the other side is used up
						at := fmt.Sprint(x.Trader, x.Gateway, x.Instrument)
						signed := x.Qty
						if x.Direction == hub.Short {
							signed = signed.Neg()
						}
						before := net[at]
						net[at] = sum.Add(before, signed)
						c.opened = x.Qty
						if before.Sign() == -signed.Sign() {
							c.opened = sum.Sub(x.Qty, x.Qty.Min(before.Abs()))
						}
					case x.Offset == hub.Open:
						c.opened = x.Qty
					}
					r.add(c)
				case core.OrderChanged:
					o := e.Order
					before := status[o.ID]
					status[o.ID] = o.Status
					parts := r.partsOf(o.Trader, o.Gateway, o.Instrument)
					switch {
					case !news || before.Final():
					case o.Status == hub.Rejected:
						r.add(counted{at: w.core.Now(), trader: o.Trader, gateway: o.Gateway, in: o.Instrument, own: []string{"rejects", "venue_rejects"}, shared: []string{"rejects", "venue_rejects"}})
						for _, p := range parts {
							r.streaks[p]++
						}
					case o.Status == hub.Cancelled && o.Type == hub.FAK:
						r.add(counted{at: w.core.Now(), trader: o.Trader, gateway: o.Gateway, in: o.Instrument, own: []string{"fak_fok_cancels"}, shared: []string{"fak_fok_cancels"}})
					case o.Status != hub.Cancelled:
						for _, p := range parts {
							r.streaks[p] = 0
						}
					}
				}
			}
			return effects
		}
		start := func(groups []hub.Group) {
			in := setUp()
			in.Gateways, in.Groups = []hub.GatewayName{"SIM", "CTP"}, groups
			in.Calendar, in.Calendars = "main", []hub.ExchangeCalendar{{Exchange: "DCE", Calendar: "late"}}
			r.groups = groups
			step(in)
			for _, g := range in.Gateways {
				step(hub.Contracts{Gateway: g, Contracts: listed[g]})
				step(hub.GatewayState{Gateway: g, Up: true})
			}
		}
		var asked []string
		load := func(t *rapid.T) {
			drawn := rapid.SliceOfNDistinct(rapid.SampledFrom(windowed), 1, 12, rapid.ID).Draw(t, "windows")
			drawn = append(drawn, rapid.SliceOfNDistinct(rapid.SampledFrom(daily), 5, 25, rapid.ID).Draw(t, "of the day")...)
			asked = drawn
			files := policies()
			files[0] = probing(asked)
			for i := range files[1:] { // more windows, of one trader's cells alone
				files[i+1].Text = strings.Replace(files[i+1].Text, "require: trader.orders(\"10s\") < 20", "require: trader.orders(\"10s\") < 2000 and trader.contract.trades(\"7s\") < 2000", 1)
				files[i+1].Text = strings.Replace(files[i+1].Text, "position: 20", "position: 2000", 1)
			}
			if answer := step(hub.LoadPolicies{Files: files, Language: policy.Language})[0].(core.PoliciesAnswered); len(answer.Errors) > 0 {
				t.Fatal(answer.Errors)
			}
		}
		start(nil)
		step(hub.RollDay{Day: "20261123"})
		step(hub.RollDay{Day: "20261123", Calendar: "late"})
		load(t)
		traders := rapid.SampledFrom([]hub.TraderName{"alpha", "beta"})
		gateways := rapid.SampledFrom([]hub.GatewayName{"SIM", "CTP"})
		request := func(t *rapid.T) (hub.GatewayName, hub.OrderRequest) {
			g := gateways.Draw(t, "gateway")
			return g, hub.OrderRequest{
				Instrument: rapid.SampledFrom(listed[g]).Draw(t, "contract").Instrument, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "direction"),
				Offset: rapid.SampledFrom([]hub.Offset{hub.Open, hub.Open, hub.CloseToday}).Draw(t, "offset"), Type: rapid.SampledFrom([]hub.OrderType{hub.Limit, hub.FAK}).Draw(t, "type"),
				Price: hub.Int(int64(rapid.IntRange(3495, 3505).Draw(t, "price"))), Qty: hub.Int(int64(rapid.SampledFrom([]int{1, 2, 3, 13}).Draw(t, "quantity"))),
			}
		}
		submit := func(trader hub.TraderName, g hub.GatewayName, req hub.OrderRequest) []core.Effect {
			return step(hub.SubmitOrder{Trader: trader, Gateway: g, Request: req, Market: hub.MarketView{Last: d("3500"), Seen: w.now}})
		}
		report := func(t *rapid.T, f func(o hub.Order) hub.VenueReport) {
			if len(open) == 0 {
				return
			}
			o, ok := w.core.Order("", rapid.SampledFrom(open).Draw(t, "order"))
			if !ok || o.Status.Final() {
				return
			}
			in := f(o)
			in.Gateway, in.OrderID = o.Gateway, o.ID
			step(in)
		}
		trades := 0
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				g, req := request(t)
				submit(traders.Draw(t, "trader"), g, req)
			},
			"nonsense": func(t *rapid.T) {
				_, req := request(t)
				req.Symbol = "none"
				submit(traders.Draw(t, "trader"), "", req)
			},
			"cancel": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				o, ok := w.core.Order("", rapid.SampledFrom(open).Draw(t, "order"))
				if !ok {
					return
				}
				w.core.Now()
				step(hub.CancelOrder{Trader: o.Trader, OrderID: o.ID})
				c := counted{at: w.core.Now(), trader: o.Trader, gateway: o.Gateway, in: o.Instrument, own: []string{"messages"}}
				if o.Type != hub.FAK {
					c.own = append(c.own, "cancels")
					if first := !o.Status.Final() && !o.CancelAsked; first {
						c.large, _ = o.Qty.Sub(o.Filled)
						if w.core.Now()-o.Time <= 1e9 {
							c.own = append(c.own, "fast_cancels")
						}
					}
				}
				c.shared = c.own
				r.add(c)
			},
			"resting": func(t *rapid.T) {
				report(t, func(hub.Order) hub.VenueReport { return hub.VenueReport{Kind: hub.ReportResting} })
			},
			"fill": func(t *rapid.T) {
				report(t, func(o hub.Order) hub.VenueReport {
					trades++
					left, _ := o.Qty.Sub(o.Filled)
					return hub.VenueReport{
						Kind: hub.ReportFill, TradeID: fmt.Sprint("t", trades), Price: hub.Int(int64(rapid.IntRange(3400, 3600).Draw(t, "price"))),
						Qty: hub.Int(int64(rapid.IntRange(1, 3).Draw(t, "quantity"))).Min(left),
					}
				})
			},
			"cancelled": func(t *rapid.T) {
				report(t, func(o hub.Order) hub.VenueReport { return hub.VenueReport{Kind: hub.ReportCancelled, Qty: o.Filled} })
			},
			"rejected": func(t *rapid.T) {
				report(t, func(o hub.Order) hub.VenueReport {
					if o.Filled.IsPos() {
						return hub.VenueReport{Kind: hub.ReportCancelled, Qty: o.Filled}
					}
					return hub.VenueReport{Kind: hub.ReportRejected}
				})
			},
			"roll": func(t *rapid.T) {
				day++
				calendar := rapid.SampledFrom([]string{"", "main", "late"}).Draw(t, "calendar")
				step(hub.RollDay{Day: hub.Day(fmt.Sprintf("2027%04d", day)), Calendar: calendar})
				if calendar != "late" {
					r.fundDay++
				}
				rolled := map[string]bool{"SHFE": calendar != "late", "GLOBAL": calendar != "late", "DCE": calendar != "main"}
				for exchange, rolls := range rolled {
					if rolls {
						r.days[exchange]++
					}
				}
				for p := range r.streaks {
					exchange, _, found := strings.Cut(p.what, " ")
					if !found {
						_, exchange, _ = strings.Cut(p.what, ".")
					}
					if p.narrow == "" && calendar != "late" || p.narrow != "" && rolled[exchange] {
						delete(r.streaks, p)
					}
				}
			},
			"resume": func(t *rapid.T) {
				trader := traders.Draw(t, "trader")
				step(hub.SetState{Scope: hub.ScopeTrader, Name: string(trader), By: "olivia"})
				for p := range r.streaks {
					if p.scope == "trader" && p.owner == string(trader) {
						delete(r.streaks, p)
					}
				}
			},
			"restart": func(t *rapid.T) {
				before := w.digest()
				if err := w.restart(); err != nil {
					t.Fatal(err)
				}
				if w.digest() != before {
					t.Fatal("a restored core has another digest")
				}
			},
			"load": load,
			"set up": func(t *rapid.T) {
				start(rapid.SampledFrom([][]hub.Group{
					nil, {{Name: "all", Gateways: []hub.GatewayName{"SIM", "CTP"}}}, {{Name: "steel", Gateways: []hub.GatewayName{"CTP", "SIM"}, Exchanges: []string{"SHFE"}}},
				}).Draw(t, "groups"))
			},
			"wait": func(t *rapid.T) {
				w.now += hub.Time(rapid.SampledFrom([]int64{-5e9, -1, 0, 1, 1e9 - 1, 1e9, 1e9 + 1, 3e9, 10e9, 1800e9}).Draw(t, "ns"))
			},
			"": func(t *rapid.T) {
				if err := w.core.Check(); err != nil {
					t.Fatal(err)
				}
				trader := traders.Draw(t, "who asks")
				g, req := request(t)
				req.Reference, req.Qty, req.Offset, req.Type = "probe", hub.Int(1), hub.Open, hub.Limit
				want := map[string]string{}
				now := max(w.core.Now(), w.now)
				parts := r.partsOf(trader, g, req.Instrument)
				for _, name := range asked {
					head, window, _ := strings.Cut(strings.TrimRight(name, `")`), `("`)
					words := strings.Split(head, ".")
					narrow := ""
					if len(words) == 3 {
						narrow = words[1]
					}
					p := parts[slices.IndexFunc(parts, func(p part) bool { return p.scope == words[0] && p.narrow == narrow })]
					want[name] = r.ask(now, p, words[len(words)-1], window).String()
				}
				got := map[string]string{}
				refusals := submit(trader, g, req)[0].(core.Decided).Refusals
				for _, refusal := range refusals {
					for _, v := range refusal.Values {
						name, value, _ := strings.Cut(v, "=")
						got[name] = value
					}
				}
				if len(got) == 0 {
					t.Fatalf("no rule was asked: %+v", refusals)
				}
				for _, name := range asked {
					if got[name] != want[name] {
						t.Fatalf("%s, for %s in %s at %s: got %q, want %s", name, trader, req.Instrument, g, got[name], want[name])
					}
				}
			},
		})
		if w.replay() != w.digest() {
			t.Fatal("replay gives another state")
		}
	})
}

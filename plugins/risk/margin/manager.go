package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/risk/margin/model"
)

// What may be used of equity when the settings do not say.
var (
	traderMaxDefault = hub.MustDecimal("0.8")
	fundMaxDefault   = hub.MustDecimal("0.7")
)

// manager is the model as a plugin.
type manager struct {
	name  string
	log   hclog.Logger
	model *model.Model
}

var _ plugins.RiskManager = (*manager)(nil)

// Start makes the model of the book as it is.
func (m *manager) Start(env plugins.Env, book hub.RiskBook) error {
	settings, err := read(env.Settings)
	if err != nil {
		return err
	}
	m.name, m.log, m.model = env.Name, env.Log, model.New(settings, book)
	for _, key := range unused(settings, book.Contracts) {
		m.log.Warn("a rate is for nothing that a gateway lists now", "rate", key)
	}
	m.log.Info("started", "traders", len(book.Traders), "contracts", len(book.Contracts), "orders", len(book.Orders))
	return nil
}

// Judge asks the model; "" is a pass.
func (m *manager) Judge(candidate hub.Candidate) hub.Verdict {
	began := time.Now()
	reason := m.model.Judge(candidate)
	return hub.Verdict{Manager: m.name, Pass: reason == "", Reason: reason, Took: time.Since(began)}
}

// Observe takes what happened.
func (m *manager) Observe(event hub.RiskEvent) { m.model.Observe(event) }

// Numbers are margin.used, margin.paid, margin.available and margin.ratio of every trader and of the fund.
func (m *manager) Numbers() []hub.Number { return m.model.Numbers() }

// Close has nothing to free.
func (m *manager) Close() error { return nil }

// read makes the model's settings, or says everything that is wrong with them.
func read(s plugins.Settings) (model.Settings, error) {
	out := model.Settings{
		TraderMax: part(s, "trader_max", traderMaxDefault), FundMax: part(s, "fund_max", fundMaxDefault),
		Rates: map[string]model.Rates{}, LargerSide: model.LargerSideDefault(), Currencies: map[string]hub.Decimal{},
	}
	rates := s.Map("rates")
	for _, key := range rates.Keys() {
		own := rates.Map(key)
		out.Rates[key] = model.Rates{Long: part(own, "long", hub.Decimal{}), Short: part(own, "short", hub.Decimal{})}
		if len(own.Keys()) == 0 {
			rates.Problem(key, "names no rate; write {long: 0.13, short: 0.13}")
		}
	}
	exchanges := s.Map("larger_side")
	for _, exchange := range exchanges.Keys() {
		scope := model.Scope(exchanges.String(exchange, ""))
		switch scope {
		case model.ByProduct, model.ByContract, model.BothSides:
			out.LargerSide[exchange] = scope
		default:
			exchanges.Problem(exchange, fmt.Sprintf("%q is not product, contract or none", scope))
		}
	}
	currencies := s.Map("currencies")
	for _, currency := range currencies.Keys() {
		rate := currencies.Decimal(currency, hub.Decimal{})
		if !rate.IsPos() {
			currencies.Problem(currency, "must be more than 0")
		}
		out.Currencies[currency] = rate
	}
	return out, s.Err()
}

// part reads a number above 0 and at most 1.
func part(s plugins.Settings, name string, def hub.Decimal) hub.Decimal {
	d := s.Decimal(name, def)
	if s.Has(name) && (!d.IsPos() || hub.Int(1).Less(d)) {
		s.Problem(name, fmt.Sprintf("%s is not more than 0 and at most 1", d))
	}
	return d
}

// unused finds the rates that no listed contract takes, for they are most likely misspelt.
func unused(s model.Settings, contracts []hub.Contract) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s.Rates)) {
		if !slices.ContainsFunc(contracts, func(c hub.Contract) bool {
			return c.Product == key || strings.Contains(key, ".") && c.Instrument.String() == key
		}) {
			out = append(out, key)
		}
	}
	return out
}

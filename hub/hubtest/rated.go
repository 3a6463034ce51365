package hubtest

import (
	"fmt"
	"math/big"
	"slices"

	"tradehub/hub"
	"tradehub/hub/core"
)

// word is somebody's word on a currency.
type word struct {
	rate *big.Rat
	at   hub.Time
}

// rateTexts are the rates that persons say in this world.
var rateTexts = []string{"7", "6.4", "7.123", "8.75", "5.5", "6.9", "10", "3.3", "14.2"}

// rates lets a person say what a currency is worth: mostly well.
func (w *World) rates(m Move) {
	in := hub.SetRates{By: "operator", Jump: m.B%3 == 0, Rates: []hub.Rate{{Currency: "USDT", Rate: hub.MustDecimal(rateTexts[pick(len(rateTexts), m.A)])}}}
	switch m.C % 12 {
	case 0:
		in.Rates = append(in.Rates, hub.Rate{Currency: "CNY", Rate: hub.Int(1)}) // it is the fund's own
	case 1:
		in.Rates = append(in.Rates, in.Rates[0]) // it is there twice
	case 2:
		in.Rates = append(in.Rates, hub.Rate{Currency: "EUR", Rate: hub.MustDecimal("7.9")}) // nothing is traded in it
	}
	w.propose(in, nil)
}

// firstRates takes what the configuration says of currencies that nobody has spoken of: it says the same at every start.
func (l *ledger) firstRates(in hub.SetUp) {
	for _, r := range in.Rates {
		if _, known := l.rates[r.Currency]; !known {
			l.say(r)
		}
	}
}

func (l *ledger) say(r hub.Rate) {
	l.rates[r.Currency] = word{exact(r.Rate), l.now}
	l.lines = append(l.lines, line{rates: map[string]*big.Rat{r.Currency: exact(r.Rate)}})
}

// rated takes a person's word on rates, if it makes sense, and sees that the hub thinks so, too.
func (l *ledger) rated(in hub.Input, effects []core.Effect) error {
	said, is := in.(hub.SetRates)
	if !is {
		return nil
	}
	sane := true
	for i, r := range said.Rates {
		sane = sane && r.Currency != l.setUp.Currency && !slices.ContainsFunc(said.Rates[:i], func(o hub.Rate) bool { return o.Currency == r.Currency })
		if old, known := l.rates[r.Currency]; known && !said.Jump {
			twice := new(big.Rat).Quo(exact(r.Rate), old.rate)
			sane = sane && twice.Cmp(big.NewRat(2, 1)) <= 0 && twice.Cmp(big.NewRat(1, 2)) >= 0
		}
	}
	for _, e := range effects {
		if a, is := e.(core.RatesAnswered); is && (len(a.Errors) == 0) != sane {
			return fmt.Errorf("%+v are sane: %v, and the hub says %q", said.Rates, sane, a.Errors)
		}
	}
	if !sane {
		l.seen["bad rates"]++
		return nil
	}
	l.seen["rates"]++
	for _, r := range said.Rates {
		l.say(r)
	}
	return nil
}

// rate is what the contract's currency is worth in the fund's, as of the line.
func (a *account) rate(c hub.Contract) *big.Rat {
	if c.Currency == a.ledger.setUp.Currency {
		return big.NewRat(1, 1)
	}
	return a.rates[c.Currency]
}

// rescale counts what is held in some currencies at other rates: what was paid for it, and what it holds, stay what they are in their own currency. Of what is paid in full, that is a gain
// or a loss of the currency that was bought.
func rescale(all map[hub.TraderName]*account, to map[string]*big.Rat) {
	fund := all[""]
	for currency, now := range to {
		was := fund.rates[currency]
		fund.rates[currency] = now
		if was == nil {
			continue
		}
		for owner, a := range all {
			for _, h := range a.holdings {
				c := a.ledger.contracts[h.instrument]
				if c.Currency != currency || owner == "" && !c.NetPosition {
					continue
				}
				f := fund.at(h.instrument)
				for _, d := range []hub.Direction{hub.Long, hub.Short} {
					s := h.side(d)
					cost, margin := inDigits(s.cost, now, was), inDigits(s.margin, now, was)
					if c.MarginLong.IsZero() {
						s.drift = add(s.drift, mul(sub(cost, s.cost), big.NewRat(map[hub.Direction]int64{hub.Long: 1, hub.Short: -1}[d], 1)))
					}
					if !c.NetPosition {
						of := f.side(d)
						of.cost, of.margin = add(of.cost, sub(cost, s.cost)), add(of.margin, sub(margin, s.margin))
					}
					s.cost, s.margin = cost, margin
				}
			}
		}
	}
	for _, a := range all {
		a.crest()
	}
}

// inDigits is money * now / was, as the hub computes it: product and quotient to 19 digits, and the result to 8 decimals.
func inDigits(money, now, was *big.Rat) *big.Rat {
	return cents(digits(new(big.Rat).Quo(digits(mul(money, now)), was)))
}

// digits rounds to 19 digits, half to even.
func digits(r *big.Rat) *big.Rat {
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	room := 19
	if whole.Sign() != 0 {
		room -= len(new(big.Int).Abs(whole).String())
	}
	return halfEven(r, room)
}

// unrated: the order's currency has no rate, or none that is fresh, and the order may do something else than make a position smaller.
func (q *asked) unrated(c hub.Contract) bool {
	w, known := q.ledger.rates[c.Currency]
	if c.Currency == q.ledger.setUp.Currency || known && q.ledger.now.Sub(w.at) <= q.ledger.setUp.RatesMaxAge {
		return false
	}
	return !q.shrinks(c)
}

func (q *asked) ofContract(what string) *big.Rat {
	c := q.ledger.contracts[q.order.Instrument]
	own := c.Currency == q.ledger.setUp.Currency
	w := q.ledger.rates[c.Currency]
	switch {
	case what == "rate" && own:
		return big.NewRat(1, 1)
	case what == "rate":
		return w.rate
	case what == "rate_age" && own:
		return zero()
	case what == "rate_age":
		return big.NewRat(max(0, int64(q.ledger.now-w.at)/1000), 1_000_000)
	}
	panic("the ledger does not know contract." + what)
}

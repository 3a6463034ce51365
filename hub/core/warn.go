package core

import (
	"cmp"
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/hub/gate"
	"tradehub/hub/policy"
)

// cautionsMax bounds the warnings of one trader that are remembered. Over it the one that was given first is forgotten, and may be given again.
const cautionsMax = 1000

// caution is a warning that a trader has had. It is not given again before the warn of its rule holds in a decision about the same.
type caution struct {
	Key policy.Key `cbor:"1,keyasint"`
	// Of is the contract that it is about, or, with the product in the symbol's place, the product; empty when it is about all that the trader does.
	Of    hub.Instrument `cbor:"2,keyasint,omitzero"`
	Since hub.Time       `cbor:"3,keyasint"`
}

func compareCautions(a, b caution) int {
	return cmp.Or(
		cmp.Compare(a.Key.Owner, b.Key.Owner), cmp.Compare(a.Key.Rule, b.Key.Rule), cmp.Compare(a.Key.Narrow, b.Key.Narrow),
		cmp.Compare(a.Of.Exchange, b.Of.Exchange), cmp.Compare(a.Of.Symbol, b.Of.Symbol),
	)
}

// about is what a warning of this key is about when an order is for the contract.
func (k *contract) about(key policy.Key) hub.Instrument {
	switch key.Narrow {
	case policy.InContract:
		return k.Instrument
	case policy.InProduct:
		return hub.Instrument{Symbol: k.Product, Exchange: k.Exchange}
	case policy.All:
	}
	return hub.Instrument{}
}

// told is what a decision says besides yes or no. It is no part of the state.
type told struct {
	said     policy.Decision
	warnings []hub.Warning // the new ones
	lines    []hub.Words   // what the trader reads of them
}

func (t *told) reset() {
	t.said.Reset()
	t.warnings, t.lines = nil, nil // effects have them
}

// inShadow are what rules in shadow would have refused for; nil when there are none.
func (c *Core) inShadow() []hub.Refusal {
	if len(c.told.said.Shadows) == 0 {
		return nil
	}
	return slices.Clone(c.told.said.Shadows)
}

// ask asks the gate about an order, and keeps what it says besides yes or no.
func (c *Core) ask(s *source, about gate.Case) (gate.Permit, []hub.Refusal) {
	about.Said = &c.told.said
	permit, refusals := gate.Decide(about)
	if permit.Valid() {
		c.caution(s.trader, s.contract, s)
	}
	return permit, refusals
}

// caution finds which warnings of an order that passes are new, and arms again those whose warn holds.
func (c *Core) caution(b *book, k *contract, s *source) {
	for _, key := range c.told.said.Clear {
		if len(b.Cautions) == 0 {
			break
		}
		if i, found := slices.BinarySearchFunc(b.Cautions, caution{Key: key, Of: k.about(key)}, compareCautions); found {
			b.Cautions = slices.Delete(b.Cautions, i, i+1)
		}
	}
	for _, w := range c.told.said.Warnings {
		is := caution{Key: w.Key, Of: k.about(w.Key), Since: c.now}
		i, found := slices.BinarySearchFunc(b.Cautions, is, compareCautions)
		if found {
			continue
		}
		b.Cautions = slices.Insert(b.Cautions, i, is)
		b.forgetCaution()
		x := hub.Warning{Rule: w.Rule(), Place: w.Place(), Text: w.Text(s, hub.English), Values: w.Values(s), Fund: w.Key.Owner == ""}
		c.told.warnings = append(c.told.warnings, x)
		c.told.lines = append(c.told.lines, hub.Say("warning: %s %s: %s", x.Place, x.Rule, hub.SayAs(x.Text, w.Text(s, b.lang))))
	}
}

// forgetCaution drops the oldest where there are too many; of equally old ones, the first.
func (b *book) forgetCaution() {
	if len(b.Cautions) <= cautionsMax {
		return
	}
	oldest := 0
	for i := range b.Cautions {
		if b.Cautions[i].Since < b.Cautions[oldest].Since {
			oldest = i
		}
	}
	b.Cautions = slices.Delete(b.Cautions, oldest, oldest+1)
}

// warn tells the trader and compliance what a decision warns of.
func (c *Core) warn(o *order) {
	for i, w := range c.told.warnings {
		c.tell(o.Trader, Warning, o.ID, c.told.lines[i])
		c.alert("order %s of %s passed and is near to a limit: %s %s: %s", o.ID, o.Trader, w.Place, w.Rule, w.Text)
	}
}

// keepCautions forgets the warnings of rules that are not in force any more, or that warn nobody now.
func (c *Core) keepCautions() {
	for _, b := range c.traders {
		if len(b.Cautions) == 0 {
			continue
		}
		var keys []policy.Key
		if c.rules != nil {
			keys = c.rules.Warns(b.Trader)
		}
		b.Cautions = slices.DeleteFunc(b.Cautions, func(x caution) bool { return !slices.Contains(keys, x.Key) })
	}
}

// checkCautions: each is there once, sorted, and is of a rule in force.
func (c *Core) checkCautions() error {
	for _, b := range c.traders {
		if len(b.Cautions) > cautionsMax {
			return fmt.Errorf("%s: %d warnings are remembered", b.Trader, len(b.Cautions))
		}
		var keys []policy.Key
		if c.rules != nil && len(b.Cautions) > 0 {
			keys = c.rules.Warns(b.Trader)
		}
		for i, x := range b.Cautions {
			if i > 0 && compareCautions(b.Cautions[i-1], x) >= 0 || !slices.Contains(keys, x.Key) || (x.Key.Narrow == policy.All) != (x.Of == hub.Instrument{}) || x.Since > c.now {
				return fmt.Errorf("%s: the warning of %s about %s makes no sense", b.Trader, x.Key.Rule, x.Of)
			}
		}
	}
	return nil
}

package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// publishedMax bounds how many published numbers are kept. With more, nothing new is taken until something is withdrawn.
const publishedMax = 50_000

// published is the newest word on a number.
type published struct {
	hub.PublishedNumber `cbor:"1,keyasint"`
	At                  hub.Time `cbor:"2,keyasint,omitempty"`
	By                  string   `cbor:"3,keyasint,omitempty"`
}

// publishedKey is a name, and whose number it is.
type publishedKey struct {
	name   string
	trader hub.TraderName
	of     hub.Instrument
}

func (p *published) key() publishedKey { return publishedKey{p.Name, p.Trader, p.Instrument} }

func (k publishedKey) compare(other publishedKey) int {
	return cmp.Or(cmp.Compare(k.name, other.name), cmp.Compare(k.trader, other.trader), cmp.Compare(k.of.Exchange, other.of.Exchange), cmp.Compare(k.of.Symbol, other.of.Symbol))
}

func (k publishedKey) String() string {
	switch {
	case k.trader != "":
		return k.name + " of " + string(k.trader)
	case k.of != (hub.Instrument{}):
		return k.name + " of " + k.of.String()
	}
	return k.name + " of the fund"
}

// publish takes somebody's word on some numbers: all of them, or none.
func (c *Core) publish(in hub.PublishNumbers) {
	errs := c.badNumbers(in.Numbers)
	if len(errs) == 0 {
		all := make([]published, len(in.Numbers))
		for i, n := range in.Numbers {
			n.Value = n.Value.Trim(0)
			all[i] = published{PublishedNumber: n, At: c.now, By: in.By}
		}
		c.keepNumbers(all)
	}
	c.emit(NumbersAnswered{Errors: errs})
}

func (c *Core) badNumbers(all []hub.PublishedNumber) (errs []string) {
	fresh := 0
	seen := make(map[publishedKey]bool, len(all))
	for _, n := range all {
		p := published{PublishedNumber: n}
		k := p.key()
		_, known := c.published[k]
		switch {
		case !policy.PublishedName(n.Name):
			errs = append(errs, fmt.Sprintf("%q is no name of a number: small letters, digits, _ and dots between them, beginning with a letter, at most 64", n.Name))
		case n.Trader != "" && n.Instrument != hub.Instrument{}:
			errs = append(errs, fmt.Sprintf("%s: it is a trader's or a contract's, not both", n.Name))
		case n.Trader != "" && c.byTrader[n.Trader] == nil:
			errs = append(errs, fmt.Sprintf("%s: there is no trader %s", n.Name, n.Trader))
		case seen[k]:
			errs = append(errs, k.String()+" is there twice")
		case n.Gone && !known:
			errs = append(errs, k.String()+" was not published")
		case !n.Gone && !known:
			fresh++
		}
		seen[k] = true
	}
	if n := len(c.published) + fresh; n > publishedMax {
		errs = append(errs, fmt.Sprintf("there would be %d published numbers, and at most %d are kept; withdraw some", n, publishedMax))
	}
	return errs
}

// keepNumbers puts numbers in force that are in order.
func (c *Core) keepNumbers(all []published) {
	gone := false
	for _, p := range all {
		k := p.key()
		old := c.published[k]
		switch {
		case p.Gone:
			delete(c.published, k)
			old.Gone, gone = true, true
		case old != nil:
			*old = p
		default:
			c.published[k] = &p
			c.publishedList = append(c.publishedList, &p)
		}
	}
	if gone {
		c.publishedList = slices.DeleteFunc(c.publishedList, func(p *published) bool { return p.Gone })
	}
	slices.SortFunc(c.publishedList, func(a, b *published) int { return a.key().compare(b.key()) })
}

// imageOfNumbers are the published numbers, sorted.
func (c *Core) imageOfNumbers() []published {
	var all []published
	for _, p := range c.publishedList {
		all = append(all, *p)
	}
	return all
}

// ofPublished answers for a number that somebody published.
func (s *source) ofPublished(ref *policy.Ref) policy.Value {
	k := publishedKey{name: ref.Name}
	//exhaustive:ignore
	switch ref.Scope {
	case policy.ScopeTrader:
		k.trader = s.trader.Trader
	case policy.ScopeContract:
		k.of = s.contract.Instrument
	}
	p := s.core.published[k]
	if p == nil && ref.Scope == policy.ScopeContract {
		k.of.Symbol = s.contract.Product
		p = s.core.published[k]
	}
	switch {
	case p == nil:
		return policy.Missing("nobody has published it")
	case ref.Var == policy.PublishedValue:
		return policy.Number(p.Value)
	}
	age := max(0, s.core.now.Sub(p.At))
	return number(func(sum *hub.Sum) hub.Decimal {
		return sum.Quo(hub.Int(int64(age/time.Microsecond)), hub.Int(1_000_000))
	})
}

// PublishedNames are the names of the numbers that the rules and watches in force ask for.
func (c *Core) PublishedNames() []string {
	if c.rules == nil {
		return nil
	}
	return c.rules.PublishedNames()
}

// NumberStanding is the newest word on a published number.
type NumberStanding struct {
	hub.PublishedNumber
	At hub.Time
	By string
}

// Numbers returns the published numbers, sorted by name and by whose they are.
func (c *Core) Numbers() []NumberStanding {
	out := make([]NumberStanding, len(c.publishedList))
	for i, p := range c.publishedList {
		out[i] = NumberStanding{p.PublishedNumber, p.At, p.By}
	}
	return out
}

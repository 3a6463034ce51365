package core

import (
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// Image is the whole state as plain data, for snapshots and digests: no map, no pointer that is shared with the Core's future. Two cores with equal Images behave alike.
type Image struct {
	Seq        uint64           `cbor:"1,keyasint"`
	Now        hub.Time         `cbor:"2,keyasint"`
	Day        hub.Day          `cbor:"3,keyasint"`
	DayBefore  hub.Day          `cbor:"14,keyasint,omitempty"`
	Head       string           `cbor:"4,keyasint"`
	OrderCount uint64           `cbor:"5,keyasint"`
	TradeCount uint64           `cbor:"6,keyasint"`
	SetUp      hub.SetUp        `cbor:"7,keyasint"`
	Files      []hub.PolicyFile `cbor:"8,keyasint"`
	Gateways   []gateway        `cbor:"9,keyasint"`
	Contracts  []contract       `cbor:"10,keyasint"`
	Fund       book             `cbor:"11,keyasint"`
	Traders    []book           `cbor:"12,keyasint"`
	Orders     []order          `cbor:"13,keyasint"`
	Restraints []restraint      `cbor:"60,keyasint,omitempty"`
	Calendars  []calendarDay    `cbor:"40,keyasint,omitempty"`
	Language   int              `cbor:"45,keyasint,omitempty"` // of Files
	RulesIn    string           `cbor:"46,keyasint,omitempty"` // the currency that Files were compiled for
}

// Image copies the state.
func (c *Core) Image() Image {
	im := Image{
		Seq: c.seq, Now: c.now, Day: c.day, DayBefore: c.dayBefore, Head: c.head, OrderCount: c.orderCount, TradeCount: c.tradeCount, SetUp: c.setup, Files: slices.Clone(c.files),
		Fund: c.fund.image(), Restraints: slices.Clone(c.restraints), Calendars: slices.Clone(c.calendars),
		Language: c.language, RulesIn: c.rulesIn,
	}
	for _, g := range c.gateways {
		im.Gateways = append(im.Gateways, *g)
	}
	for _, k := range c.contractList {
		im.Contracts = append(im.Contracts, *k)
	}
	for _, b := range c.traders {
		im.Traders = append(im.Traders, b.image())
	}
	for _, o := range c.orderList {
		copied := *o
		copied.Fills = slices.Clone(o.Fills)
		im.Orders = append(im.Orders, copied)
	}
	return im
}

func (b *book) image() book {
	im := *b
	im.byKey = nil
	im.Orders, im.Cancels, im.Msgs = b.Orders.image(), b.Cancels.image(), b.Msgs.image()
	im.Rejects, im.Trades, im.Repeats = b.Rejects.image(), b.Trades.image(), b.Repeats.image()
	im.Crosses, im.SelfTrades = b.Crosses.image(), b.SelfTrades.image()
	im.Positions = make([]*position, len(b.Positions))
	for i, p := range b.Positions {
		copied := *p
		im.Positions[i] = &copied
	}
	return im
}

// Restore makes a Core of an Image. The Image must not be used again. An error means that it is not one that this version of the hub wrote.
func Restore(im Image) (*Core, error) {
	c := New()
	c.seq, c.now, c.day, c.dayBefore, c.head, c.calendars = im.Seq, im.Now, im.Day, im.DayBefore, im.Head, im.Calendars
	c.orderCount, c.tradeCount, c.setup, c.files = im.OrderCount, im.TradeCount, im.SetUp, im.Files
	c.language, c.rulesIn = im.Language, im.RulesIn
	if len(im.Files) > 0 {
		rules, errs := policy.Compile(im.Files, policy.InCurrency(im.RulesIn), policy.OfLanguage(im.Language))
		if len(errs) > 0 {
			return nil, fmt.Errorf("restore: the policy in the image does not compile: %w", errs[0])
		}
		c.rules = rules
	}
	for i := range im.Gateways {
		c.gateways = append(c.gateways, &im.Gateways[i])
	}
	for i := range im.Contracts {
		k := &im.Contracts[i]
		k.derive()
		c.contracts[k.key] = k
		c.contractList = append(c.contractList, k)
	}
	c.fund = &im.Fund
	c.fund.rebuild()
	for i := range im.Traders {
		b := &im.Traders[i]
		b.rebuild()
		c.traders = append(c.traders, b)
		c.byTrader[b.Trader] = b
	}
	for i := range im.Orders {
		o := &im.Orders[i]
		c.orders[o.ID] = o
		if o.Ask != 0 {
			c.undecided[o.Ask] = o
		}
		c.orderList = append(c.orderList, o)
		o.number, _ = c.number(o.ID)
		c.restored(o)
	}
	c.restraints = im.Restraints
	c.takeOldHalts()
	return c, nil
}

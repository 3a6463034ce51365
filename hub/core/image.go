package core

import (
	"cmp"
	"errors"
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
	Unassigned book             `cbor:"50,keyasint"`
	Holdings   []holding        `cbor:"51,keyasint,omitempty"`
	Breaks     []brk            `cbor:"52,keyasint,omitempty"`
	Restraints []restraint      `cbor:"60,keyasint,omitempty"`
	Calendars  []calendarDay    `cbor:"40,keyasint,omitempty"`
	Rates      []rate           `cbor:"47,keyasint,omitempty"`
	Published  []published      `cbor:"105,keyasint,omitempty"`
	RatesKept  bool             `cbor:"48,keyasint,omitempty"` // Rates are what they are; images of before rates could change have none
	Language   int              `cbor:"45,keyasint,omitempty"` // of Files
	RulesIn    string           `cbor:"46,keyasint,omitempty"` // the currency that Files were compiled for
	Instead    string           `cbor:"100,keyasint,omitempty"`
	// Places are those of the flows of the books; Cells are sorted, and those that counted nothing are left out.
	Places       []place      `cbor:"70,keyasint,omitempty"`
	Cells        []cell       `cbor:"71,keyasint,omitempty"`
	Cuts         []cut        `cbor:"61,keyasint,omitempty"`
	Watched      []watched    `cbor:"62,keyasint,omitempty"`
	Flattenings  []flattening `cbor:"63,keyasint,omitempty"`
	FlattenCount uint64       `cbor:"64,keyasint,omitempty"`

	Overrides     []hub.Override `cbor:"95,keyasint,omitempty"`
	OverrideCount uint64         `cbor:"96,keyasint,omitempty"`
}

// Image copies the state.
func (c *Core) Image() Image {
	im := Image{
		Seq: c.seq, Now: c.now, Day: c.day, DayBefore: c.dayBefore, Head: c.head, OrderCount: c.orderCount, TradeCount: c.tradeCount, SetUp: c.setup, Files: slices.Clone(c.files),
		Fund: c.fund.image(), Restraints: slices.Clone(c.restraints), Calendars: slices.Clone(c.calendars), Cuts: slices.Clone(c.cuts), Watched: c.imageOfWatches(), Flattenings: c.imageOfFlattenings(), FlattenCount: c.flattenCount,
		Language: c.language, RulesIn: c.rulesIn, Instead: c.instead, Places: slices.Clone(c.places[1:]), Cells: c.imageOfCells(),
		Rates: slices.Clone(c.rates), RatesKept: true, Published: c.imageOfNumbers(),
		Unassigned: c.unassigned.image(), Breaks: slices.Clone(c.breaks),
	}
	im.Overrides, im.OverrideCount = imageOfOverrides(c.overrides), c.overrideCount
	for _, g := range c.gateways {
		copied := g.image(c.now)
		copied.Money, copied.Strange = slices.Clone(g.Money), slices.Clone(g.Strange)
		im.Gateways = append(im.Gateways, copied)
	}
	for _, h := range c.holdingList {
		im.Holdings = append(im.Holdings, *h)
	}
	for _, k := range c.contractList {
		im.Contracts = append(im.Contracts, *k)
	}
	for _, b := range c.traders {
		im.Traders = append(im.Traders, b.image())
	}
	for _, o := range c.orderList {
		copied := *o
		copied.Fills, copied.Waits = slices.Clone(o.Fills), slices.Clone(o.Waits)
		im.Orders = append(im.Orders, copied)
	}
	return im
}

func (b *book) image() book {
	im := *b
	im.byKey, im.core, im.flow, im.keeps, im.totals, im.tilt = nil, nil, flow{}, keeps{}, totals{}, tilt{}
	im.Earned = b.Earned.image()
	im.Flow, im.Repeats = b.flow.image(), b.Repeats.image()
	im.Cautions = append([]caution(nil), b.Cautions...)
	im.Positions = make([]*position, len(b.Positions))
	for i, p := range b.Positions {
		copied := *p
		copied.in, copied.exact = nil, nil
		im.Positions[i] = &copied
	}
	return im
}

// Restore makes a Core of an Image. The Image must not be used again. An error means that it is not one that this version of the hub wrote.
func Restore(im Image) (*Core, error) {
	c := New()
	c.seq, c.now, c.day, c.dayBefore, c.head, c.calendars = im.Seq, im.Now, im.Day, im.DayBefore, im.Head, im.Calendars
	c.orderCount, c.tradeCount, c.setup, c.files = im.OrderCount, im.TradeCount, im.SetUp, im.Files
	c.language, c.rulesIn, c.rates, c.instead = im.Language, im.RulesIn, im.Rates, im.Instead
	c.keepNumbers(im.Published)
	if !im.RatesKept {
		c.takeOldRates()
	}
	if len(im.Files) > 0 {
		rules, errs := policy.Compile(im.Files, policy.InCurrency(im.RulesIn), policy.OfLanguage(im.Language))
		if len(errs) > 0 {
			return nil, fmt.Errorf("restore: the policy in the image does not compile: %w", errs[0])
		}
		c.rules = rules
	}
	for i := range im.Gateways {
		g := &im.Gateways[i]
		for j := range g.Budgets {
			g.Budgets[j].divide()
		}
		c.gateways = append(c.gateways, g)
	}
	for i := range im.Contracts {
		k := &im.Contracts[i]
		k.derive()
		c.contracts[k.key] = k
		c.contractList = append(c.contractList, k)
	}
	c.fund = &im.Fund
	sound := c.fund.rebuild()
	c.unassigned, c.breaks = &im.Unassigned, im.Breaks
	c.unassigned.Trader = hub.Unassigned // an image of before there was one has none
	sound = c.unassigned.rebuild() && sound
	for i := range im.Holdings {
		h := &im.Holdings[i]
		c.holdings[h.Key] = h
		c.holdingList = append(c.holdingList, h)
	}
	for i := range im.Traders {
		b := &im.Traders[i]
		sound = b.rebuild() && sound
		c.traders = append(c.traders, b)
		c.byTrader[b.Trader] = b
	}
	if !sound {
		return nil, errors.New("restore: the orders that duplicates are counted from make no sense")
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
	c.restraints, c.cuts = im.Restraints, im.Cuts
	c.takeOldHalts()
	if err := c.restoreCells(&im); err != nil {
		return nil, err
	}
	c.keepWatches(im.Watched)
	c.overrides, c.overrideCount = im.Overrides, im.OverrideCount
	c.forgetOverrides()
	for _, t := range c.setup.Traders {
		if b := c.byTrader[t.Name]; b != nil {
			b.lang = t.Language
		}
	}
	c.flattenCount = im.FlattenCount
	for i := range im.Flattenings {
		c.flattenings = append(c.flattenings, &im.Flattenings[i])
	}
	return c, nil
}

func (c *Core) imageOfCells() []cell {
	var all []cell
	for _, x := range c.cells {
		if !x.Day.zero() || x.Streak != 0 {
			copied := *x
			copied.held, copied.windows = held{}, nil
			copied.Day.Sizes = slices.Clone(x.Day.Sizes)
			all = append(all, copied)
		}
	}
	slices.SortFunc(all, func(a, b cell) int { return compareIDs(a.ID, b.ID) })
	return all
}

// restoreCells makes cells, flows and windows of an image.
func (c *Core) restoreCells(im *Image) error {
	c.places = append(c.places, im.Places...)
	for i, p := range c.places {
		if i > 0 {
			c.byPlace[p] = int32(i) //nolint:gosec // there are not so many contracts
		}
	}
	for _, b := range c.books() {
		b.core = c
		f, ok := b.Flow.restore(len(c.places))
		if !ok {
			return fmt.Errorf("restore: what %q did makes no sense", b.Trader)
		}
		b.Flow, b.flow = flowImage{}, f
		c.forgotShared = max(c.forgotShared, f.forgotShared)
	}
	for i := range im.Cells {
		x := &im.Cells[i]
		c.byCell[x.ID] = x
		c.cells = append(c.cells, x)
	}
	c.takeOld()
	var sum hub.Sum
	c.totalled(&sum)
	c.must(&sum, "adding up the books")
	c.rejoin()
	c.keepWindows()
	return nil
}

// oldSeries is a counter of an image from before there were cells.
type oldSeries struct {
	Times  []hub.Time `cbor:"1,keyasint,omitempty"`
	Today  int        `cbor:"2,keyasint,omitempty"`
	Forgot hub.Time   `cbor:"3,keyasint,omitempty"`
}

// takeOld makes cells and flows of the counters of an image from before there were any. Where something happened that image does not say: the counters of contracts and products
// begin at 0.
func (c *Core) takeOld() {
	for _, b := range c.books() {
		scope, what := policy.ScopeTrader, oldOwn
		if b == c.fund {
			scope, what = policy.ScopeFund, oldShared
		}
		all := map[tally]oldSeries{tallyOrders: b.OldOrders, tallyCancels: b.OldCancels, tallyMessages: b.OldMsgs, tallyRejects: b.OldRejects, tallyTrades: b.OldTrades}
		b.OldOrders, b.OldCancels, b.OldMsgs, b.OldRejects, b.OldTrades = oldSeries{}, oldSeries{}, oldSeries{}, oldSeries{}, oldSeries{}
		for t := range countTallies {
			old := all[t]
			if old.Today > 0 {
				c.cell(cellID{Scope: scope, Owner: string(b.Trader)}).Day.Counts[t] += old.Today
			}
			for _, at := range old.Times {
				b.flow.events = append(b.flow.events, event{at: at, what: what + happening(t)})
			}
			b.flow.forgot = max(b.flow.forgot, old.Forgot)
		}
		slices.SortStableFunc(b.flow.events, func(x, y event) int { return cmp.Compare(x.at, y.at) })
		if b == c.fund {
			b.flow.forgotShared = b.flow.forgot
			c.forgotShared = max(c.forgotShared, b.flow.forgotShared)
		}
	}
}

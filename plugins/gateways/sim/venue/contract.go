package venue

import (
	"time"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/listing"
	"tradehub/plugins/gateways/sim/market"
)

// contract is a contract and its market.
type contract struct {
	l      *listing.Contract
	pricer *pricer
	book   *market.Book
	flow   *market.Flow
	seed   uint64
	phase  time.Duration // so that not all contracts tick at once

	subscribed bool
	next       hub.Time // when strangers act and a tick is due
	tape       []Print

	// Of the trading day, in ticks and steps.
	preClose      int64
	band          market.Band
	first         int64
	high, low     int64
	volume, value int64
	lastQty       int64 // of the last trade
}

func newContract(l *listing.Contract, set Settings) *contract {
	seed := market.HashText(set.Seed, l.String())
	level, _ := l.Steps(l.Market.LevelQty)
	return &contract{
		l: l, seed: seed, pricer: newPricer(l, set.Seed, set.List.AsOf, !set.Background),
		book:  market.NewBook(0),
		flow:  market.NewFlow(market.FlowSettings{Seed: seed, Spread: l.Market.Spread, Gap: l.Market.Gap, Qty: level}),
		phase: time.Duration(seed % uint64(set.Every)),
	}
}

// open begins the market of a contract at now, in the middle of a day that strangers have spent trading.
func (c *contract) open(calendar Calendar, h *History, now hub.Time) {
	begins := calendar.Begins(now)
	c.begin(begins)
	ref := max(c.band.Low, min(c.pricer.at(now), c.band.High))
	c.book = market.NewBook(ref)
	c.next = now.Add(c.phase)
	if c.pricer.still {
		return
	}
	for minute := begins - begins%hub.Time(time.Minute); minute.Add(time.Minute) <= now; minute = minute.Add(time.Minute) {
		if c.l.TradesAt(minute.UTC().In(h.zone)) {
			p := c.pricer.print(minute)
			c.count(p)
		}
	}
}

// begin begins a trading day.
func (c *contract) begin(begins hub.Time) {
	close := c.closeBefore(begins)
	c.preClose = c.pricer.at(close)
	part := c.pricer.underlying(close)
	var sum hub.Sum
	reach := sum.Mul(part, c.l.Market.Limit)
	low, high := sum.Sub(c.l.Price(c.preClose), reach), sum.Add(c.l.Price(c.preClose), reach)
	if sum.Err() != nil {
		low, high = c.l.Tick, c.l.Price(2*c.preClose)
	}
	c.band = market.Band{Low: max(1, ticksUp(c.l, low)), High: max(c.preClose+1, ticksDown(c.l, high))}
	c.first, c.high, c.low, c.volume, c.value = 0, 0, 0, 0, 0
}

func ticksDown(l *listing.Contract, price hub.Decimal) int64 {
	q, _, err := price.QuoRem(l.Tick)
	if err != nil {
		return 0
	}
	whole, _, _ := q.Int64(0)
	return whole
}

func ticksUp(l *listing.Contract, price hub.Decimal) int64 {
	down := ticksDown(l, price)
	if l.Price(down).Cmp(price) < 0 {
		return down + 1
	}
	return down
}

// closeBefore returns the end of the last session before a trading day.
func (c *contract) closeBefore(begins hub.Time) hub.Time {
	zone, _ := time.LoadLocation(c.l.Zone)
	at := begins.UTC().In(zone)
	for range 4 * 24 * 60 {
		before := at.Add(-time.Minute)
		if c.l.TradesAt(before) {
			return hub.TimeOf(at)
		}
		at = before
	}
	return begins
}

// count adds a minute to the day.
func (c *contract) count(p Print) {
	if p.Volume == 0 {
		return
	}
	if c.volume == 0 {
		c.first, c.high, c.low = p.Open, p.High, p.Low
	}
	c.high, c.low = max(c.high, p.High), min(c.low, p.Low)
	c.volume += p.Volume
	c.value += p.Value
}

// print adds a trade to the day and to the tape.
func (c *contract) print(now hub.Time, price, qty int64) {
	c.lastQty = qty
	trade := Print{}
	trade.add(price, qty)
	c.count(trade)
	minute := now - now%hub.Time(time.Minute)
	if n := len(c.tape); n > 0 && c.tape[n-1].Minute == minute {
		c.tape[n-1].add(price, qty)
		return
	}
	if len(c.tape) == 2*tapeMax {
		c.tape = append(c.tape[:0], c.tape[tapeMax:]...)
	}
	trade.Minute = minute
	c.tape = append(c.tape, trade)
}

// tick is the market now.
func (c *contract) tick(gateway hub.GatewayName, now hub.Time) hub.Tick {
	l := c.l
	t := hub.Tick{
		Instrument: l.Instrument, Gateway: gateway, Name: l.Name, Time: now, LocalTime: now,
		Volume: l.Qty(c.volume), Turnover: turnover(l, c.value), OpenInterest: c.pricer.openInterest(now),
		Last: l.Price(c.book.Last()), LastQty: l.Qty(c.lastQty), LimitUp: l.Price(c.band.High), LimitDown: l.Price(c.band.Low),
		PreClose: l.Price(c.preClose), Open: l.Price(c.first), High: l.Price(c.high), Low: l.Price(c.low),
	}
	var levels [hub.Depth]market.Level
	for i, level := range levels[:c.book.Depth(market.Buy, levels[:])] {
		t.Bids[i] = hub.Level{Price: l.Price(level.Price), Qty: l.Qty(level.Qty)}
	}
	for i, level := range levels[:c.book.Depth(market.Sell, levels[:])] {
		t.Asks[i] = hub.Level{Price: l.Price(level.Price), Qty: l.Qty(level.Qty)}
	}
	return t
}

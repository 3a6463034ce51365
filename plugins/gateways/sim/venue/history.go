package venue

import (
	"context"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/listing"
)

// How far back bars of each interval go. A request for older ones is answered from here on.
const (
	minuteHistory = 30 * 24 * time.Hour
	hourHistory   = 180 * 24 * time.Hour
	dayHistory    = 400 * 24 * time.Hour
)

// Print is what traded in one minute, in ticks and steps.
type Print struct {
	Minute                 hub.Time
	Open, High, Low, Close int64
	Volume                 int64
	Value                  int64 // sum of price * quantity
}

// add adds a trade.
func (p *Print) add(price, qty int64) {
	if p.Volume == 0 {
		p.Open, p.High, p.Low = price, price, price
	}
	p.High, p.Low, p.Close = max(p.High, price), min(p.Low, price), price
	p.Volume += qty
	p.Value += price * qty
}

// History answers for the past: minutes in which this process ran are as they traded; the others are what the strangers' path says. It never changes, so
// it may be used from any goroutine.
type History struct {
	calendar Calendar
	zone     *time.Location
	gateway  hub.GatewayName
	pricers  map[hub.Instrument]*pricer
}

// Bars returns bars, oldest first, up to now. The tape holds minutes as they traded, oldest first.
func (h *History) Bars(ctx context.Context, req hub.HistoryRequest, now hub.Time, tape []Print) ([]hub.Bar, error) {
	p := h.pricers[req.Instrument]
	if p == nil {
		return nil, nil
	}
	var back time.Duration
	switch req.Interval {
	case hub.Minute:
		back = minuteHistory
	case hub.Hour:
		back = hourHistory
	case hub.Daily:
		back = dayHistory
	case hub.NoInterval, hub.Weekly, hub.TickInterval:
		return nil, nil
	}
	end := req.End
	if end == 0 || end > now {
		end = now
	}
	start := max(req.Start, now.Add(-back))
	if end < start {
		return nil, nil
	}
	r := &roller{h: h, p: p, interval: req.Interval}
	// A bar that begins before Start is not wanted, and one that begins by End is wanted whole.
	first, last := r.spans(start, end)
	tape = from(tape, first)
	for minute, n := first, 0; minute <= now && minute < last; minute, n = minute.Add(time.Minute), n+1 {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(tape) > 0 && tape[0].Minute == minute {
			r.add(tape[0], minute)
			tape = tape[1:]
		} else if p.c.TradesAt(minute.UTC().In(h.zone)) && minute.Add(time.Minute) <= now {
			r.add(p.print(minute), minute)
		}
	}
	r.flush()
	return slices.DeleteFunc(r.bars, func(b hub.Bar) bool { return b.Time < req.Start || b.Time > end }), nil
}

// from drops the prints before a minute.
func from(tape []Print, minute hub.Time) []Print {
	at, _ := slices.BinarySearchFunc(tape, minute, func(p Print, t hub.Time) int {
		return int(min(1, max(-1, int64(p.Minute-t))))
	})
	return tape[at:]
}

// print is a minute of the strangers' path.
func (p *pricer) print(minute hub.Time) Print {
	open := p.at(minute)
	b := Print{Minute: minute, Open: open, High: open, Low: open, Volume: p.volume(minute)}
	for s := 15; s <= 60; s += 15 {
		price := p.at(minute.Add(time.Duration(s) * time.Second))
		b.High, b.Low, b.Close = max(b.High, price), min(b.Low, price), price
	}
	b.Value = (b.Open + b.High + b.Low + b.Close) / 4 * b.Volume
	return b
}

// roller makes bars of minutes.
type roller struct {
	h        *History
	p        *pricer
	interval hub.Interval
	bars     []hub.Bar
	current  Print    // sums of the bar that is being made
	begins   hub.Time // of that bar; 0: there is none
	dayEnds  hub.Time
	day      hub.Time
}

// spans returns the first minute of the bar that holds start, and the end of the bar that holds end.
func (r *roller) spans(start, end hub.Time) (first, last hub.Time) {
	minute := func(t hub.Time) hub.Time { return t - t%hub.Time(time.Minute) }
	if r.interval == hub.Hour {
		return r.hour(start), r.hour(end).Add(time.Hour)
	}
	if r.interval == hub.Daily {
		// A day's bar stands on its date but begins on the evening before, or on Friday's.
		return minute(r.h.calendar.Begins(start.Add(-24 * time.Hour))), r.h.calendar.Ends(end)
	}
	return minute(start), minute(end).Add(time.Minute)
}

func (r *roller) hour(t hub.Time) hub.Time {
	local := t.UTC().In(r.h.zone)
	_, offset := local.Zone()
	shift := hub.Time(offset) * hub.Time(time.Second)
	return (t+shift)/hub.Time(time.Hour)*hub.Time(time.Hour) - shift
}

// barOf returns the time of the bar to which a minute belongs.
func (r *roller) barOf(minute hub.Time) hub.Time {
	if r.interval == hub.Hour {
		return r.hour(minute)
	}
	if r.interval != hub.Daily {
		return minute
	}
	if minute >= r.dayEnds {
		r.dayEnds = r.h.calendar.Ends(minute)
		y, m, d := r.dayEnds.UTC().In(r.h.calendar.Zone).Date()
		r.day = hub.TimeOf(time.Date(y, m, d, 0, 0, 0, 0, r.h.zone))
	}
	return r.day
}

func (r *roller) add(p Print, minute hub.Time) {
	if p.Volume == 0 {
		return
	}
	begins := r.barOf(minute)
	if begins != r.begins {
		r.flush()
		r.begins, r.current = begins, p
		return
	}
	c := &r.current
	c.Minute = p.Minute
	c.High, c.Low, c.Close = max(c.High, p.High), min(c.Low, p.Low), p.Close
	c.Volume += p.Volume
	c.Value += p.Value
}

func (r *roller) flush() {
	if r.begins == 0 {
		return
	}
	c, b := r.p.c, r.current
	r.bars = append(r.bars, hub.Bar{
		Instrument: c.Instrument, Gateway: r.h.gateway, Time: r.begins, Interval: r.interval,
		Open: c.Price(b.Open), High: c.Price(b.High), Low: c.Price(b.Low), Close: c.Price(b.Close),
		Volume: c.Qty(b.Volume), Turnover: turnover(c, b.Value), OpenInterest: r.p.openInterest(b.Minute),
	})
	r.begins = 0
}

// turnover is the money of a sum of ticks * steps.
func turnover(c *listing.Contract, value int64) hub.Decimal {
	var sum hub.Sum
	d := sum.Mul(sum.Mul3(hub.Int(value), c.Tick, c.MinQty), c.Size)
	if sum.Err() != nil {
		return hub.Decimal{} // a number for charts: none is better than a wrong one
	}
	return d.Round(4).Trim(0)
}

package pluginpb

import (
	"errors"
	"fmt"

	"tradehub/hub"
)

// TickOf converts for the wire. Levels of price 0 and quantity 0 at the end of a side are left out.
func TickOf(t hub.Tick) *Tick {
	return &Tick{
		Instrument:   InstrumentOf(t.Instrument),
		Name:         text(t.Name),
		Time:         int64(t.Time),
		LocalTime:    int64(t.LocalTime),
		Volume:       num(t.Volume),
		Turnover:     num(t.Turnover),
		OpenInterest: num(t.OpenInterest),
		Last:         num(t.Last),
		LastQty:      num(t.LastQty),
		LimitUp:      num(t.LimitUp),
		LimitDown:    num(t.LimitDown),
		Open:         num(t.Open),
		High:         num(t.High),
		Low:          num(t.Low),
		PreClose:     num(t.PreClose),
		Bids:         levelsOf(t.Bids),
		Asks:         levelsOf(t.Asks),
	}
}

func levelsOf(side [hub.Depth]hub.Level) []*Level {
	n := len(side)
	for n > 0 && side[n-1].Price.IsZero() && side[n-1].Qty.IsZero() {
		n--
	}
	if n == 0 {
		return nil
	}
	levels, at := make([]*Level, n), make([]Level, n)
	for i := range n {
		at[i].Price, at[i].Qty = num(side[i].Price), num(side[i].Qty)
		levels[i] = &at[i]
	}
	return levels
}

func (r *reading) levels(what string, levels []*Level) (side [hub.Depth]hub.Level) {
	if len(levels) > len(side) {
		r.err = fmt.Errorf("%s: %d levels, at most %d", what, len(levels), len(side))
		return side
	}
	for i, l := range levels {
		side[i] = hub.Level{Price: r.num(what, l.GetPrice()), Qty: r.num(what, l.GetQty())}
	}
	return side
}

// Hub converts from the wire.
func (x *Tick) Hub() (hub.Tick, error) {
	var r reading
	t := hub.Tick{
		Instrument:   x.GetInstrument().Hub(),
		Name:         x.GetName(),
		Time:         hub.Time(x.GetTime()),
		LocalTime:    hub.Time(x.GetLocalTime()),
		Volume:       r.num("volume", x.GetVolume()),
		Turnover:     r.num("turnover", x.GetTurnover()),
		OpenInterest: r.num("open_interest", x.GetOpenInterest()),
		Last:         r.num("last", x.GetLast()),
		LastQty:      r.num("last_qty", x.GetLastQty()),
		LimitUp:      r.num("limit_up", x.GetLimitUp()),
		LimitDown:    r.num("limit_down", x.GetLimitDown()),
		Open:         r.num("open", x.GetOpen()),
		High:         r.num("high", x.GetHigh()),
		Low:          r.num("low", x.GetLow()),
		PreClose:     r.num("pre_close", x.GetPreClose()),
		Bids:         r.levels("bids", x.GetBids()),
		Asks:         r.levels("asks", x.GetAsks()),
	}
	if r.err != nil {
		return t, fmt.Errorf("tick of %s: %w", t.Instrument, r.err)
	}
	return t, nil
}

// ReportOf converts for the wire.
func ReportOf(v hub.VenueReport) *Report {
	return &Report{
		OrderId:   text(v.OrderID),
		Kind:      ReportKind(v.Kind),
		VenueId:   text(v.VenueID),
		Reason:    text(v.Reason),
		TradeId:   text(v.TradeID),
		Price:     num(v.Price),
		Qty:       num(v.Qty),
		VenueTime: int64(v.VenueTime),
		Amendment: v.Amendment,
	}
}

// AmendOf converts an order for the wire, with what it is to become.
func AmendOf(o hub.Order) *AmendOrder {
	return &AmendOrder{Order: OrderOf(o), Number: o.Amendment.Number, Price: num(o.Amendment.Price), Qty: num(o.Amendment.Qty)}
}

// Hub converts from the wire.
func (x *AmendOrder) Hub() (hub.Order, error) {
	o, err := x.GetOrder().Hub()
	if err != nil {
		return o, err
	}
	var r reading
	o.Amendment = hub.Amendment{Number: x.GetNumber(), Price: r.num("price", x.GetPrice()), Qty: r.num("qty", x.GetQty())}
	if r.err == nil && o.Amendment.Number == 0 {
		r.err = errors.New("number is missing")
	}
	return o, wrap("amendment of order "+string(o.ID), r.err)
}

// Hub converts from the wire. What only the hub itself can know, such as ReportNotSent, is refused.
func (x *Report) Hub() (hub.VenueReport, error) {
	var r reading
	v := hub.VenueReport{
		OrderID:   hub.OrderID(x.GetOrderId()),
		Kind:      enum(&r, "kind", x.GetKind(), hub.ReportAmendRejected),
		VenueID:   x.GetVenueId(),
		Reason:    x.GetReason(),
		TradeID:   x.GetTradeId(),
		Price:     r.num("price", x.GetPrice()),
		Qty:       r.num("qty", x.GetQty()),
		VenueTime: hub.Time(x.GetVenueTime()),
		Amendment: x.GetAmendment(),
	}
	switch {
	case r.err != nil:
	case v.Kind == hub.ReportNotSent || v.Kind == hub.ReportCancelNotSent:
		r.err = fmt.Errorf("kind: there is no %d", v.Kind)
	case v.OrderID == "":
		r.err = errors.New("order_id is empty")
	case v.Kind == hub.NoReport:
		r.err = errors.New("kind is missing")
	}
	return v, wrap("report of order "+x.GetOrderId(), r.err)
}

// VenueOrderOf converts for the wire.
func VenueOrderOf(v hub.VenueOrder) *VenueOrder {
	return &VenueOrder{
		OrderId: text(v.OrderID),
		VenueId: text(v.VenueID),
		Status:  Status(v.Status),
		Reason:  text(v.Reason),
		Fills: list(v.Fills, func(f hub.VenueFill) *VenueFill {
			return &VenueFill{TradeId: text(f.TradeID), Price: num(f.Price), Qty: num(f.Qty), Time: int64(f.Time)}
		}),
		Price: num(v.Price),
		Qty:   num(v.Qty),
	}
}

// VenueOrdersOf converts for the wire.
func VenueOrdersOf(orders []hub.VenueOrder) []*VenueOrder { return list(orders, VenueOrderOf) }

// Hub converts from the wire.
func (x *VenueOrder) Hub() (hub.VenueOrder, error) {
	var r reading
	v := hub.VenueOrder{
		OrderID: hub.OrderID(x.GetOrderId()),
		VenueID: x.GetVenueId(),
		Status:  enum(&r, "status", x.GetStatus(), hub.Rejected),
		Reason:  x.GetReason(),
		Fills: list(x.GetFills(), func(f *VenueFill) hub.VenueFill {
			return hub.VenueFill{
				TradeID: f.GetTradeId(), Price: r.num("price", f.GetPrice()), Qty: r.num("qty", f.GetQty()), Time: hub.Time(f.GetTime()),
			}
		}),
		Price: r.num("price", x.GetPrice()),
		Qty:   r.num("qty", x.GetQty()),
	}
	if r.err == nil && v.OrderID == "" {
		r.err = errors.New("order_id is empty")
	}
	return v, wrap("answer about order "+x.GetOrderId(), r.err)
}

// HistoryOf converts for the wire.
func HistoryOf(id uint64, h hub.HistoryRequest) *AskHistory {
	return &AskHistory{
		Id: id, Instrument: InstrumentOf(h.Instrument), Start: int64(h.Start), End: int64(h.End), Interval: Interval(h.Interval),
	}
}

// Hub converts from the wire.
func (x *AskHistory) Hub() (hub.HistoryRequest, error) {
	var r reading
	h := hub.HistoryRequest{
		Instrument: x.GetInstrument().Hub(),
		Start:      hub.Time(x.GetStart()),
		End:        hub.Time(x.GetEnd()),
		Interval:   enum(&r, "interval", x.GetInterval(), hub.TickInterval),
	}
	return h, wrap("history", r.err)
}

// BarsOf converts for the wire.
func BarsOf(bars []hub.Bar) []*Bar {
	return list(bars, func(b hub.Bar) *Bar {
		return &Bar{
			Time:         int64(b.Time),
			Volume:       num(b.Volume),
			Turnover:     num(b.Turnover),
			OpenInterest: num(b.OpenInterest),
			Open:         num(b.Open),
			High:         num(b.High),
			Low:          num(b.Low),
			Close:        num(b.Close),
		}
	})
}

// AppendBars converts from the wire and appends. like is a bar with all that is the same in every bar.
func AppendBars(bars []hub.Bar, more []*Bar, like hub.Bar) ([]hub.Bar, error) {
	var r reading
	for _, x := range more {
		like.Time = hub.Time(x.GetTime())
		like.Volume = r.num("volume", x.GetVolume())
		like.Turnover = r.num("turnover", x.GetTurnover())
		like.OpenInterest = r.num("open_interest", x.GetOpenInterest())
		like.Open = r.num("open", x.GetOpen())
		like.High = r.num("high", x.GetHigh())
		like.Low = r.num("low", x.GetLow())
		like.Close = r.num("close", x.GetClose())
		bars = append(bars, like)
	}
	return bars, wrap("bars of "+like.Instrument.String(), r.err)
}

package pluginpb

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"tradehub/hub"
)

// text returns s as valid UTF-8.
func text[S ~string](s S) string {
	if utf8.ValidString(string(s)) {
		return string(s)
	}
	return strings.ToValidUTF8(string(s), "\uFFFD")
}

// num returns a decimal's text; 0 is empty.
func num(d hub.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// reading converts what came over the wire and keeps the first error.
type reading struct{ err error }

func (r *reading) num(what, s string) hub.Decimal {
	if s == "" || r.err != nil {
		return hub.Decimal{}
	}
	d, err := hub.ParseDecimal(s)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", what, err)
	}
	return d
}

// enum converts an enumeration's number, which may be any of last's and below.
func enum[T ~uint8, N ~int32](r *reading, what string, n N, last T) T {
	if n < 0 || int32(n) > int32(last) {
		if r.err == nil {
			r.err = fmt.Errorf("%s: there is no %d", what, n)
		}
		return 0
	}
	return T(n)
}

// list converts every element.
func list[A, B any](in []A, convert func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = convert(a)
	}
	return out
}

// InstrumentOf converts for the wire.
func InstrumentOf(i hub.Instrument) *Instrument {
	return &Instrument{Symbol: text(i.Symbol), Exchange: text(i.Exchange)}
}

// InstrumentsOf converts for the wire.
func InstrumentsOf(instruments []hub.Instrument) []*Instrument {
	return list(instruments, InstrumentOf)
}

// Hub converts from the wire.
func (x *Instrument) Hub() hub.Instrument {
	return hub.Instrument{Symbol: x.GetSymbol(), Exchange: x.GetExchange()}
}

func orderRequestOf(o hub.OrderRequest) *OrderRequest {
	return &OrderRequest{
		Instrument: InstrumentOf(o.Instrument),
		Direction:  Direction(o.Direction),
		Offset:     Offset(o.Offset),
		Type:       OrderType(o.Type),
		Price:      num(o.Price),
		Qty:        num(o.Qty),
		Reference:  text(o.Reference),
	}
}

func (r *reading) orderRequest(x *OrderRequest) hub.OrderRequest {
	return hub.OrderRequest{
		Instrument: x.GetInstrument().Hub(),
		Direction:  enum(r, "direction", x.GetDirection(), hub.Net),
		Offset:     enum(r, "offset", x.GetOffset(), hub.CloseYesterday),
		Type:       enum(r, "type", x.GetType(), hub.ETF),
		Price:      r.num("price", x.GetPrice()),
		Qty:        r.num("qty", x.GetQty()),
		Reference:  x.GetReference(),
	}
}

// OrderOf converts for the wire.
func OrderOf(o hub.Order) *Order {
	return &Order{
		Id:          text(o.ID),
		Trader:      text(o.Trader),
		Request:     orderRequestOf(o.OrderRequest),
		Gateway:     text(o.Gateway),
		Status:      Status(o.Status),
		Filled:      num(o.Filled),
		Time:        int64(o.Time),
		Updated:     int64(o.Updated),
		VenueId:     text(o.VenueID),
		InDoubt:     o.InDoubt,
		CancelAsked: o.CancelAsked,
		Reason:      text(o.Reason),
	}
}

func (r *reading) order(x *Order) hub.Order {
	return hub.Order{
		ID:           hub.OrderID(x.GetId()),
		Trader:       hub.TraderName(x.GetTrader()),
		OrderRequest: r.orderRequest(x.GetRequest()),
		Gateway:      hub.GatewayName(x.GetGateway()),
		Status:       enum(r, "status", x.GetStatus(), hub.Rejected),
		Filled:       r.num("filled", x.GetFilled()),
		Time:         hub.Time(x.GetTime()),
		Updated:      hub.Time(x.GetUpdated()),
		VenueID:      x.GetVenueId(),
		InDoubt:      x.GetInDoubt(),
		CancelAsked:  x.GetCancelAsked(),
		Reason:       x.GetReason(),
	}
}

// Hub converts from the wire.
func (x *Order) Hub() (hub.Order, error) {
	var r reading
	o := r.order(x)
	return o, wrap("order "+x.GetId(), r.err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// ContractOf converts for the wire.
func ContractOf(c hub.Contract) *Contract {
	return &Contract{
		Instrument:    InstrumentOf(c.Instrument),
		Gateway:       text(c.Gateway),
		Name:          text(c.Name),
		Product:       text(c.Product),
		Kind:          Kind(c.Kind),
		Currency:      text(c.Currency),
		Size:          num(c.Size),
		Tick:          num(c.Tick),
		MinQty:        num(c.MinQty),
		MaxQty:        num(c.MaxQty),
		StopSupported: c.StopSupported,
		NetPosition:   c.NetPosition,
		History:       c.History,
		SplitsToday:   c.SplitsToday,
		SellNextDay:   c.SellNextDay,
		MarginLong:    num(c.MarginLong),
		MarginShort:   num(c.MarginShort),
		Fees: &Fees{
			OpenByValue:       num(c.Fees.OpenByValue),
			OpenPerUnit:       num(c.Fees.OpenPerUnit),
			CloseByValue:      num(c.Fees.CloseByValue),
			ClosePerUnit:      num(c.Fees.ClosePerUnit),
			CloseTodayByValue: num(c.Fees.CloseTodayByValue),
			CloseTodayPerUnit: num(c.Fees.CloseTodayPerUnit),
		},
		OptionType:       OptionType(c.OptionType),
		OptionStrike:     num(c.OptionStrike),
		OptionUnderlying: text(c.OptionUnderlying),
		OptionPortfolio:  text(c.OptionPortfolio),
		OptionIndex:      text(c.OptionIndex),
		OptionListed:     int64(c.OptionListed),
		OptionExpiry:     int64(c.OptionExpiry),
		Zone:             text(c.Zone),
	}
}

// ContractsOf converts for the wire.
func ContractsOf(contracts []hub.Contract) []*Contract { return list(contracts, ContractOf) }

func (r *reading) contract(x *Contract) hub.Contract {
	return hub.Contract{
		Instrument:    x.GetInstrument().Hub(),
		Gateway:       hub.GatewayName(x.GetGateway()),
		Name:          x.GetName(),
		Product:       x.GetProduct(),
		Kind:          enum(r, "kind", x.GetKind(), hub.Swap),
		Currency:      x.GetCurrency(),
		Size:          r.num("size", x.GetSize()),
		Tick:          r.num("tick", x.GetTick()),
		MinQty:        r.num("min_qty", x.GetMinQty()),
		MaxQty:        r.num("max_qty", x.GetMaxQty()),
		StopSupported: x.GetStopSupported(),
		NetPosition:   x.GetNetPosition(),
		History:       x.GetHistory(),
		SplitsToday:   x.GetSplitsToday(),
		SellNextDay:   x.GetSellNextDay(),
		MarginLong:    r.num("margin_long", x.GetMarginLong()),
		MarginShort:   r.num("margin_short", x.GetMarginShort()),
		Fees: hub.Fees{
			OpenByValue:       r.num("open_by_value", x.GetFees().GetOpenByValue()),
			OpenPerUnit:       r.num("open_per_unit", x.GetFees().GetOpenPerUnit()),
			CloseByValue:      r.num("close_by_value", x.GetFees().GetCloseByValue()),
			ClosePerUnit:      r.num("close_per_unit", x.GetFees().GetClosePerUnit()),
			CloseTodayByValue: r.num("close_today_by_value", x.GetFees().GetCloseTodayByValue()),
			CloseTodayPerUnit: r.num("close_today_per_unit", x.GetFees().GetCloseTodayPerUnit()),
		},
		OptionType:       enum(r, "option_type", x.GetOptionType(), hub.Put),
		OptionStrike:     r.num("option_strike", x.GetOptionStrike()),
		OptionUnderlying: x.GetOptionUnderlying(),
		OptionPortfolio:  x.GetOptionPortfolio(),
		OptionIndex:      x.GetOptionIndex(),
		OptionListed:     hub.Time(x.GetOptionListed()),
		OptionExpiry:     hub.Time(x.GetOptionExpiry()),
		Zone:             x.GetZone(),
	}
}

// Hub converts from the wire.
func (x *Contract) Hub() (hub.Contract, error) {
	var r reading
	c := r.contract(x)
	return c, wrap("contract "+c.Instrument.String(), r.err)
}

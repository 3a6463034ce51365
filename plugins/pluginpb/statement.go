package pluginpb

import (
	"fmt"

	"tradehub/hub"
)

// StatementOf converts for the wire.
func StatementOf(s hub.VenueStatement) *Statement {
	return &Statement{Day: text(s.Day), Exact: s.Exact, Positions: VenuePositionsOf(s.Positions), Money: list(s.Money, venueMoneyOf)}
}

// VenuePositionsOf converts for the wire.
func VenuePositionsOf(positions []hub.VenuePosition) []*VenuePosition {
	return list(positions, func(p hub.VenuePosition) *VenuePosition {
		return &VenuePosition{
			Instrument: InstrumentOf(p.Instrument), Direction: Direction(p.Direction), Today: num(p.Today), Yesterday: num(p.Yesterday), Price: num(p.Price),
		}
	})
}

func venueMoneyOf(m hub.VenueMoney) *VenueMoney {
	return &VenueMoney{Currency: text(m.Currency), Balance: num(m.Balance), Margin: num(m.Margin), Available: num(m.Available)}
}

// Hub converts from the wire.
func (x *Statement) Hub() (hub.VenueStatement, error) {
	var r reading
	s := hub.VenueStatement{Day: hub.Day(x.GetDay()), Exact: x.GetExact()}
	for _, p := range x.GetPositions() {
		s.Positions = append(s.Positions, hub.VenuePosition{
			Instrument: p.GetInstrument().Hub(), Direction: enum(&r, "direction", p.GetDirection(), hub.Net), Today: r.num("today", p.GetToday()),
			Yesterday: r.num("yesterday", p.GetYesterday()), Price: r.num("price", p.GetPrice()),
		})
		if r.err != nil {
			return s, fmt.Errorf("statement: position in %s: %w", p.GetInstrument().Hub(), r.err)
		}
	}
	for _, m := range x.GetMoney() {
		s.Money = append(s.Money, hub.VenueMoney{
			Currency: m.GetCurrency(), Balance: r.num("balance", m.GetBalance()), Margin: r.num("margin", m.GetMargin()), Available: r.num("available", m.GetAvailable()),
		})
	}
	return s, wrap("statement", r.err)
}

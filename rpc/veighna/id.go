package veighna

import (
	"fmt"
	"strings"

	"tradehub/hub"
)

// CheckName says what is wrong with the name of a gateway or an account, or with the id of an order or a trade: VeighNa's client splits
// "GATEWAY.orderid" at dots, and fails when there is another than the one, after the order is live.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("an empty name")
	case strings.Contains(name, "."):
		return fmt.Errorf("%q has a dot, at which VeighNa's client would split it", name)
	case len(name) > 120:
		return fmt.Errorf("%q is longer than 120 bytes", name)
	default:
		return nil
	}
}

// OrderID returns the vt_orderid: what send_order answers, and what get_order asks with.
func OrderID(gateway hub.GatewayName, id hub.OrderID) string {
	return string(gateway) + "." + string(id)
}

// PositionID returns the vt_positionid: gateway, contract, and the direction as the language calls it.
func PositionID(p *hub.Position, language Language) string {
	direction := directions.value(uint8(p.Direction), language)
	if direction == "" {
		direction = directions.value(uint8(hub.Net), language)
	}
	return string(p.Gateway) + "." + written(p.Instrument).String() + "." + direction
}

// splitID splits "GATEWAY.id" at its first dot; without a dot all of it is the id.
func splitID(vt string) (hub.GatewayName, string) {
	gateway, id, ok := strings.Cut(vt, ".")
	if !ok {
		return "", vt
	}
	return hub.GatewayName(gateway), id
}

// splitPositionID takes a vt_positionid apart; before vnpy 3.6 it had no gateway. What is none gives an instrument that nothing has.
func splitPositionID(vt string) GetPosition {
	at := strings.LastIndexByte(vt, '.')
	if at < 0 {
		return GetPosition{}
	}
	direction, ok := directions.ofValue(vt[at+1:])
	if !ok {
		return GetPosition{}
	}
	rest := vt[:at]
	gateway, id := splitID(rest)
	instrument, ok := hub.ParseInstrument(id)
	if !ok {
		gateway = ""
		instrument, _ = hub.ParseInstrument(rest)
	}
	return GetPosition{Gateway: gateway, Instrument: instrument, Direction: hub.Direction(direction)}
}

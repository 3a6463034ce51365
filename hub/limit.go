package hub

import (
	"fmt"
	"time"
)

// MessageLimit is how many messages, orders and cancels together, a venue's channel takes within any window of a length.
type MessageLimit struct {
	Messages int           `cbor:"1,keyasint"`
	Window   time.Duration `cbor:"2,keyasint"`
}

// String is the limit as the configuration writes it: 50/1s.
func (l MessageLimit) String() string { return fmt.Sprintf("%d/%s", l.Messages, l.Window) }

// Bounds of a MessageLimit; one outside of them is none that a venue means.
const (
	MessagesMax      = 1_000_000
	MessageWindowMin = 10 * time.Millisecond
	MessageWindowMax = time.Hour
)

// Valid reports whether the limit is within the bounds.
func (l MessageLimit) Valid() bool {
	return l.Messages > 0 && l.Messages <= MessagesMax && l.Window >= MessageWindowMin && l.Window <= MessageWindowMax
}

// GatewayLimit is a limit of one gateway's channel.
type GatewayLimit struct {
	Gateway GatewayName  `cbor:"1,keyasint"`
	Limit   MessageLimit `cbor:"2,keyasint"`
}

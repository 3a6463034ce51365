package hub

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MessageLimit is how many messages, orders and cancels together, a venue's channel takes within any window of a length.
type MessageLimit struct {
	Messages int           `cbor:"1,keyasint"`
	Window   time.Duration `cbor:"2,keyasint"`
}

// String is the limit as the configuration writes it: 50/1s.
func (l MessageLimit) String() string { return fmt.Sprintf("%d/%s", l.Messages, l.Window) }

// ParseMessageLimit reads what String writes: 50/1s, 1_000/1m.
func ParseMessageLimit(s string) (MessageLimit, error) {
	count, length, ok := strings.Cut(s, "/")
	messages, err := strconv.Atoi(strings.ReplaceAll(count, "_", ""))
	window, bad := time.ParseDuration(length)
	if !ok || err != nil || bad != nil {
		return MessageLimit{}, errors.New("write messages and a time, such as 50/1s or 1_000/1m")
	}
	l := MessageLimit{Messages: messages, Window: window}
	if !l.Valid() {
		return MessageLimit{}, fmt.Errorf("from 1 to %d messages in %s to %s", MessagesMax, MessageWindowMin, MessageWindowMax)
	}
	return l, nil
}

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

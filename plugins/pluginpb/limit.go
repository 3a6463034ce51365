package pluginpb

import (
	"fmt"
	"time"

	"tradehub/hub"
)

// FromMessageLimit converts to the wire. A number that does not fit becomes one that Hub refuses.
func FromMessageLimit(l hub.MessageLimit) *MessageLimit {
	wire := &MessageLimit{Window: int64(l.Window)}
	if l.Valid() {
		wire.Messages = uint32(l.Messages) //nolint:gosec // at most hub.MessagesMax
	}
	return wire
}

// Hub converts from the wire; what no venue means is an error.
func (x *MessageLimit) Hub() (hub.MessageLimit, error) {
	l := hub.MessageLimit{Messages: int(x.GetMessages()), Window: time.Duration(x.GetWindow())}
	if !l.Valid() {
		return hub.MessageLimit{}, fmt.Errorf("a message limit of %s: it must be from 1 to %d messages in %s to %s", l, hub.MessagesMax, hub.MessageWindowMin, hub.MessageWindowMax)
	}
	return l, nil
}

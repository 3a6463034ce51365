package ctl

import (
	"context"

	"tradehub/hub"
)

// As is a request's context as if the account were at the other end of a connection through the door.
func (d Door) As(ctx context.Context, peer hub.Person, known bool) context.Context {
	return context.WithValue(ctx, callerKey{}, func() caller { return d.caller(peer, known) })
}

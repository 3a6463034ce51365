package runner

import (
	"tradehub/hub"
)

// The methods of this file are what package host calls.

// GatewayUp says that a gateway is connected to its venue, and what it trades.
func (r *Runner) GatewayUp(gateway hub.GatewayName, contracts []hub.Contract) {
	r.Contracted(gateway, contracts)
	r.must(hub.GatewayState{Gateway: gateway, Up: true})
	r.resubscribe(gateway)
}

// GatewayDown says that a gateway cannot trade, and why.
func (r *Runner) GatewayDown(gateway hub.GatewayName, reason string) {
	r.must(hub.GatewayState{Gateway: gateway, Reason: reason})
}

// Contracted says what a gateway trades now.
func (r *Runner) Contracted(gateway hub.GatewayName, contracts []hub.Contract) {
	r.must(hub.Contracts{Gateway: gateway, Contracts: contracts})
}

// Report is news of an order.
func (r *Runner) Report(report hub.VenueReport) { r.must(report) }

// Reconciled is a venue's answer to what it was asked.
func (r *Runner) Reconciled(answer hub.Reconcile) { r.must(answer) }

// must journals what must not be lost.
func (r *Runner) must(in hub.Input) {
	if err := r.proposeNow(in); err != nil && !r.isClosing() {
		r.log.Error("not journaled; the venue will be asked at the next start", "input", in, "error", err)
	}
}

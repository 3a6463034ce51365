package runner

import (
	"slices"

	"tradehub/hub"
	"tradehub/hub/core"
)

// The methods of this file are what package host calls.

// GatewayUp says that a gateway is connected to its venue, and what it trades. When it returns the contracts are known and orders for them are taken.
func (r *Runner) GatewayUp(gateway hub.GatewayName, contracts []hub.Contract) {
	r.Contracted(gateway, contracts)
	applied := make(chan struct{})
	r.subscribedMu.Lock()
	in := hub.GatewayState{Gateway: gateway, Up: true, Limits: r.limits[gateway], Amends: r.amends[gateway]}
	r.subscribedMu.Unlock()
	err := r.proposeUntil(in, proposal{
		applied: func([]core.Effect) { close(applied) },
		lost:    func(error) { close(applied) },
	})
	if err != nil {
		r.notJournaled(in, err)
		return
	}
	<-applied
	r.resubscribe(gateway)
}

// Declared says what a gateway's channel takes, and whether it amends orders. A gateway may be up before its Start has returned, and this be known.
func (r *Runner) Declared(gateway hub.GatewayName, limits []hub.MessageLimit, amends bool) {
	r.subscribedMu.Lock()
	known := slices.Equal(r.limits[gateway], limits) && r.amends[gateway] == amends
	r.limits[gateway], r.amends[gateway] = limits, amends
	r.subscribedMu.Unlock()
	up := slices.ContainsFunc(r.Gateways(), func(g core.GatewayStanding) bool { return g.Name == gateway && g.Up })
	if up && !known {
		r.must(hub.GatewayState{Gateway: gateway, Up: true, Limits: limits, Amends: amends})
	}
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
	if err := r.proposeNow(in); err != nil {
		r.notJournaled(in, err)
	}
}

func (r *Runner) notJournaled(in hub.Input, err error) {
	if !r.isClosing() {
		r.log.Error("not journaled; the venue will be asked at the next start", "input", in, "error", err)
	}
}

package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/gate"
)

// amendAnswer is how long a venue may take over an amendment; then it is asked how the order stands.
const amendAnswer = 30 * time.Second

// Amendment is what is to become of a working order.
type Amendment struct {
	OrderID hub.OrderID
	Price   hub.Decimal // 0: the order's own stays
	Qty     hub.Decimal // in all, what is filled included; 0: the order's own stays
	By      string      // who asks, when it is not its trader
}

// Amended is what was decided about one.
type Amended struct {
	// Order as it is; without Refusals its Amendment is on its way.
	Order    hub.Order
	Refusals []hub.Refusal
	Revision string // of the policy that decided
}

// Amend has a working order of a trader ("" for the operator, who may amend anybody's) amended, if the rules and the risk managers let the order that it would become. It returns when that is
// decided and on disk; what the venue makes of it comes as news of the order. An error says that nothing was decided, or, as ErrNotSaved, that nobody knows.
func (r *Runner) Amend(ctx context.Context, trader hub.TraderName, in Amendment) (Amended, error) {
	if why := r.noOrders.Load(); why != nil {
		return Amended{}, errors.New(*why)
	}
	asked := hub.TimeOf(r.opts.Clock())
	r.mu.Lock()
	o, known := r.core.Order(trader, in.OrderID)
	r.mu.Unlock()
	if !known {
		return Amended{}, fmt.Errorf("order %s is not known", in.OrderID)
	}
	at := place{o.Gateway, o.Instrument}
	view := r.market.view(at.gateway, at.instrument)
	view.Session = r.session(at, asked)
	entry := hub.AmendOrder{Trader: trader, OrderID: o.ID, Price: o.Price, Qty: o.Qty, By: in.By, Asked: asked, Market: view, FromPrice: o.Price, FromQty: o.Qty}
	if !in.Price.IsZero() {
		entry.Price = in.Price
	}
	if !in.Qty.IsZero() {
		entry.Qty = in.Qty
	}
	ask := r.asks.Add(1)
	entry.Verdicts = r.judgeAmend(ask, o, entry)
	type outcome struct {
		amended Amended
		err     error
	}
	done := make(chan outcome, 1)
	err := r.propose(entry, proposal{
		ask: ask, at: at,
		applied: func(effects []core.Effect) {
			for _, effect := range effects {
				a, ok := effect.(core.AmendAnswered)
				switch {
				case ok && a.Err != "":
					done <- outcome{err: errors.New(a.Err)}
				case ok:
					done <- outcome{amended: Amended{Order: a.Order, Refusals: a.Refusals, Revision: a.Revision}}
				}
			}
		},
		lost: func(err error) {
			r.forget(ask)
			done <- outcome{err: err}
		},
	})
	if err != nil {
		r.forget(ask)
		return Amended{}, fmt.Errorf("the amendment was not taken: %w", err)
	}
	select {
	case o := <-done:
		return o.amended, o.err
	case <-ctx.Done():
		return Amended{}, ctx.Err()
	}
}

// judgeAmend asks the risk managers about what may still trade of an order that is to be amended: the larger of as it is and as it would be. It waits no longer than the managers' deadline.
func (r *Runner) judgeAmend(ask uint64, o hub.Order, in hub.AmendOrder) []hub.Verdict {
	req := o.OrderRequest
	req.Price = in.Price
	var sum hub.Sum
	if left := sum.Sub(o.Qty.Max(in.Qty), o.Filled); sum.Err() == nil && left.IsPos() {
		req.Qty = left
	}
	judged := make(chan []hub.Verdict, 1)
	r.plugins.Judge(hub.Candidate{Ask: ask, Trader: o.Trader, Request: req, Gateway: o.Gateway, Market: in.Market, Amends: o.ID}, func(v []hub.Verdict) { judged <- v })
	return <-judged
}

// amend has done what was decided, unless somebody was told meanwhile that the order is cancelled. mu is held.
func (r *Runner) amend(permit gate.Permit) {
	o := permit.Order()
	if !r.recalled[o.ID] {
		r.plugins.Amend(permit)
		return
	}
	r.spawn(func() {
		r.must(hub.VenueReport{
			Gateway: o.Gateway, OrderID: o.ID, Kind: hub.ReportAmendNotSent, Amendment: o.Amendment.Number, Reason: "the order was cancelled while the journal took nothing",
		})
	})
}

// doubtAmendments has a venue asked about amendments that it has not answered for too long.
func (r *Runner) doubtAmendments() {
	r.mu.Lock()
	since, any := r.core.AmendsSince()
	r.mu.Unlock()
	if due := hub.TimeOf(r.opts.Clock()).Add(-amendAnswer); any && since <= due {
		r.must(hub.DoubtAmendments{Since: due})
	}
}

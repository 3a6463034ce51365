package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tradehub/hub"
	"tradehub/hub/ctl"
	"tradehub/hub/runner"
)

// Amend changes anybody's working order, as the order's trader might: by the same rules.
func (o operator) Amend(ctx context.Context, a ctl.NewAmendment, by string) (ctl.Order, error) {
	o.h.log.Warn("amend", "order", a.Order, "price", a.Price, "quantity", a.Quantity, "by", by)
	answer, err := o.h.runner.Amend(ctx, "", runner.Amendment{OrderID: hub.OrderID(a.Order), Price: a.Price, Qty: a.Quantity, By: by})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ctl.Order{}, fmt.Errorf("the hub has not answered; hub ctl orders shows what became of order %s", a.Order)
	case err != nil:
		return ctl.Order{}, err
	case len(answer.Refusals) > 0:
		return ctl.Order{}, refusedAmend(answer)
	}
	return o.order(answer.Order), nil
}

func refusedAmend(a runner.Amended) error {
	lines := make([]string, 0, len(a.Refusals))
	for _, r := range a.Refusals {
		line := r.Text
		if r.Place != "" {
			line = r.Place + " " + r.Rule + ": " + line
		}
		lines = append(lines, line)
	}
	return &ctl.ProblemError{Text: fmt.Sprintf("order %s stays as it is: %s (rev %s)", a.Order.ID, strings.Join(lines, "; "), a.Revision)}
}

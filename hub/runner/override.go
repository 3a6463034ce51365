package runner

import (
	"context"

	"tradehub/hub"
	"tradehub/hub/core"
)

// Override takes a hub.AskOverride, a hub.ApproveOverride or a hub.WithdrawOverride, and returns when it holds. With Refusals in the answer nothing changed.
func (r *Runner) Override(ctx context.Context, in hub.Input) (answer core.OverrideAnswered, err error) {
	err = r.do(ctx, in, func(effects []core.Effect) {
		for _, effect := range effects {
			if a, ok := effect.(core.OverrideAnswered); ok {
				answer = a
			}
		}
	})
	return answer, err
}

// Overrides are those that are open, and the last that ended, by number.
func (r *Runner) Overrides() []hub.Override {
	return look(r, (*core.Core).Overrides)
}

// overrideChanged tells the operator.
func (r *Runner) overrideChanged(v hub.Override) {
	args := []any{
		"number", v.Number, "state", v.State, "order", v.Order, "rules", v.RuleNames(), "reason", v.Reason, "expires", v.Expires.UTC(), "asked_by", v.AskedBy,
	}
	if v.ApprovedBy.Name != "" {
		args = append(args, "approved_by", v.ApprovedBy)
	}
	if v.EndedBy.Name != "" {
		args = append(args, "ended_by", v.EndedBy)
	}
	if v.UsedBy != "" {
		args = append(args, "used_by", v.UsedBy)
	}
	if v.Why != "" {
		args = append(args, "why", v.Why)
	}
	r.log.Warn("override", args...)
}

// expireOverrides says that time passed, when an override is over and nothing else happened since.
func (r *Runner) expireOverrides() {
	if due := look(r, (*core.Core).OverrideDue); due != 0 && due <= hub.TimeOf(r.opts.Clock()) {
		r.must(hub.Clock{})
	}
}

package main

import (
	"context"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/ctl"
)

// PublishedNumbers answers with the newest word on every number that rules can ask for.
func (o operator) PublishedNumbers() []ctl.PublishedNumber {
	return mapped(o.h.runner.Numbers(), func(n core.NumberStanding) ctl.PublishedNumber {
		at := time.Unix(0, int64(n.At)).UTC()
		return ctl.PublishedNumber{Name: n.Name, Of: ownerOf(n.PublishedNumber), Value: n.Value, Time: o.clock(at), Age: max(0, time.Since(at).Seconds()), By: n.By}
	})
}

// ownerOf is whose a published number is, as people write it.
func ownerOf(n hub.PublishedNumber) string {
	if n.Trader != "" || n.Instrument == (hub.Instrument{}) {
		return string(n.Trader)
	}
	return n.Instrument.String()
}

// PublishNumbers puts numbers in force: all, or none.
func (o operator) PublishNumbers(ctx context.Context, all ctl.NewNumbers, by string) ([]ctl.PublishedNumber, error) {
	in := hub.PublishNumbers{By: by}
	for _, n := range all.Numbers {
		p := hub.PublishedNumber{Name: n.Name, Value: n.Value, Gone: n.Withdraw}
		if instrument, is := hub.ParseInstrument(n.Of); is {
			p.Instrument = instrument
		} else {
			p.Trader = hub.TraderName(n.Of)
		}
		in.Numbers = append(in.Numbers, p)
	}
	if len(in.Numbers) == 0 {
		return nil, &ctl.ProblemError{Text: "no number is said"}
	}
	errs, err := o.h.runner.PublishNumbers(ctx, in)
	if err != nil {
		return nil, err
	}
	o.h.log.Warn("numbers", "count", len(in.Numbers), "first", in.Numbers[0].Name, "by", by, "refused", strings.Join(errs, "; "))
	if len(errs) > 0 {
		return nil, &ctl.ProblemError{Text: strings.Join(errs, "; "), Hint: "nothing was taken; whose it is is a trader's name, or a contract or product such as rb2610.SHFE or rb.SHFE"}
	}
	return o.PublishedNumbers(), nil
}

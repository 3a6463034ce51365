package runner

import (
	"bytes"
	"fmt"
	"io"
	"runtime/debug"
	"slices"

	"tradehub/hub"
	"tradehub/hub/codec"
	"tradehub/hub/core"
	"tradehub/hub/journal"
)

// machine is the Runner as the journal sees it.
type machine struct{ r *Runner }

var _ journal.Machine = machine{}

// Apply steps the core through committed entries, and carries out the effects of those that this process proposed.
func (m machine) Apply(batch []journal.Entry) {
	r := m.r
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range batch {
		ours := batch[i].Proposal != 0
		p := r.take(batch[i].Proposal)
		e := p.entry
		if e.Input == nil {
			e = decoded(batch[i])
		}
		e.Seq = r.core.Seq() + 1
		effects := r.core.Step(e)
		if _, changed := e.Input.(hub.Contracts); changed {
			r.sessions.forget()
		}
		if r.opts.Record != nil {
			r.opts.Record.Take(e, batch[i].Data, effects)
		}
		if r.opts.Observe != nil {
			r.opts.Observe(e, effects)
		}
		if !ours {
			continue
		}
		r.dispatch(e, p, effects)
		if p.applied != nil {
			p.applied(effects)
		}
	}
	r.flush()
}

// decoded reads an entry from its bytes. Our own proposals are at hand as they were before they were encoded; that reading them back gives the same is what codec's tests are for.
func decoded(from journal.Entry) hub.Entry {
	e, err := codec.Decode(from.Data)
	if err != nil {
		panic(fmt.Sprintf("runner: journal entry %d: %v", from.Index, err)) // to go on without an entry would be to forget an order
	}
	return e
}

// Snapshot copies the state; it is encoded while Apply goes on.
func (m machine) Snapshot() (io.WriterTo, error) {
	if err := m.r.mayForget(); err != nil {
		return nil, err
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	return snapshot{m.r.core.Image(), m.r}, nil
}

type snapshot struct {
	image core.Image
	of    *Runner
}

// WriteTo encodes the state. What that took, as much again as the state itself, is given back at once and not some day.
func (s snapshot) WriteTo(w io.Writer) (int64, error) {
	if err := s.of.recorded(s.image.Seq); err != nil {
		return 0, err
	}
	defer debug.FreeOSMemory()
	b, err := codec.EncodeImage(s.image)
	if err != nil {
		return 0, err
	}
	return bytes.NewReader(b).WriteTo(w)
}

// Restore takes the state from a snapshot.
func (m machine) Restore(index uint64, encoded io.Reader) error {
	b, err := io.ReadAll(encoded)
	if err != nil {
		return fmt.Errorf("read snapshot %d: %w", index, err)
	}
	im, err := codec.DecodeImage(b)
	if err != nil {
		return fmt.Errorf("snapshot %d: %w", index, err)
	}
	if m.r.opts.Record != nil {
		m.r.opts.Record.Restored(&im)
	}
	c, err := core.Restore(im)
	if err != nil {
		return fmt.Errorf("snapshot %d: %w", index, err)
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	m.r.core = c
	return nil
}

// dispatch carries out the effects of one entry. mu is held, so that what is told to risk managers and traders is told in the order in which it happened; nobody that is
// called here waits.
func (r *Runner) dispatch(e hub.Entry, p proposal, effects []core.Effect) {
	r.tellManagers(e, p, effects)
	for _, effect := range effects {
		switch effect := effect.(type) {
		case core.Send:
			r.send(effect.Permit)
		case core.Amend:
			r.amend(effect.Permit)
		case core.CancelAtVenue:
			r.plugins.Cancel(effect.Order)
		case core.FlattenWanted:
			r.wantFlatten()
		case core.Withhold:
			r.plugins.Withhold(effect.Part, effect.Opening, effect.Why)
		case core.AskVenue:
			r.plugins.AskVenue(effect.Gateway, effect.Orders, effect.AskedAt)
		case core.OrderChanged:
			if effect.Order.Status.Final() {
				delete(r.recalled, effect.Order.ID)
			}
			r.publisher.Order(effect.Order)
		case core.Traded:
			r.publisher.Trade(effect.Trade)
		case core.BookChanged:
			r.dirty(effect)
		case core.Notice:
			r.notice(effect)
		case core.Alert:
			r.Raise(effect.Text)
		case core.PoliciesAnswered:
			r.log.Info("policies loaded", "revision", effect.Revision, "errors", len(effect.Errors))
		case core.DayRolled:
			r.log.Info("trading day begins", "day", effect.Day, "calendar", effect.Calendar)
		case core.Decided:
			r.inShadow("a rule in shadow would have refused", effect.Order, effect.Shadows, len(effect.Refusals) == 0)
		case core.AmendAnswered:
			r.inShadow("a rule in shadow would have refused an amendment", effect.Order, effect.Shadows, len(effect.Refusals) == 0)
		case core.Crossed:
			r.crossed(effect)
		case core.OverrideChanged:
			r.overrideChanged(effect.Override)
		case core.JudgeAgain:
			r.judgeAgain(effect)
		case core.Taken, core.Liquidating, core.CancelAnswered, core.CancelledAll, core.FlattenAnswered, core.RatesAnswered, core.NumbersAnswered, core.TransferAnswered, core.Moved, core.OverrideAnswered:
			// answered through proposal.applied
		}
	}
	if contracts, ok := e.Input.(hub.Contracts); ok {
		r.publisher.Contracts(contracts.Contracts)
	}
}

func (r *Runner) notice(n core.Notice) {
	args := []any{"text", n.Text}
	if n.Trader != "" {
		args = append(args, "trader", n.Trader)
	}
	if n.OrderID != "" {
		args = append(args, "order", n.OrderID)
	}
	switch n.Level {
	case core.Info:
		r.log.Info("notice", args...)
	case core.Warning:
		if len(n.Refusals) > 0 {
			r.log.Debug("order refused", args...)
		} else {
			r.log.Warn("notice", args...)
		}
	case core.Problem:
		r.log.Error("notice", args...)
	}
	said := hub.SayAs(n.Text, n.Local)
	if len(n.Refusals) > 0 {
		said = hub.Say("order %s refused: %s (rev %s)", n.OrderID, said, r.core.Revision())
	}
	r.publisher.Log(lineOf(n.Trader, n.Level, said))
}

// inShadow tells the operator, and nobody else, what rules in shadow would have refused.
func (r *Runner) inShadow(what string, o hub.Order, shadows []hub.Refusal, passed bool) {
	for _, x := range shadows {
		r.log.Info(what, "order", o.ID, "trader", o.Trader, "rule", x.Place+" "+x.Rule, "code", x.Code, "text", x.Text, "passed", passed)
	}
}

// crossed tells the operator, and nobody else, whose orders would have met.
func (r *Runner) crossed(e core.Crossed) {
	what := "refused"
	if e.Waits {
		what = "waits for the end of the others"
	}
	for _, with := range e.With {
		r.log.Warn("internal cross", "order", e.Order.ID, "trader", e.Order.Trader, "instrument", e.Order.Instrument, "direction", e.Order.Direction, "price", e.Order.Price,
			"quantity", e.Order.Qty, "outcome", what, "with", with.ID, "with_trader", with.Trader, "with_type", with.Type, "with_price", with.Price, "with_quantity", with.Qty,
			"with_filled", with.Filled)
	}
}

// tellManagers passes on what an entry did, so that the managers' books follow the core's.
func (r *Runner) tellManagers(e hub.Entry, p proposal, effects []core.Effect) {
	decided, waits := false, hub.OrderID("")
	for _, effect := range effects {
		switch effect := effect.(type) {
		case core.Crossed:
			if effect.Waits {
				waits = effect.Order.ID
			}
		case core.Decided:
			decided = true
			r.plugins.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: p.ask, Order: effect.Order}})
		case core.OrderChanged:
			if _, taken := e.Input.(hub.TakeOrder); !decided && !taken && effect.Order.ID != waits { // the decision said it already, or will
				o := effect.Order.Reserved()
				r.plugins.Observe(hub.RiskEvent{Order: &o})
			}
		case core.Traded:
			r.plugins.Observe(hub.RiskEvent{Trade: &effect.Trade})
			if a, ok := r.core.Account(effect.Trade.Trader); ok {
				r.plugins.Observe(hub.RiskEvent{Account: &a})
			}
		case core.DayRolled:
			if effect.Fund {
				r.plugins.Observe(hub.RiskEvent{Day: effect.Day})
			}
		case core.RatesAnswered:
			if len(effect.Errors) == 0 {
				r.plugins.Observe(hub.RiskEvent{Rates: ratesOf(effect.Rates)})
			}
		case core.Moved:
			r.tellMoved(effect)
		case core.TransferAnswered, core.NumbersAnswered, core.Liquidating, core.Taken, core.Send, core.Amend, core.AmendAnswered, core.CancelAtVenue, core.AskVenue, core.CancelAnswered, core.CancelledAll, core.Withhold, core.FlattenAnswered, core.FlattenWanted, core.BookChanged,
			core.Notice, core.Alert, core.PoliciesAnswered, core.JudgeAgain, core.OverrideChanged, core.OverrideAnswered:
		}
	}
	if p.ask != 0 && !decided { // it waits, and will be another candidate; or it ended meanwhile
		r.plugins.Observe(hub.RiskEvent{Decided: &hub.RiskDecision{Ask: p.ask, Order: hub.Order{Status: hub.Rejected}}})
	}
	if in, ok := e.Input.(hub.Marks); ok {
		r.plugins.Observe(hub.RiskEvent{Marks: in.Marks})
	}
	if in, ok := e.Input.(hub.Contracts); ok {
		r.plugins.Observe(hub.RiskEvent{Contracts: in.Contracts})
	}
}

// tellMoved tells the risk managers, who follow fills, of what the operator moved.
func (r *Runner) tellMoved(m core.Moved) {
	if m.Instrument != (hub.Instrument{}) {
		positions := slices.DeleteFunc(r.core.Positions(m.Trader, m.Instrument), func(p hub.Position) bool { return p.Gateway != m.Gateway })
		r.plugins.Observe(hub.RiskEvent{Positions: positions})
	}
	if a, ok := r.core.Account(m.Trader); ok {
		r.plugins.Observe(hub.RiskEvent{Account: &a})
	}
}

// dirty remembers a book that changed; flush tells its owner once for the whole batch.
func (r *Runner) dirty(b core.BookChanged) {
	if b.Instrument == (hub.Instrument{}) {
		b.Gateway = ""
	}
	if !r.dirtySet[b] {
		r.dirtySet[b] = true
		r.dirtyList = append(r.dirtyList, b)
	}
	if account := (core.BookChanged{Trader: b.Trader}); !r.dirtySet[account] {
		r.dirtySet[account] = true
		r.dirtyList = append(r.dirtyList, account)
	}
}

func (r *Runner) flush() {
	for _, b := range r.dirtyList {
		if b.Instrument != (hub.Instrument{}) {
			r.publisher.Positions(b.Trader, r.core.Positions(b.Trader, b.Instrument))
		} else if a, ok := r.core.Account(b.Trader); ok {
			r.publisher.Account(a)
		}
	}
	clear(r.dirtySet)
	r.dirtyList = r.dirtyList[:0]
}

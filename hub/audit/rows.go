package audit

import (
	"fmt"
	"slices"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// taken is one applied entry on its way into the record.
type taken struct {
	seq     uint64
	time    hub.Time
	input   hub.Input
	data    []byte // of the journal; nil of a snapshot
	effects []core.Effect
	gap     *Gap  // instead of an entry: what the record does not have
	load    *Load // with it: the policy that was in force
	files   []hub.PolicyFile
}

// size is about what it takes in memory.
func (t *taken) size() int {
	size := 256 + len(t.data) + 128*len(t.effects)
	for _, e := range t.effects {
		switch e := e.(type) { //nolint:gochecksumtype // the others are small
		case core.Decided:
			size += 512 + 64*len(e.Considered.Readings)
		case core.Liquidating:
			size += 512 + 64*len(e.Considered.Readings)
		case core.AmendAnswered:
			size += 512 + 64*len(e.Considered.Readings)
		}
	}
	return size
}

// keep copies what is the core's own and will be used again.
func keep(effects []core.Effect) []core.Effect {
	if len(effects) == 0 {
		return nil
	}
	kept := make([]core.Effect, 0, len(effects))
	for _, e := range effects {
		switch e := e.(type) { //nolint:gochecksumtype // the others are nobody's but ours
		case core.Decided:
			e.Considered.Readings, e.Shadows, e.Warnings = slices.Clone(e.Considered.Readings), slices.Clone(e.Shadows), slices.Clone(e.Warnings)
			kept = append(kept, e)
		case core.Liquidating:
			e.Considered.Readings = slices.Clone(e.Considered.Readings)
			kept = append(kept, e)
		case core.AmendAnswered:
			e.Considered.Readings, e.Shadows, e.Warnings = slices.Clone(e.Considered.Readings), slices.Clone(e.Shadows), slices.Clone(e.Warnings)
			kept = append(kept, e)
		case core.BookChanged, core.Send, core.Amend, core.CancelAtVenue, core.AskVenue, core.Withhold, core.FlattenWanted, core.JudgeAgain, core.Moved:
			// what the edges are to do about what is recorded already
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

// loud inputs have a row of their own whatever comes of them. The others have one when something comes of them that is not an order's: a watch that fires, a difference that is found.
func loud(in hub.Input) bool {
	switch in.(type) { //nolint:gochecksumtype // what is new is loud
	case hub.SubmitOrder, hub.TakeOrder, hub.JudgeOrder, hub.CancelOrder, hub.AmendOrder, hub.VenueReport, hub.Reconcile, hub.Marks, hub.Clock, hub.FlattenStep, hub.ExpireWaits, hub.VenueStatement:
		return false
	}
	return true
}

// rowsOf are the rows of an entry: one for each order that it decided or changed, in the order in which it did, and one for the rest, which comes first.
func rowsOf(t *taken) ([]Row, []hub.PolicyFile) {
	if t.gap != nil {
		return rowsOfGap(t)
	}
	w := writer{t: t}
	for _, e := range t.effects {
		w.effect(e)
	}
	var rows []Row
	texts := w.rest(&rows)
	w.input()
	for _, x := range w.orders {
		rows = append(rows, Row{Seq: t.seq, Time: t.time, Kind: x.kind, Trader: x.trader, Order: x.id, Body: encode(x.body)})
	}
	return rows, texts
}

func rowsOfGap(t *taken) ([]Row, []hub.PolicyFile) {
	rows := []Row{{Seq: t.seq, Time: t.time, Kind: "gap", Body: encode(Body{Gap: t.gap})}}
	if t.load != nil {
		rows = append(rows, Row{Seq: t.seq, Time: t.time, Kind: kindLoad, Body: encode(Body{Load: t.load})})
	}
	return rows, t.files
}

// writer sorts what came of an entry.
type writer struct {
	t      *taken
	orders []*orderRow
	others []map[string]any
	// answered is of a LoadPolicies.
	answered *core.PoliciesAnswered
	cancel   string
}

type orderRow struct {
	id     hub.OrderID
	trader hub.TraderName
	kind   string
	body   Body
}

// Kinds of rows that are looked for.
const (
	kindDecision  = "decision"
	kindAmendment = "amendment"
	kindTaken     = "taken"
	kindChange    = "order"
	kindFill      = "fill"
	kindReport    = "report"
	kindCancel    = "cancel"
	kindLoad      = "load-policies"
	kindRefused   = "policies-refused"
)

// owner is who a wish about an order is of, when its trader has it.
const owner = "its owner"

func (w *writer) order(id hub.OrderID, trader hub.TraderName) *orderRow {
	for _, x := range w.orders {
		if x.id == id {
			return x
		}
	}
	x := &orderRow{id: id, trader: trader, kind: kindChange}
	w.orders = append(w.orders, x)
	return x
}

func (w *writer) effect(e core.Effect) {
	switch e := e.(type) { //nolint:gochecksumtype // what is new is recorded as it is
	case core.Decided:
		x := w.order(e.Order.ID, e.Order.Trader)
		x.kind = kindDecision
		x.body.Order, x.body.Change = orderOf(e.Order), changeOf(e.Order)
		x.body.Decision = decisionOf(&e.Considered, e.Refusals, e.Revision, e.Order)
		w.decided(x.body.Decision, &e)
	case core.Liquidating:
		x := w.order(e.Order.ID, e.Order.Trader)
		x.kind = kindDecision
		x.body.Order = orderOf(e.Order)
		x.body.Decision = decisionOf(&e.Considered, nil, e.Revision, e.Order)
		x.body.Decision.ByHub = "flatten"
		if in, ok := w.t.input.(hub.FlattenStep); ok {
			for _, m := range in.Markets {
				if m.Gateway == e.Order.Gateway && m.Instrument == e.Order.Instrument {
					x.body.Decision.Market = marketOf(m.Market)
				}
			}
		}
	case core.AmendAnswered:
		w.amended(&e)
	case core.Taken:
		x := w.order(e.Order.ID, e.Order.Trader)
		x.kind = kindTaken
		x.body.Order = orderOf(e.Order)
	case core.OrderChanged:
		w.order(e.Order.ID, e.Order.Trader).body.Change = changeOf(e.Order)
	case core.Traded:
		x := w.order(e.Trade.OrderID, e.Trade.Trader)
		if x.kind == kindChange {
			x.kind = kindFill
		}
		x.body.Fills = append(x.body.Fills, fillOf(e.Trade))
	case core.Crossed:
		w.crossed(&e)
	case core.CancelAnswered:
		w.cancel = e.Err
	case core.PoliciesAnswered:
		w.answered = &e
	case core.Notice:
		if len(e.Refusals) == 0 { // else the decision has them
			w.other(e)
		}
	default:
		w.other(e)
	}
}

// amended is the decision about an amendment: the order is given as it would become.
func (w *writer) amended(e *core.AmendAnswered) {
	in, _ := w.t.input.(hub.AmendOrder)
	id, trader := e.Order.ID, e.Order.Trader
	if id == "" {
		id, trader = in.OrderID, in.Trader
	}
	x := w.order(id, trader)
	x.kind = kindAmendment
	a := &Amendment{By: in.By, Answer: e.Err}
	if in.Trader != "" {
		a.By = owner
	}
	if e.Order.ID != "" {
		a.Order = orderOf(e.Order)
		if len(e.Refusals) == 0 {
			a.Number = e.Order.Amendment.Number
		}
		if !in.Price.IsZero() {
			a.Order.Price = in.Price
		}
		if !in.Qty.IsZero() {
			a.Order.Quantity = in.Qty
		}
		a.Decision = decisionOf(&e.Considered, e.Refusals, e.Revision, e.Order)
		a.Decision.Shadows, a.Decision.Warnings = refusalsOf(e.Shadows), warningsOf(e.Warnings)
		a.Decision.Market, a.Decision.Verdicts = marketOf(in.Market), verdictsOf(in.Verdicts)
	}
	x.body.Amendment = a
}

// decided adds to a decision what the entry has of it.
func (w *writer) decided(d *Decision, e *core.Decided) {
	switch in := w.t.input.(type) { //nolint:gochecksumtype // the others decide nothing by a market
	case hub.SubmitOrder:
		d.Market, d.Verdicts = marketOf(in.Market), verdictsOf(in.Verdicts)
	case hub.JudgeOrder:
		d.Market, d.Verdicts, d.Late = marketOf(in.Market), verdictsOf(in.Verdicts), in.Late
	}
	d.Shadows, d.Warnings = refusalsOf(e.Shadows), warningsOf(e.Warnings)
	if e.Override != nil {
		d.Override, d.Lifted = described(e.Override), refusalsOf(e.Lifted)
	}
}

func (w *writer) crossed(e *core.Crossed) {
	x := w.order(e.Order.ID, e.Order.Trader)
	if x.body.Decision == nil { // it waits
		x.kind = kindDecision
		x.body.Order, x.body.Decision = orderOf(e.Order), &Decision{Outcome: "waits"}
	}
	for _, o := range e.With {
		x.body.Decision.Met = append(x.body.Decision.Met, *orderOf(o))
	}
}

func (w *writer) other(e core.Effect) {
	m := described(e)
	m["effect"] = kindOf(e)
	w.others = append(w.others, m)
}

// input adds to an order's row what the entry says of it.
func (w *writer) input() {
	switch in := w.t.input.(type) { //nolint:gochecksumtype // the others are of no one order
	case hub.VenueReport:
		for _, x := range w.orders {
			if x.id == in.OrderID {
				if x.kind == kindChange {
					x.kind = kindReport
				}
				x.body.Report = &Report{Kind: reportName(in.Kind), VenueID: in.VenueID, Reason: in.Reason, TradeID: in.TradeID, Price: in.Price, Quantity: in.Qty, Amendment: in.Amendment, Time: in.VenueTime.UTC()}
			}
		}
	case hub.CancelOrder:
		x := w.order(in.OrderID, in.Trader)
		x.kind = kindCancel
		by := in.By
		if in.Trader != "" {
			by = owner
		}
		x.body.Cancel = &Cancel{By: by, Answer: w.cancel}
	}
}

// rest is the row of what is no order's.
func (w *writer) rest(rows *[]Row) (texts []hub.PolicyFile) {
	if len(w.others) == 0 && !loud(w.t.input) {
		return nil
	}
	row := Row{Seq: w.t.seq, Time: w.t.time, Kind: kindOf(w.t.input)}
	body := Body{Effects: w.others}
	switch in := w.t.input.(type) { //nolint:gochecksumtype // what is new is recorded as it is
	case hub.LoadPolicies:
		body.Load, texts = loadOf(in, w.answered), in.Files
	case hub.PoliciesRefused:
		body.Load, texts = refusedLoadOf(in), in.Files
	case hub.Contracts:
		body.Input = map[string]any{"gateway": string(in.Gateway), "contracts": len(in.Contracts)} // thousands, which say the same every morning
	case hub.Marks, hub.VenueStatement, hub.Reconcile:
		// what came of it is what matters
	default:
		body.Input = described(in)
	}
	row.Body = encode(body)
	*rows = append(*rows, row)
	return texts
}

func reportName(k hub.ReportKind) string {
	switch k {
	case hub.NoReport:
		return "none"
	case hub.ReportAccepted:
		return "accepted"
	case hub.ReportResting:
		return "resting"
	case hub.ReportFill:
		return "fill"
	case hub.ReportCancelled:
		return "cancelled"
	case hub.ReportRejected:
		return "rejected"
	case hub.ReportCancelRejected:
		return "cancel-rejected"
	case hub.ReportNotSent:
		return "not-sent"
	case hub.ReportCancelNotSent:
		return "cancel-not-sent"
	case hub.ReportAmended:
		return "amended"
	case hub.ReportAmendRejected:
		return "amend-rejected"
	case hub.ReportAmendNotSent:
		return "amend-not-sent"
	}
	return fmt.Sprintf("kind %d", k)
}

func loadOf(in hub.LoadPolicies, answer *core.PoliciesAnswered) *Load {
	l := &Load{By: in.By, Revision: policy.RevisionOf(in.Files), Language: in.Language, Files: filesOf(in.Files), Instead: in.Instead}
	if answer != nil {
		l.InForce, l.Errors, l.Currency = answer.Revision, answer.Errors, answer.Currency
	}
	return l
}

func refusedLoadOf(in hub.PoliciesRefused) *Load {
	return &Load{By: in.By, Revision: policy.RevisionOf(in.Files), Language: in.Language, Files: filesOf(in.Files), Errors: in.Errors}
}

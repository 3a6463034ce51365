package hubtest

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/hub/core"
)

// The oracle decides every order once more, slowly: from the ledger, the rules as they were drawn, and the market and verdicts that the entry carries. It and the hub must refuse
// for the same reasons, by the same numbers.

// entry follows one entry of the record, and compares its decisions.
func (l *ledger) entry(e hub.Entry, effects []core.Effect) error {
	l.now, l.stamp = max(l.now, e.Time), e.Time
	if in, ok := e.Input.(hub.VenueReport); ok {
		l.ending(in)
	}
	l.expired()
	l.input(e.Input)
	l.transfers(e.Input, effects)
	if err := l.rated(e.Input, effects); err != nil {
		return fmt.Errorf("rates otherwise: entry %d: %w", e.Seq, err)
	}
	if err := l.flattened(e.Input, effects); err != nil {
		return fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	for _, effect := range effects { // fills first: an order that ends has them
		if traded, ok := effect.(core.Traded); ok {
			l.traded(traded.Trade)
		}
	}
	for _, effect := range effects {
		switch effect := effect.(type) { //nolint:gochecksumtype // the rest does not count here
		case core.Decided:
			if err := l.decision(e.Input, effect); err != nil {
				return fmt.Errorf("decided otherwise: entry %d, order %s: %w", e.Seq, effect.Order.ID, err)
			}
			if err := l.byOverride(effect); err != nil {
				return fmt.Errorf("passed otherwise: entry %d, order %s: %w", e.Seq, effect.Order.ID, err)
			}
		case core.AmendAnswered:
			if err := l.amendment(e.Input.(hub.AmendOrder), effect); err != nil {
				return fmt.Errorf("amended otherwise: entry %d, order %s: %w", e.Seq, effect.Order.ID, err)
			}
		case core.OrderChanged:
			l.changed(effect.Order)
		case core.Crossed:
			if err := l.waiting(e.Input, effect); err != nil {
				return fmt.Errorf("waits, and should not: entry %d, order %s: %w", e.Seq, effect.Order.ID, err)
			}
		}
	}
	if err := l.overridden(effects); err != nil {
		return fmt.Errorf("overrides otherwise: entry %d: %w", e.Seq, err)
	}
	l.asks(e.Input, effects)
	l.watched()
	return nil
}

// waiting: an order that nothing speaks against but that it would meet others of the fund waits until those are cancelled.
func (l *ledger) waiting(in hub.Input, e core.Crossed) error {
	if !e.Waits {
		return nil
	}
	q := asked{ledger: l, order: e.Order, books: l.books()}
	var verdicts []hub.Verdict
	switch in := in.(type) { //nolint:gochecksumtype // the rest does not count here
	case hub.SubmitOrder:
		q.market, verdicts = in.Market, in.Verdicts
	case hub.JudgeOrder:
		q.market, verdicts = in.Market, in.Verdicts
	default:
		return fmt.Errorf("because of %T", in)
	}
	if why := l.unlifted(e.Order, q.refusals(verdicts)); !slices.Equal(why, []string{"internal-cross "}) || l.policies[0].cross != "cancel_resting" {
		return fmt.Errorf("with internal_cross: %s the ledger refuses it for %q", l.policies[0].cross, why)
	}
	if r := l.byID[e.Order.ID]; r == nil || !r.waited {
		l.note(crossPrevented, e.Order)
		l.changed(e.Order)
		l.byID[e.Order.ID].waited = true
	}
	l.seen["waited"]++
	for _, with := range e.With {
		if o := l.byID[with.ID]; !o.CancelAsked {
			l.cancel(o)
		}
	}
	return nil
}

func (l *ledger) input(in hub.Input) {
	switch in := in.(type) { //nolint:gochecksumtype // the rest does not count here
	case hub.SetUp:
		l.setUp = in
		l.firstRates(in)
		l.cuts = nil
		for _, g := range in.Gateways {
			l.up[g] = false
		}
	case hub.Contracts:
		for _, c := range in.Contracts {
			l.contracts[c.Instrument] = c
		}
	case hub.GatewayState:
		if in.Up && !l.up[in.Gateway] {
			clear(l.asking) // it is asked anew
		}
		l.up[in.Gateway] = in.Up
	case hub.SetState:
		l.setState(in)
	case hub.RollDay:
		if days := l.days[in.Calendar]; len(days) == 0 || in.Day > days[len(days)-1].Day {
			l.days[in.Calendar] = append(days, in)
			l.lines = append(l.lines, line{roll: in.Calendar})
		}
	case hub.VenueStatement:
		l.stated(in)
	case hub.Marks:
		l.lines = append(l.lines, line{marks: in.Marks})
	case hub.LoadPolicies:
		l.load(in)
	case hub.CancelOrder:
		if o := l.byID[in.OrderID]; o != nil && (in.Trader == "" || in.Trader == o.Trader) {
			l.cancel(o)
		}
	case hub.CancelAll:
		l.cancelPart(in.Part)
	case hub.AskOverride:
		l.pleaded(in)
	case hub.ApproveOverride:
		l.approved(in)
	case hub.WithdrawOverride:
		l.withdrew(in)
	case hub.SubmitOrder, hub.TakeOrder, hub.JudgeOrder, hub.AmendOrder, hub.DoubtAmendments, hub.ExpireWaits, hub.VenueReport, hub.Reconcile, hub.TransferPosition, hub.TransferCapital:
	}
}

// transfers notes what was moved, when the hub says that it was.
func (l *ledger) transfers(in hub.Input, effects []core.Effect) {
	i := slices.IndexFunc(effects, func(e core.Effect) bool { _, is := e.(core.TransferAnswered); return is })
	if i < 0 || len(effects[i].(core.TransferAnswered).Refusals) > 0 {
		return
	}
	l.seen["transferred"]++
	switch in := in.(type) { //nolint:gochecksumtype // the rest does not count here
	case hub.TransferCapital:
		l.lines = append(l.lines, line{money: &in})
	case hub.TransferPosition:
		m := moved{TransferPosition: in, price: exact(effects[i].(core.TransferAnswered).Price)}
		books := l.books()
		q := asked{ledger: l, books: books, order: hub.Order{OrderRequest: hub.OrderRequest{Instrument: in.Instrument}}}
		h := books[in.From].look(in.Instrument)
		free := h.side(in.Direction).yesterday
		if l.contracts[in.Instrument].SplitsToday { // what is being closed stays
			free = sub(free, q.sum(in.From, func(o *recorded) bool {
				ofToday := o.Offset == hub.CloseToday && o.rolls == l.rolls(l.calendarOf(o.Exchange))
				return o.Offset.Closes() && !ofToday && o.Direction != in.Direction
			}))
		}
		m.yesterday = least(free, exact(in.Qty))
		m.today, m.mark = sub(exact(in.Qty), m.yesterday), h.mark
		m.atCost = in.Price.IsZero() && books[""].look(in.Instrument).mark == nil
		l.lines = append(l.lines, line{moved: &m})
	}
}

// load takes the revision that the world drew, which is in the name of who asked; a broken one changes nothing.
func (l *ledger) load(in hub.LoadPolicies) {
	var revision uint32
	if _, err := fmt.Sscanf(in.By, "revision %d", &revision); err == nil {
		before := l.policies
		l.policies = drawPolicies(revision)
		if !slices.Equal(files(before), files(l.policies)) {
			l.void()
		}
		l.watchesOf(l.policies)
	}
}

// changed keeps an order as it was last shown.
func (l *ledger) changed(o hub.Order) {
	r := l.byID[o.ID]
	if r == nil {
		r = &recorded{}
		l.orders = append(l.orders, r)
		l.byID[o.ID] = r
	}
	wasFinal := r.Status.Final()
	if r.nowAmended(o) {
		l.seen["amended"]++
	}
	r.Order = o
	if o.Status.Final() && !wasFinal {
		r.endedIn = l.rolls(l.calendarOf(o.Exchange))
	}
	switch {
	case wasFinal:
	case o.Status == hub.Rejected && r.sent:
		l.note(orderRejected, o)
	case o.Status == hub.Rejected:
		l.note(orderRefused, o)
	case o.Status == hub.Cancelled && r.sent && cancelsItself(o):
		l.note(remainderCancelled, o)
	}
	if o.Status.Final() {
		r.endsAt = nil
	}
	if r.sent {
		l.lines = append(l.lines, line{works: &o})
	}
}

// late reports whether a fill was made, as the venue dates it, before the present day of its contract began, of an order from before.
func (l *ledger) late(t hub.Trade) bool {
	calendar := l.calendarOf(t.Exchange)
	days := l.days[calendar]
	return len(days) > 1 && l.byID[t.OrderID].rolls < len(days) && t.Time < days[len(days)-1].Began
}

// ending: a venue that does not cancel an order, or that cancelled one with more filled than it has reported.
func (l *ledger) ending(in hub.VenueReport) {
	o := l.byID[in.OrderID]
	if o != nil && o.sent && in.Kind == hub.ReportCancelRejected && !o.Status.Final() {
		o.CancelAsked = false // it may be asked for anew
	}
	if o == nil || !o.sent || in.Kind != hub.ReportCancelled || o.Status.Final() || in.Qty.Cmp(o.Filled) <= 0 || o.Largest().Less(in.Qty) {
		return
	}
	if at := exact(in.Qty); o.endsAt == nil || o.endsAt.Cmp(at) < 0 {
		o.endsAt = at
	}
}

// asked is all that a decision may read.
type asked struct {
	ledger *ledger
	order  hub.Order
	market hub.MarketView
	worst  *big.Rat // nil: not known
	books  map[hub.TraderName]*account
	// replaced is the working order that is to become this one; nil when it is new.
	replaced *replaced
}

// decision compares what the hub decided with what the ledger says.
func (l *ledger) decision(in hub.Input, d core.Decided) error {
	q := asked{ledger: l, order: d.Order, books: l.books()}
	var verdicts []hub.Verdict
	switch in := in.(type) { //nolint:gochecksumtype // the rest does not count here
	case hub.SubmitOrder:
		q.market, verdicts = in.Market, in.Verdicts
	case hub.JudgeOrder:
		q.market, verdicts = in.Market, in.Verdicts
	case hub.ExpireWaits:
		if d.Order.Status == hub.Cancelled {
			break
		}
		if len(d.Refusals) != 1 || d.Refusals[0].Code != "internal-cross" || !l.byID[d.Order.ID].waited {
			return fmt.Errorf("ended as it waited, and it did not: %v", d.Refusals)
		}
		l.seen["waited too long"]++
		l.note(orderAsked, d.Order)
		return nil
	default: // the hub was started again before it had decided
		if len(d.Refusals) != 1 || d.Refusals[0].Code != "restarted" {
			return fmt.Errorf("decided because of %T", in)
		}
		return nil
	}
	if in, ok := in.(hub.SubmitOrder); ok && slices.ContainsFunc(l.cuts, func(x cut) bool {
		return in.Asked <= x.at && x.part.Covers(in.Trader, in.Gateway, in.Request.Instrument)
	}) {
		if d.Order.Status != hub.Cancelled {
			return fmt.Errorf("asked for at %d and decided as %s, and everything was cancelled after that", in.Asked, d.Order.Status)
		}
		l.seen["withdrawn"]++
		return nil
	}
	if d.Order.Status == hub.Cancelled {
		if o := l.byID[d.Order.ID]; o == nil || !o.CancelAsked {
			return fmt.Errorf("ended as cancelled, and nobody had asked for it")
		}
		return nil
	}
	want, got := q.refusals(verdicts), allSaid(d.Refusals)
	slices.Sort(want)
	passesBy, lifted := l.letsPast(d.Order, want), []string(nil)
	if passesBy != nil {
		lifted, want = want, nil
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("the hub refused for %q, the ledger for %q\n%s", got, want, q.explain(d))
	}
	if err := q.values(slices.Concat(d.Refusals, d.Lifted)); err != nil {
		return err
	}
	for _, r := range d.Refusals {
		l.seen[r.Code]++
		if o := l.byID[d.Order.ID]; r.Code == "internal-cross" && (o == nil || !o.waited) {
			l.note(crossPrevented, d.Order)
		}
	}
	l.note(orderAsked, d.Order)
	if len(d.Refusals) == 0 {
		l.seen["sent"]++
		l.note(orderSent, d.Order)
		l.changed(d.Order)
		r := l.byID[d.Order.ID]
		r.sent, r.worst, r.rolls = true, q.worst, l.rolls(l.calendarOf(r.Exchange))
		if passesBy != nil {
			l.uses(passesBy, r, lifted)
		}
		o := d.Order
		l.lines = append(l.lines, line{works: &o})
	}
	return nil
}

// refusals are everything that speaks against an order, as code and rule.
func (q *asked) refusals(verdicts []hub.Verdict) []string {
	l, o := q.ledger, q.order
	c, known := l.contracts[o.Instrument]
	if !known {
		return []string{"contract "}
	}
	if !quotient(o.Qty, c.MinQty) {
		return []string{"quantity "} // rules cannot be asked about it
	}
	var out []string
	q.worst = q.valuePrice(c)
	if q.worst == nil && !o.Offset.Closes() {
		out = append(out, "not-computable ")
	}
	if q.unrated(c) {
		out = append(out, "rate ")
	}
	for _, of := range []subject{{hub.ScopeTrader, string(o.Trader)}, {hub.ScopeFund, ""}, {hub.ScopeGateway, string(o.Gateway)}} {
		switch l.state(of) {
		case hub.Active:
		case hub.ReduceOnly:
			if !q.shrinks(c) {
				out = append(out, "reduce-only ")
			}
		case hub.CancelOnly:
			out = append(out, "cancel-only ")
		case hub.Halted:
			out = append(out, "halted ")
		}
	}
	if slices.ContainsFunc(l.flattenings, func(f *flattening) bool { return f.part.Covers(o.Trader, o.Gateway, o.Instrument) }) {
		out = append(out, "flattening ")
	}
	if !l.up[o.Gateway] {
		out = append(out, "gateway-down ")
	}
	if free := q.closable(c); free != nil && free.Cmp(q.left()) < 0 {
		out = append(out, "offset ")
	}
	if len(l.policies) > 0 && l.policies[0].cross != "allow" && q.meetsOwn() {
		out = append(out, "internal-cross ")
	}
	for _, p := range l.policies {
		if p.owner != "" && p.owner != o.Trader {
			continue
		}
		for _, r := range p.rules {
			switch r.decide(q) {
			case passes:
			case fails:
				out = append(out, "rule "+p.named(r))
			case notComputable:
				out = append(out, "not-computable "+p.named(r))
			}
		}
	}
	for _, manager := range l.setUp.Managers {
		if !slices.ContainsFunc(verdicts, func(v hub.Verdict) bool { return v.Manager == manager && v.Pass }) {
			out = append(out, "risk-manager "+manager)
		}
	}
	return out
}

// meetsOwn: an order of the fund works that this one could trade with.
func (q *asked) meetsOwn() bool {
	for _, o := range q.books[""].working() {
		if o.Instrument != q.order.Instrument || o.Direction == q.order.Direction {
			continue
		}
		buy, sell := q.order, o.Order
		bid, ask := q.order.Price, o.reach()
		if q.order.Direction == hub.Short {
			buy, sell = sell, buy
			bid, ask = ask, bid
		}
		if buy.Type == hub.Market || sell.Type == hub.Market || exact(bid).Cmp(exact(ask)) >= 0 {
			return true
		}
	}
	return false
}

// shrinks: whatever fills, and in whichever order, the position gets smaller and does not change its sign.
func (q *asked) shrinks(c hub.Contract) bool {
	return q.order.Offset.Closes() || c.NetPosition && q.reduces(q.order.Trader)
}

// valuePrice is the highest price at which an order may trade, as far as is known.
func (q *asked) valuePrice(c hub.Contract) *big.Rat {
	touch := zero()
	for _, p := range []hub.Decimal{q.market.Last, q.market.Bid, q.market.Ask} {
		if p := exact(p); p.Cmp(touch) > 0 {
			touch = p
		}
	}
	price := exact(q.order.Price)
	switch {
	case q.order.Type == hub.Market && q.market.LimitUp.IsPos():
		return exact(q.market.LimitUp)
	case q.order.Type != hub.Market && q.order.Direction == hub.Long:
		return price
	case touch.Sign() > 0 && touch.Cmp(price) > 0:
		return touch
	case touch.Sign() > 0:
		return price
	case price.Sign() > 0 && (q.order.Offset.Closes() || c.NetPosition && q.order.Direction == hub.Short): // it can only end what is held
		return price
	}
	return nil
}

// closable is what an order of this kind may close; nil when it closes nothing.
func (q *asked) closable(c hub.Contract) *big.Rat {
	h := q.books[q.order.Trader].look(q.order.Instrument)
	if c.NetPosition {
		if q.order.Direction == hub.Long {
			return nil
		}
		return sub(h.long.quantity(), q.sum(q.order.Trader, func(o *recorded) bool { return o.Direction == hub.Short }))
	}
	if !q.order.Offset.Closes() {
		return nil
	}
	s := h.long
	if q.order.Direction == hub.Long {
		s = h.short
	}
	closing := func(today, any bool) *big.Rat {
		return q.sum(q.order.Trader, func(o *recorded) bool {
			ofToday := o.Offset == hub.CloseToday && o.rolls == q.ledger.rolls(q.ledger.calendarOf(o.Exchange))
			return o.Offset.Closes() && o.Direction == q.order.Direction && (any || ofToday == today)
		})
	}
	switch {
	case !c.SplitsToday:
		return sub(s.quantity(), closing(false, true))
	case q.order.Offset == hub.CloseToday:
		return sub(s.today, closing(true, false))
	}
	return sub(s.yesterday, closing(false, false))
}

// sum is what may still trade of some of a book's orders in this contract.
func (q *asked) sum(owner hub.TraderName, which func(*recorded) bool) *big.Rat {
	total := zero()
	for _, o := range q.books[owner].working() {
		if o.Instrument == q.order.Instrument && which(o) {
			total = add(total, o.left())
		}
	}
	return total
}

// values compares the numbers that the refusals name.
func (q *asked) values(refusals []hub.Refusal) error {
	for _, r := range refusals {
		for _, v := range r.Values {
			name, shown, _ := strings.Cut(v, "=")
			number, ok := new(big.Rat).SetString(shown)
			if !ok {
				continue
			}
			name, window, err := splitKey(name)
			if err != nil {
				return err
			}
			if want := q.number(name, window); want == nil || want.Cmp(number) != 0 {
				return fmt.Errorf("rule %s read %s, and the ledger has %s", r.Rule, v, text(want))
			}
		}
	}
	return nil
}

func splitKey(key string) (name string, window time.Duration, err error) {
	name, rest, windowed := strings.Cut(key, `("`)
	if !windowed {
		return name, 0, nil
	}
	for window, text := range windowTexts {
		if rest == text+`")` {
			return name, window, nil
		}
	}
	return "", 0, fmt.Errorf("no such window: %s", key)
}

func text(r *big.Rat) string {
	if r == nil {
		return "nothing"
	}
	return r.RatString()
}

// explain shows what a decision read.
func (q *asked) explain(d core.Decided) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n%+v\n", d.Order, q.market)
	for _, r := range d.Refusals {
		fmt.Fprintf(&b, "hub: %+v\n", r)
	}
	for _, p := range q.ledger.policies {
		if p.owner != "" && p.owner != q.order.Trader {
			continue
		}
		for _, r := range p.rules {
			fmt.Fprintf(&b, "%s %s: when %v require %v\n", p.owner, r.name, r.when, r.require)
		}
	}
	return b.String()
}

// number answers a variable; nil when it is missing.
func (q *asked) number(name string, window time.Duration) *big.Rat {
	owner, what, _ := strings.Cut(name, ".")
	switch owner {
	case "order":
		return q.ofOrder(what)
	case "market":
		return q.ofMarket(what)
	case "contract":
		return q.ofContract(what)
	case "trader", "fund", "account", "group": // there is one gateway in this world: what goes through it is the fund's
		book := hub.TraderName("")
		if owner == "trader" {
			book = q.order.Trader
		}
		if n, counts := q.counted(book, what, window); counts {
			return n
		}
		return q.ofBook(book, what, window)
	}
	panic("the ledger does not know " + name)
}

func (q *asked) ofOrder(what string) *big.Rat {
	switch what {
	case "quantity":
		return exact(q.order.Qty)
	case "price":
		if q.order.Type == hub.Market {
			return q.worst
		}
		return exact(q.order.Price)
	case "value":
		if q.worst == nil {
			return nil
		}
		return q.books[""].value(q.order.Instrument, q.worst, exact(q.order.Qty))
	case "margin":
		return q.margin()
	case "fee":
		return q.fee()
	}
	panic("the ledger does not know order." + what)
}

// margin is what the order would hold.
func (q *asked) margin() *big.Rat {
	c := q.ledger.contracts[q.order.Instrument]
	value := q.leftValue()
	switch {
	case q.order.Offset.Closes():
		return zero()
	case value == nil:
		return nil
	case c.NetPosition && c.MarginLong.IsZero() && q.order.Direction == hub.Short:
		return zero()
	}
	return marginOf(c, q.order.Direction, value)
}

// fee is the most that the venue can charge.
func (q *asked) fee() *big.Rat {
	if q.worst == nil {
		return nil
	}
	c := q.ledger.contracts[q.order.Instrument]
	of := func(byValue, perUnit hub.Decimal) *big.Rat {
		return q.books[""].fee(c, byValue, perUnit, q.dearest(), q.left())
	}
	opening := of(c.Fees.OpenByValue, c.Fees.OpenPerUnit)
	closing, closingToday := of(c.Fees.CloseByValue, c.Fees.ClosePerUnit), of(c.Fees.CloseTodayByValue, c.Fees.CloseTodayPerUnit)
	if closing.Cmp(closingToday) < 0 {
		closing = closingToday
	}
	if q.order.Offset.Closes() || c.NetPosition && q.order.Direction == hub.Short {
		return closing
	}
	return opening
}

func (q *asked) ofMarket(what string) *big.Rat {
	if q.market.Seen == 0 {
		return nil
	}
	some := func(d hub.Decimal) *big.Rat {
		if d.IsZero() {
			return nil
		}
		return exact(d)
	}
	switch what {
	case "last":
		return some(q.market.Last)
	case "bid":
		return some(q.market.Bid)
	case "age":
		micros := max(0, int64(q.ledger.now-q.market.Seen)/1000)
		return big.NewRat(micros, 1_000_000)
	}
	panic("the ledger does not know market." + what)
}

func (q *asked) truth(name string) *bool {
	if name != "order.reduces" {
		panic("the ledger does not know " + name)
	}
	reduces := q.reduces(q.order.Trader)
	return &reduces
}

// reduces: the order can only make a position smaller.
func (q *asked) reduces(owner hub.TraderName) bool {
	if !q.ledger.contracts[q.order.Instrument].NetPosition {
		return q.order.Offset.Closes()
	}
	h := q.books[owner].look(q.order.Instrument)
	against := h.long
	if q.order.Direction == hub.Long {
		against = h.short
	}
	same := q.sum(owner, func(o *recorded) bool { return o.Direction == q.order.Direction })
	return add(same, q.left()).Cmp(against.quantity()) <= 0
}

func (q *asked) ofBook(owner hub.TraderName, what string, window time.Duration) *big.Rat {
	if what == "duplicates" {
		return big.NewRat(int64(len(q.inside(owner, "", window, func(e event) bool { return slices.Contains(orders(owner), e.kind) && alike(e.order, q.order) }))), 1)
	}
	book := q.books[owner]
	heldByOrders := book.heldByOrders()
	switch what {
	case "capital":
		return book.capital()
	case "cash":
		return sub(add(book.capital(), book.cash), book.commission)
	case "equity_start":
		return add(book.capital(), book.dayStart)
	case "peak":
		return add(book.capital(), book.peak)
	case "peak_day":
		return add(book.capital(), book.peakDay)
	case "drawdown":
		return sub(book.peak, book.profit())
	case "drawdown_day":
		return sub(book.peakDay, book.profit())
	case "consecutive_losses":
		return big.NewRat(book.losses, 1)
	case "pnl.day_realised":
		return sub(book.realised, book.realisedAt)
	case "margin_positions":
		return book.positionMargin()
	case "margin_after", "available_after":
		held, margin, fee := add(book.positionMargin(), heldByOrders), q.margin(), q.fee()
		if margin == nil || fee == nil && what == "available_after" {
			return nil
		}
		if held = add(held, margin); what == "margin_after" {
			return held
		}
		return sub(add(book.capital(), book.profit()), add(held, fee))
	case "equity":
		return add(book.capital(), book.profit())
	case "margin_held":
		return add(book.positionMargin(), heldByOrders)
	case "available":
		return sub(add(book.capital(), book.profit()), add(book.positionMargin(), heldByOrders))
	case "pnl.realised":
		return book.realised
	case "pnl.unrealised":
		return book.unrealised()
	case "commission":
		return book.commission
	case "pnl.day":
		return sub(book.profit(), book.dayStart)
	}
	return q.ofPosition(owner, what)
}

func alike(a, b hub.Order) bool {
	return a.Instrument == b.Instrument && a.Direction == b.Direction && a.Offset == b.Offset && a.Type == b.Type && a.Qty.Equal(b.Qty) && a.Price.Equal(b.Price)
}

func (q *asked) ofPosition(owner hub.TraderName, what string) *big.Rat {
	h := q.books[owner].look(q.order.Instrument)
	long, short := h.long.quantity(), h.short.quantity()
	working := func(d hub.Direction, closes bool) *big.Rat {
		return q.sum(owner, func(o *recorded) bool { return o.Direction == d && o.Offset.Closes() == closes })
	}
	buys, sells := add(working(hub.Long, false), working(hub.Long, true)), add(working(hub.Short, false), working(hub.Short, true))
	quantity := q.left()
	after := func(d hub.Direction) *big.Rat {
		most := working(d, false)
		if q.order.Direction == d && !q.order.Offset.Closes() {
			most = add(most, quantity)
		}
		held, other := long, short
		if d == hub.Short {
			held, other = short, long
		}
		if !q.ledger.contracts[q.order.Instrument].NetPosition {
			return add(held, most)
		}
		if most = add(most, sub(held, other)); most.Sign() < 0 {
			return zero()
		}
		return most
	}
	switch strings.TrimPrefix(what, "position.") {
	case "long":
		return long
	case "short":
		return short
	case "net":
		return sub(long, short)
	case "long_today":
		return h.long.today
	case "short_today":
		return h.short.today
	case "long_yesterday":
		return h.long.yesterday
	case "short_yesterday":
		return h.short.yesterday
	case "working_buy":
		return buys
	case "working_sell":
		return sells
	case "working_close_long":
		return working(hub.Short, true)
	case "working_close_short":
		return working(hub.Long, true)
	case "long_after":
		return after(hub.Long)
	case "short_after":
		return after(hub.Short)
	case "net_after":
		net := sub(long, short)
		if q.order.Direction == hub.Long {
			return new(big.Rat).Abs(add(net, add(buys, quantity)))
		}
		return new(big.Rat).Abs(sub(net, add(sells, quantity)))
	}
	panic("the ledger does not know " + what)
}

package pluginpb

import (
	"errors"
	"fmt"
	"slices"

	"tradehub/hub"
)

// CandidateOf converts for the wire.
func CandidateOf(c hub.Candidate) *Candidate {
	return &Candidate{
		Ask:     c.Ask,
		Trader:  text(c.Trader),
		Request: orderRequestOf(c.Request),
		Gateway: text(c.Gateway),
		Amends:  text(c.Amends),
		Market: &MarketView{
			Last:         num(c.Market.Last),
			Bid:          num(c.Market.Bid),
			Ask:          num(c.Market.Ask),
			LimitUp:      num(c.Market.LimitUp),
			LimitDown:    num(c.Market.LimitDown),
			PreClose:     num(c.Market.PreClose),
			Volume:       num(c.Market.Volume),
			OpenInterest: num(c.Market.OpenInt),
			Seen:         int64(c.Market.Seen),
			Session:      sessionOf(c.Market.Session),
		},
	}
}

func sessionOf(s hub.Session) *Session {
	if s == (hub.Session{}) {
		return nil
	}
	return &Session{
		Calendar: text(s.Calendar), Day: text(s.Day), FundDay: text(s.FundDay), Phase: Phase(s.Phase), Name: text(s.Name), Opened: int64(s.Opened), Closes: int64(s.Closes),
		Expires: text(s.Expires), Delivers: text(s.Delivers),
	}
}

func (x *Session) hub() hub.Session {
	s := hub.Session{
		Calendar: x.GetCalendar(), Day: hub.Day(x.GetDay()), FundDay: hub.Day(x.GetFundDay()), Name: x.GetName(), Opened: hub.Time(x.GetOpened()), Closes: hub.Time(x.GetCloses()),
		Expires: hub.Day(x.GetExpires()), Delivers: x.GetDelivers(),
	}
	if _, known := Phase_name[int32(x.GetPhase())]; known { // a phase of a later version of the contract is one that nobody knows
		s.Phase = hub.Phase(x.GetPhase())
	}
	return s
}

// Hub converts from the wire.
func (x *Candidate) Hub() (hub.Candidate, error) {
	var r reading
	m := x.GetMarket()
	c := hub.Candidate{
		Ask:     x.GetAsk(),
		Trader:  hub.TraderName(x.GetTrader()),
		Request: r.orderRequest(x.GetRequest()),
		Gateway: hub.GatewayName(x.GetGateway()),
		Amends:  hub.OrderID(x.GetAmends()),
		Market: hub.MarketView{
			Last:      r.num("last", m.GetLast()),
			Bid:       r.num("bid", m.GetBid()),
			Ask:       r.num("ask", m.GetAsk()),
			LimitUp:   r.num("limit_up", m.GetLimitUp()),
			LimitDown: r.num("limit_down", m.GetLimitDown()),
			PreClose:  r.num("pre_close", m.GetPreClose()),
			Volume:    r.num("volume", m.GetVolume()),
			OpenInt:   r.num("open_interest", m.GetOpenInterest()),
			Seen:      hub.Time(m.GetSeen()),
			Session:   m.GetSession().hub(),
		},
	}
	return c, wrap(fmt.Sprintf("candidate %d", c.Ask), r.err)
}

// partMax is how many elements of a long list go into one message: at less than a kilobyte each, far below the 16 MiB of a message.
const partMax = 500

// SplitBook cuts a book into parts that fit into a message each. Nothing is converted yet, and nothing copied.
func SplitBook(b hub.RiskBook) []hub.RiskBook {
	parts := []hub.RiskBook{{Currency: b.Currency, Rates: b.Rates, Day: b.Day}}
	for contracts := range slices.Chunk(b.Contracts, partMax) {
		parts = append(parts, hub.RiskBook{Contracts: contracts})
	}
	for traders := range slices.Chunk(b.Traders, partMax) {
		parts = append(parts, hub.RiskBook{Traders: traders})
	}
	for positions := range slices.Chunk(b.Positions, partMax) {
		parts = append(parts, hub.RiskBook{Positions: positions})
	}
	for orders := range slices.Chunk(b.Orders, partMax) {
		parts = append(parts, hub.RiskBook{Orders: orders})
	}
	for marks := range slices.Chunk(b.Marks, partMax) {
		parts = append(parts, hub.RiskBook{Marks: marks})
	}
	return parts
}

// BookOf converts a part for the wire; more says that another one follows.
func BookOf(b hub.RiskBook, more bool) *Book {
	return &Book{
		Currency:  text(b.Currency),
		Contracts: ContractsOf(b.Contracts),
		Traders:   list(b.Traders, accountOf),
		Positions: list(b.Positions, positionOf),
		Orders:    list(b.Orders, OrderOf),
		Marks:     list(b.Marks, markOf),
		Rates:     list(b.Rates, rateOf),
		Day:       text(b.Day),
		More:      more,
	}
}

// AppendTo converts from the wire and adds this part to a book.
func (x *Book) AppendTo(b *hub.RiskBook) error {
	var r reading
	if x.GetCurrency() != "" {
		b.Currency = x.GetCurrency()
	}
	if x.GetDay() != "" {
		b.Day = hub.Day(x.GetDay())
	}
	b.Contracts = append(b.Contracts, list(x.GetContracts(), r.contract)...)
	b.Traders = append(b.Traders, list(x.GetTraders(), r.account)...)
	b.Positions = append(b.Positions, list(x.GetPositions(), r.position)...)
	b.Orders = append(b.Orders, list(x.GetOrders(), r.order)...)
	b.Marks = append(b.Marks, list(x.GetMarks(), r.mark)...)
	b.Rates = append(b.Rates, list(x.GetRates(), r.rate)...)
	return wrap("book", r.err)
}

func accountOf(a hub.Account) *Account {
	return &Account{
		Trader:     text(a.Trader),
		Capital:    num(a.Capital),
		Balance:    num(a.Balance),
		Frozen:     num(a.Frozen),
		Available:  num(a.Available),
		Realised:   num(a.Realised),
		Unrealised: num(a.Unrealised),
		Commission: num(a.Commission),
		Cash:       num(a.Cash),
	}
}

func (r *reading) account(x *Account) hub.Account {
	return hub.Account{
		Trader:     hub.TraderName(x.GetTrader()),
		Capital:    r.num("capital", x.GetCapital()),
		Balance:    r.num("balance", x.GetBalance()),
		Frozen:     r.num("frozen", x.GetFrozen()),
		Available:  r.num("available", x.GetAvailable()),
		Realised:   r.num("realised", x.GetRealised()),
		Unrealised: r.num("unrealised", x.GetUnrealised()),
		Commission: r.num("commission", x.GetCommission()),
		Cash:       r.num("cash", x.GetCash()),
	}
}

func positionOf(p hub.Position) *Position {
	return &Position{
		Trader:     text(p.Trader),
		Instrument: InstrumentOf(p.Instrument),
		Gateway:    text(p.Gateway),
		Direction:  Direction(p.Direction),
		Qty:        num(p.Qty),
		Today:      num(p.Today),
		Yesterday:  num(p.Yesterday),
		Frozen:     num(p.Frozen),
		Price:      num(p.Price),
		Pnl:        num(p.PnL),
		Drift:      num(p.Drift),
	}
}

func (r *reading) position(x *Position) hub.Position {
	return hub.Position{
		Trader:     hub.TraderName(x.GetTrader()),
		Instrument: x.GetInstrument().Hub(),
		Gateway:    hub.GatewayName(x.GetGateway()),
		Direction:  enum(r, "direction", x.GetDirection(), hub.Net),
		Qty:        r.num("qty", x.GetQty()),
		Today:      r.num("today", x.GetToday()),
		Yesterday:  r.num("yesterday", x.GetYesterday()),
		Frozen:     r.num("frozen", x.GetFrozen()),
		Price:      r.num("price", x.GetPrice()),
		PnL:        r.num("pnl", x.GetPnl()),
		Drift:      r.num("drift", x.GetDrift()),
	}
}

func rateOf(h hub.Rate) *Rate { return &Rate{Currency: text(h.Currency), Rate: num(h.Rate)} }

func (r *reading) rate(x *Rate) hub.Rate {
	return hub.Rate{Currency: x.GetCurrency(), Rate: r.num("rate", x.GetRate())}
}

func markOf(m hub.Mark) *Mark {
	return &Mark{Instrument: InstrumentOf(m.Instrument), Price: num(m.Price), Seen: int64(m.Seen), Gateway: text(m.Gateway)}
}

func (r *reading) mark(x *Mark) hub.Mark {
	return hub.Mark{Instrument: x.GetInstrument().Hub(), Price: r.num("price", x.GetPrice()), Seen: hub.Time(x.GetSeen()), Gateway: hub.GatewayName(x.GetGateway())}
}

func tradeOf(t hub.Trade) *Trade {
	return &Trade{
		Id:         text(t.ID),
		OrderId:    text(t.OrderID),
		Trader:     text(t.Trader),
		Instrument: InstrumentOf(t.Instrument),
		Gateway:    text(t.Gateway),
		Direction:  Direction(t.Direction),
		Offset:     Offset(t.Offset),
		Price:      num(t.Price),
		Qty:        num(t.Qty),
		Time:       int64(t.Time),
		Commission: num(t.Commission),
		Day:        text(t.Day),
	}
}

func (r *reading) trade(x *Trade) hub.Trade {
	return hub.Trade{
		ID:         x.GetId(),
		OrderID:    hub.OrderID(x.GetOrderId()),
		Trader:     hub.TraderName(x.GetTrader()),
		Instrument: x.GetInstrument().Hub(),
		Gateway:    hub.GatewayName(x.GetGateway()),
		Direction:  enum(r, "direction", x.GetDirection(), hub.Net),
		Offset:     enum(r, "offset", x.GetOffset(), hub.CloseYesterday),
		Price:      r.num("price", x.GetPrice()),
		Qty:        r.num("qty", x.GetQty()),
		Time:       hub.Time(x.GetTime()),
		Commission: r.num("commission", x.GetCommission()),
		Day:        hub.Day(x.GetDay()),
	}
}

// SplitEvent cuts an event with a long list into several that fit into a message each; any other is returned as it is.
func SplitEvent(e hub.RiskEvent) []hub.RiskEvent {
	if len(e.Marks) <= partMax && len(e.Contracts) <= partMax {
		return []hub.RiskEvent{e}
	}
	var parts []hub.RiskEvent
	for marks := range slices.Chunk(e.Marks, partMax) {
		parts = append(parts, hub.RiskEvent{Marks: marks})
	}
	for contracts := range slices.Chunk(e.Contracts, partMax) {
		parts = append(parts, hub.RiskEvent{Contracts: contracts})
	}
	return parts
}

// EventOf converts for the wire.
func EventOf(e hub.RiskEvent) *Event {
	switch {
	case e.Decided != nil:
		return &Event{Event: &Event_Decided{&Decision{Ask: e.Decided.Ask, Order: OrderOf(e.Decided.Order)}}}
	case e.Order != nil:
		return &Event{Event: &Event_Order{OrderOf(*e.Order)}}
	case e.Trade != nil:
		return &Event{Event: &Event_Trade{tradeOf(*e.Trade)}}
	case e.Account != nil:
		return &Event{Event: &Event_Account{accountOf(*e.Account)}}
	case len(e.Positions) > 0:
		return &Event{Event: &Event_Positions{&PositionList{Positions: list(e.Positions, positionOf)}}}
	case len(e.Marks) > 0:
		return &Event{Event: &Event_Marks{&MarkList{Marks: list(e.Marks, markOf)}}}
	case len(e.Contracts) > 0:
		return &Event{Event: &Event_Contracts{&ContractList{Contracts: ContractsOf(e.Contracts)}}}
	case len(e.Rates) > 0:
		return &Event{Event: &Event_Rates{&RateList{Rates: list(e.Rates, rateOf)}}}
	default:
		return &Event{Event: &Event_Day{text(e.Day)}}
	}
}

// Hub converts from the wire.
func (x *Event) Hub() (hub.RiskEvent, error) {
	var r reading
	var e hub.RiskEvent
	switch event := x.GetEvent().(type) {
	case *Event_Decided:
		e.Decided = &hub.RiskDecision{Ask: event.Decided.GetAsk(), Order: r.order(event.Decided.GetOrder())}
	case *Event_Order:
		e.Order = new(r.order(event.Order))
	case *Event_Trade:
		e.Trade = new(r.trade(event.Trade))
	case *Event_Account:
		e.Account = new(r.account(event.Account))
	case *Event_Positions:
		e.Positions = list(event.Positions.GetPositions(), r.position)
	case *Event_Marks:
		e.Marks = list(event.Marks.GetMarks(), r.mark)
	case *Event_Contracts:
		e.Contracts = list(event.Contracts.GetContracts(), r.contract)
	case *Event_Rates:
		e.Rates = list(event.Rates.GetRates(), r.rate)
	case *Event_Day:
		e.Day = hub.Day(event.Day)
	default:
		r.err = errors.New("an event of an unknown kind")
	}
	return e, wrap("event", r.err)
}

// NumbersOf converts for the wire.
func NumbersOf(numbers []hub.Number) *Numbers {
	return &Numbers{Numbers: list(numbers, func(n hub.Number) *Number {
		return &Number{Name: text(n.Name), Trader: text(n.Trader), Value: num(n.Value)}
	})}
}

// Hub converts from the wire.
func (x *Numbers) Hub() ([]hub.Number, error) {
	var r reading
	numbers := list(x.GetNumbers(), func(n *Number) hub.Number {
		return hub.Number{Name: n.GetName(), Trader: hub.TraderName(n.GetTrader()), Value: r.num(n.GetName(), n.GetValue())}
	})
	return numbers, wrap("numbers", r.err)
}

// VerdictOf converts for the wire.
func VerdictOf(ask uint64, v hub.Verdict) *Verdict {
	return &Verdict{Ask: ask, Pass: v.Pass, Reason: text(v.Reason)}
}

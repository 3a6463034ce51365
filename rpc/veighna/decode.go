package veighna

import (
	"fmt"
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// RemoteError is a reply of [False, text]: the function failed at the server.
type RemoteError struct{ Text string }

// Error returns the server's text.
func (e *RemoteError) Error() string { return e.Text }

// Heartbeat is the data of a heartbeat: when the server sent it.
type Heartbeat struct{ Time hub.Time }

// Event is what a server published.
type Event struct {
	// Topic is "" for events of RpcService, "heartbeat" for heartbeats.
	Topic string
	// Type is the event type, such as "eTick.". A server that publishes bare data has the type as topic; it is then both.
	Type string
	// Data is a typed value, as DecodeReply returns them, or a Heartbeat.
	Data any
}

// serverLimits are for what a server sends that the hub chose to connect to.
func serverLimits() pickle.Limits {
	return pickle.Limits{
		Bytes: 32 << 20, Objects: 8 << 20, Memory: 512 << 20, Expanded: 16 << 20, Depth: 64, Stack: 1 << 20, Memo: 4 << 20,
	}
}

// DecodeReply reads a reply. The value is a hub.Tick, Bar, Order, Trade, Position or Contract, an Account, a Log, a []any of these, or, for
// anything else, what package pickle makes of it: nil, string and so on. naive is the zone of times that name none; nil is DefaultZone. The
// error is a *RemoteError when the server says that the call failed, else it says what is wrong with the reply.
func DecodeReply(data []byte, naive *time.Location) (any, error) {
	v, err := (&pickle.Decoder{Limits: serverLimits(), Words: words}).Decode(data)
	if err != nil {
		return nil, err
	}
	ok, value, isReply := pair[bool](v)
	if !isReply {
		return nil, fmt.Errorf("a reply is [ok, value], not %s", pickle.Repr(v, 60))
	}
	if !ok {
		text, isText := value.(string)
		if !isText {
			text = pickle.Repr(value, 1000)
		}
		return nil, &RemoteError{Text: text}
	}
	return typed(value, naive)
}

// DecodeEvent reads a published message of either framing. naive is the zone of times that name none; nil is DefaultZone.
func DecodeEvent(frames Message, naive *time.Location) (Event, error) {
	d := &pickle.Decoder{Limits: serverLimits(), Words: words}
	switch len(frames) {
	case 1:
		v, err := d.Decode(frames[0])
		if err != nil {
			return Event{}, err
		}
		topic, data, ok := pair[string](v)
		if !ok {
			return Event{}, fmt.Errorf("an event is [topic, data], not %s", pickle.Repr(v, 60))
		}
		return event(topic, data, naive)
	case 2:
		data, err := d.Decode(frames[1])
		if err != nil {
			return Event{}, err
		}
		return event(string(frames[0]), data, naive)
	default:
		return Event{}, fmt.Errorf("an event has one frame or two, not %d", len(frames))
	}
}

// pair takes a list or tuple of two apart, the first of which is a T.
func pair[T any](v any) (first T, second any, ok bool) {
	var items []any
	switch v := v.(type) {
	case *pickle.List:
		items = v.Items
	case pickle.Tuple:
		items = v
	}
	if len(items) != 2 {
		return first, nil, false
	}
	first, ok = items[0].(T)
	return first, items[1], ok
}

func event(topic string, data any, naive *time.Location) (Event, error) {
	if f, ok := data.(float64); ok && topic == heartbeatTopic && f > 0 && f < 9e9 {
		return Event{Topic: topic, Data: Heartbeat{Time: hub.Time(f * 1e9)}}, nil
	}
	e := Event{Topic: topic, Type: topic}
	if o, ok := data.(*pickle.Object); ok {
		kind, okKind := o.Attr("type")
		inner, okData := o.Attr("data")
		text, okText := kind.(string)
		if okKind && okData && okText && !isData(o) {
			e.Type, data = text, inner
		}
	}
	var err error
	if e.Data, err = typed(data, naive); err != nil {
		return Event{}, fmt.Errorf("event %q: %w", shorten(e.Type), err)
	}
	return e, nil
}

func isData(o *pickle.Object) bool { return o.Class.Module == moduleObject }

// typed makes a typed value of a decoded one, or of each item of a list.
func typed(v any, naive *time.Location) (any, error) {
	switch v := v.(type) {
	case *pickle.List:
		out := make([]any, len(v.Items))
		for i, item := range v.Items {
			var err error
			if out[i], err = typedOne(item, naive); err != nil {
				return nil, fmt.Errorf("item %d: %w", i, err)
			}
		}
		return out, nil
	default:
		return typedOne(v, naive)
	}
}

func typedOne(v any, naive *time.Location) (any, error) {
	o, ok := v.(*pickle.Object)
	if !ok || !isData(o) || !o.New {
		return v, nil
	}
	read := reader{class: o.Class.Name, naive: naive}
	var out any
	switch o.Class.Name {
	case tickLayout.class:
		out = read.tick(o)
	case barLayout.class:
		out = read.bar(o)
	case orderLayout.class:
		out = read.order(o)
	case tradeLayout.class:
		out = read.trade(o)
	case positionLayout.class:
		out = read.position(o)
	case accountLayout.class:
		out = read.account(o)
	case contractLayout.class:
		out = read.contract(o)
	case logLayout.class:
		out = read.log(o)
	default: // requests, quotes: nothing in the hub's vocabulary
		return v, nil
	}
	if read.err != nil {
		return nil, read.err
	}
	return out, nil
}

// reader makes one typed value. What is missing keeps the zero value, which is also the default of VeighNa's classes where they have one;
// what is not known is left alone.
type reader struct {
	class string
	naive *time.Location
	key   string // the attribute being read
	err   error
}

// each calls set for every attribute, with that attribute's name in r.key.
func (r *reader) each(o *pickle.Object, set func(key string, v any)) {
	state, ok := o.State.(*pickle.Dict)
	if !ok {
		r.err = fmt.Errorf("%s without attributes", r.class)
		return
	}
	for _, p := range state.Pairs {
		if r.key, ok = p.Key.(string); ok && r.err == nil {
			set(r.key, p.Value)
		}
	}
}

func (r *reader) fail(reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s.%s %s", r.class, r.key, reason)
	}
}

func (r *reader) str(v any) string {
	s, ok := v.(string)
	if !ok && v != nil {
		r.fail("must be str, not " + pickle.TypeName(v))
	}
	return s
}

func (r *reader) gateway(v any) hub.GatewayName { return hub.GatewayName(r.str(v)) }

func (r *reader) number(v any) hub.Decimal {
	d, err := number(v)
	if err != nil {
		r.fail(err.Error())
	}
	return d
}

func (r *reader) flag(v any) bool {
	b, ok := v.(bool)
	if !ok && v != nil {
		r.fail("must be bool, not " + pickle.TypeName(v))
	}
	return b
}

func (r *reader) time(v any) hub.Time {
	t, reason := readTime(v, r.naive)
	if reason != "" {
		r.fail(reason)
	}
	return t
}

func (r *reader) exchange(v any) string {
	e, ok := readExchange(v)
	if !ok {
		r.fail("must be Exchange, not " + pickle.TypeName(v))
	}
	return e
}

// member reads a member; None, and "" before vnpy 2.1.7, is 0. One that is not known is an error: what an order is must not be guessed.
func (r *reader) member(v any, e *enum) uint8 {
	if v == nil || v == "" {
		return 0
	}
	i, ok := e.read(v)
	if !ok {
		r.fail("is no " + e.class + ": " + pickle.Repr(v, 60))
	}
	return i
}

// levels are the attributes of a Tick's book: bid_price_1 and so on, in the order of the levels.
var levels = struct{ bidPrice, bidQty, askPrice, askQty []string }{
	[]string{"bid_price_1", "bid_price_2", "bid_price_3", "bid_price_4", "bid_price_5"},
	[]string{"bid_volume_1", "bid_volume_2", "bid_volume_3", "bid_volume_4", "bid_volume_5"},
	[]string{"ask_price_1", "ask_price_2", "ask_price_3", "ask_price_4", "ask_price_5"},
	[]string{"ask_volume_1", "ask_volume_2", "ask_volume_3", "ask_volume_4", "ask_volume_5"},
}

func (r *reader) tick(o *pickle.Object) (t hub.Tick) {
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			t.Gateway = r.gateway(v)
		case "symbol":
			t.Symbol = r.str(v)
		case "exchange":
			t.Exchange = r.exchange(v)
		case "datetime":
			t.Time = r.time(v)
		case "localtime":
			t.LocalTime = r.time(v)
		case "name":
			t.Name = r.str(v)
		case "volume":
			t.Volume = r.number(v)
		case "turnover":
			t.Turnover = r.number(v)
		case "open_interest":
			t.OpenInterest = r.number(v)
		case "last_price":
			t.Last = r.number(v)
		case "last_volume":
			t.LastQty = r.number(v)
		case "limit_up":
			t.LimitUp = r.number(v)
		case "limit_down":
			t.LimitDown = r.number(v)
		case "open_price":
			t.Open = r.number(v)
		case "high_price":
			t.High = r.number(v)
		case "low_price":
			t.Low = r.number(v)
		case "pre_close":
			t.PreClose = r.number(v)
		default:
			r.level(&t, key, v)
		}
	})
	return t
}

func (r *reader) level(t *hub.Tick, key string, v any) {
	if i := slices.Index(levels.bidPrice, key); i >= 0 {
		t.Bids[i].Price = r.number(v)
	} else if i := slices.Index(levels.bidQty, key); i >= 0 {
		t.Bids[i].Qty = r.number(v)
	} else if i := slices.Index(levels.askPrice, key); i >= 0 {
		t.Asks[i].Price = r.number(v)
	} else if i := slices.Index(levels.askQty, key); i >= 0 {
		t.Asks[i].Qty = r.number(v)
	}
}

func (r *reader) bar(o *pickle.Object) (b hub.Bar) {
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			b.Gateway = r.gateway(v)
		case "symbol":
			b.Symbol = r.str(v)
		case "exchange":
			b.Exchange = r.exchange(v)
		case "datetime":
			b.Time = r.time(v)
		case "interval":
			b.Interval = hub.Interval(r.member(v, &intervals))
		case "volume":
			b.Volume = r.number(v)
		case "turnover":
			b.Turnover = r.number(v)
		case "open_interest":
			b.OpenInterest = r.number(v)
		case "open_price":
			b.Open = r.number(v)
		case "high_price":
			b.High = r.number(v)
		case "low_price":
			b.Low = r.number(v)
		case "close_price":
			b.Close = r.number(v)
		}
	})
	return b
}

func (r *reader) order(o *pickle.Object) hub.Order {
	out := hub.Order{Status: hub.Submitted}
	out.Type = hub.Limit
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			out.Gateway = r.gateway(v)
		case "symbol":
			out.Symbol = r.str(v)
		case "exchange":
			out.Exchange = r.exchange(v)
		case "orderid":
			out.ID = hub.OrderID(r.str(v))
		case "type":
			out.Type = hub.OrderType(r.member(v, &orderTypes))
		case "direction":
			out.Direction = hub.Direction(r.member(v, &directions))
		case "offset":
			out.Offset = hub.Offset(r.member(v, &offsets))
		case "price":
			out.Price = r.number(v)
		case "volume":
			out.Qty = r.number(v)
		case "traded":
			out.Filled = r.number(v)
		case "status":
			out.Status = hub.Status(r.member(v, &statuses))
		case "datetime":
			out.Time = r.time(v)
		case "reference":
			out.Reference = r.str(v)
		}
	})
	return out
}

func (r *reader) trade(o *pickle.Object) (t hub.Trade) {
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			t.Gateway = r.gateway(v)
		case "symbol":
			t.Symbol = r.str(v)
		case "exchange":
			t.Exchange = r.exchange(v)
		case "orderid":
			t.OrderID = hub.OrderID(r.str(v))
		case "tradeid":
			t.ID = r.str(v)
		case "direction":
			t.Direction = hub.Direction(r.member(v, &directions))
		case "offset":
			t.Offset = hub.Offset(r.member(v, &offsets))
		case "price":
			t.Price = r.number(v)
		case "volume":
			t.Qty = r.number(v)
		case "datetime":
			t.Time = r.time(v)
		}
	})
	return t
}

func (r *reader) position(o *pickle.Object) (p hub.Position) {
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			p.Gateway = r.gateway(v)
		case "symbol":
			p.Symbol = r.str(v)
		case "exchange":
			p.Exchange = r.exchange(v)
		case "direction":
			p.Direction = hub.Direction(r.member(v, &directions))
		case "volume":
			p.Qty = r.number(v)
		case "frozen":
			p.Frozen = r.number(v)
		case "price":
			p.Price = r.number(v)
		case "pnl":
			p.PnL = r.number(v)
		case "yd_volume":
			p.Yesterday = r.number(v)
		}
	})
	var sum hub.Sum
	if p.Today = sum.Sub(p.Qty, p.Yesterday); sum.Err() != nil {
		p.Today = hub.Decimal{}
	}
	return p
}

func (r *reader) account(o *pickle.Object) (a Account) {
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			a.Gateway = r.gateway(v)
		case "accountid":
			a.Trader = hub.TraderName(r.str(v))
		case "balance":
			a.Balance = r.number(v)
		case "frozen":
			a.Frozen = r.number(v)
		case "available":
			a.Available = r.number(v)
		}
	})
	return a
}

func (r *reader) contract(o *pickle.Object) (c hub.Contract) {
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			c.Gateway = r.gateway(v)
		case "symbol":
			c.Symbol = r.str(v)
		case "exchange":
			c.Exchange = r.exchange(v)
		case "name":
			c.Name = r.str(v)
		case "product":
			c.Kind = hub.Kind(r.member(v, &products))
		case "size":
			c.Size = r.number(v)
		case "pricetick":
			c.Tick = r.number(v)
		case "min_volume":
			c.MinQty = r.number(v)
		case "max_volume":
			c.MaxQty = r.number(v)
		case "stop_supported":
			c.StopSupported = r.flag(v)
		case "net_position":
			c.NetPosition = r.flag(v)
		case "history_data":
			c.History = r.flag(v)
		case "option_strike":
			c.OptionStrike = r.number(v)
		case "option_underlying":
			c.OptionUnderlying = r.str(v)
		case "option_type":
			c.OptionType = hub.OptionType(r.member(v, &optionTypes))
		case "option_listed":
			c.OptionListed = r.time(v)
		case "option_expiry":
			c.OptionExpiry = r.time(v)
		case "option_portfolio":
			c.OptionPortfolio = r.str(v)
		case "option_index":
			c.OptionIndex = r.str(v)
		}
	})
	return c
}

func (r *reader) log(o *pickle.Object) Log {
	l := Log{Level: LevelInfo}
	r.each(o, func(key string, v any) {
		switch key {
		case "gateway_name":
			l.Gateway = r.gateway(v)
		case "msg":
			l.Text = r.str(v)
		case "level":
			n, ok := v.(int64)
			if !ok {
				r.fail("must be int, not " + pickle.TypeName(v))
			}
			l.Level = int(n)
		case "time":
			l.Time = r.time(v)
		}
	})
	return l
}

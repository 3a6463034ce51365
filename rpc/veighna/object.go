package veighna

import (
	"time"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// The Append functions of this file write one value, to be put into a reply or a Publication; alone it is no pickle. A zone of nil is DefaultZone.

// Account is the money of a trader as VeighNa has it: it belongs to a gateway.
type Account struct {
	Gateway hub.GatewayName
	hub.Account
}

// Levels of a Log, as Python's logging has them.
const (
	LevelInfo    = 20
	LevelWarning = 30
	LevelError   = 40
)

// Log is a line for the trader's log window.
type Log struct {
	Gateway hub.GatewayName
	Text    string
	Level   int
	Time    hub.Time
}

// layout is how an object is written: at i, all that precedes the value of attribute i. Attributes are written in the order of VeighNa's
// class, each exactly once; the code that uses a layout is a list of values in the same order.
type layout struct {
	class string
	keys  []string
	head  []string
}

func newLayout(class string, keys ...string) layout {
	l := layout{class: class, keys: keys}
	for i, key := range keys {
		var b []byte
		if i == 0 {
			b = pickle.AppendObjectStart(b, moduleObject, class)
		}
		l.head = append(l.head, string(pickle.AppendString(b, key)))
	}
	return l
}

var (
	tickLayout = newLayout("TickData", "gateway_name", "symbol", "exchange", "datetime", "name", "volume", "turnover", "open_interest",
		"last_price", "last_volume", "limit_up", "limit_down", "open_price", "high_price", "low_price", "pre_close",
		"bid_price_1", "bid_price_2", "bid_price_3", "bid_price_4", "bid_price_5", "ask_price_1", "ask_price_2", "ask_price_3", "ask_price_4", "ask_price_5",
		"bid_volume_1", "bid_volume_2", "bid_volume_3", "bid_volume_4", "bid_volume_5",
		"ask_volume_1", "ask_volume_2", "ask_volume_3", "ask_volume_4", "ask_volume_5", "localtime", "vt_symbol")
	barLayout = newLayout("BarData", "gateway_name", "symbol", "exchange", "datetime", "interval", "volume", "turnover", "open_interest",
		"open_price", "high_price", "low_price", "close_price", "vt_symbol")
	orderLayout = newLayout("OrderData", "gateway_name", "symbol", "exchange", "orderid", "type", "direction", "offset", "price", "volume",
		"traded", "status", "datetime", "reference", "vt_symbol", "vt_orderid")
	tradeLayout = newLayout("TradeData", "gateway_name", "symbol", "exchange", "orderid", "tradeid", "direction", "offset", "price", "volume",
		"datetime", "vt_symbol", "vt_orderid", "vt_tradeid")
	positionLayout = newLayout("PositionData", "gateway_name", "symbol", "exchange", "direction", "volume", "frozen", "price", "pnl",
		"yd_volume", "vt_symbol", "vt_positionid")
	accountLayout  = newLayout("AccountData", "gateway_name", "accountid", "balance", "frozen", "available", "vt_accountid")
	logLayout      = newLayout("LogData", "gateway_name", "msg", "level", "time")
	contractLayout = newLayout("ContractData", "gateway_name", "symbol", "exchange", "name", "product", "size", "pricetick", "min_volume",
		"max_volume", "stop_supported", "net_position", "history_data", "option_strike", "option_underlying", "option_type", "option_listed",
		"option_expiry", "option_portfolio", "option_index", "vt_symbol")
	subscribeLayout = newLayout("SubscribeRequest", "symbol", "exchange", "vt_symbol")
	requestLayout   = newLayout("OrderRequest", "symbol", "exchange", "direction", "type", "volume", "price", "offset", "reference", "vt_symbol")
	cancelLayout    = newLayout("CancelRequest", "orderid", "symbol", "exchange", "vt_symbol")
	historyLayout   = newLayout("HistoryRequest", "symbol", "exchange", "start", "end", "interval", "vt_symbol")
)

// object writes one object attribute by attribute. Each method writes the next attribute, so that a missing or doubled one shows in the first
// test that counts.
type object struct {
	dst  []byte
	head []string
}

func (o *object) key() { o.dst = append(o.dst, o.head[0]...); o.head = o.head[1:] }

func (o *object) str(s string) {
	o.key()
	o.dst = pickle.AppendString(o.dst, s)
}

// joined writes a string of two parts with a dot between.
func (o *object) joined(a, b string) {
	o.key()
	if n := len(a) + 1 + len(b); n <= 255 && ascii(a) && ascii(b) { // the usual case, without allocating
		o.dst = append(o.dst, 0x8c, byte(n))
		o.dst = append(append(append(o.dst, a...), '.'), b...)
		return
	}
	o.dst = pickle.AppendString(o.dst, a+"."+b)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func (o *object) optional(s string) {
	if s == "" {
		o.none()
		return
	}
	o.str(s)
}

func (o *object) none()                { o.key(); o.dst = pickle.AppendNone(o.dst) }
func (o *object) number(d hub.Decimal) { o.key(); o.dst = appendNumber(o.dst, d) }
func (o *object) flag(v bool)          { o.key(); o.dst = pickle.AppendBool(o.dst, v) }

func (o *object) enum(e *enum, i, fallback uint8) {
	o.key()
	o.dst = e.append(o.dst, i, fallback)
}

func (o *object) time(t hub.Time, loc *time.Location) {
	o.key()
	o.dst = appendTime(o.dst, t, loc)
}

func (o *object) naive(t hub.Time, loc *time.Location) {
	o.key()
	o.dst = appendNaive(o.dst, t, loc)
}

func (o *object) exchange(value string) {
	o.key()
	o.dst = append(o.dst, exchanges[value]...)
}

func (o *object) instrument(i hub.Instrument) {
	o.str(i.Symbol)
	o.exchange(i.Exchange)
}

func (o *object) end() []byte { return pickle.AppendObjectEnd(o.dst) }

// AppendTick writes a TickData. Its datetime is shown in zone, its localtime without one.
func AppendTick(dst []byte, t *hub.Tick, zone *time.Location) []byte {
	o := object{dst, tickLayout.head}
	i := written(t.Instrument)
	o.str(string(t.Gateway))
	o.instrument(i)
	o.time(t.Time, zone)
	o.str(t.Name)
	for _, d := range [...]hub.Decimal{
		t.Volume, t.Turnover, t.OpenInterest, t.Last, t.LastQty, t.LimitUp, t.LimitDown, t.Open, t.High, t.Low, t.PreClose,
	} {
		o.number(d)
	}
	for n := range t.Bids {
		o.number(t.Bids[n].Price)
	}
	for n := range t.Asks {
		o.number(t.Asks[n].Price)
	}
	for n := range t.Bids {
		o.number(t.Bids[n].Qty)
	}
	for n := range t.Asks {
		o.number(t.Asks[n].Qty)
	}
	o.naive(t.LocalTime, zone)
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

// AppendBar writes a BarData.
func AppendBar(dst []byte, b *hub.Bar, zone *time.Location) []byte {
	o := object{dst, barLayout.head}
	i := written(b.Instrument)
	o.str(string(b.Gateway))
	o.instrument(i)
	o.time(b.Time, zone)
	o.enum(&intervals, uint8(b.Interval), 0)
	for _, d := range [...]hub.Decimal{b.Volume, b.Turnover, b.OpenInterest, b.Open, b.High, b.Low, b.Close} {
		o.number(d)
	}
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

// AppendOrder writes an OrderData. Status Accepted is written as NOTTRADED: the venue has the order.
func AppendOrder(dst []byte, r *hub.Order, zone *time.Location) []byte {
	o := object{dst, orderLayout.head}
	i := written(r.Instrument)
	o.str(string(r.Gateway))
	o.instrument(i)
	o.str(string(r.ID))
	o.enum(&orderTypes, uint8(r.Type), uint8(hub.Limit))
	o.enum(&directions, uint8(r.Direction), 0)
	o.enum(&offsets, uint8(r.Offset), uint8(hub.NoOffset))
	o.number(r.Price)
	o.number(r.Qty)
	o.number(r.Filled)
	o.enum(&statuses, uint8(r.Status), uint8(hub.Submitted))
	o.time(r.Time, zone)
	o.str(r.Reference)
	o.joined(i.Symbol, i.Exchange)
	o.joined(string(r.Gateway), string(r.ID))
	return o.end()
}

// AppendTrade writes a TradeData.
func AppendTrade(dst []byte, t *hub.Trade, zone *time.Location) []byte {
	o := object{dst, tradeLayout.head}
	i := written(t.Instrument)
	o.str(string(t.Gateway))
	o.instrument(i)
	o.str(string(t.OrderID))
	o.str(t.ID)
	o.enum(&directions, uint8(t.Direction), 0)
	o.enum(&offsets, uint8(t.Offset), uint8(hub.NoOffset))
	o.number(t.Price)
	o.number(t.Qty)
	o.time(t.Time, zone)
	o.joined(i.Symbol, i.Exchange)
	o.joined(string(t.Gateway), string(t.OrderID))
	o.joined(string(t.Gateway), t.ID)
	return o.end()
}

// AppendPosition writes a PositionData. The language is seen in its vt_positionid.
func AppendPosition(dst []byte, p *hub.Position, language Language) []byte {
	o := object{dst, positionLayout.head}
	i := written(p.Instrument)
	o.str(string(p.Gateway))
	o.instrument(i)
	o.enum(&directions, uint8(p.Direction), uint8(hub.Net))
	o.number(p.Qty)
	o.number(p.Frozen)
	o.number(p.Price)
	o.number(p.PnL)
	o.number(p.Yesterday)
	o.joined(i.Symbol, i.Exchange)
	o.str(PositionID(p, language))
	return o.end()
}

// AppendAccount writes an AccountData; its accountid is the trader's name.
func AppendAccount(dst []byte, a *Account) []byte {
	o := object{dst, accountLayout.head}
	o.str(string(a.Gateway))
	o.str(string(a.Trader))
	o.number(a.Balance)
	o.number(a.Frozen)
	o.number(a.Available)
	o.joined(string(a.Gateway), string(a.Trader))
	return o.end()
}

// AppendLog writes a LogData. Its time is shown in zone, without saying so: VeighNa takes it for the trader's own clock.
func AppendLog(dst []byte, l *Log, zone *time.Location) []byte {
	o := object{dst, logLayout.head}
	o.str(string(l.Gateway))
	o.str(l.Text)
	o.key()
	o.dst = pickle.AppendInt(o.dst, int64(l.Level))
	o.naive(l.Time, zone)
	return o.end()
}

// AppendContract writes a ContractData. The dates of an option are those of the venue, without a zone.
func AppendContract(dst []byte, c *hub.Contract) []byte {
	o := object{dst, contractLayout.head}
	i := written(c.Instrument)
	zone, _ := Zone(c.Zone) // an unknown zone is nil, which is DefaultZone
	o.str(string(c.Gateway))
	o.instrument(i)
	o.str(c.Name)
	o.enum(&products, uint8(c.Kind), uint8(hub.Spot))
	o.number(c.Size)
	o.number(c.Tick)
	o.number(c.MinQty)
	if c.MaxQty.IsZero() {
		o.none()
	} else {
		o.number(c.MaxQty)
	}
	o.flag(c.StopSupported)
	o.flag(c.NetPosition)
	o.flag(c.History)
	if c.OptionType == hub.NoOptionType {
		for range 7 {
			o.none()
		}
	} else {
		o.number(c.OptionStrike)
		o.optional(c.OptionUnderlying)
		o.enum(&optionTypes, uint8(c.OptionType), 0)
		o.naive(c.OptionListed, zone)
		o.naive(c.OptionExpiry, zone)
		o.optional(c.OptionPortfolio)
		o.optional(c.OptionIndex)
	}
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

// AppendNone writes None, the answer of subscribe and cancel_order, and of a get that finds nothing.
func AppendNone(dst []byte) []byte { return pickle.AppendNone(dst) }

// AppendString writes a str, such as the answer of send_order: OrderID, or "" when no order was made.
func AppendString(dst []byte, s string) []byte { return pickle.AppendString(dst, s) }

// AppendList writes a list; one writes each item, as AppendTick and its like do.
func AppendList[T any](dst []byte, items []T, one func(dst []byte, item *T) []byte) []byte {
	dst = pickle.AppendListStart(dst)
	for i := range items {
		dst = one(dst, &items[i])
	}
	return pickle.AppendListEnd(dst)
}

package veighna

import (
	"fmt"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// Request is a call as it arrived: not yet known to be one of a function that exists, with arguments that make sense.
type Request struct {
	// Name is the function's.
	Name string
	// Args are the positional arguments, Kwargs the named ones.
	Args   []any
	Kwargs *pickle.Dict
}

// CallError says what is wrong with a request, in the words that Python would use. Its text is for the trader.
type CallError struct {
	// Kind is the Python exception: "TypeError", "KeyError", "ValueError", "AttributeError".
	Kind string
	Text string
}

// Error returns "TypeError: send_order() missing 1 required positional argument: 'gateway_name'".
func (e *CallError) Error() string { return e.Kind + ": " + e.Text }

func fault(kind, format string, args ...any) error {
	return &CallError{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// requestLimits are a trader's: the largest honest request is below a kilobyte.
func requestLimits() pickle.Limits {
	return pickle.Limits{
		Bytes: 4 << 20, Objects: 64 << 10, Memory: 16 << 20, Expanded: 64 << 10, Depth: 32, Stack: 16 << 10, Memo: 64 << 10,
	}
}

// DecodeRequest reads the pickle of a request. The error is a *pickle.Error when it is none, else a *CallError; either way its text may go into
// AppendReplyError, and the trader's connection is as good as before.
func DecodeRequest(data []byte) (Request, error) {
	v, err := (&pickle.Decoder{Limits: requestLimits(), Words: words}).Decode(data)
	if err != nil {
		return Request{}, err
	}
	var parts []any
	switch v := v.(type) {
	case *pickle.List:
		parts = v.Items
	case pickle.Tuple:
		parts = v
	default:
		return Request{}, fault("TypeError", "a request is [name, args, kwargs], not %s", pickle.TypeName(v))
	}
	if len(parts) != 3 {
		return Request{}, fault("ValueError", "a request is [name, args, kwargs], not a list of %d", len(parts))
	}
	name, ok := parts[0].(string)
	if !ok {
		return Request{}, fault("TypeError", "the name of a function must be str, not %s", pickle.TypeName(parts[0]))
	}
	r := Request{Name: name}
	switch args := parts[1].(type) {
	case pickle.Tuple:
		r.Args = args
	case *pickle.List:
		r.Args = args.Items
	default:
		return Request{}, fault("TypeError", "%s() argument after * must be an iterable, not %s", shorten(name), pickle.TypeName(parts[1]))
	}
	if r.Kwargs, ok = parts[2].(*pickle.Dict); !ok {
		return Request{}, fault("TypeError", "%s() argument after ** must be a mapping, not %s", shorten(name), pickle.TypeName(parts[2]))
	}
	return r, nil
}

// shorten keeps a text of the trader's from filling the hub's logs.
func shorten(s string) string {
	if len(s) <= 64 {
		return s
	}
	return strings.ToValidUTF8(s[:64], "") + "..."
}

// function is one of the functions that RpcService has: its parameters, all of them required, and what makes the Call of them.
type function struct {
	params []string
	bind   func(b *binder) Call
}

var functions = map[string]function{
	"subscribe": {[]string{"req", "gateway_name"}, func(b *binder) Call {
		return Subscribe{Instrument: b.subscribe(0), Gateway: b.gateway()}
	}},
	"send_order": {[]string{"req", "gateway_name"}, func(b *binder) Call {
		return SendOrder{OrderRequest: b.order(0), Gateway: b.gateway()}
	}},
	"cancel_order": {[]string{"req", "gateway_name"}, func(b *binder) Call {
		return CancelOrder{CancelRequest: b.cancel(0), Gateway: b.gateway()}
	}},
	"query_history": {[]string{"req", "gateway_name"}, func(b *binder) Call {
		return QueryHistory{HistoryRequest: b.history(0), Gateway: b.gateway()}
	}},
	"get_tick":     {[]string{"vt_symbol"}, func(b *binder) Call { return GetTick{b.instrument(0)} }},
	"get_contract": {[]string{"vt_symbol"}, func(b *binder) Call { return GetContract{b.instrument(0)} }},
	"get_order": {[]string{"vt_orderid"}, func(b *binder) Call {
		gateway, id := splitID(b.str(0))
		return GetOrder{Gateway: gateway, OrderID: hub.OrderID(id)}
	}},
	"get_trade": {[]string{"vt_tradeid"}, func(b *binder) Call {
		gateway, id := splitID(b.str(0))
		return GetTrade{Gateway: gateway, TradeID: id}
	}},
	"get_position": {[]string{"vt_positionid"}, func(b *binder) Call { return splitPositionID(b.str(0)) }},
	"get_account": {[]string{"vt_accountid"}, func(b *binder) Call {
		gateway, id := splitID(b.str(0))
		return GetAccount{Gateway: gateway, AccountID: id}
	}},
	"get_all_ticks":         {nil, func(*binder) Call { return GetAllTicks{} }},
	"get_all_orders":        {nil, func(*binder) Call { return GetAllOrders{} }},
	"get_all_active_orders": {nil, func(*binder) Call { return GetAllActiveOrders{} }},
	"get_all_trades":        {nil, func(*binder) Call { return GetAllTrades{} }},
	"get_all_positions":     {nil, func(*binder) Call { return GetAllPositions{} }},
	"get_all_accounts":      {nil, func(*binder) Call { return GetAllAccounts{} }},
	"get_all_contracts":     {nil, func(*binder) Call { return GetAllContracts{} }},
}

// Bind makes a Call of the request. naive is the zone of times that name none; nil is DefaultZone. The error is a *CallError.
func (r Request) Bind(naive *time.Location) (Call, error) {
	f, ok := functions[r.Name]
	if !ok {
		return nil, fault("KeyError", "'%s'", shorten(r.Name))
	}
	args, err := r.match(f.params)
	if err != nil {
		return nil, err
	}
	b := binder{name: r.Name, params: f.params, args: args, naive: naive}
	call := f.bind(&b)
	if b.err != nil {
		return nil, b.err
	}
	return call, nil
}

// match puts the arguments in the order of the parameters, as Python does.
func (r Request) match(params []string) ([]any, error) {
	if len(r.Args) > len(params) {
		plural, verb := "s", "were"
		if len(params) == 1 {
			plural = ""
		}
		if len(r.Args) == 1 {
			verb = "was"
		}
		return nil, fault("TypeError", "%s() takes %d positional argument%s but %d %s given", r.Name, len(params), plural, len(r.Args), verb)
	}
	args := make([]any, len(params))
	given := make([]bool, len(params))
	for i, a := range r.Args {
		args[i], given[i] = a, true
	}
	for _, p := range r.Kwargs.Pairs {
		key, ok := p.Key.(string)
		if !ok {
			return nil, fault("TypeError", "keywords must be strings")
		}
		i := indexOf(params, key)
		if i < 0 {
			return nil, fault("TypeError", "%s() got an unexpected keyword argument '%s'", r.Name, shorten(key))
		}
		if given[i] {
			return nil, fault("TypeError", "%s() got multiple values for argument '%s'", r.Name, key)
		}
		args[i], given[i] = p.Value, true
	}
	var missing []string
	for i, name := range params {
		if !given[i] {
			missing = append(missing, "'"+name+"'")
		}
	}
	switch len(missing) {
	case 0:
		return args, nil
	case 1:
		return nil, fault("TypeError", "%s() missing 1 required positional argument: %s", r.Name, missing[0])
	default:
		return nil, fault("TypeError", "%s() missing %d required positional arguments: %s", r.Name, len(missing), strings.Join(missing, " and "))
	}
}

func indexOf(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}

// binder makes values of the arguments of one call, and notes the first that is wrong.
type binder struct {
	name   string
	params []string
	args   []any
	naive  *time.Location
	err    error
}

func (b *binder) fail(kind, format string, args ...any) {
	if b.err == nil {
		b.err = fault(kind, format, args...)
	}
}

func (b *binder) str(i int) string {
	s, ok := b.args[i].(string)
	if !ok {
		b.fail("TypeError", "%s() argument '%s' must be str, not %s", b.name, b.params[i], shorten(pickle.TypeName(b.args[i])))
	}
	return s
}

// gateway reads the second argument, which is the gateway wherever there is a second.
func (b *binder) gateway() hub.GatewayName { return hub.GatewayName(b.str(1)) }

func (b *binder) instrument(i int) hub.Instrument {
	instrument, _ := hub.ParseInstrument(b.str(i)) // what is none is an instrument that nothing has
	return instrument
}

// attributes returns the state of an argument that must be of that class of module object.
func (b *binder) attributes(i int, class string) *fields {
	f := &fields{b: b, class: class}
	o, ok := b.args[i].(*pickle.Object)
	if !ok || !o.Class.Is(moduleObject, class) || !o.New {
		b.fail("TypeError", "%s() argument '%s' must be %s, not %s", b.name, b.params[i], class, shorten(pickle.TypeName(b.args[i])))
		return f
	}
	f.o = o
	return f
}

func (b *binder) subscribe(i int) hub.Instrument {
	return b.attributes(i, "SubscribeRequest").instrument()
}

func (b *binder) order(i int) hub.OrderRequest {
	f := b.attributes(i, "OrderRequest")
	return hub.OrderRequest{
		Instrument: f.instrument(),
		Direction:  hub.Direction(f.enum("direction", &directions)),
		Type:       hub.OrderType(f.enum("type", &orderTypes)),
		Qty:        f.number("volume"),
		Price:      f.numberOr("price", hub.Decimal{}),
		Offset:     hub.Offset(f.enumOr("offset", &offsets, uint8(hub.NoOffset))),
		Reference:  f.strOr("reference", ""),
	}
}

func (b *binder) cancel(i int) hub.CancelRequest {
	f := b.attributes(i, "CancelRequest")
	return hub.CancelRequest{OrderID: hub.OrderID(f.str("orderid")), Instrument: f.instrument()}
}

func (b *binder) history(i int) hub.HistoryRequest {
	f := b.attributes(i, "HistoryRequest")
	r := hub.HistoryRequest{Instrument: f.instrument(), Start: f.time("start"), End: f.timeOr("end")}
	if v, ok := f.get("interval"); ok && v != nil {
		r.Interval = hub.Interval(f.member("interval", v, &intervals))
	}
	return r
}

// fields reads the attributes of one request object. What has no default in VeighNa's class must be there; what is not known is left alone.
type fields struct {
	b     *binder
	class string
	o     *pickle.Object // nil after an error
}

func (f *fields) get(name string) (any, bool) {
	if f.o == nil || f.b.err != nil {
		return nil, false
	}
	return f.o.Attr(name)
}

func (f *fields) must(name string) (any, bool) {
	v, ok := f.get(name)
	if !ok {
		f.b.fail("AttributeError", "'%s' object has no attribute '%s'", f.class, name)
	}
	return v, ok
}

// wrong notes that an attribute is of another class than it must be.
func (f *fields) wrong(name, class string, v any) {
	f.b.fail("TypeError", "%s(): %s.%s must be %s, not %s", f.b.name, f.class, name, class, shorten(pickle.TypeName(v)))
}

func (f *fields) str(name string) string {
	v, ok := f.must(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		f.wrong(name, "str", v)
	}
	return s
}

func (f *fields) strOr(name, def string) string {
	if _, ok := f.get(name); !ok {
		return def
	}
	return f.str(name)
}

func (f *fields) instrument() hub.Instrument {
	i := hub.Instrument{Symbol: f.str("symbol")}
	v, ok := f.must("exchange")
	if !ok {
		return i
	}
	if i.Exchange, ok = readExchange(v); !ok {
		f.wrong("exchange", "Exchange", v)
	}
	return i
}

func (f *fields) enum(name string, e *enum) uint8 {
	v, ok := f.must(name)
	if !ok {
		return 0
	}
	return f.member(name, v, e)
}

func (f *fields) enumOr(name string, e *enum, def uint8) uint8 {
	v, ok := f.get(name)
	if !ok {
		return def
	}
	return f.member(name, v, e)
}

// member reads a member. One that this enumeration has not is a ValueError, as calling the class would be.
func (f *fields) member(name string, v any, e *enum) uint8 {
	i, ok := e.read(v)
	if ok {
		return i
	}
	member, value, isMember := memberOf(e.class, v)
	if !isMember {
		f.wrong(name, e.class, v)
		return 0
	}
	f.b.fail("ValueError", "%s(): %s.%s: '%s' is not a valid %s", f.b.name, f.class, name, shorten(member+value), e.class)
	return 0
}

func (f *fields) number(name string) hub.Decimal {
	v, ok := f.must(name)
	if !ok {
		return hub.Decimal{}
	}
	d, reason := exactNumber(v)
	if reason != "" {
		f.b.fail("ValueError", "%s(): %s.%s %s", f.b.name, f.class, name, reason)
	}
	return d
}

func (f *fields) numberOr(name string, def hub.Decimal) hub.Decimal {
	if _, ok := f.get(name); !ok {
		return def
	}
	return f.number(name)
}

func (f *fields) time(name string) hub.Time {
	v, ok := f.must(name)
	if ok && v == nil {
		f.wrong(name, "datetime", v)
	}
	return f.timeOr(name)
}

func (f *fields) timeOr(name string) hub.Time {
	v, ok := f.get(name)
	if !ok {
		return 0
	}
	t, reason := readTime(v, f.b.naive)
	if reason != "" {
		f.b.fail("ValueError", "%s(): %s.%s %s", f.b.name, f.class, name, reason)
	}
	return t
}

// words are the strings that VeighNa's messages are made of, boxed, so that reading shares them.
var words = func() map[string]any {
	m := map[string]any{}
	add := func(list ...string) {
		for _, s := range list {
			m[s] = s
		}
	}
	add(moduleConstant, moduleObject, moduleEvent, "Event", "type", "data", "extra", "Exchange", "builtins", "getattr", "datetime", "zoneinfo",
		"ZoneInfo", "_unpickle", DefaultZone, "", heartbeatTopic)
	for name, f := range functions {
		add(name)
		add(f.params...)
	}
	add(exchangeNames...)
	for _, l := range []*layout{
		&tickLayout, &barLayout, &orderLayout, &tradeLayout, &positionLayout, &accountLayout, &logLayout, &contractLayout, &subscribeLayout,
		&requestLayout, &cancelLayout, &historyLayout,
	} {
		add(l.class)
		add(l.keys...)
	}
	for _, e := range []*enum{&directions, &offsets, &orderTypes, &statuses, &products, &optionTypes, &intervals} {
		add(e.class)
		for _, v := range e.members {
			add(v.name, v.zh, v.en)
		}
	}
	return m
}()

package veighna

import (
	"slices"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

const (
	moduleConstant = "vnpy.trader.constant"
	moduleObject   = "vnpy.trader.object"
	moduleEvent    = "vnpy.event.engine"
)

// Language is the one that a trader's VeighNa runs in. It is seen in one place: the direction at the end of a vt_positionid.
type Language uint8

// Languages. VeighNa is Chinese unless its locale says English.
const (
	Chinese Language = iota
	English
)

// member is one member of a Python enumeration: its name, and its value in each language.
type member struct{ name, zh, en string }

// enum is a Python enumeration of module constant. The index of a member is the number of the hub's own enumeration; an empty member has none.
type enum struct {
	class   string
	members []member
	written []string // each member's pickle; "" for none
}

func newEnum(class string, members ...member) enum {
	e := enum{class: class, members: members, written: make([]string, len(members))}
	for i, m := range members {
		if m.name != "" {
			e.written[i] = memberPickle(class, m.name)
		}
	}
	return e
}

// memberPickle is getattr(class, name), the one form that every stock VeighNa loads in every language.
func memberPickle(class, name string) string {
	b := pickle.AppendCallStart(nil, "builtins", "getattr")
	b = pickle.AppendGlobal(b, moduleConstant, class)
	return string(pickle.AppendCallEnd(pickle.AppendString(b, name)))
}

var (
	directions = newEnum("Direction", member{}, member{"LONG", "多", "Long"}, member{"SHORT", "空", "Short"}, member{"NET", "净", "Net"})
	offsets    = newEnum("Offset", member{"NONE", "", ""}, member{"OPEN", "开", "Open"}, member{"CLOSE", "平", "Close"},
		member{"CLOSETODAY", "平今", "Close Today"}, member{"CLOSEYESTERDAY", "平昨", "Close Yesterday"})
	orderTypes = newEnum("OrderType", member{}, member{"LIMIT", "限价", "Limit"}, member{"MARKET", "市价", "Market"}, member{"STOP", "STOP", "STOP"},
		member{"FAK", "FAK", "FAK"}, member{"FOK", "FOK", "FOK"}, member{"RFQ", "询价", "RFQ"}, member{"ETF", "ETF", "ETF"})
	// statuses has NOTTRADED twice: VeighNa knows no order that the venue has but that is not in the book. Reading finds the last.
	statuses = newEnum("Status", member{}, member{"SUBMITTING", "提交中", "Submitting"}, member{"NOTTRADED", "未成交", "Not Traded"},
		member{"NOTTRADED", "未成交", "Not Traded"}, member{"PARTTRADED", "部分成交", "Part Traded"}, member{"ALLTRADED", "全部成交", "All Traded"},
		member{"CANCELLED", "已撤销", "Cancelled"}, member{"REJECTED", "拒单", "Rejected"})
	products = newEnum("Product", member{}, member{"EQUITY", "股票", "Stock"}, member{"FUTURES", "期货", "Futures"},
		member{"OPTION", "期权", "Option"}, member{"INDEX", "指数", "Index"}, member{"FOREX", "外汇", "Forex"}, member{"SPOT", "现货", "Spot"},
		member{"ETF", "ETF", "ETF"}, member{"BOND", "债券", "Bond"}, member{"WARRANT", "权证", "Warrant"}, member{"SPREAD", "价差", "Spread"},
		member{"FUND", "基金", "Fund"}, member{"CFD", "CFD", "CFD"}, member{"SWAP", "互换", "Swap"})
	optionTypes = newEnum("OptionType", member{}, member{"CALL", "看涨期权", "Call"}, member{"PUT", "看跌期权", "Put"})
	intervals   = newEnum("Interval", member{}, member{"MINUTE", "1m", "1m"}, member{"HOUR", "1h", "1h"}, member{"DAILY", "d", "d"},
		member{"WEEKLY", "w", "w"}, member{"TICK", "tick", "tick"})
)

// append writes member i, or the one called fallback, or, when there is no such, None.
func (e *enum) append(dst []byte, i, fallback uint8) []byte {
	if int(i) < len(e.written) && e.written[i] != "" {
		return append(dst, e.written[i]...)
	}
	if e.written[fallback] != "" {
		return append(dst, e.written[fallback]...)
	}
	return pickle.AppendNone(dst)
}

// value returns the value of member i in a language, "" when there is none.
func (e *enum) value(i uint8, language Language) string {
	if int(i) >= len(e.members) {
		return ""
	}
	if language == English {
		return e.members[i].en
	}
	return e.members[i].zh
}

// ofValue finds the member that has the value in either language.
func (e *enum) ofValue(value string) (uint8, bool) {
	for i, m := range slices.Backward(e.members) {
		if m.name != "" && (m.zh == value || m.en == value) {
			return uint8(i), true
		}
	}
	return 0, false
}

func (e *enum) ofName(name string) (uint8, bool) {
	for i, m := range slices.Backward(e.members) {
		if m.name == name && name != "" {
			return uint8(i), true
		}
	}
	return 0, false
}

// read finds the member that a decoded value stands for.
func (e *enum) read(v any) (uint8, bool) {
	name, value, ok := memberOf(e.class, v)
	if !ok {
		return 0, false
	}
	if name != "" {
		return e.ofName(name)
	}
	return e.ofValue(value)
}

// memberOf takes apart getattr(class, name) and class(value). Not ok: v is neither.
func memberOf(class string, v any) (name, value string, ok bool) {
	switch v := v.(type) {
	case *pickle.Class:
		if v.Module == moduleConstant && len(v.Name) > len(class)+1 && v.Name[:len(class)] == class && v.Name[len(class)] == '.' {
			return v.Name[len(class)+1:], "", true
		}
	case *pickle.Object:
		if v.Class.Is(moduleConstant, class) && len(v.Args) == 1 && !v.New {
			value, ok = v.Args[0].(string)
			return "", value, ok
		}
	}
	return "", "", false
}

// exchangeNames are the members of Exchange in vnpy 4.1 and later, and those of earlier versions that were dropped.
var exchangeNames = []string{
	"CFFEX", "SHFE", "CZCE", "DCE", "INE", "GFEX", "SSE", "SZSE", "BSE", "SHHK", "SZHK", "SGE", "WXE", "CFETS", "XBOND", "SMART", "NYSE", "NASDAQ",
	"ARCA", "EDGEA", "ISLAND", "BATS", "IEX", "AMEX", "TSE", "NYMEX", "COMEX", "GLOBEX", "IDEALPRO", "CME", "ICE", "SEHK", "HKFE", "SGX", "CBOT",
	"CBOE", "CFE", "DME", "EUREX", "APEX", "LME", "BMD", "TOCOM", "EUNX", "KRX", "OTC", "IBKRATS", "LOCAL", "GLOBAL",
}

// localExchange stands for an exchange that VeighNa does not name.
const localExchange = "LOCAL"

// exchanges maps the value, which is what a vt_symbol ends with, to the pickle of the member.
var exchanges = func() map[string]string {
	m := make(map[string]string, len(exchangeNames))
	for _, name := range exchangeNames {
		m[exchangeValue(name)] = memberPickle("Exchange", name)
	}
	return m
}()

// exchangeValue is the value of the member of that name; all but one are alike.
func exchangeValue(name string) string {
	if name == "EUREX" {
		return "EUX"
	}
	return name
}

// KnownExchange reports whether VeighNa names the exchange. Another one is written as LOCAL, and comes back as LOCAL in a request.
func KnownExchange(exchange string) bool {
	_, ok := exchanges[exchange]
	return ok
}

// written returns the instrument as it goes out.
func written(i hub.Instrument) hub.Instrument {
	if !KnownExchange(i.Exchange) {
		i.Exchange = localExchange
	}
	return i
}

// readExchange returns the value of an Exchange, of this or of earlier versions; a member that is not known is taken by what it says.
func readExchange(v any) (string, bool) {
	name, value, ok := memberOf("Exchange", v)
	switch {
	case !ok:
		return "", false
	case name != "":
		return exchangeValue(name), true
	case value == "CBT": // CBOT before 4.0
		return "CBOT", true
	default:
		return value, value != ""
	}
}

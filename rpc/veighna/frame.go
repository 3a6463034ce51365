package veighna

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// Message is one ZeroMQ message: its frames, in order. Nothing else refers to its memory.
type Message [][]byte

// Framing is how events go out to a trader.
//
// VeighNa 4.4 takes each frame for a pickle of [topic, data]; an empty one ends its reading thread for good. VeighNa 4.5 skips a message of any
// but two frames, topic and pickle(data), and ignores the topic unless it is "heartbeat". Nothing that a client sends tells them apart.
type Framing uint8

// Framings. AnyVersion sends each event twice: first as one frame, which 4.5 skips, then as two frames, each of which 4.4 takes for a heartbeat:
// a topic that is a pickle of a heartbeat itself, and an OrderedDict with two keys for 4.4 and the event's attributes for 4.5.
const (
	AnyVersion Framing = iota
	UpTo44
	From45
)

// ParseVersion reads a stated version of VeighNa, such as "4.4.0" or "4.5"; "" is AnyVersion.
func ParseVersion(s string) (Framing, error) {
	if s == "" {
		return AnyVersion, nil
	}
	bad := fmt.Errorf("%q is no version of VeighNa: write two or three numbers, such as 4.5, or nothing when it is not known", s)
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return AnyVersion, bad
	}
	var n [3]uint64
	for i, p := range parts {
		var err error
		if n[i], err = strconv.ParseUint(p, 10, 16); err != nil {
			return AnyVersion, bad
		}
	}
	switch {
	case n[0] < 3:
		return AnyVersion, fmt.Errorf("VeighNa %s is too old: its heartbeat and its login are other ones; 3.0 is the first that can connect", s)
	case n[0] > 4 || n[0] == 4 && n[1] >= 5:
		return From45, nil
	default:
		return UpTo44, nil
	}
}

// Event types. Those that end with a dot go out a second time with a suffix.
const (
	EventTick     = "eTick."
	EventOrder    = "eOrder."
	EventTrade    = "eTrade."
	EventPosition = "ePosition."
	EventAccount  = "eAccount."
	EventContract = "eContract."
	EventLog      = "eLog"
	EventRpcLog   = "eRpcLog"
	// eventNothing is an event that nobody handles: VeighNa 4.5 must hear something every 30 s, and knows a heartbeat by a topic that would
	// end a 4.4.
	eventNothing = "eHubHeartbeat"
)

// heartbeatTopic is VeighNa's topic for heartbeats.
const heartbeatTopic = "heartbeat"

// Publication is a value and the event types under which it goes out, in this order.
type Publication struct {
	Types []string
	// Body is the value, as an Append function wrote it.
	Body []byte
}

// TickEvent is what a new tick sets off. A zone of nil is DefaultZone, here and below.
func TickEvent(t *hub.Tick, zone *time.Location) Publication {
	return Publication{Types: []string{EventTick, EventTick + written(t.Instrument).String()}, Body: AppendTick(make([]byte, 0, roomForTick), t, zone)}
}

// OrderEvent is what a change of an order sets off.
func OrderEvent(o *hub.Order, zone *time.Location) Publication {
	return Publication{Types: []string{EventOrder, EventOrder + OrderID(o.Gateway, o.ID)}, Body: AppendOrder(make([]byte, 0, roomForOrder), o, zone)}
}

// TradeEvent is what a trade sets off.
func TradeEvent(t *hub.Trade, zone *time.Location) Publication {
	return Publication{Types: []string{EventTrade, EventTrade + written(t.Instrument).String()}, Body: AppendTrade(make([]byte, 0, roomForOrder), t, zone)}
}

// PositionEvent is what a change of a position sets off.
func PositionEvent(p *hub.Position, language Language) Publication {
	return Publication{
		Types: []string{EventPosition, EventPosition + written(p.Instrument).String()},
		Body:  AppendPosition(nil, p, language),
	}
}

// AccountEvent is what a change of an account sets off.
func AccountEvent(a *Account) Publication {
	return Publication{Types: []string{EventAccount, EventAccount + string(a.Gateway) + "." + string(a.Trader)}, Body: AppendAccount(nil, a)}
}

// ContractEvent is what a new or changed contract sets off.
func ContractEvent(c *hub.Contract) Publication {
	return Publication{Types: []string{EventContract}, Body: AppendContract(nil, c)}
}

// LogEvent is a line for the trader's log window.
func LogEvent(l *Log, zone *time.Location) Publication {
	return Publication{Types: []string{EventLog}, Body: AppendLog(nil, l, zone)}
}

// Publish returns the messages, to be sent in this order. The time is the hub's own, now.
func (f Framing) Publish(p Publication, now hub.Time) []Message {
	messages := make([]Message, 0, 2*len(p.Types))
	for _, t := range p.Types {
		if f != From45 {
			messages = append(messages, oneFrame(t, p.Body))
		}
		switch f {
		case UpTo44:
		case From45:
			messages = append(messages, twoFrames(t, p.Body))
		case AnyVersion:
			messages = append(messages, disguised(t, p.Body, now))
		}
	}
	return messages
}

// Heartbeat returns the messages that keep a client from calling the hub gone. They are due every 10 s; a client waits for 30.
func (f Framing) Heartbeat(now hub.Time) []Message {
	beat := pickle.AppendFloat(nil, seconds(now))
	one := pickle.AppendListStart(pickle.AppendProto(nil))
	one = pickle.AppendString(one, heartbeatTopic)
	one = pickle.AppendStop(pickle.AppendListEnd(append(one, beat...)))
	switch f {
	case UpTo44:
		return []Message{{one}}
	case From45:
		return []Message{{[]byte(heartbeatTopic), pickle.AppendStop(append(pickle.AppendProto(nil), beat...))}}
	case AnyVersion:
	}
	return []Message{{one}, disguised(eventNothing, pickle.AppendNone(nil), now)}
}

// Hint returns the messages, if any, that a client sees only when the version stated for it is wrong: to be sent to each new subscriber before
// anything else, since a 4.4 that is taken for a 4.5 dies of the first event.
func (f Framing) Hint(l *Log, zone *time.Location, now hub.Time) []Message {
	switch f {
	case From45:
		return []Message{oneFrame(EventLog, AppendLog(nil, l, zone))}
	case UpTo44:
		return []Message{disguised(EventLog, AppendLog(nil, l, zone), now)}
	case AnyVersion: // nothing is stated
	}
	return nil
}

// HintText is the sentence for Hint.
func HintText(stated string, language Language) string {
	if language == English {
		return "the hub is told that this VeighNa is version " + stated + ", but it is not: no event will arrive. Correct the version in the hub's configuration."
	}
	return "网关配置中填写的 VeighNa 版本是 " + stated + "，与本机不符，将收不到任何推送。请更正网关配置中的版本。"
}

// What usual values take, so that writing one allocates once.
const (
	roomForFrame = 160 // around type and body
	roomForTick  = 1280
	roomForOrder = 768
)

func appendEventStart(dst []byte, eventType string) []byte {
	dst = append(dst, "\x8c\x11vnpy.event.engine\x8c\x05Event\x93)\x81}(\x8c\x04type"...)
	return append(pickle.AppendString(dst, eventType), "\x8c\x04data"...)
}

// oneFrame is ["", Event(type, data)], the framing up to 4.4.
func oneFrame(eventType string, body []byte) Message {
	b := make([]byte, 0, roomForFrame+len(eventType)+len(body))
	b = pickle.AppendListStart(pickle.AppendProto(b))
	b = appendEventStart(pickle.AppendString(b, ""), eventType)
	b = pickle.AppendObjectEnd(append(b, body...))
	return Message{pickle.AppendStop(pickle.AppendListEnd(b))}
}

// twoFrames is topic "" and Event(type, data), the framing from 4.5 on.
func twoFrames(eventType string, body []byte) Message {
	b := make([]byte, 0, roomForFrame+len(eventType)+len(body))
	b = appendEventStart(pickle.AppendProto(b), eventType)
	b = pickle.AppendObjectEnd(append(b, body...))
	return Message{{}, pickle.AppendStop(b)}
}

// disguised is the two-frame form that a 4.4 takes for two heartbeats. Its first frame is UTF-8 text to a 4.5, and a pickle of protocol 0 to a
// 4.4; the keys of its second are what a 4.4 unpacks into topic and time.
func disguised(eventType string, body []byte, now hub.Time) Message {
	b := make([]byte, 0, 2*roomForFrame+len(eventType)+len(body))
	b = append(b, "(lp0\nVheartbeat\np1\naF"...)
	b = strconv.AppendFloat(b, seconds(now), 'f', 6, 64)
	b = append(b, "\na."...)
	topic := slices.Clip(b)
	b = pickle.AppendProto(b[len(b):])
	b = append(b, "\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R("...)
	b = pickle.AppendNone(pickle.AppendString(b, heartbeatTopic))
	b = pickle.AppendNone(pickle.AppendFloat(b, seconds(now)))
	b = append(b, "u}(\x8c\x04type"...)
	b = append(pickle.AppendString(b, eventType), "\x8c\x04data"...)
	b = pickle.AppendObjectEnd(append(b, body...))
	return Message{topic, pickle.AppendStop(b)}
}

func seconds(t hub.Time) float64 { return float64(t) / 1e9 }

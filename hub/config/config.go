package config

import (
	"net/netip"
	"time"

	"tradehub/hub"
)

// Defaults of what hub.yaml need not say.
const (
	// LanguageDefault is what traders are spoken to in: the language of VeighNa's own log lines.
	LanguageDefault = Chinese
	// PoliciesDefault is the folder of policies.
	PoliciesDefault = "policies"
	// CalendarDefault is the main calendar.
	CalendarDefault = "cn-futures"
	// CalendarFilesDefault is the folder of calendars' files.
	CalendarFilesDefault = "calendars"
	// MainCalendar is how calendars: names the main calendar.
	MainCalendar = "main"
	// DeadlineDefault is how long a risk manager may take over one order. It is far above what one needs (microseconds), so that a busy machine refuses no order, and
	// far below what a trader would notice.
	DeadlineDefault = 100 * time.Millisecond
	// MinFreeDefault is how much room the disk must have; with less, new orders are refused.
	MinFreeDefault = 256 << 20
	// SnapshotEntriesDefault is how many journal entries come between two snapshots: what a restart replays at most.
	SnapshotEntriesDefault = 100_000
)

// Limits of what hub.yaml may say. Beyond them is a slip of the pen, not a wish.
const (
	textMax            = 1 << 20 // bytes of the file
	nameMax            = 32      // characters of a name
	deadlineMax        = 10 * time.Second
	ratesMost          = 10_000_000
	ratesScaleMax      = 12
	ratesMaxAgeMax     = 366 * 24 * time.Hour
	snapshotEntriesMin = 100
	snapshotEntriesMax = 10_000_000
	minFreeMax         = 1 << 40
	shareMax           = 1000
	// ipcPathMax is the longest path of a unix socket on Linux, without its closing zero.
	ipcPathMax = 107
)

// Config is what hub.yaml says. Paths are as written when absolute, else joined to the folder of the file.
type Config struct {
	// Data is the folder of the journal, the control socket and the plugins' state. Only one hub may use it.
	Data string
	Fund Fund
	// Traders, Gateways and Managers are in the order of the file.
	Traders  []Trader
	Gateways []Gateway
	Managers []Manager
	// Groups are the control groups: accounts that an exchange counts together. An account that is in none is its own.
	Groups []hub.Group
	// PluginDir is where plugins are found; "" means beside the hub's own executable.
	PluginDir string
	// Policies is the folder of the policy files.
	Policies string
	// PoliciesGroup are users who may write policies, beside the folder's owner; "" for nobody.
	PoliciesGroup string
	// PoliciesByHand: a change in the folder takes force when somebody says so, and not as soon as it is saved.
	PoliciesByHand bool
	// PoliciesAnywhere: nobody asks who can write the folders above the policies. No file says it; the demo does, which trades nothing.
	PoliciesAnywhere bool
	// Calendar is the main one: counters and profit and loss of the day roll with it.
	Calendar Calendar
	// Calendars are those of exchanges, as the file says; MainCalendar is the name of the main one. What is not in it has the hub's default.
	Calendars []hub.ExchangeCalendar
	// CalendarFiles is a folder of calendars' files; one that is not named need not exist.
	CalendarFiles      string
	CalendarFilesNamed bool
	Journal            Journal
	// Language is what traders without a language of their own are spoken to in.
	Language Language
	// People are those at the fund's desk, in the order of the file, and Desk is their socket. Without them only the hub's own account and root reach it, and there are no overrides.
	People []Person
	Desk   Desk
}

// FlattenSlipDefault is fund.flatten_slip when it is not said.
var FlattenSlipDefault = hub.MustDecimal("0.02")

// Fund is whose money it is.
type Fund struct {
	Name     string
	Currency string
	// Rates turn money of other currencies into the fund's. Without one nothing in that currency can be traded.
	Rates []hub.Rate
	// RatesMaxAge is how old a rate may be; with an older one only what makes a position smaller may be ordered. 0: none is too old.
	RatesMaxAge time.Duration
	// FlattenSlip is how far through the book the hub's own closing orders may trade at the first try, as a part of the price.
	FlattenSlip hub.Decimal
}

// Language is what the hub's sentences to traders are written in.
type Language string

// Languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// Trader is one trader and how to reach the hub as this trader.
type Trader struct {
	Name     hub.TraderName
	Capital  hub.Decimal
	Language Language
	VeighNa  VeighNa
	// Share is the trader's weight when a channel's messages are shared; 1 when the file says nothing.
	Share int
}

// VeighNa is a trader's pair of addresses. Who connects to them is the trader: the protocol has no password.
type VeighNa struct {
	// Request and Publish are ZeroMQ endpoints to bind: 主动请求地址 and 推送订阅地址 of VeighNa's connect dialog.
	Request, Publish string
	// Allow lists who may connect over tcp; empty means anybody who can reach the address, which then is a loopback address.
	Allow []netip.Prefix
	// Version is "4.4" for VeighNa up to 4.4, "4.5" for 4.5, and "" for either: then every event is sent in both framings.
	Version string
}

// Gateway is an exchange channel.
type Gateway struct {
	Name   hub.GatewayName
	Plugin string
	// Settings is a JSON object: what the file says, in its order, numbers as decimals. "{}" when it says nothing.
	Settings []byte
	// Messages is what the channel is to take at most, where that is less than the plugin declares.
	Messages []hub.MessageLimit
}

// Manager is a risk manager. Every order needs its pass.
type Manager struct {
	Name   string
	Plugin string
	// Deadline is how long it may take over one order; after that the answer is no.
	Deadline time.Duration
	// Settings is as Gateway.Settings.
	Settings []byte
}

// Calendar is the name of one, or says itself to which trading day an instant belongs.
type Calendar struct {
	// Name is one of the shipped calendars' or of the files'; "" when the rest is written out.
	Name string
	// Zone is an IANA time zone.
	Zone string
	// Roll is the time of day, since midnight, at which the next trading day begins. 0: trading days are days.
	Roll time.Duration
	// Weekdays: Saturday and Sunday are no trading days; Friday's night session belongs to Monday.
	Weekdays bool
}

// Journal says how the journal keeps house.
type Journal struct {
	// MinFree is in bytes.
	MinFree         int64
	SnapshotEntries uint64
}

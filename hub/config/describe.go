package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ShapeKind says what a value of hub.yaml looks like.
type ShapeKind string

// Kinds of a Shape.
const (
	ShapeKeys     ShapeKind = "keys"     // a mapping whose keys are known
	ShapeNames    ShapeKind = "names"    // a mapping whose keys are the operator's
	ShapeList     ShapeKind = "list"     // a list
	ShapeText     ShapeKind = "text"     // a single value
	ShapeWord     ShapeKind = "word"     // one of a few words
	ShapeNumber   ShapeKind = "number"   // a decimal number, perhaps with underscores
	ShapeWhole    ShapeKind = "whole"    // a whole number from Low to High
	ShapeDuration ShapeKind = "duration" // 5ms, 2s
	ShapeSize     ShapeKind = "size"     // 256MiB
	ShapeTime     ShapeKind = "time"     // 18:00
	ShapeFree     ShapeKind = "free"     // a mapping that a plugin reads
)

// Shape is what a value of hub.yaml can be.
type Shape struct {
	Kind ShapeKind
	Keys []Key // of ShapeKeys
	// Of is what each value of ShapeNames, and each item of ShapeList, can be.
	Of        []Shape
	Words     []string
	Low, High uint64
}

// Key is a key that hub.yaml may have.
type Key struct {
	Name string
	// Path leads to it from the top; * stands for a name that is the operator's: traders.*.capital.
	Path   string
	Needed bool
	// Example is how a needed key is written.
	Example string
	Meaning string
	// Shapes are what its value can be: one of them.
	Shapes []Shape
}

// Describe tells every key that hub.yaml may have. It asks the reader itself: what is not in the description cannot be read, and the other way round.
func Describe() []Key {
	r := &reader{noted: &[]Shape{}}
	r.document(place{&yaml.Node{Kind: yaml.MappingNode}, ""})
	return (*r.noted)[0].Keys
}

// notes reports whether the reader is only asked what it would read, and then notes it. A value is offered as each of the three kinds that there are; what does not fit notes nothing.
func (r *reader) notes(p place, kind yaml.Kind, s Shape) bool {
	if r.noted == nil {
		return false
	}
	if p.node.Kind == kind && !slices.ContainsFunc(*r.noted, func(other Shape) bool { return reflect.DeepEqual(other, s) }) {
		*r.noted = append(*r.noted, s)
	}
	return true
}

// offered are the shapes that are noted when a value is offered as everything that it could be.
func (r *reader) offered(path string, read func(place)) []Shape {
	outer := r.noted
	defer func() { r.noted = outer }()
	r.noted = &[]Shape{}
	for _, kind := range []yaml.Kind{yaml.ScalarNode, yaml.MappingNode, yaml.SequenceNode} {
		read(place{&yaml.Node{Kind: kind, Tag: "!"}, path})
	}
	return *r.noted
}

// notesKeys notes a mapping whose keys are known.
func (r *reader) notesKeys(p place, fields []field) bool {
	if r.noted == nil || p.node.Kind != yaml.MappingNode {
		return r.noted != nil
	}
	var keys []Key
	for _, f := range fields {
		path := strings.TrimPrefix(p.path+"."+f.key, ".")
		keys = append(keys, Key{Name: f.key, Path: path, Needed: f.wanted != "", Example: f.wanted, Meaning: meanings[path], Shapes: r.offered(path, f.read)})
	}
	return r.notes(p, yaml.MappingNode, Shape{Kind: ShapeKeys, Keys: keys})
}

// namesOffered are names of each form that the reader wants somewhere: a trader's, a currency's.
var namesOffered = []string{"name", "CNY"}

// notesNames notes a mapping whose keys are the operator's.
func (r *reader) notesNames(p place, visit func(name string, key, value place)) bool {
	if r.noted == nil || p.node.Kind != yaml.MappingNode {
		return r.noted != nil
	}
	path := p.path + ".*"
	of := r.offered(path, func(value place) {
		for _, name := range namesOffered {
			visit(name, place{&yaml.Node{Kind: yaml.ScalarNode, Value: name}, path}, value)
		}
	})
	return r.notes(p, yaml.MappingNode, Shape{Kind: ShapeNames, Of: of})
}

// notesList notes a list.
func (r *reader) notesList(p place, visit func(place)) bool {
	if r.noted == nil || p.node.Kind != yaml.SequenceNode {
		return r.noted != nil
	}
	return r.notes(p, yaml.SequenceNode, Shape{Kind: ShapeList, Of: r.offered(p.path, visit)})
}

// longest is for the meaning of a key.
func longest(d time.Duration) string {
	return "; at most " + strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

// meanings are sentences for the editor, by the path of the key.
var meanings = map[string]string{
	"data":                      "The folder of the journal, the record, the control socket and the plugins' state. Only one hub may use it.",
	"fund":                      "Whose money it is.",
	"fund.name":                 "The fund's name: letters, digits, - and _.",
	"fund.currency":             "The currency that the fund counts in: its code in capitals, CNY or USDT.",
	"fund.rates":                "What one unit of other currencies is worth in the fund's. Without a rate nothing in that currency can be traded.",
	"fund.rates_max_age":        "How old a rate may be, such as 24h; with an older one only what makes a position smaller may be ordered. Without it none is too old" + longest(ratesMaxAgeMax) + ".",
	"fund.flatten_slip":         "How far through the book the hub's own closing orders may trade at the first try, as a part of the price; " + FlattenSlipDefault.String() + " when it is left out.",
	"traders":                   "Who trades, by name.",
	"traders.*.capital":         "The trader's capital, in the fund's currency.",
	"traders.*.language":        "What the trader is spoken to in; the language of the file when it is left out.",
	"traders.*.share":           "The trader's weight when a channel's messages are shared; 1 when it is left out.",
	"traders.*.veighna":         "The pair of addresses that the trader's VeighNa connects to. Who connects to them is the trader: the protocol has no password.",
	"traders.*.veighna.request": "The address of requests (主动请求地址): tcp://127.0.0.1:2014, or ipc:///run/hub/alpha-req.",
	"traders.*.veighna.publish": "The address of events (推送订阅地址): tcp://127.0.0.1:4102, or ipc:///run/hub/alpha-pub.",
	"traders.*.veighna.allow":   "Who may connect over tcp: addresses and networks. Without it the addresses must be loopback.",
	"traders.*.veighna.version": "The trader's VeighNa, 4.4 or 4.5; both are served when it is left out.",
	"gateways":                  "The exchange channels, by name.",
	"gateways.*.plugin":         "The plugin's program: the file's name in the plugins' folder.",
	"gateways.*.settings":       "The plugin's own settings.",
	"gateways.*.messages":       "What the channel is to take at most, such as 50/1s, where that is less than the plugin declares; one limit or a list.",
	"groups":                    "Control groups, by name: accounts that an exchange counts together. An account that is in none is its own.",
	"groups.*.gateways":         "Whose accounts are in the group.",
	"groups.*.exchanges":        "At which exchanges they are counted together; at all when it is left out.",
	"risk_managers":             "Risk managers, by name. Every order needs the pass of each.",
	"risk_managers.*.plugin":    "The plugin's program: the file's name in the plugins' folder.",
	"risk_managers.*.deadline":  "How long it may take over one order, such as 5ms; after that the answer is no. " + DeadlineDefault.String() + " when it is left out.",
	"risk_managers.*.settings":  "The plugin's own settings.",
	"plugins":                   "Where plugins are.",
	"plugins.dir":               "The folder of the plugins' programs; beside the hub's own when it is left out.",
	"policies":                  "The folder of the policy files; " + PoliciesDefault + " when it is left out.",
	"policies_group":            "A group of the system whose users may write policies, beside the folder's owner.",
	"policies_watch":            "false: a change in the folder of policies takes force when somebody says so, and not as soon as it is saved.",
	"people":                    "Who is at the fund's desk, by name. Without them only the hub's own account and root reach it, and there are no overrides.",
	"people.*.user":             "The account of the system, by name or number; the person's name when it is left out.",
	"people.*.roles":            "What the person may do: read looks, ask asks for overrides, approve approves those of others, operate does all else.",
	"desk":                      "The socket that people other than the hub's own account use.",
	"desk.socket":               "Its path; its folder must be there, and nobody but the hub's account may write it.",
	"desk.group":                "The group of the system that owns the socket: those who are in it reach the hub.",
	"calendar":                  "The main calendar: counters and profit and loss of the day roll with it. A name, or {zone: Asia/Shanghai, roll: \"18:00\"}; " + CalendarDefault + " when it is left out.",
	"calendar.zone":             "An IANA time zone, such as Asia/Shanghai.",
	"calendar.roll":             "The time of day at which the next trading day begins; \"00:00\": trading days are days.",
	"calendar.weekdays":         "true: Saturday and Sunday are no trading days.",
	"calendars":                 "Calendars of exchanges, by the exchange; " + MainCalendar + " is the main one.",
	"calendar_files":            "The folder of calendars' files of your own; " + CalendarFilesDefault + " when it is left out.",
	"journal":                   "How the journal keeps house.",
	"journal.min_free":          "How much room the disk must have, such as 256MiB; with less, new orders are refused.",
	"journal.snapshot_entries":  "How many entries come between two snapshots: what a restart replays at most.",
	"language":                  "What traders without a language of their own are spoken to in; " + string(LanguageDefault) + " when it is left out.",
}

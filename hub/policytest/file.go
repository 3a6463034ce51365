package policytest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// File is one test file, read.
type File struct {
	Name string
	// Policies are the files that are tested: names in the policy folder, and texts. All is set when the file names none, and means all of the folder.
	Policies []Policy
	All      bool
	Tests    []*Test
}

// Policy is a policy file that a test file names, or the text of one.
type Policy struct {
	// Name in the policy folder; of a text, what errors call it.
	Name string
	// Text is "" of a file.
	Text string
	at   *yaml.Node
}

// Test is one test.
type Test struct {
	Name string
	// File and Line are where it is.
	File  string
	Line  int
	world world
	steps []*step
}

// world is what a test begins with.
type world struct {
	start     moment
	startAt   *yaml.Node
	calendar  string
	currency  string
	traders   []hub.TraderSetUp
	trader    hub.TraderName
	contract  hub.Instrument
	contracts map[hub.Instrument]contract
	// used are the instruments that the test speaks of, as they came.
	used      []hub.Instrument
	markets   []quote
	positions []holding
	rates     []hub.Rate
	published []hub.PublishedNumber
	gateways  []gateway
	groups    []hub.Group
	silent    bool
}

func (w *world) clone() world {
	c := *w
	c.traders, c.used, c.markets, c.positions = slices.Clone(w.traders), slices.Clone(w.used), slices.Clone(w.markets), slices.Clone(w.positions)
	c.contracts = maps.Clone(w.contracts)
	return c
}

// contract is a contract with the price that it has when nothing else is said.
type contract struct {
	hub.Contract
	last hub.Decimal
}

// quote is what a test says of a contract's market.
type quote struct {
	at         *yaml.Node
	instrument hub.Instrument
	fields     map[string]hub.Decimal // by key; 0 is none
	age        time.Duration
	quiet      bool
}

// holding is what a trader holds when a test begins.
type holding struct {
	at         *yaml.Node
	trader     hub.TraderName
	instrument hub.Instrument
	direction  hub.Direction
	quantity   hub.Decimal
	price      hub.Decimal // 0: the last price
}

type gateway struct {
	name      hub.GatewayName
	limits    []hub.MessageLimit
	amendsNot bool
}

// up is the gateway when it is connected.
func (g gateway) up() hub.GatewayState {
	return hub.GatewayState{Gateway: g.name, Up: true, Limits: g.limits, Amends: !g.amendsNot}
}

// step is one step of a test.
type step struct {
	node  *yaml.Node
	at    *moment
	times int
	every time.Duration
	name  string
	what  string // its action's key; "" when it only looks
	value any    // what the action needs
	expect
}

// expect is what must come of a step.
type expect struct {
	waits         bool // for the cancellation of others of the fund
	refused       names
	notComputable names
	shadow        names
	warn          names
	fired         names
	says          string
	values        []wanted
	holds         []condition
	states        []standing
}

// names are what a step lists; nil when it says nothing.
type names struct {
	all []string
	at  *yaml.Node
}

// wanted is a variable with the value that it must have.
type wanted struct {
	at    *yaml.Node
	name  string
	value string
	info  policy.VarInfo
	rules *policy.Rules // that read it
}

// condition is one that must hold.
type condition struct {
	at    *yaml.Node
	text  string
	rules *policy.Rules
}

// standing is the state of a subject: a trader, a gateway, or the fund ("").
type standing struct {
	at    *yaml.Node
	name  string
	state hub.State
}

// order is an order of a step, with what was left out.
type order struct {
	trader     hub.TraderName
	instrument hub.Instrument
	gateway    hub.GatewayName
	direction  hub.Direction
	quantity   hub.Decimal
	price      hub.Decimal
	kind       hub.OrderType
	offset     hub.Offset
	reference  string
	fill       bool
	reject     bool
}

// fill is a fill of an order that has a name.
type fill struct {
	order    string
	quantity hub.Decimal // 0: all
	price    hub.Decimal // 0: the order's
	with     string      // an order that it trades with
}

// amendment is of an order that has a name; 0 leaves what it has.
type amendment struct {
	order           string
	price, quantity hub.Decimal
}

// override lets one order past rules.
type override struct {
	order *order
	worst hub.Decimal // price; 0: any
	rules []string
	open  time.Duration
}

// rejection is a venue's.
type rejection struct{ order, reason string }

type transfer struct {
	instrument hub.Instrument
	direction  hub.Direction
	quantity   hub.Decimal
	price      hub.Decimal
	from, to   hub.TraderName
}

// upDown is a gateway that goes down or comes up.
type upDown struct {
	gateway hub.GatewayName
	up      bool
}

// amount is of a trader, a gateway, or a currency.
type amount struct {
	name   string
	amount hub.Decimal
}

// compareErrors sorts errors as people read files.
func compareErrors(a, b policy.Error) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Text, b.Text))
}

// placed is file:line of a node.
func placed(file string, n *yaml.Node) string { return fmt.Sprintf("%s:%d", file, n.Line) }

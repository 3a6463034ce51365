package listing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// The file, as it is written.
type file struct {
	Zone      string    `yaml:"zone"`
	AsOf      time.Time `yaml:"as_of"`
	Contracts []entry   `yaml:"contracts"`
}

type entry struct {
	Symbol         string       `yaml:"symbol"`
	Exchange       string       `yaml:"exchange"`
	Name           string       `yaml:"name"`
	Product        string       `yaml:"product"`
	Kind           string       `yaml:"kind"`
	Currency       string       `yaml:"currency"`
	Size           number       `yaml:"size"`
	Tick           number       `yaml:"tick"`
	MinQty         number       `yaml:"min_qty"`
	MaxQty         number       `yaml:"max_qty"`
	NetPosition    bool         `yaml:"net_position"`
	SplitsToday    bool         `yaml:"splits_today"`
	SellNextDay    bool         `yaml:"sell_next_day"`
	AroundTheClock bool         `yaml:"around_the_clock"`
	Margin         margin       `yaml:"margin"`
	Fees           fees         `yaml:"fees"`
	Market         behaviour    `yaml:"market"`
	Sessions       []string     `yaml:"sessions"`
	Option         *optionTerms `yaml:"option"`
}

type margin struct {
	Long  number `yaml:"long"`
	Short number `yaml:"short"`
}

type fees struct {
	Open       *fee `yaml:"open"`
	Close      *fee `yaml:"close"`       // as open when it is not there
	CloseToday *fee `yaml:"close_today"` // as close when it is not there
}

type fee struct {
	Value number `yaml:"value"`
	Unit  number `yaml:"unit"`
}

type behaviour struct {
	Base         number  `yaml:"base"`
	Volatility   float64 `yaml:"volatility"`
	Limit        number  `yaml:"limit"`
	Spread       int64   `yaml:"spread"`
	Gap          int64   `yaml:"gap"`
	LevelQty     number  `yaml:"level_qty"`
	OpenInterest number  `yaml:"open_interest"`
}

type optionTerms struct {
	Type       string    `yaml:"type"`
	Strike     number    `yaml:"strike"`
	Underlying string    `yaml:"underlying"`
	Portfolio  string    `yaml:"portfolio"`
	Index      string    `yaml:"index"`
	Listed     time.Time `yaml:"listed"`
	Expiry     time.Time `yaml:"expiry"`
}

// number is a decimal that loses nothing on its way from the file.
type number struct{ hub.Decimal }

// UnmarshalYAML reads the number as it is written.
func (n *number) UnmarshalYAML(node *yaml.Node) error {
	d, err := hub.ParseDecimal(strings.ReplaceAll(node.Value, "_", ""))
	if err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %v", node.Line, err)}} // so that the library goes on
	}
	n.Decimal = d
	return nil
}

// Read reads a list of contracts. Its error names everything that is wrong, a line for each, as name:line: what.
func Read(name string, text []byte) (*List, error) {
	r := &reader{name: name}
	f, ok := r.decode(text)
	if !ok {
		return nil, r.err()
	}
	list := &List{AsOf: f.AsOf}
	var err error
	if list.Zone, err = time.LoadLocation(f.Zone); err != nil || f.Zone == "" {
		r.wrong(1, "zone %q is no time zone such as Asia/Shanghai", f.Zone)
	}
	if f.AsOf.IsZero() {
		r.wrong(1, "as_of is missing: the time at which every contract costs its base, such as 2026-11-20T15:00:00+08:00")
	}
	if len(f.Contracts) == 0 {
		r.wrong(1, "there are no contracts")
	}
	for i, e := range f.Contracts {
		list.Contracts = append(list.Contracts, r.contract(r.lines[i], f.Zone, e))
	}
	r.link(list)
	return list, r.err()
}

type reader struct {
	name  string
	lines []int // of the contracts
	errs  []error
}

func (r *reader) err() error { return errors.Join(r.errs...) }

func (r *reader) wrong(line int, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.name, line, fmt.Sprintf(format, args...)))
}

// decode reads the text twice: once strictly, once for the lines on which the contracts stand.
func (r *reader) decode(text []byte) (*file, bool) {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	err := decoder.Decode(&f)
	var typed *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		r.errs = append(r.errs, fmt.Errorf("%s: the file is empty", r.name))
		return nil, false
	case errors.As(err, &typed):
		for _, e := range typed.Errors {
			line, what, _ := strings.Cut(strings.TrimPrefix(e, "line "), ": ")
			r.errs = append(r.errs, fmt.Errorf("%s:%s: %s", r.name, line, plain(what)))
		}
		return nil, false
	case err != nil:
		r.errs = append(r.errs, fmt.Errorf("%s: %w", r.name, err))
		return nil, false
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		r.errs = append(r.errs, fmt.Errorf("%s: there must be one YAML document", r.name))
		return nil, false
	}
	var nodes struct {
		Contracts []yaml.Node `yaml:"contracts"`
	}
	if err := yaml.Unmarshal(text, &nodes); err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", r.name, err))
		return nil, false
	}
	for _, n := range nodes.Contracts {
		r.lines = append(r.lines, n.Line)
	}
	return &f, true
}

// plain takes Go's type names out of the YAML library's words.
func plain(what string) string {
	if field, _, found := strings.Cut(what, " not found in type "); found {
		return "unknown " + field
	}
	return what
}

func (r *reader) contract(line int, zone string, e entry) *Contract {
	c := &Contract{AroundTheClock: e.AroundTheClock}
	wrong := func(format string, args ...any) {
		r.wrong(line, "%s.%s: %s", e.Symbol, e.Exchange, fmt.Sprintf(format, args...))
	}
	kind, err := hub.ParseKind(e.Kind)
	if err != nil || kind == hub.NoKind {
		wrong("kind: %q is no kind of contract", e.Kind)
	}
	c.Contract = hub.Contract{
		Instrument: hub.Instrument{Symbol: e.Symbol, Exchange: e.Exchange},
		Name:       e.Name, Product: e.Product, Kind: kind, Currency: e.Currency,
		Size: e.Size.Decimal, Tick: e.Tick.Decimal, MinQty: e.MinQty.Decimal, MaxQty: e.MaxQty.Decimal,
		StopSupported: true, NetPosition: e.NetPosition, History: true, SplitsToday: e.SplitsToday,
		SellNextDay: e.SellNextDay, MarginLong: e.Margin.Long.Decimal, MarginShort: e.Margin.Short.Decimal, Fees: e.Fees.fees(), Zone: zone,
	}
	if e.Symbol == "" || e.Exchange == "" {
		wrong("symbol and exchange must be there")
	}
	if e.Currency == "" {
		wrong("currency must be there")
	}
	positive(wrong, "size", e.Size)
	if positive(wrong, "tick", e.Tick) {
		c.tick = unitOf(e.Tick.Decimal)
	}
	if positive(wrong, "min_qty", e.MinQty) {
		c.step = unitOf(e.MinQty.Decimal)
	}
	if e.MaxQty.IsNeg() {
		wrong("max_qty must not be negative")
	}
	if e.Margin.Long.IsNeg() || e.Margin.Short.IsNeg() {
		wrong("margin must not be negative")
	}
	if e.NetPosition && (!e.Margin.Long.IsZero() || !e.Margin.Short.IsZero()) {
		wrong("a net_position with margin is not simulated: it is paid in full")
	}
	r.option(wrong, c, e.Option)
	r.behaviour(wrong, c, e.Market)
	for _, s := range e.Sessions {
		session, err := parseSession(s)
		if err != nil {
			wrong("sessions: %v", err)
		}
		c.Sessions = append(c.Sessions, session)
	}
	if e.SplitsToday && (e.NetPosition || e.AroundTheClock) {
		wrong("splits_today cannot go together with net_position or around_the_clock")
	}
	if e.SellNextDay && (!e.NetPosition || e.AroundTheClock) {
		wrong("sell_next_day goes together with net_position only, and not with around_the_clock")
	}
	if e.AroundTheClock && len(e.Sessions) > 0 {
		wrong("around_the_clock and sessions cannot go together")
	}
	return c
}

func positive(wrong func(string, ...any), name string, n number) bool {
	if !n.IsPos() {
		wrong("%s must be positive", name)
	}
	return n.IsPos()
}

func (r *reader) option(wrong func(string, ...any), c *Contract, o *optionTerms) {
	if (c.Kind == hub.Option) != (o != nil) {
		wrong("a contract of kind OPTION, and no other, has option terms")
		return
	}
	if o == nil {
		return
	}
	var err error
	if c.OptionType, err = hub.ParseOptionType(o.Type); err != nil || c.OptionType == hub.NoOptionType {
		wrong("option: type must be CALL or PUT")
	}
	positive(wrong, "option: strike", o.Strike)
	if o.Expiry.IsZero() {
		wrong("option: expiry must be there")
	}
	c.OptionStrike, c.OptionUnderlying = o.Strike.Decimal, o.Underlying
	c.OptionPortfolio, c.OptionIndex = o.Portfolio, o.Index
	c.OptionListed, c.OptionExpiry = hub.TimeOf(o.Listed), hub.TimeOf(o.Expiry)
}

func (r *reader) behaviour(wrong func(string, ...any), c *Contract, b behaviour) {
	c.Market = Market{
		Base: b.Base.Decimal, Volatility: b.Volatility, Limit: b.Limit.Decimal,
		Spread: max(b.Spread, 1), Gap: max(b.Gap, 1), LevelQty: b.LevelQty.Decimal, OpenInt: b.OpenInterest.Decimal,
	}
	if c.Kind == hub.Option {
		if !b.Base.IsZero() {
			wrong("market: an option has no base: its price follows its underlying")
		}
	} else if positive(wrong, "market: base", b.Base) && c.tick.coef > 0 {
		if _, whole := c.Ticks(b.Base.Decimal); !whole {
			wrong("market: base %s is not a whole number of ticks of %s", b.Base, c.Tick)
		}
	}
	if !(b.Volatility > 0 && b.Volatility <= 5) {
		wrong("market: volatility must be that of a year, such as 0.2 for 20 %%")
	}
	if !b.Limit.IsPos() || b.Limit.Cmp(hub.Int(1)) >= 0 {
		wrong("market: limit must be between 0 and 1, such as 0.07 for 7 %%")
	}
	if b.Spread < 0 || b.Gap < 0 {
		wrong("market: spread and gap must not be negative")
	}
	if b.OpenInterest.IsNeg() {
		wrong("market: open_interest must not be negative")
	}
	if positive(wrong, "market: level_qty", b.LevelQty) && c.step.coef > 0 {
		if _, whole := c.Steps(b.LevelQty.Decimal); !whole {
			wrong("market: level_qty %s is not a multiple of min_qty %s", b.LevelQty, c.MinQty)
		}
	}
}

// link finds what stands twice, and the contracts that options follow.
func (r *reader) link(list *List) {
	seen := map[hub.Instrument]*Contract{}
	for i, c := range list.Contracts {
		if seen[c.Instrument] != nil {
			r.wrong(r.lines[i], "%s is there twice", c.Instrument)
			continue
		}
		seen[c.Instrument] = c
	}
	for i, c := range list.Contracts {
		if c.Kind != hub.Option {
			continue
		}
		c.PricedBy = seen[hub.Instrument{Symbol: c.OptionUnderlying, Exchange: c.Exchange}]
		if c.PricedBy == nil || c.PricedBy.Kind == hub.Option {
			r.wrong(r.lines[i], "%s: option: its underlying %q must be a contract of the same exchange in this file", c.Instrument, c.OptionUnderlying)
		}
	}
}

func (f fees) fees() hub.Fees {
	open := deref(f.Open, fee{})
	closing := deref(f.Close, open)
	today := deref(f.CloseToday, closing)
	return hub.Fees{
		OpenByValue: open.Value.Decimal, OpenPerUnit: open.Unit.Decimal,
		CloseByValue: closing.Value.Decimal, ClosePerUnit: closing.Unit.Decimal,
		CloseTodayByValue: today.Value.Decimal, CloseTodayPerUnit: today.Unit.Decimal,
	}
}

func deref(f *fee, otherwise fee) fee {
	if f == nil {
		return otherwise
	}
	return *f
}

func parseSession(s string) (Session, error) {
	from, to, found := strings.Cut(s, "-")
	a, errA := time.Parse("15:04", from)
	b, errB := time.Parse("15:04", to)
	if !found || errA != nil || errB != nil || a.Equal(b) {
		return Session{}, fmt.Errorf("%q is no session such as 09:00-10:15", s)
	}
	return Session{a.Hour()*60 + a.Minute(), b.Hour()*60 + b.Minute()}, nil
}

// Find returns the contract of an instrument, or nil.
func (l *List) Find(i hub.Instrument) *Contract {
	at := slices.IndexFunc(l.Contracts, func(c *Contract) bool { return c.Instrument == i })
	if at < 0 {
		return nil
	}
	return l.Contracts[at]
}

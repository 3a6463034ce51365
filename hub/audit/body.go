package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tradehub/hub"
	"tradehub/hub/core"
	"tradehub/hub/policy"
)

// Body is what a row says, as JSON. Of an order's row one or more of the first parts are there; of another, Input and Effects.
type Body struct {
	Decision  *Decision  `json:"decision,omitempty"`
	Order     *Order     `json:"order,omitempty"`
	Change    *Change    `json:"change,omitempty"`
	Fills     []Fill     `json:"fills,omitempty"`
	Report    *Report    `json:"report,omitempty"`
	Cancel    *Cancel    `json:"cancel,omitempty"`
	Amendment *Amendment `json:"amendment,omitempty"`
	// Load is of policies.
	Load *Load `json:"load,omitempty"`
	// Gap says that entries before this row are not in the record, and why.
	Gap *Gap `json:"gap,omitempty"`
	// Input is the entry, and Effects are what came of it beyond orders and books, as this version of the hub has them.
	Input   map[string]any   `json:"input,omitempty"`
	Effects []map[string]any `json:"effects,omitempty"`
}

// Order is an order as it was decided.
type Order struct {
	ID        string      `json:"id,omitempty"` // "" of an order that nobody's was
	Trader    string      `json:"trader"`
	Gateway   string      `json:"gateway"`
	Contract  string      `json:"contract"`
	Direction string      `json:"direction"`
	Offset    string      `json:"offset"`
	Type      string      `json:"type"`
	Price     hub.Decimal `json:"price"`
	Quantity  hub.Decimal `json:"quantity"`
	Reference string      `json:"reference,omitempty"`
	Time      time.Time   `json:"time,omitzero"`
}

// Change is how an order stands after an entry.
type Change struct {
	Status      string      `json:"status"`
	Filled      hub.Decimal `json:"filled"`
	Quantity    hub.Decimal `json:"quantity"` // amendments change it, and the price
	Price       hub.Decimal `json:"price"`
	InDoubt     bool        `json:"in_doubt,omitempty"`
	CancelAsked bool        `json:"cancel_asked,omitempty"`
	VenueID     string      `json:"venue_id,omitempty"`
	Reason      string      `json:"reason,omitempty"`
}

// Fill is one fill.
type Fill struct {
	ID         string      `json:"id"`
	Price      hub.Decimal `json:"price"`
	Quantity   hub.Decimal `json:"quantity"`
	Offset     string      `json:"offset"`
	Commission hub.Decimal `json:"commission"`
	Day        string      `json:"day"`
	Time       time.Time   `json:"time,omitzero"`
}

// Report is what a venue said.
type Report struct {
	Kind    string `json:"kind"`
	VenueID string `json:"venue_id,omitempty"`
	Reason  string `json:"reason,omitempty"`
	TradeID string `json:"trade_id,omitempty"`
	// Price and Quantity are of a fill, of this one alone; of an amendment, what the order is for now, the quantity in all; of a cancel, all that was filled, if the venue says it.
	Price    hub.Decimal `json:"price,omitzero"`
	Quantity hub.Decimal `json:"quantity,omitzero"`
	// Amendment is the Number of the one that was done or not; 0 of one that the hub did not ask for.
	Amendment uint64    `json:"amendment,omitempty"`
	Time      time.Time `json:"venue_time,omitzero"`
}

// Cancel is somebody's wish to cancel.
type Cancel struct {
	By     string `json:"by"`
	Answer string `json:"answer,omitempty"` // why there was nothing to cancel
}

// Amendment is somebody's wish to change an order that works, and what was decided of it: Order is what the order would become.
type Amendment struct {
	By string `json:"by"`
	// Number is what it is called when the venue answers; 0 of one that was not sent.
	Number   uint64    `json:"number,omitempty"`
	Answer   string    `json:"answer,omitempty"` // why there was nothing to decide
	Order    *Order    `json:"order,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
}

// Decision is what was decided of an order, and by what.
type Decision struct {
	// Outcome is "sent", "refused" or "withdrawn".
	Outcome  string `json:"outcome"`
	Revision string `json:"revision,omitempty"`
	// Asked says that the rules were asked. Then Readings are all that they were told.
	Asked    bool             `json:"asked"`
	Readings map[string]Value `json:"readings,omitempty"`
	Refusals []Refusal        `json:"refusals,omitempty"`
	// Shadows are what rules in shadow would have refused for. Warnings are those that were given.
	Shadows  []Refusal `json:"shadows,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	// Noted is what rules said against an order of the hub's own, which closes.
	Noted    []Refusal `json:"noted,omitempty"`
	Verdicts []Verdict `json:"verdicts,omitempty"`
	Market   *Market   `json:"market,omitempty"`
	States   *States   `json:"states,omitempty"`
	// Valued is the price at which the order was valued.
	Valued hub.Decimal `json:"valued,omitzero"`
	// Override is the one by which it passed, and Lifted what its rules said.
	Override map[string]any `json:"override,omitempty"`
	Lifted   []Refusal      `json:"lifted,omitempty"`
	Met      []Order        `json:"met,omitempty"` // of the fund's own, with which it could have traded
	Late     bool           `json:"late,omitempty"`
	ByHub    string         `json:"by_hub,omitempty"` // of an order of the hub's own: "flatten"
}

// Refusal is one reason against an order.
type Refusal struct {
	Code  string `json:"code"`
	Rule  string `json:"rule,omitempty"`
	Place string `json:"place,omitempty"`
	// Fund: the rule is in force by the fund's file, not by the trader's. Both can have the same one of a library.
	Fund   bool     `json:"fund,omitempty"`
	Text   string   `json:"text"`
	Values []string `json:"values,omitempty"`
}

// Warning is a rule that let an order pass and is near to where it would not.
type Warning struct {
	Rule   string   `json:"rule"`
	Place  string   `json:"place"`
	Fund   bool     `json:"fund,omitempty"`
	Text   string   `json:"text"`
	Values []string `json:"values,omitempty"`
}

// Verdict is what a risk manager said.
type Verdict struct {
	Manager string `json:"manager"`
	Pass    bool   `json:"pass"`
	Reason  string `json:"reason,omitempty"`
	Took    string `json:"took,omitempty"`
}

// States are what was allowed at the decision.
type States struct {
	Trader  string `json:"trader"`
	Fund    string `json:"fund"`
	Gateway string `json:"gateway"`
}

// Market is what the hub knew of the contract's market.
type Market struct {
	Last      hub.Decimal `json:"last,omitzero"`
	Bid       hub.Decimal `json:"bid,omitzero"`
	Ask       hub.Decimal `json:"ask,omitzero"`
	LimitUp   hub.Decimal `json:"limit_up,omitzero"`
	LimitDown hub.Decimal `json:"limit_down,omitzero"`
	PreClose  hub.Decimal `json:"previous_close,omitzero"`
	Volume    hub.Decimal `json:"volume,omitzero"`
	OpenInt   hub.Decimal `json:"open_interest,omitzero"`
	Seen      time.Time   `json:"seen,omitzero"`
	Calendar  string      `json:"calendar,omitempty"`
	Day       string      `json:"day,omitempty"`
	Phase     string      `json:"phase,omitempty"`
	Session   string      `json:"session,omitempty"`
}

// Load is one load of policies.
type Load struct {
	By       string `json:"by"`
	Revision string `json:"revision"` // of the files, whether they were taken or not
	// InForce is the revision after it: with Errors the one that was before.
	InForce  string   `json:"in_force"`
	Language int      `json:"language"`
	Currency string   `json:"currency"`
	Files    []File   `json:"files"`
	Errors   []string `json:"errors,omitempty"`
	// Instead of which text of the folder they were put in force; only of a rollback.
	Instead string `json:"instead,omitempty"`
}

// File is a file of a Load. Its text is found by its hash.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

// Gap is a stretch of the journal that the record does not have.
type Gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	Why  string `json:"why"`
}

func orderOf(o hub.Order) *Order {
	return &Order{
		ID: string(o.ID), Trader: string(o.Trader), Gateway: string(o.Gateway), Contract: o.Instrument.String(), Direction: o.Direction.String(), Offset: o.Offset.String(), Type: o.Type.String(),
		Price: o.Price, Quantity: o.Qty, Reference: o.Reference, Time: o.Time.UTC(),
	}
}

func changeOf(o hub.Order) *Change {
	return &Change{Status: o.Status.String(), Filled: o.Filled, Quantity: o.Qty, Price: o.Price, InDoubt: o.InDoubt, CancelAsked: o.CancelAsked, VenueID: o.VenueID, Reason: o.Reason}
}

func fillOf(t hub.Trade) Fill {
	return Fill{ID: t.ID, Price: t.Price, Quantity: t.Qty, Offset: t.Offset.String(), Commission: t.Commission, Day: string(t.Day), Time: t.Time.UTC()}
}

func marketOf(m hub.MarketView) *Market {
	return &Market{
		Last: m.Last, Bid: m.Bid, Ask: m.Ask, LimitUp: m.LimitUp, LimitDown: m.LimitDown, PreClose: m.PreClose, Volume: m.Volume, OpenInt: m.OpenInt, Seen: m.Seen.UTC(),
		Calendar: m.Session.Calendar, Day: string(m.Session.Day), Phase: m.Session.Phase.String(), Session: m.Session.Name,
	}
}

func refusalsOf(all []hub.Refusal) []Refusal {
	var out []Refusal
	for _, r := range all {
		out = append(out, Refusal{r.Code, r.Rule, r.Place, r.Fund, r.Text, r.Values})
	}
	return out
}

func warningsOf(all []hub.Warning) []Warning {
	var out []Warning
	for _, w := range all {
		out = append(out, Warning{w.Rule, w.Place, w.Fund, w.Text, w.Values})
	}
	return out
}

func verdictsOf(all []hub.Verdict) []Verdict {
	var out []Verdict
	for _, v := range all {
		out = append(out, Verdict{v.Manager, v.Pass, v.Reason, v.Took.String()})
	}
	return out
}

// decisionOf is what an effect says of a decision; the market and the verdicts are in the entry.
func decisionOf(c *core.Considered, refusals []hub.Refusal, revision string, o hub.Order) *Decision {
	d := &Decision{Outcome: "sent", Revision: revision, Asked: c.Asked, Refusals: refusalsOf(refusals), Noted: refusalsOf(c.Noted), Valued: c.Worst}
	switch {
	case len(refusals) > 0:
		d.Outcome = "refused"
	case o.Status == hub.Cancelled:
		d.Outcome = "withdrawn"
	}
	if c.Asked || c.Worst.IsPos() {
		d.States = &States{c.Trader.String(), c.Fund.String(), c.Gateway.String()}
	}
	if len(c.Readings) > 0 {
		d.Readings = make(map[string]Value, len(c.Readings))
		for _, r := range c.Readings {
			d.Readings[r.Ref.String()] = Value{r.Value}
		}
	}
	return d
}

// Value is a value that a rule was told. In JSON it is a number with its digits, a text, a truth, or {"missing": why}.
type Value struct{ policy.Value }

type missing struct {
	Missing string `json:"missing"`
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Kind {
	case policy.KindNumber:
		return []byte(v.Number.String()), nil
	case policy.KindText:
		return json.Marshal(v.Text)
	case policy.KindTruth:
		return json.Marshal(v.Truth)
	case policy.KindMissing:
	}
	return json.Marshal(missing{v.Text})
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(b []byte) error {
	var text string
	var truth bool
	var none missing
	switch {
	case json.Unmarshal(b, &text) == nil:
		v.Value = policy.Text(text)
	case json.Unmarshal(b, &truth) == nil:
		v.Value = policy.Truth(truth)
	case json.Unmarshal(b, &none) == nil:
		v.Value = policy.Missing(none.Missing)
	default:
		n, err := hub.ParseDecimal(string(b))
		if err != nil {
			return err
		}
		v.Value = policy.Number(n)
	}
	return nil
}

// String is the value as a rule would write it.
func (v Value) String() string {
	switch v.Kind {
	case policy.KindNumber:
		return v.Number.String()
	case policy.KindText:
		return v.Text
	case policy.KindTruth:
		return strconv.FormatBool(v.Truth)
	case policy.KindMissing:
	}
	return "missing: " + v.Text
}

// Playback are the values that a decision was told, for the rules of then.
func (d *Decision) Playback() policy.Playback {
	p := make(policy.Playback, len(d.Readings))
	for name, v := range d.Readings {
		p[name] = v.Value
	}
	return p
}

func hashOf(f hub.PolicyFile) string {
	h := sha256.Sum256([]byte(f.Text))
	return hex.EncodeToString(h[:])
}

func filesOf(files []hub.PolicyFile) []File {
	out := []File{}
	for _, f := range files {
		out = append(out, File{f.Name, hashOf(f), len(f.Text)})
	}
	return out
}

// encode writes a body. What it is made of can be written, so an error is a bug.
func encode(b Body) string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(fmt.Sprintf("audit: %v", err))
	}
	return string(text)
}

// DecodeBody reads a row's body; numbers keep their digits.
func DecodeBody(text string) (b Body, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return b, d.Decode(&b)
}

// kindOf is the name of a type: "set-state" of hub.SetState.
func kindOf(v any) string { return dashed(reflect.TypeOf(v).Name(), '-') }

func dashed(name string, between rune) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteRune(between)
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

var (
	stringerType = reflect.TypeFor[fmt.Stringer]()
	timeType     = reflect.TypeFor[hub.Time]()
	decimalType  = reflect.TypeFor[hub.Decimal]()
	durationType = reflect.TypeFor[time.Duration]()
)

// described turns a struct of the vocabulary into what JSON says well: names with underscores, words for enumerations, times as people write them, and nothing that is empty.
func described(v any) map[string]any {
	m, _ := describe(reflect.ValueOf(v)).(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

func describe(v reflect.Value) any {
	switch v.Type() {
	case timeType:
		return hub.Time(v.Int()).UTC().Format(time.RFC3339Nano)
	case decimalType, durationType:
		return fmt.Sprint(v.Interface())
	}
	//exhaustive:ignore
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return describe(v.Elem())
	case reflect.Struct:
		m := map[string]any{}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() || v.Field(i).IsZero() {
				continue
			}
			inner := describe(v.Field(i))
			if embedded, ok := inner.(map[string]any); ok && field.Anonymous {
				maps.Copy(m, embedded)
				continue
			}
			m[dashed(field.Name, '_')] = inner
		}
		return m
	case reflect.Slice, reflect.Array:
		all := make([]any, v.Len())
		for i := range all {
			all[i] = describe(v.Index(i))
		}
		return all
	case reflect.Uint8, reflect.Int:
		if v.Type().Implements(stringerType) {
			return fmt.Sprint(v.Interface())
		}
	}
	return v.Interface()
}

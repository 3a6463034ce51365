package policies_test

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/policy"
	"tradehub/policies"
)

// files are the sample policies, without the library.
func files(t *testing.T) []hub.PolicyFile {
	t.Helper()
	var all []hub.PolicyFile
	err := fs.WalkDir(policies.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.yaml") || strings.HasPrefix(path, "library/") {
			return err
		}
		text, err := policies.Files.ReadFile(path)
		all = append(all, hub.PolicyFile{Name: path, Text: string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func compiled(t *testing.T) *policy.Rules {
	t.Helper()
	rules, errs := policy.Compile(files(t))
	for _, err := range errs {
		t.Error(err)
	}
	if rules == nil {
		t.FailNow()
	}
	return rules
}

// world answers by the names that rules use.
type world map[string]policy.Value

// Value implements policy.Source.
func (w world) Value(ref *policy.Ref) *policy.Value {
	v := w.value(ref)
	return &v
}

func (w world) value(ref *policy.Ref) policy.Value {
	if v, ok := w[ref.String()]; ok {
		return v
	}
	return policy.Missing("not in this test")
}

func number(s string) policy.Value { return policy.Number(hub.MustDecimal(s)) }

// quietDay is an order for rb as a trader's first: nothing sent, nothing held.
func quietDay() world {
	w := world{
		"order.symbol": policy.Text("rb2701"), "order.type": policy.Text("LIMIT"), "order.price": number("3142"), "order.quantity": number("1"),
		"order.value": number("31420"), "order.reduces": policy.Truth(false),
		"contract.kind": policy.Text("FUTURES"), "contract.product": policy.Text("rb"), "contract.tick": number("1"),
		"market.last": number("3140"), "market.limit_up": number("3361"), "market.limit_down": number("2923"), "market.age": number("0.4"),
	}
	for _, owner := range []string{"trader", "fund"} {
		for _, name := range []string{
			`messages("1s")`, `messages("1m")`, `duplicates("1s")`, "active_orders", "gross_after", "position.long_after", "position.short_after", "pnl.day",
		} {
			w[owner+"."+name] = number("0")
		}
	}
	return w
}

func refusedBy(rules *policy.Rules, trader hub.TraderName, w world) []string {
	names := []string{}
	for _, refusal := range rules.Decide(trader, w) {
		names = append(names, refusal.Rule)
	}
	return names
}

func TestSamplesLetTheFirstDayPass(t *testing.T) {
	rules := compiled(t)
	if got, want := rules.Traders(), []hub.TraderName{"alpha", "beta"}; !slices.Equal(got, want) || !rules.HasFund() {
		t.Fatalf("policies for %v, fund %t; want %v and the fund", got, rules.HasFund(), want)
	}
	changes := map[string]world{
		"limit":             {},
		"market":            {"order.type": policy.Text("MARKET"), "order.price": number("3361"), "order.value": number("33610")},
		"far from the last": {"order.price": number("2923"), "order.value": number("29230")},
		"shares": {
			"order.symbol": policy.Text("600519"), "contract.kind": policy.Text("EQUITY"), "contract.product": policy.Text("600519"), "order.quantity": number("200"),
			"order.price": number("1436.5"), "order.value": number("287300"), "contract.tick": number("0.01"), "market.last": number("1436.48"),
			"market.limit_up": number("1580.15"), "market.limit_down": number("1292.85"),
		},
		"coins, which have no limits of the day": {
			"order.symbol": policy.Text("BTCUSDT"), "contract.kind": policy.Text("SPOT"), "contract.product": policy.Text("BTCUSDT"), "order.quantity": number("0.0153"),
			"order.price": number("91250.5"), "order.value": number("1396.13"), "contract.tick": number("0.1"), "market.last": number("91250.4"),
			"market.limit_up": policy.Missing("none"), "market.limit_down": policy.Missing("none"),
		},
		"a busy minute, with repeats": {
			`trader.messages("1s")`: number("10"), `trader.messages("1m")`: number("200"), `fund.messages("1s")`: number("20"), `fund.messages("1m")`: number("400"),
			`trader.duplicates("1s")`: number("4"), "trader.active_orders": number("40"),
		},
	}
	for name, change := range changes {
		w := quietDay()
		maps.Copy(w, change)
		for _, trader := range rules.Traders() {
			if refusals := rules.Decide(trader, w); len(refusals) > 0 {
				t.Errorf("%s: %s is refused: %v", name, trader, refusals)
			}
		}
	}
}

// TestSamplesRefuse breaks each rule of each sample alone.
func TestSamplesRefuse(t *testing.T) {
	rules := compiled(t)
	both := []hub.TraderName{"alpha", "beta"}
	seen := map[string]bool{}
	for _, c := range []struct {
		change  world
		traders []hub.TraderName
		want    []string
	}{
		{world{"market.age": number("60.001")}, both, []string{"market-age"}},
		{world{"market.age": policy.Missing("no tick yet"), "market.last": policy.Missing("no tick yet")}, both, []string{"collar", "market-age"}},
		{world{"order.price": number("3142.5")}, both, []string{"price-on-tick"}},
		{world{"order.price": number("3362")}, both, []string{"price-limits"}},
		{world{"order.price": number("2922")}, both, []string{"price-limits"}},
		{world{"order.price": number("2800"), "market.limit_down": number("2700")}, both, []string{"collar"}},
		{world{"order.quantity": number("101")}, []hub.TraderName{"alpha"}, []string{"order-size"}},
		{world{"order.quantity": number("51")}, []hub.TraderName{"beta"}, []string{"order-size"}},
		{world{"order.value": number("3000000.01")}, []hub.TraderName{"alpha"}, []string{"order-value"}},
		{world{"order.value": number("1000000.01")}, []hub.TraderName{"beta"}, []string{"order-value"}},
		{world{"order.value": number("5000000.01")}, both, []string{"order-value", "fund-order-value"}},
		{world{"contract.kind": policy.Text("FOREX")}, []hub.TraderName{"alpha"}, []string{"contracts"}},
		{world{"contract.product": policy.Text("IF")}, []hub.TraderName{"beta"}, []string{"contracts"}},
		{world{"trader.active_orders": number("100")}, both, []string{"active-orders"}},
		{world{`trader.messages("1s")`: number("20")}, both, []string{"order-flow"}},
		{world{`trader.messages("1m")`: number("300")}, both, []string{"order-flow"}},
		{world{`trader.duplicates("1s")`: number("5")}, both, []string{"duplicates"}},
		{world{"trader.position.long_after": number("201")}, both, []string{"position"}},
		{world{"trader.position.short_after": number("51")}, []hub.TraderName{"beta"}, []string{"position"}},
		{world{"trader.gross_after": number("10000001")}, both, []string{"gross-value"}},
		{world{"trader.pnl.day": number("-100000")}, both, []string{"day-loss"}},
		{world{"fund.gross_after": number("20000001")}, both, []string{"fund-gross-value"}},
		{world{"fund.position.short_after": number("501")}, both, []string{"fund-position"}},
		{world{`fund.messages("1s")`: number("50")}, both, []string{"fund-messages"}},
		{world{`fund.messages("1m")`: number("1000")}, both, []string{"fund-messages"}},
		{
			// What reduces a position passes, whatever was lost or held.
			world{
				"order.reduces": policy.Truth(true), "trader.pnl.day": number("-900000"), "trader.gross_after": number("99000000"), "fund.gross_after": number("99000000"),
				"trader.position.long_after": number("900"), "fund.position.long_after": number("900"),
			}, both, []string{},
		},
	} {
		w := quietDay()
		maps.Copy(w, c.change)
		for _, trader := range c.traders {
			got := refusedBy(rules, trader, w)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %v: refused by %v, want %v", trader, c.change, got, c.want)
			}
			for _, refusal := range rules.Decide(trader, w) {
				seen[refusal.Place] = true
			}
		}
	}
	name := regexp.MustCompile(`(?m)^  - name: .*`)
	for _, file := range files(t) {
		for _, at := range name.FindAllStringIndex(file.Text, -1) {
			line := 1
			for _, r := range file.Text[:at[0]] {
				if r == '\n' {
					line++
				}
			}
			if place := fmt.Sprintf("%s:%d", file.Name, line); !seen[place] {
				t.Errorf("%s: this test does not break %q", place, file.Text[at[0]:at[1]])
			}
		}
	}
}

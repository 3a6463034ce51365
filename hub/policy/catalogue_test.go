package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// varConstants are the names of the constants of type Var in source.go, by their group: Order, Contract, Market, or "" for those of a trader or the fund.
func varConstants(t *testing.T) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "source.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range f.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		isVar := false
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if ident, ok := value.Type.(*ast.Ident); ok {
				isVar = ident.Name == "Var"
			}
			if isVar {
				names = append(names, value.Names[0].Name)
			}
		}
	}
	return names
}

// TestEveryVarIsInTheCatalogue: once, or, of a trader and the fund, twice; and nothing else is.
func TestEveryVarIsInTheCatalogue(t *testing.T) {
	vars := policy.Vars()
	want := 0
	for _, name := range varConstants(t) {
		switch {
		case strings.HasPrefix(name, "Order") && name != "Orders", strings.HasPrefix(name, "Contract"), strings.HasPrefix(name, "Market"):
			want++
		default:
			want += 2
		}
	}
	if len(vars) != want || want < 100 {
		t.Errorf("%d variables, want %d", len(vars), want)
	}
	seen := map[policy.Ref]string{}
	names := map[string]bool{}
	for _, v := range vars {
		ref := policy.Ref{Scope: v.Scope, Var: v.Var}
		if other, twice := seen[ref]; twice {
			t.Errorf("%s and %s are one variable", v.Name, other)
		}
		if names[v.Name] {
			t.Errorf("two variables are named %s", v.Name)
		}
		seen[ref], names[v.Name] = v.Name, true
		owner, _, _ := strings.Cut(v.Name, ".")
		if want := []string{"order", "contract", "market", "trader", "fund"}[v.Scope]; owner != want {
			t.Errorf("%s is of the scope %s", v.Name, want)
		}
		if first := map[policy.Scope]policy.Var{policy.ScopeOrder: 1, policy.ScopeContract: 100, policy.ScopeMarket: 200, policy.ScopeTrader: 300, policy.ScopeFund: 300}[v.Scope]; v.Var < first ||
			v.Var >= first/100*100+100 {
			t.Errorf("%s has a number of another group: %d", v.Name, v.Var)
		}
		if v.Meaning == "" || (v.Kind == policy.KindNumber) != (v.Unit != "") || (v.Windowed && v.Unit != "count") {
			t.Errorf("%s is not described: %+v", v.Name, v)
		}
	}
}

// TestEveryVarCompiles, and is asked of the source as itself, with its window.
func TestEveryVarCompiles(t *testing.T) {
	for _, v := range policy.Vars() {
		name, want := v.Name, policy.Ref{Scope: v.Scope, Var: v.Var}
		if v.Windowed {
			name, want.Window = v.Name+`("15m")`, 15*time.Minute
		}
		require := map[policy.Kind]string{policy.KindNumber: name + " > 0", policy.KindText: name + " != order.symbol", policy.KindTruth: name}[v.Kind]
		if v.Members != nil {
			require = name + " == " + v.Members[0]
		}
		if want.String() != name {
			t.Errorf("%s is shown as %s", name, want)
		}
		if got := outcome(t, require, table{}); got != policy.CodeNotComputable {
			t.Errorf("%s, missing: %s", require, got)
		}
		value := map[policy.Kind]policy.Value{policy.KindNumber: policy.Count(1), policy.KindText: policy.Text("x"), policy.KindTruth: policy.Truth(true)}[v.Kind]
		if v.Members != nil {
			value = policy.Text(v.Members[0])
		}
		world := table{{Scope: policy.ScopeOrder, Var: policy.OrderSymbol}: policy.Text("y")}
		world[want] = value
		if got := outcome(t, strings.ReplaceAll(require, "!= order.symbol", `!= "y"`), world); got != "passes" {
			t.Errorf("%s, given: %s", require, got)
		}
	}
}

// TestMembersAreTheVocabularys: a member that package hub gets is one that a rule may write.
func TestMembersAreTheVocabularys(t *testing.T) {
	all := func(text func(i uint8) string, from uint8) (names []string) {
		for i := from; !strings.HasPrefix(text(i), "unknown"); i++ {
			names = append(names, text(i))
		}
		return names
	}
	want := map[string][]string{
		"order.direction": {hub.Long.String(), hub.Short.String()}, // an order is never NET
		"order.offset":    all(func(i uint8) string { return hub.Offset(i).String() }, 0),
		"order.type":      all(func(i uint8) string { return hub.OrderType(i).String() }, 1),
		"contract.kind":   all(func(i uint8) string { return hub.Kind(i).String() }, 1),
	}
	for _, v := range policy.Vars() {
		if !slices.Equal(v.Members, want[v.Name]) {
			t.Errorf("%s is one of %v, want %v", v.Name, v.Members, want[v.Name])
		}
	}
}

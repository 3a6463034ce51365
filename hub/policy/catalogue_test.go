package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// varConstants are the names of the constants of type Var.
func varConstants(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var decls []ast.Decl
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, f.Decls...)
	}
	for _, decl := range decls {
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

// TestEveryVarIsInTheCatalogue, under one name for each whose it is.
func TestEveryVarIsInTheCatalogue(t *testing.T) {
	vars := policy.Vars()
	seen := map[policy.Ref]string{}
	names := map[string]bool{}
	numbers := map[policy.Var]bool{}
	for _, v := range vars {
		ref := policy.Ref{Scope: v.Scope, Narrow: v.Narrow, Var: v.Var}
		if other, twice := seen[ref]; twice {
			t.Errorf("%s and %s are one variable", v.Name, other)
		}
		for _, name := range []string{v.Name, v.Also} {
			if names[name] {
				t.Errorf("two variables are named %s", name)
			}
			names[name] = name != ""
			owner, _, _ := strings.Cut(v.Name, ".")
			if name != "" && !strings.HasPrefix(name, owner+".") {
				t.Errorf("%s is also named %s", v.Name, name)
			}
		}
		seen[ref], numbers[v.Var] = v.Name, true
		if v.Meaning == "" || (v.Kind == policy.KindNumber) != (v.Unit != "") {
			t.Errorf("%s is not described: %+v", v.Name, v)
		}
	}
	constants := 0
	for _, name := range varConstants(t) {
		if name != "_" {
			constants++
		}
	}
	if len(numbers) != constants || constants < 60 {
		t.Errorf("%d constants of type Var, and %d numbers of variables", constants, len(numbers))
	}
}

// TestEveryVarCompiles, and is asked of the source as itself, with its window.
func TestEveryVarCompiles(t *testing.T) {
	for _, v := range policy.Vars() {
		name, want := v.Name, policy.Ref{Scope: v.Scope, Narrow: v.Narrow, Var: v.Var}
		switch {
		case v.Windowed:
			name, want.Window = v.Name+`("15m")`, 15*time.Minute
		case v.Sized:
			name, want.Window, want.Least = v.Name+`("today", 5)`, policy.Today, hub.Int(5)
		case v.Published:
			name, want.Name = v.Name+`("var_95")`, "var_95"
		case v.Named:
			name, want.Name = v.Name+`("USDT")`, "USDT"
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
		"session.phase":   all(func(i uint8) string { return hub.Phase(i).String() }, 1),
	}
	for _, owner := range []string{"trader", "fund", "gateway"} {
		want[owner+".state"] = all(func(i uint8) string { return hub.State(i).String() }, 0)
	}
	for _, v := range policy.Vars() {
		if !slices.Equal(v.Members, want[v.Name]) {
			t.Errorf("%s is one of %v, want %v", v.Name, v.Members, want[v.Name])
		}
	}
}

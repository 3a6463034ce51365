package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// nothing imports empty packages: what this test looks for is written in this package's own words, and type-checking everything below it takes a hundred times as long.
type nothing struct{}

// Import implements types.Importer.
func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

// TestPure fails on what could make two decisions about one order differ: goroutines and select, the order of a map, floating point, a package variable that is written to.
func TestPure(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: nothing{}, Error: func(error) {}} // every imported name is an error
	pkg, _ := conf.Check("policy", fset, files, info)
	if pkg == nil || len(info.Types) < 1000 {
		t.Fatal("the package was not checked")
	}
	bad := func(n ast.Node, why string) { t.Errorf("%v: %s", fset.Position(n.Pos()), why) }
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				bad(n, "a goroutine")
			case *ast.SelectStmt:
				bad(n, "a select")
			case *ast.RangeStmt:
				if typ := info.TypeOf(n.X); typ != nil {
					if _, ok := typ.Underlying().(*types.Map); ok {
						bad(n, "range over a map; keep sorted keys beside it")
					}
				}
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if ident, ok := left.(*ast.Ident); ok {
						if v, ok := info.Uses[ident].(*types.Var); ok && v.Parent() == pkg.Scope() {
							bad(n, "a package variable is written to")
						}
					}
				}
			case ast.Expr:
				if typ := info.TypeOf(n); typ != nil {
					if b, ok := typ.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
						bad(n, "floating point")
					}
				}
			}
			return true
		})
	}
}

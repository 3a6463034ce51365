package policy_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

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
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("policy", fset, files, info)
	if err != nil {
		t.Fatal(err)
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
				if _, ok := info.TypeOf(n.X).Underlying().(*types.Map); ok {
					bad(n, "range over a map; keep sorted keys beside it")
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

package calendar_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoLocalTime looks through the whole module for what depends on the zone of the machine: a hub in Shanghai and one that runs in UTC must have the same trading days and show the same times.
func TestNoLocalTime(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") && len(name) > 2 {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".pb.go") {
			return nil
		}
		files++
		for _, wrong := range localTimes(t, path, nil) {
			t.Error(wrong)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files: %v", files, err)
	}
}

// TestLocalTimeIsFound is the other side: each of these lines is one.
func TestLocalTimeIsFound(t *testing.T) {
	for _, line := range []string{
		`_ = time.Local`, `_ = now.Local()`, `_, _ = time.LoadLocation("Local")`, `_, _ = time.LoadLocation("")`, `_ = time.Now().Format("15:04")`, `_ = time.Now().Day()`,
		`_ = time.Now().YearDay() == 1`, `_ = time.Unix(0, 0).Hour()`, `at := time.UnixMilli(5)`,
	} {
		src := "package p\nfunc f() {\n" + line + "\n}\n"
		if found := localTimes(t, "p.go", src); len(found) != 1 {
			t.Errorf("%s: %v", line, found)
		}
	}
	for _, line := range []string{`_ = time.Now().UTC().Format("15:04")`, `_ = time.Unix(0, 0).In(zone)`, `_ = time.Now().Add(5)`, `_ = tick.LocalTime`, `_ = refusal.Local`} {
		src := "package p\nfunc f() {\n" + line + "\n}\n"
		if found := localTimes(t, "p.go", src); len(found) != 0 {
			t.Errorf("%s: %v", line, found)
		}
	}
}

func localTimes(t *testing.T, path string, src any) (wrong []string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(n ast.Node, what string) {
		wrong = append(wrong, fset.Position(n.Pos()).String()+": "+what+" is the machine's zone; write UTC(), or In with the zone of a calendar or a contract")
	}
	// from answers which function of package time makes the value of a call; "" when none does.
	from := func(e ast.Expr) string {
		if call, ok := e.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
					return sel.Sel.Name
				}
			}
		}
		return ""
	}
	clock := map[string]bool{
		"Format": true, "AppendFormat": true, "Date": true, "Clock": true, "Year": true, "Month": true, "Day": true, "Hour": true, "Minute": true, "Weekday": true, "YearDay": true, "ISOWeek": true, "String": true,
	}
	zoned := map[ast.Expr]bool{} // time.Unix whose zone is said
	called := map[ast.Expr]bool{}
	isPackage := func(e ast.Expr, name string) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == name
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			made := from(n.X)
			switch {
			case n.Sel.Name == "Local" && (called[n] || isPackage(n.X, "time")): // and no field of that name
				bad(n, "Local")
			case made == "Now" && clock[n.Sel.Name]:
				bad(n, "time.Now()."+n.Sel.Name)
			case n.Sel.Name == "UTC" || n.Sel.Name == "In":
				zoned[n.X] = true
			}
		case *ast.CallExpr:
			called[n.Fun] = true
			switch made := from(n); {
			case made == "LoadLocation" && len(n.Args) == 1:
				if name, ok := n.Args[0].(*ast.BasicLit); ok && (name.Value == `"Local"` || name.Value == `""`) {
					bad(n, "LoadLocation of "+name.Value)
				}
			case strings.HasPrefix(made, "Unix") && !zoned[n] && !strings.HasSuffix(path, "_test.go"):
				bad(n, "time."+made)
			}
		}
		return true
	})
	return wrong
}

package hub_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"tradehub/hub"
)

// passing are the functions that hand a form on which is not theirs; their own callers are looked at instead.
var passing = map[string]int{"badRequest.add": 1, "unamendable.no": 0}

// forms finds every form of a sentence in the source, with a place of it.
func forms(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	files := token.NewFileSet()
	for _, root := range []string{".", "../cmd/hub", "../rpc"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "say.go" {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				ast.Inspect(f, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if !ok {
						return true
					}
					at, ok := formOf(f, call)
					if !ok || len(call.Args) <= at {
						return true
					}
					lit, ok := call.Args[at].(*ast.BasicLit)
					if !ok {
						if !handsOn(f, call.Args[at]) {
							t.Errorf("%s: the form of a sentence is not written here: chinese.go cannot have it", files.Position(call.Pos()))
						}
						return true
					}
					form, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					found[form] = files.Position(call.Pos()).String()
					return true
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// formOf is which argument of a call is a form.
func formOf(f *ast.FuncDecl, call *ast.CallExpr) (int, bool) {
	name := ""
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		if x, ok := fun.X.(*ast.Ident); !ok || x.Name != "hub" {
			return 0, false
		}
		name = fun.Sel.Name
	case *ast.Ident:
		name = fun.Name
		if at, ok := passing[f.Name.Name+"."+name]; ok {
			return at, true
		}
	}
	switch name {
	case "Say":
		return 0, true
	case "Refuse":
		return 1, true
	}
	return 0, false
}

// handsOn: the form is the parameter of one of the functions that hand it on.
func handsOn(f *ast.FuncDecl, arg ast.Expr) bool {
	x, ok := arg.(*ast.Ident)
	if !ok || x.Name != "format" {
		return false
	}
	for name := range passing {
		if strings.HasPrefix(name, f.Name.Name+".") {
			return true
		}
	}
	return false
}

var verbForm = regexp.MustCompile(`%(\[(\d+)\])?([a-z%])`)

// verbs are what a form does with each of its arguments.
func verbs(t *testing.T, form string) []string {
	t.Helper()
	var all []string
	next := 1
	for _, m := range verbForm.FindAllStringSubmatch(form, -1) {
		if m[3] == "%" {
			continue
		}
		if m[2] != "" {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			next = n
		}
		all = append(all, strconv.Itoa(next)+m[3])
		next++
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestEverySentenceIsInBothLanguages: whoever adds one adds the other.
func TestEverySentenceIsInBothLanguages(t *testing.T) {
	used := forms(t)
	if len(used) < 60 {
		t.Fatalf("%d sentences are found: too few", len(used))
	}
	table := hub.ChineseForms()
	for form, place := range used {
		zh, ok := table[form]
		if !ok {
			t.Errorf("%s: chinese.go has no %q", place, form)
			continue
		}
		if got, want := verbs(t, zh), verbs(t, form); !slices.Equal(got, want) {
			t.Errorf("%s: %q says %v, and in Chinese %q says %v", place, form, want, zh, got)
		}
		if words := verbForm.ReplaceAllString(form, ""); strings.ContainsFunc(words, unicode.IsLetter) && !strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: the Chinese of %q is %q", place, form, zh)
		}
	}
	for form := range table {
		if _, ok := used[form]; !ok {
			t.Errorf("chinese.go has %q, which nobody says", form)
		}
	}
}

func isChinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// textOf is what an expression says, with X for what is not known before it runs; "" when nothing is.
func textOf(e ast.Expr) (text string, known bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		a, knownA := textOf(e.X)
		b, knownB := textOf(e.Y)
		return a + b, knownA || knownB
	}
	return "X", false
}

// TestWhyAValueIsMissing: a trader reads why a rule could not be computed, and the core says that as a text.
func TestWhyAValueIsMissing(t *testing.T) {
	sources, err := filepath.Glob("core/*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	files := token.NewFileSet()
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			case *ast.Ident:
				name = fun.Name
			}
			if name != "Missing" && name != "price" && name != "bestPrice" {
				return true
			}
			for _, arg := range call.Args {
				text, known := textOf(arg)
				if !known {
					continue
				}
				n++
				if zh := hub.InLang(text, hub.Chinese); !isChinese(zh) {
					t.Errorf("%s: chinese.go has no %q", files.Position(arg.Pos()), text)
				}
			}
			return true
		})
	}
	if n < 30 {
		t.Errorf("%d texts are found: too few", n)
	}
}

// TestFixedTexts: every one is said somewhere, no pattern hides another, and names of what traders know have a Chinese one.
func TestFixedTexts(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "core/*.go", "host/*.go", "policy/*.go", "runner/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") || path == "chinese.go" {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	for text, zh := range hub.ChineseTexts() {
		if !strings.Contains(source.String(), strconv.Quote(text)) {
			t.Errorf("chinese.go has %q, which nobody says", text)
		}
		if !isChinese(zh) || hub.InLang(text, hub.Chinese) != zh || hub.InLang(text, hub.English) != text {
			t.Errorf("%q is %q", text, zh)
		}
	}
	for _, form := range hub.ChinesePatterns() {
		pieces := strings.Split(form, "%s")
		longest := slices.MaxFunc(pieces, func(a, b string) int { return len(a) - len(b) })
		if !strings.Contains(source.String(), longest) {
			t.Errorf("chinese.go has %q, and nobody says %q", form, longest)
		}
		text := form
		for i := range pieces[1:] {
			text = strings.Replace(text, "%s", "V"+strconv.Itoa(i), 1)
		}
		zh := hub.InLang(text, hub.Chinese)
		for i := range pieces[1:] {
			if !isChinese(zh) || strings.Count(zh, "V"+strconv.Itoa(i)) != 1 {
				t.Errorf("%q is %q", text, zh)
			}
		}
		if hub.InLang(text, hub.English) != text {
			t.Errorf("%q is not English any more", text)
		}
	}
	for _, name := range []any{
		hub.Long, hub.Short, hub.Net, hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday, hub.Limit, hub.Market, hub.Stop, hub.Submitted, hub.Accepted, hub.Resting, hub.PartFilled, hub.Filled,
		hub.Cancelled, hub.Rejected, hub.Active, hub.ReduceOnly, hub.CancelOnly, hub.Halted, hub.OverrideAsked, hub.OverrideApproved, hub.OverrideUsed, hub.OverrideExpired, hub.OverrideWithdrawn, hub.OverrideVoid,
	} {
		if zh := hub.Say("%s", name).In(hub.Chinese); !isChinese(zh) {
			t.Errorf("%v is %q", name, zh)
		}
	}
}

// TestTextsWithinTexts: what stands in a text is said in Chinese, too, as far as that is known.
func TestTextsWithinTexts(t *testing.T) {
	for text, want := range map[string]string{
		"not sent: gateway SIM is down: its process died: signal: killed": "未发出：接口 SIM 已断开：进程已终止：signal: killed",
		"gateway SIM is down: it is starting":                             "接口 SIM 已断开：正在启动",
		"insufficient funds":                                              "insufficient funds",
		"":                                                                "",
	} {
		if got := hub.InLang(text, hub.Chinese); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

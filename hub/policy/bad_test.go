package policy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tradehub/hub"
	"tradehub/hub/policy"
)

var update = flag.Bool("update", false, "write what is, instead of comparing with what should be")

const errorsFile = "errors"

// TestBad compiles the files of each archive under testdata/bad, one defect in each, and compares what Compile says with the archive's last file. After a change of a message:
// go test ./hub/policy -run TestBad -update, and read the diff.
func TestBad(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want := split(archive)
			rules, errs := policy.Compile(files)
			if rules != nil || len(errs) == 0 {
				t.Fatal("compiles; it should not")
			}
			slices.Reverse(files)
			if _, again := policy.Compile(files); !slices.Equal(errs, again) {
				t.Errorf("the order of files changes what is said:\n%s", cmp.Diff(lines(errs), lines(again)))
			}
			got := lines(errs)
			if *update {
				rewrite(t, name, archive, got)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// split takes an archive apart. A file whose text is one line that begins with "!" is made by raw, since an archive cannot hold it.
func split(archive *txtar.Archive) (files []hub.PolicyFile, want string) {
	for _, f := range archive.Files {
		if f.Name == errorsFile {
			want = string(f.Data)
			continue
		}
		text := string(f.Data)
		if line, ok := strings.CutPrefix(text, "!"); ok {
			text = raw(strings.TrimSpace(line))
		}
		files = append(files, hub.PolicyFile{Name: f.Name, Text: text})
	}
	return files, want
}

// raw makes the texts that an archive cannot hold.
func raw(what string) string {
	const head = "policy: fund\nrules:\n"
	switch what {
	case "nothing":
		return ""
	case "invalid utf-8":
		return "policy: fund\n# r\xe9gle\nrules:\n"
	case "utf-16":
		return "\xff\xfep\x00o\x00"
	case "zero byte":
		return "policy: fund\x00\n"
	case "unseen characters":
		return "policy: fund\n# a\u202eb\nrules:\n  - name: a\n    require: order.value\u200b <= 5\n"
	case "carriage return":
		return "policy: fund\rrules:\n"
	case "too long":
		return strings.Repeat("# 34567\n", policy.MaxFileBytes/8) + "\n"
	case "too many rules":
		var b strings.Builder
		b.WriteString(head)
		for i := range policy.MaxRules + 1 {
			fmt.Fprintf(&b, "  - {name: r%d, require: order.value <= %d}\n", i, i)
		}
		return b.String()
	case "too many limits":
		var b strings.Builder
		b.WriteString("policy: fund\nlimits:\n")
		for i := range policy.MaxLimits + 1 {
			fmt.Fprintf(&b, "  l%d: %d\n", i, i)
		}
		return b.String() + "rules:\n  - {name: a, require: order.value <= limits.l1}\n"
	case "too many nodes":
		var b strings.Builder
		b.WriteString(head)
		sum := "order.value" + strings.Repeat(" + 1", 900)
		for i := range 6 {
			fmt.Fprintf(&b, "  - {name: r%d, require: %s <= %d}\n", i, sum, i)
		}
		return b.String()
	case "too many steps":
		var b strings.Builder
		b.WriteString(head)
		sum := "order.value" + strings.Repeat(" + fund.capital", 440)
		for i := range 6 {
			fmt.Fprintf(&b, "  - {name: r%d, require: %s <= %d}\n", i, strings.TrimSuffix(sum, strings.Repeat(" + fund.capital", 10*i)), i)
		}
		return b.String()
	case "too many windows":
		var b strings.Builder
		b.WriteString(head)
		for i := range policy.MaxWindows + 1 {
			fmt.Fprintf(&b, "  - name: r%d\n    require: trader.orders(\"%ds\") <= 5\n", i, i+1)
		}
		return b.String()
	case "long expression":
		return head + "  - name: a\n    require: order.value <= 5 and order.value <= " + strings.Repeat("1", policy.MaxExpression) + "\n"
	case "many nodes":
		return head + "  - name: a\n    require: order.value" + strings.Repeat("+1", policy.MaxNodes) + " <= 5\n"
	case "doubling":
		inner := "order.value"
		for range 40 {
			inner = "(0 < " + inner + " < 9 ? 1 : 2)"
		}
		return head + "  - name: a\n    require: \"" + inner + " <= 5\"\n"
	case "deep brackets":
		return head + "  - name: a\n    require: " + strings.Repeat("(", 100) + "order.value" + strings.Repeat(")", 100) + " <= 5\n"
	case "deep yaml":
		return "policy: " + strings.Repeat("[", 100_000)
	case "windows editor":
		return "\ufeffpolicy: fund\r\nrules:\r\n  - name: a\r\n    require: >\r\n      order.value\r\n      <= limits.x\r\n"
	case "long because":
		return head + "  - name: a\n    require: order.value <= 5\n    because: " + strings.Repeat("x", policy.MaxBecause+1) + "\n"
	}
	panic("unknown: " + what)
}

func lines(errs []policy.Error) string {
	var b strings.Builder
	for _, e := range errs {
		b.WriteString(e.String() + "\n")
	}
	return b.String()
}

func rewrite(t *testing.T, name string, archive *txtar.Archive, errs string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == errorsFile })
	archive.Files = append(archive.Files, txtar.File{Name: errorsFile, Data: []byte(errs)})
	if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// TestDiff compares the files below old/ of each archive under testdata/diff with those below new/, there and back: go test ./hub/policy -run TestDiff -update, and read the diff.
func TestDiff(t *testing.T) {
	names, err := filepath.Glob("testdata/diff/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			last := &archive.Files[len(archive.Files)-1]
			files := map[string][]hub.PolicyFile{}
			for _, f := range archive.Files[:len(archive.Files)-1] {
				side, name, _ := strings.Cut(f.Name, "/")
				files[side] = append(files[side], hub.PolicyFile{Name: name, Text: string(f.Data)})
			}
			before, after := compiledFor(t, files["old"]), compiledFor(t, files["new"])
			got := "there:\n" + inWords(policy.Diff(before, after)) + "back:\n" + inWords(policy.Diff(after, before))
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(last.Data), got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func compiledFor(t testing.TB, files []hub.PolicyFile) *policy.Rules {
	t.Helper()
	rules, errs := policy.Compile(files)
	if len(errs) > 0 {
		t.Fatal("does not compile:\n" + lines(errs))
	}
	return rules
}

func inWords(changes []policy.Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(c.Text + "\n")
	}
	return b.String()
}

// TestDiffOfOne: what Diff says of one rule that has become another is so of every order.
func TestDiffOfOne(t *testing.T) {
	said := map[policy.Effect]int{}
	rapid.Check(t, func(t *rapid.T) {
		a, b := simpleTruth(t, 1), simpleTruth(t, 1)
		if rapid.Bool().Draw(t, "a number only") {
			b = strings.NewReplacer("limits.a", "limits.b", " 1", " 2", " 2", " 3").Replace(a)
		}
		var rules [2]*policy.Rules
		for i, condition := range []string{a, b} {
			compiled, errs := policy.Compile([]hub.PolicyFile{alphaPasses, {
				Name: "fund.yaml", Text: "policy: fund\nlimits: {a: 2, b: 3}\nrules:\n  - name: r\n    require: |\n      " + condition + "\n",
			}})
			if len(errs) > 0 {
				t.Skip(lines(errs))
			}
			rules[i] = compiled
		}
		changes := policy.Diff(rules[0], rules[1])
		if len(changes) > 1 {
			t.Fatalf("one rule, and %d changes:\n%s", len(changes), inWords(changes))
		}
		effect := policy.NoEffect
		if len(changes) == 1 {
			effect = changes[0].Effect
		}
		said[effect]++
		for range 30 {
			source := drawSimple(t)
			source[policy.Ref{Scope: policy.ScopeOrder, Var: policy.OrderTrader}] = policy.Text("alpha")
			before, after := codes(rules[0].Decide("alpha", source)), codes(rules[1].Decide("alpha", source))
			if strings.Contains(before+after, policy.CodeNotComputable) || before == after {
				continue
			}
			if effect == policy.NoEffect || effect == policy.Looser && before == "" || effect == policy.Tighter && after == "" {
				t.Fatalf("%s, and an order that got %q gets %q:\n%s\n%s\n%s", effect, before, after, a, b, describe(source))
			}
		}
	})
	for _, effect := range []policy.Effect{policy.NoEffect, policy.Looser, policy.Tighter, policy.Unknown} {
		if said[effect] == 0 && !t.Failed() {
			t.Errorf("never %s: %v", effect, said)
		}
	}
}

func codes(refusals []hub.Refusal) string {
	var all []string
	for _, r := range refusals {
		all = append(all, r.Code)
	}
	return strings.Join(all, " ")
}

package veighna

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradehub/rpc/veighna/pickle"
)

// TestTables compares the tables of this package, which no exported name shows, with the classes of every VeighNa since 2.0.3.
func TestTables(t *testing.T) {
	manifests, err := filepath.Glob("testdata/old_versions/*/manifest.json")
	if err != nil || len(manifests) != 14 {
		t.Fatalf("got %d manifests, %v; want 14", len(manifests), err)
	}
	layouts := []*layout{
		&tickLayout, &barLayout, &orderLayout, &tradeLayout, &positionLayout, &accountLayout, &logLayout, &contractLayout,
		&subscribeLayout, &requestLayout, &cancelLayout, &historyLayout,
	}
	enums := []*enum{&directions, &offsets, &orderTypes, &statuses, &products, &optionTypes, &intervals}
	for _, path := range manifests {
		version := filepath.Base(filepath.Dir(path))
		t.Run(version, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var m struct {
				Classes map[string][]string
				Enums   map[string]map[string]string
			}
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatal(err)
			}
			if version == "4.3.0" { // 4.4.0 and 4.5.0 have the same
				for _, l := range layouts {
					if diff := cmp.Diff(m.Classes[l.class], l.keys); diff != "" {
						t.Errorf("%s: %s", l.class, diff)
					}
				}
			}
			for _, e := range enums {
				if len(m.Enums[e.class]) == 0 {
					t.Fatalf("no %s in the manifest", e.class)
				}
				for name, value := range m.Enums[e.class] {
					byName, okName := e.read(&pickle.Class{Module: moduleConstant, Name: e.class + "." + name})
					byValue, okValue := e.read(&pickle.Object{Class: &pickle.Class{Module: moduleConstant, Name: e.class}, Args: pickle.Tuple{value}})
					if !okName || !okValue || byName != byValue || e.members[byName].name != name {
						t.Errorf("%s.%s: got %d %v by name, %d %v by value", e.class, name, byName, okName, byValue, okValue)
					}
				}
			}
			for name, value := range m.Enums["Exchange"] {
				byName, okName := readExchange(&pickle.Class{Module: moduleConstant, Name: "Exchange." + name})
				byValue, okValue := readExchange(&pickle.Object{Class: &pickle.Class{Module: moduleConstant, Name: "Exchange"}, Args: pickle.Tuple{value}})
				if !okName || !okValue || byName != byValue {
					t.Errorf("Exchange.%s: got %q %v by name, %q %v by value", name, byName, okName, byValue, okValue)
				}
				if version == "4.3.0" && !KnownExchange(value) {
					t.Errorf("Exchange.%s is not written", name)
				}
			}
			if version == "4.3.0" && len(m.Enums["Exchange"]) != len(exchangeNames) {
				t.Errorf("got %d exchanges, want %d", len(exchangeNames), len(m.Enums["Exchange"]))
			}
		})
	}
}

// TestEnglish reads every member as an English VeighNa writes it.
func TestEnglish(t *testing.T) {
	data, err := os.ReadFile("testdata/pickles/py3.12.1-en-p4/rep_all_enums.pkl")
	if err != nil {
		t.Fatal(err)
	}
	v, err := pickle.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	enums := []*enum{&directions, &offsets, &orderTypes, &statuses, &products, &optionTypes, &intervals}
	seen := 0
	for _, list := range v.(*pickle.List).Items[1].(*pickle.List).Items {
		items := list.(*pickle.List).Items
		class := items[0].(*pickle.Object).Class.Name
		i := slices.IndexFunc(enums, func(e *enum) bool { return e.class == class })
		if i < 0 {
			continue // Exchange, Currency
		}
		for _, item := range items {
			got, ok := enums[i].read(item)
			if value := item.(*pickle.Object).Args[0].(string); !ok || enums[i].value(got, English) != value {
				t.Errorf("%s(%q): got %d, %v", class, value, got, ok)
			}
			seen++
		}
	}
	if seen < 38 {
		t.Errorf("got %d members, want at least 38", seen)
	}
}

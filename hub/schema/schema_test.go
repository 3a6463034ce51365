package schema_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/policy"
	"tradehub/hub/policytest"
	"tradehub/hub/schema"
)

// kind is one of the three sorts of files, with its schema and its parser.
type kind struct {
	name   string
	schema *jsonschema.Schema
	// wrong is what the parser says of the file; files are those that it stands among.
	wrong func(name, text string, files []hub.PolicyFile) []string
}

func kinds(t *testing.T) map[string]kind {
	compile := func(name string, text []byte) *jsonschema.Schema {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name, document); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile(name) // which holds it against draft 7's own schema
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return map[string]kind{
		"policy": {"policy", compile("policy.json", schema.Policy()), func(name, _ string, files []hub.PolicyFile) (all []string) {
			_, errs := policy.Compile(files)
			for _, e := range errs {
				if e.File == name {
					all = append(all, e.String())
				}
			}
			return all
		}},
		"test": {"test", compile("test.json", schema.Test()), func(name, text string, _ []hub.PolicyFile) (all []string) {
			_, errs := policytest.Read(name, text)
			for _, e := range errs {
				all = append(all, e.String())
			}
			return all
		}},
		"folder": {"folder", compile("folder.json", schema.Policies()), nil},
		"config": {"config", compile("hub.json", schema.Config()), func(name, text string, _ []hub.PolicyFile) (all []string) {
			_, errs := config.Parse(name, []byte(text))
			for _, e := range errs {
				all = append(all, e.Error())
			}
			return all
		}},
	}
}

// file is one file of the tree, or of an archive or page in it.
type file struct {
	kind, name, text string
	files            []hub.PolicyFile // policies that stand with it
	shipped          bool             // for users, and right
}

// everything is every policy, test and configuration that there is in the tree: shipped ones, those of the guides, and those of the tests, most of which have a defect.
func everything(t *testing.T) []file {
	var all []file
	add := func(where string, shipped bool, files []txtar.File) {
		var policies []hub.PolicyFile
		for _, f := range files {
			if kindOf(f.Name, string(f.Data)) == "policy" {
				policies = append(policies, hub.PolicyFile{Name: f.Name, Text: string(f.Data)})
			}
		}
		for _, f := range files {
			if kind := kindOf(f.Name, string(f.Data)); kind != "" {
				all = append(all, file{kind, where + "#" + f.Name, string(f.Data), policies, shipped})
			}
		}
	}
	for _, pattern := range []string{"../policy/testdata/*/*.txt", "../policy/format/testdata/*.txt", "../config/testdata/*/*.txt", "../policytest/testdata/*/*.txt", "../../cmd/hub/testdata/script/*.txt"} {
		for _, name := range glob(t, pattern) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			add(name, false, archive.Files)
		}
	}
	folders := map[string][]txtar.File{}
	for _, pattern := range []string{"../../policies/*.yaml", "../../policies/*/*.yaml", "../../examples/*/*.yaml", "../../examples/*/*/*.yaml", "../../examples/*/*/*/*.yaml"} {
		for _, name := range glob(t, pattern) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			folder := strings.Join(strings.Split(filepath.ToSlash(name), "/")[:3], "/")
			below, err := filepath.Rel(folder, name)
			if err != nil {
				t.Fatal(err)
			}
			folders[folder] = append(folders[folder], txtar.File{Name: strings.TrimPrefix(below, "policies/"), Data: text})
		}
	}
	for folder, files := range folders {
		add(folder, true, files)
	}
	for _, page := range []string{"policies.md", "policy-tests.md", "policy-tools.md"} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for i, piece := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
			add(fmt.Sprintf("%s, piece %d", page, i+1), false, []txtar.File{{Name: "piece.yaml", Data: piece[1]}})
		}
	}
	return all
}

func glob(t *testing.T, pattern string) []string {
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

var top = func(key string) *regexp.Regexp { return regexp.MustCompile(`(?m)^` + key + `:`) }

// kindOf guesses what a file is; "" for none of the three.
func kindOf(name, text string) string {
	switch {
	case !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".txt") || strings.HasPrefix(text, "!"):
		return ""
	case top("data").MatchString(text) && top("fund").MatchString(text):
		return "config"
	case top("policy").MatchString(text):
		return "policy"
	case top("tests").MatchString(text):
		return "test"
	}
	return ""
}

// readings are what YAML 1.1, as the hub reads, and YAML 1.2, as editors read, make of a node.
func readings(n *yaml.Node) []any { return []any{read(n, false), read(n, true)} }

var (
	integer = regexp.MustCompile(`^[-+]?[0-9]+$`)
	decimal = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

func read(n *yaml.Node, core bool) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = read(n.Content[i+1], core)
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, read(item, core))
		}
		return list
	case yaml.ScalarNode, yaml.AliasNode, yaml.DocumentNode:
	}
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	digits := n.Value
	if !core {
		digits = strings.ReplaceAll(digits, "_", "")
	}
	switch {
	case !plain:
	case n.Tag == "!!null":
		return nil
	case n.Value == "true" || n.Value == "false":
		return n.Value == "true"
	case n.Tag != "!!str" && n.Tag != "!!timestamp" && (integer.MatchString(digits) || decimal.MatchString(digits)):
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return f
		}
	}
	return n.Value
}

func tree(text string) *yaml.Node {
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&document); err != nil || len(document.Content) != 1 {
		return nil
	}
	return document.Content[0]
}

// refused is what a schema says against a file, as one of its readings; nil when nothing.
func refused(s *jsonschema.Schema, n *yaml.Node) error {
	for _, reading := range readings(n) {
		if err := s.Validate(reading); err != nil {
			return err
		}
	}
	return nil
}

// TestAgrees: what the hub takes the schemas take, for every file that there is.
func TestAgrees(t *testing.T) {
	all := kinds(t)
	seen, rejected := map[string]int{}, map[string]int{}
	for _, f := range everything(t) {
		k := all[f.kind]
		n := tree(f.text)
		if n == nil {
			continue
		}
		seen[f.kind]++
		err := refused(k.schema, n)
		if f.kind != "config" {
			if folder := refused(all["folder"].schema, n); (folder == nil) != (err == nil) {
				t.Errorf("%s: the schema of its kind says %v, that of the folder %v", f.name, err, folder)
			}
		}
		if err == nil {
			continue
		}
		rejected[f.kind]++
		_, name, _ := strings.Cut(f.name, "#")
		if wrong := k.wrong(name, f.text, f.files); len(wrong) == 0 || f.shipped {
			t.Errorf("%s: the %s is right, and the schema says:\n%v", f.name, f.kind, err)
		}
	}
	t.Log(seen, rejected)
	for kind, least := range map[string]int{"policy": 120, "test": 8, "config": 40} {
		if seen[kind] < least {
			t.Errorf("only %d files of the kind %s", seen[kind], kind)
		}
	}
	for kind, least := range map[string]int{"policy": 20, "config": 10} {
		if rejected[kind] < least {
			t.Errorf("of the kind %s only %d are refused", kind, rejected[kind])
		}
	}
}

// TestStrangers: in whatever mapping of a right file the hub refuses a key that it does not know, the schema does, too.
func TestStrangers(t *testing.T) {
	all := kinds(t)
	closed := map[string]int{}
	tried := map[string]int{} // by the way to a mapping, without the numbers of lists: the same one three times is enough
	for _, f := range everything(t) {
		k := all[f.kind]
		_, name, _ := strings.Cut(f.name, "#")
		root := tree(f.text)
		if root == nil || refused(k.schema, root) != nil || len(k.wrong(name, f.text, f.files)) > 0 {
			continue
		}
		var walk func(n *yaml.Node, path string)
		walk = func(n *yaml.Node, path string) {
			if n.Kind == yaml.MappingNode && tried[path] < 3 {
				tried[path]++
				before := n.Content
				n.Content = append(slices.Clone(before), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "strange_key"}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"})
				text, err := yaml.Marshal(root)
				if err != nil {
					t.Fatal(err)
				}
				files := slices.Clone(f.files)
				for i := range files {
					if files[i].Name == name {
						files[i].Text = string(text)
					}
				}
				if wrong := strings.Join(k.wrong(name, string(text), files), "\n"); strings.Contains(wrong, "unknown key") || strings.Contains(wrong, "no such key") {
					closed[f.kind]++
					if refused(k.schema, root) == nil {
						t.Errorf("%s: line %d: the hub refuses a strange key, the schema does not:\n%s", f.name, n.Line, wrong)
					}
				}
				n.Content = before
			}
			for i, child := range n.Content {
				if n.Kind == yaml.MappingNode && i%2 == 1 {
					walk(child, path+"."+n.Content[i-1].Value)
				} else {
					walk(child, path)
				}
			}
		}
		walk(root, f.kind)
	}
	t.Log(closed)
	for kind, least := range map[string]int{"policy": 10, "test": 40, "config": 20} {
		if closed[kind] < least {
			t.Errorf("of the kind %s only %d mappings", kind, closed[kind])
		}
	}
}

// TestKnown: every key that the parser of policies has in its table is a property, with a sentence for the editor.
func TestKnown(t *testing.T) {
	text := string(schema.Policies())
	var walk func(all []policy.FileKey)
	walk = func(all []policy.FileKey) {
		for _, k := range all {
			if k.Meaning == "" || !strings.Contains(text, strconv.Quote(k.Name)+": {") && !strings.Contains(text, strconv.Quote(k.Name)+": false") || !strings.Contains(text, strings.Trim(strconv.Quote(k.Meaning), `"`)) {
				t.Errorf("%s is not there, or without its meaning", k.Name)
			}
			walk(k.Keys)
		}
	}
	walk(policy.Keys())
	for part, known := range policytest.Keys() {
		for _, k := range known {
			if !strings.Contains(text, strconv.Quote(k.Name)+": {") {
				t.Errorf("%s of a %s of a test is not there", k.Name, part)
			}
		}
	}
}

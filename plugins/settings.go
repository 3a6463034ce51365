package plugins

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/spell"
)

// Settings are a plugin's own lines of the configuration: names with a text, a list of texts, or Settings of their own. A number is the text that was
// written, so that a decimal loses nothing on its way.
//
// A plugin reads them all in Start and then asks Err, which names everything that is wrong at once: what is not a number, what the plugin
// has a Problem with, and every name that was never read, since it is most likely a misspelt one. The zero Settings are empty. Settings are not
// safe for use by several goroutines.
type Settings struct{ of *settings }

type settings struct {
	path     string
	values   map[string]any // string, []string or *settings
	read     map[string]bool
	problems map[string]string // by full name; shared by the whole tree
}

func newSettings(path string, problems map[string]string) *settings {
	return &settings{path: path, values: map[string]any{}, read: map[string]bool{}, problems: problems}
}

// NewSettings makes Settings of values that are strings, booleans, integers, Decimals, durations, lists of these, or maps like this one.
// A nil value is as if it were not there. Floats are refused: write the number as a string.
func NewSettings(values map[string]any) (Settings, error) {
	s := newSettings("", map[string]string{})
	if err := s.fill(values); err != nil {
		return Settings{}, err
	}
	return Settings{s}, nil
}

// MustSettings is NewSettings for literals in tests; it panics on a bad one.
func MustSettings(values map[string]any) Settings {
	s, err := NewSettings(values)
	if err != nil {
		panic(err)
	}
	return s
}

func (s *settings) fill(values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := s.set(name, values[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s *settings) set(name string, value any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]any:
		nested := newSettings(s.path+name+".", s.problems)
		s.values[name] = nested
		return nested.fill(v)
	case []string:
		s.values[name] = slices.Clone(v)
		return nil
	case []any:
		list := make([]string, len(v))
		for i, element := range v {
			text, err := scalar(element)
			if err != nil {
				return fmt.Errorf("%s%s[%d]: %w", s.path, name, i, err)
			}
			list[i] = text
		}
		s.values[name] = list
		return nil
	}
	text, err := scalar(value)
	if err != nil {
		return fmt.Errorf("%s%s: %w", s.path, name, err)
	}
	s.values[name] = text
	return nil
}

func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool, int, int32, int64, uint, uint32, uint64:
		return fmt.Sprint(v), nil
	case hub.Decimal:
		return v.String(), nil
	case time.Duration:
		return v.String(), nil
	default:
		return "", fmt.Errorf("a setting cannot be a %T", value)
	}
}

// Keys returns the names that are there, sorted; for maps whose names are data, such as a rate per product.
func (s Settings) Keys() []string {
	if s.of == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.of.values))
}

// Has reports whether there is a setting of this name. It does not count as reading it.
func (s Settings) Has(name string) bool {
	if s.of == nil {
		return false
	}
	_, there := s.of.values[name]
	return there
}

// Problem records that the setting is wrong, for Err; text says what is wanted, such as "must be positive". The first problem of a name stays.
// Only the zero Settings, which no plugin is ever given, cannot record one, and panic.
func (s Settings) Problem(name, text string) {
	if s.of == nil {
		panic("plugins: Problem of Settings that are empty: these are the zero Settings")
	}
	full := s.of.path + name
	if _, known := s.of.problems[full]; !known {
		s.of.problems[full] = text
	}
}

// Err returns everything that is wrong so far, sorted by name, as one error; nil when all is well. Names that were not read count as wrong.
func (s Settings) Err() error {
	if s.of == nil {
		return nil
	}
	wrong := maps.Clone(s.of.problems)
	s.of.unread(wrong)
	errs := make([]error, 0, len(wrong))
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		errs = append(errs, fmt.Errorf("%s: %s", name, wrong[name]))
	}
	return errors.Join(errs...)
}

func (s *settings) unread(wrong map[string]string) {
	for name, value := range s.values {
		if !s.read[name] {
			wrong[s.path+name] = "unknown setting" + didYouMean(name, s.read)
			continue
		}
		if nested, is := value.(*settings); is {
			nested.unread(wrong)
		}
	}
}

// get returns the text of a setting and whether there is one; a list or a map in its place is a problem.
func (s Settings) get(name, want string) (string, bool) {
	if s.of == nil {
		return "", false
	}
	s.of.read[name] = true
	value, there := s.of.values[name]
	if !there {
		return "", false
	}
	text, is := value.(string)
	if !is {
		s.Problem(name, "must be "+want)
		return "", false
	}
	return text, true
}

// String returns a text, or def when the setting is not there.
func (s Settings) String(name, def string) string {
	if text, there := s.get(name, "a text"); there {
		return text
	}
	return def
}

// Int returns a whole number, or def when the setting is not there.
func (s Settings) Int(name string, def int64) int64 {
	text, there := s.get(name, "a whole number")
	if !there {
		return def
	}
	n, err := strconv.ParseInt(digits(text), 10, 64)
	if err != nil {
		s.Problem(name, fmt.Sprintf("%q is not a whole number", text))
		return def
	}
	return n
}

// Decimal returns an exact number, or def when the setting is not there.
func (s Settings) Decimal(name string, def hub.Decimal) hub.Decimal {
	text, there := s.get(name, "a number")
	if !there {
		return def
	}
	d, err := hub.ParseDecimal(digits(text))
	if err != nil {
		s.Problem(name, err.Error())
		return def
	}
	return d
}

// Duration returns a time span such as "250ms", or def when the setting is not there.
func (s Settings) Duration(name string, def time.Duration) time.Duration {
	text, there := s.get(name, `a duration such as "250ms"`)
	if !there {
		return def
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.Problem(name, fmt.Sprintf("%q is not a duration such as \"250ms\"", text))
		return def
	}
	return d
}

// Bool returns true or false, or def when the setting is not there.
func (s Settings) Bool(name string, def bool) bool {
	text, there := s.get(name, "true or false")
	if !there {
		return def
	}
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	s.Problem(name, fmt.Sprintf("%q is not true or false", text))
	return def
}

// List returns a list of texts; nil when the setting is not there.
func (s Settings) List(name string) []string {
	if s.of == nil {
		return nil
	}
	s.of.read[name] = true
	switch value := s.of.values[name].(type) {
	case nil:
		return nil
	case []string:
		return slices.Clone(value)
	default:
		s.Problem(name, "must be a list")
		return nil
	}
}

// Map returns the Settings below a name; empty ones when the setting is not there. What is wrong in them is in the Err of both.
func (s Settings) Map(name string) Settings {
	if s.of == nil {
		return Settings{}
	}
	s.of.read[name] = true
	switch value := s.of.values[name].(type) {
	case *settings:
		return Settings{value}
	case nil:
	default:
		s.Problem(name, "must be a map of names and values")
	}
	return Settings{newSettings(s.of.path+name+".", s.of.problems)}
}

// digits takes out the underscores of 2_000_000, which YAML allows in numbers.
func digits(text string) string {
	if strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") {
		return text
	}
	return strings.ReplaceAll(text, "_", "")
}

// MarshalJSON writes an object whose leaves are strings.
func (s Settings) MarshalJSON() ([]byte, error) { return json.Marshal(s.tree()) }

func (s Settings) tree() map[string]any {
	if s.of == nil {
		return map[string]any{}
	}
	tree := make(map[string]any, len(s.of.values))
	for name, value := range s.of.values {
		if nested, is := value.(*settings); is {
			value = Settings{nested}.tree()
		}
		tree[name] = value
	}
	return tree
}

// UnmarshalJSON reads what MarshalJSON writes; numbers keep their text.
func (s *Settings) UnmarshalJSON(data []byte) error {
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return err
	}
	read, err := NewSettings(values)
	*s = read
	return err
}

// UnmarshalYAML reads a YAML map, keeping every scalar as it is written.
func (s *Settings) UnmarshalYAML(node *yaml.Node) error {
	value, err := fromYAML(node)
	if err != nil {
		return err
	}
	switch v := value.(type) {
	case nil:
		*s = Settings{newSettings("", map[string]string{})}
		return nil
	case map[string]any:
		read, err := NewSettings(v)
		*s = read
		return err
	default:
		return fmt.Errorf("line %d: settings must be a map of names and values", node.Line)
	}
}

func fromYAML(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.AliasNode:
		return fromYAML(node.Alias)
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return any(nil), nil
		}
		return node.Value, nil
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, element := range node.Content {
			if element.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("line %d: an element of a list must be a text or a number", element.Line)
			}
			list[i] = element.Value
		}
		return list, nil
	case yaml.MappingNode:
		return mapFromYAML(node)
	case yaml.DocumentNode: // never inside of another node
	}
	return nil, fmt.Errorf("line %d: settings must be a map of names and values", node.Line)
}

func mapFromYAML(node *yaml.Node) (any, error) {
	values := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		if name.Tag == "!!merge" {
			return nil, fmt.Errorf("line %d: << is not supported in settings", name.Line)
		}
		if _, twice := values[name.Value]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", name.Line, name.Value)
		}
		value, err := fromYAML(node.Content[i+1])
		if err != nil {
			return nil, err
		}
		values[name.Value] = value
	}
	return values, nil
}

// didYouMean returns a hint when a name that is known is a slip of the hand away.
func didYouMean(name string, known map[string]bool) string {
	if best := spell.Nearest(name, slices.Sorted(maps.Keys(known))); best != "" {
		return fmt.Sprintf(" (did you mean %s?)", best)
	}
	return ""
}

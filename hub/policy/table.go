package policy

import "slices"

// FileKey is a key of a policy file, in the one table that the parser, hub policy fmt and the JSON Schema are made of.
type FileKey struct {
	Name  string
	Holds Holds
	// Values are all that a word can be; nil when it can be another.
	Values []string
	// Keys are those of what it holds: of the mapping, or of each mapping of the list.
	Keys []FileKey
	// Of are the kinds of file that may have it; nil: all.
	Of []string
	// Needed: there is no file, or no mapping, without it, where it may be at all.
	Needed bool
	// Or is another key that can stand in its place, where it is needed.
	Or string
	// Meaning is a sentence for the editor.
	Meaning string
}

// Holds says what the value of a key is.
type Holds uint8

// What a key can hold.
const (
	// HoldsWord is one of a few words, or a name.
	HoldsWord Holds = iota
	// HoldsWords is a word, or a list of them.
	HoldsWords
	// HoldsList is a list of words or numbers.
	HoldsList
	// HoldsText is a sentence.
	HoldsText
	// HoldsCondition is an expression of the rules' language.
	HoldsCondition
	// HoldsSentences is a sentence with {expressions}, or one for each language.
	HoldsSentences
	// HoldsLimits is names, each with a number.
	HoldsLimits
	// HoldsMapping is keys with values.
	HoldsMapping
	// HoldsMappings is a list of mappings.
	HoldsMappings
)

// Kinds of a policy file: the values of its key policy.
const (
	kindFund    = "fund"
	kindTrader  = "trader"
	kindLibrary = "library"
)

// Keys are the keys of a policy file, in the order in which a file has them. The slice is the caller's, what is in it is not.
func Keys() []FileKey { return slices.Clone(fileKeys) }

// keyNames are the names of keys that a file of one of the kinds may have; of all of them when no kind is given.
func keyNames(keys []FileKey, kinds ...string) []string {
	var all []string
	for _, k := range keys {
		if k.Of == nil || len(kinds) == 0 || slices.ContainsFunc(kinds, func(kind string) bool { return slices.Contains(k.Of, kind) }) {
			all = append(all, k.Name)
		}
	}
	return all
}

var (
	inLibrary = []string{kindLibrary}
	inForce   = []string{kindFund, kindTrader}
)

var fileKeys = []FileKey{
	{
		Name: "policy", Values: []string{kindFund, kindTrader, kindLibrary}, Needed: true,
		Meaning: "Whose rules these are: the fund's, which every order is asked by; a trader's; or nobody's, a library that other files use.",
	},
	{Name: "trader", Of: []string{kindTrader}, Needed: true, Meaning: "The trader whose orders the rules are for, as hub.yaml names the trader."},
	{Name: "source", Holds: HoldsMapping, Of: inLibrary, Needed: true, Keys: sourceKeys, Meaning: "Where the rules and their numbers are from."},
	{Name: "covers", Holds: HoldsText, Of: inLibrary, Meaning: "What of the source the rules cover."},
	{Name: "not_covered", Holds: HoldsText, Of: inLibrary, Needed: true, Meaning: "What of the source the rules do not cover."},
	{Name: "verify", Holds: HoldsText, Of: inLibrary, Needed: true, Meaning: "What whoever uses the rules must verify before."},
	{Name: "currency", Of: []string{kindFund}, Meaning: "The fund's currency, such as CNY, where the configuration does not say it."},
	{
		Name: "internal_cross", Values: crossNames, Of: []string{kindFund},
		Meaning: "What becomes of an order that would meet a working order of the same fund: it is refused, the other is cancelled first, or nothing.",
	},
	{Name: "limits", Holds: HoldsLimits, Meaning: "Numbers with names, such as order_value: 1_000_000 CNY. A rule reads them as limits.order_value."},
	{Name: "use", Holds: HoldsMappings, Of: inForce, Keys: usesKeys, Meaning: "Rules of library files that are in force here, too."},
	{Name: "rules", Holds: HoldsMappings, Needed: true, Or: "use", Keys: rulesKeys, Meaning: "What must be true of an order. All rules are asked; one that fails refuses."},
	{Name: "watch", Holds: HoldsMappings, Of: inForce, Keys: watchesKeys, Meaning: "What is done after the trade, when numbers have become bad."},
}

var sourceKeys = []FileKey{
	{Name: "title", Holds: HoldsText, Needed: true, Meaning: "The name of the rules or of the document that they are from."},
	{Name: "publisher", Holds: HoldsText, Meaning: "Who published it."},
	{Name: "date", Needed: true, Meaning: "Its date, or since when it is in force: 2025-10-09."},
	{Name: "url", Holds: HoldsText, Meaning: "Where it can be read."},
}

var usesKeys = []FileKey{
	{Name: "file", Needed: true, Meaning: "The library file, by its path from the folder of policies: library/china-futures.yaml."},
	{Name: "rules", Holds: HoldsList, Meaning: "Which of its rules; all when this is left out."},
	{Name: "limits", Holds: HoldsLimits, Meaning: "Numbers of your own in the place of the library's."},
	{Name: "mode", Values: modeNames, Meaning: "shadow: the rules decide and are recorded, and refuse nothing."},
}

var rulesKeys = []FileKey{
	{Name: "name", Needed: true, Meaning: "What a refusal calls the rule: small letters, digits and -."},
	{Name: "controls", Holds: HoldsList, Meaning: "Which controls of docs/controls.md the rule is one of: numbers from 1 to 32."},
	{Name: "when", Holds: HoldsCondition, Meaning: "For which orders the rule is, such as order.type == LIMIT; all when this is left out."},
	{Name: "require", Holds: HoldsCondition, Needed: true, Meaning: "What must be true for the order to pass, such as order.value <= limits.order_value."},
	{Name: "warn", Holds: HoldsCondition, Meaning: "When to warn: 90% of the limits, or a condition that is true as long as nobody need be warned."},
	{Name: "because", Holds: HoldsSentences, Meaning: "What a refused trader reads; {order.value} puts the value in. One text, or one for each language: {en: ..., zh: ...}."},
	{Name: "mode", Values: modeNames, Meaning: "shadow: the rule decides and is recorded, and refuses nothing. enforce when this is left out."},
}

var watchesKeys = []FileKey{
	{Name: "name", Needed: true, Meaning: "What an alert calls the watch: small letters, digits and -."},
	{Name: "when", Holds: HoldsCondition, Needed: true, Meaning: "On what the watch fires, such as trader.pnl.day <= -50_000."},
	{Name: "then", Holds: HoldsWords, Values: actionNames[1:], Needed: true, Meaning: "What is done: one or more actions."},
	{Name: "because", Holds: HoldsSentences, Meaning: "What the alert says; {trader.pnl.day} puts the value in."},
	{Name: "clear", Holds: HoldsCondition, Meaning: "When the watch may fire again; when `when` is not true any more, if this is left out."},
	{Name: "again", Values: []string{eachCrossing, oncePerDay}, Meaning: "How often the watch may fire."},
}

// Languages that a because can be written in.
var languageKeys = []FileKey{
	{Name: "en", Holds: HoldsText, Meaning: "In English."},
	{Name: "zh", Holds: HoldsText, Meaning: "In Chinese."},
}

// Languages are the keys of a because for each language. The slice is the caller's.
func Languages() []FileKey { return slices.Clone(languageKeys) }

package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// WindowMax is the longest window that a rule may name.
const WindowMax = time.Hour

// Codes of the refusals that Decide gives.
const (
	// CodeRule: a rule's require is not true.
	CodeRule = "rule"
	// CodeNotComputable: a rule's when or require could not be computed.
	CodeNotComputable = "not-computable"
	// CodeNoPolicy: the trader has no policy file, or the fund has none.
	CodeNoPolicy = "no-policy"
)

// Rules is one revision of the whole policy: the fund's rules and every trader's. It does not change once compiled.
type Rules struct {
	revision string
	fund     *sheet // nil: there is no fund file
	traders  map[hub.TraderName]*sheet
	shelf    []*Library       // sorted by file
	names    []hub.TraderName // sorted
	windows  []Ref
	// language is the version that the files were compiled by.
	language int
}

// sheet is one policy file, compiled.
type sheet struct {
	file    string
	at      place          // of the key policy or trader, which says whose it is
	trader  hub.TraderName // "" for the fund's
	isFund  bool
	rules   []rule
	watches []*Watch
	windows []Ref
	limits  []Limit // sorted by name; of the owner's file alone
	// currency is the fund's, if its file says it.
	currency   string
	currencyAt place
	// cross is what becomes of orders that would meet the fund's own, of the fund's file; and where it says so.
	cross   Cross
	crossAt place
}

// rule is one rule, compiled.
type rule struct {
	when    *node // nil: always
	require *node
	// warn holds as long as nobody need be warned; nil: nobody wants to be.
	warn *node
	// tighter: where warn holds, require does; so what passes as a rule does is asked once.
	tighter bool
	// shadow: it decides and is recorded, and refuses nothing.
	shadow bool
	*about
}

// about is what is known of a rule and not needed to decide.
type about struct {
	name     string
	file     string
	place    string // file:line
	controls []int  // sorted
	because  sentences
	reads    []*node // variables and limits of when and require, sorted by name, each once
	// percent is what warn says of require; "" for one with a condition of its own. warnReads are the variables and limits of warn, sorted by name, each once.
	percent   string
	warnReads []*node
	narrow    Narrowing // what a warning is about
	// texts of the conditions, as they are written.
	whenText, requireText, warnText string
	// usedAt is file:line of the use that took the rule from a library; "" of a rule in its owner's file.
	usedAt  string
	limits  map[string]limit // what its conditions read
	node    *yaml.Node
	visits  int // nodes that it took to check it
	windows []Ref
}

// Option says what Compile cannot know from the files.
type Option func(*options)

type options struct {
	currency string
	language int
}

// InCurrency tells the fund's currency, as the configuration has it: "CNY". Without it the fund's file may say it; when nobody does, limits with a currency cannot be held against
// the fund's money.
func InCurrency(currency string) Option { return func(o *options) { o.currency = currency } }

// OfLanguage compiles by an earlier version of the language, of which a journal has files. Without it, Compile takes the present one.
func OfLanguage(version int) Option { return func(o *options) { o.language = version } }

// Compile reads, checks and compiles policy files, all or none: with any error there are no Rules, and the errors are all there are, sorted. No file at all is no error: those
// Rules refuse every order. Files are known by their Name, "traders/alpha.yaml"; whose a file is, it says itself.
func Compile(files []hub.PolicyFile, more ...Option) (*Rules, []Error) {
	o := options{language: Language}
	for _, option := range more {
		option(&o)
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b hub.PolicyFile) int { return cmp.Compare(a.Name, b.Name) })
	if o.language > 0 && tooMuch(files) != nil {
		return nil, tooMuch(files) // and nothing else: to read them all is what must not be
	}
	errs := checkNames(files)
	rules := &Rules{revision: revision(files), traders: make(map[hub.TraderName]*sheet), language: o.language}
	opened := make([]*sheetCompiler, len(files))
	for i, file := range files {
		opened[i] = open(file, o.language)
		if opened[i].known && !opened[i].isLibrary() {
			errs = append(errs, rules.add(opened[i].sheet)...)
		}
	}
	currency, wrong := rules.currency(o.currency)
	errs = append(errs, wrong...)
	shelf := compileLibraries(opened, scale{currency: currency, units: o.language > 0})
	for _, c := range opened {
		if !c.isLibrary() {
			c.shelf = shelf
			c.compile(scale{currency: currency, units: o.language > 0})
		}
		errs = append(errs, c.errs...)
	}
	if len(errs) > 0 {
		slices.SortFunc(errs, compareErrors)
		return nil, slices.Compact(errs)
	}
	rules.finish()
	rules.shelve(opened)
	return rules, nil
}

// currency is the fund's: as the configuration has it, or, where there is none, as the fund's file says.
func (r *Rules) currency(configured string) (string, []Error) {
	if r.fund == nil || r.fund.currency == "" {
		return configured, nil
	}
	said := r.fund
	if configured != "" && configured != said.currency {
		return configured, []Error{{
			said.file, said.currencyAt.line, said.currencyAt.col,
			fmt.Sprintf("currency: the fund's currency is %s in the configuration, not %s; change one of them, or remove this line", configured, said.currency),
		}}
	}
	return said.currency, nil
}

// tooMuch refuses more files, or more text, than can be compiled while orders wait.
func tooMuch(files []hub.PolicyFile) []Error {
	bytes := 0
	for i, file := range files {
		bytes += len(file.Text)
		what := ""
		switch {
		case i == MaxFiles:
			what = fmt.Sprintf("more than %d policy files", MaxFiles)
		case bytes > MaxTotalBytes:
			what = fmt.Sprintf("with this file all are more than %d bytes", MaxTotalBytes)
		default:
			continue
		}
		return []Error{{File: clean(file.Name), Line: 1, Col: 1, Text: what}}
	}
	return nil
}

func checkNames(files []hub.PolicyFile) []Error {
	var errs []Error
	if len(files) > MaxFiles {
		errs = append(errs, Error{File: files[MaxFiles].Name, Line: 1, Col: 1, Text: fmt.Sprintf("more than %d policy files", MaxFiles)})
	}
	for i, file := range files {
		switch {
		case file.Name == "" || clean(file.Name) != file.Name:
			errs = append(errs, Error{File: clean(file.Name), Line: 1, Col: 1, Text: "the file's name is empty or has characters that cannot be shown"})
		case i > 0 && files[i-1].Name == file.Name:
			errs = append(errs, Error{File: file.Name, Line: 1, Col: 1, Text: "the file is there twice"})
		}
	}
	return errs
}

// add takes a file in; a second one for the same owner is an error.
func (r *Rules) add(s *sheet) []Error {
	if s.isFund {
		if r.fund != nil {
			return []Error{{s.file, s.at.line, s.at.col, fmt.Sprintf("policy: the fund has its policy in %s:%d already; a fund has one file", r.fund.file, r.fund.at.line)}}
		}
		r.fund = s
		return nil
	}
	if first := r.traders[s.trader]; first != nil {
		return []Error{{s.file, s.at.line, s.at.col, fmt.Sprintf("trader: %s has a policy in %s:%d already; a trader has one file", s.trader, first.file, first.at.line)}}
	}
	r.traders[s.trader] = s
	r.names = append(r.names, s.trader)
	return nil
}

func (r *Rules) finish() {
	slices.Sort(r.names)
	for _, name := range r.names {
		r.windows = append(r.windows, r.traders[name].windows...)
	}
	if r.fund != nil {
		r.windows = append(r.windows, r.fund.windows...)
	}
	r.windows = sortedRefs(r.windows)
}

func sortedRefs(refs []Ref) []Ref {
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Narrow, b.Narrow), cmp.Compare(a.Var, b.Var), cmp.Compare(a.Window, b.Window), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(refs)
}

// revision hashes the files, which are sorted by name. The length before each text keeps two files from being read as one.
func revision(files []hub.PolicyFile) string {
	h := sha256.New()
	for _, file := range files {
		_, _ = io.WriteString(h, fmt.Sprintf("%d %s %d ", len(file.Name), file.Name, len(file.Text))) // a hash takes every write
		_, _ = io.WriteString(h, file.Text)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// Error is one thing wrong in a policy file.
type Error struct {
	File      string
	Line, Col int // from 1; Col counts characters
	// Text is "where: what": rules.order-value.require: unknown name order.valu; did you mean order.value?
	Text string
}

// Error is String; it makes an Error an error.
func (e Error) Error() string { return e.String() }

// String is file:line:col: where: what.
func (e Error) String() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Text) }

func compareErrors(a, b Error) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Text, b.Text))
}

// Revision is a short hash of the text of all files.
func (r *Rules) Revision() string { return r.revision }

// Traders are those who have a policy, sorted. The slice is the caller's.
func (r *Rules) Traders() []hub.TraderName { return slices.Clone(r.names) }

// HasFund reports whether the fund has a policy. Without one every order is refused.
func (r *Rules) HasFund() bool { return r.fund != nil }

// Windows are the counters that the rules read, so that the core keeps what they need and no more; sorted, without repeats. Today is not among them. The slice is the caller's.
func (r *Rules) Windows() []Ref { return slices.Clone(r.windows) }

// WindowsOf are those of Windows that the rules read which decide about one trader's orders. The slice is the caller's.
func (r *Rules) WindowsOf(trader hub.TraderName) []Ref {
	var refs []Ref
	for _, s := range []*sheet{r.traders[trader], r.fund} {
		if s != nil {
			refs = append(refs, s.windows...)
		}
	}
	return sortedRefs(refs)
}

// readsOf are the variables and limits below nodes, sorted by name, each once.
func readsOf(nodes ...*node) []*node {
	var reads []*node
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil {
			return
		}
		if n.op == opVar || n.limit != "" {
			reads = append(reads, n)
		}
		walk(n.of)
		walk(n.a)
		walk(n.b)
		walk(n.c)
	}
	for _, n := range nodes {
		walk(n)
	}
	slices.SortFunc(reads, func(a, b *node) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(reads, func(a, b *node) bool { return a.String() == b.String() })
}

// windowsOf are the windows that reads name, but for Today.
func windowsOf(reads []*node) []Ref {
	var refs []Ref
	for _, n := range reads {
		if n.op == opVar && n.ref.Window > 0 {
			refs = append(refs, n.ref)
		}
	}
	return refs
}

package hub

import (
	"fmt"
	"strings"
)

// Words are a sentence of the hub's own that people read: its English form, as of package fmt, and what is put into it. Chinese has the other form, by the English one; what is put in
// is said in the same language: Words, names of directions and states, and Fixed texts.
type Words struct {
	form string
	args []any
}

// Say makes Words. The form is a constant that file chinese.go has; a test sees to it.
func Say(form string, args ...any) Words { return Words{form, args} }

// Fixed is a text of the hub's own that came as a text, from the journal or from another process: said in Chinese where chinese.go knows it. What people and venues write is a string, and
// stays as it is.
type Fixed string

// SayAs are words that somebody else has written: in English, or whatever stands for all languages, and in Chinese, if there is that.
func SayAs(text, zh string) Words {
	if zh == "" {
		zh = text
	}
	return Words{"%s", []any{written{text, zh}}}
}

type written struct{ en, zh string }

// Empty reports whether nothing is said.
func (w Words) Empty() bool { return w.form == "" }

// String is the sentence in English.
func (w Words) String() string { return w.In(English) }

// In is the sentence in a language.
func (w Words) In(lang Lang) string {
	if w.form == "" {
		return ""
	}
	form := w.form
	if lang == Chinese {
		if zh, ok := chinese[form]; ok {
			form = zh
		}
	}
	args := make([]any, len(w.args))
	for i, a := range w.args {
		args[i] = sayArg(a, lang)
	}
	return fmt.Sprintf(form, args...)
}

// Equal reports whether the same is said.
func (w Words) Equal(other Words) bool {
	return w.form == other.form && w.In(English) == other.In(English)
}

// sayArg is what is put into a sentence, in a language. A number stays a number.
func sayArg(a any, lang Lang) any {
	switch a := a.(type) {
	case Words:
		return a.In(lang)
	case []Words:
		parts := make([]string, len(a))
		for i, w := range a {
			parts[i] = w.In(lang)
		}
		return strings.Join(parts, comma(lang))
	case written:
		if lang == Chinese {
			return a.zh
		}
		return a.en
	case Fixed:
		return InLang(string(a), lang)
	case Direction, Offset, OrderType, Status, State, OverrideState:
		return InLang(fmt.Sprint(a), lang)
	}
	return a
}

func comma(lang Lang) string {
	if lang == Chinese {
		return "；"
	}
	return "; "
}

// InLang is a text in a language, if it is one of the hub's fixed ones; else it stays as it is.
func InLang(text string, lang Lang) string {
	if lang == Chinese {
		if zh, ok := chineseTexts[text]; ok {
			return zh
		}
		for _, p := range chinesePatterns {
			if parts, fits := unsay(p.en, text); fits {
				return fmt.Sprintf(p.zh, parts...)
			}
		}
	}
	return text
}

// unsay finds what stands in a text where its form has %s, each in Chinese when it can be.
func unsay(form, text string) (parts []any, fits bool) {
	pieces := strings.Split(form, "%s")
	rest, begins := strings.CutPrefix(text, pieces[0])
	if !begins {
		return nil, false
	}
	for i, piece := range pieces[1:] {
		at := strings.Index(rest, piece)
		if last := i == len(pieces)-2; last && piece == "" {
			at = len(rest)
		} else if last {
			at = strings.LastIndex(rest, piece)
		}
		if at <= 0 {
			return nil, false
		}
		parts = append(parts, InLang(rest[:at], Chinese))
		rest = rest[at+len(piece):]
	}
	return parts, rest == ""
}

// Refuse makes a Refusal of the hub's own.
func Refuse(code, form string, args ...any) Refusal {
	w := Say(form, args...)
	return Refusal{Code: code, Text: w.String(), Words: w}
}

// In is the refusal's sentence in a language.
func (r Refusal) In(lang Lang) string {
	switch {
	case lang != Chinese:
		return r.Text
	case r.Local != "":
		return r.Local
	case !r.Words.Empty():
		return r.Words.In(lang)
	}
	return r.Text
}

// For is the refusal for who reads a language: with its Local in it.
func (r Refusal) For(lang Lang) Refusal {
	if lang == Chinese && r.Local == "" && !r.Words.Empty() {
		r.Local = r.Words.In(lang)
	}
	return r
}

// SaidError is an error that a trader reads.
type SaidError struct{ Words Words }

// Error is the sentence in English.
func (e *SaidError) Error() string { return e.Words.String() }

// Err makes an error of Words.
func (w Words) Err() error { return &SaidError{w} }

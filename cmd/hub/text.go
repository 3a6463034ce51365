package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writeLines writes one line each.
func writeLines(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}

// count writes "1 error" and "2 errors".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// writeJSON writes a value for programs.
func writeJSON(w io.Writer, what any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(what)
}

// Colours of a terminal.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// cell is a text in a table, with a colour for terminals.
type cell struct {
	text   string
	colour string
	right  bool
}

func text(s string) cell             { return cell{text: s} }
func number(v fmt.Stringer) cell     { return cell{text: v.String(), right: true} }
func whole(n int) cell               { return cell{text: fmt.Sprint(n), right: true} }
func coloured(s, colour string) cell { return cell{text: s, colour: colour} }
func headed(names string) []cell     { return cells(bold, strings.Fields(names)...) }
func cells(colour string, all ...string) []cell {
	return mapped(all, func(s string) cell { return coloured(s, colour) })
}

func mapped[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

// writeTable writes rows in columns, the first row being the head. What traders and venues wrote is shown without its control characters, for a terminal obeys them.
func writeTable(e env, rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(c.text)))
		}
	}
	for r, row := range rows {
		var b strings.Builder
		for i, c := range row {
			shown := printable(c.text)
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(shown))
			if e.colour && c.colour != "" && shown != "" {
				shown = c.colour + shown + plain
			}
			right := c.right || r == 0 && len(rows) > 1 && i < len(rows[1]) && rows[1][i].right
			if right {
				b.WriteString(space + shown + "  ")
			} else {
				b.WriteString(shown + space + "  ")
			}
		}
		fmt.Fprintln(e.stdout, strings.TrimRight(b.String(), " "))
	}
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\u00b7'
	}, s)
}

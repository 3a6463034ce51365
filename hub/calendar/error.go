package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a calendar's file.
type Error struct {
	File      string
	Line, Col int    // from 1
	Path      string // sessions.night.hours[2].time; "" when it concerns the whole file
	Text      string // what is wrong; what to write
}

// Error returns "calendars/cn.yaml:12:7: holidays.2027: what is wrong; what to write".
func (e Error) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Col)
	if e.Path == "" {
		return at + e.Text
	}
	return at + e.Path + ": " + e.Text
}

func sortErrors(errs []Error) {
	slices.SortStableFunc(errs, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path))
	})
}

// meant answers "; did you mean x?" with the known word nearest to the one written, or with all of them when none is near.
func meant(written string, known []string) string {
	if near := nearest(written, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return "; known here: " + strings.Join(known, ", ")
}

// nearest is the known word that is at most one slip in three letters away from the one written, or "".
func nearest(written string, known []string) string {
	best, at := len(written)/3, ""
	for _, k := range known {
		if d := distance(strings.ToLower(written), strings.ToLower(k)); d <= best && (at == "" || d < best) {
			best, at = d, k
		}
	}
	return at
}

// distance counts the letters to change, add or remove to make b of a.
func distance(a, b string) int {
	if len(a) > nameMax || len(b) > nameMax {
		return nameMax
	}
	var last, row [nameMax + 1]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
		}
		last = row
	}
	return last[len(b)]
}

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing wrong with the file.
type Error struct {
	File      string
	Line, Col int    // from 1
	Path      string // traders.beta.veighna.publish; "" when it concerns the whole file
	Text      string // what is wrong; what to write
}

// Error returns "hub.yaml:12:7: traders.beta.veighna.publish: what is wrong; what to write".
func (e Error) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Col)
	if e.Path == "" {
		return at + e.Text
	}
	return at + e.Path + ": " + e.Text
}

func sortErrors(errs []Error) {
	slices.SortStableFunc(errs, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path))
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
		if d := distance(strings.ToLower(written), k); d <= best && (at == "" || d < best) {
			best, at = d, k
		}
	}
	return at
}

// distance counts the letters to change, add, remove or swap with their neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > nameMax || len(b) > nameMax {
		return nameMax
	}
	var before, last, row [nameMax + 1]int
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
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

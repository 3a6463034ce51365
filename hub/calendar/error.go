package calendar

import (
	"cmp"
	"fmt"
	"slices"
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

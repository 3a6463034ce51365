// Package spell finds what somebody may have meant to write: the known word with the fewest slips of the hand in it.
package spell

import "strings"

// wordMax is the longest word that is looked at, in bytes. What is longer is no slip of the hand.
const wordMax = 128

// Nearest is the known word with the fewest slips, and of two alike the first; "" when even that has more than one for every three of its letters, or more than four. Capitals are no slips.
func Nearest(written string, known []string) string {
	return Within(written, known, min(len(written)/3, 4))
}

// Within is Nearest with at most so many slips.
func Within(written string, known []string, slips int) string {
	best, fewest := "", slips+1
	for _, k := range known {
		if d := Slips(strings.ToLower(written), strings.ToLower(k)); d < fewest {
			best, fewest = k, d
		}
	}
	return best
}

// MeantOrKnown is "; did you mean x?" with the nearest known word, or, when none is near, all known words.
func MeantOrKnown(written string, known []string) string {
	if near := Nearest(written, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; known here: " + strings.Join(known, ", ")
}

// Slips counts the letters to change, add, drop, or swap with the next, to make b of a. Of words that are too long for slips it is their length.
func Slips(a, b string) int {
	if len(a) > wordMax || len(b) > wordMax {
		return max(len(a), len(b))
	}
	var before, last, row [wordMax + 1]int
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

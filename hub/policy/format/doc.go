// Package format writes policy files in one form, as gofmt does for Go: so that two files that say the same look the same, and a change shows what changed and nothing else.
//
// Keys are in the order of package policy's table, one to a line; conditions have one space around operators; the limits' digits are in groups of three; lists of words are on one line. What is the
// author's stays: the order of rules and limits, line breaks within a long condition, blank lines (one at most), and every comment.
//
// What a file says is never changed: the package reads what it has written, and answers an error if it does not say the same.
package format

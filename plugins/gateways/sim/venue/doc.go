// Package venue is the exchange around the market: it takes orders and refuses them in words, keeps the fund's account, ends trading days, and knows what
// prices were in the past. Every change of its state is a line of the book of record, and is made by applying that line: what the lines say again at the
// next start is the same state.
//
// It has no clock, goroutine or file: the time is an argument, and what it did is collected in an Out, of which the caller writes the lines before it
// tells anybody the rest.
package venue

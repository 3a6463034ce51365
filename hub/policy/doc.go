// Package policy turns policy files into rules, and an order into the refusals that those rules give.
//
// Compile takes the text of all files, all or none, and reports everything that is wrong in all of them. Decide asks the rules about one order: it reads numbers and texts
// through a Source and returns why the order is refused; no refusals means that it passes.
//
// The files are YAML, the rules in them are written in expr's language: expr's lexer and parser read them, and the package's own checker and evaluator take over from the
// syntax tree. Numbers are decimal throughout. What cannot be computed (a value that is missing, a division by zero, a number too large) refuses the order.
//
// The package is pure: bytes and values in, verdicts out. It opens no file, reads no clock, starts no goroutine, and what it answers depends on its arguments alone; it knows
// neither what an order is nor where a Source has its values from.
//
// Everything is bounded when a file is compiled (see the constants beginning with Max): there are no loops, no recursion and no closures in a rule, so a rule's cost is at most
// its length.
package policy

// Package core is the deterministic heart of the hub: Step takes one Entry of the journal and returns what the edges must do.
//
// The core has no clock, goroutine, random number, float, map order, log line or file: time, venues' reports, risk managers' verdicts, prices and the policy text itself
// are inputs. The same entries therefore give the same state, on this machine and on any other, today and in five years; Image and the codec's digest of it prove that.
//
// The core keeps four things. Orders and their lives (order.go, report.go, reconcile.go). Books: what each trader, and the fund, holds, owes and has at risk
// (book.go, position.go). Holds: what an order that may still trade counts for in the books, taken when the order is decided and given back by reject, cancel and fill
// (hold.go). Counters over time windows (series.go). Decisions are made by package gate on these numbers (decide.go, source.go).
//
// Obligations of the caller: Step is called from one goroutine, with entries in the order of the journal, each once; effects are carried out only AFTER their entry is
// committed, and not at all when the entry is replayed.
package core

// Package journal agrees on the order of entries and keeps them.
//
// An entry is bytes that its proposer made; the journal never looks inside. A
// journal writes each entry to disk, has it agreed on by a majority of its
// servers (one server is a majority of one), and only then hands it to the
// Machine, in the same order on every server and after every restart. So
// whoever acts on what Machine.Apply hands over acts only on what will still be
// there after a crash.
//
// It is built on hashicorp/raft with raft-wal for the entries and raft's file
// snapshots. One server and three take the same way through raft: a server on
// its own is a cluster with one voter, not a special case.
//
// What a directory holds:
//
//	lock         held while a process uses the directory; holds its process id
//	wal/         the entries, in segment files, and wal-meta.db
//	snapshots/   the last two states of the machine
//
// # What it promises
//
//   - An entry that reached Machine.Apply is on the disk of a majority.
//   - A process that opens the directory again applies the same entries in the
//     same order, from the last snapshot on.
//   - A write or sync that fails stops the journal for good (ErrFailed). It never
//     writes after a failed write, and never guesses that a failed sync worked.
//   - A last write that was cut short by a crash is removed when the directory
//     is opened. Damage anywhere else is refused, never passed over.
//
// # What it refuses to do
//
// It does not know what an entry means, does not retry a proposal, does not
// forward one to another server, and has no time-out for one: a proposal ends
// by being applied, or by being reported to Options.Lost.
package journal

// Package audit keeps the permanent record: what was decided of every order and by what, what became of it, what people did, and every policy that was loaded, with its whole text. The
// journal is for the hub, which forgets it behind its snapshots; the record is for people, and forgets nothing.
//
// It is fed by the entries that the core has applied, and is a function of them alone: whatever of it is lost with the process comes again when the journal is replayed, the same to the
// byte. So it needs no sync of its own in the way of an order. What it asks in return is that the journal forgets no entry before the record has it: the runner lets no snapshot be
// finished before Sync has returned.
//
// Rows are numbered without gaps and each carries a hash over itself and the row before, so that a row that was changed, taken out or put in later shows. What no hash can show is that
// all rows after some point were made anew; for that, the last number and hash (the head) are written down elsewhere, such as in the operator's log, and compared.
//
// The package decides nothing and stops nothing. When the record cannot be written it says so, and whoever takes orders stops taking them.
package audit

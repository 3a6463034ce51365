// Package calendar says to which trading day a moment belongs, what a venue does then, and when that changes. A trading day is not a date: a night session belongs to the day that
// follows, and no day begins at a weekend or on a holiday.
//
// A Calendar is made of files: four are shipped, users add their own and extend the shipped ones. The package is pure: moments come from the caller, zones from the built-in
// database and never from the machine, and it reads no file of the user's itself. The core does not import it, for zones and holidays change and a replay must not; what a calendar said
// goes into the journal.
package calendar

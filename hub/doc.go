// Package hub is the vocabulary of the order gate: the nouns that every room of the house shares.
//
// Order, Trade, Position, Account, Contract and Tick are what traders and venues speak of; Input is everything that may change
// the state of the hub, and the only way to change it: what package core steps over, what the journal keeps, what replay repeats.
//
// The package refuses to do anything: it opens, sends, decides and measures nothing, and imports no other package of the project.
//
// Quantities are in the contract's own unit (lots, shares, coins), prices in the contract's currency for one unit of the
// underlying, money in the fund's currency. All three are Decimal: exact, at most 19 digits, no NaN, no infinity.
package hub

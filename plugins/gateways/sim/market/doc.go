// Package market is the simulated market itself: one order book with price-time priority per contract, the flow of strangers' orders that keeps it
// alive, and the path along which its prices move.
//
// Everything is an integer: prices in ticks of the contract, quantities in its steps. There is no clock, no goroutine, no file and no random number that
// a seed does not give: the same calls in the same order do the same. What may be ordered, and by whom, is decided above, in package venue.
package market

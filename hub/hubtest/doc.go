// Package hubtest is the seeded world: one number decides everything that happens to a hub, so that whatever goes wrong goes wrong again.
//
// A seed draws a Story, a list of moves. Play lets them happen to a real core behind a journal made of memory: traders who ask for orders and cancel them, risk managers who say
// yes, say no, stall and die, persons who halt, ask for overrides and approve them, transfer, flatten, say what currencies are worth, and trade by hand past the hub, a venue that states its account, that trades and whose reports come late, twice, in any order, or never, gateways that drop and come back, trading days, policies that
// change, and crashes at any entry: between commit and dispatch, in the middle of the effects of one entry, with proposals half on disk. After every move the world asks:
//
//   - are all holds what the orders say, and none negative (core.Check)?
//   - is every order that was asked for answered exactly once, and does every id that was given stay known?
//   - has any order been sent twice, or without a decision?
//   - has any trader more at the venue, with everything open filled, than the rules allow?
//   - does a ledger that counts everything anew from the record, with fractions and without a sum that it keeps, decide every order as the hub did, for the same reasons and by the
//     same numbers? The rules are drawn with the story, as trees: the hub reads them as policy files, the ledger computes the trees.
//   - which orders passed by override, which rules did that lift, had two persons said so, and was no override used twice? The ledger finds out by itself, from the entries.
//   - are all figures of all books, whether or not a rule has asked for them, what the ledger counts: after rates have changed, and of what is nobody's, too?
//   - has every watch fired when its numbers became what it looks out for, and not again before they had been clear, and done what it does?
//   - does a flattening send nothing but what closes, and is everything closed when it says so?
//   - does a replay of the journal, from the start or from any snapshot, give the same digest?
//
// and at the end, when everybody has spoken: do the hub's books equal the venue's, and does the fund hold what the venue's account holds?
//
// When something fails, Shorten looks for a shorter story that fails in the same way.
package hubtest

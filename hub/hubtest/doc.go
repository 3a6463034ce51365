// Package hubtest is the seeded world: one number decides everything that happens to a hub, so that whatever goes wrong goes wrong again.
//
// A seed draws a Story, a list of moves. Play lets them happen to a real core behind a journal made of memory: traders who ask for orders and cancel them, risk managers who say
// yes, say no, stall and die, a venue that trades and whose reports come late, twice, in any order, or never, gateways that drop and come back, trading days, policies that
// change, and crashes at any entry: between commit and dispatch, in the middle of the effects of one entry, with proposals half on disk. After every move the world asks:
//
//   - are all holds what the orders say, and none negative (core.Check)?
//   - is every order that was asked for answered exactly once, and does every id that was given stay known?
//   - has any order been sent twice, or without a decision?
//   - has any trader more at the venue, with everything open filled, than the rules allow?
//   - does a ledger that counts everything anew from the record, with fractions and without a sum that it keeps, decide every order as the hub did, for the same reasons and by the
//     same numbers? The rules are drawn with the story, as trees: the hub reads them as policy files, the ledger computes the trees.
//   - does a replay of the journal, from the start or from any snapshot, give the same digest?
//
// and at the end, when everybody has spoken: do the hub's books equal the venue's?
//
// When something fails, Shorten looks for a shorter story that fails in the same way.
package hubtest

// Package model is the arithmetic of the margin manager: what every trader's and the fund's positions and orders bind of their equity, and whether one more order
// fits. It is pure: it knows no process, no clock and no log, and is made again from a RiskBook at any time.
//
// # What is counted
//
// A side (long or short) of a contract counts with what is held of it, plus every order that opens it and may still trade, plus every candidate that was passed and
// not yet decided. An order that closes counts nothing and frees nothing until it is filled. What is held is valued at the last mark, or, without one, at what it
// was traded for; an order at the higher of its own price (of a market or stop order: the worst that it can pay) and the mark. Every amount is rounded up to
// 1/10,000 of the fund's currency.
//
// Margin is value * rate. Within one product of one exchange and one gateway only the larger of the two sides is charged, where the exchange does so (Settings.LargerSide);
// the fund's margin is computed likewise from all traders' sides together, since at the exchange the fund is one client. It may therefore be less than the sum
// of the traders' margins.
//
// The buyer of an option pays the premium in full. The seller binds the premium plus rate * value of the underlying, valued at its mark, or at the strike price while there is
// none; the rate is the settings' for the option, or else the higher of the underlying's two. Of an option whose underlying no gateway lists, the gateway's own
// rate of the premium is taken. All of it is charged beside the larger side, not in it.
// What has no margin rate and is no future (shares, coins, funds, bonds) is paid in full and cannot be sold short.
//
// # What is asked
//
// Of an order that opens, for the trader and then for the fund: margin after it, at most the maximum part of equity; and margin plus what is paid in full, at most equity.
// Equity is Capital + Realised - Commission, as the hub's core says, plus the unrealised profit of what is held, at the marks. Whatever cannot be computed (no
// contract, no rate, no price, a number out of range) is a refusal that names it. An order that closes is always passed.
package model

// Command margin is a risk manager: it refuses orders for which the trader's, or the fund's, equity has no margin left.
//
// What it counts and asks is in package model, the settings and what is not covered in docs/margin.md. In short:
//
//	risk_managers:
//	  margin:
//	    plugin: margin
//	    settings:
//	      trader_max: 0.8                     # margin is at most this part of a trader's equity
//	      fund_max: 0.7                       # and of the fund's
//	      rates:                              # over the contracts' own
//	        rb: {long: 0.13, short: 0.13}     # a product
//	        rb2610.SHFE: {long: 0.2}          # one contract of it
//	      larger_side: {DCE: contract}        # product, contract or none, by exchange
//	      currencies: {USDT: 7.1}             # in the fund's, where it is not what the hub says
package main

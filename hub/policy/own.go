package policy

import "slices"

// ScopeOwn is of the fund's own working orders in the order's market.
const ScopeOwn Scope = 80

// ScopeGateway is of the channel that the order would take.
const ScopeGateway Scope = 81

// Variables of the order's gateway (ScopeGateway).
const (
	ChannelLimit     Var = iota + 830 // messages that it takes in its narrowest window; missing when it has no limit
	ChannelShare                      // of them, those that are the trader's own
	ChannelShareLeft                  // of them, those that are not used up
)

// Variables of the fund's own working orders in the order's market (ScopeOwn).
const (
	OwnBestBuy    Var = iota + 800 // price; missing when there is none, or one without a price
	OwnBestSell                    // price; likewise
	OwnBuys                        // how many
	OwnSells                       // how many
	OwnWouldCross                  // truth: this order could trade with one of them
)

// Variables of a trader or of the fund (ScopeTrader, ScopeFund): orders of the fund that meet each other.
const (
	Crosses    Var = iota + 810 // orders that would have met one of the fund's, and were refused or made to wait
	SelfTrades                  // trades of the fund with itself
)

// Cross says what becomes of an order that could trade with a working order of the same fund.
type Cross uint8

// What may become of it. The zero Cross refuses: a fund that says nothing does not trade with itself.
const (
	// CrossRefuse: it is refused.
	CrossRefuse Cross = iota
	// CrossCancelResting: the orders that it would meet are cancelled, and it is decided again when all of them have ended.
	CrossCancelResting
	// CrossAllow: nothing. For simulated markets.
	CrossAllow
)

var crossNames = []string{"refuse", "cancel_resting", "allow"}

// String is the word of the policy file.
func (c Cross) String() string {
	if int(c) < len(crossNames) {
		return crossNames[c]
	}
	return "unknown"
}

// InternalCross is what the fund's policy says under internal_cross. Where nothing is said an order is refused; but not by files of before the key was known, for what a hub decided then
// stays as it was.
func (r *Rules) InternalCross() Cross {
	switch {
	case r.language == 0:
		return CrossAllow
	case r.fund == nil:
		return CrossRefuse
	}
	return r.fund.cross
}

// readCross reads the key internal_cross, which the fund's file alone may have.
func (c *sheetCompiler) readCross(e entry) {
	const where = "internal_cross"
	if !c.sheet.isFund {
		c.fail(placeOf(e.key), where, "is for the fund's policy: whether orders of the fund may meet is not for one trader to say; remove this line")
		return
	}
	s, ok := c.scalar(e, where, "refuse, cancel_resting or allow")
	if !ok {
		return
	}
	i := slices.Index(crossNames, s.value())
	if i < 0 {
		hint := didYouMean(s.value(), crossNames)
		if hint == "" {
			hint = "; write refuse, cancel_resting or allow"
		}
		c.fail(placeOf(e.value), where, "%q is not known%s", shorten(s.value(), textShown), hint)
		return
	}
	c.sheet.cross, c.sheet.crossAt = Cross(i), placeOf(e.value)
}

// ownVars are what the fund itself has working in the order's market.
func ownVars() []VarInfo {
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: "own." + name, Scope: ScopeOwn, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		number("best_buy", OwnBestBuy, "price", "the highest price of the fund's working buys",
			"there is none; or one of them is a market or stop order, which can trade at any price. Ask own.buys first, or own.would_cross, which is always there"),
		number("best_sell", OwnBestSell, "price", "the lowest price of the fund's working sells", "there is none; or one of them is a market or stop order"),
		number("buys", OwnBuys, "count", "the fund's working buys, sent and unconfirmed ones, those in doubt and waiting stops included", ""),
		number("sells", OwnSells, "count", "the fund's working sells, likewise", ""),
		{
			Name: "own.would_cross", Scope: ScopeOwn, Var: OwnWouldCross, Kind: KindTruth,
			Meaning: "the order could trade with a working order of the fund: their prices meet, or one of the two is a market or stop order",
		},
	}
}

// channelVars are about the channel that the order would take.
func channelVars() []VarInfo {
	const none = "the gateway has no message limit"
	number := func(name string, v Var, meaning string) VarInfo {
		return VarInfo{Name: "gateway." + name, Scope: ScopeGateway, Var: v, Kind: KindNumber, Unit: "count", Meaning: meaning, Missing: none}
	}
	return []VarInfo{
		number("message_limit", ChannelLimit, "how many messages the gateway's channel takes in a window; where it has several limits, in the shortest"),
		number("own_share", ChannelShare, "how many of them are the trader's own; others may have them lent while the trader sends nothing"),
		number("own_share_left", ChannelShareLeft, "own_share less the trader's messages within that window, orders that were refused included; 0 for a trader who uses what others lend"),
	}
}

package policy

import (
	"slices"
	"strings"
	"time"

	"tradehub/hub"
)

// VarInfo is what the catalogue says of a variable.
type VarInfo struct {
	// Name is how a rule writes it: "order.price". One that is Windowed is written with its window: trader.orders("10s").
	Name string
	// Also is another name of the same variable; "" when it has none.
	Also   string
	Scope  Scope
	Narrow Narrowing
	Var    Var
	Kind   Kind
	// Unit of a number: "price", "quantity", "money" (of the fund), "count", "seconds", "part", or one made of these. "" for a text or a truth. Numbers of different units are
	// neither added nor compared; what a Unit means to the checker is in unitsByName.
	Unit string
	// Members are the values that a text can have; nil when it can be any.
	Members []string
	// Windowed: it counts over a window, which the rule names.
	Windowed bool
	// Sized: it counts over the trading day alone, and from a quantity on: fund.large_cancels("today", 300).
	Sized bool
	// Named: it is of a currency, which the rule names: fund.rate("USD").
	Named bool
	// Published: what the rule names is not a currency but a number that somebody published: contract.number("adv").
	Published bool
	// Meaning is a phrase for the reference.
	Meaning string
	// Missing says when it has no value; "" when it always has one.
	Missing string
}

// Example is the variable as a rule may write it: order.price, trader.orders("10s"), fund.rate("USD").
func (v *VarInfo) Example() string {
	switch {
	case v.Windowed:
		return v.Name + `("10s")`
	case v.Sized:
		return v.Name + `("today", 300)`
	case v.Published:
		return v.Name + `("adv")`
	case v.Named:
		return v.Name + `("USD")`
	}
	return v.Name
}

// Vars returns the catalogue: every variable that a rule may read, in the order in which the reference lists them. The slice is the caller's.
func Vars() []VarInfo { return slices.Clone(catalogue) }

// String is the variable as a rule writes it: order.price, trader.orders("10s").
func (r Ref) String() string {
	info, ok := catalogueByRef[Ref{Scope: r.Scope, Narrow: r.Narrow, Var: r.Var}]
	switch {
	case !ok:
		return "unknown"
	case info.Sized:
		return info.Name + `("today", ` + r.Least.String() + `)`
	case info.Windowed:
		return info.Name + `("` + windowText(r.Window) + `")`
	case info.Named:
		return info.Name + `("` + r.Name + `")`
	}
	return info.Name
}

// windowText writes a window as short as a rule would: 90s is "1m30s", an hour is "1h".
func windowText(d time.Duration) string {
	if d == Today {
		return "today"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// enumeration is a closed set of texts.
type enumeration struct {
	name    string
	members []string
	aliases []alias
}

// alias is another spelling that people use for a member.
type alias struct{ name, member string }

// member returns the member that word names, itself or by an alias.
func (e *enumeration) member(word string) (string, bool) {
	if slices.Contains(e.members, word) {
		return word, true
	}
	for _, a := range e.aliases {
		if a.name == word {
			return a.member, true
		}
	}
	return "", false
}

func names[T interface{ String() string }](values ...T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.String()
	}
	return all
}

var (
	directions = &enumeration{
		name: "direction", members: names(hub.Long, hub.Short),
		aliases: []alias{{"BUY", hub.Long.String()}, {"SELL", hub.Short.String()}},
	}
	offsets    = &enumeration{name: "offset", members: names(hub.NoOffset, hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday)}
	orderTypes = &enumeration{name: "order type", members: names(hub.Limit, hub.Market, hub.Stop, hub.FAK, hub.FOK, hub.RFQ, hub.ETF)}
	kinds      = &enumeration{name: "kind of contract", members: names(hub.Equity, hub.Futures, hub.Option, hub.Index, hub.Forex, hub.Spot, hub.ETFund,
		hub.Bond, hub.Warrant, hub.Spread, hub.Fund, hub.CFD, hub.Swap)}

	phases = &enumeration{name: "phase", members: names(hub.Closed, hub.Auction, hub.Continuous, hub.Extended)}

	enumerations = []*enumeration{directions, offsets, orderTypes, kinds, phases, states}
)

// enumerationOf is the enumeration of an enumerated variable; nil for every other.
func enumerationOf(info *VarInfo) *enumeration {
	for _, e := range enumerations {
		if len(info.Members) > 0 && slices.Equal(e.members, info.Members) {
			return e
		}
	}
	return nil
}

var (
	catalogue       = buildCatalogue()
	catalogueByName = indexByName(catalogue)
	catalogueByRef  = indexByRef(catalogue)
)

func indexByName(all []VarInfo) map[string]*VarInfo {
	index := make(map[string]*VarInfo, len(all))
	for i := range all {
		index[all[i].Name] = &all[i]
		if all[i].Also != "" {
			index[all[i].Also] = &all[i]
		}
	}
	return index
}

func indexByRef(all []VarInfo) map[Ref]*VarInfo {
	index := make(map[Ref]*VarInfo, len(all))
	for i := range all {
		index[Ref{Scope: all[i].Scope, Narrow: all[i].Narrow, Var: all[i].Var}] = &all[i]
	}
	return index
}

// owner is one whose orders and positions the hub adds up.
type owner struct {
	scope Scope
	name  string
	// money: it has capital, and with it the variables of ownerVars.
	money bool
}

var owners = []owner{{ScopeTrader, "trader", true}, {ScopeFund, "fund", true}, {ScopeAccount, "account", false}, {ScopeGroup, "group", false}}

// narrowing is a part of what an owner does, and how names have it behind the owner's.
type narrowing struct {
	narrow Narrowing
	name   string
}

var narrowings = []narrowing{{All, ""}, {InContract, "contract."}, {InProduct, "product."}}

func buildCatalogue() []VarInfo {
	all := slices.Concat(orderVars(), orderMoneyVars(), basePriceVars(), contractVars(), marketVars(), sessionVars(), ownVars(), channelVars(), standingVars())
	for _, o := range owners {
		for _, n := range narrowings {
			all = append(all, o.has(n.of(flowVars()))...)
			all = append(all, o.has(n.of(exposureVars()))...)
			if n.narrow != All {
				all = append(all, o.has(n.of(positionVars()))...)
			}
		}
		if o.money {
			all = append(all, o.has(ownerVars())...)
			all = append(all, o.has(bookVars())...)
			all = append(all, o.has(watchVars())...)
		}
	}
	all = append(all, currencyVars()...)
	all = append(all, fundWatchVars()...)
	all = append(all, stateVars()...)
	all = append(all, publishedVars()...)
	return all
}

// has are variables as they are of this owner.
func (o owner) has(vars []VarInfo) []VarInfo {
	for i := range vars {
		vars[i].Scope = o.scope
		vars[i].Name = o.name + "." + vars[i].Name
		if vars[i].Also != "" {
			vars[i].Also = o.name + "." + vars[i].Also
		}
	}
	return vars
}

// of are variables as they are of this part. What is in the order's contract alone may be written without it: trader.position.long.
func (n narrowing) of(vars []VarInfo) []VarInfo {
	for i := range vars {
		info := &vars[i]
		info.Narrow = n.narrow
		switch short := strings.HasPrefix(info.Name, "position."); {
		case short && n.narrow == InContract:
			info.Also = n.name + info.Name
		case info.Var == ActiveOrders && n.narrow == InContract:
			info.Name, info.Also = n.name+info.Name, "active_orders_in_contract" // its name in the hub's first policies
		default:
			info.Name = n.name + info.Name
		}
	}
	return vars
}

func orderVars() []VarInfo {
	text := func(name string, v Var, meaning string) VarInfo {
		return VarInfo{Name: "order." + name, Scope: ScopeOrder, Var: v, Kind: KindText, Meaning: meaning}
	}
	enum := func(name string, v Var, e *enumeration, meaning string) VarInfo {
		return VarInfo{Name: "order." + name, Scope: ScopeOrder, Var: v, Kind: KindText, Members: e.members, Meaning: meaning}
	}
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: "order." + name, Scope: ScopeOrder, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		text("trader", OrderTrader, "who sends the order"),
		text("symbol", OrderSymbol, `what is to be traded: "rb2610"`),
		text("exchange", OrderExchange, `where: "SHFE"`),
		text("gateway", OrderGateway, `through which gateway: "SIM"`),
		enum("direction", OrderDirection, directions, "LONG buys, SHORT sells (BUY and SELL may be written instead)"),
		enum("offset", OrderOffset, offsets, "whether the order opens or closes a position; NONE at a venue that nets (shares, coins)"),
		enum("type", OrderType, orderTypes, "how the order is to be executed"),
		number("price", OrderPrice, "price", "the price of the order; of a STOP order its trigger. A market order has none: then the day's limit_up, else the highest of bid, ask and last. "+
			"It is never 0", "a market order in a contract without any price"),
		number("quantity", OrderQuantity, "quantity", "how much, in the contract's unit: lots, shares, coins", ""),
		number("value", OrderValue, "money", "price * quantity * contract size, in the fund's currency, at the price that makes it largest: a buy's limit; for a sell the higher of its limit "+
			"and the market, at which it would trade; for a market or stop order the day's limit_up, else the market", "there is no market yet, or no rate from the contract's currency"),
		{
			Name: "order.reduces", Scope: ScopeOrder, Var: OrderReduces, Kind: KindTruth,
			Meaning: "the order can only make its trader's position smaller: it closes; or, at a venue that nets, it is opposite to the position and, with the trader's active orders of its " +
				"direction, not larger",
		},
		text("group", OrderGroup, "the control group of the account that the order goes to; the gateway's name when the configuration puts it into none"),
		text("reference", OrderReference, "the trader's own words about the order, often the strategy's name; may be empty"),
	}
}

func contractVars() []VarInfo {
	text := func(name string, v Var, meaning string) VarInfo {
		return VarInfo{Name: "contract." + name, Scope: ScopeContract, Var: v, Kind: KindText, Meaning: meaning}
	}
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: "contract." + name, Scope: ScopeContract, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		text("symbol", ContractSymbol, `the contract: "rb2610"`),
		text("exchange", ContractExchange, `the exchange: "SHFE"`),
		text("product", ContractProduct, `the product code: "rb" for rb2610; the symbol itself for a share or a coin pair`),
		{Name: "contract.kind", Scope: ScopeContract, Var: ContractKind, Kind: KindText, Members: kinds.members, Meaning: "what kind of contract it is"},
		number("tick", ContractTick, "price", "the smallest price step", "the gateway names none"),
		number("size", ContractSize, "underlying / quantity", "how much of the underlying one unit is: 10 (tonnes) for a lot of rb, 1 for a share or a coin", ""),
		number("min_quantity", ContractMinQuantity, "quantity", "the smallest quantity, and the step of quantities", ""),
		number("max_quantity", ContractMaxQuantity, "quantity", "the largest quantity of one order", "the venue names none"),
		number("margin_rate", ContractMarginRate, "part", "the margin for the order's direction, as a part of the value: 0.09", "the contract is paid in full (shares, coins)"),
	}
}

func marketVars() []VarInfo {
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: "market." + name, Scope: ScopeMarket, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	const none = "no tick yet, or the venue does not say"
	return []VarInfo{
		number("last", MarketLast, "price", "the price of the last trade", none),
		number("bid", MarketBid, "price", "the best price that a buyer offers", "no tick yet, or no buyer"),
		number("ask", MarketAsk, "price", "the best price that a seller asks", "no tick yet, or no seller"),
		number("mid", MarketMid, "price", "(bid + ask) / 2", "bid or ask is missing"),
		number("spread", MarketSpread, "price", "ask - bid", "bid or ask is missing"),
		number("previous_close", MarketPreviousClose, "price", "the close of the trading day before", none),
		number("limit_up", MarketLimitUp, "price", "the highest price of the day", none),
		number("limit_down", MarketLimitDown, "price", "the lowest price of the day", none),
		number("volume", MarketVolume, "quantity", "traded today, by everybody", "no tick yet"),
		number("open_interest", MarketOpenInterest, "quantity", "open contracts of everybody", "no tick yet"),
		number("age", MarketAge, "seconds", "since the hub received the last tick of this contract", "no tick yet"),
	}
}

// flowVars are what an owner does; names without the owner's and the part's.
func flowVars() []VarInfo {
	const kept = "more happened in the window than the hub remembers: the newest 1,048,576 orders, cancels and fills of a trader"
	counter := func(name string, v Var, unit, meaning string) VarInfo {
		return VarInfo{Name: name, Var: v, Kind: KindNumber, Unit: unit, Windowed: true, Meaning: meaning, Missing: kept}
	}
	number := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: name, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	return []VarInfo{
		counter("orders", Orders, "count", "orders decided; of a trader the refused ones are counted, too, of the fund, account and group only those that were sent"),
		counter("cancels", Cancels, "count", "cancels asked for, by whomever; of a FAK or FOK order they are not counted, since exchanges do not"),
		counter("messages", Messages, "count", "orders, as `orders` counts them, and cancels asked for, FAK and FOK orders' too"),
		counter("rejects", Rejects, "count", "orders refused by the hub or rejected by the venue: refused + venue_rejects"),
		counter("refused", Refused, "count", "orders refused by the hub; they never left it"),
		counter("venue_rejects", VenueRejects, "count", "orders rejected by the venue, or that never reached it"),
		counter("trades", Trades, "count", "fills"),
		counter("traded_quantity", TradedQuantity, "quantity", "quantities of all fills, added up; of contracts with different units, too"),
		counter("traded_value", TradedValue, "money", "price * quantity * contract size of all fills, added up"),
		counter("opened", Opened, "quantity", "quantities of fills that opened a position of the trader's, long and short added up"),
		counter("fast_cancels", FastCancels, "count", "of cancels, the first of each active order, if it was asked for within a second of the order"),
		counter("fak_fok_cancels", InstantCancels, "count", "FAK and FOK orders that the venue cancelled, wholly or in part; they are not among cancels"),
		counter("amends", Amends, "count", "amendments decided; of a trader the refused ones are counted, too. One that is sent is also one of `orders`, of `cancels` and of `messages`, as it "+
			"replaces an order by another; a refused one is one of `orders`, `messages`, `rejects` and `refused`"),
		counter("crosses", Crosses, "count", "orders that would have met a working order of the fund, and were refused or had to wait for its cancellation; of a trader: the trader's orders"),
		counter("self_trades", SelfTrades, "count", "trades of the fund with itself, each counted once; of a trader: those in which the trader has a side"),
		{
			Name: "large_cancels", Var: LargeCancels, Kind: KindNumber, Unit: "count", Sized: true,
			Meaning: "of cancels, the first of each active order, if the given quantity or more of it was not filled",
			Missing: "cancels of more than 1,024 different quantities today",
		},
		number("active_orders", ActiveOrders, "count", "orders that may still trade", ""),
		number("working_value", WorkingValue, "money", "value of what may still trade in active orders", ""),
		number("in_doubt", InDoubt, "count", "orders of which the hub does not know what became of them at the venue", ""),
		number("rejects_in_a_row", RejectsInARow, "count", "orders that the venue rejected, one after the other; an order that it takes, a resume by the operator and the next trading day "+
			"begin at 0 again", ""),
		number("gross_value", GrossValue, "money", "value of all positions, long and short added up, at the last marks, and of active orders that open", ""),
		number("gross_after", GrossAfter, "money", "gross_value, and this order's value if it opens", "order.value is missing and the order opens"),
	}
}

// positionVars are about what an owner holds and works in the order's contract, or in its product; names without the owner's and the part's.
func positionVars() []VarInfo {
	number := func(name string, v Var, meaning string) VarInfo {
		return VarInfo{Name: "position." + name, Var: v, Kind: KindNumber, Unit: "quantity", Meaning: meaning}
	}
	return []VarInfo{
		number("long", PositionLong, "held long"),
		number("short", PositionShort, "held short; not negative"),
		number("net", PositionNet, "long - short"),
		number("long_today", PositionLongToday, "of long, opened this trading day"),
		number("short_today", PositionShortToday, "of short, opened this trading day"),
		number("long_yesterday", PositionLongYesterday, "of long, from before"),
		number("short_yesterday", PositionShortYesterday, "of short, from before"),
		number("working_buy", WorkingBuy, "what active buys may still buy"),
		number("working_sell", WorkingSell, "what active sells may still sell"),
		number("working_open_long", WorkingOpenLong, "what active buys that open may still buy; at a venue that nets, all of them"),
		number("working_open_short", WorkingOpenShort, "what active sells that open may still sell; at a venue that nets, all of them"),
		number("working_close_long", WorkingCloseLong, "what active sells that close long may still sell"),
		number("working_close_short", WorkingCloseShort, "what active buys that close short may still buy"),
		number("long_after", LongAfter, "the largest long position that can come of it: long, with every active buy that opens, and this order if it opens long, filled; at a venue that nets, "+
			"of the net position"),
		number("short_after", ShortAfter, "the same for short"),
		number("net_after", NetAfter, "the largest net position, without its sign, that can come of it: with all active orders of this order's direction, and this order, filled, and none of the other "+
			"direction"),
	}
}

// ownerVars are what exists of a trader and of the fund alone, who have capital; names without the owner's.
func ownerVars() []VarInfo {
	number := func(name string, v Var, meaning string) VarInfo {
		return VarInfo{Name: name, Var: v, Kind: KindNumber, Unit: "money", Meaning: meaning}
	}
	return []VarInfo{
		{
			Name: "duplicates", Var: Duplicates, Kind: KindNumber, Unit: "count", Windowed: true, Missing: "more in the window than the hub remembers: the newest 262,144 orders, of an hour; " +
				"never over \"today\"",
			Meaning: "earlier orders with the same contract, direction, offset, type, quantity and price as this one",
		},
		number("capital", Capital, "the capital that the configuration gives; of the fund: of all traders"),
		number("equity", Equity, "capital + realised + unrealised profit and loss - commission"),
		number("available", Available, "equity - margin_held"),
		number("margin_held", MarginHeld, "held by positions and active orders"),
		number("pnl.realised", Realised, "profit and loss of what was closed"),
		number("pnl.unrealised", Unrealised, "profit and loss of what is open, at the last marks"),
		number("pnl.day", DayPnL, "profit and loss, realised and unrealised, after commission, since the trading day began; a loss is negative"),
		number("commission", Commission, "paid to the venues"),
	}
}

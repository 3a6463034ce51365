package policytest

import "slices"

// Type is what a key's value must be.
type Type string

// Types of values.
const (
	TypeText       Type = "text"
	TypeWord       Type = "word" // one of Members
	TypeNumber     Type = "number"
	TypeWhole      Type = "whole number over 0"
	TypeTruth      Type = "true or false"
	TypeTime       Type = "moment"     // 2026-11-23 10:00, 10:00, +10s, next day 10:00
	TypeSpan       Type = "span"       // 10s, 1m30s
	TypeNames      Type = "names"      // one, or a list of them
	TypeTrader     Type = "trader"     // its name
	TypeContract   Type = "contract"   // rb2701.SHFE, or rb2701 where its exchange is known
	TypeNumbers    Type = "numbers"    // names with numbers
	TypePrice      Type = "price"      // a number, or none
	TypePolicies   Type = "policies"   // a list of names of files, and of texts
	TypeUses       Type = "uses"       // as in a policy file
	TypeContracts  Type = "contracts"  // contracts with KeysOfContract
	TypeMarkets    Type = "markets"    // contracts with KeysOfMarket or a last price; or KeysOfMarket alone
	TypePositions  Type = "positions"  // traders with contracts with KeysOfPosition
	TypeStates     Type = "states"     // traders, gateways or fund with a state
	TypeGateways   Type = "gateways"   // names, or names with KeysOfGateway
	TypeGroups     Type = "groups"     // a list of KeysOfGroup
	TypePublished  Type = "published"  // fund, traders, contracts or products with names and numbers
	TypeStatement  Type = "statement"  // agrees, or contracts with KeysOfStatement
	TypeUpDown     Type = "up or down" // gateways with up or down
	TypeTests      Type = "tests"      // a list of KeysOfTest
	TypeSteps      Type = "steps"      // a list of KeysOfStep
	TypeOrder      Type = "order"      // KeysOfOrder
	TypeAmend      Type = "amendment"  // KeysOfAmend
	TypeOverride   Type = "override"   // KeysOfOverride
	TypeFill       Type = "fill"       // an order's name, or KeysOfFill
	TypeReject     Type = "rejection"  // an order's name, or KeysOfReject
	TypeTransfer   Type = "transfer"   // KeysOfTransfer
	TypeValues     Type = "values"     // variables with what they must be
	TypeConditions Type = "conditions" // one condition of the rules' language, or a list of them
)

// Key is a key that a test file may have.
type Key struct {
	Name string
	Type Type
	// Members are the words that a TypeWord may be.
	Members []string
	// Meaning is a phrase for the reference and for editors.
	Meaning string
}

var (
	keysOfWorld = []Key{
		{Name: "start", Type: TypeTime, Meaning: "when the test begins, by the main calendar's clocks: 2026-11-23 10:00"},
		{Name: "calendar", Type: TypeWord, Members: []string{"cn-futures", "cn-stock", "crypto", "us-stock"}, Meaning: "the main calendar, by which days roll"},
		{Name: "currency", Type: TypeText, Meaning: "the fund's"},
		{Name: "traders", Type: TypeNumbers, Meaning: "who trades, and with what capital"},
		{Name: "trader", Type: TypeTrader, Meaning: "who sends orders that name nobody; the first trader when left out"},
		{Name: "contract", Type: TypeContract, Meaning: "what orders that name no contract are for"},
		{Name: "contracts", Type: TypeContracts, Meaning: "contracts that are not known, or not as they are to be here"},
		{Name: "market", Type: TypeMarkets, Meaning: "prices of contracts"},
		{Name: "positions", Type: TypePositions, Meaning: "what traders hold since the day before"},
		{Name: "rates", Type: TypeNumbers, Meaning: "what one unit of another currency is worth in the fund's"},
		{Name: "published", Type: TypePublished, Meaning: "numbers that rules ask for by name: {rb2701: {adv: 100_000}, alpha: {line: 3}, fund: {var: 5}}"},
		{Name: "gateways", Type: TypeGateways, Meaning: "channels to the venue; SIM when left out"},
		{Name: "groups", Type: TypeGroups, Meaning: "control groups: accounts that an exchange counts together"},
		{Name: "venue", Type: TypeWord, Members: []string{"automatic", "silent"}, Meaning: "automatic: orders rest and cancels are confirmed at once; silent: steps say it"},
	}
	keysOfFile = slices.Concat([]Key{
		{Name: "tests", Type: TypeTests, Meaning: "the tests"},
		{Name: "policies", Type: TypePolicies, Meaning: "the files that are tested, by their names in the policy folder, and texts of files; all of the folder when left out"},
		{Name: "use", Type: TypeUses, Meaning: "rules of library files that are tested, as a policy file takes them"},
	}, keysOfWorld)
	keysOfTest = slices.Concat([]Key{
		{Name: "name", Type: TypeText, Meaning: "what the test shows"},
		{Name: "steps", Type: TypeSteps, Meaning: "what happens, and what must come of it"},
	}, keysOfWorld)

	keysOfAction = []Key{
		{Name: "order", Type: TypeOrder, Meaning: "a trader sends an order"},
		{Name: "amend", Type: TypeAmend, Meaning: "its owner changes price or quantity of a working order"},
		{Name: "override", Type: TypeOverride, Meaning: "two persons let one order past rules"},
		{Name: "cancel", Type: TypeNames, Meaning: "its owner cancels an order: its name, last, or all"},
		{Name: "fill", Type: TypeFill, Meaning: "the venue fills an order"},
		{Name: "reject", Type: TypeReject, Meaning: "the venue rejects an order"},
		{Name: "confirm", Type: TypeNames, Meaning: "the venue confirms an order, of a silent venue"},
		{Name: "cancelled", Type: TypeNames, Meaning: "the venue cancels an order, or the rest of a FAK or FOK order"},
		{Name: "market", Type: TypeMarkets, Meaning: "new prices"},
		{Name: "state", Type: TypeStates, Meaning: "a person sets the state of the fund, a trader or a gateway"},
		{Name: "gateway", Type: TypeUpDown, Meaning: "a gateway goes down, or comes up"},
		{Name: "rates", Type: TypeNumbers, Meaning: "a person says what currencies are worth"},
		{Name: "publish", Type: TypePublished, Meaning: "numbers are published, or, with none, withdrawn"},
		{Name: "statement", Type: TypeStatement, Meaning: "the venue states its account: agrees, or what it has of contracts where it does not agree with the books"},
		{Name: "transfer", Type: TypeTransfer, Meaning: "the operator moves a position between traders"},
		{Name: "capital", Type: TypeNumbers, Meaning: "capital comes in for traders, or, negative, is taken out"},
		{Name: "cancel_all", Type: TypeText, Meaning: "the operator cancels all orders of a trader, of a gateway, or of the fund"},
		{Name: "flatten", Type: TypeText, Meaning: "the operator flattens a trader, a gateway, or the fund"},
		{Name: "policies", Type: TypePolicies, Meaning: "other policies are loaded; counters stay"},
		{Name: "restart", Type: TypeTruth, Meaning: "the hub is restarted"},
		{Name: "steps", Type: TypeSteps, Meaning: "several steps as one, to be repeated"},
	}
	keysOfExpectation = []Key{
		{Name: "expect", Type: TypeWord, Members: []string{"pass", "waits"}, Meaning: "pass: also without this line; waits: for the cancellation of orders of the fund that it would meet, at a silent venue"},
		{Name: "refused", Type: TypeNames, Meaning: "the order is refused by these rules, or for these reasons of the hub, and by no others"},
		{Name: "not_computable", Type: TypeNames, Meaning: "rules that refuse the order because they cannot be computed"},
		{Name: "shadow", Type: TypeNames, Meaning: "shadow rules that would have refused"},
		{Name: "warn", Type: TypeNames, Meaning: "rules that warn"},
		{Name: "fired", Type: TypeNames, Meaning: "watches that fire"},
		{Name: "says", Type: TypeText, Meaning: "words that the refusal or warning has"},
		{Name: "values", Type: TypeValues, Meaning: "what variables are, as the order's rules read them, or, without an order, after the step"},
		{Name: "holds", Type: TypeConditions, Meaning: "conditions, in the rules' language, that are true then"},
		{Name: "states", Type: TypeStates, Meaning: "how the fund, traders and gateways stand after the step"},
	}
	keysOfStep = slices.Concat([]Key{
		{Name: "at", Type: TypeTime, Meaning: "when: +10s, 10:30:00, 2026-11-24 09:00, next day, next day 09:00"},
		{Name: "times", Type: TypeWhole, Meaning: "how often"},
		{Name: "every", Type: TypeSpan, Meaning: "how long between two times; all at one moment when left out"},
		{Name: "name", Type: TypeText, Meaning: "what later steps call the order"},
	}, keysOfAction, keysOfExpectation)

	keysOfOrder = []Key{
		{Name: "buy", Type: TypeNumber, Meaning: "how much is bought"},
		{Name: "sell", Type: TypeNumber, Meaning: "how much is sold"},
		{Name: "price", Type: TypeNumber, Meaning: "of a limit or stop order; the last price when left out"},
		{Name: "type", Type: TypeWord, Members: []string{"LIMIT", "MARKET", "STOP", "FAK", "FOK"}, Meaning: "LIMIT when left out"},
		{Name: "offset", Type: TypeWord, Members: []string{"OPEN", "CLOSE", "CLOSE_TODAY", "CLOSE_YESTERDAY", "NONE"}, Meaning: "OPEN when left out, where contracts have offsets"},
		{Name: "trader", Type: TypeTrader, Meaning: "who sends it"},
		{Name: "contract", Type: TypeContract, Meaning: "what it is for"},
		{Name: "gateway", Type: TypeText, Meaning: "through which it is to go"},
		{Name: "reference", Type: TypeText, Meaning: "the trader's own words"},
		{Name: "fill", Type: TypeTruth, Meaning: "the venue fills all of it at once, at its price"},
		{Name: "reject", Type: TypeTruth, Meaning: "the venue rejects it at once"},
	}
	keysOfAmend = []Key{
		{Name: "order", Type: TypeText, Meaning: "its name, or last"},
		{Name: "price", Type: TypeNumber, Meaning: "the new price; the order's own when left out"},
		{Name: "quantity", Type: TypeNumber, Meaning: "the new quantity in all, what is filled included; the order's own when left out"},
	}
	keysOfOverride = []Key{
		{Name: "order", Type: TypeOrder, Meaning: "the one order that it is for: trader, contract, direction and size; price: the worst, any when left out"},
		{Name: "rules", Type: TypeNames, Meaning: "rules that it lifts: order-value, or fund:order-value where trader and fund have one of that name"},
		{Name: "for", Type: TypeSpan, Meaning: "how long it is open; 10m when left out"},
	}
	keysOfFill = []Key{
		{Name: "order", Type: TypeText, Meaning: "its name, or last"},
		{Name: "quantity", Type: TypeNumber, Meaning: "all that is left when left out"},
		{Name: "price", Type: TypeNumber, Meaning: "the order's when left out"},
		{Name: "with", Type: TypeText, Meaning: "the order of the fund that it trades with: the venue reports one trade of both"},
	}
	keysOfReject = []Key{
		{Name: "order", Type: TypeText, Meaning: "its name, or last"},
		{Name: "reason", Type: TypeText, Meaning: "what the venue says"},
	}
	keysOfMarket = []Key{
		{Name: "last", Type: TypePrice, Meaning: "the last price"},
		{Name: "bid", Type: TypePrice, Meaning: "a tick below the last price when left out"},
		{Name: "ask", Type: TypePrice, Meaning: "a tick above the last price when left out"},
		{Name: "limit_up", Type: TypePrice, Meaning: "10 % over the previous close when left out"},
		{Name: "limit_down", Type: TypePrice, Meaning: "10 % under the previous close when left out"},
		{Name: "previous_close", Type: TypePrice, Meaning: "the first last price of the test when left out"},
		{Name: "volume", Type: TypeNumber, Meaning: "of the day"},
		{Name: "open_interest", Type: TypeNumber, Meaning: "0 when left out"},
		{Name: "age", Type: TypeSpan, Meaning: "how old the tick is; from then on the market is quiet, until the next step that has prices of it"},
	}
	keysOfContract = []Key{
		{Name: "like", Type: TypeContract, Meaning: "another contract, which this one is like but for what is said here"},
		{Name: "product", Type: TypeText, Meaning: "rb"},
		{Name: "kind", Type: TypeWord, Members: []string{"FUTURES", "OPTION", "EQUITY", "ETF", "BOND", "SPOT", "SWAP", "FOREX", "CFD", "FUND", "INDEX", "WARRANT", "SPREAD"}, Meaning: "FUTURES when left out"},
		{Name: "currency", Type: TypeText, Meaning: "the fund's when left out"},
		{Name: "size", Type: TypeNumber, Meaning: "how much one lot is of the underlying"},
		{Name: "tick", Type: TypeNumber, Meaning: "the smallest step of prices"},
		{Name: "min_quantity", Type: TypeNumber, Meaning: "the smallest quantity, and the step of quantities"},
		{Name: "max_quantity", Type: TypeNumber, Meaning: "the largest of one order"},
		{Name: "margin", Type: TypeNumber, Meaning: "as a part of the value, 0.1 for 10 %; 0: paid in full"},
		{Name: "fee", Type: TypeNumber, Meaning: "of every fill, as a part of the value; none when left out"},
		{Name: "fee_per_unit", Type: TypeNumber, Meaning: "of every fill, for each lot; none when left out"},
		{Name: "nets", Type: TypeTruth, Meaning: "one signed position, no offsets"},
		{Name: "splits_today", Type: TypeTruth, Meaning: "the exchange tells today's position from yesterday's"},
		{Name: "sell_next_day", Type: TypeTruth, Meaning: "what is bought can be sold from the next trading day on"},
		{Name: "stops", Type: TypeTruth, Meaning: "the venue holds stop orders"},
		{Name: "expiry", Type: TypeTime, Meaning: "the contract's last moment"},
		{Name: "last", Type: TypeNumber, Meaning: "its price, when market does not say it"},
	}
	keysOfPosition = []Key{
		{Name: "long", Type: TypeNumber, Meaning: "how much is held long"},
		{Name: "short", Type: TypeNumber, Meaning: "how much is held short"},
		{Name: "price", Type: TypeNumber, Meaning: "at which it was opened; the last price when left out"},
	}
	keysOfGateway = []Key{
		{Name: "limits", Type: TypeNames, Meaning: "messages that the channel takes: 50/1s"},
		{Name: "amends", Type: TypeTruth, Meaning: "it can amend orders; true when left out"},
	}
	keysOfGroup = []Key{
		{Name: "name", Type: TypeText, Meaning: "the group's"},
		{Name: "gateways", Type: TypeNames, Meaning: "whose accounts are in it"},
		{Name: "exchanges", Type: TypeNames, Meaning: "at which they are counted together; all when left out"},
	}
	keysOfTransfer = []Key{
		{Name: "contract", Type: TypeContract, Meaning: "what is moved"},
		{Name: "long", Type: TypeNumber, Meaning: "how much of what is held long"},
		{Name: "short", Type: TypeNumber, Meaning: "how much of what is held short"},
		{Name: "from", Type: TypeTrader, Meaning: "who gives"},
		{Name: "to", Type: TypeTrader, Meaning: "who takes"},
		{Name: "price", Type: TypeNumber, Meaning: "at which; the last price when left out"},
	}
)

// Keys are the keys of every part of a test file, by the part: file, test, step, order, amend, override, fill, reject, market, contract, position, gateway, group, transfer, statement. The slices are the caller's.
func Keys() map[string][]Key {
	return map[string][]Key{
		"file": slices.Clone(keysOfFile), "test": slices.Clone(keysOfTest), "step": slices.Clone(keysOfStep), "order": slices.Clone(keysOfOrder), "fill": slices.Clone(keysOfFill),
		"reject": slices.Clone(keysOfReject), "amend": slices.Clone(keysOfAmend), "override": slices.Clone(keysOfOverride), "market": slices.Clone(keysOfMarket), "contract": slices.Clone(keysOfContract), "position": slices.Clone(keysOfPosition),
		"gateway": slices.Clone(keysOfGateway), "group": slices.Clone(keysOfGroup), "transfer": slices.Clone(keysOfTransfer), "statement": slices.Clone(keysOfStatement),
	}
}

func namesOf(keys []Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

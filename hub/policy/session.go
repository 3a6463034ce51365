package policy

// Variables of the session in which the order was taken (ScopeSession), and of how far the end of its contract is (ScopeContract).
const (
	SessionOpen              Var = iota + 400 // truth: the venue takes orders now
	SessionName                               // text: night
	SessionPhase                              // text: CONTINUOUS
	SessionSinceOpen                          // seconds since the phase began
	SessionToClose                            // seconds until it ends
	SessionTradingDay                         // text: 20261123, of the contract's calendar
	ContractDaysToExpiry                      // days from the trading day to the contract's last; 0 on it
	ContractMonthsToDelivery                  // months from that of the trading day to that of the delivery; 0 in it
)

// sessionVars are what the trading calendar of the order's exchange says, with what it makes of the contract's end.
func sessionVars() []VarInfo {
	const (
		noHours = "the calendar has no hours for the contract's product"
		closed  = "the session is closed, the venue never closes, or " + noHours
	)
	of := func(name string, v Var, kind Kind, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: "session." + name, Scope: ScopeSession, Var: v, Kind: kind, Unit: unit, Meaning: meaning, Missing: missing}
	}
	contract := func(name string, v Var, unit, meaning, missing string) VarInfo {
		return VarInfo{Name: "contract." + name, Scope: ScopeContract, Var: v, Kind: KindNumber, Unit: unit, Meaning: meaning, Missing: missing}
	}
	phase := of("phase", SessionPhase, KindText, "", "what the venue does: CLOSED; AUCTION collects orders and matches them at once; CONTINUOUS; EXTENDED is before and after the regular session", noHours)
	phase.Members = phases.members
	return []VarInfo{
		of("open", SessionOpen, KindTruth, "", "the venue takes orders for this contract now: the phase is AUCTION, CONTINUOUS or EXTENDED", noHours),
		of("name", SessionName, KindText, "", `the session, as the calendar calls it: "night"; empty when it is closed`, noHours),
		phase,
		of("since_open", SessionSinceOpen, KindNumber, "seconds", "since the phase began: after a break it counts anew", closed),
		of("to_close", SessionToClose, KindNumber, "seconds", "until the phase ends, be it for a break only", closed),
		of("trading_day", SessionTradingDay, KindText, "", `the trading day at the contract's exchange: "20261123". A night session is of the next one`, ""),
		contract("days_to_expiry", ContractDaysToExpiry, "days", "calendar days from the trading day to the contract's last; 0 on the last", "the gateway does not say when it expires"),
		contract("months_to_delivery", ContractMonthsToDelivery, "months", "from the month of the trading day to the delivery month, as the symbol of a futures contract names it: 0 in the delivery month, "+
			"1 in the one before", "it is no futures contract, or its symbol names no month"),
	}
}

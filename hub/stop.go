package hub

// Part is a part of the fund's orders and positions: what fits all that it names. The zero Part is all of them.
type Part struct {
	Trader     TraderName  `cbor:"1,keyasint,omitempty"`
	Gateway    GatewayName `cbor:"2,keyasint,omitempty"`
	Instrument Instrument  `cbor:"3,keyasint,omitzero"`
}

// Covers reports whether what is a trader's, at a gateway and in an instrument, belongs to the part.
func (p Part) Covers(t TraderName, g GatewayName, i Instrument) bool {
	return (p.Trader == "" || p.Trader == t) && (p.Gateway == "" || p.Gateway == g) && (p.Instrument == Instrument{} || p.Instrument == i)
}

// String is the part in words: "alpha's rb2610.SHFE at gateway SIM".
func (p Part) String() string { return p.Words().String() }

// Words are the part for people of any language.
func (p Part) Words() Words {
	var what Words
	instrument := p.Instrument != (Instrument{})
	switch {
	case p.Trader != "" && instrument:
		what = Say("%s's %s", p.Trader, p.Instrument)
	case p.Trader != "":
		what = Say("%s", p.Trader)
	case !instrument && p.Gateway == "":
		return Say("the fund")
	case !instrument:
		return Say("gateway %s", p.Gateway)
	default:
		what = Say("%s", p.Instrument)
	}
	if p.Gateway != "" {
		return Say("%s at gateway %s", what, p.Gateway)
	}
	return what
}

// CancelAll cancels every order of a part that may still trade: those that work, those in doubt, those at gateways that are down (they are asked when they are back), and those that the
// hub has been asked for before this entry and has not decided, wherever they are. It is never refused.
type CancelAll struct {
	Part   Part   `cbor:"1,keyasint"`
	By     string `cbor:"2,keyasint,omitempty"`
	Reason string `cbor:"3,keyasint,omitempty"`
}

// Clock says that time passed and nothing else happened: for watches over what grows with time alone, such as the age of prices.
type Clock struct{}

// Flatten closes every position of a part: it cancels what works and sends closing orders, which FlattenStep entries do as the market allows. A whole trader, gateway or fund is
// CANCEL_ONLY from then on; of less than that, orders are refused while it goes on.
type Flatten struct {
	Part   Part   `cbor:"1,keyasint"`
	By     string `cbor:"2,keyasint,omitempty"`
	Reason string `cbor:"3,keyasint,omitempty"`
}

// FlattenStep is the market of what is being flattened: the core goes a step with it.
type FlattenStep struct {
	Markets []FlattenMarket `cbor:"1,keyasint,omitempty"`
}

// FlattenMarket is the market of one contract.
type FlattenMarket struct {
	Gateway    GatewayName `cbor:"1,keyasint"`
	Instrument Instrument  `cbor:"2,keyasint"`
	Market     MarketView  `cbor:"3,keyasint"`
}

func (Flatten) input()     {}
func (FlattenStep) input() {}
func (CancelAll) input()   {}
func (Clock) input()       {}

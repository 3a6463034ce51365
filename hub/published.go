package hub

// PublishedNumber is a number that rules ask for by name: an average volume, a value at risk, a line that a desk draws.
type PublishedNumber struct {
	// Name is of small letters, digits, _ and dots between them, beginning with a letter; at most 64: "adv", "margin.ratio".
	Name string `cbor:"1,keyasint"`
	// Trader and Instrument say whose it is: at most one of them is there, and without both it is the fund's. The symbol of an Instrument is that of a contract, or a product's code.
	Trader     TraderName `cbor:"2,keyasint,omitempty"`
	Instrument Instrument `cbor:"3,keyasint,omitzero"`
	Value      Decimal    `cbor:"4,keyasint,omitzero"`
	// Gone: it is withdrawn, and rules that ask for it refuse.
	Gone bool `cbor:"5,keyasint,omitempty"`
}

// PublishNumbers is somebody's word on some numbers: all of them, or, when any makes no sense, none. Each stays, through restarts, until another is said.
type PublishNumbers struct {
	Numbers []PublishedNumber `cbor:"1,keyasint"`
	By      string            `cbor:"2,keyasint,omitempty"`
}

// Has reports whether it says a number of a trader's, or, with "", of the fund's.
func (p *PublishNumbers) Has(name string, trader TraderName) bool {
	for _, n := range p.Numbers {
		if n.Name == name && n.Trader == trader && n.Instrument == (Instrument{}) {
			return true
		}
	}
	return false
}

func (PublishNumbers) input() {}

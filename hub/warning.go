package hub

// Warning is a rule that let an order pass and is near to where it would not.
type Warning struct {
	Rule string `cbor:"1,keyasint"`
	// Place is file:line of the rule.
	Place string `cbor:"2,keyasint"`
	// Text says what is near to what, in English.
	Text string `cbor:"3,keyasint"`
	// Values are the variables and limits that the warning is about, as "name=value", sorted.
	Values []string `cbor:"4,keyasint,omitempty"`
	// Fund: the rule is in force by the fund's file, not by the trader's.
	Fund bool `cbor:"5,keyasint,omitempty"`
}

package hub

// PoliciesRefused says that policy files were to be put in force and were wrong. It changes nothing: it is for the record, which has the text of every load.
type PoliciesRefused struct {
	Files []PolicyFile `cbor:"1,keyasint"`
	By    string       `cbor:"2,keyasint,omitempty"`
	// Errors are all that was wrong, as file:line:col: where: what.
	Errors []string `cbor:"3,keyasint"`
	// Language is the version of the rules' language by which they were read.
	Language int `cbor:"4,keyasint,omitempty"`
}

func (PoliciesRefused) input() {}

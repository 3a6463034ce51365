package model

import (
	"tradehub/hub"
)

// Scope is within what only the larger side is charged.
type Scope string

// Scopes.
const (
	// ByProduct: all contract months of a product together.
	ByProduct Scope = "product"
	// ByContract: each contract for itself.
	ByContract Scope = "contract"
	// BothSides: never; long and short are both charged.
	BothSides Scope = "none"
)

// Settings are the rates and limits. The zero Settings pass nothing that needs margin: their maxima are 0.
type Settings struct {
	// TraderMax and FundMax are the largest part of equity that margin may take.
	TraderMax, FundMax hub.Decimal
	// Rates override the contracts' own. The key is a product ("rb") or an instrument ("rb2610.SHFE"), which goes first.
	Rates map[string]Rates
	// LargerSide says how exchanges charge; BothSides for those that are not in it.
	LargerSide map[string]Scope
	// Currencies is what one unit of a currency is worth in the fund's, where it is not what the hub says. Without either a contract in another currency is refused.
	Currencies map[string]hub.Decimal
}

// Rates are margin as a part of value. Zero leaves the contract's own.
type Rates struct{ Long, Short hub.Decimal }

// LargerSideDefault are the exchanges that charge the larger side of a product alone, as far as this model covers: package comment of plugins/risk/margin.
func LargerSideDefault() map[string]Scope {
	return map[string]Scope{"SHFE": ByProduct, "INE": ByProduct, "DCE": ByProduct, "CZCE": ByProduct, "CFFEX": ByProduct}
}

package hub

// Amendment is a change of a working order that is under way: the venue has not said yet whether it did it. The zero Amendment is none.
type Amendment struct {
	// Number counts the amendments of an order, from 1. The gateway gives it back when it reports what became of one.
	Number uint64 `cbor:"1,keyasint,omitempty"`
	// Price and Qty are what the order is to be for; Qty in all, what is filled included.
	Price Decimal `cbor:"2,keyasint,omitzero"`
	Qty   Decimal `cbor:"3,keyasint,omitzero"`
}

// Amending reports whether an amendment of the order is under way.
func (o Order) Amending() bool { return o.Amendment.Number != 0 }

// Largest is the quantity that the order may come to: the larger one while an amendment is under way.
func (o Order) Largest() Decimal {
	if o.Amending() {
		return o.Qty.Max(o.Amendment.Qty)
	}
	return o.Qty
}

// Reserved is the order as it is to be counted by who keeps money or position free for it: while an amendment is under way, with the larger quantity and the higher price of the two.
func (o Order) Reserved() Order {
	if o.Amending() {
		o.Qty, o.Price = o.Largest(), o.Price.Max(o.Amendment.Price)
	}
	return o
}

// AmendOrder is a trader's, or the operator's (Trader ""), wish to change price and quantity of a working order, with what the hub knew when it took it. It is decided by all rules as the order
// that it would become.
type AmendOrder struct {
	Trader  TraderName `cbor:"1,keyasint,omitempty"`
	OrderID OrderID    `cbor:"2,keyasint"`
	// Price is the new one; 0: the order's own stays.
	Price Decimal `cbor:"3,keyasint,omitzero"`
	// Qty is the new quantity in all, what is filled included; 0: the order's own stays.
	Qty      Decimal    `cbor:"4,keyasint,omitzero"`
	By       string     `cbor:"5,keyasint,omitempty"`
	Market   MarketView `cbor:"6,keyasint"`
	Verdicts []Verdict  `cbor:"7,keyasint,omitempty"`
	// Asked is when the hub was asked, before the verdicts were waited for; 0: with the entry.
	Asked Time `cbor:"8,keyasint,omitempty"`
	// FromPrice and FromQty are what the order was for when the verdicts were asked for: about an order that is another by now they say nothing. FromQty 0: nothing was asked of that moment.
	FromPrice Decimal `cbor:"9,keyasint,omitzero"`
	FromQty   Decimal `cbor:"10,keyasint,omitzero"`
}

// DoubtAmendments puts orders in doubt whose amendment has been under way since Since, or longer: the answer was lost, or the question. The venue is asked how they stand.
type DoubtAmendments struct {
	Since Time `cbor:"1,keyasint"`
}

func (AmendOrder) input()      {}
func (DoubtAmendments) input() {}

package rpc

import (
	"context"

	"tradehub/hub"
)

// Desk is what a trader can ask the hub for. Every call names the trader, who is known by the line that the request came in by. All methods may be
// called from several goroutines at once.
//
// All but History are called by the goroutine that serves the trader, or while it waits for nothing else: they must answer from memory
// and not wait for a disk, a process or a venue. Lists are in first-seen order and belong to the caller.
type Desk interface {
	OrderDesk
	MarketDesk
	BookDesk
}

// OrderDesk takes orders and cancels.
type OrderDesk interface {
	// Submit asks for an order. gateway is what the trader named, "" when nothing; the contract decides then. done is called exactly once,
	// from any goroutine, possibly before Submit returns: with the order's id and the gateway that it belongs to, for refused orders too;
	// with an empty gateway when no order was made because there is no such gateway or contract; or with an error when the hub could not
	// decide (busy, a failing disk), whose text goes to the trader.
	Submit(trader hub.TraderName, gateway hub.GatewayName, req hub.OrderRequest, done func(gateway hub.GatewayName, id hub.OrderID, err error))
	// Cancel asks to cancel an order of the trader's. done is called exactly once, from any goroutine. An order that is unknown or
	// another's is no error: the trader hears nothing of it, as with stock VeighNa.
	Cancel(trader hub.TraderName, gateway hub.GatewayName, req hub.CancelRequest, done func(err error))
}

// MarketDesk answers what is the same for all traders.
type MarketDesk interface {
	// Subscribe makes the hub receive ticks of the instrument. The trader gets them from then on by PublishTick. gateway may be "".
	Subscribe(trader hub.TraderName, gateway hub.GatewayName, instrument hub.Instrument) error
	// History may take long; it has a goroutine of its own. Its bars are in the order of time.
	History(ctx context.Context, trader hub.TraderName, gateway hub.GatewayName, req hub.HistoryRequest) ([]hub.Bar, error)
	Contracts(trader hub.TraderName) []hub.Contract
	Contract(trader hub.TraderName, instrument hub.Instrument) (hub.Contract, bool)
	Ticks(trader hub.TraderName) []hub.Tick
	Tick(trader hub.TraderName, instrument hub.Instrument) (hub.Tick, bool)
}

// BookDesk answers what is the trader's own. What it answers is no older than the last event that was published.
type BookDesk interface {
	Orders(trader hub.TraderName) []hub.Order
	Order(trader hub.TraderName, id hub.OrderID) (hub.Order, bool)
	Trades(trader hub.TraderName) []hub.Trade
	Positions(trader hub.TraderName) []hub.Position
	Account(trader hub.TraderName) (hub.Account, bool)
}

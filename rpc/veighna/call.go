package veighna

import (
	"time"

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// Call is what a trader asks for: one of the types of this file, one for each function that RpcService has. Gateways in it are what the trader
// says, "" when it says nothing, and need not exist.
//
//sumtype:decl
type Call interface{ call() }

// Subscribe asks for ticks of a contract. Answer None.
type Subscribe struct {
	hub.Instrument
	Gateway hub.GatewayName
}

// SendOrder sends an order. Answer OrderID, or "" when no order was made.
type SendOrder struct {
	hub.OrderRequest
	Gateway hub.GatewayName
}

// CancelOrder cancels an order. Answer None, always.
type CancelOrder struct {
	hub.CancelRequest
	Gateway hub.GatewayName
}

// QueryHistory asks for bars. Answer a list of bars, empty when there are none.
type QueryHistory struct {
	hub.HistoryRequest
	Gateway hub.GatewayName
}

// GetTick asks for the last tick. Answer it or None; so for all that follow up to GetAccount. Asked for what cannot be, the fields are empty.
type GetTick struct{ hub.Instrument }

// GetContract asks for a contract.
type GetContract struct{ hub.Instrument }

// GetOrder asks for an order.
type GetOrder struct {
	Gateway hub.GatewayName
	OrderID hub.OrderID
}

// GetTrade asks for a trade.
type GetTrade struct {
	Gateway hub.GatewayName
	TradeID string
}

// GetPosition asks for a position. Gateway is "" when a client older than vnpy 3.6 asks.
type GetPosition struct {
	Gateway hub.GatewayName
	hub.Instrument
	Direction hub.Direction
}

// GetAccount asks for an account.
type GetAccount struct {
	Gateway   hub.GatewayName
	AccountID string
}

// The calls without arguments. Answer a list, never None, in first-seen order.
type (
	// GetAllTicks asks for the last tick of every contract.
	GetAllTicks struct{}
	// GetAllOrders asks for all orders.
	GetAllOrders struct{}
	// GetAllActiveOrders asks for the orders that may still trade.
	GetAllActiveOrders struct{}
	// GetAllTrades asks for all trades.
	GetAllTrades struct{}
	// GetAllPositions asks for all positions.
	GetAllPositions struct{}
	// GetAllAccounts asks for all accounts.
	GetAllAccounts struct{}
	// GetAllContracts asks for all contracts.
	GetAllContracts struct{}
)

func (Subscribe) call()          {}
func (SendOrder) call()          {}
func (CancelOrder) call()        {}
func (QueryHistory) call()       {}
func (GetTick) call()            {}
func (GetContract) call()        {}
func (GetOrder) call()           {}
func (GetTrade) call()           {}
func (GetPosition) call()        {}
func (GetAccount) call()         {}
func (GetAllTicks) call()        {}
func (GetAllOrders) call()       {}
func (GetAllActiveOrders) call() {}
func (GetAllTrades) call()       {}
func (GetAllPositions) call()    {}
func (GetAllAccounts) call()     {}
func (GetAllContracts) call()    {}

// AppendRequest writes a whole request, as VeighNa's client would: for tests, and for a hub that is itself a client. A zone of nil is
// DefaultZone; the language is seen in a vt_positionid.
func AppendRequest(dst []byte, c Call, zone *time.Location, language Language) []byte {
	dst = pickle.AppendListStart(pickle.AppendProto(dst))
	switch c := c.(type) {
	case Subscribe:
		dst = appendCall(dst, "subscribe", appendSubscribe(nil, c.Instrument), string(c.Gateway))
	case SendOrder:
		dst = appendCall(dst, "send_order", appendOrderRequest(nil, &c.OrderRequest), string(c.Gateway))
	case CancelOrder:
		dst = appendCall(dst, "cancel_order", appendCancelRequest(nil, &c.CancelRequest), string(c.Gateway))
	case QueryHistory:
		dst = appendCall(dst, "query_history", appendHistoryRequest(nil, &c.HistoryRequest, zone), string(c.Gateway))
	case GetTick:
		dst = appendCall(dst, "get_tick", nil, c.String())
	case GetContract:
		dst = appendCall(dst, "get_contract", nil, c.String())
	case GetOrder:
		dst = appendCall(dst, "get_order", nil, OrderID(c.Gateway, c.OrderID))
	case GetTrade:
		dst = appendCall(dst, "get_trade", nil, string(c.Gateway)+"."+c.TradeID)
	case GetPosition:
		id := PositionID(&hub.Position{Gateway: c.Gateway, Instrument: c.Instrument, Direction: c.Direction}, language)
		dst = appendCall(dst, "get_position", nil, id)
	case GetAccount:
		dst = appendCall(dst, "get_account", nil, string(c.Gateway)+"."+c.AccountID)
	case GetAllTicks:
		dst = appendCall(dst, "get_all_ticks", nil)
	case GetAllOrders:
		dst = appendCall(dst, "get_all_orders", nil)
	case GetAllActiveOrders:
		dst = appendCall(dst, "get_all_active_orders", nil)
	case GetAllTrades:
		dst = appendCall(dst, "get_all_trades", nil)
	case GetAllPositions:
		dst = appendCall(dst, "get_all_positions", nil)
	case GetAllAccounts:
		dst = appendCall(dst, "get_all_accounts", nil)
	case GetAllContracts:
		dst = appendCall(dst, "get_all_contracts", nil)
	}
	return pickle.AppendStop(pickle.AppendListEnd(dst))
}

// appendCall writes the three items of a request: positional arguments are the object, if any, and then the strings.
func appendCall(dst []byte, name string, req []byte, args ...string) []byte {
	dst = pickle.AppendTupleStart(pickle.AppendString(dst, name))
	dst = append(dst, req...)
	for _, a := range args {
		dst = pickle.AppendString(dst, a)
	}
	return pickle.AppendDictEnd(pickle.AppendDictStart(pickle.AppendTupleEnd(dst)))
}

func appendSubscribe(dst []byte, i hub.Instrument) []byte {
	o := object{dst, subscribeLayout.head}
	i = written(i)
	o.instrument(i)
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

func appendOrderRequest(dst []byte, r *hub.OrderRequest) []byte {
	o := object{dst, requestLayout.head}
	i := written(r.Instrument)
	o.instrument(i)
	o.enum(&directions, uint8(r.Direction), 0)
	o.enum(&orderTypes, uint8(r.Type), 0)
	o.number(r.Qty)
	o.number(r.Price)
	o.enum(&offsets, uint8(r.Offset), 0)
	o.str(r.Reference)
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

func appendCancelRequest(dst []byte, r *hub.CancelRequest) []byte {
	o := object{dst, cancelLayout.head}
	i := written(r.Instrument)
	o.str(string(r.OrderID))
	o.instrument(i)
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

func appendHistoryRequest(dst []byte, r *hub.HistoryRequest, zone *time.Location) []byte {
	o := object{dst, historyLayout.head}
	i := written(r.Instrument)
	o.instrument(i)
	o.time(r.Start, zone)
	o.time(r.End, zone)
	o.enum(&intervals, uint8(r.Interval), 0)
	o.joined(i.Symbol, i.Exchange)
	return o.end()
}

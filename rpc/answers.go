package rpc

import (
	"slices"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

// one writes the answer to a get of one thing: it, or None.
func (l *line) one(dst []byte, call veighna.Call) []byte {
	desk, who := l.server.opts.Desk, l.trader.Name
	switch call := call.(type) { //nolint:gochecksumtype // carryOut knows which these are
	case veighna.GetTick:
		if t, ok := desk.Tick(who, call.Instrument); ok {
			return veighna.AppendTick(dst, &t, l.server.zone(who, t.Instrument))
		}
	case veighna.GetContract:
		if c, ok := desk.Contract(who, call.Instrument); ok {
			return veighna.AppendContract(dst, &c)
		}
	case veighna.GetOrder:
		if o, ok := desk.Order(who, call.OrderID); ok && sameGateway(call.Gateway, o.Gateway) {
			return veighna.AppendOrder(dst, &o, l.server.zone(who, o.Instrument))
		}
	case veighna.GetTrade:
		for _, t := range desk.Trades(who) {
			if t.ID == call.TradeID && sameGateway(call.Gateway, t.Gateway) {
				return veighna.AppendTrade(dst, &t, l.server.zone(who, t.Instrument))
			}
		}
	case veighna.GetPosition:
		for _, p := range desk.Positions(who) {
			if p.Instrument == call.Instrument && p.Direction == call.Direction && sameGateway(call.Gateway, p.Gateway) {
				return veighna.AppendPosition(dst, &p, l.trader.Language)
			}
		}
	case veighna.GetAccount:
		gateway := l.server.opts.Gateway
		if a, ok := desk.Account(who); ok && call.AccountID == string(who) && sameGateway(call.Gateway, gateway) {
			return veighna.AppendAccount(dst, &veighna.Account{Gateway: gateway, Account: a})
		}
	default: // no get of one thing
	}
	return veighna.AppendNone(dst)
}

// sameGateway reports whether what was asked for is of that gateway; who names none means any.
func sameGateway(asked, is hub.GatewayName) bool { return asked == "" || asked == is }

// all writes the answer to a get_all: a list, empty when there is nothing.
func (l *line) all(dst []byte, call veighna.Call) []byte {
	desk, who := l.server.opts.Desk, l.trader.Name
	order := func(dst []byte, o *hub.Order) []byte {
		return veighna.AppendOrder(dst, o, l.server.zone(who, o.Instrument))
	}
	switch call.(type) { //nolint:gochecksumtype // carryOut knows which these are
	case veighna.GetAllTicks:
		return veighna.AppendList(dst, desk.Ticks(who), func(dst []byte, t *hub.Tick) []byte {
			return veighna.AppendTick(dst, t, l.server.zone(who, t.Instrument))
		})
	case veighna.GetAllOrders:
		return veighna.AppendList(dst, desk.Orders(who), order)
	case veighna.GetAllActiveOrders:
		orders := slices.DeleteFunc(desk.Orders(who), func(o hub.Order) bool { return !o.Active() })
		return veighna.AppendList(dst, orders, order)
	case veighna.GetAllTrades:
		return veighna.AppendList(dst, desk.Trades(who), func(dst []byte, t *hub.Trade) []byte {
			return veighna.AppendTrade(dst, t, l.server.zone(who, t.Instrument))
		})
	case veighna.GetAllPositions:
		return veighna.AppendList(dst, desk.Positions(who), func(dst []byte, p *hub.Position) []byte {
			return veighna.AppendPosition(dst, p, l.trader.Language)
		})
	case veighna.GetAllAccounts:
		var accounts []veighna.Account
		if a, ok := desk.Account(who); ok {
			accounts = append(accounts, veighna.Account{Gateway: l.server.opts.Gateway, Account: a})
		}
		return veighna.AppendList(dst, accounts, veighna.AppendAccount)
	case veighna.GetAllContracts:
		return veighna.AppendList(dst, desk.Contracts(who), veighna.AppendContract)
	default: // no get_all
		return veighna.AppendNone(dst)
	}
}

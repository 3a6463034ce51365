package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peer is a server that clients connect to: the hub or stock VeighNa.
type peer struct {
	name             string
	request, publish string
	process          *process
	hub              bool
}

func (p *peer) stop() error { return p.process.stop(p.hub) }

// endpoints finds free ports. Somebody else may take one before it is bound; then the start fails and says so.
func endpoints(n int) ([]string, error) {
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
		if err != nil {
			return nil, err
		}
		defer l.Close()
		out = append(out, "tcp://"+l.Addr().String())
	}
	return out, nil
}

func startStock(ctx context.Context, s settings, name string, rate float64) (*peer, error) {
	e, err := endpoints(2)
	if err != nil {
		return nil, err
	}
	p := &peer{name: "stock", request: e[0], publish: e[1]}
	p.process, err = start(name, s.dir, s.python, filepath.Join(s.scripts, "stock_server.py"),
		"--req", p.request, "--pub", p.publish, "--rate", strconv.FormatFloat(rate, 'g', -1, 64))
	if err != nil {
		return nil, err
	}
	if err := p.process.expectStep(ctx, "ready", startWithin, nil); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// The limits let everything through that is sent here; every rule is evaluated for every order all the same.
const benchConfig = `data: ./data
fund: {name: bench, currency: CNY, rates: {USDT: 7.1}}
traders:
  alpha:
    capital: 1_000_000_000_000
    veighna: {request: %q, publish: %q%s}
gateways:
  SIM: %s
risk_managers:
  margin: {plugin: margin, deadline: 2s}
policies: policies
%s`

const traderPolicy = `policy: trader
trader: alpha
limits:
  order_lots: 100
  order_value: 3_000_000
  collar: 0.10
  active_orders: 1_000_000
  messages_second: 1_000_000
  messages_minute: 50_000_000
  duplicates: 1_000_000
  position: 1_000_000
rules:
  - name: contracts
    require: contract.kind in [FUTURES, OPTION, EQUITY, SPOT]
    because: alpha does not trade {contract.kind}
  - name: order-size
    when: contract.kind in [FUTURES, OPTION]
    require: order.quantity <= limits.order_lots
    because: "{order.quantity} lots in one order, over {limits.order_lots}"
  - name: order-value
    require: order.value <= limits.order_value
    because: order value {order.value} over {limits.order_value}
  - name: collar
    when: order.type != MARKET and contract.kind != OPTION
    require: abs(order.price - market.last) <= limits.collar * market.last
    because: price {order.price} is too far from the last price {market.last}
  - name: active-orders
    require: trader.active_orders < limits.active_orders
    because: "{trader.active_orders} orders are active"
  - name: order-flow
    require: trader.messages("1s") < limits.messages_second and trader.messages("1m") < limits.messages_minute
    because: '{trader.messages("1s")} messages in a second and {trader.messages("1m")} in a minute'
  - name: duplicates
    require: trader.duplicates("1s") < limits.duplicates
    because: the same order {trader.duplicates("1s")} times within a second
  - name: position
    when: contract.kind in [FUTURES, OPTION]
    require: order.reduces or max(trader.position.long_after, trader.position.short_after) <= limits.position
    because: the position in {order.symbol} could become too large
`

const fundPolicy = `policy: fund
limits: {gross_value: 1_000_000_000_000}
rules:
  - name: price-limits
    when: contract.kind in [FUTURES, OPTION, EQUITY]
    require: market.limit_down <= order.price <= market.limit_up
    because: price {order.price} is outside of the day's limits
  - name: fund-gross-value
    require: order.reduces or fund.gross_after <= limits.gross_value
    because: the fund's positions and working orders would be worth {fund.gross_after}
`

// startHub starts a hub with the simulated market: strangers trade, as in the demo, and there is money for any number of orders.
func startHub(ctx context.Context, s settings, name string) (*peer, error) {
	return startHubWith(ctx, s, name, `{plugin: sim, settings: {capital: {CNY: "1000000000000"}}}`, "")
}

// startFlooded starts a hub with more ticks than it can take.
func startFlooded(ctx context.Context, s settings, name string) (*peer, error) {
	dir, err := floodPlugins(s)
	if err != nil {
		return nil, err
	}
	return startHubWith(ctx, s, name, "{plugin: "+floodName+"}", fmt.Sprintf("plugins: {dir: %q}\n", dir))
}

// startHubWith starts a hub on a fresh data directory.
func startHubWith(ctx context.Context, s settings, name, gateway, more string) (*peer, error) {
	e, err := endpoints(2)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.dir, name)
	if err := writeFiles(dir, map[string]string{
		"hub.yaml": benchText(e[0], e[1], s.stated, gateway, more), "policies/fund.yaml": fundPolicy, "policies/traders/alpha.yaml": traderPolicy,
	}); err != nil {
		return nil, err
	}
	p := &peer{name: "hub", request: e[0], publish: e[1], hub: true}
	return p, p.startProcess(ctx, s, name, "serve", "--config", filepath.Join(dir, "hub.yaml"), "--log", "warn")
}

// benchText is hub.yaml. stated is the trader's version of VeighNa, "" for none.
func benchText(request, publish, stated, gateway, more string) string {
	if stated != "" {
		stated = fmt.Sprintf(", version: %q", stated)
	}
	return fmt.Sprintf(benchConfig, request, publish, stated, gateway, more)
}

// startProcess starts the hub's program and waits for READY.
func (p *peer) startProcess(ctx context.Context, s settings, name string, args ...string) (err error) {
	if p.process, err = start(name, s.dir, s.hub, args...); err != nil {
		return err
	}
	ready := func(line string) (bool, error) { return strings.HasPrefix(line, "READY"), nil }
	if err := p.process.expect(ctx, "READY", startWithin, ready); err != nil {
		return errors.Join(err, p.stop())
	}
	return nil
}

func writeFiles(dir string, files map[string]string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

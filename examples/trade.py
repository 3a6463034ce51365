"""Trade through the hub with VeighNa's own RpcGateway: nothing of VeighNa is changed.

    make demo                                          # in one terminal
    .venvs/vnpy-4.5.0/bin/python examples/trade.py     # in another (make test makes the environment)

It subscribes to a contract, sends a limit order below the market, waits until the
order rests, cancels it and prints the account. Exit code 0 when all of it happened.
"""

import argparse
import queue
import sys

from vnpy.event import Event, EventEngine
from vnpy.trader.constant import Direction, Offset, OrderType, Product, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import EVENT_ACCOUNT, EVENT_CONTRACT, EVENT_LOG, EVENT_ORDER, EVENT_TICK
from vnpy.trader.object import AccountData, ContractData, LogData, OrderData, OrderRequest, SubscribeRequest, TickData
from vnpy_rpcservice.rpc_gateway import RpcGateway

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--request", default="tcp://127.0.0.1:2014", help="主动请求地址")
parser.add_argument("--publish", default="tcp://127.0.0.1:4102", help="推送订阅地址")
parser.add_argument("--quantity", type=float, default=0, help="lots; the smallest order without it")
args = parser.parse_args()

# What arrives is put into queues; the rest of the script reads like a story. Orders and
# accounts share one, since their order matters: an account that comes after an order's event
# knows of it.
contracts: queue.Queue[ContractData] = queue.Queue()
ticks: queue.Queue[TickData] = queue.Queue()
news: queue.Queue[OrderData | AccountData] = queue.Queue()
logs: queue.Queue[LogData] = queue.Queue()
events = EventEngine()
events.register(EVENT_CONTRACT, lambda event: contracts.put(event.data))
events.register(EVENT_TICK, lambda event: ticks.put(event.data))
events.register(EVENT_ORDER, lambda event: news.put(event.data))
events.register(EVENT_ACCOUNT, lambda event: news.put(event.data))
events.register(EVENT_LOG, lambda event: logs.put(event.data))

main_engine = MainEngine(events)
main_engine.add_gateway(RpcGateway, "RPC")


def wait_for(vt_orderid: str, status: Status) -> OrderData:
    """The order's event with this status; an order that ends otherwise ends the script."""
    while True:
        order = news.get(timeout=30)
        if not isinstance(order, OrderData) or order.vt_orderid != vt_orderid:
            continue  # an account, an older order, or one of another window
        print(f"{order.vt_orderid}: {order.status.value}")
        if order.status is status:
            return order
        if order.status is Status.REJECTED:
            sys.exit(why(order.orderid))
        if not order.is_active():
            sys.exit(f"the order is {order.status.value}")


def why(orderid: str) -> str:
    """The line of the log window that says why an order was refused. It comes after the order's event."""
    while True:
        log = logs.get(timeout=30)
        if orderid in log.msg:
            return log.msg


def next_account() -> AccountData:
    """The first account after what was read last."""
    while True:
        account = news.get(timeout=30)
        if isinstance(account, AccountData):
            return account


try:
    # The dialog's two fields. Contracts, account, positions, orders and trades follow as events.
    main_engine.connect({"主动请求地址": args.request, "推送订阅地址": args.publish}, "RPC")
    contract = contracts.get(timeout=30)
    while not (contract.product is Product.FUTURES and contract.symbol.startswith("rb")):
        contract = contracts.get(timeout=30)
    main_engine.subscribe(SubscribeRequest(contract.symbol, contract.exchange), "RPC")
    tick = ticks.get(timeout=30)
    print(f"{tick.vt_symbol}: {tick.bid_price_1:g} bid, {tick.ask_price_1:g} asked")

    # Far enough below the market to rest, near enough for the demo's price collar.
    price = contract.pricetick * int(tick.bid_price_1 * 0.985 / contract.pricetick)
    quantity = args.quantity or contract.min_volume
    request = OrderRequest(
        contract.symbol, contract.exchange, Direction.LONG, OrderType.LIMIT, quantity, price, Offset.OPEN
    )
    vt_orderid = main_engine.send_order(request, "RPC")
    order = wait_for(vt_orderid, Status.NOTTRADED)
    main_engine.cancel_order(order.create_cancel_request(), "RPC")
    wait_for(vt_orderid, Status.CANCELLED)

    account = next_account()
    print(f"{account.accountid}: {account.balance:,.2f}, of which {account.available:,.2f} available")
finally:
    main_engine.close()

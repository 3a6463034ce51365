"""A stock VeighNa server: MainEngine, RpcEngine and a simulated gateway in Python.

The peer of the benchmarks, and what the programs beside this one are checked
against. Everything between the gateway and the wire is VeighNa's own; the
gateway does as little as it can, so that what is measured is VeighNa.

It writes {"step": "ready"} once it serves, and ends when its stdin does.
"""

import argparse
import copy
import sys
import threading
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import env

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--req", default="tcp://127.0.0.1:2014", help="address that answers requests")
parser.add_argument("--pub", default="tcp://127.0.0.1:4102", help="address that publishes")
parser.add_argument("--contracts", type=int, default=4, help="contracts to have, from 1 to 12")
parser.add_argument("--rate", type=float, default=4, help="ticks a second, all subscribed contracts together; 0 is as many as VeighNa takes")
parser.add_argument("--lang", choices=("zh", "en"), default="zh")
args = parser.parse_args()
env.prepare(args.lang, deadline=86400)

from vnpy.event import EventEngine  # noqa: E402
from vnpy.trader.constant import Direction, Exchange, Interval, Offset, OrderType, Product, Status  # noqa: E402
from vnpy.trader.engine import MainEngine  # noqa: E402
from vnpy.trader.gateway import BaseGateway  # noqa: E402
from vnpy.trader.object import (  # noqa: E402
    AccountData,
    BarData,
    CancelRequest,
    ContractData,
    HistoryRequest,
    OrderData,
    OrderRequest,
    PositionData,
    SubscribeRequest,
    TickData,
    TradeData,
)
from vnpy_rpcservice.rpc_service.engine import RpcEngine  # noqa: E402

SHANGHAI = ZoneInfo("Asia/Shanghai")
QUEUE_MAX = 1000
SIZE = 10
STEPS = {Interval.MINUTE: timedelta(minutes=1), Interval.HOUR: timedelta(hours=1), Interval.DAILY: timedelta(days=1)}
OPENED = datetime(2025, 1, 2, tzinfo=SHANGHAI)


class SimGateway(BaseGateway):
    """A market that never moves: what crosses is filled at once, what does not rests, or is cancelled if it is FAK or FOK."""

    default_name = "SIM"
    default_setting: dict = {}
    exchanges = [Exchange.SHFE]

    def __init__(self, event_engine: EventEngine, gateway_name: str) -> None:
        super().__init__(event_engine, gateway_name)
        self.lock = threading.Lock()
        self.count = 0
        self.symbols = [f"rb26{month:02d}" for month in range(1, args.contracts + 1)]
        self.subscribed: list[str] = []
        self.some_subscribed = threading.Event()
        self.orders: dict[str, OrderData] = {}
        self.positions: dict[tuple[str, Direction], PositionData] = {}
        self.balance = 1_000_000.0

    def connect(self, setting: dict) -> None:
        """Publish what a gateway publishes when it is logged in."""
        for symbol in self.symbols:
            self.on_contract(
                ContractData(
                    symbol=symbol,
                    exchange=Exchange.SHFE,
                    name=f"螺纹钢{symbol[2:]}",
                    product=Product.FUTURES,
                    size=SIZE,
                    pricetick=1,
                    history_data=True,
                    gateway_name=self.gateway_name,
                )
            )
            for direction in (Direction.LONG, Direction.SHORT):
                position = PositionData(
                    symbol=symbol, exchange=Exchange.SHFE, direction=direction, gateway_name=self.gateway_name
                )
                self.positions[symbol, direction] = position
                self.on_position(copy.copy(position))
        self.push_account()

    def close(self) -> None:
        """There is nothing to close."""

    def query_account(self) -> None:
        """Accounts are pushed."""

    def query_position(self) -> None:
        """Positions are pushed."""

    def push_account(self) -> None:
        """Publish the account."""
        self.on_account(AccountData(accountid="sim", balance=self.balance, gateway_name=self.gateway_name))

    def subscribe(self, req: SubscribeRequest) -> None:
        """Start the ticks of a contract."""
        if req.symbol in self.symbols and req.symbol not in self.subscribed:
            self.subscribed.append(req.symbol)
            self.some_subscribed.set()

    def tick(self, symbol: str, n: int) -> TickData:
        """The book of a contract: 3500 bid, 3501 asked, five levels of a hundred."""
        return TickData(
            symbol=symbol,
            exchange=Exchange.SHFE,
            datetime=datetime.now(SHANGHAI),
            name=f"螺纹钢{symbol[2:]}",
            volume=n,
            last_price=3500,
            last_volume=1,
            limit_up=3850,
            limit_down=3150,
            open_price=3490,
            high_price=3510,
            low_price=3480,
            pre_close=3500,
            gateway_name=self.gateway_name,
            **{f"bid_price_{i}": 3501 - i for i in range(1, 6)},
            **{f"ask_price_{i}": 3500 + i for i in range(1, 6)},
            **{f"bid_volume_{i}": 100 for i in range(1, 6)},
            **{f"ask_volume_{i}": 100 for i in range(1, 6)},
        )

    def send_order(self, req: OrderRequest) -> str:
        """Take an order, and say at once how it goes."""
        with self.lock:
            self.count += 1
            order = req.create_order_data(str(self.count), self.gateway_name)
            order.datetime = datetime.now(SHANGHAI)
            self.orders[order.orderid] = order
            self.on_order(copy.copy(order))
            price = 3501 if req.direction is Direction.LONG else 3500
            crosses = req.price >= price if req.direction is Direction.LONG else req.price <= price
            if req.type is OrderType.MARKET or crosses:
                self.fill(order, price)
            elif req.type in (OrderType.FAK, OrderType.FOK):
                order.status = Status.CANCELLED
                self.on_order(copy.copy(order))
            else:
                order.status = Status.NOTTRADED
                self.on_order(copy.copy(order))
            return order.vt_orderid

    def fill(self, order: OrderData, price: float) -> None:
        """Trade an order as a whole."""
        order.traded = order.volume
        order.status = Status.ALLTRADED
        self.on_order(copy.copy(order))
        self.count += 1
        self.on_trade(
            TradeData(
                symbol=order.symbol,
                exchange=order.exchange,
                orderid=order.orderid,
                tradeid=str(self.count),
                direction=order.direction,
                offset=order.offset,
                price=price,
                volume=order.volume,
                datetime=datetime.now(SHANGHAI),
                gateway_name=self.gateway_name,
            )
        )
        opens = order.offset is Offset.OPEN
        side = Direction.LONG if (order.direction is Direction.LONG) == opens else Direction.SHORT
        position = self.positions[order.symbol, side]
        position.volume += order.volume if opens else -order.volume
        position.price = price
        self.on_position(copy.copy(position))
        self.push_account()

    def cancel_order(self, req: CancelRequest) -> None:
        """Cancel an order that rests."""
        with self.lock:
            order = self.orders.get(req.orderid)
            if order and order.is_active():
                order.status = Status.CANCELLED
                self.on_order(copy.copy(order))

    def query_history(self, req: HistoryRequest) -> list[BarData]:
        """Bars that are all alike, since the market opened for the first time."""
        step = STEPS.get(req.interval)
        if not step or req.symbol not in self.symbols:
            return []
        start = max(req.start if req.start.tzinfo else req.start.replace(tzinfo=SHANGHAI), OPENED)
        end = req.end or datetime.now(SHANGHAI)
        end = end if end.tzinfo else end.replace(tzinfo=SHANGHAI)
        first = OPENED + -((OPENED - start) // step) * step
        return [
            BarData(
                symbol=req.symbol,
                exchange=req.exchange,
                datetime=first + i * step,
                interval=req.interval,
                volume=100,
                open_price=3500,
                high_price=3510,
                low_price=3490,
                close_price=3505,
                gateway_name=self.gateway_name,
            )
            for i in range(max(0, (end - first) // step + 1))
        ]


def publish_ticks(gateway: SimGateway, events: EventEngine) -> None:
    """Publish at the rate that was asked for, or as fast as VeighNa's own queue empties."""
    gateway.some_subscribed.wait()
    began = time.monotonic()
    n = 0
    while True:
        if args.rate:
            time.sleep(max(0.0, began + n / args.rate - time.monotonic()))
        else:
            while events._queue.qsize() > QUEUE_MAX:
                time.sleep(0.0005)
        n += 1
        gateway.on_tick(gateway.tick(gateway.subscribed[n % len(gateway.subscribed)], n))


def main() -> int:
    """Serve until stdin ends."""
    events = EventEngine()
    engine = MainEngine(events)
    gateway = engine.add_gateway(SimGateway)
    service = engine.add_engine(RpcEngine)
    engine.connect({}, gateway.gateway_name)
    if not service.start(args.req, args.pub):
        raise env.Failed(f"{args.req} or {args.pub} cannot be bound")
    threading.Thread(target=publish_ticks, args=(gateway, events), daemon=True).start()
    env.emit({"step": "ready", "ok": True, "detail": {"req": args.req, "pub": args.pub}})
    sys.stdin.read()
    return 0


env.run(main)

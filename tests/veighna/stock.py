"""Stock VeighNa clients that remember what they received.

Nothing of VeighNa is changed or replaced: Trader is its EventEngine, MainEngine
and RpcGateway, Client its bare RpcClient. Import this after env.prepare.
"""

import copy
import dataclasses
import datetime
import enum
import math
import threading
import time
import typing
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import env
from vnpy.event import Event, EventEngine
from vnpy.rpc import RpcClient
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Product, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.object import (
    BarData,
    CancelRequest,
    ContractData,
    OrderData,
    OrderRequest,
    SubscribeRequest,
    TickData,
    TradeData,
)
from vnpy_rpcservice.rpc_gateway import RpcGateway

FINAL = (Status.ALLTRADED, Status.CANCELLED, Status.REJECTED)

EVENTS_MAX = 500_000
"""Events kept; when there are more, the older half is forgotten."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """An event as it came, numbered from 1."""

    seq: int
    at: float
    type: str
    data: object


class Recorder:
    """All events in the order of their arrival, and a way to wait for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Seen] = []
        self._forgotten = 0

    def put(self, type_: str, data: object) -> None:
        """Remember an event."""
        with self._changed:
            if len(self._events) == EVENTS_MAX:
                del self._events[: EVENTS_MAX // 2]
                self._forgotten += EVENTS_MAX // 2
            self._events.append(Seen(self._last() + 1, time.perf_counter(), type_, data))
            self._changed.notify_all()

    def _last(self) -> int:
        return self._forgotten + len(self._events)

    def last(self) -> int:
        """The number of the newest event, 0 when there is none."""
        with self._changed:
            return self._last()

    def since(self, after: int = 0) -> list[Seen]:
        """The events that are newer than number after."""
        with self._changed:
            return self._events[max(0, after - self._forgotten) :]

    def wait(
        self,
        what: str,
        match: Callable[[Seen], bool],
        after: int = 0,
        timeout: float = 0,
    ) -> Seen:
        """The first event newer than after that matches; Failed when none comes."""
        timeout = timeout or env.TIMEOUT
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for event in self._events[max(0, after - self._forgotten) :]:
                    if match(event):
                        return event
                after = self._last()
                if env.dead_threads:
                    raise env.Failed(f"{what} cannot come: a thread died: {env.dead_threads[0]}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise env.Failed(f"{what} did not come in {timeout:g} s")
                self._changed.wait(min(left, 0.5))  # a thread that dies does not notify


class Trader:
    """A stock VeighNa Trader without its window."""

    def __init__(self, req: str, pub: str) -> None:
        self.setting = {"主动请求地址": req, "推送订阅地址": pub}
        self.events = Recorder()
        engine = EventEngine()
        # General handlers run after the OMS's own, so whoever is woken by an
        # event finds it in the OMS already.
        engine.register_general(lambda event: self.events.put(event.type, event.data))
        self.main = MainEngine(engine)
        self.gateway: RpcGateway = self.main.add_gateway(RpcGateway)
        self.client = self.gateway.client

    @property
    def name(self) -> str:
        """The name that the gateway has at this side."""
        return self.gateway.gateway_name

    def connect(self) -> None:
        """Connect as the connect dialog does, with all initial queries answered on return, and in the OMS."""
        self.main.connect(self.setting, self.name)
        # The answers are events of this side's own, which another thread puts into the OMS; this line comes after all of them.
        self.events.wait("the last line of the connection", lambda e: e.type == "eLog" and e.data.msg == "成交信息查询成功")

    def logs(self, after: int = 0) -> list[str]:
        """The lines of the log window that the server or the gateway wrote."""
        return [
            e.data.msg
            for e in self.events.since(after)
            if e.type in ("eLog", "eRpcLog") and e.data.gateway_name == self.name
        ]

    def contract(self, vt_symbol: str = "") -> ContractData:
        """The contract of this name, or the first futures contract of rebar."""
        contracts = self.main.get_all_contracts()
        for c in contracts:
            if c.vt_symbol == vt_symbol:
                return c
            if not vt_symbol and c.product is Product.FUTURES and c.symbol.lower().startswith("rb"):
                return c
        raise env.Failed(f"no contract {vt_symbol or 'rb'} among {[c.vt_symbol for c in contracts][:20]}")

    def server_gateway(self, vt_symbol: str) -> str:
        """The name that the contract's gateway has at the server's side."""
        return self.gateway.symbol_gateway_map.get(vt_symbol, "")

    def watch(self, contract: ContractData) -> TickData:
        """Subscribe and wait for a tick.

        A SUB socket gets nothing of what was published before its subscription
        arrived, so nobody should trade before a first message was received.
        """
        after = self.events.last()
        self.main.subscribe(SubscribeRequest(contract.symbol, contract.exchange), self.name)
        return self.events.wait(
            f"a tick of {contract.vt_symbol}",
            lambda e: e.type == "eTick." and e.data.vt_symbol == contract.vt_symbol,
            after,
        ).data

    def send(
        self,
        contract: ContractData,
        direction: Direction,
        offset: Offset,
        price: float,
        volume: float,
        type_: OrderType = OrderType.LIMIT,
        reference: str = "",
    ) -> str:
        """Send an order and return its id at this side, "" when there is none."""
        return self.main.send_order(
            OrderRequest(
                symbol=contract.symbol,
                exchange=contract.exchange,
                direction=direction,
                type=type_,
                volume=volume,
                price=price,
                offset=offset,
                reference=reference,
            ),
            self.name,
        )

    def cancel(self, contract: ContractData, vt_orderid: str) -> None:
        """Ask for a cancel."""
        orderid = vt_orderid.split(".", 1)[1]
        self.main.cancel_order(CancelRequest(orderid, contract.symbol, contract.exchange), self.name)

    def order_events(self, vt_orderid: str, after: int = 0) -> list[Seen]:
        """All events of one order, plain and suffixed."""
        return [
            e
            for e in self.events.since(after)
            if isinstance(e.data, OrderData) and e.data.vt_orderid == vt_orderid
        ]

    def trade_events(self, vt_orderid: str) -> list[Seen]:
        """All events of the trades of one order, plain and suffixed."""
        return [
            e
            for e in self.events.since()
            if isinstance(e.data, TradeData) and e.data.vt_orderid == vt_orderid
        ]

    def until(self, vt_orderid: str, status: Status, after: int = 0) -> OrderData:
        """Wait for the suffixed event of an order in this status.

        The suffixed event is the second of the two, so both are there then. An
        order that ends in another way ends the wait, with what the log says.
        """
        seen = self.events.wait(
            f"order {vt_orderid} {status.name}",
            lambda e: isinstance(e.data, OrderData)
            and e.type != "eOrder."
            and e.data.vt_orderid == vt_orderid
            and (e.data.status is status or e.data.status in FINAL),
            after,
        )
        if seen.data.status is not status:
            raise env.Failed(f"order {vt_orderid} is {seen.data.status.name}, want {status.name}; log: {self.logs()[-5:]}")
        return seen.data

    def flaws_of_order(self, vt_orderid: str, vt_symbol: str) -> list[str]:
        """What is wrong with the story that the events of an order tell."""
        orderid = vt_orderid.split(".", 1)[1]
        suffixed = f"eOrder.{self.server_gateway(vt_symbol)}.{orderid}"
        events = self.order_events(vt_orderid)
        flaws = flaws_of_pairs(events, "eOrder.", suffixed, lambda d: (d.status, d.traded))
        ended = False
        traded = 0.0
        for e in events[::2]:
            if ended:
                flaws.append(f"an event ({e.data.status.name}) after the last one")
            if e.data.traded < traded:
                flaws.append(f"traded fell from {traded} to {e.data.traded}")
            traded = e.data.traded
            ended = e.data.status in FINAL
        trades = self.trade_events(vt_orderid)
        flaws += flaws_of_pairs(trades, "eTrade.", f"eTrade.{vt_symbol}", lambda d: d.vt_tradeid)
        ids = [e.data.vt_tradeid for e in trades[::2]]
        if len(set(ids)) != len(ids):
            flaws.append(f"a trade came twice: {ids}")
        total = sum(Decimal(str(e.data.volume)) for e in trades[::2])
        if total != Decimal(str(traded)):
            flaws.append(f"trades add up to {total}, the order says {traded}")
        return flaws

    def flaws_of_life(self) -> list[str]:
        """What is wrong with the connection: a receiver that died, threads that raised."""
        flaws = list(env.dead_threads)
        thread = self.client._thread
        if not (thread and thread.is_alive()):
            flaws.append("the subscriber thread is dead")
        return flaws


class Client(RpcClient):
    """VeighNa's bare RPC client."""

    def __init__(self) -> None:
        super().__init__()
        self.events = Recorder()

    def callback(self, topic: str, event: Event) -> None:
        """Called by the subscriber thread for each event."""
        self.events.put(event.type, event.data)


def flaws_of_pairs(events: list[Seen], plain: str, suffixed: str, key: Callable) -> list[str]:
    """What is wrong where each event should come twice, plain first."""
    flaws = []
    types = [e.type for e in events]
    want = [plain, suffixed] * (len(events) // 2)
    if types != want:
        flaws.append(f"event types are {types}, want {want}")
    for a, b in zip(events[::2], events[1::2]):
        if key(a.data) != key(b.data):
            flaws.append(f"a pair of two different things: {key(a.data)} and {key(b.data)}")
    return flaws


def flaws_of_object(obj: object) -> list[str]:
    """What is wrong with a VeighNa object that came over the wire."""
    if not dataclasses.is_dataclass(obj):
        return [f"{type(obj)} is no VeighNa object"]
    name = type(obj).__name__
    state = vars(obj)
    flaws = []
    for f in dataclasses.fields(obj):
        if f.name == "extra":
            continue
        if f.name not in state:
            flaws.append(f"{name}.{f.name} is missing")
        elif not _fits(state[f.name], f):
            flaws.append(f"{name}.{f.name} is {state[f.name]!r}, want {f.type}")
    moment = state.get("datetime")
    if moment is not None and moment.tzinfo is None:
        flaws.append(f"{name}.datetime has no time zone")
    again = copy.copy(obj)
    if not flaws and hasattr(again, "__post_init__"):
        again.__post_init__()
        flaws += [
            f"{name}.{k} is {state.get(k)!r}, want {v!r}"
            for k, v in vars(again).items()
            if not _alike(state.get(k), v) and not (name == "LogData" and k == "time")  # the time of its making
        ]
    return flaws


def _alike(got: object, want: object) -> bool:
    """Equal; numbers up to the rounding of a subtraction (a server may have done it in decimal)."""
    if isinstance(got, (int, float)) and isinstance(want, (int, float)):
        return math.isclose(got, want, rel_tol=1e-12, abs_tol=1e-6)
    return got == want


def _fits(value: object, field: dataclasses.Field) -> bool:
    if value is None and field.default is None:
        return True
    for kind in typing.get_args(field.type) or (field.type,):
        if kind is float:
            if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
                return True
        elif isinstance(value, kind):
            return True
    return False


def flaws_of_bars(bars: object, start: datetime.datetime, end: datetime.datetime) -> list[str]:
    """What is wrong with a history."""
    if type(bars) is not list:
        return [f"{type(bars)}, want a list"]
    flaws = [flaw for b in bars for flaw in flaws_of_object(b)][:3]
    if flaws:
        return flaws
    for b in bars:
        if not isinstance(b, BarData):
            return [f"{type(b)} among the bars"]
        if not b.low_price <= min(b.open_price, b.close_price) <= max(b.open_price, b.close_price) <= b.high_price:
            return [f"impossible prices: {b}"]
        if not start <= b.datetime <= end:
            return [f"a bar of {b.datetime}, want {start} to {end}"]
    moments = [b.datetime for b in bars]
    if moments != sorted(set(moments)):
        return ["bars are not in the order of time, each once"]
    return []


def floor_to(price: float, step: float) -> float:
    """The price rounded down to a multiple of step."""
    return _round_to(price, step, ROUND_FLOOR)


def ceil_to(price: float, step: float) -> float:
    """The price rounded up to a multiple of step."""
    return _round_to(price, step, ROUND_CEILING)


def _round_to(price: float, step: float, rounding: str) -> float:
    unit = Decimal(str(step))
    return float((Decimal(str(price)) / unit).to_integral_value(rounding) * unit)


def resting_price(tick: TickData, contract: ContractData, far: float) -> float:
    """A price to buy at that is far below the market and inside the daily limits."""
    price = floor_to((tick.bid_price_1 or tick.last_price) * (1 - far), contract.pricetick)
    return max(price, ceil_to(tick.limit_down, contract.pricetick)) if tick.limit_down else price


def crossing_price(tick: TickData, contract: ContractData, direction: Direction, steps: int) -> float:
    """A price at which an order meets the other side, some steps into it, inside the daily limits."""
    room = steps * contract.pricetick
    if direction is Direction.LONG:
        price = floor_to((tick.ask_price_1 or tick.last_price) + room, contract.pricetick)
        return min(price, floor_to(tick.limit_up, contract.pricetick)) if tick.limit_up else price
    price = ceil_to((tick.bid_price_1 or tick.last_price) - room, contract.pricetick)
    return max(price, ceil_to(tick.limit_down, contract.pricetick)) if tick.limit_down else price


def closing(contract: ContractData) -> Offset:
    """How a position of today is closed: two exchanges want it said."""
    return Offset.CLOSETODAY if contract.exchange in (Exchange.SHFE, Exchange.INE) else Offset.CLOSE


def to_json(value: object) -> object:
    """A value as JSON can carry it: enums by name, times in ISO form, objects with their class."""
    if dataclasses.is_dataclass(value):
        return {"class": type(value).__name__} | {k: to_json(v) for k, v in vars(value).items()}
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

"""One stock client process under load: how long its orders take, or how many ticks it gets.

It connects with VeighNa's own RpcClient, writes {"step": "ready"}, waits for a
line on stdin (so that several start together) or for its end, and measures. The
result is one JSON line. Times are in microseconds, from before send_order is called:

    reply      until send_order has returned
    event      until the subscriber thread has the order's first event, unpickled
    accepted   until it has the first event that is not SUBMITTING

Orders are sent one after the other, each cancelled before the next, which is not
in the times. With --ticks it counts ticks for so many seconds instead.
"""

import argparse
import sys
import threading
import time

import env

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--req", default="tcp://127.0.0.1:2014", help="主动请求地址")
parser.add_argument("--pub", default="tcp://127.0.0.1:4102", help="推送订阅地址")
parser.add_argument("--symbol", default="", help="contract as rb2610.SHFE; the first of rebar when not given")
parser.add_argument("--orders", type=int, default=2000, help="orders to measure")
parser.add_argument("--warmup", type=int, default=200, help="orders before those")
parser.add_argument("--far", type=float, default=0.015, help="how far below the market the orders are, as a fraction")
parser.add_argument("--samples", action="store_true", help="write every time that was measured, too")
parser.add_argument("--ticks", type=float, default=0, help="count ticks of all contracts for so many seconds instead")
parser.add_argument("--deadline", type=float, default=600, help="seconds after which this process gives up")
args = parser.parse_args()
env.prepare("zh", args.deadline)

from stock import FINAL, resting_price  # noqa: E402
from vnpy.event import Event  # noqa: E402
from vnpy.rpc import RpcClient  # noqa: E402
from vnpy.trader.constant import Direction, Offset, OrderType, Product, Status  # noqa: E402
from vnpy.trader.object import CancelRequest, OrderRequest, SubscribeRequest, TickData  # noqa: E402


class Meter(RpcClient):
    """The stock client; its callback notes when the plain events come, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()
        self.first: dict[str, int] = {}
        self.accepted: dict[str, int] = {}
        self.ended: dict[str, Status] = {}
        self.tick: dict[str, TickData] = {}
        self.ticks = 0

    def callback(self, topic: str, event: Event) -> None:
        """Called by the subscriber thread for each event."""
        now = time.perf_counter_ns()
        if event.type == "eTick.":
            self.ticks += 1
            if event.data.vt_symbol in self.tick:
                self.tick[event.data.vt_symbol] = event.data
                return
            with self.changed:
                self.tick[event.data.vt_symbol] = event.data
                self.changed.notify()
        elif event.type == "eOrder.":
            order = event.data
            with self.changed:
                self.first.setdefault(order.vt_orderid, now)
                if order.status is not Status.SUBMITTING:
                    self.accepted.setdefault(order.vt_orderid, now)
                if order.status in FINAL:
                    self.ended[order.vt_orderid] = order.status
                self.changed.notify()

    def wait(self, what: str, condition) -> None:
        """Wait until the callback made a condition true."""
        with self.changed:
            if not self.changed.wait_for(condition, env.TIMEOUT):
                raise env.Failed(f"{what} did not come in {env.TIMEOUT:g} s; {env.dead_threads}")


def quantiles(nanoseconds: list[int]) -> dict:
    """The numbers that are reported of a series, in microseconds."""
    ordered = sorted(nanoseconds)
    last = len(ordered) - 1
    return {
        "p50": round(ordered[last // 2] / 1000, 1),
        "p99": round(ordered[last * 99 // 100] / 1000, 1),
        "max": round(ordered[last] / 1000, 1),
        "mean": round(sum(ordered) / len(ordered) / 1000, 1),
    }


def orders(meter: Meter, contract, start) -> dict:
    """Send, wait, cancel, wait."""
    reply: list[int] = []
    event: list[int] = []
    accepted: list[int] = []
    cancel: list[int] = []
    start()
    began = time.perf_counter_ns()
    for n in range(args.warmup + args.orders):
        if n == args.warmup:
            began = time.perf_counter_ns()
        req = OrderRequest(
            symbol=contract.symbol,
            exchange=contract.exchange,
            direction=Direction.LONG,
            type=OrderType.LIMIT,
            volume=contract.min_volume,
            price=resting_price(meter.tick[contract.vt_symbol], contract, args.far),
            offset=Offset.OPEN,
            reference="load",
        )
        t0 = time.perf_counter_ns()
        vt_orderid = meter.send_order(req, contract.gateway_name)
        t1 = time.perf_counter_ns()
        if not vt_orderid:
            raise env.Failed(f"order {n} has no id")
        meter.wait(f"order {n} ({vt_orderid})", lambda: vt_orderid in meter.accepted)
        if vt_orderid in meter.ended:
            raise env.Failed(f"order {n} ({vt_orderid}) is {meter.ended[vt_orderid].name}, and should rest")
        t2 = time.perf_counter_ns()
        meter.cancel_order(CancelRequest(vt_orderid.split(".", 1)[1], contract.symbol, contract.exchange), contract.gateway_name)
        t3 = time.perf_counter_ns()
        meter.wait(f"the cancel of order {n} ({vt_orderid})", lambda: vt_orderid in meter.ended)
        if meter.ended[vt_orderid] is not Status.CANCELLED:
            raise env.Failed(f"order {n} ({vt_orderid}) is {meter.ended[vt_orderid].name}, want CANCELLED")
        if n >= args.warmup:
            reply.append(t1 - t0)
            event.append(meter.first[vt_orderid] - t0)
            accepted.append(meter.accepted[vt_orderid] - t0)
            cancel.append(t3 - t2)
    seconds = (time.perf_counter_ns() - began) / 1e9
    series = {"reply_us": reply, "event_us": event, "accepted_us": accepted, "cancel_reply_us": cancel}
    result = {
        "orders": args.orders,
        "seconds": round(seconds, 3),
        "orders_per_second": round(args.orders / seconds, 1),
        **{name: quantiles(times) for name, times in series.items()},
    }
    if args.samples:
        result["samples"] = {name: [t / 1000 for t in times] for name, times in series.items()}
    return result


def count_ticks(meter: Meter, contracts, start) -> dict:
    """Subscribe to everything and count."""
    for c in contracts:
        meter.subscribe(SubscribeRequest(c.symbol, c.exchange), c.gateway_name)
    start()
    before, began = meter.ticks, time.perf_counter_ns()
    time.sleep(args.ticks)  # the measured span, not a wait for something
    count, seconds = meter.ticks - before, (time.perf_counter_ns() - began) / 1e9
    if not count:
        raise env.Failed(f"no tick in {seconds:.1f} s")
    return {"ticks": count, "seconds": round(seconds, 3), "ticks_per_second": round(count / seconds, 1)}


def ready() -> None:
    """Say so, and wait for the word to begin."""
    env.emit({"step": "ready", "ok": True, "detail": None})
    sys.stdin.readline()


def main() -> int:
    """Measure and report."""
    meter = Meter()
    meter.subscribe_topic("")
    meter.start(args.req, args.pub)
    contracts = meter.get_all_contracts()
    wanted = [c for c in contracts if c.vt_symbol == args.symbol] or [
        c for c in contracts if not args.symbol and c.product is Product.FUTURES and c.symbol.lower().startswith("rb")
    ]
    if not wanted:
        raise env.Failed(f"no contract {args.symbol or 'rb'} among {[c.vt_symbol for c in contracts][:20]}")
    contract = wanted[0]
    meter.subscribe(SubscribeRequest(contract.symbol, contract.exchange), contract.gateway_name)
    meter.wait(f"a tick of {contract.vt_symbol}", lambda: contract.vt_symbol in meter.tick)
    result = count_ticks(meter, contracts, ready) if args.ticks else orders(meter, contract, ready)
    env.emit({"step": "result", "ok": True, "detail": result})
    return 0


env.run(main)

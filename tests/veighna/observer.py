"""A stock trader who does not trade, and must be shown nothing of another's.

It connects, writes {"step": "ready"} and then reads one line from stdin:

    {"forbidden": ["alpha", "20261122-000017"], "vt_orderids": ["SIM.20261122-000017"], "vt_tradeids": []}

forbidden are texts that must appear nowhere in what was published to this
trader; they should be long enough not to appear by chance. The orders and trades
of the other two lists are asked for and the orders cancelled, which must find
nothing; that they live on is for the caller to see. Exit code 0 only if all is so.
"""

import argparse
import json
import sys
import threading

import env

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--req", default="tcp://127.0.0.1:2015", help="主动请求地址")
parser.add_argument("--pub", default="tcp://127.0.0.1:4103", help="推送订阅地址")
parser.add_argument("--lang", choices=("zh", "en"), default="zh")
parser.add_argument("--symbol", default="", help="contract as rb2610.SHFE; the first of rebar when not given")
args = parser.parse_args()
env.prepare(args.lang)

import zmq  # noqa: E402

import stock  # noqa: E402
from env import Steps  # noqa: E402
from stock import Trader  # noqa: E402
from vnpy.trader.object import AccountData, CancelRequest, LogData, OrderData, PositionData, TradeData  # noqa: E402


class Wire:
    """A subscriber that keeps the bytes, whatever a VeighNa would make of them."""

    def __init__(self, address: str) -> None:
        self.frames: list[bytes] = []
        self.changed = threading.Condition()
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.connect(address)
        threading.Thread(target=self.receive, daemon=True).start()

    def receive(self) -> None:
        """Keep what comes."""
        while True:
            frames = self.socket.recv_multipart()
            with self.changed:
                self.frames += frames
                self.changed.notify_all()

    def wait_for_more(self) -> list[bytes]:
        """All frames, once there are more than there were."""
        with self.changed:
            count = len(self.frames)
            if not self.changed.wait_for(lambda: len(self.frames) > count, env.TIMEOUT):
                raise env.Failed(f"nothing was published in {env.TIMEOUT:g} s")
            return list(self.frames)


def holdings(trader: Trader) -> dict:
    """What the server says is this trader's."""
    client = trader.client
    return {
        "orders": sorted(o.vt_orderid for o in client.get_all_orders()),
        "active": sorted(o.vt_orderid for o in client.get_all_active_orders()),
        "trades": sorted(t.vt_tradeid for t in client.get_all_trades()),
        "positions": sorted((p.vt_positionid, p.volume) for p in client.get_all_positions() if p.volume),
        "accounts": sorted(a.accountid for a in client.get_all_accounts()),
    }


def observe(steps: Steps, trader: Trader, wire: Wire, contract) -> None:
    """Wait for the word, then look at all that came and ask for what must not be told."""
    before = holdings(trader)
    after = trader.events.last()
    wire.wait_for_more()
    env.emit({"step": "ready", "ok": True, "detail": before})

    line = sys.stdin.readline()
    asked = json.loads(line) if line.strip() else {}
    forbidden = asked.get("forbidden", [])

    # What is published to one trader stays in order: once another tick is here,
    # so is all that was published before it.
    trader.watch(contract)
    frames = wire.wait_for_more()
    events = trader.events.since(after)

    foreign = [e.type for e in events if isinstance(e.data, (OrderData, TradeData))]
    steps.check("observer.orders_and_trades", not foreign, foreign[:5] or len(events))
    held = dict(before["positions"])
    moved = [
        stock.to_json(e.data)
        for e in events
        if isinstance(e.data, PositionData)
        and held.get(e.data.vt_positionid.replace(trader.name, trader.server_gateway(e.data.vt_symbol), 1), 0) != e.data.volume
    ]
    steps.check("observer.positions", not moved, moved[:5])
    accounts = {e.data.accountid for e in events if isinstance(e.data, AccountData)}
    steps.check("observer.accounts", accounts <= set(before["accounts"]), sorted(accounts))
    lines = [e.data.msg for e in events if isinstance(e.data, LogData) and any(text in e.data.msg for text in forbidden)]
    steps.check("observer.log", not lines, lines[:5])
    found = sorted({text for text in forbidden for frame in frames if text.encode() in frame})
    steps.check("observer.wire", not found, found or len(frames))

    now = holdings(trader)
    steps.check("observer.queries", now == before, {"before": before, "now": now})
    for vt_orderid in asked.get("vt_orderids", []):
        got = trader.client.get_order(vt_orderid)
        steps.check("observer.get_order", got is None, stock.to_json(got))
        gateway, orderid = vt_orderid.split(".", 1)
        got = trader.client.cancel_order(CancelRequest(orderid, contract.symbol, contract.exchange), gateway)
        steps.check("observer.cancel_order", got is None, got)
    for vt_tradeid in asked.get("vt_tradeids", []):
        got = trader.client.get_trade(vt_tradeid)
        steps.check("observer.get_trade", got is None, stock.to_json(got))


def main() -> int:
    """Connect and observe."""
    steps = Steps()
    trader = Trader(args.req, args.pub)
    wire = Wire(args.pub)
    trader.connect()
    contract = trader.contract(args.symbol)
    trader.watch(contract)
    steps.run("observer", observe, trader, wire, contract)
    flaws = trader.flaws_of_life()
    steps.check("alive", not flaws, flaws)
    return steps.code()


env.run(main)

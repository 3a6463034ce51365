"""Runs stock VeighNa's RpcGateway against bytes that the Go test made, and writes down what it made of them.

usage: stock.py IN OUT      both are JSON; see stock_test.go for what goes in and what comes out
"""
import json
import os
import sys
import threading
import traceback
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

import vnpy
import zmq
from vnpy.event import EventEngine
from vnpy.trader.constant import Direction, Exchange, Interval, Offset, OrderType
from vnpy.trader.object import CancelRequest, HistoryRequest, OrderRequest, SubscribeRequest
from vnpy_rpcservice.rpc_gateway import RpcGateway

DEADLINE_MS = 20_000


def describe(v):
    """Say what a value is, so that another language can compare it."""
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, Enum):
        return f"{type(v).__module__}.{v}"
    if isinstance(v, int):
        return {"int": str(v)}
    if isinstance(v, float):
        return {"float": v.hex()}
    if isinstance(v, datetime):
        zone = None if v.tzinfo is None else getattr(v.tzinfo, "key", str(v.tzinfo))
        return {"datetime": v.replace(tzinfo=None).isoformat(timespec="microseconds"), "fold": v.fold, "zone": zone}
    if isinstance(v, list):
        return [describe(i) for i in v]
    return {"class": f"{type(v).__module__}.{type(v).__name__}", "state": [[k, describe(x)] for k, x in vars(v).items()]}


class Server:
    """Answers each function with given bytes, keeps what was asked, and publishes given messages."""

    def __init__(self, replies):
        self.replies = {name: bytes.fromhex(data) for name, data in replies.items()}
        self.requests = []
        context = zmq.Context()
        self.rep, self.pub = context.socket(zmq.REP), context.socket(zmq.XPUB)
        self.rep_port = self.rep.bind_to_random_port("tcp://127.0.0.1")
        self.pub_port = self.pub.bind_to_random_port("tcp://127.0.0.1")
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        while True:
            data = self.rep.recv()
            self.requests.append(data.hex())
            for name, reply in self.replies.items():
                if name.encode() in data[:80]:  # the name is the first string of a request
                    self.rep.send(reply)
                    break
            else:
                print("no reply for", data, file=sys.stderr)
                self.rep.send(b"\x80\x04](\x89\x8c\x08no replye.")

    def publish(self, messages):
        if not self.pub.poll(DEADLINE_MS):
            raise TimeoutError("nobody subscribed")
        self.pub.recv()
        for frames in messages:
            self.pub.send_multipart([bytes.fromhex(f) for f in frames])


def session(replies, messages, ask):
    """One trader from connect to the event called eEnd."""
    events, done = [], threading.Event()

    def record(event):
        if event.type == "eEnd":
            done.set()
        elif event.type != "eTimer":
            events.append([event.type, describe(event.data)])

    server = Server(replies)
    engine = EventEngine()
    engine.register_general(record)
    engine.start()
    gateway = RpcGateway(engine, "RPC")
    gateway.connect({
        "主动请求地址": f"tcp://127.0.0.1:{server.rep_port}",
        "推送订阅地址": f"tcp://127.0.0.1:{server.pub_port}",
    })
    server.publish(messages)
    if not done.wait(DEADLINE_MS / 1000):
        raise TimeoutError(f"the last event did not arrive; the subscriber thread lives: {gateway.client._thread.is_alive()}")
    answers = asked(gateway) if ask else []
    return {
        "events": events,
        "answers": answers,
        "requests": server.requests,
        "alive": gateway.client._thread.is_alive(),
        "ping": describe(gateway.client._last_received_ping),
    }


def asked(gateway):
    """Ask all that a trader can ask, through the gateway where it has a method, as a script would where it has none."""
    req = {"symbol": "rb2501", "exchange": Exchange.SHFE}
    order = OrderRequest(
        **req, direction=Direction.SHORT, type=OrderType.FAK, volume=3, price=3500.5, offset=Offset.CLOSETODAY, reference="双均线"
    )
    start, end = datetime(2025, 1, 2, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai")), datetime(2025, 1, 3)
    client = gateway.client
    steps = [
        lambda: gateway.subscribe(SubscribeRequest(**req)),
        lambda: gateway.send_order(order),
        lambda: gateway.cancel_order(CancelRequest(orderid="7_1", **req)),
        lambda: gateway.query_history(HistoryRequest(**req, start=start, end=end, interval=Interval.HOUR)),
        lambda: client.get_tick("rb2501.SHFE"),
        lambda: client.get_contract(vt_symbol="rb2501.SHFE"),
        lambda: client.get_order("SIM.7_1"),
        lambda: client.get_trade("SIM.t1"),
        lambda: client.get_position(f"SIM.rb2501.SHFE.{Direction.LONG.value}"),
        lambda: client.get_account("SIM.alpha"),
        lambda: client.get_all_ticks(),
        lambda: client.get_all_active_orders(),
        lambda: client.no_such_function(1),
    ]
    answers = []
    for step in steps:
        try:
            answers.append(describe(step()))
        except Exception as e:  # noqa: BLE001 - what was raised is the answer
            answers.append({"raised": type(e).__name__, "text": str(e)})
    return answers


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        given = json.load(f)
    out = {
        "version": vnpy.__version__,
        "long": Direction.LONG.value,
        "sessions": {s["name"]: session(given["replies"], s["messages"], s["ask"]) for s in given["sessions"]},
    }
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        json.dump(out, f)


if __name__ == "__main__":
    code = 1
    try:
        main()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the test must see it
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a stock client's threads end only with a message or after 30 s

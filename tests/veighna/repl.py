"""A stock VeighNa client that does what lines of JSON on stdin say.

Every command has a "cmd" and may have an "id", which its answer repeats; answers
are lines of JSON on stdout: {"id": 1, "ok": true, "result": ...} or
{"id": 1, "ok": false, "error": "RemoteException: ..."}. Commands are done one
after the other; the process ends with quit, or when stdin does.

    connect    req, pub, mode ("gateway", the default, or "client")
    subscribe  vt_symbol
    send       vt_symbol, direction, price, volume; offset, type, reference       -> order id
    cancel     vt_orderid, vt_symbol
    history    vt_symbol, interval, start, end (ISO)                              -> bars
    query      what: contracts accounts positions orders trades ticks active_orders (asked of the server)
    local      what: the same, as this side's OMS has them (gateway mode)
    call       name, args, kwargs: any function of the server, also one that is not there
    wait       type or prefix or class; where {attribute: value}, match {attribute: pattern}, after, timeout
    events     the same without timeout: all that came
    mark       -> the number of the newest event, for after
    alive      -> what is wrong with the connection, [] when nothing
    quit

An event is {"seq", "type", "data"}. Values are written as JSON, enums by their
names, times in ISO form. An object as an argument is {"class": "OrderRequest", ...}.
In client mode ids and gateways are the server's, and send, subscribe, cancel and
history take "gateway" (the contract's, when not given).
"""

import argparse
import json
import re
import sys
from datetime import datetime

import env

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--lang", choices=("zh", "en"), default="zh")
parser.add_argument("--deadline", type=float, default=900, help="seconds after which this process gives up")
args = parser.parse_args()
env.prepare(args.lang, args.deadline)

import vnpy.trader.constant as constant  # noqa: E402
import vnpy.trader.object as objects  # noqa: E402
from stock import Client, Seen, Trader, to_json  # noqa: E402
from vnpy.trader.constant import Direction, Exchange, Interval, Offset, OrderType  # noqa: E402
from vnpy.trader.object import CancelRequest, HistoryRequest, OrderRequest, SubscribeRequest  # noqa: E402

ENUMS = {"direction": Direction, "exchange": Exchange, "offset": Offset, "type": OrderType, "interval": Interval}
MOMENTS = ("start", "end", "datetime")


def split(vt_symbol: str) -> tuple[str, Exchange]:
    """Symbol and exchange of rb2610.SHFE."""
    symbol, exchange = vt_symbol.rsplit(".", 1)
    return symbol, Exchange(exchange)


def from_json(value: object) -> object:
    """An argument as the server should get it."""
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "enum" in value:
        return getattr(getattr(constant, value["enum"]), value["name"])
    if "float" in value:
        return float(value["float"])
    if "class" not in value:
        return {k: from_json(v) for k, v in value.items()}
    fields = {k: from_json(v) for k, v in value.items() if k not in ("class", "vt_symbol")}
    for name, kind in ENUMS.items():
        if isinstance(fields.get(name), str):
            fields[name] = kind[fields[name]]
    for name in MOMENTS:
        if isinstance(fields.get(name), str):
            fields[name] = datetime.fromisoformat(fields[name])
    return getattr(objects, value["class"])(**fields)


class Repl:
    """The commands; each takes the line that it came in."""

    def __init__(self) -> None:
        self.trader: Trader | None = None
        self.client: Client | None = None
        self.gateways: dict[str, str] = {}

    @property
    def events(self):
        """All that was received."""
        return (self.trader or self.client).events

    @property
    def rpc(self):
        """The stock RpcClient, whichever way it was made."""
        return self.trader.client if self.trader else self.client

    def connect(self, line: dict) -> dict:
        """Connect as a Trader does, or only the bare client."""
        if line.get("mode", "gateway") == "gateway":
            self.trader = Trader(line["req"], line["pub"])
            self.trader.connect()
            self.gateways = self.trader.gateway.symbol_gateway_map
        else:
            self.client = Client()
            self.client.subscribe_topic("")
            self.client.start(line["req"], line["pub"])
            self.gateways = {c.vt_symbol: c.gateway_name for c in self.client.get_all_contracts()}
        return {"contracts": sorted(self.gateways)}

    def gateway_of(self, line: dict) -> str:
        """The server's gateway for a command in client mode."""
        return line.get("gateway", self.gateways.get(line.get("vt_symbol", ""), ""))

    def subscribe(self, line: dict) -> None:
        """Subscribe to a contract."""
        req = SubscribeRequest(*split(line["vt_symbol"]))
        if self.trader:
            self.trader.main.subscribe(req, self.trader.name)
        else:
            self.client.subscribe(req, self.gateway_of(line))

    def send(self, line: dict) -> str:
        """Send an order."""
        symbol, exchange = split(line["vt_symbol"])
        req = OrderRequest(
            symbol=symbol,
            exchange=exchange,
            direction=Direction[line["direction"]],
            type=OrderType[line.get("type", "LIMIT")],
            volume=line["volume"],
            price=line.get("price", 0),
            offset=Offset[line.get("offset", "OPEN")],
            reference=line.get("reference", ""),
        )
        if self.trader:
            return self.trader.main.send_order(req, self.trader.name)
        return self.client.send_order(req, self.gateway_of(line))

    def cancel(self, line: dict) -> None:
        """Ask for a cancel."""
        req = CancelRequest(line["vt_orderid"].split(".", 1)[1], *split(line["vt_symbol"]))
        if self.trader:
            self.trader.main.cancel_order(req, self.trader.name)
        else:
            self.client.cancel_order(req, self.gateway_of(line))

    def history(self, line: dict) -> list:
        """Ask for bars."""
        end = datetime.fromisoformat(line["end"]) if line.get("end") else None
        start = datetime.fromisoformat(line["start"])
        req = HistoryRequest(*split(line["vt_symbol"]), start, end, Interval[line["interval"]])
        if self.trader:
            return self.trader.main.query_history(req, self.trader.name)
        return self.client.query_history(req, self.gateway_of(line))

    def query(self, line: dict) -> list:
        """Ask the server for all of a kind."""
        return getattr(self.rpc, f"get_all_{line['what']}")()

    def local(self, line: dict) -> list:
        """What the OMS of this side has of a kind."""
        return getattr(self.trader.main, f"get_all_{line['what']}")()

    def call(self, line: dict) -> object:
        """Call a function of the server."""
        return getattr(self.rpc, line["name"])(*from_json(line.get("args", [])), **from_json(line.get("kwargs", {})))

    def matches(self, line: dict):
        """The test of wait and events."""
        patterns = {k: re.compile(v) for k, v in line.get("match", {}).items()}

        def match(e: Seen) -> bool:
            if "type" in line and e.type != line["type"]:
                return False
            if not e.type.startswith(line.get("prefix", "")):
                return False
            if "class" in line and type(e.data).__name__ != line["class"]:
                return False
            if any(to_json(getattr(e.data, k, None)) != v for k, v in line.get("where", {}).items()):
                return False
            return all(p.search(str(to_json(getattr(e.data, k, "")))) for k, p in patterns.items())

        return match

    def wait(self, line: dict) -> dict:
        """Wait for an event."""
        wanted = json.dumps({k: v for k, v in line.items() if k not in ("id", "cmd")}, ensure_ascii=False)
        return seen(self.events.wait(wanted, self.matches(line), line.get("after", 0), line.get("timeout", 0)))

    def events_since(self, line: dict) -> list:
        """All events that match."""
        match = self.matches(line)
        return [seen(e) for e in self.events.since(line.get("after", 0)) if match(e)]

    def mark(self, _: dict) -> int:
        """The number of the newest event."""
        return self.events.last()

    def alive(self, _: dict) -> list[str]:
        """What is wrong with the connection."""
        thread = self.rpc._thread
        return env.dead_threads + ([] if thread and thread.is_alive() else ["the subscriber thread is dead"])


def seen(e: Seen) -> dict:
    """An event as JSON."""
    return {"seq": e.seq, "type": e.type, "data": to_json(e.data)}


def main() -> int:
    """Do what stdin says."""
    repl = Repl()
    commands = {
        name: getattr(repl, name)
        for name in ("connect", "subscribe", "send", "cancel", "history", "query", "local", "call", "wait", "mark", "alive")
    }
    commands["events"] = repl.events_since
    for text in sys.stdin:
        line: dict = {}
        try:
            line = json.loads(text)
            if line["cmd"] == "quit":
                break
            if line["cmd"] not in commands:
                raise env.Failed(f"no command {line['cmd']}; there are {', '.join(commands)} and quit")
            env.emit({"id": line.get("id"), "ok": True, "result": to_json(commands[line["cmd"]](line))})
        except Exception as e:  # the caller judges
            env.emit({"id": line.get("id") if isinstance(line, dict) else None, "ok": False, "error": f"{type(e).__name__}: {e}"})
    return 0


env.run(main)

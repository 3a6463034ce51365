"""A stock VeighNa Trader without a window, put through its paces.

Each scenario writes its steps as JSON lines; the exit code is 0 only if all of
them passed. The peer is a hub, or with --peer stock a stock server, which is
how the scenarios themselves are checked.
"""

import argparse

import env

SCENARIOS = ("connect", "ticks", "resting", "marketable", "history", "unknown", "badargs", "kwargs", "refused")

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--req", default="tcp://127.0.0.1:2014", help="主动请求地址")
parser.add_argument("--pub", default="tcp://127.0.0.1:4102", help="推送订阅地址")
parser.add_argument("--lang", choices=("zh", "en"), default="zh")
parser.add_argument("--peer", choices=("hub", "stock"), default="hub")
parser.add_argument("--trader", default="", help="the name that the account must have")
parser.add_argument("--symbol", default="", help="contract as rb2610.SHFE; the first of rebar when not given")
parser.add_argument("--ticks", type=int, default=5, help="ticks to wait for")
parser.add_argument("--far", type=float, default=0.015, help="how far below the market a resting order is, as a fraction")
parser.add_argument("--cross", type=int, default=5, help="how many price steps a marketable order goes into the other side")
parser.add_argument("--refuse-volume", type=float, default=0, help="volume that is over a limit; the contract's largest, or 1000, when 0")
parser.add_argument("--rule", default=r"\S+\.yaml:\d+ [^\s：]+[:：]", help="regular expression of the refusal's log line")
parser.add_argument("scenarios", nargs="+", metavar="SCENARIO", choices=(*SCENARIOS, "all"), help=", ".join(SCENARIOS) + " or all")
args = parser.parse_args()
env.prepare(args.lang)

import re  # noqa: E402
from datetime import datetime, timedelta  # noqa: E402

import stock  # noqa: E402
from env import Failed, Steps  # noqa: E402
from stock import Client, Trader, closing, crossing_price, flaws_of_bars, flaws_of_object, flaws_of_pairs, resting_price  # noqa: E402
from vnpy.rpc.client import RemoteException  # noqa: E402
from vnpy.trader.constant import Direction, Interval, Offset, OrderType, Status  # noqa: E402
from vnpy.trader.object import (  # noqa: E402
    AccountData,
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

LONG, SHORT = Direction.LONG, Direction.SHORT
CONNECTED = ["服务器连接成功，开始初始化查询", "合约信息查询成功", "资金信息查询成功", "持仓信息查询成功", "委托信息查询成功", "成交信息查询成功"]


def connect(steps: Steps, trader: Trader) -> None:
    """The connect dialog's OK: five queries, five lines in the log window."""
    trader.connect()
    # The events of the queries are this side's own; the last line comes after all of them.
    trader.events.wait("the last line of the connection", lambda e: e.type == "eLog" and e.data.msg == CONNECTED[-1])
    lines = [line for line in trader.logs() if line in CONNECTED]
    steps.check("connect.log", lines == CONNECTED, lines)

    kinds = {"contract": ContractData, "account": AccountData, "position": PositionData, "order": OrderData, "trade": TradeData}
    for what, kind in kinds.items():
        found = getattr(trader.client, f"get_all_{what}s")()
        flaws = [] if type(found) is list else [f"{type(found)}, want a list"]
        flaws += [f"{type(o)} among the {what}s" for o in found if type(o) is not kind]
        flaws += [flaw for o in found for flaw in flaws_of_object(o)]
        held = len(getattr(trader.main, f"get_all_{what}s")())
        if held < len(found):
            flaws.append(f"the window shows {held} of {len(found)}")
        steps.check(f"connect.{what}s", not flaws, flaws[:5] or len(found))

    accounts = [a.accountid for a in trader.main.get_all_accounts()]
    steps.check("connect.account", accounts == [args.trader] if args.trader else accounts, accounts)
    contract = trader.contract(args.symbol)
    steps.check("connect.contract", trader.server_gateway(contract.vt_symbol), contract.vt_symbol)


def ticks(steps: Steps, trader: Trader) -> None:
    """A subscription brings each tick twice, and the market moves on."""
    contract = trader.contract(args.symbol)
    after = trader.events.last()
    trader.watch(contract)
    suffixed = f"eTick.{contract.vt_symbol}"
    mine = [e for e in trader.events.since(after) if isinstance(e.data, TickData) and e.data.vt_symbol == contract.vt_symbol]
    # The subscription of the socket may have begun between the two.
    first = mine[1].seq - 1 if len(mine) > 1 and mine[0].type == suffixed else mine[0].seq - 1
    newest = first
    for n in range(args.ticks):
        newest = trader.events.wait(f"tick {n + 1} of {args.ticks}", lambda e: e.type == suffixed, newest).seq
    mine = [
        e
        for e in trader.events.since(first)
        if e.seq <= newest and isinstance(e.data, TickData) and e.data.vt_symbol == contract.vt_symbol
    ]
    flaws = flaws_of_pairs(mine, "eTick.", suffixed, lambda t: (t.datetime, t.last_price, t.volume))
    flaws += [flaw for e in mine for flaw in flaws_of_object(e.data)][:5]
    moments = [e.data.datetime for e in mine]
    if moments != sorted(moments):
        flaws.append("time runs backwards")
    for t in (e.data for e in mine):
        if t.bid_price_1 and t.ask_price_1 and t.bid_price_1 >= t.ask_price_1:
            flaws.append(f"a crossed book: {t}")
    steps.check("ticks.events", not flaws, flaws[:5] or len(mine))
    tick = trader.client.get_tick(contract.vt_symbol)
    steps.check("ticks.get_tick", isinstance(tick, TickData) and tick.vt_symbol == contract.vt_symbol, stock.to_json(tick))


def resting(steps: Steps, trader: Trader) -> None:
    """A limit order far from the market rests until it is cancelled."""
    contract = trader.contract(args.symbol)
    tick = trader.watch(contract)
    price = resting_price(tick, contract, args.far)
    vt_orderid = trader.send(contract, LONG, Offset.OPEN, price, contract.min_volume, reference="client.py")
    if not steps.check("resting.id", vt_orderid.startswith(trader.name + "."), vt_orderid):
        return
    order = trader.until(vt_orderid, Status.NOTTRADED)
    same = (order.price, order.volume, order.traded, order.direction, order.offset, order.type) == (
        price, contract.min_volume, 0, LONG, Offset.OPEN, OrderType.LIMIT)  # fmt: skip
    steps.check("resting.nottraded", same, stock.to_json(order))
    active = [o.vt_orderid for o in trader.main.get_all_active_orders()]
    steps.check("resting.window", vt_orderid in active, active)

    orderid = vt_orderid.split(".", 1)[1]
    theirs = f"{trader.server_gateway(contract.vt_symbol)}.{orderid}"
    got = trader.client.get_order(theirs)
    steps.check("resting.get_order", got and got.status is Status.NOTTRADED and got.vt_orderid == theirs, stock.to_json(got))
    listed = [o.vt_orderid for o in trader.client.get_all_active_orders()]
    steps.check("resting.active", theirs in listed, listed)

    trader.cancel(contract, vt_orderid)
    order = trader.until(vt_orderid, Status.CANCELLED)
    steps.check("resting.cancelled", order.traded == 0, stock.to_json(order))
    listed = [o.vt_orderid for o in trader.client.get_all_active_orders()]
    steps.check("resting.gone", theirs not in listed, listed)
    flaws = trader.flaws_of_order(vt_orderid, contract.vt_symbol)
    steps.check("resting.story", not flaws, flaws or [e.data.status.name for e in trader.order_events(vt_orderid)[::2]])


def volume_held(trader: Trader, vt_symbol: str) -> float:
    """The long position that the window shows."""
    return sum(p.volume for p in trader.main.get_all_positions() if p.vt_symbol == vt_symbol and p.direction is LONG)


def trade_through(steps: Steps, trader: Trader, contract: ContractData, step: str, direction: Direction, offset: Offset) -> None:
    """Send an order that meets the other side, and wait for all that it brings."""
    tick = trader.watch(contract)
    price = crossing_price(tick, contract, direction, args.cross)
    volume = contract.min_volume
    want = volume_held(trader, contract.vt_symbol) + (volume if direction is LONG else -volume)
    after = trader.events.last()
    vt_orderid = trader.send(contract, direction, offset, price, volume)
    if not steps.check(f"{step}.id", vt_orderid.startswith(trader.name + "."), vt_orderid):
        return
    order = trader.until(vt_orderid, Status.ALLTRADED)
    steps.check(f"{step}.alltraded", order.traded == order.volume == volume, stock.to_json(order))
    trader.events.wait(
        "all its trades",
        lambda _: sum(e.data.volume for e in trader.trade_events(vt_orderid) if e.type != "eTrade.") >= volume,
    )
    trades = [e.data for e in trader.trade_events(vt_orderid)[::2]]
    worse = [t.price for t in trades if (t.price > price if direction is LONG else t.price < price)]
    steps.check(f"{step}.trades", trades and not worse, stock.to_json(trades))
    position = trader.events.wait(
        f"the position of {want:g}",
        lambda e: e.type == f"ePosition.{contract.vt_symbol}" and e.data.direction is LONG and e.data.volume == want,
        after,
    )
    steps.check(f"{step}.position", not flaws_of_object(position.data), stock.to_json(position.data))
    account = trader.events.wait("the account", lambda e: e.type.startswith("eAccount.") and e.type != "eAccount.", after)
    steps.check(
        f"{step}.account",
        not flaws_of_object(account.data) and args.trader in ("", account.data.accountid),
        stock.to_json(account.data),
    )
    theirs = f"{trader.server_gateway(contract.vt_symbol)}.{vt_orderid.split('.', 1)[1]}"
    got = trader.client.get_order(theirs)
    steps.check(f"{step}.get_order", got and got.status is Status.ALLTRADED, stock.to_json(got))
    mine = [t.vt_tradeid for t in trader.client.get_all_trades() if t.vt_orderid == theirs]
    first = trader.client.get_trade(mine[0]) if mine else None
    steps.check(f"{step}.get_trade", len(mine) == len(trades) and first, mine)
    flaws = trader.flaws_of_order(vt_orderid, contract.vt_symbol)
    steps.check(f"{step}.story", not flaws, flaws or [e.data.status.name for e in trader.order_events(vt_orderid)[::2]])


def marketable(steps: Steps, trader: Trader) -> None:
    """An order that crosses is filled; its opposite leaves the position as it was."""
    contract = trader.contract(args.symbol)
    trade_through(steps, trader, contract, "marketable.open", LONG, Offset.OPEN)
    trade_through(steps, trader, contract, "marketable.close", SHORT, closing(contract))


def history(steps: Steps, trader: Trader) -> None:
    """Bars of three intervals, and empty lists where there are none."""
    contract = trader.contract(args.symbol)
    now = trader.watch(contract).datetime
    # Long enough to hold a bar across a weekend and a holiday week.
    spans = {Interval.MINUTE: timedelta(days=10), Interval.HOUR: timedelta(days=12), Interval.DAILY: timedelta(days=40)}
    for interval, span in spans.items():
        step = f"history.{interval.value}"
        req = HistoryRequest(contract.symbol, contract.exchange, now - span, now, interval)
        bars = trader.main.query_history(req, trader.name)
        flaws = flaws_of_bars(bars, req.start, req.end)
        flaws += [f"a bar of {b.interval}" for b in bars or () if b.interval is not interval or b.vt_symbol != contract.vt_symbol][:1]
        steps.check(step, bars and not flaws, flaws or len(bars))
    naive = HistoryRequest(contract.symbol, contract.exchange, (now - timedelta(days=40)).replace(tzinfo=None), None, Interval.DAILY)
    bars = trader.main.query_history(naive, trader.name)
    steps.check("history.naive", bars and type(bars) is list, len(bars))
    empty = {
        "long_ago": HistoryRequest(contract.symbol, contract.exchange, datetime(1990, 1, 1), datetime(1990, 1, 2), Interval.DAILY),
        "backwards": HistoryRequest(contract.symbol, contract.exchange, now, now - timedelta(days=9), Interval.DAILY),
        "unknown": HistoryRequest("nosuch", contract.exchange, now - timedelta(days=9), now, Interval.DAILY),
    }
    for name, req in empty.items():
        bars = trader.main.query_history(req, trader.name)
        steps.check(f"history.{name}", bars == [], stock.to_json(bars))


def unknown(steps: Steps, trader: Trader) -> None:
    """What is not known is None, "" or a refusal, and never an error or a lost answer."""
    contract = trader.contract(args.symbol)
    tick = trader.watch(contract)
    gateway = trader.server_gateway(contract.vt_symbol)
    client = trader.client
    for what in ("tick", "contract", "order", "trade", "position", "account"):
        got = getattr(client, f"get_{what}")("no.such")
        steps.check(f"unknown.get_{what}", got is None, stock.to_json(got))

    stranger = SubscribeRequest("nosuch", contract.exchange)
    steps.check("unknown.subscribe", client.subscribe(stranger, gateway) is None)
    steps.check("unknown.subscribe_gateway", client.subscribe(stranger, "NOSUCH") is None)
    cancel = CancelRequest("nosuch", contract.symbol, contract.exchange)
    steps.check("unknown.cancel", client.cancel_order(cancel, gateway) is None)
    steps.check("unknown.cancel_gateway", client.cancel_order(cancel, "NOSUCH") is None)

    price = resting_price(tick, contract, args.far)
    order = OrderRequest("nosuch", contract.exchange, LONG, OrderType.LIMIT, contract.min_volume, price, Offset.OPEN)
    if args.peer == "hub":
        # A stock server would hand the order on; a hub owes an answer for each.
        refused_or_empty(steps, trader, "unknown.symbol", client.send_order(order, gateway))
    refused_or_empty(steps, trader, "unknown.symbol_gateway", client.send_order(order, ""))

    order = OrderRequest(contract.symbol, contract.exchange, LONG, OrderType.LIMIT, contract.min_volume, price, Offset.OPEN)
    got = client.send_order(order, "NOSUCH")
    if args.peer == "stock":
        steps.check("unknown.gateway", got == "", got)
    elif got:
        # Routed by its symbol: it lives, or was refused, but it has an event.
        vt_orderid = f"{trader.name}.{got.split('.', 1)[1]}"
        event = trader.events.wait(
            f"an event of {got}",
            lambda e: e.type == "eOrder." and e.data.vt_orderid == vt_orderid and e.data.status in (Status.NOTTRADED, Status.REJECTED),
        )
        steps.check("unknown.gateway", True, stock.to_json(event.data))
        if event.data.status is Status.NOTTRADED:
            trader.cancel(contract, vt_orderid)
            trader.until(vt_orderid, Status.CANCELLED)
    else:
        steps.check("unknown.gateway", got == "", got)

    for name in ("query_bar_history", "no_such_function", "send_quote"):
        text = error_of(lambda name=name: getattr(client, name)())
        steps.check(f"unknown.{name}", "KeyError" in text and name in text, text)
    still_usable(steps, client, "unknown.after")


def refused_or_empty(steps: Steps, trader: Trader, step: str, answer: str) -> None:
    """An order that cannot be has no id, or has one and is rejected."""
    if not answer:
        steps.check(step, answer == "", answer)
        return
    order = trader.until(f"{trader.name}.{answer.split('.', 1)[1]}", Status.REJECTED)
    steps.check(step, order.traded == 0, stock.to_json(order))


def error_of(call) -> str:
    """The text of the RemoteException that a call raises; "" when it raises none."""
    try:
        call()
    except RemoteException as e:
        return str(e)
    return ""


def still_usable(steps: Steps, client: Client, step: str) -> None:
    """A client that was told of an error goes on."""
    accounts = client.get_all_accounts()
    steps.check(step, type(accounts) is list and accounts, len(accounts))


def badargs(steps: Steps, trader: Trader) -> None:
    """Wrong arguments are an exception at the client that sent them, which goes on."""
    contract = trader.contract(args.symbol)
    tick = trader.watch(contract)
    gateway = trader.server_gateway(contract.vt_symbol)
    client = Client()
    client.subscribe_topic("")
    client.start(args.req, args.pub)
    req = OrderRequest(
        contract.symbol, contract.exchange, LONG, OrderType.LIMIT, contract.min_volume,
        resting_price(tick, contract, args.far), Offset.OPEN,
    )  # fmt: skip
    before = {o.vt_orderid for o in client.get_all_orders()}

    counts = {
        "get_tick.none": lambda: client.get_tick(),
        "get_tick.many": lambda: client.get_tick(contract.vt_symbol, 2, 3),
        "get_tick.name": lambda: client.get_tick(symbol=contract.vt_symbol),
        "get_tick.twice": lambda: client.get_tick(contract.vt_symbol, vt_symbol=contract.vt_symbol),
        "get_all_ticks.one": lambda: client.get_all_ticks(1),
        "get_all_orders.name": lambda: client.get_all_orders(x=1),
        "send_order.none": lambda: client.send_order(),
        "send_order.one": lambda: client.send_order(req),
        "send_order.many": lambda: client.send_order(req, gateway, 3),
        "send_order.name": lambda: client.send_order(req, gateway=gateway),
        "subscribe.none": lambda: client.subscribe(),
        "cancel_order.one": lambda: client.cancel_order(CancelRequest("1", contract.symbol, contract.exchange)),
        "query_history.none": lambda: client.query_history(),
    }
    for name, call in counts.items():
        text = error_of(call)
        steps.check(f"badargs.{name}", "TypeError" in text and name.split(".")[0] in text, text[-200:])

    values = {
        "send_order.nothing": lambda: client.send_order(None, gateway),
        "send_order.text": lambda: client.send_order("buy", gateway),
        "send_order.number": lambda: client.send_order(1.5, gateway),
        "subscribe.nothing": lambda: client.subscribe(None, gateway),
        "cancel_order.nothing": lambda: client.cancel_order(None, gateway),
        "query_history.nothing": lambda: client.query_history(None, gateway),
        "get_order.list": lambda: client.get_order([]),
    }
    for name, call in values.items():
        text = error_of(call)
        steps.check(f"badargs.{name}", text, text[-200:])
    still_usable(steps, client, "badargs.after")

    if args.peer == "hub":
        for field, value in (
            ("volume", float("nan")), ("volume", float("inf")), ("volume", -1.0), ("volume", 0.0), ("volume", "1"),
            ("price", float("nan")), ("price", float("-inf")), ("direction", None), ("exchange", "SHFE"), ("symbol", ""),
        ):  # fmt: skip
            bad = OrderRequest(**{k: v for k, v in vars(req).items() if k != "vt_symbol"})
            setattr(bad, field, value)
            step = f"badargs.{field}={value!r}"
            try:
                answer = client.send_order(bad, gateway)
            except RemoteException as e:
                steps.check(step, True, str(e)[-200:])
            else:
                refused_or_empty(steps, trader, step, answer)
    new = [o for o in client.get_all_orders() if o.vt_orderid not in before]
    steps.check("badargs.no_order", all(o.status is Status.REJECTED for o in new), stock.to_json(new))
    client.stop()


def kwargs(steps: Steps, trader: Trader) -> None:
    """All 17 functions answer alike to positional and to named arguments."""
    contract = trader.contract(args.symbol)
    tick = trader.watch(contract)
    gateway = trader.server_gateway(contract.vt_symbol)
    client = trader.client
    sub = SubscribeRequest(contract.symbol, contract.exchange)
    for how, got in (("positional", client.subscribe(sub, gateway)), ("named", client.subscribe(req=sub, gateway_name=gateway))):
        steps.check(f"kwargs.subscribe.{how}", got is None, got)

    req = OrderRequest(
        contract.symbol, contract.exchange, LONG, OrderType.LIMIT, contract.min_volume,
        resting_price(tick, contract, args.far), Offset.OPEN,
    )  # fmt: skip
    sent = {
        "positional": client.send_order(req, gateway),
        "named": client.send_order(req=req, gateway_name=gateway),
        "turned": client.send_order(gateway_name=gateway, req=req),
    }
    for how, answer in sent.items():
        if not steps.check(f"kwargs.send_order.{how}", answer.startswith(gateway + "."), answer):
            continue
        vt_orderid = f"{trader.name}.{answer.split('.', 1)[1]}"
        trader.until(vt_orderid, Status.NOTTRADED)
        cancel = CancelRequest(answer.split(".", 1)[1], contract.symbol, contract.exchange)
        got = client.cancel_order(cancel, gateway) if how == "positional" else client.cancel_order(req=cancel, gateway_name=gateway)
        steps.check(f"kwargs.cancel_order.{how}", got is None, got)
        trader.until(vt_orderid, Status.CANCELLED)

    end = tick.datetime
    bars = HistoryRequest(contract.symbol, contract.exchange, end - timedelta(days=40), end - timedelta(days=1), Interval.DAILY)
    pairs = {"query_history": (client.query_history(bars, gateway), client.query_history(req=bars, gateway_name=gateway))}
    accounts = client.get_all_accounts()
    positions = client.get_all_positions()
    trades = client.get_all_trades()
    named = {
        "contract": ("vt_symbol", contract.vt_symbol),
        "order": ("vt_orderid", sent["positional"]),
        "trade": ("vt_tradeid", trades[0].vt_tradeid if trades else "no.such"),
        "position": ("vt_positionid", positions[0].vt_positionid if positions else "no.such"),
        "account": ("vt_accountid", accounts[0].vt_accountid),
    }
    for what, (parameter, value) in named.items():
        get = getattr(client, f"get_{what}")
        pairs[f"get_{what}"] = (get(value), get(**{parameter: value}))
    for name, (a, b) in pairs.items():
        found = (a is not None) or named[name.removeprefix("get_")][1] == "no.such"
        steps.check(f"kwargs.{name}", found and stable(a) == stable(b), stock.to_json(a) if not isinstance(a, list) else len(a))
    for how, got in (("positional", client.get_tick(contract.vt_symbol)), ("named", client.get_tick(vt_symbol=contract.vt_symbol))):
        steps.check(f"kwargs.get_tick.{how}", isinstance(got, TickData) and got.vt_symbol == contract.vt_symbol, stock.to_json(got))
    for name in ("ticks", "orders", "trades", "positions", "accounts", "contracts", "active_orders"):
        got = getattr(client, f"get_all_{name}")()
        flaws = [] if type(got) is list else [f"{type(got)}, want a list"]
        flaws += [flaw for o in got for flaw in flaws_of_object(o)][:5]
        steps.check(f"kwargs.get_all_{name}", not flaws, flaws or len(got))


def stable(answer: object) -> object:
    """What two answers must have in common although the market moves between them."""
    moving = ("price", "pnl", "balance", "available", "frozen", "volume", "yd_volume")
    values = answer if isinstance(answer, list) else [answer]
    return [
        {k: v for k, v in vars(o).items() if not (isinstance(o, (PositionData, AccountData)) and k in moving)} if o else None
        for o in values
    ]


def refused(steps: Steps, trader: Trader) -> None:
    """An order over a limit has an id, is rejected, and the log window names the rule."""
    contract = trader.contract(args.symbol)
    tick = trader.watch(contract)
    volume = args.refuse_volume or contract.max_volume or 1000
    after = trader.events.last()
    vt_orderid = trader.send(contract, LONG, Offset.OPEN, resting_price(tick, contract, args.far), volume)
    if not steps.check("refused.id", vt_orderid.startswith(trader.name + "."), vt_orderid):
        return
    order = trader.until(vt_orderid, Status.REJECTED)
    steps.check("refused.rejected", order.traded == 0 and order.volume == volume, stock.to_json(order))
    line = trader.events.wait(
        f"a log line like {args.rule}", lambda e: e.type == "eLog" and re.search(args.rule, e.data.msg), after
    ).data
    steps.check("refused.log", not flaws_of_object(line), line.msg)
    theirs = f"{trader.server_gateway(contract.vt_symbol)}.{vt_orderid.split('.', 1)[1]}"
    got = trader.client.get_order(theirs)
    steps.check("refused.get_order", got and got.status is Status.REJECTED, stock.to_json(got))
    flaws = trader.flaws_of_order(vt_orderid, contract.vt_symbol)
    if trader.trade_events(vt_orderid):
        flaws.append("it traded")
    steps.check("refused.story", not flaws, flaws or [e.data.status.name for e in trader.order_events(vt_orderid)[::2]])


def main() -> int:
    """Connect, and run what was asked for."""
    steps = Steps()
    trader = Trader(args.req, args.pub)
    wanted = list(dict.fromkeys(args.scenarios))
    if "all" in wanted:
        wanted = [s for s in SCENARIOS if s != "refused" or args.peer == "hub"]
    if "connect" not in wanted:
        wanted.insert(0, "connect")
    for name in wanted:
        steps.run(name, globals()[name], trader)
        if name == "connect" and steps.failed:
            break
    flaws = [f"{e.type}: {flaw}" for e in trader.events.since() if e.data is not None for flaw in flaws_of_object(e.data)]
    steps.check("objects", not flaws, flaws[:5])
    flaws = trader.flaws_of_life()
    steps.check("alive", not flaws, flaws)
    return steps.code()


env.run(main)

"""Times VeighNa's RiskManager 2.0: what its five rules take for an order.

The engine is the stock one, with the rules that it ships and their defaults, as
compiled by Cython. Every order passes every rule. Its event thread stands
still, and what the rules put into its queue is taken out while no clock runs:
with the thread, every check takes longer. One line of JSON on stdout says how
long an order took: the median of every thousand orders, so that whoever else
uses the machine for a moment does not count.

    python tests/veighna/riskmanager.py --orders 100000

The package is named in PYTHONPATH; scripts/setup.sh riskmanager builds it.
"""

import argparse
import statistics
import sys
import time

import env

env.prepare(deadline=200)

# What comes now decides its language and folders while it is imported.
from vnpy.event import Event, EventEngine  # noqa: E402
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Product  # noqa: E402
from vnpy.trader.engine import MainEngine  # noqa: E402
from vnpy.trader.event import EVENT_CONTRACT  # noqa: E402
from vnpy.trader.object import ContractData, OrderRequest  # noqa: E402
from vnpy_riskmanager import RiskEngine  # noqa: E402
from vnpy_riskmanager import __version__ as VERSION  # noqa: E402

GATEWAY = "SIM"


def contract() -> ContractData:
    return ContractData(
        symbol="rb2701",
        exchange=Exchange.SHFE,
        name="rebar",
        product=Product.FUTURES,
        size=10,
        pricetick=1,
        min_volume=1,
        max_volume=500,
        gateway_name=GATEWAY,
    )


def orders(n: int) -> list[OrderRequest]:
    """As many orders as are wanted, few of them alike: the tenth that is is refused."""
    many = []
    for i in range(n):
        many.append(
            OrderRequest(
                symbol="rb2701",
                exchange=Exchange.SHFE,
                direction=(Direction.LONG, Direction.SHORT)[i % 2],
                type=OrderType.LIMIT,
                volume=1 + i // 2 % 20,
                price=3300 + i // 40 % 400,
                offset=Offset.OPEN,
                reference="bench",
            )
        )
    return many


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    args = parser.parse_args()

    events = EventEngine()
    main_engine = MainEngine(events)
    events.put(Event(EVENT_CONTRACT, contract()))
    engine = main_engine.add_engine(RiskEngine)
    for _ in range(500):
        if main_engine.get_contract("rb2701.SHFE"):
            break
        time.sleep(0.01)
    else:
        raise env.Failed("the contract did not come")
    events.stop()

    compiled = [rule for rule in engine.rules.values() if type(rule).__module__.endswith("_cy")]
    if len(engine.rules) != 5 or len(compiled) != 5 or not all(rule.active for rule in engine.rules.values()):
        raise env.Failed(f"want five active rules compiled by Cython, not {list(engine.rules.values())}")

    warm = orders(2_000)
    many = orders(args.orders)
    for req in warm:
        engine.check_allowed(req, GATEWAY)
    # Those of the warm-up count as duplicates.
    engine.rules["重复报单检查"].on_init()

    check = engine.check_allowed
    took = []
    for at in range(0, len(many), 1_000):
        some = many[at : at + 1_000]
        allowed = 0
        began = time.perf_counter_ns()
        for req in some:
            allowed += check(req, GATEWAY)
        took.append((time.perf_counter_ns() - began) / len(some))
        if allowed != len(some):
            raise env.Failed("an order is refused: nothing was measured")
        while not events._queue.empty():
            events._queue.get_nowait()
    env.emit({"ns": statistics.median(took), "orders": len(many), "rules": sorted(engine.rules), "version": VERSION, "python": sys.version.split()[0]})
    return 0


if __name__ == "__main__":
    env.run(main)

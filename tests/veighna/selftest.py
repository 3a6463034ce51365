"""Checks the programs beside it against a stock VeighNa server.

Tests of the hub believe what these programs say; so here they meet a server that
is known to be right, and, for the observer, one that is known to leak: the stock
server shows everybody everything. Run it with the interpreter of an environment
that has VeighNa; the exit code is 0 only if every program judged as it should.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable

here = os.path.dirname(os.path.abspath(__file__))
failed: list[str] = []


def program(name: str, *options: str) -> subprocess.Popen:
    """Start a program beside this one, talked to by its stdin and stdout."""
    return subprocess.Popen(
        [sys.executable, os.path.join(here, name), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip


def answer(p: subprocess.Popen, line: dict | None = None) -> dict:
    """The next line of a program, after it was told one."""
    if line is not None:
        p.stdin.write(json.dumps(line) + "\n")
        p.stdin.flush()
    return json.loads(p.stdout.readline() or "{}")


def check(what: str, ok: object, detail: object = "") -> None:
    """Note a check that failed."""
    if not ok:
        failed.append(what)
        print(f"FAIL {what}: {detail}", file=sys.stderr)


def with_server(lang: str, body: Callable[[list[str]], None]) -> None:
    """Run body against a stock server of its own, and see that the server ends."""
    with tempfile.TemporaryDirectory() as folder:
        addresses = ["--req", f"ipc://{folder}/req", "--pub", f"ipc://{folder}/pub"]
        server = program("stock_server.py", *addresses, "--rate", "50", "--lang", lang)
        ready = answer(server)
        check(f"stock_server.py {lang}", ready.get("ok"), ready)
        if ready.get("ok"):
            body(addresses)
        server.communicate()
        check(f"stock_server.py {lang} ends", server.returncode == 0, server.returncode)


def client(addresses: list[str], lang: str) -> None:
    """Every scenario that a stock server can pass; and refused, which it cannot."""
    p = program("client.py", *addresses, "--peer", "stock", "--lang", lang, "all")
    steps = [json.loads(line) for line in p.communicate()[0].splitlines()]
    check(f"client.py {lang}", p.returncode == 0 and len(steps) > 80, [s for s in steps if not s["ok"]])
    p = program("client.py", *addresses, "--peer", "stock", "--lang", lang, "--trader", "alpha", "connect")
    wrong = [json.loads(line)["step"] for line in p.communicate()[0].splitlines() if not json.loads(line)["ok"]]
    check(f"client.py {lang} with another's account", p.returncode == 1 and wrong == ["connect.account"], wrong)


def repl_and_observer(addresses: list[str]) -> None:
    """The driver trades; the observer passes before that and fails after."""
    for trades in (False, True):
        watcher = program("observer.py", *addresses)
        check("observer.py is ready", answer(watcher).get("step") == "ready")
        vt_orderid = "SIM.4711"
        if trades:
            driver = program("repl.py")
            connect = {"cmd": "connect", "req": addresses[1], "pub": addresses[3], "mode": "client"}
            contract = answer(driver, connect)["result"]["contracts"][0]
            answer(driver, {"cmd": "subscribe", "vt_symbol": contract})
            answer(driver, {"cmd": "wait", "prefix": "eTick."})
            send = {"cmd": "send", "vt_symbol": contract, "direction": "LONG", "price": 3400, "volume": 1}
            vt_orderid = answer(driver, send | {"reference": "a secret of alpha"})["result"]
            resting = {"cmd": "wait", "where": {"vt_orderid": vt_orderid, "status": "NOTTRADED"}}
            got = answer(driver, resting)
            check("repl.py", got.get("ok") and got["result"]["data"]["price"] == 3400, got)
            bad = answer(driver, {"id": 7, "cmd": "call", "name": "get_tick"})
            check("repl.py reports errors", bad.get("id") == 7 and "TypeError" in bad.get("error", ""), bad)
            driver.communicate(json.dumps({"cmd": "quit"}) + "\n")
            check("repl.py ends", driver.returncode == 0, driver.returncode)
        out, _ = watcher.communicate(json.dumps({"forbidden": ["a secret of alpha"], "vt_orderids": [vt_orderid]}) + "\n")
        steps = [json.loads(line) for line in out.splitlines()]
        leaks = {s["step"] for s in steps if not s["ok"]}
        want = {"orders_and_trades", "wire", "log", "queries", "get_order"} if trades else set()
        check(f"observer.py, trades: {trades}", leaks == {f"observer.{w}" for w in want}, steps)
        check(f"observer.py's exit code, trades: {trades}", watcher.returncode == int(trades), watcher.returncode)


def load(addresses: list[str]) -> None:
    """Both measurements bring numbers."""
    for options, number in ((["--orders", "50", "--warmup", "5"], "orders_per_second"), (["--ticks", "0.5"], "ticks_per_second")):
        p = program("load.py", *addresses, *options)
        check("load.py is ready", answer(p).get("step") == "ready")
        result = json.loads(p.communicate("go\n")[0] or "{}")
        check(f"load.py {options[0]}", p.returncode == 0 and result.get("ok") and result["detail"][number] > 0, result)


for language in ("zh", "en"):
    with_server(language, lambda addresses, language=language: client(addresses, language))
with_server("zh", repl_and_observer)
with_server("zh", load)
if failed:
    sys.exit(f"selftest.py: {len(failed)} checks failed")
print("ok\ttests/veighna/selftest.py")

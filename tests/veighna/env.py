"""The surroundings of a stock VeighNa process in a test.

prepare must run before anything of vnpy is imported: vnpy decides its language,
its folder and its log files while it is imported.
"""

import faulthandler
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback

TIMEOUT = float(os.environ.get("HUB_TEST_TIMEOUT", "20"))
"""How long one awaited thing may take, in seconds; generous, and never asserted."""

_stdout = sys.stdout
_lock = threading.Lock()
_folder = ""

dead_threads: list[str] = []
"""Tracebacks of threads that died; a stock client's receiving thread is one that can."""


def prepare(lang: str = "zh", deadline: float = 240) -> None:
    """Give this process a VeighNa folder of its own, a language and a deadline."""
    global _folder
    # Python's gettext asks LANGUAGE first; there is no Chinese catalogue, so
    # naming Chinese means the words as they are in the source.
    os.environ["LANGUAGE"] = {"zh": "zh_CN", "en": "en"}[lang]
    _folder = tempfile.mkdtemp(prefix="vntrader-")
    os.mkdir(os.path.join(_folder, ".vntrader"))
    with open(os.path.join(_folder, ".vntrader", "vt_setting.json"), "w", encoding="utf-8") as f:
        json.dump({"log.console": False, "log.file": False}, f)
    os.chdir(_folder)
    # Stdout carries results only. VeighNa prints there too ("none event").
    sys.stdout = sys.stderr
    threading.excepthook = _thread_died
    signal.signal(signal.SIGTERM, lambda *_: leave(143))
    faulthandler.dump_traceback_later(deadline, exit=True)


def _thread_died(args: threading.ExceptHookArgs) -> None:
    text = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
    dead_threads.append(text)
    print(text, file=sys.stderr)


def emit(result: dict) -> None:
    """Write one result as a line of JSON on stdout."""
    with _lock:
        _stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
        _stdout.flush()


def leave(code: int) -> None:
    """End this process at once.

    MainEngine.close waits until the subscriber thread's next message, which is
    a heartbeat that comes every ten seconds; no test needs to watch that.
    """
    shutil.rmtree(_folder, ignore_errors=True)
    sys.stderr.flush()
    os._exit(code)


def run(main) -> None:
    """Run main and leave with the code that it returns.

    VeighNa's threads outlive an exception of the main thread, so one that
    nobody caught is reported and ends the process too.
    """
    code = 1
    try:
        code = main()
    except Failed as e:
        emit({"step": "failed", "ok": False, "detail": str(e)})
    except Exception:  # the report is the point, whatever it was
        emit({"step": "failed", "ok": False, "detail": traceback.format_exc()})
    leave(code)


class Failed(Exception):
    """What was awaited did not come, or something else came."""


class Steps:
    """The results of a program: one JSON line for each step."""

    def __init__(self) -> None:
        self.failed = 0
        self.passed = 0

    def check(self, step: str, ok: object, detail: object = None) -> bool:
        """Report a step; a step that fails does not end the program."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
        emit({"step": step, "ok": bool(ok), "detail": detail})
        return bool(ok)

    def run(self, name: str, scenario, *args) -> None:
        """Run a scenario; what it raises is a failed step."""
        try:
            scenario(self, *args)
        except Failed as e:
            self.check(name, False, str(e))
        except Exception:  # the report is the point, whatever it was
            self.check(name, False, traceback.format_exc())

    def code(self) -> int:
        """The exit code: 0 only if there were steps and all of them passed."""
        return 0 if self.passed and not self.failed else 1

"""The nursery's process: imports the program once, then forks a child for each order it reads."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import app
from tests.city import make_tiny_city


def obey(order: dict, child: int) -> tuple[dict, int]:
    if "wait" in order:
        _, status = os.waitpid(child, 0)
        return {"code": os.waitstatus_to_exitcode(status)}, 0
    child = os.fork()
    if child == 0:
        become(order)
    return {"pid": child}, child


def become(order: dict) -> None:
    """Be `python app.py ARGUMENTS`: own files for output, own end, never back to the nursery."""
    for descriptor, name in ((1, order["out"]), (2, order["err"])):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(file, descriptor)
        os.close(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    if order["user"] is not None:
        os.setgid(order["user"])
        os.setuid(order["user"])
    code = 1
    try:
        code = find_program(order["call"])(order["argv"])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        kind, error, trace = sys.exc_info()
        if kind is not None and error is not None:  # as the interpreter would: show it, end with 1
            sys.excepthook(kind, error, trace)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def find_program(call: str) -> Callable[[list[str]], int]:
    """Return what a child is to be: `app.py`, or a function of the tests by module:name."""
    if not call:
        return app.main
    module, name = call.split(":")
    return getattr(importlib.import_module(module), name)


def warm_up() -> None:
    """Do once what most children do: kernels that are loaded here need no loading in each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        city = make_tiny_city(folder / "city")
        grids, points = city.folder / "grids.geojson", city.folder / "incidents.csv"
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            app.main(["check", str(grids)])
            app.main(
                ["own", "--grids", str(grids), "--points", str(points), "--out", name + "/o.csv"]
            )
    gc.freeze()  # what is there stays shared with the children


def main() -> None:
    warm_up()
    child = 0
    for line in sys.stdin:
        answer, child = obey(json.loads(line), child)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

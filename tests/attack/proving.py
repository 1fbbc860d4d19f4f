"""
The proving ground: a process that hands one hostile file to the real program, and watches it.

It imports the program once and forks for each file, so that a thousand files take minutes. Run as a
program it is that process; the tests hold it through `ProvingGround`.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import app
from geodata.errors import GetuError
from geodata.reading import read_geometries
from tests.city import make_tiny_city

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 60
MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one file: how `load` ended in both languages, and what it cost."""

    code: int
    said: str  # by `load --lang zh`, both streams
    plain: dict[str, Any]  # by `load --lang en --json`
    upload: str  # "" where no child was asked, "read", or the key of the fault
    outside: list[str]  # addresses that Python code tried to reach
    peak_bytes: int  # of the process; the child that reads uploads is capped by the kernel
    took_s: float


class ProvingGround:
    """Runs trials one after the other, each in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def put(
        self, file: Path, *, kind: str, city: Path, options: Sequence[str], temporary: Path
    ) -> Trial:
        """Hand one file to `load`, and to the reader of uploads where GDAL would open it."""
        order = {
            "argv": ["load", kind, str(file), "--city", str(city), *options],
            "file": str(file),
            "upload": kind == "grids",
            "temporary": str(temporary),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the proving ground died"
        found = json.loads(answer)
        assert "failure" not in found, found["failure"]
        return Trial(**found)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def watch(order: dict[str, Any]) -> dict[str, Any]:
    """Fork for one file and wait for its end, no longer than it may take."""
    reader, writer = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        run_trial(order, writer)
    os.close(writer)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(2 * LONGEST_S)
    with os.fdopen(reader, "rb") as opened:
        outcome = opened.read()
    _, status, usage = os.wait4(child, 0)
    signal.alarm(0)
    took_s = time.perf_counter() - started
    left = True
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        left = False
    if status or not outcome:
        code = os.waitstatus_to_exitcode(status)
        return {"failure": f"the trial ended with {code} after {took_s:.1f} s"}
    if left:
        return {"failure": "a process was left behind"}
    return {**json.loads(outcome), "took_s": took_s, "peak_bytes": usage.ru_maxrss * 1024}


def run_trial(order: dict[str, Any], writer: int) -> None:
    """Be the process that opens the file, tell `writer` what became of it, and never return."""
    outside: list[str] = []
    sys.addaudithook(lambda event, about: note_outside(event, about, outside))
    os.environ["TMPDIR"] = order["temporary"]
    outcome: dict[str, Any] = {"outside": outside}
    try:
        code, said = call([*order["argv"], "--lang", "zh"])
        again, plain = call([*order["argv"], "--lang", "en", "--json"])
        assert code in (again, 0), (code, again, plain)
        outcome |= {"code": code, "said": said, "plain": json.loads(plain.splitlines()[-1])}
        outcome["upload"] = try_upload(Path(order["file"])) if order["upload"] else ""
    finally:  # whatever ends this child is the finding: its parent judges it
        if sys.exc_info()[0] is not None:
            outcome = {"failure": traceback.format_exc()}
        with os.fdopen(writer, "wb") as opened:
            opened.write(json.dumps(outcome).encode())
        os._exit(0)


def call(argv: list[str]) -> tuple[int, str]:
    """Run `app.py` in this process; return its exit code and everything it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = app.main(argv)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, said.getvalue()


def try_upload(file: Path) -> str:
    """Read a boundary file as an upload is read, in the child under its limits."""
    try:
        read_geometries(file, isolated=True)
    except GetuError as error:
        error.sentence("zh")
        error.sentence("en")
        return error.faults[0].key
    return "read"


def note_outside(event: str, about: tuple[Any, ...], outside: list[str]) -> None:
    """Keep, and refuse, every address that code of this process tries to reach."""
    if event == "socket.connect":
        outside.append(str(about[1]))
    elif event == "socket.getaddrinfo":
        outside.append(str(about[0]))
    elif event not in {"socket.sendto", "urllib.Request"}:
        return
    raise PermissionError(f"a reader asked the network: {event}")


def warm_up() -> None:
    """Import, and load once, what every trial would import and load."""
    with tempfile.TemporaryDirectory() as name:
        make_tiny_city(Path(name) / "city")
    gc.freeze()


def main() -> None:
    warm_up()
    for line in sys.stdin:
        print(json.dumps(watch(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

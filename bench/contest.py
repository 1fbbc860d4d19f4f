"""Contests: our work and its peers by turns in one process, with equal threads and answers."""

from __future__ import annotations

import importlib
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compiled import compile_kernel

Row = dict[str, Any]
Work = Callable[[], Any]
BUSY = 3.0  # a load above this: two thirds of a bar must do
_BUSY_SHARE = 2 / 3
_PROBE = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """
    What must be reached: a ratio to a peer at least, or a time at most.

    `bytes` is what must be moved through memory for one item, for the share of the limit.
    """

    ours: str
    peer: str
    ratio: float | None = None
    seconds: float | None = None
    bytes: float | None = None
    predicate: str = ""

    def is_reached(self, ratio: float | None, seconds: float, load: float) -> bool | None:
        """Tell whether a result is good enough at this load; None where nothing is asked."""
        ease = _BUSY_SHARE if load > BUSY else 1.0
        if self.ratio is not None:
            return ratio is not None and ratio >= self.ratio * ease
        if self.seconds is not None:
            return seconds <= self.seconds / ease
        return None


@dataclass(slots=True, kw_only=True)
class Contest:
    """
    One case of one work: who takes part, by turns, round by round.

    A contestant that is None is not installed here. `answers` turn what a contestant returned into
    something that can be compared; without one, answers are not compared.
    """

    work: str
    case: str
    n: int
    rounds: int
    entries: dict[str, Work | None] = field(default_factory=dict)
    answers: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    note: str = ""
    times: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)  # with that of ended children
    found: dict[str, Any] = field(default_factory=dict)

    def enter(
        self, name: str, run: Work | None, *, answer: Callable[[Any], Any] | None = None
    ) -> None:
        """Let a contestant take part; None for one that is not installed."""
        self.entries[name] = run
        if answer is not None:
            self.answers[name] = answer

    def run(self) -> None:
        """Run everyone once for the answers, then `rounds` times by turns."""
        here = {name: run for name, run in self.entries.items() if run is not None}
        for name, run in here.items():
            answer = run()
            if name in self.answers:
                self.found[name] = self.answers[name](answer)
        self.times = {name: [] for name in here}
        self.processor = {name: [] for name in here}
        for _ in range(self.rounds):
            for name, run in here.items():
                start, used = time.perf_counter(), _processor_s()
                run()
                self.times[name].append(time.perf_counter() - start)
                self.processor[name].append(_processor_s() - used)

    def rows(self, bars: Sequence[Bar]) -> list[Row]:
        """Return one row of `bench --json` for each bar whose own contestant took part."""
        return [self._row(bar) for bar in bars if bar.ours in self.times]

    def _row(self, bar: Bar) -> Row:
        load = os.getloadavg()[0]
        ours = self.times[bar.ours]
        theirs = self.times.get(bar.peer) if bar.peer else None
        seconds = statistics.median(ours)
        ratio = None
        if theirs is not None:
            ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        used = [self.processor.get(name) for name in (bar.ours, bar.peer)]
        cpu = None
        if used[0] and used[1] and min(used[0]) > 0:
            cpu = statistics.median(b / a for a, b in zip(used[0], used[1], strict=True))
        missing = bool(bar.peer) and theirs is None
        reached = False if missing else bar.is_reached(ratio, seconds, load)
        said = [self.note, f"load {load:.1f}", f"{self.rounds} rounds"]
        said += [] if cpu is None else [f"{cpu:.2f} x by the processor's time"]
        return {
            "work": self.work,
            "case": f"{self.case}: {bar.ours}",
            "n": self.n,
            "ours_s": round(seconds, 6),
            "peer": bar.peer or None,
            "peer_s": None if theirs is None else round(statistics.median(theirs), 6),
            "ratio": None if ratio is None else round(ratio, 2),
            "equal": self._equal(bar),
            "note": ", ".join(part for part in [*said, "peer not installed" * missing] if part),
            "cpu_s": round(statistics.median(used[0]), 6) if used[0] else None,
            "cpu_ratio": None if cpu is None else round(cpu, 2),
            "per_s": round(self.n / seconds),
            "of_bandwidth": self._share(bar, seconds),
            "predicate": bar.predicate or None,
            "asked": bar.ratio if bar.ratio is not None else bar.seconds,
            "reached": reached,
        }

    def _equal(self, bar: Bar) -> bool | None:
        if bar.ours not in self.found or bar.peer not in self.found:
            return None
        return is_equal(self.found[bar.ours], self.found[bar.peer])

    def _share(self, bar: Bar, seconds: float) -> float | None:
        if bar.bytes is None:
            return None
        return round(self.n * bar.bytes / seconds / measure_bandwidth(), 3)


def make_row(
    work: str,
    case: str,
    *,
    n: int,
    seconds: float,
    note: str,
    equal: bool | None,
    asked: float | None,
    good: bool | None = True,
) -> Row:
    """
    Return a row of `bench --json` for what was measured alone, against a time at most.

    `good` tells whether what else is asked of it holds, None where nothing is; on a busy machine
    half as long again is in time.
    """
    load = os.getloadavg()[0]
    ease = 1 / _BUSY_SHARE if load > BUSY else 1.0
    return {
        "work": work, "case": case, "n": n, "ours_s": round(seconds, 6),
        "peer": None, "peer_s": None, "ratio": None, "equal": equal,
        "note": f"{note}, load {load:.1f}", "per_s": round(n / seconds) if seconds else 0,
        "of_bandwidth": None, "predicate": None, "asked": asked,
        "reached": good if asked is None else good is not False and seconds <= asked * ease,
    }  # fmt: skip


def is_equal(one: Any, two: Any) -> bool:
    """Tell whether two answers are the same: arrays element by element, and their groups."""
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(is_equal, one, two))
    return bool(np.array_equal(one, two))


def find_peer(name: str) -> Any:
    """Return a peer's module, None where it is not installed (pip install --group bench)."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@cache
def measure_bandwidth() -> float:
    """Return how many bytes a second one thread reads and writes in a row: 16 in, 4 out."""
    x, y, out = np.ones(_PROBE), np.ones(_PROBE), np.empty(_PROBE, np.int32)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        _pass_over(x, y, out)
        best = min(best, time.perf_counter() - start)
    return 20 * _PROBE / best


@compile_kernel
def _pass_over(x: NDArray[Any], y: NDArray[Any], out: NDArray[Any]) -> None:
    for i in range(len(x)):
        out[i] = np.int32(x[i] + y[i])


def _processor_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def time_each(run: Callable[[int], object], n: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of `n` single calls, in seconds."""
    times = np.empty(n)
    for i in range(n):
        start = time.perf_counter()
        run(i)
        times[i] = time.perf_counter() - start
    return float(np.median(times)), float(np.quantile(times, 0.99))


def print_row(row: Mapping[str, Any]) -> str:
    """Return one row as a line for people."""
    mark = {True: "reached", False: "NOT REACHED", None: "-"}[row["reached"]]
    against = f"{row['ratio']} x {row['peer']}" if row["ratio"] is not None else row["peer"] or ""
    asked = "" if row["asked"] is None else f"(asked {row['asked']:g})"
    share = "" if row["of_bandwidth"] is None else f"{100 * row['of_bandwidth']:.1f} % of memory"
    speed = f"{row['per_s'] / 1e6:.2f} M/s" if row["n"] > 1 else ""
    equal = {True: "equal", False: "DIFFERENT", None: ""}[row["equal"]]
    parts = [
        f"{row['work']} {row['case']}", f"{row['ours_s'] * 1e3:.3f} ms", speed, against, asked,
        mark, equal, share, row["predicate"] or "", row["note"],
    ]  # fmt: skip
    return "  ".join(part for part in parts if part)

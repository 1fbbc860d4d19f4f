"""Growth: what one point costs among a hundred thousand, and among a hundred million."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.contest import Row, make_row
from bench.made_up import Floats, make_grids, make_points
from bench.plot import Line, draw_plot
from bench.streams import PLAIN, write_parts
from geodata.ownership import OwnerIndex
from geodata.ownership.parts import own_part
from geodata.ownership.tally import PartJob

SMALLEST = 100_000
FLAT = 0.30  # how far a size may be off the middle of all
_AT_LEAST = 2_000_000  # points a measure: a small size is asked again and again
_PIECE = 1_000_000
ONE, TWO, STREAM = "in arrays, 1 thread", "in arrays, 2 threads", "from Parquet, 2 threads"
Clocks = tuple[float, float]  # seconds on the wall, seconds of the processor


def run_growth(
    *, points: int, rounds: int, plot: Path | None = None, grids: int = 1101
) -> Iterator[Row]:
    """
    Yield a row for each size up to `points` and each way to the points; draw them into `plot`.

    All sizes and ways take turns, round by round. What is compared is the time of the processor,
    which others on the machine lengthen least: the ratio is that to the middle of its way's sizes,
    and `reached` says that it is within 30 %.
    """
    sizes = list_sizes(points)
    with tempfile.TemporaryDirectory(prefix="getu-bench-") as folder:
        works = _make_works(sizes, Path(folder), grids)
        times: dict[tuple[str, int], list[Clocks]] = {key: [] for key in works}
        for work in works.values():
            work(0)
        for _ in range(rounds):
            for (way, n), work in works.items():
                times[way, n].append(_measure(work, n))
    lines = []
    for way in (ONE, TWO, STREAM):
        middle = {
            n: tuple(statistics.median(one[clock] for one in times[way, n]) for clock in (0, 1))
            for n in sizes
        }
        level = statistics.median(cpu_s / n for n, (_, cpu_s) in middle.items())
        lines.append(
            Line(name=way, points={n: 1e9 * cpu_s / n for n, (_, cpu_s) in middle.items()})
        )
        for n, (wall_s, cpu_s) in middle.items():
            yield _row(way, n, wall_s, cpu_s, level=level, rounds=rounds)
    if plot is not None:
        said = f"{grids:,} grids, median of {rounds} rounds, load {os.getloadavg()[0]:.1f}"
        plot.write_text(draw_plot(lines, title=f"Processor time per point, {said}"), "utf-8")


def list_sizes(largest: int) -> list[int]:
    """Return sizes from the smallest to `largest`, each about three times the one before."""
    sizes = [first * 10**power for power in range(12) for first in (1, 3)]
    return [n for n in sizes if SMALLEST <= n <= largest] or [largest]


def _make_works(
    sizes: list[int], folder: Path, grids: int
) -> dict[tuple[str, int], Callable[[int], object]]:
    shapes = make_grids(grids)
    index = OwnerIndex(shapes)
    x, y = _make_many(max(sizes), shapes)
    works: dict[tuple[str, int], Callable[[int], object]] = {}
    for n in sizes:
        works[ONE, n] = partial(_find, index, x, y, n, 1)
        works[TWO, n] = partial(_find, index, x, y, n, 2)
        (job,) = write_parts(folder, points=n, grids=grids, parts=1, form=PLAIN)
        works[STREAM, n] = partial(_count, job)
    return works


def _find(index: OwnerIndex, x: Floats, y: Floats, n: int, threads: int, time_: int) -> object:
    """Find the owners of other points each time, as they come: none is in the cache before."""
    low = time_ * n % (len(x) - n + 1)
    return index.find(x[low : low + n], y[low : low + n], threads=threads)


def _count(job: PartJob, _: int) -> object:
    return own_part(job, threads=2)


def _make_many(points: int, shapes: np.ndarray) -> tuple[Floats, Floats]:
    x, y = np.empty(points), np.empty(points)
    for low in range(0, points, _PIECE):
        part = slice(low, min(points, low + _PIECE))
        x[part], y[part] = make_points(part.stop - low, shapes, seed=low)
    return x, y


def _measure(work: Callable[[int], object], n: int) -> Clocks:
    """Time a work whose answer fits memory that the system has at hand: finding it is not ours."""
    times = -(-_AT_LEAST // n)
    np.empty(n, np.int32).fill(0)
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(times):
        work(number)
    return (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times


def _row(way: str, n: int, wall_s: float, cpu_s: float, *, level: float, rounds: int) -> Row:
    ratio = cpu_s / n / level
    note = f"{1e9 * wall_s / n:.2f} ns a point, {1e9 * cpu_s / n:.2f} ns of the processor"
    row = make_row(
        "A", f"growth {way}", n=n, seconds=wall_s, note=f"{note}, {rounds} rounds",
        equal=None, asked=None, good=abs(ratio - 1) <= FLAT,
    )  # fmt: skip
    return row | {"peer": "the middle of all sizes", "ratio": round(ratio, 2), "asked": 1 + FLAT}

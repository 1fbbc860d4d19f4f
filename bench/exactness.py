"""Exactness of ownership: millions of hard places, each answer held against GEOS."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from bench.contest import Row, make_row
from bench.hard_places import Floats, Shapes, awkward_drawings, geos_covering, hard_points
from geodata.ownership import OwnerIndex

RESOLUTIONS = (64, 800, None)  # cells along a side of the raster: coarse, fine, as chosen
_SIDE = 34  # squared: the grids of a drawing
_LEAST = 9  # points that `hard_points` makes at least for each that it is asked for
GEOS, PREDICATE = "GEOS, shapely STRtree(points)", "intersects, first grid"


def run_exactness(*, points: int, side: int = _SIDE) -> Iterator[Row]:
    """
    Yield a row for each drawing and resolution, and one for all: at least `points` places.

    `equal` says that every place has the first grid in order that GEOS finds to cover it, asked
    with one thread, with two, and with rules; and that the counts of all grids and of nobody are
    those of GEOS and add up to all places.
    """
    names = list(awkward_drawings(2))
    count = points // (_LEAST * len(names) * len(RESOLUTIONS)) + 1
    total = {"n": 0, "wrong": 0, "shared": 0, "unowned": 0}
    ours_s = peer_s = 0.0
    for seed, (name, polygons) in enumerate(awkward_drawings(side).items()):
        for number, cells in enumerate(RESOLUTIONS):
            places = hard_points(polygons, count, seed=1000 * number + seed)
            found, times = _compare(polygons, places, cells)
            for key, value in found.items():
                total[key] += value
            ours_s, peer_s = ours_s + times[0], peer_s + times[1]
            said = f"{name}, {len(polygons):,} grids, raster {cells or 'as chosen'}"
            yield _row(said, found, *times)
    yield _row("all", total, ours_s, peer_s)


def _compare(
    polygons: Shapes, places: Floats, cells: int | None
) -> tuple[dict[str, int], tuple[float, float]]:
    """Return how many places there are and how many answers are wrong; seconds of both."""
    x, y = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
    index = OwnerIndex(polygons, cells=cells)
    start = time.perf_counter()
    owner = index.find(x, y)
    between = time.perf_counter()
    expected, covering = geos_covering(polygons, places)
    end = time.perf_counter()
    wrong = owner != expected
    wrong |= index.find(x, y, threads=2) != expected
    owned = index.own(x, y, near_line_m=0)
    wrong |= owned.owner != expected
    counts, truth = (np.bincount(who + 1, minlength=len(polygons) + 1) for who in (owner, expected))
    lost = int((counts != truth).any() or counts.sum() != len(places))
    found = {
        "n": len(places),
        "wrong": int(wrong.sum()) + lost,
        "shared": int((covering > 1).sum()),
        "unowned": int(counts[0]),
    }
    return found, (between - start, end - between)


def _row(case: str, found: dict[str, int], ours_s: float, peer_s: float) -> Row:
    n, wrong = found["n"], found["wrong"]
    note = (
        f"{n:,} places, {wrong:,} wrong, {found['shared']:,} on two grids or more, "
        f"{found['unowned']:,} of nobody"
    )
    row = make_row(
        "A", f"exact: {case}", n=n, seconds=ours_s, note=note,
        equal=wrong == 0, asked=None, good=wrong == 0,
    )  # fmt: skip
    ratio = round(peer_s / ours_s, 1)
    return row | {"peer": GEOS, "peer_s": round(peer_s, 6), "ratio": ratio, "predicate": PREDICATE}

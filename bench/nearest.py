"""Benchmark D: the nearest cameras of incidents, and all within a radius."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from bench.contest import Bar, Contest, Row, time_each
from geodata.snapshots.nearest import NearIndex

K, RADIUS_M = 5, 300.0
SIDE_M = 40_000.0
_SINGLES = 2_000
NEAREST, NEAREST_TWO = "5 nearest, 1 thread", "5 nearest, 2 threads"
WITHIN, WITHIN_TWO = "within 300 m, 1 thread", "within 300 m, 2 threads"
TREE, BALL = "scipy cKDTree.query", "scipy query_ball_point"
STRTREE = "shapely STRtree.query(dwithin)"
BARS = (
    Bar(ours=NEAREST, peer=TREE, ratio=1.4, predicate="same distances"),
    Bar(ours=NEAREST_TWO, peer=TREE),
    Bar(ours=WITHIN, peer=BALL, ratio=5, predicate="same pairs"),
    Bar(ours=WITHIN, peer=STRTREE, predicate="same pairs"),
    Bar(ours=WITHIN_TWO, peer=BALL, predicate="same pairs"),
)


def run(*, points: int, rounds: int) -> Iterator[Row]:
    """Measure a tenth of `points` against a thousand and a hundred thousand cameras."""
    for cameras in (1_000, 100_000):
        yield from run_nearest(points=points // 10, cameras=cameras, rounds=rounds)


def run_nearest(*, points: int, cameras: int, rounds: int) -> list[Row]:
    """Measure all points at once, and single ones."""
    rng = np.random.default_rng(0)
    places = rng.normal(SIDE_M / 2, SIDE_M / 6, (cameras, 2))
    asked = rng.normal(SIDE_M / 2, SIDE_M / 6, (points, 2))
    x, y = np.ascontiguousarray(asked[:, 0]), np.ascontiguousarray(asked[:, 1])
    index = NearIndex(places[:, 0], places[:, 1])
    tree = cKDTree(places)
    boxes, shapes = shapely.STRtree(shapely.points(places)), shapely.points(asked)

    def pairs_of(found: Any) -> tuple[Any, Any]:
        starts, places = found
        sizes = np.diff(starts)
        order = np.lexsort((places, np.repeat(np.arange(points), sizes)))
        return sizes, places[order]

    def balls_of(found: Any) -> tuple[Any, Any]:
        sizes = np.array([len(ball) for ball in found])
        return sizes, np.concatenate([np.sort(np.array(ball, np.int64)) for ball in found])

    def boxes_of(found: Any) -> tuple[Any, Any]:
        point, place = found
        order = np.lexsort((place, point))
        return np.bincount(point, minlength=points), place[order]

    contest = Contest(work="D", case=f"{cameras:,} cameras", n=points, rounds=rounds)
    contest.enter(NEAREST, lambda: index.nearest(x, y, k=K), answer=lambda found: found[1])
    contest.enter(NEAREST_TWO, lambda: index.nearest(x, y, k=K, threads=2), answer=lambda f: f[1])
    contest.enter(TREE, lambda: tree.query(asked, k=K), answer=lambda found: found[0])
    contest.enter(WITHIN, lambda: index.within(x, y, radius_m=RADIUS_M), answer=pairs_of)
    contest.enter(
        WITHIN_TWO, lambda: index.within(x, y, radius_m=RADIUS_M, threads=2), answer=pairs_of
    )
    contest.enter(BALL, lambda: tree.query_ball_point(asked, RADIUS_M), answer=balls_of)
    contest.enter(
        STRTREE,
        lambda: boxes.query(shapes, predicate="dwithin", distance=RADIUS_M),
        answer=boxes_of,
    )
    contest.run()
    return [*contest.rows(BARS), *_time_singles(index, x, y, cameras)]


def _time_singles(index: NearIndex, x: Any, y: Any, cameras: int) -> list[Row]:
    """Measure one click: its five nearest, and all within the radius."""
    rows = []
    n = min(_SINGLES, len(x))
    for case, ask in (
        ("one click, 5 nearest", lambda i: index.nearest(x[i], y[i], k=K)),
        ("one click, within 300 m", lambda i: index.within(x[i], y[i], radius_m=RADIUS_M)),
    ):
        median, worst = time_each(ask, n)
        note = f"99 of 100 within {worst * 1e6:.0f} us"
        contest = Contest(work="D", case=f"{cameras:,} cameras", n=1, rounds=1, note=note)
        contest.times = {case: [median]}
        rows += contest.rows([Bar(ours=case, peer="", seconds=20e-6)])
    return rows

"""Benchmark: from places in arrays to the grids that own them, beside its peers in one process."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from bench.made_up import make_grids, make_points
from geodata.ownership import OwnerIndex

CRS = "EPSG:4549"
NEAR_LINE_M = 15.0
Owners = NDArray[np.integer[Any]]


def run_ownership(
    *,
    points: int,
    grids: int = 1101,
    rounds: int = 5,
    peers: tuple[str, ...] = ("geopandas",),
) -> list[dict[str, Any]]:
    """
    Measure ownership against each peer and return the rows of `bench --json`.

    Every round runs all contestants one after another; times are medians, `ratio` is the median of
    each round's peer ÷ ours. `equal` tells whether every owner is the first in rank of the
    grids the peer returned. All start from their own ready columns (x and y; point objects), and
    the peers' search trees stay from round to round as ours does, except in the case that builds
    ours anew. Peers: geopandas (sjoin, intersects), shapely (STRtree of the points).
    """
    shapes = make_grids(grids)
    x, y = make_points(points, shapes)
    index = OwnerIndex(shapes)
    ours: dict[str, Callable[[], Owners]] = {
        "find, 1 thread": lambda: index.find(x, y),
        "find, 2 threads": lambda: index.find(x, y, threads=2),
        "find, index built anew": lambda: OwnerIndex(shapes).find(x, y),
        "own with rule, distance, near line, 1 thread": lambda: (
            index.own(x, y, near_line_m=NEAR_LINE_M).owner
        ),
    }
    made = {name: PEERS[name](x, y, shapes) for name in peers}
    answers = {name: _first_of(peer(), points) for name, peer in made.items()}
    equal = {case: work() for case, work in ours.items()}
    times: dict[str, list[float]] = {name: [] for name in (*ours, *made)}
    for _ in range(rounds):
        for name, work in (*ours.items(), *made.items()):
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    corners = int(shapely.get_num_coordinates(shapes).sum())
    note = f"{grids} grids, {corners} corners, {rounds} rounds, load {os.getloadavg()[0]:.1f}"
    return [
        {
            "work": "ownership",
            "case": case,
            "n": points,
            "ours_s": round(statistics.median(times[case]), 6),
            "peer": PEER_NAMES[peer],
            "peer_s": round(statistics.median(times[peer]), 6),
            "ratio": round(
                statistics.median(
                    theirs / own for theirs, own in zip(times[peer], times[case], strict=True)
                ),
                1,
            ),
            "equal": bool(np.array_equal(equal[case], answers[peer])),
            "note": note,
        }
        for peer in made
        for case in ours
    ]


Pairs = tuple[Owners, Owners]  # point, grid


def _geopandas(
    x: NDArray[np.float64], y: NDArray[np.float64], shapes: NDArray[np.object_]
) -> Callable[[], Pairs]:
    points = geopandas.GeoDataFrame(geometry=shapely.points(x, y), crs=CRS)
    grids = geopandas.GeoDataFrame(geometry=shapes, crs=CRS)

    def join() -> Pairs:
        found = geopandas.sjoin(points, grids, predicate="intersects")
        return found.index.to_numpy(), found["index_right"].to_numpy()

    return join


def _shapely(
    x: NDArray[np.float64], y: NDArray[np.float64], shapes: NDArray[np.object_]
) -> Callable[[], Pairs]:
    points = shapely.points(x, y)

    def query() -> Pairs:
        grid, point = shapely.STRtree(points).query(shapes, predicate="intersects")
        return point, grid

    return query


PEERS = {"geopandas": _geopandas, "shapely": _shapely}
PEER_NAMES = {
    "geopandas": "geopandas.sjoin(predicate='intersects')",
    "shapely": "shapely.STRtree(points).query(predicate='intersects')",
}


def _first_of(pairs: Pairs, points: int) -> Owners:
    """Return our rule applied to a peer's pairs: the first grid in rank, -1 where there is none."""
    owner = np.full(points, np.iinfo(np.int64).max)
    np.minimum.at(owner, pairs[0], pairs[1])
    owner[owner == np.iinfo(np.int64).max] = -1
    return owner

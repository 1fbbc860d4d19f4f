"""Drawings and places where owners are hard to find, and what GEOS finds there."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from bench.made_up import EXTENT_MM, ORIGIN_MM, Floats, make_grids

Shapes = NDArray[np.object_]
Owners = NDArray[np.integer[Any]]


def awkward_drawings(side: int) -> dict[str, Shapes]:
    """Return drawings that break other people's indexes, by name; `side` squared grids or so."""
    seamless = rough_lattice(side, seed=1)
    step = EXTENT_MM / side
    low = np.indices((side, side)).reshape(2, -1) * 100.0
    squares = shapely.box(low[0], low[1], low[0] + 100, low[1] + 100)
    holes = shapely.difference(seamless, shapely.buffer(shapely.centroid(seamless), step / 5))
    return {
        "seamless": seamless,
        "squares": squares,
        "overlapping": shapely.buffer(seamless, step / 3, quad_segs=2),
        "holes": holes,
        "islands in holes": np.concatenate(
            [holes, shapely.buffer(shapely.centroid(seamless), step / 5)]
        ),
        "degrees": shapely.transform(seamless, lambda c: c / [4_700_000, 111_000_000]),
        "one astray": np.append(seamless, shapely.box(0, 0, 9, 9)),
        "overlapping, one astray": np.append(
            shapely.buffer(seamless[::-1], step / 2, quad_segs=1), shapely.box(0, 0, 9, 9)
        ),
        "one": seamless[:1],
        "irregular": make_grids(max(side * side, 20)),
    }


def rough_lattice(side: int, *, seed: int, bends: int = 4) -> Shapes:
    """
    Return `side` squared grids without gap or overlap whose lines bend, all on whole millimetres.

    Every line between two nodes is bent once and shared by both neighbours.
    """
    rng = np.random.default_rng(seed)
    step = EXTENT_MM / side
    i, j = np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij")
    nodes = (
        np.stack([i, j], axis=-1) * step + rng.uniform(-0.2, 0.2, (side + 1, side + 1, 2)) * step
    )

    def bend(a: Floats, b: Floats) -> Floats:
        along = np.linspace(0, 1, bends + 2)[:, None]
        normal = np.array([a[1] - b[1], b[0] - a[0]])
        out = rng.uniform(-0.12, 0.12, (bends + 2, 1)) * (along > 0) * (along < 1)
        return np.rint(a + along * (b - a) + out * normal + ORIGIN_MM)

    across = {
        (i, j): bend(nodes[i, j], nodes[i + 1, j]) for i in range(side) for j in range(side + 1)
    }
    up = {(i, j): bend(nodes[i, j], nodes[i, j + 1]) for i in range(side + 1) for j in range(side)}
    rings = [
        np.vstack([across[i, j], up[i + 1, j][1:], across[i, j + 1][::-1][1:], up[i, j][::-1][1:]])
        for i in range(side)
        for j in range(side)
    ]
    return np.array([shapely.Polygon(ring) for ring in rings], dtype=object)


def hard_points(polygons: Shapes, count: int, *, seed: int) -> Floats:
    """
    Return some ten times `count` points and a few more.

    Corners, points on edges, a rounding beside them, level with corners, far off, no place.
    """
    rng = np.random.default_rng(seed)
    corners, ring = shapely.get_coordinates(polygons, return_index=True)
    low, high = corners.min(axis=0), corners.max(axis=0)
    anyone = corners[rng.integers(0, len(corners), count)]
    a = rng.integers(0, len(corners) - 1, count)
    a = a[ring[a] == ring[a + 1]]
    step = corners[a + 1] - corners[a]
    infinities = rng.choice([-np.inf, np.inf], (count, 2))
    beside_x, beside_y = anyone.copy(), anyone.copy()
    beside_x[:, 0] = np.nextafter(anyone[:, 0], infinities[:, 0])
    beside_y[:, 1] = np.nextafter(anyone[:, 1], infinities[:, 1])
    anywhere = rng.uniform(low - 0.1 * (high - low), high + 0.1 * (high - low), (count, 2))
    odd = [
        *[(np.nan, low[1]), (low[0], np.nan), (np.inf, low[1]), (low[0], -np.inf)],
        *[(1e300, 1e300), (-1e300, low[1]), (0.0, -0.0), tuple(low), tuple(high)],
        *[(low[0], high[1]), (5e-324, 5e-324)],
    ]
    return np.vstack(
        [
            anyone,
            corners[a] + step / 2,
            corners[a] + rng.random((len(a), 1)) * step,
            corners[a] + rng.choice([-1.0, 2.0, 0.25], (len(a), 1)) * step,
            beside_x,
            beside_y,
            np.column_stack([anywhere[:, 0], anyone[:, 1]]),
            np.column_stack([anyone[:, 0], anywhere[:, 1]]),
            np.rint(anywhere),
            anywhere,
            np.array(odd),
            corners[[corners[:, 0].argmin(), corners[:, 0].argmax()]],
            corners[[corners[:, 1].argmin(), corners[:, 1].argmax()]],
        ]
    )


def geos_covering(polygons: Shapes, points: Floats) -> tuple[Owners, Owners]:
    """Return the first polygon that GEOS finds to intersect each point, and how many it finds."""
    placed = np.flatnonzero(np.isfinite(points).all(axis=1))
    tree = shapely.STRtree(shapely.points(points[placed]))
    polygon, found = tree.query(polygons, predicate="intersects")
    first = np.full(len(points), len(polygons))
    np.minimum.at(first, placed[found], polygon)
    count = np.bincount(placed[found], minlength=len(points))
    return np.where(count > 0, first, -1), count

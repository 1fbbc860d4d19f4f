"""Made-up grids and points for the tests of ownership: plain, awkward and hostile ones."""

from __future__ import annotations

import math

import numpy as np
import shapely
from hypothesis import strategies as st

STEP = 40  # between the nodes of a drawn lattice, in the unit of the coordinates


@st.composite
def lattices(draw, *, most=4):
    """Grids without gap or overlap: quadrilaterals on a shaken lattice, some of them joined."""
    wide, tall = draw(st.integers(1, most)), draw(st.integers(1, most))
    shake = st.integers(-STEP // 4, STEP // 4)
    nodes = {
        (i, j): (STEP * i + draw(shake), STEP * j + draw(shake))
        for i in range(wide + 1)
        for j in range(tall + 1)
    }
    cells = [
        shapely.Polygon([nodes[i, j], nodes[i + 1, j], nodes[i + 1, j + 1], nodes[i, j + 1]])
        for i in range(wide)
        for j in range(tall)
    ]
    joined = draw(
        st.lists(st.integers(0, len(cells) - 1), min_size=len(cells), max_size=len(cells))
    )
    groups = {}
    for cell, group in zip(cells, joined, strict=True):
        groups.setdefault(group, []).append(cell)
    return [shapely.coverage_union_all(group) for _, group in sorted(groups.items())]


@st.composite
def loose_polygons(draw, *, reach=60):
    """Any closed run of corners: holes, pieces, edges that cross, all on whole numbers."""
    number = st.integers(-reach, reach)
    corners = st.lists(st.tuples(number, number), min_size=3, max_size=7, unique=True)
    kind = draw(st.sampled_from(["simple", "hole", "pieces", "crossing", "nothing"]))
    if kind == "nothing":
        flat = shapely.Polygon([(0, 0), (5, 5), (10, 10)])
        return draw(st.sampled_from([None, shapely.Polygon(), shapely.MultiPolygon(), flat]))
    if kind == "crossing":
        return shapely.Polygon(draw(corners))
    x, y = draw(number), draw(number)
    size = draw(st.integers(6, reach))
    skew = draw(st.integers(-size // 3, size // 3))
    outer = [(x, y), (x + size, y + skew), (x + size + skew, y + size), (x, y + size - skew)]
    if kind == "simple":
        return shapely.Polygon(outer)
    inner = [(x + 2, y + 3 + abs(skew)), (x + 4, y + 3 + abs(skew)), (x + 3, y + 5 + abs(skew))]
    if kind == "hole":
        return shapely.Polygon(outer, [inner])
    away = shapely.transform(shapely.Polygon(outer), lambda c: c + np.array([2 * reach + size, 0]))
    return shapely.MultiPolygon([shapely.Polygon(outer), away])


def drawings():
    """Grids of every sort: seamless, with gaps and overlaps, or a mixture."""
    loose = st.lists(loose_polygons(), min_size=1, max_size=6)
    mixed = st.tuples(lattices(most=3), st.lists(loose_polygons(), max_size=3))
    return st.one_of(lattices(), loose, mixed.map(lambda pair: [*pair[0], *pair[1]]))


@st.composite
def points_at(draw, polygons, *, count=25):
    """Points where it is hard: corners, on edges, on lines through edges, a rounding away, none."""
    corners = shapely.get_coordinates(np.array(polygons, dtype=object))
    if not len(corners):
        corners = np.zeros((1, 2))
    pick = st.integers(0, len(corners) - 1)
    points = []
    for _ in range(count):
        x, y = corners[draw(pick)]
        other_x, other_y = corners[draw(pick)]
        how = draw(st.integers(0, 8))
        part = draw(st.sampled_from([-1.0, 0.25, 0.5, 1 / 3, 2.0]))
        if how == 1:
            x, y = x + part * (other_x - x), y + part * (other_y - y)
        elif how == 2:
            y = other_y
        elif how == 3:
            x = math.nextafter(x, draw(st.sampled_from([-math.inf, math.inf])))
        elif how == 4:
            y = math.nextafter(y, draw(st.sampled_from([-math.inf, math.inf])))
        elif how == 5:
            x, y = draw(st.integers(-100, 300)) / 2, draw(st.integers(-100, 300)) / 2
        elif how == 6:
            x = draw(st.floats(allow_nan=True, allow_infinity=True))
        elif how == 7:
            x, y = draw(st.floats(-100, 300)), draw(st.floats(-100, 300))
        elif how == 8:
            y = draw(st.sampled_from([5e-324, -5e-324, 1e300, -0.0, math.nan, -math.inf]))
        points.append((x, y))
    return np.array(points, float).reshape(-1, 2)


def rough_lattice(side, *, seed, extent=7_000_000, origin=(504_000_000, 3_590_000_000), bends=4):
    """
    `side` squared grids without gap or overlap whose lines bend, all on whole millimetres.

    Every line between two nodes is bent once and shared by both neighbours.
    """
    rng = np.random.default_rng(seed)
    step = extent / side
    i, j = np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij")
    nodes = (
        np.stack([i, j], axis=-1) * step + rng.uniform(-0.2, 0.2, (side + 1, side + 1, 2)) * step
    )

    def bend(a, b):
        along = np.linspace(0, 1, bends + 2)[:, None]
        normal = np.array([a[1] - b[1], b[0] - a[0]])
        out = rng.uniform(-0.12, 0.12, (bends + 2, 1)) * (along > 0) * (along < 1)
        return np.rint(a + along * (b - a) + out * normal + origin)

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


def hard_points(polygons, count, *, seed):
    """Corners, points on edges, a rounding beside them, level with corners, far off, no place."""
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


def geos_covering(polygons, points):
    """The first polygon that GEOS finds to intersect each point, and how many it finds."""
    placed = np.flatnonzero(np.isfinite(points).all(axis=1))
    tree = shapely.STRtree(shapely.points(points[placed]))
    polygon, found = tree.query(polygons, predicate="intersects")
    first = np.full(len(points), len(polygons))
    np.minimum.at(first, placed[found], polygon)
    count = np.bincount(placed[found], minlength=len(points))
    return np.where(count > 0, first, -1), count

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

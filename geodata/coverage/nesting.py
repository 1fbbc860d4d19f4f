"""Whether grids lie in their parents, and parents are covered by their grids."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import Floats, Geometries, Ints
from geodata.coverage.faces import rows_by
from geodata.coverage.polygons import inner_xy, wide_area
from geodata.coverage.report import Limits, Nesting


def check_nesting(
    polygons: Geometries,
    codes: NDArray[np.str_],
    levels: NDArray[np.str_],
    parents: Ints,
    *,
    limits: Limits,
) -> tuple[Nesting, ...]:
    """
    Return where children and parents disagree by more than a hairline and the area limit.

    `polygons` are valid, in metres; `parents` holds row numbers, -1 for none. A disagreement is a
    fault when its share exceeds what `nest_share` allows; below, the parent is rebuilt from its
    children by the repair.
    """
    usable = ~shapely.is_empty(polygons)
    child = np.flatnonzero((parents >= 0) & usable & usable[parents])
    parent = parents[child]
    outside = _subtract(polygons[child], polygons[parent])
    found = _records("outside", (codes, levels), (child, parent), (outside, polygons), limits)
    owner, group = np.unique(parent, return_inverse=True)
    together = np.empty(len(owner), dtype=object)
    for at, rows in enumerate(rows_by(group, len(owner))):
        together[at] = shapely.union_all(polygons[child[rows]])
    bare = _subtract(polygons[owner], together)
    return found + _records("uncovered", (codes, levels), (owner, owner), (bare, polygons), limits)


def nesting_shares(children: Geometries, parents: Geometries) -> tuple[Ints, Ints, Floats]:
    """
    Return child, parent, share of the child's area in the parent, for all that share land.

    Both are valid polygons in one metric CRS.
    """
    tree = shapely.STRtree(parents)
    child, parent = tree.query(children, predicate="intersects")
    shapely.prepare(parents)
    share = np.ones(len(child))
    partly = np.flatnonzero(~shapely.covers(parents[parent], children[child]))
    cut = shapely.intersection(children[child[partly]], parents[parent[partly]])
    share[partly] = shapely.area(cut) / shapely.area(children[child[partly]])
    shared = share > 0
    return child[shared], parent[shared], share[shared]


def _subtract(whole: Geometries, part: Geometries) -> Geometries:
    """Return what of each `whole` lies outside its `part`; covered ones are not computed."""
    rest = np.full(len(whole), shapely.Polygon(), dtype=object)
    shapely.prepare(part)
    differs = ~shapely.covers(part, whole)
    rest[differs] = shapely.difference(whole[differs], part[differs])
    return rest


def _records(
    kind: str,
    names: tuple[NDArray[np.str_], NDArray[np.str_]],
    pairs: tuple[Ints, Ints],
    shapes: tuple[Geometries, Geometries],
    limits: Limits,
) -> tuple[Nesting, ...]:
    codes, levels = names
    rest, polygons = shapes
    wide = wide_area(rest, width=limits.hairline_m, above=limits.min_area_m2)
    rows = np.flatnonzero(wide > limits.min_area_m2)
    area = shapely.area(rest[rows])
    share = area / shapely.area(polygons[pairs[0][rows]])
    xy = inner_xy(rest[rows])
    return tuple(
        Nesting(
            level=str(levels[pairs[0][row]]),
            kind=kind,
            code=str(codes[pairs[0][row]]),
            parent=str(codes[pairs[1][row]]),
            area_m2=float(area[at]),
            share=float(share[at]),
            fault=bool(share[at] > 1 - limits.nest_share),
            x=float(xy[at, 0]),
            y=float(xy[at, 1]),
        )
        for at, row in enumerate(rows.tolist())
    )
